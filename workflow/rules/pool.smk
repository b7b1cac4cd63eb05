# in:  the harmonised waves; the value labels of their files, which must not contradict the codings
# out: all respondents in one table, the reasons of their missing values, a codebook, and how each wave asked each item
rule pool:
    input:
        responses=expand("results/harmonised/{wave}.parquet", wave=WAVES),
        missing=expand("results/harmonised/{wave}.missing.parquet", wave=WAVES),
    output:
        responses="results/pooled/responses.parquet",
        missing="results/pooled/missing.parquet",
    log:
        "results/logs/pool.log",
    benchmark:
        "results/logs/pool.benchmark.tsv"
    script:
        "../scripts/pool.py"


rule codebook:
    input:
        labels=expand("results/ingest/{wave}.labels.tsv", wave=WAVES),
    output:
        codebook="results/pooled/codebook.tsv",
        questions="results/pooled/questions.tsv",
    log:
        "results/logs/codebook.log",
    benchmark:
        "results/logs/codebook.benchmark.tsv"
    params:
        presentation=ExportPart.of(PRESENTATION).model_dump(mode="json"),
        parts=[
            HarmonisingPart.of(STUDY, wave).model_dump(mode="json")
            for wave in STUDY.waves
        ],
    script:
        "../scripts/codebook.py"
