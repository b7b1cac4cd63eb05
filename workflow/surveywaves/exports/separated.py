"""CSV: the data and a codebook, for everything else."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from surveywaves.exports import dataset, spss, stata
from surveywaves.exports.dataset import REASON_NAMES as REASONS
from surveywaves.exports.dataset import Dataset, Variable, reason_words
from surveywaves.files import harmless

NOTICE: Final = "CONFIDENTIAL"
"""First column of the data. Names of the study are in lower case, so none is the same."""

WHY: Final = ".missing"
"""End of the name of a column of reasons. Names of the study have no dot, so none ends so."""

CODEBOOK: Final = (
    "variable",
    "kind",
    "measure",
    "label",
    "section",
    "scale",
    "keyed",
    "value",
    "meaning",
    "reason",
    "spss_variable",
    "spss_value",
    "stata_variable",
    "stata_value",
)

_BOM: Final = "\ufeff"
_LINE: Final = "\r\n"
_SPECIAL: Final = ',"\r\n'
_CHUNK: Final = 20_000
"""Rows put together at a time; the data as text would take more memory than anything else here."""

Texts = Callable[[slice], list[str]]
"""From some rows to the cells of a column, ready to stand between commas."""


def to_csv(data: Dataset) -> Iterator[bytes]:
    """Write the data: the same bytes for the same data.

    First comes a column `CONFIDENTIAL` that says in every row what the row is worth; then the columns of the pooled
    data, levels by name and answers by number, empty where missing; then for each column that can be missing one named
    `<column>.missing` with the reason, empty where there is a value.

    Yields
    ------
    bytes
        RFC 4180, some rows at a time. All of it is ASCII (the words are in the codebook), so that no program can
        misread its encoding.
    """
    reasons = ["", *(reason.value for reason in REASONS)]
    columns = {NOTICE: _looked_up(_notices(data), data.cells["evidence"])}
    columns |= {variable.name: _cells(data, variable) for variable in data.variables}
    columns |= {f"{name}{WHY}": _looked_up(reasons, numbers) for name, numbers in data.reasons.items()}
    yield (",".join(map(_quoted, columns)) + _LINE).encode("ascii")
    for first in range(0, data.rows, _CHUNK):
        texts = [texts_of(slice(first, first + _CHUNK)) for texts_of in columns.values()]
        yield (_LINE.join(map(",".join, zip(*texts, strict=True))) + _LINE).encode("ascii")


def codebook_csv(data: Dataset) -> bytes:
    """Write the codebook: first what the file is (rows of kind `file`), then a row for each value of each variable.

    Returns
    -------
    bytes
        RFC 4180, UTF-8 with a byte order mark, which spreadsheets need to read typographic quotes and accents right. A
        text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    with io.StringIO(newline="") as buffer:
        writer = csv.DictWriter(buffer, [*CODEBOOK, *data.part.waves], restval="", lineterminator=_LINE)
        writer.writeheader()
        for row in _rows(data):
            writer.writerow({name: harmless(value) for name, value in row.items()})
        return (_BOM + buffer.getvalue()).encode()


# --- how it is done ---------------------------------------------------------------------------------------------


def _notices(data: Dataset) -> list[str]:
    """Return the notice for a row, by the code of its evidence."""
    kinds = next(variable for variable in data.variables if variable.name == "evidence").levels
    return ["", *(f"individual answers; {kind} data" for kind in kinds)]


def _cells(data: Dataset, variable: Variable) -> Texts:
    cells = data.cells[variable.name]
    if variable.kind == "weight":
        return lambda some: ["" if math.isnan(weight) else repr(weight) for weight in cells[some].tolist()]
    if not variable.codes:
        return lambda some: [_quoted(harmless(text)) for text in cells[some]]
    texts = [""] * (max(variable.codes) + 1)
    for code, text in zip(variable.codes, _levels(variable) or map(str, variable.codes), strict=True):
        texts[code] = text
    return _looked_up(texts, cells)


def _looked_up(texts: Sequence[str], places: NDArray[Any]) -> Texts:
    known = np.array([_quoted(text) for text in texts], dtype=object)
    return lambda some: known.take(places[some]).tolist()


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if any(sign in text for sign in _SPECIAL) else text


def _levels(variable: Variable) -> list[str]:
    """Return the levels as the data have them; true and false in lower case."""
    return [str(level).lower() for level in variable.levels]


def _rows(data: Dataset) -> Iterator[dict[str, Any]]:
    for text in dataset.about(data.part):
        yield {"kind": "file", "label": text}
    in_spss, in_stata = spss.spss_names(data), stata.stata_names(data)
    for variable in data.variables:
        known = {
            "variable": variable.name,
            "kind": variable.kind,
            "measure": variable.measure,
            "label": variable.label,
            "section": variable.section if variable.section is not None else "",
            "scale": variable.scale,
            "keyed": variable.keyed,
            "spss_variable": in_spss[variable.name],
            "stata_variable": in_stata[variable.name],
            **(variable.grades or {}),
        }
        for value in _values(variable) or [{}]:
            yield known | value


def _values(variable: Variable) -> list[dict[str, Any]]:
    levels = _levels(variable) or [str(code) for code in variable.codes]
    found: list[dict[str, Any]] = [
        {"value": level, "meaning": text, "spss_value": code, "stata_value": code}
        for level, (code, text) in zip(levels, variable.codes.items(), strict=True)
    ]
    if variable.missing:
        found += [
            {
                "meaning": text,
                "reason": reason.value,
                "spss_value": spss.missing_code(number),
                "stata_value": stata.missing_code(number),
            }
            for number, reason, text in reason_words()
        ]
    return found
