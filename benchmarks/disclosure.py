"""Disclosure: an attacker against many small studies, what the release loses, and how long it takes.

    python benchmarks/disclosure.py [--studies 500] [--first 0] [--whole 20] [--results results]

Every study is invented (small organisations, professions that only one of them has, lopsided items; see
`tests/attacker.py`). The attacker has all released tables. With --results, the release of the statistics there is
timed as well. What is lost is compared with what is lost by withholding whole rows, which is what people do by hand:
every row (an item, wave and organisation with all responses; a variable and organisation; an item's reasons) that has
a count to protect, and the fewest rows besides that protect it as well as the release does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from attacker import breaches, primary_only, small_study
from surveywaves.disclosure import ItemKey, Publication, Rule, release
from surveywaves.disclosure.account import in_print
from surveywaves.disclosure.linked import link
from surveywaves.disclosure.suppress import goals_of, solver
from surveywaves.disclosure.system import NEVER, TOTAL, BoolArray, Builder, bounds, reach
from surveywaves.study import load_study
from surveywaves.study.models import Study

THRESHOLD = 5
TRIED = 7
"""Rows that may be withheld besides, up to which every choice is tried."""

LOSSES = ["counts withheld", "information (bits)", "cost by the rule"]
"""Counts; how many values each can have, as far as its system tells, in bits; what the rule says that it costs."""

WAYS = ["release", "whole rows", "whole rows with their base"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--whole", type=int, default=20, help="studies attacked in whole numbers as well")
    parser.add_argument(
        "--alone", type=int, default=50, help="studies attacked without complementary suppression"
    )
    parser.add_argument("--cores", type=int, default=1, help="of the release that is timed")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    if options.results:
        shipped(options.results, options.cores)
    attacked = recovered = exact = alone = 0
    lost = pd.DataFrame(0.0, index=LOSSES, columns=WAYS)
    start = time.process_time()
    for seed in range(options.first, options.first + options.studies):
        tables, instrument = small_study(seed)
        out = release(tables, instrument=instrument, rule=Rule(threshold=THRESHOLD))
        number, found = breaches(tables, out.tables, threshold=THRESHOLD)
        if seed < options.first + options.whole:
            found += breaches(tables, out.tables, threshold=THRESHOLD, whole=True)[1]
        attacked, recovered = attacked + number, recovered + len(found)
        exact += sum(one.high - one.low < 1 for one in found)
        for one in found:
            print(f"study {seed}: {one}", flush=True)
        if seed < options.first + options.alone:
            alone += len(breaches(tables, primary_only(tables), threshold=THRESHOLD)[1]) / number
        lost += losses(tables, instrument)
    print(
        f"{options.studies} studies, {time.process_time() - start:.0f} s of CPU: {attacked:,} counts attacked"
    )
    print(f"recovered (told more closely than the rule allows): {recovered}, of these to the number: {exact}")
    if options.alone:
        print(
            f"of small counts withheld by themselves: {alone / options.alone:.0%}, mean of {options.alone} studies"
        )
    print(compared(lost))


def compared(lost: pd.DataFrame) -> str:
    """Lay out what is lost, and the share of what whole rows lose."""
    for way in WAYS[1:]:
        lost[f"of {way}"] = (lost["release"] / lost[way]).round(2)
    return lost.round(dict.fromkeys(WAYS, 0)).to_string()


def shipped(results: Path, cores: int) -> None:
    """Release the statistics that are there."""
    study = load_study(Path("config"))
    paths = [*(results / "statistics").glob("*.parquet"), *(results / "audit").glob("*.parquet")]
    tables = {path.stem: pd.read_parquet(path) for path in sorted(paths)}
    start, cpu = time.perf_counter(), time.process_time()
    out = release(
        tables,
        instrument=instrument_of(study),
        rule=Rule(threshold=THRESHOLD),
        publication=publication_of(study),
        cores=cores,
    )
    print(f"the study: {time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.1f} s of CPU")
    print(out.sentence)
    print(compared(losses(tables, instrument_of(study), publication_of(study))), flush=True)


def instrument_of(study: Study) -> dict[str, ItemKey]:
    scales = study.config.response_scales
    return {
        item.item: ItemKey(
            item.scale or "",
            item.key,
            scales[item.response_scale].points,
            scales[item.response_scale].favourable,
        )
        for item in study.items
    }


def publication_of(study: Study) -> Publication | None:
    if (published := study.config.published) is None:
        return None
    known = {name: dict(variable.levels) for name, variable in study.config.variables.items()}
    known["organisation"] = dict(study.config.organisations)
    return Publication(
        published.wave,
        {
            (str(item.published_table), str(item.published_row)): item.item
            for item in study.items
            if item.published_table is not None
        },
        list(published.categories),
        {name: {label: level for level, label in known[name].items()} for name in published.single_choice},
    )


def losses(
    tables: Mapping[str, pd.DataFrame],
    instrument: Mapping[str, ItemKey],
    publication: Publication | None = None,
) -> pd.DataFrame:
    """Say what is lost by the release and by withholding whole rows.

    Returns
    -------
    DataFrame
        Rows `LOSSES`, columns `WAYS`.
    """
    public = in_print(tables["published_tables"], publication) if publication else frozenset()
    with solver(cores=1, rounding=False) as solve:
        linked = link(
            tables,
            instrument=instrument,
            rule=Rule(threshold=THRESHOLD),
            parts=(),
            public=public,
            solve=solve,
        )
    lost = pd.DataFrame(0.0, index=LOSSES, columns=WAYS)
    for part in (linked.people, linked.answers, linked.reasons):
        for key, builder in part.counts.items():
            own = _Rows(builder, np.array(list(part.marks[key].values())))
            for way, marks in zip(WAYS, own.ways(), strict=True):
                lost[way] += own.loss(marks)
    return lost


class _Rows:
    """A system whose counts stand in rows: the answers of an organisation to an item, a variable's levels, reasons."""

    def __init__(self, builder: Builder, ours: BoolArray) -> None:
        self.system, self.ours = builder.system(), ours
        self.public = self.system.cost == NEVER
        self.rows: dict[Hashable, list[int]] = defaultdict(list)
        self.bases: dict[Hashable, int] = {}
        for name, cell in builder.counts.items():
            match name:
                case ("n", str(organisation), int()) | ("favourable", str(organisation)):
                    self.rows[organisation].append(cell)
                case ("base", str(organisation)):
                    self.bases[organisation] = cell
                case ("n", str(variable), str(organisation), str()):
                    self.rows[variable, organisation].append(cell)
                case str() if name != TOTAL:
                    self.rows["reasons"].append(cell)
        self.counted = np.zeros(len(ours), dtype=np.bool_)
        self.counted[[cell for cells in self.rows.values() for cell in cells]] = True

    def ways(self) -> tuple[BoolArray, BoolArray, BoolArray]:
        """Give what is withheld by the release, in whole rows, and in whole rows with the number that answered."""
        chosen = self._whole_rows()
        whole, blank = self._with(chosen), self._with(chosen)
        bases = [self.bases[row] for row in chosen if row in self.bases]
        blank[[cell for cell in bases if not self.public[cell]]] = True
        return self.ours, whole, blank

    def _whole_rows(self) -> tuple[Hashable, ...]:
        """Choose the fewest rows that protect as well: those with a small count, and others until nothing follows.

        With many rows not every choice is tried, but those with the fewest counts in front.
        """
        goals, needed = goals_of(self.system)
        if goals:
            needed = np.minimum(needed, reach(self.system, self.ours, goals).distance)
        must = [row for row, cells in self.rows.items() if self.system.withheld[cells].any()]
        rest = sorted(set(self.rows) - set(must), key=lambda row: (len(self.rows[row]), str(row)))
        further = (
            [one for size in range(len(rest) + 1) for one in combinations(rest, size)]
            if len(rest) <= TRIED
            else [tuple(rest[:size]) for size in range(len(rest) + 1)]
        )
        for more in sorted(further, key=lambda rows: sum(len(self.rows[row]) for row in rows)):
            chosen = (*must, *more)
            if not goals or (reach(self.system, self._with(chosen), goals).distance >= needed - 1e-6).all():
                return chosen
        raise RuntimeError("all rows withheld protect less than some counts")

    def _with(self, rows: Iterable[Hashable]) -> BoolArray:
        marks = self.system.withheld | (self.ours & ~self.counted)
        marks[[cell for row in rows for cell in self.rows[row] if not self.public[cell]]] = True
        return marks

    def loss(self, marks: BoolArray) -> list[float]:
        """Give `LOSSES`."""
        low, high = bounds(self.system, marks)
        besides = sum(cost for cells, cost in self.system.bundles if marks[cells].any())
        own = marks & self.counted
        bases = np.zeros_like(marks)
        bases[list(self.bases.values())] = True
        lost = marks & (self.counted | bases) & ~self.public
        return [own.sum(), np.log2(high - low + 1)[lost].sum(), self.system.cost[lost].sum() + besides]


if __name__ == "__main__":
    main()
