"""`surveywaves trace`: everything behind what somebody points at, in words and as JSON.

What somebody points at: a row of a released table, a figure, a table to paste, a table in the report.
"""

from __future__ import annotations

import io
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from surveywaves.catalogue import NARROW, ROWS_FORMAT, SLIDES
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import FORMULA, read
from surveywaves.key import KEYED
from surveywaves.pin.changes import is_own, key_columns, waves_named
from surveywaves.pin.lineage import Lineage, Step, lineage, part_of
from surveywaves.pin.manifest import (
    PINS,
    Hashes,
    Job,
    Places,
    Records,
    WaveEvidence,
    read_records,
    stale,
    whole_pin,
)
from surveywaves.pin.manifest import shown as value_shown
from surveywaves.text import few, listed, nearest

RELEASED: Final = "results/released/"
_SHOWN_IN: Final = {
    "figure": ("results/figures/",),
    "table": ("results/tables/", "results/tables_interviews/"),
}
"""What shows rows of released tables -> folders of the rows that were kept beside it."""

_NO_ROWS: Final = {"index", "tables", "captions"}
"""Files beside them that list what there is."""

_ROOMS: Final = {
    "figures": "figure",
    SLIDES: "figure",
    NARROW: "figure",
    "tables": "table",
    "tables_interviews": "table",
    "released": "",
    "statistics": "",
    "audit": "",
}
"""Folder of a path -> what its files are; "" are tables of which the released one is meant. Slides and drawings for
telephones show the rows of the figure of their name."""


@dataclass(frozen=True)
class Store:
    """Results with their records, as they lie in a working folder or in a pin."""

    jobs: tuple[Job, ...]
    """The records, each after those whose outputs it reads."""
    folder: Path
    """Folder that stands for `results/`."""
    told: str
    """What the folder is called in messages."""

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
            hint = "run `snakemake` there first, or say with --directory where the results are"
            raise SurveywavesError.at(folder, "no results yet", hint)
        return cls(jobs, folder, "results")

    @classmethod
    def of_pin(cls, label: str, places: Places) -> Store:
        """Take what a pin keeps (SurveywavesError if there is no such pin, or it is not whole)."""
        folder = places.folder / PINS / label
        return cls(whole_pin(folder).jobs, folder, (PINS / label).as_posix())

    def read(self, name: str) -> Path:
        """Return the path of a file `results/...`.

        Raises
        ------
        SurveywavesError
            If it is not there.
        """
        inside = name.removeprefix("results/")
        path = self.folder / inside
        if not path.is_file():
            raise SurveywavesError.at(f"{self.told}/{inside}", "no such file", "run `snakemake`")
        return path

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Name the released tables."""
        return tuple(sorted(path.stem for path in (self.folder / "released").glob("*.csv")))

    def table(self, name: str) -> pd.DataFrame:
        """Read a released table, every cell as text."""
        return read(str(self.read(f"{RELEASED}{name}.csv")))

    def shown(self, kind: str) -> dict[str, str]:
        """Return the existing figures or tables: name -> file with the rows that it shows."""
        paths = (
            PurePosixPath(path)
            for folder in _SHOWN_IN[kind]
            for path in sorted(self.made)
            if path.startswith(folder)
        )
        return {
            path.stem: str(path)
            for path in paths
            if path.suffix == f".{ROWS_FORMAT}" and path.stem not in _NO_ROWS
        }

    @cached_property
    def made(self) -> frozenset[str]:
        """Name everything that a job made."""
        return frozenset(path for job in self.jobs for path in job.outputs)


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of a released table, and what shows them."""

    kind: str
    name: str
    """`figure`, `table` (to paste) or `report` and its name there; "" and the table's name: the table itself."""
    target: str
    """File that they are shown in."""
    table: str
    """Released table that the rows are of."""
    keys: tuple[str, ...]
    """Columns that tell its rows apart."""
    rows: pd.DataFrame
    """All columns, as text, in the order of the table."""


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
    return _chosen(_drawn_or_pasted(kind, name, store) if kind else _released(name, store), choices)


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
        for kind in _SHOWN_IN:
            if name in store.shown(kind):
                hint = f"surveywaves trace {kind} {name} traces the {kind}"
                raise SurveywavesError.at(name, "no released table", hint)
        raise _unknown(name, "released table", store.tables)
    frame = store.table(name)
    target = f"{RELEASED}{name}.parquet"
    target = target if target in store.made else f"{RELEASED}{name}.csv"
    return Shown("", name, target, name, tuple(key_columns(name, frame)), frame)


