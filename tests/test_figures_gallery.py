"""The page of figures in the documentation: what the pipeline writes, of what it draws, and no markup from labels."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from conftest import REPOSITORY
from drawn_studies import STUDIES, drawn, study_of
from surveywaves.catalogue import STATISTICS, figures, in_gallery
from surveywaves.figures.gallery import FOLDER, page, plain
from surveywaves.study import load_study
from surveywaves.study.parts import Presentation

PAGE = REPOSITORY / "docs/figures.md"
MOST = 2_500_000
"""Bytes of all pictures."""


@pytest.fixture(scope="module")
def shipped() -> Presentation:
    return Presentation.of(load_study(REPOSITORY / "config"))


def captions_of(study: str) -> pd.DataFrame:
    return pd.DataFrame([drawing.words for drawing in drawn(study).values()])


def test_the_page_in_the_repository_is_what_the_pipeline_writes(
    finished: Path, shipped: Presentation
) -> None:
    captions = pd.read_csv(
        finished / "results/figures/captions.tsv", sep="\t", dtype=str, keep_default_na=False
    )
    written = page(captions, in_gallery(shipped, published=True), shipped.title)
    assert PAGE.read_text(encoding="utf-8") == written, "run: make gallery"


def test_the_pictures_in_the_repository_are_those_of_the_page_and_small(shipped: Presentation) -> None:
    pictures = sorted((REPOSITORY / "docs" / FOLDER).iterdir())
    chosen = in_gallery(shipped, published=True)
    assert sorted(path.stem for path in pictures) == sorted(one.name for one in chosen)
    assert sum(path.stat().st_size for path in pictures) < MOST
    linked = re.findall(r"\]\((figures/[\w.]+)\)", PAGE.read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(f"{FOLDER}/{path.name}" for path in pictures)
    for path in pictures:
        assert "DEMONSTRATION DATA" in path.read_text(encoding="utf-8"), f"{path.name} does not say it is one"


def test_one_figure_of_each_kind_is_chosen(shipped: Presentation) -> None:
    for study in (
        shipped,
        study_of(),
        study_of(**STUDIES["hostile"]),
        study_of(waves=1, organisations=1, scales=1),
    ):
        chosen = in_gallery(study, published=True)
        every = figures(study, published=True)
        assert {one.exhibit.name for one in chosen} == {one.exhibit.name for one in every}
        assert [one for one in every if one in chosen] == list(chosen), "in the order of the figures"
        assert len(chosen) == len({one.exhibit.name for one in chosen})


def test_every_figure_has_tables_that_are_released(shipped: Presentation) -> None:
    reads = {one.name: one.exhibit.reads for one in figures(shipped, published=True)}
    for name, tables in reads.items():
        assert tables, name
        assert set(tables) <= set(STATISTICS), name
    assert reads["change_profile"] == ("contrasts", "means")


def test_hostile_labels_are_no_markup_on_the_page() -> None:
    captions = captions_of("hostile")
    study = study_of(**STUDIES["hostile"])
    written = page(captions, in_gallery(study, published=True), study.title)
    assert "<script>" not in written
    assert written.count("<") - written.count(r"\<") == 1, "the comment at the top"
    for line in written.splitlines():
        assert len(re.findall(r"(?<!\\)\]\(", line)) <= 1, "labels make no links"
    assert plain("a\n# b | *c* [d](e) <f> &amp;") == r"a \# b \| \*c\* \[d\](e) \<f\> \&amp;"


def test_every_picture_has_its_words() -> None:
    captions = captions_of("plain")
    study = study_of()
    chosen = in_gallery(study, published=True)
    written = page(captions, chosen, study.title)
    rows = captions.set_index("figure")
    for name in (one.name for one in chosen):
        assert f"](figures/{name}.svg)" in written
        assert plain(rows.loc[name, "caption"]) in written
        assert f"### {plain(rows.loc[name, 'title'])}" in written
        assert "`released/" in written
