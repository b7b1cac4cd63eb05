"""Whether the answer depends on a choice: each contrast under every variant of the analysis, and how many agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from surveywaves.sensitivity.titles import title_of
from surveywaves.tables.cells import is_withheld, withheld_cell
from surveywaves.tables.decisions import SIGNS, base_term, decision_cell, decision_words
from surveywaves.tables.estimates import CONTRASTS
from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.tables.words import NONE, as_float, is_missing, number, records
from surveywaves.tidy import Decision, Status


def sensitivity(frame: pd.DataFrame, labels: Labels, *, term: str) -> Table:
    """Lay out one kind of contrast, a variant of the analysis a column.

    Parameters
    ----------
    frame
        `sensitivity`.
    term
        Kind of contrast: `change`, `gap` or `difference_in_differences`; its rows may have any unit.
    """
    chosen = frame[frame["term"].map(base_term) == term]
    estimated = chosen["estimate"].notna()
    possible = set(chosen.loc[estimated, "variant"])
    listed = chosen[estimated | (chosen["status"] == Status.WITHHELD)]
    variants = [variant for variant in dict.fromkeys(chosen["variant"]) if variant in possible]
    found = {(row.scale, row.wave, row.organisation, row.variant): row for row in records(listed)}
    places = list(dict.fromkeys(zip(listed["scale"], listed["wave"], listed["organisation"], strict=True)))
    words = {name: variable.label for name, variable in labels.presentation.variables.items()}
    signs = "; ".join(f"{sign} {decision.replace('_', ' ')}" for decision, (sign, _) in SIGNS.items())
    return Table(
        name=f"sensitivity_{term}",
        title=f"{CONTRASTS.get(term, labels.plain(term))} (under other choices of analysis)",
        columns=(
            Column("Scale"),
            Column("Wave"),
            Column("Organisation"),
            *(Column(title_of(variant, words), numeric=True) for variant in variants),
        ),
        rows=tuple(
            (
                Cell(labels.scale(scale)),
                Cell(labels.wave(wave)),
                Cell(labels.organisation(organisation)),
                *(_variant_cell(found.get((scale, wave, organisation, variant))) for variant in variants),
            )
            for scale, wave, organisation in places
        ),
        data=labels.with_evidence(chosen),
        about=f"In standard deviations of one answer. {signs}; {NONE} not estimable. Contrasts that no variant can "
        "estimate are left out; intervals are in the data." + _said(chosen, words, labels),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items", "organisation")),
        heads=3,
    )


def _said(chosen: pd.DataFrame, words: Mapping[str, str], labels: Labels) -> str:
    """Say what there is to say of a variant as a whole: why there is none, or that it changes nothing."""
    said = []
    for variant, rows in chosen.groupby("variant", sort=False):
        there = rows[rows["estimate"].notna()]
        told = (there if len(there) else rows)["note"].unique()
        if len(told) == 1 and told[0]:
            beginning = "" if len(there) else "not possible, "
            said.append(f" {title_of(str(variant), words)}: {beginning}{labels.readable(str(told[0]))}.")
    return "".join(said)


def _variant_cell(row: Any) -> Cell:
    if is_withheld(row, "estimate"):
        return withheld_cell()
    if row is None or is_missing(row.estimate):
        return Cell(NONE, float("nan"), tone="muted")
    sign, tone = SIGNS.get(getattr(row, "decision", ""), ("", ""))
    return Cell(f"{sign} {number(row.estimate, signed=True)}".strip(), as_float(row.estimate), tone=tone)


def _in_words(words: str, term: str) -> str:
    """Put the decisions in a sentence into the words of their kind of contrast."""
    for decision in Decision:
        words = words.replace(f": {decision.replace('_', ' ')}", f": {decision_words(decision, term)}")
    return words


def agreement(frame: pd.DataFrame, labels: Labels) -> Table:
    """Say of every contrast how many variants of the analysis come to the same decision.

    Parameters
    ----------
    frame
        `agreement`.
    """
    withheld = "status" in frame.columns and bool((frame["status"] == Status.WITHHELD).any())
    rows = tuple(
        (
            Cell(labels.scale(row.scale)),
            Cell(labels.plain(base_term(row.term))),
            Cell(labels.wave(row.wave)),
            Cell(labels.organisation(row.organisation)),
            decision_cell(row.decision, row.term),
            Cell(
                NONE
                if is_missing(row.agreeing) or not row.decision
                else f"{int(row.agreeing)} of {int(row.variants)}",
                as_float(row.agreeing),
            ),
            Cell(labels.readable(_in_words(row.words, row.term)) or NONE),
        )
        for row in records(frame)
        if row.decision
    )
    return Table(
        name="agreement",
        title="Agreement of the variants of the analysis with its decisions",
        columns=(
            Column("Scale"),
            Column("Contrast"),
            Column("Wave"),
            Column("Organisation"),
            Column("Main analysis"),
            Column("Agreeing", numeric=True, spoken="variants that come to the same decision"),
            Column("In words"),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        about="Contrasts that the main analysis cannot estimate are left out"
        + (", and those that are withheld to protect respondents." if withheld else "."),
        evidence=labels.evidence(labels.waves_in(frame), about=("items", "organisation")),
        heads=4,
    )
