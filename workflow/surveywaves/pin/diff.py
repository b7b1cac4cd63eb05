"""Two pins, or a pin and what is released now, held against each other without computing anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from surveywaves.errors import SurveywavesError
from surveywaves.pin.asked import CURRENT
from surveywaves.pin.cause import State, added_waves, differences, first_stages
from surveywaves.pin.compare import Kind, compare
from surveywaves.pin.manifest import PINS, Manifest, read_manifest
from surveywaves.pin.records import RESULTS, Places, read_records
from surveywaves.pin.verify import frames, require_whole
from surveywaves.pin.words import table
from surveywaves.script import digest
from surveywaves.study import load_study


@dataclass(frozen=True, slots=True)
class _Side:
    tables: Path
    state: State
    hashes: dict[str, str]
    """Released table, `released/<name>.csv` -> SHA-256."""


def diff(first: str, second: str, places: Places) -> tuple[pd.DataFrame, str]:
    """Compare a pin with another, or with what is released now.

    Parameters
    ----------
    first
        Label of a pin; its tolerance counts.
    second
        Label of a pin, or `current`.
    places
        Where the pins lie, the results, the study and the workflow.

    Returns
    -------
    table
        As `surveywaves.pin.words.table`.
    summary
        A line in words.

    Raises
    ------
    SurveywavesError
        If there is no such pin, a pin is not as its manifest has it, or nothing is released.
    """
    manifest = read_manifest(places.folder / PINS / first)
    old = _pinned(places.folder / PINS / first, manifest)
    if second == CURRENT:
        new = _current(places, manifest)
    else:
        folder = places.folder / PINS / second
        new = _pinned(folder, read_manifest(folder))
    added = added_waves(old.state, new.state)
    found = compare(frames(old.tables), frames(new.tables), tolerance=manifest.tolerance, added=added)
    names = old.hashes.keys() | new.hashes.keys()
    moved = [f"{RESULTS}{name}" for name in sorted(names) if old.hashes.get(name) != new.hashes.get(name)]
    stages = first_stages(old.state, new.state, moved) if found.fails else []
    counts = {kind: len(found.of(kind)) for kind in Kind}
    parts = [f"{count} {kind}" for kind, count in counts.items() if count] or ["nothing moved"]
    summary = f"{first} -> {second}: {', '.join(parts)}; {found.numbers} numbers in {found.tables} tables of {first}"
    return table(found, differences(old.state, new.state), stages), summary


def _pinned(folder: Path, manifest: Manifest) -> _Side:
    require_whole(folder, manifest)
    hashes = {name: hash_ for name, hash_ in manifest.outputs.items() if name.startswith("released/")}
    return _Side(folder / "released", State.of_pin(folder, manifest), hashes)


def _current(places: Places, manifest: Manifest) -> _Side:
    tables = places.folder / RESULTS / "released"
    hashes = {f"released/{path.name}": digest(path) for path in sorted(tables.glob("*.csv"))}
    if not hashes:
        raise SurveywavesError.at(
            tables.relative_to(places.folder), "nothing is released yet", "run snakemake"
        )
    study = load_study(places.study)
    pinned = [f"{RESULTS}{name}" for name in manifest.outputs]
    results = [
        *(f"{RESULTS}{name}" for name in hashes),
        *(name for name in pinned if (places.folder / name).exists()),
    ]
    records = read_records(places, results)
    return _Side(tables, State.of_run(records, places, study), hashes)
