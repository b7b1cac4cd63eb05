# in:  the released tables
# out: the tables of the report as files to paste, each as HTML, Word, LaTeX and CSV, and a page that lists them.
#      A folder, not its four hundred files: for each file Snakemake would keep the params and look at them at every start.
rule tables:
    input:
        **released(RELEASED),
        titles=PUBLISHED.titles if PUBLISHED else [],
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
        tables=RELEASED,
        printed=list(PUBLISHED.single_choice) if PUBLISHED else [],
    script:
        "../scripts/tables.py"
