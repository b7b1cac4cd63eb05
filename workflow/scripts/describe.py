"""Count who answered what."""

from surveywaves.describe import describe
from surveywaves.files import read, write
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import DescribingPart

with stage(snakemake):
    part = DescribingPart.model_validate(snakemake.params.part)
    found = describe(read(snakemake.input.responses), read(snakemake.input.missing), **dict(part))
    for table, frame in found._asdict().items():
        write(frame, snakemake.output[table], private=True)
