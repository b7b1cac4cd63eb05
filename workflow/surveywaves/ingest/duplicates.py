"""The same return more than once: refused, or one of them kept and the others set aside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.column import BLANK, Column
from surveywaves.ingest.problems import EVERY, SET_ASIDE, Problem
from surveywaves.ingest.raw import RawTable, Source

Policy = Literal["refuse", "first", "last", "most_answered"]
Entry = tuple[Source, RawTable, Column]

WORDS: Final = {"first": "the first", "last": "the last", "most_answered": "the one with most cells filled"}
_SHOWN: Final = 10


def choose(
    entries: Sequence[Entry], *, policy: Policy
) -> tuple[list[NDArray[np.bool_]], list[list[Problem]]]:
    """Choose among rows with the same identifier, over several files.

    Parameters
    ----------
    entries
        Files in their order: source, table, and the identifier of each row (blank ones are never the same).
    policy
        `first` and `last` go by the order of files and rows; of equally filled rows, `most_answered` keeps the first.

    Returns
    -------
    list of array of bool
        For each file, which rows stay.
    list of list of Problem
        For each file, one problem a row that goes, in their order.

    Raises
    ------
    RawFileError
        If there are such rows and the policy is `refuse`.
    """
    codes = Column.join([ids for _, _, ids in entries]).codes
    starts = np.cumsum([0, *(len(table.rows) for _, table, _ in entries)])
    groups = _groups(codes)
    if groups and policy == "refuse":
        raise RawFileError(_refused(entries, starts, groups))
    kept = np.ones(len(codes), dtype=np.bool_)
    aside: list[list[Problem]] = [[] for _ in entries]
    filled = _filled(entries) if policy == "most_answered" and groups else None
    for group in groups:
        stays = group[-1 if policy == "last" else 0] if filled is None else group[np.argmax(filled[group])]
        kept[group] = False
        kept[stays] = True
        other = _place(entries, starts, int(stays))
        for place in group[group != stays]:
            file = _file(starts, int(place))
            source, table, ids = entries[file]
            here = int(place - starts[file])
            where = f"row {other[1]}" if other[0] == source.name else f"{other[0]}, row {other[1]}"
            problem = f"the same return as {where}"
            action = f"{SET_ASIDE}: {WORDS[policy]} is kept"
            aside[file].append(Problem(int(table.rows[here]), EVERY, ids.text(here), problem, action))
    for problems in aside:
        problems.sort(key=lambda one: one.row or 0)
    return [kept[start:end] for start, end in pairwise(starts)], aside


def _groups(codes: NDArray[np.int32]) -> list[NDArray[np.intp]]:
    """List the places that share a code, by first appearance."""
    counts = np.bincount(codes[codes != BLANK]) if len(codes) else np.array([], dtype=np.intp)
    twice = np.append(counts > 1, False)[codes]
    places = np.flatnonzero(twice)
    order = np.argsort(codes[places], kind="stable")
    ordered = places[order]
    cuts = np.flatnonzero(np.diff(codes[ordered])) + 1
    groups = np.split(ordered, cuts) if len(ordered) else []
    return sorted(groups, key=lambda group: int(group[0]))


def _filled(entries: Sequence[Entry]) -> NDArray[np.intp]:
    counts = []
    for _, table, _ in entries:
        count = np.zeros(len(table.rows), dtype=np.intp)
        for column in table.columns:
            count += column.filled
        counts.append(count)
    return np.concatenate(counts)


def _file(starts: NDArray[np.intp], place: int) -> int:
    return int(np.searchsorted(starts, place, side="right")) - 1


def _place(entries: Sequence[Entry], starts: NDArray[np.intp], place: int) -> tuple[str, int]:
    file = _file(starts, place)
    source, table, _ = entries[file]
    return source.name, int(table.rows[place - starts[file]])


def _refused(
    entries: Sequence[Entry], starts: NDArray[np.intp], groups: Sequence[NDArray[np.intp]]
) -> list[Mistake]:
    mistakes = []
    for group in groups[:_SHOWN]:
        file = _file(starts, int(group[0]))
        source, _, ids = entries[file]
        found = [_place(entries, starts, int(place)) for place in group]
        rows = ", ".join(f"row {row}" if name == source.name else f"{name} row {row}" for name, row in found)
        mistakes.append(
            source.mistake(
                f"return `{ids.text(int(group[0] - starts[file]))}` stands {len(group)} times: {rows}",
                "say in the layout which to keep: `duplicates: first`, `last` or `most_answered`",
            )
        )
    if len(groups) > _SHOWN:
        mistakes.append(entries[0][0].mistake(f"{len(groups) - _SHOWN} more returns stand more than once"))
    return mistakes
