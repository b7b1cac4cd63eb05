"""Covariances of a linear fit that hold where cells differ in spread: CR2, with Satterthwaite's degrees of freedom.

The model has one variance between and one within respondents. Where cells differ in them, its estimates stay unbiased
and its standard errors do not. A sandwich takes the spread from the residuals of each cluster, the respondent or, with
a variance between teams, the team:

    cov b = M (sum of X_i'W_i A_i e_i e_i'A_i'W_i X_i) M,   M = (X'WX)^-1,   W_i = V_i^-1.

With M X'W y for b, the residuals e_i of a cluster have the covariance V_i - Q_i, Q_i = X_i M X_i', if the model holds.
A_i makes it V_i again (Bell and McCaffrey's CR2), so that the covariance is then unbiased:

- respondents: the symmetric A with A (V - Q) A = V, which is S (S (V - Q) S)^(-1/2) S with S the root of V. This is
  what `clubSandwich::vcovCR(type = "CR2")` takes of `lme4`'s fits. Respondents who answered the same items in the same
  cell, with the same covariates, share one matrix of the size of the items.
- teams: A = S (I - S^-1 Q S^-1)^(-1/2) S^-1, which is as good and needs no matrix of the size of the team: with M =
  RR', a team's whitened score is R'X'W A e = (I - R'X'WXR)^(-1/2) R'X'W e.

Degrees of freedom of a combination l are those of the quadratic form that estimates its variance, 2 E^2 / Var =
(tr P)^2 / tr PP under the model, with P_ij = g_i'(V - XMX')_ij g_j and g_i = A_i'W_i X_i M l. Off the diagonal this is
-u_i'M u_j with u_i = X_i'g_i, so that both traces are sums over clusters.

The variances' own covariance is H^-1 (sum of squared scores) H^-1, times m / (m - 1) for m clusters, with H half the
Hessian of the REML deviance. Respondents' scores are of A_i e_i, so that each has expectation 0.

What an estimate takes from one cluster alone (a cell of one respondent) leaves no residual. No variance can be told
from that, and `Robust.unseen` says how much of an estimate's variance it is.

Sources: Bell and McCaffrey (2002) Surv. Methodol. 28, 169; Pustejovsky and Tipton (2018) J. Bus. Econ. Stat. 36, 672,
and their R package clubSandwich; Satterthwaite (1946) Biom. Bull. 2, 110; White (1982) Econometrica 50, 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.sandwich import Residuals, sum_team_scores

NUMBERS: Final = 1 << 18
"""So many numbers of groups' or patterns' matrices are written out at a time."""

LIGHT: Final = 1e-3
"""Where leverages sum to this or less, two terms of the series for A are right to 1e-9."""

ALONE: Final = 1e-8
"""A residual that has this share of its variance left, or less, is none."""


class Working(Protocol):
    """What the model says of the clusters' scores."""

    def traces(self, contrast: FloatArray) -> tuple[float, float]:
        """Traces of P and of PP, over sigma2 and its square, for a (P,) combination of the coefficients."""


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """Covariances by the sandwich, and what they rest on.

    Parameters
    ----------
    cov, variance_cov
        (P, P) of the coefficients, (1 + r, 1 + r) of sigma2 and the variance ratios.
    root
        (P, p) a root of the model's covariance over sigma2.
    blind
        (P, K) directions that one cluster alone determines, in units of the root.
    working
        What the model says of the clusters' scores.
    """

    cov: FloatArray
    variance_cov: FloatArray
    root: FloatArray
    blind: FloatArray
    working: Working

    def df(self, contrast: FloatArray) -> float:
        """Satterthwaite's degrees of freedom of a (P,) combination; NaN where it has no variance."""
        trace, squares = self.working.traces(contrast)
        return trace**2 / squares if squares > 0 else math.nan

    def unseen(self, contrast: FloatArray) -> float:
        """Share of the model's variance of a (P,) combination that one cluster alone makes."""
        whole = float(((contrast @ self.root) ** 2).sum())
        return float(((contrast @ self.blind) ** 2).sum()) / whole if whole > 0 else 0.0


