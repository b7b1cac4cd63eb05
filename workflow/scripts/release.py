"""Withhold what would tell of somebody, and write what may be seen: for programs and for people."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from surveywaves.disclosure import Comparing, ItemKey, Publication, Rule, Weighting, digits, release
from surveywaves.disclosure.releases import require_apart, require_like_pins
from surveywaves.files import read, write, write_text
from surveywaves.mixed.compare import judge_items
from surveywaves.mixed.pooling import shrunken_means
from surveywaves.script import snakemake, stage
from surveywaves.sensitivity.compare import over_variants
from surveywaves.study.parts import ReleasingPart
from surveywaves.tidy import with_keys

with stage(snakemake):
    params, output = snakemake.params, snakemake.output
    part = ReleasingPart.model_validate(params.part)
    how = part.comparing
    require_apart(Path(), part.disclosure)
    publication = None
    if printed := part.publication:
        publication = Publication(
            wave=printed.wave,
            cells={(cell.table, cell.row): cell.item for cell in printed.cells},
            categories=list(printed.categories),
            choices={
                variable: {label: level for level, label in levels.items()}
                for variable, levels in printed.single_choice.items()
            },
        )
    tables = {name: read(snakemake.input[name]) for name in (*params.tables, "variant_people")}
    for name in ("file_counts", "problems"):
        tables[name] = pd.concat([read(path) for path in snakemake.input[name]], ignore_index=True)
    require_like_pins(Path(), part.disclosure, tables)
    released = release(
        tables,
        instrument={
            item.item: ItemKey(item.scale, item.key, item.points, item.favourable) for item in part.instrument
        },
        rule=Rule.of(part.disclosure),
        publication=publication,
        parts=part.harmonised,
        labels=part.labels,
        weighting=Weighting(read(snakemake.input.responses), used=part.weighted, margins=part.margins),
        agree=partial(over_variants, labels=part.variables),
        comparing=Comparing(
            partial(
                judge_items,
                standardised_effect=how.smallest_effect.standardised,
                percentage_points=how.smallest_effect.percentage_points,
                confidence=how.confidence,
                min_cell=how.min_cell,
                multiplicity=how.item_multiplicity,
            ),
            waves=how.sample.waves,
            organisations=how.sample.organisations,
            shares=how.sample.shares,
            shares_note=how.sample.shares_note,
            reference=how.sample.reference,
            against=how.sample.against,
            smallest_of_all=how.sample.smallest_of_all,
            adjusted=bool(how.sample.covariates or how.sample.weight or how.sample.team),
        ),
    )
    if part.partial_pooling:
        means = released.tables["means"]
        pooled = shrunken_means(means, confidence=how.confidence)
        shown = digits.rounded(pooled, digits.units(pooled), of_some=np.zeros(len(pooled), dtype=np.bool_))
        released.tables["means"] = pd.concat([means, shown], ignore_index=True)
    keys = {item.item: item.key for item in part.instrument}
    for name, unkeyed in released.tables.items():
        table = with_keys(unkeyed, keys)
        write(table, output[name])
        write(table, str(Path(output[name]).with_suffix(".csv")))
    write(released.log, output.disclosure_log)
    write(released.summary, output.disclosure_summary)
    write_text(f"{released.sentence}\n", output.sentence)
    write(released.reasons, output.reasons, private=True)
