"""The output checker's sheet: what is released, of how many people at the least, under which rule; to be signed.

Before anything leaves, a second person looks at it. The sheet has a row for each kind of number in each released table,
and for each figure, in the terms that output checkers use: the class of statistic (statbarn; Derrick, Green, Ritchie &
White 2022, by the names of https://w3id.org/statbarnsdc), whether such a statistic is safe as such (Griffiths et al.
2019, *Handbook on Statistical Disclosure Control for Outputs*), and a status (`pass, review, fail`), a summary and an
exception as the tool acro has them. It is made from what is released, and so tells nothing more.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.recodings import NOT_SHOWN
from surveywaves.files import harmless, undated_zip
from surveywaves.study.models import Disclosure
from surveywaves.terms import (
    AGREEMENT,
    ALL,
    CLAIMS,
    CROSSCHECK,
    FILE_COUNTS,
    ITEM_CONTRASTS,
    ITEM_FREQUENCIES,
    ITEM_SUMMARY,
    MISSING,
    PLANNING,
    PROBLEMS,
    PUBLISHED_TABLES,
    RECODINGS,
    RESPONDENTS,
    RESPONSE_RATES,
    SCALE_USE,
    Status,
)

SHEET: Final = "checklist"


class Statbarn(StrEnum):
    """A class of statistics with the same risks."""

    FREQUENCIES = "Frequencies"
    LINEAR = "LinearAggregations"
    SHAPE = "Shape"
    COEFFICIENTS = "CorrelationCoefficients"
    TESTS = "StatisticalHypothesisTests"
    NONE = "none"
    """Words and numbers that are not about people."""


SAFE: Final = frozenset({Statbarn.SHAPE, Statbarn.COEFFICIENTS, Statbarn.TESTS, Statbarn.NONE})
"""Classes that are released unless something speaks against it; the others only where it is shown that they may be."""


class Verdict(StrEnum):
    """What the sheet thinks of an output, the worst last; the person who signs decides."""

    PASS = "pass"
    REVIEW = "review"
    FAIL = "fail"


COLUMNS: Final = {
    "uid": "Number of the row, for those who talk about it",
    "type": "table or figure",
    "output": "File in results/, and of a table the numbers that the row is about",
    "statbarn": "Class of the statistic: https://w3id.org/statbarnsdc",
    "safe": "safe: such a statistic tells of no single person unless something speaks for it; unsafe: it may",
    "scope": "all respondents of a wave together, or groups of them: organisations, and comparisons between them",
    "status": "pass: as the rule has it; review: a person has to look, `summary` says why; fail: against the rule",
    "rule": "What the disclosure rule does with such numbers",
    "summary": "Status and reason",
    "shown": "Numbers that are shown",
    "withheld": "Numbers that are not, and would be without the rule",
    "smallest_n": "Fewest respondents that a number shown rests on, as released",
    "smallest_count": "Smallest count of people that is shown, other than 0, as released",
    "smallest_df": "Fewest residual degrees of freedom of an estimate shown, as released",
    "exception": "To be filled in: why something under review may leave",
    "comments": "To be filled in",
    "checked_by": "To be filled in: who checked it",
    "date": "To be filled in: when",
    "decision": "To be filled in: released or not",
}
"""Column -> what it says. Those that acro writes have the names that acro gives them."""

_BY_HAND: Final = ("exception", "comments", "checked_by", "date", "decision")

EVERYBODY: Final = "all respondents"
PARTS: Final = "groups"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of number in a table of counts."""

    columns: tuple[str, ...]
    """Where the numbers stand."""
    statbarn: Statbarn
    """Their class."""
    base: str = ""
    """Column that says of how many respondents they are; "": none does."""
    counts: tuple[str, ...] = ()
    """Those of the columns that count people."""
    made_from: str = ""
    """Other released tables, of which the numbers say nothing that these do not."""


