"""Disclosure: a stranger against many small studies, and against the shipped one (tests/attacker.py).

    python benchmarks/disclosure.py [--studies 500] [--first 0] [--rounding 5] [--unprotected] [--results results]

Every study is invented (tests/invented_studies.py), its statistics are computed and released by the program, and all
of its small counts are attacked with everything that is released: counts alone, with means, with notes, with variances
of reliability, standard errors and diagnostics, and with all of it. With --unprotected, counts are rounded by
themselves and everything else is as before the release: what the stranger can do. With --results, the study whose
statistics are there is attacked, with what is released there.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from attacker import Method, Release, Tables, attack, telling, truth_of
from invented_studies import invent, rounded_alone
from surveywaves.disclosure import ItemKey, Rule
from surveywaves.study import load_study

WAYS = {
    "counts": (),
    "with means": ("means",),
    "with words": ("words",),
    "with variances": ("variances",),
    "everything": ("means", "words", "variances"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rounding", type=int, default=5)
    parser.add_argument("--unprotected", action="store_true")
    parser.add_argument("--quick", action="store_true", help="counts alone, and everything")
    parser.add_argument("--whole", action="store_true", help="integer programs: up to ten times as long")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    ways = {name: WAYS[name] for name in (("counts", "everything") if options.quick else WAYS)}
    method = Method(options.rounding, derived=not options.unprotected)
    lines: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    studies = shipped(options.results) if options.results else invented(options)
    number = words = 0
    start = time.process_time()
    for name, responses, items, tables, waves in studies:
        number += 1
        before = {way: list(line) for way, line in lines.items()}
        told = telling(tables, responses["organisation"].dropna().unique())
        words += len(told)
        for one in told:
            print(f"{name}: {one}", flush=True)
        for wave in waves:
            levels = tables["respondents"]
            variables = set(levels.loc[levels["wave"] == wave, "variable"]) - {"organisation"}
            truth = truth_of(responses, wave, items, variables)
            for way, joins in ways.items():
                found = attack(
                    truth, [Release(tables, method)], wave, items, joins=joins, whole=options.whole
                )
                line = lines[way]
                line[0] += found.attacked
                line[1] += len(found.breaches)
                line[2] += sum(one.exactly for one in found.breaches)
                for one in found.wrong:
                    print(f"{name}: the stranger excludes what is true: {one}", flush=True)
                if way == "everything" and not options.unprotected:
                    for one in found.breaches:
                        print(f"{name}: {one}", flush=True)
        own = {
            way: [now - then for now, then in zip(line, before.get(way, [0, 0, 0]), strict=True)]
            for way, line in lines.items()
        }
        print(f"{name}: {own}, {time.process_time() - start:.0f} s of CPU so far", flush=True)
    table = pd.DataFrame.from_dict(lines, orient="index", columns=["attacked", "narrowed", "exactly"])
    print(table.to_string())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{number} studies, notes that tell: {words}; {time.process_time() - start:.0f} s of CPU, {peak:.0f} MB"
    )


Attacked = tuple[str, pd.DataFrame, Mapping[str, ItemKey], Tables, list[str]]


def invented(options: argparse.Namespace) -> Iterator[Attacked]:
    for seed in range(options.first, options.first + options.studies):
        own = invent(seed)
        if options.unprotected:
            tables = rounded_alone(own.statistics(), seed=seed)
        else:
            tables = own.released(Rule(rounding=options.rounding)).tables
        yield f"study {seed}", own.responses, own.keys, tables, list(own.surveyed)


def shipped(results: Path) -> Iterator[Attacked]:
    """Read the study in `config`, what is released of it, and its pooled answers to judge by."""
    study = load_study(Path("config"))
    scales = study.config.response_scales
    items = {
        one.item: ItemKey(
            one.scale or "",
            one.key,
            scales[one.response_scale].points,
            scales[one.response_scale].favourable,
        )
        for one in study.items
    }
    tables = {path.stem: pd.read_parquet(path) for path in sorted((results / "released").glob("*.parquet"))}
    responses = pd.read_parquet(results / "pooled" / "responses.parquet")
    yield "the study", responses, items, tables, list(tables["response_rates"]["wave"])


if __name__ == "__main__":
    main()
