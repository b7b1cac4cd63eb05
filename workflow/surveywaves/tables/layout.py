"""The shape of a table for a page: cells of display text that keep the values behind them.

Numbers as a reader meets them: one way to write a count, a percentage, an estimate, an interval, a p-value.

The study's own words for what the frames only name: waves, organisations, scales, items, and their evidence.

Cells for numbers: the number, its sign where it is withheld, or in words why there is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pandas as pd

from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, BETWEEN, NOT_STATED, Comparability, Evidence, Status

NONE: Final = "–"
"""What stands where there is no number."""

WITHHELD: Final = "[c]"
"""What stands where a number is withheld: `c` for confidential, in brackets, as the shorthand of the United Kingdom's
Government Analysis Function has it (*Using symbols and shorthand*, 2022): letters are read out, and cannot be taken for
a dash, a zero or the letter of a note."""

WITHHELD_MEANS: Final = f"{WITHHELD}: withheld to protect respondents."

MINUS: Final = "−"

MOST_DECIMALS: Final = 4
"""Decimals that an interval may have at most."""


def is_missing(value: Any) -> bool:
    """Whether a scalar holds nothing: None, NaN, or pandas' NA."""
    return value is None or bool(pd.isna(value))


def as_float(value: Any) -> float:
    """Give a number to sort by; NaN where there is none."""
    return float("nan") if is_missing(value) else float(value)


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """Go through a frame's rows; columns are attributes."""
    return iter(frame.itertuples(index=False))


def whole(value: Any) -> str:
    """Write a count, thousands set apart."""
    return NONE if is_missing(value) else f"{int(value):,}"


def number(value: Any, *, decimals: int = 2, signed: bool = False) -> str:
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


def interval(low: Any, high: Any, *, decimals: int = 2) -> str:
    """Write an interval; "to", because a dash beside minus signs misleads.

    A bound that is nearly zero gets as many decimals as show its side of zero.
    """
    if is_missing(low) or is_missing(high):
        return NONE
    bounds = [float(low), float(high)]
    if any(bound and not round(bound, decimals) for bound in bounds) and decimals < MOST_DECIMALS:
        return interval(low, high, decimals=decimals + 1)
    return " to ".join(number(bound, decimals=decimals) for bound in bounds)


def p_value(value: Any, *, decimals: int = 3) -> str:
    """Write a p-value to three places, or to fewer if no more are known."""
    if is_missing(value):
        return NONE
    smallest = 10.0**-decimals
    return f"<{smallest:.{decimals}f}" if value < smallest else f"{float(value):.{decimals}f}"


def shortened(text: str, longest: int = 48) -> str:
    """Cut a long text at a word and say so with an ellipsis."""
    if len(text) <= longest:
        return text
    return f"{text[:longest].rsplit(' ', 1)[0].rstrip(' ,;:.')}…"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is printed, what it sorts by, what is said below the table, and how it looks.

    Parameters
    ----------
    text
        Display text.
    value
        Number or text it sorts by; None: the text.
    notes
        Notes below the table, in words.
    tone
        ``muted`` (no number), ``caution`` (mind the note), ``up``, ``down`` or "".
    """

    text: str
    value: float | str | None = None
    notes: tuple[str, ...] = ()
    tone: str = ""

    @property
    def key(self) -> float | str | None:
        """What the cell sorts by."""
        return self.text if self.value is None else None if is_missing(self.value) else self.value


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, the head above it and its neighbours', and whether it holds numbers."""

    head: str
    group: str = ""
    numeric: bool = False
    spoken: str = ""
    """What an abbreviated head stands for."""


