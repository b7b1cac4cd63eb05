"""Put the waves under each other."""

from surveywaves.files import read, write
from surveywaves.pool import pool
from surveywaves.script import snakemake, stage

with stage(snakemake):
    pooled = pool(
        [read(path) for path in snakemake.input.responses],
        [read(path) for path in snakemake.input.missing],
    )
    write(pooled.responses, snakemake.output.responses, private=True)
    write(pooled.missing, snakemake.output.missing, private=True)
