"""A command as `surveywaves` lists and runs it.

A word on the screen while a file is read.

A command, as `surveywaves` lists and runs it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BIG: Final = 20_000_000
"""Bytes from which a file is worth a word on the screen, whoever looks at it."""


@dataclass(slots=True)
class Progress:
    """Says what is being read, to a person who waits: on a terminal, or where it takes a while."""

    started: float = field(default_factory=time.monotonic)

    def __call__(self, name: str) -> None:
        """Say which file is being read."""
        try:
            size = Path(name).stat().st_size
        except OSError:
            return
        if size >= BIG or sys.stderr.isatty():
            passed = time.monotonic() - self.started
            print(f"[{passed:3.0f} s] reading {name} ({size / 1e6:.1f} MB)", file=sys.stderr)


def _nothing(parser: argparse.ArgumentParser) -> None:
    """Take no arguments."""


@dataclass(frozen=True, slots=True)
class Command:
    """One of the commands.

    Parameters
    ----------
    name, summary, help, example
        What it is called, and its help: a line, a text, and how it is used.
    arguments
        Adds to a parser what the command is told.
    run
        Does it, and gives the exit status. It imports what it needs itself: pandas and the readers take a second, which
        help and the other commands need not wait for.
    """

    name: str
    summary: str
    help: str
    run: Callable[[argparse.Namespace], int]
    example: str = ""
    arguments: Callable[[argparse.ArgumentParser], None] = _nothing

    def add_to(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """List it among the commands of a parser."""
        parser = commands.add_parser(
            self.name,
            help=self.summary,
            description=self.help,
            epilog=self.example,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.arguments(parser)
        parser.set_defaults(run=self.run)
