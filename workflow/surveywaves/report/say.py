"""Sentences whose numbers come from tables: each number carries where it was taken from, and no literal gets in.

In the page a number stands in a `data` element with its full value and, as attributes, the table it comes from, the
rows (`data-where`, JSON) and what was done with them (`data-take`), so that a reader, or a test, can look it up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from surveywaves.study.parts import Presentation
from surveywaves.tables.words import is_missing, share, whole

STUDY: Final = "study"
"""Stands for a table's name where a number comes from the study's configuration."""

Where = str | float | Sequence[str]
"""What a row must have in a column: a value, one of several, a bound (columns named `column>` and `column<`), or what
another column has (`column=`)."""

_NUMBER: Final = Markup(
    '<data value="{value}" data-from="{table}" data-take="{take}" data-where="{where}">{text}</data>'
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its source.

    Parameters
    ----------
    value
        In full.
    text
        As the sentence has it.
    table, take, where
        Table; `cell:column`, `sum:column`, `count`, or `distinct:column,column`; and the rows, as JSON.
    """

    value: float
    text: str
    table: str
    take: str
    where: str = "{}"

    def __html__(self) -> str:
        return _NUMBER.format(
            value=f"{self.value:.15g}", table=self.table, take=self.take, where=self.where, text=self.text
        )


@dataclass(frozen=True)
class Numbers:
    """Looks numbers up in the tables of a report, and in the study.

    Parameters
    ----------
    tables
        Frames by name.
    presentation
        The study in words.
    """

    tables: Mapping[str, pd.DataFrame]
    presentation: Presentation
    _columns: dict[tuple[str, str], NDArray[Any]] = field(default_factory=dict, repr=False)

    def cell(self, table: str, column: str, write: Callable[[Any], str] = whole, **where: Where) -> Number:
        """Take one cell (ValueError unless exactly one row fits, KeyError if its cell is empty)."""
        rows = self.rows(table, **where)
        if len(rows) != 1:
            raise ValueError(f"{table}: {len(rows)} rows fit {where}, not one")
        value = rows[column].iloc[0]
        if is_missing(value):
            raise KeyError(f"{table}: {column} is empty where {where}")
        return _number(value, write, table, f"cell:{column}", where)

    def total(self, table: str, column: str, write: Callable[[Any], str] = whole, **where: Where) -> Number:
        """Add up a column (KeyError if one of its cells is empty: what is left is not the sum)."""
        cells = self.rows(table, **where)[column]
        if cells.isna().any():
            raise KeyError(f"{table}: {column} is empty in some rows where {where}")
        return _number(cells.sum(), write, table, f"sum:{column}", where)

    def count(self, table: str, **where: Where) -> Number:
        """Count rows."""
        return _number(len(self.rows(table, **where)), whole, table, "count", where)

    def distinct(self, table: str, *columns: str, **where: Where) -> Number:
        """Count the different entries in columns."""
        rows = self.rows(table, **where)[list(columns)].drop_duplicates()
        return _number(len(rows), whole, table, f"distinct:{','.join(columns)}", where)

    def study(self, key: str, write: Callable[[Any], str] = whole) -> Number:
        """Take a number of the study, or count a part of it; `alpha` is what its confidence level leaves."""
        value = 1 - self.presentation.confidence if key == "alpha" else getattr(self.presentation, key)
        return _number(len(value) if hasattr(value, "__len__") else value, write, STUDY, key, {})

    def rows(self, table: str, **where: Where) -> pd.DataFrame:
        """Pick rows; see `Where`."""
        fits = np.ones(len(self.tables[table]), dtype=np.bool_)
        for key, wanted in where.items():
            column = self._column(table, key.rstrip("<>="))
            if key.endswith("="):
                fits &= column == self._column(table, str(wanted))
            elif key.endswith(">"):
                fits &= column > wanted
            elif key.endswith("<"):
                fits &= column < wanted
            else:
                fits &= np.isin(column, wanted)
        return self.tables[table][fits]

    def _column(self, table: str, name: str) -> NDArray[Any]:
        if (table, name) not in self._columns:
            column = self.tables[table][name]
            counts = pd.api.types.is_extension_array_dtype(column) and pd.api.types.is_numeric_dtype(column)
            # Nothing fits what is withheld: NaN is neither equal to anything nor on any side of it.
            self._columns[table, name] = (
                column.to_numpy("float64", na_value=np.nan) if counts else column.to_numpy()
            )
        return self._columns[table, name]


def say(template: str, **parts: object) -> Markup:
    """Make a sentence.

    Parameters
    ----------
    template
        Words with named places, `{so}`; HTML in it is taken as it is.
    parts
        `Number`s, and words, which are escaped and set apart from the direction of the text around them.

    Raises
    ------
    ValueError
        If the template holds a digit: numbers come from tables.
    """
    if any(re.search(r"\d", literal) for literal, *_ in Formatter().parse(template)):
        raise ValueError(f"a number is written into the sentence: {template}")
    return Markup(template).format(**{name: _inline(part) for name, part in parts.items()})


def several(count: Number, one: str, many: str) -> Markup:
    """Give a count with its noun in the right number."""
    return say("{count} {noun}", count=count, noun=one if count.value == 1 else many)


def level(value: Any) -> str:
    """Write a confidence level, without a decimal that says nothing."""
    return share(value).replace(".0%", "%")


def _number(
    value: Any, write: Callable[[Any], str], table: str, take: str, where: Mapping[str, Where]
) -> Number:
    plain = {
        key: list(wanted) if not isinstance(wanted, str | float | int) else wanted
        for key, wanted in where.items()
    }
    return Number(float(value), write(value), table, take, json.dumps(plain, sort_keys=True))


def _inline(part: object) -> Markup:
    if hasattr(part, "__html__"):
        return Markup.escape(part)
    return Markup("<bdi>{}</bdi>").format(part)
