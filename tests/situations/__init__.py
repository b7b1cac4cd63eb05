"""Situations: a small study, a file as a program or a person may hand it over, and what has to become of it.

A situation writes a study and the files of a new wave `w2`, and gives what is true of its returns. It is then taken the
way a person goes: `add-wave`, each decision settled by somebody who knows the answers, `check`, and the run as far as
harmonised data, which are held against the truth cell by cell.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import openpyxl
import pandas as pd
import pyreadstat
import yaml

from surveywaves.adding.addition import Addition, add_wave, write
from surveywaves.errors import SurveywavesError
from surveywaves.harmonise import harmonise_checked
from surveywaves.ingest import ingest
from surveywaves.study import load_study
from surveywaves.study.load import OPEN
from surveywaves.study.parts import ReadingPart

WAVE, LIKE = "w2", "w1"
RAW = f"resources/raw/{WAVE}"

Outcome = Literal["right", "asked", "refused"]
OUTCOMES: Mapping[Outcome, str] = {
    "right": "values right, nothing to decide about it",
    "asked": "asked, then values right",
    "refused": "refused in one line that says what to do",
}

# --- the study ------------------------------------------------------------------------------------------------

AGREE = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")
STATEMENTS = {
    "team_help": "My colleagues help me when work piles up.",
    "team_rely": "I can rely on the people in my team.",
    "team_listen": "People in my team listen to each other.",
    "team_blame": "In my team mistakes are held against you.",
    "mgr_clear": "My line manager makes clear what is expected of me.",
    "mgr_fair": "My line manager treats everybody fairly.",
    "mgr_ignore": "My line manager ignores what staff say.",
    "mgr_thanks": "My line manager notices good work.",
}
GROUPS: Mapping[str, Mapping[str, str]] = {
    "organisation": {"health": "Health", "council": "Council"},
    "gender": {"woman": "Woman", "man": "Man"},
    "tenure": {
        "under_1": "Less than 1 year",
        "y1_4": "1-4 years",
        "y5_9": "5-9 years",
        "y10": "10 years or more",
    },
}
ASKED = {"organisation": "Where do you work?", "gender": "Gender", "tenure": "Time in post"}
"""What the files of both waves call the grouping variables, if nothing else is said."""

Columns = dict[str, list[str]]
"""A file: header -> cells."""


def truth(rows: int = 24, *, points: int = 5, seed: int = 1) -> pd.DataFrame:
    """Draw what is true of some returns: a level of each group, a value of each item; every level and value occurs."""
    draw = random.Random(seed)
    columns = {name: _drawn(list(levels), rows, draw) for name, levels in GROUPS.items()}
    columns |= {item: _drawn(list(range(1, points + 1)), rows, draw) for item in STATEMENTS}
    return pd.DataFrame(columns, dtype=object)


def _drawn(values: list[Any], rows: int, draw: random.Random) -> list[Any]:
    cells = [values[place % len(values)] for place in range(rows)]
    draw.shuffle(cells)
    return cells


def columns_of(
    true: pd.DataFrame,
    *,
    items: Mapping[str, str] | Callable[[str, str], str] = STATEMENTS,
    words: Sequence[str] | Mapping[Any, str] = AGREE,
    groups: Mapping[str, str] = ASKED,
    levels: Mapping[str, Mapping[str, str]] = GROUPS,
    **first: Sequence[str],
) -> Columns:
    """Write returns as the columns of a file.

    Parameters
    ----------
    items
        Item -> header, or what makes it of the item's name and statement.
    words
        Cells of the values, lowest first, or value -> cell.
    groups, levels
        Grouping variable -> header; -> level -> cell.
    first
        Columns before the others.
    """
    cells = words if isinstance(words, Mapping) else dict(enumerate(words, start=1))
    found = {name: list(values) for name, values in first.items()}
    found |= {
        groups[name]: [levels[name].get(one, one) for one in true[name]] for name in GROUPS if name in groups
    }
    for item, text in STATEMENTS.items():
        header = items(item, text) if callable(items) else items[item]
        found[header] = [cells.get(value, value) for value in true[item]]
    return found


def table(**options: Any) -> Callable[[Path], pd.DataFrame]:
    """Return a function that writes a CSV file with the given options of `columns_of`."""

    def make(folder: Path) -> pd.DataFrame:
        true = truth()
        write_csv(small_study(folder) / "export.csv", columns_of(true, **options))
        return true

    return make


def small_study(
    folder: Path,
    *,
    labels: Sequence[str] = AGREE,
    levels: Mapping[str, Mapping[str, str]] = GROUPS,
    file: Columns | None = None,
    wave: Mapping[str, Any] | None = None,
) -> Path:
    """Lay out a study of eight statements, two scales and one wave `w1`, and give the folder for files of `w2`.

    Parameters
    ----------
    labels
        Options of the response scale, lowest first.
    levels
        Levels of organisation, gender and tenure, with their words.
    file
        What the file of `w1` holds, if not its answers in words.
    wave
        Keys of w1's `wave.yaml` that are others: `layouts`, `codings` and so on, whole.
    """
    home = folder / "config/waves/w1"
    for made in (home, folder / RAW, folder / "resources/raw/w1"):
        made.mkdir(parents=True)
    codes = {name: f"agree{len(labels)}" for name in STATEMENTS}
    scale, variables = codes["team_help"], [name for name in GROUPS if name != "organisation"]
    config = {
        "title": "A small staff survey",
        "description": "Invented.",
        "waves": [LIKE],
        "reference_wave": LIKE,
        "seed": 1,
        "sections": {1: "My team", 2: "My manager"},
        "response_scales": {
            scale: {
                "labels": list(labels),
                "short": [str(place) for place in range(len(labels))],
                "favourable": [len(labels)],
            }
        },
        "organisations": dict(levels["organisation"]),
        "variables": {name: {"label": ASKED[name], "levels": dict(levels[name])} for name in variables},
        "analysis": {"min_cell": 5},
        "disclosure": {"threshold": 3},
    }
    content = {
        "title": "First survey",
        "period": "June 2006",
        "fieldwork": {"start": "2006-06-01", "end": "2006-06-30"},
        "population": {"size": 150},
        "evidence": "simulated",
        "organisations_surveyed": list(levels["organisation"]),
        "layouts": {"table": {"format": "table", "coding": "agreement"}},
        "files": [{"path": "resources/raw/w1/w1.csv", "layout": "table"}],
        "codings": {
            "agreement": {
                "response_scale": scale,
                "values": {label: value for value, label in enumerate(labels, start=1)},
            }
        },
        "organisation": _source(ASKED["organisation"], levels["organisation"]),
        "variables": {name: _source(ASKED[name], levels[name]) for name in variables},
        **(wave or {}),
    }
    _yaml(folder / "config/config.yaml", config)
    _yaml(home / "wave.yaml", content)
    rows = [
        {"item": name, "text": text, "section": 1 + (place > 3), "scale": name.split("_")[0], "keyed": "+"}
        for place, (name, text) in enumerate(STATEMENTS.items())
    ]
    _tsv(folder / "config/items.tsv", [{**row, "response_scale": scale} for row in rows])
    _tsv(folder / "config/scales.tsv", [{"scale": name, "title": name.title()} for name in ("team", "mgr")])
    names = {row["item"]: row["text"] for row in rows}
    if file:  # its last eight columns are the items
        names = dict(zip(names, list(file)[-len(names) :], strict=True))
    layout = next(iter(content["layouts"]))
    _tsv(
        home / "items.tsv",
        [
            {"item": item, layout: column, "coding": "", "comparability": "identical"}
            for item, column in names.items()
        ],
    )
    file = file or columns_of(truth(points=len(labels), seed=2), words=labels, levels=levels)
    write_csv(folder / content["files"][0]["path"], file)
    return folder / RAW


def _source(column: str, levels: Mapping[str, str]) -> dict[str, Any]:
    return {"columns": {"table": column}, "map": {label: level for level, label in levels.items()}}


def _yaml(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(
        yaml.dump(dict(content), Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False),
        encoding="utf-8",
    )


def _tsv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    lines = ["\t".join(rows[0]), *("\t".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


# --- files ----------------------------------------------------------------------------------------------------


def rows_of(columns: Columns, *, header: bool = True) -> list[list[str]]:
    """Give a file's rows, its header first."""
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return [list(columns), *rows] if header else rows


