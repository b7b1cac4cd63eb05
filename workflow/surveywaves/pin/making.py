"""Making a pin: refused, or written whole.

Answers of individual people, and counts that the release withholds, must never be in one. A pin is described for
somebody who has the archive, and perhaps the raw files, and nothing else; it is summed up, and packed into a zip.
"""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from surveywaves.confidential import PRIVATE, reason_why, signs_of, tracked_mistakes
from surveywaves.disclosure.ledger import LEDGER, Ledger, entry_name, entry_of
from surveywaves.disclosure.releases import against as conflicting
from surveywaves.disclosure.releases import begin_ledger, read_ledger, write_ledger
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import digest, flush, flush_all, whole, write_bytes, write_text
from surveywaves.key import RESTORE, Key
from surveywaves.pin.cause import (
    CONFIGURATION,
    SUFFIX,
    Asked,
    State,
    first_stages,
    read_settings,
    settings_of,
)
from surveywaves.pin.crate import crate, read_citation
from surveywaves.pin.manifest import (
    CRATE,
    DESCRIBING,
    NAME,
    PINS,
    README,
    RESULTS,
    SOURCE,
    SUMS,
    Hashes,
    Job,
    Manifest,
    Places,
    Records,
    Revision,
    WaveEvidence,
    disguised,
    held,
    read_manifest,
    read_records,
    stale,
    whole_pin,
    write_manifest,
)
from surveywaves.pin.source import LOCK, Checkout, Source, checkout, files_of_people, rederive
from surveywaves.qualitative.people import everybody
from surveywaves.study.models import Study
from surveywaves.terms import Evidence
from surveywaves.text import few

UNRELEASED: Final = ("results/statistics/", "results/audit/", "results/exports/", "results/disclosure/")
"""What nothing that is shown may be made from."""

_HINT: Final = "nothing passes over this; see docs/disclosure.md"


def confidential(files: Mapping[str, Path], places: Places, raw: Sequence[str]) -> Iterator[Mistake]:
    """Yield each file that must not be shown: by where it lies, what is in it, or who may read it.

    Parameters
    ----------
    files
        Name in a pin -> the file.
    places
        Where the run has its parts.
    raw
        The waves' raw files.
    """
    top = places.folder.resolve()

    def lying(path: Path) -> str:
        ways = ((path.resolve(), top), (path, places.folder))
        return next(
            (one.relative_to(home).as_posix() for one, home in ways if one.is_relative_to(home)), str(path)
        )

    hidden = [path for room in PRIVATE for path in sorted((top / "results" / room).rglob("*"))]
    hidden += [places.lying_at(name) for name in raw]
    copies = {digest(path): lying(path) for path in hidden if path.is_file()}
    signs = replace(signs_of(places.study), hidden=copies)
    for name, path in files.items():
        where = lying(path)
        if reason := reason_why(where, path.read_bytes(), digest(path), signs):
            yield Mistake(name, f"confidential: {reason}", _HINT)
        elif where.startswith(RESULTS) and _closed(path) and not _closed(top / RESULTS / CONFIGURATION):
            yield Mistake(name, "confidential: only its owner may read it (mode 0600)", _HINT)


def _closed(path: Path) -> bool:
    """Whether only the owner may read a file."""
    return not path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)


def files_in(paths: Iterable[str]) -> list[str]:
    """Name files, and of a folder those in it; Snakemake leaves a hidden mark of its own there."""
    return [
        name.as_posix()
        for path in map(Path, paths)
        for name in (sorted(path.glob("[!.]*")) if path.is_dir() else [path])
    ]


def unreleased(jobs: Sequence[Job], shown: Sequence[str]) -> Iterator[Mistake]:
    """Yield each thing that is shown and was made from tables that the release has not been through.

    Parameters
    ----------
    jobs
        The records.
    shown
        Files that are shown but for the released tables themselves: figures, report.
    """
    wanted = set(shown)
    for job in jobs:
        outputs = sorted(wanted & job.outputs.keys())
        if not outputs:
            continue
        for path in job.inputs:
            room = path.split("/")[1] if path.startswith("results/") else ""
            if path.startswith(UNRELEASED) or (room in PRIVATE and path.endswith(".parquet")):
                yield Mistake(
                    few(outputs, 1),
                    f"made from {path}, which is not released",
                    "read results/released; or pin with allow_unreleased=true, which the manifest then says",
                )


_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]#|~$])")

_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What would turn the direction of the words after it."""


def readme(manifest: Manifest, folder: Path) -> str:
    """Write the README of a pin, in Markdown.

    Parameters
    ----------
    manifest
        What the pin says of itself.
    folder
        The pin, for the `CITATION.cff` of its workflow.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # Markdown: `words` escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"words": words, "code": code}
    return environment.get_template("readme.md.j2").render(
        pin=manifest,
        citation=read_citation(folder / SOURCE),
        rooms={name.partition("/")[0] for name in manifest.outputs},
        raw=_not_here(manifest),
        pins=PINS.as_posix(),
    )


