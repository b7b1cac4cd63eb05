"""Measure each scale: its reliability, its use, and whether its items work alike in every wave and organisation."""

import pandas as pd

from surveywaves.files import read, write
from surveywaves.invariance import dif
from surveywaves.reliability import reliability, usage
from surveywaves.script import stage

with stage(snakemake):
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
        differences.append(dif(responses, **call, min_n=params.functioning_min_n))
    found = pd.concat(reliabilities, ignore_index=True)
    judged = usage(found, at_least=params.scale_use["smallest_alpha"], min_n=params.scale_use["min_n"])
    write(found, snakemake.output.reliability)
    write(judged, snakemake.output.scale_use)
    write(pd.concat(differences, ignore_index=True), snakemake.output.dif)
