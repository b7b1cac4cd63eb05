"""`surveywaves document`: the list of every key of the configuration."""

from __future__ import annotations

import argparse
from typing import Final

from surveywaves.cli.command import Command
from surveywaves.study.document import document


def run(options: argparse.Namespace) -> int:
    """Write it."""
    (options.config / "README.md").write_text(document(), encoding="utf-8")
    return 0


COMMAND: Final = Command(
    name="document",
    summary="write config/README.md",
    help="Write config/README.md, the list of every key, from the models that check the configuration.",
    run=run,
)
