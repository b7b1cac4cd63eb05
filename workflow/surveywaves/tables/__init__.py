"""Tables as a journal prints them: released tables laid out for a page, one wide table per question.

A `Table` holds cells of display text, each with the number behind it and the notes that stand below the table, and the
released rows it was made from, for download. What is study-specific comes from the `Presentation`, by `Labels`.

Which tables there are, and where each is shown, stands in `surveywaves.catalogue`.

made       all tables of a study
layout     what a table is made of
printed    cells for numbers
change, robustness, statements, respondents, measures, data
           the tables
publish    as files to paste, and one workbook
"""

from surveywaves.tables.layout import Cell, Column, Table

__all__ = ["Cell", "Column", "Table"]
