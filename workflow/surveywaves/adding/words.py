"""Two wordings side by side: whether they say the same, how alike they are, and which words differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from surveywaves.wording import normalise, plain

SAME: Final = 100
"""Score of wordings that say the same words in the same order; no others get it."""

HARMLESS: Final = frozenset({"a", "an", "the", "that", "which", "please"})
"""Words that may come or go without making another question. All others may matter: `not` as much as `senior`."""

REORDERED: Final = 10
"""What it costs a wording that it has the other's words in another order."""

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
"""Letters up to which a word is not taken for another spelling of another: `our` is not `or`."""


@dataclass(frozen=True, slots=True)
class Change:
    """Words of one wording that stand where the other has others (or none).

    Parameters
    ----------
    before, after
        The words as they are written.
    matters
        Whether they may make another question of it.
    """

    before: str
    after: str
    matters: bool

    def __str__(self) -> str:
        if not self.after:
            return f"“{self.before}” went"
        return f"“{self.before}” became “{self.after}”" if self.before else f"“{self.after}” came"


@lru_cache(maxsize=1 << 16)
def words(text: str) -> tuple[str, ...]:
    """List the words of a text; case, punctuation, HTML, contractions and the kind of quotes do not count."""
    return tuple(word for word, _ in _spelled(text))


def same(one: str, other: str) -> bool:
    """Tell whether two wordings have the same words in the same order."""
    return words(one) == words(other) != ()


def likeness(one: str, other: str) -> int:
    """Score two wordings from 0 to 100; only the same words in the same order get `SAME`."""
    first, second = " ".join(words(one)), " ".join(words(other))
    if first == second:
        return SAME if first else 0
    found = max(fuzz.ratio(first, second), fuzz.token_sort_ratio(first, second) - REORDERED)
    return min(round(found), SAME - 1)


def likenesses(some: Sequence[str], others: Sequence[str]) -> NDArray[np.int64]:
    """Score each of some wordings against each of others, as `likeness` does; one row for each of the first."""
    first, second = ([" ".join(words(text)) for text in texts] for texts in (some, others))
    if not first or not second:
        return np.zeros((len(first), len(second)), dtype=np.int64)
    in_order = process.cdist(first, second, scorer=fuzz.ratio, dtype=np.float64)
    ordered = [[" ".join(sorted(text.split())) for text in texts] for texts in (first, second)]
    in_any = process.cdist(*ordered, scorer=fuzz.ratio, dtype=np.float64) - REORDERED
    best = np.minimum(np.rint(np.maximum(in_order, in_any)), SAME - 1)
    scores: NDArray[np.int64] = best.astype(np.int64)
    equal = np.array(first)[:, None] == np.array(second)[None, :]
    scores[equal] = np.array([SAME if text else 0 for text in first])[:, None].repeat(len(second), axis=1)[
        equal
    ]
    return scores


def changes(before: str, after: str) -> list[Change]:
    """List the words in which two wordings differ, in the order of the text."""
    old, new = _spelled(before), _spelled(after)
    matcher = SequenceMatcher(None, [word for word, _ in old], [word for word, _ in new], autojunk=False)
    found = []
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind != "equal":
            gone, come = old[start:end], new[new_start:new_end]
            matters = _essence(gone) != _essence(come)
            found.append(Change(_shown(gone), _shown(come), matters))
    return found


def count(number: int, what: str) -> str:
    """Put a number before a word, which gets its `s` if it is not one."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def say(found: Sequence[Change]) -> str:
    """Put the changes into one line."""
    return "; ".join(map(str, found))


def _spelled(text: str) -> list[tuple[str, str]]:
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
    """Leave out what may come and go, and spell the rest one way."""
    return [_respelled(word) for word, _ in listed if word not in HARMLESS]


def _respelled(word: str) -> str:
    if len(word) > _SHORT:
        for old, new in _SPELLING:
            word = word.replace(old, new)
    return word


def _shown(listed: Sequence[tuple[str, str]]) -> str:
    return " ".join(shown or word for word, shown in listed)
