"""Compare waves and organisations, scale by scale and item by item, by both models, and decide what moved."""

from surveywaves.files import read, write
from surveywaves.mixed.compare import Estimated, estimate, judge
from surveywaves.sample import Sample, on_one_range, scales_of, single_items
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ComparingPart
from surveywaves.tidy import gathered

with stage(snakemake):
    part, given = ComparingPart.model_validate(snakemake.params.part), snakemake.input
    if given.shards:
        estimated = Estimated(**gathered(map(read, given.shards), Estimated._fields))
    else:
        sample = Sample(read(given.responses), **dict(part.sample)).with_shares()
        estimated = estimate(
            *on_one_range(sample, scales_of(part.instrument), single_items(part.instrument)),
            robust=part.robust,
            confidence=part.confidence,
            min_cell=part.min_cell,
        )
    found = judge(
        estimated,
        read(given.scale_use),
        standardised_effect=part.smallest_effect.standardised,
        percentage_points=part.smallest_effect.percentage_points,
        confidence=part.confidence,
        multiplicity=part.multiplicity,
        item_multiplicity=part.item_multiplicity,
        against=part.sample.against,
    )
    for table, frame in found._asdict().items():
        write(frame, snakemake.output[table], private=True)
