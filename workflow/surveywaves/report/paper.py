"""From the report to one PDF, set by typst.

The sections are written as typst by pandoc, which escapes their words; titles, tables and drawings go to the template
as data, never as markup: no label can be more than text there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import typst

from surveywaves.report.build import Chapter, Node, Report, Shown, classes, div_name, raw, replaced, visible
from surveywaves.tables import Table
from surveywaves.words import shortened

TEMPLATE: Final = "report.typ"

STANDARD: Final = "ua-1"
"""PDF/UA-1: tagged, with a language, a title and words for every drawing; typst refuses what does not meet it."""

UPRIGHT, TURNED = 496.0, 742.0
"""Width of the text on an A4 page, in points: as it stands, and turned."""

LETTER: Final = 4.55
"""About how wide a letter of a table is, in points."""

WORDS: Final = (52.0, 120.0)
"""Width that a column of words has at least, and up to which it is not broken for want of room, in points."""

_HEAD_ROOM: Final = 80
_LONG_WORD: Final = re.compile(r"[^\s\u200b]{24}(?=[^\s\u200b])")
_RUNS: Final = {"up": "#up[", "down": "#down["}


def typeset(report: Report, *, templates: Path) -> bytes:
    """Set the report as a PDF.

    Parameters
    ----------
    report
        What stands in it.
    templates
        Folder with `report.typ`.

    Returns
    -------
    bytes
        The PDF, PDF/UA-1. It holds no time and no place, and its fonts come with the packages that set it: the same
        report gives the same bytes.
    """
    return typst.compile(
        str(templates / TEMPLATE),
        root=str(templates),
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(content(report), ensure_ascii=False)},
        pdf_standards=STANDARD,
        timestamp=0,
    )


def fonts() -> list[str]:
    """Give the folder with the fonts that come with matplotlib: signs that typst's own fonts do not have."""
    found = find_spec("matplotlib")
    places = found.submodule_search_locations if found else None
    return [str(Path(place) / "mpl-data/fonts/ttf") for place in places or ()]


def content(report: Report) -> dict[str, Any]:
    """Give a report as data for the template: the text of each chapter, and what stands in it by its name."""
    blocks = list(report.strip or [])
    for chapter in report.chapters:
        blocks += [raw("typst", f"//{chapter.name}"), *_blocks(chapter, report)]
    # No words begin a line with these signs: pandoc escapes them.
    strip, *texts = re.split(r"(?m)^//\w+$", report.write(blocks, "typst"))
    return {
        "title": visible(report.title),
        "short": visible(shortened(report.title, _HEAD_ROOM)),
        "headline": report.headline,
        "demonstration": report.strip is not None,
        "strip": strip,
        "front": report.front.id if report.front else "",
        "chapters": [
            {"name": one.name, "title": one.title, "appendix": one.appendix, "text": text}
            for one, text in zip(report.chapters, texts, strict=True)
        ],
        "shown": {name: _shown(one) for name, one in report.shown.items()},
    }


def _blocks(chapter: Chapter, report: Report) -> list[Node]:
    """Give a chapter's blocks, with calls of the template where something stands in its place."""

    def one(node: Node) -> list[Node] | None:
        kind = classes(node)
        if name := div_name(node):
            return [] if report.shown[name] is report.front else [raw("typst", f'#exhibit("{name}")')]
        if node["t"] == "Div" and "fold" in kind:
            first, *rest = node["c"][1]
            return [{"t": "Para", "c": [{"t": "Strong", "c": first["c"]}]}, *rest]
        for name in ("note", "files"):
            if node["t"] == "Div" and name in kind:
                return [raw("typst", f"#{name}["), *node["c"][1], raw("typst", "]")]
        if node["t"] == "Span" and (call := next((_RUNS[name] for name in kind if name in _RUNS), "")):
            return [raw("typst", call, inline=True), *node["c"][1], raw("typst", "]", inline=True)]
        if node["t"] == "Link" and not node["c"][2][0].startswith(("#", "http")):
            return list(node["c"][1])
        return None

    found: list[Node] = replaced(chapter.blocks, one)
    return found


