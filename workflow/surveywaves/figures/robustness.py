"""Whether another analysis would say the same: a row a clear result, a column an alternative analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.patches import Patch

from surveywaves.figures.drawing import LINE, Drawing, Page, Tile, decision_keys, tiles
from surveywaves.figures.style import DECISIONS, GREY, INK, Sheet, width, wrap
from surveywaves.findings import ANALYSIS, CHANGE, GAP, main_pair, main_unit, term_in
from surveywaves.study.parts import Presentation
from surveywaves.terms import ESTIMATED, MAIN, PERCENT_FAVOURABLE, STANDARDISED, Decision, variant_title
from surveywaves.words import NONE, Labels, number, records

ROWS: Final = 40
"""Most results that are shown, the largest."""

SAME, OTHER = "#ececec", "#f2b880"
"""Ground of a tile whose decision is that of the main analysis, and of one whose is not."""

CLEAR: Final = tuple(decision.value for decision in Decision if decision is not Decision.INCONCLUSIVE)


def robustness(sensitivity: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw what every alternative analysis decides, for each clear result of the main one.

    Parameters
    ----------
    sensitivity
        As released.
    presentation
        The study in words. The results are changes between the main pair of waves; with one wave, its gaps.
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
    named = {name: variable.label for name, variable in presentation.variables.items()}
    tried = dict.fromkeys(row.variant for row in found.values() if row.variant != MAIN)
    variants = [name for name in tried if any(_decided(found.get((name, *place))) for place in results)]
    agreeing = sum(all(_alike(found, name, place) for name in variants) for place in results)
    sheet = Sheet.of(presentation.style)
    heads = [
        "\n".join(wrap(one, 11 * sheet.em, sheet.em))
        for one in ("Main analysis", *(variant_title(name, named) for name in variants))
    ]
    names = [
        " ".join(wrap(f"{labels.organisation(one)}: {labels.scale(scale)}", 24 * sheet.em, sheet.em, lines=1))
        for one, scale in results
    ]
    cells = [[_tile(found, name, place, labels) for name in (MAIN, *variants)] for place in results]
    tall = max((width(line, sheet.em) for head in heads for line in head.split("\n")), default=0) / sheet.em
    drawn = Page(
        presentation,
        f"{agreeing} of {total} clear results hold in every alternative analysis"
        if total
        else "No clear result to try by other analyses",
        _subtitle(sensitivity, labels, wave) if total else "",
        keys=[
            *decision_keys(
                {row.decision for row in found.values()},
                ("rose", "fell", "no meaningful change", "no clear change")
                if pair
                else ("higher", "lower", "no meaningful difference", "no clear difference"),
                grid=True,
            ),
            Patch(facecolor=SAME, edgecolor=GREY, linewidth=0.6, label="as in the main analysis"),
            Patch(facecolor=OTHER, edgecolor=GREY, linewidth=0.6, label="another decision"),
        ]
        if total
        else [],
        notes=[
            f"{NONE} cannot be estimated, or not released."
            if any(NONE in _texts(line) for line in cells)
            else "",
            f"The {ROWS} largest of {total}." if total > ROWS else "",
        ],
        lines=len(results) * (LINE + 0.35) + tall + 2,
    )
    axes = drawn.figure.subplots()
    tiles(axes, cells, names, heads, turned=True)
    return drawn.drawing(
        rows,
        caption="Decisions of each alternative analysis, tested and adjusted like the main one.",
        alt=f"{drawn.title}. Tiles, a row a result and a column an analysis.",
    )


def _rows(sensitivity: pd.DataFrame, kind: str, wave: str) -> pd.DataFrame:
    """Take the contrasts of a kind in the headline's unit; where other analyses have none of it, standardised."""
    unit = main_unit(sensitivity)
    own = sensitivity[(sensitivity["wave"] == wave) & (sensitivity["analysis"] == ANALYSIS[unit])]
    for term in (term_in(unit, kind), f"{kind}{STANDARDISED}"):
        if (own["term"] == term).any():
            return own[own["term"] == term]
    return own[:0]


def _subtitle(sensitivity: pd.DataFrame, labels: Labels, wave: str) -> str:
    unit = "favourable answers, %" if main_unit(sensitivity) == PERCENT_FAVOURABLE else "means"
    return f"{labels.wave(wave)}: {unit}"


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
        f"{labels.organisation(place[0])}, {labels.scale(place[1])}, {variant_title(variant)}: "
        f"{number(row.estimate, 1, signed=True)}, {row.decision.replace('_', ' ')}"
    )
    return Tile(
        sign, ground, colour if variant == MAIN else INK, bold=not alike or variant == MAIN, told=told
    )


def _texts(line: Sequence[Tile]) -> list[str]:
    return [tile.text for tile in line]
