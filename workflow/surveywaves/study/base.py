"""What every model of the configuration stands on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,28}$")]
"""A name in lower case that R, SPSS and Stata accept as well."""

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


class Model(BaseModel):
    """What all parts of the configuration have in common: no unknown key passes, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
