"""Themes by stage, service area and organisation: how many interviews raise each, and which way they speak of it.

**Release.** A group of interviews is to a theme what an organisation is to a statement: somebody who knows who was
interviewed must not learn what one of them said. So the counts are written as a survey (a stage is a wave, a group an
organisation, a theme a statement that is answered by being raised or not) and go through the survey's own rule,
`disclosure.release`, unchanged: all interviews of a stage are exact, groups are rounded or withheld, and `public` shows
all. Groups are areas, by organisation where each organisation has enough interviews; small areas are combined.
Whatever is larger than a group is a sum of released counts, and so reveals nothing more. Tones and numbers of passages,
which may all be one talkative person's, are released for all interviews of a stage only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from surveywaves.describe import describe
from surveywaves.disclosure import ItemKey, Rule, release
from surveywaves.qualitative.agreement import passages
from surveywaves.study.parts import InstrumentItem
from surveywaves.study.qualitative import OTHER
from surveywaves.terms import ALL, ITEM_FREQUENCIES, ORGANISATION, Status
from surveywaves.tidy import tuples

COLUMNS: Final = (
    *("stage", "area", "organisation", "theme", "sources", "n", "percent", "status"),
    *("favourable", "mixed", "critical", "passages"),
)
TONES: Final = ("favourable", "mixed", "critical")
RAISED: Final = 1
NOT_RAISED: Final = 2
"""The answers of an interview to a theme."""
_BETWEEN: Final = "/"


def spoken(segments: pd.DataFrame, *, by: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Find how each interview speaks of each subject.

    Parameters
    ----------
    segments
        As `read_material` returns them.
    by
        Subject -> its themes: a theme itself, or all of a principle.

    Returns
    -------
    DataFrame
        `source, subject, tone`: a row where at least half of those who coded the interview found the subject there.
        ``favourable`` or ``critical`` where only codes of that tone are, ``mixed`` where both are, or neither.
    """
    pairs = pd.DataFrame(
        [(theme, subject) for subject, own in by.items() for theme in own], columns=["theme", "subject"]
    )
    coded = segments.merge(pairs, on="theme")
    key = ["source", "subject"]
    found = coded.drop_duplicates([*key, "coder"]).groupby(key).size().rename("found").reset_index()
    half = found["source"].map(segments.groupby("source")["coder"].nunique()) / 2
    heard = coded.drop_duplicates([*key, "tone", "coder"]).pivot_table(
        index=key, columns="tone", values="coder", aggfunc="count"
    )
    heard = heard.reindex(columns=["+", "-"]).fillna(0).reset_index()
    # Where coders agree on the subject but not on its tone, a tone that any of them heard counts.
    least = half.where(heard[["+", "-"]].max(axis=1) >= half, 1)
    plus, minus = heard["+"] >= least, heard["-"] >= least
    tone = np.select([plus & ~minus, minus & ~plus], ["favourable", "critical"], "mixed")
    return found.assign(tone=tone)[found["found"] >= half].drop(columns="found").reset_index(drop=True)


def themes(
    sources: pd.DataFrame, segments: pd.DataFrame, *, names: Sequence[str], rule: Rule
) -> pd.DataFrame:
    """Count the interviews that raise each theme, after the disclosure rule.

    Parameters
    ----------
    sources, segments
        As `read_material` returns them.
    names
        The themes, in the order of the table.
    rule
        The study's rule.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row for each stage, area, organisation and theme that has counts: `all` for areas or organisations
        together. `sources` is the number of interviews and `n` of those that raise the theme, `percent` n of these;
        tones and passages are those of `tones`. What is withheld is missing, with status ``withheld``.
    """
    told = spoken(segments, by={name: (name,) for name in names})
    # Rounding takes up to its base away: a group that is just large enough would be withheld.
    groups = grouped(sources, smallest=rule.smallest_group + rule.rounding, public=rule.public)
    released = _released(sources.assign(group=groups), told, names, rule)
    counts = pd.DataFrame(list(_cells(released, names)), columns=list(COLUMNS[:8]))
    counts = counts.merge(tones(sources, segments, told, rule=rule), how="left", on=["stage", "theme"])
    counts.loc[(counts["area"] != ALL) | (counts["organisation"] != ALL), [*TONES, "passages"]] = pd.NA
    return counts[list(COLUMNS)].astype(dict.fromkeys(("sources", "n", *TONES, "passages"), "Int64"))


def tones(sources: pd.DataFrame, segments: pd.DataFrame, told: pd.DataFrame, *, rule: Rule) -> pd.DataFrame:
    """Count tones and passages of all interviews of each stage that is large enough; the counts are exact.

    Parameters
    ----------
    sources, segments
        As `read_material` returns them.
    told
        As `spoken` returns it, by theme or by any other subject.
    rule
        The study's rule.

    Returns
    -------
    DataFrame
        `stage, theme` (the subject), `TONES` (interviews), `passages`: marks that overlap are one; missing where
        fewer interviews than the rule's threshold have them.
    """
    sizes = sources["stage"].value_counts()
    shown = sizes.index[(sizes >= rule.smallest_group) | rule.public]
    about = sources.loc[sources["stage"].isin(shown), ["source", "stage"]]
    placed = segments.dropna(subset=["start", "end"]).merge(about, on="source")
    placed["passage"] = passages(placed, "source", "theme")
    number = placed.groupby(["stage", "theme"])[["source", "passage"]].nunique()
    number = number[rule.public | (number["source"] >= rule.threshold)]
    subjects = pd.MultiIndex.from_product([shown, sorted(told["subject"].unique())], names=["stage", "theme"])
    counts = told.merge(about, on="source").pivot_table(
        index=["stage", "subject"], columns="tone", values="source", aggfunc="count"
    )
    counts = counts.reindex(index=subjects, columns=list(TONES)).fillna(0).astype("Int64")
    return counts.assign(passages=number["passage"].reindex(subjects)).reset_index()


