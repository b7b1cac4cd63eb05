"""Everything a report is made from, in one hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from surveywaves.figures.names import WITHOUT_SCALE
from surveywaves.report.blocks import FigureBlock
from surveywaves.report.figures import figure_data
from surveywaves.report.say import Numbers
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.tables import Labels


@dataclass(frozen=True)
class Material:
    """What `assemble` is given.

    Parameters
    ----------
    tables
        Frames by name, as `docs/files.md` lists them; what is absent is left out of the report.
    captions, figures
        `captions.tsv`, and drawings as SVG text by name.
    presentation
        The study in words.
    published_wave
        Wave that the publication describes; empty: none.
    table_titles
        Number of a published table -> its printed title.
    limitations
        The study's own limitations, in the marks of `surveywaves.report.prose`.
    disclosure
        What was withheld, in a sentence.
    session
        What the report was made with: name -> version.
    """

    tables: Mapping[str, pd.DataFrame]
    captions: pd.DataFrame
    figures: Mapping[str, str]
    presentation: Presentation
    published_wave: str = ""
    table_titles: Mapping[str, str] = field(default_factory=dict)
    limitations: str = ""
    disclosure: str = ""
    session: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def labels(self) -> Labels:
        """The study's words for what the frames name."""
        return Labels(self.presentation)

    @cached_property
    def numbers(self) -> Numbers:
        """Numbers for sentences."""
        return Numbers(self.tables, self.presentation)

    def has(self, *names: str) -> bool:
        """Whether there are tables of these names with at least one row each."""
        return all(name in self.tables and len(self.tables[name]) for name in names)

    @cached_property
    def scales(self) -> dict[str, tuple[Item, ...]]:
        """Scale -> its items, in the study's order; `WITHOUT_SCALE` -> those that belong to none."""
        found: dict[str, tuple[Item, ...]] = {}
        for scale in (*self.presentation.scales, None):
            items = tuple(item for item in self.presentation.items.values() if item.scale == scale)
            if items:
                found[scale or WITHOUT_SCALE] = items
        return found

    @cached_property
    def _captions(self) -> dict[str, dict[str, str]]:
        return {
            str(row["figure"]): {str(k): str(v) for k, v in row.items()}
            for row in self.captions.to_dict("records")
        }

    @cached_property
    def figure_names(self) -> tuple[str, ...]:
        """Figures that have both a drawing and a caption, in the order of the captions."""
        return tuple(name for name in self._captions if name in self.figures)

    def figure(self, name: str) -> tuple[FigureBlock, ...]:
        """Give a figure, or nothing if there is none of that name."""
        if name not in self.figure_names:
            return ()
        words = self._captions[name]
        data = self.labels.with_evidence(figure_data(name, self.tables, self.presentation))
        return (
            FigureBlock(
                name=name,
                svg=self.figures[name],
                title=words["title"],
                caption=words["caption"],
                alt=words["alt"],
                evidence=words["evidence"],
                data=data,
            ),
        )

    def group(self, name: str) -> str:
        """Give the heading that a figure stands under in a gallery."""
        return self._captions[name].get("group", "")
