"""Who answered: waves and response, grouping variables, and what is missing and why."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from surveywaves.study.parts import Presentation
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Column, Table, across, by, laid_out, numbers
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Evidence, Missing
from surveywaves.text import listed
from surveywaves.words import NONE, Labels, as_float, interval, is_missing, percentage, share, whole

REASONS: Final = {
    Missing.BROKE_OFF: "broke off",
    Missing.SKIPPED: "skipped",
    Missing.DONT_KNOW: "don't know",
    Missing.INVALID: "invalid",
}
"""Reasons of a missing answer to a question that was asked, in words."""


def waves(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the waves: when they were in the field, what their data are, how many answered of how many."""
    found, study = by(frame, "wave"), labels.presentation
    nouns = study.nouns
    rates = {
        name: _rate(found.get(name), known=wave.population.size is not None)
        for name, wave in study.waves.items()
    }
    rated = any(not is_missing(cell.value) or cell is printed.HIDDEN for cell in rates.values())

    def people(name: str) -> Cell:
        about = study.waves[name].population
        said = f"{'about ' if about.approximate else ''}{whole(about.size)}"
        return (printed.NOTHING if about.size is None else Cell(said, float(about.size))).noted(about.note)

    def kind(name: str) -> Cell:
        evidence = study.waves[name].evidence
        return Cell(evidence.value, tone="" if evidence is Evidence.OBSERVED else "caution")

    return laid_out(
        f"Waves and {nouns.returns[1]}",
        study.waves,
        [
            ("Wave", lambda name: study.waves[name].title),
            ("In the field", lambda name: study.waves[name].period or NONE),
            ("Data", kind),
            len(study.organisations) > 1
            and (
                f"{nouns.organisation[1].capitalize()} surveyed",
                lambda name: printed.who(study.waves[name].organisations_surveyed, labels),
            ),
            (numbers(nouns.returns[1].capitalize()), lambda name: printed.count(found.get(name), "returns")),
            (numbers("Population"), people),
            rated and (numbers("Response rate"), rates.__getitem__),
        ],
        frame,
        any(cell.more for cell in rates.values())
        and "Ranges reflect how well the population is known: where everybody was asked, a rate has no sampling error.",
    )


def _rate(row: Any, *, known: bool) -> Cell:
    if known and printed.is_withheld(row, "rate"):
        return printed.HIDDEN
    if row is None or is_missing(row.rate):
        return printed.NOTHING
    if is_missing(row.conf_low):
        return Cell(share(row.rate), 100 * float(row.rate))
    low, high = 100 * float(row.conf_low), 100 * float(row.conf_high)
    text = f"{share(row.rate)} ({interval(low, high, decimals=1)})"
    return Cell(text, 100 * float(row.rate), (low, high))


def respondents(frame: pd.DataFrame, labels: Labels) -> Table:
    """Return who answered, by every grouping variable: n (%) of those who answered, a group of columns per wave."""
    study = labels.presentation
    there = frame[(frame["n"] > 0) | frame["n"].isna()]
    known = set(zip(there["wave"], there["organisation"], strict=True))
    groups = [*study.organisations, ALL] if 1 < len(study.organisations) <= _BESIDE else [ALL]
    # An organisation that makes up its whole wave is shown once.
    places = [
        (wave, name)
        for wave, words in study.waves.items()
        for name in groups
        if (wave, name) in known and (name == ALL or len(words.organisations_surveyed) > 1)
    ]
    found = by(frame, "variable", "level", "wave", "organisation")
    last = places[-1][0] if places else ""

    def cell(row: tuple[str, str], place: tuple[str, str]) -> Cell:
        about = found.get((*row, *place))
        # Within an organisation, the variable that names it says nothing.
        if place[1] != ALL and row[0] == ORGANISATION:
            return Cell("")
        return printed.count(about) if row[1] == NOT_STATED else printed.count_and_percent(about)

    def head(place: tuple[str, str]) -> Column:
        wave, name = place
        surveyed = study.waves[wave].organisations_surveyed
        name = surveyed[0] if name == ALL and len(surveyed) == 1 else name
        return numbers(labels.organisation(name) if len(groups) > 1 else "n (%)", labels.wave(wave))

    def rank(row: tuple[str, str]) -> float:
        if row[0] != ORGANISATION:
            return math.inf
        return as_float(getattr(found.get((*row, last, ALL)), "n", None))

    def section(row: tuple[str, str]) -> str:
        return study.nouns.organisation[0].capitalize() if row[0] == ORGANISATION else labels.variable(row[0])

    return laid_out(
        f"Who answered: {study.nouns.person[1]} by wave",
        [
            (variable, level)
            for variable in dict.fromkeys(map(str, there["variable"]))
            if variable != ORGANISATION or len(study.organisations) > 1
            for level in _ordered(study, variable, there.loc[there["variable"] == variable, "level"].unique())
        ],
        [("Characteristic", lambda row: labels.level(*row)), across(places, head, cell)],
        frame,
        "n (%): percentages are of those who answered the question.",
        f"{NONE}: not asked.",
        printed.unweighted(frame),
        section=section,
        ranked=(
            "all other variables",
            f"the largest {study.nouns.organisation[1]} of {labels.wave(last)}",
            rank,
        ),
    )


