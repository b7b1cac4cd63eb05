"""The pooled data with a code for every answer and every reason: what all formats are written from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.exports import words
from surveywaves.exports.part import ExportPart
from surveywaves.study.checks import RESCALED_SUFFIX
from surveywaves.study.models import Evidence, Missing, ResponseScale

CODEBOOK: Final = "results/pooled/codebook.tsv"
RESPONSES: Final = "results/pooled/responses.parquet"
AGAIN: Final = "pool and codebook must come from the study as it is: run snakemake again"

REASONS: Final = tuple(words.REASONS)
"""Reasons of missing values; the first has number 1."""

IDENTITY: Final = frozenset({"wave", "respondent"})
ALWAYS: Final = IDENTITY | {"evidence", "complete", "weight"}
"""Columns that no reasons are kept for: every respondent has a value."""

Measure = Literal["nominal", "ordinal", "scale"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the pooled data.

    Parameters
    ----------
    name
        Its column.
    kind
        As the codebook has it: `id`, `group`, `item`, `rescaled_item`, `weight`.
    label
        What it is, in words; of an item the statement.
    codes
        Code -> its words. Empty for text and for the weight.
    levels
        What the pooled data hold where a code stands here, in the order of `codes`; empty where they hold the code.
    missing
        Whether its values can be missing, with a reason.
    section, scale, keyed
        Of an item: number of its section, name of its scale (empty: none), ``+`` or ``-``.
    grades
        Wave -> comparability with the reference wave; of items only.
    """

    name: str
    kind: str
    label: str
    codes: Mapping[int, str]
    levels: tuple[Any, ...] = ()
    missing: bool = False
    section: int | None = None
    scale: str = ""
    keyed: str = ""
    grades: Mapping[str, str] | None = None

    @property
    def measure(self) -> Measure:
        """Say what may be done with its codes."""
        if self.kind == "weight":
            return "scale"
        return "ordinal" if self.is_item else "nominal"

    @property
    def is_item(self) -> bool:
        """Whether it is a statement that respondents answered."""
        return self.kind in {"item", "rescaled_item"}

    @property
    def evidence_names(self) -> tuple[str, ...]:
        """Give the names under which a wave may call its evidence weaker."""
        return (self.name.removesuffix(RESCALED_SUFFIX), "items") if self.is_item else (self.name,)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The pooled data as numbers.

    Parameters
    ----------
    part
        The study in words.
    variables
        The columns, in their order.
    cells
        Variable -> codes (integers, 0 where missing), or its text or numbers where it has no codes.
    reasons
        Variable -> number of the reason (1 is the first of `REASONS`), 0 where there is a value; of variables that can
        be missing.
    rows
        Respondents.
    """

    part: ExportPart
    variables: tuple[Variable, ...]
    cells: Mapping[str, NDArray[Any]]
    reasons: Mapping[str, NDArray[np.int8]]
    rows: int


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
        With one line for every column that the codebook, the data and the study do not agree on, every value that the
        study does not know, and every column with a cell that has neither a value nor a reason, or both.
    """
    if mistakes := [*_other_columns(responses, missing, codebook)]:
        raise SurveywavesError(mistakes)
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


def _other_columns(
    responses: pd.DataFrame, missing: pd.DataFrame, codebook: pd.DataFrame
) -> Iterator[Mistake]:
    described = list(codebook["variable"])
    if described != list(responses.columns):
        differing = ", ".join(sorted({*described} ^ {*responses.columns})) or "their order"
        yield Mistake(CODEBOOK, f"describes other columns than {RESPONSES} has: {differing}", AGAIN)
        return
    expected = {*IDENTITY, *(set(described) - ALWAYS)}
    if differing := ", ".join(sorted(expected ^ {*missing.columns})):
        yield Mistake(RESPONSES, f"its reasons are of other columns: {differing}", AGAIN)
    if (
        not responses["respondent"]
        .reset_index(drop=True)
        .equals(missing["respondent"].reset_index(drop=True))
    ):
        yield Mistake(RESPONSES, "responses and reasons are not of the same respondents", AGAIN)


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
                label=words.line(row["label"]),
                codes={code: words.line(text) for code, text in codes.items()},
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
    """Give a variable's codes in words, and the levels that the codes stand for."""
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
    """Give the codes of a column, and the first value that has none."""
    if not variable.codes:
        if variable.kind == "weight":
            return column.to_numpy(dtype=np.float64, na_value=np.nan), ""
        return column.to_numpy(dtype=object), ""
    if variable.levels:
        places = pd.Index(variable.levels).get_indexer(pd.Index(column))
        codes = np.array([*variable.codes, 0], dtype=np.int16)[places]
        unknown = column[(places < 0) & (column.notna().to_numpy() | (not variable.missing))]
    else:
        codes = column.to_numpy(dtype=np.int16, na_value=0)
        unknown = column[~np.isin(codes, [*variable.codes]) & column.notna().to_numpy()]
    return codes, str(unknown.iloc[0]) if len(unknown) else ""


def _reasons(reasons: pd.Series[Any], column: pd.Series[Any]) -> tuple[NDArray[np.int8], str]:
    """Give the numbers of a column's reasons, and what is wrong with them."""
    places = pd.Index([reason.value for reason in REASONS]).get_indexer(pd.Index(reasons))
    unknown = reasons[(places < 0) & reasons.notna().to_numpy()]
    if len(unknown):
        return np.zeros(0, dtype=np.int8), f"`{unknown.iloc[0]}` is no reason of a missing value"
    if ((places < 0) == column.isna().to_numpy()).any():
        return np.zeros(0, dtype=np.int8), "a cell has neither a value nor a reason, or has both"
    return (places + 1).astype(np.int8), ""


def reason_words() -> Sequence[tuple[int, Missing, str]]:
    """Give number, reason and words of each reason."""
    return [(number, reason, words.REASONS[reason]) for number, reason in enumerate(REASONS, start=1)]
