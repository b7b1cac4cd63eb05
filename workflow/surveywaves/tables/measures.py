"""How well the scales measure: reliability, structure, and statements that work differently in groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from operator import itemgetter
from typing import Any, Final

import pandas as pd

from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Column, Table, across, by, everybody, laid_out, numbers
from surveywaves.terms import ALL, BETWEEN, FACTOR_CORRELATION, LOW_RELIABILITY, SIZES, Status
from surveywaves.tidy import tuples
from surveywaves.words import NONE, Labels, is_missing, number, records, whole


def reliability(reliability: pd.DataFrame, labels: Labels, *, scale_use: pd.DataFrame | None = None) -> Table:
    """Return alpha with its interval and omega, a row per scale, the waves side by side; organisations below."""
    study = labels.presentation
    names = {"alpha": f"Alpha ({labels.confidence} CI)", "omega_total": "Omega"}
    own = reliability[(reliability["item"] == "") & reliability["term"].isin(list(names))]
    for side in ("wave", "organisation"):
        own = own[~own[side].str.contains(BETWEEN, regex=False)]
    there = printed.known_or_withheld(own)
    use = [] if scale_use is None else records(scale_use[scale_use["use"] == LOW_RELIABILITY])
    low = {row.scale: printed.sentence(f"low reliability: {labels.readable(row.reason)}") for row in use}
    found = by(own, "organisation", "scale", "wave", "term")
    waves = [wave for wave in (*study.waves, ALL) if wave in set(there["wave"])]
    waves = waves[:1] if len(study.waves) == 1 else waves
    shown = there[there["wave"].isin(waves)]
    groups = [name for name in (ALL, *study.organisations) if name in set(shown["organisation"])]
    groups = groups[:1] if len(study.organisations) == 1 else groups
    present = set(tuples(there, "wave", "term"))
    terms = [(wave, term) for wave in waves for term in names if (wave, term) in present]

    def cell(row: tuple[str, str], about: tuple[str, str]) -> Cell:
        return _coefficient(found.get((*row, *about)), found.get((*row, about[0], "alpha")), labels)

    return laid_out(
        "Reliability of each scale",
        [
            (name, scale)
            for name in groups
            for scale in labels.scales_in(shown[shown["organisation"] == name])
        ],
        [
            ("Scale", lambda row: Cell(labels.scale(row[1])).noted(low.get(row[1], ""))),
            across(
                terms,
                lambda about: numbers(
                    names[about[1]], "All waves together" if about[0] == ALL else labels.wave(about[0])
                ),
                cell,
            ),
        ],
        own,
        f"{NONE}: not asked, or not estimated.",
        f"Cronbach's alpha with a bootstrap-t interval; McDonald's omega total. Of {study.nouns.person[1]} who "
        f"answered every {study.nouns.statement[0]} of the scale; reverse-keyed ones are scored the other way.",
        section=lambda row: labels.organisation(row[0]) if len(groups) > 1 else "",
        ranked=everybody(labels, itemgetter(0)),
    )


def _coefficient(row: Any, alpha: Any, labels: Labels) -> Cell:
    """Print a coefficient; a group that was not asked gets no note, and a reason noted at alpha is not repeated."""
    if row is None or not is_missing(row.estimate) or printed.is_withheld(row, "estimate"):
        return printed.estimate(row, labels, bounds=row is alpha)
    if str(row.note).startswith(("nobody", "no item")) or (row is not alpha and row.note == alpha.note):
        return printed.NOTHING
    return printed.NOTHING.noted(printed.sentence(str(row.note).partition("; ")[0]))


_STEPS: Final = {"metric": "Loadings", "scalar": "Loadings and intercepts"}
"""Step of invariance -> head."""


def structure(structure: pd.DataFrame, labels: Labels) -> Table:
    """Return how well one factor fits each scale, and what fit is lost when it is made the same in all groups."""
    nouns = labels.presentation.nouns
    chosen = structure[(structure["wave"] == ALL) & (structure["organisation"] == ALL)]
    equal = {
        f"Equal across {plural}, change in CFI": structure[(structure[one] == ALL) & (structure[other] == "")]
        for one, other, plural in (
            ("wave", "organisation", "waves"),
            ("organisation", "wave", nouns.organisation[1]),
        )
    }
    equal = {head: frame for head, frame in equal.items() if frame["estimate"].notna().any()}
    losses = {head: by(frame, "scale", "term") for head, frame in equal.items()}
    terms = chosen["term"].mask(chosen["term"].str.startswith(FACTOR_CORRELATION), FACTOR_CORRELATION)
    found = by(chosen[chosen["item"] == ""].assign(term=terms), "scale", "term")
    loadings = chosen[chosen["term"] == "loading"].sort_values("estimate").drop_duplicates("scale")
    lowest = by(loadings, "scale")
    heads = ("n", "χ² (df)", "p", "CFI", "RMSEA", "SRMR", "Lowest loading")

    def fit(scale: str) -> Iterator[Cell]:
        test = found.get((scale, "chisq"))
        yield from (printed.count(test), *_chisq(test, labels))
        yield from (_index(found.get((scale, term))) for term in ("cfi", "rmsea", "srmr"))
        yield printed.number(lowest.get(scale), "estimate", number)

    return laid_out(
        "Fit of one factor to each scale, and of the same factor to all groups",
        labels.scales_in(chosen),
        [
            ("Scale", labels.scale),
            ([numbers(head, "One factor") for head in heads], fit),
            (
                numbers(f"r with the next scale ({labels.confidence} CI)"),
                lambda scale: printed.estimate(found.get((scale, FACTOR_CORRELATION)), labels, bounds=True),
            ),
            across(
                product(equal, _STEPS),
                lambda step: numbers(_STEPS[step[1]], step[0]),
                lambda scale, step: _loss(losses[step[0]].get((scale, f"{step[1]}_cfi_change"))),
            ),
        ],
        structure,
        f"Polychoric correlations, WLSMV; n: {nouns.person[1]} who answered every {nouns.statement[0]} of the scale; "
        "χ²: scaled and shifted.",
        bool(equal)
        and "Change in CFI when loadings, and then intercepts too, are made equal; a fall of more than .010 speaks "
        "against equality (bold).",
    )


def _chisq(row: Any, labels: Labels) -> tuple[Cell, Cell]:
    """Print a test, or why there is none."""
    if row is None or row.status not in (Status.OK, Status.WITHHELD) or printed.is_withheld(row, "estimate"):
        return printed.estimate(row, labels), printed.NOTHING
    df = "" if is_missing(row.df) else f" ({whole(row.df)})"
    cell = printed.estimate(row, labels, decimals=1)
    more = (float(row.df),) if df else ()
    return replace(cell, text=f"{cell.text}{df}", more=more), printed.p(row, "p_value")


def _index(row: Any, *, signed: bool = False) -> Cell:
    return printed.number(row, "estimate", lambda value: number(value, decimals=3, signed=signed))


def _loss(row: Any) -> Cell:
    cell = _index(row, signed=True)
    falls = row is not None and str(row.note).startswith("falls")
    return replace(cell, tone="caution") if falls else cell


SHOWN: Final = (
    ("uniform_log_odds", "", numbers("Log odds", "Uniform")),
    ("uniform_lr", "p_adjusted", numbers("Adj. p", "Uniform")),
    ("nonuniform_lr", "p_adjusted", numbers("Adj. p", "Non-uniform")),
    ("total_lr", "p_adjusted", numbers("Adj. p", "Both together")),
    ("total_r2_change", "", numbers("R² change", "Both together")),
)
"""Term, what of it is shown if not the estimate, and under which head."""


def dif(dif: pd.DataFrame, labels: Labels) -> Table:
    """List the statements that work differently in groups, by test or by size, and count those tested."""
    level, nouns = 1 - labels.presentation.confidence, labels.presentation.nouns
    tests, sizes = dif[dif["term"] == "total_lr"], dif[dif["term"] == "total_r2_change"]
    key = ["scale", "item", "wave", "organisation"]
    large = sizes[sizes["note"].str.startswith(tuple(SIZES[1:]))]
    flagged = pd.concat([tests[tests["p_adjusted"] < level], large])[key].drop_duplicates()
    listed = dif.merge(flagged, on=key)
    found = by(listed, *key, "term")

    def between(row: tuple[str, str, str, str]) -> str:
        _, _, wave, organisation = row
        if ALL in (wave, organisation):
            return f"All {'waves' if wave else nouns.organisation[1]} at once"
        return printed.when(wave, labels) if wave else labels.organisation(organisation)

    rows = list(dict.fromkeys(tuples(listed, *key)))
    hidden = (tests["status"] == Status.WITHHELD).sum()
    tested = whole(tests["estimate"].notna().sum())
    return laid_out(
        f"{nouns.statement[1].capitalize()} that work differently between groups",
        rows,
        [
            (nouns.statement[0].capitalize(), lambda row: labels.item(row[1])),
            ("Scale", lambda row: labels.scale(row[0])),
            ("Groups compared", between),
            (numbers("n"), lambda row: printed.count(found.get((*row, "total_lr")))),
            across(SHOWN, itemgetter(2), lambda row, shown: _shown(found.get((*row, shown[0])), shown[1])),
            (Column("Size", "Both together"), lambda row: _size(found.get((*row, "total_r2_change")))),
        ],
        dif,
        f"Listed: {whole(len(rows))} of {tested} comparisons, those whose adjusted p of both together is "
        f"below {number(level)}, or whose size is not negligible (Jodoin and Gierl).",
        f"Comparisons withheld: {whole(hidden)}." if hidden else "",
        "Likelihood ratio tests of ordinal logistic models; change in Nagelkerke's R².",
        heads=3,
    )


def _shown(row: Any, what: str) -> Cell:
    if what:
        return printed.p(row, what)
    signed = row is not None and row.term.endswith("log_odds")
    return printed.number(row, "estimate", lambda value: number(value, 2 if signed else 3, signed=signed))


def _size(row: Any) -> Cell:
    if printed.is_withheld(row, "estimate"):
        return printed.HIDDEN
    if row is None or not row.note:
        return printed.NOTHING
    word = str(row.note).split(" ", 1)[0]
    return Cell(word, tone="" if word == SIZES[0] else "caution")
