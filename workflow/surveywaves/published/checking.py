"""Holding a publication against the data: each of its printed cells, and each claim that its text makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.errors import Mistake, PublishedTableError
from surveywaves.published.printed import Agreement, Percentage, as_text, own_precision
from surveywaves.published.settling import one_digit_apart, percent_text
from surveywaves.terms import ALL

FREQUENCIES: Final = ("table", "row", "category", "count", "base")
CLAIMS: Final = ("page", "quote", "table", "row", "categories", "quantity", "printed")
CELL: Final = ["table", "row", "category"]
QUANTITY: Final = "percent"


class ClaimVerdict(StrEnum):
    """What became of a number claimed in running text."""

    AGREES = "agrees"
    AGREES_WHEN_SUMMED = "agrees_when_summed"
    AGREES_WHEN_TRUNCATED = "agrees_when_truncated"
    CONTRADICTED = "contradicted"


class Audited(NamedTuple):
    """Each printed cell, and each claim, beside what it recomputes to."""

    tables: pd.DataFrame
    claims: pd.DataFrame


def audit_publication(
    audit: pd.DataFrame,
    claims: pd.DataFrame,
    *,
    printed: pd.DataFrame,
    item_frequencies: pd.DataFrame,
    respondents: pd.DataFrame,
    wave: str,
    cells: Iterable[tuple[str, str, str]],
    categories: Mapping[str, str],
    single_choice: Mapping[str, Mapping[str, str]],
) -> Audited:
    """Hold a publication against the frequencies that are found in the data.

    Parameters
    ----------
    audit
        `Settlement.audit` of its tables.
    claims, printed
        Its numeric claims, and its tables as they are printed: see `check_claims`.
    item_frequencies, respondents
        As `surveywaves.describe` gives them.
    wave, cells
        Wave that it is about; table, row and item of every printed row: see `published_form`.
    categories
        Code of each printed category, lowest response first -> its label in the claims.
    single_choice
        Variable whose counts are printed -> level -> printed category.

    Raises
    ------
    PublishedTableError, ValueError
        As for `check_claims` and `published_form`.
    """
    items = published_form(item_frequencies, wave=wave, cells=cells, categories=list(categories))
    stated = respondents[(respondents["wave"] == wave) & (respondents["organisation"] == ALL)]
    choices = []
    for variable, labels in single_choice.items():
        own = stated[(stated["variable"] == variable) & stated["level"].isin(list(labels))]
        choices.append(own.assign(table=variable, row="1", category=own["level"].map(labels), count=own["n"]))
    recomputed = pd.concat([items, *choices])[list(FREQUENCIES)]
    codes = {label: code for code, label in categories.items()}
    return Audited(
        beside(audit, recomputed), check_claims(claims, recomputed, categories=codes, tables=printed)
    )


def published_form(
    frequencies: pd.DataFrame, *, wave: str, cells: Iterable[tuple[str, str, str]], categories: Sequence[str]
) -> pd.DataFrame:
    """Lay the frequencies of a wave out as the tables of a publication have them.

    Parameters
    ----------
    frequencies
        As `surveywaves.describe.item_frequencies` gives them; the rows of all organisations together are taken.
    wave
        Wave that the publication is about.
    cells
        Table, row and item of every printed row.
    categories
        Codes of the printed categories, lowest response first.

    Returns
    -------
    DataFrame
        `table, row, category, count, base`; a printed row whose item the wave did not ask is absent.

    Raises
    ------
    ValueError
        If a printed item has another number of responses than there are categories.
    """
    own = frequencies[(frequencies["wave"] == wave) & (frequencies["organisation"] == ALL)]
    printed = pd.DataFrame(list(cells), columns=["table", "row", "item"])
    frame = printed.merge(own, on="item", how="inner", sort=False)
    if (frame.groupby(["table", "row"])["response"].transform("size") != len(categories)).any():
        asked = f"{len(categories)} responses {', '.join(categories)}"
        raise ValueError(f"a printed item does not have the {asked}")
    category = [categories[response - 1] for response in frame["response"]]
    frame = frame.assign(category=category, count=frame["n"])
    whole = {"count": "int64", "base": "int64"}
    return frame[list(FREQUENCIES)].astype({name: whole.get(name, "str") for name in FREQUENCIES})


def check_claims(
    claims: pd.DataFrame,
    frequencies: pd.DataFrame,
    *,
    categories: Mapping[str, str],
    tables: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Recompute the percentages that a text claims from its tables.

    Parameters
    ----------
    claims
        Every column read as text: `page, quote, table, row, categories, quantity, printed`. `categories` is a sum of
        labels (``A+SA``), read in the given table and row, or a fraction of two counts (``389/1250``). `quantity` is
        ``percent``.
    frequencies
        `table, row, category, count, base`: settled (`Settlement.settled`) or recomputed from data.
    categories
        The label that claims use for each category -> its code, in the order of the response scale.
    tables
        The tables as printed, read as text. With them, a claim that is the sum of printed percentages
        (41 + 2 = 43, where the counts give 43.6) is told from one that is wrong.

    Returns
    -------
    DataFrame
        The claims, in their order, with `n, base, recomputed` (what it should say, rounded as it is printed),
        `verdict` (see `ClaimVerdict`) and `evidence`; for a contradicted claim the evidence names the likely source of
        the mistake, where the same table has one.

    Raises
    ------
    PublishedTableError
        Naming every claim with an unknown label, row, quantity or number, and every column that is missing.
    """
    _require(claims, CLAIMS, "claims")
    counts = _lookup(frequencies)
    printed = {} if tables is None else _printed_percentages(tables, list(categories.values()))
    checked, mistakes = [], []
    for number, line in enumerate(claims[list(CLAIMS)].to_dict("records"), start=1):
        text = {str(name): as_text(value) for name, value in line.items()}
        try:
            checked.append((*text.values(), *_check(text, counts, categories, printed)))
        except ValueError as error:
            mistakes.append(Mistake(f"claims, claim {number} ({text['quote']})", str(error)))
    if mistakes:
        raise PublishedTableError(mistakes)
    frame = pd.DataFrame(checked, columns=[*CLAIMS, *_Checked._fields])
    whole = {"n": "int64", "base": "int64"}
    return frame.astype({name: whole.get(name, "str") for name in frame.columns})


