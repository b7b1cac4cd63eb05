"""Which question tells the organisation and the other grouping variables, and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from rapidfuzz import fuzz
from scipy.optimize import linear_sum_assignment

from surveywaves.adding.questions import FEW, Cells, Question, is_wording
from surveywaves.adding.reference import Reference
from surveywaves.adding.returns import NUMBER
from surveywaves.adding.words import HARMLESS, SAME, likeness, words
from surveywaves.harmonise.crosswalk import ORGANISATION
from surveywaves.study import Missing, Study
from surveywaves.wording import normalise

FLOOR: Final = 75
"""Score from which a question may be about a variable."""

NEAR: Final = 60
"""Score from which a level is named as what an answer may mean."""

HALF: Final = 0.5
"""Share of the answers that must be known before they tell what a question is about."""

SHOWN: Final = 3

CONTAINED: Final = 90
"""Score of a question that has all words of what a variable is called, and more."""

MISSING: Final[Mapping[str, Missing]] = {
    "don't know": Missing.DONT_KNOW,
    "dont know": Missing.DONT_KNOW,
    "skipped": Missing.SKIPPED,
    "invalid": Missing.INVALID,
    "not asked": Missing.NOT_ASKED,
}
"""Answers that are called as a reason of a missing value is. What else may be one (`N/A`, `Refused`) is not guessed."""

REASONS: Final = "skipped, dont_know or invalid"


@dataclass(frozen=True, slots=True)
class Variable:
    """A grouping variable as the study and the reference wave know it.

    Parameters
    ----------
    name
        Its name; `ORGANISATION` is one of them.
    called
        Questions and names it has gone by.
    levels
        Its levels, each with the words for it.
    answers
        Answer in words -> level, or reason, as the reference wave maps it.
    codes
        Code -> level or reason, as the reference wave maps it: no evidence, but a candidate.
    wave
        Name of the reference wave.
    """

    name: str
    called: tuple[str, ...]
    levels: Mapping[str, str]
    answers: Mapping[str, str]
    codes: Mapping[str, str] = field(default_factory=dict)
    wave: str = "the reference wave"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a layout holds a variable.

    Parameters
    ----------
    question
        The question, or the most likely one.
    open
        What is to be decided about that; empty if nothing is.
    map
        Answer -> level or reason, or what is to be decided about it (`open_answers` has these).
    words
        Answer -> its label, where a code has one.
    """

    variable: str
    question: Question
    open: str
    map: Mapping[str, str]
    open_answers: frozenset[str]
    words: Mapping[str, str]
    note: str


def variables_of(study: Study, reference: Reference) -> list[Variable]:
    """Gather what the study and the reference wave know of each grouping variable."""
    known = {ORGANISATION: (ORGANISATION, study.config.organisations)}
    known |= {name: (one.label, one.levels) for name, one in study.config.variables.items()}
    found = []
    for name, (label, levels) in known.items():
        source = reference.sources.get(name)
        columns = [] if source is None else list(source.columns.values())
        if source is not None:
            columns += [
                reference.wording_of(layout, column) or "" for layout, column in source.columns.items()
            ]
        answers = {} if source is None else {cell: str(level) for cell, level in source.map.items()}
        found.append(
            Variable(
                name,
                tuple(dict.fromkeys(text for text in (*columns, label, name) if words(text))),
                levels,
                {cell: level for cell, level in answers.items() if not NUMBER.fullmatch(cell)},
                {cell: level for cell, level in answers.items() if NUMBER.fullmatch(cell)},
                reference.wave.name,
            )
        )
    return found


def match_variables(variables: Sequence[Variable], questions: Sequence[Question]) -> list[Source]:
    """Find the question that tells each variable; no question tells two.

    A question that the reference wave asked in the same words is taken, and one of whose answers most are known. One
    that only looks like it is open.
    """
    asked = [question for question in questions if question.cells in FEW]
    if not asked:
        return []
    scores = np.array([[_score(variable, question) for question in asked] for variable in variables])
    found = []
    rows, columns = linear_sum_assignment(scores, maximize=True)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        score = int(scores[row, column])
        if score >= FLOOR:
            others = [
                f"“{asked[other].reference}” ({scores[row, other]})"
                for other in np.argsort(-scores[row], kind="stable")[:SHOWN]
                if other != column and scores[row, other] >= FLOOR
            ]
            found.append(_source(variables[row], asked[column], score, others))
    return found


