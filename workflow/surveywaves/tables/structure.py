"""Whether a scale is one thing, and the same in every group: factor models, a scale a row."""

from __future__ import annotations

from typing import Any, Final, Literal

import pandas as pd

from surveywaves.tables.layout import (
    NOTHING,
    Cell,
    Column,
    Table,
    estimate_cell,
    number_cell,
    p_cell,
    status_cell,
)
from surveywaves.terms import ALL, FACTOR_CORRELATION, Status
from surveywaves.words import Labels, number, records, whole

_NEXT: Final = "next"
_STEPS: Final = {"thresholds": "Equal thresholds", "metric": "and loadings", "scalar": "and intercepts"}
"""Step of invariance -> the head above its columns."""


def structure(frame: pd.DataFrame, labels: Labels) -> Table:
    """List how well one factor fits each scale, and its correlation with the next scale's.

    Parameters
    ----------
    frame
        `structure`.
    """
    chosen = frame[(frame["wave"] == ALL) & (frame["organisation"] == ALL)]
    rows = []
    for scale in labels.scales_in(chosen):
        own = chosen[chosen["scale"] == scale]
        found = {_term(row.term): row for row in records(own[own["item"] == ""])}
        loadings = own[(own["term"] == "loading") & own["estimate"].notna()]
        lowest = next(records(loadings.nsmallest(1, "estimate")), None)
        rows.append(
            (
                Cell(labels.scale(scale)),
                number_cell(found.get("chisq"), "n", whole),
                *_tested(found.get("chisq"), labels),
                *(_index(found.get(term)) for term in ("cfi", "rmsea", "srmr")),
                number_cell(lowest, "estimate", number),
                estimate_cell(found.get(_NEXT), labels, with_interval=True),
            )
        )
    return Table(
        name="structure",
        title="One factor a scale, and its neighbour",
        columns=(
            Column("Scale"),
            Column("n", numeric=True, spoken="respondents who answered every statement of the scale"),
            Column("χ²", "One factor", numeric=True, spoken="scaled and shifted chi-square"),
            Column("df", "One factor", numeric=True),
            Column("p", "One factor", numeric=True),
            Column("CFI", "One factor", numeric=True, spoken="comparative fit index"),
            Column("RMSEA", "One factor", numeric=True, spoken="root mean square error of approximation"),
            Column("SRMR", "One factor", numeric=True, spoken="standardised root mean square residual"),
            Column("Lowest loading", "One factor", numeric=True),
            Column(
                f"r with the next ({labels.confidence} interval)",
                numeric=True,
                spoken="correlation of its factor with that of the scale below",
            ),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(chosen),
        about="Polychoric correlations, diagonally weighted least squares (WLSMV), all respondents together.",
        evidence=labels.evidence(labels.presentation.waves, about=("items",)),
    )


def _term(term: str) -> str:
    return _NEXT if term.startswith(FACTOR_CORRELATION) else term


def _tested(row: Any, labels: Labels) -> tuple[Cell, Cell, Cell]:
    """Print a test, or why there is none."""
    if row is None or row.status not in (Status.OK, Status.WITHHELD):
        said = NOTHING if row is None else status_cell(row.status, labels.readable(row.note))
        return said, NOTHING, NOTHING
    chisq = estimate_cell(row, labels, decimals=1)
    return chisq, number_cell(row, "df", whole), p_cell(row, "p_value")


def _index(row: Any, *, signed: bool = False) -> Cell:
    return number_cell(row, "estimate", lambda value: number(value, decimals=3, signed=signed))


def invariance(frame: pd.DataFrame, labels: Labels, *, between: Literal["wave", "organisation"]) -> Table:
    """List what fit is lost as ever more of a scale's model is equal over waves, or over organisations.

    Parameters
    ----------
    frame
        `structure`.
    between
        Which groups.
    """
    other = "organisation" if between == "wave" else "wave"
    chosen = frame[(frame[between] == ALL) & (frame[other] == "")]
    rows = []
    for scale in labels.scales_in(chosen):
        found = {row.term: row for row in records(chosen[chosen["scale"] == scale])}
        first = found.get("configural_chisq")
        fits = first is not None and "configural_cfi" in found
        cells = [_index(found.get("configural_cfi")), _index(found.get("configural_rmsea"))]
        if first is not None and not fits:
            cells[0] = status_cell(first.status, labels.readable(first.note))
        for step in _STEPS:
            change = found.get(f"{step}_cfi_change")
            cell = _index(change, signed=True)
            falls = change is not None and change.note.startswith("falls")
            cells += [
                Cell(cell.text, cell.value, tone="caution") if falls else cell,
                p_cell(found.get(f"{step}_chisq_difference"), "p_value"),
            ]
        rows.append((Cell(labels.scale(scale)), number_cell(first, "n", whole), *cells))
    return Table(
        name=f"invariance_{between}",
        title=f"The same factor in every {between}?",
        columns=(
            Column("Scale"),
            Column("n", numeric=True, spoken="respondents"),
            Column("CFI", "Same statements", numeric=True, spoken="comparative fit index"),
            Column(
                "RMSEA", "Same statements", numeric=True, spoken="root mean square error of approximation"
            ),
            *(
                column
                for head in _STEPS.values()
                for column in (
                    Column("change of CFI", head, numeric=True),
                    Column("p", head, numeric=True, spoken="of the chi-square difference"),
                )
            ),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(chosen),
        about="Each step adds to what is equal. A fall of CFI by more than a hundredth speaks against equality.",
        evidence=labels.evidence(labels.presentation.waves, about=("items", "organisation")),
    )
