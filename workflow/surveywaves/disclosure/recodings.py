"""The recodings that are released: what the study's codings would do, not what occurred.

The recodings that harmonise lists are those that occurred, each with its count on one kind of form: that one is not
there says that nobody on paper chose this answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pandas as pd

from surveywaves.harmonise.crosswalk import Words, constants_of, questions_of
from surveywaves.study.parts import HarmonisingPart
from surveywaves.text import normalise

RECODING: Final = ("wave", "layout", "column", "variable", "raw", "value")


def recodings(parts: Iterable[HarmonisingPart]) -> pd.DataFrame:
    """Lay out the rules by which waves are harmonised.

    Parameters
    ----------
    parts
        The waves, from a study that has been checked.

    Returns
    -------
    DataFrame
        `wave, layout, column, variable, raw, value`, all text, one row a label of a column: columns as the crosswalk
        names them, labels as the study writes them, in the order of what they mean. What is the same for every
        return of a layout has neither `column` nor `raw`.
    """
    rows = [row for part in parts for layout in part.layouts for row in _layout(part, layout)]
    return pd.DataFrame(rows, columns=list(RECODING), dtype="str")


def _layout(part: HarmonisingPart, layout: str) -> Iterator[tuple[str, ...]]:
    words, _ = Words.of(part, where=part.wave)
    for variable, level in constants_of(part, layout).items():
        yield part.wave, layout, "", variable, "", level
    for question in questions_of(part, words, layout):
        meanings = question.meanings
        for label in meanings.labels:
            value = meanings.value(meanings.states[normalise(label)])
            yield part.wave, layout, question.wanted.column, question.variable, label, value
