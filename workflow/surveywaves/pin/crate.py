"""A pin as an RO-Crate 1.1: what is in it, what made it and from what, in words that archives and machines share.

It follows the profiles of Workflow RO-Crates and of Process and Workflow Run Crates
(https://www.researchobject.org/workflow-run-crate/profiles/): one action for the run, with what went in and came out;
what each of its jobs read, was given and wrote stands in the manifest. Files that are not in the pin are told by name
and keyed digest, as `CreativeWork`: a `File` must be in the crate or on the web. The action does not say when it ended
or who started it: records and pins hold neither, so that the same results are the same bytes. How the workflow is to
be cited comes from its `CITATION.cff`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from rocrate.model.contextentity import ContextEntity
from rocrate.model.softwareapplication import SoftwareApplication
from rocrate.rocrate import ROCrate

from surveywaves.errors import SurveywavesError
from surveywaves.files import digest, read
from surveywaves.key import KEYED, is_keyed
from surveywaves.pin.manifest import NAME, README, RESULTS, SUMS, Environment, Manifest, held
from surveywaves.pin.source import LOCK

CITATION: Final = "CITATION.cff"

SOURCE: Final = "source/"
WORKFLOW: Final = f"{SOURCE}Snakefile"
CONFIGURATION: Final = f"{SOURCE}config/"


def _text(value: Any) -> Any:
    """Take a date or a number, as YAML reads `2007` and `1.0`, for the text it was."""
    return value if isinstance(value, list | dict) else str(value)


_Text = Annotated[str, BeforeValidator(_text)]


class _Part(BaseModel):
    """A part of the file; keys that nothing here is made of pass."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Author(_Part):
    """A person, by family name, or an entity, by `name`."""

    name: _Text = ""
    family_names: _Text = Field("", alias="family-names")
    given_names: _Text = Field("", alias="given-names")
    orcid: _Text = ""
    website: _Text = ""
    affiliation: _Text = ""

    @property
    def person(self) -> bool:
        """Whether it is a person."""
        return bool(self.family_names or self.given_names)

    @property
    def told(self) -> str:
        """Return the name as it is read."""
        return f"{self.given_names} {self.family_names}".strip() or self.name


