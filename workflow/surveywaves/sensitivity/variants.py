"""The ways in which the comparison is done again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.lmm import fit_linear
from surveywaves.sample import Sample
from surveywaves.sensitivity import setting
from surveywaves.sensitivity.imputation import Imputed
from surveywaves.sensitivity.setting import Model, OfAnswers, OfStatements
from surveywaves.terms import ADJUSTED, IMPUTED, MAIN, ONLY
from surveywaves.weighting import Margins, OfPeople, Refused, raked, weighted

WEIGHT: Final = "weight"
"""Column of the waves' sampling weights: a variant where they differ within a wave."""


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A way to do the comparison."""

    name: str
    """As the table has it."""
    people: OfPeople = setting.same_people
    """What it changes of who is compared."""
    answers: OfAnswers = setting.same_answers
    """What it changes of what is compared."""
    statements: OfStatements | None = None
    """Which statements it leaves to a contrast, by its waves."""
    fit: Model = fit_linear
    """The model."""
    of_model: bool = False
    """Whether it is about the model: percentages of favourable answers, which have none, stay out of it."""
    latent: bool = False
    """Whether the model's unit is that of a latent answer, and not that of the response scale."""
    imputed: Imputed | None = None
    """The sample with what is missing drawn several times; its people are of these."""


def stated_variants(
    sample: Sample,
    *,
    questionnaire: Sequence[str],
    straight_lining: int,
    only: Mapping[str, Mapping[str, str]] | None = None,
    adjust_for: Sequence[str] = (),
    margins: Mapping[str, Margins] | None = None,
    populations: Mapping[str, int] | None = None,
    reworded: Mapping[str, Sequence[str]] | None = None,
    imputed: Imputed | None = None,
    robust: bool = True,
) -> tuple[Variant, ...]:
    """List the variants of a study's main analysis, itself first.

    Parameters
    ----------
    sample
        Who is compared in the main analysis: what it adjusts for, whether it is weighted and has a team effect.
    questionnaire
        Every item of the instrument.
    straight_lining
        See `setting.without_straight_liners`.
    only
        Title -> variable -> level: comparisons with such respondents only.
    adjust_for
        Grouping variables to adjust for besides.
    margins
        See `surveywaves.weighting.raked`.
    populations
        See `setting.of_finite_population`.
    reworded
        Wave -> items that it asked in other words than the instrument's.
    imputed
        What `imputation.impute` drew for the sample; None: nothing was asked of it.
    robust
        See `surveywaves.mixed.lmm.fit_linear`.
    """
    words = reworded or {}
    by = partial(Variant, fit=partial(fit_linear, robust=robust))

    def stated() -> Iterator[Variant]:
        yield by(MAIN)
        yield Variant("ordinal_logit", fit=fit_ordinal, of_model=True, latent=True)
        yield Variant("ordinal_probit", fit=partial(fit_ordinal, link="probit"), of_model=True, latent=True)
        yield by("scale_score", answers=setting.score, of_model=True)
        if imputed:
            yield by(IMPUTED, imputed=imputed)
        yield by("complete_cases", answers=setting.complete)
        for title, chosen in (only or {}).items():
            yield by(ONLY + title, people=setting.only(chosen))
        yield by(
            "without_straight_liners", people=setting.without_straight_liners(questionnaire, straight_lining)
        )
        if adjust_for:
            yield by(ADJUSTED + ", ".join(adjust_for), people=setting.adjusted(adjust_for))
        if sample.covariates:
            yield by("unadjusted", people=setting.unadjusted)
        yield by("without_flagged_items", answers=setting.without_flagged)
        yield by("common_items", statements=setting.common(words))
        if any(words.values()):
            yield by("without_reworded", statements=setting.without_reworded(words))
        if margins and any(margins.values()):
            yield by("raking", people=raked(margins))
        if sample.weight:
            yield by("unweighted", people=setting.unweighted)
        elif WEIGHT in sample.frame and not isinstance(weighted(WEIGHT)(sample), Refused):
            yield by("sampling_weights", people=weighted(WEIGHT))
        if sample.team:
            yield by("without_team", people=setting.without_team)
        if populations:
            yield by("finite_population", people=setting.of_finite_population(populations))

    return tuple(stated())
