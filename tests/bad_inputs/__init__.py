"""Raw files as real ones go wrong: what writes them, and what reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from surveywaves.ingest import Ingested, ingest
from surveywaves.study.models import Layout, RawFile
from surveywaves.study.parts import ReadingPart


def read(root: Path, files: dict[str, str], **layouts: dict[str, Any]) -> Ingested:
    """Ingest files (path -> layout) as one wave; a layout is given by its keys."""
    return ingest(
        ReadingPart(
            wave="autumn",
            files=tuple(RawFile(path=path, layout=layout) for path, layout in files.items()),
            layouts={name: Layout(**keys) for name, keys in layouts.items()},
        ),
        root=root,
    )


def read_one(path: Path, **layout: Any) -> Ingested:
    """Ingest one file; without a `format`, as a table."""
    return read(path.parent, {path.name: "only"}, only={"format": "table", **layout})


def raw(found: Ingested) -> dict[str, list[str | None]]:
    """Give the raw columns as lists, None where blank."""
    return {
        str(name): [None if pd.isna(cell) else cell for cell in found.cells[name]]
        for name in found.cells.columns[4:]
    }


def listed(found: Ingested) -> list[tuple[str, str, str, str, str]]:
    """Give the problems: row, column, value, problem, action."""
    return list(
        found.problems[["row", "column", "value", "problem", "action"]].itertuples(index=False, name=None)
    )
