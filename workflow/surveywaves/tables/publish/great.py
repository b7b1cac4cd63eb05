"""A table for the web and for spreadsheets, and the page that lists all tables.

A table as HTML, by great-tables: a page that stands by itself, to open in a browser or paste into a text.

A table as CSV: the tidy rows that it was made from, numbers in full, with the study's words beside its names.

A page that lists the tables, each with its files.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from great_tables import GT
from great_tables import html as markup
from pandas.api.types import is_numeric_dtype

from surveywaves.catalogue import TABLE_FORMATS
from surveywaves.files import csv_lines, harmless
from surveywaves.tables.publish.sheet import Entry, Head, Publication, Sheet, visible
from surveywaves.terms import Status
from surveywaves.words import (
    WITHHELD,
    Labels,
)

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


def to_csv(frame: pd.DataFrame, labels: Labels) -> bytes:
    """Write a table's rows as CSV that a spreadsheet opens as it is and runs nothing of.

    Parameters
    ----------
    frame
        Tidy rows. Behind each column of names (`wave`, `organisation`, `scale`, `item`) stands what they are called, in
        `<column>_label`; behind `level` and `response` too, where the frame says of what. A number that is withheld
        has the sign of all tables; what is missing for another reason is empty.
    """
    return csv_lines(_with_labels(with_signs(frame), labels), _spoken).encode("utf-8", "replace")


@lru_cache(maxsize=4096)
def _spoken(text: str) -> str:
    return str(harmless(visible(text)))


def with_signs(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the sign of what is withheld into a released table where it is; what is missing for another reason stays so.

    Parameters
    ----------
    frame
        Rows of a released table. Without a column `status`, nothing of it is withheld.
    """
    if "status" not in frame.columns:
        return frame
    hidden = frame["status"].eq(Status.WITHHELD)
    columns: dict[str, Any] = {}
    for name in frame.columns:
        if is_numeric_dtype(frame[name]):
            missing = frame[name].isna()
        elif name in _NUMBERS_AS_TEXT:
            missing = frame[name].eq("")
        else:
            continue
        marks = missing & hidden
        marks = marks & _ever(frame, name) if marks.any() else marks
        if name == "n" and "estimate" in frame.columns:
            marks |= missing & frame["estimate"].notna()
        if marks.any():
            columns[name] = frame[name].astype("object").mask(marks, WITHHELD)
    return frame.assign(**columns) if columns else frame


_NUMBERS_AS_TEXT: Final = {"recomputed"}
"""Columns of text that hold numbers, written as a publication writes them."""


def _ever(frame: pd.DataFrame, name: str) -> pd.Series[bool]:
    """Say of each row whether its kind has such a number at all: not every estimate has an interval or a test."""
    if name == "estimate" or not {"analysis", "term"} <= set(frame.columns):
        return pd.Series(data=True, index=frame.index)
    return frame.groupby(["analysis", "term"])[name].transform("count") > 0


SCORED: Final = {"estimate", "favourable_percent"}
"""Columns of numbers that are scored: other tables with statements hold answers as given."""


def _with_labels(frame: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    words: dict[str, Callable[[str], str]] = {
        "wave": labels.wave,
        "organisation": labels.organisation,
        "scale": labels.scale,
        "item": labels.item if SCORED & set(frame.columns) else labels.wording,
        "variable": labels.variable,
    }
    columns: dict[str, Any] = {}
    for name in frame.columns:
        columns[name] = frame[name]
        if name in words:
            known = {value: words[name](str(value)) if value else "" for value in frame[name].unique()}
            columns[f"{name}_label"] = frame[name].map(known)
        elif name == "level" and "variable" in frame.columns:
            pairs = zip(frame["variable"], frame["level"], strict=True)
            columns["level_label"] = [labels.level(str(variable), str(level)) for variable, level in pairs]
        elif name == "response" and "item" in frame.columns:
            options = zip(frame["item"], frame["response"], strict=True)
            columns["response_label"] = [_response(labels, str(item), int(place)) for item, place in options]
    return pd.DataFrame(columns, index=frame.index)


def _response(labels: Labels, item: str, place: int) -> str:
    about = labels.presentation.items.get(item)
    if about is None:
        return ""
    options = labels.presentation.response_scales[about.response_scale].labels
    return options[place - 1] if 1 <= place <= len(options) else ""


CALLED: Final = {"html": "HTML", "docx": "Word", "tex": "LaTeX", "csv": "CSV"}

_CONTENTS: Final = """\
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
    return _CONTENTS.format(
        title=html.escape(visible(title)), demonstration=said, sections="\n".join(sections)
    ).encode()


def _entry(publication: Publication) -> str:
    words = html.escape(visible(publication.table.title))
    links = ", ".join(
        f'<a href="{publication.name}.{form}" aria-label="{CALLED[form]}: {words}">{CALLED[form]}</a>'
        for form in TABLE_FORMATS
    )
    return f"<bdi>{words}</bdi>: {links}"
