# surveywaves: from the raw files of every wave to the report.
#
#   ingest -> harmonise -> pool -> describe, measure, invariance, compare -> audit -> release -> figures -> report
#
# The study is described under config/; nothing in workflow/ knows a wave, an organisation or an item by name.
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"
include: "workflow/rules/published.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/harmonise.smk"
include: "workflow/rules/pool.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/describe.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/invariance.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/crosscheck.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/sensitivity.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/release.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/qualitative.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/pin.smk"


rule all:
    input:
        "results/report/index.html",
        "results/report/report.pdf",
        "results/configuration.yaml",
        expand("results/exports/{file}", file=EXPORTS),
        expand("results/statistics/{table}.parquet", table=STATISTICS),
        expand("results/audit/{table}.parquet", table=AUDIT),
        expand("results/released/{table}.csv", table=[*RELEASED, *INTERVIEWS]),
        "results/released/checklist.xlsx",
        "results/tables",
        of_figures(*catalogue.FIGURE_FORMATS),


include: "workflow/rules/fresh.smk"
