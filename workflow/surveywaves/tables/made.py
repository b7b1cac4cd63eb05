"""All tables of a study, as the report shows them and as they are to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pandas as pd

from surveywaves.catalogue import TABLES, Exhibit, One, of_study
from surveywaves.files import read
from surveywaves.tables.layout import FIT, MOST_ROWS, Table
from surveywaves.words import Labels


def frames_of(paths: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Read what tables are made from: name -> file."""
    # Rows of small tables are picked many times, which takes a third longer with Arrow's strings than with Python's.
    with pd.option_context("mode.string_storage", "python"):
        return {name: read(path) for name, path in paths.items()}


def made(
    frames: Mapping[str, pd.DataFrame],
    labels: Labels,
    exhibits: Iterable[Exhibit] = TABLES,
    *,
    whole: bool = False,
) -> Iterator[tuple[One, Table]]:
    """Make every table that has something to show, in the order of the catalogue.

    Parameters
    ----------
    frames
        Released tables by name, `disclosure_summary` among them; `codebook`; and the `titles` of printed tables. Of
        what is absent there are no tables.
    exhibits
        Lists of the catalogue.
    whole
        Whether tables with a row per organisation keep all rows, as in files; else they have at most `MOST_ROWS`.

    Yields
    ------
    tuple
        What it is, and the table, by its name in the catalogue.
    """
    for one in of_study(exhibits, labels.presentation, frames):
        table: Table = one.make(frames, labels)
        if table.rows:
            table = table if whole or not table.ranks else table.at_most(MOST_ROWS, fit=FIT)
            yield one, replace(table, name=one.name)
