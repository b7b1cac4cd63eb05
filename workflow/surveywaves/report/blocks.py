"""What a report is made of: sections of paragraphs, lists, tables and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import pandas as pd
from markupsafe import Markup

from surveywaves.tables import Table


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
    """A figure: drawing, words, and the data behind it."""

    name: str
    svg: str
    title: str
    caption: str
    alt: str
    evidence: str
    data: pd.DataFrame
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
