"""A pin's RO-Crate: what it tells, and what the validator of RO-Crates says of it, without a network."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from rocrate.rocrate import ROCrate
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationResult, ValidationSettings
from urllib3 import HTTPResponse

from small_pin import COMMIT, HOSTILE, KEY, PUBLISHED, RAW, sha, small_pin
from surveywaves.errors import SurveywavesError
from surveywaves.files import digest
from surveywaves.pin.crate import crate, read_citation
from surveywaves.pin.making import describe, write_archive
from surveywaves.pin.manifest import CRATE, Manifest, Revision

CONTEXT = Path(__file__).parent / "contexts/ro-crate-1.1.jsonld"
ADDRESS = "https://w3id.org/ro/crate/1.1/context"
CLAIMED = {
    "ro-crate-1.1",
    "process-run-crate-0.5",
    "workflow-run-crate-0.5",
    "workflow-ro-crate-1.0",
}


class Answer(HTTPAdapter):
    """Answers with the context that lies beside the tests."""

    def send(self, request: PreparedRequest, *_args: Any, **_options: Any) -> Response:
        assert request.url == ADDRESS
        body = io.BytesIO(CONTEXT.read_bytes())
        kind = {"Content-Type": "application/ld+json"}
        return self.build_response(
            request, HTTPResponse(body=body, status=200, headers=kind, preload_content=False)
        )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The validator's own cache, as if it had been at the network once."""
    path = tmp_path_factory.mktemp("cache") / "answers"
    with CachedSession(cache_name=str(path), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Answer())
        session.get(ADDRESS)
    return path


@pytest.fixture(scope="module")
def pinned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("pin") / "first-pin"
    manifest = small_pin(folder, title=HOSTILE)
    describe(manifest, folder)
    return folder, manifest


@pytest.fixture(scope="module")
def graph(pinned: tuple[Path, Manifest]) -> dict[str, dict[str, Any]]:
    entities = json.loads((pinned[0] / CRATE).read_text(encoding="utf-8"))["@graph"]
    found = {entity["@id"]: entity for entity in entities}
    assert len(found) == len(entities)
    return found


def described(manifest: Manifest, folder: Path) -> list[dict[str, Any]]:
    describe(manifest, folder)
    found: list[dict[str, Any]] = json.loads((folder / CRATE).read_text(encoding="utf-8"))["@graph"]
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(value: Any) -> list[str]:
    return [one["@id"] for one in listed(value)]


def of_kind(graph: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [entity for entity in graph.values() if kind in listed(entity["@type"])]


def validated(folder: Path, cache: Path, severity: Severity = Severity.REQUIRED) -> ValidationResult:
    settings = ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="workflow-run-crate-0.5",
        requirement_severity=severity,
        offline=True,
        cache_path=cache,
    )
    return services.validate(settings)


# --- the validator ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_the_validator_finds_all_that_is_required_by_every_profile_that_the_crate_claims(
    pinned: tuple[Path, Manifest],
    graph: dict[str, dict[str, Any]],
    cache: Path,
    tmp_path: Path,
    packed: bool,
) -> None:
    if packed:
        write_archive(pinned[0], tmp_path / "pin.zip")
    found = validated(tmp_path / "pin.zip" if packed else pinned[0], cache)
    assert [issue.message for issue in found.get_issues()] == []
    assert found.passed()
    ran = {check.identifier.rpartition("_")[0] for check in found.executed_checks}
    assert ran == CLAIMED
    addresses = [*named(graph[CRATE]["conformsTo"]), *named(graph["./"]["conformsTo"])]
    claimed = {f"{address.split('/')[-2]} {address.split('/')[-1]}" for address in addresses}
    assert claimed == {"crate 1.1", "process 0.5", "workflow 0.5", "workflow-ro-crate 1.0"}


def test_what_the_validator_would_like_besides_is_what_a_pin_does_not_know(
    pinned: tuple[Path, Manifest], cache: Path
) -> None:
    found = validated(pinned[0], cache, Severity.RECOMMENDED)
    assert {issue.message for issue in found.get_issues()} == {
        # who ran it and when: not recorded, so that the same results are the same bytes
        "The Action SHOULD have an endTime in ISO 8601 format",
        "The Action SHOULD have an agent that is a Person or Organization",
        "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
        # the workflow lies in the crate, not on the web
        "The Application SHOULD have a url",
        "The SoftwareApplication id SHOULD be an absolute URI",
        # no raw file is more than the others; Bioschemas asks for an address of the workflow
        "The Collection SHOULD have a mainEntity",
        "The Main Workflow SHOULD comply with Bioschemas ComputationalWorkflow profile version 1.0 or later",
        "The organization SHOULD have a URL.",
    }


