"""The percentage of favourable answers, from the answers themselves.

For a cell c and the J statements that it was asked, with weights w,

    percent(c) = 100 * mean over statements of p_cj,    p_cj = sum of w of the favourable / W_cj,  W_cj = sum of w

over the respondents of the cell who answered statement j. A contrast is over the statements that all its cells were
asked. No model stands behind it: it does not rest on proportional odds, and statements weigh equally however many
answered them.

**Errors** are robust to how a person's answers go together. The sum of a respondent's terms in a combination with
weights l on the p_cj is

    z_i = sum over j of l_j w_ij (y_ij - p_cj) / W_cj * a_cj,      Var = sum over respondents of z_i^2 = l' V_c l,

with a_cj = sqrt(n_cj / (n_cj - 1)): for the saturated linear model `y ~ cell:statement` this is CR2 of Bell and
McCaffrey (2002), exactly, as a respondent has one answer a statement. With teams, their sums are squared, over all the
cells that a team is in; a team with m_tj of the n_cj answers has a_tcj = 1 / sqrt(1 - m_tj / n_cj), which is CR2 again.
Degrees of freedom are Satterthwaite's, of the sum of squares under independent answers of one variance, with P the
matrix of that quadratic form: (tr P)^2 / tr(P P); here P is diagonal but for outer products, so that the numbers of
those who answered both of two statements are enough. With weights, a_cj is sqrt(m / (m - 1)) for m clusters, as for a
mean by strata (`survey::svymean`, but for statements that some skipped, where m is of those who answered), and degrees
of freedom are Welch's: (sum of V_c)^2 / sum of (V_c^2 / (m_c - 1)).

**Nobody differs.** Where every answer of a cell to each statement is favourable, or none, V_c is 0, though the next
respondent might differ. Such a cell has the error that it would have with one more answer of each kind (Agresti and
Caffo 2000), as if a person's answers were all alike; its own interval is Wilson's, averaged over the statements.

**Covariates**, where asked for: a logistic regression with a constant for each cell and statement, and the covariates;
the percentage is averaged over the covariates of all respondents of the design (standardisation; Lane and Nelder 1982),
or, where the answers do not determine that, over those of the cells compared. It is the GEE with independent working
correlation (Liang and Zeger 1986), fitted by statsmodels as a generalised linear model of counts; errors are the
sandwich of respondents' or teams' scores with the delta method, m / (m - 1) by cell, degrees of freedom Welch's.

Sources: Bell and McCaffrey (2002) Surv. Methodol. 28, 169; Pustejovsky and Tipton (2018) J. Bus. Econ. Stat. 36, 672
(CR2, and the degrees of freedom); Welch (1938) Biometrika 29, 350; Agresti and Caffo (2000) Am. Stat. 54, 280; Wilson
(1927) J. Am. Stat. Assoc. 22, 209; Lane and Nelder (1982) Biometrics 38, 613; Liang and Zeger (1986) Biometrika 73, 13.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.special import expit, stdtrit
from statsmodels.stats.proportion import proportion_confint

from surveywaves.mixed.contrasts import (
    Cell,
    Combined,
    Row,
    Stated,
    check_confidence,
    estimates_by,
    name_cells,
    stated_contrasts,
    stated_means,
    weighed,
    weights_in,
)
from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.estimable import NOT_DETERMINED, Determined
from surveywaves.mixed.sums import independent_columns
from surveywaves.sample import Scale
from surveywaves.terms import FAVOURABLE, PERCENT_FAVOURABLE, Status

FEWEST: Final = 2
"""Respondents, or teams, who answered a statement in a cell: of one alone no error is known."""

SEPARATED: Final = 20.0
"""Log odds beyond this are those of a maximum at infinity: one in half a milliard."""

NOTHING: Final = 1e-14
"""A variance is none if it is this share, or less, of that of independent answers."""

NEAR: Final = 1e-6
"""Answers are the same if they are nearer: reverse keying rounds what response options were stretched to."""

LARGEST: Final = 700.0
"""Log odds whose exponential is still a number: a cell of two may have an interval from 0 to 100."""

ALL_ALIKE: Final = "everybody's answers come to the same percentage: no error can be estimated"

STEPS: Final = 100
SETTLED: Final = 1e-12


class Favourable(NamedTuple):
    """Rows of two tidy tables, each worked out as it is gone through, once."""

    means: Iterator[Row]
    contrasts: Iterator[Row]


def compare_favourable(
    design: Design, scale: Scale, *, confidence: float = 0.95, min_cell: int = 2
) -> Favourable:
    """Estimate the percentage of favourable answers in each cell, and the contrasts between cells.

    Parameters
    ----------
    design
        Of the scale: see `make_design`.
    scale
        Its name and favourable answers.
    confidence, min_cell
        See `contrasts.compare_fit`.

    Returns
    -------
    means
        term `percent_favourable`. The interval is symmetric on the log odds scale, so that it stays within 0 and
        100.
    contrasts
        terms `change_percent_favourable`, `gap_percent_favourable` and
        `difference_in_differences_percent_favourable`, in percentage points, each labelled as in
        `contrasts.compare_fit` and tested against 0.

    Raises
    ------
    ValueError
        If no answer of the scale's range is favourable, or one outside it, or `confidence` is no coverage.
    """
    check_confidence(confidence)
    fit = FavourableFit(design, scale)
    common = {"analysis": fit.analysis, "scale": scale.name}

    def rows(stated: Sequence[Stated], *, mean: bool) -> Iterator[Row]:
        told = fit.estimates([sums for _, sums in stated], confidence=confidence, min_cell=min_cell)
        for one, found in zip(stated, told, strict=True):
            labels, weights = one
            if mean and "estimate" in found:
                found.update({"p_value": math.nan} | fit.within_bounds(found, weights, confidence))
            term = PERCENT_FAVOURABLE if mean else f"{labels['term']}_{PERCENT_FAVOURABLE}"
            yield common | labels | {"term": term} | weighed(design, one, found)

    return Favourable(rows(stated_means(design), mean=True), rows(stated_contrasts(design), mean=False))


class FavourableFit:
    """The percentage of favourable answers to a scale, and its error, of any weighted sum of cells.

    Parameters
    ----------
    design, scale
        A design, and its scale.

    Attributes
    ----------
    analysis, status, note
        As of any fit: see `contrasts.Fit`.
    """

    analysis = FAVOURABLE

    def __init__(self, design: Design, scale: Scale) -> None:
        self.design = design
        self.status, self.note = Status.OK, ""
        if not design.items:
            self.status, self.note = Status.TOO_FEW, "nobody answered an item"
            return
        self._answers = _Answers.of(design, _favourable(design, scale))
        self._model: _Model | None = None
        if design.covariates:
            model = _fit(design, self._answers)
            if isinstance(model, _Model):
                self._model = model
            else:
                self.status, self.note = model
        self._scores = _Scores.of(design, self._answers, self._model)

    def estimates(
        self, sums: Sequence[Mapping[Cell, float]], *, confidence: float, min_cell: int
    ) -> list[dict[str, Any]]:
        """Estimate several weighted sums: see `contrasts.estimates`."""
        return estimates_by(self._combine, self.design, self, sums, confidence=confidence, min_cell=min_cell)

    def within_bounds(
        self, row: Mapping[str, float], weights: Mapping[Cell, float], confidence: float
    ) -> dict[str, float]:
        """Interval of a mean that stays within 0 and 100.

        It is symmetric in log odds, where the error is error / (p (1 - p)). At 0 or 100, or where nobody differs, it
        is Wilson's, averaged over cells and statements.
        """
        cells, on = weights_in(self.design, weights)
        asked = self._asked(cells)
        if self._answers.alike(cells, asked).all():
            return self._wilson(cells, on, asked, confidence)
        share = row["estimate"] / 100
        margin = float(stdtrit(row["df"], (1 + confidence) / 2)) * row["std_error"] / 100
        centre, margin = math.log(share / (1 - share)), margin / (share * (1 - share))
        ends = (centre + side * margin for side in (-1, 1))
        low, high = (100 / (1 + math.exp(min(-end, LARGEST))) for end in ends)
        return {"conf_low": low, "conf_high": high}

    def _wilson(
        self, cells: IntArray, weights: FloatArray, asked: BoolArray, confidence: float
    ) -> dict[str, float]:
        answers = self._answers
        ends = np.zeros(2)
        for cell, weight in zip(cells, weights, strict=True):
            number = answers.clusters[cell, asked]
            found = proportion_confint(
                answers.share[cell, asked] * number, number, alpha=1 - confidence, method="wilson"
            )
            ends += 100 * weight * np.array(found).mean(axis=1)
        return {"conf_low": float(ends[0]), "conf_high": float(ends[1])}

    def _asked(self, cells: IntArray) -> BoolArray:
        """(..., J) the statements that all of (..., K) cells were asked."""
        return np.asarray((self._answers.clusters[cells] >= FEWEST).all(axis=-2))

    def _combine(self, cells: IntArray, weights: FloatArray) -> Combined:
        """Add up percentages and their errors."""
        answers, asked = self._answers, self._asked(cells)
        weight = 100 * weights[:, :, None] / np.maximum(asked.sum(axis=1), 1)[:, None, None] * asked[:, None]
        share, number = answers.share[cells], answers.clusters[cells]
        values, added = (weight * share).sum(axis=(1, 2)), [""] * len(cells)
        more = (share * number + 1) / (number + 2)
        alike = answers.alike(cells, asked)
        spread = alike * (np.abs(weight) * np.sqrt(more * (1 - more) / (number + 2))).sum(axis=2) ** 2
        if self._model is None:
            variances, by_cell = self._scores.variance(cells, weight)
            if self.design.weighted:
                df = _welch(by_cell + spread, answers.units[cells])
            else:
                df = answers.satterthwaite(cells, weight)
        else:
            values, variances, df, added = self._standardised(cells, weight, spread)
        variances = variances + spread.sum(axis=1)
        chance = share * (1 - share) / np.maximum(answers.number[cells], 1)
        nothing = variances <= NOTHING * (weight**2 * chance).sum(axis=(1, 2))
        notes, ever = [], (answers.number[cells].max(axis=1) > 0).sum(axis=1)
        for row, (number_of, of) in enumerate(zip(asked.sum(axis=1).tolist(), ever.tolist(), strict=True)):
            told = [added[row]]
            if alike[row].any():
                named = name_cells(self.design, cells[row, alike[row]])
                told.append(f"everybody alike, error as with one more answer of each kind: {named}")
            if number_of < of:
                told.append(f"over {number_of} of {of} statements")
            notes.append("; ".join(filter(None, told)))
        lonely = number.max(axis=2) < FEWEST
        impossible = lonely.any(axis=1) | ~asked.any(axis=1) | np.isnan(values) | nothing
        obstacles = [""] * len(cells)
        for row in np.flatnonzero(impossible).tolist():
            if lonely[row].any():
                who = "team" if self.design.teams else "respondent"
                named = name_cells(self.design, cells[row, lonely[row]])
                obstacles[row] = f"one {who} only, whose error cannot be estimated: {named}"
            elif not asked[row].any():
                obstacles[row] = "no statement in common"
            else:
                obstacles[row] = NOT_DETERMINED if math.isnan(values[row]) else ALL_ALIKE
        return Combined(values, np.sqrt(np.maximum(variances, 0.0)), df, obstacles, notes)

    def _standardised(
        self, cells: IntArray, weight: FloatArray, spread: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, list[str]]:
        """(R,) values, variances, degrees of freedom and notes by the model, row by row; NaN: not determined."""
        assert self._model is not None
        found, notes = np.full((3, len(cells)), math.nan), [""] * len(cells)
        every = np.arange(len(self.design.cells))[None]
        for row, own in enumerate(cells):
            on = np.zeros(self._answers.share.shape)
            on[own] = weight[row]
            standard = self._model.standardise(self.design, on, own.tolist())
            if standard is None:
                continue
            value, slope, notes[row] = standard
            variance, by_cell = self._scores.variance(every, slope[None])
            by_cell[0, own] += spread[row]
            found[:, row] = value, variance[0], _welch(by_cell, self._answers.units[every])[0]
        return found[0], found[1], found[2], notes


def _welch(by_cell: FloatArray, units: FloatArray) -> FloatArray:
    """(R,) degrees of freedom of sums of (R, K) variances; NaN where they are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = by_cell.sum(axis=1) ** 2 / (by_cell**2 / np.maximum(units - 1, 1)).sum(axis=1)
    return np.asarray(found, dtype=np.float64)