def robust_covariances(
    design: Design,
    left: Residuals,
    *,
    by_team: bool,
    sigma2: float,
    theta: float,
    theta_team: float,
    model_cov: FloatArray,
    variance_cov: FloatArray,
) -> Robust:
    """Find the covariances of an unweighted fit.

    Parameters
    ----------
    design, left
        A design, and what its fit leaves.
    by_team
        Whether clusters are teams, otherwise respondents.
    sigma2, theta, theta_team
        Variance within respondents; variances between respondents and between teams over it.
    model_cov, variance_cov
        (P, P), (2, 2) or (3, 3) covariances that the model itself would give.
    """
    root = root_of(model_cov / sigma2)
    if by_team:
        teams = _Teams(design, left, root=root, theta=theta, theta_team=theta_team)
        scores, parts = sum_team_scores(design, left, sigma2=sigma2, theta_team=theta_team)
        scores = teams.adjusted(scores @ root)
        meat, parts, number = scores.T @ scores, parts.T @ parts, len(design.teams)
        working: Working = teams
        blind = teams.blind
    else:
        respondents = _Respondents(design, root=root, theta=theta)
        meat, parts = respondents.meat(left, sigma2=sigma2)
        number = round(float(design.persons.sum()))
        working, blind = respondents, respondents.blind
    half, size = variance_cov / 2, len(variance_cov)
    return Robust(
        cov=root @ meat @ root.T,
        variance_cov=number / max(number - 1, 1) * half @ parts[:size, :size] @ half,
        root=root,
        blind=root @ blind,
        working=working,
    )


def root_of(cov: FloatArray) -> FloatArray:
    """(P, p) R with RR' = cov, a covariance of p independent columns among P, 0 for the others.

    Each column of the model is scaled to its own standard error first.
    """
    kept = np.flatnonzero(np.diagonal(cov) > 0)
    units = np.sqrt(np.diagonal(cov)[kept])
    root = np.zeros((len(cov), len(kept)))
    root[kept] = units[:, None] * np.linalg.cholesky(cov[np.ix_(kept, kept)] / np.outer(units, units))
    return root


