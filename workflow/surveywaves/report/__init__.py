"""The report: one self-contained HTML file, made from the tidy tables, the figures and the study's words.

build        from the tables to the page
material     what it is made from
front, moved, respondents, answers, scales, audit, harmonisation, methods
             its sections: sentences, tables and figures in their order
say          sentences whose numbers come from tables
prose        the study's own words, in a few marks of Markdown
blocks       what sections are made of
figures      the data behind each figure
svg          drawings made ready to stand in a page
downloads    tables to take away
page         ids, numbers, and the templates filled in
"""

from surveywaves.report.build import build

__all__ = ["build"]
