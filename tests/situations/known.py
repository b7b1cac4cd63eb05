"""A known questionnaire: what the pattern wave said of a file holds where column and cells are what they were."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from situations import (
    AGREE,
    ASKED,
    GROUPS,
    STATEMENTS,
    Columns,
    Situation,
    columns_of,
    rows_of,
    small_study,
    table,
    truth,
    write_csv,
    write_sav,
)

Make = Callable[[Path], pd.DataFrame]

NAMES = {item: f"q4_{place}" for place, item in enumerate(STATEMENTS, start=1)}
PLACES = {name: f"q{place}" for place, name in enumerate(GROUPS, start=1)}
CODES = {name: {level: str(code) for code, level in enumerate(levels, 1)} for name, levels in GROUPS.items()}


def coded(true: pd.DataFrame, words: Sequence[str] = "12345", **first: Sequence[str]) -> Columns:
    """Write returns in bare codes, columns and cells."""
    return columns_of(true, items=NAMES, words=words, groups=PLACES, levels=CODES, **first)


def source(name: str, layout: str) -> dict[str, Any]:
    return {
        "columns": {layout: PLACES[name]},
        "map": {code: level for level, code in CODES[name].items()},
    }


def described(layout: str = "table", values: Sequence[str] = "12345", **keys: Any) -> dict[str, Any]:
    """Describe w1 as a file of bare codes."""
    return {
        "layouts": {layout: {"format": layout, "coding": "codes", **keys}},
        "codings": {
            "codes": {
                "response_scale": "agree5",
                "values": {code: value for value, code in enumerate(values, 1)},
            }
        },
        "organisation": source("organisation", layout),
        "variables": {name: source(name, layout) for name in GROUPS if name != "organisation"},
        "files": [{"path": "resources/raw/w1/w1.csv", "layout": layout}],
    }


def same_codes(folder: Path) -> pd.DataFrame:
    true = truth()
    raw = small_study(folder, file=coded(truth(seed=2)), wave=described())
    write_csv(raw / "export.csv", coded(true))
    return true


def other_codes(folder: Path) -> pd.DataFrame:
    true = truth()
    raw = small_study(folder, file=coded(truth(seed=2)), wave=described())
    write_csv(raw / "export.csv", coded(true, "01234"))
    return true


def turned_codes(folder: Path) -> pd.DataFrame:
    """Let w1 count down, and w2 as well."""
    true = truth()
    raw = small_study(folder, file=coded(truth(seed=2), "54321"), wave=described(values="54321"))
    write_csv(raw / "export.csv", coded(true, "54321"))
    return true


def a_level_more(folder: Path) -> pd.DataFrame:
    """Split the second of four lengths of service: all codes above have moved."""
    true = truth()
    raw = small_study(folder, file=coded(truth(seed=2)), wave=described())
    moved = {"under_1": "1", "y1_4": "2", "y5_9": "4", "y10": "5"}
    cells = coded(true)
    cells["q3"] = [moved[level] for level in true["tenure"]]
    place = list(true["tenure"]).index("y1_4")
    cells["q3"][place] = "3"
    write_csv(raw / "export.csv", cells)
    return true


def tests_among(marks: Sequence[str], **columns: Sequence[str]) -> Make:
    """Put returns among the others that the pattern wave excludes; `columns` stand before all others."""

    def make(folder: Path) -> pd.DataFrame:
        true = truth()
        wave = described(exclude={"Status": {"test": "a trial", "demo": "a trial"}}, ignore=["Status"])
        first = coded(truth(seed=2), Status=["real"] * 24)
        raw = small_study(folder, file=first, wave=wave)
        status = [*marks, *["real"] * (24 - len(marks))]
        write_csv(raw / "export.csv", coded(true, **columns, Status=status))
        return true.iloc[len(marks) :].reset_index(drop=True)

    return make


SCOPE = ["Scotland", "", "England", "Wales", "Scotland"]
SCOPE_ROWS, IN_SCOPE = 2348, 1393


def out_of_scope(folder: Path) -> pd.DataFrame:
    """Write 2,348 returns, 955 of which the pattern wave excludes: those of other countries, and of none."""
    true = truth(SCOPE_ROWS)
    reasons = dict.fromkeys(("England", "Wales", ""), "out of scope")
    wave = described(exclude={"Country": reasons}, ignore=["Country"])
    raw = small_study(folder, file=coded(truth(seed=2), Country=["Scotland"] * 24), wave=wave)
    inside = [place * IN_SCOPE % SCOPE_ROWS < IN_SCOPE for place in range(SCOPE_ROWS)]
    others = ("England", "Wales", "")
    countries = ["Scotland" if here else others[place % 3] for place, here in enumerate(inside)]
    write_csv(raw / "export.csv", coded(true, Country=countries))
    found = true[inside].reset_index(drop=True)
    assert len(found) == IN_SCOPE
    return found


def routed(folder: Path, *, by: str) -> pd.DataFrame:
    """Ask two statements of some only; the pattern wave says of whom, by a variable or by a filter question."""
    asked, others = ["mgr_fair", "mgr_thanks"], {"Do you manage?": ["Yes", "No"] * 12}
    true, before = truth(), truth(seed=2)
    routing: dict[str, Any] = {"items": asked}
    if by == "a variable":
        routing["asked_of"], others = {"gender": ["woman"]}, {}
        away = true["gender"] == "man"
    else:
        answers = {"Yes": "asked", "No": "not_asked"}
        routing["filter"] = {"columns": {"table": "Do you manage?"}, "map": answers}
        away = pd.Series([answer == "No" for answer in others["Do you manage?"]])
    wave = {**described(), "routing": [routing]}
    raw = small_study(folder, file=coded(before, **others), wave=wave)
    cells = coded(true, **others)
    for item in asked:
        cells[NAMES[item]] = ["" if out else cell for cell, out in zip(cells[NAMES[item]], away, strict=True)]
        true.loc[away, item] = "not_asked"
    write_csv(raw / "export.csv", cells)
    return true


def without(cells: Columns, name: str) -> Columns:
    return {column: one for column, one in cells.items() if column != PLACES[name]}


def constant_again(folder: Path) -> pd.DataFrame:
    """Leave gender out, which is a constant, as in the pattern wave."""
    true, before = truth(), truth(seed=2)
    true["gender"] = "woman"
    wave = described(constants={"gender": "woman"})
    del wave["variables"]["gender"]
    raw = small_study(folder, file=without(coded(before), "gender"), wave=wave)
    write_csv(raw / "export.csv", without(coded(true), "gender"))
    return true


def a_file_an_organisation(folder: Path) -> pd.DataFrame:
    """Write one file per organisation, without a column for it."""
    true = truth().sort_values("organisation", kind="stable").reset_index(drop=True)
    raw = small_study(folder, file=coded(truth(seed=2)), wave=described())
    for name, part in true.groupby("organisation"):
        write_csv(raw / f"{name}.csv", without(coded(part), "organisation"))
    return true


def with_a_codebook(folder: Path) -> pd.DataFrame:
    """Write descending codes in columns that the pattern wave did not have, and a list of their meanings."""
    true = truth()
    raw = small_study(folder)
    names = {item: f"v{place}" for place, item in enumerate(STATEMENTS, start=1)}
    write_csv(raw / "export.csv", columns_of(true, items=names, words="54321"))
    rows = [
        [f"{names[item]}", str(6 - value), AGREE[value - 1]] for item in STATEMENTS for value in range(1, 6)
    ]
    write_csv(folder / "codebook.csv", [["column", "code", "label"], *rows])
    write_csv(
        folder / "questions.csv",
        [["column", "wording"], *([names[one], STATEMENTS[one]] for one in STATEMENTS)],
    )
    return true


def header_rows_again(folder: Path) -> pd.DataFrame:
    """Leave out the first identifier, so that the row may be labels; the pattern wave says: two header rows."""
    true, before = truth(4), truth(4, seed=2)

    def rows(some: pd.DataFrame) -> list[list[str]]:
        cells = columns_of(some, RespondentID=["", "8", "9", "10"])
        first = [
            name if place < 4 else "How far do you agree?" if place == 4 else ""
            for place, name in enumerate(cells)
        ]
        second = ["" if place == 0 else "Response" if place < 4 else name for place, name in enumerate(cells)]
        return [first, second, *rows_of(cells, header=False)]

    layout = {"format": "surveymonkey", "coding": "agreement", "header_rows": 2}
    raw = small_study(folder, wave={"layouts": {"table": layout}})
    write_csv(folder / "resources/raw/w1/w1.csv", rows(before))
    write_csv(raw / "export.csv", rows(true))
    return true


def ignored_again(folder: Path) -> pd.DataFrame:
    true = truth()
    other = {"q9": ["1", "2", "3", "4"] * 6}
    raw = small_study(folder, file=coded(truth(seed=2), **other), wave=described(ignore=["q9"]))
    write_csv(raw / "export.csv", coded(true, **other))
    return true


def labelled(folder: Path, true: pd.DataFrame, name: str, labels: Sequence[str] = AGREE) -> Path:
    """Write an SPSS file with labels for variables and values; 9 is `Not answered`."""
    cells = {column: [float(cell) for cell in one] for column, one in coded(true).items()}
    values: dict[str, Any] = {
        column: dict(enumerate(labels, start=1)) | {9: "Not answered"} for column in NAMES.values()
    }
    values |= {PLACES[group]: dict(enumerate(levels.values(), 1)) for group, levels in GROUPS.items()}
    texts = {NAMES[item]: text for item, text in STATEMENTS.items()}
    return write_sav(
        folder / name, cells, labels=texts | {PLACES[one]: ASKED[one] for one in GROUPS}, values=values
    )


def a_labelled_file(labels: Sequence[str] = AGREE) -> Make:
    def make(folder: Path) -> pd.DataFrame:
        true = truth()
        wave = described("spss")
        wave["files"] = [{"path": "resources/raw/w1/w1.sav", "layout": "spss"}]
        wave["codings"]["codes"]["values"]["9"] = "skipped"
        raw = small_study(folder, file=coded(truth(seed=2)), wave=wave)
        labelled(folder / "resources/raw/w1", truth(seed=2), "w1.sav")
        labelled(raw, true, "export.sav", labels)
        if labels != AGREE:
            true[[*STATEMENTS]] = 6 - true[[*STATEMENTS]]
        return true

    return make


GERMAN = ("Stimme gar nicht zu", "Stimme nicht zu", "Weder noch", "Stimme zu", "Stimme voll zu")
CUT = tuple(label[:14].strip() for label in AGREE)
PLUS = ("--", "-", "0", "+", "++")
STARS = ("*", "**", "***", "****", "*****")
FILLED = ("★☆☆☆☆", "★★☆☆☆", "★★★☆☆", "★★★★☆", "★★★★★")


def meant(cells: Sequence[str]) -> dict[str, Any]:
    """Say of each cell what it means, as somebody does who has seen the form."""
    return {
        rf"codings\.\w+\.values\.{re.escape(cell)}": value for value, cell in enumerate(cells, start=1)
    } | {r"items\.\w+\.comparability": "identical"}


STILL = {r"layouts\.table\.coding": "codes"}
"""The columns ask what they asked: the one decision about codes whose file says nothing of them."""

SITUATIONS = [
    Situation(
        "known: the same columns and codes",
        9,
        "bare codes in the columns of the pattern wave",
        same_codes,
        "asked",
        STILL,
        1,
        "if its columns ask what they asked in w1",
    ),
    Situation(
        "known: codes that run down, as before",
        9,
        "1 = strongly agree in both waves",
        turned_codes,
        "asked",
        STILL,
        1,
    ),
    Situation(
        "known: the same columns, counted from 0",
        9,
        "codes 0 to 4 where the pattern wave had 1 to 5",
        other_codes,
        "asked",
        {r"layouts\.table\.coding": "codes_ascending", r"items\.\w+\.comparability": "identical"},
        said="codes_ascending .* or codes_descending",
    ),
    Situation(
        "known: a level more",
        9,
        "five codes for length of service where the pattern wave had four",
        a_level_more,
        "asked",
        STILL
        | {r"variables\.tenure\.map\.1": "under_1", r"variables\.tenure\.map\.[23]": "y1_4"}
        | {
            r"variables\.tenure\.map\.4": "y5_9",
            r"variables\.tenure\.map\.5": "y10",
            r"variables\.tenure\.columns\.table": "q3",
        },
        said="w1 had other codes",
    ),
    Situation(
        "known: test returns",
        9,
        "two returns that the pattern wave excludes",
        tests_among(["test", "demo"]),
        "asked",
        STILL,
        1,
    ),
    Situation(
        "known: test returns in another program",
        9,
        "the same from Google Forms, where the pattern wave was a table",
        tests_among(["test", "demo"], Timestamp=[f"6/{day}/2008 9:00:07" for day in range(1, 25)]),
        "asked",
        STILL | {r"layouts\.\w+\.coding": "codes"},
        1,
    ),
    Situation(
        "known: returns out of scope",
        9,
        "955 of 2,348 returns are of countries, or of none, that the pattern wave excludes",
        out_of_scope,
        "asked",
        STILL,
        1,
    ),
    *(
        Situation(
            f"known: routing by {by}",
            9,
            "two statements were asked of some only, as the pattern wave says",
            partial(routed, by=by),
            "asked",
            STILL,
            1,
        )
        for by in ("a variable", "a filter question")
    ),
    Situation(
        "known: a constant",
        9,
        "no column has the gender, which is the same for everybody in the pattern wave",
        constant_again,
        "asked",
        STILL,
        1,
    ),
    Situation(
        "known: a file an organisation",
        9,
        "two files, one per organisation, and no column for it",
        a_file_an_organisation,
        "asked",
        STILL
        | {r"files\.0\.constants\.organisation": "council", r"files\.1\.constants\.organisation": "health"},
        3,
        "which all returns of this file are of",
    ),
    Situation(
        "known: header rows said before",
        9,
        "four returns, the first without an identifier, below two header rows, as the pattern wave says",
        header_rows_again,
        decisions=0,
    ),
    Situation(
        "hints: a codebook",
        11,
        "bare codes in descending order, a list of their meanings and one of the questions",
        with_a_codebook,
        decisions=0,
    ),
    Situation(
        "known: a column ignored before",
        9,
        "a code column that the pattern wave ignored",
        ignored_again,
        "asked",
        STILL,
        1,
    ),
    Situation(
        "known: a labelled file",
        9,
        "the .sav of the pattern wave, with other returns",
        a_labelled_file(),
        decisions=0,
    ),
    Situation(
        "known: a labelled file that turned round",
        9,
        "the same .sav, its labels the other way round",
        a_labelled_file(AGREE[::-1]),
        "asked",
        {r"codings\.\w+\.values\.9": "skipped"},
    ),
    *(
        Situation(
            f"hints: {name}",
            11,
            f"answers such as {', '.join(f'`{cell}`' for cell in cells[:3])}",
            table(words=cells),
            "asked",
            meant(cells),
            said=r"1 \(Strongly disagree\)|3 \(99\)",
        )
        for name, cells in (
            ("German", GERMAN),
            ("cut off", CUT),
            ("plus and minus", PLUS),
            ("stars", STARS),
            ("filled stars", FILLED),
        )
    ),
]
