# in:  the pooled responses
# out: what the wave to come can detect, by its number of returns; nothing where the study plans no wave
if PLANNING:

    rule plan:
        input:
            responses="results/pooled/responses.parquet",
            code=code_of("plan.py"),
        output:
            "results/statistics/planning.parquet",
        log:
            "results/logs/plan.log",
        conda:
            "../../environment.yml"
        params:
            part=PlanningPart.of(STUDY).model_dump(mode="json"),
        script:
            "../scripts/plan.py"
