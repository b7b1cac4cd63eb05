"""Answers of individual people stay with the team: what is refused, wherever it lies and whatever it is called."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
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
    PRIVATE,
    Allowed,
    Signs,
    confidential_files,
    folded,
    mistakes_in,
    read_allowed,
    signs_of,
    staged_mistakes,
    tracked_mistakes,
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


def as_tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("inside.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def as_opendocument(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
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
    "csv below some words": lambda frame, _: (
        b"Dear all,\nthese are, as asked, the answers\n\n" + 2 * as_csv(frame)
    ),
    "markdown": lambda frame, _: frame.to_csv(index=False, sep="|").encode(),
    "json, a list of rows": lambda frame, _: frame.to_json(orient="records", indent=1).encode(),
    "json, a row a line": lambda frame, _: frame.to_json(orient="records", lines=True).encode(),
    "json, columns": lambda frame, _: frame.to_json(orient="columns").encode(),
    "json, columns as lists": lambda frame, _: json.dumps(frame.to_dict(orient="list")).encode(),
    "a page's table": lambda frame, _: frame.to_html(index=False).encode(),
    "a notebook": lambda frame, _: json.dumps(
        {"cells": [{"outputs": [{"data": {"text/html": frame.to_html(index=False).splitlines(True)}}]}]}
    ).encode(),
    "a dump of a database": lambda frame, _: (
        f"CREATE TABLE x (\n{', '.join(f'{name} text' for name in frame)});\n"
        + "".join(f"INSERT INTO x VALUES {row};\n" for row in frame.itertuples(index=False, name=None))
    ).encode(),
    "gz": lambda frame, _: gzip.compress(as_csv(frame)),
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
    scan = tmp_path / "resources/raw/scan.pdf"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"%PDF-1.4 a paper form")
    (mistake,) = mistakes_in({"docs/form.pdf": scan}, tmp_path)
    assert mistake.what == "confidential: the same as resources/raw/scan.pdf"


def test_what_was_released_as_it_is_may_be_shown_beside_its_copy_in_the_statistics(tmp_path: Path) -> None:
    for room in ("statistics", "released"):
        (tmp_path / "results" / room).mkdir(parents=True)
        (tmp_path / "results" / room / "dif.csv").write_text(f"item,{room}\n", encoding="utf-8")
    shown = {"docs/dif.csv": tmp_path / "results/statistics/dif.csv"}
    assert mistakes_in(shown, tmp_path)
    shutil.copy(shown["docs/dif.csv"], tmp_path / "results/released/dif.csv")
    assert mistakes_in(shown, tmp_path) == []


UNSEEN = {
    "a SQLite database": b"SQLite format 3\0",
    "xz": lzma.compress(as_csv(PEOPLE)),
    "tar": as_tar(as_csv(PEOPLE)),
    "OpenDocument": as_opendocument(as_csv(PEOPLE)),
    "a damaged Parquet file": as_parquet(PEOPLE)[:60],
    "a damaged archive": b"PK\x03\x04 no archive",
    "a damaged SPSS file": b"$FL2 no such file",
    "R data, as saveRDS writes it": gzip.compress(b"X\n\0\0\0\3 ..."),
    "R data, not compressed": b"RDA3\nA\n3\n",
    "Numbers": as_zip(b"\0\xea\x01\x9b\x0e\x08\x01"),
    "encrypted": bytes(range(1, 255)) * 3,
    "a file that git LFS sends along": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
}


@pytest.mark.parametrize("kind", UNSEEN)
def test_what_nobody_can_look_into_is_refused_and_may_be_listed(kind: str, tmp_path: Path) -> None:
    (mistake,) = found(UNSEEN[kind], tmp_path)
    assert mistake.what.startswith("confidential: it may hold data and cannot be looked into: ")
    assert ".githooks/allowed.tsv" in mistake.hint


@pytest.mark.parametrize(
    "begins", [b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"wOF2", b"\0\1\0\0\0\x0b"]
)
def test_pages_pictures_and_fonts_pass(begins: bytes, tmp_path: Path) -> None:
    assert found(begins + bytes(range(256)), tmp_path) == []


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
    assert len(files) > 300
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


OPEN_ROOMS = (
    "released",
    "figures",
    "tables",
    "tables_interviews",
    "report",
    "sheets",
    "pins",
    "gallery",
    "published",
)
"""Folders of `results/` that everybody may read: the last is about what is in print, before it meets any data."""


def test_whatever_a_run_writes_and_does_not_release_is_for_its_owner_alone(finished: Path) -> None:
    results = finished / "results"
    files = [path for path in results.rglob("*") if path.is_file()]
    closed = [
        path
        for path in files
        if path.relative_to(results).parts[0] not in (*OPEN_ROOMS, "configuration.yaml")
    ]
    # Snakemake writes the benchmarks: how long jobs took.
    wide = [
        path for path in closed if path.stat().st_mode & 0o77 and not path.name.endswith(".benchmark.tsv")
    ]
    assert len(closed) > 60
    assert wide == []
    assert {path.relative_to(results).parts[0] for path in closed} <= set(PRIVATE)


def test_logs_of_a_run_have_no_cell_of_a_comment(finished: Path) -> None:
    """The demonstration's comments are the only words that no coding explains."""
    cells = pd.read_parquet(finished / "results/ingest/phase1_2006.parquet")
    comments = [name for name in cells if "comments" in name or "tell us" in name]
    said = {text for name in comments for text in cells[name].dropna()}
    assert said
    logs = [path.read_text(encoding="utf-8") for path in (finished / "results/logs").rglob("*.log")]
    assert [text for text in said if any(text in log for log in logs)] == []


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


