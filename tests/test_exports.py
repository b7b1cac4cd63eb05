"""Exports: what is written reads back the same, and says what it is worth."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import os
import re
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from surveywaves.errors import SurveywavesError
from surveywaves.exports import dataset as wording
from surveywaves.exports.dataset import Dataset, Variable, dataset
from surveywaves.exports.ddi import to_ddi
from surveywaves.exports.separated import codebook_csv, to_csv
from surveywaves.exports.spss import SPSS_RESERVED, STATA_RESERVED, names_for, to_sav
from surveywaves.exports.stata import Column, to_dta, write_dta
from surveywaves.files import harmless, write_bytes
from surveywaves.pool import codebook
from surveywaves.study.models import Coding, CrosswalkRow, FigureStyle, Item, Layout
from surveywaves.study.parts import ExportPart, HarmonisingPart, Presentation
from surveywaves.terms import Missing

REPOSITORY = Path(__file__).parent.parent
SCHEMA = REPOSITORY / "workflow/schemas/ddi-codebook-2.5-subset.xsd"
PUBLISHED_SCHEMA = "DDI_CODEBOOK_XSD"
"""Environment variable with the path of the DDI Alliance's own codebook.xsd, for whoever has it."""

REASONS = [reason.value for reason in Missing]
LONG_NAME = "a" * 29
STATEMENTS = {
    "q4": "I’d say “yes” — 'always', \"always\" & <ever>; 100 %",
    "q5": "Trust 👩‍⚕️🏴󠁧󠁢󠁳󠁣󠁴󠁿 é\u0301 " + "sehr lange Aussage mit Ümläuten 😀 " * 12,
    "q7": "First line\n\tsecond line\x0b\x00 third",
    "with": '=HYPERLINK("http://example.org")',
    "all": "אני סומך על עמיתיי — \u202babc\u202c",
    LONG_NAME: "+1 of each",
}
POINTS = {"q4": 4, "q5": 5, "q7": 7, "with": 5, "all": 5, LONG_NAME: 5}
ORGANISATIONS = {"city": "City “Council” 🏛️", "health": "-Health; & <Care>=1", "third": "L" * 300}
TEAMS = {f"team_{number}": f"Team {number}" for number in range(1, 151)}
RESCALED = f"{LONG_NAME}_rescaled"


def response_scale(points: int) -> dict[str, Any]:
    labels = [
        f"{'@' if value == 1 else ''}Option {value}; of {points} = 😀" for value in range(1, points + 1)
    ]
    return {"labels": labels, "short": labels, "favourable": [points]}


def presentation(**changes: Any) -> Presentation:
    def wave(title: str, evidence: str, **more: Any) -> dict[str, Any]:
        known = {
            "title": title,
            "period": "",
            "start": None,
            "end": None,
            "population": {},
            "evidence": evidence,
            "evidence_note": "",
            "variable_evidence": {},
            "organisations_surveyed": ["city", "health"],
            "comparability": dict.fromkeys(STATEMENTS, "identical"),
        }
        return known | more

    given = {
        "title": "A study <of> “staff” & 😀 " + "with a title that goes on " * 5,
        "description": "What was\nasked.",
        "reference_wave": "w1",
        "waves": {
            "w1": wave(
                "Wave 1",
                "observed",
                period="May 2006",
                start=dt.date(2006, 5, 1),
                end=dt.date(2006, 6, 30),
                population={"size": 1250, "approximate": True, "note": "No contractors."},
                variable_evidence={"team": {"evidence": "reconstructed", "note": "Teams are made up."}},
            ),
            "w2": wave(
                "Wave 2",
                "simulated",
                evidence_note="Has not arrived.",
                comparability={"q4": "identical", "q5": "reworded", LONG_NAME: "rescaled"},
            ),
        },
        "organisations": ORGANISATIONS,
        "variables": {
            "mode": {"label": "How answered", "levels": {"web": "Web", "paper": "Paper"}},
            "team": {"label": "Team", "levels": TEAMS},
        },
        "sections": {1: "First & foremost", 2: "Empty"},
        "scales": {"trust": {"scale": "trust", "title": "Trust <us>", "source": "Someone (1999)"}},
        "items": {
            name: Item(
                item=name,
                text=text,
                section=1,
                scale="trust" if name in {"q5", LONG_NAME} else None,
                keyed="-" if name == LONG_NAME else "+",
                response_scale=f"points{POINTS[name]}",
            )
            for name, text in STATEMENTS.items()
        },
        "response_scales": {f"points{points}": response_scale(points) for points in (4, 5, 7)},
        "events": [],
        "citation": "Someone (2007). “A report” & more.",
        "frameworks": {},
        "confidence": 0.95,
        "covariates": [],
        "min_cell": 5,
        "style": FigureStyle(),
    }
    return Presentation.model_validate(given | changes)


