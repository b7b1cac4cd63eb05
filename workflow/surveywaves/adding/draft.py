"""Draft the description of a new wave from its files; what they do not show is left as decisions for a person.

The draft is YAML as a person would write it: with comments, in the order given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from surveywaves.adding.codings import Value, grade_of, is_open
from surveywaves.adding.diff import Sheet
from surveywaves.adding.match import REASONS, Match, Reference, Source, nearest_items
from surveywaves.adding.questions import Cells, Question
from surveywaves.personal import personal_text
from surveywaves.study import Layout, Study
from surveywaves.study.load import CROSSWALK_COLUMNS, OPEN
from surveywaves.study.models import Routing
from surveywaves.terms import ORGANISATION, Comparability
from surveywaves.text import count, normalise, words

Place = tuple[str | int, ...]
WIDTH: Final = 116
"""Longest line with a value and its comment, in characters; a longer comment is written above the value."""
_UNSEEN: Final = ("\n", "\t", "\r", "\x85", "\u2028", "\u2029", "\ufeff")


def yaml_text(content: Mapping[str, Any], comments: Mapping[Place, str]) -> str:
    """Write nested mappings and lists as YAML; comments are given by the path of keys and list positions."""
    lines: list[str] = []
    for place, (key, value) in enumerate(content.items()):
        if place and isinstance(value, Mapping | list):
            lines.append("")
        lines += _entry(f"{_scalar(key)}:", value, (key,), comments, "")
    return "\n".join([*lines, ""])


def _entry(head: str, value: Any, place: Place, comments: Mapping[Place, str], indent: str) -> Iterator[str]:
    """Write one entry: its head (`key:` or `-`) and its value."""
    comment = "".join(filter(str.isprintable, " ".join(comments.get(place, "").split())))
    # A mapping in a list stands in one line: `- {path: x, layout: y}`.
    held = isinstance(value, Mapping | list) and bool(value) and head != "-"
    line = f"{indent}{head}" if held else f"{indent}{head} {_scalar(value)}"
    if comment and len(line) + len(comment) + 4 <= WIDTH:
        yield f"{line}  # {comment}"
    else:
        if comment:
            yield f"{indent}# {comment}"
        yield line
    inner = indent + "  "
    for number, one in enumerate(value) if held and isinstance(value, list) else ():
        yield from _entry("-", one, (*place, number), comments, inner)
    for key, one in value.items() if held and isinstance(value, Mapping) else ():
        yield from _entry(f"{_scalar(key)}:", one, (*place, key), comments, inner)


def _scalar(value: Any) -> str:
    """Write one value, in quotes where YAML would read it as another type."""
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        return f'"{value}"'
    quote = '"' if isinstance(value, str) and any(mark in value for mark in _UNSEEN) else None
    text: str = yaml.safe_dump(
        value, allow_unicode=True, width=10**6, default_flow_style=True, default_style=quote, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


IDENTIFYING: Final = 3
"""Most columns that are named as possible identifiers of a return."""
OFTEN: Final = 5
"""Average number of answers per option from which the options of a question are shown."""
SHORT: Final = 3
"""Most words of an answer that is shown, if the file does not call it an option: it may be somebody's own."""


@dataclass(slots=True)
class Page:
    """Content of a YAML file, and the comments on its values."""

    content: dict[str, Any] = field(default_factory=dict)
    comments: dict[Place, str] = field(default_factory=dict)

    def text(self, heading: str) -> str:
        """Return the text of the file."""
        return f"# {heading}\n" + yaml_text(self.content, self.comments)


