"""What must never be in a pin: answers of individual people, and counts that the release withholds."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from surveywaves.confidential import PRIVATE, reason_in, signs_of
from surveywaves.errors import Mistake
from surveywaves.pin.manifest import Job
from surveywaves.pin.records import Places
from surveywaves.script import digest

UNRELEASED: Final = ("results/statistics/", "results/audit/", "results/exports/", "results/disclosure/")
"""What nothing that is shown may be made from."""

_HINT: Final = "nothing passes over this; see docs/disclosure.md"


def confidential(files: Mapping[str, Path], places: Places, raw: Sequence[str]) -> Iterator[Mistake]:
    """Yield each file that must not be shown: by where it lies, what is in it, or who may read it.

    Parameters
    ----------
    files
        Name in a pin -> the file.
    places
        Where the run has its parts.
    raw
        The waves' raw files.
    """
    rooms = [(places.folder / "results" / room).resolve() for room in PRIVATE]
    hidden = [path for room in rooms for path in sorted(room.rglob("*")) if path.is_file()]
    hidden += [path for name in raw if (path := places.lying_at(name)).is_file()]
    copies = {digest(path): path for path in hidden if path.stat().st_size}
    results = (places.folder / "results").resolve()
    signs = signs_of(places.study)
    for name, path in files.items():
        real = path.resolve()
        if any(real.is_relative_to(room) for room in rooms):
            yield Mistake(
                name, f"confidential: it lies in results/{real.relative_to(results).parts[0]}", _HINT
            )
        elif (copy := copies.get(digest(path))) is not None:
            yield Mistake(name, f"confidential: the same as {_inside(copy, places)}", _HINT)
        elif reason := reason_in(path.read_bytes(), signs):
            yield Mistake(name, f"confidential: {reason}", _HINT)
        elif real.is_relative_to(results) and _closed(real) and not _closed(results / "configuration.yaml"):
            yield Mistake(name, "confidential: only its owner may read it (mode 0600)", _HINT)


def _inside(path: Path, places: Places) -> str:
    return path.relative_to(places.folder).as_posix() if path.is_relative_to(places.folder) else str(path)


def _closed(path: Path) -> bool:
    """Say whether only the owner may read a file."""
    return not path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)


def unreleased(jobs: Sequence[Job], shown: Sequence[str]) -> Iterator[Mistake]:
    """Yield each thing that is shown and was made from tables that the release has not been through.

    Parameters
    ----------
    jobs
        The records.
    shown
        Files that are shown but for the released tables themselves: figures, report.
    """
    wanted = set(shown)
    for job in jobs:
        outputs = sorted(wanted & job.outputs.keys())
        if not outputs:
            continue
        for path in job.inputs:
            room = path.split("/")[1] if path.startswith("results/") else ""
            if path.startswith(UNRELEASED) or (room in PRIVATE and path.endswith(".parquet")):
                more = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
                yield Mistake(
                    f"{outputs[0]}{more}",
                    f"made from {path}, which is not released",
                    "read results/released; or pin with allow_unreleased=true, which the manifest then says",
                )
