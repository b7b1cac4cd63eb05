"""What proving a pin says, with the run in a clean folder played by a copy of the study."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin import cause, making, verify
from surveywaves.pin.cause import Asked, State
from surveywaves.pin.manifest import Environment, Places, read_manifest, read_records, write_manifest
from surveywaves.pin.source import Rederived
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


def test_a_figure_is_told_by_its_data_under_another_matplotlib(
    pinned: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = read_manifest(pinned.study.folder / "results/pins/first").environment

    def newer(_: Path) -> Environment:
        return known.model_copy(update={"matplotlib": "99.0"})

    monkeypatch.setattr(cause, "environment", newer)
    pinned.change = redrawn
    said = pinned.said()
    assert said[0] == "verified: 1 numbers in 1 tables, 1 figures as pinned"
    assert said[1] == (
        f"figures compared by their data, not their bytes: matplotlib was {known.matplotlib} and is 99.0; 1 files "
        "differ"
    )
    pinned.change = lambda one: (redrawn(one), redone(one))
    found = pinned.verify()
    assert isinstance(found, Proof)
    assert found.figures.moved == ("means",)
    pinned.change = lambda one: one.write("results/figures/captions.tsv", "figure\tcaption\nmeans\tOther.\n")
    found = pinned.verify()
    assert isinstance(found, Proof)
    assert (found.fails, found.figures.moved) == (True, ("captions",))


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


def test_a_pin_that_somebody_edited_proves_nothing(pinned: Again) -> None:
    (pinned.study.folder / "results/pins/first/released/item_frequencies.csv").write_text(
        "wave,n\nfirst,13\n"
    )
    with pytest.raises(SurveywavesError, match="changed since it was pinned"):
        pinned.verify()
    assert len(pinned.runs) == 1


# --- keys ---------------------------------------------------------------------------------------------------------


def of_the_first_format(one: Finished) -> None:
    """Make the pin one of before there were keys."""
    folder = one.folder / "results/pins/first"
    state = State.of_run(read_records(one.places, RESULTS), one.places, one.study)
    plain = {"raw": state.raw, "contents": state.contents, "jobs": state.jobs}
    old = read_manifest(folder).model_copy(update={"format": 1, "key": "", "ledger": "", **plain})
    write_manifest(old, folder)
    text = (folder / "manifest.json").read_text()
    assert "hmac" not in text


def test_a_pin_of_the_first_format_verifies_with_a_key_here_and_without(pinned: Again) -> None:
    of_the_first_format(pinned.study)
    assert pinned.said()[0].startswith("verified: ")
    shutil.rmtree(pinned.study.folder / "resources/private")
    assert pinned.said()[0].startswith("verified: ")
    assert "key" not in " ".join(pinned.said())
    pinned.change = redone
    assert "first stage that gives other results: describe" in pinned.said()


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


def test_pins_of_both_formats_are_held_against_each_other(pinned: Again) -> None:
    one = pinned.study
    redone(one)
    making.pin(
        Asked(label="second", prove=False), one.study, one.places, results=RESULTS, target="pinned", cores=1
    )
    stages = set()
    for old in (False, True):
        if old:
            redone(one, "wave,n\nfirst,12\n", "all counts")
            of_the_first_format(one)
        for pair in (("first", "second"), ("second", "first")):
            table, summary = verify.diff(*pair, one.places)
            assert "1 moved" in summary
            found = table[table["kind"] == "first stage"]
            stages.add(tuple(found["table"]))
    assert stages == {("describe",)}
    shutil.rmtree(one.folder / "resources/private")
    table, _ = verify.diff(
        "first", "second", one.places
    )  # one plain, one keyed: nobody can tell without the key
    assert table[table["kind"] == "first stage"].empty
    assert not (table["kind"] == "raw file").any()
