"""Write the report."""

import gc
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from surveywaves.files import read, write_bytes, write_text
from surveywaves.report import assemble, packages, render, typeset
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation
from surveywaves.tables.made import frames_of


def drawings(paths: Iterable[str]) -> dict[str, str]:
    """Read drawings: name of the figure -> SVG text."""
    return {Path(path).stem: Path(path).read_bytes().decode() for path in paths}


# Everything that is made is in the report: to look for what nobody needs costs more than to keep it for some seconds.
gc.disable()
with stage(snakemake):
    params, given = snakemake.params, snakemake.input
    report = assemble(
        frames_of({name: given[name] for name in params.tables}),
        pd.concat([read(path) for path in given.captions], ignore_index=True),
        drawings(given.figures),
        Presentation.model_validate_json(params.presentation),
        narrow=drawings(given.narrow),
        disclosure=Path(given.disclosure).read_text(encoding="utf-8"),
        limitations="".join(Path(path).read_text(encoding="utf-8") for path in given.limitations),
        session=packages(),
    )
    templates = next(Path(path).parent for path in given.templates if Path(path).name == "page.html.j2")
    write_text(render(report, templates=templates), snakemake.output.screen)
    write_bytes(typeset(report, templates=templates), snakemake.output.paper)
