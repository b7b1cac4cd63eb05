"""Figures: everything that stands in them can be read, says what it rests on, and comes out the same every time."""

from __future__ import annotations

import itertools
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from drawn_studies import (
    LONG,
    STUDIES,
    Drawn,
    assert_legible,
    boxes,
    drawn,
    extents,
    marks,
    named,
    names,
    said,
    study_of,
    tables_for,
    texts,
)
from surveywaves.catalogue import FIGURE_FORMATS
from surveywaves.figures import draw_all, layout
from surveywaves.figures.draw import save_all
from surveywaves.figures.drawing import save
from surveywaves.figures.layout import SHORTENED, Page, drawable, shorten, told_apart, width_of, wrap
from surveywaves.figures.planning import planning
from surveywaves.invariance import flagged
from surveywaves.study.models import FigureStyle, Population
from surveywaves.terms import Evidence


@pytest.fixture(scope="module", params=STUDIES)
def any_study(request: pytest.FixtureRequest) -> Drawn:
    return named(request.param)


@pytest.fixture(scope="module")
def plain() -> Drawn:
    return named("plain")


@pytest.fixture(scope="module")
def hostile() -> Drawn:
    return named("hostile")


# --- it can be read -------------------------------------------------------------------------------------------


def test_no_text_is_cut_and_no_two_overlap(any_study: Drawn) -> None:
    for drawing in any_study.drawings.values():
        assert_legible(drawing)


def test_no_mark_is_under_a_text(any_study: Drawn) -> None:
    for name, drawing in any_study.drawings.items():
        found, words = extents(drawing)
        places = drawing.figure.axes[0].transData.transform([*marks(drawing), (0, 0)])[:-1]
        for x, y in places:
            hit = (found[:, 0] < x) & (x < found[:, 2]) & (found[:, 1] < y) & (y < found[:, 3])
            assert not hit.any(), f"{name}: a mark under {words[int(np.argmax(hit))]}"


def test_figures_are_one_or_two_columns_wide(any_study: Drawn) -> None:
    widths = {round(drawing.figure.get_figwidth() * 25.4, 6) for drawing in any_study.drawings.values()}
    assert widths == {layout.ONE_COLUMN, layout.TWO_COLUMNS}


def test_labels_are_drawn_as_they_are_written(hostile: Drawn) -> None:
    first = next(iter(hostile.study.items.values()))
    shown = said(hostile.drawings["likert_s0"])
    assert "$x_1^2$" in shown
    assert "<script>alert(1)</script>" in shown
    assert drawable(first.text).replace(" ", "") in shown
    assert not any(text.get_parse_math() for drawing in hostile.drawings.values() for text in texts(drawing))


@pytest.mark.filterwarnings("error")
def test_what_the_font_does_not_have_is_replaced_without_a_warning(tmp_path: Path, hostile: Drawn) -> None:
    save(hostile.drawings["likert_s0"], tmp_path)
    assert drawable("漢字 \U0001f914 ok\x07\n") == "\ufffd\ufffd \ufffd ok"
    assert drawable("e" + "\u0323" * 9) == "\u1eb9" + "\u0323" * 2


def test_a_wrapped_text_keeps_every_letter_and_no_line_is_too_wide() -> None:
    lines = wrap(LONG, 30, 3)
    assert "".join(lines).replace(" ", "") == LONG.replace(" ", "")
    assert max(width_of(line, 3) for line in lines) <= 30
    assert len(wrap(LONG, 30, 3, max_lines=2)) == 2
    assert width_of(wrap(LONG, 30, 3, max_lines=2)[1], 3) <= 30


def test_a_shortened_text_keeps_beginning_and_end_in_whole_words_and_stays_distinct() -> None:
    here, there = (
        f"Change is needed to improve relationships between services {at}" for at in ("here", "there")
    )
    width = width_of("Change is needed … services there", 3)
    assert shorten(here, width, 3) == "Change is needed … services here"
    assert shorten(here, 1000, 3) == here
    assert width_of(shorten(LONG, 30, 3), 3) <= 30
    assert told_apart([here, there], width, 3) == [[shorten(here, width, 3)], [shorten(there, width, 3)]]
    one, two = (f"Change is {what} to improve relationships between services" for what in ("good", "bad"))
    width = width_of("Change … services", 3)
    assert [" ".join(lines) for lines in told_apart([one, two, one], width, 3)] == [one, two, one]


