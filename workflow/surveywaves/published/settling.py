"""Settling published tables: what each row must have meant, by search, and by decision where that leaves it open.

Of every printed row the readings that contradict the fewest of its cells are searched; every cell is then audited: what
it should say, and the evidence in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake, PublishedTableError
from surveywaves.published.printed import BASE, Agreement, Percentage, PrintedRow, as_text, read_rows

_Costs: TypeAlias = NDArray[np.int64]

SHOWN: Final = 6
"""Readings of a row that are named in words."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a printed row may have meant: whole counts, and the base that they add up to."""

    counts: tuple[int, ...]
    base: int

    def __str__(self) -> str:
        return f"{'+'.join(map(str, self.counts))}={self.base}"


@dataclass(frozen=True, slots=True)
class Readings:
    """Every reading of a row that contradicts the fewest cells, the nearest to print first."""

    readings: tuple[Reading, ...]
    """At least one."""
    contradicted: int
    truncated: int
    """Printed cells that each of them contradicts, and percentages that each takes as cut off instead of rounded."""
    more: bool
    """Whether there are more than are listed."""


def best_readings(row: PrintedRow, *, max_base: int, limit: int) -> Readings:
    """Find the readings of a row that contradict the fewest printed cells, and of those truncate the fewest.

    A reading is a base b and counts that add up to b. It contradicts a printed count or base that differs from it,
    and a printed percentage that neither rounding nor truncating 100 count / b gives. For a given b the cells of
    different categories are tied only by the sum, so the cheapest reading follows by dynamic programming over
    the categories, with the sum that is left as the state. The search is exact.

    Parameters
    ----------
    row
        The printed row.
    max_base
        Largest base to consider.
    limit
        Most readings to list.

    Returns
    -------
    Readings
    """
    weight = len(row.categories) + 1  # one contradiction weighs more than every percentage truncated
    floor = _lower_bounds(row, max_base, weight)
    best = np.iinfo(np.int64).max
    cheapest: list[int] = []
    for base in (np.argsort(floor, kind="stable") + 1).tolist():
        if floor[base - 1] > best:
            break
        cost = _base_cost(row, base, weight) + int(_cheapest_tails(_all_costs(row, base, weight))[0][base])
        if cost < best:
            best, cheapest = cost, []
        if cost == best:
            cheapest.append(base)
    found = list(islice(_readings(row, cheapest, best, weight), limit + 1))
    listed = sorted(found[:limit], key=lambda reading: _distance(row, reading))
    contradicted, truncated = divmod(best, weight)
    return Readings(tuple(listed), contradicted, truncated, len(found) > limit)


def _lower_bounds(row: PrintedRow, max_base: int, weight: int) -> _Costs:
    """For every base from 1 to `max_base`, a cost that no reading with that base can undercut.

    A category is free only if its printed count gives its printed percentage. Otherwise one of the two goes.
    """
    bases = np.arange(1, max_base + 1, dtype=np.int64)
    bound = np.where((bases == row.base) | (row.base is None), 0, weight).astype(np.int64)
    for count, percentage in zip(row.counts, row.percentages, strict=True):
        if count is not None:
            kept = _percentage_cost(percentage, np.asarray(count), bases, weight)
            bound += np.where(count > bases, weight, kept)
    return bound


def _base_cost(row: PrintedRow, base: int, weight: int) -> int:
    return 0 if row.base in (None, base) else weight


def _all_costs(row: PrintedRow, base: int, weight: int) -> list[_Costs]:
    """Per category, the cost of reading its count as 0, 1, ... base."""
    counts = np.arange(base + 1, dtype=np.int64)
    return [
        _percentage_cost(percentage, counts, np.asarray(base), weight)
        + (0 if printed is None else weight * (counts != printed))
        for printed, percentage in zip(row.counts, row.percentages, strict=True)
    ]


def _percentage_cost(percentage: Percentage | None, counts: _Costs, bases: _Costs, weight: int) -> _Costs:
    if percentage is None:
        return np.zeros(np.broadcast(counts, bases).shape, dtype=np.int64)
    price = np.array([0, 1, weight], dtype=np.int64)[
        [Agreement.ROUNDED, Agreement.TRUNCATED, Agreement.CONTRADICTED]
    ]
    return price[percentage.agreement(counts, bases)]


