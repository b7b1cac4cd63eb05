"""Map the cells of items to response options: by their words, never by their numbers alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from surveywaves.adding.match import HALF, REASONS, Match, by_code, candidates, reason
from surveywaves.adding.questions import FEW, Cells, Question
from surveywaves.personal import personal_text
from surveywaves.study import Coding, ResponseScale
from surveywaves.study.load import OPEN
from surveywaves.terms import Comparability, Missing
from surveywaves.text import known_as, listed, normalise, number, spelled, unique, words

Value = int | str
"""1..K, a reason of a missing value, or an open decision."""
BARE: Final = 0
"""Placeholder for a number without a label, until its block of questions has been examined."""
MANY_ANSWERS: Final = 30
"""Number of answers from which an option that nobody ticked may not have been offered."""
LONGEST: Final = 26
"""Characters of a coding's name, which leave room for a number after it."""
_LEADING: Final = re.compile(r"-?\d{1,9}")
_BETWEEN: Final = re.compile(r"\s*[,;/&+|]\s*|\s+")


@dataclass(slots=True)
class Draft:
    """A draft of a coding."""

    scale: str  # response scale that its values belong to
    cells: Cells  # kind of the cells it explains
    values: dict[str, Value]  # cell -> value
    # cell -> its label, or the option that a number stands for
    words: dict[str, str] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)  # items that it explains
    place: int = 0  # place of its first column in the file
    # possible numbers of the lowest option, where cells are numbers without labels
    starts: tuple[int, ...] = ()
    remark: str = ""  # comment for the person who decides

    @property
    def bare(self) -> dict[str, int]:
        """Return the cells that are numbers without a label, with their values."""
        return {cell: _whole(cell) or 0 for cell, value in self.values.items() if value == BARE}

    def takes(self, other: Draft) -> bool:
        """Check whether another coding agrees on every shared cell; two open decisions agree, whatever they offer."""
        both = [(self.values[cell], value) for cell, value in other.values.items() if cell in self.values]
        return (self.scale, self.cells, self.starts) == (other.scale, other.cells, other.starts) and all(
            one == value or (is_open(one) and is_open(value)) for one, value in both
        )

    def add(self, other: Draft) -> None:
        """Add the cells, labels and items of another coding."""
        self.values = other.values | self.values
        self.words = other.words | self.words
        self.users += other.users


@dataclass(slots=True)
class Codings:
    """Codings of a layout."""

    drafts: dict[str, Draft] = field(default_factory=dict)  # name -> coding
    # name of the coding of most items, or the decision between several; None if no item has a coding
    default: str | None = None
    # item -> coding, or decision, where it is not the default
    own: dict[str, str] = field(default_factory=dict)
    # items whose options are those of another response scale, with the words for it
    rescaled: dict[str, str] = field(default_factory=dict)
    # item -> what speaks against its options being those of its response scale
    doubts: dict[str, str] = field(default_factory=dict)
    shelf: dict[str, Draft] = field(default_factory=dict)  # these codings and those of other layouts, by name

    def put(self, draft: Draft, wanted: str) -> str:
        """Add a coding to the shelf, unless one there contains it, and return the name."""
        for name, other in self.shelf.items():
            if other.scale == draft.scale and draft.values.items() <= other.values.items():
                return name
        name = unique(wanted[:LONGEST], self.shelf)
        self.shelf[name] = self.drafts[name] = draft
        return name


def draft_codings(
    matches: Iterable[Match],
    *,
    asked_on: Mapping[str, str],
    scales: Mapping[str, ResponseScale],
    known: Mapping[str, Coding],
    earlier: Mapping[str, Draft] | None = None,
    carried: Mapping[str, str] | None = None,
) -> Codings:
    """Draft the codings of a layout's items.

    Labels are matched by their words to the options of the item's response scale, or of another scale (then the item
    is rescaled); any other label is left as an open decision. Numbers without labels are coded block by block, within
    the range of numbers that occur, in both directions: as nothing tells which one applies, that is left open too.

    Parameters
    ----------
    asked_on
        Item -> response scale of the instrument.
    known
        Codings of the reference wave: one that contains all labels of a question is reused under its name.
    earlier
        Codings of other layouts of the wave, which are reused where they agree.
    carried
        Item -> coding of the reference wave that still applies, as column and codes are unchanged.
    """
    found = Codings(shelf=dict(earlier or {}))
    before = reasons_before(known.values())
    read = []
    for match in matches:
        question = match.question
        if question is not None and (kept := (carried or {}).get(match.item)):
            name = known[kept].response_scale
            read.append(
                Draft(name, Cells.LABELS, known[kept].model_dump(mode="json")["values"], users=[match.item])
            )
        elif question is not None and question.cells in FEW:
            name = asked_on[match.item]
            if question.cells is not Cells.NUMBERS:
                name = _scale_of(match, question, name, scales, found)
            read.append(_read(match.item, question, name, scales[name], before))
        elif question is not None and question.cells is not Cells.EMPTY:
            found.doubts[match.item] = f"its cells are {question.cells}"
    for name, scale in scales.items():
        _lay_out([one for one in read if one.scale == name and one.bare], scale.points)
    drafts: list[Draft] = []
    for one in read:
        if same := next((other for other in drafts if other.takes(one)), None):
            same.add(one)
        else:
            drafts.append(one)
    drafts.sort(key=lambda one: -len(one.users))
    for place, draft in enumerate(drafts):
        _part_alike(draft, scales[draft.scale])
        start = "".join(f"_from_{one}" for one in draft.starts) if len(draft.starts) == 1 else ""
        suffix = "" if place == 0 else f"_{draft.scale}" if draft.scale != drafts[0].scale else start
        chosen = _name(draft, found, scales[draft.scale], known, suffix)
        if place == 0:
            found.default = chosen
        else:
            found.own |= dict.fromkeys(draft.users, chosen)
    return found