@pytest.mark.parametrize(("width", "said"), [(30.0, True), (3000.0, False)])
def test_that_labels_are_shortened_is_said_below(width: float, said: bool) -> None:
    page = Page(FigureStyle())
    page.told_apart([LONG, "Short"], width)
    page.foot([], "Evidence.")
    assert (SHORTENED in " ".join(text.get_text() for text in page.finish().axes[0].texts)) == said


# --- colours --------------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), IEEE TVCG 15, 1291: severity 1.0, on linear RGB.
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]
TRITANOPIA = [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.303900],
]
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(PROTANOPIA),
    "deuteranopia": np.array(DEUTERANOPIA),
    "tritanopia": np.array(TRITANOPIA),
}

LIGHTNESS_STEP = 6.0
"""Least difference in CIE lightness (0 to 100) between neighbours in a stacked bar: greyscale keeps them apart."""
NEIGHBOURS_APART, OTHERS_APART = 7.0, 15.0
"""Least distances in CIELAB (about 2 is just visible): of neighbours in a bar, which a white line and their order keep
apart as well, and of any other two colours of a figure, which may be mistaken for each other in the legend."""


def seen(colour: str, sight: str) -> np.ndarray:
    """Give a colour as somebody sees it, in CIELAB."""
    rgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(SIGHTS[sight] @ linear, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    x, y, z = (np.array(to_xyz) @ linear) / [0.95047, 1, 1.08883]
    fx, fy, fz = (
        value ** (1 / 3) if value > 216 / 24389 else (value * 24389 / 27 + 16) / 116 for value in (x, y, z)
    )
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("options", range(2, 8))
def test_neighbouring_answers_differ_in_greyscale(options: int) -> None:
    colours = layout.response_colours(FigureStyle().responses, options)
    assert len(set(colours)) == options
    for place, pair in enumerate(itertools.pairwise(colours), 1):
        if 2 * place != options:  # the two in the middle are mirror images; the centre line parts them
            assert abs(layout.lightness(pair[0]) - layout.lightness(pair[1])) >= LIGHTNESS_STEP, (
                options,
                pair,
            )


@pytest.mark.parametrize(
    "colours",
    [list(layout.REASONS.values()), list(layout.VERDICTS), *([*layout.wave_colours(n)] for n in range(2, 7))],
    ids=str,
)
def test_neighbours_in_other_bars_differ_in_greyscale(colours: list[str]) -> None:
    for pair in itertools.pairwise(colours):
        assert abs(layout.lightness(pair[0]) - layout.lightness(pair[1])) >= LIGHTNESS_STEP, pair


@pytest.mark.parametrize("options", range(2, 8))
def test_stripes_differ_from_the_white_between_them_in_greyscale(options: int) -> None:
    striped = [
        *layout.response_colours(FigureStyle().responses, options),
        *FigureStyle().organisations,
        *layout.REASONS.values(),
        layout.WITHHELD[1],
    ]
    for colour in striped:
        assert layout.lightness("#ffffff") - layout.lightness(colour) >= LIGHTNESS_STEP, colour


@pytest.mark.parametrize("sight", SIGHTS)
def test_answers_and_organisations_differ_for_colour_blind_readers(sight: str) -> None:
    figures = FigureStyle()
    groups = {"decisions": tuple(colour for colour, _ in layout.DECISIONS.values())}
    groups["sizes of differences"] = tuple(colour for colour, _ in layout.SIZES.values())
    groups |= {f"{k} answers": layout.response_colours(figures.responses, k) for k in range(2, 8)}
    groups |= {"organisations": figures.organisations, "verdicts": layout.VERDICTS}
    groups["reasons"] = tuple(layout.REASONS.values())
    for name, colours in groups.items():
        for (i, one), (j, other) in itertools.combinations(enumerate(colours), 2):
            distance = float(np.linalg.norm(seen(one, sight) - seen(other, sight)))
            least = NEIGHBOURS_APART if j == i + 1 and name != "organisations" else OTHERS_APART
            assert distance >= least, (name, one, other, distance)


def test_organisations_differ_in_shape_as_well() -> None:
    named = [f"org{number}" for number in range(6)]
    looks = [layout.look_of(name, named, FigureStyle()) for name in (*named, "all")]
    assert len({look.marker for look in looks}) == 7


@pytest.mark.parametrize("options", range(2, 8))
def test_numbers_in_bars_stand_out(options: int) -> None:
    backgrounds = [
        *layout.response_colours(FigureStyle().responses, options),
        *layout.REASONS.values(),
        *layout.VERDICTS,
    ]
    for background in backgrounds:
        dark, light = sorted([layout.luminance(background), layout.luminance(layout.on(background))])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, background  # WCAG 2.1, 1.4.3


# --- the numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "table", "term"),
    [
        ("means_over_waves", "means", "emmean"),
        ("scale_profile", "means", "emmean"),
        ("contrasts", "contrasts", "change|gap"),
        ("differences_in_change", "contrasts", "difference_in_differences"),
        ("reliability", "reliability", "alpha"),
    ],
)
def test_what_is_not_estimable_has_no_mark_and_is_named(
    plain: Drawn, figure: str, table: str, term: str
) -> None:
    rows = plain.tables[table]
    rows = rows[rows["term"].isin(term.split("|"))]
    assert (rows["status"] == "not_estimable").any()
    assert len(marks(plain.drawings[figure])) == (rows["status"] == "ok").sum()
    assert re.search(
        r"Notestimable\(nobodyanswered[^)]*\):[^.]*Wave0[^.]*Organisation0", said(plain.drawings[figure])
    )
    assert "Not estimable" in plain.drawings[figure].caption


