"""The report, from the tables to all that it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import pandas as pd

from surveywaves.catalogue import SECTIONS
from surveywaves.report import answer, methods, moved, respondents
from surveywaves.report.material import Block, Material, Report, Section
from surveywaves.study.parts import Presentation


def assemble(
    tables: Mapping[str, pd.DataFrame],
    captions: pd.DataFrame,
    figures: Mapping[str, str],
    presentation: Presentation,
    *,
    rows: Mapping[str, str] | None = None,
    disclosure: str = "",
    limitations: str = "",
    session: Mapping[str, str] | None = None,
) -> Report:
    """Gather all that the report says, for every form that it is shown in.

    Parameters
    ----------
    tables
        Released frames by name, with the columns that `docs/files.md` gives them, `disclosure_summary` among them;
        `codebook` (`pooled/codebook.tsv`), and the `titles` of printed tables. What is absent or empty is left out of
        the report.
    captions
        `figures/captions.tsv`.
    figures
        Name of a figure -> its drawing, SVG text. Figures without a caption are left out.
    presentation
        The study in words.
    rows
        Name of a figure -> the rows that it drew, CSV text.
    disclosure
        What was withheld, in a sentence.
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
        tables=tables,
        captions=captions,
        figures=figures,
        presentation=presentation,
        rows=rows or {},
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


def sections(material: Material) -> Iterator[Section]:
    """Give the sections of the report, in the order of the catalogue: answer, evidence, and what that rests on."""
    for name, title in SECTIONS.items():
        # What the section's own sentences make no place for stands at its end.
        blocks = [*MAKERS[name](material), *material.left(name)]
        if blocks:
            yield Section(name, title, tuple(blocks))


MAKERS: Final[Mapping[str, Callable[[Material], Iterable[Block]]]] = {
    "answer": answer.answer,
    "waves": answer.waves,
    "respondents": respondents.respondents,
    "moved": moved.moved,
    "frameworks": moved.frameworks,
    "answers": respondents.answers,
    "measurement": respondents.measurement,
    "robustness": moved.robustness,
    "planning": moved.outlook,
    "audit": methods.audit,
    "harmonisation": methods.harmonisation,
    "methods": methods.methods,
    "limitations": methods.limitations,
    "disclosure": methods.disclosed,
    "session": methods.session,
}
"""Section -> what it says."""