def option_of(label: str, scale: ResponseScale) -> int | None:
    """Find the option that a label names; a number names one only if all options of the scale are numbers."""
    if number(label) is not None and any(number(option) is None for option in scale.labels):
        return None
    return known_as(label, {option: value for value, option in enumerate(scale.labels, start=1)})


def _perhaps(label: str, scale: ResponseScale) -> int | None:
    """Find the option that a label names, or the only one with the same words in any order (`agree strongly`)."""
    if value := option_of(label, scale):
        return value
    for counted in (words, lambda text: [word for word in words(text) if not word.isdecimal()]):
        own = Counter(counted(label))
        options = enumerate(scale.labels, start=1)
        if alike := [value for value, one in options if own and Counter(counted(one)) == own]:
            return alike[0] if len(alike) == 1 else None
    return None


def on_a_scale(question: Question, scales: Iterable[ResponseScale]) -> bool:
    """Check whether most answers to a question are options of a response scale."""
    labels = [label for label in question.options.values() if label]
    shares = [sum(_perhaps(label, scale) is not None for label in labels) for scale in scales]
    return bool(labels) and max(shares, default=0) > HALF * len(labels)


def _read(item: str, question: Question, name: str, scale: ResponseScale, before: Mapping[str, str]) -> Draft:
    """Code the cells of a question by their labels; numbers without a label are coded as `BARE`."""
    bare = question.cells is Cells.NUMBERS
    values: dict[str, Value] = {}
    taken = {str(option_of(label, scale)) for label in question.options.values()}
    for cell, label in question.options.items():
        text = label or (cell if bare else "")
        # A mark (`**`) means the same in every question, a number does not.
        mark = before.get(cell) if bare and number(cell) is None else None
        values[cell] = option_of(text, scale) or mark or reason(text) or BARE
        if values[cell] == BARE and not (bare and _whole(cell) is not None):
            values[cell] = _open(cell, label, scale, before.get(cell), taken)
    labels = {cell: label for cell, label in question.options.items() if label and label != cell}
    return Draft(name, question.cells, values, labels, [item], question.place)


def _part_alike(draft: Draft, scale: ResponseScale) -> None:
    """Leave cells open that share an option without being written alike: two codes of one label, `Agree!`."""
    for value, option in enumerate(scale.labels, start=1):
        cells = [cell for cell, one in draft.values.items() if one == value]
        texts = {cell: spelled(cell) if number(cell) is not None else normalise(cell) for cell in cells}
        named = any(cell in draft.words for cell in cells)
        if len(cells) < 2 or (len(set(texts.values())) == 1 and not named):
            continue
        alike = listed([f"`{one}`" for one in cells])
        asked = f"{OPEN}: {value} = {option}, or another? {alike} are alike; or {REASONS}"
        for cell in (cell for cell in cells if named or texts[cell] != normalise(option)):
            draft.values[cell] = asked


