"""Floor and ceiling: how many stand at an end of the scale, where change can no longer show."""

from __future__ import annotations

import numpy as np

from surveywaves.reliability.answers import Answers, Row


def floor(answers: Answers) -> Row:
    """Percentage with the lowest score that the response range allows."""
    return _at(answers, answers.options.response_range[0])


def ceiling(answers: Answers) -> Row:
    """Percentage with the highest score that the response range allows."""
    return _at(answers, answers.options.response_range[1])


def _at(answers: Answers, end: int) -> Row:
    # A mean of scores is at the end of their range only if every one of them is.
    return {"estimate": float(100 * np.mean((answers.complete == end).all(axis=1)))}
