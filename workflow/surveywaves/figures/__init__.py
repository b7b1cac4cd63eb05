"""The figures of the report: one function a figure, from released tables and the study's words to a drawing.

Which figures there are, from what and in what order, stands in `surveywaves.catalogue`.

draw       all of them, saved with their rows, on several cores
drawing    a page for a figure, what is said beside it, saving it as SVG, PDF, PNG and as a slide
style      sheets, type and colours
gallery    a page of them for the documentation
change, likert, heat_map, robustness, respondents, planning
           the figures
"""

from surveywaves.figures.draw import draw_all

__all__ = ["draw_all"]
