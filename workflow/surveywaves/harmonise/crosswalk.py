"""What the study says of a wave: which question each layout asks, and what its cells mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from surveywaves.errors import Mistake
from surveywaves.harmonise.cells import Meanings, meanings_of_coding, meanings_of_map
from surveywaves.harmonise.columns import Wanted
from surveywaves.study.checks import RESCALED_SUFFIX
from surveywaves.study.models import Coding, CrosswalkRow, Layout, VariableSource
from surveywaves.study.parts import HarmonisingPart

ORGANISATION: Final = "organisation"


@dataclass(frozen=True, slots=True)
class Words:
    """Codings and maps of a wave, and the levels of its variables (place + 1 is the level's number)."""

    codings: Mapping[str, Meanings]
    maps: Mapping[str, Meanings]
    levels: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, part: HarmonisingPart, *, where: str) -> tuple[Words, list[Mistake]]:
        """Prepare all that the study says of a wave's cells, and name what contradicts itself."""
        codings, maps, mistakes = {}, {}, []
        for name, coding in part.codings.items():
            codings[name], more = meanings_of_coding(coding, title=f"coding `{name}`", where=where)
            mistakes += more
        for name, source in sources_of(part).items():
            maps[name], more = meanings_of_map(source.map, title=f"map of `{name}`", where=where)
            mistakes += more
        levels = {
            name: maps[name].words if name in maps else () for name in (ORGANISATION, *part.known_variables)
        }
        fixed = [(ORGANISATION, part.organisation)] if isinstance(part.organisation, str) else []
        for name, level in [
            *fixed,
            *(one for layout in part.layouts.values() for one in layout.constants.items()),
        ]:
            levels[name] = tuple(dict.fromkeys((*levels[name], level)))
        return cls(codings, maps, levels), mistakes


def sources_of(part: HarmonisingPart) -> dict[str, VariableSource]:
    """Give the organisation and variables that have a column."""
    own = {ORGANISATION: part.organisation} if isinstance(part.organisation, VariableSource) else {}
    return {**own, **part.variables}


def coding_of(part: HarmonisingPart, row: CrosswalkRow, layout: Layout) -> tuple[str, Coding]:
    """Give the coding of an item in a layout, and its name."""
    name = row.coding or layout.coding or ""
    return name, part.codings[name]


def constants_of(part: HarmonisingPart, layout: str) -> dict[str, str]:
    """Give what is the same for every return of a layout."""
    own = {ORGANISATION: part.organisation} if isinstance(part.organisation, str) else {}
    return {**own, **part.layouts[layout].constants}


@dataclass(frozen=True, slots=True)
class Question:
    """A column of the harmonised data that a layout has an answer to."""

    variable: str
    meanings: Meanings
    wanted: Wanted


def questions_of(part: HarmonisingPart, words: Words, layout: str) -> Iterator[Question]:
    """Yield what a layout asks: organisation, variables, items; an item on another response scale is `rescaled`."""
    for name, source in sources_of(part).items():
        if layout in source.columns:
            yield Question(name, words.maps[name], Wanted(name, source.columns[layout], shared=True))
    for row in part.crosswalk:
        if layout in row.columns:
            name, coding = coding_of(part, row, part.layouts[layout])
            own = coding.response_scale == part.items[row.item]
            yield Question(
                row.item if own else row.item + RESCALED_SUFFIX,
                words.codings[name],
                Wanted(f"item {row.item}", row.columns[layout], shared=False),
            )


def rescaled_columns(parts: Iterable[HarmonisingPart]) -> tuple[dict[str, str], list[Mistake]]:
    """Give the response scale of each `<item>_rescaled` column, and name the items that would have two of them."""
    found: dict[str, str] = {}
    mistakes = []
    order: dict[str, None] = {}
    for part in parts:
        order |= dict.fromkeys(item + RESCALED_SUFFIX for item in part.items)
        for row in part.crosswalk:
            for name in row.columns:
                scale = coding_of(part, row, part.layouts[name])[1].response_scale
                column = row.item + RESCALED_SUFFIX
                if scale != part.items[row.item] and found.setdefault(column, scale) != scale:
                    mistakes.append(
                        Mistake(
                            f"wave {part.wave}, layout {name}: item {row.item}",
                            f"coded onto `{scale}`, elsewhere onto `{found[column]}`, and neither is the instrument's "
                            f"`{part.items[row.item]}`",
                            f"let its coding map the answers onto `{part.items[row.item]}`, or leave one out",
                        )
                    )
    return {column: found[column] for column in order if column in found}, mistakes
