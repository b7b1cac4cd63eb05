"""Many dry runs in the time of a few: Snakemake is imported once, and each run has a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from pathlib import Path

import snakemake.cli

from conftest import Run


def dry_run(folder: Path, *arguments: str) -> Run:
    """Dry-run the workflow that lies in a folder with its study, as a command line of its own would."""
    said = folder.with_name(f"{folder.name}.said")
    process = multiprocessing.get_context("fork").Process(target=_run, args=(folder, said, arguments))
    process.start()
    process.join()
    return Run(process.exitcode or 0, said.read_text(encoding="utf-8"))


def _run(folder: Path, said: Path, arguments: tuple[str, ...]) -> None:
    with said.open("w", encoding="utf-8") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        sys.stdout = sys.stderr = out
        os.chdir(folder)
        with contextlib.suppress(SystemExit):
            snakemake.cli.main(["--cores", "1", "--dry-run", *arguments])
