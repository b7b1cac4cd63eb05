"""What all raw files have in common: questions with their cells, and how text becomes bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pandas as pd

from surveywaves.errors import StudyError, SurveywavesError
from surveywaves.simulate.cells import Cells, cells_of
from surveywaves.study.demo import Block, DemoFile
from surveywaves.study.models import Layout
from surveywaves.study.parts import DemoPart


@dataclass(frozen=True)
class Answered:
    """One question as a file holds it.

    Parameters
    ----------
    name
        Item or variable.
    cells
        How it is written.
    written
        The cells, one a return.
    """

    name: str
    cells: Cells
    written: list[str]


@dataclass(frozen=True)
class Sheet:
    """The content of one raw file, before its format.

    Parameters
    ----------
    part, file, layout_name
        What is written, where, how.
    questions
        Each question of the demonstration with what the file asks of it, in the order asked.
    weight
        Survey weights, one a return.
    rng
        For whatever the format draws.
    """

    part: DemoPart
    file: DemoFile
    layout_name: str
    questions: tuple[tuple[Block, tuple[Answered, ...]], ...]
    weight: pd.Series
    rng: np.random.Generator

    @classmethod
    def of(
        cls,
        part: DemoPart,
        file: DemoFile,
        *,
        layout: str,
        states: pd.DataFrame,
        weight: pd.Series,
        rng: np.random.Generator,
    ) -> Sheet:
        """Write each respondent's states as the layout's cells.

        Raises
        ------
        StudyError
            If a value has no cell.
        """
        questions = []
        for block in part.demo.questionnaire:
            answered = []
            for name in (*block.items, *([block.variable] if block.variable else [])):
                cells = cells_of(part, layout, name, numeric=file.numeric)
                if cells is not None:
                    answered.append(Answered(name, cells, cells.write(states[name].tolist(), rng)))
            questions.append((block, tuple(answered)))
        return cls(part, file, layout, tuple(questions), weight, rng)

    @property
    def layout(self) -> Layout:
        """The layout the file has."""
        return self.part.layouts[self.layout_name]

    @property
    def returns(self) -> int:
        """Count the returns."""
        return len(self.weight)

    @property
    def answers(self) -> list[Answered]:
        """List the questions that the file asks."""
        return [answered for _, found in self.questions for answered in found]

    def fail(self, what: str, hint: str = "") -> SurveywavesError:
        """Say what keeps the file from being written."""
        return StudyError.at(self.file.path, what, hint)


def write_table(sheet: Sheet) -> bytes:
    """Write a CSV or TSV file with one header row."""
    columns: dict[str, list[str]] = {}
    if sheet.layout.respondent:
        columns[sheet.layout.respondent] = [str(number) for number in range(1, sheet.returns + 1)]
    columns |= {answered.cells.column: answered.written for answered in sheet.answers}
    if sheet.layout.weight:
        columns[sheet.layout.weight] = [f"{weight:g}" for weight in sheet.weight]
    return delimited(sheet, [list(columns), *map(list, zip(*columns.values(), strict=True))])


def delimited(sheet: Sheet, rows: Sequence[Sequence[str]]) -> bytes:
    """Turn rows into CSV (TSV, if the path ends so), with Windows line ends and in the layout's encoding.

    Raises
    ------
    StudyError
        If the path ends otherwise, or the encoding lacks a letter.
    """
    suffix = PurePath(sheet.file.path).suffix.lower()
    if suffix not in {".csv", ".tsv"}:
        raise sheet.fail(
            f"no demonstration is written as {suffix or 'a file without ending'}", "name it .csv"
        )
    text = io.StringIO()
    csv.writer(text, delimiter="\t" if suffix == ".tsv" else ",", lineterminator="\r\n").writerows(rows)
    try:
        return text.getvalue().encode(sheet.layout.encoding)
    except UnicodeEncodeError as error:
        letters = error.object[error.start : error.end]
        raise sheet.fail(f"`{letters}` cannot be written in {sheet.layout.encoding}") from None