def _counted(columns: str, base: str, counts: str) -> Kind:
    return Kind(tuple(columns.split()), Statbarn.FREQUENCIES, base, tuple(counts.split()))


KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    ITEM_FREQUENCIES: (_counted("n percent base weighted_percent", "base", "n"),),
    ITEM_SUMMARY: (
        _counted("favourable_n favourable_percent weighted_favourable_percent", "base", "favourable_n"),
        Kind(("mean", "weighted_mean"), Statbarn.LINEAR, "base"),
        Kind(("sd",), Statbarn.SHAPE, "base"),
    ),
    RESPONDENTS: (_counted("n percent base weighted_percent", "base", "n"),),
    RESPONSE_RATES: (_counted("returns rate", "returns", "returns"),),
    MISSING: (_counted("n percent returns", "returns", "n"),),
    FILE_COUNTS: (_counted("rows_in rows_kept rows_set_aside", "", "rows_in rows_kept rows_set_aside"),),
    PROBLEMS: (_counted("n", "", "n"),),
    PUBLISHED_TABLES: (_counted("recomputed", "", "count"),),
    CLAIMS: (_counted("n base recomputed", "base", "n"),),
    SCALE_USE: (Kind(("use",), Statbarn.NONE),),
    AGREEMENT: (
        Kind(
            ("agreeing", "variants", "largest_move", "tipping_point"),
            Statbarn.TESTS,
            made_from="contrasts and sensitivity",
        ),
    ),
    CROSSCHECK: (Kind(("agrees", "differs", "not_checked"), Statbarn.NONE),),
    RECODINGS: (Kind(("value",), Statbarn.NONE),),
    "themes": (
        _counted("n percent favourable mixed critical passages", "sources", "n favourable mixed critical"),
    ),
    "coding_agreement": (Kind(("estimate",), Statbarn.COEFFICIENTS, "sources"),),
    "joint_display": (Kind(("percent", "change"), Statbarn.LINEAR, made_from="themes, means and contrasts"),),
    "observations": (Kind(("count", "per_meeting"), Statbarn.LINEAR),),
    "timeline": (Kind(("label",), Statbarn.NONE),),
}
"""Released table -> kinds of numbers in it; all others are tidy, with a class for each `term`."""

TERMS: Final = {
    r"percent_favourable|.*_percent_favourable|emmean|.*_shrunken": Statbarn.LINEAR,
    r"floor|ceiling|n_respondents|n_items|returns|returns_needed|items_answered": Statbarn.FREQUENCIES,
    r"tau2.*|sigma2.*|total_sd|.*_between_sd|.*_skewness|.*_kurtosis": Statbarn.SHAPE,
    r"(change|gap|difference_in_differences)(_standardised)?|.*_log_odds|threshold\[.*": Statbarn.COEFFICIENTS,
    r"alpha|alpha_if_dropped|item_rest_r|mean_inter_item_r|omega_.*|ordinal_alpha|icc.*": Statbarn.COEFFICIENTS,
    r"loading|factor_correlation.*": Statbarn.COEFFICIENTS,
    r"alpha_difference|equality|equal_.*|proportional_odds|dispersion|.*loglik|scaled_gradient": Statbarn.TESTS,
    r".*_lr|.*_r2_change|.*_mcfadden_change|r2_.*": Statbarn.TESTS,
    r"(.*_)?(chisq|cfi|tli|rmsea|srmr)(_change|_difference)?": Statbarn.TESTS,
    r"power.*|detectable|conf_half_width": Statbarn.TESTS,
    r"n_categories": Statbarn.NONE,
}
"""Pattern of terms -> class."""

OF_COUNTS: Final = (ITEM_SUMMARY, ITEM_CONTRASTS)
"""Tables whose estimates of organisations are computed from released counts."""

