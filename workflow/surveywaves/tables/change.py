"""What moved: levels, changes and gaps of every scale, in one of the units that the report shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from surveywaves.findings import CHANGE, DIFFERENCE, GAP, contrast_rows, level_rows, main_pair
from surveywaves.tables.layout import (
    SIGNS,
    Cell,
    Column,
    Table,
    decided,
    estimate_cell,
    is_withheld,
    p_cell,
    place,
    remarks,
    sentence,
    stacked,
    together,
)
from surveywaves.terms import ALL, BETWEEN, LOW_RELIABILITY_MARK, PERCENT_FAVOURABLE, Status
from surveywaves.text import listed
from surveywaves.words import (
    MINUS,
    STATUS,
    WITHHELD,
    Labels,
    is_missing,
    number,
    pair,
    records,
    whole,
    without,
)

MANY_CELLS: Final = 8
"""Levels that stand beside each other at most; where there are more, a group of people stands below the other."""

SIDE_BY_SIDE: Final = 2
"""Organisations whose changes stand beside each other at most."""

FEW_PAIRS: Final = 3
"""Pairs of organisations that are all listed; of more, what is decided is."""

FEW_ROWS: Final = 60
"""Changes between other waves that are all listed; of more, what is decided is."""

BEFORE_ROUNDING: Final = "Computed before rounding."
OVER_ALL: Final = "Not the difference of the levels, which are over every statement that a wave asked."


@dataclass(frozen=True)
class Estimates:
    """Levels and contrasts in one unit, by what they are of.

    Parameters
    ----------
    means
        As released.
    labels
        The study in words.
    unit
        One of `surveywaves.catalogue.SHOWN_UNITS`.
    contrasts
        As released; empty where there are none.
    """

    means: pd.DataFrame
    labels: Labels
    unit: str
    contrasts: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def percent(self) -> bool:
        """Whether the unit is percentage points."""
        return self.unit == PERCENT_FAVOURABLE

    @property
    def decimals(self) -> int:
        """Decimals at most."""
        return 1 if self.percent else 2

    @property
    def in_words(self) -> str:
        """What is shown, for a title."""
        return "% favourable" if self.percent else "mean response"

    def levels(self) -> pd.DataFrame:
        """Choose the levels."""
        return level_rows(self.means, self.unit)

    def of(self, kind: str, wave: str | None = None) -> pd.DataFrame:
        """Choose the contrasts of one kind, of one wave or all."""
        return contrast_rows(self.contrasts, self.unit, kind, wave=wave)

    def cell(self, row: Any, *, contrast: bool = False) -> Cell:
        """Print a level, or a contrast with its interval and the sign of its decision."""
        cell = estimate_cell(row, self.labels, decimals=self.decimals, signed=contrast, bounds=contrast)
        return decided(cell, row) if contrast and row is not None else cell

    def change(self, row: Any, levels: dict[tuple[str, str, str], Any]) -> tuple[Cell, ...]:
        """Print a change: first, last, change, adjusted p. Why it is not what a reader subtracts is noted."""
        last, first = pair(row.wave) or ("", "")
        sides = [self.cell(levels.get((row.scale, wave, row.organisation))) for wave in (first, last)]
        change = estimate_cell(row, self.labels, decimals=self.decimals, signed=True, bounds=True)
        own = [sentence(self.labels.readable(remark)) for remark in remarks(row.note)]
        if change.more and _differ(sides[0], sides[1], change):
            change = change.noted(*own, OVER_ALL if own else BEFORE_ROUNDING)
        elif not is_missing(row.estimate):
            change = change.noted(*own)
        return (*sides, decided(change, row), p_cell(row))

    def scale(self, name: str, rows: Iterable[Any]) -> Cell:
        """Name a scale; low reliability is noted."""
        parts = [part for row in rows if row is not None and row.note for part in str(row.note).split("; ")]
        low = next((part for part in parts if part.startswith(LOW_RELIABILITY_MARK)), "")
        return Cell(self.labels.scale(name)).noted(sentence(low))

    def notes(self, rows: pd.DataFrame, *, said: str = "rose") -> Iterator[str]:
        """Say how contrasts are to be read: unit, signs, the smallest effect, adjustment, people."""
        yield (
            "Percentage points of favourable answers." if self.percent else "Points of the response scale."
        )
        opposite = {"rose": "fell", "higher": "lower"}[said]
        what = {"rose": "change", "higher": "gap"}[said]
        smallest = list(rows["smallest"].dropna()) if "smallest" in rows else []
        if smallest:
            low, high = (number(value, self.decimals) for value in (min(smallest), max(smallest)))
            size = f"±{low}" if low == high else f"±{low} to ±{high}, by scale"
            yield (
                f"{UP} {said}, {DOWN} {opposite}, {SAME} no meaningful {what}: decided at the adjusted p by tests of "
                f"difference and of equivalence (smallest effect of interest {size}). "
                "No sign: inconclusive, which is not the same as none."
            )
        yield (
            f"In brackets: {self.labels.confidence} confidence intervals, not adjusted. "
            "p: adjusted for the number of scales."
        )
        weighted = next(
            (
                part
                for note in rows["note"].dropna()
                for part in str(note).split("; ")
                if part.startswith("organisations weighted")
            ),
            "",
        )
        if weighted:
            yield f"{together(self.labels)}: {self.labels.readable(weighted)}."


UP, DOWN, SAME = (sign for sign, _ in SIGNS.values())


def _differ(first: Cell, last: Cell, change: Cell) -> bool:
    """Whether a printed change is not the difference of the printed levels."""
    if any(is_missing(cell.value) for cell in (first, last)):
        return False
    return _printed(last) - _printed(first) != _printed(change)


def _printed(cell: Cell) -> Decimal:
    return Decimal(cell.text.partition(" (")[0].replace(MINUS, "-").replace(",", ""))


def _there(frame: pd.DataFrame) -> pd.DataFrame:
    """Choose what is estimated, or withheld."""
    return frame[frame["estimate"].notna() | (frame["status"] == Status.WITHHELD)]


def _missing(frame: pd.DataFrame, shown: pd.DataFrame, labels: Labels) -> str:
    """Say which scales have no row, and why."""
    gone = frame[~frame["scale"].isin(set(shown["scale"]))].drop_duplicates("scale")
    told = [(labels.scale(row.scale), STATUS.get(row.status, row.status), row.note) for row in records(gone)]
    return without(told, labels.presentation)


def _people(frame: pd.DataFrame, labels: Labels, order: Iterable[str]) -> str:
    """Say how many respondents the estimates of each group are of, over all scales."""
    said = []
    for name in order:
        own = frame[frame["organisation"] == name]
        sizes = own["n"].dropna()
        hidden = any(is_withheld(row, "n") for row in records(own))
        told = dict.fromkeys(map(whole, (sizes.min(), sizes.max()))) if len(sizes) else {}
        if told or hidden:
            text = " to ".join(told) + (f"{' or ' if told else ''}{WITHHELD}" if hidden else "")
            said.append(f"{place(name, labels)} {text}")
    return f"n: {'; '.join(said)}." if said else ""


def _groups(frame: pd.DataFrame, labels: Labels) -> list[str]:
    """List the organisations of a frame in the study's order, then everybody, unless there is one organisation only."""
    present = set(frame["organisation"])
    known = [name for name in labels.presentation.organisations if name in present]
    return [
        *known,
        *(
            [ALL]
            if ALL in present and (len(known) != 1 or len(labels.presentation.organisations) > 1)
            else []
        ),
    ]


