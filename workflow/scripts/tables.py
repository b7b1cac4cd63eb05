"""Write the tables for publication."""

from pathlib import Path

from surveywaves.script import read, stage, write_bytes
from surveywaves.study.parts import Presentation
from surveywaves.tables.made import frames_of
from surveywaves.tables.publish import files
from surveywaves.words import Labels

with stage(snakemake):
    params, given = snakemake.params, snakemake.input
    labels = Labels(Presentation.model_validate_json(params.presentation))
    frames = frames_of({name: given.get(name) for name in params.tables}, read)
    for name, content in files(frames, labels):
        write_bytes(content, str(Path(snakemake.output.tables) / name))
