"""The report: one file that loads nothing, says what its data are, takes numbers from tables, and harms nobody."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pandas as pd
import pytest
from lxml import etree, html
from markupsafe import Markup

from surveywaves.figures import draw_all
from surveywaves.files import csv_text
from surveywaves.report import assemble, render
from surveywaves.report.answer import MOST
from surveywaves.report.material import Numbers, prose, say
from surveywaves.report.page import Ids, data_uri, inline_svg
from surveywaves.study.parts import Presentation
from surveywaves.terms import Evidence
from synthetic_report import DISCLOSURE, SVG, TEMPLATES, captions, presentation, spoiled, tables, withheld

FIGURES = {
    "response": "Respondents",
    "respondents_job": "Respondents",
    "break_off": "Respondents",
    "gradient": "Scales",
    "heat_map": "Items",
    "favourable": "Scales",
    "comparator": "Scales",
    "framework_climate": "Frameworks",
    "differences_in_change": "Comparisons",
    "functioning": "Items",
    "sensitivity_warmth": "Sensitivity",
    "planning": "Planning",
    "likert_warmth": "Answers",
    "likert_warmth_by_organisation": "Answers",
    "reliability": "Scales",
    "scale_profile": "Scales",
    "means_over_waves": "Scales",
    "contrasts": "Scales",
    "published_agreement": "Audit",
}

HOSTILE = {
    "script": "<script>alert('x')</script>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "closing": "</title></style></script><!-- ]]> --><img src=x onerror=alert(1)>",
    "template": "{{ 7 * 7 }}{% raw %} {0} {name}",
    "formula": "=cmd|'/C calc'!A0",
    "right to left": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd (1)",
    "emoji": "👩🏽‍🔧 works 🧪",
    "unseen": "a\x00b\x0bc\ufffe\x9f",
    "long": "endless" * 58,
    "latex": "\\input{/etc/passwd} $x_1$ & % #",
}


def build(*given: Any, templates: Path, **more: Any) -> str:
    return render(assemble(*given, **more), templates=templates)


def page_of(study: Presentation, **more: Any) -> str:
    published = bool(study.citation)
    given = {
        "disclosure": DISCLOSURE,
        "limitations": "Few *answered*.\n\n## Who\n\n- people\n- **others**",
        "session": {"python": "3", "pandas": "3.1"},
    } | more
    return build(
        tables(study, published=published),
        captions(FIGURES),
        dict.fromkeys(FIGURES, SVG),
        study,
        templates=TEMPLATES,
        **given,
    )


STUDIES = {
    "three waves, three organisations": presentation(),
    "one wave": presentation(waves=1),
    "one organisation": presentation(organisations=("left",)),
    "nothing published": presentation(published=False),
    "observed": presentation(evidence=(Evidence.OBSERVED,) * 3),
    "partly observed": presentation(evidence=(Evidence.OBSERVED, Evidence.RECONSTRUCTED, Evidence.SIMULATED)),
} | {name: presentation(words={"*": text}) for name, text in HOSTILE.items()}
PLAIN = "three waves, three organisations"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: page_of(study) for name, study in STUDIES.items()}


@pytest.fixture(scope="module")
def trees(pages: dict[str, str]) -> dict[str, html.HtmlElement]:
    return {name: html.document_fromstring(page) for name, page in pages.items()}


# --- one file, sound HTML ---------------------------------------------------------------------------------------


class Balance(HTMLParser):
    """Names what is closed in the wrong place or never."""

    EMPTY = frozenset({"meta", "link", "br", "input", "img", "hr", "wbr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - as the base class calls it
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


@pytest.mark.parametrize("name", STUDIES)
def test_every_element_is_closed_where_it_should_be(pages, name: str) -> None:
    balance = Balance(pages[name])
    assert (balance.wrong, balance.open) == ([], [])


@pytest.mark.parametrize("name", STUDIES)
def test_ids_are_unique_and_every_reference_resolves(trees, name: str) -> None:
    tree = trees[name]
    ids = Counter(tree.xpath("//@id"))
    assert [one for one, times in ids.items() if times > 1] == []
    links = [link[1:] for link in tree.xpath("//@href") if link.startswith("#")]
    spoken = [part for value in tree.xpath("//@aria-labelledby | //@for") for part in value.split()]
    assert links and spoken
    assert set(links) | set(spoken) <= set(ids)
    drawn = set(re.findall(r"url\(#([^)]+)\)", etree.tostring(tree, encoding="unicode")))
    assert drawn and drawn <= set(ids)


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_is_loaded_from_anywhere(pages, trees, name: str) -> None:
    for attribute in trees[name].xpath("//@src | //@href | //@action | //@data | //@srcset | //@poster"):
        assert attribute.startswith(("#", "data:")), attribute
    assert "@import" not in pages[name]
    assert re.findall(r"url\((?!#)[^)]*\)", pages[name]) == []
    [policy] = trees[name].xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'") and "unsafe-inline" not in policy.split("script-src")[1]


def test_the_same_input_gives_the_same_bytes(pages) -> None:
    assert page_of(STUDIES[PLAIN]) == pages[PLAIN]


def test_no_time_and_no_place_of_the_machine_get_in(pages) -> None:
    assert "/home/" not in pages[PLAIN] and "/tmp" not in pages[PLAIN] and "/work" not in pages[PLAIN]
    assert not re.search(r"20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d", pages[PLAIN])


@pytest.mark.parametrize("name", ["one wave", "one organisation", "nothing published"])
def test_a_smaller_study_has_a_smaller_report(trees, name: str) -> None:
    text = words_of(trees[name])
    assert ("The publication, audited" in text) == (name != "nothing published")
    assert ("repeated cross-sections" in text) == (name != "one wave")


def test_missing_tables_are_left_out(trees) -> None:
    study = presentation(published=False)
    page = build({}, captions({}), {}, study, templates=TEMPLATES)
    assert [h.text_content() for h in html.document_fromstring(page).xpath("//main//h2")] == [
        "What the waves are",
        "How the waves were brought together",
        "Methods",
    ]


# --- what the data are ------------------------------------------------------------------------------------------


def words_of(tree: html.HtmlElement) -> str:
    return " ".join(tree.text_content().split())


def test_the_first_thing_said_is_that_the_data_are_invented(trees) -> None:
    body = trees[PLAIN].find("body")
    banner = body.xpath(".//*[@id='evidence']")[0]
    said = words_of(banner)
    assert "Demonstration" in said and "Do not cite its numbers as findings." in said
    for wave in STUDIES[PLAIN].waves.values():
        assert f"{wave.title}: {wave.evidence.value.upper()}." in said
    assert "Kind of job: simulated" in said
    before = words_of(body).partition("Demonstration")[0]
    assert before == f"Skip to the report {STUDIES[PLAIN].title} "


def test_a_report_of_real_returns_says_so_and_does_not_cry_wolf(trees, pages) -> None:
    said = words_of(trees["observed"].xpath("//*[@id='evidence']")[0])
    assert "All data in this report are real returns." in said
    assert "Demonstration" not in words_of(trees["observed"].find("body"))
    assert "invented data" not in pages["observed"]


def test_a_report_of_both_says_that_part_is_invented(trees) -> None:
    said = words_of(trees["partly observed"].xpath("//*[@id='evidence']")[0])
    assert "Part of the data are not real returns." in said and "OBSERVED" in said and "SIMULATED" in said


def test_every_figure_and_every_table_of_estimates_says_its_evidence(trees) -> None:
    for figure in trees[PLAIN].xpath("//figure"):
        assert "Evidence: made up." in words_of(figure)
    silent = [
        table.get("id")
        for table in trees[PLAIN].xpath("//div[contains(@class, 'table')]")
        if not re.search("simulated|reconstructed", words_of(table), re.IGNORECASE)
    ]
    assert set(silent) <= {"table-events", "table-problems", "table-comparability", "table-recodings"} | {
        "table-codebook",
        "table-session",
        "table-printed-job",
        "table-disclosure-summary",
    }


# --- every number comes from a table ----------------------------------------------------------------------------


def stated(tree: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """Go through the sentences of the report: what is neither table, figure, heading nor the study's own words."""
    for sentence in tree.xpath("//main//p | //main//li | //main//dd"):
        inside = {ancestor.tag for ancestor in sentence.iterancestors()} | set(
            " ".join(ancestor.get("class", "") for ancestor in sentence.iterancestors()).split()
        )
        if not inside & {"figure", "table"}:
            yield sentence


