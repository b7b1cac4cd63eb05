"""Make a folder for a study of one's own, and draft the study from its first file.

The folder has what to fill in, a place for raw files, and a guard that keeps them there. Items, scales, grouping
variables and the wave are drafted from the file's labels.

The meaning of the options, the composition of the scales and the title of the study are left to a person.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np

from surveywaves.adding.diff import read_files, sheets_of, survey
from surveywaves.adding.draft import OFTEN, Page, crosswalk_text, table_text, wave_page
from surveywaves.adding.match import Reference, reason
from surveywaves.adding.questions import FEW, Cells, Question
from surveywaves.errors import SurveywavesError
from surveywaves.files import files_under, write_text
from surveywaves.ingest.raw import RawTable, Source
from surveywaves.ingest.readers import read_raw
from surveywaves.personal import personal_text
from surveywaves.study import Item, Study, Wave
from surveywaves.study.checks import RESERVED, RESERVED_LEVELS
from surveywaves.study.load import OPEN
from surveywaves.study.models import Config, WaveFile
from surveywaves.terms import ORGANISATION
from surveywaves.text import count, few, known_as, normalise, number, unique, words

ITEM_COLUMNS: Final = ("item", "text", "section", "scale", "keyed", "response_scale")
SCALE_COLUMNS: Final = ("scale", "title")
WAVE: Final = "first"
EVERYONE: Final = "everyone"

LEAST, MOST = 3, 11
"""Fewest and most options of a response scale; also the most levels of a grouping variable."""

GROUPS: Final = 12
"""Most grouping variables that are drafted; further ones are left as decisions, like all new questions."""
AGAINST: Final = -0.1
"""Correlation with the rest of its block below which an item may be reverse-keyed."""
_LOW: Final = frozenset(
    {"disagree", "never", "not", "no", "dissatisfied", "poor", "low", "least", "unlikely"}
)
"""Words of the lower end: if only the last label has one, the labels run from the highest to the lowest."""

Options = tuple[str, ...]
"""Labels of a response scale, lowest first."""
Block = tuple[str, list[tuple[Item, Question]]]
"""A scale (empty: none) and its items with their questions."""


SKELETON: Final = Path(__file__).with_name("skeleton")
CLOSED: Final = ("resources/raw", "resources/private")
"""Folders that only their owner may look into."""


OWN: Final = "have its pre-commit hook run `surveywaves confidential`"


def new_study(folder: Path) -> list[str]:
    """Lay a study out in a new (or empty) folder, have git refuse answers of people in it, and say so in lines."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SurveywavesError.at(folder, "is there, and not empty", "name a folder that is to be made")
    for path in files_under(SKELETON):
        target = folder / path.relative_to(SKELETON)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for name in ("gitattributes", "gitignore"):
        (folder / name).rename(folder / f".{name}")
    (folder / ".githooks/pre-commit").chmod(0o755)
    for name in CLOSED:
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o700)
    return [f"made: {folder}", _guarded(folder)]


