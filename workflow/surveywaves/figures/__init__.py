"""The figures of the report: one function per figure, from released tables and the study's words to a drawing.

`surveywaves.catalogue` lists the figures, in order, with the tables that each reads.

saving     draws them all: an SVG to embed in a page and, made from it by typst, PDF and PNG
drawing    a page for a figure: its head and foot, legend and panels
layout     rows with their names, beside panels or a grid of tiles
estimates  estimates of organisations, side by side or ranked
style      sheets, type and colours
gallery    a page of them for the documentation
change, levels, likert, heat_map, robustness, respondents, planning
           the figures
"""
