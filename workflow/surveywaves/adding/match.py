"""Which question asks which item: by wording, one to one, and never by a guess that a person cannot see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from surveywaves.adding.questions import Question
from surveywaves.adding.reference import Asked, Reference
from surveywaves.adding.words import SAME, Change, changes, likeness, likenesses, same, say
from surveywaves.study import Comparability, Item
from surveywaves.wording import normalise

HIGH: Final = 85
"""Score from which a question is taken for a reworded item, if no word that matters differs."""

FLOOR: Final = 65
"""Score from which a question may be an item. Two items of one questionnaire score 40 as a rule, and up to 94."""

MARGIN: Final = 5
"""Points by which a match must be better than the next one."""

SHOWN: Final = 3
"""Candidates that are named."""

_SURE: Final = 10_000.0


@dataclass(frozen=True, slots=True)
class Match:
    """What a layout has for an item.

    Parameters
    ----------
    item
        The item.
    question
        The question that asks it, or is most likely to; None if none does.
    score
        Likeness of the wordings; None where there are no words to compare.
    grade
        How it compares with the instrument; None if that is for a person to say.
    open
        What is to be decided, with the candidates; empty if nothing is.
    wording
        The question's own words, where they differ from the instrument's.
    changes
        Words that differ.
    note
        How the match was made, for the crosswalk.
    """

    item: str
    question: Question | None
    score: int | None
    grade: Comparability | None
    open: str = ""
    wording: str = ""
    changes: tuple[Change, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """A wording of an item that has been graded: the instrument's, or the other wave's own."""

    text: str
    grade: Comparability


def match_items(
    items: Sequence[Item], questions: Sequence[Question], reference: Reference, *, layout: str
) -> list[Match]:
    """Find the question that asks each item, in the order of the items.

    A wording that has the same words as the instrument's is `identical`; one that has the same words as the reference
    wave's is graded as there. Anything else that is near is `reworded` only if no word differs that may matter, and
    otherwise open. No question asks two items.

    Parameters
    ----------
    questions
        Questions that may ask an item.
    layout
        Layout of the reference wave whose column codes may have been used again; "" if it has none like it.
    """
    known = [_known(item, reference.asked.get(item.item)) for item in items]
    scores = _scores(known, questions)
    rows, columns = linear_sum_assignment(_weights(scores), maximize=True)
    chosen = {
        int(item): int(question)
        for item, question in zip(rows, columns, strict=True)
        if scores[item, question] >= FLOOR
    }
    matching = _Matching(items, questions, known, scores, chosen)
    free = [question for place, question in enumerate(questions) if place not in chosen.values()]
    return [
        matching.judge(place)
        if place in chosen
        else _same_code(item, free, reference, layout) or matching.absent(place)
        for place, item in enumerate(items)
    ]


def nearest_items(question: Question, items: Sequence[Item]) -> list[tuple[int, Item]]:
    """Name the items that a question is most like, best first."""
    scores = likenesses(question.wordings, [item.text for item in items]).max(axis=0, initial=0)
    near = sorted(zip(scores.tolist(), items, strict=True), key=lambda one: -one[0])
    return [one for one in near[:SHOWN] if one[0] >= FLOOR]


def _known(item: Item, asked: Asked | None) -> list[_Known]:
    found = [_Known(item.text, Comparability.IDENTICAL)]
    if asked and asked.wording != item.text:
        # Other options are the reference wave's own affair; other words stay other words.
        rescaled = asked.grade is Comparability.RESCALED
        found.append(_Known(asked.wording, Comparability.REWORDED if rescaled else asked.grade))
    return found


def _scores(known: Sequence[Sequence[_Known]], questions: Sequence[Question]) -> NDArray[np.int64]:
    """Score every question against every item: the best of the wordings of both."""
    own = [(place, text) for place, one in enumerate(questions) for text in one.wordings]
    items = [(place, one.text) for place, listed in enumerate(known) for one in listed]
    scores = np.zeros((len(known), len(questions)), dtype=np.int64)
    found = likenesses([text for _, text in items], [text for _, text in own])
    rows = np.array([place for place, _ in items], dtype=np.intp)
    columns = np.array([place for place, _ in own], dtype=np.intp)
    np.maximum.at(scores, (rows[:, None], columns[None, :]), found)
    return scores


def _weights(scores: NDArray[np.int64]) -> NDArray[np.float64]:
    """Let the same words go before any sum of likenesses, and what is below the floor count for nothing."""
    weights = np.where(scores >= FLOOR, scores, 0).astype(np.float64)
    weights[scores == SAME] = _SURE
    return weights


@dataclass(frozen=True, slots=True)
class _Matching:
    """Items, questions and their scores, and which question each item was given (by place)."""

    items: Sequence[Item]
    questions: Sequence[Question]
    known: Sequence[Sequence[_Known]]
    scores: NDArray[np.int64]
    chosen: Mapping[int, int]

    def judge(self, place: int) -> Match:
        """Grade the question that an item was given, or say what speaks against it."""
        item, question = self.items[place], self.questions[self.chosen[place]]
        score = int(self.scores[place, self.chosen[place]])
        if score == SAME:
            return self._same_words(place)
        text = max(question.wordings, key=lambda one: likeness(item.text, one))
        found = tuple(changes(item.text, text))
        said = f"score {score}: {say(found)}"
        rivals = self._rivals(place)
        if score >= HIGH and not rivals and not any(change.matters for change in found):
            return Match(item.item, question, score, Comparability.REWORDED, "", text, found, said)
        candidates = f"reworded ({score}: {say(found)}), or absent"
        if rivals:
            candidates += f"; as near: {', '.join(rivals)}"
        return Match(item.item, question, score, None, candidates, text, found, said)

    def absent(self, place: int) -> Match:
        """Say that an item was not asked, and what came nearest."""
        scores = self.scores[place]
        note = "no question like it"
        if len(scores) and scores.max() >= FLOOR:
            nearest = self.questions[int(scores.argmax())]
            note += f"; nearest: “{nearest.reference}” ({scores.max()}), which asks another item"
        return Match(self.items[place].item, None, None, Comparability.ABSENT, note=note)

    def _same_words(self, place: int) -> Match:
        item, question = self.items[place], self.questions[self.chosen[place]]
        twins = self._twins(place)
        if twins:
            return Match(item.item, question, SAME, None, f"the same words stand twice: {', '.join(twins)}")
        for one in self.known[place]:
            for text in question.wordings:
                if same(one.text, text):
                    kept = one.grade is Comparability.IDENTICAL
                    how = "the same words" if kept else "the same words as in the reference wave"
                    own = "" if kept else text
                    found = tuple(changes(item.text, text))
                    return Match(item.item, question, SAME, one.grade, "", own, found, f"score {SAME}: {how}")
        raise RuntimeError(f"{question.name} has the same words as nothing")

    def _twins(self, place: int) -> list[str]:
        """Name the columns, or the items, that could change places without anybody noticing."""
        chosen, holders = self.chosen[place], {column: item for item, column in self.chosen.items()}
        same_words = self.scores == SAME
        columns = [
            int(other)
            for other in np.flatnonzero(same_words[place])
            if other != chosen and (int(other) not in holders or same_words[holders[int(other)], chosen])
        ]
        if columns:
            return [f"column “{self.questions[column].name}”" for column in (chosen, *columns)]
        items = [int(other) for other in np.flatnonzero(same_words[:, chosen]) if other != place]
        items = [other for other in items if other not in self.chosen]
        return [f"item {self.items[one].item}" for one in (place, *items)] if items else []

    def _rivals(self, place: int) -> list[str]:
        """Name what comes as near, best first: questions for the item, items for the question.

        Who has found the same words is out of the question.
        """
        chosen = self.chosen[place]
        least = max(int(self.scores[place, chosen]) - MARGIN, FLOOR)
        settled = {item: column for item, column in self.chosen.items() if self.scores[item, column] == SAME}
        columns = [
            (int(score), f"column “{self.questions[other].reference}”")
            for other, score in enumerate(self.scores[place])
            if score >= least and other != chosen and other not in settled.values()
        ]
        items = [
            (int(score), self.items[other].item)
            for other, score in enumerate(self.scores[:, chosen])
            if score >= least and other != place and other not in settled
        ]
        near = sorted([*columns, *items], key=lambda one: -one[0])
        return [f"{name} ({score})" for score, name in near[:SHOWN]]


def _same_code(item: Item, questions: Sequence[Question], reference: Reference, layout: str) -> Match | None:
    """Find the column with the other wave's code for an item, in a file that does not say what its codes ask."""
    asked = reference.asked.get(item.item)
    codes = (
        {asked.columns[layout]: f"{reference.wave.name} has it there"}
        if asked and layout in asked.columns
        else {}
    )
    for code, why in {**codes, item.item: "named as the item"}.items():
        for question in questions:
            if not question.wordings and normalise(question.name) == normalise(code):
                candidates = f"identical, reworded or absent ({why}, but the file does not say what it asks)"
                return Match(
                    item.item, question, None, None, candidates, note=f"no wording to compare; {why}"
                )
    return None
