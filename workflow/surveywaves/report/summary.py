"""What the first page tells: facts with the sources of their numbers, gathered by contrast; and how sure they are.

The sentences are in `workflow/report/sections/`: `summary.md.j2`, with `_said.jinja` for what other sections say too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from markupsafe import Markup

from surveywaves import findings
from surveywaves.findings import (
    ANALYSIS,
    CHANGE,
    CLEAR,
    DIFFERENCE,
    GAP,
    LEVEL,
    Found,
    counted,
    largest,
)
from surveywaves.report.numbers import Material, Number
from surveywaves.terms import (
    ALL,
    BETWEEN,
    ESTIMATED,
    PERCENT_FAVOURABLE,
    Decision,
    Status,
)
from surveywaves.words import LOW_RELIABILITY_SIGN, absent, decimals_of_bounds, lower, number

SAME: Final[dict[str, Any]] = {"agreeing=": "variants"}
"""Rows of `agreement` whose decision every variant comes to."""

NAMED: Final = 3
"""Scales of an organisation that are named in its sentence; one, if there are more organisations than `PAIR`."""

PAIR: Final = 2

TOLD: Final = 4
"""Organisations, or pairs of them, that have a sentence of their own."""

MANY: Final = 10
"""Most organisations of which each may be named; for more, the page gives counts and extremes."""

OTHERS: Final[dict[str, Any]] = {"organisation!": ALL}
"""Rows of single organisations, and of pairs of them."""

WAYS: Final[Mapping[str, str]] = {"rose": Decision.INCREASE.value, "fell": Decision.DECREASE.value}
"""How a change that is decided is called -> the decision."""


@dataclass(frozen=True)
class Told(Found):
    """A fact in words, and its numbers with their sources."""

    material: Material
    """What the report is made from; the fact is in the unit of its headline."""

    @property
    def title(self) -> str:
        """Name its scale; one of low reliability with its sign."""
        return self.material.labels.scale(self.scale) + (
            f" {LOW_RELIABILITY_SIGN}" if self.low_reliability else ""
        )

    @property
    def who(self) -> list[str]:
        """Name its organisation, or both sides of a pair, in the middle of a sentence."""
        return [findings.inside(self.material.labels, name) for name in self.organisation.split(BETWEEN)]

    @property
    def known(self) -> bool:
        """Whether there is an estimate."""
        return self.estimate is not None

    @property
    def missing(self) -> str:
        """Return why there is no estimate."""
        return "withheld" if self.status == Status.WITHHELD else absent(self.status)

    @property
    def size(self) -> Number:
        """Return the difference with its sign, or the level where it is one."""
        if self.kind == LEVEL:
            return self._level(self.wave, self.organisation)
        return self._contrast("estimate", self.kind, self.wave, signed=True)

    @property
    def bounds(self) -> list[Number]:
        """Return the bounds of its interval, with enough decimals to show on which side of zero each lies."""
        places = decimals_of_bounds((self.low, self.high), self.material.decimals)
        return [
            self._contrast(name, self.kind, self.wave, places=places) for name in ("conf_low", "conf_high")
        ]

    @property
    def ends(self) -> list[Number | Markup]:
        """Return where it went from and to; of a gap, the level of the organisation named second, then of the first.

        Empty where either is not released, or is of more statements than were asked in both. The later end is of a
        class that says which way it moved, if that is decided.
        """
        if self.estimate is None or self.fewer:
            return []
        last, _, first = (self.organisation if self.kind == GAP else self.wave).partition(BETWEEN)
        try:
            if self.kind == DIFFERENCE:
                return [self._contrast("estimate", GAP, wave, signed=True) for wave in (first, last)]
            if self.kind == GAP:
                return [self._level(self.wave, name) for name in (first, last)]
            before, after = (self._level(wave, self.organisation) for wave in (first, last))
        except (KeyError, ValueError):
            return []
        tone = "up" if self.up else "down"
        return [
            before,
            Markup(f"`#{tone}[`{{=typst}}[{after}]{{.{tone}}}`]`{{=typst}}") if self.moved else after,
        ]

    def _level(self, wave: str, organisation: str) -> Number:
        term = findings.level_term(self.material.unit)
        percent = "%" if self.material.unit == PERCENT_FAVOURABLE else ""
        return self._cell("means", "estimate", percent, term=term, wave=wave, organisation=organisation)

    def _contrast(
        self, column: str, kind: str, wave: str, *, signed: bool = False, places: int = 0
    ) -> Number:
        where = self.material.where(kind, wave, organisation=self.organisation)
        return self._cell("contrasts", column, signed=signed, places=places, **where)

    def _cell(
        self, table: str, column: str, unit: str = "", *, signed: bool = False, places: int = 0, **where: str
    ) -> Number:
        """Take a cell; without decimals where it and its like were released in whole numbers."""
        here = {"analysis": ANALYSIS[self.material.unit]} | where
        whole = (self.scale, here["organisation"]) in self.material.in_whole_numbers
        decimals = 0 if whole else max(places, self.material.decimals)
        return self.material.numbers.cell(
            table, column, lambda x: number(x, decimals, signed=signed) + unit, scale=self.scale, **here
        )


@dataclass(frozen=True)
class Contrast:
    """The results of one contrast, on every scale that it has an estimate of."""

    facts: list[Told]
    """At least one."""

    @property
    def who(self) -> list[str]:
        """Name its organisation, or both sides of a pair."""
        return self.facts[0].who

    @property
    def against_all(self) -> bool:
        """Whether one organisation is compared with everybody together."""
        return self.facts[0].against_all

    @cached_property
    def moved(self) -> list[Told]:
        """The facts whose direction is decided, the largest first."""
        return largest(one for one in self.facts if one.moved)

    @property
    def ways(self) -> list[tuple[str, list[Told]]]:
        """Split the scales that moved by the way that they went; see `findings.ways`."""
        return findings.ways(self.moved)

    @property
    def tested(self) -> Number:
        """Count the scales that it has an estimate of."""
        return self._count(status=list(ESTIMATED))

    def count(self, *went: str) -> Number:
        """Count the scales that went any of the given ways."""
        return self._count(decision=[WAYS[way] for way in went])

    def scales(self, *went: str) -> Markup:
        """Return in words how many of the scales went any of the given ways; without a way, "any of" the scales."""
        told, tested = self.count(*went), self.tested
        counts = round(told.value) if went else None, round(tested.value)
        return Markup(findings.of_scales(*counts, str(told), str(tested)))

    def _count(self, **here: Any) -> Number:
        one, material = self.facts[0], self.facts[0].material
        where = material.where(one.kind, one.wave, organisation=one.organisation, **here)
        return material.numbers.count("contrasts", counted, **where)


def facts(material: Material, kind: str, wave: str) -> list[Told]:
    """Return the facts of a kind in the unit of the headline; see `findings.found`."""
    if not material.has("means"):
        return []
    means = material.tables["means"]
    found = findings.found(material.contrasts, means, kind=kind, wave=wave, unit=material.unit)
    return [
        Told(**{name: getattr(one, name) for name in Found.__slots__}, material=material) for one in found
    ]


def contrasts(material: Material, kind: str, wave: str) -> dict[str, Contrast]:
    """Gather the facts that have an estimate by organisation or pair, all together last."""
    found = [one for one in facts(material, kind, wave) if one.known]
    of = findings.by_organisation(found, material.presentation)
    return {name: Contrast(own) for name, own in of.items()}


def headline(material: Material) -> str:
    """Return in a line what was found; where nothing is compared, the study's title."""
    if not material.has("means"):
        return material.presentation.title
    facts = findings.main_facts(material.contrasts, material.tables["means"], material.presentation)
    return findings.headline(facts, material.presentation)