def test_marks_stand_where_the_numbers_say() -> None:
    one = drawn(study_of(waves=1, organisations=1, scales=6))
    across = np.array([x for x, _ in marks(one.drawings["scale_profile"])])
    means = one.tables["means"]
    values = means.loc[means["term"] == "emmean", "estimate"].to_numpy()
    line = np.polyfit(values, across, 1)
    assert line[0] > 0
    assert np.abs(np.polyval(line, values) - across).max() < 1e-9


def test_bars_are_as_long_as_the_percentages(plain: Drawn) -> None:
    rows = plain.tables["item_frequencies"]
    colours = layout.response_colours(plain.study.style.responses, 5)
    found = [box for box in boxes(plain.drawings["likert_items_without_scale"]) if box[0] in colours][5:]
    expected = rows[(rows["item"] == "alone") & (rows["organisation"] == "all")]["percent"].to_numpy()
    widths = np.array([width for _, width, _ in found])
    assert len(widths) == len(expected) == 15
    assert np.allclose(widths / widths.sum(), expected / expected.sum(), atol=1e-9)
    middles = [middle for _, _, middle in found]
    assert middles == sorted(middles), "waves stand in the order of the study"


def test_what_was_not_asked_is_said(plain: Drawn) -> None:
    everybody, apart = said(plain.drawings["likert_s0"]), said(plain.drawings["likert_s0_by_organisation"])
    assert everybody.count("notasked") == 1
    assert everybody.count("askedwithotherresponseoptions") == 1
    assert apart.count("notsurveyed") == 3
    assert "†" in everybody
    assert "(R)" in everybody
    assert "Noneoftheseitemswasaskedin:Wave0." in said(plain.drawings["likert_s1"])


def test_a_rate_without_a_population_is_said_in_words(plain: Drawn) -> None:
    response = plain.drawings["response"]
    assert len(marks(response)) == 1
    assert said(response).count("norate:thepopulationisnotknown") == 2
    assert "389 returns of about 1,250" in response.alt


def test_empty_tables_make_figures_that_say_so(plain: Drawn) -> None:
    empty = {name: table.iloc[:0] for name, table in plain.tables.items()}
    drawings = {drawing.name: drawing for drawing in draw_all(empty, plain.study)}
    assert tuple(drawings) == names(plain.study, published=True)
    assert not any(marks(drawing) for drawing in drawings.values())
    for name in ("contrasts", "differences_in_change"):
        assert "Nocontrastcouldbeestimated." in said(drawings[name])
    assert all("Evidence:" in said(drawing) for drawing in drawings.values())


