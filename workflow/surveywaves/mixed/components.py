"""What the variance components of a fit say: shares, total, their standard errors, and intervals by them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from scipy.special import expit, stdtrit

from surveywaves.mixed.design import FloatArray
from surveywaves.terms import Status

Ends: TypeAlias = tuple[float, float]
"""Lower and upper end of an interval; NaN where it was not found."""

SHARES: Final = frozenset({"icc", "icc_team"})
"""The terms that lie between 0 and 1."""

POSITIVE: Final = frozenset({"sigma2", "total_sd"})
"""The terms that cannot be 0."""

FARTHEST: Final = 100.0
"""An error this many times the estimate leaves no interval worth the name."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Variances within respondents, between respondents (of a team) and, with teams, between teams."""

    variances: FloatArray
    """(2,) or (3,) NaN for one that is not in the model or cannot be told from another; all NaN without a fit."""
    slopes: FloatArray
    cov: FloatArray
    """Derivatives of the variances by the model's variance parameters, and the covariance of these."""

    @property
    def total(self) -> float:
        """Variance of one answer, given its cell, item and covariates."""
        return float(self.variances[0] + np.nansum(self.variances[1:]))

    def estimates(self) -> dict[str, float]:
        """Term -> estimate, NaN where there is none."""
        between, total = self.variances[1:], self.total
        # an answer's correlation with others needs tau2, even where that is part of the total
        icc = (between[0] + np.nansum(between[1:])) / total
        found = {"tau2": between[0], "icc": icc, "total_sd": math.sqrt(total)}
        if len(between) > 1:
            found |= {"tau2_team": between[1], "icc_team": between[1] / total}
        return {term: float(estimate) for term, estimate in found.items()}

    def errors(self) -> dict[str, float]:
        """Term -> standard error by the delta method, 0 for a variance of 0; `sigma2` too."""
        number, total = len(self.variances), self.total
        within, tau2, team = np.append(np.nan_to_num(self.variances), 0.0)[:3]
        by_variance = {
            "sigma2": (1.0, 0.0, 0.0),
            "tau2": (0.0, 1.0, 0.0),
            "tau2_team": (0.0, 0.0, 1.0),
            "icc": (-(tau2 + team) / total**2, within / total**2, within / total**2),
            "icc_team": (-team / total**2, -team / total**2, (within + tau2) / total**2),
            "total_sd": (0.5 / math.sqrt(total),) * 3,
        }
        found = {}
        for term, slope in by_variance.items():
            by = np.array(slope[:number]) @ self.slopes
            found[term] = math.sqrt(max(float(by @ self.cov @ by), 0.0))
        return found


def normal_intervals(
    estimates: Mapping[str, float], errors: Mapping[str, float], df: float, confidence: float
) -> dict[str, Ends]:
    """Intervals by standard errors and Student's t, on the log scale, or logit scale for shares.

    Of all terms with an error, and an estimate that is not lost in it. What may be 0, and is no more than the margin of
    its error from it, reaches down to 0, which neither scale has.
    """
    found = {}
    for term, error in errors.items():
        estimate = estimates.get(term, math.nan)
        error_margin = margin = float(stdtrit(df, (1 + confidence) / 2)) * error
        if not 0 < margin <= FARTHEST * estimate:
            continue
        if term in SHARES:
            middle, margin = math.log(estimate / (1 - estimate)), margin / (estimate * (1 - estimate))
            found[term] = float(expit(middle - margin)), float(expit(middle + margin))
        else:
            times = math.exp(margin / estimate)
            found[term] = estimate / times, estimate * times
        if term not in POSITIVE and error_margin >= estimate:
            found[term] = 0.0, found[term][1]
    return found


def variance_rows(
    found: Iterable[tuple[str, float, float, str]],
    ends: Mapping[str, Ends],
    *,
    n: int,
    status: Status,
) -> list[dict[str, Any]]:
    """Rows of a tidy table from (term, estimate, standard error or 0, note); ``not_estimable`` where NaN in a fit."""
    made = []
    for term, estimate, error, note in found:
        known = math.isfinite(estimate)
        lost = not known and status in (Status.OK, Status.BOUNDARY)
        said = {"status": Status.NOT_ESTIMABLE if lost else status, "note": note}
        row: dict[str, Any] = {"term": term, "estimate": estimate, "n": n, **said}
        if known:
            row["conf_low"], row["conf_high"] = ends.get(term, (math.nan, math.nan))
            if error > 0:
                row["std_error"] = error
        made.append(row)
    return made