def _not_here(manifest: Manifest) -> Hashes:
    """Return the raw files that the pin has no copy of."""
    return {
        path: hash_ for path, hash_ in sorted(manifest.raw.items()) if not held(path, hash_, manifest.outputs)
    }


def words(text: str) -> str:
    """Put somebody's words into Markdown as words: on one line, and no mark in them means anything."""
    line = _SPECIAL.sub(r"\\\1", " ".join(_TURNING.sub("", text).split()))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Put a name into Markdown as code, in a table too."""
    line = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""

_MODE: Final = 0o100644
_FOLDER: Final = 0o040755
_UNIX: Final = 3


def describe(manifest: Manifest, folder: Path) -> None:
    """Write into a pin what describes it: `README.md`, `ro-crate-metadata.json` and `SHA256SUMS`.

    Parameters
    ----------
    manifest
        What the pin says of itself.
    folder
        The pin, its files and its manifest already there.
    """
    write_text(readme(manifest, folder), str(folder / README))
    write_bytes(crate(manifest, folder), str(folder / CRATE))
    write_text(sums(folder, [*manifest.outputs, *DESCRIBING]), str(folder / SUMS))


def sums(folder: Path, names: Iterable[str]) -> str:
    """Sum files up as `sha256sum` does, and as `sha256sum --check` reads."""
    return "".join(_sum(digest(folder / name), name) for name in sorted(names))


def _sum(hash_: str, name: str) -> str:
    odd = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
    told = name.translate(odd)
    return f"{'' if told == name else chr(92)}{hash_}  {told}\n"


def write_archive(folder: Path, target: Path) -> None:
    """Pack a pin into a zip that has the crate at its top.

    It holds what the pin's manifest names and what describes the pin, and nothing else that may lie in the folder. The
    same pin gives the same bytes everywhere: no time, one mode, and nothing is compressed, since what compression gives
    is another thing with another zlib. It would save half.

    Parameters
    ----------
    folder
        The pin.
    target
        The zip; it is there whole or not at all.

    Raises
    ------
    SurveywavesError
        If the folder holds no pin, or its files are not those that its manifest and its sums tell of.
    """
    manifest = whole_pin(folder)
    names = [*manifest.outputs, *DESCRIBING, SUMS]
    # The crate tells of folders, too: each has an entry of its own.
    folders = {f"{inside}/" for name in names for inside in PurePosixPath(name).parents if inside.name}
    with whole(str(target)) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted({*names, *folders}):
            entry = zipfile.ZipInfo(name, date_time=_NO_TIME)
            entry.create_system = _UNIX
            entry.external_attr = (_FOLDER if name in folders else _MODE) << 16
            archive.writestr(entry, b"" if name in folders else (folder / name).read_bytes())


_PART: Final = ".part"


def pin(
    asked: Asked, study: Study, places: Places, *, results: Sequence[str], target: str, cores: int
) -> list[str]:
    """Pin the results of a run.

    Parameters
    ----------
    asked
        The label, and what to pass over.
    study
        The study as it is described now.
    places
        Where it lies, its results, and the workflow.
    results
        Paths of what is pinned, under `results/`.
    target
        Rule that makes them, to prove that they come out again.
    cores
        Cores to prove it on.

    Returns
    -------
    list of str
        What was done, in words.

    Raises
    ------
    SurveywavesError
        If the pin is refused: one line a reason, all of them at once.
    """
    records = read_records(places, results)
    source = Source.of(study, places)
    files = _files(results, source, places)
    trees = _trees(source, places)
    remembered = read_ledger(places.folder)
    overridden = _refuse(
        asked, study, places, records, results=results, files=files, trees=trees, remembered=remembered
    )
    state = State.of_run(records, places, study)
    if asked.prove:
        _prove(study, places, state, results=results, target=target, cores=cores)
    outputs = {name: digest(path) for name, path in sorted(files.items())}
    ledger, key = remembered or begin_ledger(places.folder)
    entry = None
    if not (rule := study.config.disclosure).public:
        people = everybody(study)(places.folder, key)
        entry = entry_of(asked.label, rule, people, key)
        ledger = ledger.add(entry, people)
    manifest = Manifest(
        label=asked.label,
        title=study.config.title,
        statement=statement(study),
        evidence=evidence(study),
        workflow=trees[0].revision,
        study=trees[1].revision,
        overridden=overridden,
        proved=asked.prove,
        environment=state.environment,
        key=key.name,
        ledger=entry_name(entry, key) if entry else "",
        raw=disguised(state.raw, outputs, key),
        config=state.config,
        code=state.code,
        outputs=outputs,
        jobs=tuple(_disguised(job, outputs, key) for job in records.jobs),
    )
    # Before the pin is there: one that is not in the ledger would be forgotten.
    with _written(manifest, files, places.folder / PINS) as folder:
        write_ledger(ledger, key, places.folder)
        flush((places.folder / LEDGER).parent)
    return _told(manifest, folder.relative_to(places.folder))


def _disguised(job: Job, outputs: Hashes, key: Key) -> Job:
    """Take from a job's record what lets others try out guesses."""
    ways = {way: disguised(getattr(job, way), outputs, key) for way in ("inputs", "outputs")}
    return job.model_copy(update=ways)


