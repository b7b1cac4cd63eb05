"""The same study gives the same bytes, whoever runs it, wherever, and on however many cores.

Full runs are dear, so one varies everything at once against the run that the other tests look at, is run by another
user, and finds every file of an earlier run empty, as a power cut may leave them; the run that `test_killed.py` takes
up (`CLOSED`) varies everything a third way. No two of the three agree in cores, locale, time zone, hash seed, threads
of linear algebra, umask or folder. Where they differ, vary one at a time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import REPOSITORY, Run

PRIVATE = ("ingest", "harmonised", "pooled", "exports", "disclosure")
OTHER_USER = 65534
"""Nobody's number."""


@dataclass(frozen=True)
class Way:
    """How a run is run."""

    cores: int
    umask: int
    environment: dict[str, str] = field(default_factory=dict)
    user: int | None = None


CLOSED = Way(
    cores=1,
    umask=0o077,
    environment={
        "LC_ALL": "C",
        "LANG": "C",
        "TZ": "Pacific/Auckland",
        "PYTHONHASHSEED": "7",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "40",
    },
)


def outputs(folder: Path) -> dict[str, str]:
    """Hash every file that the workflow made, logs aside."""
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
        if "logs" not in path.parts
    }


def run(folder: Path, way: Way, *arguments: str) -> Run:
    """Run the workflow on the study in a folder, in a certain way."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(way.cores), *arguments]
    if way.user is not None:
        command = ["setpriv", f"--reuid={way.user}", f"--regid={way.user}", "--clear-groups", *command]
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    if way.user is not None:
        for path in (folder.parent, folder, home, *folder.rglob("*")):
            os.chown(path, way.user, way.user)
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), **way.environment}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        umask=way.umask,
        env=environment,
    )
    return Run(done.returncode, done.stdout + done.stderr)


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


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that another user can get to."""
    folder = Path(tempfile.mkdtemp(prefix="determinism-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_outputs_are_the_same_bytes_however_they_are_made(
    whole_run: Callable[[str], Path], room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        way = Way(
            cores=8,
            umask=0o000,
            environment={
                **turkish(room),
                "TZ": "America/St_Johns",
                "PYTHONHASHSEED": "4294967295",
                "OMP_NUM_THREADS": "8",
            },
            user=another_user(),
        )
    finished = whole_run("drawn")
    other = Path(shutil.copytree(finished, room / "study/an other Ordner, ü and 日本", symlinks=True))
    for path in (*(other / "results").rglob("*"), *(other / ".snakemake").rglob("*")):
        if path.is_file():
            path.write_bytes(b"")
    done = run(other, way)
    assert done.status == 0, done.said
    same_bytes(finished, other)


def same_bytes(one: Path, other: Path) -> None:
    """Hold two runs of a study against each other: all outputs, and what their records say."""
    first, second = outputs(one), outputs(other)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    private = [path for part in PRIVATE for path in (other / "results" / part).rglob("*.parquet")]
    assert len(private) > 6
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    first_records, second_records = records(one), records(other)
    assert [name for name in first_records if first_records[name] != second_records.get(name)] == []
    assert len(first_records) > 15


def records(study: Path) -> dict[Path, str]:
    """The records of a run, but for the way from the study to the workflow, which the report's templates lie on."""
    way = f"{os.path.relpath(REPOSITORY, study)}/"
    return {
        path.relative_to(study): path.read_text(encoding="utf-8").replace(way, "")
        for path in (study / "results/logs").rglob("*.log")
    }


def test_a_study_split_by_scale_gives_the_same_statistics(
    whole_run: Callable[[str], Path], tmp_path: Path
) -> None:
    """With as many jobs as it has scales, and families of items that reach over them."""
    whole, split = whole_run("drawn"), tmp_path / "split"
    shutil.copytree(whole, split, ignore=shutil.ignore_patterns(".snakemake"))
    wanted = [f"results/statistics/{table}.parquet" for table in ("contrasts", "dif")]
    done = run(split, Way(cores=2, umask=0o022), *wanted, "--set-scatter", "scales=3")
    assert done.status == 0, done.said
    first, second = outputs(whole), outputs(split)
    assert [name for name in first if first[name] != second[name]] == []
    assert {Path(name).parts[2] for name in second.keys() - first.keys()} == {"compare", "measure"}
