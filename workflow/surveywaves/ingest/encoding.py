"""From the bytes of a text file to UTF-8, or to an error that says where it breaks and what it may be instead."""

from __future__ import annotations

import codecs
from typing import Final

from surveywaves.ingest.raw import Source

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
        raise source.error(
            f"there is no text encoding `{declared}`", "say `utf-8-sig` or `cp1252`"
        ) from error
    if not codec.startswith(("utf-16", "utf-32")):
        _refuse_wide(source, data)
        if _DAMAGED in data:
            raise source.error(
                f"is damaged: a block of NUL bytes begins at byte {data.index(_DAMAGED)}",
                "download or copy it again",
            )
        if data.isascii() and _extends_ascii(declared):
            return data
    if codec == "utf-8":
        _decode(source, data, "utf-8", keep=False)
        return data.removeprefix(codecs.BOM_UTF8)
    if codec in {"iso8859-1", "latin-1"} and (place := _first_c1(data)) is not None:
        raise source.error(
            f"is not `{declared}`: byte {place} is 0x{data[place]:02x}, which is no letter there",
            "say `encoding: cp1252`",
        )
    if not codec.startswith("utf") and not data.isascii() and _is_utf8(data):
        raise source.error(f"is UTF-8, not `{declared}`", "leave `encoding` out, or say `utf-8-sig`")
    return _decode(source, data, declared, keep=True).removeprefix(codecs.BOM_UTF8)


def _refuse_wide(source: Source, data: bytes) -> None:
    for mark, name in _MARKS:
        if data.startswith(mark):
            raise source.error(
                f"is {name.upper()} by its first bytes, not `{source.layout.encoding}`",
                f"say `encoding: {name}`",
            )
    head = data[:4096]
    half = len(head) // 2
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if half and head[start::2].count(0) > 0.4 * half and head[1 - start :: 2].count(0) < 0.1 * half:
            raise source.error(
                f"looks like {name.upper()} (every other byte is 0), not `{source.layout.encoding}`",
                f"say `encoding: {name}`",
            )


def _extends_ascii(encoding: str) -> bool:
    plain = bytes(range(128))
    try:
        return plain.decode(encoding) == plain.decode("ascii")
    except UnicodeError:
        return False


def _first_c1(data: bytes) -> int | None:
    """Find the first byte 0x80-0x9f: letters in cp1252, control characters in Latin-1."""
    places = [data.find(bytes([byte])) for byte in range(0x80, 0xA0)]
    return min((place for place in places if place >= 0), default=None)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
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
            raise source.error(
                f"is not `{source.layout.encoding}`: byte {place} (0x{data[place]:02x}, row {_row(data, place)}) "
                "does not fit",
                _likely(data, place),
            ) from error
        except UnicodeError as error:
            raise source.error(f"is not `{source.layout.encoding}`: {error}") from error
        if keep:
            out += text.encode("utf-8", "replace")
    return bytes(out)


def _row(data: bytes, place: int) -> int:
    before = data[:place]
    return max(before.count(b"\n"), before.count(b"\r")) + 1


def _likely(data: bytes, place: int) -> str:
    """Guess the encoding of what does not decode."""
    near = data[max(0, place - 2000) : place + 2000]
    if _is_utf8(data):
        return "it is UTF-8: leave `encoding` out, or say `utf-8-sig`"
    if place >= len(data) - 3 and _is_utf8(data[:place]):
        return "it ends in the middle of a letter: download or copy it again"
    try:
        near.decode("cp1252")
    except UnicodeDecodeError:
        return "mac_roman, cp850 or another code page? ask how it was saved"
    return "probably `encoding: cp1252`, as Windows programs in Western Europe save it"
