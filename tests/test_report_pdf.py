"""The report on paper: the same words as on the screen, nothing cut, the same bytes, for everybody."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typst
from lxml import etree, html
from markupsafe import Markup

from browser import needs
from surveywaves.report import assemble, render, typeset
from surveywaves.report.material import Part, Report, Section, TableBlock
from surveywaves.report.typeset import TURNED, UPRIGHT, content, fonts, plain, runs, shape, width
from surveywaves.tables import Cell, Column, Table
from surveywaves.terms import Evidence
from synthetic_report import DISCLOSURE, SVG, TEMPLATES, captions, presentation, spoiled, tables

FIGURES = {
    "response": "Respondents",
    "likert_warmth": "Answers",
    "contrasts": "Scales",
}

HOSTILE = {
    "typst": '#panic("x") $x$ *a* _b_ `c` <d> @e [f] \\ ~ // /* "g" #{1} = - + --- ...',
    "html": "</title><script>alert('x')</script><img src=x onerror=alert(1)>",
    "formula": "=cmd|'/C calc'!A0",
    "right to left": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd (1)",
    "emoji": "👩🏽‍🔧 works 🧪",
    "unseen": "a\x00b\x0bc\ufffe\x9f",
    "long": "endless" * 58,
    "latex": "\\input{/etc/passwd} $x_1$ & % #",
}


def report_of(study: Any, **more: Any) -> Report:
    published = bool(study.citation)
    given = {
        "disclosure": DISCLOSURE,
        "limitations": "Few *answered* of `all`.\n\n## Who\n\n- people\n- **others**",
        "session": {"python": "3", "pandas": "3.1"},
    } | more
    return assemble(
        tables(study, published=published), captions(FIGURES), dict.fromkeys(FIGURES, SVG), study, **given
    )


PLAIN = "three waves, three organisations"
STUDIES: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "one wave": {"waves": 1},
    "observed": {"evidence": (Evidence.OBSERVED,) * 3},
} | {name: {"words": {"*": text}} for name, text in HOSTILE.items()}


@cache
def report_named(name: str) -> Report:
    """Put together the report of one of `STUDIES`, once and when a test asks for it."""
    return report_of(presentation(**STUDIES[name]))


class Papers(dict[str, Path]):
    """The reports on paper: each is set once, when a test asks for it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Path:
        self[name] = self.folder / f"{len(self)}.pdf"
        self[name].write_bytes(typeset(report_named(name), templates=TEMPLATES))
        return self[name]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


# --- the same words ---------------------------------------------------------------------------------------------

LIGATURES = {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}


def bare(text: str) -> str:
    """Take out of a text what may differ between screen and paper: space, places to break, directions."""
    text = re.sub("[\ufb00-\ufb04]", lambda found: LIGATURES[found[0]], text)
    return re.sub("[\\s\u00a0\u00ad\u200b-\u200f\u2060\u2066-\u2069\u202a-\u202e]", "", text)


def on_screen(page: str) -> list[str]:
    """List the texts of the page: headings, paragraphs, points, facts, captions, cells and notes."""
    tree = html.document_fromstring(page)
    for gone in tree.xpath(
        "//svg | //nav | //footer | //p[@class='download'] | //a[@class='skip'] | //sup"
        " | //thead//span[@class='unseen']"
    ):
        gone.drop_tree()
    kinds = ["h1", "h2", "h3", "h4", "summary", "p", "li", "dt", "dd", "th", "td"]
    found = tree.xpath("//body//*[" + " or ".join(f"self::{kind}" for kind in kinds) + "] | //caption/div")
    texts = [re.sub(r"^(Table|Figure) \d+\.|^Evidence: ", "", one.text_content().strip()) for one in found]
    return [text for text in map(bare, texts) if text]


def given(value: Any, key: str = "") -> Iterator[str]:
    """Go through the texts that the printer is given, in the order of the report; sentences whole."""
    if isinstance(value, str):
        if key not in {"kind", "tone", "svg", "alt", "marks", "short"}:
            yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from given(part, name)
    elif isinstance(value, list) and value and all(isinstance(part, tuple) for part in value):
        yield "".join(text for text, _ in value)
    elif isinstance(value, list):
        for part in value:
            yield from given(part, key)


