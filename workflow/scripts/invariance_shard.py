"""Examine some of the scales; the one after the last of them is its neighbour only."""

from surveywaves.files import read, write
from surveywaves.invariance.examine import examine
from surveywaves.sample import Sample, on_one_range, scales_of, share_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import InvariancePart
from surveywaves.tidy import stacked

with stage(snakemake):
    part, item = InvariancePart.model_validate(snakemake.params.part), snakemake.wildcards.scatteritem
    sample = Sample(read(snakemake.input.responses), **dict(part.sample))
    sample, scales, _ = on_one_range(sample, scales_of(part.instrument), whole=True)
    some = share_of(len(scales), item)
    found = examine(sample, scales, only=some, confidence=part.confidence, min_n=part.functioning_min_n)
    write(stacked(found), snakemake.output.found, private=True)
