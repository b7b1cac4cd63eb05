"""Nested settings as a list of places, so that two versions of them can be told apart place by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

NAMES: Final = ("name", "item", "scale", "wave", "path", "date")
"""What tells the entries of a list apart, where each has one of these and no two have the same."""

NOTHING: Final = "-"
"""What is shown for a value that is not there."""


def flat(value: Any, place: str = "") -> dict[str, Any]:
    """Give the value at each place, as in `analysis.min_cell`; entries of a list by their name, or their number."""
    if isinstance(value, Mapping) and value:
        inside = {str(key): part for key, part in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, str) and any(map(_nested, value)):
        inside = dict(zip(_labels(value), value, strict=True))
    else:
        return {place: value}
    found: dict[str, Any] = {}
    for key, part in inside.items():
        found |= flat(part, f"{place}.{key}" if place else key)
    return found


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _labels(entries: Sequence[Any]) -> list[str]:
    for name in NAMES:
        labels = [str(entry.get(name, "")) if isinstance(entry, Mapping) else "" for entry in entries]
        if all(labels) and len(set(labels)) == len(labels):
            return labels
    return [str(number) for number in range(1, len(entries) + 1)]


def unlike(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """List the places at which two settings differ: place, old value, new value, in the order of the old ones."""
    before, after = flat(old), flat(new)
    return [
        (place, shown(before, place), shown(after, place))
        for place in [*before, *(place for place in after if place not in before)]
        if before.get(place, NOTHING) != after.get(place, NOTHING) or (place in before) != (place in after)
    ]


def shown(values: Mapping[str, Any], place: str) -> str:
    """Show a value on one line."""
    if place not in values:
        return NOTHING
    value = values[place]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return "empty" if value in (None, "") else " ".join(str(value).split())
