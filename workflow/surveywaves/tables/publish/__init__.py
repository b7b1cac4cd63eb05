"""Tables for publication: the tables of the report as files to paste, in HTML, Word, LaTeX and CSV.

names      which tables a study has
chosen     the tables, each with what must stand below it
sheet      a table taken apart once, for every form that it is written in
shape      how it stands on paper: upright or turned, size of type, width of columns
great, word, latex, delimited
           the forms
contents   a page that lists the tables
write      all files
"""

from surveywaves.tables.publish.names import FORMATS
from surveywaves.tables.publish.sheet import Choice, Publication, publications
from surveywaves.tables.publish.write import files, written

__all__ = ["FORMATS", "Choice", "Publication", "files", "publications", "written"]
