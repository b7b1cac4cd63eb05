"""Cronbach's alpha: its parts, its interval, and tests that it is the same in several groups.

Alpha is pingouin's. Its interval is not: pingouin's is Feldt's (1987), which is right for normal answers and covers 85%
of the time where most answers are at the top of the scale. Here nothing is asked of how answers are distributed: the
standard error is that of alpha's influence function (asymptotically distribution-free, ADF), and the interval
bootstraps the studentised estimate. Nor is alpha without an item pingouin's: it takes sums that all items share.

With centred scores x_ij of respondent i, totals t_i = sum_j x_ij, q_i = sum_j x_ij^2, and S and V the means of q_i and
t_i^2,

    1 - alpha = (k S / V - 1) / (k - 1)

and respondent i moves log(1 - alpha) by d_i / n with d_i = k (q_i - S t_i^2 / V) / (k S - V), whose mean is 0. So the
standard error of log(1 - alpha) is sqrt(sum d_i^2 / (n (n - 1))), and that of alpha 1 - alpha times this
(Maydeu-Olivares, Coffman & Hartmann 2007).

References
----------
Bonett DG (2002). Sample size requirements for testing and estimating coefficient alpha. Journal of Educational and
Behavioral Statistics 27:335-340 (log(1 - alpha)). Davison AC, Hinkley DV (1997). Bootstrap methods and their
application, section 5.2.1 (studentised bootstrap). Maydeu-Olivares A, Coffman DL, Hartmann WM (2007). Asymptotically
distribution-free (ADF) interval estimation of coefficient alpha. Psychological Methods 12:157-176; and, Coffman DL,
Garcia-Forero C, Gallardo-Pujol D (2010). Hypothesis testing for coefficient alpha: an SEM approach. Behavior Research
Methods 42:618-625 (equality of several). Welch BL (1951). On the comparison of several mean values: an alternative
approach. Biometrika 38:330-336. Zou GY (2007). Toward using confidence intervals to compare correlations.
Psychological Methods 12:399-413.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtrc, ndtri, stdtr, stdtrit

from surveywaves.reliability.answers import Answers, Array, Row, alike, join, named, patterns, whole
from surveywaves.terms import ALL, BETWEEN, Status

FLAT: Row = {"status": Status.NOT_ESTIMABLE, "note": "the total score does not vary"}
BACKWARD = "negative: items run against each other, check their keys"

BOOTSTRAPPED_AT_MOST: Final = 2_000
"""Respondents; of more, the interval takes the normal quantiles that the bootstrap's tend to."""

LOST_AT_MOST: Final = 0.01
"""Share of replicates that may lack alpha or its standard error."""

ALIKE: Final = 1e-12
"""What rounding leaves of a difference that is none."""

_CELLS_AT_ONCE: Final = 50_000  # of float64: more no longer lie in the cache, and take twice as long


def alpha(answers: Answers) -> Row:
    """Cronbach's alpha with its ADF standard error and its bootstrap-t interval.

    T = (log(1 - alpha*) - log(1 - alpha)) / se* of replicates of the respondents stands for the distribution of the
    studentised estimate: the limits of log(1 - alpha) are this less the upper, and less the lower, quantile of T times
    se. A replicate needs how often it drew each answer pattern, and then only sums: all of them are one product of the
    replicates x patterns counts with the patterns. With more than `BOOTSTRAPPED_AT_MOST` respondents T is taken as
    normal.
    """
    if np.ptp(answers.total) == 0:
        return FLAT
    found = cronbach(answers.scores)
    row: Row = {"estimate": found}
    backward = BACKWARD if found < 0 else ""
    if 1 - found < ALIKE:
        return row | {"note": "alpha is 1: it has no standard error"}
    given, counts = distinct(answers.scores, answers.options.response_range)
    [centre], [error] = (values.tolist() for values in log_rest(given, counts[None]))
    if not error > 0:
        return row | {"note": join(backward, "no respondent moves it: it has no standard error")}
    row["std_error"] = (1 - found) * error
    tails = np.array([(1 - answers.options.confidence) / 2, (1 + answers.options.confidence) / 2])
    if not answers.options.replicates or answers.n > BOOTSTRAPPED_AT_MOST:
        lower, upper = ndtri(tails)
    else:
        studentised = _studentised(
            given, counts, centre, answers.generator("alpha"), answers.options.replicates
        )
        kept = studentised[np.isfinite(studentised)]
        lost = len(studentised) - len(kept)
        if lost > LOST_AT_MOST * len(studentised):
            said = f"no interval: in {lost} of {len(studentised)} replicates alpha or its error cannot be computed"
            return row | {"note": join(backward, said)}
        lower, upper = np.quantile(kept, tails)
        if not lower < 0 < upper:
            return row | {"note": join(backward, "no interval: the replicates lie on one side of alpha")}
    row["conf_low"], row["conf_high"] = (
        float(1 - np.exp(centre - error * quantile)) for quantile in (lower, upper)
    )
    return row | {"note": backward}


