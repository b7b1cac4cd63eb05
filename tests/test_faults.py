"""Faults on the way: afterwards there are the right bytes (`test_killed.py`), or a line says what is amiss."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from drawn_raw import drawn_raw
from runs import REPOSITORY
from runs import snakemake as run_snakemake
from surveywaves import files, freshness
from surveywaves.cli import main
from surveywaves.files import closed, flush, flush_all, write_bytes
from surveywaves.script import mistakes_in, stage
from test_script import job  # noqa: F401 - a fixture
from ways import Way, start

SNAKEFILE = REPOSITORY / "Snakefile"
WholeRun = Callable[[str], Path]


# --- one job ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "x", "out/a.tsv"),
            "out/a.tsv: no space left on the disk (hint: free some, then ",
        ),
        (OSError(errno.EDQUOT, "x"), "measure(first): no space left for you on the disk (hint: "),
        (OSError(errno.EROFS, "x", "out"), "out: cannot be written: the disk is read-only (hint: "),
        (PermissionError(errno.EACCES, "x", "in.csv"), "in.csv: you may not read or write it (hint: "),
        (OSError(errno.ENAMETOOLONG, "x", "out"), "out: its path is too long for this system (hint: "),
        (MemoryError(), "measure(first): not enough memory (hint: "),
        (RuntimeError("can't start new thread"), "measure(first): not enough memory (hint: "),
    ],
)
def test_what_a_machine_lacks_is_one_line(
    job: SimpleNamespace,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    line: str,
) -> None:
    with pytest.raises(SystemExit) as ended, stage(job):
        raise error
    assert ended.value.code == 1
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert said.startswith(line)
    assert Path("logs/measure.log").read_text(encoding="utf-8") == f"{said}\n"


def test_a_fault_of_the_code_stays_one() -> None:
    for error in (FileNotFoundError(errno.ENOENT, "x", "a"), ValueError("x"), RuntimeError("x")):
        assert mistakes_in(error, "measure") is None


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_ended_leaves_nothing_half_made_and_no_traceback(
    job: SimpleNamespace,  # noqa: F811
    end: signal.Signals,
) -> None:
    before = signal.getsignal(end)
    with pytest.raises(SystemExit) as ended, stage(job), files.whole("out/table.tsv") as half:
        half.touch()
        os.kill(os.getpid(), end)
    assert ended.value.code == 128 + end
    assert list(Path("out").iterdir()) == [] and not Path("logs/measure.log").exists()
    assert signal.getsignal(end) == before


def test_a_command_says_in_a_line_what_the_machine_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["new", str(tmp_path / "file/study")]) == 1
    assert "a file lies where a folder belongs (hint: " in capsys.readouterr().err
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["new", str(tmp_path / "study")]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("surveywaves new: no space left on the disk (hint: ")


def test_where_there_is_no_room_for_the_line_it_is_on_the_screen(
    job: SimpleNamespace,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "flush", full)
    with pytest.raises(SystemExit), stage(job):
        write_bytes(b"x", "out/table.tsv")
    assert capsys.readouterr().err.strip().startswith("measure(first): no space left on the disk")
    assert not Path("out/table.tsv").exists() and not Path("logs/measure.log").exists()


def test_files_and_their_folders_are_flushed_before_a_record_says_that_they_are_there(
    job: SimpleNamespace,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []

    def noted(path: Path) -> None:
        order.append(str(path))
        flush(path)

    monkeypatch.setattr(files, "flush", noted)
    monkeypatch.setattr("surveywaves.script.flush", noted)
    with stage(job):
        write_bytes(b"x", "out/table.tsv")
    assert order == ["out/.table.tsv.part", "out", "logs/.measure.log.part", "logs"]


def test_all_of_a_folder_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").touch()
    order: list[Path] = []
    monkeypatch.setattr(files, "flush", order.append)
    flush_all(tmp_path)
    assert order[-1] == tmp_path
    assert set(order) == {tmp_path, tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/c"}


def test_why_a_folder_is_closed_is_said_in_a_clause(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    assert closed(tmp_path) == closed(tmp_path / "new") == ""
    assert closed(tmp_path / "file") == "a file lies where a folder belongs"
    assert closed(tmp_path / "link") == "a link to what is no folder"


# --- a whole run --------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(whole_run: WholeRun, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A copy of a finished study, beside the original."""
    finished = whole_run("drawn")
    folder = finished.with_name(f"fault_{request.node.name.partition('[')[0][-60:]}")
    yield Path(shutil.copytree(finished, folder, symlinks=True))
    shutil.rmtree(folder)


