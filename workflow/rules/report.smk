# in:  the released tables, what was withheld in them, the figures; of what was not released only the codebook, which
#      holds no answers
# out: the report as one self-contained page and as a PDF; the configuration as it took effect
rule report:
    input:
        **of_tables(),
        figures=of_figures("svg"),
        rows=of_figures(catalogue.ROWS_FORMAT),
        captions="results/figures/captions.tsv",
        disclosure="results/released/disclosure.txt",
        limitations=LIMITATIONS,
        templates=report_templates(),
        code=code_of("report.py", catalogue.makers(catalogue.TABLES)),
    output:
        screen=report(
            "results/report/index.html",
            caption="../report/captions/report.rst",
            category="Report",
            labels={"report": "for the screen", "format": "HTML"},
        ),
        paper=report(
            "results/report/report.pdf",
            caption="../report/captions/report.rst",
            category="Report",
            labels={"report": "for print", "format": "PDF"},
        ),
    log:
        "results/logs/report.log",
    conda:
        "../../environment.yml"
    params:
        presentation=as_json(WORDS),
        evidence=evidence(),
        tables=list(of_tables()),
    script:
        "../scripts/report.py"


rule configuration:
    input:
        code=code_of("configuration.py"),
    output:
        "results/configuration.yaml",
    log:
        "results/logs/configuration.log",
    conda:
        "../../environment.yml"
    params:
        study=STUDY.model_dump(mode="json"),
    script:
        "../scripts/configuration.py"
