"""McDonald's omega, from one common factor, and ordinal alpha, from polychoric correlations.

Polychoric correlations are those of the normal variables that ordered answers may stand for: they take bivariate normal
probabilities, here for many pairs of bounds and correlations at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, combinations_with_replacement
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from surveywaves.reliability.alpha import BACKWARD
from surveywaves.reliability.answers import Answers, Array, Codes, Row, join, named
from surveywaves.terms import Status

STEEPEST: Final = 0.999
"""Largest correlation for which `below` is right to 1e-14."""

_STEEP: Final = 0.9
_NODES: Final = {steep: np.polynomial.legendre.leggauss(n) for steep, n in ((False, 20), (True, 64))}


def below(a: Array, b: Array, rho: Array) -> Array:
    """Probability that two standard normal variables with correlation rho are below a and b.

    P = Phi(a) Phi(b) + 1 / (2 pi) times the integral over t from 0 to arcsin rho of
    exp(-(a^2 + b^2 - 2 a b sin t) / (2 cos^2 t)) (Drezner & Wesolowsky 1990, in the form of Genz 2004), by
    Gauss-Legendre: 20 nodes up to .9, 64 up to .999, right to 1e-14. Bounds must be finite; 40 is as good as
    infinite.

    Parameters
    ----------
    a, b, rho
        Arrays that broadcast together.
    """
    nodes, weights = _NODES[bool(np.abs(rho).max(initial=0.0) > _STEEP)]
    angle = np.arcsin(rho)[..., None]
    at = (nodes + 1) / 2 * angle
    sine = np.sin(at)
    a_, b_ = a[..., None], b[..., None]
    inside = np.exp((a_ * b_ * sine - (a_**2 + b_**2) / 2) / (1 - sine**2))
    return np.asarray(ndtr(a) * ndtr(b) + (inside @ weights) * angle[..., 0] / (4 * np.pi), dtype=np.float64)


def density(a: Array, b: Array, rho: Array) -> Array:
    """Density at a, b: also the derivative of `below` by rho."""
    left = 1 - rho**2
    return np.asarray(
        np.exp((rho * a * b - (a**2 + b**2) / 2) / left) / (2 * np.pi * np.sqrt(left)), dtype=np.float64
    )


POINTS_AT_MOST: Final = 10
"""More response points than this are as good as continuous."""

POLYCHORIC_STEPS: Final = 100
POLYCHORIC_SETTLED: Final = 1e-10
AT_THE_END: Final = 0.998
"""Beyond this a correlation is taken to be at its end: its likelihood has no maximum inside."""

FAR: Final = 40.0
NOTHING: Final = 1e-15  # less than rounding leaves of the probability of a cell


def ordinal_alpha(answers: Answers) -> Row:
    """Cronbach's alpha of the polychoric correlations (Zumbo, Gadermann & Zeisser 2007).

    k m / (1 + (k - 1) m), with m the mean polychoric correlation: the same formula as alpha's, of another matrix.
    """
    low, high = answers.options.response_range
    if high - low + 1 > POINTS_AT_MOST:
        reason = f"more than {POINTS_AT_MOST} response points: as good as continuous"
        return {"status": Status.NOT_ESTIMABLE, "note": reason}
    rho, settled = polychoric(tables((answers.scores - low).astype(np.intp), high - low + 1))
    found = rho[np.triu_indices(answers.k, 1)]
    if refusal := refused(found, settled, answers.items):
        return {"status": refusal[0], "note": refusal[1]}
    total = answers.k + 2 * float(found.sum())
    if total < 1e-9:
        return {"status": Status.NOT_ESTIMABLE, "note": "the polychoric correlations add up to nothing"}
    alpha = answers.k / (answers.k - 1) * (1 - answers.k / total)
    improper = float(np.linalg.eigvalsh(rho)[0]) < -1e-9
    warning = "the polychoric correlations are no proper correlation matrix" if improper else ""
    return {"estimate": alpha, "note": join(warning, BACKWARD if alpha < 0 else "")}


def polychoric(counted: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Polychoric correlations in two steps (Olsson 1979).

    Thresholds come from the margins, tau_a = Phi^-1(share at or below a); then each correlation maximises
    sum n_ab log P_ab over the cells of its two-way table, P_ab the bivariate normal probability of the rectangle
    between the thresholds. Empty cells stay empty: nothing is added to them (``psych::polychoric(correct = 0)``). The
    maximum is where the slope sum n_ab P'_ab / P_ab changes sign, with P' from the density: Fisher scoring, kept
    between bounds that close in, for all pairs at once.

    Parameters
    ----------
    counted
        How many gave each two answers: see `tables`. Every item varies.

    Returns
    -------
    rho
        Items x items.
    settled
        A pair each, in the order of ``np.triu_indices(k, 1)``: whether the search ended.
    """
    k, points = counted.shape[:2]
    rows, columns = np.triu_indices(k, 1)
    margins = counted[np.arange(k), :, np.arange(k), :].sum(axis=2)
    shares = margins.cumsum(axis=1)[:, :-1] / margins[0].sum()
    thresholds = np.clip(ndtri(shares), -FAR, FAR)
    a = np.broadcast_to(thresholds[rows][:, :, None], (len(rows), points - 1, points - 1))
    b = np.broadcast_to(thresholds[columns][:, None, :], a.shape)
    means = margins @ np.arange(points) / margins[0].sum()
    away = np.arange(points) - means[:, None]
    spread = np.einsum("iajb,ia,jb->ij", counted, away, away)
    start = (spread / np.sqrt(np.outer(np.diag(spread), np.diag(spread))))[rows, columns]
    found, settled = _climb(counted[rows, :, columns, :], a, b, np.clip(start, -0.9, 0.9))
    rho = np.eye(k)
    rho[rows, columns] = rho[columns, rows] = found
    return rho, settled


