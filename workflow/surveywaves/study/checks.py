"""What must agree between a study's files: names that are known and stand once, choices that the study has."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from surveywaves.errors import Mistake
from surveywaves.personal import personal_text
from surveywaves.study.models import Config, CrosswalkRow, Study, VariableSource, Wave
from surveywaves.study.settings import Against
from surveywaves.terms import ALL, NOT_STATED, RESCALED_SUFFIX, Comparability
from surveywaves.text import listed, nearest, normalise


def unknown(
    where: object, key: str, given: Iterable[str], known: Iterable[str], kind: str
) -> Iterator[Mistake]:
    """Yield each name that is not known."""
    listed = list(known)
    for name in dict.fromkeys(given):
        if name not in listed:
            near = nearest(name, listed)
            hint = f"did you mean `{near}`?" if near else f"known: {', '.join(listed) or 'none'}"
            yield Mistake(f"{where}: {key}", f"unknown {kind} `{name}`", hint)


def twice(where: object, key: str, names: Iterable[str]) -> Iterator[Mistake]:
    """Yield each name that stands more than once."""
    for name, count in Counter(names).items():
        if count > 1:
            yield Mistake(f"{where}: {key}", f"`{name}` stands {count} times")


def check_analysis(config: Config, path: Path) -> Iterator[Mistake]:
    """Yield what `analysis` of `config.yaml` names and the study does not have."""
    analysis, known = config.analysis, config.variables
    for key, names in (
        ("covariates", analysis.covariates),
        ("team", [analysis.team] if analysis.team else []),
        ("sensitivity.adjust_for", analysis.sensitivity.adjust_for),
    ):
        yield from unknown(path, f"analysis.{key}", names, known, "variable")
        yield from twice(path, f"analysis.{key}", names)
    yield from unknown(path, "analysis.shares", analysis.shares, config.organisations, "organisation")
    if isinstance(analysis.comparisons, Against):
        one = [analysis.comparisons.against]
        yield from unknown(path, "analysis.comparisons.against", one, config.organisations, "organisation")
    if analysis.shares and not any(analysis.shares.values()):
        yield Mistake(f"{path}: analysis.shares", "no organisation has any staff")
    for title, chosen in analysis.sensitivity.only.items():
        where = f"analysis.sensitivity.only.{title}"
        yield from unknown(path, where, chosen, known, "variable")
        for name, level in chosen.items():
            if name in known:
                yield from unknown(path, f"{where}.{name}", [level], known[name].levels, "level")
    if (planning := analysis.planning) is None:
        return
    yield from unknown(path, "analysis.planning.reference", [planning.reference], config.waves, "wave")
    if planning.wave == planning.reference:
        yield Mistake(f"{path}: analysis.planning", "a wave cannot be planned from itself")
    if any(later <= earlier for earlier, later in itertools.pairwise(planning.returns)):
        yield Mistake(f"{path}: analysis.planning.returns", "not ascending")


def check_margins(
    config: Config, margins: Mapping[str, Mapping[str, float]], where: str
) -> Iterator[Mistake]:
    """Yield margins of no known variable, and levels that they leave out or that do not exist."""
    known = {"organisation": config.organisations}
    known |= {name: variable.levels for name, variable in config.variables.items()}
    yield from unknown(where, "variable", margins, known, "variable")
    for name, shares in margins.items():
        if name not in known:
            continue
        yield from unknown(where, name, shares, known[name], "level")
        for level in known[name]:
            if level not in shares:
                yield Mistake(
                    f"{where}.{name}", f"level `{level}` is left out", "every level needs a count or share"
                )


RESERVED = ("wave", "respondent", "organisation", "complete", "weight", "evidence")
"""Columns of the harmonised data that no item or variable may be named after."""

RESERVED_LEVELS = (ALL, NOT_STATED)
"""Words that stand beside organisations and levels in the tables of results, so that none may be called so."""


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
    options = {
        f"response_scales.{name}.labels": one.labels for name, one in study.config.response_scales.items()
    }
    for where, labels in {**options, **{key: levels.values() for key, levels in named.items()}}.items():
        yield from _alike(f"{config}: {where}", map(str, labels))
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


def _alike(where: str, labels: Iterable[str]) -> Iterator[Mistake]:
    """Yield labels that cannot be distinguished in a file."""
    groups: dict[str, list[str]] = {}
    for label in labels:
        groups.setdefault(normalise(label), []).append(label)
    for alike in groups.values():
        if len(alike) > 1:
            yield Mistake(
                where,
                f"{listed([f'`{label}`' for label in alike])} are the same label",
                "case, spacing, quotes, dashes and HTML do not count; use other words",
            )


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
        if len({item.response_scale for item in members}) > 1 and not scale.standardise:
            yield Mistake(
                where,
                "its items have different response scales",
                "put `range` in its column `standardise` to compare them in percent of the maximum possible",
            )
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
    yield from _check_labels(study, wave, here)
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
    yield from _check_covariates(study, wave, here)
    yield from check_margins(study.config, wave.file.population.margins, f"{here}: population.margins")
    yield from _check_weights(study, wave, here)
    yield from _check_crosswalk(study, wave, home / "items.tsv")


def _check_weights(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield layouts without weights of a wave whose returns are weighted: there each would weigh 1."""
    without = [name for name, layout in wave.file.layouts.items() if not layout.weight]
    if without and (study.config.analysis.weighted or len(without) < len(wave.file.layouts)):
        reason = "`analysis.weighted` is true" if study.config.analysis.weighted else "others have one"
        yield Mistake(
            f"{here}: layouts.{', '.join(without)}",
            f"no `weight` column, though {reason}",
            "name the column of the sampling weights, or weight nothing",
        )


def _check_labels(study: Study, wave: Wave, here: Path) -> Iterator[Mistake]:
    """Yield lists of cells in which somebody seems to stand: what is written here is committed, and pinned.

    The labels themselves are not repeated: this line may stand in a log.
    """
    known = {normalise(label) for label in study.labels}
    lists = {f"codings.{name}.values": list(coding.values) for name, coding in wave.file.codings.items()}
    lists |= {f"variables.{name}.map": list(source.map) for name, source in wave.file.variables.items()}
    if isinstance(wave.file.organisation, VariableSource):
        lists["organisation.map"] = list(wave.file.organisation.map)
    for name, layout in wave.file.layouts.items():
        lists |= {f"layouts.{name}.exclude.{column}": list(cells) for column, cells in layout.exclude.items()}
    for where, labels in lists.items():
        for number, label in enumerate(labels, start=1):
            if normalise(label) not in known and (what := personal_text(label)):
                hint = (
                    "exclude by the return's number"
                    if ".exclude." in where
                    else "`others: invalid` takes such cells without writing them down"
                )
                yield Mistake(f"{here}: {where}", f"label {number} of {len(labels)} looks like {what}", hint)


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


def _levels(source: VariableSource) -> list[str]:
    missing = {"skipped", "dont_know", "invalid", "not_asked"}
    named = [*source.map.values(), *filter(None, [source.others])]
    return [str(level) for level in named if str(level) not in missing]
