"""Whether git is about to commit what must stay with the team: the check behind the hook."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from surveywaves.confidential.check import (
    MAY_STAND,
    PRIVATE,
    RAW,
    confidential_files,
    read_allowed,
    signs_of,
)
from surveywaves.errors import Mistake, SurveywavesError

ALLOWED: Final = Path(".githooks/allowed.tsv")
"""In a repository: the files that look like answers of people and may be committed, and why."""


def staged_mistakes(top: Path) -> list[Mistake]:
    """Look at everything that is staged in a repository, as it is staged.

    Parameters
    ----------
    top
        Top folder of the working tree.
    """
    names = _git(top, "diff", "--cached", "--name-only", "--no-renames", "--diff-filter=AM", "-z").split("\0")
    with tempfile.TemporaryDirectory(prefix="staged-") as room:  # its owner alone can look into it
        files: dict[str, Path] = {}
        for name in filter(None, names):
            content = _git_bytes(top, "cat-file", "blob", f":{name}")
            if content is not None:  # a submodule has none
                files[name] = Path(room, str(len(files)))
                files[name].write_bytes(content)
        return list(mistakes_in(files, top))


def mistakes_in(files: dict[str, Path], top: Path) -> list[Mistake]:
    """Look at files with all that is known where they come from: the study, its confidential files, what is allowed."""
    rooms = [*(f"results/{room}" for room in PRIVATE), RAW]
    hidden = {
        path.relative_to(top).as_posix(): path
        for room in rooms
        for path in sorted((top / room).rglob("*"))
        if path.is_file() and path.name not in MAY_STAND
    }
    return list(confidential_files(files, signs_of(top / "config", hidden), read_allowed(top / ALLOWED)))


def _git(top: Path, *arguments: str) -> str:
    found = _git_bytes(top, *arguments)
    if found is None:
        raise SurveywavesError.at(top, "not a git repository, or git is not installed")
    return found.decode("utf-8", errors="surrogateescape")


def _git_bytes(top: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", str(top), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
