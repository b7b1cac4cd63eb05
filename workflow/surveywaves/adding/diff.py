"""Compare the questionnaire of a new wave with that of another, for a person to read.

The columns of the new wave's raw files are identified layout by layout, as far as that can be done automatically.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

from surveywaves.adding.codings import Codings, Draft, draft_codings, grade_of, is_open, on_a_scale
from surveywaves.adding.match import (
    HIGH,
    Asked,
    Match,
    Reference,
    Source,
    by_code,
    carried_codings,
    match_items,
    match_variables,
    variables_of,
    within,
)
from surveywaves.adding.questions import (
    FEW,
    Cells,
    Question,
    RawColumn,
    Returns,
    columns_of,
    is_wording,
    look_at_returns,
    merge,
    questions_of,
    raw_columns,
)
from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.guess import recognise_file
from surveywaves.ingest.keying import ABOUT_KEYING
from surveywaves.ingest.programs import PROGRAMS, squeezed
from surveywaves.ingest.raw import Source as RawSource
from surveywaves.ingest.readers import read_raw
from surveywaves.study import Layout, Study
from surveywaves.study.load import OPEN
from surveywaves.terms import Comparability
from surveywaves.text import changes, count, likeness, normalise, same, unique

NAMES: Final = {"surveymonkey": "web", "paper": "paper", "spss": "sav", "stata": "dta", "table": "table"}
"""Names of layouts of which the reference wave has none of the same format."""
_KEY: Final = re.compile(r"`(encoding|sheet|header_rows|format):([^`]*)`( in the layout)?")
ALIKE: Final = 0.5
"""Share of columns that files of one layout have in common, at least."""


@dataclass(frozen=True, slots=True)
class File:
    """A raw file and how it was recognised."""

    name: str  # its path, as the study will have it
    layout: Layout  # how it is read
    columns: Sequence[RawColumn]  # its columns
    returns: Returns  # what is known of its returns


@dataclass(slots=True)
class Sheet:
    """The files of one layout, and what was found in their columns."""

    name: str  # name of the layout
    # layout of the reference wave that it is modelled on; None if there is none of its format
    like: str | None
    files: list[File]
    questions: list[Question]
    matches: list[Match] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    codings: Codings = field(default_factory=Codings)
    ignored: dict[str, str] = field(default_factory=dict)  # column -> why it is not analysed
    # questions that ask no item of the instrument and no variable
    fresh: list[Question] = field(default_factory=list)
    weight: str | None = None  # column of survey weights, if the reference wave had one and it is here
    # place of an entry of the reference wave's `routing` -> its filter question, if that is here
    filters: dict[int, Question] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """Return the layout of its files."""
        return self.files[0].layout


def read_files(
    paths: Mapping[str, Path], given: dict[str, Any], reference: Reference, *, reading: Callable[[str], None]
) -> list[File]:
    """Recognise and read raw files, by the names that the study will have; the mistakes of all are raised together.

    `given` are the keys of the layouts that the person knows.
    """
    files, mistakes = [], list[Mistake]()
    known = reference.wave.file.layouts
    for name, path in paths.items():
        try:
            reading(name)
            layout = recognise_file(path, name, given, like=tuple(known.values()))
            table = read_raw(RawSource(name, path, layout))
            like = known.get(_pattern(columns_of(table), layout, reference, known) or "")
            if like and like.cells != layout.cells and like.format == layout.format:
                layout = layout.model_copy(update={"cells": like.cells})
                table = read_raw(RawSource(name, path, layout))
            returns = look_at_returns(table, layout, like)
            files.append(File(name, layout, columns_of(table), returns))
        except RawFileError as error:
            mistakes += [replace(one, hint=_as_option(one.hint)) for one in error.mistakes]
    if mistakes:
        raise RawFileError(mistakes)
    return files


def _pattern(
    columns: Sequence[RawColumn], layout: Layout, reference: Reference, free: Mapping[str, Layout]
) -> str | None:
    """Find the layout of the reference wave with most of a file's columns, of the same format or with half of them."""
    names = raw_columns(columns)
    held = [one.columns for one in reference.asked.values()]
    held += [one.columns for one in reference.wave.file.sources.values()]
    best: tuple[bool, float, str] | None = None
    for name, known in free.items():
        wanted = [one[name] for one in held if name in one]
        share = sum(bool(names.find(one)) for one in wanted) / max(len(wanted), 1)
        one = (known.format == layout.format, share, name)
        if (one[0] or share >= ALIKE) and (best is None or one[:2] > best[:2]):
            best = one
    return best[2] if best else None


def _as_option(hint: str) -> str:
    """Replace advice on a key of the layout, which does not exist yet, by the option that does the same."""
    return _KEY.sub(lambda key: f"`--{key[1].replace('_', '-')}{key[2]}`", hint)


