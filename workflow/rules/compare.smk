# in:  the pooled responses
# out: estimated marginal means of each scale by wave and organisation, their contrasts, the variance components
rule compare:
    input:
        responses="results/pooled/responses.parquet",
        code=code_of("compare.py"),
    output:
        means="results/statistics/means.parquet",
        contrasts="results/statistics/contrasts.parquet",
        variances="results/statistics/variances.parquet",
    log:
        "results/logs/compare.log",
    conda:
        "../../environment.yml"
    params:
        instrument=instrument(),
        waves=WAVES,
        organisations=list(STUDY.config.organisations),
        analysis=STUDY.config.analysis.model_dump(mode="json"),
    script:
        "../scripts/compare.py"