def _cheapest_tails(costs: Sequence[_Costs]) -> list[_Costs]:
    """For every category, the cheapest way for it and those after it to add up to 0, 1, ... base.

    Almost every count costs the same, the most; only the few that cost less are gone through one by one.
    """
    size = len(costs[0])
    unreachable = np.iinfo(np.int64).max // 4
    tail = np.full(size, unreachable, dtype=np.int64)
    tail[0] = 0
    tails = [tail]
    for cost in reversed(costs):
        usual = int(cost.max())
        longer = np.minimum.accumulate(tail) + usual
        for count in np.flatnonzero(cost < usual).tolist():
            np.minimum(longer[count:], tail[: size - count] + cost[count], out=longer[count:])
        tail = longer
        tails.insert(0, tail)
    return tails


def _readings(row: PrintedRow, bases: Sequence[int], best: int, weight: int) -> Iterator[Reading]:
    """Every reading that costs `best`, base by base."""
    for base in sorted(bases, key=lambda b: abs(b - (b if row.base is None else row.base))):
        costs = _all_costs(row, base, weight)
        tails = _cheapest_tails(costs)
        for counts in _ways(costs, tails, base, best - _base_cost(row, base, weight)):
            yield Reading(counts, base)


def _ways(
    costs: Sequence[_Costs], tails: Sequence[_Costs], left: int, budget: int
) -> Iterator[tuple[int, ...]]:
    """Every way for the remaining categories to add up to `left` at a cost within `budget`."""
    if not costs:
        yield ()
        return
    cost = costs[0][: left + 1]
    affordable = np.flatnonzero(cost + tails[1][left::-1][: left + 1] <= budget)
    for count in affordable.tolist():
        for others in _ways(costs[1:], tails[1:], left - count, budget - int(cost[count])):
            yield (count, *others)


def _distance(row: PrintedRow, reading: Reading) -> tuple[int, int, tuple[int, ...]]:
    """How far a reading is from the printed counts; ties go to the larger base."""
    printed = zip(row.counts, reading.counts, strict=True)
    return sum(abs(c - p) for p, c in printed if p is not None), -reading.base, reading.counts


class RowVerdict(StrEnum):
    """What became of a printed row."""

    CONSISTENT = "consistent"
    TRUNCATED = "truncated"
    MISPRINT_SETTLED = "misprint_settled"
    DECIDED = "decided"
    UNDECIDED = "undecided"


class CellVerdict(StrEnum):
    """What became of a printed cell."""

    AGREES = "agrees"
    AGREES_WHEN_TRUNCATED = "agrees_when_truncated"
    MISPRINT = "misprint"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class SettledRow:
    """A printed row with its best readings, and the one that was chosen: None while it is undecided.

    `decision` says why a person chose it, and who; it is empty where the arithmetic left one reading.
    """

    printed: PrintedRow
    best: Readings
    chosen: Reading | None
    decision: str = ""

    @property
    def verdict(self) -> RowVerdict:
        """The row's verdict."""
        if self.chosen is None:
            return RowVerdict.UNDECIDED
        if self.decision:
            return RowVerdict.DECIDED
        if self.best.contradicted:
            return RowVerdict.MISPRINT_SETTLED
        return RowVerdict.TRUNCATED if self.best.truncated else RowVerdict.CONSISTENT

    @property
    def place(self) -> tuple[str, str]:
        """Its table and row."""
        return self.printed.table, self.printed.row

    @property
    def standing(self) -> tuple[Reading, ...]:
        """The readings that are still possible."""
        return self.best.readings if self.chosen is None else (self.chosen,)


class Cell(NamedTuple):
    """One printed cell: a line of the audit."""

    table: str
    row: str
    field: str
    category: str
    quantity: str
    printed: str
    settled: str
    verdict: str
    evidence: str


def audit_row(row: SettledRow) -> list[Cell]:
    """Judge the printed cells of a row: category by category the count and the percentage, and then the base.

    A misprint that a person decided on says so.
    """
    said = f"; by decision: {row.decision}" if row.verdict is RowVerdict.DECIDED else ""
    return [cell._replace(evidence=cell.evidence and f"{cell.evidence}{said}") for cell in _judged_cells(row)]


