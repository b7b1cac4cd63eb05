"""Tables as people read them: each printed number is a released one, differences subtract, and what is not there is not
printed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from drawn_studies import study_of, tables_for
from surveywaves.findings import main_pair
from surveywaves.study import load_study
from surveywaves.study.parts import Presentation
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.change import BEFORE_ROUNDING, OVER_ALL, change, gap
from surveywaves.tables.data import wordings
from surveywaves.tables.layout import letters_of
from surveywaves.tables.made import frames_of, made
from surveywaves.tables.measures import dif
from surveywaves.tables.printed import decided, decimals_of, estimate
from surveywaves.tables.robustness import decided as decided_in_words
from surveywaves.tables.robustness import planning, robustness
from surveywaves.tables.statements import MODELLED, answers, statements
from surveywaves.terms import Evidence
from surveywaves.text import listed
from surveywaves.tidy import tidy
from surveywaves.words import (
    NONE,
    REVERSED,
    REVERSED_MEANS,
    WITHHELD,
    WITHHELD_MEANS,
    Labels,
    interval,
    number,
    p_value,
    percentage,
    whole,
)
from synthetic_report import presentation, tables, withheld

Frames = Mapping[str, pd.DataFrame]

SHAPES = {
    "three_waves": {},
    "one_wave": {"waves": 1},
    "two_waves": {"waves": 2},
    "one_organisation": {"waves": 2, "organisations": ("left",)},
    "alone": {"waves": 1, "organisations": ("left",)},
    "five_organisations": {"organisations": ("a", "b", "c", "d", "e")},
    "two_organisations": {"organisations": ("left", "right")},
    "unpublished": {"published": False},
}


def study(shape: str) -> tuple[Labels, Frames]:
    words = presentation(**SHAPES[shape])
    return Labels(words), tables(words, published=bool(words.published_wave))


def made_of(labels: Labels, frames: Frames) -> dict[str, Table]:
    return {one.name: table for one, table in made(frames, labels)}


@pytest.fixture(scope="module", params=list(SHAPES))
def shaped(request: pytest.FixtureRequest) -> tuple[Labels, Frames, dict[str, Table]]:
    labels, frames = study(request.param)
    return labels, frames, made_of(labels, frames)


@pytest.fixture(scope="module")
def labels() -> Labels:
    return study("two_organisations")[0]


@pytest.fixture(scope="module")
def frames() -> Frames:
    return study("two_organisations")[1]


def printed(text: str) -> list[float]:
    """The numbers of a cell, minus signs and thousands understood."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.replace("−", "-"))
    return [float(one) for one in re.findall(r"(?<![\d.])[-+]?(?:\d+\.\d+|\.\d+|\d+)", plain)]


def decimals(text: str) -> list[int]:
    return [len(one.partition(".")[2]) for one in re.findall(r"[\d,]*\.?\d+", text)]


def numbers_in(table: Table) -> Iterator[Cell]:
    """Cells with a number; "2 of 3" is counted, and tested elsewhere."""
    cells = (
        cell for row in table.rows for cell in row if cell.value is not None and not math.isnan(cell.value)
    )
    return (cell for cell in cells if " of " not in cell.text)


# --- how numbers are written --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(-0.004), "0.00"),
        (number(-1.5), "−1.50"),
        (number(1.5, signed=True), "+1.50"),
        (number(math.nan), "–"),
        (whole(12345), "12,345"),
        (percentage(50), "50.0"),
        (interval(-0.5, 0.25), "−0.50 to 0.25"),
        (interval(0.003, 0.2), "0.003 to 0.200"),
        (interval(0.0, 0.5), "0.00 to 0.50"),
        (p_value(0.0004), "<.001"),
        (p_value(0.0321), ".032"),
        (p_value(0.0994), ".099"),
        (p_value(0.0996), ".10"),
        (p_value(1.0), "1.00"),
        (listed(["a", "b", "c"]), "a, b and c"),
        (letters_of(27), "ab"),
    ],
)
def test_numbers_are_written_one_way(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("error", "most", "places"), [(2.6, 1, 1), (3.0, 1, 1), (12.0, 1, 0), (0.046, 2, 2), (math.nan, 2, 2)]
)
def test_an_estimate_gets_no_more_decimals_than_two_figures_of_its_error(
    error: float, most: int, places: int
) -> None:
    [row] = tidy([{"estimate": 29.0, "std_error": error}]).itertuples()
    assert decimals_of(row, most) == places


