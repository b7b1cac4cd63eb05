"""A table as a Word document: a real table with a caption, heads that repeat on every page, and its notes below."""

from __future__ import annotations

import datetime as dt
import io
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

from docx import Document
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT
from docx.oxml import parse_xml
from docx.shared import Mm, Pt, RGBColor

from surveywaves.files import undated_zip
from surveywaves.tables.publish.paper import MARK, PADDING, Shape, gaps, words
from surveywaves.tables.publish.sheet import Entry, Head, Row, Sheet

_MADE: Final = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
"""When every document says it was made: the same table gives the same bytes. ZIP knows no earlier day."""

_FONT: Final = "Arial"
_NAMESPACE: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_RULE: Final = '<w:{side} w:val="single" w:sz="{eighths}" w:space="0" w:color="1A1A1A"/>'
_THICK, _THIN = 10, 4
"""Of rules, in eighths of a point."""
_STYLES: Final = {"Normal", "Caption", "DefaultParagraphFont", "TableNormal"}
_NEEDLESS: Final = {"stylesWithEffects", "thumbnail", "customXml", "numbering"}


def to_docx(sheet: Sheet, page: Shape) -> bytes:
    """Write a table as a document of its own."""
    document = Document(io.BytesIO(_blank()))
    _turn(document, page)
    properties = document.core_properties
    properties.title = sheet.title[:255]
    body = document.element.body
    end = body.sectPr
    for element in (
        _caption(sheet),
        *_paragraphs([sheet.demonstration], "Caption", bold=False),
        _table(sheet, page),
        *(_notes(sheet) or [f"<w:p {_NAMESPACE}/>"]),
    ):
        end.addprevious(parse_xml(element))
    buffer = io.BytesIO()
    document.save(buffer)
    return undated_zip(buffer.getvalue())


@cache
def _blank() -> bytes:
    """Make the document that every table starts from: A4, black captions, small type; saved once."""
    document = Document()
    for name, size in (("Normal", 9), ("Caption", 10)):
        style = document.styles[name]
        style.font.name, style.font.size = _FONT, Pt(size)
        style.font.color.rgb = RGBColor(0x1A, 0x1A, 0x1A)
        style.paragraph_format.space_before = Pt(0)
        style.paragraph_format.space_after = Pt(3)
        style.paragraph_format.line_spacing = 1.0
    document.styles["Caption"].paragraph_format.keep_with_next = True
    _prune(document)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", Mm(20))
    properties = document.core_properties
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.created = properties.modified = _MADE
    properties.revision = 1
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _prune(document: Docx) -> None:
    """Take out what the template brings along and no table uses: ninety styles, their copy, a picture."""
    styles = document.styles.element
    for style in [style for style in styles.style_lst if style.styleId not in _STYLES]:
        styles.remove(style)
    for part in (document.part, document.part.package):
        for name, relation in list(part.rels.items()):
            if relation.reltype.rpartition("/")[2] in _NEEDLESS:
                part.rels.pop(name)


def _turn(document: Docx, page: Shape) -> None:
    if page.turned:
        section = document.sections[0]
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = section.page_height, section.page_width


def _caption(sheet: Sheet) -> str:
    """Write the caption; Word numbers it, and numbers it anew where it is pasted."""
    number = '<w:fldSimple w:instr=" SEQ Table \\* ARABIC "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
    return (
        f'<w:p {_NAMESPACE}><w:pPr><w:pStyle w:val="Caption"/><w:keepNext/></w:pPr>'
        f"{_run('Table ')}{number}{_run(f'. {sheet.title}')}</w:p>"
    )


def _notes(sheet: Sheet) -> list[str]:
    notes = [
        f"<w:p {_NAMESPACE}>{_SMALL}{_run(letter, raised=True, size=8)}{_run(f' {note}', size=8)}</w:p>"
        for letter, note in sheet.notes
    ]
    return [
        *notes,
        *(f"<w:p {_NAMESPACE}>{_SMALL}{_run(line, size=8)}</w:p>" for line in sheet.lines),
    ]


_SMALL: Final = '<w:pPr><w:spacing w:before="20" w:after="20"/></w:pPr>'


def _paragraphs(texts: list[str], style: str, *, bold: bool) -> list[str]:
    return [
        f'<w:p {_NAMESPACE}><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{_run(text, bold=bold)}</w:p>'
        for text in texts
        if text
    ]


