"""All tables that are made of the coded material, in one go."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from surveywaves.disclosure import Rule
from surveywaves.qualitative.agreement import agreement, disagreements, judgements
from surveywaves.qualitative.events import observations, timeline
from surveywaves.qualitative.joint import joint_display
from surveywaves.qualitative.reading import Material, read_material
from surveywaves.qualitative.themes import spoken, themes, tones
from surveywaves.study.parts import Presentation, QualitativePart
from surveywaves.study.qualitative import SEPARATOR
from surveywaves.terms import ALL, Evidence

__all__ = ["beside", "read_material"]


class Beside(NamedTuple):
    """The tables that are made of the coded material, by name: those that are released, and those for the team."""

    released: dict[str, pd.DataFrame]
    private: dict[str, pd.DataFrame]

    def by_scope(self) -> dict[str, pd.DataFrame]:
        """Return what is released as the output checker's sheet takes it: stages as waves, groups as organisations."""
        counted = self.released["themes"]
        groups = counted["area"].where(counted["area"] != ALL, counted["organisation"])
        return self.released | {"themes": counted.assign(wave=counted["stage"], organisation=groups)}


def beside(
    part: QualitativePart,
    presentation: Presentation,
    material: Material,
    means: pd.DataFrame,
    contrasts: pd.DataFrame,
    *,
    rule: Rule,
) -> Beside:
    """Compare the coded material with the survey.

    Parameters
    ----------
    part
        Its description in the study.
    presentation
        The study in words, with its qualitative part.
    material
        What `read_material` found.
    means, contrasts
        Released tables of the survey.
    rule
        The rule that protects respondents and interviewees.
    """
    file = part.file
    judged = judgements(material.segments)
    speaking = {
        principle: [
            theme.theme
            for theme in part.themes
            if principle in theme.frameworks.get(part.framework, "").split(SEPARATOR)
        ]
        for principle in part.principles
    }
    names = [theme.theme for theme in part.themes]
    counted = themes(material.sources, material.segments, names=names, rule=rule, subjects=speaking)
    told = spoken(material.segments, by=speaking)
    display = joint_display(
        counted,
        tones(material.sources, material.segments, told, rule=rule),
        means,
        contrasts,
        principles=part.principles,
        themes_of=speaking,
        stages={name: stage.wave for name, stage in file.stages.items()},
        waves=part.waves,
        silent_below=file.display.silent_below,
        confidence=part.confidence,
    )
    survey = [wave.evidence for name, wave in presentation.waves.items() if name in set(display["wave"])]
    weakest = max([file.evidence, *survey], key=list(Evidence).index)
    grid = observations(material.observed, rule=rule)
    display = display.round({"percent": 2, "conf_low": 2, "conf_high": 2})
    coders = agreement(judged, confidence=part.confidence, seed=part.seed, rule=rule)
    released = {
        "themes": counted.round({"percent": 2}).assign(evidence=file.evidence.value),
        "coding_agreement": coders.assign(evidence=file.evidence.value),
        "joint_display": display.assign(evidence=weakest.value),
        "observations": grid.round({"per_meeting": 3}).assign(evidence=file.evidence.value),
        "timeline": timeline(presentation),
    }
    private = {
        "segments": material.segments,
        "sources": material.sources,
        "disagreements": disagreements(judged),
        "problems": material.problems,
    }
    return Beside(released, private)
