"""What all raw files have in common: questions with their cells, and how text becomes bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulate.cells import Cells, cells_of
from simulate.models import Block, DemoFile, DemoPart
from surveywaves.errors import StudyError, SurveywavesError
from surveywaves.study.models import Layout


@dataclass(frozen=True)
class Answered:
    """One question as a file holds it."""

    name: str
    """Item or variable."""
    cells: Cells
    """How it is written."""
    written: list[str]
    """The cells, one a return."""


@dataclass(frozen=True)
class Sheet:
    """The content of one raw file, before its format."""

    part: DemoPart
    file: DemoFile
    layout_name: str
    """What is written, where, how."""
    questions: tuple[tuple[Block, tuple[Answered, ...]], ...]
    """Each question of the demonstration with what the file asks of it, in the order asked."""
    weight: pd.Series
    """Survey weights, one a return."""
    rng: np.random.Generator
    """For whatever the format draws."""

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


def delimited(sheet: Sheet, rows: Sequence[Sequence[str]]) -> bytes:
    """Turn rows into CSV, with Windows line ends and in the layout's encoding.

    Raises
    ------
    StudyError
        If the encoding lacks a letter.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    try:
        return text.getvalue().encode(sheet.layout.encoding)
    except UnicodeEncodeError as error:
        letters = error.object[error.start : error.end]
        raise sheet.fail(f"`{letters}` cannot be written in {sheet.layout.encoding}") from None
