"""Paper returns, keyed twice by two people: the keyings are compared cell by cell.

A file has one row a keying. `keying` says which: `A` and `B`, and `resolved` for what a third look at the form decided.
Two cells are the same if harmonise would take them for the same: case, spacing and quote style do not count.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from surveywaves.errors import RawFileError
from surveywaves.ingest.headers import one_header_row, place_of
from surveywaves.ingest.raw import BLANK, Column, Problem, RawTable, Sheet, Source
from surveywaves.ingest.returns import choose
from surveywaves.terms import EVERY, UNRESOLVED
from surveywaves.text import normalise

KEYING: Final = "keying"
KEYINGS: Final = ("a", "b", "resolved")
ABOUT_KEYING: Final = ("keying", "keyed")
"""Beginnings of the names of columns about the keying and not the return (`keyed_by`): those of the first keying are
kept, without comparison."""

NONE: Final = -1
_SHOWN: Final = 5


def read(sheet: Sheet) -> RawTable:
    """Read paper returns: one row a return, numbered as its first keying.

    `rows_in` counts returns and rows set aside: the second keying of a return is not counted.
    """
    source, table = sheet.source, one_header_row(sheet)
    if source.layout.respondent is None:
        what = "two keyings of a return find each other by its number"
        raise source.error(what, "say `respondent:` in the layout, the column with the number on the form")
    respondent = place_of(source, table.names, source.layout.respondent, "`respondent` of the layout")
    keying = place_of(source, table.names, KEYING, "it says `A`, `B` or `resolved`")
    _set_repeats_aside(source, table, respondent, keying)
    returns = _pair(table, respondent, keying)
    first = returns["first"].to_numpy()
    keyed = len(table.rows)
    problems = []
    for place, one, other in returns.loc[
        (returns[["a", "b"]] == NONE).any(axis=1), ["first", "a", "b"]
    ].to_numpy():
        what = "keyed once" if max(one, other) != NONE else "no keying but the resolved one"
        number = table.columns[respondent].text(place)
        problems.append(Problem(int(table.rows[place]), EVERY, number, what, "taken as it stands"))
    columns = []
    for name, column in zip(table.names, table.columns, strict=True):
        if name == table.names[respondent] or normalise(name).startswith(ABOUT_KEYING):
            columns.append(column.take(first))
            continue
        settled, found = _settle(column, name, table, returns)
        columns.append(settled)
        problems.extend(found)
    table.columns = columns
    table.rows = table.rows[first]
    table.rows_in -= keyed - len(table.rows)
    table.problems.extend(sorted(problems, key=lambda one: one.row or 0))
    table.drop_columns(frozenset({table.names[keying]}))
    return table


def _set_repeats_aside(source: Source, table: RawTable, respondent: int, keying: int) -> None:
    """Check that every row has a number and a keying, and treat the same keying twice as the layout says."""
    numbers, keyings = table.columns[respondent], table.columns[keying]
    what = "no number, so its keyings cannot be compared"
    _refuse(source, table, ~numbers.filled, what, "key the number on the form")
    known = keyings.where([normalise(text) in KEYINGS for text in keyings.listed()])
    _refuse(source, table, ~known, "keying is not `A`, `B` or `resolved`", "")
    folded = keyings.with_texts([normalise(text) for text in keyings.listed()])
    table.columns[keying] = folded
    both = Column.encoded(
        (numbers.codes.astype(np.int64) * len(folded.texts) + folded.codes).astype(np.int32),
        pa.array([f"{number}, keying {key}" for number in numbers.listed() for key in folded.listed()]),
    )
    kept, aside = choose([(source, table, both)], policy=source.layout.duplicates)
    table.keep(kept[0], aside[0])


def _refuse(source: Source, table: RawTable, wrong: NDArray[np.bool_], what: str, hint: str) -> None:
    places = np.flatnonzero(wrong)
    if len(places):
        mistakes = [source.mistake(what, hint, row=int(table.rows[place])) for place in places[:_SHOWN]]
        if len(places) > _SHOWN:
            mistakes.append(source.mistake(f"the same in {len(places) - _SHOWN} more rows"))
        raise RawFileError(mistakes)


def _pair(table: RawTable, respondent: int, keying: int) -> pd.DataFrame:
    """List the row of each keying of each return (-1 where there is none), and the first of them, in their order."""
    numbers, keyings = table.columns[respondent], table.columns[keying]
    names = np.array(keyings.listed())[keyings.codes]
    rows = pd.DataFrame({"number": numbers.codes, "keying": names, "row": np.arange(len(table.rows))})
    found = rows.pivot_table(values="row", index="number", columns="keying", aggfunc="first")
    found["first"] = found.min(axis="columns")
    found = found.reindex(columns=["first", *KEYINGS]).sort_values("first")
    return found.fillna(NONE).astype(np.intp)


def _settle(
    column: Column, name: str, table: RawTable, returns: pd.DataFrame
) -> tuple[Column, list[Problem]]:
    """Compare the keyings of one column, and resolve their differences."""
    # Texts that harmonise does not distinguish share their number.
    numbers = {"": BLANK}
    of_text = [numbers.setdefault(normalise(text), len(numbers)) for text in column.listed()]
    folded = np.array([*of_text, BLANK])[column.codes]
    first, row_a, row_b, row_resolved = (returns[name].to_numpy() for name in ("first", *KEYINGS))
    one, other = folded[row_a], folded[row_b]
    has_a, has_b, has_resolved = (rows != NONE for rows in (row_a, row_b, row_resolved))
    differ = has_a & has_b & (one != other)
    # A resolved row counts where the keyings differ; elsewhere only if it differs from them.
    ruling = folded[row_resolved]
    agreed = np.where(has_a, one, np.where(has_b, other, ruling))
    overruled = has_resolved & ~differ & (ruling != agreed) & (column.codes[row_resolved] != BLANK)
    base = np.where(has_a, row_a, np.where(has_b, row_b, row_resolved))
    codes = column.codes[base].copy()
    texts = [*column.listed(), UNRESOLVED]
    problems = []
    for place in np.flatnonzero(differ | overruled):
        cells = {
            key.upper() if key != KEYINGS[2] else key: column.text(int(rows[place]))
            for key, rows in zip(KEYINGS, (row_a, row_b, row_resolved), strict=True)
            if rows[place] != NONE
        }
        if has_resolved[place] and (overruled[place] or cells[KEYINGS[2]] or "" in {cells["A"], cells["B"]}):
            codes[place] = column.codes[row_resolved[place]]
            action = f"taken from the resolved row: {cells[KEYINGS[2]] or 'blank'}"
        else:
            codes[place] = len(texts) - 1
            action = "unresolved: reads as invalid"
        what = "the keyings differ" if differ[place] else "the resolved row differs from what was keyed"
        shown = " | ".join(f"{key}: {text}" for key, text in cells.items())
        problems.append(Problem(int(table.rows[first[place]]), name, shown, what, action))
    return Column.encoded(codes, pa.array(texts, type=pa.string())), problems