# --- every printed number is a released one -----------------------------------------------------------------------


def assert_released(table: Table) -> None:
    """Each number is one of the rows behind the table, and printed as such."""
    data = table.data.select_dtypes("number")
    known = {round(float(value), 9) for name in data for value in data[name].dropna()}
    known |= {round(100 * value, 7) for value in known} | {
        round(float(value), 9)
        for name in ("recomputed", "printed", "settled")
        if name in table.data
        for value in pd.to_numeric(table.data[name], errors="coerce").dropna()
    }
    for cell in numbers_in(table):
        shown = printed(cell.text)
        if "<.001" not in cell.text:
            for value, text, places in zip((cell.value, *cell.more), shown, decimals(cell.text), strict=True):
                assert abs(value - text) <= 0.5 * 10.0**-places + 1e-9, (table.name, cell)
        for value in (cell.value, *cell.more):
            assert any(round(value, places) in known for places in (9, 7)), (table.name, cell)


COUNTED = {"missing", "assumptions", "misprints", "waves"}
"""Tables with numbers that are counted, or come from the configuration."""


def test_every_number_is_a_released_one_at_its_printed_digits(shaped) -> None:
    _, _, found = shaped
    seen = 0
    for name, table in found.items():
        if name not in COUNTED:
            assert_released(table)
            seen += sum(1 for _ in numbers_in(table))
    assert seen > 60


def test_what_is_withheld_is_signed_and_nothing_else_is_printed_for_it(shaped) -> None:
    labels, frames, _ = shaped
    if len(frames["contrasts"]) == 0:
        pytest.skip("nothing is compared")
    found = made_of(labels, withheld(frames))
    signed = 0
    for name, table in found.items():
        if name not in COUNTED:
            assert_released(table)
        hidden = any(WITHHELD in cell.text for row in table.rows for cell in row)
        signed += hidden
        assert (WITHHELD_MEANS in table.notes) or not hidden, name
    assert signed >= 5


def test_every_row_and_column_says_something(shaped) -> None:
    _, _, found = shaped
    for name, table in found.items():
        if not name.startswith(("change_", "levels_", "other_changes_", "gap_", "reliability")):
            continue
        there = [
            [not math.isnan(cell.value or 0.0) for cell in row if cell.value is not None]
            for row in table.rows
        ]
        assert all(any(row) for row in there), name
        for place, column in enumerate(table.columns):
            if column.numeric:
                assert any(row[place].text != NONE for row in table.rows), (name, column)


def test_what_a_dash_means_is_said_where_there_is_one(shaped) -> None:
    _, _, found = shaped
    for name, table in found.items():
        dashes = any(NONE in cell.text for row in table.rows for cell in row)
        assert dashes or not any(note.startswith(f"{NONE}: ") for note in table.notes), name


def test_one_wave_speaks_of_no_change(shaped) -> None:
    labels, _, found = shaped
    one = len(labels.presentation.waves) == 1
    words = " ".join(
        [*(table.title for table in found.values()), *(c.head for t in found.values() for c in t.columns)]
    )
    assert one == ("change_linear" not in found)
    assert one == ("Change" not in words.replace("change in CFI", ""))
    assert ("levels_percent_favourable" in found) == (len(labels.presentation.waves) != 2)


def test_no_study_word_of_staff_or_organisation_where_the_study_has_its_own(frames) -> None:
    words = presentation(organisations=("left", "right"))
    nouns = words.nouns.model_copy(
        update={
            "people": "adults",
            "organisation": ("region", "regions"),
            "returns": ("interview", "interviews"),
            "person": ("adult", "adults"),
        }
    )
    found = made_of(Labels(words.model_copy(update={"nouns": nouns})), frames)
    for name, table in found.items():
        said = " ".join(
            [
                table.title.replace(words.title, ""),
                *table.notes,
                *(f"{c.head} {c.group}" for c in table.columns),
            ]
        )
        told = said.replace(words.protection, "").replace("to protect respondents", "")
        told = told.replace("organisations weighted by their shares of the respondents", "")
        for word in ("staff", "rganisation", "eturns", "espondent"):
            assert word not in told, (name, word)


def test_every_number_of_the_shipped_study_is_a_released_one(finished: Path) -> None:
    results = finished / "results"
    paths = {path.stem: str(path) for path in sorted((results / "released").glob("*.parquet"))}
    frames = frames_of(paths | {"disclosure_summary": str(results / "released/disclosure_summary.csv")})
    words = Presentation.of(load_study(finished / "config"))
    found = made_of(Labels(words), frames)
    for name in set(found) - COUNTED:
        assert_released(found[name])
    assert sum(1 for table in found.values() for _ in numbers_in(table)) > 3000


