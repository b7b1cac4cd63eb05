"""What every script of the workflow does: fail in one line, and leave a record of what went in and out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from surveywaves.errors import SurveywavesError
from surveywaves.files import digest, files_under, write_text

HOME: Final = Path(__file__).resolve().parents[2]
"""Folder of the workflow that this package belongs to."""


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
            for path in files_under(Path(name))
        },
    }


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
