"""Examine whether items work alike in every wave and organisation, and whether each scale is one factor there."""

import pandas as pd

from surveywaves.files import read, write
from surveywaves.invariance.dif import dif
from surveywaves.invariance.structure import structure
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import InvariancePart
from surveywaves.tidy import gathered, tidy

with stage(snakemake):
    part, given = InvariancePart.model_validate(snakemake.params.part), snakemake.input
    if given.shards:
        found = gathered(map(read, given.shards), ("dif", "structure"))
    else:
        sample = Sample(read(given.responses), **dict(part.sample))
        sample, scales, _ = on_one_range(sample, scales_of(part.instrument), whole=True)
        items = [dif(sample, one, confidence=part.confidence, min_n=part.functioning_min_n) for one in scales]
        found = {
            "dif": pd.concat([tidy([]), *items], ignore_index=True),
            "structure": structure(sample, scales, confidence=part.confidence),
        }
    for table, frame in found.items():
        write(frame, snakemake.output[table], private=True)
