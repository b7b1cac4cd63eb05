"""Which rows are returns: test responses go, and each return has one row and its identifier."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.column import BLANK, Column
from surveywaves.ingest.duplicates import choose
from surveywaves.ingest.headers import find_column, no_such_column
from surveywaves.ingest.problems import EVERY, SET_ASIDE, Problem
from surveywaves.ingest.raw import RawTable, Source
from surveywaves.wording import normalise

File = tuple[str, Source, RawTable]
"""Name of the layout, file, content."""

_ROUNDED: Final = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
_SHOWN: Final = 3


def exclude(source: Source, table: RawTable) -> None:
    """Set rows aside that the layout marks as no return.

    Case, spacing and quote style of a value do not count; "" stands for a blank cell.
    """
    gone = np.zeros(len(table.rows), dtype=np.bool_)
    why: dict[int, str] = {}
    for wanted, values in source.layout.exclude.items():
        place = find_column(table.names, wanted)
        if place is None:
            raise no_such_column(source, table.names, wanted, "`exclude` of the layout")
        column, name = table.columns[place], table.names[place]
        marks = {normalise(value) for value in values}
        hit = np.array([*(normalise(text) in marks for text in column.listed()), "" in marks])[column.codes]
        for row in np.flatnonzero(hit & ~gone):
            shown = "(not shown)" if name in table.personal else column.text(int(row)) or "(blank)"
            why[int(row)] = f"{name}: {shown}"
        gone |= hit
    problem, action = "excluded by the layout (test response?)", SET_ASIDE
    table.keep(
        ~gone, [Problem(int(table.rows[row]), EVERY, why[row], problem, action) for row in sorted(why)]
    )


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
    place = find_column(table.names, wanted)
    if place is None:
        raise no_such_column(source, table.names, wanted, "`respondent` of the layout")
    name, column = table.names[place], table.columns[place]
    if name in table.personal:
        raise source.error("may tell who a respondent is, and is not read", "use RespondentID", column=name)
    rounded = np.array([*(bool(_ROUNDED.fullmatch(text)) for text in column.listed()), False])[column.codes]
    if rounded.any():
        found = np.flatnonzero(rounded)
        shown = ", ".join(f"row {table.rows[row]}: {column.text(int(row))}" for row in found[:_SHOWN])
        raise source.error(
            f"a spreadsheet rounded {len(found)} identifiers ({shown})",
            "export again and do not save the file from a spreadsheet",
            column=name,
        )
    table.problems.extend(
        Problem(int(table.rows[row]), name, "", "a return without its identifier", "kept")
        for row in np.flatnonzero(column.codes == BLANK)
    )
    return column


def settle_duplicates(files: Sequence[File]) -> list[Column]:
    """Keep each return of a layout once, over all of the layout's files.

    Returns
    -------
    list of Column
        The identifiers of the rows that stay, one column a file.
    """
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
    """Say where two layouts have identifiers of the same name and some of the same identifiers.

    They may be the same people (one survey exported twice) or just two lists that count from 1: ingest cannot know.
    """
    for later, (layout, source, table) in enumerate(files):
        for earlier, (other, before, _) in enumerate(files[:later]):
            wanted, known = source.layout.respondent, before.layout.respondent
            if layout == other or not wanted or not known or normalise(wanted) != normalise(known):
                continue
            texts = {ids[later].text(place) for place in range(len(ids[later]))} - {""}
            shared = texts & {ids[earlier].text(place) for place in range(len(ids[earlier]))}
            if shared:
                problem = f"{len(shared)} identifiers also stand in {before.name}, which has another layout"
                table.problems.append(Problem(None, wanted, "", problem, "kept: taken for other returns"))
