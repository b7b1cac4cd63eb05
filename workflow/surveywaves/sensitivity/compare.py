"""All variants of the comparison side by side, and how many of them come to the same decision, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import pandas as pd

from surveywaves.mixed.contrasts import FAMILY, Fit, check_confidence, estimate, stated_contrasts
from surveywaves.mixed.decisions import decide
from surveywaves.mixed.design import Design, make_design
from surveywaves.mixed.lmm import LinearFit
from surveywaves.sample import Sample, Scale
from surveywaves.sensitivity.variants import Variant, correct
from surveywaves.terms import ESTIMATED, MAIN, STANDARDISED, Status, variant_title
from surveywaves.text import listed
from surveywaves.tidy import tidy
from surveywaves.weighting import Refused

CONTRAST: Final = ["scale", "term", "wave", "organisation"]
ROUNDING: Final = 1e-9


class Judged(NamedTuple):
    """Every contrast by every variant with its decision, and how many variants come to the main one's."""

    sensitivity: pd.DataFrame
    agreement: pd.DataFrame


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
        See `sensitivity`.
    flagged
        Scale -> its items that work differently between waves or organisations.
    standardised, percentage_points, multiplicity
        See `surveywaves.mixed.decisions.decide`; a family is one contrast of one variant, across scales.
    labels
        See `agreement`.
    """
    scales = [replace(scale, flagged=tuple(flagged.get(scale.name, ()))) for scale in scales]
    decided = decide(
        sensitivity(sample, scales, variants, confidence=confidence, min_cell=min_cell),
        tidy([]),  # the unit is in the estimates
        standardised=standardised,
        percentage_points=percentage_points,
        confidence=confidence,
        multiplicity=multiplicity,
        family=("variant", *FAMILY),
    )
    return Judged(decided, agreement(decided, labels))


def agreement(table: pd.DataFrame, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Count, for every contrast, the variants that reach the decision of the main analysis.

    Only variants that gave an answer count, and only those whose answer is another one: where a variant changes
    nothing (no item is flagged, nobody is a straight-liner), its numbers are those of the main analysis but for
    rounding (1e-9 of the standard error), and that it agrees with itself says nothing.

    Parameters
    ----------
    table
        What `sensitivity` gives, with the columns of `surveywaves.mixed.decisions.decide`.
    labels
        Words for grouping variables.

    Returns
    -------
    DataFrame
        One row a scale and contrast: `scale, term` (``change``, ``gap``, ``difference_in_differences``), `wave`,
        `organisation`, `decision` of the main analysis (empty: it gave none), `agreeing` and `variants`, the numbers
        of variants that reach it and that gave an answer, and `words`.
    """
    contrasts: dict[tuple[str, ...], list[_Answer]] = {}
    names = ("variant", "decision", "status", "estimate", "std_error")
    for *where, variant, decision, status, value, error in zip(
        *(table[name] for name in (*CONTRAST, *names)), strict=True
    ):
        answered = status in ESTIMATED and decision != ""
        answer = _Answer(variant, decision if answered else "", value, error)
        contrasts.setdefault(tuple(where), []).append(answer)
    rows = []
    for (scale, term, wave, organisation), answers in contrasts.items():
        main = next(answer for answer in answers if answer.variant == MAIN)
        others = [one for one in answers if one.decision and not one.repeats(main)]
        agreeing = sum(one.decision == main.decision for one in others)
        words = _words(main.decision, agreeing, others, labels or {})
        place = (scale, term.removesuffix(STANDARDISED), wave, organisation)
        rows.append((*place, main.decision, agreeing, len(others), words))
    columns = [*CONTRAST, "decision", "agreeing", "variants", "words"]
    text = dict.fromkeys((*CONTRAST, "decision", "words"), "str")
    return pd.DataFrame(rows, columns=columns).astype({**text, "agreeing": "Int64", "variants": "Int64"})


class _Answer(NamedTuple):
    """A variant's answer; no decision, no answer."""

    variant: str
    decision: str
    estimate: float
    error: float

    def repeats(self, main: _Answer) -> bool:
        """Whether it is the main analysis over again; the last digits of that depend on the processor."""
        near = ROUNDING * main.error
        return abs(self.estimate - main.estimate) <= near and abs(self.error - main.error) <= near


def _words(decision: str, agreeing: int, others: Sequence[_Answer], labels: Mapping[str, str]) -> str:
    """Say it: `11 of 12 variants: increase; Ordinal model (logit): inconclusive`."""
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


