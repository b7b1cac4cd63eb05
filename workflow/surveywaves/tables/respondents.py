"""Who answered: waves and response, grouping variables, and what is missing and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from surveywaves.study.parts import Presentation
from surveywaves.tables.layout import (
    HIDDEN,
    NOTHING,
    Cell,
    Column,
    Table,
    count_and_percent,
    count_cell,
    is_withheld,
    place,
    weighted_note,
)
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Evidence, Missing
from surveywaves.text import listed
from surveywaves.words import NONE, Labels, as_float, interval, is_missing, percentage, records, share, whole

REASONS: Final = {
    Missing.BROKE_OFF: "broke off",
    Missing.SKIPPED: "skipped",
    Missing.DONT_KNOW: "don't know",
    Missing.INVALID: "invalid",
}
"""Reasons of a missing answer to a question that was asked, in words."""


def waves(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the waves: when they were in the field, what their data are, how many answered of how many."""
    found = {row.wave: row for row in records(frame)}
    rows, nouns = [], labels.presentation.nouns
    several = len(labels.presentation.organisations) > 1
    for name, words in labels.presentation.waves.items():
        row, size, note = found.get(name), words.population.size, words.population.note
        about = "about " if words.population.approximate else ""
        people = NOTHING if size is None else Cell(f"{about}{whole(size)}", float(size))
        tone = "" if words.evidence is Evidence.OBSERVED else "caution"
        rows.append(
            (
                Cell(words.title),
                Cell(words.period or NONE),
                Cell(words.evidence.value, tone=tone),
                *(
                    [Cell(listed([labels.organisation(one) for one in words.organisations_surveyed]))]
                    if several
                    else []
                ),
                count_cell(row, "returns"),
                people.noted(note),
                _rate(row, known=size is not None),
            )
        )
    known = [row for row in rows if not is_missing(row[-1].value) or row[-1] is HIDDEN]
    dropped = 0 if known else 1
    columns = (
        Column("Wave"),
        Column("In the field"),
        Column("Data"),
        *([Column(f"{nouns.organisation[1].capitalize()} surveyed")] if several else []),
        Column(nouns.returns[1].capitalize(), numeric=True),
        Column("Population", numeric=True),
        *([Column("Response rate", numeric=True)] if known else []),
    )
    return Table(
        name="waves",
        title=f"Waves and {nouns.returns[1]}",
        columns=columns,
        rows=tuple(row[: len(row) - dropped] for row in rows),
        data=labels.with_evidence(frame),
        notes=(
            "A range is that of the population's estimate: where everybody was asked, a rate has no sampling error.",
        )
        if any(cell.more for row in rows for cell in row)
        else (),
    )


def _rate(row: Any, *, known: bool) -> Cell:
    if known and is_withheld(row, "rate"):
        return HIDDEN
    if row is None or is_missing(row.rate):
        return NOTHING
    if is_missing(row.conf_low):
        return Cell(share(row.rate), 100 * float(row.rate))
    low, high = 100 * float(row.conf_low), 100 * float(row.conf_high)
    text = f"{share(row.rate)} ({interval(low, high, decimals=1)})"
    return Cell(text, 100 * float(row.rate), (low, high))


def respondents(frame: pd.DataFrame, labels: Labels) -> Table:
    """Lay out who answered, all grouping variables in one table: n (%) of those who answered, a wave a spanner."""
    study = labels.presentation
    there = frame[(frame["n"] > 0) | frame["n"].isna()]
    known = set(zip(there["wave"], there["organisation"], strict=True))
    groups = [*study.organisations, ALL] if 1 < len(study.organisations) <= _BESIDE else [ALL]
    # An organisation that is all of its wave is said once.
    places = [
        (wave, name)
        for wave, words in study.waves.items()
        for name in groups
        if (wave, name) in known and (name == ALL or len(words.organisations_surveyed) > 1)
    ]
    found = {(row.wave, row.organisation, row.variable, row.level): row for row in records(frame)}
    rows: list[tuple[Cell, ...]] = []
    sections = []
    for variable in dict.fromkeys(there["variable"]):
        present = there.loc[there["variable"] == variable, "level"].unique()
        if variable == ORGANISATION and len(study.organisations) < 2:
            continue
        for level in _ordered(study, str(variable), present):
            # Within an organisation, that variable says nothing.
            cells = [
                _level(found.get((wave, name, variable, level)), level)
                if name == ALL or variable != ORGANISATION
                else Cell("")
                for wave, name in places
            ]
            rows.append((Cell(labels.level(str(variable), level)), *cells))
            sections.append(_variable(str(variable), labels))
    heads = [
        Column(_whose(wave, name, labels) if len(groups) > 1 else "n (%)", labels.wave(wave), numeric=True)
        for wave, name in places
    ]
    return Table(
        name="respondents",
        title=f"Who answered: {study.nouns.person[1]} by wave",
        columns=(Column(""), *heads),
        rows=tuple(rows),
        data=labels.with_evidence(frame),
        notes=(
            "n (% of those who answered the question); those who did not state it are not in the percentages.",
            f"{NONE}: not asked.",
            weighted_note(frame),
        ),
        sections=tuple(sections),
    )


