"""The figures of the report: one function a figure, from released tables and the study's words to a drawing.

Which figures there are, from what and in what order, stands in `surveywaves.catalogue`.

draw       all of them, saved with their rows, on several cores
drawing    a drawing and what is said beside it, saved as SVG, PDF and PNG: the same bytes on every run
gallery    a page of them for the documentation
likert, heat_map, functioning, means, over_time, contrasts, sensitivity, planning, reliability, respondents, response,
break_off, agreement
           the figures
facets     what most of them share: rows of marks with intervals, side by side
layout     a page in millimetres on which nothing overlaps: text, axes, stripes, sizes, colours and marks
"""

from surveywaves.figures.draw import draw_all

__all__ = ["draw_all"]
