"""Write what each variable of the pooled data is, and how each wave asked it."""

from surveywaves.files import read, write
from surveywaves.harmonise.labels import refuse_contradictions
from surveywaves.pool import codebook, questions
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ExportPart, HarmonisingPart

with stage(snakemake):
    presentation = ExportPart.model_validate(snakemake.params.presentation)
    parts = [HarmonisingPart.model_validate(part) for part in snakemake.params.parts]
    refuse_contradictions(presentation, parts, map(read, snakemake.input.labels))
    write(codebook(presentation, parts=parts), snakemake.output.codebook, private=True)
    write(questions(presentation), snakemake.output.questions, private=True)
