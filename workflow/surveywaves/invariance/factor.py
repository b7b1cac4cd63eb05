"""Common factors of ordered answers by diagonally weighted least squares, as lavaan's WLSMV.

Thresholds and polychoric correlations are estimated from margins and pairs, with the covariance matrix that their two
steps leave; a model of them is fitted by weights from its diagonal; and the misfit is scaled and shifted so that its
mean and variance are those of chi-square. What costs is patterns of answers, not people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, null_space
from scipy.optimize import least_squares
from scipy.special import chdtrc, ndtr, ndtri

from surveywaves.reliability.answers import Array, Codes, patterns
from surveywaves.reliability.factors import (
    AT_ITS_END,
    FAR,
    NOTHING,
    below,
    density,
    of_pairs,
    polychoric,
    rectangles,
    refused,
    tables,
)
from surveywaves.terms import Status

Implied: TypeAlias = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]

_NO_INFORMATION: Final = 1e-8
_CHUNK: Final = 50_000
_UNIDENTIFIED: Final = 1e-7
"""Smallest singular value of the scaled Jacobian, as a share of the largest, of a model that is identified."""
_SETTLED: Final = 1e-8
"""What a further step could at most take off the chi-square of a settled fit."""


class NoFit(Exception):  # noqa: N818
    """There is no estimate, for a reason that becomes a row."""

    def __init__(self, status: Status, note: str) -> None:
        super().__init__(note)
        self.status, self.note = status, note


@dataclass(frozen=True, eq=False)
class Moments:
    """What the answers of one group say of the normal variables behind them.

    Attributes
    ----------
    n
        Respondents.
    cuts
        Thresholds of each item.
    values
        Thresholds, item by item, then the correlations in the order of ``np.triu_indices(k, 1)``.
    gamma
        n times the asymptotic covariance matrix of `values`.
    """

    n: int
    cuts: tuple[int, ...]
    values: Array
    gamma: Array

    @property
    def k(self) -> int:
        """Items."""
        return len(self.cuts)

    @cached_property
    def correlations(self) -> Moments:
        """Leave out the thresholds: a model that does not restrict them reproduces them."""
        first = sum(self.cuts)
        return Moments(self.n, (0,) * self.k, self.values[first:], self.gamma[first:, first:])


def moments(codes: Codes, items: Sequence[str]) -> Moments:
    """Estimate thresholds, polychoric correlations and the covariance matrix of both (Muthen 1984).

    With the scores s1 of the thresholds (of the margins) and s2 of the correlations (of the two-way tables), averages
    A11 and A22 of their own squares and A21 of s2 times the thresholds' scores in the two-way table, a respondent moves
    the thresholds by A11^-1 s1 and the correlations by A22^-1 (s2 - A21 A11^-1 s1); `Moments.gamma` is the mean
    square of that.

    Parameters
    ----------
    codes
        Respondents x items, from 0; of each item every answer from 0 to its largest is used.
    items
        Their names.

    Raises
    ------
    NoFit
        If a correlation goes to its end, or was not found.
    """
    n, points = len(codes), int(codes.max()) + 1
    given, counts = patterns(codes, points)
    codes = codes[given]
    together = tables(codes, points, counts)
    rho_matrix, settled = polychoric(together)
    i, j = np.triu_indices(len(items), 1)
    rho = rho_matrix[i, j]
    if refusal := refused(rho, settled, items):
        raise NoFit(*refusal)
    each = np.arange(len(items))
    shares = together[each, :, each].sum(axis=2) / n
    bounds = np.full((len(items), points + 1), FAR)
    bounds[:, 0] = -FAR
    bounds[:, 1:-1] = np.clip(ndtri(np.minimum(shares.cumsum(axis=1)[:, :-1], 1.0)), -FAR, FAR)
    used = (shares > 0).sum(axis=1) - 1
    inside = np.arange(points - 1) < used[:, None]

    # Scores by answer. `turn`: an answer's upper threshold raises its probability, its lower one lowers it.
    turn = np.eye(points)[:, :-1] - np.eye(points)[:, 1:]
    height = np.exp(-(bounds[:, 1:-1] ** 2) / 2) / np.sqrt(2 * np.pi) * inside
    own = turn * height[:, None, :] * _inverse(shares)[:, :, None]
    spread = rho[:, None, None]
    a, b = bounds[i][:, :, None], bounds[j][:, None, :]
    shape = np.broadcast_shapes(a.shape, b.shape)
    a, b, spread = np.broadcast_to(a, shape), np.broadcast_to(b, shape), np.broadcast_to(spread, shape)
    per = _inverse(rectangles(below(a, b, spread)))
    slope = rectangles(density(a, b, spread)) * per
    counted = together[i, :, j] / n
    weighed = counted * slope * per
    crossed = np.zeros((len(rho), len(items), points - 1))
    for first, second, table in ((i, j, weighed), (j, i, weighed.swapaxes(1, 2))):
        far = (bounds[second][:, None, :] - rho[:, None, None] * bounds[first][:, 1:-1, None]) / np.sqrt(
            1 - rho[:, None, None] ** 2
        )
        strip = height[first][:, :, None] * np.diff(ndtr(far), axis=2)
        crossed[np.arange(len(rho)), first] = np.einsum("eab,at,etb->et", table, turn, strip)

    a11 = np.einsum("ic,ict,icu->itu", shares, own, own)
    inverse = block_diag(*(np.linalg.inv(a11[at][:cut, :cut]) for at, cut in enumerate(used)))
    a22, a21 = (counted * slope**2).sum(axis=(1, 2)), crossed[:, inside]
    if note := of_pairs(AT_ITS_END, items, a22 < _NO_INFORMATION):
        raise NoFit(Status.NOT_ESTIMABLE, note)
    # A respondent moves thresholds and correlations by a sum of scores, of answers and of pairs of them, times `moved`.
    moved = np.block([[inverse, -inverse @ a21.T / a22], [np.zeros(a21.shape), np.diag(1 / a22)]])
    squares = np.zeros_like(moved)
    for start in range(0, len(codes), _CHUNK):
        some, times = codes[start : start + _CHUNK], counts[start : start + _CHUNK, None]
        scores = np.hstack([own[each, some][:, inside], slope[np.arange(len(rho)), some[:, i], some[:, j]]])
        squares += scores.T @ (scores * times)
    gamma = moved.T @ squares @ moved
    return Moments(
        n, tuple(int(cut) for cut in used), np.concatenate([bounds[:, 1:-1][inside], rho]), gamma / (n - 1)
    )


def _inverse(probability: Array) -> Array:
    return np.where(probability > NOTHING, 1 / np.maximum(probability, NOTHING), 0.0)


class Test(NamedTuple):
    """A scaled and shifted chi-square."""

    statistic: float
    df: int

    @property
    def p_value(self) -> float:
        """Probability of one as large; 1 without degrees of freedom."""
        return float(chdtrc(self.df, max(self.statistic, 0.0))) if self.df else 1.0


@dataclass(frozen=True, eq=False)
class Fit:
    """A model fitted to the moments of groups.

    Attributes
    ----------
    groups
        Their moments.
    parameters
        Its estimates.
    residuals
        Moments less those implied, group by group.
    jacobian
        Moments x parameters.
    """

    groups: Sequence[Moments]
    parameters: Array
    residuals: Array
    jacobian: Array

    @cached_property
    def n(self) -> int:
        """Respondents of all groups."""
        return sum(group.n for group in self.groups)

    @cached_property
    def weights(self) -> Array:
        """Of each moment: one over its asymptotic variance, times the group's share of respondents."""
        return _weights(self.groups)

    @cached_property
    def gamma(self) -> Array:
        """Covariance matrix of all moments, times n."""
        return np.asarray(block_diag(*(group.gamma * (self.n / group.n) for group in self.groups)))

    @property
    def misfit(self) -> float:
        """Weighted squared residuals times n: no chi-square before it is scaled."""
        return float(self.n * (self.weights * self.residuals**2).sum())

    @property
    def df(self) -> int:
        """Moments less parameters."""
        return len(self.residuals) - len(self.parameters)

    @cached_property
    def bread(self) -> Array:
        """Inverse of the information of the parameters."""
        return np.asarray(np.linalg.inv(self.jacobian.T @ (self.weights[:, None] * self.jacobian)))

    @cached_property
    def covariance(self) -> Array:
        """Covariance matrix of the parameters, robust to weights that are not efficient."""
        meat = self.bread @ self.jacobian.T * self.weights
        return np.asarray(meat @ self.gamma @ meat.T / self.n)

    @cached_property
    def test(self) -> Test:
        """Test of the model."""
        weighed = self.weights[:, None] * self.jacobian
        return _scaled(
            self.misfit, self.df, (np.diag(self.weights) - weighed @ self.bread @ weighed.T) @ self.gamma
        )


