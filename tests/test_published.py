"""Published tables: the search against brute force, the shipped tables against what is known of them, refusals."""

from __future__ import annotations

import itertools
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveywaves.errors import PublishedTableError
from surveywaves.published.checking import ClaimVerdict, beside, check_claims
from surveywaves.published.printed import Agreement, Percentage, PrintedRow
from surveywaves.published.settling import (
    CellVerdict,
    RowVerdict,
    Settlement,
    apply_decisions,
    best_readings,
    settle,
    settle_column,
    together,
)

PUBLISHED = Path(__file__).parent.parent / "resources" / "published"
RETURNS = 389
CATEGORIES = ["sd", "d", "n", "a", "sa"]
LABELS = {code.upper(): code for code in CATEGORIES}


def read(name: str, separator: str = ",") -> pd.DataFrame:
    return pd.read_csv(PUBLISHED / name, sep=separator, dtype=str, keep_default_na=False)


TABLES = read("likert_tables.csv")
PROFESSION = read("table1_profession.csv").assign(total="270")
EMPLOYER = read("employer.csv")
DECISIONS = read("decisions.tsv", "\t")


@pytest.fixture(scope="module")
def shipped() -> Settlement:
    return together(
        settle(TABLES, categories=CATEGORIES, max_base=RETURNS),
        settle_column(PROFESSION, table="1", max_base=RETURNS),
        settle_column(EMPLOYER, table="organisation", max_base=RETURNS),
    )


@pytest.fixture(scope="module")
def decided(shipped: Settlement) -> Settlement:
    return apply_decisions(shipped, DECISIONS, where="decisions.tsv")


def verdict(settlement: Settlement, table: str, row: str) -> str:
    return str(settlement.verdicts.set_index(["table", "row"]).loc[(table, row), "verdict"])


def counts(settlement: Settlement, table: str, row: str) -> tuple[list[int], int]:
    part = settlement.settled.query("table == @table and row == @row")
    return part["count"].tolist(), int(part["base"].iloc[0])


def cell(settlement: Settlement, table: str, row: str, field: str) -> pd.Series:
    return settlement.audit.set_index(["table", "row", "field"]).loc[(table, row, field)]


def one_row(counts: list[object], percentages: list[str], base: object, **more: str) -> pd.DataFrame:
    line = {"table": "9", "row": "1", "n_reported": str(base), **more}
    for k, (count, percentage) in enumerate(zip(counts, percentages, strict=True)):
        line |= {f"c{k}_n": str(count), f"c{k}_pct": percentage}
    return pd.DataFrame([line])


# The shipped tables -------------------------------------------------------------------------------------------------


def test_all_but_six_rows_of_the_tables_are_consistent_as_printed(shipped: Settlement) -> None:
    odd = shipped.verdicts.query("verdict != 'consistent'")
    assert dict(zip(odd["table"] + "." + odd["row"], odd["verdict"], strict=True)) == {
        "3.2": RowVerdict.MISPRINT_SETTLED,
        "3.3": RowVerdict.UNDECIDED,
        "3.4": RowVerdict.MISPRINT_SETTLED,
        "6.3": RowVerdict.MISPRINT_SETTLED,
        "8.1": RowVerdict.MISPRINT_SETTLED,
        "13.5": RowVerdict.MISPRINT_SETTLED,
        "organisation.1": RowVerdict.UNDECIDED,
    }
    assert not shipped.verdicts["truncated"].any()


@pytest.mark.parametrize(
    ("table", "row", "expected", "misprints"),
    [
        ("3", "2", ([8, 13, 94, 175, 44], 334), {"n_reported"}),
        ("3", "4", ([41, 117, 103, 72, 7], 340), {"n_n", "a_n", "n_reported"}),
        ("6", "3", ([10, 66, 136, 105, 10], 327), {"a_n"}),
        ("8", "1", ([4, 45, 74, 124, 68], 315), {"sa_n", "sa_pct"}),
        ("13", "5", ([8, 33, 115, 167, 38], 361), {"sd_pct"}),
    ],
)
def test_a_misprint_that_arithmetic_settles(
    shipped: Settlement, table: str, row: str, expected: tuple[list[int], int], misprints: set[str]
) -> None:
    assert counts(shipped, table, row) == expected
    audit = shipped.audit.query("table == @table and row == @row")
    assert set(audit.loc[audit["verdict"] == CellVerdict.MISPRINT, "field"]) == misprints
    assert audit.loc[audit["verdict"] == CellVerdict.MISPRINT, "evidence"].str.len().min() > 0


