"""Why two sets of results differ: what went in, the settings, the code, the packages, and the stage where it begins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import digest
from surveywaves.key import Key, comparable
from surveywaves.pin.manifest import (
    PINS,
    Environment,
    Hashes,
    Job,
    Manifest,
    Places,
    Records,
    unlike,
)
from surveywaves.pin.source import Source, environment
from surveywaves.study.models import Study
from surveywaves.study.settings import Model

LABEL: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"

SUFFIX: Final = ".zip"
"""A pin is packed into a file beside it, of its name and this."""

CURRENT: Final = "current"
"""What is released now is called so where pins are compared; no pin may be."""


class Asked(Model):
    """How to pin."""

    label: str
    allow_dirty: bool = False
    allow_stale: bool = False
    allow_unreleased: bool = False
    allow_unremembered: bool = False
    prove: bool = True


def asked(config: Mapping[str, Any]) -> Asked:
    """Take what concerns pins from the configuration on the command line.

    Raises
    ------
    SurveywavesError
        If there is no label or none that a folder can have, or an option is neither true nor false.
    """
    label = "" if config.get("pin") is None else str(config["pin"])
    refused = (
        (not label, "which one? there is no label", "add --config pin=<label>"),
        (
            not re.fullmatch(LABEL, label),
            f"`{label}` is no label: letters, digits, dots, dashes and underscores are, not with a dot or dash first",
            "",
        ),
        (label.endswith(SUFFIX), f"`{label}` would be taken for the zip of a pin", "choose another label"),
        (label == CURRENT, f"`{label}` is what the results of now are called", "choose another label"),
    )
    mistakes = [Mistake("pin", what, hint) for is_so, what, hint in refused if is_so][:1]
    # Snakemake takes `True` for true, and `true` for a word.
    words = {"true": True, "false": False}
    options = {
        name: words.get(str(config[name]).lower(), config[name])
        for name in Asked.model_fields
        if name in config and name != "label"
    }
    for name, value in options.items():
        if not isinstance(value, bool):
            mistakes.append(Mistake(name, f"`{value}` is neither true nor false"))
    if mistakes:
        raise SurveywavesError(mistakes)
    return Asked(label=label, **options)


def to_pin(config: Mapping[str, Any], folder: Path) -> Asked:
    """Take what is asked of `snakemake pin`, before anything is computed for it.

    Raises
    ------
    SurveywavesError
        As `asked`, and if there is such a pin already.
    """
    found = asked(config)
    if (folder / PINS / found.label).exists():
        raise SurveywavesError.at(
            (PINS / found.label).as_posix(),
            "is there already, and a pin is never overwritten",
            f"snakemake verify --config pin={found.label} proves it; choose another label for other results",
        )
    return found


CONFIGURATION: Final = "configuration.yaml"

WORDS_AND_LOOKS: Final = tuple(f"config.{name}" for name in ("title", "description", "words", "figures"))
"""Settings that no number depends on."""


@dataclass(frozen=True, slots=True)
class State:
    """All that some results rest on."""

    jobs: tuple[Job, ...]
    raw: Hashes
    config: Hashes
    code: Hashes
    """Files that went in, and those of the study and the workflow."""
    environment: Environment
    """Python and packages."""
    settings: Any
    """The configuration as it took effect."""
    key: str = ""
    """Name of the key of digests; empty: all are plain."""

    @classmethod
    def of_pin(cls, folder: Path, manifest: Manifest) -> State:
        """Take what a pin says."""
        return cls(
            manifest.jobs,
            manifest.raw,
            manifest.config,
            manifest.code,
            manifest.environment,
            read_settings(folder / CONFIGURATION),
            manifest.key,
        )

    @classmethod
    def of_run(cls, records: Records, places: Places, study: Study, unread: Iterable[str] = ()) -> State:
        """Take what lies in the folders of a run; also files that no job has read yet."""
        source = Source.of(study, places)
        own = {*source.config, *source.code}
        return cls(
            records.jobs,
            {
                name: digest(path)
                for name in dict.fromkeys([*records.given, *unread])
                if name not in own and (path := places.lying_at(name)).exists()
            },
            {name: digest(path) for name, path in source.config.items()},
            {name: digest(path) for name, path in source.code.items()},
            environment(places.home),
            settings_of(study),
        )

    def like(self, old: State, key: Key | None) -> tuple[State, bool]:
        """Put the digests into the form that another state has, so that the two can be compared.

        Parameters
        ----------
        key
            The key that is here; None: there is none.

        Returns
        -------
        state
            Files that cannot be compared count as unchanged.
        bool
            Whether all can be.
        """
        names = {old.key, self.key} - {""}
        key = key if key and names == {key.name} else None
        made = {path: hash_ for job in old.jobs for path, hash_ in job.outputs.items()}
        before = {job.name: {**made, **job.inputs, **job.outputs} for job in old.jobs}

        def alike(then: Hashes, now: Hashes) -> Hashes:
            return comparable(then, now, key, one_key=len(names) < 2)

        jobs = (
            job.model_copy(
                update={
                    "inputs": alike(before.get(job.name, made), job.inputs),
                    "outputs": alike(before.get(job.name, made), job.outputs),
                }
            )
            for job in self.jobs
        )
        state = replace(
            self,
            jobs=tuple(jobs),
            raw=alike(old.raw, self.raw),
        )
        return state, key is not None or old.key == self.key


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def settings_of(study: Study) -> Any:
    """Return the configuration as it takes effect, as plain data."""
    return _plain(study.model_dump(mode="json"))


def read_settings(path: Path) -> Any:
    """Read a configuration that was written out as it took effect."""
    return _plain(yaml.load(path.read_text(encoding="utf-8"), _Loader))


def _plain(value: Any) -> Any:
    """Take what YAML and the models say for what JSON can: keys are text."""
    return json.loads(json.dumps(value, default=str))


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: `sort` says what sort of thing, in the words of the screen."""

    sort: str
    name: str
    old: str = ""
    new: str = ""
    file: bool = False

    def __str__(self) -> str:
        if self.old or self.new:
            return f"{self.sort} {self.name}: {_short(self.old)} -> {_short(self.new)}"
        return f"{self.sort} {self.name}"


