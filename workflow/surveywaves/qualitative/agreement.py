"""Do the researchers code alike? Krippendorff's alpha and Cohen's kappa by theme, on what several of them coded.

**Unit.** Coders mark passages of their own choice, so that there are no given units. Here a unit is a passage: text of
one interview that the marks of any coder, on any theme, cover without a gap. For each passage and theme, every coder of
the interview judges that it is there, or by silence that it is not. What nobody marked is not a unit: to agree that
nothing is there is easy, and would raise every number (Campbell et al. 2013, Sociological Methods & Research 42, 294,
on unitization of interviews). Marks without a place in a text are not used.

**Interval.** Percentiles of a bootstrap that draws interviews, not passages: passages of one interview are not
independent.

**Release.** The interviews that several coded are a small group, and a reader may know which. Two decimals of a
coefficient of passages do not give back how many of them raise a theme; a number that rests on a few of them could.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Final

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.stats.inter_rater import cohens_kappa

from surveywaves.disclosure import Rule
from surveywaves.qualitative.terms import ALPHA, KAPPA
from surveywaves.terms import ALL, Status

COLUMNS: Final = (
    *("theme", "term", "coders", "estimate", "conf_low", "conf_high"),
    *("passages", "sources", "status"),
)
DRAWS: Final = 1000
FEWEST: Final = 2
"""Interviews that an interval needs at least."""
DECIMALS: Final = 2

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def passages(segments: pd.DataFrame, *by: str) -> pd.Series:
    """Assign a number to each passage: marks that overlap, directly or through others, have the same one.

    Parameters
    ----------
    segments
        `start`, `end` and the columns `by`, within which marks are joined; start and end are not missing.

    Returns
    -------
    Series
        A number from 1 for each row, with the index of the segments.
    """
    order = segments.sort_values([*by, "start", "end"], kind="stable")
    groups = order.groupby(list(by))
    reached = groups["end"].cummax().groupby([order[name] for name in by]).shift()
    return (reached.isna() | (order["start"] >= reached.fillna(0))).cumsum().reindex(segments.index)


def judgements(segments: pd.DataFrame) -> pd.DataFrame:
    """List what each coder found in each passage of the interviews that several coders coded.

    Parameters
    ----------
    segments
        As `read_material` returns them.

    Returns
    -------
    DataFrame
        A row for each passage and theme, with `source, passage, start, end, theme` as its index, and a column for each
        coder: 1 (there), 0 (not there), missing (did not code the interview).
    """
    placed = segments.dropna(subset=["start", "end"])
    shared = placed[placed.groupby("source")["coder"].transform("nunique") > 1]
    shared = shared.assign(passage=passages(shared, "source"))
    places = (
        shared.groupby(["source", "passage"]).agg(start=("start", "min"), end=("end", "max")).reset_index()
    )
    units = places.merge(pd.DataFrame({"theme": sorted(segments["theme"].unique())}), how="cross")
    found = pd.crosstab([shared["passage"], shared["theme"]], shared["coder"]) > 0
    there = found.reindex(pd.MultiIndex.from_frame(units[["passage", "theme"]]), fill_value=False).astype(
        "float64"
    )
    coded = pd.crosstab(shared["source"], shared["coder"]) > 0
    return there.set_axis(pd.MultiIndex.from_frame(units)).where(coded.reindex(units["source"]).to_numpy())


def agreement(
    judged: pd.DataFrame, *, confidence: float, seed: int, rule: Rule, draws: int = DRAWS
) -> pd.DataFrame:
    """Estimate how far coders agree on each theme, and on all of them.

    Parameters
    ----------
    judged
        As `judgements` returns them.
    confidence
        Level of the intervals.
    seed, draws
        Of the bootstrap.
    rule
        The rule that protects interviewees.

    Returns
    -------
    DataFrame
        `COLUMNS`. For each theme (`all`: every passage and theme is a unit) alpha of all coders, nominal, with missing
        values where somebody did not code an interview (Krippendorff 2019, Content Analysis, 4th ed., ch. 12), and
        for each pair of coders kappa (Cohen 1960) with its large-sample interval (Fleiss, Cohen and Everitt 1969).
        ``not_estimable`` where all judgements are the same. Estimates and passages are missing (``withheld``) of fewer
        interviews than the rule's smallest group, of a theme that fewer than its threshold raise, and of a pair whose
        interviews are those of another row but for fewer than the threshold.
    """
    names = judged.index.get_level_values("theme")
    themes = {ALL: judged, **{theme: judged[names == theme] for theme in names.unique()}}
    rows = []
    for theme, own in themes.items():
        shown: list[set[int]] = []
        for term, who, units, sources, found in _of_theme(
            own, confidence, np.random.default_rng(seed), draws
        ):
            of, marked = set(sources), set(sources[(units == 1).any(axis=1)])
            few = len(of) < rule.smallest_group or len(marked) < rule.threshold
            few |= any(0 < len(of ^ other) < rule.threshold for other in shown)
            if not few:
                shown.append(of)
            status = Status.OK if np.isfinite(found[0]) else Status.NOT_ESTIMABLE
            status = Status.WITHHELD if few and not rule.public else status
            rows.append((theme, term, who, *found, len(units), len(of), status.value))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"passages": "Int64", "sources": "int64"})
    gone = frame["status"] == Status.WITHHELD.value
    frame.loc[gone, ["estimate", "conf_low", "conf_high", "passages"]] = np.nan
    return frame.round(DECIMALS)


def _of_theme(
    judged: pd.DataFrame, confidence: float, rng: np.random.Generator, draws: int
) -> Iterator[tuple[str, str, Floats, Counts, tuple[float, float, float]]]:
    """Yield alpha of all coders, then kappa of each pair: term, coders, judgements, their interviews, and estimate."""
    sources, values = judged.index.get_level_values("source").to_numpy(), judged.to_numpy()
    counts = np.column_stack([(values == value).sum(axis=1) for value in (0, 1)])
    ends = _bootstrapped(counts, sources, confidence, rng, draws)
    yield ALPHA, ALL, values, sources, (alpha(counts), *ends)
    for one, other in itertools.combinations(range(len(judged.columns)), 2):
        both = ~np.isnan(values[:, [one, other]]).any(axis=1)
        units = values[both][:, [one, other]]
        table = np.bincount((units @ [2, 1]).astype(np.int64), minlength=4).reshape(2, 2)
        who = f"{judged.columns[one]} - {judged.columns[other]}"
        yield KAPPA, who, units, sources[both], kappa(table, confidence)


def alpha(counts: Counts) -> float:
    """Krippendorff's alpha for nominal data, by the package `krippendorff`.

    Parameters
    ----------
    counts
        (U, V) how many coders gave each of V values to each of U units; units with one value only do not count.

    Returns
    -------
    float
        NaN where all values are the same, or no unit has two.

    Examples
    --------
    Krippendorff (2011), *Computing Krippendorff's alpha-reliability*, B: two coders, ten binary units.

    >>> meg, owen = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    >>> counts = [[(a == v) + (b == v) for v in (0, 1)] for a, b in zip(meg, owen)]
    >>> round(alpha(np.array(counts)), 3)
    0.095
    """
    paired = counts[counts.sum(axis=1) > 1]
    if (paired.sum(axis=0) > 0).sum() < 2:
        return float("nan")
    domain = np.arange(counts.shape[1])
    return float(krippendorff.alpha(value_counts=paired, value_domain=domain, level_of_measurement="nominal"))


def kappa(table: Counts, confidence: float) -> tuple[float, float, float]:
    """Cohen's kappa of two coders and its limits, by statsmodels.

    Parameters
    ----------
    table
        (V, V) units by the values that one coder and the other gave.
    confidence
        Level of the interval.

    Returns
    -------
    tuple
        NaN where both gave one and the same value to all.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # 0 / 0
        found = cohens_kappa(table) if table.sum() else None
    if found is None or not np.isfinite(found.kappa):
        return (float("nan"),) * 3
    width = norm.ppf((1 + confidence) / 2) * found.std_kappa
    return float(found.kappa), float(max(found.kappa - width, -1.0)), float(min(found.kappa + width, 1.0))


