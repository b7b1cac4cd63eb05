"""Pin what has been released."""

import sys
from pathlib import Path

from surveywaves.freshness import HOME
from surveywaves.pin.cause import to_pin
from surveywaves.pin.making import files_in, pin
from surveywaves.pin.manifest import Places
from surveywaves.script import snakemake, stage
from surveywaves.study import load_study

with stage(snakemake):
    study = Path(snakemake.params.study)
    told = pin(
        to_pin(snakemake.params.asked, Path()),
        load_study(study),
        Places(Path.cwd(), HOME, study.absolute()),
        results=files_in(snakemake.input.results),
        target="pinned",
        cores=snakemake.threads,
    )
    sys.stdout.write("".join(f"{line}\n" for line in told))
