"""Plan a wave to come, scale by scale."""

import pandas as pd

from surveywaves.files import read, write
from surveywaves.planning import plan
from surveywaves.script import stage

with stage(snakemake):
    params, analysis, planning = snakemake.params, snakemake.params.analysis, snakemake.params.planning
    responses = read(snakemake.input.responses)
    scales = pd.DataFrame(params.instrument).set_index("item").groupby("scale", sort=False)
    beside = {"team": "teams are left aside", "weighted": "weights are left aside"}
    found = [
        plan(
            responses,
            scale=scale,
            items=list(items.index),
            keys=items["key"].to_dict(),
            response_range=(1, int(items["points"].iloc[0])),
            reference=planning["reference"],
            planned=planning["wave"],
            organisations=params.organisations,
            returns=planning["returns"],
            smallest=analysis["smallest_effect"]["standardised"],
            covariates=analysis["covariates"],
            confidence=analysis["confidence"],
            power=planning["power"],
            tests=1 if analysis["multiplicity"] == "none" else len(scales),
            min_cell=analysis["min_cell"],
            population=params.population,
            left_aside=[words for key, words in beside.items() if analysis[key]],
        )
        for scale, items in scales
    ]
    write(pd.concat(found, ignore_index=True), snakemake.output[0])
