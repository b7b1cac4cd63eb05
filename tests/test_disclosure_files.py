"""What is said of the raw files and recodings: no value, no row, no small count, and nothing that gives one back."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from attacker import Attacker, small_study
from conftest import REPOSITORY
from surveywaves.disclosure import ItemKey, Released, Rule, release
from surveywaves.study import load_study
from surveywaves.study.parts import HarmonisingPart

COLUMNS = ["wave", "file", "row", "column", "value", "problem", "action"]
SECRET = "Mrs Secret, district nurse"


def files(kept: dict[str, int], aside: dict[str, dict[str, int]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Files of the wave `wave_0`: rows kept; what is wrong with how many rows set aside."""
    counts = pd.DataFrame(
        [
            ("wave_0", f"/home/somebody/raw/{file}", "web", n + out, n, out)
            for file, n in kept.items()
            for out in [sum(aside.get(file, {}).values())]
        ],
        columns=["wave", "file", "layout", "rows_in", "rows_kept", "rows_set_aside"],
    ).astype("str")
    problems = pd.DataFrame(
        [
            ("wave_0", f"/home/somebody/raw/{file}", str(row), "*", SECRET, problem, "set aside")
            for file, kinds in aside.items()
            for problem, n in kinds.items()
            for row in range(n)
        ],
        columns=COLUMNS,
        dtype="str",
    )
    return counts, problems


def released(kept: dict[str, int], aside: dict[str, dict[str, int]], **rule: Any) -> Released:
    counts, problems = files(kept, aside)
    tables, instrument = small_study(0)
    return release(
        {**tables, "file_counts": counts, "problems": problems}, instrument=instrument, rule=Rule(**rule)
    )


def attack(out: Released) -> Attacker:
    """Read what is shown of the files as anybody would: a problem that is named was met at least once."""
    found = Attacker()
    rows = out.tables["file_counts"]
    for row in rows.itertuples():
        for name, n in (("in", row.rows_in), ("kept", row.rows_kept), ("aside", row.rows_set_aside)):
            found.know((name, row.file), n)
        found.total(("in", row.file), [("kept", row.file), ("aside", row.file)])
        kinds = out.tables["problems"].query("file == @row.file and about == 'row'")
        for kind in kinds.itertuples():
            name = (row.file, kind.problem)
            found.know(name, kind.n)
            found.say({name: 1.0}, 1.0, float("inf"))
        if len(kinds):
            found.total(("aside", row.file), [(row.file, problem) for problem in kinds["problem"]])
    return found


CASES = {
    "one file": ({"a.csv": 50}, {"a.csv": {"empty row": 2}}),
    "few beside many": ({"a.csv": 50}, {"a.csv": {"empty row": 2, "a test": 20}}),
    "few in all": ({"a.csv": 50}, {"a.csv": {"empty row": 1, "a test": 3}}),
    "few and five": ({"a.csv": 50}, {"a.csv": {"empty row": 1, "a test": 4}}),
    "two files": ({"a.csv": 50, "b.csv": 30}, {"a.csv": {"a test": 3}, "b.csv": {"a test": 9}}),
    "few kept": ({"a.csv": 50, "b.csv": 3, "c.csv": 30}, {"b.csv": {"a test": 40}}),
}


@pytest.mark.parametrize(("kept", "aside"), CASES.values(), ids=CASES)
def test_no_small_number_of_rows_follows_from_the_others(
    kept: dict[str, int], aside: dict[str, dict[str, int]]
) -> None:
    out = released(kept, aside)
    attacker = attack(out)
    attacker.total("returns", [("kept", file) for file in kept])
    attacker.know("returns", sum(kept.values()))
    for file, kinds in aside.items():
        for problem, n in kinds.items():
            if n < 5:
                low, high = attacker.bound((file, problem))
                assert low == pytest.approx(1)
                assert high > 5 - 1e-6
    for file, n in kept.items():
        if n < 5:
            low, high = attacker.bound(("kept", file))
            assert low <= 1e-6
            assert high >= 5 - 1e-6


def test_what_is_not_small_is_shown_file_by_file() -> None:
    out = released({"a.csv": 50, "b.csv": 30}, {"b.csv": {"a test": 9, "empty row": 6}})
    shown = out.tables["file_counts"].set_index("file")[["rows_in", "rows_kept", "rows_set_aside"]]
    assert shown.to_numpy().tolist() == [[50, 50, 0], [45, 30, 15]]
    assert out.tables["problems"]["n"].tolist() == [9, 6]


