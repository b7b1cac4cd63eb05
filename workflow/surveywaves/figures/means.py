"""Estimated marginal means, and percentages of favourable answers.

Means: all scales side by side, wave by wave. Percentages: side by side, down a gradient, and under what each scale
speaks to in a framework.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import Estimate, Facet, Gap, Scale, draw_facets, spanning
from surveywaves.figures.layout import MARKERS, Key, Look, Page, look_of, wave_colours
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, EMMEAN, LINEAR, ORGANISATION, PERCENT_FAVOURABLE, Status
from surveywaves.text import listed
from surveywaves.words import (
    absent,
    evidence_of,
    number,
    organisation_label,
    percent,
    wave_title,
    whole,
    without,
)

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
    return table[table["analysis"] == (LINEAR if LINEAR in found else found[0])]


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
    return f"n: {whole(least)}{f' to {whole(most)}' if most > least else ''} respondents per estimate."


def scale_profile(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the means of all scales in the study's order, a panel a wave.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words.
    """
    table = primary(means[(means["term"] == EMMEAN) & (means["organisation"] != ALL)])
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
    where = (
        "as percent of the response range"
        if share
        else f"{number(low, 1)} to {number(high, 1)} of 1 to {most}"
    )
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
        figure=page.finish(),
        rows=table,
        title=title,
        caption=f"{caption.strip()} {evidence}",
        alt=f"Dot plot, a row a scale and a panel a wave. {_ranking(presentation, found, waves)} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def titles(presentation: Presentation) -> dict[str, str]:
    """Give the scales' titles in the study's order."""
    return {name: scale.title for name, scale in presentation.scales.items()}


def points_of(presentation: Presentation, scale: str) -> int:
    """Count the response options of a scale's items; where these differ, of the item that has most."""
    scales = {item.response_scale for item in presentation.items.values() if item.scale == scale}
    return max((presentation.response_scales[name].points for name in scales), default=5)


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
    adjusted = _adjusted_for(presentation)
    by = f", adjusted for {adjusted}" if adjusted else ""
    return (
        f"Linear mixed model of the single answers with a random intercept for each respondent{by}. "
        "Respondents are not linked between waves."
    )


def counted(presentation: Presentation) -> str:
    """Explain what percentages of favourable answers come from."""
    adjusted = _adjusted_for(presentation)
    by = f"by logistic regression for the same {adjusted}" if adjusted else "without a model"
    return (
        f"Percentages are of those who answered a statement, averaged over the statements asked, {by}; intervals allow "
        "for a person's answers going together. Respondents are not linked between waves."
    )


def _adjusted_for(presentation: Presentation) -> str:
    """List the covariates of the models in words; empty if there are none."""
    known = [name for name in presentation.covariates if name in presentation.variables]
    return listed([presentation.variables[name].label.lower() for name in known])


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
                    f"{named.get(top, top)} ({number(mine[top], 1)}), lowest {named.get(bottom, bottom)} "
                    f"({number(mine[bottom], 1)})."
                )
    return " ".join(said)


ABREAST: Final = 4
EXPLAINED: Final = (
    "A scale's statements weigh equally; favourable answers are those of the study's favourable response options, "
    "mirrored for statements that mean less of what the scale measures."
)
NOTHING: Final = "There are no estimates to show."

Cells = Mapping[tuple[str, str, str], Mean]


