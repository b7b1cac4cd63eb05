"""Say what each variable of the pooled data is."""

from surveywaves.pool import codebook
from surveywaves.script import stage, write
from surveywaves.study.parts import HarmonisingPart, Presentation

with stage(snakemake.log):
    parts = [HarmonisingPart.model_validate(part) for part in snakemake.params.parts]
    write(
        codebook(Presentation.model_validate(snakemake.params.presentation), parts=parts), snakemake.output[0]
    )
