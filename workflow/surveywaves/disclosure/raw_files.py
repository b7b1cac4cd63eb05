"""What is shown of the raw files: how many rows, and what was wrong with how many.

Of the raw files only counts are shown, no value and no row number. Rows kept add up to the returns, and where a layout
stands for a group (answered on paper, say) they are its size. Rows set aside add up by what was wrong with them, and
with those kept to the rows of the file. So these are counts like any others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.disclosure.count_tables import Shown
from surveywaves.disclosure.rounded import digest
from surveywaves.disclosure.rounding import Crossed, draw
from surveywaves.disclosure.rule import IntArray, Rule
from surveywaves.disclosure.suppressed import parts_of_known
from surveywaves.harmonise.crosswalk import constants_of
from surveywaves.study.parts import HarmonisingPart
from surveywaves.terms import (
    ALL,
    EVERY,
    FILE_COUNTS,
    ORGANISATION,
    RESPONDENTS,
    ROW_COUNTS,
    SET_ASIDE,
    Missing,
    Status,
)
from surveywaves.tidy import tuples

COLUMN: Final = "column"
ROW: Final = "row"
CELL: Final = "cell"

_NUMBER: Final = re.compile(r"\d+(, \d+)*")
_QUOTED: Final = re.compile(r"`.*`", re.DOTALL)
_INVALID: Final = re.compile(rf"\b{Missing.INVALID.value}\b")


def released_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Lay the files' counts out for the release: `wave, file, layout`, `ROW_COUNTS`; files by name, without folders."""
    return counts.assign(
        file=_names(counts, counts), **{name: counts[name].astype("int64") for name in ROW_COUNTS}
    )


def released_problems(problems: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Count what was wrong, kind by kind.

    Parameters
    ----------
    problems
        As ingest and harmonise list them, one under the other.
    counts
        As ingest gives them: the files, which are named as `released_counts` does.

    Returns
    -------
    DataFrame
        `wave, file, about (column, row, cell), problem, action, n`, in the order of their first appearance. Cells that
        became `invalid` are not among them: how many did is in the table of what is missing, item by item, and a sum
        of these would give one back. Of the words of a problem only those remain that ingest itself wrote: no number,
        no value of a cell.
    """
    own = problems[~problems["action"].str.contains(_INVALID)]
    about = np.where(own["row"].astype("str") == EVERY, COLUMN, np.where(own["column"] == EVERY, ROW, CELL))
    told = pd.DataFrame(
        {
            "wave": own["wave"],
            "file": _names(own, counts),
            "about": about,
            "problem": [_words(text) for text in own["problem"]],
            "action": [_action(text) for text in own["action"]],
        },
        dtype="str",
    )
    return told.groupby(list(told), sort=False).size().rename("n").reset_index().astype({"n": "int64"})


class Standing(NamedTuple):
    """Files that make up a level or an organisation: what another table shows of it, and whether that is exact."""

    files: tuple[str, ...]
    shown: int | None
    exact: bool


def file_counts(
    counts: pd.DataFrame,
    problems: pd.DataFrame,
    found: Shown,
    known: Mapping[str, Sequence[Standing]],
    rule: Rule,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Show the rows of the raw files and what was wrong with them.

    Parameters
    ----------
    counts, problems
        As `released_counts` and `released_problems` give them.
    found
        What is shown of the waves.
    known
        Wave -> files of which another table says how many rows were kept.
    rule
        The rule.

    Returns
    -------
    DataFrame, DataFrame
        Rows kept add up to the returns, and are rounded as parts of them, or withheld if they are few, where no other
        table says how many. The size of an organisation is not rounded a second time: of its files, if it has several,
        and of all others nothing is shown; nor of any file where a size is withheld. That there was a problem is said:
        fewer than the base are shown as the base, or withheld, and rows set aside as the sum of what was wrong with
        them.
    """
    kept: dict[tuple[str, str], int | None] = {}
    for wave, rows in counts.groupby("wave", sort=False):
        own = {file: int(n) for file, n in zip(rows["file"], rows["rows_kept"], strict=True)}
        standing = known.get(str(wave), ())
        shown = (
            _rounded_files(own, standing, rule.rounding, found.keys.get(str(wave), b""))
            if rule.rounding
            else _few(own, standing, rule)
        )
        kept |= {(str(wave), file): n for file, n in shown.items()}

    def listed(wave: str, n: int) -> int | None:
        if rule.rounding:
            return _listed(n, rule.rounding, found.keys.get(wave, b""))
        return None if rule.small(n) else n

    told: list[int | None] = []
    sums: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
    aside = is_aside(problems)
    for (wave, file, about, n), out in zip(
        tuples(problems, "wave", "file", "about", "n"), aside, strict=True
    ):
        told.append(int(n) if about == COLUMN else listed(wave, int(n)))
        if out:
            sums.setdefault((wave, file), []).append((int(n), told[-1]))
    out_: list[int | None] = []
    for wave, file, rest in tuples(counts, "wave", "file", "rows_set_aside"):
        own_ = sums.get((wave, file), [])
        parts = [n for _, n in own_]
        if sum(n for n, _ in own_) != rest:
            out_.append(listed(wave, int(rest)))
        else:
            out_.append(None if None in parts else sum(n or 0 for n in parts))
    rows_kept = [kept[place] for place in tuples(counts, "wave", "file")]
    into = [
        None if one is None or more is None else one + more for one, more in zip(rows_kept, out_, strict=True)
    ]
    return (
        _with_status(
            counts.assign(
                **{
                    name: pd.array(values, dtype="Int64")
                    for name, values in zip(ROW_COUNTS, (into, rows_kept, out_), strict=True)
                }
            ),
            into,
        ),
        _with_status(problems.assign(n=pd.array(told, dtype="Int64")), told),
    )


def _with_status(table: pd.DataFrame, numbers: Sequence[int | None]) -> pd.DataFrame:
    status = [Status.WITHHELD.value if n is None else Status.OK.value for n in numbers]
    return table.assign(status=pd.array(status, dtype="str"))


def _few(kept: Mapping[str, int], standing: Sequence[Standing], rule: Rule) -> dict[str, int | None]:
    """Withhold how many rows of a wave's files were kept where they are few, or would tell a size that is withheld."""
    told = any(one.shown is None for one in standing)
    return dict(zip(kept, parts_of_known(np.array(list(kept.values())), rule, told=told), strict=True))


def _rounded_files(
    kept: Mapping[str, int], standing: Sequence[Standing], base: int, key: bytes
) -> dict[str, int | None]:
    """Round how many rows of a wave's files were kept."""
    found: dict[str, int | None] = {}
    listed = {file for one in standing for file in one.files}
    rest = Standing(
        tuple(file for file in kept if file not in listed), None, all(one.exact for one in standing)
    )
    for files, size, exact in (*standing, rest):
        own = np.array([kept[file] for file in files], dtype=np.intp)
        each: Sequence[int | None] = [None] * len(files)
        if len(files) == 1:
            each = [int(own[0]) if exact else size]
        elif files and exact:
            drawn = draw(Crossed.of(own[:, None]), base, _rng(key, own))
            each = each if drawn is None else drawn[:, 0].tolist()
        found |= dict(zip(files, each, strict=True))
    return found


def _listed(n: int, base: int, key: bytes) -> int:
    """Round what would not be listed if it were none."""
    if n < base:
        return base if n else 0
    down = n - n % base
    return down + base * int(_rng(key, np.array([n])).random() * base < n % base)


def _rng(key: bytes, counts: IntArray) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(digest([key, counts.astype("<i8").tobytes()]), "big"))


