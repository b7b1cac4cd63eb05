"""How it was done, what it cannot say, how the waves were brought together, what is withheld, and the audit."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import pandas as pd
from markupsafe import Markup

from surveywaves.report.material import (
    Block,
    Bullets,
    Grid,
    Material,
    Paragraph,
    Part,
    TableBlock,
    level,
    prose,
    say,
    several,
)
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.audit import verdict_words
from surveywaves.terms import (
    ALL,
    FAVOURABLE,
    IMPUTED,
    LINEAR,
    NOT_STATED,
    ORDINAL,
    ORGANISATION,
    Checked,
    Evidence,
)
from surveywaves.text import listed
from surveywaves.words import REVERSED, WITHHELD, is_missing, records

ASSUMPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Equal variance between respondents in every cell": {"analysis": LINEAR, "term": "equal_tau2"},
    "Equal variance within respondents in every cell": {"analysis": LINEAR, "term": "equal_sigma2"},
    "Proportional odds": {"analysis": ORDINAL, "term": "proportional_odds"},
    "Equal dispersion on the latent scale": {"analysis": ORDINAL, "term": "dispersion"},
}
"""What is assumed -> the rows of `diagnostics` that test it."""


def methods(material: Material) -> list[Block]:
    """Say how it was done."""
    blocks: list[Block] = [Part("What kind of data these are", (Bullets(tuple(_design(material))),))]
    blocks.append(Part("Evidence", (Grid(_evidence()),)))
    blocks.append(Part("Description", (Paragraph(_description()),)))
    if material.has("means"):
        blocks.append(Part("Comparisons", _model(material)))
    if material.has("crosscheck"):
        blocks.append(Part("The same numbers from other programs", (Paragraph(_crosschecked(material)),)))
    blocks.append(Part("When there is no number", (Grid(_statuses(material)),)))
    return blocks


def limitations(material: Material) -> list[Block]:
    """Give the study's own limitations, in its own words."""
    return prose(material.limitations)


def session(material: Material) -> list[Block]:
    """Say what the report was made with."""
    if not material.session:
        return []
    table = Table(
        name="session",
        title="Software",
        columns=(Column("Name"), Column("Version")),
        rows=tuple((Cell(name), Cell(version)) for name, version in material.session.items()),
        data=pd.DataFrame({"name": list(material.session), "version": list(material.session.values())}),
        flat=False,
    )
    return [TableBlock(table)]


def _design(material: Material) -> list[Markup]:
    said = [
        say("Respondents are anonymous: nobody's answers are linked to a name or another record."),
        say(
            "Those who answered chose to. Where they differ from those who did not, the results differ "
            "from what everybody would have said; no interval allows for that."
        ),
        _population(material),
    ]
    if len(material.presentation.waves) > 1:
        said.insert(
            1,
            say(
                "Respondents are not linked between waves either: the waves are <strong>repeated "
                "cross-sections</strong> of an organisation, not a panel. A change between waves is a "
                "change in the average of whoever answered each time. It may come from people who changed "
                "their minds, from people who left or joined, or from other people answering; the data cannot "
                "say which. Somebody who answered twice counts as two respondents, which makes "
                "intervals of change somewhat too wide."
            ),
        )
    return said


def _population(material: Material) -> Markup:
    """Explain which population the intervals refer to."""
    variant = (
        say(
            " As a variant shows, intervals are narrower if they are to speak of the staff of these waves alone, of "
            "whom a known part answered."
        )
        if material.has("sensitivity")
        and "finite_population" in set(material.tables["sensitivity"]["variant"])
        else Markup("")
    )
    return say(
        "Intervals speak of a superpopulation: of what people in such jobs under such conditions would answer, of whom "
        "those who answered are a sample. They do not shrink as the response rate rises.{variant}",
        variant=variant,
    )


def _evidence() -> tuple[tuple[str, tuple[Markup, ...]], ...]:
    return tuple((kind.value, (say("{meaning}", meaning=kind.meaning),)) for kind in Evidence)


