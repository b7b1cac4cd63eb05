"""Figures: what stands on them is released, legible in any study, and the same bytes twice."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from lxml import etree
from matplotlib.collections import Collection, PolyCollection, QuadMesh
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from drawn_studies import HOSTILE, STUDIES, draw_all, drawn, names, overlapping, study_of, tables_for, texts
from surveywaves.figures.drawing import DEMONSTRATION, Drawing
from surveywaves.figures.estimates import TOLD
from surveywaves.figures.robustness import OTHER, SAME
from surveywaves.figures.saving import save_all, svg_of, typeset
from surveywaves.figures.style import (
    DECISIONS,
    GREY,
    INK,
    MARK,
    TAG,
    contrast,
    drawable,
    luminance,
    on,
    on_slide,
    on_telephone,
    response_colours,
    steps,
    width,
    wrap,
)
from surveywaves.files import write_text
from surveywaves.findings import CHANGE, found, main_pair
from surveywaves.mixed.pooling import shrunken_means
from surveywaves.study.models import FigureStyle
from surveywaves.terms import Evidence
from surveywaves.words import Labels, number

SVG = {"svg": "http://www.w3.org/2000/svg"}
PALETTE = FigureStyle().responses
CHANGES = "change_profile"


def said(drawing: Drawing) -> str:
    return "\n".join(text.get_text() for text in texts(drawing))


def told(drawing: Drawing) -> list[str]:
    """List the texts that marks show on hover."""
    artists = drawing.figure.findobj()
    marks = [url for points in artists if isinstance(points, Collection) for url in points.get_urls()]
    said = [*marks, *(artist.get_gid() for artist in artists)]
    return [str(one).partition(":")[2] for one in said if one]


# --- legible in any study -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("slide", [False, True], ids=["page", "slide"])
@pytest.mark.parametrize("study", STUDIES)
def test_no_text_is_cut_and_none_stands_over_another(study: str, slide: bool) -> None:
    assert {
        name: pairs for name, one in drawn(study, slide=slide).items() if (pairs := overlapping(one))
    } == {}


@pytest.mark.parametrize("study", STUDIES)
def test_a_page_is_175_mm_wide_with_8_pt_and_a_slide_16_to_9_with_14(study: str) -> None:
    for name, one in drawn(study).items():
        wide, high = one.figure.get_size_inches() * 25.4
        assert (round(wide), high < 240) == (175, True), name
        assert min(text.get_fontsize() for text in texts(one)) >= 8, name
    for name, one in drawn(study, slide=True).items():
        wide, high = one.figure.get_size_inches()
        assert wide / high == pytest.approx(16 / 9), name
        assert min(text.get_fontsize() for text in texts(one)) >= 14, name


@pytest.mark.parametrize("study", ["plain", "hostile", "long", "five waves, four organisations"])
def test_the_front_figure_is_legible_on_a_telephone(study: str) -> None:
    words = study_of(**STUDIES[study])  # type: ignore[arg-type]
    for one in draw_all(tables_for(words), on_telephone(words), wanted=[CHANGES, "differences_in_change"]):
        assert one.figure.get_size_inches()[0] * 72 == pytest.approx(258)
        assert min(text.get_fontsize() for text in texts(one)) >= 8
        assert overlapping(one) == []


@pytest.mark.parametrize("study", STUDIES)
def test_captions_have_forty_words_at_most_and_every_figure_its_title_on_it(study: str) -> None:
    for name, one in drawn(study).items():
        assert len(one.caption.split()) <= 40, name
        assert one.caption and one.alt, name
        start = wrap(one.title, 300, 10, lines=2, bold=True)[0].split("…")[0].split(" ")[0]
        assert start in said(one), name
    words = study_of(**STUDIES[study])  # type: ignore[arg-type]
    assert tuple(drawn(study)) == names(words, published=False), "known before anything is drawn"


def test_one_wave_is_not_said_to_change() -> None:
    for study in ("one wave", "one wave, one organisation"):
        for name, one in drawn(study).items():
            if name != "planning":
                assert not re.search(
                    r"\b(rose|fell|change[ds]?)\b", f"{said(one)} {one.caption} {one.alt}"
                ), name


def test_more_organisations_than_stand_side_by_side_are_ranked_by_name() -> None:
    written = said(drawn("five waves, four organisations")[CHANGES]).split("\n")
    assert all(written.count(f"Organisation {n}") == 4 for n in range(4)), "once on each scale"
    assert "Organisation 1" not in said(drawn("twelve organisations")["likert_s0"])


@pytest.mark.parametrize("count", [20, 200])
def test_any_number_of_organisations_fits_on_a_page(count: int) -> None:
    study = study_of(organisations=count)
    tables = tables_for(study)
    ranked = {CHANGES: "contrasts", "ranking": "means", "differences_in_change": "contrasts"}
    for one in draw_all(
        tables, study, wanted=[*ranked, "robustness", "heat_map_1", "planning", "respondents"]
    ):
        wide, high = one.figure.get_size_inches() * 25.4
        assert (round(wide), high < 240) == (175, True), one.name
        assert overlapping(one) == [], one.name
        if one.name in ranked:
            shown = one.rows[one.rows["status"].eq("ok")]
            dots = [each for each in one.figure.findobj(Line2D) if each.axes and each.get_marker() != "None"]
            marks = sum(len(each.get_xdata()) for each in dots) if count > TOLD else len(told(one))
            assert marks == len(shown) == count * len(study.scales), one.name


def test_organisations_are_ranked_by_shrunken_means_where_there_are_any() -> None:
    study = study_of(organisations=12)
    tables = tables_for(study)
    means = tables["means"].assign(std_error=2.0)
    tables["means"] = pd.concat([means, shrunken_means(means)], ignore_index=True)
    [one] = draw_all(tables, study, wanted=["ranking"])
    assert len(one.rows) == 12 * len(study.scales)
    assert set(one.rows["term"]) == {"percent_favourable_shrunken"}
    assert "by its estimate, shrunken towards the mean of all" in one.caption
    assert "shrunken towards the mean of all" in said(one)
    top = one.rows.sort_values("estimate").iloc[-1]
    assert any(f": {top['estimate']:.0f} (" in each for each in told(one))


def test_hostile_labels_are_one_line_of_glyphs_that_there_are() -> None:
    line = drawable(HOSTILE)
    assert r"$x_1^2$ \frac{1}{2} <script>alert(1)</script>" in line
    assert not set(line) & set("\n\t\x07\u202e🤔漢")
    assert "□" in line
    assert "\u0301\u0301" not in line


def test_a_text_is_wrapped_within_its_room_and_loses_nothing_but_what_an_ellipsis_says() -> None:
    text = "It is clear to me what changes my organisation wants over the coming year"
    lines = wrap(text, 120, 8, lines=9)
    assert " ".join(lines) == text
    assert all(width(line, 8) <= 120 for line in lines)
    [cut] = wrap("W" * 200, 120, 8, lines=1)
    assert cut.endswith("…")
    assert width(cut, 8) <= 120


# --- colour -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", range(2, 8))
def test_neighbouring_answers_contrast_by_3_with_each_other_or_the_line_between(options: int) -> None:
    colours = response_colours(PALETTE, options)
    assert len(colours) == options
    for one, other in itertools.pairwise(colours):
        assert contrast(one, other) >= 2.95 or min(contrast(c, "#ffffff") for c in (one, other)) >= 2.95
    if options == 5:
        assert min(contrast(one, other) for one, other in itertools.pairwise(colours)) >= 2.95
    assert all(contrast(on(colour), colour) >= 4.5 for colour in colours)


def test_marks_contrast_by_3_and_texts_by_4_and_a_half_with_white() -> None:
    assert all(contrast(colour, "#ffffff") >= 4.5 for colour in (INK, GREY, MARK))
    assert all(contrast(colour, "#ffffff") >= 4.5 for colour, *_ in DECISIONS.values())
    assert contrast(*TAG) >= 4.5
    for count in range(1, 7):
        tones = [luminance(colour) for colour in steps(count)]
        assert tones == sorted(tones, reverse=True), "later is darker"
        assert all(contrast(colour, "#ffffff") >= 3 for colour in steps(count))


def test_another_decision_stands_out_from_the_same_without_colour() -> None:
    assert contrast(SAME, OTHER) >= 3
    assert all(contrast(on(ground), ground) >= 4.5 for ground in (SAME, OTHER))


def test_decisions_differ_in_shape_as_well() -> None:
    for place in (1, 2):
        assert len({look[place] for look in DECISIONS.values()}) == len(DECISIONS)


# --- every number is released ---------------------------------------------------------------------------------------


def test_the_front_figure_writes_levels_differences_and_intervals_as_released() -> None:
    study, tables = study_of(), tables_for(study_of())
    compared = main_pair(study)
    assert compared
    facts = found(tables["contrasts"], tables["means"], kind=CHANGE, wave=compared.contrast)
    one = drawn("plain")[CHANGES]
    labels, written = Labels(study), said(one).split("\n")
    for fact in facts:
        assert fact.estimate is not None
        change = number(fact.estimate, 0, signed=True)
        interval = f"{number(fact.low, 0)} to {number(fact.high, 0)}"
        assert {change, interval, number(fact.first, 0), number(fact.last, 0)} <= set(written)
        words = f"{labels.scale(fact.scale)}, {labels.organisation(fact.organisation)}: {number(fact.first, 0)} to "
        assert any(mark.startswith(words) and f"{change} points" in mark for mark in told(one)), words
    ends = [line for line in one.figure.findobj(Line2D) if str(line.get_gid()).startswith("value:")]
    assert sorted(float(line.get_xdata()[0]) for line in ends) == pytest.approx(sorted(f.last for f in facts))
    shapes = sorted(line.get_marker() for line in ends)
    assert shapes == sorted(DECISIONS[fact.decision][1] for fact in facts)


def test_bars_are_as_long_as_the_percentages_and_their_totals_stand_at_both_ends() -> None:
    tables = tables_for(study_of())
    rows = tables["item_frequencies"]
    rows = rows[(rows["organisation"] == "all") & rows["item"].isin(["s0_1", "s0_2", "s0_3"])]
    drawing = drawn("plain")["likert_s0"]
    assert drawing.caption.startswith("Statements sorted by")
    figure = drawing.figure
    panel = figure.axes[0]
    [boxes] = panel.findobj(PolyCollection)
    found, bar = [], []
    for path, said in zip(boxes.get_paths(), boxes.get_urls(), strict=True):
        wide = path.get_extents().width
        if said:
            bar.append((wide, said))
            continue
        shares = [100 * one / wide for one, _ in bar]  # the frame comes last
        assert [number(share, 0) for share in shares] == [re.findall(r"(\d+)%", said)[0] for _, said in bar]
        found += shares if len(shares) == 5 else []
        bar = []
    assert sorted(found) == pytest.approx(sorted(rows["percent"]))
    written = [text.get_text() for text in figure.texts]
    for _, own in rows.groupby(["wave", "item"]):
        shares = own.sort_values("response")["percent"].to_numpy()
        assert number(shares[:2].sum(), 0) in written
        assert number(shares[-2:].sum(), 0) in written


def test_the_heat_map_writes_every_share_on_its_own_shade() -> None:
    study, tables = study_of(), tables_for(study_of())
    labels, rows = Labels(study), tables["item_summary"]
    rows = rows[rows["organisation"].isin(list(study.organisations))]
    rows = rows.assign(favourable_percent=np.linspace(0, 100, len(rows)))
    [one] = draw_all({**tables, "item_summary": rows}, study, wanted=["heat_map_1"])
    axes = one.figure.axes[0]
    [tiles] = axes.findobj(QuadMesh)
    grounds = tiles.get_array().reshape(-1, 3)
    shown = {
        text.get_gid(): (text.get_text(), mpl.colors.to_hex(ground))
        for text, ground in zip(axes.texts, grounds, strict=True)
        if text.get_gid()
    }
    shades = sns.color_palette("blend:#f3f6fa,#9dbcd8,#2f6aa3,#0d2f57", as_cmap=True)
    said = [
        f"value:{labels.item(row.item)} {labels.organisation(row.organisation)}, {labels.wave(row.wave)}: "
        f"{number(row.favourable_percent, 1)}% favourable"
        for row in rows.itertuples()
    ]
    colours = map(mpl.colors.to_hex, shades(rows["favourable_percent"] / 100))
    written = (number(share, 0) for share in rows["favourable_percent"])
    assert shown == dict(zip(said, zip(written, colours, strict=True), strict=True))
    assert (shown[said[0]], shown[said[-1]]) == (("0", "#f3f6fa"), ("100", "#0d2f57"))


@pytest.mark.parametrize("study", STUDIES)
def test_rows_are_those_of_the_first_table_and_say_what_their_data_are(study: str) -> None:
    for name, one in drawn(study).items():
        assert len(one.rows) or study != "plain", name
        # What is about the wave to come is of no data.
        assert set(one.rows["evidence"]) <= {kind.value for kind in Evidence} | {""}, name


def test_what_a_wave_did_not_ask_is_said_in_place_of_its_bar() -> None:
    written = [text.get_text() for text in drawn("plain")["likert_s0"].figure.texts]
    assert written.count("not asked") == 1
    assert written.count("other answer options") == 1


def test_rows_of_another_table_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(means: pd.DataFrame, _: object) -> Drawing:
        return Drawing(mpl.figure.Figure(), means.rename(columns={"scale": "other"}), "t", "c", "a")

    monkeypatch.setattr("surveywaves.figures.levels.gradient", other)
    with pytest.raises(ValueError, match="figure gradient: its rows are not rows of means"):
        list(draw_all(tables_for(study_of()), study_of(), wanted=["gradient"]))


def test_a_demonstration_is_called_one_on_every_figure_and_real_data_are_not() -> None:
    assert all(DEMONSTRATION in said(one) for one in drawn("plain").values())
    study = study_of()
    observed = {
        name: wave.model_copy(update={"evidence": Evidence.OBSERVED, "variable_evidence": {}})
        for name, wave in study.waves.items()
    }
    real = study.model_copy(update={"waves": observed})
    assert not any(DEMONSTRATION in said(one) for one in draw_all(tables_for(real), real))


# --- what is not there ----------------------------------------------------------------------------------------------

NUMBERS = {"estimate", "conf_low", "conf_high", "percent", "favourable_percent", "n", "base"}


def withheld(table: pd.DataFrame, name: str) -> pd.DataFrame:
    gone = table.copy()
    for column in NUMBERS & set(gone):
        if (name, column) != ("planning", "n"):
            gone[column] = np.nan
    gone["status"] = "withheld"
    return gone.assign(decision="") if "decision" in gone else gone


def test_where_all_is_withheld_it_is_hatched_and_no_number_is_drawn() -> None:
    study = study_of()
    tables = {name: withheld(table, name) for name, table in tables_for(study).items() if "status" in table}
    figures = {one.name: one for one in draw_all(tables, study)}
    for name in (CHANGES, "gradient", "likert_s0", "heat_map_1", "differences_in_change"):
        one = figures[name]
        assert any(patch.get_hatch() for patch in one.figure.findobj(mpl.patches.Patch)), name
        assert "[c]" in said(one), name
        assert not any(re.search(r"\d%|[+−]\d", mark) for mark in told(one)), name
        assert overlapping(one) == [], name


def test_empty_tables_make_figures_all_the_same() -> None:
    study = study_of()
    tables = {name: table.iloc[:0] for name, table in tables_for(study).items()}
    for one in draw_all(tables, study):
        assert one.title, one.name
        assert not len(one.rows), one.name


def test_a_bar_with_a_withheld_answer_shows_what_is_known_from_both_ends() -> None:
    study, tables = study_of(), tables_for(study_of())
    rows = tables["item_frequencies"]
    one = (rows["wave"] == "wave2") & (rows["organisation"] == "all") & (rows["item"] == "s0_1")
    gone = one & rows["response"].isin([2, 3])
    tables["item_frequencies"] = rows.assign(
        percent=rows["percent"].mask(gone), status=rows["status"].mask(gone, "withheld")
    )
    [figure] = draw_all(tables, study, wanted=["likert_s0"])
    [box] = [b for b in figure.figure.axes[0].findobj(Rectangle) if b.get_hatch()]
    shares = rows[one].sort_values("response")["percent"].to_numpy()
    [boxes] = figure.figure.axes[0].findobj(PolyCollection)
    frame = next(
        path.get_extents() for path, said in zip(boxes.get_paths(), boxes.get_urls(), strict=True) if not said
    )
    assert 100 * (box.get_x() - frame.x0) / frame.width == pytest.approx(shares[0])
    assert 100 * box.get_width() / frame.width == pytest.approx(shares[1:3].sum(), abs=1e-6)


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    for study in ("plain", "hostile"):
        for name in (CHANGES, "likert_s0", "heat_map_1"):
            svg = svg_of(drawn(study)[name])
            write_text(svg, str(folder / study / f"{name}.svg"))
            typeset(drawn(study)[name].words, svg, folder / study, 100, pdf=True)
    return folder


def test_an_svg_stands_in_a_page_beside_others(saved: Path) -> None:
    known: set[str] = set()
    for path in sorted(saved.glob("*/*.svg")):
        root = etree.fromstring(path.read_bytes())
        ids = root.xpath("//@id")
        assert len(ids) == len(set(ids))
        if path.parent.name == "plain":
            assert not known & set(ids), "no id is that of another figure"
            known |= set(ids)
        assert root.get("aria-label")
        assert root.findtext("svg:desc", namespaces=SVG)
        assert not root.xpath("//svg:script | //svg:image | //svg:metadata", namespaces=SVG)
        assert {text.get("textLength") is not None for text in root.iter("{*}text")} == {True}
        values = root.xpath("//svg:g[@class='value']", namespaces=SVG)
        assert values
        assert all(value.findtext("svg:title", namespaces=SVG) for value in values)
        assert path.stat().st_size < 200_000


def test_a_reversed_statement_says_so_first_on_the_svg(saved: Path) -> None:
    text = (saved / "plain/likert_s0.svg").read_text(encoding="utf-8")
    assert "(R) Statement 2 of scale 0" in text
    assert "(R): to disagree is favourable." in text


def test_a_pdf_has_its_fonts_and_its_words_and_no_date(saved: Path) -> None:
    content = (saved / "plain/change_profile.pdf").read_bytes()
    assert set(re.findall(rb"/BaseFont/[A-Z]+\+([\w-]+)", content)) == {b"DejaVuSans", b"DejaVuSans-Bold"}
    assert b"/FontFile2" in content, "embedded"
    assert b"/StructTreeRoot" in content, "tagged"
    assert not re.search(rb"/(Creation|Mod)Date", content)
    assert b"/Title" in content


def test_captions_name_every_figure_once(tmp_path: Path) -> None:
    study = study_of(waves=1, organisations=1, scales=1)
    captions = save_all(tables_for(study), study, tmp_path)
    assert list(captions) == ["figure", "title", "caption", "alt", "group"]
    assert (*captions["figure"], "planning") == names(study, published=False), (
        "a study without a plan shows none"
    )
    assert all((tmp_path / f"slides/{name}.png").exists() for name in captions["figure"])
    assert (tmp_path / "narrow/profile.svg").exists()


def test_a_slide_shows_the_study_in_its_own_style() -> None:
    study = study_of()
    assert on_slide(study).style.responses == study.style.responses
    assert on_slide(study).model_copy(update={"style": study.style}) == study
