"""How it was done, what it cannot say, and what it was made with."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Grid, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.prose import prose
from surveywaves.report.say import level, say
from surveywaves.study.models import Evidence
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.words import WITHHELD, listed


def methods(material: Material) -> Section:
    """Say how it was done."""
    blocks: list[Block] = [Part("What kind of data these are", (Bullets(tuple(_design(material))),))]
    blocks.append(Part("Evidence", (Grid(_evidence()),)))
    blocks.append(Part("Description", (Paragraph(_description()),)))
    if material.has("means"):
        blocks.append(Part("Comparisons", _model(material)))
    blocks.append(Part("When there is no number", (Grid(_statuses(material)),)))
    return Section("methods", "Methods", tuple(blocks))


def limitations(material: Material) -> Section | None:
    """Give the study's own limitations, in its own words."""
    blocks = prose(material.limitations)
    return Section("limitations", "Limitations", tuple(blocks)) if blocks else None


def session(material: Material) -> Section | None:
    """Say what the report was made with."""
    if not material.session:
        return None
    table = Table(
        name="session",
        title="Software",
        columns=(Column("Name"), Column("Version")),
        rows=tuple((Cell(name), Cell(version)) for name, version in material.session.items()),
        data=pd.DataFrame({"name": list(material.session), "version": list(material.session.values())}),
        flat=False,
    )
    return Section("session", "Session information", (TableBlock(table),))


def _design(material: Material) -> list[Markup]:
    said = [
        say("Respondents are anonymous: nobody's answers are linked to a name or another record."),
        say(
            "Those who answered chose to. Where they differ from those who did not, the results differ "
            "from what everybody would have said; the interval of a response rate says nothing about that."
        ),
    ]
    if len(material.presentation.waves) > 1:
        said.insert(
            1,
            say(
                "Respondents are not linked between waves either: the waves are <strong>repeated "
                "cross-sections</strong> of an organisation, not a panel. A change between waves is a "
                "change in the average of whoever answered each time. It may come from people who changed "
                "their minds, from people who left or joined, or from other people answering; these cannot "
                "be told apart. Somebody who answered twice counts as two respondents, which makes "
                "intervals of change somewhat too wide."
            ),
        )
    return said


def _evidence() -> tuple[tuple[str, tuple[Markup, ...]], ...]:
    return tuple((kind.value, (say("{meaning}", meaning=kind.meaning),)) for kind in Evidence)


def _description() -> Markup:
    return say(
        "Percentages are of those who answered the question. Favourable means agreement, or disagreement "
        "where the statement is worded against its scale. Response rates carry Wilson's interval. A "
        "missing answer keeps its reason: not asked, skipped, don't know, invalid, or broke off, which "
        "means that nothing after it was answered."
    )


def _model(material: Material) -> tuple[Block, ...]:
    presentation, several = material.presentation, len(material.presentation.organisations) > 1
    cell = "wave:organisation" if several else "wave"
    covariates = [material.labels.variable(name) for name in presentation.covariates]
    formula = " + ".join([f"answer ~ {cell}", "statement", *presentation.covariates, "(1 | respondent)"])
    adjusted = (
        say(
            " Means are adjusted for {covariates}: each is what the cell would have if everybody's "
            "{covariates} were as in all waves together.",
            covariates=listed([words.lower() for words in covariates]),
        )
        if covariates
        else say(" Means are not adjusted for the composition of the respondents.")
    )
    return (
        Paragraph(say("For each scale: <code>{formula}</code>", formula=formula)),
        Bullets(
            (
                say(
                    "The answer to a statement, reverse-keyed where it is worded against its scale, is "
                    "explained by the wave and organisation it was given in and by the statement; a random "
                    "effect lets answers of one respondent go together. Statements are fixed effects: a "
                    "scale's statements are its own, not a sample. Every answer counts, also of those who "
                    "skipped others.{adjusted}",
                    adjusted=adjusted,
                ),
                say(
                    "Fitted by restricted maximum likelihood; degrees of freedom by Satterthwaite; "
                    "{confidence} intervals. Every contrast is a stated linear combination of the "
                    "estimated means of cells that exist.",
                    confidence=material.numbers.study("confidence", level),
                ),
                say(
                    "A cell with fewer than {min_cell} respondents gets no estimate of its own. An "
                    "organisation that a wave did not survey has no cell: what would need it is not "
                    "estimable.",
                    min_cell=material.numbers.study("min_cell"),
                ),
                say(
                    "Answers are steps on a scale, and a linear model treats the steps as equal: read an "
                    "estimate as an average shift, not as a share of people."
                ),
                *_ordinal(material),
            )
        ),
        *_decisions(material),
    )


def _ordinal(material: Material) -> tuple[Markup, ...]:
    """Say what the second model is, if there is one."""
    if "ordinal" not in set(material.tables["means"]["analysis"]):
        return ()
    return (
        say(
            "A cumulative logit model of the same answers, with the same explanation and a normal respondent effect, "
            "treats the steps as ordered only; it is fitted by maximum likelihood. Its contrasts are log odds ratios "
            "of answering above any step, for a respondent, and differences in the percentage of favourable answers, "
            "averaged over the respondents."
        ),
    )


def _decisions(material: Material) -> tuple[Block, ...]:
    """Say how a contrast becomes a decision, if any does."""
    if not material.has("contrasts") or "decision" not in material.tables["contrasts"]:
        return ()
    rules = (
        say(
            "Two tests with Student's t: one against no difference, and one of equivalence (two one-sided tests, "
            "Schuirmann) against the smallest effect of interest that the study states. That of means is stated in "
            "standard deviations of one answer, between and within respondents, which are taken as known; that of "
            "percentages in percentage points."
        ),
        say(
            "<strong>No meaningful change</strong>: the equivalence test is significant, the difference is surely "
            "smaller than the smallest effect of interest, also if it is surely not nothing. Else "
            "<strong>increase</strong> or <strong>decrease</strong>: the test against no difference is significant; "
            "the direction is sure, the size is what the interval says. Else <strong>inconclusive</strong>."
        ),
        *_multiplicity(material),
        say(
            "A scale enters comparisons as a scale if its statements go together well enough in every wave and "
            "organisation; otherwise its estimates are shown with a note, and it is to be compared statement by "
            "statement."
        ),
    )
    return (Part("Decisions", (Bullets(rules),)),)


def _multiplicity(material: Material) -> tuple[Markup, ...]:
    """Say how p-values are adjusted, if any is, and that intervals are not."""
    interval = say("An interval is not adjusted: among many intervals a few miss zero by chance alone.")
    if material.tables["contrasts"]["p_adjusted"].isna().all():
        return (interval,)
    return (
        say(
            "p-values of both tests are adjusted within a family: the same contrast over all scales; of single "
            "statements, over all statements."
        ),
        interval,
    )


def _statuses(material: Material) -> tuple[tuple[str, tuple[Markup, ...]], ...]:
    return (
        (
            "not estimable",
            (say("The design or the data do not determine it: an empty cell, no questions in common."),),
        ),
        (
            "too few respondents",
            (say("Fewer than {min_cell} respondents.", min_cell=material.numbers.study("min_cell")),),
        ),
        ("no fit found", (say("The model did not converge; no number is better than a wrong one."),)),
        (WITHHELD, (say("Withheld, so that nobody's answers can be told."),)),
        ("variance estimated as zero", (say("An estimate on its boundary, shown with a note."),)),
    )
