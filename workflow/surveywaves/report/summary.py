"""The first page: what was found, in a few sentences that the decisions carry, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from surveywaves import findings
from surveywaves.findings import ANALYSIS, CHANGE, DIFFERENCE, GAP, Found, counted, found, largest
from surveywaves.report.numbers import Marked, Material, Number, joined, plain, say, several, signed
from surveywaves.study.models import Nouns
from surveywaves.terms import (
    ALL,
    BETWEEN,
    ESTIMATED,
    PERCENT_FAVOURABLE,
    Decision,
    Evidence,
    Status,
    variant_title,
)
from surveywaves.text import listed
from surveywaves.words import MINUS, MOST_DECIMALS, absent, is_missing, lower, records, share

SURE: Final = [decision.value for decision in Decision if decision is not Decision.INCONCLUSIVE]
"""Decisions that say something."""

SAME: Final[dict[str, Any]] = {"agreeing=": "variants"}
"""Rows of `agreement` whose decision every variant comes to."""

NAMED: Final = 3
"""Scales of an organisation that are named in its sentence; one, if there are more organisations than `PAIR`."""

PAIR: Final = 2

TOLD: Final = 4
"""Organisations that have a sentence of their own."""


@dataclass(frozen=True)
class Estimates:
    """Estimates of the headline's unit in words, each number with its source.

    Parameters
    ----------
    material
        What the report is made from.
    """

    material: Material

    @property
    def unit(self) -> str:
        """Unit of the headline."""
        tables = self.material.tables
        return findings.main_unit(tables["contrasts" if self.material.has("contrasts") else "means"])

    @property
    def decimals(self) -> int:
        """Decimals of its levels and differences."""
        return 1 if self.unit == PERCENT_FAVOURABLE else 2

    def what(self) -> str:
        """Say what is counted."""
        percent = self.unit == PERCENT_FAVOURABLE
        return "Favourable answers" if percent else "Mean answers, in points of the response scale"

    def facts(self, kind: str, wave: str) -> list[Found]:
        """Take contrasts of a kind; see `findings.found`."""
        if not self.material.has("contrasts", "means"):
            return []
        tables = self.material.tables
        return found(tables["contrasts"], tables["means"], kind=kind, wave=wave, unit=self.unit)

    def level(self, scale: str, wave: str, organisation: str) -> Number:
        """Give a level (KeyError or ValueError where there is none)."""
        percent = self.unit == PERCENT_FAVOURABLE
        here: dict[str, Any] = {
            "analysis": ANALYSIS[self.unit],
            "scale": scale,
            "wave": wave,
            "organisation": organisation,
            "term": findings.level_term(self.unit),
        }
        write = plain(self._places("means", here), "%" if percent else "")
        return self.material.numbers.cell("means", "estimate", write, **here)

    def _places(self, table: str, here: dict[str, Any]) -> int:
        """Give the decimals of a row: none where it and its like were released in whole units, errors too."""
        like = {name: wanted for name, wanted in here.items() if name != "scale"}
        rows = self.material.numbers.rows(table, **like)
        numbers = rows.reindex(columns=["estimate", "std_error", "conf_low", "conf_high"]).to_numpy("float64")
        numbers = numbers[~np.isnan(numbers[:, 0])]
        return 0 if len(numbers) and bool((numbers == np.round(numbers)).all()) else self.decimals

    def where(self, one: Found) -> dict[str, Any]:
        """Name the row of a contrast."""
        return {**self.group(one.kind, one.wave, one.organisation), "scale": one.scale}

    def group(self, kind: str, wave: str, organisation: str) -> dict[str, Any]:
        """Name the rows of a contrast, of every scale."""
        return {
            "analysis": ANALYSIS[self.unit],
            "term": findings.term_in(self.unit, kind),
            "wave": wave,
            "organisation": organisation,
        }

    def difference(self, one: Found) -> Number:
        """Give a difference with its sign."""
        here = self.where(one)
        write = signed(self._places("contrasts", here))
        return self.material.numbers.cell("contrasts", "estimate", write, **here)

    def interval(self, one: Found) -> Marked:
        """Give the interval of a difference; a bound that is nearly zero shows its side of it."""
        bounds = [bound for bound in (one.low, one.high) if bound is not None]
        where = self.where(one)
        places = self._places("contrasts", where)
        while places < MOST_DECIMALS and any(bound and not round(bound, places) for bound in bounds):
            places += 1
        numbers = self.material.numbers
        return say(
            "{low} to {high}",
            low=numbers.cell("contrasts", "conf_low", plain(places), **where),
            high=numbers.cell("contrasts", "conf_high", plain(places), **where),
        )

    def moved(self, one: Found, *, interval: bool = True) -> Marked:
        """Say from where to where something changed, or why that is not known."""
        if one.estimate is None:
            return say("{why}", why=self.missing(one))
        change = self.difference(one)
        between = (
            say(
                "{change} points, {level} CI {interval}",
                change=change,
                level=self.material.numbers.level,
                interval=self.interval(one),
            )
            if interval
            else say("{change}", change=change)
        )
        if not one.comparable:
            asked = f", over the {self.material.presentation.nouns.statement[1]} asked in both"
            return say("{between}{asked}", between=between, asked=asked if one.fewer else "")
        last, _, first = one.wave.partition(BETWEEN)
        after = say("{level}", level=self.level(one.scale, last, one.organisation))
        tone = "up" if one.up else "down" if one.down else ""
        return say(
            "{first} → {last} ({between})",
            first=self.level(one.scale, first, one.organisation),
            last=Marked(f"[{after}]{{.{tone}}}") if tone else after,
            between=between,
        )

    def missing(self, one: Found) -> str:
        """Say why there is no estimate."""
        return "withheld" if one.status == Status.WITHHELD else absent(one.status)

    def scale(self, one: Found) -> str:
        """Name a scale; one of low reliability with its mark."""
        return self.material.labels.scale(one.scale) + (" ‡" if one.low_reliability else "")

    def count(self, facts: Sequence[Found], decisions: Sequence[str]) -> Number:
        """Count the scales of one contrast that came to some of the decisions."""
        group = self.group(facts[0].kind, facts[0].wave, facts[0].organisation)
        return self.material.numbers.count("contrasts", counted, **group, decision=list(decisions))

    def on(self, facts: Sequence[Found], decisions: Sequence[str]) -> Marked:
        """Say on how many of the scales with an estimate a contrast came to some of the decisions."""
        told, tried = self.count(facts, decisions), self.tried(facts)
        every = sum(one.estimate is not None for one in facts)
        if told.value == every:
            how = findings.EVERY.get(every)
            return say("{how}", how=how) if how else say("all {tried}", tried=tried)
        return say("{told} of {tried}", told=told if told else "none", tried=tried)

    def tried(self, facts: Sequence[Found]) -> Marked:
        """Count the scales of one contrast that have an estimate."""
        group = self.group(facts[0].kind, facts[0].wave, facts[0].organisation)
        number = self.material.numbers.count("contrasts", counted, **group, status=list(ESTIMATED))
        return several(number, ("scale", "scales"))


def headline(material: Material) -> str:
    """Say in a line what was found; where nothing is compared, what the study is called."""
    if not material.has("means"):
        return material.presentation.title
    tables, study = material.tables, material.presentation
    facts = findings.main_facts(
        tables["contrasts"] if material.has("contrasts") else None, tables["means"], study
    )
    return findings.headline(facts, study)


def strip(material: Material) -> str:
    """Say what of the data is invented, in Markdown; empty if nothing is."""
    labels, waves = material.labels, material.presentation.waves
    weaker = any(labels.weaker(name) for name in waves)
    if all(wave.evidence is Evidence.OBSERVED for wave in waves.values()) and not weaker:
        return ""
    said = []
    for kind, words in (
        (Evidence.RECONSTRUCTED, "rebuilt from published counts"),
        (Evidence.SIMULATED, "simulated"),
    ):
        titles = [wave.title for wave in waves.values() if wave.evidence is kind]
        if titles:
            said.append(say("{waves}: {words}", waves=joined(titles), words=words))
    if not said:
        said.append(say("some variables are not real answers"))
    some = any(wave.evidence is Evidence.OBSERVED for wave in waves.values())
    return say(
        "**{kind}.** {said}. [Details](#data)",
        kind="Part demonstration: not all are findings" if some else "Demonstration, not findings",
        said=joined(said, "; "),
    )


def summary(material: Material) -> list[Marked]:
    """Give the paragraphs of the first page."""
    if not material.has("means"):
        return [say("{about}", about=material.presentation.description)]
    say_it = Estimates(material)
    if (pair := findings.main_pair(material.presentation)) is None:
        return [*_one_wave(say_it), *_sure(material, say_it), *_limits(material)]
    changes = say_it.facts(CHANGE, pair.contrast)
    told = list(_changes(say_it, changes, pair))
    told += _differences(say_it, pair)
    told += _since(say_it, pair)
    return [*told, *_sure(material, say_it), *_limits(material)]


def when(material: Material, wave: str) -> Marked:
    """Name a wave with its period."""
    return say("{wave}", wave=material.labels.dated(wave))


def _changes(say_it: Estimates, changes: list[Found], pair: findings.Pair) -> Iterator[Marked]:
    """Say what changed in each organisation, or in all together where there is no other."""
    material = say_it.material
    of = findings.by_organisation((one for one in changes if one.estimate is not None), material.presentation)
    own = findings.without_all(of)
    yield say(
        "{what}, {first} → {last}.",
        what=say_it.what(),
        first=when(material, pair.first),
        last=when(material, pair.last),
    )
    if not own:
        yield say("**No change can be estimated.** [What people said](#scales) has the levels.")
        return
    moved = {name: largest(one for one in facts if one.moved) for name, facts in own.items()}
    ranked = sorted((name for name in own if moved[name]), key=lambda name: -len(moved[name]))
    for name in ranked[:TOLD]:
        yield _organisation(say_it, own[name], moved[name], NAMED if len(own) <= PAIR else 1)
    if further := ranked[TOLD:]:
        yield say(
            "**Clear changes also in** {names}: see [What people said](#scales).",
            names=joined(_inside(say_it, name) for name in further),
        )
    if still := [name for name in own if not moved[name]]:
        yield _still(say_it, {name: own[name] for name in still})


def _organisation(say_it: Estimates, facts: list[Found], moved: list[Found], most_named: int) -> Marked:
    """Say on how many scales an organisation rose and fell, and where most."""
    up, down = [one for one in moved if one.up], [one for one in moved if one.down]
    ways = [(up, "rose", Decision.INCREASE), (down, "fell", Decision.DECREASE)]
    (most, went, decision), (less, came, other) = sorted(ways, key=lambda way: -len(way[0]))
    lead = say(
        "**{who} {went} on {scales}{second}.**",
        who=_who(say_it, facts[0].organisation),
        went=went,
        scales=say_it.on(facts, [decision]),
        second=say(" and {came} on {count}", came=came, count=say_it.count(facts, [other])) if less else "",
    )
    told = [
        say("{scale}: {moved}.", scale=say_it.scale(one), moved=say_it.moved(one, interval=not number))
        for number, one in enumerate(most[:most_named])
    ]
    told += [
        say(
            "{scale} {came}: {moved}.",
            scale=say_it.scale(one),
            came=came,
            moved=say_it.moved(one, interval=False),
        )
        for one in (less[:1] if most_named > 1 else ())
    ]
    return joined([lead, *told], " ")


def _who(say_it: Estimates, organisation: str) -> str:
    return findings.opening(findings.inside(say_it.material.labels, organisation))


def _inside(say_it: Estimates, organisation: str) -> str:
    return findings.inside(say_it.material.labels, organisation)


def _still(say_it: Estimates, own: dict[str, list[Found]]) -> Marked:
    """Say of organisations that nothing clearly changed, and what the largest estimate is."""
    facts = [one for each in own.values() for one in each]
    same = all(one.decision == Decision.NO_MEANINGFUL_CHANGE for one in facts)
    first, same_number = largest(facts)[0], len({len(each) for each in own.values()}) == 1
    return say(
        "**No {what} change in {who}**{scales}. Largest: {scale}{where}, {moved}.",
        what="meaningful" if same else "clear",
        who=_whose(say_it, list(own)),
        scales=say(" on any of {tried}", tried=say_it.tried(facts))
        if same_number and len(facts) > len(own)
        else "",
        scale=say_it.scale(first),
        where=say(" in {name}", name=_inside(say_it, first.organisation)) if len(own) > 1 else "",
        moved=say_it.moved(first),
    )


def _whose(say_it: Estimates, names: list[str]) -> Marked:
    """Name organisations; all of many by their number."""
    study = say_it.material.presentation
    if len(names) == len(study.organisations) > PAIR:
        count = say_it.material.numbers.study("organisations", lambda value: counted(round(value)))
        return say("any of {count} {noun}", count=count, noun=study.nouns.organisation[1])
    return joined(_inside(say_it, name) for name in names)


def _differences(say_it: Estimates, pair: findings.Pair) -> Iterator[Marked]:
    """Say on how many scales two organisations changed differently, and what became of the widest of these gaps."""
    facts = say_it.facts(DIFFERENCE, pair.contrast)
    by_two = findings.by_organisation((one for one in facts if one.moved), say_it.material.presentation)
    if not by_two:
        return
    own = max(by_two.values(), key=lambda each: (len(each), abs(largest(each)[0].estimate or 0)))
    widest = largest(own)[0]
    gaps = {
        wave: next(
            (
                one
                for one in say_it.facts(GAP, wave)
                if one.scale == widest.scale and one.organisation == widest.organisation
            ),
            None,
        )
        for wave in (pair.first, pair.last)
    }
    first, last = gaps[pair.first], gaps[pair.last]
    tested = [one for one in facts if one.organisation == widest.organisation]
    known = [gap for gap in (first, last) if gap is not None and gap.estimate is not None]
    if len(known) < len(gaps):
        return
    parted = known[1].moved and abs(known[1].estimate or 0) > abs(known[0].estimate or 0)
    names = [_inside(say_it, name) for name in widest.organisation.split(BETWEEN)]
    yield say(
        "**{pair} {verb} on {scales}**,{most} {scale}: {pair_minus} was {first} and {last}.",
        pair=findings.opening(listed(names)),
        verb="have parted" if parted and len(own) == 1 else "changed differently",
        scales=say_it.on(tested, SURE[:2]),
        most=_most(own),
        scale=say_it.scale(widest),
        pair_minus=f" {MINUS} ".join(names),
        first=_gap(say_it, known[0], level=True),
        last=_gap(say_it, known[1]),
    )


def _most(facts: Iterable[Found]) -> Marked:
    """Say that the one that is named is the largest of several."""
    return Marked(" most on" if sum(one.moved for one in facts) > 1 else "")


def _gap(say_it: Estimates, gap: Found, *, level: bool = False) -> Marked:
    """Say how far two organisations were apart in a wave; the first one names the level of the interval."""
    return say(
        "{difference}{points} in {wave} ({level}{interval})",
        difference=say_it.difference(gap),
        points=say(" points") if level else "",
        wave=say_it.material.labels.wave(gap.wave),
        level=say("{level} CI ", level=say_it.material.numbers.level) if level else "",
        interval=say_it.interval(gap),
    )


def _since(say_it: Estimates, pair: findings.Pair) -> Iterator[Marked]:
    """Say what has changed since the earliest wave, where that is not in the pair."""
    earliest = next(iter(say_it.material.presentation.waves))
    if earliest in (pair.first, pair.last):
        return
    contrast = findings.Pair(earliest, pair.last).contrast
    facts = [one for one in say_it.facts(CHANGE, contrast) if one.estimate is not None]
    of = findings.by_organisation(facts, say_it.material.presentation)
    own = findings.without_all(of)
    for name, each in own.items():
        if moved := largest(one for one in each if one.moved)[:1]:
            (first,) = moved
            yield say(
                "**Since {wave}**, {who} changed on {scales} asked then,{most} {scale}: {moved}.",
                wave=say_it.material.labels.wave(earliest),
                who=_inside(say_it, name),
                scales=say_it.on(each, SURE[:2]),
                most=_most(each),
                scale=say_it.scale(first),
                moved=say_it.moved(first),
            )
            return


def _one_wave(say_it: Estimates) -> Iterator[Marked]:
    """Say how organisations of the only wave differ, and which scales are highest and lowest."""
    material = say_it.material
    wave = next(iter(material.presentation.waves))
    yield say("{what}, {wave}.", what=say_it.what(), wave=when(material, wave))
    facts = findings.levels(material.tables["means"], wave=wave, unit=say_it.unit)
    of = findings.by_organisation((one for one in facts if one.estimate is not None), material.presentation)
    whole = of.get(ALL) or next(iter(of.values()), [])
    ranked = sorted(whole, key=lambda one: -(one.estimate or 0))
    if ranked:
        ends = {"Highest": ranked[0]} | ({"Lowest": ranked[-1]} if len(ranked) > 1 else {})
        told = [
            say(
                "**{end}:** {scale}, {level}.",
                end=end,
                scale=say_it.scale(one),
                level=say_it.level(one.scale, wave, one.organisation),
            )
            for end, one in ends.items()
        ]
        yield joined(told, " ")
    gaps = [one for one in say_it.facts(GAP, wave) if one.estimate is not None]
    for name, each in findings.by_organisation(gaps, material.presentation).items():
        if moved := largest(one for one in each if one.moved)[:1]:
            names = [_inside(say_it, side) for side in name.split(BETWEEN)]
            yield say(
                "**{pair} differ on {scales}**,{most} {scale}: {minus}, {gap}.",
                pair=findings.opening(listed(names)),
                minus=f" {MINUS} ".join(names),
                scales=say_it.on(each, SURE[:2]),
                most=_most(each),
                scale=say_it.scale(moved[0]),
                gap=_gap(say_it, moved[0], level=True),
            )


def _sure(material: Material, say_it: Estimates) -> Iterator[Marked]:
    """Say how many of the decisions hold however the data are analysed, and how far an estimate moves at most."""
    here: dict[str, Any] = {"analysis": ANALYSIS[say_it.unit], "decision": SURE}
    here["wave"] = _compared(material)
    if not material.has("agreement"):
        return
    numbers = material.numbers
    told = numbers.count("agreement", **here)
    if not told:
        return
    rows = numbers.rows("agreement", **here)
    sizes = rows["largest_move"].abs()
    move = Marked("")
    if sizes.notna().any() and say_it.unit == PERCENT_FAVOURABLE:
        row = rows[sizes == sizes.max()].iloc[0]
        labels = {name: variable.label for name, variable in material.presentation.variables.items()}
        move = say(
            " Estimates move by at most {move} points ({variant}).",
            move=numbers.largest("agreement", "largest_move", plain(say_it.decimals), **here),
            variant=lower(variant_title(str(row["largest_variant"]), labels)),
        )
    same = numbers.count("agreement", **here, **SAME)
    yield say(
        "**How sure.** Of {told}, {same} {hold} in every alternative analysis.{move} "
        "No clear {what} is not evidence of none.",
        same=same if same else "none",
        hold="hold" if same.value > 1 else "holds",
        what="change" if len(material.presentation.waves) > 1 else "difference",
        told=several(told, ("clear result", "clear results")),
        move=move,
    )


def _compared(material: Material) -> list[str]:
    """List the waves and pairs of waves that the first page speaks of."""
    pair, earliest = findings.main_pair(material.presentation), next(iter(material.presentation.waves))
    if pair is None:
        return [earliest]
    further = earliest not in (pair.first, pair.last)
    since = [findings.Pair(earliest, pair.last).contrast] if further else []
    return [pair.first, pair.last, pair.contrast, *since]


def _limits(material: Material) -> Iterator[Marked]:
    """Say whose answers these are, and how many did not answer."""
    said = []
    if len(material.presentation.waves) > 1:
        said.append(say("Nobody is followed between waves: a change may be a change in who answered."))
    said += unanswered(material, everybody(material))
    if said:
        yield joined(said, " ")


def unanswered(material: Material, people: str) -> Iterator[Marked]:
    """Say what share did not answer, of each wave where that is known."""
    if not material.has("response_rates"):
        return
    known = [row for row in records(material.tables["response_rates"]) if not is_missing(row.rate)]
    parts = [
        say(
            "{rate}{of} in {wave}",
            rate=material.numbers.cell("response_rates", "rate", _whole_share, take="rest", wave=row.wave),
            of="" if number else say(" of {people}", people=people),
            wave=material.labels.wave(row.wave),
        )
        for number, row in enumerate(known)
    ]
    if parts:
        yield say("{parts} did not answer.", parts=joined(parts))


def everybody(material: Material) -> str:
    """Name all who were surveyed, whether they answered or not."""
    people = material.presentation.nouns.people
    return "people asked" if people == Nouns().people else people


def _whole_share(value: float) -> str:
    return share(value, decimals=0)


def alone(facts: Iterable[Found]) -> list[Found]:
    """Drop facts of all together where organisations have their own."""
    facts = list(facts)
    return [one for one in facts if one.organisation != ALL] or facts
