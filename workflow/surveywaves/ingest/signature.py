"""Recognise the kind of a file by its first bytes, and recode text files as UTF-8.

An unexpected kind of file is an error; so is a text that cannot be decoded, with the position of the first invalid byte
and a likely encoding.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zipfile
import zlib
from enum import StrEnum
from typing import Final

from surveywaves.ingest.programs import PROGRAMS
from surveywaves.ingest.raw import AGAIN, Source
from surveywaves.text import did_you_mean


class Kind(StrEnum):
    """Kinds of file, in words for an error."""

    TEXT = "a text file"
    XLSX = "an Excel workbook (.xlsx)"
    PARQUET = "a Parquet file"
    SPSS = "an SPSS file (.sav)"
    STATA = "a Stata file (.dta)"
    XLS = "an Excel 97-2003 workbook (.xls)"
    LOCKED = "an Excel workbook locked with a password"
    OLE = "an old Microsoft Office document"
    XLSB = "a binary Excel workbook (.xlsb)"
    ODS = "an OpenDocument spreadsheet (.ods)"
    ZIP = "a zip archive"
    GZIP = "a gzip archive"
    SEVEN_ZIP = "a 7-Zip archive"
    PDF = "a PDF"
    HTML = "a web page"
    XML = "an XML document"
    RTF = "an RTF document"
    PORTABLE = "an SPSS portable file (.por)"
    SAS = "a SAS data set (.sas7bdat)"
    TRANSPORT = "a SAS transport file (.xpt)"
    R = "an R data file (.rds, .RData)"
    NUMBERS = "an Apple Numbers document (.numbers)"


HINT: Final = {
    Kind.XLS: "open it in Excel or LibreOffice and save it as .xlsx",
    Kind.LOCKED: "open it in Excel, take the password off and save it",
    Kind.XLSB: "open it in Excel and save it as .xlsx",
    Kind.ODS: "open it and save it as .xlsx or .csv",
    **dict.fromkeys((Kind.ZIP, Kind.GZIP, Kind.SEVEN_ZIP), "unpack it and name the file inside"),
    Kind.HTML: "download the export again: this is a page (a login page?) or a table saved as one",
    Kind.XML: "open it in Excel and save it as .xlsx",
    Kind.R: "in R: `write.csv(readRDS(file), 'x.csv', row.names = FALSE, na = '')`; of an .RData, `load` it first",
    Kind.NUMBERS: "open it in Numbers and export it as Excel (File, Export To)",
}

BY_SUFFIX: Final = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), Kind.TEXT),
    **dict.fromkeys((".xlsx", ".xlsm"), Kind.XLSX),
    ".parquet": Kind.PARQUET,
    **dict.fromkeys((".sav", ".zsav"), Kind.SPSS),
    ".por": Kind.PORTABLE,
    ".dta": Kind.STATA,
    ".sas7bdat": Kind.SAS,
    ".xpt": Kind.TRANSPORT,
}

_SHEETS: Final = (Kind.TEXT, Kind.XLSX)
FORMATS: Final = {
    **dict.fromkeys((*PROGRAMS, "paper"), _SHEETS),
    "spss": (Kind.SPSS, Kind.PORTABLE),
    "stata": (Kind.STATA,),
    "sas": (Kind.SAS, Kind.TRANSPORT),
    "table": (*_SHEETS, Kind.PARQUET),
}
"""Kinds of file that each format of a layout accepts."""

_BEGINNINGS: Final = (
    (b"$FL2", Kind.SPSS),
    (b"$FL3", Kind.SPSS),
    (b"<stata_dta>", Kind.STATA),
    (b"PAR1", Kind.PARQUET),
    (b"PK", Kind.ZIP),
    (b"\xd0\xcf\x11\xe0", Kind.OLE),
    (b"7z\xbc\xaf\x27\x1c", Kind.SEVEN_ZIP),
    (b"%PDF", Kind.PDF),
    (b"{\\rtf", Kind.RTF),
    (b"HEADER RECORD*******", Kind.TRANSPORT),
    (bytes(12) + b"\xc2\xea\x81\x60", Kind.SAS),
)
_OLD_STATA: Final = frozenset(range(104, 116))
_MARKUP: Final = (b"<!doctype html", b"<html", b"<head", b"<meta", b"<table", b"<body")
_HEAD: Final = 4096
_PORTABLE: Final = (b"ASCII SPSS PORT FILE", "ASCII SPSS PORT FILE".encode("cp037"))
"""Stands at byte 40, after the same in other alphabets."""
_GZIP: Final = b"\x1f\x8b"
_R: Final = (b"X\n\0\0", b"A\n", b"B\n\x02\0\0\0", b"RDX", b"RDA")


def recognise(source: Source) -> Kind:
    """Recognise the kind of a file, and check that its layout accepts it.

    Raises
    ------
    RawFileError
        If there is no such file, it cannot be opened, is empty, or is not what its name or its layout says.
    """
    kind = kind_of(source)
    suffixes = [suffix.lower() for suffix in source.path.suffixes if suffix.lower() != ".gz"]
    expected = BY_SUFFIX.get(suffixes[-1]) if suffixes else None
    takes = FORMATS[source.layout.format]
    if expected not in (None, kind) and kind not in takes:
        raise source.error(f"is {kind}, not {expected} as its name says", HINT.get(kind, ""))
    if kind not in takes:
        wanted = " or ".join(takes)
        hint = HINT.get(kind) or next(
            (f"`format: {name}` reads it" for name, kinds in FORMATS.items() if kind in kinds), ""
        )
        raise source.error(f"is {kind}; a layout of format `{source.layout.format}` reads {wanted}", hint)
    if expected not in (None, kind) or (expected is None and source.path.suffix.lower() == ".xls"):
        what = f"is {kind}, though its name ends in {source.path.suffix}"
        raise source.error(what, "give it the name of what it is")
    return kind


def kind_of(source: Source) -> Kind:
    """Recognise the kind of a file by its first bytes."""
    head = _head(source)
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, _HEAD)
        except zlib.error:
            return Kind.GZIP
        if head.startswith(_R):
            return Kind.R
        return Kind.TEXT if head and _by_beginning(head) is Kind.TEXT else Kind.GZIP
    if head.startswith(b"PK\x03\x04"):
        return _archive(source)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole(source)
    return Kind.R if source.path.suffix.lower() in {".rds", ".rdata", ".rda"} else _by_beginning(head)


def _by_beginning(head: bytes) -> Kind:
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[40:60] in _PORTABLE or head.startswith(_PORTABLE[0]):
        return Kind.PORTABLE
    # Stata before 13: a release number, a byte order of 1 or 2, a file type of 1, a zero.
    if len(head) > 3 and head[0] in _OLD_STATA and head[1] in {1, 2} and head[2:4] == b"\x01\x00":
        return Kind.STATA
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_MARKUP):
        return Kind.HTML
    if start.startswith(b"<?xml"):
        return Kind.HTML if b"<html" in start else Kind.XML
    return Kind.TEXT


def _head(source: Source) -> bytes:
    path = source.path
    try:
        if path.is_dir():
            raise source.error("is a folder, not a file", "name the file in it")
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise source.error("no such file", _elsewhere(source)) from error
    except PermissionError as error:
        raise source.error("may not be read", "ask its owner for permission to read it") from error
    except OSError as error:
        raise source.error(f"cannot be opened: {error.strerror or error}") from error
    if not head:
        raise source.error("is empty (0 bytes)", AGAIN)
    return head


def _elsewhere(source: Source) -> str:
    """Return a hint at other files in the folder: the same name in other case, or the nearest."""
    folder = source.path.parent
    if not folder.is_dir():
        return f"there is no folder `{folder}`"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    same = [name for name in names if name.casefold() == source.path.name.casefold()]
    if same:
        return f"upper and lower case count: the folder has `{same[0]}`"
    return did_you_mean(source.path.name, names, "raw files lie where `files:` in wave.yaml says")


def _archive(source: Source) -> Kind:
    try:
        with zipfile.ZipFile(source.path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        what = "is damaged or cut off: it begins as a workbook or zip archive, but its directory is missing"
        raise source.error(what, AGAIN) from error
    if "xl/workbook.xml" in names:
        return Kind.XLSX
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    if any(name.endswith(".iwa") for name in names) or "Index.zip" in names:
        return Kind.NUMBERS
    return Kind.ODS if {"mimetype", "content.xml"} <= names else Kind.ZIP


def _ole(source: Source) -> Kind:
    content = source.path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        return Kind.LOCKED
    books = ("Workbook", "Book")
    return Kind.XLS if any(name.encode("utf-16-le") in content for name in books) else Kind.OLE


UNPACKED: Final = 20_000_000
"""Unpacked size, in bytes, up to which the ratio of compression is not checked."""
PACKED: Final = 200
"""Highest ratio of compression beyond that: sheets with one answer throughout reach a hundred."""


def content_of(source: Source) -> bytes:
    """Read a text file, packed with gzip or not.

    Raises
    ------
    RawFileError
        If it unpacks to far more than any table does, or cannot be unpacked.
    """
    content = source.path.read_bytes()
    if not content.startswith(_GZIP):
        return content
    most = max(UNPACKED, PACKED * len(content))
    try:
        with gzip.open(source.path) as file:
            unpacked = file.read(most + 1)
    except (EOFError, zlib.error, OSError) as error:
        raise source.error("is damaged or cut off: it does not unpack", AGAIN) from error
    if len(unpacked) > most:
        what = f"unpacks to more than {PACKED} times what it has"
        raise source.error(what, "unpack it and name the file inside")
    return unpacked


PIECE: Final = 1 << 24
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DAMAGED: Final = bytes(512)


def as_utf8(source: Source, data: bytes) -> bytes:
    """Recode a text file as UTF-8 without byte order mark.

    Parameters
    ----------
    data
        The whole file, in the encoding of the source's layout.

    Raises
    ------
    RawFileError
        If the encoding does not exist, does not fit the bytes, or fits them only by not looking closely (UTF-8 read as
        cp1252 would give no error but wrong words).
    """
    declared = source.layout.encoding
    try:
        codec = codecs.lookup(declared).name.removesuffix("-sig")
        b"a".decode(declared)  # says no to what is no text encoding, such as base64
    except UnicodeError:
        pass  # half a letter of UTF-16
    except LookupError as error:
        what = f"there is no text encoding `{declared}`"
        raise source.error(what, "say `utf-8-sig` or `cp1252`") from error
    if not codec.startswith(("utf-16", "utf-32")):
        _refuse_wide(source, data)
        if _DAMAGED in data:
            what = f"is damaged: a block of NUL bytes begins at byte {data.index(_DAMAGED)}"
            raise source.error(what, AGAIN)
        ascii_letters = bytes(range(128))
        if data.isascii() and ascii_letters.decode(declared, "replace") == ascii_letters.decode():
            return data
    if codec == "utf-8":
        _decode(source, data, "utf-8", keep=False)
        return data.removeprefix(codecs.BOM_UTF8)
    # Letters in cp1252, control characters in Latin-1.
    if codec in {"iso8859-1", "latin-1"} and (found := re.search(rb"[\x80-\x9f]", data)):
        what = f"is not `{declared}`: byte {found.start()} is 0x{found[0].hex()}, which is no letter there"
        raise source.error(what, "say `encoding: cp1252`")
    if not codec.startswith("utf") and not data.isascii() and _fits(data):
        raise source.error(f"is UTF-8, not `{declared}`", "leave `encoding` out, or say `utf-8-sig`")
    return _decode(source, data, declared, keep=True).removeprefix(codecs.BOM_UTF8)


def _refuse_wide(source: Source, data: bytes) -> None:
    for mark, name in _MARKS:
        if data.startswith(mark):
            what = f"is {name.upper()} by its first bytes, not `{source.layout.encoding}`"
            raise source.error(what, f"say `encoding: {name}`")
    head = data[:4096]
    half = len(head) // 2
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if half and head[start::2].count(0) > 0.4 * half and head[1 - start :: 2].count(0) < 0.1 * half:
            what = f"looks like {name.upper()} (every other byte is 0), not `{source.layout.encoding}`"
            raise source.error(what, f"say `encoding: {name}`")


def _fits(data: bytes, encoding: str = "utf-8") -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decode(source: Source, data: bytes, encoding: str, *, keep: bool) -> bytes:
    """Decode piece by piece, so that a large file is never held as one string."""
    decoder = codecs.getincrementaldecoder(encoding)()
    out = bytearray()
    for start in range(0, len(data), PIECE):
        pending = len(decoder.getstate()[0])
        piece = data[start : start + PIECE]
        try:
            text = decoder.decode(piece, final=start + PIECE >= len(data))
        except UnicodeDecodeError as error:
            place = start - pending + error.start
            row = max(data[:place].count(b"\n"), data[:place].count(b"\r")) + 1
            what = f"byte {place} (0x{data[place]:02x}, row {row}) does not fit"
            raise source.error(f"is not `{source.layout.encoding}`: {what}", _likely(data, place)) from error
        except UnicodeError as error:
            raise source.error(f"is not `{source.layout.encoding}`: {error}") from error
        if keep:
            out += text.encode("utf-8", "replace")
    return bytes(out)


def _likely(data: bytes, place: int) -> str:
    """Guess the encoding of what does not decode."""
    near = data[max(0, place - 2000) : place + 2000]
    if _fits(data):
        return "it is UTF-8: leave `encoding` out, or say `utf-8-sig`"
    if place >= len(data) - 3 and _fits(data[:place]):
        return "it ends in the middle of a letter: download or copy it again"
    if not _fits(near, "cp1252"):
        return "mac_roman, cp850 or another code page? ask how it was saved"
    return "probably `encoding: cp1252`, as Windows programs in Western Europe save it"
