"""Do the researchers code alike? Krippendorff's alpha and Cohen's kappa by theme, on what several of them coded.

**Unit.** Coders mark passages of their own choice, so that there are no given units. Here a unit is a passage: text of
one interview that the marks of any coder, on any theme, cover without a gap. For each passage and theme, every coder of
the interview judges that it is there, or by silence that it is not. What nobody marked is not a unit: to agree that
nothing is there is easy, and would raise every number (Campbell et al. 2013, Sociological Methods & Research 42, 294,
on unitization of interviews). Marks without a place in a text are not used.

**Interval.** Percentiles of a bootstrap that draws interviews, not passages: passages of one interview are not
independent.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any, Final

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.stats.inter_rater import cohens_kappa

from surveywaves.terms import ALL, Status

COLUMNS: Final = (
    *("theme", "term", "coders", "estimate", "conf_low", "conf_high"),
    *("passages", "sources", "status"),
)
ALPHA: Final = "krippendorff_alpha"
KAPPA: Final = "cohen_kappa"
DRAWS: Final = 1000
FEWEST: Final = 2
"""Interviews that an interval needs at least."""


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
        A row for each passage, theme and coder of the interview: `source, passage, start, end, theme, coder, there`
        (0 or 1).
    """
    placed = segments.dropna(subset=["start", "end"])
    shared = placed[placed.groupby("source")["coder"].transform("nunique") > 1]
    shared = shared.assign(passage=passages(shared, "source"))
    places = (
        shared.groupby(["source", "passage"]).agg(start=("start", "min"), end=("end", "max")).reset_index()
    )
    coders = shared[["source", "coder"]].drop_duplicates()
    themes = pd.DataFrame({"theme": sorted(segments["theme"].unique())})
    every = places.merge(coders, on="source").merge(themes, how="cross")
    found = shared[["passage", "theme", "coder"]].drop_duplicates().assign(there=1)
    every = every.merge(found, how="left", on=["passage", "theme", "coder"])
    every["there"] = every["there"].fillna(0).astype("int64")
    names = ["source", "passage", "start", "end", "theme", "coder", "there"]
    return every[names].sort_values(["passage", "theme", "coder"], ignore_index=True)


def agreement(
    judged: pd.DataFrame, *, confidence: float, seed: int, fewest: int = 1, draws: int = DRAWS
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
    fewest
        Fewest interviews from which agreement is shown: agreement on one interview shows which themes it raises.

    Returns
    -------
    DataFrame
        `COLUMNS`. For each theme (`all`: every passage and theme is a unit) alpha of all coders, nominal, with missing
        values where somebody did not code an interview (Krippendorff 2019, Content Analysis, 4th ed., ch. 12), and
        for each pair of coders kappa (Cohen 1960) with its large-sample interval (Fleiss, Cohen and Everitt 1969).
        ``not_estimable`` where all judgements are the same. From fewer interviews than `fewest`, estimates and passages
        are missing (``withheld``). The passages of a pair that did not code all interviews are missing, too: the
        difference from the row of all coders may be the passages of one interview.
    """
    themes = [ALL, *judged["theme"].unique()]
    rows = [
        row
        for theme in themes
        for row in _of_theme(
            judged if theme == ALL else judged[judged["theme"] == theme], theme, confidence, seed, draws
        )
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"passages": "Int64", "sources": "int64"})
    few = frame["sources"] < fewest
    less = frame["sources"] < frame.groupby("theme")["sources"].transform("max")
    frame.loc[few, ["estimate", "conf_low", "conf_high"]] = np.nan
    frame.loc[few, "status"] = Status.WITHHELD.value
    frame.loc[few | (less & (fewest > 1)), "passages"] = pd.NA
    return frame


def _of_theme(
    judged: pd.DataFrame, theme: str, confidence: float, seed: int, draws: int
) -> Iterator[dict[str, Any]]:
    units = ["source", "passage", "theme"]
    wide = judged.pivot_table(index=units, columns="coder", values="there", aggfunc="first")
    counts = np.column_stack([(wide == value).sum(axis=1) for value in (0, 1)])
    sources = wide.index.get_level_values("source")
    about = {"theme": theme, "passages": len(wide), "sources": sources.nunique()}
    estimate = alpha(counts)
    low, high = _bootstrapped(counts, sources.to_numpy(), confidence, np.random.default_rng(seed), draws)
    yield _row(about | {"term": ALPHA, "coders": ALL}, estimate, low, high)
    for one, other in itertools.combinations(wide.columns, 2):
        both = wide[[one, other]].dropna().astype("int64")
        table = pd.crosstab(both[one], both[other]).reindex(index=[0, 1], columns=[0, 1], fill_value=0)
        about |= {"passages": len(both), "sources": both.index.get_level_values("source").nunique()}
        yield _row(
            about | {"term": KAPPA, "coders": f"{one} - {other}"}, *kappa(table.to_numpy(), confidence)
        )


def _row(about: dict[str, Any], estimate: float, low: float, high: float) -> dict[str, Any]:
    status = Status.OK if np.isfinite(estimate) else Status.NOT_ESTIMABLE
    return about | {"estimate": estimate, "conf_low": low, "conf_high": high, "status": status.value}


def alpha(counts: NDArray[np.int64]) -> float:
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


def kappa(table: NDArray[np.int64], confidence: float) -> tuple[float, float, float]:
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
    counts: NDArray[np.int64],
    sources: NDArray[np.int64],
    confidence: float,
    rng: np.random.Generator,
    draws: int,
) -> tuple[float, float]:
    """Return limits of alpha from draws of interviews; NaN if there are too few, or alpha cannot be estimated."""
    names, place = np.unique(sources, return_inverse=True)
    if len(names) < FEWEST or not np.isfinite(alpha(counts)):
        return float("nan"), float("nan")
    # Alpha depends on coincidences only, and these add up over interviews.
    of_units = coincidences(counts)
    own = np.zeros((len(names), *of_units.shape[1:]))
    np.add.at(own, place, of_units)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    found = from_coincidences(np.tensordot(drawn.astype(np.float64), own, axes=1))
    low, high = np.nanquantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def coincidences(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each unit adds to the coincidence matrix, (U, V, V) (Krippendorff 2011, step 2)."""
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(
        counts.shape[1], dtype=np.int64
    )
    found: NDArray[np.float64] = pairs / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None]
    return found


def from_coincidences(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return alpha for nominal data from coincidence matrices (..., V, V) (Krippendorff 2011, C); NaN as in `alpha`."""
    values = matrix.sum(axis=-1)
    total = values.sum(axis=-1)
    observed = total - np.trace(matrix, axis1=-2, axis2=-1)
    expected = total**2 - (values**2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)
    return found


def disagreements(judged: pd.DataFrame) -> pd.DataFrame:
    """List the passages and themes on which coders differ, for the team to discuss; the list is never released.

    Returns
    -------
    DataFrame
        `source, passage, start, end, theme, found_by, not_found_by`: coders by number, with `; ` between them.
    """
    key = ["source", "passage", "start", "end", "theme"]
    sides = {
        name: judged[judged["there"] == value].groupby(key)["coder"].agg(lambda own: "; ".join(map(str, own)))
        for name, value in (("found_by", 1), ("not_found_by", 0))
    }
    return pd.concat(sides, axis=1, join="inner").reset_index()