def sheets_of(
    files: Sequence[File],
    reference: Reference,
    wordings: Mapping[str, str],
    labels: Sequence[Sequence[str]] = (),
) -> list[Sheet]:
    """Group files of one format with mostly the same columns into layouts, and name these.

    `wordings` (column -> wording) and `labels` (column, code, label) are given by a person.
    """
    said: dict[str, dict[str, str]] = {}
    for column, code, label in labels:
        said.setdefault(column, {})[code] = label
    groups: list[list[File]] = []
    for file in files:
        group = next((one for one in groups if _alike(one[0], file)), list[File]())
        if not group:
            groups.append(group)
        group.append(file)
    sheets, free = dict[str, Sheet](), dict(reference.wave.file.layouts)
    for group in groups:
        layout = group[0].layout
        columns = [
            replace(one, value_labels={**one.value_labels, **said.get(one.name, {})})
            for one in merge(column for file in group for column in file.columns)
        ]
        like = _pattern(columns, layout, reference, free)
        alike = like is not None and free.pop(like).format == layout.format
        name = unique(like if like and alike else NAMES.get(layout.format, "web"), sheets)
        sheets[name] = Sheet(name, like, group, questions_of(columns, wordings))
    return list(sheets.values())


def survey(study: Study, sheet: Sheet, reference: Reference, *, earlier: Mapping[str, Draft]) -> None:
    """Classify every column of a layout; `earlier` holds the codings of the wave's other layouts."""
    before = reference.wave.file.layouts.get(sheet.like or "")
    weight = normalise(before.weight or "") if before else ""
    sheet.weight = next((one.name for one in sheet.questions if weight == normalise(one.name)), None)
    _set_aside(sheet)
    left = [one for one in sheet.questions if one.name not in {*sheet.ignored, sheet.weight}]
    routing = enumerate(reference.wave.file.routing)
    columns = {at: route.filter.columns.get(sheet.like or "") for at, route in routing if route.filter}
    named = {normalise(name): one for one in left for name in (one.reference, one.name)}
    sheet.filters = {
        at: named[normalise(name)] for at, name in columns.items() if name and normalise(name) in named
    }
    left = [one for one in left if one not in sheet.filters.values()]
    sheet.matches = match_items(study.items, left, reference, layout=sheet.like or "")
    _match_variables(study, sheet, left, reference)
    sheet.codings = draft_codings(
        sheet.matches,
        asked_on={item.item: item.response_scale for item in study.items},
        scales=study.config.response_scales,
        known=reference.wave.file.codings,
        earlier=earlier,
        carried=carried_codings(sheet.matches, reference, layout=sheet.like or ""),
    )
    if sheet.codings.default and any(
        one.question and one.grade and one.score is None for one in sheet.matches
    ):
        # Only the names of its columns tell what the file asks: a person has to confirm that, once.
        asked = f"if its columns ask what they asked in {reference.wave.name}"
        sheet.codings.default = f"{OPEN}: {sheet.codings.default.removeprefix(f'{OPEN}: ')}, {asked}"
    used = {match.question.name for match in sheet.matches if match.question}
    used |= {source.question.name for source in sheet.sources}
    numbers = {name for file in sheet.files for name in file.returns.numbers}
    identifying = {name for file in sheet.files for name in file.returns.identifying}
    ignored = raw_columns(sheet.questions).ignored(before.ignore if before else ())
    for question in left:
        if question.name in used:
            continue
        # A code may have been given to another question since; a wording cannot.
        known = reference.question(sheet.like or "", question.name)
        sure = is_wording(question.name) or question.cells not in FEW
        sure |= known is not None and (known.cells, known.wordings) == (question.cells, question.wordings)
        if question.place in ignored and sure:
            sheet.ignored[question.name] = f"ignored in {reference.wave.name} as well"
        elif question.cells in {Cells.COMMENTS, Cells.EMPTY}:
            sheet.ignored[question.name] = question.cells.value
        elif question.cells is Cells.MANY and question.name in identifying:
            sheet.ignored[question.name] = "different in every row: identifies a return?"
        elif question.cells is Cells.MANY and question.name not in numbers:
            sheet.ignored[question.name] = f"comments? {question.column.distinct} different cells"
        else:
            sheet.fresh.append(question)


def _match_variables(study: Study, sheet: Sheet, left: Sequence[Question], reference: Reference) -> None:
    """Find the grouping variables among the other questions, except those that are constants of the layout."""
    scales = list(study.config.response_scales.values())
    used = {match.question.name for match in sheet.matches if match.question}
    before, like = reference.wave.file.layouts.get(sheet.like or ""), sheet.like or ""
    constants = before.constants if before else {}
    asked = [one for one in left if one.name not in used and not on_a_scale(one, scales)]
    variables = [one for one in variables_of(study, reference, like) if one.name not in constants]
    sheet.sources = match_variables(variables, asked, reference, layout=like)