class _Respondents:
    """Respondents as clusters, group by group; everything over sigma2, answers that are missing being 0."""

    def __init__(self, design: Design, *, root: FloatArray, theta: float) -> None:
        self._design, self._theta, self._cov = design, theta, root @ root.T
        self._squared = self._cov[: len(design.cells), : len(design.cells)] ** 2
        size, items, groups = root.shape[1], len(design.items), len(design.cell)
        self._item = np.zeros((items, size))  # what an item adds to a whitened row
        self._item[1:] = root[design.item_columns]
        fixed = root.copy()
        fixed[design.item_columns] = 0.0
        self._persons = add_by(design.group, design.persons, groups)
        self._square = add_by(design.group, design.square, groups) / self._persons
        self._row, self._adjust = np.empty((groups, size)), np.empty((groups, items, items))
        self._step = max(NUMBERS // items**2, 1)
        blind = [np.zeros((size, 0))]
        for start in range(0, groups, self._step):
            chunk = slice(start, start + self._step)
            self._row[chunk] = design.group_rows(chunk) @ fixed
            self._adjust[chunk], lost = self._adjustments(chunk)
            blind.append(lost)
        self.blind = np.hstack(blind)
        """(p, K) whitened directions that one respondent alone determines."""

    def _adjustments(self, chunk: slice) -> tuple[FloatArray, FloatArray]:
        """(size, J, J) A, and (p, K) what it cannot restore."""
        answered = self._design.answered[chunk].astype(np.float64)
        k = answered.sum(axis=1)[:, None, None]
        rows, theta = self._row[chunk], self._theta
        cross = rows @ self._item.T
        hat = (rows**2).sum(axis=1)[:, None, None] + cross[:, :, None] + cross[:, None, :]
        hat = (hat + self._item @ self._item.T) * (answered[:, :, None] * answered[:, None, :])
        adjust = np.empty_like(hat)
        light = np.trace(hat, axis1=1, axis2=2) <= LIGHT
        adjust[light] = _series(hat[light], answered[light], k[light], theta)
        heavy = np.flatnonzero(~light)
        adjust[heavy], alone, vectors = _roots(
            hat[heavy], answered[heavy], k[heavy], theta, one=self._persons[chunk][heavy] < 2
        )
        lost = [np.zeros((len(self._item[0]), 0))]
        for place, which in np.argwhere(alone):
            group, number = heavy[place], float(k[heavy[place], 0, 0])
            vector = vectors[place, :, which] * answered[group]
            vector += (1 / math.sqrt(1 + number * theta) - 1) / number * vector.sum() * answered[group]
            lost.append((rows[group] * vector.sum() + vector @ self._item)[:, None])
        return adjust, np.hstack(lost)

    def _solved(self, values: FloatArray, chunk: slice | IntArray) -> FloatArray:
        """(size, J) V^-1 values of some groups."""
        answered = self._design.answered[chunk]
        lean = self._theta / (1 + self._theta * answered.sum(axis=1))
        return np.asarray(values - (lean * values.sum(axis=1))[:, None] * answered, dtype=np.float64)

    def traces(self, contrast: FloatArray) -> tuple[float, float]:
        """Add up group by group. Of u only its cell, and the few columns of items and covariates, are not 0."""
        design, cov = self._design, self._cov
        cells, items = len(design.cells), design.item_columns
        fixed, lean = cov @ contrast, cov[cells:, cells:]
        of_item = np.append(0.0, fixed[items])[: len(design.items)]
        trace, squares, size = 0.0, 0.0, len(cov) - cells
        # the sum of w u u' by cell, by cell and other column, and by these
        by_cell, crossed, others = np.zeros(cells), np.zeros((cells, size)), np.zeros((size, size))
        for start in range(0, len(self._row), self._step):
            chunk = slice(start, start + self._step)
            cell, profile = design.cell[chunk], design.profiles[design.profile[chunk]]
            fitted = (fixed[cell] + profile @ fixed[items.stop :])[:, None] + of_item
            g = _times(self._adjust[chunk], self._solved(fitted * design.answered[chunk], chunk))
            total = g.sum(axis=1)
            u = np.hstack([g[:, 1:], profile * total[:, None]])
            shared = cov[cell, cell] * total**2 + 2 * total * (cov[cell, cells:] * u).sum(axis=1)
            shared += ((u @ lean) * u).sum(axis=1)
            own = (g**2).sum(axis=1) + self._theta * total**2 - shared
            weight = self._persons[chunk] * self._square[chunk]
            trace += float(weight @ own)
            squares += float((weight * self._square[chunk]) @ (own**2 - shared**2))
            by_cell += add_by(cell, weight * total**2, cells)
            by_other = [add_by(cell, weight * total * one, cells) for one in u.T]
            crossed += np.array(by_other).reshape(size, cells).T
            others += u.T @ (weight[:, None] * u)
        # with B = diag(d) + AJ' + JA', J the other columns: tr BMBM
        left, right = cov @ np.vstack([crossed, others / 2]), cov[:, cells:]
        bent, turned = crossed.T @ left[:cells] + others @ left[cells:] / 2, left[cells:]
        squares += float(by_cell @ self._squared @ by_cell)
        squares += 4 * float(by_cell @ (left * right)[:cells].sum(axis=1))
        squares += 2 * float((turned * turned.T).sum() + (lean * bent.T).sum())
        return trace, squares

    def meat(self, left: Residuals, *, sigma2: float) -> tuple[FloatArray, FloatArray]:
        """(p, p) and (3, 3) sums of squared scores, of the coefficients times sigma2, of the variances times -2."""
        size, square = self._row.shape[1], self._design.square
        columns, parts = np.zeros((size, size)), np.zeros((3, 3))
        for start in range(0, len(square), self._step):
            chunk = slice(start, start + self._step)
            group, weight = self._design.group[chunk], square[chunk, None]
            marginal = _times(self._adjust[group], left.marginal(chunk))
            solved = self._solved(marginal, group)
            total = solved.sum(axis=1)
            score = self._row[group] * total[:, None] + solved @ self._item
            columns += score.T @ (weight * score)
            part = np.zeros((len(group), 3))
            part[:, 0] = left.answered[chunk] / sigma2 - (solved * marginal).sum(axis=1) / sigma2**2
            part[:, 1] = left.precision[chunk] - total**2 / sigma2
            parts += part.T @ (weight * part)
        return columns, parts


def _roots(
    hat: FloatArray, answered: FloatArray, k: FloatArray, theta: float, *, one: BoolArray
) -> tuple[FloatArray, BoolArray, FloatArray]:
    """(G, J, J) A by eigenvalues; of groups of one respondent, which of them are 0; and the eigenvectors."""
    both = answered[:, :, None] * answered[:, None, :]
    # of V = I + theta 11' the root is I + c 11', and its square I + (2 theta + k theta^2) 11'
    c = (np.sqrt(1 + k * theta) - 1) / k
    between = np.eye(hat.shape[1]) + (2 * theta + k * theta**2) * both - _sides(hat, answered, c)
    values, vectors = np.linalg.eigh(between)
    least = np.maximum(ALONE, 1e-14 * (1 + k[:, 0] * theta) ** 2)
    alone = (values <= least) & one[:, None]
    scaled = vectors * np.where(alone, 0.0, np.maximum(values, least) ** -0.25)[:, None, :]
    return _sides(scaled @ scaled.transpose(0, 2, 1), answered, c) * both, alone, vectors


def _series(hat: FloatArray, answered: FloatArray, k: FloatArray, theta: float) -> FloatArray:
    """(G, J, J) A for light Q: with D = A - I, DV + VD = Q + DQ + QD - DVD, twice put in."""
    both = answered[:, :, None] * answered[:, None, :]
    # on what sums to 0, V is 1; on the mean it is 1 + k theta
    ends = k * theta / (2 + k * theta) / k
    middle = (0.5 / (1 + k * theta) + 0.5 - 2 / (2 + k * theta)) / k**2

    def solved(right: FloatArray) -> FloatArray:
        sums = right @ answered[:, :, None]
        crossed = ends / 2 * sums * answered[:, None, :]
        total = (sums[:, :, 0] * answered).sum(axis=1)[:, None, None]
        return np.asarray(right / 2 - crossed - crossed.transpose(0, 2, 1) + middle * total * both)

    first = solved(hat)
    turned = first @ hat
    lean = first @ answered[:, :, None]
    second = turned + turned.transpose(0, 2, 1) - first @ first - theta * lean * lean.transpose(0, 2, 1)
    return np.asarray(np.eye(hat.shape[1]) * both + first + solved(second), dtype=np.float64)


def _sides(matrices: FloatArray, answered: FloatArray, c: FloatArray) -> FloatArray:
    """(G, J, J) (I + c 11') matrix (I + c 11') of symmetric matrices, the ones being where there is an answer."""
    sums = (matrices @ answered[:, :, None])[:, :, 0]
    ends = c[:, :, 0] * sums
    total = c**2 * (sums * answered).sum(axis=1)[:, None, None]
    crossed = ends[:, :, None] * answered[:, None, :]
    return np.asarray(
        matrices + crossed + crossed.transpose(0, 2, 1) + total * answered[:, :, None] * answered[:, None, :],
        dtype=np.float64,
    )


def _times(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """(G, J) each matrix times its vector."""
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0], dtype=np.float64)


