"""How numbers, waves, organisations and their evidence are put into words: for figures, tables and report alike.

Numbers as a reader meets them: one way to write a count, a percentage, an estimate, an interval, a p-value.

The study's own words for what tables only name, what its data are, and why there is no number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pandas as pd

from surveywaves.study.models import Item, Nouns
from surveywaves.study.parts import Presentation
from surveywaves.terms import (
    ALL,
    BETWEEN,
    NOT_STATED,
    SMALLEST_P,
    WITHOUT_SCALE,
    Comparability,
    Evidence,
    Status,
    variant_title,
)

_NOUNS: Final = Nouns()

NONE: Final = "–"
"""What stands where there is no number."""

WITHHELD: Final = "[c]"
"""What stands where a number is withheld: `c` for confidential, in brackets, as the shorthand of the United Kingdom's
Government Analysis Function has it (*Using symbols and shorthand*, 2022): letters are read out, and cannot be taken for
a dash, a zero or the letter of a note."""

WITHHELD_MEANS: Final = f"{WITHHELD}: withheld to protect respondents."

REVERSED: Final = "(R)"
"""What stands before a statement where its number counts disagreement: R for reverse-keyed."""

REVERSED_MEANS: Final = (
    f"{REVERSED}: worded against its scale, and scored the other way: to disagree is favourable."
)

LOW_RELIABILITY_SIGN: Final = "†"
"""What stands after the title of a scale of low reliability."""

MINUS: Final = "−"

MOST_DECIMALS: Final = 4
"""Decimals that an interval may have at most."""


def is_missing(value: Any) -> bool:
    """Whether a scalar holds nothing: None, NaN, or pandas' NA."""
    return value is None or bool(pd.isna(value))


def as_float(value: Any) -> float:
    """Return a number to sort by; NaN where there is none."""
    return float("nan") if is_missing(value) else float(value)


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """Go through a frame's rows; columns are attributes."""
    return iter(frame.itertuples(index=False))


def whole(value: Any) -> str:
    """Write a count, thousands set apart."""
    return NONE if is_missing(value) else f"{round(float(value)):,}"


def number(value: Any, decimals: int = 2, *, signed: bool = False) -> str:
    """Write an estimate with a true minus sign, and never a negative zero."""
    if is_missing(value):
        return NONE
    text = f"{abs(float(value)):.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS}{text}" if value < 0 else f"+{text}" if signed else text


def percentage(value: Any, *, decimals: int = 1) -> str:
    """Write a percentage that is given in percent, without its sign."""
    return number(value, decimals=decimals)


def share(value: Any, *, decimals: int = 1) -> str:
    """Write a share from 0 to 1 as a percentage, with its sign."""
    return NONE if is_missing(value) else f"{number(100 * float(value), decimals=decimals)}%"


def percent(value: float) -> str:
    """Write a percentage with its sign and without a decimal; a small one is not called nothing."""
    return "<1%" if 0 < value < 0.5 else f"{value:.0f}%"


def interval(low: Any, high: Any, *, decimals: int = 2) -> str:
    """Write an interval; "to", because a dash beside minus signs misleads.

    A bound that is nearly zero gets as many decimals as show its side of zero.
    """
    if is_missing(low) or is_missing(high):
        return NONE
    bounds = [float(low), float(high)]
    places = decimals_of_bounds(bounds, decimals)
    return " to ".join(number(bound, decimals=places) for bound in bounds)


def decimals_of_bounds(bounds: Iterable[float | None], decimals: int) -> int:
    """Return the decimals, at least `decimals`, with which no bound except zero itself rounds to zero."""
    nearly_zero = [bound for bound in bounds if bound]
    while decimals < MOST_DECIMALS and not all(round(bound, decimals) for bound in nearly_zero):
        decimals += 1
    return decimals


def p_value(value: Any) -> str:
    """Write a p-value as journals do: two figures, at most three places, no zero in front, never below .001."""
    if is_missing(value):
        return NONE
    if value <= SMALLEST_P:
        return "<.001"
    return f"{float(value):.{2 if value >= _TENTH else 3}f}".removeprefix("0")


_TENTH: Final = 0.0995
"""From here on a p-value written to two places has two figures."""


def lower(text: str) -> str:
    """Begin a text with a small letter, for the middle of a sentence (not an abbreviation)."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def opening(text: str) -> str:
    """Begin a text with a capital, for the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def pair(contrast: str) -> tuple[str, str] | None:
    """Take a contrast's two sides apart: `later - earlier`; None if it has only one side."""
    first, separator, second = contrast.partition(BETWEEN)
    return (first, second) if separator else None


def statement(item: Item) -> str:
    """Word a statement beside a number that is scored: `REVERSED` first, where no shortening takes it away."""
    return f"{REVERSED} {item.text}" if item.key < 0 else item.text


def shortened(text: str, longest: int = 48) -> str:
    """Cut a long text at a word and say so with an ellipsis."""
    if len(text) <= longest:
        return text
    return f"{text[:longest].rsplit(' ', 1)[0].rstrip(' ,;:.')}…"


