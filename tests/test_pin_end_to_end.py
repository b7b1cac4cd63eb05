"""A pin from `snakemake pin` to `snakemake verify`: elsewhere, under another umask and core count, after a change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from runs import Run
from runs import snakemake as run_snakemake
from small_study import WAVES, add_wave, list_waves
from surveywaves.cli import main
from surveywaves.files import digest
from surveywaves.key import read_key
from surveywaves.pin.manifest import Manifest, read_manifest, whole_pin

WAVE, LATER = "phase1_2006", "mori_baseline"
EXPORT = f"resources/raw/{WAVE}/surveymonkey_2006-10-02.csv"
FIRST = "results/pins/first"

pytestmark = pytest.mark.slow


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def snakemake(folder: Path, *arguments: str) -> Run:
    """Run the workflow that lies in a folder on the study there."""
    return run_snakemake(folder, *arguments, code=folder)


@pytest.fixture(scope="module")
def clone(whole_run: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the workflow and the small study of two waves, run to its end from within."""
    folder = tmp_path_factory.mktemp("pins") / "clone"
    shutil.copytree(whole_run("small_clone"), folder, symlinks=True)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The study")
    return folder


@pytest.fixture(scope="module")
def made(clone: Path) -> Run:
    """The pin, made and proved by one command."""
    return snakemake(clone, "pin", "--config", "pin=first")


@pytest.fixture(scope="module")
def manifest(clone: Path, made: Run) -> Manifest:
    assert made.status == 0, made.said
    return read_manifest(clone / FIRST)


def refusals(run: Run) -> list[str]:
    """The lines that are the user's, among Snakemake's."""
    return [line for line in run.said.splitlines() if "(hint:" in line]


def test_one_command_makes_a_pin_and_proves_it(clone: Path, made: Run, manifest: Manifest) -> None:
    assert made.jobs == {"pin": 1}
    assert "proved: a run in a clean folder gave the same bytes" in made.said
    assert manifest.statement in made.said
    assert manifest.proved
    assert manifest.overridden == {}
    returns = {path.relative_to(clone).as_posix() for path in (clone / "resources/raw").glob("*/*")}
    assert {name for name in manifest.raw if name.startswith("resources/raw")} == returns
    names = [job.name for job in manifest.jobs]
    assert names.index(f"ingest({WAVE})") < names.index(f"harmonise({WAVE})") < names.index("pool")
    assert names[-1] == "report" and {"figures", "tables"} <= set(names)
    for name in ("released/means.csv", "figures/change_profile.svg", "report/index.html"):
        assert manifest.outputs[name] == digest(clone / "results" / name)
    assert not list((clone / "results/verify").glob(".*"))


def test_a_pin_holds_no_place_and_nothing_confidential(clone: Path, manifest: Manifest) -> None:
    files = [path for path in (clone / FIRST).rglob("*") if path.is_file()]
    assert len(files) > 300
    assert not [path for path in files if str(clone.parent).encode() in path.read_bytes()]
    raw = [path for path in files if "resources" in path.parts and "raw" in path.parts]
    assert [path.name for path in raw] == ["README.md"], "of the study that `surveywaves new` lays out"
    rooms = [clone / "results" / room for room in ("pooled", "harmonised", "ingest")]
    private = {digest(path) for room in rooms for path in room.iterdir()}
    assert not private & {digest(path) for path in files}


def test_no_digest_of_what_a_pin_does_not_hold_is_in_it(
    clone: Path, manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = clone / FIRST
    held = {digest(path) for path in folder.rglob("*") if path.is_file()}
    rooms = [clone / "results", clone / "resources/raw"]
    others = [
        path for room in rooms for path in room.rglob("*") if path.is_file() and "pins" not in path.parts
    ]
    sums = {digest(path) for path in others}
    assert len(sums - held) > 50
    said = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).decode(
        errors="replace"
    )
    assert not (sums - held) & set(re.findall(r"[0-9a-f]{64}", said))
    readable = [path for path in (clone / "results/logs").rglob("*.log") if path.stat().st_mode & 0o077]
    assert readable == []
    row = ["contrasts", "scale=colleagues", "term=gap", f"wave={WAVE}"]
    assert main(["trace", "--pin", "first", *row, "--directory", str(clone)]) == 0
    assert (
        f"hmac-sha256:{manifest.raw[EXPORT].removeprefix('hmac-sha256:')}  {EXPORT}"
        in capsys.readouterr().out
    )


