"""A page of figures for those who look before they install: which figures, and what is written around them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from surveywaves.figures.names import item_groups, names

if TYPE_CHECKING:
    import pandas as pd

    from surveywaves.study.parts import Presentation

TABLES: Final = {
    "response": ("response_rates",),
    "respondents_": ("respondents",),
    "break_off": ("missing", "item_frequencies"),
    "gradient": ("means",),
    "heat_map": ("item_summary",),
    "likert_": ("item_frequencies", "item_summary"),
    "reliability": ("reliability",),
    "functioning": ("dif",),
    "scale_profile": ("means",),
    "favourable": ("means", "item_summary"),
    "means_over_waves": ("means",),
    "comparator": ("means",),
    "framework_": ("means",),
    "contrasts": ("contrasts",),
    "differences_in_change": ("contrasts",),
    "sensitivity_": ("sensitivity",),
    "planning": ("planning",),
    "published_agreement": ("published_tables",),
}
"""Beginning of a figure's name -> the released tables that it draws."""

FOLDER: Final = "figures"
"""Beside the page."""


def exhibited(presentation: Presentation, published: bool) -> tuple[str, ...]:
    """Choose figures for the page: one of each kind; of one scale, where there is one a scale.

    Parameters
    ----------
    presentation
        The study in words.
    published
        Whether a publication is audited.
    """
    groups = item_groups(presentation)
    gradient = presentation.style.gradient
    shown = [name for name in (gradient.scales if gradient else groups) if name in groups]
    scale = shown[-1] if shown else ""
    of_scale = {f"likert_{scale}", f"likert_{scale}_by_organisation", f"sensitivity_{scale}"}
    return tuple(
        name
        for name in names(presentation, published)
        if not name.startswith(("likert_", "sensitivity_")) or name in of_scale
    )


def page(captions: pd.DataFrame, chosen: Iterable[str], title: str) -> str:
    """Write the page, in Markdown.

    Parameters
    ----------
    captions
        `figures/captions.tsv`.
    chosen
        Figures, in order; see `exhibited`.
    title
        Title of the study.

    Returns
    -------
    str
        Pictures stand in `FOLDER` beside the page.
    """
    rows = {row["figure"]: row for row in captions.to_dict("records")}
    said = [
        "<!-- Written by `snakemake --cores 1 gallery` from the figures and their captions: do not edit. -->",
        "# Figures",
        f"Figures of *{plain(title)}* as the pipeline draws them; it draws more than these, each as SVG, PDF and PNG. "
        "**They are a demonstration of the pipeline unless their evidence says that all of the data are observed.**",
    ]
    group = ""
    for name in chosen:
        row = rows[name]
        if row["group"] != group:
            group = row["group"]
            said.append(f"## {plain(group)}")
        evidence = row["evidence"]
        caption = " ".join(row["caption"].replace(evidence, "").split())
        drawn = " and ".join(f"`released/{table}`" for table in tables_of(name))
        said += [
            f"### {plain(row['title'])}",
            f"![{plain(row['alt'])}]({FOLDER}/{name}.svg)",
            plain(caption),
            f"**{plain(evidence)}**",
            f"`{name}`, drawn from {drawn}.",
        ]
    return "\n\n".join(said) + "\n"


def tables_of(name: str) -> tuple[str, ...]:
    """Name the released tables that a figure draws."""
    return next(
        tables
        for start, tables in TABLES.items()
        if name == start or (start[-1] == "_" and name.startswith(start))
    )


def plain(text: str) -> str:
    """Escape what Markdown or HTML would take for markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))