def _drawn_or_pasted(kind: str, name: str, store: Store) -> Shown:
    """Find the rows that a figure or a table shows, by those that were kept beside it."""
    known = store.shown(kind)
    name = name if name in known else name.removesuffix(f"_{NARROW}")
    if name not in known:
        raise _unknown(name, kind, known)
    path = known[name]
    drawing = str(PurePosixPath(path).with_suffix(".svg"))
    target = drawing if drawing in store.made else path
    frames = {table: store.table(table) for table in store.tables}
    return _matched(kind, name, target, _taken(store.read(path).read_bytes()), frames)


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
    fullest: Shown | None = None
    # A table with fewer columns than what is shown may have rows of the same names: the fullest comes first. A wide
    # table may hold rows of two, levels and their differences: it is traced by the differences.
    for table in sorted(frames, key=lambda table: (-len(frames[table].columns), table)):
        frame = frames[table]
        keys = key_columns(table, frame)
        if shown.empty or not set(frame.columns) <= set(shown.columns):
            continue
        wanted = set(shown[keys].itertuples(index=False, name=None))
        there = pd.Series(
            list(frame[keys].itertuples(index=False, name=None)), index=frame.index, dtype=object
        )
        found = Shown(kind, name, target, table, tuple(keys), frame[there.isin(wanted)])
        if wanted <= set(there):
            return found
        if len(found.rows) and fullest is None:
            fullest = found
    if fullest is not None:
        return fullest
    what = (
        "it has no rows"
        if shown.empty
        else "its rows are of no released table: it says words, or counts files"
    )
    raise SurveywavesError.at(target, f"nothing to trace: {what}")


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


def _near(value: str, column: pd.Series[str]) -> str:
    """Hint at the values that there are."""
    known = list(dict.fromkeys(column))
    near = nearest(value, known)
    if near is not None:
        return f"did you mean `{near}`?"
    return f"there is {few([f'`{one}`' for one in known], 6)}"


def _unknown(name: str, kind: str, known: Sequence[str] | Mapping[str, str]) -> SurveywavesError:
    near = nearest(name, known, whole=True) or nearest(name, known)
    hint = f"did you mean `{near}`?" if near else f"there is {', '.join(known) or 'none'}"
    return SurveywavesError.at(name, f"no {kind} of that name", hint)


_UNRELEASED: Final = ("statistics", "audit")
"""Folders of the tables before their release."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is behind some numbers."""

    shown: Shown
    """The numbers."""
    lineage: Lineage
    """The jobs, files and settings behind them."""
    evidence: tuple[WaveEvidence, ...]
    """Of each wave that they come from."""
    before: tuple[str, pd.DataFrame] | None = None
    """The same rows before their release, and the file that they stand in; None: not asked for."""


def trace(words: Sequence[str], places: Places, *, pin: str | None = None, unreleased: bool = False) -> Trace:
    """Trace what is asked for.

    Parameters
    ----------
    words
        See `surveywaves.pin.trace.find`.
    places
        Where the study lies, its results, and the workflow.
    pin
        Label of a pin to look in; None: the results in the working folder.
    unreleased
        Give the rows before their release as well.

    Raises
    ------
    SurveywavesError
        If there are no results or no such rows, or what a record says no longer holds.
    """
    if pin and unreleased:
        raise SurveywavesError.at("--unreleased", "a pin holds released tables only", "leave --pin out")
    store = Store.of_pin(pin, places) if pin else Store.of_run(places)
    found = find(words, store)
    if found.target not in store.made:
        raise SurveywavesError.at(
            found.target, "no record says how it was made", "run snakemake once more with --forceall"
        )
    behind = lineage(store.jobs, found.target, tables=(found.table,), waves=_own_waves(found, store.jobs))
    if not pin and (
        changed := stale(Records(tuple(step.job for step in reversed(behind.steps)), ()), places)
    ):
        raise SurveywavesError(
            replace(one, what=f"{one.what}, and the record no longer holds") for one in changed
        )
    before = _before(found, places.folder) if unreleased else None
    return Trace(found, behind, tuple(_evidence(behind.waves, store.jobs)), before)


