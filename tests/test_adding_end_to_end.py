"""The second wave of the shipped study, brought in by describing it: nothing else moves."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import new_study
from runs import REPOSITORY, snakemake
from surveywaves.cli import main
from surveywaves.study.load import UNDECIDED, mistakes_of_wave

WAVE, LIKE = "phase2_2008", "phase1_2006"
EARLIER = ("mori_baseline", LIKE)
AFTER_THE_WAVES = {"pool", "describe", "measure", "compare", "figures", "report"}
BY_ITSELF = ("--until", "harmonise")
"""As far as a wave is read by itself. That its numbers stay what they were, a pin shows (`test_pin_end_to_end.py`)."""


def hashes(folder: Path, pattern: str = "**/*") -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob(pattern))
        if path.is_file() and "__pycache__" not in path.parts
    }


def study_without_the_wave(folder: Path, export: Path) -> Path:
    """The shipped study as it was before the second wave, with the export in a folder."""
    study = new_study(folder)
    shutil.rmtree(study / "config/waves" / WAVE)
    config = study / "config/config.yaml"
    text, count = re.subn(
        rf"^(waves: \[.*), {WAVE}\]", r"\1]", config.read_text(encoding="utf-8"), flags=re.M
    )
    assert count == 1
    config.write_text(text, encoding="utf-8")
    raw = study / "resources/raw/phase2"
    raw.mkdir(parents=True)
    shutil.copy(export, raw)
    return study


def answers(shipped: Path) -> dict[str, str]:
    """What a person knows who has the questionnaire at hand; here it is read from the shipped description."""
    wave = yaml.safe_load((shipped / "wave.yaml").read_text(encoding="utf-8"))
    known = {
        "title": wave["title"],
        "period": wave["period"],
        "population.size": "",
        "evidence": wave["evidence"],
        "layouts.web.coding": "codes_ascending",
        "organisation.columns.web": "Who is your employer?",
        "variables.profession.columns.web": "What is your professional group?",
        "variables.role.columns.web": "Which of these best describes your daily role?",
        "senior_management_4": "reworded",
    }
    sources = {"organisation": wave["organisation"]}
    sources |= {f"variables.{name}": source for name, source in wave["variables"].items()}
    for place, source in sources.items():
        known |= {f"{place}.map.{cell}": level for cell, level in source["map"].items()}
    return known


def decide(config: Path, known: dict[str, str]) -> int:
    """Go to the place of each open decision and write the answer there."""
    decisions = mistakes_of_wave(config, WAVE)
    for decision in decisions:
        assert decision.what == UNDECIDED
        path, place = re.split(r", (?:line|row) ", decision.where)
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        number = int(re.match(r"\d+", place)[0]) - 1
        if path.endswith(".yaml"):
            key = place.split(": ", 1)[1]
            lines[number], count = re.subn(r"'TODO.*?'(?=$| +#)", known[key], lines[number])
        else:
            cells = lines[number].split("\t")
            column = lines[0].split("\t").index(place.rsplit("column ", 1)[1])
            count = int(cells[column].startswith("TODO"))
            cells[column] = known[cells[0]]
            lines[number] = "\t".join(cells)
        assert count == 1, decision
        Path(path).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return len(decisions)


def test_a_wave_is_added_by_describing_it(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export = finished / "demo/raw" / WAVE / "surveymonkey_2008-06-03.xlsx"
    study = study_without_the_wave(finished.with_name("before"), export)
    first = snakemake(study, *BY_ITSELF)
    assert first.status == 0, first.said
    code, results = hashes(REPOSITORY / "workflow"), hashes(study / "results")

    monkeypatch.chdir(study)
    command = ["add-wave", str(Path("resources/raw/phase2") / export.name), "--wave", WAVE, "--like", LIKE]
    assert main([*command, "--enlist"]) == 0
    said = capsys.readouterr().out
    assert "59 items" in said
    assert "senior_management_4: reworded (91: “organisation’s” became “CHCP's”)" in said

    refused = snakemake(study, "--dry-run")
    assert refused.status != 0
    undecided = [line for line in refused.said.splitlines() if "still to decide" in line]
    assert len(undecided) == decide(Path("config"), answers(REPOSITORY / "config/waves" / WAVE)) == 20
    assert main(["check"]) == 0, capsys.readouterr().err

    jobs = snakemake(study, "--dry-run").jobs
    assert (jobs["ingest"], jobs["harmonise"]) == (1, 1)
    assert jobs.keys() >= AFTER_THE_WAVES
    second = snakemake(study, *BY_ITSELF)
    assert second.status == 0, second.said
    assert second.jobs == {"ingest": 1, "harmonise": 1}
    assert hashes(REPOSITORY / "workflow") == code

    now = hashes(study / "results")
    own = [name for name in results if Path(name).name.startswith(EARLIER) and "logs" not in Path(name).parts]
    assert len(own) == 2 * len(EARLIER) * 4  # ingest and harmonise: 4 files a wave each
    assert {name: now[name] for name in own} == {name: results[name] for name in own}

    # From the same answers on, the rest of the run is that of the shipped study.
    for part in (".parquet", ".missing.parquet"):
        drafted = pd.read_parquet(study / f"results/harmonised/{WAVE}{part}")
        shipped = pd.read_parquet(finished / f"results/harmonised/{WAVE}{part}")
        pd.testing.assert_frame_equal(drafted, shipped, check_exact=True)
