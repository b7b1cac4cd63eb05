"""SPSS: a .sav file with labels, measure levels and user-missing codes, and names that SPSS and Stata take."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyreadstat
from numpy.typing import NDArray

from surveywaves.exports import dataset
from surveywaves.exports.dataset import REASON_NAMES as REASONS
from surveywaves.exports.dataset import Dataset, Variable, reason_words
from surveywaves.files import undated_sav
from surveywaves.terms import RESCALED_SUFFIX

SPSS_RESERVED: Final = re.compile(r"all|and|by|eq|ge|gt|le|lt|ne|not|or|to|with")
STATA_RESERVED: Final = re.compile(r"byte|double|float|if|in|int|long|str\d+|using|with")


def names_for(names: Iterable[str], *, limit: int, reserved: re.Pattern[str]) -> dict[str, str]:
    """Return a name for each variable that a package accepts; most keep their own.

    Parameters
    ----------
    names
        Names of the study: lower case, digits and ``_``.
    limit
        Most characters a name may have.
    reserved
        Words of the package's own language.

    Returns
    -------
    dict
        Own name -> name in the file, in the same order and no name twice. A reserved word gets ``_`` after it; a long
        name is cut (before ``_rescaled``, if it ends so) and numbered where that makes two alike.
    """
    names = list(names)
    taken = {name for name in names if len(name) <= limit and not reserved.fullmatch(name)}
    found = {}
    for name in names:
        if name in taken:
            found[name] = name
            continue
        suffix = RESCALED_SUFFIX if name.endswith(RESCALED_SUFFIX) else ""
        stem = name.removesuffix(suffix)
        if reserved.fullmatch(name):
            suffix = "_"
        number = ""
        while (new := stem[: limit - len(suffix) - len(number)] + number + suffix) in taken:
            number = str(int(number or "1") + 1)
        taken.add(new)
        found[name] = new
    return found


NAME: Final = 64
"""Most characters of a variable's name."""

# Most bytes that SPSS keeps of each text; ReadStat would cut them in the middle of a letter.
FILE_LABEL: Final = 64
VARIABLE_LABEL: Final = 255
VALUE_LABEL: Final = 120
NOTE_LINE: Final = 80


def missing_code(number: int) -> int:
    """Return the user-missing code of a reason by its number: -1 for the first, and down from there."""
    return -number


def spss_names(data: Dataset) -> dict[str, str]:
    """Return each variable's name in the file."""
    return names_for((variable.name for variable in data.variables), limit=NAME, reserved=SPSS_RESERVED)


def to_sav(data: Dataset) -> bytes:
    """Write an SPSS file: the same bytes for the same data.

    Answers and levels are numbers with value labels. A missing value is -1 to -5 by its reason, labelled, and the range
    is declared user-missing, so that SPSS leaves it out and can still count it. Texts that SPSS would cut stand in full
    in the file's documents.

    Returns
    -------
    bytes
        The file, row-compressed as SPSS itself writes it, with a fixed date in its header.
    """
    names = spss_names(data)
    variables = {names[variable.name]: variable for variable in data.variables}
    frame = pd.DataFrame({name: _cells(data, variable) for name, variable in variables.items()}, copy=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.sav"
        pyreadstat.write_sav(
            frame,
            str(path),
            file_label=dataset.fit(
                f"{dataset.headline(data.part)}: {dataset.line(data.part.title)}",
                FILE_LABEL,
                size=dataset.octets,
            ),
            note=[line for text in _notes(data, names) for line in dataset.wrap(text, NOTE_LINE)],
            column_labels=[_fit(variable.label, VARIABLE_LABEL) for variable in data.variables],
            variable_value_labels={
                name: labels for name, variable in variables.items() if (labels := _labels(variable))
            },
            missing_ranges={
                name: [{"lo": missing_code(len(REASONS)), "hi": missing_code(1)}]
                for name, variable in variables.items()
                if variable.missing
            },
            variable_measure={name: variable.measure for name, variable in variables.items()},
            variable_display_width={name: _width(variable) for name, variable in variables.items()},
            variable_format={
                name: _format(variable) for name, variable in variables.items() if not _text(variable)
            },
            row_compress=True,
        )
        return undated_sav(path.read_bytes())


# --- how it is done ---------------------------------------------------------------------------------------------


def _cells(data: Dataset, variable: Variable) -> NDArray[Any]:
    cells = data.cells[variable.name]
    if not variable.missing:
        return cells
    reasons = data.reasons[variable.name]
    codes = np.array([0, *(missing_code(number) for number, _, _ in reason_words())], dtype=cells.dtype)
    return np.where(reasons > 0, codes[reasons], cells)


def _labels(variable: Variable) -> dict[int | float, str]:
    labels: dict[int | float, str] = {code: _fit(text, VALUE_LABEL) for code, text in variable.codes.items()}
    if variable.missing:
        labels |= {missing_code(number): text for number, _, text in reason_words()}
    return labels


def _notes(data: Dataset, names: Mapping[str, str]) -> Iterator[str]:
    yield from dataset.about(data.part)
    told = "; ".join(f"{missing_code(number)} = {text}" for number, _, text in reason_words())
    yield f"User-missing codes: {told}"
    for own, name in names.items():
        if own != name:
            yield f"Variable {name} is called {own} in the study."
    for variable in data.variables:
        if _fit(variable.label, VARIABLE_LABEL) != variable.label:
            yield f"{names[variable.name]}, label in full: {variable.label}"
        for code, text in variable.codes.items():
            if _fit(text, VALUE_LABEL) != text:
                yield f"{names[variable.name]}, value {code} in full: {text}"


def _fit(text: str, limit: int) -> str:
    return dataset.fit(text, limit, size=dataset.octets)


def _text(variable: Variable) -> bool:
    return not variable.codes and variable.kind != "weight"


def _format(variable: Variable) -> str:
    return "F12.6" if variable.kind == "weight" else "F3.0"


def _width(variable: Variable) -> int:
    """Return the width of a column on the screen, in characters."""
    return 24 if _text(variable) else 12 if variable.measure == "nominal" else 8
