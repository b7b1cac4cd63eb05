"""Diverging stacked bars: how the answers to each item divide, wave by wave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from surveywaves.figures.divided import divide
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import Key, Page
from surveywaves.figures.likert_chart import Answers, Cell, Chart, is_reworded
from surveywaves.figures.names import WITHOUT_SCALE
from surveywaves.figures.style import response_colours
from surveywaves.figures.words import (
    ORGANISATION,
    evidence_of,
    organisation_label,
    percent,
    wave_title,
    whole,
)
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.tidy import ALL, Status

GROUP: Final = "Items"
PANELS_ABREAST: Final = 3
LEAST: Final = 18.0
"""Width that a panel takes at least, in base font sizes."""
STRIPED: Final = "Of these colours together: each is withheld"
STRIPES: Final = "Striped: so many gave one of the answers of these colours; how they divide is withheld."
APART: Final = (
    "Not centred: bars, or parts of bars, whose place left or right of the middle is withheld; only their lengths "
    "count."
)


def likert(
    frequencies: pd.DataFrame,
    summary: pd.DataFrame,
    presentation: Presentation,
    scale: str,
    *,
    by_organisation: bool = False,
) -> Drawing:
    """Draw the answers to a scale's items.

    Parameters
    ----------
    frequencies
        `released/item_frequencies`.
    summary
        `released/item_summary`: favourable answers, known where single counts may not be.
    presentation
        The study in words.
    scale
        A scale, or `WITHOUT_SCALE`.
    by_organisation
        A panel an organisation, instead of everybody together.
    """
    member = None if scale == WITHOUT_SCALE else scale
    items = [item for item in presentation.items.values() if item.scale == member]
    title = "Items that belong to no scale" if member is None else presentation.scales[scale].title
    organisations = list(presentation.organisations) if by_organisation else [ALL]
    answers = _answers(frequencies, summary, presentation, items, organisations)
    asked = [
        wave
        for wave in presentation.waves
        if _asked(frequencies, wave, items) or any(cell[0] == wave for cell in answers)
    ]
    silent = [wave_title(presentation, wave) for wave in presentation.waves if wave not in asked]
    evidence = evidence_of(
        presentation,
        asked,
        "organisations" if by_organisation else "totals",
        ["items", *([ORGANISATION] if by_organisation else [])],
    )
    drawn = title + (", by organisation" if by_organisation else "")
    striped = any(len(piece.options) > 1 for found in answers.values() for piece in found.pieces)
    notes = [
        f"None of these items was asked in: {', '.join(silent)}." if silent else "",
        "(R) Agreement means less of what the scale measures; shown as worded."
        if any(item.keyed == "-" for item in items)
        else "",
        "† Asked in other words in that wave."
        if any(is_reworded(presentation, wave, item) for wave in asked for item in items)
        else "",
        STRIPES if striped else "",
        APART if any(found.bar and found.bar.apart for found in answers.values()) else "",
    ]
    notes = [note for note in notes if note]

    page = Page(presentation.style)
    page.title(drawn)
    _legend(page, presentation, items, striped=striped)
    if not asked:
        page.paragraph("No wave has answers to these items.")
    width = page.abreast(len(organisations), PANELS_ABREAST, least=LEAST)
    for start in range(0, len(organisations), width):
        if asked:
            panels = organisations[start : start + width]
            Chart(page, presentation, answers, items, waves=asked, organisations=panels, width=width).draw()
    page.foot(notes, evidence)

    bases = [found.base for found in answers.values() if found.base]
    return Drawing(
        name=f"likert_{scale}" + ("_by_organisation" if by_organisation else ""),
        figure=page.finish(),
        title=drawn,
        caption=_caption(drawn, bases, notes, evidence),
        alt=_alt(
            drawn, answers, presentation, items, waves=asked, organisations=organisations, evidence=evidence
        ),
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def _answers(
    frequencies: pd.DataFrame,
    summary: pd.DataFrame,
    presentation: Presentation,
    items: Sequence[Item],
    organisations: Sequence[str],
) -> dict[Cell, Answers]:
    """Give the answers by (wave, organisation, item), those cells only that have some."""
    known = {item.item: item for item in items}
    rows = frequencies[
        frequencies["item"].isin(list(known)) & frequencies["organisation"].isin(organisations)
    ]
    columns = ("wave", "organisation", "item", "response", "percent", "base")
    shares: dict[Cell, list[float]] = {}
    bases: dict[Cell, int | None] = {}
    for wave, organisation, item, response, share, base in zip(
        *(rows[name] for name in columns), strict=True
    ):
        if not pd.isna(base) and base <= 0:
            continue
        cell = (wave, organisation, item)
        points = presentation.response_scales[known[item].response_scale].points
        bases[cell] = None if pd.isna(base) else int(base)
        shares.setdefault(cell, [math.nan] * points)[int(response) - 1] = (
            math.nan if pd.isna(share) else float(share)
        )
    together = {
        (wave, organisation, item): float(share)
        for wave, organisation, item, share in zip(
            *(summary[name] for name in ("wave", "organisation", "item", "favourable_percent")), strict=True
        )
        if not pd.isna(share)
    }
    found = {}
    for cell, each in shares.items():
        favourable = together.get(cell, math.nan)
        bar = divide(each, _favourable(known[cell[2]], presentation), favourable)
        found[cell] = Answers(bar, bases[cell], favourable)
    return found


def _favourable(item: Item, presentation: Presentation) -> set[int]:
    """Give the favourable options, from 0."""
    scale = presentation.response_scales[item.response_scale]
    return {value - 1 if item.key == 1 else scale.points - value for value in scale.favourable}


def _asked(frequencies: pd.DataFrame, wave: str, items: Sequence[Item]) -> bool:
    """Whether anybody in a wave was asked any of the items."""
    rows = frequencies[
        (frequencies["wave"] == wave) & frequencies["item"].isin([item.item for item in items])
    ]
    return bool((rows["base"].isna() | (rows["base"] > 0)).any())


def _legend(page: Page, presentation: Presentation, items: Sequence[Item], *, striped: bool) -> None:
    scales = list(dict.fromkeys(item.response_scale for item in items))
    for name in scales:
        labels = presentation.response_scales[name].labels
        colours = response_colours(presentation.style.responses, len(labels))
        keys = [Key(label, colour) for label, colour in zip(labels, colours, strict=True)]
        if striped and name == scales[-1]:
            keys.append(Key(STRIPED, stripes=colours[:2]))
        page.legend(keys)


def _caption(title: str, bases: Sequence[int], notes: Sequence[str], evidence: str) -> str:
    said = [
        f"{title}: how the answers to each statement divide, in percent of those who answered it.",
        "Bars are centred on the middle of the response scale.",
    ]
    if bases:
        said.append(f"n, the answers to a statement, runs from {whole(min(bases))} to {whole(max(bases))}.")
    return " ".join([*said, "Counts of answers, no model.", *notes, evidence])


def _alt(
    title: str,
    answers: Mapping[Cell, Answers],
    presentation: Presentation,
    items: Sequence[Item],
    *,
    waves: Sequence[str],
    organisations: Sequence[str],
    evidence: str,
) -> str:
    said = [f"Diverging stacked bars, {title}: {len(items)} statements."]
    for wave in waves:
        for organisation in organisations:
            cells = [(wave, organisation, item.item) for item in items]
            found = [answers[cell] for cell in cells if cell in answers]
            shares = [one.favourable for one in found if math.isfinite(one.favourable)]
            who = "" if organisation == ALL else f", {organisation_label(presentation, organisation)}"
            where = f"{wave_title(presentation, wave)}{who}"
            if shares:
                told = (
                    f"from {percent(min(shares))} to {percent(max(shares))} favourable across {len(shares)} "
                    "statements"
                )
            else:
                told = Status.WITHHELD.value if found else "no answers"
            partly = sum(not one.whole for one in found)
            rest = f"; some answers to {partly} of {len(found)} statements are withheld" if partly else ""
            said.append(f"{where}: {told}{rest}.")
    return " ".join([*said, evidence])
