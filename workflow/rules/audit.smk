# in:  the audit of the printed tables, and the frequencies that the pipeline finds in the data
# out: each printed cell and each numeric claim beside what it recomputes to, with a verdict
if PUBLISHED:

    rule audit:
        input:
            audit="results/published/audit.tsv",
            single_choice="results/published/single_choice.tsv",
            frequencies="results/statistics/item_frequencies.parquet",
            respondents="results/statistics/respondents.parquet",
            tables=PUBLISHED.tables,
            claims=PUBLISHED.claims or [],
            code=code_of("audit.py"),
        output:
            tables="results/audit/published_tables.parquet",
            claims="results/audit/claims.parquet",
        log:
            "results/logs/audit.log",
        conda:
            "../../environment.yml"
        params:
            wave=PUBLISHED.wave,
            cells=printed_cells(),
        script:
            "../scripts/audit.py"
