# in:  a wave's raw files, opened read-only
# out: their cells as text, one row a return; every cell or row that could not be taken as it stood; the count of rows;
#      the labels that SPSS and Stata files give their codes
rule ingest:
    input:
        files=ancient(raw_files),
    output:
        cells="results/ingest/{wave}.parquet",
        problems="results/ingest/{wave}.problems.tsv",
        counts="results/ingest/{wave}.counts.tsv",
        labels="results/ingest/{wave}.labels.tsv",
    log:
        "results/logs/ingest/{wave}.log",
    benchmark:
        "results/logs/ingest/{wave}.benchmark.tsv"
    params:
        part=reading,
    script:
        "../scripts/ingest.py"
