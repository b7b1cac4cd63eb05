"""Write the report."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from surveywaves.report import assemble, render, typeset
from surveywaves.report.methods import packages
from surveywaves.script import read, stage, write_bytes, write_text
from surveywaves.study.parts import Presentation

COUNTS = dict.fromkeys(("shown", "withheld", "rounded"), "int64")


def texts(paths: Iterable[str]) -> dict[str, str]:
    """Read the files of figures, by the figures' names."""
    return {Path(path).stem: Path(path).read_bytes().decode("utf-8-sig") for path in paths}


with stage(snakemake):
    params, given = snakemake.params, snakemake.input
    titles = read(given.titles) if given.get("titles") else pd.DataFrame(columns=["table", "title"])
    tables = {name: read(given[name]) for name in params.tables}
    report = assemble(
        tables | {"disclosure_summary": read(given.withheld).astype(COUNTS)},
        read(given.captions),
        texts(given.figures),
        Presentation.model_validate_json(params.presentation),
        rows=texts(given.rows),
        codebook=read(given.codebook),
        disclosure=Path(given.disclosure).read_text(encoding="utf-8"),
        published_wave=params.published_wave,
        table_titles=dict(zip(titles["table"], titles["title"], strict=True)),
        limitations="".join(Path(path).read_text(encoding="utf-8") for path in given.limitations),
        session=packages(),
    )
    templates = Path(given.templates[0]).parent
    write_text(render(report, templates=templates), snakemake.output.screen)
    write_bytes(typeset(report, templates=templates), snakemake.output.paper)
