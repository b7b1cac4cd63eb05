"""What was recognised and drafted, in lines for a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from surveywaves.adding.addition import Addition
from surveywaves.adding.diff import SHOWN
from surveywaves.adding.questions import Cells
from surveywaves.adding.survey import File, Sheet
from surveywaves.adding.words import count
from surveywaves.errors import Mistake
from surveywaves.study.load import UNDECIDED

HEADINGS: Final = {
    "same": "same wording",
    "reworded": "reworded",
    "to decide": "to decide",
    "moved": "moved",
    "new": "new",
    "dropped": "dropped",
    "options": "response options",
    "variables": "grouping variables",
}


def narrate(addition: Addition) -> Iterator[str]:
    """Say in lines what was recognised, and what became of the questionnaire."""
    for sheet in addition.sheets:
        for file in sheet.files:
            yield from _recognised(file, sheet)
    last = addition.reference.wave
    yield ""
    yield f"The questionnaire, held against {last.name} ({last.file.title}):"
    for kind, heading in HEADINGS.items():
        lines = addition.diff.parts.get(kind, ())
        if kind == "same":
            yield f"  {heading:<18} {count(len(lines), 'item')}"
            continue
        for number, line in enumerate(lines[:SHOWN]):
            yield f"  {heading if number == 0 else '':<18} {line}"
        if len(lines) > SHOWN:
            yield f"  {'':<18} and {len(lines) - SHOWN} more"
    if addition.warnings:
        yield ""
        yield from (f"WARNING: {warning}" for warning in addition.warnings)


def grouped(decisions: Sequence[Mistake]) -> Iterator[str]:
    """Say what is to be decided; the same decision in row after row of the crosswalk is said once."""
    found: dict[tuple[str, str], list[str]] = {}
    for decision in decisions:
        column = decision.where.rpartition(", column ")[2]
        said = decision.hint if decision.what == UNDECIDED else f"{decision.what} {decision.hint}".strip()
        # Each line of a map is a decision of its own, however alike they sound.
        found.setdefault((column, said), []).append(decision.where)
    for (_, said), places in found.items():
        more = f" (and {len(places) - 1} more rows)" if len(places) > 1 else ""
        yield f"{places[0]}{more}: {said}".removesuffix(": ")


def _recognised(file: File, sheet: Sheet) -> Iterator[str]:
    layout, returns = file.layout, file.returns
    said = {"format": layout.format, "encoding": layout.encoding, "worksheet": layout.sheet}
    if layout.format in {"spss", "stata"} or file.name.lower().endswith((".xlsx", ".xlsm", ".parquet")):
        said.pop("encoding")
    described = ", ".join(f"{key} {value}" for key, value in said.items() if value)
    binary = layout.format in {"spss", "stata"} or file.name.lower().endswith(".parquet")
    rows = count(returns.rows, "row") + ("" if binary else f", below {count(returns.header, 'header row')}")
    if returns.repeated:
        rows += f"; in `{returns.respondent}` {count(returns.repeated, 'identifier')} more than once"
    for column, marks in returns.excluded.items():
        tests = count(sum(marks.values()), "test response")
        rows += f"; {tests} (`{column}`: {', '.join(marks)})"
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
    yield f"  items are coded as {' and '.join(kinds) or 'nothing that could be read'}"
    if returns.starts:
        yield f"  first and last return: {_days(returns.starts.days)}"


def _days(ways: Mapping[str, Sequence[Any]]) -> str:
    return " or ".join(f"{days[0]} to {days[1]} ({way})" for way, days in ways.items()) or "in no way known"
