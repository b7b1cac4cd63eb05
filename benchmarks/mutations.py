"""Single changes against a pin: is each one noticed that moves a released number, and its cause named?

    python benchmarks/mutations.py                       # all changes by hand, and one in each module
    python benchmarks/mutations.py --modules 30 --workers 2 --write benchmarks/mutations.tsv

A small study (`tests/small_study.py`) is pinned in a clone of the committed repository. Then one thing at a time is
changed: a raw cell, a line of a crosswalk, an option, a package, a number or operator in a module. For each change
`snakemake verify` computes everything once more. What it says is held against what is known of the change; of a change
in a module nobody knows the effect, so the study is also rerun in place and its released files are compared byte by
byte, by nothing of the package.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue

REPOSITORY = Path(__file__).parent.parent
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow")]

from mutations import BY_HAND, Mutation, in_code  # noqa: E402
from small_study import small_study  # noqa: E402

LABEL = "base"
SHOWN = ("released", "figures")
NOT_NUMBERS = {"codebook", "configuration", "export", "report", "tables"}
"""Stages that make nothing which is compared number by number."""


@dataclass(frozen=True)
class Verdict:
    """What became of a change: `right` says whether verify was."""

    kind: str
    change: str
    known: str
    said: str
    right: bool


def snakemake(
    folder: Path, *arguments: str, cores: int = 1, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *arguments: str) -> None:
    own = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *own, *arguments], check=True, capture_output=True)


def pinned_study(folder: Path, cores: int) -> Path:
    """Clone the repository, lay the small study out in it, and pin it."""
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], check=True)
    shutil.rmtree(folder / "config")
    small_study(folder, imputed=True)
    git(folder, "add", "--all")
    git(folder, "add", "--force", "resources/raw")
    git(folder, "commit", "--quiet", "--no-verify", "--message", "A small study")
    done = snakemake(folder, "pin", "--config", f"pin={LABEL}", "prove=false", cores=cores)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return folder


def modules(folder: Path) -> list[str]:
    """List the package's modules that stages with numbers or figures use."""
    jobs = json.loads((folder / f"results/pins/{LABEL}/manifest.json").read_text(encoding="utf-8"))["jobs"]
    used = {name for job in jobs if job["rule"] not in NOT_NUMBERS for name in job["code"]}
    return sorted(name for name in used if name.startswith("workflow/surveywaves/"))


def one_a_module(names: list[str], count: int, seed: int) -> list[Mutation]:
    found = []
    for name in random.Random(seed).sample(names, len(names)):
        try:
            found.append(in_code(name, seed))
        except LookupError:
            continue
    return found[:count]


def judge(mutation: Mutation, base: Path, folder: Path) -> Verdict:
    """Apply a change in a copy of the pinned study, and see what verify says."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, symlinks=True)
    env = dict(mutation.edit(folder) or {})
    known = mutation.stage
    done = snakemake(folder, "verify", "--config", f"pin={LABEL}", env=env)
    path = folder / f"results/verify/{LABEL}.txt"
    words = path.read_text(encoding="utf-8") if path.exists() else done.stdout + done.stderr
    stages = re.findall(r"^first stage that gives other results: (.*)$", words, re.MULTILINE)
    if done.returncode == 0:
        said = "verified"
    elif stages:
        said = "; ".join(stages)
    else:
        said = "stopped"
    if known == "?":
        known = effect(folder, base, env)
        right = _agrees(known, said, words, users(base, mutation))
    elif known is None:
        known, right = "nothing", said == "verified"
    elif known == "stopped":
        right = said == "stopped"
    else:
        right = known in stages
    return Verdict(mutation.kind, mutation.name, known, said, right)


def effect(folder: Path, base: Path, env: dict[str, str]) -> str:
    """Rerun what the change touches, and compare what is released byte by byte."""
    # The ledger would refuse a release that differs from the pin by few people.
    shutil.rmtree(folder / "resources/private")
    done = snakemake(folder, "pinned", env=env)
    if done.returncode:
        return "stopped"
    files = {
        path.relative_to(base / "results")
        for part in SHOWN
        for path in (base / "results" / part).rglob("*")
        if path.suffix != ".parquet"
    }
    moved = [
        name
        for name in files
        if not (folder / "results" / name).exists()
        or (folder / "results" / name).read_bytes() != (base / "results" / name).read_bytes()
    ]
    return f"{len(moved)} files" if moved else "nothing"


def _agrees(known: str, said: str, words: str, uses: set[str]) -> bool:
    """Say whether a verdict fits an effect; the stage that is named must be among those that use the module."""
    if known in ("nothing", "stopped"):
        return said == {"nothing": "verified", "stopped": "stopped"}[known]
    if said == "verified":
        return "differ within the tolerance" in words
    return set(said.split("; ")) <= uses


def users(base: Path, mutation: Mutation) -> set[str]:
    """List the jobs that may give other results: where a module is changed, those that use it."""
    jobs = json.loads((base / f"results/pins/{LABEL}/manifest.json").read_text(encoding="utf-8"))["jobs"]
    module = "workflow/surveywaves/" + mutation.name.partition(":")[0]
    return {
        f"{job['rule']}({', '.join(job['wildcards'].values())})" if job["wildcards"] else job["rule"]
        for job in jobs
        if module in job["code"] or mutation.kind != "code"
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--modules", type=int, default=1000, help="changes in modules, at most one in each")
    parser.add_argument("--only", default="", help="changes whose kind or name has this pattern")
    parser.add_argument(
        "--first", type=int, default=0, help="changes that are left out, to take a run up again"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        base = pinned_study(top / "base", options.workers)
        every = [*BY_HAND, *one_a_module(modules(base), options.modules, options.seed)]
        chosen = [one for one in every if re.search(options.only, f"{one.kind} {one.name}")][options.first :]
        rooms: Queue[Path] = Queue()
        for number in range(options.workers):
            rooms.put(top / f"room{number}")

        def work(mutation: Mutation) -> Verdict:
            room = rooms.get()
            try:
                return judge(mutation, base, room)
            finally:
                rooms.put(room)

        with ThreadPoolExecutor(options.workers) as pool:
            verdicts = []
            for verdict in pool.map(work, chosen):
                verdicts.append(verdict)
                mark = "" if verdict.right else "WRONG "
                print(f"{mark}{verdict.kind}: {verdict.change}: {verdict.known} | {verdict.said}", flush=True)
    wrong = [one for one in verdicts if not one.right]
    silent = sum(one.said == "verified" for one in verdicts)
    print(
        f"{len(verdicts)} changes: {len(verdicts) - len(wrong)} judged rightly ({silent} of them moved nothing), "
        f"{len(wrong)} wrongly"
    )
    if options.write:
        with options.write.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, list(asdict(verdicts[0])), delimiter="\t", lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(one) for one in verdicts)


if __name__ == "__main__":
    main()
