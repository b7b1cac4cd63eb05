"""All variants of the comparison, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from surveywaves.mixed.contrasts import Fit, check_confidence, estimate, stated_contrasts
from surveywaves.mixed.design import Design
from surveywaves.mixed.linear import LinearFit
from surveywaves.sensitivity.setting import Refused, Sample, Scale
from surveywaves.sensitivity.titles import MAIN, STANDARDISED
from surveywaves.sensitivity.twice import correct
from surveywaves.sensitivity.variants import Variant
from surveywaves.tidy import Status, tidy

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
    fitted = {scale.name: _fit(main, sample.design(scale)) for scale in scales}
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
    design = first.design if left is sample and asked is scale else left.design(asked)
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
