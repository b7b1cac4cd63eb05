"""Putting a wave on the list of waves in `config.yaml`, and leaving everything else there as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from surveywaves.errors import StudyError

_FLOW = re.compile(r"^waves:[ ]*\[(?P<names>[^\]\n]*)\]", re.MULTILINE)
_BLOCK = re.compile(r"^waves:[^\n\S]*(#[^\n]*)?\n(?P<names>([ ]*-[ ]*[^\n]*\n)+)", re.MULTILINE)


def line_to_add(waves: list[str], wave: str) -> str:
    """Write the line of `config.yaml` that has the wave on it."""
    return f"waves: [{', '.join([*waves, wave])}]"


def enlist(path: Path, wave: str) -> None:
    """Add a wave at the end of `waves:` in `config.yaml`; comments and all else stay.

    Raises
    ------
    StudyError
        If the list is written in a way that cannot be added to safely.
    """
    text = path.read_text(encoding="utf-8")
    before = yaml.safe_load(text)
    if wave in before["waves"]:
        return
    if found := _FLOW.search(text):
        names = found["names"].rstrip().rstrip(",")
        changed = text[: found.start("names")] + f"{names}, {wave}" + text[found.end("names") :]
    elif found := _BLOCK.search(text):
        indent = re.match(r"[ ]*", found["names"])
        line = f"{indent[0] if indent else ''}- {wave}\n"
        changed = text[: found.end("names")] + line + text[found.end("names") :]
    else:
        changed = text
    expected = {**before, "waves": [*before["waves"], wave]}
    if yaml.safe_load(changed) != expected:
        raise StudyError.at(
            f"{path}: waves",
            "cannot be added to safely",
            f"write `{line_to_add(before['waves'], wave)}` there",
        )
    path.write_text(changed, encoding="utf-8")
