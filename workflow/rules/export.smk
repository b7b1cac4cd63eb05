# in:  the pooled responses, the reasons of their missing values, the codebook
# out: the same for SPSS, Stata and everything else, and a DDI Codebook that describes them.
#      Answers of individual people: for their owner's eyes only (mode 0600), never released.
rule export:
    input:
        responses="results/pooled/responses.parquet",
        missing="results/pooled/missing.parquet",
        codebook="results/pooled/codebook.tsv",
    output:
        spss="results/exports/responses.sav",
        stata="results/exports/responses.dta",
        csv="results/exports/responses.csv",
        codebook="results/exports/codebook.csv",
        ddi="results/exports/codebook.xml",
    log:
        "results/logs/export.log",
    benchmark:
        "results/logs/export.benchmark.tsv"
    params:
        part=ExportPart.of(PRESENTATION).model_dump(mode="json"),
    script:
        "../scripts/export.py"
