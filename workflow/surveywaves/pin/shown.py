"""What somebody points at: a row of a released table, a figure, a table to paste, a table in the report."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.request import urlopen

import pandas as pd
from pydantic import ValidationError

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin.keys import key_columns
from surveywaves.pin.manifest import PINS, Hashes, Job, read_manifest
from surveywaves.pin.records import Places, read_records
from surveywaves.report.figures import figure_data
from surveywaves.script import digest, read
from surveywaves.spreadsheet import FORMULA
from surveywaves.study.parts import Presentation
from surveywaves.wording import nearest

RELEASED: Final = "results/released/"
FIGURES: Final = "results/figures/"
PASTED: Final = "results/tables/"
REPORT: Final = "results/report/index.html"

_ROOMS: Final = {
    "figures": "figure",
    "tables": "table",
    "released": "",
    "statistics": "",
    "audit": "",
}
"""Folder of a path -> what its files are; "" are tables of which the released one is meant."""


@dataclass(frozen=True)
class Store:
    """Results with their records, as they lie in a working folder or in a pin.

    Parameters
    ----------
    jobs
        The records, each after those whose outputs it reads.
    folder
        Folder that stands for `results/`.
    told
        What the folder is called in messages.
    hashes
        Path in the folder -> SHA-256 that a file must have; empty: the records say.
    """

    jobs: tuple[Job, ...]
    folder: Path
    told: str
    hashes: Hashes

    @classmethod
    def of_run(cls, places: Places) -> Store:
        """Take what lies in a working folder.

        Raises
        ------
        SurveywavesError
            If there are no results.
        """
        folder = places.folder / "results"
        rooms = [folder / room for room in ("released", "figures", "tables", "report")]
        wanted = [
            f"results/{path.relative_to(folder).as_posix()}"
            for room in rooms
            for path in room.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        ]
        jobs = read_records(places, wanted).jobs
        if not jobs:
            hint = "run `snakemake --cores all` there first, or say with --directory where the results are"
            raise SurveywavesError.at(folder, "no results yet", hint)
        return cls(jobs, folder, "results", {})

    @classmethod
    def of_pin(cls, label: str, places: Places) -> Store:
        """Take what a pin keeps (SurveywavesError if there is no such pin)."""
        folder = places.folder / PINS / label
        manifest = read_manifest(folder)
        return cls(manifest.jobs, folder, (PINS / label).as_posix(), manifest.outputs)

    def read(self, name: str) -> Path:
        """Give the path of a file `results/...`.

        Raises
        ------
        SurveywavesError
            If it is not there, or in a pin and not as pinned.
        """
        inside = name.removeprefix("results/")
        path = self.folder / inside
        if not path.is_file():
            raise SurveywavesError.at(f"{self.told}/{inside}", "no such file", "run `snakemake --cores all`")
        if inside in self.hashes and digest(path) != self.hashes[inside]:
            raise SurveywavesError.at(f"{self.told}/{inside}", "has changed since it was pinned")
        return path

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Name the released tables."""
        return tuple(sorted(path.stem for path in (self.folder / "released").glob("*.csv")))

    def table(self, name: str) -> pd.DataFrame:
        """Read a released table, every cell as text."""
        return read(str(self.read(f"{RELEASED}{name}.csv")))

    @cached_property
    def made(self) -> frozenset[str]:
        """Name everything that a job made."""
        return frozenset(path for job in self.jobs for path in job.outputs)


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of a released table, and what shows them.

    Parameters
    ----------
    kind, name
        `figure`, `table` (to paste) or `report` and its name there; "" and the table's name: the table itself.
    target
        File that they are shown in.
    table
        Released table that the rows are of.
    keys
        Columns that tell its rows apart.
    rows
        All columns, as text, in the order of the table.
    """

    kind: str
    name: str
    target: str
    table: str
    keys: tuple[str, ...]
    rows: pd.DataFrame


def find(words: Sequence[str], store: Store) -> Shown:
    """Find what is asked for.

    Parameters
    ----------
    words
        `figure NAME`, `table NAME`, the name of a released table, or a path; then `column=value` to choose rows.

    Raises
    ------
    SurveywavesError
        If there is no such thing or no such row, with what comes nearest.
    """
    kind, name, choices = _asked(words)
    if kind == "figure":
        found = _figure(name, store)
    elif kind == "table":
        found = _pasted(name, store)
    else:
        found = _released(name, store)
    return _chosen(found, choices)


def _asked(words: Sequence[str]) -> tuple[str, str, dict[str, str]]:
    """Take apart what is asked: kind ("" of a released table), name, and the choice of rows."""
    first, *rest = words
    if first in {"figure", "table"} and rest and "=" not in rest[0]:
        kind, name, rest = first, PurePosixPath(rest[0]).stem, rest[1:]
    elif "=" in first:
        raise SurveywavesError.at(first, "of which table?", f"surveywaves trace contrasts {first}")
    else:
        path = PurePosixPath(first)
        kind, name = _ROOMS.get(path.parent.name, "table" if path.suffix else ""), path.stem
        if path.suffix and len(path.parts) > 1 and path.parent.name not in _ROOMS:
            hint = "a file in results/figures, results/tables or results/released, or the name of a download"
            raise SurveywavesError.at(first, "no number can be found in it", hint)
    choices: dict[str, str] = {}
    mistakes = []
    for word in rest:
        column, equals, value = word.partition("=")
        if not equals:
            mistakes.append(Mistake(word, "chooses no row", "write column=value, as in term=change"))
        elif column in choices:
            mistakes.append(Mistake(word, f"chooses another {column} than {column}={choices[column]}"))
        choices[column] = value
    if mistakes:
        raise SurveywavesError(mistakes)
    return kind, name, choices


def _released(name: str, store: Store) -> Shown:
    if name not in store.tables:
        figures, pasted = _figures(store), _pasted_names(store)
        if name in figures or name in pasted:
            kind = "figure" if name in figures else "table"
            raise SurveywavesError.at(
                name, "no released table", f"surveywaves trace {kind} {name} traces the {kind}"
            )
        raise _unknown(name, "released table", store.tables)
    frame = store.table(name)
    target = next(
        (path for end in ("parquet", "csv") if (path := f"{RELEASED}{name}.{end}") in store.made),
        f"{RELEASED}{name}.csv",
    )
    return Shown("", name, target, name, tuple(key_columns(name, frame)), frame)


def _figures(store: Store) -> dict[str, str]:
    """Give the figures that there are: name -> file."""
    paths = sorted(path for path in store.made if path.startswith(FIGURES) and path.endswith(".svg"))
    return {PurePosixPath(path).stem: path for path in paths}


def _figure(name: str, store: Store) -> Shown:
    known = _figures(store)
    if name not in known:
        raise _unknown(name, "figure", known)
    job = next(job for job in store.jobs if known[name] in job.outputs)
    try:
        presentation = Presentation.model_validate(job.params["presentation"])
    except (ValidationError, KeyError):
        raise SurveywavesError.at(
            known[name], "its record was written by another version of surveywaves"
        ) from None
    frames = {table: store.table(table) for table in store.tables}
    return _matched("figure", name, known[name], figure_data(name, frames, presentation), frames)


def _pasted_names(store: Store) -> set[str]:
    """Name the tables to paste, and those of the report."""
    pasted = {PurePosixPath(path).stem for path in store.made if path.startswith(PASTED)} - {"index"}
    return pasted | _downloads(store).keys()


def _pasted(name: str, store: Store) -> Shown:
    path = f"{PASTED}{name}.csv"
    frames = {table: store.table(table) for table in store.tables}
    if path in store.made and (store.folder / path.removeprefix("results/")).is_file():
        return _matched("table", name, path, _taken(store.read(path).read_bytes()), frames)
    downloads = _downloads(store)
    if name not in downloads:
        raise _unknown(name, "table", sorted(_pasted_names(store)))
    with urlopen(html.unescape(downloads[name])) as data:  # only an address that begins with `data:`
        rows = _taken(data.read())
    return _matched("report", name, REPORT, rows, frames)


_DOWNLOAD: Final = re.compile(r'<a download="([^"]+)\.csv" href="(data:text/csv[^"]*)"')


def _downloads(store: Store) -> dict[str, str]:
    """Give the data behind the report's tables: name of a download -> its address, which holds the data."""
    if not (store.folder / REPORT.removeprefix("results/")).is_file():
        return {}
    text = store.read(REPORT).read_text(encoding="utf-8")
    return {html.unescape(name): content for name, content in reversed(_DOWNLOAD.findall(text))}


