# in:  a wave's demo.yaml and crosswalk; for a reconstructed wave, the settled tables of the publication
# out: demonstration raw files under resources/demo/<wave>/, in the formats that the real ones come in
for wave in STUDY.waves:
    if wave.demo:

        rule:
            name:
                f"demo_{wave.name}"
            input:
                settled="results/published/settled.tsv" if PUBLISHED else [],
                code=code_of("demo.py"),
            output:
                files=[file.path for file in wave.file.files],
            log:
                f"results/logs/demo/{wave.name}.log",
            conda:
                "../../environment.yml"
            params:
                part=DemoPart.of(STUDY, wave).model_dump(mode="json"),
                cells=printed_cells(),
                categories=list(PUBLISHED.categories) if PUBLISHED else [],
            script:
                "../scripts/demo.py"
