"""Boxes with diagonal stripes, as shapes: a pattern of a file format looks different in every program that opens it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from matplotlib.path import Path

Shape = list[tuple[float, float]]
WHITE: Final = 0.24
"""Share of a stripe that is white."""


def stripes(
    x: float, y: float, width: float, height: float, *, colours: int, thickness: float, white: float = WHITE
) -> Iterator[tuple[int, Shape]]:
    """Cut a box into diagonal stripes with white between; the first colour is left out, the box itself shows there.

    The white keeps stripes apart whose colours are equally dark: without it, in greyscale, they would be one box.

    Parameters
    ----------
    x, y, width, height
        The box, from its top left corner, in mm.
    colours
        How many take turns.
    thickness
        Of a stripe, along the box, in mm.
    white
        Share of a stripe that is white: none is needed where one of two colours is.

    Yields
    ------
    int, list of (float, float)
        Number of the colour (`colours` itself: white), and corners of the stripe. Stripes of all boxes lie on one grid.
    """
    if width <= 0:
        return
    box = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    first, last = math.floor((x + y) / thickness), math.ceil((x + width + y + height) / thickness)
    for number in range(first, last):
        low, high = number * thickness, (number + 1) * thickness
        middle = high - white * thickness
        for place, start, end in ((number % colours, low, middle), (colours, middle, high)):
            if place and start < end:
                shape = _beyond(_beyond(box, start, 1.0), end, -1.0)
                if len(shape) > 2:
                    yield place, shape


def as_path(shapes: Iterable[Shape]) -> Path:
    """Join shapes into one path: one artist draws them all."""
    vertices: Shape = []
    codes: list[np.uint8] = []
    for shape in shapes:
        vertices += [*shape, shape[0]]
        codes += [Path.MOVETO, *[Path.LINETO] * (len(shape) - 1), Path.CLOSEPOLY]
    return Path(vertices, codes)


def _beyond(shape: Shape, limit: float, sign: float) -> Shape:
    """Keep of a convex shape what lies beyond the diagonal x + y = limit (Sutherland and Hodgman 1974)."""
    kept: Shape = []
    for (x0, y0), (x1, y1) in zip(shape, [*shape[1:], *shape[:1]], strict=True):
        before, after = sign * (x0 + y0 - limit), sign * (x1 + y1 - limit)
        if before >= 0:
            kept.append((x0, y0))
        if (before > 0 > after) or (before < 0 < after):
            share = before / (before - after)
            kept.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    return kept
