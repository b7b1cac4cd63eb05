# in:  the pooled responses
# out: what the wave to come can detect, by its number of returns; nothing where the study plans no wave
if PLANNING:

    rule plan:
        input:
            responses="results/pooled/responses.parquet",
        output:
            "results/statistics/planning.parquet",
        log:
            "results/logs/plan.log",
        benchmark:
            "results/logs/plan.benchmark.tsv"
        params:
            instrument=instrument("scale", "key", "points"),
            organisations=list(STUDY.config.organisations),
            planning=PLANNING.model_dump(mode="json"),
            analysis=analysis(
                "confidence",
                "covariates",
                "team",
                "weighted",
                "min_cell",
                "multiplicity",
                "smallest_effect",
            ),
            population=populations().get(PLANNING.wave)
            or populations()[PLANNING.reference],
        script:
            "../scripts/plan.py"
