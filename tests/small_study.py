"""The shipped study made small: two waves, two scales, its files where a team puts its own.

It goes through every stage in a fraction of the time, for tests that need many runs or that change raw files.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import yaml

from conftest import REPOSITORY

WAVES = ("phase1_2006", "phase2_2008")
SCALES = ("colleagues", "line_manager")


def small_study(folder: Path, waves: Sequence[str] = WAVES, *, imputed: bool = False) -> Path:
    """Lay the small study out.

    Parameters
    ----------
    folder
        Where to; it may hold a clone of the repository already.
    waves
        Waves of the study, in order.
    imputed
        Whether missing answers are imputed, as in the shipped study.
    """
    for part in ("config", "resources/published"):
        shutil.copytree(REPOSITORY / part, folder / part, dirs_exist_ok=True)
    for name in ("qualitative.yaml", "codes.tsv", "themes.tsv"):
        (folder / "config" / name).unlink()
    items = {row["item"] for row in _rows(folder / "config/items.tsv") if row["scale"] in SCALES}
    tables = {row["published_table"] for row in _rows(folder / "config/items.tsv") if row["scale"] in SCALES}
    _keep(folder / "config/items.tsv", "item", items)
    _keep(folder / "config/scales.tsv", "scale", SCALES)
    _keep(folder / "resources/published/claims.csv", "table", tables)
    for wave in sorted(path.name for path in (folder / "config/waves").iterdir()):
        shutil.rmtree(folder / "config/waves" / wave)
    for wave in waves:
        add_wave(folder, wave)
    config = folder / "config/config.yaml"
    text = re.sub(r"(?m)^    returns: \[.*$", "    returns: [200, 400]", config.read_text(encoding="utf-8"))
    text = re.sub(r"(?m)^figures:\n", "figures:\n  dpi: 72\n", text)
    text = re.sub(r"(?m)^    scales: \[.*$", f"    scales: [{', '.join(SCALES)}]", text)
    if not imputed:
        text = re.sub(r"(?m)^  sensitivity:\n", "  sensitivity:\n    imputations: 0\n", text)
    config.write_text(text, encoding="utf-8")
    list_waves(folder, waves)
    return folder


def add_wave(folder: Path, wave: str) -> None:
    """Bring a wave in, description and raw files; `waves:` in config.yaml lists it once `list_waves` says so."""
    shutil.copytree(REPOSITORY / "config/waves" / wave, folder / "config/waves" / wave)
    shutil.copytree(REPOSITORY / "demo/raw" / wave, folder / "resources/raw" / wave)
    _made_small(folder / "config/waves" / wave, {row["item"] for row in _rows(folder / "config/items.tsv")})


def list_waves(folder: Path, waves: Sequence[str]) -> None:
    """Say in config.yaml which waves the study has."""
    config = folder / "config/config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"(?m)^waves: .*$", f"waves: [{', '.join(waves)}]", text), encoding="utf-8")


def _made_small(wave: Path, items: Collection[str]) -> None:
    """Take a wave's own raw files, and of their columns the small instrument's."""
    path = wave / "wave.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8").replace("demo/raw/", "resources/raw/"))
    for row in _rows(wave / "items.tsv"):
        for name, layout in content["layouts"].items():
            if row["item"] not in items and row[name]:
                layout.setdefault("ignore", []).append(row[name])
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    _keep(wave / "items.tsv", "item", items)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=_delimiter(path)))


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix == ".tsv" else ","


def _keep(path: Path, column: str, values: Collection[str]) -> None:
    rows = _rows(path)
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), delimiter=_delimiter(path), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row[column] in values)
