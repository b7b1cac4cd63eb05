"""The ledger of releases as a file of the study, beside the team's key."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from surveywaves.disclosure.ledger import LEDGER, Conflict, Ledger, People, conflicts, of_text, to_text
from surveywaves.errors import SurveywavesError
from surveywaves.files import read, write_bytes
from surveywaves.key import NAME, RESTORE, Key, make_key, read_key
from surveywaves.study.models import Disclosure

RESPONSES: Final = "results/pooled/responses.parquet"
MISSING: Final = "results/pooled/missing.parquet"


def read_ledger(folder: Path) -> tuple[Ledger, Key] | None:
    """Read the ledger of a study, and the key that it was made with; None: it has neither yet.

    Raises
    ------
    SurveywavesError
        If one of the two is gone, or one is not as it was written.
    """
    key, path = read_key(folder), folder / LEDGER
    if not path.exists():
        if key is None:
            return None
        raise SurveywavesError.at(
            LEDGER, "gone, though the key is there: nobody knows what earlier releases showed", RESTORE
        )
    if key is None:
        raise SurveywavesError.at(
            NAME, f"gone, though {LEDGER} is there: nobody can read what it says", RESTORE
        )
    try:
        return of_text(path.read_text(encoding="utf-8"), key), key
    except (OSError, UnicodeDecodeError):
        raise SurveywavesError.at(LEDGER, "cannot be read", RESTORE) from None


def begin_ledger(folder: Path) -> tuple[Ledger, Key]:
    """Make a key, and a ledger of nothing, for a study that has neither."""
    key = make_key(folder)
    write_ledger(Ledger(), key, folder)
    return Ledger(), key


def write_ledger(ledger: Ledger, key: Key, folder: Path) -> None:
    """Write the ledger of a study, for its owner only."""
    write_bytes(to_text(ledger, key).encode(), str(folder / LEDGER), private=True)


def people_of(folder: Path, key: Key) -> People:
    """Read the respondents of a study's results.

    Raises
    ------
    SurveywavesError
        If there are none yet.
    """
    if absent := [name for name in (RESPONSES, MISSING) if not (folder / name).is_file()]:
        raise SurveywavesError.at(absent[0], "no such file", "run snakemake")
    return People(read(str(folder / RESPONSES)), read(str(folder / MISSING)), key)


def against(folder: Path, rule: Disclosure) -> list[Conflict]:
    """List what of earlier releases the results of a study cannot stand beside.

    Parameters
    ----------
    folder
        The working folder.
    rule
        The rule that they are released under.
    """
    found = read_ledger(folder)
    if found is None or not found[0].entries:
        return []
    ledger, key = found
    return list(conflicts(ledger, rule, people_of(folder, key), key))


def require_apart(folder: Path, rule: Disclosure) -> None:
    """Raise a `SurveywavesError` that names each wave of an earlier release that the results cannot stand beside."""
    if found := against(folder, rule):
        raise SurveywavesError(one.mistake() for one in found)
