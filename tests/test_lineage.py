"""`surveywaves trace`: from any number that is shown back to the raw files, by the records of the run."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

from conftest import REPOSITORY
from dry_runs import dry_run
from surveywaves.cli import main
from surveywaves.errors import SurveywavesError
from surveywaves.key import read_key
from surveywaves.pin.cause import Asked
from surveywaves.pin.lineage import RULES, WORDS_ONLY, lineage, origins, settings, unknown
from surveywaves.pin.making import pin
from surveywaves.pin.manifest import Job, Places, read_records
from surveywaves.pin.trace import Store, Trace, find, to_json, to_lines, trace
from surveywaves.study import load_study
from surveywaves.study.models import Config, CrosswalkRow, Event, Item, Scale, WaveFile
from surveywaves.study.parts import (
    ComparingPart,
    DescribingPart,
    ExportPart,
    HarmonisingPart,
    InstrumentItem,
    MeasuringPart,
    PlanningPart,
    PlanningWords,
    Presentation,
    PrintedCells,
    PublicationPart,
    QualitativePart,
    ReadingPart,
    ReleasingPart,
    SamplePart,
    SensitivityPart,
    SettlingPart,
    WaveWords,
)
from surveywaves.study.qualitative import Code, QualitativeFile, Theme

CopyOf = Callable[[str], Path]
CHANGE = ["analysis=linear", "scale=colleagues", "term=change", "organisation=social_work"]


def places(folder: Path) -> Places:
    return Places(folder, REPOSITORY, folder / "config")


def records(folder: Path) -> list[Job]:
    paths = sorted((folder / "results/logs").rglob("*.log"))
    told = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [Job.model_validate({name: one[name] for name in Job.model_fields if name in one}) for one in told]


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
    assert [one.place for one in described.settings] == ["part.populations.second"]
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


# --- settings and the keys they come from -------------------------------------------------------------------------


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model, and those of its fields, however deep."""
    yield model
    for field in model.model_fields.values():
        for inside in re.findall(r"surveywaves\.[\w.]+", str(field.annotation)):
            module, _, name = inside.rpartition(".")
            found = getattr(__import__(module, fromlist=[name]), name)
            if isinstance(found, type) and issubclass(found, BaseModel) and found is not model:
                yield from models(found)


@pytest.mark.parametrize(
    ("rule", "prefix", "part"),
    [
        ("ingest", "part", ReadingPart),
        ("harmonise", "part", HarmonisingPart),
        ("export", "part", ExportPart),
        ("export", "part.waves.first", WaveWords),
        ("figures", "presentation", Presentation),
        ("report", "presentation.waves.first", WaveWords),
        ("report", "presentation.planning", PlanningWords),
        ("report", "presentation.items.one", Item),
        ("report", "presentation.scales.one", Scale),
        ("codebook", "parts.first", HarmonisingPart),
        ("settle", "part", SettlingPart),
        ("describe", "part", DescribingPart),
        ("measure", "part", MeasuringPart),
        ("compare", "part", ComparingPart),
        ("compare", "part.sample", SamplePart),
        ("compare", "part.instrument.one", InstrumentItem),
        ("plan", "part", PlanningPart),
        ("sensitivity", "part", SensitivityPart),
        ("audit", "part", PublicationPart),
        ("audit", "part.cells.one", PrintedCells),
        ("release", "part", ReleasingPart),
        ("qualitative", "part", QualitativePart),
        ("qualitative", "presentation", Presentation),
    ],
)
def test_every_field_of_what_jobs_are_told_has_an_origin(
    rule: str, prefix: str, part: type[BaseModel]
) -> None:
    one = job(rule, [], [])
    # models with places of their own
    inside = {"presentation.planning", "part.sample", "part.harmonised", "part.comparing"}
    places = [f"{prefix}.{name}" for name in part.model_fields]
    assert [place for place in places if place not in inside and origins(one, place) is None] == []


MODELS: dict[str, type[BaseModel]] = {
    "config/config.yaml": Config,
    "config/items.tsv": Item,
    "config/scales.tsv": Scale,
    "config/events.tsv": Event,
    "wave.yaml": WaveFile,
    "config/qualitative.yaml": QualitativeFile,
    "config/codes.tsv": Code,
    "config/themes.tsv": Theme,
    "waves/items.tsv": CrosswalkRow,
}


def exists(model: type[BaseModel], key: str) -> bool:
    """Whether a model has a key; what stands for a name or all that is below counts as there."""
    head, _, rest = key.partition(".")
    if head in {"", "**"} or head.startswith("<"):
        return True
    if head not in model.model_fields:
        return False
    inside = [one for one in models(model) if one is not model]
    found = re.findall(r"\.(\w+)\b", str(model.model_fields[head].annotation))
    below = [one for one in inside if one.__name__ in found]
    return not rest or not below or any(exists(one, rest.removeprefix("<variable>.")) for one in below)