def grouped(sources: pd.DataFrame, *, smallest: int, public: bool = False) -> pd.Series:
    """Put interviews into groups that are large enough for counts of their own.

    Parameters
    ----------
    sources
        As `read_material` returns them.
    smallest
        Fewest interviews of a group.
    public
        Whether groups may be as small as they are.

    Returns
    -------
    Series
        For each interview `area/organisation`: the organisation is `all` where any organisation of the area has too
        few interviews, the area is `other` for areas too small by themselves (with the smallest of the rest where they
        are too few together).
    """
    area, organisation = sources["area"].copy(), sources["organisation"].copy()
    for stage in sources["stage"].unique():
        own = (sources["stage"] == stage).to_numpy()
        sizes = sources[own].groupby(["area", "organisation"]).size()
        few = [] if public else [name for name, part in sizes.groupby("area") if part.min() < smallest]
        organisation[own & area.isin(few)] = ALL
        whole = sizes.groupby("area").sum().sort_values(kind="stable")
        small = [] if public else list(whole.index[whole < smallest])
        if small and whole[small].sum() < smallest:
            small += list(whole.index[len(small) : len(small) + 1])
        if len(small) > 1:
            organisation[own & area.isin(small)] = ALL
            area[own & area.isin(small)] = OTHER
    return area + _BETWEEN + organisation


def _released(sources: pd.DataFrame, told: pd.DataFrame, names: Sequence[str], rule: Rule) -> pd.DataFrame:
    """Release the counts of groups as those of a survey, and return its `item_frequencies`."""
    wide = told.assign(answer=RAISED).pivot_table(
        index="source", columns="subject", values="answer", aggfunc="first"
    )
    wide = wide.reindex(index=sources["source"], columns=list(names)).fillna(NOT_RAISED).astype("Int64")
    responses = wide.reset_index(drop=True)
    responses.insert(0, "wave", sources["stage"].to_numpy())
    responses.insert(1, ORGANISATION, sources["group"].to_numpy())
    missing = pd.DataFrame(None, index=responses.index, columns=responses.columns, dtype="object")
    missing["wave"] = responses["wave"]
    about: dict[str, Any] = {"section": 1, "key": 1, "points": NOT_RAISED, "favourable": (RAISED,)}
    instrument = [InstrumentItem(item=name, **about) for name in names]
    surveyed = {
        str(stage): list(own["group"].unique()) for stage, own in sources.groupby("stage", sort=False)
    }
    tables = describe(
        responses,
        missing,
        instrument,
        surveyed=surveyed,
        variables={},
        populations=dict.fromkeys(surveyed),
    )._asdict()
    keys = {one.item: ItemKey("", one.key, one.points, one.favourable) for one in instrument}
    return release(tables, instrument=keys, rule=rule).tables[ITEM_FREQUENCIES]


def _cells(released: pd.DataFrame, names: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of each stage, area and organisation: groups, and sums of groups."""
    keys = ("wave", "organisation", "item", "response")
    counts = dict(zip(tuples(released, *keys), released["n"], strict=True))
    for stage, whole in released.groupby("wave", sort=False):
        groups = [str(name) for name in whole["organisation"].unique() if name != ALL]
        places = {name: name.partition(_BETWEEN)[::2] for name in groups}
        areas = dict.fromkeys(area for area, _ in places.values())
        organisations = dict.fromkeys(one for _, one in places.values())
        cells = {(ALL, ALL): [ALL]}
        if ALL not in organisations and len(organisations) > 1:
            cells |= {
                (ALL, one): [name for name in groups if places[name][1] == one] for one in organisations
            }
        for area in areas if len(areas) > 1 else ():
            cells[area, ALL] = [name for name in groups if places[name][0] == area]
        cells |= {place: [name] for name, place in places.items() if place not in cells and len(areas) > 1}
        for place, members in cells.items():
            for name in names:
                own = [
                    [counts[stage, one, name, answer] for one in members] for answer in (RAISED, NOT_RAISED)
                ]
                yield (stage, *place, name, *_row(own))


def _row(counts: Sequence[Sequence[Any]]) -> tuple[object, ...]:
    """Add up the interviews of groups that raise a theme, and that do not; if any count is withheld, the sum is."""
    if any(pd.isna(one) for answer in counts for one in answer):
        return pd.NA, pd.NA, np.nan, Status.WITHHELD.value
    raised, silent = (sum(map(int, answer)) for answer in counts)
    base = raised + silent
    return base, raised, 100 * raised / base if base else np.nan, Status.OK.value
