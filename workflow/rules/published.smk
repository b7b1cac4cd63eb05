# in:  the printed tables of a publication (resources/published/) and a person's decisions on them
# out: the counts that the tables must have meant, and for each printed cell whether it agrees with them
if PUBLISHED:

    rule settle:
        input:
            tables=PUBLISHED.tables,
            single_choice=list(PUBLISHED.single_choice.values()),
            decisions=PUBLISHED.decisions or [],
        output:
            settled="results/published/settled.tsv",
            audit="results/published/audit.tsv",
            verdicts="results/published/verdicts.tsv",
        log:
            "results/logs/settle.log",
        benchmark:
            "results/logs/settle.benchmark.tsv"
        params:
            part=SettlingPart.of(STUDY).model_dump(mode="json"),
        script:
            "../scripts/settle.py"
