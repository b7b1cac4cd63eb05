"""Reading and writing files: whole or not at all, the same bytes every time, and no formula that a spreadsheet runs."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from surveywaves.terms import OWNER_ONLY

if TYPE_CHECKING:
    # Imported where tables are read: a workflow with nothing to do takes digests only.
    import pandas as pd

FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
"""How a text begins that a spreadsheet may run."""

_BOM: Final = "\ufeff"
"""Without it, spreadsheets take UTF-8 for something else."""


def read(path: str) -> pd.DataFrame:
    """Read a table that an earlier stage wrote; TSV and CSV come as text, blank cells as ""."""
    import pandas as pd  # noqa: PLC0415

    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t" if path.endswith(".tsv") else ",", dtype="str", keep_default_na=False)


def write(frame: pd.DataFrame, path: str, *, private: bool = False) -> None:
    """Write a table as Parquet, TSV or CSV, as the name says: the same bytes for the same table.

    CSV is for spreadsheets, too: its heads and texts are `harmless`, numbers are as they are.
    """
    with whole(path, private=private) as temporary:
        if path.endswith(".parquet"):
            frame.to_parquet(temporary, index=False, compression="zstd")
        elif path.endswith(".tsv"):
            frame.to_csv(temporary, sep="\t", index=False, lineterminator="\n")
        else:
            safe = frame.rename(columns=harmless)
            for name in safe.select_dtypes(["object", "str", "category"]):
                safe[name] = safe[name].map(harmless)
            safe.to_csv(temporary, index=False, lineterminator="\n")


def write_text(text: str, path: str, *, private: bool = False) -> None:
    """Write a text file in UTF-8."""
    write_bytes(text.encode("utf-8"), path, private=private)


def write_bytes(content: bytes | Iterable[bytes], path: str, *, private: bool = False) -> None:
    """Write a file, at once or piece by piece."""
    with whole(path, private=private) as temporary, temporary.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)


@contextmanager
def whole(path: str, *, private: bool = False) -> Iterator[Path]:
    """Yield a temporary name beside a path; it is renamed to the path only once all went well and lies on the disk.

    What is private has mode 0600: at no moment can anybody but its owner read it, or a part of it under its name.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        if private:
            temporary.unlink(missing_ok=True)
            temporary.touch(mode=OWNER_ONLY, exist_ok=False)
            temporary.chmod(OWNER_ONLY)
        yield temporary
        flush(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk: after a power cut they are still there."""
    if os.name == "nt":
        # Windows flushes no folder, and no file that is open for reading only.
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file)
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def flush_all(folder: Path) -> None:
    """Have a folder written to the disk with all that lies in it."""
    for path in (*folder.rglob("*"), folder):
        flush(path)


def closed(folder: Path) -> str:
    """Return in a clause why nothing can be written into a folder, which need not exist; "" if it can."""
    if folder.is_dir():
        return "" if os.access(folder, os.W_OK | os.X_OK) else "nothing can be written into it"
    if folder.is_symlink():
        return "a link to what is no folder"
    return "a file lies where a folder belongs" if folder.exists() else ""


def digest(path: Path) -> str:
    """Return a file's SHA-256; a folder's is that of the names and sums of its files."""
    if path.is_dir():
        names = (f"{digest(file)}  {file.relative_to(path).as_posix()}\n" for file in files_under(path))
        return hashlib.sha256("".join(names).encode()).hexdigest()
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def files_under(path: Path) -> list[Path]:
    """List the files of a folder, or the one file that a path is."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that begins as a formula does (OWASP, CSV injection); numbers stay numbers.

    A sign alone is no formula, and neither is a number in a text.
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


_NUMBER: Final = re.compile(r"[+-](\d+([.,]\d+)?)?")
"""What is a number with a sign, or a sign."""


def csv_lines(frame: pd.DataFrame, text: Callable[[str], str]) -> str:
    """Write a frame as CSV that a spreadsheet opens as UTF-8: numbers in full, what is missing empty.

    Parameters
    ----------
    frame
        Any columns.
    text
        What becomes of each head and text cell; it is to be `harmless` in the end.
    """
    from pandas import NA  # noqa: PLC0415

    known: dict[str, str] = {}

    def safe(value: Any) -> Any:
        if isinstance(value, str):
            return known[value] if value in known else known.setdefault(value, text(value))
        # What differs from itself is NaN; `isna` for each cell would take longer than all the rest.
        return "" if value is None or value is NA or value != value else harmless(value)  # noqa: PLR0124

    with io.StringIO(newline="") as buffer:
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(safe(str(name)) for name in frame.columns)
        # By columns, because pandas takes long to make tuples of rows.
        columns = ([safe(value) for value in column.tolist()] for _, column in frame.items())
        writer.writerows(zip(*columns, strict=True))
        return _BOM + buffer.getvalue()


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV: UTF-8 as spreadsheets take it, numbers in full, no text that they would run.

    Heads and text cells that begin as a formula does get an apostrophe in front (OWASP, CSV injection); numbers stay
    numbers, negative ones too.
    """
    return csv_lines(frame, lambda text: str(harmless(text.replace("\x00", ""))))


_ZIPPED: Final = (1980, 1, 1, 0, 0, 0)
"""Date of every part of a document that is a zip."""


def undated_zip(content: bytes) -> bytes:
    """Write the parts of a zip, as a document of an office program is, anew: without the time of day that each has."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return zipped({name: old.read(name) for name in old.namelist()})


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """Write a zip of parts by their names, in their order: the same bytes for the same parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in parts.items():
            about = zipfile.ZipInfo(name, _ZIPPED)
            about.compress_type, about.create_system = zipfile.ZIP_DEFLATED, 3
            about.external_attr = 0o600 << 16
            archive.writestr(about, part)
    return buffer.getvalue()


_SAV_CREATED: Final = slice(92, 109)
"""Creation date and time in the header of a .sav file, 9 and 8 letters."""
_SAV_LONG_AGO: Final = b"01 Jan 7000:00:00"


def undated_sav(content: bytes) -> bytes:
    """Put a fixed date into an SPSS file.

    Raises
    ------
    ValueError
        If it is not one.
    """
    if not content.startswith(b"$FL"):
        raise ValueError("not an SPSS file")
    return content[: _SAV_CREATED.start] + _SAV_LONG_AGO + content[_SAV_CREATED.stop :]
