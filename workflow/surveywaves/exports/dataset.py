"""The pooled data with a code for every answer and every reason: what all formats are written from.

Every export says in words whose answers these are, what they are worth, and why one is missing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.study.models import ResponseScale
from surveywaves.study.parts import ExportPart, WaveWords
from surveywaves.terms import RESCALED_SUFFIX, Comparability, Evidence, Missing
from surveywaves.text import listed

REASONS: Final[Mapping[Missing, str]] = {
    Missing.NOT_ASKED: "Not asked",
    Missing.SKIPPED: "Skipped",
    Missing.DONT_KNOW: "Don't know",
    Missing.INVALID: "Invalid answer",
    Missing.BROKE_OFF: "Broke off before this question",
}
"""Reasons of missing values in words; their order gives them their codes."""

CONFIDENTIAL: Final = (
    "CONFIDENTIAL. The data are answers of individual people, given in confidence. Keep them within the project: do "
    "not pass them on, publish them, or show counts of them without the study's disclosure rule."
)

ELLIPSIS: Final = "…"


def headline(part: ExportPart) -> str:
    """Return in a few words what a reader must know first: ``CONFIDENTIAL. OBSERVED and SIMULATED data``."""
    found = {wave.evidence for wave in part.waves.values()}
    found |= {weaker.evidence for wave in part.waves.values() for weaker in wave.variable_evidence.values()}
    return f"CONFIDENTIAL. {listed([kind.value.upper() for kind in Evidence if kind in found])} data"


def wave_title(wave: WaveWords) -> str:
    """Return a wave's title and, where the study states it, its time."""
    return line(f"{wave.title} ({wave.period})" if wave.period else wave.title)


def evidence(part: ExportPart) -> Iterator[tuple[str, str]]:
    """Yield wave by wave, under its title, what its data are, and which of its variables are weaker than the rest."""
    for wave in part.waves.values():
        yield wave.title, _worth(wave_title(wave), wave.evidence, wave.evidence.meaning, wave.evidence_note)
        for name, weaker in wave.variable_evidence.items():
            yield wave.title, _worth(f"{wave.title}, {_called(part, name)}", weaker.evidence, weaker.note)


