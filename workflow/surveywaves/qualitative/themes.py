"""Themes by stage, service area and organisation: how many interviews raise each, and which way they speak of it.

**Release.** All interviews of a stage are exact, as all respondents of a wave are; groups of them are protected (see
`surveywaves.qualitative.protection`), and `public` shows all. Groups are areas, by organisation where each organisation
has enough interviews; small areas are combined. Whatever is larger than a group is a sum of released counts, and so
reveals nothing more. Tones and numbers of passages, which may all be one talkative person's, are released for all
interviews of a stage only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure import Rule
from surveywaves.qualitative.agreement import passages
from surveywaves.qualitative.protection import protected
from surveywaves.qualitative.terms import TONES
from surveywaves.study.qualitative import OTHER
from surveywaves.terms import ALL, Status

COLUMNS: Final = (
    *("stage", "area", "organisation", "theme", "sources", "n", "percent", "status"),
    *("favourable", "mixed", "critical", "passages"),
)


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
    sources: pd.DataFrame,
    segments: pd.DataFrame,
    *,
    names: Sequence[str],
    rule: Rule,
    subjects: Mapping[str, Sequence[str]] = MappingProxyType({}),
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
    subjects
        Subject -> its themes; how many interviews of a stage raise any of them is shown elsewhere.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row for each stage, area, organisation and theme that has counts: `all` for areas or organisations
        together. `sources` is the number of interviews and `n` of those that raise the theme, `percent` n of these;
        tones and passages are those of `tones`. What is withheld is missing, with status ``withheld``.
    """
    told = spoken(segments, by={name: (name,) for name in names})
    raised = segments.merge(told, left_on=["source", "theme"], right_on=["source", "subject"])
    marks = pd.crosstab(raised["source"], raised["theme"])
    marks = marks.reindex(index=sources["source"], columns=list(names), fill_value=0)
    anything = spoken(segments, by=subjects)
    known = pd.crosstab(anything["source"], anything["subject"]).reindex(sources["source"], fill_value=0)
    # A count that is rounded tells little of a group that is just large enough.
    smallest = 0 if rule.public else rule.smallest_group + rule.rounding
    groups = grouped(sources, smallest=smallest).set_index(sources["source"])
    found = []
    for stage, own in sources.groupby("stage", sort=False)["source"]:
        any_of = [
            ([list(names).index(theme) for theme in subjects[str(name)]], there)
            for name, there in known.loc[own].items()
        ]
        found.append(_counts(marks.loc[own], groups.loc[own], any_of, rule).assign(stage=stage))
    counts = pd.concat(found, ignore_index=True)
    counts["percent"] = (100 * counts["n"] / counts["sources"]).astype("float64")
    counts["status"] = np.where(counts["n"].isna(), Status.WITHHELD.value, Status.OK.value)
    whole = tones(sources, segments, told, rule=rule)
    counts = counts.merge(whole, how="left", on=["stage", "theme"])
    counts.loc[(counts["area"] != ALL) | (counts["organisation"] != ALL), [*TONES, "passages"]] = pd.NA
    return counts[list(COLUMNS)].astype(dict.fromkeys(("sources", "n", *TONES, "passages"), "Int64"))


def _counts(
    marks: pd.DataFrame, groups: pd.DataFrame, any_of: Sequence[tuple[Sequence[int], pd.Series]], rule: Rule
) -> pd.DataFrame:
    """Count the interviews of a stage: `area, organisation, theme, sources, n`, for it, groups and sums of groups."""
    group, places = pd.factorize(pd.MultiIndex.from_frame(groups))
    n = (marks > 0).groupby(group).sum().astype("float64")
    whole = n.sum()
    small = len(marks) < rule.smallest_group and not rule.public
    if len(places) > 1 and not small and not rule.public:
        known = [(themes, np.bincount(group, there).astype(np.intp)) for themes, there in any_of]
        n[:] = protected(marks.to_numpy(), group, any_of=known, rule=rule)
    table = n.assign(sources=np.bincount(group)).set_axis(places)
    cells = {(ALL, ALL): pd.Series({**whole, "sources": len(marks)})}
    areas, organisations = (table.index.unique(level) for level in (0, 1))
    if ALL not in organisations and len(organisations) > 1:
        cells |= {(ALL, one): table.xs(one, level=1).agg("sum", skipna=False) for one in organisations}
    if len(areas) > 1:
        cells |= {(area, ALL): table.loc[[area]].agg("sum", skipna=False) for area in areas}
        cells |= {place: table.loc[place] for place in places if place not in cells}
    rows = [
        (*place, theme, own["sources"], own[theme]) for place, own in cells.items() for theme in marks.columns
    ]
    shown = pd.DataFrame(rows, columns=["area", "organisation", "theme", "sources", "n"])
    return shown.assign(sources=np.nan, n=np.nan) if small else shown


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


def grouped(sources: pd.DataFrame, *, smallest: int) -> pd.DataFrame:
    """Put interviews into groups that are large enough for counts of their own.

    Parameters
    ----------
    sources
        As `read_material` returns them.
    smallest
        Fewest interviews of a group.

    Returns
    -------
    DataFrame
        For each interview `area, organisation`: the organisation is `all` where any organisation of the area has too
        few interviews, the area is `other` for areas too small by themselves (with the smallest of the rest where they
        are too few together).
    """
    area = sources["area"].copy()
    for _, own in sources.groupby("stage"):
        sizes = own.groupby("area").size().sort_values(kind="stable")
        small = sizes.index[sizes < smallest]
        if sizes[small].sum() < smallest:
            small = sizes.index[: len(small) + 1]
        if len(small) > 1:
            area[own.index[own["area"].isin(small)]] = OTHER
    size = sources.groupby(["stage", "area", "organisation"])["source"].transform("size")
    least = size.groupby([sources["stage"], sources["area"]]).transform("min")
    organisation = sources["organisation"].where((least >= smallest) & (area != OTHER), ALL)
    return pd.DataFrame({"area": area, "organisation": organisation})