def _taken(content: bytes) -> pd.DataFrame:
    """Read a table that was written for spreadsheets, and take away what was put before formulas."""
    frame = pd.read_csv(io.StringIO(content.decode("utf-8-sig")), dtype="str", keep_default_na=False)
    for name, column in frame.items():
        guarded = column.str.startswith("'") & column.str[1:].str.lstrip(" ").str.startswith(FORMULA)
        frame[name] = column.mask(guarded, column.str[1:])
    return frame


def _matched(
    kind: str, name: str, target: str, shown: pd.DataFrame, frames: Mapping[str, pd.DataFrame]
) -> Shown:
    """Find the released table that rows are of, and these rows in it."""
    # A table with fewer columns than what is shown may have rows of the same names: the fullest comes first.
    for table in sorted(frames, key=lambda table: (-len(frames[table].columns), table)):
        frame = frames[table]
        keys = key_columns(table, frame)
        if shown.empty or not set(frame.columns) <= set(shown.columns):
            continue
        wanted = set(shown[keys].itertuples(index=False, name=None))
        there = pd.Series(
            list(frame[keys].itertuples(index=False, name=None)), index=frame.index, dtype=object
        )
        if wanted <= set(there):
            return Shown(kind, name, target, table, tuple(keys), frame[there.isin(wanted)])
    what = (
        "it has no rows"
        if shown.empty
        else "its rows are of no released table: it says words, or counts files"
    )
    raise SurveywavesError.at(
        target if kind != "report" else f"{target}, {name}", f"nothing to trace: {what}"
    )