def own_words(sentence: html.HtmlElement) -> str:
    """Give a sentence without the numbers from tables and without the study's words."""
    kept = html.fromstring(etree.tostring(sentence, encoding="unicode", with_tail=False))
    for part in kept.xpath(".//data | .//bdi | .//code"):
        part.drop_tree()
    return kept.text_content()


@pytest.mark.parametrize("name", [PLAIN, "one wave", "one organisation", "observed"])
def test_no_sentence_holds_a_number_of_its_own(trees, name: str) -> None:
    sentences = [own_words(sentence) for sentence in stated(trees[name])]
    assert len(sentences) > 20
    assert [sentence for sentence in sentences if re.search(r"\d", sentence)] == []


def looked_up(number: html.HtmlElement, frames: dict[str, pd.DataFrame], study: Presentation) -> float:
    """Find a number again from what it says of its source, without the code that put it there."""
    how, _, columns = number.get("data-take").partition(":")
    if number.get("data-from") == "study":
        part = {"alpha": 1 - study.confidence}.get(how, getattr(study, how, None))
        return float(len(part)) if hasattr(part, "__len__") else float(part)
    frame = frames[number.get("data-from")]
    for column, wanted in json.loads(number.get("data-where")).items():
        if column[-1] == "=":
            frame = frame[frame[column[:-1]] == frame[wanted]]
        elif column[-1] in "<>":
            cells = frame[column[:-1]]
            frame = frame[cells < wanted if column[-1] == "<" else cells > wanted]
        elif isinstance(wanted, list):
            frame = frame[frame[column].isin(wanted)]
        else:
            frame = frame.loc[[cell == wanted for cell in frame[column]]]
    if how == "count":
        return float(len(frame))
    if how == "distinct":
        return float(len(set(zip(*(frame[column] for column in columns.split(",")), strict=True))))
    values = [float(value) for value in frame[columns]]
    return sum(values) if how == "sum" else values[0] if len(values) == 1 else float("nan")