@pytest.mark.parametrize("name", STUDIES)
def test_every_text_of_the_page_is_given_to_the_printer(name: str) -> None:
    report = report_named(name)
    paper = "\n".join(map(bare, given(content(report)))) + "\n" + "".join(map(bare, given(content(report))))
    screen = on_screen(render(report, templates=TEMPLATES))
    assert len(screen) > 300
    assert [text for text in screen if text not in paper] == []


@pytest.mark.parametrize("name", STUDIES)
def test_the_printer_is_given_nothing_that_is_not_on_the_page(name: str) -> None:
    report = report_named(name)
    page = html.document_fromstring(render(report, templates=TEMPLATES))
    spoken = [f"{abbr.text_content()}: {abbr.get('title')}" for abbr in page.xpath("//abbr[@title]")]
    screen = bare(page.text_content() + "".join(spoken) + "".join(page.xpath("//abbr/@title")))
    # What is said once above several rows stands in several columns of the page.
    parts = [part for text in given(content(report)) for part in text.split(" · ")]
    assert [text for text in map(bare, parts) if text not in screen] == []


PDFTOTEXT = shutil.which("pdftotext")
needs_poppler = needs(PDFTOTEXT, "poppler-utils")


def pdftotext(paper: Path, *options: str) -> str:
    if PDFTOTEXT is None:
        raise FileNotFoundError("no pdftotext here: apt-get install poppler-utils")
    command = [PDFTOTEXT, *options, str(paper), "-"]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode(
        "utf-8", "replace"
    )


@needs_poppler
@pytest.mark.parametrize("name", [PLAIN, "one wave", "observed", "typst", "html", "formula", "latex"])
def test_every_text_of_the_page_can_be_read_in_the_pdf(papers, name: str) -> None:
    report = report_named(name)
    pages = pdftotext(papers[name], "-raw").split("\f")
    # What stands above and below every page may stand in the middle of a note that goes over it.
    heads = "contains invented data, not findings|Observed data"
    edges = re.compile(rf"^Page \d+ of \d+$|^.+({heads})$", re.MULTILINE)
    paper = bare("".join(edges.sub("", page) for page in pages)).casefold()
    screen = on_screen(render(report, templates=TEMPLATES))
    assert [text for text in screen if text.casefold() not in paper] == []


@needs_poppler
def test_tables_and_figures_have_the_same_numbers_on_the_screen_and_on_paper(papers) -> None:
    report = report_named(PLAIN)
    page = html.document_fromstring(render(report, templates=TEMPLATES))
    numbered = [title.getparent().text_content() for title in page.xpath("//span[@class='number']")]
    paper = bare(pdftotext(papers[PLAIN], "-raw"))
    assert len(numbered) > 20
    assert [title for title in map(bare, numbered) if title not in paper] == []


@needs_poppler
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_in_tables_notes_and_captions_are_set_as_words(name: str, tmp_path: Path) -> None:
    text, study = HOSTILE[name], presentation()
    report = assemble(
        spoiled(tables(study), text),
        captions({"response": "G"}).assign(title=text, caption=text, alt=text, evidence=text),
        {"response": SVG},
        study,
        disclosure=text,
        limitations=text,
        session={text: text},
    )
    path = tmp_path / "report.pdf"
    path.write_bytes(typeset(report, templates=TEMPLATES))
    if name in {"typst", "html", "formula", "latex", "long"}:
        assert bare(pdftotext(path, "-raw")).count(bare(text)) > 3


# --- what the data are ------------------------------------------------------------------------------------------


@needs_poppler
def test_the_first_page_and_every_page_after_it_say_that_the_data_are_invented(papers) -> None:
    first, *others = pdftotext(papers[PLAIN]).rstrip("\f").split("\f")
    assert "DEMONSTRATION" in first and "Do not cite its numbers as findings." in " ".join(first.split())
    assert len(others) > 5
    assert all("Demonstration: contains invented data, not findings" in page for page in others)