def _alike(one: File, other: File) -> bool:
    settings = {"format", "encoding", "sheet", "header_rows", "respondent"}
    if one.layout.model_dump(include=settings) != other.layout.model_dump(include=settings):
        return False
    first, second = ({column.name for column in file.columns} for file in (one, other))
    return len(first & second) >= ALIKE * len(first | second)


def _set_aside(sheet: Sheet) -> None:
    """Ignore columns that a survey program adds, that identify a person or a return, or that hold dates."""
    dates = {name for file in sheet.files for name in file.returns.dates}
    respondents = {file.returns.respondent for file in sheet.files}
    keyed = sheet.layout.format == "paper"
    added = PROGRAMS.get(sheet.layout.format, PROGRAMS["surveymonkey"]).added
    for question in sheet.questions:
        name = question.name
        if name in respondents:
            why = "identifies a return"
        elif question.cells is Cells.PERSONAL:
            why = "may identify a person"
        elif squeezed(name) in added:
            why = "added by the survey program"
        elif keyed and normalise(name).startswith(ABOUT_KEYING):
            why = "about the keying"
        elif name in dates:
            why = "dates"
        else:
            continue
        sheet.ignored[name] = why


SHOWN: Final = 12
"""Lines of one kind that are shown."""
LONG: Final = 70
"""Characters of a wording that are shown."""


@dataclass(frozen=True, slots=True)
class Diff:
    """Changes to the questionnaire, in lines under headings."""

    parts: Mapping[str, Sequence[str]]
    warnings: Sequence[str]


def diff(study: Study, sheets: Sequence[Sheet], reference: Reference) -> Diff:
    """Compare the questionnaire of a wave's files with that of the reference wave."""
    found = _asked(sheets)
    texts = {item.item: item.text for item in study.items}
    kinds: dict[str, list[str]] = {
        name: [] for name in ("same wording", "reworded", "to decide", "moved", "new", "dropped")
    }
    for item, text in texts.items():
        before, now = reference.asked.get(item), found.get(item)
        if now is None:
            if before:
                kinds["dropped"].append(f"{item}: {_short(before.wording)}")
        elif before is None:
            told = f"in the instrument, not asked in {reference.wave.name}"
            kinds["new"].append(f"{item}: {_short(text)} ({told})")
        else:
            _hold(item, before, now, kinds)
    kinds["moved"] = _moved(study, found, reference)
    fresh = (one for sheet in sheets for one in sheet.fresh)
    kinds["new"] += [f"“{_short(one.reference)}”: no item of the instrument" for one in fresh]
    kinds["response options"] = list(_options(study, sheets, reference))
    kinds["grouping variables"] = list(_variables(sheets, reference))
    return Diff(kinds, list(_reused(study, sheets, reference)))


def _asked(sheets: Sequence[Sheet]) -> dict[str, tuple[Sheet, Match]]:
    """Find the question for each item, in the first layout with a wording for it."""
    found: dict[str, tuple[Sheet, Match]] = {}
    for sheet in sheets:
        for match in sheet.matches:
            before = found.get(match.item)
            if match.question and (before is None or (before[1].score is None and match.score is not None)):
                found[match.item] = (sheet, match)
    return found


def _hold(item: str, before: Asked, now: tuple[Sheet, Match], kinds: dict[str, list[str]]) -> None:
    sheet, match = now
    assert match.question is not None
    grade, said = grade_of(match, sheet.codings)
    if grade is None:
        kinds["to decide"].append(f"{item}: {said}")
    elif match.score is None or any(same(before.wording, text) for text in match.question.wordings):
        kinds["same wording"].append(item)
    else:
        text = max(match.question.wordings, key=lambda one: likeness(before.wording, one))
        differing = "; ".join(map(str, changes(before.wording, text)))
        kinds["reworded"].append(f"{item} ({match.score}): {differing}")


def moved(before: Sequence[str], after: Sequence[str]) -> list[tuple[list[str], int, int]]:
    """List the runs of items that moved between two orders, with their first places before and after, from 1."""
    place = {item: number for number, item in enumerate(before, start=1)}
    runs: list[tuple[list[str], int, int]] = []
    for kind, _, _, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        for here in range(start, end) if kind != "equal" else ():
            item = after[here]
            run, there, start_here = runs[-1] if runs else ([], 0, 0)
            if run and (place[item], here + 1) == (there + len(run), start_here + len(run)):
                run.append(item)
            else:
                runs.append(([item], place[item], here + 1))
    return runs


