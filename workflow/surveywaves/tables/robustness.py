"""How sure it is: decisions that another analysis does not share, and what the models assume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from surveywaves.findings import CHANGE, DIFFERENCE, GAP
from surveywaves.tables.layout import (
    NOTHING,
    Cell,
    Column,
    Table,
    estimate_cell,
    number_cell,
    p_cell,
    place,
    sentence,
    stacked,
    when,
)
from surveywaves.terms import BETWEEN, FAVOURABLE, LINEAR, Decision, Status, variant_title
from surveywaves.words import NONE, Labels, lower, number, records, whole

KINDS: Final = {CHANGE: "Change", GAP: "Gap", DIFFERENCE: "Difference in change"}

DECISIONS: Final[Mapping[str, Mapping[str, str]]] = {
    CHANGE: {
        Decision.INCREASE: "rose",
        Decision.DECREASE: "fell",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful change",
    },
    GAP: {
        Decision.INCREASE: "{first} higher",
        Decision.DECREASE: "{first} lower",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful gap",
    },
    DIFFERENCE: {
        Decision.INCREASE: "{first} gained on the other",
        Decision.DECREASE: "{first} lost to the other",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful difference",
    },
}
"""Kind of contrast -> decision -> words; of gaps and differences in change, of the first-named."""


def decision_words(decision: str, kind: str, *, first: str) -> str:
    """Put a decision into words.

    Parameters
    ----------
    decision, kind
        One of `Decision`, and the kind of its contrast.
    first
        The organisation named first in the contrast, in words.
    """
    return DECISIONS.get(kind, {}).get(decision, decision.replace("_", " ")).replace("{first}", first)


def robustness(agreement: pd.DataFrame, labels: Labels) -> Table:
    """List the decisions that some other analysis does not come to: which, and how far the estimate moves."""
    rows_there = agreement[agreement["decision"].fillna("") != ""]
    analysis = FAVOURABLE if rows_there["analysis"].eq(FAVOURABLE).any() else LINEAR
    main = rows_there[rows_there["analysis"] == analysis]
    parted = main[(main["agreeing"] < main["variants"]).fillna(value=False)]
    titles = {name: variable.label for name, variable in labels.presentation.variables.items()}
    several = len(labels.presentation.organisations) > 1
    rows, sections = [], []
    for kind, title in KINDS.items():
        for row in records(parted[parted["term"] == kind]):
            sections.append(title)
            rows.append(
                (
                    Cell(labels.scale(row.scale)),
                    Cell(when(row.wave, labels)),
                    *([Cell(place(row.organisation, labels))] if several else []),
                    Cell(sentence(_decided(row.decision, row, labels)).rstrip(".")),
                    Cell(f"{whole(row.agreeing)} of {whole(row.variants)}", float(row.agreeing)),
                    Cell(_otherwise(row, labels)),
                    _in_unit(row, "largest_move"),
                    Cell(lower(variant_title(row.largest_variant, titles)) if row.largest_variant else NONE),
                    _in_unit(row, "tipping_point"),
                )
            )
    hidden = "status" in main and bool((main["status"] == Status.WITHHELD).any())
    unit = (
        "percentage points of favourable answers"
        if analysis == FAVOURABLE
        else "standard deviations of one answer"
    )
    nouns = labels.presentation.nouns
    return Table(
        name="robustness",
        title="Decisions that another analysis does not share",
        columns=(
            Column("Scale"),
            Column("Waves"),
            *([Column(nouns.organisation[0].capitalize())] if several else []),
            Column("Main analysis"),
            Column(
                "Agreeing",
                numeric=True,
                spoken="analyses that decide alike, of those that moved the estimate",
            ),
            Column("Otherwise"),
            Column("Largest move", numeric=True),
            Column("In which analysis"),
            Column(
                "Tipping point",
                numeric=True,
                spoken="how much the missing answers would have to differ for another decision",
            ),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(main),
        notes=(
            f"Of {whole(len(main))} decisions, {whole(len(main) - len(parted))} are shared by every analysis that "
            "moved the estimate.",
            f"Moves and tipping points: {unit}. Agreeing: analyses deciding alike, of those that moved the estimate. "
            "Tipping point: how much the missing answers would have to differ for another decision."
            if rows
            else "",
            "Without decisions that are withheld." if hidden else "",
        ),
        heads=3 if several else 2,
        sections=tuple(sections),
    )


def _decided(decision: str, row: Any, labels: Labels) -> str:
    return decision_words(
        decision, row.term, first=labels.organisation(row.organisation.partition(BETWEEN)[0])
    )


_END: Final = ("largest move", "no estimate", "no difference", "another decision")


def _otherwise(row: Any, labels: Labels) -> str:
    """Say which analyses decide otherwise, and how: the middle of a row's sentence."""
    parts = str(row.words).split("; ")[1:]
    told = [part for part in parts if ": " in part and not part.startswith(_END)]
    said = []
    for part in told:
        who, _, decision = part.rpartition(": ")
        said.append(
            f"{labels.readable(who)}: {_decided(decision.replace(' ', '_'), row, labels).replace('_', ' ')}"
        )
    return "; ".join(said) or NONE


