"""Withhold what would tell of somebody, and write what may be seen: for programs and for people."""

from pathlib import Path

import pandas as pd

from surveywaves.disclosure import ItemKey, Publication, Rule, Weighting, release
from surveywaves.files import read, write, write_text
from surveywaves.script import stage
from surveywaves.study.parts import HarmonisingPart

with stage(snakemake):
    params, output = snakemake.params, snakemake.output
    publication = params.publication and Publication(
        wave=params.publication["wave"],
        cells={(cell["table"], cell["row"]): cell["item"] for cell in params.publication["cells"]},
        categories=list(params.publication["categories"]),
        choices={
            variable: {label: level for level, label in levels.items()}
            for variable, levels in params.publication["choices"].items()
        },
    )
    tables = {name: read(snakemake.input[name]) for name in params.tables}
    for name in ("file_counts", "problems"):
        tables[name] = pd.concat([read(path) for path in snakemake.input[name]], ignore_index=True)
    released = release(
        tables,
        instrument={
            item["item"]: ItemKey(item["scale"] or "", item["key"], item["points"], tuple(item["favourable"]))
            for item in params.instrument
        },
        rule=Rule(
            threshold=params.disclosure["threshold"],
            zeros=params.disclosure["zeros"] == "show",
            uniform=params.disclosure["uniform"] == "withhold",
            unstated=params.disclosure["unstated"] == "show",
            rounding=params.disclosure["rounding"],
        ),
        publication=publication or None,
        parts=[HarmonisingPart.model_validate(part) for part in params.parts],
        weighting=Weighting(read(snakemake.input.responses), used=params.weighted, margins=params.margins),
        confidence=params.confidence,
        cores=snakemake.threads,
    )
    for name, table in released.tables.items():
        write(table, output[name])
        write(table, str(Path(output[name]).with_suffix(".csv")))
    write(released.log, output.disclosure_log)
    write(released.summary, output.disclosure_summary)
    write_text(f"{released.sentence}\n", output.sentence)
    write(released.reasons, output.reasons, private=True)
