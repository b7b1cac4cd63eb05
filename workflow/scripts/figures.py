"""Draw every figure."""

from pathlib import Path

from surveywaves.figures.draw import save_all
from surveywaves.files import read, write
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation

with stage(snakemake):
    tables = {name: read(path) for name, path in snakemake.input.items() if name != "code"}
    captions = save_all(
        tables,
        Presentation.model_validate_json(snakemake.params.presentation),
        Path(snakemake.output.captions).parent,
        cores=snakemake.threads,
    )
    write(captions, snakemake.output.captions)
