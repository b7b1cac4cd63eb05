"""What the records of jobs tell: their order, whether they hold, and at which stage results begin to differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from surveywaves.files import digest
from surveywaves.pin.cause import State, added_waves, differences, first_stages
from surveywaves.pin.manifest import Environment, Job, Places, contents, flat, read_records, stale, unlike

WANTED = "results/released/means.csv"


def job(rule: str, inputs: dict[str, str], outputs: dict[str, str], **more: Any) -> Job:
    return Job(rule=rule, inputs=inputs, outputs=outputs, code={}, params={}).model_copy(update=more)


def chain(raw: str = "r", cells: str = "i", pooled: str = "p", released: str = "m") -> tuple[Job, ...]:
    """A pipeline of three jobs."""
    return (
        job("ingest", {"raw/a.csv": raw}, {"results/ingest/a.tsv": cells}, wildcards={"wave": "a"}),
        job("pool", {"results/ingest/a.tsv": cells}, {"results/pooled/all.tsv": pooled}),
        job("release", {"results/pooled/all.tsv": pooled}, {WANTED: released}),
    )


def reads(text: str) -> Callable[[str], str]:
    """Every file has this text."""

    def read(name: str) -> str:
        return text

    return read


def state(jobs: tuple[Job, ...], **more: Any) -> State:
    known = Environment(python="3.11", platform="Linux", matplotlib="3.9", packages={"numpy": "2.0"})
    settings = {"config": {"waves": ["a"]}, "waves": [{"name": "a", "file": {"title": "A"}}]}
    plain = State(jobs, {}, {"raw/a.csv": "r"}, {}, {}, known, settings, reads(""))
    return replace(plain, **more)


# --- records on disk ------------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A finished run of two jobs, with a template of the workflow and a text of the study among the inputs."""
    home, folder = tmp_path / "home", tmp_path / "folder"
    files = {
        folder / "raw/a.csv": "x",
        folder / "config/note.md": "note",
        home / "workflow/report/page.j2": "page",
        home / "workflow/scripts/ingest.py": "pass",
        folder / "results/ingest/a.tsv": "cells",
        folder / WANTED: "mean",
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def hashes(*paths: str) -> dict[str, str]:
        return {path: digest(folder / path) for path in paths}

    code = {"workflow/scripts/ingest.py": digest(home / "workflow/scripts/ingest.py")}
    first = Job(
        rule="ingest",
        wildcards={"wave": "a"},
        params={},
        code=code,
        inputs=hashes("raw/a.csv"),
        outputs=hashes("results/ingest/a.tsv"),
    )
    inputs = hashes("results/ingest/a.tsv", "config/note.md", "../home/workflow/report/page.j2")
    second = Job(rule="release", params={}, code={}, inputs=inputs, outputs=hashes(WANTED))
    logs = folder / "results/logs"
    (logs / "ingest").mkdir(parents=True)
    (logs / "ingest/a.log").write_text(json.dumps(first.model_dump()))
    (logs / "release.log").write_text(json.dumps(second.model_dump()))
    (logs / "failed.log").write_text("raw/b.csv: no such file\n")
    return Places(folder, home, folder / "config")


def test_records_come_in_the_order_of_the_pipeline_and_without_places(places: Places) -> None:
    records = read_records(places, [WANTED])
    assert [one.name for one in records.jobs] == ["ingest(a)", "release"]
    assert records.missing == ()
    assert records.given == ["raw/a.csv", "config/note.md", "workflow/report/page.j2"]
    assert stale(records, places) == []


def test_a_job_that_nothing_wanted_depends_on_is_left_aside(places: Places) -> None:
    other = job("old", {}, {"results/released/of_an_old_wave.csv": "x"})
    (places.folder / "results/logs/old.log").write_text(json.dumps(other.model_dump()))
    assert [one.rule for one in read_records(places, [WANTED]).jobs] == ["ingest", "release"]


def test_of_two_records_of_a_file_the_one_that_holds_counts(places: Places) -> None:
    outdated = job("release", {}, {WANTED: "another"})
    for name in ("a_first", "z_last"):
        (places.folder / f"results/logs/{name}.log").write_text(json.dumps(outdated.model_dump()))
    assert [one.rule for one in read_records(places, [WANTED]).jobs] == ["ingest", "release"]
    assert stale(read_records(places, [WANTED]), places) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("folder/raw/a.csv", "raw/a.csv: changed since ingest(a) ran"),
        ("folder/results/ingest/a.tsv", "results/ingest/a.tsv: changed since ingest(a), release ran"),
        ("folder/config/note.md", "config/note.md: changed since release ran"),
        ("home/workflow/report/page.j2", "workflow/report/page.j2: changed since release ran"),
        ("home/workflow/scripts/ingest.py", "workflow/scripts/ingest.py: changed since ingest(a) ran"),
        (f"folder/{WANTED}", f"{WANTED}: changed since release ran"),
    ],
)
def test_every_change_since_a_job_ran_is_noticed(places: Places, path: str, said: str) -> None:
    (places.folder.parent / path).write_text("other")
    assert [str(one).split(" (hint")[0] for one in stale(read_records(places, [WANTED]), places)] == [said]
    (places.folder.parent / path).unlink()
    assert [one.what.split()[0] for one in stale(read_records(places, [WANTED]), places)] == ["gone"]


