"""Compare waves and organisations in other ways, and say how many of them come to the same decisions."""

import pandas as pd

from surveywaves.files import read, write
from surveywaves.invariance import flagged
from surveywaves.mixed.contrasts import FAMILY
from surveywaves.mixed.decisions import decide
from surveywaves.script import stage
from surveywaves.sensitivity.compare import agreement, sensitivity
from surveywaves.sensitivity.setting import Sample, Scale
from surveywaves.sensitivity.variants import Twice, stated_variants
from surveywaves.tidy import tidy

with stage(snakemake):
    params, analysis = snakemake.params, snakemake.params.analysis
    asked, functioning = analysis["sensitivity"], analysis["functioning"]
    differ = flagged(
        read(snakemake.input.dif),
        criterion=functioning["criterion"],
        at_least=functioning["at_least"],
        significance=1 - analysis["confidence"],
    )
    instrument = pd.DataFrame(params.instrument).set_index("item")
    scales = [
        Scale(
            name=scale,
            items=tuple(items.index),
            keys=items["key"].to_dict(),
            response_range=(1, int(items["points"].iloc[0])),
            min_answered=params.min_answered[scale],
            flagged=tuple(differ.get(scale, ())),
        )
        for scale, items in instrument.groupby("scale", sort=False)
    ]
    variants = stated_variants(
        questionnaire=list(instrument.index),
        straight_lining=asked["straight_lining"],
        only=asked["only"],
        adjust_for=asked["adjust_for"],
        margins=params.margins,
        twice=Twice(**asked["answered_twice"]) if asked["answered_twice"] else None,
        covariates=analysis["covariates"],
        weighted=analysis["weighted"],
        team=bool(analysis["team"]),
    )
    sample = Sample(
        frame=read(snakemake.input.responses),
        waves=tuple(params.waves),
        organisations=tuple(params.organisations),
        covariates=tuple(analysis["covariates"]),
        weight="weight" if analysis["weighted"] else "",
        team=analysis["team"] or "",
    )
    found = sensitivity(
        sample, scales, variants, confidence=analysis["confidence"], min_cell=analysis["min_cell"]
    )
    decided = decide(
        found,
        tidy([]),  # the unit is in the estimates
        **analysis["smallest_effect"],
        confidence=analysis["confidence"],
        multiplicity=analysis["multiplicity"],
        family=("variant", *FAMILY),
    )
    write(decided, snakemake.output.sensitivity)
    write(agreement(decided, params.labels), snakemake.output.agreement)
