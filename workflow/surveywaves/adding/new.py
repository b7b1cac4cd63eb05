"""A folder for a study of one's own: what to fill in, where raw files go, and a guard that keeps them there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from surveywaves.errors import SurveywavesError

SKELETON: Final = Path(__file__).with_name("skeleton")
CLOSED: Final = ("resources/raw", "resources/private")
"""Folders that only their owner may look into."""


OWN: Final = "have its pre-commit hook run `surveywaves confidential`"


def new_study(folder: Path) -> list[str]:
    """Lay a study out in a new (or empty) folder, have git refuse answers of people in it, and say so in lines."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SurveywavesError.at(folder, "is there, and not empty", "name a folder that is to be made")
    shutil.copytree(SKELETON, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    (folder / "gitignore").rename(folder / ".gitignore")
    (folder / ".githooks/pre-commit").chmod(0o755)
    for name in CLOSED:
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o700)
    return [f"made: {folder}", _guarded(folder)]


def _guarded(folder: Path) -> str:
    """Turn the hook on where the folder is, or becomes, the top of a repository."""
    try:
        top = _git(folder, "rev-parse", "--show-toplevel")
        if top is None:
            _git(folder, "init", "--quiet")
        elif Path(top) != folder.resolve():
            return f"not guarded yet: it lies in the repository {top}; {OWN}"
        if other := _git(folder, "config", "core.hooksPath"):
            return f"not guarded yet: git runs the hooks in {other}; {OWN}"
        _git(folder, "config", "core.hooksPath", ".githooks")
    except FileNotFoundError:
        return (
            "not guarded: git is not installed (then `git config core.hooksPath .githooks` turns the hook on)"
        )
    return "guarded: git refuses to commit answers of people there (.githooks/pre-commit)"


def _git(folder: Path, *arguments: str) -> str | None:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
