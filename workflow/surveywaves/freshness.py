"""What each result was made of, held against what is there now: which jobs must run again, and why.

Content decides: neither time stamps nor what Snakemake remembers. A job that ends well leaves a record of the digests
of what it read and wrote, of its settings, of its program and of the packages that this ran with. A job whose record
is not there, or says something else than the files do, runs again, and so does what reads its results.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from typing import Any, Final, Protocol

from surveywaves.files import digest, files_under, write_text
from surveywaves.text import few

HOME: Final = Path(__file__).resolve().parents[2]
"""Folder of the workflow that this package belongs to."""

PACKAGE: Final = "surveywaves"

LOCK: Final = "requirements.lock"

SNAKEMAKES_OWN: Final = ".snakemake_timestamp"
"""What Snakemake puts into a folder that a job made."""

CACHE: Final = ".snakemake/programs.json"
"""Where a study keeps what was parsed; it may be lost."""


class Named(Protocol):
    """A list whose parts have names, as Snakemake gives them."""

    def items(self) -> Iterable[tuple[str, Any]]: ...  # noqa: D102

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, place: int) -> Any: ...


class Job(Protocol):
    """What Snakemake says of a job, before it runs and to its script."""

    rule: str
    wildcards: Named
    input: Named
    output: Named
    params: Named
    log: Named


@dataclass(slots=True, eq=False)
class Planned:
    """A job as the workflow describes it now."""

    rule: str
    wildcards: Named
    input: Named
    output: Named
    params: Named
    log: Named


def name_of(job: Job) -> str:
    """Return a job's name as a person reads it: `ingest(second)`."""
    values = [str(value) for _, value in job.wildcards.items()]
    return f"{job.rule}({', '.join(values)})" if values else job.rule


# --- which jobs run again -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Again:
    """What a run has to make."""

    because: Mapping[Job, str]
    """Jobs that are not as they should be -> why, in a clause."""
    made: frozenset[str]
    """What these write, and what is made of that."""

    @property
    def first(self) -> dict[str, str]:
        """Jobs that left something before and take nothing from another: name -> why they run."""
        return {
            name_of(job): why
            for job, why in self.because.items()
            if any(Path(path).exists() for path in (job.log[0], *job.output))
            and self.made.isdisjoint(map(str, job.input))
        }


def run_again(jobs: Sequence[Job], wanted: Iterable[str], *, forced: Collection[str] = ()) -> Again:
    """Find the jobs that must run before some files are what they should be.

    Parameters
    ----------
    jobs
        Every job of the workflow.
    wanted
        The files. Jobs that none of them depends on are left alone.
    forced
        Rules and files that are to be made in any case; what is made of them is, too.
    """
    makers = {str(path): job for job in jobs for path in job.output}
    needed = _behind(wanted, makers)
    digests = Digests()
    because = {job: why for job in needed if (why := out_of_date(job, digests))}
    again = {
        *because,
        *(job for job in needed if job.rule in forced or not set(map(str, job.output)).isdisjoint(forced)),
    }
    grows = True
    while grows:
        made = {str(path) for job in again for path in job.output}
        follow = {job for job in needed if job not in again and not made.isdisjoint(map(str, job.input))}
        again |= follow
        grows = bool(follow)
    return Again(because, frozenset(made))


def left_over(jobs: Collection[Job], records: Path = Path("results/logs")) -> list[Path]:
    """List what jobs made that no job makes any more, and the records of jobs that there are no longer.

    What a wave, a scale or a statement that was withdrawn left behind would go on lying among what everybody may see.
    A file that somebody changed since is not among them.
    """
    made = {Path(str(path)) for job in jobs for path in job.output}
    kept = {Path(str(job.log[0])) for job in jobs}
    found: list[Path] = []
    for record in sorted(records.rglob("*.log")):
        outputs = _read_json(record).get("outputs")
        if not isinstance(outputs, dict):
            continue
        for name, content in outputs.items():
            path = Path(name)
            ours = path.is_relative_to(records.parent) and ".." not in path.parts
            if ours and made.isdisjoint((path, *path.parents)) and path.is_file() and digest(path) == content:
                found.append(path)
        if record not in kept:
            found += [one for one in (record.with_suffix(".benchmark.tsv"), record) if one.exists()]
    return found


def _behind(wanted: Iterable[str], makers: Mapping[str, Job]) -> list[Job]:
    """List the jobs that some files depend on."""
    todo, found = list(map(str, wanted)), dict[Job, None]()
    while todo:
        if (job := makers.get(todo.pop())) and job not in found:
            found[job] = None
            todo += map(str, job.input)
    return list(found)


