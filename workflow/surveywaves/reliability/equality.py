"""Is alpha the same in two groups, or in several? Tests for independent groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, chdtrc, fdtrc

from surveywaves.reliability.alpha import alpha_of
from surveywaves.reliability.answers import Array, Row, alike, covariance, join, named, whole
from surveywaves.tidy import ALL, Status

BETWEEN: Final = " - "

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
        spread = covariance(varying)
        alpha = float(alpha_of(np.trace(spread), spread.sum(), k))
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
