# in:  the pooled responses; which scales hold together well enough to be compared as scales
# out: estimated marginal means of each scale by wave and organisation, their contrasts with a decision each, and the
#      variance components, by the linear and the ordinal model; the linear model's diagnostics; the contrasts of each
#      item by itself
rule compare:
    input:
        responses="results/pooled/responses.parquet",
        shards=shards("compare"),
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


# in:  the pooled responses
# out: the same of some scales, where the study is split (`--set-scatter scales=12`)
rule compare_shard:
    input:
        responses="results/pooled/responses.parquet",
    output:
        found="results/shards/compare/{scatteritem}.parquet",
    log:
        "results/logs/compare_shard/{scatteritem}.log",
    benchmark:
        "results/logs/compare_shard/{scatteritem}.benchmark.tsv"
    params:
        part=ComparingPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/compare_shard.py"
