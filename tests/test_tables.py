"""Tables as people read them: the published layout, contrasts, reliability, and the values behind the words."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.answers import answers, favourable, misprint_notes
from surveywaves.tables.estimates import agreement, assumptions, contrasts, means, overview
from surveywaves.tables.measures import alpha_equality, item_measures, measures
from surveywaves.tables.respondents import file_counts, problems, recodings
from surveywaves.terms import Evidence
from surveywaves.text import listed
from surveywaves.tidy import COLUMNS, tidy
from surveywaves.words import Labels, interval, number, p_value, percentage, whole
from synthetic_report import FOUR, presentation, tables


@pytest.fixture(scope="module")
def labels() -> Labels:
    return Labels(presentation())


@pytest.fixture(scope="module")
def frames(labels: Labels) -> dict[str, pd.DataFrame]:
    return tables(labels.presentation)


def warmth(labels: Labels) -> list:
    return [item for item in labels.presentation.items.values() if item.scale == "warmth"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(-0.004), "0.00"),
        (number(-1.5), "−1.50"),
        (number(1.5, signed=True), "+1.50"),
        (number(math.nan), "–"),
        (number(pd.NA), "–"),
        (whole(12345), "12,345"),
        (percentage(50), "50.0"),
        (interval(-0.5, 0.25), "−0.50 to 0.25"),
        (interval(math.nan, 1), "–"),
        (interval(0.003, 0.2), "0.003 to 0.200"),
        (interval(-0.2, -0.0004), "−0.2000 to −0.0004"),
        (interval(0.0, 0.5), "0.00 to 0.50"),
        (interval(-0.0000001, 0.5), "0.0000 to 0.5000"),
        (p_value(0.0004), "<.001"),
        (p_value(0.0321), ".032"),
        (p_value(0.001), "<.001"),
        (p_value(0.0994), ".099"),
        (p_value(0.0996), ".10"),
        (p_value(1.0), "1.00"),
        (listed(["a"]), "a"),
        (listed(["a", "b", "c"]), "a, b and c"),
        (listed([]), ""),
    ],
)
def test_numbers_are_written_one_way(written: str, expected: str) -> None:
    assert written == expected


def test_answers_print_n_and_percent_of_every_wave_side_by_side(labels, frames) -> None:
    table = answers(frames["item_frequencies"], warmth(labels), labels, name="warmth", title="Warmth")
    text = table.text
    assert list(text["Statement"]) == [item.text for item in warmth(labels)]
    everybody = frames["item_frequencies"][frames["item_frequencies"]["organisation"] == "all"]
    for wave, words in labels.presentation.waves.items():
        above = f"{words.title} ({words.evidence.value})"
        for place, item in enumerate(warmth(labels)):
            rows = everybody[(everybody["wave"] == wave) & (everybody["item"] == item.item)]
            assert text[f"{above}: n"][place] == str(rows["base"].iloc[0])
            for row, short in zip(rows.itertuples(), FOUR.short, strict=True):
                assert text[f"{above}: {short}"][place] == f"{row.n} ({row.percent:.1f})"
                assert table.raw[f"{above}: {short}"][place] == row.percent


def test_a_wave_that_asked_nothing_of_a_table_is_named_and_has_no_columns(labels, frames) -> None:
    items = [item for item in labels.presentation.items.values() if item.scale == "pace"]
    table = answers(frames["item_frequencies"], items, labels, name="pace", title="Pace")
    assert not [name for name in table.text if name.startswith("First round")]
    assert "First round" in table.about


def test_items_that_one_wave_did_not_ask_say_so_and_show_no_number(labels, frames) -> None:
    items = list(labels.presentation.items.values())
    table = answers(frames["item_frequencies"], items, labels, name="all", title="All")
    row = list(table.text["Statement"]).index("pace statement 1")
    first = [name for name in table.text if name.startswith("First round")]
    assert not any(any(c.isdigit() for c in table.text[name][row]) for name in first)
    assert "First round did not ask this statement." in table.notes


def test_items_of_different_response_scales_do_not_share_a_table(labels, frames) -> None:
    with pytest.raises(ValueError, match="one response scale"):
        answers(frames["item_frequencies"], [], labels, name="none", title="None")


def test_misprinted_cells_carry_what_is_printed_what_it_should_be_and_why(labels, frames) -> None:
    items = labels.presentation.items.values()
    notes = misprint_notes(frames["published_tables"], items, wave="second")
    assert set(notes) == {("second", "warmth_2", 2), ("second", "pace_1", 0)}
    [told] = notes["second", "warmth_2", 2]
    assert "12" in told and "should be 23" in told and "the row adds up only so" in told
    table = answers(
        frames["item_frequencies"], warmth(labels), labels, name="warmth", title="Warmth", notes=notes
    )
    marked = [(row[0].text, cell.tone) for row in table.rows for cell in row if told in cell.notes]
    assert marked == [("warmth statement 2", "caution")]


def test_reworded_items_say_so(labels, frames) -> None:
    table = answers(frames["item_frequencies"], warmth(labels), labels, name="warmth", title="Warmth")
    assert "Third round words this statement differently." in table.notes


def test_favourable_shows_only_organisations_that_were_asked(labels, frames) -> None:
    table = favourable(frames["item_summary"], labels)
    assert [name for name in table.text if name.startswith("First")] == [
        f"First round (simulated): {who}" for who in ("All respondents", "The left house", "Not stated")
    ]


def test_an_estimate_that_is_not_there_says_why(labels, frames) -> None:
    table = means(frames["means"], labels, analysis="linear")
    column = "First round (simulated): The right house"
    assert list(table.text[column]) == ["not estimable", "not estimable"]
    assert table.raw[column].isna().all()
    assert "nobody answered: First round, The right house" in table.notes


def test_contrasts_list_every_row_with_interval_p_and_decision(labels, frames) -> None:
    frame = frames["contrasts"].query("analysis == 'linear'")
    table = contrasts(frames["contrasts"], labels, analysis="linear", term="change")
    rows = frame.query("term == 'change'")
    standardised = frame.query("term == 'change_standardised'")["estimate"]
    assert len(table.rows) == len(rows)
    for shown, row, beside in zip(
        table.text.itertuples(index=False), rows.itertuples(), standardised, strict=True
    ):
        if math.isnan(row.estimate):
            assert shown[3] == "not estimable" and shown[4:] == ("–", "–", "–", "–", "–", whole(row.n), "–")
        else:
            assert shown[3] == number(row.estimate, signed=True)
            assert shown[4] == interval(row.conf_low, row.conf_high)
            assert shown[5] == number(beside, signed=True)
            assert shown[6:8] == (p_value(row.p_value), p_value(row.p_adjusted))
            assert shown[8] == p_value(row.p_equivalence_adjusted)
            assert shown[9] == whole(row.n)
            assert shown[10].endswith(row.decision.replace("_", " "))


def test_contrasts_without_decisions_say_where_the_interval_lies(labels, frames) -> None:
    frame = frames["contrasts"][list(COLUMNS)]
    table = contrasts(frame, labels, analysis="linear", term="change")
    for shown, row in zip(
        table.text.itertuples(index=False),
        frame.query("analysis == 'linear' and term == 'change'").itertuples(),
        strict=True,
    ):
        side = "above" if row.conf_low > 0 else "below" if row.conf_high < 0 else "includes"
        assert math.isnan(row.estimate) or side in shown[-1]


def test_contrasts_name_both_sides_in_words(labels, frames) -> None:
    table = contrasts(frames["contrasts"], labels, analysis="linear", term="gap")
    assert "The left house − The right house" in set(table.text["Organisation"])


def test_reliability_shows_every_coefficient_there_is(labels, frames) -> None:
    table = measures(frames["reliability"], labels)
    assert "0.83" in set(table.text["Ordinal alpha"])
    assert any(" to " in shown for shown in table.text["90% interval"])


def test_equality_of_alpha_is_shown_pair_by_pair_and_over_all(labels, frames) -> None:
    table = alpha_equality(frames["reliability"], labels)
    pair = table.text[table.text["Wave"] == "Third round − Second round"].iloc[0]
    together = table.text[table.text["Wave"] == "All waves"].iloc[0]
    assert pair["Difference"] == "+0.04"
    assert pair["90% interval"] == "−0.02 to 0.10"
    assert (together["Wave"], together["χ² (df)"], together["p"]) == ("All waves", "5.10 (2)", ".078")
    two = frames["reliability"].assign(df=1.0)
    assert set(alpha_equality(two, labels).text["χ² (df)"]) == {pair["χ² (df)"]}


def test_reliability_of_items_sets_each_wave_beside_the_others(labels, frames) -> None:
    table = item_measures(frames["reliability"], labels)
    assert {column.group.partition(" (")[0] for column in table.columns if column.group} == {
        "First round",
        "Second round",
        "Third round",
    }


def test_a_boundary_keeps_its_number_and_is_marked(labels) -> None:
    frame = tidy(
        [
            {
                "analysis": "linear",
                "scale": "warmth",
                "wave": "second",
                "organisation": "left",
                "term": "emmean",
                "estimate": 3.25,
                "status": "boundary",
                "note": "zero",
            }
        ]
    )
    table = means(frame, labels, analysis="linear")
    assert table.rows[0][1].text == "3.25"
    assert table.notes == ("variance estimated as zero: zero",)


@pytest.mark.parametrize(
    ("wave", "about", "expected"),
    [
        ("first", {}, "simulated"),
        ("second", {}, "reconstructed"),
        ("second", {"variable": "job"}, "simulated"),
        ("second - first", {}, "simulated"),
        ("all", {}, "simulated"),
        ("unknown", {}, ""),
    ],
)
def test_data_to_take_away_say_what_they_are(labels, wave: str, about: dict, expected: str) -> None:
    frame = labels.with_evidence(pd.DataFrame([{"wave": wave, "n": 1, **about}]))
    assert list(frame["evidence"]) == [expected]


def test_every_table_says_the_evidence_of_its_waves(labels, frames) -> None:
    table = answers(frames["item_frequencies"], warmth(labels), labels, name="warmth", title="Warmth")
    assert table.evidence == (
        "First round: SIMULATED.",
        "Second round: RECONSTRUCTED.",
        "Third round: SIMULATED.",
    )
    about_jobs = labels.evidence(["second"], about=["job"])
    assert about_jobs == ("Second round: RECONSTRUCTED (kind of job SIMULATED).",)


def test_names_in_notes_become_words(labels) -> None:
    note = "nobody answered: first, right; nobody answered: warmth_1, single_1"
    assert labels.readable(note) == (
        "nobody answered: First round, The right house; "
        "nobody answered: ‘warmth statement 1’, ‘single statement 1’"
    )
    both = labels.readable("largest for second - first, left - right")
    assert both == "largest for Second round − First round, The left house − The right house"


def test_one_wave_and_unknown_names_do_no_harm() -> None:
    labels = Labels(presentation(waves=1, evidence=(Evidence.OBSERVED,)))
    assert labels.wave("what_wave - first") == "what_wave − First round"
    assert labels.organisation("elsewhere") == "elsewhere"
    assert labels.scale("tempo") == "tempo"
    assert labels.weakest([]) is None


def test_a_table_refuses_a_row_of_another_length() -> None:
    with pytest.raises(ValueError, match="not 2 cells"):
        Table("t", "T", (Column("a"), Column("b")), ((Cell("1"),),))


# What became of the raw files


def rules(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    names = ("layout", "variable", "raw", "value")
    frame = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    return frame.assign(
        wave="second", column=[f"Q{place}" if raw else "" for place, raw in enumerate(frame["raw"])]
    )


def test_recodings_put_what_is_the_same_into_one_row(labels) -> None:
    table = recodings(
        rules(
            ("web", "job", "", "desk"),
            ("web", "organisation", "L", "left"),
            ("web", "organisation", "Left", "left"),
            ("web", "warmth_1", "Never", "1"),
            ("web", "warmth_2", "Never", "1"),
            ("web", "warmth_1", "?", "dont_know"),
            ("web", "job", "?", "dont_know"),
            ("paper", "warmth_1", "1", "1"),
            ("paper", "pace_1_rescaled", "1", "4"),
        ),
        labels,
    )
    assert [tuple(cell.text for cell in cells[1:]) for cells in table.rows] == [
        ("web", "Kind of job", "every return", "Desk"),
        ("web", "Organisation", "L; Left", "The left house"),
        ("web", "2 statements", "Never", "1 (Never)"),
        ("web", "2 questions", "?", "missing: don't know"),
        ("paper", "warmth statement 1", "1", "1 (Never)"),
        ("paper", "pace statement 1 (on another response scale)", "1", "4"),
    ]
    assert {cells[0].text for cells in table.rows} == {"Second round"}


def test_levels_of_the_same_name_are_not_the_same_rule(labels) -> None:
    table = recodings(rules(("web", "job", "1", "desk"), ("web", "organisation", "1", "desk")), labels)
    assert [cells[2].text for cells in table.rows] == ["Kind of job", "Organisation"]


def test_files_and_their_problems_are_listed_with_their_numbers(labels) -> None:
    here = {"wave": "second", "file": "a.csv", "status": "ok"}
    counts = pd.DataFrame([here | {"layout": "web", "rows_in": 1207, "rows_kept": 1203, "rows_set_aside": 4}])
    assert [cell.text for cell in file_counts(counts, labels).rows[0]] == [
        "Second round",
        "a.csv",
        "web",
        "1,207",
        "1,203",
        "4",
    ]
    met = pd.DataFrame([here | {"about": "row", "problem": "twice", "action": "set aside", "n": 7}])
    assert [cell.text for cell in problems(met, labels).rows[0]] == [
        "Second round",
        "a.csv",
        "twice",
        "set aside",
        "rows",
        "7",
    ]
    assert "Everything was taken as it stood." in problems(met.iloc[:0], labels).about


def test_a_contrast_says_that_a_wave_asked_fewer_statements_or_in_other_words(labels, frames) -> None:
    asked = [item for item in labels.presentation.items if item.startswith("warmth")]
    same = dict.fromkeys(labels.presentation.items, "identical")
    grades = same | {asked[0]: "absent", asked[1]: "reworded"}
    waves = {
        name: wave.model_copy(update={"comparability": same})
        for name, wave in labels.presentation.waves.items()
    }
    waves["second"] = waves["second"].model_copy(update={"comparability": grades})
    words = Labels(labels.presentation.model_copy(update={"waves": waves}))
    of_scale = f"Second round: {len(asked) - 1} of {len(asked)} statements and 1 reworded"
    assert words.asked_note(["third", "second"], "warmth") == of_scale
    assert words.asked_note(["second"], "warmth", asked[1]) == "Second round: reworded"
    assert not words.asked_note(["third", "first"], "warmth")
    assert labels.asked_note(["third", "first"], "warmth") == "Third round: 1 of 3 statements reworded"
    table = contrasts(frames["contrasts"], words, analysis="linear", term="change")
    noted = [cells[3] for cells in table.rows if of_scale in cells[3].notes]
    assert noted and all("Second round" in cells[1].text for cells in table.rows if cells[3] in noted)


def test_the_overview_says_which_p_decides(labels, frames) -> None:
    table = overview(frames["contrasts"], labels, term="change")
    found = {
        (row.scale, row.wave, row.organisation): row
        for row in frames["contrasts"].itertuples()
        if row.term == "change_percent_favourable" and row.decision
    }
    assert table.title == "Change: all scales at a glance, in percentage points of favourable answers"
    text = " ".join(cell.text for cells in table.rows for cell in cells)
    decided = {row.decision for row in found.values()}
    assert decided
    for row in found.values():
        p, equivalence = p_value(row.p_adjusted), f"equivalence p {p_value(row.p_equivalence_adjusted)}"
        both = f"(p {p}, {equivalence})"
        shown = {"no_meaningful_change": f"({equivalence})", "inconclusive": both}.get(
            row.decision, f"(p {p})"
        )
        assert f"{number(row.estimate, 1, signed=True)} {shown}" in text


def test_assumptions_are_listed_with_their_tests_and_no_number_for_machines(labels) -> None:
    common = {"analysis": "linear", "scale": "warmth", "wave": "all", "organisation": "all"}
    frame = tidy(
        [
            common | {"term": "equal_tau2", "estimate": 5.1, "df": 200.0, "p_value": 0.0002},
            common | {"term": "scaled_gradient", "estimate": 1e-9},
            common | {"term": "tau2", "wave": "second", "organisation": "left", "estimate": 0.63},
            common
            | {
                "analysis": "ordinal",
                "item": "warmth_2",
                "term": "proportional_odds",
                "p_value": 0.21,
                "estimate": 3.2,
            },
        ]
    )
    table = assumptions(frame, labels)
    statement = labels.item("warmth_2")
    assert [[cell.text for cell in cells[1:]] for cells in table.rows] == [
        ["–", "equal variance between respondents (F)", "all cells", "5.10", "<.001"],
        ["–", "variance between respondents", "Second round, The left house", "0.63", "–"],
        [statement, "proportional odds (likelihood ratio)", "all cells", "3.20", ".21"],
    ]


def test_agreement_shows_the_largest_move_and_the_tipping_point(labels, frames) -> None:
    frame = frames["agreement"].copy()
    decided = frame.index[frame["decision"] != ""][0]
    frame.loc[decided, ["largest_move", "largest_variant", "tipping_point"]] = [0.034, "imputed", -0.21]
    table = agreement(frame, labels)
    told = dict(
        zip((column.head for column in table.columns), (cell.text for cell in table.rows[0]), strict=True)
    )
    assert told["Largest move"] == "+0.03 (missing answers imputed)" and told["Tipping point"] == "−0.21"
