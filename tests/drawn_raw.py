"""A study drawn from a fixed seed: three offices, three rounds, as a configuration and plain CSV files.

It goes where the shipped study and `everyday_life` do not: teams and weights in the models, a wave to come without
data, margins of the population, shrunken means, counts rounded rather than withheld, no adjustment across scales.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import yaml

SEED = 20190401
OFFICES = {"harbour": 0.5, "hill": 0.35, "valley": 0.15}  # shares of the returns
ROUNDS = {"round_1": 170, "round_2": 140, "round_3": 120}  # returns
WORDS = ["Never", "Rarely", "Often", "Always"]
ITEMS = {  # item: (scale, keyed, response scale, text)
    "pace_1": ("pace", "+", "extent7", "I can finish my work in the time I have."),
    "pace_2": ("pace", "+", "extent7", "My targets can be met."),
    "pace_3": ("pace", "-", "extent7", "I have to hurry."),
    "pace_4": ("pace", "+", "extent7", "I can take breaks when I need them."),
    "help_1": ("help", "+", "often4", "Somebody explains what is new."),
    "help_2": ("help", "+", "often4", "Somebody listens to me."),
    "help_3": ("help", "-", "often4", "I am left alone with problems."),
    "voice_1": ("voice", "+", "extent7", "I am asked before things change."),
    "voice_2": ("voice", "+", "extent7", "What I suggest is taken up."),
    "canteen": ("", "+", "often4", "I eat in the canteen."),
}
TEAMS = [f"{office}_{number}" for office in OFFICES for number in range(1, 6)]
CONFIG = {
    "title": "Three offices",
    "description": "Drawn at random for testing; nobody was asked.",
    "waves": list(ROUNDS),
    "reference_wave": "round_1",
    "seed": SEED,
    "sections": {1: "Work", 2: "Others"},
    "response_scales": {
        "extent7": {
            "labels": ["1 not at all", *"23456", "7 completely"],
            "short": list("1234567"),
            "favourable": [6, 7],
        },
        "often4": {"labels": WORDS, "short": list("NROA"), "favourable": [3, 4]},
    },
    "organisations": {office: office.title() for office in OFFICES},
    "variables": {
        "team": {"label": "Team", "levels": {team: team.replace("_", " ").title() for team in TEAMS}},
        "shift": {"label": "Shift", "levels": {"day": "Day", "night": "Night"}},
    },
    "analysis": {
        "confidence": 0.99,
        "covariates": ["shift"],
        "team": "team",
        "weighted": True,
        "partial_pooling": True,
        "multiplicity": "none",
        "item_multiplicity": "holm",
        "functioning": {"min_n": 40, "criterion": "zumbo"},
        "planning": {"wave": "round_4", "reference": "round_2", "returns": [80, 160]},
    },
    "disclosure": {"threshold": 5, "rounding": 5},
    "figures": {"dpi": 72},
}


def drawn_raw(folder: Path) -> Path:
    """Write the study's configuration and raw files into a folder that does not exist yet."""
    draw = np.random.default_rng(SEED)
    config = folder / "config"
    config.mkdir(parents=True)
    _yaml(config / "config.yaml", CONFIG)
    _table(
        config / "scales.tsv",
        ["scale", "title", "min_answered"],
        [["pace", "Pace", 2], ["help", "Help", 2], ["voice", "Voice", 1]],
    )
    _table(
        config / "items.tsv",
        ["item", "text", "section", "scale", "keyed", "response_scale"],
        [
            [item, text, 1 if scale == "pace" else 2, scale, keyed, points]
            for item, (scale, keyed, points, text) in ITEMS.items()
        ],
    )
    for number, (name, returns) in enumerate(ROUNDS.items()):
        _round(folder, name, number, _returns(draw, number, returns))
    return folder