Break = Callable[[dict[str, dict[str, Any]]], object]

BROKEN: dict[str, tuple[Break, str]] = {
    "no main entity": (lambda graph: graph["./"].pop("mainEntity"), "mainEntity"),
    "no date": (lambda graph: graph["./"].pop("datePublished"), "datePublished"),
    "a run of nothing": (lambda graph: graph["#run"].pop("instrument"), "instrument"),
    "a file that is not there": (
        lambda graph: graph["figures/means.svg"].update({"@id": "figures/gone.svg"}),
        "figures/gone.svg",
    ),
    "a word that no context knows": (lambda graph: graph["./"].update(invented="x"), "invented"),
}


def test_the_validator_names_every_break_of_a_crate(
    pinned: tuple[Path, Manifest], cache: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(pinned[0], tmp_path / "pin"))
    content = json.loads((folder / CRATE).read_text(encoding="utf-8"))
    graph = {entity["@id"]: entity for entity in content["@graph"]}
    for change, _ in BROKEN.values():
        change(graph)
    (folder / CRATE).write_text(json.dumps(content), encoding="utf-8")
    found = validated(folder, cache)
    assert not found.passed()
    said = " ".join(str(issue.message) for issue in found.get_issues())
    assert [name for name, (_, told) in BROKEN.items() if told not in said] == []


def test_rocrate_reads_the_crate_back(pinned: tuple[Path, Manifest]) -> None:
    read = ROCrate(pinned[0])
    assert read.mainEntity.id == "source/Snakefile"
    assert read.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    assert read.mainEntity["programmingLanguage"]["version"] == "9.1.0"
    assert {entity.id for entity in read.get_by_type("File")} >= {"released/means.csv", "manifest.json"}


# --- what it tells ------------------------------------------------------------------------------------------------


def test_the_root_says_what_it_is_who_made_it_and_when(
    pinned: tuple[Path, Manifest], graph: dict[str, dict[str, Any]]
) -> None:
    root = graph["./"]
    assert root["name"] == f"{HOSTILE}: first-pin"
    assert root["description"].startswith(pinned[1].statement)
    assert "Pinned although: " in root["description"]
    assert root["datePublished"] == COMMIT.date
    assert named(root["license"]) == ["https://spdx.org/licenses/MIT"]
    authors = [graph[one] for one in named(root["author"])]
    assert [(one["@type"], one["name"]) for one in authors] == [
        ("Organization", "The developers"),
        ("Person", "Ada Adler"),
    ]
    assert authors[1]["@id"] == "https://orcid.org/0000-0002-1825-0097"
    (cited,) = named(root["citation"])
    assert graph[cited]["name"] == "Partnerships: Final Report"


def test_every_file_of_the_pin_is_told_with_its_size_sum_and_format(
    pinned: tuple[Path, Manifest], graph: dict[str, dict[str, Any]]
) -> None:
    folder, manifest = pinned
    files = {entity["@id"]: entity for entity in of_kind(graph, "File")}
    assert set(files) == {*manifest.outputs, "manifest.json", "README.md", "SHA256SUMS"}
    for name, entity in files.items():
        assert re.fullmatch(r"[a-z]+/[a-z.+-]+", entity["encodingFormat"])
        if name != "SHA256SUMS":  # it has this description's own sum
            assert entity["sha256"] == digest(folder / name)
            assert entity["contentSize"] == str((folder / name).stat().st_size)
    assert graph["README.md"]["about"] == {"@id": "./"}


def test_a_figure_is_an_image_with_the_caption_that_stands_beside_it(
    graph: dict[str, dict[str, Any]],
) -> None:
    for suffix, image in ((".svg", True), (".png", True), (".pdf", False)):
        figure = graph[f"figures/means{suffix}"]
        assert ("ImageObject" in listed(figure["@type"])) == image
        assert (figure["name"], figure["caption"]) == ("Means over waves", "Points: means, n = 100.")
        assert figure["description"] == "Rising."


