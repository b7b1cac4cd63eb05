"""What the words of the report are made from, and sentences whose numbers come from tables.

A section is Markdown (pandoc: commonmark with fenced divs, bracketed spans and attributes). A number in it is a span
that carries its full value, the table it comes from, the rows (`data-where`, JSON) and what was done with them
(`data-take`), so that a reader, or a test, can look it up:

    [12.3]{.n data-value="12.34" data-from="contrasts" data-take="cell:estimate" data-where="{&quot;scale&quot;: ...}"}

Every other word that is inserted is escaped: no label of a study is ever markup. What is `Markup` stays as it is. No
number is written into a sentence.
"""

from __future__ import annotations

import json
import operator
import string
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from surveywaves import findings
from surveywaves.catalogue import APPENDIX, SECTIONS, One, figures, interview_figures
from surveywaves.findings import ANALYSIS, main_unit, term_in
from surveywaves.study.parts import Presentation
from surveywaves.terms import PERCENT_FAVOURABLE
from surveywaves.text import listed, visible
from surveywaves.words import Labels, is_missing, whole


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report."""

    name: str
    """A key of `catalogue.SECTIONS`."""
    title: str
    """Its heading, in the study's own words."""
    text: str
    """Markdown; a paragraph `[[figure:NAME]]` or `[[table:NAME]]` stands for what belongs there."""

    @property
    def appendix(self) -> bool:
        """Whether it belongs to the appendix."""
        order = list(SECTIONS)
        return self.name in order[order.index(APPENDIX) :]


@dataclass(frozen=True)
class Material:
    """What the words of the report are made from."""

    tables: Mapping[str, pd.DataFrame]
    """Released frames by name; `codebook` and the `titles` of printed tables as far as there are any."""
    presentation: Presentation
    """The study in words."""
    captions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Figure -> its `title`, `caption`, `alt` and `group`."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Figure -> its drawing, SVG text."""
    made: Mapping[str, tuple[One, Any]] = field(default_factory=dict)
    """Table -> what it is, and the table: see `surveywaves.tables.made`."""
    limitations: str = ""
    """The study's own limitations: Markdown of headings, lists and emphasis."""
    disclosure: str = ""
    """What was withheld, in a sentence."""
    session: Mapping[str, str] = field(default_factory=dict)
    """What the report was made with: name -> version."""

    @cached_property
    def labels(self) -> Labels:
        """The study's words for what the frames name."""
        return Labels(self.presentation)

    @cached_property
    def numbers(self) -> Numbers:
        """Numbers for sentences."""
        return Numbers(self.tables, self.presentation)

    @cached_property
    def unit(self) -> str:
        """Unit of the headline."""
        return main_unit(self.tables["contrasts" if self.has("contrasts") else "means"])

    @property
    def contrasts(self) -> pd.DataFrame | None:
        """The contrasts, if there are any."""
        return self.tables["contrasts"] if self.has("contrasts") else None

    def where(self, kind: str, wave: str, **more: Any) -> dict[str, Any]:
        """Return what rows of `contrasts`, or `agreement`, of one kind must have, in the unit of the headline."""
        return {"analysis": ANALYSIS[self.unit], "term": term_in(self.unit, kind), "wave": wave, **more}

    @property
    def decimals(self) -> int:
        """Decimals of levels and differences in that unit."""
        return 1 if self.unit == PERCENT_FAVOURABLE else 2

    @cached_property
    def in_whole_numbers(self) -> set[tuple[str, str]]:
        """Scales and organisations whose estimates in that unit have no decimals."""
        return findings.in_whole_numbers(self.tables["means"], self.contrasts, self.unit)

    def has(self, *names: str) -> bool:
        """Whether there are tables of these names with at least one row each."""
        return all(name in self.tables and len(self.tables[name]) for name in names)

    def standing(self, section: str, part: str = "") -> list[Markup]:
        """List the marks of the figures, then the tables, that stand in a section, or in one part of it."""
        every = (
            *figures(self.presentation, published=True),
            *interview_figures(self.presentation, self.tables),
        )
        drawn = [one for one in every if one.name in self.figures]
        tables = [one for one, _ in self.made.values()]
        return [
            Markup(f"[[{kind}:{one.name}]]")
            for kind, ones in (("figure", drawn), ("table", tables))
            for one in ones
            if one.place.partition("/")[0] == section
            if not part or one.place == f"{section}/{part}"
        ]


_ENTITIES: Final = str.maketrans({mark: f"&#{ord(mark)};" for mark in string.punctuation})


STUDY: Final = "study"
"""Stands for a table's name where a number comes from the study's configuration."""

Where = str | float | Sequence[str]
"""What a row must have in a column: a value, one of several, a bound (columns named `column>` and `column<`), what
another column has (`column=`), or what it must not have (`column!`)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its source."""

    value: float
    """In full."""
    text: str
    """As the sentence has it."""
    table: str
    take: str
    where: str = "{}"
    """Table; `cell:column`, `rest:column` (what is left of 1), `sum:column`, `largest:column` (the largest size),
    `count`, or `distinct:column,column`; and the rows, as JSON."""

    def __bool__(self) -> bool:
        return bool(self.value)

    def __str__(self) -> Markup:
        where = escape(self.where)
        return Markup(
            f'[{escape(self.text)}]{{.n data-value="{self.value:.15g}" data-from="{self.table}" '
            f'data-take="{self.take}" data-where="{where}"}}'
        )


