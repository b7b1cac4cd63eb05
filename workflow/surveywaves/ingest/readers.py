"""Read a raw file with the reader of its format, and mark the personal columns.

Tables with one header row (CSV, TSV, XLSX) and Parquet files are read here; other formats have their own modules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from surveywaves.ingest import exports, keying, statfile
from surveywaves.ingest.delimited import MOST_COLUMNS
from surveywaves.ingest.headers import name_columns, one_header_row, open_sheets
from surveywaves.ingest.programs import PROGRAMS
from surveywaves.ingest.raw import AGAIN, Column, Problem, RawTable, Sheet, Source, arrow_texts, settle
from surveywaves.ingest.signature import Kind, recognise
from surveywaves.ingest.workbook import EVERY_SHEET
from surveywaves.personal import personal_cells, personal_column, rated
from surveywaves.terms import ROW_SEPARATOR

BY_SHEET: Final[Mapping[str, Callable[[Sheet], RawTable]]] = {
    **dict.fromkeys(PROGRAMS, exports.read),
    "paper": keying.read,
    "table": one_header_row,
}
"""Format of a layout -> reader of delimited text and worksheets."""

SHEET_COLUMN: Final = "worksheet"
"""Name of the column with the names of the worksheets."""


def read_raw(source: Source) -> RawTable:
    """Read a file with the reader of its layout's format; several worksheets are concatenated.

    Raises
    ------
    RawFileError
        If the file cannot be opened, is not of that format, or is damaged.
    """
    kind = recognise(source)
    if kind in {Kind.TEXT, Kind.XLSX}:
        sheets = open_sheets(source, kind)
        tables = [_checked(sheet.source, BY_SHEET[source.layout.format](sheet)) for sheet in sheets]
        return _below_each_other(source, sheets, tables) if source.layout.sheet == EVERY_SHEET else tables[0]
    return _checked(source, _parquet(source) if kind is Kind.PARQUET else statfile.read(source, kind))


def _below_each_other(source: Source, sheets: Sequence[Sheet], tables: Sequence[RawTable]) -> RawTable:
    """Concatenate worksheets; rows are numbered consecutively, so that each has its own number."""
    for sheet, one in zip(sheets, tables, strict=True):
        title = sheet.source.layout.sheet
        if {*one.names} - {SHEET_COLUMN} != {*tables[0].names} - {SHEET_COLUMN}:
            what = f"worksheet `{title}` has other columns than the first"
            raise source.error(what, "say `sheet:` in the layout, or take it out of a copy")
        named = Column(np.zeros(len(one.rows), dtype=np.int32), pa.array([title]))
        one.names, one.columns = [SHEET_COLUMN, *one.names], [named, *one.columns]
    first, parts = tables[0], [tables[0].rows]
    for sheet, one in zip(sheets[1:], tables[1:], strict=True):
        last = int(max([*parts[-1][-1:], *(problem.row or 0 for problem in first.aside)]))
        for known, others in ((first.aside, one.aside), (first.problems, one.problems)):
            known += [replace(problem, row=problem.row and problem.row + last) for problem in others]
        what = "a worksheet below another: its rows are counted on"
        first.problems.append(
            Problem(None, SHEET_COLUMN, f"{sheet.source.layout.sheet}: {last}", what, "numbered so")
        )
        parts.append(one.rows + last)
        first.rows_in += one.rows_in
        first.personal |= one.personal
        first.asked |= one.asked
    places = [[one.names.index(name) for one in tables] for name in first.names]
    first.columns = [
        Column.join([one.columns[at] for one, at in zip(tables, some, strict=True)]) for some in places
    ]
    first.rows = np.concatenate(parts)
    return first


def _checked(source: Source, found: RawTable) -> RawTable:
    _refuse_spread(source, found)
    _mark_personal(found)
    return found


LARGE: Final = 1_000_000_000
"""Length of all cells, in letters, up to which the size of the file is not checked."""
SPREAD: Final = 300
"""Most letters per byte of a file: a Parquet file of labels has forty."""


def _refuse_spread(source: Source, table: RawTable) -> None:
    """Raise an error if a small file repeats a long text in very many cells."""
    letters = 0
    for column in table.columns:
        if len(column.texts):
            lengths = pc.binary_length(column.texts).to_numpy(zero_copy_only=False).astype(np.int64)
            letters += int(lengths @ np.bincount(column.codes[column.filled], minlength=len(lengths)))
    if letters > max(LARGE, SPREAD * source.path.stat().st_size):
        raise source.error(f"its cells come to {letters / 1e9:,.0f} GB of text", "is it the right file?")


_QUOTED: Final = re.compile(r"`[^`]*`")
"""The content of cells in the text of a problem."""


def _mark_personal(table: RawTable) -> None:
    """Mark the personal columns and list them, without their content."""
    table.personal = frozenset(
        name
        for name, column in zip(table.names, table.columns, strict=True)
        if _is_personal(table, name, column)
    )
    table.problems = [
        replace(one, value="", problem=_QUOTED.sub("it", one.problem), action=_QUOTED.sub("it", one.action))
        if one.column in table.personal
        else one
        for one in table.problems
    ]
    table.problems.extend(
        Problem(None, name, "", "personal identifier", "not read")
        for name in table.names
        if name in table.personal
    )


def _is_personal(table: RawTable, name: str, column: Column) -> bool:
    """Check, by its name and content, whether a column holds names, addresses or the like.

    `Email` may also be a box to tick, or a row of a matrix that is rated.
    """
    called = (name, *name.split(ROW_SEPARATOR), table.labels.get(name, ""))
    sample = column.texts[:LOOKED_AT].to_pylist()
    if any(map(personal_column, called)):
        return not sample or not rated(sample, name)
    return bool(sample) and personal_cells(sample)


LOOKED_AT: Final = 500
"""Most distinct texts of a column that are examined."""


_MANY: Final = 10_000_000
_DENSEST: Final = 300
"""Most rows per byte of a larger Parquet file: only a single column without content has more."""


def _parquet(source: Source) -> RawTable:
    """Read a Parquet file; its rows are numbered as in a spreadsheet with one header row: the first is row 2."""
    try:
        with pq.ParquetFile(source.path, memory_map=True) as file:
            schema = file.schema_arrow
            texts = [field.name for field in schema if field.type in {pa.string(), pa.large_string()}]
            total = file.metadata.num_rows
        if total > max(_MANY, _DENSEST * source.path.stat().st_size) or len(schema) > MOST_COLUMNS:
            what = f"announces {total:,} rows in {len(schema):,} columns"
            raise source.error(what, "is it the right file?")
        with pq.ParquetFile(source.path, read_dictionary=texts, memory_map=True) as file:
            table = file.read()
            table.validate(full=True)
        if table.num_rows != total:
            raise pa.ArrowInvalid(f"{total} rows announced, {table.num_rows} there")
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        what = f"is damaged, cut off or no Parquet file that can be read ({said})"
        raise source.error(what, AGAIN) from error
    if not total:
        raise source.error("has columns and no rows", "is it the right export?")
    columns = [
        _arrow_column(source, name, table.column(place)) for place, name in enumerate(table.column_names)
    ]
    header = [" ".join(name.split()) for name in table.column_names]
    names, places, problems = name_columns(source, header, columns, row=None)
    return settle(
        RawTable(
            names=names,
            columns=[columns[place] for place in places],
            rows=np.arange(table.num_rows, dtype=np.int64) + 2,
            rows_in=total,
            problems=problems,
        )
    )


def _arrow_column(source: Source, name: str, cells: pa.ChunkedArray) -> Column:
    try:
        if not pa.types.is_dictionary(cells.type) and not pa.types.is_nested(cells.type):
            cells = cells.dictionary_encode()
        parts = [arrow_texts(chunk) for chunk in cells.unify_dictionaries().chunks]
        return Column.of_arrow(pa.chunked_array(parts, type=None if parts else pa.string()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        what = f"holds {cells.type}, which has no text"
        raise source.error(what, "store one number or text a cell", column=name) from error
