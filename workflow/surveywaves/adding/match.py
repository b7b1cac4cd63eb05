"""Match the questions of a new wave to items, and to the organisation and other grouping variables.

A new wave is compared with a known one: its wordings, their order and its column names. Items are matched by wording,
one to one; a match that is not certain is shown to a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from scipy.optimize import linear_sum_assignment

from surveywaves.adding.questions import FEW, Cells, Question, columns_of, is_wording, questions_of
from surveywaves.errors import RawFileError
from surveywaves.ingest.headers import as_ranges
from surveywaves.ingest.raw import Source as RawSource
from surveywaves.ingest.readers import read_raw
from surveywaves.study import Item, Study, Wave
from surveywaves.terms import ORGANISATION, ROW_SEPARATOR, Comparability, Missing
from surveywaves.text import (
    HARMLESS,
    REORDERED,
    SAME,
    changes,
    known_as,
    likeness,
    normalise,
    number,
    plain,
    same,
    spelled,
    words,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An item as a wave asked it."""

    item: str
    wording: str  # the wave's own words
    grade: Comparability  # how they compare with the instrument's
    columns: Mapping[str, str]  # layout -> column, as the crosswalk names it
    codings: Mapping[str, str]  # layout -> coding of its cells
    scale: str  # response scale that its coding leads to
    place: int | None = None  # its place in the questionnaire; None if the wave's files do not show it


@dataclass(frozen=True, slots=True)
class Reference:
    """A wave as a pattern for another."""

    wave: Wave
    asked: Mapping[str, Asked]  # items that it asked
    ordered: bool = False  # whether the order of its questions is known
    # layout -> column, by its name and by its row label (folded) -> the question; empty without the file
    listed: Mapping[str, Mapping[str, Question]] = field(default_factory=dict)

    def question(self, layout: str, column: str) -> Question | None:
        """Return a column as a question; None if its file is not there."""
        return self.listed.get(layout, {}).get(normalise(column))

    def has(self, layout: str, column: str | None, question: Question, known: Iterable[str]) -> bool:
        """Check whether a question is that of a column of this wave, and the wave explains all of its cells.

        Where the column's file is not there, all cells that the wave explains must be numbers, its codes.
        """
        if column is None or normalise(column) not in map(normalise, (question.name, question.reference)):
            return False
        before, cells = self.question(layout, column), {*map(normalise, known)}
        alike = question.cells is not Cells.NAMED and all(number(cell) is not None for cell in cells)
        if before:
            asked = [set(map(words, one.wordings)) for one in (before, question)]
            alike = before.cells is question.cells and (asked[0] == asked[1] or bool(asked[0] & asked[1]))
        if before and question.cells is Cells.NAMED:
            alike &= all(before.options.get(cell) == label for cell, label in question.options.items())
        return alike and question.cells in FEW and cells.issuperset(map(normalise, question.options))

    def coding_of(self, item: str, layout: str, question: Question) -> str | None:
        """Return the name of an item's coding in this wave, if its column and cells are unchanged."""
        asked = self.asked.get(item)
        if asked is None or layout not in asked.codings:
            return None
        coding = asked.codings[layout]
        known = self.wave.file.codings[coding].values
        return coding if self.has(layout, asked.columns[layout], question, known) else None


def refer_to(study: Study, wave: Wave, root: Path, *, reading: Callable[[str], None]) -> Reference:
    """Collect the questions of a wave from its crosswalk and its raw files; `reading` is told the names of these."""
    texts = {item.item: item.text for item in study.items}
    asked = {}
    for row in wave.crosswalk:
        if row.columns:
            codings = {name: row.coding or wave.file.layouts[name].coding or "" for name in row.columns}
            wording = row.wording or texts[row.item]
            scale = wave.file.codings[next(iter(codings.values()))].response_scale
            asked[row.item] = Asked(row.item, wording, row.comparability, row.columns, codings, scale)
    listed = _read(wave, root, reading)
    places = _places(asked, listed)
    placed = {name: replace(one, place=places.get(name)) for name, one in asked.items()}
    return Reference(wave, placed, bool(places) and len(places) == len(asked), listed)


