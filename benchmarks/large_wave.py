"""One large wave through ingest, harmonise and pool: time and peak memory, from Parquet and from CSV.

    python benchmarks/large_wave.py [--respondents 10000 100000 1000000] [--items 61]

Every case runs in a process of its own, so that the peak is its own. Making the file is not counted.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from surveywaves.harmonise import harmonise
from surveywaves.ingest import ingest
from surveywaves.pool import pool
from surveywaves.study.models import Coding, CrosswalkRow, Layout, RawFile, VariableSource
from surveywaves.study.parts import HarmonisingPart, ReadingPart
from surveywaves.terms import Evidence

WAVE, LAYOUT = "large", "flat"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--respondents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--items", type=int, default=61)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        run(Path(options.case), options.items)
        return
    print(
        f"{'file':10}{'rows':>10}{'ingest':>9}{'harmonise':>11}{'pool':>7}{'all':>8}  seconds{'peak':>9} GB",
        flush=True,
    )
    for rows in options.respondents:
        with tempfile.TemporaryDirectory() as folder:
            for path in write(Path(folder), rows, options.items):
                print(f"{path.suffix[1:]:10}{rows:10,}", end="", flush=True)
                command = [sys.executable, __file__, "--case", str(path), "--items", str(options.items)]
                subprocess.run(command, check=True)


def write(folder: Path, rows: int, items: int) -> list[Path]:
    """Write the same answers (1 to 5, one in a hundred blank) as Parquet and as CSV."""
    rng = np.random.default_rng(1)
    columns = {"id": pa.array(np.arange(rows)), "employer": pa.array(rng.choice(["A", "B"], rows))}
    for number in range(items):
        answers = rng.integers(1, 6, rows, dtype=np.int8)
        columns[f"q{number}"] = pa.array(answers, mask=rng.random(rows) < 0.01)
    table = pa.table(columns)
    pyarrow.parquet.write_table(table, folder / "wave.parquet")
    pyarrow.csv.write_csv(table, folder / "wave.csv")
    return [folder / "wave.parquet", folder / "wave.csv"]


def run(path: Path, items: int) -> None:
    layout = Layout(format="table", respondent="id", coding="codes")
    reading = ReadingPart(
        wave=WAVE, files=(RawFile(path=path.name, layout=LAYOUT),), layouts={LAYOUT: layout}
    )
    part = HarmonisingPart(
        wave=WAVE,
        evidence=Evidence.SIMULATED,
        layouts={LAYOUT: layout},
        codings={"codes": Coding(response_scale="five", values={str(value): value for value in range(1, 6)})},
        crosswalk=tuple(
            CrosswalkRow(item=f"item_{number}", columns={LAYOUT: f"q{number}"}, comparability="identical")
            for number in range(items)
        ),
        organisation=VariableSource(columns={LAYOUT: "employer"}, map={"A": "a", "B": "b"}),
        variables={},
        known_variables=(),
        items={f"item_{number}": "five" for number in range(items)},
    )
    times = [time.perf_counter()]
    cells = ingest(reading, root=path.parent).cells
    times.append(time.perf_counter())
    harmonised = harmonise(cells, part=part)
    del cells
    times.append(time.perf_counter())
    pooled = pool([harmonised.responses], [harmonised.missing])
    times.append(time.perf_counter())
    assert pooled.responses["item_0"].between(1, 5).sum() > 0.98 * len(pooled.responses)
    ingested, brought, together = np.diff(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{ingested:9.1f}{brought:11.1f}{together:7.1f}{times[-1] - times[0]:8.1f}         {peak:9.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
