"""Every number in the report's text is found again in a released table, in the study's own words, or in nothing at all.

What stands beside a number says where it was taken from; words that hold a number must be the study's, or those of a
released table. That a number written into a sentence, a template or a table's words is found out is shown by doing it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pandas as pd
import pytest
from lxml import html
from markupsafe import Markup

from surveywaves.files import read
from surveywaves.report import assemble, render, typeset
from surveywaves.report.material import Bullets, Paragraph, Report, Section, say
from surveywaves.study import load_study
from surveywaves.study.parts import Presentation
from surveywaves.terms import CUTS
from surveywaves.words import Labels
from synthetic_report import DISCLOSURE, SVG, TEMPLATES, captions, presentation, tables
from test_report import looked_up
from test_report_pdf import bare, needs_poppler, pdftotext

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?<!,)")
AXES = re.compile(r"Vertical axes show part of the response range: [^;.]*(?:\.\d[^;.]*)*\.")
"""Says what an axis shows, which is no result."""

TEXTS = " | ".join(f"//body//{kind}" for kind in ("p", "li", "dt", "dd", "h1", "h2", "h3", "h4", "summary"))
"""Where the page has text that is neither in a table nor in a drawing."""


def texts(value: Any) -> Iterator[str]:
    """Go through the texts of the study, and its numbers."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)
    elif value is not None:
        yield str(value)


def written(cells: Iterable[Any]) -> set[str]:
    """Write numbers in every way that a report may, and give those that stand in texts."""
    found: set[str] = set()
    for value in cells:
        try:
            plain = abs(float(value))
        except (TypeError, ValueError):
            found.update(NUMBER.findall(str(value)))
        else:
            if math.isfinite(plain):
                for times in (1, 100):
                    found.update(f"{plain * times:,.{decimals}f}" for decimals in range(4))
    return found


@dataclass(frozen=True)
class Sources:
    """What a report's numbers may come from.

    Parameters
    ----------
    frames
        Released tables by name, and the codebook.
    study
        The study in words.
    quoted
        Texts that are shown as they stand: captions, limitations, the sentence on what was withheld.
    """

    frames: Mapping[str, pd.DataFrame]
    study: Presentation
    quoted: tuple[str, ...]

    @cached_property
    def own(self) -> set[str]:
        """Numbers of the study's words and settings."""
        study = self.study
        return written((*texts(study.model_dump(mode="json")), study.confidence, 1 - study.confidence))

    @cached_property
    def known(self) -> tuple[str, ...]:
        """Texts with a number that may be said as they stand: the study's, and those of released tables."""
        labels = Labels(self.study)
        found = {*texts(self.study.model_dump(mode="json")), *self.quoted}
        found |= {f"Table {item.published_table}" for item in self.study.items.values()}
        found.add("(1 | respondent)")  # how a formula writes a random effect
        for frame in self.frames.values():
            for column in frame.select_dtypes(["object", "string"]):
                for text in frame[column].dropna().unique():
                    said = labels.readable(str(text))
                    # A reason and the cells that it holds for may be put together anew.
                    found |= {said, *said.split("; "), *said.split(": ", 1)}
        folded = {" ".join(text.split()) for text in found}
        named = {text for text in folded if NUMBER.search(text) and re.search(r"[^\W\d_]", text)}
        return tuple(sorted(named, key=lambda text: (-len(text), text)))

    def unknown(self, text: str) -> set[str]:
        """Give the numbers that are left of a text when what may be said as it stands is taken out."""
        left = " ".join(text.split())
        if NUMBER.search(left):
            for known in self.known:
                left = left.replace(known, "")
        return set(NUMBER.findall(left))


def unfounded(page: html.HtmlElement, sources: Sources) -> list[str]:
    """List every text of a page that holds a number which comes from nowhere."""
    return [*_sentences(page, sources), *_around_tables(page, sources)]


def _sentences(page: html.HtmlElement, sources: Sources) -> Iterator[str]:
    """Go through what is wrong in sentences, headings and lists."""
    for sentence in page.xpath(TEXTS):
        if sentence.xpath("ancestor::*[contains(@class, 'table')] | ancestor::svg"):
            continue
        for number in sentence.xpath(".//data"):
            if not _found_again(number, sources):
                yield f"{number.text} is not what {dict(number.attrib)} gives"
        text = _left(sentence, ".//data | .//bdi | .//code | .//span[@class='number']")
        rows = re.search(r"\((\d+) rows?\)$", text)
        if rows and sentence.get("class") == "download":
            if int(rows[1]) != len(_download(sentence)) - 1:
                yield f"{text}: the data have {len(_download(sentence)) - 1}"
        elif sources.unknown(text):
            yield " ".join(sentence.text_content().split())
        yield from (
            f"{part.text_content()} in {sentence.text_content()}"
            for part in sentence.xpath(".//bdi[not(.//data)] | .//code")
            if sources.unknown(part.text_content())
        )


