"""Answers of individual people stay with the team: what is refused, wherever it lies and whatever it is called."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pyreadstat
import pytest

from conftest import REPOSITORY
from surveywaves.cli import main
from surveywaves.confidential import (
    ALLOWED,
    Allowed,
    Signs,
    confidential_files,
    folded,
    mistakes_in,
    read_allowed,
    signs_of,
)
from surveywaves.errors import Mistake

PEOPLE = pd.DataFrame(
    {"respondent": ["a-1", "a-2"], "organisation": ["x", "y"], **{f"item_{n}": [1, 5] for n in range(1, 7)}}
)
ITEMS = Signs(questions=frozenset(folded(f"item_{number}") for number in range(1, 7)))


def as_csv(frame: pd.DataFrame, **how: str) -> bytes:
    return frame.to_csv(index=False, **how).encode()


def as_parquet(frame: pd.DataFrame) -> bytes:
    return frame.to_parquet(index=False)


def as_spss(frame: pd.DataFrame, tmp: Path) -> bytes:
    pyreadstat.write_sav(frame, str(tmp / "x.sav"))
    return (tmp / "x.sav").read_bytes()


def as_stata(frame: pd.DataFrame, tmp: Path) -> bytes:
    frame.to_stata(tmp / "x.dta", write_index=False)
    return (tmp / "x.dta").read_bytes()


def as_excel(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer) as book:
        pd.DataFrame({"about": ["nothing"]}).to_excel(book, sheet_name="read me", index=False)
        frame.to_excel(book, sheet_name="data", index=False)
    return buffer.getvalue()


def as_zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inside.bin", content)
    return buffer.getvalue()


def found(
    content: bytes, tmp: Path, signs: Signs | None = None, name: str = "docs/notes.txt"
) -> list[Mistake]:
    path = tmp / "file"
    path.write_bytes(content)
    return list(confidential_files({name: path}, signs))


FORMATS: dict[str, Callable[[pd.DataFrame, Path], bytes]] = {
    "csv": lambda frame, _: as_csv(frame),
    "csv with semicolons": lambda frame, _: as_csv(frame, sep=";"),
    "csv from a spreadsheet": lambda frame, _: b"\xef\xbb\xbf" + as_csv(frame),
    "csv in UTF-16": lambda frame, _: frame.to_csv(index=False).encode("utf-16"),
    "tsv": lambda frame, _: as_csv(frame, sep="\t"),
    "parquet": lambda frame, _: as_parquet(frame),
    "spss": as_spss,
    "stata": as_stata,
    "excel, on the second sheet": lambda frame, _: as_excel(frame),
    "zip": lambda frame, _: as_zip(as_parquet(frame)),
    "zip in a zip": lambda frame, _: as_zip(as_zip(as_csv(frame))),
}


@pytest.mark.parametrize("form", FORMATS)
def test_rows_of_people_are_known_in_every_format_under_another_name(form: str, tmp_path: Path) -> None:
    (mistake,) = found(FORMATS[form](PEOPLE, tmp_path), tmp_path)
    assert "a row for each respondent (column respondent)" in mistake.what
    assert str(mistake).startswith("docs/notes.txt: confidential: ")
    assert "docs/confidential.md" in mistake.hint


@pytest.mark.parametrize("form", FORMATS)
def test_without_its_identifier_a_table_of_answers_is_known_by_the_study_s_items(
    form: str, tmp_path: Path
) -> None:
    content = FORMATS[form](PEOPLE.drop(columns="respondent"), tmp_path)
    assert "answers for each of 6 questions" in found(content, tmp_path, ITEMS)[0].what
    assert found(content, tmp_path) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_of_counts_is_no_table_of_people(form: str, tmp_path: Path) -> None:
    counts = pd.DataFrame({"wave": ["a", "a"], "item": ["item_1", "item_2"], "n": [12, 13]})
    assert found(FORMATS[form](counts, tmp_path), tmp_path, ITEMS) == []


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("RespondentID,CollectorID,StartDate", "a row for each respondent"),
        ('"Respondent ID";"IP Address"', "a row for each respondent"),
        ("wave\tfile\trow\tcolumn\tvalue\tproblem\taction", "what single returns say"),
        ("wave\tlayout\tcolumn\tvariable\traw\tvalue\tn", "the answers on each form"),
        ("linked,count,n,reason", "which counts are small"),
    ],
)
def test_raw_files_and_lists_of_single_values_are_known_by_their_heads(
    head: str, what: str, tmp_path: Path
) -> None:
    assert what in found(f"{head}\n1{',2' * 6}\n".encode(), tmp_path)[0].what


def test_the_study_s_own_raw_files_are_known_by_its_configuration(tmp_path: Path) -> None:
    signs = signs_of(REPOSITORY / "config")
    assert {"respid", "respondentid", "returnno"} <= signs.people
    codes = ",".join(f"q{number:02}" for number in range(1, 10))
    assert "answers for each of 9 questions" in found(f"{codes}\n".encode(), tmp_path, signs)[0].what
    assert "column respid" in found(b"resp_id\tq2\n1\t2\n", tmp_path, signs)[0].what


def test_a_title_above_the_heads_hides_nothing_and_a_codebook_is_no_table_of_people(tmp_path: Path) -> None:
    assert found(b"Export of the survey,,\n\n" + as_csv(PEOPLE), tmp_path)
    codebook = b"variable,kind,label\nwave,id,Wave\nrespondent,id,Respondent\n"
    assert found(codebook, tmp_path, ITEMS) == []


@pytest.mark.parametrize("way", ["base64", "percent signs"])
def test_a_page_that_lets_rows_of_people_be_taken_away_is_refused(way: str, tmp_path: Path) -> None:
    def page(content: bytes) -> bytes:
        data = f"base64,{base64.b64encode(content).decode()}" if way == "base64" else f"x,{quote(content)}"
        return f'<a download="x.csv" href="data:text/csv;charset=utf-8;{data}">Data</a>'.encode()

    assert found(page(as_csv(PEOPLE)), tmp_path)
    assert found(page(b"wave,n\nfirst,12\n"), tmp_path) == []


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("results/pooled/codebook.tsv", "results/pooled"),
        ("results/exports/anything.bin", "results/exports"),
        ("results/disclosure/reasons.csv", "results/disclosure"),
        ("somewhere/results/harmonised/a/b.txt", "results/harmonised"),
        ("resources/raw/first/scan.pdf", "resources/raw"),
        ("resources/raw/README.md", ""),
        ("results/released/means.csv", ""),
        ("results/pooled", ""),
    ],
)
def test_what_lies_in_a_private_folder_is_refused_whatever_it_is(
    name: str, place: str, tmp_path: Path
) -> None:
    mistakes = found(b"anything", tmp_path, name=name)
    assert [mistake.what for mistake in mistakes] == ([f"confidential: it lies in {place}"] if place else [])


def test_a_copy_of_a_confidential_file_is_refused(tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF a paper form")
    signs = signs_of(tmp_path / "no config", {"resources/raw/scan.pdf": scan})
    assert (
        found(scan.read_bytes(), tmp_path, signs)[0].what
        == "confidential: the same as resources/raw/scan.pdf"
    )


@pytest.mark.parametrize("content", [as_parquet(PEOPLE)[:60], b"PK\x03\x04 no archive", b"$FL2 no such file"])
def test_data_that_cannot_be_looked_into_are_refused(content: bytes, tmp_path: Path) -> None:
    assert "cannot be looked into" in found(content, tmp_path)[0].what


def test_a_file_is_allowed_as_the_bytes_that_are_listed_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "public.csv"
    path.write_bytes(as_csv(PEOPLE))
    hash_ = hashlib.sha256(path.read_bytes()).hexdigest()
    allowed = {"tests/public.csv": Allowed(hash_, "public data")}
    assert list(confidential_files({"tests/public.csv": path}, None, allowed)) == []
    assert len(list(confidential_files({"elsewhere.csv": path}, None, allowed))) == 1
    path.write_bytes(as_csv(PEOPLE.assign(respondent=["b-1", "b-2"])))
    (mistake,) = confidential_files({"tests/public.csv": path}, None, allowed)
    assert "the file that was allowed there had other content" in mistake.what


# --- this repository ----------------------------------------------------------------------------------------------


def tracked() -> dict[str, Path]:
    listed = subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = filter(None, listed.stdout.split("\0"))
    return {name: REPOSITORY / name for name in names if (REPOSITORY / name).is_file()}


def test_nothing_confidential_is_in_the_repository() -> None:
    files = tracked()
    assert len(files) > 300
    assert list(mistakes_in(files, REPOSITORY)) == []


def test_every_file_that_is_allowed_is_there_needs_it_and_says_why() -> None:
    allowed = read_allowed(REPOSITORY / ALLOWED)
    files = {name: REPOSITORY / name for name in allowed}
    refused = {mistake.where for mistake in confidential_files(files, signs_of(REPOSITORY / "config"))}
    assert refused == set(allowed)
    assert all(len(one.reason) > 20 for one in allowed.values())


def test_nothing_confidential_is_in_what_a_run_shows(finished: Path) -> None:
    rooms = ("report", "figures", "tables", "released")
    files = {
        path.relative_to(finished).as_posix(): path
        for room in rooms
        for path in (finished / "results" / room).rglob("*")
        if path.is_file()
    }
    assert len(files) > 400
    assert mistakes_in(files, finished) == []


def test_every_file_of_people_that_a_run_makes_is_known_when_it_is_moved(finished: Path) -> None:
    private = [
        path
        for folder in (
            "results/pooled",
            "results/harmonised",
            "results/ingest",
            "results/exports",
            "demo/raw",
        )
        for path in (finished / folder).rglob("*")
        if path.suffix in {".parquet", ".sav", ".dta", ".csv", ".xlsx"} and path.stem != "codebook"
    ]
    assert len(private) > 12
    signs = signs_of(finished / "config")
    moved = {f"docs/{number}.txt": path for number, path in enumerate(private)}
    refused = {moved[mistake.where] for mistake in confidential_files(moved, signs)}
    assert refused == set(private)
    closed = [path for path in private if "results" in path.parts]
    assert {path.stat().st_mode & 0o777 for path in closed} == {0o600}


# --- the hook -----------------------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the package, the hook and the study in it, and the hook turned on."""
    folder = tmp_path / "a clone"
    for part in ("workflow", "config", ".githooks"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet")
    git(folder, "config", "user.name", "Somebody")
    git(folder, "config", "user.email", "somebody@example.org")
    git(folder, "config", "core.hooksPath", ".githooks")
    return folder


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The hook takes the Python of the clone's .venv, or else the first of the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull},
    )