@pytest.mark.parametrize("name", [PLAIN, "one wave", "nothing published", "script"])
def test_every_number_in_a_sentence_is_found_again_in_its_table(trees, name: str) -> None:
    study = STUDIES[name]
    frames = tables(study, published=bool(study.citation))
    numbers = trees[name].xpath("//main//data")
    assert len(numbers) > 20
    for number in numbers:
        found = looked_up(number, frames, study)
        assert found == pytest.approx(float(number.get("value")), rel=1e-12), number.attrib
        digits = [float(part.replace(",", "")) for part in re.findall(r"[\d.,]*\d", number.text)]
        assert any(
            digits == [pytest.approx(abs(found) * times, abs=0.051 if times > 1 else 0.0051)]
            for times in (1, 100)
        ), number.text


def test_a_sentence_with_a_literal_number_is_refused() -> None:
    with pytest.raises(ValueError, match="a number is written"):
        say("It rose by 5 points in {wave}.", wave="spring")


def test_words_in_a_sentence_are_escaped_and_numbers_are_not_taken_for_words() -> None:
    study = presentation()
    count = Numbers(tables(study), study).count("response_rates")
    said = say("<b>{name}</b> has {count}.", name="<i>&", count=count)
    assert str(said).startswith('<b><bdi>&lt;i&gt;&amp;</bdi></b> has <data value="3"')


def test_a_number_that_several_rows_could_give_is_refused() -> None:
    study = presentation()
    with pytest.raises(ValueError, match="3 rows fit"):
        Numbers(tables(study), study).cell("response_rates", "returns")


WORDS = {
    "change": ("increase", "decrease", "no meaningful change"),
    "gap": ("{first} higher", "{first} lower", "no meaningful gap"),
    "difference_in_differences": (
        "{first} gained ground",
        "{first} lost ground",
        "no meaningful difference",
    ),
}
"""Term -> how each decision but the inconclusive one is told."""


def place_of(study: Presentation, term: str, wave: str, organisation: str) -> str:
    """Say what is compared with what."""
    houses = [study.organisations[side] for side in organisation.split(" - ")]
    waves = [study.waves[side].title for side in wave.split(" - ")]
    return {
        "change": "{houses[0]}, from {waves[1]} to {waves[0]}",
        "gap": "{waves[0]}, {houses[0]} against {houses[1]}",
        "difference_in_differences": "{houses[0]} against {houses[1]}, from {waves[1]} to {waves[0]}",
    }[term].format(houses=[*houses, ""], waves=[*waves, ""])


