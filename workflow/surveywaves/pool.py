"""The waves under each other, and the codebook that says what each column holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from surveywaves.harmonise import REASONS, rescaled_scales
from surveywaves.study.models import Item, ResponseScale
from surveywaves.study.parts import HarmonisingPart, StudyWords
from surveywaves.terms import ORGANISATION, RESCALED_SUFFIX, Comparability, Evidence, Missing

IDENTITY: Final = ("wave", "respondent")
CODEBOOK: Final = ("variable", "kind", "label", "values", "section", "scale", "keyed")


@dataclass(frozen=True, slots=True)
class Pooled:
    """All waves in one table."""

    responses: pd.DataFrame
    """One row a respondent, in the order of the waves. `<item>_rescaled` columns stand at the end in the order of the
    items; a wave that has none of its own is missing there."""
    missing: pd.DataFrame
    """The same rows: the reasons of missing values."""


def pool(responses: Sequence[pd.DataFrame], missing: Sequence[pd.DataFrame]) -> Pooled:
    """Put harmonised waves under each other; no row is lost, none comes twice.

    Parameters
    ----------
    responses, missing
        One frame a wave, in the order of the waves, as `harmonise` gives them.

    Raises
    ------
    ValueError
        If there is no wave, or frames do not belong together: other respondents, or columns of another study.
    """
    if not responses or len(responses) != len(missing):
        raise ValueError(f"{len(responses)} frames of responses and {len(missing)} of reasons")
    for one, why in zip(responses, missing, strict=True):
        same = one["respondent"].array.equals(why["respondent"].array)
        if not same or _base(one) != _base(responses[0]) or _base(why) != _base(missing[0]):
            raise ValueError(f"frames of {sorted(set(one['wave']))} do not belong to the others")
    base = _base(responses[0])
    rescaled = sorted(
        {str(name) for frame in responses for name in frame.columns} - set(base),
        key=lambda name: base.index(name.removesuffix(RESCALED_SUFFIX)),
    )
    not_asked = pd.Categorical([Missing.NOT_ASKED.value], dtype=REASONS)
    typed = [
        frame.astype({name: REASONS for name in frame.columns if name not in IDENTITY}) for frame in missing
    ]
    return Pooled(
        _stacked(responses, [*base, *rescaled], otherwise=pd.array([pd.NA], dtype="Int8")),
        _stacked(typed, [*_base(missing[0]), *rescaled], otherwise=not_asked),
    )


def codebook(presentation: StudyWords, *, parts: Iterable[HarmonisingPart] = ()) -> pd.DataFrame:
    """Return what each column of the pooled responses holds.

    Parameters
    ----------
    presentation
        Words for variables, items and values.
    parts
        What the waves' cells mean: they tell which items are kept on another response scale, and on which. Without
        them the codebook has no rescaled items.

    Returns
    -------
    DataFrame
        One row a column of the pooled responses, in their order: `CODEBOOK` (`values` as ``1=Disagree; 2=Agree``),
        then one column a wave with its comparability grade: of an item as the crosswalk gives it (an item without a
        row there is `absent`), of a rescaled item `rescaled` where the wave has it, otherwise empty. All text.

    Raises
    ------
    CrosswalkError
        If an `<item>_rescaled` column would hold two response scales.
    """
    parts = list(parts)
    by_wave = {part.wave: rescaled_scales([part]) for part in parts}
    rows = [
        _row("wave", "id", "Wave", {name: wave.title for name, wave in presentation.waves.items()}),
        _row("respondent", "id", "Respondent (numbered within the wave; says nothing of who it is)"),
        _row("evidence", "id", "What the wave's data are", {word.value: word.meaning for word in Evidence}),
        _row(ORGANISATION, "group", "Organisation", presentation.organisations),
        *(
            _row(name, "group", variable.label, variable.levels)
            for name, variable in presentation.variables.items()
        ),
        _row("complete", "group", "Did not break off", {"True": "yes", "False": "no"}),
        _row("weight", "weight", "Survey weight"),
    ]
    for item in presentation.items.values():
        grades = {
            name: wave.comparability.get(item.item, Comparability.ABSENT.value)
            for name, wave in presentation.waves.items()
        }
        rows.append(_item_row(item, presentation.response_scales[item.response_scale]) | grades)
    for column, scale in rescaled_scales(parts).items():
        item = presentation.items[column.removesuffix(RESCALED_SUFFIX)]
        grades = {
            name: Comparability.RESCALED.value if column in by_wave.get(name, {}) else ""
            for name in presentation.waves
        }
        rows.append(_item_row(item, presentation.response_scales[scale], rescaled=True) | grades)
    columns = [*CODEBOOK, *presentation.waves]
    return pd.DataFrame(rows, columns=columns).fillna("").astype("str")


def questions(presentation: StudyWords) -> pd.DataFrame:
    """Return how each wave asked each item.

    Parameters
    ----------
    presentation
        Items, and what the waves' crosswalks say of them.

    Returns
    -------
    DataFrame
        One row an item and wave, in the order of the instrument: `item, wave, comparability, instrument_wording,
        wave_wording` (empty where the wave did not ask it; the instrument's where the crosswalk gives no other),
        `note`. All text.
    """
    rows = []
    for item in presentation.items.values():
        for name, wave in presentation.waves.items():
            grade = wave.comparability.get(item.item, Comparability.ABSENT.value)
            asked = grade != Comparability.ABSENT.value
            rows.append(
                {
                    "item": item.item,
                    "wave": name,
                    "comparability": grade,
                    "instrument_wording": item.text,
                    "wave_wording": wave.wordings.get(item.item, item.text) if asked else "",
                    "note": wave.notes.get(item.item, ""),
                }
            )
    return pd.DataFrame(rows, dtype="str")


# --- how it is done ---------------------------------------------------------------------------------------------


def _base(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if not str(name).endswith(RESCALED_SUFFIX)]


def _stacked(
    frames: Sequence[pd.DataFrame], columns: Sequence[str], *, otherwise: pd.api.extensions.ExtensionArray
) -> pd.DataFrame:
    """Put frames under each other; a column that one of them lacks holds `otherwise` (one value) there."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    name: frame[name].array if name in frame else otherwise.take([0] * len(frame))
                    for name in columns
                },
                copy=False,
            )
            for frame in frames
        ],
        ignore_index=True,
    )


def _row(variable: str, kind: str, label: str, values: Mapping[str, str] | None = None) -> dict[str, str]:
    words = "; ".join(f"{value}={word}" for value, word in (values or {}).items())
    return {"variable": variable, "kind": kind, "label": label, "values": words}


def _item_row(item: Item, scale: ResponseScale, *, rescaled: bool = False) -> dict[str, str]:
    values = {str(value): label for value, label in enumerate(scale.labels, start=1)}
    name, kind = (item.item + RESCALED_SUFFIX, "rescaled_item") if rescaled else (item.item, "item")
    return {
        **_row(name, kind, item.text, values),
        "section": str(item.section),
        "scale": item.scale or "",
        "keyed": item.keyed,
    }
