"""The interviews against a stranger who has every released file, and knows how many were interviewed in each group.

Of each stage the stranger writes down one integer program (`attacker.Stranger`): how many of each group raise each
theme in each tone, and any theme of a principle, with all exact totals and what every rounded or withheld count may be.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from attacker import Method, Stranger
from surveywaves.disclosure import Rule
from surveywaves.qualitative.themes import TONES, spoken, themes, tones

THRESHOLD = 5
ATTACKED = (0, 1, 2, 7, 13, 21)


class Coded(NamedTuple):
    """Invented interviews, what is coded in them, and the themes of each principle."""

    sources: pd.DataFrame
    segments: pd.DataFrame
    principles: Mapping[str, Sequence[str]]

    @property
    def names(self) -> list[str]:
        return [*itertools.chain(*self.principles.values())]


def invent(seed: int) -> Coded:
    """Draw a study: areas, organisations, themes that are rare, common or exclude each other."""
    rng = np.random.default_rng(seed)
    areas, organisations = "abcde"[: rng.integers(2, 6)], "xyz"[: rng.integers(1, 4)]
    places = [
        (stage, area, one)
        for stage, area in itertools.product(("early", "late")[: rng.integers(1, 3)], areas)
        for one, n in zip(
            organisations,
            rng.multinomial(rng.integers(6, 40), rng.dirichlet([4] * len(organisations))),
            strict=True,
        )
        for _ in range(n)
    ]
    sources = pd.DataFrame(places, columns=["stage", "area", "organisation"])
    sources.insert(0, "source", range(1, len(sources) + 1))
    names = [f"t{place}" for place in range(rng.integers(3, 10))]
    cuts = np.sort(rng.choice(np.arange(1, len(names)), rng.integers(1, len(names)), replace=False))
    parts = np.split(np.array(names), cuts)
    principles = {f"p{place}": own.tolist() for place, own in enumerate(parts)}
    share = {
        place: rng.beta(0.6, 0.6) if rng.random() < 0.7 else rng.choice([0.02, 0.98])
        for place in itertools.product(areas, names)
    }
    leaning, exclusive = dict(zip(names, rng.beta(0.5, 0.5, len(names)), strict=True)), rng.random() < 0.4
    rows = []
    for source, area in zip(sources["source"], sources["area"], strict=True):
        for own in principles.values():
            there = [theme for theme in own if rng.random() < share[area, theme]]
            for theme in there[: 1 if exclusive else None]:
                for _ in range(rng.integers(1, 3)):
                    start = int(rng.integers(9000))
                    rows.append(
                        (source, 1, theme, theme, "-+"[int(rng.random() < leaning[theme])], start, start + 9)
                    )
    columns = ["source", "coder", "code", "theme", "tone", "start", "end"]
    segments = pd.DataFrame(rows, columns=columns).astype({"start": "Int64", "end": "Int64"})
    return Coded(sources, segments, principles)


def released(own: Coded, rounding: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rule = Rule(threshold=THRESHOLD, rounding=rounding)
    shown = themes(own.sources, own.segments, names=own.names, rule=rule, subjects=own.principles)
    return shown, tones(own.sources, own.segments, spoken(own.segments, by=own.principles), rule=rule)


def narrowed(
    own: Coded, shown: pd.DataFrame, told: pd.DataFrame, rounding: int
) -> tuple[int, list[tuple[object, ...]]]:
    """Count the small counts that are attacked, and list those that have fewer values left than they must have."""
    attacked, found = 0, []
    for stage, rows in shown.groupby("stage", sort=False):
        here = own.sources[own.sources["stage"] == stage]
        whole = rows[(rows["area"] == "all") & (rows["organisation"] == "all")].set_index("theme")
        group = _groups(here, rows)
        if whole["n"].isna().any() or group.nunique() < 2:
            continue
        stranger = _stranger(
            own, rows, whole, told=told[told["stage"] == stage], size=Counter(group), rounding=rounding
        )
        said = spoken(own.segments, by={name: [name] for name in own.names})
        raised = Counter(
            zip(said["source"].map(group.set_axis(here["source"])), said["subject"], strict=True)
        )
        true, enough = {}, {}
        for (place, size), theme in itertools.product(Counter(group).items(), own.names):
            n, total = raised[place, theme], int(whole.loc[theme, "n"])
            for name, count, most in (("n", n, total), ("not", size - n, len(here) - total)):
                if 0 < count < THRESHOLD:
                    true[name, place, theme] = count
                    least = min(rounding or THRESHOLD, 1 + most)
                    enough[name, place, theme] = lambda ends, least=least: ends[1] - ends[0] + 1 >= least
        ranges = stranger.ranges(enough)
        attacked += len(true)
        for name, count in true.items():
            low, high = ranges[name]
            assert low <= count <= high, "the stranger excludes what is true"
            if not enough[name]((low, high)):
                found.append((stage, *name, count, low, high))
    return attacked, found


def _groups(here: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Give the finest group of each interview of which something is shown, or might be."""
    places = set(zip(rows["area"], rows["organisation"], strict=True))
    areas = {area for area, _ in places} - {"all"}

    def place(area: str, organisation: str) -> tuple[str, str]:
        area = (area if area in areas else "other") if areas else "all"
        return (area, organisation) if (area, organisation) in places else (area, "all")

    return pd.Series(
        [place(*one) for one in zip(here["area"], here["organisation"], strict=True)], here.index
    )


