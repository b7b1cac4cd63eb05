"""The percentage of favourable answers: against R; against independent computations; on hostile data."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint

from sampled import compare_design, compare_favourable
from surveywaves.mixed.contrasts import overlap
from surveywaves.mixed.design import make_design
from surveywaves.sample import Sample, Scale
from test_mixed_linear import KEY, options, row, simulated

ORACLE = Path(__file__).parent / "oracle" / "favourable"
MANIFEST = pd.read_csv(ORACLE / "manifest.csv", dtype="str", keep_default_na=False).set_index("name")
ANSWERS = pd.read_csv(ORACLE / "answers.csv")

EXACT = 1e-8
"""Relative: clubSandwich, survey, and the sandwich of glm's scores agree to 1e-9 and better."""

SKIPPED = 5e-4
"""Relative, of weighted standard errors: survey multiplies by m / (m - 1) with the m of the stratum, we with those who
answered the statement; where 4% skip one, that is 1 / m times as much."""


def on_oracle(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    entry = MANIFEST.loc[name]
    frame = pd.read_csv(ORACLE / f"{entry['file']}.csv").iloc[:: int(entry["every"])]
    frame = frame.astype({"wave": "str", "organisation": "str"})
    items = tuple(entry["items"].split())
    sample = Sample(
        frame,
        tuple(sorted(frame["wave"].unique())),
        tuple(sorted(frame["organisation"].unique())),
        covariates=tuple(entry["covariates"].split()),
        weight=entry["weight"],
        team=entry["team"],
        smallest_overlap=0.0,
    )
    scale = Scale(
        "s",
        items,
        dict(zip(items, map(int, entry["keyed"].split()), strict=True)),
        (int(entry["low"]), int(entry["high"])),
        favourable=tuple(map(int, entry["favourable"].split())),
    )
    design = make_design(sample, scale)
    if words := entry["sampled"].split():
        share = dict(zip(words[::2], map(float, words[1::2]), strict=True))
        left = np.array([1 - share[wave] for wave, _ in design.cells])
        design = replace(design, square=design.square * left[design.cell[design.group]])
    found = compare_design(design, scale, min_cell=1)
    return pd.concat(found, ignore_index=True), ANSWERS[ANSWERS["set"] == name]


@pytest.mark.parametrize("name", MANIFEST.index)
def test_percentages_and_errors_match_r(name: str) -> None:
    ours, theirs = on_oracle(name)
    joined = theirs.merge(ours, on=KEY, suffixes=("_r", ""), validate="1:1")
    assert len(joined) == len(theirs) >= 9
    assert (joined["status"] == "ok").all()
    np.testing.assert_allclose(joined["estimate"], joined["estimate_r"], rtol=EXACT, atol=EXACT)
    # where everybody answered alike, the sandwich has nothing to go by
    plain = joined[~joined["note"].str.contains("everybody alike")]
    tolerance = SKIPPED if MANIFEST.loc[name, "weight"] else EXACT
    np.testing.assert_allclose(plain["std_error"], plain["std_error_r"], rtol=tolerance)
    known = plain["df_r"].notna()
    np.testing.assert_allclose(plain.loc[known, "df"], plain.loc[known, "df_r"], rtol=EXACT)
    assert known.all() == (not MANIFEST.loc[name, "covariates"] and not MANIFEST.loc[name, "weight"])


def test_with_covariates_it_is_the_gee_with_independent_working_correlation() -> None:
    frame = simulated(301, seed=3).assign(role=np.tile(list("abcabbc"), 43))
    items = ["i0", "i1", "i2", "i3"]
    ours = compare_favourable(frame, favourable=(4, 5), **options(frame, covariates=["role"])).means
    long = frame.melt(["wave", "organisation", "role"], items, ignore_index=False).reset_index().dropna()
    long["cell"] = long["wave"] + ", " + long["organisation"]
    blocks = pd.get_dummies(long["cell"] + long["variable"], dtype=float)
    columns = blocks.join(pd.get_dummies(long["role"], dtype=float).iloc[:, 1:])
    fit = sm.GEE(
        long["value"].ge(4).astype(float), columns, long["index"], family=sm.families.Binomial()
    ).fit()
    roles = pd.get_dummies(frame["role"], dtype=float).iloc[:, 1:].to_numpy()
    roles = roles[frame[items].notna().any(axis=1)]
    for (wave, organisation), own in long.groupby(["wave", "organisation"]):
        where = [list(columns).index(f"{wave}, {organisation}{item}") for item in items]
        cluster_factor = own["index"].nunique() / (own["index"].nunique() - 1)
        chance, slope = 0.0, np.zeros(columns.shape[1])
        for place in where:
            p = 1 / (1 + np.exp(-(fit.params.iloc[place] + roles @ fit.params.iloc[-2:])))
            chance += 25 * p.mean()
            slope[place] = 25 * (p * (1 - p)).mean()
            slope[-2:] += 25 * ((p * (1 - p))[:, None] * roles).mean(axis=0)
        mine = row(ours, "percent_favourable", wave, organisation)
        assert mine["estimate"] == pytest.approx(chance, rel=1e-8)
        # GEE's sandwich is without m / (m - 1)
        theirs = math.sqrt(slope @ fit.cov_params() @ slope * cluster_factor)
        assert mine["std_error"] == pytest.approx(theirs, rel=2e-3)


def test_one_statement_is_a_proportion_and_welchs_test() -> None:
    frame = simulated(180, items=1, missing=0)
    means, contrasts = compare_favourable(frame, favourable=(4, 5), **options(frame))
    good = frame["i0"].ge(4)
    by = good.groupby([frame["wave"], frame["organisation"]])
    share, n = by.mean(), by.size()
    variance = share * (1 - share) / (n - 1)
    for wave, organisation in share.index:
        mean = row(means, "percent_favourable", wave, organisation)
        assert mean["estimate"] == pytest.approx(100 * share[wave, organisation])
        assert mean["std_error"] == pytest.approx(100 * math.sqrt(variance[wave, organisation]))
        assert mean["df"] == pytest.approx(n[wave, organisation] - 1)
    change = row(contrasts, "change_percent_favourable", "second - first", "x")
    both = [("first", "x"), ("second", "x")]
    assert change["std_error"] == pytest.approx(100 * math.sqrt(variance[both].sum()))


def test_statements_weigh_equally_and_only_those_that_were_asked_count() -> None:
    frame = simulated(160, seed=5)
    frame.loc[frame["wave"] == "first", "i3"] = pd.NA
    frame.loc[(frame["wave"] == "second") & (frame["organisation"] == "y"), "i0"] = pd.NA
    means, contrasts = compare_favourable(frame, favourable=(4, 5), **options(frame))

    def share(wave: str, organisation: str, *items: str) -> float:
        own = frame[(frame["wave"] == wave) & (frame["organisation"] == organisation)]
        return 100 * float(np.mean([own[item].dropna().ge(4).mean() for item in items]))

    mean = row(means, "percent_favourable", "first", "x")
    assert mean["estimate"] == pytest.approx(share("first", "x", "i0", "i1", "i2")) and mean["note"] == ""
    change = row(contrasts, "change_percent_favourable", "second - first", "x")
    of_those_asked = [share(wave, "x", "i0", "i1", "i2") for wave in ("second", "first")]
    assert change["estimate"] == pytest.approx(of_those_asked[0] - of_those_asked[1])
    assert change["note"] == "over 3 of 4 statements"
    gap = row(contrasts, "gap_percent_favourable", "second", "x - y")
    assert gap["estimate"] == pytest.approx(
        share("second", "x", "i1", "i2", "i3") - share("second", "y", "i1", "i2", "i3")
    )


def test_statements_that_no_two_cells_share_are_not_compared() -> None:
    frame = simulated(100, missing=0)
    frame.loc[frame["wave"] == "first", ["i0", "i1"]] = pd.NA
    frame.loc[frame["wave"] == "second", ["i2", "i3"]] = pd.NA
    means, contrasts = compare_favourable(frame, favourable=(4, 5), **options(frame))
    assert (means["status"] == "ok").all()
    change = row(contrasts, "change_percent_favourable", "second - first", "x")
    assert (change["status"], change["note"]) == ("not_estimable", "no statement in common")


def test_all_staff_are_the_weighted_sum_of_organisations_that_are_all_there() -> None:
    frame = simulated(200, seed=9)
    shares = {"x": 0.3, "y": 0.7}
    means, contrasts = compare_favourable(frame, favourable=(4, 5), **options(frame, shares=shares))
    for wave in ("first", "second"):
        x, y = (row(means, "percent_favourable", wave, name) for name in "xy")
        everybody = row(means, "percent_favourable", wave, "all")
        assert everybody["estimate"] == pytest.approx(0.3 * x["estimate"] + 0.7 * y["estimate"])
        assert everybody["std_error"] == pytest.approx(math.hypot(0.3 * x["std_error"], 0.7 * y["std_error"]))
        assert everybody["n"] == x["n"] + y["n"] and 0 < everybody["conf_low"] < everybody["conf_high"] < 100
    change = row(contrasts, "change_percent_favourable", "second - first", "all")
    parts = [row(contrasts, "change_percent_favourable", "second - first", name)["estimate"] for name in "xy"]
    assert change["estimate"] == pytest.approx(0.3 * parts[0] + 0.7 * parts[1])
    gone = frame[(frame["wave"] == "second") | (frame["organisation"] == "x")]
    means, contrasts = compare_favourable(gone, favourable=(4, 5), **options(gone, shares=shares))
    assert means.loc[means["organisation"] == "all", "wave"].tolist() == ["second"]
    assert "all" not in set(contrasts["organisation"])


def test_shares_are_stated_or_those_of_the_reference_waves_respondents() -> None:
    frame = pd.DataFrame({"wave": ["a"] * 5 + ["b"], "organisation": ["x", "x", "x", "y", None, "y"]})
    sample = Sample(frame, ("a", "b"), ("x", "y"), reference="a").with_shares()
    assert sample.shares == {"x": 0.75, "y": 0.25}
    assert sample.shares_note == "organisations weighted by their shares of the respondents of a"
    stated = Sample(frame, ("a", "b"), ("x", "y"), shares={"x": 300, "y": 100}, shares_note="as stated")
    assert (stated.with_shares().shares, stated.with_shares().shares_note) == (sample.shares, "as stated")
    assert not replace(sample, organisations=("x",)).with_shares().shares


# --- nobody differs -----------------------------------------------------------------------------------------------


def test_a_cell_where_everybody_is_favourable_has_wilsons_interval_and_an_error_in_contrasts() -> None:
    frame = simulated(80, items=2, missing=0)
    full = (frame["wave"] == "first") & (frame["organisation"] == "x")
    frame.loc[full, ["i0", "i1"]] = 5
    means, contrasts = compare_favourable(frame, favourable=(4, 5), **options(frame))
    mean, n = row(means, "percent_favourable", "first", "x"), int(full.sum())
    assert mean["estimate"] == 100 and mean["status"] == "ok"
    low, high = proportion_confint(n, n, method="wilson")
    assert (mean["conf_low"], mean["conf_high"]) == pytest.approx((100 * low, 100 * high))
    change, later = (
        row(contrasts, "change_percent_favourable", "second - first", "x"),
        row(means, "percent_favourable", "second", "x"),
    )
    p = (n + 1) / (n + 2)
    alone = 100 * math.sqrt(p * (1 - p) / (n + 2))
    assert change["std_error"] == pytest.approx(math.hypot(alone, later["std_error"]))
    assert change["note"].startswith("everybody alike")


def test_a_cell_of_two_has_an_interval_however_wide() -> None:
    frame = pd.DataFrame({"wave": ["a"] * 4, "organisation": ["x", "x", "y", "y"], "i": [1, 5, 4, 2]})
    design = make_design(
        Sample(frame, ("a",), ("x", "y")), scale := Scale("s", ("i",), {"i": 1}, (1, 5), (4, 5))
    )
    means = compare_design(design, scale, confidence=0.9999).means
    assert (means["estimate"] == 50).all() and (means["status"] == "ok").all()
    assert means["conf_low"].between(0, 1e-9).all() and means["conf_high"].between(99.999, 100).all()


def test_answers_that_always_come_to_the_same_percentage_have_no_error() -> None:
    frame = simulated(80, items=1, missing=0)
    frame["i1"] = 6 - frame["i0"].replace({3: 4})
    frame["i0"] = frame["i0"].replace({3: 4})
    means = compare_favourable(frame, favourable=(4, 5), **options(frame)).means
    assert (means["status"] == "not_estimable").all()
    assert means["note"].str.startswith("everybody's answers come to the same percentage").all()


def test_a_covariate_that_leaves_nobody_to_differ_has_a_reason_with_teams_too() -> None:
    frame = pd.DataFrame(
        {
            "wave": ["early", "late", "early", "early", "late", "late"],
            "organisation": ["x", "x", "y", "y", "y", "x"],
            "i0": [1, 1, 2, 1, 2, 1],
            "i1": [1, 1, math.nan, 1, 2, 2],
            "i2": [1, 2, 1, 1, 2, 1],
            "team": ["t1", "t4", "t5", "t0", "t1", "t6"],
        }
    )
    frame["place"] = frame["wave"] + frame["organisation"]
    sample = Sample(frame, ("early", "late"), ("x", "y"), covariates=("place",), team="team")
    for item, key in {"i0": 1, "i1": -1, "i2": -1}.items():
        scale = Scale("s", (item,), {item: key}, (1, 2), (2,))
        found = compare_design(make_design(sample, scale), scale).means
        lacking = found["estimate"].isna()
        assert lacking.any() and (found.loc[lacking, "note"] != "").all()


def test_intervals_cover_the_truth_where_few_answer_and_answers_are_near_the_top() -> None:
    rng, runs = np.random.default_rng(11), 400
    covered, false = 0, 0
    for _ in range(runs):
        person = rng.normal(size=(80, 1))
        answers = np.where(1.5 + person + rng.logistic(size=(80, 3)) > 0, 5.0, 2.0)
        frame = pd.DataFrame(answers, columns=["i0", "i1", "i2"])
        frame["wave"], frame["organisation"] = ["first"] * 15 + ["second"] * 65, "x"
        found = compare_favourable(frame, favourable=(4, 5), **options(frame, organisations=["x"]))
        truth = 100 * np.mean(1 / (1 + np.exp(-1.5 - np.random.default_rng(1).normal(size=100_000))))
        mean = row(found.means, "percent_favourable", "first", "x")
        covered += mean["conf_low"] < truth < mean["conf_high"]
        false += found.contrasts["p_value"].item() < 0.05
    error = math.sqrt(0.05 * 0.95 / runs)
    assert covered / runs == pytest.approx(0.95, abs=3 * error)
    assert false / runs == pytest.approx(0.05, abs=3 * error)


# --- covariates ---------------------------------------------------------------------------------------------------


def professions(**levels: dict[str, list[str]] | list[str]) -> pd.DataFrame:
    """Respondents with a job: organisation -> what it employs, in every wave or wave by wave."""
    frame = simulated(240, seed=2)
    rng = np.random.default_rng(4)
    jobs = []
    for wave, organisation in zip(frame["wave"], frame["organisation"], strict=True):
        known = levels[organisation]
        jobs.append(rng.choice(known[wave] if isinstance(known, dict) else known))
    return frame.assign(job=jobs)


def test_a_covariate_that_one_organisation_alone_has_adjusts_no_gap() -> None:
    apart = professions(
        x=["nurse", "clerk"],
        y=["social worker", "teacher"],
    )
    _, contrasts = compare_favourable(apart, favourable=(4, 5), **options(apart, covariates=["job"]))
    gap = row(contrasts, "gap_percent_favourable", "first", "x - y")
    assert gap["status"] == "not_estimable"
    assert gap["note"] == "adjusted where 0% of respondents overlap: fewer than 50%"
    change = row(contrasts, "change_percent_favourable", "second - first", "x")
    assert change["status"] == "ok"
    assert change["note"] == "standardised to the respondents of its own cells"


def test_overlap_is_the_share_whose_covariates_occur_in_all_cells() -> None:
    frame = professions(
        x={"first": ["nurse", "clerk"], "second": ["clerk"]},
        y=["clerk", "clerk", "social worker"],
    )
    usual = options(frame, covariates=["job"])
    names = {name: tuple(usual[name]) for name in ("waves", "organisations", "covariates")}
    scale = Scale("s", tuple(usual["items"]), usual["keys"], (1, 5), favourable=(4, 5))
    design = make_design(Sample(frame, **names), scale)
    own = frame[frame[usual["items"]].notna().any(axis=1)]
    clerks = own["job"].eq("clerk").groupby([own["wave"], own["organisation"]])
    gap = {("first", "x"): 1.0, ("first", "y"): -1.0}
    cells = list(gap)
    assert overlap(design, gap) == pytest.approx(clerks.sum()[cells].sum() / clerks.size()[cells].sum())
    both = {("second", "x"): 1.0, ("first", "x"): -1.0, ("second", "y"): -1.0, ("first", "y"): 1.0}
    alone = own.query("wave == 'first' and organisation == 'x' and job == 'nurse'")
    assert overlap(design, both) == pytest.approx(1 - len(alone) / len(own)), "within organisations"
    assert overlap(design, {("first", "x"): 0.5, ("first", "y"): 0.5}) == 1, "a mean compares nothing"
    for least, status in ((0.0, "ok"), (0.99, "not_estimable")):
        found = compare_favourable(frame, favourable=(4, 5), **usual, smallest_overlap=least).contrasts
        stated = row(found, "gap_percent_favourable", "first", "x - y")
        assert stated["status"] == status and stated["note"].startswith("adjusted where")


def test_a_covariate_that_splits_the_answers_is_named() -> None:
    frame = simulated(80, missing=0).assign(role=["a", "b"] * 40, wave=["first"] * 40 + ["second"] * 40)
    items = ["i0", "i1", "i2", "i3"]
    frame.loc[frame["role"] == "a", items] = frame.loc[frame["role"] == "a", items].clip(upper=2)
    means, _ = compare_favourable(frame, favourable=(2, 4, 5), **options(frame, covariates=["role"]))
    assert (means["status"] == "ok").all()
    means, _ = compare_favourable(
        frame.assign(i0=np.where(frame["role"] == "a", 2, 4), i1=1, i2=1, i3=1),
        favourable=(4, 5),
        **options(frame, covariates=["role"]),
    )
    assert (means["status"] == "not_estimable").all() and means["note"].str.startswith("separation").all()


# --- arguments and hostile data -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"favourable": ()}, "not favourable answers"),
        ({"favourable": (6,)}, "not favourable answers from 1 to 5"),
        ({"confidence": 1.0}, "not a coverage"),
    ],
)
def test_arguments_that_make_no_sense_are_named(changed: dict[str, Any], message: str) -> None:
    frame = simulated(40)
    with pytest.raises(ValueError, match=message):
        compare_favourable(frame, **{"favourable": (4, 5), **options(frame), **changed})


