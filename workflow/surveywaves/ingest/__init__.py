"""Read raw files as text: one reader per format, and the steps that all formats share.

Only numbers and dates that a file stores as such are interpreted. Every row of a file becomes a return, or is set aside
and listed; every cell is kept as text, or is listed.
"""

from __future__ import annotations

import filecmp
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.raw import Column, Source, problem_frame
from surveywaves.ingest.readers import read_raw
from surveywaves.ingest.returns import File, exclude, settle_duplicates
from surveywaves.study.parts import ReadingPart
from surveywaves.terms import ROW_COUNTS

__all__ = ["Ingested", "ingest"]


@dataclass(frozen=True)
class Ingested:
    """A wave's raw files as text."""

    # one row a return: `file, row, layout, respondent_source`, then one column of text a raw column, missing
    # where blank; columns in the order of the files
    cells: pd.DataFrame
    # `wave, file, row, column, value, problem, action`, all text: everything not taken as it stood
    problems: pd.DataFrame
    counts: pd.DataFrame  # one row a file: `wave, file, layout, rows_in, rows_kept, rows_set_aside`
    # `layout, column, code, label`, all text, for files with value labels that are read as codes
    value_labels: pd.DataFrame


def ingest(part: ReadingPart, *, root: Path) -> Ingested:
    """Read a wave's raw files; they are opened for reading only.

    Parameters
    ----------
    part
        The files and how to read them.
    root
        The folder that the files' paths start from.

    Raises
    ------
    RawFileError
        If a file cannot be read as its layout says: one line a file. Or if the same return stands twice and the
        layout does not say which to keep; or if no return is left.
    """
    layouts = part.layouts
    sources = [(one.layout, Source(one.path, root / one.path, layouts[one.layout])) for one in part.files]
    _refuse_repeated(part.wave, [source for _, source in sources])
    files = _read(sources)
    ids = settle_duplicates(files)
    counts = _count(part.wave, files)
    if not counts["rows_kept"].sum():
        what = f"no return is left of {counts['rows_in'].sum()} rows"
        raise RawFileError.at(f"wave {part.wave}", what, "look at `exclude` and at the files")
    said = (
        (source.name, problem)
        for _, source, found in files
        for problem in sorted([*found.aside, *found.problems], key=lambda one: one.row or 0)
    )
    problems = problem_frame(part.wave, said)
    labels = {
        (layout, column, code): label
        for layout, source, found in files
        if source.layout.cells == "codes"
        for column, known in found.value_labels.items()
        for code, label in known.items()
    }
    rows = [(*place, label) for place, label in labels.items()]
    value_labels = pd.DataFrame(rows, columns=["layout", "column", "code", "label"], dtype="str")
    return Ingested(_cells(files, ids), problems, counts, value_labels)


def _read(sources: Sequence[tuple[str, Source]]) -> list[File]:
    """Read all files, and raise the mistakes of all of them together."""
    files: list[File] = []
    mistakes: list[Mistake] = []
    for layout, source in sources:
        try:
            found = read_raw(source)
            exclude(source, found)
            mistakes += [
                source.mistake(what, f"say `{key}:` in the layout") for key, what in found.asked.items()
            ]
            files.append((layout, source, found))
        except RawFileError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise RawFileError(mistakes)
    return files


def _refuse_repeated(wave: str, sources: Sequence[Source]) -> None:
    """Raise an error if a file is listed twice, or two files have the same content."""
    for path, count in Counter(source.path.resolve() for source in sources).items():
        if count > 1:
            name = next(source.name for source in sources if source.path.resolve() == path)
            raise RawFileError.at(name, f"is listed {count} times in wave {wave}", "list it once")
    for before, source in combinations(sources, 2):
        try:
            if filecmp.cmp(before.path, source.path, shallow=False):
                raise source.error(f"is the same file as {before.name}, byte for byte", "list it once")
        except OSError:
            continue  # its reader says so


def _count(wave: str, files: Sequence[File]) -> pd.DataFrame:
    """Count rows, and check that none was lost."""
    rows = []
    for layout, source, found in files:
        kept, aside = len(found.rows), len(found.aside)
        if kept + aside != found.rows_in or any(len(column) != kept for column in found.columns):
            raise RuntimeError(f"{source.name}: {found.rows_in} rows in, {kept} kept and {aside} set aside")
        rows.append((wave, source.name, layout, found.rows_in, kept, aside))
    names = ["wave", "file", "layout", *ROW_COUNTS]
    return pd.DataFrame(rows, columns=names)


def _cells(files: Sequence[File], ids: Sequence[Column]) -> pd.DataFrame:
    """Concatenate the files; a column that a file lacks is blank there."""
    for _, _, found in files:
        found.drop_columns(found.personal)
    lengths = [len(found.rows) for _, _, found in files]
    rows = np.concatenate([found.rows for _, _, found in files])
    columns = {
        "file": _repeated([source.name for _, source, _ in files], lengths),
        "row": pa.array(rows),
        "layout": _repeated([layout for layout, _, _ in files], lengths),
        "respondent_source": pc.fill_null(Column.join(ids).spelled(), ""),
    }
    places = [{name: place for place, name in enumerate(found.names)} for _, _, found in files]
    for name in dict.fromkeys(name for _, _, found in files for name in found.names):
        parts = [
            found.columns[known[name]] if name in known else Column.blank(length)
            for (_, _, found), known, length in zip(files, places, lengths, strict=True)
        ]
        columns[name] = Column.join(parts).spelled()
        for (_, _, found), known in zip(files, places, strict=True):
            if name in known:
                found.columns[known[name]] = Column.blank(0)  # spelled out: its codes may go
    frame: pd.DataFrame = pa.table(columns).to_pandas(split_blocks=True)
    return frame


def _repeated(texts: Sequence[str], lengths: Sequence[int]) -> Any:
    codes = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    return Column(codes, pa.array(texts, type=pa.string())).spelled()
