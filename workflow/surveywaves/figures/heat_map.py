"""Every statement on a page or two: the share of favourable answers in each wave, and how it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import pandas as pd
import seaborn as sns
from matplotlib.colors import to_hex

from surveywaves.catalogue import pages
from surveywaves.figures.drawing import Drawing, reversed_note, withheld_key
from surveywaves.figures.layout import Rows, Tile, grid
from surveywaves.figures.style import GREY, Sheet, Slide, look_of, on, wrap
from surveywaves.findings import CHANGE, contrast_rows, main_pair
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, ESTIMATED, PERCENT_FAVOURABLE, Decision, Status
from surveywaves.words import NONE, WITHHELD, Labels, number, opening, records

COLUMNS: Final = 8
"""Most columns; with more, all respondents stand for the organisations, or the main pair for all waves."""
COLUMN: Final = 3.3
"""Width of a column, in em."""
SPREAD: Final = ("least and most favourable", "rose and fell")
"""Heads of the two columns that summarise organisations without columns of their own."""
WIDEST: Final = 8.0
"""Width that a column takes at most, in em."""
MOVED: Final = (Decision.INCREASE.value, Decision.DECREASE.value)
SHADES: Final = sns.color_palette("blend:#f3f6fa,#9dbcd8,#2f6aa3,#0d2f57", as_cmap=True)
"""Light to dark by the share of favourable answers, so that greyscale keeps the order."""

Column = tuple[str, str]
"""Organisation and wave; without a wave, the change of the main pair."""
Cells = Mapping[tuple[str, str, str], Any]
"""Rows of the tables by item, organisation and wave, as for columns."""


def heat_map(
    item_summary: pd.DataFrame, item_contrasts: pd.DataFrame, presentation: Presentation, *, page: str
) -> Drawing:
    """Draw the share of favourable answers to every statement, with the change between the main pair of waves.

    `page` is one of `catalogue.pages`; a slide shows what changed most, as much as it has room for.
    """
    labels, sheet = Labels(presentation), Sheet.of(presentation.style)
    one, many = presentation.nouns.statement
    groups = pages(presentation)[page]
    items = [item for own in groups.values() for item in own]
    rows = item_summary[item_summary["item"].isin([item.item for item in items])]
    found: dict[tuple[str, str, str], Any] = {(r.item, r.organisation, r.wave): r for r in records(rows)}
    if compared := main_pair(presentation):
        changes = contrast_rows(item_contrasts, PERCENT_FAVOURABLE, CHANGE, wave=compared.contrast)
        changes = changes[changes["item"].isin(set(rows["item"]))]
        found |= {(row.item, row.organisation, ""): row for row in records(changes)}
    columns = _columns({(organisation, wave) for _, organisation, wave in found}, presentation)
    parts = list(dict.fromkeys(organisation for organisation, _ in columns))
    heads = [labels.wave(wave) if wave else "change" for _, wave in columns]
    spans = [(labels.organisation(name), sum(of == name for of, _ in columns)) for name in parts]
    if apart := parts == [ALL] and len(presentation.organisations) > 1:
        heads += SPREAD
        spans.append((opening(presentation.nouns.organisation[1]), len(SPREAD)))
    room = sheet.width - (COLUMN * len(heads) + 2) * sheet.em
    called = {item.item: wrap(labels.item(item.item), room, sheet.em) for item in items}
    if isinstance(sheet, Slide):
        groups = {"": _most_changed(items, called, found, parts, sheet)}
    shown = [item for own in groups.values() for item in own]
    names: list[Sequence[str]] = []
    cells: list[list[Tile]] = []
    for group, own in groups.items():
        if group:
            names.append(wrap(labels.scale(group), room, sheet.em, lines=1, bold=True))
            cells.append([Tile()] * len(heads))
        for item in own:
            names.append(called[item.item])
            row = [_tile((item.item, *column), found, labels) for column in columns]
            cells.append([*row, *(_spread(item.item, found, presentation) if apart else ())])
    tiles = [cell for row in cells for cell in row]
    changing = any(not wave for *_, wave in found)
    about = "; change in points: ▲ rose, ▼ fell, else no clear change" if changing else ""
    drawn = grid(
        presentation,
        (
            _title(found, parts, presentation) or f"Favourable answers to {len(items)} {many}",
            f"Favourable answers, %{about}",
        ),
        Rows(names, sheet.em, bold=[place for place, row in enumerate(cells) if row[:1] == [Tile()]]),
        cells,
        heads,
        most=WIDEST,
        groups=spans,
        keys=withheld_key(any(cell.hatched for cell in tiles)),
        notes=[
            reversed_note(shown),
            f"{NONE} not asked, or not in this form." if any(cell.text == NONE for cell in tiles) else "",
            "Changes are computed before rounding." if changing else "",
            f"Shown: the {len(shown)} of {len(items)} {many} that changed most."
            if len(shown) < len(items)
            else "",
        ],
    )
    there = rows["wave"].isin({wave for _, wave in columns}) & rows["organisation"].isin(parts)
    if apart:
        there |= rows["wave"].eq(list(presentation.waves)[-1])
    caption = f"Share of favourable answers to each {one}."
    if changing:
        caption += (
            f" Change between the main two waves, with a sign where p, adjusted across {many}, decides."
        )
    rows = rows[there & rows["item"].isin([item.item for item in shown])]
    return drawn.drawing(rows, caption=caption, alt=f"{drawn.title}. A row per {one} and a column per wave.")


def _columns(there: set[Column], presentation: Presentation) -> list[Column]:
    """Choose what there is room for: every organisation in every wave, or less."""
    waves, compared = list(presentation.waves), main_pair(presentation)
    main = [compared.first, compared.last] if compared else waves
    single = list(presentation.organisations)
    choices = [(single, waves), (single, main), ([ALL], waves), ([ALL], main)]
    found: list[Column] = []
    for parts, own in choices if len(single) > 1 else choices[2:]:
        found = [(name, wave) for name in parts for wave in (*own, "") if (name, wave) in there]
        if len(found) <= COLUMNS:
            break
    return found[:COLUMNS]


def _tile(place: tuple[str, str, str], found: Cells, labels: Labels) -> Tile:
    """Make a tile: a share on its shade, or a change with the sign of its decision."""
    (item, organisation, wave), row = place, found.get(place)
    estimate = None if row is None else row.favourable_percent if wave else row.estimate
    if row is None or pd.isna(estimate) or not (wave or row.status in ESTIMATED):
        gone = row is not None and row.status == Status.WITHHELD
        return Tile(WITHHELD if gone else NONE, ink=GREY, hatched=gone)
    if wave:
        ground = to_hex(SHADES(float(estimate) / 100))
        whose = f"{labels.organisation(organisation)}, {labels.wave(wave)}"
        told = f"{labels.item(item)} {whose}: {number(estimate, 1)}% favourable"
        return Tile(number(estimate, 0), ground, on(ground), told=told)
    (colour, _, sign), moved = look_of(row.decision), row.decision in MOVED
    text = f"{sign if moved else ''}{number(estimate, 0, signed=True)}"
    return Tile(text, ink=colour if moved else GREY, bold=moved)


def _spread(item: str, found: Cells, presentation: Presentation) -> list[Tile]:
    """Make two tiles: the lowest and highest share of any organisation in the last wave, and how many moved."""
    last, names = list(presentation.waves)[-1], presentation.organisations
    rows = [row for name in names if (row := found.get((item, name, last))) is not None]
    shares = [float(row.favourable_percent) for row in rows if pd.notna(row.favourable_percent)]
    moved = [row.decision for name in names if (row := found.get((item, name, ""))) is not None]
    signs = (f"{look_of(one)[2]}{moved.count(one)}" for one in MOVED)
    ends = f"{number(min(shares), 0)}–{number(max(shares), 0)}" if shares else NONE
    return [Tile(ends), Tile(" ".join(signs) if moved else NONE)]


def _most_changed(
    items: Sequence[Item],
    called: Mapping[str, Sequence[str]],
    found: Cells,
    parts: Sequence[str],
    sheet: Sheet,
) -> list[Item]:
    """Return the statements that changed most, as many as a sheet has room for, in their order."""

    def size(item: Item) -> float:
        rows = [row for name in parts if (row := found.get((item.item, name, ""))) is not None]
        sizes = [abs(row.estimate) + 1000 * (row.decision in MOVED) for row in rows if pd.notna(row.estimate)]
        return max(sizes, default=0.0)

    ranked = sorted(items, key=size, reverse=True)
    ends = accumulate(Rows([called[item.item] for item in ranked], sheet.em).heights)
    kept = [item for item, end in zip(ranked, ends, strict=True) if end <= sheet.most / sheet.em - 17.5]
    return [item for item in items if item in kept]


def _title(found: Cells, parts: Sequence[str], presentation: Presentation) -> str:
    """Return on how many of the statements that are compared answers became more or less favourable, if any are."""
    labels, many, said = Labels(presentation), presentation.nouns.statement[1], list[str]()
    own = [row for (*_, wave), row in found.items() if not wave and row.status in ESTIMATED]
    counts = {name: [row.decision for row in own if row.organisation == name] for name in parts}
    alike = len({len(one) for one in counts.values() if one}) == 1
    for name, decisions in counts.items():
        if decisions:
            whose = f"{labels.organisation(name)}: " if len(parts) > 1 else ""
            of = "" if said and alike else f" of {len(decisions)}" + f" {many}" * (not said)
            up, down = map(decisions.count, MOVED)
            said.append(f"{whose}{up}{of} rose, {down} fell")
    return "; ".join(said)
