"""The records that jobs leave: which there are, in what order the jobs ran, and whether the records still hold."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from pandas.util import hash_pandas_object
from pydantic import ValidationError

from surveywaves.errors import Mistake
from surveywaves.pin.manifest import Hashes, Job
from surveywaves.script import digest

LOGS: Final = Path("results/logs")

RESULTS: Final = "results/"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run has its parts; all paths are absolute.

    Parameters
    ----------
    folder
        Working folder.
    home
        Folder of the workflow.
    study
        Folder of the study's configuration.
    """

    folder: Path
    home: Path
    study: Path

    def named(self, path: str) -> str:
        """Name an input or output as a pin does: alike wherever the study and the workflow lie."""
        whole = Path(self.folder, path)
        if path.startswith(".."):
            whole = whole.resolve()
        for place, prefix in ((self.study, "config"), (self.home / "workflow", "workflow")):
            if whole.is_relative_to(place):
                return Path(prefix, whole.relative_to(place)).as_posix()
        return Path(path).as_posix()

    def lying_at(self, name: str) -> Path:
        """Give where an input or output lies that a pin names so."""
        first, _, rest = name.partition("/")
        if first == "config":
            return self.study / rest
        return (self.home if first == "workflow" else self.folder) / name


@dataclass(frozen=True, slots=True)
class Records:
    """The jobs behind some results.

    Parameters
    ----------
    jobs
        Each after those whose outputs it reads; of those that could stand in any order, by name.
    missing
        Files that a job must have made, and no record tells of.
    """

    jobs: tuple[Job, ...]
    missing: tuple[str, ...]

    @property
    def made(self) -> set[str]:
        """Name everything that the jobs made."""
        return {path for job in self.jobs for path in job.outputs}

    @property
    def given(self) -> list[str]:
        """Name what went in and no job made, in the order in which it is first read."""
        made = self.made
        return list(dict.fromkeys(path for job in self.jobs for path in job.inputs if path not in made))


def read_records(places: Places, wanted: Iterable[str]) -> Records:
    """Read the records of the jobs that some files depend on.

    What lies in `results/logs` and is no record (a failed job's lines) or not of these jobs is left aside.

    Parameters
    ----------
    places
        Where the run has its parts.
    wanted
        The files, as a pin names them.
    """
    makers: dict[str, Job] = {}
    for job in _all(places):
        for path in job.outputs:
            # Two records tell of one file where a log was once called otherwise: what lies there says which holds.
            if path not in makers or _holds(job, places) > _holds(makers[path], places):
                makers[path] = job
    missing: set[str] = set()
    depths: dict[str, int] = {}
    found: dict[str, Job] = {}

    def depth(path: str) -> int:
        """Say how many jobs stand behind a file, one after the other."""
        if (job := makers.get(path)) is None:
            if path.startswith(RESULTS) or path in wanted_:
                missing.add(path)
            return 0
        if job.name not in depths:
            depths[job.name] = 0  # a job that read its own output would never end
            depths[job.name] = 1 + max((depth(name) for name in job.inputs), default=0)
            found[job.name] = job
        return depths[job.name]

    wanted_ = set(wanted)
    for path in sorted(wanted_):
        depth(path)
    return Records(
        tuple(sorted(found.values(), key=lambda job: (depths[job.name], job.name))), tuple(sorted(missing))
    )


def _all(places: Places) -> list[Job]:
    jobs = []
    for path in sorted((places.folder / LOGS).rglob("*.log")):
        try:
            job = Job.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, ValidationError):
            continue
        named = {
            part: {places.named(name): hash_ for name, hash_ in getattr(job, part).items()}
            for part in ("inputs", "outputs")
        }
        jobs.append(job.model_copy(update=named))
    return jobs


def _holds(job: Job, places: Places) -> int:
    """Count the outputs of a job that still lie there as it wrote them."""
    return sum(_now(places.lying_at(path)) == hash_ for path, hash_ in job.outputs.items())


def _now(path: Path) -> str:
    return digest(path) if path.exists() else ""


def stale(records: Records, places: Places) -> list[Mistake]:
    """List what no longer is as the records have it: files that were made, that went in, and code."""
    found = [
        Mistake(path, "no record says how it was made", "run snakemake once more with --forceall")
        for path in records.missing
    ]
    now: Hashes = {}
    changed: dict[str, list[str]] = defaultdict(list)
    for job in records.jobs:
        # Code is named from the workflow's home, `workflow/...`, as templates among the inputs are.
        for path, hash_ in (*job.outputs.items(), *job.inputs.items(), *job.code.items()):
            if path not in now:
                now[path] = _now(places.lying_at(path))
            if now[path] != hash_:
                changed[path].append(job.name)
    return found + [
        Mistake(
            path,
            f"{'changed' if now[path] else 'gone'} since {_few(dict.fromkeys(jobs))} ran",
            "snakemake rebuilds what depends on it",
        )
        for path, jobs in changed.items()
    ]


def _few(names: Iterable[str], limit: int = 3) -> str:
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more


def table_contents(jobs: Sequence[Job], places: Places) -> Hashes:
    """Hash what is in each Parquet file that the jobs wrote, whatever version of the format it is written in."""
    paths = sorted({path for job in jobs for path in job.outputs if path.endswith(".parquet")})
    return {
        path: contents(pd.read_parquet(lying)) for path in paths if (lying := places.lying_at(path)).exists()
    }


def contents(table: pd.DataFrame) -> str:
    """Hash a table: names, order and values of its columns."""
    found = hashlib.sha256("\n".join(map(str, table.columns)).encode())
    for column in table:
        found.update(hash_pandas_object(table[column], index=False).to_numpy().astype("<u8").tobytes())
    return found.hexdigest()
