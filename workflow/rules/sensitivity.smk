# in:  the pooled responses; which items work differently between waves or organisations
# out: every contrast, in standard deviations of one answer, by each other way to analyse; how many of these come to
#      the decision of the main analysis
rule sensitivity:
    input:
        responses="results/pooled/responses.parquet",
        dif="results/statistics/dif.parquet",
    output:
        sensitivity="results/statistics/sensitivity.parquet",
        agreement="results/statistics/agreement.parquet",
    log:
        "results/logs/sensitivity.log",
    benchmark:
        "results/logs/sensitivity.benchmark.tsv"
    params:
        instrument=instrument("scale", "key", "points"),
        min_answered={scale.scale: scale.min_answered for scale in STUDY.scales},
        waves=WAVES,
        organisations=list(STUDY.config.organisations),
        margins={wave.name: wave.file.population.margins for wave in STUDY.waves},
        labels={name: known.label for name, known in STUDY.config.variables.items()},
        analysis=analysis(
            "confidence",
            "covariates",
            "team",
            "weighted",
            "min_cell",
            "multiplicity",
            "smallest_effect",
            "functioning",
            "sensitivity",
        ),
    script:
        "../scripts/sensitivity.py"
