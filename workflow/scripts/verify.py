"""Compute what a pin holds once more, and say what does not come out as it was pinned."""

import sys
from pathlib import Path

from surveywaves.errors import SurveywavesError
from surveywaves.freshness import HOME
from surveywaves.pin.cause import asked
from surveywaves.pin.manifest import Places
from surveywaves.pin.verify import record, verify
from surveywaves.script import snakemake, stage
from surveywaves.study import load_study

with stage(snakemake):
    study, label = Path(snakemake.params.study), asked(snakemake.params.asked).label
    places = Places(Path.cwd(), HOME, study.absolute())
    found = verify(label, load_study(study), places, target="pinned", cores=snakemake.threads)
    lines = record(found, places)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    if found.fails:
        where = f"pin {label}"
        raise SurveywavesError.at(
            where, "does not come out as it was pinned", f"see results/verify/{label}.txt"
        )
