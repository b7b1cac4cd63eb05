"""Tables of estimates: which leave, how many respondents stand beside them, and to how many digits.

An estimate of many answers of many people gives no answer away by itself (Griffiths et al. 2019, Handbook on
Statistical Disclosure Control for Outputs, class "safe"), if they are many, and if it is not printed to more digits
than it is worth: covariances to 16 digits are equations that whole numbers solve. So one rule holds for every row:

- every group that it compares has enough respondents, and its error enough degrees of freedom;
- `n` is made from released counts, and is never what it was;
- numbers have the digits that their uncertainty warrants (`digits`), words are on a list (`words`);
- nobody outweighs the others (`dominance`);
- a variant of the analysis leaves only if none that leaves differs from it by a few people (`variants`);
- a scale's mean narrows no small count behind it (`behind`).

What is a function of released counts alone is none of this module's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.disclosure import account, behind, digits
from surveywaves.disclosure.account import Entry
from surveywaves.disclosure.count_tables import TERMS, ItemKey, Place
from surveywaves.disclosure.dominance import Dominated, Weighting, dominated
from surveywaves.disclosure.rule import BoolArray, FloatArray, IntArray, Rule
from surveywaves.disclosure.variants import People
from surveywaves.disclosure.words import NOTE, Words, said, words_of
from surveywaves.terms import (
    AGREEMENT,
    ALL,
    BETWEEN,
    CONTRASTS,
    DIAGNOSTICS,
    DIF,
    FAVOURABLE,
    ITEM_CONTRASTS,
    ITEM_FREQUENCIES,
    LINEAR,
    MAIN,
    MEANS,
    NOT_STATED,
    PERCENT_FAVOURABLE,
    PLANNING,
    RELIABILITY,
    RESPONDENTS,
    SCALE_USE,
    SENSITIVITY,
    STANDARDISED,
    STRUCTURE,
    VARIANT_PEOPLE,
    Status,
)
from surveywaves.tidy import DECIDED, NUMBERS, floats, tuples

AT_ENDS: Final = "ends"
AN_END: Final = ("scale", "term", "wave", "organisation")

COMPARED: Final = (MEANS, CONTRASTS, SENSITIVITY)
"""Tables whose estimates for all staff are weighted sums of the organisations': less the others, one of them."""

WITH_ALL: Final = (*COMPARED, PLANNING)
"""Tables that have estimates for all staff or against these."""

COMPARING: Final = (CONTRASTS, SENSITIVITY, PLANNING)
"""Tables of differences between cells, and of returns to come."""

OF_ALL_ITEMS: Final = (RELIABILITY, STRUCTURE)
"""Tables of respondents who answered every item."""

ITEM_BY_ITEM: Final = ("item_rest_r", "alpha_if_dropped", "loading")
"""Terms of which there is one an item, together as many equations as there are variances: of all respondents only."""

OF_SPREAD: Final = (RELIABILITY, DIAGNOSTICS)
"""Tables that tell how much answers vary in a group: beside its means, more equations about the same counts."""

MORE: Final = 5
"""How many times the smallest group these take."""

WIDEST: Final = 2.0
"""Coarsest unit of a mean, in standard errors: rounding moves it by half of one on average. Beyond, it is withheld."""

NEVER: Final = ("loglik", "reml_loglik", "scaled_gradient")
"""Terms that say how a fit went, and to all digits how many answered what: not released."""

EQUALITY: Final = "equality"
N_RESPONDENTS: Final = "n_respondents"
RETURNS: Final = "returns"

Agree = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
"""Counts over variants: of the decided table and of `agreement` over all variants, that over those in the table."""