def test_evidence_says_how_a_misprint_came_about(shipped: Settlement) -> None:
    swapped = cell(shipped, "8", "1", "sa_n")
    assert (swapped["printed"], swapped["settled"]) == ("22", "68")
    assert "stand in each other's place" in swapped["evidence"]
    assert "stand in each other's place" in cell(shipped, "8", "1", "sa_pct")["evidence"]
    assert "same digits in another order" in cell(shipped, "6", "3", "a_n")["evidence"]
    assert (
        "5 of 5 printed percentages fit 334, 2 fit 336" in cell(shipped, "3", "2", "n_reported")["evidence"]
    )
    assert cell(shipped, "13", "5", "sd_pct")["evidence"] == "8 of 361 is 2.2%"


def test_an_undecided_row_lists_its_readings_and_has_no_counts(shipped: Settlement) -> None:
    assert (
        "19+47+86+163+27=342 or 19+46+85+163+27=340"
        in shipped.verdicts.set_index(["table", "row"]).loc[("3", "3"), "evidence"]
    )
    assert shipped.settled.query("table == '3' and row == '3'").empty
    kept, open_ = cell(shipped, "3", "3", "sd_n"), cell(shipped, "3", "3", "d_n")
    assert (kept["verdict"], kept["settled"]) == (CellVerdict.AGREES, "19")
    assert (open_["verdict"], open_["settled"], open_["evidence"]) == (CellVerdict.UNDECIDED, "", "47 or 46")
    assert cell(shipped, "3", "3", "sd_pct")["verdict"] == CellVerdict.AGREES
    assert cell(shipped, "3", "3", "d_pct")["verdict"] == CellVerdict.UNDECIDED


def test_a_percentage_and_a_base_leave_three_employer_splits(shipped: Settlement) -> None:
    nhs = shipped.candidates.query("table == 'organisation' and category == 'NHS'")
    assert set(nhs["count"]) == {138, 139, 140}
    assert set(nhs["base"]) == {316}


def test_a_blank_cell_is_not_audited(shipped: Settlement) -> None:
    profession = shipped.audit.query("table == '1'")
    assert len(profession) == 10 + 9 + 1
    assert "Maintenance/Technical_pct" not in set(profession["field"])
    assert verdict(shipped, "1", "1") == RowVerdict.CONSISTENT


def test_the_audit_has_every_printed_cell_once_and_in_printed_order(shipped: Settlement) -> None:
    likert = shipped.audit.head(61 * 11)
    assert list(dict.fromkeys(likert["table"] + "." + likert["row"])) == list(
        TABLES["table"] + "." + TABLES["row"]
    )
    assert likert["field"].head(11).tolist() == [
        *(f"{category}_{what}" for category in CATEGORIES for what in ("n", "pct")),
        "n_reported",
    ]
    assert not shipped.audit.duplicated(["table", "row", "field"]).any()


def test_the_shipped_decisions_settle_every_row_and_are_quoted_in_the_audit(decided: Settlement) -> None:
    assert counts(decided, "3", "3") == ([19, 46, 85, 163, 27], 340)
    assert counts(decided, "organisation", "1") == ([139, 177], 316)
    assert verdict(decided, "3", "3") == RowVerdict.DECIDED
    corrected = cell(decided, "3", "3", "d_n")
    assert (corrected["verdict"], corrected["settled"]) == (CellVerdict.MISPRINT, "46")
    assert "by decision: With 46 and 85 for 47 and 86" in corrected["evidence"]
    assert not decided.verdicts["verdict"].eq(RowVerdict.UNDECIDED).any()
    sums = decided.settled.groupby(["table", "row"])[["count", "base"]].agg({"count": "sum", "base": "first"})
    assert (sums["count"] == sums["base"]).all()
    assert len(decided.settled) == 61 * 5 + 10 + 2


# Precision ----------------------------------------------------------------------------------------------------------


def test_a_dropped_trailing_zero_is_read_at_the_precision_of_its_table() -> None:
    printed = Percentage.read("38", table_decimals=1)
    assert printed.judge(131, 345) is Agreement.ROUNDED  # 37.97
    assert printed.judge(132, 345) is Agreement.CONTRADICTED  # 38.26 would do for a whole 38
    assert str(printed) == "38.0"


