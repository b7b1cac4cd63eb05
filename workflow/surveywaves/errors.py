"""What a user's mistake is called: one line a mistake, saying where, what and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong."""

    where: str
    """The file, and where it is known the row, column or key in it."""
    what: str
    """What is wrong, in one clause."""
    hint: str = ""
    """What to do about it; empty where there is nothing to add."""
    logged: str = ""
    """What is wrong, for a log, where `what` or `hint` quotes a cell of a raw file: only the person who mends it may
    see that, on the screen."""

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}"
        return f"{line} (hint: {self.hint})" if self.hint else line

    @property
    def line(self) -> str:
        """The line without the text of any cell."""
        return f"{self.where}: {self.logged}" if self.logged else str(self)


class SurveywavesError(Exception):
    """A user's mistake, or several found together; `str()` gives one line for each."""

    def __init__(self, mistakes: Mistake | Iterable[Mistake]) -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, Mistake) else tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))

    @classmethod
    def at(cls, where: object, what: str, hint: str = "") -> Self:
        """Make an error of one mistake."""
        return cls(Mistake(str(where), what, hint))


class StudyError(SurveywavesError):
    """The configuration contradicts itself or is not understood."""


class RawFileError(SurveywavesError):
    """A raw file is missing, unreadable or not what the configuration says it is."""


class CrosswalkError(SurveywavesError):
    """A column, label or code of a raw file has no place in the crosswalk."""


class PublishedTableError(SurveywavesError):
    """A published table cannot be read, or cannot be settled and nobody has decided."""