def cronbach(scores: Array) -> float:
    """Cronbach's alpha of respondents x items, two or more, nothing missing."""
    from pingouin import cronbach_alpha  # noqa: PLC0415  a second, which only what computes alpha waits for

    return float(cronbach_alpha(pd.DataFrame(scores))[0])


def distinct(scores: Array, response_range: tuple[int, int]) -> tuple[Array, NDArray[np.int64]]:
    """Find the answer patterns, centred, (P, k), and how many respondents gave each, (P,)."""
    low, high = response_range
    first, counts = patterns((scores - low).astype(np.intp), high - low + 1)
    return scores[first] - scores.mean(axis=0), counts


def log_rest(given: Array, counts: NDArray[np.int64]) -> tuple[Array, Array]:
    """log(1 - alpha) and its ADF standard error.

    Parameters
    ----------
    given
        (P, k) scores of each answer pattern, near to centred.
    counts
        (R, P) respondents with each pattern; the same number in every row.

    Returns
    -------
    tuple of (R,)
        NaN where the total score does not vary or alpha is 1.
    """
    weights = counts.astype(np.float64)
    n, k = float(weights[0].sum()), given.shape[1]
    squares, totals = (given**2).sum(axis=1), given.sum(axis=1)
    # d_i takes each replicate's own means: as these are linear in what is summed here, no score is centred again
    terms = np.column_stack([given, squares, totals**2, np.ones_like(totals)])
    sums = weights @ terms / n
    means = sums[:, :k]
    s = sums[:, k] - (means**2).sum(axis=1)
    v = sums[:, k + 1] - means.sum(axis=1) ** 2
    apart = k * s - v  # the variances of the differences of two items, added up
    usable = (v > 1e-9 * np.maximum(s, 1e-300)) & (apart > ALIKE * v)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (s / v)[:, None]
        total = means.sum(axis=1, keepdims=True)
        rest = (means**2).sum(axis=1, keepdims=True) - ratio * total**2
        moved = np.hstack([2 * (ratio * total - means), np.ones_like(ratio), -ratio, rest]) @ terms.T
        error = k / apart * np.sqrt(np.einsum("rp,rp,rp->r", weights, moved, moved) / (n * (n - 1)))
        logs = np.log(apart / v / (k - 1))
    return np.where(usable, logs, np.nan), np.where(usable, error, np.nan)


def _studentised(
    given: Array, counts: NDArray[np.int64], centre: float, random: np.random.Generator, replicates: int
) -> Array:
    """log(1 - alpha) of replicates less that of the respondents, in each one's own standard errors."""
    pattern, size = np.repeat(np.arange(len(counts)), counts), len(counts)
    at_once = max(1, _CELLS_AT_ONCE // len(pattern))
    found = []
    for start in range(0, replicates, at_once):
        rows = min(at_once, replicates - start)
        drawn = pattern[random.integers(0, len(pattern), size=(rows, len(pattern)), dtype=np.uint32)]
        drawn += size * np.arange(rows)[:, None]
        logs, errors = log_rest(given, np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size))
        # Replicates whose respondents all move alpha alike have no spread to be measured by.
        found.append((logs - centre) / np.where(errors > ALIKE, errors, np.nan))
    return np.concatenate(found)


def mean_inter_item_r(answers: Answers) -> Row:
    """Mean correlation between two items."""
    return {"estimate": float(answers.correlation[np.triu_indices(answers.k, 1)].mean())}


def item_rest_r(answers: Answers) -> Array:
    """Correlation of each item with the sum of the others."""
    own = np.diag(answers.covariance)
    with_rest = answers.covariance.sum(axis=1) - own
    return np.asarray(with_rest / np.sqrt(own * _rest_variance(answers)), dtype=np.float64)


def alpha_if_dropped(answers: Answers) -> Array:
    """Alpha of the other items, for each item."""
    if answers.k < 3:
        return np.full(answers.k, np.nan)
    own = np.diag(answers.covariance)
    return np.asarray(alpha_of(own.sum() - own, _rest_variance(answers), answers.k - 1), dtype=np.float64)


def alpha_of(item_variances: Any, total_variance: Any, k: int) -> Any:
    """Cronbach's alpha from the sum of the k item variances and the variance of the total."""
    return k / (k - 1) * (1 - item_variances / total_variance)


