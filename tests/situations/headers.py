"""Headers: the forms in which programs write the statements of a matrix question, and what the pattern wave knew."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from situations import Situation, columns_of, small_study, truth, write_csv


def _plain(folder: Path) -> pd.DataFrame:
    true = truth()
    write_csv(small_study(folder) / "export.csv", columns_of(true))
    return true


SITUATIONS = [
    Situation(
        "headers: the statements themselves",
        7,
        "headers in the words of the pattern wave",
        _plain,
        decisions=0,
    ),
]
