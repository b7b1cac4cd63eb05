"""What was estimated of each scale and statement: means, contrasts, models, sensitivity and plans.

What a contrast comes to is put into words: never more than its decision says, with a sign that does not depend on
colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import (
    NOTHING,
    Cell,
    Column,
    Table,
    decimals_of,
    estimate_cell,
    interval_cell,
    is_withheld,
    number_cell,
    p_cell,
    side_of_zero,
    status_cell,
    withheld_cell,
)
from surveywaves.terms import (
    ALL,
    BETWEEN,
    EMMEAN,
    FAVOURABLE,
    LINEAR,
    ORDINAL,
    PERCENT_FAVOURABLE,
    RETURNS_NEEDED,
    Decision,
    Status,
    variant_title,
)
from surveywaves.words import (
    NONE,
    OUTSIDE,
    Labels,
    as_float,
    interval,
    is_missing,
    lower,
    number,
    p_value,
    percentage,
    records,
    share,
    whole,
)

SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    Decision.INCREASE: ("▲", "up"),
    Decision.DECREASE: ("▼", "down"),
    Decision.NO_MEANINGFUL_CHANGE: ("○", ""),
    Decision.INCONCLUSIVE: ("?", "muted"),
}
"""Decision -> sign and tone."""

SCALES: Final[Mapping[str, Mapping[str, str]]] = {
    "change": {
        Decision.INCREASE: "increase",
        Decision.DECREASE: "decrease",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful change",
    },
    "gap": {
        Decision.INCREASE: "{first} higher",
        Decision.DECREASE: "{first} lower",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful gap",
    },
    "difference_in_differences": {
        Decision.INCREASE: "{first} gained ground",
        Decision.DECREASE: "{first} lost ground",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful difference",
    },
}
"""Kind of contrast -> decision about a scale -> words; of gaps and differences in differences, of the first-named."""

STATEMENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "change": {Decision.INCREASE: "more favourable", Decision.DECREASE: "less favourable"},
    "gap": {Decision.INCREASE: "{first} more favourable", Decision.DECREASE: "{first} less favourable"},
    "difference_in_differences": {
        Decision.INCREASE: "{first} changed more favourably",
        Decision.DECREASE: "{first} changed less favourably",
    },
}
"""The same of a statement, which may be worded either way: its number rises with favour, not with agreement."""


def base_term(term: str) -> str:
    """Give the kind of a contrast, whatever unit its term is in."""
    return next((kind for kind in SCALES if term == kind or term.startswith(f"{kind}_")), term)


def decision_words(decision: str, term: str, *, first: str, statement: bool = False) -> str:
    """Put a decision into words.

    Parameters
    ----------
    decision, term
        One of `Decision`, and the term of its contrast.
    first
        The organisation named first in the contrast, in words.
    statement
        Whether it is about a single statement.
    """
    kind = base_term(term)
    about_scales, about_statements = SCALES.get(kind, {}), STATEMENTS.get(kind, {})
    words = about_scales.get(decision, decision.replace("_", " "))
    return (about_statements.get(decision, words) if statement else words).format(first=first)


def first_named(organisation: str, labels: Labels) -> str:
    """Word the organisation that a contrast names first."""
    return labels.organisation(organisation.partition(BETWEEN)[0])


def decision_cell(row: Any, labels: Labels) -> Cell:
    """Print the decision of a row; a dash where there is none."""
    if is_missing(row.decision) or not row.decision:
        return NOTHING
    sign, tone = SIGNS.get(row.decision, ("", ""))
    words = decision_words(
        row.decision,
        row.term,
        first=first_named(row.organisation, labels),
        statement=bool(getattr(row, "item", "")),
    )
    return Cell(f"{sign} {words}".strip(), words, tone=tone)


def smallest_effect(frame: pd.DataFrame, unit: str, *, decimals: int = 2) -> str:
    """Say what decisions are held against; empty if the frame holds no decisions.

    Parameters
    ----------
    frame
        Contrasts of one term, with the columns of `surveywaves.tidy.DECIDED`.
    unit
        Unit of the estimate, in words.
    """
    if "smallest" not in frame.columns or not frame["smallest"].notna().any():
        return ""
    low, high = (
        number(value, decimals=decimals) for value in (frame["smallest"].min(), frame["smallest"].max())
    )
    size = f"±{low} {unit}" if low == high else f"±{low} to ±{high} {unit}, by scale"
    return (
        f"Decision: by tests of difference and of equivalence, at the adjusted p, against the smallest effect of "
        f"interest ({size}). Equivalence p: adjusted; that the difference is at least that large. Inconclusive "
        "is not the same as no change."
    )


CONTRASTS: Final = {
    "change": "Change between waves, within an organisation",
    "gap": "Gap between organisations, within a wave",
    "difference_in_differences": "Difference in differences: did one organisation change more than the other?",
}
"""Terms of the contrasts, in the order of presentation, and what each asks."""

PERCENT: Final = "percent_favourable"
STANDARDISED: Final = "_standardised"

UNITS: Final = {
    "": ("Estimate", "points"),
    STANDARDISED: ("Estimate (SD)", "standard deviations of one answer"),
    f"_{PERCENT_FAVOURABLE}": ("Percentage points", "percentage points"),
}
"""How a term ends -> head of its column, and its unit in words."""


MEASURED_IN: Final = {
    FAVOURABLE: "percentage points of favourable answers",
    LINEAR: "points of the response scale",
    ORDINAL: "log odds",
}
"""Analysis -> what its contrasts are in, in the order of presentation: the headline first."""


def main_analysis(frame: pd.DataFrame) -> str:
    """Name the analysis that speaks for a table of several: % favourable, else the linear model, else the first.

    Parameters
    ----------
    frame
        Contrasts, or `agreement`, which has decisions and no estimates.
    """
    shares = frame[frame["analysis"] == FAVOURABLE]
    if (shares["estimate"].notna() if "estimate" in shares else shares["decision"].fillna("").ne("")).any():
        return FAVOURABLE
    found = set(frame["analysis"])
    return LINEAR if LINEAR in found else next(iter(frame["analysis"]), "")


def term_in(analysis: str, kind: str) -> str:
    """Name the term of a kind of contrast in the unit of an analysis."""
    return f"{kind}_{PERCENT_FAVOURABLE}" if analysis == FAVOURABLE else kind


def staff(organisation: str, labels: Labels) -> str:
    """Name whom an estimate is of: an organisation, a contrast of two, or all staff."""
    return "All staff" if organisation == ALL else labels.organisation(organisation)


def model_of(analysis: str) -> str:
    """Name what estimates come from."""
    return "from the answers" if analysis == FAVOURABLE else f"{analysis} model"


def means_in(frame: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out estimated means in one of `surveywaves.catalogue.UNITS`; see `means`."""
    if unit == PERCENT:
        return means(frame, labels, analysis=FAVOURABLE, term=PERCENT)
    return means(frame, labels, analysis=unit)


