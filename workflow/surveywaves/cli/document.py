"""`surveywaves document`: the list of every key of the configuration."""

from __future__ import annotations

import argparse
from typing import Final

from surveywaves.cli.command import Command
from surveywaves.study.document import documents


def run(options: argparse.Namespace) -> int:
    """Write it, and the schemas that editors use."""
    for name, text in documents().items():
        (options.config / name).write_text(text, encoding="utf-8")
    return 0


COMMAND: Final = Command(
    name="document",
    summary="write config/README.md and the schemas beside it",
    help="Write config/README.md, the list of every key, and the JSON schemas that editors complete and check the YAML "
    "files by, from the models that check the configuration.",
    run=run,
)