def _bootstrapped(
    counts: Counts, sources: Counts, confidence: float, rng: np.random.Generator, draws: int
) -> tuple[float, float]:
    """Return limits of alpha from draws of interviews; NaN if there are too few, or alpha cannot be estimated."""
    names, place = np.unique(sources, return_inverse=True)
    if len(names) < FEWEST or not np.isfinite(alpha(counts)):
        return float("nan"), float("nan")
    # Alpha depends on three sums over units that two coders judged, and these add up over interviews: on how many
    # judgements are 0 and 1, and on pairs that differ (Krippendorff 2011, C, for two values).
    judges = counts.sum(axis=1, keepdims=True)
    differing = 2 * counts.prod(axis=1, keepdims=True) / np.maximum(judges - 1, 1)
    own = np.zeros((len(names), 3))
    np.add.at(own, place, np.hstack([counts, differing]) * (judges > 1))
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    zeros, ones, differ = (drawn @ own).T
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1 - (zeros + ones - 1) * differ / (2 * zeros * ones)
    low, high = np.nanquantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def disagreements(judged: pd.DataFrame) -> pd.DataFrame:
    """List the passages and themes on which coders differ, for the team to discuss; the list is never released.

    Returns
    -------
    DataFrame
        `source, passage, start, end, theme, found_by, not_found_by`: coders by number, with `; ` between them.
    """
    differ = judged[judged.eq(1).any(axis=1) & judged.eq(0).any(axis=1)]
    sides = {
        name: ["; ".join(map(str, judged.columns[own])) for own in differ.eq(value).to_numpy()]
        for name, value in (("found_by", 1), ("not_found_by", 0))
    }
    return differ.index.to_frame(index=False).assign(**sides)
