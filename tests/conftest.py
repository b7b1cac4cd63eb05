"""The shipped study, run once for all tests that look at what comes out."""

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


def snakemake(folder: Path, *arguments: str, cores: int = 2, **environment: str) -> Run:
    """Run the workflow of this repository on the study in a folder."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that run whole workflows first, so that no worker is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped study, run to its end. Tests look at it and leave it as it is; workers of pytest-xdist share it."""
    top = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        top = top.parent
    folder, done = top / "studies/finished", top / "studies/done"
    folder.parent.mkdir(exist_ok=True)
    with (top / "studies/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            run = snakemake(new_study(folder))
            assert run.status == 0, run.said
            done.touch()
    return folder


@pytest.fixture
def copy_of(finished: Path) -> Callable[[str], Path]:
    """Copy the finished study, with all that Snakemake remembers of it, for a test to change."""

    def copy(name: str) -> Path:
        # Beside the original: the paths from the study to the workflow's code stay the same.
        return shutil.copytree(finished, finished.with_name(name), symlinks=True)

    return copy
