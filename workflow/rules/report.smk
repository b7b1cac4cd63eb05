# in:  the released tables, the figures, and what each wave's harmonisation had to say
# out: the report as one self-contained page and as a PDF; the configuration as it took effect
rule report:
    input:
        **released(),
        figures=expand("results/figures/{figure}.svg", figure=FIGURES),
        captions="results/figures/captions.tsv",
        counts=expand("results/ingest/{wave}.counts.tsv", wave=WAVES),
        problems=expand(
            "results/{stage}/{wave}.problems.tsv",
            stage=["ingest", "harmonised"],
            wave=WAVES,
        ),
        recodings=expand("results/harmonised/{wave}.recodings.tsv", wave=WAVES),
        codebook="results/pooled/codebook.tsv",
        titles=PUBLISHED.titles if PUBLISHED else [],
        limitations=LIMITATIONS,
        templates=report_templates(),
        code=code_of("report.py"),
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
        tables=RELEASED,
        published_wave=PUBLISHED.wave if PUBLISHED else "",
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
