"""One item, two groups or more: nested models of its answers, what each adds, and why they may not be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtrc, ndtri

from surveywaves.invariance.classes import size_class
from surveywaves.invariance.proportional_odds import Fit, failed, fit, intercepts
from surveywaves.reliability.answers import Array, Row, join
from surveywaves.tidy import Status

KINDS: Final[Mapping[str, tuple[int, int]]] = {"uniform": (0, 1), "nonuniform": (1, 2), "total": (0, 2)}
"""Kind of difference -> which two of the three models it lies between."""

LOG_ODDS: Final = "uniform_log_odds"


@dataclass(frozen=True)
class Counted:
    """Answers counted.

    Attributes
    ----------
    counts
        Matching score x group x stratum x answer.
    score
        The matching scores.
    """

    counts: Array
    score: Array


@dataclass(frozen=True)
class _Nested:
    """The three models of n answers, and the log-likelihood of thresholds alone.

    `groups` is the number of groups beyond the first.
    """

    n: int
    groups: int
    null: float
    models: tuple[Fit, Fit, Fit]

    def failure(self, kind: str) -> Fit | None:
        """Give the model that keeps a kind from being estimated, if any does."""
        smaller, larger = KINDS[kind]
        of_kind = (self.models[smaller], self.models[larger])
        return next((model for model in of_kind if model.status != Status.OK), None)

    def ratio(self, kind: str) -> float:
        """Likelihood-ratio chi-square."""
        smaller, larger = (self.models[number].log_likelihood for number in KINDS[kind])
        return max(0.0, 2 * (larger - smaller))

    def nagelkerke(self, kind: str) -> float:
        """Change of Nagelkerke's R2."""
        smaller, larger = (self.models[number].log_likelihood for number in KINDS[kind])
        gained = np.exp(2 * (self.null - smaller) / self.n) - np.exp(2 * (self.null - larger) / self.n)
        return max(0.0, float(gained / -np.expm1(2 * self.null / self.n)))

    def mcfadden(self, kind: str) -> float:
        """Change of McFadden's R2."""
        return self.ratio(kind) / (-2 * self.null)


def refused(status: Status, note: str, *, pair: bool, n: int) -> Iterator[Row]:
    """Lay out every term without an estimate."""
    nothing = {"status": status, "note": note, "n": n}
    for kind in KINDS:
        yield {"term": f"{kind}_lr", **nothing}
        if pair and kind == "uniform":
            yield {"term": LOG_ODDS, **nothing}
        yield {"term": f"{kind}_r2_change", **nothing}
        yield {"term": f"{kind}_mcfadden_change", **nothing}


def compare(
    by_total: Counted, by_rest: Counted, *, names: tuple[str, ...], pair: bool, confidence: float, min_n: int
) -> Iterator[Row]:
    """Fit the nested models of `surveywaves.invariance.dif` and lay out what each adds.

    Parameters
    ----------
    by_total, by_rest
        The same answers, by the score with and without the item.
    names
        Of the groups.
    pair
        Whether two groups are compared by name: then both must do, and the difference is estimated; else
        groups with too few are left out.
    confidence
        Confidence level of the interval.
    min_n
        Fewest respondents of a group.
    """
    sizes = by_total.counts.sum(axis=(0, 2, 3))
    n = int(sizes.sum())
    empty = [name for name, size in zip(names, sizes, strict=True) if size == 0]
    few = [name for name, size in zip(names, sizes, strict=True) if 0 < size < min_n]
    kept = np.flatnonzero(sizes >= min_n)
    if pair and empty:
        yield from refused(Status.NOT_ESTIMABLE, f"nobody answered: {', '.join(empty)}", pair=pair, n=n)
        return
    if len(kept) < 2 or (pair and few):
        which = ", ".join(few + empty) if pair else "all groups but one, or all"
        note = f"fewer than {min_n} respondents: {which}"
        yield from refused(Status.TOO_FEW, note, pair=pair, n=n)
        return
    left_out = f"not compared, fewer than {min_n} respondents: {', '.join(few + empty)}"
    remark = left_out if len(kept) < len(sizes) else ""
    tested = _nested(Counted(by_total.counts[:, kept], by_total.score))
    sized = _nested(Counted(by_rest.counts[:, kept], by_rest.score))
    for kind in KINDS:
        yield {"term": f"{kind}_lr", **_test(tested, kind, remark)}
        if pair and kind == "uniform":
            yield {"term": LOG_ODDS, **_log_odds(tested, confidence, remark)}
        for term, row in _size(sized, kind, remark).items():
            yield {"term": f"{kind}_{term}", **row}