def summary(material: Material) -> dict[str, Any]:
    """Return what the first page tells: contrasts of the main pair of waves, or of the only wave."""
    study, first = material.presentation, next(iter(material.presentation.waves))
    pair = findings.main_pair(study)
    main = pair.contrast if pair else first
    every = contrasts(material, CHANGE, main) if pair else {}
    changes = findings.without_all(every)
    pairs = contrasts(material, DIFFERENCE if pair else GAP, main)
    earlier = findings.Pair(first, pair.last) if pair and first not in (pair.first, pair.last) else None
    since = contrasts(material, CHANGE, earlier.contrast) if earlier else {}
    moved = sorted((one for one in changes.values() if one.moved), key=lambda one: -len(one.moved))
    still = [one for one in changes.values() if not one.moved]
    apart = sorted(
        (one for one in pairs.values() if one.moved),
        key=lambda one: (-len(one.moved), -abs(one.moved[0].estimate or 0.0)),
    )
    many = _many(material, list((changes or pairs).values())) if len(study.organisations) > MANY else None
    if many:
        together = [one for name, one in every.items() if name == ALL]
        moved, still = [one for one in together if one.moved], [one for one in together if not one.moved]
        since = {name: one for name, one in since.items() if name == ALL}
    return {
        "pair": pair,
        "wave": first,
        "earlier": earlier,
        "changes": changes,
        "many": many,
        "moved": moved[:TOLD],
        "further": [one.who[0] for one in moved[TOLD:]],
        "named": NAMED if len(changes) <= PAIR else 1,
        "still": still,
        "all_still": len(still) == len(study.organisations) > PAIR,
        "largest": largest(one for each in still for one in each.facts)[:1],
        "equivalent": {one.decision for each in still for one in each.facts}
        == {Decision.NO_MEANINGFUL_CHANGE.value},
        "apart": apart[: 1 if pair or many else TOLD],
        "since": [one for one in findings.without_all(since).values() if one.moved][:1],
        "ends": [] if pair else _ends(material, first),
        "sure": _sure(
            material,
            here={
                "term": [CHANGE, DIFFERENCE] if pair else [GAP],
                "wave": [main, *([earlier.contrast] if earlier else [])],
                **({} if many else {"organisation": [*changes, *pairs, *since]}),
            },
        ),
    }


