"""A figure and all that is said beside it."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A finished figure.

    Parameters
    ----------
    name
        File name without its ending; one of `surveywaves.figures.names.names`.
    figure
        The drawing, at its final size.
    title
        What it shows, in a few words; also drawn on it.
    caption
        How to read it: n, method, what is left out, evidence.
    alt
        What it says, for those who do not see it.
    evidence
        What the data behind it are, in words; also drawn on it, and part of caption and alt text.
    group
        Heading it stands under in a gallery.
    dpi
        Resolution of its PNG.
    """

    name: str
    figure: Figure
    title: str
    caption: str
    alt: str
    evidence: str
    group: str
    dpi: float

    @property
    def words(self) -> dict[str, str]:
        """A row of `captions.tsv`."""
        return {
            "figure": self.name,
            "title": self.title,
            "caption": self.caption,
            "alt": self.alt,
            "evidence": self.evidence,
            "group": self.group,
        }
