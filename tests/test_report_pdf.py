"""The PDF: all that the page says, set for print, whatever the study's words are."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html

from browser import needs
from surveywaves.catalogue import APPENDIX, SECTIONS
from surveywaves.report import render, typeset
from surveywaves.report.build import Report, Shown
from surveywaves.tables.layout import Cell, Column, Table
from synthetic_report import (
    HOSTILE,
    PLAIN,
    STUDIES,
    TEMPLATES,
    report_named,
    report_of,
)

needs_poppler = needs(shutil.which("pdftotext"), "poppler-utils")

SHOWN = (PLAIN, "one wave", "observed", "typst", "latex", "markdown")


class Papers(dict[str, Path]):
    """The papers of made-up studies, each set when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __missing__(self, name: str) -> Path:
        self[name] = self.folder / f"{len(self)}.pdf"
        self[name].write_bytes(typeset(report_named(name), templates=TEMPLATES))
        return self[name]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


def pdftotext(paper: Path, *options: str) -> str:
    done = subprocess.run(["pdftotext", *options, paper, "-"], capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def bare(text: str) -> str:
    """Leave what is seen of a text: no white space, no signs of direction, nothing that only allows a break."""
    return re.sub("[\\s\u00ad\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\u2010\u2011-]", "", text)


# --- the same as the page -------------------------------------------------------------------------------------------


@needs_poppler
@pytest.mark.parametrize("name", SHOWN)
def test_what_the_page_says_can_be_read_in_the_pdf(papers, name: str) -> None:
    tree = html.document_fromstring(render(report_named(name), templates=TEMPLATES))
    for left in tree.xpath(
        "//*[@class='take'] | //a[@class='anchor'] | //nav | //svg | //*[@class='unseen'] | //sup"
    ):
        left.drop_tree()
    paper = bare(pdftotext(papers[name], "-raw"))
    texts = {
        bare(one.text_content())
        for one in tree.xpath("//main//p | //main//li | //main//h2 | //main//h3 | //td")
    }
    absent = [text for text in texts if text and text[:60] not in paper and text[-20:] not in paper]
    # A line or two that goes over a page or a column reads otherwise.
    assert len(texts) > 100 and len(absent) <= len(texts) // 50, absent


@needs_poppler
def test_figures_and_tables_have_the_same_numbers_on_the_screen_and_on_paper(papers) -> None:
    paper = pdftotext(papers[PLAIN], "-raw")
    numbered = [one for one in report_named(PLAIN).shown.values() if one.number]
    assert [one.label for one in numbered if f"{one.label}. " not in paper] == []


@needs_poppler
@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"script", "attribute", "formula"}))
def test_hostile_words_are_set_as_words(papers, name: str) -> None:
    paper = papers[name]
    if name not in {"right to left", "emoji", "unseen"}:
        assert bare(HOSTILE[name])[:60] in bare(pdftotext(paper, "-raw"))


@needs_poppler
def test_the_first_page_says_what_was_found_and_every_page_that_the_data_are_invented(papers) -> None:
    pages = pdftotext(papers[PLAIN]).rstrip("\f").split("\f")
    assert bare(report_named(PLAIN).headline) in bare(pages[0]) and "Figure 1." in pages[0]
    assert "Demonstration" in pages[0] and all("DEMONSTRATION DATA" in page for page in pages[1:])
    assert "DEMONSTRATION" not in pdftotext(papers["observed"]).upper()


@needs_poppler
def test_every_page_has_its_number_and_how_many_there_are(papers) -> None:
    pages = pdftotext(papers[PLAIN]).rstrip("\f").split("\f")
    assert all(f"{place} / {len(pages)}" in page for place, page in enumerate(pages, 1)) and len(pages) > 8


def test_the_same_report_gives_the_same_bytes_and_no_place_of_the_machine(papers, tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "elsewhere")
    again = typeset(report_of(STUDIES[PLAIN]), templates=tmp_path / "elsewhere")
    assert again == papers[PLAIN].read_bytes()
    assert not re.search(rb"/tmp/|/home/|/root/|CreationDate", again)


def test_the_pdf_is_tagged_and_says_its_title_and_language(papers) -> None:
    content = papers[PLAIN].read_bytes()
    assert b"/StructTreeRoot" in content and b"/Marked true" in content and b"/Lang" in content
    assert b"pdfuaid:part>1<" in content.replace(b"\n", b"") and b"/Title" in content


