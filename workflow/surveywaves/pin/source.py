"""What a study is run from: the files that a pin keeps a copy of, and the state of git that they are in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from platform import machine, python_version, system
from typing import Any, Final

from surveywaves.pin.manifest import Environment, Revision
from surveywaves.pin.records import Places
from surveywaves.study.models import Study

WORKFLOW: Final = (
    "Snakefile",
    "workflow",
    "profiles",
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "environment.yml",
    "README.md",
    "LICENSE",
    "CITATION.cff",
)
"""What of the workflow's folder a rerun needs: the code, and how to build what it runs in."""

LOCK: Final = "requirements.lock"

_KEPT_OUT: Final = {"__pycache__"}


@dataclass(frozen=True, slots=True)
class Source:
    """The files that a study is run from, by the name that a pin gives them under `source/`.

    Parameters
    ----------
    code
        Those of the workflow.
    config
        Those of the study's folder, `config/...`.
    publication
        Those of a publication that the study is held against, under the path that the configuration names.
    """

    code: Mapping[str, Path]
    config: Mapping[str, Path]
    publication: Mapping[str, Path]

    @classmethod
    def of(cls, study: Study, places: Places) -> Source:
        """Find the files of a study."""
        return cls(
            code={
                path.relative_to(places.home).as_posix(): path
                for part in WORKFLOW
                for path in _files(places.home / part)
            },
            config={
                PurePosixPath("config", path.relative_to(places.study)).as_posix(): path
                for path in _files(places.study)
            },
            publication={name: places.folder / name for name in publication_files(study)},
        )

    @property
    def all(self) -> dict[str, Path]:
        """Give all of them, in order; what lies outside the study's folder by an absolute path stays there."""
        inside = {name: path for name, path in self.publication.items() if not _outside(name)}
        return dict(sorted({**self.code, **self.config, **inside}.items()))


def _files(path: Path) -> Iterator[Path]:
    """Yield the files under a path, or the file; nothing hidden and no cache."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for inside in sorted(path.iterdir()):
            hidden = inside.name.startswith(".") or inside.suffix in {".pyc", ".egg-info"}
            if not hidden and inside.name not in _KEPT_OUT:
                yield from _files(inside)


def _outside(name: str) -> bool:
    return Path(name).is_absolute() or ".." in Path(name).parts


def raw_files(study: Study) -> list[str]:
    """List the raw files of the waves, as the configuration names them."""
    return [file.path for wave in study.waves for file in wave.file.files]


def publication_files(study: Study) -> list[str]:
    """List the files of the publication that a study is held against; none if there is no publication."""
    if (published := study.config.published) is None:
        return []
    named = [published.tables, published.titles, published.claims, published.decisions]
    return sorted({name for name in [*named, *published.single_choice.values()] if name})


def environment(home: Path) -> Environment:
    """Say what runs here: Python, and each package of the lock that is installed."""
    lock = home / LOCK
    text = lock.read_text(encoding="utf-8") if lock.exists() else ""
    packages = dict(_installed(sorted(set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)))))
    return Environment(
        python=python_version(),
        platform=f"{system()} {machine()}",
        matplotlib=packages.pop("matplotlib", "") or dict(_installed(["matplotlib"])).get("matplotlib", ""),
        packages=packages,
    )


def _installed(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


# --- git --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkout:
    """What git knows of some files.

    Parameters
    ----------
    revision
        The commit that is checked out; None: there is none.
    changed
        Files that are not as that commit has them, or not in it; of the files that were asked about.
    problem
        Why there is no commit.
    """

    revision: Revision | None
    changed: tuple[str, ...] = field(default=())
    problem: str = ""


def checkout(folder: Path, roots: Iterable[Path], files: Iterable[Path]) -> Checkout:
    """Ask git about the files under some roots in a folder; those among `files` matter even where git ignores them."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.returncode:
        return Checkout(None, problem=_reason(top))
    told = _git(folder, "show", "--no-patch", "--format=%H %cI", "HEAD")
    if told.returncode:
        return Checkout(None, problem="nothing is committed yet")
    commit, date = told.stdout.split()
    status = _git(
        folder,
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignored=matching",
        "--",
        *(os.path.relpath(root, folder) for root in roots),
    )
    if status.returncode:
        return Checkout(None, problem=_reason(status))
    home = Path(top.stdout.strip())
    known = [path.resolve() for path in files]
    changed = []
    for entry in filter(None, status.stdout.split("\0")):
        code, name = entry[:2], entry[3:]
        path = home / name
        ours = any(file == path or file.is_relative_to(path) for file in known)
        if ours or (code not in {"!!", "??"}):
            changed.append(name)
    return Checkout(Revision(commit=commit, date=date), tuple(sorted(changed)))


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess[Any](command, 127, "", "git is not installed")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    said = done.stderr.strip().splitlines()
    if not said or "not a git repository" in said[0]:
        return "not a git checkout"
    return said[0].removeprefix("fatal: ")
