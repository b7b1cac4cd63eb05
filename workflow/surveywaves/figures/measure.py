"""Text before it is placed: what the bundled font can draw, how wide it is, where it breaks into lines."""

from __future__ import annotations

import atexit
import unicodedata
import warnings
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fontTools import subset  # type: ignore[import-untyped]
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font, LoadFlags

MM_PER_POINT: Final = 25.4 / 72
LINE: Final = 1.24
"""Height of a line of text in font sizes; the font itself takes 1.0."""
BASELINE: Final = 0.93
"""From the top of a line to its baseline, in font sizes."""
ELLIPSIS: Final = "…"
LATIN: Final = frozenset(
    (*range(0x20, 0x180), *range(0x2010, 0x2027), 0x2030, 0x20AC, 0x2212, 0x2265, 0x2264)
)
"""Latin script, Western and Central European, with its punctuation and the signs that figures use."""
MARKS_IN_A_ROW: Final = 2
"""Accents stacked on one letter before the rest are left out: a tower of them would reach into other lines."""


def font_for(text: str, *, bold: bool) -> str:
    """Give the file of the font to draw a text with: DejaVu Sans as matplotlib ships it, whatever is installed.

    Texts in Latin script are drawn with a cut of it that has their characters alone. The glyphs are the same ones,
    but a PDF embeds them ten times faster.
    """
    return _latin_file(bold) if all(ord(character) in LATIN for character in text) else _file(bold)


def prepare() -> None:
    """Make the cut fonts: processes that are forked afterwards share them."""
    for bold in (False, True):
        _latin_file(bold)


@cache
def _file(bold: bool) -> str:
    return str(Path(get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if bold else ''}.ttf")


@cache
def _latin_file(bold: bool) -> str:
    options = subset.Options(
        glyph_names=True, recommended_glyphs=True, notdef_outline=True, hinting=False, legacy_kern=True
    )
    options.drop_tables += ["FFTM", "GSUB", "GPOS", "GDEF"]
    font = subset.load_font(_file(bold), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=LATIN)
    subsetter.subset(font)
    target = Path(_folder().name) / Path(_file(bold)).name
    subset.save_font(font, target, options)
    return str(target)


@cache
def _folder() -> TemporaryDirectory[str]:
    """Make a folder that lasts as long as the process."""
    folder = TemporaryDirectory(prefix="surveywaves-fonts-")
    atexit.register(folder.cleanup)
    return folder


def clean(text: str) -> str:
    """Make one line of a text: no control, formatting or unassigned characters, no surplus white space."""
    return " ".join("".join(_plain(c) for c in unicodedata.normalize("NFC", text)).split())


@lru_cache(maxsize=4096)
def drawable(text: str) -> str:
    """Make a text one that the font can draw: what it has no glyph for becomes a replacement character."""
    drawn, marks = [], 0
    for character in clean(text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS_IN_A_ROW:
            drawn.append(character if _has_glyph(character) else "\ufffd")
    return "".join(drawn)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Measure a line of text.

    Parameters
    ----------
    text
        A drawable text.
    size
        Font size in mm.

    Returns
    -------
    float
        Its width in mm.
    """
    words = text.split(" ")
    return size * (sum(_advance(word, bold) for word in words) + _advance(" ", bold) * (len(words) - 1))


def wrap(
    text: str, width: float, size: float, *, bold: bool = False, max_lines: int | None = None
) -> list[str]:
    """Break a text into lines no wider than `width`; a word that is wider is broken where it must be.

    Parameters
    ----------
    text
        Any text.
    width, size
        In mm.
    max_lines
        Lines to keep; what is left out is replaced by an ellipsis.

    Returns
    -------
    list of str
        One line at least.
    """
    lines: list[str] = []
    line = ""
    for word in _pieces(drawable(text), width, size, bold):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size, bold=bold) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if max_lines is not None and len(lines) > max_lines:
        last = lines[max_lines - 1]
        while last and width_of(last + ELLIPSIS, size, bold=bold) > width:
            last = last[:-1].rstrip()
        lines = [*lines[: max_lines - 1], last + ELLIPSIS]
    return lines


def shorten(text: str, width: float, size: float) -> str:
    """Fit a text into one line: what does not fit is left out of its middle, in whole words.

    How statements of a survey begin is often common to them, and how they end tells them apart.

    Parameters
    ----------
    text
        Any text.
    width, size
        In mm.

    Returns
    -------
    str
        The text, or its beginning and its end around an ellipsis.
    """
    words = _pieces(drawable(text), width, size, bold=False)
    if width_of(" ".join(words), size) <= width:
        return " ".join(words)
    for kept in range(len(words) - 1, 1, -1):
        first, last = kept - kept // 2, kept // 2
        line = " ".join([*words[:first], ELLIPSIS, *words[-last:]])
        if width_of(line, size) <= width:
            return line
    return wrap(text, width, size, max_lines=1)[0]


def told_apart(texts: Sequence[str], width: float, size: float) -> list[list[str]]:
    """Give each text one line, or as many as it needs to be another than the others.

    Returns
    -------
    list of list of str
        The lines of each text, in the order of `texts`.
    """
    short = [shorten(text, width, size) for text in texts]
    meant: dict[str, set[str]] = {}
    for text, line in zip(texts, short, strict=True):
        meant.setdefault(line, set()).add(text)
    return [
        [line] if len(meant[line]) == 1 else wrap(text, width, size)
        for text, line in zip(texts, short, strict=True)
    ]


def _pieces(text: str, width: float, size: float, bold: bool) -> list[str]:
    """Split a text into words that fit."""
    pieces = []
    for word in text.split(" "):
        rest = word
        while width_of(rest, size, bold=bold) > width and len(rest) > 1:
            fits = 1
            while fits < len(rest) - 1 and width_of(rest[: fits + 1], size, bold=bold) <= width:
                fits += 1
            pieces.append(rest[:fits])
            rest = rest[fits:]
        pieces.append(rest)
    return pieces


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    if kind == "Cf":
        return ""
    return "\ufffd" if kind[0] == "C" else character


@cache
def _has_glyph(character: str) -> bool:
    return all(_font(_file(bold)).get_char_index(ord(character)) > 0 for bold in (False, True))


@lru_cache(maxsize=65536)
def _advance(word: str, bold: bool) -> float:
    """Width in font sizes, side bearings included: what a word adds between two strokes."""
    return _ink(f"|{word}|", bold) - _ink("||", bold)


@lru_cache(maxsize=65536)
def _ink(text: str, bold: bool) -> float:
    font = _font(font_for(text, bold=bold))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    width, _ = font.get_width_height()
    return float(width) / 64 / _UNITS


_UNITS: Final = 256


@cache
def _font(file: str) -> FT2Font:
    font = FT2Font(file)
    font.set_size(_UNITS, 72)
    return font
