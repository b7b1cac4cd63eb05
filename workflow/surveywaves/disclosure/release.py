"""The release: from the statistics to what people may see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.disclosure import account, estimates, from_counts, marking, raw_files
from surveywaves.disclosure.account import Entry, Publication, audited, claimed, in_print
from surveywaves.disclosure.count_tables import ItemKey, counted_waves
from surveywaves.disclosure.dominance import Weighting
from surveywaves.disclosure.estimates import AT_ENDS, Agree
from surveywaves.disclosure.from_counts import Comparing
from surveywaves.disclosure.recodings import recodings
from surveywaves.disclosure.rounded import rounded
from surveywaves.disclosure.routes import Routes
from surveywaves.disclosure.rule import Rule
from surveywaves.disclosure.suppressed import suppressed
from surveywaves.errors import StudyError
from surveywaves.study.parts import HarmonisingPart
from surveywaves.terms import (
    ALL,
    CLAIMS,
    CROSSCHECK,
    DIAGNOSTICS,
    FILE_COUNTS,
    ITEM_CONTRASTS,
    ITEM_FREQUENCIES,
    ITEM_SUMMARY,
    MISSING,
    ORGANISATION,
    PROBLEMS,
    PUBLISHED_TABLES,
    RECODINGS,
    RELIABILITY,
    RESPONDENTS,
    RESPONSE_RATES,
    VARIANT_PEOPLE,
)

COUNTED: Final = (ITEM_FREQUENCIES, ITEM_SUMMARY, RESPONDENTS, RESPONSE_RATES, MISSING)
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
    labels: Sequence[str] = (),
    weighting: Weighting | None = None,
    agree: Agree | None = None,
    comparing: Comparing | None = None,
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
    agree
        What counts over variants: see `estimates.released`.
    comparing
        How items are compared; None: comparisons of items are withheld.

    Returns
    -------
    Released
        The same tables, the same rows and columns; count tables and the audit's have a column `status` besides. What
        is withheld is empty. `file_counts` and `problems` are laid out anew (see `raw_files`).

    Raises
    ------
    StudyError
        If there is somebody whom the rule declares to be impossible.
    """
    require_impossible(tables[RESPONDENTS], weighting.responses if weighting else None, rule)
    statistics, tables = tables, dict(tables)
    if FILE_COUNTS in tables:
        problems, rows = tables[PROBLEMS], tables[FILE_COUNTS]
        tables[PROBLEMS] = raw_files.released_problems(problems, rows)
        tables[FILE_COUNTS] = raw_files.released_counts(rows)
    if parts:
        tables[RECODINGS] = recodings(parts, labels)
    if CROSSCHECK in tables:
        tables[CROSSCHECK] = account.crosschecked(tables[CROSSCHECK])
    work = _Release(tables, instrument, rule, weighting)
    public = (
        in_print(tables[PUBLISHED_TABLES], publication)
        if publication and PUBLISHED_TABLES in tables
        else frozenset[tuple[str, str, str]]()
    )
    reasons = None
    if rule.public:
        work.show_counts()
    else:
        reasons = work.counts(parts, public)
    work.weighted()
    # Sums of many products differ by processor in their last digits.
    summary = work.tables[ITEM_SUMMARY]
    work.tables[ITEM_SUMMARY] = summary.assign(mean=summary["mean"].round(12), sd=summary["sd"].round(12))
    work.estimates(statistics, agree, comparing)
    if publication and PUBLISHED_TABLES in tables:
        work.audit(publication)
    return Released(
        work.tables,
        account.log_of(work.tables, work.entries),
        account.summary_of(work.tables, work.entries),
        account.sentence(work.tables, work.entries, rule),
        account.reasons([]) if reasons is None else reasons,
    )


def require_impossible(respondents: pd.DataFrame, responses: pd.DataFrame | None, rule: Rule) -> None:
    """Make sure that there is nobody whom the study declares to be impossible.

    Parameters
    ----------
    respondents
        As `describe.respondents` gives it: combinations of an organisation and one more variable are looked up there.
    responses
        The pooled responses, where all are.
    rule
        The rule.

    Raises
    ------
    StudyError
        If there is somebody.
    """
    for combination in rule.impossible:
        if responses is None:
            levels = dict(combination)
            organisation = levels.pop(ORGANISATION, ALL)
            found = [
                respondents["n"]
                .where(
                    (respondents["organisation"] == organisation)
                    & (respondents["variable"] == variable)
                    & (respondents["level"] == level),
                    0,
                )
                .any()
                for variable, level in levels.items()
            ]
            there = len(found) == 1 and bool(found[0])
        else:
            there = bool(
                np.logical_and.reduce(
                    [responses[variable].eq(level).fillna(False) for variable, level in combination.items()]
                ).any()
            )
        if there:
            said = ", ".join(f"{variable}: {level}" for variable, level in combination.items())
            raise StudyError.at(
                "config.yaml: disclosure: impossible",
                f"the data have somebody with {said}",
                "take it out of the list, or mend the data",
            )


