"""SPSS files, coded and labelled the way survey companies deliver them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from simulate.cells import ORGANISATION, REASONS, State
from simulate.models import Block
from simulate.sheet import Answered, Sheet
from surveywaves.files import undated_sav
from surveywaves.terms import Missing
from surveywaves.text import plain

IN_WORDS = {
    Missing.NOT_ASKED.value: "Not asked",
    Missing.SKIPPED.value: "Not answered",
    Missing.DONT_KNOW.value: "No opinion",
    Missing.INVALID.value: "Unusable answer",
}


def write_spss(sheet: Sheet) -> bytes:
    """Write a .sav file: codes with value labels, statements as variable labels, user-missing codes as declared.

    The cells are the codes, and the labels the instrument's words.
    """
    columns: dict[str, list[float | None]] = {}
    names: dict[str, str] = {}
    if sheet.layout.respondent:
        columns[sheet.layout.respondent] = [float(number) for number in range(1, sheet.returns + 1)]
        names[sheet.layout.respondent] = "Return"
    labels: dict[str, dict[float, str]] = {}
    for block, found in sheet.questions:
        for answered in found:
            column = answered.cells.column
            columns[column] = [float(cell) if cell else None for cell in answered.written]
            names[column] = _question(sheet, block, answered.name)
            labels[column] = {
                float(cell): _in_words(sheet, answered, state)
                for state, choice in answered.cells.cells.items()
                for cell in choice
            }
    if sheet.layout.weight:
        columns[sheet.layout.weight] = sheet.weight.tolist()
        names[sheet.layout.weight] = "Survey weight"
    declared: dict[str, list[Any]] = {
        column: found_here
        for column, by_code in labels.items()
        if (found_here := [code for code in sheet.file.declared_missing if code in by_code])
    }
    frame = pd.DataFrame(columns, dtype="float64")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.sav"
        pyreadstat.write_sav(
            frame,
            str(path),
            column_labels=list(names.values()),
            variable_value_labels=labels,
            missing_ranges=declared,
            variable_measure=dict.fromkeys(labels, "ordinal"),
        )
        return undated_sav(path.read_bytes())


def _in_words(sheet: Sheet, answered: Answered, state: State) -> str:
    part = sheet.part
    if state in REASONS:
        return IN_WORDS[str(state)]
    if answered.name == ORGANISATION:
        return part.organisations[str(state)]
    if answered.name in part.variables:
        return part.variables[answered.name].levels[str(state)]
    row = next(row for row in part.harmonising.crosswalk if row.item == answered.name)
    coding = part.harmonising.codings[row.coding or sheet.layout.coding or ""]
    return part.response_scales[coding.response_scale].labels[int(state) - 1]


def _question(sheet: Sheet, block: Block, name: str) -> str:
    """Give a column its statement, as the file words it."""
    texts = {item.item: item.text for item in sheet.part.items}
    return plain(block.as_exported.get(name) or texts.get(name) or block.question)