# --- change -------------------------------------------------------------------------------------------------------


def test_change_has_a_row_a_scale_and_both_organisations_beside_each_other(labels, frames) -> None:
    table = change(frames["contrasts"], frames["means"], labels, unit="linear")
    waves = main_pair(labels.presentation)
    linear = frames["contrasts"].query("analysis == 'linear' and term == 'change'")
    own = linear[(linear["wave"] == waves.contrast) & linear["estimate"].notna()]
    assert [row[0].text for row in table.rows] == [
        labels.scale(name) for name in labels.presentation.scales if name in set(own["scale"])
    ]
    heads = {f"{column.group}: {column.head}": place for place, column in enumerate(table.columns)}
    for row in own.itertuples():
        who = "All respondents" if row.organisation == "all" else labels.organisation(row.organisation)
        place = next(
            heads[name] for name in (f"{who}: Change (90% CI)", ": Change (90% CI)") if name in heads
        )
        cell = table.rows[[r[0].text for r in table.rows].index(labels.scale(row.scale))][place].text
        assert f"{number(row.estimate, signed=True)} ({interval(row.conf_low, row.conf_high)})" in cell


def differing(table: Table) -> Iterator[tuple[Cell, Cell, Cell]]:
    """First, last, change of every row and block."""
    for row in table.rows:
        for place, column in enumerate(table.columns):
            if column.head.startswith("Change (") and not math.isnan(row[place].value or math.nan):
                yield row[place - 2], row[place - 1], row[place]


@pytest.mark.parametrize("unit", ["linear", "percent_favourable"])
def test_a_change_is_the_difference_of_the_printed_levels_or_says_why_not(shaped, unit: str) -> None:
    _, _, found = shaped
    for name in (f"change_{unit}", f"other_changes_{unit}"):
        for first, last, moved in differing(found[name]) if name in found else ():
            if math.isnan(first.value) or math.isnan(last.value):
                continue
            subtracts = round(printed(last.text)[0] - printed(first.text)[0], 6) == round(
                printed(moved.text)[0], 6
            )
            assert subtracts != bool({BEFORE_ROUNDING, OVER_ALL} & set(moved.notes)), (
                name,
                first,
                last,
                moved,
            )


def one_change(first: float, last: float, estimate: float, note: str = "") -> Cell:
    words = presentation(waves=2, organisations=("left",))
    pair = main_pair(words)
    common = {"analysis": "favourable", "scale": "warmth", "organisation": "left", "n": 50}
    level = [
        common | {"term": "percent_favourable", "wave": wave, "estimate": value}
        for wave, value in ((pair.first, first), (pair.last, last))
    ]
    moved = common | {
        "term": "change_percent_favourable",
        "wave": pair.contrast,
        "estimate": estimate,
        "note": note,
        "conf_low": estimate - 1,
        "conf_high": estimate + 1,
        "p_adjusted": 0.2,
    }
    frame = tidy([moved]).assign(
        smallest=5.0, p_equivalence=0.1, p_equivalence_adjusted=0.1, decision="inconclusive"
    )
    table = change(frame, tidy(level), Labels(words), unit="percent_favourable")
    return table.rows[0][3]


@pytest.mark.parametrize(
    ("first", "last", "estimate", "note", "notes"),
    [
        (25.9, 38.6, 12.7, "", ()),
        (56.8, 68.6, 11.9, "", (BEFORE_ROUNDING,)),
        (27.1, 9.6, -18.5, "over 4 of 5 statements", ("Over 4 of 5 statements.", OVER_ALL)),
        (30.0, 32.0, 2.0, "over 4 of 5 statements", ("Over 4 of 5 statements.",)),
        (30.0, 32.0, 2.0, "organisations weighted by their shares of the respondents of first", ()),
    ],
)
def test_why_a_change_is_no_difference_is_noted_once(first, last, estimate, note, notes) -> None:
    assert one_change(first, last, estimate, note).notes == notes


def test_what_was_released_in_whole_numbers_has_no_decimal() -> None:
    assert one_change(76.0, 80.0, 4.0).text == "+4 (3 to 5)"
    assert one_change(76.0, 80.0, 4.2).text == "+4.2 (3.2 to 5.2)"