def test_half_a_percent_in_whole_numbers_was_rounded_to_the_nearest_half() -> None:
    printed = Percentage.read("0.5", table_decimals=0)
    assert printed.judge(2, 312) is Agreement.ROUNDED  # 0.64
    assert printed.judge(3, 312) is Agreement.TRUNCATED  # 0.96
    assert printed.judge(4, 312) is Agreement.CONTRADICTED  # 1.28
    assert Percentage.read("0.6", table_decimals=0).judge(3, 312) is Agreement.CONTRADICTED


@given(
    base=st.integers(1, 2000),
    share=st.floats(0, 1),
    decimals=st.integers(0, 2),
)
def test_a_percentage_agrees_however_programs_round_it(base: int, share: float, decimals: int) -> None:
    count = round(share * base)
    with localcontext(prec=60):
        exact = Decimal(100 * count) / Decimal(base)
        step = Decimal(1).scaleb(-decimals)
        up, even, down = (
            str(exact.quantize(step, how)) for how in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
        )
    for text in (up, even):
        assert Percentage.read(text, table_decimals=decimals).judge(count, base) is Agreement.ROUNDED
    cut = Percentage.read(down, table_decimals=decimals)
    assert cut.judge(count, base) is (Agreement.ROUNDED if down in (up, even) else Agreement.TRUNCATED)
    assert cut.rounds_to(count, base) == up
    above = str(Decimal(up) + step)
    if Decimal(above) <= 100 and Fraction(above) - Fraction(100 * count, base) > Fraction(step):
        assert Percentage.read(above, table_decimals=decimals).judge(count, base) is Agreement.CONTRADICTED


def test_a_tie_that_no_program_rounds_so_is_a_contradiction() -> None:
    # 12.5: half up gives 13, half to even gives 12. 13.5: both give 14.
    assert Percentage.read("12", table_decimals=0).judge(1, 8) is Agreement.ROUNDED
    assert Percentage.read("13", table_decimals=0).judge(1, 8) is Agreement.ROUNDED
    assert Percentage.read("14", table_decimals=0).judge(27, 200) is Agreement.ROUNDED
    assert Percentage.read("13", table_decimals=0).judge(27, 200) is Agreement.TRUNCATED


def test_a_truncated_row_keeps_its_numbers_and_says_so() -> None:
    settled = settle(one_row([2, 1], ["66", "33"], 3), categories=["c0", "c1"], max_base=50)
    assert verdict(settled, "9", "1") == RowVerdict.TRUNCATED
    assert counts(settled, "9", "1") == ([2, 1], 3)
    truncated = cell(settled, "9", "1", "c0_pct")
    assert (truncated["verdict"], truncated["settled"]) == (CellVerdict.AGREES_WHEN_TRUNCATED, "67")


# The search ---------------------------------------------------------------------------------------------------------


def brute_force(row: PrintedRow, max_base: int) -> set[tuple[tuple[int, ...], int]]:
    """Go through every reading there is."""
    costs = {}
    for base in range(1, max_base + 1):
        for reading in itertools.product(range(base + 1), repeat=len(row.counts)):
            if sum(reading) != base:
                continue
            wrong = (row.base not in {None, base}) + sum(
                c not in {None, r} for c, r in zip(row.counts, reading, strict=True)
            )
            judged = [
                p.judge(r, base) for p, r in zip(row.percentages, reading, strict=True) if p is not None
            ]
            costs[reading, base] = (
                wrong + judged.count(Agreement.CONTRADICTED),
                judged.count(Agreement.TRUNCATED),
            )
    return {reading for reading, cost in costs.items() if cost == min(costs.values())}


@given(
    counts=st.lists(st.none() | st.integers(0, 9), min_size=3, max_size=3),
    percentages=st.lists(st.none() | st.integers(0, 100), min_size=3, max_size=3),
    base=st.none() | st.integers(1, 9),
)
@settings(deadline=None)
def test_the_search_finds_exactly_what_brute_force_finds(
    counts: list[int | None], percentages: list[int | None], base: int | None
) -> None:
    printed = PrintedRow(
        table="9",
        row="1",
        categories=("c0", "c1", "c2"),
        counts=tuple(counts),
        percentages=tuple(
            None if p is None else Percentage.read(str(p), table_decimals=0) for p in percentages
        ),
        base=base,
    )
    found = best_readings(printed, max_base=7, limit=1000)
    assert {(reading.counts, reading.base) for reading in found.readings} == brute_force(printed, 7)
    assert not found.more


