# in:  the tidy tables and the audit; what became of the raw files; who weighs how much; who answered what, to be held
#      against the ledger of releases (resources/private), which is no input: that it grows makes nothing run again
# out: the same after the disclosure rule, as Parquet and as CSV, which is what everybody may see; what was withheld,
#      without giving it back; and, for the team that holds the data only, which counts were small
rule release:
    input:
        **{table: f"results/statistics/{table}.parquet" for table in STATISTICS},
        **{table: f"results/audit/{table}.parquet" for table in AUDIT},
        file_counts=expand("results/ingest/{wave}.counts.tsv", wave=WAVES),
        problems=expand(
            "results/{stage}/{wave}.problems.tsv",
            stage=["ingest", "harmonised"],
            wave=WAVES,
        ),
        responses="results/pooled/responses.parquet",
        variant_people="results/statistics/variant_people.parquet",
        why_missing="results/pooled/missing.parquet",
    output:
        **{table: f"results/released/{table}.parquet" for table in RELEASED},
        people=expand("results/released/{table}.csv", table=RELEASED),
        disclosure_log="results/released/disclosure_log.csv",
        disclosure_summary="results/released/disclosure_summary.csv",
        sentence="results/released/disclosure.txt",
        reasons="results/disclosure/reasons.csv",
    log:
        "results/logs/release.log",
    benchmark:
        "results/logs/release.benchmark.tsv"
    params:
        tables=SHOWN,
        part=ReleasingPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/release.py"


# in:  everything released
# out: the output checker's sheet: each kind of number and each figure, with its smallest n; to be signed
rule checklist:
    input:
        **released(RELEASED),
    output:
        table="results/released/checklist.csv",
        sheet="results/released/checklist.xlsx",
    log:
        "results/logs/checklist.log",
    benchmark:
        "results/logs/checklist.benchmark.tsv"
    params:
        figures={one.name: list(one.exhibit.reads) for one in FIGURES},
        disclosure=STUDY.config.disclosure.model_dump(mode="json"),
    script:
        "../scripts/checklist.py"