def _weights(groups: Sequence[Moments]) -> Array:
    n = sum(group.n for group in groups)
    return np.concatenate([group.n / n / np.diag(group.gamma) for group in groups])


def _scaled(misfit: float, df: int, product: Array) -> Test:
    """Scale and shift a misfit whose expectation is the trace of `product` (Asparouhov & Muthen 2010).

    With t1 and t2 the traces of the product and of its square, sqrt(df / t2) misfit + df - sqrt(df / t2) t1 has the
    mean df and the variance 2 df.
    """
    if df == 0:
        return Test(0.0, 0)
    scale = float(np.sqrt(df / (product * product.T).sum()))
    return Test(scale * misfit + df - scale * float(np.trace(product)), df)


def difference(larger: Fit, smaller: Fit) -> Test:
    """Test the restrictions by which the smaller of two nested models differs (Satorra 2000).

    With D1 and D0 the Jacobians, the restrictions A on the parameters of the larger model are those that leave
    pinv(D1) D0 free (``lavTestLRT(method = "satorra.2000", A.method = "delta")``).
    """
    df = smaller.df - larger.df
    if df == 0:
        return Test(0.0, 0)
    restricted = null_space((np.linalg.pinv(larger.jacobian) @ smaller.jacobian).T).T
    if len(restricted) != df:
        raise NoFit(Status.NOT_ESTIMABLE, "the restrictions are not independent of each other")
    outer = larger.weights[:, None] * larger.jacobian @ larger.bread @ restricted.T
    inner = restricted @ larger.bread @ restricted.T
    product = outer @ np.linalg.solve(inner, outer.T) @ larger.gamma
    return _scaled(max(smaller.misfit - larger.misfit, 0.0), df, product)


