"""What the raw files of a new wave hold, layout by layout, as far as it can be told without a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from surveywaves.adding.codings import Codings, Draft, draft_codings, on_a_scale
from surveywaves.adding.groups import Source, match_variables, variables_of
from surveywaves.adding.match import Match, match_items
from surveywaves.adding.questions import FEW, Cells, Question, is_wording, merge, questions_of, raw_columns
from surveywaves.adding.recognise import recognise_file, squeezed
from surveywaves.adding.reference import Reference
from surveywaves.adding.returns import Returns, look_at_returns
from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest import RawColumn, describe_columns
from surveywaves.ingest.paper import ABOUT_KEYING
from surveywaves.ingest.raw import Source as RawSource
from surveywaves.ingest.surveymonkey import ADDED
from surveywaves.study import Layout, Study
from surveywaves.wording import normalise

NAMES: Final = {"surveymonkey": "web", "paper": "paper", "spss": "sav", "stata": "dta", "table": "table"}
"""What a layout is called if the reference wave has none of its format."""

_KEY: Final = re.compile(r"`(?P<name>encoding|sheet|header_rows|format):(?P<value>[^`]*)`( in the layout)?")

ALIKE: Final = 0.5
"""Share of columns that two files have in common if they are of one layout."""


@dataclass(frozen=True, slots=True)
class File:
    """A raw file as it was recognised.

    Parameters
    ----------
    name
        Its path, as the study will have it.
    layout
        How it is read.
    columns
        Its columns.
    returns
        What it tells of its returns.
    """

    name: str
    layout: Layout
    columns: Sequence[RawColumn]
    returns: Returns


@dataclass(slots=True)
class Sheet:
    """The files of one layout, and what their columns are.

    Parameters
    ----------
    name
        Name of the layout.
    like
        Layout of the reference wave that it is modelled on; None if there is none of its format.
    ignored
        Column -> why there is nothing to analyse in it.
    fresh
        Questions that ask no item of the instrument and no variable.
    weight
        Column of survey weights, if the reference wave had one and it is here.
    """

    name: str
    like: str | None
    files: list[File]
    questions: list[Question]
    matches: list[Match] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    codings: Codings = field(default_factory=Codings)
    ignored: dict[str, str] = field(default_factory=dict)
    fresh: list[Question] = field(default_factory=list)
    weight: str | None = None

    @property
    def layout(self) -> Layout:
        """Give how its files are read."""
        return self.files[0].layout


def read_files(
    paths: Mapping[str, Path], given: dict[str, Any], reference: Reference, *, reading: Callable[[str], None]
) -> list[File]:
    """Recognise and read raw files; what is wrong with any is said together.

    Parameters
    ----------
    paths
        Name (as the study will have it) -> where the file lies.
    given
        Keys of the layouts that the person knows.
    """
    files, mistakes = [], list[Mistake]()
    known = tuple(reference.wave.file.layouts.values())
    for name, path in paths.items():
        try:
            reading(name)
            layout = recognise_file(path, name, given, like=known)
            like = next((one for one in known if one.format == layout.format), None)
            returns = look_at_returns(RawSource(name, path, layout), like)
            files.append(File(name, layout, describe_columns(path, layout), returns))
        except RawFileError as error:
            mistakes.extend(replace(one, hint=_in_options(one.hint)) for one in error.mistakes)
    if mistakes:
        raise RawFileError(mistakes)
    return files


def _in_options(hint: str) -> str:
    """Turn advice for the key of a layout into the option that does the same here: there is no layout yet."""
    return _KEY.sub(lambda key: f"`--{key['name'].replace('_', '-')}{key['value']}`", hint)


def sheets_of(files: Sequence[File], reference: Reference, wordings: Mapping[str, str]) -> list[Sheet]:
    """Put files of one format with mostly the same columns into one layout, and name the layouts."""
    groups: list[list[File]] = []
    for file in files:
        group = next((one for one in groups if _alike(one[0], file)), None)
        if group:
            group.append(file)
        else:
            groups.append([file])
    sheets, free = [], dict(reference.wave.file.layouts)
    names: set[str] = set()
    for group in groups:
        wanted = group[0].layout.format
        like = next((name for name, layout in free.items() if layout.format == wanted), None)
        if like:
            free.pop(like)
        name, number = like or NAMES[wanted], 1
        while name in names:
            number += 1
            name = f"{NAMES[wanted]}_{number}"
        names.add(name)
        columns = merge(column for file in group for column in file.columns)
        sheets.append(Sheet(name, like, group, questions_of(columns, wordings)))
    return sheets


def survey(study: Study, sheet: Sheet, reference: Reference, *, earlier: Mapping[str, Draft]) -> None:
    """Say of every column of a layout what it is.

    Parameters
    ----------
    earlier
        Codings of the wave's other layouts.
    """
    before = reference.wave.file.layouts[sheet.like] if sheet.like else None
    sheet.weight = _weight(sheet, before)
    _set_aside(sheet)
    left = [one for one in sheet.questions if one.name not in {*sheet.ignored, sheet.weight}]
    sheet.matches = match_items(study.items, left, reference, layout=sheet.like or "")
    scales = study.config.response_scales
    _match_variables(study, sheet, left, reference)
    sheet.codings = draft_codings(
        sheet.matches,
        asked_on={item.item: item.response_scale for item in study.items},
        scales=scales,
        known=reference.wave.file.codings,
        earlier=earlier,
    )
    used = {match.question.name for match in sheet.matches if match.question}
    used |= {source.question.name for source in sheet.sources}
    numbers = {name for file in sheet.files for name in file.returns.numbers}
    identifying = {name for file in sheet.files for name in file.returns.identifying}
    ignored = raw_columns(sheet.questions).ignored(before.ignore if before else ())
    for question in left:
        if question.name in used:
            continue
        # A code may stand for another question by now; a wording cannot.
        if question.place in ignored and (is_wording(question.name) or question.cells not in FEW):
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
    """Find the grouping variables among the questions that ask no item; a constant of the layout needs no question."""
    scales = list(study.config.response_scales.values())
    used = {match.question.name for match in sheet.matches if match.question}
    constants = reference.wave.file.layouts[sheet.like].constants if sheet.like else {}
    asked = [one for one in left if one.name not in used and not on_a_scale(one, scales)]
    variables = [one for one in variables_of(study, reference) if one.name not in constants]
    sheet.sources = match_variables(variables, asked)


def _alike(one: File, other: File) -> bool:
    settings = {"format", "encoding", "sheet", "header_rows", "respondent"}
    if one.layout.model_dump(include=settings) != other.layout.model_dump(include=settings):
        return False
    first, second = ({column.name for column in file.columns} for file in (one, other))
    return len(first & second) >= ALIKE * len(first | second)


def _weight(sheet: Sheet, before: Layout | None) -> str | None:
    if before is None or before.weight is None:
        return None
    wanted = normalise(before.weight)
    return next((one.name for one in sheet.questions if normalise(one.name) == wanted), None)


def _set_aside(sheet: Sheet) -> None:
    """Ignore what a survey program adds, what identifies a person or a return, and dates."""
    dates = {name for file in sheet.files for name in file.returns.dates}
    respondents = {file.returns.respondent for file in sheet.files}
    keyed = sheet.layout.format == "paper"
    for question in sheet.questions:
        name = question.name
        if name in respondents:
            why = "identifies a return"
        elif question.cells is Cells.PERSONAL:
            why = "may identify a person"
        elif squeezed(name) in ADDED:
            why = "added by the survey program"
        elif keyed and normalise(name).startswith(ABOUT_KEYING):
            why = "about the keying"
        elif name in dates:
            why = "dates"
        else:
            continue
        sheet.ignored[name] = why