def _description() -> Markup:
    return say(
        "Percentages are of those who answered the question. Favourable means agreement, or disagreement "
        "where the statement is worded against its scale: such a statement is marked {mark} wherever a number of it "
        "counts disagreement. A missing answer keeps its reason: not asked, skipped, don't know, invalid, or broke "
        "off, which means that nothing after it was answered.",
        mark=REVERSED,
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
                    "scale's statements are its own, not a sample.{adjusted}",
                    adjusted=adjusted,
                ),
                *_who(material),
                *_favourable(material),
                say(
                    "{fitted} {confidence} intervals. Every contrast is a stated linear combination of the "
                    "estimated means of cells that exist.",
                    fitted=_fitted(material),
                    confidence=material.numbers.study("confidence", level),
                ),
                say(
                    "A cell with fewer than {min_cell} respondents gets no estimate of its own. An "
                    "organisation that a wave did not survey has no cell: no contrast that would need it is "
                    "listed.",
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
    if ORDINAL not in set(material.tables["means"]["analysis"]):
        return ()
    return (
        say(
            "A cumulative logit model of the same answers, with the same explanation and a normal respondent effect, "
            "treats the steps as ordered only; it is fitted by {how}. Its contrasts are log odds ratios of answering "
            "above any step, for a respondent.",
            how="weighted maximum pseudo-likelihood"
            if material.presentation.weighted
            else "maximum likelihood",
        ),
        *_assumed(material),
    )


def _fitted(material: Material) -> Markup:
    """Explain how the linear model is fitted, and what its standard errors and degrees of freedom rest on."""
    if material.presentation.weighted:
        return say(
            "Fitted by maximum pseudo-likelihood, every return with its weight. Standard errors are design-based: the "
            "sandwich of the respondents' scores, with as many degrees of freedom as there are respondents less "
            "columns of the model (teams, where there is an effect of teams)."
        )
    if material.presentation.robust:
        return say(
            "Fitted by restricted maximum likelihood. Standard errors, degrees of freedom and p-values are robust: "
            "they come from how much the respondents of each cell differ (the bias-reduced sandwich of Bell and "
            "McCaffrey, clustered by respondent, or by team where there is an effect of teams), with Satterthwaite's "
            "degrees of freedom, and hold where one cell varies more than another."
        )
    return say(
        "Fitted by restricted maximum likelihood, with one variance between and one within respondents for all cells; "
        "degrees of freedom by Satterthwaite."
    )


def _who(material: Material) -> Iterator[Markup]:
    """Explain whose answers are in the comparisons, and whose are not."""
    yield say("Respondents who skipped statements of a scale are compared by those that they answered.")
    if len(material.presentation.organisations) < 2 or not material.has("respondents"):
        return
    unstated = material.tables["respondents"].query("organisation == @ALL and variable == @ORGANISATION")
    parts = []
    for row in records(unstated[unstated["level"] == NOT_STATED]):
        wave = material.labels.wave(row.wave)
        here = {"wave": row.wave, "organisation": ALL, "variable": ORGANISATION, "level": NOT_STATED}
        if is_missing(row.n):
            parts.append(say("{wave} some, how many is withheld", wave=wave))
        elif row.n:
            n, base = (material.numbers.cell("respondents", name, **here) for name in ("n", "base"))
            parts.append(say("{wave} {n} of {base}", wave=wave, n=n, base=base))
    if parts:
        imputed = (
            say(
                " The variant with imputed answers takes them in: organisation and missing answers are drawn from "
                "what each respondent did answer, many times, and the results are pooled by Rubin's rules."
            )
            if material.has("sensitivity") and IMPUTED in set(material.tables["sensitivity"]["variant"])
            else Markup("")
        )
        yield say(
            "Respondents who named no organisation are in no comparison: {parts}.{imputed}",
            parts=Markup("; ").join(parts),
            imputed=imputed,
        )


def _favourable(material: Material) -> Iterator[Markup]:
    """Explain where percentages of favourable answers come from, if there are any."""
    if FAVOURABLE not in set(material.tables["means"]["analysis"]):
        return
    yield say(
        "Percentages of favourable answers come from the answers, not from a model of their steps: of each statement "
        "the {weighted}share favourable among those who answered it, averaged over the statements that all compared "
        "cells asked. Their standard errors are cluster-robust, a cluster being a respondent, or a team where there "
        "is an effect of teams.{adjusted}",
        weighted="weighted " if material.presentation.weighted else "",
        adjusted=say(" Covariates are adjusted for by a binary logistic model of the answers.")
        if material.presentation.covariates
        else Markup(""),
    )


def _assumed(material: Material) -> Iterator[Markup]:
    """Report the results of the tests of the models' assumptions."""
    alpha = material.numbers.study("alpha", lambda value: f"{value:.3g}")
    for what, here in ASSUMPTIONS.items():
        if not material.has("diagnostics"):
            return
        tried = material.numbers.count("diagnostics", **here, **{"p_value>": float("-inf")})
        if tried.value:
            failed = material.numbers.count(
                "diagnostics", **here, **{"p_value<": 1 - material.presentation.confidence}
            )
            yield say(
                "{what}: rejected in {failed} of {tried} at the level {alpha}, not adjusted.",
                what=what,
                failed=failed,
                tried=several(tried, "test", "tests"),
                alpha=alpha,
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
            "<strong>No meaningful change</strong>: the equivalence test is significant, so the difference is taken "
            "as smaller than the smallest effect of interest, even if it differs from zero. Else "
            "<strong>increase</strong> or <strong>decrease</strong> (of a single statement: more or less favourable): "
            "the test against no difference is significant; how large it is, the interval says. Else "
            "<strong>inconclusive</strong>."
        ),
        *_multiplicity(material),
        say(
            "A scale whose pooled alpha is lower than the study asks for is compared like the others, and marked: low "
            "reliability."
        ),
    )
    return (Part("Decisions", (Bullets(rules),)),)


