"""An interval for alpha that does not assume normal answers: the respondents drawn again, with replacement."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from surveywaves.reliability.alpha import BACKWARD, FLAT, alpha_of
from surveywaves.reliability.answers import Answers, Array, Row, join
from surveywaves.tidy import Status

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