_BESIDE: Final = 3
"""Organisations that stand beside each other within a wave, at most."""


def _ordered(study: Presentation, variable: str, present: Iterable[str]) -> list[str]:
    """Order levels as the study does, then any other, then those who did not say."""
    words, wanted = study.variables.get(variable), list(present)
    known = list(words.levels if words else study.organisations)
    last = [*known, *(level for level in wanted if level not in known and level != NOT_STATED), NOT_STATED]
    return [level for level in dict.fromkeys(last) if level in wanted]


def missing(frame: pd.DataFrame, labels: Labels) -> Table:
    """Return missing answers by wave and section of the questionnaire, in % of the answers asked for, by reason."""
    study, key, place = labels.presentation, ["wave", "item"], ["wave", "section"]
    unasked = frame[(frame["reason"] == Missing.NOT_ASKED) & (frame["n"] >= frame["returns"])]
    asked = frame[~frame.set_index(key).index.isin(unasked.set_index(key).index)]
    each = asked.drop_duplicates(key)

    def sums(*reasons: str) -> pd.Series[Any]:
        # Where a part is withheld, so is the sum: what is left would pass for the whole.
        return asked[asked["reason"].isin(reasons)].groupby(place)["n"].sum(skipna=False)

    returned = each.groupby(place)["returns"].sum(min_count=1)
    # Respondents routed past a question were not asked it.
    returned = returned - sums(Missing.NOT_ASKED).reindex(returned.index, fill_value=0)
    parts = {words: dict(sums(reason)) for reason, words in REASONS.items()}
    parts["all reasons"] = dict(sums(*REASONS))
    used = [words for words, own in parts.items() if any(is_missing(n) or n for n in own.values())]
    gone = [words for words in parts if words not in used]
    counts, most = each.groupby(place).size(), each.groupby("wave")["returns"].max()
    return laid_out(
        "Missing answers by section of the questionnaire, in % of the answers asked for",
        [
            (wave, section)
            for wave in study.waves
            for section in study.sections
            if (wave, section) in returned.index
        ],
        [
            ("Section", lambda row: study.sections[row[1]]),
            (
                numbers(study.nouns.statement[1].capitalize()),
                lambda row: Cell(whole(counts[row]), float(counts[row])),
            ),
            across(
                used,
                lambda words: numbers(words.capitalize()),
                lambda row, words: _share(parts[words].get(row, 0), returned[row]),
            ),
        ],
        frame,
        "Broke off: no later question was answered.",
        f"No answer is missing for another reason ({listed(gone)})." if gone else "",
        section=lambda row: f"{labels.wave(row[0])}: {whole(most[row[0]])} {study.nouns.returns[1]}",
    )


def _share(n: Any, of: Any) -> Cell:
    """Print a share of answers; where people were asked and the number is not there, it is withheld."""
    if is_missing(of) or is_missing(n):
        return printed.HIDDEN
    value = 100 * as_float(n) / as_float(of) if as_float(of) else None
    return printed.NOTHING if value is None else Cell(percentage(value), value)