def wave_page(study: Study, sheets: Sequence[Sheet], reference: Reference) -> Page:
    """Draft a wave's `wave.yaml`."""
    page = Page()
    last = reference.wave.file
    _front(page, sheets, reference)
    page.content["layouts"] = {sheet.name: _layout(page, sheet, reference, study) for sheet in sheets}
    files = [{"path": file.name, "layout": sheet.name} for sheet in sheets for file in sheet.files]
    page.content["files"] = files
    page.content["codings"] = _codings(page, sheets)
    sources = _sources(page, study, sheets)
    constant = [ORGANISATION in one.get("constants", {}) for one in page.content["layouts"].values()]
    if ORGANISATION in sources:
        page.content[ORGANISATION] = sources.pop(ORGANISATION)
    elif all(constant):
        pass
    elif len(files) > 1:
        asked = f"{OPEN}: {' or '.join(study.config.organisations)}, which all returns of this file are of"
        page.content["files"] = [{**file, "constants": {ORGANISATION: asked}} for file in files]
    else:
        fixed = last.organisation if isinstance(last.organisation, str) else ""
        hint = f"{fixed} as in {reference.wave.name}, or" if fixed else "no question asks it; name"
        page.content[ORGANISATION] = f"{OPEN}: {hint} the organisation of all returns, or its column and map"
    if sources:
        page.content["variables"] = sources
    if routing := [_route(route, at, sheets) for at, route in enumerate(last.routing)]:
        page.content["routing"] = routing
        page.comments[("routing",)] = f"as in {reference.wave.name}"
    return page


