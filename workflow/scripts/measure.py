"""Measure each scale: its reliability, and whether its items work alike in every wave and organisation."""

import pandas as pd

from surveywaves.invariance import dif
from surveywaves.reliability import reliability
from surveywaves.script import read, stage, write

with stage(snakemake.log):
    params = snakemake.params
    responses = read(snakemake.input.responses)
    reliabilities, differences = [], []
    for scale, items in pd.DataFrame(params.instrument).set_index("item").groupby("scale", sort=False):
        call = {
            "scale": scale,
            "items": list(items.index),
            "keys": items["key"].to_dict(),
            "response_range": (1, int(items["points"].iloc[0])),
            "waves": params.waves,
            "organisations": params.organisations,
            "confidence": params.confidence,
        }
        reliabilities.append(reliability(responses, **call, min_n=params.min_cell, seed=params.seed))
        differences.append(dif(responses, **call))
    write(pd.concat(reliabilities, ignore_index=True), snakemake.output.reliability)
    write(pd.concat(differences, ignore_index=True), snakemake.output.dif)
