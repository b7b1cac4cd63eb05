"""Figures of the coded material: themes, the joint display, and the timeline."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from surveywaves.figures.drawing import LINE, Axis, Drawing, Key, Page, withheld_key
from surveywaves.figures.layout import MARKS, Part, Rows, Tile, beside, grid, panels, points, value
from surveywaves.figures.style import FALL, GREY, INK, MARK, RISE, Sheet, Slide, on, steps, toned, wrap
from surveywaves.qualitative.names import Names
from surveywaves.qualitative.terms import EVENT, FIELDWORK, INTERVIEWS, STAGE, SURVEY, VERDICT, Verdict
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, Status
from surveywaves.text import listed
from surveywaves.words import WITHHELD, lower, number, records

NAMES_WIDE: Final = 22.0
"""Width of the names of rows, in em."""

PERCENT: Final[Axis] = (-3.0, 103.0, {0: "0", 50: "50", 100: "100"})


def themes(themes: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the share of interviews that raise each theme, a column for each group of them."""
    names, em = Names(presentation), Sheet.of(presentation.style).em
    columns = [(stage, *group) for stage in names.stages(themes) for group in names.groups(themes, stage)]
    order = names.themes(themes)
    found = {(row.stage, row.area, row.organisation, row.theme): row for row in records(themes)}
    whole = [place for place in columns if place[1:] == (ALL, ALL)]
    order.sort(key=lambda theme: -_percent(found.get((*whole[0], theme))) if whole else 0.0)
    cells = [[_tile(found.get((*place, theme)), names, place) for place in columns] for theme in order]
    page = grid(
        presentation,
        (
            _most(order, whole, found, names),
            "Interviews that raise a theme, % of the interviews of the column",
        ),
        Rows([wrap(names.theme(theme), NAMES_WIDE * em, em) for theme in order], em, 1.9),
        cells,
        [names.group(*place[1:]) for place in columns],
        most=9.0,
        groups=[(names.stage(stage), len(names.groups(themes, stage))) for stage in names.stages(themes)],
        keys=withheld_key(any(cell.hatched for row in cells for cell in row)),
        notes=[names.protection],
    )
    caption = (
        "Share of interviews in which at least half of the coders found a theme, by stage, service area and "
        "organisation; small groups are taken together."
    )
    return page.drawing(themes, caption=caption, alt=f"{page.title}. Heat map, a row a theme.")


def _percent(row: Any) -> float:
    return 0.0 if row is None or pd.isna(row.percent) else float(row.percent)


def _tile(row: Any, names: Names, place: tuple[str, str, str]) -> Tile:
    if row is None or pd.isna(row.percent):
        gone = row is not None and row.status == Status.WITHHELD
        return Tile(WITHHELD if gone else "", hatched=gone)
    ground = toned(RISE, 0.93 - 0.78 * row.percent / 100)
    said = f"{names.theme(row.theme)}, {names.stage(place[0])}, {names.group(*place[1:])}"
    told = f"{said}: {row.n} of {row.sources} interviews"
    return Tile(number(row.percent, 0), ground, INK if on(ground) == "#000000" else "white", told=told)


def _most(order: list[str], whole: list[Any], found: dict[Any, Any], names: Names) -> str:
    """Name the theme that most interviews raise, for each stage."""
    most: dict[str, list[str]] = {}
    for place in whole:
        own = {theme: _percent(found.get((*place, theme))) for theme in order}
        top = max(own, key=lambda theme: own[theme], default="")
        if top and own[top]:
            most.setdefault(top, []).append(f"{number(own[top], 0)}% of {lower(names.stage(place[0]))}")
    said = [f"{names.theme(theme)} (by {listed(stages)})" for theme, stages in most.items()]
    return f"Raised most: {listed(said)}" if said else "What interviews speak of"


