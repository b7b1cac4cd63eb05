"""Estimate the reliability of some of the scales."""

import pandas as pd

from surveywaves.files import read, write
from surveywaves.reliability import reliability
from surveywaves.sample import Sample, on_one_range, scales_of, share_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import MeasuringPart
from surveywaves.tidy import tidy

with stage(snakemake):
    part, item = MeasuringPart.model_validate(snakemake.params.part), snakemake.wildcards.scatteritem
    sample = Sample(read(snakemake.input.responses), **dict(part.sample))
    sample, scales, _ = on_one_range(sample, scales_of(part.instrument), whole=True)
    found = [
        reliability(sample, scales[at], confidence=part.confidence, min_n=part.min_cell, seed=part.seed)
        for at in share_of(len(scales), item)
    ]
    write(pd.concat([tidy([]), *found], ignore_index=True), snakemake.output.found, private=True)