@needs_poppler
@pytest.mark.parametrize("name", HOSTILE)
def test_no_title_pushes_the_warning_off_the_first_page(papers, name: str) -> None:
    first = pdftotext(papers[name], "-l", "1")
    assert "Do not cite its numbers as findings." in " ".join(first.split())


@needs_poppler
def test_paper_of_real_returns_does_not_cry_wolf(papers) -> None:
    text = pdftotext(papers["observed"])
    assert "All data in this report are real returns." in " ".join(text.split())
    assert "invented data" not in text and "DEMONSTRATION" not in text


@needs_poppler
def test_every_page_has_its_number_and_how_many_there_are(papers) -> None:
    pages = pdftotext(papers[PLAIN]).rstrip("\f").split("\f")
    assert [f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1)] == [True] * len(
        pages
    )


# --- the same bytes, for everybody ------------------------------------------------------------------------------


def test_the_same_report_gives_the_same_bytes_whenever_and_wherever(
    papers, monkeypatch, tmp_path: Path
) -> None:
    for name, value in {"TZ": "Pacific/Auckland", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "86400"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "elsewhere"))
    assert typeset(report_named(PLAIN), templates=templates) == papers[PLAIN].read_bytes()


def test_no_time_and_no_place_of_the_machine_get_in(papers) -> None:
    paper = papers[PLAIN].read_bytes()
    for told in (b"CreationDate", b"ModDate", b"CreateDate", b"/home/", b"/tmp/", b"/work/"):
        assert told not in paper


def test_the_pdf_is_tagged_and_says_its_title_and_language(papers) -> None:
    paper = papers[PLAIN].read_bytes()
    assert b"<pdfuaid:part>1</pdfuaid:part>" in paper
    assert b"/Marked true" in paper and b"/Lang(en)" in paper and b"/DisplayDocTitle true" in paper
    assert report_named(PLAIN).title.encode() in paper


# --- looked at by position --------------------------------------------------------------------------------------

FOOT = 841.89 - 20 / 25.4 * 72
"""Where the text of an upright page ends, in points."""


def set_out(report: Report) -> typst.Compiler:
    return typst.Compiler(
        str(TEMPLATES / "report.typ"),
        root=str(TEMPLATES),
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(content(report))},
    )


@pytest.fixture(scope="module")
def placed() -> typst.Compiler:
    return set_out(report_named(PLAIN))


def asked(compiler: typst.Compiler, selector: str, *fields: str) -> list[Any]:
    return json.loads(compiler.eval(f"query({selector}).map(it => ({', '.join(fields)},))"))


POSITION = ("it.location().page()", "it.location().position().y / 1pt")


def test_no_heading_and_no_title_of_a_table_ends_a_page(placed) -> None:
    headings = asked(placed, "heading", *POSITION)
    titles = asked(placed, "figure.caption.where(position: top)", *POSITION)
    assert len(headings) > 20 and len(titles) > 20
    assert [place for place in headings + titles if place[1] > FOOT - 40] == []


def test_no_figure_is_cut_and_every_figure_has_words_for_those_who_do_not_see_it(placed) -> None:
    images = asked(placed, "image", *POSITION, "it.height.length / 1pt", "it.alt")
    assert len(images) == len(FIGURES)
    for _, top, height, alt in images:
        assert top + height < FOOT
        assert alt.startswith("What ")


def test_a_figure_higher_than_a_page_is_made_smaller() -> None:
    high = SVG.replace('height="90pt"', 'height="2000pt"').replace("0 0 360 90", "0 0 360 2000")
    study = presentation(published=False)
    report = assemble(tables(study), captions({"response": "G"}), {"response": high}, study)
    [(_, top, height, width)] = asked(
        set_out(report), "image", *POSITION, "it.height.length / 1pt", "it.width.length / 1pt"
    )
    assert top + height < FOOT
    assert height / width == pytest.approx(2000 / 360, rel=0.01)


def test_headings_are_numbered_and_the_contents_list_has_their_pages(placed) -> None:
    outlined = asked(placed, "heading.where(outlined: true)", "it.level", "it.numbering")
    assert [section.title for section in report_named(PLAIN).sections]
    assert sum(level == 1 for level, _ in outlined) == len(report_named(PLAIN).sections)
    assert {numbering for _, numbering in outlined} == {"1.1"}
    assert all(after <= before + 1 for (before, _), (after, _) in pairwise(outlined))


