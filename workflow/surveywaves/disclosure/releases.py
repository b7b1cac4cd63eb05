"""The ledger of releases as a file of the study, beside the team's key; and pins that are not in the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pandas as pd
import yaml

from surveywaves.disclosure.ledger import (
    LEDGER,
    Conflict,
    Ledger,
    People,
    conflicts,
    entry_name,
    of_text,
    to_text,
    told,
)
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import read, write_bytes
from surveywaves.key import NAME, RESTORE, Key, make_key, read_key
from surveywaves.study.models import Disclosure
from surveywaves.terms import ALL, ITEM_FREQUENCIES, MISSING, ORGANISATION, RESPONDENTS

RESPONSES: Final = "results/pooled/responses.parquet"
WHY_MISSING: Final = "results/pooled/missing.parquet"
PINS: Final = "results/pins"

TOTALS: Final = {
    ITEM_FREQUENCIES: ["wave", "item", "response"],
    RESPONDENTS: ["wave", "variable", "level"],
    MISSING: ["wave", "item", "reason"],
    "themes": ["stage", "theme"],
}
"""Tables with exact counts of all respondents of a wave -> the columns that identify these counts."""


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
    if absent := [name for name in (RESPONSES, WHY_MISSING) if not (folder / name).is_file()]:
        raise SurveywavesError.at(absent[0], "no such file", "run snakemake")
    return People(read(str(folder / RESPONSES)), read(str(folder / WHY_MISSING)), key)


def against(
    folder: Path, rule: Disclosure, people: Callable[[Path, Key], People] = people_of
) -> list[Conflict]:
    """List what of earlier releases the results of a study cannot stand beside.

    Parameters
    ----------
    folder
        The working folder.
    rule
        The rule that they are released under.
    people
        Finds whom they are of.
    """
    found = read_ledger(folder)
    if found is None or not found[0].entries:
        return []
    ledger, key = found
    return list(conflicts(ledger, rule, people(folder, key), key))


def require_apart(folder: Path, rule: Disclosure, people: Callable[[Path, Key], People] = people_of) -> None:
    """Raise a `SurveywavesError` that names each wave of an earlier release that the results cannot stand beside."""
    if found := against(folder, rule, people):
        raise SurveywavesError(one.mistake() for one in found)


def require_like_pins(folder: Path, rule: Disclosure, tables: Mapping[str, pd.DataFrame]) -> None:
    """Compare a release with the pins that are not in the ledger: in another clone, with all of them.

    There is no way to tell by how many people the two differ. But the totals that a pin shows of a wave are exact: a
    release of the same people has the same totals.

    Parameters
    ----------
    folder
        The working folder.
    rule, tables
        The rule, and those of `TOTALS` that are to be released.

    Raises
    ------
    SurveywavesError
        If a pin was made under another rule, or shows other totals of a wave.
    """
    ledger, key = read_ledger(folder) or (Ledger(), None)
    known = {entry_name(entry, key) for entry in ledger.entries} if key else set()
    found: list[Mistake] = []
    for path in sorted((folder / PINS).glob("[!.]*/manifest.json")) if not rule.public else ():
        try:
            if json.loads(path.read_text("utf-8")).get("ledger") not in known:
                found += _unlike(path.parent, rule, tables)
        except (OSError, ValueError, KeyError, yaml.YAMLError):
            found.append(Mistake(f"{PINS}/{path.parent.name}", "cannot be read", "take it out of git again"))
    if found:
        raise SurveywavesError(found)


def _unlike(pin: Path, rule: Disclosure, tables: Mapping[str, pd.DataFrame]) -> Iterator[Mistake]:
    """Yield how a pin differs from a release."""
    where = f"{PINS}/{pin.name}"
    before = yaml.safe_load((pin / "configuration.yaml").read_text("utf-8"))["config"]["disclosure"]
    if before.get("public"):
        return
    then, now = told(Disclosure.model_validate(before)), told(rule)
    if keys := [name for name in now if then[name] != now[name]]:
        yield Mistake(where, f"made under another rule ({', '.join(keys)}), and not in {LEDGER}", RESTORE)
    waves = dict[str, None]()
    for name, place in TOTALS.items():
        if name not in tables or not (pin / f"released/{name}.csv").exists():
            continue
        sides = [
            pd.read_csv(pin / f"released/{name}.csv", dtype=str, keep_default_na=False),
            tables[name].astype(dict.fromkeys(place, str)),
        ]
        counts = [
            side[side[side.columns.intersection([ORGANISATION, "area"])].isin([ALL]).all(axis=1)].set_index(
                place
            )["n"]
            for side in sides
        ]
        both = pd.concat(
            [pd.to_numeric(one) for one in counts], axis=1, keys=["pin", "now"], join="inner"
        ).dropna()
        if name == RESPONDENTS:
            both = both[both.index.get_level_values("variable") != ORGANISATION]
        waves |= dict.fromkeys(both.index[both["pin"] != both["now"]].get_level_values(place[0]))
    for wave in waves:
        yield Mistake(
            f"{where}, wave {wave}",
            f"shows other people, and is not in {LEDGER}: nobody can tell by how many the two differ",
            RESTORE,
        )