def told(study: Presentation, rows: pd.DataFrame) -> str:
    """Say of rows of one contrast what the report should say, from their decisions alone."""
    [(term, wave, organisation)] = set(zip(rows["term"], rows["wave"], rows["organisation"], strict=True))
    first = study.organisations[organisation.split(" - ")[0]]
    decisions = ("increase", "decrease", "no_meaningful_change")
    found = []
    for decision, phrase in zip(decisions, WORDS[term], strict=True):
        scales = [study.scales[scale].title for scale in rows.loc[rows["decision"] == decision, "scale"]]
        if scales:
            found.append(f"{phrase.format(first=first)}: {len(scales)} ({' and '.join(scales)})")
    if unsure := int((rows["decision"] == "inconclusive").sum()):
        found.append(f"inconclusive: {unsure}")
    if hidden := int((rows["status"] == "withheld").sum()):
        found.append(f"withheld besides: {hidden}")
    estimated = int(rows["estimate"].notna().sum())
    noun = "scale" if estimated == 1 else "scales"
    return (
        f"{place_of(study, term, wave, organisation)}: of {estimated} {noun} estimated, {'; '.join(found)}."
    )


def sentences_of(tree: html.HtmlElement) -> set[str]:
    section = tree.get_element_by_id("answer").getparent()
    return {words_of(li) for li in section.xpath(".//li")}


