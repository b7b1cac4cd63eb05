"""Draw and save all figures of a study, on as many cores as there are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from surveywaves.figures.draw import draw_all
from surveywaves.figures.drawing import save
from surveywaves.figures.layout import prepare
from surveywaves.figures.names import names
from surveywaves.study.parts import Presentation


def save_all(
    tables: Mapping[str, pd.DataFrame], presentation: Presentation, folder: Path, *, cores: int = 1
) -> pd.DataFrame:
    """Draw every figure into a folder, and give what is said beside them.

    Parameters
    ----------
    tables, presentation
        See `surveywaves.figures.draw.draw_all`.
    folder
        Where to.
    cores
        Processes to share the work among. They draw the same files, whatever their number.

    Returns
    -------
    DataFrame
        `captions.tsv`, in the order of the figures.
    """
    every = names(presentation, "published_tables" in tables)
    work = _Work(tables, presentation, folder)
    if cores == 1 or "fork" not in multiprocessing.get_all_start_methods():
        found = [work.draw(name) for name in every]
    else:
        prepare()
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

    def draw(self, name: str) -> dict[str, str]:
        """Draw and save a figure, and give what is said beside it."""
        drawing = next(draw_all(self.tables, self.presentation, wanted=(name,)))
        save(drawing, self.folder)
        return drawing.words


_works: list[_Work] = []
"""In a process of its own: the one that it does."""


def _begin(work: _Work) -> None:
    _works.append(work)


def _draw(name: str) -> dict[str, str]:
    return _works[-1].draw(name)
