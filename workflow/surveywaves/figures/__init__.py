"""Every figure of the report: one function a figure, from tidy tables and the study's words to a drawing.

names      which figures a study has (imports nothing heavy: the workflow asks before it starts)
draw       all of them, in order
save       a drawing as SVG, PDF and PNG, the same bytes on every run; gallery: all of them, on several cores
likert, heat_map, functioning, means, shares, frameworks, over_time, contrasts, sensitivity, planning, reliability,
respondents, response, break_off, agreement
           the figures
likert_chart, time_panels, planning_panels
           their panels, where these take a room of their own; divided: what is known of answers that are withheld
facets     what most of them share: rows of marks with intervals, side by side
layout     a page in millimetres on which nothing overlaps; measure, line: its text; axes: its horizontal axes;
           stripes: of boxes that stand for several things, or for what is withheld
style      sizes, colours, marks; decisions: how decisions look
words      how numbers, waves and their evidence are put
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

    from surveywaves.figures.drawing import Drawing
    from surveywaves.study.parts import Presentation


def draw_all(
    tables: Mapping[str, pd.DataFrame],
    presentation: Presentation,
    *,
    wanted: Collection[str] | None = None,
    columns: Literal[1, 2] | None = None,
) -> Iterator[Drawing]:
    """Draw every figure of a study; see `surveywaves.figures.draw.draw_all`."""
    from surveywaves.figures import draw  # noqa: PLC0415 - matplotlib must not load with the names of the figures

    return draw.draw_all(tables, presentation, wanted=wanted, columns=columns)
