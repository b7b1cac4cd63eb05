"""Killing a run at random moments: does it end in the same bytes when it is taken up, and is a pin whole or not there?

    python benchmarks/kill.py                          # 30 runs and 10 pins
    python benchmarks/kill.py --kills 5 --pins 2 --cores 2 --seed 1

The study of `tests/studies/everyday_life`, cut down to one wave (`--whole`: all five), is run from nothing in a clone
of the committed repository. Each further run is killed with SIGKILL, and every process that it started, at a moment
drawn from its share of the time that the first one took, so that the moments spread over all of it; then `snakemake
--unlock` where a lock is left, and `snakemake --rerun-incomplete`. Pins are killed in the last two fifths of the time
that one takes, when it is written.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "workflow")]

from killing import halves, killed_when, start, take_up  # noqa: E402
from surveywaves.files import digest  # noqa: E402
from surveywaves.pin.manifest import read_manifest  # noqa: E402
from test_another_study import lay_out, of_one_wave  # noqa: E402

PINNING = (
    *("pin", "--config", "pin=one", "prove=false"),
    *("allow_dirty=true", "allow_stale=true", "allow_unreleased=true"),
)
LATE = 0.6
"""Share of a pin's time before it is written."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--pins", type=int, default=10)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--seed", type=int, default=20260703)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="kill-") as name:
        room = Path(name)
        clone = room / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        snakefile = clone / "Snakefile"
        study = lay_out if options.whole else of_one_wave
        whole = study(room / "whole")
        seconds = timed(snakefile, whole, (), options.cores)
        expected = hashes(whole)
        print(
            f"{len(expected)} files in {seconds:.0f} s; killed after (s), jobs ended, half files, locked, then"
        )
        good = 0
        for share in spread(chance, options.kills, 0):
            killed = False
            while not killed:
                killed, right, seconds = one_run(
                    snakefile, study(room / "run"), share, seconds, expected=expected, cores=options.cores
                )
            good += right
        copy = shutil.copytree(whole, room / "pin", symlinks=True)
        seconds = timed(snakefile, copy, PINNING, options.cores)
        shutil.rmtree(copy)
        print(f"a pin in {seconds:.0f} s; killed after (s), left, then")
        pins = 0
        for share in spread(chance, options.pins, LATE):
            copy = shutil.copytree(whole, room / "pin", symlinks=True)
            pins += one_pin(snakefile, copy, share * seconds, options.cores)
    print(
        f"the same bytes after {good} of {options.kills} kills; {pins} of {options.pins} pins whole or not there"
    )
    return 0 if good == options.kills and pins == options.pins else 1


def timed(snakefile: Path, folder: Path, arguments: tuple[str, ...], cores: int) -> float:
    """Run undisturbed and give the seconds."""
    began = time.monotonic()
    done = take_up(snakefile, folder, *arguments, cores=cores)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.monotonic() - began


def spread(chance: random.Random, count: int, first: float) -> Iterator[float]:
    """Draw a share of a time from each of so many equal parts of what there is from a first share on."""
    for part in range(count):
        yield first + (1 - first) * (part + chance.random()) / count


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file() and not path.name.endswith(".benchmark.tsv")
    }


def one_run(
    snakefile: Path, folder: Path, share: float, seconds: float, *, expected: dict[str, str], cores: int
) -> tuple[bool, bool, float]:
    """Kill a run, take it up, and hold what comes of it, records included, against what should.

    Returns
    -------
    tuple
        Whether it was killed, for the machine may have become faster; whether all was right; how long a run takes.
    """
    began = time.monotonic()
    moment = share * seconds
    left = killed_when(
        start(snakefile, folder, cores=cores), folder, lambda: time.monotonic() >= began + moment
    )
    if left.finished:
        shutil.rmtree(folder)
        return False, False, time.monotonic() - began
    done = take_up(snakefile, folder, cores=cores)
    found = hashes(folder)
    differ = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
    right = done.returncode == 0 and not differ and not halves(folder)
    said = "the same" if right else f"{len(differ)} differ: {differ[:3]}"
    lock = "locked" if left.locked else "-"
    print(f"{moment:6.1f}  {left.records:3} {left.halves:2} {lock:6}  {said}", flush=True)
    shutil.rmtree(folder)
    return True, right, seconds


def one_pin(snakefile: Path, folder: Path, moment: float, cores: int) -> bool:
    """Kill a pin; then there is none, or a whole one. Where there is none, it can be made."""
    until = time.monotonic() + moment
    killed_when(start(snakefile, folder, *PINNING, cores=cores), folder, lambda: time.monotonic() >= until)
    pins = folder / "results/pins"
    there = (pins / "one").exists()
    parts = [path.name for path in pins.glob(".*")] if pins.exists() else []
    right = whole_pin(pins / "one") if there else True
    if not there:
        done = take_up(snakefile, folder, *PINNING, cores=cores)
        right = done.returncode == 0 and whole_pin(pins / "one")
    right = right and {path.name for path in pins.iterdir()} <= {"one", "one.zip"}
    what = "a pin" if there else f"no pin, {len(parts)} begun"
    print(f"{moment:6.1f}  {what}  {'whole' if right else 'NOT whole'}", flush=True)
    shutil.rmtree(folder)
    return right


def whole_pin(folder: Path) -> bool:
    manifest = read_manifest(folder)
    return all(digest(folder / name) == hash_ for name, hash_ in manifest.outputs.items())


if __name__ == "__main__":
    sys.exit(main())
