"""The words for stages, areas, organisations, themes and verdicts in figures and tables of the coded material."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from surveywaves.study.parts import Presentation, QualitativeWords
from surveywaves.study.qualitative import OTHER
from surveywaves.terms import ALL
from surveywaves.words import Labels


@dataclass(frozen=True)
class Names:
    """The study's words."""

    presentation: Presentation

    @property
    def words(self) -> QualitativeWords:
        """The words of the coded material.

        Raises
        ------
        ValueError
            If the study has none.
        """
        if self.presentation.qualitative is None:
            raise ValueError("the study has no coded material")
        return self.presentation.qualitative

    @property
    def labels(self) -> Labels:
        """The words of the survey."""
        return Labels(self.presentation)

    @property
    def protection(self) -> str:
        """What protects interviewees, in a sentence; empty if nothing does."""
        if self.presentation.public:
            return ""
        base = self.presentation.rounding
        how = f"rounded at random to multiples of {base}" if base else "withheld where they are small"
        return f"Counts of groups are {how}; those of all interviews of a stage are exact."

    @staticmethod
    def verdict(name: str) -> str:
        """Name a verdict of the joint display."""
        return name.replace("_", " ")

    def stage(self, name: str) -> str:
        """Name a stage of the interviews."""
        return self.words.stages[name].title

    def theme(self, name: str) -> str:
        """Name a theme; `all` for all together."""
        return "All themes" if name == ALL else self.words.themes[name].title

    def group(self, area: str, organisation: str) -> str:
        """Name a group of interviews."""
        places = [] if area == ALL else ["Other areas" if area == OTHER else self.words.areas[area]]
        places += [] if organisation == ALL else [self.labels.organisation(organisation)]
        return ", ".join(places) or "All"

    def groups(self, themes: pd.DataFrame, stage: str) -> list[tuple[str, str]]:
        """List the groups of a stage, all of it first, then areas and organisations in the study's order."""
        own = themes[themes["stage"] == stage]
        there = set(zip(own["area"], own["organisation"], strict=True))
        areas = [ALL, *self.words.areas, OTHER]
        organisations = [ALL, *self.presentation.organisations]
        return [(area, one) for area in areas for one in organisations if (area, one) in there]

    def stages(self, frame: pd.DataFrame) -> list[str]:
        """List the stages of a frame, in the study's order."""
        return _there(self.words.stages, frame["stage"])

    def themes(self, frame: pd.DataFrame) -> list[str]:
        """List the themes of a frame, in the study's order."""
        return _there(self.words.themes, frame["theme"])

    def organisations(self, frame: pd.DataFrame) -> list[str]:
        """List the organisations of a frame, in the study's order, `all` last."""
        return _there((*self.presentation.organisations, ALL), frame["organisation"])


def _there(names: Iterable[str], column: pd.Series) -> list[str]:
    return [name for name in names if column.eq(name).any()]
