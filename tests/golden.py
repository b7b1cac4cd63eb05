"""Golden sums: what every table of a run holds, small enough to commit, and two runs beside each other.

    python tests/golden.py write                                # run the studies and write tests/golden/*.tsv anew
    python tests/golden.py write shipped=/path/to/results ...   # from results that are there
    python tests/golden.py compare DIR_A DIR_B [--tolerance 1e-9]

A table's text, whole numbers and gaps go into a digest. Numbers with a fraction do not: libraries and processors
differ in their last digits, and digits rounded flip at the edge. Their column has one sum over its rows,
sum of w(row) * asinh(x / 1e-6). Where x is above 1e-6, asinh is a logarithm: one cell that moves by 1e-6 of itself
moves the sum by as much, however large the others are; below, it is linear, and noise around zero stays noise.
The weights differ by row, so that an exchange of rows shows.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyreadstat
import yaml

from conftest import STUDIES, run_study

FloatArray = npt.NDArray[np.float64]
GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 1e-6
FRACTION = re.compile(r"-?\d+(\.\d+(e[+-]?\d+)?|e[+-]?\d+)")
HEAD = ["table", "rows", "columns", "digest", "sums"]


# --- reading --------------------------------------------------------------------------------------------------


def tables(results: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of a run, by its path; logs, documents and pictures are none."""
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results)
        # What `crosscheck` finds between two programs is the last digits of a processor; its verdicts are released.
        if name.as_posix() == "statistics/crosscheck.parquet":
            continue
        if name.parts[0] != "logs" and (read := READERS.get(path.suffix)):
            yield name.as_posix(), read(path)


def _delimited(path: Path) -> pd.DataFrame:
    """Read cells as text, and as numbers those that have a fraction."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        head, *rows = csv.reader(lines, delimiter="\t" if path.suffix == ".tsv" else ",")
    cells = [[float(cell) if FRACTION.fullmatch(cell) else cell for cell in row] for row in rows]
    return pd.DataFrame(cells, columns=head, dtype="object")


def _labelled(read: Callable[[Path], tuple[pd.DataFrame, object]]) -> Callable[[Path], pd.DataFrame]:
    """Read an SPSS or Stata file, which know no whole numbers; labels become part of the columns' names."""

    def frame_of(path: Path) -> pd.DataFrame:
        frame, meta = read(path)
        names = vars(meta)["column_names_to_labels"], vars(meta)["variable_value_labels"]
        return frame.convert_dtypes().rename(
            columns=lambda name: f"{name} {names[0].get(name)} {names[1].get(name)}"
        )

    return frame_of


def _text(path: Path) -> pd.DataFrame:
    return pd.DataFrame({"line": path.read_text(encoding="utf-8").splitlines()}, dtype="str")


def _yaml(path: Path) -> pd.DataFrame:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return pd.DataFrame({"line": json.dumps(content, indent=0, default=str).splitlines()}, dtype="str")


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".parquet": pd.read_parquet,
    ".csv": _delimited,
    ".tsv": _delimited,
    ".sav": _labelled(pyreadstat.read_sav),
    ".dta": _labelled(pyreadstat.read_dta),
    ".txt": _text,
    ".yaml": _yaml,
}


# --- golden sums ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sums:
    """What is kept of a table."""

    rows: int
    columns: int
    digest: str
    sums: dict[str, float]

    def differences(self, other: Sums) -> list[str]:
        """What of it another table does not share."""
        parts = [
            f"{name} {mine} -> {theirs}"
            for name, mine, theirs in (
                ("rows", self.rows, other.rows),
                ("columns", self.columns, other.columns),
            )
            if mine != theirs
        ]
        moved = [
            name
            for name in self.sums
            if name in other.sums and abs(self.sums[name] - other.sums[name]) > TOLERANCE
        ]
        if self.digest != other.digest or self.sums.keys() != other.sums.keys():
            parts.append("text, whole numbers, gaps or kinds of columns")
        return parts + ([f"numbers of {', '.join(moved)}"] if moved else [])


def sums_of(frame: pd.DataFrame) -> Sums:
    """Sum a table up."""
    digest = hashlib.sha256()
    sums = {}
    weights = 1 + (np.arange(1, len(frame) + 1) * (math.sqrt(5) - 1) / 2) % 1
    for place, name in enumerate(map(str, frame.columns)):
        kind, cells, numbers = _parts(frame.iloc[:, place])
        digest.update(json.dumps([name, kind, cells]).encode())
        known = np.isfinite(numbers)
        if known.any() or kind == "float":
            terms = weights[known] * np.arcsinh(numbers[known] / 1e-6)
            sums[name if name not in sums else f"{name} ({place})"] = round(math.fsum(terms), 7)
    return Sums(len(frame), frame.shape[1], digest.hexdigest()[:16], sums)