@dataclass
class _Release:
    """The tables on their way, and what each has lost.

    Attributes
    ----------
    hidden
        Counts of all respondents that are not shown, as wave, variable, level or base: sizes of organisations.
    """

    tables: dict[str, pd.DataFrame]
    instrument: Mapping[str, ItemKey]
    rule: Rule
    weighting: Weighting | None
    hidden: frozenset[tuple[str, str, str]] = frozenset()
    ends: pd.DataFrame | None = None
    entries: list[Entry] = field(default_factory=list)

    def _put(self, name: str, shown: pd.DataFrame, why: Callable[[str], str]) -> None:
        """Keep a released table, and log what it lost."""
        before = self.tables[name]
        self.tables[name] = shown
        for column in before:
            if before[column].dtype.kind not in "OUT":
                gone = (shown[column].isna() & before[column].notna()).to_numpy(dtype=np.bool_)
                self.entries.append(Entry(name, str(column), why(str(column)), gone))

    def _counted(self) -> tuple[dict[str, pd.DataFrame], frozenset[str]]:
        """Return the tables of counts without the waves that are too small to be shown; and these."""
        rates = self.tables[RESPONSE_RATES]
        small = frozenset(rates["wave"][rates["returns"] < self.rule.smallest_group])
        names = (*COUNTED, RELIABILITY, FILE_COUNTS, PROBLEMS)
        return {
            name: self.tables[name][~self.tables[name]["wave"].isin(small)]
            for name in names
            if name in self.tables
        }, small

    def _put_counts(self, shown: Mapping[str, pd.DataFrame], small: Collection[str]) -> None:
        """Keep the released tables of counts; of waves that are too small, only how many returns there were."""
        for name, table in shown.items():
            rest = self.tables[name][self.tables[name]["wave"].isin(small)]
            whole = table
            if len(rest):
                whole = pd.concat(
                    [table, marking.blank(rest, keep=("returns",) if name == RESPONSE_RATES else ())]
                )
                whole = whole.loc[self.tables[name].index]
            self._put(
                name, whole, lambda column: account.COUNT if column in marking.WHOLE else account.DERIVED
            )

    def show_counts(self) -> None:
        """Show all counts as they are."""
        for name in (*COUNTED, FILE_COUNTS, PROBLEMS):
            if name in self.tables:
                self.tables[name] = marking.withheld(self.tables[name], {})

    def counts(
        self, parts: Sequence[HarmonisingPart], public: frozenset[tuple[str, str, str]]
    ) -> pd.DataFrame | None:
        """Round counts by organisation, or withhold some, and say why."""
        own, small = self._counted()
        waves = list(
            counted_waves(own, instrument=self.instrument, rule=self.rule, routes=Routes.by_wave(parts))
        )
        reasons = None
        if self.rule.rounding:
            found = rounded(waves)
        else:
            found, reasons = suppressed(waves, rule=self.rule, public=public)
        shown = {
            ITEM_FREQUENCIES: marking.frequencies(own[ITEM_FREQUENCIES], found),
            ITEM_SUMMARY: marking.summary(own[ITEM_SUMMARY], found),
            RESPONDENTS: marking.respondents(own[RESPONDENTS], found),
            MISSING: marking.withheld(own[MISSING], {}),
            RESPONSE_RATES: marking.withheld(own[RESPONSE_RATES], {}),
        }
        if FILE_COUNTS in own:
            standing = raw_files.standing_files(own, shown[RESPONDENTS], parts, found.exact)
            shown[FILE_COUNTS], shown[PROBLEMS] = raw_files.file_counts(
                own[FILE_COUNTS], own[PROBLEMS], found, standing, self.rule
            )
        if RELIABILITY in own and self.rule.rounding:
            self.ends = marking.ends(own[RELIABILITY], found)
        self.hidden = found.sizes_hidden() - public
        self._put_counts(shown, small)
        return reasons

    def weighted(self) -> None:
        """Show no weighted number more finely than a few persons of the largest weight."""
        heaviest = marking.heaviest(self.weighting.responses) if self.weighting else {}
        for name in (ITEM_FREQUENCIES, ITEM_SUMMARY, RESPONDENTS):
            self.tables[name] = marking.weighted(self.tables[name], heaviest, self.rule)

    def estimates(
        self, before: Mapping[str, pd.DataFrame], agree: Agree | None, comparing: Comparing | None
    ) -> None:
        """Release what is estimated: it gets the released counts, and makes its `n` from them."""
        counts: dict[str, pd.DataFrame] = {name: self.tables[name] for name in COUNTED}
        if self.ends is not None:
            counts[AT_ENDS] = self.ends
        alone: dict[str, pd.DataFrame] = {}
        if ITEM_CONTRASTS in before and not self.rule.public:
            alone[ITEM_CONTRASTS], alone[DIAGNOSTICS] = from_counts.compared(
                before[ITEM_CONTRASTS],
                before[DIAGNOSTICS],
                counts,
                instrument=self.instrument,
                how=comparing,
            )
        shown, entries = estimates.released(
            before,
            counts,
            instrument=self.instrument,
            rule=self.rule,
            weighting=self.weighting,
            agree=agree,
            alone=alone,
            smallest_of_all=from_counts.smallest_of_all(before[RESPONDENTS], comparing),
        )
        self.entries += entries
        self.tables.pop(VARIANT_PEOPLE, None)
        self.tables |= shown

    def audit(self, publication: Publication) -> None:
        before = {name: self.tables[name] for name in (PUBLISHED_TABLES, CLAIMS) if name in self.tables}
        self.tables[PUBLISHED_TABLES] = audited(before[PUBLISHED_TABLES], publication, self.hidden)
        if CLAIMS in before:
            self.tables[CLAIMS] = claimed(before[CLAIMS], before[PUBLISHED_TABLES], publication, self.hidden)
        for name, table in before.items():
            gone = (self.tables[name]["recomputed"] == "") & (table["recomputed"] != "")
            self.entries.append(
                Entry(name, "recomputed", account.FROM_WITHHELD, gone.to_numpy(dtype=np.bool_))
            )
