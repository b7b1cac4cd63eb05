"""Which way a number reads: no statement that is scored the other way stands beside its number without the mark."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from lxml import etree, html

from browser import needs
from surveywaves.disclosure.digits import coarse_p
from surveywaves.study import load_study
from surveywaves.tables.publish.rows import SCORED
from surveywaves.words import REVERSED, REVERSED_MEANS

WORD = {"w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main"}
PDFTOTEXT = shutil.which("pdftotext")
STUDIES = ("shipped", "everyday_life")


def bare(text: str) -> str:
    """Letters, digits and the mark's brackets: what no form of writing breaks, escapes or hyphenates."""
    return re.sub(r"[^\w()]", "", text)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@dataclass(frozen=True)
class Done:
    """A finished study: its results, and its statements by name."""

    results: Path
    keyed: dict[str, str]
    wording: dict[str, str]

    @property
    def reversed(self) -> dict[str, str]:
        return {name: text for name, text in self.wording.items() if self.keyed[name] == "-"}

    def scored(self) -> Iterator[tuple[str, list[str]]]:
        """Names of the tables with numbers of statements that are scored, and the reversed statements in each."""
        for path in sorted((self.results / "tables").glob("*.csv")):
            rows = rows_of(path)
            names = {row.get("item", "") for row in rows} & set(self.reversed)
            if names and SCORED & set(rows[0]):
                yield path.stem, sorted(names)

    def unmarked(self, text: str, names: list[str]) -> list[str]:
        """Statements that stand somewhere in a text without their mark."""
        shown = bare(text)
        return [
            name
            for name in names
            if (words := bare(self.wording[name]))
            and shown.count(words) > shown.count(bare(REVERSED) + words)
        ]


@pytest.fixture(params=STUDIES)
def done(request: pytest.FixtureRequest, whole_run: Callable[[str], Path]) -> Done:
    folder = whole_run(request.param)
    items = load_study(folder / "config").items
    return Done(
        folder / "results",
        {item.item: item.keyed for item in items},
        {item.item: item.text for item in items},
    )


def test_every_csv_with_items_says_how_each_is_keyed(done: Done) -> None:
    seen = 0
    for part in ("released", "figures", "tables"):
        for path in sorted((done.results / part).glob("*.csv")):
            rows = rows_of(path)
            if not rows or "item" not in rows[0]:
                continue
            names = list(rows[0])
            assert names[names.index("item") + 1].startswith(("keyed", "item_label")), path
            assert all(row["keyed"] == done.keyed.get(row["item"], "") for row in rows), path
            seen += len(rows)
    codebook = rows_of(done.results / "exports/codebook.csv")
    assert {row["variable"]: row["keyed"] for row in codebook if row["kind"] == "item"} == done.keyed
    assert seen > 1000


def test_statements_in_tables_as_csv_are_marked_where_their_number_is_scored(done: Done) -> None:
    for path in sorted((done.results / "tables").glob("*.csv")):
        rows = [row for row in rows_of(path) if row.get("item") and "item_label" in row]
        scored = bool(rows) and bool(SCORED & set(rows[0]))
        for row in rows:
            mark = f"{REVERSED} " if scored and row["keyed"] == "-" else ""
            assert row["item_label"] == mark + done.wording[row["item"]], path


def test_no_table_to_paste_has_a_scored_statement_without_its_mark(done: Done) -> None:
    tables = dict(done.scored())
    assert "statements" in tables
    for name, statements in tables.items():
        path = done.results / "tables" / name
        with zipfile.ZipFile(path.with_suffix(".docx")) as document:
            body = etree.fromstring(document.read("word/document.xml"))
        cells = ["".join(cell.itertext()) for cell in body.iterfind(".//w:tc", WORD)]
        page = html.fromstring(path.with_suffix(".html").read_bytes())
        written = {
            "docx": "\n".join(cells),
            "html": page.text_content(),
            "tex": path.with_suffix(".tex").read_text(encoding="utf-8"),
        }
        for form, text in written.items():
            assert not done.unmarked(text, statements), (name, form)
        if bare(REVERSED) in bare(written["docx"]):
            assert bare(REVERSED_MEANS) in bare("".join(body.itertext())), name


def test_the_report_marks_what_it_scores(done: Done) -> None:
    page = html.fromstring((done.results / "report/index.html").read_bytes())
    looked = 0
    for name, statements in done.scored():
        for table in page.xpath(f"//*[@id='table-{name}']//table"):
            looked += 1
            assert not done.unmarked(table.text_content(), statements), name
    assert looked


@needs(PDFTOTEXT, "poppler-utils")
def test_the_report_on_paper_marks_what_it_scores(done: Done) -> None:
    paper = done.results / "report/report.pdf"
    told = subprocess.run([str(PDFTOTEXT), "-raw", str(paper), "-"], capture_output=True, check=True)
    text = bare(told.stdout.decode())
    shown = {name for _, names in done.scored() for name in names}
    assert shown == set(done.reversed)
    for name in shown:
        assert bare(REVERSED) + bare(done.wording[name])[:20] in text, name


def test_figures_mark_what_they_score(done: Done) -> None:
    seen = set()
    for path in sorted((done.results / "figures").glob("*.csv")):
        names = {row["item"] for row in rows_of(path) if row.get("keyed") == "-"}
        shown = bare("".join(etree.parse(path.with_suffix(".svg")).getroot().itertext()))
        for name in names:
            start = bare(done.wording[name])[:20]
            assert shown.count(start) == shown.count(bare(REVERSED) + start), (path.name, name)
            seen |= {name} if start in shown else set()
    assert seen == set(done.reversed)


def test_p_values_leave_with_two_figures_and_never_as_nothing() -> None:
    exact = np.array([0.0, 1e-9, 0.00099, 0.001, 0.00104, 0.001234, 0.0449, 0.0456, 0.2, 0.999, 1.0, np.nan])
    shown = [0.001, 0.001, 0.001, 0.0011, 0.0011, 0.0012, 0.045, 0.046, 0.2, 1.0, 1.0, np.nan]
    np.testing.assert_array_equal(coarse_p(exact), shown)
