"""Making a pin: refused, or written whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin.archive import describe, write_archive
from surveywaves.pin.asked import SUFFIX, Asked
from surveywaves.pin.cause import CONFIGURATION, SOURCE, State, first_stages, read_settings, settings_of
from surveywaves.pin.citation import read_citation
from surveywaves.pin.confidential import confidential, unreleased
from surveywaves.pin.manifest import (
    PINS,
    Hashes,
    Manifest,
    Revision,
    WaveEvidence,
    write_manifest,
)
from surveywaves.pin.records import RESULTS, Places, Records, read_records, stale
from surveywaves.pin.rederive import rederive
from surveywaves.pin.source import LOCK, Checkout, Source, checkout, raw_files
from surveywaves.script import digest
from surveywaves.study.models import Evidence, Study

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
    overridden = _refuse(asked, study, places, records, results=results, files=files, trees=trees)
    state = State.of_run(records, places, study)
    if asked.prove:
        _prove(study, places, state, results=results, target=target, cores=cores)
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
        raw=state.raw,
        config=state.config,
        code=state.code,
        outputs={name: digest(path) for name, path in sorted(files.items())},
        contents=state.contents,
        jobs=records.jobs,
    )
    folder = _write(manifest, files, places.folder / PINS)
    return _told(manifest, folder.relative_to(places.folder))


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
) -> dict[str, tuple[str, ...]]:
    """Raise every reason against the pin; give those that were to be passed over, by the option that does."""
    shown = [name for name in results if not name.startswith(f"{RESULTS}released/")]
    found: dict[str, list[Mistake]] = {
        "allow_dirty": list(dict.fromkeys(_dirty(trees))),
        "allow_stale": [*stale(records, places), *_other_settings(study, places)],
        "allow_unreleased": list(unreleased(records.jobs, shown)),
    }
    absent = [Mistake(name, "no such file") for name, path in files.items() if not path.is_file()]
    there = {name: path for name, path in files.items() if path.is_file()}
    against = [*absent, *_citation(places), *confidential(there, places, raw_files(study))]
    against += [one for option, reasons in found.items() if not getattr(asked, option) for one in reasons]
    if against:
        raise SurveywavesError(against)
    return {option: tuple(map(_reason, reasons)) for option, reasons in found.items() if reasons}


def _citation(places: Places) -> tuple[Mistake, ...]:
    """Say what is amiss with the file that the pin's README and its crate tell how to cite from."""
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


def _write(manifest: Manifest, files: Mapping[str, Path], pins: Path) -> Path:
    """Write the pin beside its place and move it there, so that it is whole whenever it is there."""
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
        write_archive(part, pins / f"{manifest.label}{SUFFIX}")
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _as_stated(folder: Path, hashes: Hashes) -> None:
    """Refuse what somebody edited while it was pinned."""
    if changed := [name for name, hash_ in hashes.items() if digest(folder / name) != hash_]:
        raise SurveywavesError(Mistake(name, "changed while it was pinned", "pin again") for name in changed)


def evidence(study: Study) -> tuple[WaveEvidence, ...]:
    """Say what the data of each wave are."""
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
    """Say in a sentence what may be made of the numbers."""
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
