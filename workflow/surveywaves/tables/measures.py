"""How good the measures are: every coefficient of a scale, its items, and whether these work alike in all groups."""

from __future__ import annotations

from typing import Any, Final, Literal

import pandas as pd

from surveywaves.tables.layout import (
    NOTHING,
    Cell,
    Column,
    Table,
    interval_cell,
    is_withheld,
    number_cell,
    p_cell,
    status_cell,
    withheld_cell,
)
from surveywaves.terms import ALL, BETWEEN, LOW_RELIABILITY, LOW_RELIABILITY_MARK, Status
from surveywaves.words import STATUS, Labels, as_float, is_missing, number, p_value, records, whole

COEFFICIENTS: Final = {
    "ordinal_alpha": Column("Ordinal alpha", numeric=True, spoken="alpha of polychoric correlations"),
    "omega_total": Column("Omega", numeric=True, spoken="McDonald's omega total, one factor"),
    "mean_inter_item_r": Column("Mean r", numeric=True, spoken="mean correlation between statements"),
    "floor": Column("Floor %", numeric=True, spoken="respondents with the lowest possible score"),
    "ceiling": Column("Ceiling %", numeric=True, spoken="respondents with the highest possible score"),
}
"""Terms beside alpha, in the order of presentation."""

_USES: Final = {"scale": "reliable enough", LOW_RELIABILITY: LOW_RELIABILITY_MARK}


