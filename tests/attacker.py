"""Somebody who has everything that was released, and studies small enough to be worth attacking.

The attacker knows nothing of how the release works. It reads the released tables as anybody would, writes down an
equation for every number that is shown (a percentage ties a count to its base; base, mean and standard deviation tie
the responses; a number of respondents of a model or scale ties the bases of its items), and asks linear or integer
programming how large and how small each missing count can be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves import describe
from surveywaves.disclosure import ItemKey
from surveywaves.harmonise import REASONS
from surveywaves.tidy import tidy

POINTS = 5
FAVOURABLE = (4, 5)
ITEMS = ("item_0", "item_1")
EVERY, ANY = "all items", "any item"
ENDS = {"floor": 1, "ceiling": POINTS}


@dataclass
class Attacker:
    """Unknown counts of a wave and what is known of them."""

    place: dict[Hashable, int] = field(default_factory=dict)
    rows: list[dict[int, float]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def say(self, terms: Mapping[Hashable, float], low: float, high: float) -> None:
        """Say that a sum of counts lies between two numbers."""
        row: dict[int, float] = defaultdict(float)
        for name, factor in terms.items():
            row[self.place.setdefault(name, len(self.place))] += factor
        self.rows.append(row)
        self.low.append(low)
        self.high.append(high)

    def equal(self, terms: Mapping[Hashable, float], value: float = 0.0) -> None:
        self.say(terms, value, value)

    def total(self, whole: Hashable, parts: Iterable[Hashable]) -> None:
        self.equal({whole: -1.0, **dict.fromkeys(parts, 1.0)})

    def know(self, name: Hashable, value: Any) -> None:
        """Take note of a count if it is shown."""
        self.say({name: 1.0}, 0.0, np.inf) if pd.isna(value) else self.equal({name: 1.0}, float(value))

    def bound(self, name: Hashable, *, whole: bool = False) -> tuple[float, float]:
        """Give the smallest and the largest value that a count can have."""
        size = len(self.place)
        entries = [
            (row, cell, factor) for row, terms in enumerate(self.rows) for cell, factor in terms.items()
        ]
        row, cell, factor = (np.array(part) for part in zip(*entries, strict=True))
        matrix = sparse.csr_array((factor, (row, cell)), shape=(len(self.rows), size))
        limits = []
        for sign in (1.0, -1.0):
            goal = np.zeros(size)
            goal[self.place[name]] = sign
            found = milp(
                goal,
                integrality=np.full(size, int(whole)),
                bounds=Bounds(0, np.inf),
                # Shown to 15 digits, so equal to within rounding.
                constraints=LinearConstraint(matrix, np.array(self.low) - 1e-7, np.array(self.high) + 1e-7),
            )
            assert found.status in (0, 3), found.message
            limits.append(np.inf if found.status == 3 else sign * found.fun)
        return limits[0], limits[1]


def attack(tables: Mapping[str, pd.DataFrame], wave: str) -> Attacker:
    """Read what is shown of a wave."""
    own = {name: table[table["wave"] == wave] for name, table in tables.items()}
    found = Attacker()
    returns = own["response_rates"]["returns"].iloc[0]
    found.know(("size", "all"), returns)
    _read_respondents(found, own["respondents"])
    _read_items(found, own["item_frequencies"], own["item_summary"])
    for item, rows in own["missing"].groupby("item"):
        base = ("item", item, "all", "base")
        parts = [("missing", item, reason) for reason in rows["reason"]]
        for name, n, percent in zip(parts, rows["n"], rows["percent"], strict=True):
            found.know(name, n)
            _percent(found, name, ("size", "all"), percent)
        if base in found.place:
            found.total(("size", "all"), [base, *parts])
        else:
            found.total(("size", "all"), parts)
    if "reliability" in own:
        _read_scale(found, own["reliability"], own["means"])
    return found


def _percent(found: Attacker, n: Hashable, base: Hashable, percent: Any) -> None:
    if not pd.isna(percent):
        found.equal({n: 100.0, base: -float(percent)})


def _read_respondents(found: Attacker, table: pd.DataFrame) -> None:
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (variable, organisation), rows in table.groupby(["variable", "organisation"], sort=False):
        together = variable == "organisation"
        base = (variable, organisation, "base")
        names = [("size", level) if together else (variable, organisation, level) for level in rows["level"]]
        asked = ("size", organisation)  # everybody was
        for name, level, n, percent, whole in zip(
            names, rows["level"], rows["n"], rows["percent"], rows["base"], strict=True
        ):
            below = asked if level == "not_stated" else base
            found.know(name, n)
            found.know(below, whole)
            _percent(found, name, below, percent)
            parts[variable, level].append(organisation)
        found.total(base, [name for name in names if name[-1] != "not_stated"])
        found.total(asked, [base, next(name for name in names if name[-1] == "not_stated")])
    for (variable, level), organisations in parts.items():
        if len(organisations) > 1:
            found.total(
                (variable, "all", level), [(variable, one, level) for one in organisations if one != "all"]
            )


def _read_items(found: Attacker, frequencies: pd.DataFrame, summary: pd.DataFrame) -> None:
    organisations = [one for one in frequencies["organisation"].unique() if one != "all"]
    for (item, organisation), rows in frequencies.groupby(["item", "organisation"], sort=False):
        base = ("item", item, organisation, "base")
        cells = {int(response): ("item", item, organisation, int(response)) for response in rows["response"]}
        for name, n, percent, whole in zip(
            cells.values(), rows["n"], rows["percent"], rows["base"], strict=True
        ):
            found.know(name, n)
            found.know(base, whole)
            _percent(found, name, base, percent)
        found.total(base, cells.values())
        found.say({base: 1.0, ("size", organisation): -1.0}, -np.inf, 0.0)
        told = summary[(summary["item"] == item) & (summary["organisation"] == organisation)].iloc[0]
        good = ("item", item, organisation, "favourable")
        found.know(base, told["base"])
        found.know(good, told["favourable_n"])
        _percent(found, good, base, told["favourable_percent"])
        found.total(good, [cells[value] for value in FAVOURABLE])
        mean, sd = told["mean"], told["sd"]
        if not pd.isna(mean):
            found.equal({**{name: float(value) for value, name in cells.items()}, base: -mean})
            if not pd.isna(sd):
                squares = {name: (value - mean) ** 2 for value, name in cells.items()}
                found.say({**squares, base: -(sd**2)}, -(sd**2), -(sd**2))
        if organisation == "all" and organisations:
            for value, name in cells.items():
                found.total(name, [("item", item, one, value) for one in organisations])


def _read_scale(found: Attacker, reliability: pd.DataFrame, means: pd.DataFrame) -> None:
    """Read who answered both items, or either, and who gave the lowest or highest answer to both."""
    organisations = list(dict.fromkeys(reliability["organisation"]))
    parts = [*(one for one in organisations if one != "all"), "not_stated"]
    for one in [*organisations, "not_stated"]:
        bases = [("item", item, one, "base") for item in ITEMS]
        if any(base not in found.place for base in bases):
            continue
        # Of two sets, those in both and those in either are together as many as those in each.
        found.equal({(EVERY, one): 1.0, (ANY, one): 1.0, **dict.fromkeys(bases, -1.0)})
        found.say({(ANY, one): 1.0, ("size", one): -1.0}, -np.inf, 0.0)
        for base in bases:
            found.say({(EVERY, one): 1.0, base: -1.0}, -np.inf, 0.0)
        for end, response in ENDS.items():
            found.say({(end, one): 1.0, (EVERY, one): -1.0}, -np.inf, 0.0)
            for item in ITEMS:
                found.say({(end, one): 1.0, ("item", item, one, response): -1.0}, -np.inf, 0.0)
    for row in reliability.itertuples():
        found.know((EVERY, row.organisation), row.n)
        if row.term in ENDS:
            _percent(found, (row.term, row.organisation), (EVERY, row.organisation), row.estimate)
    for row in means.itertuples():
        found.know((ANY, row.organisation), row.n)
    if len(parts) > 1:
        for name in (EVERY, *ENDS):
            found.total((name, "all"), [(name, one) for one in parts])


def truth(tables: Mapping[str, pd.DataFrame], wave: str) -> dict[Hashable, int]:
    """Name the true counts as the attacker names them."""
    found: dict[Hashable, int] = {}
    own = {name: table[table["wave"] == wave] for name, table in tables.items()}
    for row in own["respondents"].itertuples():
        together = row.variable == "organisation"
        name = ("size", row.level) if together else (row.variable, row.organisation, row.level)
        found[name] = row.n
    for row in own["item_frequencies"].itertuples():
        found["item", row.item, row.organisation, row.response] = row.n
        found["item", row.item, row.organisation, "base"] = row.base
    for row in own["item_summary"].itertuples():
        found["item", row.item, row.organisation, "favourable"] = row.favourable_n
    for row in own["missing"].itertuples():
        found["missing", row.item, row.reason] = row.n
    found["size", "all"] = own["response_rates"]["returns"].iloc[0]
    if "reliability" in own:
        found |= _true_scale(own["reliability"], own["means"])
    return found


def _true_scale(reliability: pd.DataFrame, means: pd.DataFrame) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    for row in reliability.itertuples():
        found[EVERY, row.organisation] = row.n
        if row.term in ENDS and not pd.isna(row.estimate):
            found[row.term, row.organisation] = round(row.estimate * row.n / 100)
    for row in means.itertuples():
        found[ANY, row.organisation] = row.n
    if len(set(reliability["organisation"])) > 1:
        for name in (EVERY, *ENDS):
            known = {place[1]: n for place, n in found.items() if place[0] == name}
            if "all" in known:
                found[name, "not_stated"] = 2 * known["all"] - sum(known.values())
    return found


# --- studies to attack --------------------------------------------------------------------------------------------


def small_study(seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, ItemKey]]:
    """Invent a study of few people: small organisations, rare professions that belong to one of them, lopsided items.

    Returns
    -------
    dict, dict
        The tables of counts that the pipeline would make of it, and its instrument.
    """
    rng = np.random.default_rng([2006, seed])
    waves = {f"wave_{number}": _organisations(rng) for number in range(rng.integers(1, 3))}
    items = {
        f"item_{number}": rng.dirichlet(np.full(POINTS, rng.choice([0.3, 1.0, 3.0]))) for number in range(2)
    }
    frames = [_answers(rng, wave, sizes, items) for wave, sizes in waves.items()]
    responses = pd.concat([one for one, _ in frames], ignore_index=True)
    missing = pd.concat([one for _, one in frames], ignore_index=True)
    organisations = {
        wave: [one for one in ("north", "south", "east") if one in sizes] for wave, sizes in waves.items()
    }
    frequencies = describe.item_frequencies(
        responses, missing, items=dict.fromkeys(items, POINTS), organisations=organisations
    )
    instrument = {item: ItemKey("scale", 1, POINTS, FAVOURABLE) for item in items}
    tables = {
        "item_frequencies": frequencies,
        "item_summary": describe.item_summary(
            frequencies, favourable=dict.fromkeys(items, FAVOURABLE), keys=dict.fromkeys(items, 1)
        ),
        "respondents": describe.respondents(
            responses, missing, variables={"job": ["nurse", "clerk", "piper"]}, organisations=organisations
        ),
        "response_rates": describe.response_rates(responses, populations=dict.fromkeys(waves, 500)),
        "missing": describe.missing_summary(missing, sections=dict.fromkeys(items, 1)),
        "reliability": tidy(_reliability(responses, organisations)),
        "means": tidy(_means(responses, organisations)),
    }
    return tables, instrument


def _reliability(responses: pd.DataFrame, organisations: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    for wave, own in responses.groupby("wave", sort=False):
        for one in [*organisations[str(wave)], "all"]:
            answers = (own if one == "all" else own[own["organisation"] == one])[list(ITEMS)].dropna()
            row = {"analysis": "reliability", "scale": "scale", "wave": wave, "organisation": one}
            for term, estimate in (
                ("alpha", 0.8),
                *((end, 100 * (answers == at).all(axis=1).mean()) for end, at in ENDS.items()),
            ):
                found = {"estimate": estimate} if len(answers) else {"status": "too_few"}
                yield {**row, "term": term, "n": len(answers), **found}


def _means(responses: pd.DataFrame, organisations: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    for wave, own in responses.groupby("wave", sort=False):
        for one in organisations[str(wave)]:
            n = int(own.loc[own["organisation"] == one, list(ITEMS)].notna().any(axis=1).sum())
            row = {"analysis": "linear", "scale": "scale", "wave": wave, "organisation": one}
            yield {**row, "term": "emmean", "estimate": 3.0, "n": n}


def _organisations(rng: np.random.Generator) -> dict[str, int]:
    names = ["north", "south", "east"][: rng.integers(1, 4)]
    sizes = {name: int(rng.choice([rng.integers(2, 12), rng.integers(12, 80)])) for name in names}
    return {**sizes, "": int(rng.choice([0, rng.integers(1, 15)]))}


def _answers(
    rng: np.random.Generator, wave: str, sizes: Mapping[str, int], items: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    organisation = np.repeat(list(sizes), list(sizes.values()))
    n = len(organisation)
    job = np.where(organisation == "north", rng.choice(["nurse", "clerk", ""], n, p=[0.7, 0.2, 0.1]), "clerk")
    job[rng.random(n) < 0.05] = "piper"
    values: dict[str, Any] = {"wave": wave, "respondent": [f"{wave}_{one}" for one in range(n)]}
    reasons = dict(values)
    for name, column in (("organisation", organisation), ("job", job)):
        values[name] = pd.array(np.where(column == "", None, column), dtype="str")
        reasons[name] = pd.Categorical(np.where(column == "", "skipped", None), dtype=REASONS)
    for item, shares in items.items():
        gone = rng.random(n) < rng.choice([0.0, 0.08, 0.3])
        answer = rng.choice(np.arange(1, POINTS + 1), n, p=shares)
        reason = rng.choice(["skipped", "dont_know", "broke_off"], n, p=[0.6, 0.1, 0.3])
        values[item] = pd.array(np.where(gone, None, answer), dtype="Int8")
        reasons[item] = pd.Categorical(np.where(gone, reason, None), dtype=REASONS)
    return pd.DataFrame(values), pd.DataFrame(reasons)


def primary_only(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out what is small where it stands, and nothing else."""
    shown = dict(tables)
    for name in ("item_frequencies", "respondents", "missing", "reliability", "means"):
        small = tables[name]["n"].between(1, 4).fillna(False).astype("bool")
        emptied = {"n": tables[name]["n"].astype("Int64").mask(small)}
        for column in {"percent", "estimate"} & set(tables[name]):
            emptied[column] = tables[name][column].mask(small)
        shown[name] = tables[name].assign(**emptied)
    return shown


