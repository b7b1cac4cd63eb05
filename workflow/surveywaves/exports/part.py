"""What the exports need to know of a study."""

from __future__ import annotations

from typing import Self

from surveywaves.study.base import Model
from surveywaves.study.models import Item, ResponseScale, Scale, Variable
from surveywaves.study.parts import Presentation, WaveWords


class ExportPart(Model):
    """The words of a study, without what only figures, tables and models need."""

    title: str
    description: str
    citation: str
    reference_wave: str
    waves: dict[str, WaveWords]
    organisations: dict[str, str]
    variables: dict[str, Variable]
    sections: dict[int, str]
    scales: dict[str, Scale]
    items: dict[str, Item]
    response_scales: dict[str, ResponseScale]

    @classmethod
    def of(cls, presentation: Presentation) -> Self:
        """Take the part out of what the presentation of results knows."""
        return cls(**{name: getattr(presentation, name) for name in cls.model_fields})
