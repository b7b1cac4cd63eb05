"""Estimated marginal means of waves and organisations, the contrasts between them from any fit, and adjusted p-values.

Every estimate here is a stated linear combination of the fixed effects. A fit gives their coefficients, their
covariance, degrees of freedom, and says which combinations the data can estimate.

Covariates adjust a contrast only as far as its cells overlap in them. Of the respondents of the cells that are
compared, the *overlap* is the share whose combination of categorical covariates occurs in each of these cells; what
lies outside is compared by the model's extrapolation alone. Changes of all staff and differences in differences compare
the waves within each organisation, so that theirs is the overlap there (Crump, Hotz, Imbens and Mitnik 2009, Biometrika
96, 187).
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import combinations, groupby
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit
from statsmodels.stats.multitest import multipletests

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.estimable import NOT_DETERMINED
from surveywaves.sample import paired
from surveywaves.terms import ALL, BETWEEN, EMMEAN, PERCENT_FAVOURABLE, STANDARDISED, Status
from surveywaves.tidy import NUMBERS

METHODS: Final = ("holm", "fdr_bh")
"""Methods of adjustment (Holm 1979, Scand. J. Stat. 6, 65; Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, 289)."""


def adjusted(p_values: FloatArray, method: str) -> FloatArray:
    """Adjust the p-values of one family, by statsmodels.

    Parameters
    ----------
    p_values
        (tests,), one or more, none missing.
    method
        ``holm``: below alpha while the chance of any false positive in the family is alpha at most. ``fdr_bh``: the
        same for the expected share of false positives.

    Returns
    -------
    FloatArray
        (tests,), in the same order, 1 at most.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"not a method of adjustment: {method} (known: {', '.join(METHODS)})")
    # `multipletests` collects garbage at every call, in all that the process holds: 40 ms, a second in a large one.
    gc.freeze()
    try:
        return np.asarray(multipletests(p_values, method=method)[1], dtype=np.float64)
    finally:
        gc.unfreeze()


def adjust_families(
    frame: pd.DataFrame, p_value: str, method: str, family: Sequence[str], against: str = ""
) -> FloatArray:
    """Adjust a column of p-values family by family.

    Parameters
    ----------
    frame
        One test a row.
    p_value
        Column of p-values. Rows without one are no tests and stay without.
    method
        See `adjusted`; ``none`` gives no p-value to any row.
    family, against
        See `families`.

    Returns
    -------
    FloatArray
        (rows,)
    """
    found = np.full(len(frame), math.nan)
    if method == "none":
        return found
    p_values = frame[p_value].to_numpy(dtype=np.float64)
    tests = np.flatnonzero(~np.isnan(p_values))
    for members in families(frame.iloc[tests], family, against):
        found[tests[members]] = adjusted(p_values[tests[members]], method)
    return found


def families(frame: pd.DataFrame, family: Sequence[str], against: str = "") -> list[IntArray]:
    """List the places of the rows of each family.

    Parameters
    ----------
    frame
        One test a row.
    family
        Tests with the same values in these columns are one family.
    against
        What organisations are compared with, if not in pairs: comparisons with it are one family, as one and the same
        reader looks through all of them for those that stand out.
    """
    names = frame[list(family)]
    if against and "organisation" in names:
        with_it = names["organisation"].str.endswith(f"{BETWEEN}{against}")
        names = names.assign(organisation=names["organisation"].mask(with_it, f"{BETWEEN}{against}"))
    return [np.asarray(rows, np.intp) for rows in names.groupby(list(family), sort=False).indices.values()]


FAMILY: Final = ("analysis", "term", "wave", "organisation")
"""The default family of tests: one contrast, across scales."""


Cell: TypeAlias = tuple[str, str]


