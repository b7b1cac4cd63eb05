"""Each organisation's own two pages, as HTML and PDF: its levels beside everybody's, its changes, what stands out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.findings import CHANGE, GAP, contrast_rows, main_pair, of_scales
from surveywaves.report.build import UNITS
from surveywaves.report.numbers import Material
from surveywaves.report.paper import pdf
from surveywaves.report.summary import Contrast, contrasts
from surveywaves.study.parts import Presentation
from surveywaves.tables import Cell, printed
from surveywaves.tables.change import Estimates
from surveywaves.tables.publish import demonstration
from surveywaves.terms import ALL, BETWEEN, ORGANISATION, PERCENT_FAVOURABLE
from surveywaves.text import few, visible
from surveywaves.words import (
    REVERSED,
    REVERSED_MEANS,
    WITHHELD_MEANS,
    as_float,
    is_missing,
    lower,
    number,
    opening,
    percentage,
    records,
    whole,
)

HALF: Final = 14
"""Statements at either end that a sheet shows, where it cannot show all."""


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
        Folder with `sheet.html.j2`, `index.html.j2` and `sheet.typ`.

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
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    study = Study(tables, presentation)
    names = {name: visible(study.labels.organisation(name)) for name in presentation.organisations}
    for name in names:
        content = study.sheet(name)
        yield f"{name}.html", environment.get_template("sheet.html.j2").render(content).encode()
        yield f"{name}.pdf", pdf(templates / "sheet.typ", sheet=content)
    listed = environment.get_template("index.html.j2").render(names=names, study=visible(presentation.title))
    yield "index.html", listed.encode()


@dataclass(frozen=True)
class Study(Material):
    """What the sheets of a study have in common."""

    @cached_property
    def waves(self) -> list[str]:
        """The two waves that are compared, in order; or the only one."""
        pair = main_pair(self.presentation)
        return [pair.first, pair.last] if pair else [next(iter(self.presentation.waves))]

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of contrast that a sheet shows -> the wave, or pair of waves, that it is of."""
        return {GAP: self.waves[-1], CHANGE: BETWEEN.join(reversed(self.waves))}

    @cached_property
    def everybody(self) -> str:
        """The words for all together, in the middle of a sentence."""
        return visible(lower(self.labels.organisation(ALL)))

    @cached_property
    def level(self) -> dict[tuple[str, str, str], Any]:
        """Scale, wave, organisation -> level."""
        return Estimates(self.tables["means"], self.labels, self.unit).level

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

    def sheet(self, name: str) -> dict[str, Any]:
        """Return what both templates show of an organisation."""
        title = visible(self.labels.organisation(name))
        waves = [visible(self.labels.wave(wave)) for wave in self.waves]
        noun, nouns = map(visible, self.presentation.nouns.statement)
        heads, change = [opening(self.everybody), title], len(waves) > 1
        beside = f" ({self.labels.confidence} CI)"
        statements = self._statements(name)
        order = f"All {nouns}, the highest relative to {self.everybody} first"
        if len(statements) == 2 * HALF:
            order = f"The {HALF} {nouns} highest and the {HALF} lowest relative to {self.everybody}"
        drawn = f"Dot: {title}, with its interval; upright line: {self.everybody}; from 0 to 100%."
        return {
            "title": title,
            "study": visible(self.presentation.title),
            "strip": demonstration({wave.evidence for wave in self.presentation.waves.values()}),
            "waves": waves,
            "returns": list(self._returns(name)),
            "said": list(self._said(name)),
            "scales": {
                "title": f"Scales in {waves[-1]}",
                "heads": ["Scale", *heads, f"Difference{beside}"]
                + ([waves[0], f"Change{beside}"] if change else []),
                "rows": [self._scale(name, scale) for scale in self.presentation.scales],
            },
            "drawn": drawn if self.unit == PERCENT_FAVOURABLE else "",
            "statements": {
                "title": order,
                "heads": [opening(noun), *heads, "Difference", *(["Change"] if change else [])],
                "rows": statements,
            },
            "notes": [*self._notes(statements)],
        }

    def _returns(self, name: str) -> Iterator[str]:
        """Say of each wave how many answered, where anybody of the organisation did."""
        frame = self.tables.get("respondents", pd.DataFrame(columns=["variable", "organisation", "level"]))
        own = (frame["variable"] == ORGANISATION) & (frame["organisation"] == ALL) & (frame["level"] == name)
        for row in records(frame[own]):
            if is_missing(row.n) or row.n:
                people = f"{whole(row.base)} {self.presentation.nouns.people}"
                yield visible(f"{self.labels.wave(row.wave)}: {printed.count(row).text} of {people}")

    def _said(self, name: str) -> Iterator[str]:
        """Say what stands out: where it is clearly above or below all, and what clearly rose or fell."""
        everybody, since = self.everybody, self.labels.wave(self.waves[0])
        leads = {
            GAP: (f"Higher than {everybody}", f"Lower than {everybody}", f"differs clearly from {everybody}"),
            CHANGE: (f"Rose since {since}", f"Fell since {since}", f"changed clearly since {since}"),
        }
        for kind, (up, down, moved) in leads.items():
            one = self.compared[kind].get(_sides(kind, name))
            if one is None:
                continue
            for went, own in one.ways:
                told = few([f"{self.labels.scale(fact.scale)} ({fact.size.text})" for fact in own])
                on = of_scales(len(own), len(one.facts))
                yield visible(f"{up if went == 'rose' else down} on {on}: {told}.")
            if not one.moved:
                yield visible(f"No scale {moved}; that is not evidence that none does.")

    def _scale(self, name: str, scale: str) -> dict[str, Any]:
        """Return the row of a scale: levels of all and of the organisation, its difference from all, its change."""
        first, last = self.waves[0], self.waves[-1]
        ends = [self.level.get((scale, *end)) for end in ((last, ALL), (last, name), (first, name))]
        every, own, before = (printed.estimate(row, self.labels, decimals=self.decimals) for row in ends)
        gap, *change = self._differences("contrasts", name, scale, every, own)
        return {
            "title": visible(self.labels.scale(scale)),
            "cells": _as_data([every, own, gap, *([before, *change] if change else [])]),
            "drawing": self._drawing(*ends[:2]),
        }

    def _differences(self, table: str, name: str, subject: str, every: Cell, own: Cell) -> Iterator[Cell]:
        """Print the difference from all, or without an estimate that of the levels as printed, and the change."""
        scale = table == "contrasts"
        decimals = self.decimals if scale else 1
        for kind in (GAP, CHANGE)[: len(self.waves)]:
            row = self.differences.get((table, kind, _sides(kind, name), subject))
            cell = printed.estimate(row, self.labels, decimals=decimals, signed=True, bounds=scale)
            ends = [as_float(level.value) for level in (every, own)]
            if kind == GAP and is_missing(cell.value) and not any(map(is_missing, ends)):
                size = round(ends[1], decimals) - round(ends[0], decimals)
                yield Cell(number(size, decimals, signed=True), size)
            else:
                yield printed.decided(cell, row)

    def _drawing(self, every: Any, own: Any) -> str:
        """Draw the organisation's level with its interval, and that of all as a line, from 0 to 100%."""
        if self.unit != PERCENT_FAVOURABLE or own is None or is_missing(own.estimate):
            return ""
        marks = '<path d="M0 5.5H100" stroke="#c9ced6" stroke-width="1"/>'
        if not is_missing(own.conf_low) and not is_missing(own.conf_high):
            low, high = max(own.conf_low, 0.0), min(own.conf_high, 100.0)
            marks += f'<path d="M{low:.1f} 5.5H{high:.1f}" stroke="#0b4f8a" stroke-width="2"/>'
        if every is not None and not is_missing(every.estimate):
            marks += f'<path d="M{every.estimate:.1f} 0V11" stroke="#1b1f24" stroke-width="1.5"/>'
        marks += f'<circle cx="{own.estimate:.1f}" cy="5.5" r="3" fill="#0b4f8a"/>'
        size = 'viewBox="-4 0 108 11" width="108" height="11"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" {size}>{marks}</svg>'

    def _statements(self, name: str) -> list[dict[str, Any]]:
        """List statements by how far the organisation is above all, the highest first; of many, those at both ends."""
        ranked: list[tuple[float, dict[str, Any]]] = []
        for item in self.presentation.items:
            rows = (self.items.get((who, item)) for who in (ALL, name))
            every, own = (printed.number(row, "favourable_percent", percentage) for row in rows)
            if is_missing(every.value) or is_missing(own.value):
                continue
            cells = [every, own, *self._differences("item_contrasts", name, item, every, own)]
            row = {"title": visible(self.labels.item(item)), "cells": _as_data(cells)}
            ranked.append((as_float(cells[2].value), row))
        found = [row for _, row in sorted(ranked, key=lambda one: -one[0])]
        return found if len(found) <= 2 * HALF else found[:HALF] + found[-HALF:]

    def _notes(self, statements: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        percent = UNITS[PERCENT_FAVOURABLE]
        yield f"In {percent}." if self.unit == PERCENT_FAVOURABLE else f"Statements in {percent}."
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
        if any(REVERSED in row["title"] for row in statements):
            yield REVERSED_MEANS
        if not self.presentation.public:
            yield f"{self.presentation.protection} {WITHHELD_MEANS}"


def _sides(kind: str, name: str) -> str:
    """Return what the column `organisation` has: of a difference from all both sides."""
    return f"{name}{BETWEEN}{ALL}" if kind == GAP else name


def _as_data(cells: Iterable[Cell]) -> list[tuple[str, str]]:
    """Return the text and the tone of cells."""
    return [(cell.text, cell.tone) for cell in cells]
