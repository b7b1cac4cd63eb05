"""SPSS (.sav, .zsav) and Stata (.dta) files: stored codes or the labels they carry, as text.

Columns go by variable name. ReadStat (1.1.9) takes an SPSS file at its word: value labels for a variable that is not
there end the process, and no Python code hears of it. So the records before the data are walked through first, and what
they say of each other is compared. The format is described in the PSPP developers' guide, "System File Format".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from os import SEEK_CUR, SEEK_END
from struct import error, unpack, unpack_from
from typing import Any, BinaryIO, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
from numpy.typing import NDArray

from surveywaves.ingest.headers import name_columns
from surveywaves.ingest.raw import (
    AGAIN,
    BROKEN,
    Column,
    Problem,
    RawTable,
    Source,
    arrow_texts,
    object_text,
    settle,
)
from surveywaves.ingest.signature import Kind
from surveywaves.study.models import Layout
from surveywaves.text import normalise, number


class _DamagedError(Exception):
    """The records do not go together."""


VARIABLE, LABELS, LABELLED, DOCUMENT, EXTENSION, END = 2, 3, 4, 6, 7, 999
"""Kinds of records in an SPSS file."""

_HEADER: Final = 176
_LAYOUT: Final = 64
"""Where the header says 2 or 3, in the byte order of the file."""
_CONTINUATION: Final = -1
"""Width of a variable that is the rest of a long text."""
_LINE: Final = 80


def check_dictionary(source: Source) -> None:
    """Raise an error for an SPSS file whose records are cut off, or label a variable that does not exist."""
    with source.path.open("rb") as file:
        try:
            _walk(file)
        except (_DamagedError, error, OSError) as damage:
            said = damage if isinstance(damage, _DamagedError) else "it ends before its end"
            what = f"is damaged, cut off or of an unknown version (dictionary: {said})"
            raise source.error(what, AGAIN) from damage


def _walk(file: BinaryIO) -> None:
    """Walk through the records of an SPSS file before its data, and check that they are consistent."""
    header = file.read(_HEADER)
    order = next((order for order in "<>" if unpack_from(f"{order}i", header, _LAYOUT)[0] in {2, 3}), None)
    if order is None:
        raise _DamagedError("the header says nothing of the byte order")

    def integers(count: int) -> tuple[int, ...]:
        return unpack(f"{order}{count}i", file.read(4 * count))

    def count() -> int:
        if (found := integers(1)[0]) < 0:
            raise _DamagedError("a negative number of entries")
        return found

    variables: list[bool] = []  # whether a place begins a variable
    while (kind := integers(1)[0]) != END:
        if kind == VARIABLE:
            width, has_label, missing, _, _ = integers(5)
            variables.append(width != _CONTINUATION)
            file.seek(8, SEEK_CUR)
            length = count() if has_label else 0
            file.seek(length + -length % 4 + 8 * abs(missing), SEEK_CUR)
        elif kind == LABELS:
            for _ in range(count()):
                length = unpack("8xB", file.read(9))[0]
                file.seek(-(length + 1) % 8 + length, SEEK_CUR)
        elif kind == LABELLED:
            for _ in range(count()):
                place = integers(1)[0]
                if not 1 <= place <= len(variables) or not variables[place - 1]:
                    raise _DamagedError(f"labels for variable {place}, which is not there")
        elif kind == DOCUMENT:
            file.seek(_LINE * count(), SEEK_CUR)
        elif kind == EXTENSION:
            file.seek(4, SEEK_CUR)
            file.seek(count() * count(), SEEK_CUR)
        else:
            raise _DamagedError(f"a record of kind {kind}")


DateText = Callable[[str, NDArray[np.float64]], Any]
"""From a variable's format and its numbers to Arrow strings; None where the format is no date."""
UNSTATED: Final = Layout.model_fields["encoding"].default
"""The default encoding, which applies to text files only: SPSS and Stata files name their own."""
_DENSEST: Final = 1100
"""Rows that a byte can stand for at most: zlib shrinks a .zsav file at best about 1,030 to 1."""

# pyreadstat's own two, and what its Cython code lets through on files that lie about themselves.
_OWN: Final = (pyreadstat.ReadstatError, pyreadstat.PyreadstatError)
_FAILURES: Final = (*_OWN, *BROKEN, MemoryError, OverflowError)