@dataclass(frozen=True)
class Bases:
    """How many answered, in truth and as released.

    Attributes
    ----------
    answered
        Scale or item, wave and organisation -> the largest number of answers to one of its items.
    most, least
        The same, the largest and the smallest released number above 0; NaN where one is withheld.
    any_item, every_item
        Scale, wave and organisation -> who answered any of its items, and all, as the tables of estimates have it.
    fully
        Scales and waves that asked as many of its items as any.
    open_
        Scales, waves and organisations where a count of an answer to one of the items is withheld.
    hidden
        Waves and organisations of which no base is shown.
    rounded
        Whether counts are rounded, so that a 0 that is shown may stand for a few people.
    """

    answered: Mapping[tuple[str, Place], float]
    most: Mapping[tuple[str, Place], float]
    least: Mapping[tuple[str, Place], float]
    any_item: Mapping[tuple[str, Place], int]
    every_item: Mapping[tuple[str, Place], int]
    fully: frozenset[tuple[str, str]]
    open_: frozenset[tuple[str, Place]]
    hidden: frozenset[Place]
    rounded: bool

    @classmethod
    def of(
        cls,
        tables: Mapping[str, pd.DataFrame],
        released: pd.DataFrame,
        instrument: Mapping[str, ItemKey],
        *,
        rounded: bool,
    ) -> Bases:
        """Read them from the statistics, and `item_frequencies` after the release."""
        frequencies = tables[ITEM_FREQUENCIES]
        place = ["item", "wave", "organisation"]
        found: list[dict[tuple[str, Place], float]] = []
        for table, choose in ((frequencies, "max"), (released, "max"), (released, "min")):
            base = table[[*place, "base"]].drop_duplicates(place)
            base = base.assign(base=floats(base["base"]))
            if choose == "min":
                base = base[base["base"] != 0]
            scale = base.assign(item=base["item"].map({name: one.scale for name, one in instrument.items()}))
            every = pd.concat([base, scale[scale["item"] != ""]])
            chosen = every.groupby(place, sort=False)["base"].agg(choose)
            chosen = chosen.mask(every["base"].isna().groupby([every[name] for name in place]).any())
            keys = (chosen.index.get_level_values(name) for name in place)
            found.append({(item, (wave, who)): n for item, wave, who, n in zip(*keys, chosen, strict=True)})
        scales = frequencies["item"].map({name: one.scale for name, one in instrument.items()})
        asked = frequencies[frequencies["base"] > 0].groupby([scales, "wave"])["item"].nunique()
        fully = asked[asked == asked.groupby(level=0).transform("max")]
        some, all_ = (_cell_numbers(tables[name]) if name in tables else {} for name in (MEANS, RELIABILITY))
        hidden = released[released["n"].isna() & released["item"].isin(list(instrument))]
        open_ = frozenset((instrument[item].scale, (wave, who)) for item, wave, who in tuples(hidden, *place))
        none = released["base"].isna().groupby([released["wave"], released["organisation"]]).all()
        return cls(
            answered=found[0],
            most=found[1],
            least=found[2],
            any_item=some,
            every_item=all_,
            fully=frozenset(fully.index),
            open_=open_,
            hidden=frozenset(none.index[none]),
            rounded=rounded,
        )

    def size(self, table: str, subject: str, scale: str, place: Place) -> float:
        """Count the respondents of a cell who are in a table's estimates: never more than there are."""
        own = self._own(table).get((scale, place), math.inf)
        return min(self.answered.get((subject, place), 0), own)

    def number(self, table: str, subject: str, scale: str, place: Place) -> float:
        """Count them by released counts; NaN: one of these is withheld."""
        own = self._own(table)
        if table in OF_ALL_ITEMS:
            subject = scale
        if place in self.whole and subject == scale and (scale, place) in own:
            return own[scale, place]
        return (self.least if table in OF_ALL_ITEMS else self.most).get((subject, place), 0)

    def unknown(self, subject: str, place: Place) -> bool:
        """Check whether the released counts leave open if anybody is in a cell."""
        n, everybody = (self.most.get((subject, (place[0], one)), 0.0) for one in (place[1], ALL))
        elsewhere = not everybody or place[0] in {wave for wave, _ in self.whole}
        return place in self.hidden or (not n and self.rounded and not elsewhere)

    def _own(self, table: str) -> Mapping[tuple[str, Place], int]:
        return self.every_item if table in OF_ALL_ITEMS else self.any_item

    @cached_property
    def surveyed(self) -> Mapping[str, list[Place]]:
        """Scale or item -> the cells of waves and stated organisations, whether anybody answered or not."""
        found: dict[str, list[Place]] = {}
        for subject, place in self.answered:
            if place[1] not in (ALL, NOT_STATED):
                found.setdefault(subject, []).append(place)
        return found

    @cached_property
    def places(self) -> Mapping[str, list[Place]]:
        """Scale or item -> those of these cells in which anybody answered."""
        return {
            subject: [place for place in cells if self.answered[subject, place]]
            for subject, cells in self.surveyed.items()
        }

    @cached_property
    def whole(self) -> frozenset[Place]:
        """The cells with everybody of a wave: what is about these is about all of its respondents."""
        names: dict[str, set[str]] = {}
        for (_, (wave, organisation)), n in self.answered.items():
            if n and organisation != ALL:
                names.setdefault(wave, set()).add(organisation)
        return frozenset((wave, one) for wave, own in names.items() if len(own) == 1 for one in (*own, ALL))


