"""The numbers and words of three studies stay what they were, but for what the changelog names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from conftest import STUDIES
from golden import compare, golden, read, sums_of, tables

CURE = "Meant? `python tests/golden.py write` runs the studies and writes the sums; name the change in CHANGELOG.md."


@pytest.mark.parametrize("study", STUDIES)
def test_every_table_holds_what_it_held(study: str, whole_run: Callable[[str], Path]) -> None:
    expected, found = read(study), golden(whole_run(study) / "results")
    changed = {
        name: "; ".join(differences)
        for name in sorted(expected.keys() & found.keys())
        if (differences := expected[name].differences(found[name]))
    }
    said = [f"changed: {name}: {what}" for name, what in changed.items()]
    said += [f"missing: {name}" for name in sorted(expected.keys() - found.keys())]
    said += [f"new: {name}" for name in sorted(found.keys() - expected.keys())]
    assert not said, "\n".join([f"tables of {study}:", *said, CURE])


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"name": ["a", "b", "c"], "n": [1, 2, 3], "x": [0.25, 1e-5, 4e6], "y": [1.0, None, 0.0]}
    )


@pytest.mark.parametrize(
    ("row", "column", "cell", "what"),
    [
        (0, "name", "A", "text"),
        (1, "n", 4, "text"),
        (1, "x", 1e-5 * (1 + 2e-6), "numbers of x"),
        (2, "x", 4e6 * (1 - 2e-6), "numbers of x"),
        (1, "y", 0.0, "text"),
        (2, "y", None, "text"),
    ],
)
def test_one_cell_that_moves_is_seen(
    table: pd.DataFrame, row: int, column: str, cell: object, what: str
) -> None:
    before = sums_of(table)
    assert before.differences(sums_of(table.copy())) == []
    table.loc[row, column] = cell
    (said,) = before.differences(sums_of(table))
    assert said.startswith(what)


def test_other_rows_order_columns_and_kinds_are_seen_and_last_digits_are_not(table: pd.DataFrame) -> None:
    before = sums_of(table)
    assert before.differences(sums_of(table.assign(x=table["x"] * (1 + 1e-9)))) == []
    exchanged = table.assign(x=[1e-5, 0.25, 4e6])
    for other in (table[:2], table[["name", "x", "n", "y"]], table.astype({"n": "str"}), exchanged):
        assert before.differences(sums_of(other))


def test_two_runs_are_compared_table_by_table(
    table: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, scale in ((one, 1.0), (other, 1 + 1e-6)):
        folder.mkdir()
        table.assign(x=table["x"] * scale).to_csv(folder / "t.csv", index=False)
    assert dict(tables(one))["t.csv"]["x"].tolist() == table["x"].tolist()
    assert compare(one, other, 1e-5) and not compare(one, other, 1e-9)
    assert "t.csv: x: 3 of 3 numbers differ, at most 4 apart, 1e-06 relatively" in capsys.readouterr().out
    table.assign(name="a").to_csv(other / "t.csv", index=False)
    assert not compare(one, other, 1e-5)
    assert "t.csv: name: text -> text, 2 cells differ: row 1: '=b' -> '=a'" in capsys.readouterr().out