def main_contrasts(frames: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Go through the contrasts of % favourable that are estimated for some scale, each by its kind."""
    frame = frames["contrasts"].query("analysis == 'favourable'")
    frame = frame.assign(term=frame["term"].str.removesuffix("_percent_favourable"))
    for _, rows in frame.groupby(["term", "wave", "organisation"], sort=False):
        if rows["estimate"].notna().any():
            yield rows


@pytest.mark.parametrize("name", [PLAIN, "one organisation", "observed"])
def test_what_moved_says_what_the_decisions_say_and_no_more(trees, name: str) -> None:
    study, said = STUDIES[name], sentences_of(trees[name])
    contrasts = list(main_contrasts(tables(study)))
    expected = {told(study, rows) for rows in contrasts}
    counted = {one for one in said if "scales estimated" in one or "scale estimated" in one}
    assert counted and counted <= expected
    many = {term for term in WORDS if sum((rows["term"] == term).any() for rows in contrasts) > MOST}
    assert many or counted == expected
    for rows in contrasts:
        sure = rows["decision"].isin(["increase", "decrease", "no_meaningful_change"]).any()
        assert (told(study, rows) in counted) == (rows["term"].iloc[0] not in many or sure)
    other = "In every other comparison every estimate is inconclusive"
    assert (other in words_of(trees[name])) == (counted < expected)


@pytest.fixture(scope="module")
def less() -> html.HtmlElement:
    """The report of a study of which much is withheld."""
    study = STUDIES[PLAIN]
    return html.document_fromstring(
        build(
            withheld(tables(study)),
            captions(FIGURES),
            dict.fromkeys(FIGURES, SVG),
            study,
            templates=TEMPLATES,
            disclosure=DISCLOSURE,
        )
    )


def test_sentences_stay_true_where_numbers_are_withheld(less) -> None:
    study, frames = STUDIES[PLAIN], withheld(tables(STUDIES[PLAIN]))
    said = sentences_of(less)
    counted = {one for one in said if "scales estimated" in one or "scale estimated" in one}
    assert counted and counted <= {told(study, rows) for rows in main_contrasts(frames)}
    assert any("withheld besides" in one for one in counted)
    assert [one for one in said if one.startswith("Withheld to protect respondents, for every scale: ")]
    wave = study.waves[frames["response_rates"].query("returns.isna()")["wave"].iloc[0]].title
    assert f"{wave}: how many answered is withheld to protect them." in words_of(less)


def test_where_part_of_the_waves_is_real_each_sentence_on_others_says_so(trees) -> None:
    study = presentation(evidence=(Evidence.OBSERVED, Evidence.OBSERVED, Evidence.SIMULATED))
    said = sentences_of(html.document_fromstring(page_of(study)))
    counted = {one for one in said if "scales estimated" in one or "scale estimated" in one}
    invented = {one for one in counted if one.endswith(" Demonstration only (simulated).")}
    assert invented == {one for one in counted if study.waves["third"].title in one}
    assert invented and counted - invented
    for name in (PLAIN, "observed"):
        assert "Demonstration only" not in words_of(trees[name].get_element_by_id("answer").getparent())


def test_nothing_withheld_reads_as_a_number_or_as_none(less) -> None:
    for text in less.xpath("//main//text()[not(ancestor::svg)]"):
        assert not re.search(r"\b(nan|NaN|NaT|None|null|inf)\b|<NA>", text), text
    assert len(less.xpath("//td[starts-with(normalize-space(), '[c]')]")) > 50
    for number in less.xpath("//main//data"):
        assert number.get("value") != "nan"


def test_the_report_says_what_was_withheld_and_what_its_sign_means(trees) -> None:
    section = words_of(trees[PLAIN].get_element_by_id("disclosure").getparent())
    assert DISCLOSURE.strip() in section
    assert "[c] stands where a number is withheld" in section
    rows = [
        [words_of(cell) for cell in row]
        for row in trees[PLAIN].xpath("//*[starts-with(@id, 'table-disclosure')]//tbody/tr")
    ]
    assert rows == [
        ["Item frequencies", "N", "1,901", "77", "0"],
        ["Means", "Estimate", "53", "0", "53"],
    ]


def test_the_files_are_told_without_what_is_withheld_of_them(trees) -> None:
    section = words_of(trees[PLAIN].get_element_by_id("harmonisation").getparent())
    assert "First round: rows of the raw files: 259 read, the others withheld." in section
    assert "web warmth statement 1 never 1 (Never)" in section
    assert "web warmth statement 1 always 4 (Always)" in section and "# stands for any number" in section


def test_every_kind_of_decision_is_told(trees) -> None:
    sections = (trees[PLAIN].get_element_by_id(name).getparent() for name in ("answer", "moved"))
    said = " ".join(words_of(li) for section in sections for li in section.xpath(".//li"))
    for words in (
        *("increase: ", "decrease: ", "no meaningful change: ", "inconclusive: "),
        *("The left house higher: ", "The left house lower: ", "The left house gained ground: "),
    ):
        assert words in said, words
    reading = words_of(trees[PLAIN].get_element_by_id("answer").getparent())
    assert "Each scale is summed up by the percentage of favourable answers" in reading
    assert "the smallest effect of interest, 5 percentage points of favourable answers" in reading
    agreeing = tables(STUDIES[PLAIN])["agreement"].query("analysis == 'favourable' and decision != ''")
    decided = agreeing[agreeing["decision"] != "inconclusive"]
    assert 0 < len(decided) < len(agreeing)
    assert f"Of {len(decided)} decisions other than inconclusive" in reading
    same = int((decided["agreeing"] == decided["variants"]).sum())
    robust = words_of(trees[PLAIN].get_element_by_id("robustness").getparent())
    points = "in percentage points of favourable answers"
    assert f"Decisions other than inconclusive, {points}: {len(decided)}, of which {same} " in robust
    assert "which is not the same as no difference" in reading


def test_without_favourable_answers_the_linear_model_speaks() -> None:
    study = presentation()
    frames = {
        name: frame[frame["analysis"] != "favourable"] if name in {"contrasts", "agreement"} else frame
        for name, frame in tables(study).items()
    }
    tree = html.document_fromstring(
        build(frames, captions(FIGURES), dict.fromkeys(FIGURES, SVG), study, templates=TEMPLATES)
    )
    reading, robust, moved = (
        words_of(tree.get_element_by_id(name).getparent()) for name in ("answer", "robustness", "moved")
    )
    assert "Each scale is summed up by the mean answer to its statements" in reading
    assert "the smallest effect of interest, 0.20 standard deviations of one answer" in reading
    assert "Decisions other than inconclusive, in standard deviations of one answer" in robust
    assert "Change: all scales at a glance, in points of the response scale" in moved


def test_a_scale_of_low_reliability_is_named_with_its_reason_and_counted_like_the_others() -> None:
    study = presentation()
    frames = tables(study)
    frames["scale_use"].loc[frames["scale_use"]["scale"] == "pace", ["use", "reason"]] = (
        "low_reliability",
        "too loose",
    )
    tree = html.document_fromstring(
        build(frames, captions(FIGURES), dict.fromkeys(FIGURES, SVG), study, templates=TEMPLATES)
    )
    said = sentences_of(tree)
    assert "Pace has low reliability: too loose." in said
    counted = [one for one in said if "scale estimated" in one or "scales estimated" in one]
    assert any("of 2 scales estimated" in one for one in counted)
    assert any("Pace (low reliability)" in one for one in counted)
    assert not [one for one in counted if "Pace" in one and "Pace (low reliability)" not in one]


def test_statements_are_counted_by_their_decisions(trees) -> None:
    frame = tables(STUDIES[PLAIN])["item_contrasts"]
    place = "term == 'change_percent_favourable' and wave == 'third - second' and organisation == 'left'"
    rows = frame.query(place)
    assert rows["estimate"].notna().any()
    counts = rows["decision"].value_counts()
    words = {
        "increase": "more favourable",
        "decrease": "less favourable",
        "no_meaningful_change": "no meaningful change",
    }
    found = "; ".join(
        f"{words.get(decision, decision)}: {counts[decision]}"
        for decision in ("increase", "decrease", "no_meaningful_change", "inconclusive")
        if decision in counts
    )
    lead = "The left house, from Second round to Third round: of"
    section = trees[PLAIN].get_element_by_id("moved").getparent()
    said = {words_of(li) for li in section.xpath(".//li")}
    assert f"{lead} {counts.drop('', errors='ignore').sum()} statements estimated, {found}." in said


def test_tables_of_contrasts_show_favourable_answers_first_and_the_models_on_demand(trees) -> None:
    tree = trees[PLAIN]
    for term in WORDS:
        name = f"table-{term}-percent-favourable".replace("_", "-")
        assert not tree.get_element_by_id(name).xpath("ancestor::details")
        for unit in ("linear", "ordinal"):
            name = f"table-{term}-{unit}".replace("_", "-")
            [found] = tree.xpath(f"//*[@id='{name}']")
            assert found.xpath("ancestor::details")
    assert not tree.xpath("//*[@id='table-means-percent-favourable']/ancestor::details")
    assert not tree.xpath("//*[contains(@id, 'standardised-linear')]")


# --- hostile words harm nobody ----------------------------------------------------------------------------------


def visible(text: str) -> str:
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe]", "", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_are_shown_and_do_nothing(pages, trees, name: str) -> None:
    tree, text = trees[name], visible(HOSTILE[name])
    assert words_of(tree.xpath("//h1")[0]) == " ".join(text.split())
    assert len(tree.xpath("//script")) == 1 and len(tree.xpath("//style[not(ancestor::svg)]")) == 1
    assert tree.xpath("//img | //iframe | //object | //embed | //form | //base") == []
    assert [key for element in tree.iter() for key in element.attrib if key.startswith("on")] == []
    assert [item for item in tree.xpath("//th//bdi") if item.text == text]
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe]", pages[name])
    assert "49" not in words_of(tree.xpath("//header")[0])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_in_figures_claims_problems_and_notes_do_nothing(name: str) -> None:
    text, study = HOSTILE[name], presentation()
    frames = spoiled(tables(study), text)
    frames["codebook"] = frames["codebook"].map(lambda cell: cell if cell.isdigit() else text)
    words = captions(FIGURES).assign(title=text, caption=text, alt=text, evidence=text, group=text)
    page = build(
        frames,
        words,
        dict.fromkeys(FIGURES, SVG),
        study,
        templates=TEMPLATES,
        session={text: text},
        limitations=text,
        disclosure=text,
    )
    tree = html.document_fromstring(page)
    assert len(tree.xpath("//script")) == 1
    assert [svg.get("aria-label") for svg in tree.xpath("//svg")] == [visible(text)] * len(FIGURES)
    assert [key for element in tree.iter() for key in element.attrib if key.startswith("on")] == []
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))


def downloads(tree: html.HtmlElement) -> Iterator[tuple[str, list[list[str]]]]:
    for link in tree.xpath("//a[@download]"):
        kind, _, content = link.get("href").partition(",")
        assert kind == "data:text/csv;charset=utf-8"
        plain = unquote_to_bytes(content).decode("utf-8-sig")
        yield link.get("download"), list(csv.reader(io.StringIO(plain, newline="")))


@pytest.mark.parametrize("name", [PLAIN, "formula"])
def test_data_to_take_away_are_complete_and_run_nothing(name: str) -> None:
    study = STUDIES[name]
    drawings = {"contrasts": ["change", "gap"], "differences_in_change": ["difference_in_differences"]}
    drawn = draw_all(tables(study), study, wanted=drawings)
    page = page_of(study, rows={drawing.name: csv_text(drawing.rows) for drawing in drawn})
    found = list(downloads(html.document_fromstring(page)))
    assert {"change_linear.csv", "answers_warmth.csv", "comparability.csv", "claims.csv"} <= {
        name for name, _ in found
    }
    for _, rows in found:
        assert len({len(row) for row in rows}) == 1 and len(rows) > 1
        numbers = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?$")
        assert not [
            cell
            for row in rows
            for cell in row
            if cell[:1] in "=+-@\t" and cell not in ("", "+", "-") and not numbers.match(cell)
        ]
    for drawing, terms in drawings.items():
        [contrasts] = [rows for file, rows in found if file == f"{drawing}.csv"]
        frame = tables(study)["contrasts"].query("analysis == 'linear'")
        frame = frame[frame["term"].isin(terms)]
        place = contrasts[0].index("estimate")
        estimates = [float(row[place]) if row[place] else None for row in contrasts[1:]]
        assert estimates == [None if pd.isna(value) else value for value in frame["estimate"]]
        evidence = [row[contrasts[0].index("evidence")] for row in contrasts[1:]]
        assert evidence == ["reconstructed" if wave == "second" else "simulated" for wave in frame["wave"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "  ="])
def test_formulas_are_disarmed_in_csv_and_negative_numbers_are_not(start: str) -> None:
    frame = pd.DataFrame({"a": [f"{start}1+1"], "b": [-1.5], "c": [None], f"{start}d": ["x"]})
    head, row = csv.reader(io.StringIO(csv_text(frame), newline=""))
    assert row[0].startswith("'") and row[1:3] == ["-1.5", ""] and head[3].startswith("'")


def test_data_uri_is_ascii() -> None:
    odd = """é "'<>&#%?\t\n\r\\ 100%"""
    address = data_uri(csv_text(pd.DataFrame({"a": [odd]})))
    assert address.isascii() and not re.search(r"""["'<>&#\s\\]""", address)
    plain = unquote_to_bytes(address.partition(",")[2]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(plain, newline="")))[1] == [odd]


