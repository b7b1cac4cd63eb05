"""What a pin holds, and what it is refused for; on invented results of the shipped study, without running anything."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import REPOSITORY, new_study
from surveywaves.cli import main
from surveywaves.disclosure.releases import begin_ledger
from surveywaves.errors import SurveywavesError
from surveywaves.files import digest, write
from surveywaves.key import read_key
from surveywaves.pin import making
from surveywaves.pin.cause import Asked, to_pin
from surveywaves.pin.making import pin, statement
from surveywaves.pin.manifest import Job, Manifest, Places, read_manifest
from surveywaves.pin.verify import whole_pin
from surveywaves.study import Study, load_study

RESULTS = [
    "results/configuration.yaml",
    "results/released/item_frequencies.csv",
    "results/figures/means.svg",
    "results/figures/captions.tsv",
    "results/report/index.html",
]
CODE = ["Snakefile", "workflow/rules/release.smk", "workflow/scripts/release.py"]
RAW = "resources/raw/second/export.csv"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


@dataclass
class Finished:
    """A study with results, in a repository of its own that holds the workflow as well."""

    folder: Path

    @property
    def places(self) -> Places:
        return Places(self.folder, self.folder, self.folder / "config")

    @property
    def study(self) -> Study:
        return load_study(self.folder / "config")

    def job(self, rule: str, inputs: list[str], outputs: list[str]) -> None:
        """Leave the record of a job."""
        record = Job(
            rule=rule,
            params={"seed": 1},
            inputs={name: digest(self.folder / name) for name in inputs},
            code={name: digest(self.folder / name) for name in CODE[2:]},
            outputs={name: digest(self.folder / name) for name in outputs},
        )
        path = self.folder / f"results/logs/{rule}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record.model_dump(mode="json")))

    def answer(self, answers: list[int]) -> None:
        """Put respondents of a wave into the pooled results, who answered so."""
        people = {"wave": "second", "respondent": [f"second-{number}" for number in range(len(answers))]}
        rows = pd.DataFrame(people | {"organisation": "north", "item": answers})
        write(rows, str(self.folder / "results/pooled/responses.parquet"), private=True)
        missing = pd.DataFrame(people | {"item": None}).astype({"item": "object"})
        write(missing, str(self.folder / "results/pooled/missing.parquet"), private=True)

    def pin(self, label: str = "first", **options: bool) -> list[str]:
        asked = Asked(label=label, prove=False, **options)
        return pin(asked, self.study, self.places, results=RESULTS, target="pinned", cores=1)

    def refusal(self, **options: bool) -> list[str]:
        with pytest.raises(SurveywavesError) as refused:
            self.pin(**options)
        assert not (self.folder / "results/pins/first").exists()
        return str(refused.value).splitlines()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = new_study(tmp_path_factory.mktemp("pins") / "template")
    for name in ("qualitative.yaml", "codes.tsv", "themes.tsv"):
        (folder / "config" / name).unlink()
    one = Finished(folder)
    for name in CODE:
        one.write(name, f"# {name}\n")
    one.write("workflow/__pycache__/old.pyc", "cache")
    shutil.copytree(REPOSITORY / ".githooks", folder / ".githooks")
    for name in (".gitignore", "requirements.lock", "environment.yml", "LICENSE"):
        shutil.copy(REPOSITORY / name, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All of it")
    settings = yaml.safe_dump(one.study.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    one.write("results/configuration.yaml", settings)
    one.write("results/statistics/item_frequencies.tsv", "all counts")
    one.write("results/released/item_frequencies.csv", "wave,n\nfirst,12\n")
    one.write("results/released/item_frequencies.tsv", "released counts")
    one.write("results/figures/means.svg", "<svg/>")
    one.write("results/figures/captions.tsv", "figure\tcaption\nmeans\tMeans.\n")
    one.write("results/report/index.html", "<html/>")
    one.write("results/pooled/responses.tsv", "answers of people")
    one.answer([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
    begin_ledger(folder)
    one.job("configuration", [], ["results/configuration.yaml"])
    one.job("describe", ["resources/published/employer.csv"], ["results/statistics/item_frequencies.tsv"])
    released = ["results/released/item_frequencies.csv", "results/released/item_frequencies.tsv"]
    one.job("release", ["results/statistics/item_frequencies.tsv"], released)
    figures = ["results/figures/means.svg", "results/figures/captions.tsv"]
    one.job("figures", released[1:], figures)
    one.job("report", [*released[1:], *figures], ["results/report/index.html"])
    return one


@pytest.fixture
def finished_study(template: Finished, tmp_path: Path) -> Finished:
    return Finished(Path(shutil.copytree(template.folder, tmp_path / "study")))


# --- what a pin holds -----------------------------------------------------------------------------------------


def test_a_pin_holds_the_results_and_what_they_are_made_from(finished_study: Finished) -> None:
    told = finished_study.pin()
    folder = finished_study.folder / "results/pins/first"
    manifest = whole_pin(folder)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        *("manifest.json", "README.md", "ro-crate-metadata.json", "SHA256SUMS"),
        *manifest.outputs,
    }
    with zipfile.ZipFile(folder.with_name("first.zip")) as archive:
        assert {name for name in archive.namelist() if name[-1] != "/"} == files
    assert {name.removeprefix("results/") for name in RESULTS} <= files
    assert {"requirements.lock", *(f"source/{name}" for name in CODE)} <= files
    assert {"source/config/config.yaml", "source/resources/published/likert_tables.csv"} <= files
    assert not [name for name in files if "results" in name or "__pycache__" in name or "/raw/" in name]
    assert [job.rule for job in manifest.jobs] == [
        "configuration",
        "describe",
        "release",
        "figures",
        "report",
    ]
    assert manifest.raw == {"resources/published/employer.csv": manifest.jobs[1].inputs.popitem()[1]}
    head = git(finished_study.folder, "rev-parse", "HEAD").strip()
    assert manifest.workflow is not None
    assert manifest.workflow.commit == head
    assert (manifest.study, manifest.overridden, manifest.proved) == (manifest.workflow, {}, False)
    assert manifest.environment.packages["numpy"]
    assert "matplotlib" not in manifest.environment.packages
    assert manifest.environment.matplotlib
    assert told[1:3] == [
        "to deposit: results/pins/first.zip, which stays out of git",
        "NOT PROVED (prove=false)",
    ]


def unreleased_digests(one: Finished) -> set[str]:
    """Sum up every file of a study that its first pin does not hold."""
    folder = one.folder / "results/pins/first"
    held = {digest(path) for path in folder.rglob("*") if path.is_file()}
    files = [path for path in one.folder.rglob("*") if path.is_file() and folder not in path.parents]
    sums = {digest(path) for path in files if ".git" not in path.parts}
    return sums - held


def test_nobody_can_try_out_guesses_at_what_is_not_released(finished_study: Finished) -> None:
    """Whoever guesses a table, byte for byte, finds its digest nowhere in the pin, nor its size."""
    one = finished_study
    raw = one.write("resources/raw/second/export.csv", "answers\n" * 1234)
    one.job("ingest", [RAW], ["results/pooled/responses.parquet"])
    counts = one.write("results/statistics/item_frequencies.tsv", "all counts, and how many they are\n" * 321)
    inputs = ["resources/published/employer.csv", "results/pooled/responses.parquet"]
    one.job("describe", inputs, ["results/statistics/item_frequencies.tsv"])
    released = ["results/released/item_frequencies.csv", "results/released/item_frequencies.tsv"]
    one.job("release", ["results/statistics/item_frequencies.tsv"], released)
    one.pin(allow_dirty=True)
    folder = one.folder / "results/pins/first"
    manifest = read_manifest(folder)
    said = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    found = {name for name, text in said.items() for one_ in unreleased_digests(one) if one_ in text}
    assert found == set()
    assert digest(raw) not in str(said)
    for path in (raw, counts, one.folder / "results/pooled/responses.parquet"):
        assert not re.search(
            rf"\b{path.stat().st_size}\b", said["manifest.json"] + said["ro-crate-metadata.json"]
        )
    key = read_key(one.folder)
    assert key is not None
    assert manifest.key == key.name
    assert manifest.raw[RAW] == key.of_file(RAW, digest(raw))
    assert key.secret.hex() not in str(said)


def test_a_key_is_made_with_the_first_pin_for_its_owner_only(finished_study: Finished) -> None:
    room = finished_study.folder / "resources/private"
    shutil.rmtree(room)
    finished_study.pin()
    modes = {path.name: path.stat().st_mode & 0o777 for path in room.iterdir()}
    assert modes["key"] == modes["ledger.jsonl"] == 0o600
    assert room.stat().st_mode & 0o777 == 0o700
    assert "resources/private" not in git(
        finished_study.folder, "status", "--porcelain", "--untracked-files=all"
    )
    first = (room / "key").read_text()
    finished_study.pin("second")
    assert (room / "key").read_text() == first
    other = read_manifest(finished_study.folder / "results/pins/second")
    assert other.key == read_manifest(finished_study.folder / "results/pins/first").key


@pytest.mark.parametrize(
    ("name", "text", "mode", "said"),
    [
        ("key", "0" * 64, 0o644, "others than its owner can read it (hint: chmod 600"),
        ("key", "secret", 0o600, "no key: it is not 64 hexadecimal digits"),
        ("key", None, 0, "gone, though resources/private/ledger.jsonl is there"),
        ("key", "0" * 64, 0o600, "made with another key than resources/private/key"),
        ("ledger.jsonl", None, 0, "gone, though the key is there"),
        ("ledger.jsonl", "", 0o600, "not as it was written"),
        ("ledger.jsonl", "\udcff", 0o600, "cannot be read"),
    ],
)
def test_a_key_or_ledger_that_is_lost_or_damaged_is_one_line(
    finished_study: Finished, name: str, text: str | None, mode: int, said: str
) -> None:
    path = finished_study.folder / "resources/private" / name
    path.unlink()
    if text is not None:
        path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
        path.chmod(mode)
    (line,) = finished_study.refusal()
    assert line.startswith("resources/private/")
    assert said in line
    assert "0000" not in line


def test_a_pin_whose_key_is_not_here_is_no_longer_remembered(finished_study: Finished) -> None:
    finished_study.pin()
    shutil.rmtree(finished_study.folder / "resources/private")
    begin_ledger(finished_study.folder)
    with pytest.raises(SurveywavesError) as refused:
        finished_study.pin("second")
    (line,) = str(refused.value).splitlines()
    assert line.startswith("results/pins/first: pinned with another key than is here")
    told = finished_study.pin("second", allow_unremembered=True)
    assert any(line.startswith("passed over (allow_unremembered=true): results/pins/first") for line in told)


def test_a_pin_that_the_ledger_lacks_is_told(finished_study: Finished) -> None:
    ledger = finished_study.folder / "resources/private/ledger.jsonl"
    before = ledger.read_bytes()
    finished_study.pin()
    ledger.write_bytes(before)
    with pytest.raises(
        SurveywavesError, match="results/pins/first: pinned, and not in resources/private/ledger"
    ):
        finished_study.pin("second")


def test_a_pin_beside_one_that_differs_by_one_return_is_refused_until_somebody_signs(
    finished_study: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = finished_study
    one.pin()
    one.answer([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 2])
    with pytest.raises(SurveywavesError) as refused:
        one.pin("second")
    (line,) = str(refused.value).splitlines()
    assert line.startswith("release first, wave second: differs by fewer than 5 people in what they said")
    assert not re.search(r"\b1 (person|people)", line)
    monkeypatch.chdir(one.folder)
    assert main(["ledger"]) == 0
    assert "in all: 1 person differs in what they said" in capsys.readouterr().out
    assert main(["ledger", "sign", "first", "--by", " ", "--reason", ""]) == 1
    assert main(["ledger", "sign", "first", "--by", "A. Adler", "--reason", "an erratum"]) == 0
    one.pin("second")
    one.answer([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 3])  # signed for these states, and for no others
    with pytest.raises(SurveywavesError) as refused:
        one.pin("third")
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "release first, wave second",
        "release second, wave second",
    ]


def test_public_data_need_no_ledger(finished_study: Finished) -> None:
    one = finished_study
    config = one.folder / "config/config.yaml"
    text = config.read_text()
    assert "public: true" not in text
    one.write("config/config.yaml", text.replace("disclosure:\n", "disclosure:\n  public: true\n", 1))
    one.pin(allow_dirty=True, allow_stale=True)
    one.answer([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 2])
    one.pin("second", allow_dirty=True, allow_stale=True)
    assert read_manifest(one.folder / "results/pins/second").ledger == ""


def test_a_pin_of_anything_but_observed_data_says_so_first(finished_study: Finished) -> None:
    told = finished_study.pin()
    manifest = read_manifest(finished_study.folder / "results/pins/first")
    assert manifest.statement.startswith("Demonstration: ")
    assert manifest.statement.endswith("The numbers are not findings.")
    assert all(wave.wave in manifest.statement for wave in manifest.evidence)
    assert told[-1] == manifest.statement
    study = finished_study.study
    observed = [
        wave.model_copy(update={"file": wave.file.model_copy(update={"evidence": "observed"})})
        for wave in study.waves
    ]
    said = statement(study.model_copy(update={"waves": tuple(observed)}))
    assert said.startswith("All waves are observed: real returns. But ")
    assert "is simulated" in said


def test_two_pins_of_the_same_results_are_the_same_bytes(
    finished_study: Finished, template: Finished
) -> None:
    finished_study.pin()
    other = Finished(Path(shutil.copytree(template.folder, finished_study.folder.parent / "elsewhere")))
    before = os.umask(0o027)
    try:
        other.pin()
    finally:
        os.umask(before)

    def content(one: Finished) -> dict[str, bytes]:
        folder = one.folder / "results/pins/first"
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    assert content(finished_study) == content(other)
    assert str(finished_study.folder).encode() not in b"".join(content(finished_study).values())


def test_a_manifest_comes_back_as_it_was_written(finished_study: Finished) -> None:
    finished_study.pin()
    folder = finished_study.folder / "results/pins/first"
    manifest = read_manifest(folder)
    assert Manifest.model_validate(manifest.model_dump(mode="json")) == manifest
    path = folder / "manifest.json"
    other = path.read_text().replace('"format": 2', '"format": 99')
    no_object = "not a manifest: no JSON object"
    for text, said in (
        (other, r"manifest of format 99, this version reads 2 .*source/"),
        *((text, no_object) for text in ("", "{", "[]", '"first"', "null", "[" * 100_000)),
        ('{"format": 2}', "not a manifest: label: Field required"),
    ):
        path.write_text(text)
        with pytest.raises(SurveywavesError, match=r"manifest\.json: changed since it was pinned"):
            read_manifest(folder)
        (folder / "SHA256SUMS").write_text(f"{digest(path)}  manifest.json\n")
        with pytest.raises(SurveywavesError, match=said):
            read_manifest(folder)
    path.unlink()
    path.mkdir()
    with pytest.raises(SurveywavesError, match=r"manifest\.json: gone since it was pinned"):
        read_manifest(folder)


def test_an_edited_pin_is_found_out(finished_study: Finished) -> None:
    finished_study.pin()
    folder = finished_study.folder / "results/pins/first"
    (folder / "released/item_frequencies.csv").write_text("wave,n\nfirst,13\n")
    (folder / "report/index.html").unlink()
    with pytest.raises(SurveywavesError) as found:
        whole_pin(folder)
    lines = str(found.value).splitlines()
    assert len(lines) == 2
    assert "item_frequencies.csv: changed since it was pinned" in lines[0]
    assert "index.html: gone since it was pinned" in lines[1]
    (folder / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(SurveywavesError, match=r"manifest\.json: changed since it was pinned"):
        read_manifest(folder)


# --- what it is refused for -----------------------------------------------------------------------------------


def edit_config(one: Finished) -> None:
    path = one.folder / "config/config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("min_cell: 5", "min_cell: 6"), encoding="utf-8")


def no_repository(one: Finished) -> None:
    shutil.rmtree(one.folder / ".git")


def draw_unreleased(one: Finished) -> None:
    figures = ["results/figures/means.svg", "results/figures/captions.tsv"]
    one.job("figures", ["results/statistics/item_frequencies.tsv"], figures)


REFUSALS: dict[str, tuple[Callable[[Finished], object], str, list[str]]] = {
    "a file of the workflow is edited": (
        lambda one: one.write("workflow/rules/release.smk", "# other\n"),
        "allow_dirty",
        ["workflow/rules/release.smk: not as it is committed"],
    ),
    "a file of the workflow is not in git": (
        lambda one: one.write("workflow/rules/more.smk", "# new\n"),
        "allow_dirty",
        ["workflow/rules/more.smk: not as it is committed"],
    ),
    "a file of the workflow is gone": (
        lambda one: (one.folder / "workflow/rules/release.smk").unlink(),
        "allow_dirty",
        ["workflow/rules/release.smk: not as it is committed"],
    ),
    "there is no repository": (
        no_repository,
        "allow_dirty",
        [
            "the workflow's folder: no commit tells what is pinned: not a git checkout",
            "the study's folder: no commit tells what is pinned: not a git checkout",
        ],
    ),
    "a released table was edited by hand": (
        lambda one: one.write("results/released/item_frequencies.csv", "wave,n\nfirst,13\n"),
        "allow_stale",
        ["results/released/item_frequencies.csv: changed since release ran"],
    ),
    "a record is missing": (
        lambda one: (one.folder / "results/logs/release.log").unlink(),
        "allow_stale",
        [
            "results/released/item_frequencies.csv: no record says how it was made",
            "results/released/item_frequencies.tsv: no record says how it was made",
        ],
    ),
    "a figure is drawn from what is not released": (
        draw_unreleased,
        "allow_unreleased",
        [
            "results/figures/captions.tsv and 1 more: made from results/statistics/item_frequencies.tsv, which is "
            "not released"
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_pin_is_refused_unless_told_otherwise_and_then_says_so(finished_study: Finished, case: str) -> None:
    change, option, reasons = REFUSALS[case]
    change(finished_study)
    lines = finished_study.refusal()
    assert [line.split(" (hint")[0] for line in lines] == reasons
    told = finished_study.pin(**{option: True})
    manifest = read_manifest(finished_study.folder / "results/pins/first")
    assert manifest.overridden == {option: tuple(reasons)}
    assert [f"passed over ({option}=true): {reason}" for reason in reasons] == [
        line for line in told if line.startswith("passed over")
    ]


def test_a_citation_file_that_is_none_is_told_before_anything_is_computed(finished_study: Finished) -> None:
    finished_study.write("CITATION.cff", "title: [")
    git(finished_study.folder, "add", "CITATION.cff")
    git(finished_study.folder, "commit", "--quiet", "--message", "Cite")
    assert [line.split(" (hint")[0] for line in finished_study.refusal()] == ["CITATION.cff: not YAML"]


def test_a_zip_left_half_written_by_a_killed_pin_is_removed(finished_study: Finished) -> None:
    finished_study.write("results/pins/.old.zip.part", "half")
    finished_study.pin()
    names = sorted(path.name for path in (finished_study.folder / "results/pins").iterdir())
    assert names == ["first", "first.zip"]


def test_every_reason_is_told_at_once(finished_study: Finished) -> None:
    edit_config(finished_study)
    draw_unreleased(finished_study)
    (finished_study.folder / "results/report/index.html").unlink()
    assert [line.split(" (hint")[0].split(", which")[0] for line in finished_study.refusal()] == [
        "report/index.html: no such file",
        "config/config.yaml: not as it is committed",
        "results/report/index.html: gone since report ran",
        "results/configuration.yaml: not the configuration that takes effect now",
        "results/figures/captions.tsv and 1 more: made from results/statistics/item_frequencies.tsv",
    ]


def test_what_the_run_does_not_use_may_be_dirty(finished_study: Finished) -> None:
    finished_study.write("notes.txt", "mine")
    finished_study.write("docs/draft.md", "mine")
    finished_study.write("workflow/.scratch", "mine")
    finished_study.pin()


def test_a_file_that_git_ignores_but_the_run_uses_is_dirty(finished_study: Finished) -> None:
    finished_study.write(".git/info/exclude", "config/report/\n")
    finished_study.write("config/report/more.md", "text")
    assert finished_study.refusal()[0].startswith("config/report/more.md: not as it is committed")


@pytest.mark.parametrize(
    ("leak", "said"),
    [
        (
            lambda one: (one.folder / "results/released/item_frequencies.csv").symlink_to(
                one.folder / "results/pooled/responses.tsv"
            ),
            "confidential: it lies in results/pooled",
        ),
        (
            lambda one: one.write("results/released/item_frequencies.csv", "answers of people"),
            "confidential: the same as results/pooled/responses.tsv",
        ),
        (
            lambda one: one.write("results/released/item_frequencies.csv", "respondent,a\n1,4\n"),
            "confidential: it has a row for each respondent (column respondent)",
        ),
        (
            lambda one: one.write("results/released/item_frequencies.csv", "wave,n\na,2\n").chmod(0o600),
            "confidential: only its owner may read it (mode 0600)",
        ),
    ],
)
def test_nothing_passes_over_what_is_confidential(
    finished_study: Finished, leak: Callable[[Finished], object], said: str
) -> None:
    (finished_study.folder / "results/released/item_frequencies.csv").unlink()
    leak(finished_study)
    lines = finished_study.refusal(allow_dirty=True, allow_stale=True, allow_unreleased=True)
    assert lines == [
        f"released/item_frequencies.csv: {said} (hint: nothing passes over this; see docs/disclosure.md)"
    ]


def test_a_copy_of_a_raw_file_among_the_configuration_is_confidential(finished_study: Finished) -> None:
    name = finished_study.study.waves[0].file.files[0].path
    finished_study.write(name, "id,answer\n1,4\n")
    finished_study.write("config/waves/copy.csv", "id,answer\n1,4\n")
    copied, kept = finished_study.refusal(allow_dirty=True)
    assert copied.startswith(f"source/config/waves/copy.csv: confidential: the same as {name}")
    # It has other bytes now than those that are listed.
    assert kept.startswith(f"{name}: confidential: git keeps it")


def test_under_a_closed_umask_every_file_is_closed_and_none_is_confidential_for_it(
    finished_study: Finished,
) -> None:
    for path in (finished_study.folder / "results").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
    finished_study.pin()


def test_a_pin_is_never_overwritten(finished_study: Finished) -> None:
    finished_study.pin()
    with pytest.raises(SurveywavesError, match=r"results/pins/first: is there already, .*never overwritten"):
        to_pin({"pin": "first"}, finished_study.folder)
    assert to_pin({"pin": "second"}, finished_study.folder) == Asked(label="second")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "pin: which one?"),
        ({"pin": ""}, "pin: which one?"),
        ({"pin": "../out"}, "pin: `../out` is no label"),
        ({"pin": ".hidden"}, "is no label"),
        ({"pin": "two words"}, "is no label"),
        ({"pin": "first.zip"}, "pin: `first.zip` would be taken for the zip of a pin"),
        ({"pin": "current"}, "pin: `current` is what the results of now are called"),
        ({"pin": "a", "prove": "no idea"}, "prove: `no idea` is neither true nor false"),
    ],
)
def test_what_is_asked_is_checked(tmp_path: Path, config: dict[str, object], said: str) -> None:
    with pytest.raises(SurveywavesError) as refused:
        to_pin(config, tmp_path)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("label", ["a", "2008-report_v1.2", "7"])
def test_labels_that_a_folder_can_have_are_taken(tmp_path: Path, label: str) -> None:
    assert to_pin({"pin": int(label) if label.isdigit() else label}, tmp_path).label == label


# --- whole or not at all --------------------------------------------------------------------------------------


def pin_killed(study: Finished, where: str, calls: int) -> None:
    """Pin, and end as a SIGKILL ends a process when a function is called that often."""
    home, count = shutil if where == "copyfile" else making, itertools.count(1)
    do = getattr(home, where)

    def killed(*arguments: object) -> object:
        if next(count) == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return do(*arguments)

    setattr(home, where, killed)
    study.pin()


@pytest.mark.parametrize(
    ("where", "calls"),
    [("copyfile", 1), ("copyfile", 20), ("write_manifest", 1), ("describe", 1), ("write_archive", 1)],
)
def test_a_pin_that_is_killed_while_it_is_written_is_not_there(
    finished_study: Finished, where: str, calls: int
) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=pin_killed, args=(finished_study, where, calls)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    pins = finished_study.folder / "results/pins"
    assert [path.name for path in pins.iterdir()] == [".first.part"], "what lies under its name is whole"
    finished_study.pin("second")
    assert sorted(path.name for path in pins.iterdir()) == ["second", "second.zip"]
    whole_pin(pins / "second")


def test_what_is_edited_while_it_is_pinned_is_not_pinned(
    finished_study: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def edited(source: Path, target: Path) -> None:
        copy(source, target)
        if target.name == "index.html":
            target.write_text("other")

    monkeypatch.setattr(making.shutil, "copyfile", edited)
    with pytest.raises(SurveywavesError, match=r"report/index\.html: changed while it was pinned"):
        finished_study.pin()
    assert list((finished_study.folder / "results/pins").iterdir()) == []


# --- surveywaves diff -----------------------------------------------------------------------------------------


def test_diff_lists_what_moved_between_a_pin_and_now(
    finished_study: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished_study.pin()
    finished_study.write("results/statistics/item_frequencies.tsv", "other counts")
    finished_study.write("results/released/item_frequencies.csv", "wave,n\nfirst,13\n")
    released = ["results/released/item_frequencies.csv", "results/released/item_frequencies.tsv"]
    finished_study.job("release", ["results/statistics/item_frequencies.tsv"], released)
    finished_study.job("describe", [], ["results/statistics/item_frequencies.tsv"])
    monkeypatch.chdir(finished_study.folder)
    assert main(["diff", "first", "current"]) == 0
    told = capsys.readouterr()
    rows = [line.split("\t") for line in told.out.splitlines()]
    assert rows[0] == ["kind", "table", "key", "column", "old", "new", "relative_change"]
    assert rows[1][:6] == ["moved", "item_frequencies", "wave=first", "n", "12", "13"]
    assert float(rows[1][6]) == pytest.approx(1 / 12)
    assert rows[2][:2] == ["first stage", "describe"]
    assert told.err == "first -> current: 1 moved; 1 numbers in 1 tables of first\n"
    assert main(["diff", "first", "current", "--output", "erratum.csv"]) == 0
    assert (finished_study.folder / "erratum.csv").read_text().splitlines()[1].startswith("moved,item_freq")


def test_diff_of_two_pins_and_of_pins_that_are_not_there(
    finished_study: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished_study.pin("one")
    finished_study.pin("two")
    monkeypatch.chdir(finished_study.folder)
    assert main(["diff", "one", "two"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["diff", "one", "three"]) == 1
    assert capsys.readouterr().err == "results/pins/three: no such pin (hint: there is one, two)\n"
    assert main(["diff", "one", "two", "--output", "table.docx"]) == 1
    assert "neither .csv nor .tsv" in capsys.readouterr().err
    shutil.rmtree("results/released")
    assert main(["diff", "one", "current"]) == 1
    assert capsys.readouterr().err.startswith("results/released: nothing is released yet")
