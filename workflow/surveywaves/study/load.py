"""Reading a study's files into models, with every mistake found at once."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from surveywaves.errors import Mistake, StudyError
from surveywaves.study.checks import check_study
from surveywaves.study.models import Config, CrosswalkRow, Event, Item, Scale, Study, Wave, WaveFile
from surveywaves.study.qualitative import (
    SEPARATOR,
    Code,
    Qualitative,
    QualitativeFile,
    Theme,
    check_qualitative,
)
from surveywaves.text import did_you_mean

M = TypeVar("M", bound=BaseModel)

CROSSWALK_COLUMNS = ("item", "coding", "comparability", "wording", "note")
"""Columns of a wave's `items.tsv` that are not named after a layout."""

QUALITATIVE = "qualitative.yaml"
"""File that describes the coded material; it is absent if the study has none."""

OPEN = "TODO"
"""How a value begins that nobody has decided yet; what follows says between what."""

UNDECIDED = "still to decide"
"""What an open decision is called among the mistakes."""


OPTIONS = ("study", "pin", "allow_dirty", "allow_stale", "allow_unreleased", "allow_unremembered", "prove")
"""What `--config` may say: where the study is described, and how to pin."""


def known_options(config: Collection[str]) -> None:
    """Refuse what `--config` may not say, so that nobody takes it for done.

    Raises
    ------
    StudyError
        With a line for each unknown key.
    """
    other = "settings of the study stand in its config.yaml"
    if unknown := [key for key in config if key not in OPTIONS]:
        raise StudyError(
            Mistake("--config", f"unknown key `{key}`", did_you_mean(key, OPTIONS, other, whole=True))
            for key in unknown
        )


def load_study(folder: Path, *, without: str | None = None) -> Study:
    """Read everything under a configuration folder.

    A value that begins with `OPEN` is an open decision: it is told as such, and nothing else that follows from it.

    Parameters
    ----------
    folder
        The folder that holds `config.yaml`.
    without
        A wave to leave out although `config.yaml` may list it: the one that is being added.

    Raises
    ------
    StudyError
        With one line for every mistake and every open decision in any of the files. What a broken file would have
        been checked against is not checked until it is mended.
    """
    mistakes: list[Mistake] = []
    config = _model(Config, folder / "config.yaml", mistakes)
    if config and without in config.waves:
        config = config.model_copy(update={"waves": tuple(name for name in config.waves if name != without)})
    items = _table(Item, folder / "items.tsv", mistakes)
    frameworks = sorted(config.frameworks) if config else None
    scales = _table(Scale, folder / "scales.tsv", mistakes, frameworks=frameworks)
    events = _table(Event, folder / "events.tsv", mistakes) if (folder / "events.tsv").exists() else ()
    # Where config.yaml is broken, the waves are those that have a folder: their mistakes are worth knowing as well.
    names = config.waves if config else sorted(path.parent.name for path in folder.glob("waves/*/wave.yaml"))
    names = tuple(name for name in names if name != without)
    waves = [wave for name in names if (wave := _wave(name, folder, mistakes))]
    qualitative = _qualitative(folder, config, scales, mistakes) if (folder / QUALITATIVE).exists() else None
    if config is None or mistakes:
        raise StudyError(mistakes)
    study = Study(
        config=config, items=items, scales=scales, events=events, waves=tuple(waves), qualitative=qualitative
    )
    if mistakes := list(check_study(study, folder)):
        raise StudyError(mistakes)
    # The rows of a crosswalk have no order of their own.
    place = {item.item: number for number, item in enumerate(study.items)}
    ordered = (tuple(sorted(wave.crosswalk, key=lambda row: place[row.item])) for wave in study.waves)
    pairs = zip(study.waves, ordered, strict=True)
    waves = [wave.model_copy(update={"crosswalk": rows}) for wave, rows in pairs]
    return study.model_copy(update={"waves": tuple(waves)})


def _qualitative(
    folder: Path, config: Config | None, scales: tuple[Scale, ...], mistakes: list[Mistake]
) -> Qualitative | None:
    """Read the files of the coded material, and check them against the study if its own files could be read."""
    file = _model(QualitativeFile, folder / QUALITATIVE, mistakes)
    codes = _table(Code, folder / "codes.tsv", mistakes)
    frameworks = sorted(config.frameworks) if config else None
    themes = _table(Theme, folder / "themes.tsv", mistakes, frameworks=frameworks)
    if file is None or config is None:
        return None
    found = Qualitative(file=file, codes=codes, themes=themes)
    spoken = {
        name: {entry for scale in scales for entry in scale.frameworks.get(name, "").split(SEPARATOR)}
        for name in config.frameworks
    }
    mistakes += check_qualitative(
        found, folder, waves=config.waves, organisations=config.organisations, frameworks=spoken
    )
    return found


def mistakes_of_wave(folder: Path, name: str) -> list[Mistake]:
    """List the mistakes and open decisions in a wave's own files, whether the study has the wave yet or not."""
    mistakes: list[Mistake] = []
    _wave(name, folder, mistakes)
    return mistakes


