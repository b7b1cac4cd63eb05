# in:  the tidy tables
# out: every figure as SVG, PDF and PNG, and what is said beside it
rule figures:
    input:
        **statistics_and_audit(),
        code=code_of("figures.py"),
    output:
        figures=expand(
            "results/figures/{figure}.{format}", figure=FIGURES, format=FORMATS
        ),
        captions="results/figures/captions.tsv",
    log:
        "results/logs/figures.log",
    conda:
        "../../environment.yml"
    params:
        presentation=PRESENTATION.model_dump(mode="json"),
    script:
        "../scripts/figures.py"
