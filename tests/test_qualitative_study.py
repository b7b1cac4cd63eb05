"""The description of coded material is checked with the rest of the study, and a study without any is as before."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runs import snakemake
from surveywaves.errors import StudyError
from surveywaves.pin.source import raw_files
from surveywaves.study import load_study
from surveywaves.study.models import Event
from surveywaves.study.parts import (
    ComparingPart,
    DescribingPart,
    MeasuringPart,
    Presentation,
    QualitativePart,
    QualitativeWords,
    ReleasingPart,
    SensitivityPart,
)

REPOSITORY = Path(__file__).parent.parent
OWN = ("qualitative.yaml", "codes.tsv", "themes.tsv")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shutil.copytree(REPOSITORY / "config", tmp_path / "config")


def mistakes(config: Path) -> list[str]:
    with pytest.raises(StudyError) as found:
        load_study(config)
    return [line.removeprefix(f"{config}/") for line in str(found.value).splitlines()]


def test_a_study_without_coded_material_is_as_before(config: Path) -> None:
    whole = load_study(config)
    for name in OWN:
        (config / name).unlink()
    bare = load_study(config)
    assert "qualitative" not in bare.model_dump()
    assert QualitativePart.of(bare) is None and QualitativeWords.of(bare) is None
    assert {**whole.model_dump(), "qualitative": None} == {**bare.model_dump(), "qualitative": None}
    for part in (DescribingPart, MeasuringPart, ComparingPart, SensitivityPart, ReleasingPart, Presentation):
        assert part.of(whole).model_dump_json() == part.of(bare).model_dump_json(), part
    assert "qualitative" not in Presentation.of(whole).model_dump_json(), (
        "the survey's figures do not depend on it"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "qualitative.yaml",
            "wave: phase1_2006",
            "wave: phase_one",
            "qualitative.yaml: stages.managers.wave: unknown wave",
        ),
        ("qualitative.yaml", r"sources: .*", "", "qualitative.yaml: sources: missing"),
        ("qualitative.yaml", r"^areas:", "areas:\n  nhs: The NHS", "areas: `nhs` has a meaning of its own"),
        (
            "qualitative.yaml",
            r"^areas:",
            "areas:\n  other: Others",
            "areas: `other` has a meaning of its own",
        ),
        ("qualitative.yaml", r"^groups:(\n .*)*", "", "observations: needs `groups` and `categories`"),
        (
            "qualitative.yaml",
            "evidence: simulated",
            "evidence: invented",
            "qualitative.yaml: evidence: input should be",
        ),
        ("qualitative.yaml", r"start: 2006-10-01", "start: 2007-10-01", "the stage ends before it starts"),
        (
            "qualitative.yaml",
            r"^segments:",
            "segmints:",
            "segmints: unknown key (hint: did you mean `segments`?)",
        ),
        (
            "codes.tsv",
            r"\tpay\t",
            "\tpey\t",
            "codes.tsv: code Pay and conditions: unknown theme `pey` (hint: did you mean",
        ),
        (
            "codes.tsv",
            "Vision/Clear\t",
            "Vision/Unclear\t",
            "codes.tsv: code: `Vision/Unclear` stands 2 times",
        ),
        ("codes.tsv", r"\tvision\t\+", "\tvision\tgood", "codes.tsv, row 6: tone:"),
        ("themes.tsv", "^pay\t", "vision\t", "themes.tsv: theme: `vision` stands 2 times"),
        (
            "themes.tsv",
            r"Commitment and ownership(?=\tLead)",
            "Commitment and ownerships",
            "`Commitment and ownerships` is nearly a word of scales.tsv (hint: did you mean `Commitment and",
        ),
    ],
)
def test_a_mistake_is_named(config: Path, file: str, old: str, new: str, said: str) -> None:
    text = (config / file).read_text(encoding="utf-8")
    changed, count = re.subn(old, new, text, count=1, flags=re.MULTILINE)
    assert count == 1
    (config / file).write_text(changed, encoding="utf-8")
    assert any(said in line for line in mistakes(config)), mistakes(config)


def test_mistakes_are_listed_with_those_of_the_survey(config: Path) -> None:
    for name, old, new in (
        ("config.yaml", "seed: ", "sead: "),
        ("codes.tsv", "Vision/Clear\tvision\t+", "Vision/Clear\t\tx"),
    ):
        text = (config / name).read_text(encoding="utf-8")
        (config / name).write_text(text.replace(old, new), encoding="utf-8")
    (config / "themes.tsv").unlink()
    files = {line.split(":")[0].split(",")[0] for line in mistakes(config)}
    assert {"config.yaml", "codes.tsv", "themes.tsv"} <= files


@pytest.mark.parametrize(
    ("date", "when"),
    [
        ("2007-09-14", "2007-09-14"), ("2007-09", "2007-09"), ("2007", "2007"), ("", ""),
        ("2007-01~", "about 2007-01"), ("2007~", "about 2007"),
    ],
)  # fmt: skip
def test_an_event_is_dated_as_far_as_its_date_is_known(date: str, when: str) -> None:
    event = Event.model_validate({"label": "x", "date": date})
    assert event.when == when
    assert Event.model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("date", ["2007-13", "about 2007", "14/09/2007", "2007-09-31", "~"])
def test_what_is_no_date_is_a_mistake(config: Path, date: str) -> None:
    with (config / "events.tsv").open("a", encoding="utf-8") as file:
        file.write(f"{date}\tSomething\t\n")
    assert any(line.startswith("events.tsv, row") and "date" in line for line in mistakes(config))


def test_a_full_date_is_dumped_as_before() -> None:
    event = Event.model_validate({"label": "x", "date": "2007-09-14", "source": "p. 1"})
    assert event.model_dump(mode="json") == {"date": "2007-09-14", "label": "x", "source": "p. 1"}


def test_a_clean_folder_gets_the_coded_material_and_a_pin_never_holds_it(config: Path) -> None:
    coded = load_study(config).qualitative
    assert coded is not None and set(coded.file.files) <= set(raw_files(load_study(config)))


@pytest.mark.slow
def test_adding_the_material_runs_its_own_jobs_and_the_report(copy_of: Callable[[str], Path]) -> None:
    study = copy_of("without coded material")
    aside = study.with_name("qualitative.yaml")
    shutil.move(study / "config/qualitative.yaml", aside)
    before = {
        path: path.read_bytes()
        for folder in ("released", "figures", "statistics", "tables")
        for path in (study / "results" / folder).rglob("*")
        if path.is_file()
    }
    assert snakemake(study).status == 0
    page = (study / "results/report/index.html").read_text(encoding="utf-8")
    assert "beside the survey" not in page and "qualitative" not in page
    gone = {path for path in before if not path.exists()}
    # Nothing of it lies among what everybody may see, where nobody looks after it any more.
    assert study / "results/released/themes.csv" in gone
    assert {path: path.read_bytes() for path in before.keys() - gone} == {
        path: content for path, content in before.items() if path not in gone
    }
    shutil.move(aside, study / "config/qualitative.yaml")
    assert snakemake(study, "--dry-run").jobs == {"configuration": 1, "qualitative": 1, "report": 1}
