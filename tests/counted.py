"""Tables of counts of invented studies, for the tests of the release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from surveywaves import describe
from surveywaves.disclosure import ItemKey
from surveywaves.harmonise import REASONS
from surveywaves.tidy import tidy

POINTS = 5
FAVOURABLE = (4, 5)
JOBS = ["nurse", "clerk", "piper"]

Tables = dict[str, pd.DataFrame]


def counted(responses: pd.DataFrame, missing: pd.DataFrame, items: Sequence[str]) -> Tables:
    """Count what was answered; `job` is a grouping variable, and the items are one scale."""
    waves = list(dict.fromkeys(responses["wave"]))
    surveyed = {
        wave: sorted(responses.loc[responses["wave"] == wave, "organisation"].dropna().unique())
        for wave in waves
    }
    frequencies = describe.item_frequencies(
        responses, missing, items=dict.fromkeys(items, POINTS), organisations=surveyed
    )
    ends = []
    for wave in waves:
        for one in [*surveyed[wave], "all"]:
            own = responses[
                (responses["wave"] == wave) & ((responses["organisation"] == one) | (one == "all"))
            ]
            full = own[list(items)].dropna()
            place = {"analysis": "reliability", "scale": "scale", "wave": wave, "organisation": one}
            ends += [
                {**place, "term": term, "n": len(full), "estimate": 100 * (full == at).all(axis=1).mean()}
                for term, at in (("floor", 1), ("ceiling", POINTS))
                if len(full)
            ]
    return {
        "item_frequencies": frequencies,
        "item_summary": describe.item_summary(
            frequencies, favourable=dict.fromkeys(items, FAVOURABLE), keys=dict.fromkeys(items, 1)
        ),
        "respondents": describe.respondents(
            responses, missing, variables={"job": JOBS}, organisations=surveyed
        ),
        "response_rates": describe.response_rates(responses, populations=dict.fromkeys(waves, 5000)),
        "missing": describe.missing_summary(missing, sections=dict.fromkeys(items, 1)),
        "reliability": tidy(ends),
    }


def keys(items: Sequence[str]) -> dict[str, ItemKey]:
    return {item: ItemKey("scale", 1, POINTS, FAVOURABLE) for item in items}


def random_study(
    seed: int, sizes: Sequence[Mapping[str, int]], items: Sequence[str] = ("q1", "q2", "q3")
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Invent answers: a wave for each of the sizes ("" states no organisation), rare jobs, lopsided items, gaps."""
    rng = np.random.default_rng([14, seed])
    shares = {item: rng.dirichlet(np.full(POINTS, rng.choice([0.4, 1.0, 3.0]))) for item in items}
    parts, reasons = [], []
    for number, own in enumerate(sizes):
        where = np.repeat(list(own), list(own.values()))
        n = len(where)
        job = np.where(where == "north", rng.choice(["nurse", "clerk", ""], n, p=[0.7, 0.2, 0.1]), "clerk")
        job[rng.random(n) < 0.04] = "piper"
        values: dict[str, Any] = {"wave": f"w{number}", "respondent": [f"{number}_{one}" for one in range(n)]}
        why = dict(values)
        for name, column in (("organisation", where), ("job", job)):
            values[name] = pd.array(np.where(column == "", None, column), dtype="str")
            why[name] = pd.Categorical(np.where(column == "", "skipped", None), dtype=REASONS)
        for item in items:
            gone = rng.random(n) < rng.choice([0.0, 0.08])
            answers = rng.choice(np.arange(1, POINTS + 1), n, p=shares[item])
            values[item] = pd.array(np.where(gone, None, answers), dtype="Int8")
            why[item] = pd.Categorical(np.where(gone, "skipped", None), dtype=REASONS)
        parts.append(pd.DataFrame(values))
        reasons.append(pd.DataFrame(why))
    return pd.concat(parts, ignore_index=True), pd.concat(reasons, ignore_index=True)


def one_wave(sizes: Mapping[str, Sequence[int]], item: str = "q") -> tuple[Tables, dict[str, ItemKey]]:
    """One item in the wave `w0`, as counts by organisation; everybody answered it and is a clerk."""
    rows = [(one, 1 + place) for one, ns in sizes.items() for place, n in enumerate(ns) for _ in range(n)]
    n = len(rows)
    named: dict[str, Any] = {"wave": "w0", "respondent": [str(one) for one in range(n)]}
    organisation = pd.array([one or None for one, _ in rows], dtype="str")
    responses = pd.DataFrame(
        {
            **named,
            "organisation": organisation,
            "job": pd.array(["clerk"] * n, dtype="str"),
            item: pd.array([answer for _, answer in rows], dtype="Int8"),
        }
    )
    none = pd.Categorical([None] * n, dtype=REASONS)
    missing = pd.DataFrame({**named, "organisation": none, "job": none, item: none})
    return counted(responses, missing, [item]), keys([item])
