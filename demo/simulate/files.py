"""From respondents to the bytes of a wave's raw files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

import pandas as pd

from simulate.draw import generator
from simulate.models import DemoPart
from simulate.paper import write_paper
from simulate.people import layout_of
from simulate.respondents import Respondents, reconstruct, simulate
from simulate.sheet import Sheet
from simulate.spss import write_spss
from simulate.surveymonkey import write_surveymonkey

STREAM = "file resources/demo/{wave}/{name}"
"""Random numbers of a file come from the stream of this name: as the files were first made, or their bytes change."""

WRITERS: dict[str, Callable[[Sheet], bytes]] = {
    "surveymonkey": write_surveymonkey,
    "paper": write_paper,
    "spss": write_spss,
}


def make_demo(part: DemoPart, item_counts: pd.DataFrame) -> dict[str, bytes]:
    """Make the raw files of a demonstration wave.

    Parameters
    ----------
    part
        The demonstration.
    item_counts
        `item, response, count`: settled published counts by item and response 1..K; may be empty for `simulate`.

    Returns
    -------
    dict
        Path -> content, in the order of `demo.files`; the same bytes on every call.

    Raises
    ------
    StudyError
        If the demonstration asks for what cannot be.
    """
    make = {"reconstruct": reconstruct, "simulate": simulate}[part.demo.method]
    return write_files(part, make(part, item_counts))


def write_files(part: DemoPart, respondents: Respondents) -> dict[str, bytes]:
    """Write respondents as the raw files of their wave.

    Raises
    ------
    StudyError
        If a value has no cell in the wave's codings, or a file cannot be written as its layout describes it.
    """
    written = {}
    for file in part.demo.files:
        layout = layout_of(part, file)
        here = (respondents.file == file.path).to_numpy()
        sheet = Sheet.of(
            part,
            file,
            layout=layout,
            states=respondents.states[here],
            weight=respondents.weight[here],
            rng=generator(part, STREAM.format(wave=part.wave, name=PurePath(file.path).name)),
        )
        written[file.path] = WRITERS[part.layouts[layout].format](sheet)
    return written
