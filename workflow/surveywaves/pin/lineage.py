"""From a number back to the raw files: the jobs behind it, and what each read of it and was told.

Everything comes from the records that jobs leave (`results/logs`), or from those that a pin keeps: what is told is how
the number was made, not how it would be made now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from surveywaves.pin.manifest import Hashes, Job, flat
from surveywaves.text import listed

RELEASED: Final = "results/released/"

_SAME_NAME: Final = ("release",)
"""Rules that make each of their tables from the one of the same name; the others have a say in what is withheld."""

_FROM_FILES: Final = {"file_counts": ".counts.tsv", "problems": ".problems.tsv", "recodings": ""}
"""Tables that the release makes from other files -> how the names of these end; "": from what it is told alone."""

_SHOWING_RULES: Final = ("figures", "tables", "sheets", "report")
"""Rules that show released tables: what is shown depends on those it draws."""

_READING: Final = "ingest"
"""Rule that reads raw files."""


def part_of(job: Job) -> Mapping[str, Any]:
    """Return the part of the study that a job was given; empty if it was given none."""
    part = job.params.get("part")
    return part if isinstance(part, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Step:
    """A job behind a number."""

    job: Job
    reads: Hashes
    """Of what the job read, the files that the number comes from."""
    settings: Mapping[str, Any]
    """The part of the configuration that it was told: place -> value. Nothing of waves that the number is not about."""
    notes: tuple[str, ...] = ()
    """What the job read besides, and why that is not followed."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A raw file of a wave."""

    path: str
    sha256: str
    wave: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """All that is behind a number."""

    steps: tuple[Step, ...]
    """From the number back."""
    raw: tuple[RawFile, ...]
    """The waves' raw files."""
    given: Hashes
    """Other files that no job made: printed tables, the report's templates."""
    waves: tuple[str, ...]
    """The waves that the number is about, or that its models are fitted to."""
    joint: bool
    """Whether it comes from models over all waves."""


def lineage(
    jobs: Sequence[Job], target: str, *, tables: Collection[str] = (), waves: Collection[str] | None = None
) -> Lineage:
    """Follow a file back to the raw files.

    Parameters
    ----------
    jobs
        The records, each after those whose outputs it reads.
    target
        The file that the number stands in.
    tables
        Released tables that it comes from, where the target shows several.
    waves
        Waves that the number is about alone; None: it comes from models over all of them.
    """
    makers = {path: job for job in jobs for path in job.outputs}
    everyone = _waves(jobs)
    followed: dict[str, dict[str, str]] = {}
    notes: dict[str, list[str]] = {}
    wanted: dict[str, set[str]] = {}
    given: Hashes = {}
    if target in makers:
        wanted[makers[target].name] = {target}
    for job in reversed(jobs):
        if job.name not in wanted:
            continue
        ways, said = _ways(job, wanted[job.name], makers, tables=tables, waves=waves)
        followed[job.name] = {path: job.inputs[path] for path in ways}
        notes[job.name] = said
        for path in ways:
            if path in makers:
                wanted.setdefault(makers[path].name, set()).add(path)
            else:
                given[path] = job.inputs[path]
    behind = [job for job in reversed(jobs) if job.name in followed]
    others = [wave for wave in everyone if waves is not None and wave not in waves]
    steps = tuple(
        Step(job, followed[job.name], _settings(job, others), tuple(notes[job.name])) for job in behind
    )
    raw = tuple(_raw(behind, followed))
    return Lineage(
        steps=steps,
        raw=raw,
        given={path: hash_ for path, hash_ in sorted(given.items()) if path not in {one.path for one in raw}},
        waves=tuple(wave for wave in everyone if wave not in others),
        joint=waves is None,
    )


def _waves(jobs: Sequence[Job]) -> list[str]:
    """List the waves that there are jobs for, in the order of the study where a job was told it."""
    found = dict.fromkeys(job.wildcards["wave"] for job in jobs if "wave" in job.wildcards)
    told: list[str] = max((_sampled(job) for job in jobs), key=len, default=[])
    return [*(wave for wave in told if wave in found), *(wave for wave in found if wave not in told)]


def _sampled(job: Job) -> list[str]:
    """List the waves of the sample that a job analysed; none if it analysed none."""
    return list(part_of(job).get("sample", {}).get("waves", []))


def _ways(
    job: Job,
    outputs: Collection[str],
    makers: Mapping[str, Job],
    *,
    tables: Collection[str],
    waves: Collection[str] | None,
) -> tuple[list[str], list[str]]:
    """Return the inputs of a job that a number comes from, and notes on the others."""
    ways, notes = list(job.inputs), []
    if job.rule in _SAME_NAME:
        names = {PurePosixPath(path).stem for path in outputs}
        same = [path for path in ways if _made_into(path, names)]
        if same or names & _FROM_FILES.keys():
            ways = same
            notes.append(
                f"what is withheld is decided over all {len(job.inputs)} files that it reads; the number comes from "
                f"{listed(same) or 'its settings'}"
            )
    elif job.rule in _SHOWING_RULES and tables:
        ways = [
            path for path in ways if path.startswith(RELEASED) and PurePosixPath(path).stem in set(tables)
        ]
        notes.append(f"shows other things from the other {len(job.inputs) - len(ways)} files that it reads")
    if waves is not None:
        apart = [
            path for path in ways if path in makers and _other(makers[path].wildcards.get("wave"), waves)
        ]
        if apart:
            ways = [path for path in ways if path not in apart]
            others = dict.fromkeys(makers[path].wildcards["wave"] for path in apart)
            notes.append(
                f"puts all waves under each other; this number uses the rows of {listed(list(waves))} only, "
                f"none of {listed(list(others))}"
            )
    return ways, notes


def _made_into(path: str, tables: Collection[str]) -> bool:
    """Whether one of some tables is made from an input of the release."""
    name = PurePosixPath(path)
    ends = tuple(end for table in tables if (end := _FROM_FILES.get(table)))
    pooled = name.parent.name == "pooled"  # what respondents said, whom the release holds against the ledger
    return (name.stem in tables and not pooled) or (bool(ends) and name.name.endswith(ends))


def _other(wave: str | None, waves: Collection[str]) -> bool:
    return wave is not None and wave not in waves


def _settings(job: Job, others: Collection[str]) -> dict[str, Any]:
    """Return a job's settings, leaving out those of waves that the number is not about."""
    found = {}
    for place, value in (flat(job.params) if job.params else {}).items():
        about = value if isinstance(value, list) and value else [place]
        if not all(one in others for one in about) and not {*place.split(".")} & {*others}:
            found[place] = value
    return found


def _raw(behind: Sequence[Job], followed: Mapping[str, Mapping[str, str]]) -> Iterator[RawFile]:
    """Yield the raw files: what is read where the waves come in."""
    for job in reversed(behind):
        if job.rule == _READING:
            for path, hash_ in followed[job.name].items():
                yield RawFile(path, hash_, job.wildcards.get("wave", ""))
