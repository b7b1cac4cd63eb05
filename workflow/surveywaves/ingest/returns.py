"""Select the rows that are returns: without test responses, one row and one identifier per return.

A duplicate return is an error, or one of its rows is kept and the others are set aside.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, islice
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.headers import place_of
from surveywaves.ingest.raw import BLANK, Column, Problem, RawTable, Source
from surveywaves.terms import EVERY, SET_ASIDE
from surveywaves.text import normalise

Policy = Literal["refuse", "first", "last", "most_answered"]
Entry = tuple[Source, RawTable, Column]
WORDS: Final = {"first": "the first", "last": "the last", "most_answered": "the one with most cells filled"}
_SHOWN: Final = 10


def choose(
    entries: Sequence[Entry], *, policy: Policy
) -> tuple[list[NDArray[np.bool_]], list[list[Problem]]]:
    """Choose among rows with the same identifier, over several files; blank ones are never the same.

    Parameters
    ----------
    policy
        `first` and `last` go by the order of files and rows; of equally filled rows, `most_answered` keeps the first.

    Returns
    -------
    list of array of bool, list of list of Problem
        For each file which rows stay, and one problem a row that goes, in their order.

    Raises
    ------
    RawFileError
        If there are such rows and the policy is `refuse`.
    """
    lengths = [len(table.rows) for _, table, _ in entries]
    rows = pd.DataFrame(
        {
            "return": Column.join([ids for _, _, ids in entries]).codes,
            "entry": np.repeat(np.arange(len(entries)), lengths),
            "place": np.concatenate([np.arange(length) for length in lengths]),
            "row": np.concatenate([table.rows for _, table, _ in entries]),
        }
    )
    rows = rows[rows["return"].ne(BLANK) & rows["return"].duplicated(keep=False)]
    if len(rows) and policy == "refuse":
        raise RawFileError(_refused(entries, rows))
    if policy == "most_answered":
        filled = [np.sum([column.filled for column in table.columns], axis=0) for _, table, _ in entries]
        rows["worth"] = np.concatenate(filled)[rows.index]
    else:
        rows["worth"] = rows.index if policy == "last" else -rows.index
    rows["stays"] = rows.groupby("return")["worth"].transform("idxmax")
    kept = [np.ones(length, dtype=np.bool_) for length in lengths]
    aside: list[list[Problem]] = [[] for _ in entries]
    gone = rows[rows["stays"] != rows.index]
    others = rows.loc[gone["stays"]]
    columns = (gone["entry"], gone["place"], gone["row"], others["entry"], others["row"])
    for entry, place, row, other, stays in zip(*(one.tolist() for one in columns), strict=True):
        (source, _, ids), name = entries[entry], entries[other][0].name
        what = "the same return as " + (f"row {stays}" if name == source.name else f"{name}, row {stays}")
        action = f"{SET_ASIDE}: {WORDS[policy]} is kept"
        kept[entry][place] = False
        aside[entry].append(Problem(row, EVERY, ids.text(place), what, action))
    return kept, aside


def _refused(entries: Sequence[Entry], rows: pd.DataFrame) -> list[Mistake]:
    mistakes = []
    groups = rows.groupby("return", sort=False)
    for _, group in islice(groups, _SHOWN):
        first = group.iloc[0]
        source, _, ids = entries[first["entry"]]
        others = ["" if entry == first["entry"] else f"{entries[entry][0].name} " for entry in group["entry"]]
        found = [f"{name}row {row}" for name, row in zip(others, group["row"], strict=True)]
        times = f"stands {len(group)} times: {', '.join(found)}"
        hint = "say in the layout which to keep: `duplicates: first`, `last` or `most_answered`"
        what = f"return `{ids.text(first['place'])}` {times}"
        mistakes.append(source.mistake(what, hint, logged=f"a return {times}"))
    if len(groups) > _SHOWN:
        mistakes.append(entries[0][0].mistake(f"{len(groups) - _SHOWN} more returns stand more than once"))
    return mistakes


File = tuple[str, Source, RawTable]
"""Name of the layout, file, content."""
_ROUNDED: Final = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
_EXAMPLES: Final = 3


def exclude(source: Source, table: RawTable) -> None:
    """Set aside the rows that the layout excludes, for the reason that it gives.

    Case, spacing and quote style of a value do not count; "" is a blank cell.
    """
    gone = np.zeros(len(table.rows), dtype=np.bool_)
    problems: dict[int, Problem] = {}
    for wanted, values in source.layout.exclude.items():
        place = place_of(source, table.names, wanted, "`exclude` of the layout")
        column, name = table.columns[place], table.names[place]
        marks = {normalise(value): reason for value, reason in values.items()}
        texts = [*map(normalise, column.listed()), ""]
        hit = column.where([text in marks for text in texts[:-1]], blank="" in marks)
        for row in np.flatnonzero(hit & ~gone):
            shown = "(not shown)" if name in table.personal else column.text(int(row)) or "(blank)"
            reason = marks[texts[column.codes[row]]]
            problem = f"excluded by the layout{reason and f': {reason}'}"
            problems[int(row)] = Problem(int(table.rows[row]), EVERY, f"{name}: {shown}", problem, SET_ASIDE)
        gone |= hit
    table.keep(~gone, [problems[row] for row in sorted(problems)])


def identifiers(source: Source, table: RawTable) -> Column:
    """Find the identifier of each return; a return without one is kept, and listed.

    Raises
    ------
    RawFileError
        If there is no such column, it identifies a person, or a spreadsheet rounded the identifiers.
    """
    wanted = source.layout.respondent
    if wanted is None:
        return Column.blank(len(table.rows))
    place = place_of(source, table.names, wanted, "`respondent` of the layout")
    name, column = table.names[place], table.columns[place]
    if name in table.personal:
        what = "may tell who a respondent is, and is not read"
        hint = "name the return's own number, or no column: the row number will do"
        raise source.error(what, hint, column=name)
    rounded = column.where([bool(_ROUNDED.fullmatch(text)) for text in column.listed()])
    if rounded.any():
        found = np.flatnonzero(rounded)
        shown = ", ".join(f"row {table.rows[row]}: {column.text(int(row))}" for row in found[:_EXAMPLES])
        what = f"a spreadsheet rounded {len(found)} identifiers ({shown})"
        hint = "export again and do not save the file from a spreadsheet"
        raise source.error(what, hint, column=name, logged=f"a spreadsheet rounded {len(found)} identifiers")
    table.problems.extend(
        Problem(int(table.rows[row]), name, "", "a return without its identifier", "kept")
        for row in np.flatnonzero(column.codes == BLANK)
    )
    return column


def settle_duplicates(files: Sequence[File]) -> list[Column]:
    """Keep each return of a layout once, over all of its files; return the identifiers of the rows kept, by file."""
    ids = [identifiers(source, table) for _, source, table in files]
    by_layout: defaultdict[str, list[int]] = defaultdict(list)
    for place, (layout, _, _) in enumerate(files):
        by_layout[layout].append(place)
    mistakes: list[Mistake] = []
    for places in by_layout.values():
        entries = [(files[place][1], files[place][2], ids[place]) for place in places]
        try:
            kept, aside = choose(entries, policy=entries[0][0].layout.duplicates)
        except RawFileError as error:
            mistakes.extend(error.mistakes)
            continue
        for place, stays, gone in zip(places, kept, aside, strict=True):
            files[place][2].keep(stays, gone)
            ids[place] = ids[place].take(stays)
    if mistakes:
        raise RawFileError(mistakes)
    _note_shared(files, ids)
    return ids


def _note_shared(files: Sequence[File], ids: Sequence[Column]) -> None:
    """Note the layouts whose columns of identifiers have the same name and share identifiers.

    These may be the same people (one survey exported twice) or two lists numbered from 1: ingest cannot know.
    """
    for ((other, before, _), known), ((layout, source, table), own) in combinations(
        zip(files, ids, strict=True), 2
    ):
        wanted, called = source.layout.respondent, before.layout.respondent
        if layout != other and wanted and called and normalise(wanted) == normalise(called):
            shared = {*own.spelled().to_pylist()} & {*known.spelled().to_pylist()} - {None}
            if shared:
                problem = f"{len(shared)} identifiers also stand in {before.name}, which has another layout"
                table.problems.append(Problem(None, wanted, "", problem, "kept: taken for other returns"))