@dataclass(frozen=True)
class Table:
    """A table for a page.

    Parameters
    ----------
    name
        Name for links and downloads.
    title
        What it shows: its caption.
    columns, rows
        As printed; the first `heads` columns name the row.
    data
        The tidy rows it was made from.
    about
        Sentences on how to read it. Where a number is withheld, what its sign means is added.
    evidence
        What the data in it are, one sentence a wave.
    flat
        Every row stands for itself, so that rows can be sorted and searched.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    about: str = ""
    evidence: tuple[str, ...] = ()
    heads: int = 1
    flat: bool = True

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name}: a row has not {len(self.columns)} cells")
        if self._withholds and WITHHELD_MEANS not in self.about:
            object.__setattr__(self, "about", f"{self.about} {WITHHELD_MEANS}".strip())

    @property
    def _withholds(self) -> bool:
        """Whether a number in it is withheld; words may hold the same signs."""
        numbers = [place for place, column in enumerate(self.columns) if column.numeric]
        return any(WITHHELD in self.columns[place].head for place in numbers) or any(
            WITHHELD in row[place].text for row in self.rows for place in numbers
        )

    @cached_property
    def text(self) -> pd.DataFrame:
        """The table as printed; a column with a head above it is named `above: head`."""
        return self._frame(lambda cell: cell.text)

    @cached_property
    def raw(self) -> pd.DataFrame:
        """The values behind the cells, in the same shape as `text`."""
        return self._frame(lambda cell: cell.key)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """The notes below the table, each once, in the order they are met."""
        return tuple(dict.fromkeys(note for row in self.rows for cell in row for note in cell.notes))

    @cached_property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The heads above the heads with the number of columns each spans; empty if there are none."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group and column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return tuple(spans) if any(name for name, _ in spans) else ()

    def _frame(self, of: Callable[[Cell], Any]) -> pd.DataFrame:
        heads = [f"{column.group}: {column.head}" if column.group else column.head for column in self.columns]
        frame = pd.DataFrame([[of(cell) for cell in row] for row in self.rows], columns=range(len(heads)))
        return frame.set_axis(heads, axis="columns")


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


STATUS: Final[Mapping[str, str]] = {
    Status.BOUNDARY: "variance estimated as zero",
    Status.NOT_ESTIMABLE: "not estimable",
    Status.NOT_CONVERGED: "no fit found",
    Status.TOO_FEW: "too few respondents",
}
"""Why there is no estimate, or what to mind about it, in words."""


def is_withheld(row: Any, what: str) -> bool:
    """Whether a row of a released table lacks something because the disclosure rule withholds it.

    Parameters
    ----------
    row
        A row with its columns as attributes, or None.
    what
        A column. An `n` may be withheld beside an estimate that is shown.
    """
    if row is None or not (is_missing(value := getattr(row, what)) or value == ""):
        return False
    beside = what == "n" and not is_missing(getattr(row, "estimate", None))
    return beside or getattr(row, "status", "") == Status.WITHHELD


def withheld_cell() -> Cell:
    """Print that a number is withheld."""
    return Cell(WITHHELD, float("nan"), tone="muted")


def number_cell(row: Any, what: str, written: Callable[[Any], str]) -> Cell:
    """Print a number of a row, or the sign that it is withheld, or a dash.

    Parameters
    ----------
    row
        A row with its columns as attributes, or None.
    what
        A column.
    written
        How a number is written.
    """
    if is_withheld(row, what):
        return withheld_cell()
    value: Any = None if row is None else getattr(row, what)
    if is_missing(value):
        return Cell(NONE, float("nan"), tone="muted")
    return Cell(written(value), as_float(value))


def count_and_percent(row: Any) -> Cell:
    """Print a count and its percentage as publications do, n (%), as far as they are not withheld; sorts by the latter.

    Parameters
    ----------
    row
        With `n` and `percent`, or None.
    """
    if row is None:
        return Cell(NONE, float("nan"), tone="muted")
    n, percent = number_cell(row, "n", whole), number_cell(row, "percent", percentage)
    if n.text == percent.text:
        return n
    return Cell(f"{n.text} ({percent.text})", percent.value)


def interval_cell(row: Any, *, decimals: int = 2) -> Cell:
    """Print the interval of an estimate; it sorts by its lower end."""
    return number_cell(row, "conf_low", lambda low: interval(low, row.conf_high, decimals=decimals))


def p_cell(row: Any, what: str) -> Cell:
    """Print a p-value, to two places where it was released with two."""
    decimals = 2 if is_rounded(row) else 3
    return number_cell(row, what, lambda value: p_value(value, decimals=decimals))


def is_rounded(row: Any) -> bool:
    """Whether an estimate was released with two decimals, and all that was estimated with it."""
    names = ("estimate", "std_error", "conf_low", "conf_high", "p_value", "p_adjusted")
    values = [as_float(getattr(row, name, None)) for name in names]
    shown = [100 * value for value in values if math.isfinite(value)]
    return len(shown) > _ENOUGH and all(math.isclose(value, round(value), abs_tol=1e-6) for value in shown)


def decimals_of(row: Any, most: int) -> int:
    """Give the decimals that an estimate and its interval are shown with: none if they were released without."""
    values = [as_float(getattr(row, name, None)) for name in ("estimate", "conf_low", "conf_high")]
    shown = [value for value in values if math.isfinite(value)]
    return 0 if shown and all(map(float.is_integer, shown)) else most


_ENOUGH: Final = 2
"""Numbers that have two decimals at most by chance."""


def side_of_zero(row: Any, labels: Labels, *, with_estimate: bool = False) -> Cell:
    """Say where a contrast's interval lies, with a sign that does not depend on colour."""
    if row is None or is_missing(row.conf_low) or is_missing(row.conf_high) or is_missing(row.estimate):
        return status_cell(getattr(row, "status", ""), labels.readable(getattr(row, "note", "")))
    side = (int(row.conf_low > 0) - int(row.conf_high < 0)) if row.conf_low <= row.conf_high else 0
    sign, words, tone = {1: ("▲", "above zero", "up"), -1: ("▼", "below zero", "down")}.get(
        side, ("○", "includes zero", "")
    )
    if with_estimate:
        return Cell(f"{sign} {number(row.estimate, signed=True)}", as_float(row.estimate), tone=tone)
    return Cell(f"{sign} {words}", words, tone=tone)


def estimate_cell(
    row: Any, labels: Labels, *, with_interval: bool = False, signed: bool = False, decimals: int = 2
) -> Cell:
    """Print an estimate, with its interval if asked; or why there is none."""
    if row is None:
        return Cell(NONE, float("nan"), tone="muted")
    if is_missing(row.estimate):
        return status_cell(row.status, labels.readable(row.note))
    text = number(row.estimate, signed=signed, decimals=decimals)
    if with_interval and not is_missing(row.conf_low):
        text = f"{text} ({interval(row.conf_low, row.conf_high, decimals=decimals)})"
    status = "" if row.status == Status.OK else STATUS.get(row.status, row.status)
    said = ": ".join(filter(None, (status, labels.readable(row.note))))
    return Cell(text, as_float(row.estimate), (said,) if said else (), "caution" if status else "")


def status_cell(status: str, note: str) -> Cell:
    """Say why there is no number; of one that is withheld, the sign says it all."""
    if status == Status.WITHHELD:
        return withheld_cell()
    if not status or status == Status.OK:
        return Cell(NONE, float("nan"), (note,) if note else (), "muted")
    return Cell(STATUS.get(status, status), float("nan"), (note,) if note else (), "muted")
