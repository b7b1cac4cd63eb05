"""The way from raw files to the report, run for real."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from drawn_raw import drawn_raw
from runs import REPOSITORY, snakemake

CopyOf = Callable[[str], Path]


def test_the_report_is_there_and_says_what_the_data_are(finished: Path) -> None:
    report = (finished / "results/report/index.html").read_text(encoding="utf-8")
    assert "reconstructed" in report
    assert "simulated" in report


def test_a_second_run_does_nothing(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished).said


def test_editing_the_palette_reruns_what_draws_and_the_report_only(copy_of: CopyOf) -> None:
    study = copy_of("palette")
    path = study / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "\nfigures:" in text, "the shipped study names its figure style"
    palette = '["#a6611b", "#dfc27d", "#d9d9d9", "#80cdc1", "#018571"]'
    path.write_text(re.sub(r"(?m)^  responses: *\[.*\]$", f"  responses: {palette}", text), encoding="utf-8")
    assert palette in path.read_text(encoding="utf-8")
    assert set(snakemake(study, "--dry-run").jobs) == {"figures", "qualitative", "report", "configuration"}


def test_records_chain_from_every_figure_to_the_raw_files(finished: Path) -> None:
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((finished / "results/logs").rglob("*.log"))
    ]
    made = {path: one["rule"] for one in records for path in one["outputs"]}
    sums = {path: sum_ for one in records for path, sum_ in one["outputs"].items()}
    given = {path: sum_ for one in records for path, sum_ in one["inputs"].items()}
    assert {path: sums.get(path, sum_) for path, sum_ in given.items()} == given
    assert {
        path
        for path in given
        if path not in made and not path.startswith(("config/", "resources/", "demo/raw/"))
    } == {path for path in given if "workflow/report/" in path}
    kept = {
        path.relative_to(finished).as_posix()
        for path in (finished / "results").rglob("*")
        if path.is_file() and "logs" not in path.parts and path.name != ".snakemake_timestamp"
    }
    assert kept == set(made)
    shown = [one for one in records if one["rule"] in {"figures", "tables", "report"}]
    assert len(shown) == 3
    for one in shown:
        unreleased = re.compile(r"results/(statistics|audit|harmonised|ingest|exports|disclosure)/")
        assert [path for path in one["inputs"] if unreleased.match(path)] == []


def test_item_frequencies_equal_the_settled_tables_in_every_cell(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settled = pd.read_csv(finished / "results/published/settled.tsv", sep="\t", dtype="str")
    items = pd.read_csv(finished / "config/items.tsv", sep="\t", dtype="str")
    frequencies = pd.read_parquet(finished / "results/statistics/item_frequencies.parquet")
    found = frequencies[(frequencies["wave"] == "phase1_2006") & (frequencies["organisation"] == "all")]
    found = found.set_index(["item", "response"])
    codes = {"sd": 1, "d": 2, "n": 3, "a": 4, "sa": 5}
    printed = items.dropna(subset=["published_table"]).merge(
        settled, left_on=["published_table", "published_row"], right_on=["table", "row"]
    )
    cells = [
        (
            int(found.loc[(row["item"], codes[row["category"]]), "n"]) == int(row["count"]),
            int(found.loc[(row["item"], codes[row["category"]]), "base"]) == int(row["base"]),
        )
        for row in printed.to_dict("records")
    ]
    with capsys.disabled():
        print(f"\n{sum(count for count, _ in cells)}/{len(cells)} published counts met, ", end="")
        print(f"{sum(base for _, base in cells) // 5}/{len(cells) // 5} bases")
    assert len(cells) == 61 * 5
    assert all(count and base for count, base in cells)


def test_professions_and_employers_equal_the_published_ones(finished: Path) -> None:
    respondents = pd.read_parquet(finished / "results/statistics/respondents.parquet")
    rows = respondents[(respondents["wave"] == "phase1_2006") & (respondents["organisation"] == "all")]
    professions = rows[(rows["variable"] == "profession") & (rows["level"] != "not_stated")]
    assert sorted(professions["n"]) == [0, 2, 5, 23, 26, 32, 32, 36, 53, 61]
    responses = pd.read_parquet(finished / "results/pooled/responses.parquet")
    phase1 = responses[responses["wave"] == "phase1_2006"]
    stated = phase1["organisation"].value_counts()
    assert len(phase1) == 389
    assert stated.sum() == 316
    assert round(100 * stated["nhs"] / 316) == 44


def test_the_cell_that_was_never_surveyed_has_no_number_anywhere(finished: Path) -> None:
    for table in ("reliability", "means", "contrasts"):
        rows = pd.read_parquet(finished / f"results/statistics/{table}.parquet")
        touched = rows[rows["wave"].str.contains("mori") & rows["organisation"].str.contains("nhs")]
        assert touched.empty == (table == "contrasts"), "contrasts list what there is"
        if touched.empty:
            continue
        assert set(touched["status"]) == {"not_estimable"}
        assert touched[["estimate", "std_error", "conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    frequencies = pd.read_parquet(finished / "results/statistics/item_frequencies.parquet")
    assert not ((frequencies["wave"] == "mori_baseline") & (frequencies["organisation"] == "nhs")).any()


@pytest.mark.slow
def test_an_environment_in_a_folder_with_a_blank_in_its_name_runs_the_workflow(tmp_path: Path) -> None:
    home = tmp_path / "a folder/.venv"
    venv.create(home, symlinks=True)
    (site,) = home.glob("lib/*/site-packages")
    (site / "all.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    study = drawn_raw(tmp_path / "study")
    command = [
        home / "bin/python",
        "-m",
        "snakemake",
        "--snakefile",
        REPOSITORY / "Snakefile",
        "--cores",
        "1",
    ]
    done = subprocess.run(
        [*command, "results/configuration.yaml"], cwd=study, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (study / "results/configuration.yaml").exists()
