"""What is made to take a program's time and memory gets one line within 5 seconds and 500 MB; what is large is read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bad_inputs.writers import xlsx
from conftest import REPOSITORY

SECONDS = 5
MEGABYTES = 500

READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[1]), int(sys.argv[1])))
from pathlib import Path
from surveywaves.errors import SurveywavesError
try:
    if sys.argv[2].endswith("config"):
        from surveywaves.study import load_study
        load_study(Path(sys.argv[2]))
    else:
        from bad_inputs import read_one
        found = read_one(Path(sys.argv[2]), format="table")
        print("taken:", len(found.cells))
except SurveywavesError as error:
    print(error)
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) // 1000)  # of this process alone, not of what it was forked from
"""


def bounded(path: Path, seconds: int = SECONDS) -> tuple[list[str], int]:
    """Read a file in a process of its own: what it says, and the most memory that it took, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(seconds), str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY / 'workflow'}:{REPOSITORY / 'tests'}"},
    )
    assert done.returncode == 0, f"stopped by signal or traceback: {done.returncode} {done.stderr[-2000:]}"
    *said, memory = done.stdout.splitlines()
    return said, int(memory)


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def with_parts(path: Path, **parts: bytes) -> None:
    """Write a workbook and put other parts into the place of its own."""
    xlsx([["id", "q1"], [1, 2]])(path)
    with zipfile.ZipFile(path) as archive:
        own = {name: archive.read(name) for name in archive.namelist()}
    own |= {f"xl/{name.replace('__', '/')}.xml": content for name, content in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in own.items():
            archive.writestr(name, content)


def cells(*places: tuple[int, str]) -> bytes:
    return SHEET.format(
        "".join(f'<row r="{row}"><c r="{name}"><v>1</v></c></row>' for row, name in places)
    ).encode()


def far(path: Path, *places: tuple[int, str]) -> None:
    with_parts(path, worksheets__sheet1=cells((1, "A1"), (2, "A2"), *places))


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">%s]><worksheet>&z;</worksheet>' % b"".join(
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in range(ord("b"), ord("z") + 1)
)


def repeated(path: Path) -> None:
    """One text of a megabyte in a million cells, in a file of a few kilobytes."""
    words = pa.DictionaryArray.from_arrays(np.zeros(1_000_000, dtype=np.int32), ["x" * 1_000_000])
    pq.write_table(pa.table({"q": words}), path, compression="zstd")


def blank(path: Path) -> None:
    pq.write_table(pa.table({"q": pa.nulls(100_000_000, pa.int8())}), path, compression="zstd")


HOSTILE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a cell in the last corner": (
        "a.xlsx",
        lambda path: far(path, (1048576, "XFD1048576")),
        "far from all others: XFD1048576",
    ),
    "a cell far to the right": ("a.xlsx", lambda path: far(path, (3, "XFD3")), "far from all others: XFD3"),
    "a cell far below": (
        "a.xlsx",
        lambda path: far(path, (900000, "A900000")),
        "far from all others: A900000",
    ),
    "a sheet of nothing that unpacks to 300 MB": (
        "a.xlsx",
        lambda path: with_parts(path, worksheets__sheet1=SHEET.format(" " * 300_000_000).encode()),
        "unpacks to 300 MB",
    ),
    "twenty million words in 260 KB": (
        "a.xlsx",
        lambda path: with_parts(path, sharedStrings=b"<sst>" + b"<si><t/></si>" * 20_000_000 + b"</sst>"),
        "unpacks to 260 MB",
    ),
    "a billion laughs": ("a.xlsx", lambda path: with_parts(path, worksheets__sheet1=LAUGHS), "has a DOCTYPE"),
    "a million columns": (
        "a.csv",
        lambda path: path.write_text(
            ",".join(f"c{n}" for n in range(1_000_000)) + "\n" + "," * 999_999 + "1\n"
        ),
        "has 1,000,000 columns",
    ),
    "one line of 100 MB": (
        "a.csv",
        lambda path: path.write_bytes(b"id,q\n1," + b"x" * 100_000_000 + b"\n"),
        "characters",
    ),
    "a quote that swallows 100 MB": (
        "a.csv",
        lambda path: path.write_bytes(b'id,q\n1,"' + b"x,y\n" * 25_000_000),
        "never ends|characters",
    ),
    "nothing but separators": ("a.csv", lambda path: path.write_bytes(b"," * 50_000_000), "columns|no rows"),
    "a text in a million cells": ("a.parquet", repeated, "come to 1,000 GB"),
    "rows of nothing": ("a.parquet", blank, "announces 100,000,000 rows"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_gets_its_line_in_time(kind: str, tmp_path: Path) -> None:
    name, write, says = HOSTILE[kind]
    write(tmp_path / name)
    said, memory = bounded(tmp_path / name)
    assert len(said) == 1 and re.search(says, said[0]), said
    assert len(said[0]) < 400
    assert memory < MEGABYTES


ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(letter)}: &{chr(letter)} [{', '.join([f'*{chr(letter - 1)}'] * 9)}]\n" for letter in range(98, 110)
)

CONFIGURATIONS = {
    "aliases of aliases": (ALIASES, "more than 100,000 values"),
    "a value that holds itself": ("a: &a [*a]\n", "more than 100,000 values"),
    "lists in lists": ("a: " + "[" * 100_000, "nested more than 30 deep"),
    "maps in maps": ("".join(" " * n + "a:\n" for n in range(1_000)), "nested more than 30 deep"),
    "data": ("a: x\n" * 1_000_000, "are these data?"),
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_hostile_configuration_gets_its_line_in_time(kind: str, tmp_path: Path) -> None:
    content, says = CONFIGURATIONS[kind]
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    (tmp_path / "config/config.yaml").write_text(content, encoding="utf-8")
    said, memory = bounded(tmp_path / "config")
    assert len(said) == 1 and says in said[0], said
    assert memory < MEGABYTES


def test_what_is_large_or_wide_or_has_gaps_is_read(tmp_path: Path) -> None:
    """Gaps between rows, a formatted column down to the last row, and a hundred thousand rows."""
    far(tmp_path / "gaps.xlsx", (800, "A800"), (9000, "A9000"))
    formatted = cells((1, "A1"), (2, "A2")).replace(
        b"</sheetData>",
        b"".join(b'<row r="%d"><c r="B%d" s="0"/></row>' % (n, n) for n in range(3, 200_000))
        + b"</sheetData>",
    )
    with_parts(tmp_path / "formatted.xlsx", worksheets__sheet1=formatted)
    rows = b"".join(b"%d,%d,%d\n" % (n, n % 5 + 1, n % 4 + 1) for n in range(100_000))
    (tmp_path / "rows.csv").write_bytes(b"id,q1,q2\n" + rows)
    for name, kept in (("gaps.xlsx", 3), ("formatted.xlsx", 1), ("rows.csv", 100_000)):
        said, memory = bounded(tmp_path / name, seconds=30)
        assert said == [f"taken: {kept}"]
        assert memory < MEGABYTES