AT_ITS_END: Final = "a polychoric correlation goes to its end"


def refused(found: Array, settled: NDArray[np.bool_], items: Sequence[str]) -> tuple[Status, str] | None:
    """Why polychoric correlations are of no use, and those of which items; None if all are.

    Parameters
    ----------
    found, settled
        Each pair's, as `polychoric` gives them.
    items
        Their names.
    """
    if note := of_pairs(AT_ITS_END, items, np.abs(found) > AT_THE_END):
        return Status.NOT_ESTIMABLE, note
    if note := of_pairs("no settled polychoric correlation", items, ~settled):
        return Status.NOT_CONVERGED, note
    return None


def of_pairs(what: str, items: Sequence[str], marked: NDArray[np.bool_]) -> str:
    """Name the marked pairs of items after `what`; empty if there are none."""
    return named(what, [f"{one} and {other}" for one, other in combinations(items, 2)], marked)


def tables(codes: Codes, points: int, counts: NDArray[np.intp] | None = None) -> Array:
    """Count the two-way tables of all pairs of items.

    Parameters
    ----------
    codes, points
        See `surveywaves.reliability.answers.patterns`.
    counts
        How many respondents each row stands for; None: one.

    Returns
    -------
    Array
        Item x answer x item x answer.
    """
    columns = np.ascontiguousarray(codes.T, dtype=np.intp)
    found = np.empty((len(columns), points) * 2)
    for i, j in combinations_with_replacement(range(len(columns)), 2):
        table = np.bincount(points * columns[i] + columns[j], counts, points**2).reshape(points, points)
        found[i, :, j], found[j, :, i] = table, table.T
    return found


