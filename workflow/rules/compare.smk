# in:  the pooled responses; which scales hold together well enough to be compared as scales
# out: estimated marginal means of each scale by wave and organisation, their contrasts with a decision each, and the
#      variance components, by the linear and the ordinal model; the linear model's diagnostics; the contrasts of each
#      item by itself
rule compare:
    input:
        responses="results/pooled/responses.parquet",
        scale_use="results/statistics/scale_use.parquet",
    output:
        means="results/statistics/means.parquet",
        contrasts="results/statistics/contrasts.parquet",
        variances="results/statistics/variances.parquet",
        diagnostics="results/statistics/diagnostics.parquet",
        item_contrasts="results/statistics/item_contrasts.parquet",
    log:
        "results/logs/compare.log",
    benchmark:
        "results/logs/compare.benchmark.tsv"
    params:
        part=ComparingPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/compare.py"