def minimise(groups: Sequence[Moments], implied: Implied, start: Array) -> Fit:
    """Fit a model by weighted least squares (Levenberg-Marquardt).

    Parameters
    ----------
    groups
        What it is fitted to.
    implied
        ... x parameters -> ... x moments, in arithmetic that goes for complex numbers too: so each derivative is the
        imaginary part of a step of 1e-100 along the imaginary axis, right to the last digit.
    start
        Parameters to start from.

    Raises
    ------
    NoFit
        If the model is not identified, or no minimum was found.
    """
    values, root = np.concatenate([group.values for group in groups]), np.sqrt(_weights(groups))
    unidentified = NoFit(Status.NOT_ESTIMABLE, "the model is not identified by these answers")
    if len(values) < len(start):
        raise unidentified

    def residuals(parameters: Array) -> Array:
        return np.asarray(root * (values - implied(parameters.astype(np.complex128)).real))

    def slopes(parameters: Array) -> Array:
        stepped = parameters + 1e-100j * np.eye(len(parameters))
        return np.asarray(implied(stepped).imag.T / 1e-100)

    def downhill(parameters: Array) -> Array:
        return np.asarray(-root[:, None] * slopes(parameters))

    found = least_squares(
        residuals,
        start,
        jac=downhill,
        method="lm",
        ftol=1e-15,
        xtol=1e-15,
        gtol=1e-15,
        max_nfev=500,
    ).x
    jacobian, left = slopes(found), residuals(found)
    weighed = root[:, None] * jacobian
    size = np.sqrt((weighed**2).sum(axis=0))
    if not np.isfinite(weighed).all() or not size.all():
        raise unidentified
    basis, singular, _ = np.linalg.svd(weighed / size, full_matrices=False)
    if singular[-1] < _UNIDENTIFIED * singular[0]:
        raise unidentified
    if sum(group.n for group in groups) * float(((basis.T @ left) ** 2).sum()) > _SETTLED:
        raise NoFit(Status.NOT_CONVERGED, "the fit of the model has no settled minimum")
    return Fit(groups, found, left / root, jacobian)


def one_factor(group: Moments) -> Fit:
    """Fit loadings of one factor of variance 1 to polychoric correlations: r_ij = l_i l_j.

    The search starts from the first principal axis and from each item's own correlations, since it may have several
    minima; the lowest counts. The sum of the loadings is positive.
    """
    return _signed(_lowest([group.correlations], _products, _axes(_matrix(group))), group.k)


