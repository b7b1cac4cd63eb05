"""Differential item functioning: how large each item's difference between groups is, and which are flagged."""

from __future__ import annotations

from typing import Final

import pandas as pd

from surveywaves.figures.contrasts import change_in_words, gap_in_words
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import Estimate, Facet, Scale, draw_facets, spanning
from surveywaves.figures.layout import SIZES, Key, Look, Page
from surveywaves.figures.means import ESTIMATED, respondents_of, titles
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, CUTS, ORGANISATION
from surveywaves.text import listed
from surveywaves.words import (
    REVERSED_MEANS,
    absent,
    evidence_of,
    number,
    pair,
    statement,
    wave_title,
    without,
)

ABREAST: Final = 6
"""Panels side by side; with more comparisons than fit, pairs are left to the table where all are compared at once."""
LEAST: Final = 8.0
"""Width that a panel takes at least, in base font sizes."""
ALL_WAVES: Final = "All waves"
ALL_ORGANISATIONS: Final = "All organisations"
SIZE_TERM: Final = "total_r2_change"
TEST_TERM: Final = "total_lr"
SIGNIFICANCE: Final = 0.05


def functioning(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the change of R2 of every item by comparison; what is at least moderate and significant is named.

    Parameters
    ----------
    table
        `released/dif`.
    presentation
        The study in words.
    """
    title = "Do the statements work alike in every group?"
    place = ["item", "wave", "organisation"]
    sizes = table[table["term"] == SIZE_TERM]
    tests = table[table["term"] == TEST_TERM].set_index(place)["p_adjusted"].to_dict()
    panels: dict[str, Facet] = {}
    at_once: dict[str, str] = {}
    waves: dict[str, None] = {}
    unable: list[tuple[str, str, str]] = []
    flagged, drawn = [], 0
    columns = ("item", "wave", "organisation", "estimate", "status", "note")
    for item, wave, organisation, value, status, note in zip(*(sizes[name] for name in columns), strict=True):
        if item not in presentation.items:
            continue
        heading = _heading(wave, organisation, presentation)
        at_once[heading] = ALL_WAVES if wave else ALL_ORGANISATIONS
        waves |= dict.fromkeys(pair(wave) or ([wave] if wave not in ("", ALL) else presentation.waves))
        if status not in ESTIMATED or pd.isna(value):
            unable.append((f"{heading}", absent(status), _reason(note)))
            continue
        significant = tests.get((item, wave, organisation), 1.0) < SIGNIFICANCE
        look = _look(value, significant=significant)
        panels.setdefault(heading, Facet(heading)).lanes[item] = [Estimate(look, value, value, value)]
        drawn += 1
        if look.marker == SIZES["moderate"][1] or look.marker == SIZES["large"][1]:
            flagged.append(f"{statement(presentation.items[item])} ({heading}: {number(value, 3)})")
    page = Page(presentation.style)
    facets = _shown(panels, at_once, page.abreast(len(panels), ABREAST, least=LEAST))
    pairs = len(panels) - len(facets)
    moderate, large = CUTS["jodoin_gierl"]
    _, high = spanning(facets, include=[0.0, large])
    named = titles(presentation)
    order = [*presentation.scales, None]
    items = sorted(presentation.items.values(), key=lambda item: order.index(item.scale))
    evidence = evidence_of(
        presentation, [w for w in presentation.waves if w in waves], "joint", ["items", ORGANISATION]
    )
    counted: dict[tuple[str, str, str], int] = {}
    for one in unable:
        counted[one] = counted.get(one, 0) + 1
    notes = [
        f"Comparisons of pairs that are not drawn, but stand in the table: {pairs}." if pairs else "",
        f"Flagged: {'; '.join(flagged)}." if flagged else "No statement is flagged.",
        without(
            (
                (f"{heading} ({n} {'statements' if n > 1 else 'statement'})", reason, note)
                for (heading, reason, note), n in counted.items()
            ),
            presentation,
        ),
    ]
    if any(item.key < 0 for item in items):
        notes.append(REVERSED_MEANS)
    notes = [note for note in notes if note]

    page.title(title)
    page.legend(Key(words, *SIZES[name]) for name, words in _KEYS.items())
    draw_facets(
        page,
        facets,
        {item.item: statement(item) for item in items},
        Scale(0.0, high, "Change of Nagelkerke's R²", reference=(moderate, large), decimals=2),
        side_by_side=page.abreast(len(facets), ABREAST, least=LEAST),
        groups={item.item: named[item.scale] for item in items if item.scale},
        compact=True,
    )
    if not facets:
        page.paragraph("There are no comparisons of statements to show.")
    page.foot(notes, evidence)
    caption = [
        f"{title} Change of Nagelkerke's R² when the group, and its interplay with the score, is added to an ordinal "
        "logistic regression of the answer on the scale score (uniform and non-uniform differential item functioning "
        f"together). Lines: moderate from {moderate:g}, large from {large:g} (Jodoin and Gierl). Flagged: at "
        f"least moderate, and significant at {SIGNIFICANCE:g} after adjustment for the number of tests. No intervals.",
        respondents_of(sizes),
        *notes,
        evidence,
    ]
    values = sizes.loc[sizes["status"].isin(ESTIMATED), "estimate"].dropna()
    largest = f"The largest is {number(float(values.max()), 3)}." if len(values) else ""
    return Drawing(
        figure=page.finish(),
        rows=table[table["term"].isin((SIZE_TERM, TEST_TERM))],
        title=title,
        caption=" ".join(filter(None, caption)),
        alt=f"Dot plot, a row a statement and a panel a comparison: {drawn} changes of R², {len(flagged)} flagged. "
        f"{largest} {listed(notes) if flagged else ''} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _shown(panels: dict[str, Facet], at_once: dict[str, str], fitting: int) -> list[Facet]:
    """Leave out pairs of waves, or of organisations, where not all panels fit and one compares all of them at once."""
    if len(panels) <= fitting:
        return list(panels.values())
    return [facet for name, facet in panels.items() if name == at_once[name] or at_once[name] not in panels]


_KEYS: Final = {
    "negligible": "Negligible, or not significant",
    "moderate": "Moderate and significant",
    "large": "Large and significant",
}


def _look(value: float, *, significant: bool) -> Look:
    size = sum(value >= cut for cut in CUTS["jodoin_gierl"]) if significant else 0
    return Look(*SIZES[list(_KEYS)[size]])


def _heading(wave: str, organisation: str, presentation: Presentation) -> str:
    if not wave:
        return ALL_ORGANISATIONS if organisation == ALL else gap_in_words(organisation, presentation)
    if wave == ALL:
        return ALL_WAVES
    return change_in_words(wave, presentation) if pair(wave) else wave_title(presentation, wave)


def _reason(note: str) -> str:
    """Give the part of a note that says why there is no estimate."""
    return note.partition(";")[0]
