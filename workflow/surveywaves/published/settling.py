"""Settling published tables: what each row must have meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from surveywaves.errors import Mistake, PublishedTableError
from surveywaves.published.audit import Cell, SettledRow, audit_row, row_evidence
from surveywaves.published.printed import BASE, as_text, read_rows
from surveywaves.published.search import best_readings


@dataclass(frozen=True)
class Settlement:
    """Published tables, settled as far as they are; its frames are in printed order."""

    rows: tuple[SettledRow, ...]

    @cached_property
    def settled(self) -> pd.DataFrame:
        """One row a category: `table, row, category, count, base`. Rows that are undecided are left out."""
        return _frame(
            ["table", "row", "category", "count", "base"],
            (
                (row.printed.table, row.printed.row, category, count, row.chosen.base)
                for row in self.rows
                if row.chosen is not None
                for category, count in zip(row.printed.categories, row.chosen.counts, strict=True)
            ),
            whole=["count", "base"],
        )

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """One row a printed row: `table, row, verdict, contradicted, truncated, readings, evidence`.

        `contradicted` and `truncated` count the cells that the best readings contradict or take as cut off;
        `readings` counts those readings (only the listed ones, where there were too many to list).
        """
        return _frame(
            ["table", "row", "verdict", "contradicted", "truncated", "readings", "evidence"],
            (
                (
                    row.printed.table,
                    row.printed.row,
                    row.verdict.value,
                    row.best.contradicted,
                    row.best.truncated,
                    len(row.best.readings),
                    row_evidence(row),
                )
                for row in self.rows
            ),
            whole=["contradicted", "truncated", "readings"],
        )

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """Readings of the rows that several fit equally well, one row a category.

        `table, row, reading, category, count, base, chosen`; the reading nearest to print is number 1.
        """
        frame = _frame(
            ["table", "row", "reading", "category", "count", "base", "chosen"],
            (
                (
                    row.printed.table,
                    row.printed.row,
                    number,
                    category,
                    count,
                    reading.base,
                    reading == row.chosen,
                )
                for row in self.rows
                if len(row.best.readings) > 1
                for number, reading in enumerate(row.best.readings, start=1)
                for category, count in zip(row.printed.categories, reading.counts, strict=True)
            ),
            whole=["reading", "count", "base"],
        )
        return frame.astype({"chosen": "bool"})

    @cached_property
    def audit(self) -> pd.DataFrame:
        """One row a printed cell: `table, row, field, category, quantity, printed, settled, verdict, evidence`.

        `field` is the column that the cell stands in; `quantity` is count, base or percent. `printed` is as
        printed; `settled` is what it should say, empty while that is undecided. `evidence` says why, for every
        cell that does not simply agree. Blank cells have no row.
        """
        return _frame(list(Cell._fields), (cell for row in self.rows for cell in audit_row(row)))


def settle(
    tables: pd.DataFrame, *, categories: Sequence[str], max_base: int, max_candidates: int = 200
) -> Settlement:
    """Find what published tables must have meant.

    For every row, the whole counts and the base they add up to that contradict the fewest printed cells: a count or
    base by differing from it, a percentage if neither rounding (ties up or to even) nor truncation at its printed
    precision gives it. Among equals, the fewest percentages are taken as truncated. If one reading is best, the row
    is settled; if several are, it is undecided, and `apply_decisions` lets a person choose among them.

    Percentages are taken at the precision that most of their table shows: 38 in a table with one decimal is 38.0,
    and 0.5 in a table of whole numbers was rounded to the nearest half.

    Parameters
    ----------
    tables
        One row a question, every column read as text: `table`, `row`, `n_reported`, and for every category
        ``<category>_n`` and ``<category>_pct``. Blank cells are not printed and contradict nothing.
    categories
        Category codes, in printed order.
    max_base
        Largest base to consider: the number of returns.
    max_candidates
        Most readings to list for one row.

    Returns
    -------
    Settlement

    Raises
    ------
    PublishedTableError
        Naming every column that is missing or was read as numbers, every cell that is not a number, and every row
        that stands there twice.
    """
    rows = []
    for row in read_rows(tables, categories=categories):
        best = best_readings(row, max_base=max_base, limit=max_candidates)
        only = best.readings[0] if len(best.readings) == 1 and not best.more else None
        rows.append(SettledRow(row, best, only))
    return Settlement(tuple(rows))


def settle_column(
    listed: pd.DataFrame, *, table: str, max_base: int, max_candidates: int = 200
) -> Settlement:
    """Settle a table that lists its categories one below the other, with a count and a percentage of one total.

    Parameters
    ----------
    listed
        One row a category, every column read as text: `category`, `n`, `pct`; and, if the total is printed, `total`,
        the same on every row that has it.
    table
        The table's number or name.
    max_base, max_candidates
        As for `settle`.

    Returns
    -------
    Settlement
        The table as one row, 1, whose categories are the lines.

    Raises
    ------
    PublishedTableError
        As for `settle`; also if a category is listed twice or there are different totals.
    """
    if missing := {"category", "n", "pct"} - set(listed.columns):
        raise PublishedTableError(
            Mistake(f"table {table}, column {name}", "is missing") for name in sorted(missing)
        )
    names = listed["category"].map(as_text)
    if twice := names[names.duplicated()].unique().tolist():
        raise PublishedTableError(
            Mistake(f"table {table}, category {name}", "is listed twice") for name in twice
        )
    totals = listed["total"].map(as_text) if "total" in listed.columns else pd.Series([], dtype="str")
    if len(different := totals[totals != ""].unique().tolist()) > 1:
        raise PublishedTableError(
            Mistake(f"table {table}, column total", f"holds different totals: {', '.join(different)}")
        )
    line: dict[str, Any] = {"table": table, "row": "1", BASE: "".join(different)}
    for name, count, percentage in zip(names, listed["n"], listed["pct"], strict=True):
        line |= {f"{name}_n": count, f"{name}_pct": percentage}
    return settle(
        pd.DataFrame([line]), categories=names.tolist(), max_base=max_base, max_candidates=max_candidates
    )


def together(*settlements: Settlement) -> Settlement:
    """Put several settlements into one, in the order given.

    Raises
    ------
    PublishedTableError
        If a row is in two of them.
    """
    rows = tuple(row for settlement in settlements for row in settlement.rows)
    if twice := [name for name, n in Counter(row.printed.name for row in rows).items() if n > 1]:
        raise PublishedTableError(Mistake(name, "stands there twice") for name in twice)
    return Settlement(rows)


def _frame(
    columns: list[str], rows: Iterable[tuple[object, ...]], *, whole: Sequence[str] = ()
) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=columns)
    return frame.astype({name: "int64" if name in whole else "str" for name in columns if name != "chosen"})