# --- figures ----------------------------------------------------------------------------------------------------


def test_figures_stand_where_they_belong_and_none_is_lost(trees) -> None:
    placed = {}
    for figure in trees[PLAIN].xpath("//figure"):
        section = figure.xpath("ancestor::section[parent::main]/h2")[0].text_content()
        placed[figure.get("id")] = section
    assert len(placed) == len(FIGURES)
    assert placed["figure-contrasts"] == "What moved"
    assert placed["figure-gradient"] == "The answer in short"
    assert placed["figure-likert-warmth"] == "Answers to every statement"
    for svg in trees[PLAIN].xpath("//svg"):
        assert svg.get("role") == "img" and svg.get("aria-label").startswith("What ")


def test_figures_without_caption_are_left_out() -> None:
    study = presentation()
    page = build(
        tables(study), captions({"response": "G"}), {"response": SVG, "bare": SVG}, study, templates=TEMPLATES
    )
    assert [figure.get("id") for figure in html.document_fromstring(page).xpath("//figure")] == [
        "figure-response"
    ]


def test_a_drawing_keeps_its_ids_styles_and_addresses_to_itself() -> None:
    drawn = inline_svg(SVG, prefix="f1", alt='says "x"')
    tree = etree.fromstring(drawn)
    clip, glyph = tree.xpath("//clipPath/@id")[0], tree.xpath("//path/@id")[0]
    assert sorted(tree.xpath("//@id")) == sorted(["f1", clip, glyph])
    assert tree.xpath("//g/@clip-path") == [f"url(#{clip})"] and tree.xpath("//use/@href") == [f"#{glyph}"]
    assert clip.startswith("f1-") and glyph.startswith("f1-")
    assert tree.xpath("//text")[0].text == "A bar"
    assert "#f1 * {stroke-linejoin: round}" in drawn
    assert "http" not in drawn and "metadata" not in drawn
    assert tree.get("viewBox") == "0 0 360 90" and float(tree.get("width")) == 600


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        '<rect onload="alert(1)"/>',
        '<a href="javascript:alert(1)"><text>x</text></a>',
        '<image href="https://example.org/x.png"/>',
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
        '<rect style="fill: url(https://example.org/x)"/>',
        "<style>@import url(https://example.org/x.css); a { color: red }</style>",
        '<use href="https://example.org/x.svg#y"/>',
    ],
)
def test_drawings_cannot_run_or_load_anything(bad: str) -> None:
    drawn = inline_svg(SVG.replace("</svg>", f"{bad}</svg>"), prefix="f", alt="")
    assert not re.search("alert|example.org|foreignObject|@import", drawn)


