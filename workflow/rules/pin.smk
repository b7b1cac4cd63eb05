# in:  everything released: tables, figures and their captions, the report, the configuration as it took effect
# out: of `pin`, results/pins/<label>/ (said by --config pin=<label>); of `verify`, nothing but what it says, and
#      results/verify/<label>.tsv. Neither is an output to Snakemake: it would delete a pin before it made it again.
from surveywaves.pin.asked import to_pin, to_verify

PINNED = [
    "results/configuration.yaml",
    expand("results/released/{table}.csv", table=RELEASED),
    "results/released/disclosure_log.csv",
    "results/released/disclosure_summary.csv",
    "results/released/disclosure.txt",
    expand("results/figures/{figure}.{format}", figure=FIGURES, format=FORMATS),
    "results/figures/captions.tsv",
    "results/report/index.html",
    "results/report/report.pdf",
]


def label_to_pin(wildcards):
    """Check what is asked for before anything is computed; nothing of it is an input."""
    return _checked(to_pin)


def label_to_verify(wildcards):
    """Check that there is such a pin before anything is computed; nothing of it is an input."""
    return _checked(to_verify)


def _checked(check):
    try:
        check(config, Path())
    except SurveywavesError as error:
        raise WorkflowError(
            "\n".join(["This cannot be done:", *str(error).splitlines()])
        )
    return []


rule pinned:
    input:
        PINNED,


rule pin:
    input:
        label_to_pin,
        results=PINNED,
        code=code_of("pin.py"),
    log:
        "results/logs/pin.log",
    conda:
        "../../environment.yml"
    threads: workflow.cores or 1
    params:
        asked=dict(config),
        study=str(CONFIG),
    script:
        "../scripts/pin.py"


rule verify:
    input:
        label_to_verify,
        code=code_of("verify.py"),
    log:
        "results/logs/verify.log",
    conda:
        "../../environment.yml"
    threads: workflow.cores or 1
    params:
        asked=dict(config),
        study=str(CONFIG),
    script:
        "../scripts/verify.py"
