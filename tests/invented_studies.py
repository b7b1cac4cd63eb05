"""Random studies of few people, with every statistic that the program computes of them, for the attacker.

Two to four organisations of 3 to 40, one to three waves, with and without skipped questions, lopsided items,
professions that only one organisation has, straight-liners, one paper return in some, weights in some. What is released
of them is computed by the program's own functions: nothing in these tables is made up but the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from sampled import compare_study
from surveywaves.describe import describe
from surveywaves.disclosure import Comparing, ItemKey, Released, Rule, Weighting, release
from surveywaves.harmonise import REASONS
from surveywaves.mixed.compare import judge_items
from surveywaves.reliability.estimate import reliability, usage
from surveywaves.sample import Sample, scales_of, single_items
from surveywaves.sensitivity.compare import judge_variants, over_variants
from surveywaves.sensitivity.variants import stated_variants
from surveywaves.study.parts import HarmonisingPart

ORGANISATIONS = ("north", "south", "east", "west")
VARIANTS = (
    "main",
    "complete_cases",
    "only: Web",
    "without_straight_liners",
    "unweighted",
    "sampling_weights",
)
STRAIGHT_LINING = 5
EFFECTS: dict[str, Any] = {"percentage_points": 10.0, "min_cell": 5}
SMALLEST = 0.2


@dataclass(frozen=True)
class Asked:
    """A question, as every function of the package wants it."""

    item: str
    scale: str
    key: int
    points: int = 5
    favourable: tuple[int, ...] = (4, 5)
    section: int = 1


INSTRUMENT = (
    *(Asked(f"a{number}", "a", -1 if number == 2 else 1) for number in range(1, 5)),
    *(Asked(f"b{number}", "b", 1, section=2) for number in range(1, 4)),
    Asked("alone", "", 1, points=4, favourable=(3, 4), section=2),
)


@dataclass(frozen=True)
class Invented:
    """A study: its answers, and the statistics of them."""

    responses: pd.DataFrame
    missing: pd.DataFrame
    surveyed: dict[str, list[str]]
    instrument: tuple[Asked, ...] = INSTRUMENT

    @property
    def keys(self) -> dict[str, ItemKey]:
        return {one.item: ItemKey(one.scale, one.key, one.points, one.favourable) for one in self.instrument}

    @property
    def weighting(self) -> Weighting | None:
        return Weighting(self.responses, used=False, margins={}) if "weight" in self.responses else None

    def changed(self, responses: pd.DataFrame, missing: pd.DataFrame) -> Invented:
        """Make the study that has other returns."""
        return replace(self, responses=responses, missing=missing)

    def without(self, rows: Sequence[int]) -> Invented:
        """Make the study that lacks some returns."""
        return self.changed(
            *(table.drop(index=rows).reset_index(drop=True) for table in (self.responses, self.missing))
        )

    @property
    def organisations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for names in self.surveyed.values() for one in names))

    def routed(self, item: str, variable: str, levels: Sequence[str]) -> Invented:
        """Make the study that asked a statement of some levels of a variable only."""
        stated = self.responses[variable].notna() & ~self.responses[variable].isin(levels)
        return self.changed(
            self.responses.assign(**{item: self.responses[item].mask(stated)}),
            self.missing.assign(**{item: self.missing[item].mask(stated, "not_asked")}),
        )

    def released(self, rule: Rule, *, models: bool = True, parts: Sequence[HarmonisingPart] = ()) -> Released:
        """Release the study's statistics."""
        waves = tuple(self.surveyed)
        return release(
            self.statistics(models=models),
            instrument=self.keys,
            rule=rule,
            parts=parts,
            weighting=self.weighting,
            agree=over_variants,
            comparing=Comparing(
                partial(judge_items, standardised_effect=SMALLEST, **EFFECTS),
                waves,
                self.organisations,
                reference=waves[0],
            ),
        )

    def statistics(self, *, models: bool = True) -> dict[str, pd.DataFrame]:
        """Compute the tables that the release reads; without `models`, the counts and the reliability only."""
        waves = tuple(self.surveyed)
        sample = Sample(self.responses, waves, self.organisations, reference=waves[0]).with_shares()
        scales, items = scales_of(self.instrument), single_items(self.instrument)
        counted = describe(
            self.responses,
            self.missing,
            self.instrument,
            surveyed=self.surveyed,
            variables={"job": ["nurse", "clerk", "piper"], "mode": ["web", "paper"]},
            populations=dict.fromkeys(waves, 500),
        )
        tables = dict(counted._asdict())
        tables["reliability"] = pd.concat(
            [reliability(sample, one, min_n=5, replicates=0) for one in scales if len(one.items) > 1],
            ignore_index=True,
        )
        if not models:
            return tables
        compared = compare_study(
            sample,
            scales,
            items,
            usage(tables["reliability"]),
            standardised_effect=SMALLEST,
            **EFFECTS,
        )
        variants = stated_variants(
            sample,
            questionnaire=[one.item for one in self.instrument],
            straight_lining=STRAIGHT_LINING,
            only={"Web": {"mode": "web"}},
        )
        chosen = [one for one in variants if one.name in VARIANTS]
        judged = judge_variants(sample, scales, chosen, flagged={}, standardised=SMALLEST, **EFFECTS)
        return tables | compared._asdict() | judged._asdict()


