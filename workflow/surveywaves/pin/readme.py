"""The README of a pin: for somebody who has the archive, and perhaps the raw files, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from surveywaves.pin.cause import SOURCE
from surveywaves.pin.citation import read_citation
from surveywaves.pin.manifest import PINS, Hashes, Manifest

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]#|~$])")

_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What would turn the direction of the words after it."""


def readme(manifest: Manifest, folder: Path) -> str:
    """Write the README of a pin, in Markdown.

    Parameters
    ----------
    manifest
        What the pin says of itself.
    folder
        The pin, for the `CITATION.cff` of its workflow.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # Markdown: `words` escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"words": words, "code": code}
    return environment.get_template("readme.md.j2").render(
        pin=manifest,
        citation=read_citation(folder / SOURCE),
        rooms={name.partition("/")[0] for name in manifest.outputs},
        raw=_not_here(manifest),
        pins=PINS.as_posix(),
    )


def _not_here(manifest: Manifest) -> Hashes:
    """Give the raw files that the pin has no copy of."""
    return {
        path: hash_
        for path, hash_ in sorted(manifest.raw.items())
        if manifest.outputs.get(f"{SOURCE}/{path}") != hash_
    }


def words(text: str) -> str:
    """Put somebody's words into Markdown as words: on one line, and no mark in them means anything."""
    line = _SPECIAL.sub(r"\\\1", " ".join(_TURNING.sub("", text).split()))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Put a name into Markdown as code, in a table too."""
    line = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"
