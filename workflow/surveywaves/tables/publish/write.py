"""All files of all tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from surveywaves.tables.publish.great import to_contents, to_csv, to_html
from surveywaves.tables.publish.latex import to_tex
from surveywaves.tables.publish.paper import shape
from surveywaves.tables.publish.sheet import Publication, demonstration, publications, sheet
from surveywaves.tables.publish.word import to_docx
from surveywaves.words import (
    Labels,
)


def files(frames: Mapping[str, pd.DataFrame], labels: Labels) -> Iterator[tuple[str, bytes]]:
    """Write every table of a study in every form, and the page that lists them.

    Parameters
    ----------
    frames
        See `surveywaves.tables.made.made`.

    Yields
    ------
    tuple
        Name of a file, and its content: the same bytes for the same frames.
    """
    made = list(publications(frames, labels))
    for publication in made:
        for form, content in written(publication, labels).items():
            yield f"{publication.name}.{form}", content
    kinds = {wave.evidence for wave in labels.presentation.waves.values()}
    contents = to_contents(made, title=labels.presentation.title, demonstration=demonstration(kinds))
    yield "index.html", contents


def written(publication: Publication, labels: Labels) -> dict[str, bytes]:
    """Write a table in every form.

    Returns
    -------
    dict
        One of `surveywaves.catalogue.TABLE_FORMATS` -> content of the file.
    """
    taken_apart = sheet(publication)
    page = shape(taken_apart)
    return {
        "html": to_html(taken_apart),
        "docx": to_docx(taken_apart, page),
        "tex": to_tex(taken_apart, page),
        "csv": to_csv(publication.table.data, labels),
    }
