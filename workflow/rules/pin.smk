# in:  everything released: tables, figures and their captions, the report, the configuration as it took effect
# out: of `pin`, results/pins/<label>/ (said by --config pin=<label>); of `verify`, nothing but what it says, and
#      results/verify/<label>.tsv. Neither is an output to Snakemake: it would delete a pin before it made it again.
INTERVIEW_FILES = [
    "results/released/checklist_interviews.csv",
    "results/released/checklist_interviews.xlsx",
    "results/tables_interviews",
]
PINNED = [
    "results/configuration.yaml",
    *expand("results/released/{table}.csv", table=[*RELEASED, *INTERVIEWS]),
    "results/released/disclosure_log.csv",
    "results/released/disclosure_summary.csv",
    "results/released/disclosure.txt",
    "results/released/checklist.csv",
    "results/released/checklist.xlsx",
    *of_figures(*catalogue.FIGURE_FORMATS),
    *slides([*FIGURES, *INTERVIEW_FIGURES]),
    *narrow(),
    *captions(),
    "results/tables",
    *(INTERVIEW_FILES if QUALITATIVE else []),
    "results/report/index.html",
    "results/report/report.pdf",
]


rule pinned:
    input:
        PINNED,


rule pin:
    input:
        results=to_be_pinned,
    log:
        "results/logs/pin.log",
    threads: workflow.resource_settings.cores or 1
    params:
        asked=dict(config),
        study=as_it_is(str(CONFIG)),
    script:
        "../scripts/pin.py"


rule verify:
    log:
        "results/logs/verify.log",
    threads: workflow.resource_settings.cores or 1
    params:
        asked=dict(config),
        study=as_it_is(str(CONFIG)),
    script:
        "../scripts/verify.py"
