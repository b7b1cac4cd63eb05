"""What the ledger of releases remembers, and what it refuses: rows of people against rows of people."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invented_studies import invent
from surveywaves.disclosure import Rule
from surveywaves.disclosure.ledger import (
    DRAW,
    Conflict,
    Ledger,
    People,
    conflicts,
    entry_of,
    of_text,
    people_apart,
    signature,
    to_text,
)
from surveywaves.disclosure.releases import (
    begin_ledger,
    read_ledger,
    require_apart,
    require_like_pins,
    write_ledger,
)
from surveywaves.errors import SurveywavesError
from surveywaves.files import write
from surveywaves.key import Key
from surveywaves.study.models import Disclosure

KEY = Key(bytes(range(32)))
ITEMS = [f"item_{number}" for number in range(8)]
RULE = Disclosure()


def survey(seed: int = 1, *, wave: str = "first", people: int = 40) -> pd.DataFrame:
    """Draw the answers of a wave, some of them missing."""
    draw = np.random.default_rng(seed)
    answers = draw.integers(1, 6, size=(people, len(ITEMS))).astype(float)
    answers[draw.random(answers.shape) < 0.1] = np.nan
    about = {
        "wave": wave,
        "respondent": [f"{wave}-{number:03}" for number in range(people)],
        "evidence": "observed",
        "organisation": draw.choice(["north", "south", None], size=people),
        "role": draw.choice(["nurse", "porter", None], size=people),
        "complete": draw.random(people) < 0.8,
        "weight": np.round(draw.uniform(0.5, 2, size=people), 2),
    }
    return pd.DataFrame(about).join(pd.DataFrame(answers, columns=ITEMS).astype("Int8"))


def people(rows: pd.DataFrame, reasons: pd.DataFrame | None = None) -> People:
    if reasons is None:
        reasons = rows[
            ["wave", "respondent", *(name for name in rows if str(name).startswith("item"))]
        ].copy()
        for name in reasons.columns[2:]:
            reasons[name] = np.where(rows[name].isna(), "skipped", None)
    return People(rows, reasons, KEY)


def after(*releases: tuple[str, pd.DataFrame], rule: Disclosure = RULE) -> Ledger:
    ledger = Ledger()
    for label, rows in releases:
        known = people(rows)
        ledger = ledger.add(entry_of(label, rule, known, KEY), known)
    return ledger


def against(ledger: Ledger, rows: pd.DataFrame, rule: Disclosure = RULE) -> list[Conflict]:
    return list(conflicts(ledger, rule, people(rows), KEY))


def late(rows: pd.DataFrame, number: int, seed: int = 99) -> pd.DataFrame:
    """Let some returns come late."""
    more = survey(seed, people=number)
    more["respondent"] = [f"late-{seed}-{one}" for one in range(number)]
    more["organisation"] = "north"
    return pd.concat([rows, more], ignore_index=True)


# --- whom a release is of ----------------------------------------------------------------------------------------


def test_one_late_return_is_refused_and_the_line_says_neither_how_many_nor_where() -> None:
    rows = survey()
    (found,) = against(after(("report", rows)), late(rows, 1))
    line = str(found.mistake())
    assert line.startswith(
        "release report, wave first: differs by fewer than 5 people in what they said, whom"
    )
    assert "surveywaves ledger sign report --by NAME --reason TEXT" in line
    assert "north" not in line
    assert found.people["", "unweighted"] == found.people["north", "person"] == 1


@pytest.mark.parametrize(("number", "refused"), [(0, False), (1, True), (4, True), (5, False), (12, False)])
def test_people_who_come_late_or_withdraw_are_counted_against_the_threshold(
    number: int, refused: bool
) -> None:
    rows = survey()
    more = late(rows, number)
    assert bool(against(after(("report", rows)), more)) is refused
    assert bool(against(after(("report", more)), rows)) is refused


def test_a_few_people_of_one_organisation_are_refused_among_many_of_another() -> None:
    rows = survey()
    more = late(rows, 9)
    more.loc[len(more) - 1, "organisation"] = "south"
    (found,) = against(after(("report", rows)), more)
    assert {organisation for organisation, _ in found.people} == {"south"}


@pytest.mark.parametrize("column", ["item_3", "role", "organisation", "complete", "weight"])
def test_whatever_is_corrected_of_one_person_makes_another_person(column: str) -> None:
    rows = survey()
    other = rows.copy()
    values = {
        "item_3": 9,
        "role": "doctor",
        "organisation": "west",
        "complete": ~rows.loc[7, "complete"],
        "weight": 9.5,
    }
    other.loc[7, column] = values[column]
    (found,) = against(after(("report", rows)), other)
    assert found.people["", "person"] == 1


def test_another_reason_for_a_missing_answer_makes_another_person() -> None:
    rows = survey()
    reasons = rows[["wave", "respondent", *ITEMS]].copy()
    for name in ITEMS:
        reasons[name] = np.where(rows[name].isna(), "skipped", None)
    place = (int(np.flatnonzero(rows["item_1"].isna())[0]), "item_1")
    other = reasons.copy()
    other.loc[place] = "dont_know"
    known = People(rows, reasons, KEY)
    ledger = Ledger().add(entry_of("report", RULE, known, KEY), known)
    (found,) = conflicts(ledger, RULE, People(rows, other, KEY), KEY)
    assert found.people["", "answers"] == 1


def test_neither_the_order_of_rows_and_columns_nor_what_identifies_people_counts() -> None:
    rows = survey()
    other = rows.sample(frac=1, random_state=3)[list(rows.columns[::-1])]
    other["respondent"] = [f"other-{number}" for number in range(len(other))]
    assert against(after(("report", rows)), other) == []


def test_new_weights_for_everybody_do_not_hide_a_late_return() -> None:
    rows = survey()
    more = late(rows, 1)
    more["weight"] += 0.01
    (found,) = against(after(("report", rows)), more)
    assert "person" not in {view for _, view in found.people}
    assert found.people["", "unweighted"] == 1


def test_a_variable_coded_otherwise_for_everybody_does_not_hide_a_late_return() -> None:
    rows = survey()
    more = late(rows, 1)
    more["role"] = more["role"].fillna("other") + " (2008)"
    (found,) = against(after(("report", rows)), more)
    assert found.people["", "answers"] == 1


def test_a_wave_or_an_item_more_is_no_conflict_but_hides_nobody() -> None:
    rows = survey()
    more = rows.assign(item_new=pd.array([3] * len(rows), dtype="Int8"))
    both = pd.concat([more, survey(5, wave="second").assign(item_new=pd.NA)], ignore_index=True)
    ledger = after(("report", rows))
    assert against(ledger, both) == []
    corrected = both.copy()
    corrected.loc[3, "item_2"] = 9
    assert [found.wave for found in against(ledger, corrected)] == ["first"]


def test_an_item_that_only_the_later_wave_asks_leaves_the_rows_of_the_earlier_one_as_they_are() -> None:
    rows = survey()
    asked = rows.assign(item_late=pd.array([pd.NA] * len(rows), dtype="Int8"))
    reasons = rows[["wave", "respondent", *ITEMS]].copy().astype(object)
    reasons[ITEMS] = None
    known = People(rows, reasons, KEY)
    before, now = (
        one.state("first").plain()
        for one in (known, People(asked, reasons.assign(item_late="not_asked"), KEY))
    )
    assert before == now


def test_what_cannot_be_compared_is_not_taken_for_different() -> None:
    rows = survey()
    (found,) = against(after(("report", rows)), rows.drop(columns="item_5"))
    assert "has item_5" in str(found.mistake())
    assert "nobody can tell by how many" in str(found.mistake())


def test_every_step_of_a_chain_is_refused_and_its_ends_if_they_are_apart_only_where_the_middle_was_never_out() -> (
    None
):
    first = survey()
    second, third = late(first, 3, seed=7), late(late(first, 3, seed=7), 3, seed=8)
    assert len(against(after(("a", first)), second)) == 1
    assert [one.label for one in against(after(("a", first), ("b", second)), third)] == ["b"]
    assert against(after(("a", first)), third) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=30), st.lists(st.integers(0, 6), max_size=30))
def test_people_apart_are_counted_as_lots_with_repetition(old: list[int], new: list[int]) -> None:
    rest = list(new)
    gone = [one for one in old if not (one in rest and (rest.remove(one) or True))]
    expected = max(len(gone), len(rest))
    assert people_apart(np.array(old, dtype=np.uint64), np.array(new, dtype=np.uint64)) == expected


# --- under which rule --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threshold": 10}, "threshold"),
        ({"threshold": 3}, "threshold"),
        ({"rounding": 10}, "rounding"),
        ({"public": True}, "public"),
        ({"zeros": "withhold"}, "zeros"),
        ({"smallest_group": 5}, "smallest_group"),
        ({"smallest_df": 5}, "smallest_df"),
        ({"impossible": ({"role": "nurse"},)}, "impossible"),
        ({"threshold": 10, "smallest_df": 5}, "threshold, smallest_df"),
    ],
)
def test_the_same_people_under_another_rule_are_refused(change: dict[str, object], said: str) -> None:
    rows = survey()
    rule = RULE.model_copy(update=change)
    (found,) = against(after(("report", rows)), rows, rule)
    assert f"the same people under another rule ({said})" in str(found.mistake())
    assert against(after(("report", rows), rule=rule), rows, rule) == []


def test_other_people_may_be_released_under_another_rule() -> None:
    rule = RULE.model_copy(update={"threshold": 10})
    assert against(after(("report", survey(1))), survey(2, people=100), rule) == []


def test_the_larger_of_two_thresholds_counts() -> None:
    rows, rule = survey(), RULE.model_copy(update={"threshold": 10})
    (found,) = against(after(("report", rows), rule=rule), late(rows, 7))
    assert found.fewer_than == 10
    assert found.people["", "unweighted"] == 7


def test_in_what_order_impossible_combinations_are_listed_does_not_matter() -> None:
    rows = survey()
    one, other = {"role": "nurse", "organisation": "south"}, {"role": "porter"}
    rules = [RULE.model_copy(update={"impossible": listed}) for listed in ((one, other), (other, one))]
    assert against(after(("report", rows), rule=rules[0]), rows, rules[1]) == []


# --- signing ------------------------------------------------------------------------------------------------------


def signed(ledger: Ledger, rows: pd.DataFrame, label: str = "report") -> Ledger:
    return ledger.sign(
        signature(against(ledger, rows), label, by="A. Adler", reason="an erratum", on="2008-06-01")
    )


def test_a_signature_is_for_one_pair_of_states_and_no_other() -> None:
    rows = survey()
    more = late(rows, 1)
    ledger = signed(after(("report", rows)), more)
    assert against(ledger, more) == []
    other = more.copy()
    other.loc[len(other) - 1, "item_0"] = 9
    assert len(against(ledger, other)) == 1
    assert len(against(ledger, more, RULE.model_copy(update={"threshold": 6}))) == 1
    wave_more = pd.concat([more, survey(3, wave="second")], ignore_index=True)
    assert against(ledger, wave_more) == []


def test_signing_for_one_release_leaves_the_others_refused() -> None:
    rows = survey()
    ledger = after(("a", rows), ("b", late(rows, 1, seed=4)))
    now = late(rows, 2, seed=5)
    assert [one.label for one in against(signed(ledger, now, "a"), now)] == ["b"]


def test_nothing_is_signed_that_is_no_conflict() -> None:
    rows = survey()
    with pytest.raises(SurveywavesError, match="report: nothing to sign"):
        signed(after(("report", rows)), rows)


def test_many_releases_of_the_same_people_are_kept_once_and_none_stands_in_the_way() -> None:
    rows = survey(people=400)
    ledger = after(*((f"release-{number}", rows) for number in range(200)))
    assert len(ledger.entries) == 200
    assert len(ledger.states) == 1
    assert against(ledger, rows) == []
    assert len(against(ledger, late(rows, 2))) == 200
    assert len(after(("a", rows), ("a", rows)).entries) == 1


# --- as a file ----------------------------------------------------------------------------------------------------


def test_a_ledger_comes_back_as_it_was_written_and_tells_nothing_without_the_key() -> None:
    rows = survey()
    ledger = signed(after(("report", rows)), late(rows, 1))
    text = to_text(ledger, KEY)
    back = of_text(text, KEY)
    assert to_text(back, KEY) == text
    assert against(back, late(rows, 1)) == []
    assert len(against(back, late(rows, 2, seed=5))) == 1
    other = Key(bytes(32))
    states = [set(json.loads(to_text(after(("report", rows)), KEY).splitlines()[1])["rows"])]
    assert states == [{"north", "south", "not_stated"}]
    with pytest.raises(SurveywavesError, match="made with another key than"):
        of_text(text, other)
    mine, theirs = (People(rows, rows[["wave", "respondent"]], key).state("first") for key in (KEY, other))
    assert not set(mine.all("person")) & set(theirs.all("person"))


@pytest.mark.parametrize("lost", range(6))
def test_a_line_that_is_lost_or_changed_is_noticed(lost: int) -> None:
    rows = survey()
    ledger = signed(after(("a", rows), ("b", rows)), late(rows, 1), "a")
    lines = to_text(ledger, KEY).splitlines()
    assert len(lines) == 6
    for changed in (
        [*lines[:lost], *lines[lost + 1 :]],
        [*lines[:lost], lines[lost].replace("a", "b"), *lines[lost + 1 :]],
        lines[:lost],
    ):
        with pytest.raises(
            SurveywavesError, match=r"resources/private/ledger.jsonl: (not as|made with another)"
        ):
            of_text("\n".join(changed), KEY)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null\n{}", "seal", '{"seal": 1}', '{"key": 1}\n{"seal": null}']
)
def test_what_is_no_ledger_is_one_line(text: str) -> None:
    with pytest.raises(SurveywavesError) as refused:
        of_text(text, KEY)
    assert len(refused.value.mistakes) == 1


def test_results_are_held_against_the_ledger_of_their_folder(tmp_path: Path) -> None:
    rows = survey()
    reasons = rows[["wave", "respondent"]].assign(item_0=None)

    def lay(content: pd.DataFrame) -> None:
        write(content, str(tmp_path / "results/pooled/responses.parquet"))
        more = content[["wave", "respondent"]].assign(item_0=None)
        write(more.astype({"item_0": object}), str(tmp_path / "results/pooled/missing.parquet"))

    lay(late(rows, 1))
    require_apart(tmp_path, RULE)  # nothing is remembered, and nothing is begun
    assert not (tmp_path / "resources").exists()
    ledger, key = begin_ledger(tmp_path)
    known = People(rows, reasons, key)
    write_ledger(ledger.add(entry_of("report", RULE, known, key), known), key, tmp_path)
    with pytest.raises(SurveywavesError, match="release report, wave first: differs by fewer than 5 people"):
        require_apart(tmp_path, RULE)
    lay(rows)
    require_apart(tmp_path, RULE)
    found = read_ledger(tmp_path)
    assert found is not None
    assert [entry.label for entry in found[0].entries] == ["report"]


# --- where there is no ledger -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pinned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another clone: a pin is in it, and nothing of the team's."""
    folder = tmp_path_factory.mktemp("clone")
    pin = folder / "results/pins/report"
    for name, table in invent(1).released(study_rule(), models=False).tables.items():
        write(table, str(pin / f"released/{name}.csv"))
    (pin / "manifest.json").write_text('{"ledger": "of another clone"}', encoding="utf-8")
    told = {"config": {"disclosure": RULE.model_dump(mode="json")}}
    (pin / "configuration.yaml").write_text(json.dumps(told), encoding="utf-8")
    return folder


