"""The environment that `make` builds, and the command in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from conftest import REPOSITORY
from surveywaves.cores import with_number


def test_an_environment_is_kept_where_nothing_can_be_fetched(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "requirements.lock").write_text("uv==0.0.0 \\\n    --hash=sha256:0\n", encoding="utf-8")
    venv.create(tmp_path / ".venv", symlinks=True)
    (tmp_path / ".venv/kept").touch()
    for _ in range(2):
        made = subprocess.run(
            ["make", "environment", f"PYTHON={sys.executable}"],
            cwd=tmp_path,
            env={**os.environ, "PIP_NO_INDEX": "1"},
            capture_output=True,
            check=False,
        )
        assert made.returncode
        assert (tmp_path / ".venv/kept").exists()
    (tmp_path / ".venv/.half").touch()
    subprocess.run(["make", "environment", f"PYTHON={sys.executable}"], cwd=tmp_path, check=False)
    assert not (tmp_path / ".venv/kept").exists(), "what was killed on the way is built anew"


def test_cores_without_a_number_are_all() -> None:
    assert list(with_number(["--cores"])) == ["--cores", "all"]
    assert list(with_number(["-c", "-n", "report"])) == ["-c", "all", "-n", "report"]
    assert list(with_number(["--cores", "pin", "--config", "pin=a"])) == [
        "--cores",
        "all",
        "pin",
        "--config",
        "pin=a",
    ]
    for whole in (["--cores", "2"], ["-c", "all"], ["--cores=2"], ["-c2"], []):
        assert list(with_number(whole)) == whole


def test_the_command_runs_snakemake_in_its_place() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from surveywaves.cores import snakemake; sys.exit(snakemake())",
    ]
    done = subprocess.run(
        [*command, "--cores", "--list"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "figures" in done.stdout.split()
