"""The report in a browser: offline, by mouse and by keyboard, for screen readers, on a telephone, in print."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_core_python
import pytest

from browser import Browser, needs_chromium
from test_report import PLAIN, STUDIES, page_of

pytestmark = needs_chromium

WIDTHS = (1400, 360)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of block, of a made-up study."""
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(page_of(STUDIES[PLAIN]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shipped(finished: Path) -> Path:
    """The report of the shipped study."""
    return finished / "results/report/index.html"


def quiet(browser: Browser, page: Path) -> None:
    """Fail if the page asked for anything but itself, or said anything on the console."""
    asked = [event["request"]["url"] for event in browser.said("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    said = browser.said("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert said == []


# --- offline ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_asks_for_nothing_and_says_nothing_on_the_console(
    browser: Browser, page: Path, width: int
) -> None:
    browser.open(page, width=width)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    browser.run("window.scrollTo(0, document.body.scrollHeight)")
    assert browser.run("document.querySelectorAll('th button').length") > 20, "the page's own script runs"
    quiet(browser, page)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_shipped_report_asks_for_nothing_and_fits_the_window(
    browser: Browser, shipped: Path, width: int
) -> None:
    browser.open(shipped, width=width)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    quiet(browser, shipped)
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run(OUTSIDE) == []


def test_without_its_script_the_page_shows_every_table_and_figure(browser: Browser, page: Path) -> None:
    try:
        browser.show(page)
        nodes = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        for kind in ("table", "svg"):
            found = browser.call("DOM.querySelectorAll", nodeId=nodes, selector=f"main > section {kind}")
            first = browser.call("DOM.getBoxModel", nodeId=found["nodeIds"][0])["model"]
            assert first["height"] > 50
        buttons = browser.call("DOM.querySelectorAll", nodeId=nodes, selector="button, input")
        assert buttons["nodeIds"] == [], "nothing stands there that would do nothing"
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


# --- links ------------------------------------------------------------------------------------------------------


def test_every_link_of_the_contents_leads_to_what_it_names(browser: Browser, page: Path) -> None:
    browser.open(page)
    places = browser.run("[...document.querySelectorAll('nav a')].map((link) => link.hash)")
    assert len(places) > 15
    for place in places:
        top, says, named = browser.run(
            f"""(async () => {{
              const link = document.querySelector(`nav a[href="{place}"]`);
              document.documentElement.style.scrollBehavior = "auto";
              link.click();
              await new Promise((done) => setTimeout(done, 20));
              const target = document.getElementById(location.hash.slice(1));
              return [target.getBoundingClientRect().top, target.textContent, link.textContent];
            }})()"""
        )
        assert named in says
        end = browser.run("Math.ceil(scrollY + innerHeight) >= document.documentElement.scrollHeight")
        assert -1 <= top <= 60 or end, place


def test_a_link_into_a_closed_part_opens_it(browser: Browser, page: Path) -> None:
    browser.open(page)
    closed = browser.run("document.querySelector('main details:not([open]) .table').id")
    assert not browser.run(f"document.getElementById('{closed}').checkVisibility()")
    browser.run(f"location.hash = '#{closed}'; new Promise((done) => setTimeout(done, 50))")
    assert browser.run(f"document.getElementById('{closed}').checkVisibility()")


# --- tables -----------------------------------------------------------------------------------------------------

TABLE = "document.querySelector('.table:has(.find) table')"
ROWS = f"[...{TABLE}.tBodies[0].rows]"


def column(browser: Browser, place: int) -> list[str]:
    return browser.run(f"{ROWS}.map((row) => row.cells[{place}].dataset.v ?? row.cells[{place}].textContent)")


def click(browser: Browser, what: str) -> None:
    """Click where something is, as a hand would."""
    x, y = browser.run(
        f"(() => {{ const one = {what}; one.scrollIntoView({{block: 'center', behavior: 'instant'}});"
        "const box = one.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_table_sorts_up_down_and_back_by_mouse_and_by_keyboard(
    browser: Browser, page: Path, by: str
) -> None:
    browser.open(page)
    numeric = browser.run(f"[...{TABLE}.tHead.rows[0].cells].findIndex((head) => head.matches('.number'))")
    button = f"{TABLE}.tHead.rows[{TABLE}.tHead.rows.length - 1].cells[{numeric}].querySelector('button')"
    before = column(browser, numeric)
    found = []
    for _ in range(3):
        if by == "mouse":
            click(browser, button)
        else:
            browser.run(f"{button}.focus()")
            browser.press("Enter")
        said = browser.run(f"{button}.closest('th').getAttribute('aria-sort')")
        found.append((said, column(browser, numeric)))
    (up, upward), (down, downward), (neither, again) = found
    assert (up, down, neither) == ("ascending", "descending", None)
    values = sorted(float(text) for text in before if text)
    assert [float(text) for text in upward if text] == values
    assert [float(text) for text in downward if text] == values[::-1]
    assert not any(text for text in upward[len(values) :]), "what has no number comes last"
    assert again == before != upward


def test_a_table_shows_what_is_searched_for_and_says_how_much_that_is(browser: Browser, page: Path) -> None:
    browser.open(page)
    texts = browser.run(f"{ROWS}.map((row) => row.textContent.toLowerCase())")
    word = re.findall(r"[a-z]{4,}", texts[-1])[0]
    said = browser.run("document.querySelector('.find input').labels[0].textContent")
    assert said == "Search this table"
    click(browser, "document.querySelector('.find input')")
    browser.type(f"{word.upper()}")
    shown = browser.run(
        f"{ROWS}.filter((row) => row.checkVisibility()).map((row) => row.textContent.toLowerCase())"
    )
    assert shown == [text for text in texts if word in text]
    assert browser.run("document.querySelector('.find output').textContent") == (
        f"{len(shown)} of {len(texts)} rows"
    )
    browser.type(" nothing at all")
    assert browser.run(f"{ROWS}.filter((row) => row.checkVisibility()).length") == 0


# --- keyboard ---------------------------------------------------------------------------------------------------

STOPS = """(() => {
  const all = document.querySelectorAll("a[href], button, input, summary, [tabindex='0']");
  window.stops = [...all].filter((one) => one.checkVisibility() && one.tabIndex >= 0);
  window.reached = [];
  document.addEventListener("focusin", ({ target }) => {
    window.reached.push([window.stops.indexOf(target), getComputedStyle(target).outlineStyle]);
  });
  return window.stops.length;
})()"""


@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_key_reaches_everything_in_order_and_shows_where_it_is(
    browser: Browser, page: Path, width: int
) -> None:
    browser.open(page, width=width)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    stops = browser.run(STOPS)
    assert stops > 100
    for _ in range(stops):
        browser.press("Tab")
    reached = browser.run("window.reached")
    assert [place for place, _ in reached] == list(range(stops))
    assert [place for place, outline in reached if outline in {"none", ""}] == []


def test_the_first_key_offers_to_skip_to_the_report(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.press("Tab")
    assert browser.run("document.activeElement.textContent") == "Skip to the report"
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0
    browser.press("Enter")
    assert browser.run("document.activeElement.id") == "main"


def test_a_closed_part_opens_by_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('main details:not([open]) > summary').focus()")
    browser.press(" ")
    assert browser.run("document.activeElement.parentElement.open")


# --- screen readers ---------------------------------------------------------------------------------------------


ALIKE = """document.querySelectorAll("tbody").forEach((body) => {
  const seen = new Set();
  [...body.rows].forEach((row) => {
    const looks = [...row.cells].map((cell) => `${cell.tagName} ${cell.className} ${cell.childElementCount}`).join();
    if (seen.has(looks)) row.remove();
    seen.add(looks);
  });
});
document.querySelectorAll("svg[role=img]").forEach((drawing) => drawing.replaceChildren());"""
"""Takes out the rows that look like one before, and what is inside a drawing, which is one picture to a reader: they
would cost most of the time and say nothing new."""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", ["page", "shipped"])
def test_axe_finds_nothing_that_keeps_anybody_out(
    browser: Browser, report: str, width: int, request: pytest.FixtureRequest
) -> None:
    browser.open(request.getfixturevalue(report), width=width)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    browser.run(ALIKE)
    browser.run((Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8") + "; 0")
    found: dict[str, Any] = browser.run(
        """axe.run(document, {resultTypes: ["violations"]}).then((done) => ({
          passed: done.passes.length,
          wrong: done.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html.slice(0, 120))]),
        }))"""
    )
    assert found["passed"] > 20
    assert found["wrong"] == []


# --- every width ------------------------------------------------------------------------------------------------

OUTSIDE = """[...document.querySelectorAll("body *")]
  .filter((one) => !one.closest(".scroll, .unseen, .skip, svg") && one.checkVisibility())
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("width", [320, 360, 768, 1199, 1400, 2560])
def test_the_page_never_scrolls_sideways(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.run("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    assert browser.run(OUTSIDE) == []


@pytest.mark.parametrize("name", ["long", "right to left", "emoji", "script"])
def test_hostile_labels_do_not_push_the_page_apart_either(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "index.html"
    path.write_text(page_of(STUDIES[name]), encoding="utf-8")
    browser.open(path, width=360)
    quiet(browser, path)
    assert browser.run("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("width", WIDTHS)
def test_the_warning_is_in_the_first_window(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width, height=800)
    top, bottom = browser.run(
        "(() => { const box = document.querySelector('#evidence p').getBoundingClientRect();"
        " return [box.top, box.bottom]; })()"
    )
    assert 0 < top < bottom < 800


def test_the_page_glides_only_for_those_who_have_nothing_against_it(browser: Browser, page: Path) -> None:
    browser.open(page)
    how = "getComputedStyle(document.documentElement).scrollBehavior"
    found = []
    try:
        for value in ("no-preference", "reduce"):
            feature = {"name": "prefers-reduced-motion", "value": value}
            browser.call("Emulation.setEmulatedMedia", features=[feature])
            found.append(browser.run(how))
        moving = browser.run(
            "[...document.querySelectorAll('body *:not(svg *, td, tr)')].filter((one) => {"
            " const style = getComputedStyle(one);"
            " return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0; }).length"
        )
    finally:
        browser.call("Emulation.setEmulatedMedia", features=[])
    assert found == ["smooth", "auto"]
    assert moving == 0


# --- print ------------------------------------------------------------------------------------------------------


def test_print_shows_every_part_and_leaves_out_what_needs_a_screen(browser: Browser, page: Path) -> None:
    browser.open(page)
    is_open = "[...document.querySelectorAll('main details')].map((part) => part.open)"
    before = browser.run(is_open)
    assert not any(before)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        browser.run("dispatchEvent(new Event('beforeprint'))")
        assert all(browser.run(is_open))
        for gone in ("nav", ".find", ".download", ".skip"):
            assert not browser.run(f"document.querySelector('{gone}').checkVisibility()"), gone
        assert browser.run("document.querySelector('#evidence').checkVisibility()")
        browser.run("dispatchEvent(new Event('afterprint'))")
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")
    assert browser.run(is_open) == before
    paper = base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert paper.startswith(b"%PDF") and browser.run(is_open) == before
