"""Every number in the words of the report is found again in a released table, or stands in the study's own words.

What a sentence inserts carries where it was taken from, and is looked up again here; every other number must stand in
a text of the study or of a released table. That a number written into a sentence or a template is found out is shown
by doing it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import pypandoc
import pytest
from lxml import html

from surveywaves.catalogue import SECTIONS
from surveywaves.files import read
from surveywaves.findings import counted
from surveywaves.report import sections as made_of
from surveywaves.report.build import packages
from surveywaves.report.numbers import Material, Section, escape
from surveywaves.report.sections import TEMPLATES, sections, strip
from surveywaves.report.summary import headline
from surveywaves.study import load_study
from surveywaves.study.parts import Presentation
from surveywaves.words import Labels, lower, shortened
from synthetic_report import DISCLOSURE, presentation, tables, withheld

DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?(?<!,)")
MARKDOWN = "commonmark+fenced_divs+bracketed_spans+attributes+raw_attribute"


# --- where numbers come from ------------------------------------------------------------------------------------


def looked_up(span: Mapping[str, str], made: Material) -> float:
    """Take the number that a span names from the tables, or from the study."""
    take, _, columns = span["data-take"].partition(":")
    if span["data-from"] == "study":
        value = 1 - made.presentation.confidence if take == "alpha" else getattr(made.presentation, take)
        return float(len(value) if hasattr(value, "__len__") else value)
    rows = made.tables[span["data-from"]]
    for name, wanted in json.loads(span["data-where"]).items():
        column = rows[name.rstrip("<>=!")]
        if name.endswith("="):
            rows = rows[(column == rows[wanted]).fillna(False)]
        elif name.endswith("!"):
            rows = rows[column != wanted]
        elif name.endswith(("<", ">")):
            rows = rows[((column < wanted) if name.endswith("<") else (column > wanted)).fillna(False)]
        else:
            rows = rows[column.isin(wanted if isinstance(wanted, list) else [wanted])]
    if take == "count":
        return float(len(rows))
    if take == "distinct":
        return float(len(rows.groupby(columns.split(","))))
    cells = rows[columns].astype("float64")
    if take in ("sum", "largest"):
        return float(cells.sum() if take == "sum" else cells.abs().max())
    (cell,) = cells
    return 1 - cell if take == "rest" else cell


def written(text: str) -> tuple[float, float]:
    """Read a number as a sentence has it: its size, and half of its last digit."""
    for number in range(10):
        if text == counted(number):
            return float(number), 0.0
    digits = re.sub(r"[^\d.]", "", text)
    return float(digits), 0.5001 * 10.0 ** -len(digits.partition(".")[2])


def strange(text: str, made: Material, known: list[str]) -> Iterator[str]:
    """Go through the numbers of Markdown that come from nowhere, or are not what they say that they are."""
    page = html.fromstring(f"<div>{pypandoc.convert_text(text, 'html', MARKDOWN)}</div>")
    for span in page.xpath("//span[@class='n']"):
        said, value = span.text_content(), looked_up(span.attrib, made)
        size, half = written(said)
        full = float(span.get("data-value"))
        if full != pytest.approx(value, rel=1e-12) or ("−" in said) != (value < 0 < size):
            yield f"{said} is not what {dict(span.attrib)} gives: {value}"
        elif not any(abs(abs(value) * times - size) <= half for times in (1, 100)):
            yield f"{said} is not how {value} is written"
        span.drop_tree()
    for part in page.xpath("//p | //li | //h1 | //h2 | //h3"):
        left = re.sub(r"\[\[\w+:[\w-]+\]\]", "", " ".join(part.text_content().split()))
        for one in known:
            left = left.replace(one, "") if DIGITS.search(left) else left
        if DIGITS.search(left):
            yield left


def texts(value: Any) -> Iterator[str]:
    """Go through the texts of the study."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from (str(key), *texts(part))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value


def own(made: Material) -> list[str]:
    """List the texts with a number that may be said as they stand, the longest first."""
    labels = Labels(made.presentation)
    found = {*texts(made.presentation.model_dump(mode="json")), made.disclosure, "(1 | respondent)"}
    found |= {re.sub(r"^(?:#+|-) |\*", "", line.strip()) for line in made.limitations.splitlines()}
    found |= {f"{name} {version}" for name, version in made.session.items()}
    for frame in made.tables.values():
        for column in frame.select_dtypes(["object", "string"]):
            found |= {labels.readable(str(text)) for text in frame[column].dropna().unique()}
    found |= {change(text) for text in found for change in (shortened, lower)}
    folded = {" ".join(text.split()) for text in found}
    named = (text for text in folded if DIGITS.search(text) and re.search(r"[^\W\d_]", text))
    return sorted(named, key=lambda text: (-len(text), text))


def unfounded(made: Material) -> list[str]:
    """List every text of the report that holds a number which comes from nowhere."""
    known = own(made)
    told = [Section("strip", "", strip(made)), *sections(made)]
    return [f"{part.name}: {wrong}" for part in told for wrong in strange(part.text, made, known)]


# --- the shipped study, and others ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(finished: Path) -> Material:
    released = finished / "results/released"
    frames = {path.stem: read(str(path)) for path in sorted(released.glob("*.parquet"))}
    summary = read(str(released / "disclosure_summary.csv"))
    frames["disclosure_summary"] = summary.astype(dict.fromkeys(("shown", "withheld", "rounded"), "int64"))
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(finished)
        study = Presentation.of(load_study(Path("config")))
    return Material(
        frames,
        study,
        limitations=(finished / "config/report/limitations.md").read_text(encoding="utf-8"),
        disclosure=(released / "disclosure.txt").read_text(encoding="utf-8").strip(),
        session=packages(),
    )