def _found_again(number: html.HtmlElement, sources: Sources) -> bool:
    """Whether a number is what its source gives, in full and as it is written."""
    found = looked_up(number, dict(sources.frames), sources.study)
    shown = [float(part.replace(",", "")) for part in re.findall(r"[\d.,]*\d", number.text)]
    fits = len(shown) == 1 and any(
        abs(abs(found) * times - shown[0]) <= (0.051 if times > 1 else 0.0051) for times in (1, 100)
    )
    return fits and found == pytest.approx(float(number.get("value")), rel=1e-12)


def _around_tables(page: html.HtmlElement, sources: Sources) -> Iterator[str]:
    """Go through what is wrong in the words above, in the heads of, and below tables: their own rows must have it."""
    for box in page.xpath("//div[contains(concat(' ', @class, ' '), ' table ')]"):
        rows = _download(box)
        cells = {cell for row in rows[1:] for cell in row}
        counts = {f"{column.count(cell):,}" for column in zip(*rows[1:], strict=True) for cell in set(column)}
        distinct = {f"{len(set(column)):,}" for column in zip(*rows[1:], strict=True)}
        may = written(cells) | counts | distinct | sources.own | {f"{len(rows) - 1:,}"}
        if box.get("id").startswith("table-answers") and "published_tables" in sources.frames:
            may |= set(sources.frames["published_tables"]["printed"])  # a note quotes what is misprinted
        for part in box.xpath(".//caption/div | .//thead//th | .//ul[@class='notes']/li"):
            text = _left(part, ".//span[@class='number'] | .//sup")
            if strange := sources.unknown(text) - may:
                yield f"{box.get('id')}: {sorted(strange)} in {text}"


def _left(element: html.HtmlElement, gone: str) -> str:
    """Give the text of an element without some of its parts."""
    kept = html.fromstring(html.tostring(element, encoding="unicode", with_tail=False))
    for part in kept.xpath(gone):
        part.drop_tree()
    return " ".join(kept.text_content().split())


def _download(box: html.HtmlElement) -> list[list[str]]:
    """Read the data that can be taken away of a table or figure."""
    links = box.xpath(".//a[@download]/@href")
    if not links:
        return [[], []]
    plain = unquote_to_bytes(links[0].partition(",")[2]).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(plain, newline="")))


# --- the shipped report -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frames(finished: Path) -> dict[str, pd.DataFrame]:
    released = finished / "results/released"
    summary = read(str(released / "disclosure_summary.csv"))
    return {
        **{path.stem: read(str(path)) for path in sorted(released.glob("*.parquet"))},
        "disclosure_summary": summary.astype(dict.fromkeys(("shown", "withheld", "rounded"), "int64")),
        "codebook": read(str(finished / "results/pooled/codebook.tsv")),
    }


@pytest.fixture(scope="module")
def study(finished: Path) -> Iterator[Presentation]:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(finished)
        yield Presentation.of(load_study(Path("config")))


@pytest.fixture(scope="module")
def sources(finished: Path, frames, study) -> Sources:
    words = read(str(finished / "results/figures/captions.tsv"))
    printed = read(str(finished / "resources/published/table_titles.csv"))
    return Sources(
        frames,
        study,
        (
            *words["title"],
            *words["caption"],
            *printed["title"],
            *(finished / "config/report/limitations.md").read_text(encoding="utf-8").splitlines(),
            (finished / "results/released/disclosure.txt").read_text(encoding="utf-8"),
        ),
    )


@pytest.fixture(scope="module")
def page(finished: Path) -> html.HtmlElement:
    return html.document_fromstring((finished / "results/report/index.html").read_text(encoding="utf-8"))


def test_every_number_in_the_text_of_the_shipped_report_is_found_again(page, sources) -> None:
    assert len(page.xpath("//main//data")) > 50
    assert len([one for one in page.xpath(TEXTS) if re.search(r"\d", one.text_content())]) > 200
    assert unfounded(page, sources) == []


def test_the_sentence_on_what_was_withheld_stands_in_the_report(page, finished: Path) -> None:
    said = (finished / "results/released/disclosure.txt").read_text(encoding="utf-8")
    assert " ".join(said.split()) in " ".join(page.text_content().split())


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
    own |= {f"{100 * study.confidence:.0f}", *(f"{cut:g}" for cuts in CUTS.values() for cut in cuts)}
    wrong = {}
    for words in read(str(finished / "results/figures/captions.tsv")).to_dict("records"):
        data = pd.read_csv(
            finished / f"results/figures/{words['figure']}.csv", keep_default_na=False, na_values=[""]
        )
        # A caption counts rows, too: of a table, and of each of its verdicts.
        counts = {f"{count:,}" for column in data for count in data[column].astype(str).value_counts()}
        said = set(NUMBER.findall(AXES.sub("", f"{words['title']}. {words['caption']}")))
        shown = written(value for column in data for value in data[column].dropna().unique())
        if strange := said - own - shown - counts - medians(data) - {f"{len(data):,}"}:
            wrong[words["figure"]] = sorted(strange)
    assert wrong == {}


HEADS = re.compile(
    r"^Page \d+ of \d+$|^.+(?:contains invented data, not findings|Observed data)$"
    r"|^(?:Table|Figure) \d+\.?(?= )|^\d+(?:\.\d+)? (?=[A-Z])",
    re.MULTILINE,
)
"""What only paper has: heads and feet of pages, numbers of headings, tables and figures."""

