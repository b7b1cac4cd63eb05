"""What the cells of the items mean: response options by their words, and never by their numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from surveywaves.adding.match import REASONS, Match, by_code, candidates, reason
from surveywaves.adding.questions import FEW, NUMBER, Cells, Question, words
from surveywaves.personal import personal_text
from surveywaves.study import Coding, ResponseScale
from surveywaves.study.load import OPEN
from surveywaves.terms import Comparability, Missing
from surveywaves.text import normalise

Value = int | str
"""1..K, a reason of a missing value, or an open decision."""

MANY_ANSWERS: Final = 30
"""Answers from which an option that nobody ticked may not have been there."""

HALF: Final = 0.5

_LEADING: Final = re.compile(r"\d+")

LONGEST: Final = 26
"""Letters of a coding's name that leave room for a number behind it."""


@dataclass(slots=True)
class Draft:
    """A coding as it is drafted.

    Parameters
    ----------
    scale
        Response scale that its values belong to.
    cells
        Kind of the cells it explains.
    values
        Cell -> value.
    words
        Cell -> its label, or what a number would mean.
    users
        Items that it explains.
    """

    scale: str
    cells: Cells
    values: dict[str, Value]
    words: dict[str, str] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)

    def takes(self, other: Draft) -> bool:
        """Tell whether another coding says nothing else of any cell."""
        return (self.scale, self.cells) == (other.scale, other.cells) and all(
            self.values.get(cell, value) == value for cell, value in other.values.items()
        )

    def add(self, other: Draft) -> None:
        """Take over what another coding says."""
        self.values |= other.values
        self.words |= other.words
        self.users += other.users


@dataclass(slots=True)
class Codings:
    """Codings of a layout.

    Parameters
    ----------
    drafts
        Name -> coding.
    default
        Name of the coding of most items, or the decision between two; None if no item has a coding.
    own
        Item -> coding, or decision, where it is not the default.
    rescaled
        Items whose options are those of another response scale, with the words for it.
    doubts
        Item -> what speaks against its options being those of its response scale.
    """

    drafts: dict[str, Draft] = field(default_factory=dict)
    default: str | None = None
    own: dict[str, str] = field(default_factory=dict)
    rescaled: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)


def draft_codings(
    matches: Iterable[Match],
    *,
    asked_on: Mapping[str, str],
    scales: Mapping[str, ResponseScale],
    known: Mapping[str, Coding],
    earlier: Mapping[str, Draft] | None = None,
    carried: Mapping[str, str] | None = None,
) -> Codings:
    """Draft what the cells of a layout's items mean.

    Labels are known by their words: those of the item's response scale, or of another one (then the item is rescaled).
    What else they may be is open. Bare numbers are explained both ways, 1 as the lowest option and 1 as the highest,
    and which it is is open: either is as usual as the other.

    Parameters
    ----------
    asked_on
        Item -> response scale of the instrument.
    known
        Codings of the reference wave: one that knows all labels of a question is taken over, name and all.
    earlier
        Codings of other layouts of the wave: one that says the same is not written again.
    """
    found = Codings()
    shelf = _Shelf(found, dict(earlier or {}))
    before = reasons_before(known.values())
    drafts: list[Draft] = []
    for match in matches:
        if match.question is None:
            continue
        if match.question.cells not in FEW:
            if match.question.cells is not Cells.EMPTY:
                found.doubts[match.item] = f"its cells are {match.question.cells}"
            continue
        name = (carried or {}).get(match.item)
        if name:
            coding = known[name]
            values = {cell: _plain(value) for cell, value in coding.values.items()}
            one = Draft(coding.response_scale, Cells.LABELS, values, users=[match.item])
        else:
            one = _read(match, asked_on[match.item], scales, found, before)
        same = next((other for other in drafts if other.takes(one)), None)
        if same:
            same.add(one)
        else:
            drafts.append(one)
    drafts.sort(key=lambda one: -len(one.users))
    for place, draft in enumerate(drafts):
        chosen = _name(draft, shelf, scales[draft.scale], known, first=place == 0)
        if place == 0:
            found.default = chosen
        else:
            found.own |= dict.fromkeys(draft.users, chosen)
    return found


def options_of(label: str, scale: ResponseScale) -> int | None:
    """Find the option of a response scale that a label is, by its words in any order (`agree strongly`)."""
    for value, option in enumerate(scale.labels, start=1):
        if Counter(words(option)) == Counter(words(label)) and words(label):
            return value
    return None


def on_a_scale(question: Question, scales: Iterable[ResponseScale]) -> bool:
    """Tell whether the answers of a question are mostly those of a response scale."""
    labels = [label for label in question.options.values() if label]
    shares = [sum(options_of(label, scale) is not None for label in labels) for scale in scales]
    return bool(labels) and max(shares, default=0) > HALF * len(labels)


