"""Tables as people read them: released tables laid out for a page, with the numbers behind the words kept.

A `Table` holds cells of display text, each with the value it sorts by and the notes that stand below the table, and
the tidy rows it was made from, for download. What is study-specific comes from the `Presentation`, by `Labels`.

Which tables there are, and where each is shown, stands in `surveywaves.catalogue`.

made       all tables of a study
layout     what a table is made of, and cells for numbers
respondents, answers, measures, estimates, provenance, audit
           the tables
publish    as files to paste
"""

from surveywaves.tables.layout import Cell, Column, Table

__all__ = ["Cell", "Column", "Table"]
