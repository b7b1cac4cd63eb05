"""Ways of running a study, and whether two of them gave the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from runs import REPOSITORY, Run

PRIVATE = ("ingest", "harmonised", "pooled", "exports", "disclosure")
OTHER_USER = 65534
"""Nobody's number."""


@dataclass(frozen=True)
class Way:
    """How a run is run."""

    cores: int = 2
    umask: int = 0o022
    environment: dict[str, str] = field(default_factory=dict)
    user: int | None = None


def outputs(folder: Path) -> dict[str, str]:
    """Hash every file that the workflow made, logs aside."""
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
        if "logs" not in path.parts
    }


def start(folder: Path, way: Way, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the workflow on the study in a folder, in a certain way, as the head of a session of its own."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(way.cores), *arguments]
    if way.user is not None:
        command = ["setpriv", f"--reuid={way.user}", f"--regid={way.user}", "--clear-groups", *command]
        for path in (folder.parent, folder, *folder.rglob("*")):
            os.chown(path, way.user, way.user)
    home = folder.parent
    return subprocess.Popen(
        command,
        cwd=folder,
        umask=way.umask,
        env={**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), **way.environment},
        stdout=(folder / "said.txt").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run(folder: Path, way: Way, *arguments: str) -> Run:
    """Run the workflow on the study in a folder, in a certain way, to its end."""
    status = start(folder, way, *arguments).wait()
    return Run(status, (folder / "said.txt").read_text(encoding="utf-8"))


def another_user() -> int | None:
    """Another user who can run what lies here; None: there is none, which is said."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        print("\nnot run as another user: only root can, with setpriv")
        return None
    look = [sys.executable, "-c", "import snakemake, pandas, sys; open(sys.argv[1]).read()"]
    # By way of a shell, as Snakemake starts its jobs: what setpriv starts itself may still have root's privileges.
    command = ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups", "sh", "-c"]
    done = subprocess.run(
        [*command, '"$0" "$@"; exit "$?"', *look, str(REPOSITORY / "Snakefile")],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if done.returncode:
        print(f"\nnot run as another user: {done.stderr.strip().splitlines()[-1]}")
        return None
    return OTHER_USER


def turkish(folder: Path) -> dict[str, str]:
    """A locale in which i and I are no pair and numbers have a comma: made here, where its sources are."""
    made = folder / "tr_TR.UTF-8"
    if shutil.which("localedef"):
        subprocess.run(
            ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(made)], check=False, capture_output=True
        )
    if not made.is_dir():
        print("\nno Turkish locale here: the environment asks for one all the same")
    return {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "LOCPATH": str(folder)}


SPLIT = ("--set-scatter", "scales=2")
"""What splits a study by scale."""


def same_bytes(one: Path, other: Path, *, split: bool = False) -> None:
    """Hold two runs of a study against each other, all outputs and what their records say; the other may be split."""
    first, second = outputs(one), outputs(other)
    if split:
        shards = {Path(name).parts[2] for name in second.keys() - first.keys()}
        assert shards == {"compare", "measure", "invariance"}
        second = {name: second[name] for name in second.keys() & first.keys()}
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    private = [path for part in PRIVATE for path in (other / "results" / part).rglob("*.parquet")]
    assert len(private) > 6
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    first_records, second_records = records(one), records(other)
    for rule in ("compare", "measure", "invariance") if split else ():  # they read what the shards give
        first_records.pop(Path(f"results/logs/{rule}.log"))
    assert [name for name in first_records if first_records[name] != second_records.get(name)] == []
    assert len(first_records) > 15


def records(study: Path) -> dict[Path, str]:
    """The records of a run, but for the way from the study to the workflow, which the report's templates lie on."""
    way = f"{os.path.relpath(REPOSITORY, study)}/"
    return {
        path.relative_to(study): path.read_text(encoding="utf-8").replace(way, "")
        for path in (study / "results/logs").rglob("*.log")
    }
