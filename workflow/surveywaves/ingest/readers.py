"""Which reader reads which format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from surveywaves.ingest import paper, statfile, surveymonkey, table
from surveywaves.ingest.personal import mark_personal
from surveywaves.ingest.raw import RawTable, Source
from surveywaves.ingest.signature import Kind, recognise

Reader = Callable[[Source, Kind], RawTable]

READERS: Final[Mapping[str, Reader]] = {
    "surveymonkey": surveymonkey.read,
    "paper": paper.read,
    "spss": statfile.read_spss,
    "stata": statfile.read_stata,
    "table": table.read,
}


def read_raw(source: Source) -> RawTable:
    """Read a file with the reader of its layout's format.

    Raises
    ------
    RawFileError
        If the file cannot be opened, is not of that format, or is damaged.
    """
    found = READERS[source.layout.format](source, recognise(source))
    if len(found.rows) + len(found.aside) != found.rows_in:
        raise RuntimeError(
            f"{source.name}: {found.rows_in} rows read, {len(found.rows)} kept and {len(found.aside)} set aside"
        )
    mark_personal(found)
    return found
