"""The shipped study on a cluster of one node: the same bytes as without it. `make test-slurm` brings what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import new_study
from runs import REPOSITORY
from slurm import cluster, missing
from ways import same_bytes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())} (hint: make test-slurm)"),
]

UNLIKE = {"LC_ALL": "C", "LANG": "C", "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "COLUMNS": "40"}
"""What the run on this machine has otherwise."""


def test_the_study_gives_the_same_bytes_through_slurm(finished: Path, tmp_path: Path) -> None:
    study = new_study(tmp_path / "through_slurm")
    with cluster() as environment:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")),
                *("--workflow-profile", str(REPOSITORY / "profiles/slurm")),
                # A cluster of many users is asked more seldom.
                *("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"),
            ],
            cwd=study,
            env=environment | UNLIKE,
            umask=0o077,
            stdout=(study / "said.txt").open("wb"),
            stderr=subprocess.STDOUT,
            timeout=1500,
            check=False,
        )
    said = (study / "said.txt").read_text(encoding="utf-8")
    assert done.returncode == 0, said
    assert said.count("has been submitted with SLURM jobid") >= 12
    assert "group_reading" in said, "what takes seconds goes with its neighbour"
    same_bytes(finished, study)
