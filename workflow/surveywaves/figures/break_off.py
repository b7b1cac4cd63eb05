"""What became of the questions: answered or missing, and why, section by section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from surveywaves.figures.axes import Axis
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import SMALL, TINY, Key, Page, abreast
from surveywaves.figures.style import GREY, REASONS, TWO_COLUMNS, on
from surveywaves.figures.words import evidence_of, listed, percent, wave_title, whole
from surveywaves.study.models import Missing
from surveywaves.study.parts import Presentation

GROUP: Final = "Respondents"
ABREAST: Final = 3
BAR: Final = 1.4
PITCH: Final = 1.7
ANSWERED: Final = "answered"
WORDS: Final = {
    ANSWERED: "Answered",
    Missing.SKIPPED.value: "Skipped",
    Missing.DONT_KNOW.value: "Don't know",
    Missing.INVALID.value: "Invalid",
    Missing.BROKE_OFF.value: "Broke off",
    Missing.NOT_ASKED.value: "Not asked",
}

Shares = dict[str, float]


def break_off(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the share of questions answered, and why the others were not, by section and wave.

    A section's share is the mean over its items that the wave asked at all.

    Parameters
    ----------
    table
        `statistics/missing`.
    presentation
        The study in words.
    """
    title = "Answered and missing, section by section"
    shares = _shares(table, presentation)
    returns = {str(wave): int(n) for wave, n in table.groupby("wave", sort=False)["returns"].max().items()}
    waves = [wave for wave in presentation.waves if wave in returns]
    used = [reason for reason in WORDS if any(found.get(reason, 0) > 0 for found in shares.values())]
    evidence = evidence_of(presentation, waves, "totals", ["items"])
    note = (
        "Sections stand in the instrument's order; a section's share is the mean over the items that the wave "
        "asked."
    )

    page = Page(TWO_COLUMNS, presentation.style)
    page.title(title)
    page.legend(Key(WORDS[reason], REASONS[reason]) for reason in used)
    if not waves:
        page.paragraph("There are no returns.")
    width = abreast(len(waves), ABREAST)
    for start in range(0, len(waves), width):
        _line(page, presentation, shares, returns, waves[start : start + width], panels=width)
    page.foot([note], evidence)
    said = []
    for wave in waves:
        parts = [
            f"{section} {percent(shares[wave, number][ANSWERED])}"
            for number, section in presentation.sections.items()
            if (wave, number) in shares
        ]
        said.append(
            f"{wave_title(presentation, wave)} ({whole(returns[wave])} returns): {listed(parts) or 'nothing'}."
        )
    return Drawing(
        name="break_off",
        figure=page.finish(),
        title=title,
        caption=f"{title}: percent of returns. {note} {evidence}",
        alt=f"Stacked bars, a row a section and a panel a wave. Share answered: {' '.join(said)} {evidence}",
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def _shares(table: pd.DataFrame, presentation: Presentation) -> dict[tuple[str, int], Shares]:
    """Give the percentage of returns by what became of a question, by (wave, section)."""
    counted = table[table["reason"].isin(list(WORDS)) & (table["reason"] != ANSWERED)]
    found: dict[tuple[str, str], Shares] = {}
    for wave, item, reason, n, returns in zip(
        *(counted[name] for name in ("wave", "item", "reason", "n", "returns")), strict=True
    ):
        if returns > 0 and not pd.isna(n):
            found.setdefault((wave, item), {})[reason] = 100 * float(n) / float(returns)
    items: dict[tuple[str, int], list[Shares]] = {}
    for wave, item, section in dict.fromkeys(
        zip(table["wave"], table["item"], table["section"], strict=True)
    ):
        shares = found.get((wave, item), {})
        if item in presentation.items and shares.get(Missing.NOT_ASKED.value, 0.0) < 100:
            items.setdefault((wave, int(section)), []).append(shares)
    means = {}
    for cell, each in items.items():
        mean = {
            reason: sum(s.get(reason, 0.0) for s in each) / len(each)
            for reason in WORDS
            if reason != ANSWERED
        }
        means[cell] = {ANSWERED: max(100 - sum(mean.values()), 0.0), **mean}
    return means


def _line(
    page: Page,
    presentation: Presentation,
    shares: dict[tuple[str, int], Shares],
    returns: dict[str, int],
    waves: Sequence[str],
    *,
    panels: int,
) -> None:
    """Draw some waves' panels side by side."""
    page.y += 0.5 * page.em
    usable = page.right - page.left
    gap = 1.4 * page.em
    longest = max(page.width_of(section, SMALL) for section in presentation.sections.values())
    label_width = min(longest, 0.3 * usable)
    start = page.left + label_width + gap
    pitch = (page.right - start + gap) / panels
    width = pitch - gap
    heads = [
        page.wrap(
            f"{wave_title(presentation, wave)} (n = {whole(returns[wave])})",
            width,
            SMALL,
            bold=True,
            max_lines=3,
        )
        for wave in waves
    ]
    height = page.height_of(max(len(head) for head in heads), SMALL)
    for panel, head in enumerate(heads):
        top = page.y + height - page.height_of(len(head), SMALL)
        page.block(start + panel * pitch, top, head, SMALL, bold=True)
    page.y += height + 0.2 * page.em
    top = page.y
    for number, section in presentation.sections.items():
        lines = page.wrap(section, label_width, SMALL, max_lines=4)
        tall = max(PITCH * page.em, page.height_of(len(lines), SMALL) + 0.3 * page.em)
        middle = page.y + tall / 2
        page.block(page.left, middle - page.height_of(len(lines), SMALL) / 2, lines, SMALL)
        for panel, wave in enumerate(waves):
            _bar(page, shares.get((wave, number)), start + panel * pitch, middle, width)
        page.y += tall
    for panel in range(len(waves)):
        axis = Axis(start + panel * pitch, width, 0, 100)
        axis.draw(page, top=top, bottom=page.y, write=lambda value: f"{value:g}%")
    page.y += page.height_of(1, TINY) + 0.5 * page.em


def _bar(page: Page, found: Shares | None, start: float, middle: float, width: float) -> None:
    if found is None:
        page.text(start, middle, "not asked", TINY, colour=GREY, backed=True)
        return
    at = start
    for reason in WORDS:
        share = found[reason]
        wide = width * share / 100
        page.box(at, middle - BAR * page.em / 2, wide, BAR * page.em, REASONS[reason])
        label = f"{share:.0f}"
        if share >= 0.5 and page.width_of(label, TINY) + 0.35 * page.em < wide:
            page.text(at + wide / 2, middle, label, TINY, colour=on(REASONS[reason]), align="center")
        at += wide
