"""A wave is described from its files: what they say is taken, what could be two things is left to a person.

How files of all kinds end, cell by cell: `test_situations.py`.
"""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bad_inputs.refused import REFUSED, Refused
from bad_inputs.taken import TAKEN, Taken
from surveywaves.adding.addition import Addition, add_wave, enlist, narrate, write
from surveywaves.adding.diff import moved
from surveywaves.adding.draft import yaml_text
from surveywaves.adding.match import likenesses
from surveywaves.adding.questions import read_dates
from surveywaves.cli import main
from surveywaves.errors import RawFileError, StudyError
from surveywaves.study import Study, load_study
from surveywaves.study.load import UNDECIDED, mistakes_of_wave
from surveywaves.text import changes, likeness, same

CONFIG = Path(__file__).parent.parent / "config"
AGREEMENT = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]
WAVE, LIKE = "wave_x", "phase1_2006"

Column = tuple[str, str, Sequence[str]]
"""Question, row label and cells of a column of an export."""


@pytest.fixture(scope="session")
def study() -> Study:
    return load_study(CONFIG)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study's folder, with the description of the shipped waves and none of their files."""
    shutil.copytree(CONFIG, tmp_path / "config")
    (tmp_path / "resources/raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(columns: Sequence[Column], *, header: Sequence[str] = ("RespondentID", "StartDate")) -> str:
    """Write an export as SurveyMonkey does: questions over row labels, cells repeated down the rows."""
    rows = 12
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow([*header, *(question for question, _, _ in columns)])
    out.writerow([""] * len(header) + [label or "Response" for _, label, _ in columns])
    for row in range(rows):
        own = [str(1000 + row), f"3/{13 + row}/2008 10:00"][: len(header)]
        out.writerow([*own, *(cells[row % len(cells)] for _, _, cells in columns)])
    return text.getvalue()


def item(text: str, cells: Sequence[str] = AGREEMENT) -> Column:
    return "How far do you agree?", text, cells


def added(
    study: Study, home: Path, content: str | bytes | dict[str, bytes], *, like: str = LIKE, **given: Any
) -> Addition:
    """Add a wave from the content of its files."""
    files = content if isinstance(content, dict) else {"export.csv": content}
    for name, text in files.items():
        (home / "resources/raw" / name).write_bytes(text.encode() if isinstance(text, str) else text)
    wordings = given.pop("wordings", None)
    return add_wave(
        study,
        wave=WAVE,
        like=like,
        paths=[Path("resources/raw") / name for name in files],
        root=home,
        given=given,
        wordings=wordings,
        reading=silent,
    )


def crosswalk(addition: Addition) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(addition.texts["items.tsv"].splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["item"]: row for row in rows}


def described(addition: Addition) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(addition.texts["wave.yaml"])
    return content


def silent(name: str) -> None:
    """Say nothing of what is being read."""


def text_of(study: Study, name: str) -> str:
    return next(one.text for one in study.items if one.item == name)


# --- wordings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I am conscious of boundaries.", "I am not conscious of boundaries."),
        ("My manager always listens.", "My manager never listens."),
        ("My line manager is fair.", "My senior manager is fair."),
        ("Most of my colleagues help.", "All of my colleagues help."),
        ("I can rely on them.", "I cannot rely on them."),
        ("I do trust them.", "I don't trust them."),
        ("I am able to change.", "I am unable to change."),
        ("A trusts B.", "B trusts A."),
        ("It is clear now.", "It is not clear now."),
        ("We have our own plan.", "We have or own plan."),
        ("I would like more change.", "I would like less change."),
        ("They help me.", "They help."),
    ],
)
def test_a_word_that_matters_never_passes(one: str, other: str) -> None:
    assert not same(one, other)
    assert likeness(one, other) < 100
    assert any(change.matters for change in changes(one, other))
    assert any(change.matters for change in changes(other, one))


@pytest.mark.parametrize(
    "other",
    [
        "<p>I don&rsquo;t know what the <b>CHCP</b> is</p>",
        "I  DON'T know, what the CHCP is.",
        "“I don’t know what the CHCP is!”",
        "I do not know what the CHCP is",
    ],
)
def test_typography_is_no_difference(other: str) -> None:
    assert same("I don't know what the CHCP is.", other)
    assert changes("I don't know what the CHCP is.", other) == []


def test_an_article_or_another_spelling_is_a_change_that_does_not_matter() -> None:
    found = changes(
        "I recognise that my organisation's programme works", "I recognize my organisation's program works"
    )
    assert [change.matters for change in found] == [False, False]


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_same_words_score_100(one: str, other: str) -> None:
    assert (likeness(one, other) == 100) == same(one, other)
    assert 0 <= likeness(one, other) <= 100
    if same(one, other):
        assert changes(one, other) == []


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=4), st.lists(st.text(max_size=20), max_size=4))
def test_many_scores_are_those_of_each(some: list[str], others: list[str]) -> None:
    expected = [[likeness(one, other) for other in others] for one in some]
    assert likenesses(some, others).tolist() == expected