@pytest.mark.parametrize("text", ["no drawing", "<html/>", ""])
def test_what_is_no_drawing_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="figure f1: not an SVG drawing"):
        inline_svg(text, prefix="f1", alt="")


# --- the study's own words --------------------------------------------------------------------------------------


def test_prose_knows_headings_lists_and_emphasis_and_nothing_else() -> None:
    opening, part = prose(
        "A *weak* and a **strong** word, 2 * 3 * 4,\nsnake_case.\n\n# Head\n"
        "- one\n  goes on\n- [link](http://x) <b>\n\nEnd."
    )
    assert opening.text == Markup(
        "A <em>weak</em> and a <strong>strong</strong> word, 2 * 3 * 4, snake_case."
    )
    assert part.title == "Head"
    points, end = part.blocks
    assert points.items == (Markup("one goes on"), Markup("[link](http://x) &lt;b&gt;"))
    assert end.text == Markup("End.")


@pytest.mark.parametrize("text", ["", "\n\n", "   "])
def test_no_prose_gives_nothing(text: str) -> None:
    assert prose(text) == []


def test_ids_are_made_of_anything_and_never_twice() -> None:
    ids = Ids()
    made = [ids.new(name) for name in ("Wärme & Co", "warme-co", "7 up", "שלום", "👩", "x" * 400)]
    assert made[:3] == ["warme-co", "warme-co-2", "part-7-up"]
    assert len(set(made)) == len(made) and all(re.fullmatch("[a-z][a-z0-9-]{0,69}", name) for name in made)