def test_failed_fits_are_named_and_have_no_mark(plain: Drawn) -> None:
    failed = {"estimate": math.nan, "conf_low": math.nan, "conf_high": math.nan, "status": "not_converged"}
    tables = plain.tables | {name: plain.tables[name].assign(**failed) for name in ("means", "contrasts")}
    drawings = {drawing.name: drawing for drawing in draw_all(tables, plain.study)}
    for name in ("means_over_waves", "scale_profile", "contrasts", "differences_in_change"):
        assert not marks(drawings[name])
        assert "Nofitfound" in said(drawings[name])


def test_a_contrast_looks_like_its_decision_and_what_is_too_small_is_shaded_for_each_scale(
    plain: Drawn,
) -> None:
    rows = plain.tables["contrasts"]
    rows = rows[rows["term"].isin(["change", "gap"]) & (rows["status"] == "ok")]
    drawing = plain.drawings["contrasts"]
    looks = {
        (to_hex(line.get_markerfacecolor()), line.get_marker()): len(line.get_xdata())
        for line in drawing.figure.axes[0].lines
        if str(line.get_gid()).startswith("marks")
    }
    assert looks == {layout.DECISIONS[name]: n for name, n in rows["decision"].value_counts().items()}
    widths = [width for colour, width, _ in boxes(drawing) if colour == layout.BAND][
        :-1
    ]  # the last is in the legend
    assert len(widths) == len(rows)
    millimetres = sorted(widths)[0] / (2 * rows["smallest"].min())
    assert np.allclose(sorted(widths), 2 * millimetres * np.sort(rows["smallest"]))
    for words in ("firstorganisationhigher", "Inconclusive", "Smallerthanthesmallesteffect"):
        assert words in said(drawing)
    assert "firstorganisationmovedmoreupwards" in said(plain.drawings["differences_in_change"]).replace(
        "F", "f"
    )


def test_shares_stand_where_the_numbers_say(plain: Drawn) -> None:
    shares = plain.tables["means"].query(
        "term == 'percent_favourable' and status == 'ok' and organisation != 'all'"
    )
    marks = [
        x
        for line in plain.drawings["favourable"].figure.axes[0].lines
        if str(line.get_gid()).startswith("marks")
        for x in line.get_xdata()
    ]
    assert len(marks) == len(shares)


def test_the_gradient_joins_its_scales_in_the_order_that_the_study_names(plain: Drawn) -> None:
    drawing = plain.drawings["gradient"]
    words = said(drawing)
    assert words.index("Scale1") < words.index("Scale0")
    assert "Scale2" not in words
    means = plain.tables["means"]
    here = means.query("term == 'percent_favourable' and wave == 'wave1' and organisation == 'org0'")
    first, second = (here.loc[here["scale"] == scale, "estimate"].item() for scale in ("s1", "s0"))
    expected = "falling from each to the next" if first >= second else "not in this order"
    assert re.search(
        rf"Wave 1, Organisation 0: Scale 1 {first:.0f}%, Scale 0 {second:.0f}%; {expected}\.", drawing.alt
    )


def test_the_comparator_follows_those_whom_every_wave_surveyed_in_what_every_wave_asked(plain: Drawn) -> None:
    drawing = plain.drawings["comparator"]
    means = plain.tables["means"].query("term == 'percent_favourable' and organisation == 'org1'")
    assert drawing.title == "Organisation 1: over all waves"
    assert len(marks(drawing)) == len(means[means["status"] == "ok"])
    assert "Organisation0" not in said(drawing)
    assert "comparator" not in names(study_of(waves=2), published=False)
    assert "comparator" not in names(study_of(organisations=1), published=False)


def test_a_framework_shows_every_scale_under_all_that_it_speaks_to(plain: Drawn) -> None:
    drawing = plain.drawings["framework_theory"]
    words = said(drawing)
    assert words.count("Principle0") == 1, "two scales under one heading"
    assert words.count("Scale2") == 2, "it speaks to two"
    assert words.count("Scale1") == 1
    assert "Underneitherofthese" in words.replace("none", "neither")
    assert "Under none of these: Scale 0." in drawing.caption


