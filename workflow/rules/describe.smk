# in:  the pooled responses
# out: counts and percentages by wave and organisation, response rates, missing values by reason
rule describe:
    input:
        responses="results/pooled/responses.parquet",
        missing="results/pooled/missing.parquet",
    output:
        item_frequencies="results/statistics/item_frequencies.parquet",
        item_summary="results/statistics/item_summary.parquet",
        respondents="results/statistics/respondents.parquet",
        response_rates="results/statistics/response_rates.parquet",
        missing="results/statistics/missing.parquet",
    log:
        "results/logs/describe.log",
    benchmark:
        "results/logs/describe.benchmark.tsv"
    params:
        part=DescribingPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/describe.py"
