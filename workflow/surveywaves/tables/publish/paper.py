r"""Tables as Word and LaTeX, by pandoc; all of them in one call, taken apart afterwards.

What pandoc does not know is put right in what it writes: small type, rules of a journal, a turned page for a wide
table.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import pypandoc  # type: ignore[import-untyped]

from surveywaves.files import zipped
from surveywaves.tables.layout import Table
from surveywaves.tables.publish.grid import Box, body, heads
from surveywaves.text import visible

_APART: Final = "surveywaves-the-next-table"
"""A paragraph that stands behind each table on its way through pandoc."""

UPRIGHT, TURNED = 170, 257
"""Width between the margins of a page of A4, and of a turned one, in millimetres."""

_LETTERS: Final = {8: 1.55, 7: 1.36}
"""Size of type, in points -> width of a letter, in millimetres."""


@dataclass(frozen=True)
class Shape:
    """How a table stands on paper: shares of its width, whether the page is turned, and the size of its type."""

    shares: tuple[float, ...]
    turned: bool
    size: int


def shape(table: Table) -> Shape:
    """Return column widths: numbers get what they need, words the rest; the page is turned if that is too little."""
    needs = [table.letters(place) for place in range(len(table.columns))]
    least, most = (sum(widths) for widths in zip(*needs, strict=True))
    pages = ((UPRIGHT, False, 8, least + 20), (TURNED, True, 8, most), (TURNED, True, 7, 0))
    rooms = [(width / _LETTERS[size] - 2 * len(needs), enough) for width, _, size, enough in pages]
    chosen = next((number for number, (room, enough) in enumerate(rooms) if room >= min(most, enough)), 2)
    (room, _), (_, turned, size, _) = rooms[chosen], pages[chosen]
    spare = max(0.0, min(1.0, (room - least) / max(1, most - least)))
    widths = [low + spare * (high - low) + 2 for low, high in needs]
    return Shape(tuple(width / sum(widths) for width in widths), turned, size)


def papers(tables: Sequence[tuple[Table, str]]) -> Iterator[tuple[str, bytes]]:
    """Write tables, each with what its data are if not observed, as Word and as LaTeX: name of a file, and its content.

    All of them at once, since starting pandoc takes longer than a table. The same tables give the same bytes.
    """
    if not tables:
        return
    forms = [(table, shape(table)) for table, _ in tables]
    blocks = [
        block
        for (table, said), (_, form) in zip(tables, forms, strict=True)
        for block in (*_blocks(table, said, form), _block("Para", _inlines(_APART)))
    ]
    document = json.dumps({"pandoc-api-version": [1, 23], "meta": {}, "blocks": blocks})
    with tempfile.TemporaryDirectory() as folder:
        writer, word = Path(folder) / "writer.lua", Path(folder) / "tables.docx"
        writer.write_text(_WRITER, encoding="utf-8")
        options = ["--wrap=preserve", f"--variable=word:{word}"]
        tex = pypandoc.convert_text(document, str(writer), "json", options)
        content = word.read_bytes()
    for (table, form), text in zip(forms, tex.split(_APART)[:-1], strict=True):
        yield f"{table.name}.tex", _latex(table, form, text).encode()
    yield from _documents(content, forms)


_WRITER: Final = """
function Writer(document, options)
  local word = assert(io.open(tostring(options.variables.word), "wb"))
  word:write(pandoc.write(document, "docx"))
  word:close()
  return pandoc.write(document, "latex", options)
