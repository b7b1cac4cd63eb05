"""What every script of the workflow does: fail in one line, and leave a record of what went in and out."""

from __future__ import annotations

import errno
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import digest, files_under, flush, write_text
from surveywaves.freshness import CACHE, Job, Programs, call_of, name_of, settings_of


class Script(Protocol):
    """The job of a script, as Snakemake gives it: what a rule names can be got by its name."""

    rule: str
    wildcards: Any
    input: Any
    output: Any
    params: Any
    log: Any
    threads: int


if TYPE_CHECKING:
    snakemake: Script
    """The job of the script that runs."""


def __getattr__(name: str) -> Any:
    """Return the job that Snakemake put into the script that runs."""
    if name == "snakemake":
        return sys.modules["__main__"].snakemake
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@contextmanager
def stage(job: Job) -> Iterator[None]:
    """Run a stage; a user's mistake ends it with a line for each mistake, on the screen and in the log.

    A job that ends well leaves its record in the log: what went in, with which code and configuration, and what came
    out. One job's inputs are another's outputs, so the records together say how every number came about. What went in
    is looked at before and after: where it changed meanwhile, nobody can say what the results are made of.

    Parameters
    ----------
    job
        The script's `snakemake`. The first of the rule's log files is written, for its owner only: the digest of a
        table of counts lets others try out guesses at them, and an error may speak of a row.
    """
    path = Path(job.log[0])
    # Snakemake removes what a rule made before, but no folder where it made a file.
    if folders := [file for file in map(str, (path, *job.output)) if any(Path(file).glob("*"))]:
        sys.exit(
            "\n".join(
                str(Mistake(file, "a folder lies where a file belongs", "delete it")) for file in folders
            )
        )
    # A job that is ended clears away what is half made, as one that fails does.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        taken = Taken.by(job)
        yield
        taken.must_equal(Taken.by(job), job)
        for folder in sorted({file.parent for made in job.output for file in files_under(Path(made))}):
            flush(folder)
        told = json.dumps(record(job, taken), indent=1, sort_keys=True, ensure_ascii=False)
        write_text(f"{told}\n", str(path), private=True)
        flush(path.parent)
    except (SurveywavesError, OSError, MemoryError, RuntimeError) as error:
        if (mistakes := mistakes_in(error, name_of(job))) is None:
            raise
        with suppress(OSError):  # where there is no room, there is none for this
            write_text("".join(f"{mistake.line}\n" for mistake in mistakes), str(path), private=True)
        sys.stderr.write("".join(f"\n{mistake}" for mistake in mistakes) + "\n\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, before)


_NO_MEMORY: Final = "not enough memory"
_NO_THREAD: Final = "can't start new thread"
"""What Python says where there is no memory for another thread's stack."""
_FEWER: Final = "close other programs, run with --cores 1, or take a machine with more"
_AGAIN: Final = "then run it once more: what is finished is kept"
_NO_FOLDER: Final = ("a file lies where a folder belongs", "delete it, or name another folder")
_OF_THE_MACHINE: Final = {
    errno.ENOSPC: ("no space left on the disk", f"free some, {_AGAIN}"),
    errno.EDQUOT: ("no space left for you on the disk", f"free some, or ask for a larger quota, {_AGAIN}"),
    errno.EFBIG: ("larger than a file may be here", f"raise the limit (ulimit -f), {_AGAIN}"),
    errno.EROFS: ("cannot be written: the disk is read-only", "run the study in a folder of your own"),
    errno.EACCES: ("you may not read or write it", "chmod or chown it"),
    errno.EPERM: ("you may not change it", "chmod or chown it"),
    errno.EISDIR: ("a folder lies where a file belongs", "delete it, or name another file"),
    errno.ENOTDIR: _NO_FOLDER,
    errno.EEXIST: _NO_FOLDER,
    errno.EIO: ("the disk cannot be read or written", "copy the study to another disk"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
    errno.ENAMETOOLONG: ("its path is too long for this system", "move the study to a shorter one"),
    errno.ENOMEM: (_NO_MEMORY, _FEWER),
}
"""What an operating system refuses, and nobody has to look into the code for."""


def mistakes_in(error: Exception, doing: str) -> tuple[Mistake, ...] | None:
    """Return an error as mistakes: the user's, or what the machine lacks; None for a fault of the code."""
    if isinstance(error, SurveywavesError):
        return error.mistakes
    if isinstance(error, MemoryError) or str(error) == _NO_THREAD:
        return (Mistake(doing, _NO_MEMORY, _FEWER),)
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return (Mistake(str(error.filename2 or error.filename or doing), *_OF_THE_MACHINE[error.errno]),)
    return None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a job takes: files and code, path -> SHA-256, and the fingerprint of the code."""

    inputs: Mapping[str, str]
    code: Mapping[str, str]
    fingerprint: str

    @classmethod
    def by(cls, job: Job) -> Self:
        """Look at what a job takes as it lies there now."""
        program = Programs(cache=Path(CACHE)).of(job.rule)
        inputs = {path: digest(Path(path)) for path in sorted(set(map(str, job.input)))}
        return cls(inputs, program.code, program.fingerprint)

    def must_equal(self, later: Taken, job: Job) -> None:
        """Refuse what was made while any of it changed.

        Raises
        ------
        SurveywavesError
            With a line for each file.
        """
        changed = [path for path, hash_ in self.inputs.items() if later.inputs[path] != hash_]
        if later.fingerprint != _program(job)["fingerprint"]:
            code = {**self.code, **later.code}
            # What Python had read before this looked is not known by name.
            changed += [path for path in code if self.code.get(path) != later.code.get(path)] or ["workflow"]
        if changed:
            what, hint = f"changed while {name_of(job)} ran", "run snakemake once more"
            raise SurveywavesError(Mistake(path, what, hint) for path in changed)


def _program(job: Job) -> Any:
    return dict(job.params.items())["program"]


def record(job: Job, taken: Taken) -> dict[str, Any]:
    """Return what a finished job read and wrote.

    Returns
    -------
    dict
        `rule`, `wildcards`, `params` as plain data, and `inputs`, `code`, `outputs`: path -> SHA-256. Paths are
        relative to the working folder, those of `code` to the workflow's. By `program`, `packages` and `call` a later
        run sees whether it would do the same (`freshness`).
    """
    return {
        "rule": job.rule,
        "wildcards": {name: str(value) for name, value in job.wildcards.items()},
        "params": settings_of(job),
        "inputs": taken.inputs,
        "code": taken.code,
        "outputs": {
            path.as_posix(): digest(path)
            for name in sorted(map(str, job.output))
            for path in files_under(Path(name))
        },
        "program": taken.fingerprint,
        "packages": _program(job)["packages"],
        "call": call_of(job),
    }