def write_csv(
    path: Path, content: Columns | Sequence[Sequence[str]], *, encoding: str = "utf-8", **dialect: Any
) -> Path:
    """Write columns, or rows as they are, as delimited text."""
    rows = rows_of(content) if isinstance(content, dict) else content
    with path.open("w", encoding=encoding, newline="") as lines:
        csv.writer(lines, lineterminator="\n", **dialect).writerows(rows)
    return path


def write_xlsx(path: Path, **sheets: Columns | Sequence[Sequence[Any]]) -> Path:
    """Write a workbook: name of a sheet -> its columns, or its rows as they are."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows_of(content) if isinstance(content, dict) else content:
            sheet.append(list(row))
    book.save(path)
    return path


def write_sav(
    path: Path, columns: Mapping[str, Sequence[Any]], *, labels: Mapping[str, str], values: Mapping[str, Any]
) -> Path:
    """Write an SPSS file: variables with their labels, and variable -> code -> label."""
    pyreadstat.write_sav(
        pd.DataFrame(dict(columns)),
        path,
        column_labels=[labels.get(name, "") for name in columns],
        variable_value_labels={name: dict(one) for name, one in values.items()},
    )
    return path


# --- a situation ----------------------------------------------------------------------------------------------

FACTS = {
    r"title": "Second survey",
    r"period": "June 2008",
    r"fieldwork": {},
    r"population\.size": None,
    r"evidence": "simulated",
    r"layouts\.\w+\.respondent": None,
    r"layouts\.\w+\.ignore\.\d+": re.compile("“(.*)”"),
}
"""What everybody can say of a wave, by the place that it stands at; a pattern: what the decision itself names."""


@dataclass(frozen=True)
class Situation:
    """A file as it comes, and what has to become of it."""

    name: str
    """Family and situation: `labels: two options alike`."""
    kind: int
    """Of the twelve of issue 16."""
    what: str
    """What is in the file, in a line."""
    make: Callable[[Path], pd.DataFrame | None]
    """Writes the study and the files of `w2` (all in `resources/raw/w2`), and gives what is true of the returns, in
    their order: levels of the groups, values of the items, or the reason why there is none. None: nothing to hold
    against it, as where it is refused."""
    outcome: Outcome = "right"
    """`asked`: at least one decision beside those of every wave, and all are settled by `answers`."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """Pattern of the place of a decision (`codings.codes.values.9`, `items.team_help.comparability`) -> what a person
    writes there; a pattern takes its first group from what the decision says."""
    decisions: int | None = None
    """Most decisions that there may be beside the facts of every wave (`FACTS`)."""
    said: str = ""
    """Pattern of what must stand in the refusal, or among the decisions and warnings."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options of `add-wave`: `format`, `encoding`, `sheet`, `header_rows`."""

    def check(self, folder: Path) -> None:
        """Go through it as a person would, and raise an `AssertionError` where it ends in another way."""
        true = self.make(folder)
        try:
            asked = self._added(folder)
            found = run(folder)
        except SurveywavesError as error:
            assert self.outcome == "refused", error
            assert re.search(self.said, str(error)), error
            return
        assert self.outcome != "refused", "taken"
        assert (self.outcome == "asked") == bool(asked), asked or "nothing was asked"
        assert self.decisions is None or len(asked) <= self.decisions, asked
        if true is not None:
            differing = differences(found, true)
            assert not differing, "; ".join(differing[:5])

    def _added(self, folder: Path) -> list[str]:
        """Add the wave, settle what is open, and say what that was."""
        added = addition(folder, **self.given)
        write(added, folder / f"config/waves/{WAVE}")
        home = folder / f"config/waves/{WAVE}"
        settled = decide([home / "wave.yaml", home / "items.tsv"], self.answers)
        asked = [said for said, of_every_wave in settled if not of_every_wave]
        said = "\n".join([*asked, *added.warnings])
        assert self.outcome == "refused" or re.search(self.said, said), said
        put_on_list(folder)
        return asked


