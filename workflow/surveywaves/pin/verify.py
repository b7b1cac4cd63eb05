"""Proving a pin: everything is computed once more, and held against what was pinned.

`verify` computes; `diff` holds two pins, or a pin and what is released now, against each other without computing
anything. What comes of either is said on the screen and listed in a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import digest, read, write, write_text
from surveywaves.key import NAME, is_keyed, read_key
from surveywaves.pin.cause import (
    CONFIGURATION,
    CURRENT,
    Difference,
    Stage,
    State,
    added_waves,
    differences,
    first_stages,
)
from surveywaves.pin.changes import COLUMNS, NUMBER, Comparison, Kind, compare
from surveywaves.pin.drawn import alike
from surveywaves.pin.manifest import (
    PINS,
    RESULTS,
    TOLERANCE,
    Manifest,
    Places,
    read_manifest,
    read_records,
    whole_pin,
)
from surveywaves.pin.source import VERIFY, rederive
from surveywaves.study import load_study
from surveywaves.study.models import Study
from surveywaves.text import few

CAPTIONS: Final = "figures/captions.tsv"
DRAWN_ANEW: Final = "drawn anew"


@dataclass(frozen=True, slots=True)
class Figures:
    """How the figures compare."""

    count: int
    """Figures of the pin."""
    moved: tuple[str, ...]
    """Those that are not the pinned ones; gone ones too."""
    reworded: bool
    """Whether their captions are others."""
    not_by_bytes: str = ""
    """Why other bytes do not make another figure; empty: they do."""
    otherwise: tuple[str, ...] = ()
    """Files whose bytes differ although the figure counts as the pinned one."""

    @property
    def fails(self) -> bool:
        """Whether any of them does not come out again."""
        return bool(self.moved) or (self.reworded and not self.not_by_bytes.startswith(DRAWN_ANEW))


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of proving a pin."""

    manifest: Manifest
    comparison: Comparison
    figures: Figures
    reads_otherwise: tuple[str, ...]
    """Files of the report and its tables that are not the pinned bytes."""
    added: tuple[str, ...]
    """Waves that the study has more, if that is all that tells it from the pinned one."""
    differences: tuple[Difference, ...]
    stages: tuple[Stage, ...]
    keyless: int = 0
    """Files that were not compared, since the key that names them is not here."""

    @property
    def fails(self) -> bool:
        """Whether anything that was pinned does not come out again."""
        return self.comparison.fails or self.figures.fails


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run that ended before there was anything to compare."""

    manifest: Manifest
    failures: tuple[Mistake, ...]
    differences: tuple[Difference, ...]
    keyless: int = 0
    """As in `Proof`."""
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
    manifest = whole_pin(folder)
    old, key = State.of_pin(folder, manifest), read_key(places.folder)
    with rederive(study, places, target=target, cores=cores) as again:
        results = [f"{RESULTS}{name}" for name in manifest.outputs if "/" in name or name == CONFIGURATION]
        there = [name for name in results if (again.places.folder / name).is_file()]
        records = read_records(again.places, there)
        # A run that stopped has no record of what it would have read yet: what lies there is compared.
        unread = manifest.raw if again.failures else ()
        new, told = State.of_run(records, again.places, study, unread).like(old, key)
        if again.failures:
            found = tuple(differences(old, new))
            return Stopped(manifest, again.failures, found, 0 if told else _keyed(manifest))
        proof = _compare(old, new, folder=folder, manifest=manifest, results=again.places.folder / RESULTS)
        return proof if told else replace(proof, stages=(), keyless=_keyed(manifest))


def _keyed(manifest: Manifest) -> int:
    """Count the files that only the key can compare."""
    hashes = [manifest.raw, *(ways for job in manifest.jobs for ways in (job.inputs, job.outputs))]
    return len({path for known in hashes for path, hash_ in known.items() if is_keyed(hash_)})


def _compare(old: State, new: State, *, folder: Path, manifest: Manifest, results: Path) -> Proof:
    added = added_waves(old, new)
    tables = compare(frames(folder / "released"), frames(results / "released"), added=added)
    names = manifest.outputs
    why = _why_other_bytes(old, new, within=tables.within, added=added)
    figures = _figures(folder, results, names, why, one_version=_matplotlib(old) == _matplotlib(new))
    report = [
        name for name in names if name.startswith(("report/", "tables/")) and _other(name, names, results)
    ]
    moved = [f"{RESULTS}{name}" for name in names if _counts(name) and _other(name, names, results)]
    if not tables.fails:  # words and looks begin where a figure is drawn, not where a number is computed
        moved = [name for name in moved if name.startswith(f"{RESULTS}figures/")] if figures.fails else []
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
    """Whether a result differs from the pinned bytes."""
    path = results / name
    return not path.is_file() or digest(path) != names[name]


def _matplotlib(state: State) -> str:
    return state.environment.matplotlib


def _why_other_bytes(old: State, new: State, *, within: int, added: Sequence[str]) -> str:
    """Return why a figure may have other bytes and still be the pinned one; empty if it may not."""
    if added:
        return f"{DRAWN_ANEW} with {', '.join(added)}"
    if _matplotlib(old) != _matplotlib(new):
        return f"matplotlib was {_matplotlib(old)} and is {_matplotlib(new)}"
    if old.environment != new.environment:
        return "the packages or the system are others"
    return "numbers differ within the tolerance" if within else ""


def _figures(
    folder: Path, results: Path, names: Mapping[str, str], why: str, *, one_version: bool
) -> Figures:
    """Compare figures: by their bytes, or where there is a reason for others by what their drawings show."""
    drawn = [name for name in names if name.startswith("figures/") and name != CAPTIONS]
    other = [name for name in drawn if _other(name, names, results)]
    count = len({Path(name).stem for name in drawn})
    moved = [name for name in other if not (results / name).is_file()]
    if not why:
        moved = other
    elif not why.startswith(DRAWN_ANEW):
        moved += [
            name
            for name in other
            if name not in moved
            and name.endswith(".svg")
            and not alike(*map(_text, (folder / name, results / name)), one_version=one_version)
        ]
    stems = tuple(dict.fromkeys(Path(name).stem for name in moved))
    reworded = CAPTIONS in names and _other(CAPTIONS, names, results)
    return Figures(count, stems, reworded, why, tuple(other) if why else ())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def frames(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the released tables in a folder, every cell as text."""
    return {path.stem: read(str(path)) for path in sorted(folder.glob("*.csv"))}


