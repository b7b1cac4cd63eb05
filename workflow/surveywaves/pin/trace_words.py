"""A trace in words: for a reader, from the number back to the raw files; and as JSON."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import pandas as pd

from surveywaves.pin.flat import shown as value_shown
from surveywaves.pin.lineage import Setting, Step
from surveywaves.pin.manifest import Hashes
from surveywaves.pin.origins import CONFIG
from surveywaves.pin.trace import Evidence, Trace
from surveywaves.tables.words import listed

ROWS: Final = 12
"""Rows that are shown unless all are asked for."""

FILES: Final = 8
"""Files of a job that are named unless all are asked for."""

KEYS: Final = 3
"""Keys below one key of a file that are named each, and items."""

CHOICES: Final = 12
"""The same for the file with the choices of the analysis."""

SHORT: Final = 60
"""Characters of a value that is shown."""

WIDTH: Final = 110

_DIGITS: Final = 12
"""Digits of a hash that tell files apart on the screen; of raw files all are shown."""


def to_lines(trace: Trace, *, everything: bool = False) -> Iterator[str]:
    """Say what is behind some numbers.

    Parameters
    ----------
    everything
        Every row, code file and setting.
    """
    yield from _numbers(trace, everything)
    yield ""
    yield from _waves(trace)
    for step in trace.lineage.steps:
        yield ""
        yield from _step(step, trace, everything)
    yield ""
    yield from _files(trace)


def to_json(trace: Trace) -> dict[str, Any]:
    """Give a trace as plain data."""
    found, behind = trace.shown, trace.lineage
    before = (
        {"unreleased": {"file": trace.before[0], "rows": trace.before[1].to_dict("records")}}
        if trace.before
        else {}
    )
    return {
        "shown": {"kind": found.kind or "table", "name": found.name, "file": found.target},
        "table": found.table,
        "keys": list(found.keys),
        "rows": found.rows.to_dict("records"),
        **before,
        "waves": list(behind.waves),
        "all_waves_together": behind.joint,
        "jobs": [
            {
                "job": step.job.name,
                "rule": step.job.rule,
                "wildcards": step.job.wildcards,
                "reads": step.reads,
                "code": step.job.code,
                "settings": [
                    {"name": one.place, "value": one.value, "from": list(one.keys or ())}
                    for one in step.settings
                ],
                "notes": list(step.notes),
            }
            for step in behind.steps
        ],
        "raw": [{"path": raw.path, "sha256": raw.sha256, "wave": raw.wave} for raw in behind.raw],
        "given": behind.given,
        "evidence": [
            {"wave": one.wave, "evidence": one.evidence, "note": one.note, "weaker": dict(one.weaker)}
            for one in trace.evidence
        ],
    }


# --- the numbers ------------------------------------------------------------------------------------------------


def _numbers(trace: Trace, everything: bool) -> Iterator[str]:
    found = trace.shown
    rows = f"{len(found.rows)} {'row' if len(found.rows) == 1 else 'rows'}"
    if found.kind == "report":
        yield f"table {found.name} of {found.target} shows {rows} of results/released/{found.table}.csv"
    elif found.kind:
        yield f"{found.kind} {found.name} ({found.target}) shows {rows} of results/released/{found.table}.csv"
    else:
        yield f"results/released/{found.table}.csv: {rows}"
    yield from _rows(found.rows, found.keys, everything)
    if trace.before:
        name, frame = trace.before
        yield f"{name}, not released: for the team that holds the data only"
        yield from _rows(frame, found.keys, everything)


def _rows(frame: pd.DataFrame, keys: Sequence[str], everything: bool) -> Iterator[str]:
    records = frame.to_dict("records")
    for row in records if everything else records[:ROWS]:
        yield f"  {' '.join(shlex.quote(f'{name}={row[name]}') for name in keys)}"
        said = [f"{name} {value}" for name, value in row.items() if name not in keys and value != ""]
        yield from _wrapped(", ".join(said) or "nothing more", "    ")
    if not everything and len(records) > ROWS:
        yield f"  and {len(records) - ROWS} more: --all lists them, column=value chooses"


def _waves(trace: Trace) -> Iterator[str]:
    waves = listed([f"{one.wave} ({one.evidence})" for one in trace.evidence]) or "no wave"
    if trace.lineage.joint:
        yield from _wrapped(f"It depends on every wave: {waves}.", "")
    else:
        yield from _wrapped(f"It depends on {waves} and on no other wave.", "")


# --- a job ------------------------------------------------------------------------------------------------------


def _step(step: Step, trace: Trace, everything: bool) -> Iterator[str]:
    scripts = [name for name in step.job.code if PurePosixPath(name).parent.name == "scripts"]
    modules = len(step.job.code) - len(scripts)
    yield f"{step.job.name}: {', '.join(scripts) or 'no script'} and {modules} modules"
    if everything:
        yield from (f"  code     {hash_[:_DIGITS]}  {name}" for name, hash_ in sorted(step.job.code.items()))
    yield from _reads(step.reads, everything)
    for note in step.notes:
        yield from _wrapped(note, "  note     ")
    yield from _settings(step.settings, trace, everything)


def _reads(reads: Hashes, everything: bool) -> Iterator[str]:
    listed_ = list(reads.items())
    for path, hash_ in listed_ if everything else listed_[:FILES]:
        yield f"  reads    {hash_[:_DIGITS]}  {path}"
    if not everything and len(listed_) > FILES:
        yield f"           and {len(listed_) - FILES} more files: --all lists them"


def _settings(settings: Sequence[Setting], trace: Trace, everything: bool) -> Iterator[str]:
    """Say what a job was told, a line a file of the configuration."""
    if everything:
        for one in settings:
            keys = "not known" if one.keys is None else " and ".join(one.keys) or "the workflow"
            yield f"  setting  {one.place}: {value_shown({one.place: one.value}, one.place)} (from {keys})"
        return
    said: dict[str, dict[str, list[Setting]]] = {}
    words: dict[str, None] = {}
    for one in settings:
        for origin in ("not known: ",) if one.keys is None else one.keys:
            file, _, key = origin.partition(": ")
            if one.words:
                words[file] = None
            else:
                said.setdefault(file, {}).setdefault(key or one.place, []).append(one)
    for file, known in said.items():
        told = ", ".join(_keys(known, CHOICES if file == CONFIG else KEYS))
        of = _of_items(known, trace) if file.endswith(".tsv") else ""
        yield from _wrapped(f"{file}: {told}{of}", "  settings ")
    if words:
        yield from _wrapped(f"from {', '.join(words)}: they change no number", "  words    ")


def _keys(keys: Mapping[str, Sequence[Setting]], most: int) -> Iterator[str]:
    """Name keys with their values, where these are short; where there are more below one key, only that."""
    heads: dict[str, list[str]] = {}
    for key in keys:
        heads.setdefault(key.partition(".")[0], []).append(key)
    for head, below in sorted(heads.items()):
        told = [f"{key} {_value(keys[key])}".strip() for key in below]
        many = len(below) > most or (len(below) > KEYS and told == below)
        yield from [head] if many else told


def _value(group: Sequence[Setting]) -> str:
    """Show the value of a key, where it has one, is short, and comes from that key alone."""
    if len(group) != 1 or len(group[0].keys or ()) != 1 or group[0].value == {}:
        return ""
    value = value_shown({"": group[0].value}, "")
    return value if len(value) <= SHORT else ""


def _of_items(keys: Mapping[str, Sequence[Setting]], trace: Trace) -> str:
    """Say of which items a job was told, where the numbers are about some of them."""
    told = {part for group in keys.values() for one in group for part in one.place.split(".")}
    own = [item for item in trace.items if item in told]
    others = len(told & trace.other_items)
    if not own:
        return ""
    of = f"of {listed(own)}" if len(own) <= KEYS else f"of {own[0]} to {own[-1]}"
    return f" ({of}{f' and of {others} other items' if others else ''})"


def _wrapped(text: str, first: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


# --- the files --------------------------------------------------------------------------------------------------


def _files(trace: Trace) -> Iterator[str]:
    yield "raw files" if trace.lineage.raw else "raw files: none"
    for raw in trace.lineage.raw:
        yield f"  {raw.sha256}  {raw.path} ({raw.wave})"
    if trace.lineage.given:
        yield "other files that no job made"
        yield from (f"  {hash_}  {path}" for path, hash_ in trace.lineage.given.items())
    yield "evidence"
    for one in trace.evidence:
        yield from _evidence(one)


def _evidence(one: Evidence) -> list[str]:
    weaker = "".join(f"; {name} {kind}" for name, kind in one.weaker)
    return _wrapped(f"{one.wave}: {one.evidence.upper()}{weaker}. {one.note}", "  ")
