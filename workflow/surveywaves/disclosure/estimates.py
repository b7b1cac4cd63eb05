"""Tidy tables: which estimates and numbers of respondents must not be shown, and which not to every digit.

An estimate of a model or of a scale's reliability comes from many answers of many people at once and gives no answer
away by itself (Griffiths et al. 2019, Handbook on Statistical Disclosure Control for Outputs, class "safe"), with four
exceptions: it may describe a group that is not shown; its `n` is a count like any other; a mean over a scale's items
would give back the one item whose mean is withheld; and a model of one item is nearly a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.groups import Groups, Place
from surveywaves.disclosure.rule import Rule
from surveywaves.disclosure.system import BoolArray
from surveywaves.tidy import ALL, DECIDED, NUMBERS, Status

DECIMALS: Final = 2
PERCENT_DECIMALS: Final = 0
"""Decimals of an estimate that comes near to withheld counts; of a percentage."""

PERCENT: Final = "percent_favourable"
NOTE: Final = "withheld to protect respondents"
MAIN: Final = "main"
LEFT_OUT: Final = "left out"
"""How a note begins that counts respondents."""

EXACT: Final = ("estimate", "std_error", "conf_low", "conf_high", "p_value", "p_adjusted", *DECIDED[1:3])


@dataclass(frozen=True, slots=True)
class Shown:
    """A tidy table after the rule, and which of its rows lost their estimate, their `n`, or digits."""

    table: pd.DataFrame
    estimate: BoolArray
    n: BoolArray
    rounded: BoolArray


def small_cells(tables: Collection[pd.DataFrame], rule: Rule) -> frozenset[tuple[str, Place]]:
    """List scales, waves and organisations of which some table counts fewer respondents than may be shown.

    A table's own waves and organisations are looked at, not contrasts between them: these name both sides.
    """
    found = set()
    for table in tables:
        few = table[table["n"].notna() & table["n"].fillna(0).map(rule.small)]
        for scale, wave, organisation in zip(few["scale"], few["wave"], few["organisation"], strict=True):
            if len(_named(wave)) == len(_named(organisation)) == 1:
                found.add((scale, (wave, organisation)))
    return frozenset(found)


def release_estimates(
    table: pd.DataFrame,
    *,
    groups: Groups,
    small: frozenset[tuple[str, Place]],
    extremes: BoolArray | None = None,
    near: Collection[str] = (),
    near_items: Collection[str] = (),
    in_disguise: Collection[str] = (),
    bare: Collection[str] = (),
    unbased: Collection[str] = (),
    rule: Rule,
) -> Shown:
    """Withhold and round in a tidy table.

    Parameters
    ----------
    table
        Tidy, with the columns of a decision or without.
    groups
        The organisations, and whose size is withheld.
    small
        As `small_cells` gives them: the same goes for them.
    extremes
        Rows whose estimate is a count that is withheld.
    near, near_items
        Scales, and items by themselves, of which some count of an answer is withheld: fewer digits are shown.
    in_disguise, bare
        Items of which some count is withheld and whose model is the table itself (two response options); scales that
        are one such item, whose mean is the item's: no estimate.
    unbased
        Items of which the number of answers is withheld somewhere: no `n`.
    rule
        The rule.

    Returns
    -------
    Shown
        The table: estimates withheld have the status `withheld` and a note, and no `n`; elsewhere `n` may be missing.
    """
    refused, uncounted, places = [], [], _Places(groups)
    for scale, item, wave, organisation, n in zip(
        *(table[name] for name in ("scale", "item", "wave", "organisation", "n")), strict=True
    ):
        own = {place for name, place in small if name == scale}
        few = bool(pd.notna(n) and rule.small(int(n)))
        named, covered = places.named(wave, organisation), places.covered(wave, organisation)
        few = few or item in in_disguise or scale in bare
        refused.append(few or bool(named & (groups.small | own)))
        uncounted.append(item in unbased or bool(covered & (groups.hidden | own)))
    estimate = np.array(refused, dtype=np.bool_)
    if extremes is not None:
        estimate |= extremes
    # The percentage is withheld, the number it is of is not.
    number = np.array(uncounted, dtype=np.bool_) | np.array(refused, dtype=np.bool_)
    if "variant" in table:
        number |= _other_respondents(table)
    one = table["item"].isin(near_items) | (table["scale"].isin(near) & (table["item"] == ""))
    digits = ~estimate & one.to_numpy(dtype=np.bool_)
    shown = _shown(_rounded(table, digits), estimate, number)
    return Shown(shown, estimate, number & table["n"].notna().to_numpy(dtype=np.bool_), digits)


def release_agreement(table: pd.DataFrame, contrasts: pd.DataFrame) -> tuple[pd.DataFrame, BoolArray]:
    """Withhold how many variants agree on a contrast that is withheld itself (`contrasts`: the released table)."""
    names = ["scale", "term", "wave", "organisation"]
    gone = contrasts[(contrasts["status"] == Status.WITHHELD.value) & (contrasts["item"] == "")]
    places = set(zip(*(gone[name] for name in names), strict=True))
    hide = np.array(
        [place in places for place in zip(*(table[name] for name in names), strict=True)], dtype=np.bool_
    )
    shown = table.assign(decision=table["decision"].mask(hide, ""), words=table["words"].mask(hide, NOTE))
    for name in ("agreeing", "variants"):
        shown[name] = shown[name].astype("Int64").mask(hide)
    return shown, hide


def _shown(table: pd.DataFrame, estimate: BoolArray, number: BoolArray) -> pd.DataFrame:
    shown = table.copy()
    for name in (*NUMBERS, *DECIDED[:3]):
        if name in shown:
            shown[name] = shown[name].mask(estimate)
    if "decision" in shown:
        shown["decision"] = shown["decision"].mask(estimate, "")
    shown["n"] = shown["n"].mask(number)
    # What had no estimate anyway keeps its reason, unless that reason counts somebody.
    lost = estimate & table["status"].isin([Status.OK.value, Status.BOUNDARY.value]).to_numpy(dtype=np.bool_)
    shown["status"] = shown["status"].mask(lost, Status.WITHHELD.value)
    counted = number & table["note"].str.startswith(LEFT_OUT).to_numpy(dtype=np.bool_)
    shown["note"] = shown["note"].mask(lost, NOTE).mask(counted & ~lost, "")
    return shown


def _rounded(table: pd.DataFrame, marks: BoolArray) -> pd.DataFrame:
    if not marks.any():
        return table
    rounded, percent = table.copy(), table["term"].str.endswith(PERCENT).to_numpy(dtype=np.bool_)
    for name in EXACT:
        if name in rounded:
            values = rounded[name].to_numpy(dtype=np.float64)
            coarse = np.where(
                percent & (not name.startswith("p_")),
                np.round(values, PERCENT_DECIMALS),
                np.round(values, DECIMALS),
            )
            # Not -0.0: it would be written so.
            rounded[name] = np.where(marks, coarse + 0.0, values)
    return rounded


def _other_respondents(table: pd.DataFrame) -> BoolArray:
    """Mark the variants whose respondents are others than those of the main analysis.

    The difference is a count of people (of those who answered on paper, say), and what several contrasts tell of it
    together can be more than each does; so it is not shown at all.
    """
    place = ["scale", "term", "wave", "organisation"]
    main = table[table["variant"] == MAIN].set_index(place)["n"]
    own = table.set_index(place)["n"]
    differs = (own.fillna(-1) != main[~main.index.duplicated()].reindex(own.index).fillna(-1)).to_numpy()
    variants = set(zip(table.loc[differs, "variant"], table.loc[differs, "scale"], strict=True))
    return np.array(
        [one in variants for one in zip(table["variant"], table["scale"], strict=True)], dtype=np.bool_
    )


def _named(label: str) -> list[str]:
    return label.split(" - ")


class _Places:
    """Which waves and organisations a row's labels name, and whose respondents are among those it is about."""

    def __init__(self, groups: Groups) -> None:
        self.waves = list(dict.fromkeys(wave for wave, _ in groups.sizes))
        self.organisations = list(dict.fromkeys(organisation for _, organisation in groups.sizes))
        self.known: dict[tuple[str, str], tuple[frozenset[Place], frozenset[Place]]] = {}

    def named(self, wave: str, organisation: str) -> frozenset[Place]:
        """Give the cells that the labels name."""
        return self._both(wave, organisation)[0]

    def covered(self, wave: str, organisation: str) -> frozenset[Place]:
        """Give the cells that the labels name or include."""
        return self._both(wave, organisation)[1]

    def _both(self, wave: str, organisation: str) -> tuple[frozenset[Place], frozenset[Place]]:
        if (wave, organisation) not in self.known:
            named = frozenset(self._cells(_named(wave), _named(organisation)))
            waves = self.waves if wave in (ALL, "") else _named(wave)
            organisations = self.organisations if organisation in (ALL, "") else _named(organisation)
            self.known[wave, organisation] = (
                named,
                named | frozenset(self._cells(waves, organisations)),
            )
        return self.known[wave, organisation]

    @staticmethod
    def _cells(waves: Collection[str], organisations: Collection[str]) -> Iterator[Place]:
        return ((wave, organisation) for wave in waves for organisation in organisations)