OF_REFERENCE: Final = ("returns", "total_sd", "icc", "items_answered")
"""Terms of `planning` whose `n` counts people; that of all others counts returns that are expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet, before it is numbered."""

    output: str
    statbarn: str
    safe: bool
    scope: str
    status: Verdict
    rule: str
    reason: str
    shown: int | None = None
    withheld: int | None = None
    smallest_n: int | None = None
    smallest_count: int | None = None
    smallest_df: int | None = None


def checklist(
    tables: Mapping[str, pd.DataFrame], figures: Mapping[str, Sequence[str]], rule: Disclosure
) -> pd.DataFrame:
    """Draw up the sheet.

    Parameters
    ----------
    tables
        The released tables by name.
    figures
        Figure -> tables that it draws.
    rule
        The rule that they were released under.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; those to be filled in are empty.
    """
    alone = _alone(tables.get(ITEM_FREQUENCIES, pd.DataFrame()))
    rows = {name: list(_rows(name, table, alone, rule)) for name, table in tables.items()}
    found = [("table", row) for listed in rows.values() for row in listed]
    found += [
        ("figure", _figure(name, [row for table in reads for row in rows.get(table, [])]))
        for name, reads in figures.items()
    ]
    records = [
        {
            "uid": f"output_{number}",
            "type": kind,
            "output": harmless(row.output),
            "statbarn": row.statbarn,
            "safe": "safe" if row.safe else "unsafe",
            "scope": row.scope,
            "status": str(row.status),
            "rule": row.rule,
            "summary": f"{row.status}; {row.reason}",
            "shown": row.shown,
            "withheld": row.withheld,
            "smallest_n": row.smallest_n,
            "smallest_count": row.smallest_count,
            "smallest_df": row.smallest_df,
            **dict.fromkeys(_BY_HAND, ""),
        }
        for number, (kind, row) in enumerate(found)
    ]
    sheet = pd.DataFrame(records, columns=list(COLUMNS))
    whole = ["shown", "withheld", "smallest_n", "smallest_count", "smallest_df"]
    return sheet.astype(dict.fromkeys(whole, "Int64"))


def _alone(frequencies: pd.DataFrame) -> frozenset[tuple[str, str]]:
    """Name the waves that are of one organisation, with it: its rows are those of all respondents."""
    if frequencies.empty:
        return frozenset()
    each = frequencies.groupby("wave")["organisation"].unique()
    found = ((str(wave), [str(name) for name in names if name != ALL]) for wave, names in each.items())
    return frozenset((wave, names[0]) for wave, names in found if len(names) == 1)


def _rows(
    name: str, table: pd.DataFrame, alone: frozenset[tuple[str, str]], rule: Disclosure
) -> Iterator[Row]:
    """Yield the rows about a table: each kind of number, of all respondents and of groups."""
    if name == PUBLISHED_TABLES:
        table = table.assign(count=_number(table["recomputed"]).where(table["quantity"] == "count"))
    for scope, part in _scopes(table, alone):
        for kind, rows in _kinds(name, part):
            yield _judged(name, kind, scope, rows, rule)


def _scopes(table: pd.DataFrame, alone: frozenset[tuple[str, str]]) -> Iterator[tuple[str, pd.DataFrame]]:
    if "organisation" not in table:
        yield EVERYBODY, table
        return
    pairs = zip(table["wave"], table["organisation"], strict=True)
    whole = np.array([pair[1] == ALL or pair in alone for pair in pairs], dtype=np.bool_)
    yield from (
        (scope, part) for scope, part in ((EVERYBODY, table[whole]), (PARTS, table[~whole])) if len(part)
    )


def _kinds(name: str, table: pd.DataFrame) -> Iterator[tuple[Kind, pd.DataFrame]]:
    if name in KINDS:
        yield from (
            (kind, table) for kind in KINDS[name] if not table.columns.intersection(list(kind.columns)).empty
        )
        return
    classes = table["term"].map({term: statbarn_of(term) for term in table["term"].unique()})
    for statbarn in [*Statbarn, None]:
        rows = table[classes.isna() if statbarn is None else classes == statbarn]
        if len(rows):
            yield Kind(("estimate",), statbarn or Statbarn.NONE, "n"), rows


