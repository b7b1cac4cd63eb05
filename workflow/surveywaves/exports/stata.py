"""Stata: a .dta file with labels, extended missing values and notes.

The layout is format 118 (Stata 14 and later), as StataCorp's ``help dta`` describes it. pandas cannot write extended
missing values, and pyreadstat 1.3.7 fails on a column whose first hundred cells are nothing else (an item that the
first wave did not ask); neither writes notes. The format is plain enough to be written here; both of them, and R's
haven, read what comes out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from string import ascii_lowercase
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from surveywaves.exports import dataset
from surveywaves.exports.dataset import Dataset, Variable, reason_words
from surveywaves.exports.spss import STATA_RESERVED, names_for

NAME: Final = 32
"""Most characters of a name."""
LABEL: Final = 80
"""Most characters of the label of a variable or of the file."""
TEXT: Final = 2045
"""Most bytes of a text in a cell."""

DATASET: Final = "_dta"
"""Under this name stand the notes that are about the file."""

_NAME_BYTES: Final = 129
_LABEL_BYTES: Final = 321
_FORMAT_BYTES: Final = 57

_BYTE: Final = (np.dtype("<i1"), 65530, 100)
_INT: Final = (np.dtype("<i2"), 65529, 32740)
"""Type, its number, and the greatest value; "." is the next, and .a to .z follow."""
_DOUBLE: Final = 65526
_NO_DOUBLE: Final = np.array(0x7FE0000000000000, dtype="<u8").view("<f8")
_NO_LONG: Final = 0x7FFFFFE5
"""How the "." is written where value labels stand; .a to .z follow."""


@dataclass(frozen=True, slots=True)
class Column:
    """A variable of a Stata file."""

    name: str
    label: str
    """As the file has them, at most `NAME` and `LABEL` characters."""
    cells: NDArray[Any]
    """Texts, floating-point numbers (NaN is "."), or codes from 0 up."""
    missing: NDArray[np.int8] | None = None
    """Of codes: 0 where there is one, otherwise the number of the extended missing value (1 is .a)."""
    labels: Mapping[int, str] = field(default_factory=dict)
    missing_labels: Mapping[int, str] = field(default_factory=dict)
    """Code -> its words; number of an extended missing value -> its words."""


def write_dta(columns: Sequence[Column], *, label: str, notes: Mapping[str, Sequence[str]]) -> bytes:
    """Write a Stata file, without a date.

    Parameters
    ----------
    columns
        The variables, all of one length.
    label
        Of the file; at most `LABEL` characters.
    notes
        `DATASET` or name of a variable -> its notes, as Stata's ``notes`` shows them.

    Raises
    ------
    ValueError
        If a name or label is too long, a name stands twice, or a text or code is more than a cell can hold.
    """
    names = [column.name for column in columns]
    if len({*names}) < len(names):
        raise ValueError("a name stands twice")
    kinds, data = zip(*(_stored(column) for column in columns), strict=True) if columns else ((), ())
    rows = len(data[0]) if data else 0
    head = label.encode()
    parts = [
        b"<header><release>118</release><byteorder>LSF</byteorder>"
        + b"<K>%b</K>" % struct.pack("<H", len(columns))
        + b"<N>%b</N>" % struct.pack("<Q", rows)
        + b"<label>%b%b</label>" % (struct.pack("<H", len(head)), _checked(label, LABEL).encode())
        + b"<timestamp>\0</timestamp></header>",
        b"",  # the map, which needs the lengths of all others
        _part("variable_types", struct.pack(f"<{len(kinds)}H", *kinds)),
        _part("varnames", _fields((_checked(name, NAME) for name in names), _NAME_BYTES)),
        _part("sortlist", bytes(2 * (len(columns) + 1))),
        _part("formats", _fields(map(_format, data), _FORMAT_BYTES)),
        _part(
            "value_label_names",
            _fields((column.name if _labelled(column) else "" for column in columns), _NAME_BYTES),
        ),
        _part(
            "variable_labels", _fields((_checked(column.label, LABEL) for column in columns), _LABEL_BYTES)
        ),
        _part("characteristics", b"".join(_note(name, texts) for name, texts in notes.items() if texts)),
        _part("data", _table(data, rows)),
        _part("strls", b""),
        _part("value_labels", b"".join(_label_set(column) for column in columns if _labelled(column))),
    ]
    opening, closing = b"<stata_dta>", b"</stata_dta>"
    places = 14
    parts[1] = _part("map", bytes(8 * places))
    begins = [*accumulate(map(len, parts), initial=len(opening))]
    whole = begins[-1] + len(closing)
    parts[1] = _part("map", struct.pack(f"<{places}Q", 0, *begins[1:], whole))
    return b"".join([opening, *parts, closing])


# --- how it is done ---------------------------------------------------------------------------------------------


def _stored(column: Column) -> tuple[int, NDArray[Any]]:
    """Return the number of a column's type, and its cells as they are stored."""
    if column.cells.dtype.kind == "f":
        return _DOUBLE, np.where(np.isnan(column.cells), _NO_DOUBLE, column.cells).astype("<f8")
    if column.cells.dtype.kind == "O":
        texts = [text.encode() for text in column.cells]
        width = max(map(len, texts), default=1) or 1
        if width > TEXT:
            raise ValueError(f"{column.name}: a text of {width} bytes; {TEXT} is the most")
        return width, np.array(texts, dtype=f"S{width}")
    top = max(max(column.labels, default=0), int(column.cells.max(initial=0)))
    for kind, number, greatest in (_BYTE, _INT):
        if top <= greatest:
            codes = column.cells.astype(kind)
            if column.missing is not None:
                codes = np.where(column.missing > 0, kind.type(greatest + 1) + column.missing, codes)
            return number, codes
    raise ValueError(f"{column.name}: a code of {top}; {_INT[2]} is the most")