# --- items ----------------------------------------------------------------------------------------------------


def test_items_are_found_by_their_words_wherever_they_stand(study: Study, home: Path) -> None:
    columns = [item(one.text) for one in reversed(study.items)]
    rows = crosswalk(added(study, home, export(columns)))
    assert {row["comparability"] for row in rows.values()} == {"identical"}
    assert all(rows[one.item]["web"] == " ".join(one.text.split()) for one in study.items)


def test_a_lost_not_is_left_to_a_person(study: Study, home: Path) -> None:
    text = text_of(study, "practice_6")
    row = crosswalk(added(study, home, export([item(text.replace("not ", ""))])))["practice_6"]
    assert row["comparability"] == "TODO: reworded (98: “not” went), or absent"
    assert row["web"] == row["wording"] == text.replace("not ", "")


def test_an_article_more_is_reworded_without_asking(study: Study, home: Path) -> None:
    text = text_of(study, "chcp_3").replace("believe that genuine", "believe genuine")
    row = crosswalk(added(study, home, export([item(text)])))["chcp_3"]
    assert (row["comparability"], row["wording"]) == ("reworded", text)
    assert row["note"] == "score 97: “that” went"


def test_swapped_names_of_near_items_are_not_swapped_with_them(study: Study, home: Path) -> None:
    first, second = text_of(study, "commitment_6"), text_of(study, "commitment_7")
    rows = crosswalk(added(study, home, export([item(second), item(first)])))
    assert rows["commitment_6"]["web"] == first
    assert rows["commitment_7"]["web"] == second
    assert rows["commitment_6"]["comparability"] == rows["commitment_7"]["comparability"] == "identical"


def test_two_questions_cannot_claim_one_item(study: Study, home: Path) -> None:
    text = text_of(study, "line_manager_1")
    columns = [
        ("About your line manager", text, AGREEMENT),
        ("About your other manager", text, AGREEMENT),
    ]
    found = added(study, home, export(columns))
    row = crosswalk(found)["line_manager_1"]
    assert row["comparability"].startswith("TODO: the same words stand twice")
    assert "About your line manager" in row["comparability"]
    assert "About your other manager" in row["comparability"]
    assert [row["item"] for row in crosswalk(found).values() if row["web"]] == ["line_manager_1"]
    assert len(found.sheets[0].fresh) == 1


def test_a_question_between_two_items_names_both(study: Study, home: Path) -> None:
    text = "When someone criticizes my team, it feels like a personal insult."
    rows = crosswalk(added(study, home, export([item(text)])))
    held = [row for row in rows.values() if row["web"]]
    assert len(held) == 1
    named = held[0]["item"] + held[0]["comparability"]
    assert held[0]["comparability"].startswith("TODO")
    assert "organisational_identity_1" in named
    assert "professional_identity_1" in named


def test_an_item_that_is_not_asked_is_absent_and_a_new_question_is_left_to_a_person(
    study: Study, home: Path
) -> None:
    new = "The canteen serves good soup on Fridays."
    found = added(study, home, export([item(new)]))
    assert {row["comparability"] for row in crosswalk(found).values()} == {"absent"}
    assert (
        f"TODO: ignore “{new}”, or make an item or a group of it"
        in described(found)["layouts"]["web"]["ignore"]
    )


def test_comments_dates_and_what_identifies_are_ignored(study: Study, home: Path) -> None:
    columns = [
        item(text_of(study, "chcp_1")),
        ("How far do you agree?", "Any comments about that?", ["", "Too early to say", "", "", "None", ""]),
        (
            "Is there anything else?",
            "Open-Ended Response",
            [f"Let me say {n} words about it." for n in range(12)],
        ),
    ]
    found = described(added(study, home, export(columns)))["layouts"]["web"]
    assert found["ignore"] == [
        "RespondentID",
        "StartDate",
        "Any comments about that?",
        "Is there anything else?",
    ]
    assert found["respondent"] == "RespondentID"


def test_words_that_the_reference_wave_used_are_graded_as_there(study: Study, home: Path) -> None:
    text = "When I talk about Social Work Services I usually say 'we' rather than 'they'."
    found = added(study, home, export([item(text)]), like="mori_baseline")
    row = crosswalk(found)["organisational_identity_3"]
    assert row["comparability"] == "reworded"
    assert row["note"].startswith("score 100: the same words as in the reference wave")


# --- codes ----------------------------------------------------------------------------------------------------


def sav(
    path: Path, questions: dict[str, str], labels: dict[int, str], codes: Sequence[int] | None = None
) -> bytes:
    frame = pd.DataFrame({name: [float(code) for code in codes or labels] * 2 for name in questions})
    pyreadstat.write_sav(
        frame,
        path,
        column_labels=list(questions.values()),
        variable_value_labels=dict.fromkeys(questions, labels),
    )
    return path.read_bytes()


