"""Compare waves and organisations, scale by scale and item by item, by both models, and decide what moved."""

import pandas as pd

from surveywaves.files import read, write
from surveywaves.mixed.contrasts import compare_fit, standardised
from surveywaves.mixed.decisions import decide, note_scale_use
from surveywaves.mixed.design import make_design
from surveywaves.mixed.diagnostics import diagnose
from surveywaves.mixed.favourable import compare_items, compare_ordinal
from surveywaves.mixed.lmm import fit_linear
from surveywaves.script import stage

with stage(snakemake):
    params, analysis, output = snakemake.params, snakemake.params.analysis, snakemake.output
    responses = read(snakemake.input.responses)
    instrument = pd.DataFrame(params.instrument).set_index("item")
    keys, ranges = instrument["key"].to_dict(), {item: (1, k) for item, k in instrument["points"].items()}
    of_design = {
        "waves": params.waves,
        "organisations": params.organisations,
        "covariates": analysis["covariates"],
        "weight": "weight" if analysis["weighted"] else "",
        "team": analysis["team"] or "",
    }
    min_cell, confidence = analysis["min_cell"], analysis["confidence"]
    of_estimates = {"min_cell": min_cell, "confidence": confidence}
    deciding = {**analysis["smallest_effect"], "confidence": confidence}

    linear, ordinal, diagnostics = [], [], []
    for scale, items in instrument.groupby("scale", sort=False):
        first = items.index[0]
        call = {"items": list(items.index), "keys": keys, "response_range": ranges[first], **of_design}
        design = make_design(responses, **call)
        fit = fit_linear(design)
        linear.append(compare_fit(design, fit, scale=scale, **of_estimates))
        diagnostics.append(diagnose(design, fit, scale=scale, min_cell=min_cell))
        favourable = instrument.loc[first, "favourable"]
        ordinal.append(compare_ordinal(responses, scale=scale, favourable=favourable, **call, **of_estimates))
    means, contrasts, variances = (
        pd.concat(tables, ignore_index=True) for tables in zip(*linear, *ordinal, strict=True)
    )
    contrasts = pd.concat([contrasts, standardised(contrasts, variances)], ignore_index=True)
    contrasts = decide(contrasts, variances, multiplicity=analysis["multiplicity"], **deciding)
    write(means, output.means)
    write(note_scale_use(contrasts, read(snakemake.input.scale_use)), output.contrasts)
    write(variances, output.variances)
    write(pd.concat(diagnostics, ignore_index=True), output.diagnostics)

    items = compare_items(
        responses,
        scales=instrument["scale"].fillna("").to_dict(),
        keys=keys,
        response_ranges=ranges,
        favourable=instrument["favourable"].to_dict(),
        **of_design,
        **of_estimates,
    )
    write(
        decide(items.contrasts, items.variances, multiplicity=analysis["item_multiplicity"], **deciding),
        output.item_contrasts,
    )
