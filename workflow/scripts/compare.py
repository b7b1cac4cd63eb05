"""Compare waves and organisations, scale by scale and item by item, by both models, and decide what moved."""

from surveywaves.files import read, write
from surveywaves.mixed.compare import compare_study
from surveywaves.sample import Sample, on_one_range, scales_of, single_items
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ComparingPart

with stage(snakemake):
    part = ComparingPart.model_validate(snakemake.params.part)
    sample = Sample(read(snakemake.input.responses), **dict(part.sample)).with_shares()
    sample, scales, items = on_one_range(sample, scales_of(part.instrument), single_items(part.instrument))
    found = compare_study(
        sample,
        scales,
        items,
        read(snakemake.input.scale_use),
        standardised_effect=part.smallest_effect.standardised,
        percentage_points=part.smallest_effect.percentage_points,
        robust=part.robust,
        confidence=part.confidence,
        min_cell=part.min_cell,
        multiplicity=part.multiplicity,
        item_multiplicity=part.item_multiplicity,
    )
    for table, frame in found._asdict().items():
        write(frame, snakemake.output[table], private=True)
