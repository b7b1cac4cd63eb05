"""The catalogue is the one list: report and folder show the same tables; a figure takes a function and an entry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from lxml import html

from conftest import REPOSITORY, everyday_life, snakemake
from surveywaves.catalogue import FIGURE_FORMATS, FIGURES, SECTIONS, TABLES
from surveywaves.report import assemble
from surveywaves.report.material import TableBlock, walk
from surveywaves.tables.publish import publications
from surveywaves.words import Labels
from synthetic_report import captions, presentation, tables
from test_snakemake_report import json_after

MODULE = '''"""A figure that nobody thought of before."""

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import Page
from surveywaves.words import evidence_of


def unheard_of(rates, presentation):
    """Name the waves."""
    evidence = evidence_of(presentation, rates["wave"], "totals")
    page = Page(presentation.style)
    page.title("Unheard of")
    page.paragraph(", ".join(rates["wave"]))
    page.foot([], evidence)
    return Drawing(
        figure=page.finish(),
        rows=rates,
        title="Unheard of",
        caption=f"Unheard of. {evidence}",
        alt=f"Names. {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )
'''
ENTRY = '    Figure("unheard_of", "figures.unheard_of:unheard_of", ("response_rates",), "methods"),\n'


def test_report_and_folder_hold_the_same_tables_under_the_same_names() -> None:
    study = presentation()
    frames = tables(study)
    report = assemble(frames, captions({}), {}, study)
    blocks = [block for section in report.sections for block in walk(section.blocks)]
    shown = {block.table.name: block.table.title for block in blocks if isinstance(block, TableBlock)}
    assert shown == {one.name: one.table.title for one in publications(frames, Labels(study))}
    assert len(shown) > 50


def test_every_entry_stands_in_a_section_and_has_a_name_of_its_own() -> None:
    for exhibits in (FIGURES, TABLES):
        assert len({one.name for one in exhibits}) == len(exhibits)
        assert {one.place.partition("/")[0] for one in exhibits} <= set(SECTIONS)


@pytest.mark.slow
def test_a_figure_takes_one_function_and_one_entry(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for name in ("Snakefile", "environment.yml", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, code / name)
    for name in ("workflow", "profiles"):
        shutil.copytree(
            REPOSITORY / name, code / name, ignore=shutil.ignore_patterns("__pycache__", ".snakemake")
        )
    package = code / "workflow/surveywaves"
    (package / "figures/unheard_of.py").write_text(MODULE, encoding="utf-8")
    catalogue = package / "catalogue.py"
    begins = re.compile(r"^FIGURES: Final = \(\n", re.MULTILINE)
    text, count = begins.subn(lambda found: found[0] + ENTRY, catalogue.read_text(encoding="utf-8"))
    assert count == 1
    catalogue.write_text(text, encoding="utf-8")
    study = everyday_life(tmp_path / "study")
    run = snakemake(
        study, "results/report/index.html", "results/gallery/figures.md", code=code, PYTHONPATH=""
    )
    assert run.status == 0, run.said
    page = html.document_fromstring((study / "results/report/index.html").read_text(encoding="utf-8"))
    [figure] = page.xpath("//figure[@id='figure-unheard-of']")
    assert figure.xpath("ancestor::section[parent::main]/h2")[0].text_content() == SECTIONS["methods"]
    assert figure.xpath(".//a[@download='unheard_of.csv']"), "its rows can be taken away"
    assert "figures/unheard_of.svg" in (study / "results/gallery/figures.md").read_text(encoding="utf-8")
    rows = pd.read_csv(study / "results/figures/unheard_of.csv")
    assert list(rows["wave"]) == list(pd.read_csv(study / "results/released/response_rates.csv")["wave"])
    summary = snakemake(study, "--summary", "pinned", code=code, PYTHONPATH="").said
    assert {f"results/figures/unheard_of.{form}" for form in FIGURE_FORMATS} <= set(summary.split()), (
        "it is pinned"
    )
    traced = subprocess.run(
        [sys.executable, "-m", "surveywaves.cli", "trace", "figure", "unheard_of"],
        cwd=study,
        env={**os.environ, "PYTHONPATH": str(code / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert traced.returncode == 0, traced.stderr
    assert f"shows {len(rows)} rows of results/released/response_rates." in traced.stdout
    run = snakemake(
        study, "results/report/index.html", "--report", "results/report.zip", code=code, PYTHONPATH=""
    )
    assert run.status == 0, run.said
    with zipfile.ZipFile(study / "results/report.zip") as packed:
        page = packed.read("report/report.html").decode("utf-8")
    assert (
        "results/figures/unheard_of.svg"
        in json_after("var categories = ", page)["Figures"][SECTIONS["methods"]]
    )