def test_a_code_that_carries_another_question_is_warned_of(study: Study, home: Path, tmp_path: Path) -> None:
    questions = {
        "q4_1": text_of(study, "colleagues_2"),
        "q4_2": text_of(study, "colleagues_1"),
        "q4_3": text_of(study, "colleagues_3"),
        "q2": "The canteen serves good soup on Fridays.",
    }
    content = sav(tmp_path / "x.sav", questions, dict(enumerate(AGREEMENT, start=1)))
    found = added(study, home, {"x.sav": content}, like="mori_baseline")
    rows = crosswalk(found)
    assert rows["colleagues_1"]["sav"] == "q4_2"
    assert rows["colleagues_2"]["sav"] == "q4_1"
    assert len(found.warnings) == 3
    assert found.warnings[0].startswith("column `q4_1` held colleagues_1 (“If I got into difficulties")
    assert found.warnings[0].endswith("(colleagues_2)")
    assert found.warnings[2].startswith("column `q2` held role in mori_baseline, and here asks “The canteen")


def test_bare_numbers_are_explained_both_ways_and_the_way_is_left_open(study: Study, home: Path) -> None:
    found = described(added(study, home, export([item(text_of(study, "chcp_1"), list("12345"))])))
    assert found["layouts"]["web"]["coding"] == (
        "TODO: codes_ascending (1 = Strongly disagree) or codes_descending (1 = Strongly agree); "
        "ascending in `codes` of the reference wave"
    )
    assert found["codings"]["codes_ascending"]["values"] == {str(n): n for n in range(1, 6)}
    assert found["codings"]["codes_descending"]["values"] == {str(n): 6 - n for n in range(1, 6)}


def test_a_number_with_the_words_of_an_option_tells_which_way_the_numbers_run(
    study: Study, home: Path
) -> None:
    up = ["1 - Strongly disagree", "2", "3", "4", "5 - Strongly agree"]
    scale = study.config.response_scales["agreement5"]
    numbered = scale.model_copy(
        update={"labels": ("1 (Strongly disagree)", "2", "3", "4", "5 (Strongly agree)")}
    )
    scales = {**study.config.response_scales, "agreement5": numbered}
    other = study.model_copy(update={"config": study.config.model_copy(update={"response_scales": scales})})
    found = described(added(other, home, export([item(text_of(study, "chcp_1"), up)])))
    assert found["layouts"]["web"]["coding"] == "codes"
    assert found["codings"]["codes"]["values"]["1 - Strongly disagree"] == 1
    bare = described(added(other, home, export([item(text_of(study, "chcp_1"), list("12345"))])))
    assert bare["layouts"]["web"]["coding"].startswith("TODO: codes_ascending")


def test_what_few_people_said_is_not_told(study: Study, home: Path) -> None:
    said = ["Jane Doe is my boss", "My boss is Joe Bloggs", *[""] * 10]
    found = added(study, home, export([item(text_of(study, "chcp_1")), ("Who leads you?", "", said)]))
    everything = "\n".join([*found.texts.values(), *narrate(found)])
    assert "Who leads you?" in everything
    assert "Jane" not in everything
    assert "Bloggs" not in everything


def test_the_label_of_a_row_is_a_wording_even_if_it_is_one_word_and_a_name_is_not(
    study: Study, home: Path
) -> None:
    items = tuple(
        one.model_copy(update={"text": "Calm"}) if one.item == "chcp_1" else one for one in study.items
    )
    other = study.model_copy(update={"items": items})
    row = crosswalk(added(other, home, export([("How do you feel?", "Calm", AGREEMENT)])))["chcp_1"]
    assert (row["web"], row["comparability"]) == ("Calm", "identical")
    answers = "".join(f"{n},Agree,Agree\n" for n in range(40))
    table = f"person,chcp_1,what_chcp_is\n{answers}"
    row = crosswalk(added(study, home, {"t.csv": table.encode()}))["chcp_1"]
    assert row["table"] == "chcp_1"
    assert row["comparability"].startswith("TODO: identical, reworded or absent (named as the item, but")
    table = f"person,chcp_1,i_understand_what_a_chcp_is\n{answers}"
    row = crosswalk(added(study, home, {"u.csv": table.encode()}))["chcp_1"]
    assert (row["table"], row["comparability"]) == ("i_understand_what_a_chcp_is", "identical")


def test_labels_take_over_the_coding_that_knows_them(study: Study, home: Path) -> None:
    cells = [label.upper() for label in AGREEMENT]
    found = described(added(study, home, export([item(text_of(study, "chcp_1"), cells)])))
    assert found["layouts"]["web"]["coding"] == "labels"
    assert set(found["codings"]) == {"labels"}


