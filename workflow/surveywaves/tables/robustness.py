"""How sure it is: decisions that another analysis does not share, what the models assume, what a next wave can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, product
from operator import itemgetter
from typing import Any, Final

import pandas as pd

from surveywaves.findings import CHANGE, DIFFERENCE, GAP, KINDS, kind_of
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Table, across, by, everybody, laid_out, numbers, stacked
from surveywaves.terms import BETWEEN, FAVOURABLE, LINEAR, RETURNS_NEEDED, Decision, Status
from surveywaves.tidy import tuples
from surveywaves.words import (
    NONE,
    Labels,
    as_float,
    is_missing,
    number,
    percent,
    records,
    share,
    whole,
)

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
"""Kind of contrast -> decision -> words."""


def robustness(agreement: pd.DataFrame, labels: Labels) -> Table:
    """List the decisions that some alternative analysis does not share: which one, and how far the estimate moves."""
    rows_there = agreement[agreement["decision"].fillna("") != ""]
    favourable = bool(rows_there["analysis"].eq(FAVOURABLE).any())
    main = rows_there[rows_there["analysis"] == (FAVOURABLE if favourable else LINEAR)]
    parted = main[(main["agreeing"] < main["variants"]).fillna(value=False)]
    several = len(labels.presentation.organisations) > 1
    unit = "percentage points of favourable answers" if favourable else "standard deviations of one answer"
    return laid_out(
        "Decisions that another analysis does not share",
        [row for kind in KINDS for row in records(parted[parted["term"] == kind])],
        [
            ("Scale", lambda row: labels.scale(row.scale)),
            ("Waves", lambda row: printed.when(row.wave, labels)),
            several and printed.whose(labels),
            ("Main analysis", lambda row: printed.sentence(decided(row.decision, row, labels)).rstrip(".")),
            (
                numbers("Agreeing"),
                lambda row: Cell(f"{whole(row.agreeing)} of {whole(row.variants)}", float(row.agreeing)),
            ),
            ("Otherwise", lambda row: _otherwise(row, labels)),
            (numbers("Largest move"), lambda row: _in_unit(row, "largest_move")),
            (
                "In which analysis",
                lambda row: labels.variant(row.largest_variant) if row.largest_variant else NONE,
            ),
            (numbers("Tipping point"), lambda row: _in_unit(row, "tipping_point")),
        ],
        main,
        f"{whole(len(main) - len(parted))} of {whole(len(main))} decisions are shared by every analysis that moved the "
        "estimate; they are not listed.",
        f"Moves and tipping points: {unit}. Agreeing: analyses with the same decision, of those that moved the "
        "estimate. Tipping point: by how much the missing answers would have to differ to change the decision.",
        "status" in main
        and bool((main["status"] == Status.WITHHELD).any())
        and "Decisions that are withheld are not counted.",
        heads=3 if several else 2,
        section=lambda row: KINDS[row.term],
        ranked=("", "the largest moves", lambda row: as_float(row.largest_move)),
    )


def decided(decision: str, row: Any, labels: Labels) -> str:
    """Put a decision on a contrast into words: of a gap and a difference in change, of the first-named."""
    told = DECISIONS.get(row.term, {}).get(decision, decision.replace("_", " "))
    return told.replace("{first}", labels.organisation(row.organisation.partition(BETWEEN)[0]))


_END: Final = ("largest move", "no estimate", "no difference", "another decision")


def _otherwise(row: Any, labels: Labels) -> str:
    """Return which analyses decide otherwise, and how, from the middle of a row's words."""
    told = [part.rpartition(": ") for part in str(row.words).split("; ")[1:] if not part.startswith(_END)]
    said = [
        f"{labels.readable(who)}: {decided(decision.replace(' ', '_'), row, labels)}"
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
    """Return what the models assume and whether the data bear it out, a row per scale."""
    level = 1 - labels.presentation.confidence
    found = by(diagnostics[diagnostics["item"] == ""], "scale", "term")
    own = diagnostics[:0] if variances is None else variances
    own = own[(own["analysis"] == LINEAR) & (own["term"] == "icc")]
    alike = by(own, "scale")
    tests = diagnostics[diagnostics["term"].isin(list(TESTED)) & diagnostics["p_adjusted"].notna()]
    grouped: dict[tuple[str, str], list[Any]] = {}
    for row in records(tests):
        grouped.setdefault((row.scale, row.term), []).append(row)
    nouns = labels.presentation.nouns
    item = nouns.statement[1]
    return laid_out(
        "What the models assume, and whether the answers bear it out",
        labels.scales_in(diagnostics),
        [
            ("Scale", labels.scale),
            bool(alike)
            and (
                numbers(f"ICC ({labels.confidence} CI)"),
                lambda scale: printed.estimate(alike.get(scale), labels, bounds=True),
            ),
            (
                [
                    numbers(head, group)
                    for group in TESTED.values()
                    for head in (f"{item.capitalize()} against", "Smallest adj. p")
                ],
                lambda scale: chain(*(_tests(grouped.get((scale, term), ()), level) for term in TESTED)),
            ),
            across(
                SPREADS,
                lambda term: numbers(f"{SPREADS[term]}, p", "Equal variances across groups"),
                lambda scale, term: printed.p(found.get((scale, term)), "p_value"),
            ),
            across(
                SHAPES,
                lambda term: numbers(SHAPES[term], "Normality"),
                lambda scale, term: printed.estimate(found.get((scale, term)), labels),
            ),
        ],
        stacked(own, diagnostics),
        f"ICC: correlation between two answers of the same {nouns.person[0]}." if alike else "",
        f"Against: {item} whose adjusted p is below {number(level)}, of those tested. "
        "Proportional odds and one dispersion are assumed by the ordinal model only.",
        labels.presentation.robust
        and f"Equal variances between and within {nouns.person[1]} are not assumed where standard errors are robust.",
    )


def _tests(rows: Sequence[Any], level: float) -> tuple[Cell, Cell]:
    """Count tests that speak against an assumption, and print the smallest p."""
    if not rows:
        return printed.NOTHING, printed.NOTHING
    against = sum(row.p_adjusted < level for row in rows)
    smallest = min(rows, key=lambda row: row.p_adjusted)
    return Cell(f"{whole(against)} of {whole(len(rows))}", float(against)), printed.p(smallest)


# --- the next wave --------------------------------------------------------------------------------------------------

ASKED: Final = {
    "power": "Power, %",
    "power_adjusted": "Adjusted power, %",
    "detectable": "Detectable difference, SD",
}
"""Terms of the plan by number of returns, and the head of their columns."""

_SIZES: Final = 3
"""Numbers of returns that are shown at most."""


def planning(planning: pd.DataFrame, labels: Labels) -> Table:
    """Lay the plan out, a contrast with the wave to come below the other: returns needed, power, detectable."""
    plan, returns = labels.presentation.planning, labels.presentation.nouns.returns[1]
    powers = planning[planning["term"] == "power"]
    often = powers["n"].value_counts()
    # Where counts are rounded, the largest number differs from contrast to contrast.
    sizes = sorted(int(n) for n in often.index[2 * often >= often.max()])
    step = max(1, len(sizes) // _SIZES)
    shown = sizes[step - 1 :: step][-_SIZES:]
    needed = by(planning[planning["term"] == RETURNS_NEEDED], "scale", "wave", "organisation")
    found = by(planning[planning["n"].isin(shown)], "scale", "wave", "organisation", "n", "term")
    terms = [term for term in ASKED if term in {key[-1] for key in found}]
    contrasts = list(dict.fromkeys(tuples(powers, "wave", "organisation")))
    if len(contrasts) > _CONTRASTS:
        contrasts = [one for one in contrasts if BETWEEN not in one[1]]
    return laid_out(
        f"What {plan.title if plan else 'the next wave'} can show, by number of {returns}",
        [
            (scale, wave, organisation)
            for wave, organisation in contrasts
            for scale in labels.scales_in(
                powers[powers["wave"].eq(wave) & powers["organisation"].eq(organisation)]
            )
        ],
        [
            ("Scale", lambda key: labels.scale(key[0])),
            (
                numbers(f"{returns.capitalize()} needed"),
                lambda key: _needed(needed.get(key), labels),
            ),
            across(
                product(shown, terms),
                lambda about: numbers(ASKED[about[1]], f"{whole(about[0])} {returns}"),
                lambda key, about: _cell(found.get((*key, *about)), labels),
            ),
        ],
        planning,
        f"Power: chance of finding the smallest effect of interest (±{number(plan.smallest)} SD of one answer); "
        "adjusted: for the number of scales, if no other scale shows a difference. "
        f"{returns.capitalize()} needed, and detectable difference: for a power of {share(plan.power, decimals=0)}, "
        "not adjusted."
        if plan
        else "",
        f"Every contrast and number of {returns}, and equivalence tests, are in the CSV.",
        section=lambda key: f"{KINDS[kind_of(*key[1:])]}: {labels.organisation(key[2])}",
        ranked=everybody(labels, itemgetter(2)),
    )


_CONTRASTS: Final = 8
"""Contrasts that are all shown; of more, those within an organisation are."""


def _cell(row: Any, labels: Labels) -> Cell:
    if row is None or is_missing(row.estimate) or not row.term.startswith("power"):
        return printed.estimate(row, labels)
    return Cell(percent(100 * row.estimate).removesuffix("%"), 100 * float(row.estimate))


def _needed(row: Any, labels: Labels) -> Cell:
    """Print how many must answer; where no number is enough, why."""
    cell = printed.number(row, "estimate", whole)
    if row is None or not is_missing(row.estimate):
        return cell
    # The power that everybody would give differs from row to row: it is in the data.
    return cell.noted(printed.sentence(labels.readable(row.note).partition(": ")[0]))
