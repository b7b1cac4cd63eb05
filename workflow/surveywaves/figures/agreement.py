"""A publication's tables held against what the pipeline finds: how many printed cells agree, and which do not."""

from __future__ import annotations

from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import GREY, SMALL, TINY, VERDICTS, WITHHELD, Axis, Key, Page, on
from surveywaves.study.parts import Presentation
from surveywaves.terms import Status
from surveywaves.words import evidence_of, variable_label, whole

BAR: Final = 1.3
PITCH: Final = 1.6
WORDS: Final = {
    "agrees": "Agrees",
    "agrees_when_truncated": "Agrees, cut off instead of rounded",
    "misprint": "Misprint, corrected",
    "undecided": "Undecided",
    "differs": "Recomputed otherwise",
    "other": "Not recomputed",
    "withheld": "Recomputed number withheld",
}
COLOURS: Final = dict(zip(WORDS, (*VERDICTS, ""), strict=True))
"""What is withheld has stripes."""


def published_agreement(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw, table by table, how many printed cells agree with what the pipeline recomputes.

    Parameters
    ----------
    table
        `released/published_tables`.
    presentation
        The study in words.
    """
    title = "The published tables, recomputed"
    columns = ("table", "verdict", "settled", "recomputed", "quantity", "status")
    cells = zip(*(table[name] for name in columns), strict=True)
    found: dict[str, dict[str, int]] = {}
    for name, *cell in cells:
        here = found.setdefault(str(name), dict.fromkeys(WORDS, 0))
        here[_kind(*cell)] += 1
    counts = {_label(name, presentation): found[name] for name in sorted(found, key=_in_order)}
    used = [kind for kind in WORDS if any(found[kind] for found in counts.values())]
    total = {kind: sum(found[kind] for found in counts.values()) for kind in used}
    evidence = evidence_of(
        presentation, [presentation.published_wave or presentation.reference_wave], "totals", ["items"]
    )

    page = Page(presentation.style)
    page.title(title)
    page.legend(
        Key(f"{WORDS[kind]} ({whole(total[kind])})", COLOURS[kind], stripes=() if COLOURS[kind] else WITHHELD)
        for kind in used
    )
    page.y += 0.5 * page.em
    if not counts:
        page.paragraph("There are no printed tables.")
    else:
        _bars(page, counts)
    page.foot([presentation.citation], evidence)
    said = ", ".join(f"{WORDS[kind][:1].lower()}{WORDS[kind][1:]} {whole(total[kind])}" for kind in used)
    caption = (
        f"{title}: {whole(sum(total.values()))} printed cells (counts, percentages, bases) by what came of recomputing "
        "them from the wave's answers, without a model. "
        f"{presentation.citation} Agreement with reconstructed data shows that the arithmetic is right, not what the "
        f"original returns were. {evidence}"
    )
    return Drawing(
        figure=page.finish(),
        rows=table,
        title=title,
        caption=caption,
        alt=f"Stacked bars, a row a table. Of {whole(sum(total.values()))} printed cells: {said or 'none'}. {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _bars(page: Page, counts: dict[str, dict[str, int]]) -> None:
    """Draw a bar a table."""
    label_width = min(max(page.width_of(label, SMALL) for label in counts), 0.3 * page.width)
    most = max(sum(found.values()) for found in counts.values())
    number_width = page.width_of(f"{whole(most)} of {whole(most)} agree", SMALL)
    start, end = page.left + label_width + page.em, page.right - number_width - page.em
    top = page.y
    for label, found in counts.items():
        lines = page.wrap(label, label_width, SMALL, max_lines=2)
        tall = max(PITCH * page.em, page.height_of(len(lines), SMALL) + 0.2 * page.em)
        middle = page.y + tall / 2
        page.block(page.left, middle - page.height_of(len(lines), SMALL) / 2, lines, SMALL)
        at = start
        for kind, n in found.items():
            wide = (end - start) * n / most
            if not COLOURS[kind]:
                page.striped(at, middle - BAR * page.em / 2, wide, BAR * page.em)
                at += wide
                continue
            page.box(at, middle - BAR * page.em / 2, wide, BAR * page.em, COLOURS[kind])
            if n and page.width_of(str(n), TINY) + 0.35 * page.em < wide:
                page.text(at + wide / 2, middle, str(n), TINY, colour=on(COLOURS[kind]), align="center")
            at += wide
        agree = found["agrees"] + found["agrees_when_truncated"]
        words = f"{whole(agree)} of {whole(sum(found.values()))} agree"
        page.text(page.right, middle, words, SMALL, colour=GREY, align="right")
        page.y += tall
    axis = Axis(start, end - start, 0, most)
    axis.draw(page, top=top, bottom=page.y, write=lambda value: f"{value:g}")
    page.y += page.height_of(1, TINY)
    centre = page.height_of(1, SMALL)
    page.text((start + end) / 2, page.y + centre / 2, "Printed cells", SMALL, align="center")
    page.y += centre + 0.5 * page.em


def _kind(verdict: str, settled: object, recomputed: object, quantity: str, status: str) -> str:
    """Give the kind that a printed cell counts as."""
    if status == Status.WITHHELD.value:
        return status
    if verdict == "undecided":
        return verdict
    if pd.isna(recomputed) or recomputed == "":  # type: ignore[call-overload]
        return "other"
    if quantity in {"count", "base"} and float(str(settled)) != float(str(recomputed)):
        return "differs"
    return verdict if verdict in WORDS else "other"


def _label(name: str, presentation: Presentation) -> str:
    """Name a table: by its number, or by the variable it counts."""
    return f"Table {name}" if name.isdigit() else variable_label(presentation, name)


def _in_order(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (10**9, name)