end
"""
"""Makes pandoc write both forms from one reading."""

# --- as pandoc has it ---------------------------------------------------------------------------------------------

_NOTHING: Final[tuple[Any, ...]] = ("", [], [])
"""Neither identifier, classes nor attributes."""


def _blocks(table: Table, demonstration: str, form: Shape) -> list[Any]:
    """Return a table with what stands above and below it, as the blocks of a pandoc document."""
    columns = [
        ({"t": "AlignRight" if column.numeric else "AlignLeft"}, {"t": "ColWidth", "c": share})
        for column, share in zip(table.columns, form.shares, strict=True)
    ]
    caption = (None, [_block("Plain", _inlines(visible(table.title)))])
    above, rows = [*map(_row, heads(table))], [*map(_row, body(table))]
    parts: tuple[Any, ...] = ((_NOTHING, above), [(_NOTHING, 0, [], rows)], (_NOTHING, []))
    return [
        *([_block("Para", _inlines(demonstration, bold=True))] if demonstration else []),
        _block("Table", (_NOTHING, caption, columns, *parts)),
        *(
            _block("Para", [*_inlines("", letter), *_inlines(f"{' ' if letter else ''}{visible(note)}")])
            for letter, note in table.below
        ),
    ]


def _row(boxes: Iterable[Box]) -> tuple[Any, ...]:
    cells = []
    for box in boxes:
        side = "AlignCenter" if box.scope == "colgroup" and box.tone != "group" else "AlignDefault"
        # A line of numbers may end before a bracket, and nowhere else.
        text = _BLANK.sub("\u00a0", box.text) if box.numeric and not box.scope else box.text
        content = [_block("Plain", _inlines(text, box.marks, bold=box.bold))]
        cells.append((_NOTHING, {"t": side}, box.down, box.across, content))
    return _NOTHING, cells


_BLANK: Final = re.compile(r" (?!\()")


def _block(kind: str, content: Any) -> dict[str, Any]:
    return {"t": kind, "c": content}


def _inlines(text: str, marks: str = "", *, bold: bool = False) -> list[dict[str, Any]]:
    shown = [_block("Str", text)] if text else []
    return [
        *([_block("Strong", shown)] if bold and shown else shown),
        *([_block("Superscript", [_block("Str", marks)])] if marks else []),
    ]


# --- LaTeX --------------------------------------------------------------------------------------------------------

_HEADER: Final = """\
% {name}. In the preamble: \\usepackage{{amssymb, array, booktabs, calc, longtable, multirow{further}}}
"""

_SIGNS: Final = {
    "○": r"$\circ$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
    "−": r"\ensuremath{-}",
    "±": r"\ensuremath{\pm}",
    "χ²": r"$\chi^2$",
    "R²": r"$R^2$",
    "≤": r"\ensuremath{\leq}",
}
"""What fonts of LaTeX lack."""


def _latex(table: Table, form: Shape, text: str) -> str:
    body = text.strip()
    for sign, written in _SIGNS.items():
        body = body.replace(sign, written)
    rules, place = [], 1
    for group, span in table.groups:
        rules += [rf"\cmidrule(lr){{{place}-{place + span - 1}}}"] if group else []
        place += span
    if rules:
        body = re.sub(
            r"(\\toprule\\noalign\{\}.*?\\\\)(?=\n)",
            lambda found: found[1] + "\n" + "".join(rules),
            body,
            flags=re.DOTALL,
        )
    # A row across all columns stays with those below it.
    body = re.sub(r"(?m)(\{%\n\\textbf\{.*\}\}) \\\\$", r"\1 \\\\*", body)
    begin, end = (r"\begin{landscape}", r"\end{landscape}") if form.turned else ("", "")
    header = _HEADER.format(name=table.name, further=", pdflscape" if form.turned else "")
    size = r"\scriptsize" if form.size < max(_LETTERS) else r"\footnotesize"
    lines = (begin, r"\begingroup" + size, r"\setlength{\tabcolsep}{3pt}", body, r"\endgroup", end)
    return header + "\n".join(filter(None, lines)) + "\n"


# --- Word ---------------------------------------------------------------------------------------------------------

_PART: Final = "word/document.xml"
_CORE: Final = "docProps/core.xml"
_LIST: Final = "[Content_Types].xml"


def _documents(content: bytes, forms: Sequence[tuple[Table, Shape]]) -> Iterator[tuple[str, bytes]]:
    """Take the document with all tables apart: each has the same styles, and its own page."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    document = parts[_PART].decode()
    core = _DATES.sub(r"\g<1>1980-01-01T00:00:00Z", parts[_CORE].decode())
    start, end = document.index("<w:body>") + len("<w:body>"), document.rindex("<w:sectPr>")
    between = re.compile(rf"<w:p>(?:(?!</w:p>).)*?{_APART}.*?</w:p>", re.DOTALL)
    for (table, form), own in zip(forms, between.split(document[start:end])[:-1], strict=True):
        title = f"<dc:title>{escape(visible(table.title)[:255], quote=False)}</dc:title>"
        parts |= {
            _PART: f"{document[:start]}{_body(own, form)}</w:body></w:document>".encode(),
            "word/styles.xml": _STYLES.format(size=2 * form.size).encode(),
            _CORE: title.join(_TITLE.split(core, maxsplit=1)).encode(),
        }
        # The list of parts comes first.
        yield f"{table.name}.docx", zipped(dict(sorted(parts.items(), key=lambda part: part[0] != _LIST)))


