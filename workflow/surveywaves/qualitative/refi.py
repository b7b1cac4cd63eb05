"""Read which passages are coded from REFI-QDA files (.qdpx, .qdc), and nothing that anybody said.

REFI-QDA 1.5 (qdasoftware.org): a project is a zip with `project.qde`, an XML document, and the sources' files; a
codebook (.qdc) is an XML document. NVivo, ATLAS.ti, MAXQDA, QualCoder and others write them. Only `project.qde` is
opened. It is parsed as a stream without a handler for character data, so that text (`PlainTextContent`, descriptions,
notes) never becomes a value in this program; of the attributes only identifiers, positions and the names of codes and
sources are used (QualCoder writes the words of a selection into its `name`). Coders are distinguished by identifiers;
names of users are not read.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import IO, Final, cast
from xml.parsers import expat

from surveywaves.errors import RawFileError
from surveywaves.ingest.raw import AGAIN
from surveywaves.ingest.signature import PACKED, UNPACKED

QDE: Final = "project.qde"
PATH: Final = "/"
"""Separates the name of a code from that of the one above it."""

_NAMESPACE: Final = "urn:QDA-XML:"
_DEEPEST: Final = 200
"""Levels of elements in a file; nested codes need some ten."""
_MOST: Final = 100_000
"""Files in an archive."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A passage with a code. Identifiers are GUIDs; `line` is a line of the XML document."""

    source: str
    coder: str
    code: str
    start: str
    end: str
    line: int


@dataclass(slots=True)
class Project:
    """What is taken from a project or a codebook.

    Attributes
    ----------
    codes
        Code -> its path: the names of the codes above it, from the top, and its own.
    headings
        Codes that only contain others.
    sources
        Source -> its name.
    codings
        In the order of the file.
    strange
        Lines with something that is not used, and what it is.
    """

    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    headings: set[str] = field(default_factory=set)
    sources: dict[str, str] = field(default_factory=dict)
    codings: list[Coding] = field(default_factory=list)
    strange: list[tuple[int, str]] = field(default_factory=list)


def read_project(path: Path, name: str) -> Project:
    """Read a .qdpx file.

    Parameters
    ----------
    path
        Path of the file.
    name
        Its name in errors.

    Raises
    ------
    RawFileError
        If it is no such file, is damaged, or holds what no program writes: paths that lead out of it, parts that
        unpack to far more than their size, a document type.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_document(archive, name)) as content:
            return _parsed(content, name, "Project")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise RawFileError.at(name, f"is damaged or no .qdpx ({type(error).__name__})", AGAIN) from error
    except (OSError, RuntimeError) as error:  # zipfile raises RuntimeError for an encrypted part
        raise RawFileError.at(name, f"cannot be read: {error}") from error


def read_codebook(path: Path, name: str) -> Project:
    """Read a .qdc file; see `read_project`."""
    try:
        with path.open("rb") as content:
            return _parsed(content, name, "CodeBook")
    except OSError as error:
        raise RawFileError.at(name, f"cannot be read: {error.strerror}") from error


def _document(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Find the XML document in an archive, and refuse what no program writes."""
    parts = archive.infolist()
    if len(parts) > _MOST:
        raise RawFileError.at(name, f"holds {len(parts):,} files", "is it the right file?")
    for part in parts:
        # Some programs on Windows write backslashes. Nothing is ever unpacked, but such a path is an attack.
        place = part.filename.replace("\\", "/")
        if place.startswith("/") or place[1:2] == ":" or ".." in place.split("/"):
            what = "holds a path that leads out of the archive"
            raise RawFileError.at(name, what, "export the project again")
    found = [part for part in parts if part.filename.casefold() == QDE]
    if len(found) != 1:
        hint = "a REFI-QDA project holds it once: export it again"
        raise RawFileError.at(name, f"holds {QDE} {len(found)} times", hint)
    if found[0].file_size > max(UNPACKED, PACKED * found[0].compress_size):
        what = (
            f"{QDE} in it unpacks to {found[0].file_size / 1e6:,.0f} MB, over {PACKED} times its packed size"
        )
        raise RawFileError.at(name, what)
    return found[0]