def _quadratic(left: FloatArray, matrix: FloatArray) -> FloatArray:
    """(...) x' M x of (..., D) vectors and (..., D, D) matrices."""
    return np.asarray(((left[..., None, :] @ matrix)[..., 0, :] * left).sum(axis=-1), dtype=np.float64)


def _favourable(design: Design, scale: Scale) -> BoolArray:
    """(J, L) which levels are favourable answers to each statement."""
    low, high = scale.response_range
    found = np.zeros((len(design.items), len(design.levels)), dtype=np.bool_)
    for place, item in enumerate(design.items):
        favourable = scale.favourable_of.get(item, scale.favourable)
        if not favourable or any(not low <= answer <= high for answer in favourable):
            raise ValueError(f"not favourable answers from {low} to {high}: {list(favourable)}")
        near = np.abs(design.levels[:, None] - np.array(favourable, dtype=np.float64)) < NEAR
        found[place] = near.any(axis=1)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """What was answered; C cells, J statements, R patterns, K clusters of a cell."""

    cell: IntArray
    given: BoolArray
    good: BoolArray
    """(R,) each pattern's cell; (R, J) which statements it answered, and which of these favourably."""
    number: FloatArray
    total: FloatArray
    share: FloatArray
    """(C, J) how many answered, their weights, and the share of these that is favourable (0 where nobody answered)."""
    clusters: FloatArray
    """(C, J) respondents, or teams, who answered."""
    units: FloatArray
    """(C,) respondents, or teams."""
    reach: FloatArray
    """(C,) what the squares of respondents' scores are multiplied by where the population is finite; 1 with weights,
    whose squares know it."""
    members: list[tuple[IntArray, FloatArray]] | None
    """For each cell (K, J) how many of each cluster answered, with (K,) the team; None without teams."""
    together: FloatArray
    """(C, J, J) how many answered both; without teams."""

    @classmethod
    def of(cls, design: Design, favourable: BoolArray) -> _Answers:
        """Count."""
        cells, items = len(design.cells), len(design.items)
        cell = design.cell[design.group]
        given = np.asarray(design.answers > 0)
        known = np.hstack([np.zeros((items, 1), dtype=np.bool_), favourable])
        good = known[np.arange(items), design.answers]

        def by_cell(weights: FloatArray, of: BoolArray) -> FloatArray:
            return np.column_stack([add_by(cell[one], weights[one], cells) for one in of.T])

        number, total = by_cell(design.persons, given), by_cell(design.count, given)
        share = by_cell(design.count, good) / np.where(total > 0, total, 1.0)
        persons = design.respondents
        squares = add_by(cell, design.square, cells)
        reach = np.ones(cells) if design.weighted else squares / np.maximum(persons, 1.0)
        members, together = None, np.zeros((cells, items, items))
        if design.teams:
            members = [_members(design, given, rows) for rows in _rows_of(cell, cells)]
            clusters = np.array([(counts > 0).sum(axis=0) for _, counts in members], dtype=np.float64)
            units = np.array([len(team) for team, _ in members], dtype=np.float64)
        else:
            clusters, units = number, persons
            for place, rows in enumerate(_rows_of(cell, cells)):
                some = given[rows].astype(np.float64)
                together[place] = some.T @ (design.persons[rows, None] * some)
        return cls(cell, given, good, number, total, share, clusters, units, reach, members, together)

    def alike(self, cells: IntArray, asked: BoolArray) -> BoolArray:
        """(..., K) cells where, for each of (..., J) statements, all answers are favourable or none is."""
        share = self.share[cells]
        return np.asarray(((share == 0) | (share == 1) | ~asked[..., None, :]).all(axis=-1))

    def satterthwaite(self, cells: IntArray, weight: FloatArray) -> FloatArray:
        """(R,) degrees of freedom of sums of squares for (R, K, J) weights on the shares of cells: see the module."""
        if self.members is not None:
            return np.array([self._of_teams(*row) for row in zip(cells, weight, strict=True)])
        n, both, reach = np.where(weight, self.number[cells], 2.0), self.together[cells], self.reach[cells]
        own = weight**2 / n**2
        trace = (reach * (own * n).sum(axis=2)).sum(axis=1)
        # (P_ii)^2, and (P_ii')^2 of all pairs less those of a respondent with themselves
        apart = _quadratic(own, both) + _quadratic(own / (n - 1), both**2 - both)
        squares = (reach**2 * apart).sum(axis=1)
        return np.asarray(np.where(squares > 0, trace**2 / np.where(squares > 0, squares, 1.0), math.nan))

    def _of_teams(self, cells: IntArray, weight: FloatArray) -> float:
        members = self.members or []
        teams = np.unique(np.concatenate([members[cell][0] for cell in cells]))
        diagonal, roots = np.zeros(len(teams)), []
        for cell, on in zip(cells, weight, strict=True):
            some = np.flatnonzero(on)
            team, count = members[cell]
            n, count = self.number[cell, some], count[:, some]
            v = math.sqrt(self.reach[cell]) * on[some] / n / np.sqrt(1 - count / n)
            at = np.searchsorted(teams, team)
            diagonal[at] += (count * v**2).sum(axis=1)
            root = np.zeros((len(teams), len(some)))
            root[at] = count * v / np.sqrt(n)
            roots.append(root)
        u = np.hstack(roots)
        length = (u**2).sum(axis=1)
        squares = float((diagonal**2 - 2 * diagonal * length).sum() + ((u.T @ u) ** 2).sum())
        return float(diagonal.sum() - length.sum()) ** 2 / squares if squares > 0 else math.nan