def _trusted(folder: Path, found: Path) -> None:
    """Damage every output of every job, one at a time, and write down those that would still be trusted."""

    def run_again(jobs: list[freshness.Job], *_: object, **__: object) -> freshness.Again:
        trusted = []
        made = [one for one in jobs if Path(one.log[0]).exists()]
        for one in made:
            for path in (
                one.log[0],
                *(file for name in one.output for file in files.files_under(Path(name))),
            ):
                content = Path(path).read_bytes()
                for damaged in {b"", content[: len(content) // 2]} - {content}:
                    Path(path).write_bytes(damaged)
                    if not freshness.out_of_date(one, freshness.Digests()):
                        trusted.append(f"{path}: {len(damaged)} of {len(content)} bytes")
                Path(path).write_bytes(content)
            if freshness.out_of_date(one, freshness.Digests()):
                trusted.append(f"{one.rule}: not trusted although whole")
        found.write_text("\n".join([str(len(made)), *trusted]), encoding="utf-8")
        return freshness.Again({}, frozenset())

    freshness.run_again = run_again  # type: ignore[assignment]
    os.chdir(folder)
    with contextlib.suppress(SystemExit):
        import_module("snakemake.cli").main(
            ["--snakefile", str(SNAKEFILE), "--cores", "1", "--dry-run", "--quiet"]
        )


@pytest.mark.slow
def test_no_output_that_a_power_cut_left_empty_or_half_is_trusted(drawn: Path, tmp_path: Path) -> None:
    found = tmp_path / "found"
    process = multiprocessing.get_context("fork").Process(target=_trusted, args=(drawn, found))
    process.start()
    process.join()
    jobs, *trusted = found.read_text(encoding="utf-8").splitlines()
    assert int(jobs) > 20
    # What Snakemake leaves in a folder that a job made is no output.
    assert [one for one in trusted if ".snakemake_timestamp" not in one] == []


@pytest.mark.slow
@pytest.mark.parametrize("place", ["results", ".snakemake", ".snakemake/metadata"])
def test_where_nothing_can_be_written_the_run_is_refused_in_a_line(tmp_path: Path, place: str) -> None:
    study = drawn_raw(tmp_path / "study")
    (study / place).parent.mkdir(exist_ok=True)
    (study / place).write_text("a file", encoding="utf-8")
    done = run_snakemake(study)
    assert done.status != 0 and "Traceback" not in done.said
    assert f"{place}: a file lies where a folder belongs (hint: " in done.said


@pytest.mark.slow
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="nothing is closed to root")
def test_read_only_results_are_refused_in_a_line(drawn: Path) -> None:
    (drawn / "results/configuration.yaml").unlink()
    (drawn / "results/logs").chmod(0o500)
    done = run_snakemake(drawn)
    (drawn / "results/logs").chmod(0o700)
    assert done.status != 0 and "Traceback" not in done.said
    assert "results/logs: nothing can be written into it (hint: " in done.said


@pytest.mark.slow
def test_braces_in_titles_and_folders_are_characters(drawn: Path) -> None:
    (drawn / "config").rename(drawn / "my {wave} Übung")
    config = drawn / "my {wave} Übung/config.yaml"
    told = config.read_text(encoding="utf-8").replace("Three offices", "Three {offices} {{x}} {0} {wave}")
    config.write_text(told, encoding="utf-8")
    done = run_snakemake(drawn, "--config", "study=my {wave} Übung", "--", "codebook", "report")
    assert done.status == 0, done.said
    page = (drawn / "results/report/index.html").read_text(encoding="utf-8")
    assert "Three {offices} {{x}} {0} {wave}" in page


@pytest.mark.slow
def test_a_job_that_the_system_kills_is_said_to_lack_memory(drawn: Path) -> None:
    (drawn / "results/logs/sensitivity.log").unlink()
    process = start(drawn, Way())

    def running() -> list[int]:
        found = subprocess.run(
            ["pgrep", "--session", str(process.pid), "--full", r"python\S* \S+\.sensitivity\.py"],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(number) for number in found.stdout.split()]

    while not running() and process.poll() is None:
        time.sleep(0.05)
    for number in running():
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    assert process.wait(120) != 0
    said = (drawn / "said.txt").read_text(encoding="utf-8")
    assert "A job was killed from outside, most often for lack of memory (hint: " in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["--dag", "--archive"])
def test_what_says_something_of_the_workflow_needs_no_number_of_cores(drawn: Path, asked: str) -> None:
    target = ["all.tar.gz"] if asked == "--archive" else []
    if asked == "--archive":
        subprocess.run(["git", "init", "--quiet"], cwd=drawn, check=True)
        subprocess.run(["git", "add", "config"], cwd=drawn, check=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE)]
    nowhere = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not Path(folder, "conda").exists()
    )
    done = subprocess.run(
        [*command, asked, *target],
        cwd=drawn,
        env={**os.environ, "PATH": nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
