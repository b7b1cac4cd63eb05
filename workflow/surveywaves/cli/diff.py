"""`surveywaves diff`: every number that differs between two pins, or a pin and now."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from surveywaves.cli.command import Command
from surveywaves.errors import SurveywavesError

HELP: Final = """\
Hold a pin against another pin, or against what is released now (`current`), and list every number that moved, came or
went, old and new; then the stage where it begins and everything that differs in what the numbers were made from: raw
files, settings, code, packages. Nothing is computed: `snakemake verify --config pin=<label>` computes all of it again.

The table goes to the screen as tab-separated text, or into a file.
"""

EXAMPLE: Final = """\
example:
  surveywaves diff report-2007 current --output erratum.csv
"""


def run(options: argparse.Namespace) -> int:
    """Write the table, and sum it up."""
    from surveywaves.files import write  # noqa: PLC0415
    from surveywaves.pin.manifest import Places  # noqa: PLC0415
    from surveywaves.pin.verify import diff  # noqa: PLC0415
    from surveywaves.script import HOME  # noqa: PLC0415

    if options.output and options.output.suffix not in {".csv", ".tsv"}:
        raise SurveywavesError.at(options.output, "neither .csv nor .tsv", "name the file so")
    places = Places(Path.cwd(), HOME, options.config.absolute())
    table, summary = diff(options.first, options.second, places)
    if options.output:
        write(table, str(options.output))
        print(f"{summary}; {options.output} lists all")
    else:
        table.to_csv(sys.stdout, sep="\t", index=False, lineterminator="\n")
        print(summary, file=sys.stderr)
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command is told."""
    parser.add_argument("first", metavar="PIN", help="label of a pin")
    parser.add_argument("second", metavar="PIN|current", help="label of another, or `current`")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the table there, as CSV or TSV by its ending"
    )


COMMAND: Final = Command(
    name="diff",
    summary="list every number that differs between two pins, or a pin and now",
    help=HELP,
    example=EXAMPLE,
    arguments=arguments,
    run=run,
)