def meaning(answer: str, variable: Variable) -> str | None:
    """Say which level, or reason, an answer in words means; None if nobody has said so."""
    known = {
        **{label: level for level, label in variable.levels.items()},
        **{one: one for one in variable.levels},
    }
    known |= variable.answers
    for text, level in known.items():
        if words(text) == words(answer) != ():
            return level
    for text, level in known.items():
        if _singular(text) == _singular(answer) != []:
            return level
    return reason(answer)


def reason(answer: str) -> str | None:
    """Say which reason of a missing value an answer is called as."""
    for text, found in MISSING.items():
        if words(text) == words(answer):
            return found.value
    return None


def candidates(answer: str, known: Mapping[str, str]) -> str:
    """Name what an answer may mean, most like it first: words -> meaning."""
    scored: dict[str, int] = {}
    for text, level in known.items():
        score = round(
            max(likeness(text, answer), 0.9 * fuzz.token_set_ratio(normalise(text), normalise(answer)))
        )
        scored[level] = max(score, scored.get(level, 0))
    near = sorted((one for one in scored.items() if one[1] >= NEAR), key=lambda one: -one[1])[:SHOWN]
    return " or ".join([*(f"{level} ({score})" for level, score in near), REASONS])


def _score(variable: Variable, question: Question) -> int:
    texts = question.wordings or (question.name,)
    best = 0
    for called in variable.called:
        for text in texts:
            best = max(best, likeness(called, text))
            own = _content(called)
            if own and own <= _content(text):
                best = max(best, CONTAINED)
    answers = [label for label in question.options.values() if label]
    known = [answer for answer in answers if meaning(answer, variable) in variable.levels]
    share = len(known) / len(answers) if answers else 0.0
    if len(known) > 1 and share >= HALF:
        return round(max(best, SAME * share))
    return best if not answers or known or best == SAME else min(best, SAME - 1)


def _source(variable: Variable, question: Question, score: int, others: Sequence[str]) -> Source:
    answers = [label for label in question.options.values() if label]
    known = [answer for answer in answers if meaning(answer, variable) in variable.levels]
    texts = question.wordings or (question.name,)
    as_before = any(likeness(called, text) == SAME for called in variable.called for text in texts)
    undecided = ""
    if as_before:
        note = f"asked so in {variable.wave}" if is_wording(texts[0]) else "the name it goes by"
    elif len(known) > 1 and len(known) >= HALF * len(answers):
        note = f"{len(known)} of {len(answers)} answers are known"
    else:
        note = f"score {score}"
        undecided = f"{question.reference} ({score})"
        undecided += f"; or {', '.join(others)}" if others else ""
    mapped, open_answers = {}, set()
    for cell, label in sorted(question.options.items(), key=lambda one: by_code(one[0])):
        level = meaning(label, variable) if label else None
        if level is None:
            open_answers.add(cell)
            level = _open_answer(cell, label, question, variable)
        mapped[cell] = level
    labels = {
        cell: label for cell, label in question.options.items() if label and question.cells is Cells.NAMED
    }
    return Source(variable.name, question, undecided, mapped, frozenset(open_answers), labels, note)


def _open_answer(cell: str, label: str, question: Question, variable: Variable) -> str:
    if label:
        return candidates(
            label, {text: level for level, text in variable.levels.items()} | dict(variable.answers)
        )
    before = variable.codes.get(cell)
    # Where the codes are not all the same, an option more or less has most likely moved them.
    if before is None or not question.options.keys() <= variable.codes.keys():
        return f"which level? {variable.wave} had {'other' if variable.codes else 'no'} codes"
    return f"{before} in {variable.wave}; here?"


def by_code(cell: str) -> tuple[float, str]:
    """Sort codes by their number, and labels by their letters behind them."""
    return (float(cell.replace(",", ".")), "") if NUMBER.fullmatch(cell) else (float("inf"), cell)


def _content(text: str) -> set[str]:
    return set(_singular(text)) - HARMLESS


def _singular(text: str) -> list[str]:
    return [word.removesuffix("s") if len(word) > 3 else word for word in words(text)]