def test_another_set_of_options_is_rescaled(study: Study, home: Path, tmp_path: Path) -> None:
    labels = dict(enumerate([label for label in AGREEMENT if "Neither" not in label], start=1))
    row = crosswalk(
        added(study, home, {"x.sav": sav(tmp_path / "x.sav", {"q1": text_of(study, "chcp_1")}, labels)})
    )
    assert row["chcp_1"]["comparability"] == "rescaled"
    assert "agreement4" in row["chcp_1"]["note"]


def test_an_option_that_may_be_the_middle_one_is_not_guessed(
    study: Study, home: Path, tmp_path: Path
) -> None:
    labels = {1: "Strongly agree", 2: "Agree", 3: "No opinion", 4: "Disagree", 5: "Strongly disagree"}
    found = added(study, home, {"x.sav": sav(tmp_path / "x.sav", {"q1": text_of(study, "chcp_1")}, labels)})
    assert crosswalk(found)["chcp_1"]["comparability"].startswith("TODO: identical, rescaled or absent")
    assert "No opinion" in crosswalk(found)["chcp_1"]["comparability"]


def test_answers_that_are_no_options_are_doubted(study: Study, home: Path) -> None:
    cells = ["Red", "Green", "Blue"]
    row = crosswalk(added(study, home, export([item(text_of(study, "chcp_1"), cells)])))["chcp_1"]
    assert "none of its 3 answers is an option of agreement5" in row["comparability"]


# --- grouping variables ---------------------------------------------------------------------------------------


def test_known_answers_are_mapped_and_unknown_ones_left_with_candidates(study: Study, home: Path) -> None:
    cells = ["Nurse - community", "Social Workers", "GP/Clinician", "Psychologist", "Zookeeper", "Don't know"]
    column = ("Which professional group do you belong to?", "", cells)
    found = described(added(study, home, export([column])))["variables"]["profession"]
    assert found["columns"] == {"web": "Which professional group do you belong to?"}
    assert found["map"]["Social Workers"] == "social_worker"
    assert found["map"]["GP/Clinician"] == "gp_clinician"
    assert found["map"]["Don't know"] == "dont_know"
    assert found["map"]["Nurse - community"].startswith("TODO: nurse (")
    assert found["map"]["Zookeeper"].startswith("TODO: ")


def test_a_question_is_known_by_its_answers_where_its_words_are_new(study: Study, home: Path) -> None:
    cells = ["NHS Greater Glasgow and Clyde", "Glasgow City Council Social Work Services"]
    found = described(added(study, home, export([("Please tick one", "", cells)])))
    assert found["organisation"]["columns"] == {"web": "Please tick one"}
    assert sorted(found["organisation"]["map"].values()) == ["nhs", "social_work"]


def test_a_question_that_only_looks_like_a_variable_is_left_open(study: Study, home: Path) -> None:
    found = described(added(study, home, export([("Who is your employer?", "", ["1", "2"])])))
    assert found["organisation"]["columns"]["web"] == (
        "TODO: Who is your employer? (90); its codes as in phase1_2006: 1 = nhs, 2 = social_work"
    )
    assert found["organisation"]["map"] == {"1": "nhs", "2": "social_work"}


# --- files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_is_found(study: Study, home: Path, encoding: str) -> None:
    text = export([item(text_of(study, "senior_management_1"))])
    found = added(study, home, text.encode(encoding))
    assert crosswalk(found)["senior_management_1"]["comparability"] == "identical"
    expected = {} if encoding.startswith("utf-8") else {"encoding": encoding}
    assert {
        key: value for key, value in described(found)["layouts"]["web"].items() if key == "encoding"
    } == expected


PAPER = "return_no,keying,keyed_by,q01,q02\n" + "".join(
    f"{number},{key},x,{number % 5 + 1},{number % 4 + 1}\n" for number in range(1, 9) for key in "AB"
)


def test_codes_without_words_are_proposed_by_name_and_left_open(study: Study, home: Path) -> None:
    found = added(study, home, {"p.csv": PAPER.encode()})
    row = crosswalk(found)["colleagues_1"]
    assert row["paper"] == "q01"
    assert row["comparability"].startswith(
        "TODO: identical, reworded or absent (phase1_2006 has it there, but"
    )
    assert "does not say what its codes ask" in found.warnings[0]
    layout = described(found)["layouts"]["paper"]
    assert (layout["format"], layout["respondent"], layout["ignore"]) == (
        "paper",
        "return_no",
        ["return_no", "keyed_by"],
    )


def test_a_list_of_questions_gives_codes_their_words(study: Study, home: Path) -> None:
    listed = home / "questions.tsv"
    listed.write_text(
        f"column\twording\nQ01\t{text_of(study, 'chcp_2')}\nq02\t{text_of(study, 'chcp_1')}\n",
        encoding="utf-8",
    )
    found = added(study, home, {"p.csv": PAPER.encode()}, wordings=listed)
    rows = crosswalk(found)
    assert (rows["chcp_2"]["paper"], rows["chcp_2"]["comparability"]) == ("q01", "identical")
    assert (rows["colleagues_1"]["paper"], rows["colleagues_1"]["comparability"]) == ("", "absent")
    assert any("column `q01` held colleagues_1" in warning for warning in found.warnings)
    listed.write_text("column\twording\nq77\tSomething else\n", encoding="utf-8")
    with pytest.raises(RawFileError, match=r"questions.tsv, row 2: no file has a column `q77`"):
        added(study, home, {"p.csv": PAPER.encode()}, wordings=listed)


