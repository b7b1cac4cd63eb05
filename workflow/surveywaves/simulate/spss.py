"""SPSS files, coded and labelled the way survey companies deliver them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from surveywaves.simulate.cells import ORGANISATION, REASONS, State
from surveywaves.simulate.sheet import Answered, Sheet
from surveywaves.study.demo import Block
from surveywaves.study.models import Missing
from surveywaves.undated import undated_sav
from surveywaves.wording import plain

IN_WORDS = {
    Missing.NOT_ASKED.value: "Not asked",
    Missing.SKIPPED.value: "Not answered",
    Missing.DONT_KNOW.value: "No opinion",
    Missing.INVALID.value: "Unusable answer",
}


def write_spss(sheet: Sheet) -> bytes:
    """Write a .sav file: codes with value labels, statements as variable labels, user-missing codes as declared.

    Where the layout reads codes, the cells are the codes and the labels are the instrument's words; where it reads
    labels, the cells are the labels and the codes count them.

    Raises
    ------
    StudyError
        If the layout reads codes and a cell is not a number, or a column has no name for SPSS.
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
            codes = _codes(sheet, answered)
            columns[column] = [codes.get(cell) for cell in answered.written]
            names[column] = _question(sheet, block, answered.name)
            labels[column] = _labels(sheet, answered, codes)
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
        try:
            pyreadstat.write_sav(
                frame,
                str(path),
                column_labels=list(names.values()),
                variable_value_labels=labels,
                missing_ranges=declared,
                variable_measure=dict.fromkeys(labels, "ordinal"),
            )
        except pyreadstat.ReadstatError as error:
            raise sheet.fail(
                f"cannot be written: {error}", "SPSS names have letters, digits and _ only"
            ) from None
        return undated_sav(path.read_bytes())


def _codes(sheet: Sheet, answered: Answered) -> Mapping[str, float]:
    """Give the code of each cell."""
    cells = [cell for choice in answered.cells.cells.values() for cell in choice]
    if sheet.layout.cells == "labels":
        return {cell: float(number) for number, cell in enumerate(cells, start=1)}
    try:
        return {cell: float(cell) for cell in cells}
    except ValueError:
        raise sheet.fail(
            f"column {answered.cells.column} is read as codes, and not all of its cells are numbers",
            "`cells: labels` in the layout reads the words",
        ) from None


def _labels(sheet: Sheet, answered: Answered, codes: Mapping[str, float]) -> dict[float, str]:
    """Give the words of each code."""
    if sheet.layout.cells == "labels":
        return {code: cell for cell, code in codes.items()}
    return {
        codes[cell]: _in_words(sheet, answered, state)
        for state, choice in answered.cells.cells.items()
        for cell in choice
    }


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
