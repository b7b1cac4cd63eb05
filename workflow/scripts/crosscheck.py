"""Compute the key numbers again by statsmodels and pingouin."""

from surveywaves.crosscheck import crosscheck
from surveywaves.files import read, write
from surveywaves.sample import Sample, on_one_range, scales_of
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ComparingPart

with stage(snakemake):
    part = ComparingPart.model_validate(snakemake.params.part)
    sample = Sample(read(snakemake.input.responses), **dict(part.sample)).with_shares()
    sample, scales, _ = on_one_range(sample, scales_of(part.instrument))
    found = crosscheck(
        sample,
        scales,
        means=read(snakemake.input.means),
        contrasts=read(snakemake.input.contrasts),
        variances=read(snakemake.input.variances),
        item_contrasts=read(snakemake.input.item_contrasts),
        reliability=read(snakemake.input.reliability),
        multiplicity=part.multiplicity,
        item_multiplicity=part.item_multiplicity,
    )
    write(found, snakemake.output.crosscheck, private=True)
