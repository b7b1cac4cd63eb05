"""What must agree between a study's files: names that are known and stand once, choices that the study has."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from surveywaves.errors import Mistake
from surveywaves.study.models import Config, Study
from surveywaves.study.names import twice, unknown
from surveywaves.study.settings import Against
from surveywaves.study.wave_checks import check_wave
from surveywaves.terms import ALL, NOT_STATED, RESCALED_SUFFIX
from surveywaves.text import listed, normalise


def _check_analysis(config: Config, path: Path) -> Iterator[Mistake]:
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


RESERVED = ("wave", "respondent", "organisation", "complete", "weight", "evidence")
"""Columns of the harmonised data that no item or variable may be named after."""

RESERVED_LEVELS = (ALL, NOT_STATED)
"""Words that stand beside organisations and levels in the tables of results, so that none may be called so."""


def check_study(study: Study, folder: Path) -> Iterator[Mistake]:
    """Yield every contradiction between the files of a study, in the order of the files."""
    config = folder / "config.yaml"
    yield from unknown(config, "reference_wave", [study.config.reference_wave], study.config.waves, "wave")
    yield from twice(config, "waves", study.config.waves)
    yield from _check_analysis(study.config, config)
    if published := study.config.published:
        choices = published.single_choice
        yield from unknown(config, "published.wave", [published.wave], study.config.waves, "wave")
        yield from unknown(config, "published.single_choice", choices, study.config.levels, "variable")
    if gradient := study.config.figures.gradient:
        known = [scale.scale for scale in study.scales]
        yield from unknown(config, "figures.gradient.scales", gradient.scales, known, "scale")
        yield from twice(config, "figures.gradient.scales", gradient.scales)
    for name, scale in study.config.response_scales.items():
        yield from _alike(f"{config}: response_scales.{name}.labels", scale.labels)
    named = {"organisations": study.config.organisations}
    named |= {f"variables.{name}.levels": one.levels for name, one in study.config.variables.items()}
    for where, levels in named.items():
        yield from _alike(f"{config}: {where}", levels.values())
    for where, levels in named.items():
        for level in (level for level in levels if level in RESERVED_LEVELS):
            told = f"`{level}` has a meaning of its own in the results"
            yield Mistake(f"{config}: {where}", told, "choose another name")
    yield from _check_instrument(study, folder)
    for wave in study.waves:
        yield from check_wave(study, wave, folder / "waves" / wave.name)


def _alike(where: str, labels: Iterable[str]) -> Iterator[Mistake]:
    """Yield labels that cannot be distinguished in a file."""
    groups: dict[str, list[str]] = {}
    for label in labels:
        groups.setdefault(normalise(label), []).append(label)
    hint = "case, spacing, quotes, dashes and HTML do not count; use other words"
    for alike in (labels for labels in groups.values() if len(labels) > 1):
        yield Mistake(where, f"{listed([f'`{label}`' for label in alike])} are the same label", hint)


def _check_instrument(study: Study, folder: Path) -> Iterator[Mistake]:
    items, scales = folder / "items.tsv", folder / "scales.tsv"
    names = [item.item for item in study.items]
    yield from twice(items, "item", names)
    yield from twice(scales, "scale", [scale.scale for scale in study.scales])
    for name in sorted({*names} & {*RESERVED, *study.config.variables}):
        yield Mistake(f"{items}: item {name}", "the harmonised data already have a column of that name")
    for name in (name for name in names if name.endswith(RESCALED_SUFFIX)):
        told = f"names ending in {RESCALED_SUFFIX} are kept for rescaled versions of an item"
        yield Mistake(f"{items}: item {name}", told)
    known, options = {scale.scale for scale in study.scales}, study.config.response_scales
    sections = [str(number) for number in study.config.sections]
    for item in study.items:
        where = f"{items}: item {item.item}"
        yield from unknown(where, "response_scale", [item.response_scale], options, "response scale")
        yield from unknown(where, "section", [str(item.section)], sections, "section")
        yield from unknown(where, "scale", [item.scale] if item.scale else [], known, "scale")
    for scale in study.scales:
        members = study.items_of(scale.scale)
        where = f"{scales}: scale {scale.scale}"
        if len(members) < 2:
            told = f"a scale needs two items, this one has {len(members)}"
            yield Mistake(where, told, "give items.tsv the scale, or drop it here")
        if len({item.response_scale for item in members}) > 1 and not scale.standardise:
            hint = (
                "put `range` in its column `standardise` to compare them in percent of the maximum possible"
            )
            yield Mistake(where, "its items have different response scales", hint)
        if scale.min_answered > len(members) >= 2:
            yield Mistake(where, f"min_answered is {scale.min_answered}, but it has {len(members)} items")
