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
        templates=ancient(templates_in("workflow/report", "workflow/report/sections")),
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


# in:  the released tables
# out: two pages for each organisation, on screen and for print, and a page that lists them; made on request
rule sheets:
    input:
        **released(OF_SHEETS),
        templates=ancient(templates_in("workflow/report", "workflow/report/sections")),
    output:
        sheets=directory("results/sheets"),
    log:
        "results/logs/sheets.log",
    benchmark:
        "results/logs/sheets.benchmark.tsv"
    params:
        presentation=as_json(WORDS),
        evidence=evidence(),
        tables=OF_SHEETS,
    script:
        "../scripts/sheets.py"


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
