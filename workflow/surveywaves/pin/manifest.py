"""What a pin says of itself (`manifest.json`), and the records that jobs leave.

The records tell which jobs there are, in what order they ran, and whether what they say still holds. Nested settings
are read as a list of places, so that two versions of them can be compared place by place.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field, ValidationError

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import digest
from surveywaves.freshness import Programs
from surveywaves.key import Key
from surveywaves.study.settings import Model
from surveywaves.terms import Evidence
from surveywaves.text import few

FORMAT: Final = 2
"""Version of the manifest's form; a change of it stands in the changelog."""

NAME: Final = "manifest.json"
README: Final = "README.md"
CRATE: Final = "ro-crate-metadata.json"
SUMS: Final = "SHA256SUMS"
DESCRIBING: Final = (NAME, README, CRATE)
"""Files of a pin that its manifest does not count; its sums do."""

PINS: Final = Path("results/pins")
"""Where pins lie in a working folder."""

SOURCE: Final = "source"
"""Folder of a pin with a copy of what its results were made from."""

Hashes = dict[str, str]
"""Path -> SHA-256 in hexadecimal; in a pin, of what it does not hold, the keyed digest (`surveywaves.key`)."""


class Tolerance(Model):
    """How far an estimate may lie from the pinned one and still be the same: `absolute + relative * |pinned|`.

    Counts, words and decisions have none.
    """

    relative: float = 1e-6
    absolute: float = 1e-9


TOLERANCE: Final = Tolerance()
"""What pins are compared by, whatever stands in their manifests."""


class Revision(Model):
    """A state of a git repository."""

    commit: str
    date: str
    """When it was committed, in ISO 8601, as the commit has it."""


class WaveEvidence(Model):
    """What the data of a wave are."""

    wave: str
    title: str
    evidence: Evidence
    note: str = ""
    weaker: dict[str, Evidence] = Field(default_factory=dict)
    """Variable -> its evidence, where that is weaker than the wave's."""


class Job(Model):
    """A job of the workflow, as its record has it.

    Paths are POSIX: those of `inputs` and `outputs` relative to the working folder, `config/...` in the study's
    folder whatever its name, `workflow/...` in the workflow's; those of `code` relative to the workflow's home.
    """

    rule: str
    wildcards: dict[str, str] = Field(default_factory=dict)
    inputs: Hashes
    code: Hashes
    program: str = ""
    """Fingerprint of the code, the same after an edit of comments; empty in pins of an earlier version."""
    packages: dict[str, str] = Field(default_factory=dict)
    """Python and each package that the code needs -> its version; empty in pins of an earlier version."""
    params: dict[str, Any]
    outputs: Hashes

    @property
    def name(self) -> str:
        """Return the job's name as a person reads it: `ingest(second)`."""
        return f"{self.rule}({', '.join(self.wildcards.values())})" if self.wildcards else self.rule


class Environment(Model):
    """What the results were computed with."""

    python: str
    platform: str
    """Operating system and processor, as in `Linux x86_64`."""
    matplotlib: str
    """Apart from the others: figures are the same bytes within one version only."""
    packages: dict[str, str]
    """Every installed package that `requirements.lock` names -> its version."""


class Manifest(Model):
    """Everything that a pin says of itself. No time and no place: the same results give the same bytes."""

    format: int = FORMAT
    label: str
    title: str
    """Title of the study."""
    statement: str
    """What may be made of the numbers, in a sentence that no reader must miss."""
    evidence: tuple[WaveEvidence, ...]
    """In the order of the study's waves."""

    workflow: Revision | None
    """Commit that the workflow was at; None: it is in no git repository."""
    study: Revision | None
    """Commit that the study's configuration was at: the same repository as the workflow's, or another."""
    overridden: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Option that passed over a refusal (`allow_dirty` and the like) -> what it passed over."""
    proved: bool
    """Whether the results came out again, byte for byte, in a clean folder before they were pinned."""
    tolerance: Tolerance = TOLERANCE
    environment: Environment
    key: str
    """Name of the key of keyed digests."""
    ledger: str = ""
    """Keyed digest of the release as the team's ledger has it; empty: the data are public."""

    raw: Hashes
    """Files that no job makes and that are not the configuration: the waves' returns, a publication's tables."""
    config: Hashes
    """Files of the study's folder, as `config/...`."""
    code: Hashes
    """Files of the workflow, relative to its home."""
    outputs: Hashes
    """Files of this pin, relative to it: all but the manifest, and what describes the pin for archives."""
    jobs: tuple[Job, ...]
    """Every job that the outputs depend on, each after those whose outputs it reads."""


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write a pin's manifest into its folder."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (folder / NAME).write_text(f"{text}\n", encoding="utf-8", newline="\n")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a pin.

    Raises
    ------
    SurveywavesError
        If there is none, it is not as the pin's sums have it, or none that this version understands.
    """
    path = folder / NAME
    if not path.exists():
        raise _unknown(folder)
    if mistakes := list(_edited(folder, {NAME})):
        raise SurveywavesError(mistakes)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise SurveywavesError.at(path, "not a manifest: no JSON object")
    if content.get("format") != FORMAT:
        raise SurveywavesError.at(
            path,
            f"manifest of format {content.get('format')}, this version reads {FORMAT}",
            "use the version of surveywaves in the pin's `source/`",
        )
    content.pop("contents", None)  # of tables between the stages, in pins of an earlier version
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SurveywavesError.at(path, f"not a manifest: {where}: {first['msg']}") from None


def whole_pin(folder: Path) -> Manifest:
    """Read the manifest of a pin whose every file is used.

    Raises
    ------
    SurveywavesError
        As `read_manifest`, and with a line for each file that is not as the manifest and the sums have it.
    """
    manifest = read_manifest(folder)
    if mistakes := list(_edited(folder, DESCRIBING, manifest.outputs)):
        raise SurveywavesError(mistakes)
    return manifest


def _edited(
    folder: Path, described: Iterable[str], outputs: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Mistake]:
    """Yield the files of a pin that are gone or not as they were pinned."""
    hint = "take the pin out of git again"
    sums = folder / SUMS
    stated = sums.read_text(encoding="utf-8", errors="replace").splitlines() if sums.is_file() else []
    if not stated:
        yield Mistake(sums.as_posix(), "gone since it was pinned", hint)
    for name in (*described, *outputs):
        path = folder / name
        if not path.is_file():
            yield Mistake(path.as_posix(), "gone since it was pinned", hint)
        elif digest(path) != outputs[name] if name in outputs else f"{digest(path)}  {name}" not in stated:
            yield Mistake(path.as_posix(), "changed since it was pinned", hint)


def _unknown(folder: Path) -> SurveywavesError:
    known = sorted(path.parent.name for path in folder.parent.glob(f"*/{NAME}"))
    hint = f"there is {', '.join(known)}" if known else f"there are no pins in {PINS.as_posix()}"
    return SurveywavesError.at("/".join(folder.parts[-3:]), "no such pin", hint)


def held(path: str, hash_: str, outputs: Hashes) -> str:
    """Name the file of a pin that a file of the run is, byte for byte; empty: the pin does not hold it."""
    names = (path.removeprefix(RESULTS), f"{SOURCE}/{path}")
    return next((name for name in names if outputs.get(name) == hash_), "")


def disguised(hashes: Hashes, outputs: Hashes, key: Key) -> Hashes:
    """Put digests as a pin may have them: plain of what it holds, keyed of all else."""
    return {
        path: hash_ if held(path, hash_, outputs) else key.of_file(path, hash_)
        for path, hash_ in hashes.items()
    }


LOGS: Final = Path("results/logs")

RESULTS: Final = "results/"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run has its parts; all paths are absolute."""

    folder: Path
    """Working folder."""
    home: Path
    """Folder of the workflow."""
    study: Path
    """Folder of the study's configuration."""

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
        """Return the path of an input or output that a pin gives this name."""
        first, _, rest = name.partition("/")
        if first == "config":
            return self.study / rest
        return (self.home if first == "workflow" else self.folder) / name


