"""Tables of estimates: which estimates and numbers of respondents must not be shown, and which not to every digit.

An estimate of a model or of a scale's reliability comes from many answers of many people at once and gives no answer
away by itself (Griffiths et al. 2019, Handbook on Statistical Disclosure Control for Outputs, class "safe"), with these
exceptions: it may describe a group that is not shown; its `n` is a count like any other, and where that is withheld
some estimates would give it back; a mean over a scale's items would give back the one item whose mean is withheld; and
a model of one item is nearly a table.

Where one or two respondents are most of a weighted estimate, it is their answers. Counts, percentages and means of
items are of returns as they came: each counts once, and a group of five is not dominated. Models may use weights, and
weights have no largest value. By the (n, k) rule (Hundepool et al. 2012, Statistical Disclosure Control, section 4.2)
an estimate of a group is withheld where its n largest weights are more than k of all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure import account, rounding
from surveywaves.disclosure import count_tables as ends
from surveywaves.disclosure.account import Entry
from surveywaves.disclosure.count_tables import Groups, Place
from surveywaves.disclosure.linked import Linked
from surveywaves.disclosure.system import BoolArray, FloatArray, Rule
from surveywaves.sample import Sample
from surveywaves.terms import (
    ALL,
    BETWEEN,
    FAVOURABLE,
    LINEAR,
    MAIN,
    NOT_STATED,
    ORDINAL,
    ORGANISATION,
    PERCENT_FAVOURABLE,
    PLANNING,
    RELIABILITY,
    SMALLEST_P,
    Status,
)
from surveywaves.tidy import DECIDED, NUMBERS
from surveywaves.weighting import Margins, Refused, raked, weighted

LARGEST: Final = {1: 0.5, 2: 0.8}
"""Respondents -> the share of their group's weights that they may have at most."""

UNNAMED: Final = ""
RAKING: Final = "raking"
SAMPLING: Final = "sampling_weights"
UNWEIGHTED: Final = "unweighted"
WEIGHT: Final = "weight"


@dataclass(frozen=True, slots=True, eq=False)
class Weighting:
    """Who weighs how much.

    Attributes
    ----------
    responses
        The pooled responses.
    used
        Whether all models use the returns' own weights, not one variant of the sensitivity analysis only.
    margins
        Wave -> variable -> level -> staff, for the variant that rakes.
    """

    responses: pd.DataFrame
    used: bool
    margins: Mapping[str, Margins]


@dataclass(frozen=True, slots=True)
class Dominated:
    """Variant of the analysis (`MAIN`: those not named) -> scale or item -> dominated waves and organisations."""

    places: Mapping[str, Mapping[str, frozenset[Place]]] = field(default_factory=dict)

    def of(self, variant: str, subject: str) -> frozenset[Place]:
        """Give the places of which a variant's estimate on a scale or item is not shown."""
        if variant == UNWEIGHTED:
            return frozenset()
        own = self.places.get(variant, self.places.get(UNNAMED, {}))
        return own.get(subject, frozenset())


def dominated(weighting: Weighting, subjects: Mapping[str, list[str]]) -> Dominated:
    """Find where few respondents have most of the weight.

    Parameters
    ----------
    weighting
        Who weighs how much.
    subjects
        Scale or item -> items: who answered any of them is in the estimate.

    Returns
    -------
    Dominated
        A group in which everybody weighs the same is in it only if it is smaller than any that is shown.
    """
    frame = weighting.responses
    sample = Sample(
        frame=frame,
        waves=tuple(dict.fromkeys(frame["wave"])),
        organisations=tuple(sorted(frame[ORGANISATION].dropna().unique())),
        weight=WEIGHT if weighting.used else "",
    )
    changes = {RAKING: raked(weighting.margins)}
    if not weighting.used:
        changes[SAMPLING] = weighted(WEIGHT)
    samples = {UNNAMED: sample} if weighting.used else {}
    for variant, change in changes.items():
        found = change(sample)
        if not isinstance(found, Refused) and found[0].weight:
            samples[variant] = found[0]
    return Dominated({variant: _places(one, subjects) for variant, one in samples.items()})