def test_several_files_of_several_kinds_make_one_wave(study: Study, home: Path) -> None:
    web = export([item(text_of(study, "colleagues_1"))])
    later = export([item(text_of(study, "colleagues_1")), item(text_of(study, "colleagues_2"))])
    found = added(study, home, {"a.csv": web.encode(), "b.csv": later.encode(), "p.csv": PAPER.encode()})
    wave = described(found)
    assert [(file["path"], file["layout"]) for file in wave["files"]] == [
        ("resources/raw/a.csv", "web"),
        ("resources/raw/b.csv", "web"),
        ("resources/raw/p.csv", "paper"),
    ]
    assert {name: layout["constants"] for name, layout in wave["layouts"].items()} == {
        "web": {"mode": "web"},
        "paper": {"mode": "paper"},
    }
    row = crosswalk(found)["colleagues_1"]
    assert (row["web"], row["paper"]) == (text_of(study, "colleagues_1"), "q01")
    assert row["comparability"].startswith("TODO: paper: identical")


def test_test_responses_and_returns_that_stand_twice_are_seen(study: Study, home: Path) -> None:
    lines = export([item(text_of(study, "chcp_1"))], header=("RespondentID", "StartDate")).splitlines()
    marked = [
        f"{line},{mark}" for line, mark in zip(lines, ["Custom Data 1", "", "TEST", *[""] * 11], strict=True)
    ]
    found = described(added(study, home, "\n".join([*marked, marked[-1]])))["layouts"]["web"]
    assert found["exclude"] == {"Custom Data 1": {"TEST": "test response"}}
    assert found["duplicates"] == "most_answered"


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["2008-03-01T10:00:00", "2008-05-02"], {"ISO": ("2008-03-01", "2008-05-02")}),
        (["3/4/2008", "13/4/2008"], {"day first": ("2008-04-03", "2008-04-13")}),
        (["3/4/2008 2:09 PM", "3/31/2008"], {"month first": ("2008-03-04", "2008-03-31")}),
        (
            ["3/4/2008"],
            {"month first": ("2008-03-04", "2008-03-04"), "day first": ("2008-04-03", "2008-04-03")},
        ),
        (["13/4/2008", "4/13/2008"], {}),
        (["spring"], {}),
    ],
)
def test_dates_are_read_in_every_way_that_fits_all(
    texts: list[str], days: dict[str, tuple[str, str]]
) -> None:
    found = read_dates(texts)
    assert {way: tuple(map(str, one)) for way, one in found.items()} == days


def test_dates_that_can_be_read_two_ways_are_left_open(study: Study, home: Path) -> None:
    text = export([item(text_of(study, "chcp_1"))])
    sure = described(added(study, home, text))["fieldwork"]
    assert (str(sure["start"]), str(sure["end"])) == ("2008-03-13", "2008-03-24")
    for day in range(13, 25):
        text = text.replace(f"3/{day}/2008", f"3/{day - 12}/2008")
    open_dates = described(added(study, home, text))["fieldwork"]
    assert open_dates == (
        "TODO: {start: 2008-03-01, end: 2008-03-12} (month first) or "
        "{start: 2008-01-03, end: 2008-12-03} (day first); {} if nobody knows"
    )


# --- the draft ------------------------------------------------------------------------------------------------


def every_kind(study: Study, tmp_path: Path) -> dict[str, bytes]:
    """A wave with about everything that can be undecided."""
    columns = [
        item(text_of(study, "practice_6").replace("not ", ""), list("12345")),
        item(text_of(study, "chcp_1"), ["Red", "Green", "Blue"]),
        item('The canteen: "soup" # on Fridays: {good}?'),
        ("Who is your employer?", "", ["1", "2"]),
        (
            "Which of these best describes your daily role?",
            "",
            ["Support", "Chief: of all", "#", "- x", "'", "no"],
        ),
    ]
    labels = dict(enumerate(AGREEMENT, start=1)) | {8: "Not answered"}
    statfile = sav(tmp_path / "x.sav", {"q1": text_of(study, "chcp_1"), "q9": "A new: one?"}, labels)
    return {"a.csv": export(columns).encode(), "p.csv": PAPER.encode(), "x.sav": statfile}


