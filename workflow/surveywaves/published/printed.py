"""What a published table prints: its rows as they stand, and when a printed percentage agrees with a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from surveywaves.errors import Mistake, PublishedTableError

KEYS: Final = ("table", "row")
BASE: Final = "n_reported"


class Agreement(IntEnum):
    """How a printed percentage stands to a count and its base; the smaller the better."""

    ROUNDED = 0
    TRUNCATED = 1
    CONTRADICTED = 2


@dataclass(frozen=True, slots=True)
class Percentage:
    """A percentage as printed, with the precision that its table gives it.

    Held in whole numbers, so that ties are exact: the value is ``units / scale`` percent and was printed in steps
    of ``step / scale``.
    """

    text: str
    """As printed."""
    units: int
    step: int
    scale: int
    """See above."""
    decimals: int
    """Decimals to write it with."""

    @classmethod
    def read(cls, text: str, *, table_decimals: int) -> Percentage:
        """Read a printed percentage in a table that prints `table_decimals` decimals.

        Fewer decimals than the table's are trailing zeros that were dropped: 38 beside 37.1 is 38.0. More decimals
        that end on a half step (0.5 beside 13) mean that this one was rounded to the nearest half. Any other
        surplus of decimals is taken as that cell's own precision.

        Raises
        ------
        ValueError
            If the text is not a decimal number from 0 to 100.
        """
        value = _decimal(text)
        own = _decimals(text)
        halves = own > table_decimals and value * 2 * 10**table_decimals % 1 == 0
        decimals = table_decimals if halves else max(own, table_decimals)
        scale = 2 * 10**decimals
        return cls(text, int(value * scale), 1 if halves else 2, scale, max(own, table_decimals))

    def agreement(self, count: ArrayLike, base: ArrayLike) -> NDArray[np.int64]:
        """Compare with 100 count / base, elementwise; see `Agreement`.

        Rounded means to the nearest step, ties either up or to the even step: programs differ there. Truncated
        means cut off after the last printed step.
        """
        counts, bases = np.asarray(count, dtype=np.int64), np.asarray(base, dtype=np.int64)
        excess = 100 * self.scale * counts - self.units * bases
        half_step = self.step * bases
        even = (self.units // self.step) % 2 == 0
        rounded = (2 * excess >= -half_step) & (
            (2 * excess <= half_step) if even else (2 * excess < half_step)
        )
        truncated = (excess >= 0) & (excess < half_step)
        graded = np.where(truncated, Agreement.TRUNCATED, Agreement.CONTRADICTED)
        return np.where(rounded, Agreement.ROUNDED, graded).astype(np.int64)

    def judge(self, count: int, base: int) -> Agreement:
        """Compare with one count and base."""
        return Agreement(int(self.agreement(count, base)))

    def rounds_to(self, count: int, base: int) -> str:
        """Print count / base the way this percentage is printed, ties up."""
        steps = Fraction(100 * self.scale * count, base * self.step) + Fraction(1, 2)
        return _fixed(Fraction((steps.numerator // steps.denominator) * self.step, self.scale), self.decimals)

    def __str__(self) -> str:
        return _fixed(Fraction(self.units, self.scale), self.decimals)


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One question of a published table: per category a count and a percentage, and the base they refer to.

    A cell that the table leaves blank is None. It contradicts nothing.
    """

    table: str
    row: str
    categories: tuple[str, ...]
    counts: tuple[int | None, ...]
    percentages: tuple[Percentage | None, ...]
    base: int | None

    @property
    def name(self) -> str:
        """The row in words."""
        return f"table {self.table} row {self.row}"


def read_rows(tables: pd.DataFrame, *, categories: Sequence[str]) -> list[PrintedRow]:
    """Read the rows of published tables.

    Parameters
    ----------
    tables
        One row a question, every column read as text: `table`, `row`, `n_reported`, and for every category
        ``<category>_n`` and ``<category>_pct``. Other columns are ignored.
    categories
        Category codes, in printed order.

    Raises
    ------
    PublishedTableError
        Naming every column that is missing or was read as numbers, every cell that is not a number, and every row
        that stands there twice.
    """
    named = {category: (f"{category}_n", f"{category}_pct") for category in categories}
    needed = [*KEYS, BASE, *(name for pair in named.values() for name in pair)]
    mistakes, hint = [], "read every column as text: dtype=str"
    for name in needed:
        if name not in tables.columns:
            mistakes.append(Mistake(f"published tables, column {name}", "is missing"))
        elif pd.api.types.is_numeric_dtype(tables[name]) and tables[name].notna().any():
            mistakes.append(Mistake(f"published tables, column {name}", "was read as numbers", hint))
    if mistakes:
        raise PublishedTableError(mistakes)

    cells = tables[needed].apply(lambda column: column.map(as_text))
    twice = cells[list(KEYS)].duplicated()
    mistakes += [
        Mistake(f"table {table} row {row}", "stands there twice")
        for table, row in cells.loc[twice, list(KEYS)].itertuples(index=False)
    ]
    precision = {
        table: _table_decimals(text for _, pct in named.values() for text in part[pct])
        for table, part in cells.groupby("table", sort=False)
    }
    rows = []
    for cell in cells.to_dict("records"):
        where, decimals = f"table {cell['table']} row {cell['row']}", precision[cell["table"]]
        counts = tuple(_count(cell[n], where, n, mistakes) for n, _ in named.values())
        shares = tuple(_percentage(cell[pct], decimals, where, pct, mistakes) for _, pct in named.values())
        base = _count(cell[BASE], where, BASE, mistakes)
        rows.append(PrintedRow(cell["table"], cell["row"], tuple(named), counts, shares, base))
    if mistakes:
        raise PublishedTableError(mistakes)
    return rows


def as_text(value: object) -> str:
    """Return a cell as text: "" where it is missing, and 3 for a row number that was read as 3.0."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def own_precision(text: str) -> Percentage:
    """Read a percentage that stands alone, in running text.

    Raises
    ------
    ValueError
        If the text is not a decimal number from 0 to 100.
    """
    return Percentage.read(text, table_decimals=_decimals(text))


def _table_decimals(texts: Iterable[str]) -> int:
    """Decimals that most percentages of a table are printed with; the more, if two are as common."""
    tally = Counter(_decimals(text) for text in texts if text)
    return max(tally, key=lambda decimals: (tally[decimals], decimals), default=0)


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not (value.is_finite() and 0 <= value <= 100):
        raise ValueError(f"{text} is not a percentage from 0 to 100")
    return value


def _count(text: str, where: str, field: str, mistakes: list[Mistake]) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        mistakes.append(Mistake(f"{where}, {field}", f"{text!r} is not a count", "leave a blank cell empty"))
        return None
    return int(text)


def _percentage(
    text: str, decimals: int, where: str, field: str, mistakes: list[Mistake]
) -> Percentage | None:
    if not text:
        return None
    try:
        return Percentage.read(text, table_decimals=decimals)
    except ValueError as error:
        mistakes.append(Mistake(f"{where}, {field}", str(error), "leave a blank cell empty"))
        return None


def _fixed(value: Fraction, decimals: int) -> str:
    return f"{Decimal(value.numerator) / Decimal(value.denominator):.{decimals}f}"
