"""Which files hold answers of individual people or small counts, and whether git is about to commit one.

Such files stay with the team. They are known by where they lie, by the heads of their columns (`heads`: whatever they
are called), or by being a copy of one that is; and what nobody can look into is refused like one.
"""

from __future__ import annotations

import csv
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from surveywaves.confidential.heads import Heads, UnreadableError, heads
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import digest

PRIVATE: Final = (
    "ingest",
    "harmonised",
    "pooled",
    "exports",
    "disclosure",
    "statistics",
    "audit",
    "logs",
    "qualitative",
)
"""Folders of `results/` that hold rows of individual people, small counts, or what both can be worked out from."""

RAW: Final = "resources/raw"
"""Folder of raw files."""

TEAM: Final = "resources/private"
"""Folder of the team's key and its ledger of releases."""

MAY_STAND: Final = {"README.md", ".gitkeep", ".gitignore"}
"""Files that may stand among raw ones."""

_PEOPLE: Final = frozenset(
    """
    respondent respondentsource respondentid collectorid ipaddress responseid submissionuuid emailaddress recipientemail
    firstname lastname recipientfirstname recipientlastname ipaddr externalreference locationlatitude phonenumber
    """.split()  # noqa: SIM905
)
"""Columns of a table that has a row for a person, folded: the pipeline's own, and those of web surveys."""

_ROWS: Final = (
    (frozenset({"file", "row", "column", "value"}), "it has what single returns say, cell by cell"),
    (frozenset({"linked", "count", "reason"}), "it says which counts are small"),
    (frozenset({"layout", "column", "raw", "value", "n"}), "it counts the answers on each form"),
    (frozenset({"source", "coder", "code"}), "it says what is coded in each interview"),
    (frozenset({"source", "stage", "organisation"}), "it says who was interviewed"),
    (frozenset({"source", "passage", "theme"}), "it says what is spoken of in each interview"),
    (frozenset({"meeting", "group", "category", "count"}), "it says what was seen in each meeting"),
)
"""Columns that stand together in tables that are not released, and what these are."""

_ANSWERED: Final = 5
"""Columns with answers to questions of the study, from which a table is one of people."""

ALLOWED: Final = Path(".githooks/allowed.tsv")
"""In a repository: the files that look like answers of people and may be committed, and why."""

UNSEEN: Final = (
    f"if it is of nobody, list its path, SHA-256 and the reason in {ALLOWED}; see docs/confidential.md"
)
HINT: Final = "answers of people stay with the team; see docs/confidential.md"


