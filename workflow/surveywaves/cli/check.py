"""`surveywaves check`: every mistake in configuration, raw files and crosswalks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from surveywaves.cli.command import Command, Progress
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.study import Study, Wave, load_study
from surveywaves.study.parts import HarmonisingPart, ReadingPart

HELP: Final = """\
Read config/ and everything it names, open every raw file, find every column that a crosswalk names and look up every
cell in its coding; report every mistake, one line each. Nothing is run and nothing is written.
"""

EXAMPLE: Final = """\
example:
  surveywaves check
    config/waves/second/items.tsv, row 16, column comparability: still to decide (hint: reworded (91: ...), or ...)

  Mend the files until it says `ok`; then run snakemake.
"""


def run(options: argparse.Namespace) -> int:
    """Report every mistake, or say what the study has."""
    study = load_study(options.config)
    study.require_raw_files()
    progress = Progress()
    mistakes: list[Mistake] = []
    lines = []
    for wave in study.waves:
        try:
            found = _try(study, wave, progress)
        except SurveywavesError as error:
            mistakes.extend(error.mistakes)
            continue
        asked = f"{sum(bool(row.columns) for row in wave.crosswalk)} of {len(study.items)} items"
        lines.append(f"{wave.name}: {wave.file.title}, {wave.file.evidence}, {asked}; {found}")
    if mistakes:
        raise SurveywavesError(mistakes)
    from surveywaves.harmonise import rescaled_scales  # noqa: PLC0415

    rescaled_scales([HarmonisingPart.of(study, wave) for wave in study.waves])
    print("\n".join(lines))
    described = {path.parent.name for path in options.config.glob("waves/*/wave.yaml")}
    for name in sorted(described - {wave.name for wave in study.waves}):
        print(
            f"not part of the study: {options.config}/waves/{name}, which `waves:` in config.yaml does not list"
        )
    print(f"ok: {len(study.waves)} waves, {len(study.items)} items, {len(study.scales)} scales")
    return 0


def _try(study: Study, wave: Wave, progress: Progress) -> str:
    """Read a wave's raw files and look up every cell, as a run would; nothing is kept."""
    from surveywaves.harmonise import harmonise  # noqa: PLC0415
    from surveywaves.ingest import ingest  # noqa: PLC0415

    for file in wave.file.files:
        progress(file.path)
    found = ingest(ReadingPart.of(wave), root=Path())
    harmonise(found.cells, part=HarmonisingPart.of(study, wave))
    kept, aside = (int(found.counts[name].sum()) for name in ("rows_kept", "rows_set_aside"))
    files = f"{len(wave.file.files)} file{'s' if len(wave.file.files) > 1 else ''}"
    return f"{kept} returns in {files}, {aside} rows set aside"


COMMAND: Final = Command(
    name="check",
    summary="check configuration, raw files and crosswalks, and report every mistake",
    help=HELP,
    example=EXAMPLE,
    run=run,
)
