"""Kinds of bad input: each ends in its named error or in its rows of `problems.tsv`.

Never a traceback of a library, never a row that is gone without a word. The kinds stand in `bad_inputs/refused.py` and
`bad_inputs/taken.py`; `pytest -v` lists them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bad_inputs import listed, raw, read, read_one
from bad_inputs.refused import ANSWERS, REFUSED, ROWS, Refused
from bad_inputs.taken import TAKEN, Taken
from bad_inputs.writers import Write, parquet, spss, stata, xlsx
from surveywaves.errors import RawFileError


def test_there_are_as_many_kinds_as_were_promised() -> None:
    kinds = [one.kind for one in (*REFUSED, *TAKEN)]
    assert len(set(kinds)) == len(kinds) >= 120


@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.kind)
def test_bad_input_ends_in_one_named_line(bad: Refused, tmp_path: Path) -> None:
    path = tmp_path / bad.name
    if bad.write:
        bad.write(path)
    with pytest.raises(RawFileError) as caught:
        read(tmp_path, {bad.name: "only"}, only={"format": "table", **bad.layout})
    (mistake,) = caught.value.mistakes
    line = str(mistake)
    assert mistake.where.startswith((bad.name, "wave autumn"))
    assert "\n" not in line
    assert [part for part in bad.says if part not in line] == [], line


@pytest.mark.parametrize("odd", TAKEN, ids=lambda odd: odd.kind)
def test_odd_input_is_taken_and_accounted_for(odd: Taken, tmp_path: Path) -> None:
    path = tmp_path / odd.name
    odd.write(path)
    before = path.read_bytes()
    found = read_one(path, **odd.layout)
    assert raw(found) == odd.cells
    problems = sorted(listed(found))
    for got, want in zip(problems, sorted(odd.problems), strict=True):
        assert got[:3] == want[:3]
        assert got[3].startswith(want[3])
        assert got[4].startswith(want[4])
    counts = found.counts.iloc[0]
    assert counts["rows_in"] == counts["rows_kept"] + counts["rows_set_aside"]
    assert counts["rows_set_aside"] == odd.aside == sum(p[4].startswith("set aside") for p in problems)
    assert counts["rows_kept"] == len(found.cells)
    assert path.read_bytes() == before


def test_a_name_in_other_letters_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "Export.CSV").write_text(ANSWERS)
    with pytest.raises(RawFileError, match=r"upper and lower case count: the folder has `Export\.CSV`"):
        read_one(tmp_path / "export.csv")


def test_a_name_nearly_right_gets_a_hint(tmp_path: Path) -> None:
    (tmp_path / "returns_2006.csv").write_text(ANSWERS)
    with pytest.raises(RawFileError, match=r"did you mean `returns_2006\.csv`"):
        read_one(tmp_path / "returns2006.csv")


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (PermissionError(13, "Permission denied"), "may not be read"),
        (OSError(5, "Input/output error"), "cannot be opened: Input/output error"),
    ],
)
def test_a_file_that_may_not_be_opened_is_named(
    failure: OSError, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ANSWERS)

    def refuse(*arguments: Any, **options: Any) -> None:
        raise failure

    monkeypatch.setattr(Path, "open", refuse)  # root may open everything
    with pytest.raises(RawFileError, match=says):
        read_one(path)


def test_the_same_file_listed_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ANSWERS)
    with pytest.raises(RawFileError, match=r"a\.csv: is listed 2 times in wave autumn"):
        read(tmp_path, {"a.csv": "t", "./a.csv": "t"}, t={"format": "table"})


def test_the_same_file_under_two_names_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(ANSWERS)
    with pytest.raises(RawFileError, match=r"b\.csv: is the same file as a\.csv, byte for byte"):
        read(tmp_path, {"a.csv": "t", "b.csv": "t"}, t={"format": "table"})


def test_the_same_return_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,q\n1,2\n")
    (tmp_path / "b.csv").write_text("id,q\n2,2\n1,3\n")
    with pytest.raises(RawFileError, match=r"return `1` stands 2 times: row 2, b\.csv row 3"):
        read(tmp_path, {"a.csv": "t", "b.csv": "t"}, t={"format": "table", "respondent": "id"})


def test_all_bad_files_of_a_wave_are_named_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"")
    (tmp_path / "b.csv").write_text("id\n")
    with pytest.raises(RawFileError) as caught:
        read(tmp_path, {"a.csv": "t", "b.csv": "t", "c.csv": "t"}, t={"format": "table"})
    assert [mistake.where for mistake in caught.value.mistakes] == ["a.csv", "b.csv", "c.csv"]


@pytest.mark.parametrize(
    ("name", "write", "layout"),
    [
        ("a.sav", spss({"q1": [1.0, 2.0], "s": ["a", "é"]}, variable_value_labels={"q1": {1: "x"}}), "spss"),
        ("a.zsav", spss({"q1": [1.0, 2.0], "s": ["a", "é"]}, compress=True), "spss"),
        (
            "a.dta",
            stata({"q1": [1.0, 2.0], "s": ["a", "é"]}, variable_value_labels={"q1": {1: "x"}}),
            "stata",
        ),
        ("a.xlsx", xlsx(ROWS), "table"),
        ("a.parquet", parquet({"q1": [1, 2], "s": ["a", "é"]}), "table"),
    ],
)
def test_a_binary_file_cut_off_anywhere_is_refused_or_whole(
    name: str, write: Write, layout: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    whole = path.read_bytes()
    answers = raw(read_one(path, format=layout))
    for end in range(0, len(whole) - 1, max(len(whole) // 60, 1)):
        path.write_bytes(whole[:end])
        try:
            found = read_one(path, format=layout)
        except RawFileError:
            continue
        assert raw(found) == answers
