"""What a person gets who makes a mistake in the configuration: one line a mistake, all of them at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from situations import small_study
from surveywaves.cli import main
from surveywaves.errors import RawFileError, StudyError
from surveywaves.study import load_study

CONFIG = Path(__file__).parent.parent / "config"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shutil.copytree(CONFIG, tmp_path / "config")


def edit(path: Path, pattern: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(pattern, new, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern!r} is not in {path}"
    path.write_text(changed, encoding="utf-8")


def mistakes(config: Path) -> list[str]:
    with pytest.raises(StudyError) as caught:
        load_study(config)
    return str(caught.value).splitlines()


def test_the_shipped_study_is_sound() -> None:
    study = load_study(CONFIG)
    assert len(study.waves) == 3
    assert sum(item.published_table is not None for item in study.items) == 61
    assert [scale.scale for scale in study.scales if len(study.items_of(scale.scale)) < 2] == []


def test_an_unknown_key_is_named_with_the_key_that_was_meant(config: Path) -> None:
    edit(config / "config.yaml", r"^seed:", "sead: 1\nseed:")
    assert mistakes(config) == [f"{config}/config.yaml: sead: unknown key (hint: did you mean `seed`?)"]


def test_an_unknown_wave_is_named(config: Path) -> None:
    edit(config / "config.yaml", r"^waves: *\[", "waves: [phase1_2005, ")
    assert mistakes(config) == [
        f"{config}/config.yaml: waves: unknown wave `phase1_2005`: there is no folder "
        f"{config}/waves/phase1_2005 (hint: did you mean `phase1_2006`?)"
    ]


def test_every_mistake_in_every_file_is_reported_at_once(config: Path) -> None:
    edit(config / "config.yaml", r"^seed: .*$", "seed: -1")
    edit(config / "scales.tsv", r"^colleagues\t", "Upper Case\t")
    (config / "waves/phase1_2006/items.tsv").write_text("")
    edit(config / "waves/phase2_2008/wave.yaml", r"^evidence: .*$", "evidence: guessed")
    lines = mistakes(config)
    assert len(lines) == 4
    assert "config.yaml: seed" in lines[0]
    assert "scales.tsv, row 2: scale: `Upper Case` is not allowed" in lines[1]
    assert "phase1_2006/items.tsv: empty file" in lines[2]
    assert "phase2_2008/wave.yaml: evidence" in lines[3]


def test_a_weighted_study_names_each_wave_without_weights(config: Path) -> None:
    edit(config / "config.yaml", r"^analysis:$", "analysis:\n  weighted: true")
    lines = mistakes(config)
    assert len(lines) == 2  # the first wave has weights
    assert lines[0].endswith(
        "phase1_2006/wave.yaml: layouts.web, paper: no `weight` column, though `analysis.weighted` is true "
        "(hint: name the column of the sampling weights, or weight nothing)"
    )
    edit(config / "config.yaml", r"^  weighted: true$", "  weighted: false")
    load_study(config)
    edit(config / "waves/phase1_2006/wave.yaml", r"^  web:$", "  web:\n    weight: w")
    (line,) = mistakes(config)
    assert "phase1_2006/wave.yaml: layouts.paper: no `weight` column, though others have one" in line


def test_a_population_lies_in_its_range(config: Path) -> None:
    wave = config / "waves/phase1_2006/wave.yaml"
    edit(wave, r"^  approximate: true$", "  approximate: true\n  between: [1300, 1400]")
    (line,) = mistakes(config)
    assert "`between` is the fewest and the most of an approximate size, which lies in it" in line
    edit(wave, r"between: \[1300, 1400\]", "between: [1200, 1300]")
    load_study(config)


def test_a_key_given_twice_is_a_mistake_with_its_line(config: Path) -> None:
    with (config / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("\nseed: 2\n")
    (line,) = mistakes(config)
    assert re.search(r"config\.yaml, line \d+: not valid YAML: the key `seed` stands twice", line)


def test_broken_yaml_is_one_line_with_its_place(config: Path) -> None:
    (config / "waves/mori_baseline/wave.yaml").write_text("title: [unclosed\nperiod: x\n", encoding="utf-8")
    lines = mistakes(config)
    assert len(lines) == 1
    assert re.search(r"mori_baseline/wave\.yaml, line \d+: not valid YAML", lines[0])


@pytest.mark.parametrize("name", ["config.yaml", "items.tsv", "scales.tsv", "waves/phase1_2006/wave.yaml"])
def test_a_missing_file_is_named(config: Path, name: str) -> None:
    (config / name).unlink()
    assert f"{config / name}: no such file" in mistakes(config)


def test_text_in_another_encoding_is_said_to_be_so(config: Path) -> None:
    path = config / "items.tsv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    assert any(
        "items.tsv: not UTF-8 text" in line and "save it as UTF-8" in line for line in mistakes(config)
    )


def test_an_item_without_a_row_in_a_crosswalk_is_named(config: Path) -> None:
    edit(config / "waves/phase1_2006/items.tsv", r"^colleagues_1\t.*\n", "")
    assert mistakes(config)[0] == (
        f"{config}/waves/phase1_2006/items.tsv: item colleagues_1 has no row "
        "(hint: grade it `absent` if the wave did not ask it)"
    )


def test_a_scale_with_one_item_is_refused(config: Path) -> None:
    edit(config / "items.tsv", r"^(past_change_1\t[^\t]*\t\d\t)past_change", r"\1managing_change")
    assert any(
        "scales.tsv: scale past_change: a scale needs two items, this one has 1" in line
        for line in mistakes(config)
    )


def test_missing_raw_files_are_all_named(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RawFileError) as caught:
        load_study(config).require_raw_files()
    lines = str(caught.value).splitlines()
    found = [re.search(r"^demo/raw/(\w+)/.*: no such file; wave (\w+) needs it", line) for line in lines]
    waves = ["mori_baseline", "phase1_2006", "phase1_2006", "phase2_2008"]
    assert [one.groups() for one in found if one] == [(wave, wave) for wave in waves]
    printed = [
        line for line in lines if re.search(r"^resources/published/.*: no such file; the publication", line)
    ]
    coded = [
        line for line in lines if re.search(r"^demo/raw/qualitative/.*; qualitative.yaml needs it", line)
    ]
    assert (len(printed), len(coded)) == (6, 6) and len(lines) == len(waves) + len(printed) + len(coded)


def test_the_check_command_says_what_is_wrong_and_fails(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(config / "config.yaml", r"^seed:", "sead: 1\nseed:")
    assert main(["--config", str(config), "check"]) == 1
    assert "sead: unknown key" in capsys.readouterr().err


def test_a_covariate_that_a_wave_does_not_have_is_refused(config: Path) -> None:
    edit(config / "config.yaml", r"^  covariates: *\[\]", "  covariates: [profession]")
    assert mistakes(config) == [
        f"{config}/waves/mori_baseline/wave.yaml: variables: the models adjust for `profession`, which this wave does "
        "not have: nobody of it could be compared "
        "(hint: drop it from analysis.covariates, or say where the wave holds it)"
    ]


@pytest.mark.parametrize(("labels", "alike"), [
    ("[Never, Often, often, Always]", "`Often` and `often`"),
    ("['<b>No</b>', Perhaps, No, Yes]", "`<b>No</b>` and `No`"),
    ("['1-4', '1–4', '5', '6']", "`1-4` and `1–4`"),
])  # fmt: skip
def test_options_that_a_file_could_not_tell_apart_are_refused(config: Path, labels: str, alike: str) -> None:
    edit(
        config / "config.yaml",
        r"(?s)^  agreement4:.*?^    labels: \[[^\]]*\]",
        f"  agreement4:\n    labels: {labels}",
    )
    (line,) = mistakes(config)
    assert line.startswith(
        f"{config}/config.yaml: response_scales.agreement4.labels: {alike} are the same label"
    )


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "=", "<<", "~", "null", "2:30", "1.0", "01", "n", "-"]
)
def test_a_cell_is_what_is_written_whatever_yaml_makes_of_it(config: Path, word: str) -> None:
    edit(config / "waves/mori_baseline/wave.yaml", r"^    values: *$", f"    values:\n      {word}: skipped")
    found = next(iter(load_study(config).wave("mori_baseline").file.codings.values())).model_dump()
    assert found["values"][word] == "skipped"


@pytest.mark.parametrize(("written", "said"), [
    ("period:", "period: nothing stands here (hint: write it, or take the line out"),
    ("title: *first", "hint: a label that begins with a sign"),
    ("title: [a]", "title: not text: YAML reads it as a list"),
])  # fmt: skip
def test_what_yaml_takes_for_something_else_is_said_in_plain_words(
    config: Path, written: str, said: str
) -> None:
    edit(config / "waves/mori_baseline/wave.yaml", rf"^{written.split(':', maxsplit=1)[0]}:.*$", written)
    assert said in "\n".join(mistakes(config))


# --- routing and constants ----------------------------------------------------------------------------------------

GENDER = {"gender": {"columns": {"table": "Gender"}, "map": {"Woman": "woman", "Man": "man"}}}
FILES = [{"path": f"resources/raw/w1/w{number}.csv", "layout": "table"} for number in (1, 2)]


def told(folder: Path, **wave: Any) -> list[str]:
    """List the mistakes of a small study whose wave has the given keys."""
    small_study(folder, wave=wave)
    start = f"{folder}/config/waves/w1/wave.yaml: "
    return [line.removeprefix(start) for line in mistakes(folder / "config")]


def test_unknown_names_of_a_routing_are_all_told_at_once(tmp_path: Path) -> None:
    one = {
        "sections": [2, 7],
        "items": ["team_helpp"],
        "variables": ["sex"],
        "asked_of": {
            "gendr": ["woman"],
            "tenure": ["y1", "y10"],
            "team_rely": [4, 6],
            "organisation": ["helth"],
        },
    }
    two = {"items": ["team_help"], "filter": {"columns": {"tabel": "x"}, "map": {"Yes": "asked", "No": "no"}}}
    assert told(tmp_path, routing=[one, two]) == [
        "routing.0.items: unknown item `team_helpp` (hint: did you mean `team_help`?)",
        "routing.0.sections: unknown section `7` (hint: known: 1, 2)",
        "routing.0.variables: unknown variable `sex` (hint: known: gender, tenure)",
        "routing.0.asked_of: unknown variable or item `gendr` (hint: did you mean `gender`?)",
        "routing.0.asked_of.tenure: unknown level of tenure `y1` (hint: did you mean `y1_4`?)",
        "routing.0.asked_of.team_rely: unknown value of team_rely `6` (hint: known: 1, 2, 3, 4, 5)",
        "routing.0.asked_of.organisation: unknown surveyed organisation `helth` (hint: did you mean `health`?)",
        "routing.1.filter.columns: unknown layout `tabel` (hint: did you mean `table`?)",
        "routing.1.filter.map: unknown word `no` (hint: did you mean `not_asked`?)",
        "routing.1.filter: layout table has columns for these questions, but none for this one (hint: name its "
        "column; a level that applies to all returns goes under `constants`)",
    ]


def test_a_routing_says_of_what_and_of_whom(tmp_path: Path) -> None:
    asked_of = {"gender": ["woman"]}
    assert told(
        tmp_path, routing=[{"asked_of": asked_of}, {"items": ["team_help"]}, {"items": "team_help"}]
    ) == [
        "routing.0: of what? `items`, `sections` or `variables` are missing",
        "routing.1: who was asked? `asked_of` or `filter` is missing",
        "routing.2.items: not a list: `team_help` (hint: `[team_help]`)",
    ]


def test_what_decides_is_decided_before(tmp_path: Path) -> None:
    routing = [
        {"sections": [2], "asked_of": {"mgr_clear": [1]}},
        {"items": ["team_help"], "asked_of": {"team_rely": [1]}},
        {"items": ["team_rely"], "asked_of": {"gender": ["man"]}},
    ]
    assert told(tmp_path, routing=routing) == [
        f"routing.{place}: who was asked this question must be said earlier (hint: put the entry on this question "
        "before this one)"
        for place in ("0.asked_of.mgr_clear", "1.asked_of.team_rely")
    ]


def test_a_layout_that_cannot_tell_who_was_asked_is_named(tmp_path: Path) -> None:
    routing = [{"sections": [2], "asked_of": {"tenure": ["y10"]}}]
    assert told(tmp_path / "a", routing=routing, variables=GENDER) == [
        "routing.0.asked_of.tenure: layout table has columns for these questions, but none for this one (hint: name "
        "its column; a level that applies to all returns goes under `constants`)"
    ]
    files = [{**FILES[0], "constants": {"tenure": "y10"}}]
    small_study(tmp_path / "b", wave={"routing": routing, "variables": GENDER, "files": files})
    assert load_study(tmp_path / "b/config").wave("w1").file.routing


def test_a_covariate_that_not_everybody_was_asked_is_refused(tmp_path: Path) -> None:
    small_study(tmp_path, wave={"routing": [{"variables": ["gender"], "asked_of": {"tenure": ["y10"]}}]})
    edit(tmp_path / "config/config.yaml", "  min_cell: 5", "  min_cell: 5\n  covariates: [gender]")
    assert mistakes(tmp_path / "config") == [
        f"{tmp_path}/config/waves/w1/wave.yaml: routing: the models adjust for `gender`: respondents who were not "
        "asked it could not be compared (hint: drop it from analysis.covariates)"
    ]


def test_constants_are_known_and_given_once(tmp_path: Path) -> None:
    layout = {
        "format": "table",
        "coding": "agreement",
        "constants": {"gender": "man", "tenure": "y1", "x": "y"},
    }
    files = [{**FILES[0], "constants": {"tenure": "y10", "organisation": "health"}}]
    assert told(tmp_path, variables=GENDER, layouts={"table": layout}, files=files) == [
        "layouts.table.constants: unknown variable `x` (hint: known: organisation, gender, tenure)",
        "layouts.table.constants.gender: always `man`, but column `Gender` gives it as well (hint: drop one of the "
        "two)",
        "layouts.table.constants.tenure: unknown level of tenure `y1` (hint: did you mean `y1_4`?)",
        "files.0.constants.tenure: always `y10`, but `layouts.table.constants` gives it as well (hint: drop one "
        "of the two)",
        "files.0.constants.organisation: always `health`, but column `Where do you work?` gives it as well (hint: "
        "drop one of the two)",
    ]


def test_a_file_whose_organisation_nothing_says_is_named(tmp_path: Path) -> None:
    files = [{**FILES[0], "constants": {"organisation": "health"}}, FILES[1]]
    assert told(tmp_path, files=files, organisation=None) == [
        "organisation: not given for resources/raw/w1/w2.csv (hint: give the wave its `organisation`, or this "
        "file or its layout `constants: {organisation: ...}`)"
    ]


def test_a_level_in_place_of_columns_and_map_is_told_where_it_goes(tmp_path: Path) -> None:
    assert told(tmp_path, variables={**GENDER, "tenure": "y10"}) == [
        "variables.tenure: `y10` stands where lines of `key: value` should (hint: a level that applies to all "
        "returns goes under `constants` of a layout or file)"
    ]