def means(frame: pd.DataFrame, labels: Labels, *, analysis: str, term: str = EMMEAN) -> Table:
    """Lay out estimated means of each scale by wave and organisation.

    Parameters
    ----------
    frame
        `means`.
    analysis, term
        One of the analyses and terms in it: ``emmean``, or ``percent_favourable``.
    """
    chosen = frame[(frame["analysis"] == analysis) & (frame["term"] == term)]
    percent = term.endswith(PERCENT_FAVOURABLE)
    found = {(row.scale, row.wave, row.organisation): row for row in records(chosen)}
    waves = labels.waves_in(chosen)
    present = set(chosen["organisation"])
    organisations = [name for name in labels.organisation_order if name in present]
    cells = [(wave, organisation) for wave in waves for organisation in organisations]
    columns = [Column("Scale")] + [
        Column(staff(organisation, labels), labels.wave_with_evidence(wave), numeric=True)
        for wave, organisation in cells
    ]
    rows = tuple(
        (
            Cell(labels.scale(scale)),
            *(
                estimate_cell(
                    found.get((scale, *cell)),
                    labels,
                    with_interval=True,
                    decimals=_decimals(term, found.get((scale, *cell))),
                )
                for cell in cells
            ),
        )
        for scale in labels.scales_in(chosen)
    )
    what = "Favourable answers in %" if percent else "Estimated mean of each scale"
    return Table(
        name=f"means_{analysis}" if term == EMMEAN else f"means_{term}",
        title=f"{what}, by wave and organisation ({model_of(analysis)})",
        columns=tuple(columns),
        rows=rows,
        data=labels.with_evidence(chosen),
        about=f"Share of favourable answers to the scale's statements, with its {labels.confidence} interval."
        if percent
        else f"Mean with its {labels.confidence} interval; higher means more of what the scale measures.",
        evidence=labels.evidence(waves, about=("items", "organisation")),
    )