def test_flagged_statements_are_those_that_the_sensitivity_analysis_leaves_out(plain: Drawn) -> None:
    drawing = plain.drawings["functioning"]
    expected = {item for items in flagged(plain.tables["dif"]).values() for item in items}
    named = re.search(r"Flagged: (.*?)\)\. ", drawing.caption + " ")
    assert expected
    assert named
    assert {i.item for i in plain.study.items.values() if i.text + " (" in named[1]} == expected
    striking = [
        len(line.get_xdata())
        for line in drawing.figure.axes[0].lines
        if str(line.get_gid()).startswith("marks") and line.get_marker() in "^X"
    ]
    assert sum(striking) >= len(expected)
    assert (
        len(marks(drawing))
        == (plain.tables["dif"].query("term == 'total_r2_change'")["status"] == "ok").sum()
    )


def test_the_heat_map_prints_every_share_on_its_colour(plain: Drawn) -> None:
    drawing = plain.drawings["heat_map"]
    rows = plain.tables["item_summary"]
    rows = rows[rows["organisation"].isin(["all", "org0", "org1"])]
    rows = rows[
        (rows["wave"] != "wave0") | (rows["organisation"] != "all")
    ]  # one organisation is everybody there
    shown = sorted(text.get_text() for text in texts(drawing) if re.fullmatch(r"\d+", text.get_text()))
    assert shown == sorted(f"{share:.0f}" for share in rows["favourable_percent"])
    colours = [colour for colour, _, _ in boxes(drawing)][6:]
    assert sorted(colours) == sorted(layout.sequential(share / 100) for share in rows["favourable_percent"])


def test_more_is_darker_in_the_heat_map_in_greyscale_too() -> None:
    lightness = [layout.lightness(layout.sequential(share / 100)) for share in range(0, 101, 5)]
    assert all(after < before - 1 for before, after in itertools.pairwise(lightness))


def test_every_caption_says_what_is_withheld(any_study: Drawn) -> None:
    assert all(
        "Counts of an organisation below 5 are withheld" in drawing.caption
        for drawing in any_study.drawings.values()
    )
    shown = draw_all(any_study.tables, any_study.study.model_copy(update={"public": True}))
    assert "withheld" not in next(iter(shown)).caption
    shown = draw_all(any_study.tables, any_study.study.model_copy(update={"rounding": 3}))
    caption = next(iter(shown)).caption
    assert "withheld" not in caption and "Counts of an organisation are rounded at random" in caption


METHODS = (
    "Wilson|no model|No model|without a model|Linear mixed model|linear mixed model|Cumulative logit|cumulative logit|"
    "bootstrap-t|logistic regression|a rate has no sampling error"
)


def test_every_caption_says_n_method_evidence_and_threshold(plain: Drawn) -> None:
    for name, drawing in plain.drawings.items():
        counted = r"\bn: \d|\bn\b.* \d+|\d+ (returns|respondents|printed cells)|\(Wave \d \d+"
        assert re.search(counted, drawing.caption), f"{name}: no n"
        assert re.search(METHODS, drawing.caption), f"{name}: no method"
        assert drawing.evidence in drawing.caption, name
        assert "Counts of an organisation below 5 are withheld" in drawing.caption, name


def test_a_demonstration_is_called_one_on_every_picture(plain: Drawn) -> None:
    for name, drawing in plain.drawings.items():
        assert "Evidence:demonstrationdata." in said(drawing), name
    real = {
        name: wave.model_copy(update={"evidence": Evidence.OBSERVED})
        for name, wave in plain.study.waves.items()
    }
    for drawing in draw_all(plain.tables, plain.study.model_copy(update={"waves": real})):
        assert "demonstration" not in drawing.evidence


