"""Say what each variable of the pooled data is, and how each wave asked it."""

from surveywaves.files import write
from surveywaves.pool import codebook, questions
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ExportPart, HarmonisingPart

with stage(snakemake):
    presentation = ExportPart.model_validate(snakemake.params.presentation)
    parts = [HarmonisingPart.model_validate(part) for part in snakemake.params.parts]
    write(codebook(presentation, parts=parts), snakemake.output.codebook, private=True)
    write(questions(presentation), snakemake.output.questions, private=True)
