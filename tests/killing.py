"""Killing a run of the workflow, all its processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Killed:
    """What a killed run left behind."""

    finished: bool
    """Whether it had ended before the moment came."""
    records: int
    """Jobs that had left their record."""
    locked: bool
    """Whether Snakemake's lock was left."""


def killed_when(process: subprocess.Popen[bytes], folder: Path, now: Callable[[], bool]) -> Killed:
    """Wait for a moment, kill the process and all that it started with SIGKILL, and see what is left."""
    while process.poll() is None and not now():
        time.sleep(0.01)
    finished = process.poll() is not None
    if not finished:
        _kill(process.pid)
        process.wait()
    return Killed(finished, records(folder), locked(folder))


def _kill(session: int) -> None:
    """Kill every process of a session; again, should one have started another meanwhile."""
    while alive := _members(session):
        for number in alive:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def _members(session: int) -> list[int]:
    """List the living processes of a session, which a job stays in even when it heads a group of its own."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, *rest = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(rest[2]) == session and state != "Z":
            found.append(int(entry.name))
    return found


def records(folder: Path) -> int:
    """Count the jobs that have left their record."""
    return sum(1 for _ in (folder / "results/logs").rglob("*.log"))


def halves(folder: Path) -> list[Path]:
    """List the files under a name that nothing trusts."""
    return sorted((folder / "results").rglob(".*.part"))


def locked(folder: Path) -> bool:
    """Whether Snakemake's lock lies in a folder."""
    return any((folder / ".snakemake/locks").glob("*"))