def _scale_of(
    match: Match, question: Question, asked_on: str, scales: Mapping[str, ResponseScale], found: Codings
) -> str:
    """Find the response scale of a question with labels, by default the item's own; note evidence against that."""
    labels = [label for label in question.options.values() if label and reason(label) is None]
    options = {name: {_perhaps(label, scale) for label in labels} for name, scale in scales.items()}
    whole = [name for name, held in options.items() if labels and None not in held]
    complete = [name for name, held in options.items() if len(held - {None}) == scales[name].points]
    exact = asked_on if asked_on in complete else next((name for name in complete if name in whole), None)
    shares = {name: len(held - {None}) for name, held in options.items()}
    best = max(shares, key=lambda name: (shares[name], name == asked_on))
    name = asked_on
    if asked_on not in complete:
        if complete and question.cells is Cells.NAMED:  # the file lists all labels, ticked or not
            name = exact or complete[0]
        elif whole and asked_on not in whole:
            name = exact or whole[0]
        elif not whole and shares[best] > HALF * len(labels):
            name = best
    stray = [label for label in labels if _perhaps(label, scales[name]) is None]
    if name != asked_on and stray:
        others = ", ".join(f"`{label}`" for label in stray if not personal_text(label)) or "otherwise"
        said = f"asked with the options of {name}, or of {asked_on} if one is called {others}"
        found.doubts[match.item] = said
    elif name != asked_on:
        found.rescaled[match.item] = f"asked with the options of {name}, not {asked_on}"
    elif labels and len(stray) == len(labels):
        found.doubts[match.item] = f"none of its {len(labels)} answers is an option of {asked_on}"
    elif exact not in {None, asked_on} and question.column.filled >= MANY_ANSWERS:
        found.doubts[match.item] = f"its answers are just the options of {exact}: was it asked with these?"
    return name


def _open(cell: str, label: str, scale: ResponseScale, before: str | None, taken: Collection[str]) -> str:
    known = f" ({before} in the reference wave)" if before else ""
    if len(parts := _BETWEEN.split(cell)) > 1 and all(_whole(part) is not None for part in parts):
        return f"{OPEN}: invalid (two ticks?), or {REASONS}{known}"
    if not label:
        return f"{OPEN}: 1 to {scale.points}, {REASONS}{known}"
    options = {text: str(value) for value, text in enumerate(scale.labels, start=1)}
    return f"{OPEN}: {candidates(label, options, taken=taken)}{known}"


def _whole(cell: str) -> int | None:
    """Read a cell that is a whole number."""
    value = number(cell)
    return int(value) if value is not None and value.is_integer() else None


def _name(
    draft: Draft, found: Codings, scale: ResponseScale, known: Mapping[str, Coding], suffix: str
) -> str:
    """Add a coding to the shelf and return its name; for numbers, several codings and the decision between them."""
    if draft.bare:
        return _name_numbers(draft, found, scale, known, suffix)
    for name, before in known.items() if draft.cells is Cells.LABELS else ():
        values = before.model_dump(mode="json")["values"]
        folded = {normalise(cell): value for cell, value in values.items()}
        said = [(folded.get(normalise(cell)), value) for cell, value in draft.values.items()]
        agrees = all(one is not None and (is_open(value) or one == value) for one, value in said)
        if agrees and before.response_scale == draft.scale:
            return found.put(Draft(draft.scale, draft.cells, values, users=draft.users), name)
    order = sorted(draft.values, key=by_code)
    if draft.cells is Cells.LABELS:
        order.sort(key=lambda cell: (isinstance(draft.values[cell], str), str(draft.values[cell]).zfill(3)))
    draft.values = {cell: draft.values[cell] for cell in order}
    return found.put(draft, ("labels" if draft.cells is Cells.LABELS else "codes") + suffix)


def reasons_before(known: Iterable[Coding]) -> dict[str, str]:
    """List the cells that all codings of the reference wave map to one and the same missing reason."""
    found: dict[str, set[str]] = {}
    for coding in known:
        for cell, value in coding.values.items():
            found.setdefault(cell, set()).add(str(value))
    reasons = {one.value for one in Missing}
    return {cell: values.pop() for cell, values in found.items() if len(values) == 1 and values <= reasons}


# --- bare numbers ---------------------------------------------------------------------------------------------