def _cell_numbers(table: pd.DataFrame) -> dict[tuple[str, Place], int]:
    """Scale, wave and organisation -> the smallest number above 0 of a row about them."""
    own = table[table["n"].fillna(0) > 0].sort_values("n", ascending=False, kind="stable")
    cells = tuples(own, "scale", "wave", "organisation")
    return {(scale, (wave, who)): int(n) for (scale, wave, who), n in zip(cells, own["n"], strict=True)}


@dataclass(frozen=True)
class Groups:
    """What a row is about.

    Attributes
    ----------
    groups
        Each group that it compares, or is about, as cells.
    everybody
        Whether it is about all respondents of its waves, with those who stated no organisation.
    """

    groups: tuple[tuple[Place, ...], ...]
    everybody: bool

    @cached_property
    def cells(self) -> frozenset[Place]:
        """All of its cells."""
        return frozenset(place for group in self.groups for place in group)


def groups_of(table: str, term: str, wave: str, organisation: str, cells: Collection[Place]) -> Groups:
    """Work out from a row's labels what it is about.

    Parameters
    ----------
    table
        The name of its table: what `all` means depends on it.
    term, wave, organisation
        The labels.
    cells
        Those in which anybody answered the row's scale or item.
    """
    if organisation.endswith(f"{BETWEEN}{ALL}"):
        sides = (groups_of(table, term, wave, side, cells).groups for side in organisation.split(BETWEEN))
        return Groups(tuple(group for side in sides for group in side), False)
    waves = [] if wave in (ALL, "") else wave.split(BETWEEN)
    names = [] if organisation in (ALL, "") else organisation.split(BETWEEN)
    # Only what names no wave or organisation looks at all cells, which are many.
    all_waves = (
        () if waves and table not in (STRUCTURE, DIF) else tuple(dict.fromkeys(one for one, _ in cells))
    )
    all_names = () if names else tuple(dict.fromkeys(one for _, one in cells))
    between = table == RELIABILITY and term == EQUALITY and bool(waves)
    if (
        (table == RELIABILITY and organisation == ALL and not between)
        or (table == STRUCTURE and wave == ALL)
        or (table == DIF and organisation == "")
    ):
        return Groups(
            tuple(((one, ALL),) for one in waves) or (tuple((one, ALL) for one in all_waves),), True
        )
    if table in (STRUCTURE, DIF):  # organisations, their waves pooled
        return Groups(tuple(tuple(product(all_waves, (name,))) for name in names or all_names), False)
    if not waves and not names:  # a model of all cells
        return Groups((tuple(cells),), False)
    own = product(waves or all_waves, names or all_names)
    return Groups(tuple((place,) for place in own), False)


class _Label(NamedTuple):
    """What rows with the same labels are about."""

    scale: str
    subject: str
    term: str
    about: Groups
    of_all: frozenset[Place]
    """Cells of the organisations that make up all staff, where small ones are left out of these."""
    unknown: bool
    """Whether the released counts leave open if anybody is in one of its groups."""


def _distinct(table: pd.DataFrame, columns: Iterable[str]) -> tuple[pd.DataFrame, IntArray]:
    """Return the first row of each combination of labels, and (N,) the place there of each row's combination."""
    names = list(columns)
    which = table.groupby(names, sort=False).ngroup()
    return table[~table.duplicated(names)], np.asarray(which, dtype=np.intp)


