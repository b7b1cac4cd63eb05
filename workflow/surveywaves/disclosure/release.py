"""The release: from the statistics to what people may see."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from surveywaves.disclosure import account, estimates, marking, rounding
from surveywaves.disclosure.account import Entry, Publication, audited, claimed, in_print, recodings
from surveywaves.disclosure.count_tables import ItemKey
from surveywaves.disclosure.dominance import Weighting
from surveywaves.disclosure.estimates import PEOPLE, Agree
from surveywaves.disclosure.linked import (
    FILE_COUNTS,
    FREQUENCIES,
    MISSING,
    PROBLEMS,
    RATES,
    RESPONDENTS,
    Linked,
    link,
    not_in_print,
    tallies,
    why_withheld,
)
from surveywaves.disclosure.rounding import round_counts
from surveywaves.disclosure.suppress import solver
from surveywaves.disclosure.system import Builder, Rule
from surveywaves.study.parts import HarmonisingPart

Key = TypeVar("Key", bound=Hashable)

SUMMARY: Final = "item_summary"
AUDIT: Final = "published_tables"
CLAIMS: Final = "claims"
RECODINGS: Final = "recodings"
CROSSCHECK: Final = "crosscheck"

COUNTED: Final = (FREQUENCIES, SUMMARY, RESPONDENTS, RATES, MISSING)
"""The tables of counts: released first, all others are made with what is released of them."""


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
    parts: Sequence[HarmonisingPart] = (),
    weighting: Weighting | None = None,
    agree: Agree | None = None,
    cores: int = 1,
) -> Released:
    """Withhold, or round, what would tell of somebody.

    Parameters
    ----------
    tables
        Name -> table: the five tables of counts, the tidy tables, `agreement`, those of the audit, and what ingest says
        of the raw files (`file_counts` and `problems`, of all waves), as far as there are any. Others pass as they are,
        but `crosscheck`, of which only is shown how much was checked.
    instrument
        Item -> what it is.
    rule
        The rule.
    publication
        What the audited tables are about.
    parts
        What the cells of each wave mean, for `recodings`, which is a table by itself (see `codings`).
    weighting
        Who weighs how much in weighted estimates; None: there are none.
    agree
        What counts over variants: see `estimates.released`.
    cores
        Processes to share the work among; the choice is the same whatever their number.

    Returns
    -------
    Released
        The same tables, the same rows and columns; count tables and the audit's have a column `status` besides. What
        is withheld is empty. `file_counts` and `problems` are laid out anew (see `marking`).
    """
    statistics, tables = tables, dict(tables)
    if FILE_COUNTS in tables:
        problems, rows = tables[PROBLEMS], tables[FILE_COUNTS]
        tables[PROBLEMS] = marking.released_problems(problems, rows)
        tables[FILE_COUNTS] = marking.released_counts(rows)
    if parts:
        tables[RECODINGS] = recodings(parts)
    if CROSSCHECK in tables:
        tables[CROSSCHECK] = account.crosschecked(tables[CROSSCHECK])
    public = (
        in_print(tables[AUDIT], publication)
        if publication and AUDIT in tables
        else frozenset[tuple[str, str, str]]()
    )
    with solver(cores=cores, rounding=bool(rule.rounding)) as solve:
        linked = link(tables, instrument=instrument, rule=rule, parts=parts, public=public, solve=solve)
    work = _Release(tables, linked, instrument, rule)
    if rule.rounding:
        work.round_counts()
    else:
        work.withhold_counts()
    work.estimates(statistics, weighting, agree)
    if publication and AUDIT in tables:
        work.audit(publication, not_in_print(tables, public) if rule.rounding else linked.hidden_together())
    kinds = [] if rule.rounding else list(tallies(linked))
    return Released(
        work.tables,
        account.log_of(work.tables, work.entries),
        account.summary_of(work.tables, work.entries, kinds),
        account.sentence(kinds, threshold=rule.threshold, rounding=rule.rounding),
        why_withheld(linked),
    )


@dataclass
class _Release:
    """The tables on their way, and what each has lost."""

    tables: dict[str, pd.DataFrame]
    linked: Linked
    instrument: Mapping[str, ItemKey]
    rule: Rule
    entries: list[Entry] = field(default_factory=list)

    def _put(self, name: str, shown: pd.DataFrame, why: Callable[[str], str]) -> None:
        """Keep a released table, and log what it lost."""
        before = self.tables[name]
        self.tables[name] = shown
        for column in before:
            if before[column].dtype.kind not in "OUT":
                gone = (shown[column].isna() & before[column].notna()).to_numpy(dtype=np.bool_)
                self.entries.append(Entry(name, str(column), why(str(column)), gone))

    def withhold_counts(self) -> None:
        people, answers, reasons = (
            self.linked.people.marks,
            self.linked.answers.marks,
            self.linked.reasons.marks,
        )
        shown = {
            FREQUENCIES: marking.frequencies(self.tables[FREQUENCIES], answers),
            SUMMARY: marking.summary(self.tables[SUMMARY], answers),
            RESPONDENTS: marking.respondents(self.tables[RESPONDENTS], people),
            MISSING: marking.missing(self.tables[MISSING], reasons, self.linked.groups),
            RATES: marking.response_rates(self.tables[RATES], self.linked.groups),
        }
        if FILE_COUNTS in self.tables:
            marks = self.linked.files.marks
            shown[FILE_COUNTS] = marking.withheld_counts(self.tables[FILE_COUNTS], marks)
            shown[PROBLEMS] = marking.withheld_problems(self.tables[PROBLEMS], marks, self.rule)
        for name, table in shown.items():
            self._put(
                name,
                marking.weighted(table, self.rule),
                lambda column: account.COUNT if column in marking.WHOLE else account.DERIVED,
            )

    def round_counts(self) -> None:
        base = self.rule.rounding
        people, answers, reasons = (
            _rounded(self.linked.people.counts, base),
            _rounded(self.linked.answers.counts, base),
            _rounded(self.linked.reasons.counts, base),
        )
        shown = {
            FREQUENCIES: rounding.frequencies(self.tables[FREQUENCIES], answers),
            SUMMARY: rounding.summary(self.tables[SUMMARY], answers),
            RESPONDENTS: rounding.respondents(self.tables[RESPONDENTS], people),
            MISSING: rounding.missing(self.tables[MISSING], reasons, people),
            RATES: rounding.response_rates(self.tables[RATES], people),
        }
        if FILE_COUNTS in self.tables:
            shown[FILE_COUNTS] = rounding.file_counts(self.tables[FILE_COUNTS], base)
            shown[PROBLEMS] = rounding.problems(self.tables[PROBLEMS], base)
        for name, table in shown.items():
            self._put(name, marking.weighted(table, self.rule), lambda _: account.DERIVED)

    def estimates(
        self, before: Mapping[str, pd.DataFrame], weighting: Weighting | None, agree: Agree | None
    ) -> None:
        """Release what is estimated: it gets the released counts, and makes its `n` from them."""
        shown, entries = estimates.released(
            before,
            {name: self.tables[name] for name in COUNTED if name in self.tables},
            instrument=self.instrument,
            rule=self.rule,
            weighting=weighting,
            agree=agree,
        )
        self.tables.pop(PEOPLE, None)
        self.tables |= shown
        self.entries += entries

    def audit(self, publication: Publication, hidden: frozenset[tuple[str, str, str]]) -> None:
        before = {name: self.tables[name] for name in (AUDIT, CLAIMS) if name in self.tables}
        self.tables[AUDIT] = audited(before[AUDIT], publication, hidden)
        if CLAIMS in before:
            self.tables[CLAIMS] = claimed(before[CLAIMS], before[AUDIT], publication, hidden)
        for name, table in before.items():
            gone = (self.tables[name]["recomputed"] == "") & (table["recomputed"] != "")
            self.entries.append(
                Entry(name, "recomputed", account.FROM_WITHHELD, gone.to_numpy(dtype=np.bool_))
            )


def _rounded(builders: Mapping[Key, Builder], base: int) -> dict[Key, dict[Hashable, int]]:
    found = {}
    for key, builder in builders.items():
        values = round_counts(builder.system(), base)
        found[key] = {name: int(values[cell]) for name, cell in builder.counts.items()}
    return found
