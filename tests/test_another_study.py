"""A survey that has nothing in common with the shipped one runs to its report by configuration alone.

What stands under `tests/studies/everyday_life` and why: its README. Nothing here reads a raw file through the package:
the numbers it is held against come from pandas, pyreadstat, pingouin and least squares.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import yaml
from lxml import html
from scipy.special import stdtrit
from statsmodels.regression.linear_model import OLS

from conftest import everyday_life
from runs import REPOSITORY, Run, snakemake
from surveywaves.cli import main
from surveywaves.errors import StudyError
from surveywaves.study import load_study

STUDY = REPOSITORY / "tests/studies/everyday_life"
RAW = STUDY / "resources/raw"
ITEMS = pd.read_csv(STUDY / "config/items.tsv", sep="\t", dtype="str").set_index("item")
VARIABLES = pd.read_csv(STUDY / "source/dictionary.tsv", sep="\t", dtype="str").set_index("item")
FEELINGS = {"not at all": 1, "somewhat": 2, "moderately so": 3, "very much so": 4}
NUMBERS = ["estimate", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted"]
TIDY = ["means", "contrasts", "item_contrasts", "reliability"]
OF_WHAT_EXISTS = {"contrasts", "item_contrasts"}
"""Tables that list no row for what a wave did not ask, or whom it did not survey."""


# --- the two runs ---------------------------------------------------------------------------------------------


def files_of(repository: Path) -> dict[str, str]:
    return {
        str(path.relative_to(repository)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(repository.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def edit(path: Path, **changes: object) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(content | changes, allow_unicode=True, sort_keys=False), encoding="utf-8")


def of_one_wave(folder: Path) -> Path:
    """Trim the study to part B, with everyone in one organisation: what no wave asks any more stays in items.tsv."""
    everyday_life(folder)
    edit(
        folder / "config/config.yaml",
        waves=["part_b"],
        reference_wave="part_b",
        organisations={"everyone": "Everyone"},
    )
    wave = folder / "config/waves/part_b/wave.yaml"
    layouts = yaml.safe_load(wave.read_text(encoding="utf-8"))["layouts"]
    layouts["tsv"]["ignore"].append("study")
    edit(wave, layouts=layouts, organisation="everyone", organisations_surveyed=["everyone"])
    for other in ("a", "c", "d", "e"):
        shutil.rmtree(folder / f"config/waves/part_{other}")
        shutil.rmtree(folder / f"resources/raw/part_{other}")
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's code and nothing else: no config, no resources, and nobody edits it while the studies run."""
    folder = tmp_path_factory.mktemp("repository")
    for part in ("workflow", "profiles"):
        shutil.copytree(REPOSITORY / part, folder / part)
    for part in ("Snakefile", "environment.yml"):
        shutil.copy2(REPOSITORY / part, folder / part)
    return folder


@pytest.fixture(scope="module")
def before(repository: Path) -> dict[str, str]:
    """The code as it was before anything ran."""
    return files_of(repository)


@pytest.fixture(scope="module")
def run_of_one(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, before: dict[str, str]
) -> Iterator[Future[tuple[Path, Run]]]:
    """One wave of one organisation, run by a copy of the code while the five waves run."""
    folder = of_one_wave(tmp_path_factory.mktemp("another") / "one_wave")
    asked = ("results/report/index.html", "--quiet", "host")
    with ThreadPoolExecutor() as pool:
        yield pool.submit(lambda: (folder, snakemake(folder, *asked, cores=1, code=repository)))


@pytest.fixture(scope="module")
def results(run_of_one: Future[tuple[Path, Run]], whole_run: Callable[[str], Path]) -> Path:
    """The results of the five waves."""
    return whole_run("everyday_life") / "results"


@pytest.fixture(scope="module")
def results_of_one(run_of_one: Future[tuple[Path, Run]]) -> Path:
    """The results of the one wave."""
    folder, run = run_of_one.result()
    assert run.status == 0, run.said
    return folder / "results"