@pytest.mark.parametrize(
    ("decision", "text", "tone"),
    [
        ("increase", "▲ +1.0", "up"),
        ("decrease", "▼ +1.0", "down"),
        ("no_meaningful_change", "○ +1.0", ""),
        ("inconclusive", "+1.0", ""),
        ("", "+1.0", ""),
    ],
)
def test_only_a_decision_has_a_sign(decision: str, text: str, tone: str) -> None:
    [row] = tidy([{"estimate": 1.0}]).assign(decision=decision).itertuples()
    cell = decided(Cell("+1.0", 1.0), row)
    assert (cell.text, cell.tone) == (text, tone)


def test_more_than_two_organisations_stand_below_each_other_with_gaps_in_their_own_table() -> None:
    labels, frames = study("five_organisations")
    table = change(frames["contrasts"], frames["means"], labels, unit="linear")
    assert table.columns[0].head == "Organisation" and set(table.sections) <= {
        labels.scale(name) for name in labels.presentation.scales
    }
    assert not any(column.group for column in table.columns)
    apart = gap(frames["contrasts"], frames["means"], labels, unit="linear")
    there = frames["contrasts"].query("analysis == 'linear' and term == 'gap' and estimate.notna()")
    assert len(apart.rows) == len(there.drop_duplicates(["scale", "organisation"]))
    assert any(column.group.startswith("Difference in change") for column in apart.columns)


def of_many(organisations: int) -> tuple[Labels, Frames]:
    """Make a study of many organisations, each like the first of three, that are compared with all together."""
    names = [f"o{number}" for number in range(organisations)]
    frames = tables(presentation(organisations=("o0", "o1", "o2")))
    every = {}
    for name, frame in frames.items():
        spread = next((c for c in ("organisation", "level") if c in frame and frame[c].eq("o0").any()), None)
        if spread is None or name == "contrasts":
            every[name] = frame
            continue
        own = frame[frame[spread] == "o0"]
        rest = frame[~frame[spread].isin(["o0", "o1", "o2"])]
        every[name] = pd.concat([rest, *(own.assign(**{spread: one}) for one in names)])
    contrasts = frames["contrasts"]
    kept = contrasts["organisation"].isin(["all", "o0", "o0 - o1"])
    parts = [contrasts[contrasts["organisation"] == "all"]]
    for place, name in enumerate(names):
        own = contrasts[kept & (contrasts["organisation"] != "all")]
        moved = own.assign(organisation=own["organisation"].map({"o0": name, "o0 - o1": f"{name} - all"}))
        parts.append(moved.assign(estimate=moved["estimate"] + (place - organisations / 2) / 10))
    every["contrasts"] = pd.concat(parts, ignore_index=True)
    return Labels(presentation(organisations=tuple(names))), every


@pytest.mark.parametrize("organisations", [20, 200])
def test_of_many_organisations_the_report_shows_the_clearest_and_the_files_have_all(
    organisations: int,
) -> None:
    labels, frames = of_many(organisations)
    few, shown = made_of(*of_many(8)), made_of(labels, frames)
    whole_ones = {one.name: table for one, table in made(frames, labels, whole=True)}
    for name, table in shown.items():
        assert len(table.rows) <= max(100, len(few[name].rows)), name
        assert len(table.columns) <= len(few[name].columns), name
        left = len(table.rows) < len(whole_ones[name].rows)
        assert left == any("rows are shown" in note for note in table.notes), name
        assert max(map(len, table.notes), default=0) < 400, name
    assert len(whole_ones["change_linear"].rows) >= 2 * organisations
    ends = {f"The o{number} house − All respondents" for number in (0, organisations - 1)}
    assert ends <= set(shown["gap_linear"].sections)
    if organisations == 200:
        assert "The o100 house − All respondents" not in shown["gap_linear"].sections
        assert set(shown["reliability"].sections) == {"All respondents"}
        # Without rows of all together, the first are shown, and the note says so.
        assert "rows are shown: the first, since" in shown["levels_linear"].notes[0]
    assert any("number of scales and organisations" in note for note in shown["gap_linear"].notes)


