"""Deal the people of people.csv into five parts, and write each part as another program would have exported it.

Run here: python make.py. The texts come out the same bytes each time; the .sav and .dta carry the hour they were made.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

HERE = Path(__file__).parent
RAW = HERE.parent / "resources/raw"
SEED = 19911999

WORDS = {1: "Not at all", 2: "Somewhat", 3: "Moderately so", 4: "Very much so"}
STUDIES = {1: "Study 1", 2: "Study 2", 3: "Study 3"}
GENDERS = {1: "Man", 2: "Woman"}

CHORES = ["make_bed", "wash_dishes", "dust", "change_sheets", "iron", "laundry"]
OTHER_CHORES = ["set_table", "cook", "wash_windows"]  # part C asked these three, and nobody else did
REPAIRS = ["change_fuses", "clean_drain", "do_repairs", "light_bulbs", "home_improvement", "device_trouble"]
TALK = ["talk_problems", "tell_partner"]
WALK = ["walk_town"]
FEELINGS = ["calm", "at_ease", "relaxed", "content", "tense"]

dictionary = pd.read_csv(HERE / "dictionary.tsv", sep="\t").set_index("item")
VARIABLES = dictionary["variable"].to_dict()
TEXTS = dictionary["text"].to_dict()


def deal(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give each person to one part at random; part A asked no one of study 3."""
    random, hands = np.random.default_rng(SEED), {}
    for study, rows in people.groupby("study"):
        parts = "bcde" if study == 3 else "abcde"
        hands.update(zip(random.permutation(rows["person"]), parts * len(rows), strict=False))
    return dict(iter(people.groupby(people["person"].map(hands))))


def part_a(people: pd.DataFrame) -> None:
    """Semicolons and cp1252, as a German Excel saves a CSV file; feelings in words."""
    columns = [*CHORES, *REPAIRS, *TALK, *WALK]
    frame = people[["person"]].rename(columns={"person": "Nr."})
    frame["Studie"] = people["study"]
    frame["Geschlecht"] = people["gender"].map({1: "männlich", 2: "weiblich"})
    frame[[VARIABLES[name] for name in columns]] = people[columns]
    frame[FEELINGS] = people[FEELINGS].replace(WORDS)
    frame.to_csv(RAW / "part_a/teil_a.csv", sep=";", index=False, encoding="cp1252", lineterminator="\r\n")


def part_b(people: pd.DataFrame) -> None:
    """Tabs and UTF-8; numbers only, 9 where there is no answer."""
    columns = [*CHORES, *REPAIRS, *TALK, *WALK, *FEELINGS]
    people[["person", "study", "gender", *columns]].astype("Int64").fillna(9).to_csv(
        RAW / "part_b/part_b.tsv", sep="\t", index=False, lineterminator="\n"
    )


def part_c(people: pd.DataFrame) -> None:
    """Two files: Parquet with empty cells, and Stata with labels, the habits' only at the ends of the scale."""
    columns = [*OTHER_CHORES, *REPAIRS, *TALK, *WALK]
    half = len(people) // 2
    first, second = people.iloc[:half], people.iloc[half:]
    frame = first[["person", "study", "gender", *columns]].astype(dict.fromkeys(columns, "int8"))
    frame = frame.assign(study=first["study"].map(STUDIES), gender=first["gender"].map(GENDERS))
    frame[FEELINGS] = first[FEELINGS].replace(WORDS).astype("str").where(first[FEELINGS].notna())
    frame.to_parquet(RAW / "part_c/panel.parquet", index=False)
    frame = second[["person", "study", "gender", *columns, *FEELINGS]].astype("float64")
    pyreadstat.write_dta(
        frame,
        str(RAW / "part_c/follow_up.dta"),
        column_labels=["", "", "", *(TEXTS[name] for name in columns), *FEELINGS],
        variable_value_labels={
            "study": STUDIES,
            "gender": GENDERS,
            **{name: {1: "lowest", 7: "highest"} for name in columns},
            **dict.fromkeys(FEELINGS, WORDS),
        },
        version=14,
    )


def part_d(people: pd.DataFrame) -> None:
    """SPSS: feelings coded the other way round, 9 declared as missing, variables named as in the data set."""
    columns = [*CHORES, *REPAIRS, *TALK, *WALK]
    frame = people[["person", "study", "gender"]].astype("float64")
    frame[[VARIABLES[name] for name in columns]] = people[columns].astype("float64")
    frame[[f"S_{name}" for name in FEELINGS]] = (5 - people[FEELINGS]).fillna(9)
    other_way_round = {5 - code: word for code, word in WORDS.items()} | {9: "No answer"}
    pyreadstat.write_sav(
        frame,
        str(RAW / "part_d/part_d.sav"),
        column_labels=["", "", "", *(TEXTS[name] for name in columns), *FEELINGS],
        variable_value_labels={
            "study": STUDIES,
            "gender": GENDERS,
            **{f"S_{name}": other_way_round for name in FEELINGS},
        },
        missing_ranges={f"S_{name}": [9] for name in FEELINGS},
    )


def part_e(people: pd.DataFrame) -> None:
    """Lay the part out as SurveyMonkey does: two header rows, matrices, labels; this part has no feelings in it."""
    matrices = {
        "Chores<br>(from 1, lowest, to 7, highest)": CHORES,
        "Repairs, and talking": [*REPAIRS, *TALK],
    }
    top = ["RespondentID", "CollectorID", "StartDate", "EndDate", "IP Address", "Email Address"]
    top += ["First Name", "LastName", "Custom Data"]
    below = [""] * len(top)
    added = len(top)
    for question, items in matrices.items():
        top += [question, *[""] * (len(items) - 1)]
        below += [TEXTS[name] for name in items]
    top += [TEXTS["walk_town"], "Which study are you in?", "You are:", "Anything else?"]
    below += ["Response", "Response", "Response", "Open-Ended Response"]
    answers = people[[*CHORES, *REPAIRS, *TALK, *WALK]].replace({1: "1 – lowest", 7: "7 – highest"})
    words = [people["study"].map(STUDIES), people["gender"].map(GENDERS)]
    with (RAW / "part_e/export.csv").open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([top, below])
        for place, person in enumerate(people["person"]):
            said = [*answers.iloc[place], *(column.iloc[place] for column in words), ""]
            writer.writerow([900000000 + person, 7001, *[""] * (added - 2), *said])


def main() -> None:
    """Write the raw files of all parts."""
    hands = deal(pd.read_csv(HERE / "people.csv"))
    for part, write in zip("abcde", (part_a, part_b, part_c, part_d, part_e), strict=True):
        (RAW / f"part_{part}").mkdir(parents=True, exist_ok=True)
        write(hands[part])
        print(f"part {part}: {len(hands[part])} people")


if __name__ == "__main__":
    main()
