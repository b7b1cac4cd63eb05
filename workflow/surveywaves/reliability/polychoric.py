"""Polychoric correlations, and alpha from them: of the normal variables that ordered answers may stand for."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from surveywaves.reliability.alpha import BACKWARD
from surveywaves.reliability.answers import Answers, Array, Row, join
from surveywaves.reliability.bivariate import STEEPEST, below, density
from surveywaves.tidy import Status

POINTS_AT_MOST: Final = 10
"""More response points than this are as good as continuous."""

STEPS: Final = 100
SETTLED: Final = 1e-10
AT_THE_END: Final = 0.998
"""Beyond this a correlation is taken to be at its end: its likelihood has no maximum inside."""

_FAR: Final = 40.0
_NOTHING: Final = 1e-15  # less than rounding leaves of the probability of a cell


def ordinal_alpha(answers: Answers) -> Row:
    """Cronbach's alpha of the polychoric correlations (Zumbo, Gadermann & Zeisser 2007).

    k m / (1 + (k - 1) m), with m the mean polychoric correlation: the same formula as alpha's, of another matrix.
    """
    low, high = answers.options.response_range
    if high - low + 1 > POINTS_AT_MOST:
        reason = f"more than {POINTS_AT_MOST} response points: as good as continuous"
        return {"status": Status.NOT_ESTIMABLE, "note": reason}
    rho, settled = polychoric((answers.scores - low).astype(np.intp), high - low + 1)
    rows, columns = np.triu_indices(answers.k, 1)
    pairs = [f"{answers.items[i]} and {answers.items[j]}" for i, j in zip(rows, columns, strict=True)]
    found = rho[rows, columns]
    if (np.abs(found) > AT_THE_END).any():
        at = ", ".join(pair for pair, r in zip(pairs, found, strict=True) if abs(r) > AT_THE_END)
        return {"status": Status.NOT_ESTIMABLE, "note": f"a polychoric correlation goes to its end: {at}"}
    if not settled.all():
        at = ", ".join(pair for pair, ok in zip(pairs, settled, strict=True) if not ok)
        return {"status": Status.NOT_CONVERGED, "note": f"no settled polychoric correlation: {at}"}
    total = answers.k + 2 * float(found.sum())
    if total < 1e-9:
        return {"status": Status.NOT_ESTIMABLE, "note": "the polychoric correlations add up to nothing"}
    alpha = answers.k / (answers.k - 1) * (1 - answers.k / total)
    improper = float(np.linalg.eigvalsh(rho)[0]) < -1e-9
    warning = "the polychoric correlations are no proper correlation matrix" if improper else ""
    return {"estimate": alpha, "note": join(warning, BACKWARD if alpha < 0 else "")}


def polychoric(codes: NDArray[np.intp], points: int) -> tuple[Array, NDArray[np.bool_]]:
    """Polychoric correlations in two steps (Olsson 1979).

    Thresholds come from the margins, tau_a = Phi^-1(share at or below a); then each correlation maximises
    sum n_ab log P_ab over the cells of its two-way table, P_ab the bivariate normal probability of the rectangle
    between the thresholds. Empty cells stay empty: nothing is added to them (``psych::polychoric(correct = 0)``). The
    maximum is where the slope sum n_ab P'_ab / P_ab changes sign, with P' from the density: Fisher scoring, kept
    between bounds that close in, for all pairs at once.

    Parameters
    ----------
    codes
        Respondents x items, 0 to points - 1, none missing; every item varies.
    points
        Number of response points.

    Returns
    -------
    rho
        Items x items.
    settled
        A pair each, in the order of ``np.triu_indices(k, 1)``: whether the search ended.
    """
    n, k = codes.shape
    rows, columns = np.triu_indices(k, 1)
    tables = _tables(codes, points)
    shares = (
        np.stack([np.bincount(codes[:, j], minlength=points) for j in range(k)]).cumsum(axis=1)[:, :-1] / n
    )
    thresholds = np.clip(ndtri(shares), -_FAR, _FAR)
    a = np.broadcast_to(thresholds[rows][:, :, None], (len(rows), points - 1, points - 1))
    b = np.broadcast_to(thresholds[columns][:, None, :], a.shape)
    start = np.asarray(np.corrcoef(codes, rowvar=False), dtype=np.float64)[rows, columns]
    found, settled = _climb(tables[rows, :, columns, :], a, b, np.clip(start, -0.9, 0.9))
    rho = np.eye(k)
    rho[rows, columns] = rho[columns, rows] = found
    return rho, settled


def _tables(codes: NDArray[np.intp], points: int) -> Array:
    """Two-way tables of all pairs of items: item x answer x item x answer."""
    k = codes.shape[1]
    chosen = np.zeros((len(codes), k * points))
    chosen[np.arange(len(codes))[:, None], codes + points * np.arange(k)] = 1.0
    return np.asarray((chosen.T @ chosen).reshape(k, points, k, points), dtype=np.float64)


def _climb(counts: Array, a: Array, b: Array, start: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Find where the slope of each pair's log-likelihood changes sign."""
    found = start.copy()
    low, high = np.full(len(start), -STEEPEST), np.full(len(start), STEEPEST)
    settled = np.zeros(len(start), dtype=np.bool_)
    for _ in range(STEPS):
        on = np.flatnonzero(~settled)
        if not len(on):
            break
        rho = found[on]
        spread = np.broadcast_to(rho[:, None, None], a[on].shape)
        probability = _cells(below(a[on], b[on], spread), a[on], b[on])
        turn = _differences(np.pad(density(a[on], b[on], spread), ((0, 0), (1, 1), (1, 1))))
        slope = (counts[on] * turn / np.maximum(probability, _NOTHING)).sum(axis=(1, 2))
        each = np.where(probability > _NOTHING, turn**2 / np.maximum(probability, _NOTHING), 0.0)
        information = counts[on].sum(axis=(1, 2)) * each.sum(axis=(1, 2))
        low[on], high[on] = np.where(slope > 0, rho, low[on]), np.where(slope < 0, rho, high[on])
        with np.errstate(all="ignore"):
            tried = rho + slope / information
        inside = np.isfinite(tried) & (tried > low[on]) & (tried < high[on])
        found[on] = np.where(inside, tried, (low[on] + high[on]) / 2)
        settled[on] = (np.abs(found[on] - rho) < SETTLED) | (slope == 0)
        found[on] = np.where(slope == 0, rho, found[on])
    return found, settled


def _cells(corner: Array, a: Array, b: Array) -> Array:
    """Probabilities of the rectangles from those below their upper corners."""
    full = np.pad(corner, ((0, 0), (1, 1), (1, 1)))
    full[:, 1:-1, -1], full[:, -1, 1:-1], full[:, -1, -1] = ndtr(a[:, :, 0]), ndtr(b[:, 0, :]), 1.0
    return _differences(full)


def _differences(corners: Array) -> Array:
    return np.asarray(np.diff(np.diff(corners, axis=1), axis=2), dtype=np.float64)