def _test(tested: _Nested, kind: str, remark: str) -> Row:
    if why := tested.failure(kind):
        return {"status": why.status, "n": tested.n, "note": join(why.note, remark)}
    ratio, df = tested.ratio(kind), tested.groups * (KINDS[kind][1] - KINDS[kind][0])
    return {"estimate": ratio, "df": df, "p_value": float(chdtrc(df, ratio)), "n": tested.n, "note": remark}


def _log_odds(tested: _Nested, confidence: float, remark: str) -> Row:
    model = tested.models[1]
    if model.status != Status.OK:
        return {"status": model.status, "n": tested.n, "note": join(model.note, remark)}
    slope, error = float(model.slopes[-1]), float(np.sqrt(model.covariance[-1, -1]))
    half = float(ndtri((1 + confidence) / 2)) * error
    return {
        "estimate": slope,
        "std_error": error,
        "conf_low": slope - half,
        "conf_high": slope + half,
        "n": tested.n,
        "note": remark,
    }


def _size(sized: _Nested, kind: str, remark: str) -> dict[str, Row]:
    if why := sized.failure(kind):
        row = {"status": why.status, "n": sized.n, "note": join(why.note, remark)}
        return {"r2_change": row, "mcfadden_change": row}
    change = sized.nagelkerke(kind)
    classes = (
        f"{size_class(change, 'jodoin_gierl')} (Jodoin & Gierl)",
        f"{size_class(change, 'zumbo')} (Zumbo)",
    )
    return {
        "r2_change": {"estimate": change, "n": sized.n, "note": join(", ".join(classes), remark)},
        "mcfadden_change": {"estimate": sized.mcfadden(kind), "n": sized.n, "note": remark},
    }


def _nested(counted: Counted) -> _Nested:
    """Fit the three models, each from the one before; where one cannot be had, neither can those after it."""
    answers = counted.counts.sum(axis=(0, 1, 2)) > 0
    score, group, stratum = np.nonzero(counted.counts.sum(axis=3))
    counts = counted.counts[score, group, stratum][:, answers]
    null = intercepts(counts)
    level = _standardised(counted.score[score], counts.sum(axis=1))
    # The last group and the last stratum are those that the others are compared with.
    strata = (stratum[:, None] == np.unique(stratum)[:-1]).astype(np.float64)
    groups = (group[:, None] == np.arange(counted.counts.shape[1] - 1)).astype(np.float64)
    parts = (np.column_stack([level, strata]), groups, groups * level[:, None])
    why = (
        "the score does not vary" if np.ptp(level) == 0 else "the other grouping tells the scores apart",
        "the groups cannot be told from the other grouping",
        "a group has too few different scores",
    )
    found: list[Fit] = []
    before = null if counts.shape[1] > 1 else failed(Status.NOT_ESTIMABLE, "everyone answered alike")
    for number, hindrance in enumerate(why):
        design = np.hstack(parts[: number + 1])
        if before.status == Status.OK and not _full_rank(design):
            before = failed(Status.NOT_ESTIMABLE, hindrance)
        elif before.status == Status.OK:
            before = fit(counts, design, before)
        found.append(before)
    return _Nested(int(counts.sum()), groups.shape[1], null.log_likelihood, (found[0], found[1], found[2]))


def _standardised(score: Array, weights: Array) -> Array:
    """Bring scores to mean 0 and standard deviation 1; all 0 if they do not vary."""
    centred = score - np.average(score, weights=weights)
    spread = np.sqrt(np.average(centred**2, weights=weights))
    return np.asarray(centred / spread if spread > 1e-9 else np.zeros_like(centred), dtype=np.float64)


def _full_rank(design: Array) -> bool:
    """Whether no predictor follows from the others and a constant."""
    centred = design - design.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T @ centred)
    return bool(values[0] > 1e-9 * max(values[-1], 1.0))
