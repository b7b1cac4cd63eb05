"""What must agree between the description of a wave and the study."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from surveywaves.errors import Mistake
from surveywaves.personal import personal_text
from surveywaves.study.models import Config, Study, VariableSource, Wave
from surveywaves.study.names import twice, unknown
from surveywaves.terms import ORGANISATION, Comparability
from surveywaves.text import normalise


def check_wave(study: Study, wave: Wave, home: Path) -> Iterator[Mistake]:
    """Yield every contradiction between a wave's files and the study."""
    here, file, known = home / "wave.yaml", wave.file, study.config.organisations
    variables = ("organisation", "items", *study.config.variables)
    yield from unknown(here, "organisations_surveyed", file.organisations_surveyed, known, "organisation")
    yield from _check_labels(study, wave, here)
    yield from _check_codings(study, wave, here)
    yield from _check_sources(study, wave, here)
    yield from _check_constants(study, wave, here)
    yield from _check_routing(study, wave, here)
    yield from unknown(here, "variable_evidence", file.variable_evidence, variables, "variable")
    yield from _check_covariates(study, wave, here)
    yield from _check_margins(study.config, file.population.margins, f"{here}: population.margins")
    yield from _check_weights(study, wave, here)
    yield from _check_crosswalk(study, wave, home / "items.tsv")


def _check_margins(
    config: Config, margins: Mapping[str, Mapping[str, float]], where: str
) -> Iterator[Mistake]:
    """Yield margins of no known variable, and levels that they leave out or that do not exist."""
    known = config.levels
    yield from unknown(where, "variable", margins, known, "variable")
    for name, shares in margins.items():
        if name not in known:
            continue
        yield from unknown(where, name, shares, known[name], "level")
        for level in (level for level in known[name] if level not in shares):
            hint = "every level needs a count or share"
            yield Mistake(f"{where}.{name}", f"level `{level}` is left out", hint)


