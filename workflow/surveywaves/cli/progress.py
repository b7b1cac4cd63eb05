"""A word on the screen while a file is read."""

from __future__ import annotations

import sys
import time
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
