"""Say what each variable of the pooled data is."""

from surveywaves.pool import codebook
from surveywaves.script import stage, write
from surveywaves.study.parts import Presentation

with stage(snakemake.log):
    write(codebook(Presentation.model_validate(snakemake.params.presentation)), snakemake.output[0])
