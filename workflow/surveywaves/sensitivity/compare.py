"""All variants of the comparison side by side, and how many of them come to the same decision, in words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from surveywaves.mixed.contrasts import (
    FAMILY,
    Fit,
    Stated,
    Weights,
    against_zero,
    check_confidence,
    estimates,
    families,
    stated_contrasts,
)
from surveywaves.mixed.decisions import decide
from surveywaves.mixed.design import Design, make_design
from surveywaves.mixed.favourable import FavourableFit
from surveywaves.sample import Sample, Scale
from surveywaves.sensitivity.imputation import pool
from surveywaves.sensitivity.people import COLUMNS, Used, given, used, variant_people, with_imputed
from surveywaves.sensitivity.tipping import Side, Tipping, most_imputed, tipping_points
from surveywaves.sensitivity.variants import Variant
from surveywaves.terms import (
    ESTIMATED,
    FAVOURABLE,
    IMPUTED,
    LINEAR,
    MAIN,
    PERCENT_FAVOURABLE,
    STANDARDISED,
    Status,
    variant_title,
)
from surveywaves.text import listed
from surveywaves.tidy import tidy
from surveywaves.weighting import Refused

CONTRAST: Final = ["analysis", "scale", "term", "wave", "organisation"]

ROUNDING: Final = 1e-9

_TIPPING: Final = re.compile(r"(?:^|; )((?:another decision if|no difference of|no answer was imputed).*)$")

MOVED: Final = 0.05
"""A variant counts if it moves the estimate by this share of the smallest effect of interest, or more,"""

WIDENED: Final = 0.02
"""or its standard error by this share of itself."""


Place: TypeAlias = tuple[str, ...]
"""The metric, `LINEAR` or `FAVOURABLE`, scale, term without its ending, wave and organisation of a contrast."""


class Compared(NamedTuple):
    """See `compare_variants`."""

    table: pd.DataFrame
    sides: dict[Place, Side]
    people: pd.DataFrame


class Judged(NamedTuple):
    """Every contrast by every variant with its decision, how many variants come to the main one's, and who differs."""

    sensitivity: pd.DataFrame
    agreement: pd.DataFrame
    variant_people: pd.DataFrame


def judge_variants(
    sample: Sample,
    scales: Sequence[Scale],
    variants: Sequence[Variant],
    *,
    flagged: Mapping[str, Sequence[str]],
    standardised: float,
    percentage_points: float,
    confidence: float = 0.95,
    min_cell: int = 2,
    multiplicity: str = "holm",
    labels: Mapping[str, str] | None = None,
) -> Judged:
    """Compare waves and organisations in several ways, and count who comes to the same decisions.

    Parameters
    ----------
    sample, scales, variants, confidence, min_cell
        See `compare_variants`.
    flagged
        Scale -> its items that work differently between waves or organisations.
    standardised, percentage_points, multiplicity
        See `surveywaves.mixed.decisions.decide`; a family is one contrast of one variant, across scales.
    labels
        See `agreement`.
    """
    scales = [replace(scale, flagged=tuple(flagged.get(scale.name, ()))) for scale in scales]
    family = ("variant", *FAMILY)
    table, sides, people = compare_variants(
        sample, scales, variants, confidence=confidence, min_cell=min_cell
    )
    decided = decide(
        table,
        tidy([]),  # the unit is in the estimates
        standardised=standardised,
        percentage_points=percentage_points,
        confidence=confidence,
        multiplicity=multiplicity,
        family=family,
        against=sample.against,
    )
    mine = decided[decided["variant"] == IMPUTED]
    places = _places(mine)
    found = tipping_points(
        mine,
        [sides[place[1:]] for place in places],
        families(mine, family, sample.against),
        confidence=confidence,
        multiplicity=multiplicity,
    )
    tipping = dict(zip(places, found, strict=True))
    return Judged(decided, agreement(decided, labels, tipping), people)


def _places(table: pd.DataFrame) -> list[Place]:
    """Identify the contrast of each row; an ordinal model's is that of the linear one."""
    metric = np.where(table["analysis"] == FAVOURABLE, FAVOURABLE, LINEAR)
    term = table["term"].str.removesuffix(STANDARDISED).str.removesuffix(f"_{PERCENT_FAVOURABLE}")
    return list(zip(metric, table["scale"], term, table["wave"], table["organisation"], strict=True))