def test_every_origin_is_a_key_that_the_configuration_has() -> None:
    unknown_keys = []
    for rule, known in RULES.items():
        for place, keys in known.items():
            for origin in keys:
                file, _, key = origin.partition(": ")
                if file in {"config/", "config/events.tsv"} or key in {"**", "columns of the layouts"}:
                    continue
                name = file if file in MODELS else file.rsplit("/", 1)[-1]
                if name == "items.tsv":
                    name = "waves/items.tsv"
                if not exists(MODELS[name], key):
                    unknown_keys.append((rule, place, origin))
    assert unknown_keys == []
    assert not exists(Config, "analysis.no_such_key"), "the check would see a key that is gone"


def test_every_setting_of_every_job_of_the_study_has_an_origin(finished: Path) -> None:
    found = {one.name: list(unknown(one)) for one in records(finished)}
    assert len(found) > 20
    assert {name: places for name, places in found.items() if places} == {}
    values = {
        name: value
        for one in records(finished)
        for place, value in settings(one).items()
        for name in origins(one, place) or ()
    }
    assert values["config/config.yaml: analysis.min_cell"] == 5
    assert values["config/waves/phase1_2006/wave.yaml: population.size"] == 1250


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
    assert found.items == ("colleagues_1",)


def test_a_contrast_is_traced_through_its_stages_to_every_wave(finished: Path) -> None:
    found = trace(["contrasts", *CHANGE, "wave=phase2_2008 - phase1_2006"], places(finished))
    assert len(found.shown.rows) == 1
    rules = [step.job.rule for step in found.lineage.steps]
    assert rules[:2] == ["release", "compare"]
    assert rules.index("pool") < rules.index("harmonise") < rules.index("ingest")
    assert {raw.wave for raw in found.lineage.raw} == {"mori_baseline", "phase1_2006", "phase2_2008"}
    smallest = [
        one
        for step in found.lineage.steps
        for one in step.settings
        if one.keys == ("config/config.yaml: analysis.smallest_effect.standardised",)
    ]
    assert [one.value for one in smallest] == [
        0.2,
        0.2,
    ]  # of the release, which compares items by counts, and of compare
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


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("config.yaml", "standardised: 0.2", "standardised: 0.3", "analysis.smallest_effect.standardised"),
        ("config.yaml", "confidence: 0.95", "confidence: 0.9", "analysis.confidence"),
        ("config.yaml", "threshold: 5", "threshold: 6", "disclosure.threshold"),
        ("config.yaml", "seed: 20060703", "seed: 7", "seed"),
        ("config.yaml", "adjust_for: [profession]", "adjust_for: [mode]", "analysis.sensitivity.adjust_for"),
        ("config.yaml", "returns: 389", "returns: 390", "published.returns"),
        ("waves/phase1_2006/wave.yaml", "size: 1250", "size: 1260", "population.size"),
        (
            "waves/phase2_2008/wave.yaml",
            "duplicates: most_answered",
            "duplicates: first",
            "layouts.web.duplicates",
        ),
        ("waves/phase2_2008/wave.yaml", "mode: web", "mode: paper", "layouts.web.constants.mode"),
    ],
)
def test_editing_a_key_reruns_the_jobs_whose_settings_come_from_it_and_what_follows(
    copy_of: CopyOf, file: str, old: str, new: str, key: str
) -> None:
    study = copy_of(f"key_{key}")
    jobs = records(study)
    wanted = f"config/{file}: {key}"
    everywhere = f"config/waves/*/wave.yaml: {key}"
    told = {
        one.name
        for one in jobs
        for place in settings(one)
        for name in origins(one, place) or ()
        if name in {wanted, everywhere, "config/: everything"} or name.startswith(f"{wanted}.")
    }
    assert len(told) > 1, "some job is told it, besides the one that writes the configuration down"
    path = study / "config" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    run = dry_run(study, code=REPOSITORY)
    shutil.rmtree(study)
    assert run.jobs == dict(Counter(one.rule for one in jobs if one.name in _followed(jobs, told)))


def _followed(jobs: list[Job], first: set[str]) -> set[str]:
    """Jobs, and all that read what they make."""
    found = set(first)
    while True:
        made = {path for one in jobs if one.name in found for path in one.outputs}
        more = {one.name for one in jobs if made & one.inputs.keys()} - found
        if not more:
            return found
        found |= more


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
    with pytest.raises(SurveywavesError, match=r"released/contrasts\.csv: has changed since it was pinned"):
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


def test_only_words_and_looks_are_counted_as_such(finished: Path) -> None:
    # What WORDS_ONLY names is given to the rules that show numbers and describe variables, and to no other.
    told = {one.rule for one in records(finished) for place in settings(one) if place.startswith(WORDS_ONLY)}
    assert told == {"figures", "tables", "qualitative", "report", "codebook"}
    assert read_records(places(finished), ["results/report/index.html"]).missing == ()