def _places(sample: Sample, subjects: Mapping[str, list[str]]) -> dict[str, frozenset[Place]]:
    frame, found = sample.frame, {}
    weight = frame[sample.weight].to_numpy(dtype=np.float64, na_value=0.0)
    stated = frame[["wave", ORGANISATION]].dropna()
    groups: dict[Place, list[int]] = {}
    for row, wave, organisation in zip(
        np.flatnonzero(frame[ORGANISATION].notna()), stated["wave"], stated[ORGANISATION], strict=True
    ):
        groups.setdefault((wave, organisation), []).append(int(row))
    rows_of = {place: np.array(rows) for place, rows in groups.items()}
    for subject, items in subjects.items():
        answered = frame[items].notna().any(axis=1).to_numpy(dtype=np.bool_)
        found[subject] = frozenset(
            place for place, rows in rows_of.items() if _few(weight[rows[answered[rows]]])
        )
    return found


def _few(weight: FloatArray) -> bool:
    """Tell whether the largest weights are too large a part of all."""
    total, largest = weight.sum(), np.sort(weight)[::-1]
    return any(largest[:number].sum() > share * total for number, share in LARGEST.items() if total > 0)


DECIMALS: Final = 2
PERCENT_DECIMALS: Final = 0
"""Decimals of an estimate that comes near to withheld counts; of a percentage. Degrees of freedom are whole then, and
p-values have two significant figures, none below `SMALLEST_P`."""

RMSEA_DECIMALS: Final = 3
"""Decimals of a root mean square error of approximation."""

NOTE: Final = "withheld to protect respondents"

SUMMED: Final = (LINEAR, ORDINAL, FAVOURABLE)
"""Analyses whose estimates of all staff are weighted sums of the organisations'."""

COUNTS: Final = ("left out", "adjusted where", "of 100 returns", "fewer than", "not compared, fewer than")
"""How the part of a note begins that counts respondents, or says how they divide."""


PEOPLE: Final = "n_respondents"
"""The term whose estimate is a number of respondents."""

EVENLY: Final = ("conf_low", "conf_high")
ALSO: Final = ("std_error", "df", "p_value", "p_adjusted")
"""What gives the number of respondents away to whoever knows the estimate: of alpha, how wide the interval is and how
many degrees of freedom there are goes by it."""

_COUNTED: Final = re.compile(r"^(not )?\d[\d,]*( of \d[\d,]*)? (?=\D)")