@st.composite
def printed_rows(draw: st.DrawFn) -> tuple[list[int], list[int], list[str], int]:
    """True counts, and what a faultless printer makes of them: counts, percentages, base."""
    true = draw(st.lists(st.integers(0, 60), min_size=2, max_size=6).filter(any))
    base, step = sum(true), Decimal(draw(st.sampled_from(["1", "0.1"])))
    percentages = [str((Decimal(100 * c) / Decimal(base)).quantize(step, ROUND_HALF_UP)) for c in true]
    return true, list(true), percentages, base


def settle_row(printed: list[int], percentages: list[str], base: int) -> Settlement:
    codes = [f"c{k}" for k in range(len(printed))]
    return settle(
        one_row(list(printed), percentages, base), categories=codes, max_base=400, max_candidates=10_000
    )


@given(row=printed_rows())
@settings(deadline=None)
def test_a_faultless_row_is_consistent(row: tuple[list[int], list[int], list[str], int]) -> None:
    true, printed, percentages, base = row
    settled = settle_row(printed, percentages, base)
    assert verdict(settled, "9", "1") == RowVerdict.CONSISTENT
    assert counts(settled, "9", "1") == (true, base)
    assert (settled.audit["verdict"] == CellVerdict.AGREES).all()


@given(row=printed_rows(), data=st.data())
@settings(deadline=None)
def test_one_corrupted_cell_never_loses_the_true_row(
    row: tuple[list[int], list[int], list[str], int], data: st.DataObject
) -> None:
    true, printed, percentages, base = row
    place = data.draw(st.integers(0, 2 * len(true)))
    told = base
    if place < len(true):
        printed[place] = data.draw(st.integers(0, 400).filter(lambda n: n != true[place]))
    elif place < 2 * len(true):
        places = max(len(text.partition(".")[2]) for text in percentages)
        wrong = data.draw(st.integers(0, 100 * 10**places))
        percentages[place - len(true)] = str(
            Decimal(wrong).scaleb(-places).quantize(Decimal(1).scaleb(-places))
        )
    else:
        told = data.draw(st.integers(1, 400).filter(lambda n: n != base))
    settled = settle_row(printed, percentages, told)
    (best,) = (line.best for line in settled.rows)
    assert not best.more
    # A corrupted count or base always breaks the sum; a corrupted percentage leaves the true counts as printed.
    assert (tuple(true), base) in {(reading.counts, reading.base) for reading in best.readings}
    assert best.contradicted <= 1


def test_a_long_list_of_readings_is_cut_and_says_so() -> None:
    blank = one_row(["", "", ""], ["33", "33", "34"], 300)
    settled = settle(blank, categories=["c0", "c1", "c2"], max_base=RETURNS, max_candidates=3)
    assert verdict(settled, "9", "1") == RowVerdict.UNDECIDED
    assert settled.rows[0].best.more
    assert "others" in settled.verdicts["evidence"].iloc[0]


# Refusals -----------------------------------------------------------------------------------------------------------


def test_tables_read_as_numbers_are_refused() -> None:
    with pytest.raises(PublishedTableError, match="column sd_pct: was read as numbers"):
        settle(pd.read_csv(PUBLISHED / "likert_tables.csv"), categories=CATEGORIES, max_base=RETURNS)


def test_every_unreadable_cell_is_named_at_once() -> None:
    tables = pd.concat([one_row(["x", "-1"], ["150", "?"], "3.5"), one_row([1, 1], ["50", "50"], 2)])
    with pytest.raises(PublishedTableError) as refused:
        settle(tables, categories=["c0", "c1"], max_base=9)
    lines = str(refused.value).splitlines()
    assert len(lines) == 6
    for name in (
        "stands there twice",
        "c0_n: 'x'",
        "c1_n: '-1'",
        "c0_pct: 150",
        "c1_pct: '?'",
        "n_reported: '3.5'",
    ):
        assert any(name in line for line in lines), name


def test_a_missing_column_and_a_row_in_two_tables_are_named(shipped: Settlement) -> None:
    with pytest.raises(PublishedTableError, match="column sa_n: is missing"):
        settle(TABLES.drop(columns="sa_n"), categories=CATEGORIES, max_base=RETURNS)
    with pytest.raises(PublishedTableError, match="table 2 row 1: stands there twice"):
        together(shipped, shipped)
    with pytest.raises(PublishedTableError, match="category Nurse: is listed twice"):
        settle_column(PROFESSION.replace("Psychologist", "Nurse"), table="1", max_base=RETURNS)
    with pytest.raises(PublishedTableError, match="different totals: 270, 271"):
        settle_column(PROFESSION.assign(total=["270", "271"] * 5), table="1", max_base=RETURNS)


