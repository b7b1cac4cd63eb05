"""Bring a wave's cells into the terms of the instrument."""

from surveywaves.files import read, write
from surveywaves.harmonise import harmonise
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import HarmonisingPart

with stage(snakemake):
    found = harmonise(read(snakemake.input.cells), part=HarmonisingPart.model_validate(snakemake.params.part))
    write(found.responses, snakemake.output.responses, private=True)
    write(found.missing, snakemake.output.missing, private=True)
    write(found.problems, snakemake.output.problems, private=True)
    write(found.recodings, snakemake.output.recodings, private=True)
