"""What a study is run from, and computing all of it once more in a clean folder.

A pin keeps a copy of the files that a study is run from, and says in what state of git they are. The clean folder holds
nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from platform import machine, node, python_version, system
from typing import Any, Final

from surveywaves.errors import Mistake
from surveywaves.pin.manifest import Environment, Places, Revision
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
    """The files that a study is run from, by the name that a pin gives them under `source/`."""

    code: Mapping[str, Path]
    """Those of the workflow."""
    config: Mapping[str, Path]
    """Those of the study's folder, `config/...`."""
    publication: Mapping[str, Path]
    """Those of a publication that the study is held against, under the path that the configuration names."""

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
        """Return all of them, in order; what lies outside the study's folder by an absolute path stays there."""
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
    """List the raw files of the waves and of the coded material, as the configuration names them."""
    coded = study.qualitative.file.files if study.qualitative else ()
    return [*(file.path for wave in study.waves for file in wave.file.files), *coded]


def files_of_people(study: Study) -> list[str]:
    """List the raw files that hold something of people: all but codebooks, which hold names of codes."""
    books = study.qualitative.file.codebooks if study.qualitative else ()
    return [name for name in raw_files(study) if name not in books]


def publication_files(study: Study) -> list[str]:
    """List the files of the publication that a study is held against; none if there is no publication."""
    return published.files if (published := study.config.published) else []


def environment(home: Path) -> Environment:
    """Return what runs here: Python, and each package of the lock that is installed."""
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
    """What git knows of some files."""

    revision: Revision | None
    """The commit that is checked out; None: there is none."""
    changed: tuple[str, ...] = field(default=())
    """Files that are not as that commit has them, or not in it; of the files that were asked about."""
    problem: str = ""
    """Why there is no commit."""


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
            encoding="utf-8",
            errors="surrogateescape",
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


VERIFY: Final = Path("results/verify")
"""Where the clean folder and the listings lie: beside the data, which may be confidential, not among other people's
temporary files."""

_CLEAN: Final = ".clean-"
_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Rederived:
    """What came of it."""

    places: Places
    """Where the new results lie."""
    failures: tuple[Mistake, ...]
    """What stopped it, a line each; none if all went well."""


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
    for left in room.glob(f"{_CLEAN}*"):
        if not _in_use(left):  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
    top = Path(tempfile.mkdtemp(prefix=f"{_CLEAN}{node()}-{os.getpid()}-", dir=room))
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
            errors="replace",
            check=False,
            cwd=clean.folder,
            env={name: value for name, value in os.environ.items() if name != "SNAKEMAKE_PROFILE"},
        )
        yield Rederived(clean, tuple(_failures(done.stdout, clean)) if done.returncode else ())
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    """Whether the process that made a clean folder still runs; of what cannot be asked, whether it is of today."""
    machine_, _, process = folder.name.removeprefix(_CLEAN).rpartition("-")[0].rpartition("-")
    if os.name != "posix" or machine_ != node():
        return time.time() - folder.stat().st_mtime < _A_DAY
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def _lay_out(top: Path, study: Study, places: Places) -> Places:
    """Link what the study is run from into the clean folder, under the paths that the configuration names."""
    names = [Path(name) for name in [*raw_files(study), *publication_files(study)]]
    inside = [name for name in names if not name.is_absolute()]
    # A path that leads up and out of the working folder must end within the clean one.
    folder = top.joinpath(*["in"] * (1 + max((name.parts.count("..") for name in inside), default=0)))
    folder.mkdir(parents=True)
    _put(places.study, folder / "config")
    for name in inside:
        link = Path(os.path.normpath(folder / name))
        link.parent.mkdir(parents=True, exist_ok=True)
        _put((places.folder / name).resolve(), link)
    return Places(folder, places.home, folder / "config")


def _put(path: Path, link: Path) -> None:
    """Link a file or folder; copy it where the system lets only administrators link, as Windows may."""
    try:
        link.symlink_to(path, target_is_directory=path.is_dir())
    except OSError:
        shutil.copytree(path, link) if path.is_dir() else shutil.copyfile(path, link)


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
