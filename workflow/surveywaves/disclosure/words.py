"""Words that may leave: what a status and each part of a note may say. What is not listed is not said.

A statistic writes notes for those who hold the data: who answered alike, how many are left out, which answers separate.
Of that only leaves what is a fact of the design (who was asked what), of the method, or of a number that is shown
beside it. The list was derived from what the statistics write (`grep note=` in `surveywaves`); a part that a
statistic gains is dropped until it stands here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd

from surveywaves.terms import ESTIMATED, LOW_RELIABILITY_MARK, Status

NOTE: Final = "withheld to protect respondents"

NAMES: Final = "{names}"
"""In a pattern: one or more names of waves, organisations, statements and grouping variables, separated by commas."""

REASONS: Final = (
    # whom or what the study did not ask
    "nobody answered(: {names})?",
    "{names}",  # a further cell of the part before
    "no item was asked",
    "only one item was asked",
    "one item is left",
    "the scale has one item",
    "not asked: {names}",
    "not asked in every wave: {names}",
    "waves that did not ask: {names}",
    "no wave asked this item and another",
    "no other item was asked in every wave compared",
    "fewer than two items were asked everywhere",
    "fewer than two groups to compare",
    "not compared: {names}",
    "different items were asked in: {names}",
    "no such statement in: {names}",
    "no statement in common",
    "no items in common, directly or through others, with those asked {names}: {names}",
    "statements with different response options have no thresholds in common",
    "not known in {names}: {names}",
    "not known in any wave: {names}",
    "the population is not known",
    r"(\d+ returns from a population of \d+|more returns than the population)",
    "no population margins are given",
    "the sampling weights differ within no wave",
    "no wave has a population larger than its returns",
    # what the method cannot do
    "a factor needs three statements that were asked together",
    "two items are too few for a factor",
    "three statements fit one factor whatever was answered",
    r"more than \d+ groups",
    "the answers do not determine it: no items in common, or a covariate that goes with the cells",
    "every item is flagged",
    r"adjusted where \d+% of respondents overlap: fewer than [\d.]+%",
    r"more than the [\d,]+ staff(: with all of them the power is \d\.\d\d)?",
    r"no number of returns gives a power of [\d.]+: the reference wave's own uncertainty leaves \d\.\d\d at most",
)
"""Why there is no estimate."""

REMARKS: Final = (
    "items not compared, not asked everywhere: {names}",
    "not in the score, not asked in every wave compared: {names}",
    "not linked with the others: {names}",
    "without waves that asked fewer statements: {names}",
    r"over (\d+ of \d+|all) statements",
    r"over \d+ cells",
    r"over \d+ of \d+ organisations",
    "the population is an estimate(: [0-9]+ to [0-9]+)?",
    "organisations weighted by their shares (in the configuration|of the (population|respondents) of {names})",
    r"(pooled alpha -?\d\.\d\d (meets|is below) the required \d\.\d\d"
    "|alpha cannot be estimated)",
    "(weights|teams) are left aside",
    "weights differ in: {names}",
    r"{names} by {names} \(design effect \d+\.\d\d\)",
    r"returns are \d+% of {names}(, \d+% of {names})*",
    "the main analysis adjusts for it",
    "from the released counts: without weights, covariates and teams",
    "no item is flagged",
    "without: {names}",
    r"the mean of at least \d+ of \d+ answers",
    r"\d+ imputations, \d+% of the information missing",
    r"\d+ respondents of {names}, drawn at random",
    "standardised to the respondents of its own cells",
    r"adjusted where \d+% of respondents overlap",
    "few answers: the test is approximate",
    # what the estimate beside it says itself
    "the variances? between (respondents|teams)( and between teams)? (is|are) estimated as zero",
    "teams differ only as the cells and covariates do: the variance between teams cannot be estimated",
    "negative: items run against each other, check their keys",
    "runs against the factor, check its key",
    r"(negligible|moderate|large) \(Jodoin & Gierl\), (negligible|moderate|large) \(Zumbo\)",
    r"(\w+ )?problem of discriminant validity",
    r"(falls|rises) by more than [\d.]+",
    r"to the \w+ model",
)
"""What is said of an estimate, or of why there is none besides."""

_WHY: Final = re.compile("(alpha cannot be estimated): [^;]*")
_OVERLAP: Final = re.compile(r"(?<=adjusted where )(\d+)%")


@dataclass(frozen=True)
class Words:
    """What may be said of a study.

    Attributes
    ----------
    names
        Its waves, organisations, items and grouping variables.
    """

    names: frozenset[str]

    @cached_property
    def _reason(self) -> re.Pattern[str]:
        return self._any(REASONS)

    @cached_property
    def _remark(self) -> re.Pattern[str]:
        return self._any(REMARKS)

    def _any(self, parts: Iterable[str]) -> re.Pattern[str]:
        one = "|".join(sorted(map(re.escape, self.names), key=len, reverse=True)) or "(?!)"
        names = f"(?:{one})(?:, (?:{one}))*"
        listed = "|".join(f"(?:{part.replace(NAMES, names)})" for part in parts)
        return re.compile(f"(?:{LOW_RELIABILITY_MARK}: )?(?:{listed})")

    def note(self, text: str) -> str:
        """Leave the parts of a note that are on the list."""
        # why alpha could not be estimated may be a word about answers
        text = _WHY.sub(r"\1", text)
        return "; ".join(self._coarse(part) for part in text.split("; ") if self._listed(part))

    def explains(self, text: str) -> bool:
        """Whether a note says nothing but listed parts, one of which is a reason for there being no estimate."""
        parts = text.split("; ")
        return all(map(self._listed, parts)) and any(map(self._reason.fullmatch, parts))

    def _listed(self, part: str) -> bool:
        return bool(self._reason.fullmatch(part) or self._remark.fullmatch(part))

    @staticmethod
    def _coarse(part: str) -> str:
        """Put a share of respondents into tenths."""
        return _OVERLAP.sub(lambda found: f"at least {int(found[1]) // 10 * 10}%", part)


def said(table: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Leave in a tidy table what may be said.

    Returns
    -------
    DataFrame
        A row without an estimate keeps its status where the note explains it by facts of the design; elsewhere the
        status is `withheld`.
    """
    statuses, notes = [], []
    known: dict[str, tuple[str, bool]] = {}
    for status, note in zip(table["status"], table["note"], strict=True):
        if note not in known:
            known[note] = words.note(note), words.explains(note)
        left, explained = known[note]
        if status in ESTIMATED or (status == Status.NOT_ESTIMABLE.value and explained):
            statuses.append(status)
            notes.append(left)
        else:
            statuses.append(Status.WITHHELD.value)
            notes.append(NOTE)
    return table.assign(status=pd.array(statuses, dtype="str"), note=pd.array(notes, dtype="str"))


def words_of(tables: Collection[pd.DataFrame], names: Iterable[str]) -> Words:
    """List what may be named: `names`, and the waves and organisations that tables have rows of."""
    found = set(names)
    for table in tables:
        for column in ("wave", "organisation"):
            for label in table[column].unique():
                found |= set(str(label).split(" - "))
    return Words(frozenset(found - {""}))
