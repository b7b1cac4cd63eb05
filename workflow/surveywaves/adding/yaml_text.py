"""YAML as a person would write it: with comments, in the order given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

Place = tuple[str | int, ...]

WIDTH: Final = 116
"""Characters of a line up to which a comment stands behind a value; a longer one stands above it."""

_UNSEEN: Final = ("\n", "\t", "\r", "\x85", "\u2028", "\u2029", "\ufeff")


def yaml_text(content: Mapping[str, Any], comments: Mapping[Place, str]) -> str:
    """Write a mapping of mappings, lists and values.

    Parameters
    ----------
    comments
        Keys that lead to a value (or number in a list) -> what is to be said of it.
    """
    lines: list[str] = []
    for place, (key, value) in enumerate(content.items()):
        if place and isinstance(value, Mapping | list):
            lines.append("")
        lines += _entry(f"{_scalar(key)}:", value, (key,), comments, "")
    return "\n".join([*lines, ""])


def _entry(head: str, value: Any, place: Place, comments: Mapping[Place, str], indent: str) -> Iterator[str]:
    """Write one entry: its head (`key:` or `-`), and what it holds."""
    comment = "".join(filter(str.isprintable, " ".join(comments.get(place, "").split())))
    held = isinstance(value, Mapping | list) and bool(value)
    line = f"{indent}{head}" if held else f"{indent}{head} {_scalar(value)}"
    if comment and len(line) + len(comment) + 4 <= WIDTH:
        yield f"{line}  # {comment}"
    else:
        if comment:
            yield f"{indent}# {comment}"
        yield line
    if not held:
        return
    inner = indent + "  "
    if isinstance(value, list):
        for number, one in enumerate(value):
            if isinstance(one, Mapping):
                # `- path: x`, and the other keys below it: one mapping, indented as deep as its first key.
                lines: list[str] = []
                for key, part in one.items():
                    lines += _entry(f"{_scalar(key)}:", part, (*place, number, key), comments, inner + "  ")
                first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
                lines[first] = f"{inner}- {lines[first].removeprefix(f'{inner}  ')}"
                yield from lines
            else:
                yield from _entry("-", one, (*place, number), comments, inner)
    else:
        for key, one in value.items():
            yield from _entry(f"{_scalar(key)}:", one, (*place, key), comments, inner)


def _scalar(value: Any) -> str:
    """Write one value, quoted where YAML would take it for something else."""
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        return f'"{value}"'
    quote = '"' if isinstance(value, str) and any(mark in value for mark in _UNSEEN) else None
    text: str = yaml.safe_dump(
        value, allow_unicode=True, width=10**6, default_flow_style=True, default_style=quote
    )
    return text.removesuffix("\n").removesuffix("\n...")
