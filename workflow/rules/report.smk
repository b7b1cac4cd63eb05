# in:  the released tables, what was withheld in them, the figures; of what was not released only the codebook, which
#      holds no answers
# out: the report as one self-contained page and as a PDF; the configuration as it took effect
rule report:
    input:
        **of_tables(),
        **released(INTERVIEWS),
        figures=of_figures("svg"),
        narrow=narrow(),
        captions=captions(),
        disclosure="results/released/disclosure.txt",
        limitations=ancient(as_it_is(LIMITATIONS)),
        templates=ancient(as_it_is(report_templates())),
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
    benchmark:
        "results/logs/report.benchmark.tsv"
    params:
        presentation=as_json(
            WORDS.model_copy(update={"qualitative": BESIDE.qualitative})
        ),
        evidence=evidence(),
        tables=[*of_tables(), *INTERVIEWS],
    script:
        "../scripts/report.py"


rule configuration:
    output:
        "results/configuration.yaml",
    log:
        "results/logs/configuration.log",
    benchmark:
        "results/logs/configuration.benchmark.tsv"
    params:
        study=STUDY.model_dump(mode="json"),
    script:
        "../scripts/configuration.py"
