"""Tables as people read them: tidy frames laid out for a page, with the numbers behind the words kept.

A `Table` holds cells of display text, each with the value it sorts by and the notes that stand below the table, and
the tidy rows it was made from, for download. What is study-specific comes from the `Presentation`, by `Labels`.
"""

from surveywaves.tables.answers import BY_DECISION, Place, answers, favourable, misprint_notes
from surveywaves.tables.estimates import CONTRASTS, contrasts, means, reliability, reliability_items
from surveywaves.tables.layout import (
    Cell,
    Column,
    Table,
    estimate_cell,
    side_of_zero,
    status_cell,
)
from surveywaves.words import (
    Labels,
)

__all__ = [
    "BY_DECISION",
    "CONTRASTS",
    "Cell",
    "Column",
    "Labels",
    "Place",
    "Table",
    "answers",
    "contrasts",
    "estimate_cell",
    "favourable",
    "means",
    "misprint_notes",
    "reliability",
    "reliability_items",
    "side_of_zero",
    "status_cell",
]
