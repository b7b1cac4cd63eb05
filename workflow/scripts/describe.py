"""Count who answered what."""

from surveywaves import describe
from surveywaves.files import read, write
from surveywaves.script import stage

with stage(snakemake):
    params, output = snakemake.params, snakemake.output
    responses, missing = read(snakemake.input.responses), read(snakemake.input.missing)
    frequencies = describe.item_frequencies(
        responses,
        missing,
        items={item["item"]: item["points"] for item in params.instrument},
        organisations=params.organisations,
    )
    write(frequencies, output.item_frequencies)
    write(
        describe.item_summary(
            frequencies,
            favourable={item["item"]: item["favourable"] for item in params.instrument},
            keys={item["item"]: item["key"] for item in params.instrument},
        ),
        output.item_summary,
    )
    write(
        describe.respondents(
            responses, missing, variables=params.variables, organisations=params.organisations
        ),
        output.respondents,
    )
    write(
        describe.response_rates(
            responses,
            populations=params.populations,
            approximate=params.approximate,
            confidence=params.confidence,
        ),
        output.response_rates,
    )
    sections = {item["item"]: item["section"] for item in params.instrument}
    write(describe.missing_summary(missing, sections=sections), output.missing)
