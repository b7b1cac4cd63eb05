"""What proving a pin says, with the run in a clean folder played by a copy of the study."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from platform import node
from typing import Any

import pytest

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin import cause, making, source, verify
from surveywaves.pin.cause import Asked
from surveywaves.pin.manifest import Places, read_manifest
from surveywaves.pin.source import Rederived
from surveywaves.pin.trace import trace
from surveywaves.pin.verify import Proof, record, tell
from test_pin import RESULTS, Finished, finished_study, template  # noqa: F401 - fixtures

TABLE = "results/released/item_frequencies.csv"
FIGURE = "results/figures/means.svg"


@dataclass
class Again:
    """Plays the run in a clean folder: what it makes is what lies in the study, changed as told."""

    study: Finished
    monkeypatch: pytest.MonkeyPatch
    change: Callable[[Finished], object] = str
    failures: tuple[Mistake, ...] = ()
    runs: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        for module in (making, verify):
            self.monkeypatch.setattr(module, "rederive", self.run)

    @contextmanager
    def run(self, *_: Any, **__: Any) -> Iterator[Rederived]:
        folder = self.study.folder.with_name(f"again_{len(self.runs)}")
        shutil.copytree(self.study.folder, folder)
        self.runs.append(folder)
        self.change(Finished(folder))
        yield Rederived(Places(folder, self.study.folder, folder / "config"), self.failures)

    def pin(self) -> list[str]:
        places = self.study.places
        return making.pin(
            Asked(label="first"), self.study.study, places, results=RESULTS, target="pinned", cores=1
        )

    def verify(self) -> verify.Proof | verify.Stopped:
        return verify.verify("first", self.study.study, self.study.places, target="pinned", cores=1)

    def said(self) -> list[str]:
        return tell(self.verify(), "all.tsv")


@pytest.fixture
def again(finished_study: Finished, monkeypatch: pytest.MonkeyPatch) -> Again:  # noqa: F811
    return Again(finished_study, monkeypatch)


@pytest.fixture
def pinned(again: Again) -> Again:
    again.pin()
    return again


def redone(one: Finished, content: str = "wave,n\nfirst,13\n", count: str = "other") -> None:
    """Make the released table otherwise, because the counts are."""
    one.write("results/statistics/item_frequencies.tsv", count)
    one.write(TABLE, content)
    released = [TABLE, "results/released/item_frequencies.tsv"]
    one.job("describe", ["resources/published/employer.csv"], ["results/statistics/item_frequencies.tsv"])
    one.job("release", ["results/statistics/item_frequencies.tsv"], released)


def redrawn(one: Finished) -> None:
    one.write(FIGURE, "<svg>other</svg>")
    one.job("figures", ["results/released/item_frequencies.tsv"], [FIGURE, "results/figures/captions.tsv"])


# --- at birth -------------------------------------------------------------------------------------------------


def test_a_pin_is_proved_before_it_is_made(again: Again) -> None:
    assert "proved: a run in a clean folder gave the same bytes" in again.pin()
    assert len(again.runs) == 1
    assert read_manifest(again.study.folder / "results/pins/first").proved


@pytest.mark.parametrize(
    ("change", "job", "name"), [(redone, "describe", TABLE), (redrawn, "figures", FIGURE)]
)
def test_what_does_not_come_out_again_is_not_pinned(
    again: Again, change: Callable[[Finished], None], job: str, name: str
) -> None:
    again.change = change
    with pytest.raises(SurveywavesError) as refused:
        again.pin()
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{name}: does not come out again, byte for byte; it begins at {job} (hint")
    assert not (again.study.folder / "results/pins").exists()


def test_a_proof_that_stops_says_why(again: Again) -> None:
    again.failures = (Mistake("ingest(first) stops", "raw/a.csv: no such file"),)
    with pytest.raises(SurveywavesError, match=r"^ingest\(first\) stops: raw/a\.csv: no such file$"):
        again.pin()


# --- later ----------------------------------------------------------------------------------------------------


def test_what_comes_out_as_pinned_is_verified_in_a_line(pinned: Again) -> None:
    said = pinned.said()
    assert said[0] == "verified: 1 numbers in 1 tables, 1 figures as pinned"
    assert len(said) == 2
    assert said[1].startswith("Demonstration: ")


def test_a_number_that_moved_is_told_with_its_stage(pinned: Again) -> None:
    pinned.change = redone
    found = pinned.verify()
    said = tell(found, "all.tsv")
    assert found.fails
    assert said[0] == "pin first: not everything comes out as pinned"
    assert "  item_frequencies wave=first: n 12 -> 13 (+8.333%)" in said
    assert said[said.index("first stage that gives other results: describe") + 1] == (
        "  nothing that was recorded of it differs: it does not give the same results every time"
    )
    assert said[-1] == "nothing differs from the pin in raw files, configuration, code or packages"


def test_all_is_written_down(pinned: Again) -> None:
    pinned.change = redone
    said = record(pinned.verify(), pinned.study.places)
    room = pinned.study.folder / "results/verify"
    assert (room / "first.txt").read_text().splitlines() == said
    rows = [line.split("\t") for line in (room / "first.tsv").read_text().splitlines()]
    assert [row[:6] for row in rows[1:]] == [
        ["moved", "item_frequencies", "wave=first", "n", "12", "13"],
        ["first stage", "describe", "", "", "", ""],
    ]


def test_a_figure_is_told_by_its_bytes_under_one_matplotlib(pinned: Again) -> None:
    pinned.change = redrawn
    found = pinned.verify()
    assert isinstance(found, Proof)
    assert (found.fails, found.figures.moved) == (True, ("means",))
    assert [stage.job for stage in found.stages] == ["figures"]
    assert "1 of 1 figures are not the pinned ones: means" in tell(found, "all.tsv")


SVG = """<svg><style>*{{}}</style><path d="M 1.00 {place} L 3.00 4.00" style="fill: {first}"/>
<path id="{name}" d="M 0 0" style="fill: {second}"/><text>{words}</text></svg>"""
AS_PINNED = {
    "place": "2.00",
    "first": "#aa0011",
    "second": "#0011aa",
    "name": "p0123456789",
    "words": "n = 12",
}


def drawn(one: Finished, **other: str) -> None:
    one.write(FIGURE, SVG.format(**AS_PINNED | other))
    figures = [FIGURE, "results/figures/captions.tsv"]
    one.job("figures", ["results/released/item_frequencies.tsv"], figures)
    one.job("report", figures, ["results/report/index.html"])


@pytest.fixture
def pinned_drawing(again: Again) -> Again:
    drawn(again.study)
    again.pin()
    return again


@pytest.mark.parametrize(
    ("other", "same_here", "same_elsewhere"),
    [
        ({"place": "2.01", "name": "p9876543210"}, True, True),
        ({"place": "2.50"}, False, True),  # another matplotlib may draw the same with other shapes
        ({"first": "#0011aa", "second": "#aa0011"}, False, False),  # a palette reversed
        ({"words": "n = 13"}, False, False),
    ],
)
def test_where_bytes_cannot_be_the_same_a_figure_is_told_by_what_it_shows(
    pinned_drawing: Again,
    monkeypatch: pytest.MonkeyPatch,
    other: dict[str, str],
    same_here: bool,
    same_elsewhere: bool,
) -> None:
    again = pinned_drawing
    again.change = lambda one: drawn(one, **other)
    assert again.verify().fails, "with the same packages, the bytes count"
    known = read_manifest(again.study.folder / "results/pins/first").environment
    for change, same, why in (
        ({"platform": "Linux other"}, same_here, "the packages or the system are others"),
        ({"matplotlib": "99.0"}, same_elsewhere, f"matplotlib was {known.matplotlib} and is 99.0"),
    ):
        elsewhere = known.model_copy(update=change)
        monkeypatch.setattr(cause, "environment", lambda _, elsewhere=elsewhere: elsewhere)
        found = again.verify()
        assert isinstance(found, Proof)
        assert (found.fails, found.figures.moved) == (not same, () if same else ("means",))
        assert f"figures compared by what they show, not by their bytes: {why}; 1 files differ" in tell(
            found, ""
        )


def test_captions_are_no_figure(pinned: Again) -> None:
    pinned.change = lambda one: one.write("results/figures/captions.tsv", "figure\tcaption\nmeans\tOther.\n")
    found = pinned.verify()
    assert isinstance(found, Proof)
    assert (found.fails, found.figures.moved) == (True, ())
    said = tell(found, "all.tsv")
    assert "the figures' captions are not the pinned ones" in said
    assert not any("of 1 figures" in line for line in said)


def test_a_figure_that_is_gone_fails(pinned: Again) -> None:
    pinned.change = lambda one: (one.folder / FIGURE).unlink()
    found = pinned.verify()
    assert isinstance(found, Proof)
    assert (found.fails, found.figures.moved) == (True, ("means",))


def test_other_words_in_the_report_move_nothing_and_are_told_in_a_line(pinned: Again) -> None:
    pinned.change = lambda one: one.write("results/report/index.html", "<html>other</html>")
    found = pinned.verify()
    assert not found.fails
    assert tell(found, "all.tsv")[1] == (
        "differs from the pin and moved nothing: the report's words (report/index.html); all.tsv lists all"
    )


def test_a_setting_that_moves_nothing_is_counted_and_one_that_moves_is_shown(pinned: Again) -> None:
    config = pinned.study.folder / "config/config.yaml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("min_cell: 5", "min_cell: 6"), encoding="utf-8"
    )
    assert pinned.said()[1] == (
        "differs from the pin and moved nothing: 1 file, 1 setting or package; all.tsv lists all"
    )
    pinned.change = redone
    said = pinned.said()
    assert "  setting config.analysis.min_cell: 5 -> 6" in said
    assert "  configuration file config/config.yaml: changed" in said


def test_a_run_that_stops_says_why_and_what_differs(pinned: Again) -> None:
    pinned.failures = (Mistake("harmonise(first) stops", "a.csv: unknown label"),)
    (pinned.study.folder / "workflow/scripts/release.py").write_text("pass\n")
    found = pinned.verify()
    assert found.fails
    said = tell(found, "all.tsv")
    assert said[:2] == [
        "pin first: nothing to compare, the run ended before its end",
        "  harmonise(first) stops: a.csv: unknown label",
    ]
    assert "  code workflow/scripts/release.py: changed" in said


def test_a_run_that_stopped_early_names_the_raw_files_that_changed_and_no_other(pinned: Again) -> None:
    pinned.failures = (Mistake("ingest(second) stops", "no such column"),)
    changed = min(read_manifest(pinned.study.folder / "results/pins/first").raw)
    path = pinned.study.folder / changed
    path.write_bytes(path.read_bytes() + b"\n")

    def nothing_ran(one: Finished) -> None:
        shutil.rmtree(one.folder / "results/logs")

    pinned.change = nothing_ran
    raw = [line for line in pinned.said() if "raw file" in line]
    assert raw == [f"  raw file {changed}: changed"]


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "statement": lambda told: told.update(statement="All waves are observed: real returns."),
    "evidence": lambda told: told["evidence"][0].update(evidence="observed", note=""),
    "tolerance": lambda told: told.update(tolerance={"relative": 1.0, "absolute": 99.0}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_pin_whose_manifest_somebody_edited_is_good_for_nothing(pinned: Again, edit: str) -> None:
    places = pinned.study.places
    path = places.folder / "results/pins/first/manifest.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    EDITS[edit](told)
    path.write_text(json.dumps(told), encoding="utf-8")
    uses: list[Callable[[], object]] = [
        pinned.verify,
        lambda: verify.diff("first", "current", places),
        lambda: trace(["item_frequencies"], places, pin="first"),
        lambda: making.write_archive(path.parent, places.folder / "first.zip"),
        lambda: pinned.study.pin("second"),
    ]
    for use in uses:
        with pytest.raises(SurveywavesError, match=r"manifest\.json: changed since it was pinned"):
            use()


def test_a_pin_that_somebody_edited_proves_nothing(pinned: Again) -> None:
    released = pinned.study.folder / "results/pins/first/released/item_frequencies.csv"
    released.write_text("wave,n\nfirst,13\n")
    with pytest.raises(SurveywavesError, match="changed since it was pinned"):
        pinned.verify()
    assert len(pinned.runs) == 1


def test_a_clean_folder_in_use_is_left_alone_and_one_of_a_killed_run_is_not(tmp_path: Path) -> None:
    room = tmp_path / "results/verify"
    here = node()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    kept = [room / f".clean-{here}-{os.getpid()}-abc", room / ".clean-another-machine-1-abc"]
    left = [room / f".clean-{here}-{ended.pid}-abc", room / ".clean-abc", room / ".clean-old-machine-1-abc"]
    for folder in (*kept, *left):
        folder.mkdir(parents=True)
    os.utime(left[2], (1, 1))
    os.utime(left[1], (1, 1))
    assert [source._in_use(folder) for folder in (*kept, *left)] == [True, True, False, False, False]


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "0" * 64])
def test_without_its_key_a_pin_is_proved_by_what_is_released_and_says_what_it_cannot_tell(
    pinned: Again, key: str | None
) -> None:
    private = pinned.study.folder / "resources/private"
    shutil.rmtree(private)
    if key:
        private.mkdir()
        (private / "key").write_text(key)
        (private / "key").chmod(0o600)
    first, *others = pinned.said()
    assert first == "verified: 1 numbers in 1 tables, 1 figures as pinned"
    (line,) = [line for line in others if "without the key" in line]
    # item_frequencies.tsv of the statistics and of the release
    assert line.startswith(
        "not compared without the key of the pin's team (resources/private/key): 2 files that"
    )
    pinned.change = redone
    proof = pinned.verify()
    said = tell(proof, "all.tsv")
    assert proof.fails
    assert "1 values moved, 0 rows or tables gone; of 1 numbers in 1 tables:" in said
    assert any("without the key" in line for line in said)
    assert not any(line.startswith("first stage") for line in said)


def test_without_its_key_a_run_that_stops_says_what_it_cannot_tell(pinned: Again) -> None:
    shutil.rmtree(pinned.study.folder / "resources/private")
    pinned.failures = (Mistake("ingest(first) stops", "no such column"),)
    assert any("without the key" in line for line in pinned.said())


def test_two_pins_are_held_against_each_other(pinned: Again) -> None:
    one = pinned.study
    redone(one)
    making.pin(
        Asked(label="second", prove=False), one.study, one.places, results=RESULTS, target="pinned", cores=1
    )
    for pair in (("first", "second"), ("second", "first")):
        table, summary = verify.diff(*pair, one.places)
        assert "1 moved" in summary
        assert table.loc[table["kind"] == "first stage", "table"].tolist() == ["describe"]
