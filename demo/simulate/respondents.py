"""Respondents and their answers, in the terms of the instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulate.cells import ORGANISATION, REASONS, points_of
from simulate.draw import (
    Floats,
    Integers,
    bell,
    cut_points,
    generator,
    latent_responses,
    regroup,
)
from simulate.models import DemoPart
from simulate.people import Objects, People, Questionnaire, asked_in, layout_of, make_people
from surveywaves.errors import Mistake, StudyError, SurveywavesError
from surveywaves.study.models import Item
from surveywaves.terms import Missing

SKIPPED = Missing.SKIPPED.value


@dataclass(frozen=True)
class Respondents:
    """Invented respondents of a wave."""

    states: pd.DataFrame
    """One row a respondent: `organisation`, each variable of the study, each item in the order asked. A cell is a value
    (an item's 1..K on the response scale that the wave's coding gives, a level) or the reason of a missing one."""
    file: pd.Series
    """Path of the file each came in."""
    weight: pd.Series
    """Survey weight."""
    employer: pd.Series
    """Organisation that employs each, whether they said so or not."""

    @property
    def answers(self) -> pd.DataFrame:
        """The states, with every reason left out."""
        return self.states.mask(self.states.isin(REASONS), None)


def reconstruct(part: DemoPart, item_counts: pd.DataFrame) -> Respondents:
    """Invent respondents whose answers add up to stated counts, exactly.

    As many get to a question as answered it or any later one; of these, those too many for its base skip it at
    random. The answers of the others are their latent responses in order: the lowest get the lowest option, as many as
    its count, and so on. An item without counts is answered as in `simulate`, by everyone who gets to it.

    Parameters
    ----------
    part
        The demonstration.
    item_counts
        `item, response, count`: one row an item and response 1..K, zero counts included. Other items are ignored.

    Raises
    ------
    StudyError
        Naming each item whose counts do not fit its response scale or outnumber the returns, and what
        `make_people` finds.
    """
    counts = _counts(part, item_counts)
    bases = {name: int(count.sum()) for name, count in counts.items()}
    bases |= {name: sum(levels.values()) for name, levels in part.demo.variables.items()}
    bases[ORGANISATION] = sum(part.demo.organisations.values())
    asked = _asked(part)
    reach = _reach_by_bases(asked, bases, returns=part.demo.returns)
    people = make_people(part, Questionnaire(asked, reach))
    items = _items(part)
    latent = _latent(part, items, people)
    thresholds = {item.item: _cut_points(part, item.item, counts) for item in items}
    rng = generator(part, "missing answers")
    answers: dict[str, Objects] = {}
    for column, item in enumerate(items):
        states, places, spoilable = _before_answering(part, item.item, people, reach)
        if item.item in counts:
            base = bases[item.item]
            if base > len(places):
                raise _short(part, item.item, base, len(places))
            skip = rng.choice(len(places), size=len(places) - base, replace=False)
            answered = np.delete(places, skip)
            in_order = answered[np.argsort(latent[answered, column], kind="stable")]
            states[in_order] = np.repeat(np.arange(1, len(counts[item.item]) + 1), counts[item.item]).tolist()
        else:
            states[places] = _options(latent[places, column], thresholds[item.item])
        answers[item.item] = _spoil(part, states, places[spoilable[places]], rng)
    return _respondents(part, people, answers)


def simulate(part: DemoPart, item_counts: pd.DataFrame) -> Respondents:
    """Invent respondents from stated parameters.

    An item's cut points are those that give its stated shares, or its reference counts (regrouped where the wave asks
    with another number of options); its latent responses are shifted as stated. Answers are skipped or unknown at
    random; of those who break off in a section, each stops before a random question in it.

    Parameters
    ----------
    part
        The demonstration.
    item_counts
        As for `reconstruct`; the distributions that the shifts are against. May be empty.

    Raises
    ------
    StudyError
        As for `reconstruct`.
    """
    counts = _counts(part, item_counts, fitting=False)
    asked = _asked(part)
    reach = _reach_by_sections(part, asked)
    people = make_people(part, Questionnaire(asked, reach))
    items = _items(part)
    latent = _latent(part, items, people) + [part.demo.item_shifts.get(item.item, 0.0) for item in items]
    rng = generator(part, "missing answers")
    answers: dict[str, Objects] = {}
    for column, item in enumerate(items):
        states, places, spoilable = _before_answering(part, item.item, people, reach)
        options = np.array(
            _options(latent[places, column], _cut_points(part, item.item, counts)), dtype=object
        )
        options[rng.random(len(places)) < part.demo.skipped] = SKIPPED
        unknown = (rng.random(len(places)) < part.demo.dont_know) & _has(
            part, item.item, people, Missing.DONT_KNOW
        )[places]
        options[unknown] = Missing.DONT_KNOW.value
        states[places] = options
        answers[item.item] = _spoil(part, states, places[spoilable[places]], rng)
    return _respondents(part, people, answers)


# --- one step each --------------------------------------------------------------------------------------------


def _asked(part: DemoPart) -> tuple[str, ...]:
    """List items and variables in the order asked."""
    return tuple(
        name
        for block in part.demo.questionnaire
        for name in (*block.items, *([block.variable] if block.variable else []))
    )


def _items(part: DemoPart) -> list[Item]:
    known = {item.item: item for item in part.items}
    return [known[name] for name in _asked(part) if name in known]


def _counts(part: DemoPart, item_counts: pd.DataFrame, *, fitting: bool = True) -> dict[str, Integers]:
    """Take the counts of the items asked out of the frame, by item."""
    asked = {item.item for item in _items(part)}
    found: dict[str, Integers] = {}
    mistakes = []
    for name, rows in item_counts[item_counts["item"].isin(asked)].groupby("item", sort=False):
        ordered = rows.sort_values("response")
        counts = ordered["count"].to_numpy(dtype=np.int64)
        points = points_of(part, str(name)) if fitting else len(counts)
        where = f"demonstration of wave {part.wave}: {name}"
        if ordered["response"].tolist() != list(range(1, points + 1)):
            mistakes.append(Mistake(where, f"there must be one count for each response from 1 to {points}"))
        elif (counts < 0).any() or counts.sum() == 0:
            mistakes.append(Mistake(where, "counts must be zero or more, and not all zero"))
        elif fitting and counts.sum() > part.demo.returns:
            mistakes.append(_short(part, str(name), int(counts.sum()), part.demo.returns).mistakes[0])
        found[str(name)] = counts
    if mistakes:
        raise StudyError(mistakes)
    return found


def _short(part: DemoPart, name: str, base: int, there: int) -> SurveywavesError:
    return StudyError.at(
        f"demonstration of wave {part.wave}: {name}",
        f"{base} answers are published, but only {there} respondents could have given them",
    )


def _reach_by_bases(asked: tuple[str, ...], bases: Mapping[str, int], *, returns: int) -> dict[str, int]:
    """Let as many get to a question as answered it or any later one; questions without a base follow the others."""
    reach = {}
    later = next((bases[name] for name in reversed(asked) if name in bases), returns)
    for name in reversed(asked):
        later = max(later, bases.get(name, 0))
        reach[name] = later
    return reach


def _reach_by_sections(part: DemoPart, asked: tuple[str, ...]) -> dict[str, int]:
    """Let those who break off in a section stop before a random item in it."""
    rng = generator(part, "break-off")
    sections = {item.item: item.section for item in part.items}
    stops = np.zeros(len(asked), dtype=np.int64)
    for section, share in part.demo.break_off.items():
        places = [place for place, name in enumerate(asked) if sections.get(name) == section]
        if places:
            for place in rng.choice(places, size=round(share * part.demo.returns)):
                stops[place] += 1
    return dict(zip(asked, (part.demo.returns - np.cumsum(stops)).tolist(), strict=True))


def _latent(part: DemoPart, items: list[Item], people: People) -> Floats:
    """Draw latent responses and shift them by scale and employer, towards more of what the scale measures."""
    demo = part.demo
    latent = latent_responses(
        items,
        demo.returns,
        between=demo.correlation_between_scales,
        within=demo.correlation_within_scale,
        default=demo.default_within_scale,
        rng=generator(part, "latent responses"),
    )
    shifts = {
        scale: np.array([by_organisation.get(one, 0.0) for one in people.employer])
        for scale, by_organisation in demo.shifts.items()
    }
    for column, item in enumerate(items):
        latent[:, column] += item.key * shifts.get(item.scale or "", 0.0)
    return latent


def _cut_points(part: DemoPart, item: str, counts: Mapping[str, Integers]) -> Floats:
    points = points_of(part, item)
    if item in part.demo.item_shares:
        return cut_points(part.demo.item_shares[item])
    if item not in counts:
        return bell(points)
    return cut_points(counts[item] if len(counts[item]) == points else regroup(counts[item], points))


def _options(latent: Floats, thresholds: Floats) -> list[int]:
    return [1 + int(place) for place in np.searchsorted(thresholds, latent)]


def _before_answering(
    part: DemoPart, item: str, people: People, reach: Mapping[str, int]
) -> tuple[Objects, Integers, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Give everybody's state if they do not answer, the places of those who can, and whose file can say `invalid`."""
    asked, _ = asked_in(part, item, people.file)
    reached = people.stamina < reach[item]
    states = np.where(reached, SKIPPED, Missing.BROKE_OFF.value).astype(object)
    states[~asked] = Missing.NOT_ASKED.value
    return states, np.flatnonzero(asked & reached), _has(part, item, people, Missing.INVALID)


