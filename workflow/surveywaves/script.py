"""What every script of the workflow does: read tables, write them whole or not at all, and fail in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from surveywaves.errors import SurveywavesError


@contextmanager
def stage(log: Sequence[str]) -> Iterator[None]:
    """Run a stage; a user's mistake ends it with a line for each mistake, on the screen and in the log.

    Parameters
    ----------
    log
        The rule's log files; the first is written.
    """
    path = Path(log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except SurveywavesError as error:
        path.write_text(f"{error}\n", encoding="utf-8")
        sys.stderr.write(f"\n{error}\n\n")
        sys.exit(1)
    path.write_text("ok\n", encoding="utf-8")


def read(path: str) -> pd.DataFrame:
    """Read a table that an earlier stage wrote; TSV and CSV come as text, blank cells as ""."""
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t" if path.endswith(".tsv") else ",", dtype="str", keep_default_na=False)


def write(frame: pd.DataFrame, path: str) -> None:
    """Write a table as Parquet, TSV or CSV, as the name says: the same bytes for the same table."""
    with whole(path) as temporary:
        if path.endswith(".parquet"):
            frame.to_parquet(temporary, index=False, compression="zstd")
        else:
            frame.to_csv(
                temporary, sep="\t" if path.endswith(".tsv") else ",", index=False, lineterminator="\n"
            )


def write_text(text: str, path: str) -> None:
    """Write a text file in UTF-8."""
    write_bytes(text.encode("utf-8"), path)


def write_bytes(content: bytes, path: str) -> None:
    """Write a file."""
    with whole(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def whole(path: str) -> Iterator[Path]:
    """Give a temporary name beside a path; it becomes the path only when all went well."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