class Weights(Mapping[Cell, float]):
    """Weights of some cells: by name for whom it asks, by place for arithmetic, as one contrast may have hundreds.

    Parameters
    ----------
    of
        Waves and organisations; the cells are of their product, organisations running fastest.
    places, numbers
        (K,) places of the cells there, and their weights.
    """

    __slots__ = ("_named", "numbers", "of", "places")

    def __init__(
        self, of: tuple[tuple[str, ...], tuple[str, ...]], places: IntArray, numbers: FloatArray
    ) -> None:
        self.of, self.places, self.numbers = of, places, numbers
        self._named: dict[Cell, float] | None = None

    def _by_name(self) -> dict[Cell, float]:
        if self._named is None:
            waves, organisations = self.of
            at = (divmod(place, len(organisations)) for place in self.places.tolist())
            cells = ((waves[wave], organisations[organisation]) for wave, organisation in at)
            self._named = dict(zip(cells, self.numbers.tolist(), strict=True))
        return self._named

    @property
    def waves(self) -> tuple[str, ...]:
        """Those of the cells, in their order."""
        waves, organisations = self.of
        return tuple(waves[place] for place in dict.fromkeys((self.places // len(organisations)).tolist()))

    def some(self, chosen: BoolArray) -> Weights:
        """Keep (K,) chosen cells."""
        return Weights(self.of, self.places[chosen], self.numbers[chosen])

    def __getitem__(self, cell: Cell) -> float:
        """Return the weight of a cell."""
        return self._by_name()[cell]

    def __iter__(self) -> Iterator[Cell]:
        """Go over the cells."""
        return iter(self._by_name())

    def __len__(self) -> int:
        """Return the number of cells, K."""
        return len(self.places)


def weights_in(design: Design, weights: Mapping[Cell, float]) -> tuple[IntArray, FloatArray]:
    """(K,) places of cells in a design, and their weights."""
    if isinstance(weights, Weights) and weights.of == (design.waves, design.organisations):
        return weights.places, weights.numbers
    place = _places(design)
    return np.array([place[cell] for cell in weights], dtype=np.intp), np.array(list(weights.values()))


Stated: TypeAlias = tuple[dict[str, str], Weights]
"""The labels of a mean or contrast, and its weights on the cells."""


TESTED: Final = NUMBERS[:-1]
"""Columns that a test of an estimate fills."""


class Found(Protocol):
    """What became of a model."""

    @property
    def status(self) -> Status:
        """``ok``, ``boundary``, or why there is no fit."""

    @property
    def note(self) -> str:
        """The status in words."""


class Fit(Found, Protocol):
    """What a model must offer to be compared; P columns of fixed effects, as in its design."""

    @property
    def analysis(self) -> str:
        """The name that the results carry."""

    @property
    def coef(self) -> FloatArray:
        """(P,) coefficients, one solution of many if some columns depend on others."""

    @property
    def cov(self) -> FloatArray:
        """(P, P) covariance of `coef`."""

    def obstacles(self, contrasts: FloatArray) -> list[str]:
        """Why (R, P) combinations of the coefficients cannot be estimated, in words; empty where they can."""

    def df(self, contrasts: FloatArray) -> FloatArray:
        """(R,) degrees of freedom of (R, P) combinations; infinite for a normal approximation."""

    def variances(self, confidence: float) -> list[dict[str, Any]]:
        """Rows of a tidy table about the model as a whole, `total_sd` and `status` among them.

        `confidence` is the coverage of the intervals of the variances.
        """


Row: TypeAlias = dict[str, Any]
"""A row of a tidy table: see `surveywaves.tidy`."""


class Comparison(NamedTuple):
    """Rows of three tidy tables, each worked out as it is gone through, once."""

    means: Iterator[Row]
    contrasts: Iterator[Row]
    variances: Iterator[Row]


def compare_fit(
    design: Design, fit: Fit, *, scale: str, confidence: float = 0.95, min_cell: int = 2
) -> Comparison:
    """Compare the waves and organisations of a design by a fit of it.

    Parameters
    ----------
    design, fit
        Who is compared, and the fitted model.
    scale
        The scale's name.
    confidence
        Coverage of the intervals, between 0 and 1.
    min_cell
        Cells with fewer respondents than this take part in the fit, but get no estimates of their own.

    Returns
    -------
    means
        term `emmean`, one row for every combination of waves and organisations: the mean answer after reverse keying,
        items weighing equally, covariates standardised to all respondents of the fit; `n` is the respondents of the
        cell. Where the sample has `shares`, one row besides for every wave whose organisations all have respondents:
        organisation ``all``, their means weighted by the shares.
    contrasts
        term `change` (wave ``later - earlier``, organisation, ``all`` last), `gap` (wave, organisation
        ``first - second``) and `difference_in_differences` (both: the change in the first less the change
        in the second), in the order given, of which each cell has a respondent; `n` is the respondents of the cells
        compared. Organisations are compared in pairs, or each with what the sample is `against`: ``first - all`` is the
        first less the mean of all, itself included, by the shares.
    variances
        `Fit.variances` for wave and organisation ``all``, and before them `n_respondents`, with a note of
        who was left out, and `n_items`, with a note of items that nobody answered.
    """
    check_confidence(confidence)
    common = {"analysis": fit.analysis, "scale": scale}

    def rows(stated: Callable[[Design], Sequence[Stated]], **untested: float) -> Iterator[Row]:
        sums = [weights for _, weights in stated(design)]
        found = estimates(design, fit, sums, confidence=confidence, min_cell=min_cell)
        for one, row in zip(stated(design), found, strict=True):
            yield common | one[0] | weighed(design, one, row) | untested

    def variances() -> Iterator[Row]:
        for row in (*_who_and_what(design), *fit.variances(confidence)):
            yield common | {"wave": ALL, "organisation": ALL} | row

    return Comparison(rows(stated_means, p_value=math.nan), rows(stated_contrasts), variances())


def estimates(
    design: Design, fit: Fit, sums: Sequence[Mapping[Cell, float]], *, confidence: float, min_cell: int
) -> list[dict[str, Any]]:
    """Estimate weighted sums of cells' estimated marginal means.

    Parameters
    ----------
    design, fit
        A design and its fit.
    sums
        (wave, organisation) -> weight, for cells of the design.
    confidence
        Coverage of the intervals.
    min_cell
        Fewest respondents a cell may have.

    Returns
    -------
    list of dict
        For each sum, the part of a tidy row from `estimate` on, with a two-sided t test against 0. Where there is no
        estimate, the reason instead: an empty cell before a cell too small before a failed fit before a combination
        that the data do not determine.
    """
    combine = partial(_by_coefficients, design, fit)
    return estimates_by(combine, design, fit, sums, confidence=confidence, min_cell=min_cell)


class Combined(NamedTuple):
    """Sums of cells: (R,) estimates, standard errors and degrees of freedom; why one is not estimable; and notes."""

    values: FloatArray
    errors: FloatArray
    df: FloatArray
    obstacles: Sequence[str]
    notes: Sequence[str]


Combine: TypeAlias = Callable[[IntArray, FloatArray], Combined]
"""Function of the (R, K) places of cells in the design, and their (R, K) weights."""


def estimates_by(
    combine: Combine,
    design: Design,
    fit: Found,
    sums: Sequence[Mapping[Cell, float]],
    *,
    confidence: float,
    min_cell: int,
) -> list[dict[str, Any]]:
    """Estimate sums as `estimates` does, with any function that combines cells.

    Consecutive sums of equally many cells are computed at once.
    """
    made: list[dict[str, Any]] = []
    respondents = _respondents(design)
    for _, some in groupby(sums, key=len):
        block = list(some)
        found_in = [weights_in(design, one) for one in block]
        cells, weights = (np.array(part) for part in zip(*found_in, strict=True))
        counts = respondents[cells]
        clear = fit.status in FITTED and not _by_level(design)
        plain = np.asarray((counts >= max(min_cell, 1)).all(axis=1) & clear)
        screened = [
            ({"n": round(number)}, False) if fine else screen(design, fit, one, min_cell=min_cell)
            for one, fine, number in zip(block, plain, counts.sum(axis=1).tolist(), strict=True)
        ]
        asked = np.array([not refused for _, refused in screened])
        found: Iterator[dict[str, Any]] = iter(())
        if asked.any():
            combined = combine(cells[asked], weights[asked])
            tested = tests_against_zero(*combined[:3], confidence=confidence)
            found = (
                {"status": Status.NOT_ESTIMABLE, "note": obstacle}
                if obstacle
                else {"status": fit.status, "note": note} | test
                for obstacle, note, test in zip(combined.obstacles, combined.notes, tested, strict=True)
            )
        for base, refused in screened:
            if refused:
                made.append(base)
                continue
            row = next(found)
            if "estimate" in row:
                row["note"] = "; ".join(filter(None, (fit.note, base.get("note"), row["note"])))
            made.append(base | row)
    return made


def _by_coefficients(design: Design, fit: Fit, cells: IntArray, weights: FloatArray) -> Combined:
    """Combine estimated marginal means by the coefficients of a fit."""
    vectors = design.mean_vectors(cells, weights)
    obstacles = fit.obstacles(vectors)
    for row, obstacle in enumerate(obstacles):
        if obstacle == NOT_DETERMINED:
            obstacles[row] = _obstacle(design, cells[row], weights[row])
    found, df = np.array([not obstacle for obstacle in obstacles]), np.full(len(cells), math.nan)
    df[found] = fit.df(vectors[found])
    variances = ((vectors @ fit.cov) * vectors).sum(axis=1)
    errors = np.sqrt(np.maximum(variances, 0.0))
    return Combined(vectors @ fit.coef, errors, df, obstacles, [""] * len(df))


def screen(
    design: Design, fit: Found, weights: Mapping[Cell, float], *, min_cell: int
) -> tuple[dict[str, Any], bool]:
    """Count the respondents of some cells, and refuse an estimate if that, their overlap or a failed fit forbids it.

    Returns
    -------
    dict, bool
        `n`, with the reason in `status` and `note` if refused; and whether it is. If not, a `note` says how many
        overlap in the covariates, where these are not all.
    """
    cells, _ = weights_in(design, weights)
    counts = _respondents(design)[cells]
    base: dict[str, Any] = {"n": round(float(counts.sum()))}
    if (empty := cells[counts == 0]).size:
        note = f"nobody answered: {name_cells(design, empty)}"
        return base | {"status": Status.NOT_ESTIMABLE, "note": note}, True
    if (small := cells[counts < min_cell]).size:
        note = f"fewer than {min_cell} respondents: {name_cells(design, small)}"
        return base | {"status": Status.TOO_FEW, "note": note}, True
    if fit.status not in FITTED:
        return base | {"status": fit.status, "note": fit.note}, True
    if (share := overlap(design, weights)) == 1:
        return base, False
    note = f"adjusted where {math.floor(100 * share)}% of respondents overlap"
    if share < design.smallest_overlap:
        note = f"{note}: fewer than {100 * design.smallest_overlap:g}%"
        return base | {"status": Status.NOT_ESTIMABLE, "note": note}, True
    return base | {"note": note}, False


def overlap(design: Design, weights: Mapping[Cell, float]) -> float:
    """Share of the respondents of the cells compared whose categorical covariates occur in all of them.

    Parameters
    ----------
    design
        A design.
    weights
        (wave, organisation) -> weight. A mean compares no cells; where the weights of each organisation cancel, its
        waves are compared with each other, and not with the other organisations'.

    Returns
    -------
    float
        From 0 to 1; 1 without categorical covariates, or where nothing is compared.
    """
    if not _by_level(design):
        return 1.0
    cells, on = weights_in(design, weights)
    wave, organisation = np.divmod(cells, len(design.organisations))
    persons, waves = _profiles(design)[cells], len(design.waves)
    within = on.min() > 0 or np.abs(np.bincount(organisation, on)).max() < CANCELS
    among, side = (organisation, organisation * waves + wave) if within else (cells * 0, on > 0)
    _, first, side = np.unique(side, return_index=True, return_inverse=True)
    sides = np.zeros((len(first), persons.shape[1]))
    np.add.at(sides, side, persons)
    lacking = np.zeros((len(design.organisations), persons.shape[1]))
    np.add.at(lacking, among[first], sides == 0)
    return float(sides[lacking[among[first]] == 0].sum() / sides.sum())


def _by_level(design: Design) -> bool:
    """Whether there are categorical covariates."""
    return any(name.endswith("]") for name in design.covariates)


@lru_cache(maxsize=2)
def _respondents(design: Design) -> FloatArray:
    """(C,) respondents of each cell, counted once for all contrasts of a design."""
    return design.respondents


@lru_cache(maxsize=2)
def _places(design: Design) -> dict[Cell, int]:
    """Place of each cell among the cells."""
    return {cell: number for number, cell in enumerate(design.cells)}


@lru_cache(maxsize=2)
def _answers(design: Design) -> FloatArray:
    """(C,) respondents of each cell who answered the item that most answered."""
    cell = design.cell[design.group]
    by_item = [add_by(cell[one], design.persons[one], len(design.cells)) for one in (design.answers > 0).T]
    return np.asarray(np.max(by_item, axis=0, initial=0.0), dtype=np.float64)


@lru_cache(maxsize=2)
def _profiles(design: Design) -> FloatArray:
    """(C, kinds) respondents of each cell by their categorical covariates, counted once as well."""
    categorical = [place for place, name in enumerate(design.covariates) if name.endswith("]")]
    found, kind = np.unique(design.profiles[:, categorical], axis=0, return_inverse=True)
    key = design.cell * len(found) + kind.ravel()[design.profile]
    persons = add_by(key[design.group], design.persons, len(design.cells) * len(found))
    return persons.reshape(len(design.cells), len(found))


def weighed(design: Design, stated: Stated, result: dict[str, Any]) -> dict[str, Any]:
    """Add to the note of an estimate of all staff, or against it, how organisations are weighted."""
    labels, weights = stated
    if labels["organisation"].rpartition(BETWEEN)[2] != ALL:
        return result
    number = len(set((weights.places[np.abs(weights.numbers) < 1] % len(design.organisations)).tolist()))
    every = sum(share > 0 for share in design.shares.values())
    some = f"over {number} of {every} organisations" if number < every else ""
    return result | {"note": "; ".join(filter(None, (design.shares_note, some, result.get("note"))))}


def against_zero(value: float, error: float, df: float, *, confidence: float) -> dict[str, Any]:
    """Test an estimate against 0 by Student's t, and give its interval; the reason if there is none."""
    (test,) = tests_against_zero(*(np.array([one]) for one in (value, error, df)), confidence=confidence)
    return test


def tests_against_zero(
    values: FloatArray, errors: FloatArray, df: FloatArray, *, confidence: float
) -> list[dict[str, Any]]:
    """Test (R,) estimates: see `against_zero`."""
    known = np.isfinite(values) & np.isfinite(errors) & (errors > 0) & (df > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        margin, p_value = stdtrit(df, (1 + confidence) / 2) * errors, 2 * stdtr(df, -np.abs(values) / errors)
    rows = np.column_stack([values, errors, df, values - margin, values + margin, p_value]).tolist()
    note = "the estimate or its standard error is not finite"
    return [
        dict(zip(TESTED, row, strict=True)) if one else {"status": Status.NOT_CONVERGED, "note": note}
        for one, row in zip(known, rows, strict=True)
    ]


def standardised(contrasts: pd.DataFrame, variances: pd.DataFrame) -> pd.DataFrame:
    """Contrasts in units of one answer's standard deviation, as further rows.

    The unit is `total_sd` = sqrt(tau2 + sigma2) of the same analysis and scale: the standard deviation of an
    answer to one item, between and within respondents, given cell, item and covariates (after Westfall, Kenny
    and Judd 2014, J. Exp. Psychol. Gen. 143, 2020, whose unit has the variance of items too: here items are
    fixed). It is taken as known: standard errors and intervals are the contrast's, divided by it, and the
    test is the contrast's own.

    Parameters
    ----------
    contrasts, variances
        Frames of `compare_fit`, of one or several scales and analyses.

    Returns
    -------
    DataFrame
        Tidy; a row for each row of `contrasts`, its term followed by ``_standardised``. Percentages are left
        out.
    """
    contrasts = contrasts[~contrasts["term"].str.endswith(PERCENT_FAVOURABLE)]
    units = variances[variances["term"] == "total_sd"].set_index(["analysis", "scale"])["estimate"]
    unit = units.reindex(pd.MultiIndex.from_frame(contrasts[["analysis", "scale"]])).to_numpy()
    rows = contrasts.assign(term=contrasts["term"] + STANDARDISED, p_adjusted=math.nan)
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        rows[name] = rows[name].to_numpy() / unit
    return rows.reset_index(drop=True)


NEARLY_ALL: Final = 0.9
"""Share of all staff that organisations with enough respondents must make up, to stand for all of it."""

FITTED: Final = (Status.OK, Status.BOUNDARY)
"""What a fit is that has estimates."""

CANCELS: Final = 1e-9
"""Weights of an organisation add up to nothing below this."""


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless a coverage is between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"not a coverage between 0 and 1: {confidence}")


@lru_cache(maxsize=2)
def stated_means(design: Design) -> tuple[Stated, ...]:
    """Every cell's mean and, where the design has shares, all organisations' in a wave, as labels and weights."""
    found: list[Stated] = []
    of, size = (design.waves, design.organisations), len(design.organisations)
    for place, wave in enumerate(design.waves):
        for number, organisation in enumerate(design.organisations):
            one = Weights(of, np.array([place * size + number]), np.ones(1))
            found.append((_labels(EMMEAN, wave, organisation), one))
        names, shares = _everybody(design, place)
        if len(names):
            found.append((_labels(EMMEAN, wave, ALL), Weights(of, place * size + names, shares)))
    return tuple(found)


@lru_cache(maxsize=2)
def stated_contrasts(design: Design) -> tuple[Stated, ...]:
    """Every contrast between cells that have respondents (see `compare_fit`), as labels and weights."""
    of, there = (design.waves, design.organisations), _respondents(design) > 0
    waves, size = design.waves, len(design.organisations)
    spans = list(combinations(range(len(waves)), 2))
    found: list[Stated] = []

    def state(term: str, wave: str, organisation: str, cells: IntArray, weights: FloatArray) -> None:
        if there[cells].all():
            found.append((_labels(term, wave, organisation), Weights(of, cells, weights)))

    def span(earlier: int, later: int) -> str:
        return f"{waves[later]}{BETWEEN}{waves[earlier]}"

    for earlier, later in spans:
        for place, organisation in enumerate(design.organisations):
            cells = np.array([later, earlier]) * size + place
            state("change", span(earlier, later), organisation, cells, np.array([1.0, -1.0]))
        names, shares = _everybody(design, later, earlier)
        if len(names):
            cells = np.concatenate([later * size + names, earlier * size + names])
            state("change", span(earlier, later), ALL, cells, np.concatenate([shares, -shares]))
    for place, wave in enumerate(waves):
        for between, names, weights in _compared(design, place):
            state("gap", wave, between, place * size + names, weights)
    for earlier, later in spans:
        for between, names, weights in _compared(design, later, earlier):
            # the change of each organisation, what adds before what is taken away
            ends = np.where(weights[:, None] > 0, [later, earlier], [earlier, later])
            cells, sides = (ends * size + names[:, None]).ravel(), np.abs(weights[:, None]) * [1.0, -1.0]
            state("difference_in_differences", span(earlier, later), between, cells, sides.ravel())
    return tuple(found)


def _compared(design: Design, *waves: int) -> Iterator[tuple[str, IntArray, FloatArray]]:
    """Yield which organisations are compared in some waves: ``first - second``, places, and the weight of each."""
    names = design.organisations
    if design.against == ALL:
        everybody, shares = _everybody(design, *waves)
        for place, own in enumerate(names if len(everybody) else ()):
            rest = everybody != place
            weights = np.append(1.0 - shares[~rest].sum(), -shares[rest])
            yield f"{own}{BETWEEN}{ALL}", np.append(place, everybody[rest]), weights
        return
    place_of = {name: place for place, name in enumerate(names)}
    for first, second in paired(names, design.against):
        places = np.array([place_of[first], place_of[second]])
        yield f"{first}{BETWEEN}{second}", places, np.array([1.0, -1.0])


def _everybody(design: Design, *waves: int) -> tuple[IntArray, FloatArray]:
    """(K,) the organisations of all staff of some waves and their shares; none if one has no respondents.

    Where organisations are not compared in pairs, those are left out that have fewer answers than `smallest_of_all`
    in one of the waves, provided that the others make up nearly all (`NEARLY_ALL`).
    """
    place_of = {name: place for place, name in enumerate(design.organisations)}
    known = {name: share for name, share in design.shares.items() if share > 0}
    places, shares = np.array([place_of[name] for name in known], dtype=np.intp), np.array([*known.values()])
    counts = _answers(design) if design.against else _respondents(design)
    by_wave = counts.reshape(len(design.waves), len(design.organisations))[list(waves)]
    least = by_wave.min(axis=0)[places]
    if design.against and len(places) > 2 and not (enough := least >= design.smallest_of_all).all():
        held = sum(shares[enough].tolist())
        kept = enough & (held >= NEARLY_ALL)
        return places[kept], shares[kept] / held
    everybody = np.full(len(places), bool((least > 0).all()))
    return places[everybody], shares[everybody]


def _obstacle(design: Design, cells: IntArray, weights: FloatArray) -> str:
    """Why the answers do not determine a weighted sum of cells, by their places, in words."""
    apart = design.apart[cells]
    if not weights[apart].sum():  # compared with each other only: items are no obstacle
        return NOT_DETERMINED
    items = ", ".join(item for item, one in zip(design.items, design.common, strict=True) if one)
    named = name_cells(design, np.sort(cells[apart]))
    return f"no items in common, directly or through others, with those asked {items}: {named}"


def _labels(term: str, wave: str, organisation: str) -> dict[str, str]:
    return {"term": term, "wave": wave, "organisation": organisation}


def name_cells(design: Design, places: IntArray) -> str:
    """Cells in words."""
    at = (divmod(place, len(design.organisations)) for place in places.tolist())
    return "; ".join(f"{design.waves[wave]}, {design.organisations[name]}" for wave, name in at)


def _who_and_what(design: Design) -> Iterator[dict[str, Any]]:
    """How many respondents and items the fit is of, with notes of those left out."""
    respondents = round(float(design.persons.sum()))
    left_out = [f"{number} {reason}" for reason, number in design.left_out.items() if number]
    apart = [item for item, common in zip(design.items, design.common, strict=True) if not common]
    of_items = [
        f"{why}: {', '.join(items)}"
        for why, items in (("nobody answered", design.unanswered), ("not linked with the others", apart))
        if items
    ]
    for term, number, notes in (
        ("n_respondents", respondents, ["left out: " + ", ".join(left_out)] if left_out else []),
        ("n_items", len(design.items), of_items),
    ):
        yield {"term": term, "estimate": number, "n": respondents, "note": "; ".join(notes)}
