"""Each organisation's own two pages: its levels beside everybody's, its changes, what stands out.

A sheet is a short report, shown as the report is, on screen and for print; its words and its
drawing are in `workflow/report/sections/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.findings import CHANGE, GAP, contrast_rows, main_pair
from surveywaves.report.build import UNITS, Report, Shown, arranged
from surveywaves.report.numbers import Material, Section
from surveywaves.report.page import render
from surveywaves.report.paper import typeset
from surveywaves.report.sections import filled, strip
from surveywaves.report.summary import Contrast, contrasts
from surveywaves.study.parts import Presentation
from surveywaves.tables import Cell, Column, Table, printed
from surveywaves.tables.change import Estimates
from surveywaves.tables.layout import laid_out, numbers
from surveywaves.terms import ALL, BETWEEN, ORGANISATION, PERCENT_FAVOURABLE
from surveywaves.text import visible
from surveywaves.words import as_float, is_missing, lower, number, opening, percentage, records, shortened

HALF: Final = 14
"""Statements at either end that a sheet shows, where it cannot show all."""

TITLE: Final = 36
"""Letters of a scale's title in the drawing, at most."""


def sheets(
    tables: Mapping[str, pd.DataFrame], presentation: Presentation, *, templates: Path
) -> Iterator[tuple[str, bytes]]:
    """Make the sheets of all organisations.

    Parameters
    ----------
    tables
        Released frames by name: `means`; and `contrasts`, `item_contrasts`, `item_summary`, `respondents`, as far as
        there are any. Where organisations are compared with all together, differences from all are tested; else they
        are the differences of the levels shown.
    presentation
        The study in words.
    templates
        Folder with the report's templates.

    Yields
    ------
    tuple
        Name of a file, and its content: an HTML page and a PDF of each organisation, and a page that lists them. The
        same tables give the same bytes.

    Raises
    ------
    SurveywavesError
        If the study has one organisation, or no scale.
    """
    if len(presentation.organisations) < 2 or "means" not in tables:
        what = "a sheet compares an organisation with the others: there must be two, and a scale"
        raise SurveywavesError([Mistake("config/config.yaml", what, "leave `sheets` out")])
    study = Study(tables, presentation)
    for name in presentation.organisations:
        sheet = study.sheet(name)
        yield f"{name}.html", render(sheet, templates=templates).encode()
        yield f"{name}.pdf", typeset(sheet, templates=templates)
    every = Section("summary", "Sheets", filled("sheets.md.j2", study))
    yield "index.html", render(study.arranged("Sheets", [every]), templates=templates).encode()