class _Teams:
    """Teams as clusters, by the eigenvalues of their shares of the whitened information."""

    def __init__(
        self, design: Design, left: Residuals, *, root: FloatArray, theta: float, theta_team: float
    ) -> None:
        values, vectors = np.linalg.eigh(
            _information(design, left, root=root, theta=theta, theta_team=theta_team)
        )
        left_over = 1 - values
        alone = left_over <= ALONE
        self._root, self._values = root, np.maximum(values, 0.0)
        self._grown = np.where(alone, 0.0, np.maximum(left_over, ALONE) ** -0.5)
        self._vectors = vectors
        self.blind = vectors.transpose(0, 2, 1)[alone].T
        """(p, K) whitened directions that one team alone determines."""

    def adjusted(self, scores: FloatArray) -> FloatArray:
        """(T, p) whitened scores of the adjusted residuals."""
        turned = np.einsum("tpq,tp->tq", self._vectors, scores) * self._grown
        return np.asarray(np.einsum("tpq,tq->tp", self._vectors, turned), dtype=np.float64)

    def traces(self, contrast: FloatArray) -> tuple[float, float]:
        """Add up team by team."""
        turned = np.einsum("tpq,p->tq", self._vectors, contrast @ self._root)
        own = (turned**2 * self._values * (self._grown > 0)).sum(axis=1)
        shared = np.einsum("tpq,tq->tp", self._vectors, turned * self._values * self._grown)
        squares = (own**2 - (shared**2).sum(axis=1) ** 2).sum() + ((shared.T @ shared) ** 2).sum()
        return float(own.sum()), float(squares)


def _information(
    design: Design, left: Residuals, *, root: FloatArray, theta: float, theta_team: float
) -> FloatArray:
    """(T, p, p) each team's X'V^-1 X, times sigma2, whitened.

    Of X'X = k b b' + (b a' + a b') + diag(a), with b the columns that are the same for all answers of a respondent and
    a the items answered, only the diagonal is not an outer product.
    """
    size, teams = root.shape[1], len(design.teams)
    fixed, item = root.copy(), root[design.item_columns]
    fixed[design.item_columns] = 0.0
    information, ends = np.zeros((teams, size, size)), np.zeros((teams, size))
    counts, answered = design.group_counts, np.zeros((teams, len(item)))
    step = max(NUMBERS // max(size, 1) ** 2, 1)
    for start in range(0, len(design.cell), step):
        chunk = slice(start, start + step)
        team, count, some = design.team[chunk], counts[chunk, None], design.answered[chunk]
        same, own = design.group_rows(chunk) @ fixed, some[:, 1:] @ item
        k = some.sum(axis=1)[:, None].astype(np.float64)
        sums = k * same + own
        part = same[:, :, None] * (count * (own + k * same))[:, None, :]
        part += own[:, :, None] * (count * same)[:, None, :]
        part -= sums[:, :, None] * (count * theta / (1 + theta * k) * sums)[:, None, :]
        np.add.at(information, team, part)
        np.add.at(ends, team, count / (1 + theta * k) * sums)
        np.add.at(answered, team, count * some[:, 1:])
    information += np.einsum("tj,jp,jq->tpq", answered, item, item, optimize=True)
    lean = theta_team / (1 + theta_team * left.total)
    return information - lean[:, None, None] * ends[:, :, None] * ends[:, None, :]
