# in:  the pooled responses
# out: reliability of each scale by wave and organisation, and whether it may be compared as a scale; how alike its
#      items work in them
rule measure:
    input:
        responses="results/pooled/responses.parquet",
        code=code_of("measure.py"),
    output:
        reliability="results/statistics/reliability.parquet",
        scale_use="results/statistics/scale_use.parquet",
        dif="results/statistics/dif.parquet",
    log:
        "results/logs/measure.log",
    conda:
        "../../environment.yml"
    params:
        part=MeasuringPart.of(STUDY).model_dump(mode="json"),
    script:
        "../scripts/measure.py"
