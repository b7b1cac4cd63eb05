"""All figures of a study, in the order of their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pandas as pd

from surveywaves.figures.agreement import published_agreement
from surveywaves.figures.break_off import break_off
from surveywaves.figures.contrasts import contrasts
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.likert import likert
from surveywaves.figures.means import scale_profile
from surveywaves.figures.names import item_groups, names
from surveywaves.figures.over_time import means_over_waves
from surveywaves.figures.reliability import reliability
from surveywaves.figures.respondents import respondents
from surveywaves.figures.response import response
from surveywaves.study.parts import Presentation


def draw_all(tables: Mapping[str, pd.DataFrame], presentation: Presentation) -> Iterator[Drawing]:
    """Draw every figure of a study.

    Parameters
    ----------
    tables
        `item_frequencies, respondents, response_rates, missing, reliability, means, contrasts` as docs/files.md
        describes them, and, where a publication is audited, its `published_tables`. Others are ignored.
    presentation
        The study in words.

    Yields
    ------
    Drawing
        In the order of `surveywaves.figures.names.names`.
    """
    items, people = tables["item_frequencies"], tables["respondents"]
    makers: dict[str, Callable[[], Drawing]] = {
        "response": partial(response, tables["response_rates"], presentation),
        "break_off": partial(break_off, tables["missing"], presentation),
        "reliability": partial(reliability, tables["reliability"], presentation),
        "scale_profile": partial(scale_profile, tables["means"], presentation),
        "means_over_waves": partial(means_over_waves, tables["means"], presentation),
        "contrasts": partial(contrasts, tables["contrasts"], presentation),
    }
    if "published_tables" in tables:
        makers["published_agreement"] = partial(published_agreement, tables["published_tables"], presentation)
    for variable in presentation.variables:
        makers[f"respondents_{variable}"] = partial(respondents, people, presentation, variable)
    for scale in item_groups(presentation):
        makers[f"likert_{scale}"] = partial(likert, items, presentation, scale)
        makers[f"likert_{scale}_by_organisation"] = partial(
            likert, items, presentation, scale, by_organisation=True
        )
    for name in names(presentation, "published_tables" in tables):
        yield makers[name]()