def row_evidence(row: SettledRow) -> str:
    """Return in words why a row was settled as it was; empty if it agrees as printed."""
    if row.verdict is RowVerdict.UNDECIDED:
        number = row.best.contradicted
        return f"each contradicts {number} printed cells, none fewer: {list_readings(row.best)}"
    said = [f"{cell.field}: {cell.evidence}" for cell in _judged_cells(row) if cell.evidence]
    if row.verdict is RowVerdict.DECIDED:
        said.insert(0, f"chosen {row.chosen}, among {list_readings(row.best)}: {row.decision}")
    return "; ".join(said)


def list_readings(best: Readings) -> str:
    """List readings, the nearest to print first, and say how many are left out."""
    shown = [str(reading) for reading in best.readings[:SHOWN]]
    hidden = len(best.readings) - len(shown)
    if best.more:
        shown.append(f"more than {hidden} others")
    elif hidden:
        shown.append(f"{hidden} others")
    return " or ".join(shown)


def percent_text(count: int, base: int, decimals: int) -> str:
    """Return count / base in words, as a percentage with a digit more than is printed."""
    return f"{count} of {base} is {100 * count / base:.{decimals + 1}f}%"


def same_digits(a: str, b: str) -> bool:
    """Whether two numbers are written with the same digits in another order."""
    return a != b and sorted(a) == sorted(b)


def one_digit_apart(a: str, b: str) -> bool:
    """Whether two numbers are written alike but for one digit."""
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1


def _judged_cells(row: SettledRow) -> Iterator[Cell]:
    printed, cell = row.printed, partial(Cell, row.printed.table, row.printed.row)
    for k, category in enumerate(printed.categories):
        count, percentage = printed.counts[k], printed.percentages[k]
        if count is not None:
            settled = [reading.counts[k] for reading in row.standing]
            judged = _judge_number(row, count, settled, partial(_count_evidence, k))
            yield cell(f"{category}_n", category, "count", str(count), *judged)
        if percentage is not None:
            judged = _judge_percentage(row, percentage, k)
            yield cell(f"{category}_pct", category, "percent", percentage.text, *judged)
    if printed.base is not None:
        settled = [reading.base for reading in row.standing]
        judged = _judge_number(row, printed.base, settled, _base_evidence)
        yield cell(BASE, "", "base", str(printed.base), *judged)


def _judge_number(
    row: SettledRow, printed: int, settled: list[int], evidence: Callable[[PrintedRow, Reading], str]
) -> tuple[str, str, str]:
    """Judge a printed count or base: what it should say, the verdict, the evidence."""
    values = set(settled)
    if len(values) > 1:
        return "", CellVerdict.UNDECIDED, f"{' or '.join(map(str, dict.fromkeys(settled)))}"
    value = values.pop()
    if value == printed:
        return str(value), CellVerdict.AGREES, ""
    return str(value), CellVerdict.MISPRINT, evidence(row.printed, row.standing[0])


def _judge_percentage(row: SettledRow, printed: Percentage, k: int) -> tuple[str, str, str]:
    """Judge a printed percentage: what it should say, the verdict, the evidence."""
    judged = {printed.judge(r.counts[k], r.base) for r in row.standing}
    if judged == {Agreement.ROUNDED}:
        return str(printed), CellVerdict.AGREES, ""
    rounded = {printed.rounds_to(r.counts[k], r.base): r for r in row.standing}
    if len(judged) > 1 or len(rounded) > 1:
        return "", CellVerdict.UNDECIDED, f"{' or '.join(rounded)}"
    ((value, reading),) = rounded.items()
    exact = percent_text(reading.counts[k], reading.base, printed.decimals)
    if judged == {Agreement.TRUNCATED}:
        return value, CellVerdict.AGREES_WHEN_TRUNCATED, f"{exact}, cut off instead of rounded"
    if _swapped(row.printed, reading, k):
        return value, CellVerdict.MISPRINT, f"{exact}; count and percentage stand in each other's place"
    return value, CellVerdict.MISPRINT, f"{exact}{_likeness(str(printed), value)}"


