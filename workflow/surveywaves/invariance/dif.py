"""Differential item functioning by ordinal logistic regression, between waves and between organisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.invariance.comparison import compare, refused
from surveywaves.invariance.sheet import Sheet, comparisons
from surveywaves.reliability.answers import Row, check, join, named, scored
from surveywaves.tidy import Status, tidy

ANALYSIS: Final = "dif"


def dif(
    frame: pd.DataFrame,
    *,
    scale: str,
    items: Sequence[str],
    keys: Mapping[str, int],
    response_range: tuple[int, int],
    waves: Sequence[str],
    organisations: Sequence[str],
    confidence: float = 0.95,
    min_n: int = 50,
    adjust: bool = True,
) -> pd.DataFrame:
    """Compare how each item of a scale works between waves and between organisations.

    Nested proportional-odds models (Zumbo 1999; Crane et al. 2006) of the scored answer y to an item, given where a
    respondent stands on the scale, s, and the group g:

        M1  logit P(y <= k) = a_k - b s
        M2  M1 - c_g                    uniform: at the same standing one group answers higher throughout
        M3  M2 - d_g s                  non-uniform: it depends on the standing

    Parameters
    ----------
    frame
        One row a respondent: `wave`, `organisation` (may be missing) and the items, as worded, whole numbers in
        `response_range`, missing where not answered.
    scale
        Name of the scale.
    items
        Its items.
    keys
        Item -> +1, or -1 if agreeing means less of what the scale measures: scored low + high - answer.
    response_range
        Lowest and highest response.
    waves, organisations
        Those to compare, waves in order of time.
    confidence
        Confidence level of the intervals.
    min_n
        Fewest respondents of a group that is compared. 200 are often asked for; below 50, a five-point answer is
        modelled from categories with a handful of people.
    adjust
        Whether all three models also hold an effect of each organisation when waves are compared, and of each wave
        when organisations are: differences are then those within organisations, pooled, and a wave that surveyed
        one organisation only does not show that organisation's peculiarities as its own.

    Returns
    -------
    DataFrame
        Tidy (see `surveywaves.tidy`), `analysis` = ``dif``, a block of rows for every item and comparison. The column
        of the grouping, `wave` or `organisation`, names the comparison: ``later - earlier`` or ``first - second``,
        and ``all`` for a test of all groups at once where there are more than two; the other column is empty, its
        groups are pooled. The terms, for kind ``uniform`` (M2 against M1), ``nonuniform`` (M3 against M2) and
        ``total`` (M3 against M1), with s the total score or the rest score as Notes explain:

        ``<kind>_lr``
            Likelihood-ratio chi-square, by the total score, with `df` and `p_value`; `p_adjusted` by Benjamini &
            Hochberg (1995) over the items of the scale, within a comparison and kind.
        ``<kind>_r2_change``
            Change of Nagelkerke's R2, (1 - exp(2 (l0 - l) / n)) / (1 - exp(2 l0 / n)) with l0 the log-likelihood of
            the thresholds alone, by the rest score. The note gives its class by Jodoin & Gierl (2001) and by Zumbo
            (1999), both meant for this R2.
        ``<kind>_mcfadden_change``
            Change of McFadden's R2, 1 - l / l0, by the rest score; lordif (Choi et al. 2011) flags from .02.
        ``uniform_log_odds``
            Of a pair: c of the first group less that of the second in M2, by the total score, with its Wald interval;
            positive if the first answers higher (after scoring) than equals of the second. exp of it is the odds
            ratio.

        `n` is the number of respondents in the models. `status` is ``too_few`` if a group has fewer than `min_n`,
        ``not_converged``, or ``not_estimable``: nobody in a group, an item not asked, one answer only, a score that
        does not vary, groups that the other grouping or the score tells apart, or separation. A test of all groups
        leaves out those with fewer than `min_n` and says so.

    Raises
    ------
    ValueError
        As `surveywaves.reliability.reliability`.

    Notes
    -----
    Whoever answered the item and at least half of the others counts. s is the mean of what they answered, of the
    items that every compared wave asked, so that it means the same in each.

    Tests and sizes ask for different scores. If groups differ in what the scale measures, equals on the rest score (the
    other items) are not equals, as it is unreliable: a test by it finds differences that are none (Zwick 1990). In
    simulated groups of 350 that differ by .6 standard deviations, with items that work alike, it rejected at .05 in
    90% of the items of scales of two, 46% of four and 25% of six; by the total score, with the item, 5-7%. But the
    shorter the scale, the more of the total is the item itself, and the smaller a real difference looks: one of .6
    standard deviations changed R2 by .022, .048 and .058 with two, four and six items, where the rest score showed .08
    in all, as in a long scale, for which the classes were made. What unreliability alone adds there was .013 on
    average with two items and .005 with four, below moderate. So the likelihood ratio takes the total score, the R2
    the rest score, and `flagged` asks for both: without a difference it named 1 item in 5,400, with one of .6 all.

    With two items no model can tell which of them differs.

    References
    ----------
    Zumbo BD (1999). A handbook on the theory and methods of differential item functioning. Ottawa: Department of
    National Defense. Jodoin MG, Gierl MJ (2001). Evaluating type I error and power rates using an effect size measure
    with the logistic regression procedure for DIF detection. Applied Measurement in Education 14:329-349. Crane PK
    et al. (2006). Differential item functioning analysis with ordinal logistic regression techniques. Medical Care
    44:S115-S123. Choi SW, Gibbons LE, Crane PK (2011). lordif. Journal of Statistical Software 39(8). Zwick R (1990).
    When do item response function and Mantel-Haenszel definitions of DIF coincide? Journal of Educational Statistics
    15:185-197.

    Examples
    --------
    In R: ``m1 <- ordinal::clm(y ~ other + s)``, ``m2 <- update(m1, . ~ . + g)``, ``m3 <- update(m1, . ~ . + g * s)``.
    """
    check(frame, items, keys, response_range=response_range, confidence=confidence, min_n=min_n)
    low, high = response_range
    scores = scored(frame, items, keys, response_range) - low
    sheet = Sheet.of(frame, scores, high - low + 1, waves, organisations)
    rows: list[Row] = []
    for number, item in enumerate(items):
        for comparison in comparisons(sheet, number, waves, organisations):
            remark = ""
            if comparison.hindrance:
                found = refused(Status.NOT_ESTIMABLE, comparison.hindrance, pair=comparison.pair, n=0)
            else:
                by_total, by_rest = (
                    comparison.of(sheet.counted(number, comparison.matched, with_item=own), adjust=adjust)
                    for own in (True, False)
                )
                found = compare(
                    by_total,
                    by_rest,
                    names=comparison.names,
                    pair=comparison.pair,
                    confidence=confidence,
                    min_n=min_n,
                )
                remark = named(
                    "not in the score, not asked in every wave compared", items, ~comparison.matched
                )
            place = {"item": item, **comparison.columns}
            rows += [{**place, **row, "note": join(row.get("note", ""), remark)} for row in found]
    return _adjusted(tidy({"analysis": ANALYSIS, "scale": scale, **row} for row in rows))


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Adjust p-values over the items, within scale, comparison and term (Benjamini & Hochberg 1995)."""
    tested = table[table["p_value"].notna()]
    families = tested.groupby(["scale", "wave", "organisation", "term"], sort=False)["p_value"]
    return table.assign(
        p_adjusted=families.transform(_benjamini_hochberg).reindex(table.index).astype("float64")
    )


def _benjamini_hochberg(p: pd.Series[float]) -> pd.Series[float]:
    """Of p-values in order, the smallest m p / rank from each on; by hand, as statsmodels takes a second to import."""
    order = np.argsort(-p.to_numpy(), kind="stable")
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(p.to_numpy()[order] * len(p) / ranks), 1)
    return pd.Series(adjusted, index=p.index)
