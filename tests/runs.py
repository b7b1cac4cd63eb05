"""Runs of the workflow by tests, each in a process of its own that has imported Snakemake already.

That import takes more time than all else of a start. The server that the processes are forked from has imported nothing
else: the package comes from the workflow that is run, which may be another copy.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["snakemake.cli"])


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


class Allowed:
    """Whether the test that runs may run a workflow: outside of tests, always."""

    to_run = True


def snakemake(
    folder: Path, *arguments: str, cores: int = 2, code: Path | None = None, **environment: str
) -> Run:
    """Run the workflow of this repository, or of another copy of its code, on the study in a folder."""
    assert Allowed.to_run, "runs the workflow without being marked slow"
    given = ["--snakefile", str((code or REPOSITORY) / "Snakefile"), "--directory", str(folder)]
    given += ["--cores", str(cores), *arguments]
    with tempfile.NamedTemporaryFile() as said:
        process = SERVER.Process(target=_run, args=(folder, said.name, given, {**os.environ, **environment}))
        process.start()
        process.join()
        return Run(int(process.exitcode or 0), Path(said.name).read_text(encoding="utf-8"))


def _run(folder: Path, said: str, arguments: list[str], environment: dict[str, str]) -> None:
    out = os.open(said, os.O_WRONLY | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["snakemake", *arguments]
    import_module("snakemake.cli").main(arguments)
