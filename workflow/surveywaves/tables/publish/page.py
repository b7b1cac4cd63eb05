"""A table for the web: a fragment for a page, a page that stands by itself, and a page of contents.

Written from the same grid as the forms on paper (see `surveywaves.tables.publish.grid`). No label is markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

from surveywaves.catalogue import TABLE_FORMATS
from surveywaves.tables.layout import Table
from surveywaves.tables.publish.grid import Box, body, heads
from surveywaves.text import visible

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 13px/1.4 Arial, "Liberation Sans", Helvetica, sans-serif; color: #1a1a1a; margin: 1.5em; }}
h1 {{ font-size: 1.5em; }}
h2 {{ font-size: 1.1em; margin: 1.5em 0 .3em; }}
li {{ margin: .25em 0; }}
a {{ color: #0b4f8a; }}
.list {{ max-width: 60em; overflow-wrap: anywhere; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; border-top: 2px solid #1a1a1a; border-bottom: 2px solid #1a1a1a; }}
caption {{ text-align: left; font-weight: bold; padding-bottom: .4em; }}
th, td {{ padding: .25em .5em; vertical-align: top; text-align: left; font-weight: normal; }}
tbody th {{ min-width: 9em; max-width: 32em; }}
td {{ max-width: 32em; }}
thead th {{ font-weight: bold; vertical-align: bottom; }}
thead tr:last-child th, thead th[rowspan] {{ border-bottom: 1px solid #1a1a1a; }}
th[scope=colgroup] {{ text-align: center; border-bottom: 1px solid #9a9a9a; }}
th.group {{ font-weight: bold; text-align: left; border-top: 1px solid #9a9a9a; padding-top: .5em; max-width: none; }}
.num {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
thead .num {{ white-space: normal; }}
.up, .down, .caution {{ font-weight: bold; }}
.muted {{ color: #5c5c5c; }}
sup {{ line-height: 0; font-size: 70%; font-weight: normal; }}
.notes p {{ margin: .3em 0; max-width: 60em; font-size: .92em; }}
.demonstration {{ font-weight: bold; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def words(text: str) -> str:
    """Escape a text for HTML; one that may run from right to left is set apart from what stands around it."""
    return _marked(visible(text))


def _marked(shown: str) -> str:
    return f"<bdi>{escape(shown)}</bdi>" if _RIGHT_TO_LEFT.search(shown) else escape(shown)


_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def html(table: Table) -> str:
    """Write a table as `<table>`: without caption and notes, which whoever places it puts around it.

    Numbers are of class `num`; cells carry their tone as class.
    """
    lines = ['<table class="data">']
    for part, rows in (("thead", heads(table)), ("tbody", body(table))):
        lines += [
            f"<{part}>",
            *(line for row in rows for line in ("<tr>", *map(_tag, row), "</tr>")),
            f"</{part}>",
        ]
    return "\n".join([*lines, "</table>"])


def _tag(box: Box) -> str:
    classes = " ".join(filter(None, ("num" if box.numeric else "", box.tone)))
    about = {"class": classes, "scope": box.scope, "colspan": box.across, "rowspan": box.down}
    set_so = "".join(f' {name}="{value}"' for name, value in about.items() if value not in ("", 1))
    text = _marked(box.text) or ("&nbsp;" if box.scope == "col" else "")
    tag, marks = "th" if box.scope else "td", f"<sup>{box.marks}</sup>" if box.marks else ""
    return f"<{tag}{set_so}>{text}{marks}</{tag}>"


def page(table: Table, *, demonstration: str = "") -> bytes:
    """Write a table as a page that loads nothing, to open in a browser or paste into a text.

    What the data are, if not observed, stands above it.
    """
    said = f'<p class="demonstration">{words(demonstration)}</p>\n' if demonstration else ""
    captioned = html(table).replace(">", f"><caption>{words(table.title)}</caption>", 1)
    label = escape(visible(table.title))
    raised = ((f"<sup>{letter}</sup> " if letter else "", note) for letter, note in table.below)
    notes = "\n".join(f"<p>{mark}{words(note)}</p>" for mark, note in raised)
    body = (
        f'{said}<div class="wide" role="region" aria-label="{label}" tabindex="0">\n{captioned}\n</div>\n'
        f'<div class="notes">\n{notes}\n</div>'
    )
    return _PAGE.format(title=escape(visible(table.title)), body=body).encode()


CALLED: Final = {"html": "HTML", "docx": "Word", "tex": "LaTeX", "csv": "CSV"}

WORKBOOK: Final = "tables.xlsx"
"""Name of the workbook with all tables."""


def contents(tables: Iterable[tuple[str, Table]], *, title: str, demonstration: str) -> bytes:
    """Write the page that lists all tables of a study, each with its heading, in order; see `page`."""
    said = f"<p><strong>{words(demonstration)}</strong></p>\n" if demonstration else ""
    listed = []
    for heading, ours in groupby(tables, key=lambda pair: pair[0]):
        entries = "\n".join(f"<li>{_entry(table)}</li>" for _, table in ours)
        listed.append(f"<h2>{words(heading)}</h2>\n<ul>\n{entries}\n</ul>")
    body = (
        f'<div class="list">\n<h1>Tables: {words(title)}</h1>\n{said}'
        f'<p><a href="{WORKBOOK}">All tables in one workbook</a></p>\n' + "\n".join(listed) + "\n</div>"
    )
    return _PAGE.format(title=f"Tables: {escape(visible(title))}", body=body).encode()


def _entry(table: Table) -> str:
    links = ", ".join(
        f'<a href="{table.name}.{form}" aria-label="{CALLED[form]}: {escape(visible(table.title))}">{CALLED[form]}</a>'
        for form in TABLE_FORMATS
    )
    return f"{words(table.title)}: {links}"
