"""What became of the questions: answered or missing, and why, section by section."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import GREY, REASONS, SMALL, TINY, Axis, Key, Page, on
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, Missing, Status
from surveywaves.text import listed
from surveywaves.words import evidence_of, percent, wave_title, whole

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

STRIPED: Final = "Of these colours together: each is withheld"
STRIPES: Final = (
    "Striped: so many questions had one of the outcomes of these colours; how they divide is withheld."
)

Shares = dict[tuple[str, ...], float]
"""What became of questions -> their percentage; several outcomes: together, how they divide is withheld."""


def break_off(table: pd.DataFrame, frequencies: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the share of questions answered, and why the others were not, by section and wave.

    A section's share is the mean over its items that the wave asked at all.

    Parameters
    ----------
    table
        `released/missing`.
    frequencies
        `released/item_frequencies`: how many answered, known where the reasons of the others may not be.
    presentation
        The study in words.
    """
    title = "Answered and missing, section by section"
    shares = _shares(table, frequencies, presentation)
    returns = {
        str(wave): math.nan if pd.isna(n) else float(n)
        for wave, n in table.groupby("wave", sort=False)["returns"].max().items()
    }
    waves = [wave for wave in presentation.waves if wave in returns]
    there = {what for found in shares.values() for what, share in found.items() if share > 0}
    used = [outcome for outcome in WORDS if any(outcome in what for what in there)]
    together = [what for what in there if len(what) > 1]
    evidence = evidence_of(presentation, waves, "totals", ["items"])
    note = (
        "Sections stand in the instrument's order; a section's share is the mean over the items that the wave "
        "asked."
    )
    notes = [note, *([STRIPES] if together else [])]

    page = Page(presentation.style)
    page.title(title)
    keys = [Key(WORDS[outcome], REASONS[outcome]) for outcome in used]
    if together:
        keys.append(
            Key(STRIPED, stripes=tuple(REASONS[outcome] for outcome in sorted(together, key=_order)[0]))
        )
    page.legend(keys)
    if not waves:
        page.paragraph("There are no returns.")
    width = page.abreast(len(waves), ABREAST)
    for start in range(0, len(waves), width):
        _line(page, presentation, shares, returns, waves[start : start + width], panels=width)
    page.foot(notes, evidence)
    said = []
    for wave in waves:
        parts = [
            f"{section} {percent(answered)}"
            for number, section in presentation.sections.items()
            if math.isfinite(answered := shares.get((wave, number), {}).get((ANSWERED,), math.nan))
        ]
        said.append(
            f"{wave_title(presentation, wave)} ({_counted(returns[wave])} returns): {listed(parts) or 'nothing shown'}."
        )
    return Drawing(
        figure=page.finish(),
        rows=table,
        title=title,
        caption=" ".join(
            [
                f"{title}: percent of returns (n: {'; '.join(_n(presentation, returns, wave) for wave in waves)}).",
                "Counts, no model.",
                *notes,
                evidence,
            ]
        ),
        alt=f"Stacked bars, a row a section and a panel a wave. Share answered: {' '.join(said)} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _shares(
    table: pd.DataFrame, frequencies: pd.DataFrame, presentation: Presentation
) -> dict[tuple[str, int], Shares]:
    """Give the percentage of returns by what became of a question, by (wave, section)."""
    everybody = frequencies[frequencies["organisation"] == ALL]
    answers = dict(
        zip(zip(everybody["wave"], everybody["item"], strict=True), everybody["base"], strict=True)
    )
    found: dict[tuple[str, str], dict[str, float]] = {}
    sections: dict[tuple[str, str], int] = {}
    columns = ("wave", "item", "section", "reason", "n", "returns")
    for wave, item, section, reason, n, returns in zip(*(table[name] for name in columns), strict=True):
        if item not in presentation.items or reason not in WORDS or reason == ANSWERED:
            continue
        cell = (wave, item)
        sections[cell] = int(section)
        there = not pd.isna(returns) and returns > 0
        known = found.setdefault(cell, {})
        known[reason] = 100 * float(n) / float(returns) if there and not pd.isna(n) else math.nan
        base = answers.get(cell, 0)
        known[ANSWERED] = 100 * float(base) / float(returns) if there and not pd.isna(base) else math.nan
    places: dict[tuple[str, int], list[Shares]] = {}
    for (wave, item), known in found.items():
        if known.get(Missing.NOT_ASKED.value, 0.0) != 100:
            places.setdefault((wave, sections[wave, item]), []).append(_outcomes(known))
    return {place: _mean(each) for place, each in places.items()}


def _outcomes(known: dict[str, float]) -> Shares:
    """Put what is withheld of an item together: outcomes add up to 100."""
    shown: Shares = {(outcome,): share for outcome, share in known.items() if math.isfinite(share)}
    withheld = tuple(outcome for outcome in WORDS if outcome in known and (outcome,) not in shown)
    rest = max(100 - sum(shown.values()), 0.0)
    return {**shown, withheld: rest} if withheld else shown


def _mean(each: Sequence[Shares]) -> Shares:
    """Average over items; what is withheld of some is withheld together."""
    found: Shares = {}
    withheld = {outcome for shares in each for what in shares if len(what) > 1 for outcome in what}
    together = tuple(outcome for outcome in WORDS if outcome in withheld)
    for shares in each:
        for what, share in shares.items():
            key = what if len(what) == 1 else together
            found[key] = found.get(key, 0.0) + share / len(each)
    return dict(sorted(found.items(), key=lambda pair: _order(pair[0])))


def _order(what: tuple[str, ...]) -> tuple[bool, list[int]]:
    """Sort outcomes: single ones first, in the order of their words."""
    return len(what) > 1, [list(WORDS).index(outcome) for outcome in what]


def _counted(returns: float) -> str:
    return Status.WITHHELD.value if math.isnan(returns) else whole(returns)


def _n(presentation: Presentation, returns: dict[str, float], wave: str) -> str:
    return f"{wave_title(presentation, wave)} {_counted(returns[wave])}"


def _line(
    page: Page,
    presentation: Presentation,
    shares: dict[tuple[str, int], Shares],
    returns: dict[str, float],
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
        [
            *page.wrap(wave_title(presentation, wave), width, SMALL, bold=True, max_lines=3),
            page.wrap(f"n = {_counted(returns[wave])}", width, SMALL, bold=True, max_lines=1)[0],
        ]
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
    for what, share in found.items():
        wide = width * share / 100
        colours = [REASONS[outcome] for outcome in what]
        label = f"{share:.0f}"
        fits = share >= 0.5 and page.width_of(label, TINY) + 0.35 * page.em < wide
        if len(what) > 1:
            page.striped(at, middle - BAR * page.em / 2, wide, BAR * page.em, colours)
            if fits and page.width_of(label, TINY) + 0.9 * page.em < wide:
                page.text(at + wide / 2, middle, label, TINY, align="center", backed=True)
        else:
            page.box(at, middle - BAR * page.em / 2, wide, BAR * page.em, colours[0])
            if fits:
                page.text(at + wide / 2, middle, label, TINY, colour=on(colours[0]), align="center")
        at += wide
