"""Headers: the forms in which programs write the statements of a matrix question."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from situations import (
    AGREE,
    ASKED,
    STATEMENTS,
    Situation,
    columns_of,
    small_study,
    table,
    truth,
    write_csv,
    write_sav,
)

STEM = "How far do you agree or disagree with each of the following?"
SHORT = "How far do you agree"
PLACES = {item: place for place, item in enumerate(STATEMENTS, start=1)}

Form = Callable[[str, str], str]
"""Makes a header of an item's name and its statement."""


def made_name(text: str) -> str:
    """Do to a header what R's `make.names` does."""
    return re.sub(r"[^A-Za-z0-9._]", ".", text)


def snake(text: str) -> str:
    """Do to a header what janitor's `clean_names` does."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower().replace("'", "")).strip("_")


def bare(text: str) -> str:
    return text.rstrip(".")


FORMS: dict[str, tuple[str, Form]] = {
    "the statement": ("the words of the pattern wave", lambda _, t: t),
    "without its full stop": ("statements without the full stop", lambda _, t: bare(t)),
    "capitals": ("statements in capitals", lambda _, t: t.upper()),
    "HTML": ("statements with HTML", lambda _, t: f"<p><b>{t}</b>&nbsp;</p>"),
    "no-break spaces": ("no-break spaces between words", lambda _, t: t.replace(" ", "\u00a0")),
    "in quotes": ("statements in typographic quotes", lambda _, t: f"“{t}”"),
    "required": ("a star for a required question", lambda _, t: f"{t} *"),
    "bracket": ("`stem [statement]`", lambda _, t: f"{STEM} [{t}]"),
    "bracket without a space": ("`stem[statement]`", lambda _, t: f"{STEM}[{t}]"),
    "parentheses": ("`stem (statement)`", lambda _, t: f"{STEM} ({t})"),
    "hyphen": ("`stem - statement`", lambda _, t: f"{STEM} - {t}"),
    "dash": ("`stem – statement`", lambda _, t: f"{STEM} – {t}"),
    "colon": ("`stem: statement`", lambda _, t: f"{SHORT}: {t}"),
    "colon without a space": ("`stem:statement`", lambda _, t: f"{SHORT}:{t}"),
    "question mark": ("`stem? statement`", lambda _, t: f"{STEM} {t}"),
    "full stop": ("`stem.statement`", lambda _, t: f"{SHORT}.{t}"),
    "underscore": ("`stem_statement`", lambda _, t: f"{SHORT}_{t}"),
    "slash": ("`stem / statement`", lambda _, t: f"{SHORT} / {t}"),
    "arrow": ("`stem >> statement`", lambda _, t: f"{SHORT} >> {t}"),
    "bar": ("`stem | statement`", lambda _, t: f"{SHORT} | {t}"),
    "bar without spaces": ("`stem|statement`", lambda _, t: f"{SHORT}|{t}"),
    "line break": ("the stem in a line of its own", lambda _, t: f"{SHORT}\n{t}"),
    "stem without a sign": ("`stem statement`", lambda _, t: f"{SHORT} {t}"),
    "stem behind": ("`statement - stem`", lambda _, t: f"{t} - {STEM}"),
    "stem behind a colon": ("`statement:stem` (Alchemer)", lambda _, t: f"{t}:{STEM}"),
    "stem behind in brackets": ("`statement [stem]`", lambda _, t: f"{t} [{SHORT}]"),
    "R": ("R's `make.names` of the statement", lambda _, t: made_name(t)),
    "R with the stem": ("R's `make.names` of `stem [statement]`", lambda _, t: made_name(f"{STEM} [{t}]")),
    "R with a dash": ("R's `make.names` of `stem - statement`", lambda _, t: made_name(f"{STEM} - {t}")),
    "snake": ("janitor's names", lambda _, t: snake(t)),
    "snake with the stem": ("janitor's names of `stem [statement]`", lambda _, t: snake(f"{STEM} [{t}]")),
    "numbered": ("`4.1 statement`", lambda i, t: f"4.{PLACES[i]} {t}"),
    "numbered by a letter": ("`a) statement`", lambda i, t: f"{'abcdefgh'[PLACES[i] - 1]}) {t}"),
    "a code and a colon": ("`Q4_1: statement`", lambda i, t: f"Q4_{PLACES[i]}: {t}"),
    "a code in brackets": ("`[Q4_1] statement`", lambda i, t: f"[Q4_{PLACES[i]}] {t}"),
    "a code and the stem": ("`Q4_1 - stem - statement`", lambda i, t: f"Q4_{PLACES[i]} - {STEM} - {t}"),
    "LimeSurvey's codes": (
        "`Q4[SQ001]. stem [statement]`",
        lambda i, t: f"Q4[SQ{PLACES[i]:03}]. {STEM} [{t}]",
    ),
    "numbers repaired": ("readr's `statement...12`", lambda i, t: f"{t}...{PLACES[i] + 4}"),
    "a number and the stem": ("`4. stem - statement`", lambda _, t: f"4. {STEM} - {t}"),
    "numbered in the stem": ("`stem [1. statement]`", lambda i, t: f"{STEM} [{PLACES[i]}. {t}]"),
}


def _labelled(form: Form) -> Callable[[Path], pd.DataFrame]:
    """Write an SPSS file whose variables carry a form of the statement as their label."""

    def make(folder: Path) -> pd.DataFrame:
        true = truth()
        words = {value: str(value) for value in range(1, 6)}
        names = {item: f"Q4_{place}" for item, place in PLACES.items()}
        groups = {"organisation": "Q1", "gender": "Q2", "tenure": "Q3"}
        columns = columns_of(true, items=names, words=words, groups=groups)
        found = {
            name: [float(cell) for cell in cells] if name in names.values() else cells
            for name, cells in columns.items()
        }
        labels = {names[item]: form(item, text) for item, text in STATEMENTS.items()}
        labels |= {code: ASKED[name] for name, code in groups.items()}
        options = dict(enumerate(AGREE, start=1))
        write_sav(
            small_study(folder) / "export.sav",
            found,
            labels=labels,
            values=dict.fromkeys(names.values(), options),
        )
        return true

    return make


def one_has_a_stem(_: str, text: str) -> str:
    return f"Thinking of last week, {text}" if text == STATEMENTS["team_rely"] else text


def one_is_cut(_: str, text: str) -> str:
    return text[:40] if text == STATEMENTS["mgr_clear"] else text


def two_matrices(folder: Path) -> pd.DataFrame:
    """Ask the statements twice, under two stems."""
    true = truth()
    columns = columns_of(true, items=lambda _, text: f"Do you agree? [{text}]")
    again = columns_of(truth(seed=5), items=lambda _, text: f"Is it important? [{text}]")
    groups = set(ASKED.values())
    write_csv(
        small_study(folder) / "export.csv",
        columns | {name: cells for name, cells in again.items() if name not in groups},
    )
    return true


def without_one(folder: Path) -> pd.DataFrame:
    """Leave a statement out: nothing in the file is like it."""
    true = truth()
    columns = columns_of(true)
    del columns[STATEMENTS["mgr_thanks"]]
    write_csv(small_study(folder) / "export.csv", columns)
    true["mgr_thanks"] = "not_asked"
    return true


IN_LABELS = ("the statement", "hyphen", "colon", "stem behind", "a code and a colon", "question mark")

SITUATIONS = [
    *(
        Situation(f"headers: {name}", 7, f"headers: {what}", table(items=form), decisions=0)
        for name, (what, form) in FORMS.items()
    ),
    *(
        Situation(
            f"headers: labels of SPSS, {name}",
            7,
            f"a labelled .sav; its variables' labels: {FORMS[name][0]}",
            _labelled(FORMS[name][1]),
            decisions=0,
        )
        for name in IN_LABELS
    ),
    *(
        Situation(
            f"headers: one statement {what}",
            7,
            text,
            table(items=form),
            "asked",
            {rf"items\.{item}\.comparability": "identical"},
            decisions=1,
            said="identical, reworded",
        )
        for what, text, form, item in (
            ("under a stem", "a sentence before one of the statements", one_has_a_stem, "team_rely"),
            ("cut off", "a label that breaks off after 40 letters", one_is_cut, "mgr_clear"),
        )
    ),
    Situation(
        "headers: two matrices of the same statements",
        7,
        "each statement under two stems",
        two_matrices,
        "asked",
        {r"items\.\w+\.comparability": "identical"},
        said="the same words stand twice",
    ),
    Situation("headers: a statement less", 7, "a statement that was not asked", without_one, decisions=0),
]
