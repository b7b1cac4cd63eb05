"""Write the page of figures, and put their pictures beside it."""

import shutil
from pathlib import Path

from surveywaves.figures.exhibit import page
from surveywaves.files import read, write_text
from surveywaves.script import snakemake, stage

with stage(snakemake):
    given, params = snakemake.input, snakemake.params
    folder = Path(snakemake.output.pictures)
    folder.mkdir(parents=True)
    for picture in given.pictures:
        shutil.copyfile(picture, folder / Path(picture).name)
    write_text(page(read(given.captions), params.figures, params.title), snakemake.output.page)
