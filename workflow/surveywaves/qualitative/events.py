"""The timeline of surveys, interviews and events, and the grid of observations in meetings."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure import Rule
from surveywaves.qualitative.terms import EVENT, FIELDWORK, STAGE
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, Status

TIMELINE: Final = ("kind", "label", "start", "end", "precision", "approximate", "source")
OBSERVATIONS: Final = ("group", "category", "meetings", "count", "per_meeting", "status")

_SPAN: Final = {"day": pd.offsets.Day(0), "month": pd.offsets.MonthEnd(0), "year": pd.offsets.YearEnd(0)}


def timeline(presentation: Presentation) -> pd.DataFrame:
    """List fieldwork, stages of the interviews and events.

    Parameters
    ----------
    presentation
        The study in words, with its qualitative part.

    Returns
    -------
    DataFrame
        `TIMELINE`: dates as ISO text, empty where there is none. An event of which only the month or the year is known
        lasts for all of it; `approximate` marks dates that are estimates.
    """
    stages = presentation.qualitative.stages.values() if presentation.qualitative else ()
    rows = [
        (FIELDWORK, one.title, one.start, one.end, "day", False, "") for one in presentation.waves.values()
    ]
    rows += [(STAGE, one.title, one.start, one.end, "day", one.approximate, "") for one in stages]
    for one in presentation.events:
        end = pd.Timestamp(one.date) + _SPAN[one.precision] if one.date else None
        rows.append((EVENT, one.label, one.date, end, one.precision, one.approximate, one.source))
    frame = pd.DataFrame(rows, columns=list(TIMELINE), dtype="object")
    for name in ("start", "end"):
        frame[name] = [pd.Timestamp(day).date().isoformat() if day else "" for day in frame[name]]
    return frame.astype(dict.fromkeys(TIMELINE, "str") | {"approximate": "bool"})


def observations(observed: pd.DataFrame, *, rule: Rule) -> pd.DataFrame:
    """Count what was observed in the meetings of each group, and of all groups.

    Acts are counted, not people; but in a few meetings of a group they are those of a person whom others remember.

    Parameters
    ----------
    observed
        As `read_material` returns it.
    rule
        The rule that protects those who were observed.

    Returns
    -------
    DataFrame
        `OBSERVATIONS`: `per_meeting` is the count over `meetings`, those in which the group's acts of the category were
        counted. Counts from fewer meetings than the threshold, and of fewer acts, are missing (``withheld``); `all` is
        the sum of the counts that are shown.
    """
    own = observed.groupby(["group", "category"], sort=False, as_index=False).agg(
        meetings=("meeting", "nunique"), count=("count", "sum")
    )
    few = (own["meetings"] < rule.threshold) | own["count"].between(1, rule.threshold - 1)
    own["status"] = np.where(few & (not rule.public), Status.WITHHELD.value, Status.OK.value)
    shown = own[own["status"] == Status.OK.value]
    every = shown.groupby("category", sort=False, as_index=False).agg(
        {"meetings": "sum", "count": "sum", "status": "first"}
    )
    counts = pd.concat([every.assign(group=ALL), own], ignore_index=True)
    counts = counts.astype({"meetings": "Int64", "count": "Int64"})
    counts["count"] = counts["count"].mask(counts["status"] == Status.WITHHELD.value)
    counts["per_meeting"] = (counts["count"] / counts["meetings"]).astype("float64")
    return counts[list(OBSERVATIONS)]
