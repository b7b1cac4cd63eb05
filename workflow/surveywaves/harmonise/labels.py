"""Compare the value labels of files with the codings and maps of the study."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from surveywaves.errors import CrosswalkError, Mistake
from surveywaves.harmonise.crosswalk import RawColumns, coding_of, sources_of
from surveywaves.harmonise.wave import Harmonised, harmonise
from surveywaves.study.models import Study, Wave
from surveywaves.study.parts import HarmonisingPart, Presentation, StudyWords
from surveywaves.terms import ORGANISATION, Missing
from surveywaves.text import known_as, normalise

Codes = Mapping[str, object]
"""Code -> value, level or reason."""


def harmonise_checked(study: Study, wave: Wave, cells: pd.DataFrame, labels: pd.DataFrame) -> Harmonised:
    """Harmonise a wave, and check its codings against the value labels of its files; raises the errors of both."""
    part = HarmonisingPart.of(study, wave)
    mistakes = label_contradictions(Presentation.of(study), part, labels)
    try:
        found = harmonise(cells, part=part)
    except CrosswalkError as error:
        raise CrosswalkError([*mistakes, *error.mistakes]) from error
    if mistakes:
        raise CrosswalkError(mistakes)
    return found


def refuse_contradictions(
    words: StudyWords, parts: Iterable[HarmonisingPart], labels: Iterable[pd.DataFrame]
) -> None:
    """Raise a `CrosswalkError` that names what `label_contradictions` finds in any wave."""
    pairs = zip(parts, labels, strict=True)
    if mistakes := [one for part, own in pairs for one in label_contradictions(words, part, own)]:
        raise CrosswalkError(mistakes)


def label_contradictions(words: StudyWords, part: HarmonisingPart, labels: pd.DataFrame) -> list[Mistake]:
    """List the codes that a file labels as one option or level and the study maps to another.

    A label of several codes, or one that is no option or level, is not a contradiction. `labels` has the columns
    `layout, column, code, label`, as ingest gives them.
    """
    found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for layout, own in labels.groupby("layout", sort=False):
        columns = {
            str(name): dict(zip(one["code"], one["label"], strict=True))
            for name, one in own.groupby("column")
        }
        names = tuple(own["column"].unique())
        here = np.ones(len(names), dtype=np.bool_)
        raw = RawColumns(names, tuple(map(normalise, names)), here, ~here)
        for column, title, taken, known in _questions(words, part, str(layout)):
            for place in raw.find(column)[:1]:
                for said in _contradictions(columns[names[place]], taken, known):
                    found[str(layout), title, said].append(names[place])
    mistakes = []
    for (layout, title, said), there in found.items():
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        where = f"wave {part.wave}, layout {layout}: column `{there[0]}`{more}"
        hint = f"mend the {title}; where the labels are wrong, mend them in the file"
        mistakes.append(Mistake(where, f"{said} in the {title}", hint))
    return mistakes


def _questions(
    words: StudyWords, part: HarmonisingPart, layout: str
) -> Iterator[tuple[str, str, Codes, Mapping[str, int | str]]]:
    """Yield column, title and codes of each question of a layout, and its options or levels: label -> value."""
    for row in part.crosswalk:
        if layout in row.columns:
            name, coding = coding_of(part, row, part.layouts[layout])
            options = words.response_scales[coding.response_scale].labels
            known = {option: value for value, option in enumerate(options, start=1)}
            yield row.columns[layout], f"coding `{name}`", coding.values, known  # noqa: PD011  (a field of the model, no frame)
    for name, source in sources_of(part).items():
        if layout in source.columns:
            called = words.organisations if name == ORGANISATION else words.variables[name].levels
            levels = {str(text): level for level, text in called.items()}
            yield source.columns[layout], f"map of `{name}`", source.map, levels


def _contradictions(labels: Mapping[str, str], taken: Codes, known: Mapping[str, int | str]) -> Iterator[str]:
    values = {normalise(code): value for code, value in taken.items()}
    times = Counter(map(normalise, labels.values()))
    words = {value: text for text, value in known.items()}
    for code, label in labels.items():
        meant, was = known_as(label, known), values.get(normalise(code))
        # A level may be mapped to a missing reason (`invalid`); an option may not.
        left_out = isinstance(meant, str) and was in tuple(Missing)
        if None in {meant, was} or meant == was or left_out or times[normalise(label)] > 1:
            continue
        as_well = f" (“{words[was]}”)" if isinstance(was, int | str) and was in words else ""
        yield f"the file calls `{code}` “{label}”, and it is {was}{as_well}"
