"""Find what the printed tables must have meant."""

from surveywaves.files import read, write
from surveywaves.published.settling import settle_publication
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import SettlingPart

with stage(snakemake):
    part, given = SettlingPart.model_validate(snakemake.params.part), snakemake.input
    decisions = given.get("decisions")
    settlement = settle_publication(
        read(given.tables),
        {name: read(path) for name, path in zip(part.single_choice, given.single_choice, strict=True)},
        categories=part.categories,
        max_base=part.returns,
        decisions=read(decisions) if decisions else None,
        where=str(decisions),
    )
    write(settlement.settled, snakemake.output.settled)
    write(settlement.audit, snakemake.output.audit)
    write(settlement.verdicts, snakemake.output.verdicts)
