"""Make the raw files of a demonstration wave."""

import pandas as pd

from surveywaves.published import item_counts
from surveywaves.script import read, stage, write_bytes
from surveywaves.simulate import make_demo
from surveywaves.study.parts import DemoPart

with stage(snakemake):
    part = DemoPart.model_validate(snakemake.params.part)
    settled = snakemake.input.get("settled")
    counts = (
        item_counts(read(settled), cells=snakemake.params.cells, categories=snakemake.params.categories)
        if settled
        else pd.DataFrame(columns=["item", "response", "count"])
    )
    for path, content in make_demo(part, counts).items():
        write_bytes(content, path)
