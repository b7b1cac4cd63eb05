"""The study's own words for what the frames only name: waves, organisations, scales, items, and their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd

from surveywaves.study.models import Comparability, Evidence
from surveywaves.study.parts import Presentation
from surveywaves.tables.words import MINUS, number, shortened
from surveywaves.tidy import ALL

NOT_STATED: Final = "not_stated"
BETWEEN: Final = " - "
"""What stands between the two sides of a contrast's name."""


@dataclass(frozen=True)
class Labels:
    """Names turned into words; a name that the study does not know is shown as it stands."""

    presentation: Presentation

    @property
    def confidence(self) -> str:
        """The confidence level, as `95%`."""
        return f"{number(100 * self.presentation.confidence, decimals=1).removesuffix('.0')}%"

    @cached_property
    def organisation_order(self) -> tuple[str, ...]:
        """All together, each organisation, and those who did not say."""
        return (ALL, *self.presentation.organisations, NOT_STATED)

    def wave(self, name: str) -> str:
        """Give a wave's title, or those of both sides of a contrast."""
        known = {wave: words.title for wave, words in self.presentation.waves.items()}
        if planned := self.presentation.planning:
            known = {planned.wave: planned.title} | known
        return _sides(name, known | {ALL: "All waves"})

    def wave_with_evidence(self, name: str) -> str:
        """Give a wave's title, and in brackets what its data are."""
        words = self.presentation.waves.get(name)
        return f"{words.title} ({words.evidence.value})" if words else self.wave(name)

    def organisation(self, name: str) -> str:
        """Give an organisation's words, or those of both sides of a contrast."""
        return _sides(
            name, {**self.presentation.organisations, ALL: "All respondents", NOT_STATED: "Not stated"}
        )

    def scale(self, name: str) -> str:
        """Give a scale's title."""
        scale = self.presentation.scales.get(name)
        return scale.title if scale else name

    def item(self, name: str) -> str:
        """Give a statement's wording."""
        item = self.presentation.items.get(name)
        return item.text if item else name

    def variable(self, name: str) -> str:
        """Give a grouping variable's words."""
        variable = self.presentation.variables.get(name)
        return variable.label if variable else self.plain(name)

    def level(self, variable: str, level: str) -> str:
        """Give the words of a level of a grouping variable, or of an organisation."""
        if variable == "organisation" or level == NOT_STATED:
            return self.organisation(level)
        known = self.presentation.variables.get(variable)
        return known.levels.get(level, level) if known else level

    @staticmethod
    def plain(name: str) -> str:
        """Make words of a name in code."""
        return name.replace("_", " ").capitalize()

    @cached_property
    def _names(self) -> re.Pattern[str]:
        """Names in the notes of tables: an item; a wave or both sides of a contrast, then perhaps an organisation."""
        waves = "|".join(map(re.escape, _longest_first(self.presentation.waves)))
        organisations = "|".join(map(re.escape, _longest_first(self.presentation.organisations)))
        items = "|".join(map(re.escape, _longest_first(self.presentation.items)))
        return re.compile(
            rf"\b(?:(?P<wave>(?:{waves})(?:{BETWEEN}(?:{waves}))?)"
            rf"(?:, (?P<organisation>(?:{organisations})(?:{BETWEEN}(?:{organisations}))?))?"
            rf"|(?P<item>{items}))\b"
        )

    def readable(self, note: str) -> str:
        """Put the study's words in the place of names in a note."""

        def words(found: re.Match[str]) -> str:
            if found["item"]:
                return f"‘{shortened(self.item(found['item']))}’"
            return ", ".join(
                filter(None, (self.wave(found["wave"]), self.organisation(found["organisation"] or "")))
            )

        return self._names.sub(words, note)

    def waves_in(self, frame: pd.DataFrame) -> list[str]:
        """List the waves that a frame speaks of, in order of time; a contrast speaks of two, `all` of every one."""
        named = {side for name in frame["wave"].unique() for side in str(name).split(BETWEEN)}
        return [wave for wave in self.presentation.waves if wave in named or ALL in named]

    def scales_in(self, frame: pd.DataFrame) -> list[str]:
        """List the scales of a frame: the study's in their order, then any other."""
        return _in_order(self.presentation.scales, frame["scale"].unique())

    def comparability_note(self, wave: str, item: str) -> str:
        """Say how a wave's question differs from the instrument's; empty if it does not."""
        words = self.presentation.waves[wave]
        grade = words.comparability.get(item, Comparability.IDENTICAL)
        return {
            Comparability.REWORDED: f"{words.title} words this statement differently.",
            Comparability.RESCALED: f"{words.title} asked this on another response scale: out of comparisons.",
            Comparability.ABSENT: f"{words.title} did not ask this statement.",
        }.get(Comparability(grade), "")

    def weakest(self, waves: Iterable[str], *, about: Iterable[str] = ()) -> Evidence | None:
        """Give the weakest evidence among waves and what is shown of them; None if there are no waves."""
        order = list(Evidence)
        found = [
            evidence
            for wave in waves
            if (words := self.presentation.waves.get(wave))
            for evidence in (
                words.evidence,
                *(
                    words.variable_evidence[name].evidence
                    for name in about
                    if name in words.variable_evidence
                ),
            )
        ]
        return max(found, key=order.index) if found else None

    def weaker(self, wave: str) -> dict[str, Evidence]:
        """Give what of a wave is weaker than the wave as a whole: a variable, `organisation`, `items`."""
        order, words = list(Evidence), self.presentation.waves[wave]
        return {
            name: about.evidence
            for name, about in words.variable_evidence.items()
            if order.index(about.evidence) > order.index(words.evidence)
        }

    def evidence(self, waves: Iterable[str], *, about: Iterable[str] = ()) -> tuple[str, ...]:
        """Say what the data of each wave are, and what is shown of it, where that is weaker.

        Parameters
        ----------
        waves
            Names of waves.
        about
            Variables that are shown (or `organisation`, `items`).
        """
        shown, said = tuple(about), []
        for wave in waves:
            words = self.presentation.waves[wave]
            weaker = [
                f"{self.variable(name).lower()} {kind.value.upper()}"
                for name, kind in self.weaker(wave).items()
                if name in shown
            ]
            brackets = f" ({'; '.join(weaker)})" if weaker else ""
            said.append(f"{words.title}: {words.evidence.value.upper()}{brackets}.")
        return tuple(said)

    def with_evidence(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add a column `evidence` to a frame with a column `wave`: the weakest of what each row draws on."""
        if "wave" not in frame.columns or "evidence" in frame.columns:
            return frame
        names = [
            name for name in ("wave", "organisation", "item", "scale", "variable") if name in frame.columns
        ]
        known: dict[tuple[str, ...], str] = {}
        found = []
        for key in frame[names].astype(str).itertuples(index=False, name=None):
            if key not in known:
                known[key] = self._row_evidence(dict(zip(names, key, strict=True)))
            found.append(known[key])
        return frame.assign(evidence=pd.Series(found, index=frame.index, dtype="str"))

    def _row_evidence(self, row: dict[str, str]) -> str:
        sides = row["wave"].split(BETWEEN)
        waves = list(self.presentation.waves) if ALL in sides else sides
        about = [row["variable"]] if row.get("variable") else []
        if row.get("item") or row.get("scale"):
            about.append("items")
        if row.get("organisation", ALL) != ALL:
            about.append("organisation")
        weakest = self.weakest(waves, about=about)
        return weakest.value if weakest else ""


def _sides(name: str, known: dict[str, str]) -> str:
    return f" {MINUS} ".join(known.get(side, side) for side in name.split(BETWEEN))


def _longest_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=len, reverse=True)


def _in_order(known: Iterable[str], present: Iterable[str]) -> list[str]:
    wanted = [name for name in present if name]
    ordered = [name for name in known if name in set(wanted)]
    return ordered + [name for name in wanted if name not in set(ordered)]