def _rest_variance(answers: Answers) -> Array:
    """Variance of the sum of the other items, for each item; missing where that sum does not vary."""
    rest = answers.total[:, None] - answers.scores
    variance = answers.covariance.sum() - 2 * answers.covariance.sum(axis=1) + np.diag(answers.covariance)
    return np.where(np.ptp(rest, axis=0) > 0, variance, np.nan)


@dataclass(frozen=True, slots=True)
class _Group:
    """Alpha of one group on the items compared.

    Attributes
    ----------
    alpha, log, error
        Alpha; log(1 - alpha) and its ADF standard error.
    df
        Degrees of freedom of that error's square, 2 n / (kurtosis of the d_i - 1): few where some respondents decide.
    n
        Respondents.
    """

    alpha: float
    log: float
    error: float
    df: float
    n: int


Found = tuple[dict[str, _Group], tuple[Status, str] | None, str]
"""The groups, why they cannot be compared, and which items were left out."""


class _Compared:
    """Groups and their alphas, each worked out once for the items that it is compared on."""

    def __init__(
        self,
        groups: Mapping[str, Array],
        *,
        items: Sequence[str],
        asked: Mapping[str, NDArray[np.bool_]],
        min_n: int,
    ) -> None:
        self._groups, self._items, self._asked, self._min_n = groups, items, asked, min_n
        self._complete: dict[tuple[str, bytes], tuple[Array, NDArray[np.bool_]]] = {}
        self._known: dict[tuple[str, bytes, bytes], _Group | str] = {}

    def of(self, names: Sequence[str]) -> Found:
        """Alpha of each of some groups on common items; or why not; and which items were left out."""
        common = np.logical_and.reduce([self._asked[name] for name in names])
        complete = {name: self._answered(name, common) for name in names}
        constant = np.logical_or.reduce([same for _, same in complete.values()])
        kept = [item for item, is_common in zip(self._items, common, strict=True) if is_common]
        note = join(
            named("items not compared, not asked everywhere", self._items, ~common),
            named("items not compared, answered alike", kept, constant),
        )

        def refused(status: Status, reason: str) -> Found:
            return {}, (status, reason), note

        if empty := [name for name in names if not len(self._groups[name])]:
            return refused(Status.NOT_ESTIMABLE, f"nobody answered: {', '.join(empty)}")
        if common.sum() < 2:
            return refused(Status.NOT_ESTIMABLE, "fewer than two items were asked everywhere")
        if few := [name for name, (scores, _) in complete.items() if len(scores) < self._min_n]:
            reason = f"fewer than {self._min_n} respondents answered every item: {', '.join(few)}"
            return refused(Status.TOO_FEW, reason)
        if (~constant).sum() < 2:
            return refused(Status.NOT_ESTIMABLE, "fewer than two items vary everywhere")
        found = {}
        for name, (scores, _) in complete.items():
            key = (name, common.tobytes(), constant.tobytes())
            if key not in self._known:
                self._known[key] = _group(scores[:, ~constant])
            group = self._known[key]
            if isinstance(group, str):
                return refused(Status.NOT_ESTIMABLE, f"{group}: {name}")
            found[name] = group
        return found, None, note

    def count(self, names: Sequence[str]) -> int:
        """Count the respondents of some groups who answered all the items that these were asked."""
        common = np.logical_and.reduce([self._asked[name] for name in names])
        return sum(len(self._answered(name, common)[0]) for name in names)

    def _answered(self, name: str, common: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
        key = name, common.tobytes()
        if key not in self._complete:
            complete = whole(self._groups[name][:, common])
            self._complete[key] = complete, alike(complete)
        return self._complete[key]


def _group(scores: Array) -> _Group | str:
    """Alpha of a group with its error, or why there is none."""
    if np.ptp(scores.sum(axis=1)) == 0:
        return "the total score does not vary"
    centred = scores - scores.mean(axis=0)
    [log], [error] = (values.tolist() for values in log_rest(centred, np.ones((1, len(scores)), np.int64)))
    if math.isnan(log):
        return "alpha is 1"
    found = -math.expm1(log)
    if not error > ALIKE:
        return "no respondent moves alpha"
    own, total = (centred**2).sum(axis=1), centred.sum(axis=1) ** 2
    moved = (own - own.mean() / total.mean() * total) ** 2
    excess = float((moved**2).mean() / moved.mean() ** 2) - 1
    return _Group(found, log, error, 2 * len(scores) / max(excess, ALIKE), len(scores))


def equality(
    groups: Mapping[str, Array],
    *,
    items: Sequence[str],
    asked: Mapping[str, NDArray[np.bool_]],
    min_n: int,
    confidence: float,
    pairs: Iterable[tuple[str, str]],
) -> Iterator[tuple[str, Row]]:
    """Test that alpha is the same in independent groups, by Wald tests of log(1 - alpha) with ADF standard errors.

    Groups are compared on the items that all of them were asked and that vary in each, and on the respondents who
    answered all of these; so alpha here can differ from that of a group by itself, and the note names the items.

    At the ceiling a few respondents decide on an ADF standard error. How few is in its degrees of freedom,
    2 n / (kurtosis - 1) of what respondents move alpha by; tests are Welch's (1951), with these in the place of n - 1.

    Parameters
    ----------
    groups
        Group -> scores, respondents x items, NaN where not answered.
    items
        The items.
    asked
        Group -> which items it was asked.
    min_n
        Fewest respondents to estimate from.
    confidence
        Level of the intervals.
    pairs
        The pairs of groups that are compared, of each the one first that is compared with the other.

    Yields
    ------
    between
        The groups compared: ``first - second`` of each pair, or ``all``.
    row
        The terms, for each pair:

        ``alpha_difference``
            Alpha of the first less that of the second, its standard error, and the p-value of
            t = (g1 - g2) / sqrt(se1^2 + se2^2), g being log(1 - alpha), with Welch's degrees of freedom. The interval
            puts the limits of both alphas, at that t's quantile, together (MOVER, Zou 2007), as alpha's are not
            symmetric.

        and if there are two groups or more, over all that can be estimated:

        ``equality``
            Wald's chi-square, sum w_g (g_g - g)^2 with w_g = 1 / se_g^2 and g their weighted mean, with one degree
            of freedom less than groups; its p-value is that of Welch's F, which for two groups is the t above.
    """
    if len(groups) < 2:
        return
    compared = _Compared(groups, items=items, asked=asked, min_n=min_n)
    for first, second in pairs:
        found, refusal, note = compared.of((first, second))
        row: Row = {"term": "alpha_difference", "n": compared.count((first, second))}
        if refusal:
            row |= {"status": refusal[0], "note": join(refusal[1], note)}
        else:
            row |= _difference(found[first], found[second], confidence) | {"note": note}
        yield f"{first}{BETWEEN}{second}", row
    able = [name for name in groups if compared.of((name,))[1] is None]
    left_out = named("not compared", list(groups), [name not in able for name in groups])
    row = {"term": "equality", "n": 0, "status": Status.NOT_ESTIMABLE}
    if len(able) < 2:
        yield ALL, row | {"note": join("fewer than two groups to compare", left_out)}
        return
    found, refusal, note = compared.of(able)
    row["n"] = compared.count(able)
    if refusal:
        yield ALL, row | {"status": refusal[0], "note": join(refusal[1], left_out, note)}
        return
    statistic, df, p = wald(
        *(np.array([getattr(one, name) for one in found.values()]) for name in ("log", "error", "df"))
    )
    yield (
        ALL,
        row
        | {
            "estimate": statistic,
            "df": df,
            "p_value": p,
            "status": Status.OK,
            "note": join(left_out, note),
        },
    )


def _difference(one: _Group, other: _Group, confidence: float) -> Row:
    """Compare two alphas: estimate, standard error, interval, degrees of freedom and p-value."""
    squares = np.array([one.error, other.error]) ** 2
    df = float(squares.sum() ** 2 / (squares**2 / np.array([one.df, other.df])).sum())
    t = (one.log - other.log) / np.sqrt(squares.sum())
    reach = float(stdtrit(df, (1 + confidence) / 2))
    below, above = (
        [(1 - group.alpha) * abs(np.expm1(side * reach * group.error)) for group in (one, other)]
        for side in (1, -1)
    )
    difference = one.alpha - other.alpha
    return {
        "estimate": difference,
        "std_error": float(np.hypot((1 - one.alpha) * one.error, (1 - other.alpha) * other.error)),
        "df": df,
        "conf_low": difference - float(np.hypot(below[0], above[1])),
        "conf_high": difference + float(np.hypot(above[0], below[1])),
        "p_value": 2 * float(stdtr(df, -abs(t))),
    }


def wald(logs: Array, errors: Array, dfs: Array) -> tuple[float, int, float]:
    """Wald's chi-square that G values are one, its degrees of freedom, and its p-value by Welch's F (1951).

    Parameters
    ----------
    logs, errors, dfs
        (G,) the values, their standard errors and the degrees of freedom of these.
    """
    weights = errors**-2.0
    mean = (weights @ logs) / weights.sum()
    statistic, df = float(weights @ (logs - mean) ** 2), len(logs) - 1
    unsure = float(((1 - weights / weights.sum()) ** 2 / dfs).sum())
    f = statistic / df / (1 + 2 * (df - 1) / (df * (df + 2)) * unsure)
    return statistic, df, float(fdtrc(df, df * (df + 2) / (3 * unsure), f))
