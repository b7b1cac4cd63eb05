"""Whether items work alike in all waves and organisations: tests and sizes, an item and comparison a row."""

from __future__ import annotations

from typing import Any, Final, Literal

import pandas as pd

from surveywaves.tables.cells import is_withheld, number_cell, withheld_cell
from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.tables.words import NONE, as_float, is_missing, number, p_value, records, whole
from surveywaves.tidy import ALL, Status

SHOWN: Final = (
    ("uniform_log_odds", "", Column("log odds", "Uniform", numeric=True)),
    ("uniform_lr", "p_adjusted", Column("adj. p", "Uniform", numeric=True, spoken="adjusted p")),
    ("uniform_r2_change", "", Column("R² change", "Uniform", numeric=True)),
    ("nonuniform_lr", "p_adjusted", Column("adj. p", "Non-uniform", numeric=True, spoken="adjusted p")),
    ("nonuniform_r2_change", "", Column("R² change", "Non-uniform", numeric=True)),
    ("total_lr", "p_adjusted", Column("adj. p", "Both together", numeric=True, spoken="adjusted p")),
    ("total_r2_change", "", Column("R² change", "Both together", numeric=True)),
)
"""Term, what of it is shown if not the estimate, and under which head."""

_NOTHING: Final = Cell(NONE, float("nan"), tone="muted")


def dif(frame: pd.DataFrame, labels: Labels, *, between: Literal["wave", "organisation"]) -> Table:
    """List differential item functioning between waves, or between organisations.

    Parameters
    ----------
    frame
        `dif`.
    between
        Which comparisons. Those that could not be made stay in the data and are counted in words.
    """
    chosen = frame[frame[between] != ""]
    listed = chosen[chosen["estimate"].notna() | (chosen["status"] == Status.WITHHELD)]
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in records(listed):
        found.setdefault((row.scale, row.item, getattr(row, between)), {})[row.term] = row
    tried = len(chosen[["scale", "item", between]].drop_duplicates())
    words = labels.wave if between == "wave" else labels.organisation
    several = {"wave": "All waves at once", "organisation": "All organisations at once"}[between]
    rows = tuple(
        (
            Cell(labels.scale(scale)),
            Cell(labels.item(item)),
            Cell(several if comparison == ALL else words(comparison)),
            _n(terms),
            *(_shown(terms.get(term), what) for term, what, _ in SHOWN),
            _size(terms.get("total_r2_change")),
        )
        for (scale, item, comparison), terms in found.items()
    )
    left = tried - len(found)
    return Table(
        name=f"dif_{between}",
        title=f"Differential item functioning between {between}s",
        columns=(
            Column("Scale"),
            Column("Statement"),
            Column("Comparison"),
            Column("n", numeric=True, spoken="respondents"),
            *(column for *_, column in SHOWN),
            Column("Size", "Both together", spoken="class of Jodoin and Gierl"),
        ),
        rows=rows,
        data=labels.with_evidence(chosen),
        about="Likelihood ratio tests of ordinal logistic models, and the change of Nagelkerke's R²."
        + (
            f" Not listed: {whole(left)} of {whole(tried)} comparisons that could not be made "
            "(the data say why of each)."
            if left
            else ""
        ),
        evidence=labels.evidence(
            labels.waves_in(chosen) if len(chosen) else (), about=("items", "organisation")
        )
        if between == "wave"
        else labels.evidence(labels.presentation.waves, about=("items", "organisation")),
        heads=3,
    )


def _n(terms: dict[str, Any]) -> Cell:
    return number_cell(next(iter(terms.values())), "n", whole)


def _shown(row: Any, what: str) -> Cell:
    if is_withheld(row, what or "estimate"):
        return withheld_cell()
    value = None if row is None else getattr(row, what or "estimate")
    if is_missing(value):
        return _NOTHING
    if what:
        return Cell(p_value(value), as_float(value))
    signed = row.term.endswith("log_odds")
    return Cell(number(value, signed=signed, decimals=2 if signed else 3), as_float(value))


def _size(row: Any) -> Cell:
    if is_withheld(row, "estimate"):
        return withheld_cell()
    if row is None or not row.note:
        return _NOTHING
    word = row.note.split(" ", 1)[0]
    return Cell(word, tone="" if word == "negligible" else "caution")
