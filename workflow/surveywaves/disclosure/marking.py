"""Tables of counts as they are shown: what is withheld is empty, and `status` says so."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.count_tables import ASKED, BASE, GOOD, TERMS, Shown
from surveywaves.disclosure.rule import BoolArray, Rule
from surveywaves.terms import ALL, NOT_STATED, ROW_COUNTS, Status
from surveywaves.tidy import floats, tuples

WHOLE: Final = ("n", "base", "returns", "favourable_n", "population", *ROW_COUNTS)
"""Columns of whole numbers, which can be empty once something is withheld."""

WEIGHTED: Final = "weighted_"
"""How the columns begin that are by sampling weights."""


def frequencies(table: pd.DataFrame, found: Shown) -> pd.DataFrame:
    """Show the table of `describe.item_frequencies`."""
    n: list[float | None] = []
    base: list[float | None] = []
    for wave, item, organisation, response in tuples(table, "wave", "item", "organisation", "response"):
        own = found.answers.get((wave, item, organisation), {})
        n.append(own.get(response))
        base.append(own.get(BASE))
    return _shown(table, found, {"n": n, "base": base, "percent": _percent(n, base)})


def summary(table: pd.DataFrame, found: Shown) -> pd.DataFrame:
    """Show the table of `describe.item_summary`: mean and standard deviation are those of the counts that are shown."""
    columns: dict[str, list[float | None]] = {name: [] for name in (BASE, "mean", "sd", GOOD)}
    for wave, item, organisation in tuples(table, "wave", "item", "organisation"):
        own = found.answers.get((wave, item, organisation), {})
        base, good = own.get(BASE), own.get(GOOD)
        mean = sd = None
        if base is not None and None not in own.values():
            counts = [(one, n or 0) for one, n in own.items() if one not in (BASE, GOOD)]
            mean = sum(response * n for response, n in counts) / base if base else math.nan
            squares = sum(n * (response - mean) ** 2 for response, n in counts)
            sd = math.sqrt(squares / (base - 1)) if base > 1 else math.nan
        for name, value in zip(columns, (base, mean, sd, good), strict=True):
            columns[name].append(value)
    percent = _percent(columns[GOOD], columns[BASE])
    shown = _shown(table, found, {**columns, "favourable_percent": percent})
    # What is shown of nobody is not estimable, whether that is so or rounded.
    nobody = shown["base"].eq(0).fillna(False).astype("bool")
    return shown.assign(status=shown["status"].mask(nobody, Status.NOT_ESTIMABLE.value))


def respondents(table: pd.DataFrame, found: Shown) -> pd.DataFrame:
    """Show the table of `describe.respondents`: the sizes of organisations are no exact counts either."""
    n: list[float | None] = []
    base: list[float | None] = []
    sizes: list[bool] = []
    for wave, organisation, variable, level in tuples(table, "wave", "organisation", "variable", "level"):
        own = found.people.get((wave, variable, organisation), {})
        sizes.append(organisation == ALL and bool(own))
        n.append(own.get(level))
        base.append(own.get(ASKED if level == NOT_STATED else BASE))
    also = np.array(sizes, dtype=np.bool_)
    return _shown(table, found, {"n": n, "base": base, "percent": _percent(n, base)}, also)


def ends_of(reliability: pd.DataFrame) -> pd.DataFrame:
    """Count who stands at an end of a scale: `scale, term, wave, organisation, n`, a row of the table each."""
    rows = reliability[reliability["term"].isin(TERMS) & reliability["estimate"].notna()]
    n = [round(percent * int(size) / 100) for percent, size in tuples(rows, "estimate", "n")]
    return rows[["scale", "term", "wave", "organisation"]].assign(n=pd.array(n, dtype="Int64"))


def ends(reliability: pd.DataFrame, found: Shown) -> pd.DataFrame:
    """Return what is shown of `ends_of`."""
    table = ends_of(reliability)
    n: list[int | None] = []
    for scale, term, wave, organisation, count in tuples(table, *table):
        exact = (wave, organisation) in found.exact or wave == organisation == ALL
        n.append(count if exact else found.ends.get((scale, term, wave, organisation)))
    return table.assign(n=pd.array(n, dtype="Int64"))


STEPS: Final = (1, 2, 5, 10, 20)
"""Percent that weighted percentages are whole multiples of; weighted means are of a tenth of these."""


def heaviest(responses: pd.DataFrame) -> dict[str, float]:
    """Compare the largest weight of each wave with the mean weight."""
    if "weight" not in responses:
        return {}
    weights = responses["weight"].astype("Float64").groupby(responses["wave"])
    return {
        str(wave): float(own.max() / own.mean())
        for wave, own in weights
        if own.notna().any() and own.sum() > 0
    }


def weighted(table: pd.DataFrame, largest: Mapping[str, float], rule: Rule) -> pd.DataFrame:
    """Round what is weighted in a released count table, or withhold it.

    Weights differ by group: beside the counts of all, a weighted percentage tells how they divide. It is shown in steps
    that a few persons (the base of rounding, or the threshold) of the largest weight can make: so many may be of
    another group, and it says the same. Nothing is shown of fewer than `smallest_group` respondents, or where any count
    of the same question and organisation is withheld.

    Parameters
    ----------
    table
        The released table.
    largest
        As `heaviest` gives it; waves without weights are not in it.
    rule
        The rule.
    """
    columns = [name for name in map(str, table) if name.startswith(WEIGHTED)]
    if not columns or rule.public:
        return table
    count = "n" if "n" in table else "base"
    question = [table[name] for name in ("wave", "organisation", "item" if "item" in table else "variable")]
    gone = table["status"].eq(Status.WITHHELD.value).groupby(question).transform("any")
    few = table[count].fillna(0).lt(rule.smallest_group)
    if "favourable_n" in table:
        few |= table["favourable_n"].fillna(0).lt(rule.smallest_group)
    people = rule.rounding or rule.threshold
    base = floats(table["base"])
    least = 100 * people * table["wave"].map(largest).fillna(1.0).to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.searchsorted(STEPS, least / base)
    step = np.append(np.array(STEPS, dtype=np.float64), np.nan)[place]
    shown = {}
    for name in columns:
        own = step / 10 if name == "weighted_mean" else step
        # Whole multiples of the step, to the digits that it has.
        near = (np.round(table[name].to_numpy(dtype=np.float64) / own) * own).round(1)
        shown[name] = pd.Series(near, index=table.index).mask(gone | few)
    # The status of a row is that of its counts.
    return table.assign(**shown)


def blank(table: pd.DataFrame, keep: Collection[str] = ()) -> pd.DataFrame:
    """Withhold all numbers of some rows, but for what is to be kept."""
    numbers = [name for name in map(str, table) if name in WHOLE or table[name].dtype.kind == "f"]
    every = np.ones(len(table), dtype=np.bool_)
    shown = withheld(table, dict.fromkeys([name for name in numbers if name not in keep], every))
    return shown.assign(note="") if "note" in shown else shown


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


Numbers = Sequence[float | None]


def _shown(
    table: pd.DataFrame, found: Shown, columns: Mapping[str, Numbers], also: BoolArray | None = None
) -> pd.DataFrame:
    """Put numbers in, but for rows that are shown as they are (none of `also`); None is withheld."""
    places = zip(table["wave"], table["organisation"], strict=True)
    exact = np.array([place in found.exact for place in places], dtype=np.bool_)
    if also is not None:
        exact &= ~also
    shown = table.copy()
    hidden = ~exact & np.array([None in row for row in zip(*columns.values(), strict=True)], dtype=np.bool_)
    for name, values in columns.items():
        numbers = np.array([math.nan if one is None else one for one in values], dtype=np.float64)
        own = np.where(exact, table[name].to_numpy(dtype=np.float64), numbers)
        whole = [None if math.isnan(one) else round(one) for one in own]
        shown[name] = pd.array(whole, dtype="Int64") if name in WHOLE else own
    status = shown["status"] if "status" in shown else pd.Series(Status.OK.value, index=shown.index)
    return shown.assign(status=status.mask(hidden, Status.WITHHELD.value).astype("str"))


def _percent(n: Numbers, base: Numbers) -> list[float | None]:
    return [
        None if count is None or whole is None else 100 * count / whole if whole else math.nan
        for count, whole in zip(n, base, strict=True)
    ]
