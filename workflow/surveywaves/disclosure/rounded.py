"""The counts of a study by organisation, rounded wave by wave, and the tables that show them.

Sizes of the organisations first, with the levels of every grouping variable; then each item; then who stands at an end
of a scale, no more than gave that answer to each of its items. All tables of a wave add up to the same sizes.

The seed of a table is a digest of all counts of its wave and of its own, without names. Whoever has the data gets the
same tables, and no other wave, no order and no label moves them. Whoever has not cannot repeat the draw: a nearest
rounding, or one from a public seed, could be undone by trying which counts it would show like this; here these are the
counts of all tables of the wave at once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.disclosure.audit import Joint, Known, Sizes, Small, Tie, interval, small_counts
from surveywaves.disclosure.count_tables import TERMS, ItemKey
from surveywaves.disclosure.marking import COLUMN, WHOLE, is_aside
from surveywaves.disclosure.rounding import Crossed, draw
from surveywaves.disclosure.routes import Routes
from surveywaves.disclosure.system import BoolArray, FloatArray, IntArray, Rule
from surveywaves.terms import (
    ALL,
    ITEM_FREQUENCIES,
    NOT_STATED,
    ORGANISATION,
    RELIABILITY,
    RESPONDENTS,
    RESPONSE_RATES,
    Status,
)
from surveywaves.tidy import tuples

DRAWS: Final = 20
"""Tables that are drawn at most until one stands the audit; if none does, it is withheld."""

AT_ONCE: Final = 24
"""Organisations that are rounded together at most; more are rounded in blocks, as many as there are in a block."""

PAIRINGS: Final = 5
"""Number of pairings of the organisations in the audit; for five organisations or fewer, they cover all pairs."""

ROUNDS: Final = 3
"""How often tables are drawn again that only all tables together narrow."""

EVERY: Final = "every item"
BASE: Final = "base"
ASKED: Final = "asked"

Place = tuple[str, str]
"""Wave and organisation."""

Subject = tuple[str, str, str]
"""Wave, item or variable, organisation."""


@dataclass(slots=True)
class Rounded:
    """Counts by organisation as they are shown; what is not in here is withheld.

    Attributes
    ----------
    rule
        The rule.
    exact
        Places whose counts are shown as they are: all respondents of a wave, or its one organisation.
    sizes
        Returns.
    people
        Level -> returns, with `ASKED` and `BASE`.
    answers
        Response -> answers.
    ends
        Scale, term, wave, organisation -> respondents at that end of the scale.
    keys
        Wave -> digest of its counts.
    drawn
        Tables that were drawn once, again, and that are withheld for none stood the audit.
    """

    rule: Rule
    exact: set[Place] = field(default_factory=set)
    sizes: dict[Place, int] = field(default_factory=dict)
    people: dict[Subject, dict[str, int]] = field(default_factory=dict)
    answers: dict[Subject, dict[int, int]] = field(default_factory=dict)
    ends: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    drawn: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("once", "again", "withheld"), 0))


class _Table(NamedTuple):
    """A table of a wave: what it is about, its columns, its counts, and how many of the first have no order."""

    subject: str
    columns: tuple[Any, ...]
    crossed: Crossed
    unordered: int = 0

    def gave(self, response: Any) -> BoolArray:
        """(C,) mark the categories of those who gave a response; None: any response."""
        return np.array([response in (one, None) for one in self.columns] + [False])


class _Total(NamedTuple):
    """People of each organisation who are in all tables of a scale at once.

    At an end of it, or with all items answered (`every`). `members`: the categories that they are in, item by item.
    `told`: organisations of which that is known here and may be shown; of others, `people` is what it may be. `silent`:
    how many skipped an item, counted once for each item, beyond those who are not in all tables.
    """

    people: IntArray
    told: BoolArray
    members: dict[str, BoolArray]
    every: bool
    silent: IntArray


class _Drawn(NamedTuple):
    """A table as it is shown, what it tells, and those of its small counts that exchanges do not leave open."""

    table: _Table
    cells: IntArray
    known: Known
    small: list[Small]


def round_study(
    tables: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    rule: Rule,
    routes: Mapping[str, Routes] | None = None,
) -> Rounded:
    """Round the counts of all waves by organisation.

    Parameters
    ----------
    tables
        The tables of counts, and `reliability` if there is one.
    instrument
        Item -> what it is.
    rule
        The rule.
    routes
        Wave -> who was asked what, where not everybody was asked everything.

    Returns
    -------
    Rounded
        Each wave is drawn by itself.
    """
    found = Rounded(rule)
    for wave in tables[RESPONSE_RATES]["wave"]:
        own = {
            name: tables[name][tables[name]["wave"] == wave]
            for name in (ITEM_FREQUENCIES, RESPONDENTS, RELIABILITY)
            if name in tables
        }
        stated = own[RESPONDENTS][own[RESPONDENTS]["variable"] == ORGANISATION]
        size = {str(level): int(n) for level, n in zip(stated["level"], stated["n"], strict=True)}
        names = tuple(name for name, n in size.items() if n)
        found.exact.add((wave, ALL))
        if len(names) > 1:
            found.sizes |= {(wave, name): 0 for name in size}
            asked = (routes or {}).get(wave, Routes())
            _Wave(
                str(wave), names, np.array([size[one] for one in names]), own, instrument, found, asked
            ).draw()
        else:
            # Everybody is of one organisation: its rows are those of all.
            found.exact |= {(wave, name) for name in size}
            found.keys[wave] = _digest([np.sort(one["n"]).tobytes() for one in own.values()])
    return found


@dataclass(slots=True)
class _Wave:
    """A wave on its way: its organisations that have returns (those that state none among them), and their sizes."""

    wave: str
    names: tuple[str, ...]
    sizes: IntArray
    tables: Mapping[str, pd.DataFrame]
    instrument: Mapping[str, ItemKey]
    found: Rounded
    routes: Routes
    key: bytes = b""
    blocks: IntArray | None = None
    shown: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    totals: dict[tuple[str, str], _Total] = field(default_factory=dict)
    pairings: list[Sizes] = field(default_factory=list)

    @property
    def silent(self) -> BoolArray:
        """(O,) organisations of which no more than the size is shown: they may be smaller than a group must be."""
        rule = self.found.rule
        silent: BoolArray = self.shown - rule.rounding + 1 < rule.smallest_group
        return silent

    def draw(self) -> None:
        """Round everything."""
        people, items = list(self._people()), list(self._items())
        size = _Table("", ("",), Crossed.of(self.sizes[:, None]))
        self.key = _digest(sorted(_canonical(one)[2] for one in (size, *people, *items)))
        self.found.keys[self.wave] = self.key
        if len(self.names) > AT_ONCE:
            keys = [_counts_of(one) for one in (size, *people, *items)]
            own = [_digest(sorted(row.tobytes() for row in rows)) for rows in zip(*keys, strict=True)]
            ranks = np.argsort(np.argsort(own, kind="stable"), kind="stable")
            self.blocks = ranks % math.ceil(math.sqrt(len(own)))
        tries: list[tuple[int, IntArray, list[_Drawn | None]]] = []
        for attempt in range(DRAWS):
            if (drawn := self._cells(size, attempt)) is not None:
                self.shown = drawn[:, 0]
                each = [self._attempt(one, attempt, self.shown) for one in people]
                tries.append((sum(one is None for one in each), self.shown, each))
                if not tries[-1][0]:
                    break
        if not tries:
            return
        _, self.shown, each = min(tries, key=lambda one: one[0])
        for name, n in zip(self.names, self.shown, strict=True):
            self.found.sizes[self.wave, name] = int(n)
        self.totals = dict(self._totals({one.subject: one for one in items}))
        found = {one.subject: (one, drawn, len(tries)) for one, drawn in zip(people, each, strict=True)}
        found |= {one.subject: (one, *self._again(one, 0)) for one in items}
        kept = self._together(found)
        for subject, (_, _, attempts) in found.items():
            self._count("withheld" if subject not in kept else "once" if attempts == 1 else "again")
        for drawn_once in kept.values():
            self._keep(drawn_once)
        self._ends(kept)

    def _together(self, found: dict[str, tuple[_Table, _Drawn | None, int]]) -> dict[str, _Drawn]:
        """Redraw tables with a count that all tables together narrow; leave out those that remain so."""
        for last in [False] * ROUNDS + [True]:
            kept = {subject: drawn for subject, (_, drawn, _) in found.items() if drawn is not None}
            if not (narrow := self._narrow(kept)):
                break
            for subject in narrow:
                table, _, attempts = found[subject]
                if last:
                    del kept[subject]
                else:
                    again = (None, DRAWS) if table.unordered else self._again(table, attempts)
                    found[subject] = (table, *again)
        return kept

    def _again(self, table: _Table, attempts: int) -> tuple[_Drawn | None, int]:
        """Draw a table until it stands the audit by itself."""
        while attempts < DRAWS:
            attempts += 1
            if (drawn := self._attempt(table, attempts - 1, self.shown)) is not None:
                return drawn, attempts
        return None, attempts

    def _count(self, what: str) -> None:
        self.found.drawn[what] += 1

    def _people(self) -> Iterator[_Table]:
        """List the grouping variables: levels, those who stated none, and those who were not asked (not shown)."""
        own = self.tables[RESPONDENTS]
        for variable, rows in own[own["variable"] != ORGANISATION].groupby("variable", sort=False):
            levels = tuple(dict.fromkeys(rows["level"]))
            asked = np.arange(len(levels) + 1) < len(levels)
            stated = np.array([level != NOT_STATED for level in levels] + [False])
            impossible = self.found.rule.impossible
            possible = [
                [{ORGANISATION: one, str(variable): level} not in impossible for level in levels] + [True]
                for one in self.names
            ]
            table = Crossed.of(
                self._counts(rows, "level", levels),
                np.array([stated, asked]),
                hidden=1,
                possible=np.array(possible),
            )
            yield _Table(str(variable), levels, table, len(levels) - 1)

    def _items(self) -> Iterator[_Table]:
        """List the items: responses, and those who did not answer (not shown)."""
        own = self.tables[ITEM_FREQUENCIES]
        for item, rows in own[own["organisation"].isin(self.names)].groupby("item", sort=False):
            responses = tuple(sorted(set(rows["response"])))
            good = [response in self.instrument[str(item)].good for response in responses]
            sums = np.array([[True] * len(responses) + [False], [*good, False]])
            counts = self._counts(rows, "response", responses)
            yield _Table(str(item), responses, Crossed.of(counts, sums, hidden=1))

    def _counts(self, rows: pd.DataFrame, column: str, levels: Sequence[Any]) -> IntArray:
        """(O, C) people of each level of a column, and all others of the organisation."""
        counts = np.zeros((len(self.names), len(levels) + 1), dtype=np.intp)
        row = pd.Index(self.names).get_indexer(pd.Index(rows["organisation"]))
        own = rows[row >= 0]
        counts[row[row >= 0], pd.Index(levels).get_indexer(pd.Index(own[column]))] = own["n"]
        counts[:, -1] = self.sizes - counts.sum(axis=1)
        return counts

    def _cells(self, table: _Table, attempt: int, **limits: Any) -> IntArray | None:
        """Draw a table, its rows and unordered columns in an order that no name has to do with."""
        rows, columns, content = _canonical(table)
        crossed = table.crossed
        given = Crossed(
            crossed.counts[np.ix_(rows, columns)],
            crossed.sums[:, columns],
            crossed.hidden[columns],
            crossed.possible[np.ix_(rows, columns)],
        )
        seed = _digest([self.key, content, bytes([attempt])])
        found = draw(
            given,
            self.found.rule.rounding,
            np.random.default_rng(int.from_bytes(seed, "big")),
            blocks=None if self.blocks is None else self.blocks[rows],
            **{name: None if limit is None else limit[rows] for name, limit in limits.items()},
        )
        if found is None:
            return None
        cells = np.empty_like(found)
        cells[np.ix_(rows, columns)] = found
        return cells

    def _attempt(self, table: _Table, attempt: int, shown: IntArray) -> _Drawn | None:
        """Draw a table; None if it cannot be, or does not stand the audit."""
        rule = self.found.rule
        cells = self._cells(table, attempt, sizes=shown, silent=self.silent)
        if cells is None:
            return None
        told = self._told(table)
        crossed = replace(table.crossed, sums=np.vstack([table.crossed.sums, *told]))
        known = Known.of(crossed, cells, rule.rounding, silent=self.silent)
        for place in range(len(table.crossed.sums), len(crossed.sums)):
            for bound in (known.sum_low, known.sum_high):
                bound[~self.silent, place] = crossed.summed[~self.silent, place]
        small = list(small_counts(crossed, rule.rounding, rule.threshold))
        small = list(compress(small, ~self._tied(table.subject, known).exchanged(small)))
        if small:
            alone = Joint([known], Sizes(self.sizes, *interval(shown, rule.rounding)))
            if any(True for _ in alone.narrowed([(0, count) for count in small])):
                return None
        return _Drawn(table, cells, known, small)

    def _told(self, table: _Table) -> list[BoolArray]:
        """List categories whose sum other tables may tell: of whom a question was, or was not, asked (`routes`)."""
        routes, hidden = self.routes, table.crossed.hidden
        found = [~hidden, hidden] if table.subject in routes.some else []
        for chosen in sorted(routes.deciding.get(table.subject, ()), key=sorted):
            away = [str(one) not in chosen and one != NOT_STATED for one in table.columns]
            found.append(np.array([*away, False]))
        return found

    def _tied(self, subject: str, known: Known) -> Known:
        """Return what is known of a table besides if the people who are in all tables of its scale are known."""
        for total in self.totals.values():
            if subject in total.members:
                known = (
                    known.with_base(total.people, total.silent)
                    if total.every
                    else known.at_least(total.members[subject], total.people)
                )
        return known

    def _totals(self, tables: Mapping[str, _Table]) -> Iterator[tuple[tuple[str, str], _Total]]:
        """Count who stands at an end of each scale and who answered all of its items, organisation by organisation.

        What is exact of all respondents together ties the tables of the items to each other.
        """
        if RELIABILITY not in self.tables:
            return
        own = self.tables[RELIABILITY]
        own = own[own["term"].isin(TERMS) & own["estimate"].notna()]
        for (scale, term), rows in own.groupby(["scale", "term"], sort=False):
            ends = {item: one.end(str(term)) for item, one in self.instrument.items() if one.scale == scale}
            there = {item: tables[item] for item in ends if item in tables}
            percent = dict(zip(rows["organisation"], rows["estimate"], strict=True))
            size = {name: int(n) for name, n in zip(rows["organisation"], rows["n"], strict=True)}
            people = {name: round(percent[name] * n / 100) for name, n in size.items()}
            for what, counts in ((str(term), people), (EVERY, size)):
                members = {
                    item: one.gave(None if what == EVERY else ends[item]) for item, one in there.items()
                }
                given = [one.crossed.counts[:, members[item]].sum(axis=1) for item, one in there.items()]
                most = np.minimum.reduce(given) if given else np.zeros(len(self.names), dtype=np.intp)
                each = np.array([counts.get(name, 0) for name in self.names], dtype=np.intp)
                told = np.array([name in counts for name in self.names])
                if (each > most).any():
                    continue  # these are not the respondents who answered all of the items
                rest = counts.get(ALL, int(each.sum())) - int(each.sum())
                # Of those who state no organisation, and of who are too few for an estimate, only the sum is known.
                for place in np.flatnonzero(~told):
                    each[place] = max(0, min(rest, most[place]))
                    rest -= each[place]
                skipped = sum(self.sizes - one for one in given) - (self.sizes - each)
                yield (str(scale), what), _Total(each, told, members, what == EVERY, skipped)

    def _ties(
        self, known: Sequence[_Drawn], scale: str, shown: Mapping[str, tuple[FloatArray, FloatArray]]
    ) -> list[Tie]:
        """Set down what a reader knows of who is in several tables of a scale at once."""
        ties: list[Tie] = []
        for what in (EVERY, *TERMS):
            if (total := self.totals.get((scale, what))) is None:
                continue
            within = [
                (number, total.members[one.table.subject])
                for number, one in enumerate(known)
                if one.table.subject in total.members
            ]
            nothing = np.zeros(len(self.names))
            low, high = shown.get(what, (nothing, np.full(len(self.names), float(total.people.sum()))))
            # Everybody who did not answer all items is among those who did not answer one.
            outside = total.every and len(within) == len(total.members)
            ties.append(
                Tie(
                    int(total.people.sum()),
                    low,
                    high,
                    tuple(within),
                    tuple((number, ~members) for number, members in within) if outside else (),
                    under=None if total.every or (scale, EVERY) not in self.totals else 0,
                )
            )
        return ties

    def _narrow(self, known: Mapping[str, _Drawn]) -> list[str]:
        """List the tables with a small count that all tables together narrow."""
        if not any(one.small for one in known.values()):
            return []
        self.pairings = self._paired(known.values())
        scales: dict[tuple[str, str], list[str]] = {}
        for subject in known:
            scale = self._scale(subject)
            scales.setdefault((scale, "" if scale else subject), []).append(subject)
        found = []
        for (scale, _), subjects in scales.items():
            own = [known[subject] for subject in subjects]
            found += [subjects[number] for number in self._narrowed(own, self._ties(own, scale, {}))]
        return found

    def _paired(self, known: Iterable[_Drawn]) -> list[Sizes]:
        """Pair organisations that may exchange people, no two of them twice.

        Those with the fewest partners so far come first, then those that may exchange the most people, by all tables
        and by the sizes. Those at an end of a scale are known to have given that answer.
        """
        low, high = interval(self.shown, self.found.rule.rounding)
        swaps = np.minimum.outer(high - self.sizes, self.sizes - low)
        for one in known:
            told = one.known
            for total in self.totals.values():
                if one.table.subject in total.members and not total.every:
                    told = told.at_least(total.members[one.table.subject], total.people)
            swaps = np.minimum(swaps, told.swap())
        room = np.triu(swaps + swaps.T, 1)
        partners = np.zeros(len(room), dtype=np.intp)
        found: list[Sizes] = []
        for _ in range(PAIRINGS):
            left = np.argwhere(room > 0)
            pairs: list[IntArray] = []
            for pair in left[np.lexsort([-room[*left.T], partners[left].sum(axis=1)])]:
                if not np.isin(pair, pairs).any():
                    pairs.append(pair)
                    room[*pair] = 0.0
            if found and not pairs:
                break
            both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
            partners[both] += 1
            least, most = self.sizes.astype(np.float64), self.sizes.astype(np.float64)
            for one, two in (both.T, both.T[::-1]):
                most[one] += swaps[one, two]
                least[one] -= swaps[two, one]
            found.append(Sizes(self.sizes, least, most, both))
        return found

    def _narrowed(self, tables: Sequence[_Drawn], ties: Sequence[Tie]) -> list[int]:
        """Return the places of the tables with a small count that no pairing of the organisations leaves open."""
        left = [(number, count) for number, one in enumerate(tables) for count in one.small]
        for sizes in self.pairings:
            if left:
                joint = Joint([one.known for one in tables], sizes, ties)
                left = [left[place] for place in joint.narrowed(left)]
        return sorted({number for number, _ in left})

    def _keep(self, drawn: _Drawn) -> None:
        table, cells = drawn.table, drawn.cells
        for name, own, silent in zip(self.names, cells, self.silent, strict=True):
            if silent:
                continue
            counts = {column: int(n) for column, n in zip(table.columns, own, strict=False)}
            where = (self.wave, table.subject, name)
            if table.unordered:
                base, asked = (int(own[members].sum()) for members in table.crossed.sums)
                self.found.people[where] = counts | {BASE: base, ASKED: asked}
            else:
                self.found.answers[where] = counts

    def _ends(self, drawn: Mapping[str, _Drawn]) -> None:
        """Round who stands at the ends of each scale: at both, or at one if both together tell too much."""
        for scale in dict.fromkeys(scale for scale, _ in self.totals):
            items = [one for subject, one in drawn.items() if self._scale(subject) == scale]
            totals = {
                term: total
                for (name, term), total in self.totals.items()
                if name == scale and not total.every
            }
            rows = {term: self._end(total, items) for term, total in totals.items()}
            given = {term: row for term, row in rows.items() if row is not None}
            tried = [given, *({term: row} for term, row in given.items() if len(given) > 1)]
            shown = next((ends for ends in tried if not self._tells(scale, items, ends)), {})
            for term, total in totals.items():
                self._count("once" if term in shown else "withheld")
                silent = self.silent | ~total.told
                for name, n, nothing in zip(self.names, shown.get(term, ()), silent, strict=False):
                    if not nothing:
                        self.found.ends[scale, term, self.wave, name] = int(n)

    def _end(self, total: _Total, items: Sequence[_Drawn]) -> IntArray | None:
        """Round the numbers at an end: none above the count of that answer that is shown for any of the items."""
        base, people, silent = self.found.rule.rounding, total.people, self.silent | ~total.told
        top = np.full(len(people), base * (int(people.sum()) // base + 1))
        given = [one.cells[:, total.members[one.table.subject]][:, 0] for one in items]
        most = np.minimum.reduce([top, *(np.where(silent, top, n) for n in given)])
        table = _Table("", ("",), Crossed.of(people[:, None]))
        drawn = self._cells(table, 0, silent=silent, most=most[:, None])
        return None if drawn is None else drawn[:, 0]

    def _tells(self, scale: str, items: Sequence[_Drawn], shown: Mapping[str, IntArray]) -> bool:
        """Check whether the ends of a scale that are shown narrow their own small counts, or those of the items."""
        rule = self.found.rule
        known: dict[str, tuple[FloatArray, FloatArray]] = {}
        small: list[tuple[int, Small]] = []
        for number, term in enumerate(what for what in (EVERY, *TERMS) if (scale, what) in self.totals):
            total = self.totals[scale, term]
            people, silent = total.people, self.silent | ~total.told
            if term not in shown or silent.all():
                continue
            low, high = interval(shown[term], rule.rounding)
            known[term] = np.where(silent, 0.0, low), np.where(silent, float(people.sum()), high)
            needed = min(rule.rounding, int(people.sum()) + 1)
            # Exchanges between organisations leave nearly all open.
            most = np.minimum(known[term][1], self.totals[scale, EVERY].people)
            for one in items:
                gave = one.table.crossed.counts[:, total.members[one.table.subject]]
                most = np.minimum(most, gave.sum(axis=1))
            up, down = np.maximum(most - people, 0), people - known[term][0]
            open_ = np.minimum(up, down.sum() - down) + np.minimum(down, up.sum() - up) + 1 >= needed
            few = np.flatnonzero((people > 0) & (people < rule.threshold) & ~open_)
            own = [Small(int(row), np.ones(1, dtype=np.bool_), needed) for row in few]
            small += [(len(items) + number, one) for one in own]
        if not (small or any(one.small for one in items)):
            return False
        ties = self._ties(items, scale, known)
        joint = Joint([one.known for one in items], Sizes(self.sizes, self.sizes, self.sizes), ties)
        return any(True for _ in joint.narrowed(small)) or bool(self._narrowed(items, ties))

    def _scale(self, subject: str) -> str:
        return self.instrument[subject].scale if subject in self.instrument else ""


def _counts_of(table: _Table) -> IntArray:
    """(O, C) the counts of each organisation, those of unordered columns by size."""
    counts, loose = table.crossed.counts, table.unordered
    return np.column_stack([np.sort(counts[:, :loose], axis=1), counts[:, loose:]])


def _canonical(table: _Table) -> tuple[IntArray, IntArray, bytes]:
    """Put rows and unordered columns in an order that depends on counts only; and what there is then."""
    counts, loose = table.crossed.counts, table.unordered
    rows = np.lexsort(_counts_of(table).T[::-1])
    free = np.lexsort(counts[rows, :loose][::-1]) if loose else np.arange(0)
    columns = np.concatenate([free, np.arange(loose, counts.shape[1])]).astype(np.intp)
    return rows, columns, counts[np.ix_(rows, columns)].astype("<i8").tobytes()


def _digest(parts: Iterable[bytes]) -> bytes:
    found = hashlib.blake2b(digest_size=32)
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()


Numbers = Sequence[float | None]


def frequencies(table: pd.DataFrame, found: Rounded) -> pd.DataFrame:
    """Show the table of `describe.item_frequencies`."""
    n: list[float | None] = []
    base: list[float | None] = []
    for wave, item, organisation, response in tuples(table, "wave", "item", "organisation", "response"):
        own = found.answers.get((wave, item, organisation))
        n.append(None if own is None else own[response])
        base.append(None if own is None else sum(own.values()))
    return _shown(table, found, {"n": n, "base": base, "percent": _percent(n, base)})


def summary(table: pd.DataFrame, found: Rounded, instrument: Mapping[str, ItemKey]) -> pd.DataFrame:
    """Show the table of `describe.item_summary`: mean and standard deviation are those of the rounded counts."""
    names = ("base", "mean", "sd", "favourable_n")
    columns: dict[str, list[float | None]] = {name: [] for name in names}
    for wave, item, organisation in tuples(table, "wave", "item", "organisation"):
        own = found.answers.get((wave, item, organisation))
        values: tuple[float | None, ...] = (None,) * 4
        if own is not None:
            base = sum(own.values())
            mean = sum(response * n for response, n in own.items()) / base if base else math.nan
            squares = sum(n * (response - mean) ** 2 for response, n in own.items())
            sd = math.sqrt(squares / (base - 1)) if base > 1 else math.nan
            good = instrument[item].good
            values = (base, mean, sd, sum(n for response, n in own.items() if response in good))
        for name, value in zip(names, values, strict=True):
            columns[name].append(value)
    percent = _percent(columns["favourable_n"], columns["base"])
    shown = _shown(table, found, {**columns, "favourable_percent": percent})
    # What is shown of nobody is not estimable, whether that is so or rounded.
    nobody = shown["base"].eq(0).fillna(False).astype("bool")
    return shown.assign(status=shown["status"].mask(nobody, Status.NOT_ESTIMABLE.value))


def respondents(table: pd.DataFrame, found: Rounded) -> pd.DataFrame:
    """Show the table of `describe.respondents`: the sizes of organisations are rounded as well."""
    n: list[float | None] = []
    base: list[float | None] = []
    sizes: list[bool] = []
    stated: dict[str, int] = {}
    for (wave, organisation), size in found.sizes.items():
        stated[wave] = stated.get(wave, 0) + (organisation != NOT_STATED) * size
    for wave, organisation, variable, level, whole in tuples(
        table, "wave", "organisation", "variable", "level", "base"
    ):
        sizes.append(variable == ORGANISATION and (wave, level) in found.sizes)
        own = found.people.get((wave, variable, organisation))
        if sizes[-1]:
            n.append(found.sizes[wave, level])
            base.append(whole if level == NOT_STATED else stated[wave])
        else:
            n.append(None if own is None else own[level])
            base.append(None if own is None else own[ASKED if level == NOT_STATED else BASE])
    also = np.array(sizes, dtype=np.bool_)
    return _shown(table, found, {"n": n, "base": base, "percent": _percent(n, base)}, also)


def ends_of(reliability: pd.DataFrame) -> pd.DataFrame:
    """Count who stands at an end of a scale: `scale, term, wave, organisation, n`, a row of the table each."""
    rows = reliability[reliability["term"].isin(TERMS) & reliability["estimate"].notna()]
    n = [round(percent * int(size) / 100) for percent, size in tuples(rows, "estimate", "n")]
    return rows[["scale", "term", "wave", "organisation"]].assign(n=pd.array(n, dtype="Int64"))


def ends(reliability: pd.DataFrame, found: Rounded) -> pd.DataFrame:
    """Return what is shown of `ends_of`."""
    table = ends_of(reliability)
    n: list[int | None] = []
    for scale, term, wave, organisation, count in tuples(table, *table):
        exact = (wave, organisation) in found.exact or wave == organisation == ALL
        n.append(count if exact else found.ends.get((scale, term, wave, organisation)))
    return table.assign(n=pd.array(n, dtype="Int64"))


class Standing(NamedTuple):
    """Files that make up a level or an organisation: what another table shows of it, and whether that is exact."""

    files: tuple[str, ...]
    shown: int | None
    exact: bool


def file_counts(
    counts: pd.DataFrame, problems: pd.DataFrame, found: Rounded, known: Mapping[str, Sequence[Standing]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Show the rows of the raw files and what was wrong with them.

    Parameters
    ----------
    counts, problems
        As `marking.released_counts` and `marking.released_problems` give them.
    found
        What is shown of the waves.
    known
        Wave -> files of which another table says how many rows were kept.

    Returns
    -------
    DataFrame, DataFrame
        Rows kept add up to the returns, and are rounded as parts of them where no other table says how many. The size
        of an organisation is not rounded a second time: of its files, if it has several, and of all others nothing is
        shown. That there was a problem is said: fewer than the base are shown as the base, and rows set aside as the
        sum of what was wrong with them.
    """
    base = found.rule.rounding
    kept: dict[tuple[str, str], int | None] = {}
    n = problems["n"].to_numpy(dtype=np.intp)
    for wave, rows in counts.groupby("wave", sort=False):
        standing = known.get(str(wave), ())
        listed = {file for one in standing for file in one.files}
        rest = Standing(
            tuple(file for file in rows["file"] if file not in listed),
            None,
            all(one.exact for one in standing),
        )
        for files, size, exact in (*standing, rest):
            own = rows.set_index("file")["rows_kept"].reindex(list(files)).to_numpy(dtype=np.intp)
            each: Sequence[int | None] = [None] * len(files)
            if len(files) == 1:
                each = [int(own[0]) if exact else size]
            elif files and exact:
                drawn = draw(Crossed.of(own[:, None]), base, _rng(found.keys.get(str(wave), b""), own))
                each = each if drawn is None else drawn[:, 0].tolist()
            kept |= {(str(wave), file): number for file, number in zip(files, each, strict=True)}
    shown = np.array(
        [
            number if about == COLUMN else _listed(number, base, found.keys.get(wave, b""))
            for wave, about, number in zip(problems["wave"], problems["about"], n, strict=True)
        ],
        dtype=np.intp,
    )
    told = problems.assign(n=pd.array(shown, dtype="Int64"), status=Status.OK.value)
    aside = (
        problems.assign(n=shown, true=n)[is_aside(problems)].groupby(["wave", "file"])[["n", "true"]].sum()
    )
    sums = aside.to_dict("index")
    out: list[int] = []
    for wave, file, rest in tuples(counts, "wave", "file", "rows_set_aside"):
        own_sum = sums.get((wave, file), {"n": 0, "true": 0})
        complete = own_sum["true"] == rest
        out.append(own_sum["n"] if complete else _listed(int(rest), base, found.keys.get(wave, b"")))
    rows_kept = [kept[place] for place in zip(counts["wave"], counts["file"], strict=True)]
    into = [None if one is None else one + more for one, more in zip(rows_kept, out, strict=True)]
    hidden = np.array([one is None for one in rows_kept])
    return (
        counts.assign(
            rows_in=pd.array(into, dtype="Int64"),
            rows_kept=pd.array(rows_kept, dtype="Int64"),
            rows_set_aside=pd.array(out, dtype="Int64"),
            status=np.where(hidden, Status.WITHHELD.value, Status.OK.value),
        ).astype({"status": "str"}),
        told.astype({"status": "str"}),
    )


