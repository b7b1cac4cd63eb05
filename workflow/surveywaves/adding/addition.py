"""From raw files to the folder of a wave, and to its place on the list of waves in `config.yaml`.

`narrate` summarises for the screen what was recognised and drafted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from surveywaves.adding.codings import Draft, is_open
from surveywaves.adding.diff import SHOWN, Diff, File, Sheet, diff, read_files, sheets_of, survey
from surveywaves.adding.draft import crosswalk_text, wave_page
from surveywaves.adding.match import Reference, refer_to
from surveywaves.adding.questions import Cells, read_list
from surveywaves.errors import Mistake, StudyError
from surveywaves.files import write_text
from surveywaves.ingest.guess import BINARY
from surveywaves.study import Study
from surveywaves.study.load import OPEN, UNDECIDED
from surveywaves.study.settings import Name
from surveywaves.text import count, did_you_mean


def line_to_add(waves: list[str], wave: str) -> str:
    """Return the line of `config.yaml` that includes the wave."""
    return f"waves: [{', '.join([*waves, wave])}]"


def enlist(path: Path, wave: str) -> None:
    """Add a wave at the end of `waves:` in `config.yaml`; comments and all else stay.

    Raises
    ------
    StudyError
        If the list is written in a way that cannot be extended safely.
    """
    text = path.read_text(encoding="utf-8")
    before = yaml.safe_load(text)
    if wave in before["waves"]:
        return
    top: Any = yaml.compose(text)
    listed = next(held for key, held in top.value if key.value == "waves")
    last = listed.value[-1]
    line = "" if listed.flow_style else text[last.end_mark.index :].partition("\n")[0]
    end = last.end_mark.index + len(line)
    more = f", {wave}" if listed.flow_style else f"\n{' ' * (last.start_mark.column - 2)}- {wave}"
    changed = text[:end] + more + text[end:]
    expected = {**before, "waves": [*before["waves"], wave]}
    if yaml.safe_load(changed) != expected:
        what = "cannot be added to safely"
        raise StudyError.at(f"{path}: waves", what, f"write `{line_to_add(before['waves'], wave)}` there")
    write_text(changed, str(path))


@dataclass(frozen=True, slots=True)
class Addition:
    """A wave that is about to be added."""

    wave: str
    texts: Mapping[str, str]  # name of a file in the wave's folder -> its content
    sheets: Sequence[Sheet]  # the wave's layouts
    reference: Reference  # the wave it is modelled on
    diff: Diff  # changes to the questionnaire
    warnings: Sequence[str]  # problems that a person should look at first


def add_wave(
    study: Study,
    *,
    wave: str,
    like: str,
    paths: Sequence[Path],
    root: Path,
    given: Mapping[str, Any],
    wordings: Path | None,
    codebook: Path | None = None,
    reading: Callable[[str], None],
) -> Addition:
    """Describe a new wave from its raw files.

    Parameters
    ----------
    study
        The study without the wave.
    wave, like
        Its name; the wave that it is compared with and modelled on.
    paths, root
        Its raw files; the folder that the study's paths start from.
    given
        Keys of a layout that the person knows: `format`, `encoding`, `sheet`, `header_rows`.
    wordings, codebook
        List of the wording of each column, for files that have codes only; list of the label of each code.
    reading
        Called with the name of each file before it is read.

    Raises
    ------
    StudyError, RawFileError
        If a name is not valid, or a file cannot be read.
    """
    _refuse_names(study, wave, like)
    reference = refer_to(study, study.wave(like), root, reading=reading)
    names = _names(paths, root)
    files = read_files(names, dict(given), reference, reading=reading)
    columns = [column.name for file in files for column in file.columns]
    asked = read_list(wordings, columns, "column, wording") if wordings else []
    labels = read_list(codebook, columns, "column, code, label") if codebook else []
    sheets = sheets_of(files, reference, dict(asked), labels)
    codings: dict[str, Draft] = {}
    for sheet in sheets:
        survey(study, sheet, reference, earlier=codings)
        codings |= sheet.codings.drafts
    heading = (
        f"Drafted by `surveywaves add-wave` from {like}. A value that begins with {OPEN} is for you to decide;\n"
        "# `surveywaves check` lists them. Keys: config/README.md."
    )
    page = wave_page(study, sheets, reference).text(heading)
    texts = {"wave.yaml": page, "items.tsv": crosswalk_text(study, sheets)}
    found = diff(study, sheets, reference)
    said = "lies outside the study's folder: the study will not run elsewhere (resources/raw/ is the place)"
    warnings = [f"{name} {said}" for name in names if Path(name).is_absolute()]
    for sheet in sheets:
        name = sheet.files[0].name
        if any(match.question and match.score is None and match.open for match in sheet.matches):
            warnings.append(f"{name} does not say what its codes ask; give a list that does (`--questions`)")
        if sheet.layout.format == "surveymonkey" and is_open(sheet.codings.default):
            said = "has numbers for answers; an export of the answers' texts would leave less to decide"
            warnings.append(f"{name} {said}")
    return Addition(wave, texts, sheets, reference, found, [*warnings, *found.warnings])


def write(addition: Addition, home: Path) -> None:
    """Write the wave's folder, completely or not at all; an existing folder is left unchanged.

    Raises
    ------
    StudyError
        If the folder exists, or cannot be made.
    """
    refuse_existing(home)
    part = home.with_name(f".{home.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, text in addition.texts.items():
            write_text(text, str(part / name))
        part.rename(home)
    except OSError as error:
        raise StudyError.at(home, f"cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def refuse_existing(home: Path) -> None:
    """Raise an error if a wave's folder exists: decisions of a person are not overwritten."""
    if home.exists():
        what = "the wave is described already"
        raise StudyError.at(home, what, "edit it, or take the folder away to have it drafted anew")


