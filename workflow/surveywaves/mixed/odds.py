"""Whether one statement's answers meet what the ordinal model assumes: proportional odds, and one dispersion.

The cumulative logit of one statement by cell, P(answer <= k) = F((theta_k - beta_c) / exp(zeta_c)), with zeta = 0, says
that cells differ by one shift at every threshold. It is tested against two larger models by likelihood ratio:

- *proportional odds*, against thresholds of each cell's own, (cells - 1) (levels - 2) more: as cells are all that there
  is, these are the observed shares, and no fit is needed (`ordinal::nominal_test(clm(answer ~ cell))`);
- *dispersion*, against a spread of each cell's own, zeta_c, cells - 1 more (`ordinal::scale_test`).

Each respondent answers a statement once, so that no respondent effect is in it. Answers count as one each: sampling
weights and teams are left out, with which a likelihood ratio has no chi-squared distribution.

The maximum is by Fisher scoring; a cell's own parameters meet the others in the thresholds only, so that its work grows
with cells and not with their square. Where answers lie so that a parameter has no finite estimate, the likelihood still
has a limit, and that is taken.

Sources: McCullagh (1980) J. R. Stat. Soc. B 42, 109; Cox (1995) Stat. Med. 14, 1191 (location and scale); Peterson and
Harrell (1990) Appl. Stat. 39, 205 (partial proportional odds); Cochran (1954) Biometrics 10, 417 (few expected).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.special import chdtrc, expit, logit

from surveywaves.mixed.design import Design, FloatArray
from surveywaves.terms import ALL, ORDINAL, Status

PROPORTIONAL_ODDS: Final = "proportional_odds"
DISPERSION: Final = "dispersion"

STEPS: Final = 200
SETTLED: Final = 1e-10
"""How much the last step may have added to the log-likelihood."""

FURTHEST: Final = 300.0
"""Log spreads beyond this are as this: the likelihood has reached its limit long before."""

RARE: Final = 1e-200
FEW: Final = 5.0
MOST: Final = 0.2
"""With more than this share of expected counts below 5, the chi-squared distribution is an approximation."""


def check_odds(design: Design, *, min_cell: int = 2) -> list[dict[str, Any]]:
    """Test proportional odds and one dispersion for a design of one statement.

    Parameters
    ----------
    design
        Of one item: see `make_design`. Its covariates play no part.
    min_cell
        Fewest respondents of a cell that takes part.

    Returns
    -------
    list of dict
        Two rows of a tidy table, terms `proportional_odds` and `dispersion`: the likelihood ratio as `estimate`, its
        degrees of freedom and p-value. Without two cells, or three levels that somebody used, the reason.
    """
    counts = np.zeros((len(design.cells), len(design.levels)))
    if design.items:
        given = design.answers[:, 0] > 0
        cell, level = design.cell[design.group[given]], design.answers[given, 0].astype(np.intp) - 1
        np.add.at(counts, (cell, level), design.persons[given])
    counts = counts[counts.sum(axis=1) >= min_cell]
    counts = counts[:, counts.sum(axis=0) > 0]
    common = {"analysis": ORDINAL, "wave": ALL, "organisation": ALL, "n": round(float(counts.sum()))}
    return [common | row for row in _tests(counts)]


def _tests(counts: FloatArray) -> Iterator[dict[str, Any]]:
    cells, levels = counts.shape
    terms = (PROPORTIONAL_ODDS, DISPERSION)
    if cells < 2 or levels < 3:
        what = "fewer than two cells" if cells < 2 else "two levels only"
        for term in terms:
            yield {"term": term, "status": Status.NOT_ESTIMABLE, "note": f"{what}: nothing to test"}
        return
    share = counts / counts.sum(axis=1, keepdims=True)
    saturated = float((counts * np.log(np.where(counts > 0, share, 1.0))).sum())
    proportional = _maximise(counts)
    scaled = _maximise(counts, proportional)
    expected = proportional.chance * counts.sum(axis=1, keepdims=True)
    note = "few answers: the test is approximate" if (expected < FEW).mean() > MOST else ""
    larger = (
        (saturated, (cells - 1) * (levels - 2), proportional.settled),
        (scaled.loglik, cells - 1, proportional.settled and scaled.settled),
    )
    for term, (loglik, df, settled) in zip(terms, larger, strict=True):
        if not settled:
            told = "no maximum of the likelihood was found"
            yield {"term": term, "status": Status.NOT_CONVERGED, "note": told}
            continue
        ratio = max(2 * (loglik - proportional.loglik), 0.0)
        yield {"term": term, "estimate": ratio, "df": df, "p_value": float(chdtrc(df, ratio)), "note": note}


class _Point(NamedTuple):
    """Thresholds (K - 1,), each cell's shift and log spread (C, 1 or 2), and what they come to."""

    theta: FloatArray
    own: FloatArray
    chance: FloatArray
    loglik: float
    settled: bool = False


