"""Draw up the output checker's sheet of what is released."""

from surveywaves.disclosure.checklist import checklist, workbook
from surveywaves.files import read, write, write_bytes
from surveywaves.script import snakemake, stage
from surveywaves.study.models import Disclosure

with stage(snakemake):
    params = snakemake.params
    sheet = checklist(
        {name: read(path) for name, path in snakemake.input.items()},
        params.figures,
        Disclosure.model_validate(params.disclosure),
    )
    write(sheet, snakemake.output.table)
    write_bytes(workbook(sheet), snakemake.output.sheet)