def _own_waves(found: Shown, jobs: Sequence[Job]) -> list[str] | None:
    """List the waves that rows are about alone; None: models over all waves have a part in one of them."""
    waves: dict[str, None] = {}
    for row in found.rows.to_dict("records"):
        cells = {str(name): str(value) for name, value in row.items()}
        if not is_own(found.table, cells):
            return None
        named = waves_named(cells["wave"]) if "wave" in cells else _wave_of(found.table, jobs)
        if not named:
            return None
        waves |= dict.fromkeys(named)
    return list(waves)


def _wave_of(table: str, jobs: Sequence[Job]) -> list[str]:
    """Return the waves that a table without a column for them is about, from the params of the job that makes it."""
    paths = {f"results/{room}/{table}.parquet" for room in _UNRELEASED}
    told = (part_of(job).get("wave") for job in jobs if paths & job.outputs.keys())
    return [wave for wave in told if isinstance(wave, str)]


def _evidence(waves: Sequence[str], jobs: Sequence[Job]) -> Iterator[WaveEvidence]:
    """Return the evidence of each wave, as recorded by the jobs that describe or harmonise it."""
    words = [dict(job.params["presentation"]["waves"]) for job in jobs if "presentation" in job.params]
    parts = {job.wildcards["wave"]: part_of(job) for job in jobs if "wave" in job.wildcards}
    for wave in waves:
        told = words[0][wave] if words else {"title": wave, **parts.get(wave, {})}
        if "evidence" in told:
            weaker = {name: one["evidence"] for name, one in told.get("variable_evidence", {}).items()}
            yield WaveEvidence(
                wave=wave,
                title=told["title"],
                evidence=told["evidence"],
                note=told.get("evidence_note", ""),
                weaker=weaker,
            )


def _before(found: Shown, folder: Path) -> tuple[str, pd.DataFrame]:
    """Read the same rows before their release."""
    for room in _UNRELEASED:
        name = f"results/{room}/{found.table}.parquet"
        if (folder / name).is_file():
            text = read(str(folder / name)).to_csv(index=False)
            frame = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
            keys = list(found.keys)
            wanted = set(found.rows[keys].itertuples(index=False, name=None))
            there = pd.Series(list(frame[keys].itertuples(index=False, name=None)), dtype=object)
            return name, frame[there.isin(wanted)]
    raise SurveywavesError.at(
        found.table, "stands nowhere before the release", "the release itself writes it"
    )


ROWS: Final = 12
"""Rows that are shown unless all are asked for."""

FILES: Final = 8
"""Files of a job that are named unless all are asked for."""

KEYS: Final = 12
"""Settings of one section that are named each."""

SHORT: Final = 60
"""Characters of a value that is shown."""

_WORDS_ONLY: Final = ("presentation", "evidence")
"""Settings that put numbers into words and pictures, and change none."""

WIDTH: Final = 110

_DIGITS: Final = 12
"""Digits of a hash, keyed or not, that tell files apart on the screen; of raw files all are shown."""


def to_lines(trace: Trace, *, everything: bool = False) -> Iterator[str]:
    """Yield lines on what is behind some numbers.

    Parameters
    ----------
    everything
        Every row, code file and setting.
    """
    yield from _numbers(trace, everything)
    yield ""
    yield from _waves(trace)
    for step in trace.lineage.steps:
        yield ""
        yield from _step(step, everything)
    yield ""
    yield from _files(trace)


def to_json(trace: Trace) -> dict[str, Any]:
    """Return a trace as plain data."""
    found, behind = trace.shown, trace.lineage
    before = (
        {"unreleased": {"file": trace.before[0], "rows": trace.before[1].to_dict("records")}}
        if trace.before
        else {}
    )
    return {
        "shown": {"kind": found.kind or "table", "name": found.name, "file": found.target},
        "table": found.table,
        "keys": list(found.keys),
        "rows": found.rows.to_dict("records"),
        **before,
        "waves": list(behind.waves),
        "all_waves_together": behind.joint,
        "jobs": [
            {
                "job": step.job.name,
                "rule": step.job.rule,
                "wildcards": step.job.wildcards,
                "reads": step.reads,
                "code": step.job.code,
                "settings": dict(step.settings),
                "notes": list(step.notes),
            }
            for step in behind.steps
        ],
        "raw": [{"path": raw.path, "sha256": raw.sha256, "wave": raw.wave} for raw in behind.raw],
        "given": behind.given,
        "evidence": [one.model_dump(mode="json") for one in trace.evidence],
    }


# --- the numbers ------------------------------------------------------------------------------------------------


