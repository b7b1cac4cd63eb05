"""Write the report."""

from pathlib import Path

import pandas as pd

from surveywaves.files import read, write_bytes, write_text
from surveywaves.report import assemble, render, typeset
from surveywaves.report.methods import packages
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation

COUNTS = dict.fromkeys(("shown", "withheld", "rounded"), "int64")

with stage(snakemake):
    params, given = snakemake.params, snakemake.input
    titles = read(given.titles) if given.get("titles") else pd.DataFrame(columns=["table", "title"])
    tables = {name: read(given[name]) for name in params.tables}
    report = assemble(
        tables | {"disclosure_summary": read(given.withheld).astype(COUNTS)},
        read(given.captions),
        {Path(path).stem: Path(path).read_text(encoding="utf-8") for path in given.figures},
        Presentation.model_validate_json(params.presentation),
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