def invent(seed: int, *, sizes: tuple[int, int] = (3, 40), skips: bool | None = None) -> Invented:
    """Invent a study.

    Parameters
    ----------
    seed
        Of everything in it.
    sizes
        Smallest and largest organisation.
    skips
        Whether questions are skipped; None: in every other study.
    """
    rng = np.random.default_rng([2006, seed])
    names = ORGANISATIONS[: rng.integers(2, 5)]
    skipping = bool(rng.integers(2)) if skips is None else skips
    missing_share = rng.choice([0.02, 0.1]) if skipping else 0.0
    weights, paper = rng.random() < 0.25, rng.random() < 0.5
    cuts = {
        one.item: np.sort(rng.normal(rng.choice([-1.2, 0.0, 1.0]), rng.choice([0.4, 1.0]), one.points - 1))
        for one in INSTRUMENT
    }
    waves = {}
    for number in range(1, rng.integers(1, 4) + 1):
        waves[f"w{number}"] = {name: int(rng.integers(sizes[0], sizes[1] + 1)) for name in names} | {
            "": int(rng.choice([0, 0, rng.integers(1, 7)]))
        }
    frames = [
        _wave(rng, wave, groups, cuts, missing_share=missing_share, weights=weights, paper=paper)
        for wave, groups in waves.items()
    ]
    return Invented(
        pd.concat([one for one, _ in frames], ignore_index=True),
        pd.concat([one for _, one in frames], ignore_index=True),
        {wave: list(names) for wave in waves},
    )


def _wave(
    rng: np.random.Generator,
    wave: str,
    sizes: Mapping[str, int],
    cuts: Mapping[str, np.ndarray],
    *,
    missing_share: float,
    weights: bool,
    paper: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    organisation = np.repeat(list(sizes), list(sizes.values()))
    n = len(organisation)
    job = np.where(organisation == "north", rng.choice(["nurse", "clerk", ""], n, p=[0.7, 0.2, 0.1]), "clerk")
    job[rng.random(n) < 0.05] = "nurse"
    job[(organisation == "south") & (rng.random(n) < 0.1)] = "piper"
    mode = np.full(n, "web", dtype=object)
    if paper:
        mode[rng.integers(n)] = "paper"
    values: dict[str, Any] = {"wave": wave, "respondent": [f"{wave}_{one}" for one in range(n)]}
    reasons: dict[str, Any] = dict(values)
    for name, column in (("organisation", organisation), ("job", job), ("mode", mode)):
        values[name] = pd.array(np.where(column == "", None, column), dtype="str")
        reasons[name] = pd.Categorical(np.where(column == "", "skipped", None), dtype=REASONS)
    leaning, alike = rng.normal(0, 1, n), rng.random(n) < 0.06
    for item, own in cuts.items():
        asked = next(one for one in INSTRUMENT if one.item == item)
        answer = 1 + np.searchsorted(own, rng.normal(0, 1, n) + asked.key * leaning)
        answer[alike] = 1 + np.minimum(np.flatnonzero(alike) % 5, asked.points - 1)
        gone = rng.random(n) < missing_share
        reason = rng.choice(["skipped", "dont_know", "broke_off"], n, p=[0.6, 0.1, 0.3])
        values[item] = pd.array(np.where(gone, None, answer), dtype="Int8")
        reasons[item] = pd.Categorical(np.where(gone, reason, None), dtype=REASONS)
    if weights:
        values["weight"] = rng.choice([0.5, 1.0, 2.0], n)
    return pd.DataFrame(values), pd.DataFrame(reasons)


def rounded_alone(
    tables: Mapping[str, pd.DataFrame], base: int = 5, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Round the counts by organisation at random, each by itself, and leave all else as it is: half a protection."""
    rng = np.random.default_rng(seed)

    def rounded(counts: pd.Series) -> Any:
        low = counts.to_numpy(dtype=np.int64) // base * base
        up = rng.random(len(low)) * base < counts.to_numpy(dtype=np.int64) - low
        return pd.array(low + base * up, dtype="Int64")

    def hidden(table: pd.DataFrame, some: pd.Series, *names: str) -> pd.DataFrame:
        return table.assign(**{name: table[name].astype("Float64").mask(some) for name in names})

    found = dict(tables)
    for name, place in (("item_frequencies", ["wave", "organisation", "item"]), ("respondents", [])):
        table = tables[name]
        some = table["organisation"].ne("all") | (
            table["variable"].eq("organisation") if not place else False
        )
        table = table.assign(n=table["n"].astype("Int64").mask(some, rounded(table["n"])))
        found[name] = hidden(table, some, "percent", *([] if place else ["base"]))
        if place:
            bases = table.groupby(place, sort=False)["base"].first()
            shown = pd.Series(rounded(bases), index=bases.index)
            keys = pd.MultiIndex.from_frame(table[place])
            found[name]["base"] = table["base"].astype("Int64").mask(some, shown.reindex(keys).to_numpy())
    summary = tables["item_summary"]
    some = summary["organisation"].ne("all")
    found["item_summary"] = hidden(summary, some, "base", "mean", "sd", "favourable_n", "favourable_percent")
    return found