def test_a_release_beside_one_that_differs_by_an_answer_is_refused_until_somebody_signs(
    clone: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*arguments: str) -> str:
        assert main(list(arguments)) == 0
        return capsys.readouterr().out

    later = clone.parent / "corrected"
    shutil.copytree(clone, later, ignore=shutil.ignore_patterns("verify", ".snakemake"))
    table = "results/released/means.csv"
    assert snakemake(later, table).jobs == {}  # that the ledger grew makes nothing run again
    export = later / EXPORT
    one_answer_changed(export)
    refused = snakemake(later, table)
    assert refused.status != 0
    (line,) = refusals(refused)
    assert line.startswith(f"release first, wave {WAVE}: differs by fewer than 5 people in what they said")
    assert "Traceback" not in refused.said
    assert not (later / table).exists()
    monkeypatch.chdir(later)
    why = ("--by", "A. Adler", "--reason", "an erratum says which answer was corrected")
    signed = told("ledger", "sign", "first", *why)
    assert signed.startswith(f"signed: first beside the results of now ({WAVE}), by A. Adler")
    done = snakemake(later, table, "results/released/checklist.csv")
    assert done.status == 0, done.said
    assert told("ledger", "add", "board") == "entered: board\n"
    listed = told("ledger")
    assert [line.split(":")[0] for line in listed.splitlines()][:2] == ["first", "board"]
    assert "the results of now can stand beside all of them" in listed
    assert told("ledger", "add", "board") == "board stands there already, as it is now\n"
    told("diff", "first", "current", "--output", "moved.tsv")
    assert_told(pd.read_csv(later / "moved.tsv", sep="\t", dtype="str", keep_default_na=False))


def one_answer_changed(export: Path) -> None:
    text, count = re.subn(
        r"(?m)^(170\d+(?:,[^,\r\n]*){8}),Agree,",
        r"\1,Disagree,",
        export.read_bytes().decode("cp1252"),
        count=1,
    )
    assert count == 1
    export.write_bytes(text.encode("cp1252"))


def assert_told(changes: pd.DataFrame) -> None:
    """One answer changed: its number and its stage."""
    disagree = changes[
        (changes["table"] == "item_frequencies")
        & changes["key"].str.endswith("response=2")
        & (changes["column"] == "n")
    ]
    row = disagree.set_index("key").loc[f"wave={WAVE}; organisation=all; item=colleagues_1; response=2"]
    assert int(row["new"]) == int(row["old"]) + 1
    assert float(row["relative_change"]) == pytest.approx(1 / int(row["old"]))
    assert changes.loc[changes["kind"] == "first stage", "table"].tolist() == [f"ingest({WAVE})"]
    for kind in ("first stage: input", "raw file"):
        assert changes.loc[changes["kind"] == kind, "key"].tolist() == [f"{EXPORT}: changed"]


def test_the_same_label_and_one_that_is_not_there_are_refused_in_a_line(
    clone: Path, manifest: Manifest
) -> None:
    before = digest(clone / FIRST)
    again = snakemake(clone, "pin", "--config", "pin=first")
    assert again.status != 0
    assert again.jobs == {"pin": 1}
    assert [line.split(" (hint")[0] for line in refusals(again)] == [
        f"{FIRST}: is there already, and a pin is never overwritten"
    ]
    unknown = snakemake(clone, "verify", "--config", "pin=none")
    assert unknown.status != 0
    assert [line.split(" (hint")[0] for line in refusals(unknown)] == ["results/pins/none: no such pin"]
    assert "Traceback" not in again.said + unknown.said
    assert digest(clone / FIRST) == before
    assert sorted(path.name for path in (clone / "results/pins").iterdir()) == ["first", "first.zip"]


def test_git_keeps_every_file_of_a_pin(clone: Path, manifest: Manifest) -> None:
    git(clone, "add", "results/pins")
    git(clone, "commit", "--quiet", "--message", "The pin")
    other = clone.parent / "cloned"
    git(clone.parent, "clone", "--quiet", str(clone), str(other))
    assert whole_pin(other / FIRST) == manifest
    assert not (other / f"{FIRST}.zip").exists()