def _rows_of(cell: IntArray, cells: int) -> list[IntArray]:
    """Each cell's patterns."""
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.cumsum(np.bincount(cell, minlength=cells))[:-1])


def _members(design: Design, given: BoolArray, rows: IntArray) -> tuple[IntArray, FloatArray]:
    team, place = np.unique(design.team[design.group[rows]], return_inverse=True)
    counts = [add_by(place[one], design.persons[rows][one], len(team)) for one in given[rows].T]
    return team, np.column_stack(counts)


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Cross-products of respondents' scores by cell, or teams' sums of them; D = J + Q scores."""

    cross: FloatArray
    """(C, D, D) without teams."""
    teams: list[tuple[IntArray, FloatArray]]
    """For each cell, (K,) its teams and (K, D) their scores."""

    @classmethod
    def of(cls, design: Design, answers: _Answers, model: _Model | None) -> _Scores:
        """Add up."""
        cells = len(design.cells)
        size = len(design.items) + (design.profiles.shape[1] if model else 0)
        cross, teams = np.zeros((cells, size, size)), []
        for cell, rows in enumerate(_rows_of(answers.cell, cells)):
            given = answers.given[rows]
            if model is None:
                number = answers.clusters[cell]
                known = number >= FEWEST
                scores = np.where(known & given, answers.good[rows] - answers.share[cell], 0.0)
                scores /= np.maximum(answers.total[cell], 1e-300)
                if answers.members is None or design.weighted:
                    scores *= np.sqrt(number / np.maximum(number - 1, 1))
            else:
                profile = design.profile[design.group[rows]]
                own = np.where(given, answers.good[rows] - model.chance(design, cell)[profile], 0.0)
                scores = np.hstack([own, own.sum(axis=1)[:, None] * design.profiles[profile]])
                scores *= math.sqrt(answers.units[cell] / max(answers.units[cell] - 1, 1))
            if answers.members is None:
                cross[cell] = scores.T @ (design.square[rows, None] * scores)
                continue
            team, counts = answers.members[cell]
            place = np.searchsorted(team, design.team[design.group[rows]])
            sums = np.zeros((len(team), size))
            np.add.at(sums, place, design.count[rows, None] * scores)
            if model is None and not design.weighted:
                whole = counts / np.maximum(answers.number[cell], 1)
                sums /= np.sqrt(np.where(whole < 1, 1 - whole, 1.0))
            teams.append((team, math.sqrt(answers.reach[cell]) * sums))
        return cls(cross, teams)

    def variance(self, cells: IntArray, slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(R,) variances of combinations with (R, K, D) weights on the scores of cells; (R, K) what each cell adds."""
        if not self.teams:
            by_cell = _quadratic(slopes, self.cross[cells])
            return by_cell.sum(axis=1), by_cell
        variances, by_cell = np.zeros(len(cells)), np.zeros(cells.shape)
        for row, (own, slope) in enumerate(zip(cells, slopes, strict=True)):
            names, sums = zip(*(self.teams[cell] for cell in own), strict=True)
            of = [scores @ on for scores, on in zip(sums, slope, strict=True)]
            by_cell[row] = [one @ one for one in of]
            _, place = np.unique(np.concatenate(names), return_inverse=True)
            together = np.bincount(place, weights=np.concatenate(of))
            variances[row] = together @ together
        return variances, by_cell


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A fitted logistic regression; B constants of cells and statements that have answers of both kinds."""

    constant: FloatArray
    """(C, J) log odds at the mean of the covariates; infinite where all answers are alike or there are none."""
    place: IntArray
    """(C, J) the constant's place among the coefficients, -1 where it has none."""
    slopes: FloatArray
    """(Q,) of the covariates."""
    bread: FloatArray
    """(B + Q, B + Q) inverse information."""
    determined: Determined
    """Which combinations of the coefficients the data determine."""

    def chance(self, design: Design, cell: int) -> FloatArray:
        """(V, J) of a favourable answer, by covariates and statement."""
        found = expit(self.constant[cell] + (design.profiles @ self.slopes)[:, None])
        return np.asarray(found, dtype=np.float64)

    def standardise(
        self, design: Design, weight: FloatArray, cells: list[int]
    ) -> tuple[float, FloatArray, str] | None:
        """Average chances over respondents' covariates, and add them up.

        Parameters
        ----------
        design
            The design.
        weight
            (C, J) weights on the chances.
        cells
            Those that have any.

        Returns
        -------
        float, (C, J + Q), str
            The sum, its gradient as weights on the scores, and what is to be said; None if not determined.
        """
        everybody = np.isin(design.cell, cells)
        for among, note in (
            (np.ones_like(everybody), ""),
            (everybody, "standardised to the respondents of its own cells"),
        ):
            counts = np.where(among, design.group_counts, 0.0)
            share = add_by(design.profile, counts, len(design.profiles)) / counts.sum()
            if self._determines(design, weight, cells, share > 0):
                return *self._average(design, weight, cells, share), note
        return None

    def _determines(self, design: Design, weight: FloatArray, cells: list[int], some: BoolArray) -> bool:
        if not self.determined.null.size:
            return True
        constants = self.bread.shape[0] - len(self.slopes)
        for cell in cells:
            for item in np.flatnonzero((weight[cell] != 0) & (self.place[cell] >= 0)):
                rows = np.zeros((int(some.sum()), len(self.bread)))
                rows[:, self.place[cell, item]] = 1.0
                rows[:, constants:] = design.profiles[some]
                if not self.determined(rows).all():
                    return False
        return True

    def _average(
        self, design: Design, weight: FloatArray, cells: list[int], share: FloatArray
    ) -> tuple[float, FloatArray]:
        value, constants = 0.0, self.bread.shape[0] - len(self.slopes)
        gradient = np.zeros(len(self.bread))
        for cell in cells:
            chance = self.chance(design, cell)
            value += float(share @ chance @ weight[cell])
            by_constant = (share[:, None] * chance * (1 - chance)) * weight[cell]
            known = self.place[cell] >= 0
            gradient[self.place[cell, known]] += by_constant.sum(axis=0)[known]
            gradient[constants:] += by_constant.sum(axis=1) @ design.profiles
        found = self.bread @ gradient
        slope = np.zeros((len(self.constant), self.constant.shape[1] + len(self.slopes)))
        slope[:, : self.constant.shape[1]] = np.where(self.place >= 0, found[self.place], 0.0)
        slope[:, self.constant.shape[1] :] = found[constants:]
        return value, slope


