"""A page that lists the tables, each with its files."""

from __future__ import annotations

import html
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from surveywaves.tables.publish.chosen import Publication
from surveywaves.tables.publish.names import FORMATS
from surveywaves.tables.publish.sheet import visible

CALLED: Final = {"html": "HTML", "docx": "Word", "tex": "LaTeX", "csv": "CSV"}

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Tables: {title}</title>
<style>
body {{ font: 15px/1.5 Arial, "Liberation Sans", Helvetica, sans-serif; color: #1a1a1a; max-width: 60em;
  margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5em; }}
h2 {{ font-size: 1.1em; margin: 1.5em 0 .3em; }}
li {{ margin: .25em 0; }}
a {{ color: #0b4f8a; }}
</style>
</head>
<body>
<h1>Tables: <bdi>{title}</bdi></h1>
{demonstration}{sections}
</body>
</html>
"""


def to_contents(publications: Iterable[Publication], *, title: str, demonstration: str) -> bytes:
    """Write the page.

    Parameters
    ----------
    title
        What the study is called.
    demonstration
        What its data are if not observed.
    """
    sections = []
    for group, ours in groupby(publications, key=lambda publication: publication.group):
        entries = "\n".join(f"<li>{_entry(publication)}</li>" for publication in ours)
        sections.append(f"<h2>{html.escape(group)}</h2>\n<ul>\n{entries}\n</ul>")
    said = f"<p><strong>{html.escape(demonstration)}</strong></p>\n" if demonstration else ""
    return _PAGE.format(
        title=html.escape(visible(title)), demonstration=said, sections="\n".join(sections)
    ).encode()


def _entry(publication: Publication) -> str:
    words = html.escape(visible(publication.table.title))
    links = ", ".join(
        f'<a href="{publication.name}.{form}" aria-label="{CALLED[form]}: {words}">{CALLED[form]}</a>'
        for form in FORMATS
    )
    return f"<bdi>{words}</bdi>: {links}"