class Digests:
    """SHA-256 of files, each looked at once; "" if a file cannot be read."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __getitem__(self, path: str) -> str:
        if path not in self._known:
            try:
                self._known[path] = digest(Path(path))
            except OSError:
                self._known[path] = ""
        return self._known[path]


def out_of_date(job: Job, digests: Digests) -> str:
    """Return in a clause why a job's results are out of date; "" if they are not."""
    try:
        then = json.loads(Path(job.log[0]).read_text(encoding="utf-8"))
        inputs, outputs, packages, params = (
            dict(then[name]) for name in ("inputs", "outputs", "packages", "params")
        )
        program, call = then["program"], then["call"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "no record of it"
    now = dict(job.params.items())["program"]
    if program != now["fingerprint"]:
        return "code changed"
    if packages != now["packages"]:
        return f"packages changed: {few(_unlike(packages, now['packages']), 2)}"
    if changed := _unlike(inputs, {path: digests[path] for path in set(map(str, job.input))}):
        return f"{few(changed, 2)} changed"
    if call != call_of(job):
        settings = _unlike(params, settings_of(job))
        return f"settings changed{': ' if settings else ''}{few(settings, 2)}"
    written = {
        path.as_posix()
        for name in map(str, job.output)
        for path in files_under(Path(name))
        if path.name != SNAKEMAKES_OWN
    }
    if changed := _unlike(outputs, {path: digests[path] for path in written}):
        return f"{few(changed, 2)} {'is' if len(changed) == 1 else 'are'} not as written"
    return ""


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


# --- what a job is made of ----------------------------------------------------------------------------------------


def settings_of(job: Job) -> dict[str, Any]:
    """Return a job's params as plain data."""
    return {name: _plain(value) for name, value in job.params.items() if name != "program"}


def call_of(job: Job) -> str:
    """Return a digest of a job's call: its params in their order, and which file is passed under which name."""
    files = [
        [[name, _paths(value)] for name, value in part.items()] + [_paths(list(part))]
        for part in (job.input, job.output)
    ]
    return _sha256(json.dumps([files, settings_of(job)], ensure_ascii=False))


def _paths(value: Any) -> list[str]:
    return [_placed(str(path)) for path in ([value] if isinstance(value, str) else value)]


def _placed(path: str) -> str:
    """Name a file of the workflow alike wherever the study lies."""
    if path.startswith("..") and (whole := Path(path).resolve()).is_relative_to(HOME):
        return whole.relative_to(HOME).as_posix()
    return path


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


def _sha256(text: str | bytes) -> str:
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


# --- programs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Program:
    """What runs when a script does."""

    code: Mapping[str, str]
    """Its modules, relative to the workflow's folder -> SHA-256."""
    fingerprint: str
    """Digest of their syntax trees without docstrings: the same after an edit of comments and layout."""
    imported: frozenset[str]
    """Modules of other packages that they import."""


class Programs:
    """Programs of scripts: each with the modules that it imports, those that these import, and so on.

    Parameters
    ----------
    home
        Folder of the workflow.
    cache
        File that keeps what was parsed, by digest of what was read: it is never stale, and may be lost.
    """

    def __init__(self, home: Path = HOME, cache: Path | None = None) -> None:
        self._home = home
        self._cache = cache
        # How trees are read is part of what they say: another version of this module does not take them over.
        self._form = _sha256(sys.version.encode() + Path(__file__).read_bytes())
        self._kept: dict[str, Any] = _read_json(cache) if cache else {}
        if self._kept.get("form") != self._form:
            self._kept = {"form": self._form, "modules": {}}
        self._new = False
        self._locked: dict[str, list[str]] | None = None
        self._files: dict[str, Path | None] = {}
        self._modules: dict[Path, tuple[str, str, list[str]]] = {}

    def of(self, script: str) -> Program:
        """Return the program of a script, which is named after its rule."""
        first = self._home / f"workflow/scripts/{script}.py"
        todo, found = [first], {first}
        imported = set()
        while todo:
            names = self._module(todo.pop())[2]
            for name in (*names, *(maker for one in names for maker in self._makers(one))):
                if ":" in name:
                    continue
                if name.split(".")[0] != PACKAGE:
                    imported.add(name.split(".")[0])
                elif (path := self._file(name)) and path not in found:
                    found.add(path)
                    todo.append(path)
        modules = {path.relative_to(self._home).as_posix(): self._module(path)[:2] for path in sorted(found)}
        trees = "".join(f"{tree}  {name}\n" for name, (_, tree) in modules.items())
        code = {name: content for name, (content, _) in modules.items()}
        return Program(code, _sha256(trees), frozenset(imported - set(sys.stdlib_module_names)))

    def _makers(self, name: str) -> list[str]:
        """Name the modules that a list of makers names, as `surveywaves.catalogue.FIGURES`: no import shows them."""
        module, _, listed = name.rpartition(".")
        if not listed.isupper() or (path := self._file(module)) is None:
            return []
        begins = f"{listed}:"
        return [one.removeprefix(begins) for one in self._module(path)[2] if one.startswith(begins)]

    def packages(self, program: Program) -> dict[str, str]:
        """Return Python and the packages that a program needs -> version, with the locked one where that differs."""
        installed = self._installed()
        todo = [name for top in program.imported for name in installed["tops"].get(top, [])]
        found = set(todo)
        while todo:
            for name in installed["requires"].get(todo.pop(), []):
                if name in installed["versions"] and name not in found:
                    found.add(name)
                    todo.append(name)
        if self._locked is None:
            self._locked = _locked(self._home / LOCK)
        versions = {"python": ".".join(map(str, sys.version_info[:3]))}
        for name in sorted(found):
            here, there = installed["versions"][name], self._locked.get(name, [])
            versions[name] = here if here in there or not there else f"{here}, locked {' or '.join(there)}"
        return versions

    def keep(self) -> None:
        """Write what was parsed into the cache, where there is room."""
        if self._cache and self._new:
            with suppress(OSError):
                write_text(json.dumps(self._kept), str(self._cache))

    def _file(self, name: str) -> Path | None:
        if name not in self._files:
            path = self._home.joinpath("workflow", *name.split("."))
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            self._files[name] = path if path.exists() else None
        return self._files[name]

    def _module(self, path: Path) -> tuple[str, str, list[str]]:
        """Return a module's SHA-256, that of its syntax tree, and its imports."""
        if path not in self._modules:
            source = path.read_bytes()
            content = _sha256(source)
            if content not in self._kept["modules"]:
                self._kept["modules"][content] = _parsed(source)
                self._new = True
            tree, imports = self._kept["modules"][content]
            self._modules[path] = content, tree, imports
        return self._modules[path]

    def _installed(self) -> Any:
        """Return the packages of each module, and the requirements and the version of each package."""
        folders = [Path(folder) for folder in sys.path if Path(folder).is_dir()]
        listed = [path.name for folder in folders for path in sorted(folder.glob("*-info"))]
        if self._kept.get("listed") != listed:
            all_ = [(_normal(one.name), one) for one in distributions()]
            self._kept |= {
                "listed": listed,
                "tops": {
                    top: sorted(set(map(_normal, names))) for top, names in packages_distributions().items()
                },
                "requires": {name: _required(one.requires or ()) for name, one in all_},
                "versions": {name: one.version for name, one in reversed(all_)},
            }
            self._new = True
        return self._kept


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(requirements: Iterable[str]) -> list[str]:
    needed = (re.match(r"[\w.-]+", one) for one in requirements if "extra ==" not in one)
    return sorted({_normal(name[0]) for name in needed if name})


def _locked(lock: Path) -> dict[str, list[str]]:
    """Return the versions that a lock names; it may name several of a package, for several versions of Python."""
    found: dict[str, list[str]] = {}
    text = lock.read_text(encoding="utf-8") if lock.exists() else ""
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE):
        found.setdefault(_normal(name), []).append(version)
    return found


def _parsed(source: bytes) -> tuple[str, list[str]]:
    """Return the digest of a module's syntax tree, and its imports; if it cannot be parsed, the digest of its text."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return _sha256(source), []
    for node in ast.walk(tree):
        for part in ("body", "orelse"):
            if isinstance(statements := getattr(node, part, None), list):
                setattr(node, part, [one for one in statements if not _says_nothing(one)])
    return _sha256(ast.dump(tree)), sorted(set(_imports(tree)))


def _says_nothing(node: ast.AST) -> bool:
    """Whether a statement is a docstring or an import that only type checkers see."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" and not node.orelse
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


_MAKER: Final = re.compile(r"(\w+\.[\w.]+):\w+")
"""How a maker is named."""


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that a module imports, and what may be a module among the names that it takes from one.

    Of a list of makers (`LISTED: Final = (... "room.module:function" ...)`) those that it names, as `LISTED:module`.

    The packages that a module lies in are no part of it: nothing here is registered where a package is imported.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            words = (one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant))
            found = (_MAKER.fullmatch(word) for word in words if isinstance(word, str))
            yield from (f"{node.target.id}:{PACKAGE}.{maker[1]}" for maker in found if maker)
