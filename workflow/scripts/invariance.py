"""Examine whether items work alike in every wave and organisation, and whether each scale is one factor there."""

from surveywaves.files import read, write
from surveywaves.invariance.examine import examine
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import InvariancePart
from surveywaves.terms import DIF, STRUCTURE
from surveywaves.tidy import gathered

with stage(snakemake):
    part, given = InvariancePart.model_validate(snakemake.params.part), snakemake.input
    if given.shards:
        found = gathered(map(read, given.shards), (DIF, STRUCTURE))
    else:
        sample = Sample(read(given.responses), **dict(part.sample))
        sample, scales, _ = on_one_range(sample, scales_of(part.instrument), whole=True)
        found = examine(sample, scales, confidence=part.confidence, min_n=part.functioning_min_n)
    for table, frame in found.items():
        write(frame, snakemake.output[table], private=True)
