"""`surveywaves archive`: a pin packed for a repository."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from surveywaves.cli.command import Command

HELP: Final = """\
Pack a pin into a zip for a repository such as Zenodo: an RO-Crate with a README and SHA256SUMS, and what the pin's
manifest names; nothing else that may lie in its folder. `snakemake pin` makes it as well, and git does not keep it: the
same pin gives the same bytes every time. A pin that is not as it was made is refused.
"""

EXAMPLE: Final = """\
example:
  surveywaves archive report-2007
"""


def run(options: argparse.Namespace) -> int:
    """Pack it."""
    from surveywaves.pin.cause import SUFFIX  # noqa: PLC0415
    from surveywaves.pin.manifest import PINS  # noqa: PLC0415
    from surveywaves.pin.write import write_archive  # noqa: PLC0415

    target = options.output or PINS / f"{options.pin}{SUFFIX}"
    write_archive(PINS / options.pin, target)
    print(f"packed: {target}")
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command is told."""
    parser.add_argument("pin", metavar="PIN", help="label of a pin")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where to (default: beside the pin, results/pins/PIN.zip)"
    )


COMMAND: Final = Command(
    name="archive",
    summary="pack a pin into a zip for a repository",
    help=HELP,
    example=EXAMPLE,
    arguments=arguments,
    run=run,
)