@pytest.mark.thorough
def test_the_hook_lets_the_workflow_be_committed_and_refuses_answers_under_another_name(clone: Path) -> None:
    git(clone, "add", "workflow", "config", ".githooks")
    done = git(clone, "commit", "-m", "the workflow")
    assert done.returncode == 0, done.stderr
    (clone / "docs").mkdir()
    (clone / "docs/appendix.pdf").write_bytes(as_parquet(PEOPLE))
    git(clone, "add", "docs/appendix.pdf")
    done = git(clone, "commit", "-m", "an appendix")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "docs/appendix.pdf: confidential: it has a row for each respondent (column respondent) "
        "(hint: answers of people stay with the team; see docs/confidential.md)"
    ]
    (clone / "docs/appendix.pdf").write_bytes(b"harmless now, but not what is staged")
    assert git(clone, "commit", "-m", "an appendix").returncode == 1
    git(clone, "add", "docs/appendix.pdf")
    assert git(clone, "commit", "-m", "an appendix").returncode == 0


def test_the_hook_knows_a_copy_of_what_lies_in_the_results(clone: Path) -> None:
    (clone / "results/exports").mkdir(parents=True)
    (clone / "results/exports/codebook.xml").write_text("<codeBook/>", encoding="utf-8")
    shutil.copy(clone / "results/exports/codebook.xml", clone / "moved.txt")
    git(clone, "add", "moved.txt")
    done = git(clone, "commit", "-m", "moved")
    assert done.returncode == 1
    assert "moved.txt: confidential: the same as results/exports/codebook.xml" in done.stderr