def _format(cells: NDArray[Any]) -> str:
    """Return the display format of a column in Stata."""
    if cells.dtype.kind == "S":
        return f"%-{min(cells.dtype.itemsize, 244)}s"
    return "%10.0g" if cells.dtype.kind == "f" else "%8.0g"


def _table(data: Sequence[NDArray[Any]], rows: int) -> memoryview:
    table = np.empty(rows, dtype=[(f"f{place}", cells.dtype) for place, cells in enumerate(data)])
    for place, cells in enumerate(data):
        table[f"f{place}"] = cells
    return table.view(np.uint8).data


def _labelled(column: Column) -> bool:
    return bool(column.labels or column.missing_labels)


def _label_set(column: Column) -> bytes:
    """Write the value labels of a variable, under its own name."""
    labels = dict(column.labels) | {_NO_LONG + number: text for number, text in column.missing_labels.items()}
    texts = [text.encode() + b"\0" for text in labels.values()]
    begins = [*accumulate(map(len, texts), initial=0)]
    table = struct.pack(f"<2i{2 * len(labels)}i", len(labels), begins[-1], *begins[:-1], *labels) + b"".join(
        texts
    )
    return b"<lbl>%b%b%b</lbl>" % (
        struct.pack("<i", len(table)),
        column.name.encode().ljust(_NAME_BYTES + 3, b"\0"),
        table,
    )


def _note(about: str, texts: Sequence[str]) -> bytes:
    """Write notes as Stata does: characteristics, of which the first counts the others."""
    return b"".join(
        _characteristic(about, f"note{number}", text) for number, text in enumerate([str(len(texts)), *texts])
    )


def _characteristic(about: str, name: str, text: str) -> bytes:
    content = _fields([about, name], _NAME_BYTES) + text.encode() + b"\0"
    return b"<ch>%b%b</ch>" % (struct.pack("<I", len(content)), content)


def _part(name: str, content: bytes | memoryview) -> bytes:
    return b"".join([f"<{name}>".encode(), content, f"</{name}>".encode()])


def _fields(texts: Any, width: int) -> bytes:
    """Put texts into fields of one width, each with at least one NUL at its end."""
    return b"".join(text.encode().ljust(width, b"\0") for text in texts)


def _checked(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValueError(f"`{text}` has more than {limit} characters")
    return text


def missing_code(number: int) -> str:
    """Return the extended missing value of a reason by its number: ``.a`` for the first."""
    return f".{ascii_lowercase[number - 1]}"


def stata_names(data: Dataset) -> dict[str, str]:
    """Return each variable's name in the file."""
    return names_for((variable.name for variable in data.variables), limit=NAME, reserved=STATA_RESERVED)


def to_dta(data: Dataset) -> bytes:
    """Write a Stata file: the same bytes for the same data.

    Answers and levels are integers with value labels; a missing value is .a to .e by its reason, labelled. What the
    data are worth, and every label that Stata's 80 characters cut, stand in notes (``notes`` in Stata).

    Returns
    -------
    bytes
        The file in format 118, which Stata reads from version 14 on.
    """
    names = stata_names(data)
    return write_dta(
        [_column(data, variable, names[variable.name]) for variable in data.variables],
        label=dataset.fit(f"{dataset.headline(data.part)}: {dataset.line(data.part.title)}", LABEL),
        notes={DATASET: _about(data)}
        | {names[variable.name]: [*_about_variable(data, variable, names)] for variable in data.variables},
    )


# --- how it is done ---------------------------------------------------------------------------------------------


def _column(data: Dataset, variable: Variable, name: str) -> Column:
    return Column(
        name,
        dataset.fit(variable.label, LABEL),
        data.cells[variable.name],
        missing=data.reasons.get(variable.name),
        labels=variable.codes,
        missing_labels={number: text for number, _, text in reason_words()} if variable.missing else {},
    )


def _about(data: Dataset) -> list[str]:
    told = "; ".join(f"{missing_code(number)} = {text}" for number, _, text in reason_words())
    return [*dataset.about(data.part), f"Missing values: {told}"]


def _about_variable(data: Dataset, variable: Variable, names: Mapping[str, str]) -> Iterator[str]:
    if names[variable.name] != variable.name:
        yield f"Called {variable.name} in the study."
    if dataset.fit(variable.label, LABEL) != variable.label:
        yield f"Label in full: {variable.label}"
    for wave, grade in (variable.grades or {}).items():
        yield dataset.line(f"{data.part.waves[wave].title}: {grade}")
    yield from (text for _, text in dataset.evidence_of(data.part, variable.evidence_names))
