"""Computing all results once more in a clean folder, where nothing lies but what the study is run from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from surveywaves.errors import Mistake
from surveywaves.pin.records import Places
from surveywaves.pin.source import publication_files, raw_files
from surveywaves.study.models import Study

VERIFY: Final = Path("results/verify")
"""Where the clean folder and the listings lie: beside the data, which may be confidential, not among other people's
temporary files."""

_CLEAN: Final = ".clean-"


@dataclass(frozen=True, slots=True)
class Rederived:
    """What came of it.

    Parameters
    ----------
    places
        Where the new results lie.
    failures
        What stopped it, a line each; none if all went well.
    """

    places: Places
    failures: tuple[Mistake, ...]


@contextmanager
def rederive(study: Study, places: Places, *, target: str, cores: int) -> Iterator[Rederived]:
    """Run the workflow in a clean folder, which is gone afterwards; its owner alone can look into it.

    Parameters
    ----------
    study
        The study, as it is described now.
    places
        Where it lies, and the workflow.
    target
        Rule to run.
    cores
        Cores to run on.
    """
    room = places.folder / VERIFY
    room.mkdir(parents=True, exist_ok=True)
    for left in room.glob(f"{_CLEAN}*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    top = Path(tempfile.mkdtemp(prefix=_CLEAN, dir=room))
    try:
        clean = _lay_out(top, study, places)
        command = [
            *(sys.executable, "-m", "snakemake"),
            *("--snakefile", str(places.home / "Snakefile")),
            *("--directory", str(clean.folder)),
            *("--cores", str(cores)),
            *("--profile", "none", "--workflow-profile", "none", "--nocolor"),
            *("--config", f"study={clean.study.relative_to(clean.folder)}"),
            *("--", target),
        ]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=clean.folder,
            env={name: value for name, value in os.environ.items() if name != "SNAKEMAKE_PROFILE"},
        )
        yield Rederived(clean, tuple(_failures(done.stdout, clean)) if done.returncode else ())
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _lay_out(top: Path, study: Study, places: Places) -> Places:
    """Link what the study is run from into the clean folder, under the paths that the configuration names."""
    names = [Path(name) for name in [*raw_files(study), *publication_files(study)]]
    inside = [name for name in names if not name.is_absolute()]
    # A path that leads up and out of the working folder must end within the clean one.
    folder = top.joinpath(*["in"] * (1 + max((name.parts.count("..") for name in inside), default=0)))
    folder.mkdir(parents=True)
    (folder / "config").symlink_to(places.study, target_is_directory=True)
    for name in inside:
        link = Path(os.path.normpath(folder / name))
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((places.folder / name).resolve())
    return Places(folder, places.home, folder / "config")


_STOPPED: Final = re.compile(r"Error in (?:rule )?(\w+):.*?\n\s+log: (\S+)", re.DOTALL)
_RAISED: Final = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception)\b.*", re.MULTILINE)


def _failures(said: str, clean: Places) -> Iterator[Mistake]:
    """Yield why a run failed: what the failed jobs left in their logs, or else what it said last."""
    told = False
    for rule, log in dict.fromkeys(_STOPPED.findall(said)):
        path = clean.folder / log.rstrip(",")
        wave = "" if path.parent.name == "logs" else f"({path.stem})"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        raised = [line for line in _RAISED.findall(said) if not line.startswith(_NOISE)]
        for line in lines or raised[-1:] or [f"see {log}"]:
            told = True
            yield Mistake(f"{rule}{wave} stops", line)
    if not told:
        last = [line.strip() for line in said.splitlines() if line.strip()]
        for line in last[-3:]:
            yield Mistake("snakemake stops", line)


_NOISE: Final = ("RuleException", "CalledProcessError", "WorkflowError", "subprocess.CalledProcessError")
