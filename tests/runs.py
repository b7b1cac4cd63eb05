"""Runs of the workflow by tests, each in a process of its own that has imported the packages already.

Those imports take more time than all else of a start, and half of what a small job takes: a job's script, too, runs in
a fork, where Snakemake would start Python anew. surveywaves is not imported before: it comes from the workflow that is
run, which may be another copy. Runs by the command that users give (`ways.py`, `test_slurm.py`) give the same bytes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import shlex
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    [
        *("snakemake.cli", "snakemake.report.html_reporter", "smart_open"),
        *("openpyxl", "pingouin", "pyarrow.parquet", "pydantic", "pyreadstat"),
    ]
)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the workflow: what is imported reads it once


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
    gc.freeze()  # what is imported stays
    sys.argv = ["snakemake", *arguments]
    import_module("snakemake.script").PythonScript.execute_script = _run_script
    import_module("snakemake.cli").main(arguments)


def _run_script(script: Any, file: str, edit: bool = False) -> None:
    """Run a job's script in a fork, in the place of Snakemake's way."""
    job = os.fork()
    if not job:
        status = 1
        [sys.executable] = shlex.split(sys.executable)  # quoted for a shell, which is not here
        try:
            runpy.run_path(file, run_name="__main__")
            status = 0
        except SystemExit as ended:
            print(ended.code if isinstance(ended.code, str) else "", file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    with import_module("snakemake.benchmark").benchmarked(job, script.bench_record):
        _, ended = os.waitpid(job, 0)
    if ended:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(ended), file)
