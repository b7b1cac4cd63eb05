"""Percentages of favourable answers: observed and modelled side by side, and down a gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import Estimate, Facet, Gap, Scale, draw_facets, spanning
from surveywaves.figures.layout import Key, Page
from surveywaves.figures.means import (
    GROUP,
    Mean,
    cells,
    level,
    missing_note,
    organisation_keys,
    respondents_of,
    titles,
)
from surveywaves.figures.style import WITHHELD, Look, look_of
from surveywaves.figures.words import (
    ORGANISATION,
    evidence_of,
    organisation_label,
    percent,
    wave_title,
)
from surveywaves.study.parts import Presentation
from surveywaves.tidy import ALL, Status

ABREAST: Final = 4
SHARE: Final = "percent_favourable"
EXPLAINED: Final = (
    "A scale's statements weigh equally; favourable answers are those of the study's favourable response options, "
    "mirrored for statements that mean less of what the scale measures."
)
MODELLED: Final = (
    "Modelled percentages are averaged over respondents and statements (cumulative logit model with a random "
    "intercept a respondent), so that waves that asked fewer statements compare. Respondents are not linked between "
    "waves."
)
NOTHING: Final = "There are no estimates to show."

Cells = Mapping[tuple[str, str, str], Mean]


def favourable(means: pd.DataFrame, summary: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the modelled percentages with intervals and, beside each, what was observed.

    Parameters
    ----------
    means
        `released/means`.
    summary
        `released/item_summary`.
    presentation
        The study in words.
    """
    table = shares_of(means)
    found = cells(table)
    seen, left_out = observed(summary, presentation)
    title = "Favourable answers, observed and modelled"
    waves = [wave for wave in presentation.waves if any(cell[1] == wave for cell in found)]
    organisations = [name for name in presentation.organisations if any(cell[2] == name for cell in found)]
    everybody = look_of(ALL, [], presentation.style)
    facets = []
    for wave in waves:
        facet = Facet(wave_title(presentation, wave))
        shown = _those_shown(facet, found, wave, organisations, presentation)
        for scale in presentation.scales:
            for organisation in shown:
                cell = (scale, wave, organisation)
                look = look_of(organisation, list(presentation.organisations), presentation.style)
                if cell in found:
                    facet.lanes.setdefault(scale, []).append(lane_of(found[cell], look))
                if cell in seen:
                    facet.lanes.setdefault(scale, []).append(_outline(seen[cell], look))
            if (scale, wave, ALL) in seen:
                facet.lanes.setdefault(scale, []).append(_outline(seen[scale, wave, ALL], everybody))
        facets.append(facet)
    keys = organisation_keys(presentation, organisations)
    legend = [Key(f"{key.label}, modelled", key.colour, key.marker) for key in keys]
    if any(cell[2] == ALL for cell in seen):
        keys += organisation_keys(presentation, [ALL])
    legend += [Key(f"{key.label}, observed", key.colour, key.marker, hollow=True) for key in keys]
    if any(math.isnan(share) for share in seen.values()):
        legend.append(Key("Observed: withheld", stripes=WITHHELD))
    notes = [note for note in (left_out, missing_note(presentation, dict(found))) if note]
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])

    page = Page(presentation.style)
    page.title(title)
    page.legend(legend)
    draw_shares(page, facets, titles(presentation), presentation)
    page.foot(notes, evidence)
    caption = [
        f"{title}, by scale, wave and organisation, with {level(presentation)} intervals of the modelled percentages.",
        EXPLAINED,
        MODELLED,
        "Observed: the mean over the statements that every wave and organisation shown answered; withheld where one "
        "of these is.",
        respondents_of(table),
        *notes,
        evidence,
    ]
    apart = [
        abs(seen[cell] - mean.value)
        for cell, mean in found.items()
        if not mean.reason and math.isfinite(seen.get(cell, math.nan))
    ]
    agree = (
        f"Observed and modelled percentages differ by {max(apart):.0f} points at most." if apart else NOTHING
    )
    return Drawing(
        name="favourable",
        figure=page.finish(),
        title=title,
        caption=" ".join(filter(None, caption)),
        alt=f"Dot plot, a row a scale and a panel a wave. {agree} {in_numbers(found, presentation)} {evidence}",
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def gradient(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the scales that the study puts in an order, joined, a panel a wave.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words; its style names the scales.
    """
    chosen = presentation.style.gradient
    assert chosen is not None
    table = shares_of(means)
    table = table[table["scale"].isin(chosen.scales)]
    found = cells(table)
    waves = [wave for wave in presentation.waves if any(cell[1] == wave for cell in found)]
    organisations = [name for name in presentation.organisations if any(cell[2] == name for cell in found)]
    facets = []
    for wave in waves:
        facet = Facet(wave_title(presentation, wave))
        shown = _those_shown(facet, found, wave, organisations, presentation)
        for scale in chosen.scales:
            for organisation in shown:
                look = look_of(organisation, list(presentation.organisations), presentation.style)
                if (scale, wave, organisation) in found:
                    facet.lanes.setdefault(scale, []).append(lane_of(found[scale, wave, organisation], look))
        facets.append(facet)
    notes = [note for note in (missing_note(presentation, dict(found), name_scales=True),) if note]
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])
    named = titles(presentation)

    page = Page(presentation.style)
    page.title(chosen.title)
    page.legend(organisation_keys(presentation, organisations))
    draw_shares(
        page, facets, {scale: named.get(scale, scale) for scale in chosen.scales}, presentation, joined=True
    )
    page.foot(notes, evidence)
    caption = [
        f"{chosen.title}: modelled percentages of favourable answers with {level(presentation)} intervals, in the "
        "order that the study names, top to bottom; lines join the scales of an organisation.",
        EXPLAINED,
        MODELLED,
        respondents_of(table),
        *notes,
        evidence,
    ]
    return Drawing(
        name="gradient",
        figure=page.finish(),
        title=chosen.title,
        caption=" ".join(filter(None, caption)),
        alt=f"Dot plot with joined marks, a row a scale and a panel a wave. {_steps(found, presentation)} {evidence}",
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def shares_of(means: pd.DataFrame) -> pd.DataFrame:
    """Keep the modelled percentages of a table of means."""
    return means[means["term"] == SHARE]


def observed(
    summary: pd.DataFrame, presentation: Presentation
) -> tuple[dict[tuple[str, str, str], float], str]:
    """Average the observed percentages of a scale's items, and say which items are left out.

    Items count that all cells have in which the scale was asked at all; where there is no such item, nothing is given.
    A cell of which one of them is withheld is withheld.

    Parameters
    ----------
    summary
        `released/item_summary`.
    presentation
        The study in words.

    Returns
    -------
    dict, str
        (scale, wave, organisation) -> percentage, NaN if withheld; and a sentence, empty if no item is left out. The
        organisation is `all` too, where a wave surveyed several.
    """
    found: dict[str, dict[tuple[str, str], dict[str, float]]] = {}
    columns = ("wave", "organisation", "item", "favourable_percent", "status")
    for wave, organisation, item, share, status in zip(*(summary[name] for name in columns), strict=True):
        known = presentation.items.get(item)
        if known is None or known.scale is None or organisation not in _counted_in(wave, presentation):
            continue
        # A row is withheld if anything in it is; that alone says nothing of its percentage.
        if not pd.isna(share) or status == Status.WITHHELD.value:
            here = found.setdefault(known.scale, {}).setdefault((wave, organisation), {})
            here[item] = math.nan if pd.isna(share) else float(share)
    means: dict[tuple[str, str, str], float] = {}
    lacking = []
    for scale, places in found.items():
        everywhere = set.intersection(*(set(items) for items in places.values()))
        anywhere = set().union(*places.values())
        if len(everywhere) < len(anywhere):
            what = f"{len(anywhere) - len(everywhere)} of {len(anywhere)}"
            lacking.append(f"{titles(presentation).get(scale, scale)} ({what})")
        if everywhere:
            for (wave, organisation), items in places.items():
                mean = sum(items[item] for item in sorted(everywhere)) / len(everywhere)
                means[scale, wave, organisation] = mean
    said = f"Observed without statements that not every wave has: {'; '.join(lacking)}." if lacking else ""
    return means, said


def _counted_in(wave: str, presentation: Presentation) -> tuple[str, ...]:
    """List whose answers are counted in a wave; where it surveyed one organisation, everybody is that."""
    surveyed = presentation.waves[wave].organisations_surveyed
    return tuple(presentation.organisations) + ((ALL,) if len(surveyed) > 1 else ())


def draw_shares(
    page: Page,
    facets: list[Facet],
    rows: dict[str, str],
    presentation: Presentation,
    *,
    groups: Mapping[str, str] | None = None,
    joined: bool = False,
) -> None:
    """Draw panels of percentages at the page's current end; see `draw_facets`."""
    low, high = spanning(facets)
    axis = f"Favourable answers, with {level(presentation)} interval"
    draw_facets(
        page,
        facets,
        rows,
        Scale(max(low, 0.0), min(high, 100.0) if facets else 100.0, axis),
        side_by_side=page.abreast(len(facets), ABREAST),
        write=lambda value: f"{value:.0f}%",
        groups=groups,
        joined=joined,
    )
    if not facets:
        page.paragraph(NOTHING)


def _those_shown(
    facet: Facet, found: Cells, wave: str, organisations: Iterable[str], presentation: Presentation
) -> list[str]:
    """List the organisations with any estimate in a wave; the others are named under the panel's heading."""
    shown = []
    for organisation in organisations:
        mine = [mean for cell, mean in found.items() if cell[1:] == (wave, organisation)]
        if any(not mean.reason for mean in mine):
            shown.append(organisation)
        elif mine:
            facet.notes.append(f"{organisation_label(presentation, organisation)}: {mine[0].reason}")
    return shown


def lane_of(mean: Mean, look: Look) -> Estimate | Gap:
    """Give the mark of an estimate, or the words in its place."""
    return Gap(mean.reason) if mean.reason else Estimate(look, mean.value, mean.low, mean.high)


def _outline(share: float, look: Look) -> Estimate | Gap:
    """Give the mark of an observed percentage."""
    if math.isnan(share):
        return Gap(Status.WITHHELD.value, (WITHHELD[0], look.colour))
    return Estimate(Look(look.colour, look.marker, hollow=True), share, math.nan, math.nan)


def in_numbers(found: Cells, presentation: Presentation) -> str:
    """Say every percentage, scale by scale."""
    said = []
    for scale, title in titles(presentation).items():
        parts = [
            f"{wave_title(presentation, wave)}, {organisation_label(presentation, organisation)} {percent(mean.value)}"
            for (of, wave, organisation), mean in found.items()
            if of == scale and not mean.reason
        ]
        if parts:
            said.append(f"{title}: {'; '.join(parts)}.")
    return " ".join(said)


def _steps(found: Cells, presentation: Presentation) -> str:
    """Say, wave by wave and organisation by organisation, the percentages in order, and whether they fall."""
    assert presentation.style.gradient is not None
    named = titles(presentation)
    said = []
    for wave, organisation in dict.fromkeys(cell[1:] for cell in found):
        means = {
            scale: found.get((scale, wave, organisation)) for scale in presentation.style.gradient.scales
        }
        values = {scale: mean.value for scale, mean in means.items() if mean is not None and not mean.reason}
        if len(values) < len(means):
            continue
        order = list(values.values())
        falls = (
            "falling from each to the next" if order == sorted(order, reverse=True) else "not in this order"
        )
        steps = ", ".join(f"{named.get(scale, scale)} {percent(value)}" for scale, value in values.items())
        where = f"{wave_title(presentation, wave)}, {organisation_label(presentation, organisation)}"
        said.append(f"{where}: {steps}; {falls}.")
    return " ".join(said) or NOTHING