def test_the_zip_and_the_raw_files_are_enough_to_compute_it_again_elsewhere_with_a_wave_added(
    clone: Path, manifest: Manifest, tmp_path: Path
) -> None:
    folder = tmp_path / "another place"
    with zipfile.ZipFile(clone / f"{FIRST}.zip") as archive:
        archive.extractall(folder)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    whole, again = (block.splitlines() for block in re.findall(r"```\n(.*?)```", readme, re.DOTALL))
    assert whole[:2] == ["unzip first.zip -d first", "cd first"]
    assert again[:3] == ["cd source", "make environment", ". .venv/bin/activate"]
    raw = re.findall(r"(?m)^\| `(resources/raw/.*?)` \| `(hmac-sha256:[0-9a-f]{64})` \|$", readme)
    key = read_key(clone)
    assert key is not None
    assert len(raw) > 1
    source = folder / "source"
    for name, hash_ in raw:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clone / name, target)
        assert key.of_file(name, digest(target)) == hash_

    def done(place: Path, *lines: str) -> str:
        """As the README has it, in the environment of the tests, by somebody else."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        run = subprocess.run(
            ["bash", "-c", "\n".join(["set -e", *lines]).replace("--cores all", "--cores 1")],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            umask=0o077,
            env={**os.environ, "PATH": path, "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"},
        )
        assert run.returncode == 0, run.stdout
        return run.stdout

    done(folder, *whole[2:], again[0], *again[3:-1])
    assert read_manifest(source / FIRST) == manifest
    longer = shutil.copytree(source, tmp_path / "longer", ignore=shutil.ignore_patterns("results"))
    results = longer / "results"
    (results / "pins").mkdir(parents=True)
    (longer / FIRST).symlink_to(folder)
    add_wave(longer, LATER)
    list_waves(longer, [*WAVES, LATER])
    shown = done(longer, again[-1])
    said = (results / "verify/first.txt").read_text(encoding="utf-8").splitlines()
    assert all(line in shown for line in said)
    assert said[0].startswith("verified: no number of the earlier waves' own moved (")
    assert said[0].endswith(f"added to the study: {LATER})")
    assert any(
        line.startswith("not compared without the key of the pin's team (resources/private/key): ")
        for line in said
    ), said
    assert sorted(path.name for path in results.iterdir()) == ["logs", "pins", "verify"]
    listed = pd.read_csv(results / "verify/first.tsv", sep="\t", dtype="str", keep_default_na=False)
    assert not set(listed["kind"]) & {"moved", "gone"}
    again = listed[listed["kind"] == "re-estimated"]
    assert set(again["table"]) >= {"means", "contrasts"}
    assert not set(again["table"]) & {
        "item_frequencies",
        "item_summary",
        "respondents",
        "response_rates",
        "missing",
    }
    new = listed[listed["kind"] == "new"]
    own = new["table"].isin(["item_frequencies", "response_rates"]) & new["key"].ne(
        ""
    )  # its weights add a column
    assert own.any()
    assert new.loc[own, "key"].str.contains(f"wave={LATER}").all()


def test_a_run_that_cannot_end_says_where_and_what_differs(clone: Path, manifest: Manifest) -> None:
    wave = clone / f"config/waves/{WAVE}/wave.yaml"
    before = wave.read_text(encoding="utf-8")
    wave.write_text(re.sub(r"(?m)^( +)Disagree: 2$", r"\1Disagrees: 2", before), encoding="utf-8")
    assert wave.read_text(encoding="utf-8") != before
    run = snakemake(clone, "verify", "--config", "pin=first")
    wave.write_text(before, encoding="utf-8")
    assert run.status != 0
    said = (clone / "results/verify/first.txt").read_text(encoding="utf-8").splitlines()
    assert said[0] == "pin first: nothing to compare, the run ended before its end"
    assert said[1].startswith(f"  harmonise({WAVE}) stops: ")
    assert "unknown label" in said[1]
    assert [line for line in said if line.startswith("  setting waves.")]
    assert "Traceback" not in "".join(said)
    assert all(line in run.said for line in said)
    assert "pin first: does not come out as it was pinned (hint: see results/verify/first.txt)" in run.said
