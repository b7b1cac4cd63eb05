# in:  the released tables
# out: every figure as SVG, PDF and PNG, and what is said beside it
rule figures:
    input:
        **released(),
        code=code_of("figures.py"),
    output:
        figures=drawn(),
        captions=report(
            "results/figures/captions.tsv",
            caption="../report/captions/captions.rst",
            category="Figures",
            subcategory="All",
            labels={"figure": "captions of all figures", "format": "TSV"},
        ),
    log:
        "results/logs/figures.log",
    conda:
        "../../environment.yml"
    threads: 2
    params:
        presentation=as_json(PRESENTATION),
        evidence=evidence(),
    script:
        "../scripts/figures.py"
