"""The wave that a new one is held against: what it asked, in which words and order, under which column names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from surveywaves.adding.questions import Question, is_wording, questions_of
from surveywaves.errors import RawFileError
from surveywaves.harmonise.crosswalk import ORGANISATION
from surveywaves.ingest import describe_columns
from surveywaves.study import Comparability, Study, Wave
from surveywaves.study.models import VariableSource
from surveywaves.wording import normalise


@dataclass(frozen=True, slots=True)
class Asked:
    """An item as the wave asked it.

    Parameters
    ----------
    wording
        The wave's own words.
    grade
        How they compare with the instrument's.
    columns
        Layout -> column, as the crosswalk names it.
    scale
        Response scale that its coding leads to.
    place
        Where in the questionnaire it stood; None where the wave's files do not tell.
    """

    item: str
    wording: str
    grade: Comparability
    columns: Mapping[str, str]
    scale: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A wave as a pattern for another.

    Parameters
    ----------
    asked
        Items that it asked.
    sources
        Organisation and variables, where they have a column.
    ordered
        Whether the order of its questions is known.
    wordings
        Layout -> column name (folded) -> what it asks, where a file says more than the name.
    unread
        Raw files that could have told more and are not there, or cannot be read.
    """

    wave: Wave
    asked: Mapping[str, Asked]
    sources: Mapping[str, VariableSource]
    ordered: bool = False
    wordings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def wording_of(self, layout: str, column: str) -> str | None:
        """Give what a column asked, where its file said so."""
        return self.wordings.get(layout, {}).get(normalise(column))


def refer_to(study: Study, wave: Wave, root: Path, *, reading: Callable[[str], None]) -> Reference:
    """Gather what a wave asked; its raw files are read where they are there.

    Parameters
    ----------
    root
        The folder that the files' paths start from.
    reading
        Told the name of each file before it is read.
    """
    texts = {item.item: item.text for item in study.items}
    asked = {}
    for row in wave.crosswalk:
        if row.columns:
            coding = row.coding or wave.file.layouts[next(iter(row.columns))].coding or ""
            wording = row.wording or texts[row.item]
            scale = wave.file.codings[coding].response_scale
            asked[row.item] = Asked(row.item, wording, row.comparability, row.columns, scale)
    sources = dict(wave.file.variables)
    if isinstance(wave.file.organisation, VariableSource):
        sources = {ORGANISATION: wave.file.organisation, **sources}
    listed, unread = _read(wave, root, reading)
    places = _places(asked, listed)
    return Reference(
        wave,
        {name: _placed(one, places.get(name)) for name, one in asked.items()},
        sources,
        ordered=bool(places) and len(places) == len(asked),
        wordings={
            layout: {normalise(one.name): one.wording for one in questions if one.wordings}
            for layout, questions in listed.items()
        },
        unread=tuple(unread),
    )


def _placed(asked: Asked, place: int | None) -> Asked:
    return Asked(asked.item, asked.wording, asked.grade, asked.columns, asked.scale, place)


def _read(
    wave: Wave, root: Path, reading: Callable[[str], None]
) -> tuple[dict[str, list[Question]], list[str]]:
    """Read one file of each layout."""
    listed: dict[str, list[Question]] = {}
    unread = []
    for file in wave.file.files:
        if file.layout in listed:
            continue
        path = root / file.path
        try:
            if not path.is_file():
                unread.append(file.path)
                continue
            reading(file.path)
            listed[file.layout] = questions_of(describe_columns(path, wave.file.layouts[file.layout]))
        except RawFileError:
            unread.append(file.path)
    return listed, unread


def _places(asked: Mapping[str, Asked], listed: Mapping[str, list[Question]]) -> dict[str, int]:
    """Find the items' order in the layout that shows most of them."""
    best: dict[str, int] = {}
    for layout, questions in listed.items():
        by_name = {normalise(name): one.place for one in questions for name in (one.reference, one.name)}
        found = {
            name: by_name[normalise(one.columns[layout])]
            for name, one in asked.items()
            if layout in one.columns and normalise(one.columns[layout]) in by_name
        }
        if len(found) > len(best):
            best = found
    return best


def codes_of(reference: Reference) -> dict[str, list[tuple[str, str]]]:
    """List the bare column codes of a wave: folded code -> layout and item or variable that it held."""
    found: dict[str, list[tuple[str, str]]] = {}
    held = [(one.item, one.columns) for one in reference.asked.values()]
    held += [(name, source.columns) for name, source in reference.sources.items()]
    for name, columns in held:
        for layout, column in columns.items():
            if not is_wording(column):
                found.setdefault(normalise(column), []).append((layout, name))
    return found
