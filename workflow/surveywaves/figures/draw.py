"""All figures of a study: drawn, and saved while the next ones are drawn."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pandas as pd

from surveywaves.catalogue import FIGURES, NARROW, ROWS_FORMAT, SLIDES, Figure, One, of_study
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.saving import save, save_png, svg_of
from surveywaves.figures.style import RC, on_slide, on_telephone
from surveywaves.files import csv_text, write_text
from surveywaves.study.parts import Presentation


def draw_all(
    tables: Mapping[str, pd.DataFrame], presentation: Presentation, *, wanted: Collection[str] | None = None
) -> Iterator[Drawing]:
    """Draw every figure of a study, in the order of the catalogue.

    Parameters
    ----------
    tables
        Released tables by name, as docs/files.md describes them, that the figures in `surveywaves.catalogue` read.
    presentation
        The study in words; see `style.on_slide` for slides.
    wanted
        Names of the figures to draw; None: all.
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
    with mpl.rc_context(RC | {"font.size": presentation.style.font_size}):
        drawing: Drawing = one.make(tables, presentation)
    read = tables[one.exhibit.reads[0]]
    if not drawing.rows.index.isin(read.index).all() or not {*read} <= {*drawing.rows} <= {*read, "evidence"}:
        raise ValueError(f"figure {one.name}: its rows are not rows of {one.exhibit.reads[0]}")
    return replace(drawing, name=one.name, group=one.exhibit.section)


def save_all(
    tables: Mapping[str, pd.DataFrame],
    presentation: Presentation,
    folder: Path,
    *,
    cores: int = 1,
    exhibits: Iterable[Figure] = FIGURES,
) -> pd.DataFrame:
    """Draw every figure into a folder, with its rows, as a slide and, where the catalogue says so, for a telephone.

    Parameters
    ----------
    tables, presentation
        See `draw_all`.
    cores
        Threads that save beside the one that draws, and one at least: the files are the same.
    exhibits
        A list of the catalogue.

    Returns
    -------
    DataFrame
        `captions.tsv`: what is said beside each figure, in their order.
    """
    slides, said, jobs = on_slide(presentation), [], []
    gc.disable()  # drawings leave little behind, and looking for it takes a tenth of the time
    with ThreadPoolExecutor(max(cores - 1, 1)) as pool, ExitStack() as after:
        after.callback(gc.enable)
        for one in of_study(exhibits, presentation, tables):
            drawing, slide = draw(one, tables, presentation), draw(one, tables, slides)
            write_text(csv_text(drawing.rows), str(folder / f"{one.name}.{ROWS_FORMAT}"))
            jobs.append(pool.submit(save, drawing, folder, presentation.style.dpi, svg=svg_of(drawing)))
            jobs.append(pool.submit(save_png, slide, folder / SLIDES, slides.style.dpi, svg=svg_of(slide)))
            if isinstance(one.exhibit, Figure) and one.exhibit.narrow:
                narrow = svg_of(draw(one, tables, on_telephone(presentation)))
                write_text(narrow, str(folder / NARROW / f"{one.name}.svg"))
            said.append(drawing.words)
        for job in jobs:
            job.result()
    return pd.DataFrame(said)
