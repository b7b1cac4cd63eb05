"""What a wave to come can detect, by its number of returns.

The linear mixed model is fitted to one wave that is there, the reference. The wave to come is taken to be asked
the same items, and answered by the same mix of respondents: organisations, covariates and items left out in the
reference's proportions. Whatever the frame holds of other waves, the one to come among them, is not looked at.
Contrasts then have the precision that both waves together give at the reference's variances, the reference's own
uncertainty included.

The plan is for the linear model, and takes its convention: respondents stand for whoever could work there, so that no
finite-population factor makes errors smaller, not even where everybody returns (the variant `finite_population` of the
sensitivity analysis then has no error left from that wave). But nobody plans for more returns than there are people to
ask. Respondents are taken not to be linked between waves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from surveywaves.mixed.contrasts import Cell, check_confidence, screen, stated_contrasts
from surveywaves.mixed.design import Design, FloatArray, make_design
from surveywaves.mixed.estimable import NOT_DETERMINED
from surveywaves.mixed.lmm import LinearFit, fit_linear
from surveywaves.planning.power import (
    Outlook,
    detectable_effect,
    margin,
    power_of_equivalence,
    power_of_t,
)
from surveywaves.sample import Sample, Scale
from surveywaves.terms import ALL, PLANNING, RETURNS_NEEDED, Status
from surveywaves.tidy import tidy

TERMS: Final = ("conf_half_width", "power", "power_adjusted", "power_equivalence", "detectable")
"""What there is for every contrast and number of returns."""

ROUNDING: Final = 1e-9
ENDLESS: Final = 1e9
"""So many returns that only the reference wave's uncertainty is left."""


def plan(
    sample: Sample,
    scales: Sequence[Scale],
    *,
    planned: str,
    returns: Sequence[int],
    smallest: float,
    confidence: float = 0.95,
    power: float = 0.8,
    tests: int = 1,
    min_cell: int = 2,
    population: int | None = None,
) -> pd.DataFrame:
    """Return precision, power and detectable effects of each scale's contrasts with a wave to come.

    Parameters
    ----------
    sample
        Who answered the reference wave, its one wave, whose variances are taken and that is compared with; rows of
        other waves are not used. Weights and teams are left aside, and every note says so.
    scales
        What is planned for, each by itself.
    planned
        The wave to come, which need not have rows.
    returns
        Expected numbers of returns of the wave to come, those included that state no organisation or answer no
        item of the scale.
    smallest
        The smallest effect of interest, in standard deviations of one answer.
    confidence
        Coverage of the intervals; the tests are at 1 - confidence.
    power
        Power at which the detectable effect and the returns needed are given.
    tests
        Tests in the family over which p-values are adjusted: scales.
    min_cell
        Fewest respondents a cell may have, in either wave.
    population
        How many could return, if that is known. Of more nothing is said, and where more are needed the note has the
        power with all of them.

    Returns
    -------
    DataFrame
        Tidy. Of the reference wave (organisation ``all``): `returns`, `total_sd` (in points), `icc`,
        `items_answered` (mean number, of those in the fit). Of every contrast with the wave to come (labelled
        as in `compare_fit`) and expected number of returns, in `n`:

        - `conf_half_width`: of the interval, in standard deviations of one answer;
        - `power`: chance that the test against 0 finds the smallest effect of interest, p-values not adjusted;
        - `power_adjusted`: the same where no other test of the family finds anything: each is then at 1 -
          confidence divided by `tests`, by Holm and by Benjamini-Hochberg alike. Not with one test;
        - `power_equivalence`: chance that two one-sided tests show a difference smaller than the smallest effect
          of interest, where there is none; p-values not adjusted;
        - `detectable`: the effect that is found with the planned power, in standard deviations of one answer.

        `df` is Satterthwaite's. Last, of every contrast, `returns_needed`: the smallest number of returns with
        which `power` reaches the planned power.

    Raises
    ------
    ValueError
        If the arguments contradict the frame or each other.
    """
    check_confidence(confidence)
    if not 0 < power < 1 or not smallest > 0 or tests < 1 or len({*sample.waves, planned}) != 2:
        raise ValueError("not a plan: power between 0 and 1, an effect above 0, a test or more, two waves")
    here = sample.frame[sample.frame["wave"] == sample.waves[0]]
    beside = {"teams are left aside": sample.team, "weights are left aside": sample.weight}
    aim = Aim(
        planned=planned,
        returns=tuple(returns),
        smallest=smallest,
        level=1 - confidence,
        power=power,
        tests=tests,
        min_cell=min_cell,
        population=population,
        left_aside=tuple(words for words, column in beside.items() if column),
    )
    answered = replace(sample, frame=here, weight="", team="")
    rows: list[dict[str, Any]] = []
    for scale in scales:
        design = make_design(answered, scale)
        fit = fit_linear(design, robust=False)
        found = *_reference(design, fit, len(here)), *_contrasts(design, fit, len(here), aim)
        rows += [{"analysis": PLANNING, "scale": scale.name} | row for row in found]
    return tidy(rows)