def _read(
    match: Match,
    asked_on: str,
    scales: Mapping[str, ResponseScale],
    found: Codings,
    before: Mapping[str, str],
) -> Draft:
    question = match.question
    assert question is not None
    if question.cells is Cells.NUMBERS:
        own = {cell: label for cell, label in question.options.items() if label}
        return Draft(asked_on, question.cells, dict.fromkeys(question.options, 0), own, [match.item])
    labels = [label for label in question.options.values() if label and reason(label) is None]
    name, exact = _scale_of(labels, asked_on, scales, listed=question.cells is Cells.NAMED)
    stray = [label for label in labels if options_of(label, scales[name]) is None]
    if name != asked_on and stray:
        others = ", ".join(f"`{label}`" for label in stray if not personal_text(label)) or "otherwise"
        found.doubts[match.item] = (
            f"asked with the options of {name}, or of {asked_on} if one is called {others}"
        )
    elif name != asked_on:
        found.rescaled[match.item] = f"asked with the options of {name}, not {asked_on}"
    elif labels and all(options_of(label, scales[asked_on]) is None for label in labels):
        found.doubts[match.item] = f"none of its {len(labels)} answers is an option of {asked_on}"
    elif exact not in {None, asked_on} and question.column.filled >= MANY_ANSWERS:
        found.doubts[match.item] = f"its answers are just the options of {exact}: was it asked with these?"
    scale = scales[name]
    values: dict[str, Value] = {}
    known = {label: options_of(label, scale) for label in question.options.values() if label}
    taken = {str(value) for value in known.values()}
    for cell, label in question.options.items():
        values[cell] = known.get(label) or reason(label) or _open(label, scale, before.get(cell), taken)
    named = {cell: label for cell, label in question.options.items() if question.cells is Cells.NAMED}
    return Draft(name, question.cells, values, named, [match.item])


def _scale_of(
    labels: Sequence[str], asked_on: str, scales: Mapping[str, ResponseScale], *, listed: bool
) -> tuple[str, str | None]:
    """Find the response scale that a question's answers belong to, in doubt the item's own.

    Parameters
    ----------
    listed
        Whether the labels are all that there were, ticked or not.

    Returns
    -------
    name
        The response scale.
    exact
        One of which all options occur and no other answer does.
    """
    options = {name: {options_of(label, scale) for label in labels} for name, scale in scales.items()}
    whole = [name for name, found in options.items() if labels and None not in found]
    complete = [name for name, found in options.items() if len(found - {None}) == scales[name].points]
    exact = next((name for name in complete if name in whole), None)
    if asked_on in complete:
        return asked_on, asked_on
    if listed and complete:
        return exact or complete[0], exact
    if asked_on in whole:
        return asked_on, exact
    if whole:
        return exact or whole[0], exact
    shares = {name: len(found - {None}) for name, found in options.items()}
    best = max(shares, key=lambda name: (shares[name], name == asked_on))
    return (best if shares[best] > HALF * len(labels) else asked_on), None


def _open(label: str, scale: ResponseScale, before: str | None, taken: Iterable[str]) -> str:
    known = f" ({before} in the reference wave)" if before else ""
    if not label:
        return f"{OPEN}: 1 to {scale.points}, {REASONS}{known}"
    options = {text: str(value) for value, text in enumerate(scale.labels, start=1)}
    return f"{OPEN}: {candidates(label, options, taken=tuple(taken))}{known}"


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where codings are put under a name of their own; what stands there already is used again."""

    found: Codings
    earlier: dict[str, Draft]

    def put(self, draft: Draft, wanted: str) -> str:
        """Put a coding there and give its name."""
        for name, other in self.earlier.items():
            if (other.scale, other.values) == (draft.scale, draft.values):
                return name
        name, number = wanted[:LONGEST], 1
        while name in self.earlier:
            number += 1
            name = f"{wanted[:LONGEST]}_{number}"
        self.earlier[name] = self.found.drafts[name] = draft
        return name


def _name(
    draft: Draft, shelf: _Shelf, scale: ResponseScale, known: Mapping[str, Coding], *, first: bool
) -> str:
    """Put a coding on the shelf and give its name; bare numbers get two, and the decision between them."""
    suffix = "" if first else f"_{draft.scale}"
    if draft.cells is Cells.NUMBERS:
        marks = reasons_before(known.values())
        up, down = (_one_way(draft, scale, marks, descending=descending) for descending in (False, True))
        ways = _directions(draft, scale)
        if len(ways) == 1:
            return shelf.put(down if "descending" in ways else up, f"codes{suffix}")
        lowest = next(cell for cell, value in up.values.items() if value == 1)
        ascending = shelf.put(up, f"codes_ascending{suffix}")
        descending = shelf.put(down, f"codes_descending{suffix}")
        called = f"; the file calls {lowest} “{draft.words[lowest]}”" if lowest in draft.words else ""
        first_option, last_option = scale.labels[0], scale.labels[-1]
        return (
            f"{OPEN}: {ascending} ({lowest} = {first_option}) or {descending} ({lowest} = {last_option}){called}"
            f"{_as_before(known, up, down)}"
        )
    for name, before in known.items():
        if draft.cells is Cells.LABELS and _covers(before, draft):
            values = {cell: _plain(value) for cell, value in before.values.items()}
            return shelf.put(Draft(draft.scale, draft.cells, values, users=draft.users), name)
    order = sorted(draft.values, key=by_code) if draft.cells is Cells.NAMED else _by_value(draft.values)
    draft.values = {cell: draft.values[cell] for cell in order}
    return shelf.put(draft, ("labels" if draft.cells is Cells.LABELS else "codes") + suffix)


def reasons_before(known: Iterable[Coding]) -> dict[str, str]:
    """List the cells that the reference wave took for one and the same reason wherever it met them."""
    found: dict[str, set[str]] = {}
    for coding in known:
        for cell, value in coding.values.items():
            found.setdefault(cell, set()).add(str(value))
    reasons = {one.value for one in Missing}
    return {cell: values.pop() for cell, values in found.items() if len(values) == 1 and values <= reasons}


def _as_before(known: Mapping[str, Coding], up: Draft, down: Draft) -> str:
    """Say which way the numbers ran in the reference wave: no evidence, but worth knowing."""
    for name, coding in known.items():
        values = {cell: value for cell, value in coding.values.items() if NUMBER.fullmatch(cell)}
        for way, draft in (("ascending", up), ("descending", down)):
            shared = values.keys() & draft.values.keys()
            alike = all(values[cell] == draft.values[cell] for cell in shared)
            if coding.response_scale == draft.scale and len(shared) > 1 and alike:
                return f"; {way} in `{name}` of the reference wave"
    return ""


def _codes_of(draft: Draft, scale: ResponseScale) -> list[str]:
    """List the numbers that a response scale's options have if they are counted up, from 1 or from 0."""
    numbers = {by_code(cell)[0] for cell in draft.values if NUMBER.fullmatch(cell)}
    start = 0 if 0 in numbers and all(0 <= one < scale.points for one in numbers) else 1
    return [str(number) for number in range(start, start + scale.points)]


