"""Hold the publication against the data: every printed cell, every claim in its text."""

import pandas as pd

from surveywaves.describe import published_form
from surveywaves.files import read, write
from surveywaves.published import beside, check_claims
from surveywaves.script import stage

with stage(snakemake):
    params = snakemake.params
    items = published_form(
        read(snakemake.input.item_frequencies),
        wave=params.wave,
        cells=params.cells,
        categories=list(params.categories),
    )
    respondents = read(snakemake.input.respondents)
    stated = respondents[(respondents["wave"] == params.wave) & (respondents["organisation"] == "all")]
    choices = [
        stated[(stated["variable"] == variable) & stated["level"].isin(levels)].assign(
            table=variable,
            row="1",
            category=lambda rows, labels=levels: rows["level"].map(labels),
            count=lambda rows: rows["n"],
        )
        for variable, levels in params.single_choice.items()
    ]
    recomputed = pd.concat([items, *choices])[["table", "row", "category", "count", "base"]]
    write(beside(read(snakemake.input.audit), recomputed), snakemake.output.tables)
    claims = check_claims(
        read(snakemake.input.claims),
        recomputed,
        categories={label: code for code, label in params.categories.items()},
        tables=read(snakemake.input.printed),
    )
    write(claims, snakemake.output.claims)
