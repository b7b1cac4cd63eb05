"""What the study says of a wave: which question each raw column of a layout holds, and what its cells mean."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake
from surveywaves.harmonise.cells import Meanings, meanings_of_coding, meanings_of_map
from surveywaves.harmonise.routing import FILTERED, filter_of
from surveywaves.study.models import Coding, CrosswalkRow, Layout, VariableSource
from surveywaves.study.parts import HarmonisingPart
from surveywaves.terms import INGEST_COLUMNS, ORGANISATION, RESCALED_SUFFIX, ROW_SEPARATOR
from surveywaves.text import did_you_mean, normalise


@dataclass(frozen=True, slots=True)
class RawColumns:
    """The raw columns of a wave, and in which of them one layout has anything."""

    names: tuple[str, ...]
    """Full names, in the order of the files."""
    folded: tuple[str, ...]
    """The names after `normalise`."""
    here: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]
    """Whether the column has content in this layout; in another one."""

    def find(self, wanted: str) -> list[int]:
        """List the columns that a name may mean: one if all is well, none, or several that it does not tell apart.

        A full name goes before a row label. A column that has content in other layouts only is thought of last: two
        layouts may well use the same row label.
        """
        key = normalise(wanted)
        names = list(enumerate(self.folded))
        exact = [place for place, name in names if name == key]
        labelled = [place for place, name in names if key and name.endswith(ROW_SEPARATOR + key)]
        own = self.here | ~self.elsewhere
        for places in ([p for p in exact if own[p]], [p for p in labelled if own[p]], exact, labelled):
            if places:
                return places
        return []

    def ignored(self, entries: Iterable[str]) -> set[int]:
        """List the columns that an `ignore` list covers: by full name, row label or, before `*`, how the name begins.

        An entry that fits no column says nothing wrong (a later file may lack the column), and is passed over.
        """
        listed = [entry.rstrip() for entry in entries]
        starts = tuple(normalise(entry[:-1]) for entry in listed if entry.endswith("*"))
        keys = {normalise(entry) for entry in listed if not entry.endswith("*")}
        return {
            place
            for place, name in enumerate(self.folded)
            if name in keys or name.startswith(starts) or not keys.isdisjoint(_labels(name))
        }


def raw_columns(cells: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.intp], RawColumns]]:
    """Yield each layout that has rows: its name, the places of its rows, and how it sees the raw columns."""
    codes, layouts = pd.factorize(cells["layout"])
    names = tuple(str(name) for name in cells.columns[len(INGEST_COLUMNS) :])
    folded = tuple(normalise(name) for name in names)
    filled = np.zeros((len(layouts), len(names)), dtype=np.bool_)
    for place in range(len(names)):
        present = cells.iloc[:, len(INGEST_COLUMNS) + place].notna().to_numpy()
        filled[:, place] = np.bincount(codes[present], minlength=len(layouts)) > 0
    layouts_with = filled.sum(axis=0)
    for code, layout in enumerate(layouts):
        others = layouts_with > filled[code]
        yield str(layout), np.flatnonzero(codes == code), RawColumns(names, folded, filled[code], others)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column that the crosswalk names."""

    use: str
    """What for, in words: ``item trust_1``."""
    column: str
    """As the crosswalk names it."""
    shared: bool
    """Whether other uses may read the same column: two variables may (a job title gives profession and grade), an item
    has its column for itself."""


def assign(
    wanted: Sequence[Wanted], raw: RawColumns, *, where: str
) -> tuple[list[int | None], list[Mistake]]:
    """Find the raw column of everything that a crosswalk names in a layout.

    Returns
    -------
    list of int or None
        Place in `raw` for each of `wanted`; None where there is none.
    list of Mistake
        One for each name that fits no column or several, and each column that an item shares.
    """
    places: list[int | None] = []
    mistakes = []
    for one in wanted:
        found = raw.find(one.column)
        places.append(found[0] if len(found) == 1 else None)
        if not found:
            hint = did_you_mean(one.column, raw.names, "columns go by full name or by row label")
            mistakes.append(Mistake(f"{where}: {one.use}", f"there is no column `{one.column}`", hint))
        elif len(found) > 1:
            named = ", ".join(f"`{raw.names[place]}`" for place in found)
            twice = len({raw.folded[place] for place in found}) == 1
            hint = "rename one of them in the file" if twice else "give the full name"
            told = f"`{one.column}` fits {len(found)} columns: {named}"
            mistakes.append(Mistake(f"{where}: {one.use}", told, hint))
    users: defaultdict[int, list[Wanted]] = defaultdict(list)
    for one, place in zip(wanted, places, strict=True):
        if place is not None:
            users[place].append(one)
    for place, uses in users.items():
        if len(uses) > 1 and not all(one.shared for one in uses):
            told = f"mapped {len(uses)} times: {', '.join(one.use for one in uses)}"
            mistakes.append(Mistake(f"{where}: column `{raw.names[place]}`", told))
    return places, mistakes