# --- how it lies on the page -----------------------------------------------------------------------------------------


def words_of(paper: Path) -> Iterator[tuple[float, float, list[tuple[float, ...]]]]:
    """Go through pages: width, height, and the boxes of words (left, top, right, low)."""
    tree = etree.fromstring(pdftotext(paper, "-bbox").encode(), etree.XMLParser(recover=True))
    for page in tree.iter("{*}page"):
        boxes = [
            tuple(float(word.get(side)) for side in ("xMin", "yMin", "xMax", "yMax"))
            for word in page.iter("{*}word")
            if word.text and bare(word.text)
        ]
        yield float(page.get("width")), float(page.get("height")), boxes


def overlapping(boxes: list[tuple[float, ...]]) -> Iterator[tuple[Any, Any]]:
    """Go through the pairs of words that cover a good part of each other."""
    ordered = sorted(boxes)
    for place, (left, top, right, low) in enumerate(ordered):
        for x0, y0, x1, y1 in ordered[place + 1 :]:
            if x0 >= right - 1.5:
                break
            if min(low, y1) - max(top, y0) > 0.6 * min(low - top, y1 - y0) and min(right, x1) - x0 > 1.5:
                yield (left, top, right, low), (x0, y0, x1, y1)


@needs_poppler
@pytest.mark.parametrize("name", [PLAIN, "one wave", "long", "typst", "emoji"])
def test_no_word_leaves_its_page_and_none_lies_on_another(papers, name: str) -> None:
    for wide, high, boxes in words_of(papers[name]):
        assert all(x0 > 40 and x1 < wide - 40 and y0 > 20 and y1 < high - 20 for x0, y0, x1, y1 in boxes)
        assert list(overlapping(boxes)) == []


@pytest.fixture(scope="module")
def shipped(finished: Path) -> Path:
    """The paper of the shipped study."""
    return finished / "results/report/report.pdf"


def parts_of(paper: Path) -> tuple[list[int], list[int]]:
    """Give the pages of the body and of the appendix."""
    pages = pdftotext(paper).rstrip("\f").split("\f")
    begins = re.compile(rf"^A {re.escape(SECTIONS[APPENDIX])}$", re.MULTILINE)
    start = next(place for place, page in enumerate(pages, 1) if place > 2 and begins.search(page))
    return list(range(1, start)), list(range(start, len(pages) + 1))


@needs_poppler
def test_the_body_and_the_appendix_are_as_long_as_somebody_reads(shipped: Path) -> None:
    body, back = map(len, parts_of(shipped))
    assert 18 <= body <= 24 and 15 <= back <= 28, (body, back)


@needs_poppler
@pytest.mark.parametrize("which", [pytest.param("shipped", marks=pytest.mark.slow), PLAIN])
def test_no_page_is_nearly_empty_but_the_last_of_body_and_appendix(
    which: str, papers, request: pytest.FixtureRequest
) -> None:
    paper = request.getfixturevalue("shipped") if which == "shipped" else papers[which]
    empty = set()
    for place, (_, high, boxes) in enumerate(words_of(paper), 1):
        foot = high - 52
        if max(low for *_, low in boxes if low < foot) - 62 < 0.2 * (foot - 62):
            empty.add(place)
    assert empty <= {part[-1] for part in parts_of(paper)}


@needs_poppler
@pytest.mark.parametrize("which", [pytest.param("shipped", marks=pytest.mark.slow), PLAIN])
def test_no_type_is_smaller_than_8_points_in_figures_and_9_elsewhere(
    which: str, papers, request: pytest.FixtureRequest
) -> None:
    paper = request.getfixturevalue("shipped") if which == "shipped" else papers[which]
    runs = list(pdf_sizes(paper))
    drawn = [run for run in runs if run[1] == DRAWN]
    assert all(size >= 8 for size, *_ in drawn) and (which == PLAIN or len(drawn) > 1000)
    # Only the letters of notes are raised, and smaller.
    small = {text for size, font, text in runs if font != DRAWN and size < 9}
    assert all(re.fullmatch(r"[a-z](,[a-z])*", text.strip()) for text in small), small


DRAWN = "DejaVuSans"
"""The font of figures, on paper that of nothing else but signs."""