@dataclass(frozen=True)
class Labels:
    """Names turned into words; a name that the study does not know is shown as it stands."""

    presentation: Presentation

    @property
    def confidence(self) -> str:
        """The confidence level, as `95%`."""
        return f"{number(100 * self.presentation.confidence, decimals=1).removesuffix('.0')}%"

    @property
    def alpha(self) -> str:
        """The level of a test, as `.05`."""
        return f"{1 - self.presentation.confidence:.3g}".ljust(4, "0").removeprefix("0")

    def wave(self, name: str) -> str:
        """Return a wave's title, or those of both sides of a contrast."""
        known = {wave: words.title for wave, words in self.presentation.waves.items()}
        if planned := self.presentation.planning:
            known = {planned.wave: planned.title} | known
        return _sides(name, known | {ALL: "All waves"})

    def dated(self, name: str) -> str:
        """Return a wave's title, with its period unless the title already says it."""
        words = self.presentation.waves.get(name)
        if words is None or not words.period or words.period in words.title:
            return self.wave(name)
        return f"{words.title}, {words.period}" if "(" in words.period else f"{words.title} ({words.period})"

    def organisation(self, name: str) -> str:
        """Return an organisation's words, or those of both sides of a contrast."""
        known = {ALL: f"All {self.presentation.nouns.people}", NOT_STATED: "Not stated"}
        return _sides(name, self.presentation.organisations | known)

    def scale(self, name: str) -> str:
        """Return a scale's title, or the words for what is in none."""
        if name == WITHOUT_SCALE:
            return f"{opening(self.presentation.nouns.statement[1])} outside the scales"
        scale = self.presentation.scales.get(name)
        return scale.title if scale else name

    def item(self, name: str) -> str:
        """Word a statement beside a number that is scored; see `statement`."""
        item = self.presentation.items.get(name)
        return statement(item) if item else name

    def wording(self, name: str) -> str:
        """Word a statement as it is asked, beside answers as they were given."""
        item = self.presentation.items.get(name)
        return item.text if item else name

    def variable(self, name: str) -> str:
        """Return a grouping variable's words."""
        variable = self.presentation.variables.get(name)
        return variable.label if variable else self.plain(name)

    def level(self, variable: str, level: str) -> str:
        """Return the words of a level of a grouping variable, or of an organisation."""
        if variable == "organisation" or level == NOT_STATED:
            return self.organisation(level)
        known = self.presentation.variables.get(variable)
        return known.levels.get(level, level) if known else level

    def variant(self, name: str) -> str:
        """Return the words for an alternative analysis."""
        return variant_title(name, {key: about.label for key, about in self.presentation.variables.items()})

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
        """Put the study's words in the place of names, and of the default nouns, in a note."""
        nouns = self.presentation.nouns
        for default, own in ((_NOUNS.organisation, nouns.organisation), (_NOUNS.statement, nouns.statement)):
            for one, other in zip(default, own, strict=True):
                note = re.sub(rf"\b{one}\b", other, note)

        def words(found: re.Match[str]) -> str:
            if found["item"]:
                return f"‘{shortened(self.wording(found['item']))}’"
            return ", ".join(
                filter(None, (self.wave(found["wave"]), self.organisation(found["organisation"] or "")))
            )

        return self._names.sub(words, note)

    def scales_in(self, frame: pd.DataFrame) -> list[str]:
        """List the scales of a frame: the study's in their order, then any other."""
        return _in_order(self.presentation.scales, frame["scale"].unique())

    def comparability_note(self, wave: str, item: str) -> str:
        """Return a note on how a wave's question differs from the instrument's; empty if it does not, or is absent."""
        words, noun = self.presentation.waves[wave], self.presentation.nouns.statement[0]
        grade = words.comparability.get(item, Comparability.IDENTICAL)
        return {
            Comparability.REWORDED: f"{words.title} worded this {noun} differently.",
            Comparability.RESCALED: f"{words.title} asked this on another response scale, so it is not compared.",
        }.get(Comparability(grade), "")

    def weakest(self, waves: Iterable[str], *, about: Iterable[str] = ()) -> Evidence | None:
        """Return the weakest evidence among waves and what is shown of them; None if there are no waves."""
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
        """Return what in a wave has weaker evidence than the wave as a whole: a variable, `organisation`, `items`."""
        order, words = list(Evidence), self.presentation.waves[wave]
        return {
            name: about.evidence
            for name, about in words.variable_evidence.items()
            if order.index(about.evidence) > order.index(words.evidence)
        }

    def with_evidence(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add a column `evidence` to a frame with a column `wave`: the weakest of what each row draws on."""
        if "wave" not in frame.columns or "evidence" in frame.columns:
            return frame
        names = [
            name for name in ("wave", "organisation", "item", "scale", "variable") if name in frame.columns
        ]
        known: dict[tuple[str, ...], str] = {}
        found = []
        for key in zip(*(frame[name].astype(str) for name in names), strict=True):
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


STATUS: Final[Mapping[str, str]] = {
    Status.BOUNDARY: "variance estimated as zero",
    Status.NOT_ESTIMABLE: "not estimable",
    Status.NOT_CONVERGED: "no fit found",
    Status.TOO_FEW: "too few respondents",
}
"""Why there is no estimate, or what to mind about it, in words."""


def absent(status: str) -> str:
    """Return in short why there is no estimate."""
    return STATUS.get(status, status.replace("_", " ") or "no result")


def without(missing: Iterable[tuple[str, str, str]], presentation: Presentation) -> str:
    """List what there is no estimate of, a sentence per reason; empty if nothing is missing.

    `missing` holds what, the reason in short, and the note of a tidy table, whose names are put into words.
    """
    reasons: dict[str, list[str]] = {}
    for what, reason, note in missing:
        detail = f" ({Labels(presentation).readable(note)})" if note else ""
        reasons.setdefault(opening(reason) + detail, []).append(what)
    return " ".join(f"{reason}: {'; '.join(dict.fromkeys(things))}." for reason, things in reasons.items())