def two_factors(group: Moments, first: int) -> Fit:
    """Fit two correlated factors of variance 1, of the `first` items and of the others.

    Parameters are the loadings, then the correlation of the factors: each factor's loadings have a positive sum.
    """
    r, k = _matrix(group), group.k
    i, j = np.triu_indices(k, 1)
    across = (i < first) & (j >= first)

    def implied(theta: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return _products(theta[..., :k]) * np.where(across, theta[..., k:], 1.0)

    own = np.concatenate([_axes(r[:first, :first])[0], _axes(r[first:, first:])[0]])
    phi = float((r[i, j] * own[i] * own[j])[across].sum() / ((own[i] * own[j])[across] ** 2).sum())
    starts = [np.append(own, np.clip(phi, -0.9, 0.9)), np.append(own, 0.5), np.append(own, -0.5)]
    fit = _lowest([group.correlations], implied, starts)
    return _signed(_signed(fit, first), k, first)


def _products(loadings: NDArray[np.complex128]) -> NDArray[np.complex128]:
    i, j = np.triu_indices(loadings.shape[-1], 1)
    return np.asarray(loadings[..., i] * loadings[..., j])


def _matrix(group: Moments) -> Array:
    r = np.eye(group.k)
    r[np.triu_indices(group.k, 1)] = group.correlations.values
    return r + r.T - np.eye(group.k)


def _axes(r: Array) -> list[Array]:
    """List loadings to start from, their sum positive."""
    reduced = r.copy()
    np.fill_diagonal(reduced, np.abs(r - np.eye(len(r))).max(axis=0))
    values, vectors = np.linalg.eigh(reduced)
    found = [vectors[:, -1] * np.sqrt(max(values[-1], 1e-4)), *(np.where(np.eye(len(r)), 0.8, r) * 0.8)]
    return [np.asarray(start * (1.0 if start.sum() >= 0 else -1.0)) for start in found]


def _lowest(groups: Sequence[Moments], implied: Implied, starts: Sequence[Array]) -> Fit:
    fits: list[Fit] = []
    failure: NoFit | None = None
    for start in starts:
        try:
            fits.append(minimise(groups, implied, start))
        except NoFit as none:
            failure = failure or none
    if not fits:
        raise failure or NoFit(Status.NOT_CONVERGED, "no start")
    # Minima that differ by rounding only are one: the first of them counts.
    least = min(fit.misfit for fit in fits)
    return next(fit for fit in fits if fit.misfit <= least + 1e-6)


def _signed(fit: Fit, end: int, begin: int = 0) -> Fit:
    """Turn the factor of some loadings round where their sum is negative, and its correlation."""
    if fit.parameters[begin:end].sum() >= 0:
        return fit
    sign = np.ones(len(fit.parameters))
    sign[begin:end] = -1.0
    if len(sign) > fit.groups[0].k:
        sign[-1] = -1.0
    return Fit(fit.groups, fit.parameters * sign, fit.residuals, fit.jacobian * sign)


Step: TypeAlias = Literal["configural", "thresholds", "metric", "scalar"]
STEPS: Final[tuple[Step, ...]] = ("configural", "thresholds", "metric", "scalar")
"""What is held equal over groups, each with what comes before: nothing but the pattern, thresholds, loadings,
intercepts."""


def invariance(groups: Sequence[Moments], step: Step, alone: Sequence[Fit]) -> Fit:
    """Fit one factor to several groups with some of its parameters equal.

    An item's thresholds in group g are d_gi (t_ic - v_gi) and its standardised loading u_gi = d_gi l_i s_g, with
    d_gi one over the standard deviation of its response variable, v_gi its intercept and s_g the standard deviation of
    the factor; all are 1, 0 and 1 in the first group. ``thresholds`` has t equal, u free; ``metric`` t and l;
    ``scalar`` also the intercepts but for the mean of the factor, v_gi = l_i m_g. The order is that of Wu & Estabrook
    (2016): without equal thresholds, loadings of ordered answers have no common unit, and that model would not lie
    between the others.

    Parameters
    ----------
    groups, alone
        Their moments, with equal cuts, and the one-factor fit of each.
    step
        What is equal.

    Raises
    ------
    NoFit
        See `minimise`; also if a standard deviation is not positive.
    """
    cuts, k, several = np.array(groups[0].cuts), groups[0].k, len(groups) - 1
    total, of = int(cuts.sum()), np.repeat(np.arange(k), cuts)

    def standard(theta: NDArray[np.complex128]) -> tuple[NDArray[np.complex128], ...]:
        """... x parameters -> thresholds, standardised loadings and d: ... x groups x what there is."""
        ahead = theta.shape[:-1]
        if step == "configural":
            both = theta.reshape(*ahead, several + 1, total + k)
            return both[..., :total], both[..., total:], np.ones_like(both[..., :k])
        t, rest = theta[..., None, :total], theta[..., total:]
        if step == "thresholds":
            u, rest = (
                rest[..., : (several + 1) * k].reshape(*ahead, several + 1, k),
                rest[..., (several + 1) * k :],
            )
        else:
            loading, rest = rest[..., None, :k], rest[..., k:]
        own = rest.reshape(*ahead, several, -1)
        own = np.concatenate([np.zeros_like(own[..., :1, :]), own], axis=-2)
        first = np.arange(several + 1)[:, None] == 0
        d = np.where(first, 1.0, own[..., :k])
        v = loading * own[..., k : k + 1] if step == "scalar" else own[..., k : 2 * k]
        if step != "thresholds":
            u = d * loading * np.where(first, 1.0, own[..., -1:])
        return d[..., of] * (t - v[..., of]), u, d

    def implied(theta: NDArray[np.complex128]) -> NDArray[np.complex128]:
        thresholds, u, _ = standard(theta)
        return np.concatenate([thresholds, _products(u)], axis=-1).reshape(*theta.shape[:-1], -1)

    fit = minimise(groups, implied, _start(groups, step, [one.parameters for one in alone], of))
    _, u, d = (part.real for part in standard(fit.parameters.astype(np.complex128)))
    if (d <= 0).any():
        raise NoFit(Status.NOT_ESTIMABLE, "a standard deviation would not be positive")
    if (np.abs(u) >= 1).any():
        raise NoFit(
            Status.NOT_ESTIMABLE, "Heywood case: the factor would explain all of an item in some group"
        )
    return fit


def _start(groups: Sequence[Moments], step: Step, loadings: Sequence[Array], of: Codes) -> Array:
    """Parameters to start from: what each group has alone, put on the scale of the first."""
    total = len(of)
    if step == "configural":
        return np.concatenate(
            [
                part
                for group, own in zip(groups, loadings, strict=True)
                for part in (group.values[:total], own)
            ]
        )
    t, loading = groups[0].values[:total], loadings[0]
    ones = [np.flatnonzero(of == item) for item in range(len(loading))]
    parts: list[Array] = []
    for group, own in zip(groups[1:], loadings[1:], strict=True):
        theirs = group.values[:total]
        d = np.array([_ratio(theirs[at], t[at]) for at in ones])
        v = np.array([(t[at] - theirs[at] / scale).mean() for at, scale in zip(ones, d, strict=True)])
        s = max(float((own * d * loading).sum() / ((d * loading) ** 2).sum()), 0.1)
        m = float((v * loading).sum() / (loading**2).sum())
        parts.append(
            np.concatenate([d, *{"thresholds": (v,), "metric": (v, [s]), "scalar": ([m], [s])}[step]])
        )
    return np.concatenate([t, *(loadings if step == "thresholds" else (loading,)), *parts])


def _ratio(theirs: Array, ours: Array) -> float:
    """Spread of some thresholds as a share of others."""
    return float(np.std(theirs) / np.std(ours)) if len(ours) > 1 else 1.0


class Indices(NamedTuple):
    """How well a model fits, by its scaled chi-square."""

    cfi: float
    tli: float
    rmsea: float
    srmr: float


def indices(fit: Fit) -> Indices:
    """Fit indices, as lavaan's ``cfi.scaled``, ``tli.scaled``, ``rmsea.scaled`` and ``srmr``.

    With d = chi-square - df of the model and d0 of uncorrelated items with thresholds of their own, CFI is
    1 - max(d, 0) / max(d, d0, 0), TLI 1 - (d / df) / (d0 / df0), and RMSEA sqrt(G max(d, 0) / (df (n - G))) of G
    groups. SRMR is the root of the sum of squared residual correlations over k (k + 1) / 2, averaged over the groups by
    their size.
    """
    flat = [group.correlations for group in fit.groups]
    values = np.concatenate([group.values for group in flat])
    base = Fit(flat, np.empty(0), values, np.empty((len(values), 0))).test
    excess, excess0 = fit.test.statistic - fit.test.df, base.statistic - base.df
    most = max(excess, excess0, 0.0)
    k, residuals, srmr, at = flat[0].k, fit.residuals, 0.0, 0
    for group, own in zip(fit.groups, flat, strict=True):
        at += len(group.values)
        part = residuals[at - len(own.values) : at]
        srmr += group.n / fit.n * float(np.sqrt((part**2).sum() / (k * (k + 1) / 2)))
    df = fit.test.df
    return Indices(
        cfi=1 - max(excess, 0.0) / most if most > 0 else 1.0,
        tli=1 - (excess / df) / (excess0 / base.df) if df and excess0 > 0 else np.nan,
        rmsea=float(np.sqrt(len(flat) * max(excess, 0.0) / (df * (fit.n - len(flat))))) if df else 0.0,
        srmr=srmr,
    )