def measures(frame: pd.DataFrame, labels: Labels, *, organisation: str = ALL) -> Table:
    """List every reliability coefficient, a scale and wave a row.

    Parameters
    ----------
    frame
        `reliability`.
    organisation
        Whose answers.
    """
    chosen = frame[
        (frame["organisation"] == organisation)
        & (frame["item"] == "")
        & ~frame["wave"].str.contains(BETWEEN, regex=False)
    ]
    found = {(row.scale, row.wave, row.term): row for row in records(chosen)}
    present = set(chosen["term"])
    terms = [term for term in COEFFICIENTS if term in present]
    waves = [wave for wave in (*labels.presentation.waves, ALL) if wave in set(chosen["wave"])]
    rows = [
        (
            Cell(labels.scale(scale)),
            Cell(labels.wave(wave)),
            *_coefficients({term: found.get((scale, wave, term)) for term in ("alpha", *terms)}, labels),
        )
        for scale in labels.scales_in(chosen)
        for wave in waves
        if (scale, wave, "alpha") in found
    ]
    return Table(
        name="reliability" if organisation == ALL else f"reliability_{organisation}",
        title=f"Reliability of each scale: {labels.organisation(organisation)}",
        columns=(
            Column("Scale"),
            Column("Wave"),
            Column("n", numeric=True, spoken="respondents who answered every statement of the scale"),
            Column("Alpha", numeric=True, spoken="Cronbach's alpha"),
            Column(f"{labels.confidence} interval", numeric=True, spoken="bootstrap-t"),
            *(COEFFICIENTS[term] for term in terms),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(chosen),
        about="After reverse keying, of respondents who answered every statement of the scale.",
        evidence=labels.evidence(labels.waves_in(chosen), about=("items",)),
        heads=2,
    )


def _coefficients(terms: dict[str, Any], labels: Labels) -> list[Cell]:
    alpha, *others = terms.values()
    if is_missing(alpha.estimate) and not is_withheld(alpha, "estimate"):
        # The reason stands where alpha would; a list of the scale's items after it says nothing more.
        reason = labels.readable(alpha.note.partition("; not asked: ")[0])
        return [NOTHING, status_cell(alpha.status, reason), NOTHING] + [NOTHING] * len(others)
    return [
        number_cell(alpha, "n", whole),
        _coefficient(alpha, labels),
        interval_cell(alpha),
        *(_coefficient(row, labels, said=alpha.note) for row in others),
    ]


def _coefficient(row: Any, labels: Labels, *, said: str = "") -> Cell:
    """Print a coefficient; a note that alpha's cell carries is not said again."""
    if is_withheld(row, "estimate"):
        return withheld_cell()
    if row is None or is_missing(row.estimate):
        return NOTHING
    decimals = 1 if row.term in {"floor", "ceiling"} else 2
    status = "" if row.status == Status.OK else STATUS.get(row.status, row.status)
    told = "" if row.note == said else labels.readable(row.note)
    note = ": ".join(filter(None, (status, told)))
    return Cell(number(row.estimate, decimals=decimals), as_float(row.estimate), (note,) if note else ())


def item_measures(frame: pd.DataFrame, labels: Labels, *, organisation: str = ALL) -> Table:
    """List every statement's correlation with the rest of its scale, and alpha without it, the waves side by side.

    Parameters
    ----------
    frame
        `reliability`.
    """
    chosen = frame[(frame["organisation"] == organisation) & frame["item"].ne("")]
    found = {(row.item, row.wave, row.term): row for row in records(chosen)}
    waves = [wave for wave in labels.presentation.waves if wave in set(chosen["wave"])]
    places = list(dict.fromkeys(zip(chosen["scale"], chosen["item"], strict=True)))
    heads = (
        Column(
            "r with the rest", numeric=True, spoken="correlation with the sum of the scale's other statements"
        ),
        Column("alpha without it", numeric=True),
    )
    return Table(
        name="reliability_items",
        title="Each statement within its scale",
        columns=(
            Column("Scale"),
            Column("Statement"),
            *(
                Column(head.head, labels.wave_with_evidence(wave), numeric=True, spoken=head.spoken)
                for wave in waves
                for head in heads
            ),
        ),
        rows=tuple(
            (
                Cell(labels.scale(scale)),
                Cell(labels.item(item)),
                *(
                    _coefficient(found.get((item, wave, term)), labels)
                    for wave in waves
                    for term in ("item_rest_r", "alpha_if_dropped")
                ),
            )
            for scale, item in places
        ),
        data=labels.with_evidence(chosen),
        about=f"{labels.organisation(organisation)}.",
        evidence=labels.evidence(waves, about=("items",)),
        heads=2,
    )


def alpha_equality(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the tests that alpha is the same in two waves or organisations, and in all of them where these are more.

    Parameters
    ----------
    frame
        `reliability`. Comparisons that could not be made stay in the data and are counted in words.
    """
    chosen = frame[frame["term"].isin(["alpha_difference", "equality"])]
    # of two groups the test over all is that of the pair
    listed = chosen[
        (chosen["estimate"].notna() | chosen["status"].eq(Status.WITHHELD))
        & (chosen["term"].eq("alpha_difference") | chosen["df"].gt(1))
    ]
    pairs = chosen[chosen["term"] == "alpha_difference"]
    left = len(pairs) - int((listed["term"] == "alpha_difference").sum())
    return Table(
        name="reliability_equality",
        title="Whether alpha is the same",
        columns=(
            Column("Scale"),
            Column("Wave"),
            Column("Organisation"),
            Column("n", numeric=True, spoken="respondents"),
            Column("Difference", numeric=True, spoken="of two alphas"),
            Column(f"{labels.confidence} interval", numeric=True),
            Column("χ² (df)", numeric=True, spoken="Wald's chi-square, of more than two"),
            Column("p", numeric=True),
        ),
        rows=tuple(_compared(row, labels) for row in records(listed)),
        data=labels.with_evidence(chosen),
        about="Wald tests of log(1 - alpha) with distribution-free standard errors, on the statements that all "
        "compared were asked."
        + (
            f" Not listed: {whole(left)} of {whole(len(pairs))} comparisons that could not be made "
            "(the data say why of each)."
            if left
            else ""
        ),
        evidence=labels.evidence(labels.presentation.waves, about=("items", "organisation")),
        heads=3,
    )


def _compared(row: Any, labels: Labels) -> tuple[Cell, ...]:
    pair = row.term == "alpha_difference"
    every = (Cell("All waves"), Cell(labels.organisation(row.organisation)))
    if row.wave != ALL:
        every = (Cell(labels.wave(row.wave)), Cell("All organisations"))
    places = (Cell(labels.wave(row.wave)), Cell(labels.organisation(row.organisation)))
    head = (Cell(labels.scale(row.scale)), *(places if pair else every), number_cell(row, "n", whole))
    if is_withheld(row, "estimate"):
        return (*head, withheld_cell(), NOTHING, NOTHING, NOTHING)
    p = p_cell(row, "p_value")
    if pair:
        difference = number(row.estimate, signed=True, decimals=2)
        return (*head, Cell(difference, as_float(row.estimate)), interval_cell(row), NOTHING, p)
    df = "" if is_missing(row.df) else f" ({whole(row.df)})"
    return (
        *head,
        NOTHING,
        NOTHING,
        Cell(f"{number(row.estimate, decimals=2)}{df}", as_float(row.estimate)),
        p,
    )


def scale_use(frame: pd.DataFrame, labels: Labels) -> Table:
    """List which scales are reliable enough, which are marked as of low reliability, and why.

    Parameters
    ----------
    frame
        `scale_use`.
    """
    rows = tuple(
        (
            Cell(labels.scale(row.scale)),
            Cell(_USES.get(row.use, row.use), tone="" if row.use == "scale" else "caution"),
            Cell(labels.readable(row.reason)),
        )
        for row in records(frame)
    )
    return Table(
        name="scale_use",
        title="Which scales are reliable enough",
        columns=(Column("Scale"), Column("Reliability"), Column("Why")),
        rows=rows,
        data=frame,
        evidence=labels.evidence(labels.presentation.waves, about=("items", "organisation")),
    )


SHOWN: Final = (
    ("uniform_log_odds", "", Column("log odds", "Uniform", numeric=True)),
    ("uniform_lr", "p_adjusted", Column("adj. p", "Uniform", numeric=True, spoken="adjusted p")),
    ("uniform_r2_change", "", Column("R² change", "Uniform", numeric=True)),
    ("nonuniform_lr", "p_adjusted", Column("adj. p", "Non-uniform", numeric=True, spoken="adjusted p")),
    ("nonuniform_r2_change", "", Column("R² change", "Non-uniform", numeric=True)),
    ("total_lr", "p_adjusted", Column("adj. p", "Both together", numeric=True, spoken="adjusted p")),
    ("total_r2_change", "", Column("R² change", "Both together", numeric=True)),
)
"""Term, what of it is shown if not the estimate, and under which head."""


def dif(frame: pd.DataFrame, labels: Labels, *, between: Literal["wave", "organisation"]) -> Table:
    """List differential item functioning between waves, or between organisations.

    Parameters
    ----------
    frame
        `dif`.
    between
        Which comparisons. Those that could not be made stay in the data and are counted in words.
    """
    chosen = frame[frame[between] != ""]
    listed = chosen[chosen["estimate"].notna() | (chosen["status"] == Status.WITHHELD)]
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in records(listed):
        found.setdefault((row.scale, row.item, getattr(row, between)), {})[row.term] = row
    tried = len(chosen[["scale", "item", between]].drop_duplicates())
    words = labels.wave if between == "wave" else labels.organisation
    several = {"wave": "All waves at once", "organisation": "All organisations at once"}[between]
    rows = tuple(
        (
            Cell(labels.scale(scale)),
            Cell(labels.item(item)),
            Cell(several if comparison == ALL else words(comparison)),
            _n(terms),
            *(_shown(terms.get(term), what) for term, what, _ in SHOWN),
            _size(terms.get("total_r2_change")),
        )
        for (scale, item, comparison), terms in found.items()
    )
    left = tried - len(found)
    return Table(
        name=f"dif_{between}",
        title=f"Differential item functioning between {between}s",
        columns=(
            Column("Scale"),
            Column("Statement"),
            Column("Comparison"),
            Column("n", numeric=True, spoken="respondents"),
            *(column for *_, column in SHOWN),
            Column("Size", "Both together", spoken="class of Jodoin and Gierl"),
        ),
        rows=rows,
        data=labels.with_evidence(chosen),
        about="Likelihood ratio tests of ordinal logistic models, and the change of Nagelkerke's R²."
        + (
            f" Not listed: {whole(left)} of {whole(tried)} comparisons that could not be made "
            "(the data say why of each)."
            if left
            else ""
        ),
        evidence=labels.evidence(
            labels.waves_in(chosen) if len(chosen) else (), about=("items", "organisation")
        )
        if between == "wave"
        else labels.evidence(labels.presentation.waves, about=("items", "organisation")),
        heads=3,
    )


def _n(terms: dict[str, Any]) -> Cell:
    return number_cell(next(iter(terms.values())), "n", whole)


def _shown(row: Any, what: str) -> Cell:
    if is_withheld(row, what or "estimate"):
        return withheld_cell()
    value = None if row is None else getattr(row, what or "estimate")
    if is_missing(value):
        return NOTHING
    if what:
        return Cell(p_value(value), as_float(value))
    signed = row.term.endswith("log_odds")
    return Cell(number(value, signed=signed, decimals=2 if signed else 3), as_float(value))


def _size(row: Any) -> Cell:
    if is_withheld(row, "estimate"):
        return withheld_cell()
    if row is None or not row.note:
        return NOTHING
    word = row.note.split(" ", 1)[0]
    return Cell(word, tone="" if word == "negligible" else "caution")