def _crosschecked(material: Material) -> Markup:
    """Count the numbers that were computed again, and those that came out otherwise."""
    agrees, differs, unchecked = (
        material.numbers.total("crosscheck", verdict.value)
        for verdict in (Checked.AGREES, Checked.DIFFERS, Checked.NOT_CHECKED)
    )
    beyond = (
        say(" {unchecked} are beyond what these can compute.", unchecked=unchecked)
        if unchecked.value
        else Markup("")
    )
    return say(
        "Means, contrasts, variances, percentages with their standard errors, alphas and adjusted p-values were "
        "computed again from the answers by statsmodels and pingouin: {agrees} agree, {differs} differ.{beyond}",
        agrees=agrees,
        differs=differs,
        beyond=beyond,
    )


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


PACKAGES: Final = (
    "surveywaves",
    "snakemake",
    "pandas",
    "numpy",
    "scipy",
    "pyarrow",
    "pydantic",
    "pyreadstat",
    "openpyxl",
    "statsmodels",
    "pingouin",
    "matplotlib",
    "seaborn",
    "jinja2",
    "typst",
)
"""Packages whose version can change a number or its looks."""


def packages() -> dict[str, str]:
    """Give the versions of Python and of the packages that the results rest on; what is not installed is left out.

    No time and no place: the report is the same on every machine with the same environment.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


ROWS: Final = {"rows_in": "read", "rows_kept": "kept", "rows_set_aside": "set aside"}
"""What is counted of a file's rows, and in words."""


def harmonisation(material: Material) -> list[Block]:
    """Say how the waves' files became one set of answers."""
    blocks: list[Block] = []
    if material.has("file_counts"):
        said = Bullets(tuple(_kept(material)))
        blocks.append(Part("Rows in, rows kept", (said, *material.at("harmonisation/files"))))
    if "problems" in material.tables:
        found = material.at("harmonisation/problems")
        words = say(
            "Columns, rows and cells that could not be taken as they stood, and what was done, by kind. The values "
            "themselves are not shown here: they may hold what a respondent wrote."
            if found
            else "Every row and cell could be taken as it stood."
        )
        blocks.append(Part("Problems in the files", (Paragraph(words), *found)))
    grid = say(
        "A statement that a wave <strong>reworded</strong> is compared with care; one that it asked on "
        "another response scale (<strong>rescaled</strong>) stays out of every comparison; one that it did "
        "<strong>not ask</strong> has no answers there, and none are made up."
    )
    compared = (Paragraph(grid), *material.at("harmonisation/questions"))
    return [*blocks, Part("Which questions can be compared", compared), *material.at("harmonisation")]