def _short(text: str, width: int = 60) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


@dataclass(frozen=True, slots=True)
class Stage:
    """A job that gives other results although what other jobs gave it is as it was."""

    job: str
    because: tuple[Difference, ...]
    """What of its own differs."""


def differences(old: State, new: State) -> list[Difference]:
    """List what differs, each group in the order of the pipeline: raw files, settings, files, code, packages."""
    return [
        *_files("raw file", old.raw, new.raw),
        *(Difference("setting", *change) for change in unlike(old.settings, new.settings)),
        *_files("configuration file", old.config, new.config),
        *_code(old, new),
        *_packages(old, new),
    ]


def _files(sort: str, old: Hashes, new: Hashes) -> Iterator[Difference]:
    for name, how in _unlike_files(old, new):
        yield Difference(sort, f"{name}: {how}", file=True)


def _code(old: State, new: State) -> Iterator[Difference]:
    unlike_ = dict(_unlike_files(old.code, new.code))
    used = dict.fromkeys(name for job in (*old.jobs, *new.jobs) for name in (*job.code, *job.inputs))
    for name in [
        *(name for name in used if name in unlike_),
        *(name for name in unlike_ if name not in used),
    ]:
        how = unlike_[name]
        if how == CHANGED and _same_programs(old, new, name):
            how = "changed in comments or layout only"
        yield Difference("code", f"{name}: {how}", file=True)


CHANGED: Final = "changed"


def _unlike_files(old: Hashes, new: Hashes) -> Iterator[tuple[str, str]]:
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield name, "gone"
        elif name not in old:
            yield name, "new"
        elif old[name] != new[name]:
            yield name, CHANGED


