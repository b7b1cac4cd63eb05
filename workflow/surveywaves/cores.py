"""`snakemake --cores` without a number, as its manual has it and its parser refuses it: all cores."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence


def snakemake() -> int:
    """Run Snakemake in the place of this process."""
    # -P: a module of the study's folder is none of Snakemake's.
    command = [sys.executable, "-P", "-m", "snakemake", *with_number(sys.argv[1:])]
    if os.name == "nt":  # there, a process that takes the place of another is not waited for
        return subprocess.call(command)
    return os.execv(command[0], command)


def with_number(arguments: Sequence[str]) -> Iterator[str]:
    """Put `all` behind a `--cores` that has no number."""
    for place, word in enumerate(arguments, start=1):
        yield word
        following = "".join(arguments[place : place + 1])
        if word in {"--cores", "-c"} and not (following.isdecimal() or following == "all"):
            yield "all"
