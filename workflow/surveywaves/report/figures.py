"""The data behind each figure: the rows of the released tables that it draws."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from surveywaves.study.parts import Presentation
from surveywaves.tables.estimates import CONTRASTS, MEAN
from surveywaves.tidy import ALL

WHOLE = {
    "response": "response_rates",
    "break_off": "missing",
    "scale_profile": "means",
    "means_over_waves": "means",
    "contrasts": "contrasts",
    "differences_in_change": "contrasts",
    "heat_map": "item_summary",
    "functioning": "dif",
    "favourable": "means",
    "gradient": "means",
    "comparator": "means",
    "planning": "planning",
    "published_agreement": "published_tables",
}
"""Figure -> table that it draws."""

TERMS = {
    "functioning": ("total_lr", "total_r2_change"),
    "planning": ("returns", "conf_half_width", "power", "power_adjusted", "returns_needed"),
}
"""Figure -> terms of its table that it draws."""

SHARES = ("favourable", "gradient", "comparator")
FRAMEWORK = "framework_"

BY_ORGANISATION = "_by_organisation"

MAIN = "linear"


def figure_data(name: str, tables: Mapping[str, pd.DataFrame], presentation: Presentation) -> pd.DataFrame:
    """Give the rows behind a figure, by its name (see `surveywaves.figures.names`); empty if that says nothing.

    Parameters
    ----------
    name
        Name of the figure.
    tables
        Frames by name.
    presentation
        The study in words.
    """
    if name in WHOLE:
        frame = tables.get(WHOLE[name], pd.DataFrame())
        if name in SHARES:
            return _shares(frame)
        if name in TERMS and not frame.empty:
            return frame[frame["term"].isin(TERMS[name])]
        by_estimate = ("contrasts", "differences_in_change", "scale_profile", "means_over_waves")
        return _drawn(frame) if name in by_estimate else frame
    if name.startswith(FRAMEWORK):
        return _shares(tables.get("means", pd.DataFrame()))
    if name == "reliability" and name in tables:
        frame = tables[name]
        return frame[(frame["term"] == "alpha") & (frame["item"] == "")]
    if name.startswith("sensitivity_") and "sensitivity" in tables:
        frame = tables["sensitivity"]
        return frame[frame["scale"] == name.removeprefix("sensitivity_")]
    if name.startswith("respondents_") and "respondents" in tables:
        frame = tables["respondents"]
        return frame[frame["variable"] == name.removeprefix("respondents_")]
    if name.startswith("likert_") and "item_frequencies" in tables:
        frame = tables["item_frequencies"]
        scale = name.removeprefix("likert_").removesuffix(BY_ORGANISATION)
        items = [
            item.item
            for item in presentation.items.values()
            if item.scale == (scale if scale in presentation.scales else None)
        ]
        together = frame["organisation"] == ALL
        return frame[frame["item"].isin(items) & (~together if name.endswith(BY_ORGANISATION) else together)]
    return pd.DataFrame()


def _shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the modelled percentages of favourable answers."""
    return frame if frame.empty else frame[frame["term"] == "percent_favourable"]


def main_analysis(frame: pd.DataFrame) -> str:
    """Name the analysis that is shown first where a table holds several: the linear one, or else the first."""
    found = list(dict.fromkeys(frame["analysis"]))
    return MAIN if MAIN in found else next(iter(found), "")


def _drawn(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep what figures of estimates draw: one analysis, in points of the response scale."""
    if frame.empty:
        return frame
    return frame[(frame["analysis"] == main_analysis(frame)) & frame["term"].isin((MEAN, *CONTRASTS))]
