"""Numbers for answers: which option each is, block by block, and what else stands among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from situations import (
    AGREE,
    GONE,
    STATEMENTS,
    Outcome,
    Situation,
    columns_of,
    small_study,
    truth,
    write_csv,
    write_xlsx,
)

Cells = Mapping[Any, str]
"""Value, or the reason why there is none -> cell."""

ITEMS = list(STATEMENTS)
FIRST, LAST = ITEMS[:4], ITEMS[4:]


def counted(start: int = 1, step: int = 1, points: int = 5) -> dict[Any, str]:
    """Number the options from the lowest, or with a step of -1 from the highest."""
    codes = [start + place for place in range(points)]
    return {value: str(code) for value, code in enumerate(codes[::step], start=1)}


def _written(
    *blocks: tuple[Sequence[str], Cells],
    points: int = 5,
    only: Mapping[str, Sequence[int]] | None = None,
    w1: bool = False,
    write: Callable[[Path, dict[str, list[str]]], Any] = write_csv,
    name: str = "export.csv",
) -> Callable[[Path], pd.DataFrame]:
    """Write a file of numbers.

    Parameters
    ----------
    blocks
        Items and their cells.
    only
        Item -> the values that occur.
    w1
        Whether w1 has numbers too, 1 to `points`, in columns of the same names.
    """

    def make(folder: Path) -> pd.DataFrame:
        true = truth(48, points=points)
        for item, values in (only or {}).items():
            true[item] = [values[place % len(values)] for place in range(len(true))]
        for items, cells in blocks:
            for place, reason in enumerate(key for key in cells if isinstance(key, str)):
                true.loc[place, list(items)] = reason
        columns = columns_of(true, words={})
        for items, cells in blocks:
            for item in items:
                columns[STATEMENTS[item]] = [cells[value] for value in true[item]]
        labels = AGREE if points == len(AGREE) else [f"Option {'abcdefghijk'[one]}" for one in range(points)]
        wave, file = None, None
        if w1:
            values = {str(code): code for code in range(1, points + 1)}
            scale = f"agree{points}"
            wave = {"codings": {"agreement": {"response_scale": scale, "values": values}}}
            file = columns_of(truth(48, points=points, seed=2), words=list(values))
        write(small_study(folder, labels=labels, wave=wave, file=file) / name, columns)
        return true

    return make


def _way(which: str, beside: str = "") -> dict[str, Any]:
    """Decide which way the numbers run, and take the other coding out."""
    other = {"ascending": "descending", "descending": "ascending"}[which]
    return {
        r"layouts\.table\.coding": re.compile(rf"\b(codes_{which}\w*)"),
        r"items\.\w+\.coding": re.compile(rf"\b(codes_{which}{beside}\w*)"),
        rf"codings\.codes_{other}\w*\.values\..*": GONE,
    }


def _each(cells: Cells) -> dict[str, Any]:
    """Say of each number what it is."""
    return {rf"codings\.\w+\.values\.{re.escape(cell)}": value for value, cell in cells.items()}


UP, DOWN = counted(), counted(step=-1)

FORMS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "1.0": ("numbers with a point", lambda code: f"{code}.0"),
    "1,0": ("numbers with a comma", lambda code: f"{code},0"),
    "01": ("numbers with a zero before", lambda code: f"0{code}"),
    "+1": ("numbers with a plus", lambda code: f"+{code}"),
    "1 %": ("percent", lambda code: f"{code}%"),
    "full width": ("full-width digits", lambda code: chr(ord(code) + 0xFEE0)),
    "Arabic": ("Arabic digits", lambda code: chr(ord("٠") + int(code))),
    "white space": ("blanks around", lambda code: f" {code} "),
}

BESIDE: Mapping[str, tuple[str, str]] = {
    "9": ("9", "skipped"),
    "9.0": ("9.0", "skipped"),
    "99": ("99", "dont_know"),
    "-9": ("-9", "skipped"),
    "a true minus": ("−9", "skipped"),
    "0": ("0", "skipped"),
    "8": ("8", "dont_know"),
    "-1": ("-1", "not_asked"),
    "two ticks": ("4,5", "invalid"),
    "two ticks, semicolon": ("4;5", "invalid"),
    "two ticks, slash": ("4/5", "invalid"),
    "two ticks, blank": ("4 5", "invalid"),
    "two ticks, and": ("4 & 5", "invalid"),
    "three ticks": ("1, 2, 3", "invalid"),
    "two and a half": ("2.5", "invalid"),
    "two and a half, comma": ("2,5", "invalid"),
    "a thousand": ("1,000", "invalid"),
    "an exponent": ("1e400", "invalid"),
    "many digits": ("9" * 30, "invalid"),
    "a word": ("none", "skipped"),
    "<NA>": ("<NA>", "skipped"),
    "a question mark": ("4?", "invalid"),
    "a raised digit": ("4²", "invalid"),
}


def _ways() -> Iterator[Situation]:
    for name, cells, way, what in (
        ("ascending", UP, "ascending", "1 to 5, 1 the lowest"),
        ("descending", DOWN, "descending", "1 to 5, 1 the highest"),
        ("from 0", counted(0), "ascending", "0 to 4, 0 the lowest"),
        ("from 0, descending", counted(0, -1), "descending", "0 to 4, 0 the highest"),
    ):
        yield Situation(f"numbers: {name}", 2, what, _written((ITEMS, cells)), "asked", _way(way), 1)
    for points in (2, 3, 4, 6, 7, 10, 11):
        make = _written((ITEMS, counted(points=points)), points=points)
        yield Situation(f"numbers: 1 to {points}", 2, f"1 to {points}", make, "asked", _way("ascending"), 1)
        make = _written((ITEMS, counted(0, points=points)), points=points)
        yield Situation(
            f"numbers: 0 to {points - 1}", 2, f"0 to {points - 1}", make, "asked", _way("ascending"), 1
        )
    for name, (what, write) in FORMS.items():
        cells = {value: write(code) for value, code in UP.items()}
        yield Situation(f"numbers: {name}", 2, what, _written((ITEMS, cells)), "asked", _way("ascending"), 1)


def _asked_each() -> Iterator[Situation]:
    for name, codes in (
        ("-2 to 2", range(-2, 3)),
        ("tens", range(10, 60, 10)),
        ("quarters", range(0, 125, 25)),
        ("from 101", range(101, 106)),
        ("from 6", range(6, 11)),
        ("odd", range(1, 11, 2)),
    ):
        for way, step in (("", 1), (", descending", -1)):
            cells = {value: str(code) for value, code in enumerate(list(codes)[::step], start=1)}
            what = f"{', '.join(map(str, codes))}"
            yield Situation(
                f"numbers: {name}{way}", 2, what, _written((ITEMS, cells)), "asked", _each(cells), 5
            )
    cells = {value: f"{25 * (value - 1)}%" for value in UP}
    yield Situation(
        "numbers: 0% to 100%", 2, "0% to 100%", _written((ITEMS, cells)), "asked", _each(cells), 5
    )
    cells = {1: "-2", 2: "-1", 4: "1", 5: "2"}
    make = _written((ITEMS, cells), only=dict.fromkeys(ITEMS, (1, 2, 4, 5)))
    yield Situation("numbers: -2 to 2 without 0", 2, "-2, -1, 1, 2", make, "asked", _each(cells), 4)


def _beside() -> Iterator[Situation]:
    for name, (cell, reason) in BESIDE.items():
        answers = {
            rf"codings\.codes_ascending(_from_1)?\.values\.{re.escape(cell)}": reason,
            r"codings\.\w+\.others": reason,
            r"codings\.codes_ascending_from_0\.values\..*": GONE,
            **_way("ascending"),
        }
        kind = 6 if "ticks" in name or "half" in name else 2
        yield Situation(
            f"numbers: among them {name}",
            kind,
            f"1 to 5 and `{cell}`",
            _written((ITEMS, {**UP, reason: cell})),
            "asked",
            answers,
            6,
            said="invalid" if reason == "invalid" else "",
        )


def _blocks() -> Iterator[Situation]:
    two = "1 to 5, then 0 to 4"
    both = _way("ascending", "_from_0")
    yield Situation(
        "numbers: two blocks", 2, two, _written((FIRST, UP), (LAST, counted(0))), "asked", both, 5
    )
    mixed = {**_way("ascending"), r"items\.\w+\.coding": re.compile(r"\b(codes_descending_from_0)")}
    mixed[r"codings\.codes_descending\.values\..*"] = GONE
    make = _written((FIRST, UP), (LAST, counted(0, -1)))
    yield Situation("numbers: two blocks, two ways", 2, f"{two}, 0 the highest", make, "asked", mixed, 5)
    for name, item, values in (
        ("the last of the first", FIRST[-1], (1, 2, 3, 4)),
        ("the first of the second", LAST[0], (2, 3, 4, 5)),
    ):
        make = _written((FIRST, UP), (LAST, counted(0)), only={item: values})
        # The default is the coding of most: of the block that is whole.
        other = 1 if item in FIRST else 0
        answers = {
            r"layouts\.table\.coding": "codes_ascending",
            r"items\.\w+\.coding": f"codes_ascending_from_{other}",
        }
        what = f"{two}; one between them holds 1 to 4 only"
        yield Situation(f"numbers: two blocks, {name} in doubt", 2, what, make, "asked", answers, 6)
    for item in (FIRST[1], LAST[2]):
        make = _written((FIRST, UP), (LAST, counted(0)), only={item: (2, 3, 4)})
        what = f"{two}; one within holds three of them"
        yield Situation(f"numbers: two blocks, few in {item}", 2, what, make, "asked", both, 5)
    few = dict.fromkeys(ITEMS, (1, 2, 3, 4))
    make = _written((ITEMS, UP), only=few)
    yield Situation(
        "numbers: nobody ticked the last", 2, "1 to 4 of 1 to 5", make, "asked",
        {r"layouts\.table\.coding": "codes_ascending_from_1"}, 1,
    )  # fmt: skip
    make = _written((ITEMS, counted(0)), only=few)
    yield Situation(
        "numbers: nobody ticked the last of 0 to 4",
        2,
        "0 to 3 of 0 to 4",
        make,
        "asked",
        _way("ascending"),
        1,
    )
    make = _written((ITEMS, counted(0)), only=dict.fromkeys(ITEMS, (2, 3, 4, 5)))
    yield Situation(
        "numbers: nobody ticked 0", 2, "1 to 4 of 0 to 4", make, "asked",
        {r"layouts\.table\.coding": "codes_ascending_from_0"}, 1,
    )  # fmt: skip


def _before() -> Iterator[Situation]:
    outcomes: Sequence[tuple[str, Cells, Outcome, Mapping[str, Any], int]] = (
        ("the codes of w1", UP, "right", {}, 0),
        ("other codes than w1's", counted(0), "asked", _way("ascending"), 1),
        (
            "a code that w1 did not have",
            {**UP, "skipped": "9"},
            "asked",
            {**_way("ascending"), r"codings\.codes_ascending\.values\.9": "skipped"},
            3,
        ),
    )
    for name, cells, outcome, answers, most in outcomes:
        what = f"w1 has 1 to 5 in these columns, this file {', '.join(cells.values())}"
        yield Situation(
            f"numbers: {name}", 9, what, _written((ITEMS, cells), w1=True), outcome, answers, most
        )
    make = _written((ITEMS, counted(0)), w1=True, only={ITEMS[0]: (2, 3, 4, 5)})
    what = "w1 has 1 to 5; here 0 to 4, and a column without 0"
    yield Situation("numbers: one column as if w1's", 9, what, make, "asked", _way("ascending"), 1)
    for name, form in (
        ("1 - Strongly disagree", "{} - {}"),
        ("(1) Strongly disagree", "({}) {}"),
        ("1=Strongly disagree", "{}={}"),
        ("Strongly disagree (1)", "{1} ({0})"),
    ):
        cells = {value: form.format(value, label) for value, label in enumerate(AGREE, start=1)}
        answers = _each(cells)
        what = f"`{name}` and so on"
        yield Situation(f"numbers: {name}", 2, what, _written((ITEMS, cells)), "asked", answers)


def _sheet(path: Path, columns: dict[str, list[str]]) -> None:
    """Write a worksheet with numbers as numbers."""
    rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    write_xlsx(path, Sheet1=[[int(one) if one.lstrip("-").isdigit() else one for one in row] for row in rows])


def _situations() -> Iterator[Situation]:
    yield from _ways()
    yield from _asked_each()
    yield from _beside()
    yield from _blocks()
    yield from _before()
    make = _written((ITEMS, UP), write=_sheet, name="export.xlsx")
    yield Situation(
        "numbers: of a worksheet", 2, "1 to 5 as numbers of a sheet", make, "asked", _way("ascending"), 1
    )


SITUATIONS = list(_situations())