def _climb(counts: Array, a: Array, b: Array, start: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Find where the slope of each pair's log-likelihood changes sign."""
    found = start.copy()
    low, high = np.full(len(start), -STEEPEST), np.full(len(start), STEEPEST)
    settled = np.zeros(len(start), dtype=np.bool_)
    for _ in range(POLYCHORIC_STEPS):
        on = np.flatnonzero(~settled)
        if not len(on):
            break
        rho = found[on]
        spread = np.broadcast_to(rho[:, None, None], a[on].shape)
        probability = _cells(below(a[on], b[on], spread), a[on], b[on])
        turn = rectangles(_bordered(density(a[on], b[on], spread)))
        slope = (counts[on] * turn / np.maximum(probability, NOTHING)).sum(axis=(1, 2))
        each = np.where(probability > NOTHING, turn**2 / np.maximum(probability, NOTHING), 0.0)
        information = counts[on].sum(axis=(1, 2)) * each.sum(axis=(1, 2))
        low[on], high[on] = np.where(slope > 0, rho, low[on]), np.where(slope < 0, rho, high[on])
        with np.errstate(all="ignore"):
            tried = rho + slope / information
        inside = np.isfinite(tried) & (tried > low[on]) & (tried < high[on])
        found[on] = np.where(inside, tried, (low[on] + high[on]) / 2)
        settled[on] = (np.abs(found[on] - rho) < POLYCHORIC_SETTLED) | (slope == 0)
        found[on] = np.where(slope == 0, rho, found[on])
    return found, settled


def _cells(corner: Array, a: Array, b: Array) -> Array:
    """Probabilities of the rectangles from those below their upper corners."""
    full = _bordered(corner)
    full[:, 1:-1, -1], full[:, -1, 1:-1], full[:, -1, -1] = ndtr(a[:, :, 0]), ndtr(b[:, 0, :]), 1.0
    return rectangles(full)


def _bordered(corners: Array) -> Array:
    """Put zeros round each of several matrices: `np.pad` takes longer than all else."""
    number, rows, columns = corners.shape
    full = np.zeros((number, rows + 2, columns + 2))
    full[:, 1:-1, 1:-1] = corners
    return full


def rectangles(corners: Array) -> Array:
    """Probabilities of rectangles, or their slopes, from those below each of their corners."""
    return np.asarray(np.diff(np.diff(corners, axis=1), axis=2), dtype=np.float64)


OMEGA_STEPS: Final = 200
OMEGA_SETTLED: Final = 1e-11
OMEGA_ALIKE: Final = 1e-12
"""Less misfit than this is the same minimum, come to from elsewhere."""
ENDLESS: Final = 10.0
"""A loading beyond this is on its way to infinity, the others to 0."""


def omega_total(answers: Answers) -> Row:
    """Omega total of a one-factor model of the standardised items, by minimum residuals.

    With loadings l_i that minimise the squared residual correlations, sum (r_ij - l_i l_j)^2 over i < j (Harman &
    Jones 1966), uniquenesses u_i = 1 - l_i^2, and V the sum of all correlations, omega = 1 - sum u_i / V (McDonald
    1999; Revelle & Condon 2019). This is ``psych::omega(nfactors = 1)$omega.tot``, but no item is turned round here.
    """
    if answers.k < 3:
        which = "items" if len(answers.asked) < 3 else "items that vary"
        return {"status": Status.NOT_ESTIMABLE, "note": f"two {which} are too few for a factor"}
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

    Where items hardly go together the misfit has several minima. A damped Newton method is begun at many places at
    once, and of the minima that it comes to the one of least misfit is taken. It begins on every principal axis whose
    eigenvalue is positive, and, for each item, where loadings are its correlations. With residuals e_ij (zero for
    i = j), the slope is -2 sum_j e_ij l_j, the curvature 2 sum_(j not i) l_j^2 for i = j and 2 (l_i l_j - e_ij)
    elsewhere.
    """
    k = len(correlation)
    off, diagonal = 1.0 - np.eye(k), np.arange(k)
    loadings = _starts(correlation)
    misfit = _misfit(correlation, loadings)
    damping, best, least = np.full(len(loadings), 1e-3), None, np.inf
    for _ in range(OMEGA_STEPS):
        residuals = off * (correlation - loadings[:, :, None] * loadings[:, None, :])
        slope = -2 * np.einsum("sij,sj->si", residuals, loadings)
        curvature = 2 * off * (loadings[:, :, None] * loadings[:, None, :] - residuals)
        squares = loadings**2
        curvature[:, diagonal, diagonal] = 2 * (squares.sum(axis=1, keepdims=True) - squares)
        lowest = np.linalg.eigvalsh(curvature)[:, 0]
        settled = np.abs(slope).max(axis=1) < OMEGA_SETTLED
        for place in np.flatnonzero(settled & (lowest > 1e-8)):
            if misfit[place] < least - OMEGA_ALIKE:
                best, least = loadings[place], misfit[place]
        going = ~settled & (damping <= 1e8) & (np.abs(loadings).max(axis=1) < ENDLESS)
        if not going.any():
            break
        loadings, misfit, damping = loadings[going], misfit[going], damping[going]
        lift = np.maximum(0.0, 1e-6 - lowest[going]) + damping
        curvature[going, diagonal[:, None], diagonal[:, None]] += lift
        tried = loadings - np.linalg.solve(curvature[going], slope[going][:, :, None])[:, :, 0]
        left = _misfit(correlation, tried)
        # So near to the minimum that only rounding is left, a step may seem to lead uphill.
        taken = left <= misfit + 1e-14
        loadings = np.where(taken[:, None], tried, loadings)
        misfit = np.where(taken, left, misfit)
        eased = np.where(damping > 1e-13, damping / 10, 0.0)
        damping = np.where(taken, eased, np.maximum(10 * damping, 1e-8))
    return None if best is None else best * (1.0 if best.sum() >= 0 else -1.0)


def _misfit(correlation: Array, loadings: Array) -> Array:
    """(S,) squared residual correlations of S sets of loadings, (S, k), each pair twice."""
    residuals = correlation - loadings[:, :, None] * loadings[:, None, :]
    own = np.arange(len(correlation))
    residuals[:, own, own] = 0.0
    return np.asarray((residuals**2).sum(axis=(1, 2)), dtype=np.float64)


def _starts(correlation: Array) -> Array:
    """(S, k) where the search begins: principal axes, the communalities the largest correlations; items."""
    own = np.arange(len(correlation))
    reduced = correlation.copy()
    reduced[own, own] = np.abs(correlation - np.eye(len(own))).max(axis=0)
    values, vectors = np.linalg.eigh(reduced)
    axes = (vectors * np.sqrt(np.maximum(values, 1e-4)))[:, ::-1].T
    single = np.where(np.eye(len(own)) > 0, 0.7, correlation)
    return np.vstack([axes[: max(1, int((values > 0).sum()))], single])
