"""Columns that may tell who a respondent is: read to exclude test responses, and no further."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from surveywaves.ingest.raw import Problem, RawTable
from surveywaves.text import normalise

PERSONAL: Final = re.compile(r"ip ?address|e-?mail ?address|(first|last) ?name|custom ?(data|value)( ?\d+)?")
"""What SurveyMonkey adds to an export, in any format, spelled as it was or is."""

_NUMBERED: Final = re.compile(r" \(\d+\)$")


def mark_personal(table: RawTable) -> None:
    """Mark the personal columns and list them, without a word of what stands in them."""
    # A column whose name stood twice was numbered: it is as personal as the first.
    table.personal = frozenset(
        name for name in table.names if PERSONAL.fullmatch(_NUMBERED.sub("", normalise(name)))
    )
    table.problems = [
        replace(problem, value="") if problem.column in table.personal else problem
        for problem in table.problems
    ]
    table.problems.extend(
        Problem(None, name, "", "personal identifier", "not read")
        for name in table.names
        if name in table.personal
    )