def _parts(column: pd.Series) -> tuple[str, list[str], FloatArray]:
    """Split a column into its kind, its cells in words, and its numbers with a fraction, NaN where there is none."""
    tests = {"boolean": pd.api.types.is_bool_dtype, "integer": pd.api.types.is_integer_dtype}
    tests["float"] = pd.api.types.is_float_dtype
    kind = next((kind for kind, test in tests.items() if test(column)), "text")
    values = column.tolist()
    numbers = np.array([value if isinstance(value, float) else np.nan for value in values], dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    known = np.isfinite(numbers)
    cells = [
        "a number" if number else "missing" if pd.isna(value) else f"={value}"
        for number, value in zip(known, values, strict=True)
    ]
    return kind, cells, numbers


def golden(results: Path) -> dict[str, Sums]:
    """Sum every table of a run up."""
    return {name: sums_of(frame) for name, frame in tables(results)}


def read(study: str) -> dict[str, Sums]:
    """Read what was committed of a study."""
    with (GOLDEN / f"{study}.tsv").open(encoding="utf-8", newline="") as lines:
        return {
            row["table"]: Sums(int(row["rows"]), int(row["columns"]), row["digest"], json.loads(row["sums"]))
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        }


def write(study: str, results: Path) -> None:
    """Write what is to be committed of a study."""
    lines = ["\t".join(HEAD)]
    for name, one in golden(results).items():
        cells = [name, one.rows, one.columns, one.digest, json.dumps(one.sums)]
        lines.append("\t".join(map(str, cells)))
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / f"{study}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


# --- two runs beside each other -------------------------------------------------------------------------------


def compare(one: Path, other: Path, tolerance: float) -> bool:
    """Print, table by table, how two runs differ; whether they agree."""
    first, second = dict(tables(one)), dict(tables(other))
    agree = first.keys() == second.keys()
    for name in sorted(first.keys() ^ second.keys()):
        print(f"{name}: only in {one if name in first else other}")
    for name in sorted(first.keys() & second.keys()):
        for said, fine in _deviations(first[name], second[name], tolerance):
            agree = agree and fine
            print(f"{name}: {said}")
    print("they agree" if agree else "they differ")
    return agree


def _deviations(one: pd.DataFrame, other: pd.DataFrame, tolerance: float) -> Iterator[tuple[str, bool]]:
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        lost = [str(name) for name in one.columns if name not in other.columns]
        new = [str(name) for name in other.columns if name not in one.columns]
        yield f"{one.shape} -> {other.shape}, columns gone {lost}, new {new}", False
        return
    for place, name in enumerate(one.columns):
        kinds, cells, numbers = zip(_parts(one.iloc[:, place]), _parts(other.iloc[:, place]), strict=True)
        words = [
            f"row {row}: {a[:80]!r} -> {b[:80]!r}"
            for row, (a, b) in enumerate(zip(*cells, strict=True))
            if a != b
        ]
        if words or len(set(kinds)) > 1:
            yield f"{name}: {' -> '.join(kinds)}, {len(words)} cells differ: {'; '.join(words[:3])}", False
        x, y = numbers
        differ = (x != y) & np.isfinite(x) & np.isfinite(y)
        if differ.any():
            gap = np.abs(x - y)[differ]
            relative = gap / np.maximum(np.abs(x), np.abs(y))[differ]
            largest = f"at most {gap.max():.2g} apart, {relative.max():.2g} relatively"
            fine = bool(np.all((gap <= tolerance) | (relative <= tolerance)))
            yield f"{name}: {differ.sum()} of {len(x)} numbers differ, {largest}", fine


def main() -> int:
    """Write golden sums, or compare two runs."""
    parser = argparse.ArgumentParser(description="Golden sums of every table of a run.")
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write", help="run the studies and write tests/golden/*.tsv anew")
    writing.add_argument("given", nargs="*", metavar="STUDY=RESULTS", help="results that are there already")
    comparing = commands.add_parser("compare", help="two results folders, table by table")
    comparing.add_argument("one", type=Path)
    comparing.add_argument("other", type=Path)
    comparing.add_argument("--tolerance", type=float, default=1e-9, help="absolute or relative")
    options = parser.parse_args()
    if options.command == "compare":
        return 0 if compare(options.one, options.other, options.tolerance) else 1
    given = dict(pair.split("=", 1) for pair in options.given)
    with tempfile.TemporaryDirectory() as home:
        for study in given or STUDIES:
            write(study, Path(given[study]) if given else run_study(study, Path(home) / study) / "results")
    return 0


if __name__ == "__main__":
    sys.exit(main())