def _many(material: Material, of: list[Contrast]) -> dict[str, Any] | None:
    """Count the organisations that moved on some scale, with the extremes; None if none did, or pairs are compared."""
    moved = largest(fact for one in of for fact in one.moved)
    if not moved or not all(one.against_all or len(one.who) == 1 for one in of):
        return None
    here = material.where(moved[0].kind, moved[0].wave, **OTHERS)

    def count(*went: str) -> Number:
        decisions = [WAYS[way] for way in went]
        return material.numbers.distinct("contrasts", "organisation", decision=decisions, **here)

    ways = findings.ways(moved)
    return {
        "moved": count(*WAYS),
        "counts": [(went, count(went)) for went, _ in ways],
        "extremes": [(went, own[0]) for went, own in ways],
    }


def _ends(material: Material, wave: str) -> list[Told]:
    """Return the highest and the lowest level of a wave, of everybody together."""
    own = contrasts(material, LEVEL, wave)
    whole = own.get(ALL) or next(iter(own.values()), None)
    ranked = sorted(whole.facts if whole else [], key=lambda one: -(one.estimate or 0.0))
    return [ranked[0], ranked[-1]] if len(ranked) > 1 else ranked


def _sure(material: Material, here: dict[str, Any]) -> dict[str, Any] | None:
    """Count the clear results of the first page that hold however the data are analysed; None without any."""
    here = {"analysis": ANALYSIS[material.unit], "decision": CLEAR, **here}
    numbers = material.numbers
    if not material.has("agreement") or (rows := numbers.rows("agreement", **here)).empty:
        return None
    found: dict[str, Any] = {
        "told": numbers.count("agreement", counted, **here),
        "same": numbers.count("agreement", counted, **here, **SAME),
        "move": None,
    }
    largest_first = rows.sort_values("largest_move", key=abs, ascending=False, kind="stable")
    if rows["largest_move"].notna().any() and material.unit == PERCENT_FAVOURABLE:
        found["move"] = numbers.largest("agreement", "largest_move", lambda x: number(x, 1), **here)
        found["variant"] = lower(material.labels.variant(str(largest_first["largest_variant"].iloc[0])))
    return found