def _refuse_names(study: Study, wave: str, like: str) -> None:
    """Raise an error for a name that no wave can have, or a pattern that the study does not have."""
    try:
        TypeAdapter(Name).validate_python(wave)
    except ValidationError as error:
        hint = "lower-case letters, digits and _, starting with a letter, at most 29"
        raise StudyError.at(f"--wave {wave}", "no name for a wave", hint) from error
    names = [one.name for one in study.waves]
    if like not in names:
        hint = did_you_mean(like, names, f"waves of the study: {', '.join(names) or 'none'}")
        raise StudyError.at(f"--like {like}", "the study has no such wave", hint)


def _names(paths: Sequence[Path], root: Path) -> dict[str, Path]:
    """Name the files as the study will: by the path relative to its folder, or in full if they lie outside."""
    found: dict[str, Path] = {}
    mistakes = []
    for path in paths:
        whole = Path(os.path.normpath(root.absolute() / path))
        inside = whole.is_relative_to(root.absolute())
        name = whole.relative_to(root.absolute()).as_posix() if inside else whole.as_posix()
        if name in found:
            mistakes.append(Mistake(name, "is given twice", "name each file once"))
        found[name] = whole
    if mistakes:
        raise StudyError(mistakes)
    return found


def narrate(addition: Addition) -> Iterator[str]:
    """Yield lines on what was recognised, and on changes to the questionnaire."""
    for sheet in addition.sheets:
        for file in sheet.files:
            yield from _recognised(file, sheet)
    last = addition.reference.wave
    yield ""
    yield f"The questionnaire, held against {last.name} ({last.file.title}):"
    for kind, lines in addition.diff.parts.items():
        shown = [count(len(lines), "item")] if kind == "same wording" else [*lines[:SHOWN]]
        if len(lines) > SHOWN and kind != "same wording":
            shown.append(f"and {len(lines) - SHOWN} more")
        for number, line in enumerate(shown):
            yield f"  {'' if number else kind:<18} {line}"
    if addition.warnings:
        yield ""
        yield from (f"WARNING: {warning}" for warning in addition.warnings)


def grouped(decisions: Sequence[Mistake]) -> Iterator[str]:
    """Yield the open decisions, each with its number of rows if it occurs in several rows of the crosswalk."""
    found: dict[tuple[str, str], list[str]] = {}
    for decision in decisions:
        column = decision.where.rpartition(", column ")[2]
        said = decision.hint if decision.what == UNDECIDED else f"{decision.what} {decision.hint}".strip()
        # Each line of a map is a separate decision, even if the texts are the same.
        found.setdefault((column, said), []).append(decision.where)
    for (_, said), places in found.items():
        more = f" (and {len(places) - 1} more rows)" if len(places) > 1 else ""
        yield f"{places[0]}{more}: {said}".removesuffix(": ")


def _recognised(file: File, sheet: Sheet) -> Iterator[str]:
    layout, returns = file.layout, file.returns
    said = {"format": layout.format, "encoding": layout.encoding, "worksheet": layout.sheet}
    binary = layout.format in BINARY.values() or file.name.lower().endswith(".parquet")
    if binary or file.name.lower().endswith((".xlsx", ".xlsm")):
        said.pop("encoding")
    described = ", ".join(f"{key} {value}" for key, value in said.items() if value)
    rows = count(returns.rows, "row") + ("" if binary else f", below {count(returns.header, 'header row')}")
    if returns.repeated:
        rows += f"; in `{returns.respondent}` {count(returns.repeated, 'identifier')} more than once"
    for column, marks in returns.excluded.items():
        gone = sum(times for times, _ in marks.values())
        rows += f"; {gone} to exclude (`{column}`: {', '.join(mark or '(blank)' for mark in marks)})"
    asked = [match.question for match in sheet.matches if match.question]
    kinds = [kind for kind in Cells if any(one.cells is kind for one in asked)]
    modelled = f", modelled on {sheet.like}" if sheet.like not in {None, sheet.name} else ""
    yield file.name
    yield f"  {described}; layout `{sheet.name}`{modelled}"
    yield f"  {rows}"
    yield (
        f"  {count(len(file.columns), 'column')}: {count(len(asked), 'item')} of {len(sheet.matches)}, "
        f"{count(len(sheet.sources), 'grouping variable')}, {count(len(sheet.fresh), 'new question')}, "
        f"{len(sheet.ignored)} to ignore"
    )
    yield from (f"  {said}" for said in returns.said[:SHOWN])
    yield f"  items are coded as {' and '.join(kinds) or 'nothing that could be read'}"
    if returns.starts is not None:
        days = " or ".join(f"{first} to {last} ({way})" for way, (first, last) in returns.starts.items())
        yield f"  first and last return: {days or 'in no way known'}"