def contrasts_in(frame: pd.DataFrame, labels: Labels, *, term: str, unit: str) -> Table:
    """List contrasts of one kind in one of `surveywaves.catalogue.UNITS`; see `contrasts`.

    Of statements, only those that are estimated or withheld; why the others are not stands in the data.
    """
    analysis = FAVOURABLE if unit == PERCENT else unit
    term = term_in(analysis, term)
    full = contrasts(frame, labels, analysis=analysis, term=term)
    if frame["item"].eq("").all():
        return full
    there = frame["estimate"].notna() | (frame["status"] == Status.WITHHELD)
    shown = contrasts(frame[there], labels, analysis=analysis, term=term)
    if len(shown.rows) == len(full.rows):
        return full
    left = "Contrasts that cannot be estimated are left out; the data say why of each."
    return replace(shown, data=full.data, about=f"{shown.about} {left}".strip())


def contrasts(frame: pd.DataFrame, labels: Labels, *, analysis: str, term: str) -> Table:
    """List contrasts of one kind: estimate, interval, p, adjusted p, and the decision.

    Where the frame holds no decisions, the last column says on which side of zero the interval lies. Where it holds
    the same contrasts standardised, these stand beside the estimate.

    Parameters
    ----------
    frame
        `contrasts`, or `item_contrasts`: then a row is about a statement.
    analysis, term
        One of the analyses and terms in it.
    """
    of_analysis = frame[frame["analysis"] == analysis]
    chosen = of_analysis[of_analysis["term"] == term]
    by_item = bool(chosen["item"].ne("").any())
    beside = of_analysis[of_analysis["term"] == f"{term}{STANDARDISED}"]
    standardised = {(row.scale, row.item, row.wave, row.organisation): row for row in records(beside)}
    decided = "decision" in frame.columns
    of_scale = dict(iter(chosen.groupby("scale", sort=False)))
    rows = [
        (
            Cell(labels.scale(scale) if scale else OUTSIDE),
            *([Cell(labels.item(row.item))] if by_item else []),
            Cell(labels.wave(row.wave)),
            Cell(staff(row.organisation, labels)),
            _with_asked(estimate_cell(row, labels, signed=True, decimals=_decimals(term, row)), row, labels),
            interval_cell(row, decimals=_decimals(term, row)),
            *(
                [_signed(standardised.get((row.scale, row.item, row.wave, row.organisation)))]
                if standardised
                else []
            ),
            p_cell(row, "p_value"),
            p_cell(row, "p_adjusted"),
            *([_equivalence(row)] if decided else []),
            number_cell(row, "n", whole),
            _verdict(row, labels, decided=decided),
        )
        for scale in (*labels.scales_in(chosen), *([""] if "" in of_scale else []))
        for row in records(of_scale[scale])
    ]
    head, unit = UNITS.get(term.removeprefix(base_term(term)), UNITS[""])
    if analysis == ORDINAL and term == base_term(term):
        head, unit = "Log odds", "on the log odds scale"
    kind = CONTRASTS.get(base_term(term), labels.plain(term))
    suffix = ": % favourable answers" if term.endswith(PERCENT_FAVOURABLE) else ""
    suffix += " (standardised)" if term.endswith(STANDARDISED) else ""
    return Table(
        name=f"{term}_{analysis}" + ("_items" if by_item else ""),
        title=f"{kind}{suffix} ({'statement by statement, ' if by_item else ''}{model_of(analysis)})",
        columns=(
            Column("Scale"),
            *([Column("Statement")] if by_item else []),
            Column("Wave"),
            Column("Organisation"),
            Column(head, numeric=True),
            Column(f"{labels.confidence} interval", numeric=True),
            *([Column("Standardised", numeric=True)] if standardised else []),
            Column("p", numeric=True),
            Column("Adjusted p", numeric=True),
            *([Column("Equivalence p", numeric=True)] if decided else []),
            Column("n", numeric=True, spoken="respondents"),
            Column("Decision" if decided else "Where it lies"),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(chosen),
        about=f"{smallest_effect(chosen, unit, decimals=_decimals(term))}".strip(),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items", "organisation")),
        heads=4 if by_item else 3,
    )


def _with_asked(cell: Cell, row: Any, labels: Labels) -> Cell:
    """Note beside an estimate that a wave asked fewer of its statements, or in other words."""
    note = "" if is_missing(row.estimate) else labels.asked_note(row.wave.split(BETWEEN), row.scale, row.item)
    return replace(cell, notes=(*cell.notes, note)) if note else cell


def _equivalence(row: Any) -> Cell:
    """Print the p of the equivalence test: the adjusted one, unless none is."""
    adjusted = "p_equivalence" if is_missing(row.p_equivalence_adjusted) else "p_equivalence_adjusted"
    return p_cell(row, adjusted)


def _verdict(row: Any, labels: Labels, *, decided: bool) -> Cell:
    if is_withheld(row, "estimate"):
        return withheld_cell()
    if is_missing(row.estimate):
        return NOTHING
    return decision_cell(row, labels) if decided else side_of_zero(row, labels)


def _signed(row: Any) -> Cell:
    return number_cell(row, "estimate", lambda value: number(value, signed=True))


def _decimals(term: str, row: Any = None) -> int:
    """Percentages get one decimal, as everywhere, and other estimates two, if they were released with so many."""
    return decimals_of(row, 1 if term.endswith(PERCENT_FAVOURABLE) else 2)


def overview(frame: pd.DataFrame, labels: Labels, *, term: str) -> Table:
    """Set all scales side by side: every estimate of the headline behind the sign of its decision.

    Parameters
    ----------
    frame
        `contrasts`.
    term
        Kind of contrast. Contrasts that no scale has an estimate of are left out.
    """
    analysis = main_analysis(frame)
    chosen = frame[(frame["analysis"] == analysis) & (frame["term"] == term_in(analysis, term))]
    found = {(row.scale, row.wave, row.organisation): row for row in records(chosen)}
    there = chosen[chosen["estimate"].notna()]
    places = set(zip(there["wave"], there["organisation"], strict=True))
    shown = [
        place
        for place in dict.fromkeys(zip(chosen["wave"], chosen["organisation"], strict=True))
        if place in places
    ]
    columns = [
        Column(staff(organisation, labels), labels.wave(wave), numeric=True) for wave, organisation in shown
    ]
    return Table(
        name=f"overview_{term}",
        title=f"{labels.plain(term)}: all scales at a glance"
        + (f", in {MEASURED_IN.get(analysis, analysis)}" if analysis else ""),
        columns=(Column("Scale"), *columns),
        rows=tuple(
            (Cell(labels.scale(scale)), *(_glance(found.get((scale, *place)), labels) for place in shown))
            for scale in (labels.scales_in(chosen) if shown else ())
        ),
        data=labels.with_evidence(chosen if shown else chosen[:0]),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items", "organisation")),
    )


def _glance(row: Any, labels: Labels) -> Cell:
    """Print an estimate behind the sign of its decision; or why there is none."""
    if row is None or is_missing(row.estimate):
        return estimate_cell(row, labels)
    cell = estimate_cell(row, labels, signed=True, decimals=_decimals(row.term, row))
    decision = getattr(row, "decision", "")
    sign, tone = SIGNS.get(decision, ("", ""))
    said = f" ({_decided_by(row)})" if decision else ""
    return Cell(f"{sign} {cell.text}{said}".strip(), as_float(row.estimate), cell.notes, tone or cell.tone)


def _decided_by(row: Any) -> str:
    """Print the p-values that a decision rests on; of one that is inconclusive, both."""
    adjusted = row.p_value if is_missing(row.p_adjusted) else row.p_adjusted
    difference, equivalence = f"p {p_value(adjusted)}", f"equivalence p {_equivalence(row).text}"
    if row.decision == Decision.NO_MEANINGFUL_CHANGE:
        return equivalence
    return difference if row.decision != Decision.INCONCLUSIVE else f"{difference}, {equivalence}"


def sensitivity(frame: pd.DataFrame, labels: Labels, *, term: str, percent: bool = False) -> Table:
    """Lay out one kind of contrast, a variant of the analysis a column.

    Parameters
    ----------
    frame
        `sensitivity`.
    term
        Kind of contrast: `change`, `gap` or `difference_in_differences`.
    percent
        Whether it is laid out in percentage points of favourable answers, instead of standard deviations.
    """
    chosen = frame[(frame["term"].map(base_term) == term) & ((frame["analysis"] == FAVOURABLE) == percent)]
    unit = MEASURED_IN[FAVOURABLE] if percent else UNITS[STANDARDISED][1]
    estimated = chosen["estimate"].notna()
    possible = set(chosen.loc[estimated, "variant"])
    listed = chosen[estimated | (chosen["status"] == Status.WITHHELD)]
    variants = [variant for variant in dict.fromkeys(chosen["variant"]) if variant in possible]
    found = {(row.scale, row.wave, row.organisation, row.variant): row for row in records(listed)}
    places = list(dict.fromkeys(zip(listed["scale"], listed["wave"], listed["organisation"], strict=True)))
    words = {name: variable.label for name, variable in labels.presentation.variables.items()}
    signs = "; ".join(f"{sign} {decision.replace('_', ' ')}" for decision, (sign, _) in SIGNS.items())
    return Table(
        name=f"sensitivity_{term}",
        title=f"{CONTRASTS.get(term, labels.plain(term))}{': % favourable answers' if percent else ''} "
        "(under other choices of analysis)",
        columns=(
            Column("Scale"),
            Column("Wave"),
            Column("Organisation"),
            *(Column(variant_title(variant, words), numeric=True) for variant in variants),
        ),
        rows=tuple(
            (
                Cell(labels.scale(scale)),
                Cell(labels.wave(wave)),
                Cell(staff(organisation, labels)),
                *(_variant_cell(found.get((scale, wave, organisation, variant))) for variant in variants),
            )
            for scale, wave, organisation in places
        ),
        data=labels.with_evidence(chosen),
        about=f"In {unit}. {signs}; {NONE} not estimable. Contrasts that no variant can "
        "estimate are left out; intervals are in the data." + _said(chosen, words, labels),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items", "organisation")),
        heads=3,
    )


def _said(chosen: pd.DataFrame, words: Mapping[str, str], labels: Labels) -> str:
    """Say what there is to say of a variant as a whole: why there is none, or that it changes nothing."""
    said = []
    for variant, rows in chosen.groupby("variant", sort=False):
        there = rows[rows["estimate"].notna()]
        told = (there if len(there) else rows)["note"].unique()
        if len(told) == 1 and told[0]:
            beginning = "" if len(there) else "not possible, "
            said.append(f" {variant_title(str(variant), words)}: {beginning}{labels.readable(str(told[0]))}.")
    return "".join(said)


def _variant_cell(row: Any) -> Cell:
    if is_withheld(row, "estimate"):
        return withheld_cell()
    if row is None or is_missing(row.estimate):
        return NOTHING
    sign, tone = SIGNS.get(getattr(row, "decision", ""), ("", ""))
    text = number(row.estimate, _decimals(row.term, row), signed=True)
    return Cell(f"{sign} {text}".strip(), as_float(row.estimate), tone=tone)


def _in_words(row: Any, labels: Labels) -> str:
    """Put the decisions in a row's sentence into the words of its kind of contrast."""
    words, first = str(row.words), first_named(row.organisation, labels)
    for decision in Decision:
        told = decision_words(decision, row.term, first=first)
        words = words.replace(f": {decision.replace('_', ' ')}", f": {told}")
    return words


def agreement(frame: pd.DataFrame, labels: Labels) -> Table:
    """Say of every contrast how many variants of the analysis come to the same decision.

    Parameters
    ----------
    frame
        `agreement`.
    """
    withheld = "status" in frame.columns and bool((frame["status"] == Status.WITHHELD).any())
    words = {name: variable.label for name, variable in labels.presentation.variables.items()}
    rows = tuple(
        (
            Cell(labels.scale(row.scale)),
            Cell(labels.plain(base_term(row.term)) + (", %" if row.analysis == FAVOURABLE else ", SD")),
            Cell(labels.wave(row.wave)),
            Cell(staff(row.organisation, labels)),
            decision_cell(row, labels),
            Cell(
                NONE
                if is_missing(row.agreeing) or not row.decision
                else f"{int(row.agreeing)} of {int(row.variants)}",
                as_float(row.agreeing),
            ),
            _move(row, words),
            _of_agreement(row, "tipping_point"),
            Cell(labels.readable(_in_words(row, labels)) or NONE),
        )
        for row in records(frame)
        if row.decision
    )
    return Table(
        name="agreement",
        title="Agreement of the variants of the analysis with its decisions",
        columns=(
            Column("Scale"),
            Column("Contrast"),
            Column("Wave"),
            Column("Organisation"),
            Column("Main analysis"),
            Column(
                "Agreeing",
                numeric=True,
                spoken="variants that decide alike, of those that moved something",
            ),
            Column("Largest move", numeric=True),
            Column(
                "Tipping point",
                numeric=True,
                spoken="how different the missing answers would have to be for another decision",
            ),
            Column(IN_WORDS),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        about="In standard deviations of one answer (SD), or percentage points of favourable answers (%). Contrasts "
        "that the main analysis cannot estimate are left out"
        + (", and those that are withheld to protect respondents." if withheld else "."),
        evidence=labels.evidence(labels.waves_in(frame), about=("items", "organisation")),
        heads=4,
    )


def _of_agreement(row: Any, what: str) -> Cell:
    """Print a difference in the unit of a row."""
    decimals = 1 if row.analysis == FAVOURABLE else 2
    return number_cell(row, what, lambda value: number(value, decimals, signed=True))


def _move(row: Any, words: Mapping[str, str]) -> Cell:
    """Print how far a variant moved an estimate at most, and which did."""
    cell = _of_agreement(row, "largest_move")
    if not row.largest_variant:
        return cell
    return replace(cell, text=f"{cell.text} ({lower(variant_title(row.largest_variant, words))})")


IN_WORDS: Final = "In words"
"""Head of the column of `agreement` that says all of a row."""


def not_shared(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the decisions that some variant of the analysis does not come to; see `agreement`."""
    table = agreement(frame[(frame["agreeing"] < frame["variants"]).fillna(False)], labels)
    # The words at the end say again what the main analysis decides, and how many agree.
    places = [
        place for place, column in enumerate(table.columns) if place < table.heads or column.head == IN_WORDS
    ]
    return replace(
        table,
        name="agreement_not_shared",
        title="Decisions that some other way to analyse does not come to",
        columns=tuple(table.columns[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in table.rows),
        about="",
    )


COMPONENTS: Final = {
    "n_respondents": "respondents",
    "n_items": "statements",
    "n_teams": "teams",
    "n_categories": "response options",
    "sigma2": "variance within respondents",
    "tau2": "variance between respondents",
    "tau2_team": "variance between teams",
    "icc": "intraclass correlation",
    "icc_team": "intraclass correlation, teams",
    "total_sd": "SD of an answer",
    "r2_marginal": "R², fixed effects",
    "r2_conditional": "R², with respondents",
    "reml_loglik": "restricted log-likelihood",
    "loglik": "log-likelihood",
    "residual_skewness": "skewness of residuals",
    "residual_excess_kurtosis": "excess kurtosis of residuals",
    "respondent_effect_skewness": "skewness of respondent effects",
    "team_effect_skewness": "skewness of team effects",
    "equal_tau2": "equal variance between respondents (F)",
    "equal_sigma2": "equal variance within respondents (F)",
    "proportional_odds": "proportional odds (likelihood ratio)",
    "dispersion": "one dispersion (likelihood ratio)",
}
"""Terms in words; others are shown by their names."""

FOR_MACHINES: Final = {"scaled_gradient"}
"""Terms that stand in the data only."""


def components(frame: pd.DataFrame, labels: Labels, *, analysis: str, title: str) -> Table:
    """Lay models out, a scale a row and a term a column.

    Parameters
    ----------
    frame
        `variances`.
    analysis
        One of the analyses in it.
    """
    chosen = frame[frame["analysis"] == analysis]
    found = {(row.scale, row.term): row for row in records(chosen)}
    terms = [term for term in dict.fromkeys(chosen["term"]) if term not in FOR_MACHINES]
    return Table(
        name=f"models_{analysis}",
        title=f"{title} ({analysis} model)",
        columns=(
            Column("Scale"),
            *(Column(_term(term), numeric=True) for term in terms),
        ),
        rows=tuple(
            (Cell(labels.scale(scale)), *(_component(found.get((scale, term)), labels) for term in terms))
            for scale in labels.scales_in(chosen)
        ),
        data=labels.with_evidence(chosen),
        about=f"In brackets: the {labels.confidence} interval, where there is one."
        if chosen["conf_low"].notna().any()
        else "",
        evidence=labels.evidence(labels.waves_in(chosen), about=("items",)),
    )


def assumptions(frame: pd.DataFrame, labels: Labels) -> Table:
    """List what speaks for and against the models: residuals, how cells differ in spread, and tests.

    Parameters
    ----------
    frame
        `diagnostics`.
    """
    listed = frame[~frame["term"].isin(FOR_MACHINES)]
    rows = [
        (
            Cell(labels.scale(row.scale)),
            Cell(labels.item(row.item) if row.item else NONE, tone="" if row.item else "muted"),
            Cell(_term(row.term)),
            Cell(_place(row, labels)),
            _component(row, labels),
            p_cell(row, "p_value"),
        )
        for scale in labels.scales_in(listed)
        for row in records(listed[listed["scale"] == scale])
    ]
    return Table(
        name="diagnostics",
        title="What the models assume: residuals, spread of the cells, and tests",
        columns=(
            Column("Scale"),
            Column("Statement"),
            Column("What"),
            Column("Where"),
            Column("Estimate", numeric=True),
            Column("p", numeric=True),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(listed),
        evidence=labels.evidence(labels.waves_in(listed), about=("items", "organisation")),
        heads=4,
    )


def _place(row: Any, labels: Labels) -> str:
    """Name the cell that a row is about."""
    places = (
        labels.wave(row.wave) if row.wave not in ("", ALL) else "",
        labels.organisation(row.organisation) if row.organisation not in ("", ALL) else "",
    )
    return ", ".join(filter(None, places)) or "all cells"


def _term(term: str) -> str:
    """Put a term into words: `threshold[1|2]` is "threshold 1|2"."""
    return COMPONENTS.get(term, term.replace("_", " ").replace("[", " ").replace("]", ""))


def _component(row: Any, labels: Labels) -> Cell:
    cell = estimate_cell(row, labels)
    if row is None or is_missing(row.estimate):
        return cell
    text = whole(row.estimate) if row.term.startswith("n_") else number(row.estimate)
    if not is_missing(row.conf_low):
        text = f"{text} ({interval(row.conf_low, row.conf_high)})"
    return Cell(text, as_float(row.estimate), cell.notes, cell.tone)


ASKED: Final[Mapping[str, str]] = {
    "power": "Chance to find the smallest effect of interest, in %",
    "power_adjusted": "Chance to find the smallest effect of interest after adjustment for all scales, in %",
    "power_equivalence": "Chance to show that there is no meaningful difference, where there is none, in %",
    "detectable": "Difference that is found with the planned power, in standard deviations of one answer",
    "conf_half_width": "Half the width of the interval, in standard deviations of one answer",
}
"""Terms of the plan by number of returns, and what each answers."""


def planning(frame: pd.DataFrame, labels: Labels, *, question: str) -> Table:
    """Lay one question of the plan out, a number of returns a column.

    Parameters
    ----------
    frame
        `planning`.
    question
        One of `ASKED`.
    """
    term = question
    chosen = frame[frame["term"] == term]
    returns = sorted({int(n) for n in chosen["n"].dropna()})
    found = {(row.scale, row.wave, row.organisation, row.n): row for row in records(chosen)}
    needed = {
        (row.scale, row.wave, row.organisation): row
        for row in records(frame[frame["term"] == RETURNS_NEEDED])
    }
    with_needed = bool(needed) and term == "power"
    places = list(dict.fromkeys(zip(chosen["scale"], chosen["wave"], chosen["organisation"], strict=True)))
    above = "If so many return the questionnaire"
    percent = term.startswith("power")
    return Table(
        name=f"planning_{term}",
        title=ASKED.get(term, labels.plain(term)),
        columns=(
            Column("Scale"),
            Column("Wave"),
            Column("Organisation"),
            *(Column(whole(n), above, numeric=True) for n in returns),
            *([Column("Returns needed", numeric=True)] if with_needed else []),
        ),
        rows=tuple(
            (
                Cell(labels.scale(place[0])),
                Cell(labels.wave(place[1])),
                Cell(labels.organisation(place[2])),
                *_plan_cells([found.get((*place, n)) for n in returns], labels, percent=percent),
                *([_needed_cell(needed.get(place), labels)] if with_needed else []),
            )
            for place in places
        ),
        data=labels.with_evidence(
            frame[frame["term"].isin([term, RETURNS_NEEDED])] if with_needed else chosen
        ),
        about=_about(labels, percent=percent, with_needed=with_needed),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items", "organisation")),
        heads=3,
    )


def _about(labels: Labels, *, percent: bool, with_needed: bool) -> str:
    """Say what the plan is judged by."""
    planned = labels.presentation.planning
    if planned is None:
        return ""
    smallest = (
        f"The smallest effect of interest is ±{number(planned.smallest)} standard deviations of one answer."
    )
    needed = f"Returns needed: for a chance of {share(planned.power, decimals=0)}."
    return " ".join(filter(None, (smallest if percent else "", needed if with_needed else "")))


def _plan_cells(rows: Sequence[Any], labels: Labels, *, percent: bool) -> list[Cell]:
    """Print a contrast by number of returns; what all of its estimates rest on is noted once."""
    cells: list[Cell] = []
    told: set[str] = set()
    for row in rows:
        if row is None:
            cells.append(NOTHING)
            continue
        note = labels.readable(row.note)
        if is_missing(row.estimate):
            cells.append(status_cell(row.status, note))
            continue
        text = percentage(100 * row.estimate, decimals=0) if percent else number(row.estimate)
        cells.append(Cell(text, as_float(row.estimate), (note,) if note and note not in told else ()))
        told.add(note)
    return cells


def _needed_cell(row: Any, labels: Labels) -> Cell:
    if row is None:
        return NOTHING
    note = labels.readable(row.note)
    if is_missing(row.estimate):
        return status_cell(row.status, note)
    return Cell(whole(row.estimate), as_float(row.estimate), (note,) if note else ())
