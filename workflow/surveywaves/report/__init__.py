"""The report, as one self-contained HTML file and as a PDF, from the tidy tables, the figures and the study's words.

build        from the tables to all that the report says, in the sections of `surveywaves.catalogue`
material     what it is made from, what sections are made of, and sentences whose numbers come from tables
answer, respondents, moved, methods
             its sections: sentences, tables and figures in their order
page         for the screen: ids, numbers, downloads, drawings made ready, and the templates filled in
typeset      for paper: everything as data for typst
"""

from surveywaves.report.build import assemble
from surveywaves.report.page import render
from surveywaves.report.typeset import typeset

__all__ = ["assemble", "render", "typeset"]
