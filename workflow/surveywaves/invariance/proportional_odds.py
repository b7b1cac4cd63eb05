"""The proportional-odds model of grouped answers: the cumulative link model without respondents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from surveywaves.mixed.cumulative import LINKS, Answers, independent
from surveywaves.mixed.design import FloatArray
from surveywaves.mixed.newton import newton
from surveywaves.terms import Status

STEPS: Final = 25
MANY: Final = 32
"""Columns from which on answers are looked at in parts,"""

AT_A_TIME: Final = 256
"""of so many rows."""

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
    thresholds: FloatArray
    slopes: FloatArray
    covariance: FloatArray
    status: Status = Status.OK
    note: str = ""


def intercepts(counts: FloatArray) -> Fit:
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


def fit(counts: FloatArray, design: FloatArray, start: Fit) -> Fit:
    """Fit the proportional-odds model (McCullagh 1980, J. R. Stat. Soc. B 42, 109).

    The log-likelihood is concave, so Newton's method with halved steps finds the maximum if there is one; it exists
    unless some predictor separates low from high answers, and then the linear predictor grows without end.

    Parameters
    ----------
    counts
        Rows x categories: how many answered what. Every category has answers.
    design
        Rows x predictors, without a constant, of full rank beside one.
    start
        A fit with the first of these predictors, or `intercepts`.
    """
    cuts, slopes = counts.shape[1] - 1, design.shape[1]
    evaluate = partial(independent, list(_answers(counts, design)), LINKS["logit"])
    free = np.arange(cuts + slopes)
    at = np.concatenate([start.thresholds, start.slopes, np.zeros(slopes - len(start.slopes) + 1)])
    point, settled = evaluate(at), False
    for _ in range(STEPS):
        step, scaled, concave = newton(point.gradient, point.hessian, free)
        settled = concave and scaled / 2 < SETTLED * (1 + abs(point.loglik))
        if settled:
            at = at + np.append(step, 0.0)
        if settled or not concave:
            break
        trial, size = evaluate(at + np.append(step, 0.0)), 1.0
        while not trial.loglik > point.loglik and size > 1e-6:
            size /= 2
            trial = evaluate(at + np.append(size * step, 0.0))
        at, point = trial.theta, trial
    if float(np.ptp(design @ at[cuts:-1])) > SEPARATED:
        return failed(Status.NOT_ESTIMABLE, "separation: groups or scores tell low answers from high")
    if not settled:
        return failed(Status.NOT_CONVERGED, "the ordinal model did not converge")
    covariance = np.linalg.inv(-point.hessian[:-1, :-1])[cuts:, cuts:]
    value = point.loglik + scaled / 2
    return Fit(value, at[:cuts], at[cuts:-1], np.asarray(covariance, dtype=np.float64))


def _answers(counts: FloatArray, design: FloatArray) -> Iterator[Answers]:
    """Yield the answers; many groups some at a time, each of which has few of the columns."""
    cuts = counts.shape[1] - 1
    chunks = [np.arange(len(design))]
    if design.shape[1] > MANY:
        together = np.lexsort((design != 0).T)
        chunks = np.array_split(together, range(AT_A_TIME, len(together), AT_A_TIME))
    for chunk in chunks:
        row, category = np.nonzero(counts[chunk])
        used, row_used = np.unique(row, return_inverse=True)
        own = np.flatnonzero(design[chunk].any(axis=0))
        upper, lower = (np.zeros((len(row), cuts)) for _ in range(2))
        some = np.flatnonzero(category < cuts)
        upper[some, category[some]] = 1.0
        some = np.flatnonzero(category > 0)
        lower[some, category[some] - 1] = 1.0
        yield Answers(
            np.arange(cuts),
            upper,
            lower,
            owned=cuts + own,
            classes=design[np.ix_(chunk[used], own)],
            of_class=row_used,
            starts=np.searchsorted(row_used, np.arange(len(used))),
            ceiling=np.where(category == cuts, np.inf, 0.0),
            floor=np.where(category == 0, -np.inf, 0.0),
            total=counts[chunk][row, category],
        )


def failed(status: Status, note: str) -> Fit:
    """State that there is no fit."""
    return Fit(np.nan, np.empty(0), np.empty(0), np.empty((0, 0)), status, note)
