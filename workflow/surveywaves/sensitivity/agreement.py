"""How many ways to analyse come to the same decision, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.sensitivity.titles import MAIN, STANDARDISED, title_of
from surveywaves.tidy import Status

CONTRAST: Final = ["scale", "term", "wave", "organisation"]
ROUNDING: Final = 1e-9
ESTIMATED: Final = (Status.OK.value, Status.BOUNDARY.value)


def agreement(table: pd.DataFrame, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Count, for every contrast, the variants that reach the decision of the main analysis.

    Only variants that gave an answer count, and only those whose answer is another one: where a variant changes
    nothing (no item is flagged, nobody is a straight-liner), its numbers are those of the main analysis but for
    rounding (1e-9 of the standard error), and that it agrees with itself says nothing.

    Parameters
    ----------
    table
        What `sensitivity` gives, with the columns of `surveywaves.mixed.decisions.decide`.
    labels
        Words for grouping variables.

    Returns
    -------
    DataFrame
        One row a scale and contrast: `scale, term` (``change``, ``gap``, ``difference_in_differences``), `wave`,
        `organisation`, `decision` of the main analysis (empty: it gave none), `agreeing` and `variants`, the numbers
        of variants that reach it and that gave an answer, and `words`.
    """
    contrasts: dict[tuple[str, ...], list[_Answer]] = {}
    names = ("variant", "decision", "status", "estimate", "std_error")
    for *where, variant, decision, status, value, error in zip(
        *(table[name] for name in (*CONTRAST, *names)), strict=True
    ):
        answered = status in ESTIMATED and decision != ""
        answer = _Answer(variant, decision if answered else "", value, error)
        contrasts.setdefault(tuple(where), []).append(answer)
    rows = []
    for (scale, term, wave, organisation), answers in contrasts.items():
        main = next(answer for answer in answers if answer.variant == MAIN)
        others = [one for one in answers if one.decision and not one.repeats(main)]
        agreeing = sum(one.decision == main.decision for one in others)
        words = _words(main.decision, agreeing, others, labels or {})
        place = (scale, term.removesuffix(STANDARDISED), wave, organisation)
        rows.append((*place, main.decision, agreeing, len(others), words))
    columns = [*CONTRAST, "decision", "agreeing", "variants", "words"]
    text = dict.fromkeys((*CONTRAST, "decision", "words"), "str")
    return pd.DataFrame(rows, columns=columns).astype({**text, "agreeing": "Int64", "variants": "Int64"})


class _Answer(NamedTuple):
    """A variant's answer; no decision, no answer."""

    variant: str
    decision: str
    estimate: float
    error: float

    def repeats(self, main: _Answer) -> bool:
        """Whether it is the main analysis over again; the last digits of that depend on the processor."""
        near = ROUNDING * main.error
        return abs(self.estimate - main.estimate) <= near and abs(self.error - main.error) <= near


def _words(decision: str, agreeing: int, others: Sequence[_Answer], labels: Mapping[str, str]) -> str:
    """Say it: `11 of 12 variants: increase; Ordinal model (logit): inconclusive`."""
    if not others:
        return "no other variant gives another answer" if decision else "no estimate"
    first = f"{agreeing} of {len(others)} variants: {_spaced(decision)}"
    parts = [first if decision else "no estimate by the main analysis"]
    for other in dict.fromkeys(one.decision for one in others if one.decision != decision):
        named = [title_of(one.variant, labels) for one in others if one.decision == other]
        parts.append(f"{_listed(named)}: {_spaced(other)}")
    return "; ".join(parts)


def _spaced(decision: str) -> str:
    return decision.replace("_", " ")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