def _numbers(trace: Trace, everything: bool) -> Iterator[str]:
    found = trace.shown
    rows = f"{len(found.rows)} {'row' if len(found.rows) == 1 else 'rows'}"
    if found.kind:
        yield f"{found.kind} {found.name} ({found.target}) shows {rows} of results/released/{found.table}.csv"
    else:
        yield f"results/released/{found.table}.csv: {rows}"
    yield from _rows(found.rows, found.keys, everything)
    if trace.before:
        name, frame = trace.before
        yield f"{name}, not released: for the team that holds the data only"
        yield from _rows(frame, found.keys, everything)


def _rows(frame: pd.DataFrame, keys: Sequence[str], everything: bool) -> Iterator[str]:
    records = frame.to_dict("records")
    for row in records if everything else records[:ROWS]:
        yield f"  {' '.join(shlex.quote(f'{name}={row[name]}') for name in keys)}"
        said = [f"{name} {value}" for name, value in row.items() if name not in keys and value != ""]
        yield from _wrapped(", ".join(said) or "nothing more", "    ")
    if not everything and len(records) > ROWS:
        yield f"  and {len(records) - ROWS} more: --all lists them, column=value chooses"


def _waves(trace: Trace) -> Iterator[str]:
    waves = listed([f"{one.wave} ({one.evidence})" for one in trace.evidence]) or "no wave"
    if trace.lineage.joint:
        yield from _wrapped(f"It depends on every wave: {waves}.", "")
    else:
        yield from _wrapped(f"It depends on {waves} and on no other wave.", "")


# --- a job ------------------------------------------------------------------------------------------------------


def _step(step: Step, everything: bool) -> Iterator[str]:
    scripts = [name for name in step.job.code if PurePosixPath(name).parent.name == "scripts"]
    modules = len(step.job.code) - len(scripts)
    yield f"{step.job.name}: {', '.join(scripts) or 'no script'} and {modules} modules"
    if everything:
        yield from (f"  code     {hash_[:_DIGITS]}  {name}" for name, hash_ in sorted(step.job.code.items()))
    yield from _reads(step.reads, everything)
    for note in step.notes:
        yield from _wrapped(note, "  note     ")
    yield from _settings(step.settings, everything)


def _reads(reads: Hashes, everything: bool) -> Iterator[str]:
    listed_ = list(reads.items())
    for path, hash_ in listed_ if everything else listed_[:FILES]:
        yield f"  reads    {hash_.removeprefix(KEYED)[:_DIGITS]}  {path}"
    if not everything and len(listed_) > FILES:
        yield f"           and {len(listed_) - FILES} more files: --all lists them"


def _settings(settings: Mapping[str, Any], everything: bool) -> Iterator[str]:
    """Return the configuration that a job was given: each short value, and for the rest the names of the sections."""
    if everything:
        yield from (f"  setting  {place}: {value_shown(settings, place)}" for place in settings)
        return
    sections: dict[str, list[str]] = {}
    words: dict[str, None] = {}
    for place in settings:
        name, value = place.removeprefix("part."), value_shown(settings, place)
        section, *below = name.split(".")
        if name == place and section in _WORDS_ONLY:
            words[section] = None
        else:
            short = len(value) <= SHORT and len(below) < 2
            sections.setdefault(section, []).append(f"{name} {value}" if short else "")
    told = (
        one
        for section, keys in sections.items()
        for one in (keys if all(keys) and len(keys) <= KEYS else [section])
    )
    if sections:
        yield from _wrapped(", ".join(told), "  settings ")
    if words:
        yield from _wrapped(f"{listed(list(words))}: nothing here changes a number", "  words    ")


def _wrapped(text: str, first: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


# --- the files --------------------------------------------------------------------------------------------------


def _files(trace: Trace) -> Iterator[str]:
    yield "raw files" if trace.lineage.raw else "raw files: none"
    for raw in trace.lineage.raw:
        yield f"  {raw.sha256}  {raw.path} ({raw.wave})"
    if trace.lineage.given:
        yield "other files that no job made"
        yield from (f"  {hash_}  {path}" for path, hash_ in trace.lineage.given.items())
    yield "settings: keys of the configuration, which configuration.yaml holds whole; config/README.md explains each"
    yield "evidence"
    for one in trace.evidence:
        weaker = "".join(f"; {name} {kind}" for name, kind in one.weaker.items())
        yield from _wrapped(f"{one.wave}: {one.evidence.upper()}{weaker}. {one.note}", "  ")
