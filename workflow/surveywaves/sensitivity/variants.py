"""The ways in which the comparison is done again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from surveywaves.mixed.linear import fit_linear
from surveywaves.mixed.ordinal import fit_ordinal
from surveywaves.sensitivity import answers, respondents
from surveywaves.sensitivity.setting import Model, OfAnswers, OfPeople
from surveywaves.sensitivity.titles import ADJUSTED, MAIN, ONLY, title_of
from surveywaves.sensitivity.twice import Twice
from surveywaves.sensitivity.weighting import Margins


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to do the comparison.

    Parameters
    ----------
    name
        As the table has it.
    people
        What it changes of who is compared.
    answers
        What it changes of what is compared.
    fit
        The model.
    latent
        Whether the model's unit is that of a latent answer, and not that of the response scale.
    twice
        How many are taken to have answered two waves.
    """

    name: str
    people: OfPeople = respondents.as_they_are
    answers: OfAnswers = answers.as_they_are
    fit: Model = fit_linear
    latent: bool = False
    twice: Twice | None = None

    @property
    def title(self) -> str:
        """For people."""
        return title_of(self.name)


def stated_variants(
    *,
    questionnaire: Sequence[str],
    straight_lining: int,
    only: Mapping[str, Mapping[str, str]] | None = None,
    adjust_for: Sequence[str] = (),
    margins: Mapping[str, Margins] | None = None,
    twice: Twice | None = None,
    sampling_weight: str = "weight",
    covariates: Sequence[str] = (),
    weighted: bool = False,
    team: bool = False,
) -> tuple[Variant, ...]:
    """List the variants of a study's main analysis, itself first.

    Parameters
    ----------
    questionnaire
        Every item of the instrument.
    straight_lining
        See `respondents.without_straight_liners`.
    only
        Title -> variable -> level: comparisons with such respondents only.
    adjust_for
        Grouping variables to adjust for besides.
    margins
        See `respondents.raked`.
    twice
        How many are taken to have answered two waves; None: not asked.
    sampling_weight
        The column of the waves' sampling weights.
    covariates, weighted, team
        What the main analysis adjusts for; whether it is weighted; whether it has a team effect.
    """

    def stated() -> Iterator[Variant]:
        yield Variant(MAIN)
        yield Variant("ordinal_logit", fit=fit_ordinal, latent=True)
        yield Variant("ordinal_probit", fit=partial(fit_ordinal, link="probit"), latent=True)
        yield Variant("scale_score", answers=answers.score)
        yield Variant("complete_cases", answers=answers.complete)
        for title, chosen in (only or {}).items():
            yield Variant(ONLY + title, people=respondents.only(chosen))
        yield Variant(
            "without_straight_liners",
            people=respondents.without_straight_liners(questionnaire, straight_lining),
        )
        yield Variant("organisation_not_stated", people=respondents.not_stated_apart)
        if adjust_for:
            yield Variant(ADJUSTED + ", ".join(adjust_for), people=respondents.adjusted(adjust_for))
        if covariates:
            yield Variant("unadjusted", people=respondents.unadjusted)
        yield Variant("without_flagged_items", answers=answers.without_flagged)
        yield Variant("raking", people=respondents.raked(margins or {}))
        if weighted:
            yield Variant("unweighted", people=respondents.unweighted)
        else:
            yield Variant("sampling_weights", people=respondents.weighted(sampling_weight))
        if team:
            yield Variant("without_team", people=respondents.without_team)
        if twice:
            yield Variant("answered_twice", twice=twice)

    return tuple(stated())
