"""A table as HTML, by great-tables: a page that stands by itself, to open in a browser or paste into a text."""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

import pyarrow as pa
from great_tables import GT
from great_tables import html as markup

from surveywaves.tables.publish.sheet import Entry, Head, Sheet

_SECTION: Final = "section"

_STYLE: Final = """\
#{id} .gt_row, #{id} .gt_col_heading {{ vertical-align: top; }}
#{id} .gt_col_heading {{ vertical-align: bottom; }}
#{id} .gt_right {{ white-space: nowrap; font-variant-numeric: tabular-nums; padding-right: 9px; }}
#{id} .gt_col_heading.gt_right {{ white-space: normal; }}
#{id} .gt_left {{ overflow-wrap: anywhere; min-width: 4.5em; }}
#{id} .gt_stub {{ min-width: 9em; max-width: 30em; }}
#{id} .gt_center {{ padding-left: 12px; padding-right: 12px; }}
#{id} .gt_sourcenote {{ max-width: 0; }}
#{id} sup {{ display: inline-block; width: 0; line-height: 0; font-size: 70%; overflow: visible; white-space: nowrap; }}
#{id} .gt_sourcenote sup {{ width: auto; padding-right: 2px; }}
#{id} abbr {{ text-decoration: none; }}
#{id} .gt_title {{ font-weight: bold; }}
#{id} .gt_subtitle {{ font-style: italic; }}
#{id} .muted {{ color: #5c5c5c; }}
#{id} .caution {{ font-weight: 600; }}
"""

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
</head>
<body>
{table}
</body>
</html>
"""


def to_html(sheet: Sheet) -> bytes:
    """Write a table as a page that loads nothing."""
    names = [f"c{place}" for place in range(len(sheet.heads))]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PyArrow Table support is currently experimental")
        table = GT(
            _frame(sheet, names),
            id=_id(sheet.name),
            rowname_col=names[: sheet.stub],
            groupname_col=_SECTION if _has_sections(sheet) else None,
        )
    table = table.tab_header(
        title=markup(_text(sheet.title)),
        subtitle=markup(_text(sheet.demonstration)) if sheet.demonstration else None,
    )
    table = table.tab_stubhead([markup(_head(head)) for head in sheet.heads[: sheet.stub]])
    table = table.cols_label(
        {name: markup(_head(head)) for name, head in zip(names, sheet.heads, strict=True)}
    )
    table = table.cols_align(
        "right", columns=[name for name, head in _columns(names, sheet) if head.numeric]
    ).cols_align("left", columns=[name for name, head in _columns(names, sheet) if not head.numeric])
    place = 0
    for number, (group, span) in enumerate(sheet.groups):
        if group:
            spanned = names[place : place + span]
            table = table.tab_spanner(markup(_text(group)), columns=spanned, id=f"g{number}")
        place += span
    if sheet.rows:
        # The cells are escaped and marked up already; a section's name stands for its number.
        table = table.fmt(str, columns=names)
        if _has_sections(sheet):
            table = table.fmt(lambda number: _text(_sections(sheet)[int(number)]), columns=_SECTION)
    for note in _notes(sheet):
        table = table.tab_source_note(markup(note))
    table = table.tab_options(
        table_font_names=["Arial", "Liberation Sans", "Helvetica", "sans-serif"],
        table_font_size="13px",
        table_font_color="#1a1a1a",
        table_margin_left="0",
        table_border_top_color="#1a1a1a",
        table_border_bottom_color="#1a1a1a",
        table_border_bottom_style="hidden",
        table_body_border_top_color="#1a1a1a",
        table_body_border_bottom_color="#1a1a1a",
        table_body_hlines_color="#e4e4e4",
        heading_align="left",
        heading_title_font_size="15px",
        heading_subtitle_font_size="13px",
        heading_border_bottom_color="#1a1a1a",
        column_labels_border_top_color="#1a1a1a",
        column_labels_border_bottom_color="#1a1a1a",
        column_labels_padding_horizontal="6px",
        data_row_padding="3px",
        data_row_padding_horizontal="6px",
        stub_border_style="none",
        row_group_font_weight="bold",
        row_group_border_top_color="#9a9a9a",
        row_group_border_bottom_style="none",
        source_notes_font_size="12px",
        source_notes_padding="2px",
        table_additional_css=_STYLE.format(id=_id(sheet.name)),
    )
    page = _PAGE.format(title=_escaped(sheet.title), table=table.as_raw_html())
    return page.encode("utf-8")


def _frame(sheet: Sheet, names: list[str]) -> pa.Table:
    """Give the cells as marked-up text, and the number of each row's section.

    As an Arrow table: great-tables sets cell by cell, which takes pandas more than twice as long.
    """
    columns = {
        name: [_cell(row.entries[place], numeric=head.numeric) for row in sheet.rows]
        for place, (name, head) in enumerate(zip(names, sheet.heads, strict=True))
    }
    if _has_sections(sheet):
        numbers = accumulate(int(bool(row.section)) for row in sheet.rows)
        columns[_SECTION] = [str(number - 1) for number in numbers]
    return pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()})


def _has_sections(sheet: Sheet) -> bool:
    return any(row.section for row in sheet.rows)


def _sections(sheet: Sheet) -> list[str]:
    return [row.section for row in sheet.rows if row.section]


def _columns(names: list[str], sheet: Sheet) -> Iterable[tuple[str, Head]]:
    return zip(names, sheet.heads, strict=True)


def _cell(entry: Entry, *, numeric: bool) -> str:
    text = _escaped(entry.text)
    text = text if numeric else f"<bdi>{text}</bdi>"
    if entry.tone in {"muted", "caution"}:
        text = f'<span class="{entry.tone}">{text}</span>'
    return f"{text}<sup>{entry.marks}</sup>" if entry.marks else text


def _head(head: Head) -> str:
    if not head.text:
        return ""
    return (
        f'<abbr title="{_escaped(head.spoken)}">{_text(head.text)}</abbr>'
        if head.spoken
        else _text(head.text)
    )


def _notes(sheet: Sheet) -> list[str]:
    notes = [f"<sup>{letter}</sup>{_text(note)}" for letter, note in sheet.notes]
    return [*notes, *map(_text, sheet.lines)]


def _text(text: str) -> str:
    """Escape words, and set their direction apart from that of the text around them."""
    return f"<bdi>{_escaped(text)}</bdi>"


def _escaped(text: str) -> str:
    """Escape a text; braces too, between which great-tables reads units."""
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")


def _id(name: str) -> str:
    return f"table_{name}"