def _read(wave: Wave, root: Path, reading: Callable[[str], None]) -> dict[str, dict[str, Question]]:
    """Read one file of each layout that is there and can be read."""
    listed: dict[str, dict[str, Question]] = {}
    for file in wave.file.files:
        if file.layout in listed:
            continue
        path = root / file.path
        try:
            if path.is_file():
                reading(file.path)
            source = RawSource(file.path, path, wave.file.layouts[file.layout])
            questions = questions_of(columns_of(read_raw(source)))
        except RawFileError:
            continue
        named = ((name, one) for one in questions for name in (one.reference, one.name))
        listed[file.layout] = {normalise(name): one for name, one in named}
    return listed


def _places(asked: Mapping[str, Asked], listed: Mapping[str, Mapping[str, Question]]) -> dict[str, int]:
    """Find the items' order in the layout that shows most of them."""
    best: dict[str, int] = {}
    for layout, questions in listed.items():
        found = {
            name: questions[normalise(one.columns[layout])].place
            for name, one in asked.items()
            if layout in one.columns and normalise(one.columns[layout]) in questions
        }
        if len(found) > len(best):
            best = found
    return best


HIGH: Final = 85
"""Score from which a question is a reworded item, if no word that matters differs."""
FLOOR: Final = 65
"""Score from which a question may be an item. Two items of one questionnaire usually score 40, and up to 94."""
MARGIN: Final = 5
"""Points by which a match must be better than the next one."""
SHOWN: Final = 3
"""Number of candidates that are named."""
PHRASE: Final = 3
"""Words that a text has at least if it counts as contained in another."""
HELD: Final = 95
"""Similarity to a part of another text from which a text counts as contained in it."""
_SURE: Final = 10_000.0


@dataclass(frozen=True, slots=True)
class Match:
    """The question of a layout for an item, if there is one."""

    item: str  # the item
    question: Question | None  # the question that asks it, or is most likely to; None if none does
    score: int | None  # likeness of the wordings; None where there are no words to compare
    grade: Comparability | None  # comparison with the instrument; None if a person has to decide
    open: str = ""  # the open decision with its candidates, or empty
    wording: str = ""  # the question's own words, where they differ from the instrument's
    note: str = ""  # how the match was made, for the crosswalk


_Known = tuple[str, Comparability]
"""A wording of an item with its grade: the instrument's, or the other wave's own."""


