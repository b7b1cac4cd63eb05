"""Write the tables for publication."""

from pathlib import Path

import pandas as pd

from surveywaves.files import read, write_bytes
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation
from surveywaves.tables.publish import Choice, files

with stage(snakemake):
    params, given = snakemake.params, snakemake.input
    titles = read(given.titles) if given.get("titles") else pd.DataFrame(columns=["table", "title"])
    choice = Choice(
        Presentation.model_validate_json(params.presentation),
        printed=tuple(params.printed),
        titles=dict(zip(titles["table"], titles["title"], strict=True)),
    )
    for name, content in files({name: read(given[name]) for name in params.tables}, choice):
        write_bytes(content, str(Path(snakemake.output.tables) / name))