def put_on_list(folder: Path) -> None:
    """Put `w2` on the list of waves in `config.yaml`."""
    config = folder / "config/config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f"- {LIKE}\n", f"- {LIKE}\n- {WAVE}\n"), encoding="utf-8")


def addition(folder: Path, **given: Any) -> Addition:
    """Draft `w2` from all files in its folder, and from lists if there are any; `given` are keys of a layout."""
    return add_wave(
        load_study(folder / "config"),
        wave=WAVE,
        like=LIKE,
        paths=sorted((folder / RAW).iterdir()),
        root=folder,
        given=given,
        wordings=next(folder.glob("questions.*"), None),
        codebook=next(folder.glob("codebook.*"), None),
        reading=lambda _: None,
    )


def run(folder: Path, name: str = WAVE, names: Sequence[str] = (*GROUPS, *STATEMENTS)) -> pd.DataFrame:
    """Check and run a wave as far as harmonised data: values and levels, and reasons where there are none."""
    study = load_study(folder / "config")
    wave = study.wave(name)
    read = ingest(ReadingPart.of(wave), root=folder)
    found = harmonise_checked(study, wave, read.cells, read.value_labels)
    responses, missing = (one[[*names]].astype(object) for one in (found.responses, found.missing))
    return responses.where(responses.notna(), missing)