@dataclass(frozen=True)
class Numbers:
    """Looks numbers up in the tables of a report, and in the study."""

    tables: Mapping[str, pd.DataFrame]
    """Frames by name."""
    presentation: Presentation
    """The study in words."""
    _columns: dict[tuple[str, str], NDArray[Any]] = field(default_factory=dict, repr=False)

    def cell(
        self,
        table: str,
        column: str,
        write: Callable[[Any], str] = whole,
        *,
        take: str = "cell",
        **where: Any,
    ) -> Number:
        """Take one cell, `take` says as what (ValueError unless one row fits, KeyError if its cell is empty)."""
        places = np.flatnonzero(self._fits(table, where))
        if len(places) != 1:
            raise ValueError(f"{table}: {len(places)} rows fit {where}, not one")
        value = self.tables[table][column].iloc[places[0]]
        if is_missing(value):
            raise KeyError(f"{table}: {column} is empty where {where}")
        value = 1 - value if take == "rest" else value
        return _number(value, write, table, f"{take}:{column}", where)

    def total(self, table: str, column: str, **where: Any) -> Number:
        """Add up a column (KeyError if one of its cells is empty: what is left is not the sum)."""
        cells = self.rows(table, **where)[column]
        if cells.isna().any():
            raise KeyError(f"{table}: {column} is empty in some rows where {where}")
        return _number(cells.sum(), whole, table, f"sum:{column}", where)

    def largest(self, table: str, column: str, write: Callable[[Any], str], **where: Any) -> Number:
        """Take the largest size in a column (KeyError if every cell is empty)."""
        sizes = self.rows(table, **where)[column].abs().dropna()
        if sizes.empty:
            raise KeyError(f"{table}: {column} is empty where {where}")
        return _number(sizes.max(), write, table, f"largest:{column}", where)

    def count(self, table: str, write: Callable[[Any], str] = whole, **where: Any) -> Number:
        """Count rows."""
        return _number(self._fits(table, where).sum(), write, table, "count", where)

    def distinct(self, table: str, *columns: str, **where: Any) -> Number:
        """Count the different entries in columns."""
        rows = self.rows(table, **where)[list(columns)].drop_duplicates()
        return _number(len(rows), whole, table, f"distinct:{','.join(columns)}", where)

    def study(self, key: str, write: Callable[[Any], str] = whole) -> Number:
        """Take a number of the study, or count a part of it; `alpha` is one minus its confidence level."""
        value = of_study(self.presentation, key)
        return _number(value, write, STUDY, key, {})

    @cached_property
    def level(self) -> Number:
        """The confidence level, as `95%`."""
        return self.study("confidence", lambda _: Labels(self.presentation).confidence)

    @cached_property
    def alpha(self) -> Number:
        """The level of a test, as `.05`."""
        return self.study("alpha", lambda _: Labels(self.presentation).alpha)

    def rows(self, table: str, **where: Any) -> pd.DataFrame:
        """Pick rows; see `Where`."""
        return self.tables[table][self._fits(table, where)]

    def _fits(self, table: str, where: Mapping[str, Any]) -> NDArray[np.bool_]:
        fits = np.ones(len(self.tables[table]), dtype=np.bool_)
        for key, wanted in where.items():
            column = self._column(table, key.rstrip("<>=!"))
            compare = _COMPARED.get(key[-1], _COMPARED["="])
            other = self._column(table, str(wanted)) if key.endswith("=") else wanted
            fits &= np.isin(column, other) if isinstance(other, list) else compare(column, other)
        return fits

    def _column(self, table: str, name: str) -> NDArray[Any]:
        if (table, name) not in self._columns:
            column = self.tables[table][name]
            counts = pd.api.types.is_extension_array_dtype(column) and pd.api.types.is_numeric_dtype(column)
            # Nothing fits what is withheld: NaN is neither equal to anything nor on any side of it.
            self._columns[table, name] = (
                column.to_numpy("float64", na_value=np.nan) if counts else column.to_numpy()
            )
        return self._columns[table, name]


_COMPARED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    "!": operator.ne,
}


def of_study(presentation: Presentation, key: str) -> float:
    """Take a number of the study by its name, or count a part of it."""
    value = 1 - presentation.confidence if key == "alpha" else getattr(presentation, key)
    return float(len(value) if isinstance(value, Collection) else value)


def escape(part: object) -> Markup:
    """Make Markdown of what a sentence inserts.

    Markup and numbers stay as they are; of everything else every mark of punctuation becomes an entity, on one line.
    """
    if isinstance(part, Markup):
        return part
    return Markup(part if isinstance(part, Number) else visible(str(part)).translate(_ENTITIES))


def several(count: Number, nouns: tuple[str, str]) -> Markup:
    """Return a count with its noun in the singular or plural."""
    return joined([count, nouns[0] if count.value == 1 else nouns[1]], " ")


def joined(parts: Iterable[object], between: str = "", *, last: str = "and") -> Markup:
    """Join parts of a sentence: a, b and c; or with what stands between."""
    safe = [str(escape(part)) for part in parts]
    return Markup(between.join(safe) if between else listed(safe, last))


def _number(
    value: Any, write: Callable[[Any], str], table: str, take: str, where: Mapping[str, Where]
) -> Number:
    kept = {
        key: list(wanted) if not isinstance(wanted, str | float | int) else wanted
        for key, wanted in where.items()
    }
    return Number(float(value), write(value), table, take, json.dumps(kept, sort_keys=True))