def _shown(one: Shown) -> dict[str, Any]:
    words = {"kind": one.kind, "number": one.number, "title": breakable(one.title), "label": one.label}
    if one.table is None:
        return {
            **words,
            "caption": breakable(one.caption),
            "alt": visible(one.alt or one.title),
            "svg": one.svg,
        }
    if not one.number:
        return {**words, "file": f"results/tables/{one.name}.csv"}
    table = one.table
    widths = list(map(_widths, range(len(table.columns)), [table] * len(table.columns)))
    parts = list(_parts(table, [least for least, _ in widths]))
    return {
        **words,
        "turned": any(_least(widths, part) > UPRIGHT for part in parts),
        "parts": [_part(table, part, widths) for part in parts],
        "notes": [*map(breakable, table.notes)],
        "marked": [[mark, breakable(note)] for note, mark in table.footnotes.items()],
    }


def _widths(place: int, table: Table) -> tuple[float, float]:
    """Give how wide a column must be at least, and how wide its longest text is, in points."""
    column = table.columns[place]
    texts = [row[place].text for row in table.rows]
    longest = max(map(len, [*texts, *column.head.split()]), default=1)
    word = max((len(word) for text in [column.head, *texts] for word in text.split()), default=1)
    most = LETTER * longest + 8
    if column.numeric:
        return most, most
    least = max(WORDS[0], min(LETTER * word + 8, WORDS[1]))
    return max(least, min(most, WORDS[1])), max(most, least)


def _least(widths: list[tuple[float, float]], part: list[int]) -> float:
    return sum(widths[place][0] for place in part)


def _parts(table: Table, least: list[float]) -> Iterator[list[int]]:
    """Split columns that not even a turned page holds: each part begins with those that name a row."""
    heads = list(range(table.heads))
    if sum(least) <= TURNED or table.heads >= len(least):
        yield list(range(len(least)))
        return
    room = UPRIGHT - sum(least[: table.heads])
    part: list[int] = []
    for place in range(table.heads, len(least)):
        # Columns below one head stay together as far as they find room.
        together = [
            at for at in range(place, len(least)) if table.columns[at].group == table.columns[place].group
        ]
        new = place == table.heads or table.columns[place].group != table.columns[place - 1].group
        need = sum(least[at] for at in together) if new and table.columns[place].group else least[place]
        if part and sum(least[at] for at in part) + min(need, room) > room:
            yield [*heads, *part]
            part = []
        part.append(place)
    yield [*heads, *part]


def _part(table: Table, places: list[int], widths: list[tuple[float, float]]) -> dict[str, Any]:
    """Give columns of a table as data: heads, the heads above them, and cells in rows."""
    columns = [table.columns[place] for place in places]
    groups: list[list[Any]] = []
    for column in columns:
        if groups and column.group and groups[-1][0] == breakable(column.group):
            groups[-1][1] += 1
        else:
            groups.append([breakable(column.group), 1])
    sections = table.sections or ("",) * len(table.rows)
    # A column of words gets its share of the room by the root of what it holds.
    return {
        "heads": [breakable(column.head) for column in columns],
        "numeric": [column.numeric for column in columns],
        "shares": [0 if table.columns[at].numeric else round(widths[at][1] ** 0.5, 2) for at in places],
        "groups": groups if any(name for name, _ in groups) else [],
        "rows": [[_cell(table, number, place) for place in places] for number in range(len(table.rows))],
        "over": [
            breakable(name) if number == 0 or name != sections[number - 1] else ""
            for number, name in enumerate(sections)
        ],
    }


def _cell(table: Table, row: int, place: int) -> list[str]:
    cell = table.rows[row][place]
    text = breakable(cell.text)
    if table.columns[place].numeric:
        text = text.replace(" ", "\u00a0").replace("-", "\u2011")
    return [text, cell.tone, table.marks(cell)]


def breakable(text: str) -> str:
    """Make a text fit for paper: one line, nothing unseen, long words with places to break."""
    return _LONG_WORD.sub("\\g<0>\u200b", " ".join(visible(text).split()))