def _at(counts: FloatArray, theta: FloatArray, own: FloatArray) -> _Point:
    chance = np.diff(_cumulative(theta, own)[0], axis=1, prepend=0.0, append=1.0)
    if (np.diff(theta) <= 0).any() or not np.isfinite(own).all():
        return _Point(theta, own, chance, -math.inf)
    return _Point(theta, own, chance, float((counts * np.log(np.maximum(chance, RARE))).sum()))


def _cumulative(theta: FloatArray, own: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(C, K - 1) chances of an answer at or below each threshold, where these lie, and (C, 1) 1 / spread."""
    spread = own[:, 1:2] if own.shape[1] > 1 else np.zeros((len(own), 1))
    narrow = np.exp(np.clip(-spread, -FURTHEST, FURTHEST))
    at = (theta - own[:, :1]) * narrow
    return np.asarray(expit(at), dtype=np.float64), at, narrow


def _maximise(counts: FloatArray, start: _Point | None = None) -> _Point:
    """Find the maximum, with a spread of each cell if it starts somewhere; the first cell's own are 0."""
    if start is None:
        below = counts.sum(axis=0).cumsum()[:-1] / counts.sum()
        point = _at(counts, logit(below), np.zeros((len(counts), 1)))
    else:
        point = _at(counts, start.theta, np.column_stack([start.own, np.zeros(len(counts))]))
    for _ in range(STEPS):
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                by_theta, by_own = _step(counts, point)
        except np.linalg.LinAlgError:  # on the way to infinity the curvature is lost in rounding
            return point
        if not (np.isfinite(by_theta).all() and np.isfinite(by_own).all()):
            return point
        size, best = 1.0, point
        while size > SETTLED:
            trial = _at(counts, point.theta + size * by_theta, point.own + size * by_own)
            if trial.loglik > best.loglik:
                best = trial
                break
            size /= 2
        gain = best.loglik - point.loglik
        point = best
        if gain < SETTLED:
            return point._replace(settled=True)
    return point


def _step(counts: FloatArray, point: _Point) -> tuple[FloatArray, FloatArray]:
    """Take a step of Fisher scoring, by elimination of each cell's own parameters."""
    cells, cuts = len(counts), len(point.theta)
    below, at, narrow = _cumulative(point.theta, point.own)
    density = below * (1 - below)
    slopes = np.zeros((cells, cuts + 1, cuts))
    each = np.arange(cuts)
    slopes[:, each, each] = density * narrow
    slopes[:, each + 1, each] = -density * narrow
    own = [-slopes.sum(axis=2)]
    if point.own.shape[1] > 1:
        own.append(-np.diff(density * at, axis=1, prepend=0.0, append=0.0))
    mine = np.stack(own, axis=2)
    mine[0] = 0.0
    chance = np.maximum(point.chance, RARE)
    number = counts.sum(axis=1)[:, None] / chance
    info = np.einsum("ck,ckj,ckl->jl", number, slopes, slopes)
    cross = np.einsum("ck,ckj,cka->cja", number, slopes, mine)
    alone = np.einsum("ck,cka,ckb->cab", number, mine, mine)
    alone += np.eye(mine.shape[2]) * (1e-9 + (np.arange(cells) == 0)[:, None, None])
    residual = counts / chance
    score, own_score = np.einsum("ck,ckj->j", residual, slopes), np.einsum("ck,cka->ca", residual, mine)
    carried = np.linalg.solve(alone, cross.transpose(0, 2, 1))
    left = info - np.einsum("cja,cal->jl", cross, carried)
    alone_step = np.linalg.solve(alone, own_score[:, :, None])[:, :, 0]
    right = score - np.einsum("cja,ca->j", cross, alone_step)
    step = np.linalg.solve(left + 1e-9 * np.eye(cuts), right)
    return step, alone_step - np.einsum("cal,l->ca", carried, step)
