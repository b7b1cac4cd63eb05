"""Draw every figure."""

from pathlib import Path

import pandas as pd

from surveywaves.figures import draw_all
from surveywaves.figures.save import save
from surveywaves.script import read, stage, write
from surveywaves.study.parts import Presentation

with stage(snakemake.log):
    tables = {name: read(path) for name, path in snakemake.input.items() if name != "code"}
    captions = []
    for drawing in draw_all(tables, Presentation.model_validate(snakemake.params.presentation)):
        save(drawing, Path(snakemake.output.captions).parent)
        captions.append(drawing.words)
    write(pd.DataFrame(captions), snakemake.output.captions)