def test_a_missing_record_is_named(places: Places) -> None:
    (places.folder / "results/logs/ingest/a.log").unlink()
    records = read_records(places, [WANTED])
    assert records.missing == ("results/ingest/a.tsv",)
    assert "no record says how it was made" in str(stale(records, places)[0])


def test_contents_do_not_depend_on_how_a_table_is_written(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": pd.array([1, None], dtype="Int8"), "b": ["x", "y"], "c": [0.1, float("nan")]})
    for name, how in (("plain", None), ("packed", "zstd")):
        table.to_parquet(tmp_path / f"{name}.parquet", compression=how)
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("plain", "packed"))
    assert digest(tmp_path / "plain.parquet") != digest(tmp_path / "packed.parquet")
    assert contents(one) == contents(other)
    assert contents(one) != contents(one.assign(c=[0.1, 0.0]))
    assert contents(one) != contents(one.rename(columns={"c": "d"}))
    assert contents(one) != contents(one.iloc[::-1])


# --- where it begins ------------------------------------------------------------------------------------------


def begins(old: State, new: State, moved: list[str] | None = None) -> list[str]:
    return [stage.job for stage in first_stages(old, new, [WANTED] if moved is None else moved)]


def test_the_first_stage_is_the_one_whose_inputs_from_other_jobs_are_as_they_were() -> None:
    old = state(chain())
    assert begins(old, state(chain(raw="R", cells="I", pooled="P", released="M"))) == ["ingest(a)"]
    assert begins(old, state(chain(pooled="P", released="M"))) == ["pool"]
    assert begins(old, state(chain(released="M"))) == ["release"]
    assert begins(old, old) == []


def test_a_change_that_a_later_stage_undoes_is_no_cause() -> None:
    assert begins(state(chain()), state(chain(cells="I", released="M"))) == ["ingest(a)", "release"]
    assert begins(state(chain()), state(chain(raw="R"))) == []


def test_a_stage_that_nothing_moved_depends_on_is_no_cause() -> None:
    beside = job("words", {}, {"results/words.tsv": "w"})
    other = beside.model_copy(update={"outputs": {"results/words.tsv": "W"}})
    old, new = state((*chain(), beside)), state((*chain(pooled="P", released="M"), other))
    assert begins(old, new) == ["pool"]
    assert begins(old, new, ["results/words.tsv"]) == ["words"]


def test_a_table_written_by_another_version_of_the_format_is_no_other_result() -> None:
    renamed = {"results/ingest/a.tsv": "same"}
    old, new = (
        state(chain(), contents=renamed),
        state(chain(cells="I", pooled="P", released="M"), contents=renamed),
    )
    assert begins(old, new) == ["pool"]


