"""Proving a pin: everything is computed once more, and held against what was pinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin.cause import (
    CONFIGURATION,
    Difference,
    Stage,
    State,
    added_waves,
    differences,
    first_stages,
)
from surveywaves.pin.compare import Comparison, compare
from surveywaves.pin.manifest import PINS, Manifest, read_manifest
from surveywaves.pin.records import RESULTS, Places, read_records
from surveywaves.pin.rederive import rederive
from surveywaves.script import digest, read
from surveywaves.study.models import Study

CAPTIONS: Final = "figures/captions.tsv"


@dataclass(frozen=True, slots=True)
class Figures:
    """How the figures compare.

    Parameters
    ----------
    count
        Figures of the pin.
    moved
        Those that are not the pinned ones; gone ones too.
    by_data
        Why they were told by the numbers that they draw and not by their bytes; empty: by their bytes.
    otherwise
        Files whose bytes differ although the figure counts as the pinned one.
    """

    count: int
    moved: tuple[str, ...]
    by_data: str = ""
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of proving a pin."""

    manifest: Manifest
    comparison: Comparison
    figures: Figures
    reads_otherwise: tuple[str, ...]
    """Files of the report that are not the pinned bytes."""
    added: tuple[str, ...]
    """Waves that the study has more, if that is all that tells it from the pinned one."""
    differences: tuple[Difference, ...]
    stages: tuple[Stage, ...]

    @property
    def fails(self) -> bool:
        """Say whether anything that was pinned does not come out again."""
        return self.comparison.fails or bool(self.figures.moved)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run that ended before there was anything to compare."""

    manifest: Manifest
    failures: tuple[Mistake, ...]
    differences: tuple[Difference, ...]
    fails: bool = True


def verify(label: str, study: Study, places: Places, *, target: str, cores: int) -> Proof | Stopped:
    """Compute everything that a pin holds once more, in a clean folder, and compare.

    Parameters
    ----------
    label
        Label of the pin.
    study, places
        The study as it is described now, where it lies, and the workflow.
    target
        Rule that makes what is pinned.
    cores
        Cores to run on.

    Raises
    ------
    SurveywavesError
        If there is no such pin, or its files are not those that its manifest tells of.
    """
    folder = places.folder / PINS / label
    manifest = read_manifest(folder)
    require_whole(folder, manifest)
    old = State.of_pin(folder, manifest)
    with rederive(study, places, target=target, cores=cores) as again:
        results = [f"{RESULTS}{name}" for name in manifest.outputs if "/" in name or name == CONFIGURATION]
        there = [name for name in results if (again.places.folder / name).is_file()]
        records = read_records(again.places, there)
        new = State.of_run(records, again.places, study)
        if again.failures:
            return Stopped(manifest, again.failures, tuple(differences(old, new)))
        return _compare(old, new, folder=folder, manifest=manifest, results=again.places.folder / RESULTS)


def _compare(old: State, new: State, *, folder: Path, manifest: Manifest, results: Path) -> Proof:
    added = added_waves(old, new)
    tables = compare(
        frames(folder / "released"),
        frames(results / "released"),
        tolerance=manifest.tolerance,
        added=added,
    )
    names = manifest.outputs
    figures = _figures(names, results, manifest, new, moved=tables.fails, within=tables.within, added=added)
    report = [name for name in names if name.startswith("report/") and _other(name, names, results)]
    moved = [f"{RESULTS}{name}" for name in names if _counts(name) and _other(name, names, results)]
    if not tables.fails:  # words and looks begin where a figure is drawn, not where a number is computed
        moved = [name for name in moved if name.startswith(f"{RESULTS}figures/")] if figures.moved else []
    return Proof(
        manifest,
        tables,
        figures,
        tuple(report),
        tuple(added),
        tuple(differences(old, new)),
        tuple(first_stages(old, new, moved)),
    )


def _counts(name: str) -> bool:
    return name.startswith(("released/", "figures/"))


def _other(name: str, names: Mapping[str, str], results: Path) -> bool:
    """Say whether a result is not the pinned bytes."""
    path = results / name
    return not path.is_file() or digest(path) != names[name]


def _figures(
    names: Mapping[str, str],
    results: Path,
    manifest: Manifest,
    new: State,
    *,
    moved: bool,
    within: int,
    added: Sequence[str],
) -> Figures:
    drawn = [name for name in names if name.startswith("figures/") and name != CAPTIONS]
    every = dict.fromkeys(Path(name).stem for name in drawn)
    other = [name for name in drawn if _other(name, names, results)]
    absent = dict.fromkeys(Path(name).stem for name in drawn if not (results / name).is_file())
    reworded = CAPTIONS in names and _other(CAPTIONS, names, results)
    versions = (manifest.environment.matplotlib, new.environment.matplotlib)
    if added:
        why = f"drawn anew with {', '.join(added)}"
        return Figures(len(every), tuple(absent), why, tuple(other))
    if versions[0] != versions[1]:
        why = f"matplotlib was {versions[0]} and is {versions[1]}"
    elif within and other and not moved:
        why = "numbers differ within the tolerance"
    else:
        differ = dict.fromkeys(Path(name).stem for name in other)
        return Figures(len(every), (*differ, *(["captions"] if reworded else [])))
    by_data = tuple(every) if moved else (*absent, *(["captions"] if reworded else []))
    return Figures(len(every), by_data, why, tuple(other))


def require_whole(folder: Path, manifest: Manifest) -> None:
    """Raise a `SurveywavesError` that names every file of a pin that is not as its manifest has it."""
    mistakes = []
    for name, hash_ in manifest.outputs.items():
        path = folder / name
        if not path.is_file() or digest(path) != hash_:
            what = "changed" if path.is_file() else "gone"
            mistakes.append(
                Mistake(path.as_posix(), f"{what} since it was pinned", "take the pin out of git again")
            )
    if mistakes:
        raise SurveywavesError(mistakes)


def frames(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the released tables in a folder, every cell as text."""
    return {path.stem: read(str(path)) for path in sorted(folder.glob("*.csv"))}