def _directions(draft: Draft, scale: ResponseScale) -> set[str]:
    """Say which way the numbers run, as far as cells tell that are a number and an option in words: `1 (lowest)`."""
    codes = _codes_of(draft, scale)
    found = set()
    for cell in draft.values:
        label = draft.words.get(cell) or cell
        number, value = _LEADING.match(cell), options_of(label, scale)
        if number and value and number.group() in codes and any(map(str.isalpha, label)):
            up = codes.index(number.group()) + 1
            ways = {"ascending": up, "descending": scale.points + 1 - up}
            found |= {way for way, one in ways.items() if one == value and len(set(ways.values())) == 2}
    return found


def _one_way(draft: Draft, scale: ResponseScale, marks: Mapping[str, str], *, descending: bool) -> Draft:
    """Explain bare numbers from the lowest option up, or from the highest down; what else stands there stays open."""
    values: dict[str, Value] = {}
    labels = dict(draft.words)
    for place, code in enumerate(_codes_of(draft, scale), start=1):
        value = scale.points + 1 - place if descending else place
        values[code] = value
        labels.setdefault(code, scale.labels[value - 1])
    for cell in sorted(draft.values, key=by_code):
        # A mark (`**`) says the same wherever it stands, a number does not.
        mark = None if NUMBER.fullmatch(cell) else marks.get(cell)
        label = draft.words.get(cell) or cell
        known = options_of(label, scale) or mark or reason(label)
        values.setdefault(cell, known or f"{OPEN}: {REASONS}, or is it no option of {draft.scale}?")
    return Draft(draft.scale, draft.cells, values, labels, list(draft.users))


def _covers(coding: Coding, draft: Draft) -> bool:
    """Tell whether a coding knows every label of a question, and takes none for another option."""
    known = {normalise(cell): _plain(value) for cell, value in coding.values.items()}
    return coding.response_scale == draft.scale and all(
        normalise(cell) in known and (is_open(value) or known[normalise(cell)] == value)
        for cell, value in draft.values.items()
    )


def is_open(value: Value) -> bool:
    """Check whether a value is left for a person to decide."""
    return isinstance(value, str) and value.startswith(OPEN)


def _plain(value: int | Missing) -> Value:
    return value.value if isinstance(value, Missing) else value


def _by_value(values: Mapping[str, Value]) -> Sequence[str]:
    return sorted(values, key=lambda cell: (isinstance(values[cell], str), str(values[cell]).zfill(3), cell))


def grade_of(match: Match, codings: Codings) -> tuple[Comparability | None, str]:
    """Give an item's grade with its response options taken into account, and what is open about it."""
    doubt = codings.doubts.get(match.item, "")
    if doubt:
        was = match.grade.value if match.grade else "reworded"
        also = f"; {match.open}" if match.open else ""
        return None, f"{was}, rescaled or absent ({doubt}){also}"
    if match.item in codings.rescaled and match.grade is not None:
        return Comparability.RESCALED, ""
    return match.grade, match.open
