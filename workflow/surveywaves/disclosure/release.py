"""The release: from the statistics to what people may see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from surveywaves.describe import ORGANISATION
from surveywaves.disclosure import account, counts, estimates, extremes, rounded
from surveywaves.disclosure.account import Entry, Tally
from surveywaves.disclosure.groups import Groups, Place, groups, linked_groups
from surveywaves.disclosure.items import ItemPlace, linked_items
from surveywaves.disclosure.printed import Publication, audited, claimed, in_print
from surveywaves.disclosure.reasons import linked_reasons
from surveywaves.disclosure.rounding import round_counts
from surveywaves.disclosure.rule import Rule
from surveywaves.disclosure.suppress import suppress
from surveywaves.disclosure.system import TOTAL, BoolArray, Builder, Marks, System
from surveywaves.tidy import ALL

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")

FREQUENCIES: Final = "item_frequencies"
SUMMARY: Final = "item_summary"
RESPONDENTS: Final = "respondents"
RATES: Final = "response_rates"
MISSING: Final = "missing"
RELIABILITY: Final = "reliability"
MEANS: Final = "means"
CONTRASTS: Final = "contrasts"
ITEM_CONTRASTS: Final = "item_contrasts"
SENSITIVITY: Final = "sensitivity"
AGREEMENT: Final = "agreement"
AUDIT: Final = "published_tables"
CLAIMS: Final = "claims"

COMPARED: Final = (MEANS, CONTRASTS, SENSITIVITY, ITEM_CONTRASTS)
"""Tables whose estimates are means of answers, or differences between such."""


@dataclass(frozen=True)
class ItemKey:
    """What the release needs to know of an item.

    Attributes
    ----------
    scale
        Its scale, empty if it belongs to none.
    key
        1, or -1 where agreement means less.
    points
        Response options.
    favourable
        Values counted as favourable after reverse keying.
    """

    scale: str
    key: int
    points: int
    favourable: tuple[int, ...]

    @property
    def good(self) -> frozenset[int]:
        """Responses counted as favourable, as worded."""
        values = self.favourable if self.key > 0 else (self.points + 1 - value for value in self.favourable)
        return frozenset(values)

    def end(self, term: str) -> int:
        """Give the response at an end of the scale."""
        return 1 if (term == "floor") == (self.key > 0) else self.points


class Released(NamedTuple):
    """What people may see.

    `tables` has every table under its own name; `log` and `summary` say what was withheld (see `account`), `sentence`
    the same in words. `reasons` names every withheld count with its reason, which gives small counts away: it is for
    the team that holds the data anyway.
    """

    tables: dict[str, pd.DataFrame]
    log: pd.DataFrame
    summary: pd.DataFrame
    sentence: str
    reasons: pd.DataFrame


def release(
    tables: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    rule: Rule,
    publication: Publication | None = None,
    confidence: float = 0.95,
) -> Released:
    """Withhold, or round, what would tell of somebody.

    Parameters
    ----------
    tables
        Name -> table: the five tables of counts, the tidy tables, `agreement`, and those of the audit, as far as
        there are any. Others pass as they are.
    instrument
        Item -> what it is.
    rule
        The rule.
    publication
        What the audited tables are about.
    confidence
        Level of the interval of a response rate, which rounding computes again.

    Returns
    -------
    Released
        The same tables, the same rows and columns; count tables and the audit's have a column `status` besides. What
        is withheld is empty.
    """
    return _Release(dict(tables), instrument, rule, publication, confidence).run()


@dataclass
class _Linked:
    """The linked counts of everything: who answered, the answers, why they are missing, who stands at an end."""

    groups: dict[str, Builder]
    items: dict[ItemPlace, Builder] = field(default_factory=dict)
    reasons: dict[ItemPlace, Builder] = field(default_factory=dict)
    ends: dict[extremes.End, Builder] = field(default_factory=dict)

    @property
    def every(self) -> tuple[Mapping[Any, Builder], ...]:
        """Give all of them."""
        return self.groups, self.items, self.reasons, self.ends


@dataclass
class _Release:
    tables: dict[str, pd.DataFrame]
    instrument: Mapping[str, ItemKey]
    rule: Rule
    publication: Publication | None
    confidence: float
    entries: list[Entry] = field(default_factory=list)
    solved: dict[Hashable, BoolArray] = field(default_factory=dict)

    def run(self) -> Released:
        public = (
            in_print(self.tables[AUDIT], self.publication)
            if self.publication and AUDIT in self.tables
            else frozenset[tuple[str, str, str]]()
        )
        returns = dict(zip(self.tables[RATES]["wave"], self.tables[RATES]["returns"], strict=True))
        linked = _Linked(linked_groups(self.tables[RESPONDENTS], returns, rule=self.rule, public=public))
        group_marks = self._solve(linked.groups)
        found = groups(linked.groups, group_marks, self.rule)
        linked.items = linked_items(
            self.tables[FREQUENCIES],
            groups=found,
            favourable={item: one.good for item, one in self.instrument.items()},
            rule=self.rule,
            public=public,
        )
        marks = self._solve(linked.items)
        nothing = frozenset(place for place, own in marks.items() if own["base", ALL])
        linked.reasons = linked_reasons(self.tables[MISSING], groups=found, nothing=nothing, rule=self.rule)
        reasons = self._solve(linked.reasons)
        if RELIABILITY in self.tables:
            tied = _tied(self.instrument, marks)
            linked.ends = extremes.linked_extremes(self.tables[RELIABILITY], tied=tied, rule=self.rule)
        ends = self._solve(linked.ends)
        if self.rule.rounding:
            self._round_counts(linked)
            self._estimates(found, marks, {}, rounding=True)
            tallies: list[Tally] = []
        else:
            self._count_tables(found, group_marks, marks, reasons)
            self._estimates(found, marks, ends, rounding=False)
            tallies = list(_tallies(linked, (group_marks, marks, reasons, ends)))
        self._audit(group_marks, marks)
        log = account.log_of(self.tables, self.entries)
        said = account.sentence(tallies, threshold=self.rule.threshold, rounding=self.rule.rounding)
        return Released(
            self.tables,
            log,
            account.summary_of(self.tables, self.entries, tallies),
            said,
            _reasons(linked, (group_marks, marks, reasons, ends)),
        )

    def _solve(self, builders: Mapping[Key, Builder]) -> dict[Key, Marks]:
        return {key: builder.named(self._suppressed(builder.system())) for key, builder in builders.items()}

    def _suppressed(self, system: System) -> BoolArray:
        if self.rule.rounding:
            return system.withheld
        key = system.key
        if key not in self.solved:
            self.solved[key] = suppress(system)
        return self.solved[key]

    def _put(self, name: str, shown: pd.DataFrame, why: Callable[[str], str]) -> None:
        """Keep a released table, and log what it lost."""
        before = self.tables[name]
        self.tables[name] = shown
        for column in before:
            if before[column].dtype.kind not in "OUT":
                gone = (shown[column].isna() & before[column].notna()).to_numpy(dtype=np.bool_)
                self.entries.append(Entry(name, str(column), why(str(column)), gone))

    def _count_tables(
        self,
        found: Groups,
        group_marks: Mapping[str, Marks],
        marks: Mapping[ItemPlace, Marks],
        reasons: Mapping[ItemPlace, Marks],
    ) -> None:
        shown = {
            FREQUENCIES: counts.frequencies(self.tables[FREQUENCIES], marks),
            SUMMARY: counts.summary(self.tables[SUMMARY], marks),
            RESPONDENTS: counts.respondents(self.tables[RESPONDENTS], group_marks),
            MISSING: counts.missing(self.tables[MISSING], reasons, found),
            RATES: counts.response_rates(self.tables[RATES], found),
        }
        for name, table in shown.items():
            self._put(
                name, table, lambda column: account.COUNT if column in counts.WHOLE else account.DERIVED
            )

    def _round_counts(self, linked: _Linked) -> None:
        base = self.rule.rounding
        people, answers, reasons = (
            _rounded(linked.groups, base),
            _rounded(linked.items, base),
            _rounded(linked.reasons, base),
        )
        shown = {
            FREQUENCIES: rounded.frequencies(self.tables[FREQUENCIES], answers),
            SUMMARY: rounded.summary(self.tables[SUMMARY], answers),
            RESPONDENTS: rounded.respondents(self.tables[RESPONDENTS], people),
            MISSING: rounded.missing(self.tables[MISSING], reasons, people),
            RATES: rounded.response_rates(self.tables[RATES], people, confidence=self.confidence),
        }
        for name, table in shown.items():
            self._put(name, table, lambda _: account.DERIVED)

    def _estimates(
        self,
        found: Groups,
        marks: Mapping[ItemPlace, Marks],
        ends: Mapping[extremes.End, Marks],
        *,
        rounding: bool,
    ) -> None:
        tidy = [name for name, table in self.tables.items() if {"term", "status", "note"} <= set(table)]
        small = estimates.small_cells(
            [self.tables[name] for name in (MEANS, RELIABILITY) if name in tidy], self.rule
        )
        near = (
            {item for (_, item), own in marks.items() if any(own.values())}
            if not rounding
            else set(self.instrument)
        )
        scales = {self.instrument[item].scale for item in near} - {""}
        single = {
            scale for scale in scales if sum(one.scale == scale for one in self.instrument.values()) == 1
        }
        unbased = {
            item
            for (_, item), own in marks.items()
            if any(mark for name, mark in own.items() if isinstance(name, tuple) and name[0] == "base")
        }
        for name in tidy:
            table = self.tables[name]
            compared = name in COMPARED
            shown = estimates.release_estimates(
                table,
                groups=found,
                small=small,
                extremes=extremes.marked(table, ends) if name == RELIABILITY else None,
                near=scales if compared else (),
                near_items=near if compared else (),
                in_disguise={item for item in near if self.instrument[item].points == 2}
                if name == ITEM_CONTRASTS
                else (),
                bare=single if name == MEANS else (),
                unbased=unbased,
                rule=self.rule,
            )
            base = self.rule.rounding
            self.tables[name] = rounded.estimates(shown.table, base) if rounding else shown.table
            had = table["estimate"].notna().to_numpy()
            self.entries += [
                Entry(name, "estimate", account.ESTIMATE, shown.estimate & had),
                Entry(name, "n", account.BASE, shown.n),
                Entry(name, "estimate", account.ROUNDED, shown.rounded & had),
            ]
        if AGREEMENT in self.tables and CONTRASTS in self.tables:
            shown_agreement, hide = estimates.release_agreement(
                self.tables[AGREEMENT], self.tables[CONTRASTS]
            )
            self.tables[AGREEMENT] = shown_agreement
            self.entries.append(Entry(AGREEMENT, "words", account.ESTIMATE, hide))

    def _audit(self, group_marks: Mapping[str, Marks], marks: Mapping[ItemPlace, Marks]) -> None:
        if self.publication is None or AUDIT not in self.tables:
            return
        audit = self.tables[AUDIT]
        if self.rule.rounding:
            hidden = _not_in_print(self.tables, in_print(audit, self.publication))
        else:
            hidden = frozenset(_hidden_together(group_marks, marks))
        self.tables[AUDIT] = audited(audit, self.publication, hidden)
        gone = (self.tables[AUDIT]["recomputed"] == "") & (audit["recomputed"] != "")
        self.entries.append(Entry(AUDIT, "recomputed", account.RECOMPUTED, gone.to_numpy(dtype=np.bool_)))
        if CLAIMS in self.tables:
            claims = self.tables[CLAIMS]
            self.tables[CLAIMS] = claimed(claims, audit, self.publication, hidden)
            gone = (self.tables[CLAIMS]["recomputed"] == "") & (claims["recomputed"] != "")
            self.entries.append(
                Entry(CLAIMS, "recomputed", account.RECOMPUTED, gone.to_numpy(dtype=np.bool_))
            )


def _rounded(builders: Mapping[Key, Builder], base: int) -> dict[Key, dict[Hashable, int]]:
    found = {}
    for key, builder in builders.items():
        values = round_counts(builder.system(), base)
        found[key] = {name: int(values[cell]) for name, cell in builder.counts.items()}
    return found


def _tied(
    instrument: Mapping[str, ItemKey], marks: Mapping[ItemPlace, Marks]
) -> dict[extremes.End, frozenset[Place]]:
    """List the waves and organisations in which an item's count at an end of its scale is withheld."""
    tied: dict[extremes.End, set[Place]] = {}
    for (wave, item), own in marks.items():
        for name, mark in own.items():
            if mark and isinstance(name, tuple) and name[0] == "n":
                for term in extremes.TERMS:
                    if name[2] == instrument[item].end(term):
                        tied.setdefault((instrument[item].scale, term), set()).add((wave, name[1]))
    # What is withheld of a wave is withheld of all waves together.
    return {
        end: frozenset(places | {(ALL, organisation) for _, organisation in places})
        for end, places in tied.items()
    }