def statbarn_of(term: str) -> Statbarn | None:
    """Class a term of a tidy table; None: no class is known for it."""
    return next((found for pattern, found in TERMS.items() if re.fullmatch(pattern, term)), None)


def _judged(name: str, kind: Kind, scope: str, rows: pd.DataFrame, rule: Disclosure) -> Row:
    columns = [column for column in kind.columns if column in rows]
    here = rows[columns].notna().to_numpy() & (rows[columns] != "").fillna(True).to_numpy(dtype=np.bool_)
    any_shown = here.any(axis=1)
    withheld = (
        ~here & (rows["status"] == Status.WITHHELD).to_numpy()[:, None] if "status" in rows else ~here & False
    )
    asked = rows[any_shown]
    if name == PLANNING:
        asked = asked[asked["term"].isin(OF_REFERENCE)]
    tidy = name not in KINDS
    smallest_n = _least(asked[kind.base][asked[kind.base] > 0]) if kind.base in asked else None
    listed = [_number(asked[one]).dropna() for one in kind.counts if one in asked]
    counts = pd.concat(listed, ignore_index=True) if listed else _number(pd.Series([]))
    terms = f", {_listed(rows['term'])}" if tidy else f", {', '.join(columns)}"
    row = Row(
        f"released/{name}.csv{terms}",
        str(kind.statbarn),
        kind.statbarn in SAFE,
        scope,
        Verdict.PASS,
        "",
        "",
        int(here.sum()),
        int(withheld.sum()),
        smallest_n,
        _least(counts[counts > 0]),
        _least(asked["df"][asked["std_error"].notna()]) if tidy else None,
    )
    if tidy and any(statbarn_of(term) is None for term in rows["term"].unique()):
        return replace(row, status=Verdict.REVIEW, reason="no class is known for this statistic", safe=False)
    if name == RECODINGS and (rows["raw"] == NOT_SHOWN).any():
        reason = f"labels that are `{NOT_SHOWN}` here stand in the configuration, and so in a pin: read them"
        return replace(row, status=Verdict.REVIEW, rule="labels of ordinary words only", reason=reason)
    if kind.statbarn is Statbarn.NONE:
        return replace(row, rule="words and numbers that are not about people", reason="not about people")
    if rule.public:
        return replace(row, rule="public data: as they are", reason="the data are public")
    if kind.statbarn is Statbarn.FREQUENCIES and not tidy:
        return _counts(row, counts, rule)
    made_from = kind.made_from or (ITEM_FREQUENCIES if row.scope == PARTS and name in OF_COUNTS else "")
    if made_from:
        reason = f"says nothing that {made_from} do not"
        return replace(row, rule="computed from released numbers", reason=reason)
    return _estimates(row, name, rule)


def _counts(row: Row, counts: pd.Series[float], rule: Disclosure) -> Row:
    """Hold counts against the rule for counts."""
    least, threshold, base = row.smallest_count, rule.threshold, rule.rounding
    small = least is not None and least < threshold
    if row.scope == EVERYBODY:
        row = replace(row, rule="exact: counts of all respondents of a wave together")
        if small:
            return replace(
                row, status=Verdict.REVIEW, reason=f"exact by the rule, and the smallest count is {least}"
            )
        return replace(row, reason=f"no count from 1 to {threshold - 1}")
    if base:
        row = replace(row, rule=f"rounded to multiples of {base}, so that totals add up")
        if (counts % base).any():
            return replace(row, status=Verdict.FAIL, reason=f"counts that are no multiples of {base}")
        return replace(row, reason=f"all counts are multiples of {base}")
    row = replace(row, rule=f"counts below {threshold} withheld, and others that would give one back")
    if small:
        return replace(
            row, status=Verdict.REVIEW, reason=f"the smallest count is {least}: in print, or of those silent"
        )
    return replace(row, reason=f"no count from 1 to {threshold - 1}")