def read(source: Source, kind: Kind) -> RawTable:
    """Read a file of a statistical program.

    Declared missing codes are kept like other answers: the study defines their meaning. Named missing values of Stata
    and SAS read as they write them, `.a` to `.z`. Value labels of SAS are in a separate file, which is not read.
    """
    if kind is Kind.SPSS:
        check_dictionary(source)
    elif kind is Kind.STATA:
        with source.path.open("rb") as file:
            begins = file.read(11)
            file.seek(max(file.seek(0, SEEK_END) - 12, 0))
            if begins == b"<stata_dta>" and file.read() != b"</stata_dta>":
                raise source.error("is cut off: its end is missing", AGAIN)
    reader, dates, missing = READERS[kind]
    cells, total, meta = _open(source, reader)
    if not total:
        raise source.error("has variables and no rows", "is it the right export?")
    columns, found, value_labels = [], [], {}
    for name in meta.column_names:
        codes, keys, texts = _texts(cells[name], name, meta, dates, missing)
        labels = meta.variable_value_labels.get(name, {})
        value_labels[name] = {_code_text(code, missing): str(label).strip() for code, label in labels.items()}
        if labels and source.layout.cells == "labels":
            texts, problems = _labelled(name, keys, texts, labels)
            found.extend(problems)
        columns.append(Column.encoded(codes.astype(np.int32), pa.array(texts, type=pa.string())))
        cells[name] = ()  # read: its memory may go
    names, places, problems = name_columns(source, list(meta.column_names), columns, row=None)
    own = dict(zip(names, (meta.column_names[place] for place in places), strict=True))
    return settle(
        RawTable(
            names=names,
            columns=[columns[place] for place in places],
            # As a spreadsheet numbers the rows below one row of names.
            rows=np.arange(total, dtype=np.int64) + 2,
            rows_in=total,
            problems=[*problems, *found],
            labels={name: str(meta.column_names_to_labels.get(key) or "") for name, key in own.items()},
            value_labels={name: value_labels[key] for name, key in own.items()},
            missing={
                name: _declared(value_labels[key], meta.missing_ranges.get(key, ()))
                for name, key in own.items()
            },
        )
    )


def _open(source: Source, reader: Callable[..., Any]) -> tuple[dict[str, Any], int, Any]:
    """Read all cells of each variable, the number of rows, and what pyreadstat knows beside."""
    encoding = None if source.layout.encoding == UNSTATED else source.layout.encoding
    # As a frame, pyreadstat 1.3.7 gives 0 for a missing value in a Stata variable of integers that has named missing
    # values as well; as lists it gives None. SPSS has no integers, and a frame costs less.
    layout = "pandas" if reader is pyreadstat.read_sav else "dict"
    # Portable and transport files have no missing codes, and a portable file one encoding.
    missing = {} if reader in {pyreadstat.read_por, pyreadstat.read_xport} else {"user_missing": True}
    options = {} if reader is pyreadstat.read_por else {"encoding": encoding}
    try:
        _, announced = reader(source.path, metadataonly=True, **options)
        # For rows that the file cannot hold pyreadstat would allocate memory.
        if (announced.number_rows or 0) > source.path.stat().st_size * _DENSEST:
            raise source.error(f"is damaged: it announces {announced.number_rows} rows", AGAIN)
        read, meta = reader(
            source.path, disable_datetime_conversion=True, output_format=layout, **options, **missing
        )
        _check_letters(reader, source, meta)
    except _FAILURES as error:
        said = str(error)
        if "convert string" in said or "encoding" in said or isinstance(error, UnicodeDecodeError):
            hint = "say `encoding:` in the layout (cp1252 for most files of Western Europe before SPSS 21)"
            raise source.error(f"holds text in an encoding it does not name ({said})", hint) from error
        what = said if isinstance(error, _OWN) else type(error).__name__
        raise source.error(f"is damaged, cut off or of an unknown version ({what})", AGAIN) from error
    cells = {name: read[name] for name in meta.column_names}
    total = len(next(iter(cells.values()), ()))
    if meta.number_rows is not None and 0 <= meta.number_rows != total:
        what = f"is cut off: it announces {meta.number_rows} rows and has {total}"
        raise source.error(what, "copy it again")
    return cells, total, meta


def _check_letters(reader: Callable[..., Any], source: Source, meta: Any) -> None:
    """Raise a UnicodeDecodeError where ReadStat dropped the last bytes of a text, an incomplete UTF-8 sequence.

    It reports other invalid bytes, but takes these for the rest of a longer text. The texts are therefore read again as
    Latin-1, which maps each byte to a character.
    """
    if str(meta.file_encoding).upper() not in {"UTF-8", "UTF8"}:
        return
    texts = [name for name in meta.column_names if meta.readstat_variable_types[name] == "string"]
    options = {"usecols": texts} if texts else {"metadataonly": True}
    frame, again = reader(source.path, encoding="latin1", user_missing=True, **options)
    found = {label for labels in again.variable_value_labels.values() for label in labels.values()}
    found.update(label for label in again.column_names_to_labels.values() if label)
    for name in texts:
        found.update(frame[name].unique())
    for one in found:
        if isinstance(one, str):
            one.encode("latin-1").decode("utf-8")


def _texts(
    cells: Any, name: str, meta: Any, dates: DateText, missing: Callable[[Any], str]
) -> tuple[NDArray[np.intp], list[Any], list[str | None]]:
    """Return the codes, the distinct values and their texts of a variable."""
    if meta.readstat_variable_types[name] == "string":
        codes, uniques = pd.factorize(np.asarray(cells, dtype=object))
        return codes, list(uniques), [str(one) for one in uniques]
    try:
        numbers = np.asarray(cells, dtype=np.float64)  # None is NaN
    except ValueError:  # named missing values among the numbers
        codes, uniques = pd.factorize(np.array(cells, dtype=object))
        return codes, list(uniques), [_code_text(one, missing) for one in uniques]
    codes, uniques = pd.factorize(numbers)
    values = np.asarray(uniques, dtype=np.float64)
    texts = dates(meta.original_variable_types[name] or "", values)
    if texts is None:
        single = meta.readstat_variable_types[name] == "float"
        texts = arrow_texts(pa.array(values.astype(np.float32 if single else np.float64)))
    return codes, values.tolist(), texts.to_pylist()