_BESIDE: Final = 3
"""Organisations that stand beside each other within a wave, at most."""


def _whose(wave: str, name: str, labels: Labels) -> str:
    """Name whose answers stand in a column: of a wave that surveyed one organisation, that one's."""
    surveyed = labels.presentation.waves[wave].organisations_surveyed
    return labels.organisation(surveyed[0]) if name == ALL and len(surveyed) == 1 else place(name, labels)


def _variable(name: str, labels: Labels) -> str:
    return (
        labels.presentation.nouns.organisation[0].capitalize()
        if name == ORGANISATION
        else labels.variable(name)
    )


def _ordered(study: Presentation, variable: str, present: Iterable[str]) -> list[str]:
    """Order levels as the study does, then any other, then those who did not say."""
    words, wanted = study.variables.get(variable), list(present)
    known: Sequence[str] = list(words.levels) if words else list(study.organisations)
    extra = [level for level in wanted if level not in known and level != NOT_STATED]
    last = [NOT_STATED] if NOT_STATED in wanted else []
    return [*(level for level in known if level in wanted), *extra, *last]


def _level(row: Any, level: str) -> Cell:
    n = count_cell(row)
    if level == NOT_STATED or (not is_withheld(row, "percent") and is_missing(getattr(row, "percent", None))):
        return replace(n, tone="muted")
    return count_and_percent(row)


def missing(frame: pd.DataFrame, labels: Labels, *, item_frequencies: pd.DataFrame | None = None) -> Table:
    """Give missing answers by wave and section of the questionnaire, in % of the answers asked for, by reason."""
    unasked = frame[(frame["reason"] == Missing.NOT_ASKED) & (frame["n"] >= frame["returns"])]
    keys = pd.MultiIndex.from_frame(frame[["wave", "item"]])
    asked = frame[~keys.isin(pd.MultiIndex.from_frame(unasked[["wave", "item"]]))]
    each = asked.drop_duplicates(["wave", "item"])
    returned = each.groupby(["wave", "section"])["returns"].sum(min_count=1)
    parts: dict[str, Mapping[Any, Any]] = {
        words: dict(_sums(asked[asked["reason"] == reason])) for reason, words in REASONS.items()
    }
    if item_frequencies is not None:
        parts["all reasons"] = dict(_sums(_without_answer(asked, item_frequencies)))
    used = [words for words, sums in parts.items() if any(is_missing(n) or n for n in sums.values())]
    rows, sections = [], []
    for wave in labels.presentation.waves:
        for section, title in labels.presentation.sections.items():
            if (wave, section) not in returned.index:
                continue
            of = returned[wave, section]
            count = int(((each["wave"] == wave) & (each["section"] == section)).sum())
            shares = [_share(parts[words].get((wave, section), 0), of) for words in used]
            rows.append((Cell(title), Cell(whole(count), float(count)), *shares))
            sections.append(
                f"{labels.wave(wave)}: {_returns(each, wave)} {labels.presentation.nouns.returns[1]}"
            )
    return Table(
        name="missing",
        title="Missing answers by section of the questionnaire, in % of the answers asked for",
        columns=(
            Column("Section"),
            Column(labels.presentation.nouns.statement[1].capitalize(), numeric=True),
            *(Column(words.capitalize(), numeric=True) for words in used),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(frame),
        notes=("Broke off: nothing after it was answered.", *_never(parts, used)),
        sections=tuple(sections),
    )


def _never(parts: Mapping[str, Any], used: Sequence[str]) -> list[str]:
    gone = [words for words in parts if words not in used]
    return [f"No answer is missing for another reason ({listed(gone)})."] if gone else []


def _returns(each: pd.DataFrame, wave: str) -> str:
    returns = each.loc[each["wave"] == wave, "returns"].dropna()
    return whole(returns.max()) if len(returns) else NONE


def _sums(frame: pd.DataFrame) -> pd.Series[Any]:
    """Add up by wave and section; missing where anything is: part of a sum would pass for the whole."""
    gaps = frame["n"].isna().groupby([frame["wave"], frame["section"]]).any()
    return frame.groupby(["wave", "section"])["n"].sum().mask(gaps)


def _without_answer(asked: pd.DataFrame, frequencies: pd.DataFrame) -> pd.DataFrame:
    """Give the answers missing of each item that was asked, `wave, section, n`; not those whom it was not put to."""
    everybody = frequencies[frequencies["organisation"] == ALL].drop_duplicates(["wave", "item"])
    answered = everybody.set_index(["wave", "item"])["base"]
    unasked = asked[asked["reason"] == Missing.NOT_ASKED].set_index(["wave", "item"])["n"]
    items = asked.drop_duplicates(["wave", "item"]).set_index(["wave", "item"])
    n = (
        items["returns"]
        - answered.reindex(items.index, fill_value=0)
        - unasked.reindex(items.index, fill_value=0)
    )
    return items[["section"]].assign(n=n).reset_index()


def _share(n: Any, of: Any) -> Cell:
    """Print a share of answers; where people were asked and the number is not there, it is withheld."""
    if is_missing(of) or is_missing(n):
        return HIDDEN
    value = 100 * as_float(n) / as_float(of) if as_float(of) else None
    return NOTHING if value is None else Cell(percentage(value), value)