WORD = re.compile(r"[^\W\d_]{2,}")


def only_on_paper(page: html.HtmlElement, paper: Path) -> list[str]:
    """List the numbers between words of the PDF that the page has neither behind nor before the same words."""
    screen = html.fromstring(html.tostring(page, encoding="unicode"))
    for gone in screen.xpath("//script | //style | //span[@class='number']"):
        gone.drop_tree()
    for head in screen.xpath("//abbr[@title]"):
        head.tail = f": {head.get('title')}; {head.tail or ''}"  # on paper it stands below the table
    there = bare(screen.text_content()).casefold()
    words = HEADS.sub("", pdftotext(paper, "-raw")).split()
    wrong, seen = [], 0
    for place in range(2, len(words) - 2):
        before, after = words[place - 2 : place], words[place + 1 : place + 3]
        if not NUMBER.search(words[place]) or not all(
            WORD.search(word) and not NUMBER.search(word) for word in (*before, *after)
        ):
            continue
        seen += 1
        sides = ([*before, words[place]], [words[place], *after])
        if not any(bare("".join(side)).casefold() in there for side in sides):
            wrong.append(" ".join((*before, words[place], *after)))
    assert seen > 20
    return wrong


@needs_poppler
def test_paper_says_no_number_that_the_page_does_not_say(page, finished: Path) -> None:
    assert only_on_paper(page, finished / "results/report/report.pdf") == []


# --- a number from nowhere is found out -------------------------------------------------------------------------


@cache
def made_up() -> tuple[Report, Sources]:
    """Put together a report and what its numbers may come from, once: nobody changes either."""
    study = presentation()
    frames = tables(study)
    words = captions({"response": "Respondents"})
    report = assemble(frames, words, {"response": SVG}, study, disclosure=DISCLOSURE)
    quoted = (*words["title"], *words["caption"], DISCLOSURE)
    return report, Sources(frames, study, quoted)


def of(report: Report, templates: Path = TEMPLATES) -> html.HtmlElement:
    return html.document_fromstring(render(report, templates=templates))


def test_a_report_of_a_made_up_study_holds_no_number_from_nowhere_either() -> None:
    report, sources = made_up()
    assert unfounded(of(report), sources) == []


@pytest.mark.parametrize(
    "sentence",
    [
        Markup("It rose by 5 points."),
        Markup("It rose by <strong>0.05</strong> points."),
        say("It rose by {size}.", size="5 points"),
        say("It rose by {size}.", size="5"),
        Markup(
            '<data value="4" data-from="response_rates" data-take="count" data-where="{}">4</data> waves.'
        ),
        Markup(
            '<data value="3" data-from="response_rates" data-take="count" data-where="{}">30</data> waves.'
        ),
    ],
    ids=["plain", "strong", "in a word", "as a word", "not what the table has", "not as it is written"],
)
def test_a_number_written_into_a_sentence_is_found_out(sentence: Markup) -> None:
    report, sources = made_up()
    for block in (Paragraph(sentence), Bullets((sentence,))):
        changed = dataclasses.replace(report, sections=(Section("x", "More", (block,)), *report.sections))
        assert len(unfounded(of(changed), sources)) >= 1


TEMPLATE_CHANGES = {
    "page": ("page.html.j2", '<main id="main" tabindex="-1">', "<p>There were 7 of them in the end.</p>"),
    "heading": ("page.html.j2", '<main id="main" tabindex="-1">', "<h2>The 7 of them</h2>"),
    "block": ("blocks.html.j2", "<ul>\n", "<li>There were 7 of them in the end.</li>"),
    "table": ("table.html.j2", "<caption>", '<div class="about">There were 98765 of them.</div>'),
    "footer": ("page.html.j2", "<footer>", "<p>There were 7 of them in the end.</p>"),
}


@pytest.mark.parametrize("name", TEMPLATE_CHANGES)
def test_a_number_written_into_a_template_of_the_page_is_found_out(name: str, tmp_path: Path) -> None:
    report, sources = made_up()
    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    file, after, number = TEMPLATE_CHANGES[name]
    text = (templates / file).read_text(encoding="utf-8")
    assert after in text
    (templates / file).write_text(text.replace(after, f"{after}{number}"), encoding="utf-8")
    assert unfounded(of(report, templates), sources)


@needs_poppler
def test_a_number_written_into_the_template_of_the_paper_is_found_out(tmp_path: Path) -> None:
    report, _ = made_up()
    page, paper = of(report), tmp_path / "report.pdf"
    paper.write_bytes(typeset(report, templates=TEMPLATES))
    assert only_on_paper(page, paper) == []
    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    text = (templates / "report.typ").read_text(encoding="utf-8")
    after = "#par(report.description)\n"
    assert after in text
    (templates / "report.typ").write_text(
        text.replace(after, f"{after}There were 7 of them in the end.\n"), encoding="utf-8"
    )
    paper.write_bytes(typeset(report, templates=templates))
    assert "There were 7 of them" not in page.text_content()
    assert only_on_paper(page, paper) == ["There were 7 of them"]


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