def study_rule() -> Rule:
    return Rule(rounding=RULE.rounding)


def test_without_a_ledger_the_same_people_may_be_released_again_and_no_others(pinned: Path) -> None:
    own = invent(1)
    require_like_pins(pinned, RULE, own.statistics(models=False))
    wave = own.responses.loc[7, "wave"]
    with pytest.raises(SurveywavesError, match=f"pins/report, wave {wave}: shows other people") as refused:
        require_like_pins(pinned, RULE, own.without([7]).statistics(models=False))
    assert len(refused.value.mistakes) == 1


def test_without_a_ledger_no_other_rule_and_no_pin_that_cannot_be_read(pinned: Path) -> None:
    tables = invent(1).statistics(models=False)
    with pytest.raises(SurveywavesError, match=r"report: made under another rule \(threshold\)"):
        require_like_pins(pinned, RULE.model_copy(update={"threshold": 7}), tables)
    require_like_pins(pinned, RULE.model_copy(update={"public": True}), tables)
    manifest = pinned / "results/pins/report/manifest.json"
    before = manifest.read_text(encoding="utf-8")
    manifest.write_text("{", encoding="utf-8")
    with pytest.raises(SurveywavesError, match="pins/report: cannot be read"):
        require_like_pins(pinned, RULE, tables)
    manifest.write_text(before, encoding="utf-8")


def test_what_is_rounded_otherwise_than_before_has_another_number() -> None:
    """If this fails, raise `ledger.DRAW`, and write the new digest here: two draws of the same counts tell more."""
    tables = invent(1).released(study_rule(), models=False).tables
    shown = "".join(
        tables[name]["n"].astype("Int64").to_csv(index=False) for name in ("item_frequencies", "respondents")
    )
    assert (DRAW, hashlib.sha256(shown.encode()).hexdigest()[:16]) == (1, "4178339ca3eaa5ea")
