"""Numbers as a reader meets them: one way to write a count, a percentage, an estimate, an interval, a p-value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

NONE: Final = "–"
"""What stands where there is no number."""

WITHHELD: Final = "[c]"
"""What stands where a number is withheld: `c` for confidential, in brackets, as the shorthand of the United Kingdom's
Government Analysis Function has it (*Using symbols and shorthand*, 2022): letters are read out, and cannot be taken for
a dash, a zero or the letter of a note."""

WITHHELD_MEANS: Final = f"{WITHHELD}: withheld to protect respondents."

MINUS: Final = "−"

MOST_DECIMALS: Final = 4
"""Decimals that an interval may have at most."""


def is_missing(value: Any) -> bool:
    """Whether a scalar holds nothing: None, NaN, or pandas' NA."""
    return value is None or bool(pd.isna(value))


def as_float(value: Any) -> float:
    """Give a number to sort by; NaN where there is none."""
    return float("nan") if is_missing(value) else float(value)


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """Go through a frame's rows; columns are attributes."""
    return iter(frame.itertuples(index=False))


def whole(value: Any) -> str:
    """Write a count, thousands set apart."""
    return NONE if is_missing(value) else f"{int(value):,}"


def number(value: Any, *, decimals: int = 2, signed: bool = False) -> str:
    """Write an estimate with a true minus sign, and never a negative zero."""
    if is_missing(value):
        return NONE
    text = f"{abs(float(value)):.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS}{text}" if value < 0 else f"+{text}" if signed else text


def percentage(value: Any, *, decimals: int = 1) -> str:
    """Write a percentage that is given in percent, without its sign."""
    return number(value, decimals=decimals)


def share(value: Any, *, decimals: int = 1) -> str:
    """Write a share from 0 to 1 as a percentage, with its sign."""
    return NONE if is_missing(value) else f"{number(100 * float(value), decimals=decimals)}%"


def interval(low: Any, high: Any, *, decimals: int = 2) -> str:
    """Write an interval; "to", because a dash beside minus signs misleads.

    A bound that is nearly zero gets as many decimals as show its side of zero.
    """
    if is_missing(low) or is_missing(high):
        return NONE
    bounds = [float(low), float(high)]
    if any(bound and not round(bound, decimals) for bound in bounds) and decimals < MOST_DECIMALS:
        return interval(low, high, decimals=decimals + 1)
    return " to ".join(number(bound, decimals=decimals) for bound in bounds)


def p_value(value: Any, *, decimals: int = 3) -> str:
    """Write a p-value to three places, or to fewer if no more are known."""
    if is_missing(value):
        return NONE
    smallest = 10.0**-decimals
    return f"<{smallest:.{decimals}f}" if value < smallest else f"{float(value):.{decimals}f}"


def listed(words: list[str]) -> str:
    """Join words: a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))


def shortened(text: str, longest: int = 48) -> str:
    """Cut a long text at a word and say so with an ellipsis."""
    if len(text) <= longest:
        return text
    return f"{text[:longest].rsplit(' ', 1)[0].rstrip(' ,;:.')}…"