def differences(found: pd.DataFrame, true: pd.DataFrame) -> list[str]:
    if len(found) != len(true):
        return [f"{len(found)} returns, not {len(true)}"]
    return [
        f"row {row}, {name}: {ours!r}, not {right!r}"
        for name in true
        for row, (ours, right) in enumerate(zip(found[name], true[name], strict=True), start=1)
        if ours != right
    ]


def decide(paths: Sequence[Path], answers: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Settle each open decision of some files; give them, and whether every wave has them.

    Raises
    ------
    AssertionError
        If there is one to which nobody has said the answer.
    """
    settled: list[tuple[str, bool]] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".yaml":
            _yaml(path, _settle(yaml.load(text, yaml.CSafeLoader), "", answers, settled))
            continue
        rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
        for row in rows:
            for key, value in row.items():
                place = f"{path.stem}.{next(iter(row.values()))}.{key}"
                row[key] = _settle(value, place, answers, settled) or ""
        _tsv(path, rows)
    return settled


def _settle(value: Any, place: str, answers: Mapping[str, Any], settled: list[tuple[str, bool]]) -> Any:
    inside = f"{place}." if place else ""
    if isinstance(value, dict):
        found = {key: _settle(one, f"{inside}{key}", answers, settled) for key, one in value.items()}
        return {key: one for key, one in found.items() if one is not GONE}
    if isinstance(value, list):
        return [_settle(one, f"{inside}{number}", answers, settled) for number, one in enumerate(value)]
    if not (isinstance(value, str) and value.startswith(OPEN)):
        return value
    for known, of_every_wave in ((answers, False), (FACTS, True)):
        for pattern, answer in known.items():
            if re.fullmatch(pattern, place):
                settled.append((f"{place}: {value}", of_every_wave))
                if isinstance(answer, re.Pattern):
                    named = answer.search(value)
                    assert named, f"{place}: {value}"
                    return named[1]
                return answer
    raise AssertionError(f"nobody knows the answer to {place}: {value}")


GONE = object()
"""An answer: the key is taken out."""


def page(situations: Sequence[Situation]) -> str:
    """Write `docs/situations.md`: every situation by its kind, and what becomes of it."""
    lines = [
        "# Situations",
        "",
        f"{len(situations)} files as programs and people hand them over. `tests/test_situations.py` adds each as a "
        "wave, decides what is asked, checks",
        "and runs it, and holds every harmonised cell against what is true. This page is made from the tests.",
        "",
    ]
    for outcome, meaning in OUTCOMES.items():
        number = sum(one.outcome == outcome for one in situations)
        lines.append(f"- **{outcome}** ({number}): {meaning}.")
    for kind, heading in KINDS.items():
        of_kind = [one for one in situations if one.kind == kind]
        if of_kind:
            lines += [
                "",
                f"## {heading}",
                "",
                "| situation | what is in the file | outcome |",
                "|---|---|---|",
            ]
            lines += [f"| {_cell(one.name)} | {_cell(one.what)} | {one.outcome} |" for one in of_kind]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


KINDS: Mapping[int, str] = {
    1: "Labels that are nearly alike",
    2: "Bare numbers",
    3: "What a file says of itself",
    4: "Cells that must not vanish",
    5: "Returns that must not vanish",
    6: "Two ticks, halves, no input",
    7: "Statements of matrix questions",
    8: "Programs and formats",
    9: "What the pattern wave knew",
    10: "A first wave",
    11: "Hints",
    12: "Words of YAML",
}
