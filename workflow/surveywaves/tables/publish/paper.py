r"""Tables as Word and LaTeX, by pandoc from their HTML; all of them in one call each, taken apart afterwards.

What pandoc does not know is put right in what it writes: small type, rules of a journal, a turned page for a wide
table. great-tables' own `as_latex` (1.1) refuses footnotes, does not number its captions and lets statements run off
the page.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

import pypandoc  # type: ignore[import-untyped]

from surveywaves.files import undated_zip
from surveywaves.tables.layout import Table
from surveywaves.tables.publish.page import below, words
from surveywaves.text import visible

_APART: Final = "surveywaves-the-next-table"
"""A paragraph that stands between two tables on their way through pandoc."""

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
    """Give each column the width of its numbers, and words what is left; turn the page where that is not enough."""
    needs = [table.letters(place) for place in range(len(table.columns))]
    least, most = (sum(widths) for widths in zip(*needs, strict=True))
    pages = ((UPRIGHT, False, 8, least + 20), (TURNED, True, 8, most), (TURNED, True, 7, 0))
    rooms = [(width / _LETTERS[size] - 2 * len(needs), enough) for width, _, size, enough in pages]
    chosen = next((number for number, (room, enough) in enumerate(rooms) if room >= min(most, enough)), 2)
    (room, _), (_, turned, size, _) = rooms[chosen], pages[chosen]
    spare = max(0.0, min(1.0, (room - least) / max(1, most - least)))
    widths = [low + spare * (high - low) + 2 for low, high in needs]
    return Shape(tuple(width / sum(widths) for width in widths), turned, size)


def papers(pages: Sequence[tuple[Table, str, str]]) -> Iterator[tuple[str, bytes]]:
    """Write tables as Word and as LaTeX.

    Parameters
    ----------
    pages
        Each table, its HTML (see `surveywaves.tables.publish.page.html`), and what its data are if not observed. All
        of them, since starting pandoc takes longer than a table.

    Yields
    ------
    tuple
        Name of a file and its content, the same bytes for the same tables.
    """
    if not pages:
        return
    tables = [table for table, _, _ in pages]
    shapes = [shape(table) for table in tables]
    sources = [_source(*page, form) for page, form in zip(pages, shapes, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        writer, word = Path(folder) / "writer.lua", Path(folder) / "tables.docx"
        writer.write_text(_WRITER, encoding="utf-8")
        options = ["--wrap=preserve", f"--variable=word:{word}"]
        tex = pypandoc.convert_text(f"<p>{_APART}</p>".join(sources), str(writer), "html", options)
        content = word.read_bytes()
    for table, form, text in zip(tables, shapes, tex.split(_APART), strict=True):
        yield f"{table.name}.tex", _latex(table, form, text).encode()
    for table, document in zip(tables, _documents(content, tables, shapes), strict=True):
        yield f"{table.name}.docx", document


_WRITER: Final = """
function sided(table)
  local sides, specs = table.attributes.sides, table.colspecs
  for place, spec in ipairs(specs) do
    spec[1] = sides:sub(place, place) == "r" and "AlignRight" or "AlignDefault"
  end
  table.colspecs, table.attributes.sides = specs, nil
  return table
end

function Writer(document, options)
  document = document:walk({Table = sided})
  local word = assert(io.open(tostring(options.variables.word), "wb"))
  word:write(pandoc.write(document, "docx"))
  word:close()
  return pandoc.write(document, "latex", options)
end
"""
"""Makes pandoc write both forms from one reading, since reading takes longer than writing.