def match_items(
    items: Sequence[Item], questions: Sequence[Question], reference: Reference, *, layout: str
) -> list[Match]:
    """Find the question that asks each item, in the order of the items.

    A wording that has the same words as the instrument's is `identical`; one that has the same words as the reference
    wave's is graded as there. Anything else that is near is `reworded` only if no word differs that may matter, and
    otherwise open. No question asks two items. `layout` is that of the reference wave whose column codes may have been
    used again; "" if it has none like it.
    """
    known = [_known(item, reference.asked.get(item.item)) for item in items]
    questions = _without_stems(questions, {text for listed in known for text, _ in listed})
    scores = _scores(known, questions)
    # The same words go before any sum of likenesses, and what is below the floor counts for nothing.
    weights = np.where(scores == SAME, _SURE, np.where(scores >= FLOOR, scores, 0))
    rows, columns = linear_sum_assignment(weights, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    chosen = {item: question for item, question in pairs if scores[item, question] >= FLOOR}
    matching = _Matching(items, questions, known, scores, chosen)
    free = [question for place, question in enumerate(questions) if place not in chosen.values()]
    return [
        matching.judge(place) or _same_code(item, free, reference, layout) or matching.absent(place)
        for place, item in enumerate(items)
    ]


def _without_stems(questions: Sequence[Question], statements: Iterable[str]) -> list[Question]:
    """Remove the words that precede or follow two or more statements without a separator."""
    wanted = {words(text): text for text in statements if len(words(text)) >= PHRASE}
    lengths = {len(one) for one in wanted}
    found: dict[tuple[int, tuple[str, ...]], dict[int, str]] = {}
    for place, question in enumerate(questions):
        said = words(question.column.label)
        for length in (one for one in lengths if one < len(said)):
            for way, part, stem in ((0, said[-length:], said[:-length]), (1, said[:length], said[length:])):
                if part in wanted:
                    found.setdefault((way, stem), {})[place] = wanted[part]
    alone = {place: text for held in found.values() if len(held) > 1 for place, text in held.items()}
    return [
        replace(one, wordings=tuple(dict.fromkeys((alone[place], *one.wordings)))) if place in alone else one
        for place, one in enumerate(questions)
    ]


def within(one: str, other: str) -> bool:
    """Check whether one text, which may be cut off within a word, is part of the other."""
    short, long = sorted((" ".join(words(text)) for text in (one, other)), key=len)
    return short in long


def nearest_items(question: Question, items: Sequence[Item]) -> list[tuple[int, Item]]:
    """List the items most similar to a question, best first."""
    scores = likenesses(question.wordings, [item.text for item in items]).max(axis=0, initial=0)
    near = sorted(zip(scores.tolist(), items, strict=True), key=lambda one: -one[0])
    return [one for one in near[:SHOWN] if one[0] >= FLOOR]


def likenesses(some: Sequence[str], others: Sequence[str]) -> NDArray[np.int64]:
    """Score each of some wordings against each of others, as `likeness` does; one row for each of the first."""
    first, second = ([" ".join(words(text)) for text in texts] for texts in (some, others))
    if not first or not second:
        return np.zeros((len(first), len(second)), dtype=np.int64)
    in_order = process.cdist(first, second, scorer=fuzz.ratio, dtype=np.float64)
    ordered = [[" ".join(sorted(text.split())) for text in texts] for texts in (first, second)]
    in_any = process.cdist(*ordered, scorer=fuzz.ratio, dtype=np.float64) - REORDERED
    best = np.minimum(np.rint(np.maximum(in_order, in_any)), SAME - 1)
    alike = SAME * np.array([bool(text) for text in first])[:, None]
    scores = np.where(np.array(first)[:, None] == np.array(second)[None, :], alike, best)
    return scores.astype(np.int64)


def _known(item: Item, asked: Asked | None) -> list[_Known]:
    found = [(item.text, Comparability.IDENTICAL)]
    if asked and asked.wording != item.text:
        # Rescaling concerns the reference wave only; the difference in wording remains.
        rescaled = asked.grade is Comparability.RESCALED
        found.append((asked.wording, Comparability.REWORDED if rescaled else asked.grade))
    return found


def _scores(known: Sequence[Sequence[_Known]], questions: Sequence[Question]) -> NDArray[np.int64]:
    """Score every question against every item, by the most similar of their wordings."""
    own = [(place, text) for place, one in enumerate(questions) for text in one.wordings]
    items = [(place, text) for place, listed in enumerate(known) for text, _ in listed]
    scores = np.zeros((len(known), len(questions)), dtype=np.int64)
    found = likenesses([text for _, text in items], [text for _, text in own])
    rows = np.array([place for place, _ in items], dtype=np.intp)
    columns = np.array([place for place, _ in own], dtype=np.intp)
    np.maximum.at(scores, (rows[:, None], columns[None, :]), found)
    for item, question in np.argwhere(_contained([text for _, text in items], [text for _, text in own])):
        place = rows[item], columns[question]
        scores[place] = max(scores[place], FLOOR)
    return scores


def _contained(some: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """Find the pairs of wordings of which one contains the other, possibly cut off; a person has to confirm these."""
    first, second = ([" ".join(words(text)) for text in texts] for texts in (some, others))
    if not first or not second:
        return np.zeros((len(first), len(second)), dtype=np.bool_)
    phrases = [np.array([text.count(" ") >= PHRASE - 1 for text in texts]) for texts in (first, second)]
    alike = process.cdist(first, second, scorer=fuzz.partial_ratio, score_cutoff=HELD, dtype=np.uint8) > 0
    found: NDArray[np.bool_] = alike & phrases[0][:, None] & phrases[1][None, :]
    return found


@dataclass(frozen=True, slots=True)
class _Matching:
    """Items, questions and their scores, and which question each item was given (by place)."""

    items: Sequence[Item]
    questions: Sequence[Question]
    known: Sequence[Sequence[_Known]]
    scores: NDArray[np.int64]
    chosen: Mapping[int, int]

    def judge(self, place: int) -> Match | None:
        """Grade the question assigned to an item, or describe the decision that is left."""
        if place not in self.chosen:
            return None
        item, question = self.items[place], self.questions[self.chosen[place]]
        score = int(self.scores[place, self.chosen[place]])
        if score == SAME:
            return self._same_words(place)
        text = max(question.wordings, key=lambda one: likeness(item.text, one))
        found = changes(item.text, text)
        said = f"score {score}: {'; '.join(map(str, found))}"
        rivals = self._rivals(place)
        if score >= HIGH and not rivals and not any(change.matters for change in found):
            return Match(item.item, question, score, Comparability.REWORDED, "", text, said)
        candidates = f"reworded ({score}: {'; '.join(map(str, found))}), or absent"
        if within(item.text, text):
            candidates = f"identical, {candidates}"
        if rivals:
            candidates += f"; as near: {', '.join(rivals)}"
        return Match(item.item, question, score, None, candidates, text, said)

    def absent(self, place: int) -> Match:
        """Return the match of an item that was not asked, with the nearest question in its note."""
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
        pairs = ((known, text) for known in self.known[place] for text in question.wordings)
        (_, grade), text = next((known, text) for known, text in pairs if same(known[0], text))
        kept = grade is Comparability.IDENTICAL
        how = "the same words" if kept else "the same words as in the reference wave"
        label = question.column.label
        if ROW_SEPARATOR not in label and len(words(label)) > len(words(text)) + 1:
            how += f", in “{plain(label)}”"
        return Match(item.item, question, SAME, grade, "", "" if kept else text, f"score {SAME}: {how}")

    def _twins(self, place: int) -> list[str]:
        """List the columns, or the items, that have the same words and so are interchangeable."""
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
        """List other questions for the item and other items for the question that score about as high, best first.

        Items and questions that were matched by the same words are left out.
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
    code = asked.columns.get(layout) if asked else None
    for wanted, why in ((code, f"{reference.wave.name} has it there"), (item.item, "named as the item")):
        for question in questions:
            if wanted and not question.wordings and normalise(question.name) == normalise(wanted):
                note = f"no wording to compare; {why}"
                own = "" if asked is None or asked.wording == item.text else asked.wording
                if asked and wanted == code and reference.coding_of(item.item, layout, question):
                    return Match(item.item, question, None, asked.grade, wording=own, note=note)
                candidates = f"identical, reworded or absent ({why}, but the file does not say what it asks)"
                return Match(item.item, question, None, None, candidates, note=note)
    return None


def carried_codings(matches: Iterable[Match], reference: Reference, *, layout: str) -> dict[str, str]:
    """Return the coding of the reference wave for each item whose column and cells are unchanged.

    A number that a coding does not contain, in any of its columns, may mean that all codes have moved: then none of
    its items is returned.
    """
    found, moved = dict[str, str](), set[str]()
    for match in matches:
        asked = reference.asked.get(match.item)
        name = asked.codings.get(layout) if asked else None
        if match.question and name:
            known = reference.wave.file.codings[name].values
            if reference.coding_of(match.item, layout, match.question):
                found[match.item] = name
            elif any(number(cell) is not None and cell not in known for cell in match.question.options):
                moved.add(name)
    return {item: name for item, name in found.items() if name not in moved}


VARIABLE_FLOOR: Final = 75
"""Score from which a question may be about a variable."""
NEAR: Final = 60
"""Score from which a level is named as a possible meaning of an answer."""
HALF: Final = 0.5
"""Share of answers that must be known for a question to be identified by them."""
LEVELS_SHOWN: Final = 3
MOST_NAMED: Final = 11
"""Options that are named where an answer may be any of them."""
CONTAINED: Final = 90
"""Score of a question that contains all words of a name of a variable."""
MISSING: Final[Mapping[str, Missing]] = {
    "don't know": Missing.DONT_KNOW,
    "dont know": Missing.DONT_KNOW,
    "skipped": Missing.SKIPPED,
    "invalid": Missing.INVALID,
    "not asked": Missing.NOT_ASKED,
}
"""Answers that name a missing reason. Others that may stand for one (`N/A`, `Refused`) are left open."""

REASONS: Final = "skipped, dont_know, invalid or not_asked"


@dataclass(frozen=True, slots=True)
class Variable:
    """A grouping variable as the study and the reference wave know it."""

    name: str  # its name; `ORGANISATION` is one of them
    called: tuple[str, ...]  # questions and names it has gone by
    levels: Mapping[str, str]  # its levels, each with the words for it
    answers: Mapping[str, str]  # answer in words -> level or missing reason, as the reference wave maps it
    # code -> level or missing reason, as the reference wave maps it: a candidate only
    codes: Mapping[str, str]
    column: str | None  # where the layout that this one is modelled on has it

    @property
    def known(self) -> dict[str, str]:
        """Return the labels and names of the levels and the answers of the reference wave, with their meanings."""
        named = {label: level for level, label in self.levels.items()} | {one: one for one in self.levels}
        return {**named, **self.answers}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a layout holds a variable."""

    variable: str
    question: Question  # the question, or the most likely one
    open: str  # the open decision about that, or empty
    # answer -> level or missing reason, or the decision about it (for those in `open_answers`)
    map: Mapping[str, str]
    open_answers: frozenset[str]
    words: Mapping[str, str]  # answer -> its label, where a code has one
    note: str


def variables_of(study: Study, reference: Reference, layout: str) -> list[Variable]:
    """Collect the names, levels and answers of each grouping variable from the study and the reference wave."""
    known = {ORGANISATION: (ORGANISATION, study.config.organisations)}
    known |= {name: (one.label, one.levels) for name, one in study.config.variables.items()}
    found = []
    for name, (label, levels) in known.items():
        source = reference.wave.file.sources.get(name)
        held = {} if source is None else source.columns
        asked = [reference.question(one, column) for one, column in held.items()]
        columns = [*held.values(), *(one.wording for one in asked if one and one.wordings)]
        answers = {} if source is None else {cell: str(level) for cell, level in source.map.items()}
        called = tuple(dict.fromkeys(text for text in (*columns, label, name) if words(text)))
        said = {cell: level for cell, level in answers.items() if number(cell) is None}
        codes = {cell: level for cell, level in answers.items() if number(cell) is not None}
        found.append(Variable(name, called, levels, said, codes, held.get(layout)))
    return found


def match_variables(
    variables: Sequence[Variable], questions: Sequence[Question], reference: Reference, *, layout: str
) -> list[Source]:
    """Find the question for each variable; no question is used for two.

    A question with the wording of the reference wave is accepted, and so is one with mostly known answers; one that is
    merely similar is left open. Codes keep their meanings where the column and all of its codes are unchanged.
    """
    asked = [question for question in questions if question.cells in FEW]
    if not asked:
        return []
    scores = np.array([[_score(variable, question) for question in asked] for variable in variables])
    found = []
    rows, columns = linear_sum_assignment(scores, maximize=True)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        variable, question, score = variables[row], asked[column], int(scores[row, column])
        answers = {**variable.answers, **variable.codes}
        if score < VARIABLE_FLOOR:
            continue
        if reference.has(layout, variable.column, question, answers):
            note = f"as in {reference.wave.name}: the same column and codes"
            mapped = {cell: answers[cell] for cell in sorted(question.options, key=by_code)}
            found.append(Source(variable.name, question, "", mapped, frozenset(), {}, note))
            continue
        others = [
            f"“{asked[other].reference}” ({scores[row, other]})"
            for other in np.argsort(-scores[row], kind="stable")[:LEVELS_SHOWN]
            if other != column and scores[row, other] >= VARIABLE_FLOOR
        ]
        found.append(_source(variable, question, score, others, reference.wave.name))
    return found


def meaning(answer: str, variable: Variable) -> str | None:
    """Return the level or missing reason that an answer in words is known to mean; None if there is none."""
    known = variable.known
    said = _singular(spelled(answer))
    plural = {level for text, level in known.items() if _singular(spelled(text)) == said != []}
    return known_as(answer, known) or (plural.pop() if len(plural) == 1 else reason(answer))


def reason(answer: str) -> str | None:
    """Return the missing reason that an answer names; None if it names none."""
    found = known_as(answer, MISSING)
    return found.value if found else None


def candidates(answer: str, known: Mapping[str, str], *, taken: Collection[str] = ()) -> str:
    """List the possible meanings of an answer: the most similar ones, or else all, and the missing reasons.

    If all known meanings are taken by other answers to the question, only the missing reasons are listed.
    """
    scored: dict[str, int] = {}
    folded = normalise(answer).rstrip(".…")
    for text, level in known.items():
        score = max(likeness(text, answer), 0.9 * fuzz.token_set_ratio(normalise(text), normalise(answer)))
        starts = (folded, *as_ranges(answer)) if len(folded) >= PHRASE else ()
        if starts and normalise(text).startswith(starts):
            score = SAME - 1  # cut off, or a range of which Excel made a date
        scored[level] = max(round(score), scored.get(level, 0))
    near = sorted((one for one in scored.items() if one[1] >= NEAR), key=lambda one: -one[1])[:LEVELS_SHOWN]
    named = [f"{level} ({score})" for level, score in near]
    if not near and not scored.keys() <= {*taken}:
        named = [level if text in level else f"{level} ({text})" for text, level in known.items()]
        stars = sum(map(answer.count, "*★⭐"))
        named = named[stars - 1 : stars] or named
    return " or ".join([", ".join(named[:MOST_NAMED]), REASONS] if named and not near else [*named, REASONS])


def _score(variable: Variable, question: Question) -> int:
    texts = question.wordings or (question.name,)
    best = 0
    for called in variable.called:
        for text in texts:
            best = max(best, likeness(called, text))
            own = _content(called)
            if own and own <= _content(text):
                best = max(best, CONTAINED)
    known, answers = _levels_told(variable, question)
    share = known / answers if answers else 0.0
    if known > 1 and share >= HALF:
        return round(max(best, SAME * share))
    return best if not answers or known or best == SAME else min(best, SAME - 1)


def _levels_told(variable: Variable, question: Question) -> tuple[int, int]:
    """Count the answers in words that are known as a level of a variable, and all answers in words."""
    answers = [label for label in question.options.values() if label]
    return sum(meaning(answer, variable) in variable.levels for answer in answers), len(answers)


def _source(variable: Variable, question: Question, score: int, others: Sequence[str], wave: str) -> Source:
    known, answers = _levels_told(variable, question)
    texts = question.wordings or (question.name,)
    as_before = any(likeness(called, text) == SAME for called in variable.called for text in texts)
    undecided = ""
    if as_before:
        note = f"asked so in {wave}" if is_wording(texts[0]) else "the name it goes by"
    elif known > 1 and known >= HALF * answers:
        note = f"{known} of {answers} answers are known"
    else:
        note = f"score {score}"
        undecided = f"{question.reference} ({score})"
        undecided += f"; or {', '.join(others)}" if others else ""
    mapped, open_answers = {}, set()
    bare = [cell for cell, label in question.options.items() if not label]
    # Where some codes are new, an option was probably added or removed, which moves the others.
    alike = bool(bare) and question.options.keys() <= variable.codes.keys()
    means = {cell: meaning(label, variable) if label else None for cell, label in question.options.items()}
    shared, times = Counter(means.values()), Counter(map(normalise, question.options.values()))
    exact = set(map(normalise, variable.known))
    for cell, label in sorted(question.options.items(), key=lambda one: by_code(one[0])):
        level = means[cell] if label else variable.codes[cell] if alike else None
        # Two answers of similar words may be two levels.
        twice = question.cells is Cells.NAMED and times[normalise(label)] > 1
        own = normalise(label) in exact and not twice
        if level is None or (label and shared[level] > 1 and not own):
            open_answers.add(cell)
            codes = f"which level? {wave} had {'other' if variable.codes else 'no'} codes"
            level = candidates(label, variable.known) if label else codes
        mapped[cell] = level
    if alike:
        codes = ", ".join(f"{cell} = {level}" for cell, level in mapped.items())
        undecided = f"{undecided or question.reference}; its codes as in {wave}: {codes}"
    labels = {cell: label for cell, label in question.options.items() if label}
    labels = labels if question.cells is Cells.NAMED else {}
    return Source(variable.name, question, undecided, mapped, frozenset(open_answers), labels, note)


def by_code(cell: str) -> tuple[float, str]:
    """Return a sort key: codes by number, then labels by their letters."""
    value = number(cell)
    return (float("inf") if value is None else value, cell)


def _content(text: str) -> set[str]:
    return set(_singular(words(text))) - HARMLESS


def _singular(listed: Iterable[str]) -> list[str]:
    return [word.removesuffix("s") if len(word) > 3 else word for word in listed]