def beside(audit: pd.DataFrame, recomputed: pd.DataFrame) -> pd.DataFrame:
    """Put what the data give beside every printed cell.

    Parameters
    ----------
    audit
        `Settlement.audit`: one row a printed cell.
    recomputed
        `table, row, category, count, base`.

    Returns
    -------
    DataFrame
        The audit with `recomputed` after `settled`: a count, a base or a percentage to one decimal, as text; empty
        where the data have no such cell.
    """
    counts = _lookup(recomputed)

    def text(table: str, row: str, category: str, quantity: str) -> str:
        here = counts.get((table, row))
        if here is None or (quantity != "base" and category not in here.counts):
            return ""
        if quantity == "base":
            return str(here.base)
        count = here.counts[category]
        return f"{100 * count / here.base:.1f}" if quantity == QUANTITY else str(count)

    cells = zip(*(audit[name] for name in (*CELL, "quantity")), strict=True)
    found = audit.copy()
    found.insert(list(audit.columns).index("settled") + 1, "recomputed", [text(*cell) for cell in cells])
    return found


class _Checked(NamedTuple):
    """What `check_claims` adds to a claim."""

    n: int
    base: int
    recomputed: str
    verdict: str
    evidence: str


@dataclass(frozen=True, slots=True)
class _Answers:
    """The counts of one row of a table, by category code, and their base."""

    counts: Mapping[str, int]
    base: int

    def total(self, codes: Sequence[str]) -> int:
        if unknown := [code for code in codes if code not in self.counts]:
            raise ValueError(f"the row has no category {', '.join(unknown)}")
        return sum(self.counts[code] for code in codes)


_Lookup = dict[tuple[str, str], _Answers]
_Percentages = dict[tuple[str, str], dict[str, str]]


def _check(
    claim: Mapping[str, str], counts: _Lookup, categories: Mapping[str, str], printed: _Percentages
) -> _Checked:
    if claim["quantity"] != QUANTITY:
        raise ValueError(f"{claim['quantity']!r} is not a quantity that can be checked; {QUANTITY!r} is")
    percentage = own_precision(claim["printed"])
    if fraction := re.fullmatch(r"(\d+)/(\d+)", claim["categories"]):
        count, base = int(fraction[1]), int(fraction[2])
        if base == 0:
            raise ValueError(f"{claim['categories']} has no base")
        return _verdict(percentage, count, base, summed=None, source="")
    labels = [label.strip() for label in claim["categories"].split("+")]
    if unknown := [label for label in labels if label not in categories]:
        raise ValueError(f"unknown category {', '.join(unknown)}; known: {', '.join(categories)}")
    codes = tuple(categories[label] for label in labels)
    key = (claim["table"], claim["row"])
    if key not in counts:
        raise ValueError(f"there are no counts for table {key[0]} row {key[1]}")
    row = counts[key]
    count = row.total(codes)
    summed = _sum_of_printed(printed.get(key, {}), codes)
    source = _likely_source(percentage, key, codes, counts, categories)
    return _verdict(percentage, count, row.base, summed, source)


