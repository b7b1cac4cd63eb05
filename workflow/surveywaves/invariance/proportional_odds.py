"""The proportional-odds model of grouped answers, by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from surveywaves.terms import Status

Array: TypeAlias = NDArray[np.float64]

STEPS: Final = 25
SETTLED: Final = 1e-12
"""How much the last step may have added to the log-likelihood, relative to it (half the squared Newton decrement)."""

SEPARATED: Final = 20.0
"""A linear predictor that spans more than this has no finite estimate: odds of half a milliard to one."""


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    log_likelihood
        At the maximum; without the multinomial constant, as R and statsmodels give it.
    thresholds, slopes
        Estimates: log odds of an answer at or below category k are thresholds[k] - design @ slopes.
    covariance
        Of the slopes, from the observed information.
    status, note
        ``ok``, or why there is no maximum to speak of.
    """

    log_likelihood: float
    thresholds: Array
    slopes: Array
    covariance: Array
    status: Status = Status.OK
    note: str = ""


def intercepts(counts: Array) -> Fit:
    """Fit the model without predictors: the observed shares."""
    margin = counts.sum(axis=0)
    below = margin.cumsum()[:-1]
    total = margin.sum()
    return Fit(
        float((margin * np.log(margin / total)).sum()),
        np.log(below / (total - below)),
        np.empty(0),
        np.empty((0, 0)),
    )


def fit(counts: Array, design: Array, start: Fit) -> Fit:
    """Fit the proportional-odds model (McCullagh 1980).

    With z_rk = a_k - x_r b, F the logistic function, n_rk the answers k of row r and N_k those of all rows, the
    log-likelihood comes apart, since F(z_k) - F(z_(k-1)) = F(z_k) F(-z_(k-1)) (1 - exp(a_(k-1) - a_k)):

        the sum over r, k of n_rk log F(z_rk) + n_r(k+1) log F(-z_rk),
        and the sum over inner k of N_k log(1 - exp(a_(k-1) - a_k)).

    All its parts are concave, so Newton's method with halved steps finds the maximum if there is one; it exists
    unless some predictor separates low from high answers, and then the linear predictor grows without end.

    Parameters
    ----------
    counts
        Rows x categories: how many answered what. Every category has answers.
    design
        Rows x predictors, without a constant, of full rank beside one.
    start
        A fit with the first of these predictors, or `intercepts`.

    References
    ----------
    McCullagh P (1980). Regression models for ordinal data. JRSS B 42:109-142. Pratt JW (1981). Concavity of the log
    likelihood. JASA 76:103-106.
    """
    cuts, slopes = counts.shape[1] - 1, design.shape[1]
    at = np.concatenate([start.thresholds, start.slopes, np.zeros(slopes - len(start.slopes))])
    value = _log_likelihood(counts, design, at, cuts)
    information, settled = np.empty((0, 0)), False
    for _ in range(STEPS):
        slope, information = _derivatives(counts, design, at, cuts)
        try:
            step = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            break
        rise = float(slope @ step) / 2
        if rise < SETTLED * (1 + abs(value)):
            at, value, settled = at + step, value + rise, True
            break
        tried, size = at + step, 1.0
        reached = _log_likelihood(counts, design, tried, cuts)
        while not reached > value and size > 1e-6:
            size /= 2
            tried = at + size * step
            reached = _log_likelihood(counts, design, tried, cuts)
        at, value = tried, reached
    spread = float(np.ptp(design @ at[cuts:])) if slopes else 0.0
    if spread > SEPARATED:
        return failed(Status.NOT_ESTIMABLE, "separation: groups or scores tell low answers from high")
    if not settled or not np.isfinite(value):
        return failed(Status.NOT_CONVERGED, "the ordinal model did not converge")
    covariance = np.asarray(np.linalg.inv(information)[cuts:, cuts:], dtype=np.float64)
    return Fit(value, at[:cuts], at[cuts:], covariance)


def failed(status: Status, note: str) -> Fit:
    """Give a fit that could not be had."""
    return Fit(np.nan, np.empty(0), np.empty(0), np.empty((0, 0)), status, note)


def _log_likelihood(counts: Array, design: Array, at: Array, cuts: int) -> float:
    """Log-likelihood; minus infinity where the thresholds are out of order."""
    gaps = np.diff(at[:cuts])
    if (gaps <= 0).any():
        return -np.inf
    z = at[:cuts] - (design @ at[cuts:])[:, None]
    inner = counts.sum(axis=0)[1:-1]
    value = (counts[:, :-1] * log_expit(z)).sum() + (counts[:, 1:] * log_expit(-z)).sum()
    return float(value + (inner * np.log(-np.expm1(-gaps))).sum())


def _derivatives(counts: Array, design: Array, at: Array, cuts: int) -> tuple[Array, Array]:
    """Slope of the log-likelihood and the observed information, thresholds first."""
    low = expit(at[:cuts] - (design @ at[cuts:])[:, None])
    pull = counts[:, :-1] * (1 - low) - counts[:, 1:] * low
    weight = (counts[:, :-1] + counts[:, 1:]) * low * (1 - low)
    slope = np.concatenate([pull.sum(axis=0), -(pull.sum(axis=1) @ design)])
    information = np.empty((len(at), len(at)))
    information[:cuts, :cuts] = np.diag(weight.sum(axis=0))
    information[:cuts, cuts:] = -(weight.T @ design)
    information[cuts:, :cuts] = information[:cuts, cuts:].T
    information[cuts:, cuts:] = design.T @ (weight.sum(axis=1)[:, None] * design)
    gaps = np.diff(at[:cuts])
    inner = counts.sum(axis=0)[1:-1]
    between = -np.expm1(-gaps)
    first = inner * np.exp(-gaps) / between
    second = first / between
    upper = np.arange(1, cuts)
    slope[upper] += first
    slope[upper - 1] -= first
    information[upper, upper] += second
    information[upper - 1, upper - 1] += second
    information[upper, upper - 1] -= second
    information[upper - 1, upper] -= second
    return slope, information