def repeated(names: Iterable[object], *, where: str) -> list[Mistake]:
    """Name every column that stands twice in a frame: its cells could not be told apart."""
    return [
        Mistake(f"{where}: column `{name}`", f"stands {count} times in the cells")
        for name, count in Counter(names).items()
        if count > 1
    ]


def unclaimed(raw: RawColumns, claimed: Iterable[int], *, ignore: Iterable[str]) -> list[int]:
    """List the columns that have content in the layout and that nothing maps or ignores."""
    return sorted(set(np.flatnonzero(raw.here).tolist()) - set(claimed) - raw.ignored(ignore))


def _labels(folded: str) -> list[str]:
    """List what follows each divider of a full name: its row label, and in a name of three parts both readings."""
    parts = folded.split(ROW_SEPARATOR)
    return [ROW_SEPARATOR.join(parts[start:]) for start in range(1, len(parts))]


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
            maps[name], more = meanings_of_map(source, title=f"map of `{name}`", where=where)
            mistakes += more
        for number, route in enumerate(part.routing):
            if route.filter:
                title, name = f"map of `routing.{number}.filter`", filter_of(number)
                maps[name], more = meanings_of_map(route.filter, title=title, where=where, words=FILTERED)
                mistakes += more
        levels = {
            name: maps[name].words if name in maps else () for name in (ORGANISATION, *part.known_variables)
        }
        for name, level in all_constants(part):
            levels[name] = tuple(dict.fromkeys((*levels[name], level)))
        return cls(codings, maps, levels), mistakes


def sources_of(part: HarmonisingPart) -> dict[str, VariableSource]:
    """Return the sources of the organisation and of the variables that have a column."""
    own = {ORGANISATION: part.organisation} if isinstance(part.organisation, VariableSource) else {}
    return {**own, **part.variables}


def coding_of(part: HarmonisingPart, row: CrosswalkRow, layout: Layout) -> tuple[str, Coding]:
    """Return the name of an item's coding in a layout, and the coding."""
    name = row.coding or layout.coding or ""
    return name, part.codings[name]


def constants_of(part: HarmonisingPart, layout: str, file: str = "") -> dict[str, str]:
    """Return the constants of a layout, or of one of its files."""
    wave = {ORGANISATION: part.organisation} if isinstance(part.organisation, str) else {}
    own = [one.constants for one in part.files if one.path == file]
    return {**wave, **part.layouts[layout].constants, **(own[0] if own else {})}


def all_constants(part: HarmonisingPart) -> list[tuple[str, str]]:
    """List the constants of all layouts and files of a wave, as pairs of variable and level."""
    files = [pair for one in part.files for pair in one.constants.items()]
    return [*(pair for layout in part.layouts for pair in constants_of(part, layout).items()), *files]


@dataclass(frozen=True, slots=True)
class Question:
    """A column of the harmonised data for which a layout has answers, or a filter question."""

    variable: str
    meanings: Meanings
    wanted: Wanted


def questions_of(part: HarmonisingPart, words: Words, layout: str) -> Iterator[Question]:
    """Yield what a layout asks: organisation, variables, filters, items (on another response scale: `rescaled`)."""
    filters = {filter_of(number): route.filter for number, route in enumerate(part.routing)}
    for name, source in {**sources_of(part), **filters}.items():
        if source and layout in source.columns:
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
    """Return the response scale of each `<item>_rescaled` column, and a mistake for each item that would have two."""
    found: dict[str, str] = {}
    mistakes = []
    order: dict[str, None] = {}
    for part in parts:
        order |= dict.fromkeys(item + RESCALED_SUFFIX for item in part.items)
        for row in part.crosswalk:
            for name in row.columns:
                scale = coding_of(part, row, part.layouts[name])[1].response_scale
                column = row.item + RESCALED_SUFFIX
                own = part.items[row.item]
                if scale != own and found.setdefault(column, scale) != scale:
                    both = f"coded onto `{scale}`, elsewhere onto `{found[column]}`"
                    told = f"{both}, and neither is the instrument's `{own}`"
                    hint = f"let its coding map the answers onto `{own}`, or leave one out"
                    where = f"wave {part.wave}, layout {name}: item {row.item}"
                    mistakes.append(Mistake(where, told, hint))
    return {column: found[column] for column in order if column in found}, mistakes
