"""Figures at one column of a journal's page and at two: nothing overlaps, nothing is cut, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from drawn_studies import HOSTILE, STUDIES, assert_legible, boxes, marks, names, said, study_of, tables_for
from surveywaves.figures import draw_all, layout
from surveywaves.figures.draw import Columns
from surveywaves.figures.drawing import Drawing
from surveywaves.study import load_study
from surveywaves.study.models import FigureStyle
from surveywaves.study.parts import Presentation

WIDTHS: dict[Columns, float] = {1: layout.ONE_COLUMN, 2: layout.TWO_COLUMNS}
WORDINGS = 400
"""Characters of the longest statements."""


def wide(drawing: Drawing) -> float:
    return round(drawing.figure.get_figwidth() * 25.4, 6)


def wordy(characters: int) -> str:
    """Make a wording of a length, with what people and file formats put into wordings."""
    return (HOSTILE + " and so on, in words of all lengths " * 20)[:characters]


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize(
    "name", ["plain", "hostile", "one wave, one organisation", "five waves, four organisations"]
)
def test_every_figure_fits_either_width(name: str, columns: Columns) -> None:
    study = study_of(**STUDIES[name])
    drawings = list(draw_all(tables_for(study), study, columns=columns))
    assert tuple(drawing.name for drawing in drawings) == names(study, published=True)
    for drawing in drawings:
        assert wide(drawing) == WIDTHS[columns], drawing.name
        assert_legible(drawing)


@pytest.mark.parametrize("columns", WIDTHS)
def test_statements_of_400_characters_fit_either_width(columns: Columns) -> None:
    study = study_of(waves=2, scales=1)
    items = {name: item.model_copy(update={"text": wordy(WORDINGS)}) for name, item in study.items.items()}
    assert all(len(item.text) == WORDINGS for item in items.values())
    study = study.model_copy(update={"items": items})
    for drawing in draw_all(tables_for(study), study, columns=columns):
        assert_legible(drawing)


def test_one_column_loses_no_mark_and_no_bar() -> None:
    study = study_of()
    tables = tables_for(study)
    one = {drawing.name: drawing for drawing in draw_all(tables, study, columns=1)}
    for two in draw_all(tables, study, columns=2):
        narrow = one[two.name]
        if two.name == "functioning":  # pairs of waves are left to the table, and the figure says so
            assert "standinthetable" in said(narrow)
            continue
        assert len(marks(narrow)) == len(marks(two)), two.name
        assert len(list(boxes(narrow))) == len(list(boxes(two))), two.name
        if two.name != "heat_map":  # narrow columns have letters, which the caption explains
            assert narrow.caption == two.caption, two.name
        assert narrow.alt == two.alt, two.name


def test_the_study_may_want_one_width_for_all() -> None:
    study = study_of(waves=1, organisations=1, scales=1)
    own = {wide(drawing) for drawing in draw_all(tables_for(study), study)}
    assert own == {layout.ONE_COLUMN, layout.TWO_COLUMNS}
    narrow = study.model_copy(update={"style": study.style.model_copy(update={"columns": 1})})
    assert {wide(drawing) for drawing in draw_all(tables_for(study), narrow)} == {layout.ONE_COLUMN}
    assert FigureStyle().columns is None


# --- the shipped study ----------------------------------------------------------------------------------------


def shipped(finished: Path) -> tuple[dict[str, pd.DataFrame], Presentation]:
    """Give what the shipped study's figures are drawn from: its released tables, and its words."""
    released = sorted((finished / "results/released").glob("*.parquet"))
    tables = {path.stem: pd.read_parquet(path) for path in released}
    return tables, Presentation.of(load_study(finished / "config"))


def drawn(finished: Path, columns: Columns) -> Iterator[Drawing]:
    tables, study = shipped(finished)
    return draw_all(tables, study, columns=columns)


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_shipped_study_fits_either_width(finished: Path, columns: Columns) -> None:
    found = 0
    for drawing in drawn(finished, columns):
        assert wide(drawing) == WIDTHS[columns]
        assert_legible(drawing)
        found += 1
    assert found > 40
