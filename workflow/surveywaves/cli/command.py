"""A command, as `surveywaves` lists and runs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


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
