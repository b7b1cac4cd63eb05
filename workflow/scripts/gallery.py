"""Write the page of figures, and put their pictures beside it."""

import shutil
from pathlib import Path

from surveywaves.catalogue import in_gallery
from surveywaves.figures.gallery import page
from surveywaves.files import read, write_text
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation

with stage(snakemake):
    given, params = snakemake.input, snakemake.params
    presentation = Presentation.model_validate_json(params.presentation)
    chosen = in_gallery(presentation, published=params.published)
    folder = Path(snakemake.output.pictures)
    folder.mkdir(parents=True)
    for picture in given.pictures:
        shutil.copyfile(picture, folder / Path(picture).name)
    write_text(page(read(given.captions), chosen, presentation.title), snakemake.output.page)
