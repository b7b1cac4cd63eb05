"""Which files hold answers of individual people or small counts, and whether git is about to commit one.

Such files stay with the team. They are known by where they lie, by the heads of their columns (what a file is, its
first bytes say, not its name: text, Parquet, SPSS, Stata, Excel, archives, pages), or by being a copy of one that is.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import yaml

from surveywaves.errors import Mistake, SurveywavesError

DELIMITERS: Final = ("\t", ",", ";", "|")

HEAD_LINES: Final = 3
"""Rows that may hold the heads of columns: exports have up to three."""

HEAD_BYTES: Final = 262_144
"""Bytes of a text that are looked at."""

DEEPEST: Final = 3
"""Archives within archives that are opened."""

Heads = tuple[tuple[str, ...], ...]
"""The first rows of a table, of which the first one names its columns, or all do together."""


class UnreadableError(Exception):
    """A data file that cannot be looked into."""


def heads(content: bytes, *, depth: int = 0) -> Iterator[Heads]:
    """Yield the first rows of each table that a file may be, or hold; rows with a single cell, as titles, left out.

    Parameters
    ----------
    content
        The whole file.
    depth
        Archives that it lies in.

    Raises
    ------
    UnreadableError
        If it is a data file that cannot be opened: damaged, locked with a password, archives too deep.
    """
    for begins, read in _BINARY.items():
        if content.startswith(begins):
            try:
                yield from read(content)
            except Exception as error:  # whatever a reader raises on a damaged file
                raise UnreadableError(
                    str(error).splitlines()[0] if str(error) else type(error).__name__
                ) from None
            return
    if content.startswith(b"PK\x03\x04"):
        yield from _archive(content, depth)
    else:
        yield from _text(content)


def _parquet(content: bytes) -> Iterator[Heads]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - a second to import, and most files are text

    yield (tuple(pq.read_schema(io.BytesIO(content)).names),)


def _arrow(content: bytes) -> Iterator[Heads]:
    import pyarrow as pa  # noqa: PLC0415

    yield (tuple(pa.ipc.open_file(io.BytesIO(content)).schema.names),)


def _spss(content: bytes) -> Iterator[Heads]:
    import pyreadstat  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(suffix=".sav") as file:  # readable for its owner only
        file.write(content)
        file.flush()
        _, meta = pyreadstat.read_sav(file.name, metadataonly=True)
    yield (tuple(meta.column_names),)


def _stata(content: bytes) -> Iterator[Heads]:
    import pandas as pd  # noqa: PLC0415

    with pd.read_stata(io.BytesIO(content), iterator=True) as reader:
        yield (tuple(reader.variable_labels()),)


def _workbook(content: bytes) -> Iterator[Heads]:
    import openpyxl  # noqa: PLC0415

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    for sheet in book.worksheets:
        rows = sheet.iter_rows(max_row=2 * HEAD_LINES, values_only=True)
        yield _filled(["" if cell is None else str(cell) for cell in row] for row in rows)


_BINARY: Final = {
    b"PAR1": _parquet,
    b"ARROW1": _arrow,
    b"$FL2": _spss,
    b"$FL3": _spss,
    b"<stata_dta>": _stata,
    b"\x73\x01": _stata,
    b"\x73\x02": _stata,
    b"\x72\x01": _stata,
    b"\x72\x02": _stata,
}
"""How a file begins -> what reads it."""


def _archive(content: bytes, depth: int) -> Iterator[Heads]:
    """Look into an archive, or a workbook, which is one as well."""
    if depth == DEEPEST:
        raise UnreadableError("archives within archives")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if "xl/workbook.xml" in names:
                yield from _workbook(content)
                return
            for name in names:
                yield from heads(archive.read(name), depth=depth + 1)
    except UnreadableError:
        raise
    except Exception as error:  # damaged or locked: zipfile and openpyxl raise all sorts
        raise UnreadableError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None


_EMBEDDED: Final = re.compile(rb"data:text/csv[^\"'<>\s]*")


def _text(content: bytes, head_lines: int = HEAD_LINES) -> Iterator[Heads]:
    """Take the first lines apart by every delimiter; in a page, the first of each table that it lets one take away."""
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    text = content[:HEAD_BYTES].decode(encoding, errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][:head_lines]
    for delimiter in DELIMITERS:
        try:
            yield _filled(csv.reader(lines, delimiter=delimiter))
        except csv.Error:  # a line longer than any table's
            continue
    for address in _EMBEDDED.findall(content):
        how, comma, data = address.partition(b",")
        if comma:
            # Nothing but a page like the report's has these, with one line of heads. The next may be about the
            # variable `respondent`, as in the codebook.
            yield from _text(
                _decoded(data) if how.endswith(b"base64") else unquote_to_bytes(data), head_lines=1
            )


def _filled(rows: Iterable[Sequence[str]]) -> Heads:
    """Keep the first rows that have several cells."""
    several = (row for row in rows if sum(bool(cell.strip()) for cell in row) > 1)
    return tuple(tuple(row) for row in islice(several, HEAD_LINES))


def _decoded(data: bytes) -> bytes:
    try:
        return base64.b64decode(unquote_to_bytes(data))
    except ValueError:  # words that look like an address
        return b""


PRIVATE: Final = ("ingest", "harmonised", "pooled", "exports", "disclosure", "logs")
"""Folders of `results/` that hold rows of individual people or small counts."""

RAW: Final = "resources/raw"
"""Folder of raw files."""

TEAM: Final = "resources/private"
"""Folder of the team's key and its ledger of releases."""

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
        private = (first == "results" and second in PRIVATE) or f"{first}/{second}" in (RAW, TEAM)
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


ALLOWED: Final = Path(".githooks/allowed.tsv")
"""In a repository: the files that look like answers of people and may be committed, and why."""


def staged_mistakes(top: Path) -> list[Mistake]:
    """Look at everything that is staged in a repository, as it is staged.

    Parameters
    ----------
    top
        Top folder of the working tree.
    """
    names = _git(top, "diff", "--cached", "--name-only", "--no-renames", "--diff-filter=AM", "-z").split("\0")
    with tempfile.TemporaryDirectory(prefix="staged-") as room:  # its owner alone can look into it
        files: dict[str, Path] = {}
        for name in filter(None, names):
            content = _git_bytes(top, "cat-file", "blob", f":{name}")
            if content is not None:  # a submodule has none
                files[name] = Path(room, str(len(files)))
                files[name].write_bytes(content)
        return list(mistakes_in(files, top))


def mistakes_in(files: dict[str, Path], top: Path) -> list[Mistake]:
    """Look at files with all that is known where they come from: the study, its confidential files, what is allowed."""
    rooms = [*(f"results/{room}" for room in PRIVATE), RAW, TEAM]
    hidden = {
        path.relative_to(top).as_posix(): path
        for room in rooms
        for path in sorted((top / room).rglob("*"))
        if path.is_file() and path.name not in MAY_STAND
    }
    return list(confidential_files(files, signs_of(top / "config", hidden), read_allowed(top / ALLOWED)))


def _git(top: Path, *arguments: str) -> str:
    found = _git_bytes(top, *arguments)
    if found is None:
        raise SurveywavesError.at(top, "not a git repository, or git is not installed")
    return found.decode("utf-8", errors="surrogateescape")


def _git_bytes(top: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", str(top), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
