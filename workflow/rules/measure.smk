# in:  the pooled responses
# out: reliability of each scale by wave and organisation, and whether it may be compared as a scale; how alike its
#      items work in them
rule measure:
    input:
        responses="results/pooled/responses.parquet",
    output:
        reliability="results/statistics/reliability.parquet",
        scale_use="results/statistics/scale_use.parquet",
        dif="results/statistics/dif.parquet",
    log:
        "results/logs/measure.log",
    benchmark:
        "results/logs/measure.benchmark.tsv"
    params:
        instrument=instrument("scale", "key", "points"),
        waves=WAVES,
        organisations=list(STUDY.config.organisations),
        confidence=STUDY.config.analysis.confidence,
        min_cell=STUDY.config.analysis.min_cell,
        scale_use=STUDY.config.analysis.scale_use.model_dump(mode="json"),
        functioning_min_n=STUDY.config.analysis.functioning.min_n,
        seed=STUDY.config.seed,
    script:
        "../scripts/measure.py"
