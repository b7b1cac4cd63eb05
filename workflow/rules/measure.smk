# in:  the pooled responses
# out: reliability of each scale by wave and organisation, and whether it may be compared as a scale
rule measure:
    input:
        responses="results/pooled/responses.parquet",
        shards=shards("measure"),
    output:
        reliability="results/statistics/reliability.parquet",
        scale_use="results/statistics/scale_use.parquet",
    log:
        "results/logs/measure.log",
    benchmark:
        "results/logs/measure.benchmark.tsv"
    params:
        part=MeasuringPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/measure.py"


# in:  the pooled responses
# out: the reliability of some scales, where the study is split (`--set-scatter scales=12`)
rule measure_shard:
    input:
        responses="results/pooled/responses.parquet",
    output:
        found="results/shards/measure/{scatteritem}.parquet",
    log:
        "results/logs/measure_shard/{scatteritem}.log",
    benchmark:
        "results/logs/measure_shard/{scatteritem}.benchmark.tsv"
    params:
        part=MeasuringPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/measure_shard.py"
