"""The run behind a pin, in a crate: one step a rule, one action a job, with what it read, was told and wrote.

No action says when it ended or who started it: records and pins hold neither, so that the same results are the same
bytes.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rocrate.rocrate import ROCrate

from surveywaves.confidential import PRIVATE
from surveywaves.pin.entity import Entity, contextual, given
from surveywaves.pin.manifest import Job, Manifest
from surveywaves.pin.records import RESULTS

_SCRIPTS: Final = "workflow/scripts/"
_SOURCE: Final = "source/"
_CONFIGURATION: Final = f"{_SOURCE}config/"
_COMPLETED: Final = "http://schema.org/CompletedActionStatus"

_OF_PEOPLE: Final = tuple(f"{RESULTS}{room}/" for room in PRIVATE)

_KEPT: Final = (
    "Not in this crate and not to be shared: it holds rows of individual people, or counts so small that they tell "
    "of some. Who may have it can tell it by its SHA-256."
)
_MADE: Final = "Not in this crate: the workflow makes it again."
_ELSEWHERE: Final = "Not in this crate."


def add_run(
    made: ROCrate, manifest: Manifest, folder: Path, *, workflow: Entity, code: Mapping[str, Any]
) -> None:
    """Add the run of the workflow, and of each of its jobs.

    Parameters
    ----------
    made
        The crate, its files and packages already in it.
    manifest
        What the pin says of itself.
    folder
        The pin.
    workflow
        The crate's main entity.
    code
        What the scripts have in common.
    """
    files, environment = _Files(made, manifest), manifest.environment
    inputs, outputs = _inputs(made, files), _results(made, manifest)
    run = _action(
        made,
        "#run",
        name=f"Run of the workflow: {manifest.label}",
        description=f"{len(manifest.jobs)} jobs; Python {environment.python} on {environment.platform}.",
        instrument=workflow,
        object=inputs,
        result=outputs,
    )
    workflow.type.append("HowTo")
    workflow["input"] = [_parameter(made, "input", one) for one in inputs]
    workflow["output"] = [_parameter(made, "output", one) for one in outputs]
    steps = _steps(made, manifest, folder, code=code)
    workflow["step"] = list(steps.values())
    workflow["hasPart"] = list(
        {tool.id: tool for tool in (step["workExample"] for step in steps.values())}.values()
    )
    jobs = [_job(made, job, steps[job.rule]["workExample"], files) for job in manifest.jobs]
    controls = [
        contextual(
            made,
            f"#control-{_fragment(job.name)}",
            "ControlAction",
            name=f"Step {job.rule}: {job.name}",
            instrument=steps[job.rule],
            object=action,
        )
        for job, action in zip(manifest.jobs, jobs, strict=True)
    ]
    organised = contextual(
        made,
        "#organise",
        "OrganizeAction",
        name="Snakemake runs the workflow",
        instrument=_engine(made, manifest),
        object=controls,
        result=run,
    )
    made.root_dataset["mentions"] = [run, organised, *jobs, *files.collections]


def _action(made: ROCrate, identifier: str, **about: Any) -> Entity:
    return contextual(made, identifier, "CreateAction", actionStatus=_COMPLETED, **about)


def _job(made: ROCrate, job: Job, tool: Entity, files: _Files) -> Entity:
    own = _fragment(job.name)
    told = [
        contextual(
            made,
            f"#setting-{own}/{_fragment(name)}",
            "PropertyValue",
            name=name,
            value=value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False),
        )
        for name, value in sorted(job.params.items())
    ]
    return _action(
        made,
        f"#job-{own}",
        name=job.name,
        description=f"A job of the rule {job.rule}; manifest.json has the SHA-256 of its code, {len(job.code)} files.",
        instrument=tool,
        object=[*files.each(job.inputs), *told],
        result=list(files.each(job.outputs)),
    )


def _fragment(name: str) -> str:
    return quote(name, safe="()")


# --- steps --------------------------------------------------------------------------------------------------------


def _steps(made: ROCrate, manifest: Manifest, folder: Path, *, code: Mapping[str, Any]) -> dict[str, Entity]:
    """Add a step for each rule, in the order in which they come: rule -> step, whose `workExample` is its script."""
    first = {job.rule: job for job in reversed(manifest.jobs)}
    rules = dict.fromkeys(job.rule for job in manifest.jobs)
    return {
        rule: contextual(
            made,
            f"#step-{_fragment(rule)}",
            "HowToStep",
            name=rule,
            position=str(position),
            workExample=_tool(made, first[rule], manifest, folder, code=code),
        )
        for position, rule in enumerate(rules, start=1)
    }


def _tool(made: ROCrate, job: Job, manifest: Manifest, folder: Path, *, code: Mapping[str, Any]) -> Entity:
    """Give the script that a job ran; one that is not in the pin by its rule."""
    for name in job.code:
        script = f"{_SOURCE}{name}"
        if name.startswith(_SCRIPTS) and script in manifest.outputs:
            tool = made.get(quote(script))
            if "SoftwareSourceCode" not in tool.type:
                properties = tool.properties()
                properties["@type"] = ["File", "SoftwareSourceCode"]
                for key, value in ({**code, **given(description=_docstring(folder / script))}).items():
                    tool[key] = value
            return tool
    return contextual(made, f"#tool-{_fragment(job.rule)}", "SoftwareApplication", name=job.rule)


def _docstring(script: Path) -> str:
    try:
        return ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    except (OSError, SyntaxError, ValueError):
        return ""


def _engine(made: ROCrate, manifest: Manifest) -> Entity:
    version = manifest.environment.packages.get("snakemake")
    known = made.get(f"https://pypi.org/project/snakemake/{version}/")
    return known or contextual(made, "#snakemake", "SoftwareApplication", name="snakemake")


# --- what goes in and comes out -----------------------------------------------------------------------------------


class _Files:
    """Entities of what the jobs read and wrote, whether the pin has it or not."""

    def __init__(self, made: ROCrate, manifest: Manifest) -> None:
        self._made = made
        self._manifest = manifest
        self._outputs = {path for job in manifest.jobs for path in job.outputs}
        self._waves = _waves(manifest)
        self.collections: list[Entity] = []

    def each(self, hashes: Mapping[str, str]) -> Iterator[Entity]:
        """Give the entities of some files, by path."""
        for path, hash_ in sorted(hashes.items()):
            yield self.of(path, hash_)

    def of(self, path: str, hash_: str) -> Entity:
        """Give the entity of a file: the pin's own if it holds the very file, or else one that tells it."""
        for name in (path.removeprefix(RESULTS), f"{_SOURCE}{path}"):
            if self._manifest.outputs.get(name) == hash_:
                return self._made.get(quote(name))
        own = f"#file-{quote(path)}@{hash_[:12]}"
        return self._made.get(own) or contextual(
            self._made,
            own,
            "CreativeWork",
            name=path,
            sha256=hash_,
            description=self._waves.get(path),
            conditionsOfAccess=self._access(path),
        )

    def _access(self, path: str) -> str:
        if path in self._waves or path.startswith(_OF_PEOPLE):
            return _KEPT
        return _MADE if path in self._outputs else _ELSEWHERE

    def collect(self, identifier: str, name: str, parts: Iterable[Entity]) -> Entity:
        """Put files together that are no folder of the crate."""
        found = contextual(self._made, identifier, "Collection", name=name, hasPart=list(parts))
        self.collections.append(found)
        return found

    @property
    def raw(self) -> list[Entity]:
        """Give what no job made and is not the configuration."""
        return list(self.each(self._manifest.raw))


