# in:  the tidy tables
# out: the tables of the report as files to paste, each as HTML, Word, LaTeX and CSV, and a page that lists them.
#      A folder, not its four hundred files: for each file Snakemake would keep the params and look at them at every start.
rule tables:
    input:
        **statistics_and_audit(),
        titles=PUBLISHED.titles if PUBLISHED else [],
        code=code_of("tables.py"),
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
    conda:
        "../../environment.yml"
    params:
        presentation=as_json(WORDS),
        evidence=evidence(),
        tables=[*STATISTICS, *AUDIT],
        printed=list(PUBLISHED.single_choice) if PUBLISHED else [],
        threshold=STUDY.config.disclosure.threshold,
        # What stands in results/statistics has not been through the disclosure rule.
        released=False,
    script:
        "../scripts/tables.py"