def decision(
    table: str, row: str, field: str, value: str, *, reason: str = "why", by: str = "who"
) -> dict[str, str]:
    return dict(zip(DECISIONS.columns, (table, row, field, value, reason, by), strict=True))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "table 3 row 3: is undecided and nobody has decided"),
        ([decision("3", "3", "n_reported", "341")], "n_reported = 341 is not among its readings"),
        ([decision("3", "3", "sd_n", "19")], "sd_n = 19 leaves 2 readings"),
        (
            [decision("3", "3", "n_reported", "340"), decision("3", "3", "d_n", "47")],
            "is not among its readings",
        ),
        ([decision("3", "3", "base", "340")], "'base' is not a field"),
        ([decision("3", "3", "n_reported", "340", reason="")], "n_reported = 340 has no reason"),
        ([decision("3", "3", "n_reported", "340", by="")], "n_reported = 340 has no decided_by"),
        ([decision("2", "1", "n_reported", "348")], "table 2 row 1: needs no decision: it is consistent"),
        ([decision("6", "3", "a_n", "105")], "table 6 row 3: needs no decision: it is misprint_settled"),
        ([decision("99", "1", "n_reported", "3")], "table 99 row 1: there is no such row"),
    ],
)
def test_a_decision_is_refused(shipped: Settlement, lines: list[dict[str, str]], said: str) -> None:
    others = DECISIONS[~((DECISIONS["table"] == "3") & (DECISIONS["row"] == "3"))]
    decisions = pd.concat([others, pd.DataFrame(lines, columns=DECISIONS.columns)])
    with pytest.raises(PublishedTableError) as refused:
        apply_decisions(shipped, decisions, where="decisions.tsv")
    assert said in str(refused.value)
    assert all(line.startswith("decisions.tsv, table ") for line in str(refused.value).splitlines())


def test_all_refused_decisions_are_named_at_once(shipped: Settlement) -> None:
    decisions = pd.DataFrame([decision("2", "1", "n_reported", "348"), decision("7", "9", "a_n", "1")])
    with pytest.raises(PublishedTableError) as refused:
        apply_decisions(shipped, decisions)
    assert len(str(refused.value).splitlines()) == 4  # these two, and the two rows that nobody decided


def test_any_count_that_tells_the_readings_apart_is_a_decision(shipped: Settlement) -> None:
    lines = pd.DataFrame(
        [decision("3", "3", "d_n", "47"), decision("organisation", "1", "Social Work_n", "176")]
    )
    settled = apply_decisions(shipped, lines)
    assert counts(settled, "3", "3") == ([19, 47, 86, 163, 27], 342)
    assert counts(settled, "organisation", "1") == ([140, 176], 316)
    chosen = settled.candidates.query("chosen and table == 'organisation' and category == 'NHS'")
    assert chosen["count"].tolist() == [140]


# Claims -------------------------------------------------------------------------------------------------------------


def test_the_claims_of_the_report(decided: Settlement) -> None:
    checked = check_claims(read("claims.csv"), decided.settled, categories=LABELS, tables=TABLES)
    odd = checked[checked["verdict"] != ClaimVerdict.AGREES]
    assert dict(zip(odd["printed"], zip(odd["recomputed"], odd["verdict"], strict=True), strict=True)) == {
        "60.2": ("74.2", ClaimVerdict.CONTRADICTED),
        "50.5": ("50.4", ClaimVerdict.AGREES_WHEN_SUMMED),
        "51.6": ("51.7", ClaimVerdict.AGREES_WHEN_SUMMED),
        "58.3": ("48.3", ClaimVerdict.CONTRADICTED),
        "43": ("44", ClaimVerdict.AGREES_WHEN_SUMMED),
        "31": ("30", ClaimVerdict.AGREES_WHEN_SUMMED),
    }
    evidence = checked.set_index("printed")["evidence"]
    assert evidence["60.2"].endswith("one digit from row 2 and row 8 of the same table: 60.4")
    assert evidence["58.3"].endswith("should say 48.3, not 58.3; one digit differs")
    assert checked["quote"].tolist() == read("claims.csv")["quote"].tolist()


