"""The report, as one self-contained HTML file and as a PDF: released tables, figures and the study's words.

numbers      numbers for sentences, each with where it comes from, and what sections are made from
sections     the sections, Markdown from templates
summary      the first of them: what was found, from decisions
build        sections, tables and figures as one document: places, numbers, names
page         for the screen
paper        for print
"""

from surveywaves.report.build import assemble, packages
from surveywaves.report.page import render
from surveywaves.report.paper import typeset

__all__ = ["assemble", "packages", "render", "typeset"]