def _table(sheet: Sheet, page: Shape) -> str:
    widths = [round(20 * width) for width in page.widths]
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    margin = round(20 * page.size * PADDING / 2)
    rows = [*_heads(sheet, page, widths)]
    marked = [
        max((len(row.entries[place].marks) for row in sheet.rows), default=0) for place in range(len(widths))
    ]
    for number, row in enumerate(sheet.rows):
        if row.section:
            rows.append(_section(row.section, page, widths))
        following = sheet.rows[number + 1].entries if number + 1 < len(sheet.rows) else ()
        rows.append(_row(row, sheet, page, widths, marked, last=not following))
    return (
        f'<w:tbl {_NAMESPACE}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        f'<w:tblCellMar><w:left w:w="{margin}" w:type="dxa"/><w:right w:w="{margin}" w:type="dxa"/></w:tblCellMar>'
        f'<w:tblLook w:val="0420" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="0" '
        f'w:noVBand="1"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )


def _heads(sheet: Sheet, page: Shape, widths: list[int]) -> list[str]:
    rows = []
    if sheet.groups:
        cells, place = [], 0
        for group, span in sheet.groups:
            rules = {"top": _THICK} | ({"bottom": _THIN} if group else {})
            width = sum(widths[place : place + span])
            cells.append(
                _cell(_run(group, bold=True, size=page.size), width, rules, span=span, align="center")
            )
            place += span
        rows.append(_head_row(cells))
    rules = ({} if sheet.groups else {"top": _THICK}) | {"bottom": _THIN}
    cells = [
        _cell(
            _run(head.text, bold=True, size=page.size),
            width,
            rules,
            align=_side(head),
            apart=_apart(gap, page),
            bottom=True,
        )
        for head, gap, width in zip(sheet.heads, gaps(sheet), widths, strict=True)
    ]
    rows.append(_head_row(cells))
    return rows


def _head_row(cells: list[str]) -> str:
    return f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(cells)}</w:tr>"


def _section(text: str, page: Shape, widths: list[int]) -> str:
    run = _run(text, bold=True, size=page.size)
    cell = _cell(run, sum(widths), {"top": _THIN}, span=len(widths), keep=True)
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cell}</w:tr>"


def _row(row: Row, sheet: Sheet, page: Shape, widths: list[int], marked: list[int], *, last: bool) -> str:
    cells = []
    for entry, head, gap, width, marks in zip(
        row.entries, sheet.heads, gaps(sheet), widths, marked, strict=True
    ):
        # Digits stand below each other whether or not a note's letter follows them.
        aside = round(20 * MARK * page.size * (marks - len(entry.marks))) if head.numeric else 0
        cells.append(
            _cell(
                _entry(entry, head, page),
                width,
                {"bottom": _THICK} if last else {},
                align=_side(head),
                aside=aside,
                apart=_apart(gap, page),
                merge=_merge(entry, head),
            )
        )
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>"


def _merge(entry: Entry, head: Head) -> str:
    """Say whether a cell goes on from the one above; cells that name rows are merged, and begin anew each time."""
    if entry.goes_on:
        return "<w:vMerge/>"
    return "" if head.numeric else '<w:vMerge w:val="restart"/>'


def _apart(gap: float, page: Shape) -> int:
    """Give the space before a column that is set apart."""
    return round(20 * gap * page.size)


def _entry(entry: Entry, head: Head, page: Shape) -> str:
    if entry.goes_on:
        return ""
    text = _run(words(entry, head), size=page.size, bold=entry.tone == "caution")
    return text + (_run(entry.marks, size=page.size, raised=True) if entry.marks else "")


def _side(head: Head) -> str:
    return "right" if head.numeric else "left"


def _cell(
    runs: str,
    width: int,
    rules: dict[str, int],
    *,
    span: int = 1,
    align: str = "left",
    aside: int = 0,
    apart: int = 0,
    merge: str = "",
    bottom: bool = False,
    keep: bool = False,
) -> str:
    borders = "".join(_RULE.format(side=side, eighths=eighths) for side, eighths in rules.items())
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>'
        + (f'<w:gridSpan w:val="{span}"/>' if span > 1 else "")
        + merge
        + (f"<w:tcBorders>{borders}</w:tcBorders>" if borders else "")
        + ('<w:vAlign w:val="bottom"/>' if bottom else "")
        + "</w:tcPr><w:p><w:pPr>"
        + ("<w:keepNext/>" if keep else "")
        + '<w:spacing w:before="20" w:after="20"/>'
        + (f'<w:ind w:left="{apart}" w:right="{aside}"/>' if aside or apart else "")
        + f'<w:jc w:val="{align}"/></w:pPr>{runs}</w:p></w:tc>'
    )


def _run(text: str, *, bold: bool = False, raised: bool = False, size: float = 0) -> str:
    about = (
        ("<w:b/>" if bold else "")
        + (f'<w:sz w:val="{round(2 * size)}"/>' if size else "")
        + ('<w:vertAlign w:val="superscript"/>' if raised else "")
    )
    return f'<w:r><w:rPr>{about}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
