"""Measure some of the scales; those after the last of them are its neighbours only."""

from surveywaves.files import read, write
from surveywaves.invariance.measure import measure
from surveywaves.sample import Sample, on_one_range, scales_of, share_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import MeasuringPart
from surveywaves.tidy import stacked

with stage(snakemake):
    part, item = MeasuringPart.model_validate(snakemake.params.part), snakemake.wildcards.scatteritem
    sample = Sample(read(snakemake.input.responses), **dict(part.sample))
    sample, scales, _ = on_one_range(sample, scales_of(part.instrument), whole=True)
    found = measure(
        sample,
        scales,
        only=share_of(len(scales), item),
        confidence=part.confidence,
        min_n=part.min_cell,
        seed=part.seed,
        dif_min_n=part.functioning_min_n,
    )
    write(stacked(found._asdict()), snakemake.output.found, private=True)
