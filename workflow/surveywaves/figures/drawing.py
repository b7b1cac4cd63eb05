"""A figure and all that is said beside it; saving it, the same bytes on every run and machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from surveywaves.figures.layout import RC, clean


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A finished figure.

    Parameters
    ----------
    figure
        The drawing, at its final size.
    rows
        The rows that it drew, of the first of the released tables that it reads.
    title
        What it shows, in a few words; also drawn on it.
    caption
        How to read it: n, method, what is left out, evidence.
    alt
        What it says, for those who do not see it.
    evidence
        What the data behind it are, in words; also drawn on it, and part of caption and alt text.
    dpi
        Resolution of its PNG.
    name, group
        File name without its ending, and heading that it stands under: as `surveywaves.catalogue` has them.
    """

    figure: Figure
    rows: pd.DataFrame
    title: str
    caption: str
    alt: str
    evidence: str
    dpi: float
    name: str = ""
    group: str = ""

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


PNG = {"compress_level": 3}
"""Smaller and faster than Pillow's default for drawings."""


def save(drawing: Drawing, folder: Path) -> None:
    """Write a drawing as SVG, PDF (fonts embedded) and PNG.

    Nothing in a file tells when or by which program it was written. A file is written beside its final name and
    then renamed, so that a run cut short leaves no half of one.

    Parameters
    ----------
    drawing
        What `draw_all` gives.
    folder
        Where to; it is made if need be. The files are called ``<name>.svg``, ``.pdf`` and ``.png``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    title, said = clean(drawing.title), clean(drawing.alt)
    said_by: dict[str, dict[str, Any]] = {
        "svg": {"Title": title, "Description": said, "Date": None, "Creator": None},
        "pdf": {"Title": title, "Subject": said, "CreationDate": None, "Creator": None, "Producer": None},
        "png": {"Title": title, "Description": said, "Software": None},
    }
    figure = drawing.figure
    with mpl.rc_context(RC):
        for ending, metadata in said_by.items():
            target = folder / f"{drawing.name}.{ending}"
            figure.set_dpi(drawing.dpi)  # SVG and PDF leave theirs behind
            temporary = target.with_name(f".{target.name}.part")
            try:
                if ending == "svg":
                    FigureCanvasSVG(figure).print_svg(temporary, metadata=metadata)  # type: ignore[no-untyped-call]
                elif ending == "pdf":
                    FigureCanvasPdf(figure).print_pdf(temporary, metadata=metadata)  # type: ignore[no-untyped-call]
                else:
                    FigureCanvasAgg(figure).print_png(temporary, metadata=metadata, pil_kwargs=PNG)  # type: ignore[no-untyped-call]
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
