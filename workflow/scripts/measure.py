"""Measure each scale: its reliability, its use, and whether its items work alike in every wave and organisation."""

from surveywaves.files import read, write
from surveywaves.invariance.measure import Measured, measure
from surveywaves.reliability import usage
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import MeasuringPart
from surveywaves.tidy import gathered

with stage(snakemake):
    part, given = MeasuringPart.model_validate(snakemake.params.part), snakemake.input
    if given.shards:
        found = gathered(map(read, given.shards), Measured._fields)
    else:
        sample = Sample(read(given.responses), **dict(part.sample))
        sample, scales, _ = on_one_range(sample, scales_of(part.instrument), whole=True)
        found = measure(
            sample,
            scales,
            confidence=part.confidence,
            min_n=part.min_cell,
            seed=part.seed,
            dif_min_n=part.functioning_min_n,
        )._asdict()
    found["scale_use"] = usage(found["reliability"], smallest_alpha=part.scale_use.smallest_alpha)
    for table, frame in found.items():
        write(frame, snakemake.output[table], private=True)