_DATES: Final = re.compile(r"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_TITLE: Final = re.compile(r"<dc:title>[^<]*</dc:title>|<dc:title */>")


def _body(content: str, form: Shape) -> str:
    """Set what pandoc leaves open: rules below heads, rows that stay whole, the page."""
    content = re.sub(r"<w:bookmark(?:Start|End)[^>]*/>", "", content).replace(
        "<w:tcPr />", "<w:tcPr></w:tcPr>"
    )
    # A row across all columns names those below it.
    across = f'<w:gridSpan w:val="{len(form.shares)}" /></w:tcPr><w:p><w:pPr><w:pStyle w:val="Compact" />'
    content = content.replace(across, f"{across}<w:keepNext/>")
    last = content.rindex("<w:tr>", 0, content.rindex("<w:tblHeader"))
    end = content.index("</w:tr>", last)
    above = re.sub(r"(<w:gridSpan [^>]*/>)</w:tcPr>", rf"\1{_RULED}", content[:last])
    above = above.replace(
        '<w:vMerge w:val="restart" />', '<w:vMerge w:val="restart"/><w:vAlign w:val="bottom"/>'
    )
    content = above + content[last:end].replace("</w:tcPr>", _RULED) + content[end:]
    content = content.replace("<w:tr>", "<w:tr><w:trPr><w:cantSplit/></w:trPr>").replace(
        "</w:trPr><w:trPr>", ""
    )
    width = round((TURNED if form.turned else UPRIGHT) * 1440 / 25.4)
    grid = "".join(f'<w:gridCol w:w="{round(width * share)}"/>' for share in form.shares)
    content = re.sub("<w:tblGrid>.*?</w:tblGrid>", f"<w:tblGrid>{grid}</w:tblGrid>", content)
    content = re.sub("<w:tblW [^>]*/>", f'<w:tblW w:w="{width}" w:type="dxa"/>', content)
    page = 'w:w="16838" w:h="11906" w:orient="landscape"' if form.turned else 'w:w="11906" w:h="16838"'
    return content + _SECTION.format(page=page)


_RULED: Final = (
    '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:space="0" w:color="1A1A1A"/></w:tcBorders>'
    '<w:vAlign w:val="bottom"/></w:tcPr>'
)
_SECTION: Final = (
    '<w:sectPr><w:pgSz {page}/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" '
    'w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
)

_STYLES: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:docDefaults><w:rPrDefault><w:rPr>
<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="Arial" w:cs="Arial"/>
<w:color w:val="1A1A1A"/><w:sz w:val="{size}"/><w:lang w:val="en-GB"/>
</w:rPr></w:rPrDefault>
<w:pPrDefault><w:pPr><w:spacing w:before="20" w:after="20"/></w:pPr></w:pPrDefault></w:docDefaults>
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="Compact"><w:name w:val="Compact"/></w:style>
<w:style w:type="paragraph" w:styleId="BodyText"><w:name w:val="Body Text"/></w:style>
<w:style w:type="paragraph" w:styleId="FirstParagraph"><w:name w:val="First Paragraph"/></w:style>
<w:style w:type="paragraph" w:styleId="TableCaption"><w:name w:val="Table Caption"/>
<w:pPr><w:keepNext/><w:spacing w:after="80"/></w:pPr><w:rPr><w:b/><w:sz w:val="20"/></w:rPr></w:style>
<w:style w:type="table" w:default="1" w:styleId="Table"><w:name w:val="Table"/><w:tblPr>
<w:tblBorders><w:top w:val="single" w:sz="10" w:space="0" w:color="1A1A1A"/>
<w:bottom w:val="single" w:sz="10" w:space="0" w:color="1A1A1A"/></w:tblBorders>
<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>
</w:tblPr></w:style>
</w:styles>
"""
"""The styles that pandoc names: small type, rules as journals set them. LibreOffice drops a table with one unknown."""
