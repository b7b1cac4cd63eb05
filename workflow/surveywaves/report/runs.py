"""Sentences taken apart: from the marks of a page to runs of text, each with its emphasis."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final, TypeAlias

from markupsafe import Markup

Run: TypeAlias = tuple[str, str]
"""Text, and the letters of its emphasis: `s` strong, `e` emphasised, `c` code."""

_EMPHASIS: Final = {"strong": "s", "b": "s", "em": "e", "i": "e", "code": "c"}
_SILENT: Final = frozenset({"bdi", "data"})
"""Marks that change nothing on paper: a part that is set apart from the direction of the text around it, a number."""

_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_OTHER_DIRECTION: Final = re.compile(
    "[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]"
)
_ISOLATE, _POP = "\u2068", "\u2069"
_EMBEDDINGS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BREAK: Final = "\u200b"
_LONG_WORD: Final = re.compile(r"\S{25,}")
_JOINT: Final = re.compile(r"([_/.:;,=&+|-])(?=[^\W\d_])")
_PIECE: Final = 16


def plain(text: str) -> str:
    """Make a text fit for paper: one line, its direction kept to itself, long words with places to break.

    White space is folded as a page folds it. What would turn the direction of its neighbours is taken out or set apart.
    """
    folded = _SPACE.sub(" ", text)
    broken = _LONG_WORD.sub(lambda word: _breakable(word[0]), folded)
    if not _OTHER_DIRECTION.search(broken):
        return broken
    return f"{_ISOLATE}{_EMBEDDINGS.sub('', broken)}{_POP}"


def runs(text: Markup) -> list[Run]:
    """Take a sentence apart.

    Raises
    ------
    ValueError
        If it holds a mark that paper has no form for: it would be lost without a word.
    """
    reader = _Reader()
    reader.feed(str(text))
    reader.close()
    if reader.open:
        raise ValueError(f"a mark is never closed: {text}")
    return reader.found


class _Reader(HTMLParser):
    """Gathers runs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Run] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base class's name
        if tag not in _EMPHASIS and tag not in _SILENT:
            raise ValueError(f"paper has no form for <{tag}>")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        emphasis = "".join(sorted({_EMPHASIS[tag] for tag in self.open if tag in _EMPHASIS}))
        text = plain(data)
        if text and self.found and self.found[-1][1] == emphasis:
            self.found[-1] = (self.found[-1][0] + text, emphasis)
        elif text:
            self.found.append((text, emphasis))


def _breakable(word: str) -> str:
    """Give a long word places to break: behind its joints, and anywhere in what is still too long."""
    pieces = _JOINT.sub(rf"\1{_BREAK}", word).split(_BREAK)
    return _BREAK.join(
        piece[start : start + _PIECE] if len(piece) > _PIECE + _PIECE // 2 else piece
        for piece in pieces
        for start in (range(0, len(piece), _PIECE) if len(piece) > _PIECE + _PIECE // 2 else (0,))
    )
