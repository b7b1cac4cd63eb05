"""Compare waves and organisations in other ways, and say how many of them come to the same decisions."""

from surveywaves.files import read, write
from surveywaves.invariance import flagged
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.sensitivity.compare import judge_variants
from surveywaves.sensitivity.imputation import impute
from surveywaves.sensitivity.variants import stated_variants
from surveywaves.study.parts import SensitivityPart

with stage(snakemake):
    part = SensitivityPart.model_validate(snakemake.params.part)
    asked = part.sensitivity
    sample = Sample(read(snakemake.input.responses), **dict(part.sample)).with_shares().coded()
    sample, scales, _ = on_one_range(sample, scales_of(part.instrument, part.min_answered))
    imputed = None
    if asked.imputations:
        imputed = impute(
            sample,
            scales,
            number=asked.imputations,
            seed=part.seed,
            variables=asked.adjust_for,
            reasons=read(snakemake.input.missing),
        )
    found = judge_variants(
        sample,
        scales,
        stated_variants(
            sample,
            questionnaire=[item.item for item in part.instrument],
            straight_lining=asked.straight_lining,
            only=asked.only,
            adjust_for=asked.adjust_for,
            margins=part.margins,
            populations=part.populations,
            reworded=part.reworded,
            imputed=imputed,
            robust=part.robust,
        ),
        flagged=flagged(
            read(snakemake.input.dif),
            criterion=part.functioning.criterion,
            at_least=part.functioning.at_least,
            significance=1 - part.confidence,
        ),
        standardised=part.smallest_effect.standardised,
        percentage_points=part.smallest_effect.percentage_points,
        confidence=part.confidence,
        min_cell=part.min_cell,
        multiplicity=part.multiplicity,
        labels=part.labels,
    )
    for table, frame in found._asdict().items():
        write(frame, snakemake.output[table], private=True)