def _check_weights(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield layouts without weights of a wave whose returns are weighted: there each would weigh 1."""
    without = [name for name, layout in wave.file.layouts.items() if not layout.weight]
    if without and (study.config.analysis.weighted or len(without) < len(wave.file.layouts)):
        reason = "`analysis.weighted` is true" if study.config.analysis.weighted else "others have one"
        hint = "name the column of the sampling weights, or weight nothing"
        yield Mistake(f"{here}: layouts.{', '.join(without)}", f"no `weight` column, though {reason}", hint)


def _check_labels(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield lists with a label that seems to identify a person, as this file is committed and pinned.

    The labels themselves are not repeated, because the message may end up in a log.
    """
    known = {normalise(label) for label in study.labels}
    lists = {f"codings.{name}.values": list(coding.values) for name, coding in wave.file.codings.items()}
    for name, source in wave.file.sources.items():
        lists[f"{'' if name == ORGANISATION else 'variables.'}{name}.map"] = list(source.map)
    for number, route in enumerate(wave.file.routing):
        lists[f"routing.{number}.filter.map"] = list(route.filter.map) if route.filter else []
    for name, layout in wave.file.layouts.items():
        lists |= {f"layouts.{name}.exclude.{column}": list(cells) for column, cells in layout.exclude.items()}
    for where, labels in lists.items():
        for number, label in enumerate(labels, start=1):
            if normalise(label) not in known and (what := personal_text(label)):
                hint = "`others: invalid` takes such cells without writing them down"
                hint = "exclude by the return's number" if ".exclude." in where else hint
                yield Mistake(f"{here}: {where}", f"label {number} of {len(labels)} looks like {what}", hint)


def _check_codings(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    scales = study.config.response_scales
    for name, coding in wave.file.codings.items():
        where = f"codings.{name}.response_scale"
        yield from unknown(here, where, [coding.response_scale], scales, "response scale")
        if scale := scales.get(coding.response_scale):
            values = [value for value in coding.values.values() if isinstance(value, int)]
            if outside := [value for value in values if not 1 <= value <= scale.points]:
                told = f"values {outside} lie outside 1..{scale.points} of {coding.response_scale}"
                yield Mistake(f"{here}: codings.{name}", told)


def _check_sources(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield what is wrong with the columns and levels of the organisation and the grouping variables."""
    file, known = wave.file, _levels_of(study, wave)
    if isinstance(file.organisation, str):
        name = file.organisation
        yield from unknown(here, ORGANISATION, [name], file.organisations_surveyed, _called(ORGANISATION))
    yield from unknown(here, "variables", file.variables, study.config.variables, "variable")
    for name, source in file.sources.items():
        yield from unknown(here, f"{name}.columns", source.columns, file.layouts, "layout")
        if name in known:
            where = "organisation.map" if name == ORGANISATION else f"variables.{name}.map"
            yield from unknown(here, where, _levels(source), known[name], _called(name))


def _levels_of(study: Study, wave: Wave) -> dict[str, Collection[str]]:
    """Return the organisations that a wave surveyed, and the levels of every grouping variable."""
    return {**study.config.levels, ORGANISATION: wave.file.organisations_surveyed}


def _called(name: str) -> str:
    return "surveyed organisation" if name == ORGANISATION else f"level of {name}"


def _check_constants(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield unknown constants, levels that are given twice, and files without an organisation."""
    file, known = wave.file, _levels_of(study, wave)
    places = [(f"layouts.{name}", name, layout.constants) for name, layout in file.layouts.items()]
    places += [(f"files.{number}", one.layout, one.constants) for number, one in enumerate(file.files)]
    for place, layout, constants in places:
        where = f"{place}.constants"
        yield from unknown(here, where, constants, known, "variable")
        for name, level in constants.items():
            if name in known:
                yield from unknown(here, f"{where}.{name}", [level], known[name], _called(name))
            if name in file.sources and layout in file.sources[name].columns:
                given = f"column `{file.sources[name].columns[layout]}`"
            elif name == ORGANISATION and isinstance(file.organisation, str):
                given = f"`organisation: {file.organisation}`"
            elif place.startswith("files") and name in file.layouts[layout].constants:
                given = f"`layouts.{layout}.constants`"
            else:
                continue
            told = f"always `{level}`, but {given} gives it as well"
            yield Mistake(f"{here}: {where}.{name}", told, "drop one of the two")
    for one in file.files if file.organisation is None else ():
        if ORGANISATION not in {**one.constants, **file.layouts[one.layout].constants}:
            hint = "give the wave its `organisation`, or this file or its layout `constants: {organisation: ...}`"
            yield Mistake(f"{here}: organisation", f"not given for {one.path}", hint)


def _constant(wave: Wave, layout: str) -> set[str]:
    """Return the variables that are constant in every file of a layout."""
    files = [set(one.constants) for one in wave.file.files if one.layout == layout]
    fixed = {ORGANISATION} if isinstance(wave.file.organisation, str) else set()
    return fixed | set(wave.file.layouts[layout].constants) | (set.intersection(*files) if files else set())


def _check_routing(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield unknown names in `routing`, and layouts without a column that a condition needs."""
    items = [item.item for item in study.items]
    known = [*study.config.levels, *items]
    columns = {row.item: row.columns for row in wave.crosswalk}
    columns |= {name: source.columns for name, source in wave.file.sources.items()}
    for number, route in enumerate(wave.file.routing):
        where = f"routing.{number}"
        sections = (map(str, route.sections), map(str, study.config.sections))
        yield from unknown(here, f"{where}.items", route.items, items, "item")
        yield from unknown(here, f"{where}.sections", *sections, "section")
        yield from unknown(here, f"{where}.variables", route.variables, study.config.variables, "variable")
        yield from unknown(here, f"{where}.asked_of", route.asked_of, known, "variable or item")
        yield from _check_asked_of(study, wave, number, here)
        needed = {f"asked_of.{name}": columns.get(name, {}) for name in route.asked_of if name in known}
        if route.filter:
            needed["filter"] = route.filter.columns
            at = f"{where}.filter"
            yield from unknown(here, f"{at}.columns", route.filter.columns, wave.file.layouts, "layout")
            yield from unknown(here, f"{at}.map", _levels(route.filter), ("asked", "not_asked"), "word")
        for layout in wave.file.layouts:
            told = {f"asked_of.{name}" for name in _constant(wave, layout)}
            if any(layout in columns.get(name, ()) for name in study.routed(route)):
                for key in (key for key, there in needed.items() if layout not in there and key not in told):
                    problem = f"layout {layout} has columns for these questions, but none for this one"
                    hint = "name its column; a level that applies to all returns goes under `constants`"
                    yield Mistake(f"{here}: {where}.{key}", problem, hint)


def _check_asked_of(study: Study, wave: Wave, number: int, here: Path) -> Iterator[Mistake]:
    """Yield unknown levels and values in the conditions of an entry of `routing`, and entries in the wrong order."""
    levels, items = _levels_of(study, wave), {item.item: item for item in study.items}
    rescaled = {row.item for row in wave.crosswalk if row.comparability is Comparability.RESCALED}
    later = set[str]().union(*map(study.routed, wave.file.routing[number:]))
    for name, asked in wave.file.routing[number].asked_of.items():
        where = f"routing.{number}.asked_of.{name}"
        if name in items:
            points = study.config.response_scales[items[name].response_scale].points
            values = map(str, range(1, points + 1))
            yield from unknown(here, where, map(str, asked), values, f"value of {name}")
        elif name in levels:
            yield from unknown(here, where, map(str, asked), levels[name], _called(name))
        if name in rescaled:
            hint = "say by its cells who was asked, under `filter`"
            yield Mistake(f"{here}: {where}", "it was asked with other response options", hint)
        if name in later:
            hint = "put the entry on this question before this one"
            yield Mistake(f"{here}: {where}", "who was asked this question must be said earlier", hint)


def _check_covariates(study: Study, wave: Wave, where: Path) -> Iterator[Mistake]:
    """Yield the covariates that a wave does not know: its respondents would silently take no part in comparisons."""
    analysis = study.config.analysis
    for name in (*analysis.covariates, *filter(None, [analysis.team])):
        key = "team" if name == analysis.team else "covariates"
        constant = all(name in _constant(wave, layout) for layout in wave.file.layouts)
        told, hint = f"the models adjust for `{name}`", f"drop it from analysis.{key}"
        if name not in wave.file.variables and not constant and name in study.config.variables:
            lacking = f"{told}, which this wave does not have: nobody of it could be compared"
            yield Mistake(f"{where}: variables", lacking, f"{hint}, or say where the wave holds it")
        if any(name in route.variables for route in wave.file.routing):
            passed = f"{told}: respondents who were not asked it could not be compared"
            yield Mistake(f"{where}: routing", passed, hint)


def _check_crosswalk(study: Study, wave: Wave, path: Path) -> Iterator[Mistake]:
    items = {item.item: item for item in study.items}
    listed = [row.item for row in wave.crosswalk]
    yield from twice(path, "item", listed)
    for name in (item for item in items if item not in listed):
        yield Mistake(str(path), f"item {name} has no row", "grade it `absent` if the wave did not ask it")
    for layout in wave.file.layouts:
        columns = [row.columns[layout] for row in wave.crosswalk if layout in row.columns]
        yield from twice(path, f"column {layout}", columns)
    for row in wave.crosswalk:
        where = f"{path}: item {row.item}"
        if row.item not in items:
            yield from unknown(path, "item", [row.item], items, "item")
            continue
        for layout in row.columns:
            coding = row.coding or wave.file.layouts[layout].coding
            if coding is None:
                yield Mistake(where, f"no coding, and layout {layout} has no default coding")
            elif coding not in wave.file.codings:
                yield from unknown(where, "coding", [coding], wave.file.codings, "coding")
            elif row.comparability is not Comparability.RESCALED:
                asked_on, coded_as = items[row.item].response_scale, wave.file.codings[coding].response_scale
                told = f"its coding gives {coded_as} and the instrument asks on {asked_on}"
                if coded_as != asked_on:
                    yield Mistake(where, f"graded `{row.comparability}`, but {told}", "grade it `rescaled`")


def _levels(source: VariableSource) -> list[str]:
    missing = {"skipped", "dont_know", "invalid", "not_asked"}
    named = [*source.map.values(), *filter(None, [source.others])]
    return [str(level) for level in named if str(level) not in missing]