def _kept(material: Material) -> list[Markup]:
    """Say of each wave how many rows were read and kept, as far as every file's number may be told."""
    numbers, frame, said = material.numbers, material.tables["file_counts"], []
    for wave in dict.fromkeys(frame["wave"]):
        missing = frame.loc[frame["wave"] == wave, list(ROWS)].isna().any()
        parts = [
            say("{rows} {what}", rows=numbers.total("file_counts", name, wave=wave), what=what)
            for name, what in ROWS.items()
            if not missing[name]
        ]
        if missing.any():
            parts.append(say("the others withheld" if parts else "withheld to protect respondents"))
        said.append(
            say(
                "<strong>{wave}:</strong> rows of the raw files: {parts}.",
                wave=material.labels.wave(wave),
                parts=Markup(", ").join(parts),
            )
        )
    return said


def disclosed(material: Material) -> list[Block]:
    """Explain what is rounded and withheld, and what the sign means."""
    if not material.disclosure and not material.has("disclosure_summary"):
        return []
    presentation = material.presentation
    blocks: list[Block] = (
        [Paragraph(say("{sentence}", sentence=material.disclosure))] if material.disclosure else []
    )
    if presentation.public:
        return [*blocks, *material.at("disclosure")]
    told = [
        say(
            "A rounded count is right on average, and less than one multiple from the true one. Rounded counts add "
            "up among themselves; their total can differ by as much from the exact number of all respondents. "
            "Percentages, means and comparisons of single statements are computed from them, so they differ a little "
            "from what the answers give."
        )
        if presentation.rounding
        else say(
            "A count is withheld if it tells of a few people, or of what nearly all of a group answered; and so are "
            "as many others as it takes that no total, percentage or other table gives it back. What is computed "
            "from counts goes with them."
        ),
        say(
            "Estimates of scales come from the answers themselves. They are shown to the digits that their standard "
            "errors warrant, and only of groups that are large enough; numbers of respondents beside them are rounded."
        )
        if presentation.rounding
        else say(
            "Estimates of scales come from the answers themselves. They are shown to the digits that their standard "
            "errors warrant, and only of groups that are large enough."
        ),
        say(
            "<strong>{sign}</strong> stands where a number is withheld (c for confidential). It is neither zero nor "
            "unknown; whoever made this report has it. In figures, what is withheld is striped or named, and in "
            "downloads the cell is empty.",
            sign=WITHHELD,
        ),
    ]
    blocks.append(Bullets(tuple(told)))
    return [*blocks, *material.at("disclosure")]


def audit(material: Material) -> list[Block]:
    """Show every printed table beside what it recomputes to, and every claim with its verdict."""
    has_tables, has_claims = material.has("published_tables"), material.has("claims")
    if not (has_tables or has_claims):
        return []
    blocks: list[Block] = []
    if material.presentation.citation:
        blocks.append(Paragraph(say("The publication: {citation}", citation=material.presentation.citation)))
    blocks += [Paragraph(_method()), *material.at("audit")]
    if has_tables:
        blocks.append(Part("Printed tables", (Bullets(_cells(material)), *material.at("audit/tables"))))
    if has_claims:
        said = Bullets(_verdicts(material, "claims", "claim"))
        blocks.append(Part("Claims in the text", (said, *material.at("audit/claims"))))
    return blocks


def _method() -> Markup:
    return say(
        "A printed table holds its numbers several times: each count again as a percentage, their sum "
        "again as the base. A misprint contradicts something. <i>Should be</i> is what fits the most "
        "printed cells; <i>recomputed</i> is what this analysis finds in the data it was given. Nothing is "
        "corrected silently."
    )


def _cells(material: Material) -> tuple[Markup, ...]:
    numbers = material.numbers
    checked = say(
        "{cells} in {rows} were checked.",
        cells=several(numbers.count("published_tables"), "printed cell", "printed cells"),
        rows=several(numbers.distinct("published_tables", "table", "row"), "row", "rows"),
    )
    return (checked, *_verdicts(material, "published_tables", "cell"))


def _verdicts(material: Material, table: str, what: str) -> tuple[Markup, ...]:
    return tuple(
        say(
            "{verdict}: {count}.",
            verdict=verdict_words(verdict)[0],
            count=several(material.numbers.count(table, verdict=verdict), what, f"{what}s"),
        )
        for verdict in dict.fromkeys(material.tables[table]["verdict"])
    )