class Work(_Part):
    """Something that can be cited."""

    title: _Text = ""
    authors: tuple[Author, ...] = ()
    year: _Text = ""
    version: _Text = ""
    doi: _Text = ""
    url: _Text = ""

    @property
    def told(self) -> str:
        """Cite it in a line."""
        authors = ", ".join(author.told for author in self.authors)
        who = f"{authors}{f' ({self.year})' if self.year else ''}"
        what = f"{self.title}{f', version {self.version}' if self.version else ''}"
        return ". ".join(filter(None, [who, what, self.address]))

    @property
    def address(self) -> str:
        """Return the address where it is found; empty if the file names none."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


class Citation(Work):
    """What `CITATION.cff` says."""

    license: _Text | tuple[_Text, ...] = ""
    references: tuple[Work, ...] = ()

    @property
    def licenses(self) -> tuple[str, ...]:
        """Return the SPDX names of its licences."""
        return tuple(filter(None, [self.license] if isinstance(self.license, str) else self.license))


def read_citation(folder: Path) -> Citation:
    """Read the `CITATION.cff` in a folder; without one, nothing is known.

    Raises
    ------
    SurveywavesError
        If it is not what such a file is.
    """
    path = folder / CITATION
    if not path.is_file():
        return Citation()
    hint = "see https://citation-file-format.github.io"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError):
        raise SurveywavesError.at(CITATION, "not YAML", hint) from None
    try:
        return Citation.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SurveywavesError.at(CITATION, f"{where}: {first['msg']}".removeprefix(": "), hint) from None


Entity: TypeAlias = Any
"""An entity of a crate: rocrate says nothing of its types."""


def given(**about: Any) -> dict[str, Any]:
    """Leave out what is not known."""
    return {key: value for key, value in about.items() if value}


def contextual(made: ROCrate, identifier: str, kind: str, /, **about: Any) -> Entity:
    """Add an entity that is no file of the crate; what is not known of it is left out."""
    return made.add(ContextEntity(made, identifier, properties={"@type": kind} | given(**about)))


_COMPLETED: Final = "http://schema.org/CompletedActionStatus"

_KEPT: Final = (
    "Not in this crate and not to be shared: it holds rows of individual people, or counts so small that they tell "
    "of some. Who has the team's key can tell it by its HMAC-SHA256."
)
_ELSEWHERE: Final = "Not in this crate."


def _add_run(made: ROCrate, manifest: Manifest, workflow: Entity) -> None:
    """Add the run of the workflow: what went into it, and what came out and is here."""
    environment = manifest.environment
    raw = [_raw(made, manifest, path, hash_) for path, hash_ in sorted(manifest.raw.items())]
    elsewhere = [one for one in raw if "File" not in one.type]
    collections = (
        [contextual(made, "#raw", "Collection", name="Raw files", hasPart=elsewhere)] if elsewhere else []
    )
    configuration = made.get(CONFIGURATION)
    inputs = [
        *collections,
        *([configuration] if configuration else []),
        *(one for one in raw if "File" in one.type),
    ]
    outputs = _results(made, manifest)
    run = contextual(
        made,
        "#run",
        "CreateAction",
        actionStatus=_COMPLETED,
        name=f"Run of the workflow: {manifest.label}",
        description=f"{len(manifest.jobs)} jobs, each told in {NAME} with what it read, was given and wrote; Python "
        f"{environment.python} on {environment.platform}.",
        instrument=workflow,
        object=inputs,
        result=outputs,
    )
    workflow["input"] = [_parameter(made, "input", one) for one in inputs]
    workflow["output"] = [_parameter(made, "output", one) for one in outputs]
    made.root_dataset["mentions"] = [run, *collections]


def _raw(made: ROCrate, manifest: Manifest, path: str, hash_: str) -> Entity:
    """Return the entity of a raw file: the pin's own if the pin contains that file, otherwise one that describes it."""
    if name := held(path, hash_, manifest.outputs):
        return made.get(quote(name))
    # What the data of a wave's file are, in words.
    known = {one.wave: f"{one.title} ({one.wave}): {one.evidence}" for one in manifest.evidence}
    waves = [job.wildcards.get("wave", "") for job in manifest.jobs if path in job.inputs]
    of_people = next((known[wave] for wave in waves if wave in known), "")
    return contextual(
        made,
        f"#file-{quote(path)}@{hash_.removeprefix(KEYED)[:12]}",
        "CreativeWork",
        name=path,
        **{"identifier" if is_keyed(hash_) else "sha256": hash_},
        description=of_people,
        conditionsOfAccess=_KEPT if of_people else _ELSEWHERE,
    )


def _results(made: ROCrate, manifest: Manifest) -> list[Entity]:
    """Return the run's results that are here: folders, and files that lie in none."""
    written = {path for job in manifest.jobs for path in job.outputs}
    names = [name for name in manifest.outputs if f"{RESULTS}{name}" in written]
    top = {f"{room}/" if slash else room for room, slash, _ in (name.partition("/") for name in names)}
    return [made.get(quote(name)) for name in sorted(top)]


def _parameter(made: ROCrate, way: str, entity: Entity) -> Entity:
    """Return the parameter of the workflow that something was the value of."""
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


_TERMS: Final = {"sha256": "http://schema.org/sha256"}
"""Terms that came into schema.org after the context of RO-Crate 1.1."""

_PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}

