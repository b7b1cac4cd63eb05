"""Three whole studies, each run once for all tests that look at what comes out."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from drawn_raw import drawn_raw

REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True)
class Run:
    """What a run of the workflow said, and how it ended."""

    status: int
    said: str

    @property
    def jobs(self) -> dict[str, int]:
        """Jobs by rule, as Snakemake counts them before it starts (`all` left out)."""
        lines = self.said.splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("Job stats:")]
        if not starts:
            return {}
        counts = {}
        for line in lines[starts[0] + 3 :]:
            name, _, count = line.strip().rpartition(" ")
            if not count.isdigit() or name.strip() == "total":
                break
            counts[name.strip()] = int(count)
        return {name: count for name, count in counts.items() if name != "all"}


def snakemake(
    folder: Path, *arguments: str, cores: int = 2, code: Path | None = None, **environment: str
) -> Run:
    """Run the workflow of this repository, or of another copy of its code, on the study in a folder."""
    snakefile = (code or REPOSITORY) / "Snakefile"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
    done = subprocess.run(
        [*command, "--directory", str(folder), "--cores", str(cores), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )
    return Run(done.returncode, done.stdout + done.stderr)


def new_study(folder: Path) -> Path:
    """Lay the shipped study out in a folder, as a fresh clone has it."""
    folder.mkdir(parents=True)
    for part in ("config", "resources/published", "demo/raw"):
        shutil.copytree(REPOSITORY / part, folder / part)
    return folder


def everyday_life(folder: Path) -> Path:
    """Lay `tests/studies/everyday_life` out in a folder."""
    for part in ("config", "resources"):
        shutil.copytree(REPOSITORY / "tests/studies/everyday_life" / part, folder / part)
    return folder


STUDIES: dict[str, Callable[[Path], Path]] = {
    "shipped": new_study,
    "everyday_life": everyday_life,
    "drawn": drawn_raw,
}


def run_study(name: str, folder: Path) -> Path:
    """Lay one of `STUDIES` out in a new folder and run it to its end."""
    run = snakemake(STUDIES[name](folder))
    assert run.status == 0, run.said
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that run whole workflows first, so that no worker is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Studies by name, run to their end. Tests leave them as they are; workers of pytest-xdist share them."""
    top = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        top = top.parent
    home = top / "studies"
    home.mkdir(exist_ok=True)

    def finish(name: str) -> Path:
        folder, done = home / name, home / f"{name}.done"
        with (home / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                run_study(name, folder)
                done.touch()
        return folder

    return finish


@pytest.fixture(scope="session")
def finished(finished_study: Callable[[str], Path]) -> Path:
    """The shipped study, run to its end."""
    return finished_study("shipped")


@pytest.fixture
def copy_of(finished: Path) -> Callable[[str], Path]:
    """Copy the finished study, with all that Snakemake remembers of it, for a test to change."""

    def copy(name: str) -> Path:
        # Beside the original: the paths from the study to the workflow's code stay the same.
        return shutil.copytree(finished, finished.with_name(name), symlinks=True)

    return copy
