"""Horizontal axes: round numbers where there is room for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from surveywaves.figures.layout import TINY, Page
from surveywaves.figures.style import GREY, REFERENCE


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis in a panel.

    Parameters
    ----------
    start, width
        The panel's left edge and width in mm.
    low, high
        Values at its edges.
    """

    start: float
    width: float
    low: float
    high: float

    def x(self, value: float) -> float:
        """Give a value's place in mm."""
        return self.start + self.width * (value - self.low) / (self.high - self.low)

    def draw(
        self,
        page: Page,
        *,
        top: float,
        bottom: float,
        write: Callable[[float], str],
        reference: Sequence[float] = (),
        spare: float = 1.2,
    ) -> None:
        """Draw a line at every round number from `top` to `bottom`, and the number below; references are darker.

        Numbers at the edges are moved inwards where they would reach further than `spare` mm out of the panel: those
        of neighbouring panels must not touch.
        """
        widest = max(page.width_of(write(end), TINY) for end in (self.low, self.high))
        for value in ticks(self.low, self.high, self.width, widest):
            x = self.x(value)
            page.rule((x, top), (x, bottom), weight=0.4)
            half = page.width_of(write(value), TINY) / 2 - spare
            inside = min(max(x, self.start + half), self.start + self.width - half)
            page.text(
                inside, bottom + page.height_of(0.5, TINY), write(value), TINY, colour=GREY, align="center"
            )
        for value in reference:
            page.rule((self.x(value), top), (self.x(value), bottom), colour=REFERENCE, weight=0.9)


def nice_step(smallest: float) -> float:
    """Give the smallest of 1, 2, 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(smallest))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= smallest * (1 - 1e-9))


def ticks(low: float, high: float, room: float, label_width: float) -> list[float]:
    """Place round numbers on an axis of `room` mm, as many as have room for labels of a width, eight at most."""
    fitting = max(min(int(room / (label_width * 1.35)), 8), 1)
    step = nice_step(max((high - low) / fitting, 1e-9))
    found = _multiples(low, high, step)
    if len(found) < 2 <= fitting:
        # One number is no scale: the next best are those around it, of one digit that differs.
        half = (high - low) / 2
        power = 10.0 ** math.floor(math.log10(half))
        found = _multiples(low, high, math.floor(half / power + 1e-9) * power)
    return found


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def round_ends(values: Iterable[float], *, parts: int = 8) -> tuple[float, float]:
    """Give round ends of an axis that holds all values that are finite (0 and 1 if none is)."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    step = nice_step(max(high - low, 0.1) / parts)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
