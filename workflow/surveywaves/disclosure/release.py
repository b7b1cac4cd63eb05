"""The release: from the statistics to what people may see."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from surveywaves.disclosure import account, count_tables, estimates, marking, rounding
from surveywaves.disclosure.account import Entry, Publication, audited, claimed, in_print
from surveywaves.disclosure.count_tables import ItemKey
from surveywaves.disclosure.estimates import Dominated, Weighting, dominated
from surveywaves.disclosure.linked import (
    FILE_COUNTS,
    FREQUENCIES,
    MISSING,
    PROBLEMS,
    RATES,
    RELIABILITY,
    RESPONDENTS,
    Linked,
    link,
    not_in_print,
    tallies,
    why_withheld,
)
from surveywaves.disclosure.recodings import recodings
from surveywaves.disclosure.rounding import round_counts
from surveywaves.disclosure.suppress import solver
from surveywaves.disclosure.system import Builder, Rule
from surveywaves.study.parts import HarmonisingPart

Key = TypeVar("Key", bound=Hashable)

SUMMARY: Final = "item_summary"
MEANS: Final = "means"
CONTRASTS: Final = "contrasts"
ITEM_CONTRASTS: Final = "item_contrasts"
SENSITIVITY: Final = "sensitivity"
AGREEMENT: Final = "agreement"
AUDIT: Final = "published_tables"
CLAIMS: Final = "claims"
RECODINGS: Final = "recodings"
CROSSCHECK: Final = "crosscheck"

COMPARED: Final = (MEANS, CONTRASTS, SENSITIVITY, ITEM_CONTRASTS, "diagnostics")
"""Tables whose estimates are means of answers, differences between such, or tests on the answers to one statement."""


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
    labels: Sequence[str] = (),
    weighting: Weighting | None = None,
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
        What the cells of each wave mean, for `recodings`, which is a table by itself.
    labels
        What the study calls its options and levels; `recodings` shows no other words but ordinary ones.
    weighting
        Who weighs how much in weighted estimates; None: there are none.
    cores
        Processes to share the work among; the choice is the same whatever their number.

    Returns
    -------
    Released
        The same tables, the same rows and columns; count tables and the audit's have a column `status` besides. What
        is withheld is empty. `file_counts` and `problems` are laid out anew (see `marking`).
    """
    tables = dict(tables)
    if FILE_COUNTS in tables:
        problems, rows = tables[PROBLEMS], tables[FILE_COUNTS]
        tables[PROBLEMS] = marking.released_problems(problems, rows)
        tables[FILE_COUNTS] = marking.released_counts(rows)
    if parts:
        tables[RECODINGS] = recodings(parts, labels)
    if CROSSCHECK in tables:
        tables[CROSSCHECK] = account.crosschecked(tables[CROSSCHECK])
    public = (
        in_print(tables[AUDIT], publication)
        if publication and AUDIT in tables
        else frozenset[tuple[str, str, str]]()
    )
    with solver(cores=cores, rounding=bool(rule.rounding)) as solve:
        linked = link(tables, instrument=instrument, rule=rule, parts=parts, public=public, solve=solve)
    subjects: dict[str, list[str]] = {}
    for item, one in instrument.items():
        subjects.setdefault(one.scale or item, []).append(item)
        subjects[item] = [item]
    few = dominated(weighting, subjects) if weighting else Dominated()
    work = _Release(tables, linked, instrument, rule, few)
    if rule.rounding:
        work.round_counts()
    else:
        work.withhold_counts()
    work.estimates()
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
    dominated: Dominated
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

    def estimates(self) -> None:
        tidy = [name for name, table in self.tables.items() if {"term", "status", "note"} <= set(table)]
        small = estimates.small_cells(
            [self.tables[name] for name in (MEANS, RELIABILITY) if name in tidy], self.rule
        )
        base = self.rule.rounding
        withheld = list(self.linked.answers.withheld())
        near = set(self.instrument) if base else {item for (_, item), _ in withheld}
        scales = {self.instrument[item].scale for item in near} - {""}
        single = {
            scale for scale in scales if sum(one.scale == scale for one in self.instrument.values()) == 1
        }
        # Who answered all items of a scale, or any, are no more, or no fewer, than those who answered each.
        uncounted = {
            (self.instrument[item].scale or item, wave)
            for (wave, item), name in withheld
            if isinstance(name, tuple) and name[0] == "base"
        } | estimates.small_rests([self.tables[name] for name in tidy], self.rule)
        for name in tidy:
            table = self.tables[name]
            compared = name in COMPARED
            # Rounded, the numbers at an end of a scale are shown like any others.
            ends = {} if base else self.linked.ends.marks
            shown = estimates.release_estimates(
                table,
                groups=self.linked.groups,
                small=small,
                extremes=count_tables.marked(table, ends) if name == RELIABILITY else None,
                near=scales if compared else (),
                near_items=near if compared else (),
                in_disguise={item for item in near if self.instrument[item].points == 2}
                if name == ITEM_CONTRASTS
                else (),
                bare=single if name == MEANS else (),
                uncounted=uncounted,
                dominated=self.dominated if compared else Dominated(),
                rule=self.rule,
            )
            self.tables[name] = rounding.estimates(shown.table, base) if base else shown.table
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