SHOWN: Final = 40
"""Changes on the screen; the listing has all of them."""

FEW: Final = 12
"""Differences on the screen, of a group."""


def table(
    comparison: Comparison | None, differences: Sequence[Difference] = (), stages: Sequence[Stage] = ()
) -> pd.DataFrame:
    """Return everything that differs, in the columns of a comparison.

    Numbers come first; then the stages where it begins, each followed by what of its own differs; then all that
    differs in what the results were made from. `kind` says which a row is.
    """
    causes = [{"kind": one.sort, "key": one.name, "old": one.old, "new": one.new} for one in differences]
    begins = [
        {"kind": kind, "table": stage.job, "key": key, "old": old, "new": new}
        for stage in stages
        for kind, key, old, new in (
            ("first stage", "", "", ""),
            *((f"first stage: {one.sort}", one.name, one.old, one.new) for one in stage.because),
        )
    ]
    blank = {"table": "", "column": "", "relative_change": float("nan")}
    more = pd.DataFrame([blank | row for row in (*begins, *causes)], columns=list(COLUMNS))
    more = more.astype({"relative_change": "float64"})
    return pd.concat([comparison.changes, more], ignore_index=True) if comparison else more


def record(found: Proof | Stopped, places: Places) -> list[str]:
    """Write down what came of proving a pin, `<label>.txt` in words and `<label>.tsv` in full; give the words."""
    listing = places.folder / VERIFY / f"{found.manifest.label}.tsv"
    lines = tell(found, listing.relative_to(places.folder).as_posix())
    rows = (
        table(None, found.differences)
        if isinstance(found, Stopped)
        else table(found.comparison, found.differences, found.stages)
    )
    write(rows, str(listing))
    write_text("".join(f"{line}\n" for line in lines), str(listing.with_suffix(".txt")))
    return lines