def statistic(results: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(results / f"statistics/{name}.parquet")


def words_of(report: Path) -> str:
    """Everything a reader can see or have read out, pictures' labels and texts included, on one line."""
    page = html.parse(str(report)).getroot()
    for part in page.xpath("//script | //style"):
        part.drop_tree()
    texts = [*page.itertext(), *page.xpath("//@title | //@alt | //@aria-label | //@aria-description")]
    return " ".join(" ".join(texts).split())


# --- the data, read independently -----------------------------------------------------------------------------


def in_order(frame: pd.DataFrame, wave: str, names: dict[str, str]) -> pd.DataFrame:
    """Name columns as the instrument does, and write organisation and gender in the study's words."""
    organisations = {1: "study_1", 2: "study_2", 3: "study_3"}
    organisations |= {f"Study {number}": name for number, name in organisations.items()}
    genders = {1: "man", 2: "woman", "männlich": "man", "weiblich": "woman", "Man": "man", "Woman": "woman"}
    frame = frame.rename(columns=names)
    found = pd.DataFrame({"wave": wave, "organisation": frame["organisation"].map(organisations)})
    found["gender"] = frame["gender"].map(genders)
    for item in ITEMS.index:
        found[item] = frame[item].astype("float64") if item in frame else np.nan
    return found


def in_numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Read words for feelings as numbers."""
    return cells.apply(lambda column: column.str.lower().map(FEELINGS))


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    """Everybody's answers, in the order of the files."""
    feelings = list(ITEMS.index[ITEMS["scale"] == "ease"])
    by_variable = {row["variable"]: item for item, row in VARIABLES.iterrows()}

    a = pd.read_csv(RAW / "part_a/teil_a.csv", sep=";", encoding="cp1252")
    a[feelings] = in_numbers(a[feelings])
    a = in_order(a, "part_a", {"Studie": "organisation", "Geschlecht": "gender", **by_variable})

    b = pd.read_csv(RAW / "part_b/part_b.tsv", sep="\t", na_values={item: ["9"] for item in feelings})
    b = in_order(b, "part_b", {"study": "organisation"})

    panel = pd.read_parquet(RAW / "part_c/panel.parquet")
    panel[feelings] = in_numbers(panel[feelings])
    follow_up, _ = pyreadstat.read_dta(RAW / "part_c/follow_up.dta")
    c = pd.concat([in_order(one, "part_c", {"study": "organisation"}) for one in (panel, follow_up)])

    d, _ = pyreadstat.read_sav(RAW / "part_d/part_d.sav")
    d = d.rename(columns={f"S_{item}": item for item in feelings})
    d[feelings] = 5 - d[feelings]
    d = in_order(d, "part_d", {"study": "organisation", **by_variable})

    e = pd.read_csv(RAW / "part_e/export.csv", header=None, skiprows=2, encoding="cp1252")
    top = pd.read_csv(RAW / "part_e/export.csv", header=None, nrows=2, encoding="cp1252")
    below = top.iloc[1].where(top.iloc[1] != "Response", top.iloc[0])
    e.columns = [str(name) for name in below.fillna(top.iloc[0])]
    by_text = {row["text"]: item for item, row in VARIABLES.iterrows()}
    e = e.rename(columns=by_text | {"Which study are you in?": "organisation", "You are:": "gender"})
    habits = [item for item in by_text.values() if item in e]
    e[habits] = e[habits].apply(lambda column: column.astype("str").str[0].astype("int"))
    e = in_order(e, "part_e", {})
    return pd.concat([a, b, c, d, e], ignore_index=True)


def scored(answers: pd.DataFrame, scale: str, wave: str) -> pd.DataFrame:
    """Answers of one wave to the items of a scale that it asked, keyed, complete ones only."""
    items = ITEMS[ITEMS["scale"] == scale]
    found = answers.loc[answers["wave"] == wave, list(items.index)].dropna(axis=1, how="all").dropna()
    top = {"habit7": 7, "feeling4": 4}
    for item in found:
        if items.loc[item, "keyed"] == "-":
            found[item] = 1 + top[items.loc[item, "response_scale"]] - found[item]
    return found


# --- the study itself -----------------------------------------------------------------------------------------


def test_the_raw_files_hold_everybody_of_the_source_once(answers: pd.DataFrame) -> None:
    people = pd.read_csv(STUDY / "source/people.csv")
    columns = ["study", "gender", *ITEMS.index]
    found = answers.assign(
        study=answers["organisation"].str[-1].astype("int"),
        gender=answers["gender"].map({"man": 1, "woman": 2}),
    )
    assert len(found) == len(people) == 576
    for wave, rows in found.groupby("wave"):
        asked = rows[columns].dropna(axis=1, how="all")
        whole = people[asked.columns].astype("float64").apply(tuple, axis=1)
        assert asked.astype("float64").apply(tuple, axis=1).map(str).isin(whole.map(str)).all(), wave
    asked_by_all = ["study", "gender", *ITEMS.index[ITEMS["scale"].isin(["repairs", "talking"])], "walk_town"]
    one, other = (
        frame[asked_by_all].astype("int").sort_values(asked_by_all, ignore_index=True)
        for frame in (found, people)
    )
    pd.testing.assert_frame_equal(one, other)


def test_the_study_is_small_and_holds_no_code_for_the_workflow() -> None:
    files = [path for path in STUDY.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    assert not [
        path for path in files if path.suffix in {".py", ".smk", ".R"} and path.parent.name != "source"
    ]


def test_check_finds_nothing_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(everyday_life(tmp_path / "study"))
    assert main(["check"]) == 0
    assert "ok: 5 waves, 23 items, 4 scales" in capsys.readouterr().out


def test_a_coding_in_yes_and_no_needs_no_quotes(tmp_path: Path) -> None:
    shutil.copytree(STUDY / "config", tmp_path / "config")
    path = tmp_path / "config/waves/part_a/wave.yaml"
    text = path.read_text(encoding="utf-8")
    words = "{Not at all: 1, Somewhat: 2, Moderately so: 3, Very much so: 4}"
    assert words in text
    path.write_text(text.replace(words, "{No: 1, Rather no: 2, Rather yes: 3, Yes: 4}"), encoding="utf-8")
    found = load_study(tmp_path / "config").wave("part_a").file.codings["feelings"].model_dump()["values"]
    assert found == {"No": 1, "Rather no": 2, "Rather yes": 3, "Yes": 4}


def test_numbers_for_labels_must_stand_in_quotes(tmp_path: Path) -> None:
    shutil.copytree(STUDY / "config", tmp_path / "config")
    path = tmp_path / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    assert '"2", "3"' in text
    path.write_text(text.replace('"2", "3"', '2, "3"', 1), encoding="utf-8")
    with pytest.raises(StudyError, match=r"habit7\.labels\.1: not text: YAML reads it as 2 .*quotes"):
        load_study(tmp_path / "config")


# --- five waves, three organisations --------------------------------------------------------------------------


def test_it_runs_to_its_report(results: Path) -> None:
    assert (results / "report/index.html").stat().st_size > 100_000
    figures = pd.read_csv(results / "figures/captions.tsv", sep="\t")["figure"]
    assert len(figures) > 8
    assert all(
        (results / f"figures/{name}.{kind}").exists() for name in figures for kind in ("svg", "pdf", "png")
    )
    assert not (results / "audit").exists()


def test_every_answer_in_every_format_is_the_one_in_the_raw_file(
    results: Path, answers: pd.DataFrame
) -> None:
    pooled = pd.read_parquet(results / "pooled/responses.parquet")
    assert len(pooled) == len(answers)
    for name in ("wave", "organisation", "gender"):
        assert pooled[name].astype("str").tolist() == answers[name].tolist()
    found = pooled[list(ITEMS.index)].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    np.testing.assert_array_equal(found, answers[list(ITEMS.index)].to_numpy())


@pytest.mark.parametrize(
    ("wave", "organisation", "item"),
    [
        ("part_a", "study_1", "calm"),
        ("part_b", "study_3", "device_trouble"),
        ("part_c", "study_2", "wash_windows"),
        ("part_d", "all", "tense"),
        ("part_e", "study_3", "walk_town"),
    ],
)
def test_counts_means_and_percentages_are_those_of_the_raw_file(
    results: Path, answers: pd.DataFrame, wave: str, organisation: str, item: str
) -> None:
    rows = answers[answers["wave"] == wave]
    given = (rows if organisation == "all" else rows[rows["organisation"] == organisation])[item].dropna()
    here = {"wave": wave, "organisation": organisation, "item": item}
    frequencies = statistic(results, "item_frequencies")
    frequencies = frequencies[(frequencies[list(here)] == pd.Series(here)).all(axis=1)].set_index("response")
    points = 4 if ITEMS.loc[item, "response_scale"] == "feeling4" else 7
    assert frequencies.index.tolist() == list(range(1, points + 1))
    expected = given.value_counts().reindex(frequencies.index, fill_value=0)
    assert frequencies["n"].tolist() == expected.tolist()
    assert set(frequencies["base"]) == {len(given)}
    np.testing.assert_allclose(frequencies["percent"], 100 * expected / len(given), rtol=1e-12)
    summary = statistic(results, "item_summary")
    (row,) = summary[(summary[list(here)] == pd.Series(here)).all(axis=1)].to_dict("records")
    assert row["mean"] == pytest.approx(given.mean(), rel=1e-12)
    assert row["sd"] == pytest.approx(given.std(ddof=1), rel=1e-12)
    favourable = {7: given >= 5, 4: given >= 3}[points]
    if ITEMS.loc[item, "keyed"] == "-":
        favourable = {7: given <= 3, 4: given <= 2}[points]
    assert row["favourable_n"] == favourable.sum()


def test_gaps_and_changes_are_those_of_least_squares_where_nothing_is_missing(
    results: Path, answers: pd.DataFrame
) -> None:
    # With every item answered, a random intercept a respondent is least squares on the respondents' means.
    means = pd.concat([scored(answers, "repairs", wave) for wave in answers["wave"].unique()]).mean(axis=1)
    cell = answers["wave"] + " " + answers["organisation"]
    woman = (answers["gender"] == "woman").astype("float64")
    design = np.column_stack([pd.get_dummies(cell).astype("float64"), woman - woman.mean()])
    names = sorted(cell.unique())
    fit = OLS(means.loc[answers.index].to_numpy(), design).fit(cov_type="HC2")  # of one answer a cluster, CR2
    coefficients, covariance = fit.params, fit.cov_params()

    contrasts = statistic(results, "contrasts").query("scale == 'repairs' and analysis == 'linear'")
    wanted = {
        ("gap", "part_e", "study_1 - study_3"): ("part_e study_1", "part_e study_3"),
        ("gap", "part_a", "study_1 - study_2"): ("part_a study_1", "part_a study_2"),
        ("change", "part_c - part_b", "study_3"): ("part_c study_3", "part_b study_3"),
    }
    for (term, wave, organisation), (first, second) in wanted.items():
        where = f"term == '{term}' and wave == '{wave}' and organisation == '{organisation}'"
        (row,) = contrasts.query(where).to_dict("records")
        vector = np.zeros(design.shape[1])
        vector[[names.index(first), names.index(second)]] = 1, -1
        assert row["estimate"] == pytest.approx(vector @ coefficients, rel=1e-6)
        assert row["std_error"] == pytest.approx(np.sqrt(vector @ covariance @ vector), rel=1e-6)
        members = cell.isin([first, second]).sum()
        assert 0.5 * members < row["df"] < len(answers)


def test_a_wave_that_shares_no_item_has_gaps_of_its_own_and_no_change(results: Path) -> None:
    contrasts = statistic(results, "contrasts").query("scale == 'housework'")
    across = contrasts[contrasts["term"].str.startswith("change") & contrasts["wave"].str.contains("part_c")]
    assert len(across) >= 12
    assert set(across["status"]) == {"not_estimable"}
    assert across[NUMBERS].isna().all(axis=None)
    within = contrasts[(contrasts["term"] == "gap") & (contrasts["wave"] == "part_c")]
    assert set(within["status"]) == {"ok"}
    assert within[["estimate", "conf_low", "conf_high", "p_value"]].notna().all(axis=None)
    others = contrasts[(contrasts["wave"] == "part_e - part_d") & (contrasts["term"] == "change")]
    assert set(others["status"]) == {"ok"}
    # a percentage of favourable answers is over what the wave asked; a mean is over what waves have in common
    means = statistic(results, "means").query("scale == 'housework' and analysis != 'favourable'")
    known = means["status"].isin(["ok", "boundary"])
    assert means.loc[~known, ["estimate", "conf_low", "conf_high"]].isna().all(axis=None)
    assert not known[means["wave"] == "part_c"].any(), "a mean over items that part C was not asked"


def test_a_scale_that_a_wave_did_not_ask_has_no_number_there(results: Path) -> None:
    for name in TIDY:
        rows = statistic(results, name)
        touched = rows[(rows["scale"] == "ease") & rows["wave"].str.contains("part_e")]
        assert touched.empty == (name in OF_WHAT_EXISTS), name
        if touched.empty:
            continue
        assert set(touched["status"]) == {"not_estimable"}, name
        assert touched[[column for column in NUMBERS if column in touched]].isna().all(axis=None), name
        assert touched["note"].ne("").all(), name
    frequencies = statistic(results, "item_frequencies")
    assert not ((frequencies["wave"] == "part_e") & (frequencies["item"] == "calm")).any()


def test_an_organisation_that_a_wave_did_not_survey_has_no_number_there(results: Path) -> None:
    for name in TIDY:
        rows = statistic(results, name)
        touched = rows[rows["wave"].str.contains("part_a") & rows["organisation"].str.contains("study_3")]
        if name in OF_WHAT_EXISTS:
            assert touched.empty, name
            continue
        assert set(touched["status"]) == {"not_estimable"}, name
        assert touched[NUMBERS].isna().all(axis=None), name
    for name in ("item_frequencies", "item_summary", "respondents"):
        rows = statistic(results, name)
        assert not ((rows["wave"] == "part_a") & (rows["organisation"] == "study_3")).any(), name


def test_the_item_outside_the_scales_is_described_and_compared_by_itself_only(results: Path) -> None:
    assert "walk_town" in set(statistic(results, "item_frequencies")["item"])
    by_itself = statistic(results, "item_contrasts").query("item == 'walk_town'")
    assert set(by_itself["scale"]) == {""} and by_itself["estimate"].notna().any()
    for name in TIDY:
        if name == "item_contrasts":
            continue
        assert set(statistic(results, name)["scale"]) == {"housework", "repairs", "talking", "ease"}
        assert "walk_town" not in set(statistic(results, name)["item"])


def test_every_row_of_every_file_is_accounted_for(results: Path, answers: pd.DataFrame) -> None:
    counts = pd.concat(pd.read_csv(path, sep="\t") for path in sorted(results.glob("ingest/*.counts.tsv")))
    assert (counts["rows_in"] == counts["rows_kept"] + counts["rows_set_aside"]).all()
    kept = counts.groupby("wave")["rows_kept"].sum()
    assert kept.to_dict() == answers["wave"].value_counts().to_dict()
    missing = pd.read_parquet(results / "pooled/missing.parquet")
    in_part_d = missing[missing["wave"] == "part_d"]
    assert set(in_part_d["content"].dropna()) == {"skipped"}
    assert (
        in_part_d["content"].notna().sum() == answers.loc[answers["wave"] == "part_d", "content"].isna().sum()
    )
    assert set(in_part_d["cook"]) == {"not_asked"}


def test_the_spss_export_has_the_answers_and_the_labels_of_both_kinds(
    results: Path, answers: pd.DataFrame
) -> None:
    exported, meta = pyreadstat.read_sav(results / "exports/responses.sav")
    np.testing.assert_array_equal(
        exported[list(ITEMS.index)].to_numpy(), answers[list(ITEMS.index)].to_numpy()
    )
    options = {
        name: [code for code in labels if code > 0] for name, labels in meta.variable_value_labels.items()
    }
    assert len(options["calm"]) == 4
    assert len(options["iron"]) == 7
    assert len(options["organisation"]) == 3
    assert meta.column_names_to_labels["tell_partner"] == "Tell your Partner about Problems at Work"


def test_the_report_says_what_each_part_is(results: Path) -> None:
    page = html.parse(str(results / "report/index.html"))
    (data,) = page.xpath("//section[@id='data']")
    said = " ".join(data.text_content().split())
    for part in "ABCD":
        assert re.search(rf"Part {part}\W+simulated", said, re.IGNORECASE), part
    assert not re.search(r"Part .\W+reconstructed", said, re.IGNORECASE)
    assert "two different people" in words_of(results / "report/index.html")
    pooled = pd.read_parquet(results / "pooled/responses.parquet")
    evidence = pooled.groupby("wave")["evidence"].agg(lambda column: "/".join(sorted(set(column))))
    assert evidence.to_dict() == {f"part_{part}": "simulated" for part in "abcd"} | {"part_e": "observed"}
    rows = pd.read_csv(results / "figures/likert_housework.csv")
    assert set(rows.loc[rows["wave"] == "part_e", "evidence"]) == {"observed"}
    assert set(rows.loc[rows["wave"] != "part_e", "evidence"]) == {"simulated"}
    for name in ("likert_housework", "likert_ease"):
        assert "DEMONSTRATION DATA" in (results / f"figures/{name}.svg").read_text(encoding="utf-8")


def test_its_own_choices_are_taken_and_said(results: Path) -> None:
    said = words_of(results / "report/index.html")
    assert "90% interval" in said
    assert not re.search(r"\b95\s?%", said)
    assert "adjusted for gender" in said
    means = statistic(results, "means").query("status == 'ok' and analysis == 'linear'")
    half = (means["conf_high"] - means["conf_low"]) / 2 / means["std_error"]
    np.testing.assert_allclose(half, stdtrit(means["df"], 0.95), rtol=1e-9)


def test_no_word_of_the_shipped_study_is_in_its_results(results: Path) -> None:
    shipped = re.compile(
        r"\bNHS\b|social.work|\bphase\b|\bphase_?[12]|\bCHCP\b|\bMORI\b|glasgow|\btrust\b|hudson|dowling",
        re.IGNORECASE,
    )
    said = {"report": words_of(results / "report/index.html")}
    for path in results.rglob("*"):
        if path.suffix in {".tsv", ".csv", ".yaml"}:
            said[path.name] = path.read_text(encoding="utf-8")
        elif path.suffix == ".parquet":
            frame = pd.read_parquet(path)
            cells = [
                set(frame[name].dropna().astype("str")) for name in frame.select_dtypes(exclude="number")
            ]
            said[path.name] = "\n".join([*frame.columns, *(text for column in cells for text in column)])
        elif path.suffix == ".svg":
            said[path.name] = "\n".join(html.fromstring(path.read_bytes()).itertext())
    assert len(said) > 40
    assert {name: shipped.findall(text) for name, text in said.items() if shipped.search(text)} == {}


# --- one wave, one organisation -------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_runs_and_the_code_stays_as_it_was(
    run_of_one: Future[tuple[Path, Run]], repository: Path, before: dict[str, str]
) -> None:
    assert f"{repository}/profiles/default" in run_of_one.result()[1].said, "it was this copy that ran"
    assert files_of(repository) == before


@pytest.mark.slow
def test_one_wave_of_one_organisation_runs_to_its_report(results_of_one: Path) -> None:
    said = words_of(results_of_one / "report/index.html")
    assert re.search(r"Part B\W+simulated", said, re.IGNORECASE)
    assert re.search(r"(1|one) wave ?, (1|one) organisation", said)
    assert "Part A" not in said
    assert len(statistic(results_of_one, "contrasts")) == 0


@pytest.mark.slow
def test_the_mean_of_one_wave_is_the_mean_of_its_answers(results_of_one: Path, answers: pd.DataFrame) -> None:
    means = statistic(results_of_one, "means").query("analysis == 'linear'").set_index("scale")
    for scale in ("housework", "repairs", "talking"):
        complete = scored(answers, scale, "part_b")
        assert len(complete) == 123
        assert means.loc[scale, "estimate"] == pytest.approx(complete.to_numpy().mean(), rel=1e-9)
    variances = statistic(results_of_one, "variances").query("scale == 'housework' and term == 'n_items'")
    assert set(variances["analysis"]) == {"linear", "ordinal"} and set(variances["estimate"]) == {6}
    assert "cook" in variances["note"].iloc[0]
