"""All figures of a study: drawn, and saved on as many cores as there are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import pandas as pd

from surveywaves.catalogue import FIGURES, ROWS_FORMAT, SLIDES, One, of_study
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.saving import save, save_png
from surveywaves.figures.style import RC, on_slide
from surveywaves.files import csv_text, write_text
from surveywaves.study.parts import Presentation


def draw_all(
    tables: Mapping[str, pd.DataFrame], presentation: Presentation, *, wanted: Collection[str] | None = None
) -> Iterator[Drawing]:
    """Draw every figure of a study.

    Parameters
    ----------
    tables
        Released tables by name, as docs/files.md describes them, that the figures in `surveywaves.catalogue` read.
    presentation
        The study in words; see `style.on_slide` for slides.
    wanted
        Names of the figures to draw; None: all.

    Yields
    ------
    Drawing
        In the order of the catalogue.
    """
    for one in of_study(FIGURES, presentation, tables):
        if wanted is None or one.name in wanted:
            yield draw(one, tables, presentation)


def draw(one: One, tables: Mapping[str, pd.DataFrame], presentation: Presentation) -> Drawing:
    """Draw a figure; each of its rows says what its data are.

    Raises
    ------
    ValueError
        If the rows that it is said to draw are none of the table that it reads.
    """
    with mpl.rc_context(RC):
        drawing: Drawing = one.make(tables, presentation)
    read = tables[one.exhibit.reads[0]]
    if not drawing.rows.index.isin(read.index).all() or not {*read} <= {*drawing.rows} <= {*read, "evidence"}:
        raise ValueError(f"figure {one.name}: its rows are not rows of {one.exhibit.reads[0]}")
    return replace(drawing, name=one.name, group=one.exhibit.section)


def save_all(
    tables: Mapping[str, pd.DataFrame], presentation: Presentation, folder: Path, *, cores: int = 1
) -> pd.DataFrame:
    """Draw every figure into a folder, with its rows and as a slide, and give what is said beside it.

    Parameters
    ----------
    tables, presentation
        See `draw_all`.
    folder
        Where to.
    cores
        Processes to share the work among. They draw the same files, whatever their number.

    Returns
    -------
    DataFrame
        `captions.tsv`, in the order of the figures.
    """
    every = list(of_study(FIGURES, presentation, tables))
    work = _Work(tables, presentation, folder)
    if cores == 1 or "fork" not in multiprocessing.get_all_start_methods():
        found = [work.draw(one) for one in every]
    else:
        # A fork shares the tables and what is imported; the scripts that call this are not modules to import again.
        with multiprocessing.get_context("fork").Pool(cores, _begin, (work,)) as pool:
            found = pool.map(_draw, every, chunksize=1)
    return pd.DataFrame(found)


@dataclass(frozen=True, slots=True)
class _Work:
    """What every figure is drawn from, and where to."""

    tables: Mapping[str, pd.DataFrame]
    presentation: Presentation
    folder: Path

    def draw(self, one: One) -> dict[str, str]:
        """Draw and save a figure and its slide, and give what is said beside it."""
        drawing = draw(one, self.tables, self.presentation)
        save(drawing, self.folder, self.presentation.style.dpi)
        write_text(csv_text(drawing.rows), str(self.folder / f"{one.name}.{ROWS_FORMAT}"))
        slide = on_slide(self.presentation)
        save_png(draw(one, self.tables, slide), self.folder / SLIDES, slide.style.dpi)
        return drawing.words


_works: list[_Work] = []
"""In a process of its own: the one that it does."""


def _begin(work: _Work) -> None:
    _works.append(work)


def _draw(one: One) -> dict[str, str]:
    return _works[-1].draw(one)
