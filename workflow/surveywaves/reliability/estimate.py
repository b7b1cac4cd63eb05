"""Every statistic of a scale in every wave and organisation, the tests between them, and which scales are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.reliability import alpha as of_alpha
from surveywaves.reliability.alpha import alpha_bootstrap, equality
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
from surveywaves.sample import Sample, Scale
from surveywaves.terms import ALL, BETWEEN, LOW_RELIABILITY, RELIABILITY, Status
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
        Bootstrap replicates; 0 leaves the bootstrap out.
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
            Cronbach's alpha, k / (k - 1) (1 - sum c_ii / V), with the interval of Feldt, Woodruff & Salih (1987):
            (1 - population alpha) / (1 - alpha) follows F(n - 1, (n - 1)(k - 1)).
        ``alpha_bootstrap``
            The same alpha, with bootstrap standard error and BCa interval (see `alpha.alpha_bootstrap`).
        ``mean_inter_item_r``
            Mean of the k (k - 1) / 2 correlations between items.
        ``spearman_brown``
            For two items, 2 r / (1 + r); Eisinga, te Grotenhuis & Pelzer (2013) prefer it to alpha there. Its
            interval is that of r by Fisher's z, stepped up.
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
        the same (see `alpha.equality`): for each pair ``alpha_difference`` and ``feldt_w``, for all of them
        ``hakstian_whalen``.

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
    Cronbach LJ (1951). Psychometrika 16:297-334. Feldt LS, Woodruff DJ, Salih FA (1987). Statistical inference for
    coefficient alpha. Applied Psychological Measurement 11:93-103. Eisinga R, te Grotenhuis M, Pelzer B (2013).
    International Journal of Public Health 58:637-642. Zumbo BD, Gadermann AM, Zeisser C (2007). Ordinal versions of
    coefficients alpha and theta for Likert rating scales. Journal of Modern Applied Statistical Methods 6:21-29.
    McDonald RP (1999). Test theory. Efron B (1987). Better bootstrap confidence intervals. Journal of the American
    Statistical Association 82:171-185.

    Examples
    --------
    In R: ``psych::alpha(na.omit(scored))`` gives ``raw_alpha``, ``average_r``, ``feldt``, ``r.drop``, and ``raw_alpha``
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
    for organisation, member in in_organisation.items():
        groups = {wave: scores[in_wave[wave] & member] for wave in waves}
        tests = equality(groups, items=items, asked=asked, min_n=min_n, later_first=True)
        rows += [{"wave": between, "organisation": organisation, **row} for between, row in tests]
    for wave in waves:
        groups = {name: scores[in_wave[wave] & member] for name, member in in_organisation.items()}
        asked_here = dict.fromkeys(groups, asked[wave])
        tests = equality(groups, items=items, asked=asked_here, min_n=min_n, later_first=False)
        rows += [{"wave": wave, "organisation": between, **row} for between, row in tests]
    return tidy({"analysis": RELIABILITY, "scale": scale.name, **row} for row in rows)


_SCALE_TERMS: Final[Mapping[str, Callable[[Answers], Row]]] = {
    "alpha": of_alpha.alpha,
    "alpha_bootstrap": alpha_bootstrap,
    "mean_inter_item_r": of_alpha.mean_inter_item_r,
    "spearman_brown": of_alpha.spearman_brown,
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
    wanted = {
        term: estimator
        for term, estimator in _SCALE_TERMS.items()
        if (term != "spearman_brown" or len(answers.asked) == 2)
        and (term != "alpha_bootstrap" or answers.options.replicates)
    }
    yield from _scale_rows(answers, wanted, answers.refusal)
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
        reason = "one item is left"
    else:
        reason = "the sum of the other items does not vary"
    return {"status": Status.NOT_ESTIMABLE, "note": reason}


AS_SCALE: Final = "scale"


def usage(found: pd.DataFrame, *, at_least: float = 0.60, min_n: int = 30) -> pd.DataFrame:
    """Say which scales enter comparisons as scales.

    The rule: a scale is compared as a scale if in every wave of every organisation the lower bound of the interval of
    its alpha is `at_least`; a scale of two items, for which that asks too much, if the lower bound of its
    Spearman-Brown coefficient is above zero, that is, if its two items surely go together. A cell of fewer than
    `min_n` respondents, whose bound says more of their number than of the scale, does not decide, and
    neither does one that could not be estimated for want of respondents or items. A cell whose total score does not
    vary decides against the scale, and a scale without any cell that decides is compared item by item.

    Parameters
    ----------
    found
        What `reliability` found, of any number of scales. Where it has no organisations, those of ``all`` decide.
    at_least
        Smallest lower bound of alpha.
    min_n
        Fewest respondents of a cell that decides.

    Returns
    -------
    DataFrame
        One row a scale, in their order: `scale`, `use` (``scale`` or ``low_reliability``), `reason` in words.
    """
    if not 0 <= at_least < 1:
        raise ValueError(f"at_least {at_least} is not from 0 to 1")
    cells = found[
        found["term"].isin(["alpha", "spearman_brown"])
        & found["item"].eq("")
        & found["wave"].ne(ALL)
        & ~found["wave"].str.contains(BETWEEN, regex=False)
        & ~found["organisation"].str.contains(BETWEEN, regex=False)
    ]
    rows = [
        (scale, *_judge(of_scale, at_least, min_n)) for scale, of_scale in cells.groupby("scale", sort=False)
    ]
    return pd.DataFrame(rows, columns=["scale", "use", "reason"]).astype("str")


def _judge(cells: pd.DataFrame, at_least: float, min_n: int) -> tuple[str, str]:
    """Judge one scale by its cells."""
    named = cells[cells["organisation"] != ALL]
    cells = (named if len(named) else cells).assign(
        place=lambda of: of["wave"] + ", " + of["organisation"], lowest=lambda of: of["conf_low"]
    )
    # Of a cell with two items, the Spearman-Brown coefficient speaks; of others, alpha.
    pairs = set(cells.loc[cells["term"] == "spearman_brown", "place"])
    cells = cells[(cells["term"] == "spearman_brown") | ~cells["place"].isin(pairs)]
    flat = cells[cells["note"].str.startswith(("the total score does not vary", "fewer than two items vary"))]
    if len(flat):
        return LOW_RELIABILITY, f"answers do not vary in {'; '.join(flat['place'])}"
    deciding = cells[(cells["status"] == Status.OK) & (cells["n"] >= min_n) & cells["conf_low"].notna()]
    if deciding.empty:
        return (
            LOW_RELIABILITY,
            f"no wave and organisation has {min_n} respondents whose answers can be estimated from",
        )
    two = deciding["term"].eq("spearman_brown")
    against = deciding[deciding["conf_low"].lt(at_least) & ~two | deciding["conf_low"].le(0) & two]
    if len(against):
        worst = against.sort_values("conf_low", kind="stable").iloc[0]
        what = (
            "its two items may not go together"
            if worst["term"] == "spearman_brown"
            else "alpha may be too low"
        )
        return LOW_RELIABILITY, (
            f"{what} in {len(against)} of {len(deciding)} cells: "
            f"lower bound {worst['conf_low']:.2f} in {worst['place']}"
        )
    least = deciding["conf_low"].min()
    if two.all():
        return (
            AS_SCALE,
            f"its two items go together in all {len(deciding)} cells: lower bound at least {least:.2f}",
        )
    return (
        AS_SCALE,
        f"lower bound of alpha at least {at_least:.2f} in all {len(deciding)} cells: lowest {least:.2f}",
    )
