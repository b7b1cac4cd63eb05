"""The figures of the report: one function per figure, from released tables and the study's words to a drawing.

Which figures there are, from what and in what order, stands in `surveywaves.catalogue`.

saving     all of them: an SVG that stands in a page, and by typst from it PDF and PNG
drawing    a page for a figure: its head and foot, legend and panels
layout     rows with their names, beside panels or a grid of tiles; ranked intervals
style      sheets, type and colours
gallery    a page of them for the documentation
change, levels, likert, heat_map, robustness, respondents, planning
           the figures
"""
