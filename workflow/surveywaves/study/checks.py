"""What must agree between a study's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from surveywaves.errors import Mistake
from surveywaves.study.checks_analysis import check_analysis, check_margins
from surveywaves.study.demo import Block
from surveywaves.study.models import Comparability, CrosswalkRow, Study, VariableSource, Wave
from surveywaves.study.naming import twice, unknown
from surveywaves.wording import normalise

RESERVED = ("wave", "respondent", "organisation", "complete", "weight", "evidence")
"""Columns of the harmonised data that no item or variable may be named after."""

RESERVED_LEVELS = ("all", "not_stated")
"""Words that stand beside organisations and levels in the tables of results, so that none may be called so."""

RESCALED_SUFFIX = "_rescaled"

WRITTEN = ("surveymonkey", "paper", "spss", "table")
"""Formats that demonstration files are written in."""


def check_study(study: Study, folder: Path) -> Iterator[Mistake]:
    """Yield every contradiction between the files of a study, in the order of the files."""
    config = folder / "config.yaml"
    yield from unknown(config, "reference_wave", [study.config.reference_wave], study.config.waves, "wave")
    yield from twice(config, "waves", study.config.waves)
    yield from check_analysis(study.config, config)
    if published := study.config.published:
        yield from unknown(config, "published.wave", [published.wave], study.config.waves, "wave")
        yield from unknown(
            config,
            "published.single_choice",
            published.single_choice,
            ("organisation", *study.config.variables),
            "variable",
        )
    if gradient := study.config.figures.gradient:
        known = [scale.scale for scale in study.scales]
        yield from unknown(config, "figures.gradient.scales", gradient.scales, known, "scale")
        yield from twice(config, "figures.gradient.scales", gradient.scales)
    named = {"organisations": study.config.organisations}
    named |= {
        f"variables.{name}.levels": variable.levels for name, variable in study.config.variables.items()
    }
    for where, levels in named.items():
        for level in levels:
            if level in RESERVED_LEVELS:
                yield Mistake(
                    f"{config}: {where}",
                    f"`{level}` has a meaning of its own in the results",
                    "choose another name",
                )
    yield from _check_instrument(study, folder)
    for wave in study.waves:
        yield from _check_wave(study, wave, folder / "waves" / wave.name)


def _check_instrument(study: Study, folder: Path) -> Iterator[Mistake]:
    items, scales = folder / "items.tsv", folder / "scales.tsv"
    names = [item.item for item in study.items]
    yield from twice(items, "item", names)
    yield from twice(scales, "scale", [scale.scale for scale in study.scales])
    for name in sorted({*names} & {*RESERVED, *study.config.variables}):
        yield Mistake(f"{items}: item {name}", "the harmonised data already have a column of that name")
    for name in names:
        if name.endswith(RESCALED_SUFFIX):
            yield Mistake(
                f"{items}: item {name}",
                f"names ending in {RESCALED_SUFFIX} are kept for rescaled versions of an item",
            )
    known = {scale.scale for scale in study.scales}
    for item in study.items:
        where = f"{items}: item {item.item}"
        yield from unknown(
            where, "response_scale", [item.response_scale], study.config.response_scales, "response scale"
        )
        yield from unknown(
            where,
            "section",
            [str(item.section)],
            [str(number) for number in study.config.sections],
            "section",
        )
        yield from unknown(where, "scale", [item.scale] if item.scale else [], known, "scale")
    for scale in study.scales:
        members = study.items_of(scale.scale)
        where = f"{scales}: scale {scale.scale}"
        if len(members) < 2:
            yield Mistake(
                where,
                f"a scale needs two items, this one has {len(members)}",
                "give items.tsv the scale, or drop it here",
            )
        if len({item.response_scale for item in members}) > 1:
            yield Mistake(where, "its items have different response scales")
        if scale.min_answered > len(members) >= 2:
            yield Mistake(where, f"min_answered is {scale.min_answered}, but it has {len(members)} items")


def _check_wave(study: Study, wave: Wave, home: Path) -> Iterator[Mistake]:
    here = home / "wave.yaml"
    yield from unknown(
        here,
        "organisations_surveyed",
        wave.file.organisations_surveyed,
        study.config.organisations,
        "organisation",
    )
    yield from _check_codings(study, wave, here)
    yield from _check_sources(study, wave, here)
    yield from _check_constants(study, wave, here)
    yield from unknown(
        here,
        "variable_evidence",
        wave.file.variable_evidence,
        ("organisation", "items", *study.config.variables),
        "variable",
    )
    if wave.demo is None:
        yield from _check_covariates(study, wave, here)
        yield from check_margins(study.config, wave.file.population.margins, f"{here}: population.margins")
    yield from _check_crosswalk(study, wave, home / "items.tsv")
    if wave.demo:
        yield from _check_demo(study, wave, home / "demo.yaml")
    if wave.fielded:
        yield from _check_wave(study, wave.fielded, home / "demo")
        yield from _same_files(wave, home / "demo/wave.yaml")


def _check_codings(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    scales = study.config.response_scales
    for name, coding in wave.file.codings.items():
        where = f"codings.{name}.response_scale"
        yield from unknown(here, where, [coding.response_scale], scales, "response scale")
        if scale := scales.get(coding.response_scale):
            values = [value for value in coding.values.values() if isinstance(value, int)]
            if outside := [value for value in values if not 1 <= value <= scale.points]:
                yield Mistake(
                    f"{here}: codings.{name}",
                    f"values {outside} lie outside 1..{scale.points} of {coding.response_scale}",
                )


def _check_sources(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield what is wrong with the columns and levels of the organisation and the grouping variables."""
    file, known = wave.file, study.config.variables
    sources, surveyed = dict(file.variables), file.organisations_surveyed
    if isinstance(file.organisation, VariableSource):
        sources["organisation"] = file.organisation
        levels = _levels(file.organisation)
        yield from unknown(here, "organisation.map", levels, surveyed, "surveyed organisation")
    else:
        yield from unknown(here, "organisation", [file.organisation], surveyed, "surveyed organisation")
    yield from unknown(here, "variables", file.variables, known, "variable")
    for name, source in sources.items():
        yield from unknown(here, f"{name}.columns", source.columns, file.layouts, "layout")
        if name in known:
            where = f"variables.{name}.map"
            yield from unknown(here, where, _levels(source), known[name].levels, f"level of {name}")


