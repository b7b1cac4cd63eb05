# in:  the pooled responses
# out: how alike the items of each scale work in every wave and organisation; whether each scale is one factor, and the
#      same in them
rule invariance:
    input:
        responses="results/pooled/responses.parquet",
        shards=shards("invariance"),
    output:
        dif="results/statistics/dif.parquet",
        structure="results/statistics/structure.parquet",
    log:
        "results/logs/invariance.log",
    benchmark:
        "results/logs/invariance.benchmark.tsv"
    params:
        part=InvariancePart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/invariance.py"


# in:  the pooled responses
# out: the same of some scales, where the study is split (`--set-scatter scales=12`)
rule invariance_shard:
    input:
        responses="results/pooled/responses.parquet",
    output:
        found="results/shards/invariance/{scatteritem}.parquet",
    log:
        "results/logs/invariance_shard/{scatteritem}.log",
    benchmark:
        "results/logs/invariance_shard/{scatteritem}.benchmark.tsv"
    params:
        part=InvariancePart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/invariance_shard.py"