def _wave(name: str, folder: Path, mistakes: list[Mistake]) -> Wave | None:
    home = folder / "waves" / name
    if not home.is_dir():
        known = sorted(path.name for path in (folder / "waves").glob("*/"))
        hint = did_you_mean(name, known, f"describe the wave in {home / 'wave.yaml'}")
        told = f"unknown wave `{name}`: there is no folder {home}"
        mistakes.append(Mistake(f"{folder / 'config.yaml'}: waves", told, hint))
        return None
    file = _model(WaveFile, home / "wave.yaml", mistakes)
    # Without the layouts, the columns of a crosswalk mean nothing.
    layouts = list(file.layouts) if file else None
    crosswalk = _table(CrosswalkRow, home / "items.tsv", mistakes, columns=layouts)
    return Wave(name=name, file=file, crosswalk=crosswalk) if file else None


# --- one file at a time ---------------------------------------------------------------------------------------

Place = tuple[str, ...]
"""Keys that lead to a value in a file."""

_OPEN = re.compile(rf"\s*{OPEN}\b\s*:?")

DEEPEST = 30
"""Levels that a YAML file may be nested."""

MOST = 100_000
"""Values that a YAML file may come to."""

LARGEST = 1_000_000
"""Bytes of a file of the configuration."""

FIRST_ROW = 2  # as a spreadsheet numbers them: the header is row 1


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which keys are text, and a key that stands twice is a mistake, not a silent replacement.

    Of YAML's own words only `true`, `false`, `null` and `~` are left: `yes`, `on`, `=`, `<<` and `2:30` are labels.
    """

    depth = 0
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (its base declares it so)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            problem = f"nested more than {DEEPEST} deep"
            raise yaml.composer.ComposerError(None, None, problem, self.get_mark())
        found: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return found

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            problem = ""
            if not isinstance(key_node, yaml.ScalarNode):
                problem = (
                    "a list or mapping stands where a key should: labels such as `?` and `[x]` need quotes"
                )
            elif key_node.value in seen:
                problem = f"the key `{key_node.value}` stands twice"
            if problem:
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            key_node.tag = "tag:yaml.org,2002:str"
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


for _kind, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
):
    _UniqueKeys.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def _model(model: type[M], path: Path, mistakes: list[Mistake]) -> M | None:
    text = _text(path, mistakes)
    if text is None:
        return None
    try:
        loader = _UniqueKeys(text)
        node = loader.get_single_node()
        _refuse_aliases(node, {})
        content = loader.construct_document(node) if node else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        told = isinstance(error, yaml.constructor.ConstructorError) and "tag" not in problem
        hint = "a label that begins with a sign (`*`, `&`, `!`, `%`, `@`, `- `, `? `) needs quotes"
        mistakes.append(Mistake(where, f"not valid YAML: {problem}", "" if told else hint))
        return None
    if not isinstance(content, dict):
        mistakes.append(Mistake(str(path), "empty, or not a list of `key: value` lines"))
        return None
    undecided = dict(_undecided(node, str(path))) if node else {}
    mistakes += undecided.values()
    found = _validated(model, content, str(path), mistakes, undecided)
    return found[0] if found and not undecided else None


def _refuse_aliases(node: yaml.Node | None, sizes: dict[int, int]) -> int:
    """Count what a node comes to with its aliases written out, and refuse what nobody could have written.

    Raises
    ------
    yaml.composer.ComposerError
        If it is more than `MOST` values, or a value holds itself.
    """
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in sizes:
        sizes[id(node)] = MOST  # met again before it is counted: it holds itself
        inside = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
        sizes[id(node)] = 1 + sum(_refuse_aliases(part, sizes) for part in inside)
    if sizes[id(node)] > MOST:
        problem = f"with its aliases (`*name`) it comes to more than {MOST:,} values"
        raise yaml.composer.ComposerError(None, None, problem, node.start_mark)
    return sizes[id(node)]


def _undecided(node: yaml.Node, path: str, place: Place = ()) -> Iterator[tuple[Place, Mistake]]:
    """Yield the place of each open decision under a node, and how to tell it."""
    if isinstance(node, yaml.ScalarNode):
        if (hint := _open_decision(node.value)) is not None:
            where = f"{path}, line {node.start_mark.line + 1}: {'.'.join(place)}"
            yield place, Mistake(where, UNDECIDED, hint)
    elif isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield from _undecided(entry, path, (*place, str(number)))
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inside = (*place, str(key.value))
            yield from _undecided(key, path, inside)
            yield from _undecided(value, path, inside)


def _open_decision(value: str) -> str | None:
    """Return the words of an open decision; None where the value is not one."""
    found = _OPEN.match(value)
    return value[found.end() :].strip() if found else None


def _table(
    model: type[M], path: Path, mistakes: list[Mistake], **gathered: Sequence[str] | None
) -> tuple[M, ...]:
    """Read a table into models; of one with a column that nothing knows, only that is told.

    `gathered` names keys that hold several columns, as in ``frameworks=["dowling", "hudson"]``; None: all columns
    that are no key of the model.
    """
    rows = _rows(path, mistakes)
    own = [name for name in model.model_fields if name not in gathered]
    others = [name for name in (rows[0][1] if rows else ()) if name not in own]
    held = {key: others if columns is None else columns for key, columns in gathered.items()}
    known = [*own, *(name for columns in held.values() for name in columns)]
    if unknown := [name for name in others if name not in known]:
        hint = f"columns are {', '.join(known)}"
        mistakes += [
            Mistake(f"{path}: column {name}", "unknown column", did_you_mean(name, known, hint))
            for name in unknown
        ]
        return ()
    models: list[M] = []
    for number, cells in rows:
        filled = {name: cell for name, cell in cells.items() if cell}
        given: dict[str, Any] = {name: filled[name] for name in own if name in filled}
        for key, columns in held.items():
            given[key] = {name: filled[name] for name in columns if name in filled}
        models += _validated(model, given, f"{path}, row {number}", mistakes)
    return tuple(models)


def _rows(path: Path, mistakes: list[Mistake]) -> list[tuple[int, dict[str, str]]]:
    text = _text(path, mistakes)
    if text is None:
        return []
    lines = list(csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    if not lines:
        mistakes.append(Mistake(str(path), "empty file", "the first row names the columns"))
        return []
    header, rows = lines[0], []
    for number, cells in enumerate(lines[1:], start=FIRST_ROW):
        if not any(cells) or cells[0].startswith("#"):
            continue
        if len(cells) > len(header):
            told = f"{len(cells)} cells under {len(header)} columns"
            mistakes.append(Mistake(f"{path}, row {number}", told, "cells are separated by one tab"))
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        undecided = [
            Mistake(f"{path}, row {number}, column {column}", UNDECIDED, hint)
            for column, cell in row.items()
            if (hint := _open_decision(cell)) is not None
        ]
        mistakes += undecided
        if not undecided:
            rows.append((number, row))
    return rows


def _text(path: Path, mistakes: list[Mistake]) -> str | None:
    try:
        if (size := path.stat().st_size) > LARGEST:
            what = f"{size / 1e6:.0f} MB; a file of the configuration has at most {LARGEST / 1e6:.0f}"
            mistakes.append(Mistake(str(path), what, "are these data?"))
            return None
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        mistakes.append(Mistake(str(path), "no such file"))
    except UnicodeDecodeError as error:
        mistakes.append(Mistake(str(path), f"not UTF-8 text (byte {error.start})", "save it as UTF-8"))
    except OSError as error:
        mistakes.append(Mistake(str(path), f"cannot be read: {error.strerror}"))
    return None


def _validated(
    model: type[M],
    content: dict[str, Any],
    where: str,
    mistakes: list[Mistake],
    undecided: Collection[Place] = (),
) -> list[M]:
    """Validate, and tell every mistake but those that only say that something is undecided."""
    try:
        return [model.model_validate(content)]
    except ValidationError as error:
        for one in error.errors(include_url=False):
            if undecided and _follows(one, content, undecided):
                continue
            place = ".".join(str(part) for part in one["loc"] if part not in ("[key]",))
            mistakes.append(Mistake(f"{where}: {place}" if place else where, *_in_words(model, one)))
        return []


def _follows(error: Any, content: object, undecided: Collection[Place]) -> bool:
    """Whether an error lies at an open decision, in one, or in what holds one and was checked as a whole."""
    if error["type"] in {"missing", "extra_forbidden"}:
        return False
    place: list[str] = []
    for part in error["loc"]:  # pydantic names the alternatives of a union as well: they are no keys
        if isinstance(content, dict) and str(part) in (keys := {str(key): key for key in content}):
            content = content[keys[str(part)]]
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
        else:
            continue
        place.append(str(part))
    return any(all(one == other for one, other in zip(place, open_at, strict=False)) for open_at in undecided)


_CONSTANT = "a level that applies to all returns goes under `constants` of a layout or file"


def _in_words(model: type[BaseModel], error: Any) -> tuple[str, str]:
    """Return what pydantic found in words for someone who has never heard of it."""
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return "unknown key", did_you_mean(str(error["loc"][-1]), sorted(_keys(model)), whole=True)
    if kind == "missing":
        return "missing", ""
    if kind == "string_pattern_mismatch":
        hint = "lower-case letters, digits and _ only, starting with a letter; colours as #rrggbb"
        return f"`{given}` is not allowed", hint
    if given is None and kind != "value_error":
        return "nothing stands here", "write it, or take the line out; a label `~` needs quotes"
    if kind == "string_type" and isinstance(given, dict | list):
        return "not text: YAML reads it as a list or mapping", "a label such as `?` or `a: b` needs quotes"
    if kind == "string_type":
        return f"not text: YAML reads it as {given!r}", "put it in quotes"
    if kind == "tuple_type":
        return f"not a list: `{given}`", f"`[{given}]`"
    if kind == "model_type":
        hint = _CONSTANT if "variables" in error["loc"] else ""
        return f"`{given}` stands where lines of `key: value` should", hint
    message = error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return (message, "") if kind == "value_error" else (f"{message} (given: {given!r})", "")


def _keys(model: type[BaseModel]) -> set[str]:
    """Name every key that the model or a model in it knows."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}
