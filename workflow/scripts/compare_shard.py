"""Estimate what is compared of some of the scales and items; what moved is decided when all are there."""

from surveywaves.files import read, write
from surveywaves.mixed.compare import estimate
from surveywaves.sample import Sample, on_one_range, scales_of, share_of, single_items
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ComparingPart
from surveywaves.tidy import stacked

with stage(snakemake):
    part, item = ComparingPart.model_validate(snakemake.params.part), snakemake.wildcards.scatteritem
    sample = Sample(read(snakemake.input.responses), **dict(part.sample)).with_shares()
    sample, scales, items = on_one_range(sample, scales_of(part.instrument), single_items(part.instrument))
    found = estimate(
        sample,
        [scales[at] for at in share_of(len(scales), item)],
        [items[at] for at in share_of(len(items), item)],
        robust=part.robust,
        confidence=part.confidence,
        min_cell=part.min_cell,
    )
    write(stacked(found._asdict()), snakemake.output.found, private=True)
