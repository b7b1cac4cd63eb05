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

Cells have nothing in common but items and covariates, the few *other* columns: M = RR' with R = (D | L), where D is
diagonal, of the cells, and L has a column for each of the others. Of a respondent's whitened row X_i R only the column
of the own cell and those of L are not 0. Sums over respondents of products of such rows are therefore kept by cell
(`_Arrow`), and nothing grows with the square of the cells. For a combination l with f = R'l, a respondent's g is linear
in the own cell's f and the others' alone, so that the traces of all combinations are a few products.

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
from scipy import sparse

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.sandwich import Residuals, sum_team_scores

NUMBERS: Final = 1 << 18
"""So many numbers of groups' or patterns' matrices are written out at a time."""

ALONE: Final = 1e-8
"""A residual that has this share of its variance left, or less, is none."""


class Working(Protocol):
    """What the model says of the clusters' scores."""

    def traces(self, contrasts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(R,) traces of P and of PP, over sigma2 and its square, for (R, P) combinations of the coefficients."""


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """Covariances by the sandwich, and what they rest on."""

    cov: FloatArray
    variance_cov: FloatArray
    """(P, P) of the coefficients, (1 + r, 1 + r) of sigma2 and the variance ratios."""
    blind: FloatArray
    """(P, K) what one cluster alone determines: of a combination's variance over sigma2 by the model, this much is the
    sum of its squared products with them."""
    working: Working | None
    """What the model says of the clusters' scores; None where they are not adjusted."""

    def df(self, contrasts: FloatArray) -> FloatArray:
        """(R,) Satterthwaite's degrees of freedom of (R, P) combinations; NaN where one has no variance."""
        assert self.working is not None
        trace, squares = self.working.traces(contrasts)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(squares > 0, trace**2 / squares, math.nan)


def robust_covariances(
    design: Design,
    left: Residuals,
    *,
    adjusted: bool,
    by_team: bool,
    sigma2: float,
    theta: float,
    theta_team: float,
    model_cov: FloatArray,
    variance_cov: FloatArray,
) -> Robust:
    """Find the covariances of a fit.

    Parameters
    ----------
    design, left
        A design, and what its fit leaves.
    adjusted
        Whether residuals are adjusted by A, for CR2. Otherwise, as under weights (see `sandwich`), they are taken as
        they are, the covariance m / (m - 1) times for m clusters, and nothing is known of degrees of freedom.
    by_team
        Whether clusters are teams, otherwise respondents.
    sigma2, theta, theta_team
        Variance within respondents; variances between respondents and between teams over it.
    model_cov, variance_cov
        (P, P), (2, 2) or (3, 3) covariances that the model itself would give.
    """
    number = len(design.teams) if by_team else round(float(design.persons.sum()))
    many = number / max(number - 1, 1)
    working: Working | None = None
    blind = np.zeros((len(model_cov), 0))
    if by_team:
        root = root_of(model_cov / sigma2)
        scores, parts = sum_team_scores(design, left, sigma2=sigma2, theta_team=theta_team)
        scores = scores @ root
        if adjusted:
            working = teams = _Teams(design, left, root=root, theta=theta, theta_team=theta_team)
            scores, blind = teams.adjusted(scores), root @ teams.blind
        cov, parts = root @ (scores.T @ scores) @ root.T, parts.T @ parts
    else:
        working = respondents = _Respondents(design, cov=model_cov / sigma2, theta=theta, adjusted=adjusted)
        cov, parts = respondents.meat(left, sigma2=sigma2)
        blind = respondents.blind
    half, size = variance_cov / 2, len(variance_cov)
    return Robust(
        cov=cov if adjusted else many * cov,
        variance_cov=many * half @ parts[:size, :size] @ half,
        blind=blind,
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


class _Arrow:
    """Sums, with weights, of the outer products of whitened rows, for several combinations or for none.

    Each row is of a cell: numbers by cell, (C, ...); by cell and other column, (C, ..., q); and (..., q, q) by these.
    """

    def __init__(self, shape: tuple[int, ...], cells: int, others: int) -> None:
        self.by_cell = np.zeros((cells, *shape))
        self.crossed = np.zeros((cells, *shape, others))
        self.others = np.zeros((*shape, others, others))

    def add(self, cell: IntArray, weight: FloatArray, rows: FloatArray) -> None:
        """Add (G, ..., 1 + q) rows of (G,) cells, the column of the own cell first."""
        adding = sparse.csr_array(
            (weight, (cell, np.arange(len(cell)))), shape=(len(self.by_cell), len(cell))
        )
        summed = np.asarray(adding @ (rows[..., :1] * rows).reshape(len(cell), -1))
        summed = summed.reshape(len(self.by_cell), *rows.shape[1:])
        self.by_cell += summed[..., 0]
        self.crossed += summed[..., 1:]
        others = np.moveaxis(rows[..., 1:], 0, -2)
        self.others += (others * weight[:, None]).swapaxes(-1, -2) @ others

    def squares(self) -> FloatArray:
        """(...) sums of the squared elements."""
        found = (self.by_cell**2).sum(axis=0) + 2 * (self.crossed**2).sum(axis=(0, -1))
        return np.asarray(found + (self.others**2).sum(axis=(-1, -2)), dtype=np.float64)


class _Respondents:
    """Respondents as clusters, group by group; everything over sigma2, answers that are missing being 0.

    Parameters
    ----------
    design, theta
        See `robust_covariances`.
    cov
        (P, P) the model's covariance M of the coefficients.

    Attributes
    ----------
    blind
        See `Robust`.
    """

    def __init__(self, design: Design, *, cov: FloatArray, theta: float, adjusted: bool) -> None:
        self._design, self._theta = design, theta
        cells, items, groups = len(design.cells), len(design.items), len(design.cell)
        self._persons = add_by(design.group, design.persons, groups)
        self._square = add_by(design.group, design.square, groups) / self._persons
        number = design.answered.sum(axis=1)
        information = add_by(design.cell, design.group_counts * number / (1 + theta * number), cells)
        self._own = np.where(information > 0, information, math.inf) ** -0.5
        """(C,) D."""
        others = slice(cells, None)
        root = root_of(cov[others, others])
        kept = np.flatnonzero(np.diagonal(cov)[others] > 0)
        self._lean = np.zeros((len(cov), len(kept)))
        """(P, q) L."""
        self._lean[others] = root
        self._lean[:cells] = np.linalg.solve(root[kept], cov[others, :cells][kept]).T
        self._item = np.zeros((items, 1 + len(kept)))  # what an item adds to a whitened row
        self._item[1:, 1:] = self._lean[design.item_columns]
        by_profile = design.profiles[design.profile] @ self._lean[design.item_columns.stop :]
        self._row = np.column_stack([self._own[design.cell], self._lean[design.cell] + by_profile])
        size = self._row.shape[1]
        self._step = max(NUMBERS // (items * max(items, size)), 1)
        self.blind = np.zeros((len(cov), 0))
        self._adjust: FloatArray | None = None
        if not adjusted:
            return
        self._adjust = np.empty((groups, items, items))
        self._spread, self._score = np.empty((groups, size, size)), np.empty((groups, size, size))
        blind = [np.zeros((len(cov), 0))]
        for start in range(0, groups, self._step):
            chunk = slice(start, start + self._step)
            self._adjust[chunk], lost = self._adjustments(chunk)
            blind.append(lost)
            rows = self._rows(chunk)
            g = self._adjust[chunk] @ self._solved(rows, chunk)
            total = g.sum(axis=1)
            # g'Vg and the score X'g of a combination, as a quadratic and a linear form in its f
            self._spread[chunk] = g.transpose(0, 2, 1) @ g + theta * total[:, :, None] * total[:, None, :]
            self._score[chunk] = rows.transpose(0, 2, 1) @ g
        self.blind = np.hstack(blind)

    def _rows(self, chunk: slice) -> FloatArray:
        """(size, J, 1 + q) whitened rows of the answers of some groups: the own cell's column and the others."""
        return np.asarray(
            (self._row[chunk, None] + self._item) * self._design.answered[chunk, :, None], dtype=np.float64
        )

    def _adjustments(self, chunk: slice) -> tuple[FloatArray, FloatArray]:
        """(size, J, J) A, and (P, K) what it cannot restore."""
        answered = self._design.answered[chunk].astype(np.float64)
        k, rows, theta = answered.sum(axis=1)[:, None, None], self._rows(chunk), self._theta
        hat = rows @ rows.transpose(0, 2, 1)
        adjust, alone, vectors = _roots(hat, answered, k, theta, one=self._persons[chunk] < 2)
        lost = np.zeros((len(self._lean), int(alone.sum())))
        for column, (group, which) in enumerate(np.argwhere(alone)):
            number = float(k[group, 0, 0])
            vector = vectors[group, :, which] * answered[group]
            vector += (1 / math.sqrt(1 + number * theta) - 1) / number * vector.sum() * answered[group]
            whitened = vector @ rows[group]
            lost[:, column] = self._lean @ whitened[1:]
            cell = self._design.cell[chunk][group]
            lost[cell, column] += self._own[cell] * whitened[0]
        return adjust, lost

    def _solved(self, values: FloatArray, chunk: slice | IntArray) -> FloatArray:
        """(size, J, D) V^-1 values of some groups."""
        answered = self._design.answered[chunk]
        lean = self._theta / (1 + self._theta * answered.sum(axis=1))
        shared = (lean[:, None] * values.sum(axis=1))[:, None]
        return np.asarray(values - shared * answered[:, :, None], dtype=np.float64)

    def traces(self, contrasts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Add up group by group, for some combinations at a time."""
        cells, size = len(self._own), self._score.shape[1]
        found = np.zeros((2, len(contrasts)))
        step = max(NUMBERS // (min(len(self._row), self._step) * size), 1)
        for first in range(0, len(contrasts), step):
            some = slice(first, first + step)
            by_cell, by_other = (contrasts[some, :cells] * self._own).T, contrasts[some] @ self._lean
            products = _Arrow((len(by_other),), cells, size - 1)
            for start in range(0, len(self._row), self._step):
                chunk = slice(start, start + self._step)
                cell, square = self._design.cell[chunk], self._square[chunk]
                f = np.empty((len(cell), len(by_other), size))
                f[..., 0], f[..., 1:] = by_cell[cell], by_other
                score = f @ self._score[chunk].transpose(0, 2, 1)
                shared = (score**2).sum(axis=2)
                own = ((f @ self._spread[chunk]) * f).sum(axis=2) - shared
                weight = self._persons[chunk] * square
                found[0, some] += weight @ own
                found[1, some] += (weight * square) @ (own**2 - shared**2)
                products.add(cell, weight, score)
            found[1, some] += products.squares()
        return found[0], found[1]

    def meat(self, left: Residuals, *, sigma2: float) -> tuple[FloatArray, FloatArray]:
        """(P, P) the sandwich of the coefficients, and (3, 3) sums of squared scores of the variances, times -2."""
        cells, size, square = len(self._own), self._row.shape[1], self._design.square
        columns, parts = _Arrow((), cells, size - 1), np.zeros((3, 3))
        for start in range(0, len(square), self._step):
            chunk = slice(start, start + self._step)
            group, weight = self._design.group[chunk], square[chunk]
            marginal = left.marginal(chunk)
            if self._adjust is not None:
                marginal = _times(self._adjust[group], marginal)
            solved = self._solved(marginal[:, :, None], group)[:, :, 0]
            total = solved.sum(axis=1)
            columns.add(
                self._design.cell[group], weight, self._row[group] * total[:, None] + solved @ self._item
            )
            part = np.zeros((len(group), 3))
            part[:, 0] = left.answered[chunk] / sigma2 - (solved * marginal).sum(axis=1) / sigma2**2
            part[:, 1] = left.precision[chunk] - total**2 / sigma2
            parts += part.T @ (weight[:, None] * part)
        crossed = (self._own[:, None] * columns.crossed) @ self._lean.T
        cov = self._lean @ columns.others @ self._lean.T
        cov[:cells] += crossed
        cov[:, :cells] += crossed.T
        cov[:cells, :cells] += np.diag(self._own**2 * columns.by_cell)
        return cov, parts


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
        shares = _information(design, left, root=root, theta=theta, theta_team=theta_team)
        values, vectors = np.linalg.eigh(shares)
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

    def traces(self, contrasts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Add up team by team."""
        found = np.zeros((2, len(contrasts)))
        for place, contrast in enumerate(contrasts @ self._root):
            turned = np.einsum("tpq,p->tq", self._vectors, contrast)
            own = (turned**2 * self._values * (self._grown > 0)).sum(axis=1)
            shared = np.einsum("tpq,tq->tp", self._vectors, turned * self._values * self._grown)
            squares = (own**2 - (shared**2).sum(axis=1) ** 2).sum() + ((shared.T @ shared) ** 2).sum()
            found[:, place] = own.sum(), squares
        return found[0], found[1]


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