def staged(folder: Path) -> list[str]:
    return [f"{mistake.where}: {mistake.what}" for mistake in staged_mistakes(folder)]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name, value in (("name", "Somebody"), ("email", "somebody@example.org")):
        git(folder, "config", f"user.{name}", value)
    return folder


def test_a_link_that_became_a_copy_is_looked_into(repository: Path) -> None:
    data = repository.parent / "answers.csv"
    data.write_bytes(as_csv(PEOPLE))
    (repository / "data.csv").symlink_to(data)
    git(repository, "add", "data.csv")
    assert staged(repository) == []
    git(repository, "commit", "--quiet", "-m", "a link")
    (repository / "data.csv").unlink()
    shutil.copy(data, repository / "data.csv")
    git(repository, "add", "data.csv")
    assert staged(repository) == [
        "data.csv: confidential: it has a row for each respondent (column respondent)"
    ]


def test_a_file_that_is_renamed_or_copied_is_looked_into(repository: Path) -> None:
    (repository / "data.csv").write_bytes(as_csv(PEOPLE))
    git(repository, "add", "data.csv")
    git(repository, "commit", "--quiet", "--no-verify", "-m", "by mistake")
    git(repository, "config", "diff.renames", "copies")
    git(repository, "mv", "data.csv", "notes.txt")
    shutil.copy(repository / "notes.txt", repository / "more.txt")
    git(repository, "add", "more.txt")
    assert [line.partition(":")[0] for line in staged(repository)] == ["more.txt", "notes.txt"]


def test_a_repository_within_is_refused_unless_it_is_listed_at_its_commit(repository: Path) -> None:
    inner = repository / "vendor"
    inner.mkdir()
    git(inner, "init", "--quiet")
    git(inner, "-c", "user.name=S", "-c", "user.email=s@example.org", "commit", "--allow-empty", "-qm", "x")
    at = git(inner, "rev-parse", "HEAD").stdout.strip()
    git(repository, "add", "vendor")
    assert staged(repository) == [
        f"vendor: confidential: a repository within this one, at {at}: nobody has looked into it"
    ]
    (repository / ".githooks").mkdir()
    (repository / ALLOWED).write_text(f"path\tsha256\treason\nvendor\t{at}\tfonts\n", encoding="utf-8")
    assert staged(repository) == []


def test_raw_files_that_git_keeps_are_named_unless_they_are_listed(repository: Path) -> None:
    raw = repository / "resources/raw/first/export.csv"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(as_csv(PEOPLE))
    (repository / "resources/raw/README.md").write_text("put them here", encoding="utf-8")
    elsewhere = repository / "data/more.csv"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(as_csv(PEOPLE))
    key = repository / "resources/private/key"
    key.parent.mkdir()
    key.write_text("secret", encoding="utf-8")
    assert list(tracked_mistakes(repository, [raw, elsewhere])) == []
    git(repository, "add", ".")
    named = {mistake.where for mistake in tracked_mistakes(repository, [raw, elsewhere])}
    assert named == {"resources/raw/first/export.csv", "data/more.csv", "resources/private/key"}
    hash_ = hashlib.sha256(raw.read_bytes()).hexdigest()
    (repository / ".githooks").mkdir()
    listed = "".join(
        f"{name}\t{hash_}\tinvented\n" for name in ("resources/raw/first/export.csv", "data/more.csv")
    )
    (repository / ALLOWED).write_text(f"path\tsha256\treason\n{listed}", encoding="utf-8")
    assert {mistake.where for mistake in tracked_mistakes(repository, [raw, elsewhere])} == {
        "resources/private/key"
    }


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


@pytest.mark.parametrize("name", ["transcripts.qdpx", "notes.bin", "project.txt"])
def test_what_people_said_in_interviews_is_refused_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    archive = (REPOSITORY / "tests/coded/qualcoder.qdpx").read_bytes()
    document = b'<?xml version="1.0"?>\n<Project xmlns="urn:QDA-XML:project:1.0">...</Project>'
    (tmp_path / name).write_bytes(document if name.endswith(".txt") else archive)
    (found,) = confidential_files({f"docs/{name}": tmp_path / name})
    assert "REFI-QDA project" in found.what


@pytest.mark.parametrize(
    "head",
    [
        "source,stage,service area,organisation",
        "Source,Coder,Code,Start,End",
        "meeting,date,group,category,count",
    ],
)
def test_tables_of_interviews_and_meetings_are_refused(head: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{head}\n{',' * head.count(',')}\n", encoding="utf-8")
    assert len(list(confidential_files({"docs/a.csv": tmp_path / "a.csv"}))) == 1