def _listed(n: int, base: int, key: bytes) -> int:
    """Round what would not be listed if it were none."""
    if n < base:
        return base if n else 0
    down = n - n % base
    return down + base * int(_rng(key, np.array([n])).random() * base < n % base)


def _rng(key: bytes, counts: IntArray) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(_digest([key, counts.astype("<i8").tobytes()]), "big"))


def _shown(
    table: pd.DataFrame, found: Rounded, columns: Mapping[str, Numbers], also: BoolArray | None = None
) -> pd.DataFrame:
    """Put numbers in, but for rows that are shown as they are (none of `also`); None is withheld."""
    places = zip(table["wave"], table["organisation"], strict=True)
    exact = np.array([place in found.exact for place in places], dtype=np.bool_)
    if also is not None:
        exact &= ~also
    shown = table.copy()
    hidden = ~exact & np.array([one is None for one in columns["base"]], dtype=np.bool_)
    for name, values in columns.items():
        numbers = np.array([math.nan if one is None else one for one in values], dtype=np.float64)
        own = np.where(exact, table[name].to_numpy(dtype=np.float64), numbers)
        whole = [None if math.isnan(one) else round(one) for one in own]
        shown[name] = pd.array(whole, dtype="Int64") if name in WHOLE else own
    status = shown["status"] if "status" in shown else pd.Series(Status.OK.value, index=shown.index)
    return shown.assign(status=status.mask(hidden, Status.WITHHELD.value).astype("str"))


def _percent(n: Numbers, base: Numbers) -> list[float | None]:
    return [
        None if count is None or whole is None else 100 * count / whole if whole else math.nan
        for count, whole in zip(n, base, strict=True)
    ]
