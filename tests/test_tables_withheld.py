"""Tables of what is withheld: one sign for it in every form, apart from all other reasons why there is no number."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from surveywaves.tables import Table
from surveywaves.tables.answers import answers, favourable
from surveywaves.tables.audit import Audit
from surveywaves.tables.estimates import agreement, components, contrasts, means, sensitivity
from surveywaves.tables.measures import dif, measures
from surveywaves.tables.publish import publications, written
from surveywaves.tables.respondents import file_counts, levels, missing, response_rates
from surveywaves.terms import Status
from surveywaves.tidy import DECIDED, NUMBERS, tidy
from surveywaves.words import (
    WITHHELD_MEANS,
    Labels,
)
from synthetic_report import presentation, tables
from test_publication_tables import read_docx, read_html, read_tex

Rows = Callable[[pd.DataFrame], "pd.Series[bool]"]


@pytest.fixture(scope="module")
def labels() -> Labels:
    return Labels(presentation())


@pytest.fixture
def frames(labels: Labels) -> dict[str, pd.DataFrame]:
    return tables(labels.presentation)


def hidden(frame: pd.DataFrame, where: str, columns: Sequence[str]) -> pd.DataFrame:
    """Withhold columns of rows, as the release does it."""
    marks = frame.eval(where)
    assert marks.any()
    shown = frame.copy()
    if "status" not in shown:
        shown["status"] = "ok"
    for name in columns:
        if pd.api.types.is_numeric_dtype(shown[name]):
            whole = pd.api.types.is_integer_dtype(shown[name])
            shown[name] = shown[name].astype("Int64" if whole else "float64").mask(marks)
        else:
            shown[name] = shown[name].mask(marks, "")
    shown["status"] = shown["status"].astype("str").mask(marks, Status.WITHHELD.value)
    return shown


def no_estimate(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    names = [name for name in (*NUMBERS, *DECIDED) if name in frame]
    shown = hidden(frame, where, names)
    shown["note"] = shown["note"].mask(shown["status"] == "withheld", "withheld to protect respondents")
    return shown


def warmth(labels: Labels) -> list:
    return [item for item in labels.presentation.items.values() if item.scale == "warmth"]


def row(table: Table, place: int = 0) -> list[str]:
    return [cell.text for cell in table.rows[place]]


def test_the_answers_that_are_shown_stay_beside_those_that_are_withheld(labels, frames) -> None:
    whole = answers(frames["item_frequencies"], warmth(labels), labels, name="w", title="W")
    where = "wave == 'second' and organisation == 'all' and item == 'warmth_1' and response in [1, 2]"
    partly = answers(
        hidden(frames["item_frequencies"], where, ["n", "percent"]),
        warmth(labels),
        labels,
        name="w",
        title="W",
    )
    above = "Second round (reconstructed)"
    for head in partly.text.columns:
        gone = head in {f"{above}: NV", f"{above}: RA"}
        assert partly.text[head][0] == ("[c]" if gone else whole.text[head][0]), head
        assert list(partly.text[head][1:]) == list(whole.text[head][1:])
    assert WITHHELD_MEANS in partly.about and WITHHELD_MEANS not in whole.about


def test_answers_whose_base_is_withheld_are_not_taken_for_not_asked(labels, frames) -> None:
    where = "wave == 'second' and item == 'warmth_1'"
    shown = answers(
        hidden(frames["item_frequencies"], where, ["n", "percent", "base"]),
        warmth(labels)[:1],
        labels,
        name="w",
        title="W",
    )
    second = [name for name in shown.text if name.startswith("Second")]
    assert len(second) == 5 and set(shown.text.loc[0, second]) == {"[c]"}


def test_that_nobody_answered_is_a_number_and_no_sign(labels, frames) -> None:
    frame = frames["item_frequencies"].copy()
    nobody = frame.eval("wave == 'second' and item == 'warmth_1'")
    frame.loc[nobody, ["n", "base"]] = 0
    frame["percent"] = frame["percent"].mask(nobody)
    shown = answers(frame, warmth(labels), labels, name="w", title="W").text
    assert list(shown.filter(like="Second").loc[0]) == ["0", "–", "–", "–", "–"]


def test_the_share_of_favourable_answers_keeps_the_base_it_is_of(labels, frames) -> None:
    lost = ["favourable_n", "favourable_percent"]
    where = "wave == 'second' and organisation == 'left' and item == 'warmth_1'"
    summary = hidden(frames["item_summary"], where, lost)
    base = int(summary.query(where)["base"].iloc[0])
    column = "Second round (reconstructed): The left house"
    table = favourable(summary, labels)
    assert table.text[column][0] == f"[c] (of {base})" and table.raw[column].isna().tolist()[0]
    table = favourable(hidden(summary, where, [*lost, "base"]), labels)
    assert table.text[column][0] == "[c]"


def test_levels_say_what_is_known_of_them(labels, frames) -> None:
    frame = hidden(frames["respondents"], "wave == 'second' and level == 'desk'", ["percent"])
    frame = hidden(frame, "wave == 'third' and level != 'not_stated'", ["n", "percent", "base"])
    table = levels(frame, labels, variable="job")
    n = int(frame.query("wave == 'second' and organisation == 'all' and level == 'desk'")["n"].iloc[0])
    first, second, third = row(table)[1:]
    assert second == f"{n} ([c])" and third == "[c]" and "[c]" not in first
    assert [column.head for column in table.columns][-1] == "N = [c]"
    assert WITHHELD_MEANS in table.about


def test_a_wave_of_which_everything_is_withheld_is_still_there(labels, frames) -> None:
    frame = hidden(frames["respondents"], "wave == 'third'", ["n", "percent", "base"])
    table = levels(frame, labels, variable="job", by_organisation=True)
    assert {cell.text for cells in table.rows for cell in cells[-3:]} == {"[c]"}


def test_a_part_of_a_sum_does_not_pass_for_the_whole(labels, frames) -> None:
    where = "wave == 'second' and item == 'warmth_2' and reason in ['skipped', 'broke_off']"
    frame = hidden(frames["missing"], where, ["n", "percent"])
    table = missing(frame, labels, item_frequencies=frames["item_frequencies"])
    plain = missing(frames["missing"], labels, item_frequencies=frames["item_frequencies"])
    above = "Second round (reconstructed)"
    for head in table.text:
        gone = head in {f"{above}: skipped", f"{above}: broke off"}
        assert table.text[head][0] == ("[c]" if gone else plain.text[head][0])
    assert "%" in table.about and WITHHELD_MEANS in table.about


def test_missing_answers_together_are_returns_less_answers(labels, frames) -> None:
    table = missing(frames["missing"], labels, item_frequencies=frames["item_frequencies"])
    asked = frames["missing"].query("wave == 'second' and section == 1").drop_duplicates("item")
    bases = frames["item_frequencies"].query("wave == 'second' and organisation == 'all'")
    bases = bases[bases["item"].isin(asked["item"])]
    without = asked["returns"].sum() - bases.drop_duplicates("item")["base"].sum()
    shown = table.text["Second round (reconstructed): together"][0]
    assert float(shown.replace("−", "-")) == pytest.approx(100 * without / asked["returns"].sum(), abs=0.05)


def test_returns_that_are_withheld_are_not_unknown(labels, frames) -> None:
    frame = hidden(frames["response_rates"], "wave == 'second'", ["returns", "rate", "conf_low", "conf_high"])
    table = response_rates(frame, labels)
    assert row(table, 1)[4] == "[c]" and row(table, 1)[-1] == "[c]"
    assert row(table, 0)[-1] == "not known" and "%" in row(table, 2)[-1]


def test_of_a_withheld_contrast_no_number_is_shown_and_it_is_not_called_inestimable(labels, frames) -> None:
    place = "term.str.startswith('change') and wave == 'third - second' and organisation == 'left'"
    frame = hidden(no_estimate(frames["contrasts"], place), place, ["n"])
    table = contrasts(frame, labels, analysis="linear", term="change")
    found = [cells for cells in table.rows if any(cell.text == "[c]" for cell in cells)]
    assert len(found) == 2
    for cells in found:
        assert [cell.text for cell in cells[3:]] == ["[c]"] * 8
        assert all(cell.key is None and not cell.notes for cell in cells[3:])
    assert "not estimable" in set(table.text["Estimate"])


def test_a_number_of_respondents_can_be_withheld_beside_its_estimate(labels, frames) -> None:
    frame = frames["contrasts"].copy()
    marks = frame["estimate"].notna()
    frame["n"] = frame["n"].mask(marks)
    table = contrasts(frame, labels, analysis="linear", term="change")
    for cells in table.rows:
        assert cells[9].text == ("–" if cells[3].text == "not estimable" else "[c]")


def test_what_is_withheld_sorts_with_what_has_no_number(labels, frames) -> None:
    frame = no_estimate(frames["means"], "wave == 'second' and organisation == 'left'")
    table = means(frame, labels, analysis="linear")
    column = "Second round (reconstructed): The left house"
    assert list(table.text[column]) == ["[c]", "[c]"]
    assert (
        table.raw[column].isna().all() and table.raw["Third round (simulated): The left house"].notna().all()
    )


def test_means_say_of_how_many_they_are_as_far_as_that_is_shown(labels, frames) -> None:
    few = hidden(frames["means"], "wave == 'second' and organisation == 'left'", ["n"]).assign(status="ok")
    [one] = [one for one in publications({"means": few}, labels) if one.name == "means_linear"]
    [said] = [line for line in one.below if line.startswith("Respondents (n)")]
    assert "Second round, The left house [c];" in said


def test_floor_and_ceiling_can_be_withheld_beside_alpha(labels) -> None:
    here = {"analysis": "reliability", "scale": "warmth", "wave": "second", "organisation": "all", "n": 90}
    frame = tidy(
        [
            here | {"term": "alpha", "estimate": 0.8, "conf_low": 0.712, "conf_high": 0.861},
            here | {"term": "floor", "estimate": 0.0},
            here | {"term": "ceiling", "status": "withheld", "note": "withheld to protect respondents"},
        ]
    )
    table = measures(frame, labels)
    assert row(table)[2:] == ["90", "0.80", "0.71 to 0.86", "0.0", "[c]"] and not table.notes
    assert row(measures(no_estimate(frame, "term == 'alpha'"), labels))[2:5] == ["90", "[c]", "[c]"]


def test_comparisons_of_items_that_are_withheld_are_listed_and_not_counted_as_impossible(labels) -> None:
    here = {"analysis": "dif", "scale": "warmth", "item": "warmth_1", "organisation": "left - right"}
    terms = ("uniform_lr", "uniform_r2_change", "total_lr", "total_r2_change")
    frame = tidy(
        here | {"term": term, "status": "withheld", "note": "withheld to protect respondents"}
        for term in terms
    )
    table = dif(frame, labels, between="organisation")
    assert row(table)[3:] == ["[c]", "–", "[c]", "[c]", "–", "–", "[c]", "[c]", "[c]"]
    assert "could not be made" not in table.about


def test_variants_of_a_withheld_contrast_are_withheld_and_not_left_out(labels, frames) -> None:
    place = "wave == 'third - second' and organisation == 'left' and scale == 'warmth'"
    frame = no_estimate(frames["sensitivity"], f"{place} and variant != 'raking'")
    table = sensitivity(frame, labels, term="change")
    [cells] = [cells for cells in table.rows if any(cell.text == "[c]" for cell in cells)]
    assert {cell.text for cell in cells[3:]} == {"[c]"}
    gone = hidden(frames["agreement"].assign(status="ok"), place, ["decision"])
    assert "withheld" in agreement(gone, labels).about
    assert "withheld" not in agreement(frames["agreement"].assign(status="ok"), labels).about


def test_a_withheld_component_of_a_model_has_the_sign(labels, frames) -> None:
    frame = no_estimate(frames["variances"], "term == 'n_respondents'")
    table = components(frame, labels, analysis="linear", title="V")
    assert set(table.text["respondents"]) == {"[c]"} and "[c]" not in set(
        table.text["intraclass correlation"]
    )


def test_what_is_printed_stays_where_what_was_recomputed_is_withheld(labels, frames) -> None:
    audit = Audit(labels, wave="second")
    where = "table == '7' and row == '1' and category == 'nv'"
    frame = hidden(frames["published_tables"], where, ["recomputed"])
    table = audit.printed(frame, "7")
    assert row(table, 0)[3] == "11 (12.5)" and row(table, 1)[3] == "[c]" and row(table, 1)[4] != "[c]"
    wrong = hidden(frames["published_tables"], "verdict == 'misprint'", ["recomputed"])
    assert "[c]" in row(audit.misprints(wrong))
    claims = hidden(frames["claims"], "page == 'p9'", ["recomputed", "n", "base", "evidence"])
    assert row(audit.claims(claims))[5] == "[c]"


def test_rows_of_a_file_can_be_withheld(labels) -> None:
    frame = pd.DataFrame(
        [
            {
                "wave": "second",
                "file": "a.csv",
                "layout": "web",
                "rows_in": 90,
                "rows_kept": 88,
                "rows_set_aside": 2,
            }
        ]
    )
    shown = file_counts(hidden(frame, "rows_in == 90", ["rows_kept", "rows_set_aside"]), labels)
    assert row(shown)[3:] == ["90", "[c]", "[c]"]


def test_a_statement_that_has_the_sign_in_it_withholds_nothing() -> None:
    study = presentation(words={"warmth statement 1": "Do you [c]?"})
    table = answers(
        tables(study)["item_frequencies"], warmth(Labels(study)), Labels(study), name="w", title="W"
    )
    assert WITHHELD_MEANS not in table.about


# Digits


ROUNDED = {
    "estimate": 0.12,
    "std_error": 0.05,
    "conf_low": -0.01,
    "conf_high": 0.2,
    "p_value": 0.001,
    "p_adjusted": 0.04,
}
WHOLE = {
    "estimate": 12.0,
    "std_error": 3.0,
    "conf_low": -1.0,
    "conf_high": 20.0,
    "p_value": 0.13,
    "p_adjusted": 0.04,
}
EXACT = {
    "estimate": 0.123,
    "std_error": 0.051,
    "conf_low": -0.004,
    "conf_high": 0.2,
    "p_value": 0.0004,
    "p_adjusted": 0.04,
}


@pytest.mark.parametrize(
    ("term", "numbers", "expected"),
    [
        ("change", ROUNDED, ["+0.12", "−0.01 to 0.20", "<.001", ".040"]),
        ("change", EXACT, ["+0.12", "−0.004 to 0.200", "<.001", ".040"]),
        ("change_percent_favourable", WHOLE, ["+12", "−1 to 20", ".13", ".040"]),
        ("change_percent_favourable", EXACT, ["+0.1", "−0.004 to 0.200", "<.001", ".040"]),
    ],
)
def test_no_estimate_is_shown_to_more_digits_than_it_was_released_with(
    labels, term: str, numbers: dict, expected: list[str]
) -> None:
    here = {
        "analysis": "favourable",
        "scale": "warmth",
        "wave": "third - second",
        "organisation": "left",
        "n": 90,
    }
    table = contrasts(tidy([here | {"term": term} | numbers]), labels, analysis="favourable", term=term)
    shown = row(table)[3:7]
    assert shown == expected


def test_means_in_percent_have_the_decimals_they_were_released_with(labels) -> None:
    here = {
        "analysis": "favourable",
        "scale": "warmth",
        "term": "percent_favourable",
        "organisation": "left",
        "n": 90,
    }
    rows = [
        here | {"wave": "second", "estimate": 51.0, "conf_low": 44.0, "conf_high": 58.0},
        here | {"wave": "third", "estimate": 51.0, "conf_low": 44.2, "conf_high": 58.1},
    ]
    table = means(tidy(rows), labels, analysis="favourable", term="percent_favourable")
    assert row(table)[1:] == ["51 (44 to 58)", "51.0 (44.2 to 58.1)"]


# In every form


@pytest.fixture(scope="module")
def partly() -> tuple[Labels, dict[str, pd.DataFrame]]:
    study = presentation()
    frames = tables(study)
    frames["item_frequencies"] = hidden(
        frames["item_frequencies"], "wave == 'second' and response == 2", ["n", "percent"]
    )
    frames["contrasts"] = no_estimate(
        frames["contrasts"], "wave == 'third - second' and organisation == 'left'"
    )
    frames["published_tables"] = hidden(frames["published_tables"], "category == 'nv'", ["recomputed"])
    return Labels(study.model_copy(update={"threshold": 5, "public": False})), frames


@pytest.mark.parametrize(
    "name", ["answers_warmth", "answers_warmth_by_organisation", "change_linear", "printed_7"]
)
def test_every_form_has_the_sign_and_says_what_it_means(partly, name: str) -> None:
    labels, frames = partly
    [one] = [one for one in publications(frames, labels) if one.name == name]
    content = written(one, labels)
    signs = sum(cell.text == "[c]" for cells in one.table.rows for cell in cells)
    assert signs
    for read in (read_html(content["html"]), read_docx(content["docx"]), read_tex(content["tex"])):
        assert sum(text == "[c]" for texts in read.rows for text in texts) == signs
        assert WITHHELD_MEANS in read.around and "Disclosure rule" in read.around


def test_csv_has_the_sign_where_a_number_is_withheld_and_nothing_where_there_is_none(partly) -> None:
    labels, frames = partly
    made = {one.name: one for one in publications(frames, labels)}
    for name, columns in {
        "answers_warmth": ["n", "percent"],
        "change_linear": ["estimate", "std_error", "conf_low", "p_value", "smallest"],
        "printed_7": ["recomputed"],
    }.items():
        read = pd.read_csv(
            io.BytesIO(written(made[name], labels)["csv"]),
            encoding="utf-8-sig",
            dtype="str",
            na_filter=False,
        )
        gone = read["status"] == "withheld"
        assert 0 < gone.sum() < len(read)
        for column in columns:
            assert set(read.loc[gone, column]) == {"[c]"}, (name, column)
            assert "[c]" not in set(read.loc[~gone, column])
    assert "" in set(read_estimates(made["change_linear"], labels)), "what is not estimable is empty"


def read_estimates(publication, labels) -> list[str]:
    content = written(publication, labels)["csv"]
    return pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", dtype="str", na_filter=False)[
        "estimate"
    ].tolist()