By default, pandoc aligns a column as its first row is, which may be a heading across all columns.
"""

_CLASSED: Final = re.compile(r'<(t[hd])([^>]*?) class="([^"]*)"([^>]*)>(.*?)</\1>', re.DOTALL)


_SPANNER: Final = re.compile(r'<th ((?:(?!class=)[^>])*scope="colgroup"(?:(?!class=)[^>])*)>')


def _source(table: Table, fragment: str, demonstration: str, form: Shape) -> str:
    """Write a table as HTML that pandoc understands: widths, sides, bold where a class means it."""

    def plain(found: re.Match[str]) -> str:
        tag, before, classes, after, inner = found.groups()
        if tag == "td" and "num" in classes:
            # A line may end before a bracket, and nowhere else.
            inner = inner.replace(" (", "\n(").replace(" ", "\u00a0").replace("\n(", " (")
        bold = bool({"up", "down", "caution", "group"} & set(classes.split()))
        return f"<{tag}{before}{after}>{f'<strong>{inner}</strong>' if bold else inner}</{tag}>"

    made = _SPANNER.sub(r'<th \1 style="text-align: center">', fragment)
    made = re.sub(r"</?bdi>|</?abbr[^>]*>", "", _CLASSED.sub(plain, made))
    made = re.sub(r' (?:id|headers|scope)="[^"]*"', "", made)
    columns = "".join(f'<col style="width: {100 * share:.2f}%">' for share in form.shares)
    top = f"<caption>{words(table.title)}</caption><colgroup>{columns}</colgroup>"
    sides = "".join("r" if column.numeric else "l" for column in table.columns)
    made = re.sub(r"<table[^>]*>", lambda _: f'<table data-sides="{sides}">{top}', made, count=1)
    said = f"<p><strong>{words(demonstration)}</strong></p>" if demonstration else ""
    return f"{said}{made}{below(table)}"


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

_RULE: Final = '<w:{side} w:val="single" w:sz="{eighths}" w:space="0" w:color="1A1A1A"/>'
_SECTION: Final = (
    '<w:sectPr><w:pgSz w:w="{wide}" w:h="{high}"{turned}/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" '
    'w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
)
_PART: Final = "word/document.xml"


def _documents(content: bytes, tables: Sequence[Table], shapes: Sequence[Shape]) -> Iterator[bytes]:
    """Take the document with all tables apart: each has the same styles, and its own page."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    plain = parts["word/styles.xml"].decode()
    styles = {size: _styles(plain, size).encode() for size in _LETTERS}
    document, core = (
        parts.pop(_PART).decode(),
        _DATES.sub(r"\g<1>1980-01-01T00:00:00Z", parts[_CORE].decode()),
    )
    start, end = document.index("<w:body>") + len("<w:body>"), document.rindex("<w:sectPr>")
    between = re.compile(rf"<w:p>(?:(?!</w:p>).)*?{_APART}.*?</w:p>", re.DOTALL)
    for table, form, body in zip(tables, shapes, between.split(document[start:end]), strict=True):
        title = f"<dc:title>{escape(visible(table.title)[:255], quote=False)}</dc:title>"
        own = {
            **parts,
            _PART: f"{document[:start]}{_body(body, form)}</w:body></w:document>".encode(),
            "word/styles.xml": styles[form.size],
            _CORE: title.join(_TITLE.split(core, maxsplit=1)).encode(),
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, part in sorted(own.items(), key=lambda pair: pair[0] != "[Content_Types].xml"):
                archive.writestr(name, part)
        yield undated_zip(buffer.getvalue())


_CORE: Final = "docProps/core.xml"
_DATES: Final = re.compile(r"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_TITLE: Final = re.compile(r"<dc:title>[^<]*</dc:title>|<dc:title */>")
_HEAD: Final = re.compile(r"<w:tr>(?:(?!</w:tr>).)*?<w:tblHeader.*?</w:tr>", re.DOTALL)
_ABOUT: Final = re.compile(r"<w:tcPr ?/>|<w:tcPr>(.*?)</w:tcPr>")


def _body(body: str, form: Shape) -> str:
    """Set what pandoc leaves open: rules below heads, rows that stay whole, the page."""
    body = re.sub(r"<w:bookmark(?:Start|End)[^>]*/>", "", body)
    body = body.replace("<w:tr>", "<w:tr><w:trPr><w:cantSplit/></w:trPr>").replace("</w:trPr><w:trPr>", "")
    # A row across all columns names those below it.
    across = f'<w:gridSpan w:val="{len(form.shares)}" /></w:tcPr><w:p><w:pPr><w:pStyle w:val="Compact" />'
    body = body.replace(across, f"{across}<w:keepNext/>")
    heads = len(re.findall("<w:tblHeader", body))
    numbers = iter(range(1, heads + 1))

    def head(row: re.Match[str]) -> str:
        last = next(numbers) == heads

        def about(found: re.Match[str]) -> str:
            inner = found[1] or ""
            return f"<w:tcPr>{inner}{_borders(inner, last=last)}</w:tcPr>"

        return _ABOUT.sub(about, row[0])

    width = round((TURNED if form.turned else UPRIGHT) * 1440 / 25.4)
    grid = "".join(f'<w:gridCol w:w="{round(width * share)}"/>' for share in form.shares)
    body = re.sub("<w:tblGrid>.*?</w:tblGrid>", f"<w:tblGrid>{grid}</w:tblGrid>", body)
    body = re.sub("<w:tblW [^>]*/>", f'<w:tblW w:w="{width}" w:type="dxa"/>', body)
    wide, high = (16838, 11906) if form.turned else (11906, 16838)
    turned = ' w:orient="landscape"' if form.turned else ""
    return _HEAD.sub(head, body) + _SECTION.format(wide=wide, high=high, turned=turned)


def _borders(about: str, *, last: bool) -> str:
    """Return the rule below a head: for all of the last row, else for those above several columns."""
    spans = re.search(r'gridSpan w:val="(\d+)"', about)
    ruled = last or (spans and int(spans[1]) > 1)
    return f"<w:tcBorders>{_RULE.format(side='bottom', eighths=4)}</w:tcBorders>" if ruled else ""


def _styles(styles: str, size: int) -> str:
    """Put small type and the rules of a table into pandoc's styles."""
    ends = "".join(_RULE.format(side=side, eighths=10) for side in ("top", "bottom"))
    rules = rf"\g<1><w:tblBorders>{ends}</w:tblBorders>"  # behind the indent, as the schema has it
    styles = re.sub(r'(w:styleId="Table"[^>]*>.*?<w:tblInd[^>]*/>)', rules, styles, count=1, flags=re.DOTALL)
    styles = re.sub(r'(<w:(?:left|right) [^>]*w:w=)"108"', r'\g<1>"60"', styles)
    fonts = "".join(f' w:{script}="Arial"' for script in ("ascii", "hAnsi", "cs", "eastAsia"))
    styles = re.sub(r"<w:rFonts [^>]*/>", f"<w:rFonts{fonts}/>", styles)
    for name, halves, about, look in (
        ("Compact", 2 * size, '<w:spacing w:before="20" w:after="20"/>', ""),
        ("BodyText", 16, '<w:spacing w:before="40" w:after="20"/>', ""),
        ("FirstParagraph", 16, '<w:spacing w:before="40" w:after="40"/>', ""),
        ("TableCaption", 20, '<w:keepNext/><w:spacing w:before="0" w:after="80"/>', "<w:b/>"),
    ):
        begin = re.search(rf'<w:style [^>]*w:styleId="{name}"[^>]*>', styles)
        if begin is None:
            continue
        end = styles.index("</w:style>", begin.end())
        kept = _LOOKS.sub("", styles[begin.end() : end])
        looks = f'{look}<w:i w:val="0"/><w:color w:val="1A1A1A"/><w:sz w:val="{halves}"/>'
        set_so = f"{kept}<w:pPr>{about}</w:pPr><w:rPr>{looks}</w:rPr>"
        styles = styles[: begin.end()] + set_so + styles[end:]
    return styles


_LOOKS: Final = re.compile(r"<w:(pPr|rPr)>.*?</w:\1>|<w:(?:pPr|rPr) ?/>", re.DOTALL)
