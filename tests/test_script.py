"""What every job does: a record of what it read and wrote, mistakes in a line, files whole or not at all."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import stat
from collections import UserList
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from surveywaves.errors import StudyError
from surveywaves.files import digest, write
from surveywaves.freshness import HOME, Programs, call_of, left_over
from surveywaves.script import stage


class Named(UserList[Any]):
    """A list with names, as Snakemake gives them."""

    def __init__(self, **parts: Any) -> None:
        flat = [one for part in parts.values() for one in (part if isinstance(part, list) else [part])]
        super().__init__(flat)
        self.parts = parts

    def items(self) -> list[tuple[str, Any]]:
        return list(self.parts.items())


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("a,b\n1,2\n")
    program = {"fingerprint": Programs().of("measure").fingerprint, "packages": {"python": "3"}}
    return SimpleNamespace(
        rule="measure",
        wildcards=Named(wave="first"),
        input=Named(table="in.csv"),
        output=Named(table="out/table.tsv"),
        params=Named(
            seed=7, part='{"a": [1, 2]}', word="[not json", nothing=None, cells=(1, "b"), program=program
        ),
        log=["logs/measure.log"],
    )


def sha(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_a_job_that_ends_well_leaves_a_record_of_what_went_in_and_out(job: SimpleNamespace) -> None:
    with stage(job):
        write(pd.DataFrame({"x": [1]}), "out/table.tsv")
    recorded = json.loads(Path("logs/measure.log").read_text(encoding="utf-8"))
    code = recorded.pop("code")
    assert {"workflow/scripts/measure.py", "workflow/surveywaves/reliability/__init__.py"} <= code.keys()
    assert code == {name: sha(HOME / name) for name in code}
    assert recorded == {
        "rule": "measure",
        "wildcards": {"wave": "first"},
        "inputs": {"in.csv": sha("in.csv")},
        "params": {"seed": 7, "part": {"a": [1, 2]}, "word": "[not json", "nothing": None, "cells": [1, "b"]},
        "outputs": {"out/table.tsv": sha("out/table.tsv")},
        "program": Programs().of("measure").fingerprint,
        "packages": {"python": "3"},
        "call": call_of(job),
    }


def test_what_no_job_makes_any_more_is_left_over_unless_somebody_changed_it(job: SimpleNamespace) -> None:
    job.output = Named(table="out/table.tsv", other="out/other.tsv", mine="out/mine.tsv")
    with stage(job):
        for path in job.output:
            write(pd.DataFrame({"x": [1]}), path)
    Path("out/mine.tsv").write_text("edited")
    records, record = Path("logs"), Path("logs/measure.log")
    assert left_over([job], records) == []
    job.output = Named(table="out/table.tsv")
    assert left_over([job], records) == [Path("out/other.tsv")]
    assert left_over([], records) == [Path("out/other.tsv"), Path("out/table.tsv"), record]
    record.write_text("KeyError: a")
    assert left_over([], records) == []


def test_a_file_that_changes_while_a_job_reads_it_is_named_and_nothing_is_recorded(
    job: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit), stage(job):
        write(pd.DataFrame({"x": [1]}), "out/table.tsv")
        Path("in.csv").write_text("a,b\n1,3\n")
    said = "in.csv: changed while measure(first) ran (hint: run snakemake once more)"
    assert Path("logs/measure.log").read_text() == f"{said}\n"
    assert said in capsys.readouterr().err


def test_code_that_changed_since_the_job_was_begun_is_refused(job: SimpleNamespace) -> None:
    job.params.parts["program"] = {"fingerprint": "of another version", "packages": {}}
    with pytest.raises(SystemExit), stage(job):
        write(pd.DataFrame({"x": [1]}), "out/table.tsv")
    assert Path("logs/measure.log").read_text().startswith("workflow: changed while measure(first) ran")


def test_a_folder_that_a_job_writes_is_recorded_file_by_file(job: SimpleNamespace) -> None:
    job.output = Named(folder="out")
    with stage(job):
        write(pd.DataFrame({"x": [1]}), "out/b.tsv")
        write(pd.DataFrame({"x": [2]}), "out/deep/a.tsv")
    recorded = json.loads(Path("logs/measure.log").read_text(encoding="utf-8"))
    assert recorded["outputs"] == {name: sha(name) for name in ("out/b.tsv", "out/deep/a.tsv")}


def test_a_folders_digest_tells_names_and_contents_apart(tmp_path: Path) -> None:
    found = []
    for name, text in (("a", "1"), ("b", "1"), ("a", "2")):
        folder = tmp_path / str(len(found))
        folder.mkdir()
        (folder / name).write_text(text)
        found.append(digest(folder))
    assert len(set(found)) == 3


def test_a_mistake_is_a_line_on_the_screen_and_in_the_log_and_no_record(
    job: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    with stage(job):
        write(pd.DataFrame({"x": [1]}), "out/table.tsv")
    with pytest.raises(SystemExit) as ended, stage(job):
        raise StudyError.at("config.yaml", "is wrong", "mend it")
    assert ended.value.code == 1
    assert Path("logs/measure.log").read_text() == "config.yaml: is wrong (hint: mend it)\n"
    assert capsys.readouterr().err == "\nconfig.yaml: is wrong (hint: mend it)\n\n"


def test_a_job_that_breaks_leaves_no_record_of_an_earlier_run(job: SimpleNamespace) -> None:
    with stage(job):
        write(pd.DataFrame({"x": [1]}), "out/table.tsv")
    with pytest.raises(ZeroDivisionError), stage(job):
        raise ZeroDivisionError
    assert not Path("logs/measure.log").exists()


def test_rows_of_people_are_their_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "responses.parquet"
    write(pd.DataFrame({"x": [1]}), str(path))
    path.chmod(0o644)
    write(pd.DataFrame({"x": [2]}), str(path), private=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert pd.read_parquet(path)["x"].tolist() == [2]


def test_a_table_that_cannot_be_written_leaves_the_one_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write(pd.DataFrame({"x": [1]}), str(path))
    with pytest.raises(Exception, match=r"object|type|convert"):
        write(pd.DataFrame({"x": [object(), {1}]}), str(path))
    assert pd.read_parquet(path)["x"].tolist() == [1]
    assert [one.name for one in tmp_path.iterdir()] == ["table.parquet"]


def test_a_csv_runs_nothing_in_a_spreadsheet_and_keeps_its_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "=head": ["=1+1", "+447", "@x", "-2"],
            "n": [-1, 2, 3, 4],
            "sign": pd.Categorical(["+", "-", "-x", " =a"]),
        }
    )
    write(frame, str(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines() == [
        "'=head,n,sign",
        "'=1+1,-1,+",
        "+447,2,-",
        "'@x,3,'-x",
        "-2,4,' =a",
    ]
    assert list(frame) == ["=head", "n", "sign"]
    write(frame, str(tmp_path / "a.tsv"))
    assert (tmp_path / "a.tsv").read_text(encoding="utf-8").splitlines()[1] == "=1+1\t-1\t+"


POSIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
"""Modules that Windows lacks."""


def test_no_module_needs_what_only_posix_has() -> None:
    for path in (HOME / "workflow").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else [one.name for one in node.names]
                )
                assert POSIX.isdisjoint(named), path
            # There, `os` has no function that is about users, groups and forks.
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
                assert not re.search("fork|uid|gid|chown|pgid|killpg|setsid|uname|umask", node.attr), path
            # A temporary file that is open can be opened by its name nowhere else.
            assert getattr(node, "attr", "") != "NamedTemporaryFile", path
