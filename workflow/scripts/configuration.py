"""Write the configuration out as it took effect, defaults and all."""

import yaml

from surveywaves.files import write_text
from surveywaves.script import snakemake, stage

with stage(snakemake):
    text = yaml.safe_dump(snakemake.params.study, sort_keys=False, allow_unicode=True, width=110)
    write_text(text, snakemake.output[0])
