"""Response rates, with what is known of the population."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import GREY, ONE_COLUMN, SMALL, TINY, Axis, Page, look_of, round_ends
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, Status
from surveywaves.words import evidence_of, percent, wave_title, whole


def response(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each wave's response rate, with its range where the population is an estimate; without one it says so.

    Parameters
    ----------
    table
        `released/response_rates`.
    presentation
        The study in words.
    """
    title = "Response rates"
    rows = {row["wave"]: row for row in table.to_dict("records") if row["wave"] in presentation.waves}
    waves = [wave for wave in presentation.waves if wave in rows]
    evidence = evidence_of(presentation, waves, "totals")
    page = Page(presentation.style, ONE_COLUMN)
    page.title(title)
    page.y += 0.4 * page.em

    label_width = 0.5 * (page.right - page.left)
    start, width = page.left + label_width + page.em, page.right - page.left - label_width - page.em
    rates = [
        _percentage(row["rate"] if pd.isna(row["conf_high"]) else row["conf_high"])
        for row in rows.values()
        if not pd.isna(row["rate"])
    ]
    axis = Axis(start, width, 0, min(round_ends([0, *(rates or [100])], parts=4)[1], 100))
    look = look_of(ALL, [], presentation.style)
    top = page.y
    said = []
    for wave in waves:
        row = rows[wave]
        counted = _counted(presentation, wave, row)
        title_lines = page.wrap(wave_title(presentation, wave), label_width, SMALL, bold=True, max_lines=3)
        below = [line for part in counted.split(": ") for line in page.wrap(part, label_width, TINY)]
        reason = (
            [] if rates and not pd.isna(row["rate"]) else page.wrap(_no_rate(row), width, TINY, max_lines=4)
        )
        block = page.height_of(len(title_lines), SMALL) + page.height_of(len(below), TINY)
        height = max(block, page.height_of(len(reason), TINY))
        under = page.block(page.left, page.y + (height - block) / 2, title_lines, SMALL, bold=True)
        page.block(page.left, under, below, TINY, colour=GREY)
        middle = page.y + height / 2
        for number, line in enumerate(reason):
            offset = (number - (len(reason) - 1) / 2) * page.height_of(1, TINY)
            page.text(start, middle + offset, line, TINY, colour=GREY, backed=True)
        if not reason:
            rate, low, high = (_percentage(row[name]) for name in ("rate", "conf_low", "conf_high"))
            if not math.isnan(low):
                page.rule(
                    (axis.x(low), middle), (axis.x(high), middle), colour=look.colour, weight=1.2, above=True
                )
            page.mark(axis.x(rate), middle, look)
        said.append(f"{wave_title(presentation, wave)}: {counted}{f', {_no_rate(row)}' if reason else ''}.")
        page.y += height + 0.7 * page.em
    if not waves:
        page.paragraph("There are no returns.")
    else:
        axis.draw(page, top=top, bottom=page.y, write=lambda value: f"{value:g}%")
        page.y += page.height_of(1, TINY)
    page.y += 0.5 * page.em
    page.foot([], evidence)
    notes = [
        f"{wave_title(presentation, wave)}: {note}"
        for wave in waves
        if (note := presentation.waves[wave].population.note)
    ]
    caption = [
        "Returns as a share of those whom each wave was meant to reach: everybody was asked, so a rate has no sampling "
        "error; a range is that of the population's estimate.",
        *said,
        *notes,
        evidence,
    ]
    return Drawing(
        figure=page.finish(),
        rows=table[table["wave"].isin(waves)],
        title=title,
        caption=" ".join(caption),
        alt=f"Dot plot of response rates. {' '.join(said)} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _no_rate(row: dict[Hashable, Any]) -> str:
    """Say why there is no rate."""
    if row["status"] == Status.WITHHELD.value:
        return f"rate: {Status.WITHHELD.value}"
    return f"no rate: {row['note'] or 'the population is not known'}"


def _counted(presentation: Presentation, wave: str, row: dict[Hashable, Any]) -> str:
    if pd.isna(row["returns"]):
        return f"returns: {Status.WITHHELD.value}"
    counted = f"{whole(row['returns'])} returns"
    if pd.isna(row["population"]):
        return counted
    about = "about " if presentation.waves[wave].population.approximate else ""
    counted += f" of {about}{whole(row['population'])}"
    if pd.isna(row["rate"]):
        return counted
    rate, low, high = (_percentage(row[name]) for name in ("rate", "conf_low", "conf_high"))
    return f"{counted}: {percent(rate)}" + ("" if math.isnan(low) else f" ({low:.0f}–{high:.0f})")


def _percentage(share: float) -> float:
    """Give a rate as a percentage."""
    return 100 * float(share)
