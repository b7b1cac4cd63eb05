"""Which files are confidential: by where they lie, by what is in them, by being a copy of one that is."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from surveywaves.confidential.content import Heads, UnreadableError, heads
from surveywaves.errors import Mistake

PRIVATE: Final = ("ingest", "harmonised", "pooled", "exports", "disclosure")
"""Folders of `results/` that hold rows of individual people or small counts."""

RAW: Final = "resources/raw"
"""Folder of raw files."""

MAY_STAND: Final = {"README.md", ".gitkeep", ".gitignore"}
"""Files that may stand among raw ones."""

_PEOPLE: Final = frozenset({"respondent", "respondentsource", "respondentid", "collectorid", "ipaddress"})
"""Columns of a table that has a row for a person, folded: the pipeline's own, and those of web surveys."""

_ROWS: Final = (
    (frozenset({"file", "row", "column", "value"}), "it has what single returns say, cell by cell"),
    (frozenset({"linked", "count", "reason"}), "it says which counts are small"),
    (frozenset({"layout", "column", "raw", "value", "n"}), "it counts the answers on each form"),
)
"""Columns that stand together in tables that are not released, and what these are."""

_ANSWERED: Final = 5
"""Columns with answers to questions of the study, from which a table is one of people."""

HINT: Final = "answers of people stay with the team; see docs/confidential.md"


@dataclass(frozen=True, slots=True)
class Signs:
    """By what a study's own files are known, names folded by `folded`.

    Parameters
    ----------
    people
        Columns that identify a return in the study's raw files.
    questions
        Items, and the columns of raw files that hold their answers.
    hidden
        SHA-256 -> path of each confidential file that lies here.
    """

    people: frozenset[str] = frozenset()
    questions: frozenset[str] = frozenset()
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A file that looks like answers of people and may be seen by everybody, as exactly these bytes."""

    sha256: str
    reason: str


def confidential_files(
    files: Mapping[str, Path], signs: Signs | None = None, allowed: Mapping[str, Allowed] | None = None
) -> Iterator[Mistake]:
    """Yield each file that must not be shown to others.

    Parameters
    ----------
    files
        Path as it would be seen by others, POSIX -> the file.
    signs
        By what the study's own files are known; None: what all studies have in common.
    allowed
        Path -> a file that may be shown although it looks so.
    """
    signs = signs or Signs()
    for name, path in files.items():
        content = path.read_bytes()
        hash_ = hashlib.sha256(content).hexdigest()
        known = (allowed or {}).get(name)
        if known and known.sha256 == hash_:
            continue
        if reason := _reason(name, content, hash_, signs):
            changed = "; the file that was allowed there had other content" if known else ""
            yield Mistake(name, f"confidential: {reason}{changed}", HINT)


def _reason(name: str, content: bytes, hash_: str, signs: Signs) -> str:
    """Say why a file is confidential; empty if it is not."""
    if place := _private_place(PurePosixPath(name)):
        return f"it lies in {place}"
    if hash_ in signs.hidden and content:
        return f"the same as {signs.hidden[hash_]}"
    return reason_in(content, signs)


def reason_in(content: bytes, signs: Signs) -> str:
    """Say why what is in a file is confidential, whatever it is called; empty if it is not."""
    try:
        for rows in heads(content):
            if reason := _people(rows, signs):
                return reason
    except UnreadableError as error:
        return f"it may hold data and cannot be looked into ({error})"
    return ""


def _private_place(path: PurePosixPath) -> str:
    """Name the private folder that a path lies in; empty: in none."""
    for first, second in zip(path.parts, path.parts[1:-1], strict=False):
        private = (first == "results" and second in PRIVATE) or f"{first}/{second}" == RAW
        if private and path.name not in MAY_STAND:
            return f"{first}/{second}"
    return ""


def _people(rows: Heads, signs: Signs) -> str:
    """Say what of people a table holds that begins so; empty: nothing."""
    for number, row in enumerate(rows):
        found = {folded(cell) for cell in row if len(cell) < _LONGEST} - {""}
        # A codebook has a row for the column that identifies respondents: only the first row names columns for sure.
        if not number and (who := found & (_PEOPLE | signs.people)):
            return f"it has a row for each respondent (column {sorted(who)[0]})"
        if len(found & signs.questions) >= _ANSWERED:
            return f"it has a column of answers for each of {len(found & signs.questions)} questions"
        if what := next((what for columns, what in _ROWS if columns <= found), ""):
            return what
    return ""


_LONGEST: Final = 1000
"""Characters of a cell that may be the head of a column."""


def folded(name: str) -> str:
    """Take away what does not tell one head of a column from another: case, spaces, punctuation."""
    return re.sub(r"[\W_]+", "", name).casefold()


# --- what is known of a study ---------------------------------------------------------------------------------------


def signs_of(config: Path, hidden: Mapping[str, Path] | None = None) -> Signs:
    """Gather by what a study's own files are known, however unfinished its configuration is.

    Parameters
    ----------
    config
        Folder of its configuration; what is not there or cannot be read tells nothing.
    hidden
        Confidential files, of which there may be copies: what they are called -> the file.
    """
    people: set[str] = set()
    questions = {folded(row.get("item", "")) for row in _rows(config / "items.tsv")}
    for wave in sorted(config.glob("waves/*/wave.yaml")):
        layouts = _layouts(wave)
        people |= {
            folded(str(layout["respondent"])) for layout in layouts.values() if layout.get("respondent")
        }
        for row in _rows(wave.with_name("items.tsv")):
            questions |= {folded(cell.rpartition(" | ")[2]) for name, cell in row.items() if name in layouts}
    copies = {hashlib.sha256(path.read_bytes()).hexdigest(): name for name, path in (hidden or {}).items()}
    return Signs(frozenset(people - {""}), frozenset(questions - {""}), copies)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [{str(name): str(cell or "") for name, cell in row.items()} for row in rows]


def _layouts(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    layouts = content.get("layouts") if isinstance(content, dict) else None
    if not isinstance(layouts, dict):
        return {}
    return {str(name): layout for name, layout in layouts.items() if isinstance(layout, dict)}


def read_allowed(path: Path) -> dict[str, Allowed]:
    """Read the list of files that may be shown: a table of `path, sha256, reason`; where there is none, no file is."""
    return {row["path"]: Allowed(row["sha256"], row["reason"]) for row in _rows(path) if row.get("reason")}
