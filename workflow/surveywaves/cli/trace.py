"""`surveywaves trace`: from a number back to the raw files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from surveywaves.cli.command import Command

HELP: Final = """\
Follow a number back to where it comes from: the rows of the released table, the jobs that made them with their code and
settings (and the key of the configuration that each stands under), the files that each job read, down to the raw files
with their SHA-256, and what the data of each wave are. Told from the records of the run, or of a pin; computes nothing.

WHAT is the name of a released table, `figure NAME`, `table NAME` (a table to paste, or one of the report by the name of
its download), or a path under results/. column=value, as often as needed, chooses rows.
"""

EXAMPLE: Final = """\
example:
  surveywaves trace contrasts scale=trust term=change "wave=second - first"
  surveywaves trace figure likert_trust item=trust_1
  surveywaves trace results/tables/answers_trust.csv wave=first --all
"""


def run(options: argparse.Namespace) -> int:
    """Print where a number comes from."""
    from surveywaves.freshness import HOME  # noqa: PLC0415
    from surveywaves.pin.manifest import Places  # noqa: PLC0415
    from surveywaves.pin.trace import (  # noqa: PLC0415
        to_json,
        to_lines,
        trace,
    )

    folder = options.directory.absolute()
    places = Places(folder, HOME, folder / options.config)
    found = trace(options.what, places, pin=options.pin, unreleased=options.unreleased)
    if options.json:
        print(json.dumps(to_json(found), indent=1, ensure_ascii=False))
    else:
        print("\n".join(to_lines(found, everything=options.all)))
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command is told."""
    parser.add_argument(
        "what", nargs="+", metavar="WHAT", help="what to trace, then column=value to choose rows"
    )
    parser.add_argument(
        "--directory", type=Path, default=Path(), help="folder that snakemake ran in (default: here)"
    )
    parser.add_argument("--pin", metavar="LABEL", help="look in a pin, not in the results of the run")
    parser.add_argument("--all", action="store_true", help="list every row, file of code and setting")
    parser.add_argument(
        "--unreleased",
        action="store_true",
        help="give the rows before their release as well: for the team that holds the data only",
    )
    parser.add_argument("--json", action="store_true", help="write JSON, with everything in it")


COMMAND: Final = Command(
    name="trace",
    summary="follow a number back to the raw files",
    help=HELP,
    example=EXAMPLE,
    arguments=arguments,
    run=run,
)
