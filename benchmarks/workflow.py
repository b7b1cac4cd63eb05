"""How long the shipped study takes from nothing, stage by stage, and how long when there is nothing to do.

    python benchmarks/workflow.py [--cores 2] [--runs 1]

The environment is not counted. Times of stages are those that Snakemake records of its jobs, start-up of Python and
imports included; on several cores they overlap.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    cold, nothing = [], []
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in ("config", "resources/published", "demo/raw"):
                shutil.copytree(REPOSITORY / part, folder / part)
            cold.append(run(folder, options.cores))
            nothing.append(run(folder, options.cores))
            stages = stage_times(folder)
    print(f"{'stage':24}{'jobs':>6}{'seconds':>9}   (last run)")
    for rule, seconds in sorted(stages.items(), key=lambda entry: -sum(entry[1])):
        print(f"{rule:24}{len(seconds):6}{sum(seconds):9.1f}")
    print(f"from nothing, {options.cores} cores: {statistics.median(cold):.1f} s (median of {options.runs})")
    print(f"nothing to do: {statistics.median(nothing):.1f} s")


def run(folder: Path, cores: int) -> float:
    """Run the workflow and give its seconds."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--directory", str(folder), "--cores", str(cores), "--quiet", "all"], check=True
    )
    return time.perf_counter() - start


def stage_times(folder: Path) -> dict[str, list[float]]:
    """Seconds of each job by rule, from Snakemake's own records (one for each output)."""
    jobs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for path in (folder / ".snakemake/metadata").rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text(encoding="utf-8"))
            if record.get("endtime"):
                jobs[record["rule"], str(record["log"])] += [record["starttime"], record["endtime"]]
    times = defaultdict(list)
    for (rule, _), seconds in jobs.items():
        times[rule].append(max(seconds) - min(seconds))
    return dict(times)


if __name__ == "__main__":
    main()
