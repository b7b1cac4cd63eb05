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
            part=PlanningPart.of(STUDY).model_dump(mode="json"),
        script:
            "../scripts/plan.py"