def _count_evidence(k: int, row: PrintedRow, reading: Reading) -> str:
    """Why a count was read otherwise than printed."""
    printed, percentage = row.counts[k], row.percentages[k]
    count, base = reading.counts[k], reading.base
    sums = f"with {count} the counts add up to {base}"
    if percentage is None:
        return sums
    exact = percent_text(count, base, percentage.decimals)
    if _swapped(row, reading, k):
        return f"{exact}; count and percentage stand in each other's place; {sums}"
    was = 100 * (printed or 0) / base
    against = f"{printed} would be {was:.{percentage.decimals + 1}f}%, printed {percentage}"
    return f"{exact}; {against}; {sums}{_likeness(str(printed), str(count))}"


def _base_evidence(row: PrintedRow, reading: Reading) -> str:
    """Why the base was read otherwise than printed."""
    counts = "the counts" if reading.counts == row.counts else "the counts as settled"
    pairs = zip(row.percentages, reading.counts, strict=True)
    percentages = [(percentage, count) for percentage, count in pairs if percentage is not None]

    def fitting(base: int) -> int:
        return sum(p.judge(count, base) is not Agreement.CONTRADICTED for p, count in percentages)

    printed = row.base or 0
    fits = f"{fitting(reading.base)} of {len(percentages)} printed percentages fit {reading.base}"
    old = f", {fitting(printed)} fit {printed}" if printed else ""
    likeness = _likeness(str(printed), str(reading.base))
    return f"{counts} add up to {reading.base}; {fits}{old}{likeness}"


def _swapped(printed: PrintedRow, reading: Reading, k: int) -> bool:
    """Whether a count and its percentage were printed in each other's place."""
    percentage, count = printed.percentages[k], printed.counts[k]
    if percentage is None or count is None or count > 100 or count == reading.counts[k]:
        return False
    swapped = Percentage.read(str(count), table_decimals=percentage.decimals)
    fits = swapped.judge(reading.counts[k], reading.base) is Agreement.ROUNDED
    return fits and percentage.text == str(reading.counts[k])


def _likeness(printed: str, settled: str) -> str:
    """Return how a misprint may have come about; empty where it is not plain to see."""
    if same_digits(printed, settled):
        return "; the same digits in another order"
    return "; one digit differs" if one_digit_apart(printed, settled) and len(settled) > 1 else ""


@dataclass(frozen=True)
class Settlement:
    """Published tables, settled as far as they are; its frames are in printed order."""

    rows: tuple[SettledRow, ...]

    @cached_property
    def settled(self) -> pd.DataFrame:
        """One row a category: `table, row, category, count, base`. Rows that are undecided are left out."""
        rows = (
            (*row.place, category, count, row.chosen.base)
            for row in self.rows
            if row.chosen is not None
            for category, count in zip(row.printed.categories, row.chosen.counts, strict=True)
        )
        return _frame(("table", "row", "category", "count", "base"), rows)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """One row a printed row: `table, row, verdict, contradicted, truncated, readings, evidence`.

        `contradicted` and `truncated` count the cells that the best readings contradict or take as cut off;
        `readings` counts those readings (only the listed ones, where there were too many to list).
        """
        found = ((row, row.best, len(row.best.readings)) for row in self.rows)
        rows = (
            (*row.place, row.verdict.value, best.contradicted, best.truncated, number, row_evidence(row))
            for row, best, number in found
        )
        columns = ("table", "row", "verdict", "contradicted", "truncated", "readings", "evidence")
        return _frame(columns, rows)

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """Readings of the rows that several fit equally well, one row a category.

        `table, row, reading, category, count, base, chosen`; the reading nearest to print is number 1.
        """
        rows = (
            (*row.place, number, category, count, reading.base, reading == row.chosen)
            for row in self.rows
            if len(row.best.readings) > 1
            for number, reading in enumerate(row.best.readings, start=1)
            for category, count in zip(row.printed.categories, reading.counts, strict=True)
        )
        return _frame(("table", "row", "reading", "category", "count", "base", "chosen"), rows)

    @cached_property
    def audit(self) -> pd.DataFrame:
        """One row a printed cell: `table, row, field, category, quantity, printed, settled, verdict, evidence`.

        `field` is the column that the cell stands in; `quantity` is count, base or percent. `printed` is as
        printed; `settled` is what it should say, empty while that is undecided. `evidence` says why, for every
        cell that does not simply agree. Blank cells have no row.
        """
        return _frame(Cell._fields, (cell for row in self.rows for cell in audit_row(row)))