def test_the_run_goes_from_raw_files_and_configuration_to_what_is_released(
    graph: dict[str, dict[str, Any]],
) -> None:
    run = graph["#run"]
    assert run["instrument"] == {"@id": "source/Snakefile"}
    assert named(run["object"]) == ["#raw", "source/config/", f"source/{PUBLISHED}"]
    assert named(run["result"]) == ["configuration.yaml", "figures/", "released/", "report/"]
    (raw,) = named(graph["#raw"]["hasPart"])
    assert graph[raw]["name"] == RAW
    assert graph[raw]["identifier"] == KEY.of_file(RAW, sha(RAW))
    assert "sha256" not in graph[raw]
    assert sha(RAW) not in json.dumps(graph)
    assert graph[raw]["@type"] == "CreativeWork"
    assert graph[raw]["conditionsOfAccess"].startswith("Not in this crate and not to be shared")
    assert graph[raw]["description"] == f"{HOSTILE} (first): simulated"


def test_every_package_is_told_with_its_version(graph: dict[str, dict[str, Any]]) -> None:
    packages = [graph[name] for name in named(graph["source/Snakefile"]["softwareRequirements"])]
    assert {one["name"]: one["softwareVersion"] for one in packages} == {
        "matplotlib": "3.10.0",
        "pandas": "3.0.0",
        "snakemake": "9.1.0",
    }


def test_everything_that_the_crate_points_at_is_in_it(graph: dict[str, dict[str, Any]]) -> None:
    def pointed(value: Any) -> list[str]:
        if isinstance(value, list):
            return [name for one in value for name in pointed(one)]
        return [value["@id"]] if isinstance(value, dict) else []

    outside = {
        name
        for entity in graph.values()
        for value in entity.values()
        for name in pointed(value)
        if name not in graph
    }
    assert outside == {
        *("https://w3id.org/ro/crate/1.1", "https://snakemake.readthedocs.io"),
        "https://doi.org/10.1093/bioinformatics/bts480",
    }


# --- dates, bytes, licences ---------------------------------------------------------------------------------------


def test_the_date_is_that_of_the_later_commit_whatever_its_time_zone(tmp_path: Path) -> None:
    manifest = small_pin(tmp_path)
    later = Revision(commit="f" * 40, date="2026-05-04T09:00:00+00:00")  # an hour after 10:00+02:00
    root = described(manifest.model_copy(update={"study": later}), tmp_path)[1]
    assert root["datePublished"] == later.date


def test_without_a_commit_no_date_is_invented(tmp_path: Path) -> None:
    root = described(small_pin(tmp_path, commit=None), tmp_path)[1]
    assert root["@id"] == "./"
    assert "datePublished" not in root


def test_a_crate_is_the_same_bytes_whatever_the_folder_hash_seed_and_time_zone(tmp_path: Path) -> None:
    manifest = small_pin(tmp_path / "one")
    describe(manifest, tmp_path / "one")
    describe(small_pin(tmp_path / "other"), tmp_path / "other")
    script = (
        "import sys; from pathlib import Path; from surveywaves.pin.crate import crate; "
        "from surveywaves.pin.manifest import read_manifest; folder = Path(sys.argv[1]); "
        "sys.stdout.buffer.write(crate(read_manifest(folder), folder))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "other")],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    )
    content = crate(manifest, tmp_path / "one")
    assert (tmp_path / "one" / CRATE).read_bytes() == content
    assert done.stdout == content
    assert str(tmp_path).encode() not in content


def test_a_licence_that_nobody_stated_is_not_made_up(tmp_path: Path) -> None:
    manifest = small_pin(tmp_path)

    def root_without(*names: str) -> dict[str, Any]:
        outputs = {name: hash_ for name, hash_ in manifest.outputs.items() if name not in names}
        for name in names:
            (tmp_path / name).unlink(missing_ok=True)
        return described(manifest.model_copy(update={"outputs": outputs}), tmp_path)[1]

    root = root_without("source/CITATION.cff")
    assert root["license"] == {"@id": "source/LICENSE"}
    assert "author" not in root
    root = root_without("source/CITATION.cff", "source/LICENSE")
    assert root["license"] == "not stated: source/CITATION.cff names none"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("title: [", "not YAML"),
        ("- a\n- b\n", "Input should be"),
        ("authors: Ada\n", "authors: Input should be a valid tuple"),
    ],
)
def test_a_citation_file_that_is_none_is_named(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "CITATION.cff").write_text(text)
    with pytest.raises(SurveywavesError, match=r"^CITATION\.cff: ") as refused:
        read_citation(tmp_path)
    assert what in str(refused.value)
    assert "\n" not in str(refused.value)
