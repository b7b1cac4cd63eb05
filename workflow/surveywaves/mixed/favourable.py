"""The ordinal model's results: as a percentage of favourable answers, and for every item by itself.

The percentage is averaged over the population:

    percent(cell) = 100 * mean over items and respondents' covariates of  E over u of  P(answer is favourable | u)

with u ~ N(0, tau2 + tau2_team), a respondent's effect and the team's: the percentage that one would count if
everybody of the pooled respondents belonged to the cell, not that of a typical respondent (u = 0). The
expectation is taken by the fit's own quadrature. Standard errors are by the delta method, with the analytic
gradient in thresholds, coefficients, tau and omega.

An item by itself gives one answer a respondent, which leaves no respondent effect to estimate: the model is the
cumulative logit without one. Its odds ratios are of the population, not of a respondent as those of a scale are, and
nearer to 1 for that (Agresti 2010, ch. 10).

Sources: Agresti (2010) Analysis of Ordinal Categorical Data, ch. 10 (marginal and conditional effects); Lane and
Nelder (1982) Biometrics 38, 613 (standardisation); Muller and MacLehose (2014) Int. J. Epidemiol. 43, 962.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from surveywaves.mixed.clmm import OrdinalFit, fit_ordinal
from surveywaves.mixed.contrasts import (
    Cell,
    Comparison,
    against_zero,
    check_confidence,
    compare_fit,
    screen,
    stated_contrasts,
    stated_means,
)
from surveywaves.mixed.design import Design, FloatArray, add_by, make_design
from surveywaves.sample import Sample, Scale
from surveywaves.terms import PERCENT_FAVOURABLE, Status
from surveywaves.tidy import tidy

PROFILES: Final = 1 << 10
"""Distinct combinations of covariates worked on at a time."""


class Favourable(NamedTuple):
    """Two tidy frames."""

    means: pd.DataFrame
    contrasts: pd.DataFrame


def compare_ordinal(
    design: Design, scale: Scale, *, confidence: float = 0.95, min_cell: int = 2, link: str = "logit"
) -> Comparison:
    """Compare waves and organisations on one scale by the ordinal model, on both its scales, with one fit.

    Parameters
    ----------
    design
        Of the scale: see `make_design`.
    scale
        Its name and favourable answers.
    confidence, min_cell
        See `contrasts.compare`.
    link
        See `fit_ordinal`.

    Returns
    -------
    Comparison
        The rows of `contrasts.compare` with the ordinal fit, then those of `percent_favourable`.

    Raises
    ------
    ValueError
        If no answer of the scale's range is favourable, or one outside it, or `confidence` is no coverage.
    """
    check_confidence(confidence)
    (low, high), favourable = scale.response_range, scale.favourable
    if not favourable or any(not low <= answer <= high for answer in favourable):
        raise ValueError(f"not favourable answers from {low} to {high}: {list(favourable)}")
    fit = fit_ordinal(design, link=link)
    latent = compare_fit(design, fit, scale=scale.name, confidence=confidence, min_cell=min_cell)
    percent = percent_favourable(
        design, fit, scale=scale.name, favourable=favourable, confidence=confidence, min_cell=min_cell
    )
    return Comparison(
        means=pd.concat([latent.means, percent.means], ignore_index=True),
        contrasts=pd.concat([latent.contrasts, percent.contrasts], ignore_index=True),
        variances=latent.variances,
    )


def percent_favourable(
    design: Design,
    fit: OrdinalFit,
    *,
    scale: str,
    favourable: Collection[float],
    confidence: float = 0.95,
    min_cell: int = 2,
) -> Favourable:
    """Estimate the percentage of favourable answers in each cell, and the contrasts between cells.

    Parameters
    ----------
    design, fit
        A design and its fit.
    scale
        The scale's name, for the tables.
    favourable
        The favourable answers, after reverse keying. Those that nobody gave have probability 0.
    confidence
        Coverage of the intervals, between 0 and 1.
    min_cell
        Fewest respondents a cell may have.

    Returns
    -------
    means
        term `percent_favourable`. The interval is symmetric on the log odds scale, so that it stays within 0 and
        100.
    contrasts
        terms `change_percent_favourable`, `gap_percent_favourable` and
        `difference_in_differences_percent_favourable`, in percentage points, each labelled as in
        `contrasts.compare` and tested against 0.

    Raises
    ------
    ValueError
        If no answer is favourable, or `confidence` is no coverage.
    """
    check_confidence(confidence)
    if not len(favourable):
        raise ValueError("no favourable answer given")
    usable = fit.status in (Status.OK, Status.BOUNDARY)
    chances = _Chances(design, fit, favourable) if usable else None
    common = {"analysis": fit.analysis, "scale": scale}

    def row(labels: dict[str, str], weights: Mapping[Cell, float], term: str) -> dict[str, Any]:
        screened, refused = screen(design, fit, weights, min_cell=min_cell)
        base: dict[str, Any] = common | labels | {"term": term} | screened
        if refused or chances is None:
            return base
        if note := chances.obstacle(weights):
            return base | {"status": Status.NOT_ESTIMABLE, "note": note}
        value, error = chances.percent(weights)
        base |= {"status": fit.status, "note": fit.note}
        base |= against_zero(value, error, fit.freedom, confidence=confidence)
        if term == PERCENT_FAVOURABLE and "estimate" in base:
            base |= {"p_value": math.nan} | _within_bounds(value, error, fit.freedom, confidence)
        return base

    return Favourable(
        means=tidy(row(labels, weights, PERCENT_FAVOURABLE) for labels, weights in stated_means(design)),
        contrasts=tidy(
            row(labels, weights, f"{labels['term']}_{PERCENT_FAVOURABLE}")
            for labels, weights in stated_contrasts(design)
        ),
    )


def _within_bounds(percent: float, error: float, df: float, confidence: float) -> dict[str, float]:
    """Give the interval that is symmetric in log odds: the error there is error / (p (1 - p))."""
    share = percent / 100
    if not 0 < share < 1:  # but for rounding
        return {}
    margin = float(stdtrit(df, (1 + confidence) / 2)) * error / 100 / (share * (1 - share))
    centre = math.log(share / (1 - share))
    low, high = (100 / (1 + math.exp(-(centre + side * margin))) for side in (-1, 1))
    return {"conf_low": low, "conf_high": high}


class _Chances:
    """Chance of a favourable answer in each cell, and its gradient; each cell is worked out once, if asked for.

    With the favourable levels in runs, the chance is a sum over the runs' ends of +-F(threshold - predictor).
    """

    def __init__(self, design: Design, fit: OrdinalFit, favourable: Collection[float]) -> None:
        self._design, self._fit = design, fit
        wanted = np.isin(fit.levels, np.array(list(favourable), dtype=np.float64)).astype(np.float64)
        ends = wanted[:-1] - wanted[1:]
        self._all_or_none = "every" if wanted.all() else "" if wanted.any() else "no"
        self._ends = [int(end) for end in np.flatnonzero(ends)]
        self._signs = ends[self._ends].tolist()
        self._whole = float(wanted[-1])
        self._share = add_by(design.profile, design.group_counts, len(design.profiles)) / design.count.sum()
        self._done: dict[Cell, tuple[float, FloatArray]] = {}

    def obstacle(self, weights: Mapping[Cell, float]) -> str:
        """Why there is no percentage, in words; empty if there is."""
        if self._all_or_none:
            return f"{self._all_or_none} answer that was given is favourable"
        profiles = self._design.profiles
        touched = np.ones(len(self._fit.columns), dtype=np.bool_)
        touched[: self._design.item_columns.start] = [cell in weights for cell in self._design.cells]
        for direction, reason in self._fit.unknown:
            if direction[touched].any():
                return reason
        covariates = np.zeros((len(profiles), self._fit.fixed))
        covariates[:, covariates.shape[1] - profiles.shape[1] :] = profiles - profiles[:1]
        needed = [self._rows(cell, end, profiles[:1]) for cell in weights for end in self._ends]
        # bounds at other covariates differ from those at the first by these
        for rows in (*needed, covariates):
            if not self._fit.determined(rows):
                return self._fit.obstacle_to(rows)
        return ""

    def percent(self, weights: Mapping[Cell, float]) -> tuple[float, float]:
        """Work out a weighted sum of percentages, and its standard error."""
        found = [(weight, *self._of(cell)) for cell, weight in weights.items()]
        value = sum(weight * chance for weight, chance, _ in found)
        gradient = sum((weight * slope for weight, _, slope in found), np.zeros(len(self._fit.theta)))
        error = math.sqrt(max(float(gradient @ self._fit.theta_cov @ gradient), 0.0))
        return 100 * value, 100 * error

    def _rows(self, cell: Cell, end: int, profiles: FloatArray) -> FloatArray:
        """(V J', T + P) upper bounds of a cell's answers at a threshold, for (V, Q) covariates and J' common items."""
        design, size = self._design, self._fit.fixed
        items, columns = np.flatnonzero(design.common), design.item_columns
        shift = size - len(design.columns)
        rows = np.zeros((len(profiles), len(items), size))
        rows[:, :, end] = 1.0
        rows[:, :, shift + design.cells.index(cell)] = -1.0
        for place, item in enumerate(items):
            if item:  # the first is the reference
                rows[:, place, shift + columns.start + item - 1] = -1.0
        rows[:, :, shift + columns.stop :] = -profiles[:, None, :]
        return rows.reshape(len(profiles) * len(items), size)

    def _of(self, cell: Cell) -> tuple[float, FloatArray]:
        """Chance and (D,) gradient."""
        if cell not in self._done:
            self._done[cell] = self._work_out(cell)
        return self._done[cell]

    def _work_out(self, cell: Cell) -> tuple[float, FloatArray]:
        fit, link, items = self._fit, self._fit.link, int(self._design.common.sum())
        fixed, spread = slice(fit.fixed), fit.spread
        mass = np.exp(-(fit.nodes**2) / 2)
        mass /= mass.sum()
        chance, gradient, by_spread = self._whole, np.zeros(len(fit.theta)), 0.0
        for start in range(0, len(self._share), PROFILES):
            some = slice(start, start + PROFILES)
            share = np.repeat(self._share[some], items) / items
            for end, sign in zip(self._ends, self._signs, strict=True):
                rows = self._rows(cell, end, self._design.profiles[some])
                at = (rows @ fit.theta[fixed])[:, None] - spread * fit.nodes
                chance += sign * float(share @ link.cdf(at) @ mass)
                density = (sign * share)[:, None] * link.density(at) * mass
                gradient[fixed] += density.sum(axis=1) @ rows
                by_spread -= float(density.sum(axis=0) @ fit.nodes)
        if spread > 0:  # at 0, its standard deviations are not free
            gradient[fit.fixed :] = by_spread * np.nan_to_num(fit.theta[fit.fixed :]) / spread
        return chance, gradient


def compare_items(
    sample: Sample, items: Sequence[Scale], *, confidence: float = 0.95, min_cell: int = 2
) -> Comparison:
    """Compare waves and organisations on every item by itself.

    An item's column holds only answers on the instrument's response scale (or mapped to it): what a wave asked on
    another one stands in a column of its own and is no item here, so that such a wave takes no part. A reworded item
    is compared as if it were the same: who shows it says so.

    Parameters
    ----------
    sample
        Who is compared.
    items
        Each as a scale of its own, as `surveywaves.sample.single_items` lists them.
    confidence, min_cell
        See `contrasts.compare`.

    Returns
    -------
    Comparison
        As of `compare_ordinal`, with `item` filled. An item that no two cells of one wave or of one organisation
        answered cannot be compared, and has no rows. Estimates carry no note: that a model of one item cannot tell
        respondents apart goes without saying.

    Raises
    ------
    ValueError
        If sample and items contradict the frame or each other.
    """
    found = []
    for one in items:
        (item,) = one.items
        if _comparable(sample, item):
            made = compare_ordinal(make_design(sample, one), one, confidence=confidence, min_cell=min_cell)
            found.append(Comparison(*(_of_item(table, item) for table in made)))
    if not found:
        return Comparison(tidy([]), tidy([]), tidy([]))
    return Comparison(*(pd.concat(tables, ignore_index=True) for tables in zip(*found, strict=True)))


def _of_item(table: pd.DataFrame, item: str) -> pd.DataFrame:
    tests_or_means = ~table["term"].isin(["n_respondents", "n_items"]) & table["status"].eq(Status.OK)
    return table.assign(item=item, note=table["note"].mask(tests_or_means, ""))


def _comparable(sample: Sample, item: str) -> bool:
    """Whether there are answers to an item in two cells of one wave or of one organisation."""
    given = sample.frame.loc[sample.frame[item].notna(), ["wave", "organisation"]].drop_duplicates()
    given = given[given["wave"].isin(sample.waves) & given["organisation"].isin(sample.organisations)]
    return bool((given["wave"].value_counts() > 1).any() or (given["organisation"].value_counts() > 1).any())