def test_a_stage_says_what_of_its_own_differs() -> None:
    old, new = chain(), chain(raw="R", cells="I", pooled="P", released="M")
    coded = {"params": {"part": {"codings": {"x": {"yes": 2}}}}, "code": {"workflow/a.py": "2"}}
    before = {"params": {"part": {"codings": {"x": {"yes": 1}}}}, "code": {"workflow/a.py": "1"}}
    first = old[0].model_copy(update={**before, "packages": {"numpy": "2.0"}})
    second = new[0].model_copy(update={**coded, "packages": {"numpy": "2.1"}})
    newer = Environment(python="3.11", platform="Linux", matplotlib="3.10", packages={"numpy": "2.1"})
    one = state((first, *old[1:]), text=reads("a = 1"))
    other = state((second, *new[1:]), text=reads("a = 2"), environment=newer)
    (stage,) = first_stages(one, other, [WANTED])
    assert [str(why) for why in stage.because] == [
        "input raw/a.csv: changed",
        "setting part.codings.x.yes: 1 -> 2",
        "code workflow/a.py: changed",
        "package numpy: 2.0 -> 2.1",  # matplotlib differs as well, but this job does not need it
    ]


def test_a_comment_is_told_from_a_change_of_the_program() -> None:
    old = state(chain(), code={"workflow/a.py": "1", "workflow/b.smk": "1"}, text=reads("a = 1\n"))
    new = state(chain(), code={"workflow/a.py": "2", "workflow/b.smk": "2"}, text=reads("a = 1  # one\n"))
    assert [str(one) for one in differences(old, new)] == [
        "code workflow/a.py: changed in comments or layout only",
        "code workflow/b.smk: changed",
    ]


def test_settings_are_told_apart_place_by_place() -> None:
    assert flat({"a": {"b": [1, 2]}, "c": [{"name": "x", "d": 1}], "e": {}}) == {
        "a.b": [1, 2],
        "c.x.name": "x",
        "c.x.d": 1,
        "e": {},
    }
    old = {"items": [{"item": "a", "key": 1}, {"item": "b", "key": 1}], "seed": 1, "gone": "x"}
    new = {"items": [{"item": "b", "key": -1}, {"item": "a", "key": 1}], "seed": 1, "more": None}
    assert unlike(old, new) == [("items.b.key", "1", "-1"), ("gone", "x", "-"), ("more", "-", "empty")]


# --- a wave more ----------------------------------------------------------------------------------------------


def with_waves(*names: str, title: str = "A", config: dict[str, Any] | None = None, **more: Any) -> State:
    waves = [{"name": name, "file": {"title": title if name == "a" else "B"}} for name in names]
    return state(
        chain(), settings={"config": {"waves": list(names), **(config or {})}, "waves": waves}, **more
    )


def test_added_waves_are_named_only_where_nothing_else_of_the_study_differs() -> None:
    old = with_waves("a")
    raw = {"raw/a.csv": "r", "raw/b.csv": "b"}
    assert added_waves(old, with_waves("a", "b", raw=raw)) == ["b"]
    assert added_waves(old, with_waves("b", "a", raw=raw)) == ["b"]
    assert added_waves(old, with_waves("a")) == []
    assert added_waves(old, with_waves("b")) == []
    assert added_waves(old, with_waves("a", "b", title="Other", raw=raw)) == []
    assert added_waves(old, with_waves("a", "b", raw={"raw/a.csv": "other"})) == []
    for config, added in (
        ({"figures": {"responses": ["#000000"]}}, ["b"]),  # a colour moves no number
        ({"words": {"staff": "workers"}, "title": "Other"}, ["b"]),
        ({"seed": 7}, []),
        ({"figures_": 1}, []),
    ):
        assert added_waves(old, with_waves("a", "b", config=config, raw=raw)) == added
