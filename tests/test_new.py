"""A study of one's own: what `surveywaves new` makes, what is left to fill in, and what its guard refuses."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
import yaml

from conftest import REPOSITORY
from situations import (
    ASKED,
    GROUPS,
    STATEMENTS,
    columns_of,
    decide,
    differences,
    run,
    truth,
    write_csv,
    write_sav,
)
from surveywaves.adding.first import first_study
from surveywaves.cli import main
from surveywaves.errors import SurveywavesError
from surveywaves.study import load_study

ANSWERS = "id,organisation,a,b\n1,x,Agree,Disagree\n2,x,Agree,Agree\n"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Git knows nothing of who runs the tests, nor of this repository; the command is on the path."""
    commands = tmp_path / "commands"
    commands.mkdir()
    command = commands / "surveywaves"
    package = f'PYTHONPATH="{REPOSITORY}/workflow"'
    command.write_text(
        f'#!/bin/sh\n{package} exec "{sys.executable}" -m surveywaves.cli "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(commands), os.environ["PATH"]]))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    who = ("-c", "user.name=S", "-c", "user.email=s@example.org")
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "my study"
    assert main(["new", str(folder)]) == 0
    assert "guarded: git refuses to commit answers of people there" in capsys.readouterr().out
    return folder


def test_check_lists_what_is_to_fill_in_and_nothing_else(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study)
    assert main(["check"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert 10 < len(told) < 20
    assert [line for line in told if "still to decide" not in line] == []
    files = {line.partition(",")[0] for line in told}
    home = "config/waves/first"
    assert files == {
        *("config/config.yaml", "config/items.tsv", "config/scales.tsv"),
        *(f"{home}/wave.yaml", f"{home}/items.tsv"),
    }


def fill_in(study: Path) -> None:
    """Decide what is open, as a person would in an editor."""

    def edit(name: str, **values: str) -> None:
        path = study / "config" / name
        text = path.read_text(encoding="utf-8")
        for key, value in values.items():
            lines = [
                f"{line.partition(f'{key}:')[0]}{key}: {value}" if f'{key}: "TODO' in line else line
                for line in text.splitlines()
            ]
            text = "\n".join(lines) + "\n"
        path.write_text(text, encoding="utf-8")

    edit(
        "config.yaml",
        title="Trust",
        description="Trust at work",
        first_organisation="Works",
        **{"1": "Trust"},
    )
    edit(
        "waves/first/wave.yaml",
        title="First",
        period="Spring 2008",
        evidence="simulated",
        format="table",
        respondent="id",
    )
    edit("waves/first/wave.yaml", path="resources/raw/first/a.csv", organisation="first_organisation")
    wave = study / "config/waves/first/wave.yaml"
    wave.write_text(
        wave.read_text(encoding="utf-8").replace("ignore: []", "ignore: [id, organisation]"), encoding="utf-8"
    )
    rows = "".join(f"trust_{one}\tI trust {one}\t1\ttrust\t+\tagreement5\n" for one in "ab")
    (study / "config/items.tsv").write_text("item\ttext\tsection\tscale\tkeyed\tresponse_scale\n" + rows)
    (study / "config/scales.tsv").write_text("scale\ttitle\tsource\tmin_answered\ntrust\tTrust\t\t\n")
    rows = "".join(f"trust_{one}\t{one}\t\tidentical\t\t\n" for one in "ab")
    (wave.parent / "items.tsv").write_text("item\tweb\tcoding\tcomparability\twording\tnote\n" + rows)
    (study / "resources/raw/first").mkdir()
    (study / "resources/raw/first/a.csv").write_text(ANSWERS)


def test_once_filled_in_it_is_a_study(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_in(study)
    monkeypatch.chdir(study)
    assert main(["check"]) == 0, capsys.readouterr().err
    assert "ok: 1 waves, 2 items, 1 scales" in capsys.readouterr().out
    assert load_study(study / "config").config.title == "Trust"


def test_its_guard_keeps_raw_files_the_key_and_answers_under_another_name(study: Path) -> None:
    fill_in(study)
    (study / "resources/private/key").write_text("secret")
    (study / "results/pooled").mkdir(parents=True)
    (study / "results/pooled/responses.csv").write_text("x")
    git(study, "add", ".")
    done = git(study, "commit", "-m", "the study")
    assert done.returncode == 0, done.stderr
    kept = git(study, "ls-files").stdout.splitlines()
    assert [name for name in kept if name.startswith(("resources", "results"))] == ["resources/raw/README.md"]
    assert {oct((study / "resources" / room).stat().st_mode & 0o777) for room in ("raw", "private")} == {
        "0o700"
    }
    (study / "appendix.txt").write_text(ANSWERS.replace("id,", "respondent,"))
    git(study, "add", "appendix.txt")
    done = git(study, "commit", "-m", "an appendix")
    assert done.returncode == 1
    assert "appendix.txt: confidential: it has a row for each respondent" in done.stderr
    git(study, "add", "--force", "resources/private/key")
    assert (
        "resources/private/key: confidential: it lies in resources/private"
        in git(study, "commit", "-m", "k").stderr
    )


def test_git_translates_no_line_end_of_what_a_pin_holds(study: Path, tmp_path: Path) -> None:
    pinned = study / "results/pins/a/released/means.csv"
    pinned.parent.mkdir(parents=True)
    pinned.write_bytes(b"wave,n\nfirst,13\n")
    git(study, "add", ".gitattributes", "results")
    git(study, "commit", "--no-verify", "-m", "a pin")
    git(tmp_path, "-c", "core.autocrlf=true", "clone", str(study), "clone")  # as git for Windows is set
    assert (tmp_path / "clone" / pinned.relative_to(study)).read_bytes() == pinned.read_bytes()


def test_a_letter_that_a_terminal_cannot_show_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["new", str(tmp_path / "Łódź")]) == 0
    terminal.flush()
    assert b"\\u0141\xf3d\\u017a" in terminal.buffer.getvalue()


def test_without_the_command_nothing_is_committed(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    git(study, "add", ".")
    done = git(study, "commit", "-m", "the study")
    assert done.returncode == 1
    assert "cannot check for answers of people" in done.stderr


def test_what_is_there_is_left_alone(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(study)]) == 1
    assert "is there, and not empty" in capsys.readouterr().err


def test_the_hook_of_a_repository_around_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    top = tmp_path / "outer"
    top.mkdir()
    git(top, "init", "--quiet")
    assert main(["new", str(top / "study")]) == 0
    assert f"not guarded yet: it lies in the repository {top}" in capsys.readouterr().out
    assert git(top, "config", "core.hooksPath").stdout == ""


def test_hooks_of_ones_own_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text("[core]\n  hooksPath = /my/hooks\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert main(["new", str(tmp_path / "study")]) == 0
    assert "not guarded yet: git runs the hooks in /my/hooks" in capsys.readouterr().out


# --- drafted from a first file ------------------------------------------------------------------------------------

OPTIONS = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")


def labelled(path: Path, true: pd.DataFrame, options: Sequence[str] = OPTIONS) -> Path:
    """Write returns as SPSS has them: codes, with labels for variables and values; 9 is no answer."""
    levels = {name: {level: str(code) for code, level in enumerate(one, 1)} for name, one in GROUPS.items()}
    names = {name: f"q{place}" for place, name in enumerate(GROUPS, 1)}
    cells = columns_of(
        true, items={one: one for one in STATEMENTS}, words="12345", groups=names, levels=levels
    )
    codes = {
        name: [9.0 if cell == "skipped" else float(cell) for cell in column] for name, column in cells.items()
    }
    values: dict[str, dict[int, str]] = {
        item: dict(enumerate(options, 1)) | {9: "Not answered"} for item in STATEMENTS
    }
    values |= {names[name]: dict(enumerate(one.values(), 1)) for name, one in GROUPS.items()}
    labels = STATEMENTS | {code: ASKED[name] for name, code in names.items()}
    return write_sav(path, codes, labels=labels, values=values)


KNOWN = {
    r"title": "Staff survey",
    r"description": "What staff think.",
    r"response_scales\.\w+\.favourable": [4, 5],
    r"items\.\w+\.keyed": "-",
    r"scales\.team\.title": "My team",
    r"scales\.mgr\.title": "My manager",
    r"codings\.\w+\.values\.9": "skipped",
}


def test_a_labelled_file_makes_a_study_of_few_decisions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    true = truth(60)
    true.loc[3, "mgr_fair"] = "skipped"
    file = labelled(tmp_path / "survey.sav", true)
    assert main(["new", str(tmp_path / "study"), str(file), "--organisation", "q1"]) == 0
    assert "8 statements in 2 scales, 2 grouping variables" in capsys.readouterr().out
    home = tmp_path / "study/config"
    waves = home / "waves/first"
    paths = [
        home / "config.yaml",
        home / "items.tsv",
        home / "scales.tsv",
        waves / "wave.yaml",
        waves / "items.tsv",
    ]
    asked = decide(paths, KNOWN)
    assert len(asked) <= 12, asked
    monkeypatch.chdir(tmp_path / "study")
    assert main(["check"]) == 0, capsys.readouterr().err
    names = {"organisation": "organisation", "gender": "q2", "tenure": "q3"}
    found = run(tmp_path / "study", "first", names=[*names.values(), *STATEMENTS])
    levels = {
        "1-4 years": "of_1_4_years",
        "5-9 years": "of_5_9_years",
        "10 years or more": "of_10_years_or_more",
    }
    tenure = {level: levels.get(label, "less_than_1_year") for level, label in GROUPS["tenure"].items()}
    expected = true.assign(tenure=true["tenure"].map(tenure)).rename(columns=names)
    assert differences(found, expected) == []


def test_labels_that_run_down_are_turned_round(tmp_path: Path) -> None:
    file = labelled(tmp_path / "survey.sav", truth(60), OPTIONS[::-1])
    assert main(["new", str(tmp_path / "study"), str(file), "--organisation", "q1"]) == 0
    config = yaml.safe_load((tmp_path / "study/config/config.yaml").read_text(encoding="utf-8"))
    assert config["response_scales"]["options_1"]["labels"] == list(OPTIONS)
    wave = yaml.safe_load((tmp_path / "study/config/waves/first/wave.yaml").read_text(encoding="utf-8"))
    assert {wave["codings"]["codes"]["values"][str(code)] for code in (1, 5)} == {1, 5}
    assert wave["codings"]["codes"]["values"]["1"] == 5


def test_answers_in_words_need_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_csv(tmp_path / "survey.csv", columns_of(truth(60)))
    command = ["new", str(tmp_path / "study"), str(file), "--organisation", "Where do you work?"]
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "8 columns have the same answers in words, and nothing says which is the lowest" in line
    assert not (tmp_path / "study").exists()
    assert main([*command, "--options", "; ".join(OPTIONS)]) == 0
    assert "8 statements in 1 scale, 2 grouping variables" in capsys.readouterr().out


def test_what_runs_against_its_scale_is_asked(tmp_path: Path) -> None:
    true = truth(60)
    for place, item in enumerate(STATEMENTS):
        true[item] = [value if place else 6 - value for value in true["mgr_thanks"]]
    assert main(["new", str(tmp_path / "study"), str(labelled(tmp_path / "survey.sav", true))]) == 0
    rows = (tmp_path / "study/config/items.tsv").read_text(encoding="utf-8").splitlines()
    assert [row.split("\t")[0] for row in rows if "TODO: + or -" in row] == ["team_help"]


def test_a_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    file = labelled(tmp_path / "survey.sav", truth(60))
    with pytest.raises(SurveywavesError, match="no column `employer`"):
        first_study(tmp_path / "study", file, organisation="employer", options=(), reading=str)


def test_what_somebody_wrote_stands_in_no_draft(tmp_path: Path) -> None:
    columns = columns_of(truth(60)) | {"Boss": ["Moira Kelly 07700 900123", "Ann Ross", "Jo Shaw"] * 20}
    columns |= {"Remarks": ["fine", "too long", "ask Ann", *[""] * 57]}
    file = write_csv(tmp_path / "survey.csv", columns)
    assert main(["new", str(tmp_path / "study"), str(file), "--options", "; ".join(OPTIONS)]) == 0
    drafted = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "study/config").rglob("*.*"))
    assert [said for said in ("Moira", "07700", "too long", "ask Ann") if said in drafted] == []


def test_statements_that_make_no_scale_are_drafted_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"help": "team_help", "rely": "team_rely", "fair": "mgr_fair"}
    true = truth(60)
    columns = {name: [float(value) for value in true[item]] for name, item in names.items()}
    labels = {name: STATEMENTS[item] for name, item in names.items()}
    values = {name: dict(enumerate(OPTIONS, 1)) for name in names}
    file = write_sav(tmp_path / "survey.sav", columns, labels=labels, values=values)
    assert main(["new", str(tmp_path / "study"), str(file)]) == 0
    assert "3 statements in 0 scales" in capsys.readouterr().out
    assert (tmp_path / "study/config/scales.tsv").read_text(encoding="utf-8") == "scale\ttitle\n"
    monkeypatch.chdir(tmp_path / "study")
    assert main(["check"]) == 1
    assert "scales.tsv" not in capsys.readouterr().err


def test_a_code_that_the_file_declares_missing_is_no_level(tmp_path: Path) -> None:
    file = labelled(tmp_path / "survey.sav", truth(60))
    frame, meta = pyreadstat.read_sav(file)
    frame.loc[:9, "q2"] = -9
    labels = {**meta.variable_value_labels, "q2": {**meta.variable_value_labels["q2"], -9: "Not answered"}}
    pyreadstat.write_sav(
        frame,
        file,
        column_labels=meta.column_names_to_labels,
        variable_value_labels=labels,
        missing_ranges={"q2": [-9]},
    )
    first_study(tmp_path / "study", file, organisation="q1", options=(), reading=lambda _: None)
    home = tmp_path / "study/config"
    assert list(yaml.safe_load((home / "config.yaml").read_text())["variables"]["q2"]["levels"]) == [
        "woman",
        "man",
    ]
    wave = yaml.safe_load((home / "waves/first/wave.yaml").read_text())
    assert wave["variables"]["q2"]["map"]["-9"].startswith("TODO: ")