@dataclass(frozen=True)
class Study(Material):
    """What the sheets of a study have in common."""

    @cached_property
    def waves(self) -> list[str]:
        """The two waves that are compared, in order; or the only one."""
        pair = main_pair(self.presentation)
        return [pair.first, pair.last] if pair else [next(iter(self.presentation.waves))]

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Kind of contrast that a sheet shows -> the wave, or pair of waves, that it is of."""
        return dict(zip((GAP, CHANGE), (self.waves[-1], BETWEEN.join(reversed(self.waves))), strict=True))

    @cached_property
    def everybody(self) -> str:
        """The words for all together, in the middle of a sentence."""
        return lower(self.labels.organisation(ALL))

    @cached_property
    def estimates(self) -> Estimates:
        """Levels and contrasts of the scales."""
        contrasts = self.tables.get("contrasts", pd.DataFrame())
        return Estimates(self.tables["means"], self.labels, self.unit, contrasts)

    @cached_property
    def compared(self) -> dict[str, dict[str, Contrast]]:
        """Kind -> organisation, or pair of them -> what is known on the scales."""
        return {kind: contrasts(self, kind, wave) for kind, wave in self.kinds.items()}

    @cached_property
    def items(self) -> dict[tuple[str, str], Any]:
        """Rows of `item_summary` of the last wave by organisation and item."""
        frame = self.tables.get("item_summary", pd.DataFrame(columns=["wave"]))
        return {(row.organisation, row.item): row for row in records(frame[frame["wave"] == self.waves[-1]])}

    @cached_property
    def differences(self) -> dict[tuple[str, str, str, str], Any]:
        """Rows of `contrasts` and `item_contrasts` by table, kind, organisation or pair, and scale or item."""
        sources = (("contrasts", "scale", self.unit), ("item_contrasts", "item", PERCENT_FAVOURABLE))
        return {
            (name, kind, row.organisation, getattr(row, column)): row
            for name, column, unit in sources
            if self.has(name)
            for kind, wave in self.kinds.items()
            for row in records(contrast_rows(self.tables[name], unit, kind, wave=wave))
        }

    def arranged(self, headline: str, texts: list[Section], *shown: Shown, paper: str = "") -> Report:
        """Make a report of sections, figures and tables."""
        title = self.presentation.title
        return arranged(texts, shown, title=title, headline=headline, strip=strip(self), paper=paper)

    def sheet(self, name: str) -> Report:
        """Return the sheet of an organisation."""
        title = self.labels.organisation(name)
        told = {
            "title": title,
            "all_people": self.everybody,
            "asked": [self.labels.wave(wave) for wave in self.waves],
            "returns": list(self._returns(name)),
            "told": [(kind, self.compared[kind].get(_sides(kind, name))) for kind in self.kinds],
        }
        tables = {"scales": self._scales(name), "statements": self._statements(name)}
        shown = [
            Shown("table", name, str(number), table.title, table=table, folder="")
            for number, (name, table) in enumerate(tables.items(), 1)
            if table.rows
        ]
        if self.unit == PERCENT_FAVOURABLE:
            drawn = f"{title} beside {self.everybody}, {self.labels.wave(self.waves[-1])}"
            caption = f"Dot: {title}, with its interval; upright line: {self.everybody}. % favourable."
            svg = filled("sheet.svg.j2", self, levels=list(self._drawn(name)), drawn=visible(drawn))
            shown.append(Shown("figure", "scales", "1", drawn, caption, drawn, svg, folder=""))
        texts = [
            Section("summary", "Summary", filled("sheet.md.j2", self, **told)),
            Section("scales", "Scales and statements", "[[table:scales]]\n\n[[table:statements]]"),
        ]
        return self.arranged(title, texts, *shown, paper=f"{name}.pdf")

    def _returns(self, name: str) -> Iterator[tuple[str, str, str]]:
        """Yield each wave in which the organisation answered, how many of it did, and how many in all."""
        frame = self.tables.get("respondents", pd.DataFrame(columns=["variable", "organisation", "level"]))
        own = (frame["variable"] == ORGANISATION) & (frame["organisation"] == ALL) & (frame["level"] == name)
        for row in records(frame[own]):
            if is_missing(row.n) or row.n:
                yield self.labels.wave(row.wave), printed.count(row).text, printed.count(row, "base").text

    def _scales(self, name: str) -> Table:
        """Return the scales: levels of all and of the organisation, its difference from all, its change."""
        first, last = self.waves[0], self.waves[-1]
        write, level = self.estimates.printed, self.estimates.level

        def cells(scale: str) -> Iterator[Cell]:
            ends = [(last, ALL), (last, name), (first, name)]
            every, own, before = (write(level.get((scale, *end))) for end in ends)
            gap, *change = self._differences("contrasts", name, scale, every, own)
            yield from (every, own, gap, *([before, *change] if change else []))

        beside = f" ({self.labels.confidence} CI)"
        heads = [*self._heads(name), f"Difference{beside}"]
        if len(self.waves) > 1:
            heads += [self.labels.wave(first), f"Change{beside}"]
        return laid_out(
            f"Scales in {self.labels.wave(last)}",
            self.presentation.scales,
            [
                (Column("Scale"), lambda scale: Cell(self.labels.scale(scale))),
                ([*map(numbers, heads)], cells),
            ],
            pd.DataFrame(),
            *self._notes(),
        )

    def _heads(self, name: str) -> list[str]:
        return [opening(self.everybody), self.labels.organisation(name)]

    def _differences(self, table: str, name: str, subject: str, every: Cell, own: Cell) -> Iterator[Cell]:
        """Print the difference from all, or without an estimate that of the levels as printed, and the change."""
        scale = table == "contrasts"
        decimals = self.decimals if scale else 1
        for kind in self.kinds:
            row = self.differences.get((table, kind, _sides(kind, name), subject))
            cell = (
                self.estimates.printed(row, signed=True, bounds=True)
                if scale
                else printed.estimate(row, self.labels, decimals=1, signed=True)
            )
            ends = [as_float(level.value) for level in (every, own)]
            if kind == GAP and is_missing(cell.value) and not any(map(is_missing, ends)):
                size = round(ends[1], decimals) - round(ends[0], decimals)
                yield Cell(number(size, decimals, signed=True), size)
            else:
                yield printed.decided(cell, row)

    def _drawn(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield what is drawn of each scale with a level: title, level, ends of its interval, level of all."""
        for scale in self.presentation.scales:
            every, own = (self.estimates.level.get((scale, self.waves[-1], who)) for who in (ALL, name))
            if own is not None and not is_missing(own.estimate):
                known = not is_missing(own.conf_low) and not is_missing(own.conf_high)
                yield {
                    "title": visible(shortened(self.labels.scale(scale), TITLE)),
                    "own": own.estimate,
                    "bounds": (max(own.conf_low, 0.0), min(own.conf_high, 100.0)) if known else (),
                    "every": None if every is None or is_missing(every.estimate) else every.estimate,
                }

    def _statements(self, name: str) -> Table:
        """Return the statements by how far the organisation is above all; of many, those at both ends."""
        ranked: list[tuple[float, str, list[Cell]]] = []
        for item in self.presentation.items:
            rows = (self.items.get((who, item)) for who in (ALL, name))
            every, own = (printed.number(row, "favourable_percent", percentage) for row in rows)
            if not is_missing(every.value) and not is_missing(own.value):
                cells = [every, own, *self._differences("item_contrasts", name, item, every, own)]
                ranked.append((-as_float(cells[2].value), item, cells))
        ranked.sort(key=lambda one: one[0])
        noun, nouns = self.presentation.nouns.statement
        title = f"All {nouns}, the highest relative to {self.everybody} first"
        if len(ranked) > 2 * HALF:
            title = f"The {HALF} {nouns} highest and the {HALF} lowest relative to {self.everybody}"
            ranked = ranked[:HALF] + ranked[-HALF:]
        heads = [*self._heads(name), "Difference", "Change"][: 2 + len(self.kinds)]
        return laid_out(
            title,
            ranked,
            [
                (Column(opening(noun)), lambda row: Cell(self.labels.item(row[1]))),
                ([*map(numbers, heads)], lambda row: row[2]),
            ],
            pd.DataFrame(),
            f"In {UNITS[PERCENT_FAVOURABLE]}; signs as in Table 1.",
        )

    def _notes(self) -> Iterator[str]:
        yield f"In {UNITS[self.unit]}."
        yield (
            "▲ higher or rose, ▼ lower or fell, ○ no meaningful difference: decided at p below "
            f"{self.numbers.alpha.text}, adjusted for the number of comparisons. No sign: inconclusive, which is not "
            "the same as no difference."
        )
        yield (
            "Tested differences and changes are computed before rounding, so they need not equal the differences of "
            "the levels shown."
        )
        yield f"{self.labels.organisation(ALL)} include this {self.presentation.nouns.organisation[0]}."
        yield self.presentation.protection


def _sides(kind: str, name: str) -> str:
    """Return what the column `organisation` has: of a difference from all both sides."""
    return f"{name}{BETWEEN}{ALL}" if kind == GAP else name
