"""How sure it is: decisions that another analysis does not share, and what the models assume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from surveywaves.findings import CHANGE, DIFFERENCE, GAP, KINDS
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Table, laid_out, numbers, stacked
from surveywaves.terms import BETWEEN, FAVOURABLE, LINEAR, Decision, Status
from surveywaves.words import NONE, Labels, as_float, lower, number, records, whole

_UP, _DOWN, _SAME = Decision.INCREASE, Decision.DECREASE, Decision.NO_MEANINGFUL_CHANGE
DECISIONS: Final[Mapping[str, Mapping[str, str]]] = {
    CHANGE: {_UP: "rose", _DOWN: "fell", _SAME: "no meaningful change"},
    GAP: {_UP: "{first} higher", _DOWN: "{first} lower", _SAME: "no meaningful gap"},
    DIFFERENCE: {
        _UP: "{first} gained on the other",
        _DOWN: "{first} lost to the other",
        _SAME: "no meaningful difference",
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
    """List the decisions that some alternative analysis does not share: which one, and how far the estimate moves."""
    rows_there = agreement[agreement["decision"].fillna("") != ""]
    favourable = bool(rows_there["analysis"].eq(FAVOURABLE).any())
    main = rows_there[rows_there["analysis"] == (FAVOURABLE if favourable else LINEAR)]
    parted = main[(main["agreeing"] < main["variants"]).fillna(value=False)]
    several = len(labels.presentation.organisations) > 1
    unit = "percentage points of favourable answers" if favourable else "standard deviations of one answer"
    agreeing = "analyses that decide alike, of those that moved the estimate"
    tipping = "how much the missing answers would have to differ for another decision"
    return laid_out(
        "Decisions that another analysis does not share",
        [row for kind in KINDS for row in records(parted[parted["term"] == kind])],
        [
            ("Scale", lambda row: labels.scale(row.scale)),
            ("Waves", lambda row: printed.when(row.wave, labels)),
            several and printed.whose(labels),
            ("Main analysis", lambda row: printed.sentence(_decided(row.decision, row, labels)).rstrip(".")),
            (
                numbers("Agreeing", spoken=agreeing),
                lambda row: Cell(f"{whole(row.agreeing)} of {whole(row.variants)}", float(row.agreeing)),
            ),
            ("Otherwise", lambda row: _otherwise(row, labels)),
            (numbers("Largest move"), lambda row: _in_unit(row, "largest_move")),
            (
                "In which analysis",
                lambda row: lower(labels.variant(row.largest_variant)) if row.largest_variant else NONE,
            ),
            (numbers("Tipping point", spoken=tipping), lambda row: _in_unit(row, "tipping_point")),
        ],
        main,
        f"Of {whole(len(main))} decisions, {whole(len(main) - len(parted))} are shared by every analysis that "
        "moved the estimate.",
        f"Moves and tipping points: {unit}. Agreeing: analyses deciding alike, of those that moved the estimate. "
        f"Tipping point: {tipping}."
        if len(parted)
        else "",
        "Without decisions that are withheld."
        if "status" in main and (main["status"] == Status.WITHHELD).any()
        else "",
        heads=3 if several else 2,
        section=lambda row: KINDS[row.term],
        ranked=("", "the largest moves", lambda row: as_float(row.largest_move)),
    )


def _decided(decision: str, row: Any, labels: Labels) -> str:
    return decision_words(
        decision, row.term, first=labels.organisation(row.organisation.partition(BETWEEN)[0])
    )


_END: Final = ("largest move", "no estimate", "no difference", "another decision")


def _otherwise(row: Any, labels: Labels) -> str:
    """Say which analyses decide otherwise, and how: the middle of a row's sentence."""
    told = [part.rpartition(": ") for part in str(row.words).split("; ")[1:] if not part.startswith(_END)]
    said = [
        f"{labels.readable(who)}: {_decided(decision.replace(' ', '_'), row, labels).replace('_', ' ')}"
        for who, _, decision in told
        if who
    ]
    return "; ".join(said) or NONE


def _in_unit(row: Any, what: str) -> Cell:
    decimals = 1 if row.analysis == FAVOURABLE else 2
    return printed.number(row, what, lambda value: number(value, decimals, signed=True))


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
    """Lay out what the models assume and what the data say of it, a row per scale."""
    level = 1 - labels.presentation.confidence
    of_scales = diagnostics[diagnostics["item"] == ""]
    found = {(row.scale, row.term): row for row in records(of_scales)}
    own = diagnostics[:0] if variances is None else variances
    own = own[(own["analysis"] == LINEAR) & (own["term"] == "icc")]
    alike = {row.scale: row for row in records(own)}
    tests: dict[tuple[str, str], list[Any]] = {}
    for row in records(
        diagnostics[diagnostics["term"].isin(list(TESTED)) & diagnostics["p_adjusted"].notna()]
    ):
        tests.setdefault((row.scale, row.term), []).append(row)
    nouns = labels.presentation.nouns
    item = nouns.statement[1]

    def cells(scale: str) -> Iterator[Cell]:
        for term in TESTED:
            yield from _tests(tests.get((scale, term), ()), level)
        yield from (printed.p(found.get((scale, term)), "p_value") for term in SPREADS)
        yield from (printed.estimate(found.get((scale, term)), labels) for term in SHAPES)

    counted = (f"{item.capitalize()} against", "Smallest adj. p")
    heads = [
        *(numbers(head, group) for group in TESTED.values() for head in counted),
        *(numbers(f"{head}, p", "Equal variances of cells") for head in SPREADS.values()),
        *(numbers(head, "Normality") for head in SHAPES.values()),
    ]
    return laid_out(
        "What the models assume, and what the answers say of it",
        labels.scales_in(diagnostics),
        [
            ("Scale", labels.scale),
            bool(alike)
            and (
                numbers(f"ICC ({labels.confidence} CI)"),
                lambda scale: printed.estimate(alike.get(scale), labels, bounds=True),
            ),
            (heads, cells),
        ],
        stacked(own, diagnostics),
        f"ICC: correlation of two answers of a {nouns.person[0]}." if alike else "",
        f"Against: {item} whose test is below {number(level)} after adjustment, of those tested. "
        "Proportional odds and one dispersion are assumed by the ordinal model only.",
        f"Equal variances between and within {nouns.person[1]} are not assumed where standard errors are robust."
        if labels.presentation.robust
        else "",
    )


def _tests(rows: Sequence[Any], level: float) -> tuple[Cell, Cell]:
    """Count tests that speak against an assumption, and print the smallest p."""
    if not rows:
        return printed.NOTHING, printed.NOTHING
    against = sum(row.p_adjusted < level for row in rows)
    smallest = min(rows, key=lambda row: row.p_adjusted)
    return Cell(f"{whole(against)} of {whole(len(rows))}", float(against)), printed.p(smallest)
