"""What is said of the raw files and recodings: no value, no row, no small count, and nothing that gives one back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from conftest import REPOSITORY
from counted import counted, keys, random_study
from surveywaves.disclosure import ItemKey, Released, Rule, release
from surveywaves.study import load_study
from surveywaves.study.parts import HarmonisingPart

COLUMNS = ["wave", "file", "row", "column", "value", "problem", "action"]
SECRET = "Mrs Secret, district nurse"


def files(kept: dict[str, int], aside: dict[str, dict[str, int]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Files of the wave `w0`: rows kept; what is wrong with how many rows set aside."""
    counts = pd.DataFrame(
        [
            ("w0", f"/home/somebody/raw/{file}", "web", n + out, n, out)
            for file, n in kept.items()
            for out in [sum(aside.get(file, {}).values())]
        ],
        columns=["wave", "file", "layout", "rows_in", "rows_kept", "rows_set_aside"],
    ).astype("str")
    problems = pd.DataFrame(
        [
            ("w0", f"/home/somebody/raw/{file}", str(row), "*", SECRET, problem, "set aside")
            for file, kinds in aside.items()
            for problem, n in kinds.items()
            for row in range(n)
        ],
        columns=COLUMNS,
        dtype="str",
    )
    return counts, problems


def small_study(seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, ItemKey]]:
    sizes = [{"north": 30, "south": 25, "": 6}]
    return counted(*random_study(seed, sizes), ["q1", "q2"]), keys(["q1", "q2"])


def released(kept: dict[str, int], aside: dict[str, dict[str, int]], **rule: Any) -> Released:
    counts, problems = files(kept, aside)
    tables, instrument = small_study(0)
    return release(
        {**tables, "file_counts": counts, "problems": problems},
        instrument=instrument,
        rule=Rule(**{"rounding": 0, **rule}),
    )


class Stranger:
    """What is shown of the files, read as anybody would: a problem that is named was met at least once."""

    def __init__(self, out: Released, returns: int) -> None:
        self.place: dict[Hashable, int] = {}
        self.rows: list[tuple[dict[int, float], float]] = []
        self.known: dict[int, tuple[float, float]] = {}
        rows = out.tables["file_counts"]
        for row in rows.itertuples():
            for name, n in (("in", row.rows_in), ("kept", row.rows_kept), ("aside", row.rows_set_aside)):
                self.know((name, row.file), n)
            self.total(("in", row.file), [("kept", row.file), ("aside", row.file)])
            kinds = out.tables["problems"].query("file == @row.file and about == 'row'")
            for kind in kinds.itertuples():
                self.know((row.file, kind.problem), kind.n, least=1.0)
            if len(kinds):
                self.total(("aside", row.file), [(row.file, problem) for problem in kinds["problem"]])
        self.know("returns", returns)
        self.total("returns", [("kept", file) for file in rows["file"]])

    def know(self, name: Hashable, value: Any, least: float = 0.0) -> None:
        place = self.place.setdefault(name, len(self.place))
        self.known[place] = (least, np.inf) if pd.isna(value) else (float(value), float(value))

    def total(self, whole: Hashable, parts: list[Hashable]) -> None:
        self.rows.append(({self.place[whole]: -1.0, **{self.place[part]: 1.0 for part in parts}}, 0.0))

    def bound(self, name: Hashable) -> tuple[float, float]:
        matrix = np.zeros((len(self.rows), len(self.place)))
        for line, (terms, _) in zip(matrix, self.rows, strict=True):
            for place, factor in terms.items():
                line[place] = factor
        limits = [self.known[place] for place in range(len(self.place))]
        ends = []
        for sign in (1.0, -1.0):
            goal = np.zeros(len(self.place))
            goal[self.place[name]] = sign
            found = linprog(goal, A_eq=matrix, b_eq=np.zeros(len(matrix)), bounds=limits)
            ends.append(np.inf if found.status == 3 else sign * found.fun)
        return ends[0], ends[1]


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
    attacker = Stranger(out, sum(kept.values()))
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
                "w0",
                raw,
                "7",
                "job",
                SECRET,
                "the keyings differ",
                f"taken from the resolved row: {SECRET}",
            ),
            ("w0", raw, "*", "job", "8", f"2 codes have the label `{SECRET}`", f"read as `{SECRET}`"),
            ("w0", raw, "412", "*", SECRET, "the same return as row 77", "kept"),
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
                "w0",
                "a.csv",
                "7",
                "q1",
                "**",
                "invalid by the coding `codes`",
                "set to missing (`invalid`)",
            ),
            ("w0", "a.csv", "8", "q1", "1 | 2", "the keyings differ", "unresolved: reads as invalid"),
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


@pytest.mark.parametrize("rounding", [0, 5])
def test_rows_kept_do_not_tell_the_size_of_an_organisation_that_a_layout_stands_for(rounding: int) -> None:
    """Everybody in the file of a layout is of an organisation: rows kept are shown as its size is."""
    sizes = [{"north": 52, "south": 3, "east": 31}]
    tables, instrument = counted(*random_study(0, sizes), ["q1"]), keys(["q1"])
    part = next(part for part in shipped_parts() if any(one.constants for one in part.layouts.values()))
    layout = next(name for name, one in part.layouts.items() if one.constants)
    parts = [
        part.model_copy(
            update={
                "wave": "w0",
                "layouts": {
                    "web": part.layouts[layout].model_copy(update={"constants": {"organisation": name}})
                },
            }
        )
        for name in ("south",)
    ]
    counts, problems = files({"south.csv": 3, "rest.csv": 83}, {})
    counts.loc[counts["file"].str.contains("rest"), "layout"] = "other"
    parts[0].layouts["other"] = part.layouts[layout].model_copy(update={"constants": {}})
    given = {**tables, "file_counts": counts, "problems": problems}
    out = release(given, instrument=instrument, rule=Rule(rounding=rounding), parts=parts).tables
    size = out["respondents"].query("variable == 'organisation' and level == 'south'")["n"].iloc[0]
    kept = out["file_counts"].set_index("file").loc["south.csv", "rows_kept"]
    assert pd.isna(kept) if rounding == 0 else kept == size


@pytest.mark.parametrize("seed", range(5))
def test_rounded_rows_add_up_and_name_no_small_number(seed: int) -> None:
    kept = {"a.csv": 52 - seed, "b.csv": 9 + seed}
    out = released(kept, {"b.csv": {"a test": 9, "empty row": 2}}, rounding=5).tables
    rows = out["file_counts"]
    assert (rows["rows_in"] == rows["rows_kept"] + rows["rows_set_aside"]).all()
    assert (rows[["rows_kept", "rows_set_aside"]] % 5 == 0).all(axis=None)
    assert (np.abs(rows["rows_kept"] - pd.Series(list(kept.values()))) < 5).all()
    assert out["problems"]["n"].iloc[1] == 5
    assert out["problems"]["n"].iloc[0] in (5, 10)
    assert rows["rows_set_aside"].tolist() == [0, out["problems"]["n"].sum()]


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