def test_of_too_many_rows_those_that_stay_and_those_furthest_from_zero_are_shown() -> None:
    rows = tuple((Cell(str(place)),) for place in range(9))
    ranks = (3.0, math.inf, math.nan, -2.0, 0.5, 7.0, -0.5, 1.0, -9.0)
    table = Table(
        "t", "T", (Column("a"),), rows, sections=tuple("xxxyyyzzz"), ranks=ranks, ranked_by=("one", "two")
    )
    short = table.at_most(5)
    assert [row[0].text for row in short.rows] == ["0", "1", "3", "5", "8"]
    assert short.sections == tuple("xxyyz")
    assert short.notes == ("5 of 9 rows are shown: one, and two. The CSV and the workbook have all.",)
    assert table.at_most(9) is table
    assert [row[0].text for row in Table("t", "T", (Column("a"),), rows).at_most(2).rows] == ["0", "1"]


def test_a_scale_of_low_reliability_is_marked_once_in_a_table() -> None:
    labels, frames = study("two_organisations")
    low = frames["contrasts"].assign(
        note=frames["contrasts"]["note"].where(
            frames["contrasts"]["scale"] != "warmth", "low reliability: alpha 0.5"
        )
    )
    table = change(low, frames["means"], labels, unit="linear")
    assert [
        cell.text for row in table.rows for cell in row if "Low reliability: alpha 0.5." in cell.notes
    ] == ["Warmth"]


# --- statements, answers, and the rest ----------------------------------------------------------------------------


def test_statements_are_marked_where_their_number_is_scored_the_other_way(labels, frames) -> None:
    table = statements(frames["item_summary"], labels, item_contrasts=frames["item_contrasts"])
    marked = [row[0].text for row in table.rows if row[0].text.startswith(REVERSED)]
    assert marked == [
        f"{REVERSED} {item.text}" for item in labels.presentation.items.values() if item.key < 0
    ]
    assert REVERSED_MEANS in table.notes
    assert len(table.rows) == len(labels.presentation.items)


@pytest.mark.parametrize(("moved", "noted"), [(20.0, False), (10.0, True)])
def test_a_statement_is_held_against_the_waves_that_are_compared(moved: float, noted: bool) -> None:
    words = presentation(organisations=("left",)).model_copy(update={"reference_wave": "first"})
    frames = tables(words)
    percent = frames["item_summary"]["wave"].map({"first": 10.0, "second": 20.0, "third": 30.0})
    changes = frames["item_contrasts"].query("wave == 'third - second'").assign(wave="third - first")
    table = statements(
        frames["item_summary"].assign(favourable_percent=percent),
        Labels(words),
        item_contrasts=changes.assign(estimate=moved, std_error=2.0),
    )
    assert [column.head for column in table.columns[1:]] == [
        *map(Labels(words).wave, words.waves),
        "Change",
        "Adj. p",
    ]
    asked = [row[4] for row in table.rows if not math.isnan(row[1].value + row[3].value + row[4].value)]
    assert asked and all((MODELLED in cell.notes) == noted for cell in asked)


def test_answers_print_n_and_percent_for_every_option_a_wave_below_the_other(labels, frames) -> None:
    table = answers(frames["item_frequencies"], labels, battery="warmth")
    everybody = frames["item_frequencies"].query("organisation == 'all'")
    for row, words in zip(table.rows, table.sections, strict=True):
        item = next(one.item for one in labels.presentation.items.values() if one.text == words)
        wave = next(name for name in labels.presentation.waves if labels.wave(name) == row[0].text)
        own = everybody[(everybody["item"] == item) & (everybody["wave"] == wave)].sort_values("response")
        assert [cell.text for cell in row[1:]] == [
            str(own["base"].iloc[0]),
            *(f"{one.n} ({one.percent:.1f})" for one in own.itertuples()),
        ]
    assert "Third round worded this statement differently." in table.footnotes


def test_answers_that_the_publication_misprints_say_so(labels) -> None:
    frames = tables(labels.presentation)
    audited = frames["published_tables"]
    said = "The publication misprints some of these: see the table of its misprints."
    for frame, noted in ((audited, True), (audited.assign(verdict="agrees"), False)):
        table = answers(frames["item_frequencies"], labels, battery="warmth", published_tables=frame)
        assert (said in table.notes) == noted