def change(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out the change of every scale between the two waves that the report compares.

    Up to two organisations stand beside each other, with the difference in change; more below each other.
    """
    waves = main_pair(labels.presentation)
    found = Estimates(means, labels, unit, contrasts)
    every = found.of(CHANGE, waves.contrast if waves else "")
    chosen = _there(every)
    differences = _there(found.of(DIFFERENCE, waves.contrast if waves else ""))
    own = found.levels()
    own = own[own["wave"].isin([waves.first, waves.last])] if waves else own
    levels = {(row.scale, row.wave, row.organisation): row for row in records(own)}
    changes = {(row.scale, row.organisation): row for row in records(chosen)}
    groups = _groups(chosen, labels)
    wide = len([name for name in groups if name != ALL]) <= SIDE_BY_SIDE
    parted = list(dict.fromkeys(differences["organisation"])) if wide else []
    apart = {(row.scale, row.organisation): row for row in records(differences)}
    heads = (
        [labels.wave(waves.first), labels.wave(waves.last), f"Change ({labels.confidence} CI)", "Adj. p"]
        if waves
        else []
    )
    rows, sections = [], []
    for scale in labels.scales_in(chosen):
        named = found.scale(scale, (changes.get((scale, name)) for name in groups))
        blocks = {name: _block(found, changes.get((scale, name)), levels, len(heads)) for name in groups}
        if wide:
            cells = [cell for block in blocks.values() for cell in block]
            for name in parted:
                row = apart.get((scale, name))
                cells += [found.cell(row, contrast=True), p_cell(row)]
            rows.append((named, *cells))
        else:
            sections += [named.text] * len(groups)
            rows += [
                (Cell(place(name, labels)).noted(*named.notes), *block) for name, block in blocks.items()
            ]
    columns = [
        Column(head, place(name, labels) if wide and len(groups) > 1 else "", numeric=True)
        for name in (groups if wide else [""])
        for head in heads
    ]
    columns += [
        Column(head, f"Difference in change: {labels.organisation(name)}", numeric=True)
        for name in parted
        for head in (f"Points ({labels.confidence} CI)", "Adj. p")
    ]
    return Table(
        name=f"change_{unit}",
        title=f"Change of each scale, {labels.wave(waves.first)} to {labels.wave(waves.last)}: {found.in_words}"
        if waves
        else "",
        columns=(
            Column("Scale" if wide else labels.presentation.nouns.organisation[0].capitalize()),
            *columns,
        ),
        rows=tuple(rows),
        data=labels.with_evidence(stacked(own, every, differences)) if waves and len(every) else every,
        notes=(*found.notes(chosen), _people(chosen, labels, groups), _missing(every, chosen, labels)),
        sections=tuple(sections),
    )


def _block(
    found: Estimates, row: Any, levels: dict[tuple[str, str, str], Any], size: int
) -> tuple[Cell, ...]:
    return found.change(row, levels) if row is not None else (found.cell(None),) * size


def other_changes(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """List the changes between other waves than the two that the report compares first, two waves below the other."""
    waves = main_pair(labels.presentation)
    found = Estimates(means, labels, unit, contrasts)
    every = found.of(CHANGE)
    every = every[every["wave"] != (waves.contrast if waves else "")]
    possible = chosen = _there(every)
    if len(chosen) > FEW_ROWS:
        chosen = chosen[chosen["decision"].isin(list(SIGNS))]
    levels = {(row.scale, row.wave, row.organisation): row for row in records(found.levels())}
    order = {name: number for number, name in enumerate(labels.scales_in(chosen))}
    several = len(set(chosen["organisation"])) > 1
    rows, sections = [], []
    for contrast in dict.fromkeys(chosen["wave"]):
        last, first = pair(contrast) or ("", "")
        own = sorted(records(chosen[chosen["wave"] == contrast]), key=lambda row: order[row.scale])
        who = "" if several or not own else f", {place(own[0].organisation, labels)}"
        for row in own:
            sections.append(f"{labels.wave(first)} to {labels.wave(last)}{who}")
            named = [Cell(place(row.organisation, labels))] if several else []
            rows.append((found.scale(row.scale, [row]), *named, *found.change(row, levels)))
    heads = ("First", "Last", f"Change ({labels.confidence} CI)", "Adj. p")
    return Table(
        name=f"other_changes_{unit}",
        title=f"Change of each scale between other waves: {found.in_words}",
        columns=(
            Column("Scale"),
            *([Column(labels.presentation.nouns.organisation[0].capitalize())] if several else []),
            *(Column(head, numeric=True) for head in heads),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(stacked(found.levels(), every)) if len(every) else every,
        notes=(*found.notes(chosen), *_partial(found), _left_out(len(possible) - len(chosen))),
        heads=2 if several else 1,
        sections=tuple(sections),
    )


def _partial(found: Estimates) -> Iterator[str]:
    """Say which waves asked fewer scales, or not everybody."""
    labels, levels = found.labels, found.levels()
    there, scales = _there(levels), labels.scales_in(levels)
    known = list(labels.presentation.organisations)
    for wave in labels.presentation.waves:
        own = there[there["wave"] == wave]
        asked, who = own["scale"].nunique(), [name for name in known if name in set(own["organisation"])]
        fewer = f"{asked} of {len(scales)} scales" if asked < len(scales) else ""
        only = (
            f"of {listed([labels.organisation(name) for name in who])} only"
            if who and len(who) < len(known)
            else ""
        )
        if asked and (fewer or only):
            yield f"{labels.wave(wave)} asked {', '.join(filter(None, (fewer, only)))}."


def levels(means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out the level of every scale in every wave, with its interval; organisations beside or below each other."""
    found = Estimates(means, labels, unit)
    every = found.levels()
    chosen = _there(every)
    rows_of = {(row.scale, row.wave, row.organisation): row for row in records(every)}
    cells = set(zip(chosen["wave"], chosen["organisation"], strict=True))
    groups = _groups(chosen, labels)
    waves = [wave for wave in labels.presentation.waves if any((wave, name) in cells for name in groups)]
    wide = len(cells) <= MANY_CELLS
    places = [(wave, name) for name in groups for wave in waves if (wave, name) in cells]

    def line(scale: str, own: Iterable[tuple[str, str]]) -> list[Cell]:
        # Who was not asked is said once, below the table.
        shown = [rows_of.get((scale, wave, name)) for wave, name in own]
        there = [None if row is not None and str(row.note).startswith("nobody") else row for row in shown]
        return [estimate_cell(row, labels, decimals=found.decimals, bounds=True) for row in there]

    rows, sections = [], []
    for name in [""] if wide else groups:
        own = places if wide else [(wave, name) for wave in waves]
        for scale in labels.scales_in(chosen):
            rows.append((found.scale(scale, (rows_of.get((scale, *one)) for one in own)), *line(scale, own)))
            sections += [] if wide else [place(name, labels)]
    heads = places if wide else [(wave, "") for wave in waves]
    return Table(
        name=f"levels_{unit}",
        title=f"Level of each scale in every wave: {found.in_words}"
        if len(waves) > 1
        else f"Level of each scale: {found.in_words}",
        columns=(
            Column("Scale"),
            *(
                Column(
                    labels.wave(wave), place(name, labels) if wide and len(groups) > 1 else "", numeric=True
                )
                for wave, name in heads
            ),
        ),
        rows=tuple(map(tuple, rows)),
        data=labels.with_evidence(every),
        notes=(
            f"In brackets: {labels.confidence} confidence intervals.",
            ""
            if found.percent
            else "From 1 to the number of response options; higher means more of what the scale measures.",
            *_partial(found),
            _people(chosen, labels, groups),
        ),
        sections=tuple(sections),
    )


def gap(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out how far organisations are apart, a wave a column; where they are more than two, also how that changed.

    Of more than three pairs of organisations, only rows with a decision are listed.
    """
    found = Estimates(means, labels, unit, contrasts)
    every, waves = found.of(GAP), main_pair(labels.presentation)
    pairs = list(dict.fromkeys(every["organisation"]))
    further = found.of(DIFFERENCE, waves.contrast) if waves and len(pairs) > 1 else every[:0]
    chosen = _there(stacked(every, further))
    found_rows = {(row.organisation, row.scale, row.wave): row for row in records(chosen)}
    shown = [
        wave
        for wave in (*labels.presentation.waves, *dict.fromkeys(further["wave"]))
        if wave in set(chosen["wave"])
    ]
    rows, sections, left = [], [], 0
    for organisation in pairs:
        for scale in labels.scales_in(chosen):
            own = [found_rows.get((organisation, scale, wave)) for wave in shown]
            if not any(row is not None for row in own):
                continue
            if len(pairs) > FEW_PAIRS and not any(row is not None and row.decision in SIGNS for row in own):
                left += 1
                continue
            cells = [cell for row in own for cell in (_remarked(found, row), p_cell(row))]
            rows.append((found.scale(scale, own), *cells))
            sections += [labels.organisation(organisation)] if len(pairs) > 1 else []
    groups = [
        f"Difference in change, {labels.wave(wave)}" if BETWEEN in wave else labels.wave(wave)
        for wave in shown
    ]
    alone = f": {labels.organisation(pairs[0])}" if len(pairs) == 1 else ""
    return Table(
        name=f"gap_{unit}",
        title=f"Gaps between {labels.presentation.nouns.organisation[1]}{alone}, {found.in_words}",
        columns=(
            Column("Scale"),
            *(
                Column(head, group, numeric=True)
                for group in groups
                for head in (
                    f"Gap ({labels.confidence} CI)"
                    if not group.startswith("Difference in change")
                    else f"Points ({labels.confidence} CI)",
                    "Adj. p",
                )
            ),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(stacked(every, further)),
        notes=(
            "Above zero: the organisation named first is higher.".replace(
                "organisation", labels.presentation.nouns.organisation[0]
            ),
            *found.notes(chosen, said="higher"),
            _left_out(left),
            _missing(every, chosen, labels),
        ),
        sections=tuple(sections),
    )


def _left_out(rows: int) -> str:
    return f"{whole(rows)} rows in which nothing is decided are left out; the CSV has them." if rows else ""


def _remarked(found: Estimates, row: Any) -> Cell:
    cell = found.cell(row, contrast=True)
    if row is None or is_missing(row.estimate):
        return cell
    return cell.noted(*(sentence(found.labels.readable(remark)) for remark in remarks(row.note)))
