# in:  the pooled responses
# out: reliability of each scale by wave and organisation; how alike its items work in them
rule measure:
    input:
        responses="results/pooled/responses.parquet",
        code=code_of("measure.py"),
    output:
        reliability="results/statistics/reliability.parquet",
        dif="results/statistics/dif.parquet",
    log:
        "results/logs/measure.log",
    conda:
        "../../environment.yml"
    params:
        instrument=instrument(),
        waves=WAVES,
        organisations=list(STUDY.config.organisations),
        confidence=STUDY.config.analysis.confidence,
        min_cell=STUDY.config.analysis.min_cell,
        seed=STUDY.config.seed,
    script:
        "../scripts/measure.py"