def _verdict(percentage: Percentage, count: int, base: int, summed: Decimal | None, source: str) -> _Checked:
    agreement = percentage.judge(count, base)
    right = percentage.rounds_to(count, base)
    exact = percent_text(count, base, percentage.decimals)
    if agreement is Agreement.ROUNDED:
        return _Checked(count, base, right, ClaimVerdict.AGREES, exact)
    step = Decimal(1).scaleb(-percentage.decimals)
    if summed is not None and summed.quantize(step, ROUND_HALF_UP) == Decimal(percentage.text):
        evidence = f"{exact}; the printed percentages add up to {summed}, each rounded before they were added"
        return _Checked(count, base, right, ClaimVerdict.AGREES_WHEN_SUMMED, evidence)
    if agreement is Agreement.TRUNCATED:
        evidence = f"{exact}, cut off instead of rounded"
        return _Checked(count, base, right, ClaimVerdict.AGREES_WHEN_TRUNCATED, evidence)
    evidence = f"{exact}, so it should say {right}, not {percentage}{source}"
    return _Checked(count, base, right, ClaimVerdict.CONTRADICTED, evidence)


def _likely_source(
    percentage: Percentage,
    key: tuple[str, str],
    codes: tuple[str, ...],
    counts: _Lookup,
    categories: Mapping[str, str],
) -> str:
    """Return where else in the table the printed number is found: in other rows, or other categories of its row.

    Failing that, which other rows come within one digit of it, unless its own row does.
    """
    table, row = key
    others = {
        name: answers
        for (in_table, name), answers in counts.items()
        if in_table == table and name != row and set(codes) <= answers.counts.keys()
    }
    exact = [name for name, other in others.items() if _gives(percentage, other, codes)]
    if exact:
        return f"; {_rows(exact)} of the same table: {percentage}"
    scale, here = list(categories.items()), counts[key]
    for run in (scale[i:j] for i in range(len(scale)) for j in range(i + 1, len(scale) + 1)):
        if _gives(percentage, here, [code for _, code in run if code in here.counts]):
            return f"; {'+'.join(label for label, _ in run)} of the same row: {percentage}"
    if one_digit_apart(str(percentage), percentage.rounds_to(here.total(codes), here.base)):
        return "; one digit differs"
    near = {name: percentage.rounds_to(other.total(codes), other.base) for name, other in others.items()}
    near = {name: text for name, text in near.items() if one_digit_apart(str(percentage), text)}
    if near:
        return f"; one digit from {_rows(near)} of the same table: {', '.join(dict.fromkeys(near.values()))}"
    return "; nothing in the same table gives it"


def _gives(percentage: Percentage, answers: _Answers, codes: Sequence[str]) -> bool:
    return percentage.judge(answers.total(codes), answers.base) is Agreement.ROUNDED


def _rows(names: Iterable[str]) -> str:
    return " and ".join(f"row {name}" for name in names)


def _sum_of_printed(percentages: Mapping[str, str], codes: tuple[str, ...]) -> Decimal | None:
    """Add up printed percentages; None for one alone or if one is not printed."""
    texts = [percentages.get(code, "") for code in codes]
    return sum((Decimal(text) for text in texts), Decimal(0)) if len(texts) > 1 and all(texts) else None


def _printed_percentages(tables: pd.DataFrame, codes: Sequence[str]) -> _Percentages:
    """Each row's printed percentages as text, by category code."""
    _require(tables, ["table", "row", *(f"{code}_pct" for code in codes)], "published tables")
    return {
        (as_text(line["table"]), as_text(line["row"])): {code: as_text(line[f"{code}_pct"]) for code in codes}
        for line in tables.to_dict("records")
    }


def _lookup(frequencies: pd.DataFrame) -> _Lookup:
    complete = _frequencies(frequencies, "frequencies").dropna(subset=["count", "base"])
    found = {}
    for (table, row), part in complete.groupby(["table", "row"], sort=False):
        counts = dict(zip(part["category"], part["count"].astype(int), strict=True))
        found[str(table), str(row)] = _Answers(counts, int(part["base"].iloc[0]))
    return found


def _frequencies(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """Take the columns of a frequency table, its keys as text, each cell once."""
    _require(frame, FREQUENCIES, what)
    keyed = frame[list(FREQUENCIES)].reset_index(drop=True)
    keyed = keyed.assign(**{name: keyed[name].map(as_text) for name in CELL})
    if (twice := keyed.duplicated(CELL)).any():
        raise PublishedTableError(
            Mistake(f"{what}, table {table} row {row} category {category}", "stands there twice")
            for table, row, category in keyed.loc[twice, CELL].itertuples(index=False)
        )
    return keyed.astype({"count": "Int64", "base": "Int64"})


def _require(frame: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    if missing := [name for name in columns if name not in frame.columns]:
        raise PublishedTableError(Mistake(f"{what}, column {name}", "is missing") for name in missing)
