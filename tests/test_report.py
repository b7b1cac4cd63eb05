"""The page: one file that loads nothing, with everything in its place, whatever the study's words are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree, html

from surveywaves import catalogue
from surveywaves.report import assemble, build, render
from surveywaves.report.build import Report
from surveywaves.text import visible
from synthetic_report import (
    FIGURES,
    HOSTILE,
    PLAIN,
    STUDIES,
    SVG,
    TEMPLATES,
    captions,
    report_named,
    report_of,
    tables,
)


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {name: report_named(name) for name in STUDIES}


@pytest.fixture(scope="module")
def pages(reports: dict[str, Report]) -> dict[str, str]:
    return {name: render(report, templates=TEMPLATES) for name, report in reports.items()}


@pytest.fixture(scope="module")
def trees(pages: dict[str, str]) -> dict[str, html.HtmlElement]:
    return {name: html.document_fromstring(page) for name, page in pages.items()}


# --- one file, sound HTML ---------------------------------------------------------------------------------------


class Balance(HTMLParser):
    """Names what is closed in the wrong place or never."""

    EMPTY = frozenset({"meta", "link", "br", "input", "img", "hr", "wbr", "col"})

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
    ids = trees[name].xpath("//@id")
    assert len(ids) == len(set(ids))
    for reference in trees[name].xpath("//@href[starts-with(., '#')]"):
        assert reference[1:] in ids
    for named in trees[name].xpath("//@aria-labelledby | //@data-table"):
        assert set(named.split()) <= set(ids)


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_is_loaded_from_anywhere(pages, trees, name: str) -> None:
    tree = trees[name]
    assert tree.xpath("//@src | //link[@rel!='icon'] | //iframe | //object | //embed | //base | //form") == []
    away = [link for link in tree.xpath("//a/@href") if not link.startswith("#")]
    assert all(
        re.fullmatch(r"\.\./(figures|tables|released)/[\w/]+\.[a-z]+|report\.pdf", link) for link in away
    )
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'") and "script-src 'sha256-" in policy
    assert "@import" not in pages[name] and not re.search(r"url\((?!#|data:font/ttf;base64,)", pages[name])


def test_the_same_input_gives_the_same_bytes(pages) -> None:
    for name in (PLAIN, "one wave"):
        assert render(report_of(STUDIES[name]), templates=TEMPLATES) == pages[name]


def test_no_time_and_no_place_of_the_machine_get_in(pages) -> None:
    for told in (str(Path.home()), str(Path.cwd()), "/tmp/", "GMT", "UTC"):
        assert told not in pages[PLAIN]


# --- what stands where ------------------------------------------------------------------------------------------


def test_every_figure_and_table_stands_once_under_its_section(reports, trees) -> None:
    tree, report = trees[PLAIN], reports[PLAIN]
    shown = tree.xpath(
        "//figure/@id | //div[contains(@class, 'table')]/@id | //p[contains(@class, 'file')]/@id"
    )
    assert sorted(shown) == sorted(report.shown) and len(shown) > 25
    places = {
        one.name: one.place
        for one in catalogue.of_study(catalogue.FIGURES, STUDIES[PLAIN], tables(STUDIES[PLAIN]))
    }
    for name in set(FIGURES) - {"profile"}:
        section = places[name].partition("/")[0]
        assert tree.xpath(f"//section[@id='{section}']//figure[@id='figure-{name}']"), name


def test_exhibits_are_numbered_in_order_and_those_of_the_appendix_by_themselves(reports) -> None:
    for kind in ("figure", "table"):
        numbers = [one.number for one in reports[PLAIN].shown.values() if one.kind == kind and one.number]
        first = [number for number in numbers if not number.endswith("b")]
        body = [number for number in first if number.isdigit()]
        back = [f"A{place}" for place in range(1, len(first) - len(body) + 1)]
        assert first == [*map(str, range(1, len(body) + 1)), *back] and back
        # The same table in another unit has the same number.
        assert all(number[:-1] in body for number in numbers if number not in first)


def test_what_a_reader_takes_away_is_what_the_product_writes(reports, trees) -> None:
    for name, one in reports[PLAIN].shown.items():
        links = set(trees[PLAIN].xpath(f"//*[@id='{name}']//a/@href[starts-with(., '../')]"))
        if one.kind == "figure":
            files = {f"../figures/{one.name}.{end}" for end in catalogue.FIGURE_FORMATS}
            assert links == {*files, f"../figures/slides/{one.name}.png"}
        else:
            assert links <= {f"../tables/{one.name}.{end}" for end in catalogue.TABLE_FORMATS}
            assert f"../tables/{one.name}.csv" in links
    released = trees[PLAIN].xpath("//*[contains(@class, 'files')]//a/@href")
    assert "../released/contrasts.csv" in released and "../released/codebook.csv" not in released


def test_a_citation_says_what_it_is_and_that_the_data_are_invented(trees) -> None:
    cited = trees[PLAIN].xpath("//figure[1]//@data-copy")[0]
    assert cited.startswith(
        "Title of change_profile. Figure 1 in: Staff survey of a made-up firm. Made with surveywaves"
    )
    assert cited.endswith("Demonstration data, not findings.")
    assert not trees["observed"].xpath("//figure[1]//@data-copy")[0].endswith("not findings.")


def test_the_first_thing_said_is_that_the_data_are_invented_and_real_returns_do_not_cry_wolf(trees) -> None:
    strip = trees[PLAIN].xpath("//body/header/*[1]")[0]
    assert strip.get("class") == "strip" and strip.text_content().strip().startswith("Demonstration")
    assert "(demonstration data)" in trees[PLAIN].findtext(".//title")
    assert trees["observed"].xpath("//*[@class='strip']") == []
    assert "demonstration" not in trees["observed"].text_content().lower()


@pytest.mark.parametrize("name", ["one wave", "one organisation", "nothing published"])
def test_a_smaller_study_has_a_smaller_report(reports, name: str) -> None:
    assert set(reports[name].shown) < {*reports[PLAIN].shown, "figure-profile"}


def test_tables_in_two_units_are_marked_for_the_switch(trees) -> None:
    units = trees[PLAIN].xpath("//@data-unit")
    assert units.count("linear") == units.count("percent_favourable") > 1
    assert trees[PLAIN].xpath("//fieldset//input/@value") == ["percent_favourable", "linear"]


def test_figures_that_show_nothing_are_left_out() -> None:
    study = STUDIES[PLAIN]
    drawn = {"change_profile": SVG, "planning": SVG}
    report = assemble(tables(study), captions({"planning": "G"}), drawn, study)
    assert [name for name in report.shown if name.startswith("figure")] == ["figure-planning"]


def test_a_place_of_what_does_not_exist_and_a_link_to_it_are_dropped(monkeypatch) -> None:
    def texts(material):
        yield build.Section(
            "summary",
            "S",
            "A [word](#table-none) and [more](#planning).\n\n[[table:none]]\n\n[[figure:planning]]",
        )
        yield build.Section(
            "planning",
            "P",
            "## Trust, 2006!\n\n## trust 2006\n\n## …\n\n[[figure:planning]]\n\n[[table:waves]]",
        )

    monkeypatch.setattr(build, "sections", texts)
    report = report_of(STUDIES[PLAIN])
    tree = html.document_fromstring(render(report, templates=TEMPLATES))
    assert list(report.shown) == ["figure-planning", "table-waves"]
    said = tree.xpath("//*[@id='summary']//p[contains(., 'A word and more.')]")[0]
    assert said.xpath("./a/@href") == ["#planning"] and "[[" not in tree.text_content()
    names = ["planning-trust-2006", "planning-trust-2006-2", "planning-part"]
    assert tree.xpath("//*[@id='planning']//h3/@id") == names


# --- words of others --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_are_shown_and_do_nothing(pages, trees, name: str) -> None:
    tree, text = trees[name], HOSTILE[name]
    assert len(tree.xpath("//script")) == 1 and tree.xpath("//img") == []
    handlers = [key for element in tree.iter(etree.Element) for key in element.attrib if key.startswith("on")]
    assert handlers == []
    wanted = visible(text)
    assert wanted in " ".join(tree.findtext(".//title").split())
    own = [" ".join(cell.text_content().split()) for cell in tree.xpath("//tbody//th")]
    bare = re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", wanted)
    assert any(
        re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", cell).startswith(bare[:40]) for cell in own
    )
    said = visible(text[:200])
    assert said in tree.xpath("//figure[1]/figcaption")[0].text_content()


# --- accessibility ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [PLAIN, "one wave"])
def test_the_page_has_landmarks_and_headings_in_order(trees, name: str) -> None:
    tree = trees[name]
    assert tree.get("lang") == "en"
    for landmark in ("header", "main", "footer"):
        assert len(tree.xpath(f"//body/{landmark}")) == 1
    assert tree.xpath("//body/a[1]/@href") == ["#main"]
    levels = [int(heading.tag[1]) for heading in tree.xpath("//h1 | //h2 | //h3 | //h4 | //h5")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_title_and_heads_with_scope(trees) -> None:
    for table in trees[PLAIN].xpath("//table"):
        box = table.getparent()
        assert box.get("tabindex") == "0" and box.get("role") == "region"
        title = trees[PLAIN].get_element_by_id(box.get("aria-labelledby"))
        assert re.match(r"Table A?\d+b?\. \S", title.text_content())
        assert all(head.get("scope") or head.get("colspan") for head in table.xpath(".//th"))


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_background() -> None:
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", style))
    pairs = [(ink, back) for ink in ("ink", "quiet", "link", "up", "down") for back in ("faint", None)]
    pairs += [("warn-ink", "warn-back"), ("ink", "warn-back"), ("ink", "caution"), ("link", "warn-back")]
    for ink, back in pairs:
        light, dark = luminance(colours.get(back or "", "#ffffff")), luminance(colours[ink])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, back)


# --- the house --------------------------------------------------------------------------------------------------


def files() -> Iterator[Path]:
    package = TEMPLATES.parent / "surveywaves"
    yield from filter(Path.is_file, TEMPLATES.rglob("*"))
    yield from package.glob("report/*.py")


def test_nothing_of_a_study_is_in_the_templates_or_the_code() -> None:
    named = re.compile(r"\bnhs\b|social.work|glasgow|chcp|\bmori\b|phase|\btrust\b|200[68]")
    assert {
        file.name: found[0] for file in files() if (found := named.search(file.read_text("utf-8").lower()))
    } == {}