def _moved(study: Study, found: Mapping[str, tuple[Sheet, Match]], reference: Reference) -> list[str]:
    both = [item.item for item in study.items if item.item in found and item.item in reference.asked]
    # The order of the instrument is used where the files do not show the wave's own.
    before = sorted(both, key=lambda item: reference.asked[item].place or 0) if reference.ordered else both
    sheets = list(dict.fromkeys(sheet.name for sheet, _ in found.values()))
    places = {
        name: (sheets.index(sheet.name), one.question.place if one.question else 0)
        for name, (sheet, one) in found.items()
    }
    lines = []
    for items, there, here in moved(before, sorted(both, key=places.__getitem__)):
        named = f"{items[0]} … {items[-1]} ({len(items)} items)" if len(items) > 1 else items[0]
        lines.append(f"{named}: from place {there} to {here}")
    if lines and not reference.ordered:
        lines.append(f"(against the order of items.tsv: the files of {reference.wave.name} are not there)")
    return lines


def _options(study: Study, sheets: Sequence[Sheet], reference: Reference) -> Iterator[str]:
    """List the differences in response options, and the options that cannot be identified."""
    scales = study.config.response_scales
    for sheet in sheets:
        asked = [match.question for match in sheet.matches if match.question]
        numbers = [one for one in asked if one.cells is Cells.NUMBERS]
        if numbers and is_open(sheet.codings.default):
            bare = {cell for one in numbers for cell, label in one.options.items() if not label}
            seen = sorted(bare, key=by_code)
            yield f"{sheet.name}: {len(numbers)} items have bare numbers, {seen[0]} to {seen[-1]}, without labels"
        yield from (f"{item}: {why}" for item, why in sheet.codings.rescaled.items())
        for name, draft in sheet.codings.drafts.items():
            labels = filter(None, (draft.words.get(cell, cell) for cell in draft.values))
            options = scales[draft.scale].labels
            strange = [label for label in labels if not any(same(label, option) for option in options)]
            if strange and draft.cells is not Cells.NUMBERS:
                yield f"{name}: beside the options of {draft.scale}: {', '.join(strange)}"
    for item, before in reference.asked.items():
        if before.grade is Comparability.RESCALED:
            yield f"{item}: {reference.wave.name} asked it with the options of {before.scale}"


def _variables(sheets: Sequence[Sheet], reference: Reference) -> Iterator[str]:
    for sheet in sheets:
        where = f"{sheet.name}: " if len(sheets) > 1 else ""
        for source in sheet.sources:
            undecided = len(source.open_answers)
            said = f"“{_short(source.question.reference)}”" + (", if that is it" if source.open else "")
            known = f"{undecided} to decide" if undecided else "all known"
            yield f"{where}{source.variable}: {said}; {count(len(source.map), 'answer')}, {known}"
    held = {source.variable for sheet in sheets for source in sheet.sources}
    layouts = reference.wave.file.layouts
    held |= {name for sheet in sheets if sheet.like for name in layouts[sheet.like].constants}
    hint = "no question asks it; a level that applies to all returns of a file goes under `constants`"
    yield from (f"{name}: {hint}" for name in reference.wave.file.sources if name not in held)


def _reused(study: Study, sheets: Sequence[Sheet], reference: Reference) -> Iterator[str]:
    """Yield a warning for each column code of the reference wave that is now used for another question."""
    held = [(one.item, one.columns) for one in reference.asked.values()]
    codes: dict[str, list[tuple[str, str]]] = {}  # folded name of a column -> its layout, and what it held
    held += [(name, source.columns) for name, source in reference.wave.file.sources.items()]
    for name, columns in held:
        for layout, column in columns.items():
            codes.setdefault(normalise(column), []).append((layout, name))
    texts = {item.item: item.text for item in study.items}
    for sheet in sheets:
        now = {match.question.name: match for match in sheet.matches if match.question}
        now_held = {source.question.name: source.variable for source in sheet.sources}
        for question in sheet.questions:
            if is_wording(question.name) or not question.wordings:
                continue
            for layout, name in codes.get(normalise(question.name), []):
                match = now.get(question.name)
                holds = match.item if match else now_held.get(question.name)
                asked = reference.asked.get(name)
                before = reference.question(layout, question.name)
                wording = before.wording if before and before.wordings else asked.wording if asked else ""
                if holds == name and (
                    match is None or match.grade or _close(wording or texts[name], question)
                ):
                    continue
                was = f"{name} (“{_short(wording)}”)" if wording else name
                here = f"“{_short(question.wording)}”" + (f" ({holds})" if holds and holds != name else "")
                yield f"column `{question.name}` held {was} in {reference.wave.name}, and here asks {here}"


def _close(wording: str, question: Question) -> bool:
    return any(likeness(wording, text) >= HIGH or within(wording, text) for text in question.wordings)


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"