def tell(proof: Proof | Stopped, listing: str) -> list[str]:
    """Return lines on what came of proving a pin."""
    if isinstance(proof, Stopped):
        return [
            f"pin {proof.manifest.label}: nothing to compare, the run ended before its end",
            *(f"  {failure}" for failure in proof.failures),
            *_keyless(proof),
            *_causes(proof.differences, listing),
        ]
    lines = [*_numbers(proof, listing), *_figure_lines(proof), *_keyless(proof)]
    if proof.fails:
        return [
            f"pin {proof.manifest.label}: not everything comes out as pinned",
            *lines,
            *_stages(proof.stages),
            *_causes(proof.differences, listing),
        ]
    return [*_verified(proof, listing), *lines, *_quiet(proof, listing), proof.manifest.statement]


def _verified(proof: Proof, listing: str) -> Iterator[str]:
    tables, figures = proof.comparison, proof.figures
    if proof.added:
        waves = ", ".join(proof.added)
        again = len(tables.of(Kind.RE_ESTIMATED))
        yield (
            f"verified: no number of the earlier waves' own moved ({tables.numbers} numbers in {tables.tables} tables; "
            f"added to the study: {waves})"
        )
        yield (
            f"re-estimated together with {waves}: {again} values of models and comparisons over all waves; "
            f"new: {len(tables.of(Kind.NEW))} rows; {listing} lists them"
        )
        if any(one.sort in {"code", "package", "environment"} for one in proof.differences):
            commit = proof.manifest.workflow.commit[:12] if proof.manifest.workflow else "the pin's source/"
            yield (
                "code or packages differ as well and may have a share in what was re-estimated: the code of "
                f"{commit} tells them apart"
            )
    else:
        yield (
            f"verified: {tables.numbers} numbers in {tables.tables} tables, {figures.count} figures as pinned"
        )


def _numbers(proof: Proof, listing: str) -> Iterator[str]:
    tables = proof.comparison
    if tables.within:
        yield (
            f"{tables.within} numbers differ within the tolerance (relative {TOLERANCE.relative:g}, absolute "
            f"{TOLERANCE.absolute:g})"
        )
    moved, gone = tables.of(Kind.MOVED), tables.of(Kind.GONE)
    if not moved.empty or not gone.empty:
        yield (
            f"{len(moved)} values moved, {len(gone)} rows or tables gone; of {tables.numbers} numbers in "
            f"{tables.tables} tables:"
        )
        yield from _changes(tables.of(Kind.MOVED, Kind.GONE), listing)
    if not proof.added and not (new := tables.of(Kind.NEW)).empty:
        yield f"{len(new)} rows or tables are new; {listing} lists them"


