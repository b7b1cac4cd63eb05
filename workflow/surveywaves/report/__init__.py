"""The report, as one self-contained HTML file and as a PDF, from the tidy tables, the figures and the study's words.

build        from the tables to all that the report says
material     what it is made from
front, moved, respondents, answers, scales, audit, harmonisation, methods
             its sections: sentences, tables and figures in their order
say          sentences whose numbers come from tables
prose        the study's own words, in a few marks of Markdown
blocks       what sections are made of
figures      the data behind each figure
svg          drawings made ready to stand in a page
downloads    tables to take away
page         for the screen: ids, numbers, and the templates filled in
typeset      for paper: everything as data for typst
runs         sentences taken apart for it
columns      how a table stands on paper
"""

from surveywaves.report.build import assemble
from surveywaves.report.page import render
from surveywaves.report.typeset import typeset

__all__ = ["assemble", "render", "typeset"]
