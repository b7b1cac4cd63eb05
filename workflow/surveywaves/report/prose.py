"""A few marks of Markdown for the study's own words, everything else escaped.

    ## Heading          a heading
    - point             a list
    **strong** *weak*   emphasis
    blank line          a new paragraph

No HTML, links or pictures pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Paragraph, Part

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
