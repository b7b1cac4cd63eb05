# in:  the pooled responses
# out: reliability of each scale by wave and organisation
rule measure:
    input:
        responses="results/pooled/responses.parquet",
        code=code_of("measure.py"),
    output:
        "results/statistics/reliability.parquet",
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
    script:
        "../scripts/measure.py"
