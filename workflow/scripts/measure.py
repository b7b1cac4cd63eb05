"""Measure each scale: its reliability, its use, and whether its items work alike in every wave and organisation."""

from surveywaves.files import read, write
from surveywaves.invariance.measure import measure
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import MeasuringPart

with stage(snakemake):
    part = MeasuringPart.model_validate(snakemake.params.part)
    sample, scales, _ = on_one_range(
        Sample(read(snakemake.input.responses), **dict(part.sample)), scales_of(part.instrument), whole=True
    )
    found = measure(
        sample,
        scales,
        confidence=part.confidence,
        min_n=part.min_cell,
        seed=part.seed,
        smallest_alpha=part.scale_use.smallest_alpha,
        dif_min_n=part.functioning_min_n,
    )
    for table, frame in found._asdict().items():
        write(frame, snakemake.output[table], private=True)