def _starts(codes: Collection[int], points: int) -> tuple[int, ...]:
    """List the possible numbers of the lowest option: those that leave the fewest numbers without an option."""
    usual = (1, 0, *([-(points // 2)] if points % 2 else []))
    left = {start: sum(not start <= code < start + points for code in codes) for start in usual}
    fewest = min(left.values())
    return tuple(start for start in usual if left[start] == fewest) if fewest < HALF * len(codes) else ()


def _lay_out(drafts: Sequence[Draft], points: int) -> None:
    """Determine the possible numbers of the lowest option in each column; ambiguous columns follow their neighbours.

    A column between two blocks that start from different numbers is left open if it fits both.
    """
    drafts = sorted(drafts, key=lambda one: one.place)
    own = [_starts(set(one.bare.values()), points) for one in drafts]
    sure = [place for place, starts in enumerate(own) if len(starts) == 1]
    together = _starts({code for one in drafts for code in one.bare.values()}, points)
    together = tuple(start for start in together if start >= 0) or together
    for place, (draft, starts) in enumerate(zip(drafts, own, strict=True)):
        around = [[one for one in sure if one < place][-1:], [one for one in sure if one > place][:1]]
        near = {own[one[0]][0] for one in around if one} if sure else set(together)
        draft.starts = starts if len(starts) < 2 else tuple(one for one in starts if one in near) or starts


def _ways(draft: Draft, scale: ResponseScale, suffix: str) -> dict[str, Draft]:
    """Code numbers in each direction that their cells allow, and return the codings by name.

    A cell with both a number and the words of an option (`1 (lowest)`) determines the direction.
    """
    told = {}
    for cell, value in draft.values.items():
        leading = _LEADING.match(cell)
        if leading and isinstance(value, int) and value != BARE:
            told[int(leading.group())] = value
    found = {}
    for start in draft.starts:
        beside = "" if len(draft.starts) == 1 else f"_from_{start}"
        for way, step in (("ascending", 1), ("descending", -1)):
            first = 1 if step == 1 else scale.points
            inside = {cell: code for cell, code in draft.bare.items() if start <= code < start + scale.points}
            # 1, 3, 5 beside 7 and 9 are no options 1, 3 and 5.
            gaps = scale.points - len({*inside.values(), *told})
            fits = all(first + step * (code - start) == value for code, value in told.items())
            if fits and (gaps < 2 or len(inside) == len(draft.bare)):
                values = {cell: first + step * (code - start) for cell, code in inside.items()}
                found[f"codes_{way}{beside}{suffix}"] = _explained(draft, values, scale)
    return found if told or min(draft.starts, default=-1) >= 0 else {}


def _explained(draft: Draft, values: Mapping[str, Value], scale: ResponseScale) -> Draft:
    """Assign values to numbers without labels, and leave all other numbers as open decisions."""
    codes = sorted(set(draft.bare.values()))
    filled = dict(draft.values)
    for cell, code in draft.bare.items():
        strange = f"{REASONS}, or is it no option of {draft.scale}?"
        other = strange if values else f"1 to {scale.points}, {REASONS}"
        if not values and len(codes) == scale.points:  # as many numbers as options: -2 to 2, 0% to 100%
            up = codes.index(code)
            both = dict.fromkeys(f"{one + 1} = {scale.labels[one]}" for one in (up, scale.points - 1 - up))
            other = f"{' or '.join(both)}, or {REASONS}"
        filled[cell] = values.get(cell, f"{OPEN}: {other}")
    order = sorted(sorted(filled, key=by_code), key=lambda cell: is_open(filled[cell]))
    names = {cell: scale.labels[value - 1] for cell, value in filled.items() if isinstance(value, int)}
    found = {cell: filled[cell] for cell in order}
    return Draft(draft.scale, draft.cells, found, {**names, **draft.words}, list(draft.users))


def _name_numbers(
    draft: Draft, found: Codings, scale: ResponseScale, known: Mapping[str, Coding], suffix: str
) -> str:
    """Add the possible codings of numbers to the shelf; return the name, or the decision between several."""
    ways = _ways(draft, scale, suffix)
    if not ways:
        return found.put(_explained(draft, {}, scale), f"codes{suffix}")
    if len(ways) == 1:
        return found.put(next(iter(ways.values())), f"codes{suffix}")
    offered = []
    for wanted, way in ways.items():
        lowest = min((cell for cell in draft.bare if isinstance(way.values[cell], int)), key=by_code)
        way.remark = "one of these is right; take the others out"
        offered.append(f"{found.put(way, wanted)} ({lowest} = {scale.labels[int(way.values[lowest]) - 1]})")
    lowest = min(draft.bare, key=by_code)
    called = f"; the file calls {lowest} “{draft.words[lowest]}”" if lowest in draft.words else ""
    return f"{OPEN}: {' or '.join(offered)}{called}{_as_before(known, ways)}"


def _as_before(known: Mapping[str, Coding], ways: Mapping[str, Draft]) -> str:
    """Describe the direction of the numbers in the reference wave, which is a hint and no evidence."""
    for name, coding in known.items():
        values = {cell: value for cell, value in coding.values.items() if number(cell) is not None}
        for wanted, draft in ways.items():
            shared = values.keys() & draft.values.keys()
            alike = all(values[cell] == draft.values[cell] for cell in shared)
            if coding.response_scale == draft.scale and len(shared) > 1 and alike:
                way = "descending" if "_descending" in wanted else "ascending"
                return f"; {way} in `{name}` of the reference wave"
    return ""


def is_open(value: Value | None) -> bool:
    """Check whether a value is left for a person to decide."""
    return isinstance(value, str) and value.startswith(OPEN)


def grade_of(match: Match, codings: Codings) -> tuple[Comparability | None, str]:
    """Return an item's grade in view of its response options, and the open decision about it."""
    doubt = codings.doubts.get(match.item, "")
    if doubt:
        was = match.grade.value if match.grade else "reworded"
        also = f"; {match.open}" if match.open else ""
        return None, f"{was}, rescaled or absent ({doubt}){also}"
    if match.item in codings.rescaled and match.grade is not None:
        return Comparability.RESCALED, ""
    return match.grade, match.open
