"""The tables that are published: the tables of the report, each with what must stand below it wherever it is pasted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import pandas as pd

from surveywaves.figures.names import WITHOUT_SCALE
from surveywaves.study.models import Evidence
from surveywaves.study.parts import Presentation
from surveywaves.tables.answers import Place, answers, favourable, misprint_notes
from surveywaves.tables.audit import Audit
from surveywaves.tables.cells import is_withheld
from surveywaves.tables.estimates import OUTSIDE, PERCENT, contrasts, means
from surveywaves.tables.intake import file_counts, problems, recodings
from surveywaves.tables.invariance import dif
from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.tables.measures import item_measures, measures, scale_use
from surveywaves.tables.models import components
from surveywaves.tables.outlook import planning
from surveywaves.tables.publish.names import BY_ORGANISATION, Named, items_of, named, same_responses
from surveywaves.tables.respondents import levels, missing, response_rates
from surveywaves.tables.robustness import agreement, sensitivity
from surveywaves.tables.words import WITHHELD, listed, records, whole
from surveywaves.tidy import ALL


@dataclass(frozen=True)
class Choice:
    """What is published of a study, and how.

    Parameters
    ----------
    presentation
        The study in words.
    printed
        Variables whose counts a publication prints.
    titles
        Number of a printed table -> its printed title.
    """

    presentation: Presentation
    printed: Sequence[str] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def labels(self) -> Labels:
        """The study's words."""
        return Labels(self.presentation)


@dataclass(frozen=True)
class Publication:
    """A table to be pasted.

    Parameters
    ----------
    table
        What it shows.
    name
        Name of its files.
    group
        Heading that it stands under in a list.
    demonstration
        What the data are if not observed; empty if all are. Stands under the title.
    below
        What stands below, after the notes: evidence, bases, disclosure.
    sections
        What each row belongs to; a new one gets a row of its own. Empty: none.
    """

    table: Table
    name: str
    group: str
    demonstration: str = ""
    below: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


def publications(frames: Mapping[str, pd.DataFrame], choice: Choice) -> Iterator[Publication]:
    """Lay every table of a study out, in the order of `names.named`.

    Parameters
    ----------
    frames
        Released tables by name, as `docs/files.md` lists them.
    """
    for one in named(choice.presentation, frames, printed=choice.printed):
        table = _table(one, frames, choice)
        sections: tuple[str, ...] = ()
        if one.kind in _BY_SECTION or (one.kind == "answers" and BY_ORGANISATION in one.about):
            table, sections = _apart(table)
        yield Publication(
            table=table,
            name=one.name,
            group=one.group,
            demonstration=demonstration(_kinds(table, choice.presentation)),
            below=_below(one, table, choice),
            sections=sections,
        )


_BY_SECTION: Final = {
    "problems",
    "recodings",
    "favourable",
    "reliability",
    "reliability_items",
    "dif",
    "contrasts",
    "item_contrasts",
    "sensitivity",
    "agreement",
    "planning",
}
"""Kinds whose first column sets rows apart."""


def _apart(table: Table) -> tuple[Table, tuple[str, ...]]:
    """Take the first column out: what it holds is said once, above the rows it holds for."""
    rest = replace(
        table,
        columns=table.columns[1:],
        rows=tuple(row[1:] for row in table.rows),
        heads=max(table.heads - 1, 1),
        flat=False,
    )
    return rest, tuple(row[0].text for row in table.rows)


def _table(one: Named, frames: Mapping[str, pd.DataFrame], choice: Choice) -> Table:  # noqa: PLR0912 - one case a kind
    """Make a table of the report."""
    frame, labels = frames[one.frame], choice.labels
    audit = Audit(labels, wave=choice.presentation.published_wave, titles=choice.titles)
    match one.kind, one.about:
        case "response_rates", _:
            return response_rates(frame, labels)
        case "respondents", (variable, *more):
            return levels(frame, labels, variable=variable, by_organisation=BY_ORGANISATION in more)
        case "missing", _:
            return missing(frame, labels, frequencies=frames.get("item_frequencies"))
        case "file_counts", _:
            return file_counts(frame, labels)
        case "problems", _:
            return problems(frame, labels)
        case "recodings", _:
            return recodings(frame, labels)
        case "answers", (group, number, *more):
            return _answers(frames, choice, group, int(number), by_organisation=BY_ORGANISATION in more)
        case "favourable", _:
            return _favourable(frame, choice)
        case "reliability", (organisation,):
            return measures(frame, labels, organisation=organisation)
        case "reliability_items", _:
            return item_measures(frame, labels)
        case "scale_use", _:
            return scale_use(frame, labels)
        case "dif", (between,):
            return dif(frame, labels, between="wave" if between == "wave" else "organisation")
        case "means", ("percent_favourable",):
            return means(frame, labels, analysis="ordinal", term=PERCENT)
        case "means", (analysis,):
            return means(frame, labels, analysis=analysis)
        case "contrasts" | "item_contrasts", (term, "percent_favourable"):
            return contrasts(frame, labels, analysis="ordinal", term=f"{term}_{PERCENT}")
        case "contrasts" | "item_contrasts", (term, analysis):
            return contrasts(frame, labels, analysis=analysis, term=term)
        case "variances" | "diagnostics", (analysis,):
            return components(frame, labels, analysis=analysis, name=one.name, title=_MODELS[one.kind])
        case "sensitivity", (term,):
            return sensitivity(frame, labels, term=term)
        case "agreement", _:
            return agreement(frame, labels)
        case "planning", (question,):
            return planning(frame, labels, term=question)
        case "printed", (table,):
            return audit.printed(frame, table)
        case "misprints", _:
            return audit.misprints(frame)
        case "claims", _:
            return audit.claims(frame)
    raise ValueError(f"no such kind of table: {one.kind}")


