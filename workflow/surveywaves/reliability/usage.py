"""Which scales may be compared as scales, and which item by item only."""

from __future__ import annotations

from typing import Final

import pandas as pd

from surveywaves.reliability.equality import BETWEEN
from surveywaves.tidy import ALL, Status

AS_SCALE: Final = "scale"
ITEMS_ONLY: Final = "items_only"


def usage(found: pd.DataFrame, *, at_least: float = 0.60, min_n: int = 30) -> pd.DataFrame:
    """Say which scales enter comparisons as scales.

    The rule: a scale is compared as a scale if in every wave of every organisation the lower bound of the interval of
    its alpha is `at_least`; a scale of two items, for which that asks too much, if the lower bound of its
    Spearman-Brown coefficient is above zero, that is, if its two items surely go together. A cell of fewer than
    `min_n` respondents, whose bound says more of their number than of the scale, does not decide, and
    neither does one that could not be estimated for want of respondents or items. A cell whose total score does not
    vary decides against the scale, and a scale without any cell that decides is compared item by item.

    Parameters
    ----------
    found
        What `reliability` found, of any number of scales. Where it has no organisations, those of ``all`` decide.
    at_least
        Smallest lower bound of alpha.
    min_n
        Fewest respondents of a cell that decides.

    Returns
    -------
    DataFrame
        One row a scale, in their order: `scale`, `use` (``scale`` or ``items_only``), `reason` in words.
    """
    if not 0 <= at_least < 1:
        raise ValueError(f"at_least {at_least} is not from 0 to 1")
    cells = found[
        found["term"].isin(["alpha", "spearman_brown"])
        & found["item"].eq("")
        & found["wave"].ne(ALL)
        & ~found["wave"].str.contains(BETWEEN, regex=False)
        & ~found["organisation"].str.contains(BETWEEN, regex=False)
    ]
    rows = [
        (scale, *_judge(of_scale, at_least, min_n)) for scale, of_scale in cells.groupby("scale", sort=False)
    ]
    return pd.DataFrame(rows, columns=["scale", "use", "reason"]).astype("str")


def _judge(cells: pd.DataFrame, at_least: float, min_n: int) -> tuple[str, str]:
    """Judge one scale by its cells."""
    named = cells[cells["organisation"] != ALL]
    cells = (named if len(named) else cells).assign(
        place=lambda of: of["wave"] + ", " + of["organisation"], lowest=lambda of: of["conf_low"]
    )
    # Of a cell with two items, the Spearman-Brown coefficient speaks; of others, alpha.
    pairs = set(cells.loc[cells["term"] == "spearman_brown", "place"])
    cells = cells[(cells["term"] == "spearman_brown") | ~cells["place"].isin(pairs)]
    flat = cells[cells["note"].str.startswith(("the total score does not vary", "fewer than two items vary"))]
    if len(flat):
        return ITEMS_ONLY, f"answers do not vary in {'; '.join(flat['place'])}"
    deciding = cells[(cells["status"] == Status.OK) & (cells["n"] >= min_n) & cells["conf_low"].notna()]
    if deciding.empty:
        return (
            ITEMS_ONLY,
            f"no wave and organisation has {min_n} respondents whose answers can be estimated from",
        )
    two = deciding["term"].eq("spearman_brown")
    against = deciding[deciding["conf_low"].lt(at_least) & ~two | deciding["conf_low"].le(0) & two]
    if len(against):
        worst = against.sort_values("conf_low", kind="stable").iloc[0]
        what = (
            "its two items may not go together"
            if worst["term"] == "spearman_brown"
            else "alpha may be too low"
        )
        return ITEMS_ONLY, (
            f"{what} in {len(against)} of {len(deciding)} cells: "
            f"lower bound {worst['conf_low']:.2f} in {worst['place']}"
        )
    least = deciding["conf_low"].min()
    if two.all():
        return (
            AS_SCALE,
            f"its two items go together in all {len(deciding)} cells: lower bound at least {least:.2f}",
        )
    return (
        AS_SCALE,
        f"lower bound of alpha at least {at_least:.2f} in all {len(deciding)} cells: lowest {least:.2f}",
    )
