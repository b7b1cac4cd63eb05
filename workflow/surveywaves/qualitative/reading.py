"""Read the coded material of a study, whatever wrote it, into two tables: who was interviewed, and what is coded where.

Sources and coders get numbers here; what they are called in the files goes no further. What is not taken is listed, a
row each, as for the survey's raw files; of a cell only stages, areas, organisations, codes and positions are repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import pandas as pd

from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.raw import Problem, Source, problem_frame
from surveywaves.ingest.readers import read_raw
from surveywaves.qualitative.refi import PATH, Project, code_names, read_codebook, read_project
from surveywaves.study.models import Layout
from surveywaves.study.parts import QualitativePart
from surveywaves.terms import EVERY, SET_ASIDE
from surveywaves.text import few, known_as, nearest, normalise, number

SOURCE_COLUMNS: Final = ("source", "stage", "area", "organisation")
SEGMENT_COLUMNS: Final = ("source", "coder", "code", "theme", "tone", "start", "end")
OBSERVED_COLUMNS: Final = ("meeting", "date", "group", "category", "count")

_CALLED: Final = {
    "service area": "area",
    "service_area": "area",
    "service": "area",
    "organization": "organisation",
}
"""What columns may be called besides their names."""

NOT_IN_CODES: Final = "a code that codes.tsv does not have"
LONGEST: Final = 60
"""Characters of a cell that are repeated: a code, group or category has no more."""

_DOCUMENT: Final = re.compile(r"\.(docx?|odt|pdf|rtf|txt|md)$", re.IGNORECASE)


T = TypeVar("T")


class Material(NamedTuple):
    """The coded material.

    `sources` has a row for each interview: `SOURCE_COLUMNS`, `source` being a number from 1, the others names of the
    study. `segments`: `SEGMENT_COLUMNS`, a row for each code given to a passage, `coder` a number from 1, `start` and
    `end` characters or milliseconds, both missing where a passage has no place in a text. `observed`:
    `OBSERVED_COLUMNS`. `problems`: the columns of `problems.tsv`, with the stage of the work in place of a wave.
    """

    sources: pd.DataFrame
    segments: pd.DataFrame
    observed: pd.DataFrame
    problems: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Row:
    """A coded passage as a file has it."""

    file: str
    line: int
    source: str
    coder: str
    codes: tuple[str, ...]
    """What the code may be called, nearest first."""
    start: str
    end: str
    about: Mapping[str, str]
    """Stage, area and organisation, where the row has them."""


def read_material(part: QualitativePart, *, root: Path) -> Material:
    """Read all files; they are opened for reading only.

    Parameters
    ----------
    part
        Files, and what their cells mean.
    root
        The folder that the files' paths start from.

    Raises
    ------
    RawFileError
        A line for each file that cannot be read or lacks a column, and for each interview that has no stage, area or
        organisation of the study. Or if nothing coded is left.
    """
    work = _Reading(part, root)
    file = part.file
    rows = [row for name in file.segments for row in work.tried(work.segments(name))]
    listed = work.tried(work.table(file.sources, SOURCE_COLUMNS)) if file.sources else []
    grid = work.tried(work.table(file.observations, OBSERVED_COLUMNS)) if file.observations else []
    codebooks = [(name, book) for name in file.codebooks for book in work.tried(work.codebook(name))]
    sources = work.sources(listed, rows)
    if work.mistakes:
        raise RawFileError(work.mistakes)
    segments = work.taken(rows, sources)
    work.unused(rows, codebooks)
    if segments.empty:
        raise RawFileError.at(
            "qualitative.yaml", "no coded segment is left", "look at codes.tsv and the sources"
        )
    interviews = pd.DataFrame(
        [(place, *about) for place, about in enumerate(sources.values(), 1)], columns=list(SOURCE_COLUMNS)
    )
    return Material(interviews, segments, work.observed(grid), problem_frame("coded material", work.problems))


@dataclass(slots=True)
class _Reading:
    """Files on their way in."""

    part: QualitativePart
    root: Path
    mistakes: list[Mistake] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    unknown: set[tuple[str, str]] = field(default_factory=set)
    """Cells that no level is called like: each is told once."""

    def tried(self, rows: Iterator[T]) -> list[T]:
        """List what is read of a file; its mistakes are kept for later."""
        try:
            return list(rows)
        except RawFileError as error:
            self.mistakes += error.mistakes
            return []

    def say(
        self, file: str, line: int | None, column: str, problem: str, action: str, *, value: str = ""
    ) -> None:
        self.problems.append((file, Problem(line, column, value, problem, action)))

    def table(self, name: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the rows of a CSV or XLSX file: number and cells, blanks as ""; other columns are not looked at."""
        source = Source(name, self.root / name, Layout(format="table"))
        found = read_raw(source)
        known = {**{column: column for column in columns}, **_CALLED}
        places = {
            called: place
            for place, head in enumerate(found.names)
            if (called := known.get(normalise(head), "")) in columns
        }
        if missing := [column for column in columns if column not in places and column not in _OPTIONAL]:
            near = nearest(missing[0], found.names)
            hint = f"is it `{near}`?" if near else f"it has {few(found.names, 8)}"
            what = f"has no column {', '.join(f'`{one}`' for one in missing)}"
            raise RawFileError(source.mistake(what, hint, logged=what))
        for one in found.aside:
            self.say(name, one.row, EVERY, one.problem, one.action)
        if extra := set(range(len(found.names))) - set(places.values()):
            self.say(name, None, EVERY, f"{len(extra)} columns that are not needed", "not read")
        for at, line in enumerate(found.rows):
            yield int(line), {one: found.columns[place].text(at) for one, place in places.items()}

    def segments(self, name: str) -> Iterator[_Row]:
        """Yield what is coded in a file."""
        if name.lower().endswith(".qdpx"):
            project = read_project(self.root / name, name)
            called = dict(code_names(project.codes))
            for line, what in project.strange:
                self.say(name, line, EVERY, what, "not taken")
            for one in project.codings:
                if one.code not in called:
                    self.say(name, one.line, "code", "a code that the project does not have", SET_ASIDE)
                    continue
                title = project.sources[one.source] or one.source
                yield _Row(name, one.line, title, one.coder, called[one.code], one.start, one.end, {})
            return
        own = () if self.part.file.sources else SOURCE_COLUMNS
        for line, cells in self.table(name, (*own, "source", "coder", "code", "start", "end")):
            path = cells["code"]
            codes = dict(code_names({"": tuple(path.split(PATH))}))[""] if path else ()
            about = {one: cells[one] for one in own if one != "source"}
            place = (cells.get("start", ""), cells.get("end", ""))
            yield _Row(name, line, cells["source"], cells.get("coder", ""), (path, *codes), *place, about)

    def codebook(self, name: str) -> Iterator[Project]:
        """Yield what a codebook has."""
        yield read_codebook(self.root / name, name)

    def sources(
        self, listed: Sequence[tuple[int, Mapping[str, str]]], rows: Sequence[_Row]
    ) -> dict[str, tuple[str, ...]]:
        """Give each interview its stage, area and organisation: what it is compared by -> these."""
        path = self.part.file.sources or ""
        every = [(path, line, cells["source"], cells) for line, cells in listed] or [
            (row.file, row.line, row.source, row.about) for row in rows if row.about
        ]
        found: dict[str, tuple[str, ...]] = {}
        for file, line, source, cells in every:
            about = tuple(
                self._level(f"{file}: row {line}", column, cells[column]) for column in self._levels
            )
            if not source:
                self.mistakes.append(Mistake(f"{file}: row {line}", "a source without a name"))
            elif _called(source) not in found:
                found[_called(source)] = about
            elif found[_called(source)] != about:
                what = "a source that stands above with another stage, area or organisation"
                self.mistakes.append(Mistake(f"{file}: row {line}", what))
            elif listed:
                self.say(file, line, "source", "a source that is listed twice", "taken once")
        return found

    @property
    def _levels(self) -> dict[str, Mapping[str, str]]:
        stages = {name: stage.title for name, stage in self.part.file.stages.items()}
        return {"stage": stages, "area": self.part.file.areas, "organisation": self.part.organisations}

    def _level(self, where: str, column: str, cell: str) -> str:
        """Find the name of a stage, area or organisation; a mistake if there is none."""
        levels = self._levels[column]
        level = known_as(cell, _words(levels))
        if level is None and (column, cell) not in self.unknown:
            self.unknown.add((column, cell))
            near = nearest(cell, levels.values()) if cell else None
            hint = f"did you mean `{near}`?" if near else f"known: {', '.join(levels.values())}"
            said = f"unknown {column} `{cell}`" if cell else f"no {column}"
            self.mistakes.append(Mistake(where, said, hint, logged=f"unknown {column}"))
        return level or ""

    def taken(self, rows: Iterable[_Row], sources: Mapping[str, object]) -> pd.DataFrame:
        """Put numbers in the place of sources and coders, and themes beside codes."""
        place = {source: number for number, source in enumerate(sources, 1)}
        rows = list(rows)
        coders = {name: number for number, name in enumerate(sorted({row.coder for row in rows}), 1)}
        codes = {normalise(code.code): code for code in self.part.codes}
        found: dict[tuple[object, ...], None] = {}
        for row in rows:
            code = next((codes[normalise(one)] for one in row.codes if normalise(one) in codes), None)
            if (source := place.get(_called(row.source))) is None:
                self.say(row.file, row.line, "source", "a source that is not listed", SET_ASIDE)
            elif code is None:
                named = row.codes[0] if row.codes else ""
                self.say(row.file, row.line, "code", NOT_IN_CODES, SET_ASIDE, value=named[:LONGEST])
            elif code.theme is not None:
                start, end = self._place(row)
                one = (source, coders[row.coder], code.code, code.theme, code.tone, start, end)
                if one in found:
                    what = "the same passage coded twice alike"
                    self.say(row.file, row.line, "code", what, "taken once", value=code.code)
                found[one] = None
        types = {"source": "int64", "coder": "int64", "start": "Int64", "end": "Int64"}
        frame = pd.DataFrame(list(found), columns=list(SEGMENT_COLUMNS)).astype(types)
        return frame.sort_values(list(SEGMENT_COLUMNS), ignore_index=True)

    def _place(self, row: _Row) -> tuple[int | None, int | None]:
        start, end = number(row.start), number(row.end)
        if start is not None and end is not None and 0 <= start < end:
            return int(start), int(end)
        if row.start or row.end:
            what = "a passage that does not end after it starts"
            self.say(row.file, row.line, "start", what, "taken without its place")
        return None, None

    def unused(self, rows: Iterable[_Row], codebooks: Iterable[tuple[str, Project]]) -> None:
        """List codes of codes.tsv that stand nowhere, and codes of a codebook that codes.tsv lacks."""
        known = {normalise(code.code) for code in self.part.codes}
        there = {normalise(one) for row in rows for one in row.codes}
        for name, book in codebooks:
            for guid, names in code_names(book.codes):
                there |= {normalise(one) for one in names}
                if guid not in book.headings and not known & {normalise(one) for one in names}:
                    self.say(name, None, "code", NOT_IN_CODES, "none needed yet", value=names[0])
        for code in self.part.codes:
            if normalise(code.code) not in there:
                self.say("codes.tsv", None, "code", "a code that no file has", "none", value=code.code)

    def observed(self, grid: Sequence[tuple[int, Mapping[str, str]]]) -> pd.DataFrame:
        """Lay the grid of observations out; rows of another group or category, or without a count, are set aside."""
        path, rows = self.part.file.observations or "", []
        known = {"group": _words(self.part.file.groups), "category": _words(self.part.file.categories)}
        for line, cells in grid:
            count = number(cells["count"])
            group, category = (known_as(cells[column], words) for column, words in known.items())
            if group is None or category is None:
                column = "group" if group is None else "category"
                what = f"a {column} that qualitative.yaml does not have"
                self.say(path, line, column, what, SET_ASIDE, value=cells[column][:LONGEST])
            elif count is None or count < 0 or count != int(count):
                self.say(path, line, "count", "no count", SET_ASIDE)
            elif not cells["meeting"]:
                self.say(path, line, "meeting", "no meeting", SET_ASIDE)
            else:
                rows.append((cells["meeting"], cells.get("date", ""), group, category, int(count)))
        return pd.DataFrame(rows, columns=list(OBSERVED_COLUMNS)).astype({"count": "int64"})


_OPTIONAL: Final = ("coder", "start", "end", "date")
"""Columns without which a table can be read."""


def _words(levels: Mapping[str, str]) -> dict[str, str]:
    """Give each level by its name and by its words."""
    return {name: name for name in levels} | {text: name for name, text in levels.items()}


def _called(source: str) -> str:
    """Give what a source is compared by: programs put the ending of a document behind its name, or take it off."""
    return normalise(_DOCUMENT.sub("", source.strip()))
