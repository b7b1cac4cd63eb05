"""Whether two drawings show the same, where their bytes cannot be the same: on another processor, by other packages."""

from __future__ import annotations

import re
from typing import Final

STEP: Final = 0.021
"""Points that a place may be off: drawings have two decimals, and the last digit of a number may round another way."""

_IDS: Final = re.compile(r'\bid="[^"]*"|(?:url\(|href=")#[^")]*')
"""Names within a drawing: digests of what they stand for."""

_TOKEN: Final = re.compile(r"(#[0-9a-fA-F]{6}\b|-?\d+(?:\.\d+)?(?:e-?\d+)?)")
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}\b")
_UNSEEN: Final = re.compile(r"<(style|metadata)\b.*?</\1>", re.DOTALL)
_WORDS: Final = re.compile(r">([^<>]*\S[^<>]*)<")


def alike(old: str, new: str, *, one_version: bool) -> bool:
    """Whether two drawings (SVG) have the same words and colours, in their order, and the same shapes.

    Parameters
    ----------
    one_version
        Whether one version of matplotlib drew both: another may draw the same with other shapes.
    """
    one, other = (_UNSEEN.sub("", text) for text in (old, new))
    if any(kind.findall(one) != kind.findall(other) for kind in (_WORDS, _COLOUR)):
        return False
    if not one_version:
        return True
    before, after = (_TOKEN.split(_IDS.sub("", text)) for text in (one, other))
    return len(before) == len(after) and all(map(_near, before, after))


def _near(old: str, new: str) -> bool:
    return old == new or (_is_number(old) and _is_number(new) and abs(float(old) - float(new)) <= STEP)


def _is_number(text: str) -> bool:
    return text[:1] != "#" and _TOKEN.fullmatch(text) is not None