def _has(
    part: DemoPart, item: str, people: People, reason: Missing
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say whose file has a cell for a reason."""
    _, cells = asked_in(part, item, people.file)
    return np.isin(people.file, [number for number, one in cells.items() if one.has(reason)])


def _spoil(part: DemoPart, states: Objects, places: Integers, rng: np.random.Generator) -> Objects:
    """Make some of the skipped answers unusable ones."""
    skipped = np.array([place for place in places if states[place] == SKIPPED], dtype=np.int64)
    states[skipped[rng.random(len(skipped)) < part.demo.unusable]] = Missing.INVALID.value
    return states


def _respondents(part: DemoPart, people: People, answers: Mapping[str, Objects]) -> Respondents:
    index = pd.RangeIndex(part.demo.returns, name="respondent")
    weighted = np.array([bool(part.layouts[layout_of(part, file)].weight) for file in part.demo.files])
    weight = np.ones(part.demo.returns)
    for name, by_level in part.demo.weights.items():
        weight *= [by_level.get(str(level), 1.0) for level in people.says[name]]
    return Respondents(
        states=pd.DataFrame({**people.says, **answers}, index=index, dtype=object),
        file=pd.Series([part.demo.files[number].path for number in people.file], index=index, dtype="str"),
        weight=pd.Series(np.where(weighted[people.file], weight, 1.0), index=index),
        employer=pd.Series(people.employer, index=index, dtype="str"),
    )
