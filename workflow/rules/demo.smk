# in:  a wave's demo/, the wave as its files were fielded; for a reconstructed wave, the settled published tables
# out: demonstration raw files under resources/demo/<wave>/, in the formats that the real ones come in
for wave in STUDY.waves:
    if wave.fielded:

        rule:
            name:
                f"demo_{wave.name}"
            input:
                settled="results/published/settled.tsv" if PUBLISHED else [],
                code=code_of("demo.py"),
            output:
                files=[file.path for file in wave.fielded.file.files],
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
