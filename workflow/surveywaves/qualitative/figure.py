"""Figures of the coded material: themes, the joint display, and the timeline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from itertools import cycle
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from surveywaves.figures.drawing import LINE, Axis, Drawing, Key, Page, withheld_key
from surveywaves.figures.layout import Part, Rows, Tile, beside, grid, panels, points, value
from surveywaves.figures.style import FALL, GREY, INK, MARK, RISE, Sheet, Slide, on, steps, toned, wrap
from surveywaves.qualitative.names import Names
from surveywaves.qualitative.terms import EVENT, FIELDWORK, INTERVIEWS, STAGE, SURVEY, VERDICT, Verdict
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, Status
from surveywaves.text import listed
from surveywaves.words import WITHHELD, is_missing, lower, number, records

NAMES_WIDE: Final = 22.0
"""Width of the names of rows, in em."""

PERCENT: Final[Axis] = (-3.0, 103.0, {0: "0", 50: "50", 100: "100"})


# --- themes -------------------------------------------------------------------------------------------------------


def themes(themes: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the share of interviews that raise each theme, a column for each group of them."""
    names, em = Names(presentation), Sheet.of(presentation.style).em
    stages, titles = names.there(themes, "stage"), names.there(themes, "theme")
    groups = {stage: names.places(themes, stage) for stage in stages}
    found = {(row.stage, row.area, row.organisation, row.theme): row for row in records(themes)}
    whole = {
        stage: {theme: _percent(found.get((stage, ALL, ALL, theme))) for theme in titles}
        for stage, places in groups.items()
        if (ALL, ALL) in places
    }
    first: Mapping[str, float] = next(iter(whole.values()), {})
    order = sorted(titles, key=lambda theme: -first.get(theme, 0.0))
    cells = [
        [
            _tile(found.get((stage, *place, theme)), f"{titles[theme]}, {stages[stage]}, {group}")
            for stage, places in groups.items()
            for place, group in places.items()
        ]
        for theme in order
    ]
    most: dict[str, list[str]] = {}
    for stage, own in whole.items():
        top = max(order, key=lambda theme: own[theme])
        if own[top]:
            most.setdefault(titles[top], []).append(f"{number(own[top], 0)}% of {lower(stages[stage])}")
    said = listed([f"{title} (by {listed(those)})" for title, those in most.items()])
    page = grid(
        presentation,
        (
            f"Raised most: {said}" if said else "What interviews speak of",
            "Interviews that raise a theme, % of the interviews of the column",
        ),
        Rows([wrap(titles[theme], NAMES_WIDE * em, em) for theme in order], em, 1.9),
        cells,
        [group for places in groups.values() for group in places.values()],
        most=9.0,
        groups=[(stages[stage], len(places)) for stage, places in groups.items()],
        keys=withheld_key(any(cell.hatched for row in cells for cell in row)),
        notes=[names.protection],
    )
    caption = (
        "Share of interviews in which at least half of the coders found a theme, by stage, service area and "
        "organisation; small groups are taken together."
    )
    return page.drawing(themes, caption=caption, alt=f"{page.title}. Heat map, a row a theme.")


def _percent(row: Any) -> float:
    return 0.0 if row is None or is_missing(row.percent) else float(row.percent)


def _tile(row: Any, what: str) -> Tile:
    if row is None or is_missing(row.percent):
        gone = row is not None and row.status == Status.WITHHELD
        return Tile(WITHHELD if gone else "", hatched=gone)
    ground = toned(RISE, 0.93 - 0.78 * row.percent / 100)
    ink = INK if on(ground) == "#000000" else "white"
    return Tile(number(row.percent, 0), ground, ink, told=f"{what}: {row.n} of {row.sources} interviews")


# --- the joint display --------------------------------------------------------------------------------------------