def _stranger(
    own: Coded, rows: pd.DataFrame, whole: pd.DataFrame, *, told: pd.DataFrame, size: Counter, rounding: int
) -> Stranger:
    """Write down what is shown of a stage."""
    stranger, method = Stranger(integer=True), Method(rounding)
    for row in rows[
        [place in size for place in zip(rows["area"], rows["organisation"], strict=True)]
    ].itertuples():
        stranger.know(("n", (row.area, row.organisation), row.theme), *method.read(row.n))
    for theme in own.names:
        _total(stranger, ("n", theme), whole.loc[theme, "n"], size)
        for tone in TONES:
            _total(stranger, (tone, theme), whole.loc[theme, tone], size)
        for place, n in size.items():
            stranger.say({("n", place, theme): 1.0, ("not", place, theme): 1.0}, n, n)
            stranger.total(("n", place, theme), [(tone, place, theme) for tone in TONES])
    for row in told.itertuples():
        for tone in TONES:
            _total(stranger, (tone, row.theme), getattr(row, tone), size)
        for place, n in size.items():
            raised, parts = ("n", place, row.theme), own.principles[row.theme]
            stranger.total(raised, [(tone, place, row.theme) for tone in TONES])
            stranger.know(raised, 0, n)
            stranger.say({raised: 1.0, **{("n", place, one): -1.0 for one in parts}}, -math.inf, 0.0)
            for one in parts:
                stranger.no_more(("n", place, one), raised)
                for tone in ("favourable", "critical"):
                    mixed = {(tone, place, row.theme): -1.0, ("mixed", place, row.theme): -1.0}
                    stranger.say({(tone, place, one): 1.0, **mixed}, -math.inf, 0.0)
    return stranger


def _total(stranger: Stranger, name: tuple[str, str], shown: float, size: Counter) -> None:
    kind, subject = name
    if pd.notna(shown):
        stranger.say({(kind, place, subject): 1.0 for place in size}, float(shown), float(shown))


@pytest.mark.parametrize("rounding", [5, 0])
@pytest.mark.parametrize("seed", ATTACKED)
def test_no_small_count_of_interviews_is_narrowed(seed: int, rounding: int) -> None:
    own = invent(seed)
    attacked, found = narrowed(own, *released(own, rounding), rounding)
    assert attacked and found == []


def test_counts_that_are_rounded_by_themselves_are_narrowed() -> None:
    """The stranger finds what is not protected: nearest multiples, no audit."""
    own = invent(ATTACKED[1])
    shown, told = released(own, 5)
    public = themes(own.sources, own.segments, names=own.names, rule=Rule(public=True))
    key = ["stage", "area", "organisation", "theme"]
    true = shown[key].merge(public[[*key, "n"]], how="left", on=key)["n"].astype("float64")
    groups = (shown["area"] != "all") | (shown["organisation"] != "all")
    near = (5 * (true / 5).round()).where(groups & true.notna(), shown["n"].astype("float64"))
    assert narrowed(own, shown.assign(n=near), told, 5)[1]


def test_two_releases_give_a_late_interview_back() -> None:
    """Which is why the ledger refuses the second: totals are exact in both."""
    own = invent(ATTACKED[0])
    late = own.sources["source"].iloc[-1]
    before = own._replace(
        sources=own.sources.iloc[:-1], segments=own.segments[own.segments["source"] != late]
    )
    one, other = (released(each, 5)[0] for each in (before, own))
    key = ["stage", "area", "organisation", "theme"]
    both = one.merge(other, on=key)
    whole = both[(both["area"] == "all") & (both["organisation"] == "all")]
    told = set(whole.loc[whole["n_x"] != whole["n_y"], "theme"])
    assert told == set(own.segments.loc[own.segments["source"] == late, "theme"])
