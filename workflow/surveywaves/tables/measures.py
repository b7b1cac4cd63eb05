"""How well the scales measure: reliability, structure, and statements that work differently in groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import (
    HIDDEN,
    NOTHING,
    Cell,
    Column,
    Table,
    count_cell,
    estimate_cell,
    is_withheld,
    number_cell,
    p_cell,
    place,
    sentence,
    when,
)
from surveywaves.terms import ALL, BETWEEN, FACTOR_CORRELATION, LOW_RELIABILITY, SIZES, Status
from surveywaves.words import NONE, Labels, is_missing, number, records, whole


def reliability(reliability: pd.DataFrame, labels: Labels, *, scale_use: pd.DataFrame | None = None) -> Table:
    """Lay out alpha with its interval and omega, a scale a row, the waves side by side; organisations below."""
    study = labels.presentation
    own = reliability[(reliability["item"] == "") & reliability["term"].isin(["alpha", "omega_total"])]
    own = own[
        ~own["wave"].str.contains(BETWEEN, regex=False)
        & ~own["organisation"].str.contains(BETWEEN, regex=False)
    ]
    there = own[own["estimate"].notna() | (own["status"] == Status.WITHHELD)]
    low = (
        {}
        if scale_use is None
        else {row.scale: row.reason for row in records(scale_use) if row.use == LOW_RELIABILITY}
    )
    found = {(row.scale, row.wave, row.organisation, row.term): row for row in records(own)}
    waves = [wave for wave in (*study.waves, ALL) if wave in set(there["wave"])]
    if len(study.waves) == 1:
        waves = waves[:1]
    groups = [name for name in (ALL, *study.organisations) if name in set(there["organisation"])]
    groups = groups[:1] if len(study.organisations) == 1 else groups
    terms = [
        (wave, term)
        for wave in waves
        for term in ("alpha", "omega_total")
        if ((there["wave"] == wave) & (there["term"] == term)).any()
    ]
    rows, sections = [], []
    for name in groups:
        for scale in labels.scales_in(there[there["organisation"] == name]):
            alphas = {wave: found.get((scale, wave, name, "alpha")) for wave in waves}
            cells = [
                _coefficient(found.get((scale, wave, name, term)), alphas[wave], labels)
                for wave, term in terms
            ]
            if all(cell is NOTHING for cell in cells):
                continue
            reason = f"low reliability: {labels.readable(low[scale])}" if scale in low else ""
            rows.append((Cell(labels.scale(scale)).noted(sentence(reason)), *cells))
            sections += [place(name, labels)] if len(groups) > 1 else []
    above = {ALL: "All waves together"}
    heads = {"alpha": f"Alpha ({labels.confidence} CI)", "omega_total": "Omega"}
    return Table(
        name="reliability",
        title="Reliability of each scale",
        columns=(
            Column("Scale"),
            *(Column(heads[term], above.get(wave, labels.wave(wave)), numeric=True) for wave, term in terms),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(own),
        notes=(
            f"{NONE}: not asked, or not estimated.",
            f"Cronbach's alpha with a bootstrap-t interval; McDonald's omega total. Of {study.nouns.person[1]} who "
            f"answered every {study.nouns.statement[0]} of the scale, after reverse keying.",
        ),
        sections=tuple(sections),
    )


def _coefficient(row: Any, alpha: Any, labels: Labels) -> Cell:
    """Print a coefficient; who was not asked is not said, and a reason that stands at alpha not again."""
    if row is None or not is_missing(row.estimate) or is_withheld(row, "estimate"):
        return estimate_cell(row, labels, bounds=row is alpha)
    told = str(row.note).startswith(("nobody", "no item")) or (row is not alpha and row.note == alpha.note)
    return NOTHING if told else NOTHING.noted(sentence(str(row.note).partition("; ")[0]))


_STEPS: Final = {"metric": "Loadings", "scalar": "and intercepts"}
"""Step of invariance -> head."""


def structure(structure: pd.DataFrame, labels: Labels) -> Table:
    """Lay out how well one factor fits each scale, and what fit is lost when it is made the same in all groups."""
    chosen = structure[(structure["wave"] == ALL) & (structure["organisation"] == ALL)]
    equal = {
        f"Equal over {plural}, change of CFI": structure[(structure[one] == ALL) & (structure[other] == "")]
        for one, other, plural in (
            ("wave", "organisation", "waves"),
            ("organisation", "wave", labels.presentation.nouns.organisation[1]),
        )
    }
    equal = {head: frame for head, frame in equal.items() if frame["estimate"].notna().any()}
    changes = {(head, row.scale, row.term): row for head, frame in equal.items() for row in records(frame)}
    rows = []
    for scale in labels.scales_in(chosen):
        own = chosen[chosen["scale"] == scale]
        found = {_term(row.term): row for row in records(own[own["item"] == ""])}
        loadings = own[(own["term"] == "loading") & own["estimate"].notna()]
        lowest = next(records(loadings.nsmallest(1, "estimate")), None)
        rows.append(
            (
                Cell(labels.scale(scale)),
                count_cell(found.get("chisq")),
                *_chisq(found.get("chisq"), labels),
                *(_index(found.get(term)) for term in ("cfi", "rmsea", "srmr")),
                number_cell(lowest, "estimate", number),
                estimate_cell(found.get(_NEXT), labels, bounds=True),
                *(
                    _loss(changes.get((head, scale, f"{step}_cfi_change")))
                    for head in equal
                    for step in _STEPS
                ),
            )
        )
    return Table(
        name="structure",
        title="One factor in each scale, and the same factor in all groups",
        columns=(
            Column("Scale"),
            *(
                Column(head, "One factor", numeric=True)
                for head in ("n", "χ² (df)", "p", "CFI", "RMSEA", "SRMR", "Lowest loading")
            ),
            Column(f"r with the next scale ({labels.confidence} CI)", numeric=True),
            *(Column(step, head, numeric=True) for head in equal for step in _STEPS.values()),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(structure),
        notes=(
            f"Polychoric correlations, WLSMV; n: {labels.presentation.nouns.person[1]} who answered every "
            f"{labels.presentation.nouns.statement[0]} of the scale; χ²: scaled and shifted.",
            "Change of CFI: each step adds to what is equal; a fall by more than .010 speaks against equality (bold)."
            if equal
            else "",
        ),
    )


_NEXT: Final = "next"


def _term(term: str) -> str:
    return _NEXT if term.startswith(FACTOR_CORRELATION) else term


def _chisq(row: Any, labels: Labels) -> tuple[Cell, Cell]:
    """Print a test, or why there is none."""
    if row is None or row.status not in (Status.OK, Status.WITHHELD) or is_withheld(row, "estimate"):
        return estimate_cell(row, labels), NOTHING
    df = "" if is_missing(row.df) else f" ({whole(row.df)})"
    cell = estimate_cell(row, labels, decimals=1)
    more = (float(row.df),) if df else ()
    return replace(cell, text=f"{cell.text}{df}", more=more), p_cell(row, "p_value")


def _index(row: Any, *, signed: bool = False) -> Cell:
    return number_cell(row, "estimate", lambda value: number(value, decimals=3, signed=signed))


def _loss(row: Any) -> Cell:
    cell = _index(row, signed=True)
    falls = row is not None and str(row.note).startswith("falls")
    return replace(cell, tone="caution") if falls else cell


SHOWN: Final = (
    ("uniform_log_odds", "", Column("Log odds", "Uniform", numeric=True)),
    ("uniform_lr", "p_adjusted", Column("Adj. p", "Uniform", numeric=True)),
    ("nonuniform_lr", "p_adjusted", Column("Adj. p", "Non-uniform", numeric=True)),
    ("total_lr", "p_adjusted", Column("Adj. p", "Both together", numeric=True)),
    ("total_r2_change", "", Column("R² change", "Both together", numeric=True)),
)
"""Term, what of it is shown if not the estimate, and under which head."""


def dif(dif: pd.DataFrame, labels: Labels) -> Table:
    """List the statements that work differently in groups, by test or by size, and count those tested."""
    level = 1 - labels.presentation.confidence
    tests = dif[dif["term"] == "total_lr"]
    tested, hidden = tests["estimate"].notna().sum(), (tests["status"] == Status.WITHHELD).sum()
    key = ["scale", "item", "wave", "organisation"]
    sizes = dif[dif["term"] == "total_r2_change"]
    large = sizes[sizes["note"].str.startswith(tuple(SIZES[1:]))]
    flagged = pd.concat([tests[tests["p_adjusted"] < level], large])[key].drop_duplicates()
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in records(dif.merge(flagged, on=key)):
        found.setdefault((row.scale, row.item, row.wave, row.organisation), {})[row.term] = row
    rows = []
    for (scale, item, wave, organisation), terms in found.items():
        nouns = labels.presentation.nouns
        over = {"wave": "All waves at once", "organisation": f"All {nouns.organisation[1]} at once"}
        between, name = ("wave", wave) if wave else ("organisation", organisation)
        words = when(name, labels) if wave else labels.organisation(name)
        rows.append(
            (
                Cell(labels.item(item)),
                Cell(labels.scale(scale)),
                Cell(over[between] if name == ALL else words),
                count_cell(terms.get("total_lr")),
                *(_shown(terms.get(term), what) for term, what, _ in SHOWN),
                _size(terms.get("total_r2_change")),
            )
        )
    told = f"{whole(len(rows))} of {whole(tested)} comparisons are listed: those whose test of both together is below "
    return Table(
        name="dif",
        title=f"{labels.presentation.nouns.statement[1].capitalize()} that work differently in groups",
        columns=(
            Column(labels.presentation.nouns.statement[0].capitalize()),
            Column("Scale"),
            Column("Between"),
            Column("n", numeric=True),
            *(column for *_, column in SHOWN),
            Column("Size", "Both together"),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(dif),
        notes=(
            f"{told}{number(level)} after adjustment, or whose size is not negligible (Jodoin and Gierl).",
            f"Withheld: {whole(hidden)}." if hidden else "",
            "Likelihood ratio tests of ordinal logistic models; change of Nagelkerke's R²." if rows else "",
        ),
        heads=3,
    )


def _shown(row: Any, what: str) -> Cell:
    if what:
        return p_cell(row, what)
    signed = row is not None and row.term.endswith("log_odds")
    return number_cell(row, "estimate", lambda value: number(value, 2 if signed else 3, signed=signed))


def _size(row: Any) -> Cell:
    if is_withheld(row, "estimate"):
        return HIDDEN
    if row is None or not row.note:
        return NOTHING
    word = str(row.note).split(" ", 1)[0]
    return Cell(word, tone="" if word == SIZES[0] else "caution")
