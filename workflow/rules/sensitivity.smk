# in:  the pooled responses, and why values are missing; which items work differently between waves or organisations
# out: every contrast, in standard deviations of one answer and in points of % favourable, by each other way to analyse;
#      how many of these come to the decision of the main analysis, and what it would take to change it; for the
#      release only, by how many respondents they differ
rule sensitivity:
    input:
        responses="results/pooled/responses.parquet",
        missing="results/pooled/missing.parquet",
        dif="results/statistics/dif.parquet",
    output:
        sensitivity="results/statistics/sensitivity.parquet",
        agreement="results/statistics/agreement.parquet",
        variant_people="results/statistics/variant_people.parquet",
    log:
        "results/logs/sensitivity.log",
    benchmark:
        "results/logs/sensitivity.benchmark.tsv"
    params:
        part=SensitivityPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/sensitivity.py"
