"""Read the coded material of a study, whatever program wrote it: who was interviewed, and which passages are coded.

Sources and coders get numbers here; their names in the files are not passed on. What is not used is listed, a row each,
as for the survey's raw files; of the cells only stages, areas, organisations, codes and positions are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.raw import Problem, Source, problem_frame
from surveywaves.ingest.readers import read_raw
from surveywaves.qualitative.refi import PATH, names_of, read_codebook, read_project
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
_ABOUT: Final = SOURCE_COLUMNS[1:]
_CODED: Final = ("source", "coder", "code", "start", "end")
_OPTIONAL: Final = ("coder", "start", "end", "date")
"""Columns without which a table can be read."""


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
    work, file = _Reading(part, root), part.file
    own = () if file.sources else _ABOUT  # then each row of a table says it
    rows = work.frame((*_CODED, *own), *(work.segments(name, own) for name in file.segments))
    listed = work.frame(SOURCE_COLUMNS, work.table(file.sources, SOURCE_COLUMNS)) if file.sources else rows
    grid = [work.table(file.observations, OBSERVED_COLUMNS)] if file.observations else []
    observed = work.frame(OBSERVED_COLUMNS, *grid)
    books = work.frame(("book",), *(work.codebook(name) for name in file.codebooks))
    about = work.sources(listed)
    if work.mistakes:
        raise RawFileError(work.mistakes)
    segments = work.taken(rows, about.index)
    work.unused(rows, books)
    if segments.empty:
        raise RawFileError.at(
            "qualitative.yaml", "no coded segment is left", "look at codes.tsv and the sources"
        )
    sources = about.reset_index(drop=True)
    sources.insert(0, "source", range(1, len(about) + 1))
    return Material(
        sources, segments, work.observed(observed), problem_frame("coded material", work.problems)
    )


@dataclass(slots=True)
class _Reading:
    """The files while they are read."""

    part: QualitativePart
    root: Path
    mistakes: list[Mistake] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)

    def frame(self, columns: Sequence[str], *files: Iterator[tuple[Any, ...]]) -> pd.DataFrame:
        """Put the rows of some files under each other: `file, line` and the columns; mistakes are kept for later."""
        rows: list[tuple[Any, ...]] = []
        for file in files:
            try:
                rows += file
            except RawFileError as error:
                self.mistakes += error.mistakes
        return pd.DataFrame(rows, columns=["file", "line", *columns], dtype="object")

    def say(
        self, file: str, line: int | None, column: str, problem: str, action: str, *, value: str = ""
    ) -> None:
        self.problems.append((file, Problem(line, column, value[:LONGEST], problem, action)))

    def list(
        self, rows: pd.DataFrame, column: str, problem: str, action: str = SET_ASIDE, *, value: str = ""
    ) -> None:
        """List a problem of each of some rows; `value`: a column to quote."""
        for file, line, text in zip(
            rows["file"], rows["line"], rows[value] if value else rows["file"], strict=True
        ):
            self.say(file, line, column, problem, action, value=text if value else "")

    def table(self, name: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a CSV or XLSX file: its name, the row's number and cells, blanks as ""."""
        source = Source(name, self.root / name, Layout(format="table"))
        found = read_raw(source)
        called = [_CALLED.get(normalise(head), normalise(head)) for head in found.names]
        places = {one: called.index(one) for one in columns if one in called}
        if missing := [column for column in columns if column not in places and column not in _OPTIONAL]:
            near = nearest(missing[0], found.names)
            hint = f"is it `{near}`?" if near else f"it has {few(found.names, 8)}"
            what = f"has no column {', '.join(f'`{one}`' for one in missing)}"
            raise RawFileError(source.mistake(what, hint, logged=what))
        for one in found.aside:
            self.say(name, one.row, EVERY, one.problem, one.action)
        if extra := len(found.names) - len(places):
            self.say(name, None, EVERY, f"{extra} columns that are not needed", "not read")
        for at, line in enumerate(found.rows):
            cells = (found.columns[places[one]].text(at) if one in places else "" for one in columns)
            yield name, int(line), *cells

    def segments(self, name: str, own: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the coded passages of a file; `code` are the names that it may have in `codes.tsv`, nearest first."""
        if not name.lower().endswith(".qdpx"):
            for file, line, source, coder, code, *more in self.table(name, (*_CODED, *own)):
                yield file, line, source, coder, names_of(code.split(PATH)), *more
            return
        project = read_project(self.root / name, name)
        for line, what in project.strange:
            self.say(name, line, EVERY, what, "not taken")
        for one in project.codings:
            if one.code in project.codes:
                title, codes = project.sources[one.source] or one.source, names_of(project.codes[one.code])
                yield name, one.line, title, one.coder, codes, one.start, one.end
            else:
                self.say(name, one.line, "code", "a code that the project does not have", SET_ASIDE)

    def codebook(self, name: str) -> Iterator[tuple[Any, ...]]:
        """Yield a codebook."""
        yield name, 0, read_codebook(self.root / name, name)

    def sources(self, listed: pd.DataFrame) -> pd.DataFrame:
        """Find `stage, area, organisation` of each interview; the index is its name for comparisons."""
        known = {
            "stage": {name: stage.title for name, stage in self.part.file.stages.items()},
            "area": self.part.file.areas,
            "organisation": self.part.organisations,
        }
        where = listed["file"] + ": row " + listed["line"].astype("str")
        about = pd.DataFrame({one: self._levels(listed[one], where, known[one]) for one in _ABOUT})
        about.index = pd.Index(listed["source"].map(_called), name="called")
        nameless, again = np.asarray(about.index == ""), about.index.duplicated()
        first: pd.DataFrame = about[~again & ~nameless]
        other = (about.to_numpy() != first.reindex(about.index).to_numpy()).any(axis=1) & ~nameless
        what = "a source that stands above with another stage, area or organisation"
        self.mistakes += [Mistake(one, what) for one in where[other]]
        self.mistakes += [Mistake(one, "a source without a name") for one in where[nameless]]
        if self.part.file.sources:
            self.list(
                listed[again & ~other & ~nameless], "source", "a source that is listed twice", "taken once"
            )
        return first

    def _levels(self, cells: pd.Series, where: pd.Series, known: Mapping[str, str]) -> pd.Series:
        """Return the names of stages, areas or organisations; what is none is a mistake, listed once."""
        meant = {cell: known_as(cell, _words(known)) or "" for cell in cells.unique()}
        for cell in (cell for cell, level in meant.items() if not level):
            near = nearest(cell, known.values()) if cell else None
            hint = f"did you mean `{near}`?" if near else f"known: {', '.join(known.values())}"
            said = f"unknown {cells.name} `{cell}`" if cell else f"no {cells.name}"
            first = where[cells == cell].iloc[0]
            self.mistakes.append(Mistake(first, said, hint, logged=f"unknown {cells.name}"))
        return cells.map(meant)

    def taken(self, rows: pd.DataFrame, interviews: pd.Index) -> pd.DataFrame:
        """Replace sources and coders by numbers, and add the theme of each code."""
        known = {normalise(code.code): code for code in self.part.codes}
        meant = [
            next((known[key] for key in map(normalise, names) if key in known), None)
            for names in rows["code"]
        ]
        frame = rows.assign(
            name=[names[0] for names in rows["code"]], coder=rows["coder"].rank(method="dense")
        )
        frame["number"] = interviews.get_indexer(pd.Index(rows["source"].map(_called))) + 1
        for one in ("code", "theme", "tone"):
            frame[one] = [getattr(code, one, None) for code in meant]
        ends = [_place(start, end) for start, end in zip(rows["start"], rows["end"], strict=True)]
        frame["from"], frame["to"] = [low for low, _ in ends], [high for _, high in ends]
        self.list(frame[frame["number"] == 0], "source", "a source that is not listed")
        frame = frame[frame["number"] > 0]
        self.list(frame[frame["code"].isna()], "code", NOT_IN_CODES, value="name")
        frame = frame[frame["theme"].notna()]
        lost = frame[frame["from"].isna() & ((frame["start"] != "") | (frame["end"] != ""))]
        self.list(lost, "start", "a passage that does not end after it starts", "taken without its place")
        frame = frame.assign(source=frame["number"], start=frame["from"], end=frame["to"])
        again = frame.duplicated(list(SEGMENT_COLUMNS))
        self.list(frame[again], "code", "the same passage coded twice alike", "taken once", value="code")
        types = {"source": "int64", "coder": "int64", "start": "Int64", "end": "Int64"}
        frame = frame.loc[~again, list(SEGMENT_COLUMNS)].astype(
            types | dict.fromkeys(("code", "theme", "tone"), "str")
        )
        return frame.sort_values(list(SEGMENT_COLUMNS), ignore_index=True)

    def unused(self, rows: pd.DataFrame, books: pd.DataFrame) -> None:
        """List the codes of codes.tsv that no file has, and the codes of codebooks that codes.tsv lacks."""
        known = {normalise(code.code) for code in self.part.codes}
        there = {normalise(one) for names in set(rows["code"]) for one in names}
        for name, book in zip(books["file"], books["book"], strict=True):
            for guid, path in book.codes.items():
                names = names_of(path)
                own = {normalise(one) for one in names}
                there |= own
                if guid not in book.headings and not known & own:
                    self.say(name, None, "code", NOT_IN_CODES, "none needed yet", value=names[0])
        for code in self.part.codes:
            if normalise(code.code) not in there:
                self.say("codes.tsv", None, "code", "a code that no file has", "none", value=code.code)

    def observed(self, grid: pd.DataFrame) -> pd.DataFrame:
        """Return the grid of observations; rows of another group or category, or without a count, are set aside."""
        for column, known in (("group", self.part.file.groups), ("category", self.part.file.categories)):
            words = _words(known)
            meant = grid[column].map({cell: known_as(cell, words) for cell in grid[column].unique()})
            self.list(
                grid[meant.isna()], column, f"a {column} that qualitative.yaml does not have", value=column
            )
            grid = grid.assign(**{column: meant})[meant.notna()]
        count = grid["count"].map(number).astype("float64")
        whole = (count >= 0) & (count % 1 == 0)
        self.list(grid[~whole], "count", "no count")
        grid = grid.assign(count=count)[whole]
        self.list(grid[grid["meeting"] == ""], "meeting", "no meeting")
        return (
            grid.loc[grid["meeting"] != "", list(OBSERVED_COLUMNS)]
            .astype({"meeting": "str", "date": "str", "count": "int64"})
            .reset_index(drop=True)
        )


def _place(start: str, end: str) -> tuple[int | None, int | None]:
    """Return where a passage starts and ends, if it does so in this order."""
    low, high = number(start), number(end)
    return (int(low), int(high)) if low is not None and high is not None and 0 <= low < high else (None, None)


def _words(levels: Mapping[str, str]) -> dict[str, str]:
    """Map the name of each level, and its words, to its name."""
    return {name: name for name in levels} | {text: name for name, text in levels.items()}


def _called(source: str) -> str:
    """Return a source's name for comparisons: some programs append the ending of a document, others remove it."""
    return normalise(_DOCUMENT.sub("", source.strip()))
