"""Whatever cells are written come back, and text that the fast way reads reads the same the slow way."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bad_inputs import listed, raw, read_one
from surveywaves.errors import RawFileError, SurveywavesError
from surveywaves.ingest import delimited
from surveywaves.ingest.delimited import Delimited
from surveywaves.ingest.guess import recognise_file
from surveywaves.ingest.raw import Source
from surveywaves.ingest.readers import read_raw
from surveywaves.study.models import Layout

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "mac_roman", "cp850"]

# Whatever an answer may hold: letters of any script, separators, quotes, line ends. Control characters and byte-order
# marks are taken out by ingest, and have their own tests.
CELL = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffd\ufeff"),
        st.sampled_from('",;\t\r\n '),
    ),
    max_size=12,
).filter(lambda cell: sum(map(str.isdigit, cell)) < 7)  # else it may be a telephone number, which is not read


@st.composite
def sheets(draw: st.DrawFn) -> list[list[str]]:
    """Draw rows of one length, of which none is blank."""
    width = draw(st.integers(1, 6))
    row = st.lists(CELL, min_size=width, max_size=width).filter(
        lambda cells: any(cell.strip() for cell in cells)
    )
    return draw(st.lists(row, min_size=1, max_size=8))


def as_read(cell: str) -> str | None:
    return cell.strip() or None


def names_of(rows: list[list[str]]) -> list[str]:
    return [f"q{place}" for place in range(len(rows[0]))]


def columns_of(rows: list[list[str]]) -> dict[str, list[str | None]]:
    return {
        name: [as_read(cell) for cell in cells]
        for name, cells in zip(names_of(rows), zip(*rows, strict=True), strict=True)
    }


def writable(rows: list[list[str]], encoding: str) -> bool:
    """Say whether an encoding has all letters, and whether its bytes can be told from UTF-8."""
    text = "".join(cell for row in rows for cell in row)
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        return False
    if encoding.startswith("utf") or data.isascii():
        return True
    if encoding == "latin-1" and any(0x80 <= byte < 0xA0 for byte in data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def quoted(cell: str, always: bool) -> str:
    """Quote a cell that needs it; Python's csv module leaves a lone CR unquoted where lines end with LF."""
    return '"' + cell.replace('"', '""') + '"' if always or set(cell) & set(',;\t"\r\n') else cell


@QUICK
@given(
    sheets(),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(",;\t"),
    st.booleans(),
)
def test_cells_written_as_text_come_back(
    rows: list[list[str]], encoding: str, end: str, sep: str, quote_all: bool
) -> None:
    if not writable(rows, encoding):
        encoding = "utf-8"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            if len(rows[0]) > 1 or sep == ",":
                file.write(f"sep={sep}\r\n")
            for row in (names_of(rows), *rows):
                file.write(sep.join(quoted(cell, quote_all) for cell in row) + end)
        declared = "utf-8-sig" if encoding.startswith("utf-8") else encoding
        found = read_one(path, encoding=declared)
    assert raw(found) == columns_of(rows)
    assert found.cells["row"].tolist() == list(range(2, len(rows) + 2))
    assert [problem for problem in listed(found) if not problem[3].startswith("cells are separated")] == []


@QUICK
@given(sheets())
def test_cells_written_as_parquet_and_spss_come_back(rows: list[list[str]]) -> None:
    cells = {name: list(column) for name, column in zip(names_of(rows), zip(*rows, strict=True), strict=True)}
    with TemporaryDirectory() as folder:
        pq.write_table(pa.table(cells), Path(folder) / "a.parquet")
        pyreadstat.write_sav(pd.DataFrame(cells), Path(folder) / "a.sav")
        assert raw(read_one(Path(folder) / "a.parquet")) == columns_of(rows)
        assert raw(read_one(Path(folder) / "a.sav", format="spss")) == columns_of(rows)


@QUICK
@given(st.lists(st.one_of(st.none(), st.floats(-1e300, 1e300)), min_size=1).filter(any))
def test_numbers_read_the_same_from_every_format_and_are_the_same_numbers(
    numbers: list[float | None],
) -> None:
    frame = pd.DataFrame(
        {"id": [float(place) for place in range(len(numbers))], "q1": numbers}, dtype="float64"
    )
    with TemporaryDirectory() as folder:
        frame.to_parquet(Path(folder) / "a.parquet")
        pyreadstat.write_sav(frame, Path(folder) / "a.sav")
        table = raw(read_one(Path(folder) / "a.parquet"))
        assert table == raw(read_one(Path(folder) / "a.sav", format="spss"))
    assert [None if cell is None else float(cell) for cell in table["q1"]] == numbers
    assert not any(cell.endswith(".0") for cell in table["q1"] if cell)


# --- one engine, held against the csv module -----------------------------------------------------------------


