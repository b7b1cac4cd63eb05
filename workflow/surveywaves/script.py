"""What every script of the workflow does: read tables, write them whole or not at all, and fail in one line."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import pandas as pd

from surveywaves.errors import SurveywavesError

HOME: Final = Path(__file__).resolve().parents[2]
"""Folder of the workflow that this package belongs to."""

OWNER_ONLY: Final = 0o600
"""Mode of a file with rows of individual people, or with small counts."""


class _Named(Protocol):
    """A list whose parts have names, as Snakemake gives them."""

    def items(self) -> Iterable[tuple[str, Any]]: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, place: int) -> Any: ...


class Job(Protocol):
    """What Snakemake tells a script of its job."""

    rule: str
    wildcards: _Named
    input: _Named
    output: _Named
    params: _Named
    log: _Named


@contextmanager
def stage(job: Job) -> Iterator[None]:
    """Run a stage; a user's mistake ends it with a line for each mistake, on the screen and in the log.

    A job that ends well leaves its record in the log: what went in, with which code and configuration, and what came
    out. One job's inputs are another's outputs, so the records together say how every number came about.

    Parameters
    ----------
    job
        The script's `snakemake`. The first of the rule's log files is written.
    """
    path = Path(job.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        yield
    except SurveywavesError as error:
        path.write_text(f"{error}\n", encoding="utf-8")
        sys.stderr.write(f"\n{error}\n\n")
        sys.exit(1)
    write_text(f"{json.dumps(record(job), indent=1, sort_keys=True, ensure_ascii=False)}\n", str(path))


def record(job: Job) -> dict[str, Any]:
    """Say what a finished job read and wrote.

    Returns
    -------
    dict
        `rule`, `wildcards`, `params` as plain data, and `inputs`, `code`, `outputs`: path -> SHA-256. Paths are
        relative to the working folder, those of `code` to the workflow's.
    """
    code = [str(path) for name, paths in job.input.items() if name == "code" for path in paths]
    return {
        "rule": job.rule,
        "wildcards": {name: str(value) for name, value in job.wildcards.items()},
        "params": {name: _plain(value) for name, value in job.params.items()},
        "inputs": {path: digest(Path(path)) for path in sorted(set(map(str, job.input)) - set(code))},
        "code": {
            Path(os.path.relpath(Path(path).resolve(), HOME)).as_posix(): digest(Path(path)) for path in code
        },
        "outputs": {
            path.as_posix(): digest(path)
            for name in sorted(map(str, job.output))
            for path in _files(Path(name))
        },
    }


def digest(path: Path) -> str:
    """Give a file's SHA-256; a folder's is that of the names and sums of its files."""
    if path.is_dir():
        names = (f"{digest(file)}  {file.relative_to(path).as_posix()}\n" for file in _files(path))
        return hashlib.sha256("".join(names).encode()).hexdigest()
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _plain(value: Any) -> Any:
    """Take params for what JSON can say; one that is JSON already for what it says."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(part) for part in (sorted(value) if isinstance(value, set) else value)]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def read(path: str) -> pd.DataFrame:
    """Read a table that an earlier stage wrote; TSV and CSV come as text, blank cells as ""."""
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t" if path.endswith(".tsv") else ",", dtype="str", keep_default_na=False)


def write(frame: pd.DataFrame, path: str, *, private: bool = False) -> None:
    """Write a table as Parquet, TSV or CSV, as the name says: the same bytes for the same table."""
    with whole(path, private=private) as temporary:
        if path.endswith(".parquet"):
            frame.to_parquet(temporary, index=False, compression="zstd")
        else:
            frame.to_csv(
                temporary, sep="\t" if path.endswith(".tsv") else ",", index=False, lineterminator="\n"
            )


def write_text(text: str, path: str) -> None:
    """Write a text file in UTF-8."""
    write_bytes(text.encode("utf-8"), path)


def write_bytes(content: bytes, path: str, *, private: bool = False) -> None:
    """Write a file."""
    with whole(path, private=private) as temporary:
        temporary.write_bytes(content)


@contextmanager
def whole(path: str, *, private: bool = False) -> Iterator[Path]:
    """Give a temporary name beside a path; it becomes the path only when all went well.

    What is private has mode 0600: at no moment can anybody but its owner read it, or a part of it under its name.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        if private:
            temporary.unlink(missing_ok=True)
            temporary.touch(mode=OWNER_ONLY, exist_ok=False)
            temporary.chmod(OWNER_ONLY)
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
