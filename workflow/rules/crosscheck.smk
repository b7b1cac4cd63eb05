# in:  the pooled responses; what measure and compare found
# out: the key numbers again, by statsmodels and pingouin, each beside ours with the difference and a verdict
rule crosscheck:
    input:
        responses="results/pooled/responses.parquet",
        means="results/statistics/means.parquet",
        contrasts="results/statistics/contrasts.parquet",
        variances="results/statistics/variances.parquet",
        item_contrasts="results/statistics/item_contrasts.parquet",
        reliability="results/statistics/reliability.parquet",
    output:
        crosscheck="results/statistics/crosscheck.parquet",
    log:
        "results/logs/crosscheck.log",
    benchmark:
        "results/logs/crosscheck.benchmark.tsv"
    params:
        part=ComparingPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/crosscheck.py"
