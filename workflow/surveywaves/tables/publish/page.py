"""A table for the web, by great-tables: a fragment for a page, a page that stands by itself, and a page of contents."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

import pyarrow as pa
from great_tables import GT
from great_tables import html as markup

from surveywaves.catalogue import TABLE_FORMATS
from surveywaves.tables.layout import Cell, Column, Table, held
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
body {{ font: 14px/1.4 Arial, "Liberation Sans", Helvetica, sans-serif; color: #1a1a1a; margin: 1.5em; }}
h1 {{ font-size: 1.5em; }}
h2 {{ font-size: 1.1em; margin: 1.5em 0 .3em; }}
li {{ margin: .25em 0; }}
a {{ color: #0b4f8a; }}
.list {{ max-width: 60em; overflow-wrap: anywhere; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; border-top: 2px solid #1a1a1a; border-bottom: 2px solid #1a1a1a; }}
caption {{ text-align: left; font-weight: bold; padding-bottom: .4em; }}
th, td {{ padding: .25em .6em; vertical-align: top; text-align: left; font-weight: normal; }}
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
abbr {{ text-decoration: none; }}
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
    shown = visible(text)
    marked = escape(shown).replace("{", "&#123;").replace("}", "&#125;")
    return f"<bdi>{marked}</bdi>" if _RIGHT_TO_LEFT.search(shown) else marked


_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def html(table: Table) -> str:
    """Write a table as `<table>`: without caption and notes, which whoever places it puts around it.

    Numbers are of class `num`; cells carry their tone as class; ids begin with `table-` and the table's name.
    """
    names = [f"c{place}" for place in range(len(table.columns))]
    sections = [number for number, _ in enumerate(_sections(table))]
    columns = {
        name: [f"{_TONE[row[place].tone]}{_cell(table, row[place])}" for row in table.rows]
        or [f"{_TONE['']}{'None.' if place == 0 else ''}"]
        for place, name in enumerate(names)
    }
    if sections:
        columns["section"] = [
            f"r{number}" for number, (_, many) in enumerate(_sections(table)) for _ in range(many)
        ]
    frame = pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PyArrow Table support is currently experimental")
        great = GT(
            frame,
            id=f"table-{table.name}",
            rowname_col=names[: table.heads],
            groupname_col="section" if sections else None,
        )
    great = great.tab_stubhead([markup(_head(column)) for column in table.columns[: table.heads]])
    great = great.cols_label(
        {name: markup(_head(column)) for name, column in zip(names, table.columns, strict=True)}
    )
    numeric = [name for name, column in zip(names, table.columns, strict=True) if column.numeric]
    great = great.cols_align("left", columns=names).cols_align("right", columns=numeric)
    start = 0
    for number, (group, span) in enumerate(table.groups):
        if group:
            great = great.tab_spanner(f"s{number}", columns=names[start : start + span], id=f"s{number}")
        start += span
    made = great.fmt(str, columns=names).as_raw_html()
    return _plain(made, table)


_TONE: Final = {tone: f"\ue000{tone}\ue001" for tone in ("", "muted", "caution", "up", "down")}
"""How a cell's tone travels through great-tables, in letters that no text has: see `surveywaves.text.visible`."""

_CLASSED: Final = re.compile(
    r'(<t[dh][^>]*?) class="gt_row (gt_left|gt_right)[^"]*"([^>]*)>\ue000(\w*)\ue001'
)
_CLASSES: Final = re.compile(r' class="gt_[^"]*"| data-quarto-[a-z-]+="[^"]*"| (?:row|col)span="1"')
_TOKEN: Final = re.compile(r">\s*(?:<span[^>]*>)?([rs])(\d+)(?:</span>)?\s*</th>")


def _plain(made: str, table: Table) -> str:
    """Take the table out of what great-tables made, with classes of our own; heads above heads get their words."""
    inner = made[made.index("<table") : made.index("</table>") + len("</table>")]
    inner = re.sub(r"<table[^>]*>", '<table class="data">', inner, count=1)
    sections, groups = [text for text, _ in _sections(table)], [text for text, _ in table.groups]

    def classed(found: re.Match[str]) -> str:
        classes = " ".join(filter(None, ("num" if found[2] == "gt_right" else "", found[4])))
        return f"{found[1]}{f' class={chr(34)}{classes}{chr(34)}' if classes else ''}{found[3]}>"

    inner = _CLASSED.sub(classed, inner)
    inner = re.sub(r' class="gt_col_heading[^"]*gt_right[^"]*"', ' class="num"', inner)
    inner = re.sub(r' class="gt_group_heading"', ' class="group"', inner)
    inner = _CLASSES.sub("", inner)
    inner = _TOKEN.sub(
        lambda found: f">{words((sections if found[1] == 'r' else groups)[int(found[2])])}</th>", inner
    )
    return re.sub(r"\n\s*", "\n", inner)


def _sections(table: Table) -> list[tuple[str, int]]:
    """Return the sections of the rows, with the number of rows of each."""
    return [(text, len(list(rows))) for text, rows in groupby(table.sections)]


def _cell(table: Table, cell: Cell) -> str:
    marks = table.marks(cell)
    return f"{words(cell.text)}<sup>{marks}</sup>" if marks else words(cell.text)


def _head(column: Column) -> str:
    text = held(words(column.head)) or "&nbsp;"
    return f'<abbr title="{escape(visible(column.spoken))}">{text}</abbr>' if column.spoken else text


def below(table: Table) -> str:
    """Write what stands below a table: its footnotes, then its notes."""
    marked = [f"<p><sup>{letter}</sup> {words(note)}</p>" for note, letter in table.footnotes.items()]
    return "\n".join([*marked, *(f"<p>{words(note)}</p>" for note in table.notes)])


def page(table: Table, fragment: str, *, demonstration: str = "") -> bytes:
    """Write a table as a page that loads nothing, to open in a browser or paste into a text.

    Parameters
    ----------
    fragment
        Its `html`.
    demonstration
        What the data are if not observed.
    """
    said = f'<p class="demonstration">{words(demonstration)}</p>\n' if demonstration else ""
    captioned = fragment.replace(">", f"><caption>{words(table.title)}</caption>", 1)
    label = escape(visible(table.title))
    body = (
        f'{said}<div class="wide" role="region" aria-label="{label}" tabindex="0">\n{captioned}\n</div>\n'
        f'<div class="notes">\n{below(table)}\n</div>'
    )
    return _PAGE.format(title=escape(visible(table.title)), body=body).encode()


CALLED: Final = {"html": "HTML", "docx": "Word", "tex": "LaTeX", "csv": "CSV"}


WORKBOOK: Final = "tables.xlsx"
"""Name of the workbook with all tables."""


def contents(tables: Iterable[tuple[str, Table]], *, title: str, demonstration: str) -> bytes:
    """Write the page that lists all tables.

    Parameters
    ----------
    tables
        Heading and table, in order.
    title
        What the study is called.
    demonstration
        What its data are if not observed.
    """
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
