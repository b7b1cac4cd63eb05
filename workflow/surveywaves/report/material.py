"""What a report is made of, its sentences, and what it is made from.

Blocks: sections of paragraphs, lists, tables and figures.

Sentences whose numbers come from tables: each number carries where it was taken from, and no literal gets in. In the
page a number stands in a `data` element with its full value and, as attributes, the table it comes from, the
rows (`data-where`, JSON) and what was done with them (`data-take`), so that a reader, or a test, can look it up.

A few marks of Markdown for the study's own words, everything else escaped.

    ## Heading          a heading
    - point             a list
    **strong** *weak*   emphasis
    blank line          a new paragraph

No HTML, links or pictures pass.

`Material`: tables, drawings and the study's words, and what of them stands at a place of the catalogue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from string import Formatter
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from surveywaves import catalogue
from surveywaves.catalogue import figures
from surveywaves.study.parts import Presentation
from surveywaves.tables import Table
from surveywaves.tables.made import made
from surveywaves.words import (
    Labels,
    is_missing,
    share,
    whole,
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `tone` is ``note`` for what a reader should mind."""

    text: Markup
    tone: str = ""
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[Markup, ...]
    kind: ClassVar[str] = "bullets"


@dataclass(frozen=True, eq=False)
class TableBlock:
    """A table in its place."""

    table: Table
    kind: ClassVar[str] = "table"


@dataclass(frozen=True, eq=False)
class FigureBlock:
    """A figure: drawing, words, and the rows that it drew, as CSV (empty: not known)."""

    name: str
    svg: str
    title: str
    caption: str
    alt: str
    evidence: str
    rows: str
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True, slots=True)
class Grid:
    """Short facts as terms and what is said of them."""

    entries: tuple[tuple[str, tuple[Markup, ...]], ...]
    kind: ClassVar[str] = "grid"


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a section under its own heading."""

    title: str
    blocks: tuple[Block, ...]
    kind: ClassVar[str] = "part"


@dataclass(frozen=True, eq=False)
class Details:
    """What only some readers want: shown on demand, and in print."""

    summary: str
    blocks: tuple[Block, ...]
    kind: ClassVar[str] = "details"


Block: TypeAlias = Paragraph | Bullets | TableBlock | FigureBlock | Grid | Part | Details


@dataclass(frozen=True)
class Section:
    """A section of the report."""

    name: str
    title: str
    blocks: tuple[Block, ...] = field(default=())


@dataclass(frozen=True)
class Report:
    """All that a report says, whatever it is shown on.

    Parameters
    ----------
    title, description
        What the study is called, and what it is about.
    kind, warning
        What the data are, in a word and in a sentence.
    demonstration
        Whether any of them is invented.
    waves
        Title, evidence, its meaning and what is weaker still, of each wave.
    sections
        In their order.
    """

    title: str
    description: str
    kind: str
    warning: Markup
    demonstration: bool
    waves: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    sections: tuple[Section, ...]


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """Go through blocks and what is in them, in the order of the page."""
    for block in blocks:
        yield block
        if isinstance(block, Part | Details):
            yield from walk(block.blocks)


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


_HEADING: Final = re.compile(r"#{1,6}\s+(.*)")
_POINT: Final = re.compile(r"[-*]\s+(.*)")
_STRONG: Final = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_WEAK: Final = re.compile(r"(?<![*\w])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![*\w])")


def prose(text: str) -> list[Block]:
    """Turn text into blocks; what follows a heading belongs to it until the next."""
    blocks: list[Block] = []
    title = ""
    inside: list[Block] = []
    for block in _chunks(text):
        if isinstance(block, str):
            if title:
                blocks.append(Part(title, tuple(inside)))
            title, inside = block, []
        elif title:
            inside.append(block)
        else:
            blocks.append(block)
    if title:
        blocks.append(Part(title, tuple(inside)))
    return blocks


def inline(text: str) -> Markup:
    """Escape a text and set its emphasis."""
    safe = str(Markup.escape(" ".join(text.split())))
    return Markup(_WEAK.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", safe)))


def _chunks(text: str) -> Iterator[Block | str]:
    """Go through paragraphs and lists; a heading comes as its text."""
    for chunk in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        lines = [line.strip() for line in chunk.splitlines() if line.strip()]
        for kind, group in groupby(_joined(lines), key=lambda line: line[0]):
            texts = [line for _, line in group]
            if kind == "heading":
                yield from texts
            elif kind == "point":
                yield Bullets(tuple(inline(line) for line in texts))
            else:
                yield Paragraph(inline(" ".join(texts)))


def _joined(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Name the kind of each line; a line that begins nothing goes on with the point before it."""
    held: tuple[str, str] | None = None
    for line in lines:
        if match := _HEADING.fullmatch(line):
            this = ("heading", match[1])
        elif match := _POINT.fullmatch(line):
            this = ("point", match[1])
        elif held and held[0] == "point":
            held = ("point", f"{held[1]} {line}")
            continue
        else:
            this = ("text", line)
        if held:
            yield held
        held = this
    if held:
        yield held


