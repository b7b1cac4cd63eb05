"""From raw files to the folder of a wave."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from surveywaves.adding.codings import Draft
from surveywaves.adding.diff import Diff, diff
from surveywaves.adding.draft import crosswalk_rows, crosswalk_text, wave_yaml
from surveywaves.adding.questions import read_wordings
from surveywaves.adding.reference import Reference, refer_to
from surveywaves.adding.survey import Sheet, read_files, sheets_of, survey
from surveywaves.errors import Mistake, StudyError
from surveywaves.study import Study, Wave
from surveywaves.study.base import Name
from surveywaves.study.load import OPEN
from surveywaves.wording import nearest


@dataclass(frozen=True, slots=True)
class Addition:
    """A wave that is about to be added.

    Parameters
    ----------
    texts
        Name of a file in the wave's folder -> what it shall hold.
    sheets
        The wave's layouts.
    reference
        The wave it is modelled on.
    diff
        What became of the questionnaire.
    warnings
        What a person should know before going on.
    """

    wave: str
    texts: Mapping[str, str]
    sheets: Sequence[Sheet]
    reference: Reference
    diff: Diff
    warnings: Sequence[str]


def add_wave(
    study: Study,
    *,
    wave: str,
    like: str,
    paths: Sequence[Path],
    root: Path,
    given: Mapping[str, Any],
    wordings: Path | None,
    reading: Callable[[str], None],
) -> Addition:
    """Describe a new wave from its raw files.

    Parameters
    ----------
    study
        The study without the wave.
    wave, like
        Its name; the wave that it is held against and modelled on.
    paths
        Its raw files.
    root
        The folder that the study's paths start from.
    given
        Keys of a layout that the person knows: `format`, `encoding`, `sheet`, `header_rows`.
    wordings
        A list of what each column asks, for files that have codes only.
    reading
        Told the name of each file before it is read.

    Raises
    ------
    StudyError
        If the names will not do.
    RawFileError
        If a file cannot be read.
    """
    _check_name(wave)
    reference = refer_to(study, _known_wave(study, like), root, reading=reading)
    names = _names(paths, root)
    files = read_files(names, dict(given), reference, reading=reading)
    columns = [column.name for file in files for column in file.columns]
    asked = read_wordings(wordings, columns) if wordings else {}
    sheets = sheets_of(files, reference, asked)
    codings: dict[str, Draft] = {}
    for sheet in sheets:
        survey(study, sheet, reference, earlier=codings)
        codings |= sheet.codings.drafts
    texts = {
        "wave.yaml": wave_yaml(study, sheets, reference),
        "items.tsv": crosswalk_text(crosswalk_rows(study, sheets)),
    }
    found = diff(study, sheets, reference)
    outside = [name for name in names if Path(name).is_absolute()]
    warnings = [
        f"{name} lies outside the study's folder: the study will not run elsewhere (resources/raw/ is the place)"
        for name in outside
    ]
    warnings += [
        f"{sheet.files[0].name} does not say what its codes ask; give a list that does (`--questions`)"
        for sheet in sheets
        if any(match.question and match.score is None for match in sheet.matches)
    ]
    warnings += [
        f"{sheet.files[0].name} has numbers for answers; an export of the answers' texts would leave less to decide"
        for sheet in sheets
        if sheet.layout.format == "surveymonkey" and (sheet.codings.default or "").startswith(OPEN)
    ]
    return Addition(wave, texts, sheets, reference, found, [*warnings, *found.warnings])


def write(addition: Addition, home: Path) -> None:
    """Write the wave's folder, whole or not at all; one that is there is left alone.

    Raises
    ------
    StudyError
        If the folder is there, or cannot be made.
    """
    refuse_existing(home)
    part = home.with_name(f".{home.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, text in addition.texts.items():
            (part / name).write_text(text, encoding="utf-8")
        part.rename(home)
    except OSError as error:
        raise StudyError.at(home, f"cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def refuse_existing(home: Path) -> None:
    """Raise an error if a wave's folder is there: what a person has decided is not written over."""
    if home.exists():
        raise StudyError.at(
            home, "the wave is described already", "edit it, or take the folder away to have it drafted anew"
        )


def _check_name(wave: str) -> None:
    try:
        TypeAdapter(Name).validate_python(wave)
    except ValidationError as error:
        raise StudyError.at(
            f"--wave {wave}",
            "no name for a wave",
            "lower-case letters, digits and _, starting with a letter, at most 29",
        ) from error


def _known_wave(study: Study, like: str) -> Wave:
    names = [wave.name for wave in study.waves]
    if like not in names:
        near = nearest(like, names)
        hint = f"did you mean `{near}`?" if near else f"waves of the study: {', '.join(names) or 'none'}"
        raise StudyError.at(f"--like {like}", "the study has no such wave", hint)
    return study.wave(like)


def _names(paths: Sequence[Path], root: Path) -> dict[str, Path]:
    """Name the files as the study will: by the path from its folder, or in full if they lie outside."""
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