def _in_unit(row: Any, what: str) -> Cell:
    decimals = 1 if row.analysis == FAVOURABLE else 2
    return number_cell(row, what, lambda value: number(value, decimals, signed=True))


# --- assumptions --------------------------------------------------------------------------------------------------

TESTED: Final = {"proportional_odds": "Proportional odds", "dispersion": "One dispersion"}
"""Tests of statements -> head."""
SPREADS: Final = {"equal_tau2": "Between", "equal_sigma2": "Within"}
SHAPES: Final = {
    "residual_skewness": "Residual skew",
    "residual_excess_kurtosis": "Excess kurtosis",
    "respondent_effect_skewness": "Random intercept skew",
}


def assumptions(diagnostics: pd.DataFrame, labels: Labels, *, variances: pd.DataFrame | None = None) -> Table:
    """Lay out what the models assume and what the data say of it, a scale a row."""
    level = 1 - labels.presentation.confidence
    whole_scale = diagnostics[(diagnostics["item"] == "")]
    found = {(row.scale, row.term): row for row in records(whole_scale) if row.term in {**SPREADS, **SHAPES}}
    own = diagnostics[:0] if variances is None else variances
    own = own[(own["analysis"] == LINEAR) & (own["term"] == "icc")]
    alike = {row.scale: row for row in records(own)}
    by_item = diagnostics[diagnostics["term"].isin(list(TESTED))]
    rows = []
    for scale in labels.scales_in(diagnostics):
        cells = [estimate_cell(alike.get(scale), labels, bounds=True)] if alike else []
        for test in TESTED:
            cells += _tests(by_item[(by_item["scale"] == scale) & (by_item["term"] == test)], level)
        cells += [p_cell(found.get((scale, term)), "p_value") for term in SPREADS]
        cells += [estimate_cell(found.get((scale, term)), labels) for term in SHAPES]
        rows.append((Cell(labels.scale(scale)), *cells))
    nouns = labels.presentation.nouns
    item = nouns.statement[1].capitalize()
    return Table(
        name="assumptions",
        title="What the models assume, and what the answers say of it",
        columns=(
            Column("Scale"),
            *([Column(f"ICC ({labels.confidence} CI)", numeric=True)] if alike else []),
            *(
                Column(head, group, numeric=True)
                for group in TESTED.values()
                for head in (f"{item} against", "Smallest adj. p")
            ),
            *(Column(f"{head}, p", "Equal variances of cells", numeric=True) for head in SPREADS.values()),
            *(Column(head, "Normality", numeric=True) for head in SHAPES.values()),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(stacked(own, diagnostics)),
        notes=(
            f"ICC: correlation of two answers of a {nouns.person[0]}." if alike else "",
            f"Against: {item.lower()} whose test is below {number(level)} after adjustment, of those tested. "
            "Proportional odds and one dispersion are assumed by the ordinal model only.",
            f"Equal variances between and within {nouns.person[1]} are not assumed where standard errors are robust."
            if labels.presentation.robust
            else "",
        ),
    )


def _tests(rows: pd.DataFrame, level: float) -> tuple[Cell, Cell]:
    """Count tests that speak against an assumption, and print the smallest p."""
    tested = rows[rows["p_adjusted"].notna()]
    if tested.empty:
        return NOTHING, NOTHING
    against = int((tested["p_adjusted"] < level).sum())
    smallest = next(records(tested.nsmallest(1, "p_adjusted")))
    return Cell(f"{whole(against)} of {whole(len(tested))}", float(against)), p_cell(smallest)
