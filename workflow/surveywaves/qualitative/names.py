"""What figures and tables of the coded material call stages, areas, organisations and themes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from surveywaves.qualitative.joint import Verdict
from surveywaves.qualitative.themes import OTHER
from surveywaves.study.parts import Presentation, QualitativeWords
from surveywaves.terms import ALL
from surveywaves.words import Labels

VERDICTS: Final = {
    Verdict.CONVERGENT.value: "convergent",
    Verdict.PARTLY.value: "partly convergent",
    Verdict.DIVERGENT.value: "divergent",
    Verdict.SILENT.value: "silent",
}


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
        """List the stages that there are rows of, in the study's order."""
        return [name for name in self.words.stages if frame["stage"].eq(name).any()]

    def themes(self, frame: pd.DataFrame) -> list[str]:
        """List the themes that there are rows of, in the study's order."""
        return [name for name in self.words.themes if frame["theme"].eq(name).any()]
