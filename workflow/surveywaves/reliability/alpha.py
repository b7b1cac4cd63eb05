"""Cronbach's alpha: its parts, the two-item case, its intervals, and tests that it is the same in several groups.

Alpha is pingouin's. Its interval is not: pingouin rounds it to three decimals. Nor are the bootstrap and alpha without
an item, which take the sums that all replicates and items share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaln, chdtrc, fdtrc, fdtri, ndtr, ndtri

from surveywaves.reliability.answers import Answers, Array, Row, alike, join, named, whole
from surveywaves.terms import ALL, BETWEEN, Status

FLAT: Row = {"status": Status.NOT_ESTIMABLE, "note": "the total score does not vary"}
BACKWARD = "negative: items run against each other, check their keys"


def alpha(answers: Answers) -> Row:
    """Cronbach's alpha with the interval of Feldt, Woodruff & Salih (1987, formula 6)."""
    if np.ptp(answers.total) == 0:
        return FLAT
    found = cronbach(answers.scores)
    df = answers.n - 1, (answers.n - 1) * (answers.k - 1)
    tail = (1 - answers.options.confidence) / 2
    low, high = (1 - (1 - found) * float(fdtri(*df, share)) for share in (1 - tail, tail))
    return {"estimate": found, "conf_low": low, "conf_high": high, "note": BACKWARD if found < 0 else ""}


def cronbach(scores: Array) -> float:
    """Cronbach's alpha of respondents x items, two or more, nothing missing."""
    from pingouin import cronbach_alpha  # noqa: PLC0415  a second, which only what computes alpha waits for

    return float(cronbach_alpha(pd.DataFrame(scores))[0])


def mean_inter_item_r(answers: Answers) -> Row:
    """Mean correlation between two items."""
    return {"estimate": float(answers.correlation[np.triu_indices(answers.k, 1)].mean())}


def spearman_brown(answers: Answers) -> Row:
    """Reliability of the sum of two items as parallel halves, 2 r / (1 + r), with r's interval by Fisher's z."""
    if np.ptp(answers.total) == 0:
        return FLAT
    r = float(answers.correlation[0, 1])
    if 1 + r < 1e-9:
        return {"status": Status.NOT_ESTIMABLE, "note": "the two items are each other's opposite"}
    row: Row = {"estimate": stepped_up(r)}
    if answers.n > 3 and 1 - r > 1e-9:
        half = float(ndtri((1 + answers.options.confidence) / 2)) / np.sqrt(answers.n - 3)
        row["conf_low"], row["conf_high"] = (
            float(stepped_up(np.tanh(np.arctanh(r) + side * half))) for side in (-1, 1)
        )
    return row


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


def stepped_up(r: Any) -> Any:
    """Spearman-Brown: reliability of two halves that correlate r."""
    return 2 * r / (1 + r)


def _rest_variance(answers: Answers) -> Array:
    """Variance of the sum of the other items, for each item; missing where that sum does not vary."""
    rest = answers.total[:, None] - answers.scores
    variance = answers.covariance.sum() - 2 * answers.covariance.sum(axis=1) + np.diag(answers.covariance)
    return np.where(np.ptp(rest, axis=0) > 0, variance, np.nan)


DRAWN_AT_MOST: Final = 2_000
"""Respondents drawn a replicate; of more, so many are drawn and the spread is brought to n by sqrt(m / n)."""

LOST_AT_MOST: Final = 0.01
"""Share of replicates that may lack a varying total score."""

ALIKE: Final = 1e-12
"""What rounding leaves of a difference that is none."""

_CELLS_AT_ONCE: Final = 2_000_000
_LARGEST_CODE: Final = 2**62


