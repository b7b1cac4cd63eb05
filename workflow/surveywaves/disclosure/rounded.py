"""The counts of a study by organisation, rounded wave by wave.

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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, Final, NamedTuple

import numpy as np

from surveywaves.disclosure.audit import Known, Sizes, Small, Tie, interval, narrowed, small_counts
from surveywaves.disclosure.count_tables import TERMS, Counted, Shown, Table
from surveywaves.disclosure.rounding import Crossed, draw
from surveywaves.disclosure.rule import BoolArray, FloatArray, IntArray
from surveywaves.terms import ALL, NOT_STATED, RELIABILITY

DRAWS: Final = 20
"""Tables that are drawn at most until one stands the audit; if none does, it is withheld."""

AT_ONCE: Final = 24
"""Organisations that are rounded together at most; more are rounded in blocks, as many as there are in a block."""

PAIRINGS: Final = 5
"""Number of pairings of the organisations in the audit; for five organisations or fewer, they cover all pairs."""

ROUNDS: Final = 8
"""How often tables are drawn again that only all tables together narrow."""

EVERY: Final = "every item"


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

    table: Table
    cells: IntArray
    known: Known
    small: list[Small]


def rounded(waves: Collection[Counted]) -> Shown:
    """Round the counts of all waves by organisation; each wave is drawn by itself."""
    found = Shown.of(waves)
    for one in waves:
        if one.divided:
            _Wave(one, found).draw()
        else:
            # Everybody is of one organisation: its rows are those of all.
            found.keys[one.wave] = digest([np.sort(table["n"]).tobytes() for table in one.tables.values()])
    return found


@dataclass(slots=True)
class _Wave:
    """A wave on its way."""

    counted: Counted
    found: Shown
    key: bytes = b""
    blocks: IntArray | None = None
    shown: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    totals: dict[tuple[str, str], _Total] = field(default_factory=dict)
    pairings: list[Sizes] = field(default_factory=list)

    @property
    def silent(self) -> BoolArray:
        """(O,) organisations of which no more than the size is shown: they may be smaller than a group must be."""
        rule = self.counted.rule
        silent: BoolArray = self.shown - rule.rounding + 1 < rule.smallest_group
        return silent

    def draw(self) -> None:
        """Round everything."""
        size, people, items = self.counted.size, self.counted.people, self.counted.items
        self.key = digest(sorted(_canonical(one)[2] for one in (size, *people, *items)))
        self.found.keys[self.counted.wave] = self.key
        if len(self.counted.names) > AT_ONCE:
            keys = [_counts_of(one) for one in (size, *people, *items)]
            own = [digest(sorted(row.tobytes() for row in rows)) for rows in zip(*keys, strict=True)]
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
        sizes = dict(zip(self.counted.names, self.shown.tolist(), strict=True))
        self.found.sized(self.counted, sizes, sum(n for name, n in sizes.items() if name != NOT_STATED))
        self.totals = dict(self._totals({one.subject: one for one in items}))
        found = {one.subject: (one, drawn, len(tries)) for one, drawn in zip(people, each, strict=True)}
        found |= {one.subject: (one, *self._again(one, 0)) for one in items}
        kept = self._together(found)
        for drawn_once in kept.values():
            self._keep(drawn_once)
        self._ends(kept)

    def _together(self, found: dict[str, tuple[Table, _Drawn | None, int]]) -> dict[str, _Drawn]:
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

    def _again(self, table: Table, attempts: int) -> tuple[_Drawn | None, int]:
        """Draw a table until it stands the audit by itself."""
        while attempts < DRAWS:
            attempts += 1
            if (drawn := self._attempt(table, attempts - 1, self.shown)) is not None:
                return drawn, attempts
        return None, attempts

    def _cells(self, table: Table, attempt: int, **limits: Any) -> IntArray | None:
        """Draw a table, its rows and unordered columns in an order that no name has to do with."""
        rows, columns, content = _canonical(table)
        crossed = table.crossed
        given = Crossed(
            crossed.counts[np.ix_(rows, columns)],
            crossed.sums[:, columns],
            crossed.hidden[columns],
            crossed.possible[np.ix_(rows, columns)],
        )
        seed = digest([self.key, content, bytes([attempt])])
        own: dict[str, Any] = {name: None if one is None else one[rows] for name, one in limits.items()}
        found = draw(
            given,
            self.counted.rule.rounding,
            np.random.default_rng(int.from_bytes(seed, "big")),
            blocks=None if self.blocks is None else self.blocks[rows],
            **own,
        )
        if found is None:
            return None
        cells = np.empty_like(found)
        cells[np.ix_(rows, columns)] = found
        return cells

    def _attempt(self, table: Table, attempt: int, shown: IntArray) -> _Drawn | None:
        """Draw a table; None if it cannot be, or does not stand the audit."""
        rule = self.counted.rule
        cells = self._cells(table, attempt, sizes=shown, silent=self.silent)
        if cells is None:
            return None
        told = self._told(table)
        crossed = replace(table.crossed, sums=np.vstack([table.crossed.sums, *told]))
        known = Known.rounded(crossed, cells, rule.rounding, silent=self.silent)
        for place in range(len(table.crossed.sums), len(crossed.sums)):
            for bound in (known.sum_low, known.sum_high):
                bound[~self.silent, place] = crossed.summed[~self.silent, place]
        small = list(small_counts(crossed, rule.rounding, rule.threshold))
        small = list(compress(small, ~self._tied(table.subject, known).exchanged(small)))
        if small:
            sizes = Sizes(self.counted.sizes, *interval(shown, rule.rounding))
            if any(True for _ in narrowed([known], [sizes], [(0, count) for count in small])):
                return None
        return _Drawn(table, cells, known, small)

    def _told(self, table: Table) -> list[BoolArray]:
        """List categories whose sum other tables may tell: of whom a question was, or was not, asked (`routes`)."""
        routes, hidden = self.counted.routes, table.crossed.hidden
        found = [~hidden, hidden] if table.subject in routes.some else []
        for chosen in sorted(routes.asked(table.subject), key=sorted):
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

    def _totals(self, tables: Mapping[str, Table]) -> Iterator[tuple[tuple[str, str], _Total]]:
        """Count who stands at an end of each scale and who answered all of its items, organisation by organisation.

        What is exact of all respondents together ties the tables of the items to each other.
        """
        if RELIABILITY not in self.counted.tables:
            return
        own = self.counted.tables[RELIABILITY]
        own = own[own["term"].isin(TERMS) & own["estimate"].notna()]
        for (scale, term), rows in own.groupby(["scale", "term"], sort=False):
            ends = {
                item: one.end(str(term))
                for item, one in self.counted.instrument.items()
                if one.scale == scale
            }
            if not (there := {item: tables[item] for item in ends if item in tables}):
                continue
            percent = dict(zip(rows["organisation"], rows["estimate"], strict=True))
            size = {name: int(n) for name, n in zip(rows["organisation"], rows["n"], strict=True)}
            people = {name: round(percent[name] * n / 100) for name, n in size.items()}
            most_answered = self.counted.sizes
            for what, counts in ((EVERY, size), (str(term), people)):
                members = {
                    item: one.gave(None if what == EVERY else ends[item]) for item, one in there.items()
                }
                given = [one.crossed.counts[:, members[item]].sum(axis=1) for item, one in there.items()]
                skips = sum(self.counted.sizes - one for one in given)
                most = np.minimum.reduce([most_answered, *given])
                least = np.zeros_like(most)
                if what == EVERY and len(there) == len(ends):
                    least = np.maximum(self.counted.sizes - skips, 0)
                each = np.array([counts.get(name, 0) for name in self.counted.names], dtype=np.intp)
                told = np.array([name in counts for name in self.counted.names])
                if (each > most).any():
                    continue  # these are not the respondents who answered all of the items
                # Of those who state no organisation, and of who are too few for an estimate, only the sum is known.
                each[~told] = least[~told]
                rest = counts.get(ALL, int(each.sum())) - int(each.sum())
                for place in np.flatnonzero(~told):
                    more = max(0, min(rest, most[place] - each[place]))
                    each[place], rest = each[place] + more, rest - more
                if what == EVERY:
                    most_answered = each
                skipped = skips - (self.counted.sizes - each)
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
            nothing = np.zeros(len(self.counted.names))
            low, high = shown.get(
                what, (nothing, np.full(len(self.counted.names), float(total.people.sum())))
            )
            # Everybody who did not answer all items is among those who did not answer one.
            outside = total.every and len(within) == len(total.members)
            ties.append(
                Tie(
                    total.people,
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
        low, high = interval(self.shown, self.counted.rule.rounding)
        swaps = np.minimum.outer(high - self.counted.sizes, self.counted.sizes - low)
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
            free = np.ones(len(room), dtype=np.bool_)
            for pair in left[np.lexsort([-room[*left.T], partners[left].sum(axis=1)])]:
                if free[pair].all():
                    pairs.append(pair)
                    room[*pair], free[pair] = 0.0, False
            if found and not pairs:
                break
            both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
            partners[both] += 1
            least, most = self.counted.sizes.astype(np.float64), self.counted.sizes.astype(np.float64)
            for one, two in (both.T, both.T[::-1]):
                most[one] += swaps[one, two]
                least[one] -= swaps[two, one]
            found.append(Sizes(self.counted.sizes, least, most, both))
        return found

    def _narrowed(self, tables: Sequence[_Drawn], ties: Sequence[Tie]) -> list[int]:
        """Return the places of the tables with a small count that no pairing of the organisations leaves open."""
        small = [(number, count) for number, one in enumerate(tables) for count in one.small]
        if not small:
            return []
        told = narrowed([one.known for one in tables], self.pairings, small, ties)
        return sorted({small[place][0] for place in told})

    def _keep(self, drawn: _Drawn) -> None:
        table, cells = drawn.table, drawn.cells
        for name, own, silent in zip(self.counted.names, cells, self.silent, strict=True):
            if not silent:
                sums = [int(own[members].sum()) for members in table.crossed.sums]
                self.found.keep(self.counted, table, name, own[:-1].tolist(), sums)

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
                silent = self.silent | ~total.told
                for name, n, nothing in zip(self.counted.names, shown.get(term, ()), silent, strict=False):
                    if not nothing:
                        self.found.ends[scale, term, self.counted.wave, name] = int(n)

    def _end(self, total: _Total, items: Sequence[_Drawn]) -> IntArray | None:
        """Round the numbers at an end: none above the count of that answer that is shown for any of the items."""
        base, people, silent = self.counted.rule.rounding, total.people, self.silent | ~total.told
        top = np.full(len(people), base * (int(people.sum()) // base + 1))
        given = [one.cells[:, total.members[one.table.subject]][:, 0] for one in items]
        most = np.minimum.reduce([top, *(np.where(silent, top, n) for n in given)])
        table = Table("", ("",), Crossed.of(people[:, None]))
        drawn = self._cells(table, 0, silent=silent, most=most[:, None])
        return None if drawn is None else drawn[:, 0]

    def _tells(self, scale: str, items: Sequence[_Drawn], shown: Mapping[str, IntArray]) -> bool:
        """Check whether the ends of a scale that are shown narrow their own small counts, or those of the items."""
        rule = self.counted.rule
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
        sizes, tables = Sizes(*[self.counted.sizes] * 3), [one.known for one in items]
        return any(True for _ in narrowed(tables, [sizes], small, ties)) or bool(self._narrowed(items, ties))

    def _scale(self, subject: str) -> str:
        return self.counted.instrument[subject].scale if subject in self.counted.instrument else ""


def _counts_of(table: Table) -> IntArray:
    """(O, C) the counts of each organisation, those of unordered columns by size."""
    counts, loose = table.crossed.counts, table.unordered
    return np.column_stack([np.sort(counts[:, :loose], axis=1), counts[:, loose:]])


def _canonical(table: Table) -> tuple[IntArray, IntArray, bytes]:
    """Put rows and unordered columns in an order that depends on counts only; and what there is then."""
    counts, loose = table.crossed.counts, table.unordered
    rows = np.lexsort(_counts_of(table).T[::-1])
    free = np.lexsort(counts[rows, :loose][::-1]) if loose else np.arange(0)
    columns = np.concatenate([free, np.arange(loose, counts.shape[1])]).astype(np.intp)
    return rows, columns, counts[np.ix_(rows, columns)].astype("<i8").tobytes()


def digest(parts: Iterable[bytes]) -> bytes:
    """Return a digest of some parts."""
    found = hashlib.blake2b(digest_size=32)
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()
