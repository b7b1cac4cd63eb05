"""Hold the publication against the data: every printed cell, every claim in its text."""

from surveywaves.files import read, write
from surveywaves.published.checking import audit_publication
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import PublicationPart

with stage(snakemake):
    part, given = PublicationPart.model_validate(snakemake.params.part), snakemake.input
    found = audit_publication(
        read(given.audit),
        read(given.claims),
        printed=read(given.printed),
        item_frequencies=read(given.item_frequencies),
        respondents=read(given.respondents),
        wave=part.wave,
        cells=[(cell.table, cell.row, cell.item) for cell in part.cells],
        categories=part.categories,
        single_choice=part.single_choice,
    )
    for table, frame in found._asdict().items():
        write(frame, snakemake.output[table], private=True)