def alpha_bootstrap(answers: Answers) -> Row:
    """Alpha with its bootstrap standard error and BCa interval (Efron 1987).

    Alpha of a replicate needs how often it drew each answer pattern, w, and then only sums: with centred scores x_ij
    and totals t_i, S_j = sum w_i x_ij, Q = sum w_i sum_j x_ij^2 and T = sum w_i t_i^2, the item variances add up to
    (Q - sum_j S_j^2 / m) / (m - 1) and the total has (T - (sum_j S_j)^2 / m) / (m - 1). So all replicates are one
    product of the replicates x patterns counts with a patterns x (k + 2) matrix.

    The interval is worked out for log(1 - alpha), whose spread hardly depends on alpha; a BCa interval would be
    the same for alpha itself were m always n. With more than `DRAWN_AT_MOST` respondents, m of n are drawn and
    deviations shrunk by sqrt(m / n) (Bickel, Goetze & van Zwet 1997).
    """
    if np.ptp(answers.total) == 0:
        return FLAT
    sums = _summands(answers.scores)
    found = float(_alpha(sums.sum(axis=0), answers.n))
    if 1 - found < ALIKE:
        return {"status": Status.NOT_ESTIMABLE, "note": "alpha is 1: no replicate differs"}
    drawn = min(answers.n, DRAWN_AT_MOST)
    low, high = answers.options.response_range
    first, pattern = _patterns(answers.scores - low, high - low + 1)
    replicates = _replicates(
        sums[first], pattern, drawn, answers.options.replicates, answers.generator("alpha_bootstrap")
    )
    usable = replicates[np.isfinite(replicates) & (replicates < 1)]
    lost = len(replicates) - len(usable)
    if lost > LOST_AT_MOST * len(replicates):
        reason = f"in {lost} of {len(replicates)} replicates alpha cannot be computed"
        return {"status": Status.NOT_ESTIMABLE, "note": reason}
    centre = np.log(1 - found)
    deviations = np.log(1 - usable) - centre
    if np.abs(deviations).max(initial=0.0) < ALIKE:
        return {"status": Status.NOT_ESTIMABLE, "note": "no replicate differs"}
    shrunk = centre + np.sqrt(drawn / answers.n) * deviations
    jackknifed = _alpha(sums.sum(axis=0) - sums, answers.n - 1)
    upper, lower = 1 - np.exp(_bca(shrunk, centre, np.log(1 - jackknifed), answers.options.confidence))
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return {"status": Status.NOT_ESTIMABLE, "note": "the replicates lie on one side of alpha"}
    return {
        "estimate": found,
        "std_error": float(np.std(1 - np.exp(shrunk), ddof=1)),
        "conf_low": float(lower),
        "conf_high": float(upper),
        "note": join(
            f"{drawn} of {answers.n} respondents drawn a replicate" if drawn < answers.n else "",
            f"{lost} of {len(replicates)} replicates without alpha" if lost else "",
            BACKWARD if found < 0 else "",
        ),
    }


def _summands(scores: Array) -> Array:
    """List what each respondent adds to the sums: centred scores, the sum of their squares, the squared total."""
    centred = scores - scores.mean(axis=0)
    squares = (centred**2).sum(axis=1, keepdims=True)
    return np.hstack([centred, squares, centred.sum(axis=1, keepdims=True) ** 2])


def _alpha(sums: Array, n: int) -> Array:
    """Alpha from sums over n respondents (last axis: items, squares, squared total); NaN if the total is flat."""
    firsts, squares, total = sums[..., :-2], sums[..., -2], sums[..., -1]
    items = squares - (firsts**2).sum(axis=-1) / n
    variance = total - firsts.sum(axis=-1) ** 2 / n
    # What rounding leaves of a variance that is zero; a single different answer among n adds far more.
    flat = variance <= 1e-9 * np.maximum(total, 1e-300)
    return np.asarray(alpha_of(items, np.where(flat, np.nan, variance), firsts.shape[-1]), dtype=np.float64)


