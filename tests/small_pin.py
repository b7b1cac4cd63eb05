"""A pin invented for tests: all kinds of files and jobs in small, and words that mean mischief."""

from __future__ import annotations

import hashlib
from pathlib import Path

from surveywaves.files import digest
from surveywaves.key import Key
from surveywaves.pin.manifest import (
    Environment,
    Job,
    Manifest,
    Revision,
    WaveEvidence,
    disguised,
    write_manifest,
)
from surveywaves.terms import Evidence

HOSTILE = "Staff <script>alert(\"1\")</script> & 'friends'\n# Heading | `code` \u202eשלום [x](y) ${PATH}"
TITLE = "Trust among staff"

KEY = Key(bytes(range(32)))

COMMIT = Revision(commit="0123456789abcdef0123456789abcdef01234567", date="2026-05-04T10:00:00+02:00")

CITATION = """\
cff-version: 1.2.0
title: surveywaves
license: MIT
version: 0.1.0
authors:
  - name: The developers
    website: https://example.org/developers
  - family-names: Adler
    given-names: Ada
    orcid: https://orcid.org/0000-0002-1825-0097
    affiliation: University of Example
references:
  - type: report
    title: "Partnerships: Final Report"
    year: 2007
    authors:
      - {family-names: Burke, given-names: Bo}
"""

FILES = {
    "configuration.yaml": "title: Trust\n",
    "requirements.lock": "pandas==3.0.0\n",
    "released/means.csv": "wave,mean\nfirst,3.5\n",
    "released/disclosure.txt": "Counts under 10 are withheld.\n",
    "figures/captions.tsv": "figure\ttitle\tcaption\talt\nmeans\tMeans over waves\tPoints: means, n = 100.\tRising.\n",
    "figures/means.svg": "<svg/>",
    "figures/means.png": "png",
    "figures/means.pdf": "pdf",
    "report/index.html": "<html/>",
    "source/CITATION.cff": CITATION,
    "source/LICENSE": "MIT License",
    "source/README.md": "# surveywaves\n",
    "source/Snakefile": "rule all:\n",
    "source/config/config.yaml": "title: Trust\n",
    "source/config/waves/first/wave.yaml": "title: First\n",
    "source/resources/published/tables.csv": "row,n\na,12\n",
    "source/workflow/rules/ingest.smk": "rule ingest:\n",
    **{
        f"source/workflow/scripts/{name}.py": f'"""What {name} does."""\n'
        for name in ("configuration", "ingest", "audit", "release", "figures", "report")
    },
}

RAW = "resources/raw/first/export of staff.csv"
PUBLISHED = "resources/published/tables.csv"
SETTLED = "results/published/settled.tsv"
RESPONSES = "results/ingest/first.parquet"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def small_pin(folder: Path, *, title: str = TITLE, commit: Revision | None = COMMIT) -> Manifest:
    """Write a pin, its manifest too, but not what describes it."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")

    def job(rule: str, inputs: list[str], outputs: list[str], **more: dict[str, str]) -> Job:
        def hashes(paths: list[str]) -> dict[str, str]:
            pinned = {path: path.removeprefix("results/") for path in paths}
            names = {path: name if name in FILES else f"source/{path}" for path, name in pinned.items()}
            return {path: sha(FILES.get(name, path)) for path, name in names.items()}

        script = f"workflow/scripts/{rule}.py"
        return Job(
            rule=rule,
            inputs=hashes(inputs),
            code=hashes(["workflow/surveywaves/tidy.py", script]),
            outputs=hashes(outputs),
            params={"seed": 1, "title": title, "scales": {"trust": ["a", "b"]}},
            **more,
        )

    figures = [f"results/figures/means.{form}" for form in ("svg", "png", "pdf")]
    figures.append("results/figures/captions.tsv")
    statistics = "results/statistics/means.parquet"
    jobs = (
        job("configuration", [], ["results/configuration.yaml"]),
        job("settle", [PUBLISHED], [SETTLED]),  # its script is not in the pin
        job("ingest", [RAW], [RESPONSES], wildcards={"wave": "first"}),
        job("audit", [RESPONSES, SETTLED], [statistics]),
        job("release", [statistics], ["results/released/means.csv", "results/released/disclosure.txt"]),
        job("figures", ["results/released/means.csv"], figures),
        job("report", figures, ["results/report/index.html"]),
    )
    outputs = {name: digest(folder / name) for name in sorted(FILES)}

    def keyed(job: Job) -> Job:
        ways = {way: disguised(getattr(job, way), outputs, KEY) for way in ("inputs", "outputs")}
        return job.model_copy(update=ways)

    manifest = Manifest(
        label="first-pin",
        title=title,
        statement=f"Demonstration: {title} (first) is simulated. The numbers are not findings.",
        evidence=(
            WaveEvidence(wave="first", title=title, evidence=Evidence.SIMULATED, note=title),
            WaveEvidence(wave="second", title="Second", evidence=Evidence.OBSERVED),
        ),
        workflow=commit,
        study=commit,
        overridden={"allow_dirty": (f"{title}: not as it is committed",)},
        proved=True,
        environment=Environment(
            python="3.11.9",
            platform="Linux x86_64",
            matplotlib="3.10.0",
            packages={"pandas": "3.0.0", "snakemake": "9.1.0"},
        ),
        key=KEY.name,
        raw=disguised(
            {RAW: sha(RAW), PUBLISHED: sha(FILES["source/resources/published/tables.csv"])}, outputs, KEY
        ),
        config={"config/config.yaml": sha(FILES["source/config/config.yaml"])},
        code={"Snakefile": sha(FILES["source/Snakefile"])},
        outputs=outputs,
        jobs=tuple(map(keyed, jobs)),
    )
    write_manifest(manifest, folder)
    return manifest
