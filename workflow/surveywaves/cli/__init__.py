"""The `surveywaves` command: what a person does around a run of the workflow."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from surveywaves.cli import add_wave, archive, check, confidential, diff, document, trace
from surveywaves.errors import SurveywavesError

COMMANDS: Final = tuple(
    module.COMMAND for module in (check, add_wave, diff, archive, trace, confidential, document)
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 when all is well, 1 when the user has something to mend."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SurveywavesError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="surveywaves", description="Work on a study that the workflow runs."
    )
    parser.add_argument(
        "--config", type=Path, default=Path("config"), help="folder with config.yaml (default: config)"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
