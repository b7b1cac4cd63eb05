"""`surveywaves confidential`: answers of individual people are refused."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from surveywaves.cli.command import Command
from surveywaves.errors import Mistake, SurveywavesError

HELP: Final = """\
Name each file that must stay with the team, because of where it lies or of what is in it whatever it is called: rows of
individual people, copies of raw files, small counts. Without files: everything that is staged in git, which is what the
pre-commit hook looks at. Run it in the top folder.

A file that only looks so can be listed, as exactly these bytes and with a reason, in .githooks/allowed.tsv.
"""


def run(options: argparse.Namespace) -> int:
    """Refuse what must stay with the team."""
    from surveywaves.confidential.check import mistakes_in, staged_mistakes  # noqa: PLC0415

    if absent := [path for path in options.files if not path.is_file()]:
        raise SurveywavesError(Mistake(str(path), "no such file") for path in absent)
    files = {path.as_posix(): path for path in options.files}
    if mistakes := mistakes_in(files, Path()) if files else staged_mistakes(Path()):
        raise SurveywavesError(mistakes)
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command is told."""
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="files (default: what is staged)")


COMMAND: Final = Command(
    name="confidential",
    summary="refuse files with answers of individual people",
    help=HELP,
    arguments=arguments,
    run=run,
)
