"""What a person sees who runs the workflow on a study with a mistake in it: the line that says so, and no traceback.

One mistake for each place where a run may stop; what else each place finds is tested where it is found.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runs import snakemake

RAW = "demo/raw/phase1_2006/surveymonkey_2006-10-02.csv"
WAVE = "config/waves/phase1_2006/wave.yaml"

Edit = Callable[[Path], None]


def in_file(name: str, pattern: str, new: str, *, encoding: str = "utf-8") -> Edit:
    def edit(study: Path) -> None:
        path = study / name
        text, count = re.subn(pattern, new, path.read_bytes().decode(encoding), count=1, flags=re.MULTILINE)
        assert count == 1, f"{pattern!r} is not in {path}"
        path.write_bytes(text.encode(encoding))

    return edit


def no_file(study: Path) -> None:
    (study / RAW).unlink()


def empty_file(study: Path) -> None:
    (study / RAW).write_bytes(b"")


FIRST = "results/harmonised/phase1_2006.parquet"

MISTAKES: dict[str, tuple[Edit, str]] = {
    "missing file": (no_file, rf"{RAW}: no such file; wave phase1_2006 needs it"),
    "empty file": (empty_file, rf"^{RAW}.*empty"),
    "unknown response label": (
        in_file(RAW, ",Strongly agree,", ",Agree strongly,", encoding="cp1252"),
        r"^wave phase1_2006, layout web: column .*: unknown label `Agree strongly` in 1 cell, first in demo/raw",
    ),
    "unknown key": (in_file("config/config.yaml", "^seed:", "sead: 1\nseed:"), r"sead: unknown key .*`seed`"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_one_clear_line(finished: Path, kind: str) -> None:
    edit, expected = MISTAKES[kind]
    study = finished.with_name(kind.replace(" ", "_"))
    shutil.copytree(finished, study, ignore=shutil.ignore_patterns("figures", "exports"))
    edit(study)
    run = snakemake(study, FIRST)
    assert run.status != 0
    assert "Traceback" not in run.said
    said = [line for line in run.said.splitlines() if re.search(expected, line)]
    assert len(said) == 1, run.said