def _files(results: Sequence[str], source: Source, places: Places) -> dict[str, Path]:
    """Name everything that goes into the pin, but the manifest."""
    files = {name.removeprefix(RESULTS): places.folder / name for name in results}
    if (lock := places.home / LOCK).exists():
        files[LOCK] = lock
    return files | {f"{SOURCE}/{name}": path for name, path in source.all.items()}


# --- what a pin is refused for ----------------------------------------------------------------------------------


def _refuse(
    asked: Asked,
    study: Study,
    places: Places,
    records: Records,
    *,
    results: Sequence[str],
    files: Mapping[str, Path],
    trees: tuple[Checkout, Checkout],
    remembered: tuple[Ledger, Key] | None,
) -> dict[str, tuple[str, ...]]:
    """Raise every reason against the pin; give those that were to be passed over, by the option that does."""
    shown = [name for name in results if not name.startswith(f"{RESULTS}released/")]
    found: dict[str, list[Mistake]] = {
        "allow_dirty": list(dict.fromkeys(_dirty(trees))),
        "allow_stale": [*stale(records, places), *_other_settings(study, places)],
        "allow_unreleased": list(unreleased(records.jobs, shown)),
        "allow_unremembered": list(_unremembered(places, remembered)),
    }
    absent = [Mistake(name, "no such file") for name, path in files.items() if not path.is_file()]
    there = {name: path for name, path in files.items() if path.is_file()}
    against = [*absent, *_citation(places), *confidential(there, places, files_of_people(study))]
    against += [
        one.mistake() for one in conflicting(places.folder, study.config.disclosure, everybody(study))
    ]
    against += dict.fromkeys(
        tracked_mistakes(places.folder, [places.lying_at(name) for name in files_of_people(study)])
    )
    against += [one for option, reasons in found.items() if not getattr(asked, option) for one in reasons]
    if against:
        raise SurveywavesError(against)
    return {option: tuple(map(_reason, reasons)) for option, reasons in found.items() if reasons}


def _unremembered(places: Places, remembered: tuple[Ledger, Key] | None) -> Iterator[Mistake]:
    """Yield each pin that the ledger does not know of, though it was made when there was one."""
    ledger, key = remembered or (Ledger(), None)
    known = {entry_name(entry, key) for entry in ledger.entries} if key else set()
    hint = f"{RESTORE}; or pin with allow_unremembered=true, which the manifest then says"
    for name, manifest in _pins(places):
        if key is None or manifest.key != key.name:
            yield Mistake(
                name, "pinned with another key than is here: nobody can tell what it showed of whom", hint
            )
        elif manifest.ledger and manifest.ledger not in known:
            yield Mistake(name, f"pinned, and not in {LEDGER}: nobody can tell what it showed of whom", hint)


def _pins(places: Places) -> Iterator[tuple[str, Manifest]]:
    for path in sorted((places.folder / PINS).glob(f"[!.]*/{NAME}")):
        yield path.parent.relative_to(places.folder).as_posix(), read_manifest(path.parent)


def _citation(places: Places) -> tuple[Mistake, ...]:
    """Return the mistakes in the file from which the pin's README and its crate take how to cite."""
    try:
        read_citation(places.home)
    except SurveywavesError as error:
        return error.mistakes
    return ()


def _reason(mistake: Mistake) -> str:
    return f"{mistake.where}: {mistake.what}"


def _trees(source: Source, places: Places) -> tuple[Checkout, Checkout]:
    """Ask git about the workflow, and about the study."""
    roots = [places.home / name for name in {name.split("/")[0]: None for name in source.code}]
    workflow = checkout(places.home, roots, source.code.values())
    own = [*source.config.values(), *source.publication.values()]
    study = checkout(places.study, [places.study, *source.publication.values()], own)
    return workflow, study


def _dirty(trees: tuple[Checkout, Checkout]) -> Iterator[Mistake]:
    hint = "commit first; or pin with allow_dirty=true, which the manifest then says"
    for words, tree in zip(("the workflow's folder", "the study's folder"), trees, strict=True):
        if tree.revision is None:
            yield Mistake(words, f"no commit tells what is pinned: {tree.problem}", hint)
        for name in tree.changed:
            yield Mistake(name, "not as it is committed", hint)


