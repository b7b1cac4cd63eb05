r"""A table as LaTeX: booktabs rules, a caption that LaTeX numbers, threeparttable's notes.

great-tables' own `as_latex` (1.1) is not used: it refuses footnotes, does not number its captions (`\caption*`), gives
columns no width, so that statements run off the page, and does not repeat the heads of a table that goes over pages.
"""

from __future__ import annotations

import re
from typing import Final

from surveywaves.tables.publish.paper import LONGEST_WORD, PADDING, Shape, gaps, over_pages, words
from surveywaves.tables.publish.sheet import Entry, Head, Sheet

_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "-": "{-}",
    "−": r"\ensuremath{-}",
    "±": r"\ensuremath{\pm}",
    "×": r"\ensuremath{\times}",
    "≥": r"\ensuremath{\geq}",
    "≤": r"\ensuremath{\leq}",
    "²": r"\textsuperscript{2}",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "‘": "`{}",
    "’": "'{}",
    "“": "``",
    "”": "''",
    "▲": r"\ensuremath{\blacktriangle}",
    "▼": r"\ensuremath{\blacktriangledown}",
    "○": r"\ensuremath{\circ}",
    "✓": r"\ensuremath{\checkmark}",
    "✗": r"\ensuremath{\times}",
    "\u00a0": "~",
}
"""Every character that LaTeX does not print as it stands, and the signs of our own that Latin fonts lack."""

_LONG_WORD: Final = re.compile(rf"[^\s\0]{{{LONGEST_WORD + 1},}}")
_PIECE: Final = 12
"""A word that is too long for a column, and the letters of it that stay together: LaTeX hyphenates none over 63."""

_PACKAGES: Final = (
    "[T1]{fontenc}",
    "{textcomp}",
    "{amssymb}",
    "{array}",
    "{booktabs}",
    "{longtable}",
    "{pdflscape}",
    "{threeparttable}",
    "{threeparttablex}",
)

_ALONE: Final = r"""\expandafter\ifx\csname @nodocument\endcsname\relax\else
  % Not inside a document: make one.
  \documentclass{article}
  \usepackage[a4paper, margin=20mm]{geometry}
PACKAGES
  \begin{document}
  \def\surveywavesend{\end{document}}
\fi
"""


def to_tex(sheet: Sheet, page: Shape) -> bytes:
    r"""Write a table as a file to `\input`, that also compiles by itself."""
    body = _over_pages(sheet, page) if over_pages(page) else _floating(sheet, page)
    if page.turned:
        body = f"\\begin{{landscape}}\n{body}\\end{{landscape}}\n"
    usual = "\n".join(f"% \\usepackage{package}" for package in _PACKAGES)
    alone = _ALONE.replace("PACKAGES", "\n".join(f"  \\usepackage{package}" for package in _PACKAGES))
    return (
        f"% {escaped(sheet.title)}\n"
        f"% \\input this file in a document with these packages, or compile it by itself:\n{usual}\n"
        "% Labels in other scripts than Latin, and emoji, need XeLaTeX or LuaLaTeX and a font that has them.\n"
        f"{alone}{body}"
        "\\csname surveywavesend\\endcsname\n"
    ).encode()


def escaped(text: str) -> str:
    """Give a text that LaTeX prints as it stands and runs nothing of."""
    pieces = _LONG_WORD.sub(lambda word: "\0".join(_cut(word[0])), text).split("\0")
    return r"\allowbreak{}".join(
        "".join(_SPECIAL.get(letter, letter) for letter in piece) for piece in pieces
    )


def _cut(word: str) -> list[str]:
    return [word[start : start + _PIECE] for start in range(0, len(word), _PIECE)]


def _floating(sheet: Sheet, page: Shape) -> str:
    """Write a table that stays on one page."""
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            _type(page),
            r"\begin{threeparttable}",
            f"\\caption{{{_caption(sheet)}}}",
            f"\\label{{tab:{sheet.name.replace('_', '-')}}}",
            f"\\begin{{tabular}}{{{_columns(sheet, page)}}}",
            r"\toprule",
            *_heads(sheet, page),
            r"\midrule",
            *_rows(sheet, page),
            r"\bottomrule",
            r"\end{tabular}",
            r"\begin{tablenotes}[flushleft]\footnotesize",
            *_notes(sheet),
            r"\end{tablenotes}",
            r"\end{threeparttable}",
            r"\end{table}",
            "",
        ]
    )