EXACT: Final = (
    "estimate",
    "std_error",
    "df",
    "conf_low",
    "conf_high",
    "p_value",
    "p_adjusted",
    *DECIDED[1:3],
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A tidy table after the rule, and which of its rows lost their estimate, their `n`, or digits."""

    table: pd.DataFrame
    estimate: BoolArray
    n: BoolArray
    rounded: BoolArray


def small_cells(tables: Collection[pd.DataFrame], rule: Rule) -> frozenset[tuple[str, Place]]:
    """List scales, waves and organisations of which some table counts fewer respondents than may be shown.

    A table's own waves and organisations are looked at, not contrasts between them: these name both sides.
    """
    found = set()
    for table in tables:
        few = table[table["n"].notna() & table["n"].fillna(0).map(rule.small)]
        for scale, wave, organisation in zip(few["scale"], few["wave"], few["organisation"], strict=True):
            if len(_named(wave)) == len(_named(organisation)) == 1:
                found.add((scale, (wave, organisation)))
    return frozenset(found)


def small_rests(tables: Collection[pd.DataFrame], rule: Rule) -> frozenset[tuple[str, str]]:
    """List scales and waves where numbers of respondents, taken from each other, leave too few of no organisation.

    Of each wave that is `all` less the organisations; where rows compare waves with each other and organisations with
    each other, the first less the second (the wave is then `all`).
    """
    if rule.unstated:
        return frozenset()
    return frozenset(
        (scale, wave)
        for table in tables
        for (scale, _, _), numbers in _numbers(table).items()
        for wave, rest in _rests(numbers)
        if rule.small(rest)
    )


def _numbers(table: pd.DataFrame) -> dict[tuple[str, str, str], dict[Place, int]]:
    """Give the numbers of respondents by scale, item and term."""
    found: dict[tuple[str, str, str], dict[Place, int]] = {}
    own = table[table["n"].notna()]
    columns = ("scale", "item", "term", "wave", "organisation", "n")
    for scale, item, term, wave, organisation, n in zip(*(own[name] for name in columns), strict=True):
        found.setdefault((scale, item, term), {})[wave, organisation] = int(n)
    return found


def _rests(numbers: dict[Place, int]) -> Iterator[tuple[str, int]]:
    """Give what is left of the respondents of a wave, and of those compared, who are of no organisation."""
    for wave in {wave for wave, _ in numbers} - {""}:
        parts = [
            n
            for (one, organisation), n in numbers.items()
            if one == wave and organisation not in (ALL, "") and BETWEEN not in organisation
        ]
        if parts and (wave, ALL) in numbers:
            yield wave, numbers[wave, ALL] - sum(parts)
    waves = [n for (_, organisation), n in numbers.items() if not organisation]
    organisations = [n for (wave, _), n in numbers.items() if not wave]
    if waves and organisations:
        yield ALL, max(waves) - max(organisations)


def release_estimates(
    table: pd.DataFrame,
    *,
    groups: Groups,
    small: frozenset[tuple[str, Place]],
    extremes: BoolArray | None = None,
    near: Collection[str] = (),
    near_items: Collection[str] = (),
    in_disguise: Collection[str] = (),
    bare: Collection[str] = (),
    uncounted: Set[tuple[str, str]] = frozenset(),
    dominated: Dominated,
    rule: Rule,
) -> Shown:
    """Withhold and round in a tidy table.

    Parameters
    ----------
    table
        Tidy, with the columns of a decision or without.
    groups
        The organisations, and whose size is withheld.
    small
        As `small_cells` gives them: the same goes for them.
    extremes
        Rows whose estimate is a count that is withheld.
    near, near_items
        Scales, and items by themselves, of which some count of an answer is withheld: fewer digits are shown.
    in_disguise, bare
        Items of which some count is withheld and whose model is the table itself (two response options); scales that
        are one such item, whose mean is the item's: no estimate.
    uncounted
        Scales (items without one) and waves of which a number of respondents would give one back that is withheld: no
        `n`. Of the wave `all`, of what is about several waves.
    dominated
        Where few respondents have most of the weight.
    rule
        The rule.

    Returns
    -------
    Shown
        The table: estimates withheld have the status `withheld` and a note, and no `n`; elsewhere `n` may be missing.
    """
    # With its chi-square and df, this index gives n back to whoever knows it to many digits.
    index = table["term"].str.contains("rmsea", regex=False)
    table = table.assign(estimate=table["estimate"].mask(index, table["estimate"].round(RMSEA_DECIMALS)))
    refused, unnumbered, places = [], [], _Places(groups)
    variants = table["variant"] if "variant" in table else [""] * len(table)
    columns = ("analysis", "scale", "item", "wave", "organisation", "n")
    for variant, analysis, scale, item, wave, organisation, n in zip(
        variants, *(table[name] for name in columns), strict=True
    ):
        own = {place for name, place in small if name == scale}
        few = bool(pd.notna(n) and rule.small(int(n)))
        named, covered = places.named(wave, organisation), places.covered(wave, organisation)
        if organisation == ALL != wave and analysis in SUMMED:
            # a weighted sum of the organisations: less the others, it is one of them
            named = frozenset(place for place in covered if place[1] not in (ALL, NOT_STATED))
        few = few or item in in_disguise or scale in bare
        # The size of a group that is withheld would show in how uncertain its estimates are.
        refused.append(few or bool(named & (groups.hidden | own | dominated.of(variant, item or scale))))
        waves = {one for one, _ in covered}
        told = uncounted & {(scale or item, one) for one in (*waves, *([ALL] if len(waves) > 1 else []))}
        unnumbered.append(bool(told or covered & (groups.hidden | own)))
    estimate = np.array(refused, dtype=np.bool_)
    number = np.array(unnumbered, dtype=np.bool_) | estimate
    # These are counts of respondents, and percentages that tell what they are of.
    estimate |= number & table["term"].isin([PEOPLE, *ends.TERMS]).to_numpy(dtype=np.bool_)
    if extremes is not None:
        # The percentage is withheld, the number it is of is not.
        estimate |= extremes
    given_back = number & ~estimate & table["n"].notna().to_numpy(dtype=np.bool_)
    if "variant" in table:
        number |= _other_respondents(table)
    one = table["item"].isin(near_items) | (table["scale"].isin(near) & (table["item"] == ""))
    digits = (~estimate & one.to_numpy(dtype=np.bool_)) | given_back
    shown = _shown(
        _rounded(_uncertain(table, given_back), digits), estimate, number, hidden=bool(groups.hidden)
    )
    return Shown(shown, estimate, number & table["n"].notna().to_numpy(dtype=np.bool_), digits)


def release_agreement(table: pd.DataFrame, contrasts: pd.DataFrame) -> tuple[pd.DataFrame, BoolArray]:
    """Withhold how many variants agree on a contrast that is withheld itself (`contrasts`: the released table)."""
    names = ["scale", "term", "wave", "organisation"]
    gone = contrasts[(contrasts["status"] == Status.WITHHELD.value) & (contrasts["item"] == "")]
    gone = gone.assign(term=gone["term"].str.removesuffix(f"_{PERCENT_FAVOURABLE}"))
    places = set(zip(*(gone[name] for name in names), strict=True))
    hide = np.array(
        [place in places for place in zip(*(table[name] for name in names), strict=True)], dtype=np.bool_
    )
    shown = table.assign(decision=table["decision"].mask(hide, ""), words=table["words"].mask(hide, NOTE))
    for name in ("agreeing", "variants"):
        shown[name] = shown[name].astype("Int64").mask(hide)
    for name in ("largest_move", "tipping_point"):
        shown[name] = shown[name].mask(hide)
    return shown.assign(largest_variant=shown["largest_variant"].mask(hide, "")), hide


def _shown(table: pd.DataFrame, estimate: BoolArray, number: BoolArray, *, hidden: bool) -> pd.DataFrame:
    shown = table.copy()
    for name in (*NUMBERS, *DECIDED[:3]):
        if name in shown:
            shown[name] = shown[name].mask(estimate)
    if "decision" in shown:
        shown["decision"] = shown["decision"].mask(estimate, "")
    shown["n"] = shown["n"].mask(number)
    # What had no estimate anyway keeps its reason, unless that reason counts somebody.
    reasons = [Status.OK.value, Status.BOUNDARY.value, Status.TOO_FEW.value]
    lost = estimate & table["status"].isin(reasons).to_numpy(dtype=np.bool_)
    shown["status"] = shown["status"].mask(lost, Status.WITHHELD.value)
    # The parts of planning's note are of all organisations.
    few = number | (hidden & (table["analysis"] == PLANNING).to_numpy(dtype=np.bool_))
    shown["note"] = pd.array(
        [
            NOTE if gone else _uncounted(note, few=counted)
            for note, gone, counted in zip(table["note"], lost, few, strict=True)
        ],
        dtype="str",
    )
    return shown


def _uncounted(note: str, *, few: bool) -> str:
    """Take numbers of respondents out of a note.

    A part that begins with a number counts those whom a variant leaves out: on paper, alike in all answers. What counts
    the rest of the respondents goes where `n` does (`few`).
    """
    parts = [
        _COUNTED.sub(lambda found: "not those " if found[1] else "", part)
        for part in note.split("; ")
        if not (few and part.startswith(COUNTS))
    ]
    return "; ".join(parts)


def _uncertain(table: pd.DataFrame, marks: BoolArray) -> pd.DataFrame:
    """Coarsen in a table of reliability what gives `n` back: interval limits to the next tenth outside, no tests."""
    marks = marks & (table["analysis"] == RELIABILITY).to_numpy(dtype=np.bool_)
    if not marks.any():
        return table
    shown = table.copy()
    for name, outwards in zip(EVENLY, (np.floor, np.ceil), strict=True):
        values = shown[name].to_numpy(dtype=np.float64)
        shown[name] = np.where(marks, outwards(np.round(10 * values, 6)) / 10 + 0.0, values)
    for name in ALSO:
        shown[name] = shown[name].mask(marks)
    return shown


def _rounded(table: pd.DataFrame, marks: BoolArray) -> pd.DataFrame:
    if not marks.any():
        return table
    rounded, percent = table.copy(), table["term"].str.endswith(PERCENT_FAVOURABLE).to_numpy(dtype=np.bool_)
    for name in EXACT:
        if name in rounded:
            values = rounded[name].to_numpy(dtype=np.float64)
            if name.startswith("p_"):
                coarse = coarse_p(values)
            elif name == "df":
                coarse = np.round(values)
            else:
                coarse = np.where(percent, np.round(values, PERCENT_DECIMALS), np.round(values, DECIMALS))
            # Not -0.0: it would be written so.
            rounded[name] = np.where(marks, coarse + 0.0, values)
    return rounded


def coarse_p(values: FloatArray) -> FloatArray:
    """Round p-values to two significant figures; what is not below the floor does not become it."""
    known = np.isfinite(values)
    scale = 10.0 ** (1 - np.floor(np.log10(np.where(known, np.maximum(values, SMALLEST_P), 1.0))))
    coarse = np.round(np.round(values * scale) / scale, 4)
    return np.where(
        values < SMALLEST_P, SMALLEST_P, np.where(known, np.maximum(coarse, 1.1 * SMALLEST_P), values)
    )


def _other_respondents(table: pd.DataFrame) -> BoolArray:
    """Mark the variants whose respondents are others than those of the main analysis.

    The difference is a count of people (of those who answered on paper, say), and what several contrasts tell of it
    together can be more than each does; so it is not shown at all.
    """
    place = ["scale", "term", "wave", "organisation"]
    main = table[table["variant"] == MAIN].set_index(place)["n"]
    own = table.set_index(place)["n"]
    differs = (own.fillna(-1) != main[~main.index.duplicated()].reindex(own.index).fillna(-1)).to_numpy()
    variants = set(zip(table.loc[differs, "variant"], table.loc[differs, "scale"], strict=True))
    return np.array(
        [one in variants for one in zip(table["variant"], table["scale"], strict=True)], dtype=np.bool_
    )


def _named(label: str) -> list[str]:
    return label.split(BETWEEN)


class _Places:
    """Which waves and organisations a row's labels name, and whose respondents are among those it is about."""

    def __init__(self, groups: Groups) -> None:
        self.waves = list(dict.fromkeys(wave for wave, _ in groups.sizes))
        self.organisations = list(dict.fromkeys(organisation for _, organisation in groups.sizes))
        self.known: dict[tuple[str, str], tuple[frozenset[Place], frozenset[Place]]] = {}

    def named(self, wave: str, organisation: str) -> frozenset[Place]:
        """Give the cells that the labels name."""
        return self._both(wave, organisation)[0]

    def covered(self, wave: str, organisation: str) -> frozenset[Place]:
        """Give the cells that the labels name or include."""
        return self._both(wave, organisation)[1]

    def _both(self, wave: str, organisation: str) -> tuple[frozenset[Place], frozenset[Place]]:
        if (wave, organisation) not in self.known:
            named = frozenset(self._cells(_named(wave), _named(organisation)))
            waves = self.waves if wave in (ALL, "") else _named(wave)
            organisations = self.organisations if organisation in (ALL, "") else _named(organisation)
            self.known[wave, organisation] = (
                named,
                named | frozenset(self._cells(waves, organisations)),
            )
        return self.known[wave, organisation]

    @staticmethod
    def _cells(waves: Collection[str], organisations: Collection[str]) -> Iterator[Place]:
        return ((wave, organisation) for wave in waves for organisation in organisations)


MEANS: Final = "means"
CONTRASTS: Final = "contrasts"
ITEM_CONTRASTS: Final = "item_contrasts"
SENSITIVITY: Final = "sensitivity"
AGREEMENT: Final = "agreement"

COMPARED: Final = (MEANS, CONTRASTS, SENSITIVITY, ITEM_CONTRASTS, "diagnostics")
"""Tables whose estimates are means of answers, differences between such, or tests on the answers to one statement."""


def released(
    tables: Mapping[str, pd.DataFrame],
    counts: Mapping[str, pd.DataFrame],  # noqa: ARG001 - what `n` will be made from
    *,
    instrument: Mapping[str, ends.ItemKey],
    rule: Rule,
    weighting: Weighting | None,
    linked: Linked,
) -> tuple[dict[str, pd.DataFrame], list[Entry]]:
    """Release the tables of estimates.

    Parameters
    ----------
    tables
        The tables that are no counts, as the statistics are.
    counts
        The released tables of counts (`item_frequencies`, `item_summary`, `respondents`, `response_rates`, `missing`):
        numbers of respondents are made from these. To come: `ends`, the released numbers of respondents at an end of
        a scale, `scale, term, wave, organisation, n`.
    instrument, rule
        See `surveywaves.disclosure.release.release`.
    weighting
        Who weighs how much; None: nothing is weighted.
    linked
        What was decided about the counts.

    Returns
    -------
    dict, list
        The tidy tables and `agreement` as they are released, and what each lost.
    """
    subjects: dict[str, list[str]] = {}
    for item, one in instrument.items():
        subjects.setdefault(one.scale or item, []).append(item)
        subjects[item] = [item]
    few = dominated(weighting, subjects) if weighting else Dominated()
    found: dict[str, pd.DataFrame] = {}
    entries: list[Entry] = []
    tidy = [name for name, table in tables.items() if {"term", "status", "note"} <= set(table)]
    small = small_cells([tables[name] for name in (MEANS, RELIABILITY) if name in tidy], rule)
    base = rule.rounding
    withheld = list(linked.answers.withheld())
    near = set(instrument) if base else {item for (_, item), _ in withheld}
    scales = {instrument[item].scale for item in near} - {""}
    single = {scale for scale in scales if sum(one.scale == scale for one in instrument.values()) == 1}
    # Who answered all items of a scale, or any, are no more, or no fewer, than those who answered each.
    uncounted = {
        (instrument[item].scale or item, wave)
        for (wave, item), name in withheld
        if isinstance(name, tuple) and name[0] == "base"
    } | small_rests([tables[name] for name in tidy], rule)
    for name in tidy:
        table = tables[name]
        compared = name in COMPARED
        # Rounded, the numbers at an end of a scale are shown like any others.
        at_end = {} if base else linked.ends.marks
        shown = release_estimates(
            table,
            groups=linked.groups,
            small=small,
            extremes=ends.marked(table, at_end) if name == RELIABILITY else None,
            near=scales if compared else (),
            near_items=near if compared else (),
            in_disguise={item for item in near if instrument[item].points == 2}
            if name == ITEM_CONTRASTS
            else (),
            bare=single if name == MEANS else (),
            uncounted=uncounted,
            dominated=few if compared else Dominated(),
            rule=rule,
        )
        found[name] = rounding.estimates(shown.table, base) if base else shown.table
        had = table["estimate"].notna().to_numpy()
        entries += [
            Entry(name, "estimate", account.ESTIMATE, shown.estimate & had),
            Entry(name, "n", account.BASE, shown.n),
            Entry(name, "estimate", account.ROUNDED, shown.rounded & had),
        ]
    if AGREEMENT in tables and CONTRASTS in tables:
        shown_agreement, hide = release_agreement(tables[AGREEMENT], found[CONTRASTS])
        found[AGREEMENT] = shown_agreement
        entries.append(Entry(AGREEMENT, "words", account.ESTIMATE, hide))
    return found, entries
