"""A page of figures for those who look before they install."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pandas as pd

from surveywaves.catalogue import One

FOLDER: Final = "figures"
"""Beside the page."""


def page(captions: pd.DataFrame, chosen: Iterable[One], title: str) -> str:
    """Write the page, in Markdown.

    Parameters
    ----------
    captions
        `figures/captions.tsv`.
    chosen
        Figures, in order; see `surveywaves.catalogue.in_gallery`.
    title
        Title of the study.

    Returns
    -------
    str
        Pictures stand in `FOLDER` beside the page.
    """
    rows = {row["figure"]: row for row in captions.to_dict("records")}
    said = [
        "<!-- Written by `make gallery` from the figures and their captions: do not edit. -->",
        "# Figures",
        f"Figures of *{plain(title)}* as the pipeline draws them, each also as PDF, PNG, a slide and the rows that it "
        "drew. **Where a figure says DEMONSTRATION DATA, it shows no finding.**",
    ]
    group = ""
    for one in chosen:
        row = rows[one.name]
        if row["group"] != group:
            group = row["group"]
            said.append(f"## {plain(group)}")
        drawn = " and ".join(f"`released/{table}`" for table in one.exhibit.reads)
        said += [
            f"### {plain(row['title'])}",
            f"![{plain(row['alt'])}]({FOLDER}/{one.name}.svg)",
            plain(row["caption"]),
            f"`{one.name}`, drawn from {drawn}.",
        ]
    return "\n\n".join(said) + "\n"


def plain(text: str) -> str:
    """Escape what Markdown or HTML would take for markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))