def test_planning_draws_the_median_scale_and_says_how_many_returns_are_needed(plain: Drawn) -> None:
    rows, drawing = plain.tables["planning"], plain.drawings["planning"]
    drawn = rows[rows["term"].isin(["power", "conf_half_width"]) & (rows["status"] == "ok")]
    assert len(marks(drawing)) == len(drawn.groupby(["wave", "organisation", "term", "n"]))
    power = drawn[drawn["term"] == "power"].groupby(["wave", "organisation", "n"])["estimate"].median()
    heights = sorted(y for _, y in marks(drawing))[: len(power)]
    line = np.polyfit(power.sort_values(ascending=False), heights, 1)
    assert line[0] < 0, "more power is higher up"
    assert np.abs(np.polyval(line, power.sort_values(ascending=False)) - heights).max() < 1e-9
    assert "change,Organisation0:800(easiestscale:700;hardest:900)" in said(drawing)
    assert "differenceinchange,Organisation0−Organisation1:850(easiestscale:800;hardest:900)" in said(drawing)
    assert "389inWave1" in said(drawing)
    assert "is invented there, and with it every number here" in drawing.caption
    assert "No number of returns is larger than the staff, and no finite-population factor" in drawing.caption


def test_where_all_staff_are_too_few_planning_says_so_of_the_hardest_scale(plain: Drawn) -> None:
    rows = plain.tables["planning"].copy()
    out_of_reach = (rows["scale"] == "s2") & (rows["term"] == "returns_needed")
    rows.loc[out_of_reach, ["estimate", "n", "status"]] = [math.nan, pd.NA, "not_estimable"]
    known = "change,Organisation0:800(easiestscale:700;hardest:morethanthe1,250peoplethereare)"
    assert known in said(planning(rows, plain.study))
    waves = {
        name: wave.model_copy(update={"population": Population()}) for name, wave in plain.study.waves.items()
    }
    nobody_knows = planning(rows, plain.study.model_copy(update={"waves": waves}))
    assert "change,Organisation0:800(easiestscale:700;hardest:nonumberisenough)" in said(nobody_knows)


# --- what it rests on -----------------------------------------------------------------------------------------


def test_every_figure_says_its_evidence_on_it_beside_it_and_for_those_who_do_not_see_it(
    any_study: Drawn,
) -> None:
    for name, drawing in any_study.drawings.items():
        assert drawing.evidence.startswith("Evidence: "), name
        assert re.search("simulated|reconstructed", drawing.evidence), name
        assert drawable(drawing.evidence).replace(" ", "") in said(drawing), name
        assert drawing.evidence in drawing.caption, name
        assert drawing.evidence in drawing.alt, name
        assert drawing.title, name


def test_a_variable_that_is_weaker_than_its_wave_is_named(plain: Drawn) -> None:
    assert "In Wave 1, role is simulated." in plain.drawings["respondents_role"].evidence
    assert "role is simulated" not in plain.drawings["respondents_mode"].evidence


def test_the_names_are_known_before_anything_is_drawn(any_study: Drawn) -> None:
    assert tuple(any_study.drawings) == names(any_study.study, published=True)
    unpublished = {name: table for name, table in any_study.tables.items() if name != "published_tables"}
    assert "published_agreement" not in names(any_study.study, "published_tables" in unpublished)