def _parsed(content: IO[bytes], name: str, root: str) -> Project:
    parser = expat.ParserCreate(namespace_separator=" ")
    reader = _Reader(name, root, parser)
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.ParseFile(cast(BufferedReader, content))
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise RawFileError.at(f"{name}: line {error.lineno}", f"no well-formed XML: {said}", AGAIN) from error
    except UnicodeError as error:  # names in another encoding than the document states
        raise RawFileError.at(name, "no text in the encoding that it states", AGAIN) from error
    except LookupError as error:
        raise RawFileError.at(name, f"an unknown encoding: {error}", "export it again as UTF-8") from error
    return reader.found


@dataclass(slots=True)
class _Reader:
    """The elements that are open at a place of the document, and what has been found so far."""

    name: str
    root: str
    parser: expat.XMLParserType
    found: Project = field(default_factory=Project)
    open: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    """Names of the codes that are open."""
    source: str = ""
    coders: list[str] = field(default_factory=list)
    """The user who made each element that is open, or else the one around it."""
    place: tuple[str, str] = ("", "")

    def doctype(self, *_: object) -> None:
        what = "has a DOCTYPE, which no REFI-QDA program writes"
        raise RawFileError.at(self.name, what, "is it the right file?")

    def start(self, tag: str, about: dict[str, str]) -> None:
        space, _, local = tag.rpartition(" ")
        if not self.open and (local != self.root or not space.startswith(_NAMESPACE)):
            what = f"is no REFI-QDA document: it begins with <{local[:40]}>, not with <{self.root}>"
            raise RawFileError.at(self.name, what, "export it as REFI-QDA")
        if len(self.open) > _DEEPEST:
            raise RawFileError.at(
                f"{self.name}: line {self.parser.CurrentLineNumber}", f"nested more than {_DEEPEST} deep"
            )
        around = self.open[-1] if self.open else ""
        self.open.append(local)
        maker = about.get("creatingUser") or about.get("creatingUserGUID") or ""
        self.coders.append(_guid(maker) or (self.coders[-1] if self.coders else ""))
        if local == "Code" and around in {"Code", "Codes"}:
            self.above.append(" ".join(about.get("name", "").split()))
            guid = _guid(about.get("guid", ""))
            self.found.codes[guid] = tuple(self.above)
            if about.get("isCodable") in {"false", "0"}:
                self.found.headings.add(guid)
        elif local.endswith("Source") and around == "Sources":
            self.source = _guid(about.get("guid", ""))
            self.found.sources[self.source] = about.get("name", "")
        elif local.endswith("Selection"):
            # Regions of pictures and of PDF pages have no place in a text.
            start = about.get("startPosition", about.get("begin", ""))
            self.place = (start, about.get("endPosition", about.get("end", "")))
        elif local == "CodeRef":
            self._coded(around, _guid(about.get("targetGUID", "")))

    def end(self, _: str) -> None:
        local = self.open.pop()
        self.coders.pop()
        around = self.open[-1] if self.open else ""
        if local == "Code" and around in {"Code", "Codes"}:
            self.above.pop()
        elif local.endswith("Source") and around == "Sources":
            self.source = ""
        elif local.endswith("Selection"):
            self.place = ("", "")

    def _coded(self, around: str, code: str) -> None:
        line = self.parser.CurrentLineNumber
        if self.source and (around == "Coding" or around.endswith("Selection")):
            self.found.codings.append(Coding(self.source, self.coders[-1], code, *self.place, line))
        else:
            self.found.strange.append((line, f"a code given to a {around}, not to a source"))


def _guid(text: str) -> str:
    """Normalise an identifier: some programs write braces around it, or lower case."""
    return text.strip().strip("{}").upper()


def names_of(path: Sequence[str]) -> tuple[str, ...]:
    """List what a code may be called, nearest first: its path, its name, then those of the codes above it."""
    places = range(len(path), 0, -1)
    return tuple(name for place in places for name in (PATH.join(path[:place]), path[place - 1]))