def _returns(draw: np.random.Generator, number: int, returns: int) -> list[dict[str, object]]:
    """Draw the returns of a round: answers 1..K, 0 where skipped, -1 for "don't know"."""
    office_of = draw.choice(list(OFFICES), size=returns, p=list(OFFICES.values()))
    team_effect = dict(zip(TEAMS, draw.normal(0, 0.4, len(TEAMS)), strict=True))
    rows = []
    for office in office_of:
        team = f"{office}_{draw.integers(1, 6)}"
        night = bool(draw.random() < 0.3)
        opinion = draw.normal(team_effect[team] + 0.25 * number * (office == "hill") - 0.3 * night, 0.8)
        row: dict[str, object] = {
            "office": office if draw.random() > 0.04 else "",
            "team": team,
            "shift": "night" if night else "day",
            "weight": 1.6 if night else 0.8,
        }
        for item, (scale, keyed, points, _) in ITEMS.items():
            towards = opinion * {"pace": 1.0, "help": 0.8, "voice": 0.9}.get(scale, 0.0)
            latent = (-1 if keyed == "-" else 1) * towards + draw.normal(0, 0.7)
            k = 7 if points == "extent7" else 4
            answer = int(np.clip(np.floor((latent + 2) / 4 * k) + 1, 1, k))
            chance = draw.random()
            row[item] = 0 if chance < 0.03 else -1 if chance < 0.04 else answer
        rows.append(row)
    return rows


def _round(folder: Path, name: str, number: int, returns: list[dict[str, object]]) -> None:
    """Write a round: the second in words, one item reworded and one not asked; the third with `often4` upside down."""
    often = [list("1234"), WORDS, list("4321")][number]
    cells = {"often4": {-1: "?", 0: "", **dict(enumerate(often, 1))}, "extent7": {-1: "?", 0: ""}}
    cells["extent7"] |= {value: str(value) for value in range(1, 8)}
    asked = {item: item.upper() for item in ITEMS if (number, item) != (1, "pace_4")}
    raw = folder / f"resources/raw/{name}/answers.csv"
    rows = [
        [row["office"], row["team"], row["shift"], row["weight"]]
        + [cells[ITEMS[item][2]][int(str(row[item]))] for item in asked]
        for row in returns
    ]
    _table(raw, ["Office", "Team", "Shift", "Weight", *asked.values()], rows, ",")

    reworded = {"voice_1"} if number == 1 else set()
    crosswalk = []
    for item, (_, _, points, text) in ITEMS.items():
        graded = "absent" if item not in asked else "reworded" if item in reworded else "identical"
        wording = text.replace("before", "when") if item in reworded else ""
        coding = points if item in asked else ""
        crosswalk.append([item, asked.get(item, ""), coding, graded, wording, ""])
    wave = folder / "config/waves" / name
    _table(
        wave / "items.tsv",
        ["item", "answers", "coding", "comparability", "wording", "note"],
        crosswalk,
    )
    codings = {
        points: {
            "response_scale": points,
            "values": {said: {-1: "dont_know"}.get(value, value) for value, said in coding.items() if value},
        }
        for points, coding in cells.items()
    }
    start = f"{2019 + number}-04-01"
    content = {
        "title": name.replace("_", " ").title(),
        "period": f"April {2019 + number}",
        "fieldwork": {"start": start, "end": start[:-2] + "30"},
        "population": {
            "size": 400 - 20 * number,
            "margins": {"organisation": OFFICES, "shift": {"day": 0.7, "night": 0.3}},
        },
        "evidence": "simulated",
        "evidence_note": "Drawn from a normal opinion of each respondent.",
        "organisations_surveyed": list(OFFICES),
        "layouts": {"answers": {"format": "table", "coding": "extent7", "weight": "Weight"}},
        "files": [{"path": str(raw.relative_to(folder)), "layout": "answers"}],
        "codings": codings,
        "organisation": {"columns": {"answers": "Office"}, "map": {office: office for office in OFFICES}},
        "variables": {
            "team": {"columns": {"answers": "Team"}, "map": {team: team for team in TEAMS}},
            "shift": {"columns": {"answers": "Shift"}, "map": {"day": "day", "night": "night"}},
        },
    }
    _yaml(wave / "wave.yaml", content)


def _yaml(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _table(path: Path, head: list[str], rows: list[list[object]], delimiter: str = "\t") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, delimiter=delimiter, lineterminator="\n").writerows([head, *rows])
