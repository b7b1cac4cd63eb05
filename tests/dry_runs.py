"""Many dry runs in the time of a few: Snakemake is imported once, and each run has a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from importlib import import_module
from pathlib import Path

from conftest import Run


def dry_run(folder: Path, *arguments: str, code: Path | None = None) -> Run:
    """Dry-run the workflow on the study in a folder, by the code that lies there or elsewhere.

    It goes as a command line of its own would.
    """
    import_module("snakemake.cli")  # takes seconds
    said = folder.with_name(f"{folder.name}.said")
    given = ("--snakefile", str((code or folder) / "Snakefile"), *arguments)
    process = multiprocessing.get_context("fork").Process(target=_run, args=(folder, said, given))
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
            import_module("snakemake.cli").main(["--cores", "1", "--dry-run", *arguments])
