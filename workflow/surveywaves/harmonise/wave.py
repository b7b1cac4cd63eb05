"""A wave from raw cells to respondents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.errors import CrosswalkError, Mistake
from surveywaves.harmonise.cells import REASONS
from surveywaves.harmonise.columns import raw_columns, repeated
from surveywaves.harmonise.crosswalk import ORGANISATION, Words, rescaled_columns
from surveywaves.harmonise.layout import BROKE_OFF, Answers, LayoutReading, read
from surveywaves.study.parts import HarmonisingPart

PROBLEMS: Final = ("wave", "file", "row", "column", "value", "problem", "action")
RECODINGS: Final = ("wave", "layout", "column", "variable", "raw", "value", "n")


@dataclass(frozen=True, slots=True)
class Harmonised:
    """A wave in the terms of the instrument; columns as `docs/files.md` gives them.

    Parameters
    ----------
    responses
        One row a respondent, in the order of the cells: identifiers, organisation, grouping variables, `complete`,
        `weight`, items (Int8, 1..K as worded), rescaled items.
    missing
        The same rows: `wave, respondent`, then for the organisation and every variable, item and rescaled item the
        reason of a missing value (categorical, `REASONS`), missing itself where there is a value.
    problems
        One row a cell that was not taken as it stood.
    recodings
        One row a distinct raw cell of a column and what became of it; blanks stand as "". The counts of a column add
        up to the returns of its layout.
    """

    responses: pd.DataFrame
    missing: pd.DataFrame
    problems: pd.DataFrame
    recodings: pd.DataFrame


def harmonise(cells: pd.DataFrame, *, part: HarmonisingPart) -> Harmonised:
    """Put a wave's raw cells into the terms of the instrument.

    A blank is `skipped`, unless neither it nor any later mapped question of the return (in the order of the columns;
    items, variables and organisation alike) holds anything: then it is `broke_off`. A cell that the study explains as
    `skipped`, `dont_know` or `invalid` shows that the respondent was still there; one explained as `not_asked` or
    `broke_off` does not. A return is `complete` if no item of it is `broke_off`. A question without a column in a
    layout is `not_asked` of its returns, and so is an item that was asked on another response scale, unless its coding
    states how that scale maps onto the instrument's: without it the answers go to `<item>_rescaled`. Where two keyings
    of a paper return disagree the answer is `invalid`.

    Parameters
    ----------
    cells
        As ingest leaves them: `INGEST_COLUMNS`, then one text column a raw column, missing where blank. Their order is
        the order of the respondents, who are numbered within the wave; the file's own identifiers are not kept.
    part
        What the wave's columns and cells mean, from a study that has been checked.

    Raises
    ------
    CrosswalkError
        With one line for every column that is named and not found, fits several, is mapped twice, or is neither
        mapped nor ignored; every label that no coding or map knows; every weight that is not above zero; and every
        coding that contradicts itself.
    """
    where = f"wave {part.wave}"
    if mistakes := repeated(cells.columns, where=where):
        raise CrosswalkError(mistakes)
    words, mistakes = Words.of(part, where=where)
    rescaled, more = rescaled_columns([part])
    mistakes += more
    wave = Answers.empty(part, len(cells), rescaled)
    for name, rows, raw in raw_columns(cells):
        if name not in part.layouts:
            known = ", ".join(part.layouts)
            mistakes.append(Mistake(where, f"its cells have an unknown layout `{name}`", f"known: {known}"))
            continue
        reading = LayoutReading(cells, rows, raw, part, name, f"{where}, layout {name}")
        mistakes += read(reading, words, wave)
    if mistakes:
        raise CrosswalkError(dict.fromkeys(mistakes))
    return _assembled(len(cells), part, words, wave)


def rescaled_scales(parts: Iterable[HarmonisingPart]) -> dict[str, str]:
    """Give the response scale of each `<item>_rescaled` column that the waves have, in the order of the instrument.

    Raises
    ------
    CrosswalkError
        Naming every item that was asked on two other response scales: their values do not belong in one column.
    """
    found, mistakes = rescaled_columns(parts)
    if mistakes:
        raise CrosswalkError(mistakes)
    return found


def _assembled(size: int, part: HarmonisingPart, words: Words, wave: Answers) -> Harmonised:
    groups = (ORGANISATION, *part.known_variables)
    identity = {"wave": _always(part.wave, size), "respondent": _respondents(part.wave, size)}
    responses: dict[str, object] = {**identity, "evidence": _always(part.evidence.value, size)}
    complete = np.ones(size, dtype=np.bool_)
    values: dict[str, object] = {}
    reasons: dict[str, object] = {}
    for name in list(wave.states):
        states = wave.states.pop(name)
        reasons[name] = pd.Categorical.from_codes(np.where(states < 0, -states - 1, -1), dtype=REASONS)
        if name in groups:
            levels = pd.array([*words.levels[name], ""], dtype="str")
            responses[name] = levels.take(np.where(states > 0, states - 1, -1), allow_fill=True)
        else:
            complete &= states != BROKE_OFF
            missing = states <= 0
            values[name] = pd.arrays.IntegerArray(np.where(missing, 1, states).astype(np.int8), missing)
    responses |= {"complete": complete, "weight": wave.weight, **values}
    recodings = pd.DataFrame(wave.recodings, columns=list(RECODINGS))
    return Harmonised(
        pd.DataFrame(responses, copy=False),
        pd.DataFrame({**identity, **reasons}, copy=False),
        _problems(wave.problems, part, size),
        recodings.astype({name: "int64" if name == "n" else "str" for name in RECODINGS}),
    )


def _problems(found: list[pd.DataFrame], part: HarmonisingPart, size: int) -> pd.DataFrame:
    """Lay the problems out in the order of the cells; a wave without a single return is one."""
    order = ["return_place", "column_place"]
    if size == 0:
        nobody = {"file": "", "row": 0, "column": "*", "value": "", "problem": "no returns", "action": "none"}
        found = [pd.DataFrame([{"wave": part.wave, **nobody, "return_place": 0, "column_place": 0}])]
    if not found:
        found = [pd.DataFrame(columns=[*PROBLEMS, *order])]
    frame = pd.concat(found, ignore_index=True).sort_values(order, kind="stable", ignore_index=True)
    return frame[list(PROBLEMS)].astype({name: "int64" if name == "row" else "str" for name in PROBLEMS})


def _always(word: str, size: int) -> object:
    return pd.array([word], dtype="str").take(np.zeros(size, dtype=np.intp))


def _respondents(wave: str, size: int) -> object:
    """Give the respondents their numbers within the wave."""
    width = max(6, len(str(size)))
    return pd.array([f"{wave}-{number:0{width}d}" for number in range(1, size + 1)], dtype="str")