def settle_publication(
    tables: pd.DataFrame,
    single_choice: Mapping[str, pd.DataFrame],
    *,
    categories: Sequence[str],
    max_base: int,
    decisions: pd.DataFrame | None = None,
    where: str = "decisions",
) -> Settlement:
    """Settle all tables of a publication.

    Parameters
    ----------
    tables, categories, max_base
        See `settle`.
    single_choice
        Variable -> the table that prints its counts: see `settle_column`.
    decisions, where
        See `apply_decisions`; None: nobody decided anything.

    Returns
    -------
    Settlement

    Raises
    ------
    PublishedTableError
        As for `settle`, `settle_column` and `apply_decisions`.
    """
    counts = (
        settle_column(listed, table=variable, max_base=max_base) for variable, listed in single_choice.items()
    )
    settlement = together(settle(tables, categories=categories, max_base=max_base), *counts)
    return settlement if decisions is None else apply_decisions(settlement, decisions, where=where)


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


def settle_column(listed: pd.DataFrame, *, table: str, max_base: int) -> Settlement:
    """Settle a table that lists its categories one below the other, with a count and a percentage of one total.

    Parameters
    ----------
    listed
        One row a category, every column read as text: `category`, `n`, `pct`; and, if the total is printed, `total`,
        the same on every row that has it.
    table
        The table's number or name.
    max_base
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
    where = f"table {table}"
    if missing := {"category", "n", "pct"} - set(listed.columns):
        raise PublishedTableError(
            Mistake(f"{where}, column {name}", "is missing") for name in sorted(missing)
        )
    names = listed["category"].map(as_text)
    if twice := names[names.duplicated()].unique().tolist():
        raise PublishedTableError(Mistake(f"{where}, category {name}", "is listed twice") for name in twice)
    totals = listed["total"].map(as_text) if "total" in listed.columns else pd.Series([], dtype="str")
    if len(different := totals[totals != ""].unique().tolist()) > 1:
        raise PublishedTableError.at(
            f"{where}, column total", f"holds different totals: {', '.join(different)}"
        )
    line: dict[str, Any] = {"table": table, "row": "1", BASE: "".join(different)}
    for name, count, percentage in zip(names, listed["n"], listed["pct"], strict=True):
        line |= {f"{name}_n": count, f"{name}_pct": percentage}
    return settle(pd.DataFrame([line]), categories=names.tolist(), max_base=max_base)


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


_TYPES: Final = {
    **dict.fromkeys(("count", "base", "contradicted", "truncated", "readings", "reading"), "int64"),
    "chosen": "bool",
}
"""Of the columns that are no text."""


def _frame(columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(columns))
    return frame.astype({name: _TYPES.get(name, "str") for name in columns})


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
    unknown = [name for name in by_row if name not in known]
    mistakes = [
        Mistake(f"{where}, {name}", "there is no such row in the published tables") for name in unknown
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
    """Return what is wrong with the lines that decide a row."""
    if row.verdict is not RowVerdict.UNDECIDED:
        hint = "remove the line"
        return [Mistake(where, f"needs no decision: it is {row.verdict}", hint)] if lines else []
    fields = [BASE, *(f"{category}_n" for category in row.printed.categories)]
    options = f"choose among {list_readings(row.best)}; the fields are {', '.join(fields)}"
    if not lines:
        return [Mistake(where, "is undecided and nobody has decided", options)]
    strange = [line["field"] for line in lines if line["field"] not in fields]
    wrong = [Mistake(where, f"{field!r} is not a field", options) for field in strange]
    for line in lines:
        told = f"{line['field']} = {line['value']}"
        lacking = [name for name in ("reason", "decided_by") if not line[name]]
        wrong += [Mistake(where, f"{told} has no {name}") for name in lacking]
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
    fields = [BASE, *(f"{category}_n" for category in row.printed.categories)]
    found = []
    for reading in row.best.readings:
        numbers = dict(zip(fields, (reading.base, *reading.counts), strict=True))
        if all(line["value"] == str(numbers[line["field"]]) for line in lines):
            found.append(reading)
    return found
