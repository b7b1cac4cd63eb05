"""The share of favourable answers to every item, by wave and organisation, as a table of shaded cells."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import GREY, SMALL, TINY, WITHHELD, Page, on, sequential
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, ORGANISATION, Status
from surveywaves.words import evidence_of, organisation_label, percent, statement, wave_title, whole

LABELS: Final = 0.52
"""Share of the width that statements take at most."""
ROW: Final = 1.0
"""Height of a row in base font sizes."""
WIDEST: Final = 6.0
"""Width of a column in base font sizes, at most."""
LEGEND: Final = (0, 20, 40, 60, 80, 100)
NOTHING: Final = "–"

Column = tuple[str, str]


def heat_map(summary: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the percentage of favourable answers, a row a statement, a column a wave and organisation.

    Parameters
    ----------
    summary
        `released/item_summary`.
    presentation
        The study in words.
    """
    title = "Favourable answers to every statement"
    shown = [ALL, *presentation.organisations] if len(presentation.organisations) > 1 else [ALL]
    names = ("wave", "organisation", "item", "favourable_percent", "base", "status")
    found: dict[tuple[str, str, str], float | None] = {}
    bases: list[int] = []
    for wave, organisation, item, share, base, status in zip(*(summary[name] for name in names), strict=True):
        # A row is withheld if anything in it is; that alone says nothing of its percentage.
        there = not pd.isna(share) or status == Status.WITHHELD.value
        if there and organisation in shown and item in presentation.items:
            found[item, wave, organisation] = None if pd.isna(share) else float(share)
            if not pd.isna(base):
                bases.append(int(base))
    filled = {(wave, organisation) for _, wave, organisation in found}
    columns = [(wave, who) for wave in presentation.waves for who in shown if (wave, who) in filled]
    # Where a wave surveyed one organisation, everybody is that organisation, and those who did not state one.
    for wave, words in presentation.waves.items():
        if len(words.organisations_surveyed) == 1 and len(shown) > 1 and (wave, ALL) in columns:
            columns = [column for column in columns if column != (wave, ALL)]
    waves = list(dict.fromkeys(wave for wave, _ in columns))
    evidence = evidence_of(presentation, waves, "organisations", ["items", ORGANISATION])

    page = Page(presentation.style)
    page.title(title)
    hidden = any(found[cell] is None for cell in found if cell[1:] in columns)
    _legend(page, withheld=hidden)
    if columns:
        key = _Table(page, presentation, found, columns).draw()
    else:
        page.paragraph("There are no answers to show.")
        key = ""
    gone = [
        (item, column) for item in presentation.items for column in columns if (item, *column) not in found
    ]
    notes = [note for note in (key, f"{NOTHING} Not asked, or not in this form." if gone else "") if note]
    page.foot(notes, evidence)
    n = f"n: {whole(min(bases))} to {whole(max(bases))} answers a cell. " if bases else ""
    caption = [
        f"{title}: percentage of all answers to it, by wave and organisation. Favourable answers are those of the "
        "study's favourable response options, mirrored for statements marked (R), which mean less of what their scale "
        f"measures. {n}No model.",
        *notes,
        evidence,
    ]
    return Drawing(
        figure=page.finish(),
        rows=summary,
        title=title,
        caption=" ".join(caption),
        alt=f"Table of shaded cells, darker for more. {_ends(found, presentation, columns)} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _legend(page: Page, *, withheld: bool) -> None:
    em = TINY * page.em
    width, height = 3.6 * em, 1.5 * em
    for place, share in enumerate(LEGEND):
        colour = sequential(share / 100)
        x = page.left + place * width
        page.box(x, page.y, width, height, colour)
        page.text(x + width / 2, page.y + height / 2, f"{share}%", TINY, colour=on(colour), align="center")
    if withheld:
        x = page.left + len(LEGEND) * width + em
        page.striped(x, page.y, width, height, WITHHELD)
        page.text(x + width + 0.5 * em, page.y + height / 2, Status.WITHHELD.value.capitalize(), TINY)
    page.y += height + 0.3 * page.em


class _Table:
    """Headings, rows of statements under their scales, and shaded cells."""

    def __init__(
        self,
        page: Page,
        presentation: Presentation,
        found: dict[tuple[str, str, str], float | None],
        columns: Sequence[Column],
    ) -> None:
        self.page, self.presentation, self.found, self.columns = page, presentation, found, columns
        usable = page.right - page.left
        labels = [statement(item) for item in presentation.items.values()]
        longest = max(page.width_of(label, TINY) for label in labels)
        self.label_width = min(longest, usable * LABELS)
        self.labels = dict(
            zip(presentation.items, page.told_apart(labels, self.label_width, TINY), strict=True)
        )
        self.start = page.left + self.label_width + 0.6 * page.em
        self.gap = 0.5 * page.em
        between = self.gap * (len({wave for wave, _ in columns}) - 1)
        self.width = min((page.right - self.start - between) / len(columns), WIDEST * page.em)
        self.printed = page.width_of("100", TINY) <= 0.94 * self.width
        self.x: list[float] = []
        x = self.start
        for place, (wave, _) in enumerate(columns):
            x += self.gap if place and columns[place - 1][0] != wave else 0.0
            self.x.append(x)
            x += self.width

    def draw(self) -> str:
        """Draw it, and give what its headings are short for."""
        key = self._heads()
        order = [*self.presentation.scales, None]
        items = sorted(self.presentation.items.values(), key=lambda item: order.index(item.scale))
        scale: str | None = ""
        for item in items:
            if item.scale != scale:
                scale = item.scale
                self._heading(
                    "Items that belong to no scale"
                    if scale is None
                    else self.presentation.scales[scale].title
                )
            self._row(item)
        return key

    def _heads(self) -> str:
        page, words = self.page, self.presentation
        named = {who: organisation_label(words, who) for _, who in self.columns}
        named[ALL] = "All"
        widest = max(page.width_of(word, TINY) for label in named.values() for word in label.split())
        key = ""
        if widest > 0.94 * self.width:
            order = [who for who in (*words.organisations, ALL) if who in named]
            short = {who: ascii_uppercase[place % 26] for place, who in enumerate(order)}
            key = f"{'; '.join(f'{short[who]} {named[who]}' for who in order)}."
            named = short
        page.y += 0.4 * page.em
        waves = list(dict.fromkeys(wave for wave, _ in self.columns))
        heads = {}
        for wave in waves:
            mine = [x for x, column in zip(self.x, self.columns, strict=True) if column[0] == wave]
            heads[wave] = mine[0], mine[-1] + self.width - mine[0]
        # There is room to the left of the first, over the statements.
        x, width = heads[waves[0]]
        most = max(page.width_of(word, TINY, bold=True) for word in wave_title(words, waves[0]).split())
        wider = min(max(most - width, 0.0), self.label_width)
        heads[waves[0]] = x - wider, width + wider
        lines = {
            wave: page.wrap(wave_title(words, wave), width, TINY, bold=True, max_lines=4)
            for wave, (_, width) in heads.items()
        }
        height = page.height_of(max(len(found) for found in lines.values()), TINY)
        for wave, (x, width) in heads.items():
            top = page.y + height - page.height_of(len(lines[wave]), TINY)
            page.block(x + width / 2, top, lines[wave], TINY, bold=True, align="center")
        page.y += height
        who = {o: page.wrap(label, self.width, TINY, max_lines=3) for o, label in named.items()}
        height = page.height_of(max(len(found) for found in who.values()), TINY)
        for x, (_, organisation) in zip(self.x, self.columns, strict=True):
            page.block(x + self.width / 2, page.y, who[organisation], TINY, colour=GREY, align="center")
        page.y += height + 0.1 * page.em
        return key

    def _heading(self, words: str) -> None:
        page = self.page
        page.y += 0.25 * page.em
        lines = page.wrap(words, page.right - page.left, SMALL, bold=True, max_lines=2)
        page.y = page.block(page.left, page.y, lines, SMALL, bold=True) + 0.1 * page.em

    def _row(self, item: Item) -> None:
        page, lines = self.page, self.labels[item.item]
        height = max(ROW * page.em, page.height_of(len(lines), TINY))
        middle = page.y + height / 2
        page.block(page.left, page.y + (height - page.height_of(len(lines), TINY)) / 2, lines, TINY)
        for x, column in zip(self.x, self.columns, strict=True):
            cell = (item.item, *column)
            share = self.found.get(cell)
            if share is None and cell in self.found:
                page.striped(x, page.y, self.width, height)
                continue
            if share is None:
                page.text(x + self.width / 2, middle, NOTHING, TINY, colour=GREY, align="center")
                continue
            colour = sequential(share / 100)
            page.box(x, page.y, self.width, height, colour)
            if self.printed:
                page.text(x + self.width / 2, middle, f"{share:.0f}", TINY, colour=on(colour), align="center")
        page.y += height


def _ends(
    found: dict[tuple[str, str, str], float | None], presentation: Presentation, columns: Sequence[Column]
) -> str:
    """Say which statements are answered most and least favourably, column by column."""
    said = []
    for wave, organisation in columns:
        where = f"{wave_title(presentation, wave)}, {organisation_label(presentation, organisation)}"
        here = {
            item: share for (item, *place), share in found.items() if tuple(place) == (wave, organisation)
        }
        mine = {item: share for item, share in here.items() if share is not None}
        rest = f"; {len(here) - len(mine)} of {len(here)} are withheld" if len(mine) < len(here) else ""
        if not mine:
            said.append(f"{where}: {Status.WITHHELD.value}.")
            continue
        top, bottom = max(mine, key=mine.__getitem__), min(mine, key=mine.__getitem__)
        said.append(
            f"{where}: most {statement(presentation.items[top])} ({percent(mine[top])}); least "
            f"{statement(presentation.items[bottom])} ({percent(mine[bottom])}){rest}."
        )
    return " ".join(said)
