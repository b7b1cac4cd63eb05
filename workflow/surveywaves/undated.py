"""SPSS files without the moment they were written at: the same bytes on every run."""

from __future__ import annotations

from typing import Final

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
