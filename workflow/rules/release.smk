# in:  the tidy tables and the audit
# out: the same after the disclosure rule, as Parquet and as CSV, which is what everybody may see; what was withheld,
#      without giving it back; and, for the team that holds the data only, which counts were small
def publication():
    """Give what the printed tables are about (None: there is no publication)."""
    if not PUBLISHED:
        return None
    return {
        "wave": PUBLISHED.wave,
        "cells": printed_cells(),
        "categories": list(PUBLISHED.categories),
        "choices": printed_choices(),
    }


rule release:
    input:
        **{table: f"results/statistics/{table}.parquet" for table in STATISTICS},
        **{table: f"results/audit/{table}.parquet" for table in AUDIT},
        code=code_of("release.py"),
    output:
        **{table: f"results/released/{table}.parquet" for table in RELEASED},
        people=expand("results/released/{table}.csv", table=RELEASED),
        disclosure_log="results/released/disclosure_log.csv",
        disclosure_summary="results/released/disclosure_summary.csv",
        sentence="results/released/disclosure.txt",
        reasons="results/disclosure/reasons.csv",
    log:
        "results/logs/release.log",
    conda:
        "../../environment.yml"
    params:
        tables=RELEASED,
        instrument=instrument("scale", "key", "points", "favourable"),
        disclosure=STUDY.config.disclosure.model_dump(mode="json"),
        publication=publication(),
        confidence=STUDY.config.analysis.confidence,
    script:
        "../scripts/release.py"
