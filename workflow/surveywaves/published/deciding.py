"""Decisions: a person's choice where the arithmetic leaves a printed row open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from surveywaves.errors import Mistake, PublishedTableError
from surveywaves.published.audit import RowVerdict, SettledRow, list_readings
from surveywaves.published.printed import BASE, as_text
from surveywaves.published.search import Reading
from surveywaves.published.settling import Settlement

COLUMNS: Final = ("table", "row", "field", "value", "reason", "decided_by")


def apply_decisions(
    settlement: Settlement, decisions: pd.DataFrame, *, where: str = "decisions"
) -> Settlement:
    """Settle, by a person's choice, the rows that the arithmetic leaves undecided.

    Parameters
    ----------
    settlement
        As `settle` gives it.
    decisions
        `table, row, field, value, reason, decided_by`. `field` is a count or base column of the printed row
        (``<category>_n`` or ``n_reported``), `value` what it should say. It takes as many lines for one row as
        single out one of its readings; one is usually enough.
    where
        The name of the file, for messages.

    Returns
    -------
    Settlement
        With no undecided row.

    Raises
    ------
    PublishedTableError
        With one line for every undecided row without a decision, decision that is not needed, is not among the
        readings or leaves several of them, and for every line that is not understood or lacks a reason or a name.
    """
    if missing := [name for name in COLUMNS if name not in decisions.columns]:
        raise PublishedTableError(Mistake(f"{where}, column {name}", "is missing") for name in missing)
    lines = decisions[list(COLUMNS)].apply(lambda column: column.map(as_text))
    by_row = {
        f"table {table} row {row}": part.to_dict("records")
        for (table, row), part in lines.groupby(["table", "row"], sort=False)
    }
    known = {row.printed.name for row in settlement.rows}
    mistakes = [
        Mistake(f"{where}, {name}", "there is no such row in the published tables")
        for name in by_row
        if name not in known
    ]
    decided = []
    for row in settlement.rows:
        given = by_row.get(row.printed.name, [])
        wrong = _mistakes(row, given, f"{where}, {row.printed.name}")
        mistakes += wrong
        decided.append(row if wrong or not given else _decided(row, given))
    if mistakes:
        raise PublishedTableError(mistakes)
    return Settlement(tuple(decided))


def _mistakes(row: SettledRow, lines: Sequence[Mapping[str, str]], where: str) -> list[Mistake]:
    """Say what is wrong with the lines that decide a row."""
    if row.verdict is not RowVerdict.UNDECIDED:
        hint = "remove the line"
        return [Mistake(where, f"needs no decision: it is {row.verdict}", hint)] if lines else []
    fields = [BASE, *(f"{category}_n" for category in row.printed.categories)]
    options = f"choose among {list_readings(row.best)}; the fields are {', '.join(fields)}"
    if not lines:
        return [Mistake(where, "is undecided and nobody has decided", options)]
    wrong = [
        Mistake(where, f"{line['field']!r} is not a field", options)
        for line in lines
        if line["field"] not in fields
    ]
    wrong += [
        Mistake(where, f"{line['field']} = {line['value']} has no {lacking}")
        for line in lines
        for lacking in ("reason", "decided_by")
        if not line[lacking]
    ]
    if wrong:
        return wrong
    said = ", ".join(f"{line['field']} = {line['value']}" for line in lines)
    left = _fitting(row, lines)
    if not left:
        return [Mistake(where, f"{said} is not among its readings", options)]
    if len(left) > 1:
        return [Mistake(where, f"{said} leaves {len(left)} readings", "add a line that tells them apart")]
    return []


def _decided(row: SettledRow, lines: Sequence[Mapping[str, str]]) -> SettledRow:
    reasons = dict.fromkeys(f"{line['reason']} ({line['decided_by']})" for line in lines)
    return replace(row, chosen=_fitting(row, lines)[0], decision="; ".join(reasons))


def _fitting(row: SettledRow, lines: Sequence[Mapping[str, str]]) -> list[Reading]:
    """Find the readings that say what every line says."""
    return [
        reading
        for reading in row.best.readings
        if all(line["value"] == _value(row, reading, line["field"]) for line in lines)
    ]


def _value(row: SettledRow, reading: Reading, field: str) -> str:
    counts = zip(row.printed.categories, reading.counts, strict=True)
    return str({BASE: reading.base, **{f"{category}_n": count for category, count in counts}}[field])
