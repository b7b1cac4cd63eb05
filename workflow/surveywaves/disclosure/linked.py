"""Everything that is linked, solved: who answered, the answers, why some are missing, who stands at an end of a scale.

Each is decided with what was decided before it: the size of an organisation binds its items, these bind the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import pandas as pd

from surveywaves.disclosure import count_tables
from surveywaves.disclosure.account import Tally
from surveywaves.disclosure.count_tables import (
    Groups,
    ItemKey,
    ItemPlace,
    Place,
    Public,
    groups,
    linked_groups,
    linked_items,
    linked_reasons,
)
from surveywaves.disclosure.marking import linked_files
from surveywaves.disclosure.suppress import Solver
from surveywaves.disclosure.system import LEAST, TOTAL, Builder, Marks, Rule
from surveywaves.harmonise.crosswalk import constants_of
from surveywaves.study.parts import HarmonisingPart
from surveywaves.terms import ALL, ORGANISATION

FREQUENCIES: Final = "item_frequencies"
RESPONDENTS: Final = "respondents"
RATES: Final = "response_rates"
MISSING: Final = "missing"
RELIABILITY: Final = "reliability"
FILE_COUNTS: Final = "file_counts"
PROBLEMS: Final = "problems"

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Part(Generic[Key]):
    """Linked counts of a kind, place by place, and which of them are withheld."""

    counts: Mapping[Key, Builder]
    marks: Mapping[Key, Marks]

    def withheld(self) -> Iterator[tuple[Key, Hashable]]:
        """List what is withheld."""
        return ((key, name) for key, own in self.marks.items() for name, mark in own.items() if mark)


@dataclass(frozen=True, slots=True)
class Linked:
    """All linked counts of the study.

    Attributes
    ----------
    groups
        The organisations, and whose sizes are withheld.
    people, answers, reasons, ends, files
        Counts of who answered, by wave; of answers, and of why they are missing, by wave and item; of those at an end
        of a scale, by scale and end; of rows in the raw files, by wave.
    """

    groups: Groups
    people: Part[str]
    answers: Part[ItemPlace]
    reasons: Part[ItemPlace]
    ends: Part[count_tables.End]
    files: Part[str]

    @property
    def every(self) -> dict[str, Part[Any]]:
        """Give all of them by what they count."""
        return {
            "counts of who answered": self.people,
            "counts of answers": self.answers,
            "counts of reasons": self.reasons,
            "counts at an end of a scale": self.ends,
            "rows of the raw files": self.files,
        }

    def hidden_together(self) -> frozenset[tuple[str, str, str]]:
        """List the withheld counts of all organisations together, as wave, item or variable, response or level."""
        return frozenset(_together(self.people, self.answers))


def link(
    tables: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    rule: Rule,
    parts: Iterable[HarmonisingPart],
    public: Public,
    solve: Solver,
) -> Linked:
    """Link the counts of all tables, and choose what to withhold.

    Parameters
    ----------
    tables, instrument, rule, parts
        See `surveywaves.disclosure.release.release`.
    public
        Counts that are in print.
    solve
        Chooses.

    Returns
    -------
    Linked
        Each place of each kind is a system by itself.
    """
    returns = dict(zip(tables[RATES]["wave"], tables[RATES]["returns"], strict=True))
    people = _solved(linked_groups(tables[RESPONDENTS], returns, rule=rule, public=public), solve)
    found = groups(people.counts, people.marks, rule)
    answers = _solved(
        linked_items(
            tables[FREQUENCIES],
            groups=found,
            favourable={item: one.good for item, one in instrument.items()},
            rule=rule,
            public=public,
        ),
        solve,
    )
    nothing = frozenset(place for place, own in answers.marks.items() if own["base", ALL])
    reasons = _solved(linked_reasons(tables[MISSING], groups=found, nothing=nothing, rule=rule), solve)
    ends: dict[count_tables.End, Builder] = {}
    if RELIABILITY in tables:
        ends = count_tables.linked_extremes(tables[RELIABILITY], tied=_tied(instrument, answers), rule=rule)
    files: dict[str, Builder] = {}
    if FILE_COUNTS in tables:
        files = linked_files(
            tables[FILE_COUNTS],
            tables[PROBLEMS],
            groups=found,
            told=frozenset(_told(parts, people)),
            rule=rule,
        )
    return Linked(found, people, answers, reasons, _solved(ends, solve), _solved(files, solve))


def _solved(counts: Mapping[Key, Builder], solve: Solver) -> Part[Key]:
    return Part(counts, solve(counts))


def _tied(
    instrument: Mapping[str, ItemKey], answers: Part[ItemPlace]
) -> dict[count_tables.End, frozenset[Place]]:
    """List the waves and organisations in which an item's count at an end of its scale is withheld."""
    tied: dict[count_tables.End, set[Place]] = {}
    for (wave, item), name in answers.withheld():
        if isinstance(name, tuple) and name[0] == "n":
            for term in count_tables.TERMS:
                if name[2] == instrument[item].end(term):
                    # What is known of all would bound what the withheld ones have together.
                    tied.setdefault((instrument[item].scale, term), set()).update(
                        {(wave, name[1]), (wave, ALL)}
                    )
    # What is withheld of a wave is withheld of all waves together.
    return {
        end: frozenset(places | {(ALL, organisation) for _, organisation in places})
        for end, places in tied.items()
    }