_MODELS: Final = {
    "variances": "Who is in the models, and how answers vary",
    "diagnostics": "Residuals and influence",
}


def _answers(
    frames: Mapping[str, pd.DataFrame], choice: Choice, group: str, number: int, *, by_organisation: bool
) -> Table:
    """Lay out the answers to a scale's statements that share their response options."""
    items = same_responses(items_of(choice.presentation, group))[number]
    printed = dict.fromkeys(item.published_table for item in items if item.published_table is not None)
    wave = choice.presentation.published_wave
    title = OUTSIDE if group == WITHOUT_SCALE else choice.labels.scale(group)
    title += f" (printed as Table {', '.join(map(str, printed))})" if printed else ""
    notes: dict[Place, tuple[str, ...]] = {}
    if wave and "published_tables" in frames:
        notes = misprint_notes(frames["published_tables"], choice.presentation.items.values(), wave=wave)
    return answers(
        frames["item_frequencies"],
        items,
        choice.labels,
        name=f"answers_{group}",
        title=f"{title}, by organisation" if by_organisation else title,
        notes=notes,
        organisations=tuple(choice.presentation.organisations) if by_organisation else (ALL,),
    )


def _favourable(frame: pd.DataFrame, choice: Choice) -> Table:
    """Lay out the favourable answers to all statements, a scale below the other."""
    order = [*choice.presentation.scales, None]
    items = sorted(choice.presentation.items.values(), key=lambda item: order.index(item.scale))
    title = "Favourable answers to every statement"
    table = favourable(frame, items, choice.labels, name="favourable", title=title)
    scales = (Cell(choice.labels.scale(item.scale) if item.scale else OUTSIDE) for item in items)
    return replace(
        table,
        columns=(Column("Scale"), *table.columns),
        rows=tuple((scale, *row) for scale, row in zip(scales, table.rows, strict=True)),
        heads=2,
    )


def demonstration(kinds: Collection[Evidence]) -> str:
    """Say what data are, where not all are observed."""
    words = [kind.value for kind in Evidence if kind in kinds and kind is not Evidence.OBSERVED]
    return f"Demonstration: {listed(words)} data, not findings" if words else ""


def _kinds(table: Table, presentation: Presentation) -> set[Evidence]:
    """List the kinds of evidence behind a table; of the whole study, where its rows do not say."""
    # The audit's own column of that name holds its reasons.
    column = "recomputed_from" if "recomputed_from" in table.data.columns else "evidence"
    named_kinds = set(table.data[column]) - {""} if column in table.data.columns else set()
    if named_kinds:
        return {Evidence(kind) for kind in named_kinds}
    return {wave.evidence for wave in presentation.waves.values()}


def _below(one: Named, table: Table, choice: Choice) -> tuple[str, ...]:
    """Give what stands below a table after its notes."""
    evidence = f"Evidence: {' '.join(table.evidence)}" if table.evidence else ""
    adjusted = (
        "Adjusted p: for the number of tests of the same contrast. n: respondents in the model."
        if one.kind in {"contrasts", "item_contrasts"}
        else ""
    )
    protection = choice.presentation.protection
    rule = f"Disclosure rule: {protection[0].lower()}{protection[1:]}" if protection else ""
    bases = _bases(table.data, choice.labels) if one.kind == "means" else ""
    return tuple(filter(None, (adjusted, bases, evidence, rule)))


def _bases(frame: pd.DataFrame, labels: Labels) -> str:
    """Say how many respondents the means of each cell are of."""
    said = []
    for wave in labels.presentation.waves:
        for organisation in labels.organisation_order:
            own = frame[(frame["wave"] == wave) & (frame["organisation"] == organisation)]
            n = own["n"].dropna()
            hidden = any(is_withheld(row, "n") for row in records(own))
            if hidden or (len(n) and n.max() > 0):
                sizes = dict.fromkeys(map(whole, (n.min(), n.max()) if len(n) else ()))
                size = " to ".join([*sizes]) + (f"{' or ' if sizes else ''}{WITHHELD}" if hidden else "")
                said.append(f"{labels.wave(wave)}, {labels.organisation(organisation)} {size}")
    return f"Respondents (n), by scale: {'; '.join(said)}." if said else ""