def _code_text(code: Any, missing: Callable[[Any], str]) -> str:
    return missing(code) if isinstance(code, str) else object_text(code) or ""


def _declared(codes: Iterable[str], spans: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the labelled codes that the file declares missing: by range, or by name."""
    ranges = [(span["lo"], span["hi"]) for span in spans if not isinstance(span["lo"], str)]
    values = {code: number(code) for code in codes}
    return frozenset(
        code
        for code, value in values.items()
        if (code[:1] == "." if value is None else any(low <= value <= high for low, high in ranges))
    )


def _labelled(
    name: str, keys: list[Any], texts: list[str | None], labels: Mapping[Any, str]
) -> tuple[list[str | None], list[Problem]]:
    """Replace codes by labels: a code without one is kept, a label of several codes is followed by the code."""
    counts = Counter(normalise(str(label)) for label in labels.values())
    problems = []
    named: list[str | None] = []
    for key, text in zip(keys, texts, strict=True):
        label = str(labels[key]).strip() if key in labels else ""
        if not label:
            problem = "a code without a label, in a variable with labels"
            # Not where the code is the label of another.
            kept = f"{text} (no label)" if counts[normalise(text or "")] else text
            action = "kept as the code" if kept == text else f"read as `{kept}`"
            problems.append(Problem(None, name, text or "", problem, action))
            named.append(kept)
        elif counts[normalise(label)] > 1:
            problem = f"{counts[normalise(label)]} codes have the label `{label}`"
            named.append(f"{label} ({text})")
            problems.append(Problem(None, name, text or "", problem, f"read as `{label} ({text})`"))
        else:
            named.append(label)
    return named, problems


_DAY: Final = 86400
_FROM_1582: Final = 12_219_379_200
_FROM_1960: Final = 3653 * _DAY
"""Seconds from 14 October 1582, when SPSS begins to count, and from 1960, when Stata and SAS do, to 1970."""
_LAST: Final = 253_402_300_800  # the end of the year 9999, from 1970

_SPSS_DATES: Final = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR", "DATETIME", "YMDHMS")
_SAS_DAYS: Final = ("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "E8601DA", "B8601DA", "WEEKD", "WORDD", "JULIAN")
_SAS_MOMENTS: Final = ("DATETIME", "E8601DT", "B8601DT", "DATEAMPM")


def _spss_dates(kind: str, values: NDArray[np.float64]) -> Any:
    """Write dates, moments and times of day, which SPSS counts in seconds."""
    name = kind.rstrip("0123456789.")
    if name == "TIME" and ((values >= 0) & (values < _DAY)).all():
        return arrow_texts(pa.array((values * 1e6).round().astype(np.int64)).cast(pa.time64("us")))
    return _iso(values - _FROM_1582) if name in _SPSS_DATES else None


def _stata_dates(kind: str, values: NDArray[np.float64]) -> Any:
    """Write days (%td) and moments (%tc), which Stata counts in milliseconds."""
    if kind.startswith(("%td", "%d")):
        return _iso(values * _DAY - _FROM_1960)
    return _iso(values / 1000 - _FROM_1960) if kind.startswith(("%tc", "%tC")) else None


def _sas_dates(kind: str, values: NDArray[np.float64]) -> Any:
    """Write days and moments, which SAS counts in seconds."""
    name = kind.upper().rstrip("0123456789.")
    if name.startswith(_SAS_MOMENTS):
        return _iso(values - _FROM_1960)
    return _iso(values * _DAY - _FROM_1960) if name.startswith(_SAS_DAYS) else None


def _iso(seconds: NDArray[np.float64]) -> Any:
    """Write seconds from 1970 as ISO 8601; None if one lies outside the years 1582 to 9999."""
    if not ((seconds < _LAST) & (seconds >= -_FROM_1582)).all():
        return None
    return arrow_texts(pa.array((seconds * 1e6).round().astype(np.int64)).cast(pa.timestamp("us")))


READERS: Final[Mapping[Kind, tuple[Callable[..., Any], DateText, Callable[[Any], str]]]] = {
    Kind.SPSS: (pyreadstat.read_sav, _spss_dates, str),
    Kind.PORTABLE: (pyreadstat.read_por, _spss_dates, str),
    Kind.STATA: (pyreadstat.read_dta, _stata_dates, ".{}".format),
    Kind.SAS: (pyreadstat.read_sas7bdat, _sas_dates, ".{}".format),
    Kind.TRANSPORT: (pyreadstat.read_xport, _sas_dates, ".{}".format),
}
"""Kind of file -> reader of pyreadstat, texts of its dates, and texts of named missing values."""
