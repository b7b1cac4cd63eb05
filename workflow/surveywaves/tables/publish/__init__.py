"""Tables for publication: the tables of the report as files to paste, in HTML, Word, LaTeX and CSV, and one workbook.

page       as HTML, by great-tables: within the report, and as a page of its own; and a page that lists the tables
paper      as Word and LaTeX, by pandoc from that HTML
workbook   all tables in a workbook, a sheet a table
rows       the rows behind a table as CSV
write      all files
"""

from surveywaves.tables.publish.page import html
from surveywaves.tables.publish.write import files

__all__ = ["files", "html"]