def test_robustness_lists_only_what_another_analysis_does_not_share_and_how_it_decides(labels) -> None:
    common = {"analysis": "favourable", "scale": "warmth", "term": "change", "wave": "third - second"}
    common |= {
        "decision": "increase",
        "variants": 3,
        "largest_move": -1.25,
        "largest_variant": "complete_cases",
    }
    shared = common | {"organisation": "left", "agreeing": 3, "words": "3 of 3 variants: increase"}
    told = "2 of 3 variants: increase; Complete cases: no meaningful change; largest move −1.3 points (Complete cases)"
    parted = common | {"organisation": "right", "agreeing": 2, "words": told}
    other = parted | {"analysis": "linear", "agreeing": 0}
    table = robustness(
        pd.DataFrame([shared, parted, other]).assign(tipping_point=[math.nan, 8.04, 1.0]), labels
    )
    assert [[cell.text for cell in row] for row in table.rows] == [
        [
            "Warmth",
            "Second round to Third round",
            "The right house",
            "Rose",
            "2 of 3",
            "Complete cases: no meaningful change",
            "−1.2",
            "Complete cases",
            "+8.0",
        ]
    ]
    assert table.notes[0] == (
        "1 of 2 decisions are shared by every analysis that moved the estimate; they are not listed."
    )


@pytest.mark.parametrize(
    ("decision", "kind", "words"),
    [
        ("increase", "change", "rose"),
        ("decrease", "gap", "The left house lower"),
        ("increase", "difference_in_differences", "The left house gained on the other"),
        ("no_meaningful_change", "gap", "no meaningful gap"),
        ("inconclusive", "change", "inconclusive"),
    ],
)
def test_a_decision_is_put_into_words_of_its_kind(labels, decision: str, kind: str, words: str) -> None:
    row = SimpleNamespace(term=kind, organisation="left - right")
    assert decided_in_words(decision, row, labels) == words


def test_the_plan_has_columns_for_numbers_of_returns_that_most_contrasts_have(labels, frames) -> None:
    plan = frames["planning"]
    odd = plan[plan["n"] == plan["n"].max()].head(1)
    table = planning(pd.concat([plan, odd.assign(n=odd["n"] - 5)]), labels)
    assert table.columns == planning(plan, labels).columns


def test_dif_lists_exceptions_and_counts_what_was_tested(labels) -> None:
    def rows(item: str, p: float, size: str) -> list[dict[str, object]]:
        common = {"scale": "warmth", "item": item, "wave": "third - second"}
        return [
            common | {"term": "total_lr", "estimate": 9.0, "p_adjusted": p, "n": 80},
            common | {"term": "total_r2_change", "estimate": 0.04, "note": f"{size} (Jodoin & Gierl)"},
        ]

    frame = tidy(
        [
            *rows("warmth_1", 0.5, "negligible"),
            *rows("warmth_2", 0.01, "negligible"),
            *rows("warmth_3", 0.5, "moderate"),
        ]
    )
    table = dif(frame, labels)
    assert [row[0].text for row in table.rows] == ["warmth statement 2", "warmth statement 3"]
    assert table.notes[0].startswith("Listed: 2 of 3 comparisons")
    assert [row[-1].text for row in table.rows] == ["negligible", "moderate"]


def test_wordings_list_only_what_differs(labels) -> None:
    table = wordings(labels)
    assert {(row[0].text, row[2].text) for row in table.rows} == {
        ("warmth statement 1", "reworded"),
        ("single statement 1", "other response options"),
    }
    assert table.notes == ("First round did not ask 2 of 6 statements.",)


def test_an_estimate_that_is_not_there_says_why_below_the_table(labels) -> None:
    [row] = tidy([{"status": "too_few", "note": "nobody answered: first, right"}]).itertuples()
    cell = estimate(row, labels)
    assert (cell.text, cell.notes) == (NONE, ("Nobody answered: First round, The right house.",))
    assert estimate(None, labels).notes == ()


def test_a_table_refuses_rows_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="has not 1 cells"):
        Table("t", "T", (Column("a"),), ((Cell("1"), Cell("2")),))


@pytest.mark.parametrize(
    "options",
    [{}, {"points": (4, 7)}, {"waves": 1, "organisations": 1}, {"waves": 5, "organisations": 5, "scales": 6}],
)
def test_studies_of_every_shape_have_their_tables(options: dict[str, object]) -> None:
    words: Presentation = study_of(**options)
    found = made_of(Labels(words), tables_for(words))
    assert {"statements", "respondents", "missing"} <= set(found)
    assert ("change_linear" in found) == (len(words.waves) > 1)
    assert all(len(table.columns) <= 24 for table in found.values())


def test_observed_data_are_not_called_anything_else() -> None:
    words = presentation(evidence=(Evidence.OBSERVED,) * 3)
    [waves] = [table for name, table in made_of(Labels(words), tables(words)).items() if name == "waves"]
    assert {row[2].text for row in waves.rows} == {"observed"} and not any(row[2].tone for row in waves.rows)