_FORMATS: Final = {
    ".cff": "application/yaml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".toml": "application/toml",
    ".tsv": "text/tab-separated-values",
    ".ttf": "font/ttf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""Not the operating system's list, which is another one elsewhere. What is not in it and has a suffix is text too."""

_PICTURES: Final = {".png", ".svg"}

_ABOUT: Final = {
    NAME: "Digests of every raw file, setting, script and output; every job; the version of every package",
    README: "What this is, how to check it, how to compute it again, how to cite it",
    SUMS: "SHA-256 of every other file here, for sha256sum --check",
    "configuration.yaml": "The configuration as it took effect, defaults and all",
    LOCK: "Version and hashes of every package that the results were computed with",
}

_ROOMS: Final = {
    "released/": "Released tables: one estimate or count a row, small counts withheld",
    "figures/": "Figures, each as SVG, PDF and PNG; captions.tsv says how to read them",
    "report/": "The report, as one web page and for print",
    "tables/": "Tables to paste into a text",
    "source/": "What the results were computed from: workflow, configuration, printed tables; no returns of people",
    CONFIGURATION: "The configuration: instrument, scales, waves, codings, crosswalks",
}


def crate(manifest: Manifest, folder: Path) -> bytes:
    """Describe a pin.

    Parameters
    ----------
    manifest
        What the pin says of itself.
    folder
        The pin, its files all there.

    Returns
    -------
    bytes
        `ro-crate-metadata.json`: no time but that of the commit, no place, the same bytes for the same pin. Without a
        commit it lacks the date that RO-Crate asks for, rather than tell an invented one.
    """
    made = ROCrate(version="1.1")
    made.metadata.extra_terms.update(_TERMS)
    citation = read_citation(folder / SOURCE)
    _add_files(made, manifest, folder)
    packages = _add_packages(made, manifest.environment)
    _describe(made, manifest, citation)
    workflow = _describe_workflow(made, manifest, citation)
    workflow["softwareRequirements"] = packages
    authors = [_author(made, author, number) for number, author in enumerate(citation.authors, start=1)]
    for entity in (made.root_dataset, workflow):
        entity["license"] = _license(made, citation, manifest)
        if authors:
            entity["author"] = authors
    _add_run(made, manifest, workflow)
    return _written(made)


def _describe(made: ROCrate, manifest: Manifest, citation: Citation) -> None:
    """Describe the crate as a whole: title, description, date, profiles, references."""
    root = made.root_dataset
    passed = "; ".join(reason for reasons in manifest.overridden.values() for reason in reasons)
    root["name"] = f"{manifest.title}: {manifest.label}"
    root["description"] = (
        f"{manifest.statement} Released tables, figures and report of a survey of several waves, with the workflow, "
        "the configuration and the versions that they were computed with. The returns of people are not in it."
        f"{f' Pinned although: {passed}.' if passed else ''}"
    )
    del root["datePublished"]  # rocrate looks at the clock
    if date := published(manifest):
        root["datePublished"] = date
    root["conformsTo"] = [
        contextual(made, address, "CreativeWork", name=name, version=version)
        for address, (name, version) in _PROFILES.items()
    ]
    works = [
        contextual(
            made,
            work.address or f"#reference-{number}",
            "CreativeWork",
            name=work.title,
            author=[author.told for author in work.authors],
            datePublished=work.year,
        )
        for number, work in enumerate(citation.references, start=1)
    ]
    if works:
        root["citation"] = works


def published(manifest: Manifest) -> str:
    """Return the date of the later of the commits that the pin was made at, ISO 8601; empty if there is none."""
    dates = [tree.date for tree in (manifest.workflow, manifest.study) if tree is not None]
    return max(dates, key=datetime.fromisoformat, default="")


# --- what is in it ------------------------------------------------------------------------------------------------


def _add_files(made: ROCrate, manifest: Manifest, folder: Path) -> None:
    """Add every file, and the folders that they lie in."""
    captions = _captions(folder)
    language = {"lang": "snakemake", "lang_version": manifest.environment.packages.get("snakemake")}
    rooms: dict[str, list[Entity]] = {}
    for name in sorted([*manifest.outputs, NAME, README, SUMS]):
        about = _file(name, folder, captions)
        if name == WORKFLOW:
            entity = made.add_workflow(folder / name, name, properties=about, main=True, **language)
        else:
            entity = made.add_file(folder / name, name, properties=about)
        for room in (f"{name.partition('/')[0]}/", CONFIGURATION):
            if name.startswith(room):
                rooms.setdefault(room, []).append(entity)
    for room, parts in sorted(rooms.items()):
        about = given(name=room, description=_ROOMS.get(room), hasPart=parts)
        made.add_dataset(folder / room, room, properties=about)
    made.get(README)["about"] = made.root_dataset


def _file(name: str, folder: Path, captions: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    path, place = folder / name, PurePosixPath(name)
    known = captions.get(place.stem, {}) if name.startswith("figures/") else {}
    about = given(
        name=known.get("title") or name,
        encodingFormat=_FORMATS.get(place.suffix.lower(), "text/plain"),
        caption=known.get("caption"),
        description=known.get("alt") or _ABOUT.get(name),
    )
    if known and place.suffix in _PICTURES:
        about["@type"] = ["File", "ImageObject"]
    if name != SUMS:  # they count this description too
        about |= {"contentSize": str(path.stat().st_size), "sha256": digest(path)}
    return about


def _captions(folder: Path) -> dict[str, dict[str, str]]:
    """Read what stands beside the figures: figure -> its row."""
    path = folder / "figures/captions.tsv"
    if not path.is_file():
        return {}
    rows = read(str(path)).to_dict("records")
    return {row["figure"]: {str(column): cell for column, cell in row.items()} for row in rows}


def _describe_workflow(made: ROCrate, manifest: Manifest, citation: Citation) -> Entity:
    """Return the crate's main entity, the workflow, with its description."""
    workflow = made.get(WORKFLOW)
    about = given(
        name=citation.title or "surveywaves",
        description="From the raw files of every wave to the report; one file a stage in source/workflow/rules/.",
        version=manifest.workflow.commit if manifest.workflow else citation.version,
    )
    for key, value in about.items():
        workflow[key] = value
    return workflow


# --- what made it -------------------------------------------------------------------------------------------------


def _add_packages(made: ROCrate, environment: Environment) -> list[Entity]:
    """Add every package that the results were computed with."""
    versions = {**environment.packages, "matplotlib": environment.matplotlib}
    found = []
    for name, version in sorted(versions.items()):
        address = f"https://pypi.org/project/{name}/{version}/"
        about = given(name=name, softwareVersion=version, url=address)
        found.append(made.add(SoftwareApplication(made, address, properties=about)))
    return found


# --- who and on what terms ----------------------------------------------------------------------------------------


def _author(made: ROCrate, author: Author, number: int) -> Entity:
    about = given(name=author.told, url=author.website)
    if author.person:
        if author.affiliation:
            own = f"#affiliation-{number}"
            about["affiliation"] = contextual(made, own, "Organization", name=author.affiliation)
        about |= given(familyName=author.family_names, givenName=author.given_names)
    own = author.orcid or author.website or f"#author-{number}"
    return contextual(made, own, "Person" if author.person else "Organization", **about)


def _license(made: ROCrate, citation: Citation, manifest: Manifest) -> Entity:
    """Return the licences that the citation names, else the file that holds one, else words that none is stated."""
    if citation.licenses:
        return [
            contextual(made, f"https://spdx.org/licenses/{name}", "CreativeWork", name=name)
            for name in citation.licenses
        ]
    file = f"{SOURCE}LICENSE"
    if file in manifest.outputs:
        return made.get(file)
    return f"not stated: {SOURCE}{CITATION} names none"


def _written(made: ROCrate) -> bytes:
    """Write the metadata: its descriptor and the root first, then by identifier."""
    content = made.metadata.generate()
    first = [made.metadata.id, made.root_dataset.id]
    graph = sorted(
        ({key: _single(value) for key, value in one.items()} for one in content["@graph"]),
        key=lambda one: (one["@id"] not in first, one["@id"] != first[0], one["@id"]),
    )
    text = json.dumps({**content, "@graph": graph}, indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def _single(value: Any) -> Any:
    """Write one value as itself, and not as a list of one, as RO-Crate has it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
