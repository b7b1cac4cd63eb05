"""Estimated marginal means: all scales side by side, wave by wave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import Estimate, Facet, Gap, Scale, draw_facets, spanning
from surveywaves.figures.layout import Key, Page
from surveywaves.figures.style import look_of
from surveywaves.figures.words import (
    ORGANISATION,
    absent,
    evidence_of,
    listed,
    number,
    organisation_label,
    wave_title,
    whole,
    without,
)
from surveywaves.study.parts import Presentation
from surveywaves.tidy import ALL, Status

GROUP: Final = "Scales"
PRIMARY: Final = "linear"
"""The analysis that figures show where a table holds several."""
ESTIMATED: Final = (Status.OK.value, Status.BOUNDARY.value)


class Mean(NamedTuple):
    """An estimate with its interval; `reason` says in short why there is none, and is empty where there is one."""

    value: float
    low: float
    high: float
    reason: str
    note: str


def primary(table: pd.DataFrame) -> pd.DataFrame:
    """Keep one analysis of a table: the linear one, or else the first."""
    found = list(dict.fromkeys(table["analysis"]))
    if len(found) < 2:
        return table
    return table[table["analysis"] == (PRIMARY if PRIMARY in found else found[0])]


def cells(table: pd.DataFrame) -> dict[tuple[str, str, str], Mean]:
    """Give estimates by (scale, wave, organisation)."""
    columns = ("scale", "wave", "organisation", "estimate", "conf_low", "conf_high", "status", "note")
    found = {}
    for scale, wave, organisation, value, low, high, status, note in zip(
        *(table[name] for name in columns), strict=True
    ):
        there = status in ESTIMATED and value == value  # noqa: PLR0124 - false for NaN
        found[scale, wave, organisation] = Mean(value, low, high, "" if there else absent(status), note)
    return found


def respondents_of(table: pd.DataFrame) -> str:
    """Say on how many respondents the estimates of a table rest; empty where it does not say."""
    n = table.loc[table["status"].isin(ESTIMATED), "n"].dropna()
    if n.empty:
        return ""
    least, most = int(n.min()), int(n.max())
    return f"n: {whole(least)}{f' to {whole(most)}' if most > least else ''} respondents an estimate."


def scale_profile(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the means of all scales in the study's order, a panel a wave.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words.
    """
    table = primary(means[means["term"] == "emmean"])
    found = cells(table)
    title = "All scales, wave by wave"
    organisations = [o for o in (*presentation.organisations, ALL) if any(cell[2] == o for cell in found)]
    facets = [
        _facet(presentation, found, wave, organisations)
        for wave in presentation.waves
        if any(cell[1] == wave for cell in found)
    ]
    points = {points_of(presentation, scale) for scale in presentation.scales}
    share = len(points) > 1
    if share:
        facets = [_as_share(facet, presentation) for facet in facets]
    low, high = spanning(facets)
    low, high = max(low, 0.0 if share else 1.0), min(high, 100.0 if share else float(max(points, default=5)))
    most = max(points, default=5)
    where = "as percent of the response range" if share else f"{number(low)} to {number(high)} of 1 to {most}"
    axis = f"Estimated mean ({where}), with {level(presentation)} interval"
    waves = [wave for wave in presentation.waves if any(cell[1] == wave for cell in found)]
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])

    page = Page(presentation.style)
    page.title(title)
    page.legend(organisation_keys(presentation, organisations))
    scale = Scale(low, high, axis, decimals=0 if share else 1)
    draw_facets(page, facets, titles(presentation), scale, side_by_side=page.abreast(len(facets), 4))
    if not facets:
        page.paragraph("There are no estimates to show.")
    missing = missing_note(presentation, found)
    page.foot([missing], evidence)
    n = respondents_of(table)
    caption = (
        f"{title}: estimated marginal means with {level(presentation)} intervals, items weighing equally and keyed so "
        f"that more is more of what the scale measures. {n} {method(presentation)} {missing}"
    )
    return Drawing(
        name="scale_profile",
        figure=page.finish(),
        title=title,
        caption=f"{caption.strip()} {evidence}",
        alt=f"Dot plot, a row a scale and a panel a wave. {_ranking(presentation, found, waves)} {evidence}",
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def titles(presentation: Presentation) -> dict[str, str]:
    """Give the scales' titles in the study's order."""
    return {name: scale.title for name, scale in presentation.scales.items()}


def points_of(presentation: Presentation, scale: str) -> int:
    """Count the response options of a scale's items."""
    for item in presentation.items.values():
        if item.scale == scale:
            return presentation.response_scales[item.response_scale].points
    return 5


def organisation_keys(presentation: Presentation, organisations: Iterable[str]) -> list[Key]:
    """Give the legend of organisations."""
    found = []
    for organisation in organisations:
        look = look_of(organisation, list(presentation.organisations), presentation.style)
        found.append(Key(organisation_label(presentation, organisation), look.colour, look.marker))
    return found


def level(presentation: Presentation) -> str:
    """Give the confidence level."""
    return f"{100 * presentation.confidence:g}%"


def method(presentation: Presentation) -> str:
    """Say what the estimates come from, and what they do not."""
    adjusted = [
        presentation.variables[v].label.lower()
        for v in presentation.covariates
        if v in presentation.variables
    ]
    by = f", adjusted for {listed(adjusted)}" if adjusted else ""
    return (
        f"Linear mixed model of the single answers with a random intercept a respondent{by}. "
        "Respondents are not linked between waves."
    )


def missing_note(
    presentation: Presentation, found: dict[tuple[str, str, str], Mean], *, name_scales: bool = False
) -> str:
    """Say which estimates there are none of, and why.

    Parameters
    ----------
    presentation
        The study in words.
    found
        See `cells`.
    name_scales
        Name the scales, and not only how many they are: for a figure that does not show which.
    """
    reasons: dict[tuple[str, str, str, str], list[str]] = {}
    for (scale, wave, organisation), mean in found.items():
        if mean.reason:
            # What follows a semicolon names the items of a scale.
            note = mean.note.partition(";")[0].removesuffix(f": {wave}, {organisation}")
            reasons.setdefault((wave, organisation, mean.reason, note), []).append(scale)
    count = len({scale for scale, _, _ in found})
    missing = []
    for (wave, organisation, reason, note), lacking in reasons.items():
        place = "all waves" if wave == ALL else wave_title(presentation, wave)
        where = f"{place}, {organisation_label(presentation, organisation)}"
        named = listed([titles(presentation).get(s, s) for s in lacking])
        part = named if name_scales else f"{len(lacking)} of {count} scales"
        missing.append((where if len(lacking) == count else f"{where} ({part})", reason, note))
    return without(missing, presentation)


def _facet(
    presentation: Presentation,
    found: dict[tuple[str, str, str], Mean],
    wave: str,
    organisations: list[str],
) -> Facet:
    """Make a wave's panel; an organisation without any estimate in it is named once, under its heading."""
    facet = Facet(f"{wave_title(presentation, wave)}, {presentation.waves[wave].period}")
    shown = []
    for organisation in organisations:
        mine = [mean for cell, mean in found.items() if cell[1:] == (wave, organisation)]
        if any(not mean.reason for mean in mine):
            shown.append(organisation)
        elif mine:
            facet.notes.append(f"{organisation_label(presentation, organisation)}: {mine[0].reason}")
    for scale in presentation.scales:
        lanes: list[Estimate | Gap] = []
        for organisation in shown:
            mean = found.get((scale, wave, organisation))
            if mean is None:
                continue
            look = look_of(organisation, list(presentation.organisations), presentation.style)
            if mean.reason:
                lanes.append(Gap(mean.reason))
            else:
                lanes.append(Estimate(look, mean.value, mean.low, mean.high))
        if lanes:
            facet.lanes[scale] = lanes
    return facet


def _as_share(facet: Facet, presentation: Presentation) -> Facet:
    """Put a panel's means on a scale from 0 to 100, where scales have different numbers of response options."""
    lanes: dict[str, list[Estimate | Gap]] = {}
    for scale, inside in facet.lanes.items():
        step = 100 / (points_of(presentation, scale) - 1)
        lanes[scale] = [
            Estimate(what.look, (what.value - 1) * step, (what.low - 1) * step, (what.high - 1) * step)
            if isinstance(what, Estimate)
            else what
            for what in inside
        ]
    return Facet(facet.heading, lanes, facet.notes)


def _ranking(
    presentation: Presentation, found: dict[tuple[str, str, str], Mean], waves: Iterable[str]
) -> str:
    """Say which scale is highest and lowest in each wave and organisation."""
    said = []
    for wave in waves:
        for organisation in (*presentation.organisations, ALL):
            mine = {
                scale: mean.value
                for (scale, of, who), mean in found.items()
                if (of, who) == (wave, organisation) and not mean.reason
            }
            if mine:
                top, bottom = max(mine, key=mine.__getitem__), min(mine, key=mine.__getitem__)
                named = titles(presentation)
                said.append(
                    f"{wave_title(presentation, wave)}, {organisation_label(presentation, organisation)}: highest "
                    f"{named.get(top, top)} ({number(mine[top])}), lowest {named.get(bottom, bottom)} "
                    f"({number(mine[bottom])})."
                )
    return " ".join(said)
