"""`snakemake --report`: every result with its category, caption and labels, made without a network, harming nobody."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from browser import Browser, needs_chromium
from runs import snakemake

HOSTILE = "</script><script>window.harmed = 1</script>"
NOWHERE = "http://127.0.0.1:9"
"""Nobody answers there: whatever asks the network fails."""


@pytest.fixture(scope="module")
def unpacked(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snakemake's report of the shipped study under a hostile title, unpacked."""
    study = Path(shutil.copytree(finished, finished.with_name("snakemake_report"), symlinks=True))
    config = study / "config/config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"(?m)^title: .*$", f'title: "{HOSTILE}"', text), encoding="utf-8")
    run = snakemake(
        study,
        "--report",
        "results/report.zip",
        **dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), NOWHERE),
    )
    assert run.status == 0, run.said
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(study / "results/report.zip") as packed:
        packed.extractall(folder)
    return folder / "report"


def json_after(words: str, page: str) -> dict[str, Any]:
    """Read what the page's script sets to JSON: the results, path -> what is said of it; the categories."""
    _, found, rest = page.partition(f"{words}{{")
    assert found, f"the page has {words}"
    return dict(json.JSONDecoder().raw_decode(f"{{{rest}")[0])


@pytest.fixture(scope="module")
def listed(unpacked: Path) -> dict[str, Any]:
    return json_after("var results = ", (unpacked / "report.html").read_text(encoding="utf-8"))


def test_every_figure_and_the_report_are_there_with_labels_and_a_caption(listed, finished: Path) -> None:
    drawn = {f"results/figures/{path.name}" for path in (finished / "results/figures").glob("*.*")}
    assert drawn | {"results/report/index.html", "results/report/report.pdf"} <= set(listed)
    for path, about in listed.items():
        assert about["labels"], path
        assert len(about["caption"]) > 60, path


def test_captions_say_what_the_data_are(listed) -> None:
    for path in ("results/figures/change_profile.svg", "results/report/report.pdf"):
        caption = listed[path]["caption"]
        assert "SIMULATED" in caption and "RECONSTRUCTED" in caption and "Do not cite" in caption


def test_nothing_confidential_is_packed(unpacked: Path) -> None:
    packed = {path.name for path in unpacked.rglob("*") if path.is_file()}
    assert len(packed) > 50
    assert not any(name.endswith((".sav", ".dta", ".parquet")) or "responses" in name for name in packed)


@needs_chromium
def test_the_page_has_its_categories_loads_nothing_and_runs_no_label(
    unpacked: Path, finished: Path, tmp_path: Path
) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.open(unpacked / "report.html")
        found = browser.run(
            "Object.fromEntries(Object.entries(categories).map(([k, v]) => [k, Object.keys(v)]))"
        )
        harmed = browser.run("window.harmed ?? null")
        asked = [event["request"]["url"] for event in browser.said("Network.requestWillBeSent")]
    assert harmed is None
    assert {"Figures", "Report", "Tables"} <= set(found)
    page = html.parse(str(finished / "results/report/index.html"))
    sections = {" ".join(head.text_content().split()).strip("# ") for head in page.xpath("//main//h2")}
    assert {"Summary", "What people said", "Every statement"} <= set(found["Figures"])
    assert set(found["Figures"]) - {"All", "Summary"} <= sections, (
        "figures stand under the headings of the report"
    )
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
