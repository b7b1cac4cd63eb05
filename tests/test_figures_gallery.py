"""The page of figures in the documentation: what the pipeline writes, of what it draws, and no markup from labels."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from conftest import REPOSITORY
from drawn_studies import named, study_of
from surveywaves.catalogue import TABLES
from surveywaves.figures.exhibit import FOLDER, exhibited, page, tables_of
from surveywaves.figures.names import names
from surveywaves.study import load_study
from surveywaves.study.parts import Presentation
from surveywaves.text import plain

PAGE = REPOSITORY / "docs/figures.md"
MOST = 2_500_000
"""Bytes of all pictures."""


@pytest.fixture(scope="module")
def shipped() -> Presentation:
    return Presentation.of(load_study(REPOSITORY / "config"))


def captions_of(study: str) -> pd.DataFrame:
    return pd.DataFrame([drawing.words for drawing in named(study).drawings.values()])


def test_the_page_in_the_repository_is_what_the_pipeline_writes(
    finished: Path, shipped: Presentation
) -> None:
    captions = pd.read_csv(
        finished / "results/figures/captions.tsv", sep="\t", dtype=str, keep_default_na=False
    )
    written = page(captions, exhibited(shipped, published=True), shipped.title)
    assert PAGE.read_text(encoding="utf-8") == written, "run: snakemake --cores 1 gallery"


def test_the_pictures_in_the_repository_are_those_of_the_page_and_small(shipped: Presentation) -> None:
    pictures = sorted((REPOSITORY / "docs" / FOLDER).iterdir())
    assert sorted(path.stem for path in pictures) == sorted(exhibited(shipped, published=True))
    assert sum(path.stat().st_size for path in pictures) < MOST
    linked = re.findall(r"\]\((figures/[\w.]+)\)", PAGE.read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(f"{FOLDER}/{path.name}" for path in pictures)
    for path in pictures:
        words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8")))
        assert "demonstration data" in words, f"{path.name} does not say that it is one"


def test_one_figure_of_each_kind_is_chosen(shipped: Presentation) -> None:
    for study in (
        shipped,
        named("plain").study,
        named("hostile").study,
        study_of(waves=1, organisations=1, scales=1),
    ):
        chosen = exhibited(study, published=True)
        every = names(study, published=True)
        kinds = {name.partition("_")[0] for name in every}
        assert {name.partition("_")[0] for name in chosen} == kinds
        assert [name for name in every if name in chosen] == list(chosen), "in the order of the figures"
        assert len([name for name in chosen if name.startswith(("likert_", "sensitivity_"))]) <= 3


def test_every_figure_has_tables_that_are_released(shipped: Presentation) -> None:
    released = {path for tables in TABLES.values() for path in tables}
    for name in names(shipped, published=True):
        assert tables_of(name)
        assert set(tables_of(name)) <= released
    assert tables_of("framework_hudson") == ("means",)
    assert tables_of("contrasts") == ("contrasts",)


def test_hostile_labels_are_no_markup_on_the_page() -> None:
    captions = captions_of("hostile")
    study = named("hostile").study
    written = page(captions, exhibited(study, published=True), study.title)
    assert "<script>" not in written
    assert written.count("<") - written.count(r"\<") == 1, "the comment at the top"
    for line in written.splitlines():
        assert len(re.findall(r"(?<!\\)\]\(", line)) <= 1, "labels make no links"
    assert plain("a\n# b | *c* [d](e) <f> &amp;") == r"a \# b \| \*c\* \[d\](e) \<f\> \&amp;"


def test_every_picture_has_its_words() -> None:
    captions = captions_of("plain")
    study = named("plain").study
    chosen = exhibited(study, published=True)
    written = page(captions, chosen, study.title)
    rows = captions.set_index("figure")
    for name in chosen:
        assert f"](figures/{name}.svg)" in written
        assert f"**{plain(rows.loc[name, 'evidence'])}**" in written
        assert f"### {plain(rows.loc[name, 'title'])}" in written
        assert "`released/" in written
