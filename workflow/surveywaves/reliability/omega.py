"""McDonald's omega: how much of the total score's variance one common factor leaves no doubt about."""

from __future__ import annotations

from typing import Final

import numpy as np

from surveywaves.reliability.answers import Answers, Array, Row, join, named
from surveywaves.tidy import Status

STEPS: Final = 200
SETTLED: Final = 1e-11


def omega_total(answers: Answers) -> Row:
    """Omega total of a one-factor model of the standardised items, by minimum residuals.

    With loadings l_i that minimise the squared residual correlations, sum (r_ij - l_i l_j)^2 over i < j (Harman &
    Jones 1966), uniquenesses u_i = 1 - l_i^2, and V the sum of all correlations, omega = 1 - sum u_i / V (McDonald
    1999; Revelle & Condon 2019). This is ``psych::omega(nfactors = 1)$omega.tot``, but no item is turned round here.
    """
    if answers.k < 3:
        return {"status": Status.NOT_ESTIMABLE, "note": "two items do not make out a factor"}
    if np.ptp(answers.total) == 0:
        return {"status": Status.NOT_ESTIMABLE, "note": "the total score does not vary"}
    variance = float(answers.correlation.sum())
    if variance < 1e-9:
        return {"status": Status.NOT_ESTIMABLE, "note": "the sum of the standardised items does not vary"}
    loadings = one_factor(answers.correlation)
    if loadings is None:
        return {"status": Status.NOT_CONVERGED, "note": "the one-factor model has no settled minimum"}
    improper = loadings**2 > 1 - 1e-8
    if improper.any():
        heywood = named("Heywood case, the factor would explain all of", answers.items, improper)
        return {"status": Status.NOT_ESTIMABLE, "note": heywood}
    omega = 1 - float((1 - loadings**2).sum()) / variance
    against = named("run against the factor, check their keys", answers.items, loadings < 0)
    return {"estimate": omega, "note": join(against)}


def one_factor(correlation: Array) -> Array | None:
    """Minimum-residual loadings of one factor, with a positive sum; None if there is no settled minimum.

    A damped Newton method: with residuals e_ij (zero for i = j), the slope is -2 sum_j e_ij l_j, the curvature
    2 sum_(j not i) l_j^2 for i = j and 2 (l_i l_j - e_ij) elsewhere.
    """
    k = len(correlation)
    off = 1.0 - np.eye(k)
    loadings = _principal(correlation)
    residuals = off * (correlation - np.outer(loadings, loadings))
    misfit, damping = float((residuals**2).sum()), 1e-3
    for _ in range(STEPS):
        slope = -2 * residuals @ loadings
        curvature = 2 * off * (np.outer(loadings, loadings) - residuals)
        curvature[np.diag_indices(k)] = 2 * (loadings @ loadings - loadings**2)
        lowest = float(np.linalg.eigvalsh(curvature)[0])
        if np.abs(slope).max() < SETTLED:
            return loadings * (1.0 if loadings.sum() >= 0 else -1.0) if lowest > 1e-8 else None
        lift = max(0.0, 1e-6 - lowest) + damping
        tried = loadings - np.linalg.solve(curvature + lift * np.eye(k), slope)
        left = off * (correlation - np.outer(tried, tried))
        # So near to the minimum that only rounding is left, a step may seem to lead uphill.
        if float((left**2).sum()) <= misfit + 1e-14:
            loadings, residuals, misfit, damping = tried, left, float((left**2).sum()), damping / 10
            damping = damping if damping > 1e-14 else 0.0
        else:
            damping = max(10 * damping, 1e-8)
            if damping > 1e8:
                return None
    return None


def _principal(correlation: Array) -> Array:
    """Give loadings on the first principal axis, the communalities taken as the largest correlation of each item."""
    reduced = correlation.copy()
    reduced[np.diag_indices(len(reduced))] = np.abs(correlation - np.eye(len(correlation))).max(axis=0)
    values, vectors = np.linalg.eigh(reduced)
    return np.asarray(vectors[:, -1] * np.sqrt(max(values[-1], 1e-4)), dtype=np.float64)
