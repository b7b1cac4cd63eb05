"""Measure the reliability of each scale."""

import pandas as pd

from surveywaves.reliability import reliability
from surveywaves.script import read, stage, write

with stage(snakemake.log):
    params = snakemake.params
    responses = read(snakemake.input.responses)
    found = [
        reliability(
            responses,
            scale=scale,
            items=list(items.index),
            keys=items["key"].to_dict(),
            response_range=(1, int(items["points"].iloc[0])),
            waves=params.waves,
            organisations=params.organisations,
            confidence=params.confidence,
            min_n=params.min_cell,
        )
        for scale, items in pd.DataFrame(params.instrument).set_index("item").groupby("scale", sort=False)
    ]
    write(pd.concat(found, ignore_index=True), snakemake.output[0])