def evidence_of(part: ExportPart, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what waves say of a variable's evidence (`names`: what it may be listed under), under their titles."""
    for wave in part.waves.values():
        for name in names:
            if weaker := wave.variable_evidence.get(name):
                yield wave.title, _worth(wave.title, weaker.evidence, weaker.note)


def comparability(part: ExportPart) -> Iterator[str]:
    """Yield for each wave which items it did not ask as the instrument does."""
    instrument = f"the instrument (worded as in {part.waves[part.reference_wave].title})"
    for wave in part.waves.values():
        grades: dict[str, list[str]] = {}
        for item in part.items:
            grades.setdefault(wave.comparability.get(item, Comparability.ABSENT.value), []).append(item)
        told = "; ".join(
            f"{grade.value}: {', '.join(grades[grade.value])}"
            for grade in Comparability
            if grade is not Comparability.IDENTICAL and grade.value in grades
        )
        yield line(f"{wave.title}, its items beside {instrument}: {told or 'all identical'}")


def about(part: ExportPart) -> Iterator[str]:
    """Yield what stands before everything else in a file's notes, a paragraph at a time."""
    yield f"{headline(part)}. {line(part.title)}"
    yield CONFIDENTIAL
    yield line(part.description)
    if part.citation:
        yield line(f"Published in: {part.citation}")
    yield from (text for _, text in evidence(part))
    yield from comparability(part)


# --- letters ----------------------------------------------------------------------------------------------------


def line(text: str) -> str:
    """Put a text on one line, without characters that XML and statistics packages do not take."""
    return " ".join("".join(map(_acceptable, text)).split())


def octets(text: str) -> int:
    """Count the bytes of a text in UTF-8."""
    return len(text.encode())


def fit(text: str, limit: int, *, size: Callable[[str], int] = len) -> str:
    """Cut a text to a size, not before an accent of the letter that stays, and show that it was cut.

    Parameters
    ----------
    limit
        Largest size, the ellipsis included.
    size
        What is counted: characters, or `octets`.
    """
    if size(text) <= limit:
        return text
    end = limit
    while end and (size(text[:end] + ELLIPSIS) > limit or unicodedata.combining(text[end])):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def wrap(text: str, limit: int) -> list[str]:
    """Break a text into lines of so many bytes, between words where it can be done."""
    lines = [""]
    for word in text.split():
        for piece in _pieces(word, limit):
            longer = f"{lines[-1]} {piece}".strip()
            if octets(longer) <= limit:
                lines[-1] = longer
            else:
                lines.append(piece)
    return lines


def _pieces(word: str, limit: int) -> Iterator[str]:
    while word:
        end = min(limit, len(word))
        while octets(word[:end]) > limit:
            end -= 1
        yield word[:end]
        word = word[end:]


def _acceptable(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Cc":
        return " "
    return "\ufffd" if kind == "Cs" or ord(sign) & 0xFFFE == 0xFFFE else sign


def _worth(what: str, kind: Evidence, *sentences: str) -> str:
    return line(f"{what}: {kind.value.upper()}. {' '.join(sentences)}")


def _called(part: ExportPart, name: str) -> str:
    return part.variables[name].label if name in part.variables else name


CODEBOOK: Final = "results/pooled/codebook.tsv"
RESPONSES: Final = "results/pooled/responses.parquet"
AGAIN: Final = "pool and codebook must come from the study as it is: run snakemake again"

REASON_NAMES: Final = tuple(REASONS)
"""Reasons of missing values; the first has number 1."""

ALWAYS: Final = frozenset({"wave", "respondent", "evidence", "complete", "weight"})
"""Columns that no reasons are kept for: every respondent has a value."""

Measure = Literal["nominal", "ordinal", "scale"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the pooled data."""

    name: str
    """Its column."""
    kind: str
    """As the codebook has it: `id`, `group`, `item`, `rescaled_item`, `weight`."""
    label: str
    """What it is, in words; of an item the statement."""
    codes: Mapping[int, str]
    """Code -> its words. Empty for text and for the weight."""
    levels: tuple[Any, ...] = ()
    """What the pooled data hold where a code stands here, in the order of `codes`; empty where they hold the code."""
    missing: bool = False
    """Whether its values can be missing, with a reason."""
    section: int | None = None
    scale: str = ""
    keyed: str = ""
    """Of an item: number of its section, name of its scale (empty: none), ``+`` or ``-``."""
    grades: Mapping[str, str] | None = None
    """Wave -> comparability with the reference wave; of items only."""

    @property
    def measure(self) -> Measure:
        """Return the level of measurement of its codes."""
        if self.kind == "weight":
            return "scale"
        return "ordinal" if self.is_item else "nominal"

    @property
    def is_item(self) -> bool:
        """Whether it is a statement that respondents answered."""
        return self.kind in {"item", "rescaled_item"}

    @property
    def evidence_names(self) -> tuple[str, ...]:
        """Return the names under which a wave may list its evidence as weaker."""
        return (self.name.removesuffix(RESCALED_SUFFIX), "items") if self.is_item else (self.name,)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The pooled data as numbers."""

    part: ExportPart
    """The study in words."""
    variables: tuple[Variable, ...]
    """The columns, in their order."""
    cells: Mapping[str, NDArray[Any]]
    """Variable -> codes (integers, 0 where missing), or its text or numbers where it has no codes."""
    reasons: Mapping[str, NDArray[np.int8]]
    """Variable -> number of the reason (1 is the first of `REASONS`), 0 where there is a value; of variables that can
    be missing."""
    rows: int
    """Respondents."""


def dataset(
    responses: pd.DataFrame, missing: pd.DataFrame, codebook: pd.DataFrame, *, part: ExportPart
) -> Dataset:
    """Put codes to the pooled data.

    Levels of grouping variables, waves and evidence count from 1 in the order of the study; items keep their values;
    `complete` is 0 or 1.

    Parameters
    ----------
    responses, missing, codebook
        As `surveywaves.pool` leaves them.
    part
        The study in words.

    Raises
    ------
    SurveywavesError
        With one line for every column with a value that the study does not know, or a cell that has neither a value
        nor a reason, or both.
    """
    mistakes = []
    variables = _variables(codebook, part)
    cells: dict[str, NDArray[Any]] = {}
    reasons: dict[str, NDArray[np.int8]] = {}
    for variable in variables:
        column = responses[variable.name]
        cells[variable.name], unknown = _coded(column, variable)
        if unknown:
            where = f"{RESPONSES}: {variable.name}"
            mistakes.append(Mistake(where, f"`{unknown}` is no value that the study knows", AGAIN))
        if variable.missing:
            reasons[variable.name], wrong = _reasons(missing[variable.name], column)
            if wrong:
                mistakes.append(Mistake(f"{RESPONSES}: {variable.name}", wrong, AGAIN))
    if mistakes:
        raise SurveywavesError(mistakes)
    return Dataset(part, variables, cells, reasons, len(responses))


# --- how it is done ---------------------------------------------------------------------------------------------


def _variables(codebook: pd.DataFrame, part: ExportPart) -> tuple[Variable, ...]:
    found = []
    for row in codebook.to_dict("records"):
        name, kind = row["variable"], row["kind"]
        codes, levels = _meaning(row, part)
        item = kind in {"item", "rescaled_item"}
        found.append(
            Variable(
                name=name,
                kind=kind,
                label=line(row["label"]),
                codes={code: line(text) for code, text in codes.items()},
                levels=levels,
                missing=name not in ALWAYS,
                section=int(row["section"]) if item else None,
                scale=row["scale"],
                keyed=row["keyed"],
                grades={wave: row[wave] for wave in part.waves if row[wave]} if item else None,
            )
        )
    return tuple(found)


def _meaning(row: Mapping[Any, Any], part: ExportPart) -> tuple[dict[int, str], tuple[Any, ...]]:
    """Return the words for a variable's codes, and the levels that the codes stand for."""
    name, kind = row["variable"], row["kind"]
    if name == "wave":
        return _numbered({wave: found.title for wave, found in part.waves.items()})
    if name == "evidence":
        return _numbered({kind.value: f"{kind.value.upper()}: {kind.meaning}" for kind in Evidence})
    if name == "organisation":
        return _numbered(part.organisations)
    if name == "complete":
        return {0: "no", 1: "yes"}, (False, True)
    if kind == "group":
        return _numbered(part.variables[name].levels)
    if kind in {"item", "rescaled_item"}:
        return dict(enumerate(_scale_of(row, part).labels, start=1)), ()
    return {}, ()


def _numbered(levels: Mapping[str, str]) -> tuple[dict[int, str], tuple[str, ...]]:
    return dict(enumerate(levels.values(), start=1)), tuple(levels)


def _scale_of(row: Mapping[Any, Any], part: ExportPart) -> ResponseScale:
    """Find an item's response scale; of a rescaled item only the codebook knows which it is."""
    item = part.items.get(row["variable"])
    if item:
        return part.response_scales[item.response_scale]
    for scale in part.response_scales.values():
        if row["values"] == "; ".join(
            f"{value}={label}" for value, label in enumerate(scale.labels, start=1)
        ):
            return scale
    raise SurveywavesError.at(
        f"{CODEBOOK}: {row['variable']}", "its values are those of no response scale of the study", AGAIN
    )


def _coded(column: pd.Series[Any], variable: Variable) -> tuple[NDArray[Any], str]:
    """Return the codes of a column, and the first value that has none."""
    if not variable.codes:
        if variable.kind == "weight":
            return column.to_numpy(dtype=np.float64, na_value=np.nan), ""
        return column.to_numpy(dtype=object), ""
    kind = np.min_scalar_type(-1 - max(variable.codes))  # signed, and all of them fit
    if variable.levels:
        places = pd.Index(variable.levels).get_indexer(pd.Index(column))
        codes = np.array([*variable.codes, 0], dtype=kind)[places]
        unknown = column[(places < 0) & (column.notna().to_numpy() | (not variable.missing))]
    else:
        codes = column.to_numpy(dtype=kind, na_value=0)
        unknown = column[~np.isin(codes, [*variable.codes]) & column.notna().to_numpy()]
    return codes, str(unknown.iloc[0]) if len(unknown) else ""


def _reasons(reasons: pd.Series[Any], column: pd.Series[Any]) -> tuple[NDArray[np.int8], str]:
    """Return the numbers of a column's reasons, and what is wrong with them."""
    places = pd.Index([reason.value for reason in REASON_NAMES]).get_indexer(pd.Index(reasons))
    unknown = reasons[(places < 0) & reasons.notna().to_numpy()]
    if len(unknown):
        return np.zeros(0, dtype=np.int8), f"`{unknown.iloc[0]}` is no reason of a missing value"
    if ((places < 0) == column.isna().to_numpy()).any():
        return np.zeros(0, dtype=np.int8), "a cell has neither a value nor a reason, or has both"
    return (places + 1).astype(np.int8), ""


def reason_words() -> Sequence[tuple[int, Missing, str]]:
    """Return the number, the name and the words of each reason."""
    return [(number, reason, REASONS[reason]) for number, reason in enumerate(REASON_NAMES, start=1)]