def joint_display(joint_display: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each principle's scales beside its themes, for the last wave that interviews are compared with."""
    names, em = Names(presentation), Sheet.of(presentation.style).em
    labels, waves = names.labels, joint_display["wave"].unique()
    rows = joint_display[joint_display["wave"] == waves[-1]]
    slide = isinstance(presentation.style, Slide)  # there, each principle is one row
    lines: list[tuple[str, str, str]] = []
    verdicts = {row.principle: row for row in records(rows[rows["side"] == VERDICT])}
    for principle in verdicts:
        own = rows[(rows["principle"] == principle) & (rows["side"] != VERDICT)]
        below = dict.fromkeys((principle, one.side, one.scale or one.theme) for one in records(own))
        lines += [(principle, VERDICT, ""), *([] if slide else below)]
    bold = [place for place, one in enumerate(lines) if one[1] == VERDICT]
    wide = (NAMES_WIDE + 6) * em
    called = [
        (*wrap(principle, wide, em, bold=True), names.verdict(verdicts[principle].verdict))
        if side == VERDICT
        else wrap(labels.scale(name) if side == SURVEY else f"“{names.theme(name)}”", wide, em)
        for principle, side, name in lines
    ]
    table = Rows(called, em, LINE + 0.2, bold)
    organisations, stages = names.organisations(rows), names.stages(rows)
    looks = _looks([*organisations, *stages], len(organisations))
    when = labels.wave(waves[-1])
    page, drawn = panels(
        presentation,
        (_agreeing(rows), f"Survey of {when} with {labels.confidence} intervals, and interviews"),
        table,
        [Part("Survey: % favourable"), Part("Interviews: % raise it")],
        PERCENT,
        keys=[
            Key(
                labels.organisation(one) if one in organisations else names.stage(one),
                {"color": colour, "marker": marker},
            )
            for one, (colour, marker) in looks.items()
        ],
    )
    middles = dict(zip(lines, table.middles, strict=True))
    if slide:
        middles = {
            (one.principle, one.side, one.scale or one.theme): middles[one.principle, VERDICT, ""]
            for one in records(rows)
        }
    else:
        for principle, row in verdicts.items():
            for axes, tone in zip(drawn, (row.survey_tone, row.interview_tone), strict=True):
                beside(axes, 0, middles[principle, VERDICT, ""], tone, 0.1 * em, weight="bold")
    for axes, side, series in zip(drawn, (SURVEY, INTERVIEWS), (organisations, stages), strict=True):
        _marks(axes, rows[rows["side"] == side], middles, {one: looks[one] for one in series}, names)
    which = (
        "the last wave with interviews; the table has all" if len(waves) > 1 else "the wave with interviews"
    )
    caption = (
        "By principle: percentage favourable of each scale, percentage of interviews that raise each theme (in "
        f"quotation marks), and what the rules make of both. {when}, {which}."
    )
    return page.drawing(rows, caption=caption, alt=f"{page.title}. Dot plot in two panels.")


def _looks(series: list[str], organisations: int) -> dict[str, tuple[str, str]]:
    """Choose colours and marks for organisations and stages."""
    shades = [*steps(organisations), *([RISE, FALL, MARK] * len(series))[: len(series) - organisations]]
    return dict(zip(series, zip(shades, "sDo^vPX<>" * len(series), strict=False), strict=False))


def _marks(axes: Axes, rows: pd.DataFrame, middles: Any, looks: dict[str, Any], names: Names) -> None:
    """Draw the levels of scales by organisation, or of themes by stage; `looks` are of these, in their order."""
    order, marks = list(looks), []
    for row in records(rows[rows["percent"].notna()]):
        series = row.organisation or row.stage
        y = middles[row.principle, row.side, row.scale or row.theme]
        y += (order.index(series) - (len(order) - 1) / 2) * 0.35
        if row.side == SURVEY:
            axes.hlines(y, row.conf_low, row.conf_high, color=looks[series][0], linewidth=1.2)
            where = f"{names.labels.scale(row.scale)}, {names.labels.organisation(series)}"
            told = f"{where}: {number(row.percent, 1)}% favourable"
        else:
            told = f"{names.theme(row.theme)}, {names.stage(series)}: {row.n} of {row.sources} interviews"
        marks.append((row.percent, y, series, told))
    points(axes, pd.DataFrame(marks, columns=MARKS), looks, 4.5)


def _agreeing(rows: pd.DataFrame) -> str:
    """Count the principles by verdict."""
    counts = rows[rows["side"] == VERDICT]["verdict"].value_counts()
    said = [f"{Names.verdict(one)} on {counts[one]}" for one in Verdict if one in counts]
    return f"Survey and interviews are {listed(said)} of {counts.sum()} principles"


# --- the timeline -------------------------------------------------------------------------------------------------

_KINDS: Final = {FIELDWORK: ("Survey fieldwork", INK), STAGE: ("Interviews", RISE), EVENT: ("Events", FALL)}
"""Kind of what is on the timeline -> its heading and colour."""


def timeline(timeline: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw fieldwork, interviews and events over time; approximate dates are hollow and dashed, never solid."""
    em = Sheet.of(presentation.style).em
    kinds = [kind for kind in _KINDS if timeline["kind"].eq(kind).any()]
    lines = [(kind, one) for kind in kinds for one in (None, *records(timeline[timeline["kind"] == kind]))]
    bold = [place for place, (_, one) in enumerate(lines) if one is None]
    called = [_KINDS[kind][0] if one is None else one.label for kind, one in lines]
    rows = Rows([wrap(name, (NAMES_WIDE + 4) * em, em) for name in called], em, LINE + 0.3, bold)
    low, high = _years(timeline)
    ticks = {_day(dt.date(year, 1, 1)): str(year) for year in range(low.year, high.year)}
    rough = timeline["approximate"].any()
    page, (axes,) = panels(
        presentation,
        ("Survey, interviews and events", _spanned(timeline)),
        rows,
        [Part()],
        (_day(low), _day(high), ticks),
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


_ROUGH: Final[dict[str, Any]] = {"facecolor": "white", "linestyle": (0, (2, 1.5)), "linewidth": 0.9}


def _span(axes: Axes, one: Any, y: float, page: Page) -> None:
    """Draw a bar that is as long as something lasted, or as its date is uncertain."""
    low, high = axes.get_xlim()
    if not one.start:
        beside(axes, low, y, "no date", 0.4 * page.em, color=GREY)
        return
    start, end = (_day(dt.date.fromisoformat(day)) for day in (one.start, one.end or one.start))
    wide = max(end - start + 1, (high - low) / 150)
    colour = _KINDS[one.kind][1]
    look = {"facecolor": colour, "edgecolor": colour, "linewidth": 0.9, **(_ROUGH if one.approximate else {})}
    bar = Rectangle((start, y - 0.35), wide, 0.7, **look)
    value(bar, f"{one.label}: {_when(one)}")
    axes.add_artist(bar)
    right = start + wide > low + 0.75 * (high - low)
    beside(
        axes, start if right else start + wide, y, _when(one), (-0.5 if right else 0.5) * page.em, color=GREY
    )


def _when(one: Any) -> str:
    """Write a date or a span with the precision that is known."""
    form = {"day": "%-d %b %Y", "month": "%b %Y", "year": "%Y"}[one.precision]
    start, end = dt.date.fromisoformat(one.start), dt.date.fromisoformat(one.end or one.start)
    lasting = one.kind != EVENT and start != end
    said = f"{start:%b %Y} to {end:%b %Y}" if lasting else f"{start:{form}}"
    return f"about {said}" if one.approximate else said


def _day(date: dt.date) -> float:
    return float(date.toordinal())


def _years(timeline: pd.DataFrame) -> tuple[dt.date, dt.date]:
    """Return the first day of the first year, and of the year after the last."""
    days = sorted(day for name in ("start", "end") for day in timeline[name] if day)
    if not days:
        return dt.date(2000, 1, 1), dt.date(2001, 1, 1)
    return dt.date(int(days[0][:4]), 1, 1), dt.date(int(days[-1][:4]) + 1, 1, 1)


def _spanned(timeline: pd.DataFrame) -> str:
    low, high = _years(timeline)
    undated = int((timeline["start"] == "").sum())
    years = f"{low.year} to {high.year - 1}" if high.year - 1 > low.year else f"{low.year}"
    return years + (f"; {undated} without a date" if undated else "")
