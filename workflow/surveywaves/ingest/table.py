"""One header row, one row a return: CSV, TSV, XLSX or Parquet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from surveywaves.ingest.headers import name_columns, one_header_row, open_sheet
from surveywaves.ingest.raw import Column, RawTable, Source, arrow_texts, settle
from surveywaves.ingest.signature import Kind


def read(source: Source, kind: Kind) -> RawTable:
    """Read a table.

    A row of a Parquet file is numbered as in a spreadsheet with one header row: the first is row 2.
    """
    return _parquet(source) if kind is Kind.PARQUET else one_header_row(open_sheet(source, kind))


def _parquet(source: Source) -> RawTable:
    try:
        with pq.ParquetFile(source.path, memory_map=True) as file:
            schema = file.schema_arrow
            texts = [
                field.name
                for field in schema
                if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
            ]
            total = file.metadata.num_rows
        with pq.ParquetFile(source.path, read_dictionary=texts, memory_map=True) as file:
            table = file.read()
            table.validate(full=True)
        if table.num_rows != total:
            raise pa.ArrowInvalid(f"{total} rows announced, {table.num_rows} there")
    except (pa.ArrowException, OSError, ValueError) as error:
        raise source.error(
            f"is damaged, cut off or no Parquet file that can be read ({_first_line(error)})",
            "download or copy it again",
        ) from error
    if not total:
        raise source.error("has columns and no rows", "is it the right export?")
    columns = [_column(source, name, table.column(place)) for place, name in enumerate(table.column_names)]
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


def _column(source: Source, name: str, cells: pa.ChunkedArray) -> Column:
    try:
        if not pa.types.is_dictionary(cells.type) and not pa.types.is_nested(cells.type):
            cells = cells.dictionary_encode()
        parts = [arrow_texts(chunk) for chunk in cells.unify_dictionaries().chunks]
        return Column.of_arrow(pa.chunked_array(parts, type=None if parts else pa.string()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise source.error(
            f"holds {cells.type}, which has no text", "store one number or text a cell", column=name
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
