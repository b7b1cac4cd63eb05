"""Read the coded material of a study, whatever program wrote it: who was interviewed, and which passages are coded.

Sources and coders get numbers here; their names in the files are not passed on. What is not used is listed, a row each,
as for the survey's raw files; of the cells only stages, areas, organisations, codes and positions are quoted.
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
from surveywaves.qualitative.refi import PATH, Project, names_of, read_codebook, read_project
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
"""Other names of columns."""

NOT_IN_CODES: Final = "a code that codes.tsv does not have"
LONGEST: Final = 60
"""Characters of a cell that are quoted: a code, group or category has no more."""

_DOCUMENT: Final = re.compile(r"\.(docx?|odt|pdf|rtf|txt|md)$", re.IGNORECASE)


T = TypeVar("T")


class Material(NamedTuple):
    """The coded material.

    `sources` has a row for each interview: `SOURCE_COLUMNS`, `source` being a number from 1, the others names of the
    study. `segments`: `SEGMENT_COLUMNS`, a row for each code given to a passage, `coder` a number from 1, `start` and
    `end` characters or milliseconds, both missing where a passage has no place in a text. `observed`:
    `OBSERVED_COLUMNS`. `problems`: the columns of `problems.tsv`, with `coded material` as the wave.
    """

    sources: pd.DataFrame
    segments: pd.DataFrame
    observed: pd.DataFrame
    problems: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Row:
    """A coded passage as it is in a file."""

    file: str
    line: int
    source: str
    coder: str
    codes: tuple[str, ...]
    """The names that the code may have in `codes.tsv`, nearest first."""
    start: str
    end: str
    about: Mapping[str, str]
    """Stage, area and organisation, where the row has them."""


def read_material(part: QualitativePart, *, root: Path) -> Material:
    """Read all files; they are opened for reading only.

    Parameters
    ----------
    part
        The files, and what their cells mean.
    root
        The folder that the files' paths are relative to.

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
    """The files while they are read."""

    part: QualitativePart
    root: Path
    mistakes: list[Mistake] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    levels: dict[tuple[str, str], str] = field(default_factory=dict)
    """Column and cell -> the level that it means; "": none, which is a mistake that is listed once."""

    def tried(self, rows: Iterator[T]) -> list[T]:
        """List the rows that are read from a file, or keep its mistakes for later."""
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
        """Yield the rows of a CSV or XLSX file: number and cells, blanks as ""; other columns are not used."""
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
        """Yield the coded passages of a file."""
        if name.lower().endswith(".qdpx"):
            project = read_project(self.root / name, name)
            for line, what in project.strange:
                self.say(name, line, EVERY, what, "not taken")
            for one in project.codings:
                if one.code not in project.codes:
                    self.say(name, one.line, "code", "a code that the project does not have", SET_ASIDE)
                    continue
                title = project.sources[one.source] or one.source
                codes = names_of(project.codes[one.code])
                yield _Row(name, one.line, title, one.coder, codes, one.start, one.end, {})
            return
        own = () if self.part.file.sources else SOURCE_COLUMNS
        for line, cells in self.table(name, (*own, "source", "coder", "code", "start", "end")):
            codes = names_of(cells["code"].split(PATH))
            about = {one: cells[one] for one in own if one != "source"}
            coder, start, end = (cells.get(one, "") for one in ("coder", "start", "end"))
            yield _Row(name, line, cells["source"], coder, codes, start, end, about)

    def codebook(self, name: str) -> Iterator[Project]:
        """Yield a codebook."""
        yield read_codebook(self.root / name, name)

    def sources(
        self, listed: Sequence[tuple[int, Mapping[str, str]]], rows: Sequence[_Row]
    ) -> dict[str, tuple[str, ...]]:
        """Find stage, area and organisation of each interview: its name for comparisons -> these."""
        levels = {
            "stage": {name: stage.title for name, stage in self.part.file.stages.items()},
            "area": self.part.file.areas,
            "organisation": self.part.organisations,
        }
        path = self.part.file.sources or ""
        every = [(path, line, cells["source"], cells) for line, cells in listed] or [
            (row.file, row.line, row.source, row.about) for row in rows if row.about
        ]
        found: dict[str, tuple[str, ...]] = {}
        for file, line, source, cells in every:
            where = f"{file}: row {line}"
            about = tuple(
                self._level(where, column, cells[column], known) for column, known in levels.items()
            )
            if not source:
                self.mistakes.append(Mistake(where, "a source without a name"))
            elif _called(source) not in found:
                found[_called(source)] = about
            elif found[_called(source)] != about:
                what = "a source that stands above with another stage, area or organisation"
                self.mistakes.append(Mistake(where, what))
            elif listed:
                self.say(file, line, "source", "a source that is listed twice", "taken once")
        return found

    def _level(self, where: str, column: str, cell: str, known: Mapping[str, str]) -> str:
        """Return the name of a stage, area or organisation; if there is none, it is a mistake."""
        if (column, cell) not in self.levels:
            self.levels[column, cell] = level = known_as(cell, _words(known)) or ""
            if not level:
                near = nearest(cell, known.values()) if cell else None
                hint = f"did you mean `{near}`?" if near else f"known: {', '.join(known.values())}"
                said = f"unknown {column} `{cell}`" if cell else f"no {column}"
                self.mistakes.append(Mistake(where, said, hint, logged=f"unknown {column}"))
        return self.levels[column, cell]

    def taken(self, rows: Sequence[_Row], sources: Mapping[str, object]) -> pd.DataFrame:
        """Replace sources and coders by numbers, and add the theme of each code."""
        place = {source: number for number, source in enumerate(sources, 1)}
        coders = {name: number for number, name in enumerate(sorted({row.coder for row in rows}), 1)}
        known = {normalise(code.code): code for code in self.part.codes}
        meant = {
            names: next((known[key] for key in map(normalise, names) if key in known), None)
            for names in {row.codes for row in rows}
        }
        found: dict[tuple[object, ...], None] = {}
        for row in rows:
            code = meant[row.codes]
            if (source := place.get(_called(row.source))) is None:
                self.say(row.file, row.line, "source", "a source that is not listed", SET_ASIDE)
            elif code is None:
                self.say(row.file, row.line, "code", NOT_IN_CODES, SET_ASIDE, value=row.codes[0][:LONGEST])
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
        """List the codes of codes.tsv that no file has, and the codes of codebooks that codes.tsv lacks."""
        known = {normalise(code.code) for code in self.part.codes}
        there = {normalise(one) for names in {row.codes for row in rows} for one in names}
        for name, book in codebooks:
            for guid, path in book.codes.items():
                names = names_of(path)
                own = {normalise(one) for one in names}
                there |= own
                if guid not in book.headings and not known & own:
                    self.say(name, None, "code", NOT_IN_CODES, "none needed yet", value=names[0])
        for code in self.part.codes:
            if normalise(code.code) not in there:
                self.say("codes.tsv", None, "code", "a code that no file has", "none", value=code.code)

    def observed(self, grid: Sequence[tuple[int, Mapping[str, str]]]) -> pd.DataFrame:
        """Return the grid of observations; rows of another group or category, or without a count, are set aside."""
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
    """Map the name of each level, and its words, to its name."""
    return {name: name for name in levels} | {text: name for name, text in levels.items()}


def _called(source: str) -> str:
    """Return a source's name for comparisons: some programs append the ending of a document, others remove it."""
    return normalise(_DOCUMENT.sub("", source.strip()))
