"""Themes are counted as stated, and no count by group reveals what the survey's rule would not reveal."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest

from surveywaves.disclosure import Rule
from surveywaves.qualitative.themes import COLUMNS, grouped, spoken, themes
from surveywaves.study.models import Disclosure

PUBLIC = Rule.of(Disclosure(rounding=0, public=True))


def rule(rounding: Literal[0, 5] = 5) -> Rule:
    return Rule.of(Disclosure(rounding=rounding))


def interviewed(**sizes: int) -> pd.DataFrame:
    """Lay interviews out: `stage__area__organisation` -> how many."""
    rows = [key.split("__") for key, n in sizes.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["stage", "area", "organisation"])
    frame.insert(0, "source", range(1, len(frame) + 1))
    return frame


def raised(sources: pd.DataFrame, share: float = 0.5, names: str = "ab", seed: int = 1) -> pd.DataFrame:
    """Let one coder find themes at random."""
    rng = np.random.default_rng(seed)
    rows = [
        (source, 1, theme, theme, "+-"[rng.integers(2)], 10, 20)
        for source in sources["source"]
        for theme in names
        if rng.random() < share
    ]
    frame = pd.DataFrame(rows, columns=["source", "coder", "code", "theme", "tone", "start", "end"])
    return frame.astype({"start": "Int64", "end": "Int64"})


def marks(*rows: tuple[int, int, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["source", "coder", "theme", "tone"])
    return frame.assign(
        code="x", start=pd.array([0] * len(rows), "Int64"), end=pd.array([1] * len(rows), "Int64")
    )


# --- how somebody speaks of a theme -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "tone"),
    [
        ([(1, 1, "a", "+")], "favourable"),
        ([(1, 1, "a", "-")], "critical"),
        ([(1, 1, "a", "+"), (1, 1, "a", "-")], "mixed"),
        ([(1, 1, "a", "")], "mixed"),
        ([(1, 1, "a", ""), (1, 1, "a", "-")], "critical"),
        # of three coders two find it, and agree on the tone
        ([(1, 1, "a", "+"), (1, 2, "a", "+"), (1, 3, "b", "")], "favourable"),
        # they agree on the theme, not on the tone
        ([(1, 1, "a", "+"), (1, 2, "a", "-"), (1, 3, "b", "")], "mixed"),
        # two of three hear criticism, one praise
        ([(1, 1, "a", "-"), (1, 2, "a", "-"), (1, 3, "a", "+")], "critical"),
        # one of three is not enough
        ([(1, 1, "a", "+"), (1, 2, "b", ""), (1, 3, "b", "")], None),
        # one of two is
        ([(1, 1, "a", "+"), (1, 2, "b", "")], "favourable"),
    ],
)
def test_a_theme_is_raised_where_half_of_the_coders_find_it(
    rows: list[tuple[int, int, str, str]], tone: str | None
) -> None:
    found = spoken(marks(*rows), by={"a": ("a",)})
    assert list(found["tone"]) == ([] if tone is None else [tone])


def test_a_principle_is_raised_by_any_of_its_themes() -> None:
    found = spoken(
        marks((1, 1, "a", "+"), (1, 1, "b", "-"), (2, 1, "b", "-")), by={"p": ("a", "b"), "a": ("a",)}
    )
    assert found.to_numpy().tolist() == [[1, "a", "favourable"], [1, "p", "mixed"], [2, "p", "critical"]]


# --- groups -----------------------------------------------------------------------------------------------------


def test_groups_are_areas_by_organisation_where_there_are_enough_interviews() -> None:
    sources = interviewed(s__big__x=20, s__big__y=15, s__mid__x=18, s__mid__y=2, s__tiny__x=9, s__small__y=8)
    assert grouped(sources, smallest=10).value_counts().to_dict() == {
        ("big", "x"): 20, ("big", "y"): 15, ("mid", "all"): 20, ("other", "all"): 17,
    }  # fmt: skip


def test_too_few_by_themselves_are_joined_by_the_smallest_of_the_rest() -> None:
    sources = interviewed(s__big__x=30, s__mid__x=18, s__tiny__x=4)
    assert grouped(sources, smallest=10).value_counts().to_dict() == {
        ("big", "x"): 30,
        ("other", "all"): 22,
    }


def test_groups_of_public_material_are_as_they_are() -> None:
    sources = interviewed(s__big__x=30, s__tiny__y=1)
    found = grouped(sources, smallest=0)
    assert set(zip(found["area"], found["organisation"], strict=True)) == {("big", "x"), ("tiny", "y")}


# --- counts -----------------------------------------------------------------------------------------------------

STUDY = interviewed(
    managers__board__nhs=20,
    managers__board__sw=16,
    front__ld__nhs=10,
    front__ld__sw=11,
    front__cmht__nhs=22,
    front__camhs__nhs=15,
)


def test_public_counts_are_those_of_the_material() -> None:
    segments = raised(STUDY)
    found = themes(STUDY, segments, names=["a", "b"], rule=PUBLIC)
    assert tuple(found.columns) == COLUMNS
    told = segments.drop_duplicates(["source", "theme"]).merge(STUDY, on="source")
    for row in found.itertuples():
        own = (told["stage"] == row.stage) & (told["theme"] == row.theme)
        for column, level in (("area", row.area), ("organisation", row.organisation)):
            own &= (told[column] == level) | (level == "all")
        assert row.n == own.sum(), row
        if row.area == row.organisation == "all":
            assert row.favourable + row.mixed + row.critical == row.n
            assert row.passages == own.sum()
    assert found["sources"].max() == 47 + 11


def test_all_interviews_of_a_stage_are_exact_and_groups_are_rounded() -> None:
    segments = raised(STUDY)
    exact, shown = (themes(STUDY, segments, names=["a", "b"], rule=one) for one in (PUBLIC, rule()))
    whole = (shown["area"] == "all") & (shown["organisation"] == "all")
    key = ["stage", "area", "organisation", "theme"]
    both = shown[whole].merge(exact, on=key, suffixes=("", "_exact"))
    assert (both["n"] == both["n_exact"]).all()
    groups = shown[~whole]
    assert len(groups)
    assert (groups["n"].dropna() % 5 == 0).all()
    assert groups[["favourable", "mixed", "critical", "passages"]].isna().all(axis=None)
    far = groups.merge(exact, on=key, suffixes=("", "_exact"))
    assert (far["n"] - far["n_exact"]).abs().max() < 5 * 2


@pytest.mark.parametrize("rounding", [5, 0])
@pytest.mark.parametrize("seed", range(4))
def test_no_small_count_of_a_group_is_shown(rounding: Literal[0, 5], seed: int) -> None:
    segments = raised(STUDY, share=(0.1, 0.9, 0.3, 0.6)[seed], seed=seed)
    shown = themes(STUDY, segments, names=["a", "b"], rule=rule(rounding))
    groups = shown[(shown["area"] != "all") | (shown["organisation"] != "all")].dropna(subset=["n"])
    assert not groups["n"].between(1, 4).any()
    if rounding:
        assert not (groups["n"] % rounding).any() and (groups["n"] <= groups["sources"]).all()
    else:
        assert not (groups["sources"] - groups["n"]).between(0, 4).any()
    assert (groups["sources"] >= 10).all()


def test_larger_cells_are_sums_of_what_is_shown() -> None:
    sources = interviewed(s__one__x=20, s__one__y=25, s__two__x=20, s__two__y=30)
    shown = themes(sources, raised(sources), names=["a"], rule=rule()).set_index(["area", "organisation"])[
        "n"
    ]
    assert shown["one", "all"] == shown["one", "x"] + shown["one", "y"]
    assert shown["all", "x"] == shown["one", "x"] + shown["two", "x"]


def test_a_stage_of_a_few_interviews_shows_nothing() -> None:
    sources = pd.concat(
        [STUDY, interviewed(last__board__nhs=6).assign(source=range(900, 906))], ignore_index=True
    )
    shown = themes(sources, raised(sources), names=["a"], rule=rule())
    last = shown[shown["stage"] == "last"]
    assert set(last["status"]) == {"withheld"}
    assert last[["sources", "n", "percent", "favourable", "passages"]].isna().all(axis=None)


def test_passages_of_a_few_interviews_are_withheld() -> None:
    few = pd.DataFrame({"source": [1, 1, 2, 3, 4], "start": [10, 50, 10, 10, 10]})
    many = pd.DataFrame({"source": range(1, 7), "start": 10})
    segments = pd.concat([few.assign(theme="a"), many.assign(theme="b")], ignore_index=True)
    segments = segments.assign(coder=1, code="x", tone="+", end=segments["start"] + 5)
    for one, passages in ((rule(), [pd.NA, 6]), (PUBLIC, [5, 6])):
        shown = themes(STUDY, segments, names=["a", "b"], rule=one)
        whole = shown[
            (shown["stage"] == "managers") & (shown["area"] == "all") & (shown["organisation"] == "all")
        ]
        assert whole["n"].tolist() == [4, 6]
        assert whole["passages"].tolist() == passages


def test_counts_do_not_depend_on_the_order_of_the_interviews() -> None:
    segments = raised(STUDY)
    once = themes(STUDY, segments, names=["a", "b"], rule=rule())
    # groups come in the order in which they are met; a shuffle within a group changes nothing
    shuffled = segments.sample(frac=1, random_state=1).reset_index(drop=True)
    pd.testing.assert_frame_equal(once, themes(STUDY, shuffled, names=["a", "b"], rule=rule()))
