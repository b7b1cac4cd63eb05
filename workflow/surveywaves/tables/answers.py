"""Answers by statement: the published layout n (%), the waves side by side, and the share of favourable answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import pandas as pd

from surveywaves.catalogue import batteries
from surveywaves.study.models import Item
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
from surveywaves.terms import ALL
from surveywaves.text import listed
from surveywaves.words import NONE, OUTSIDE, Labels, as_float, percentage, records, statement, whole

MISPRINTS: Final = {"misprint": "should be", "undecided": "nobody has decided; possible:"}
"""Verdicts of the audit that the answers carry as a note, and how the note goes on."""

BY_DECISION: Final = "; by decision: "
"""Divides what arithmetic says of a printed cell from what a person decided (see `surveywaves.published`)."""

Place: TypeAlias = tuple[str, str, int]
"""Wave, item and response of an answer; response 0 is the base."""

WHAT: Final = {"count": "a count", "percent": "a percentage", "base": "a base"}


def answers_to(
    frequencies: pd.DataFrame,
    labels: Labels,
    *,
    battery: str,
    by_organisation: bool = False,
    published_tables: pd.DataFrame | None = None,
) -> Table:
    """Lay out the answers to a scale's statements that share their response options.

    Parameters
    ----------
    frequencies
        `item_frequencies`.
    battery
        One of `surveywaves.catalogue.batteries`.
    by_organisation
        An organisation below the other, instead of everybody together.
    published_tables
        `published_tables`: what the publication misprints of these answers is noted.
    """
    presentation = labels.presentation
    items = batteries(presentation)[battery]
    scale = items[0].scale
    printed = dict.fromkeys(item.published_table for item in items if item.published_table is not None)
    title = OUTSIDE if scale is None else labels.scale(scale)
    title += f" (printed as Table {', '.join(map(str, printed))})" if printed else ""
    notes: dict[Place, tuple[str, ...]] = {}
    if published_tables is not None and presentation.published_wave:
        notes = misprint_notes(
            published_tables, presentation.items.values(), wave=presentation.published_wave
        )
    return answers(
        frequencies,
        items,
        labels,
        name=f"answers_{battery}",
        title=f"{title}, by organisation" if by_organisation else title,
        notes=notes,
        organisations=tuple(presentation.organisations) if by_organisation else (ALL,),
    )


def answers(
    frequencies: pd.DataFrame,
    items: Sequence[Item],
    labels: Labels,
    *,
    name: str,
    title: str,
    notes: Mapping[Place, tuple[str, ...]] | None = None,
    organisations: Sequence[str] = (ALL,),
) -> Table:
    """Lay answers out as published tables do: a statement a row, n (%) a response, the waves side by side.

    Parameters
    ----------
    frequencies
        `item_frequencies`.
    items
        Statements of one response scale, in the order of presentation.
    notes
        Place -> notes on the answers of all organisations together. See `misprint_notes`.
    organisations
        Whose answers, one organisation below the other. Those that answered nothing are left out.

    Returns
    -------
    Table
        Waves that asked none of the statements are left out.

    Raises
    ------
    ValueError
        If there are no items, or they differ in their response scale.
    """
    if len({item.response_scale for item in items}) != 1:
        raise ValueError(f"table {name}: its items must share one response scale")
    scale = labels.presentation.response_scales[items[0].response_scale]
    chosen = frequencies[
        frequencies["item"].isin([item.item for item in items])
        & frequencies["organisation"].isin(organisations)
    ]
    asked = chosen[(chosen["base"] > 0) | chosen["base"].isna()]
    found = {(row.wave, row.organisation, row.item, row.response): row for row in records(chosen)}
    waves = [wave for wave in labels.presentation.waves if wave in set(asked["wave"])]
    several = tuple(organisations) != (ALL,)
    columns = [*([Column("Organisation")] if several else []), Column("Statement")]
    for wave in waves:
        above = labels.wave_with_evidence(wave)
        columns.append(Column("n", above, numeric=True, spoken="answers"))
        columns += [
            Column(short, above, numeric=True, spoken=label)
            for short, label in zip(scale.short, scale.labels, strict=True)
        ]
    said, responses = notes or {}, range(1, scale.points + 1)
    rows = tuple(
        (
            *([Cell(labels.organisation(organisation))] if several else []),
            Cell(item.text),
            *(
                cell
                for wave in waves
                for cell in _answer_cells(
                    [found.get((wave, organisation, item.item, response)) for response in responses],
                    [
                        said.get((wave, item.item, response), ()) if organisation == ALL else ()
                        for response in (0, *responses)
                    ],
                    labels.comparability_note(wave, item.item),
                )
            ),
        )
        for organisation in organisations
        if organisation in set(asked["organisation"])
        for item in items
    )
    legend = "; ".join(
        f"{short}: {label}" for short, label in zip(scale.short, scale.labels, strict=True) if short != label
    )
    others = [labels.wave(wave) for wave in labels.presentation.waves if wave not in waves]
    left_out = f"Without answers to these statements in this form: {listed(others)}." if others else ""
    return Table(
        name=name,
        title=title,
        columns=tuple(columns),
        rows=rows,
        data=labels.with_evidence(chosen[chosen["wave"].isin(waves)]),
        about=" ".join(
            filter(
                None,
                (
                    "Number of answers (n) and, for each response, n (% of n).",
                    f"{legend}." if legend else "",
                    left_out,
                    "Unweighted." if weighted_beside(chosen) else "",
                ),
            )
        ),
        evidence=labels.evidence(waves, about=("items", "organisation") if several else ("items",)),
        heads=2 if several else 1,
        flat=False,
    )


def _answer_cells(rows: Sequence[Any], said: Sequence[tuple[str, ...]], comparability: str) -> list[Cell]:
    """Print a statement's base and answers in one wave.

    Parameters
    ----------
    rows
        One a response, None where there is none.
    said
        Notes on the base and on each response.
    """
    first = next((row for row in rows if row is not None), None)
    own = (comparability,) if comparability else ()
    if first is None:
        return [Cell(NONE, float("nan"), own, "muted"), *([Cell("", float("nan"))] * len(rows))]
    nobody = not is_withheld(first, "base") and not first.base
    cells = [_marked(number_cell(first, "base", whole), said[0], own)]
    for row, note in zip(rows, said[1:], strict=True):
        cells.append(_marked(count_and_percent(None if nobody else row), note))
    return cells


def _marked(cell: Cell, said: tuple[str, ...], notes: tuple[str, ...] = ()) -> Cell:
    return replace(cell, notes=(*notes, *said), tone="caution" if said else cell.tone)


def misprint_notes(
    audited: pd.DataFrame, items: Iterable[Item], *, wave: str
) -> dict[Place, tuple[str, ...]]:
    """Say of each answer that the publication misprints what it prints, what it should say, and why.

    Parameters
    ----------
    audited
        `published_tables`; its categories stand in the order of the responses.
    wave
        Wave that the publication describes.

    Returns
    -------
    dict
        Place -> notes: what is printed, what it should be, why; and what a person decided.
    """
    by_place = {
        (str(item.published_table), str(item.published_row)): item
        for item in items
        if item.published_table is not None
    }
    tables = {table for table, _ in by_place}
    categories = [
        name for name in dict.fromkeys(audited.loc[audited["table"].isin(tables), "category"]) if name
    ]
    notes: dict[Place, list[str]] = {}
    for row in records(audited[audited["verdict"].isin(MISPRINTS)]):
        item = by_place.get((row.table, row.row))
        if item is None:
            continue
        response = categories.index(row.category) + 1 if row.category else 0
        what = WHAT.get(row.quantity, row.quantity)
        told = " ".join(filter(None, (MISPRINTS[row.verdict], row.settled)))
        found, _, decision = row.evidence.partition(BY_DECISION)
        why = f" ({found})" if found else ""
        said = notes.setdefault((wave, item.item, response), [])
        said.append(f"The publication prints {what} of {row.printed}; {told}{why}.")
        said += [f"Decided: {decision}"] if decision else []
    return {place: tuple(said) for place, said in notes.items()}


def favourable(summary: pd.DataFrame, labels: Labels) -> Table:
    """Lay out the share of favourable answers to every statement, a scale below the other, by wave and organisation.

    Parameters
    ----------
    summary
        `item_summary`.
    """
    order = [*labels.presentation.scales, None]
    items = sorted(labels.presentation.items.values(), key=lambda item: order.index(item.scale))
    chosen = summary[summary["item"].isin([item.item for item in items])]
    found = {(row.item, row.wave, row.organisation): row for row in records(chosen)}
    asked = chosen[(chosen["base"] > 0) | chosen["base"].isna()]
    waves = [wave for wave in labels.presentation.waves if wave in set(asked["wave"])]
    cells = {
        wave: [
            o
            for o in labels.organisation_order
            if ((asked["wave"] == wave) & (asked["organisation"] == o)).any()
        ]
        for wave in waves
    }
    columns = [Column("Scale"), Column("Statement")] + [
        Column(labels.organisation(organisation), labels.wave_with_evidence(wave), numeric=True)
        for wave in waves
        for organisation in cells[wave]
    ]
    rows = tuple(
        (
            Cell(labels.scale(item.scale) if item.scale else OUTSIDE),
            Cell(statement(item)),
            *(
                _favourable_cell(found.get((item.item, wave, organisation)))
                for wave in waves
                for organisation in cells[wave]
            ),
        )
        for item in items
    )
    return Table(
        name="favourable",
        title="Favourable answers to every statement",
        columns=tuple(columns),
        rows=rows,
        data=labels.with_evidence(chosen),
        about="Favourable answers in % (how many of how many); "
        f"{NONE}: not asked, or nobody answered. The means in the data are of the answers as given."
        + weighted_beside(chosen),
        evidence=labels.evidence(waves, about=("items", "organisation")),
        heads=2,
    )


def _favourable_cell(row: Any) -> Cell:
    if row is None or is_withheld(row, "base"):
        return NOTHING if row is None else withheld_cell()
    if not row.base:
        return NOTHING
    percent, n = (
        number_cell(row, "favourable_percent", percentage),
        number_cell(row, "favourable_n", whole),
    )
    of = f"of {whole(row.base)}"
    weighted = as_float(getattr(row, "weighted_favourable_percent", None))
    beside = "" if math.isnan(weighted) else f"; weighted {percentage(weighted)}"
    counted = of if n.text == percent.text else f"{n.text} {of}"
    return replace(percent, text=f"{percent.text} ({counted}{beside})")