def _over_pages(sheet: Sheet, page: Shape) -> str:
    """Write a table that goes over pages, its heads on each."""
    heads = [r"\toprule", *_heads(sheet, page), r"\midrule"]
    return "\n".join(
        [
            r"\begingroup",
            _type(page),
            r"\begin{ThreePartTable}",
            r"\begin{TableNotes}[flushleft]\footnotesize",
            *_notes(sheet),
            r"\end{TableNotes}",
            r"\setlength{\LTcapwidth}{\linewidth}",
            f"\\begin{{longtable}}{{{_columns(sheet, page)}}}",
            f"\\caption{{{_caption(sheet)}}}",
            f"\\label{{tab:{sheet.name.replace('_', '-')}}}\\\\",
            *heads,
            r"\endfirsthead",
            *heads,
            r"\endhead",
            r"\midrule",
            r"\endfoot",
            r"\bottomrule",
            r"\insertTableNotes",
            r"\endlastfoot",
            *_rows(sheet, page),
            r"\end{longtable}",
            r"\end{ThreePartTable}",
            r"\endgroup",
            "",
        ]
    )


def _type(page: Shape) -> str:
    return (
        f"\\fontsize{{{page.size:g}}}{{{1.2 * page.size:g}}}\\selectfont\n"
        f"\\setlength{{\\tabcolsep}}{{{_padding(page) / 2:g}pt}}"
    )


def _padding(page: Shape) -> float:
    return PADDING * page.size


def _caption(sheet: Sheet) -> str:
    said = f"{sheet.title}. {sheet.demonstration}" if sheet.demonstration else sheet.title
    return escaped(said)


def _columns(sheet: Sheet, page: Shape) -> str:
    return (
        "@{}"
        + "".join(
            f">{{{_ragged(head, gap * page.size)}\\arraybackslash}}p{{{width - _padding(page):.1f}pt}}"
            for head, gap, width in zip(sheet.heads, gaps(sheet), page.widths, strict=True)
        )
        + "@{}"
    )


def _ragged(head: Head, gap: float) -> str:
    """Set text to its side, apart from the column before it where there is a gap."""
    side, stretch = (r"\raggedleft", " plus 1fil") if head.numeric else (r"\raggedright", "")
    return f"{side}\\leftskip={gap:.1f}pt{stretch}" if gap else side


def _heads(sheet: Sheet, page: Shape) -> list[str]:
    lines = []
    if sheet.groups:
        cells, rules, place = [], [], 0
        for group, span in sheet.groups:
            room = sum(page.widths[place : place + span]) - _padding(page)
            column = f">{{\\centering\\arraybackslash}}p{{{room:.1f}pt}}"
            cells.append(
                f"\\multicolumn{{{span}}}{{{column}}}{{{escaped(group)}}}" if group else " & " * (span - 1)
            )
            rules += [f"\\cmidrule(lr){{{place + 1}-{place + span}}}"] if group else []
            place += span
        lines += [_line(cells), " ".join(rules)]
    return [*lines, _line([escaped(head.text) for head in sheet.heads])]


def _rows(sheet: Sheet, page: Shape) -> list[str]:
    lines = []
    for number, row in enumerate(sheet.rows):
        if row.section:
            lines += [r"\addlinespace"] if number else []
            room = f"@{{}}p{{{sum(page.widths) - _padding(page):.1f}pt}}@{{}}"
            section = f"\\multicolumn{{{len(sheet.heads)}}}{{{room}}}{{\\textbf{{{escaped(row.section)}}}}}"
            lines.append(f"{section} \\\\*")
        lines.append(
            _line([_entry(entry, head) for entry, head in zip(row.entries, sheet.heads, strict=True)])
        )
    return lines


def _entry(entry: Entry, head: Head) -> str:
    if entry.goes_on:
        return ""
    text = escaped(words(entry, head))
    text = f"\\textbf{{{text}}}" if entry.tone == "caution" else text
    if not entry.marks:
        return text
    mark = f"\\tnote{{{entry.marks}}}"
    # Digits stand below each other whether or not a note's letter follows them.
    return f"{text}\\rlap{{{mark}}}" if head.numeric else f"{text}{mark}"


def _notes(sheet: Sheet) -> list[str]:
    return [
        *(f"\\item[{letter}] {escaped(note)}" for letter, note in sheet.notes),
        *(f"\\item[] {escaped(line)}" for line in sheet.lines),
    ]


def _line(cells: list[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
