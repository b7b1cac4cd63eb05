"""Who the respondents are: the file they came in, how far they got, who employs them, what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.cells import ORGANISATION, Cells, cells_of
from simulate.draw import apportion, generator
from simulate.models import DemoFile, DemoPart
from surveywaves.errors import StudyError, SurveywavesError
from surveywaves.terms import Missing

Objects = NDArray[np.object_]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Questionnaire:
    """A wave's questions in the order asked, and how far its respondents get."""

    asked: tuple[str, ...]
    """Items and variables."""
    reach: Mapping[str, int]
    """Question -> respondents who get to it; never more than at the question before."""


@dataclass(frozen=True)
class People:
    """Respondents before they have answered an item; every array has one entry a respondent."""

    file: NDArray[np.int64]
    """Place of their file in `demo.files`."""
    stamina: NDArray[np.int64]
    """Rank: those ranked below a question's reach get to it."""
    employer: Objects
    """Organisation that employs them, said or not."""
    says: Mapping[str, Objects]
    """`organisation` and each variable of the study -> value, or reason of a missing one."""


def make_people(part: DemoPart, questionnaire: Questionnaire) -> People:
    """Invent respondents with the counts that the demonstration states.

    Raises
    ------
    StudyError
        If more answer a question than get to it, or staff that one organisation employs outnumber its respondents.
    """
    demo = part.demo
    rng = generator(part, "people")
    stamina = rng.permutation(demo.returns)
    dealt = apportion(demo.returns, [file.share for file in demo.files])
    file = rng.permutation(np.repeat(np.arange(len(demo.files)), dealt))

    fixed = part.harmonising.organisation
    says: dict[str, Objects] = {}
    if isinstance(fixed, str):
        employer = np.full(demo.returns, fixed, dtype=object)
        says[ORGANISATION] = employer
    else:
        missing, able = _who_can_answer(part, questionnaire, ORGANISATION, file, stamina)
        stated = _choose(part, ORGANISATION, demo.organisations, able, rng)
        employer = np.full(demo.returns, None, dtype=object)
        employer[stated] = _shuffled(demo.organisations, rng)
        rest = np.setdiff1d(np.arange(demo.returns), stated)
        unsaid = apportion(len(rest), list(demo.organisations.values()))
        employer[rest] = _shuffled(dict(zip(demo.organisations, unsaid.tolist(), strict=True)), rng)
        says[ORGANISATION] = np.where(np.isin(np.arange(demo.returns), stated), employer, missing)
    for name in part.variables:
        missing, able = _who_can_answer(part, questionnaire, name, file, stamina)
        says[name] = missing
        if name in demo.variables:
            for place, level in _employed(part, name, employer=employer, able=able, rng=rng):
                says[name][place] = level
        for number, path in enumerate(demo.files):
            constants = part.layouts[layout_of(part, path)].constants
            if name in constants:
                says[name][file == number] = constants[name]
    return People(file=file, stamina=stamina, employer=employer, says=says)


def layout_of(part: DemoPart, file: DemoFile) -> str:
    """Name the layout of a demonstration file."""
    return next(raw.layout for raw in part.files if raw.path == file.path)


def asked_in(part: DemoPart, name: str, file: NDArray[np.int64]) -> tuple[Truths, dict[int, Cells]]:
    """Say which respondents' files ask a question, and how each of these files writes the answers."""
    found: dict[int, Cells] = {}
    for number, one in enumerate(part.demo.files):
        if cells := cells_of(part, layout_of(part, one), name, numeric=one.numeric):
            found[number] = cells
    return np.isin(file, list(found)), found


def _who_can_answer(
    part: DemoPart,
    questionnaire: Questionnaire,
    name: str,
    file: NDArray[np.int64],
    stamina: NDArray[np.int64],
) -> tuple[Objects, Truths]:
    """Give the reason for everybody in case they do not answer, and who gets to the question."""
    asked, _ = asked_in(part, name, file)
    asked &= name in questionnaire.reach
    reached = stamina < questionnaire.reach.get(name, 0)
    missing = np.where(reached, Missing.SKIPPED.value, Missing.BROKE_OFF.value).astype(object)
    missing[~asked] = Missing.NOT_ASKED.value
    return missing, asked & reached


def _choose(
    part: DemoPart, name: str, counts: Mapping[str, int], able: Truths, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose who answers a question among those who can."""
    wanted, places = sum(counts.values()), np.flatnonzero(able)
    if wanted > len(places):
        raise _too_few(part, name, wanted, len(places))
    return rng.choice(places, size=wanted, replace=False)


def _employed(
    part: DemoPart,
    name: str,
    *,
    employer: Objects,
    able: Truths,
    rng: np.random.Generator,
) -> list[tuple[int, str]]:
    """Deal levels out so that each goes to staff of the organisation that employs such people, if only one does."""
    counts, employers = part.demo.variables[name], part.demo.employed_by.get(name, {})
    organisations = sorted(set(employer.tolist()))
    places = {
        one: rng.permutation(np.flatnonzero(able & (employer == one))).tolist() for one in organisations
    }
    dealt: list[tuple[int, str]] = []
    for level, count in counts.items():
        if level in employers:
            here = places.get(employers[level], [])
            if count > len(here):
                raise _too_few(part, f"{name}, {level}", count, len(here))
            dealt += [(here.pop(), level) for _ in range(count)]
    free = _shuffled({level: count for level, count in counts.items() if level not in employers}, rng)
    left = [place for one in organisations for place in places[one]]
    if len(free) > len(left):
        raise _too_few(part, name, len(free), len(left))
    return dealt + list(zip(rng.permutation(left)[: len(free)].tolist(), free, strict=True))


def _shuffled(counts: Mapping[str, int], rng: np.random.Generator) -> list[str]:
    names: Sequence[str] = [name for name, count in counts.items() for _ in range(count)]
    return [names[place] for place in rng.permutation(len(names))]


def _too_few(part: DemoPart, name: str, wanted: int, there: int) -> SurveywavesError:
    return StudyError.at(
        f"demonstration of wave {part.wave}: {name}",
        f"{wanted} answers are asked for, but only {there} respondents could have given them",
        "see `returns`, `break_off` and `employed_by` in demo.yaml",
    )
