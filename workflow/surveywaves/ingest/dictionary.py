"""A look through the dictionary of an SPSS file before ReadStat opens it.

ReadStat (1.1.9) takes a file at its word: value labels for a variable that is not there end the process, and no Python
code hears of it. So the records before the data are walked through, and what they say of each other is compared.

The format is described in the PSPP developers' guide, "System File Format".
"""

from __future__ import annotations

from os import SEEK_END
from struct import unpack, unpack_from
from typing import BinaryIO, Final

from surveywaves.ingest.raw import Source

VARIABLE: Final = 2
LABELS: Final = 3
LABELLED: Final = 4
DOCUMENT: Final = 6
EXTENSION: Final = 7
END: Final = 999

_HEADER: Final = 176
_LAYOUT: Final = 64
"""Where the header says 2 or 3, in the byte order of the file."""
_CONTINUATION: Final = -1
_LINE: Final = 80


class _DamagedError(Exception):
    """The records do not go together."""


def check_dictionary(source: Source) -> None:
    """Walk through the records of an SPSS file.

    Raises
    ------
    RawFileError
        If they end too early, or label a variable that is not there.
    """
    with source.path.open("rb") as file:
        try:
            _Records(file).walk()
        except _DamagedError as error:
            raise source.error(
                f"is damaged, cut off or of an unknown version (dictionary: {error})",
                "download or copy it again",
            ) from error


class _Records:
    """The records of an SPSS file before its data."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.left = file.seek(0, SEEK_END)
        file.seek(0)
        header = self.read(_HEADER)
        found = [order for order in "<>" if unpack_from(f"{order}i", header, _LAYOUT)[0] in {2, 3}]
        if not found:
            raise _DamagedError("the header says nothing of the byte order")
        self.order = found[0]

    def walk(self) -> None:
        """Read all records, and compare what they say."""
        variables: list[bool] = []  # whether a place begins a variable
        labelled: list[int] = []
        while (kind := self.integer()) != END:
            if kind == VARIABLE:
                variables.append(self.variable() != _CONTINUATION)
            elif kind == LABELS:
                for _ in range(self.count()):
                    length = self.read(9)[8]
                    self.read(-(length + 1) % 8 + length)
            elif kind == LABELLED:
                labelled.extend(self.integers(self.count()))
            elif kind == DOCUMENT:
                self.read(_LINE * self.count())
            elif kind == EXTENSION:
                self.integer()
                self.read(self.count() * self.count())
            else:
                raise _DamagedError(f"a record of kind {kind}")
        for place in labelled:
            if not 1 <= place <= len(variables) or not variables[place - 1]:
                raise _DamagedError(f"labels for variable {place}, which is not there")

    def variable(self) -> int:
        """Read a variable and give its width: 0 for a number, -1 for the rest of a long text."""
        width, has_label, missing, _, _ = self.integers(5)
        self.read(8)
        if has_label:
            length = self.count()
            self.read(length + -length % 4)
        self.read(8 * abs(missing))
        return width

    def count(self) -> int:
        """Read a number of things."""
        count = self.integer()
        if count < 0:
            raise _DamagedError("a negative number of entries")
        return count

    def integer(self) -> int:
        """Read one integer."""
        return self.integers(1)[0]

    def integers(self, count: int) -> tuple[int, ...]:
        """Read integers."""
        return unpack(f"{self.order}{count}i", self.read(4 * count))

    def read(self, size: int) -> bytes:
        """Read bytes that must be there."""
        self.left -= size
        if self.left < 0:
            raise _DamagedError("it ends before its end")
        return self.file.read(size)