def _changes(changes: pd.DataFrame, listing: str) -> Iterator[str]:
    """Show changes: the first of each table, so that one long table does not hide the others."""
    share = max(3, SHOWN // max(1, changes["table"].nunique()))
    first = changes.groupby("table", sort=False).head(share).head(SHOWN)
    for change in first.to_dict("records"):
        place = " ".join(filter(None, [change["table"], change["key"]]))
        if change["kind"] == Kind.GONE:
            yield f"  {place} {change['column']}".rstrip() + ": gone"
            continue
        relative = change["relative_change"]
        by = f" ({relative:+.3%})" if pd.notna(relative) else ""
        yield f"  {place}: {change['column']} {_digits(change['old'], change['new'])}{by}"
    if len(changes) > len(first):
        yield f"  and {len(changes) - len(first)} more: {listing} lists all"


def _digits(old: str, new: str) -> str:
    """Write a change with as many digits as tell it: the listing has all of them."""
    if "." in old and "." in new and re.fullmatch(NUMBER, old) and re.fullmatch(NUMBER, new):
        for digits in (6, 9, 12):
            short = tuple(f"{float(cell):.{digits}g}" for cell in (old, new))
            if short[0] != short[1]:
                return " -> ".join(short)
    return f"{old or 'empty'} -> {new or 'empty'}"


def _figure_lines(proof: Proof) -> Iterator[str]:
    figures = proof.figures
    if figures.otherwise:
        how = "" if proof.added else "compared by what they show, not by their bytes: "
        yield f"figures {how}{figures.not_by_bytes}; {len(figures.otherwise)} files differ"
    if figures.moved:
        names = few(figures.moved, FEW)
        yield f"{len(figures.moved)} of {figures.count} figures are not the pinned ones: {names}"
    if figures.reworded and not proof.added:
        yield "the figures' captions are not the pinned ones"


def _keyless(proof: Proof | Stopped) -> Iterator[str]:
    if proof.keyless:
        yield (
            f"not compared without the key of the pin's team ({NAME}): {proof.keyless} files that are not released, "
            "raw ones among them; nor is it told at which stage a change begins"
        )


def _stages(stages: Sequence[Stage]) -> Iterator[str]:
    for stage in stages:
        yield f"first stage that gives other results: {stage.job}"
        if not stage.because:
            yield "  nothing that was recorded of it differs: it does not give the same results every time"
        yield from _few(stage.because)


def _causes(differences: Sequence[Difference], listing: str) -> Iterator[str]:
    if not differences:
        yield "nothing differs from the pin in raw files, configuration, code or packages"
        return
    yield "what differs from the pin, in the order of the pipeline:"
    sorts: dict[str, list[Difference]] = {}
    for one in differences:
        sorts.setdefault(one.sort, []).append(one)
    for group in sorts.values():
        yield from _few(group, f": {listing} lists all")


def _few(differences: Sequence[Difference], where: str = "") -> Iterator[str]:
    for one in differences[:FEW]:
        yield f"  {one}"
    if len(differences) > FEW:
        yield f"  and {len(differences) - FEW} more{where}"


def _quiet(proof: Proof, listing: str) -> Iterator[str]:
    """Count what differs and moved nothing."""
    if proof.added:
        return
    files = sum(one.file for one in proof.differences)
    other = len(proof.differences) - files
    parts = [
        *([f"{files} file{'s' if files > 1 else ''}"] if files else []),
        *([f"{other} {'settings or packages' if other > 1 else 'setting or package'}"] if other else []),
        *([f"the report's words ({', '.join(proof.reads_otherwise)})"] if proof.reads_otherwise else []),
    ]
    if parts:
        yield f"differs from the pin and moved nothing: {', '.join(parts)}; {listing} lists all"


def diff(first: str, second: str, places: Places) -> tuple[pd.DataFrame, str]:
    """Compare a pin with another, or with what is released now.

    Parameters
    ----------
    first
        Label of a pin.
    second
        Label of a pin, or `current`.
    places
        Where the pins lie, the results, the study and the workflow.

    Returns
    -------
    table
        As `surveywaves.pin.verify.table`.
    summary
        A line in words.

    Raises
    ------
    SurveywavesError
        If there is no such pin, a pin is not as its manifest has it, or nothing is released.
    """
    old, before = _side(first, places)
    new, after = _side(second, places, beside=first)
    state, told = new.like(old, read_key(places.folder))
    found = compare(frames(before), frames(after), added=added_waves(old, state))
    moved = [f"{RESULTS}released/{name}" for name in _unlike(before, after)]
    stages = first_stages(old, state, moved) if found.fails and told else []
    counts = {kind: len(found.of(kind)) for kind in Kind}
    parts = [f"{count} {kind}" for kind, count in counts.items() if count] or ["nothing moved"]
    summary = f"{first} -> {second}: {', '.join(parts)}; {found.numbers} numbers in {found.tables} tables of {first}"
    return table(found, differences(old, state), stages), summary


def _side(label: str, places: Places, *, beside: str = "") -> tuple[State, Path]:
    """Return what a pin, or the current release, is based on, and the folder of its released tables.

    `beside` is the pin that the results of now are held against: jobs behind what it holds are looked at too.
    """
    folder = places.folder / PINS / label
    if label != CURRENT:
        return State.of_pin(folder, whole_pin(folder)), folder / "released"
    tables = places.folder / RESULTS / "released"
    if not any(tables.glob("*.csv")):
        raise SurveywavesError.at(
            tables.relative_to(places.folder), "nothing is released yet", "run snakemake"
        )
    wanted = {f"released/{path.name}" for path in tables.glob("*.csv")}
    wanted |= read_manifest(places.folder / PINS / beside).outputs.keys()
    there = [f"{RESULTS}{name}" for name in wanted if (places.folder / RESULTS / name).exists()]
    return State.of_run(read_records(places, there), places, load_study(places.study)), tables


def _unlike(before: Path, after: Path) -> list[str]:
    """Name the tables in either of two folders that are not the same bytes in both."""
    one, other = ({path.name: digest(path) for path in folder.glob("*.csv")} for folder in (before, after))
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
