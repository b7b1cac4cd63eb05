"""What a comparison says on the screen, and as a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import pandas as pd

from surveywaves.pin.cause import Difference, Stage
from surveywaves.pin.compare import COLUMNS, NUMBER, Comparison, Kind
from surveywaves.pin.records import Places
from surveywaves.pin.rederive import VERIFY
from surveywaves.pin.verify import Proof, Stopped
from surveywaves.script import write, write_text

SHOWN: Final = 40
"""Changes on the screen; the listing has all of them."""

FEW: Final = 12
"""Differences on the screen, of a group."""


def table(
    comparison: Comparison | None, differences: Sequence[Difference] = (), stages: Sequence[Stage] = ()
) -> pd.DataFrame:
    """Lay out everything that differs, in the columns of a comparison.

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
    """Say in lines what came of proving a pin."""
    if isinstance(proof, Stopped):
        return [
            f"pin {proof.manifest.label}: nothing to compare, the run ended before its end",
            *(f"  {failure}" for failure in proof.failures),
            *_causes(proof.differences, listing),
        ]
    lines = [*_numbers(proof, listing), *_figures(proof)]
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
        tolerance = proof.manifest.tolerance
        yield (
            f"{tables.within} numbers differ within the tolerance (relative {tolerance.relative:g}, absolute "
            f"{tolerance.absolute:g})"
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


def _figures(proof: Proof) -> Iterator[str]:
    figures = proof.figures
    if figures.by_data and figures.otherwise:
        how = "" if proof.added else "compared by their data, not their bytes: "
        yield f"figures {how}{figures.by_data}; {len(figures.otherwise)} files differ"
    if figures.moved:
        names = ", ".join(figures.moved[:FEW])
        more = f" and {len(figures.moved) - FEW} more" if len(figures.moved) > FEW else ""
        yield f"{len(figures.moved)} of {figures.count} figures are not the pinned ones: {names}{more}"


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
