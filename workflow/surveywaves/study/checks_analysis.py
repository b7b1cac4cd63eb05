"""What the choices of the analysis name, and whether the study has it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from surveywaves.errors import Mistake
from surveywaves.study.models import Config
from surveywaves.study.naming import twice, unknown


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
