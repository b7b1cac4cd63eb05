"""Compare labels, headers and wordings, the latter word by word; find the nearest known text; join texts to lists."""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, TypeVar

from rapidfuzz import fuzz, process

T = TypeVar("T")

_ATTRIBUTES: Final = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))*\s*/?>"""
_BREAK: Final = re.compile(
    rf"</?(?:br|p|div|li|ul|ol|td|th|tr|tbody|thead|table|hr|h[1-6])\b{_ATTRIBUTES}", re.IGNORECASE
)
_TAG: Final = re.compile(
    r"<(?P<end>/?)(?P<name>a|abbr|b|big|center|code|em|font|i|img|label|small|span|strike|strong|s|sub|sup|u|wbr|o:p)\b"
    + _ATTRIBUTES,
    re.IGNORECASE,
)
_SINGLE: Final = frozenset({"img", "wbr"})
_RAISED: Final = re.compile("[²³¹⁰⁴-⁹]")
_FOLD = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "`": "'",
        "“": '"',
        "”": '"',
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("\ufeff\u200b\u200c\u200d\u2060\u00ad", ""),
    }
)


def plain(text: str) -> str:
    """Remove HTML, entities and surplus white space from a text, and leave its words unchanged.

    Only tags of HTML are removed: `<Refused>` is a word in brackets, and so is a `<b>` that is never closed.
    """
    if "<" in text:
        text = _BREAK.sub(" ", text)
        there = {(tag["end"], tag["name"].casefold()) for tag in _TAG.finditer(text)}
        paired = {name for end, name in there if end and ("", name) in there} | _SINGLE
        text = _TAG.sub(lambda tag: "" if tag["name"].casefold() in paired else tag[0], text)
    return " ".join(html.unescape(text).split())


def normalise(text: str) -> str:
    """Fold differences that do not distinguish labels: HTML, case, spacing, typographic quotes and dashes.

    Only white space becomes empty: a text that consists of HTML (`<br>`, `&nbsp;`) is kept.
    """
    return _folded(plain(text)) or _folded(text)


def _folded(text: str) -> str:
    # `m²` is not `m2`.
    text = unicodedata.normalize("NFKC", _RAISED.sub(r"^\g<0>", text)).translate(_FOLD)
    return " ".join(text.split()).casefold()


_NUMBER: Final = re.compile(r"(?P<digits>[+-]?\d{1,15}(?:\.\d{1,15}|,0)?) ?(?P<percent>%?)")


def number(text: str) -> float | None:
    """Read a number such as `1.0`, `01`, `-2`, `25%`; None if the text is not one, or may be two (`4,5`)."""
    found = _NUMBER.fullmatch(normalise(text))
    return float(found["digits"].replace(",", ".")) if found else None


_PUNCTUATION: Final = re.compile(r"(?<=\w) - (?=\w)|(?<=\w)-(?=\w)")
_SPELLED: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|(?<=\d)[.,](?=\d)|[^\w\s.,;:!?'\"()\[\]]")


@lru_cache(maxsize=1 << 13)
def spelled(text: str) -> tuple[str, ...]:
    """Return the words, numbers and signs of a text in their order, without punctuation."""
    if (value := number(text)) is not None:
        return (f"{value:.15g}", *("%" if normalise(text).endswith("%") else ""))
    found = _SPELLED.findall(_PUNCTUATION.sub(" ", normalise(text)))
    return tuple("and" if part == "&" else part for part in found)


def known_as(label: str, known: Mapping[str, T]) -> T | None:
    """Look up a label: exactly, then without regard to typography, then without regard to punctuation.

    Returns None if no known label matches, or labels of different values match equally well.
    """
    folds: tuple[Callable[[str], object], ...] = (str.strip, normalise, spelled)
    for fold in folds:
        key = fold(label)
        found = {value for text, value in known.items() if key and fold(text) == key}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


NEAR: Final = 60.0
"""Smallest similarity, 0 to 100 (rapidfuzz's weighted ratio), that counts as near."""


def nearest(text: str, known: Iterable[str], *, whole: bool = False) -> str | None:
    """Find the known wording most like a text, for a hint; None where nothing comes near.

    Parameters
    ----------
    whole
        Compare whole texts only: a short name is near to another short one, not to a long one that has its letters.
    """
    scorer = fuzz.ratio if whole else fuzz.WRatio
    found = process.extractOne(text, list(known), scorer=scorer, processor=normalise, score_cutoff=NEAR)
    return found[0] if found else None


def did_you_mean(text: str, known: Iterable[str], otherwise: str = "", *, whole: bool = False) -> str:
    """Return a hint that names the known text nearest to an unknown one, or another hint if nothing is near."""
    near = nearest(text, known, whole=whole)
    return f"did you mean `{near}`?" if near else otherwise


def unique(name: str, taken: Container[str], form: str = "{}_{}") -> str:
    """Return a name that is not taken: unchanged, or with the lowest free number from 2."""
    numbered = (form.format(name, number) for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)


def few(names: Sequence[str], limit: int = 3) -> str:
    """List the first of some names, and say how many more there are: `a, b, c and 4 more`."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words: a, b and c."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))


_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ue000\ue001\ufdd0-\ufdef"
    "\ufffe\uffff]"
)
"""Characters that XML forbids, marks of text direction, and two that mark cells internally."""


def visible(text: str) -> str:
    """Make a text one line of characters that every form can hold."""
    return " ".join(_UNSEEN.sub("", text).split())


SAME: Final = 100
"""Score of wordings with the same words in the same order, and of no others."""
HARMLESS: Final = frozenset({"a", "an", "the", "that", "which", "please"})
"""Words that do not change the meaning of a question. All others may: `not` as much as `senior`."""
REORDERED: Final = 10
"""Points that a wording loses for having the same words in another order."""
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|&")
_LONG: Final = (
    (re.compile(r"^won't$"), "will not"),
    (re.compile(r"^(can't|cannot)$"), "can not"),
    (re.compile(r"n't$"), " not"),
    (re.compile(r"'re$"), " are"),
    (re.compile(r"'ve$"), " have"),
    (re.compile(r"'ll$"), " will"),
    (re.compile(r"^i'm$"), "i am"),
    (re.compile(r"^&$"), "and"),
)
_SPELLING: Final = (
    ("z", "s"),
    ("our", "or"),
    ("ll", "l"),
    ("dgement", "dgment"),
    ("amme", "am"),
    ("tre", "ter"),
)
_SHORT: Final = 4
"""Longest word, in letters, that is not taken for a variant spelling: `our` is not `or`."""


@dataclass(frozen=True, slots=True)
class Change:
    """Words of one wording that replace those of the other; either may be empty."""

    # before, after: the words as they are written
    before: str
    after: str
    matters: bool  # whether they may change the meaning

    def __str__(self) -> str:
        if not self.after:
            return f"“{self.before}” went"
        return f"“{self.before}” became “{self.after}”" if self.before else f"“{self.after}” came"


@lru_cache(maxsize=1 << 16)
def words(text: str) -> tuple[str, ...]:
    """List the words of a text; case, punctuation, HTML, contractions and the kind of quotes do not count."""
    return tuple(word for word, _ in _word_by_word(text))


def same(one: str, other: str) -> bool:
    """Check whether two wordings have the same words in the same order."""
    return words(one) == words(other) != ()


def likeness(one: str, other: str) -> int:
    """Score two wordings from 0 to 100; only the same words in the same order get `SAME`."""
    first, second = " ".join(words(one)), " ".join(words(other))
    if first == second:
        return SAME if first else 0
    found = max(fuzz.ratio(first, second), fuzz.token_sort_ratio(first, second) - REORDERED)
    return min(round(found), SAME - 1)


def changes(before: str, after: str) -> list[Change]:
    """List the words in which two wordings differ, in the order of the text."""
    old, new = _word_by_word(before), _word_by_word(after)
    matcher = SequenceMatcher(None, [word for word, _ in old], [word for word, _ in new], autojunk=False)
    found = []
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind != "equal":
            gone, come = old[start:end], new[new_start:new_end]
            matters = _essence(gone) != _essence(come)
            found.append(Change(_shown(gone), _shown(come), matters))
    return found


def count(number: int, what: str) -> str:
    """Return a number and a word, in the plural unless the number is 1."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _word_by_word(text: str) -> list[tuple[str, str]]:
    """List the words of a text, each folded and as it stands there."""
    found = []
    for match in _WORD.finditer(plain(text)):
        shown = match.group()
        folded = normalise(shown)
        for pattern, long in _LONG:
            folded = pattern.sub(long, folded)
        parts = folded.split()
        found += [(part, shown if place == 0 else "") for place, part in enumerate(parts)]
    return found


def _essence(listed: Sequence[tuple[str, str]]) -> list[str]:
    """Leave out harmless words, and unify the spelling of the others."""
    return [_respelled(word) for word, _ in listed if word not in HARMLESS]


def _respelled(word: str) -> str:
    if len(word) > _SHORT:
        for old, new in _SPELLING:
            word = word.replace(old, new)
    return word


def _shown(listed: Sequence[tuple[str, str]]) -> str:
    return " ".join(shown or word for word, shown in listed)
