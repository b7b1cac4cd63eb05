"""A page of figures for those who look before they install."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pandas as pd

from surveywaves.catalogue import One

FOLDER: Final = "figures"
"""Folder of the pictures, beside the page."""


def page(captions: pd.DataFrame, chosen: Iterable[One], title: str) -> str:
    """Write the page in Markdown, from `figures/captions.tsv`, the chosen figures and the study's title."""
    rows, group = {row["figure"]: row for row in captions.to_dict("records")}, ""
    said = [
        "<!-- Written by `make gallery` from the figures and their captions: do not edit. -->",
        "# Figures",
        f"Figures of *{plain(title)}* as the pipeline draws them, each also as PDF, PNG, a slide and the rows that it "
        "drew. **Where a figure says DEMONSTRATION DATA, it shows no finding.**",
    ]
    for one in filter(lambda one: one.name in rows, chosen):
        words = {name: plain(text) for name, text in rows[one.name].items()}
        if words["group"] != group:
            group = words["group"]
            said.append(f"## {group}")
        drawn = " and ".join(f"`released/{table}`" for table in one.exhibit.reads)
        said += [
            f"### {words['title']}",
            f"![{words['alt']}]({FOLDER}/{one.name}.svg)",
            words["caption"],
            f"`{one.name}`, drawn from {drawn}.",
        ]
    return "\n\n".join(said) + "\n"


def plain(text: str) -> str:
    """Escape what Markdown or HTML would take for markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))
