"""What was answered, by whom, and what is missing: counts and percentages in the form of published tables.

Every return counts once in counts and percentages, because published tables are unweighted and these are held against
them. Where waves have sampling weights, weighted percentages and means stand beside, in columns of their own: the sum
of the weights of those who gave an answer over that of all who answered (Hajek's estimate, as `survey::svymean`). They
are empty for waves without weights. Percentages run from 0 to 100 and keep all their digits.

`organisation` is `all` (every return of the wave, whether it names an organisation or not), each organisation that the
wave surveyed (with zero counts and no percentage where nobody of it answered; never one that it did not survey), and
`not_stated` where some returns name none.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.sample import Asked
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Missing, Status

TEXT: Final = (
    *("wave", "organisation", "item", "variable", "level", "reason", "status", "note"),
    *("table", "row", "category"),
)
COUNTS: Final = ("n", "base", "returns", "response", "favourable_n", "section", "count")


class Counted(Asked, Protocol):
    """An item as counts need it."""

    @property
    def section(self) -> int:
        """Section of the questionnaire it stands in."""


class Described(NamedTuple):
    """Counts and percentages of a study: see the functions of the same names, and `missing_summary`."""

    item_frequencies: pd.DataFrame
    item_summary: pd.DataFrame
    respondents: pd.DataFrame
    response_rates: pd.DataFrame
    missing: pd.DataFrame


def describe(
    responses: pd.DataFrame,
    missing: pd.DataFrame,
    instrument: Sequence[Counted],
    *,
    surveyed: Mapping[str, Sequence[str]],
    variables: Mapping[str, Sequence[str]],
    populations: Mapping[str, int | None],
    approximate: Mapping[str, tuple[int, int] | None] = MappingProxyType({}),
    weighted: Collection[str] = (),
) -> Described:
    """Count who answered what, and what is missing.

    Parameters
    ----------
    responses, missing
        As `pool` gives them, row for row.
    instrument
        The items, in the order of the tables.
    surveyed
        Wave -> the organisations it surveyed.
    variables
        Grouping variable -> its levels.
    populations, approximate
        See `response_rates`.
    weighted
        Waves that have sampling weights, in the column `weight` of the responses; none: nothing is weighted.
    """
    frequencies = item_frequencies(
        responses,
        missing,
        items={item.item: item.points for item in instrument},
        organisations=surveyed,
        weighted=weighted,
    )
    return Described(
        item_frequencies=frequencies,
        item_summary=item_summary(
            frequencies,
            favourable={item.item: item.favourable for item in instrument},
            keys={item.item: item.key for item in instrument},
        ),
        respondents=respondents(
            responses, missing, variables=variables, organisations=surveyed, weighted=weighted
        ),
        response_rates=response_rates(responses, populations=populations, approximate=approximate),
        missing=missing_summary(missing, sections={item.item: item.section for item in instrument}),
    )


def item_frequencies(
    responses: pd.DataFrame,
    missing: pd.DataFrame,
    *,
    items: Mapping[str, int],
    organisations: Mapping[str, Sequence[str]],
    weighted: Collection[str] = (),
) -> pd.DataFrame:
    """Count the answers to each item.

    Parameters
    ----------
    responses, missing
        As `pool` gives them, row for row.
    items
        Item -> points of its response scale.
    organisations
        Wave -> the organisations it surveyed; both in the order of the table.
    weighted
        Waves with sampling weights: with any there is a column `weighted_percent`, of the base.

    Returns
    -------
    DataFrame
        One row a wave, organisation, item and response: `wave, organisation, item, response` (1..K as worded), `n`,
        `percent` of the base (NaN where it is 0), `base` (answers to the item). Zero counts are listed. An item has
        no rows in a wave that did not ask it. The rows of a wave with organisation `all` are the form in which the
        tables of a survey are published (see `surveywaves.published`).

    Raises
    ------
    ValueError
        If there is a wave, an organisation of a wave or a value that the options do not know.
    """
    groups = _Groups.of(responses, organisations, weighted)
    asked = _asked(missing, items)
    rows = []
    tallies = {item: groups.tally(_values(responses[item], points), points) for item, points in items.items()}
    for wave, organisation, members in groups.members:
        for item in (item for item in items if item in asked[wave]):
            n, w = (counts[members, 1:].sum(axis=0) for counts in tallies[item])
            numbers = enumerate(zip(n, w, strict=True), start=1)
            rows += [(wave, organisation, item, value, *counted) for value, counted in numbers]
    frame = pd.DataFrame(rows, columns=["wave", "organisation", "item", "response", "n", "weight"])
    weight, place = frame.pop("weight"), [frame[name] for name in ("wave", "organisation", "item")]
    base = frame.groupby(["wave", "organisation", "item"])["n"].transform("sum")
    frame = frame.assign(percent=_percent(frame["n"], base), base=base)
    if weighted:
        frame["weighted_percent"] = _percent(weight, weight.groupby(place).transform("sum"))
    return _typed(frame)


def item_summary(
    frequencies: pd.DataFrame, *, favourable: Mapping[str, Collection[int]], keys: Mapping[str, int]
) -> pd.DataFrame:
    """Sum up the answers to each item.

    Parameters
    ----------
    frequencies
        As `item_frequencies` gives them.
    favourable
        Item -> values counted as favourable on its response scale (4 and 5 of 5, say).
    keys
        Item -> 1, or -1 where agreement means less of what is measured: the mirror image of the values is favourable.

    Returns
    -------
    DataFrame
        One row a wave, organisation and item: `base`; `mean` and `sd` (n - 1; NaN for one answer) of the values as
        worded, not reversed; `favourable_n` and `favourable_percent` of the base; `status`, ``not_estimable`` where
        nobody answered. Where the frequencies have weighted percentages, `weighted_mean` and
        `weighted_favourable_percent` besides.
    """
    place = ["wave", "organisation", "item"]
    weighted = "weighted_percent" in frequencies
    rows: list[list[Any]] = []
    for where, answers in frequencies.groupby(place, sort=False):
        item, values, n = str(where[2]), answers["response"].to_numpy(), answers["n"].to_numpy()
        base = int(n.sum())
        mean = float(n @ values) / base if base else math.nan
        sd = math.sqrt(float(n @ (values - mean) ** 2) / (base - 1)) if base > 1 else math.nan
        good = values if keys[item] > 0 else len(values) + 1 - values
        status = Status.OK if base else Status.NOT_ESTIMABLE
        wanted = np.isin(good, list(favourable[item]))
        row = [*where, base, mean, sd, int(n[wanted].sum()), status.value]
        if weighted:
            share = answers["weighted_percent"].to_numpy()
            row += [float(share @ values) / 100, float(share[wanted].sum())]
        rows.append(row)
    beside = ["weighted_mean", "weighted_favourable_percent"] if weighted else []
    frame = pd.DataFrame(rows, columns=[*place, "base", "mean", "sd", "favourable_n", "status", *beside])
    frame.insert(7, "favourable_percent", _percent(frame["favourable_n"], frame["base"]))
    return _typed(frame)


def respondents(
    responses: pd.DataFrame,
    missing: pd.DataFrame,
    *,
    variables: Mapping[str, Sequence[str]],
    organisations: Mapping[str, Sequence[str]],
    weighted: Collection[str] = (),
) -> pd.DataFrame:
    """Count who answered.

    Parameters
    ----------
    responses, missing
        As `pool` gives them, row for row.
    variables
        Grouping variable -> its levels; both in the order of the table.
    organisations
        Wave -> the organisations it surveyed; both in the order of the table.
    weighted
        Waves with sampling weights: with any there is a column `weighted_percent`, of the base.

    Returns
    -------
    DataFrame
        One row a wave, organisation, variable and level: `wave, organisation, variable, level, n, percent, base`. For
        a level, `base` is the returns that state the variable; the level `not_stated` (returns that were asked and
        left no valid answer) has all that were asked as its base. Zero counts are listed. `organisation` itself is
        counted as a variable among all returns. A variable has no rows in a wave that did not ask it.

    Raises
    ------
    ValueError
        If there is a wave, an organisation of a wave or a level that the options do not know.
    """
    groups = _Groups.of(responses, organisations, weighted)
    asked = _asked(missing, [ORGANISATION, *variables])
    every = {ORGANISATION: _every(organisations), **variables}
    tallies = {}
    for name, levels in every.items():
        codes = _codes(responses[name], levels, what=f"level of {name}") + 1
        not_asked = (missing[name] == Missing.NOT_ASKED.value).to_numpy()
        codes[(codes == 0) & not_asked] = len(levels) + 1
        tallies[name] = groups.tally(codes, len(levels) + 1)
    rows = []
    for wave, organisation, members in groups.members:
        own = {ORGANISATION: organisations[wave]} if organisation == ALL else {}
        for name, levels in {**own, **variables}.items():
            if name in asked[wave]:
                counts = (one[members].sum(axis=0).tolist() for one in tallies[name])
                (none, *stated, _), (lost, *some, _) = counts
                n, w = (dict(zip(every[name], one, strict=True)) for one in (stated, some))
                base, total, place = sum(stated), sum(some), (wave, organisation, name)
                rows += [(*place, level, n[level], base, w[level], total) for level in levels]
                rows.append((*place, NOT_STATED, none, base + none, lost, total + lost))
    columns = ["wave", "organisation", "variable", "level", "n", "base", "weight", "of"]
    frame = pd.DataFrame(rows, columns=columns)
    weight, of = frame.pop("weight"), frame.pop("of")
    frame.insert(5, "percent", _percent(frame["n"], frame["base"]))
    if weighted:
        frame["weighted_percent"] = _percent(weight, of)
    return _typed(frame)


def response_rates(
    responses: pd.DataFrame,
    *,
    populations: Mapping[str, int | None],
    approximate: Mapping[str, tuple[int, int] | None] = MappingProxyType({}),
) -> pd.DataFrame:
    """Relate returns to those who could have answered.

    Parameters
    ----------
    responses
        As `pool` gives them.
    populations
        Wave -> how many could have answered, None if nobody knows; in the order of the table.
    approximate
        Waves whose population is an estimate -> the fewest and most that it may be, None if nobody said.

    Returns
    -------
    DataFrame
        One row a wave: `wave, returns, population, rate` (0 to 1), `conf_low, conf_high`, `status, note`. Everybody
        was asked, so the rate is a count over a count and has no sampling error: where the population is an estimate
        the bounds are the returns over the most and the fewest that it may be, elsewhere empty. Without a population,
        or with one smaller than the returns, the rate is ``not_estimable`` and the note says why. Every return counts,
        complete or not.
    """
    returns = responses["wave"].value_counts()
    _refuse(set(returns.index) - set(populations), "wave")
    rows = []
    for wave, size in populations.items():
        n = int(returns.get(wave, 0))
        row = {"wave": wave, "returns": n, "population": size, "status": Status.OK.value, "note": ""}
        if size is None:
            rows.append(row | {"status": Status.NOT_ESTIMABLE.value, "note": "the population is not known"})
        elif n > size:
            note = f"{n} returns from a population of {size}"
            rows.append(row | {"status": Status.NOT_ESTIMABLE.value, "note": note})
        else:
            span = approximate.get(wave)
            note = "the population is an estimate" if wave in approximate else ""
            if span:
                note += f": {span[0]} to {span[1]}"
                row |= {"conf_low": n / span[1], "conf_high": min(n / span[0], 1.0)}
            rows.append(row | {"rate": n / size, "note": note})
    columns = ["wave", "returns", "population", "rate", "conf_low", "conf_high", "status", "note"]
    frame = pd.DataFrame(rows, columns=columns)
    return _typed(frame).astype({"population": "Int64", **dict.fromkeys(columns[3:6], "float64")})


def missing_summary(missing: pd.DataFrame, *, sections: Mapping[str, int]) -> pd.DataFrame:
    """Count missing answers by reason.

    Parameters
    ----------
    missing
        As `pool` gives it.
    sections
        Item -> section of the questionnaire it stands in; in the order of the table.

    Returns
    -------
    DataFrame
        One row a wave (in the order of the returns), item and reason: `wave, section, item, reason, n`, `percent` of
        the returns, `returns`. Zero counts are listed; so are items that a wave did not ask.
    """
    reasons = [reason.value for reason in Missing]
    waves, names = pd.factorize(missing["wave"])
    returns = np.bincount(waves, minlength=len(names))
    counts = {}
    for item in sections:
        codes = _codes(missing[item], reasons, what="reason") + 1
        cells = np.bincount(waves * (len(reasons) + 1) + codes, minlength=len(names) * (len(reasons) + 1))
        counts[item] = cells.reshape(len(names), len(reasons) + 1)
    rows = [
        (wave, section, item, reason, counts[item][code, column], returns[code])
        for code, wave in enumerate(names)
        for item, section in sections.items()
        for column, reason in enumerate(reasons, start=1)
    ]
    frame = pd.DataFrame(rows, columns=["wave", "section", "item", "reason", "n", "returns"])
    frame.insert(5, "percent", _percent(frame["n"], frame["returns"]))
    return _typed(frame)


# --- how it is done ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Groups:
    """Wave and organisation of every return as one number, and which numbers make up each group of a table."""

    codes: NDArray[np.int64]
    """Number of each return."""
    size: int
    """How many numbers there are."""
    members: tuple[tuple[str, str, list[int]], ...]
    """Wave, organisation and the numbers that belong to it, in the order of a table."""
    weights: NDArray[np.float64] | None
    """Each return's weight, missing in waves that have none; None where no wave has any."""

    @classmethod
    def of(
        cls,
        responses: pd.DataFrame,
        organisations: Mapping[str, Sequence[str]],
        weighted: Collection[str],
    ) -> _Groups:
        every = _every(organisations)
        width = len(every) + 1
        waves = _codes(responses["wave"], list(organisations), what="wave")
        codes = waves * width + _codes(responses[ORGANISATION], every, what="organisation") + 1
        size = len(organisations) * width
        filled = np.bincount(codes, minlength=size) > 0
        members: list[tuple[str, str, list[int]]] = []
        for number, (wave, own) in enumerate(organisations.items()):
            none = number * width
            code = {name: none + place for place, name in enumerate(every, start=1)}
            _refuse({name for name in every if filled[code[name]]} - set(own), f"organisation of {wave}")
            members.append((wave, ALL, [none, *code.values()]))
            members += [(wave, name, [code[name]]) for name in own]
            if filled[none]:
                members.append((wave, NOT_STATED, [none]))
        weights = None
        if weighted:
            own_weights = responses["weight"].where(responses["wave"].isin(list(weighted)))
            weights = np.asarray(own_weights.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
        return cls(codes, size, tuple(members), weights)

    def tally(
        self, values: NDArray[np.int64], highest: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | NDArray[np.float64]]:
        """Count values 0..highest by group, one row a group number, one column a value; and add up their weights."""
        cells, shape = self.codes * (highest + 1) + values, (self.size, highest + 1)
        counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        if self.weights is None:
            return counts, counts
        return counts, np.bincount(cells, self.weights, minlength=shape[0] * shape[1]).reshape(shape)


def _every(organisations: Mapping[str, Sequence[str]]) -> list[str]:
    """List the organisations that any wave surveyed."""
    return list(dict.fromkeys(name for own in organisations.values() for name in own))


def _asked(missing: pd.DataFrame, columns: Iterable[str]) -> Mapping[str, set[str]]:
    """Return, for each wave, the columns that were asked of at least one respondent."""
    waves, names = pd.factorize(missing["wave"])
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for column in columns:
        somebody = np.bincount(
            waves[(missing[column] != Missing.NOT_ASKED.value).to_numpy()], minlength=len(names)
        )
        for name, n in zip(names, somebody, strict=True):
            if n:
                asked[str(name)].add(column)
    return asked


def _values(column: pd.Series, points: int) -> NDArray[np.int64]:
    """Return an item's values, 0 where missing."""
    values = column.to_numpy(dtype=np.int64, na_value=0)
    if len(values) and not 0 <= values.min() <= values.max() <= points:
        raise ValueError(f"item {column.name} holds values outside 1..{points}")
    return values


def _codes(column: pd.Series, known: Sequence[str], *, what: str) -> NDArray[np.int64]:
    """Return the position of each cell among the known words, -1 where missing."""
    codes, words = pd.factorize(column)
    place = {word: number for number, word in enumerate(known)}
    _refuse(set(words) - set(known), what)
    return np.array([*(place[word] for word in words), -1], dtype=np.int64)[codes]


def _refuse(unknown: Collection[object], what: str) -> None:
    if unknown:
        raise ValueError(f"unknown {what}: {', '.join(sorted(map(str, unknown)))}")


def _percent(n: pd.Series, base: pd.Series) -> pd.Series:
    return 100.0 * n / base.where(base > 0)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the types of its text and counts, however few rows there are."""
    types = {**dict.fromkeys(TEXT, "str"), **dict.fromkeys(COUNTS, "int64")}
    return frame.astype({name: types.get(str(name), "float64") for name in frame.columns})