def rescaled_part() -> HarmonisingPart:
    """Wave 2, as it asks one item on four points."""
    coding = Coding(response_scale="points4", values={str(value): value for value in range(1, 5)})
    return HarmonisingPart(
        wave="w2",
        evidence="simulated",
        layouts={"csv": Layout(format="table", coding="four")},
        codings={"four": coding},
        crosswalk=(CrosswalkRow(item=LONG_NAME, columns={"csv": "x"}, comparability="rescaled"),),
        organisation="city",
        variables={},
        known_variables=("mode", "team"),
        items={name: f"points{points}" for name, points in POINTS.items()},
    )


def pooled(first: int = 130, second: int = 60) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Two waves in which every column has every value and every reason; wave 1 was not asked what was rescaled."""
    rows = first + second
    wave = np.array(["w1"] * first + ["w2"] * second, dtype=object)
    number = np.arange(rows)
    responses = pd.DataFrame(
        {
            "wave": pd.array(wave, dtype="str"),
            "respondent": pd.array(
                [f"{name}-{place:06d}" for place, name in enumerate(wave, 1)], dtype="str"
            ),
            "evidence": pd.array(np.where(wave == "w1", "observed", "simulated"), dtype="str"),
        }
    )
    missing = responses[["wave", "respondent"]].copy()

    def add(name: str, levels: list[Any], dtype: str, *, asked: Any = True) -> None:
        state = (number + len(missing.columns)) % (len(levels) + len(REASONS))
        reasons = pd.Series(np.array([None] * len(levels) + REASONS, dtype=object)[state])
        reasons[~(np.ones(rows, dtype=bool) & asked)] = "not_asked"
        values = pd.Series(np.array([*levels, *[None] * len(REASONS)], dtype=object)[state])
        responses[name] = values.where(reasons.isna(), None).astype(dtype)
        missing[name] = reasons.astype(pd.CategoricalDtype(REASONS))

    for name, levels in {
        "organisation": ORGANISATIONS,
        "mode": {"web": "", "paper": ""},
        "team": TEAMS,
    }.items():
        add(name, list(levels), "str")
    responses["complete"] = (missing.iloc[:, 2:] != "broke_off").all(axis=1)
    responses["weight"] = 0.1 + number / 7
    for name, points in POINTS.items():
        add(name, list(range(1, points + 1)), "Int8")
    add(RESCALED, [1, 2, 3, 4], "Int8", asked=wave == "w2")
    return responses, missing, codebook(presentation(), parts=[rescaled_part()])


RESPONSES, MISSING, CODEBOOK = pooled()
CAN_BE_MISSING = list(MISSING.columns[2:])


def make(
    responses: pd.DataFrame = RESPONSES,
    missing: pd.DataFrame = MISSING,
    book: pd.DataFrame = CODEBOOK,
    **changes: Any,
) -> Dataset:
    return dataset(responses, missing, book, part=ExportPart.of(presentation(**changes)))


def whole_csv(data: Dataset) -> bytes:
    return b"".join(to_csv(data))


DATA = make()
SAV, DTA, CSV, BOOK, DDI = to_sav(DATA), to_dta(DATA), whole_csv(DATA), codebook_csv(DATA), to_ddi(DATA)
WRITERS: list[Callable[[Dataset], bytes]] = [to_sav, to_dta, whole_csv, codebook_csv, to_ddi]


def at(folder: Path, content: bytes, name: str) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def expected(variable: Variable) -> tuple[list[Any], list[str | None]]:
    """What a variable holds, from the pooled data themselves: code or None, reason or None."""
    column = RESPONSES[variable.name]
    held = dict(zip(variable.levels, variable.codes, strict=True)) if variable.levels else None
    codes = [None if pd.isna(value) else held[value] if held else int(value) for value in column]
    reasons = MISSING[variable.name].astype(object).tolist() if variable.missing else [None] * len(column)
    return codes, [None if pd.isna(reason) else reason for reason in reasons]


CODED = [variable for variable in DATA.variables if variable.codes]


def in_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_test_data_hold_every_reason_in_every_column() -> None:
    assert len(CAN_BE_MISSING) == 3 + len(POINTS) + 1
    for name in CAN_BE_MISSING:
        assert set(MISSING[name].dropna()) == set(REASONS), name
    assert set(MISSING[RESCALED][:110]) == {"not_asked"}


# --- SPSS -------------------------------------------------------------------------------------------------------


def test_spss_reads_back_equal_with_each_reason(tmp_path: Path) -> None:
    frame, meta = pyreadstat.read_sav(at(tmp_path, SAV, "a.sav"), user_missing=True)
    names = dict(zip((variable.name for variable in DATA.variables), meta.column_names, strict=True))
    assert {own: name for own, name in names.items() if own != name} == {"with": "with_", "all": "all_"}
    reason_of = {-float(number): reason for number, reason in enumerate(REASONS, start=1)}
    for variable in CODED:
        codes, reasons = expected(variable)
        read = frame[names[variable.name]].tolist()
        assert [None if value < 0 else value for value in read] == codes
        assert [reason_of[value] if value < 0 else None for value in read] == reasons
    assert frame["respondent"].tolist() == RESPONSES["respondent"].tolist()
    assert frame["weight"].tolist() == RESPONSES["weight"].tolist()


def test_spss_takes_every_reason_for_missing_unless_told_otherwise(tmp_path: Path) -> None:
    frame, meta = pyreadstat.read_sav(at(tmp_path, SAV, "a.sav"))
    for name in CAN_BE_MISSING:
        own = meta.column_names[list(RESPONSES).index(name)]
        assert frame[own].isna().tolist() == RESPONSES[name].isna().tolist()


def test_spss_carries_labels_measures_and_missing_ranges(tmp_path: Path) -> None:
    _, meta = pyreadstat.read_sav(at(tmp_path, SAV, "a.sav"), user_missing=True)
    assert meta.file_encoding == "UTF-8"
    for variable, name in zip(DATA.variables, meta.column_names, strict=True):
        assert meta.column_names_to_labels[name] == wording.fit(variable.label, 255, size=wording.octets)
        labels = meta.variable_value_labels.get(name, {})
        assert {code: label for code, label in labels.items() if code >= 0} == {
            code: wording.fit(text, 120, size=wording.octets) for code, text in variable.codes.items()
        }
        assert (name in meta.missing_ranges) == variable.missing
        if variable.missing:
            assert meta.missing_ranges[name] == [{"lo": -5.0, "hi": -1.0}]
            assert [labels[-float(number)] for number in range(1, 6)] == list(wording.REASONS.values())
    found = dict(zip(RESPONSES, meta.variable_measure.values(), strict=True))
    assert found["q5"] == found[RESCALED] == "ordinal"
    assert found["organisation"] == found["wave"] == found["respondent"] == "nominal"
    assert found["weight"] == "scale"
    assert all(width > 0 for width in meta.variable_display_width.values())


def test_what_spss_cuts_stands_in_its_documents(tmp_path: Path) -> None:
    _, meta = pyreadstat.read_sav(at(tmp_path, SAV, "a.sav"))
    told = " ".join(meta.notes)
    assert wording.line(STATEMENTS["q5"]) in told
    assert "organisation, value 3 in full:" in told
    assert "".join(told.split()).count("L" * 300) == 1
    assert "Variable with_ is called with in the study." in told


def test_spss_labels_are_cut_between_letters(tmp_path: Path) -> None:
    _, meta = pyreadstat.read_sav(at(tmp_path, SAV, "a.sav"))
    label = meta.column_names_to_labels["q5"]
    assert label.endswith("…")
    assert wording.line(STATEMENTS["q5"]).startswith(label[:-1])
    assert "\ufffd" not in label
    assert "\n" not in meta.column_names_to_labels["q7"]


# --- Stata ------------------------------------------------------------------------------------------------------


def test_stata_reads_back_equal_with_each_reason(tmp_path: Path) -> None:
    """As lists: as a frame pyreadstat gives 0 for a missing integer where there are named ones beside it."""
    read, meta = pyreadstat.read_dta(at(tmp_path, DTA, "a.dta"), user_missing=True, output_format="dict")
    named = dict(zip((variable.name for variable in DATA.variables), meta.column_names, strict=True))
    assert {own: name for own, name in named.items() if own != name} == {
        "with": "with_",
        RESCALED: f"{'a' * 23}_rescaled",
    }
    reason_of = dict(zip("abcde", REASONS, strict=True))
    for variable in CODED:
        codes, reasons = expected(variable)
        cells = read[named[variable.name]]
        assert [None if isinstance(value, str) else value for value in cells] == codes
        assert [reason_of[value] if isinstance(value, str) else None for value in cells] == reasons
    assert read["respondent"] == RESPONSES["respondent"].tolist()
    assert read["weight"] == RESPONSES["weight"].tolist()


def test_pandas_reads_the_stata_file_as_pyreadstat_does(tmp_path: Path) -> None:
    frame = pd.read_stata(at(tmp_path, DTA, "a.dta"), convert_categoricals=False, convert_missing=True)
    for variable in CODED:
        codes, reasons = expected(variable)
        cells = frame.iloc[:, list(RESPONSES).index(variable.name)]
        told = [f".{'abcde'[REASONS.index(reason)]}" if reason else None for reason in reasons]
        assert [str(value) if reason else None for value, reason in zip(cells, told, strict=True)] == told
        assert [None if reason else int(value) for value, reason in zip(cells, told, strict=True)] == codes
    with pd.io.stata.StataReader(str(tmp_path / "a.dta")) as reader:
        assert reader.data_label.startswith("CONFIDENTIAL. ")
        assert len(reader.data_label) <= 80
        assert not reader.time_stamp


def test_stata_carries_labels_of_values_and_reasons(tmp_path: Path) -> None:
    _, meta = pyreadstat.read_dta(at(tmp_path, DTA, "a.dta"), user_missing=True, output_format="dict")
    for variable, name in zip(DATA.variables, meta.column_names, strict=True):
        assert meta.column_names_to_labels[name] == wording.fit(variable.label, 80)
        labels = meta.variable_value_labels.get(name, {})
        assert {code: text for code, text in labels.items() if not isinstance(code, str)} == variable.codes
        if variable.missing:
            assert [labels[letter] for letter in "abcde"] == list(wording.REASONS.values())


def test_stata_notes_hold_the_evidence_and_what_was_cut(tmp_path: Path) -> None:
    _, meta = pyreadstat.read_dta(at(tmp_path, DTA, "a.dta"))
    told = "\n".join(meta.notes)
    assert "Wave 2: SIMULATED. Invented from stated parameters" in told
    assert "Missing values: .a = Not asked; .b = Skipped" in told
    for text in (
        f"Label in full: {wording.line(STATEMENTS['q5'])}",
        "Wave 2: reworded",
        "Teams are made up.",
    ):
        assert text.encode() + b"\0</ch>" in DTA


def test_a_stata_column_that_begins_with_a_hundred_reasons_is_a_column_of_numbers(tmp_path: Path) -> None:
    """pyreadstat 1.3.7 judges by the first hundred cells and fails here, which is why the format is written by hand."""
    read, _ = pyreadstat.read_dta(at(tmp_path, DTA, "a.dta"), user_missing=True, output_format="dict")
    assert set(read[f"{'a' * 23}_rescaled"][:110]) == {"a"}
    assert {1, 2, 3, 4} < set(read[f"{'a' * 23}_rescaled"])


def test_stata_takes_more_codes_than_a_byte_holds(tmp_path: Path) -> None:
    read, meta = pyreadstat.read_dta(at(tmp_path, DTA, "a.dta"), user_missing=True, output_format="dict")
    assert max(value for value in read["team"] if not isinstance(value, str)) > 100
    assert meta.readstat_variable_types["team"] == "int16"
    assert meta.readstat_variable_types["q5"] == "int8"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "a" * 33}, "more than 32"),
        ({"label": "a" * 81}, "more than 80"),
        ({"cells": np.array(["a" * 2046], dtype=object)}, "2045 is the most"),
        ({"cells": np.array([32741], dtype=np.int32)}, "32740 is the most"),
    ],
)
def test_what_does_not_fit_a_stata_file_is_refused(change: dict[str, Any], told: str) -> None:
    column = Column("a", "", np.array([1]))
    with pytest.raises(ValueError, match=told):
        write_dta([dataclasses.replace(column, **change)], label="", notes={})


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        write_dta([Column("a", "", np.array([1])), Column("a", "", np.array([1]))], label="", notes={})


def test_stata_numbers_and_texts_keep_their_missing_and_empty_cells(tmp_path: Path) -> None:
    columns = [
        Column("x", "é" * 80, np.array([1.5, np.nan, -1e300])),
        Column("t", "", np.array(["", "ü😀", "a"], dtype=object)),
    ]
    frame = pd.read_stata(at(tmp_path, write_dta(columns, label="é" * 80, notes={}), "a.dta"))
    assert frame["x"].isna().tolist() == [False, True, False]
    assert frame["x"].dropna().tolist() == [1.5, -1e300]
    assert frame["t"].tolist() == ["", "ü😀", "a"]


# --- CSV --------------------------------------------------------------------------------------------------------


def test_csv_reads_back_equal_with_each_reason() -> None:
    rows = in_rows(CSV)
    assert len(rows) == len(RESPONSES)
    assert list(rows[0]) == ["CONFIDENTIAL", *RESPONSES, *(f"{name}.missing" for name in CAN_BE_MISSING)]
    for name in RESPONSES:
        cells = [row[name] for row in rows]
        if name == "weight":
            assert [float(cell) for cell in cells] == RESPONSES[name].tolist()
        elif name == "complete":
            assert [cell == "true" for cell in cells] == RESPONSES[name].tolist()
        else:
            assert cells == ["" if pd.isna(value) else str(value) for value in RESPONSES[name]]
    for name in CAN_BE_MISSING:
        assert [row[f"{name}.missing"] or None for row in rows] == expected_reasons(name)


def expected_reasons(name: str) -> list[str | None]:
    return [None if pd.isna(reason) else reason for reason in MISSING[name].astype(object)]


def test_pandas_reads_the_csv_without_being_told_anything() -> None:
    frame = pd.read_csv(io.BytesIO(CSV))
    assert frame["q7"].mean() == pytest.approx(RESPONSES["q7"].mean())
    assert frame["organisation"].isna().tolist() == RESPONSES["organisation"].isna().tolist()


def test_a_text_with_commas_quotes_or_a_formula_is_one_harmless_cell() -> None:
    texts = ['a,"b"', "=1+1", *RESPONSES["respondent"][2:]]
    data = make(RESPONSES.assign(respondent=texts), MISSING.assign(respondent=texts))
    assert [row["respondent"] for row in in_rows(whole_csv(data))][:3] == ['a,"b"', "'=1+1", texts[2]]


def test_csv_is_ascii_with_the_line_ends_of_the_standard() -> None:
    assert CSV.isascii()
    for content in (CSV, BOOK):
        assert content.endswith(b"\r\n")
        assert content.count(b"\n") == content.count(b"\r\n")


def test_the_codebook_gives_each_code_of_each_format_in_words() -> None:
    rows = [row for row in in_rows(BOOK) if row["kind"] != "file"]
    assert list(dict.fromkeys(row["variable"] for row in rows)) == list(RESPONSES)
    assert [
        (row["value"], row["spss_value"], row["stata_value"]) for row in rows if row["variable"] == "mode"
    ] == [
        ("web", "1", "1"),
        ("paper", "2", "2"),
        *(("", str(-number), f".{'abcde'[number - 1]}") for number in range(1, 6)),
    ]
    assert [row["reason"] for row in rows if row["variable"] == "q4"] == [*[""] * 4, *REASONS]
    assert [row["meaning"] for row in rows if row["variable"] == RESCALED][:4] == [
        harmless(label) for label in presentation().response_scales["points4"].labels
    ]
    grades = {row["variable"]: (row["w1"], row["w2"]) for row in rows}
    assert grades["q5"] == ("identical", "reworded")
    assert grades[RESCALED] == ("", "rescaled")
    assert grades["organisation"] == ("", "")
    assert {row["variable"]: row["stata_variable"] for row in rows}[RESCALED] == f"{'a' * 23}_rescaled"


def test_the_codebook_is_read_right_by_spreadsheets() -> None:
    assert BOOK.startswith(b"\xef\xbb\xbf")
    cells = [cell for row in csv.reader(io.StringIO(BOOK.decode("utf-8-sig"), newline="")) for cell in row]
    signed = [cell for cell in cells if cell[:1] in {*"=+-@\t\r"} and not cell.removeprefix("-").isdigit()]
    assert {*signed} == {"+", "-"}, "a sign alone, as in the column `keyed`, is text to a spreadsheet"
    assert f"'{STATEMENTS['with']}" in cells
    assert "'-Health; & <Care>=1" in cells


@given(st.text())
def test_no_text_leaves_as_a_formula_and_none_is_lost(text: str) -> None:
    found = harmless(text)
    assert re.fullmatch(r"[+-][\d.,]*", found) or not found.lstrip(" ").startswith(
        ("=", "+", "-", "@", "\t", "\r")
    )
    assert found in {text, f"'{text}"}


# --- DDI --------------------------------------------------------------------------------------------------------


def ddi(content: bytes = DDI) -> Any:
    return etree.fromstring(content)


def find(root: Any, path: str) -> list[Any]:
    return list(root.xpath(path, namespaces={"d": "ddi:codebook:2_5"}))


def test_ddi_is_valid() -> None:
    schema = etree.XMLSchema(etree.parse(str(SCHEMA)))
    schema.assertValid(ddi())


def test_the_schema_refuses_what_ddi_does_not_allow() -> None:
    schema = etree.XMLSchema(etree.parse(str(SCHEMA)))
    for old, new in [
        (b"<docDscr>", b"<docDscr><titl>x</titl>"),
        (b' version="2.5"', b' version="3.0"'),
        (b'nature="ordinal"', b'nature="likert"'),
        (b'name="q4"', b'nom="q4"'),
        (b"<catValu>1</catValu>", b"<catValu>one</catValu>"),
    ]:
        assert old in DDI
        assert not schema.validate(ddi(DDI.replace(old, new, 1))), new


@pytest.mark.skipif(PUBLISHED_SCHEMA not in os.environ, reason=f"{PUBLISHED_SCHEMA} does not say where it is")
def test_ddi_is_valid_by_the_published_schema() -> None:
    etree.XMLSchema(etree.parse(os.environ[PUBLISHED_SCHEMA])).assertValid(ddi())


def test_every_reference_in_ddi_is_to_something_there() -> None:
    identifiers = [str(one) for one in find(ddi(), "//@ID")]
    assert len(identifiers) == len(set(identifiers))
    references = [
        one for where in ("//@files", "//@var") for found in find(ddi(), where) for one in found.split()
    ]
    assert references
    assert set(references) <= set(identifiers)


def test_ddi_reads_back_equal() -> None:
    root = ddi()
    variables = find(root, "//d:var")
    assert [found.get("name") for found in variables] == list(RESPONSES)
    for variable, found in zip(DATA.variables, variables, strict=True):
        assert find(found, "string(d:labl)") == list(variable.label)
        codes = {
            int(find(one, "d:catValu")[0].text): find(one, "d:labl")[0].text
            for one in find(found, "d:catgry[not(@missing)]")
        }
        assert codes == variable.codes
        missing = {
            one.get("missType"): int(find(one, "d:catValu")[0].text)
            for one in find(found, "d:catgry[@missing]")
        }
        assert missing == (
            {reason: -place for place, reason in enumerate(REASONS, 1)} if variable.missing else {}
        )
        assert [one.text for one in find(found, "d:qstn/d:qstnLit")] == [variable.label] * variable.is_item
    assert [(one.get("name"), one.get("nature"), one.get("wgt")) for one in find(root, "//d:var[@wgt]")] == [
        ("weight", "ratio", "wgt")
    ]


def test_ddi_describes_the_study_its_waves_and_files() -> None:
    root = ddi()
    assert [one.text for one in find(root, "//d:stdyDscr/d:citation/d:titlStmt/d:titl")] == [
        wording.line(DATA.part.title)
    ]
    assert [(one.get("event"), one.get("date"), one.get("cycle")) for one in find(root, "//d:collDate")] == [
        ("start", "2006-05-01", "Wave 1"),
        ("end", "2006-06-30", "Wave 1"),
        ("single", None, "Wave 2"),
    ]
    universes = [one.text for one in find(root, "//d:universe")]
    assert "about 1,250 people. No contractors." in universes[0]
    assert "size not known" in universes[1]
    assert [one.text for one in find(root, "//d:relPubl")] == [DATA.part.citation]
    assert [one.text for one in find(root, "//d:fileName")] == [
        "responses.sav",
        "responses.dta",
        "responses.csv",
    ]
    groups = {one.get("ID"): one.get("var") for one in find(root, "//d:varGrp")}
    assert groups["G_trust"] == f"V_q5 V_{LONG_NAME}"
    assert groups["S_1"].split()[-1] == f"V_{RESCALED}"
    assert groups["S_2"] is None


def test_ddi_notes_grades_keying_and_weaker_evidence() -> None:
    def notes(name: str, kind: str) -> list[tuple[str | None, str]]:
        found = find(ddi(), f"//d:var[@name='{name}']/d:notes[@type='{kind}']")
        return [(one.get("subject"), one.text) for one in found]

    assert notes("q5", "comparability") == [("Wave 1", "identical"), ("Wave 2", "reworded")]
    assert notes("team", "evidence") == [("Wave 1", "Wave 1: RECONSTRUCTED. Teams are made up.")]
    assert notes(LONG_NAME, "keying")
    assert not notes("q5", "keying")
    assert notes(RESCALED, "rescaled")


def test_ddi_gives_no_count_of_answers() -> None:
    """Only the number of respondents and of variables."""
    assert find(ddi(), "//d:catStat | //d:sumStat | //d:TotlResp") == []
    assert {one.text for one in find(ddi(), "//d:caseQnty")} == {str(len(RESPONSES))}
    other_answers = RESPONSES.assign(q4=RESPONSES["q4"].replace(1, 2))
    assert to_ddi(make(other_answers)) == DDI


# --- what every file says, and who may read it --------------------------------------------------------------------


@pytest.mark.parametrize("content", [SAV, DTA, CSV, BOOK, DDI], ids=["sav", "dta", "csv", "codebook", "ddi"])
def test_every_file_says_that_it_is_confidential_and_what_it_is_worth(content: bytes) -> None:
    assert b"CONFIDENTIAL" in content
    assert b"SIMULATED" in content or b"simulated data" in content


def test_the_file_label_says_it_first(tmp_path: Path) -> None:
    _, sav = pyreadstat.read_sav(at(tmp_path, SAV, "a.sav"))
    _, dta = pyreadstat.read_dta(at(tmp_path, DTA, "a.dta"))
    headline = "CONFIDENTIAL. OBSERVED, RECONSTRUCTED and SIMULATED data"
    assert wording.headline(DATA.part) == headline
    assert sav.file_label.startswith(headline)
    assert dta.file_label.startswith(headline)
    assert len(sav.file_label.encode()) <= 64
    assert " ".join(sav.notes).count("Wave 2: SIMULATED. Invented from stated parameters") == 1


def test_each_row_of_the_csv_says_what_it_is_worth() -> None:
    assert {(row["wave"], row["CONFIDENTIAL"]) for row in in_rows(CSV)} == {
        ("w1", "individual answers; observed data"),
        ("w2", "individual answers; simulated data"),
    }


def test_observed_data_are_called_observed() -> None:
    waves = {"w1": presentation().waves["w1"].model_copy(update={"variable_evidence": {}})}
    part = ExportPart.of(presentation(waves=waves))
    assert wording.headline(part) == "CONFIDENTIAL. OBSERVED data"


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_the_same_data_give_the_same_bytes(write: Callable[[Dataset], bytes]) -> None:
    assert write(DATA) == write(make())


def test_no_file_says_when_it_was_written() -> None:
    assert SAV[84:109].endswith(b"01 Jan 7000:00:00")
    assert b"<timestamp>\0</timestamp>" in DTA
    today = dt.datetime.now(tz=dt.UTC)
    for content in (SAV[:200], DTA[:400], BOOK, DDI):
        assert f"{today:%d %b %y}".encode() not in content
        assert f"{today:%Y-%m-%d}".encode() not in content


def test_only_the_owner_can_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "exports/responses.sav"
    path.parent.mkdir()
    path.write_bytes(b"from before, for all to see")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        write_bytes(b"new", str(path), private=True)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["responses.sav"]


# --- small studies, other studies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_a_study_without_a_respondent_can_be_written(
    write: Callable[[Dataset], bytes], tmp_path: Path
) -> None:
    content = write(make(RESPONSES.iloc[:0], MISSING.iloc[:0]))
    if write is to_sav:
        assert list(pyreadstat.read_sav(at(tmp_path, content, "a.sav"))[0]["organisation"]) == []
    if write is to_dta:
        assert len(pd.read_stata(at(tmp_path, content, "a.dta"))) == 0
    assert content


def test_one_wave_without_groups_or_scales(tmp_path: Path) -> None:
    small = presentation(
        waves={"w1": presentation().waves["w1"]},
        variables={},
        scales={},
        items={"q4": presentation().items["q4"]},
        citation="",
    )
    keep = ["wave", "respondent", "evidence", "organisation", "complete", "weight", "q4"]
    first = RESPONSES["wave"] == "w1"
    data = dataset(
        RESPONSES.loc[first, keep],
        MISSING.loc[first, ["wave", "respondent", "organisation", "q4"]],
        codebook(small),
        part=ExportPart.of(small),
    )
    frame, _ = pyreadstat.read_sav(at(tmp_path, to_sav(data), "a.sav"))
    assert frame["wave"].unique().tolist() == [1]
    etree.XMLSchema(etree.parse(str(SCHEMA))).assertValid(ddi(to_ddi(data)))


def test_a_column_that_nobody_was_asked_is_written_everywhere(tmp_path: Path) -> None:
    responses, missing = RESPONSES.copy(), MISSING.copy()
    responses["mode"] = pd.array([None] * len(responses), dtype="str")
    missing["mode"] = pd.Categorical(["not_asked"] * len(missing), dtype=missing["mode"].dtype)
    data = make(responses, missing)
    sav, _ = pyreadstat.read_sav(at(tmp_path, to_sav(data), "a.sav"), user_missing=True)
    dta = pd.read_stata(at(tmp_path, to_dta(data), "a.dta"), convert_categoricals=False, convert_missing=True)
    assert set(sav["mode"]) == {-1}
    assert {str(value) for value in dta["mode"]} == {".a"}
    assert {row["mode.missing"] for row in in_rows(whole_csv(data))} == {"not_asked"}


def refused(*frames: pd.DataFrame) -> list[str]:
    with pytest.raises(SurveywavesError) as error:
        make(*frames)
    return str(error.value).splitlines()


def test_a_level_that_the_study_does_not_know_is_named() -> None:
    responses = RESPONSES.assign(organisation=RESPONSES["organisation"].replace("city", "town"))
    (told,) = refused(responses)
    assert told.startswith(
        "results/pooled/responses.parquet: organisation: `town` is no value that the study knows"
    )


def test_a_value_off_the_response_scale_is_named() -> None:
    responses = RESPONSES.assign(q4=RESPONSES["q4"].replace(4, 5), q5=RESPONSES["q5"].replace(1, 0))
    assert [line.split(" (")[0] for line in refused(responses)] == [
        "results/pooled/responses.parquet: q4: `5` is no value that the study knows",
        "results/pooled/responses.parquet: q5: `0` is no value that the study knows",
    ]


def test_a_cell_with_neither_value_nor_reason_is_refused() -> None:
    missing = MISSING.assign(q4=MISSING["q4"].where(MISSING["q4"] != "skipped"))
    assert "q4: a cell has neither a value nor a reason" in refused(RESPONSES, missing)[0]


def test_a_reason_that_is_none_is_named() -> None:
    missing = MISSING.assign(q4=MISSING["q4"].astype(object).replace("skipped", "bored"))
    assert "q4: `bored` is no reason of a missing value" in refused(RESPONSES, missing)[0]


def test_a_codebook_of_another_study_is_refused() -> None:
    values = CODEBOOK.assign(values=CODEBOOK["values"].where(CODEBOOK["variable"] != RESCALED, "1=a; 2=b"))
    assert f"{RESCALED}: its values are those of no response scale" in refused(RESPONSES, MISSING, values)[0]


# --- names and letters --------------------------------------------------------------------------------------------


def test_names_that_a_package_keeps_for_itself_get_an_underscore() -> None:
    found = names_for(["with", "trust", "with_", "str7", "all"], limit=32, reserved=STATA_RESERVED)
    assert found == {"with": "with2_", "trust": "trust", "with_": "with_", "str7": "str7_", "all": "all"}
    assert names_for(["all"], limit=64, reserved=SPSS_RESERVED) == {"all": "all_"}


@given(st.lists(st.from_regex(r"\A[a-z][a-z0-9_]{0,28}(_rescaled)?\Z"), unique=True))
def test_names_are_short_enough_and_none_stands_twice(given_names: list[str]) -> None:
    found = names_for(given_names, limit=32, reserved=STATA_RESERVED)
    assert list(found) == given_names
    assert len(set(found.values())) == len(found)
    for own, name in found.items():
        assert len(name) <= 32
        assert not STATA_RESERVED.fullmatch(name)
        assert name == own or len(own) > 32 or STATA_RESERVED.fullmatch(own)


@given(st.text(), st.integers(3, 60))
def test_a_text_that_is_cut_fits_and_is_the_beginning_of_itself(text: str, limit: int) -> None:
    text = wording.line(text)
    found = wording.fit(text, limit, size=wording.octets)
    assert wording.octets(found) <= limit
    assert found == text or text.startswith(found.removesuffix("…"))


def test_no_accent_is_cut_from_its_letter() -> None:
    assert wording.fit("abe\u0301d", 4) == "ab…"


@given(st.text(), st.integers(4, 80))
def test_wrapped_lines_fit_and_lose_no_letter(text: str, limit: int) -> None:
    text = "".join(sign for sign in wording.line(text) if not unicodedata.category(sign).startswith("M"))
    found = wording.wrap(text, limit)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(wording.octets(one) <= limit for one in found)


@given(st.text(st.characters()))
def test_a_line_is_one_line_that_xml_takes(text: str) -> None:
    found = wording.line(text)
    assert len(found.splitlines()) <= 1
    assert etree.fromstring(f"<a>{found.replace('&', '&amp;').replace('<', '&lt;')}</a>".encode()).tag == "a"
