"""Draw and save all figures of a study, on as many cores as there are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from surveywaves.figures.draw import draw_all
from surveywaves.figures.names import names
from surveywaves.figures.save import save
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
    shares = [every[start::cores] for start in range(cores)]
    if cores == 1 or "fork" not in multiprocessing.get_all_start_methods():
        found = _save(tables, presentation, folder, every)
    else:
        # A fork shares the tables and what is imported; the scripts that call this are not modules to import again.
        with multiprocessing.get_context("fork").Pool(cores) as pool:
            work = [pool.apply_async(_save, (tables, presentation, folder, share)) for share in shares]
            found = {name: words for part in work for name, words in part.get().items()}
    return pd.DataFrame([found[name] for name in every])


def _save(
    tables: Mapping[str, pd.DataFrame], presentation: Presentation, folder: Path, wanted: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    found = {}
    for drawing in draw_all(tables, presentation, wanted=wanted):
        save(drawing, folder)
        found[drawing.name] = drawing.words
    return found
