"""A run that is killed or told to end at any moment, or finds the disk full, is taken up again and ends in the same
bytes, whoever runs it, wherever, and on however many cores. (Pins that are killed: `test_pin.py`.)

Whole runs are dear: one goes another way than the run that the other tests look at in all that a way is, and the one on
a cluster (`test_slurm.py`) a third; no two agree in cores, locale, time zone, hash seed, umask or folder. Where they
differ, vary one at a time.
"""

from __future__ import annotations

import base64
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drawn_raw import drawn_raw
from killing import halves, killed_when, records
from runs import snakemake
from ways import SPLIT, Way, another_user, run, same_bytes, start, turkish


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[str], bool]]:
    """A disk of its own in a folder, where root can mount one; gives what makes it another size, if it can."""
    folder.mkdir()

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    there = mount("size=90m")
    try:
        yield lambda size: there and mount(f"remount,size={size}")
    finally:
        if there:
            subprocess.run(["umount", str(folder)], check=True)


def ended_after(study: Path, way: Way, jobs: int, pause: float, how: signal.Signals) -> None:
    """Run a study, and end the run a while after so many jobs: in the midst of one that no one can tell beforehand."""
    process, since = start(study, way, *SPLIT), [0.0]

    def now() -> bool:
        if not since[0] and records(study) >= jobs:
            since[0] = time.monotonic()
        return bool(since[0]) and time.monotonic() - since[0] >= pause

    if how is signal.SIGKILL:
        left = killed_when(process, study, now)
        assert not left.finished and left.records >= jobs and left.locked
        return
    while not now():
        assert process.poll() is None, "it ended of itself"
        time.sleep(0.005)
    process.send_signal(how)
    process.wait(120)
    assert b"Traceback" not in (study / "said.txt").read_bytes()


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that another user can get to."""
    folder = Path(tempfile.mkdtemp(prefix="killed-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_run_split_by_scale_with_faults_on_its_way_ends_in_the_same_bytes(
    whole_run: Callable[[str], Path], room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unlike = {"TZ": "America/St_Johns", "PYTHONHASHSEED": "4294967295", "OMP_NUM_THREADS": "8"}
    with capsys.disabled():
        way = Way(cores=4, umask=0o000, environment=turkish(room) | unlike, user=another_user())
    study, chance = drawn_raw(room / "study/an other Ordner, ü and 日本"), random.Random(3)
    with small_disk(study / "results") as resize:
        ended_after(study, way, 2, chance.uniform(0, 1.5), signal.SIGTERM)
        ended_after(study, way, 11, chance.uniform(0, 1.5), signal.SIGKILL)
        refused = snakemake(study)
        assert refused.status != 0 and "--unlock" in refused.said
        assert snakemake(study, "--unlock").status == 0
        if resize("1m"):
            full = run(study, way, *SPLIT)
            assert full.status != 0 and "Traceback" not in full.said
            # What a job writes, or the record of its time that Snakemake writes after it.
            assert re.search(
                r"no space left on the disk \(hint: |OSError: \[Errno 28\] No space left", full.said
            )
            assert resize("90m")
        done = run(study, way, *SPLIT)
        assert done.status == 0, done.said
        assert halves(study) == []
        same_bytes(whole_run("drawn"), study, split=True)


def test_what_follows_a_job_killed_between_its_record_and_snakemakes_is_not_left_out(
    whole_run: Callable[[str], Path],
) -> None:
    finished = whole_run("drawn")
    study = Path(shutil.copytree(finished, finished.with_name("killed_late"), symlinks=True))
    mark = base64.urlsafe_b64encode(b"results/pooled/responses.parquet").decode()
    (study / ".snakemake/incomplete" / mark).write_text('{"external_jobid": null}', encoding="utf-8")
    (study / "results/logs/describe.log").unlink()
    jobs = snakemake(study, "--dry-run").jobs
    assert "pool" not in jobs
    assert {"describe", "release", "figures", "report"} <= jobs.keys()
