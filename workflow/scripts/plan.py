"""Plan a wave to come, scale by scale."""

from surveywaves.files import read, write
from surveywaves.planning import plan
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import PlanningPart
from surveywaves.terms import ALL

with stage(snakemake):
    part = PlanningPart.model_validate(snakemake.params.part)
    sample = Sample(read(snakemake.input.responses), **dict(part.sample))
    if sample.against == ALL:
        sample = sample.with_shares()
    sample, scales, _ = on_one_range(sample, scales_of(part.instrument))
    found = plan(
        sample,
        scales,
        planned=part.planned,
        returns=part.returns,
        smallest=part.smallest,
        confidence=part.confidence,
        power=part.power,
        tests=1 if part.multiplicity == "none" else len(scales),
        min_cell=part.min_cell,
        population=part.population,
    )
    write(found, snakemake.output[0], private=True)
