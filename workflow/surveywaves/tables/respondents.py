"""Who answered, and what became of the raw files.

Returns and response rates, levels of the grouping variables, missing answers by section; rows taken, what was not taken
as it stood, and what each answer was taken as.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from surveywaves.study.parts import Presentation
from surveywaves.tables.layout import (
    NOTHING,
    Cell,
    Column,
    Table,
    count_and_percent,
    is_withheld,
    number_cell,
    weighted_beside,
    withheld_cell,
)
from surveywaves.terms import ALL, NOT_STATED, RESCALED_SUFFIX, ROW_COUNTS, Evidence, Missing
from surveywaves.words import NONE, Labels, as_float, interval, is_missing, percentage, records, share, whole

REASONS: Final = {
    Missing.BROKE_OFF: "broke off",
    Missing.SKIPPED: "skipped",
    Missing.DONT_KNOW: "don't know",
    Missing.INVALID: "invalid",
}
"""Reasons of a missing answer to a question that was asked, in words."""


def response_rates(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the waves: when they were in the field, what their data are, how many answered of how many.

    Parameters
    ----------
    frame
        `response_rates`.
    """
    found = {row.wave: row for row in records(frame)}
    rows = []
    for name, words in labels.presentation.waves.items():
        row, size = found.get(name), words.population.size
        notes = tuple(filter(None, (words.population.note,)))
        about = "about " if words.population.approximate else ""
        rows.append(
            (
                Cell(words.title),
                Cell(words.period, str(words.start or "")),
                Cell(
                    words.evidence.value.upper(),
                    tone="" if words.evidence is Evidence.OBSERVED else "caution",
                ),
                Cell(", ".join(map(labels.organisation, words.organisations_surveyed))),
                number_cell(row, "returns", whole),
                Cell("not known", float("nan"), notes, "muted")
                if size is None
                else Cell(f"{about}{whole(size)}", float(size), notes),
                _rate_cell(row, known=size is not None),
            )
        )
    return Table(
        name="response_rates",
        title="Returns and response rates",
        columns=(
            Column("Wave"),
            Column("In the field"),
            Column("Evidence"),
            Column("Organisations surveyed"),
            Column("Returns", numeric=True),
            Column("Could have answered", numeric=True),
            Column("Response rate", numeric=True),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(frame),
        about="Everybody was asked: a rate has no sampling error. A range is that of the population's estimate.",
        evidence=labels.evidence(labels.presentation.waves),
        flat=False,
    )


def _rate_cell(row: Any, *, known: bool) -> Cell:
    if known and is_withheld(row, "rate"):
        return withheld_cell()
    if row is None or is_missing(row.rate):
        note = "" if row is None else row.note
        return Cell("not known", float("nan"), (note,) if note else (), "muted")
    if is_missing(row.conf_low):
        return Cell(share(row.rate), as_float(row.rate))
    low, high = 100 * float(row.conf_low), 100 * float(row.conf_high)
    return Cell(f"{share(row.rate)} ({interval(low, high, decimals=1)})", as_float(row.rate))


def levels(frame: pd.DataFrame, labels: Labels, *, variable: str, by_organisation: bool = False) -> Table:
    """Lay a grouping variable out as publications do: a level a row, n (%) of those who answered the question.

    Parameters
    ----------
    frame
        `respondents`.
    variable
        One of the variables in it.
    by_organisation
        The organisations side by side within each wave, instead of all respondents together.
    """
    of_variable = frame[frame["variable"] == variable]
    present = set(of_variable["organisation"])
    organisations = (
        [name for name in labels.organisation_order[1:] if name in present] if by_organisation else [ALL]
    )
    chosen = of_variable[of_variable["organisation"].isin(organisations)]
    found = {(row.wave, row.organisation, row.level): row for row in records(chosen)}
    with_answers = {
        (row.wave, row.organisation) for row in records(chosen[(chosen["n"] > 0) | chosen["n"].isna()])
    }
    bases = {
        (row.wave, row.organisation): number_cell(row, "base", whole).text
        for row in records(chosen[chosen["level"] != NOT_STATED])
    }
    places = [
        (wave, organisation)
        for wave in labels.presentation.waves
        for organisation in organisations
        if (wave, organisation) in with_answers
    ]
    shown = list(dict.fromkeys(wave for wave, _ in places))
    label, names = (
        labels.variable(variable),
        _ordered(labels.presentation, variable, chosen["level"].unique()),
    )
    heads = {
        (
            wave,
            organisation,
        ): f"{labels.organisation(organisation)}, n = {bases.get((wave, organisation), 0)}"
        if by_organisation
        else f"N = {bases.get((wave, organisation), 0)}"
        for wave, organisation in places
    }
    return Table(
        name=f"respondents_{variable}" + ("_by_organisation" if by_organisation else ""),
        title=f"{label} by organisation" if by_organisation else f"{label} of respondents",
        columns=(
            Column(label),
            *(Column(heads[place], labels.wave_with_evidence(place[0]), numeric=True) for place in places),
        ),
        rows=tuple(
            (
                Cell(labels.level(variable, level), tone="muted" if level == NOT_STATED else ""),
                *(_level_cell(found.get((*place, level)), level) for place in places),
            )
            for level in names
        ),
        data=labels.with_evidence(chosen),
        about="n (% of those who answered the question)." + weighted_beside(chosen),
        evidence=labels.evidence(shown, about=(variable, "organisation") if by_organisation else (variable,)),
        flat=False,
    )


def _ordered(presentation: Presentation, variable: str, present: Iterable[str]) -> list[str]:
    """Order levels as the study does, then any other, then those who did not say."""
    words, wanted = presentation.variables.get(variable), list(present)
    known: Sequence[str] = list(words.levels) if words else list(presentation.organisations)
    extra = [level for level in wanted if level not in known and level != NOT_STATED]
    last = [NOT_STATED] if NOT_STATED in wanted else []
    return [*(level for level in known if level in wanted), *extra, *last]


def _level_cell(row: Any, level: str) -> Cell:
    n = number_cell(row, "n", whole)
    if level == NOT_STATED or (not is_withheld(row, "percent") and is_missing(getattr(row, "percent", None))):
        return replace(n, tone="muted")
    return replace(count_and_percent(row, by_weight=True), value=n.value)


def missing(frame: pd.DataFrame, labels: Labels, *, item_frequencies: pd.DataFrame | None = None) -> Table:
    """Give missing answers by section, wave and reason, in % of the answers to questions that the wave asked.

    Parameters
    ----------
    frame
        `missing`.
    item_frequencies
        `item_frequencies`: how many answered. With them a column says how many answers are missing together, which is
        known where the reasons are withheld.
    """
    unasked = frame[(frame["reason"] == Missing.NOT_ASKED) & (frame["n"] >= frame["returns"])]
    keys = pd.MultiIndex.from_frame(frame[["wave", "item"]])
    asked = frame[~keys.isin(pd.MultiIndex.from_frame(unasked[["wave", "item"]]))]
    returned = (
        asked.drop_duplicates(["wave", "item"]).groupby(["wave", "section"])["returns"].sum(min_count=1)
    )
    parts: dict[str, Mapping[Any, Any]] = {
        REASONS[reason]: dict(
            _sums(asked[asked["reason"] == reason], "n"),
        )
        for reason in REASONS
    }
    if item_frequencies is not None:
        parts["together"] = dict(_sums(_without_answer(asked, item_frequencies), "n"))
    waves = [wave for wave in labels.presentation.waves if wave in set(asked["wave"])]
    return Table(
        name="missing",
        title="Missing answers by section and reason",
        columns=(
            Column("Section"),
            *(
                Column(words, labels.wave_with_evidence(wave), numeric=True)
                for wave in waves
                for words in parts
            ),
        ),
        rows=tuple(
            (
                Cell(title, float(section)),
                *(
                    _share_cell(sums.get((wave, section), 0), returned.get((wave, section)))
                    for wave in waves
                    for sums in parts.values()
                ),
            )
            for section, title in labels.presentation.sections.items()
        ),
        data=labels.with_evidence(frame),
        about=f"In % of the answers asked for in the section; {NONE}: not asked.",
        evidence=labels.evidence(waves, about=("items",)),
        flat=False,
    )


def _sums(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Add up by wave and section; missing where anything is: part of a sum would pass for the whole."""
    whole_sums = frame[column].isna().groupby([frame["wave"], frame["section"]]).any()
    sums = frame.groupby(["wave", "section"])[column].sum()
    return sums.mask(whole_sums)


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


def _share_cell(n: Any, of: Any) -> Cell:
    """Print a share of answers; where people were asked and the number is not there, it is withheld."""
    if of is not None and (is_missing(of) or is_missing(n)):
        return withheld_cell()
    if is_missing(of) or not as_float(of):
        return NOTHING
    value = 100 * as_float(n) / as_float(of)
    return Cell(percentage(value), value)


EVERY_RETURN: Final = "every return"

_REASONS: Final = {reason.value: f"missing: {words}" for reason, words in REASONS.items()}


def file_counts(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the raw files, how many rows they have, and how many of these became returns.

    Parameters
    ----------
    frame
        `file_counts`.
    """
    rows = tuple(
        (
            Cell(labels.wave(row.wave)),
            Cell(row.file),
            Cell(row.layout),
            *(number_cell(row, name, whole) for name in ROW_COUNTS),
        )
        for row in records(frame)
    )
    return Table(
        name="files",
        title="Raw files",
        columns=(
            Column("Wave"),
            Column("File"),
            Column("Kind of file"),
            Column("Rows read", numeric=True),
            Column("Kept", numeric=True),
            Column("Set aside", numeric=True),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        evidence=labels.evidence(labels.waves_in(frame)),
        heads=2,
        flat=False,
    )


def problems(frame: pd.DataFrame, labels: Labels) -> Table:
    """List what was not taken from the files as it stood, and what was done.

    Parameters
    ----------
    frame
        `problems`.
    """
    rows = tuple(
        (
            Cell(labels.wave(row.wave)),
            Cell(row.file),
            Cell(row.problem),
            Cell(row.action),
            Cell(f"{row.about}s"),
            number_cell(row, "n", whole),
        )
        for row in records(frame)
    )
    return Table(
        name="files_problems",
        title="What was not taken from the raw files as it stood",
        columns=(
            Column("Wave"),
            Column("File"),
            Column("Problem"),
            Column("What was done"),
            Column("Of what"),
            Column("n", numeric=True, spoken="columns, rows or cells"),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        about="# stands for any number. Cells that were taken as invalid are counted with the missing answers."
        if rows
        else "Everything was taken as it stood.",
        evidence=labels.evidence(labels.waves_in(frame)),
        heads=2,
    )


def recodings(frame: pd.DataFrame, labels: Labels) -> Table:
    """Say what labels in the files are taken as; questions that share them stand in one row, and labels of one meaning.

    Parameters
    ----------
    frame
        `recodings`.
    """
    rows = tuple(
        (
            Cell(labels.wave(wave)),
            Cell(layout),
            Cell(_questions(variables, labels)),
            Cell("; ".join(filter(None, raw)) or EVERY_RETURN, tone="" if any(raw) else "muted"),
            Cell(_meaning(value, variables, labels)),
        )
        for (wave, layout, variables, value), raw in _rules(frame, labels).items()
    )
    return Table(
        name="recodings",
        title="What each answer in the raw files is taken as",
        columns=(
            Column("Wave"),
            Column("Kind of file"),
            Column("Question"),
            Column("In the file"),
            Column("Taken as"),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        about="The rules as the study has them, whether an answer occurred or not. A blank is skipped, or broke off "
        "where nothing after it was answered.",
        evidence=labels.evidence(labels.waves_in(frame)),
        heads=4,
        flat=False,
    )


def _rules(frame: pd.DataFrame, labels: Labels) -> dict[tuple[str, str, tuple[str, ...], str], list[str]]:
    """Gather what is the same.

    Returns
    -------
    dict
        Wave, layout, variables, value -> labels that are taken so.
    """
    shared: dict[tuple[str, ...], list[str]] = {}
    for row in records(frame):
        # Levels of different variables are called alike at most; a reason is one whatever was asked.
        own = row.variable if _is_group(row.variable, labels) and row.value not in _REASONS else ""
        shared.setdefault((row.wave, row.layout, row.raw, row.value, own), []).append(row.variable)
    rules: dict[tuple[str, str, tuple[str, ...], str], list[str]] = {}
    for (wave, layout, raw, value, _), variables in shared.items():
        rules.setdefault((wave, layout, tuple(dict.fromkeys(variables)), value), []).append(raw)
    return rules


def _is_group(variable: str, labels: Labels) -> bool:
    return variable.removesuffix(RESCALED_SUFFIX) not in labels.presentation.items


def _questions(variables: Sequence[str], labels: Labels) -> str:
    """Name a question in words, several by their number."""
    if len(variables) > 1:
        statements = not any(_is_group(variable, labels) for variable in variables)
        return f"{whole(len(variables))} {'statements' if statements else 'questions'}"
    [variable] = variables
    item = variable.removesuffix(RESCALED_SUFFIX)
    if item not in labels.presentation.items:
        return labels.variable(variable)
    return labels.wording(item) + (" (on another response scale)" if item != variable else "")


def _meaning(value: str, variables: Sequence[str], labels: Labels) -> str:
    """Put what an answer is taken as into words: a response, a level, or why it is missing."""
    if value in _REASONS:
        return _REASONS[value]
    if value == Missing.NOT_ASKED:
        return "missing: not asked"
    first = variables[0]
    if _is_group(first, labels):
        return labels.level(first, value)
    words = {_response(value, variable, labels) for variable in variables}
    return f"{value} ({words.pop()})" if len(words) == 1 and "" not in words else value


def _response(value: str, variable: str, labels: Labels) -> str:
    """Give the words of a response; none of a statement on another response scale."""
    item: Any = labels.presentation.items.get(variable)
    if item is None or not value.isdecimal():
        return ""
    options = labels.presentation.response_scales[item.response_scale].labels
    return options[int(value) - 1] if 1 <= int(value) <= len(options) else ""