def test_no_value_row_or_folder_is_released() -> None:
    counts, _ = files({"a.csv": 50}, {})
    raw = "/home/somebody/raw/a.csv"
    problems = pd.DataFrame(
        [
            (
                "wave_0",
                raw,
                "7",
                "job",
                SECRET,
                "the keyings differ",
                f"taken from the resolved row: {SECRET}",
            ),
            ("wave_0", raw, "*", "job", "8", f"2 codes have the label `{SECRET}`", f"read as `{SECRET}`"),
            ("wave_0", raw, "412", "*", SECRET, "the same return as row 77", "kept"),
        ],
        columns=COLUMNS,
        dtype="str",
    )
    tables, instrument = small_study(0)
    out = release({**tables, "file_counts": counts, "problems": problems}, instrument=instrument, rule=Rule())
    assert list(out.tables["problems"]) == ["wave", "file", "about", "problem", "action", "n", "status"]
    said = " ".join(
        part
        for name in ("problems", "file_counts")
        for part in out.tables[name].select_dtypes("str").to_numpy().ravel()
    )
    for secret in ("Secret", "nurse", "home", "412", "77"):
        assert secret not in said


def test_cells_that_became_invalid_are_counted_where_they_are_missing_and_nowhere_else() -> None:
    """Their sum over all items, or that there are any, would tell of an item whose number is withheld."""
    counts, _ = files({"a.csv": 50}, {})
    problems = pd.DataFrame(
        [
            (
                "wave_0",
                "a.csv",
                "7",
                "q1",
                "**",
                "invalid by the coding `codes`",
                "set to missing (`invalid`)",
            ),
            ("wave_0", "a.csv", "8", "q1", "1 | 2", "the keyings differ", "unresolved: reads as invalid"),
        ],
        columns=COLUMNS,
        dtype="str",
    )
    tables, instrument = small_study(0)
    out = release({**tables, "file_counts": counts, "problems": problems}, instrument=instrument, rule=Rule())
    assert out.tables["problems"].empty


def shipped_parts() -> list[HarmonisingPart]:
    study = load_study(REPOSITORY / "config")
    return [HarmonisingPart.of(study, wave) for wave in study.waves]


def test_rows_kept_do_not_tell_the_size_of_a_group_that_a_layout_stands_for() -> None:
    """Everybody in the file of a layout belongs to a group; where its size is withheld, the file's rows are."""
    tables, instrument = small_study(0)
    part = next(part for part in shipped_parts() if any(one.constants for one in part.layouts.values()))
    layout = next(name for name, one in part.layouts.items() if one.constants)
    own = {**part.layouts[layout].constants, "job": "piper"}
    part = part.model_copy(
        update={
            "wave": "wave_0",
            "known_variables": ("job", *part.known_variables),
            "layouts": {layout: part.layouts[layout].model_copy(update={"constants": own})},
        }
    )
    people = tables["respondents"].query(
        "wave == 'wave_0' and organisation == 'all' and variable == 'job' and level == 'piper'"
    )
    piper = int(people["n"].iloc[0])
    rest = int(tables["response_rates"]["returns"].iloc[0]) - piper
    counts, problems = files({"piper.csv": max(piper, 1), "rest.csv": rest}, {})
    given = {**tables, "file_counts": counts, "problems": problems}
    out = release(given, instrument=instrument, rule=Rule(threshold=piper + 1), parts=[part])
    assert out.tables["file_counts"]["rows_kept"].isna().all()


def test_rounded_rows_are_multiples_that_add_up() -> None:
    rows = released({"a.csv": 52, "b.csv": 31}, {"b.csv": {"a test": 9}}, rounding=5).tables["file_counts"]
    numbers = rows[["rows_in", "rows_kept", "rows_set_aside"]]
    assert (numbers % 5 == 0).all(axis=None)
    assert (rows["rows_in"] == rows["rows_kept"] + rows["rows_set_aside"]).all()


def test_recodings_are_the_rules_and_do_not_depend_on_anybodys_answers() -> None:
    parts = shipped_parts()
    tables, instrument = small_study(0)
    out = release(tables, instrument=instrument, rule=Rule(), parts=parts).tables["recodings"]
    assert list(out) == ["wave", "layout", "column", "variable", "raw", "value"]
    other, key = small_study(1)
    pd.testing.assert_frame_equal(
        out, release(other, instrument=key, rule=Rule(), parts=parts).tables["recodings"]
    )
    for part in parts:
        asked = {(layout, row.item) for row in part.crosswalk for layout in row.columns}
        shown = out[out["wave"] == part.wave]
        items = set(zip(shown["layout"], shown["variable"].str.removesuffix("_rescaled"), strict=True))
        assert asked <= items
    assert isinstance(next(iter(instrument.values())), ItemKey)
