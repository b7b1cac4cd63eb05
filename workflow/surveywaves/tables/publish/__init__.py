"""Tables for publication: the tables of the report as files to paste, in HTML, Word, LaTeX and CSV.

sheet      a table taken apart once, for every form that it is written in, with what must stand below it
paper      how it stands on paper: upright or turned, size of type, width of columns
great, word, latex
           the forms, and a page that lists the tables
write      all files
"""

from surveywaves.tables.publish.sheet import Publication, publications
from surveywaves.tables.publish.write import files, written

__all__ = ["Publication", "files", "publications", "written"]
