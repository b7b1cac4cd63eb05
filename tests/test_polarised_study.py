"""A study in which proportional odds fails: what is said of % favourable must not contradict the answers.

Simulated, with the shape of the General Social Survey's module on the quality of working life (2006, 2010, 2018;
government and private; four statements on safety, four response options): from wave to wave more people agree, fewer of
them strongly, and those who disagree do so more strongly. An ordinal model sees a fall where % favourable rises.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import norm

from sampled import compare_study
from surveywaves.mixed.compare import Compared
from surveywaves.sample import Sample, Scale

WAVES, ORGANISATIONS = ("2006", "2010", "2018"), ("government", "private")
RESPONDENTS = {"government": 450, "private": 1_400}
ITEMS = ("conditions", "priority", "no_shortcuts", "together")
SHARES = {  # strongly disagree, disagree, agree, strongly agree
    "2006": (0.015, 0.075, 0.50, 0.41),
    "2010": (0.025, 0.055, 0.58, 0.34),
    "2018": (0.035, 0.030, 0.665, 0.27),
}
HARDER = (0.0, 0.1, 0.3, 0.15)
"""How far an item's answers lie below those of the first, in standard deviations of a latent answer."""
ALIKE = 0.5
"""Correlation of one person's latent answers."""

SCALE = Scale("safety", ITEMS, dict.fromkeys(ITEMS, 1), (1, 4), favourable=(3, 4))
ALONE = [Scale("safety", (item,), {item: 1}, (1, 4), favourable=(3, 4)) for item in ITEMS]
KINDS = ("change", "gap", "difference_in_differences")


def answers() -> pd.DataFrame:
    rng, parts = np.random.default_rng(2006), []
    for wave, organisation in itertools.product(WAVES, ORGANISATIONS):
        n = RESPONDENTS[organisation]
        latent = np.sqrt(ALIKE) * rng.normal(size=(n, 1)) + np.sqrt(1 - ALIKE) * rng.normal(size=(n, 4))
        cuts = norm.ppf(np.cumsum(SHARES[wave])[:-1])
        given = np.searchsorted(cuts, latent - np.array(HARDER)) + 1.0
        given[rng.random(given.shape) < 0.02] = np.nan
        part = pd.DataFrame(given, columns=list(ITEMS))
        parts.append(part.assign(wave=wave, organisation=organisation, sex=rng.choice(["f", "m"], n)))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return answers()


@pytest.fixture(scope="module")
def found(frame: pd.DataFrame) -> Compared:
    use = pd.DataFrame({"scale": ["safety"], "use": ["scale"], "reason": [""]})
    sample = Sample(frame, WAVES, ORGANISATIONS)
    return compare_study(sample, [SCALE], ALONE, use, standardised_effect=0.2, percentage_points=2.0)


def raw(frame: pd.DataFrame, wave: str, organisation: str, items: tuple[str, ...]) -> float:
    """The contrast as anybody would count it."""
    share = {
        cell: 100 * float(np.mean([part[item].dropna().ge(3).mean() for item in items]))
        for cell, part in frame.groupby(["wave", "organisation"])
    }
    later, *earlier = wave.split(" - ")
    first, *second = organisation.split(" - ")
    sign = {later: 1.0, **dict.fromkeys(earlier, -1.0)}, {first: 1.0, **dict.fromkeys(second, -1.0)}
    return sum(sign[0][w] * sign[1][o] * share[w, o] for w in sign[0] for o in sign[1])


def of_logistic_models(frame: pd.DataFrame, items: tuple[str, ...]) -> dict[tuple[str, str], np.ndarray]:
    """Estimates of each contrast's percentage by draws from a GEE that adjusts for sex, (4,000,)."""
    long = frame.melt(["wave", "organisation", "sex"], items, ignore_index=False).reset_index().dropna()
    blocks = pd.get_dummies(long["wave"] + "|" + long["organisation"] + "|" + long["variable"], dtype=float)
    columns = blocks.assign(male=long["sex"].eq("m").astype(float))
    fit = sm.GEE(
        long["value"].ge(3).astype(float), columns, long["index"], family=sm.families.Binomial()
    ).fit()
    draws = np.random.default_rng(1).multivariate_normal(fit.params, fit.cov_params(), 4_000)
    male = frame["sex"].eq("m").mean()
    chance = 100 * ((1 - male) * expit(draws[:, :-1]) + male * expit(draws[:, :-1] + draws[:, -1:]))
    by = pd.DataFrame(chance, columns=blocks.columns).T.groupby(lambda name: name.rpartition("|")[0]).mean()
    return {tuple(name.split("|")): row.to_numpy() for name, row in by.iterrows()}


def test_percentages_lie_within_the_interval_of_an_independent_logistic_model(
    frame: pd.DataFrame, found: Compared
) -> None:
    together = found.contrasts[found.contrasts["analysis"] == "favourable"]
    alone = found.item_contrasts[found.item_contrasts["analysis"] == "favourable"]
    checked = 0
    for items, rows in ((ITEMS, together), *(((item,), alone[alone["item"] == item]) for item in ITEMS)):
        theirs = of_logistic_models(frame, items)
        for row in rows.itertuples():
            assert row.estimate == pytest.approx(raw(frame, row.wave, row.organisation, items))
            later, *earlier = row.wave.split(" - ")
            first, *second = row.organisation.split(" - ")
            drawn = sum(
                (-1.0) ** ((w in earlier) + (o in second)) * theirs[w, o]
                for w in (later, *earlier)
                for o in (first, *second)
            )
            low, high = np.quantile(drawn, [0.025, 0.975])
            assert low < row.estimate < high
            near = 0.1 * (high - low)
            assert (row.conf_low, row.conf_high) == pytest.approx((low, high), abs=near)
            checked += 1
    assert checked == 5 * (6 + 3 + 3)


def test_no_decision_has_a_sign_that_the_raw_percentages_contradict(
    frame: pd.DataFrame, found: Compared
) -> None:
    decided = 0
    for table, whole in ((found.contrasts, True), (found.item_contrasts, False)):
        for row in table[table["analysis"] == "favourable"].itertuples():
            counted = raw(frame, row.wave, row.organisation, ITEMS if whole else (row.item,))
            if row.decision in ("increase", "decrease"):
                assert (row.decision == "increase") == (counted > 0)
                decided += 1
    assert decided >= 5


def test_the_ordinal_model_contradicts_them_and_its_tests_say_so(found: Compared) -> None:
    change = found.contrasts[(found.contrasts["wave"] == "2018 - 2006")].set_index(["term", "organisation"])
    assert change.loc[("change_percent_favourable", "private"), "decision"] == "increase"
    assert change.loc[("change", "private"), "estimate"].lt(0).any()
    tests = found.diagnostics[found.diagnostics["term"] == "proportional_odds"]
    assert tests["estimate"].notna().sum() == 4 and (tests["p_adjusted"] < 0.05).sum() == 4