@dataclass(frozen=True, slots=True)
class Aim:
    """What the wave to come shall find, and what it is judged by: see `plan`."""

    planned: str
    returns: tuple[int, ...]
    smallest: float
    level: float
    power: float
    tests: int
    min_cell: int
    population: int | None
    left_aside: tuple[str, ...]

    @property
    def terms(self) -> tuple[str, ...]:
        """What there is for every contrast and number of returns."""
        return tuple(term for term in TERMS if term != "power_adjusted" or self.tests > 1)


def _reference(design: Design, fit: LinearFit, returned: int) -> Iterator[dict[str, Any]]:
    """Rows about the reference wave: what the plan is made from."""
    respondents = round(float(design.persons.sum()))
    label = {"wave": design.waves[0], "organisation": ALL}
    yield label | {"term": "returns", "estimate": returned, "n": returned}
    estimates = {
        "total_sd": math.sqrt(fit.sigma2 * (1 + fit.theta)),
        "icc": fit.tau2 / (fit.sigma2 * (1 + fit.theta)),
    }
    for term, estimate in estimates.items():
        known = math.isfinite(estimate)
        status = fit.status if known or fit.status is not Status.OK else Status.NOT_ESTIMABLE
        found = {"term": term, "estimate": estimate, "n": respondents}
        yield label | found | {"status": status, "note": fit.note}
    answered = float(design.persons @ design.answered.sum(axis=1)[design.group])
    if respondents:
        yield label | {"term": "items_answered", "estimate": answered / respondents, "n": respondents}


def _contrasts(design: Design, fit: LinearFit, returned: int, aim: Aim) -> Iterator[dict[str, Any]]:
    """Rows about each contrast with the wave to come."""
    joint = both_waves(design, aim.planned)
    outlook = None
    if fit.status in (Status.OK, Status.BOUNDARY):
        outlook = Outlook(design, fit.kept, theta=fit.theta, sigma2=fit.sigma2)
    said = "; ".join(filter(None, [_as_before(design, returned), *aim.left_aside, fit.note]))
    for label, weights in stated_contrasts(joint):
        if all(wave != aim.planned for wave, _ in weights):
            continue
        refused = _refuse(design, fit, weights, min_cell=aim.min_cell)
        if refused or outlook is None:
            nothing = {key: refused[key] for key in ("status", "note")}
            for number in aim.returns:
                yield from (label | {"term": term, "n": number} | nothing for term in aim.terms)
            yield label | {"term": RETURNS_NEEDED} | nothing
            continue
        contrast = _Contrast(design, outlook, weights, aim, returned)
        for row in [*(row for number in aim.returns for row in contrast.rows(number)), contrast.needed()]:
            estimated = "estimate" in row
            notes = "; ".join(filter(None, [row.get("note", ""), said if estimated else ""]))
            yield label | ({"status": fit.status} if estimated else {}) | row | {"note": notes}


def both_waves(design: Design, planned: str) -> Design:
    """Follow the design of one wave by a wave to come that is answered by the same kinds of respondents.

    Its groups are those of the first wave, then the same again. The wave to come has as many respondents of
    each kind as the first; other numbers are for `Outlook`.
    """
    return replace(
        design,
        waves=(*design.waves, planned),
        profile=np.tile(design.profile, 2),
        cell=np.concatenate([design.cell, design.cell + len(design.cells)]),
        team=np.tile(design.team, 2),
        answered=np.tile(design.answered, (2, 1)),
        group=np.concatenate([design.group, design.group + len(design.cell)]),
        answers=np.tile(design.answers, (2, 1)),
        persons=np.tile(design.persons, 2),
        count=np.tile(design.count, 2),
        square=np.tile(design.square, 2),
    )