def _waves(manifest: Manifest) -> dict[str, str]:
    """Say of each raw file of a wave what its data are: path -> in words."""
    known = {one.wave: f"{one.title} ({one.wave}): {one.evidence}" for one in manifest.evidence}
    return {
        path: known[wave]
        for job in manifest.jobs
        if (wave := job.wildcards.get("wave")) in known
        for path in job.inputs
        if path in manifest.raw
    }


def _inputs(made: ROCrate, files: _Files) -> list[Entity]:
    """Give what went into the run: the raw files that are not here, those that are, the configuration."""
    here = [one for one in files.raw if "File" in one.type]
    elsewhere = [one for one in files.raw if "File" not in one.type]
    found = [files.collect("#raw", "Raw files", elsewhere)] if elsewhere else []
    configuration = made.get(_CONFIGURATION)
    return [*found, *([configuration] if configuration else []), *here]


def _results(made: ROCrate, manifest: Manifest) -> list[Entity]:
    """Give what came out of the run and is here: folders, and files that lie in none."""
    written = {path for job in manifest.jobs for path in job.outputs}
    names = [name for name in manifest.outputs if f"{RESULTS}{name}" in written]
    top = {f"{room}/" if slash else room for room, slash, _ in (name.partition("/") for name in names)}
    return [made.get(quote(name)) for name in sorted(top)]


def _parameter(made: ROCrate, way: str, entity: Entity) -> Entity:
    """Give the parameter of the workflow that something was the value of."""
    kinds = entity.type if isinstance(entity.type, list) else [entity.type]
    kind = next(kind for kind in ("File", "Dataset", "Collection") if kind in kinds)
    name = entity["name"]
    found = contextual(
        made,
        f"#{way}-{quote(entity.id.strip('#/'), safe='')}",
        "FormalParameter",
        name=name,
        additionalType=kind,
        workExample=entity,
    )
    entity["exampleOfWork"] = found
    return found
