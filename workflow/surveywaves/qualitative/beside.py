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
    file, sources, segments = part.file, material.sources, material.segments
    names = [theme.theme for theme in part.themes]
    speaking = {name: own.themes for name, own in part.principles.items()}
    counted = themes(sources, segments, names=names, rule=rule, subjects=speaking)
    told = tones(sources, segments, spoken(segments, by=speaking), rule=rule)
    display = joint_display(counted, told, means, contrasts, part=part)
    judged = judgements(segments)
    released = {
        "themes": counted.round({"percent": 2}),
        "coding_agreement": agreement(judged, confidence=part.confidence, seed=part.seed, rule=rule),
        "joint_display": display.round({"percent": 2, "conf_low": 2, "conf_high": 2}),
        "observations": observations(material.observed, rule=rule).round({"per_meeting": 3}),
    }
    survey = [wave.evidence for name, wave in presentation.waves.items() if name in set(display["wave"])]
    weakest = max([file.evidence, *survey], key=list(Evidence).index)
    for name, frame in released.items():
        frame["evidence"] = (weakest if name == "joint_display" else file.evidence).value
    private = {
        "segments": segments,
        "sources": sources,
        "disagreements": disagreements(judged),
        "problems": material.problems,
    }
    return Beside(released | {"timeline": timeline(presentation)}, private)
