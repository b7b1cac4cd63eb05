"""Tables for publication: four forms of the same numbers, whatever stands in the labels."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docx
import pandas as pd
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from surveywaves import catalogue
from surveywaves.study.parts import Presentation
from surveywaves.tables.estimates import decision_words
from surveywaves.tables.layout import (
    Cell,
    Column,
    Table,
)
from surveywaves.tables.publish import Publication, files, publications, written
from surveywaves.tables.publish.great import CALLED
from surveywaves.tables.publish.latex import escaped
from surveywaves.tables.publish.paper import TURNED, UPRIGHT, gaps, over_pages, shape
from surveywaves.tables.publish.sheet import letters_of, sheet, visible
from surveywaves.terms import Evidence
from surveywaves.tidy import tidy
from surveywaves.words import (
    Labels,
    number,
    p_value,
)
from synthetic_report import presentation, tables

HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "formula": "=cmd|'/C calc'!A0\"",
    "at": "@SUM(1+1)*cmd",
    "latex": r"\input{/etc/passwd} $x^2$ 50% a_b #1 & {~} \end{tabular} \\ [1] ^^4d",
    "units": "{{m^2}} {format} %(so)s",
    "right_to_left": "\u202eعربي שלום\u202c",
    "emoji": "👩‍🔬🏴󠁧󠁢󠁳󠁣󠁴󠁿 ‼️",
    "long": "a" * 400,
    "long_words": "very long words " * 25,
    "control": "a\x00b\x0bc\x1b[31mde\ufffef\r\ng\th",
    "markup": "&amp; ]]> <!-- --> </td></table></style> &#123;",
}


@dataclass(frozen=True)
class Read:
    """A table read back from a file: heads and rows without the letters of notes, and all that stands around."""

    heads: list[str]
    rows: list[list[str]]
    around: str


def protected(study: Presentation, **rule: int | bool) -> Presentation:
    return study.model_copy(update={"threshold": 5, "public": False} | rule)


WITHOUT_FRAMES = {one.name for one in catalogue.TABLES if not one.reads}
"""Tables of what the study itself says."""


def choice(study, **about) -> Labels:
    return Labels(protected(study, **about))


@pytest.fixture(scope="module")
def study():
    return presentation()


@pytest.fixture(scope="module")
def frames(study):
    return tables(study)


@pytest.fixture(scope="module")
def made(study, frames) -> dict[str, Publication]:
    return {one.name: one for one in publications(frames, choice(study))}


@pytest.fixture(scope="module")
def out(study, frames) -> dict[str, bytes]:
    return dict(files(frames, choice(study)))


def expected(publication: Publication) -> list[list[str]]:
    """What each cell says, as the report has it."""
    return spaced([[visible(cell.text) for cell in row] for row in publication.table.rows])


def spaced(rows: list[list[str]]) -> list[list[str]]:
    """Whether a line may break at a space does not matter."""
    return [[text.replace("\u00a0", " ") for text in row] for row in rows]


def read_html(content: bytes) -> Read:
    page = html.document_fromstring(content.decode())
    for mark in page.xpath("//tbody//sup"):
        mark.drop_tree()
    table = page.find(".//table")
    heads = [
        visible(cell.text_content())
        for cell in table.xpath(".//thead//th[contains(@class, 'gt_col_heading')]")
    ]
    rows: list[list[str]] = []
    open_cells: dict[int, tuple[int, str]] = {}
    for line in table.xpath(".//tbody/tr[not(contains(@class, 'gt_group_heading_row'))]"):
        cells, row, place = iter(line.xpath("./th | ./td")), [], 0
        while True:
            left, text = open_cells.get(place, (0, ""))
            if left:
                open_cells[place] = (left - 1, text)
            elif (cell := next(cells, None)) is not None:
                text = visible(cell.text_content())
                open_cells[place] = (int(cell.get("rowspan", "1")) - 1, text)
            else:
                break
            row.append(text)
            place += 1
        rows.append(row)
    around = " ".join(
        [page.findtext(".//title"), *(part.text_content() for part in table.xpath("./thead | ./tfoot"))]
    )
    return Read(heads, rows, visible(around))


def read_docx(content: bytes) -> Read:
    document = docx.Document(io.BytesIO(content))
    [table] = document.tables
    rows: list[list[str]] = []
    heads: list[str] = []
    for line in table._tbl.tr_lst:
        texts = []
        for cell in line.tc_lst:
            runs = [run for run in cell.iter(qn("w:r")) if run.find(f".//{qn('w:vertAlign')}") is None]
            merge = cell.find(f".//{qn('w:vMerge')}")
            if merge is not None and merge.get(qn("w:val")) is None:
                texts.append(rows[-1][len(texts)])
            else:
                texts.append("".join(text.text or "" for run in runs for text in run.iter(qn("w:t"))))
        if line.find(f".//{qn('w:tblHeader')}") is not None:
            heads = texts
        elif len(texts) == len(table.columns) and len(line.tc_lst) == len(table.columns):
            rows.append(texts)
    return Read(heads, spaced(rows), " ".join(paragraph.text for paragraph in document.paragraphs))


PRINTED = {
    r"\textbackslash": "\\",
    r"\textasciicircum": "^",
    r"\textasciitilde": "~",
    r"\textless": "<",
    r"\textgreater": ">",
    r"\textbar": "|",
    r"\textquotedbl": '"',
    r"\textasciigrave": "`",
    r"\textquotesingle": "'",
    r"\ldots": "…",
    r"\pm": "±",
    r"\times": "×",
    r"\geq": "≥",
    r"\leq": "≤",
    r"\blacktriangle": "▲",
    r"\blacktriangledown": "▼",
    r"\circ": "○",
    r"\checkmark": "✓",
}
"""What LaTeX prints for a command."""

STRUCTURE = {
    r"\arraybackslash",
    r"\begin",
    r"\bottomrule",
    r"\caption",
    r"\centering",
    r"\cmidrule",
    r"\addlinespace",
    r"\end",
    r"\endfirsthead",
    r"\endfoot",
    r"\endhead",
    r"\endlastfoot",
    r"\ensuremath",
    r"\fontsize",
    r"\footnotesize",
    r"\insertTableNotes",
    r"\item",
    r"\label",
    r"\midrule",
    r"\multicolumn",
    r"\raggedleft",
    r"\raggedright",
    r"\rlap",
    r"\selectfont",
    r"\setlength",
    r"\tabcolsep",
    r"\textbf",
    r"\textsuperscript",
    r"\tnote",
    r"\toprule",
    r"\begingroup",
    r"\allowbreak",
    r"\leftskip",
    r"\linewidth",
    r"\LTcapwidth",
    r"\endgroup",
}
"""Commands that a table may use besides."""

TOKEN = re.compile(r"\\[A-Za-z@]+|\\.|[{}&%$#_^~]|[^\\{}&%$#_^~]+", re.DOTALL)


def body_of(content: bytes) -> str:
    """The table itself: what stands between the check for a document and the end."""
    text = content.decode()
    return text.partition("\n\\fi\n")[2].rpartition("\\csname surveywavesend")[0]


def commands(text: str) -> Iterator[str]:
    return (token for token in TOKEN.findall(text) if re.match(r"\\[A-Za-z@]", token))


def as_printed(text: str) -> str:
    """What a reader of the page sees of a piece of LaTeX that only prints."""
    text = re.sub(r"\\rlap\{\\tnote\{[a-z,]*\}\}|\\tnote\{[a-z,]*\}", "", text)
    text = re.sub(r"\\textbf\{(.*)\}$", r"\1", text, flags=re.DOTALL)
    text = text.replace(r"\ensuremath{-}", "−").replace(r"\textsuperscript{2}", "²")
    text = text.replace("---", "—").replace("--", "–").replace("``", "“").replace("''", "”")
    text = text.replace("`{}", "‘").replace("'{}", "’")
    seen = ""
    for token in TOKEN.findall(text):
        if token == "~":
            seen += "\u00a0"
        elif token in "{}" or token in {r"\ensuremath", r"\allowbreak"}:
            continue
        elif re.match(r"\\[A-Za-z@]", token):
            seen += PRINTED[token]
        else:
            assert token not in "&%$#_^", f"{token} is run, not printed"
            seen += token[1:] if token.startswith("\\") else token
    return seen


def read_tex(content: bytes) -> Read:
    body = body_of(content)
    start = body.index(r"\endlastfoot") if r"\endlastfoot" in body else body.index(r"\midrule")
    lines = body[start:].split("\n")[1:]
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith((r"\bottomrule", r"\end{longtable}")):
            break
        if line.startswith((r"\multicolumn", r"\addlinespace")):
            continue
        assert line.endswith(r" \\"), line
        texts = [as_printed(cell) for cell in re.split(r" (?<!\\)& |^& | &$", line[:-3])]
        rows.append([rows[-1][k] if not text and rows and k < 2 else text for k, text in enumerate(texts)])
    head = body[: body.index(r"\midrule")].split("\n")[-2]
    around = as_printed(re.search(r"\\caption\{(.*)\}\n", body)[1]) + " ".join(
        as_printed(line.partition("]")[2]) for line in body.split("\n") if line.startswith(r"\item")
    )
    return Read([as_printed(cell) for cell in head[:-3].split(" & ")], spaced(rows), around)


def signs_as_in_latex(rows: list[list[str]]) -> list[list[str]]:
    """A cross is a multiplication sign there."""
    return [[text.replace("✗", "×") for text in row] for row in rows]


# What there is


def test_tables_are_those_that_are_named_and_each_has_every_form(study, frames, made, out) -> None:
    names = [one.name for one in catalogue.of_study(catalogue.TABLES, study, frames)]
    there = [name for name in names if name in made]
    assert list(made) == there and len(set(names)) == len(names) > len(there) > 50
    assert set(out) == {f"{name}.{form}" for name in there for form in catalogue.TABLE_FORMATS} | {
        "index.html"
    }


def test_the_contents_link_every_file_once(out) -> None:
    page = html.document_fromstring(out["index.html"].decode())
    links = [link.get("href") for link in page.iter("a")]
    assert sorted(links) == sorted(set(out) - {"index.html"})
    assert {link.text_content() for link in page.iter("a")} == set(CALLED.values())
    assert "Demonstration: reconstructed and simulated data, not findings" in page.text_content()


def test_only_statistics_that_there_are_make_tables(study, frames) -> None:
    few = {name: frames[name] for name in ("item_frequencies", "means")}
    read = {name for one in catalogue.of_study(catalogue.TABLES, study, few) for name in one.exhibit.reads}
    assert read == set(few)


@pytest.mark.parametrize(
    ("waves", "organisations", "absent"),
    [
        (1, ("left", "right"), {"change_linear", "sensitivity_change", "dif_wave"}),
        (2, ("left",), {"gap_linear", "difference_in_differences_linear", "answers_warmth_by_organisation"}),
        (1, ("left",), {"agreement", "change_linear", "gap_linear", "dif_wave", "reliability_left"}),
    ],
)
def test_one_wave_or_one_organisation_is_enough(waves: int, organisations, absent) -> None:
    study = presentation(waves=waves, organisations=organisations, published=False)
    frames = {
        name: frame
        for name, frame in tables(study, published=False).items()
        if name not in {"sensitivity", "agreement", "planning"}
    }
    out = dict(files(frames, Labels(protected(study))))
    assert not {name.partition(".")[0] for name in out} & absent
    assert "answers_warmth.docx" in out


def test_a_table_without_data_is_left_out_and_one_without_rows_says_so_in_every_form(study, frames) -> None:
    row = {"analysis": "dif", "scale": "warmth", "item": "warmth_1", "term": "total_lr", "status": "too_few"}
    few = {"contrasts": frames["contrasts"].iloc[:0], "dif": tidy([row | {"organisation": "left - right"}])}
    made = {one.name: one for one in publications(few, choice(study)) if one.name not in WITHOUT_FRAMES}
    assert list(made) == ["dif_organisation"]
    content = written(made["dif_organisation"], Labels(study))
    for read in (read_html(content["html"]), read_docx(content["docx"]), read_tex(content["tex"])):
        assert read.rows == [] and "There is nothing to show" in read.around


# The same numbers


def test_every_cell_of_every_table_is_the_report_s_in_html(made, out) -> None:
    for name, publication in made.items():
        read = read_html(out[f"{name}.html"])
        assert read.rows == expected(publication), name
        assert sorted(read.heads) == sorted(column.head for column in publication.table.columns), name


def test_every_cell_of_every_table_is_the_report_s_in_word(made, out) -> None:
    for name, publication in made.items():
        read = read_docx(out[f"{name}.docx"])
        assert read.rows == expected(publication), name
        assert read.heads == [column.head for column in publication.table.columns]


def test_every_cell_of_every_table_is_the_report_s_in_latex(made, out) -> None:
    for name, publication in made.items():
        read = read_tex(out[f"{name}.tex"])
        assert read.rows == signs_as_in_latex(expected(publication)), name


def test_csv_gives_the_rows_behind_a_table_back_in_full(made, out) -> None:
    for name, publication in made.items():
        read = pd.read_csv(io.BytesIO(out[f"{name}.csv"]), encoding="utf-8-sig", keep_default_na=False)
        data = publication.table.data
        assert len(read) == len(data), name
        for column in data.select_dtypes("float"):
            back = pd.to_numeric(read[column], errors="coerce")
            assert back.tolist() == pytest.approx(data[column].tolist(), rel=0, abs=0, nan_ok=True)


def test_csv_says_in_words_what_names_stand_for(out) -> None:
    read = pd.read_csv(io.BytesIO(out["answers_warmth.csv"]), encoding="utf-8-sig")
    first = read.iloc[0]
    assert first["wave_label"] == "First round" and first["item_label"] == "warmth statement 1"
    assert first["response_label"] == "Never" and first["evidence"] == "simulated"
    jobs = pd.read_csv(io.BytesIO(out["respondents_job.csv"]), encoding="utf-8-sig")
    assert jobs["level_label"].tolist()[:3] == ["Desk", "Field", "Not stated"]


def test_contrasts_say_estimate_interval_p_adjusted_p_n_and_decision(frames, made) -> None:
    table = made["change_linear"].table
    rows = (
        frames["contrasts"]
        .query("analysis == 'linear' and term == 'change'")
        .set_index(["wave", "organisation", "scale"])
    )
    beside = (
        frames["contrasts"]
        .query("term == 'change_standardised'")
        .set_index(["wave", "organisation", "scale"])
    )
    assert [column.head for column in table.columns] == [
        "Wave",
        "Organisation",
        "Estimate",
        "90% interval",
        "Standardised",
        "p",
        "Adjusted p",
        "Equivalence p",
        "n",
        "Decision",
    ]
    told = set()
    for shown, (place, row) in zip(table.rows, rows.iterrows(), strict=True):
        if pd.isna(row["estimate"]):
            assert shown[-1].text == "–"
            continue
        assert shown[2].text == number(row["estimate"], signed=True)
        assert shown[4].text == number(beside.loc[place, "estimate"], signed=True)
        assert shown[5].text == p_value(row["p_value"]) and shown[6].text == p_value(row["p_adjusted"])
        assert shown[7].text == p_value(row["p_equivalence_adjusted"])
        assert shown[9].text.partition(" ")[2] == decision_words(row["decision"], "change", first="")
        told.add(row["decision"])
    assert told >= {"increase", "decrease", "inconclusive"}


def test_percentages_of_favourable_answers_are_in_percentage_points(frames, made) -> None:
    table = made["gap_percent_favourable"].table
    assert "Percentage points" in [column.head for column in table.columns]
    row = frames["contrasts"].query("term == 'gap_percent_favourable' and estimate.notna()").iloc[0]
    assert number(row["estimate"], signed=True, decimals=1) in {cells[2].text for cells in table.rows}
    assert "±5.0 percentage points" in table.about


def test_a_decision_that_is_not_known_is_shown_as_it_stands() -> None:
    assert decision_words("something_new", "gap", first="") == "something new"


# What stands around


def test_every_table_says_what_its_data_are_and_what_protects_respondents(made, out) -> None:
    for name in made:
        for read in (
            read_html(out[f"{name}.html"]),
            read_docx(out[f"{name}.docx"]),
            read_tex(out[f"{name}.tex"]),
        ):
            assert "Demonstration: " in read.around and "not findings" in read.around, name
            assert "Disclosure rule: counts of an organisation below 5 are withheld" in read.around, name


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            {"threshold": 10},
            "Disclosure rule: counts of an organisation below 10 are withheld, and what would",
        ),
        (
            {"rounding": 3},
            "Disclosure rule: counts of an organisation are rounded at random to multiples of 3; those",
        ),
        ({"public": True}, ""),
    ],
)
def test_the_rule_is_the_study_s(study, frames, rule: dict, said: str) -> None:
    one, *_ = publications({"means": frames["means"]}, choice(study, **rule))
    around = read_docx(written(one, Labels(study))["docx"]).around
    assert said in around and ("Disclosure rule" in around) == bool(said)


def test_observed_data_are_no_demonstration() -> None:
    study = presentation(evidence=(Evidence.OBSERVED,) * 3)
    frames = tables(study)
    made = list(publications(frames, choice(study)))
    assert [one.name for one in made if one.demonstration] == []
    assert "Demonstration" not in written(made[0], Labels(study))["tex"].decode()


def test_means_say_of_how_many_respondents(made) -> None:
    [said] = [line for line in made["means_linear"].below if line.startswith("Respondents (n)")]
    assert "Second round, The left house 50;" in said


def test_notes_are_lettered_and_each_letter_in_a_cell_has_its_note(made) -> None:
    lettered = 0
    for publication in made.values():
        taken = sheet(publication)
        known = [letter for letter, _ in taken.notes]
        used = {
            mark for row in taken.rows for entry in row.entries for mark in entry.marks.split(",") if mark
        }
        assert used == set(known)
        lettered += bool(known)
    assert lettered > 5
    assert [letters_of(place) for place in (0, 25, 26, 27, 701, 702)] == ["a", "z", "aa", "ab", "zz", "aaa"]


def test_a_note_on_the_number_of_every_row_is_said_once_and_without_a_letter(study) -> None:
    rows = tuple((Cell(str(place)), Cell("1.00", 1.0, ("about all",))) for place in range(3))
    table = Table("t", "T", (Column("a"), Column("b", numeric=True)), rows)
    taken = sheet(Publication(table, "t", "G"))
    assert taken.notes == () and taken.lines == ("b: about all",)


def test_what_the_row_above_says_of_the_stub_is_not_said_again_but_in_sections(made) -> None:
    taken = sheet(made["change_linear"])
    starts = [row.section for row in taken.rows]
    assert [section for section in starts if section] == ["Warmth", "Pace"]
    for place, row in enumerate(taken.rows):
        same = place > 0 and row.entries[0].text == taken.rows[place - 1].entries[0].text
        assert row.entries[0].goes_on == (same and not row.section)
        assert not any(entry.goes_on for entry in row.entries[1:])


# On paper


def test_word_has_a_caption_that_it_numbers_and_heads_that_repeat(out) -> None:
    document = docx.Document(io.BytesIO(out["answers_warmth.docx"]))
    caption = document.paragraphs[0]
    assert caption.style.name == "Caption"
    assert "SEQ Table" in caption._p.xml and "Warmth (printed as Table 7)" in caption.text
    [table] = document.tables
    repeated = [row.find(f".//{qn('w:tblHeader')}") is not None for row in table._tbl.tr_lst]
    assert repeated[:2] == [True, True] and not any(repeated[2:])
    assert all(row.find(f".//{qn('w:cantSplit')}") is not None for row in table._tbl.tr_lst)
    assert "Third round (simulated)" in table._tbl.xml


def test_wide_tables_turn_the_page_and_all_fit_on_it(made, out) -> None:
    turned = 0
    for name, publication in made.items():
        page = shape(sheet(publication))
        assert sum(page.widths) <= (TURNED if page.turned else UPRIGHT) + 1, name
        assert page.size >= 6, name
        [section] = docx.Document(io.BytesIO(out[f"{name}.docx"])).sections
        assert (section.orientation == WD_ORIENT.LANDSCAPE) == page.turned
        assert (section.page_width > section.page_height) == page.turned
        assert (r"\begin{landscape}" in body_of(out[f"{name}.tex"])) == page.turned
        turned += page.turned
    assert 0 < turned < len(made)


def test_long_tables_go_over_pages_in_latex_with_heads_on_each(made, out) -> None:
    long = [name for name in made if over_pages(shape(sheet(made[name])))]
    assert "item_change_ordinal" in long and "response_rates" not in long
    for name in made:
        body = body_of(out[f"{name}.tex"])
        assert (r"\begin{longtable}" in body) == (name in long)
        assert (r"\endhead" in body) == (name in long)


def only(*columns: Column, rows: tuple[tuple[Cell, ...], ...]) -> Publication:
    return Publication(Table("t", "T", columns, rows), "t", "G")


def test_a_count_and_its_percentage_stay_on_one_line_and_an_interval_in_one_piece() -> None:
    cells = (Cell("12 (5.0)"), Cell("0.81 (0.76 to 0.86)"), Cell("not estimable"))
    columns = [Column(str(place), numeric=True) for place in range(3)]
    content = written(only(*columns, rows=(cells,)), Labels(presentation()))
    whole = ["12\u00a0(5.0)", "0.81 (0.76\u00a0to\u00a00.86)", "not estimable"]
    table = docx.Document(io.BytesIO(content["docx"])).tables[0]
    assert [cell.text for cell in table.rows[1].cells] == whole
    assert " & ".join(whole).replace("\u00a0", "~") in body_of(content["tex"])


def test_words_behind_numbers_and_groups_beside_each_other_stand_apart() -> None:
    rows = ((Cell("a"), Cell("1"), Cell("2"), Cell("words")),)
    columns = (Column(""), Column("x", "A", numeric=True), Column("y", "B", numeric=True), Column("z"))
    taken = sheet(only(*columns, rows=rows))
    assert [gap > 0 for gap in gaps(taken)] == [False, True, True, True]
    content = written(only(*columns, rows=rows), Labels(presentation()))
    indents = [
        cell._tc.find(f".//{qn('w:ind')}")
        for cell in docx.Document(io.BytesIO(content["docx"])).tables[0].rows[-1].cells
    ]
    assert [indent is not None and int(indent.get(qn("w:left"))) > 0 for indent in indents] == [
        gap > 0 for gap in gaps(taken)
    ]
    assert body_of(content["tex"]).count(r"\leftskip") == 3


def test_bold_words_get_the_room_they_take() -> None:
    def width(tone: str) -> float:
        cell = Cell("RECONSTRUCTED", tone=tone)
        return shape(sheet(only(Column("a"), Column("b"), rows=((cell, Cell("b " * 200)),)))).widths[0]

    assert width("caution") > 1.1 * width("")


def test_a_word_without_end_can_be_broken_in_latex() -> None:
    content = written(only(Column("a"), rows=((Cell("a" * 400),),)), Labels(presentation()))["tex"]
    words = re.split(r"\s|\\allowbreak\{\}", body_of(content))
    assert max(word.count("a") for word in words) <= 24


# Whoever writes the labels


@pytest.fixture(scope="module", params=sorted(HOSTILE))
def hostile(request) -> tuple[str, dict[str, bytes], dict[str, Publication]]:
    """A study in which every label is hostile, and every text that comes with its files."""
    label = HOSTILE[request.param]
    study = presentation(words={"*": label})
    options = {"labels": (label, "Rarely", "Often", "Always"), "short": (label, "RA", "OF", "AL")}
    scales = {name: scale.model_copy(update=options) for name, scale in study.response_scales.items()}
    study = study.model_copy(update={"response_scales": scales})
    kept = (
        *("item_frequencies", "respondents", "response_rates", "missing", "reliability", "means"),
        *("published_tables", "claims", "sensitivity", "scale_use"),
    )
    frames = {name: frame for name, frame in tables(study).items() if name in kept}
    frames["published_tables"] = frames["published_tables"].assign(evidence=f"{label}; by decision: {label}")
    frames["claims"] = frames["claims"].assign(quote=label, evidence=label)
    frames["means"] = frames["means"].assign(note=label)
    frames |= files_read(label)
    frames["titles"] = pd.DataFrame({"table": ["7"], "title": [label]})
    about = Labels(protected(study))
    return (
        visible(label),
        dict(files(frames, about)),
        {one.name: one for one in publications(frames, about)},
    )


def files_read(label: str) -> dict[str, pd.DataFrame]:
    """What became of raw files, whoever named them and what stands in them."""
    here = {"wave": "second", "layout": label, "file": label, "status": "ok"}
    rules = {"column": label, "variable": "warmth_1", "raw": label, "value": "1"}
    return {
        "file_counts": pd.DataFrame([here | {"rows_in": 9, "rows_kept": 8, "rows_set_aside": 1}]),
        "problems": pd.DataFrame([here | {"about": "row", "problem": label, "action": label, "n": 7}]),
        "recodings": pd.DataFrame([here | rules]),
    }


def test_hostile_labels_stand_in_titles_heads_notes_and_sections(hostile) -> None:
    label, _, made = hostile
    columns = made["answers_warmth"].table.columns
    assert label in {visible(column.head) for column in columns}
    assert any(label in visible(column.group) for column in columns)
    assert label in visible(made["printed_7"].table.title)
    assert any(label in visible(note) for note in made["misprints"].table.notes)
    assert any(label in visible(section) for section in made["reliability"].sections)
    assert label in {visible(cells[0].text) for cells in made["response_rates"].table.rows}
    assert label in visible(made["recodings"].table.rows[0][2].text)


def test_every_form_has_hostile_heads_as_they_are(hostile) -> None:
    _, out, made = hostile
    heads = [visible(column.head) for column in made["answers_warmth"].table.columns]
    assert sorted(read_html(out["answers_warmth.html"]).heads) == sorted(heads)
    assert read_docx(out["answers_warmth.docx"]).heads == heads
    assert spaced([read_tex(out["answers_warmth.tex"]).heads]) == spaced(signs_as_in_latex([heads]))


def test_no_label_becomes_markup(hostile) -> None:
    label, out, made = hostile
    allowed = {
        *("html", "head", "meta", "title", "style", "body", "div", "table", "thead", "tbody", "tfoot"),
        *("tr", "th", "td", "span", "sup", "bdi", "abbr", "h1", "h2", "ul", "li", "a", "p", "strong"),
    }
    for name, content in out.items():
        if not name.endswith(".html"):
            continue
        page = html.document_fromstring(content.decode())
        assert {element.tag for element in page.iter()} <= allowed, name
        attributes = {key for element in page.iter() for key in element.attrib}
        assert not {key for key in attributes if key.startswith("on") or key in {"src", "action"}}
        styles = "".join(style.text for style in page.iter("style"))
        assert label not in styles and "url(" not in styles and "@import" not in styles
    for name, publication in made.items():
        assert read_html(out[f"{name}.html"]).rows == expected(publication), name
    assert label in read_html(out["answers_warmth.html"]).around


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(hostile) -> None:
    label, out, _ = hostile
    seen = False
    for name, content in out.items():
        if name.endswith(".csv"):
            read = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", dtype="str", keep_default_na=False)
            for column in read:
                texts = [text for text in (column, *read[column]) if not re.fullmatch(r"-?[\d.e+-]+", text)]
                assert not [text for text in texts if text.lstrip().startswith(("=", "+", "-", "@", "\t"))]
                seen = seen or any(label in text for text in texts)
    assert seen


def test_word_opens_whatever_stands_in_it(hostile) -> None:
    label, out, made = hostile
    for name, publication in made.items():
        assert read_docx(out[f"{name}.docx"]).rows == expected(publication), name
    assert label in read_docx(out["answers_warmth.docx"]).around


def test_latex_prints_labels_and_runs_none_of_them(hostile) -> None:
    _, out, made = hostile
    for name, publication in made.items():
        body = body_of(out[f"{name}.tex"])
        assert set(commands(body)) <= set(PRINTED) | STRUCTURE, name
        tokens = TOKEN.findall(body)
        assert tokens.count("{") == tokens.count("}")
        assert not {"%", "$", "#", "_", "^"} & set(tokens), name
        open_parts: list[str] = []
        for command, part in re.findall(r"\\(begin|end)\{(\w+)\}", body):
            if command == "begin":
                open_parts.append(part)
            else:
                assert open_parts.pop() == part, name
        assert open_parts == []
        assert read_tex(out[f"{name}.tex"]).rows == signs_as_in_latex(expected(publication)), name


def test_every_row_of_latex_has_as_many_cells_as_there_are_columns(hostile) -> None:
    _, out, made = hostile
    for name, publication in made.items():
        size = len(publication.table.columns)
        for line in body_of(out[f"{name}.tex"]).split("\n"):
            if re.search(r" \\\\\*?$", line):
                spans = [int(span) for span in re.findall(r"\\multicolumn\{(\d+)\}", line)]
                cells = sum(token == "&" for token in TOKEN.findall(line)) + 1
                assert cells + sum(spans) - len(spans) == size, (name, line)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_printed_by_latex_as_it_stands(text: str) -> None:
    shown = visible(text)
    assert as_printed(escaped(shown)) == shown.replace("✗", "×")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80))
def test_any_text_stands_in_word_as_it_is(text: str) -> None:
    table = Table("t", text, (Column(text),), ((Cell(text),),))
    read = read_docx(written(Publication(table, "t", "G"), Labels(presentation()))["docx"])
    assert read.rows == [[visible(text)]]


# Always the same


def test_the_same_tables_give_the_same_bytes(study, frames, out) -> None:
    again = dict(files(tables(presentation()), choice(presentation())))
    assert list(again) == list(out)
    assert [name for name in out if out[name] != again[name]] == []


def test_no_file_says_when_it_was_made(out) -> None:
    with zipfile.ZipFile(io.BytesIO(out["answers_warmth.docx"])) as archive:
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    properties = docx.Document(io.BytesIO(out["answers_warmth.docx"])).core_properties
    assert properties.created == properties.modified and properties.created.year == 1980
    assert properties.author == "" and properties.title == "Warmth (printed as Table 7)"


def test_pages_load_nothing(out) -> None:
    for name, content in out.items():
        if name.endswith(".html"):
            text = content.decode()
            assert "default-src 'none'" in text and "http://" not in text and "https://" not in text, name


def test_the_folder_of_the_rule_is_the_folder_of_the_documents() -> None:
    root = Path(__file__).parent.parent
    assert 'directory("results/tables")' in (root / "workflow/rules/tables.smk").read_text()
    assert "results/tables" in (root / "docs/tables.md").read_text()
