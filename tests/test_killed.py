"""A run that is killed at any moment is taken up again and ends in the same bytes; a pin is whole or not there.

`benchmarks/kill.py` does the same at many random moments.
"""

from __future__ import annotations

import base64
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from conftest import REPOSITORY, snakemake
from drawn_raw import drawn_raw
from killing import halves, killed_when, records, start
from surveywaves.files import digest
from surveywaves.pin.manifest import read_manifest
from test_determinism import CLOSED, run, same_bytes

SNAKEFILE = REPOSITORY / "Snakefile"
CopyOf = Callable[[str], Path]


def test_a_run_killed_three_times_and_taken_up_in_another_way_ends_in_the_same_bytes(
    whole_run: Callable[[str], Path], tmp_path: Path
) -> None:
    study = drawn_raw(tmp_path / "killed")
    chance = random.Random(3)
    for jobs in (2, 9, 16):
        pause, since = chance.uniform(0, 1.5), [0.0]

        def now(jobs: int = jobs, pause: float = pause, since: list[float] = since) -> bool:
            """A while after so many jobs have ended: in the midst of one that no one can tell beforehand."""
            if not since[0] and records(study) >= jobs:
                since[0] = time.monotonic()
            return bool(since[0]) and time.monotonic() - since[0] >= pause

        left = killed_when(start(SNAKEFILE, study), study, now)
        assert not left.finished
        assert left.records >= jobs
        assert left.locked
        if jobs == 2:
            refused = snakemake(study)
            assert refused.status != 0 and "--unlock" in refused.said
        assert snakemake(study, "--unlock").status == 0
    done = run(study, CLOSED)
    assert done.status == 0, done.said
    assert halves(study) == []
    same_bytes(whole_run("drawn"), study)


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


PINNING = """
import os, shutil, signal, sys
from pathlib import Path
sys.path.insert(0, {package!r})
from surveywaves.pin import making
from surveywaves.pin.cause import Asked
from surveywaves.pin.manifest import Places
from surveywaves.study import load_study

class Killing:
    def __init__(self, real): self.real, self.calls = real, 0
    def __call__(self, *given, **named):
        self.calls += 1
        if self.calls == {call}:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.real(*given, **named)

if {call}:
    {where} = Killing({where})
folder = Path.cwd()
results = ["results/configuration.yaml"]
results += [str(path) for path in sorted(Path("results/released").glob("*.csv"))]
asked = Asked(label="one", allow_dirty=True, allow_stale=True, prove=False)
making.pin(asked, load_study(Path("config")), Places(folder, Path({home!r}), folder / "config"),
          results=results, target="", cores=1)
"""


def make_pin(study: Path, call: int = 0, where: str = "shutil.copyfile") -> int:
    """Pin in a process of its own, which kills itself at a call of a function; gives how the process ended."""
    script = PINNING.format(
        package=str(REPOSITORY / "workflow"), home=str(REPOSITORY), call=call, where=where
    )
    return subprocess.run([sys.executable, "-c", script], cwd=study, check=False).returncode


def test_a_pin_that_is_killed_while_it_is_written_is_not_there_and_can_be_made(copy_of: CopyOf) -> None:
    study = copy_of("killed_pin")
    pins = study / "results/pins"
    for call, where in [
        (30, "shutil.copyfile"),
        (1, "making.write_manifest"),
        (1, "making.describe"),
        (1, "making.write_archive"),
    ]:
        assert make_pin(study, call, where) == -9
        assert [path.name for path in pins.glob("[!.]*")] == [], "what lies under its name is whole"
    assert [path.name for path in pins.iterdir()] != [], "it was killed in the midst of it"
    assert make_pin(study) == 0
    left = sorted(path.name for path in pins.iterdir())
    assert left == ["one", "one.zip"], "and nothing is left of the attempts"
    manifest = read_manifest(pins / "one")
    assert len(manifest.outputs) > 100
    assert {name: digest(pins / "one" / name) for name in manifest.outputs} == manifest.outputs
