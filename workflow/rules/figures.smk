# in:  the released tables
# out: every figure as SVG, PDF and PNG, as a slide and some for telephones, the rows that it drew as CSV, and what is
#      said beside it
rule figures:
    input:
        **released(SHOWN),
    output:
        figures=drawn(FIGURES),
        slides=slides(FIGURES),
        narrow=narrow(),
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
    params:
        presentation=as_json(PRESENTATION),
        evidence=evidence(),
    script:
        "../scripts/figures.py"


# in:  some of the figures, and what is said beside them
# out: a page of them; made on request. `make gallery` copies it into the documentation, where it is committed
rule gallery:
    input:
        captions="results/figures/captions.tsv",
        pictures=[f"results/figures/{one.name}.svg" for one in GALLERY],
    output:
        page="results/gallery/figures.md",
        pictures=directory("results/gallery/figures"),
    log:
        "results/logs/gallery.log",
    benchmark:
        "results/logs/gallery.benchmark.tsv"
    params:
        presentation=as_json(PRESENTATION),
        published=PUBLISHED is not None,
    script:
        "../scripts/gallery.py"