def test_knowing_the_names_loads_no_plotting() -> None:
    code = (
        "import sys, surveywaves.catalogue;"
        "assert not {'matplotlib', 'pandas', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- the same every time --------------------------------------------------------------------------------------

DRAW = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from drawn_studies import named
from surveywaves.figures.drawing import save
for study, figures in {wanted!r}.items():
    drawings = named(study).drawings
    for figure in figures:
        save(drawings[figure], Path({folder!r}) / study)
"""
WANTED = {
    "plain": ["likert_s0", "contrasts"],
    "hostile": ["likert_s0_by_organisation"],
}


def test_files_are_the_same_bytes_in_another_process_place_and_language(
    tmp_path: Path, plain: Drawn, hostile: Drawn
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "matplotlibrc").write_text(
        "font.family: serif\nsvg.fonttype: none\npdf.fonttype: 3\nsavefig.bbox: tight\nlines.linewidth: 4\n"
        "savefig.dpi: 30\npath.simplify: False\ntext.hinting: force_autohint\naxes.facecolor: red\n"
    )
    code = DRAW.format(tests=str(Path(__file__).parent), wanted=WANTED, folder=str(tmp_path / "there"))
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "123",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "SOURCE_DATE_EPOCH": "1",
    }
    other = subprocess.Popen([sys.executable, "-c", code], cwd=elsewhere, env=environment)
    for study, figures in {"plain": plain, "hostile": hostile}.items():
        for figure in WANTED[study]:
            save(figures.drawings[figure], tmp_path / "here" / study)
    save(plain.drawings["contrasts"], tmp_path / "again" / "plain")
    assert other.wait() == 0
    made = sorted(path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.*"))
    assert len(made) == 3 * sum(map(len, WANTED.values()))
    for path in made:
        here = (tmp_path / "here" / path).read_bytes()
        assert here == (tmp_path / "there" / path).read_bytes(), path
    for again in (tmp_path / "again" / "plain").iterdir():
        assert again.read_bytes() == (tmp_path / "here" / "plain" / again.name).read_bytes(), again


def test_several_cores_draw_the_same_files_and_captions(tmp_path: Path) -> None:
    study = study_of(waves=1, organisations=1, scales=1)
    tables = tables_for(study)
    captions = {n: save_all(tables, study, tmp_path / str(n), cores=n) for n in (1, 2)}
    pd.testing.assert_frame_equal(captions[1], captions[2])
    assert tuple(captions[1]["figure"]) == names(study, published=True)
    made = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(made) == len(FIGURE_FORMATS) * len(captions[1])
    for name in made:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


def test_words_in_an_svg_can_be_found_and_take_the_width_that_was_measured(
    tmp_path: Path, plain: Drawn
) -> None:
    drawing = plain.drawings["contrasts"]
    save(drawing, tmp_path)
    assert (tmp_path / "contrasts.svg").stat().st_size < 100_000
    root = ET.parse(tmp_path / "contrasts.svg").getroot()
    found = root.findall(".//{http://www.w3.org/2000/svg}text")
    assert [element.text for element in found] == [text.get_text() for text in texts(drawing)]
    drawn, _ = extents(drawing)
    for element, (left, _, right, _) in zip(found, drawn, strict=True):
        scale = drawing.dpi / 72
        assert float(element.attrib["x"]) * scale == pytest.approx(left, abs=1.5)
        width = float(element.attrib["textLength"])
        assert width * scale == pytest.approx(right - left, abs=3.0)


def test_words_in_a_png_stand_where_they_were_measured(tmp_path: Path, plain: Drawn) -> None:
    drawing = plain.drawings["contrasts"]
    save(drawing, tmp_path)
    with Image.open(tmp_path / "contrasts.png") as image:
        dark = np.asarray(image.convert("L")) < 140
    height, width = dark.shape
    places, words = extents(drawing)
    for word, (left, bottom, right, top) in zip(words, places, strict=True):
        rows, columns = (
            slice(round(height - top), round(height - bottom) + 1),
            slice(round(left), round(right) + 1),
        )
        assert dark[rows, columns].any(), f"{word}: no ink where it stands"
    # the title stands alone: its ink is as wide and as high as it was measured
    left, bottom, right, top = places[0]
    alone = dark[: round(height - bottom) + 3]
    ys, xs = np.nonzero(alone)
    found = xs.min(), height - ys.max(), xs.max(), height - ys.min()
    assert np.abs(np.array(found) - (left, bottom, right, top)).max() <= 3, (found, places[0])
    assert width == int(drawing.figure.get_figwidth() * drawing.dpi)


def test_files_carry_title_and_evidence_and_not_their_making(tmp_path: Path, hostile: Drawn) -> None:
    drawing = hostile.drawings["likert_s0"]
    save(drawing, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"likert_s0.{end}" for end in ("pdf", "png", "svg")
    ]
    svg = (tmp_path / "likert_s0.svg").read_text(encoding="utf-8")
    root = ET.fromstring(svg)
    assert "simulated" in "".join(root.itertext())
    assert not root.findall(".//{http://www.w3.org/2000/svg}script")
    assert "Matplotlib v" not in svg
    pdf = (tmp_path / "likert_s0.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"CreationDate" not in pdf
    with Image.open(tmp_path / "likert_s0.png") as image:
        assert set(image.info) >= {"Title", "Description"}
        assert "Software" not in image.info