# --- for everybody ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [PLAIN, "one wave"])
def test_the_page_has_landmarks_and_headings_in_order(trees, name: str) -> None:
    tree = trees[name]
    assert tree.get("lang") == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert len(tree.xpath(f"//body/{landmark}")) == 1
    assert tree.xpath("//body/a[1]/@href") == ["#main"]
    levels = [int(heading.tag[1]) for heading in tree.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_heads_with_scope(trees) -> None:
    for table in trees[PLAIN].xpath("//table"):
        assert words_of(table.find("caption")).startswith("Table ")
        assert all(head.get("scope") in {"col", "row", "colgroup"} for head in table.xpath(".//th"))
        assert table.getparent().get("tabindex") == "0" and table.getparent().get("role") == "region"
        for row in table.xpath("./tbody/tr"):
            assert row[0].tag == "th"
        width = {sum(int(cell.get("colspan", 1)) for cell in row) for row in table.xpath(".//tr")}
        assert len(width) == 1


def luminance(colour: str) -> float:
    full = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(full[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_background() -> None:
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", style))
    pairs = [(ink, back) for ink in ("ink", "quiet", "link", "up", "down") for back in ("faint", None)]
    pairs += [("warn-ink", "warn-back"), ("ink", "caution"), ("quiet", "caution"), ("link", "caution")]
    for ink, back in pairs:
        light, dark = luminance(colours.get(back or "", "#ffffff")), luminance(colours[ink])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, back)


def test_style_minds_motion_print_and_focus() -> None:
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    for needed in ("prefers-reduced-motion", "@media print", ":focus-visible", "@page", "forced-colors"):
        assert needed in style


def test_nothing_of_a_study_is_in_the_templates_or_the_code() -> None:
    package = TEMPLATES.parent / "surveywaves"
    files = [
        *filter(Path.is_file, TEMPLATES.rglob("*")),
        *package.glob("report/*.py"),
        *package.glob("tables/*.py"),
    ]
    for file in files:
        text = file.read_text(encoding="utf-8").lower()
        assert not re.search(r"\bnhs\b|social.work|glasgow|chcp|\bmori\b|phase|\btrust\b|200[68]", text), (
            file.name
        )
