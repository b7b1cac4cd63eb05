"""The audit of a printed row, cell by cell: what it should say, and the evidence in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from surveywaves.published.printed import BASE, Agreement, Percentage, PrintedRow
from surveywaves.published.search import Reading, Readings


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
    cells = _judged_cells(row)
    if row.verdict is not RowVerdict.DECIDED:
        return cells
    return [
        cell._replace(evidence=f"{cell.evidence}; by decision: {row.decision}") if cell.evidence else cell
        for cell in cells
    ]


def row_evidence(row: SettledRow) -> str:
    """Say in words why a row was settled as it was; empty if it agrees as printed."""
    if row.verdict is RowVerdict.UNDECIDED:
        return (
            f"each contradicts {row.best.contradicted} printed cells, none fewer: {list_readings(row.best)}"
        )
    said = [f"{cell.field}: {cell.evidence}" for cell in _judged_cells(row) if cell.evidence]
    if row.verdict is RowVerdict.DECIDED:
        said.insert(0, f"chosen {row.chosen}, among {list_readings(row.best)}: {row.decision}")
    return "; ".join(said)


def list_readings(best: Readings, most: int = 6) -> str:
    """List readings, the nearest to print first, and say how many are left out."""
    shown = [str(reading) for reading in best.readings[:most]]
    hidden = len(best.readings) - len(shown)
    if best.more:
        shown.append(f"more than {hidden} others")
    elif hidden:
        shown.append(f"{hidden} others")
    return " or ".join(shown)


def percent_text(count: int, base: int, decimals: int) -> str:
    """Say count / base as a percentage with a digit more than is printed."""
    return f"{count} of {base} is {100 * count / base:.{decimals + 1}f}%"


def same_digits(a: str, b: str) -> bool:
    """Whether two numbers are written with the same digits in another order."""
    return a != b and sorted(a) == sorted(b)


def one_digit_apart(a: str, b: str) -> bool:
    """Whether two numbers are written alike but for one digit."""
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1


def _judged_cells(row: SettledRow) -> list[Cell]:
    printed, cells = row.printed, []
    for k, category in enumerate(printed.categories):
        count, percentage = printed.counts[k], printed.percentages[k]
        if count is not None:
            judged = _judge_number(row, count, [r.counts[k] for r in row.standing], _CountEvidence(row, k))
            cells.append(
                Cell(printed.table, printed.row, f"{category}_n", category, "count", str(count), *judged)
            )
        if percentage is not None:
            cells.append(
                Cell(
                    printed.table,
                    printed.row,
                    f"{category}_pct",
                    category,
                    "percent",
                    percentage.text,
                    *_judge_percentage(row, percentage, k),
                )
            )
    if printed.base is not None:
        judged = _judge_number(
            row, printed.base, [r.base for r in row.standing], lambda r: _base_evidence(row, r)
        )
        cells.append(Cell(printed.table, printed.row, BASE, "", "base", str(printed.base), *judged))
    return cells


def _judge_number(
    row: SettledRow, printed: int, settled: list[int], evidence: Callable[[Reading], str]
) -> tuple[str, str, str]:
    """Judge a printed count or base: what it should say, the verdict, the evidence."""
    values = set(settled)
    if len(values) > 1:
        return "", CellVerdict.UNDECIDED, f"{' or '.join(map(str, dict.fromkeys(settled)))}"
    value = values.pop()
    if value == printed:
        return str(value), CellVerdict.AGREES, ""
    return str(value), CellVerdict.MISPRINT, evidence(row.standing[0])


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


@dataclass(frozen=True, slots=True)
class _CountEvidence:
    """Why a count was read otherwise than printed."""

    row: SettledRow
    k: int

    def __call__(self, reading: Reading) -> str:
        printed, percentage = self.row.printed.counts[self.k], self.row.printed.percentages[self.k]
        count, base = reading.counts[self.k], reading.base
        sums = f"with {count} the counts add up to {base}"
        if percentage is None:
            return sums
        exact = percent_text(count, base, percentage.decimals)
        if _swapped(self.row.printed, reading, self.k):
            return f"{exact}; count and percentage stand in each other's place; {sums}"
        was = 100 * (printed or 0) / base
        against = f"{printed} would be {was:.{percentage.decimals + 1}f}%, printed {percentage}"
        return f"{exact}; {against}; {sums}{_likeness(str(printed), str(count))}"


def _base_evidence(row: SettledRow, reading: Reading) -> str:
    """Why the base was read otherwise than printed."""
    counts = "the counts" if reading.counts == row.printed.counts else "the counts as settled"
    percentages = [
        (percentage, count)
        for percentage, count in zip(row.printed.percentages, reading.counts, strict=True)
        if percentage is not None
    ]

    def fitting(base: int) -> int:
        return sum(p.judge(count, base) is not Agreement.CONTRADICTED for p, count in percentages)

    printed = row.printed.base or 0
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
    """Say how a misprint may have come about, where it is plain to see."""
    if same_digits(printed, settled):
        return "; the same digits in another order"
    return "; one digit differs" if one_digit_apart(printed, settled) and len(settled) > 1 else ""