def agreement(
    table: pd.DataFrame,
    labels: Mapping[str, str] | None = None,
    tipping: Mapping[Place, Tipping] | None = None,
) -> pd.DataFrame:
    """Count, for every contrast, the variants that reach the decision of the main analysis.

    Only variants that gave an answer count, and only those whose answer is another one: that moved the estimate by a
    twentieth of the smallest effect of interest (`MOVED`; .01 SD if that is .2) or its standard error by 2%
    (`WIDENED`). That an analysis agrees with itself says nothing, and variants with one and the same answer (only
    reworded items are not common) count as one.

    Parameters
    ----------
    table
        What `compare_variants` gives, with the columns of `surveywaves.mixed.decisions.decide`.
    labels
        Words for grouping variables.
    tipping
        Tipping points: see `surveywaves.sensitivity.tipping`.

    Returns
    -------
    DataFrame
        One row a metric, scale and contrast: `analysis` (``linear``, which ordinal variants are held against too, or
        ``favourable``), `scale, term` (``change``, ``gap``, ``difference_in_differences``), `wave`, `organisation`,
        `decision` of the main analysis (empty: it gave none), `agreeing` and `variants`, the numbers of variants that
        reach it and that count, `largest_move` (in the unit of the estimates, to two decimals, percentages to one; of
        all variants, also those that do not count, but for the ordinal models, whose unit is their own; missing where
        none counts) and `largest_variant`, which made it (empty where it rounds to 0), `tipping_point` (the same unit
        and digits; missing: see the words), and `words`.
    """
    answers: dict[Place, list[_Answer]] = {}
    names = ("variant", "analysis", "decision", "status", "estimate", "std_error", "smallest")
    for place, variant, analysis, decision, status, *numbers in zip(
        _places(table), *(table[name] for name in names), strict=True
    ):
        answered = status in ESTIMATED and decision != ""
        answer = _Answer(variant, analysis in (LINEAR, FAVOURABLE), decision if answered else "", *numbers)
        answers.setdefault(place, []).append(answer)
    rows = []
    for place, found in answers.items():
        main = next(answer for answer in found if answer.variant == MAIN)
        others: list[_Answer] = []
        for one in found:
            if one.decision and one.variant != MAIN and one.differs(main):
                others += [] if any(one.repeats(other) for other in others) else [one]
        agreeing = sum(one.decision == main.decision for one in others)
        digits, unit = (2, "SD") if place[0] == LINEAR else (1, "points")
        moves = {
            one.variant: round(one.estimate - main.estimate, digits)
            for one in found
            if others and main.decision and one.decision and one.variant != MAIN and one.same_unit
        }
        largest = max(moves, key=lambda name: abs(moves[name]), default="")
        move = moves.get(largest, math.nan)
        tip = (tipping or {}).get(place, Tipping(math.nan, ""))
        words = _words(main.decision, agreeing, others, labels or {})
        if move == 0:  # errors alone are others
            largest, move = "", 0.0
            words += f"; no estimate moves by {10.0**-digits:g} {unit}"
        elif largest:
            told = f"{move:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
            words += f"; largest move {told} {unit} ({variant_title(largest, labels)})"
        if tip.words and main.decision:
            words += f"; {tip.words}"
        counted = (agreeing, len(others), move, largest, round(tip.value, digits))
        rows.append((*place, main.decision, *counted, words))
    columns = ["agreeing", "variants", "largest_move", "largest_variant", "tipping_point"]
    text = dict.fromkeys((*CONTRAST, "decision", "largest_variant", "words"), "str")
    frame = pd.DataFrame(rows, columns=[*CONTRAST, "decision", *columns, "words"])
    kinds = {"agreeing": "Int64", "variants": "Int64", "largest_move": "float64", "tipping_point": "float64"}
    return frame.astype({**text, **kinds})


