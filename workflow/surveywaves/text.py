"""Wording: when two labels, headers or statements are the same, which known one a text is nearest to, and lists."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import fuzz, process

_BREAK = re.compile(r"</?(?:br|p|div|li|ul|ol|td|th|tr|table|h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_FOLD = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "`": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "‑": "-",
        "\ufeff": "",
        "\u200b": "",
    }
)


def plain(text: str) -> str:
    """Take HTML, entities and surplus white space out of a text, and leave its words as they are."""
    return " ".join(html.unescape(_TAG.sub("", _BREAK.sub(" ", text))).split())


def normalise(text: str) -> str:
    """Fold what does not tell one label from another: HTML, case, spacing, typographic quotes and dashes."""
    return " ".join(unicodedata.normalize("NFKC", plain(text)).translate(_FOLD).split()).casefold()


def nearest(text: str, known: Iterable[str], *, cutoff: float = 60.0, whole: bool = False) -> str | None:
    """Find the known wording most like a text, for a hint; None where nothing comes near.

    Parameters
    ----------
    cutoff
        Smallest similarity, 0 to 100 (rapidfuzz's weighted ratio), that counts as near.
    whole
        Compare whole texts only: a short name is near to another short one, not to a long one that has its letters.
    """
    scorer = fuzz.ratio if whole else fuzz.WRatio
    found = process.extractOne(text, list(known), scorer=scorer, processor=normalise, score_cutoff=cutoff)
    return found[0] if found else None


def few(names: Sequence[str], limit: int = 3) -> str:
    """List the first of some names, and say how many more there are: `a, b, c and 4 more`."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def listed(words: Sequence[str]) -> str:
    """Join words: a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))


_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ue000\ue001\ufdd0-\ufdef"
    "\ufffe\uffff]"
)
"""What XML forbids, what turns the direction of the text after it, and two letters that mark cells on their way."""


def visible(text: str) -> str:
    """Make a text one line of characters that every form can hold."""
    return " ".join(_UNSEEN.sub("", text).split())
