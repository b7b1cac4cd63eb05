# in:  a wave's cells
# out: one row a respondent in the terms of the instrument, why each missing value is missing, every recoding done
rule harmonise:
    input:
        cells="results/ingest/{wave}.parquet",
    output:
        responses="results/harmonised/{wave}.parquet",
        missing="results/harmonised/{wave}.missing.parquet",
        problems="results/harmonised/{wave}.problems.tsv",
        recodings="results/harmonised/{wave}.recodings.tsv",
    log:
        "results/logs/harmonise/{wave}.log",
    benchmark:
        "results/logs/harmonise/{wave}.benchmark.tsv"
    params:
        part=harmonising,
    script:
        "../scripts/harmonise.py"
