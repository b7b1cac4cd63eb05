"""Specification charts: every contrast of a scale as each way to analyse gives it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.figures.contrasts import LEAST, heading_of, left_out, shown_contrasts, waves_of
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import (
    ADJUSTED,
    TERMS,
    Estimate,
    Facet,
    Gap,
    Scale,
    decision_keys,
    decision_look,
    draw_facets,
    spanning,
)
from surveywaves.figures.layout import Page
from surveywaves.figures.means import ESTIMATED, level, titles
from surveywaves.study.parts import Presentation
from surveywaves.terms import FAVOURABLE, MAIN, ORGANISATION, STANDARDISED, variant_title
from surveywaves.text import listed
from surveywaves.words import Labels, absent, evidence_of, lower, number, whole, without

ABREAST: Final = 4
MOST_PANELS: Final = 24
"""With more contrasts than this, those of the last terms are left to the table."""
AS_MAIN: Final = "as the main analysis"


class _Cell(NamedTuple):
    """What a variant says of a contrast; `reason` says in short why nothing, and is empty where there is something."""

    value: float
    low: float
    high: float
    error: float
    decision: str
    n: float
    reason: str
    note: str


Cells = dict[str, _Cell]
"""Variant -> what it says of one contrast."""


def sensitivity(table: pd.DataFrame, presentation: Presentation, scale: str) -> Drawing:
    """Draw every contrast of a scale by every variant, a panel a contrast and a row a variant.

    Parameters
    ----------
    table
        `released/sensitivity`.
    presentation
        The study in words.
    scale
        The scale.
    """
    every = table[(table["scale"] == scale) & (table["analysis"] != FAVOURABLE)]
    mine = shown_contrasts(every, presentation)
    title = f"{titles(presentation).get(scale, scale)}: other ways to analyse"
    found, skipped = _panels(mine, presentation)
    panels = {heading: part for heading, part in found.items() if not part[MAIN].reason}
    variants = list(dict.fromkeys(mine["variant"]))
    rows, apart = _rows(variants, panels, presentation)
    facets = [_facet(heading, part, rows) for heading, part in panels.items()]
    waves = waves_of(mine, presentation)
    variables = [name for name in presentation.variables if any(name in variant for variant in variants)]
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION, *variables])
    smallest = float(mine["smallest"].max()) if len(mine) else math.nan
    band = (-smallest, smallest) if math.isfinite(smallest) else (0.0, 0.0)
    low, high = spanning(facets, include=[0.0, *band])
    axis = f"Difference in standard deviations of one answer, with {level(presentation)} interval"

    page = Page(presentation.style)
    page.title(title)
    used = {cell.decision for part in panels.values() for cell in part.values()}
    terms = {term.removesuffix(STANDARDISED) for term in mine["term"]}
    small = f"Too small to matter (less than {smallest:g})" if band[1] > 0 else ""
    keys = decision_keys(used, terms, band=small)
    page.legend(keys)
    draw_facets(
        page,
        facets,
        rows,
        Scale(low, high, axis, reference=(0.0,), band=band),
        side_by_side=page.abreast(len(facets), ABREAST, least=LEAST),
    )
    if not facets:
        page.paragraph("No contrast could be estimated.")
    unable = [(heading, part[MAIN].reason, part[MAIN].note) for heading, part in found.items()]
    notes = [
        note
        for note in (
            ADJUSTED if mine["p_adjusted"].notna().any() else "",
            *apart,
            _said(rows, panels, presentation),
            left_out(_contrasts(every) - _contrasts(mine)),
            skipped,
            without([one for one in unable if one[1]], presentation),
        )
        if note
    ]
    page.foot(notes, evidence)
    people = [cell.n for part in panels.values() for cell in part.values() if math.isfinite(cell.n)]
    n = f"{whole(min(people))} to {whole(max(people))} respondents a contrast. " if people else ""
    caption = [
        f"{title}: each contrast by each way to analyse, with {level(presentation)} intervals; colour and shape are "
        f"the decision. {n}Right of the line: the later wave, or the organisation named first, is higher. Unit: one "
        "standard deviation of one answer in the main analysis (linear mixed model); for the ordinal models, of the "
        "latent answer. Respondents are not linked between waves.",
        *notes,
        evidence,
    ]
    return Drawing(
        figure=page.finish(),
        rows=mine,
        title=title,
        caption=" ".join(caption),
        alt=" ".join(["Specification chart, a panel a contrast.", *_alt(panels), *notes, evidence]),
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _panels(table: pd.DataFrame, presentation: Presentation) -> tuple[dict[str, Cells], str]:
    """Give each contrast's heading and variants; and say which terms are left out where there are too many."""
    found: dict[str, dict[str, Cells]] = {term: {} for term in TERMS}
    columns = (
        *("variant", "term", "wave", "organisation", "estimate", "conf_low", "conf_high", "std_error"),
        *("decision", "n", "status", "note"),
    )
    for variant, term, wave, organisation, value, low, high, error, decision, n, status, note in zip(
        *(table[name] for name in columns), strict=True
    ):
        there = status in ESTIMATED and value == value  # noqa: PLR0124 - false for NaN
        of_term = term.removesuffix(STANDARDISED)
        heading = heading_of(of_term, wave, organisation, presentation)
        count = float(n) if not pd.isna(n) and there else math.nan
        reason = "" if there else absent(status)
        cell = _Cell(value, low, high, error, decision if there else "", count, reason, note)
        found[of_term].setdefault(heading, {})[variant] = cell
    kept: dict[str, Cells] = {}
    dropped = []
    for term, panels in found.items():
        if kept and len(kept) + len(panels) > MOST_PANELS:
            dropped.append(term.replace("_", " "))
        else:
            kept |= panels
    skipped = f"Not drawn, too many for one figure: {listed(dropped)}." if dropped else ""
    return {heading: part for heading, part in kept.items() if MAIN in part}, skipped