@dataclass(frozen=True)
class Breach:
    """A count that can be told more closely than the rule allows."""

    wave: str
    name: Hashable
    n: int
    low: float
    high: float


def breaches(
    tables: Mapping[str, pd.DataFrame],
    released: Mapping[str, pd.DataFrame],
    *,
    threshold: int,
    whole: bool = False,
    zeros: bool = False,
) -> tuple[int, list[Breach]]:
    """Attack every small count, and every answer that nearly all of a group gave.

    Parameters
    ----------
    tables, released
        Before and after the release.
    threshold
        The rule's.
    whole
        Whether the attacker uses that counts are whole numbers.
    zeros
        Whether that nobody of a group that is large enough gave an answer, or is of a level, must not be told either.

    Returns
    -------
    int, list
        How many counts were attacked, and those of which not every value from 0 to the threshold seems possible, or
        for which it does not seem possible that as many as the threshold gave another answer. How many answers are
        missing is no secret, returns and base tell it: no more can be missing for a reason, and no fewer of a group
        can have answered.
    """
    attacked, found = 0, []
    for wave in tables["response_rates"]["wave"]:
        attacker, counts = attack(released, wave), truth(tables, wave)
        for name, n in counts.items():
            base = counts.get((*name[:3], "base"), 0) if name[0] == "item" else 0
            lowest, highest = 0, threshold
            if name[0] in ENDS:
                base = counts[EVERY, name[1]]
                highest = min(threshold, base)
            if name[0] == "missing":
                highest = min(threshold, counts["size", "all"] - counts["item", name[1], "all", "base"])
            if base > 0 and n >= threshold and base - n < threshold and name[-1] != "base":
                lowest, highest = max(0, base - threshold), n
            elif not (0 < n < threshold or (zeros and n == 0 and _of_how_many(counts, name) >= threshold)):
                continue
            if name[-1] == "base":
                lowest = _answered(counts, name[1], name[2])
            if name[0] == EVERY:
                told = [counts["item", item, name[1], "base"] for item in ITEMS]
                lowest = max(0, sum(told) - counts["size", name[1]])
                highest = min(threshold, *told)
            if name[0] == ANY:
                lowest = max(_answered(counts, item, name[1]) for item in ITEMS)
            attacked += 1
            low, high = attacker.bound(name, whole=whole)
            if low > lowest + 1e-4 or high < highest - 1e-4:
                found.append(Breach(wave, name, n, low, high))
    return attacked, found


def _of_how_many(counts: Mapping[Hashable, int], name: tuple[Any, ...]) -> int:
    """Give the number of people that an answer, level or end of a scale is counted of."""
    match name:
        case ("item", item, organisation, int() | "favourable"):
            return counts["item", item, organisation, "base"]
        case ("job", organisation, _):
            return counts["size", organisation]
        case ("floor" | "ceiling", organisation):
            return counts[EVERY, organisation]
    return 0


def _answered(counts: Mapping[Hashable, int], item: str, organisation: str) -> int:
    """Count those of a group who cannot be among the missing answers to an item: so many at least answered it."""
    missing = counts["size", "all"] - counts["item", item, "all", "base"]
    return max(0, counts["size", organisation] - missing)
