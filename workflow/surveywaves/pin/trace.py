"""`surveywaves trace`: everything behind what somebody points at."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from surveywaves.errors import SurveywavesError
from surveywaves.pin.keys import is_own, waves_named
from surveywaves.pin.lineage import Lineage, lineage
from surveywaves.pin.manifest import Job
from surveywaves.pin.records import Places, Records, stale
from surveywaves.pin.shown import Shown, Store, find
from surveywaves.script import read

_UNRELEASED: Final = ("statistics", "audit")
"""Folders of the tables before their release."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the data of a wave are, and what of them is weaker."""

    wave: str
    evidence: str
    note: str = ""
    weaker: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What is behind some numbers.

    Parameters
    ----------
    shown
        The numbers.
    lineage
        The jobs, files and settings behind them.
    evidence
        Of each wave that they come from.
    items
        Items that they are about; empty: not about items.
    other_items
        The study's other items.
    before
        The same rows before their release, and the file that they stand in; None: not asked for.
    """

    shown: Shown
    lineage: Lineage
    evidence: tuple[Evidence, ...]
    items: tuple[str, ...]
    other_items: frozenset[str]
    before: tuple[str, pd.DataFrame] | None = None


def trace(words: Sequence[str], places: Places, *, pin: str | None = None, unreleased: bool = False) -> Trace:
    """Trace what is asked for.

    Parameters
    ----------
    words
        See `surveywaves.pin.shown.find`.
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
    items = _items(found, store.jobs)
    known = {item for job in store.jobs for item in _instrument(job)}
    return Trace(
        found,
        behind,
        tuple(_evidence(wave, behind, store.jobs) for wave in behind.waves),
        items,
        frozenset(known - set(items)),
        _before(found, places.folder) if unreleased else None,
    )


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
    """Give the wave that a table without a column for it is about, as the job that makes it was told."""
    paths = {f"results/{room}/{table}.parquet" for room in _UNRELEASED}
    told = (job.params.get("wave") for job in jobs if paths & job.outputs.keys())
    return [wave for wave in told if isinstance(wave, str)]


def _instrument(job: Job) -> dict[str, str]:
    """Give the items that a job was told of: item -> its scale, "" where it was not told."""
    told = job.params.get("instrument", [])
    return {
        str(entry["item"]): str(entry.get("scale") or "")
        for entry in (told if isinstance(told, list) else [])
        if isinstance(entry, Mapping) and "item" in entry
    }


def _items(found: Shown, jobs: Sequence[Job]) -> tuple[str, ...]:
    """List the items that rows are about: those they name, or those of the scales that they name."""
    cells = {name: set(found.rows[name]) - {""} for name in ("item", "scale") if name in found.rows}
    if cells.get("item"):
        return tuple(sorted(cells["item"]))
    scales = {item: scale for job in jobs for item, scale in _instrument(job).items() if scale}
    return tuple(item for item, scale in scales.items() if scale in cells.get("scale", set()))


def _evidence(wave: str, behind: Lineage, jobs: Sequence[Job]) -> Evidence:
    for job in jobs:
        words: Any = job.params.get("presentation")
        about = words.get("waves", {}).get(wave) if isinstance(words, Mapping) else None
        if about:
            weaker = about.get("variable_evidence", {})
            return Evidence(
                wave,
                about["evidence"],
                about.get("evidence_note", ""),
                tuple((name, weak["evidence"]) for name, weak in weaker.items()),
            )
    return Evidence(wave, behind.evidence.get(wave, "not recorded"))


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
