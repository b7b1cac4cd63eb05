"""Who was interviewed and observed, for the ledger of releases.

Totals of a stage are exact: two releases that differ by one interview show what was said in it. The ledger
(`surveywaves.disclosure.ledger`) compares rows of people, wave by wave. Here a stage of the interviews is a wave; so
are the interviews that several researchers coded, whose agreement is shown, and the meetings.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

from surveywaves.disclosure.ledger import People
from surveywaves.disclosure.releases import people_of
from surveywaves.key import Key
from surveywaves.qualitative.reading import Material, read_material
from surveywaves.study.models import Study
from surveywaves.study.parts import QualitativePart

STAGE: Final = "interviews of "
TWICE: Final = "interviews that several coded"
MEETINGS: Final = "meetings observed"


def everybody(study: Study) -> Callable[[Path, Key], People]:
    """Return what finds everybody whom a release of a study is of: respondents, interviewees, those observed.

    Interviews are read from the raw files, so that a person can sign for a release that is refused.
    """
    part = QualitativePart.of(study)

    def found(folder: Path, key: Key) -> People:
        people = people_of(folder, key)
        return people if part is None else people | interviewed(read_material(part, root=folder), key)

    return found


def interviewed(material: Material, key: Key) -> People:
    """Write the coded material as the ledger takes it: a row for each interview and each meeting.

    The group of an interview is its area and organisation. What it says of a theme are the places and tones of its
    passages, and which of its own coders marked them: a coder more leaves the interviews of others as they are.
    """
    segments, sources = material.segments, material.sources
    coder = segments.groupby("source")["coder"].rank("dense").astype("int64").astype("str")
    marks = coder + segments["tone"] + segments["start"].astype("str") + "-" + segments["end"].astype("str")
    said = (
        segments.assign(mark=marks, theme="theme " + segments["theme"])
        .pivot_table(
            index="source", columns="theme", values="mark", aggfunc=lambda own: " ".join(sorted(own))
        )
        .reset_index()
    )
    rows = sources.merge(said, how="left", on="source")
    rows = rows.assign(
        wave=STAGE + rows["stage"], organisation=rows["area"] + ", " + rows["organisation"]
    ).drop(columns=["stage", "area"])
    several = segments.groupby("source")["coder"].nunique()
    twice = rows[rows["source"].map(several) > 1].assign(wave=TWICE, organisation=TWICE)
    observed = material.observed.assign(category="count of " + material.observed["category"])
    grid = (
        observed.pivot_table(index=["group", "meeting"], columns="category", values="count", aggfunc="sum")
        .reset_index()
        .rename(columns={"group": "organisation", "meeting": "source"})
        .assign(wave=MEETINGS)
    )
    people = pd.concat([rows, twice, grid], ignore_index=True).rename(columns={"source": "respondent"})
    told = people.columns.difference(["wave", "respondent", "organisation"])
    return People(people, people[["wave", "respondent"]].assign(**dict.fromkeys(told)), key)