def pdf_sizes(paper: Path) -> Iterator[tuple[float, str, str]]:
    """Give size in points, font and words of each run of text."""
    done = subprocess.run(
        ["pdftohtml", "-xml", "-i", "-stdout", "-zoom", "3", paper], capture_output=True, check=True
    )
    tree = etree.fromstring(done.stdout, etree.XMLParser(recover=True, huge_tree=True))
    fonts = {font.get("id"): font for font in tree.iter("fontspec")}
    for text in tree.iter("text"):
        font = fonts[text.get("font")]
        if words := "".join(text.itertext()).strip():
            yield float(font.get("size")) / 3, font.get("family").partition("+")[2], words


# --- tables ---------------------------------------------------------------------------------------------------------


def table_of(columns: int, rows: int, text: str = "+0.12 (0.01 to 0.23)", *, group: int = 0) -> Table:
    heads = [
        Column(f"C{place}", group=f"G{place // group}" if group else "", numeric=True)
        for place in range(columns)
    ]
    cells = tuple(Cell(text) for _ in range(columns))
    return Table(
        "made", "A title", (Column("Name"), *heads), tuple((Cell(f"Row {n}"), *cells) for n in range(rows))
    )


def paper_with(table: Table, folder: Path) -> Path:
    """Set a report with one table more: in the place of one that it has."""
    report = report_of(STUDIES[PLAIN])
    name = "table-waves"
    shown = dict(report.shown) | {name: Shown("table", "waves", "1", table.title, table=table)}
    paper = folder / "report.pdf"
    made = Report(
        **{**{field: getattr(report, field) for field in report.__dataclass_fields__}, "shown": shown}
    )
    paper.write_bytes(typeset(made, templates=TEMPLATES))
    return paper


@needs_poppler
@pytest.mark.parametrize(("columns", "turned"), [(3, False), (6, False), (9, True)])
def test_a_table_is_turned_only_where_its_numbers_need_it(columns: int, turned: bool, tmp_path: Path) -> None:
    paper = paper_with(table_of(columns, 5, "+0.12 (−0.012 to 0.234)"), tmp_path)
    with_last = [
        wide > high
        for (wide, high, _), page in zip(words_of(paper), pdftotext(paper).split("\f"), strict=False)
        if f"C{columns - 1}" in page.split()
    ]
    assert with_last == [turned]


@needs_poppler
def test_a_long_table_goes_over_pages_with_its_heads_and_without_losing_a_row(tmp_path: Path) -> None:
    paper = paper_with(table_of(4, 150), tmp_path)
    pages = [page for page in pdftotext(paper, "-layout").split("\f") if re.search(r"Row \d+ ", page)]
    assert len(pages) > 2 and all(re.search(r"Name +C0 +C1 +C2 +C3", page) for page in pages)
    assert [int(row) for row in re.findall(r"Row (\d+) ", "".join(pages))] == list(range(150))


@needs_poppler
def test_columns_that_no_page_holds_are_split_with_their_row_names_and_groups(tmp_path: Path) -> None:
    table = table_of(30, 2, "123456789", group=3)
    lines = pdftotext(paper_with(table, tmp_path), "-layout").splitlines()
    heads = [line.split() for line in lines if re.match(r" *Name +C\d", line)]
    assert len(heads) > 1 and [head for part in heads for head in part[1:]] == [f"C{n}" for n in range(30)]
    groups = [line.split() for line in lines if re.match(r" *G\d", line)]
    assert [3 * len(part) for part in groups] == [len(part) - 1 for part in heads]
    assert sum(line.split()[:2] == ["Row", "1"] for line in lines) == len(heads)


@needs_poppler
def test_a_table_with_nothing_in_it_is_set(tmp_path: Path) -> None:
    paper = paper_with(Table("made", "T", (Column("Name"), Column("Size", numeric=True)), ()), tmp_path)
    assert re.search(r"Name +Size", pdftotext(paper, "-layout"))


@needs_poppler
@pytest.mark.parametrize("word", ["endless" * 58, "a_very_long_variable_name_of_something", "x" * 400])
def test_a_long_word_is_broken_and_loses_no_letter(word: str, tmp_path: Path) -> None:
    table = Table("made", "A title", (Column("Name"), Column("More")), ((Cell(word), Cell("")),))
    paper = paper_with(table, tmp_path)
    assert bare(word) in bare(pdftotext(paper, "-raw"))
    assert all(x1 < wide - 40 for wide, _, boxes in words_of(paper) for _, _, x1, _ in boxes)