@dataclass
class _Rows:
    """A tidy table on its way.

    Attributes
    ----------
    name, table
        Without the terms that never leave.
    labels, which
        What there is to be about, and (N,) the place there of each row's.
    gone
        (N,) the rows that lose their estimate.
    unit
        (N,) the unit to which its numbers are rounded.
    """

    name: str
    table: pd.DataFrame
    labels: list[_Label]
    which: IntArray
    gone: BoolArray
    unit: FloatArray

    @classmethod
    def of(cls, name: str, table: pd.DataFrame, bases: Bases, smallest_of_all: int = 0) -> _Rows:
        """Read what each row is about."""
        table = table[~table["term"].isin(NEVER)].reset_index(drop=True)
        reference = table.loc[table["term"] == RETURNS, "wave"] if name == PLANNING else ()
        columns = ["scale", "item", "wave", "organisation", *(["term"] if name in OF_ALL_ITEMS else [])]
        first, which = _distinct(table, columns)
        labels = []

        @cache
        def cells_of(scale: str, subject: str) -> tuple[list[Place], list[Place]]:
            some, every = (
                [
                    place
                    for place in own.get(subject, [])
                    if name != STRUCTURE or (scale, place[0]) in bases.fully
                ]
                for own in (bases.places, bases.surveyed)
            )
            return some, every

        for scale, item, wave, organisation, term in tuples(first, *columns[:4], "term"):
            subject = item or scale
            # a plan is about the wave that it is made from
            about, named = (
                groups_of(name, term, next(iter(reference), wave), organisation, own)
                for own in cells_of(scale, subject)
            )
            of_all = frozenset[Place]()
            if smallest_of_all and name in WITH_ALL and organisation.rpartition(BETWEEN)[2] == ALL:
                alone = (place for place in named.cells if place[1] == organisation.partition(BETWEEN)[0])
                of_all = named.cells - frozenset(alone)
                sizes = {place: bases.size(name, subject, scale, place) for place in of_all}
                small = {place for place, size in sizes.items() if size < smallest_of_all}
                about, named = (
                    Groups(tuple(group for group in one.groups if not small & set(group)), one.everybody)
                    for one in (about, named)
                )
            unknown = not about.everybody and any(
                group and all(bases.unknown(subject, place) for place in group) for group in named.groups
            )
            labels.append(_Label(scale, subject, term, about, of_all, unknown))
        return cls(name, table, labels, which, np.zeros(len(table), np.bool_), digits.units(table))

    def spread(self, values: Iterable[bool]) -> BoolArray:
        """(N,) what holds of each row's labels."""
        return np.array(list(values), dtype=np.bool_)[self.which]

    def of_variant(self) -> Iterator[tuple[str, IntArray]]:
        """Yield each variant that is not the main analysis, and its rows."""
        if "variant" in self.table:
            for variant, rows in self.table.groupby("variant", sort=False).indices.items():
                if variant != MAIN:
                    yield str(variant), np.asarray(rows, dtype=np.intp)

    @property
    def some(self) -> BoolArray:
        """(N,) rows that are not about all respondents of their waves."""
        return self.spread(not label.about.everybody for label in self.labels)


