"""What a report was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

PACKAGES: Final = (
    "surveywaves",
    "snakemake",
    "pandas",
    "numpy",
    "scipy",
    "pyarrow",
    "pydantic",
    "pyreadstat",
    "openpyxl",
    "statsmodels",
    "pingouin",
    "matplotlib",
    "seaborn",
    "jinja2",
    "typst",
)
"""Packages whose version can change a number or its looks."""


def packages() -> dict[str, str]:
    """Give the versions of Python and of the packages that the results rest on; what is not installed is left out.

    No time and no place: the report is the same on every machine with the same environment.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
