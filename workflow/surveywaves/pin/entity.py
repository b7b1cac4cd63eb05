"""Entities of a crate, in the forms that all of its parts share."""

from __future__ import annotations

from typing import Any, TypeAlias

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

Entity: TypeAlias = Any
"""An entity of a crate: rocrate says nothing of its types."""


def given(**about: Any) -> dict[str, Any]:
    """Leave out what is not known."""
    return {key: value for key, value in about.items() if value}


def contextual(made: ROCrate, identifier: str, kind: str, **about: Any) -> Entity:
    """Add an entity that is no file of the crate; what is not known of it is left out."""
    return made.add(ContextEntity(made, identifier, properties={"@type": kind} | given(**about)))
