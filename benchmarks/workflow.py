"""How long the shipped study takes from nothing, stage by stage, and how long when there is nothing to do.

    python benchmarks/workflow.py [--cores 2] [--runs 1]

The environment is not counted. Times of stages are those of Snakemake's benchmarks, start-up of Python and
imports included; on several cores they overlap.
"""

from __future__ import annotations

import argparse
import csv
import resource
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
            idle = processor_seconds(folder, REPOSITORY / "Snakefile")
            empty = folder / "empty/Snakefile"
            empty.parent.mkdir()
            empty.write_text("rule all:\n    input: []\n", encoding="utf-8")
            least = processor_seconds(empty.parent, empty)
    print(f"{'stage':24}{'jobs':>6}{'seconds':>9}   (last run)")
    for rule, seconds in sorted(stages.items(), key=lambda entry: -sum(entry[1])):
        print(f"{rule:24}{len(seconds):6}{sum(seconds):9.1f}")
    print(f"from nothing, {options.cores} cores: {statistics.median(cold):.1f} s (median of {options.runs})")
    print(f"nothing to do: {statistics.median(nothing):.1f} s")
    print(f"nothing to do, processor: {idle:.2f} s; an empty workflow: {least:.2f} s (least of 5, last run)")


def run(folder: Path, cores: int) -> float:
    """Run the workflow and give its seconds."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--directory", str(folder), "--cores", str(cores), "--quiet", "all"], check=True
    )
    return time.perf_counter() - start


def stage_times(folder: Path) -> dict[str, list[float]]:
    """Seconds of each job by rule, as its benchmark has them."""
    logs = folder / "results/logs"
    times = defaultdict(list)
    for path in sorted(logs.rglob("*.benchmark.tsv")):
        rule = path.relative_to(logs).parts[0].removesuffix(".benchmark.tsv")
        with path.open(encoding="utf-8", newline="") as lines:
            times[rule] += [float(row["s"]) for row in csv.DictReader(lines, delimiter="\t")]
    return dict(times)


def processor_seconds(folder: Path, snakefile: Path) -> float:
    """Least processor seconds, of five runs, of a workflow with nothing to do."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--directory", str(folder)]
    found = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, "--cores", "1", "--quiet", "all"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


if __name__ == "__main__":
    main()