def _guarded(folder: Path) -> str:
    """Turn the hook on where the folder is, or becomes, the top of a repository."""
    try:
        top = _git(folder, "rev-parse", "--show-toplevel")
        if top is None:
            _git(folder, "init", "--quiet")
        elif Path(top) != folder.resolve():
            return f"not guarded yet: it lies in the repository {top}; {OWN}"
        if other := _git(folder, "config", "core.hooksPath"):
            return f"not guarded yet: git runs the hooks in {other}; {OWN}"
        _git(folder, "config", "core.hooksPath", ".githooks")
    except FileNotFoundError:
        hint = "then `git config core.hooksPath .githooks` turns the hook on"
        return f"not guarded: git is not installed ({hint})"
    return "guarded: git refuses to commit answers of people there (.githooks/pre-commit)"


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def first_study(
    folder: Path, file: Path, *, organisation: str, options: Sequence[str], reading: Callable[[str], None]
) -> list[str]:
    """Create a study in a new folder, draft it from its first file, and return lines of a summary.

    Parameters
    ----------
    organisation
        Column of the organisation; empty: all respondents belong to one.
    options
        Response options that the person gives, lowest first, separated by `; `.

    Raises
    ------
    SurveywavesError
        If the folder is not empty, the file cannot be read, or no statements can be identified.
    """
    name = f"resources/raw/{WAVE}/{file.name}"
    example: dict[str, Any] = {"title": "First survey", "period": "Spring 2008", "organisation": EVERYONE}
    pattern = WaveFile.model_construct(**example, layouts={}, codings={}, organisations_surveyed=(EVERYONE,))
    blank = Reference(Wave.model_construct(name="the file", file=pattern, crosswalk=()), {})
    (sheet,) = sheets_of(read_files({name: file}, {}, blank, reading=reading), blank, {})
    asked = [one for one in sheet.questions if one.cells in FEW]
    called = {one.name: [one.name, one.reference, *one.wordings] for one in asked}
    wanted = normalise(organisation)
    place = next((one for one in asked if wanted in map(normalise, called[one.name])), None)
    if organisation and place is None:
        raise SurveywavesError.at(file, f"has no column `{organisation}` with few different answers")
    given = [tuple(filter(None, map(str.strip, one.split(";")))) for one in options]
    on = {one.name: found for one in asked if one is not place and (found := _options(one, given))}
    # Options that no other question has most of are those of a grouping variable.
    alike = {one: sum(2 * len({*one} & {*other}) > len(one) for other in on.values()) for one in on.values()}
    on = {name: one for name, one in on.items() if one in given or alike[one] > 1}
    others = [one for one in asked if one is not place and one.name not in on]
    others = [one for one in others if one.cells is not Cells.NUMBERS]
    groups = [one for one in others if 1 < len(_levels(one)) <= MOST and _shown(one)]
    _refuse_unordered(file, groups, bool(on))
    blocks = list(_blocks([one for one in asked if one.name in on], on))
    page = _config(blocks, on, given, groups[:GROUPS], place)
    items = tuple(item for _, listed in blocks for item, _ in listed)
    study = Study(config=_settled(page), items=items, scales=(), events=(), waves=())
    survey(study, sheet, blank, earlier={})
    wave = wave_page(study, [sheet], blank)
    wave.content["organisations_surveyed"] = list(study.config.organisations)
    if place is None:
        named = f" ({few([f'`{one.reference}`' for one in groups])})" if groups else ""
        wave.content[ORGANISATION] = f"{OPEN}: {EVERYONE}, or draft anew with `--organisation COLUMN`{named}"
    keys = dict(_keys(blocks, on, read_raw(Source(name, file, sheet.layout))))
    said = new_study(folder)
    (folder / name).parent.mkdir(parents=True)
    shutil.copyfile(file, folder / name)
    heading = "Drafted by `surveywaves new`. What begins with TODO is for you to decide; `surveywaves check` lists it."
    told = ((one, keys.get(one.item, "+")) for one in items)
    rows = [(one.item, one.text, "1", one.scale or "", key, one.response_scale) for one, key in told]
    hint = "what its {} items measure, or take it out of items.tsv where they are no scale"
    titles = [(name, f"{OPEN}: {hint.format(len(listed))}") for name, listed in blocks if name]
    texts = {
        "config.yaml": page.text(heading),
        "items.tsv": table_text(ITEM_COLUMNS, rows),
        "scales.tsv": table_text(SCALE_COLUMNS, titles),
        f"waves/{WAVE}/wave.yaml": wave.text(heading),
        f"waves/{WAVE}/items.tsv": crosswalk_text(study, [sheet]),
    }
    for path, text in texts.items():
        write_text(text, str(folder / "config" / path))
    scored = count(sum(bool(scale) for scale, _ in blocks), "scale")
    returns, columns = count(sheet.files[0].returns.rows, "row"), count(len(sheet.questions), "column")
    left = f"{count(len(study.config.variables), 'grouping variable')}, {len(sheet.ignored)} to ignore"
    said.append(f"{name}: {returns}, {columns}: {count(len(items), 'statement')} in {scored}, {left}")
    bare = [f"`{one.reference}`" for one in sheet.fresh if one.cells is Cells.NUMBERS]
    if bare:
        hint = "if they are statements, say their options: `--options`"
        said.append(f"bare numbers: {few(bare)} (hint: {hint})")
    return said