def over_variants(
    table: pd.DataFrame, every: pd.DataFrame, labels: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Count again who comes to the main decision, over the variants that a table has.

    Parameters
    ----------
    table, labels
        See `agreement`.
    every
        What `agreement` gave over all variants: tipping points are taken from it, where the imputed data are left.
    """
    left = table[(table["variant"] == IMPUTED) & (table["decision"] != "")]
    places = set(_places(left))
    tipping = {
        place: Tipping(value, found[1] if (found := _TIPPING.search(words)) else "")
        for place, value, words in zip(
            zip(*(every[name] for name in CONTRAST), strict=True),
            every["tipping_point"],
            every["words"],
            strict=True,
        )
        if place in places
    }
    return agreement(table, labels, tipping)


class _Answer(NamedTuple):
    """A variant's answer; no decision, no answer."""

    variant: str
    same_unit: bool
    decision: str
    estimate: float
    error: float
    smallest: float

    def repeats(self, other: _Answer) -> bool:
        """Whether it is another one over again; the last digits of that depend on the processor."""
        near = ROUNDING * other.error
        return abs(self.estimate - other.estimate) <= near and abs(self.error - other.error) <= near

    def differs(self, main: _Answer) -> bool:
        """Whether it is another answer than that of the main analysis."""
        if not main.decision:
            return True
        moved = abs(self.estimate - main.estimate) >= MOVED * main.smallest
        return moved or abs(self.error / main.error - 1) >= WIDENED


def _words(decision: str, agreeing: int, others: Sequence[_Answer], labels: Mapping[str, str]) -> str:
    """Return it in words: `11 of 12 variants: increase; Ordinal model (logit): inconclusive`."""
    if not others:
        return "no other variant gives another answer" if decision else "no estimate"
    first = f"{agreeing} of {len(others)} variants: {_spaced(decision)}"
    parts = [first if decision else "no estimate by the main analysis"]
    for other in dict.fromkeys(one.decision for one in others if one.decision != decision):
        named = [variant_title(one.variant, labels) for one in others if one.decision == other]
        parts.append(f"{listed(named)}: {_spaced(other)}")
    return "; ".join(parts)


def _spaced(decision: str) -> str:
    return decision.replace("_", " ")


Row = dict[str, Any]


def compare_variants(
    sample: Sample,
    scales: Sequence[Scale],
    variants: Sequence[Variant],
    *,
    confidence: float = 0.95,
    min_cell: int = 2,
) -> Compared:
    """Compare waves and organisations in several ways.

    A variant that changes nothing for a scale is not fitted again: its numbers are those of the main analysis to the
    last digit, and its note says why.

    Parameters
    ----------
    sample
        Who is compared in the main analysis.
    scales
        What is compared.
    variants
        The ways, the main analysis among them: see `stated_variants`.
    confidence
        Coverage of the intervals.
    min_cell
        Fewest respondents of a cell.

    Returns
    -------
    table
        `variant` and the columns of a tidy table: every contrast of the main analysis (see
        `surveywaves.mixed.contrasts.compare_fit`) in every variant, variant by variant and scale by scale. Terms are
        `change_standardised`, `gap_standardised` and `difference_in_differences_standardised`, in standard deviations
        of one answer (see `surveywaves.mixed.contrasts.standardised`): what is on the response scale in those of the
        main analysis, so that the unit is one and the same; an ordinal model in those of its own latent answer. Then,
        but for variants that are about the model and scales without favourable answers, the same contrasts in
        percentage points of favourable answers (`surveywaves.mixed.favourable`). A variant that cannot be done, or a
        contrast that it cannot give, is a row with its status and reason.
    sides
        Scale, term, wave and organisation of every contrast -> the side of which most was imputed, if any was.
    people
        See `surveywaves.sensitivity.people.variant_people`.

    Raises
    ------
    ValueError
        If the arguments contradict the frame or each other, or the main analysis is not among the variants.
    """
    check_confidence(confidence)
    main = next((variant for variant in variants if variant.name == MAIN), None)
    if main is None:
        raise ValueError(f"no variant is called {MAIN}")
    fitted = {scale.name: _fit(main, make_design(sample, scale), scale) for scale in scales}
    names: list[str] = []
    rows: list[Row] = []
    uses: dict[str, dict[str, dict[tuple[str, ...], Used]]] = {scale.name: {} for scale in scales}
    answers = {scale.name: given(sample, scale) for scale in scales}
    every = {scale.name: used(sample, scale, answers[scale.name], sample, scale) for scale in scales}
    sides: dict[Place, Side] = {}
    for variant in variants:
        people = variant.people(sample)
        for scale in scales:
            first = fitted[scale.name]
            asking = _Asking(variant, first, confidence, min_cell)
            own = every[scale.name]
            if variant.imputed is not None:
                found = asking.pooled(scale)
                own = with_imputed(sample, scale, own, variant.imputed)
                uses[scale.name][variant.name] = dict.fromkeys(asking.waves(), own)
                sides |= asking.sides(scale)
            else:
                ways = _ways(variant, people, sample, scale, first=first)
                found = asking.contrasts(ways)
                uses[scale.name][variant.name] = {
                    waves: own
                    if way.sample is sample and way.scale is scale
                    else used(sample, scale, answers[scale.name], *way[:2])
                    for waves in asking.waves()
                    if not isinstance(way := ways(waves), Refused) and not way.sample.obstacle(waves)
                }
            rows += [{"scale": scale.name, **row} for row in found]
        names += [variant.name] * (len(rows) - len(names))
    table = tidy(rows)
    table.insert(0, "variant", pd.Series(names, dtype="str"))
    apart = pd.DataFrame(
        [row for name, one in uses.items() for row in variant_people(sample, name, one)],
        columns=list(COLUMNS),
    )
    return Compared(table, sides, apart.astype({**dict.fromkeys(COLUMNS[:-1], "str"), "n": "int64"}))


class _Fitted(NamedTuple):
    """A fit, the unit of its contrasts (a standard deviation of one answer), and the percentages if there are any."""

    design: Design
    fit: Fit
    unit: float
    favourable: FavourableFit | None


class _Way(NamedTuple):
    """A variant's fit of one scale, and what is to be said of it."""

    sample: Sample
    scale: Scale
    fitted: _Fitted
    note: str


Ways = Callable[[tuple[str, ...]], _Way | Refused]
"""The way of a contrast of some waves."""


def _fit(variant: Variant, design: Design, scale: Scale, unit: float | None = None) -> _Fitted:
    """Fit; take the unit from the fit itself, or as given."""
    fit = variant.fit(design)
    shares = FavourableFit(design, scale) if scale.favourable and not variant.of_model else None
    return _Fitted(design, fit, fit.total_sd if unit is None else unit, shares)


def _ways(
    variant: Variant, people: tuple[Sample, str] | Refused, sample: Sample, scale: Scale, *, first: _Fitted
) -> Ways:
    """Fit one scale as a variant has it; what it leaves as it was is not worked out again."""
    known: dict[tuple[str, ...], _Way | Refused] = {}

    @cache
    def way(waves: tuple[str, ...]) -> _Way | Refused:
        if isinstance(people, Refused):
            return people
        asked, said = scale, ""
        if variant.statements is not None:
            items = variant.statements(sample, scale, waves)
            if not items:
                return Refused(f"no such statement in: {', '.join(waves)}")
            said = "over all statements"
            if items != scale.items:
                asked = replace(scale, items=items)
                said = f"over {len(items)} of {len(scale.items)} statements"
        if asked.items not in known:
            known[asked.items] = fit(people, asked, said)
        return known[asked.items]

    def fit(people: tuple[Sample, str], asked: Scale, said: str) -> _Way | Refused:
        changed = variant.answers(people[0], asked)
        if isinstance(changed, Refused):
            return changed
        left, of, told = changed
        note = "; ".join(filter(None, (people[1], told, said)))
        same = left is sample and of is scale
        if same and not variant.of_model:
            return _Way(left, of, first, note)
        design = first.design if same else make_design(left, of)
        return _Way(left, of, _fit(variant, design, of, None if variant.latent else first.unit), note)

    return way


class _Asking(NamedTuple):
    """What a variant says of every contrast of one scale; `first` is the main analysis."""

    variant: Variant
    first: _Fitted
    confidence: float
    min_cell: int

    def metrics(self) -> tuple[str, ...]:
        """Those in which there are rows."""
        return (LINEAR, FAVOURABLE) if self.first.favourable and not self.variant.of_model else (LINEAR,)

    def waves(self) -> dict[tuple[str, ...], None]:
        """Those of each contrast."""
        return dict.fromkeys(weights.waves for _, weights in stated_contrasts(self.first.design))

    def sides(self, scale: Scale) -> dict[Place, Side]:
        """Scale, term, wave and organisation of every contrast -> the side of which most was imputed."""
        assert self.variant.imputed is not None
        shares = self.variant.imputed.shares(scale)
        of_cells = np.array([shares.get(cell, 0.0) for cell in self.first.design.cells])
        return {
            (scale.name, *labels.values()): most_imputed(labels["term"], weights, of_cells)
            for labels, weights in stated_contrasts(self.first.design)
        }

    def contrasts(self, ways: Ways) -> Iterator[Row]:
        """Rows of every contrast of the main analysis as a variant has it."""
        for metric in self.metrics():
            for waves, some in groupby(stated_contrasts(self.first.design), lambda one: one[1].waves):
                way, asked = ways(waves), list(some)
                rows = [_labelled(metric, labels) for labels, _ in asked]
                if isinstance(way, Refused):
                    yield from (row | {"status": Status.NOT_ESTIMABLE, "note": way.reason} for row in rows)
                    continue
                if metric == LINEAR:
                    rows = [row | {"analysis": way.fitted.fit.analysis} for row in rows]
                if obstacle := way.sample.obstacle(waves):
                    yield from (row | {"status": Status.NOT_ESTIMABLE, "note": obstacle} for row in rows)
                    continue
                # that a respondent gave one answer is no news where there is one item
                known = len(way.fitted.design.items) == 1 and way.fitted.fit.status is Status.OK
                sums = self._with_own(way.fitted, asked)
                for row, found in zip(rows, self._estimates(metric, way.fitted, sums), strict=True):
                    told = "" if known and "estimate" in found else found.get("note", "")
                    yield row | found | {"note": "; ".join(filter(None, (way.note, told)))}

    def pooled(self, scale: Scale) -> Iterator[Row]:
        """Rows of every contrast over the completed data sets, by Rubin's rules."""
        imputed = self.variant.imputed
        assert imputed is not None
        stated = stated_contrasts(self.first.design)
        metrics, sums = self.metrics(), [weights for _, weights in stated]
        rows = [_labelled(metric, labels) for metric in metrics for labels, _ in stated]
        found: list[list[Row]] = []
        for which in range(imputed.number if imputed.concerns(scale) else 0):
            design = make_design(imputed.completed(which, scale), scale)
            fitted = _fit(self.variant, design, scale, self.first.unit)
            found.append([row for metric in metrics for row in self._estimates(metric, fitted, sums)])
        if not found:
            told = {"note": "nothing is missing that can be imputed"}
            own = (row for metric in metrics for row in self._estimates(metric, self.first, sums))
            yield from (row | one | told for row, one in zip(rows, own, strict=True))
            return
        for row, *each in zip(rows, *found, strict=True):
            made = _pooled(each, confidence=self.confidence)
            yield row | made | {"note": "; ".join(filter(None, (imputed.note, made["note"])))}

    def _with_own(self, fitted: _Fitted, stated: Sequence[Stated]) -> list[Weights]:
        """Return the weights of stated contrasts: the organisations that make up all staff depend on who takes part."""
        own: dict[Place, Weights] = {}
        if fitted is not self.first and fitted.design.against:
            own = {tuple(labels.values()): weights for labels, weights in stated_contrasts(fitted.design)}
        return [own.get(tuple(labels.values()), weights) for labels, weights in stated]

    def _estimates(self, metric: str, fitted: _Fitted, sums: Sequence[Weights]) -> list[Row]:
        if metric == FAVOURABLE:
            assert fitted.favourable is not None
            return fitted.favourable.estimates(sums, confidence=self.confidence, min_cell=self.min_cell)
        found = estimates(fitted.design, fitted.fit, sums, confidence=self.confidence, min_cell=self.min_cell)
        return [_in_units(row, fitted.unit) for row in found]


def _labelled(metric: str, labels: Mapping[str, str]) -> Row:
    ending = STANDARDISED if metric == LINEAR else f"_{PERCENT_FAVOURABLE}"
    return {"analysis": metric, **labels, "term": labels["term"] + ending}


def _pooled(rows: Sequence[Row], *, confidence: float) -> Row:
    """Pool what the completed data sets give of a contrast; nothing if one of them gives nothing."""
    number = {"n": round(float(np.mean([row["n"] for row in rows])))}
    if lacking := next((row for row in rows if "estimate" not in row), None):
        return number | {"status": lacking["status"], "note": f"in an imputation: {lacking['note']}"}
    found = pool(*([row[name] for row in rows] for name in ("estimate", "std_error", "df")))
    status = Status.BOUNDARY if any(row.get("status") == Status.BOUNDARY for row in rows) else Status.OK
    told = f"{len(rows)} imputations, {100 * found.missing_information:.0f}% of the information missing"
    tested = against_zero(found.estimate, found.std_error, found.df, confidence=confidence)
    return number | {"status": status, "note": told} | tested


def _in_units(row: Row, unit: float) -> Row:
    """Divide an estimate and its error by a unit, taken as known; the reason if there is none."""
    if "estimate" not in row:
        return row
    if not (math.isfinite(unit) and unit > 0):
        note = "the main analysis gives no standard deviation of an answer"
        return {"n": row["n"], "status": Status.NOT_ESTIMABLE, "note": note}
    divided = {name: row[name] / unit for name in ("estimate", "std_error", "conf_low", "conf_high")}
    return row | divided
