"""Write the tables for publication."""

import gc
from pathlib import Path

from surveywaves.files import write_bytes
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation
from surveywaves.tables.made import frames_of
from surveywaves.tables.publish import files
from surveywaves.words import Labels

# Tables are kept until the workbook holds them all: to look for what nobody needs would take a tenth of the job.
gc.disable()
with stage(snakemake):
    params, given = snakemake.params, snakemake.input
    labels = Labels(Presentation.model_validate_json(params.presentation))
    for name, content in files(frames_of({name: given[name] for name in params.tables}), labels):
        write_bytes(content, str(Path(snakemake.output.tables) / name))