def sensitivity(
    sample: Sample,
    scales: Sequence[Scale],
    variants: Sequence[Variant],
    *,
    confidence: float = 0.95,
    min_cell: int = 2,
) -> pd.DataFrame:
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
    DataFrame
        `variant` and the columns of a tidy table: every contrast of the main analysis (see
        `surveywaves.mixed.contrasts.compare`) in every variant, variant by variant and scale by scale. Terms are
        `change_standardised`, `gap_standardised` and `difference_in_differences_standardised`, in standard deviations
        of one answer (see `surveywaves.mixed.contrasts.standardised`): what is on the response scale in those of the
        main analysis, so that the unit is one and the same; an ordinal model in those of its own latent answer. A
        variant that cannot be done, or a contrast that it cannot give, is a row with its status and reason.

    Raises
    ------
    ValueError
        If the arguments contradict the frame or each other, or the main analysis is not among the variants.
    """
    check_confidence(confidence)
    main = next((variant for variant in variants if variant.name == MAIN), None)
    if main is None:
        raise ValueError(f"no variant is called {MAIN}")
    fitted = {scale.name: _fit(main, make_design(sample, scale)) for scale in scales}
    names: list[str] = []
    rows: list[Row] = []
    for variant in variants:
        people = variant.people(sample)
        for scale in scales:
            first = fitted[scale.name]
            way = _way(variant, people, sample, scale, first=first)
            found = _contrasts(variant, way, first, confidence=confidence, min_cell=min_cell)
            rows += [{"scale": scale.name, **row} for row in found]
        names += [variant.name] * (len(rows) - len(names))
    table = tidy(rows)
    table.insert(0, "variant", pd.Series(names, dtype="str"))
    return table


class _Fitted(NamedTuple):
    """A fit, and the unit of its contrasts, a standard deviation of one answer."""

    design: Design
    fit: Fit
    unit: float


class _Way(NamedTuple):
    """A variant's fit of one scale, and what is to be said of it."""

    sample: Sample
    fitted: _Fitted
    note: str


def _fit(variant: Variant, design: Design) -> _Fitted:
    """Fit, and take the unit from the fit itself."""
    fit = variant.fit(design)
    return _Fitted(design, fit, fit.total_sd)


def _way(
    variant: Variant,
    people: tuple[Sample, str] | Refused,
    sample: Sample,
    scale: Scale,
    *,
    first: _Fitted,
) -> _Way | Refused:
    """Fit one scale as a variant has it; what it leaves as it was is not worked out again."""
    if isinstance(people, Refused):
        return people
    changed = variant.answers(people[0], scale)
    if isinstance(changed, Refused):
        return changed
    left, asked, said = changed
    notes = [note for note in (people[1], said) if note]
    design = first.design if left is sample and asked is scale else make_design(left, asked)
    if variant.latent:
        fitted = _fit(variant, design)
    elif design is first.design:
        fitted = first
    else:
        fitted = _Fitted(design, variant.fit(design), first.unit)
    if variant.twice:
        notes.append(variant.twice.note)
    return _Way(left, fitted, "; ".join(notes))


def _contrasts(
    variant: Variant, way: _Way | Refused, first: _Fitted, *, confidence: float, min_cell: int
) -> Iterator[Row]:
    """Give every contrast of the main analysis as a variant has it."""
    for labels, weights in stated_contrasts(first.design):
        row: Row = {"analysis": first.fit.analysis, **labels, "term": labels["term"] + STANDARDISED}
        if isinstance(way, Refused):
            yield row | {"status": Status.NOT_ESTIMABLE, "note": way.reason}
            continue
        design, fit, unit = way.fitted
        row["analysis"] = fit.analysis
        if obstacle := way.sample.obstacle(dict.fromkeys(wave for wave, _ in weights)):
            yield row | {"status": Status.NOT_ESTIMABLE, "note": obstacle}
            continue
        found = estimate(design, fit, weights, confidence=confidence, min_cell=min_cell)
        if variant.twice and isinstance(fit, LinearFit):
            found = correct(found, design, fit, weights, twice=variant.twice, confidence=confidence)
        # that a respondent gave one answer is no news where there is one item
        known = "estimate" in found and len(design.items) == 1 and fit.status is Status.OK
        told = "" if known else found.get("note", "")
        notes = [note for note in (way.note, told) if note]
        yield row | _in_units(found, unit) | {"note": "; ".join(notes)}


def _in_units(row: Row, unit: float) -> Row:
    """Divide an estimate and its error by a unit, taken as known; the reason if there is none."""
    if "estimate" not in row:
        return row
    if not (math.isfinite(unit) and unit > 0):
        note = "the main analysis gives no standard deviation of an answer"
        return {"n": row["n"], "status": Status.NOT_ESTIMABLE, "note": note}
    divided = {name: row[name] / unit for name in ("estimate", "std_error", "conf_low", "conf_high")}
    return row | divided