def _options(question: Question, given: Sequence[Options]) -> Options | None:
    """Find the response options of a question, lowest first; None if they cannot be ordered."""
    labels = question.column.value_labels
    shown = [label for label in question.options.values() if label and reason(label) is None]
    for one in given:
        places = {label: place for place, label in enumerate(one)}
        if shown and sum(known_as(label, places) is not None for label in shown) > len(shown) / 2:
            return one
    bare = [value for cell in question.options if (value := number(cell)) is not None]
    if len(bare) == len(question.options) > 0 and not labels:
        fits = [one for one in given for low in (0, 1) if low <= min(bare) <= max(bare) < low + len(one)]
        return min(fits, key=len, default=None)
    told = {cell: labels.get(cell, cell) for cell in (*labels, *question.column.values)}
    numbers = {cell: number(cell) for cell in told if reason(told[cell]) is None}
    codes = {int(value): told[cell] for cell, value in numbers.items() if value is not None}
    # A code after a gap (8, 9, -99) is a missing reason, not an option.
    behind = groupby(enumerate(sorted(codes)), lambda one: one[1] - one[0])
    runs = [[code for _, code in run] for _, run in behind]
    best = max(runs, key=len, default=[])
    if not LEAST <= len(best) <= MOST or len(labels) < 2:
        return None
    found = tuple(codes[code] for code in best)
    lower = [bool(_LOW & set(words(label))) for label in (found[0], found[-1])]
    return found[::-1] if lower == [False, True] else found


def _levels(question: Question) -> dict[str, str]:
    """Return the levels of a grouping variable: name -> label."""
    declared = question.column.missing
    labels = [label or cell for cell, label in question.options.items() if cell not in declared]
    taken = {*RESERVED_LEVELS}
    named = (label for label in labels if reason(label) is None)
    return {_free(_slug(label) or _slug(f"of {label}") or "level", taken): label for label in named}


def _shown(question: Question) -> bool:
    """Check whether the answers may be written to a file that is committed, as options and not free text."""
    listed = bool(question.column.value_labels) or question.column.filled >= OFTEN * question.column.distinct
    return listed and not any(map(personal_text, _levels(question).values()))


def _refuse_unordered(file: Path, groups: Sequence[Question], any_asked: bool) -> None:
    """Raise an error if many questions have the same answers in words, whose order is unknown."""
    alike: dict[frozenset[str], list[Question]] = {}
    for one in groups:
        if one.cells is Cells.LABELS and len(one.options) >= LEAST:
            alike.setdefault(frozenset(one.options), []).append(one)
    labels, most = max(alike.items(), key=lambda one: len(one[1]), default=(frozenset[str](), []))
    if len(most) > LEAST:
        said = f"{len(most)} columns have the same answers in words, and nothing says which is the lowest"
        hint = f'say it: `--options "{"; ".join(sorted(labels))}"`, lowest first'
        raise SurveywavesError.at(file, said, hint)
    if not any_asked:
        hint = 'say them, lowest first: `--options "Disagree; Neither; Agree"`'
        raise SurveywavesError.at(file, "no question has response options with labels", hint)