def _same(cell: _Cell, main: _Cell) -> bool:
    """Whether a variant's numbers are the main analysis's own: see `surveywaves.sensitivity.compare`."""
    return not cell.reason and (cell.value, cell.error) == (main.value, main.error)


def _rows(
    variants: Iterable[str], panels: dict[str, Cells], presentation: Presentation
) -> tuple[dict[str, str], list[str]]:
    """Give the variants that have a row, with their titles; and notes of those that say nothing new anywhere."""
    rows: dict[str, str] = {}
    same, unable = [], []
    for variant in variants:
        named = _title(variant, presentation)
        cells = [(part[variant], part[MAIN]) for part in panels.values() if variant in part]
        if variant != MAIN and cells and all(cell.reason for cell, _ in cells):
            unable.append((named, cells[0][0].reason, Labels(presentation).readable(cells[0][0].note)))
        elif variant != MAIN and cells and all(cell.reason or _same(cell, main) for cell, main in cells):
            note = next(cell.note for cell, main in cells if _same(cell, main))
            same.append(f"{named} ({Labels(presentation).readable(note)})")
        else:
            rows[variant] = named
    notes = [without(unable, presentation)]
    if same:
        notes.append(f"The same as the main analysis: {'; '.join(same)}.")
    return rows, [note for note in notes if note]


def _facet(heading: str, part: Cells, rows: dict[str, str]) -> Facet:
    facet = Facet(heading)
    for variant in rows:
        cell = part.get(variant)
        if cell is None:
            continue
        if cell.reason:
            facet.lanes[variant] = [Gap(cell.reason)]
        elif variant != MAIN and _same(cell, part[MAIN]):
            facet.lanes[variant] = [Gap(AS_MAIN)]
        else:
            look = decision_look(cell.decision)
            facet.lanes[variant] = [Estimate(look, cell.value, cell.low, cell.high)]
    return facet


def _said(rows: dict[str, str], panels: dict[str, Cells], presentation: Presentation) -> str:
    """Tell what the variants that are drawn have to say of themselves, and why some panels lack them."""
    said: list[str] = []
    for variant, named in rows.items():
        mine = [part[variant] for part in panels.values() if variant in part]
        told = next((cell.note for cell in mine if not cell.reason), "")
        lacking = dict.fromkeys(f"{cell.reason}: {cell.note}" for cell in mine if cell.reason)
        words = [Labels(presentation).readable(note) for note in (told, *lacking) if note]
        if variant != MAIN and words:
            said.append(f"{named}: {'; '.join(words)}.")
    return " ".join(said)


def _title(variant: str, presentation: Presentation) -> str:
    return variant_title(variant, {name: known.label for name, known in presentation.variables.items()})


def _contrasts(table: pd.DataFrame) -> int:
    return len(table[["term", "wave", "organisation"]].drop_duplicates())


def _alt(panels: dict[str, Cells]) -> Iterator[str]:
    """Say, contrast by contrast, what the main analysis gives and how many others decide alike."""
    for heading, part in panels.items():
        main = part[MAIN]
        others = [
            cell for name, cell in part.items() if name != MAIN and not cell.reason and not _same(cell, main)
        ]
        alike = sum(cell.decision == main.decision for cell in others)
        yield (
            f"{heading}: {number(main.value, 2)} ({lower(main.decision.replace('_', ' ') or 'no decision')}); "
            f"{alike} of {len(others)} variants decide alike."
        )
