"""Every statistic of a scale in every wave and organisation, the tests between them, and whose reliability is low."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.reliability import alpha as of_alpha
from surveywaves.reliability.alpha import equality
from surveywaves.reliability.answers import (
    Answers,
    Array,
    Options,
    Row,
    answered,
    ceiling,
    check,
    floor,
    join,
    members,
    named,
    scored,
)
from surveywaves.reliability.factors import omega_total, ordinal_alpha
from surveywaves.sample import Sample, Scale, paired
from surveywaves.terms import ALL, LOW_RELIABILITY, RELIABILITY, Status
from surveywaves.tidy import tidy


def reliability(
    sample: Sample,
    scale: Scale,
    *,
    confidence: float = 0.95,
    min_n: int = 10,
    replicates: int = 1_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate the reliability of one scale by wave and organisation.

    Only respondents who answered all the items count, and an item that no one was asked in a wave is left out there.
    Over all waves, the items are those that every wave asked, among the waves that asked any. An item that
    everyone here answered alike is left out too: it says nothing about how answers go together (psych::alpha does
    the same). The note names every item and wave that was left out.

    Parameters
    ----------
    sample
        Who answered. Respondents of other waves do not count; those of other organisations, or of none that they
        stated, count under ``all``. Weights, teams and covariates play no part.
    scale
        What they answered: whole numbers in its range.
    confidence
        Confidence level of the intervals.
    min_n
        Fewest respondents to estimate anything from.
    replicates
        Bootstrap replicates of alpha's interval; 0: normal quantiles in their place.
    seed
        Seed of the bootstrap. What is drawn for a wave and organisation depends on this, on the names of scale, wave
        and organisation and on the answers there, and on nothing else: a further wave leaves it as it is.

    Returns
    -------
    DataFrame
        Tidy (see `surveywaves.tidy`), `analysis` = ``reliability``: for each wave its organisations and ``all``,
        then wave ``all`` with organisation ``all``. The terms, with k items, their covariances c_ij, and V the
        sum of all c_ij, the variance of the total score:

        ``alpha``
            Cronbach's alpha, k / (k - 1) (1 - sum c_ii / V), with its ADF standard error and bootstrap-t interval
            (see `alpha`). The estimate stays where a few respondents do not bear an interval; the note says why.
        ``mean_inter_item_r``
            Mean of the k (k - 1) / 2 correlations between items.
        ``omega_total``
            McDonald's omega of a one-factor model of the standardised items (see `factors.omega_total`).
        ``ordinal_alpha``
            Alpha of the polychoric correlations (see `factors.ordinal_alpha`).
        ``floor``, ``ceiling``
            Percentage of respondents whose scale mean is the lowest, the highest that there can be.
        ``item_rest_r``
            For each item, its correlation with the sum of the others.
        ``alpha_if_dropped``
            For each item, alpha of the others; not estimable from one.

        Then, between the waves of each organisation and between the organisations of each wave, tests that alpha is
        the same (see `alpha.equality`): ``alpha_difference`` for each pair, ``equality`` for all of them.

        `n` is the number of respondents used. `status` is ``too_few`` with fewer than `min_n` of them or fewer than
        two items to go by, ``not_converged`` if a search did not end, and ``not_estimable`` if nobody answered at
        all, nobody was asked, what the estimate divides by is zero, or a model is improper (the note says how).

    Raises
    ------
    ValueError
        If a column is missing, a key is not +1 or -1, an answer is not a whole number in the response range, an
        item is listed twice, or an option makes no sense.

    References
    ----------
    Cronbach LJ (1951). Psychometrika 16:297-334. Zumbo BD, Gadermann AM, Zeisser C (2007). Ordinal versions of
    coefficients alpha and theta for Likert rating scales. Journal of Modern Applied Statistical Methods 6:21-29.
    McDonald RP (1999). Test theory. Of alpha's interval and tests: see `alpha`.

    Examples
    --------
    In R: ``psych::alpha(na.omit(scored))`` gives ``raw_alpha``, ``average_r``, ``r.drop``, and ``raw_alpha``
    of ``alpha.drop``; ``psych::omega(na.omit(scored), nfactors = 1)`` gives ``omega.tot``;
    ``psych::alpha(psych::polychoric(na.omit(scored), correct = 0)$rho)`` gives ordinal alpha.
    """
    check(sample, scale, confidence=confidence, min_n=min_n)
    if replicates < 0:
        raise ValueError(f"replicates {replicates} is below 0")
    frame, items, waves = sample.frame, scale.items, sample.waves
    options = Options(scale.response_range, confidence, min_n, replicates, seed)
    scores = scored(frame, scale)
    in_wave = {name: members(frame["wave"], name) for name in waves}
    in_organisation = {name: members(frame["organisation"], name) for name in sample.organisations}
    asked = {name: answered(scores[in_wave[name]]) for name in waves}
    answers_of = partial(Answers.of, items=items, options=options)

    rows: list[Row] = []
    for wave in waves:
        remark = named("not asked", items, ~asked[wave])
        for organisation, member in {**in_organisation, ALL: np.ones(len(frame), dtype=np.bool_)}.items():
            answers = answers_of(
                scores[in_wave[wave] & member],
                asked=asked[wave],
                place=f"{scale.name}/{wave}/{organisation}",
                remark=remark,
            )
            rows += [{"wave": wave, "organisation": organisation, **row} for row in _rows(answers)]

    asking = [wave for wave in waves if asked[wave].any()] or list(waves)
    common = np.logical_and.reduce([asked[wave] for wave in asking])
    somewhere = np.logical_or.reduce([in_wave[wave] for wave in asking])
    remarks = (
        named("not asked in every wave", items, ~common),
        named("waves that did not ask", waves, [wave not in asking for wave in waves]),
    )
    pooled = answers_of(
        scores[somewhere], asked=common, place=f"{scale.name}/{ALL}/{ALL}", remark=join(*remarks)
    )
    rows += [{"wave": ALL, "organisation": ALL, **row} for row in _rows(pooled)]

    # Later minus earlier, first minus second: as everywhere in the statistics.
    spans = [(later, earlier) for earlier, later in combinations(waves, 2)]
    for organisation, member in in_organisation.items():
        groups = {wave: scores[in_wave[wave] & member] for wave in waves}
        tests = equality(groups, items=items, asked=asked, min_n=min_n, confidence=confidence, pairs=spans)
        rows += [{"wave": between, "organisation": organisation, **row} for between, row in tests]
    pairs = list(paired(sample.organisations, sample.against))
    for wave in waves:
        groups = {name: scores[in_wave[wave] & member] for name, member in in_organisation.items()}
        asked_here = dict.fromkeys(groups, asked[wave])
        tests = equality(
            groups, items=items, asked=asked_here, min_n=min_n, confidence=confidence, pairs=pairs
        )
        rows += [{"wave": wave, "organisation": between, **row} for between, row in tests]
    return tidy({"analysis": RELIABILITY, "scale": scale.name, **row} for row in rows)


