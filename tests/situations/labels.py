"""Labels: options and levels that are nearly alike, written in other ways, or no option at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from situations import (
    AGREE,
    ASKED,
    GROUPS,
    STATEMENTS,
    Situation,
    columns_of,
    small_study,
    table,
    truth,
    write_csv,
    write_sav,
)

SCALES: Mapping[str, Sequence[str]] = {
    "the same words in another order": (
        "False",
        "Mostly false",
        "More false than true",
        "More true than false",
        "Mostly true",
        "True",
    ),
    "pluses and minuses": ("--", "-", "0", "+", "++"),
    "one sign at the end": ("C", "C+", "B-", "B", "B+", "A"),
    "less, equal, more": ("< 1 hour", "1 hour", "> 1 hour"),
    "more and at least": ("<=1", "<1", ">1", ">=1"),
    "stars": ("*", "**", "***", "****", "*****"),
    "numbers": ("1", "2", "3", "4", "5", "6", "7"),
    "numbers from 0": tuple(map(str, range(11))),
    "percent": ("0%", "25%", "50%", "75%", "100%"),
    "percent beside numbers": ("5", "5%", "50", "50%"),
    "raised numbers": ("10 m", "10 m2", "10 m²", "10 m³"),
    "ranges": ("<1", "1-4", "14", "5-9", "10+"),
    "in angle brackets": ("<none>", "<some>", "<all>"),
    "faces": ("☹", "😐", "☺"),
    "words of YAML": ("no", "off", "=", "on", "yes", "~"),
    "with and without an accent": ("resume", "resumé", "résumé"),
}

PAIRS: Mapping[str, tuple[str, str]] = {
    "under and over": ("<65", ">=65"),
    "less and more": ("<5", ">5"),
    "a plus": ("Grade A", "Grade A+"),
    "plus and minus": ("Rh -", "Rh +"),
    "languages": ("C++", "C#"),
    "a sharp": ("F", "F#"),
    "a slash": ("A/B", "AB"),
    "percent": ("10", "10%"),
    "a sign before": ("-1", "1"),
    "a zero before": ("01", "1"),
    "a range and a number": ("1-4", "14"),
    "currencies": ("£10", "$10"),
    "a negation sign": ("= 1", "≠ 1"),
    "brackets": ("<NA>", "NA"),
    "yes and no": ("yes", "no"),
    "on and off": ("on", "off"),
    "a time": ("2:30", "150"),
    "signs alone": ("~", "-"),
    "a square": ("m2", "m²"),
    "stars": ("*", "**"),
    "order": ("North of South", "South of North"),
}


def _scale(labels: Sequence[str]) -> Callable[[Path], pd.DataFrame]:
    def make(folder: Path) -> pd.DataFrame:
        true = truth(points=len(labels))
        write_csv(small_study(folder, labels=labels) / "export.csv", columns_of(true, words=labels))
        return true

    return make


def _pair(pair: tuple[str, str], header: str) -> Callable[[Path], pd.DataFrame]:
    def make(folder: Path) -> pd.DataFrame:
        levels = {**GROUPS, "gender": dict(zip(GROUPS["gender"], pair, strict=True))}
        true = truth()
        groups = {"organisation": "Where do you work?", "gender": header, "tenure": "Time in post"}
        write_csv(
            small_study(folder, levels=levels) / "export.csv", columns_of(true, levels=levels, groups=groups)
        )
        return true

    return make


Write = Callable[[str], str]

WAYS: Mapping[str, tuple[str, Write]] = {
    "capitals": ("options in capitals", str.upper),
    "HTML": ("options in bold", lambda text: f"<p><b>{text}</b></p>"),
    "HTML with attributes": (
        "options in a coloured span",
        lambda text: f'<span style="color: red">{text}</span>',
    ),
    "entities": ("`&nbsp;` between words", lambda text: text.replace(" ", "&nbsp;")),
    "no-break spaces": ("no-break spaces between words", lambda text: text.replace(" ", "\u00a0")),
    "white space": ("blanks and tabs around", lambda text: f"  {text.replace(' ', '  ')}\t"),
    "full stops": ("a full stop behind", lambda text: f"{text}."),
    "quotes": ("in typographic quotes", lambda text: f"“{text}”"),
    "zero width": ("a zero-width space inside", lambda text: f"{text[:3]}\u200b{text[3:]}"),
    "full width": (
        "full-width letters",
        lambda text: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    ),
}


def _cells(words: Mapping[Any, str], labels: Sequence[str] = AGREE) -> Callable[[Path], pd.DataFrame]:
    """Write answers whose first values of a statement are others: what is true -> cell."""

    def make(folder: Path) -> pd.DataFrame:
        true = truth(points=len(labels))
        for item in STATEMENTS:
            for place, value in enumerate(key for key in words if isinstance(key, str)):
                true.loc[place, item] = value
        known = {**dict(enumerate(labels, start=1)), **words}
        write_csv(small_study(folder, labels=labels) / "export.csv", columns_of(true, words=known))
        return true

    return make


STRAY = (
    "<Refused>",
    "<NA>",
    "<b>",
    "<br>",
    "&nbsp;",
    "&lt;none&gt;",
    "N/A",
    "#N/A",
    "?",
    ".",
    "NULL",
    "nan",
    "None",
    "=",
    "99",
)
"""Cells that are no option, and none of them empty."""

TICKS = (
    "Agree, Strongly agree",
    "Agree;Strongly agree",
    "Agree / Strongly agree",
    "Agree|Strongly agree",
    "Agree\nStrongly agree",
)

ORDERS: Mapping[str, Mapping[int, str]] = {
    "words in another order": {1: "Disagree strongly", 5: "Agree strongly"},
    "a sign more": {5: "Strongly agree +"},
    "a number more": {4: "Agree 2"},
    "a range beside": {1: "Strongly disagree (<20%)"},
}


def sav(
    words: Mapping[int, str], codes: Mapping[int, float] | None = None, *, w1: bool = False
) -> Callable[[Path], pd.DataFrame]:
    """Write an SPSS file.

    Parameters
    ----------
    words
        What its codes of the statements are labelled.
    codes
        The code of each value, if another.
    w1
        Whether w1 has bare codes, 1 = Strongly disagree, in columns of the same names.
    """

    def make(folder: Path) -> pd.DataFrame:
        true = truth()
        numbers = {name: {level: n for n, level in enumerate(held, start=1)} for name, held in GROUPS.items()}
        data = {name: [float(known[one]) for one in true[name]] for name, known in numbers.items()}
        data |= {item: [float((codes or {}).get(one, one)) for one in true[item]] for item in STATEMENTS}
        called = {
            name: {n: GROUPS[name][level] for level, n in known.items()} for name, known in numbers.items()
        }
        values = called | dict.fromkeys(STATEMENTS, words)
        known = {"agree": {"response_scale": "agree5", "values": {str(one): one for one in range(1, 6)}}}
        layouts = {"table": {"format": "table", "coding": "agree"}}
        file = columns_of(truth(seed=2), items=lambda item, _: item, words="12345") if w1 else None
        wave = {"codings": known, "layouts": layouts} if w1 else None
        write_sav(
            small_study(folder, wave=wave, file=file) / "export.sav",
            data,
            labels={**ASKED, **STATEMENTS},
            values=values,
        )
        return true

    return make


def _situations() -> Iterator[Situation]:
    for name, labels in SCALES.items():
        yield Situation(
            f"labels: options, {name}", 1, f"options {', '.join(labels)}", _scale(labels), decisions=0
        )
    for name, pair in PAIRS.items():
        what = f"levels {pair[0]} and {pair[1]}"
        yield Situation(f"labels: levels, {name}", 1, what, _pair(pair, "Gender"), decisions=0)
        if not any(text.strip("-%:").replace(":", "").replace("-", "").isdecimal() for text in pair):
            what += ", under another header"
            yield Situation(f"labels: levels elsewhere, {name}", 1, what, _pair(pair, "Which is you?"))
    for name, (what, write) in WAYS.items():
        make = table(words=list(map(write, AGREE)))
        yield Situation(f"labels: written in {name}", 1, what, make, decisions=0)
    for name, words in ORDERS.items():
        answers = {rf"codings\.labels\.values\.{re.escape(cell)}": value for value, cell in words.items()}
        yield Situation(
            f"labels: {name}", 1, ", ".join(words.values()), _cells(words), "asked", answers, len(words)
        )
    for cell in STRAY:
        answers = {rf"codings\.labels\.values\.{re.escape(cell)}": "skipped"}
        yield Situation(
            f"labels: no option, {cell}",
            4,
            f"`{cell}` for an answer",
            _cells({"skipped": cell}),
            "asked",
            answers,
            1,
        )
    for cell in TICKS:
        answers = {rf"codings\.labels\.values\.{re.escape(cell)}": "invalid"}
        yield Situation(
            f"labels: two ticks, {' '.join(cell.split())}",
            6,
            "two options in a cell",
            _cells({"invalid": cell}),
            "asked",
            answers,
            1,
            said="invalid",
        )
    up = dict(enumerate(AGREE, start=1))
    yield Situation("labels: SPSS, ascending", 3, "SPSS, 1 = Strongly disagree", sav(up), decisions=0)
    yield Situation(
        "labels: SPSS, descending",
        3,
        "SPSS, 1 = Strongly agree",
        sav({6 - value: label for value, label in up.items()}, {value: 6 - value for value in up}),
        decisions=0,
    )
    for name, way in (("as w1", up), ("against w1", {6 - value: label for value, label in up.items()})):
        yield Situation(
            f"labels: SPSS, labels {name}",
            3,
            f"w1 has bare codes in the same columns; SPSS, 1 = {way[1]}",
            sav(way, None if way is up else {value: 6 - value for value in up}, w1=True),
            decisions=0,
        )
    tens = {10 * value: label for value, label in up.items()}
    yield Situation(
        "labels: SPSS, tens", 3, "SPSS, 10 to 50", sav(tens, {one: 10 * one for one in up}), decisions=0
    )
    told = {r"codings\.codes\.values\.1": 1, r"codings\.codes\.values\.2": 2}
    what = "SPSS, 1 and 2 = Strongly disagree"
    twice = sav({**up, 2: AGREE[0]})
    yield Situation("labels: SPSS, two codes of one label", 3, what, twice, "asked", told, 2, said="alike")
    bare = sav({1: AGREE[0], 5: AGREE[4]})
    yield Situation("labels: SPSS, labels at the ends", 3, "SPSS, 1 and 5 have labels", bare, decisions=0)


SITUATIONS = list(_situations())
