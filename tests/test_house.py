"""What holds for the repository as a whole."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import import_module
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml

from surveywaves.study.document import documents

REPOSITORY = Path(__file__).parent.parent
WAVES = sorted(path.name for path in (REPOSITORY / "config/waves").iterdir())
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "snakemake-minimal": "snakemake",
    "typst-py": "typst",
}
"""What conda-forge calls a package otherwise than PyPI."""


def conda_entries() -> list[str]:
    """What environment.yml asks conda for, and then what it asks pip for, as conda would write it."""
    entries = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    by_pip = [entry for part in entries if isinstance(part, dict) for entry in part["pip"]]
    return [
        *(entry for entry in entries if isinstance(entry, str)),
        *(entry.replace("==", "=") for entry in by_pip),
    ]


def test_environment_yml_carries_the_versions_of_the_lock() -> None:
    lock = dict(
        re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE)[
            ::-1
        ]
    )
    pinned = dict(
        entry.split("=") for entry in conda_entries() if "=" in entry and not entry.startswith("python=")
    )
    assert {CONDA_NAMES.get(name, name): version for name, version in pinned.items()} == {
        name: version
        for name, version in lock.items()
        if name in {CONDA_NAMES.get(key, key) for key in pinned}
    }


def test_environment_yml_has_every_package_that_the_package_needs() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text()
    needed = re.findall(r'^  "([a-z0-9-]+)', project.split("dependencies = [")[1].split("]")[0], re.MULTILINE)
    names = {CONDA_NAMES.get(entry.split("=")[0], entry.split("=")[0]) for entry in conda_entries()}
    assert len(needed) > 10
    assert set(needed) <= names


def test_every_dependency_is_told_with_the_licence_that_it_states() -> None:
    page = (REPOSITORY / "docs/dependencies.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([a-z0-9-]+) \| ([^|]+) \|", page, re.MULTILINE)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert [name for name, _ in told if name != "package"] == [
        re.split(r"[^a-z0-9-]", entry)[0] for entry in wanted
    ]
    for name, licence in told:
        if name != "package":
            about = metadata(name)
            stated = [about.get("License-Expression"), about.get("License"), *about.get_all("Classifier", [])]
            word = re.split(r"[- ]", {"PSF-based": "Python Software Foundation"}.get(licence, licence))[0]
            assert any(word in (text or "") for text in stated), f"{name}: {licence} is not what it states"


def test_every_locked_package_has_hashes() -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", (REPOSITORY / "requirements.lock").read_text())
    assert len(blocks) > 50
    assert [block.split("\n")[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", documents())
def test_what_is_written_from_the_models_is_what_they_say(name: str) -> None:
    assert (REPOSITORY / "config" / name).read_text(encoding="utf-8") == documents()[name], (
        f"config/{name} is stale: run `surveywaves document`"
    )


@pytest.mark.parametrize("path", ["config.yaml", *(f"waves/{name}/wave.yaml" for name in WAVES)])
def test_the_schema_that_a_yaml_file_names_takes_the_file_and_refuses_a_slip(path: str) -> None:
    file = REPOSITORY / "config" / path
    line, text = file.read_text(encoding="utf-8").split("\n", 1)
    schema = json.loads((file.parent / line.removeprefix("# yaml-language-server: $schema=")).read_text())
    jsonschema = import_module("jsonschema")  # Snakemake brings it along
    content = json.loads(json.dumps(yaml.safe_load(text), default=str))
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content | {"titel": ""}, schema)


def test_nothing_in_the_workflow_names_this_study() -> None:
    words = re.compile(r"phase ?[12]\b|phase[12]_|\bmori\b|\bnhs\b|social.work|chcp|glasgow", re.IGNORECASE)
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for path in sorted((REPOSITORY / "workflow").rglob("*"))
        if path.suffix in {".py", ".smk", ".j2", ".html", ".css", ".js"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if words.search(line)
    ]
    assert found == []


def test_no_registry_address_stands_in_the_repository() -> None:
    for name in ("requirements.lock", "environment.yml", "pyproject.toml", "Makefile"):
        assert not re.search(r"index-url|files\.pythonhosted|pypi\.org", (REPOSITORY / name).read_text())
