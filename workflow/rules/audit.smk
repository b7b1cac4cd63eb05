# in:  the audit of the printed tables, and the frequencies that the pipeline finds in the data
# out: each printed cell and each numeric claim beside what it recomputes to, with a verdict
if PUBLISHED:

    rule audit:
        input:
            audit="results/published/audit.tsv",
            item_frequencies="results/statistics/item_frequencies.parquet",
            respondents="results/statistics/respondents.parquet",
            printed=PUBLISHED.tables,
            claims=PUBLISHED.claims,
        output:
            tables="results/audit/published_tables.parquet",
            claims="results/audit/claims.parquet",
        log:
            "results/logs/audit.log",
        benchmark:
            "results/logs/audit.benchmark.tsv"
        params:
            part=PublicationPart.of(STUDY).model_dump(mode="json"),
        script:
            "../scripts/audit.py"