def _estimates(row: Row, name: str, rule: Disclosure) -> Row:
    """Hold estimates against the rule for estimates."""
    people, df = rule.smallest_group, rule.smallest_df
    row = replace(
        row,
        rule=f"from {people} respondents and {df} residual degrees of freedom, to the digits that the error allows",
    )
    if not row.shown:
        return replace(row, reason="nothing is shown")
    if row.smallest_n is None:
        what = (
            "the expected returns of a plan"
            if name == PLANNING
            else "how many respondents it rests on is not shown"
        )
        return replace(row, status=Verdict.REVIEW, reason=what)
    few = [f"{row.smallest_n} respondents"] if row.smallest_n < people else []
    if row.smallest_df is not None and row.smallest_df < df:
        few.append(f"{row.smallest_df} degrees of freedom")
    if few:
        return replace(row, status=Verdict.FAIL, reason=f"an estimate from {' and '.join(few)}")
    return replace(row, reason="no estimate from fewer")


def _figure(name: str, drawn: Sequence[Row]) -> Row:
    """Sum up what a figure draws: the numbers of released tables, or some of them."""
    verdict = max((row.status for row in drawn), key=list(Verdict).index, default=Verdict.REVIEW)
    worst = next((row for row in drawn if row.status is verdict), None)
    return Row(
        f"figures/{name}",
        "; ".join(dict.fromkeys(row.statbarn for row in drawn)),
        all(row.safe for row in drawn) and bool(drawn),
        "; ".join(dict.fromkeys(row.scope for row in drawn)),
        verdict,
        "draws released numbers only",
        f"as {worst.output.partition(',')[0]}: {worst.reason}" if worst else "what it draws is not known",
        smallest_n=_fewest(row.smallest_n for row in drawn),
        smallest_count=_fewest(row.smallest_count for row in drawn),
        smallest_df=_fewest(row.smallest_df for row in drawn),
    )


def _fewest(numbers: Iterator[int | None]) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def _number(column: pd.Series[Any]) -> pd.Series[float]:
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _least(column: pd.Series[Any]) -> int | None:
    numbers = _number(column)
    numbers = numbers[np.isfinite(numbers)]
    return int(numbers.min()) if len(numbers) else None


def _listed(terms: pd.Series[str], most: int = 6) -> str:
    names = list(dict.fromkeys(terms))
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# --- as a workbook ------------------------------------------------------------------------------------------------

_WIDTHS: Final = {
    "output": 44,
    "rule": 40,
    "summary": 44,
    "statbarn": 26,
    "scope": 16,
    "exception": 30,
    "comments": 30,
}
_MADE: Final = datetime(1980, 1, 1)


def workbook(sheet: pd.DataFrame) -> bytes:
    """Write the sheet as an Excel workbook: the same bytes for the same sheet, and no cell that Excel would run."""
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import, and only this needs it
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415
    from openpyxl.writer.excel import ExcelWriter  # noqa: PLC0415

    book = Workbook()
    book.properties.created = book.properties.modified = _MADE
    book.properties.creator = "surveywaves"
    first = book.active
    assert first is not None
    first.title = SHEET
    about = book.create_sheet("columns")
    for page, rows in (
        (first, [list(sheet), *(list(row) for row in sheet.itertuples(index=False, name=None))]),
        (about, [["column", "what it says"], *map(list, COLUMNS.items())]),
    ):
        for row in rows:
            page.append([None if pd.isna(cell) or cell == "" else harmless(cell) for cell in row])
        for cell in page[1]:
            cell.font = Font(bold=True)
        page.freeze_panes = "A2"
        for number, name in enumerate(rows[0], start=1):
            page.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(
                name, 100 if page is about else 14
            )
        for line in page.iter_rows():
            for cell in line:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).write_data()
    return undated_zip(buffer.getvalue())
