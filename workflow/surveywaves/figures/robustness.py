"""Whether other analyses agree: a row per result or, of many, per scale; a column per alternative analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import seaborn as sns

from surveywaves.figures.drawing import LINE, Drawing, Key
from surveywaves.figures.layout import Rows, Tile, grid
from surveywaves.figures.style import DECISIONS, GREY, Sheet, on, wrap
from surveywaves.findings import ANALYSIS, CHANGE, CLEAR, GAP, main_pair, main_unit, term_in
from surveywaves.study.parts import Presentation
from surveywaves.terms import ESTIMATED, MAIN, PERCENT_FAVOURABLE, STANDARDISED
from surveywaves.words import NONE, Labels, number, opening, records, whole

ROWS: Final = 40
"""Most results with a row each; more are counted in a row per scale."""
COLUMN: Final = 7.0
"""Width that a column takes at most, in em."""
SAME, OTHER = "#ececec", "#7a3e8e"
"""Ground of a tile whose decision is that of the main analysis, and of one whose is not."""

Place = tuple[str, str]
"""Organisation and scale."""
Found = Mapping[Place, Any]
"""Rows with a decision."""


def robustness(sensitivity: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw what every alternative analysis decides, for each clear result of the main one, or for all if none is clear.

    The results are changes between the main pair of waves; with one wave, its gaps.
    """
    labels, pair, em = Labels(presentation), main_pair(presentation), Sheet.of(presentation.style).em
    kind, wave = (CHANGE, pair.contrast) if pair else (GAP, next(iter(presentation.waves)))
    up, down, what = ("rose", "fell", "change") if pair else ("higher", "lower", "difference")
    rows = _rows(sensitivity, kind, wave)
    decided = rows[rows["status"].isin(ESTIMATED) & rows["decision"].ne("")]
    tried: dict[str, dict[Place, Any]] = {name: {} for name in rows["variant"]}
    for row in records(decided):
        tried[row.variant][row.organisation, row.scale] = row
    every = tried.pop(MAIN, {})
    main = {place: row for place, row in every.items() if row.decision in CLEAR} or every
    clear = any(row.decision in CLEAR for row in main.values())
    order = [*presentation.organisations, *dict.fromkeys(one for one, _ in main)]
    results = sorted(main, key=lambda place: (order.index(place[0]), -abs(main[place].estimate)))
    tried = {name: own for name, own in tried.items() if own.keys() & main.keys()}
    agreeing = sum(all(_alike(own, place, main) for own in tried.values()) for place in results)
    unit = "favourable answers, %" if main_unit(sensitivity) == PERCENT_FAVOURABLE else "means"
    about = [f"{labels.wave(wave)}: {unit}"]
    if many := len(results) > ROWS:
        groups = {labels.scale(one): [p for p in results if p[1] == one] for one in labels.scales_in(decided)}
        about.append(f"on how many {what}s the decision is the same")
    else:
        groups = {f"{labels.organisation(one)}: {labels.scale(of)}": [(one, of)] for one, of in results}
        words = up, down, f"no meaningful {what}", f"no clear {what}"
        signs = zip(DECISIONS, words, strict=True)
        about += [f"{DECISIONS[one][2]} {said}" for one, said in signs if decided["decision"].eq(one).any()]
    make = _counted if many else _tile
    cells = [[make(own, of, main, labels) for own in (main, *tried.values())] for of in groups.values()]
    absent = any(tile.text == NONE for row in cells for tile in row)
    counts = (
        f"{whole(agreeing)} of {whole(len(results))}"
        if agreeing < max(len(results), 2)
        else f"all {whole(agreeing)}"
    )
    s = "s" * (agreeing == 1)
    every_other = "every alternative analysis" + " that estimates them" * absent
    if clear:
        title = f"{opening(counts)} clear {what}s hold{s} in {every_other}"
    elif main:
        title = f"No {what} is clear, and {counts} stay{s} so in {every_other}"
    else:
        title = f"No {what} can be estimated"
    box = {"edgecolor": GREY, "linewidth": 0.6}
    looks = {"as in the main analysis": SAME, "another decision": OTHER}
    drawn = grid(
        presentation,
        (title, "; ".join(about)),
        Rows([wrap(name, 24 * em, em, lines=1) for name in groups], em, LINE + 0.35),
        cells,
        ["Main analysis", *map(labels.variant, tried)] if results else [],
        most=COLUMN,
        keys=[Key(said, {"facecolor": look, **box}, box=True) for said, look in looks.items() if results],
        notes=[f"{NONE} cannot be estimated, or not released." if absent else ""],
    )
    caption = "Decisions of each alternative analysis, tested and adjusted like the main one."
    alt = f"{drawn.title}. Tiles, a row per {'scale' if many else 'result'} and a column per analysis."
    return drawn.drawing(rows if results else rows[:0], caption=caption, alt=alt)


def _rows(sensitivity: pd.DataFrame, kind: str, wave: str) -> pd.DataFrame:
    """Take the contrasts of a kind in the headline's unit; where other analyses have none of it, standardised."""
    unit = main_unit(sensitivity)
    own = sensitivity[(sensitivity["wave"] == wave) & (sensitivity["analysis"] == ANALYSIS[unit])]
    named = own[own["term"] == term_in(unit, kind)]
    return named if len(named) else own[own["term"] == f"{kind}{STANDARDISED}"]


def _alike(own: Found, place: Place, main: Found) -> bool:
    return place not in own or own[place].decision == main[place].decision


def _tile(own: Found, places: Sequence[Place], main: Found, labels: Labels) -> Tile:
    """Make the tile of a result: the sign of its decision, on a ground that shows whether the main analysis agrees."""
    [place] = places
    if place not in own:
        return Tile(NONE, ink=GREY)
    row, alike, first = own[place], _alike(own, place, main), own is main
    colour, _, sign = DECISIONS[row.decision]
    ground = ("#ffffff" if first else SAME) if alike else OTHER
    told = (
        f"{labels.organisation(row.organisation)}, {labels.scale(row.scale)}, {labels.variant(row.variant)}: "
        f"{number(row.estimate, 1, signed=True)}, {row.decision.replace('_', ' ')}"
    )
    return Tile(sign, ground, colour if first else on(ground), bold=first or not alike, told=told)


def _counted(own: Found, places: Sequence[Place], main: Found, labels: Labels) -> Tile:  # noqa: ARG001
    """Make the tile of many results: on how many an analysis decides alike, darker the fewer they are."""
    tried = [place for place in places if place in own]
    if own is main or not tried:
        return Tile(str(len(tried)) if own is main else NONE, ink=GREY)
    same = sum(_alike(own, place, main) for place in tried)
    ground = sns.blend_palette([OTHER, SAME], 101).as_hex()[round(100 * same / len(tried))]
    return Tile(f"{same} of {len(tried)}", ground, on(ground))
