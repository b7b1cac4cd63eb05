"""How long the ordinal mixed model takes, and how much memory, as respondents, items and covariates grow.

Run: `.venv/bin/python benchmarks/ordinal_scaling.py [respondents ...]`. Cost grows with the number of distinct
respondents (cell, covariates, answers), which is given. Each size runs in a process of its own, so that peak memory
is that size's; the data are made before the clock starts, and the memory they need is given apart. The time is that of
the whole comparison: design, fit, means, contrasts, percentages.
"""

from __future__ import annotations

import multiprocessing
import sys
import time

from linear_scaling import peak_mb, simulate

from surveywaves.mixed.design import make_design
from surveywaves.mixed.favourable import compare_ordinal

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CASES = {
    "4 items": (4, ()),
    "6 items": (6, ()),
    "8 items": (8, ()),
    "6 items, 1 covariate": (6, ("role",)),
    "6 items, 2 covariates": (6, ("role", "years")),
}


def measure(respondents: int, case: str) -> tuple[int, float, float, float, float, str]:
    """Distinct respondents, seconds by the clock and of all cores, peak MB with the data only and after; status."""
    items, covariates = CASES[case]
    frame = simulate(respondents, items)
    names = [f"item{number}" for number in range(items)]
    options = {
        "items": names,
        "keys": dict.fromkeys(names, 1),
        "response_range": (1, 5),
        "waves": ["first", "second"],
        "organisations": ["health", "social"],
        "covariates": covariates,
    }
    before, start, busy = peak_mb(), time.perf_counter(), time.process_time()
    comparison = compare_ordinal(frame, scale="scale", favourable=(4, 5), **options)
    seconds, busy, peak = time.perf_counter() - start, time.process_time() - busy, peak_mb()
    states = "/".join(sorted(set(comparison.contrasts["status"])))
    return len(make_design(frame, **options).count), seconds, busy, before, peak, states


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[1:]] or SIZES
    heads = f"{'case':<22} {'respondents':>11} {'distinct':>9} {'seconds':>8} {'CPU':>7}"
    print(f"{heads} {'MB, data only':>14} {'MB, peak':>9}")
    for name in CASES:
        for size in sizes:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                distinct, seconds, busy, data, peak, states = pool.apply(measure, (size, name))
            took = f"{name:<22} {size:>11,} {distinct:>9,} {seconds:>8.3f} {busy:>7.3f}"
            print(f"{took} {data:>14.0f} {peak:>9.0f} {states}", flush=True)
