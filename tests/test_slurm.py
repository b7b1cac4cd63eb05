"""A study on a cluster of one node: the same bytes as without it. `make test-slurm` brings what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY
from drawn_raw import drawn_raw
from slurm import cluster, missing
from test_determinism import same_bytes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())} (hint: make test-slurm)"),
]


def test_the_study_gives_the_same_bytes_through_slurm(
    whole_run: Callable[[str], Path], tmp_path: Path
) -> None:
    study = drawn_raw(tmp_path / "through_slurm")
    with cluster() as environment:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")),
                *("--workflow-profile", str(REPOSITORY / "profiles/slurm")),
                # A cluster of many users is asked more seldom.
                *("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"),
            ],
            cwd=study,
            env=environment,
            stdout=(study / "said.txt").open("wb"),
            stderr=subprocess.STDOUT,
            timeout=1500,
            check=False,
        )
    said = (study / "said.txt").read_text(encoding="utf-8")
    assert done.returncode == 0, said
    assert said.count("has been submitted with SLURM jobid") >= 12
    assert "group_reading" in said, "what takes seconds goes with its neighbour"
    same_bytes(whole_run("drawn"), study)