@pytest.mark.parametrize("like", ["mori_baseline", "phase1_2006", "phase2_2008"])
def test_a_draft_has_open_decisions_and_no_mistakes(
    study: Study, home: Path, tmp_path: Path, like: str
) -> None:
    found = added(study, home, every_kind(study, tmp_path), like=like)
    write(found, home / "config/waves" / WAVE)
    mistakes = mistakes_of_wave(home / "config", WAVE)
    assert {mistake.what for mistake in mistakes} == {UNDECIDED}
    assert sum(text.count("TODO") for text in found.texts.values()) >= len(mistakes) > 10
    assert any("The canteen" in line for line in narrate(found))


def test_a_study_with_open_decisions_is_refused_with_a_line_for_each(
    study: Study, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        added(study, home, export([item(text_of(study, "practice_6").replace("not ", ""))])),
        home / "config/waves" / WAVE,
    )
    enlist(home / "config/config.yaml", WAVE)
    assert main(["check"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert all("still to decide" in line for line in lines)
    assert lines[-1] == (
        f"config/waves/{WAVE}/items.tsv, row 42, column comparability: still to decide "
        "(hint: reworded (98: “not” went), or absent)"
    )
    assert f"config/waves/{WAVE}/wave.yaml, line 3: title: still to decide (hint: as in `Phase I`)" in lines


def test_open_decisions_do_not_hide_mistakes_nor_make_new_ones(home: Path) -> None:
    path = home / "config/waves/phase2_2008/wave.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in (
        ('"1": nhs', '"1": "TODO: nhs or social_work"'),
        ("evidence: simulated", "evidence: TODO"),
        ("coding: codes", "coding: 'TODO: codes or others'"),
        ("title: Phase II", "titel: Phase II\ntitle: Phase II"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    first, second, third = (
        number for number, line in enumerate(text.splitlines(), start=1) if "TODO" in line
    )
    with pytest.raises(StudyError) as caught:
        load_study(home / "config")
    lines = [line.split("wave.yaml")[1] for line in str(caught.value).splitlines()]
    assert lines == [
        f", line {first}: evidence: still to decide",
        f", line {second}: layouts.web.coding: still to decide (hint: codes or others)",
        f", line {third}: organisation.map.1: still to decide (hint: nhs or social_work)",
        ": titel: unknown key (hint: did you mean `title`?)",
    ]


KNOWN = {"format", "encoding", "sheet", "header_rows"}


@pytest.mark.parametrize("bad", [one for one in (*REFUSED, *TAKEN) if one.write], ids=lambda bad: bad.kind)
def test_bad_input_ends_in_a_line_or_in_a_draft(study: Study, home: Path, bad: Refused | Taken) -> None:
    bad.write(home / bad.name)
    given = {key: value for key, value in bad.layout.items() if key in KNOWN}
    try:
        found = add_wave(
            study,
            wave=WAVE,
            like=LIKE,
            paths=[Path(bad.name)],
            root=home,
            given=given,
            wordings=None,
            reading=silent,
        )
    except RawFileError as error:
        assert len(str(error).splitlines()) == 1
        return
    write(found, home / "config/waves" / WAVE)
    assert list(narrate(found))
    assert {mistake.what for mistake in mistakes_of_wave(home / "config", WAVE)} == {UNDECIDED}


names = st.text(min_size=1, max_size=20)
values = st.one_of(st.text(max_size=30), st.integers(), st.booleans(), st.none(), st.dates())


@settings(deadline=None)
@given(
    st.dictionaries(
        names,
        st.one_of(
            values,
            st.lists(values, max_size=3),
            st.dictionaries(names, st.one_of(values, st.dictionaries(names, values, max_size=3)), max_size=3),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_drafted_reads_back_as_it_was_meant(content: dict[str, Any]) -> None:
    comments = {(key,): "a comment: with 'quotes' # and more" for key in content}
    assert yaml.safe_load(yaml_text(content, comments)) == content


def test_a_list_of_mappings_reads_back(study: Study) -> None:
    content = {
        "files": [{"path": "a b.csv", "layout": "web"}, {"path": "#c", "layout": "x", "more": {"1": 2}}]
    }
    assert (
        yaml.safe_load(yaml_text(content, {("files", 0, "path"): "why", ("files", 1): "second"})) == content
    )


def test_runs_that_changed_places_are_named_and_the_others_are_not() -> None:
    assert moved(list("abcdefgh"), list("ghabcefd")) == [(["g", "h"], 7, 1), (["d"], 4, 8)]
    assert moved(list("abc"), list("abc")) == moved([], []) == []


# --- the command ----------------------------------------------------------------------------------------------


def line_of(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_the_command_drafts_enlists_and_says_what_to_do(
    home: Path, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "resources/raw/x.csv").write_text(
        export([item(one.text) for one in study.items]), encoding="utf-8"
    )
    assert main(["add-wave", "resources/raw/x.csv", "--wave", WAVE, "--like", LIKE, "--enlist"]) == 0
    said = capsys.readouterr().out
    assert "format surveymonkey" in said
    assert "same wording       61 items" in said
    assert "new                chcp_belonging" in said
    assert "dropped" not in said
    config = (home / "config/config.yaml").read_text(encoding="utf-8")
    assert f"waves: [mori_baseline, phase1_2006, phase2_2008, {WAVE}]" in config
    assert config.count("#") == (CONFIG / "config.yaml").read_text(encoding="utf-8").count("#")


def test_without_enlist_the_line_to_write_is_said_and_nothing_is_changed(
    home: Path, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (home / "config/config.yaml").read_bytes()
    (home / "resources/raw/x.csv").write_text(
        export([item("I understand what a CHCP is.")]), encoding="utf-8"
    )
    assert main(["add-wave", "resources/raw/x.csv", "--wave", WAVE]) == 0
    assert f"`waves: [mori_baseline, phase1_2006, phase2_2008, {WAVE}]`" in capsys.readouterr().out
    assert (home / "config/config.yaml").read_bytes() == before


def test_a_wave_that_is_listed_before_it_is_described_can_be_added(home: Path) -> None:
    enlist(home / "config/config.yaml", WAVE)
    (home / "resources/raw/x.csv").write_text(
        export([item("I understand what a CHCP is.")]), encoding="utf-8"
    )
    assert main(["add-wave", "resources/raw/x.csv", "--wave", WAVE, "--enlist"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.csv", "--wave", "phase2_2008"], "config/waves/phase2_2008: the wave is described already"),
        (["x.csv", "--wave", "Phase 3"], "--wave Phase 3: no name for a wave"),
        (["x.csv", "--wave", WAVE, "--like", "phase1_2005"], "did you mean `phase1_2006`?"),
        (["xx.csv", "--wave", WAVE], "xx.csv: no such file (hint: did you mean `x.csv`?)"),
        (["x.csv", "./x.csv", "--wave", WAVE], "x.csv: is given twice"),
        (["zip.xlsx", "--wave", WAVE], "zip.xlsx: is a zip archive"),
        (["empty.csv", "--wave", WAVE], "empty.csv: is empty (0 bytes)"),
        (["header.csv", "--wave", WAVE], "header.csv: has a header and no rows below it"),
        (["resources", "--wave", WAVE], "resources: is a folder, not a file"),
        (
            ["x.csv", "--wave", WAVE, "--format", "spss"],
            "x.csv: is a text file; a layout of format `spss` reads",
        ),
        (["x.csv", "--wave", WAVE, "--encoding", "klingon"], "x.csv: there is no text encoding `klingon`"),
        (["x.csv", "--wave", WAVE, "--questions", "no.tsv"], "no.tsv: no such file"),
    ],
)
def test_a_mistake_gets_one_line(
    home: Path, study: Study, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (home / "x.csv").write_text(export([item("I understand what a CHCP is.")]), encoding="utf-8")
    (home / "empty.csv").touch()
    (home / "header.csv").write_text("a,b,c\n", encoding="utf-8")
    with zipfile.ZipFile(home / "zip.xlsx", "w") as archive:
        archive.writestr("x.txt", "x")
    assert main(["add-wave", *arguments]) == 1
    assert said in line_of(capsys)
    assert sorted(path.name for path in (home / "config/waves").iterdir()) == sorted(
        path.name for path in (CONFIG / "waves").iterdir()
    )


def test_advice_for_a_layout_is_given_as_an_option(
    home: Path, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Sales"
    for sheet, names in ((book.active, ("Month", "Sales")), (book.create_sheet("Other"), ("Team", "Answer"))):
        for row in (names, *((f"row {number}", "Agree") for number in range(12))):
            sheet.append(row)
    book.save(home / "x.xlsx")
    assert main(["add-wave", "x.xlsx", "--wave", WAVE]) == 1
    assert line_of(capsys) == (
        'x.xlsx: has 2 worksheets with content: `Sales`, `Other` (hint: say `--sheet`; `--sheet "*"` is all of them)'
    )
    assert main(["add-wave", "x.xlsx", "--wave", WAVE, "--sheet", "Other"]) == 0


def test_a_file_outside_the_study_is_warned_of(
    home: Path, study: Study, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "x.csv"
    outside.write_text(export([item("I understand what a CHCP is.")]), encoding="utf-8")
    found = add_wave(
        study,
        wave=WAVE,
        like=LIKE,
        paths=[outside],
        root=home,
        given={},
        wordings=None,
        reading=silent,
    )
    assert "lies outside the study's folder" in found.warnings[0]
    assert described(found)["files"][0]["path"] == str(outside)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("waves: [a, b]  # in order\nseed: 1\n", "waves: [a, b, c]  # in order\nseed: 1\n"),
        (
            "# top\nwaves:\n  - a\n  - b # the second\nseed: 1\n",
            "# top\nwaves:\n  - a\n  - b # the second\n  - c\nseed: 1\n",
        ),
        ("waves: [a, b, c]\n", "waves: [a, b, c]\n"),
    ],
)
def test_enlisting_changes_one_line(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(before, encoding="utf-8")
    enlist(path, "c")
    assert path.read_text(encoding="utf-8") == after


def test_a_list_that_cannot_be_added_to_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    text = "asked: &asked [a, b]\nwaves: *asked\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"write `waves: \[a, b, c\]` there"):
        enlist(path, "c")
    assert path.read_text(encoding="utf-8") == text


# --- checking a study -----------------------------------------------------------------------------------------


@pytest.fixture
def with_files(home: Path) -> Path:
    """The same with the waves' files and the printed tables."""
    (home / "demo").symlink_to(CONFIG.parent / "demo")
    (home / "resources").mkdir(exist_ok=True)
    (home / "resources/published").symlink_to(CONFIG.parent / "resources/published")
    return home


@pytest.fixture
def real(with_files: Path, study: Study) -> Callable[[str], None]:
    """Make the second wave a real one: its file is there, under the column names that its description gives."""

    def make(cell: str) -> None:
        wave = study.wave("phase2_2008")
        columns = [item(row.columns["web"], list("12345")) for row in wave.crosswalk if row.columns]
        columns[0] = (columns[0][0], columns[0][1], [cell])
        columns += [(source.columns["web"], "", ["1", "2"]) for source in wave.file.variables.values()]
        columns += [("Who is your employer?", "", ["1", "2"])]
        lines = export(columns, header=("Respondent ID", "Start Date")).splitlines()
        text = "\n".join(
            f"{line},{mark}" for line, mark in zip(lines, ["Custom Data 1", *[""] * 13], strict=True)
        )
        path = with_files / "resources/raw/export.csv"
        path.write_text(text, encoding="utf-8")
        description = with_files / "config/waves/phase2_2008/wave.yaml"
        told = description.read_text(encoding="utf-8").replace("    sheet: Sheet\n", "")
        name = wave.file.files[0].path
        assert name in told
        description.write_text(told.replace(name, "resources/raw/export.csv"), encoding="utf-8")

    return make


def test_check_opens_the_files_and_looks_up_the_cells(
    real: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    real("1")
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("25 of 62 items; 912 returns in 1 file, 0 rows set aside")
    assert (
        lines[2] == "phase2_2008: Phase II, simulated, 61 of 62 items; 12 returns in 1 file, 0 rows set aside"
    )
    assert lines[3] == "ok: 3 waves, 62 items, 12 scales"


def test_check_says_what_is_described_and_not_listed(
    with_files: Path, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    found = added(study, with_files, export([item("I understand what a CHCP is.")]))
    write(found, with_files / "config/waves" / WAVE)
    assert main(["check"]) == 0
    assert (
        f"not part of the study: config/waves/{WAVE}, which `waves:` in config.yaml does not list"
        in capsys.readouterr().out.splitlines()
    )


def test_check_names_a_cell_that_no_coding_knows(
    real: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    real("77")
    assert main(["check"]) == 1
    line = line_of(capsys)
    assert line.startswith(
        "wave phase2_2008, layout web: column `How far do you agree? | If I got into difficulties"
    )
    assert "unknown label `77` in 12 cells, first in resources/raw/export.csv, row 3" in line


def test_nobody_stands_in_a_draft(study: Study, home: Path) -> None:
    """A cell that looks like somebody is left to `others`; a column of names is listed by its name alone."""
    cells = [*AGREEMENT, "ask Moira Kelly 07700 900123"]
    columns = [
        item("I understand what a CHCP is.", cells),
        ("RecipientLastName", "", ["Kelly", "Ross", "Shaw"]),
    ]
    found = added(study, home, export(columns))
    write(found, home / "config/waves" / WAVE)
    drafted = "".join(path.read_text() for path in (home / "config/waves" / WAVE).iterdir())
    assert [said for said in ("Moira", "Kelly", "07700", "Shaw") if said in drafted] == []
    assert "others: 'TODO: invalid; 1 answer not written here, in which somebody seems to stand'" in drafted
    assert "- RecipientLastName" in drafted


def test_check_names_a_column_that_is_not_in_the_file(
    real: Callable[[str], None], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real("1")
    path = home / "config/waves/phase2_2008/items.tsv"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("\tI understand what a CHCP is.\t", "\tI know what a CHCP is.\t", 1), encoding="utf-8"
    )
    assert main(["check"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "item chcp_1: there is no column `I know what a CHCP is.`" in lines[0]
    assert "is neither mapped nor ignored" in lines[1]


def test_check_names_a_file_that_is_not_there(
    real: Callable[[str], None], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real("1")
    (home / "resources/raw/export.csv").unlink()
    assert main(["check"]) == 1
    assert "resources/raw/export.csv: no such file; wave phase2_2008 needs it" in line_of(capsys)


@pytest.mark.parametrize("command", ["check", "add-wave"])
def test_help_teaches_by_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"  surveywaves {command}" in said.split("example:")[1].splitlines()[1]