@needs_poppler
@pytest.mark.parametrize("name", [PLAIN, "long", "typst", "emoji"])
def test_no_word_leaves_its_page_and_none_lies_on_another(papers, name: str) -> None:
    tree = etree.fromstring(pdftotext(papers[name], "-bbox").encode(), etree.XMLParser(recover=True))
    for page in tree.iter("{*}page"):
        wide, high = float(page.get("width")), float(page.get("height"))
        boxes = [
            tuple(float(word.get(side)) for side in ("xMin", "yMin", "xMax", "yMax"))
            for word in page.iter("{*}word")
            if word.text and word.text.strip("\u200b\u2068\u2069")
        ]
        assert all(
            left > 40 and right < wide - 40 and top > 20 and low < high - 20
            for left, top, right, low in boxes
        )
        assert list(overlapping(boxes)) == []


def overlapping(boxes: list[tuple[float, ...]]) -> Iterator[tuple[Any, Any]]:
    """Go through the pairs of words that cover a good part of each other."""
    ordered = sorted(boxes)
    for place, (left, top, right, low) in enumerate(ordered):
        for x0, y0, x1, y1 in ordered[place + 1 :]:
            if x0 >= right - 1.5:
                break
            if min(low, y1) - max(top, y0) > 0.6 * min(low - top, y1 - y0) and min(right, x1) - x0 > 1.5:
                yield (left, top, right, low), (x0, y0, x1, y1)


@dataclass(frozen=True)
class Laid:
    """A page of the shipped report: what its last line says, and how far down it is filled."""

    last: str
    filled: float


@pytest.fixture(scope="module")
def laid(finished: Path) -> list[Laid]:
    """The pages of the shipped report, without their heads and feet."""
    paper = finished / "results/report/report.pdf"
    lines = [
        [line for line in page.splitlines() if line.strip() and not re.match(r"Page \d+ of \d+$", line)]
        for page in pdftotext(paper, "-raw").rstrip("\f").split("\f")
    ]
    tree = etree.fromstring(pdftotext(paper, "-bbox").encode(), etree.XMLParser(recover=True))
    found = []
    for said, page in zip(lines, tree.iter("{*}page"), strict=True):
        high = float(page.get("height"))
        top, foot = 24 / 25.4 * 72, high - 20 / 25.4 * 72
        lows = [low for word in page.iter("{*}word") if (low := float(word.get("yMax"))) < foot]
        found.append(Laid(said[-1], (max(lows) - top) / (foot - top)))
    return found


@needs_poppler
def test_no_page_of_the_shipped_report_ends_with_a_heading_or_the_title_of_a_table(
    laid, finished: Path
) -> None:
    tree = html.document_fromstring((finished / "results/report/index.html").read_text(encoding="utf-8"))
    titles = tree.xpath("//main//h2 | //main//h3 | //main//h4 | //main//summary | //caption/div[1]")
    known = {bare(re.sub(r"^Table \d+\.", "", title.text_content().strip())) for title in titles}
    assert len(known) > 100
    ends = [bare(re.sub(r"^(Table \d+\.|[\d.]+ )", "", page.last)) for page in laid]
    assert [end for end in ends if end in known] == []


@needs_poppler
def test_no_page_of_the_shipped_report_is_nearly_empty(laid) -> None:
    filled = {number: page.filled for number, page in enumerate(laid, 1)}
    assert len(filled) > 50
    assert {number: share for number, share in filled.items() if share < 0.2} == {}


# --- tables -----------------------------------------------------------------------------------------------------


def table_of(columns: int, rows: int, text: str = "+0.12 (0.01 to 0.23)") -> Table:
    return Table(
        name="made",
        title="Made up",
        columns=(Column("Row"), *(Column(f"head{place}", numeric=True) for place in range(columns))),
        rows=tuple((Cell(f"row{row}"), *(Cell(text) for _ in range(columns))) for row in range(rows)),
    )


def with_table(table: Table) -> Report:
    section = Section("made", "Made up", (TableBlock(table),))
    return dataclasses.replace(report_named(PLAIN), sections=(section,))


