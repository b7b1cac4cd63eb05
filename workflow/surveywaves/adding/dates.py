"""When returns came in: dates as people and programs write them, and what they may mean."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

ORDERS: Final = ("month first", "day first")

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMBERS: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_CENTURY: Final = 2000


@dataclass(frozen=True, slots=True)
class Readings:
    """What a column of dates may say.

    Parameters
    ----------
    days
        Way of reading -> first and last day; one way if the dates can be read in one way only, or in two that agree;
        none if they cannot be read.
    """

    days: dict[str, tuple[dt.date, dt.date]]

    @property
    def certain(self) -> tuple[dt.date, dt.date] | None:
        """Give first and last day, if there is no doubt of them."""
        found = set(self.days.values())
        return found.pop() if len(found) == 1 else None


def read_dates(texts: Iterable[str]) -> Readings:
    """Read dates in each way that fits all of them: ISO 8601, or three numbers with the day or the month first."""
    listed = list(texts)
    ways: dict[str, Callable[[str], dt.date | None]] = {
        "ISO": _iso,
        ORDERS[0]: lambda text: _numbers(text, month=1, day=3),
        ORDERS[1]: lambda text: _numbers(text, month=3, day=1),
    }
    found = {}
    for way, read in ways.items():
        days = [read(text) for text in listed]
        sure = [day for day in days if day is not None]
        if sure and len(sure) == len(days):
            found[way] = (min(sure), max(sure))
    return Readings(found)


def is_date(text: str) -> bool:
    """Tell whether a cell begins with a date."""
    return bool(_ISO.match(text) or _NUMBERS.match(text))


def _iso(text: str) -> dt.date | None:
    found = _ISO.match(text)
    return _date(*(int(part) for part in found.groups())) if found else None


def _numbers(text: str, *, month: int, day: int) -> dt.date | None:
    found = _NUMBERS.match(text)
    if not found:
        return None
    year = int(found[4])
    return _date(year if year > 99 else year + _CENTURY, int(found[month]), int(found[day]))


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
