"""The recodings that are released: what the study's codings would do, not what occurred.

The recodings that harmonise lists are those that occurred, each with its count on one kind of form: that one is not
there says that nobody on paper chose this answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import pandas as pd

from surveywaves.harmonise.crosswalk import Words, constants_of, questions_of
from surveywaves.personal import ordinary, words_of
from surveywaves.study.parts import HarmonisingPart
from surveywaves.text import normalise

RECODING: Final = ("wave", "layout", "column", "variable", "raw", "value")


NOT_SHOWN: Final = "(other words)"
"""Stands for a label that may be somebody's own words."""

OTHERS: Final = "(anything else)"
"""Stands for what no line of a coding or map explains."""


def recodings(parts: Iterable[HarmonisingPart], labels: Collection[str] = ()) -> pd.DataFrame:
    """Lay out the rules by which waves are harmonised.

    A label of a coding came from a cell once: a job title, or what somebody wrote beside the boxes. It is shown if it
    is what the study calls an option or level, or if all its words are those of such labels or of any questionnaire;
    whether it is says nothing of how many gave it.

    Parameters
    ----------
    parts
        The waves, from a study that has been checked.
    labels
        What the study calls its response options, organisations and levels.

    Returns
    -------
    DataFrame
        `wave, layout, column, variable, raw, value`, all text, one row a label of a column (those not shown together,
        one row a value): columns as the crosswalk names them, labels as the study writes them, in the order of what
        they mean. What is the same for every return of a layout has neither `column` nor `raw`.
    """
    words = words_of(labels)
    rows = [row for part in parts for layout in part.layouts for row in _layout(part, layout, words)]
    return pd.DataFrame(list(dict.fromkeys(rows)), columns=list(RECODING), dtype="str")


def _layout(part: HarmonisingPart, layout: str, known: frozenset[str]) -> Iterator[tuple[str, ...]]:
    words, _ = Words.of(part, where=part.wave)
    own = [pair for one in part.files if one.layout == layout for pair in one.constants.items()]
    for variable, level in [*constants_of(part, layout).items(), *own]:
        yield part.wave, layout, "", variable, "", level
    for question in questions_of(part, words, layout):
        meanings = question.meanings
        about = (part.wave, layout, question.wanted.column, question.variable)
        for label in meanings.labels:
            shown = label if ordinary(label, known) else NOT_SHOWN
            yield *about, shown, meanings.value(meanings.states[normalise(label)])
        if meanings.others is not None:
            yield *about, OTHERS, meanings.value(meanings.others)
