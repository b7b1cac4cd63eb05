"""Count tables with marks: what is withheld becomes empty, and `status` says so.

Of the raw files only counts are shown, no value and no row number. Rows kept add up to the returns, and where a layout
stands for a group (answered on paper, say) they are its size. Rows set aside add up by what was wrong with them, and
with those kept to the rows of the file. So these are counts like any others, and are withheld with others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.count_tables import COUNT, ItemPlace
from surveywaves.disclosure.system import LEAST, NEVER, TOTAL, BoolArray, Builder, Marks, Need, Rule
from surveywaves.terms import EVERY, NOT_STATED, ORGANISATION, ROW_COUNTS, SET_ASIDE, Missing, Status
from surveywaves.tidy import floats, tuples

WHOLE: Final = ("n", "base", "returns", "favourable_n", "population", *ROW_COUNTS)
"""Columns of whole numbers, which can be empty once something is withheld."""

WEIGHTED: Final = "weighted_"
"""How the columns begin that are by sampling weights."""

Hidden = dict[str, BoolArray]
"""Column -> which rows are withheld in it."""


def frequencies(table: pd.DataFrame, marks: Mapping[ItemPlace, Marks]) -> pd.DataFrame:
    """Withhold in the table of `describe.item_frequencies`: percentages go with their count or their base."""
    n, base = [], []
    for wave, item, organisation, response in zip(
        *(table[name] for name in ("wave", "item", "organisation", "response")), strict=True
    ):
        own = marks[wave, item]
        n.append(own["n", organisation, int(response)])
        base.append(own["base", organisation])
    return withheld(table, _with_percent(n, base))


def summary(table: pd.DataFrame, marks: Mapping[ItemPlace, Marks]) -> pd.DataFrame:
    """Withhold in the table of `describe.item_summary`: mean and standard deviation need every response shown."""
    base, moments, good = [], [], []
    incomplete = {
        (wave, item, name[1])
        for (wave, item), own in marks.items()
        for name, mark in own.items()
        if mark and isinstance(name, tuple) and name[0] == "n"
    }
    for wave, item, organisation in zip(
        *(table[name] for name in ("wave", "item", "organisation")), strict=True
    ):
        own = marks[wave, item]
        base.append(own["base", organisation])
        good.append(own["favourable", organisation])
        moments.append(base[-1] or (wave, item, organisation) in incomplete)
    hide = np.array(moments, dtype=np.bool_)
    shown = _with_percent(good, base)
    return withheld(
        table,
        {
            "base": shown["base"],
            "mean": hide,
            "sd": hide,
            "favourable_n": shown["n"],
            "favourable_percent": shown["percent"],
        },
    )


def respondents(table: pd.DataFrame, marks: Mapping[str, Marks]) -> pd.DataFrame:
    """Withhold in the table of `describe.respondents`."""
    n, base = [], []
    for wave, organisation, variable, level in zip(
        *(table[name] for name in ("wave", "organisation", "variable", "level")), strict=True
    ):
        own = marks[wave]
        n.append(own["size", level] if variable == ORGANISATION else own["n", variable, organisation, level])
        asked = own.get(("asked", variable, organisation), own["size", organisation])
        base.append(asked if level == NOT_STATED else own["base", variable, organisation])
    return withheld(table, _with_percent(n, base))


STEPS: Final = (1, 2, 5, 10, 20)
"""Percent that weighted percentages are whole multiples of; weighted means are of a tenth of these."""


def heaviest(responses: pd.DataFrame) -> dict[str, float]:
    """Compare the largest weight of each wave with the mean weight."""
    if "weight" not in responses:
        return {}
    weights = responses["weight"].astype("Float64").groupby(responses["wave"])
    return {
        str(wave): float(own.max() / own.mean())
        for wave, own in weights
        if own.notna().any() and own.sum() > 0
    }


def weighted(table: pd.DataFrame, largest: Mapping[str, float], rule: Rule) -> pd.DataFrame:
    """Round what is weighted in a released count table, or withhold it.

    Weights differ by group: beside the counts of all, a weighted percentage tells how they divide. It is shown in steps
    that a few persons (the base of rounding, or the threshold) of the largest weight can make: so many may be of
    another group, and it says the same. Nothing is shown of fewer than `smallest_group` respondents, or where any count
    of the same question and organisation is withheld.

    Parameters
    ----------
    table
        The released table.
    largest
        As `heaviest` gives it; waves without weights are not in it.
    rule
        The rule.
    """
    columns = [name for name in map(str, table) if name.startswith(WEIGHTED)]
    if not columns or rule.public:
        return table
    count = "n" if "n" in table else "base"
    question = [table[name] for name in ("wave", "organisation", "item" if "item" in table else "variable")]
    gone = table["status"].eq(Status.WITHHELD.value).groupby(question).transform("any")
    few = table[count].fillna(0).lt(rule.smallest_group)
    if "favourable_n" in table:
        few |= table["favourable_n"].fillna(0).lt(rule.smallest_group)
    people = rule.rounding or rule.threshold
    base = floats(table["base"])
    least = 100 * people * table["wave"].map(largest).fillna(1.0).to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.searchsorted(STEPS, least / base)
    step = np.append(np.array(STEPS, dtype=np.float64), np.nan)[place]
    shown = {}
    for name in columns:
        own = step / 10 if name == "weighted_mean" else step
        # Whole multiples of the step, to the digits that it has.
        near = (np.round(table[name].to_numpy(dtype=np.float64) / own) * own).round(1)
        shown[name] = pd.Series(near, index=table.index).mask(gone | few)
    # The status of a row is that of its counts.
    return table.assign(**shown)


def blank(table: pd.DataFrame, keep: Collection[str] = ()) -> pd.DataFrame:
    """Withhold all numbers of some rows, but for what is to be kept."""
    numbers = [name for name in map(str, table) if name in WHOLE or table[name].dtype.kind == "f"]
    every = np.ones(len(table), dtype=np.bool_)
    shown = withheld(table, dict.fromkeys([name for name in numbers if name not in keep], every))
    return shown.assign(note="") if "note" in shown else shown


def withheld(table: pd.DataFrame, hidden: Mapping[str, BoolArray]) -> pd.DataFrame:
    """Empty the marked cells; a row with any has the status `withheld`, every other keeps its own (`ok` by default).

    Columns of whole numbers become nullable, whether anything is withheld or not.
    """
    shown = table.astype({name: "Int64" for name in WHOLE if name in table})
    status = (
        table["status"] if "status" in table else pd.Series(Status.OK.value, index=table.index, dtype="str")
    )
    for name, marks in hidden.items():
        # What was empty already, a percentage of nobody say, is not withheld but still marked: its row tells.
        shown[name] = shown[name].mask(marks)
        status = status.mask(marks, Status.WITHHELD.value)
    shown["status"] = status.astype("str")
    return shown


def _with_percent(n: Sequence[bool], base: Sequence[bool]) -> Hidden:
    counts, bases = np.array(n, dtype=np.bool_), np.array(base, dtype=np.bool_)
    return {"n": counts, "percent": counts | bases, "base": bases}


KIND: Final = 0.5
"""What is lost with the number of rows set aside for one reason: that there are some is still said."""

MOST: Final = 1000
"""Rows that a file may have besides those that became returns, as far as anybody knows."""

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


def linked_files(
    counts: pd.DataFrame,
    problems: pd.DataFrame,
    *,
    told: Collection[str],
    rule: Rule,
) -> dict[str, Builder]:
    """Link the rows of each wave's files.

    Parameters
    ----------
    counts, problems
        As `released_counts` and `released_problems` give them.
    told
        Waves in which a layout stands for a group whose size is withheld: rows kept would tell it.
    rule
        The rule.

    Returns
    -------
    dict
        Wave -> counts named ``("in", file)``, ``("kept", file)``, ``("aside", file)``, and ``("aside", file, problem,
        action)``, of which everybody knows that there is at least one: it counts those beyond.
    """
    return {
        str(wave): _wave(
            rows,
            problems[(problems["wave"] == wave) & is_aside(problems)],
            told=wave in told,
            rule=rule,
        )
        for wave, rows in counts.groupby("wave", sort=False)
    }


def _wave(rows: pd.DataFrame, aside: pd.DataFrame, *, told: bool, rule: Rule) -> Builder:
    builder, returns = Builder(), int(rows["rows_kept"].sum())
    builder.count(TOTAL, returns, ceiling=returns, cost=NEVER)
    for file, into, kept, out in zip(rows["file"], *(rows[name] for name in ROW_COUNTS), strict=True):
        kinds = _kinds(aside, file)
        fewest = len(kinds) if sum(kinds.values()) == out else 0
        cell = builder.count(
            ("kept", file), kept, ceiling=returns, cost=COUNT, withheld=told or rule.small(kept)
        )
        builder.protect(rule.need(cell, kept, group=returns, answer=False))
        cell = builder.count(("aside", file), out, ceiling=out + MOST, cost=COUNT)
        if rule.small(out):
            builder.protect(Need(cell, fewest, rule.threshold))
        builder.count(("in", file), into, ceiling=returns + out + MOST, cost=COUNT, withheld=told)
        builder.adds_up(("in", file), [("kept", file), ("aside", file)])
        for kind, n in kinds.items():
            name = ("aside", file, *kind)
            cell = builder.count(name, n - 1, ceiling=n + MOST, cost=KIND)
            if rule.small(n):
                builder.protect(Need(cell, 0, rule.threshold - 1))
        if fewest:
            builder.count((LEAST, file), fewest, ceiling=fewest, cost=NEVER)
            builder.adds_up(("aside", file), [(LEAST, file), *(("aside", file, *kind) for kind in kinds)])
    builder.adds_up(TOTAL, [("kept", file) for file in rows["file"]])
    return builder


def withheld_counts(counts: pd.DataFrame, marks: Mapping[str, Marks]) -> pd.DataFrame:
    """Withhold in what `released_counts` gives."""
    names = dict(zip(ROW_COUNTS, ("in", "kept", "aside"), strict=True))
    hidden = {
        column: np.array(
            [marks[wave][name, file] for wave, file in zip(counts["wave"], counts["file"], strict=True)],
            dtype=np.bool_,
        )
        for column, name in names.items()
    }
    return withheld(counts, hidden)


def withheld_problems(problems: pd.DataFrame, marks: Mapping[str, Marks], rule: Rule) -> pd.DataFrame:
    """Withhold in what `released_problems` gives: of rows that became no return as `marks` say, else what is small."""
    hidden = []
    for wave, file, about, problem, action, n in tuples(problems, *problems):
        small = about != COLUMN and rule.small(int(n))
        hidden.append(marks.get(wave, {}).get(("aside", file, problem, action), small))
    return withheld(problems, {"n": np.array(hidden, dtype=np.bool_)})


def is_aside(problems: pd.DataFrame) -> pd.Series:
    """Mark what is about rows that became no return."""
    return (problems["about"] == ROW) & problems["action"].str.startswith(SET_ASIDE)


def _kinds(aside: pd.DataFrame, file: str) -> dict[tuple[str, str], int]:
    own = aside[aside["file"] == file]
    return {
        (problem, action): int(n)
        for problem, action, n in own[["problem", "action", "n"]].itertuples(index=False)
    }


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
