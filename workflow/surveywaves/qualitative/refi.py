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
from typing import IO, Final, NamedTuple, cast
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


class Coding(NamedTuple):
    """A passage with a code: see `names_of`; `coder` is an identifier, `line` one of the XML document."""

    line: int
    source: str
    coder: str
    code: tuple[str, ...]
    start: str
    end: str


@dataclass(slots=True)
class Project:
    """What is taken from a project or a codebook, in the order of the file.

    `codes` are identifiers with what each may be called and whether it only contains others; `strange` are lines with
    something that is not used, and what it is.
    """

    codes: dict[str, tuple[tuple[str, ...], bool]] = field(default_factory=dict)
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


def names_of(path: Sequence[str]) -> tuple[str, ...]:
    """List what a code may be called, nearest first: its path, its name, then those of the codes above it."""
    places = range(len(path), 0, -1)
    return tuple(name for place in places for name in (PATH.join(path[:place]), path[place - 1]))


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
    if (size := found[0].file_size) > max(UNPACKED, PACKED * found[0].compress_size):
        what = f"{QDE} in it unpacks to {size / 1e6:,.0f} MB, over {PACKED} times its packed size"
        raise RawFileError.at(name, what)
    return found[0]


def _parsed(content: IO[bytes], name: str, root: str) -> Project:
    reader = _Reader(name, root)
    try:
        reader.parser.ParseFile(cast(BufferedReader, content))
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise RawFileError.at(f"{name}: line {error.lineno}", f"no well-formed XML: {said}", AGAIN) from error
    except UnicodeError as error:  # names in another encoding than the document states
        raise RawFileError.at(name, "no text in the encoding that it states", AGAIN) from error
    except LookupError as error:
        raise RawFileError.at(name, f"an unknown encoding: {error}", "export it again as UTF-8") from error
    return reader.found


class _Open(NamedTuple):
    """An element that is open, and what holds inside it.

    `coder` is who made it, or else the element around it; `path` are the names of the codes that it stands in.
    """

    name: str = ""
    coder: str = ""
    source: str = ""
    place: tuple[str, str] = ("", "")
    path: tuple[str, ...] = ()


class _Reader:
    """The elements that are open at a place of the document, and what has been found so far."""

    def __init__(self, name: str, root: str) -> None:
        self.name, self.root, self.open, self.found = name, root, [_Open()], Project()
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.StartDoctypeDeclHandler = self.doctype

    def doctype(self, *_: object) -> None:
        what = "has a DOCTYPE, which no REFI-QDA program writes"
        raise RawFileError.at(self.name, what, "is it the right file?")

    def start(self, tag: str, about: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        line, around = self.parser.CurrentLineNumber, self.open[-1]
        if not around.name and (name != self.root or not space.startswith(_NAMESPACE)):
            what = f"is no REFI-QDA document: it begins with <{name[:40]}>, not with <{self.root}>"
            raise RawFileError.at(self.name, what, "export it as REFI-QDA")
        if len(self.open) > _DEEPEST:
            raise RawFileError.at(f"{self.name}: line {line}", f"nested more than {_DEEPEST} deep")
        maker, guid = about.get("creatingUser") or about.get("creatingUserGUID"), _guid(about.get("guid"))
        inside = around._replace(name=name, coder=_guid(maker) or around.coder)
        if name == "Code" and around.name in {"Code", "Codes"}:
            inside = inside._replace(path=(*around.path, " ".join(about.get("name", "").split())))
            self.found.codes[guid] = (names_of(inside.path), about.get("isCodable") in {"false", "0"})
        elif name.endswith("Source") and around.name == "Sources":
            inside = inside._replace(source=about.get("name") or guid)
        elif name.endswith("Selection"):
            # Regions of pictures and of PDF pages have no place in a text.
            start = about.get("startPosition", about.get("begin", ""))
            inside = inside._replace(place=(start, about.get("endPosition", about.get("end", ""))))
        elif name == "CodeRef":
            self._coded(line, inside, around.name, self.found.codes.get(_guid(about.get("targetGUID"))))
        self.open.append(inside)

    def end(self, _: str) -> None:
        self.open.pop()

    def _coded(self, line: int, at: _Open, around: str, code: tuple[tuple[str, ...], bool] | None) -> None:
        if not at.source or not around.endswith(("Coding", "Selection")):
            self.found.strange.append((line, f"a code given to a {around}, not to a source"))
        elif code is None:  # the schema has codes before sources
            self.found.strange.append((line, "a code that the project does not have"))
        else:
            self.found.codings.append(Coding(line, at.source, at.coder, code[0], *at.place))


def _guid(text: str | None) -> str:
    """Normalise an identifier: some programs write braces around it, or lower case."""
    return (text or "").strip().strip("{}").upper()
