"""What was withheld, kind by kind and place by place, and how much that is of all.

The log that goes out does not say which counts were small and which were withheld to protect them: whoever knew that
would know that the first lie below the threshold and the others do not, and what adds up to a total would often follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.disclosure.system import BoolArray

LOG: Final = ("table", "wave", "organisation", "subject", "what", "numbers", "why")

COUNT: Final = "a count that is too small, or that would give one back"
DERIVED: Final = "computed from counts of which one is withheld"
ESTIMATE: Final = "about too few respondents, or as good as a withheld count"
BASE: Final = "a number of respondents that would tell how many a withheld group has"
ROUNDED: Final = "shown to fewer digits: comes near to withheld counts"
RECOMPUTED: Final = "recomputed from a withheld count"


class Entry(NamedTuple):
    """Cells of a released table that lost something."""

    table: str
    what: str
    why: str
    marks: BoolArray


class Tally(NamedTuple):
    """Counts of a kind of linked tables: those that are published, too small themselves, withheld besides."""

    linked: str
    counts: int
    primary: int
    complementary: int
    public: int


def log_of(tables: Mapping[str, pd.DataFrame], entries: Sequence[Entry]) -> pd.DataFrame:
    """Write the disclosure log.

    Parameters
    ----------
    tables
        The released tables.
    entries
        What was withheld in them, in their rows.

    Returns
    -------
    DataFrame
        One row a table, place (`wave`, `organisation`, `subject`: an item, variable, scale, file or printed row) and
        kind of number (`what`): how many `numbers`, and `why`. No value, and not which count was small.
    """
    parts = []
    for entry in entries:
        if not entry.marks.any():
            continue
        rows = tables[entry.table].loc[entry.marks]
        blank = pd.Series("", index=rows.index)
        subject = blank
        for name in ("item", "variable", "scale", "file"):
            if name in rows:
                subject = subject.where(subject != "", rows[name].fillna(""))
        if {"table", "row"} <= set(rows):
            subject = rows["table"] + "/" + rows["row"]
        parts.append(
            pd.DataFrame(
                {
                    "table": entry.table,
                    "wave": rows.get("wave", blank),
                    "organisation": rows.get("organisation", blank),
                    "subject": subject,
                    "what": entry.what,
                    "why": entry.why,
                }
            )
        )
    columns = ["table", "wave", "organisation", "subject", "what", "why"]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in LOG}).astype({"numbers": "int64"})
    every = pd.concat(parts, ignore_index=True)
    counted = every.groupby(columns, sort=False).size().rename("numbers").reset_index()
    return counted[list(LOG)].astype(dict.fromkeys(columns, "str"))


def summary_of(
    tables: Mapping[str, pd.DataFrame], entries: Sequence[Entry], tallies: Sequence[Tally]
) -> pd.DataFrame:
    """Sum up the log.

    Returns
    -------
    DataFrame
        `table, what, shown, withheld, rounded`, one row a table and kind of number; then, for the linked counts of
        all waves together (`table` is `linked counts`), `what` with how many were too small themselves
        (`primary`), withheld besides (`complementary`), and shown because they are in print (`in print`).
    """
    lost: dict[tuple[str, str], list[int]] = {}
    for entry in entries:
        numbers = lost.setdefault((entry.table, entry.what), [0, 0])
        numbers[entry.why == ROUNDED] += int(entry.marks.sum())
    rows: list[tuple[str, str, int, int, int]] = []
    for (table, what), (withheld, rounded) in lost.items():
        shown = (
            int(tables[table][what].notna().sum()) if what in tables[table] else len(tables[table]) - withheld
        )
        rows.append((table, what, shown, withheld, rounded))
    for tally in tallies:
        shown = tally.counts - tally.primary - tally.complementary
        rows += [
            (tally.linked, "primary", shown, tally.primary, 0),
            (tally.linked, "complementary", shown, tally.complementary, 0),
            (tally.linked, "in print", tally.public, 0, 0),
        ]
    frame = pd.DataFrame(rows, columns=["table", "what", "shown", "withheld", "rounded"])
    return frame.astype({"table": "str", "what": "str"})


def sentence(tallies: Sequence[Tally], *, threshold: int, rounding: int) -> str:
    """Say in a sentence for the report what was withheld."""
    if rounding:
        return f"All counts are rounded to multiples of {rounding}, so that totals still add up."
    counts = sum(tally.counts for tally in tallies)
    primary = sum(tally.primary for tally in tallies)
    besides = sum(tally.complementary for tally in tallies)
    public = sum(tally.public for tally in tallies)
    if not primary + besides:
        return f"No count had to be withheld (threshold {threshold})."
    said = (
        f"{primary + besides:,} of {counts:,} counts are withheld to protect respondents: {primary:,} are below "
        f"{threshold} or would tell what nearly everybody of a group answered, {besides:,} would give one of these back"
    )
    if public:
        return f"{said}. {public:,} counts are shown as a publication has printed them already."
    return f"{said}."
