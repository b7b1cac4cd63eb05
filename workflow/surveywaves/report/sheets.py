"""Each organisation's own two pages: itself beside all, its change, and what stands out; as HTML and as PDF."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd
import typst

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.findings import (
    CHANGE,
    GAP,
    LEVEL,
    Found,
    contrast_rows,
    counted,
    found,
    largest,
    main_pair,
    main_unit,
)
from surveywaves.report.build import UNITS, fonts
from surveywaves.report.paper import STANDARD
from surveywaves.study.parts import Presentation
from surveywaves.tables.publish import demonstration
from surveywaves.terms import ALL, BETWEEN, ESTIMATED, ORGANISATION, PERCENT_FAVOURABLE, Status
from surveywaves.text import few, visible
from surveywaves.words import (
    NONE,
    REVERSED,
    REVERSED_MEANS,
    WITHHELD,
    WITHHELD_MEANS,
    Labels,
    interval,
    is_missing,
    lower,
    number,
    records,
    whole,
)

HALF: Final = 14
"""Statements at either end that a sheet shows, where it cannot show all."""

TONES: Final = {"increase": "up", "decrease": "down"}


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
        what = "a sheet sets an organisation beside the others: there must be two, and a scale"
        raise SurveywavesError([Mistake("config/config.yaml", what, "leave `sheets` out")])
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    study = Study(tables, presentation)
    names = {name: study.labels.organisation(name) for name in presentation.organisations}
    for name in names:
        content = study.sheet(name)
        page = environment.get_template("sheet.html.j2").render(content)
        yield f"{name}.html", page.encode()
        yield (
            f"{name}.pdf",
            typst.compile(
                str(templates / "sheet.typ"),
                root=str(templates),
                font_paths=fonts(),
                ignore_system_fonts=True,
                sys_inputs={"sheet": json.dumps(content, ensure_ascii=False)},
                pdf_standards=STANDARD,
                timestamp=0,
            ),
        )
    listed = environment.get_template("index.html.j2").render(names=names, study=visible(presentation.title))
    yield "index.html", listed.encode()


@dataclass(frozen=True)
class Study:
    """What the sheets of a study have in common."""

    tables: Mapping[str, pd.DataFrame]
    presentation: Presentation

    @cached_property
    def labels(self) -> Labels:
        """The study's words."""
        return Labels(self.presentation)

    @cached_property
    def unit(self) -> str:
        """Unit of the headline."""
        return main_unit(self.tables.get("contrasts", self.tables["means"]))

    @cached_property
    def waves(self) -> list[str]:
        """The waves that are compared, the last one last; or the only one."""
        pair = main_pair(self.presentation)
        return [pair.first, pair.last] if pair else [next(iter(self.presentation.waves))]

    @cached_property
    def facts(self) -> dict[tuple[str, str, str, str], Found]:
        """Levels, changes, and differences from all by kind, wave, organisation and scale."""
        kinds = [(LEVEL, wave) for wave in self.waves] + [(GAP, self.waves[-1])]
        kinds += [(CHANGE, BETWEEN.join(reversed(self.waves)))] if len(self.waves) > 1 else []
        contrasts, means = self.tables.get("contrasts"), self.tables["means"]
        return {
            (kind, wave, one.organisation.removesuffix(f"{BETWEEN}{ALL}"), one.scale): one
            for kind, wave in kinds
            for one in found(contrasts, means, kind=kind, wave=wave, unit=self.unit)
            if kind != GAP or one.organisation.endswith(f"{BETWEEN}{ALL}")
        }

    @cached_property
    def items(self) -> dict[tuple[str, str], Any]:
        """Rows of `item_summary` of the last wave by organisation and item."""
        frame = self.tables.get("item_summary", pd.DataFrame(columns=["wave"]))
        return {(row.organisation, row.item): row for row in records(frame[frame["wave"] == self.waves[-1]])}

    @cached_property
    def item_contrasts(self) -> dict[tuple[str, str, str], Any]:
        """Rows of `item_contrasts` by kind, organisation and item: changes, and differences from all."""
        frame = self.tables.get("item_contrasts")
        if frame is None:
            return {}
        waves = {GAP: self.waves[-1], CHANGE: BETWEEN.join(reversed(self.waves))}
        return {
            (kind, row.organisation, row.item): row
            for kind, wave in waves.items()
            for row in records(contrast_rows(frame, PERCENT_FAVOURABLE, kind, wave=wave))
        }

    def sheet(self, name: str) -> dict[str, Any]:
        """Give the sheet of an organisation, as both templates read it."""
        statements = self._statements(name)
        return {
            "title": visible(self.labels.organisation(name)),
            "study": visible(self.presentation.title),
            "strip": demonstration({wave.evidence for wave in self.presentation.waves.values()}),
            "everybody": visible(lower(self.labels.organisation(ALL))),
            "waves": [visible(self.labels.wave(wave)) for wave in self.waves],
            "returns": list(self._returns(name)),
            "said": list(self._said(name)),
            "interval": f"{self.labels.confidence} CI",
            "scales": [self._scale(name, scale) for scale in self.presentation.scales],
            "nouns": [visible(noun) for noun in self.presentation.nouns.statement],
            "statements": statements,
            "cut": HALF if len(statements) == 2 * HALF else 0,
            "notes": [*self._notes(statements)],
        }

    def _returns(self, name: str) -> Iterator[str]:
        """Say of each wave how many answered, where anybody of the organisation did."""
        frame = self.tables.get("respondents", pd.DataFrame(columns=["variable", "organisation", "level"]))
        own = (frame["variable"] == ORGANISATION) & (frame["organisation"] == ALL) & (frame["level"] == name)
        for row in records(frame[own]):
            if is_missing(row.n) or row.n:
                count = WITHHELD if is_missing(row.n) else whole(row.n)
                people = self.presentation.nouns.people
                yield visible(f"{self.labels.wave(row.wave)}: {count} of {whole(row.base)} {people}")

    def _said(self, name: str) -> Iterator[str]:
        """Say what stands out: where it is clearly above or below all, and what clearly rose or fell."""
        everybody, since = lower(self.labels.organisation(ALL)), self.labels.wave(self.waves[0])
        leads = {
            GAP: (f"Higher than {everybody}", f"Lower than {everybody}"),
            CHANGE: (f"Rose since {since}", f"Fell since {since}"),
        }
        for kind, (up, down) in leads.items():
            own = [one for (what, _, who, _), one in self.facts.items() if (what, who) == (kind, name)]
            known = [one for one in own if one.estimate is not None]
            for lead, moved in (
                (up, [one for one in known if one.up]),
                (down, [one for one in known if one.down]),
            ):
                if moved:
                    told = [
                        f"{self.labels.scale(one.scale)} ({number(one.estimate, self.decimals, signed=True)})"
                        for one in largest(moved)
                    ]
                    yield visible(
                        f"{lead} on {counted(len(moved))} of {counted(len(known))} scales: {few(told)}."
                    )
            if known and not any(one.moved for one in known):
                what = (
                    f"differs clearly from {everybody}" if kind == GAP else f"changed clearly since {since}"
                )
                yield visible(f"No scale {what}; that is not evidence that none does.")

    @property
    def decimals(self) -> int:
        """Decimals of levels and differences."""
        return 1 if self.unit == PERCENT_FAVOURABLE else 2

    def _scale(self, name: str, scale: str) -> dict[str, Any]:
        """Give the row of a scale: levels of all and of the organisation, its difference from all, and its change."""
        last = self.waves[-1]
        levels = [
            self.facts.get((LEVEL, wave, who, scale))
            for wave, who in ((last, ALL), (last, name), (self.waves[0], name))
        ]
        gap = self.facts.get((GAP, last, name, scale))
        cells = [*map(self._level, levels[:2]), self._difference(gap, levels)]
        if len(self.waves) > 1:
            change = self.facts.get((CHANGE, BETWEEN.join(reversed(self.waves)), name, scale))
            cells += [self._level(levels[2]), self._difference(change)]
        title = visible(self.labels.scale(scale))
        return {"title": title, "cells": cells, "drawing": self._drawing(*levels[:2])}

    def _level(self, one: Found | None) -> tuple[str, str]:
        if one is None or one.estimate is None:
            return WITHHELD if one and one.status == Status.WITHHELD else NONE, ""
        return number(one.estimate, self.decimals), ""

    def _difference(self, one: Found | None, levels: Sequence[Found | None] = ()) -> tuple[str, str]:
        """Write a difference with its interval and what is decided; untested, that of the levels as printed."""
        known = [
            round(level.estimate, self.decimals)
            for level in levels[:2]
            if level and level.estimate is not None
        ]
        if one is None and len(known) == 2:
            return number(known[1] - known[0], self.decimals, signed=True), ""
        if one is None or one.estimate is None:
            return self._level(one)
        size = number(one.estimate, self.decimals, signed=True)
        return f"{size} ({interval(one.low, one.high, decimals=self.decimals)})", TONES.get(one.decision, "")

    def _drawing(self, every: Found | None, own: Found | None) -> str:
        """Draw the organisation's level with its interval, and that of all as a line, from 0 to 100%."""
        if self.unit != PERCENT_FAVOURABLE or own is None or own.estimate is None:
            return ""
        marks = '<path d="M0 5.5H100" stroke="#c9ced6" stroke-width="1"/>'
        if own.low is not None and own.high is not None:
            low, high = max(own.low, 0.0), min(own.high, 100.0)
            marks += f'<path d="M{low:.1f} 5.5H{high:.1f}" stroke="#0b4f8a" stroke-width="2"/>'
        if every and every.estimate is not None:
            marks += f'<path d="M{every.estimate:.1f} 0V11" stroke="#1b1f24" stroke-width="1.5"/>'
        marks += f'<circle cx="{own.estimate:.1f}" cy="5.5" r="3" fill="#0b4f8a"/>'
        size = 'viewBox="-4 0 108 11" width="108" height="11"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" {size}>{marks}</svg>'

    def _statements(self, name: str) -> list[dict[str, Any]]:
        """List statements by how far the organisation is above all, the highest first; of many, those at both ends."""
        ranked: list[tuple[float, dict[str, Any]]] = []
        for item in self.presentation.items:
            rows = [self.items.get((who, item)) for who in (ALL, name)]
            if not all(rows) or any(is_missing(row.favourable_percent) for row in rows if row):
                continue
            levels = [round(row.favourable_percent, 1) for row in rows if row]
            gap = self._item(GAP, f"{name}{BETWEEN}{ALL}", item)
            size = levels[1] - levels[0] if gap is None else gap.estimate
            tone = TONES.get(gap.decision, "") if gap else ""
            cells = [*((number(level, 1), "") for level in levels), (number(size, 1, signed=True), tone)]
            if len(self.waves) > 1:
                change = self._item(CHANGE, name, item)
                text, tone = (
                    (number(change.estimate, 1, signed=True), change.decision) if change else (NONE, "")
                )
                cells.append((text, TONES.get(tone, "")))
            ranked.append((size, {"title": visible(self.labels.item(item)), "cells": cells}))
        found = [row for _, row in sorted(ranked, key=lambda one: -one[0])]
        return found if len(found) <= 2 * HALF else found[:HALF] + found[-HALF:]

    def _item(self, kind: str, organisation: str, item: str) -> Any:
        row = self.item_contrasts.get((kind, organisation, item))
        return row if row is not None and row.status in ESTIMATED else None

    def _notes(self, statements: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        percent = UNITS[PERCENT_FAVOURABLE]
        alpha = f"{1 - self.presentation.confidence:.2g}".removeprefix("0")
        yield f"In {percent}." if self.unit == PERCENT_FAVOURABLE else f"Statements in {percent}."
        yield (
            f"▲ higher or rose, ▼ lower or fell: p below {alpha}, adjusted for all that is compared. No sign: not "
            "settled, which is not the same as no difference."
        )
        yield (
            "Tested differences and changes are of the answers before any rounding: they are not exactly the "
            "differences of the levels shown."
        )
        yield f"{self.labels.organisation(ALL)} include this {self.presentation.nouns.organisation[0]}."
        if any(REVERSED in row["title"] for row in statements):
            yield REVERSED_MEANS
        if not self.presentation.public:
            yield f"{self.presentation.protection} {WITHHELD_MEANS}"
