"""Programs and formats: what survey programs export, and what files come as."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyreadstat

from situations import (
    ASKED,
    GROUPS,
    STATEMENTS,
    Situation,
    columns_of,
    rows_of,
    small_study,
    truth,
    write_csv,
    write_xlsx,
)

STEM: Final = "How far do you agree or disagree with each of the following?"
ROWS: Final = 24
Added = dict[str, list[str]]


def _moments(start: str = "2008-06-{day:02} 10:{minute:02}:00") -> list[str]:
    return [start.format(day=1 + place % 28, minute=place) for place in range(ROWS)]


def _each(text: str) -> list[str]:
    return [text.format(place) for place in range(ROWS)]


def _qualtrics() -> Added:
    return {
        "StartDate": _moments(),
        "EndDate": _moments(),
        "Status": ["IP Address"] * ROWS,
        "IPAddress": _each("192.0.2.{}"),
        "Progress": ["100"] * ROWS,
        "Duration (in seconds)": ["300"] * ROWS,
        "Finished": ["True"] * ROWS,
        "RecordedDate": _moments(),
        "ResponseId": _each("R_{:015}"),
        "RecipientLastName": _each("Smith{}"),
        "RecipientFirstName": _each("Anna{}"),
        "RecipientEmail": _each("a{}@example.org"),
        "ExternalReference": [""] * ROWS,
        "LocationLatitude": ["55.8642"] * ROWS,
        "LocationLongitude": ["-4.2518"] * ROWS,
        "DistributionChannel": ["anonymous"] * ROWS,
        "UserLanguage": ["EN"] * ROWS,
    }


ADDED: Mapping[str, Callable[[], Added]] = {
    "qualtrics": _qualtrics,
    "surveymonkey": lambda: {
        "RespondentID": _each("1000{}"),
        "CollectorID": ["9"] * ROWS,
        "StartDate": _moments(),
        "EndDate": _moments(),
        "IP Address": _each("192.0.2.{}"),
        "Email Address": _each("a{}@example.org"),
        "First Name": _each("Anna{}"),
        "Last Name": _each("Smith{}"),
        "Custom Data 1": [""] * ROWS,
    },
    "smartsurvey": lambda: {
        "UserID": _each("51{}"),
        "UserNo": _each("{}"),
        "Name": _each("Anna Smith{}"),
        "Email": _each("a{}@example.org"),
        "IP Address": _each("192.0.2.{}"),
        "Started": _moments(),
        "Ended": _moments(),
        "Tracking Link": ["Web link"] * ROWS,
    },
    "alchemer": lambda: {
        "Response ID": _each("{}"),
        "Time Started": _moments(),
        "Date Submitted": _moments(),
        "Status": ["Complete"] * ROWS,
        "Contact ID": [""] * ROWS,
        "Legacy Comments": [""] * ROWS,
        "Comments": [""] * ROWS,
        "Language": ["English"] * ROWS,
        "Referer": [""] * ROWS,
        "SessionID": _each("15{}_4c8"),
        "User Agent": ["Mozilla/5.0"] * ROWS,
        "Longitude": ["-4.2518"] * ROWS,
        "Latitude": ["55.8642"] * ROWS,
        "Country": ["United Kingdom"] * ROWS,
        "City": ["Glasgow"] * ROWS,
        "State/Region": ["GLG"] * ROWS,
        "Postal": ["G1 1AA"] * ROWS,
        "IP Address": _each("192.0.2.{}"),
    },
    "limesurvey": lambda: {
        "Response ID": _each("{}"),
        "Date submitted": _moments(),
        "Last page": ["2"] * ROWS,
        "Start language": ["en"] * ROWS,
        "Seed": _each("1234567{:02}"),
        "Date started": _moments(),
        "Date last action": _moments(),
        "IP address": _each("192.0.2.{}"),
    },
    "microsoft_forms": lambda: {
        "ID": _each("{}"),
        "Start time": _moments(),
        "Completion time": _moments(),
        "Email": _each("a{}@example.org"),
        "Name": _each("Anna Smith{}"),
    },
    "redcap": lambda: {
        "Record ID": _each("{}"),
        "Survey Identifier": _each("a{}@example.org"),
        "Survey Timestamp": _moments(),
    },
    "google_forms": lambda: {
        "Timestamp": _moments("6/{day}/2008 10:{minute:02}:07"),
        "Email Address": _each("a{}@example.org"),
        "Score": [""] * ROWS,
    },
}
HEADER: Mapping[str, str] = {
    "qualtrics": "{stem} - {text}",
    "surveymonkey": "{stem}|{text}",
    "smartsurvey": "{stem}|{text}",
    "alchemer": "{text}:{stem}",
    "limesurvey": "{stem} [{text}]",
    "microsoft_forms": "{text}\u00a0",
    "redcap": "{text}",
    "google_forms": "{stem} [{text}]",
}
WHO: Final = ("Anna", "Smith", "@example.org", "192.0.2.", "55.8642", "-4.2518")
"""What is of a person in the columns that programs add."""


def export(program: str, true: pd.DataFrame, *, stems: bool = True) -> list[list[str]]:
    """Write returns as a program does, header rows and all."""
    header = HEADER[program] if stems else "{text}"
    columns = columns_of(true, items=lambda _, text: header.format(stem=STEM, text=text), **ADDED[program]())
    columns["Anything else?"] = ["More time, please.\nAnd more staff."] * ROWS
    rows = rows_of(columns)
    if program == "qualtrics":
        own = [name if name in ADDED[program]() else f"Q{place}" for place, name in enumerate(columns)]
        ids = [f'{{"ImportId":"{name}"}}' for name in own]
        return [own, rows[0], ids, *rows[1:]]
    if program in {"surveymonkey", "smartsurvey"} and stems:
        first, second = [], []
        for name in rows[0]:
            question, _, row = name.partition("|")
            first.append("" if question in first and row else question)
            second.append(row or ("" if name in ADDED[program]() else "Response"))
        return [first, second, *rows[1:]]
    return rows


def _exported(folder: Path, program: str, suffix: str, stems: bool) -> pd.DataFrame:
    true = truth(ROWS)
    home, rows = small_study(folder), export(program, true, stems=stems)
    if suffix == "xlsx":
        write_xlsx(home / "export.xlsx", Sheet1=rows)
    else:
        write_csv(home / f"export.{suffix}", rows, delimiter="\t" if suffix == "tsv" else ",")
    return true


def _previews(folder: Path) -> pd.DataFrame:
    """Qualtrics as it was exported before, with a preview of a wave that excluded them."""
    true = truth(ROWS)
    rows = export("qualtrics", true)
    status = rows[0].index("Status")
    for row in (4, 9):
        rows[row][status] = "Survey Preview"
    home = small_study(folder)
    write_csv(home / "export.csv", rows)
    return true.drop(index=[1, 6]).reset_index(drop=True)


def _content(true: pd.DataFrame, *, sep: str = ",", end: str = "\r\n") -> str:
    lines = io.StringIO(newline="")
    csv.writer(lines, delimiter=sep, lineterminator=end).writerows(rows_of(columns_of(true)))
    return lines.getvalue()


def _bytes(folder: Path, name: str, make: Callable[[pd.DataFrame], bytes]) -> pd.DataFrame:
    true = truth(ROWS)
    (small_study(folder) / name).write_bytes(make(true))
    return true


def _bare_quotes(true: pd.DataFrame) -> bytes:
    """Google Sheets writes no quotes around cells, and those within as they stand."""
    said = ['"Great" place to work', 'Need 6" monitors', '"All good"', 'it is "fine"', '"', '""', "fine"]
    columns = columns_of(true)
    columns["Anything else?"] = [said[place % len(said)] for place in range(ROWS)]
    return "\n".join("\t".join(row) for row in rows_of(columns)).encode()


STRICT: Final = {
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "http://purl.oclc.org/ooxml/officeDocument/"
    "relationships",
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
}


def _strict(folder: Path) -> pd.DataFrame:
    """Strict Open XML, as Excel offers it."""
    true = truth(ROWS)
    path = write_xlsx(small_study(folder) / "export.xlsx", Sheet1=columns_of(true))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            for common, strict in STRICT.items():
                content = content.replace(common, strict)  # noqa: PLW2901
            archive.writestr(name, content)
    return true


NAMES: Final = {
    **{name: name[:8] for name in GROUPS},
    **{item: item.replace("_", "")[:8] for item in STATEMENTS},
}


def _statistical(folder: Path, suffix: str, write: Callable[..., None], **options: Any) -> pd.DataFrame:
    """SPSS portable and SAS transport files: variables of eight letters, the question as their label."""
    true = truth(ROWS)
    frame = pd.DataFrame(dict(zip(NAMES.values(), columns_of(true).values(), strict=True)))
    labels = [{**ASKED, **STATEMENTS}[name] for name in NAMES]
    write(frame, small_study(folder) / f"export.{suffix}", column_labels=labels, **options)
    return true


def _sheets(folder: Path, *, names: Mapping[str, str], own: bool) -> pd.DataFrame:
    """A worksheet an organisation; whether a column says it as well."""
    true = truth(ROWS).sort_values("organisation", kind="stable", ascending=False).reset_index(drop=True)
    groups = ASKED if own else {name: ASKED[name] for name in ("gender", "tenure")}
    sheets = {names[level]: columns_of(true[true["organisation"] == level], groups=groups) for level in names}
    write_xlsx(small_study(folder) / "export.xlsx", **sheets)
    return pd.concat([true[true["organisation"] == level] for level in names], ignore_index=True)


def _notes(folder: Path) -> None:
    """A worksheet of notes beside the returns."""
    write_xlsx(
        small_study(folder) / "export.xlsx",
        Returns=columns_of(truth(ROWS)),
        Notes=[["Who", "What"], ["A", "B"]],
    )


def _refused(folder: Path, name: str, content: bytes) -> None:
    (small_study(folder) / name).write_bytes(content)


def _zip(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
REFUSED: Mapping[str, tuple[str, bytes, str]] = {
    "an R data file": ("a.rds", gzip.compress(b"X\n\0\0\0\3\0\4\0\0"), r"write\.csv\(readRDS\("),
    "an Apple Numbers document": ("a.numbers", _zip("Index/Document.iwa"), "export it as Excel"),
    "an old workbook": ("a.xls", _OLE + "Workbook".encode("utf-16-le"), "save it as .xlsx"),
    "a binary workbook": ("a.xlsb", _zip("xl/workbook.bin"), "save it as .xlsx"),
    "an OpenDocument spreadsheet": ("a.ods", _zip("mimetype", "content.xml"), "save it as .xlsx or .csv"),
    "a zip archive": ("a.zip", _zip("export.csv"), "unpack it"),
    "a packed SPSS file": ("a.sav.gz", gzip.compress(b"$FL2" + bytes(200)), "unpack it"),
    "a web page": ("a.csv", b"<!DOCTYPE html><html><body>Log in", "download the export again"),
    "a locked workbook": ("a.xlsx", _OLE + "EncryptedPackage".encode("utf-16-le"), "take the password off"),
    "a PDF": ("a.pdf", b"%PDF-1.4\n", "is a PDF"),
}
TEXTS: Mapping[str, tuple[str, str, Callable[[pd.DataFrame], bytes]]] = {
    "pipes": ("a.txt", "cells separated by |", lambda true: _content(true, sep="|").encode()),
    "semicolons": ("a.csv", "cells separated by ;", lambda true: _content(true, sep=";").encode()),
    "tabs in a .csv": ("a.csv", "cells separated by tabs", lambda true: _content(true, sep="\t").encode()),
    "a hint at the separator": (
        "a.csv",
        "sep=; in the first line",
        lambda true: b"sep=;\r\n" + _content(true, sep=";").encode(),
    ),
    "UTF-16": ("a.csv", "Unicode text of Excel", lambda true: _content(true, sep="\t").encode("utf-16")),
    "UTF-8 with a mark": ("a.csv", "CSV UTF-8 of Excel", lambda true: _content(true).encode("utf-8-sig")),
    "line ends of old Macs": ("a.csv", "rows end with CR", lambda true: _content(true, end="\r").encode()),
    "gzip": ("a.csv.gz", "packed", lambda true: gzip.compress(_content(true).encode())),
    "gzip of tabs": ("a.tsv.gz", "packed", lambda true: gzip.compress(_content(true, sep="\t").encode())),
    "bare quotes": ("a.tsv", "quotes are characters, as Google Sheets writes them", _bare_quotes),
}

NAMED_OTHERWISE: Mapping[str, Any] = {
    r"organisation\.map\.H": "health",
    r"organisation\.map\.C": "council",
    "organisation": {"columns": {"table": "worksheet"}, "map": {"H": "health", "C": "council"}},
}

SITUATIONS = [
    *(
        Situation(
            f"programs: {program}, {suffix}{', statements with their stem' if stems else ''}",
            8,
            f"an export of {program} with names, addresses and dates",
            partial(_exported, program=program, suffix=suffix, stems=stems),
            decisions=0,
        )
        for program in ADDED
        for suffix in ("csv", "xlsx", "tsv")
        for stems in ((True, False) if suffix == "csv" else (True,))
    ),
    Situation(
        "programs: Qualtrics with previews",
        8,
        "two returns are previews of the survey",
        _previews,
        "asked",
        {r"layouts\.\w+\.exclude\.Status\.Survey Preview": "a preview"},
    ),
    *(
        Situation(f"programs: {what}", 8, text, partial(_bytes, name=name, make=make), decisions=0)
        for what, (name, text, make) in TEXTS.items()
    ),
    Situation("programs: strict Open XML", 8, "a workbook saved as strict Open XML", _strict, decisions=0),
    Situation(
        "programs: SPSS portable",
        8,
        "a .por file with labels of variables",
        partial(_statistical, suffix="por", write=pyreadstat.write_por),
        decisions=0,
    ),
    *(
        Situation(
            f"programs: SAS transport, version {version}",
            8,
            "an .xpt file with labels of variables",
            partial(_statistical, suffix="xpt", write=pyreadstat.write_xport, file_format_version=version),
            # Version 5 has forty letters for a label.
            "asked" if version == 5 else "right",
            {r"items\.mgr_clear\.comparability": "identical"} if version == 5 else {},
        )
        for version in (5, 8)
    ),
    *(
        Situation(
            f"programs: a worksheet an organisation, {what}",
            8,
            "worksheets with one header are put under each other",
            partial(_sheets, names=names, own=own),
            outcome,  # type: ignore[arg-type]
            answers,
        )
        for what, names, own, outcome, answers in (
            ("named as it is", {"health": "Health", "council": "Council"}, False, "right", {}),
            ("named otherwise", {"health": "H", "council": "C"}, False, "asked", NAMED_OTHERWISE),
            ("with a column for it", {"health": "Health", "council": "Council"}, True, "right", {}),
        )
    ),
    Situation(
        "programs: a worksheet of notes",
        8,
        "a worksheet with another header beside the returns",
        _notes,
        "refused",
        said="2 worksheets with content: `Returns`, `Notes`",
    ),
    *(
        Situation(
            f"programs: {what}",
            8,
            "what no reader takes",
            partial(_refused, name=name, content=content),
            "refused",
            said=said,
        )
        for what, (name, content, said) in REFUSED.items()
    ),
]
