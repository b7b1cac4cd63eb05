"""Read a wave's raw files."""

from pathlib import Path

from surveywaves.files import write
from surveywaves.ingest import ingest
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ReadingPart

with stage(snakemake):
    found = ingest(ReadingPart.model_validate(snakemake.params.part), root=Path())
    write(found.cells, snakemake.output.cells, private=True)
    write(found.problems, snakemake.output.problems, private=True)
    write(found.counts, snakemake.output.counts, private=True)
    write(found.value_labels, snakemake.output.labels, private=True)
