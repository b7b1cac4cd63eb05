"""Disclosure: an attacker against many small studies, what the release loses, and how long it takes.

    python benchmarks/disclosure.py [--studies 500] [--first 0] [--whole 20] [--results results]

Every study is invented (small organisations, professions that only one of them has, lopsided items; see
`tests/attacker.py`). The attacker has all released tables. With --results, the release of the statistics there is
timed as well. What is lost is compared with what is lost by withholding whole rows: every row of a table of responses,
or of a variable, that has a small count, and another one where only one of its table is withheld.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from attacker import breaches, small_study
from surveywaves.disclosure import ItemKey, Publication, Rule, release
from surveywaves.study import load_study
from surveywaves.study.models import Study

THRESHOLD = 5
SHOWN = {
    "item_frequencies": ["n", "percent"],
    "item_summary": ["base", "mean", "sd", "favourable_n", "favourable_percent"],
    "respondents": ["n", "percent", "base"],
}
"""The numbers that are lost or not: a base once a row (it stands beside every response)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--whole", type=int, default=20, help="studies attacked in whole numbers as well")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    if options.results:
        shipped(options.results)
    attacked = recovered = narrowed = lost = lost_in_rows = 0
    for seed in range(options.first, options.first + options.studies):
        tables, instrument = small_study(seed)
        out = release(tables, instrument=instrument, rule=Rule(threshold=THRESHOLD))
        number, found = breaches(tables, out.tables, threshold=THRESHOLD)
        if seed < options.first + options.whole:
            found += breaches(tables, out.tables, threshold=THRESHOLD, whole=True)[1]
        attacked, narrowed = attacked + number, narrowed + len(found)
        recovered += sum(one.high - one.low < 1 for one in found)
        for one in found:
            print(f"study {seed}: {one}", flush=True)
        ours, rows = losses(tables, out.tables)
        lost, lost_in_rows = lost + ours, lost_in_rows + rows
    print(
        f"{options.studies} studies, {attacked:,} small counts attacked: {recovered} recovered, "
        f"{narrowed} narrowed below the protection interval"
    )
    print(f"numbers lost: {lost:,}; by whole rows {lost_in_rows:,}; ratio {lost / max(lost_in_rows, 1):.2f}")


def shipped(results: Path) -> None:
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
    )
    print(f"the study: {time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.1f} s of CPU")
    print(out.sentence)
    ours, rows = losses(tables, out.tables)
    print(f"numbers lost: {ours:,}; by whole rows {rows:,}; ratio {ours / max(rows, 1):.2f}", flush=True)


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


def losses(before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]) -> tuple[int, int]:
    """Count the numbers that the release loses, and those that withholding whole rows would."""
    ours = rows = 0
    hidden = _whole_rows(before["item_frequencies"], "item") | _whole_rows(before["respondents"], "variable")
    for name, columns in SHOWN.items():
        table, subject = before[name], "variable" if name == "respondents" else "item"
        for column in columns:
            there = table[column].notna()
            if column == "base" and name == "respondents":
                # One for the levels and one for `not_stated`.
                there &= ~table.duplicated(["wave", "organisation", subject, "base"])
            ours += int((there & after[name][column].isna()).sum())
            places = zip(table["wave"], table["organisation"], table[subject], strict=True)
            rows += int((there & pd.Series([place in hidden for place in places], index=table.index)).sum())
    return ours, rows


def _whole_rows(table: pd.DataFrame, subject: str) -> set[tuple[str, str, str]]:
    hidden: set[tuple[str, str, str]] = set()
    for (wave, what), own in table.groupby(["wave", subject], sort=False):
        small = own["n"].between(1, THRESHOLD - 1)
        if subject == "item":
            small |= (own["n"] > 0) & (own["base"] - own["n"] < THRESHOLD)
        rows = [str(one) for one in own.loc[small, "organisation"].unique()]
        others = [str(one) for one in own["organisation"].unique() if one not in rows]
        if len(rows) == 1 and others:
            # The other rows would give it back: the one with the fewest people goes as well.
            rows.append(min(others, key=lambda one: int(own.loc[own["organisation"] == one, "n"].sum())))
        hidden |= {(str(wave), one, str(what)) for one in rows}
    return hidden


if __name__ == "__main__":
    main()
