"""Draw every figure."""

import gc
from pathlib import Path

from surveywaves.figures.saving import save_all
from surveywaves.files import read, write
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation

# The parts of a figure refer to each other: to look for what nobody needs costs more than to keep it for some seconds.
gc.disable()
with stage(snakemake):
    tables = {name: read(path) for name, path in snakemake.input.items() if name != "code"}
    presentation = Presentation.model_validate_json(snakemake.params.presentation)
    captions = save_all(tables, presentation, Path(snakemake.output.captions).parent)
    write(captions, snakemake.output.captions)
