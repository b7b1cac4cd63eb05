"""Many organisations: the report counts and names the extremes, and each has a sheet of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from lxml import html

from browser import needs
from surveywaves.errors import SurveywavesError
from surveywaves.findings import main_pair
from surveywaves.report.build import LONGEST
from surveywaves.report.sections import sections
from surveywaves.report.sheets import HALF, sheets
from surveywaves.study.parts import Presentation
from synthetic_report import PLAIN, STUDIES, TEMPLATES, report_of, tables
from test_report_numbers import unfounded
from test_summary import DOWN, OPEN, SCALES, STILL, UP, line, material, plain, row, said

NAMES = tuple(f"unit{number:02}" for number in range(1, 21))


def many(**decisions: tuple[str, ...]):
    """Make a study of twenty: each organisation's change by scale, and its difference from all."""
    own = {name: decisions.get(name, STILL) for name in (*NAMES, "all")}
    made = material(own, organisations=NAMES)
    pair = main_pair(made.presentation)
    assert pair is not None
    apart = [
        row(
            "difference_in_differences",
            (scale, pair.contrast, f"{name} - all"),
            decision,
            8.0 if decision == UP else 1.0,
        )
        for name in NAMES
        for scale, decision in zip(SCALES, own[name], strict=True)
    ]
    contrasts = pd.concat([made.tables["contrasts"], pd.DataFrame(apart)], ignore_index=True)
    return type(made)({**made.tables, "contrasts": contrasts}, made.presentation)


def test_the_first_page_counts_organisations_and_names_the_extremes_alone() -> None:
    made = many(unit07=(UP, UP, OPEN, OPEN), unit11=(DOWN, OPEN, OPEN, OPEN), unit12=(UP, OPEN, OPEN, DOWN))
    text = said(made)
    assert (
        "3 of 20 organisations changed clearly on at least one scale: 2 rose on one or more, 2 fell on one or more."
        in text
    )
    assert "Largest rise: Warmth in Unit07" in text or re.search(
        r"Largest rise: .* in Unit07, 40\.2% →", text
    )
    assert re.search(r"Largest fall: .* in Unit11, 40\.2% → 28\.1%", text)
    assert "Unit07 changed differently from all respondents on two of four scales" in text
    assert set(re.findall(r"Unit\d\d", text)) <= {"Unit07", "Unit11", "Unit12"}
    assert re.search(r"(rose|fell) in two of 20 organisations", line(made))


def test_no_section_names_more_than_ten_organisations_and_every_number_is_found_again() -> None:
    made = many(**dict.fromkeys(NAMES[:15], (UP, DOWN, UP, DOWN)))
    for part in sections(made):
        assert len(set(re.findall(r"Unit\d\d", plain(part.text)))) <= 10, part.name
    assert unfounded(made) == []


def test_where_nothing_moved_one_sentence_says_so() -> None:
    assert "No clear change in any of 20 organisations on any of four scales." in said(many())
    one = said(many(unit03=(UP, OPEN, OPEN, OPEN)))
    assert "No clear change among all respondents on any of four scales." in one


def test_a_table_that_nobody_reads_through_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LONGEST == 100
    monkeypatch.setattr("surveywaves.report.build.LONGEST", 3)
    short = report_of(STUDIES[PLAIN])
    long = [one for one in short.shown.values() if one.table is not None and len(one.table.rows) > 3]
    assert long and all(one.number == "" for one in long)


# --- sheets ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made() -> tuple[dict[str, pd.DataFrame], Presentation, dict[str, bytes]]:
    study = STUDIES[PLAIN]
    frames = tables(study)
    return frames, study, dict(sheets(frames, study, templates=TEMPLATES))


def test_each_organisation_has_a_page_and_a_paper_and_all_are_listed(made) -> None:
    _, study, files = made
    names = list(study.organisations)
    assert set(files) == {f"{name}.{end}" for name in names for end in ("html", "pdf")} | {"index.html"}
    links = html.document_fromstring(files["index.html"]).xpath("//a/@href")
    assert [link for link in links if "#" not in link] == [
        f"{name}.{end}" for name in names for end in ("html", "pdf")
    ]


def test_levels_and_changes_on_a_sheet_are_those_released(made) -> None:
    frames, study, files = made
    pair = main_pair(study)
    assert pair is not None
    key = ["analysis", "term", "scale", "wave", "organisation"]
    level, change = frames["means"].set_index(key), frames["contrasts"].set_index(key)
    for name in study.organisations:
        lines = html.document_fromstring(files[f"{name}.html"]).xpath("//table")[0].xpath(".//tbody/tr")
        for scale, cells in zip(study.scales, (one.xpath("./td") for one in lines), strict=True):
            texts = [cell.text_content().strip() for cell in cells]
            for place, here in {0: (pair.last, "all"), 1: (pair.last, name), 3: (pair.first, name)}.items():
                known = level["estimate"].to_dict().get(("favourable", "percent_favourable", scale, *here))
                assert texts[place] in (("–", "[c]") if pd.isna(known) else (f"{known:.1f}",))
            own = change.loc[("favourable", "change_percent_favourable", scale, pair.contrast, name)]
            if not pd.isna(own["estimate"]):
                sign = {"increase": "▲ ", "decrease": "▼ ", "no_meaningful_change": "○ "}.get(
                    own["decision"], ""
                )
                assert texts[4].startswith(sign + f"{own['estimate']:+.1f}".replace("-", "−"))
                tone = {"increase": "up", "decrease": "down"}.get(own["decision"], "")
                assert cells[4].get("class").split() == ["num", *([tone] if tone else [])]


def test_a_sheet_loads_nothing_and_shows_no_more_statements_than_two_pages_hold(made) -> None:
    _, study, files = made
    for name in study.organisations:
        page = html.document_fromstring(files[f"{name}.html"])
        assert (
            page.xpath("//link[@href != 'data:,'] | //img | //@src") == []
            and len(page.xpath("//svg//circle")) > 1
        )
        assert len(page.xpath("//table")[-1].xpath(".//tbody/tr")) <= 2 * HALF


def test_the_same_tables_give_the_same_sheets(made) -> None:
    frames, study, files = made
    assert dict(sheets(frames, study, templates=TEMPLATES)) == files


@needs(shutil.which("pdfinfo"), "poppler-utils")
def test_a_sheet_has_two_tagged_pages_at_most(made, tmp_path: Path) -> None:
    _, study, files = made
    for name in study.organisations:
        paper = tmp_path / f"{name}.pdf"
        paper.write_bytes(files[f"{name}.pdf"])
        told = subprocess.run(["pdfinfo", paper], capture_output=True, check=True).stdout.decode()
        assert re.search(r"Pages: +[12]\n", told) and "/StructTreeRoot" in paper.read_bytes().decode(
            "latin-1"
        )


def test_a_study_of_one_organisation_has_no_sheets() -> None:
    study = STUDIES["one organisation"]
    with pytest.raises(SurveywavesError, match="there must be two"):
        list(sheets(tables(study), study, templates=TEMPLATES))
