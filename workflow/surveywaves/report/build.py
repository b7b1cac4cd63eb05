"""The report, from the tables to all that it says."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from surveywaves.report import answer, methods, moved, respondents
from surveywaves.report.material import Block, FigureBlock, Material, Part, Report, Section, walk
from surveywaves.study.parts import Presentation


def assemble(
    tables: Mapping[str, pd.DataFrame],
    captions: pd.DataFrame,
    figures: Mapping[str, str],
    presentation: Presentation,
    *,
    rows: Mapping[str, str] | None = None,
    codebook: pd.DataFrame | None = None,
    disclosure: str = "",
    published_wave: str = "",
    table_titles: Mapping[str, str] | None = None,
    limitations: str = "",
    session: Mapping[str, str] | None = None,
) -> Report:
    """Gather all that the report says, for every form that it is shown in.

    Parameters
    ----------
    tables
        Released frames by name, with the columns that `docs/files.md` gives them, `disclosure_summary` among them. What
        is absent or empty is left out of the report.
    captions
        `figures/captions.tsv`.
    figures
        Name of a figure -> its drawing, SVG text. Figures without a caption are left out.
    presentation
        The study in words.
    rows
        Name of a figure -> the rows that it drew, CSV text.
    codebook
        `pooled/codebook.tsv`.
    disclosure
        What was withheld, in a sentence.
    published_wave
        Wave that the publication describes; empty: none.
    table_titles
        Number of a published table -> its printed title.
    limitations
        The study's own limitations; see `surveywaves.report.material` for the marks it may use.
    session
        What the report was made with: name -> version.

    Returns
    -------
    Report
        What `page.render` shows on a screen and `typeset.typeset` sets on paper.
    """
    material = Material(
        tables={**tables, **({} if codebook is None else {"codebook": codebook})},
        captions=captions,
        figures=figures,
        presentation=presentation,
        rows=rows or {},
        published_wave=published_wave,
        table_titles=table_titles or {},
        limitations=limitations,
        disclosure=disclosure.strip(),
        session=session or {},
    )
    word, sentence = answer.headline(material)
    return Report(
        title=presentation.title,
        description=presentation.description,
        kind=word,
        warning=sentence,
        demonstration=not answer.all_observed(presentation),
        waves=tuple(answer.banner(material)),
        sections=tuple(sections(material)),
    )


def sections(material: Material) -> list[Section]:
    """Give the sections of the report, in the order of its argument: answer, evidence, and what that rests on."""
    found = [
        answer.answer(material),
        answer.waves(material),
        respondents.respondents(material),
        moved.moved(material),
        moved.frameworks(material),
        respondents.answers(material),
        respondents.measurement(material),
        moved.robustness(material),
        moved.outlook(material),
        methods.audit(material),
        methods.harmonisation(material),
        methods.methods(material),
        methods.limitations(material),
        methods.disclosed(material),
        methods.session(material),
    ]
    present = [section for section in found if section is not None]
    more = _other_figures(material, present)
    return [*present[:-1], *more, *present[-1:]] if material.session else [*present, *more]


def _other_figures(material: Material, present: list[Section]) -> list[Section]:
    """Give a section to the figures that no other section shows, under their own headings."""
    shown = {
        block.name for section in present for block in walk(section.blocks) if isinstance(block, FigureBlock)
    }
    groups: dict[str, list[Block]] = {}
    for name in material.figure_names:
        if name not in shown:
            groups.setdefault(material.group(name), []).extend(material.figure(name))
    if not groups:
        return []
    parts = tuple(Part(group or "Figures", tuple(blocks)) for group, blocks in groups.items())
    return [Section("figures", "More figures", parts)]