def test_one_cluster_has_no_error_and_nobody_has_no_row_of_contrasts() -> None:
    frame = simulated(80).assign(team=lambda one: one["organisation"] + one["wave"])
    frame.loc[frame.index % 3 == 0, "team"] += "2"
    lonely = (frame["wave"] == "first") & (frame["organisation"] == "x")
    frame.loc[lonely, "team"] = "only"
    means, contrasts = compare_favourable(frame, favourable=(4, 5), **options(frame, team="team"))
    mean = row(means, "percent_favourable", "first", "x")
    assert (mean["status"], mean["note"]) == (
        "not_estimable",
        "one team only, whose error cannot be estimated: first, x",
    )
    assert row(contrasts, "change_percent_favourable", "second - first", "y")["status"] == "ok"
    nobody = frame.assign(**dict.fromkeys(["i0", "i1", "i2", "i3"], pd.NA))
    means, contrasts = compare_favourable(nobody, favourable=(4, 5), **options(frame))
    assert set(means["status"]) == {"not_estimable"} and contrasts.empty


def test_order_of_respondents_and_weights_of_one_change_nothing() -> None:
    frame = simulated(120).assign(weight=1.0)
    usual = {"favourable": (4, 5), **options(frame)}
    plain = compare_favourable(frame, **usual)
    for other in (
        compare_favourable(frame.sample(frac=1, random_state=1), **usual),
        compare_favourable(frame, **usual | {"weight": "weight"}),
    ):
        for one, two in zip(plain, other, strict=True):
            pd.testing.assert_frame_equal(one[["estimate", "std_error"]], two[["estimate", "std_error"]])
