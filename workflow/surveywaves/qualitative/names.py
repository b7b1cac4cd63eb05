"""The words for stages, areas, organisations, themes and verdicts in figures and tables of the coded material."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import pandas as pd

from surveywaves.qualitative.terms import SURVEY
from surveywaves.study.parts import QualitativeWords
from surveywaves.study.qualitative import OTHER
from surveywaves.terms import ALL
from surveywaves.words import Labels


class Names(Labels):
    """The words of the survey and of the coded material."""

    @property
    def coded(self) -> QualitativeWords:
        """The words of the coded material.

        Raises
        ------
        ValueError
            If the study has none.
        """
        if self.presentation.qualitative is None:
            raise ValueError("the study has no coded material")
        return self.presentation.qualitative

    @cached_property
    def said(self) -> Mapping[str, Mapping[str, str]]:
        """Column of a table -> the names that it may have, in the order of presentation, with their words."""
        coded = self.coded
        return {
            "stage": {name: stage.title for name, stage in coded.stages.items()},
            "theme": {name: theme.title for name, theme in coded.themes.items()} | {ALL: "All themes"},
            "area": {ALL: "", **coded.areas, OTHER: "Other areas"},
            "organisation": {one: self.organisation(one) for one in (*self.presentation.organisations, ALL)},
            "group": coded.groups | {ALL: "All"},
            "category": coded.categories,
        }

    def there(self, frame: pd.DataFrame, column: str) -> dict[str, str]:
        """Choose the names that a frame has in a column, in the order of presentation, with their words."""
        own = set(frame[column])
        return {name: words for name, words in self.said[column].items() if name in own}

    def places(self, themes: pd.DataFrame, stage: str) -> dict[tuple[str, str], str]:
        """Choose the areas and organisations of a stage that have counts, all of it first, with their words."""
        own = themes[themes["stage"] == stage]
        found = set(zip(own["area"], own["organisation"], strict=True))
        organisations = {ALL: "", **self.said["organisation"]} | {ALL: ""}
        return {
            (area, one): ", ".join(filter(None, (words, its))) or "All"
            for area, words in self.said["area"].items()
            for one, its in organisations.items()
            if (area, one) in found
        }

    def title(self, side: str, name: str, *, quoted: bool = False) -> str:
        """Return the title of a scale or theme; with `quoted`, a theme's is in quotation marks."""
        if side == SURVEY:
            return self.scale(name)
        return f"“{self.said['theme'][name]}”" if quoted else self.said["theme"][name]

    @property
    def protection(self) -> str:
        """What protects interviewees, in a sentence; empty if nothing does."""
        if self.presentation.public:
            return ""
        base = self.presentation.rounding
        how = f"rounded at random to multiples of {base}" if base else "withheld where they are small"
        return f"Counts of groups are {how}; those of all interviews of a stage are exact."
