"""The qualitative part of a study: interviews coded to themes, meetings observed on a grid.

`qualitative.yaml` says where the material lies, `codes.tsv` which theme a code belongs to, `themes.tsv` what of each
framework a theme speaks to, in the words of `scales.tsv`. A study without `qualitative.yaml` has none of this.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, model_validator

from surveywaves.errors import Mistake
from surveywaves.study.names import twice, unknown
from surveywaves.study.settings import FilePath, Model, Name, Text
from surveywaves.terms import ALL, Evidence
from surveywaves.text import likeness, nearest

NEARLY: Final = 90
"""Likeness from which another wording is taken for a slip."""

OTHER: Final = "other"
"""Area of the results: small areas taken together."""

SEPARATOR: Final = "; "
"""Separates the entries of a framework in a cell of `scales.tsv` or `themes.tsv`."""


class Stage(Model):
    """A stage of the interviews."""

    title: Text
    """Title, as in `Managers`."""
    wave: Name
    """Wave that it stands beside."""
    start: dt.date | None = None
    """First day (ISO date), empty if unknown."""
    end: dt.date | None = None
    """Last day (ISO date), empty if unknown."""
    approximate: bool = False
    """The days are an estimate, and the timeline shows it."""

    @model_validator(mode="after")
    def _ordered(self) -> Stage:
        if self.start and self.end and self.end < self.start:
            raise ValueError("the stage ends before it starts")
        return self


class Display(Model):
    """When survey and interviews are said to agree."""

    silent_below: float = Field(default=0.2, ge=0, lt=1)
    """Share of sources below which the interviews are silent on something."""
    smallest_alpha: float = Field(default=0.667, ge=0, le=1)
    """Krippendorff's alpha below which a theme's coding is marked."""


class QualitativeFile(Model):
    """The coded material (`qualitative.yaml`)."""

    evidence: Evidence
    """What the material is: `observed`, `reconstructed` or `simulated`."""
    evidence_note: str = ""
    """What stands behind that word."""
    stages: dict[Name, Stage] = Field(min_length=1)
    """Stages of the interviews, in order of time."""
    areas: dict[Name, Text] = Field(min_length=1)
    """Service area (a case of the study) -> its words, in the order of presentation."""
    sources: FilePath | None = None
    """CSV or XLSX with a row for each interview (source, stage, service area, organisation), those without any code
    included. Needed for .qdpx; where every file has these columns it may be left out."""
    segments: tuple[FilePath, ...] = Field(min_length=1)
    """Coded segments: REFI-QDA projects (.qdpx), or CSV and XLSX (source, coder, code, start, end)."""
    codebooks: tuple[FilePath, ...] = ()
    """REFI-QDA codebooks (.qdc) that `codes.tsv` is held against."""
    observations: FilePath | None = None
    """CSV or XLSX of the observation grid (meeting, date, group, category, count)."""
    groups: dict[Name, Text] = Field(default_factory=dict)
    """Group that met -> its words, in the order of presentation."""
    categories: dict[Name, Text] = Field(default_factory=dict)
    """Category of the grid -> its words, in the order of presentation."""
    display: Display = Field(default_factory=Display)
    """Rules of the joint display."""

    @property
    def files(self) -> tuple[str, ...]:
        """List the raw files."""
        one = [self.sources, *self.segments, *self.codebooks, self.observations]
        return tuple(dict.fromkeys(path for path in one if path))


class Code(Model):
    """What a code means (one row of `codes.tsv`)."""

    code: Text
    """The code as the program calls it; `parent/code` where a name stands twice. Codes below it that have no row of
    their own go with it."""
    theme: Name | None = None
    """Theme it belongs to; empty: it is left out (a code of context, say)."""
    tone: Literal["", "+", "-"] = ""
    """`+`: in favour of what the theme is about, `-`: against; empty: neither."""


class Theme(Model):
    """What people spoke about (one row of `themes.tsv`)."""

    theme: Name
    """Name of the theme."""
    title: Text
    """Title for tables and figures."""
    frameworks: dict[Name, Text] = Field(
        default_factory=dict,
        description=f"One table column a framework, as in `scales.tsv` (several with `{SEPARATOR}`).",
    )


class Qualitative(Model):
    """The qualitative part of a study, read and found consistent."""

    file: QualitativeFile
    codes: tuple[Code, ...]
    themes: tuple[Theme, ...]


def check_qualitative(
    found: Qualitative,
    folder: Path,
    *,
    waves: tuple[str, ...],
    organisations: Mapping[str, str],
    frameworks: Mapping[str, set[str]],
) -> Iterator[Mistake]:
    """Yield what the qualitative files name and the study does not have.

    Parameters
    ----------
    found
        The files.
    folder
        Where they lie.
    waves, organisations
        Of the study.
    frameworks
        Framework -> what of it the scales speak to.
    """
    page, codes, themes = (folder / name for name in ("qualitative.yaml", "codes.tsv", "themes.tsv"))
    for name, stage in found.file.stages.items():
        yield from unknown(page, f"stages.{name}.wave", [stage.wave], waves, "wave")
    for area in found.file.areas:
        if area in {ALL, OTHER, *organisations}:
            what = f"`{area}` has a meaning of its own in the results"
            yield Mistake(f"{page}: areas", what, "choose another name")
    if found.file.observations and not (found.file.groups and found.file.categories):
        hint = "they name what the grid may contain"
        yield Mistake(f"{page}: observations", "needs `groups` and `categories`", hint)
    if any(path.lower().endswith(".qdpx") for path in found.file.segments) and not found.file.sources:
        hint = "a .qdpx does not say stage, service area and organisation of a source"
        yield Mistake(f"{page}: sources", "missing", hint)
    known = [theme.theme for theme in found.themes]
    yield from twice(themes, "theme", known)
    yield from twice(codes, "code", [code.code for code in found.codes])
    for code in found.codes:
        if code.theme is not None:
            yield from unknown(codes, f"code {code.code}", [code.theme], known, "theme")
    yield from _slips(found.themes, frameworks, themes)


def _slips(themes: tuple[Theme, ...], frameworks: Mapping[str, set[str]], path: Path) -> Iterator[Mistake]:
    """Yield entries that nearly equal one of the scales: the survey may be silent on a theme, but this is a slip."""
    for theme in themes:
        for framework, text in theme.frameworks.items():
            known = frameworks.get(framework, set())
            for entry in sorted(set(text.split(SEPARATOR)) - known):
                near = nearest(entry, known, whole=True)
                if near and likeness(entry, near) > NEARLY:
                    where = f"{path}: theme {theme.theme}, column {framework}"
                    what = f"`{entry}` is nearly a word of scales.tsv"
                    yield Mistake(where, what, f"did you mean `{near}`?")