@dataclass(frozen=True, slots=True)
class Signs:
    """By what a study's own files are known, names folded by `folded`."""

    people: frozenset[str] = frozenset()
    """Columns that identify a return in the study's raw files."""
    questions: frozenset[str] = frozenset()
    """Items, and the columns of raw files that hold their answers."""
    hidden: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 -> path of each confidential file that lies here."""


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
        if reason := reason_why(name, content, hash_, signs):
            changed = "; the file that was allowed there had other content" if known else ""
            yield Mistake(
                name, f"confidential: {reason}{changed}", HINT if "looked" not in reason else UNSEEN
            )


def reason_why(name: str, content: bytes, hash_: str, signs: Signs) -> str:
    """Return why a file is confidential (its place, what it is a copy of, its content); empty if it is not."""
    if place := _private_place(PurePosixPath(name)):
        return f"it lies in {place}"
    if hash_ in signs.hidden and content:
        return f"the same as {signs.hidden[hash_]}"
    return _reason_in(content, signs)


def _reason_in(content: bytes, signs: Signs) -> str:
    begins = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    document = begins.startswith(b"<") and b"urn:QDA-XML:project" in begins
    if document or (begins.startswith(b"PK") and b"project.qde" in content.lower()):
        return "it is a REFI-QDA project: it may hold what people said"
    try:
        for rows in heads(content):
            if reason := _people(rows, signs):
                return reason
    except UnreadableError as error:
        return f"it may hold data and cannot be looked into: {error}"
    return ""


def _private_place(path: PurePosixPath) -> str:
    """Name the private folder that a path lies in; empty: in none."""
    for first, second in zip(path.parts, path.parts[1:-1], strict=False):
        private = (first == "results" and second in PRIVATE) or f"{first}/{second}" in (RAW, TEAM)
        if private and path.name not in MAY_STAND:
            return f"{first}/{second}"
    return ""


def _people(rows: Heads, signs: Signs) -> str:
    """Return what a table with these first rows holds about people; empty if nothing."""
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


def signs_of(config: Path) -> Signs:
    """Gather by what a study's own files are known, however unfinished its configuration is.

    Parameters
    ----------
    config
        Folder of its configuration; what is not there or cannot be read tells nothing.
    """
    people: set[str] = set()
    questions = {folded(row.get("item", "")) for row in _rows(config / "items.tsv")}
    for wave in sorted(config.glob("waves/*/wave.yaml")):
        layouts = _layouts(wave)
        people |= {
            folded(name) for layout in layouts.values() if isinstance(name := layout.get("respondent"), str)
        }
        for row in _rows(wave.with_name("items.tsv")):
            questions |= {folded(cell.rpartition(" | ")[2]) for name, cell in row.items() if name in layouts}
    return Signs(frozenset(people - {""}), frozenset(questions - {""}))


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


LINK: Final = "120000"
SUBMODULE: Final = "160000"
"""Modes of git: a link to a file; a repository within this one."""


def staged_mistakes(top: Path) -> list[Mistake]:
    """Look at everything that is staged in a repository, as it is staged: new, changed, renamed, or of another type.

    Parameters
    ----------
    top
        Top folder of the working tree.
    """
    raw = _git(
        top, "diff", "--cached", "--raw", "--no-renames", "--no-abbrev", "--diff-filter=d", "-z"
    ).split("\0")
    allowed = read_allowed(top / ALLOWED)
    mistakes = []
    with tempfile.TemporaryDirectory(prefix="staged-") as room:  # its owner alone can look into it
        files: dict[str, Path] = {}
        for told, name in zip(raw[::2], raw[1::2], strict=False):
            _, mode, _, blob, _ = told.split(" ")
            if mode == SUBMODULE:
                if name not in allowed or allowed[name].sha256 != blob:
                    what = f"a repository within this one, at {blob}: nobody has looked into it"
                    mistakes.append(Mistake(name, f"confidential: {what}", UNSEEN))
            elif mode != LINK:  # which says where a file lies, and no more
                files[name] = Path(room, str(len(files)))
                files[name].write_bytes(_git_bytes(top, "cat-file", "blob", blob) or b"")
        return [*mistakes, *mistakes_in(files, top)]


def tracked_mistakes(folder: Path, raw: Iterable[Path]) -> Iterator[Mistake]:
    """Yield each file of a study that git keeps although it must stay with the team.

    Parameters
    ----------
    folder
        The study's folder, in a repository or not.
    raw
        Its raw files, which may lie in another repository.
    """
    asked = [(folder, place) for place in (RAW, TEAM, *(f"results/{room}" for room in PRIVATE))]
    asked += [(path.parent, path.name) for path in raw]
    for here, place in asked:
        found = _git_bytes(here, "ls-files", "-z", "--full-name", "--", place) if here.is_dir() else None
        names = [
            name for name in (found or b"").decode("utf-8", errors="surrogateescape").split("\0") if name
        ]
        if not names:
            continue
        top = Path(_git(here, "rev-parse", "--show-toplevel").removesuffix("\n"))
        allowed = read_allowed(top / ALLOWED)
        for name in names:
            path = top / name
            if path.name in MAY_STAND or (
                name in allowed and path.is_file() and digest(path) == allowed[name].sha256
            ):
                continue
            hint = f"`git rm --cached` it and list it in .gitignore; if it is of nobody, list it in {ALLOWED}"
            yield Mistake(name, "confidential: git keeps it, with all who have the repository", hint)


def mistakes_in(files: dict[str, Path], top: Path) -> list[Mistake]:
    """Look at files with all that is known where they come from: the study, its confidential files, what is allowed.

    Studies are looked for at the top and up to two folders below it.
    """
    studies = [
        top,
        *(path.parent.parent for depth in ("*", "*/*") for path in top.glob(f"{depth}/config/config.yaml")),
    ]
    rooms = [*(f"results/{room}" for room in PRIVATE), RAW, TEAM]
    released = {digest(path) for study in studies for path in (study / "results/released").glob("*")}
    hidden = {
        hash_: path.relative_to(top).as_posix()
        for study in studies
        for room in rooms
        for path in sorted((study / room).rglob("*"))
        if path.is_file() and path.name not in MAY_STAND and (hash_ := digest(path)) not in released
    }
    signs = [signs_of(study / "config") for study in studies]
    known = Signs(
        frozenset().union(*(one.people for one in signs)),
        frozenset().union(*(one.questions for one in signs)),
        hidden,
    )
    return list(confidential_files(files, known, read_allowed(top / ALLOWED)))


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