def _same_programs(old: State, new: State, name: str) -> bool:
    """Whether every job that used a file ran the same program, apart from comments and layout."""
    before = {job.name: job.program for job in old.jobs}
    ran = [job for job in new.jobs if name in job.code]
    return bool(ran) and all(job.program and job.program == before.get(job.name) for job in ran)


def _packages(old: State, new: State) -> Iterator[Difference]:
    before, after = (_versions(state.environment) for state in (old, new))
    for name, was, now in unlike(before, after):
        yield Difference("environment" if name in _NO_PACKAGES else "package", name, was, now)


_NO_PACKAGES: Final = ("python", "platform")


def _versions(known: Environment) -> dict[str, str]:
    apart = {"python": known.python, "platform": known.platform, "matplotlib": known.matplotlib}
    return {**apart, **known.packages}


# --- the stage where it begins --------------------------------------------------------------------------------


def first_stages(old: State, new: State, moved: Sequence[str]) -> list[Stage]:
    """Find the jobs whose results differ although all that other jobs gave them is the same.

    Parameters
    ----------
    old, new
        The results that were pinned, and those that came out now.
    moved
        Files that are not as pinned: only jobs that these depend on are of interest.

    Returns
    -------
    list of Stage
        In the order of the pipeline.
    """
    before, after = ({job.name: job for job in state.jobs} for state in (old, new))
    changed = _changed_outputs(old, new)
    relevant = _behind(moved, (*old.jobs, *new.jobs))
    found = []
    for name in dict.fromkeys([*after, *before]):
        was, now = before.get(name), after.get(name)
        outputs = {path for job in (was, now) if job for path in job.outputs}
        inputs = {path for job in (was, now) if job for path in job.inputs}
        if name in relevant and outputs & changed and not inputs & changed:
            found.append(Stage(name, tuple(_own(was, now))))
    return found


def _changed_outputs(old: State, new: State) -> set[str]:
    """Name the files that jobs made otherwise, or only one of the two did."""
    before, after = (
        {path: hash_ for job in state.jobs for path, hash_ in job.outputs.items()} for state in (old, new)
    )
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def _behind(paths: Sequence[str], jobs: Sequence[Job]) -> set[str]:
    """Name the jobs that some files depend on."""
    makers: dict[str, list[Job]] = {}
    for job in jobs:
        for path in job.outputs:
            makers.setdefault(path, []).append(job)
    todo, seen, found = list(paths), set(paths), set()
    while todo:
        for job in makers.get(todo.pop(), []):
            found.add(job.name)
            fresh = job.inputs.keys() - seen
            seen |= fresh
            todo += fresh
    return found


def _own(was: Job | None, now: Job | None) -> Iterator[Difference]:
    """Yield what of a job's own differs: what it reads that no job made, its settings, code and packages."""
    if was is None or now is None:
        yield Difference("the job is", "new" if was is None else "gone")
        return
    for name, how in _unlike_files(was.inputs, now.inputs):
        yield Difference("input", f"{name}: {how}")
    for place, old_value, new_value in unlike(was.params, now.params):
        yield Difference("setting", place, old_value, new_value)
    if not now.program or was.program != now.program:
        for name, how in _unlike_files(was.code, now.code):
            yield Difference("code", f"{name}: {how}")
    for name, old_version, new_version in unlike(was.packages, now.packages):
        yield Difference("package", name, old_version, new_version)


def added_waves(old: State, new: State) -> list[str]:
    """Name the waves that a study has more, if but for words and looks that tells it from what it was; else none."""
    was, now = (list(state.settings["config"]["waves"]) for state in (old, new))
    more = [wave for wave in now if wave not in was]
    if not more or [wave for wave in now if wave in was] != was:
        return []
    allowed = ("config.waves", *WORDS_AND_LOOKS, *(f"waves.{wave}" for wave in more))
    places = [place for place, _, _ in unlike(old.settings, new.settings)]
    if not all(f"{place}.".startswith(tuple(f"{name}." for name in allowed)) for place in places):
        return []
    return [] if any(how != "new" for _, how in _unlike_files(old.raw, new.raw)) else more