def _other_settings(study: Study, places: Places) -> Iterator[Mistake]:
    name = f"{RESULTS}{CONFIGURATION}"
    path = places.folder / name
    if path.is_file() and read_settings(path) != settings_of(study):
        yield Mistake(name, "not the configuration that takes effect now", "snakemake rebuilds it")


def _prove(
    study: Study, places: Places, state: State, *, results: Sequence[str], target: str, cores: int
) -> None:
    """Compute everything again in a clean folder, and refuse if a byte is another.

    Raises
    ------
    SurveywavesError
        With each file that does not come out again, and the job at which it begins.
    """
    with rederive(study, places, target=target, cores=cores) as again:
        if again.failures:
            raise SurveywavesError(again.failures)
        moved = [
            name
            for name in results
            if not (path := again.places.folder / name).exists()
            or digest(path) != digest(places.folder / name)
        ]
        if not moved:
            return
        records = read_records(again.places, results)
        stages = first_stages(state, State.of_run(records, again.places, study), moved)
        began = ", ".join(stage.job for stage in stages) or "no job that left a record"
        raise SurveywavesError(
            Mistake(
                name,
                f"does not come out again, byte for byte; it begins at {began}",
                "rebuild with snakemake --forceall; prove=false pins it unproved, which the manifest then says",
            )
            for name in moved
        )


# --- writing ------------------------------------------------------------------------------------------------------


@contextmanager
def _written(manifest: Manifest, files: Mapping[str, Path], pins: Path) -> Iterator[Path]:
    """Write the pin beside its place and move it there in the end, so that it is whole whenever it is there."""
    pins.mkdir(parents=True, exist_ok=True)
    for left in pins.glob(f".*{_PART}"):  # of an attempt that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    part, folder = pins / f".{manifest.label}{_PART}", pins / manifest.label
    try:
        for name, path in files.items():
            target = part / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        _as_stated(part, manifest.outputs)
        write_manifest(manifest, part)
        describe(manifest, part)
        flush_all(part)
        write_archive(part, pins / f"{manifest.label}{SUFFIX}")
        yield folder
        part.rename(folder)
        flush(pins)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _as_stated(folder: Path, hashes: Hashes) -> None:
    """Refuse what somebody edited while it was pinned."""
    if changed := [name for name, hash_ in hashes.items() if digest(folder / name) != hash_]:
        raise SurveywavesError(Mistake(name, "changed while it was pinned", "pin again") for name in changed)


def evidence(study: Study) -> tuple[WaveEvidence, ...]:
    """Return the evidence of each wave."""
    return tuple(
        WaveEvidence(
            wave=wave.name,
            title=wave.file.title,
            evidence=wave.file.evidence,
            note=wave.file.evidence_note,
            weaker={name: weak.evidence for name, weak in wave.file.variable_evidence.items()},
        )
        for wave in study.waves
    )


def statement(study: Study) -> str:
    """Return a sentence on whether the numbers are findings."""
    known = evidence(study)
    weak = [one for one in known if one.evidence is not Evidence.OBSERVED]
    if weak:
        waves = ", ".join(f"{one.title} ({one.wave}) is {one.evidence}" for one in weak)
        return f"Demonstration: {waves}. The numbers are not findings."
    parts = [f"{name} of {one.wave} is {known_}" for one in known for name, known_ in one.weaker.items()]
    return "All waves are observed: real returns." + (f" But {', '.join(parts)}." if parts else "")


def _told(manifest: Manifest, folder: Path) -> list[str]:
    counts = {room: _count(manifest.outputs, room) for room in ("released", "figures")}
    proof = (
        "proved: a run in a clean folder gave the same bytes"
        if manifest.proved
        else "NOT PROVED (prove=false)"
    )
    return [
        f"pinned: {PurePosixPath(folder)}/ ({counts['released']} files of tables, {counts['figures']} of figures)",
        f"to deposit: {PurePosixPath(folder)}{SUFFIX}, which stays out of git",
        proof,
        *_commit(manifest.workflow, manifest.study),
        *(
            f"passed over ({option}=true): {reason}"
            for option, reasons in manifest.overridden.items()
            for reason in reasons
        ),
        manifest.statement,
    ]


def _commit(workflow: Revision | None, study: Revision | None) -> Iterator[str]:
    if workflow is not None:
        yield f"workflow at {workflow.commit[:12]} of {workflow.date}"
    if study is not None and study != workflow:
        yield f"study at {study.commit[:12]} of {study.date}"


def _count(names: Iterable[str], room: str) -> int:
    return sum(name.startswith(f"{room}/") for name in names)
