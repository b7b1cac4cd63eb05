"""Stata: a .dta file with labels, extended missing values and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import ascii_lowercase

from surveywaves.exports import words
from surveywaves.exports.dataset import Dataset, Variable, reason_words
from surveywaves.exports.dta import DATASET, LABEL, NAME, Column, write_dta
from surveywaves.exports.names import STATA_RESERVED, names_for


def missing_code(number: int) -> str:
    """Give the extended missing value of a reason by its number: ``.a`` for the first."""
    return f".{ascii_lowercase[number - 1]}"


def stata_names(data: Dataset) -> dict[str, str]:
    """Give each variable its name in the file."""
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
        label=words.fit(f"{words.headline(data.part)}: {words.line(data.part.title)}", LABEL),
        notes={DATASET: _about(data)}
        | {names[variable.name]: [*_about_variable(data, variable, names)] for variable in data.variables},
    )


# --- how it is done ---------------------------------------------------------------------------------------------


def _column(data: Dataset, variable: Variable, name: str) -> Column:
    return Column(
        name,
        words.fit(variable.label, LABEL),
        data.cells[variable.name],
        missing=data.reasons.get(variable.name),
        labels=variable.codes,
        missing_labels={number: text for number, _, text in reason_words()} if variable.missing else {},
    )


def _about(data: Dataset) -> list[str]:
    told = "; ".join(f"{missing_code(number)} = {text}" for number, _, text in reason_words())
    return [*words.about(data.part), f"Missing values: {told}"]


def _about_variable(data: Dataset, variable: Variable, names: Mapping[str, str]) -> Iterator[str]:
    if names[variable.name] != variable.name:
        yield f"Called {variable.name} in the study."
    if words.fit(variable.label, LABEL) != variable.label:
        yield f"Label in full: {variable.label}"
    for wave, grade in (variable.grades or {}).items():
        yield words.line(f"{data.part.waves[wave].title}: {grade}")
    yield from (text for _, text in words.evidence_of(data.part, variable.evidence_names))
