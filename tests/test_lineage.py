"""`surveywaves trace`: from any number that is shown back to the raw files, by the records of the run."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from conftest import REPOSITORY
from surveywaves.cli import main
from surveywaves.errors import SurveywavesError
from surveywaves.key import read_key
from surveywaves.pin.cause import Asked
from surveywaves.pin.lineage import lineage
from surveywaves.pin.making import pin
from surveywaves.pin.manifest import Job, Places
from surveywaves.pin.trace import Store, Trace, find, to_json, to_lines, trace
from surveywaves.study import load_study

CopyOf = Callable[[str], Path]
CHANGE = ["analysis=linear", "scale=colleagues", "term=change", "organisation=social_work"]


def places(folder: Path) -> Places:
    return Places(folder, REPOSITORY, folder / "config")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines(found: Trace, *, everything: bool = False) -> str:
    return "\n".join(to_lines(found, everything=everything))


# --- the walk back, on records made up ----------------------------------------------------------------------------


def job(rule: str, inputs: list[str], outputs: list[str], wave: str = "", **params: Any) -> Job:
    return Job(
        rule=rule,
        wildcards={"wave": wave} if wave else {},
        inputs=dict.fromkeys(inputs, "0" * 64),
        code={f"workflow/scripts/{rule}.py": "1" * 64},
        params=params,
        outputs=dict.fromkeys(outputs, "2" * 64),
    )


def two_waves() -> list[Job]:
    each = [
        one
        for wave in ("first", "second")
        for one in (
            job("ingest", [f"raw/{wave}.csv"], [f"results/ingest/{wave}.parquet"], wave),
            job(
                "harmonise",
                [f"results/ingest/{wave}.parquet"],
                [f"results/harmonised/{wave}.parquet"],
                wave,
                part={"evidence": "observed", "wave": wave},
            ),
        )
    ]
    pooled = "results/pooled/responses.parquet"
    tables = [f"results/statistics/{name}.parquet" for name in ("counts", "models")]
    return [
        *each,
        job("pool", [f"results/harmonised/{wave}.parquet" for wave in ("first", "second")], [pooled]),
        job("describe", [pooled], tables[:1], part={"populations": {"first": 10, "second": 20}}),
        job("compare", [pooled], tables[1:], part={"sample": {"waves": ["first", "second"]}}),
        job("release", tables, [f"results/released/{name}.parquet" for name in ("counts", "models")]),
        job("figures", [f"results/released/{name}.parquet" for name in ("counts", "models")], ["f.svg"]),
    ]


def test_a_number_of_one_wave_comes_from_that_wave_s_files_alone() -> None:
    found = lineage(two_waves(), "results/released/counts.parquet", waves=["second"])
    names = [step.job.name for step in found.steps]
    assert names == ["release", "describe", "pool", "harmonise(second)", "ingest(second)"]
    assert [raw.path for raw in found.raw] == ["raw/second.csv"]
    assert found.waves == ("second",)
    described = next(step for step in found.steps if step.job.rule == "describe")
    assert described.settings == {"part.populations.second": 20}
    assert "none of first" in " ".join(note for step in found.steps for note in step.notes)


def test_a_number_of_a_model_over_all_waves_comes_from_all_files() -> None:
    found = lineage(two_waves(), "results/released/models.parquet")
    assert {raw.path for raw in found.raw} == {"raw/first.csv", "raw/second.csv"}
    assert found.joint
    assert "describe" not in {step.job.rule for step in found.steps}, "models are not made from counts"


def test_what_became_of_the_raw_files_comes_from_the_lists_of_them_and_rules_from_the_settings() -> None:
    lists = [
        f"results/{room}/{wave}.problems.tsv" for room in ("ingest", "harmonised") for wave in ("a", "b")
    ]
    counts = [f"results/ingest/{wave}.counts.tsv" for wave in ("a", "b")]
    tables = [f"results/released/{name}.parquet" for name in ("problems", "file_counts", "recodings")]
    jobs = [
        *(job("ingest", [f"{w}.csv"], [counts[n], lists[n]], w) for n, w in enumerate("ab")),
        *(job("harmonise", [], [lists[n + 2]], w) for n, w in enumerate("ab")),
        job("release", [*lists, *counts, "results/statistics/x.parquet"], tables),
    ]
    reads = [list(lineage(jobs, table, waves=["b"]).steps[0].reads) for table in tables]
    assert reads == [[lists[1], lists[3]], [counts[1]], []]


def test_a_released_number_comes_from_the_table_of_its_name_and_a_figure_from_what_it_draws() -> None:
    released, *_ = lineage(two_waves(), "results/released/counts.parquet").steps
    assert list(released.reads) == ["results/statistics/counts.parquet"]
    assert "decided over all 2 files" in released.notes[0]
    figure, *_ = lineage(two_waves(), "f.svg", tables=["models"]).steps
    assert list(figure.reads) == ["results/released/models.parquet"]


# --- numbers of the study -----------------------------------------------------------------------------------------


def test_a_count_of_one_wave_is_traced_to_that_wave_s_raw_files(finished: Path) -> None:
    words = ["item_frequencies", "wave=phase1_2006", "organisation=all", "item=colleagues_1", "response=4"]
    found = trace(words, places(finished))
    raw = {one.path: one.sha256 for one in found.lineage.raw}
    assert len(raw) == 2
    assert all("phase1_2006" in path for path in raw)
    assert raw == {path: sha256(finished / path) for path in raw}
    frame = pd.read_parquet(finished / "results/released/item_frequencies.parquet")
    (count,) = frame.loc[
        (frame["wave"] == "phase1_2006")
        & (frame["organisation"] == "all")
        & (frame["item"] == "colleagues_1")
        & (frame["response"] == 4),
        "n",
    ]
    said = lines(found)
    assert f"n {count}, " in said
    plain = " ".join(said.split())
    assert "phase1_2006 (reconstructed) and on no other wave" in plain
    assert plain.count("mori_baseline") == plain.count("none of mori_baseline and phase2_2008") == 1


def test_a_contrast_is_traced_through_its_stages_to_every_wave(finished: Path) -> None:
    found = trace(["contrasts", *CHANGE, "wave=phase2_2008 - phase1_2006"], places(finished))
    assert len(found.shown.rows) == 1
    rules = [step.job.rule for step in found.lineage.steps]
    assert rules[:2] == ["release", "compare"]
    assert rules.index("pool") < rules.index("harmonise") < rules.index("ingest")
    assert {raw.wave for raw in found.lineage.raw} == {"mori_baseline", "phase1_2006", "phase2_2008"}
    told = {step.job.rule: step.settings for step in found.lineage.steps}
    assert told["compare"]["part.smallest_effect.standardised"] == 0.2
    assert "smallest_effect.standardised 0.2" in " ".join(lines(found).split())
    listed = lines(found, everything=True)
    assert "workflow/surveywaves/mixed/lmm.py" in listed
    assert "workflow/surveywaves/mixed/lmm.py" not in lines(found)


def test_the_row_before_its_release_is_given_only_when_asked_for(finished: Path) -> None:
    words = ["contrasts", *CHANGE, "wave=phase2_2008 - phase1_2006"]
    assert "results/statistics/contrasts.parquet, not released" not in lines(trace(words, places(finished)))
    found = trace(words, places(finished), unreleased=True)
    frame = pd.read_parquet(finished / "results/statistics/contrasts.parquet")
    (row,) = frame[
        (frame["analysis"] == "linear")
        & (frame["scale"] == "colleagues")
        & (frame["term"] == "change")
        & (frame["organisation"] == "social_work")
        & (frame["wave"] == "phase2_2008 - phase1_2006")
    ].to_dict("records")
    assert f"estimate {row['estimate']}" in " ".join(lines(found).split())


def test_every_figure_and_every_table_leads_to_rows_of_a_released_table(finished: Path) -> None:
    store = Store.of_run(places(finished))
    figures = [path.stem for path in (finished / "results/figures").glob("*.svg")]
    pasted = [path.stem for path in (finished / "results/tables").glob("*.csv")]
    assert len(figures) > 15 and len(pasted) > 30
    words = {"events", "wordings"}
    assert words <= set(pasted)
    for name in words:
        with pytest.raises(SurveywavesError, match="its rows are of no released table: it says words"):
            find(["table", name], store)
    for kind, names in (("figure", figures), ("table", sorted(set(pasted) - words))):
        for name in names:
            found = find([kind, name], store)
            assert found.target in store.made
            assert len(found.rows) > 0, name
    assert find(["figure", "change_profile"], store).table == "contrasts"
    assert find(["figure", "likert_colleagues"], store).table == "item_frequencies"
    assert find(["results/tables/gap_linear.docx"], store).table == "contrasts"
    assert find(["results/figures/robustness.pdf"], store).table == "sensitivity"


def test_a_cell_of_the_report_is_traced_by_the_name_of_its_download(finished: Path) -> None:
    page = (finished / "results/report/index.html").read_text(encoding="utf-8")
    assert '"../tables/change_linear.csv"' in page
    shown = pd.read_csv(finished / "results/tables/change_linear.csv")
    found = trace(["change_linear.csv", "scale=colleagues"], places(finished))
    assert found.shown.target == "results/tables/change_linear.csv"
    wanted = shown[(shown["scale"] == "colleagues") & shown["decision"].notna()]
    keys = ["wave", "organisation", "term"]
    rows = found.shown.rows[keys].itertuples(index=False, name=None)
    assert set(rows) == set(wanted[keys].itertuples(index=False, name=None)) != set()
    assert next(step.job.rule for step in found.lineage.steps) == "tables"


def test_a_figure_of_one_wave_s_rows_names_no_other_wave_s_files(finished: Path) -> None:
    found = trace(["figure", "likert_colleagues", "wave=phase2_2008"], places(finished))
    assert {raw.wave for raw in found.lineage.raw} == {"phase2_2008"}
    assert {raw.wave for raw in trace(["figure", "likert_colleagues"], places(finished)).lineage.raw} == {
        "mori_baseline",
        "phase1_2006",
        "phase2_2008",
    }


def test_json_has_all_of_it(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = pd.read_parquet(finished / "results/released/claims.parquet")["page"].iloc[0]
    words = ["claims", f"page={page}", "--directory", str(finished), "--json"]
    assert main(["trace", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["waves"] == ["phase1_2006"]
    assert {one["wave"] for one in found["raw"]} == {"phase1_2006"}
    assert {one["job"] for one in found["jobs"]} >= {"release", "audit", "describe", "ingest(phase1_2006)"}
    assert "resources/published/claims.csv" in found["given"]
    assert all(len(hash_) == 64 for one in found["jobs"] for hash_ in one["code"].values())


# --- pins ---------------------------------------------------------------------------------------------------------


def test_a_number_is_traced_in_a_pin_by_what_the_pin_keeps(
    copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = copy_of("pinned_trace")
    monkeypatch.chdir(study)
    rooms = ("released/*.csv", "figures/*.svg", "figures/*.csv", "tables/*.csv", "report/*.html", "*.yaml")
    results = [
        f"results/{path.relative_to('results')}" for room in rooms for path in Path("results").glob(room)
    ]
    pin(
        Asked(label="one", allow_dirty=True, allow_stale=True, prove=False),
        load_study(Path("config")),
        places(study),
        results=results,
        target="",
        cores=1,
    )
    words = ["contrasts", *CHANGE, "wave=phase2_2008 - phase1_2006"]
    now = to_json(trace(words, places(study)))
    for room in ("statistics", "released", "logs", "pooled"):
        shutil.rmtree(study / "results" / room)
    then = to_json(trace(words, places(study), pin="one"))
    assert then["rows"] == now["rows"]
    key = read_key(study)
    assert key is not None
    assert then["raw"] == [{**raw, "sha256": key.of_file(raw["path"], raw["sha256"])} for raw in now["raw"]]
    assert [one["job"] for one in then["jobs"]] == [one["job"] for one in now["jobs"]]
    assert trace(["figure", "likert_colleagues"], places(study), pin="one").shown.table == "item_frequencies"
    assert trace(["table", "gap_linear"], places(study), pin="one").shown.table == "contrasts"
    with pytest.raises(SurveywavesError, match="a pin holds released tables only"):
        trace(words, places(study), pin="one", unreleased=True)
    with pytest.raises(SurveywavesError, match="no such pin"):
        trace(words, places(study), pin="two")
    path = study / "results/pins/one/released/contrasts.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    with pytest.raises(SurveywavesError, match=r"released/contrasts\.csv: changed since it was pinned"):
        trace(words, places(study), pin="one")


# --- what a user gets for a mistake -------------------------------------------------------------------------------


def test_where_nothing_ran_there_are_no_results_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "contrasts", "--directory", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no results yet" in said and "snakemake" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["contrast"], "contrast: no released table of that name (hint: did you mean `contrasts`?)"),
        (["likert_colleagues"], "surveywaves trace figure likert_colleagues"),
        (["figure", "likert_colleague"], "no figure of that name (hint: did you mean `likert_colleagues`?)"),
        (["table", "session"], "session: no table of that name"),
        (["table", "events"], "nothing to trace: its rows are of no released table"),
        (["scale=colleagues"], "of which table?"),
        (["contrasts", "scael=colleagues"], "no column `scael` (hint: did you mean `scale`?)"),
        (["contrasts", "scale=coleagues"], "no row with scale=coleagues (hint: did you mean `colleagues`?)"),
        (["contrasts", "colleagues"], "colleagues: chooses no row (hint: write column=value"),
        (["contrasts", "term=gap", "term=change"], "chooses another term than term=gap"),
        (
            ["contrasts", "term=gap", "organisation=nhs"],
            "no row with organisation=nhs and term=gap (hint: did you mean `nhs - social_work`?)",
        ),
        (["results/pooled/responses.parquet"], "no number can be found in it"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_what_comes_nearest(
    finished: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["trace", *words, "--directory", str(finished)]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_what_is_no_longer_as_recorded_is_refused_by_name(copy_of: CopyOf) -> None:
    study = copy_of("stale_trace")
    for name in ("results/report/report.pdf", "results/statistics/contrasts.parquet"):
        path = study / name
        trace(["contrasts", *CHANGE], places(study))
        path.write_bytes(path.read_bytes() + b"\0")
    changed = r"^results/statistics/contrasts\.parquet: changed since compare, release ran"
    with pytest.raises(SurveywavesError, match=changed):
        trace(["contrasts", *CHANGE], places(study))
    with pytest.raises(SurveywavesError, match=r"contrasts\.parquet: changed since release ran"):
        trace(
            ["item_frequencies"], places(study)
        )  # what is withheld of it was decided over the contrasts as well


def test_an_edited_release_is_noticed_whichever_of_its_two_files_it_is(copy_of: CopyOf) -> None:
    study = copy_of("edited_trace")
    path = study / "results/released/contrasts.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("colleagues", "kolleagues", 1), encoding="utf-8")
    with pytest.raises(SurveywavesError, match=r"released/contrasts\.csv: changed since release ran"):
        trace(["contrasts"], places(study))
