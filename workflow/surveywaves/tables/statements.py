"""Every statement: how favourable the answers are and what moved, and the answers in the published form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

import pandas as pd

from surveywaves.catalogue import batteries
from surveywaves.findings import CHANGE, contrast_rows, main_pair
from surveywaves.study.models import Item
from surveywaves.tables import printed
from surveywaves.tables.change import MANY_CELLS
from surveywaves.tables.data import FAULTS
from surveywaves.tables.layout import Cell, Maker, Table, across, by, laid_out, numbers, stacked
from surveywaves.terms import ALL, BETWEEN, NOT_STATED, PERCENT_FAVOURABLE, WITHOUT_SCALE
from surveywaves.text import listed
from surveywaves.tidy import tuples
from surveywaves.words import NONE, Labels, is_missing, percentage, statement


def statements(summary: pd.DataFrame, labels: Labels, *, item_contrasts: pd.DataFrame | None = None) -> Table:
    """Return every statement, scale by scale: % favourable by wave, and the change with its adjusted p."""
    study, waves = labels.presentation, main_pair(labels.presentation)
    chosen = summary[summary["item"].isin(list(study.items)) & (summary["organisation"] != NOT_STATED)]
    asked = chosen[(chosen["base"] > 0) | chosen["base"].isna()]
    there = set(tuples(asked, "wave", "organisation"))
    changes = _changes(item_contrasts, waves.contrast if waves else "")
    percents, moved = by(chosen, "item", "wave", "organisation"), by(changes, "item", "organisation")
    several = len(study.organisations) > 1
    # Where there is one organisation only, its changes are those of everybody.
    moved = moved if several else {(item, ALL): row for (item, _), row in moved.items()}
    groups = [*study.organisations, ALL] if several else [ALL]
    groups = groups if len(groups) <= _GROUPS else [ALL]
    many = len(groups) * len(study.waves) > MANY_CELLS + 1
    compared = [waves.first, waves.last] if waves and many else list(study.waves)
    # What one organisation alone was asked stands at that organisation.
    shown = {
        name: [w for w in compared if (w, name) in there and (name != ALL or _everybody(w, labels))]
        for name in groups
    }
    told = {name for _, name in moved}

    def level(item: Item, wave: str, name: str) -> Cell:
        row = percents.get((item.item, wave, name))
        if row is not None and not printed.is_withheld(row, "base") and not row.base:
            return printed.NOTHING
        return printed.number(row, "favourable_percent", percentage)

    def moves(item: Item, name: str) -> tuple[Cell, Cell]:
        row = moved.get((item.item, name))
        cell = printed.estimate(row, labels, decimals=1, signed=True)
        if row is None or is_missing(row.estimate):
            return replace(cell, notes=()), printed.p(row)
        # For everybody together it is noted below the table.
        if name != ALL or not several:
            ends = [level(item, wave, name) for wave in row.wave.split(BETWEEN)]
            apart = any(is_missing(end.value) for end in ends) or printed.differ(ends[1], ends[0], cell)
            cell = cell.noted(*printed.remarks(row.note, labels), MODELLED if apart else "")
        return printed.decided(cell, row), printed.p(row)

    def columns(name: str) -> Iterator[Maker]:
        above = labels.organisation(name) if len(groups) > 1 else ""
        yield across(
            shown[name],
            lambda wave: numbers(labels.wave(wave), above),
            lambda item, wave: level(item, wave, name),
        )
        if name in told:
            yield [numbers("Change", above), numbers("Adj. p", above)], lambda item: moves(item, name)

    def named(item: Item) -> Cell:
        return Cell(statement(item)).noted(
            *(labels.comparability_note(wave, item.item) for wave in study.waves)
        )

    order = [*study.scales, None]
    return laid_out(
        "Favourable answers to every statement, in %",
        sorted(study.items.values(), key=lambda item: order.index(item.scale)),
        [
            (study.nouns.statement[0].capitalize(), named),
            *chain(*map(columns, groups)),
        ],
        stacked(chosen, changes),
        f"{NONE}: not asked, or nobody answered.",
        f"Change: percentage points, {labels.wave(waves.first)} to {labels.wave(waves.last)}; ▲ more favourable, "
        "▼ less favourable, ○ no meaningful change; no sign: inconclusive. p: adjusted for the number of comparisons."
        if waves and told
        else "",
        several
        and ALL in told
        and f"{labels.organisation(ALL)}: percentages are of all {study.nouns.returns[1]}, changes of the "
        f"{study.nouns.person[1]} in the models, so a change need not be the difference between two percentages.",
        printed.unweighted(chosen),
        section=lambda item: labels.scale(item.scale or WITHOUT_SCALE),
    )


_GROUPS: Final = 4
"""Organisations, with everybody, that stand beside each other at most; of more, everybody does."""


def _everybody(wave: str, labels: Labels) -> bool:
    """Whether a wave surveyed more than one organisation, or there is one only."""
    study = labels.presentation
    return len(study.organisations) == 1 or len(study.waves[wave].organisations_surveyed) > 1


def _changes(frame: pd.DataFrame | None, wave: str) -> pd.DataFrame:
    if frame is None or not wave:
        return pd.DataFrame()
    return contrast_rows(frame, PERCENT_FAVOURABLE, CHANGE, wave=wave)


MODELLED: Final = "Estimated before rounding, from the answers of the respondents in the models."


def answers(
    frequencies: pd.DataFrame,
    labels: Labels,
    *,
    battery: str,
    published_tables: pd.DataFrame | None = None,
) -> Table:
    """Lay answers out as published tables do: a statement a row, n and % for each response, a wave below the other.

    Parameters
    ----------
    frequencies
        `item_frequencies`.
    battery
        One of `surveywaves.catalogue.batteries`: statements of a scale that share their response options.
    published_tables
        The audit of the publication: whether it misprints any of these answers is noted.
    """
    study, items = labels.presentation, batteries(labels.presentation)[battery]
    scale = study.response_scales[items[0].response_scale]
    chosen = frequencies[
        frequencies["item"].isin([item.item for item in items]) & (frequencies["organisation"] == ALL)
    ]
    asked = chosen[(chosen["base"] > 0) | chosen["base"].isna()]
    there, bases = set(tuples(asked, "item", "wave")), by(chosen, "item", "wave")
    found = by(chosen, "item", "wave", "response")

    named = dict.fromkeys(str(item.published_table) for item in items if item.published_table is not None)
    misprinted = published_tables is not None and bool(
        (published_tables["table"].isin(list(named)) & published_tables["verdict"].isin(FAULTS)).any()
    )
    absent = [labels.wave(wave) for wave in study.waves if wave not in {key[1] for key in there}]
    options = [
        f"{short}: {label}" for short, label in zip(scale.short, scale.labels, strict=True) if short != label
    ]
    return laid_out(
        f"Answers: {labels.scale(items[0].scale or WITHOUT_SCALE)}"
        + (f" (printed as Table {listed(list(named))})" if named else ""),
        [(item, wave) for item in items for wave in study.waves if (item.item, wave) in there],
        [
            (
                "Wave",
                lambda row: Cell(labels.wave(row[1])).noted(labels.comparability_note(row[1], row[0].item)),
            ),
            (numbers("n"), lambda row: printed.count(bases.get((row[0].item, row[1])), "base")),
            across(
                range(1, scale.points + 1),
                lambda response: numbers(scale.short[response - 1]),
                lambda row, response: printed.count_and_percent(found.get((row[0].item, row[1], response))),
            ),
        ],
        chosen,
        f"{labels.organisation(ALL)}: number of answers (n), and n (%) of each response.",
        f"{'; '.join(options)}." if options else "",
        f"No answers in this form: {listed(absent)}." if absent else "",
        "The publication misprints some of these: see the table of its misprints." if misprinted else "",
        printed.unweighted(chosen),
        section=lambda row: row[0].text,
    )
