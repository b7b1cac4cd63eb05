"""What every export says in words: whose answers these are, what they are worth, and why one is missing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from surveywaves.exports.part import ExportPart
from surveywaves.study.models import Comparability, Evidence, Missing
from surveywaves.study.parts import WaveWords

REASONS: Final[Mapping[Missing, str]] = {
    Missing.NOT_ASKED: "Not asked",
    Missing.SKIPPED: "Skipped",
    Missing.DONT_KNOW: "Don't know",
    Missing.INVALID: "Invalid answer",
    Missing.BROKE_OFF: "Broke off before this question",
}
"""Reasons of missing values in words; their order gives them their codes."""

CONFIDENTIAL: Final = (
    "CONFIDENTIAL. The data are answers of individual people, given in confidence. Keep them within the project: do "
    "not pass them on, publish them, or show counts of them without the study's disclosure rule."
)

ELLIPSIS: Final = "…"
_JOINER: Final = "\u200d"
_SKIN: Final = range(0x1F3FB, 0x1F400)


def headline(part: ExportPart) -> str:
    """Say in a few words what a reader must know first: ``CONFIDENTIAL. OBSERVED and SIMULATED data``."""
    found = {wave.evidence for wave in part.waves.values()}
    found |= {weaker.evidence for wave in part.waves.values() for weaker in wave.variable_evidence.values()}
    *others, last = [kind.value.upper() for kind in Evidence if kind in found]
    kinds = f"{', '.join(others)} and {last}" if others else last
    return f"CONFIDENTIAL. {kinds} data"


def wave_title(wave: WaveWords) -> str:
    """Give a wave its title and, where it says so, its time."""
    return line(f"{wave.title} ({wave.period})" if wave.period else wave.title)


def evidence(part: ExportPart) -> Iterator[tuple[str, str]]:
    """Yield wave by wave, under its title, what its data are, and which of its variables are weaker than the rest."""
    for wave in part.waves.values():
        yield wave.title, _worth(wave_title(wave), wave.evidence, wave.evidence.meaning, wave.evidence_note)
        for name, weaker in wave.variable_evidence.items():
            yield wave.title, _worth(f"{wave.title}, {_called(part, name)}", weaker.evidence, weaker.note)


def evidence_of(part: ExportPart, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what waves say of a variable's evidence (`names`: what it may be listed under), under their titles."""
    for wave in part.waves.values():
        for name in names:
            if weaker := wave.variable_evidence.get(name):
                yield wave.title, _worth(wave.title, weaker.evidence, weaker.note)


def comparability(part: ExportPart) -> Iterator[str]:
    """Say of each wave which items are not asked as the instrument has them."""
    instrument = f"the instrument (worded as in {part.waves[part.reference_wave].title})"
    for wave in part.waves.values():
        grades: dict[str, list[str]] = {}
        for item in part.items:
            grades.setdefault(wave.comparability.get(item, Comparability.ABSENT.value), []).append(item)
        told = "; ".join(
            f"{grade.value}: {', '.join(grades[grade.value])}"
            for grade in Comparability
            if grade is not Comparability.IDENTICAL and grade.value in grades
        )
        yield line(f"{wave.title}, its items beside {instrument}: {told or 'all identical'}")


def about(part: ExportPart) -> Iterator[str]:
    """Yield what stands before everything else in a file's notes, a paragraph at a time."""
    yield f"{headline(part)}. {line(part.title)}"
    yield CONFIDENTIAL
    yield line(part.description)
    if part.citation:
        yield line(f"Published in: {part.citation}")
    yield from (text for _, text in evidence(part))
    yield from comparability(part)


# --- letters ----------------------------------------------------------------------------------------------------


def line(text: str) -> str:
    """Put a text on one line, without characters that XML and statistics packages do not take."""
    return " ".join("".join(map(_acceptable, text)).split())


def octets(text: str) -> int:
    """Count the bytes of a text in UTF-8."""
    return len(text.encode())


def fit(text: str, limit: int, *, size: Callable[[str], int] = len) -> str:
    """Cut a text to a size, between letters (accents and joined emoji stay whole), and show that it was cut.

    Parameters
    ----------
    limit
        Largest size, the ellipsis included.
    size
        What is counted: characters, or `octets`.
    """
    if size(text) <= limit:
        return text
    room = limit - size(ELLIPSIS)
    kept = ""
    for letter in _letters(text):
        if (room := room - size(letter)) < 0:
            break
        kept += letter
    return kept.rstrip() + ELLIPSIS


def wrap(text: str, limit: int, *, size: Callable[[str], int] = octets) -> list[str]:
    """Break a text into lines of a size, between words where it can be done."""
    lines = [""]
    for word in text.split():
        for piece in _pieces(word, limit, size):
            longer = f"{lines[-1]} {piece}".strip()
            if size(longer) <= limit:
                lines[-1] = longer
            else:
                lines.append(piece)
    return lines


def _pieces(word: str, limit: int, size: Callable[[str], int]) -> Iterator[str]:
    piece = ""
    for letter in _letters(word) if size(word) > limit else [word]:
        if piece and size(piece + letter) > limit:
            yield piece
            piece = ""
        piece += letter
    yield piece


def _letters(text: str) -> Iterator[str]:
    letter = ""
    for sign in text:
        joins = unicodedata.category(sign).startswith("M") or sign == _JOINER or ord(sign) in _SKIN
        if letter and not joins and not letter.endswith(_JOINER):
            yield letter
            letter = ""
        letter += sign
    yield letter


def _acceptable(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Cc":
        return " "
    return "\ufffd" if kind == "Cs" or ord(sign) & 0xFFFE == 0xFFFE else sign


def _worth(what: str, kind: Evidence, *sentences: str) -> str:
    return line(f"{what}: {kind.value.upper()}. {' '.join(sentences)}")


def _called(part: ExportPart, name: str) -> str:
    return part.variables[name].label if name in part.variables else name