def released(
    tables: Mapping[str, pd.DataFrame],
    counts: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    rule: Rule,
    weighting: Weighting | None,
    agree: Agree | None = None,
    alone: Mapping[str, pd.DataFrame] | None = None,
    smallest_of_all: int = 0,
) -> tuple[dict[str, pd.DataFrame], list[Entry]]:
    """Release the tables of estimates.

    Parameters
    ----------
    tables
        The statistics: the tidy tables, `agreement`, `scale_use`; and `item_frequencies`, `respondents` and
        `variant_people` as they are before the release.
    counts
        The released tables of counts, and `ends`, the released numbers of respondents at an end of a scale: `scale,
        term, wave, organisation, n`. Without it, as with suppression, nothing of an end of a scale is shown: the number
        of all respondents, beside the counts of statements that are shown, would tell of one organisation.
    instrument, rule
        See `surveywaves.disclosure.release.release`.
    weighting
        Who weighs how much; None: nothing is weighted.
    agree
        What makes `agreement`, where there is `sensitivity`.
    smallest_of_all
        Fewest answers with which an organisation is one of those that make up all staff, where small ones are left out
        (see `surveywaves.mixed.contrasts`), so that no estimate of all staff is about them; 0: all are in it.
    alone
        Tables, or some of their rows by their index, that are functions of released counts: only rounded and reworded.

    Returns
    -------
    dict, list
        The tables as they are released, and what each lost.

    Raises
    ------
    ValueError
        If there is an `agreement`, but not what makes it.
    """
    tidy = [name for name, table in tables.items() if {"term", "status", "note"} <= set(table)]
    alone = alone or {}
    names = [name for name in tidy if name not in alone or len(alone[name]) < len(tables[name])]
    others = [name for name in (AGREEMENT, SCALE_USE) if name in tables]
    if rule.public:
        return {name: tables[name] for name in (*names, *others)}, []
    bases = Bases.of(tables, counts[ITEM_FREQUENCIES], instrument, rounded=rule.rounding > 0)
    tables, alone = _of_those_shown(tables, alone, bases)
    rows = {name: _Rows.of(name, tables[name], bases, smallest_of_all) for name in names}
    people = People(tables.get(VARIANT_PEOPLE), rule.threshold)
    few = dominated(weighting, _subjects(instrument)) if weighting else Dominated()
    for one in rows.values():
        one.gone |= _too_few(one, bases, people, rule) | _outweighed(one, few) | _bare(one, instrument)
        if not rule.rounding and one.name not in COMPARING:
            one.gone |= _open(one, bases)
    if STRUCTURE in rows:
        rows[STRUCTURE].gone |= _merging(rows[STRUCTURE], counts[ITEM_FREQUENCIES], bases, instrument, rule)
    if MEANS in rows:
        told = frozenset[behind.Mean]()
        if rule.rounding:
            told = _behind(rows[MEANS], bases, tables, counts, instrument=instrument, rule=rule)
        for name in set(COMPARED) & set(rows):
            _no_finer(rows[name], rows[MEANS], told)
    words = words_of(
        [tables[ITEM_FREQUENCIES], *(one.table for one in rows.values())],
        [*instrument, *tables[RESPONDENTS]["variable"].unique()] if RESPONDENTS in tables else instrument,
    )
    found = {name: _finished(one, bases, people, counts.get(AT_ENDS), words) for name, one in rows.items()}
    for name, own in alone.items():
        nobody = np.zeros(len(own), dtype=np.bool_)
        shown = said(digits.rounded(own, digits.units(own), of_some=nobody), words)
        every = found.get(name, shown)
        found[name] = pd.concat([every.drop(index=own.index), shown]).loc[every.index]
    entries: list[Entry] = []
    for name, shown in found.items():
        before = rows[name].table if name in rows else tables[name]
        lost = (before["estimate"].notna() & shown["estimate"].isna()).to_numpy(dtype=np.bool_)
        unnumbered = (before["n"].notna() & shown["n"].isna()).to_numpy(dtype=np.bool_)
        entries += [
            Entry(name, "estimate", account.ESTIMATE, lost),
            Entry(name, "n", account.BASE, unnumbered),
            Entry(name, "estimate", account.ROUNDED, shown["estimate"].notna().to_numpy(dtype=np.bool_)),
        ]
    if AGREEMENT in tables:
        if agree is None or SENSITIVITY not in rows:
            raise ValueError(
                "agreement is counted over released variants: it takes these, and what counts them"
            )
        found[AGREEMENT], hide = _agreement(rows[SENSITIVITY], tables[AGREEMENT], agree)
        entries.append(Entry(AGREEMENT, "words", account.ESTIMATE, hide))
    if SCALE_USE in tables:
        reason = [words.note(text) for text in tables[SCALE_USE]["reason"]]
        found[SCALE_USE] = tables[SCALE_USE].assign(reason=pd.array(reason, dtype="str"))
    return found, entries


