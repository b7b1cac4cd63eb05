"""The page in a browser: what it shows first, how wide it is, what its script adds, and whom it keeps out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_core_python
import pytest

from browser import Browser, needs_chromium
from surveywaves.report import render
from synthetic_report import HOSTILE, PLAIN, TEMPLATES, report_named

pytestmark = needs_chromium

WIDTHS = (360, 900, 1280, 1400)
REPORTS = ("page", "shipped")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def written(name: str, folder: Path) -> Path:
    path = folder / "index.html"
    path.write_text(render(report_named(name), templates=TEMPLATES), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of block, of a made-up study."""
    return written(PLAIN, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def shipped(finished: Path) -> Path:
    """The report of the shipped study."""
    return finished / "results/report/index.html"


def go(browser: Browser, target: str) -> None:
    browser.run(f"location.hash = {json.dumps(target)}; new Promise((done) => setTimeout(done, 60))")


def shown(browser: Browser, what: str) -> list[str]:
    """List the ids of what can be seen."""
    found = f"[...document.querySelectorAll({json.dumps(what)})].filter((one) => one.checkVisibility())"
    return list(browser.run(f"{found}.map((one) => one.id)"))


# --- the first screen -----------------------------------------------------------------------------------------------

BEFORE = """(() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let words = 0;
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    if (!text.parentElement.checkVisibility() || text.parentElement.closest(".unseen, .skip, .tabs, script")) continue;
    if (text.parentElement.matches(".up, .down, :is(.up, .down) *")) return words;
    words += text.textContent.split(/\\s+/).filter(Boolean).length;
  }
  return words;
})()"""


@pytest.mark.parametrize(("width", "height", "most"), [(1400, 900, 200), (360, 780, 600)])
def test_the_first_effect_size_and_the_front_figure_are_in_the_first_screen(
    browser: Browser, shipped: Path, width: int, height: int, most: int
) -> None:
    browser.open(shipped, width=width, height=height)
    assert browser.run(BEFORE) <= 57 and shown(browser, "h1") == ["headline"]
    top, said = (
        browser.run(
            f"[...document.querySelectorAll('.front {what}')].find((one) => one.checkVisibility())"
            ".getBoundingClientRect().top"
        )
        for what in ("figure svg", ".said p:not(.subtitle)")
    )
    assert top < most and said < height / 2
    assert width > 1000 or said < top


def test_the_front_figure_is_read_without_scrolling_sideways(browser: Browser, shipped: Path) -> None:
    browser.open(shipped, width=360, height=780)
    boxes = "[...document.querySelectorAll('.front .drawing')].filter((one) => one.checkVisibility())"
    assert browser.run(f"{boxes}.map((one) => one.scrollWidth - one.clientWidth)") == [0]
    sizes = f"{boxes}.flatMap((one) => [...one.querySelectorAll('text')]).map((one) => one.getBoundingClientRect())"
    # 8 pt are 10.7 px.
    assert browser.run(f"Math.min(...{sizes}.map((box) => box.height))") > 9


def test_the_page_is_light_and_its_captions_are_short(browser: Browser, shipped: Path) -> None:
    assert shipped.stat().st_size < 3_000_000
    browser.open(shipped)
    captions = browser.run("[...document.querySelectorAll('figcaption bdi')].map((one) => one.textContent)")
    assert len(captions) > 15 and max(len(caption.split()) for caption in captions) <= 40
    ids = browser.run("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids)), "drawings share none"


def test_text_in_figures_has_the_width_that_it_was_drawn_with(browser: Browser, shipped: Path) -> None:
    browser.open(shipped)
    texts = browser.run(
        "[...document.querySelectorAll('.drawing text')].map((one) => one.getAttribute('textLength'))"
    )
    assert len(texts) > 1000 and all(texts)


# --- every width ----------------------------------------------------------------------------------------------------

OUTSIDE = """[...document.querySelectorAll("body *")]
  .filter((one) => !one.closest(".scroll, .drawing, .tabs, .unseen, .skip") && one.checkVisibility())
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("report", REPORTS)
def test_nothing_is_wider_than_the_window_and_nothing_is_asked_for(
    browser: Browser, report: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(report)
    for width in WIDTHS:
        browser.open(path, width=width)
        for panel in browser.run("[...document.querySelectorAll('.panel')].map((one) => one.id)"):
            go(browser, panel)
            assert browser.run("document.documentElement.scrollWidth") == width
            assert browser.run(OUTSIDE) == [], (width, panel)
        asked = [event["request"]["url"] for event in browser.said("Network.requestWillBeSent")]
        assert {url.partition("#")[0] for url in asked if not url.startswith("data:")} <= {path.as_uri()}
        assert browser.said("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded") == []


@pytest.mark.parametrize("name", ["long", "right to left", "emoji", "script"])
def test_hostile_labels_do_not_push_the_page_apart(browser: Browser, name: str, tmp_path: Path) -> None:
    assert name in HOSTILE
    browser.open(written(name, tmp_path), width=360)
    for panel in ("summary", "scales", "appendix"):
        go(browser, panel)
        assert browser.run("document.documentElement.scrollWidth") == 360
        assert browser.run(OUTSIDE) == []


# --- tabs -----------------------------------------------------------------------------------------------------------


def test_without_its_script_everything_is_shown(browser: Browser, page: Path) -> None:
    try:
        browser.show(page)
        seen = shown(browser, ".panel, figure, .table")
        assert seen == list(
            browser.run("[...document.querySelectorAll('.panel, figure, .table')].map((o) => o.id)")
        )
        assert shown(browser, "button, .metric, .told") == []
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_one_chapter_is_shown_and_a_link_opens_the_right_one(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert shown(browser, ".panel") == ["summary"]
    for target, panel in (
        ("planning", "appendix"),
        ("table-waves", "first"),
        ("figure-heat_map_1", "statements"),
    ):
        go(browser, target)
        assert shown(browser, ".panel") == [panel]
        place = browser.run(f"document.getElementById('{target}').getBoundingClientRect().top")
        assert -1 < place < 900, target
    selected = "[...document.querySelectorAll('[role=tab][aria-selected=true]')].map((one) => one.hash)"
    assert browser.run(selected) == ["#statements"]


def test_tabs_are_one_stop_and_arrows_go_from_one_to_the_next(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('[role=tab]').focus()")
    for key, panel in (
        ("ArrowRight", "first"),
        ("End", "appendix"),
        ("ArrowRight", "summary"),
        ("Home", "summary"),
    ):
        browser.press(key)
        assert (browser.run("document.activeElement.hash"), shown(browser, ".panel")) == (
            f"#{panel}",
            [panel],
        )
    assert browser.run("document.querySelectorAll('[role=tab][tabindex=\"0\"]').length") == 1
    browser.press("Tab")
    assert browser.run("document.activeElement.getAttribute('role')") != "tab"


def test_the_current_section_is_marked(browser: Browser, page: Path) -> None:
    browser.open(page)
    go(browser, "methods")
    links = browser.run("[...document.querySelectorAll('#methods > .within a')].map((one) => one.hash)")
    go(browser, links[-1][1:])
    browser.run("scrollTo(0, document.body.scrollHeight); new Promise((done) => setTimeout(done, 60))")
    current = "[...document.querySelectorAll('#methods .within [aria-current]')].map((one) => one.hash)"
    assert len(browser.run(current)) == 1 and browser.run(current) != links[:1]


# --- tables and figures -----------------------------------------------------------------------------------------------


def test_one_switch_changes_every_table_with_two_metrics(browser: Browser, page: Path) -> None:
    browser.open(page)
    go(browser, "scales")
    for unit in ("percent_favourable", "linear"):
        browser.run(f"document.querySelector('[name=metric][value={unit}]').click()")
        seen = browser.run(
            "[...document.querySelectorAll('[data-unit]:not([hidden])')].map((one) => one.dataset.unit)"
        )
        assert set(seen) == {unit} and len(seen) > 1
    go(browser, "table-change_percent_favourable")
    assert "table-change_percent_favourable" in shown(browser, ".table")
    go(browser, "methods")
    assert shown(browser, ".metric") == []


def test_changes_only_hides_the_rows_that_decide_nothing_and_all_brings_them_back(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    box = browser.run("document.querySelector('.table:has(.rows)').id")
    go(browser, box)
    rows = f"[...document.querySelectorAll('#{box} tbody tr')].filter((row) => row.querySelector('td'))"
    seen = f"{rows}.filter((row) => row.checkVisibility())"
    before = browser.run(f"{seen}.length")
    browser.run(f"document.querySelectorAll('#{box} .rows button')[1].click()")
    assert 0 < browser.run(f"{seen}.length") < before
    assert browser.run(f"{seen}.every((row) => row.querySelector('.up, .down'))")
    assert browser.run("document.querySelector('[role=status]').textContent").endswith("rows")
    browser.run(f"document.querySelectorAll('#{box} .rows button')[0].click()")
    assert browser.run(f"{seen}.length") == before


def test_marks_say_their_values_on_hover_and_by_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page)
    marks = "[...document.querySelectorAll('.front svg [role=img]')]"
    assert browser.run(f"{marks}.length") == 2
    browser.run(f"{marks}[0].focus()")
    value = (
        "(() => { const one = document.querySelector('.told'); return one.hidden ? '' : one.textContent; })()"
    )
    assert browser.run(value) == "first: 12"
    browser.press("ArrowRight")
    assert browser.run(value) == "second: 34"
    browser.press("Escape")
    assert browser.run(value) == ""
    browser.run(f"{marks}[0].dispatchEvent(new PointerEvent('pointerover', {{bubbles: true}}))")
    assert browser.run(value) == "first: 12"


def test_a_citation_and_a_table_are_copied(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.oncopy = () => { window.copied = getSelection().toString(); }")
    for what, said in (
        ("#figure-change_profile [data-copy]", "Figure 1 in: Staff survey"),
        ("[data-table=table-change_percent_favourable]", "Warmth"),
    ):
        go(browser, "scales" if "table" in what else "summary")
        browser.call(
            "Runtime.evaluate", expression=f"document.querySelector('{what}').click()", userGesture=True
        )
        assert said in browser.run("window.copied")
    assert browser.run("document.querySelector('[role=status]').textContent") == "Copied"


# --- screen readers, print --------------------------------------------------------------------------------------------

ALIKE = """document.querySelectorAll("tbody").forEach((body) => {
  const seen = new Set();
  [...body.rows].forEach((row) => {
    const looks = [...row.cells].map((cell) => `${cell.tagName} ${cell.className} ${cell.childElementCount}`).join();
    if (seen.has(looks)) row.remove();
    seen.add(looks);
  });
});
document.querySelectorAll("svg > *").forEach((part) => { if (!part.querySelector("[role]")) part.remove(); });"""
"""Takes out rows that look like one before, and what is only drawn: they would cost most of the time."""


@pytest.mark.parametrize(("report", "width"), [("page", 1400), ("shipped", 360)])
def test_axe_finds_nothing_that_keeps_anybody_out(
    browser: Browser, report: str, width: int, request: pytest.FixtureRequest
) -> None:
    browser.open(request.getfixturevalue(report), width=width)
    browser.run(ALIKE)
    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    browser.run(f"{axe}; 0")
    for panel in browser.run("[...document.querySelectorAll('.panel')].map((one) => one.id)"):
        go(browser, panel)
        # A chapter has no heading of the first level: that is the headline's, on the first.
        found: dict[str, Any] = browser.run(
            """axe.run(document, {resultTypes: ["violations"], rules: {"page-has-heading-one": {enabled: false}}})
            .then((done) => ({
              passed: done.passes.length,
              wrong: done.violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 120))]),
            }))"""
        )
        assert found["passed"] > 15 and found["wrong"] == [], panel


def test_print_shows_every_chapter_and_leaves_out_what_needs_a_screen(browser: Browser, page: Path) -> None:
    browser.open(page)
    try:
        browser.call("Emulation.setEmulatedMedia", media="print")
        everything = "[...document.querySelectorAll('.panel, .table, figure')].map((one) => one.id)"
        assert shown(browser, ".panel, .table, figure") == list(browser.run(everything))
        assert shown(browser, ".bar, .within, .take, .rows, footer") == []
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")