def _hidden_together(
    group_marks: Mapping[str, Marks], marks: Mapping[ItemPlace, Marks]
) -> Iterator[tuple[str, str, str]]:
    """List the withheld counts of all organisations together, as wave, item or variable, response or level."""
    for wave, own in group_marks.items():
        for name, mark in own.items():
            match name:
                case ("n", str(variable), "all", str(level)) if mark:
                    yield wave, variable, level
                case ("base", str(variable), "all") if mark:
                    yield wave, variable, "base"
                case ("size", str(organisation)) if mark:
                    yield wave, ORGANISATION, organisation
    for (wave, item), own in marks.items():
        for name, mark in own.items():
            match name:
                case ("n", "all", int(response)) if mark:
                    yield wave, item, str(response)
                case ("base", "all") if mark:
                    yield wave, item, "base"


def _not_in_print(
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


def _tallies(linked: _Linked, marks: Sequence[Mapping[Any, Marks]]) -> Iterator[Tally]:
    kinds = (
        "counts of who answered",
        "counts of answers",
        "counts of reasons",
        "counts at an end of a scale",
    )
    for kind, builders, own in zip(kinds, linked.every, marks, strict=True):
        tally = [0, 0, 0, 0]
        for key, builder in builders.items():
            small = {need.cell for need in builder.needs}
            for name, cell in builder.counts.items():
                if name == TOTAL or builder.costs[cell] == 0:
                    continue
                tally[0] += 1
                tally[1] += own[key][name] and cell in small
                tally[2] += own[key][name] and cell not in small
                tally[3] += cell in builder.public
        yield Tally(kind, *tally)


def _reasons(linked: _Linked, marks: Sequence[Mapping[Any, Marks]]) -> pd.DataFrame:
    rows = []
    for builders, own in zip(linked.every, marks, strict=True):
        for key, builder in builders.items():
            small = {need.cell for need in builder.needs}
            for name, cell in builder.counts.items():
                if own[key][name]:
                    why = "primary" if cell in small else "complementary"
                    rows.append((_say(key), _say(name), builder.value(name), why))
    frame = pd.DataFrame(rows, columns=["linked", "count", "n", "reason"])
    return frame.astype({"linked": "str", "count": "str", "n": "int64", "reason": "str"})


def _say(name: Hashable) -> str:
    return ", ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)