def _check_constants(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    known = study.config.variables
    for name, layout in wave.file.layouts.items():
        where = f"layouts.{name}.constants"
        yield from unknown(here, where, layout.constants, known, "variable")
        for variable, level in layout.constants.items():
            if variable in known:
                levels = known[variable].levels
                yield from unknown(here, f"{where}.{variable}", [level], levels, f"level of {variable}")


def _same_files(wave: Wave, where: Path) -> Iterator[Mistake]:
    assert wave.fielded is not None
    made = {file.path for file in wave.fielded.file.files}
    for file in wave.file.files:
        if file.path not in made:
            yield Mistake(f"{where}: files", f"does not make {file.path}, which the wave reads")


def _check_covariates(study: Study, wave: Wave, where: Path) -> Iterator[Mistake]:
    """Yield the covariates that a wave does not know: its respondents would silently take no part in comparisons."""
    analysis = study.config.analysis
    for name in (*analysis.covariates, *filter(None, [analysis.team])):
        key = "team" if name == analysis.team else "covariates"
        constant = all(name in layout.constants for layout in wave.file.layouts.values())
        if name not in wave.file.variables and not constant and name in study.config.variables:
            yield Mistake(
                f"{where}: variables",
                f"the models adjust for `{name}`, which this wave does not have: nobody of it could be compared",
                f"drop it from analysis.{key}, or say where the wave holds it",
            )


def _check_crosswalk(study: Study, wave: Wave, path: Path) -> Iterator[Mistake]:
    items = {item.item: item for item in study.items}
    listed = [row.item for row in wave.crosswalk]
    yield from twice(path, "item", listed)
    for name in (item for item in items if item not in listed):
        yield Mistake(str(path), f"item {name} has no row", "grade it `absent` if the wave did not ask it")
    for layout in wave.file.layouts:
        yield from twice(
            path, f"column {layout}", [row.columns[layout] for row in wave.crosswalk if layout in row.columns]
        )
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
            else:
                yield from _check_grade(
                    row, items[row.item].response_scale, wave.file.codings[coding].response_scale, where
                )


def _check_grade(row: CrosswalkRow, asked_on: str, coded_as: str, where: str) -> Iterator[Mistake]:
    """Allow a coding onto another response scale only for an item graded `rescaled`."""
    if coded_as != asked_on and row.comparability is not Comparability.RESCALED:
        yield Mistake(
            where,
            f"graded `{row.comparability}`, but its coding gives {coded_as} and the instrument asks on {asked_on}",
            "grade it `rescaled`",
        )


def _check_demo(study: Study, wave: Wave, path: Path) -> Iterator[Mistake]:
    demo = wave.demo
    assert demo is not None
    surveyed, variables = wave.file.organisations_surveyed, study.config.variables
    yield from unknown(path, "organisations", demo.organisations, surveyed, "surveyed organisation")
    for key, by_level in (
        ("variables", demo.variables),
        ("employed_by", demo.employed_by),
        ("weights", demo.weights),
    ):
        yield from unknown(path, key, by_level, variables, "variable")
        for name in sorted(by_level.keys() & variables.keys()):
            yield from unknown(
                path, f"{key}.{name}", by_level[name], variables[name].levels, f"level of {name}"
            )
    for name, employers in demo.employed_by.items():
        yield from unknown(path, f"employed_by.{name}", employers.values(), surveyed, "surveyed organisation")
    scales = [scale.scale for scale in study.scales]
    yield from unknown(path, "correlation_within_scale", demo.correlation_within_scale, scales, "scale")
    yield from unknown(path, "shifts", demo.shifts, scales, "scale")
    for name, correlation in demo.correlation_within_scale.items():
        if not 0 < correlation < 1:
            yield Mistake(f"{path}: correlation_within_scale.{name}", f"{correlation} lies outside 0..1")
    for name, by_organisation in demo.shifts.items():
        yield from unknown(path, f"shifts.{name}", by_organisation, surveyed, "surveyed organisation")
    yield from unknown(
        path, "break_off", map(str, demo.break_off), map(str, study.config.sections), "section"
    )
    for name, counts in {"organisations": demo.organisations, **demo.variables}.items():
        if sum(counts.values()) > demo.returns:
            yield Mistake(f"{path}: {name}", f"{sum(counts.values())} answers from {demo.returns} returns")
    if isinstance(wave.file.organisation, VariableSource) and not demo.organisations:
        yield Mistake(f"{path}: organisations", "missing, and the returns say who employs them")
    if sum(demo.break_off.values()) >= 1:
        yield Mistake(f"{path}: break_off", "the shares add up to 1 or more: nobody would reach the end")
    if demo.method == "reconstruct" and (
        study.config.published is None or study.config.published.wave != wave.name
    ):
        yield Mistake(
            f"{path}: method",
            "`reconstruct` needs the published tables of this wave",
            "see `published` in config.yaml",
        )
    yield from _check_questionnaire(study, wave, path)
    yield from _check_demo_files(wave, path)


def _check_questionnaire(study: Study, wave: Wave, path: Path) -> Iterator[Mistake]:
    demo = wave.demo
    assert demo is not None
    asked = [item for block in demo.questionnaire for item in block.items]
    yield from twice(path, "questionnaire", asked)
    present = [row.item for row in wave.crosswalk if row.comparability is not Comparability.ABSENT]
    for name in sorted(set(asked) ^ set(present)):
        yield Mistake(f"{path}: questionnaire", f"item {name} is asked here or in items.tsv, but not in both")
    for key, names in (("item_shifts", demo.item_shifts), ("item_shares", demo.item_shares)):
        yield from unknown(path, key, names, present, "item of this wave")
    for name, shares in demo.item_shares.items():
        points = _points(study, wave, name)
        if points not in {None, len(shares)}:
            yield Mistake(
                f"{path}: item_shares.{name}", f"{len(shares)} shares for {points} response options"
            )
        if abs(sum(shares) - 1) > 1e-6:
            yield Mistake(f"{path}: item_shares.{name}", "the shares do not add up to 1")
    questions = [block.variable for block in demo.questionnaire if block.variable]
    yield from twice(path, "questionnaire", questions)
    sources = list(wave.file.variables)
    if isinstance(wave.file.organisation, VariableSource):
        sources.append("organisation")
    yield from unknown(path, "questionnaire", questions, sources, "variable of wave.yaml")
    counted = [*demo.variables, *(["organisation"] if demo.organisations else [])]
    for name in counted:
        if name not in questions:
            yield Mistake(f"{path}: questionnaire", f"answers to {name} are counted, but no question asks it")
    for block in demo.questionnaire:
        where = f"{path}: questionnaire, `{block.question}`"
        if block.items and block.variable:
            yield Mistake(where, "asks items and a variable", "make it two questions")
        yield from unknown(where, "as_exported", block.as_exported, block.items, "item of this question")
        yield from _check_headers(wave, block, where)


def _check_headers(wave: Wave, block: Block, where: str) -> Iterator[Mistake]:
    """Yield each header that would not be found again by the name that wave.yaml or the crosswalk gives it."""
    sources = dict(wave.file.variables)
    if isinstance(wave.file.organisation, VariableSource):
        sources["organisation"] = wave.file.organisation
    rows = {row.item: row for row in wave.crosswalk}
    question = normalise(block.question)
    for layout in (name for name, one in wave.file.layouts.items() if one.format == "surveymonkey"):
        source = sources.get(block.variable or "")
        column = source.columns.get(layout) if source else None
        if column is not None and normalise(column) != question:
            yield Mistake(where, f"wave.yaml has {block.variable} in column `{column}`")
        for item in sorted(block.as_exported.keys() & rows.keys()):
            label = normalise(block.as_exported[item])
            column = rows[item].columns.get(layout)
            if column is not None and normalise(column) not in {label, f"{question} | {label}"}:
                yield Mistake(f"{where}: as_exported.{item}", f"items.tsv has it in column `{column}`")


def _points(study: Study, wave: Wave, item: str) -> int | None:
    """Count the response options that a wave asks an item with; None where the crosswalk is not sound."""
    for row in wave.crosswalk:
        if row.item == item and row.columns:
            layout = wave.file.layouts[next(iter(row.columns))]
            coding = wave.file.codings.get(row.coding or layout.coding or "")
            scale = study.config.response_scales.get(coding.response_scale) if coding else None
            return scale.points if scale else None
    return None


def _check_demo_files(wave: Wave, path: Path) -> Iterator[Mistake]:
    """Yield what a demonstration file asks for and its layout does not allow."""
    demo = wave.demo
    assert demo is not None
    layouts = {file.path: wave.file.layouts[file.layout] for file in wave.file.files}
    named = [file.path for file in demo.files]
    yield from twice(path, "files", named)
    yield from unknown(path, "files", named, layouts, "file of wave.yaml")
    for name in layouts:
        if name not in named:
            yield Mistake(f"{path}: files", f"does not say how {name} is made, which wave.yaml lists")
    if abs(sum(file.share for file in demo.files) - 1) > 1e-9:
        yield Mistake(f"{path}: files", "the shares do not add up to 1")
    for file in demo.files:
        layout = layouts.get(file.path)
        if layout is None:
            continue
        where = f"{path}: files, {file.path}"
        if layout.format not in WRITTEN:
            yield Mistake(
                where,
                f"no demonstration is written as `{layout.format}`",
                f"written are: {', '.join(WRITTEN)}",
            )
        for key, given, wanted in (
            ("duplicates", file.duplicates, "surveymonkey"),
            ("test_responses", file.test_responses, "surveymonkey"),
            ("disagreements", file.disagreements, "paper"),
            ("declared_missing", file.declared_missing, "spss"),
        ):
            if given and layout.format != wanted:
                yield Mistake(f"{where}: {key}", f"is for `{wanted}`, and the layout is `{layout.format}`")
        if file.duplicates and (
            layout.respondent is None or layout.duplicates not in {"last", "most_answered"}
        ):
            yield Mistake(
                f"{where}: duplicates",
                "the layout would not keep the full return",
                "give it `respondent`, and `duplicates: most_answered`",
            )
        if layout.format == "paper" and layout.respondent is None:
            yield Mistake(where, "the layout does not say which column has the number on the form")
        if file.test_responses and not any(layout.exclude.values()):
            yield Mistake(f"{where}: test_responses", "the layout's `exclude` does not say how to tell them")


def _levels(source: VariableSource) -> list[str]:
    missing = {"skipped", "dont_know", "invalid", "not_asked"}
    return [str(level) for level in source.map.values() if str(level) not in missing]