def _fit(design: Design, answers: _Answers) -> _Model | tuple[Status, str]:
    """Fit the logistic regression, or say why there is none.

    Respondents alike in cell and covariates are one row a statement. A statement to which a cell's answers are all
    alike has its constant at infinity, and says nothing about the covariates.
    """
    from statsmodels.genmod.families import Binomial  # noqa: PLC0415 - slow, and only covariates need it
    from statsmodels.genmod.generalized_linear_model import GLM  # noqa: PLC0415

    cells, items = answers.share.shape
    profiles = len(design.profiles)
    both = (answers.share > 0) & (answers.share < 1)
    place = np.full((cells, items), -1, dtype=np.intp)
    place[both] = np.arange(int(both.sum()))
    with np.errstate(divide="ignore"):
        constant = np.log(answers.share / (1 - answers.share))
    key = answers.cell * profiles + design.profile[design.group]
    rows, number, good = [], [], []
    for item in range(items):
        some = answers.given[:, item] & both[answers.cell, item]
        found, at = np.unique(key[some], return_inverse=True)
        number.append(np.bincount(at, weights=design.count[some], minlength=len(found)))
        good.append(
            np.bincount(at, weights=design.count[some] * answers.good[some, item], minlength=len(found))
        )
        row = np.zeros((len(found), int(both.sum()) + design.profiles.shape[1]))
        row[np.arange(len(found)), place[found // profiles, item]] = 1.0
        row[:, int(both.sum()) :] = design.profiles[found % profiles]
        rows.append(row)
    columns, total, favourable = np.vstack(rows), np.concatenate(number), np.concatenate(good)
    slopes = np.zeros(design.profiles.shape[1])
    if not len(columns):
        return Status.NOT_ESTIMABLE, "every cell's answers to each statement are alike"
    kept, null, scale = independent_columns(columns.T @ columns)
    start = np.append(constant[both], slopes)[kept] * scale[kept]
    with warnings.catch_warnings():  # of separation and of steps: looked for here
        warnings.simplefilter("ignore")
        answered = np.column_stack([favourable, total - favourable])
        fit = GLM(answered, columns[:, kept] / scale[kept], family=Binomial()).fit(
            start_params=start, maxiter=STEPS, tol=SETTLED
        )
    coef, bread = np.zeros(len(kept)), np.zeros((len(kept), len(kept)))
    coef[kept] = fit.params / scale[kept]
    predicted = columns @ coef
    if not (np.isfinite(predicted).all() and np.abs(predicted).max() < SEPARATED):
        return Status.NOT_ESTIMABLE, "separation: a covariate tells favourable answers from others"
    if not fit.converged:
        return Status.NOT_CONVERGED, "the logistic regression did not converge"
    bread[np.ix_(kept, kept)] = fit.normalized_cov_params / np.outer(scale[kept], scale[kept])
    constant[both] = coef[: int(both.sum())]
    return _Model(constant, place, coef[int(both.sum()) :], bread, Determined(null, scale))
