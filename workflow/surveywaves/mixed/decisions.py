"""From a contrast to a decision: it moved, it stayed, or it cannot be told.

A test against 0 alone cannot say that nothing happened. Two one-sided tests against the smallest effect of interest
can: together they reject that the true difference is as large as that, in either direction (TOST).

Sources: Schuirmann (1987) J. Pharmacokinet. Biopharm. 15, 657 (the two one-sided tests); Lakens (2017) Soc. Psychol.
Personal. Sci. 8, 355, and Lakens, Scheel and Isager (2018) Adv. Methods Pract. Psychol. Sci. 1, 259 (the four outcomes
of the two tests side by side); Shaffer (1995) Annu. Rev. Psychol. 46, 561 (families).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import stdtr

from surveywaves.mixed.contrasts import FAMILY, adjust_families, check_confidence
from surveywaves.mixed.design import FloatArray
from surveywaves.terms import (
    LOW_RELIABILITY,
    LOW_RELIABILITY_MARK,
    PERCENT_FAVOURABLE,
    STANDARDISED,
    Decision,
)

MODEL: Final = ["analysis", "scale", "item"]
"""The columns that say which fit a row is from."""


def decide(
    contrasts: pd.DataFrame,
    variances: pd.DataFrame,
    *,
    standardised: float,
    percentage_points: float,
    confidence: float = 0.95,
    multiplicity: str = "holm",
    family: Sequence[str] = FAMILY,
    against: str = "",
) -> pd.DataFrame:
    """Return the contrasts with a decision on each: increase, decrease, no meaningful change or inconclusive.

    With alpha = 1 - `confidence`, on p-values adjusted for their family:

    1. ``no_meaningful_change`` if the two one-sided tests are significant: the difference is smaller than the smallest
       effect of interest, also if the test against 0 is significant (Lakens 2017: "statistically different and
       statistically equivalent", a difference too small to matter);
    2. else ``increase`` or ``decrease``, by the sign of the estimate, if the test against 0 is significant. This says
       that the direction is sure, not that the difference exceeds the smallest effect;
    3. else ``inconclusive``: the data do not tell, which is not the same as no difference.

    Of a gap or a difference in differences, ``increase`` means that the first organisation is higher, or moved more
    upwards.

    Tests against 0 and equivalence tests are adjusted by the same method, each kind over the same families; each
    kind of false claim is thus held to alpha in a family. As a difference is never both 0 and as large as the smallest
    effect, the two kinds of claim can both be false only of different contrasts. An equivalence test at alpha is
    significant if the interval of coverage 1 - 2 alpha lies within the smallest effect.

    Parameters
    ----------
    contrasts
        Tidy, one row a contrast, of any number of scales, items and analyses. Families are by `term` (see `family`),
        so that rows of `contrasts.standardised`, which share their tests with the rows they come from, are a family
        of their own and make no other one larger.
    variances
        Tidy, of the same fits; `total_sd` is taken.
    standardised
        Smallest effect of interest in standard deviations of one answer, above 0. A contrast of means or of log odds
        is held against it times `total_sd` of its own analysis, scale and item, which is taken as known: that it was
        estimated widens nothing. In terms ending in ``_standardised`` it is the unit.
    percentage_points
        Smallest effect of interest for terms ending in ``percent_favourable``, above 0.
    confidence
        1 - alpha.
    multiplicity
        ``holm``, ``fdr_bh`` (see `multiplicity.adjusted`), or ``none``: decisions rest on the p-values as they are.
    family
        Tests with the same values in these columns are one family. By default a family is one contrast (analysis,
        term, wave, organisation), across the scales, or items, of the frame.
    against
        What organisations are compared with, if not in pairs: see `contrasts.families`.

    Returns
    -------
    DataFrame
        The same rows with `p_adjusted` filled, and `surveywaves.tidy.DECIDED` at the end: `smallest` (in the unit of
        the estimate), `p_equivalence` (the larger of the two one-sided p-values, by Student's t with the row's `df`),
        `p_equivalence_adjusted` and `decision`. Rows without an estimate have none of them.

    Raises
    ------
    ValueError
        If a smallest effect is not above 0, `confidence` is no coverage, or `variances` lacks the `total_sd` of an
        estimate.

    Examples
    --------
    In R: ``TOSTER::tsum_TOST(m1 = estimate, sd1 = std_error * sqrt(n), n1 = n, eqb = smallest)``, n = df + 1.
    """
    check_confidence(confidence)
    for effect in (standardised, percentage_points):
        if not (effect > 0 and math.isfinite(effect)):
            raise ValueError(f"not a smallest effect of interest above 0: {effect}")
    there = contrasts["estimate"].notna().to_numpy()
    smallest = np.where(there, _smallest(contrasts, variances, standardised, percentage_points), math.nan)
    if not np.isfinite(smallest[there]).all():
        lacking = contrasts.loc[there & ~np.isfinite(smallest), MODEL].drop_duplicates()
        raise ValueError(f"no total_sd in variances of: {lacking.to_dict('records')}")
    equivalence = _equivalence(contrasts, smallest)
    decided = contrasts.assign(smallest=smallest, p_equivalence=equivalence)
    decided["p_adjusted"] = adjust_families(decided, "p_value", multiplicity, family, against)
    adjusted = adjust_families(decided, "p_equivalence", multiplicity, family, against)
    decided["p_equivalence_adjusted"] = adjusted
    tests = ("p_value", "p_equivalence"), ("p_adjusted", "p_equivalence_adjusted")
    differs, equivalent = tests[multiplicity != "none"]
    decided["decision"] = _decisions(
        estimate=decided["estimate"].to_numpy(),
        differs=decided[differs].to_numpy(),
        equivalent=decided[equivalent].to_numpy(),
        alpha=1 - confidence,
    )
    return decided


def note_scale_use(contrasts: pd.DataFrame, scale_use: pd.DataFrame) -> pd.DataFrame:
    """Note on every estimate of a scale of low reliability that this is so, and why.

    Parameters
    ----------
    contrasts
        Tidy.
    scale_use
        What `reliability.usage` found: `scale, use, reason`.

    Returns
    -------
    DataFrame
        The same rows; the note is ``low reliability: reason``, after any note that was there.
    """
    judged = scale_use[scale_use["use"] == LOW_RELIABILITY].set_index("scale")["reason"]
    # all are missing where every scale is reliable enough
    reason = contrasts["scale"].map(judged).astype("str")
    concerned = (reason.notna() & contrasts["estimate"].notna()).to_numpy()
    before = contrasts.loc[concerned, "note"].map(lambda note: f"{note}; " if note else "")
    notes = contrasts["note"].copy()
    notes[concerned] = before + f"{LOW_RELIABILITY_MARK}: " + reason[concerned]
    return contrasts.assign(note=notes.astype("str"))


def _smallest(
    contrasts: pd.DataFrame, variances: pd.DataFrame, standardised: float, percentage_points: float
) -> FloatArray:
    """(rows,) smallest effect of interest in the unit of each row; NaN where the unit is not known."""
    units = variances[variances["term"] == "total_sd"].set_index(MODEL)["estimate"]
    unit = units.reindex(pd.MultiIndex.from_frame(contrasts[MODEL])).to_numpy(dtype=np.float64)
    term = contrasts["term"]
    effect = np.where(term.str.endswith(STANDARDISED), standardised, standardised * unit)
    return np.asarray(
        np.where(term.str.endswith(PERCENT_FAVOURABLE), percentage_points, effect), dtype=np.float64
    )


def _equivalence(contrasts: pd.DataFrame, smallest: FloatArray) -> FloatArray:
    """(rows,) the larger p-value of the tests against -smallest and +smallest, which is that of the nearer one."""
    columns = ("estimate", "std_error", "df")
    estimate, error, df = (contrasts[name].to_numpy(dtype=np.float64) for name in columns)
    return np.asarray(stdtr(df, (np.abs(estimate) - smallest) / error), dtype=np.float64)


def _decisions(
    *, estimate: FloatArray, differs: FloatArray, equivalent: FloatArray, alpha: float
) -> pd.api.extensions.ExtensionArray:
    """(rows,) the rule; NaN is never significant."""
    moved = np.where(estimate > 0, Decision.INCREASE, Decision.DECREASE)
    told = np.where(differs < alpha, moved, Decision.INCONCLUSIVE)
    told = np.where(equivalent < alpha, Decision.NO_MEANINGFUL_CHANGE, told)
    return pd.array(np.where(np.isnan(estimate), "", told), dtype="str")
