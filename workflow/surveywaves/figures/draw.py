"""All figures of a study, in the order of their names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

import pandas as pd

from surveywaves.figures.agreement import published_agreement
from surveywaves.figures.break_off import break_off
from surveywaves.figures.contrasts import contrasts
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.functioning import functioning
from surveywaves.figures.heat_map import heat_map
from surveywaves.figures.likert import likert
from surveywaves.figures.means import favourable, framework, gradient, scale_profile
from surveywaves.figures.names import item_groups, names
from surveywaves.figures.over_time import comparator, means_over_waves
from surveywaves.figures.planning import planning
from surveywaves.figures.reliability import reliability
from surveywaves.figures.respondents import respondents
from surveywaves.figures.response import response
from surveywaves.figures.sensitivity import sensitivity
from surveywaves.study.parts import Presentation

Columns: TypeAlias = Literal[1, 2]


def draw_all(
    tables: Mapping[str, pd.DataFrame],
    presentation: Presentation,
    *,
    wanted: Collection[str] | None = None,
    columns: Columns | None = None,
) -> Iterator[Drawing]:
    """Draw every figure of a study.

    Parameters
    ----------
    tables
        Released `item_frequencies, item_summary, respondents, response_rates, missing, reliability, dif, means,
        contrasts, sensitivity` as docs/files.md describes them, and, where a publication is audited, its
        `published_tables`, where a wave is planned, `planning`. Others are ignored.
    presentation
        The study in words.
    wanted
        Names of the figures to draw; None: all.
    columns
        Columns of a journal's page that each takes; None: as the study's style says.

    Yields
    ------
    Drawing
        In the order of `surveywaves.figures.names.names`.
    """
    if columns is not None:
        style = presentation.style.model_copy(update={"columns": columns})
        presentation = presentation.model_copy(update={"style": style})
    items, summary, people = tables["item_frequencies"], tables["item_summary"], tables["respondents"]
    makers: dict[str, Callable[[], Drawing]] = {
        "response": partial(response, tables["response_rates"], presentation),
        "break_off": partial(break_off, tables["missing"], items, presentation),
        "reliability": partial(reliability, tables["reliability"], presentation),
        "scale_profile": partial(scale_profile, tables["means"], presentation),
        "heat_map": partial(heat_map, summary, presentation),
        "functioning": partial(functioning, tables["dif"], presentation),
        "favourable": partial(favourable, tables["means"], summary, presentation),
        "gradient": partial(gradient, tables["means"], presentation),
        "comparator": partial(comparator, tables["means"], presentation),
        "means_over_waves": partial(means_over_waves, tables["means"], presentation),
        "contrasts": partial(contrasts, tables["contrasts"], presentation),
        "differences_in_change": partial(
            contrasts, tables["contrasts"], presentation, "differences_in_change"
        ),
    }
    if "planning" in tables:
        makers["planning"] = partial(planning, tables["planning"], presentation)
    if "published_tables" in tables:
        makers["published_agreement"] = partial(published_agreement, tables["published_tables"], presentation)
    for framed in presentation.frameworks:
        makers[f"framework_{framed}"] = partial(framework, tables["means"], presentation, framed)
    for scale in presentation.scales:
        makers[f"sensitivity_{scale}"] = partial(sensitivity, tables["sensitivity"], presentation, scale)
    for variable in presentation.variables:
        makers[f"respondents_{variable}"] = partial(respondents, people, presentation, variable)
    for scale in item_groups(presentation):
        makers[f"likert_{scale}"] = partial(likert, items, summary, presentation, scale)
        makers[f"likert_{scale}_by_organisation"] = partial(
            likert, items, summary, presentation, scale, by_organisation=True
        )
    for name in names(presentation, "published_tables" in tables):
        if wanted is None or name in wanted:
            yield _with_rule(makers[name](), presentation)


def _with_rule(drawing: Drawing, presentation: Presentation) -> Drawing:
    """Say in the caption what protects respondents."""
    return replace(drawing, caption=f"{drawing.caption} {presentation.protection}".rstrip())
