"""Tables to paste: HTML, Word, LaTeX, CSV and the workbook say the same, run nothing, and say what their data are."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator

import openpyxl
import pandas as pd
import pytest
from lxml import etree
from lxml import html as parsed

from surveywaves.catalogue import TABLE_FORMATS
from surveywaves.files import FORMULA
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.made import made
from surveywaves.tables.publish import files, html
from surveywaves.tables.publish.paper import papers, shape
from surveywaves.tables.publish.rows import SCORED
from surveywaves.terms import Evidence
from surveywaves.text import visible
from surveywaves.words import REVERSED, WITHHELD, Labels
from synthetic_report import presentation, spoiled, tables, withheld

WORD = {"w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main"}
HOSTILE = (
    "=cmd|' /C calc'!A0 <script>alert(1)</script> & {brace} \\input{x} $x_1^2$ 100% **b** [a](b) "
    "\x07\u202eover שלום 漢字 😀 \ue000up\ue001 r0 -- line\nbreak"
)


def bare(text: str) -> str:
    """Letters, digits and signs: what no form of writing breaks, escapes or hyphenates."""
    signs = text.replace("▴", "▲").replace("▾", "▼").replace("∘", "○").replace("-", "−").replace("–", "−")
    return re.sub("−+", "−", re.sub(r"[^\w().▲▼○−+<]", "", signs))


class Published:
    """All files of a study, and the tables that they hold."""

    def __init__(self, labels: Labels, frames: dict[str, pd.DataFrame]) -> None:
        self.labels = labels
        self.files = dict(files(frames, labels))
        self.tables = {one.name: table for one, table in made(frames, labels)}

    def grid(self, form: str, name: str) -> list[list[str]]:
        """The body of a table as the file has it: a list a row, of its cells."""
        content = self.files[f"{name}.{form}"]
        if form == "docx":
            return list(_word_rows(content))
        if form == "tex":
            return [[_latex_words(content.decode())]]
        rows = [list(row) for row in parsed.fromstring(content.decode()).iterfind(".//tbody/tr")]
        size = max(map(len, rows))
        # What names several rows is one cell beside all of them.
        missing = [0 if row[0].get("class") == "group" else size - len(row) for row in rows]
        return [
            [""] * gap + [bare(cell.text_content()) for cell in row]
            for gap, row in zip(missing, rows, strict=True)
        ]


def _word_rows(content: bytes) -> Iterator[list[str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as document:
        body = etree.fromstring(document.read("word/document.xml"))
    for row in body.iterfind(".//w:tr", WORD):
        if row.find(".//w:tblHeader", WORD) is None:
            yield [bare("".join(cell.itertext())) for cell in row.iterfind("w:tc", WORD)]


TEX = {
    r"$\blacktriangle$": "▲",
    r"$\blacktriangledown$": "▼",
    r"$\circ$": "○",
    r"\ensuremath{-}": "−",
    r"\textless": "<",
}
TEX |= {r"$\chi^2$": "χ²", r"$R^2$": "R²"}


def _latex_words(text: str) -> str:
    """The body of a table as LaTeX: its words, without commands."""
    body = text[text.index(r"\endlastfoot") : text.index(r"\end{longtable}")].removeprefix(r"\endlastfoot")
    body = re.sub(r"^\\multicolumn.*$", "", body, flags=re.MULTILINE)
    body = re.sub(r"\\multirow\{\d+\}", "", body)
    for written, sign in TEX.items():
        body = body.replace(written, sign)
    return bare(re.sub(r"\\[a-zA-Z]+", "", body))


def expected(table: Table) -> list[list[str]]:
    """The rows that every form must have: those of the table, and a row above each new section."""
    rows, above = [], None
    for number, cells in enumerate(table.rows):
        section = table.sections[number] if table.sections else ""
        begins = section and (number == 0 or section != table.sections[number - 1])
        if begins:
            rows.append([bare(visible(section))])
            above = None
        texts = [bare(visible(cell.text) + table.marks(cell)) for cell in cells]
        same = 0
        while above and same < table.heads - 1 and texts[same] == above[same]:
            same += 1
        rows.append(["" if place < same else text for place, text in enumerate(texts)])
        above = texts
    return rows


@pytest.fixture(scope="module", params=["plain", "withheld", "hostile"])
def published(request: pytest.FixtureRequest) -> Published:
    words = presentation(words={"*": HOSTILE} if request.param == "hostile" else None)
    frames = tables(words)
    if request.param == "withheld":
        frames = withheld(frames)
    if request.param == "hostile":
        frames = spoiled(frames, HOSTILE)
    return Published(Labels(words), frames)


@pytest.mark.parametrize("form", ["html", "docx", "tex"])
def test_every_form_says_the_same(published: Published, form: str) -> None:
    for name, table in published.tables.items():
        got, wanted = published.grid(form, name), expected(table)
        if form == "tex":
            assert got == [[bare("".join("".join(row) for row in wanted))]], name
        else:
            assert got == wanted, name


def test_every_form_says_title_heads_and_notes(published: Published) -> None:
    for name, table in published.tables.items():
        page_text = bare(parsed.fromstring(published.files[f"{name}.html"]).text_content())
        with zipfile.ZipFile(io.BytesIO(published.files[f"{name}.docx"])) as document:
            word = bare("".join(etree.fromstring(document.read("word/document.xml")).itertext()))
        said = [
            table.title,
            *table.notes,
            *table.footnotes,
            *(c.head for c in table.columns),
            *(g for g, _ in table.groups),
        ]
        for text in map(bare, map(visible, said)):
            assert text in page_text, (name, text)
            assert text in word, (name, text)


def test_the_csv_holds_every_number_that_is_printed(published: Published) -> None:
    for name, table in published.tables.items():
        if name in {"missing", "assumptions", "misprints", "waves"}:
            continue  # counted, or of the configuration
        rows = list(csv.reader(published.files[f"{name}.csv"].decode("utf-8-sig").splitlines()))
        known = set()
        for cell in (cell for row in rows[1:] for cell in row):
            try:
                known |= {round(float(cell), 6), round(100 * float(cell), 6)}
            except ValueError:
                continue
        for row in table.rows:
            for cell in row:
                if cell.value is not None and cell.value == cell.value and " of " not in cell.text:
                    assert round(cell.value, 6) in known, (name, cell)


def test_the_workbook_has_a_sheet_a_table_with_numbers_as_numbers(published: Published) -> None:
    book = openpyxl.load_workbook(io.BytesIO(published.files["tables.xlsx"]))
    assert len(book.sheetnames) == len(set(map(str.lower, book.sheetnames))) == len(published.tables)
    for sheet, table in zip(book, published.tables.values(), strict=True):
        assert sheet["A1"].value == visible(table.title)
        values = [cell.value for row in sheet.iter_rows(min_row=3) for cell in row if cell.value is not None]
        numbers = [value for value in values if isinstance(value, int | float)]
        for row in table.rows:
            for cell in row:
                alone = re.fullmatch(r"[▲▼○<]? ?[−+]?[\d,]*\.?\d+( \(.*\))?", cell.text)
                if cell.value is not None and cell.value == cell.value and alone:
                    assert any(abs(cell.value - number) < 1e-9 for number in numbers), (table.name, cell)
                elif cell.text:
                    assert any(bare(visible(cell.text)) in bare(str(value)) for value in values), (
                        table.name,
                        cell,
                    )


def test_a_spreadsheet_runs_nothing(published: Published) -> None:
    book = openpyxl.load_workbook(io.BytesIO(published.files["tables.xlsx"]))
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    quoted = [c for sheet in book for row in sheet.iter_rows() for c in row if str(c.value).startswith("=")]
    assert all(cell.quotePrefix for cell in quoted)
    for name, content in published.files.items():
        if name.endswith(".csv"):
            for row in csv.reader(content.decode("utf-8-sig").splitlines()):
                assert not [
                    cell
                    for cell in row
                    if cell.startswith(FORMULA) and not re.fullmatch(r"[+-][\d.e+-]*(inf)?", cell)
                ]


def test_a_page_runs_and_loads_nothing_and_no_label_is_markup(published: Published) -> None:
    for name, content in published.files.items():
        if name.endswith(".html"):
            tree = parsed.fromstring(content)
            assert not tree.xpath("//script | //img | //link | //@src | //@onclick"), name
            assert b"\xee\x80\x80" not in content, name
        if name.endswith(".tex"):
            assert b"\\input{x}" not in content, name


def test_words_of_tones_and_places_are_classes_and_scopes(published: Published) -> None:
    name = "change_percent_favourable"
    table = parsed.fromstring(html(published.tables[name]))
    assert table.tag == "table" and table.get("class") == "data"
    assert not table.xpath("//@style | //@id")
    assert {head.get("scope") for head in table.iterfind(".//th")} >= {"col", "colgroup", "row"}
    assert len(table.xpath("//tbody//th[@scope='row']")) == len(published.tables[name].rows)
    tones = {cell.tone for row in published.tables[name].rows for cell in row} & {"up", "down"}
    assert all(table.xpath(f"//td[contains(@class, '{tone}')]") for tone in tones)


def test_the_same_tables_give_the_same_bytes() -> None:
    words = presentation()
    first, second = (dict(files(tables(words), Labels(words))) for _ in range(2))
    assert first == second
    assert set(first) == {
        f"{name}.{form}"
        for name in {n.rpartition(".")[0] for n in first} - {"index", "tables"}
        for form in TABLE_FORMATS
    } | {"index.html", "tables.xlsx"}


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ((Evidence.OBSERVED,) * 3, ""),
        ((Evidence.SIMULATED,) * 3, "Demonstration: simulated data, not findings"),
        (
            (Evidence.SIMULATED, Evidence.RECONSTRUCTED, Evidence.OBSERVED),
            "Demonstration: reconstructed and simulated data, not findings",
        ),
    ],
)
def test_tables_to_paste_say_what_their_data_are(evidence: tuple[Evidence, ...], said: str) -> None:
    words = presentation(evidence=evidence)
    made_files = dict(files(tables(words), Labels(words)))
    for form in ("html", "tex"):
        text = made_files[f"waves.{form}"].decode()
        assert (said in text) if said else ("Demonstration" not in text)
    assert (said in made_files["index.html"].decode()) if said else True
    assert words.protection in made_files["statements.html"].decode()


def test_the_list_of_tables_links_every_file_in_the_order_of_the_report(published: Published) -> None:
    links = parsed.fromstring(published.files["index.html"]).xpath("//a/@href")
    assert links == [
        "tables.xlsx",
        *(f"{name}.{form}" for name in published.tables for form in TABLE_FORMATS),
    ]
    assert set(links) <= set(published.files)


# --- on paper -----------------------------------------------------------------------------------------------------


def wide(columns: int) -> Table:
    heads = (Column("Scale"), *(Column("Change (95% CI)", "A", numeric=True) for _ in range(columns)))
    cell = Cell("▲ +12.7 (5.3 to 20.1)", 12.7, (5.3, 20.1), ("Computed before rounding.",), "up")
    return Table("t", "Many", heads, ((Cell("Trust"), *[cell] * columns),))


def paper_of(table: Table) -> dict[str, bytes]:
    return {name.rpartition(".")[2]: content for name, content in papers([(table, "")])}


@pytest.mark.parametrize(("columns", "turned"), [(1, False), (3, False), (8, True)])
def test_a_wide_table_turns_its_page_in_word_and_latex(columns: int, turned: bool) -> None:
    table = wide(columns)
    written = paper_of(table)
    assert shape(table).turned == turned
    assert (rb"\begin{landscape}" in written["tex"]) == turned
    with zipfile.ZipFile(io.BytesIO(written["docx"])) as document:
        assert (b'w:orient="landscape"' in document.read("word/document.xml")) == turned


def test_word_repeats_ruled_heads_keeps_rows_whole_and_fills_the_page() -> None:
    with zipfile.ZipFile(io.BytesIO(paper_of(wide(3))["docx"])) as document:
        body = etree.fromstring(document.read("word/document.xml"))
        styles = etree.fromstring(document.read("word/styles.xml"))
        assert "1980-01-01" in document.read("docProps/core.xml").decode()
    rows = body.findall(".//w:tr", WORD)
    assert [row.find(".//w:tblHeader", WORD) is not None for row in rows] == [True, True, False]
    assert all(row.find("w:trPr/w:cantSplit", WORD) is not None for row in rows)
    assert all(
        cell.find("w:tcPr/w:tcBorders/w:bottom", WORD) is not None for cell in rows[1].iterfind("w:tc", WORD)
    )
    value = f"{{{WORD['w']}}}w"
    grid = sum(int(column.get(value)) for column in body.iterfind(".//w:gridCol", WORD))
    assert abs(grid - 9638) < 10 and abs(int(body.find(".//w:tblW", WORD).get(value)) - grid) < 10
    assert styles.find("w:docDefaults//w:sz", WORD).get(f"{{{WORD['w']}}}val") == "16"
    used = {one.get(f"{{{WORD['w']}}}val") for one in body.iterfind(".//w:pStyle", WORD)} | {"Table"}
    known = {style.get(f"{{{WORD['w']}}}styleId") for style in styles.iterfind("w:style", WORD)}
    assert used <= known  # LibreOffice takes a table with an unknown style for paragraphs


def test_latex_has_rules_sides_and_balanced_groups() -> None:
    text = paper_of(wide(3))["tex"].decode()
    assert text.count(r"\cmidrule(lr){2-4}") == 2 and r"\toprule" in text and r"\bottomrule" in text
    assert text.count(r">{\raggedleft\arraybackslash}p{") >= 3
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert r"$\blacktriangle$~+12.7 (5.3~to~20.1)" in text and "▲" not in text


def test_a_withheld_number_is_signed_in_the_csv_and_other_gaps_are_empty() -> None:
    words = presentation()
    rows = list(
        csv.DictReader(
            dict(files(withheld(tables(words)), Labels(words)))["change_linear.csv"]
            .decode("utf-8-sig")
            .splitlines()
        )
    )
    hidden = [row for row in rows if row["status"] == "withheld"]
    assert hidden and {row["estimate"] for row in hidden} == {WITHHELD}
    assert {row["estimate"] for row in rows if row["status"] == "not_estimable"} <= {""}


def test_a_csv_names_statements_with_their_mark_where_the_number_is_scored() -> None:
    words = presentation()
    made_files = dict(files(tables(words), Labels(words)))
    looked = 0
    for name, content in made_files.items():
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines())) if name.endswith(".csv") else []
        scored = bool(rows) and bool(SCORED & set(rows[0]))
        for row in (row for row in rows if row.get("item") and "item_label" in row):
            assert row["item_label"].startswith(REVERSED) == (scored and row["keyed"] == "-"), name
            looked += scored
    assert looked
