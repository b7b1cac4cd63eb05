# in:  the coded material (REFI-QDA projects, tables of segments, the observation grid), and the survey's released means
#      and contrasts
# out: the released themes, agreement between coders, joint display, observations and timeline, with their figures and
#      tables; for the team only: the segments, the disagreements, and what was not used. There is no such rule if the
#      study has no coded material
if QUALITATIVE:

    rule qualitative:
        input:
            **released(["means", "contrasts"]),
            material=QUALITATIVE.file.files,
        output:
            **released(INTERVIEWS),
            checklist="results/released/checklist_interviews.csv",
            sheet="results/released/checklist_interviews.xlsx",
            people=expand("results/released/{table}.csv", table=INTERVIEWS),
            segments="results/qualitative/segments.parquet",
            sources="results/qualitative/sources.parquet",
            disagreements="results/qualitative/disagreements.csv",
            problems="results/qualitative/problems.tsv",
            figures=drawn(INTERVIEW_FIGURES),
            slides=slides(INTERVIEW_FIGURES),
            captions=report(
                "results/figures/captions_interviews.tsv",
                caption="../report/captions/captions.rst",
                category="Figures",
                subcategory="All",
                labels={
                    "figure": "captions of figures of interviews",
                    "format": "TSV",
                },
            ),
            tables=report(
                directory("results/tables_interviews"),
                htmlindex="index.html",
                caption="../report/captions/tables.rst",
                category="Tables",
                labels={"tables": "of interviews", "format": "HTML, Word, LaTeX, CSV"},
            ),
        log:
            "results/logs/qualitative.log",
        benchmark:
            "results/logs/qualitative.benchmark.tsv"
        params:
            part=QualitativePart.of(STUDY).model_dump(mode="json"),
            presentation=as_json(
                BESIDE.model_copy(
                    update={"planning": None, "items": {}, "variables": {}}
                )
            ),
            figures={one.name: list(one.exhibit.reads) for one in INTERVIEW_FIGURES},
            evidence=evidence() | {"interviews": QUALITATIVE.file.evidence.value},
        script:
            "../scripts/qualitative.py"
