"""Figures of what the disclosure rule leaves: what is shown stands in its place, what is withheld looks withheld."""

from __future__ import annotations

import itertools
import math
import random
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path as Shape

from drawn_studies import (
    Drawn,
    assert_legible,
    boxes,
    draw_all,
    marks,
    named,
    names,
    said,
    striped,
    study_of,
    tables_for,
    texts,
)
from surveywaves.figures import layout
from surveywaves.figures.layout import WHITE, as_path, stripes
from surveywaves.figures.likert import Bar, Piece, divide

COUNTS = {"n", "base", "returns", "population", "favourable_n"}
NOBODY = [
    "n",
    "base",
    "percent",
    "returns",
    "population",
    "rate",
    "favourable_n",
    "favourable_percent",
    "mean",
    "sd",
]
NOTHING = ["estimate", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted", "smallest"]


@pytest.fixture(scope="module")
def plain() -> Drawn:
    return named("plain")


def withheld(table: pd.DataFrame, rows: pd.Series, columns: list[str]) -> pd.DataFrame:
    """Take numbers out of some rows, as the release does."""
    table = table.copy()
    for column in columns:
        kind = "Int64" if column in COUNTS else "float64"
        table[column] = table[column].astype(kind).mask(rows)
    table["status"] = table["status"].mask(rows, "withheld")
    return table


def nothing_left(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Withhold every number of every table."""
    gone = {}
    for name, table in tables.items():
        numbers = [column for column in (*NOBODY, *NOTHING) if column in table.columns]
        numbers = [column for column in numbers if name != "planning" or column != "n"]
        gone[name] = withheld(table, pd.Series(data=True, index=table.index), numbers)
        if "decision" in table:
            gone[name]["decision"] = ""
        if "recomputed" in table:
            gone[name]["recomputed"] = ""
    return gone


# --- how answers divide ---------------------------------------------------------------------------------------


def true_place(full: list[float], options: tuple[int, ...]) -> float:
    """Give where options begin in a full bar, from the middle of the scale."""
    half = len(full) // 2
    below = sum(full[:half]) + (full[half] / 2 if len(full) % 2 else 0.0)
    return sum(full[: options[0]]) - below


def cases(count: int) -> list[tuple[list[float], list[float], set[int], float]]:
    """Make answers of 2 to 7 options, hide some, and the favourable ones together where they would tell."""
    draw = random.Random(7)
    made = []
    for _ in range(count):
        points = draw.randint(2, 7)
        weights = [draw.choice((0, draw.random())) for _ in range(points)]
        total = sum(weights)
        if not total:
            continue
        full = [100 * weight / total for weight in weights]
        hidden = [draw.random() < 0.45 for _ in range(points)]
        shown = [math.nan if gone else share for gone, share in zip(hidden, full, strict=True)]
        favourable = set(range(points - max(points // 3, 1), points))
        together = sum(full[option] for option in favourable) if draw.random() < 0.5 else math.nan
        made.append((full, shown, favourable, together))
    return made


def test_every_piece_is_as_long_as_the_truth_and_stands_where_the_truth_does() -> None:
    centred = 0
    for full, shown, favourable, together in cases(4000):
        bar = divide(shown, favourable, together)
        if bar is None:
            assert all(math.isnan(share) for share in shown)
            continue
        pieces = (*bar.centred, *bar.apart)
        assert sorted(option for piece in pieces for option in piece.options) == list(range(len(full)))
        for piece in pieces:
            assert piece.share == pytest.approx(sum(full[option] for option in piece.options), abs=1e-9)
        at = -bar.below
        for piece in bar.centred:
            assert at == pytest.approx(true_place(full, piece.options), abs=1e-9), (shown, bar)
            at += piece.share
            centred += len(piece.options) > 1
        if all(map(math.isfinite, shown)):
            assert not bar.apart
    assert centred > 100, "some of what is withheld has its place"


def test_what_is_shown_says_nothing_that_another_truth_would_change() -> None:
    """Two surveys that differ in withheld counts alone, with the same sums, must look the same."""
    one = divide([math.nan, math.nan, 30.0, 25.0, 15.0], {3, 4}, 40.0)
    assert one == Bar((Piece((0, 1), 30.0), Piece((2,), 30.0), Piece((3,), 25.0), Piece((4,), 15.0)), 45.0)
    # The middle among the withheld: nobody knows where the bar stands.
    other = divide([10.0, math.nan, math.nan, 25.0, 15.0], {3, 4}, 40.0)
    assert other is not None
    assert other.centred == ()
    assert [piece.options for piece in other.apart] == [(0,), (1, 2), (3,), (4,)]
    # Of both ends: the middle stays, the ends are known together only.
    ends = divide([math.nan, 20.0, 30.0, 25.0, math.nan], {3, 4}, math.nan)
    assert ends is not None
    assert [piece.options for piece in ends.centred] == [(1,), (2,), (3,)]
    assert ends.apart == (Piece((0, 4), 25.0),)
    assert divide([math.nan] * 5, {3, 4}, math.nan) is None
    # Favourable ones known together split what is withheld in two.
    both = divide([math.nan, math.nan, 20.0, math.nan, math.nan], {3, 4}, 50.0)
    assert both is not None
    assert both.centred == (Piece((0, 1), 30.0), Piece((2,), 20.0), Piece((3, 4), 50.0))


def test_stripes_fill_their_box_and_take_turns() -> None:
    for colours in (2, 3, 5):
        found = list(stripes(3.0, 4.0, 20.0, 5.0, colours=colours, thickness=0.7))
        areas = [0.0] * (colours + 1)
        for place, shape in found:
            assert 0 < place <= colours
            xs, ys = np.array(shape).T
            assert xs.min() >= 3 - 1e-9
            assert xs.max() <= 23 + 1e-9
            assert ys.min() >= 4 - 1e-9
            assert ys.max() <= 9 + 1e-9
            areas[place] += 0.5 * abs(np.dot(xs, np.roll(ys, 1)) - np.dot(ys, np.roll(xs, 1)))
        for area in areas[1:colours]:
            assert area == pytest.approx(100 * (1 - WHITE) / colours, rel=0.15)
        assert areas[colours] == pytest.approx(100 * WHITE, rel=0.1)
    assert list(stripes(0, 0, 0, 5, colours=2, thickness=1)) == []
    path = as_path([[(0, 0), (1, 0), (0, 1)]])
    assert list(path.codes) == [Shape.MOVETO, Shape.LINETO, Shape.LINETO, Shape.CLOSEPOLY]


# --- what is drawn of it --------------------------------------------------------------------------------------


def test_bars_keep_what_is_shown_and_stripe_the_rest() -> None:
    study = study_of(waves=1, organisations=1, scales=1)
    tables = tables_for(study)
    rows = tables["item_frequencies"]
    hide = rows["response"].isin([1, 2]) & (rows["item"] == "s0_1")
    figure = next(
        draw_all(
            tables | {"item_frequencies": withheld(rows, hide, ["n", "percent"])}, study, wanted=["likert_s0"]
        )
    )
    whole = next(draw_all(tables, study, wanted=["likert_s0"]))
    colours = layout.response_colours(study.style.responses, 5)
    kept = [box for box in boxes(figure) if box[0] in colours[1:]]
    before = [box for box in boxes(whole) if box[0] in colours[1:]]
    for colour in colours[2:]:
        now, then = ([width for one, width, _ in found if one == colour] for found in (kept, before))
        assert np.allclose(now, then), "what is shown has not moved"
    mine = rows[(rows["item"] == "s0_1") & (rows["organisation"] == "all")].set_index("response")["percent"]
    scale = [width for one, width, _ in before if one == colours[3]][1] / mine[4]
    key, together = striped(figure)
    assert key[0] == together[0] == colours[0]
    assert together[1] == pytest.approx(scale * (mine[1] + mine[2]))
    assert "Striped: so many gave one of the answers of these colours" in figure.caption
    assert "some answers to 1 of 3 statements are withheld" in figure.alt
    assert str(int(rows.loc[hide, "base"].iloc[0])) in said(figure), "n is shown"
    assert not striped(whole)
    assert "Striped" not in whole.caption


def test_a_bar_whose_middle_is_withheld_stands_apart() -> None:
    study = study_of(waves=1, organisations=1, scales=1)
    tables = tables_for(study)
    rows = tables["item_frequencies"]
    hide = rows["response"].isin([2, 3]) & (rows["item"] == "s0_1")
    figure = next(
        draw_all(
            tables | {"item_frequencies": withheld(rows, hide, ["n", "percent"])}, study, wanted=["likert_s0"]
        )
    )
    assert "notcentred" in said(figure)
    assert "Not centred:" in figure.caption


def test_the_share_answered_is_right_where_reasons_are_withheld(plain: Drawn) -> None:
    rows = plain.tables["missing"]
    hide = rows["reason"].isin(["skipped", "broke_off"])
    tables = plain.tables | {"missing": withheld(rows, hide, ["n", "percent"])}
    # answers and missing ones add up to the returns, as in a survey
    frequencies = tables["item_frequencies"]
    gone = rows.groupby(["wave", "item"])["n"].sum().rename("gone")
    frequencies = frequencies.merge(gone.reset_index(), on=["wave", "item"])
    frequencies["base"] = 389 - frequencies.pop("gone")
    tables["item_frequencies"] = frequencies
    figure = next(draw_all(tables, plain.study, wanted=["break_off"]))
    full = next(draw_all(tables | {"missing": rows}, plain.study, wanted=["break_off"]))
    answered = layout.REASONS["answered"]
    now, then = ([width for colour, width, _ in boxes(one) if colour == answered] for one in (figure, full))
    assert np.allclose(now, then), "withheld reasons do not count as answers"
    assert striped(figure)
    assert "how they divide is withheld" in figure.caption


def test_the_heat_map_tells_withheld_from_not_asked(plain: Drawn) -> None:
    rows = plain.tables["item_summary"]
    hide = (rows["wave"] == "wave1") & (rows["organisation"] == "org0")
    other = (rows["wave"] == "wave1") & (rows["organisation"] == "org1")
    table = withheld(rows, hide, ["favourable_n", "favourable_percent"])
    table["status"] = table["status"].mask(other, "withheld")  # of these, another number is withheld
    figure = next(draw_all(plain.tables | {"item_summary": table}, plain.study, wanted=["heat_map"]))
    before = plain.drawings["heat_map"]
    assert said(figure).count("–") == said(before).count("–"), "withheld is not 'not asked'"
    lost = len(list(boxes(before))) - len([box for box in boxes(figure) if box[0] != layout.WITHHELD[1]])
    assert lost == hide.sum(), "what is shown of a row that lost something else is drawn"
    assert "Withheld" in said(figure)
    assert "Wave 1, Organisation 0: withheld." in figure.alt


def test_respondents_are_of_the_base_that_is_released(plain: Drawn) -> None:
    rows = plain.tables["respondents"]
    base = rows.query("wave == 'wave1' and organisation == 'all' and variable == 'role'")["base"].iloc[0]
    hide = (rows["level"] == "level1") & (rows["wave"] == "wave1")
    table = withheld(rows, hide, ["n", "percent"])
    figure = next(draw_all(plain.tables | {"respondents": table}, plain.study, wanted=["respondents_role"]))
    assert f"Wave 1 {base};" in figure.caption.replace("of those who stated it (", "").replace(")", ";")
    assert said(figure).count("withheld") == 3, "of everybody and of two organisations"
    assert "Level 1 withheld" in figure.alt


def test_printed_cells_whose_recomputation_is_withheld_are_not_called_agreeing(plain: Drawn) -> None:
    rows = plain.tables["published_tables"]
    hide = rows["table"] == "3"
    table = rows.assign(
        recomputed=rows["recomputed"].astype(object).mask(hide, ""),
        status=rows["status"].mask(hide, "withheld"),
    )
    figure = next(
        draw_all(plain.tables | {"published_tables": table}, plain.study, wanted=["published_agreement"])
    )
    assert f"recomputed number withheld {hide.sum()}" in figure.alt
    assert f"0of{hide.sum()}agree" in said(figure)


@pytest.mark.parametrize("study", ["plain", "one wave, one organisation", "hostile"])
def test_figures_are_drawn_even_if_everything_is_withheld(study: str) -> None:
    made = named(study)
    drawings = {drawing.name: drawing for drawing in draw_all(nothing_left(made.tables), made.study)}
    assert tuple(drawings) == names(made.study, published=True)
    for name, drawing in drawings.items():
        assert not marks(drawing), f"{name}: a mark where nothing is known"
        assert "nan" not in drawing.caption.lower().split(), name
        assert not any(re.search(r"\bnan\b", text.get_text(), re.IGNORECASE) for text in texts(drawing)), name
        words = said(drawing).lower() + drawing.alt.lower()
        assert "withheld" in words or "noestimates" in words, name
    colours = {*layout.response_colours(made.study.style.responses, 5)}
    for name, drawing in drawings.items():
        if name.startswith("likert"):
            drawn = [box for box in boxes(drawing) if box[0] in colours]
            keys = sum(made.study.response_scales[scale].points for scale in made.study.response_scales)
            assert len(drawn) <= keys, f"{name}: a bar where nothing is known"


@pytest.mark.parametrize("columns", [1, 2])
def test_withheld_numbers_overlap_nothing(columns: int, plain: Drawn) -> None:
    rows = plain.tables["item_frequencies"]
    draw = random.Random(3)
    hide = pd.Series([draw.random() < 0.4 for _ in rows.index], index=rows.index)
    tables = nothing_left(plain.tables) | {"item_frequencies": withheld(rows, hide, ["n", "percent"])}
    for drawing in draw_all(tables, plain.study, columns=columns):
        assert_legible(drawing)


def test_words_for_withheld_are_one_word(plain: Drawn) -> None:
    for drawing in draw_all(nothing_left(plain.tables), plain.study):
        assert "notshown" not in said(drawing)
        assert "suppressed" not in said(drawing)


def test_no_two_shapes_of_stripes_meet() -> None:
    found = [shape for _, shape in stripes(0, 0, 9, 3, colours=2, thickness=0.5)]
    for one, other in itertools.combinations(found, 2):
        centre = np.array(one).mean(axis=0)
        assert not as_path([other]).contains_point(centre)
