"""The catalogue is the one list: report and folder show the same tables; a figure takes a function and an entry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from lxml import html

from runs import REPOSITORY, snakemake
from surveywaves.catalogue import FIGURE_FORMATS, FIGURES, SECTIONS, TABLES
from surveywaves.report import assemble, render
from surveywaves.tables.made import made
from surveywaves.words import Labels
from synthetic_report import TEMPLATES, captions, presentation, tables
from test_snakemake_report import json_after

MODULE = '''"""A figure that nobody thought of before."""

import pandas as pd
from matplotlib.figure import Figure

from surveywaves.figures.drawing import Drawing
from surveywaves.study.parts import Presentation


def unheard_of(rates: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the returns of each wave."""
    figure = Figure(figsize=(4, 3), layout="constrained")
    axes = figure.subplots()
    axes.barh([presentation.waves[name].title for name in rates["wave"]], rates["returns"].astype("float64"))
    return Drawing(figure, rates, "Unheard of", "Returns by wave.", "Bars.")
'''
ENTRY = '    Figure("unheard_of", "figures.unheard_of:unheard_of", ("response_rates",), "methods"),\n'


def test_report_and_folder_hold_the_same_tables_under_the_same_names() -> None:
    study = presentation()
    frames = tables(study)
    page = html.document_fromstring(render(assemble(frames, captions({}), {}, study), templates=TEMPLATES))
    named = {
        one.get("id", "").removeprefix("table-"): one for one in page.xpath("//*[starts-with(@id, 'table-')]")
    }
    own = {one.name for one, _ in made(frames, Labels(study))}
    assert own <= set(named)
    assert all(named[name].xpath(".//table") for name in own)
    assert len(own) > 20


def test_every_entry_stands_in_a_section_and_has_a_name_of_its_own() -> None:
    for exhibits in (FIGURES, TABLES):
        assert len({one.name for one in exhibits}) == len(exhibits)
        assert {one.place.partition("/")[0] for one in exhibits} <= set(SECTIONS)


def test_a_figure_takes_one_function_and_one_entry(whole_run: Callable[[str], Path], tmp_path: Path) -> None:
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
    study = Path(shutil.copytree(whole_run("everyday_life"), tmp_path / "study", symlinks=True))
    run = snakemake(
        study, "results/report/index.html", "results/gallery/figures.md", code=code, PYTHONPATH=""
    )
    assert run.status == 0, run.said
    page = html.document_fromstring((study / "results/report/index.html").read_text(encoding="utf-8"))
    [figure] = page.xpath("//*[@id='figure-unheard_of']")
    assert figure.xpath("ancestor::section")[-1].get("id") == "methods"
    assert page.xpath("//a[@href='../figures/unheard_of.csv']"), "its rows can be taken away"
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
