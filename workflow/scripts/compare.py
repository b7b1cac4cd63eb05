"""Compare waves and organisations, scale by scale."""

import pandas as pd

from surveywaves.mixed.contrasts import adjust, compare
from surveywaves.script import read, stage, write

with stage(snakemake.log):
    params, analysis = snakemake.params, snakemake.params.analysis
    responses = read(snakemake.input.responses)
    found = [
        compare(
            responses,
            scale=scale,
            items=list(items.index),
            keys=items["key"].to_dict(),
            response_range=(1, int(items["points"].iloc[0])),
            waves=params.waves,
            organisations=params.organisations,
            covariates=analysis["covariates"],
            confidence=analysis["confidence"],
            min_cell=analysis["min_cell"],
        )
        for scale, items in pd.DataFrame(params.instrument).set_index("item").groupby("scale", sort=False)
    ]
    contrasts = pd.concat([one.contrasts for one in found], ignore_index=True)
    write(pd.concat([one.means for one in found], ignore_index=True), snakemake.output.means)
    write(adjust(contrasts, analysis["multiplicity"]), snakemake.output.contrasts)
    write(pd.concat([one.variances for one in found], ignore_index=True), snakemake.output.variances)
