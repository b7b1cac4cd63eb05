"""Alpha's error and interval, omega, ordinal alpha, floor, ceiling and equal alpha, against psych, boot and plain R."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sampled import reliability
from surveywaves.reliability.factors import polychoric, tables
from surveywaves.terms import ALL, Status

ORACLE = Path(__file__).parent / "oracle" / "reliability"
MANIFEST = pd.read_csv(ORACLE / "manifest.csv").set_index("set")
SETS = list(MANIFEST.index)

SHARP = {"omega_total": 1e-9, "ordinal_alpha": 1e-9}
"""Against the same optimum found to the last digit; the largest deviations seen are 4e-11 and 7e-11."""

ADF = 1e-8
"""Against the delta method with a slope by numDeriv; the largest relative deviation seen is 1e-10."""

INFLUENCE = 1e-5
"""Of degrees of freedom, against influences by finite differences; the largest relative deviation seen is 1e-6."""

PSYCH = {"omega_total": 5e-5, "ordinal_alpha": 5e-5}
"""Against psych itself, which stops its searches early; the largest deviations seen are 4e-6 and 1.3e-5."""


def text(name: str) -> pd.DataFrame:
    keys = {"wave": "str", "organisation": "str", "within": "str", "between": "str"}
    return pd.read_csv(ORACLE / name, dtype=keys, keep_default_na=False, na_values=[""])


def read(name: str) -> tuple[pd.DataFrame, dict[str, int], tuple[int, int], int]:
    row = MANIFEST.loc[name]
    frame = pd.read_csv(ORACLE / row["file"])
    if "organisation" not in frame:
        frame = frame.assign(wave="w1", organisation=frame["gender"])
    items, signs = str(row["items"]).split(), [int(sign) for sign in str(row["keyed"]).split()]
    frame = frame.assign(
        wave=frame["wave"].astype("string"),
        organisation=frame["organisation"]
        .map(lambda code: f"{code:g}" if isinstance(code, float) else code, na_action="ignore")
        .astype("string"),
    )
    keys = dict(zip(items, signs, strict=True))
    return frame, keys, (int(row["low"]), int(row["high"])), int(row["min_n"])


@cache
def ours(name: str, replicates: int = 0) -> pd.DataFrame:
    """Estimate what concerns the scale, not its items."""
    frame, keys, span, min_n = read(name)
    found = reliability(
        frame,
        scale=name,
        items=list(keys),
        keys=keys,
        response_range=span,
        waves=sorted(frame["wave"].dropna().unique()),
        organisations=sorted(frame["organisation"].dropna().unique()),
        min_n=min_n,
        replicates=replicates,
        seed=5,
    )
    return found[found["item"] == ""]


def test_the_sets_have_the_shapes_that_matter() -> None:
    sizes = {name: (len(read(name)[1]), read(name)[2]) for name in SETS}
    assert len(SETS) == 7
    assert {points for _, points in sizes.values()} >= {(1, 3), (1, 4), (1, 5), (1, 6)}
    assert {k for k, _ in sizes.values()} >= {2, 4, 5, 8, 10}


@pytest.mark.parametrize("name", SETS)
def test_omega_ordinal_alpha_floor_and_ceiling_match_psych(name: str) -> None:
    theirs = text("measures.csv").query("set == @name")
    both = theirs.merge(
        ours(name), how="left", on=["wave", "organisation", "term"], suffixes=("_r", ""), validate="1:1"
    )
    assert (both["n"] == both["n_r"]).all()
    for term, rows in both.groupby("term"):
        fine = rows[rows["status"] == Status.OK]
        # Where psych has an estimate and we have none, the model is improper there.
        refused = rows[rows["status"] != Status.OK]
        assert refused["note"].str.contains("Heywood|goes to its end|no settled minimum").all()
        assert len(fine) >= 0.8 * len(rows)
        np.testing.assert_allclose(fine["estimate"], fine["sharp"], rtol=0, atol=SHARP.get(term, 1e-10))
        np.testing.assert_allclose(fine["estimate"], fine["estimate_r"], rtol=0, atol=PSYCH.get(term, 1e-10))
        if term == "alpha":
            np.testing.assert_allclose(fine["std_error"], fine["std_error_r"], rtol=ADF)


@pytest.mark.parametrize("name", sorted(set(text("polychoric.csv")["set"])))
def test_polychoric_correlations_match_two_step_maximum_likelihood(name: str) -> None:
    frame, keys, (low, high), _ = read(name)
    compared = 0
    for (wave, organisation), theirs in (
        text("polychoric.csv").query("set == @name").groupby(["wave", "organisation"])
    ):
        rows = frame[frame["wave"] == wave]
        rows = rows if organisation == ALL else rows[rows["organisation"] == organisation]
        items = list(dict.fromkeys([*theirs["second"], *theirs["first"]]))
        complete = rows[[item for item in keys if item in items]].dropna().to_numpy()
        signs = np.array([keys[item] for item in keys if item in items])
        codes = np.where(signs < 0, low + high - complete, complete).astype(np.intp) - low
        rho, settled = polychoric(tables(codes, high - low + 1))
        where = {item: number for number, item in enumerate(item for item in keys if item in items)}
        found = rho[theirs["first"].map(where), theirs["second"].map(where)]
        inside = np.abs(found) < 0.99
        assert settled.all()
        np.testing.assert_allclose(found[inside], theirs["sharp"][inside], rtol=0, atol=1e-8)
        np.testing.assert_allclose(found, theirs["estimate"], rtol=0, atol=5e-5)
        compared += len(theirs)
    assert compared >= 30


@pytest.mark.parametrize("name", sorted(set(text("equality.csv")["set"])))
def test_tests_of_equal_alpha_match_the_delta_method_and_welch(name: str) -> None:
    theirs = text("equality.csv").query("set == @name")
    wave = np.where(theirs["along"] == "wave", theirs["between"], theirs["within"])
    organisation = np.where(theirs["along"] == "wave", theirs["within"], theirs["between"])
    theirs = theirs.assign(wave=wave, organisation=organisation)
    both = theirs.merge(
        ours(name), how="left", on=["wave", "organisation", "term"], suffixes=("_r", ""), validate="1:1"
    )
    assert len(both) >= 2
    assert (both["status"] == Status.OK).all()
    assert (both["n"] == both["n_r"]).all()
    pairs = both[both["term"] == "alpha_difference"]
    np.testing.assert_allclose(pairs["estimate"], pairs["estimate_r"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(pairs["std_error"], pairs["std_error_r"], rtol=ADF)
    bounds = ["conf_low", "conf_high"]
    np.testing.assert_allclose(pairs[bounds], pairs[[f"{bound}_r" for bound in bounds]], rtol=0, atol=1e-6)
    together = both[both["term"] == "equality"]
    np.testing.assert_allclose(together["estimate"], together["estimate_r"], rtol=ADF)
    np.testing.assert_allclose(both["df"], both["df_r"], rtol=INFLUENCE)
    np.testing.assert_allclose(both["p_value"], both["p_value_r"], rtol=0, atol=1e-6)


def test_the_interval_matches_boot_s_studentised_one_within_its_own_noise() -> None:
    theirs = text("bootstrap.csv").set_index("set")
    for name in ("neuroticism", "verbal"):
        found = ours(name, 4_000).query("term == 'alpha' and organisation == 'all'")
        row = found.set_index("wave").loc[theirs.loc[name, "wave"]]
        assert row["n"] == theirs.loc[name, "n"]
        assert row["estimate"] == pytest.approx(theirs.loc[name, "estimate"], abs=1e-12)
        # A bound of 4,000 replicates wanders by about a twentieth of the standard error.
        for bound in ("conf_low", "conf_high"):
            assert row[bound] == pytest.approx(theirs.loc[name, bound], abs=0.2 * row["std_error"])


def test_of_eighteen_tastings_the_interval_is_as_wide_as_boot_s_and_of_nine_it_says_what_is_lost() -> None:
    theirs = text("bootstrap.csv").set_index("set").loc["wine"]
    found = ours("wine", 4_000).query("term == 'alpha' and wave == 'cold'").set_index("organisation")
    row = found.loc[ALL]
    assert row["n"] == theirs["n"] == 18
    assert row["conf_low"] == pytest.approx(theirs["conf_low"], abs=0.15)
    assert row["conf_high"] == pytest.approx(theirs["conf_high"], abs=0.02)
    assert found.loc["contact no", "note"].startswith("no interval: in ")


def test_omega_is_that_of_the_least_misfit_of_three_hundred_starts() -> None:
    soup = pd.read_csv(ORACLE / "soup.csv")
    items = [f"S{place}" for place in range(1, 11)]
    keys = dict.fromkeys(items, 1) | {"S4": -1, "S9": -1}
    found = reliability(
        soup.astype({"wave": "string"}),
        items=items,
        keys=keys,
        response_range=(1, 6),
        waves=sorted(soup["wave"].unique()),
        organisations=[],
        replicates=0,
    ).query("term == 'omega_total'")
    theirs = text("omega.csv").set_index("wave")
    assert theirs["minima"].max() > 1
    assert theirs.loc[ALL, "estimate"] == pytest.approx(0.1568, abs=5e-5)
    found = found.set_index("wave").loc[theirs.index]
    assert (found["n"] == theirs["n"]).all()
    np.testing.assert_allclose(found["estimate"], theirs["estimate"], rtol=0, atol=1e-8)
