"""A pin as an RO-Crate 1.1: what is in it, what made it and from what, in words that archives and machines share.

It follows the profiles of Workflow RO-Crates and of Process, Workflow and Provenance Run Crates
(https://www.researchobject.org/workflow-run-crate/profiles/): each job is an action with what it read and wrote. Files
that are not in the pin are told by name and SHA-256, as `CreativeWork`: a `File` must be in the crate or on the web.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rocrate.model.softwareapplication import SoftwareApplication
from rocrate.rocrate import ROCrate

from surveywaves.pin.citation import CITATION, Author, Citation, read_citation
from surveywaves.pin.crate_run import add_run
from surveywaves.pin.entity import Entity, contextual, given
from surveywaves.pin.manifest import NAME, Environment, Manifest
from surveywaves.pin.source import LOCK
from surveywaves.script import digest, read

CRATE: Final = "ro-crate-metadata.json"
README: Final = "README.md"
SUMS: Final = "SHA256SUMS"

SOURCE: Final = "source/"
WORKFLOW: Final = f"{SOURCE}Snakefile"
CONFIGURATION: Final = f"{SOURCE}config/"

_TERMS: Final = {"sha256": "http://schema.org/sha256"}
"""Terms that came into schema.org after the context of RO-Crate 1.1."""

_PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
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
    NAME: "SHA-256 of every raw file, setting, script and output; every job; the version of every package",
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
    add_run(made, manifest, folder, workflow=workflow, code=_python(made, manifest))
    return _written(made)


def _describe(made: ROCrate, manifest: Manifest, citation: Citation) -> None:
    """Say what the whole is."""
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
    """Give the date of the later of the commits that the pin was made at, ISO 8601; empty: there is none."""
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
    """Say what the crate's main entity is."""
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


def _python(made: ROCrate, manifest: Manifest) -> dict[str, Any]:
    """Give what the scripts have in common."""
    environment = manifest.environment
    about = {"name": "Python", "version": environment.python, "url": "https://www.python.org/"}
    language = contextual(made, "https://www.python.org/", "ComputerLanguage", **about)
    version = manifest.workflow.commit if manifest.workflow else ""
    return {"programmingLanguage": language} | given(version=version)


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
    """Give the licences that the citation names, or the file that holds one, or say that none is stated."""
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