def _told(parts: Iterable[HarmonisingPart], people: Part[str]) -> Iterator[str]:
    """List the waves in which a layout stands for a group whose size is withheld."""
    withheld = set(people.withheld())
    for part in parts:
        fixed = {level for layout in part.layouts for level in constants_of(part, layout).items()}
        if any(
            {(part.wave, ("n", variable, ALL, level)), (part.wave, ("size", level))} & withheld
            for variable, level in fixed
        ):
            yield part.wave


def _together(people: Part[str], answers: Part[ItemPlace]) -> Iterator[tuple[str, str, str]]:
    for wave, name in people.withheld():
        match name:
            case ("n", str(variable), "all", str(level)):
                yield wave, variable, level
            case ("base", str(variable), "all"):
                yield wave, variable, "base"
            case ("size", str(organisation)):
                yield wave, ORGANISATION, organisation
    for (wave, item), name in answers.withheld():
        match name:
            case ("n", "all", int(response)):
                yield wave, item, str(response)
            case ("base", "all"):
                yield wave, item, "base"


def not_in_print(
    tables: Mapping[str, pd.DataFrame], public: Collection[tuple[str, str, str]]
) -> frozenset[tuple[str, str, str]]:
    """List the counts of all organisations together that nobody has printed."""
    found: set[tuple[str, str, str]] = set()
    for name, columns in ((FREQUENCIES, ("item", "response")), (RESPONDENTS, ("variable", "level"))):
        table = tables[name][tables[name]["organisation"] == ALL]
        for wave, subject, category in zip(table["wave"], *(table[one] for one in columns), strict=True):
            found |= {(wave, subject, str(category)), (wave, subject, "base")}
    whole = {(wave, subject, "base") for wave, subject, _ in public}
    return frozenset(found - set(public) - whole)


def tallies(linked: Linked) -> Iterator[Tally]:
    """Count, kind by kind, what is published, withheld for itself, and withheld for others."""
    for kind, part in linked.every.items():
        tally = [0, 0, 0, 0]
        for key, builder in part.counts.items():
            small = {need.cell for need in builder.needs}
            for name, cell in builder.counts.items():
                if name == TOTAL or builder.costs[cell] == 0 or _least(name):
                    continue
                tally[0] += 1
                tally[1] += part.marks[key][name] and cell in small
                tally[2] += part.marks[key][name] and cell not in small
                tally[3] += cell in builder.public
        yield Tally(kind, *tally)


def why_withheld(linked: Linked) -> pd.DataFrame:
    """List every withheld count with its value and reason: `linked, count, n, reason`. Gives small counts away."""
    rows = []
    for part in linked.every.values():
        for key, builder in part.counts.items():
            small = {need.cell for need in builder.needs}
            for name, cell in builder.counts.items():
                if part.marks[key][name]:
                    why = "primary" if cell in small else "complementary"
                    rows.append((_say(key), _say(name), builder.value(name), why))
    frame = pd.DataFrame(rows, columns=["linked", "count", "n", "reason"])
    return frame.astype({"linked": "str", "count": "str", "n": "int64", "reason": "str"})


def _least(name: Hashable) -> bool:
    return isinstance(name, tuple) and name[0] == LEAST


def _say(name: Hashable) -> str:
    return ", ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)
