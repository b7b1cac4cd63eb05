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
from surveywaves.text import did_you_mean, few, known_as, nearest, normalise, number

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
    rows = work.frame((*_CODED, *own), *(work.coded(name, own) for name in file.segments))
    listed = work.frame(SOURCE_COLUMNS, work.table(file.sources, SOURCE_COLUMNS)) if file.sources else rows
    grid = [work.table(file.observations, OBSERVED_COLUMNS)] if file.observations else []
    observed = work.frame(OBSERVED_COLUMNS, *grid)
    books = work.frame(("code", "heading"), *(work.codebook(name) for name in file.codebooks))
    about = work.sources(listed)
    if work.mistakes:
        raise RawFileError(work.mistakes)
    segments = work.segments(rows, about.index)
    work.unused(rows, books)
    if segments.empty:
        what, hint = "no coded segment is left", "look at codes.tsv and the sources"
        raise RawFileError.at("qualitative.yaml", what, hint)
    sources = about.reset_index(drop=True)
    sources.insert(0, "source", range(1, len(about) + 1))
    seen = work.observed(observed)
    return Material(sources, segments, seen, problem_frame("coded material", work.problems))


@dataclass(slots=True)
class _Reading:
    """The files while they are read: what is wrong with them, and what is not taken."""

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

    def without(
        self,
        rows: pd.DataFrame,
        bad: pd.Series,
        column: str,
        problem: str,
        action: str = SET_ASIDE,
        *,
        value: str = "",
    ) -> pd.DataFrame:
        """List a problem of each of some rows, and return the others; `value`: a column to quote."""
        for row in rows[bad].to_dict("records"):
            quoted = row.get(value, "")[:LONGEST]
            self.problems.append((row["file"], Problem(row["line"], column, quoted, problem, action)))
        return rows[~bad]

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
        self.problems += [(name, Problem(one.row, EVERY, "", one.problem, one.action)) for one in found.aside]
        if extra := len(found.names) - len(places):
            what = f"{extra} columns that are not needed"
            self.problems.append((name, Problem(None, EVERY, "", what, "not read")))
        for at, line in enumerate(found.rows):
            cells = (found.columns[places[one]].text(at) if one in places else "" for one in columns)
            yield name, int(line), *cells

    def coded(self, name: str, own: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the coded passages of a file; `code` are the names that it may have in `codes.tsv`, nearest first."""
        if name.lower().endswith(".qdpx"):
            project = read_project(self.root / name, name)
            self.problems += [
                (name, Problem(line, "code", "", what, SET_ASIDE)) for line, what in project.strange
            ]
            yield from ((name, *coding) for coding in project.codings)
            return
        for file, line, source, coder, code, *more in self.table(name, (*_CODED, *own)):
            yield file, line, source, coder, names_of(code.split(PATH)), *more

    def codebook(self, name: str) -> Iterator[tuple[Any, ...]]:
        """Yield the codes of a codebook: what each may be called, and whether it only contains others."""
        yield from ((name, None, *code) for code in read_codebook(self.root / name, name).codes.values())

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
            twice = pd.Series(again & ~other & ~nameless, index=listed.index)
            self.without(listed, twice, "source", "a source that is listed twice", "taken once")
        return first

    def _levels(self, cells: pd.Series, where: pd.Series, known: Mapping[str, str]) -> pd.Series:
        """Return the names of stages, areas or organisations; what is none is a mistake, listed once."""
        found = _meant(cells, known)
        for cell in cells[found.isna()].unique():
            hint = did_you_mean(cell, known.values(), f"known: {', '.join(known.values())}")
            said = f"unknown {cells.name} `{cell}`" if cell else f"no {cells.name}"
            first = where[cells == cell].iloc[0]
            self.mistakes.append(Mistake(first, said, hint, logged=f"unknown {cells.name}"))
        return found.fillna("")

    def segments(self, rows: pd.DataFrame, interviews: pd.Index) -> pd.DataFrame:
        """Replace sources and coders by numbers, and add the theme of each code."""
        known = {normalise(code.code): code for code in self.part.codes}
        meant = [next(filter(None, map(known.get, map(normalise, names))), None) for names in rows["code"]]
        ends = [_place(start, end) for start, end in zip(rows["start"], rows["end"], strict=True)]
        frame = rows.assign(
            name=rows["code"].str[0],
            coder=rows["coder"].rank(method="dense"),
            lost=(rows["start"] != "") | (rows["end"] != ""),
            source=interviews.get_indexer(pd.Index(rows["source"].map(_called))) + 1,
        )
        for place, one in enumerate(("start", "end")):
            frame[one] = [end[place] for end in ends]
        for one in ("code", "theme", "tone"):
            frame[one] = [getattr(code, one, None) for code in meant]
        frame = self.without(frame, frame["source"] == 0, "source", "a source that is not listed")
        frame = self.without(frame, frame["code"].isna(), "code", NOT_IN_CODES, value="name")
        frame = frame[frame["theme"].notna()]
        lost, what = frame["lost"] & frame["start"].isna(), "a passage that does not end after it starts"
        self.without(frame, lost, "start", what, "taken without its place")
        again, what = frame.duplicated(list(SEGMENT_COLUMNS)), "the same passage coded twice alike"
        frame = self.without(frame, again, "code", what, "taken once", value="code")
        types = {"source": "int64", "coder": "int64", "start": "Int64", "end": "Int64"}
        frame = frame[list(SEGMENT_COLUMNS)].astype(types | dict.fromkeys(("code", "theme", "tone"), "str"))
        return frame.sort_values(list(SEGMENT_COLUMNS), ignore_index=True)

    def unused(self, rows: pd.DataFrame, books: pd.DataFrame) -> None:
        """List the codes of codebooks that codes.tsv lacks, and the codes of codes.tsv that no file has."""
        known = {normalise(code.code) for code in self.part.codes}
        books = books.assign(name=books["code"].str[0])
        new = [
            not heading and known.isdisjoint(map(normalise, names))
            for names, heading in zip(books["code"], books["heading"], strict=True)
        ]
        self.without(
            books, pd.Series(new, dtype="bool"), "code", NOT_IN_CODES, "none needed yet", value="name"
        )
        there = {normalise(one) for names in {*rows["code"], *books["code"]} for one in names}
        for code in self.part.codes:
            if normalise(code.code) not in there:
                lost = Problem(None, "code", code.code[:LONGEST], "a code that no file has", "none")
                self.problems.append(("codes.tsv", lost))

    def observed(self, grid: pd.DataFrame) -> pd.DataFrame:
        """Return the grid of observations; rows of another group or category, or without a count, are set aside."""
        for column, known in (("group", self.part.file.groups), ("category", self.part.file.categories)):
            meant, what = _meant(grid[column], known), f"a {column} that qualitative.yaml does not have"
            grid = self.without(grid, meant.isna(), column, what, value=column).assign(**{column: meant})
        count = grid["count"].map(number).astype("float64")
        grid = self.without(grid, (count < 0) | (count % 1 != 0), "count", "no count").assign(count=count)
        grid = self.without(grid, grid["meeting"] == "", "meeting", "no meeting")
        types = {"meeting": "str", "date": "str", "count": "int64"}
        return grid[list(OBSERVED_COLUMNS)].astype(types).reset_index(drop=True)


def _place(start: str, end: str) -> tuple[int | None, int | None]:
    """Return where a passage starts and ends, if it does so in this order."""
    low, high = number(start), number(end)
    return (int(low), int(high)) if low is not None and high is not None and 0 <= low < high else (None, None)


def _meant(cells: pd.Series, known: Mapping[str, str]) -> pd.Series:
    """Find the names of levels that cells say, by name or in words; missing where they say none."""
    words = {name: name for name in known} | {text: name for name, text in known.items()}
    return cells.map({cell: known_as(cell, words) for cell in cells.unique()})


def _called(source: str) -> str:
    """Return a source's name for comparisons: some programs append the ending of a document, others remove it."""
    return normalise(_DOCUMENT.sub("", source.strip()))
