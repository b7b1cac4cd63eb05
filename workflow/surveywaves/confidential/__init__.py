"""What must stay with the team that holds the data: answers of individual people, and counts that are small.

content    the heads of columns in a file, whatever it is called: text, Parquet, SPSS, Stata, Excel, archives, pages
check      which files are confidential: by where they lie, by what is in them, by being a copy
staged     the same of what git is about to commit
"""

from surveywaves.confidential.check import PRIVATE, Allowed, Signs, confidential_files, reason_in, signs_of

__all__ = ["PRIVATE", "Allowed", "Signs", "confidential_files", "reason_in", "signs_of"]
