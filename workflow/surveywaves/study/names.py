"""Checks that names are known, and not repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from surveywaves.errors import Mistake
from surveywaves.text import did_you_mean


def unknown(
    where: object, key: str, given: Iterable[str], known: Iterable[str], kind: str
) -> Iterator[Mistake]:
    """Yield each name that is not known."""
    listed = list(known)
    for name in dict.fromkeys(given):
        if name not in listed:
            hint = did_you_mean(name, listed, f"known: {', '.join(listed) or 'none'}")
            yield Mistake(f"{where}: {key}", f"unknown {kind} `{name}`", hint)


def twice(where: object, key: str, names: Iterable[str]) -> Iterator[Mistake]:
    """Yield each name that occurs more than once."""
    for name, count in Counter(names).items():
        if count > 1:
            yield Mistake(f"{where}: {key}", f"`{name}` stands {count} times")