def _of_those_shown(
    tables: Mapping[str, pd.DataFrame], alone: Mapping[str, pd.DataFrame], bases: Bases
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Leave out comparisons with organisations that may be empty: those that are empty have no comparisons."""
    tables, alone = dict(tables), dict(alone)
    for name in {CONTRASTS, ITEM_CONTRASTS, SENSITIVITY, AGREEMENT} & set(tables):
        table = tables[name] if "item" in tables[name] else tables[name].assign(item="")
        columns = ("scale", "item", "wave", "organisation")
        first, which = _distinct(table, columns)
        unknown = [
            organisation != ALL
            and any(
                bases.unknown(item or scale, place)
                for place in product(wave.split(BETWEEN), organisation.split(BETWEEN))
            )
            for scale, item, wave, organisation in tuples(first, *columns)
        ]
        kept = ~np.array(unknown, dtype=np.bool_)[which]
        tables[name] = tables[name][kept].reset_index(drop=True)
        if name in alone:
            alone[name] = alone[name][kept].reset_index(drop=True)
    return tables, alone


def _subjects(instrument: Mapping[str, ItemKey]) -> dict[str, list[str]]:
    """Scale or item -> items."""
    found: dict[str, list[str]] = {}
    for item, one in instrument.items():
        found.setdefault(one.scale or item, []).append(item)
        found[item] = [item]
    return found


def _too_few(rows: _Rows, bases: Bases, people: People, rule: Rule) -> BoolArray:
    """(N,) rows with a group, or degrees of freedom, below the smallest; of variants, those that do not leave."""

    def small(label: _Label, variant: str = "") -> bool:
        if label.unknown or (label.term in ITEM_BY_ITEM and not label.about.everybody):
            return True
        least = rule.smallest_group
        if rows.name in OF_SPREAD and not label.about.everybody:
            least *= MORE
        sizes = (
            people.size(variant, label.scale, group)
            if variant
            else sum(bases.size(rows.name, label.subject, label.scale, place) for place in group)
            for group in label.about.groups
            if not label.of_all.issuperset(group)
        )
        return any(0 < size < least for size in sizes)

    found: BoolArray = digits.residual(rows.table) & rows.table["df"].lt(rule.smallest_df).to_numpy(np.bool_)
    found |= rows.spread(map(small, rows.labels))
    for variant, own in rows.of_variant():
        gone = [
            not people.released(variant, label.scale)
            or (not people.same(variant, label.scale) and small(label, variant))
            for label in rows.labels
        ]
        found[own] |= rows.spread(gone)[own]
    return found


def _outweighed(rows: _Rows, few: Dominated) -> BoolArray:
    """(N,) rows of compared groups in which one or two respondents have most of the weight."""
    found = np.zeros(len(rows.table), dtype=np.bool_)
    if rows.name not in COMPARED or not few.places:
        return found
    everything = np.arange(len(found))
    first = (
        (MAIN, np.flatnonzero(rows.table["variant"] == MAIN)) if "variant" in rows.table else ("", everything)
    )
    for variant, own in (first, *rows.of_variant()):
        marks = (bool(label.about.cells & few.of(variant, label.subject)) for label in rows.labels)
        found[own] = rows.spread(marks)[own]
    return found


def _bare(rows: _Rows, instrument: Mapping[str, ItemKey]) -> BoolArray:
    """(N,) rows by organisation about a scale of one statement: its mean is a function of the counts alone."""
    members = pd.Series([one.scale for one in instrument.values() if one.scale]).value_counts()
    return rows.spread(
        members.get(label.subject) == 1
        and not label.about.everybody
        and all(len(group) == 1 for group in label.about.groups)
        for label in rows.labels
    )


def _open(rows: _Rows, bases: Bases) -> BoolArray:
    """(N,) rows that say of a cell what is beside its withheld counts, which have little room among those shown."""
    return rows.spread(
        any(len(group) == 1 and (label.scale, group[0]) in bases.open_ for group in label.about.groups)
        and not label.about.everybody
        for label in rows.labels
    )


def _merging(
    rows: _Rows, released: pd.DataFrame, bases: Bases, instrument: Mapping[str, ItemKey], rule: Rule
) -> BoolArray:
    """(N,) rows about structure that reveal whether anybody gave a response whose count is shown as 0 or withheld.

    A response that nobody in some organisation gave in any of its waves is merged with another, and the degrees of
    freedom show it. If its count is open in one wave only, they thus tell whether anybody gave it in that wave.
    """
    own = released[released["organisation"] != ALL]
    places = pd.MultiIndex.from_frame(own[["wave", "organisation"]])
    n = floats(own["n"])
    unknown = np.isnan(n) | (n == 0) & (rule.rounding > 0)
    scales = own["item"].map({item: one.scale for item, one in instrument.items()})
    own = own.assign(scale=scales, n=n, open=unknown & ~places.isin(list(bases.whole)))

    @cache
    def tells(scale: str, cells: frozenset[Place]) -> bool:
        here = own[own["scale"].eq(scale) & places.isin(list(cells))]
        answers = here.groupby(["organisation", "item", "response"])
        return bool((answers["open"].sum().eq(1) & ~answers["n"].max().gt(0)).any())

    return rows.spread(not one.about.everybody and tells(one.scale, one.about.cells) for one in rows.labels)


def _behind(
    means: _Rows,
    bases: Bases,
    tables: Mapping[str, pd.DataFrame],
    counts: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    rule: Rule,
) -> frozenset[behind.Mean]:
    """Coarsen means that would narrow a group's size or a small count; return those that no unit makes safe.

    The unit of a mean is at least what one answer changes, or two answers where a group of the wave is hidden: 46.4%
    over four statements is 26 of 56 answers, but no whole number of 52, which would reveal the size of the group.
    """
    those = behind.statements(tables[ITEM_FREQUENCIES], counts[ITEM_FREQUENCIES], instrument, rule)
    beside = {wave for wave, _ in bases.hidden}
    at: dict[behind.Mean, int] = {}
    columns = ("analysis", "scale", "wave", "organisation")
    hidden = means.gone | means.table["estimate"].isna().to_numpy(dtype=np.bool_)
    for row, (analysis, scale, wave, organisation) in enumerate(tuples(means.table, *columns)):
        place = (wave, organisation)
        if analysis in (LINEAR, FAVOURABLE) and organisation != ALL and not hidden[row]:
            at[analysis, scale, place] = row
            fewest = bases.number(MEANS, scale, scale, place) - rule.rounding + 1
            if place not in bases.whole and not math.isnan(fewest):  # else a count is withheld
                answer = (1.0 if analysis == LINEAR else 100.0) / len(those[scale, place]) / max(fewest, 1)
                answer *= 1 + (wave in beside)
                means.unit[row] = max(means.unit[row], digits.step(answer))
    spans: dict[str, float] = {}
    for one in instrument.values():
        spans[one.scale] = max(spans.get(one.scale, 1.0), one.points - 1.0)
    errors = means.table["std_error"].to_numpy(dtype=np.float64)
    found = behind.allowed(
        {mean: float(means.unit[row]) for mean, row in at.items()},
        those,
        most={mean: WIDEST * float(errors[row]) for mean, row in at.items()},
        spans=spans,
        sizes=behind.sizes(tables[RESPONDENTS], counts[RESPONDENTS]) if RESPONDENTS in tables else {},
        rule=rule,
    )
    for mean, unit in found.items():
        means.unit[at[mean]] = unit
        means.gone[at[mean]] |= math.isnan(unit)
    return frozenset(mean for mean, unit in found.items() if math.isnan(unit))


def _no_finer(rows: _Rows, means: _Rows, told: frozenset[behind.Mean]) -> None:
    """Take from contrasts the digits that the means compared do not have, and those of means that are withheld.

    Whoever subtracts two printed means finds the printed contrast, to a unit of its last digit.
    """
    columns = ("analysis", "scale", "wave", "organisation")
    units = dict(zip(tuples(means.table, *columns), means.unit, strict=True))
    first, which = _distinct(rows.table.assign(label=rows.which), (*columns, "label"))
    gone, least = [], []
    for analysis, scale, wave, organisation, label in tuples(first, *columns, "label"):
        gone.append(any((analysis, scale, cell) in told for cell in rows.labels[label].about.cells))
        cells = product(wave.split(BETWEEN), organisation.split(BETWEEN))
        least.append(max(units.get((analysis, scale, *cell), 0.0) for cell in cells))
    rows.gone |= np.array(gone, dtype=np.bool_)[which]
    rows.unit[:] = np.fmax(rows.unit, np.array(least, dtype=np.float64)[which])


def _finished(
    rows: _Rows, bases: Bases, people: People, ends: pd.DataFrame | None, words: Words
) -> pd.DataFrame:
    """Round, empty and reword a table."""
    table, some = rows.table, rows.some
    numbers = _numbers(rows, bases, people)
    at_end = table["term"].isin(TERMS).to_numpy(dtype=np.bool_)
    shown = digits.rounded(table, np.where(at_end, np.nan, rows.unit), of_some=some)
    shown["n"] = pd.array([pd.NA if math.isnan(n) else int(n) for n in numbers], dtype="Int64")
    gone = rows.gone.copy()
    counted = (table["term"] == N_RESPONDENTS).to_numpy(dtype=np.bool_)
    estimate = np.where(counted, numbers, shown["estimate"])
    if ends is None:
        estimate[at_end] = math.nan
    elif (at_end & some).any():
        known = _by_place(ends)
        keys = list(tuples(table, *AN_END))
        for row in np.flatnonzero(at_end & some & table["estimate"].notna().to_numpy()):
            n = known.get(keys[row], math.nan)
            estimate[row] = min(100 * n / numbers[row], 100.0) if numbers[row] else math.nan
    gone |= np.isnan(estimate) & table["estimate"].notna().to_numpy(dtype=np.bool_)
    shown["estimate"] = estimate
    shown["n"] = shown["n"].mask(gone)
    for name in (*NUMBERS, *DECIDED[:3]):
        if name in shown:
            shown[name] = shown[name].mask(gone)
    if "decision" in shown:
        shown["decision"] = shown["decision"].mask(gone, "")
    # a note that nobody answered would tell, too
    lost = gone & table["estimate"].notna().to_numpy(dtype=np.bool_)
    lost |= rows.spread(label.unknown for label in rows.labels)
    shown["status"] = shown["status"].mask(lost, Status.WITHHELD.value)
    return said(shown, words)


def _by_place(ends: pd.DataFrame) -> dict[tuple[str, ...], float]:
    return dict(zip(tuples(ends, *AN_END), floats(ends["n"]), strict=True))


def _numbers(rows: _Rows, bases: Bases, people: People) -> FloatArray:
    """(N,) numbers of respondents from released counts; NaN where one of these is withheld."""
    table = rows.table
    exact = floats(table["n"])
    by_label = [
        math.fsum(bases.number(rows.name, one.subject, one.scale, place) for place in one.about.cells)
        for one in rows.labels
    ]
    found = np.array(by_label, dtype=np.float64)[rows.which] + 0 * exact
    for variant, own in rows.of_variant():
        others = rows.spread(not people.same(variant, one.scale) for one in rows.labels)[own]
        found[own[others]] = np.nan
    # Beside exact bases, the exact number who answered all items bounds those of the organisations that are withheld.
    kept = ~rows.some & (bases.rounded or rows.name not in OF_ALL_ITEMS)
    if rows.name == PLANNING:  # returns to come are nobody yet
        kept |= (table["organisation"].ne(ALL) | table["term"].eq(RETURNS)).to_numpy(dtype=np.bool_)
    return np.where(kept, exact, found)


def _agreement(rows: _Rows, before: pd.DataFrame, agree: Agree) -> tuple[pd.DataFrame, BoolArray]:
    """Count over the rows that leave who comes to the main analysis's decision."""
    table = rows.table
    shown = table.assign(
        decision=table["decision"].mask(rows.gone, ""),
        status=table["status"].mask(rows.gone, Status.WITHHELD.value),
    )
    found = agree(shown, before)
    names = ("metric", "scale", "term", "wave", "organisation")
    main = table[rows.gone & table["variant"].eq(MAIN).to_numpy()]
    term = main["term"].str.removesuffix(STANDARDISED).str.removesuffix(f"_{PERCENT_FAVOURABLE}")
    metric = main["analysis"].where(main["analysis"] == FAVOURABLE, LINEAR)
    gone = set(tuples(main.assign(metric=metric, term=term), *names))
    hide = np.array(
        [place in gone for place in tuples(found.rename(columns={"analysis": "metric"}), *names)],
        dtype=np.bool_,
    )
    return found.assign(words=found["words"].mask(hide, NOTE)), hide
