"""What everybody knows already, and the account of what was withheld.

Counts that a publication gives cannot be withheld any more.

What was withheld is listed kind by kind and place by place, with how much that is of all. The log that goes out does
not say which counts were small and which were withheld to protect them: whoever knew that would know that the first lie
below the threshold and the others do not, and what adds up to a total would often follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.disclosure.rule import BoolArray, Rule
from surveywaves.terms import RECOMPUTED, Checked, Status


@dataclass(frozen=True)
class Publication:
    """A publication about a wave.

    Attributes
    ----------
    wave
        The wave.
    cells
        (Table, row) -> the item that it is about.
    categories
        Codes of the printed categories, lowest response first.
    choices
        Variable -> printed label -> level.
    """

    wave: str
    cells: Mapping[tuple[str, str], str]
    categories: Sequence[str]
    choices: Mapping[str, Mapping[str, str]]

    def place(self, table: str, row: str, category: str) -> tuple[str, str, str] | None:
        """Say which count of all organisations a printed cell gives; None if it is none."""
        if table in self.choices:
            level = self.choices[table].get(category)
            return None if level is None else (self.wave, table, level)
        if category not in self.categories or (table, row) not in self.cells:
            return None
        return self.wave, self.cells[table, row], str(1 + list(self.categories).index(category))


def in_print(audit: pd.DataFrame, publication: Publication) -> frozenset[tuple[str, str, str]]:
    """List the counts that are in print as they are in the data.

    Parameters
    ----------
    audit
        As `published.beside` gives it.
    publication
        What the tables are about.

    Returns
    -------
    frozenset
        Wave, item or variable, response or level. A count that was misprinted is in print if the arithmetic of its
        row settles it; one that differs from the data is not, and neither is one that is printed in percent only.
    """
    counts = audit[(audit["quantity"] == "count") & (audit["settled"] == audit["recomputed"])]
    places = (
        publication.place(table, row, category)
        for table, row, category in zip(counts["table"], counts["row"], counts["category"], strict=True)
    )
    return frozenset(place for place in places if place is not None)


def audited(
    audit: pd.DataFrame, publication: Publication, hidden: Iterable[tuple[str, str, str]]
) -> pd.DataFrame:
    """Withhold what was recomputed of counts that are withheld (`hidden`, places of all organisations together)."""
    marks = _hidden_cells(audit, publication, frozenset(hidden))
    status = pd.Series(
        np.where(marks, Status.WITHHELD.value, Status.OK.value), index=audit.index, dtype="str"
    )
    return audit.assign(recomputed=audit[RECOMPUTED].mask(marks, ""), status=status)


def claimed(
    claims: pd.DataFrame,
    audit: pd.DataFrame,
    publication: Publication,
    hidden: Iterable[tuple[str, str, str]],
) -> pd.DataFrame:
    """Withhold what was recomputed of a claim about a table row of which anything is withheld."""
    marks = _hidden_cells(audit, publication, frozenset(hidden))
    rows = set(zip(audit.loc[marks, "table"], audit.loc[marks, "row"], strict=True))
    tables = {table for table, _ in rows}
    hide = np.array(
        [
            (table, row) in rows or (not row and table in tables)
            for table, row in zip(claims["table"], claims["row"], strict=True)
        ],
        dtype=np.bool_,
    )
    shown = claims.astype({"n": "Int64", "base": "Int64"})
    for name, empty in (("n", pd.NA), ("base", pd.NA), (RECOMPUTED, ""), ("evidence", "")):
        shown[name] = shown[name].mask(hide, empty)
    return shown.assign(
        status=pd.Series(
            np.where(hide, Status.WITHHELD.value, Status.OK.value), index=shown.index, dtype="str"
        )
    )


def _hidden_cells(
    audit: pd.DataFrame, publication: Publication, hidden: frozenset[tuple[str, str, str]]
) -> BoolArray:
    marks = []
    for table, row, category, quantity in zip(
        audit["table"], audit["row"], audit["category"], audit["quantity"], strict=True
    ):
        place = publication.place(table, row, category)
        if quantity == "base" or place is None:
            name = table if table in publication.choices else publication.cells.get((table, row), "")
            place = (publication.wave, name, "base")
        marks.append(place in hidden)
    return np.array(marks, dtype=np.bool_)


LOG: Final = ("table", "wave", "organisation", "subject", "what", "numbers", "why")

COUNT: Final = "a count that is too small, or that would give one back"
DERIVED: Final = "computed from counts of which one is withheld"
ESTIMATE: Final = "about too few respondents, or as good as a withheld count"
BASE: Final = "a number of respondents that would tell how many a withheld group has"
ROUNDED: Final = "shown to the digits that its uncertainty warrants"
FROM_WITHHELD: Final = "recomputed from a withheld count"


class Entry(NamedTuple):
    """Cells of a released table that lost something."""

    table: str
    what: str
    why: str
    marks: BoolArray


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
        kind of number (`what`): how many `numbers`, and `why`. No value, and not which count was small. That estimates
        are rounded goes for all of them, and stands in the summary only.
    """
    parts = []
    for entry in entries:
        if entry.why == ROUNDED or not entry.marks.any():
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


def summary_of(tables: Mapping[str, pd.DataFrame], entries: Sequence[Entry]) -> pd.DataFrame:
    """Sum up the log.

    Returns
    -------
    DataFrame
        `table, what, shown, withheld, rounded`, one row a table and kind of number. Not how many counts were small:
        with how many are withheld in all, that narrows what the tables can be.
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
    frame = pd.DataFrame(rows, columns=["table", "what", "shown", "withheld", "rounded"])
    return frame.astype({"table": "str", "what": "str"})


REASONS: Final = ("linked", "count", "n", "reason")


def reasons(rows: Iterable[tuple[str, str, int, str]]) -> pd.DataFrame:
    """List withheld counts with their values and reasons, which gives small counts away."""
    frame = pd.DataFrame(rows, columns=list(REASONS))
    return frame.astype({name: "int64" if name == "n" else "str" for name in REASONS})


def sentence(tables: Mapping[str, pd.DataFrame], entries: Sequence[Entry], rule: Rule) -> str:
    """Summarise in a sentence for the report what was done."""
    if rule.public:
        return "The data are public: every number is shown as it is."
    exact = "Counts of all respondents of a wave together are exact"
    if rule.rounding:
        return (
            f"{exact}; by organisation they are rounded at random to multiples of {rule.rounding}, so that totals "
            f"still add up, and nothing is shown of groups that may have fewer than {rule.smallest_group} respondents."
        )
    counts = [one for one in entries if one.why == COUNT and one.what == "n"]
    withheld = sum(int(one.marks.sum()) for one in counts)
    every = sum(len(tables[name]) for name in {one.table for one in counts})
    return (
        f"{exact}; {withheld:,} of {every:,} counts are withheld to protect respondents (threshold "
        f"{rule.threshold})."
    )


def crosschecked(table: pd.DataFrame) -> pd.DataFrame:
    """Count what was computed again, kind by kind: the numbers themselves have more digits than may leave.

    Parameters
    ----------
    table
        What `surveywaves.crosscheck` found.

    Returns
    -------
    DataFrame
        One row a kind: `what`, and how many numbers there are of each verdict.
    """
    verdicts = [verdict.value for verdict in Checked]
    counts = pd.crosstab(table["what"], table["verdict"])
    return counts.reindex(columns=verdicts, fill_value=0).rename_axis(columns=None).reset_index()
