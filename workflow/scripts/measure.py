"""Estimate the reliability of each scale, and say whether it may be compared as a scale."""

import pandas as pd

from surveywaves.files import read, write
from surveywaves.reliability import reliability, usage
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import MeasuringPart
from surveywaves.tidy import tidy

with stage(snakemake):
    part, given = MeasuringPart.model_validate(snakemake.params.part), snakemake.input
    found = [read(path) for path in given.shards]
    if not found:
        sample = Sample(read(given.responses), **dict(part.sample))
        sample, scales, _ = on_one_range(sample, scales_of(part.instrument), whole=True)
        found = [
            reliability(sample, scale, confidence=part.confidence, min_n=part.min_cell, seed=part.seed)
            for scale in scales
        ]
    together = pd.concat([tidy([]), *found], ignore_index=True)
    write(together, snakemake.output.reliability, private=True)
    write(
        usage(together, smallest_alpha=part.scale_use.smallest_alpha),
        snakemake.output.scale_use,
        private=True,
    )