_SCALE_TERMS: Final[Mapping[str, Callable[[Answers], Row]]] = {
    "alpha": of_alpha.alpha,
    "mean_inter_item_r": of_alpha.mean_inter_item_r,
    "omega_total": omega_total,
    "ordinal_alpha": ordinal_alpha,
}
_SCORE_TERMS: Final[Mapping[str, Callable[[Answers], Row]]] = {"floor": floor, "ceiling": ceiling}
_ITEM_TERMS: Final[Mapping[str, Callable[[Answers], Array]]] = {
    "item_rest_r": of_alpha.item_rest_r,
    "alpha_if_dropped": of_alpha.alpha_if_dropped,
}


def _rows(answers: Answers) -> Iterator[Row]:
    """Every term of one wave and organisation."""
    yield from _scale_rows(answers, _SCALE_TERMS, answers.refusal)
    yield from _scale_rows(answers, _SCORE_TERMS, answers.unscored)
    for term, estimator in _ITEM_TERMS.items():
        found = {} if answers.refusal else dict(zip(answers.items, estimator(answers), strict=True))
        for item in answers.asked:
            row = _refused(answers, answers.refusal) or _item_row(answers, item, found.get(item))
            yield {"term": term, "item": item, "n": answers.n, **row}


def _scale_rows(
    answers: Answers, terms: Mapping[str, Callable[[Answers], Row]], refusal: tuple[Status, str] | None
) -> Iterator[Row]:
    for term, estimator in terms.items():
        row = _refused(answers, refusal)
        if row is None:
            row = estimator(answers)
            row = {**row, "note": join(row.get("note", ""), answers.note)}
        yield {"term": term, "n": answers.n, **row}


def _refused(answers: Answers, refusal: tuple[Status, str] | None) -> Row | None:
    return refusal and {"status": refusal[0], "note": join(refusal[1], answers.note)}


def _item_row(answers: Answers, item: str, estimate: float | None) -> Row:
    """Lay an estimate for an item out, or say why there is none."""
    if estimate is not None and np.isfinite(estimate):
        return {"estimate": float(estimate)}
    if item not in answers.items:
        reason = "everyone answered alike"
    elif answers.k < 3:
        reason = "one item is left" if len(answers.asked) < 3 else "one item is left of those that vary"
    else:
        reason = "the sum of the other items does not vary"
    return {"status": Status.NOT_ESTIMABLE, "note": reason}


AS_SCALE: Final = "scale"


def usage(found: pd.DataFrame, *, smallest_alpha: float = 0.60) -> pd.DataFrame:
    """Mark the scales whose reliability is lower than the study asks for.

    The rule: pooled alpha, that of all respondents of all waves on the items that every wave asked which asked any, to
    two decimals, is at least `smallest_alpha`; of two items as of ten. The estimate decides and not a limit of its
    interval: so the rule asks for a true alpha of `smallest_alpha`, which passes in one survey out of two, and neither
    gets stricter with each wave nor more lenient the fewer answered. A scale whose pooled alpha cannot be estimated is
    marked, and the reason says why.

    Parameters
    ----------
    found
        What `reliability` found, of any number of scales.
    smallest_alpha
        The true alpha asked for.

    Returns
    -------
    DataFrame
        One row a scale, in their order: `scale`, `use` (``scale`` or ``low_reliability``), `reason` in words.
    """
    if not 0 <= smallest_alpha < 1:
        raise ValueError(f"smallest_alpha {smallest_alpha} is not from 0 to 1")
    pooled = found[found["term"].eq("alpha") & found["wave"].eq(ALL) & found["organisation"].eq(ALL)]
    columns = (pooled[name] for name in ("scale", "estimate", "note"))
    rows = [
        (scale, *_judge(alpha, note, smallest_alpha)) for scale, alpha, note in zip(*columns, strict=True)
    ]
    return pd.DataFrame(rows, columns=["scale", "use", "reason"]).astype("str")


def _judge(alpha: float, note: str, smallest: float) -> tuple[str, str]:
    """Judge one scale by its pooled alpha."""
    if np.isnan(alpha):
        return LOW_RELIABILITY, f"alpha cannot be estimated: {note}"
    said = f"pooled alpha {alpha:.2f}"
    if round(alpha, 2) >= smallest:
        return AS_SCALE, f"{said} meets the required {smallest:.2f}"
    return LOW_RELIABILITY, f"{said} is below the required {smallest:.2f}"
