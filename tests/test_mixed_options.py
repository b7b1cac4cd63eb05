"""A scale whose statements differ in their response options: put on one range, compared, and measured."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import REPOSITORY
from sampled import compare_study
from surveywaves.errors import StudyError
from surveywaves.invariance import dif
from surveywaves.reliability import reliability
from surveywaves.sample import Sample, on_one_range, scales_of, single_items
from surveywaves.study import load_study
from test_mixed_linear import row


@dataclass
class Item:
    item: str
    points: int
    favourable: tuple[int, ...]
    key: int = 1
    scale: str = "s"


ITEMS = [Item("four", 4, (3, 4)), Item("five", 5, (4, 5), key=-1), Item("seven", 7, (5, 6, 7))]


def sample(n: int = 240) -> Sample:
    rng = np.random.default_rng(8)
    latent = rng.normal(size=(n, 1)) + rng.normal(size=(n, 3))
    frame = pd.DataFrame({"wave": np.repeat(["a", "b"], n // 2), "organisation": np.tile(["x", "y"], n // 2)})
    for place, item in enumerate(ITEMS):
        cuts = np.quantile(latent, np.arange(1, item.points) / item.points)
        answer = np.searchsorted(cuts, latent[:, place]) + 1
        frame[item.item] = pd.array(answer if item.key > 0 else item.points + 1 - answer, dtype="Int8")
    frame.loc[3, "four"] = pd.NA
    return Sample(frame, ("a", "b"), ("x", "y"))


def expected(frame: pd.DataFrame, item: Item, high: int) -> pd.Series:
    values = frame[item.item].astype("Float64")
    turned = values if item.key > 0 else item.points + 1 - values
    return 1 + (turned - 1) * (high - 1) / (item.points - 1)


def test_options_are_spread_evenly_over_the_widest_range_or_a_whole_one() -> None:
    whole, (scale,), _ = on_one_range(sample(), scales_of(ITEMS), whole=True)
    assert scale.response_range == (1, 13)
    for item in ITEMS:
        assert set(whole.frame[item.item].dropna()) == set(range(1, 14, 12 // (item.points - 1)))
    wide, (scale,), alone = on_one_range(sample(), scales_of(ITEMS), single_items(ITEMS))
    assert scale.response_range == (1, 7) and {one.response_range for one in alone} == {(1, 7)}
    assert set(wide.frame["four"].dropna()) == {1, 3, 5, 7}
    assert scale.favourable_of == {"four": (5, 7), "five": (5.5, 7), "seven": (5, 6, 7)}
    plain = [Item("one", 5, (4, 5)), Item("other", 5, (4, 5))]
    untouched = sample()
    assert on_one_range(untouched, scales_of(plain))[0] is untouched and not scales_of(plain)[0].points


def test_it_is_compared_in_percent_of_the_maximum_and_by_each_items_favourable_answers() -> None:
    use = pd.DataFrame({"scale": ["s"], "use": ["scale"], "reason": [""]})
    given = sample()
    found = compare_study(
        *on_one_range(given, scales_of(ITEMS), single_items(ITEMS)),
        use,
        standardised_effect=0.2,
        percentage_points=5,
    )
    frame = given.frame
    cell = (frame["wave"] == "a") & (frame["organisation"] == "y")
    linear, ordinal, share = (
        found.means[found.means["analysis"] == name] for name in ("linear", "ordinal", "favourable")
    )
    # 3 is missing there: the model's mean leans on the answers beside it
    means = [expected(frame[cell], item, 7).mean() for item in ITEMS]
    assert row(linear, "emmean", "a", "y")["estimate"] == pytest.approx(np.mean(means), abs=0.02)
    shares = []
    for item in ITEMS:
        values = frame.loc[cell, item.item].dropna().astype(int)
        turned = values if item.key > 0 else item.points + 1 - values
        shares.append(turned.isin(item.favourable).mean())
    assert row(share, "percent_favourable", "a", "y")["estimate"] == pytest.approx(100 * np.mean(shares))
    assert set(ordinal["status"]) == {"not_estimable"}
    assert ordinal["note"].str.startswith("statements with different response options").all()
    alone = found.item_contrasts[found.item_contrasts["analysis"] == "ordinal"]
    assert (alone["status"] == "ok").all() and set(alone["item"]) == {"four", "five", "seven"}


def test_it_is_measured_like_any_other() -> None:
    given, (scale,), _ = on_one_range(sample(), scales_of(ITEMS), whole=True)
    found = reliability(given, scale, min_n=5)
    alpha = found[(found["term"] == "alpha") & (found["wave"] == "all") & (found["organisation"] == "all")]
    scores = pd.concat(
        [expected(given.frame, Item(item.item, 13, (), item.key), 13) for item in ITEMS], axis=1
    )
    scores = scores.dropna().astype(float)
    classical = 1.5 * (1 - scores.var().sum() / scores.sum(axis=1).var())
    assert alpha["estimate"].iloc[0] == pytest.approx(classical, abs=1e-9)
    assert dif(given, scale, min_n=20)["status"].eq("ok").any()


def test_without_the_statement_it_is_refused_with_the_way_out(tmp_path: Path) -> None:

    home = shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    items = pd.read_csv(home / "items.tsv", sep="\t", dtype="str", keep_default_na=False)
    text = (home / "config.yaml").read_text(encoding="utf-8")
    start = text.index("response_scales:")
    name = text[start:].split("\n")[1].strip().rstrip(":")
    assert set(items["response_scale"]) == {name}
    block = text[start:].split("\n")[1:]
    end = next(place for place, line in enumerate(block[1:], 1) if not line.startswith("    "))
    other = "\n".join(["  another:", *block[1:end]])
    (home / "config.yaml").write_text(text.replace("response_scales:", f"response_scales:\n{other}", 1))
    scale = items["scale"].ne("").idxmax()
    items.loc[scale, "response_scale"] = "another"
    items.to_csv(home / "items.tsv", sep="\t", index=False)
    with pytest.raises(StudyError, match="standardise") as caught:
        load_study(home)
    assert "its items have different response scales" in str(caught.value)
    scales = pd.read_csv(home / "scales.tsv", sep="\t", dtype="str", keep_default_na=False)
    scales["standardise"] = np.where(scales["scale"] == items.loc[scale, "scale"], "range", "")
    scales.to_csv(home / "scales.tsv", sep="\t", index=False)
    try:
        load_study(home)
    except StudyError as error:
        assert "its items have different response scales" not in str(error)