def favourable(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the percentages of favourable answers of all scales side by side, a panel a wave.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words.
    """
    table = shares_of(means)
    found = cells(table)
    title = "Favourable answers"
    waves = [wave for wave in presentation.waves if any(cell[1] == wave for cell in found)]
    organisations = [name for name in presentation.organisations if any(cell[2] == name for cell in found)]
    facets = []
    for wave in waves:
        facet = Facet(wave_title(presentation, wave))
        shown = _those_shown(facet, found, wave, organisations, presentation)
        for scale in presentation.scales:
            for organisation in shown:
                look = look_of(organisation, list(presentation.organisations), presentation.style)
                if (scale, wave, organisation) in found:
                    facet.lanes.setdefault(scale, []).append(lane_of(found[scale, wave, organisation], look))
        facets.append(facet)
    notes = [note for note in (missing_note(presentation, dict(found)),) if note]
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])

    page = Page(presentation.style)
    page.title(title)
    page.legend(organisation_keys(presentation, organisations))
    draw_shares(page, facets, titles(presentation), presentation)
    page.foot(notes, evidence)
    caption = [
        f"{title}, by scale, wave and organisation, with {level(presentation)} intervals.",
        EXPLAINED,
        counted(presentation),
        respondents_of(table),
        *notes,
        evidence,
    ]
    return Drawing(
        figure=page.finish(),
        rows=table,
        title=title,
        caption=" ".join(filter(None, caption)),
        alt=f"Dot plot, a row a scale and a panel a wave. {in_numbers(found, presentation) or NOTHING} {evidence}",
        evidence=evidence,
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
        f"{chosen.title}: percentages of favourable answers with {level(presentation)} intervals, in the "
        "order that the study names, top to bottom; lines join the scales of an organisation.",
        EXPLAINED,
        counted(presentation),
        respondents_of(table),
        *notes,
        evidence,
    ]
    return Drawing(
        figure=page.finish(),
        rows=table,
        title=chosen.title,
        caption=" ".join(filter(None, caption)),
        alt=f"Dot plot with joined marks, a row a scale and a panel a wave. {_steps(found, presentation)} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def shares_of(means: pd.DataFrame) -> pd.DataFrame:
    """Keep the organisations' percentages of a table of means."""
    return means[(means["term"] == PERCENT_FAVOURABLE) & (means["organisation"] != ALL)]


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


def framework(means: pd.DataFrame, presentation: Presentation, framework: str) -> Drawing:
    """Draw the scales under what each speaks to in a framework, a panel an organisation, wave under wave.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words.
    framework
        Its name.
    """
    table = shares_of(means)
    found = cells(table)
    title = presentation.frameworks[framework]
    waves = [wave for wave in presentation.waves if any(cell[1] == wave for cell in found)]
    colours = wave_colours(len(presentation.waves))
    looks = {
        wave: Look(colours[place], MARKERS[place % len(MARKERS)])
        for place, wave in enumerate(presentation.waves)
    }
    rows, groups, outside = _categories(presentation, framework)
    facets = []
    for organisation in presentation.organisations:
        facet = Facet(organisation_label(presentation, organisation))
        for row, scale in rows.items():
            for wave in waves:
                cell = (scale, wave, organisation)
                if cell in found and not found[cell].reason:
                    facet.lanes.setdefault(row, []).append(lane_of(found[cell], looks[wave]))
        if facet.lanes:
            facets.append(facet)
    named = titles(presentation)
    missing = missing_note(presentation, dict(found))
    apart = f"Under none of these: {'; '.join(named[scale] for scale in outside)}." if outside else ""
    notes = [note for note in (apart, missing) if note]
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])

    page = Page(presentation.style)
    page.title(title)
    page.legend(Key(wave_title(presentation, wave), looks[wave].colour, looks[wave].marker) for wave in waves)
    draw_shares(page, facets, {row: named[scale] for row, scale in rows.items()}, presentation, groups=groups)
    page.foot(notes, evidence)
    caption = [
        f"{title}: the study's scales under what each speaks to; percentages of favourable answers with "
        f"{level(presentation)} intervals, wave by wave. A scale may stand under several.",
        EXPLAINED,
        counted(presentation),
        respondents_of(table),
        *notes,
        evidence,
    ]
    under = [
        f"{group}: {listed([named[rows[row]] for row in rows if groups[row] == group])}."
        for group in dict.fromkeys(groups.values())
    ]
    return Drawing(
        figure=page.finish(),
        rows=table,
        title=title,
        caption=" ".join(filter(None, caption)),
        alt=f"Dot plot, a row a scale and a panel an organisation. {' '.join(under)} "
        f"{in_numbers(found, presentation)} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _categories(
    presentation: Presentation, framework: str
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Give rows (-> scale) and what each stands under, category by category; and the scales under none."""
    under: dict[str, list[str]] = {}
    outside = []
    for name, scale in presentation.scales.items():
        words = [part.strip() for part in scale.frameworks.get(framework, "").split(";")]
        for word in filter(None, words):
            under.setdefault(word, []).append(name)
        if not any(words):
            outside.append(name)
    rows, groups = {}, {}
    for word, scales in under.items():
        for name in scales:
            row = f"{word}; {name}"
            rows[row], groups[row] = name, word
    return rows, groups, outside
