"""Nobody's name, address or number leaves the raw files: not as a column, a label of a coding, a message or a log."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bad_inputs import raw, read_one
from bad_inputs.writers import text, xlsx
from conftest import REPOSITORY
from surveywaves.disclosure.recodings import NOT_SHOWN, OTHERS, recodings
from surveywaves.errors import CrosswalkError, Mistake, StudyError
from surveywaves.harmonise import harmonise
from surveywaves.personal import ordinary, personal_cells, personal_column, personal_text, rated, words_of
from surveywaves.study import load_study
from surveywaves.study.models import Coding, VariableSource
from surveywaves.study.parts import HarmonisingPart
from test_harmonise import AGREEMENT, STAFF, answers, part

PERSONAL = {
    "SurveyMonkey": [
        "IP Address",
        "IP Address (2)",
        "Email Address",
        "First Name",
        "LastName",
        "Custom Data 3",
        "Phone Number",
    ],
    "Qualtrics": [
        "IPAddress",
        "RecipientLastName",
        "Recipient First Name",
        "RecipientEmail",
        "ExternalReference",
        "External Data Reference",
        "LocationLatitude",
        "Location Longitude",
        "User Agent",
    ],
    "Forms": [
        "Email",
        "Name",
        "Username",
        "Adresse e-mail",
        "E-Mail-Adresse",
        "Nombre de usuario",
        "Correo electrónico",
    ],
    "LimeSurvey": ["ipaddr", "refurl", "firstname", "lastname", "email"],
    "KoboToolbox": ["_submitted_by", "deviceid", "phonenumber", "subscriberid", "_gps_latitude", "username"],
    "people": [
        "What is your name?",
        "Your e-mail address (optional)",
        "Full name",
        "Date of birth",
        "Home address",
    ],
    "languages": [
        "Vorname",
        "Nachname",
        "Straße",
        "Téléphone",
        "Nom",
        "Prénom",
        "Apellidos",
        "Voornaam",
        "E-post",
        "Cognome",
    ],
}


@pytest.mark.parametrize("program", PERSONAL)
def test_columns_that_identify_somebody_are_known_by_name(program: str) -> None:
    assert [name for name in PERSONAL[program] if not personal_column(name)] == []


def test_columns_that_are_analysed_are_not() -> None:
    analysed = [
        "gender",
        "Where do you work?",
        "Location",
        "RespondentID",
        "ResponseId",
        "return_no",
        "keyed_by",
        "role",
    ]
    analysed += [
        "I get too many e-mails",
        "My line manager knows my name",
        "Age",
        "id",
        "start",
        "Token",
        "weight",
        "Status",
    ]
    assert [name for name in analysed if personal_column(name)] == []


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("Mrs Secret, district nurse", "a name"),
        ("Moira Kelly", "a name"),
        ("ask John McDonald", "a name"),
        ("0141 234 5678", "a telephone number"),
        ("tel 234 5678", "a telephone number"),
        ("+447700900123", "a telephone number"),
        ("j.smith@example.org", "an e-mail address"),
        ("192.0.2.4", "an IP address"),
        ("55.8642, -4.2518", "coordinates"),
        ("QQ 12 34 56 C", "a national insurance number"),
        ("G12 8QQ", "a postcode"),
        ("I left because " + "of what was said " * 10, "somebody's own words"),
    ],
)
def test_texts_of_somebody_are_known(said: str, what: str) -> None:
    assert personal_text(said) == what


def test_labels_of_options_and_groups_are_of_nobody() -> None:
    labels = [
        "District Nurse",
        "Nurse Manager",
        "GP/Clinician",
        "2026-04-01",
        "2006-10-02T00:00:00",
        "1-4",
        "9999",
        "-99",
    ]
    labels += [
        "Neither agree nor disagree",
        "10 to 14 years",
        "<65",
        "1 (lowest)",
        "Practice Team Leader - Social Work Services",
    ]
    assert {label: personal_text(label) for label in labels if personal_text(label)} == {}


def test_a_column_is_known_by_what_it_holds_too() -> None:
    assert personal_cells([f"person{number}@example.org" for number in range(9)] + ["none"])
    assert personal_cells(["07700 900123", "+44 7700 900124"])
    assert not personal_cells([str(1_171_854_517 + number) for number in range(9)])
    assert not personal_cells(["Agree", "Disagree", "my manager, j@example.org, said no"])


def test_what_is_rated_or_ticked_is_not_taken_for_an_address() -> None:
    assert rated(["1", "5"], "How often do you use | Email")
    assert rated(["Email"], "How do you hear of news? | Email")
    assert not rated(["a@example.org"], "Contact | Email")


SECRETS = ("Moira", "Kelly", "example.org", "192.0.2", "55.86", "07700")
QUALTRICS = [
    ["ResponseId", "IPAddress", "RecipientLastName", "RecipientEmail", "LocationLatitude", "Q1", "Q2"],
    [
        "Response ID",
        "IP Address",
        "Recipient Last Name",
        "Recipient Email",
        "Location Latitude",
        "Agree?",
        "Reach me at",
    ],
    [f'{{"ImportId":"{name}"}}' for name in ("_recordId", "ip", "last", "mail", "lat", "QID1", "QID2")],
    *(
        [
            f"R_{number}",
            f"192.0.2.{number}",
            "Kelly",
            f"m{number}@example.org",
            "55.8642",
            "Agree",
            f"07700 90012{number}",
        ]
        for number in range(6)
    ),
]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_no_personal_column_of_a_qualtrics_export_is_kept_anywhere(name: str, tmp_path: Path) -> None:
    """Nor one that only what stands in it shows (`Reach me at`)."""
    if name.endswith("csv"):
        lines = ("\t".join(row) for row in QUALTRICS)
        text("\n".join(lines) + "\n")(tmp_path / "a.csv")
    else:
        xlsx(QUALTRICS)(tmp_path / name)
    found = read_one(tmp_path / name, format="surveymonkey", respondent="Response ID")
    assert sorted(raw(found)) == ["Q1 | Agree?", "ResponseId | Response ID"]
    kept = found.cells.to_csv() + found.problems.to_csv() + found.counts.to_csv()
    assert [secret for secret in SECRETS if secret in kept] == []
    assert (found.problems["problem"] == "personal identifier").sum() == 5


# --- labels -------------------------------------------------------------------------------------------------------


def shipped() -> tuple[list[HarmonisingPart], tuple[str, ...]]:
    study = load_study(REPOSITORY / "config")
    return [HarmonisingPart.of(study, wave) for wave in study.waves], study.labels


def with_labels(part: HarmonisingPart, labels: dict[str, Any]) -> HarmonisingPart:
    name, coding = next(iter(part.codings.items()))
    more = Coding(response_scale=coding.response_scale, values={**coding.values, **labels})
    return part.model_copy(update={"codings": {**part.codings, name: more}})


def test_released_recodings_show_no_words_but_the_studys_own_and_ordinary_ones() -> None:
    parts, labels = shipped()
    said = {
        "Moira Kelly, 07700 900123": "invalid",
        "ask at the Tollcross desk": "invalid",
        "Not applicable": "skipped",
    }
    out = recodings([with_labels(parts[1], said)], labels)
    shown = " ".join(out["raw"])
    assert "Moira" not in shown and "07700" not in shown and "Tollcross" not in shown
    assert {"Strongly agree", "Not applicable", "**", NOT_SHOWN} <= set(out["raw"])
    assert set(out.loc[out["raw"] == NOT_SHOWN, "value"]) == {"invalid", "nhs", "social_work"}


def test_a_shown_label_is_the_studys_own_or_ordinary() -> None:
    words = words_of(["Health and Social Care", "Strongly agree"])
    assert (
        ordinary("agree (strongly) 5", words)
        and ordinary("Social care, health", words)
        and ordinary("B2", words)
    )
    assert (
        not ordinary("Kelly", words)
        and not ordinary("24 90 12", words)
        and not ordinary("health 07700 9", words)
    )


def test_others_takes_what_nobody_listed_without_writing_it_down() -> None:
    study = part(
        codings={"agree": Coding(response_scale="five", values=AGREEMENT, others="invalid")},
        organisation=VariableSource(columns={"web": "job"}, map=STAFF, others="city"),
    )
    frame = answers(job=["NHS", "Moira Kelly"], trust_1=["Agree", "ask Moira Kelly"])
    found = harmonise(frame, part=study)
    assert found.responses["organisation"].tolist() == ["health", "city"]
    assert found.missing["trust_1"].tolist() == [pytest.approx(float("nan"), nan_ok=True), "invalid"]
    out = recodings([study], [])
    assert "Moira" not in out.to_csv()
    assert set(out.loc[out["raw"] == OTHERS, "value"]) == {"invalid", "city"}


def test_an_unknown_cell_of_somebody_is_neither_shown_nor_advised_into_the_coding() -> None:
    with pytest.raises(CrosswalkError) as caught:
        harmonise(answers(trust_1=["Agree", "Moira Kelly 07700 900123"]), part=part())
    (mistake,) = caught.value.mistakes
    assert str(mistake) == (
        "wave w1, layout web: column `trust_1`: a cell that looks like a telephone number in 1 cell, first in "
        "raw/a.csv, row 4 (hint: `others: invalid` in the coding `agree` takes it without writing it down)"
    )


def test_a_log_has_no_cell_that_the_screen_shows() -> None:
    with pytest.raises(CrosswalkError) as caught:
        harmonise(answers(trust_1=["Agree", "the desk at Tollcross"]), part=part())
    (mistake,) = caught.value.mistakes
    assert "unknown label `the desk at Tollcross` in 1 cell" in str(mistake)
    assert mistake.line.endswith("column `trust_1`: unknown label in 1 cell, first in raw/a.csv, row 4")
    assert Mistake("a", "b", "c").line == "a: b (hint: c)"


def test_a_coding_or_exclusion_with_somebody_in_it_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    wave = tmp_path / "config/waves/phase1_2006/wave.yaml"
    said = wave.read_text(encoding="utf-8")
    said = said.replace('      "**": invalid', '      "**": invalid\n      Moira Kelly 07700 900123: invalid')
    said = said.replace("Custom Data: {TEST: test response}", "Email Address: [m@example.org]")
    said = said.replace(
        "    Maintenance/Technical: maint", "    Mr Kelly: other\n      Maintenance/Technical: maint"
    )
    wave.write_text(said, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path / "config")
    told = [str(mistake).split("wave.yaml: ")[1] for mistake in caught.value.mistakes]
    assert told == [
        "codings.codes.values: label 7 of 7 looks like a telephone number "
        "(hint: `others: invalid` takes such cells without writing them down)",
        "variables.profession.map: label 9 of 21 looks like a name "
        "(hint: `others: invalid` takes such cells without writing them down)",
        "layouts.web.exclude.Email Address: label 1 of 1 looks like an e-mail address "
        "(hint: exclude by the return's number)",
    ]