@dataclass(frozen=True)
class Material:
    """What `assemble` is given.

    Parameters
    ----------
    tables
        Frames by name, as `docs/files.md` lists them, `codebook`, and the `titles` of printed tables; what is absent is
        left out of the report.
    captions, figures, rows
        `captions.tsv`; drawings as SVG text, and the rows that they drew as CSV text, by name.
    presentation
        The study in words.
    limitations
        The study's own limitations, in the marks of `surveywaves.report.material`.
    disclosure
        What was withheld, in a sentence.
    session
        What the report was made with: name -> version.
    """

    tables: Mapping[str, pd.DataFrame]
    captions: pd.DataFrame
    figures: Mapping[str, str]
    presentation: Presentation
    rows: Mapping[str, str] = field(default_factory=dict)
    limitations: str = ""
    disclosure: str = ""
    session: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def labels(self) -> Labels:
        """The study's words for what the frames name."""
        return Labels(self.presentation)

    @cached_property
    def numbers(self) -> Numbers:
        """Numbers for sentences."""
        return Numbers(self.tables, self.presentation)

    def has(self, *names: str) -> bool:
        """Whether there are tables of these names with at least one row each."""
        return all(name in self.tables and len(self.tables[name]) for name in names)

    @cached_property
    def _captions(self) -> dict[str, dict[str, str]]:
        return {
            str(row["figure"]): {str(k): str(v) for k, v in row.items()}
            for row in self.captions.to_dict("records")
        }

    @cached_property
    def _placed(self) -> dict[str, list[Block]]:
        """Figures, then tables, by the place that the catalogue gives them."""
        found: dict[str, list[Block]] = {}
        for one in figures(self.presentation, published="published_tables" in self.tables):
            if one.name in self.figures and one.name in self._captions:
                found.setdefault(one.place, []).append(self._figure(one.name))
        for one, table in made(self.tables, self.labels):
            block = TableBlock(table)
            folded = isinstance(one.exhibit, catalogue.Table) and one.exhibit.folded
            found.setdefault(one.place, []).append(Details(table.title, (block,)) if folded else block)
        return found

    def at(self, place: str) -> list[Block]:
        """Take what stands at a place of the report: see `surveywaves.catalogue.Exhibit`."""
        return self._placed.pop(place, [])

    def left(self, section: str) -> list[Block]:
        """Take what stands in a section, but at no place that was asked for."""
        places = [place for place in self._placed if place.partition("/")[0] == section]
        return [block for place in places for block in self.at(place)]

    def _figure(self, name: str) -> FigureBlock:
        words = self._captions[name]
        return FigureBlock(
            name=name,
            svg=self.figures[name],
            title=words["title"],
            caption=words["caption"],
            alt=words["alt"],
            evidence=words["evidence"],
            rows=self.rows.get(name, ""),
        )
