from surveywaves.figures.exhibit import exhibited

EXHIBITED = exhibited(PRESENTATION, published=PUBLISHED is not None)


# in:  the released tables
# out: every figure as SVG, PDF and PNG, and what is said beside it
rule figures:
    input:
        **released(SHOWN),
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
    benchmark:
        "results/logs/figures.benchmark.tsv"
    threads: 2
    params:
        presentation=as_json(PRESENTATION),
        evidence=evidence(),
    script:
        "../scripts/figures.py"


# in:  some of the figures, and what is said beside them
# out: a page of them for the documentation; made on request (`snakemake --cores 1 gallery`), and committed
rule gallery:
    input:
        pictures=expand("results/figures/{figure}.svg", figure=EXHIBITED),
        captions="results/figures/captions.tsv",
    output:
        page="docs/figures.md",
        pictures=directory("docs/figures"),
    log:
        "results/logs/gallery.log",
    benchmark:
        "results/logs/gallery.benchmark.tsv"
    params:
        figures=EXHIBITED,
        title=STUDY.config.title,
    script:
        "../scripts/gallery.py"