def _blocks(questions: Sequence[Question], on: Mapping[str, Options]) -> Iterator[Block]:
    """Group adjacent statements with the same options and similar column names into scales."""
    different = enumerate(dict.fromkeys(on.values()), start=1)
    scales = {options: f"options_{place}" for place, options in different}
    taken = {*RESERVED}

    def block(question: Question) -> tuple[str, str]:
        # `team_help` and `team_rely`, `q4_1` and `q4_2`, `v5` and `v7` belong together.
        return scales[on[question.name]], re.sub(r"_.*$|\d+[a-z]?$", "", _slug(question.name))

    for place, ((scale, stem), held) in enumerate(groupby(questions, block), start=1):
        listed = list(held)
        called = _free(stem or f"part_{place}", taken) if len(listed) > 1 else ""
        items = []
        for order, question in enumerate(listed, start=1):
            name = _free(_slug(question.name) or f"{called or 'item'}_{order}", taken)
            text = " ".join(question.wording.split())
            item = Item(item=name, text=text, section=1, scale=called or None, response_scale=scale)
            items.append((item, question))
        yield called, items


def _slug(text: str) -> str:
    """Turn a column's name into a valid name; empty if it is too long, as a statement is."""
    name = re.sub(r"[^a-z0-9]+", "_", unicodedata.normalize("NFKD", text).casefold()).strip("_")
    return name if re.fullmatch(r"[a-z]\w{0,24}", name) else ""


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and mark it as taken."""
    found = unique(name, taken)
    taken.add(found)
    return found


def _config(
    blocks: Sequence[Block],
    on: Mapping[str, Options],
    given: Sequence[Options],
    groups: Sequence[Question],
    place: Question | None,
) -> Page:
    """Draft `config.yaml`."""
    scales = {}
    for _, listed in blocks:
        for item, question in listed:
            labels = on[question.name]
            upper = list(range(len(labels) // 2 + len(labels) % 2 + 1, len(labels) + 1))
            turned = f'`--options "{"; ".join(labels[::-1])}"`'
            called = f"{upper}, if `labels` go from the lowest up; if not, draft anew: {turned}"
            scales[item.response_scale] = {
                "labels": list(labels),
                "short": [str(value) for value in range(1, len(labels) + 1)],
                "favourable": upper if labels in given else f"{OPEN}: {called}",
            }
    taken = {*RESERVED, *(item.item for _, listed in blocks for item, _ in listed)}
    variables = {
        _free(_slug(one.name) or f"group_{number_of}", taken): {"label": one.wording, "levels": _levels(one)}
        for number_of, one in enumerate(groups, start=1)
    }
    content = {
        "title": f"{OPEN}: what the report is called",
        "description": f"{OPEN}: what was studied, in a sentence or two; the report opens with it",
        "waves": [WAVE],
        "reference_wave": WAVE,
        "seed": 1,
        "sections": {1: "Questions"},
        "response_scales": scales,
        "organisations": _levels(place) if place else {EVERYONE: "Everyone"},
        **({"variables": variables} if variables else {}),
    }
    return Page(content, {("response_scales", name, "short"): "for the heads of tables" for name in scales})


def _settled(page: Page) -> Config:
    """Return the configuration with a provisional choice of favourable options."""
    scales = {name: {**one, "favourable": [1]} for name, one in page.content["response_scales"].items()}
    return Config.model_validate({**page.content, "response_scales": scales})


def _keys(blocks: Sequence[Block], on: Mapping[str, Options], table: RawTable) -> Iterator[tuple[str, str]]:
    """Yield the items that correlate negatively with the rest of their block, with the decision about their key."""
    for called, listed in blocks:
        columns = []
        for _, question in listed:
            places = dict(zip(on[question.name], range(MOST), strict=False))
            known = {cell: known_as(label or cell, places) for cell, label in question.options.items()}
            column = table.columns[table.names.index(question.name)]
            values = np.array([*(known.get(text) for text in column.listed()), None], dtype=float)
            columns.append(values[np.where(column.filled, column.codes, -1)])
        answers = np.array(columns).T
        answers = answers[~np.isnan(answers).any(axis=1)]
        if not called or len(answers) < LEAST or (answers.std(axis=0) == 0).any():
            continue
        for (item, _), own, rest in zip(listed, answers.T, answers.sum(axis=1) - answers.T, strict=True):
            if (correlation := np.corrcoef(own, rest)[0, 1]) < AGAINST:
                yield item.item, f"{OPEN}: + or - (correlates {correlation:.2f} with the rest of {called})"
