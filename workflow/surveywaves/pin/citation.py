"""How the workflow, and what it rests on, are to be cited: `CITATION.cff`, as far as a pin repeats it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from surveywaves.errors import SurveywavesError

CITATION: Final = "CITATION.cff"


def _text(value: Any) -> Any:
    """Take a date or a number, as YAML reads `2007` and `1.0`, for the text it was."""
    return value if isinstance(value, list | dict) else str(value)


_Text = Annotated[str, BeforeValidator(_text)]


class _Part(BaseModel):
    """A part of the file; keys that nothing here is made of pass."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Author(_Part):
    """A person, by family name, or an entity, by `name`."""

    name: _Text = ""
    family_names: _Text = Field("", alias="family-names")
    given_names: _Text = Field("", alias="given-names")
    orcid: _Text = ""
    website: _Text = ""
    affiliation: _Text = ""

    @property
    def person(self) -> bool:
        """Say whether it is a person."""
        return bool(self.family_names or self.given_names)

    @property
    def told(self) -> str:
        """Give the name as it is read."""
        return f"{self.given_names} {self.family_names}".strip() or self.name


class Work(_Part):
    """Something that can be cited."""

    title: _Text = ""
    authors: tuple[Author, ...] = ()
    year: _Text = ""
    version: _Text = ""
    doi: _Text = ""
    url: _Text = ""

    @property
    def told(self) -> str:
        """Cite it in a line."""
        authors = ", ".join(author.told for author in self.authors)
        who = f"{authors}{f' ({self.year})' if self.year else ''}"
        what = f"{self.title}{f', version {self.version}' if self.version else ''}"
        return ". ".join(filter(None, [who, what, self.address]))

    @property
    def address(self) -> str:
        """Give where it is found; empty: nowhere that the file knows of."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


class Citation(Work):
    """What `CITATION.cff` says."""

    license: _Text | tuple[_Text, ...] = ""
    references: tuple[Work, ...] = ()

    @property
    def licenses(self) -> tuple[str, ...]:
        """Give the SPDX names of its licences."""
        return tuple(filter(None, [self.license] if isinstance(self.license, str) else self.license))


def read_citation(folder: Path) -> Citation:
    """Read the `CITATION.cff` in a folder; without one, nothing is known.

    Raises
    ------
    SurveywavesError
        If it is not what such a file is.
    """
    path = folder / CITATION
    if not path.is_file():
        return Citation()
    hint = "see https://citation-file-format.github.io"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError):
        raise SurveywavesError.at(CITATION, "not YAML", hint) from None
    try:
        return Citation.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SurveywavesError.at(CITATION, f"{where}: {first['msg']}".removeprefix(": "), hint) from None
