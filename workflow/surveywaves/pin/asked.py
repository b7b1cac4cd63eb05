"""What is asked for on the command line: `--config pin=<label>` and what to pass over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin.manifest import PINS, read_manifest
from surveywaves.study.base import Model

LABEL: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"

SUFFIX: Final = ".zip"
"""A pin is packed into a file beside it, of its name and this."""

CURRENT: Final = "current"
"""What is released now is called so where pins are compared; no pin may be."""


class Asked(Model):
    """How to pin."""

    label: str
    allow_dirty: bool = False
    allow_stale: bool = False
    allow_unreleased: bool = False
    prove: bool = True


def asked(config: Mapping[str, Any]) -> Asked:
    """Take what concerns pins from the configuration on the command line.

    Raises
    ------
    SurveywavesError
        If there is no label or none that a folder can have, or an option is neither true nor false.
    """
    mistakes = []
    label = config.get("pin")
    if label is None or label == "":
        mistakes.append(Mistake("pin", "which one? there is no label", "add --config pin=<label>"))
    elif not re.fullmatch(LABEL, str(label)):
        what = f"`{label}` is no label: letters, digits, dots, dashes and underscores are, not with a dot or dash first"
        mistakes.append(Mistake("pin", what))
    elif str(label).endswith(SUFFIX):
        mistakes.append(
            Mistake("pin", f"`{label}` would be taken for the zip of a pin", "choose another label")
        )
    elif label == CURRENT:
        mistakes.append(
            Mistake("pin", f"`{label}` is what the results of now are called", "choose another label")
        )
    # Snakemake takes `True` for true, and `true` for a word.
    words = {"true": True, "false": False}
    options = {
        name: words.get(str(config[name]).lower(), config[name])
        for name in Asked.model_fields
        if name in config and name != "label"
    }
    for name, value in options.items():
        if not isinstance(value, bool):
            mistakes.append(Mistake(name, f"`{value}` is neither true nor false"))
    if mistakes:
        raise SurveywavesError(mistakes)
    return Asked(label=str(label), **options)


def to_pin(config: Mapping[str, Any], folder: Path) -> Asked:
    """Take what is asked of `snakemake pin`, before anything is computed for it.

    Raises
    ------
    SurveywavesError
        As `asked`, and if there is such a pin already.
    """
    found = asked(config)
    if (folder / PINS / found.label).exists():
        raise SurveywavesError.at(
            (PINS / found.label).as_posix(),
            "is there already, and a pin is never overwritten",
            f"snakemake verify --config pin={found.label} proves it; choose another label for other results",
        )
    return found


def to_verify(config: Mapping[str, Any], folder: Path) -> str:
    """Take the label that is asked of `snakemake verify`.

    Raises
    ------
    SurveywavesError
        As `asked`, and if there is no such pin.
    """
    label = asked(config).label
    read_manifest(folder / PINS / label)
    return label