def _route(route: Routing, at: int, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """Carry an entry of `routing` over; its filter question must be here, and have known answers only."""
    found: dict[str, Any] = route.model_dump(mode="json", exclude_defaults=True)
    if route.filter:
        known, columns = {*map(normalise, route.filter.map)}, {}
        for sheet in sheets:
            question = sheet.filters.get(at)
            new = [cell for cell in question.options if normalise(cell) not in known] if question else []
            open_ = f"{OPEN}: the filter question of this entry"
            columns[sheet.name] = question.reference if question else open_
            found["filter"]["map"] |= dict.fromkeys(new, f"{OPEN}: asked, not_asked, or skipped")
        found["filter"]["columns"] = columns
    return found


def _front(page: Page, sheets: Sequence[Sheet], reference: Reference) -> None:
    last = reference.wave.file
    page.content["title"] = f"{OPEN}: as in `{last.title}`"
    page.content["period"] = f"{OPEN}: when, in words, as in `{last.period}`"
    page.content["fieldwork"] = _fieldwork(sheets)
    if isinstance(page.content["fieldwork"], dict):
        told = "first and last return in the files; the survey may have been open longer"
        page.comments[("fieldwork",)] = told
    known = "how many could have answered (no value: nobody knows); `note` says what that leaves out"
    page.content["population"] = {"size": f"{OPEN}: {known}"}
    page.content["evidence"] = f"{OPEN}: observed (real returns), reconstructed or simulated"
    page.content["organisations_surveyed"] = list(last.organisations_surveyed)
    page.comments[("organisations_surveyed",)] = f"as in {reference.wave.name}" if reference.asked else ""


def _fieldwork(sheets: Sequence[Sheet]) -> dict[str, dt.date] | str:
    """Return the dates of the first and the last return, or an open decision with the possible dates."""
    returns = [file.returns for sheet in sheets for file in sheet.files if file.returns.starts is not None]
    read = [readings for one in returns for readings in (one.starts, one.ends) if readings is not None]
    if read and all(len({*readings.values()}) == 1 for readings in read):
        days = [day for readings in read for both in readings.values() for day in both]
        return {"start": min(days), "end": max(days)}
    ways: dict[str, list[dt.date]] = {}
    for readings in read:
        for way, both in readings.items():
            ways.setdefault(way, []).extend(both)
    named = [f"{{start: {min(days)}, end: {max(days)}}} ({way})" for way, days in ways.items()]
    named = named or ["{start: ISO date, end: ISO date}"]
    return f"{OPEN}: {' or '.join(named)}; {{}} if nobody knows"


def _layout(page: Page, sheet: Sheet, reference: Reference, study: Study) -> dict[str, Any]:
    here: Place = ("layouts", sheet.name)
    before = reference.wave.file.layouts.get(sheet.like or "")
    layout = sheet.layout
    told = {"format", "encoding", "sheet", "header_rows", "cells"}
    found: dict[str, Any] = {"format": layout.format}
    found |= layout.model_dump(include=told, exclude_defaults=True)
    found |= _returns(page, sheet, before, here)
    if sheet.codings.default:
        found["coding"] = sheet.codings.default
    kept = {"constants": dict(before.constants) if before else {}, "weight": sheet.weight}
    for key in (key for key, value in kept.items() if value):
        found[key] = kept[key]
        page.comments[(*here, key)] = f"as in {reference.wave.name}"
    fresh = {question.name for question in sheet.fresh}
    ignore: list[str] = []
    for question in sheet.questions:
        if question.name in fresh:
            page.comments[(*here, "ignore", len(ignore))] = _about(question, study)
            ignore.append(f"{OPEN}: ignore “{question.reference}”, or make an item or a group of it")
        elif question.name in sheet.ignored:
            ignore.append(question.reference)
    if ignore:
        found["ignore"] = ignore
    return found


def _returns(page: Page, sheet: Sheet, before: Layout | None, here: Place) -> dict[str, Any]:
    """Draft the keys on returns: the identifier, duplicates, and test responses to exclude."""
    found: dict[str, Any] = {}
    names = {file.returns.respondent for file in sheet.files} - {None}
    repeated = sum(file.returns.repeated for file in sheet.files)
    if names:
        found["respondent"] = names.pop()
    elif before and before.respondent:
        could = [name for file in sheet.files for name in file.returns.identifying][:IDENTIFYING]
        listed = " or ".join(dict.fromkeys(could)) or "no column is filled and different in every row"
        found["respondent"] = f"{OPEN}: {listed}; no value: the row number will do"
    if repeated:
        page.comments[(*here, "duplicates")] = f"in the files: {count(repeated, 'identifier')} more than once"
        kept = before is not None and before.duplicates != "refuse"
        asked = f"{OPEN}: first, last or most_answered ({repeated} of them)"
        found["duplicates"] = before.duplicates if before and kept else asked
    excluded: dict[str, dict[str, str]] = {}
    for file in sheet.files:
        for column, marks in file.returns.excluded.items():
            excluded.setdefault(column, {}).update({mark: why for mark, (_, why) in marks.items()})
            rows = count(sum(times for times, _ in marks.values()), "row")
            page.comments[(*here, "exclude")] = f"{rows} of {file.name}"
        found |= {key: f"{OPEN}: {asked}" for key, asked in file.returns.asked.items()}
    if excluded:
        found["exclude"] = excluded
    return found


def _about(question: Question, study: Study) -> str:
    """Describe a question that was not identified: its answers and the nearest items."""
    # Rare answers may be one person's own words and are not shown.
    often = question.column.filled >= OFTEN * question.column.distinct
    named = [label or cell for cell, label in question.options.items()] if often else []
    known = {*question.column.value_labels.values()}
    options = [one for one in named if not personal_text(one) and (one in known or len(words(one)) <= SHORT)]
    answers = count(question.column.filled, "answer") + (f" ({', '.join(options[:6])})" if options else "")
    near = [f"{item.item} ({score})" for score, item in nearest_items(question, study.items)]
    numbers = '; groups by ranges in a map (`"16-29": young`), or `weight:` of the layout?'
    said = f"new: {answers}" + (f"; nearest item: {', '.join(near)}" if near else "")
    return said + (numbers if question.cells is Cells.MANY else "")


def _codings(page: Page, sheets: Sequence[Sheet]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for sheet in sheets:
        for name, draft in sheet.codings.drafts.items():
            values, others = _without_people(draft.values)
            found[name] = {"response_scale": draft.scale, "values": values, **others}
            said = {cell: label for cell, label in draft.words.items() if cell in draft.values}
            page.comments |= {("codings", name, "values", cell): label for cell, label in said.items()}
            page.comments[("codings", name)] = draft.remark
    if not found:
        found[OPEN.lower()] = f"{OPEN}: no item has response options that could be read; write a coding"
    return found


def _without_people(values: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
    """Leave out cells that may identify a person, because the draft will be committed and pinned."""
    kept = {cell: value for cell, value in values.items() if not (is_open(value) and personal_text(cell))}
    left = len(values) - len(kept)
    told = f"{OPEN}: invalid; {count(left, 'answer')} not written here, in which somebody seems to stand"
    return kept, {"others": told} if left else {}


def _sources(page: Page, study: Study, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """Combine the columns and answers of each variable over all layouts."""
    found: dict[str, Any] = {}
    for name, levels in study.config.levels.items():
        held = [(sheet.name, one) for sheet in sheets for one in sheet.sources if one.variable == name]
        if not held:
            continue
        place: Place = (name,) if name == ORGANISATION else ("variables", name)
        columns = {}
        for layout, source in held:
            columns[layout] = f"{OPEN}: {source.open}" if source.open else source.question.reference
            page.comments[(*place, "columns", layout)] = source.note
        answers, others = _without_people(_map(page, held, place))
        found[name] = {"columns": columns, "map": answers, **others}
        if any(source.open_answers for _, source in held):
            page.comments[(*place, "map")] = f"{', '.join(levels)}; {REASONS}"
    return found


def _map(page: Page, held: Iterable[tuple[str, Source]], place: Place) -> dict[str, str]:
    """Combine the answers of all layouts in one map; an answer with different meanings is left open."""
    found: dict[str, str] = {}
    for layout, source in held:
        for cell, level in source.map.items():
            text = f"{OPEN}: {level}" if cell in source.open_answers else level
            if found.get(cell, text) != text:
                text = f"{OPEN}: {found[cell].removeprefix(f'{OPEN}: ')}, but {level} in layout {layout}"
            found[cell] = text
            if cell in source.words:
                page.comments[(*place, "map", cell)] = source.words[cell]
    return found


# --- the crosswalk --------------------------------------------------------------------------------------------


def crosswalk_text(study: Study, sheets: Sequence[Sheet]) -> str:
    """Draft a wave's `items.tsv`."""
    columns = ["item", *(sheet.name for sheet in sheets), *CROSSWALK_COLUMNS[1:]]
    rows = []
    for number, item in enumerate(study.items):
        held = [(sheet, sheet.matches[number]) for sheet in sheets if sheet.matches[number].question]
        row = dict.fromkeys(columns, "") | {"item": item.item}
        for sheet, match in held:
            assert match.question is not None
            row[sheet.name] = match.question.reference
        row["comparability"] = _grade(held)
        row["wording"] = next((match.wording for _, match in held if match.wording), "")
        row["coding"] = _coding(item.item, held)
        notes = {}
        for sheet, match in held or [(sheet, sheet.matches[number]) for sheet in sheets]:
            rescaled = sheet.codings.rescaled.get(item.item, "")
            notes[sheet.name] = "; ".join(filter(None, (match.note, rescaled)))
        named = [f"{name}: {note}" for name, note in notes.items() if note]
        row["note"] = "; ".join([*notes.values()][:1] if len({*notes.values()}) == 1 else named)
        rows.append(" ".join(text.split()) for text in row.values())
    return table_text(columns, rows)


def table_text(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table of the configuration as TSV."""
    return "".join("\t".join(line) + "\n" for line in (columns, *rows))


def _grade(held: Sequence[tuple[Sheet, Match]]) -> str:
    if not held:
        return Comparability.ABSENT.value
    grades = [(sheet.name, *grade_of(match, sheet.codings)) for sheet, match in held]
    if undecided := [(name, said) for name, grade, said in grades if grade is None]:
        told = [f"{name}: {said}" if len(held) > 1 else said for name, said in undecided]
        return f"{OPEN}: {'; '.join(dict.fromkeys(told))}"
    named = list(dict.fromkeys(grade.value for _, grade, _ in grades if grade))
    return named[0] if len(named) == 1 else f"{OPEN}: {' or '.join(named)}, by layout"


def _coding(item: str, held: Sequence[tuple[Sheet, Match]]) -> str:
    """Return the coding of an item where it differs from its layouts'; a row has one coding for all layouts."""
    named = {sheet.name: sheet.codings.own.get(item, "") for sheet, _ in held}
    distinct = list(dict.fromkeys(named.values()))
    if len(distinct) <= 1:
        return "".join(distinct)
    listed = " but ".join(f"{coding or 'the default'} in {layout}" for layout, coding in named.items())
    return f"{OPEN}: {listed.replace(f'{OPEN}: ', '')}; make one coding that explains all"