def synthetic(**options: Any) -> Material:
    study = presentation(**options)
    return Material(tables(study, published=options.get("published", True)), study, disclosure=DISCLOSURE)


def test_every_number_in_the_words_of_the_shipped_report_is_found_again(shipped: Material) -> None:
    assert len(re.findall(r"\{\.n ", " ".join(part.text for part in sections(shipped)))) > 150
    assert unfounded(shipped) == []


STUDIES: Mapping[str, Mapping[str, Any]] = {
    "three organisations": {},
    "one organisation": {"organisations": ("left",)},
    "one wave": {"waves": 1, "published": False},
    "two waves": {"waves": 2, "published": False},
}


@pytest.mark.parametrize("options", STUDIES.values(), ids=STUDIES.keys())
def test_every_number_of_another_study_is_found_again(options: Mapping[str, Any]) -> None:
    made = synthetic(**options)
    assert [part.name for part in sections(made)][:2] == ["summary", "first"]
    assert unfounded(made) == []


def test_what_is_withheld_leaves_no_number_and_no_gap_in_the_words() -> None:
    made = synthetic()
    hidden = Material(withheld(made.tables), made.presentation, disclosure=DISCLOSURE)
    assert unfounded(hidden) == []
    assert not re.search(r"\bnan\b|\bNone\b|<NA>", " ".join(part.text for part in sections(hidden)))


def test_a_study_without_any_table_has_words_and_a_headline() -> None:
    made = Material({}, presentation())
    assert headline(made) == made.presentation.title
    assert unfounded(made) == []


def test_no_label_is_markup() -> None:
    hostile = "*no* [x](http://x) <b>b</b> # ` {.n} [[table:x]] {{ 7 }} 1. $x$"
    made = synthetic(words={"*": hostile})
    for part in sections(made):
        page = html.fromstring(f"<div>{pypandoc.convert_text(part.text, 'html', MARKDOWN)}</div>")
        assert not page.xpath(
            "//b | //code | //em | //a[not(starts-with(@href, '#') or starts-with(@href, '../'))]"
        )
        assert "[[table:x]]" not in part.text
        for text in (part.text_content() for part in page.xpath("//h3")):
            assert " ".join(text.split()) in (hostile, "Statements outside the scales")


# --- a number from nowhere is found out -------------------------------------------------------------------------


def templates() -> Iterator[Path]:
    yield from sorted([*TEMPLATES.glob("*.md.j2"), *TEMPLATES.glob("_*.jinja")])


def digits_in(template: Path) -> list[str]:
    """List the pieces of a template with a digit: its words, and words in what it inserts."""
    lexed = jinja2.Environment().lex(template.read_text(encoding="utf-8"))
    return [text for _, kind, text in lexed if kind in ("data", "string") and re.search(r"\d", text)]


def test_no_template_holds_a_digit() -> None:
    assert {path.name.partition(".")[0] for path in templates()} == {
        *SECTIONS,
        "_said",
        "_strip",
        "sheet",
        "sheets",
    }
    assert {path.name: found for path in templates() if (found := digits_in(path))} == {}


def test_a_number_written_into_a_template_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = Path(shutil.copytree(TEMPLATES, tmp_path / "sections"))
    changed = copied / "first.md.j2"
    changed.write_text(f"There were 7 of them.\n\n{changed.read_text(encoding='utf-8')}", encoding="utf-8")
    assert digits_in(changed)
    made_of._environment.cache_clear()
    monkeypatch.setattr(made_of, "TEMPLATES", copied)
    assert any("There were 7 of them" in wrong for wrong in unfounded(synthetic()))
    made_of._environment.cache_clear()


SENTENCES = {
    "as a word": escape("It rose by 5 points."),
    "not what the table has": '[4]{.n data-value="4" data-from="response_rates" data-take="count" data-where="{}"}',
    "not as it is written": '[30]{.n data-value="3" data-from="response_rates" data-take="count" data-where="{}"}',
    "without its source": "It rose by 5 points.",
}


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES.keys())
def test_a_number_written_into_a_sentence_is_found_out(sentence: str) -> None:
    made = synthetic()
    assert list(strange(sentence, made, own(made)))


# --- nothing but what is released -------------------------------------------------------------------------------

UNRELEASED = ("ingest", "harmonised", "pooled", "statistics", "audit", "disclosure", "exports")
"""Rooms of the results that hold small counts or people's answers."""


@pytest.mark.parametrize("rule", ["figures", "tables", "report"])
def test_what_people_see_is_made_of_what_is_released(rule: str, finished: Path) -> None:
    record = json.loads((finished / f"results/logs/{rule}.log").read_text(encoding="utf-8"))
    read_ = [path.removeprefix("results/") for path in record["inputs"] if path.startswith("results/")]
    assert any(path.startswith("released/") for path in read_)
    rooms = {path.partition("/")[0] for path in read_ if path != "pooled/codebook.tsv"}
    assert not rooms & set(UNRELEASED)
    assert rooms <= {"released", "figures"}


def test_the_codebook_that_the_report_reads_holds_no_row_of_a_respondent(finished: Path) -> None:
    codebook = read(str(finished / "results/pooled/codebook.tsv"))
    responses = pd.read_parquet(finished / "results/pooled/responses.parquet")
    assert set(codebook["variable"]) <= set(responses.columns)
    assert codebook["variable"].is_unique
    cells = {str(cell) for column in codebook for cell in codebook[column]}
    assert not cells & set(responses["respondent"].astype(str))