def claim(categories: str, printed: str, row: str = "1", quantity: str = "percent") -> pd.DataFrame:
    columns = ("page", "quote", "table", "row", "categories", "quantity", "printed")
    return pd.DataFrame(
        [dict(zip(columns, ("p1", "so many", "9", row, categories, quantity, printed), strict=True))]
    )


FREQUENCIES = pd.DataFrame(
    [("9", "1", "sd", 20, 60), ("9", "1", "a", 40, 60), ("9", "2", "sd", 15, 60), ("9", "2", "a", 45, 60)],
    columns=["table", "row", "category", "count", "base"],
)


@pytest.mark.parametrize(
    ("categories", "printed", "expected", "said"),
    [
        ("A", "67", ClaimVerdict.AGREES, "40 of 60 is 66.7%"),
        ("A", "66", ClaimVerdict.AGREES_WHEN_TRUNCATED, "cut off"),
        ("A", "75", ClaimVerdict.CONTRADICTED, "should say 67, not 75; row 2 of the same table: 75"),
        ("A", "33", ClaimVerdict.CONTRADICTED, "SD of the same row: 33"),
        ("A", "12", ClaimVerdict.CONTRADICTED, "nothing in the same table gives it"),
        ("1/8", "12.5", ClaimVerdict.AGREES, "1 of 8"),
        ("1/8", "13.5", ClaimVerdict.CONTRADICTED, "should say 12.5, not 13.5"),
    ],
)
def test_a_claim_is_judged(categories: str, printed: str, expected: str, said: str) -> None:
    checked = check_claims(claim(categories, printed), FREQUENCIES, categories=LABELS).iloc[0]
    assert checked["verdict"] == expected
    assert said in checked["evidence"]


def test_a_sum_of_printed_percentages_is_rounded_like_the_claim() -> None:
    counts = {"n": 996, "a": 998, "sd": 1006}  # 66.47% together, but 33.2 + 33.3 = 66.5
    frequencies = pd.DataFrame(
        [("9", "1", category, count, 3000) for category, count in counts.items()],
        columns=["table", "row", "category", "count", "base"],
    )
    tables = pd.DataFrame([{"table": "9", "row": "1", "n_pct": "33.2", "a_pct": "33.3", "sd_pct": "33.5"}])
    labels = {"SD": "sd", "N": "n", "A": "a"}
    with_print = check_claims(claim("N+A", "67"), frequencies, categories=labels, tables=tables)
    assert with_print["verdict"].tolist() == [ClaimVerdict.AGREES_WHEN_SUMMED]
    without = check_claims(claim("N+A", "67"), frequencies, categories=labels)
    assert without["verdict"].tolist() == [ClaimVerdict.CONTRADICTED]


def test_claims_that_cannot_be_recomputed_are_named_at_once() -> None:
    claims = pd.concat(
        [
            claim("A+XX", "1"),
            claim("A", "1", row="7"),
            claim("A", "1", quantity="mean"),
            claim("A", "most"),
            claim("3/0", "1"),
            claim("N", "1"),
        ]
    )
    with pytest.raises(PublishedTableError) as refused:
        check_claims(claims, FREQUENCIES, categories=LABELS)
    lines = str(refused.value).splitlines()
    assert len(lines) == 6
    for name, line in zip(
        ("unknown category XX", "table 9 row 7", "'mean'", "'most'", "no base", "no category n"),
        lines,
        strict=True,
    ):
        assert name in line


# Recomputed from data -----------------------------------------------------------------------------------------------


def test_a_cell_that_stands_there_twice_is_named(decided: Settlement) -> None:
    with pytest.raises(PublishedTableError, match="table 9 row 1 category sd: stands there twice"):
        beside(decided.audit, pd.concat([FREQUENCIES, FREQUENCIES.head(1)]))


def test_every_printed_cell_is_put_beside_what_the_data_give(decided: Settlement) -> None:
    recomputed = decided.settled.copy()
    recomputed.loc[recomputed["table"] == "2", "count"] += 1
    found = beside(decided.audit, recomputed).set_index(["table", "row", "field"])["recomputed"]
    assert found["8", "1", "sa_n"] == "68"
    assert found["8", "1", "sa_pct"] == "21.6"
    assert found["3", "2", "n_reported"] == "334"
    assert found["2", "1", "sd_n"] == "5"
    absent = beside(decided.audit, recomputed[recomputed["table"] != "2"])
    assert set(absent.loc[absent["table"] == "2", "recomputed"]) == {""}
