"""What is in print: counts that a publication gives cannot be withheld any more, and everybody may know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveywaves.disclosure.system import BoolArray
from surveywaves.tidy import Status

RECOMPUTED = "recomputed"


@dataclass(frozen=True)
class Publication:
    """A publication about a wave.

    Attributes
    ----------
    wave
        The wave.
    cells
        (Table, row) -> the item that it is about.
    categories
        Codes of the printed categories, lowest response first.
    choices
        Variable -> printed label -> level.
    """

    wave: str
    cells: Mapping[tuple[str, str], str]
    categories: Sequence[str]
    choices: Mapping[str, Mapping[str, str]]

    def place(self, table: str, row: str, category: str) -> tuple[str, str, str] | None:
        """Say which count of all organisations a printed cell gives; None if it is none."""
        if table in self.choices:
            level = self.choices[table].get(category)
            return None if level is None else (self.wave, table, level)
        if category not in self.categories or (table, row) not in self.cells:
            return None
        return self.wave, self.cells[table, row], str(1 + list(self.categories).index(category))


def in_print(audit: pd.DataFrame, publication: Publication) -> frozenset[tuple[str, str, str]]:
    """List the counts that are in print as they are in the data.

    Parameters
    ----------
    audit
        As `published.beside` gives it.
    publication
        What the tables are about.

    Returns
    -------
    frozenset
        Wave, item or variable, response or level. A count that was misprinted is in print if the arithmetic of its
        row settles it; one that differs from the data is not, and neither is one that is printed in percent only.
    """
    counts = audit[(audit["quantity"] == "count") & (audit["settled"] == audit["recomputed"])]
    places = (
        publication.place(table, row, category)
        for table, row, category in zip(counts["table"], counts["row"], counts["category"], strict=True)
    )
    return frozenset(place for place in places if place is not None)


def audited(
    audit: pd.DataFrame, publication: Publication, hidden: Iterable[tuple[str, str, str]]
) -> pd.DataFrame:
    """Withhold what was recomputed of counts that are withheld (`hidden`, places of all organisations together)."""
    marks = _hidden_cells(audit, publication, frozenset(hidden))
    status = pd.Series(
        np.where(marks, Status.WITHHELD.value, Status.OK.value), index=audit.index, dtype="str"
    )
    return audit.assign(recomputed=audit[RECOMPUTED].mask(marks, ""), status=status)


def claimed(
    claims: pd.DataFrame,
    audit: pd.DataFrame,
    publication: Publication,
    hidden: Iterable[tuple[str, str, str]],
) -> pd.DataFrame:
    """Withhold what was recomputed of a claim about a table row of which anything is withheld."""
    marks = _hidden_cells(audit, publication, frozenset(hidden))
    rows = set(zip(audit.loc[marks, "table"], audit.loc[marks, "row"], strict=True))
    tables = {table for table, _ in rows}
    hide = np.array(
        [
            (table, row) in rows or (not row and table in tables)
            for table, row in zip(claims["table"], claims["row"], strict=True)
        ],
        dtype=np.bool_,
    )
    shown = claims.astype({"n": "Int64", "base": "Int64"})
    for name, empty in (("n", pd.NA), ("base", pd.NA), (RECOMPUTED, ""), ("evidence", "")):
        shown[name] = shown[name].mask(hide, empty)
    return shown.assign(
        status=pd.Series(
            np.where(hide, Status.WITHHELD.value, Status.OK.value), index=shown.index, dtype="str"
        )
    )


def _hidden_cells(
    audit: pd.DataFrame, publication: Publication, hidden: frozenset[tuple[str, str, str]]
) -> BoolArray:
    marks = []
    for table, row, category, quantity in zip(
        audit["table"], audit["row"], audit["category"], audit["quantity"], strict=True
    ):
        place = publication.place(table, row, category)
        if quantity == "base" or place is None:
            name = table if table in publication.choices else publication.cells.get((table, row), "")
            place = (publication.wave, name, "base")
        marks.append(place in hidden)
    return np.array(marks, dtype=np.bool_)
