"""How different those whose answers were imputed would have to be for a decision to change.

Imputation takes what was not answered for missing at random: given what a respondent did answer, who stops is like who
goes on. Let them be different by delta: every imputed answer of one side of a contrast is higher by delta, in standard
deviations of an answer, or favourable more often by delta percentage points. The pooled estimate q is linear in it,

    q(delta) = q + w s delta,

with w the weight of the side (1, or -1) and s the share of its answers that are imputed, statements weighing equally:
exact without covariates, and near it with them. Its error is taken to stay: it grows by some per cent, the tipping
point by up to a quarter for it. The side is that of which most was imputed: the later or the earlier wave of a change,
one organisation of a gap, one of the four cells of a difference in differences.

A decision changes where q(delta) crosses t_(1 - a0/2) times its error, the test against 0, or comes so near to the
smallest effect that the equivalence test, at a1, changes. a0 and a1 are the levels that adjustment leaves this contrast
in its family, the others of the family as they are. The tipping point is the delta nearest to 0 beyond which the
decision is another one.

Sources: Rubin (1977) J. Am. Stat. Assoc. 72, 538; Yan, Lee and Li (2009) J. Biopharm. Stat. 19, 1085 (tipping point);
Cro, Morris, Kenward and Carpenter (2020) Stat. Med. 39, 2815 (delta-adjusted multiple imputation).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from surveywaves.mixed.contrasts import Weights
from surveywaves.mixed.design import FloatArray, IntArray
from surveywaves.terms import FAVOURABLE, LINEAR, Decision

PLAUSIBLE: Final = {LINEAR: 1.0, FAVOURABLE: 50.0}
"""The largest delta that is looked at: a standard deviation of an answer, which is 50 points at most."""

NAMED: Final = 8
"""So many cells are named; more are counted."""

WHOLE: Final = 9.95
"""From here on points are told without a decimal."""

BEYOND: Final = 1e-9


class Side(NamedTuple):
    """The side of a contrast of which most was imputed.

    Parameters
    ----------
    cells
        Its cells; the weights are the contrast's.
    slope
        What the contrast moves if their imputed answers move by 1.
    """

    cells: Weights
    slope: float

    @property
    def where(self) -> str:
        """The cells in words: hundreds by their number."""
        if len(self.cells) <= NAMED:
            return "; ".join(f"{wave}, {organisation}" for wave, organisation in self.cells)
        return f"{' and '.join(self.cells.waves)}, {len(self.cells)} organisations"


class Tipping(NamedTuple):
    """A tipping point, NaN where there is none, and the same in words."""

    value: float
    words: str


def most_imputed(term: str, weights: Weights, shares: FloatArray) -> Side:
    """Choose the side of a contrast, by its weights and the (C,) shares of the cells' answers that are imputed."""
    moves = weights.numbers * shares[weights.places]
    if term.startswith("difference_in_differences"):
        side = np.arange(len(moves)) == np.abs(moves).argmax()
    else:
        first = (weights.numbers > 0) == (weights.numbers[0] > 0)
        side = first if abs(moves[first].sum()) >= abs(moves[~first].sum()) else ~first
    return Side(weights.some(side), float(moves[side].sum()))


def tipping_points(
    table: pd.DataFrame,
    sides: Sequence[Side],
    families: Sequence[IntArray],
    *,
    confidence: float,
    multiplicity: str,
) -> list[Tipping]:
    """Find the tipping point of every row.

    Parameters
    ----------
    table
        The pooled estimates as `surveywaves.mixed.decisions.decide` leaves them.
    sides
        Of each row.
    families
        Places of the rows of each family: see `surveywaves.mixed.contrasts.families`.
    confidence, multiplicity
        What they were decided by.
    """
    levels = {}
    for name in ("p_value", "p_equivalence"):
        found = np.full(len(table), 1 - confidence)
        every = table[name].to_numpy(dtype=np.float64)
        for members in families:
            tests = members[~np.isnan(every[members])]
            p_values = every[tests]
            for place, row in enumerate(tests):
                found[row] = level(np.delete(p_values, place), multiplicity, 1 - confidence)
        levels[name] = found
    columns = ("analysis", "estimate", "std_error", "df", "smallest")
    return [
        _tipping(str(analysis), side, numbers, differs=differs, equivalent=equivalent)
        for side, analysis, *numbers, differs, equivalent in zip(
            sides, *(table[name] for name in columns), levels["p_value"], levels["p_equivalence"], strict=True
        )
    ]


def level(others: FloatArray, multiplicity: str, alpha: float) -> float:
    """Below which a p-value is significant in a family whose (tests - 1,) other p-values are these.

    By Holm's method others that pass before it leave it a larger share of alpha; by Benjamini and Hochberg's, a rank r
    that the others reach lets everything pass that is below alpha r / tests.
    """
    tests, ranked = len(others) + 1, np.sort(others)
    if multiplicity == "none":
        return alpha
    if multiplicity == "holm":
        passed = ranked < alpha / (tests - np.arange(len(ranked)))
        return alpha / (tests - (len(ranked) if passed.all() else int(np.argmin(passed))))
    ranks = np.arange(2, tests + 1)
    reached = ranks[ranked < alpha * ranks / tests]
    return float(alpha * reached.max(initial=1) / tests)


def _tipping(
    analysis: str, side: Side, numbers: Sequence[float], *, differs: float, equivalent: float
) -> Tipping:
    value, error, df, smallest = numbers
    if not math.isfinite(value):
        return Tipping(math.nan, "")
    if side.slope == 0:
        return Tipping(math.nan, "no answer was imputed")
    moved = float(stdtrit(df, 1 - differs / 2)) * error
    near = smallest - float(stdtrit(df, 1 - equivalent)) * error

    def decision(at: float) -> Decision:
        if abs(at) < near:
            return Decision.NO_MEANINGFUL_CHANGE
        if abs(at) > moved:
            return Decision.INCREASE if at > 0 else Decision.DECREASE
        return Decision.INCONCLUSIVE

    found = [
        (edge - value) / side.slope
        for edge in (-near, near, -moved, moved)
        for step in (-BEYOND, BEYOND)
        if decision(edge + step * error) != decision(value)
    ]
    delta = min(found, key=abs, default=math.inf)
    unit = "SD" if analysis == LINEAR else "points"
    if abs(delta) > PLAUSIBLE[analysis]:
        return Tipping(
            math.nan, f"no difference of {PLAUSIBLE[analysis]:g} {unit} in what was imputed changes it"
        )
    digits = 2 if analysis == LINEAR else 1 if abs(delta) < WHOLE else 0
    least = 10.0**-digits
    size = f"{abs(delta):.{digits}f}" if round(abs(delta), digits) else f"less than {least:g}"
    turned = "higher" if delta > 0 else "lower"
    return Tipping(delta, f"another decision if what was imputed in {side.where} were {size} {unit} {turned}")
