"""How the raw files of a demonstration wave are invented: `demo.yaml`, and what the makers are given of it."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

from surveywaves.study.models import (
    CrosswalkRow,
    Item,
    Layout,
    RawFile,
    ResponseScale,
    Study,
    Variable,
    Wave,
    WaveFile,
)
from surveywaves.study.parts import HarmonisingPart
from surveywaves.study.settings import Model, Name, Text


class Block(Model):
    """A question of the demonstration questionnaire, in the order it is asked.

    Without items and variable it is an open question.
    """

    question: Text = Field(
        description="The question as the export's first header row gives it (HTML and all)."
    )
    items: tuple[Name, ...] = Field(default=(), description="Items of a matrix question.")
    variable: Name | None = Field(
        default=None, description="Variable (or `organisation`) of a single-choice question."
    )
    comment: Text | None = Field(
        default=None, description="Label of a comment box that follows the question."
    )
    as_exported: dict[Name, Text] = Field(
        default_factory=dict,
        description="Item -> its statement as the file spells it (HTML, spacing; SPSS: variable label), where"
        " that is not the crosswalk's or the instrument's spelling.",
    )


class DemoFile(Model):
    """One demonstration raw file and how it is written."""

    path: Text = Field(description="Path, as in `wave.yaml`.")
    share: float = Field(gt=0, le=1, description="Share of the returns that came this way.")
    duplicates: int = Field(
        default=0,
        ge=0,
        description="Returns that stand twice, first half filled in (`surveymonkey`; `duplicates` of the "
        "layout must keep the other).",
    )
    test_responses: int = Field(
        default=0,
        ge=0,
        description="Test responses, marked as `exclude` of the layout says (`surveymonkey`).",
    )
    numeric: bool = Field(
        default=False,
        description="Where the map of a variable has numbers and words for a level, write the number.",
    )
    disagreements: int = Field(
        default=0,
        ge=0,
        description="Cells that the two keyings read differently, settled by a third row (`paper`).",
    )
    declared_missing: tuple[int, ...] = Field(
        default=(),
        max_length=3,
        description="Codes declared as user-missing (`spss`); others stay undeclared.",
    )


class Demo(Model):
    """How a demonstration wave is made (`demo.yaml`).

    An item's latent response is normal with variance 1; its correlations come from one opinion a scale.
    """

    method: Literal["reconstruct", "simulate"] = Field(
        description="`reconstruct`: meet the settled published tables exactly; `simulate`: from the parameters alone."
    )
    seed: int = Field(ge=0, description="Seed of everything that is drawn at random.")
    returns: int = Field(ge=1, description="Returns.")
    organisations: dict[Name, NonNegativeInt] = Field(
        default_factory=dict,
        description="Organisation -> returns that named it; the rest did not answer. Empty where everyone "
        "belongs to one.",
    )
    variables: dict[Name, dict[Name, NonNegativeInt]] = Field(
        default_factory=dict, description="Variable -> level -> returns; the rest did not answer."
    )
    employed_by: dict[Name, dict[Name, Name]] = Field(
        default_factory=dict,
        description="Variable -> level -> the only organisation that employs such staff.",
    )
    correlation_between_scales: float = Field(
        ge=0, lt=1, description="Correlation of any two scales' latent opinions."
    )
    correlation_within_scale: dict[Name, float] = Field(
        default_factory=dict,
        description="Scale -> latent correlation of two of its items; others take `default_within_scale`.",
    )
    default_within_scale: float = Field(
        default=0.5, gt=0, lt=1, description="Latent correlation of two items of a scale not named."
    )
    shifts: dict[Name, dict[Name, float]] = Field(
        default_factory=dict,
        description="Scale -> organisation -> true shift of the latent responses to its items, in their "
        "standard deviations, towards more of what the scale measures. `simulate`: against the "
        "settled published distributions; `reconstruct`: only the gap between organisations "
        "shows, the published counts are met whatever is said here.",
    )
    item_shifts: dict[Name, float] = Field(
        default_factory=dict,
        description="Item -> true shift of its own, on top of its scale's and the same in every organisation "
        "(`simulate`); towards agreement.",
    )
    item_shares: dict[Name, tuple[NonNegativeFloat, ...]] = Field(
        default_factory=dict,
        description="Item that no published table has -> shares of its response options, lowest first "
        "(`simulate`); otherwise it is bell-shaped.",
    )
    skipped: float = Field(default=0.01, ge=0, lt=1, description="Share of answers skipped (`simulate`).")
    dont_know: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of answers `dont_know`, where the coding has a cell for it (`simulate`).",
    )
    unusable: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the skipped answers that are `invalid` instead (two ticks), where the coding "
        "has a cell for it.",
    )
    break_off: dict[int, NonNegativeFloat] = Field(
        default_factory=dict, description="Section -> share of returns that break off in it (`simulate`)."
    )
    comments: tuple[Text, ...] = Field(
        default=(), description="Invented comments, dealt out to a few returns."
    )
    comment_share: float = Field(
        default=0.05, ge=0, le=1, description="Share of returns with a comment, at each comment box."
    )
    weights: dict[Name, dict[Name, PositiveFloat]] = Field(
        default_factory=dict,
        description="Variable -> level -> survey weight, where the layout has a weight column; a return that "
        "did not answer weighs 1.",
    )
    questionnaire: tuple[Block, ...] = Field(min_length=1, description="Questions in the order asked.")
    files: tuple[DemoFile, ...] = Field(min_length=1, description="Files to write; their shares add up to 1.")


class DemoPart(Model):
    """All that the files of a wave are made from: how, and the crosswalk, which they are written for."""

    wave: str
    demo: Demo
    harmonising: HarmonisingPart
    layouts: dict[str, Layout]
    files: tuple[RawFile, ...]
    fieldwork: tuple[dt.date | None, dt.date | None]
    items: tuple[Item, ...]
    response_scales: dict[str, ResponseScale]
    organisations: dict[str, str]
    variables: dict[str, Variable]

    @classmethod
    def read(cls, study: Study, home: Path) -> DemoPart:
        """Read the wave that a folder describes as it was fielded: `demo.yaml`, `wave.yaml`, `items.tsv`."""
        demo = Demo.model_validate(_yaml(home / "demo.yaml"))
        file = WaveFile.model_validate(_yaml(home / "wave.yaml"))
        wave = Wave(name=home.name, file=file, crosswalk=_crosswalk(home / "items.tsv", tuple(file.layouts)))
        return cls(
            wave=wave.name,
            demo=demo,
            harmonising=HarmonisingPart.of(study, wave),
            layouts=wave.file.layouts,
            files=wave.file.files,
            fieldwork=(wave.file.fieldwork.start, wave.file.fieldwork.end),
            items=study.items,
            response_scales=study.config.response_scales,
            organisations=dict(study.config.organisations),
            variables=study.config.variables,
        )


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _crosswalk(path: Path, layouts: tuple[str, ...]) -> tuple[CrosswalkRow, ...]:
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        CrosswalkRow.model_validate(
            {key: cell for key, cell in row.items() if key in CrosswalkRow.model_fields and cell}
            | {"columns": {layout: row[layout] for layout in layouts if row[layout]}}
        )
        for row in rows
    )