@needs_poppler
def test_a_table_goes_over_pages_with_its_heads_and_without_losing_or_cutting_a_row(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(typeset(with_table(table_of(3, 300)), templates=TEMPLATES))
    pages = [page for page in pdftotext(path, "-layout").split("\f") if "row" in page]
    assert len(pages) > 3
    assert all(re.search("head0 +head1 +head2", page) for page in pages)
    seen = [int(row) for page in pages for row in re.findall(r"^ *row(\d+) ", page, re.MULTILINE)]
    assert seen == list(range(300))


@needs_poppler
def test_a_turned_table_leaves_no_few_rows_to_a_second_page(tmp_path: Path) -> None:
    path, listed = tmp_path / "turned.pdf", []
    for rows in range(16, 40, 2):
        assert shape(table_of(12, rows)).turned
        path.write_bytes(typeset(with_table(table_of(12, rows)), templates=TEMPLATES))
        pages = [
            len(re.findall(r"^ *row\d+ ", page, re.M)) for page in pdftotext(path, "-layout").split("\f")
        ]
        listed.append([count for count in pages if count])
    assert {len(counts) for counts in listed} == {1, 2}
    assert all(min(counts) > 4 for counts in listed), listed


def test_a_table_of_ordinary_size_stays_on_one_page_and_a_long_one_does_not() -> None:
    assert next(found(content(with_table(table_of(4, 12))), "table"))["whole"]
    assert not next(found(content(with_table(table_of(4, 100))), "table"))["whole"]


def found(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Go through the blocks of a kind."""
    if isinstance(value, Mapping):
        if value.get("kind") == kind:
            yield dict(value)
        for part in value.values():
            yield from found(part, kind)
    elif isinstance(value, list):
        for part in value:
            yield from found(part, kind)


def test_a_heading_goes_to_the_turned_page_of_its_table() -> None:
    wide = TableBlock(table_of(16, 3))
    inner = Part("Inner", (wide,))
    report = dataclasses.replace(report_named(PLAIN), sections=(Section("outer", "Outer", (wide, inner)),))
    compiler = set_out(report)
    headings = asked(compiler, "heading.where(outlined: true)", "it.location().page()")
    tables_on = asked(compiler, "figure.where(kind: table)", "it.location().page()")
    assert headings == tables_on and headings[0] != headings[1]


@needs_poppler
def test_the_notes_of_a_table_may_go_over_a_page_and_the_table_does_not(tmp_path: Path) -> None:
    rows = tuple((Cell(f"row{row}."), Cell("1", notes=(f"{row} why " * 90,))) for row in range(20))
    table = Table(name="made", title="T", columns=(Column("a"), Column("b", numeric=True)), rows=rows)
    path = tmp_path / "notes.pdf"
    path.write_bytes(typeset(with_table(table), templates=TEMPLATES))
    pages = [page for page in pdftotext(path, "-layout").split("\f") if "why" in page]
    assert len(pages) > 1
    assert all(f"row{row}." in pages[0] for row in range(20))


@pytest.mark.parametrize(("columns", "turned"), [(2, False), (6, False), (16, True)])
def test_a_table_takes_a_turned_page_only_where_its_words_need_one(columns: int, turned: bool) -> None:
    stands = shape(table_of(columns, 3))
    assert stands.turned == turned
    assert len(stands.widths) == columns + 1
    assert sum(stands.widths) <= (TURNED if turned else UPRIGHT) + 0.1


def test_the_type_of_a_table_is_as_large_as_its_words_allow() -> None:
    sizes = [shape(table_of(columns, 3)).size for columns in (2, 9, 11)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1]


def test_a_table_that_fits_nowhere_is_still_no_wider_than_a_page() -> None:
    assert sum(shape(table_of(90, 2)).widths) <= TURNED + 1


def test_no_column_is_narrower_than_its_longest_word_or_the_head_above_it() -> None:
    table = Table(
        name="made",
        title="",
        columns=(Column("Statement"), Column("n", "Extraordinarily", numeric=True), Column("note")),
        rows=((Cell("a " * 200), Cell("1"), Cell("incomprehensible words " * 9)),),
    )
    stands = shape(table)
    assert stands.widths[1] > stands.size * width("Extraordinarily")
    assert stands.widths[2] > stands.size * width("incomprehensible")


def test_a_row_about_the_same_says_so_once_and_keeps_its_notes() -> None:
    rows = tuple((Cell("same"), Cell(text), Cell("1", notes=("why",))) for text in ("printed", "recomputed"))
    table = Table(
        name="made",
        title="T",
        columns=(Column("a"), Column("b"), Column("c", numeric=True)),
        rows=rows,
        heads=2,
        flat=False,
    )
    given_rows = next(found(content(with_table(table)), "table"))["rows"]
    assert [row[0] for row in given_rows] == ["same", ""]
    assert [row[2]["marks"] for row in given_rows] == ["a", "a"]


def grouped(scales: int, waves: int, *, notes: tuple[str, ...] = ()) -> Table:
    rows = tuple(
        (Cell(f"scale {scale}", notes=notes), Cell(f"wave {wave}"), Cell("1"), Cell("2"))
        for scale in range(scales)
        for wave in range(waves)
    )
    heads = (Column("Scale"), Column("Wave"), Column("n", numeric=True), Column("m", numeric=True))
    return Table(name="made", title="T", columns=heads, rows=rows, heads=2)


def test_what_a_long_table_says_row_after_row_is_said_once_above_them() -> None:
    given_table = next(found(content(with_table(grouped(10, 6))), "table"))
    assert given_table["over"] == [[6 * scale, f"scale {scale}"] for scale in range(10)]
    assert given_table["heads"] == ["Wave", "n", "m"]
    assert [row[0] for row in given_table["rows"]] == [f"wave {wave}" for wave in range(6)] * 10


@pytest.mark.parametrize(
    "table",
    [
        grouped(3, 6),
        grouped(30, 1),
        grouped(10, 6, notes=("why",)),
        dataclasses.replace(grouped(10, 6), flat=False),
    ],
    ids=["short", "nothing twice", "a note would be lost", "already said once"],
)
def test_a_table_keeps_its_first_column_where_nothing_is_gained(table: Table) -> None:
    given_table = next(found(content(with_table(table)), "table"))
    assert given_table["over"] == [] and given_table["heads"][0] == "Scale"


@needs_poppler
def test_what_is_said_once_is_said_again_at_the_top_of_a_page(tmp_path: Path) -> None:
    path = tmp_path / "grouped.pdf"
    path.write_bytes(typeset(with_table(grouped(2, 150)), templates=TEMPLATES))
    pages = [page for page in pdftotext(path, "-layout").split("\f") if "wave 1" in page]
    assert len(pages) > 3
    assert all("scale 0" in page or "scale 1" in page for page in pages)


# --- sentences --------------------------------------------------------------------------------------------------


def test_emphasis_of_a_sentence_is_kept_and_its_numbers_are_words() -> None:
    text = Markup(
        '<strong>A <bdi>&lt;b&gt;</bdi></strong> has <data value="3">3</data> <em>o<b>r</b></em> <code>x</code>.'
    )
    assert runs(text) == [
        ("A <b>", "s"),
        (" has 3 ", ""),
        ("o", "e"),
        ("r", "es"),
        (" ", ""),
        ("x", "c"),
        (".", ""),
    ]


@pytest.mark.parametrize("text", ["<table>", "<script>x</script>", "<b>x", "x</b>", "<br>"])
def test_marks_that_paper_has_no_form_for_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"paper has no form|closes nothing|never closed"):
        runs(Markup(text))


def test_a_text_that_runs_the_other_way_turns_nothing_around_it() -> None:
    assert plain("\u202eevil") == "\u2068evil\u2069"
    assert plain("evil") == "evil"


@pytest.mark.parametrize("word", ["endless" * 58, "a_very_long_variable_name_of_something", "x" * 400])
def test_a_long_word_can_be_broken_and_loses_no_letter(word: str) -> None:
    pieces = plain(word).split("\u200b")
    assert "".join(pieces) == word
    assert max(map(len, pieces)) <= 24
