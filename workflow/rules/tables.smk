# in:  the released tables; of what was not released only the codebook, which holds no answers
# out: the tables of the report as files to paste, each as HTML, Word, LaTeX and CSV, and a page that lists them.
#      A folder, not its four hundred files: for each file Snakemake would keep the params and look at them at every start.
rule tables:
    input:
        **of_tables(),
    output:
        tables=report(
            directory("results/tables"),
            htmlindex="index.html",
            caption="../report/captions/tables.rst",
            category="Tables",
            labels={"tables": "all tables", "format": "HTML, Word, LaTeX, CSV"},
        ),
    log:
        "results/logs/tables.log",
    benchmark:
        "results/logs/tables.benchmark.tsv"
    params:
        presentation=as_json(WORDS),
        evidence=evidence(),
        tables=list(of_tables()),
    script:
        "../scripts/tables.py"
