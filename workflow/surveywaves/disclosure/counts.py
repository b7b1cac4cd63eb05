"""Count tables with marks: what is withheld becomes empty, and `status` says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.describe import NOT_STATED, ORGANISATION
from surveywaves.disclosure.groups import Groups
from surveywaves.disclosure.items import ItemPlace
from surveywaves.disclosure.system import BoolArray, Marks
from surveywaves.tidy import ALL, Status

WHOLE: Final = (
    "n",
    "base",
    "returns",
    "favourable_n",
    "population",
    "rows_in",
    "rows_kept",
    "rows_set_aside",
)
"""Columns of whole numbers, which can be empty once something is withheld."""

Hidden = dict[str, BoolArray]
"""Column -> which rows are withheld in it."""


def frequencies(table: pd.DataFrame, marks: Mapping[ItemPlace, Marks]) -> pd.DataFrame:
    """Withhold in the table of `describe.item_frequencies`: percentages go with their count or their base."""
    n, base = [], []
    for wave, item, organisation, response in zip(
        *(table[name] for name in ("wave", "item", "organisation", "response")), strict=True
    ):
        own = marks[wave, item]
        n.append(own["n", organisation, int(response)])
        base.append(own["base", organisation])
    return withheld(table, _with_percent(n, base))


def summary(table: pd.DataFrame, marks: Mapping[ItemPlace, Marks]) -> pd.DataFrame:
    """Withhold in the table of `describe.item_summary`: mean and standard deviation need every response shown."""
    base, moments, good = [], [], []
    incomplete = {
        (wave, item, name[1])
        for (wave, item), own in marks.items()
        for name, mark in own.items()
        if mark and isinstance(name, tuple) and name[0] == "n"
    }
    for wave, item, organisation in zip(
        *(table[name] for name in ("wave", "item", "organisation")), strict=True
    ):
        own = marks[wave, item]
        base.append(own["base", organisation])
        good.append(own["favourable", organisation])
        moments.append(base[-1] or (wave, item, organisation) in incomplete)
    hide = np.array(moments, dtype=np.bool_)
    shown = _with_percent(good, base)
    return withheld(
        table,
        {
            "base": shown["base"],
            "mean": hide,
            "sd": hide,
            "favourable_n": shown["n"],
            "favourable_percent": shown["percent"],
        },
    )


def respondents(table: pd.DataFrame, marks: Mapping[str, Marks]) -> pd.DataFrame:
    """Withhold in the table of `describe.respondents`."""
    n, base = [], []
    for wave, organisation, variable, level in zip(
        *(table[name] for name in ("wave", "organisation", "variable", "level")), strict=True
    ):
        own = marks[wave]
        n.append(own["size", level] if variable == ORGANISATION else own["n", variable, organisation, level])
        asked = own.get(("asked", variable, organisation), own["size", organisation])
        base.append(asked if level == NOT_STATED else own["base", variable, organisation])
    return withheld(table, _with_percent(n, base))


def missing(table: pd.DataFrame, marks: Mapping[ItemPlace, Marks], groups: Groups) -> pd.DataFrame:
    """Withhold in the table of `describe.missing_summary`."""
    n = [marks[wave, item][reason] for wave, item, reason in _places(table, ("wave", "item", "reason"))]
    returns = [(wave, ALL) in groups.hidden for wave in table["wave"]]
    shown = _with_percent(n, returns)
    return withheld(table, {"n": shown["n"], "percent": shown["percent"], "returns": shown["base"]})


def response_rates(table: pd.DataFrame, groups: Groups) -> pd.DataFrame:
    """Withhold in the table of `describe.response_rates`: the note of an impossible rate says how many there were."""
    hide = np.array([(wave, ALL) in groups.hidden for wave in table["wave"]], dtype=np.bool_)
    shown = withheld(table, dict.fromkeys(("returns", "rate", "conf_low", "conf_high"), hide))
    return shown.assign(note=shown["note"].mask(pd.Series(hide, index=shown.index), ""))


def withheld(table: pd.DataFrame, hidden: Mapping[str, BoolArray]) -> pd.DataFrame:
    """Empty the marked cells; a row with any has the status `withheld`, every other keeps its own (`ok` by default).

    Columns of whole numbers become nullable, whether anything is withheld or not.
    """
    shown = table.astype({name: "Int64" for name in WHOLE if name in table})
    status = (
        table["status"] if "status" in table else pd.Series(Status.OK.value, index=table.index, dtype="str")
    )
    for name, marks in hidden.items():
        # What was empty already, a percentage of nobody say, is not withheld but still marked: its row tells.
        shown[name] = shown[name].mask(marks)
        status = status.mask(marks, Status.WITHHELD.value)
    shown["status"] = status.astype("str")
    return shown


def _with_percent(n: Sequence[bool], base: Sequence[bool]) -> Hidden:
    counts, bases = np.array(n, dtype=np.bool_), np.array(base, dtype=np.bool_)
    return {"n": counts, "percent": counts | bases, "base": bases}


def _places(table: pd.DataFrame, columns: Sequence[str]) -> zip[tuple[str, ...]]:
    return zip(*(table[name] for name in columns), strict=True)
