# in:  the pooled responses
# out: reliability of each scale by wave and organisation, and whether it may be compared as a scale; how alike its
#      items work in them, and whether each is one factor, and the same in them
rule measure:
    input:
        responses="results/pooled/responses.parquet",
    output:
        reliability="results/statistics/reliability.parquet",
        scale_use="results/statistics/scale_use.parquet",
        dif="results/statistics/dif.parquet",
        structure="results/statistics/structure.parquet",
    log:
        "results/logs/measure.log",
    benchmark:
        "results/logs/measure.benchmark.tsv"
    params:
        part=MeasuringPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/measure.py"