class _Contrast:
    """One contrast with the wave to come."""

    def __init__(
        self, design: Design, outlook: Outlook, weights: Mapping[Cell, float], aim: Aim, returned: int
    ) -> None:
        self._aim, self._returned = aim, returned
        self._expected = outlook.of(weights_by_wave(design, weights))
        self._unit = outlook.unit
        share = dict(zip(design.organisations, design.respondents / returned, strict=True))
        self._share = {who: share[who] for wave, who in weights if wave == aim.planned}

    def rows(self, returns: int) -> Iterator[dict[str, Any]]:
        """One row per term, with its estimate or why there is none."""
        aim = self._aim
        few = [name for name, share in self._share.items() if share * returns < aim.min_cell - ROUNDING]
        nothing: dict[str, Any] = {}
        if aim.population is not None and returns > aim.population:
            nothing = {"status": Status.NOT_ESTIMABLE, "note": f"more than the {aim.population:,} staff"}
        elif few:
            named = "; ".join(f"{aim.planned}, {name}" for name in few)
            note = f"fewer than {aim.min_cell} respondents expected: {named}"
            nothing = {"status": Status.TOO_FEW, "note": note}
        if nothing:
            yield from ({"n": returns, "term": term} | nothing for term in aim.terms)
            return
        error, df = self._precision(returns)
        found = {
            "conf_half_width": margin(error, df, level=aim.level),
            "power": power_of_t(aim.smallest, error, df, level=aim.level),
            "power_adjusted": power_of_t(aim.smallest, error, df, level=aim.level / aim.tests),
            "power_equivalence": power_of_equivalence(aim.smallest, error, df, level=aim.level),
            "detectable": detectable_effect(error, df, level=aim.level, power=aim.power),
        }
        yield from ({"n": returns, "term": term, "estimate": found[term], "df": df} for term in aim.terms)

    def needed(self) -> dict[str, Any]:
        """Find the smallest number of returns with the planned power, or say why there is none."""
        aim, label = self._aim, {"term": RETURNS_NEEDED}
        least = math.ceil((aim.min_cell - ROUNDING) / min(self._share.values()))
        if aim.population is not None and (short := self._short(max(aim.population, least))) < 0:
            power = short + aim.power
            note = f"more than the {aim.population:,} staff: with all of them the power is {power:.2f}"
            return label | {"status": Status.NOT_ESTIMABLE, "note": note}
        most = self._short(ENDLESS)
        if most < 0:
            note = f"no number of returns gives a power of {aim.power:g}: the reference wave's own uncertainty leaves"
            return label | {"status": Status.NOT_ESTIMABLE, "note": f"{note} {most + aim.power:.2f} at most"}
        number = least
        if self._short(least) < 0:
            ends = math.log(least), math.log(ENDLESS)
            number = math.ceil(math.exp(brentq(lambda log: self._short(math.exp(log)), *ends, xtol=1e-10)))
            # the root is right to a few digits after the point: whole numbers beside it decide
            number += int(self._short(number) < 0) - int(self._short(max(number - 1, least)) >= 0)
        return label | {"estimate": number, "n": number, "df": self._precision(number)[1]}

    def _short(self, returns: float) -> float:
        """How far the power is from the planned one."""
        error, df = self._precision(returns)
        return power_of_t(self._aim.smallest, error, df, level=self._aim.level) - self._aim.power

    def _precision(self, returns: float) -> tuple[float, float]:
        """Compute the standard error, in standard deviations of one answer, and degrees of freedom."""
        ratio = returns / self._returned
        return self._expected.error(ratio) / self._unit, self._expected.df(ratio)


def weights_by_wave(design: Design, weights: Mapping[Cell, float]) -> FloatArray:
    """(2, C) the weights of a contrast on the cells of the design's one wave, and on those of the wave to come."""
    place = {name: number for number, name in enumerate(design.organisations)}
    found = np.zeros((2, len(place)))
    for (wave, organisation), weight in weights.items():
        found[int(wave != design.waves[0]), place[organisation]] = weight
    return found


def _refuse(
    design: Design, fit: LinearFit, weights: Mapping[Cell, float], *, min_cell: int
) -> dict[str, Any]:
    """Why nothing can be said of a contrast, whatever the returns; empty if something can.

    What both waves tell of a combination of cells, the reference tells with the wave to come put in its place.
    """
    of_reference = {(design.waves[0], organisation): 1.0 for _, organisation in weights}
    found, refused = screen(design, fit, of_reference, min_cell=min_cell)
    if refused:
        return found
    merged = weights_by_wave(design, weights).sum(axis=0)
    if not fit.determined(design.mean_vectors(np.arange(len(merged))[None], merged[None])).all():
        return {"status": Status.NOT_ESTIMABLE, "note": NOT_DETERMINED}
    return {}


def _as_before(design: Design, returned: int) -> str:
    """Return in words how 100 returns will divide."""
    returned = max(returned, 1)
    taken = zip((organisation for _, organisation in design.cells), design.respondents, strict=True)
    out = [f"{_of_100(number / returned)} {reason}" for reason, number in design.left_out.items() if number]
    parts = ", ".join(f"{_of_100(number / returned)} {name}" for name, number in taken)
    left = f", left out {', '.join(out)}" if out else ""
    return f"of 100 returns, as in {design.waves[0]}: {parts}{left}"


def _of_100(share: float) -> str:
    return "under 1" if share < 0.005 else f"{100 * share:.0f}"
