"""Whether other analyses agree: a row per clear result, a column per alternative analysis."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.figures.drawing import LINE, Drawing, Key, decision_keys
from surveywaves.figures.layout import Rows, Tile, grid
from surveywaves.figures.style import DECISIONS, GREY, Sheet, on, wrap
from surveywaves.findings import ANALYSIS, CHANGE, CLEAR, GAP, main_pair, main_unit, term_in
from surveywaves.study.parts import Presentation
from surveywaves.terms import ESTIMATED, MAIN, PERCENT_FAVOURABLE, STANDARDISED
from surveywaves.words import NONE, Labels, number, records

ROWS: Final = 40
"""Most results that are shown, the largest."""

COLUMN: Final = 7.0
"""Width that a column takes at most, in em."""

SAME, OTHER = "#ececec", "#7a3e8e"
"""Ground of a tile whose decision is that of the main analysis, and of one whose is not."""


def robustness(sensitivity: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw what every alternative analysis decides, for each clear result of the main one.

    The results are changes between the main pair of waves; with one wave, its gaps.
    """
    labels, pair = Labels(presentation), main_pair(presentation)
    kind, wave = (CHANGE, pair.contrast) if pair else (GAP, next(iter(presentation.waves)))
    rows = _rows(sensitivity, kind, wave)
    found = {(row.variant, row.organisation, row.scale): row for row in records(rows)}
    results = [place[1:] for place, row in found.items() if place[0] == MAIN and row.decision in CLEAR]
    total = len(results)
    results = sorted(results, key=lambda place: -abs(found[MAIN, *place].estimate))[:ROWS]
    order = [*presentation.organisations, *dict.fromkeys(one for one, _ in results)]
    results.sort(key=lambda place: order.index(place[0]))
    tried = dict.fromkeys(row.variant for row in found.values() if row.variant != MAIN)
    variants = [name for name in tried if any(_decided(found.get((name, *place))) for place in results)]
    agreeing = sum(all(_alike(found, name, place) for name in variants) for place in results)
    em = Sheet.of(presentation.style).em
    names = [
        wrap(f"{labels.organisation(one)}: {labels.scale(scale)}", 24 * em, em, lines=1)
        for one, scale in results
    ]
    cells = [[_tile(found, name, place, labels) for name in (MAIN, *variants)] for place in results]
    words = ("rose", "fell", "no meaningful change", "no clear change")
    if not pair:
        words = ("higher", "lower", "no meaningful difference", "no clear difference")
    keys = [
        *decision_keys({row.decision for row in found.values()}, words, grid=True),
        Key("as in the main analysis", {"facecolor": SAME, "edgecolor": GREY, "linewidth": 0.6}, box=True),
        Key("another decision", {"facecolor": OTHER, "edgecolor": GREY, "linewidth": 0.6}, box=True),
    ]
    unit = "favourable answers, %" if main_unit(sensitivity) == PERCENT_FAVOURABLE else "means"
    title = f"{agreeing} of {total} clear {'changes' if pair else 'differences'} hold in every alternative analysis"
    missing = any(tile.text == NONE for row in cells for tile in row)
    heads = ["Main analysis", *map(labels.variant, variants)]
    drawn = grid(
        presentation,
        (
            title if total else f"No clear {'change' if pair else 'difference'} to try by other analyses",
            f"{labels.wave(wave)}: {unit}",
        ),
        Rows(names, em, LINE + 0.35),
        cells,
        heads if total else [],
        most=COLUMN,
        keys=keys if total else [],
        notes=[
            f"{NONE} cannot be estimated, or not released." if missing else "",
            f"The {ROWS} largest of {total}." if total > ROWS else "",
        ],
    )
    caption = "Decisions of each alternative analysis, tested and adjusted like the main one."
    return drawn.drawing(
        rows, caption=caption, alt=f"{drawn.title}. Tiles, a row a result and a column an analysis."
    )


def _rows(sensitivity: pd.DataFrame, kind: str, wave: str) -> pd.DataFrame:
    """Take the contrasts of a kind in the headline's unit; where other analyses have none of it, standardised."""
    unit = main_unit(sensitivity)
    own = sensitivity[(sensitivity["wave"] == wave) & (sensitivity["analysis"] == ANALYSIS[unit])]
    for term in (term_in(unit, kind), f"{kind}{STANDARDISED}"):
        if (own["term"] == term).any():
            return own[own["term"] == term]
    return own[:0]


def _decided(row: Any) -> bool:
    return row is not None and row.status in ESTIMATED and bool(row.decision)


def _alike(found: dict[tuple[str, str, str], Any], variant: str, place: tuple[str, str]) -> bool:
    row: Any = found.get((variant, *place))
    return not _decided(row) or row.decision == found[MAIN, *place].decision


def _tile(
    found: dict[tuple[str, str, str], Any], variant: str, place: tuple[str, str], labels: Labels
) -> Tile:
    """Make a tile: the decision's sign, on a ground that says whether it is the main analysis's."""
    row: Any = found.get((variant, *place))
    if not _decided(row):
        return Tile(NONE, ink=GREY)
    colour, _, sign = DECISIONS[row.decision]
    alike = row.decision == found[MAIN, *place].decision
    ground = ("#ffffff" if variant == MAIN else SAME) if alike else OTHER
    told = (
        f"{labels.organisation(place[0])}, {labels.scale(place[1])}, {labels.variant(variant)}: "
        f"{number(row.estimate, 1, signed=True)}, {row.decision.replace('_', ' ')}"
    )
    return Tile(
        sign, ground, colour if variant == MAIN else on(ground), bold=not alike or variant == MAIN, told=told
    )