@dataclass(frozen=True, slots=True)
class Records:
    """The jobs behind some results."""

    jobs: tuple[Job, ...]
    """Each after those whose outputs it reads; of those that could stand in any order, by name."""
    missing: tuple[str, ...]
    """Files that a job must have made, and no record tells of."""

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
        """Return how many jobs stand behind a file, one after the other."""
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
            told = json.loads(path.read_text(encoding="utf-8"))
            # What else a record says is for the next run (`freshness`).
            job = Job.model_validate({name: told[name] for name in Job.model_fields if name in told})
        except (ValueError, TypeError, ValidationError):
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
    programs = Programs(places.home)
    changed: dict[str, list[str]] = defaultdict(list)
    for job in records.jobs:
        # Code is named from the workflow's home, `workflow/...`, as templates among the inputs are.
        code = {} if _same_program(job, programs) else job.code
        for path, hash_ in (*job.outputs.items(), *job.inputs.items(), *code.items()):
            if path not in now:
                now[path] = _now(places.lying_at(path))
            if now[path] != hash_:
                changed[path].append(job.name)
    return found + [
        Mistake(
            path,
            f"{'changed' if now[path] else 'gone'} since {few(list(dict.fromkeys(jobs)))} ran",
            "snakemake rebuilds what depends on it",
        )
        for path, jobs in changed.items()
    ]


def _same_program(job: Job, programs: Programs) -> bool:
    """Whether a job would run the same code now, comments and layout aside."""
    try:
        return programs.of(job.rule).fingerprint == job.program
    except OSError:
        return False


NAMES: Final = ("name", "item", "scale", "wave", "path", "date")
"""What tells the entries of a list apart, where each has one of these and no two have the same."""

NOTHING: Final = "-"
"""What is shown for a value that is not there."""


def flat(value: Any, place: str = "") -> dict[str, Any]:
    """Return the value at each place, as in `analysis.min_cell`; entries of a list by their name, or their number."""
    if isinstance(value, Mapping) and value:
        inside = {str(key): part for key, part in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, str) and any(map(_nested, value)):
        inside = dict(zip(_labels(value), value, strict=True))
    else:
        return {place: value}
    found: dict[str, Any] = {}
    for key, part in inside.items():
        found |= flat(part, f"{place}.{key}" if place else key)
    return found


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _labels(entries: Sequence[Any]) -> list[str]:
    for name in NAMES:
        labels = [str(entry.get(name, "")) if isinstance(entry, Mapping) else "" for entry in entries]
        if all(labels) and len(set(labels)) == len(labels):
            return labels
    return [str(number) for number in range(1, len(entries) + 1)]


def unlike(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """List the places at which two settings differ: place, old value, new value, in the order of the old ones."""
    before, after = flat(old), flat(new)
    return [
        (place, shown(before, place), shown(after, place))
        for place in [*before, *(place for place in after if place not in before)]
        if before.get(place, NOTHING) != after.get(place, NOTHING) or (place in before) != (place in after)
    ]


def shown(values: Mapping[str, Any], place: str) -> str:
    """Show a value on one line."""
    if place not in values:
        return NOTHING
    value = values[place]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return "empty" if value in (None, "") else " ".join(str(value).split())