def joint_display(joint_display: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each principle's scales beside its themes, for the last wave that interviews are compared with.

    On a slide, each principle is one row.
    """
    names, em = Names(presentation), Sheet.of(presentation.style).em
    waves = list(joint_display["wave"].unique()) or [""]  # without principles there is nothing to compare
    rows = joint_display[joint_display["wave"] == waves[-1]]
    verdicts = {row.principle: row for row in records(rows[rows["side"] == VERDICT])}
    own = rows[rows["side"] != VERDICT].assign(
        what=rows["scale"] + rows["theme"], series=rows["organisation"] + rows["stage"]
    )
    below = [] if isinstance(presentation.style, Slide) else list(dict.fromkeys(map(_line, records(own))))
    lines = [
        line
        for principle in verdicts
        for line in [(principle, VERDICT, ""), *(one for one in below if one[0] == principle)]
    ]
    bold = [place for place, one in enumerate(lines) if one[1] == VERDICT]
    wide = (NAMES_WIDE + 6) * em
    called = [
        (*wrap(principle, wide, em, bold=True), f"({verdicts[principle].verdict.replace('_', ' ')})")
        if side == VERDICT
        else wrap(names.title(side, what, quoted=True), wide, em)
        for principle, side, what in lines
    ]
    table = Rows(called, em, LINE + 0.2, bold)
    organisations, stages = names.there(rows, "organisation"), names.there(rows, "stage")
    looks = _looks(organisations, stages)
    when = names.wave(waves[-1])
    page, drawn = panels(
        presentation,
        (
            _agreeing(rows),
            f"Survey of {when} with {names.confidence} intervals, and interviews" if when else "",
        ),
        table,
        [Part("Survey: % favourable"), Part("Interviews: % raise it")],
        PERCENT,
        keys=[
            Key(words, dict(zip(("color", "marker"), looks[one], strict=True)))
            for one, words in (organisations | stages).items()
        ],
    )
    middles = dict(zip(lines, table.middles, strict=True))
    for axes, side, series in zip(drawn, (SURVEY, INTERVIEWS), (organisations, stages), strict=True):
        for principle, row in verdicts.items() if below else ():
            tone = row.survey_tone if side == SURVEY else row.interview_tone
            beside(axes, 0, middles[principle, VERDICT, ""], tone, 0.1 * em, weight="bold")
        marks = []
        for row in records(own[(own["side"] == side) & own["percent"].notna()]):
            y = middles[_line(row) if below else (row.principle, VERDICT, "")]
            y += (list(series).index(row.series) - (len(series) - 1) / 2) * 0.35
            if side == SURVEY:
                axes.hlines(y, row.conf_low, row.conf_high, color=looks[row.series][0], linewidth=1.2)
                told = f"{number(row.percent, 1)}% favourable"
            else:
                told = f"{row.n} of {row.sources} interviews"
            what = names.title(side, row.what)
            marks.append((row.percent, y, row.series, f"{what}, {series[row.series]}: {told}"))
        points(axes, marks, {one: looks[one] for one in series}, 4.5)
    which = "last wave with interviews; the table has all" if len(waves) > 1 else "wave with interviews"
    caption = (
        "By principle: percentage favourable of each scale, percentage of interviews that raise each theme (in "
        f"quotation marks), and what the rules make of both. {f'{when}, the {which}.' if when else ''}"
    )
    return page.drawing(rows, caption=caption, alt=f"{page.title}. Dot plot in two panels.")


def _line(row: Any) -> tuple[str, str, str]:
    return row.principle, row.side, row.what


def _looks(organisations: Collection[str], stages: Collection[str]) -> dict[str, tuple[str, str]]:
    """Choose a colour and a mark for each organisation and stage."""
    shades = [*steps(len(organisations)), *(shade for _, shade in zip(stages, cycle((RISE, FALL, MARK))))]
    return dict(zip([*organisations, *stages], zip(shades, cycle("sDo^vPX<>")), strict=False))


def _agreeing(rows: pd.DataFrame) -> str:
    """Count the principles by verdict."""
    counts = rows[rows["side"] == VERDICT]["verdict"].value_counts()
    said = [f"{one.replace('_', ' ')} on {counts[one]}" for one in Verdict if one in counts]
    if not said:
        return "There is no principle to compare survey and interviews by"
    return f"Survey and interviews are {listed(said)} of {counts.sum()} principles"


# --- the timeline -------------------------------------------------------------------------------------------------

_KINDS: Final = {FIELDWORK: ("Survey fieldwork", INK), STAGE: ("Interviews", RISE), EVENT: ("Events", FALL)}
"""Kind of what is on the timeline -> its heading and colour."""

_ROUGH: Final[dict[str, Any]] = {"facecolor": "white", "linestyle": (0, (2, 1.5)), "linewidth": 0.9}


def timeline(timeline: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw fieldwork, interviews and events over time; approximate dates are hollow and dashed, never solid."""
    em = Sheet.of(presentation.style).em
    there = {kind: list(records(timeline[timeline["kind"] == kind])) for kind in _KINDS}
    lines = [(kind, one) for kind, own in there.items() if own for one in (None, *own)]
    bold = [place for place, (_, one) in enumerate(lines) if one is None]
    called = [_KINDS[kind][0] if one is None else one.label for kind, one in lines]
    rows = Rows([wrap(name, (NAMES_WIDE + 4) * em, em) for name in called], em, LINE + 0.3, bold)
    dated = sorted(filter(None, [*timeline["start"], *timeline["end"]])) or ["2000"]
    years = range(int(dated[0][:4]), int(dated[-1][:4]) + 1)
    rough, undated = timeline["approximate"].any(), (timeline["start"] == "").sum()
    page, (axes,) = panels(
        presentation,
        (
            "Survey, interviews and events",
            " to ".join(dict.fromkeys([str(years[0]), str(years[-1])]))
            + (f"; {undated} without a date" if undated else ""),
        ),
        rows,
        [Part()],
        (_new_year(years.start), _new_year(years.stop), {_new_year(year): str(year) for year in years}),
        keys=[
            Key("known to the day, month or year", {"facecolor": INK, "edgecolor": INK}, box=True),
            *([Key("approximate", _ROUGH | {"edgecolor": INK}, box=True)] if rough else []),
        ],
    )
    for (_, one), y in zip(lines, rows.middles, strict=True):
        if one is not None:
            _span(axes, one, y, page)
    caption = "Fieldwork of the survey, stages of the interviews and events; dashed and hollow: approximate."
    return page.drawing(timeline, caption=caption, alt=f"{page.title}. A bar or mark for each, over time.")


def _new_year(year: int) -> float:
    return float(dt.date(year, 1, 1).toordinal())


def _span(axes: Axes, one: Any, y: float, page: Page) -> None:
    """Draw a bar that is as long as something lasted, or as its date is uncertain, and write when it was."""
    low, high = axes.get_xlim()
    if not one.start:
        beside(axes, low, y, "no date", 0.4 * page.em, color=GREY)
        return
    start, end = (dt.date.fromisoformat(day) for day in (one.start, one.end or one.start))
    form = {"day": "%-d %b %Y", "month": "%b %Y", "year": "%Y"}[one.precision]
    lasting = one.kind != EVENT and start != end
    when = f"{start:%b %Y} to {end:%b %Y}" if lasting else f"{start:{form}}"
    when = f"about {when}" if one.approximate else when
    left, wide = float(start.toordinal()), max(float((end - start).days + 1), (high - low) / 150)
    colour = _KINDS[one.kind][1]
    look = {"facecolor": colour, "edgecolor": colour, "linewidth": 0.9, **(_ROUGH if one.approximate else {})}
    bar = Rectangle((left, y - 0.35), wide, 0.7, **look)
    value(bar, f"{one.label}: {when}")
    axes.add_artist(bar)
    late = left + wide > low + 0.75 * (high - low)
    beside(axes, left if late else left + wide, y, when, (-0.5 if late else 0.5) * page.em, color=GREY)