def standing_files(
    tables: Mapping[str, pd.DataFrame],
    respondents: pd.DataFrame,
    parts: Sequence[HarmonisingPart],
    exact: Collection[tuple[str, str]],
) -> dict[str, list[Standing]]:
    """Look up the files of each wave that make up a level or an organisation: another table shows how many."""
    true, shown = (
        people[people["organisation"] == ALL].set_index(["wave", "variable", "level"])["n"]
        for people in (tables[RESPONDENTS], respondents)
    )
    files = tables[FILE_COUNTS]
    found: dict[str, list[Standing]] = {}
    for part in parts:
        own = files[files["wave"] == part.wave]
        standing: dict[tuple[str, str], dict[str, int]] = {}
        for file, layout, kept in zip(own["file"], own["layout"], own["rows_kept"], strict=True):
            for pair in constants_of(part, layout, file).items():
                standing.setdefault(pair, {})[file] = int(kept)
        # Organisations first: of their files no more is told than their size.
        for (variable, level), rows in sorted(standing.items(), key=lambda one: one[0][0] != ORGANISATION):
            place = (part.wave, variable, level)
            listed = {file for one in found.get(part.wave, []) for file in one.files}
            if place in true.index and true[place] == sum(rows.values()) and listed.isdisjoint(rows):
                n = None if pd.isna(shown[place]) else int(shown[place])
                open_ = variable != ORGANISATION or (part.wave, level) in exact
                found.setdefault(part.wave, []).append(Standing(tuple(rows), n, open_))
    return found


def is_aside(problems: pd.DataFrame) -> pd.Series:
    """Mark what is about rows that became no return."""
    return (problems["about"] == ROW) & problems["action"].str.startswith(SET_ASIDE)


def _words(text: str) -> str:
    return _NUMBER.sub("#", _QUOTED.sub("`…`", text))


def _action(text: str) -> str:
    """Leave out what follows a colon: a cell that was keyed twice is taken as somebody answered."""
    return _words(text if text.startswith(SET_ASIDE) else text.partition(":")[0])


def _names(rows: pd.DataFrame, counts: pd.DataFrame) -> list[str]:
    """Name files without their folders, which say where this ran, but for those that then have the same name."""
    known = dict(_short(counts[["wave", "file"]].drop_duplicates()))
    return [
        known.get((wave, file), _last(file)) for wave, file in zip(rows["wave"], rows["file"], strict=True)
    ]


def _short(files: pd.DataFrame) -> Iterator[tuple[tuple[str, str], str]]:
    pairs = list(files.itertuples(index=False, name=None))
    often = Counter((wave, _last(file)) for wave, file in pairs)
    for number, (wave, file) in enumerate(pairs, start=1):
        name = _last(file)
        yield (wave, file), name if often[wave, name] == 1 else f"{name} ({number})"


def _last(path: str) -> str:
    return PureWindowsPath(PurePosixPath(path).name).name