def _chosen(found: Shown, choices: Mapping[str, str]) -> Shown:
    """Keep the rows that are asked for."""
    place = " ".join(filter(None, (found.kind, found.name)))
    rows = found.rows
    mistakes = []
    for column, value in choices.items():
        if column not in rows:
            near = nearest(column, list(rows.columns), whole=True)
            hint = f"did you mean `{near}`?" if near else f"rows are told apart by {', '.join(found.keys)}"
            mistakes.append(Mistake(place, f"no column `{column}`", hint))
        elif not (rows[column] == value).any():
            mistakes.append(Mistake(place, f"no row with {column}={value}", _near(value, rows[column])))
    if mistakes:
        raise SurveywavesError(mistakes)
    for column, value in choices.items():
        if not (rows[column] == value).any():
            rest = " ".join(f"{name}={wanted}" for name, wanted in choices.items() if name != column)
            raise SurveywavesError.at(
                place, f"no row with {column}={value} and {rest}", _near(value, rows[column])
            )
        rows = rows[rows[column] == value]
    return Shown(found.kind, found.name, found.target, found.table, found.keys, rows)


def _near(value: str, column: pd.Series[str], most: int = 6) -> str:
    """Hint at the values that there are."""
    known = list(dict.fromkeys(column))
    near = nearest(value, known)
    if near is not None:
        return f"did you mean `{near}`?"
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return f"there is {', '.join(f'`{one}`' for one in known[:most])}{more}"


def _unknown(name: str, kind: str, known: Sequence[str] | Mapping[str, str]) -> SurveywavesError:
    near = nearest(name, known, whole=True) or nearest(name, known)
    hint = f"did you mean `{near}`?" if near else f"there is {', '.join(known) or 'none'}"
    return SurveywavesError.at(name, f"no {kind} of that name", hint)
