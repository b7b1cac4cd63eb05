"""Whether each scale measures one thing, another thing than its neighbour, and the same thing everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from surveywaves.invariance.factor import (
    STEPS,
    Fit,
    Moments,
    NoFit,
    Test,
    difference,
    indices,
    invariance,
    moments,
    one_factor,
    two_factors,
)
from surveywaves.reliability.answers import Array, Codes, Row, check, join, members, named, scored
from surveywaves.sample import Sample, Scale
from surveywaves.terms import ALL, FACTOR_CORRELATION, STRUCTURE, Status
from surveywaves.tidy import tidy

Mask = NDArray[np.bool_]

FEWEST: Final = 100
"""Fewest respondents of a fit: Flora & Curran (2004) found the scaled test and errors usable from 100, not below."""

GROUPS_AT_MOST: Final = 20
"""Groups whose invariance is examined: the cost grows with the cube of their number."""

CFI_FALLS: Final = 0.010
RMSEA_RISES: Final = 0.015
"""Changes between steps beyond which equality does not hold (Cheung & Rensvold 2002; Chen 2007)."""

SEPARATE: Final = ((1.0, "severe"), (0.9, "moderate"), (0.8, "marginal"))
"""Limit of the interval of a factor correlation -> the problem of discriminant validity (Ronkko & Cho 2022)."""

_FIT: Final = ("chisq", "cfi", "tli", "rmsea", "srmr")
_SATURATED: Final = "three statements fit one factor whatever was answered"


def structure(
    sample: Sample,
    scales: Sequence[Scale],
    *,
    only: range | None = None,
    confidence: float = 0.95,
    min_n: int = FEWEST,
) -> pd.DataFrame:
    """Fit one factor to each scale, two to each pair of neighbours, and one in several groups.

    Answers are ordered categories of normal variables; see `surveywaves.invariance.factor`. Only respondents who
    answered every statement of a fit count, scored so that more always means more of what the scale measures.
    Weights, teams and covariates play no part. A statement that everyone answered alike is left out.

    Parameters
    ----------
    sample
        Who answered. Respondents of other waves do not count; those of other organisations, or of none that they
        stated, do but where organisations are compared.
    scales
        What they answered, in the order of the instrument: each is a neighbour of the next.
    only
        Places of the scales that are fitted, if not all.
    confidence
        Confidence level of the intervals, estimate and normal quantile times standard error.
    min_n
        Fewest respondents of a fit, and of a group.

    Returns
    -------
    DataFrame
        Tidy (see `surveywaves.tidy`), `analysis` = ``structure``. With wave and organisation ``all``, of the waves
        that asked every statement of the scale (where none did, of those that asked three, and the statements that
        these have in common):

        ``chisq``, ``cfi``, ``tli``, ``rmsea``, ``srmr``
            Scaled and shifted chi-square of one factor, and fit indices (see `factor.indices`). Three statements fit
            always: there is no test.
        ``loading``
            Standardised loading of each statement.
        ``factor_correlation: <scale>``
            Correlation of the factors of the scale and of the next; the note says which problem of discriminant
            validity the far limit of its interval amounts to.

        Then between waves (wave ``all``, no organisation) and between organisations (organisation ``all``, no wave),
        for each of `factor.STEPS`: ``<step>_chisq``, ``<step>_cfi`` and ``<step>_rmsea``, and what they are to the
        step before: ``<step>_chisq_difference`` (Satorra 2000), ``<step>_cfi_change``, ``<step>_rmsea_change``, with a
        note where the last two are beyond `CFI_FALLS`, `RMSEA_RISES`. Waves are compared by the statements that all
        with three have in common. A response that some group never gave is merged, in all groups, with the nearest
        one that all gave. Groups of fewer than `min_n` are not compared.

        Where a fit or a step has no estimate, its ``chisq`` alone says why: `status` is ``too_few`` with fewer than
        `min_n` respondents, ``not_converged`` if a search did not end, and ``not_estimable`` if there are fewer than
        three statements, the model is not identified, a polychoric correlation goes to its end, or a factor would
        explain all of a statement (a Heywood case).

    Raises
    ------
    ValueError
        As `surveywaves.reliability.reliability`.
    """
    rows: list[Row] = []
    every = range(len(scales))
    chosen = every if only is None else only
    sheets: dict[int, _Sheet] = {}
    half = float(ndtri((1 + confidence) / 2))
    groupings = {"wave": (*sample.waves,), "organisation": (*sample.organisations,)}
    for at in chosen:
        sheets = {one: sheets.get(one) or _Sheet(sample, scales[one]) for one in every[at : at + 2]}
        sheet = sheets[at]
        check(sample, sheet.scale, confidence=confidence, min_n=min_n)
        place = {"scale": sheet.scale.name, "wave": ALL, "organisation": ALL}
        rows += [place | row for row in _alone(sheet, half, min_n)]
        if at + 1 in sheets:
            rows.append(place | _neighbour(sheet, sheets[at + 1], half, min_n))
        for by, names in groupings.items():
            if len(names) > 1:
                rows += [
                    {"scale": sheet.scale.name, by: ALL} | row for row in _between(sheet, by, names, min_n)
                ]
    return tidy({"analysis": STRUCTURE, **row} for row in rows)


class _Sheet:
    """The scored answers of a scale, from 0, -1 for none; who gave them, and which statements each wave asked."""

    def __init__(self, sample: Sample, scale: Scale) -> None:
        self.sample, self.scale = sample, scale
        scores = scored(sample.frame, scale) - scale.response_range[0]
        self.codes = np.where(np.isnan(scores), -1, scores).astype(np.int16)
        self.wave = {wave: members(sample.frame["wave"], wave) for wave in sample.waves}
        self.asked: Mask = np.zeros((len(self.wave), len(scale.items)), dtype=np.bool_)
        for at, own in enumerate(self.wave.values()):
            self.asked[at] = (self.codes[own] >= 0).any(axis=0)

    def chosen(self, *, every: bool) -> tuple[Mask, Mask, str]:
        """Choose rows and statements, and say what is left out: of the waves that asked every statement, if any did."""
        some = self.asked.any(axis=0)
        waves = np.asarray(self.asked[:, some].all(axis=1) & some.any())
        if not every or not waves.any():
            waves = np.asarray(self.asked.sum(axis=1) >= min(3, len(self.scale.items)))
        items = np.asarray(self.asked[waves].all(axis=0) & waves.any())
        rows = np.zeros(len(self.codes), dtype=np.bool_)
        for own, taken in zip(self.wave.values(), waves, strict=True):
            rows |= own & taken
        fewer = named(
            "without waves that asked fewer statements", list(self.wave), ~waves & self.asked.any(axis=1)
        )
        unasked = named("not asked in every wave", self.scale.items, ~items)
        return rows, items, join(fewer, unasked)


def _given(codes: Codes, rows: Mask) -> Codes:
    """Answers of those who gave all of them."""
    return codes[rows & (codes >= 0).all(axis=1)]


def _merged(groups: Sequence[Codes]) -> tuple[list[Codes], Mask, Mask]:
    """Renumber the answers that every group gave from 0, and join others to the nearest of them.

    Returns
    -------
    groups
        Without the statements that have one answer left.
    kept
        The other statements.
    joined
        Statements some of whose answers were joined to others.
    """
    points = max(int(codes.max()) for codes in groups) + 1
    given: Mask = np.array(
        [[np.bincount(column, minlength=points) > 0 for column in codes.T] for codes in groups]
    )
    common, some = np.asarray(given.all(axis=0)), np.asarray(given.any(axis=0))
    kept = common.sum(axis=1) > 1
    options = np.arange(points)
    place = (
        np.array([np.abs(options[:, None] - np.flatnonzero(own)).argmin(axis=1) for own in common[kept]])
        .reshape(-1, points)
        .astype(np.int16)
    )
    coded: list[Codes] = [place[np.arange(len(place)), codes[:, kept]] for codes in groups]
    return coded, kept, np.asarray((some & ~common).any(axis=1))


def _moments(groups: Sequence[Codes], items: Sequence[str]) -> tuple[list[Moments], tuple[str, ...], str]:
    coded, kept, joined = _merged(groups)
    names = tuple(item for item, has in zip(items, kept, strict=True) if has)
    note = join(
        named("left without a second answer", items, ~kept),
        named("responses merged that a group did not give", items, joined & kept),
    )
    if len(names) < 3:
        raise NoFit(Status.NOT_ESTIMABLE, join("fewer than three statements have answers that vary", note))
    return [moments(codes, names) for codes in coded], names, note


def _enough(n: int, min_n: int) -> None:
    if n < min_n:
        raise NoFit(Status.TOO_FEW, f"fewer than {min_n} respondents answered every statement")


def _three(items: Mask) -> None:
    if items.sum() < 3:
        raise NoFit(Status.NOT_ESTIMABLE, "a factor needs three statements that were asked together")


def _heywood(loadings: Array, names: Sequence[str]) -> None:
    if (np.abs(loadings) >= 1).any():
        explained = named("Heywood case, the factor would explain all of", names, np.abs(loadings) >= 1)
        raise NoFit(Status.NOT_ESTIMABLE, explained)


def _alone(sheet: _Sheet, half: float, min_n: int) -> Iterator[Row]:
    """Fit one factor to all together."""
    rows, items, remark = sheet.chosen(every=True)
    asked = [item for item, there in zip(sheet.scale.items, items, strict=True) if there]
    n: int | None = None
    try:
        _three(items)
        codes = _given(sheet.codes[:, items], rows)
        n = len(codes)
        _enough(n, min_n)
        (group,), names, note = _moments([codes], asked)
        fit = one_factor(group)
        _heywood(fit.parameters, names)
    except NoFit as none:
        yield {"term": _FIT[0], "status": none.status, "n": n, "note": join(none.note, remark)}
        return
    remark = join(note, remark)
    yield from (
        {"n": n, **row, "note": join(row.get("note", ""), remark)} for row in _fit_rows(fit, _FIT, "")
    )
    errors = np.sqrt(np.diag(fit.covariance))
    for item, loading, error in zip(names, fit.parameters, errors, strict=True):
        against = "runs against the factor, check its key" if loading < 0 else ""
        yield {"term": "loading", "item": item, "n": n, **_interval(loading, error, half)} | (
            {"note": join(against, remark)}
        )
    for item in sheet.scale.items:
        if item not in names:
            yield {"term": "loading", "item": item, "n": n, "status": Status.NOT_ESTIMABLE, "note": remark}


def _fit_rows(fit: Fit, terms: Sequence[str], prefix: str) -> Iterator[Row]:
    """Rows of the test and the fit indices of a model."""
    found = indices(fit)
    for term in terms:
        if not fit.test.df:
            yield {"term": prefix + term, "status": Status.NOT_ESTIMABLE, "note": _SATURATED}
        elif term == "chisq":
            yield {"term": prefix + term, **_tested(fit.test)}
        elif np.isfinite(value := getattr(found, term)):
            yield {"term": prefix + term, "estimate": value}
        else:
            note = "the statements are not correlated"
            yield {"term": prefix + term, "status": Status.NOT_ESTIMABLE, "note": note}


def _tested(test: Test) -> Row:
    return {"estimate": test.statistic, "df": test.df, "p_value": test.p_value}


def _interval(estimate: float, error: float, half: float) -> Row:
    return {
        "estimate": estimate,
        "std_error": error,
        "conf_low": estimate - half * error,
        "conf_high": estimate + half * error,
    }


def _neighbour(sheet: _Sheet, other: _Sheet, half: float, min_n: int) -> Row:
    """Correlate the factor of a scale with that of the next."""
    row: Row = {"term": FACTOR_CORRELATION + other.scale.name}
    (rows, items, remark), (rows_, items_, remark_) = sheet.chosen(every=True), other.chosen(every=True)
    try:
        if min(items.sum(), items_.sum()) < 2:
            raise NoFit(Status.NOT_ESTIMABLE, "a factor beside another takes two statements")
        codes = _given(np.hstack([sheet.codes[:, items], other.codes[:, items_]]), rows & rows_)
        row["n"] = len(codes)
        _enough(len(codes), min_n)
        asked = [item for item, there in zip(sheet.scale.items, items, strict=True) if there]
        asked_ = [item for item, there in zip(other.scale.items, items_, strict=True) if there]
        (group,), names, note = _moments([codes], [*asked, *asked_])
        first = sum(name in asked for name in names)
        if min(first, len(names) - first) < 2:
            raise NoFit(Status.NOT_ESTIMABLE, join("a factor beside another takes two statements", note))
        fit = two_factors(group, first)
        _heywood(fit.parameters[:-1], names)
        phi, error = float(fit.parameters[-1]), float(np.sqrt(fit.covariance[-1, -1]))
        if abs(phi) >= 1:
            raise NoFit(
                Status.NOT_ESTIMABLE, "the correlation would be 1 or more: one factor does for both scales"
            )
    except NoFit as none:
        return row | {"status": none.status, "note": join(none.note, remark, remark_)}
    found = _interval(phi, error, half)
    far = max(-found["conf_low"], found["conf_high"])
    problem = next((f"{word} problem of discriminant validity" for cut, word in SEPARATE if far >= cut), "")
    return row | found | {"note": join(problem, note, remark, remark_)}


def _between(sheet: _Sheet, by: str, names: Sequence[str], min_n: int) -> Iterator[Row]:
    """Fit one factor in several groups, with ever more of it equal."""
    rows, items, remark = sheet.chosen(every=by == "organisation")
    n: int | None = None
    try:
        _three(items)
        column = sheet.sample.frame[by]
        groups = {name: _given(sheet.codes[:, items], rows & members(column, name)) for name in names}
        large = {name: codes for name, codes in groups.items() if len(codes) >= min_n}
        n = sum(map(len, large.values()))
        few = [0 < len(codes) < min_n for codes in groups.values()]
        if len(large) < 2:
            raise NoFit(Status.TOO_FEW, f"fewer than {min_n} respondents: all groups but one, or all")
        remark = join(named(f"not compared, fewer than {min_n} respondents", names, few), remark)
        if len(large) > GROUPS_AT_MOST:
            raise NoFit(Status.NOT_ESTIMABLE, f"more than {GROUPS_AT_MOST} groups")
        asked = [item for item, there in zip(sheet.scale.items, items, strict=True) if there]
        found, kept, note = _moments(list(large.values()), asked)
        remark = join(note, remark)
        alone = [one_factor(group) for group in found]
        for fit in alone:
            _heywood(fit.parameters, kept)
    except NoFit as none:
        note = join(none.note, remark)
        yield {"term": f"{STEPS[0]}_{_FIT[0]}", "status": none.status, "n": n, "note": note}
        return
    last: tuple[str, Fit] | None = None
    for step in STEPS:
        try:
            fit = invariance(found, step, alone)
            step_rows = [*_fit_rows(fit, ("chisq", "cfi", "rmsea"), f"{step}_"), *_changes(step, fit, last)]
            last = step, fit
        except NoFit as none:
            step_rows = [{"term": f"{step}_chisq", "status": none.status, "note": none.note}]
        yield from ({"n": n, **row, "note": join(row.get("note", ""), remark)} for row in step_rows)


def _changes(step: str, fit: Fit, last: tuple[str, Fit] | None) -> Iterator[Row]:
    """Compare a step with the last one before it that could be fitted."""
    if last is None:
        return
    name, before = last
    said = "" if STEPS.index(step) - STEPS.index(name) == 1 else f"to the {name} model"
    if fit.df == before.df:
        note = join("restricts nothing with so few responses", said)
        yield {"term": f"{step}_chisq_difference", "status": Status.NOT_ESTIMABLE, "note": note}
        return
    yield {"term": f"{step}_chisq_difference", **_tested(difference(before, fit)), "note": said}
    now, then = indices(fit), indices(before)
    falls = f"falls by more than {CFI_FALLS:.3f}" if then.cfi - now.cfi > CFI_FALLS else ""
    rises = f"rises by more than {RMSEA_RISES:.3f}" if now.rmsea - then.rmsea > RMSEA_RISES else ""
    yield {"term": f"{step}_cfi_change", "estimate": now.cfi - then.cfi, "note": join(falls, said)}
    yield {"term": f"{step}_rmsea_change", "estimate": now.rmsea - then.rmsea, "note": join(rises, said)}
