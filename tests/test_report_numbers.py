"""Every number that the shipped report says is found again in a table of results, by what the number says of itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lxml import etree, html

from surveywaves.report.figures import figure_data
from surveywaves.script import read
from surveywaves.study import load_study
from surveywaves.study.parts import Presentation
from test_report import looked_up, own_words, stated

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?<!,)")
AXES = re.compile(r"Vertical axes show part of the response range: [^;.]*(?:\.\d[^;.]*)*\.")
"""Says what an axis shows, which is no result."""


@pytest.fixture(scope="module")
def frames(finished: Path) -> dict[str, pd.DataFrame]:
    released = finished / "results/released"
    tables = {path.stem: read(str(path)) for path in sorted(released.glob("*.parquet"))}
    return tables | {"disclosure_summary": read(str(released / "disclosure_summary.csv"))}


@pytest.fixture(scope="module")
def study(finished: Path) -> Iterator[Presentation]:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(finished)
        yield Presentation.of(load_study(Path("config")))


@pytest.fixture(scope="module")
def tree(finished: Path) -> html.HtmlElement:
    return html.document_fromstring((finished / "results/report/index.html").read_text(encoding="utf-8"))


def test_every_number_of_the_shipped_report_is_found_again_in_its_table(tree, frames, study) -> None:
    numbers = tree.xpath("//main//data")
    assert len(numbers) > 50
    wrong = []
    for number in numbers:
        found = looked_up(number, frames, study)
        shown = [float(part.replace(",", "")) for part in re.findall(r"[\d.,]*\d", number.text)]
        fits = [abs(abs(found) * times - shown[0]) <= (0.051 if times > 1 else 0.0051) for times in (1, 100)]
        if found != pytest.approx(float(number.get("value")), rel=1e-12) or len(shown) != 1 or not any(fits):
            wrong.append((number.text, dict(number.attrib), found))
    assert wrong == []


def test_no_sentence_of_the_shipped_report_holds_a_number_of_its_own(tree) -> None:
    sentences = [own_words(sentence) for sentence in stated(tree)]
    assert len(sentences) > 50
    assert [sentence for sentence in sentences if re.search(r"\d", sentence)] == []


def texts(value: Any) -> Iterator[str]:
    """Go through the texts of the study."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)
    elif value is not None:
        yield str(value)


def written(frame: pd.DataFrame) -> set[str]:
    """Write the numbers of a table in every way that a report may, and give those that stand in its texts."""
    found: set[str] = set()
    for column in frame:
        for value in frame[column].dropna().unique():
            if isinstance(value, str):
                found.update(NUMBER.findall(value))
            else:
                for times in (1, 100):
                    found.update(f"{abs(float(value)) * times:,.{decimals}f}" for decimals in range(4))
    return found


def test_words_that_stand_in_a_sentence_hold_no_number_but_those_of_the_study_and_its_tables(
    tree, frames, study, finished: Path
) -> None:
    limitations = finished / "config/report/limitations.md"
    known = {number for text in texts(study.model_dump(mode="json")) for number in NUMBER.findall(text)}
    known |= set(NUMBER.findall(limitations.read_text(encoding="utf-8")))
    known |= set(NUMBER.findall((finished / "results/released/disclosure.txt").read_text(encoding="utf-8")))
    # The texts of the tables (notes, reasons) may be quoted; their numbers may not: these are looked up.
    known |= {
        number
        for frame in frames.values()
        for column in frame.select_dtypes(["object", "string"])
        for text in frame[column].dropna().unique()
        for number in NUMBER.findall(str(text))
    }
    quoted = [part for sentence in stated(tree) for part in sentence.xpath(".//bdi[not(.//data)]")]
    assert len(quoted) > 50
    strange = [
        etree.tostring(part, encoding="unicode", with_tail=False)
        for part in quoted
        if not set(NUMBER.findall(part.text_content())) <= known
    ]
    assert strange == []


def medians(frame: pd.DataFrame) -> set[str]:
    """Give the median over the scales of each estimate, which a caption may say in whole people.

    Where no number is enough there is no estimate: that scale counts among the highest.
    """
    if "estimate" not in frame or frame.empty:
        return set()
    estimates = (
        frame["estimate"].fillna(math.inf).groupby([frame[name] for name in ("term", "wave", "organisation")])
    )
    middle = [value for value in estimates.median() if math.isfinite(value)]
    return {f"{whole:,}" for value in middle for whole in (math.floor(value), math.ceil(value))}


def test_every_number_of_a_caption_stands_in_the_rows_that_the_figure_draws(
    frames, study, finished: Path
) -> None:
    own = {number for text in texts(study.model_dump(mode="json")) for number in NUMBER.findall(text)}
    own.add(f"{100 * study.confidence:.0f}")
    wrong = {}
    for words in read(str(finished / "results/figures/captions.tsv")).to_dict("records"):
        data = figure_data(words["figure"], frames, study)
        # A caption counts rows, too: of a table, and of each of its verdicts.
        counts = {f"{count:,}" for column in data for count in data[column].astype(str).value_counts()}
        said = set(NUMBER.findall(AXES.sub("", f"{words['title']}. {words['caption']}")))
        if strange := said - own - written(data) - counts - medians(data) - {f"{len(data):,}"}:
            wrong[words["figure"]] = sorted(strange)
    assert wrong == {}