def by_csv_module(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


@settings(max_examples=500, deadline=None)
@given(st.text('a,b"\r\n', max_size=40), st.integers(1, 12), st.integers(1, 20))
def test_rows_and_cells_are_those_of_the_csv_module(text: str, window: int, piece: int) -> None:
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", window)
        patch.setattr(delimited, "PIECE", piece)
        try:
            found = delimited.find_records(data, ",")
        except delimited.StrayQuoteError as error:
            with pytest.raises(csv.Error):
                by_csv_module(data)
            assert error.row <= 1 + text.count("\n") + text.count("\r")
            return
        rows = by_csv_module(data)
        assert len(found) == len(rows)
        assert [not row for row in rows] == found.empty.tolist()
        filled = [row for row in rows if row]
        width = max((len(row) for row in filled), default=1)
        counts, cuts = found.cells(0, len(found), beyond=max(width - 1, 1))
        assert counts.tolist() == [len(row) for row in rows]
        assert sorted(cuts) == [at for at, row in enumerate(rows) if len(row) > max(width - 1, 1)]
        plain = delimited.parse_records(found, 0, len(found), width, delimited.Odd())
        odd = delimited.settle_odd(found, 0, width)
        columns = delimited.parse_records(found, 0, len(found), width, odd)
    assert (plain is None) == any(len(row) != width for row in filled)
    assert columns is not None
    kept = [row + [""] * (width - len(row)) for at, row in enumerate(rows) if row and at not in odd.gone]
    cells = [[cell or "" for cell in column.to_pylist()] for column in columns]
    assert cells == [list(column) for column in zip(*kept, strict=True)] or not kept


@settings(max_examples=200, deadline=None)
@given(st.text('a,b"\r\n \x00é', max_size=60))
def test_any_text_is_read_or_refused_and_every_row_is_accounted_for(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(b"id,q1,q2\n" + text.encode())
        try:
            found = read_one(path)
        except SurveywavesError as error:
            assert all("\n" not in str(mistake) for mistake in error.mistakes)
            return
    counts = found.counts.iloc[0]
    assert counts["rows_in"] == counts["rows_kept"] + counts["rows_set_aside"]
    assert counts["rows_set_aside"] == found.problems["action"].str.startswith("set aside").sum()
    rows = by_csv_module(b"id,q1,q2\n" + text.encode())[1:]
    while rows and not any(cell.strip("\x00 \xa0\r\n") for cell in rows[-1]):
        rows.pop()
    assert counts["rows_in"] >= len(rows)


PARTS = [
    *(
        "a",
        "1",
        ",",
        "\t",
        "|",
        ";",
        '"',
        "\n",
        "\r\n",
        "\r",
        " ",
        "é",
        "\x00",
        "\ufeff",
        '","',
        '""',
        "Agree",
        "Average",
    ),
    *(
        "id",
        "Status",
        "Survey Preview",
        "StartDate",
        "ResponseId",
        '{"ImportId":"x"}',
        "Timestamp",
        "RespondentID",
    ),
    *("Response", "keying", "A", "B", "2008-04-01", "1-Apr"),
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(PARTS), max_size=6), max_size=9),
    st.sampled_from(",\t|;"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
@example([["\x00"], ["a", "a"], ["a", "a", "a"]], ",", "\n", False)
def test_whatever_a_program_writes_is_recognised_and_read_or_refused(
    rows: list[list[str]], sep: str, end: str, packed: bool
) -> None:
    text = end.join(sep.join(row) for row in rows).encode()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(gzip.compress(text) if packed else text)
        try:
            layout = recognise_file(path, "a.txt", {}, like=(Layout(format="table", respondent="id"),))
            found = read_raw(Source("a.txt", path, layout))
        except RawFileError as error:
            assert all("\n" not in str(mistake) for mistake in error.mistakes)
        else:
            assert len(found.rows) + len(found.aside) == found.rows_in


def test_a_quoted_line_end_on_the_edge_of_a_block_keeps_both_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow issue 51368: pyarrow loses the LF of a quoted CRLF that falls between two blocks."""
    path = tmp_path / "a.csv"
    for width in range(40):
        path.write_bytes(b'id,q1\n1,"' + b"x" * width + b'\r\ny"\n2,z\n')
        for size in (16, 32):
            monkeypatch.setattr(delimited, "PIECE", size)
            assert raw(read_one(path))["q1"] == ["x" * width + "\r\ny", "z"] if width else True


def test_a_file_larger_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    rows = [
        [str(number), f"Agree {number % 5}", 'a "b", \r\nc' if number % 7 else ""] for number in range(30_000)
    ]
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "q1", "q2"], *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", 10_007)
        patch.setattr(delimited, "PIECE", 20_011)
        found = read_one(path)
    assert raw(found) == {
        name: [row[place] or None for row in rows] for place, name in enumerate(["id", "q1", "q2"])
    }
    assert found.cells["row"].tolist() == list(range(2, 30_002))
    source = Source("a.csv", path, Layout(format="table"))
    assert Delimited(source).problems == []