def test_the_hook_holds_what_is_staged_to_the_project_s_style(clone: Path) -> None:
    programs = clone / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("ruff", "snakefmt"):
        (programs / name).symlink_to(Path(sys.executable).parent / name)
    for name, bad, good in (("a.py", "x = 'a'\n", 'x = "a"\n'), ("a.smk", "x='a'\n", 'x = "a"\n')):
        (clone / name).write_text(bad, encoding="utf-8")
        git(clone, "add", name)
        (clone / name).write_text(good, encoding="utf-8")  # not what is staged
        done = git(clone, "commit", "-m", "style")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("pre-commit: not in the project's style (hint: ")
        git(clone, "add", name)
        assert git(clone, "commit", "-m", "style").returncode == 0


def test_make_turns_the_hook_on_where_no_other_is(tmp_path: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    (line,) = [line.strip() for line in makefile.splitlines() if "core.hooksPath .githooks" in line]
    command = line.removeprefix("-").removeprefix("@").replace("$$", "$")
    for name, before, after in (("new", "", ".githooks"), ("own", "mine", "mine")):
        folder = tmp_path / name
        folder.mkdir()
        git(folder, "init", "--quiet")
        if before:
            git(folder, "config", "core.hooksPath", before)
        subprocess.run(
            command, shell=True, cwd=folder, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        )
        assert git(folder, "config", "core.hooksPath").stdout.strip() == after
    bare = tmp_path / "no repository"
    bare.mkdir()
    done = subprocess.run(
        command,
        shell=True,
        cwd=bare,
        check=False,
        capture_output=True,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_person_can_ask_about_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(as_csv(PEOPLE))
    assert main(["confidential", str(path)]) == 1
    assert "a row for each respondent" in capsys.readouterr().err
    path.write_text("wave,n\nfirst,12\n", encoding="utf-8")
    assert main(["confidential", str(path)]) == 0
    assert main(["confidential", str(tmp_path / "none.csv")]) == 1
    assert "no such file" in capsys.readouterr().err