def _patterns(codes: Array, points: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the first respondent with each answer pattern, and the pattern of each respondent."""
    if points ** codes.shape[1] > _LARGEST_CODE:
        everyone = np.arange(len(codes))
        return everyone, everyone
    places = points ** np.arange(codes.shape[1], dtype=np.int64)
    _, first, pattern = np.unique(codes.astype(np.int64) @ places, return_index=True, return_inverse=True)
    return first, pattern


def _replicates(
    sums: Array, pattern: NDArray[np.intp], drawn: int, replicates: int, generator: np.random.Generator
) -> Array:
    """Alpha in each replicate: respondents are drawn, what is counted are their patterns."""
    n, patterns = len(pattern), len(sums)
    at_once = max(1, _CELLS_AT_ONCE // max(drawn, patterns))
    found = []
    for start in range(0, replicates, at_once):
        rows = min(at_once, replicates - start)
        chosen = pattern[generator.integers(0, n, size=(rows, drawn), dtype=np.uint32)]
        chosen += patterns * np.arange(rows)[:, None]
        counts = np.bincount(chosen.ravel(), minlength=rows * patterns).reshape(rows, patterns)
        found.append(_alpha(counts @ sums, drawn))
    return np.concatenate(found)


def _bca(replicates: Array, estimate: float, jackknifed: Array, confidence: float) -> Array:
    """Bias-corrected and accelerated bounds (Efron 1987, formula 6.8 of Efron & Tibshirani 1993, ch. 14)."""
    below = np.mean(replicates < estimate) + np.mean(replicates == estimate) / 2
    if not 0 < below < 1:
        return np.full(2, np.nan)
    bias = ndtri(below)
    pulls = jackknifed.mean() - jackknifed
    spread = (pulls**2).sum() ** 1.5
    acceleration = (pulls**3).sum() / (6 * spread) if spread > 0 else 0.0
    tail = (1 - confidence) / 2
    z = bias + ndtri(np.array([tail, 1 - tail]))
    if not np.isfinite(acceleration) or (acceleration * z >= 1).any():
        return np.full(2, np.nan)
    return np.asarray(np.quantile(replicates, ndtr(bias + z / (1 - acceleration * z))), dtype=np.float64)


_NODES: Final = 1_201


@dataclass(frozen=True)
class _Sample:
    """Alpha of one group: its estimate, its items and its respondents."""

    alpha: float
    k: int
    n: int


def equality(
    groups: Mapping[str, Array],
    *,
    items: Sequence[str],
    asked: Mapping[str, NDArray[np.bool_]],
    min_n: int,
    later_first: bool,
) -> Iterator[tuple[str, Row]]:
    """Test that alpha is the same in independent groups.

    Groups are compared on the items that all of them were asked and that vary in each, and on the respondents who
    answered all of these; so alpha here can differ from that of a group by itself, and the note names the items.

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
    later_first
        Whether the later group of a pair is its first, the one that is compared with the other.

    Yields
    ------
    between
        The groups compared: ``first - second`` of each pair, or ``all``.
    row
        The terms, for each pair:

        ``alpha_difference``
            Alpha of the first less that of the second.
        ``feldt_w``
            W = (1 - first alpha) / (1 - second alpha) (Feldt 1969). If the two are the same in the population, W is
            a product of two independent variates, F(n2 - 1, (n2 - 1)(k - 1)) and F((n1 - 1)(k - 1), n1 - 1); the
            two-sided p-value is of that distribution itself, by numerical integration. Feldt's approximation by
            one F(n2 - 1, n1 - 1) lets k go to infinity, and for two items takes log W to vary half as much as it
            does.

        and if there are two groups or more, over all that can be estimated:

        ``hakstian_whalen``
            Hakstian & Whalen (1976): x_g = (1 - alpha_g)^(1/3) is near to normal with variance
            s_g = 18 k (n_g - 1)(1 - alpha_g)^(2/3) / ((k - 1)(9 n_g - 11)^2), and sum (x_g - x)^2 / s_g, with x
            their mean weighted by 1 / s_g, near to chi-square with one degree of freedom less than groups.

    References
    ----------
    Feldt LS (1969). A test of the hypothesis that Cronbach's alpha or Kuder-Richardson coefficient twenty is the same
    for two tests. Psychometrika 34:363-373. Hakstian AR, Whalen TE (1976). A k-sample significance test for
    independent alpha coefficients. Psychometrika 41:219-231.
    """
    if len(groups) < 2:
        return
    for pair in combinations(groups, 2):
        first, second = pair[::-1] if later_first else pair
        samples, refusal, note = _samples(
            {name: groups[name] for name in (first, second)}, items, asked, min_n
        )
        n = sum(sample.n for sample in samples.values())
        if refusal:
            refused = {"n": n, "status": refusal[0], "note": join(refusal[1], note)}
            for term in ("alpha_difference", "feldt_w"):
                yield f"{first}{BETWEEN}{second}", {"term": term, **refused}
            continue
        one, other = samples[first], samples[second]
        w, p = feldt(one.alpha, other.alpha, n=(one.n, other.n), k=one.k)
        base = {"n": n, "note": note}
        yield (
            f"{first}{BETWEEN}{second}",
            {"term": "alpha_difference", "estimate": one.alpha - other.alpha, **base},
        )
        yield f"{first}{BETWEEN}{second}", {"term": "feldt_w", "estimate": w, "p_value": p, **base}
    yield ALL, {"term": "hakstian_whalen", **_together(groups, items, asked, min_n)}


def feldt(first: float, second: float, *, n: tuple[int, int], k: int) -> tuple[float, float]:
    """Feldt's W of two alphas of k items each, and its two-sided p-value."""
    w = (1 - first) / (1 - second)
    below_one, others = (n[0] - 1.0, (n[0] - 1.0) * (k - 1)), (n[1] - 1.0, (n[1] - 1.0) * (k - 1))
    upper = _above(w, others, below_one[::-1])
    lower = _above(1 / w, below_one, others[::-1])
    return w, min(1.0, 2 * min(upper, lower))


def hakstian_whalen(alphas: Array, n: Array, k: int) -> tuple[float, int, float]:
    """Give the chi-square of Hakstian & Whalen, its degrees of freedom and p-value."""
    roots = np.cbrt(1 - alphas)
    weights = (k - 1) * (9 * n - 11) ** 2 / (18 * k * (n - 1) * roots**2)
    statistic = float((weights * (roots - (weights * roots).sum() / weights.sum()) ** 2).sum())
    df = len(alphas) - 1
    return statistic, df, float(chdtrc(df, statistic))


def _together(
    groups: Mapping[str, Array],
    items: Sequence[str],
    asked: Mapping[str, NDArray[np.bool_]],
    min_n: int,
) -> Row:
    """Compare all groups that can be estimated."""
    able = {
        name: scores
        for name, scores in groups.items()
        if _samples({name: scores}, items, asked, min_n)[1] is None
    }
    left_out = named("not compared", list(groups), [name not in able for name in groups])
    if len(able) < 2:
        return {
            "n": 0,
            "status": Status.NOT_ESTIMABLE,
            "note": join("fewer than two groups to compare", left_out),
        }
    samples, refusal, note = _samples(able, items, asked, min_n)
    n = sum(sample.n for sample in samples.values())
    if refusal:
        return {"n": n, "status": refusal[0], "note": join(refusal[1], left_out, note)}
    alphas = np.array([sample.alpha for sample in samples.values()])
    sizes = np.array([sample.n for sample in samples.values()], dtype=np.float64)
    statistic, df, p = hakstian_whalen(alphas, sizes, next(iter(samples.values())).k)
    return {"estimate": statistic, "df": df, "p_value": p, "n": n, "note": join(left_out, note)}


def _samples(
    groups: Mapping[str, Array],
    items: Sequence[str],
    asked: Mapping[str, NDArray[np.bool_]],
    min_n: int,
) -> tuple[dict[str, _Sample], tuple[Status, str] | None, str]:
    """Alpha of each group on common items; or why not; and which items were left out."""
    common = np.logical_and.reduce([asked[name] for name in groups])
    complete = {name: whole(scores[:, common]) for name, scores in groups.items()}
    samples = {name: _Sample(np.nan, 0, len(scores)) for name, scores in complete.items()}
    constant = np.logical_or.reduce([alike(scores) for scores in complete.values()])
    kept = [item for item, is_common in zip(items, common, strict=True) if is_common]
    note = join(
        named("items not compared, not asked everywhere", items, ~common),
        named("items not compared, answered alike", kept, constant),
    )
    if empty := [name for name, scores in groups.items() if not len(scores)]:
        return samples, (Status.NOT_ESTIMABLE, f"nobody answered: {', '.join(empty)}"), note
    if common.sum() < 2:
        return samples, (Status.NOT_ESTIMABLE, "fewer than two items were asked everywhere"), note
    if few := [name for name, scores in complete.items() if len(scores) < min_n]:
        reason = f"fewer than {min_n} respondents answered every item: {', '.join(few)}"
        return samples, (Status.TOO_FEW, reason), note
    k = int((~constant).sum())
    if k < 2:
        return samples, (Status.NOT_ESTIMABLE, "fewer than two items vary everywhere"), note
    for name, scores in complete.items():
        varying = scores[:, ~constant]
        if np.ptp(varying.sum(axis=1)) == 0:
            return samples, (Status.NOT_ESTIMABLE, f"the total score does not vary: {name}"), note
        alpha = cronbach(varying)
        if 1 - alpha < 1e-12:
            return samples, (Status.NOT_ESTIMABLE, f"alpha is 1: {name}"), note
        samples[name] = _Sample(alpha, k, len(scores))
    return samples, None, note


def _above(w: float, first: tuple[float, float], second: tuple[float, float]) -> float:
    """Probability that the product of two independent F variates exceeds w.

    The integral over the logarithm t of the second of its density times the probability that the first exceeds
    w exp(-t), by the trapezoid rule, which for a smooth density that runs out on both sides is all but exact.
    """
    d1, d2 = second
    reach = 12 * np.sqrt(2 / d1 + 2 / d2) + 100 / min(d1, d2)
    t = np.linspace(-reach, reach, _NODES)
    ratio = np.log(d1 / d2) + t
    log_density = d1 / 2 * ratio - (d1 + d2) / 2 * np.logaddexp(0, ratio) - betaln(d1 / 2, d2 / 2)
    above = fdtrc(*first, w * np.exp(-t))
    return float((np.exp(log_density) * above).sum() * (t[1] - t[0]))
