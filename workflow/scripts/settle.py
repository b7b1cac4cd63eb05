"""Find what the printed tables must have meant."""

from surveywaves.files import read, write
from surveywaves.published import apply_decisions, settle, settle_column, together
from surveywaves.script import stage

with stage(snakemake):
    params = snakemake.params
    printed = settle(read(snakemake.input.tables), categories=params.categories, max_base=params.returns)
    counts = [
        settle_column(read(path), table=variable, max_base=params.returns)
        for variable, path in zip(params.single_choice, snakemake.input.single_choice, strict=True)
    ]
    settlement = together(printed, *counts)
    if decisions := snakemake.input.get("decisions"):
        settlement = apply_decisions(settlement, read(decisions), where=decisions)
    write(settlement.settled, snakemake.output.settled)
    write(settlement.audit, snakemake.output.audit)
    write(settlement.verdicts, snakemake.output.verdicts)
