"""The sections of the report: what each of them is told, and its template filled in.

Templates are Jinja Markdown, one a section, in `workflow/report/sections/`. They hold the words; the numbers and names
that stand in them come from here, each with its source (see `surveywaves.report.numbers`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2

from surveywaves import findings
from surveywaves.catalogue import SECTIONS, batteries, item_groups
from surveywaves.findings import CHANGE, DIFFERENCE, GAP, Found, by_organisation, largest, term_in
from surveywaves.report.numbers import (
    Marked,
    Material,
    Number,
    Section,
    escape,
    insert,
    joined,
    plain,
    say,
    several,
)
from surveywaves.report.summary import (
    SAME,
    SURE,
    Estimates,
    alone,
    everybody,
    headline,
    strip,
    summary,
    unanswered,
    when,
)
from surveywaves.terms import (
    ALL,
    BETWEEN,
    ESTIMATED,
    FAVOURABLE,
    IMPUTED,
    LINEAR,
    LOW_RELIABILITY,
    NOT_STATED,
    ORDINAL,
    ORGANISATION,
    PERCENT_FAVOURABLE,
    WITHOUT_SCALE,
    Checked,
    Comparability,
    Decision,
    Evidence,
)
from surveywaves.words import OUTSIDE, REVERSED, WITHHELD, is_missing, lower, records, share

__all__ = ["Material", "Section", "headline", "sections", "strip"]

TEMPLATES: Final = Path(__file__).parents[2] / "report" / "sections"

FEW: Final = 6
"""Organisations, pairs or decisions that a sentence each is given to."""

DECIDED: Final[Mapping[str, str]] = {
    Decision.INCREASE: "rose",
    Decision.DECREASE: "fell",
    Decision.NO_MEANINGFUL_CHANGE: "no meaningful change",
    Decision.INCONCLUSIVE: "no clear change",
}
"""What a change came to, in words."""


def sections(material: Material) -> Iterator[Section]:
    """Give the sections that there is something to say or to show in, in the order of the catalogue."""
    for name in SECTIONS:
        told = ABOUT[name](material) if name in ABOUT else {}
        if told is None and not material.shows(name):
            continue
        text = _marks(_template(name).render(**_common(material), **(told or {})), material, name)
        if text:
            yield Section(name, title(name, material), text)


def title(name: str, material: Material) -> str:
    """Give a section's heading in the study's own words."""
    nouns, study = material.presentation.nouns, material.presentation
    if name == "parted" and len(study.waves) < 2:
        return f"Do the {nouns.organisation[1]} differ?"
    return (
        SECTIONS[name]
        .replace("organisations", nouns.organisation[1])
        .replace("statements", nouns.statement[1])
        .replace("Statements", findings.opening(nouns.statement[1]))
        .replace("statement", nouns.statement[0])
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        finalize=insert,
        trim_blocks=True,
        lstrip_blocks=True,
        # What is inserted is escaped as Markdown, by `finalize`.
        autoescape=False,
    )
    # A name in a mark stays as it is.
    environment.filters |= {"mark": Marked, "lower_first": lower, "opening": findings.opening}
    return environment


def _template(name: str) -> jinja2.Template:
    return _environment().get_template(f"{name}.md.j2")


def _common(material: Material) -> dict[str, Any]:
    """Give what every template may use."""
    study = material.presentation
    return {
        "n": material.numbers,
        "study": study,
        "nouns": study.nouns,
        "labels": material.labels,
        "has": material.has,
        "several": several,
        "joined": joined,
        "percent": material.has("means") and Estimates(material).unit == PERCENT_FAVOURABLE,
        "everybody": everybody(material),
        "adjusted": material.has("contrasts")
        and bool(material.tables["contrasts"]["p_adjusted"].notna().any()),
        "waves": len(study.waves),
        "organisations": len(study.organisations),
        "reversed": REVERSED,
        "withheld": WITHHELD,
    }


_MARK: Final = re.compile(r"^\[\[(figure|table|files)(?::([\w-]+))?\]\]$", re.MULTILINE)


def _marks(text: str, material: Material, section: str) -> str:
    """Drop marks of what there is not, and put what the template did not place at the end."""
    there = {"figure": material.figures, "table": material.made}
    placed: dict[str, set[str]] = {"figure": set(), "table": set()}

    def keep(found: re.Match[str]) -> str:
        kind, name = found.groups()
        if kind == "files":
            return found[0]
        if name not in there[kind] or name in placed[kind]:
            return ""
        placed[kind].add(name)
        return found[0]

    text = _MARK.sub(keep, text)
    left = [mark for mark in material.standing(section) if mark not in text]
    whole = re.sub(r"\n{3,}", "\n\n", "\n\n".join([text.strip(), *left])).strip()
    while (shorter := _EMPTY.sub("", whole).strip()) != whole:
        whole = shorter
    return whole


_EMPTY: Final = re.compile(r"^(#{2,}) [^\n]*\n*(?=\1 |#{2} |\Z)", re.MULTILINE)
"""A heading with nothing below it."""


# --- the body ---------------------------------------------------------------------------------------------------


def _summary(material: Material) -> dict[str, Any]:
    return {"paragraphs": summary(material)}


def _first(material: Material) -> dict[str, Any]:
    study = material.presentation
    return {
        "returns": list(_returns(material)),
        "unstated": list(_unstated(material)),
        "unanswered": list(unanswered(material, everybody(material))),
        "smallest": _smallest(material),
        "low": [material.labels.scale(name) for name in _low(material)],
        "reworded": [wave.title for name, wave in study.waves.items() if _otherwise(material, name)],
    }


def _otherwise(material: Material, wave: str) -> bool:
    """Whether a wave asks a statement of a scale otherwise than the instrument."""
    grades = material.presentation.waves[wave].comparability
    return any(
        item.scale and grades.get(item.item, "identical") != Comparability.IDENTICAL
        for item in material.presentation.items.values()
    )


def _returns(material: Material) -> Iterator[Marked]:
    """Say of each wave how many answered, of how many."""
    if not material.has("response_rates"):
        return
    numbers, study = material.numbers, material.presentation
    for row in records(material.tables["response_rates"]):
        wave = when(material, row.wave) if row.wave in study.waves else material.labels.wave(row.wave)
        here = {"wave": row.wave}
        if is_missing(row.returns):
            yield say(
                "**{wave}:** the number of {returns} is withheld.", wave=wave, returns=study.nouns.returns[1]
            )
            continue
        count = several(numbers.cell("response_rates", "returns", **here), study.nouns.returns)
        if is_missing(row.rate):
            yield say("**{wave}:** {count}; the response rate is not known.", wave=wave, count=count)
            continue
        span = ""
        if not is_missing(row.conf_low):
            span = say(
                " ({low} to {high}, as the number of {people} is an estimate)",
                low=numbers.cell("response_rates", "conf_low", share, **here),
                high=numbers.cell("response_rates", "conf_high", share, **here),
                people=everybody(material),
            )
        words = study.waves.get(row.wave)
        yield say(
            "**{wave}:** {count} of {about}{population} {people}, a response rate of {rate}{span}.",
            wave=wave,
            count=count,
            about=say("about ") if words and words.population.approximate else "",
            population=numbers.cell("response_rates", "population", **here),
            people=everybody(material),
            rate=numbers.cell("response_rates", "rate", share, **here),
            span=span,
        )


def _unstated(material: Material) -> Iterator[Marked]:
    """Say of each wave how many named no organisation, and so are in no comparison."""
    if len(material.presentation.organisations) < 2 or not material.has("respondents"):
        return
    here: dict[str, Any] = {"organisation": ALL, "variable": ORGANISATION, "level": NOT_STATED}
    for row in records(material.numbers.rows("respondents", **here)):
        if not is_missing(row.n) and row.n:
            n, base = (
                material.numbers.cell("respondents", name, wave=row.wave, **here) for name in ("n", "base")
            )
            yield say("{n} of {base} in {wave}", n=n, base=base, wave=material.labels.wave(row.wave))


def _smallest(material: Material) -> Marked:
    """Give the smallest effect of interest in the headline's unit, as the first contrast states it."""
    if not material.has("contrasts"):
        return Marked("")
    unit = Estimates(material).unit
    percent = unit == PERCENT_FAVOURABLE
    frame = material.tables["contrasts"]
    own = frame["analysis"].eq(findings.ANALYSIS[unit]) & frame["smallest"].notna()
    standardised = frame["term"].str.endswith("_standardised")
    for row in records(frame[own & (standardised != percent)]):
        here: dict[str, Any] = {
            name: getattr(row, name) for name in ("analysis", "scale", "wave", "organisation", "term")
        }
        size = material.numbers.cell("contrasts", "smallest", "{:.3g}".format, **here)
        nouns = ("percentage point", "percentage points") if percent else ("standard deviation",) * 2
        return several(size, (nouns[0], nouns[1]))
    return Marked("")


def _low(material: Material) -> list[str]:
    """List the scales of low reliability."""
    if not material.has("scale_use"):
        return []
    return [row.scale for row in records(material.tables["scale_use"]) if row.use == LOW_RELIABILITY]


def _scales(material: Material) -> dict[str, Any] | None:
    study = material.presentation
    groups = item_groups(study)
    if not groups and not material.shows("scales"):
        return None
    framework, parted = _by_principle(material, groups)
    return {
        "framework": framework,
        "overview": material.standing("scales", "overview"),
        "groups": {heading: [_scale(material, name) for name in names] for heading, names in parted.items()},
        "rounded": len(study.waves) > 1 and bool(material.has("contrasts")),
    }


def _by_principle(material: Material, groups: tuple[str, ...]) -> tuple[str, dict[str, list[str]]]:
    """Group scales by the first framework's principle, or by section of the questionnaire."""
    study = material.presentation
    name = next(iter(study.frameworks), "")
    found: dict[str, list[str]] = {}
    for group in groups:
        scale = study.scales.get(group)
        section = min(item.section for item in study.items.values() if (item.scale or WITHOUT_SCALE) == group)
        if scale is None:
            heading = OUTSIDE.replace("Statements", findings.opening(study.nouns.statement[1]))
        elif name:
            heading = scale.frameworks.get(name, "Other scales").split("; ")[0]
        else:
            heading = study.sections.get(section, "")
        found.setdefault(heading, []).append(group)
    return study.frameworks.get(name, ""), found


def _scale(material: Material, name: str) -> dict[str, Any]:
    """Say in a few sentences what people said on a scale."""
    labels, study = material.labels, material.presentation
    scale = study.scales.get(name)
    items = [item for item in study.items.values() if (item.scale or WITHOUT_SCALE) == name]
    grades = {
        wave.title: {wave.comparability.get(item.item, "identical") for item in items}
        for wave in study.waves.values()
    }
    grades = grades if scale else {}
    gone = {Comparability.ABSENT.value, Comparability.RESCALED.value}
    return {
        "title": labels.scale(name) if scale else "",
        "name": name,
        "sentences": list(_told(material, name)) if scale else [],
        "absent": [wave for wave, found in grades.items() if found <= gone],
        "fewer": [wave for wave, found in grades.items() if found & gone and not found <= gone],
        "reworded": [wave for wave, found in grades.items() if Comparability.REWORDED.value in found],
        "low": _alpha(material, name) if name in _low(material) else None,
    }


def _alpha(material: Material, scale: str) -> Number | None:
    here: dict[str, Any] = {"scale": scale, "item": "", "wave": ALL, "organisation": ALL, "term": "alpha"}
    try:
        return material.numbers.cell(
            "reliability", "estimate", lambda value: plain(2)(value).removeprefix("0"), **here
        )
    except (KeyError, ValueError):
        return None


def _told(material: Material, scale: str) -> Iterator[Marked]:
    """Say how each organisation's answers to a scale changed; of one wave, what they are."""
    if not material.has("means"):
        return
    estimates, labels, pair = Estimates(material), material.labels, findings.main_pair(material.presentation)
    if pair is None:
        wave = next(iter(material.presentation.waves))
        facts = findings.levels(material.tables["means"], wave=wave, unit=estimates.unit)
    else:
        facts = estimates.facts(CHANGE, pair.contrast)
    own = alone(one for one in facts if one.scale == scale)
    shown = own if len(own) <= FEW else largest(one for one in own if one.moved)[:FEW]
    for one in shown:
        who = labels.organisation(one.organisation)
        if one.estimate is None:
            yield say("**{who}:** {why}.", who=who, why=estimates.missing(one))
        elif pair is None:
            level = estimates.level(scale, one.wave, one.organisation)
            yield say("**{who}:** {level}.", who=who, level=level)
        else:
            told = estimates.moved(one)
            decided = DECIDED.get(one.decision, "no decision")
            yield say("**{who}:** {told}, {decided}.", who=who, told=told, decided=decided)
    if len(shown) < len(own):
        yield say("The others are in the table of changes.")


def _parted(material: Material) -> dict[str, Any] | None:
    study = material.presentation
    if len(study.organisations) < 2 or not material.has("contrasts", "means"):
        return None
    estimates, pair = Estimates(material), findings.main_pair(study)
    wave = pair.contrast if pair else next(iter(study.waves))
    kind = DIFFERENCE if pair else GAP
    facts = [one for one in estimates.facts(kind, wave) if one.estimate is not None]
    pairs = by_organisation(facts, study)
    told = sorted(pairs, key=lambda name: -sum(one.moved for one in pairs[name]))[:FEW]
    return {
        "pairs": [_pair(estimates, pairs[name]) for name in told],
        "further": len(pairs) > len(told),
        "pair": pair,
        "empty": not facts,
    }


def _pair(estimates: Estimates, facts: list[Found]) -> dict[str, Any]:
    """Say on which scales two organisations differ, or changed differently."""
    labels = estimates.material.labels
    one, other = (findings.inside(labels, name) for name in facts[0].organisation.split(BETWEEN))
    moved = largest(fact for fact in facts if fact.moved)
    return {
        "pair": findings.opening(f"{one} and {other}"),
        "scales": estimates.on(facts, SURE[:2]),
        "moved": [
            say(
                "{scale} {difference} ({interval})",
                scale=estimates.scale(fact),
                difference=estimates.difference(fact),
                interval=estimates.interval(fact),
            )
            for fact in moved
        ],
    }


def _sure(material: Material) -> dict[str, Any] | None:
    if not material.has("agreement"):
        return {} if material.shows("sure") else None
    numbers, estimates = material.numbers, Estimates(material)
    here: dict[str, Any] = {"analysis": findings.ANALYSIS[estimates.unit]}
    rows = numbers.rows("agreement", **here, decision=SURE)
    return {
        "told": numbers.count("agreement", **here, decision=SURE),
        "same": numbers.count("agreement", **here, decision=SURE, **SAME),
        "open": numbers.count("agreement", **here, decision=Decision.INCONCLUSIVE.value),
        "still": numbers.count("agreement", **here, decision=Decision.INCONCLUSIVE.value, **SAME),
        "move": numbers.largest("agreement", "largest_move", plain(estimates.decimals), **here)
        if numbers.rows("agreement", **here)["largest_move"].notna().any()
        else None,
        "tipping": bool(rows["tipping_point"].notna().any()),
    }


ASSUMPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "equal variance between respondents in every cell": {"analysis": LINEAR, "term": "equal_tau2"},
    "equal variance within respondents in every cell": {"analysis": LINEAR, "term": "equal_sigma2"},
    "proportional odds": {"analysis": ORDINAL, "term": "proportional_odds"},
    "equal dispersion on the latent scale": {"analysis": ORDINAL, "term": "dispersion"},
}
"""What is assumed -> the rows of `diagnostics` that test it."""


def _methods(material: Material) -> dict[str, Any]:
    study = material.presentation
    covariates = [lower(material.labels.variable(name)) for name in study.covariates]
    analyses = set(material.tables["means"]["analysis"]) if material.has("means") else set()
    variants = set(material.tables["sensitivity"]["variant"]) if material.has("sensitivity") else set()
    compared = material.has("contrasts")
    nouns = study.nouns
    cell = f"wave:{nouns.organisation[0]}" if len(study.organisations) > 1 else "wave"
    sources: dict[str, list[str]] = {}
    for scale in study.scales.values():
        if scale.source:
            sources.setdefault(scale.source, []).append(scale.title)
    return {
        "sources": sources,
        "linear": LINEAR in analyses,
        "ordinal": ORDINAL in analyses,
        "favourable": FAVOURABLE in analyses,
        "compared": compared,
        "covariates": covariates,
        "formula": " + ".join(
            [f"answer ~ {cell}", nouns.statement[0], *study.covariates, "(1 | respondent)"]
        ),
        "smallest": _smallest(material),
        "unstated": list(_unstated(material)),
        "imputed": IMPUTED in variants,
        "finite": "finite_population" in variants,
        "tests": list(_tests(material)),
        "crosscheck": [
            material.numbers.total("crosscheck", verdict.value)
            for verdict in (Checked.AGREES, Checked.DIFFERS, Checked.NOT_CHECKED)
        ]
        if material.has("crosscheck")
        else [],
        "limitations": own_words(material.limitations, level="###"),
        "teams": "team" in study.variables,
    }


def _tests(material: Material) -> Iterator[Marked]:
    """Report the tests of the models' assumptions."""
    if not material.has("diagnostics"):
        return
    numbers, level = material.numbers, 1 - material.presentation.confidence
    for what, here in ASSUMPTIONS.items():
        tried = numbers.count("diagnostics", **{**here, "p_value>": -1.0})
        if tried:
            failed = numbers.count("diagnostics", **{**here, "p_value<": level})
            yield say("{what}, rejected in {failed} of {tried} tests", what=what, failed=failed, tried=tried)


def _statements(material: Material) -> dict[str, Any] | None:
    if not material.presentation.items:
        return None
    pair = findings.main_pair(material.presentation)
    told: list[Marked] = []
    if pair and material.has("item_contrasts"):
        numbers, labels = material.numbers, material.labels
        here = {
            "analysis": FAVOURABLE,
            "term": term_in(PERCENT_FAVOURABLE, CHANGE),
            "wave": pair.contrast,
        }
        named = list(dict.fromkeys(numbers.rows("item_contrasts", **here)["organisation"]))
        for name in [one for one in named if one != ALL][:FEW] or named:
            own = {**here, "organisation": name}
            told.append(
                say(
                    "**{who}:** more favourable {up}, less favourable {down}, of {tried} compared.",
                    who=labels.organisation(name),
                    up=numbers.count("item_contrasts", **own, decision=Decision.INCREASE.value),
                    down=numbers.count("item_contrasts", **own, decision=Decision.DECREASE.value),
                    tried=several(
                        numbers.count("item_contrasts", **own, status=list(ESTIMATED)),
                        material.presentation.nouns.statement,
                    ),
                )
            )
    return {"told": told, "pair": pair}


def _data(material: Material) -> dict[str, Any]:
    study, labels = material.presentation, material.labels
    kinds = {wave.evidence for wave in study.waves.values()}
    return {
        "evidence": [
            {
                "title": wave.title,
                "kind": wave.evidence.value,
                "note": wave.evidence_note,
                "weaker": [
                    {
                        "variable": labels.variable(variable),
                        "kind": about.evidence.value,
                        "note": about.note,
                    }
                    for variable, about in wave.variable_evidence.items()
                ],
            }
            for wave in study.waves.values()
        ],
        "kinds": [kind.value for kind in Evidence if kind in kinds],
        "files": list(_files(material)),
        "problems": material.has("problems"),
        "disclosure": material.disclosure,
    }


def _files(material: Material) -> Iterator[Marked]:
    """Say of each wave how many rows of its files were read, kept and set aside, as far as it may be told."""
    if not material.has("file_counts"):
        return
    numbers, frame = material.numbers, material.tables["file_counts"]
    for wave in dict.fromkeys(frame["wave"]):
        own = frame[frame["wave"] == wave]
        if own[["rows_in", "rows_kept", "rows_set_aside"]].isna().any(axis=None):
            yield say("**{wave}:** some counts of rows are withheld.", wave=material.labels.wave(wave))
            continue
        read, kept, aside = (
            numbers.total("file_counts", name, wave=wave)
            for name in ("rows_in", "rows_kept", "rows_set_aside")
        )
        yield say(
            "**{wave}:** {read} read, {kept} kept, {aside} set aside.",
            wave=material.labels.wave(wave),
            read=several(read, ("row", "rows")),
            kept=kept,
            aside=aside,
        )


# --- the appendix -----------------------------------------------------------------------------------------------


def _answers(material: Material) -> dict[str, Any] | None:
    if not material.has("item_frequencies"):
        return None
    study = material.presentation
    groups = []
    for group in item_groups(study):
        scale = None if group == WITHOUT_SCALE else group
        names = [name for name, items in batteries(study).items() if items[0].scale == scale]
        heading = material.labels.scale(group) if scale else OUTSIDE
        groups.append({"title": heading, "names": names})
    return {"groups": groups}


def _reliability(material: Material) -> dict[str, Any] | None:
    if not material.has("reliability"):
        return None
    rows = records(material.tables["scale_use"]) if material.has("scale_use") else ()
    low = [
        (material.labels.scale(row.scale), material.labels.readable(row.reason))
        for row in rows
        if row.use == LOW_RELIABILITY
    ]
    return {"low": low, "structure": material.has("structure")}


def _alike(material: Material) -> dict[str, Any] | None:
    return {} if material.has("dif") else None


def _audit(material: Material) -> dict[str, Any] | None:
    tables, claims = material.has("published_tables"), material.has("claims")
    if not (tables or claims):
        return None
    return {
        "cells": _verdicts(material, "published_tables", CELLS) if tables else [],
        "claims": _verdicts(material, "claims", CLAIMS) if claims else [],
        "rows": material.numbers.distinct("published_tables", "table", "row") if tables else None,
        "checked": material.numbers.count("published_tables") if tables else None,
    }


CELLS: Final = {
    "agrees": ("agrees with the rest of its row", "agree with the rest of their row"),
    "agrees_when_truncated": (
        "agrees if digits were cut off, not rounded",
        "agree if digits were cut off, not rounded",
    ),
    "misprint": ("is a misprint", "are misprints"),
    "undecided": (
        "contradicts another cell, and which is wrong is not decided",
        "contradict another cell, and which is wrong is not decided",
    ),
}
CLAIMS: Final = {
    "agrees": ("agrees with the counts", "agree with the counts"),
    "agrees_when_summed": (
        "agrees if rounded percentages were added up",
        "agree if rounded percentages were added up",
    ),
    "agrees_when_truncated": CELLS["agrees_when_truncated"],
    "contradicted": ("is contradicted by the counts", "are contradicted by the counts"),
}
"""Verdict -> what is said of one cell or claim, and of several."""


def _verdicts(material: Material, table: str, words: Mapping[str, tuple[str, str]]) -> list[Marked]:
    """Count the verdicts on cells or claims."""
    present = set(material.tables[table]["verdict"])
    return [
        several(material.numbers.count(table, verdict=verdict), words[verdict])
        for verdict in words
        if verdict in present
    ]


def _wordings(material: Material) -> dict[str, Any] | None:
    return {} if material.shows("wordings") else None


def _planning(material: Material) -> dict[str, Any] | None:
    planned = material.presentation.planning
    if planned is None or not material.has("planning"):
        return None
    wave = material.presentation.waves[planned.reference]
    return {
        "planned": planned.title,
        "reference": wave.title,
        "invented": wave.evidence is not Evidence.OBSERVED,
        "kind": wave.evidence.value,
    }


def _software(material: Material) -> dict[str, Any]:
    return {"session": [f"{name} {version}" for name, version in material.session.items()]}


ABOUT: Final[Mapping[str, Callable[[Material], dict[str, Any] | None]]] = {
    "summary": _summary,
    "first": _first,
    "scales": _scales,
    "parted": _parted,
    "sure": _sure,
    "methods": _methods,
    "statements": _statements,
    "data": _data,
    "answers": _answers,
    "reliability": _reliability,
    "alike": _alike,
    "audit": _audit,
    "wordings": _wordings,
    "planning": _planning,
    "software": _software,
}
"""Section -> what its template is told; None: there is nothing to say."""


# --- the study's own words and what it was made with ---------------------------------------------------------------

_STRONG: Final = re.compile(r"(?:&#42;){2}(?=\S)(.+?)(?<=\S)(?:&#42;){2}")
_WEAK: Final = re.compile(r"&#42;(?=\S)(.+?)(?<=\S)&#42;")
_BEGINS: Final = re.compile(r"(?P<mark>#{1,6}|[-*])\s+(?P<text>.*)")


def own_words(text: str, *, level: str) -> Marked:
    """Take a text of the study as Markdown: headings, points, emphasis and paragraphs; everything else escaped.

    Parameters
    ----------
    level
        Marks of its headings, whatever theirs are.
    """
    lines = []
    for line in text.replace("\r\n", "\n").splitlines():
        begins = _BEGINS.fullmatch(line.strip())
        mark = "" if begins is None else f"{level} " if begins["mark"][0] == "#" else "- "
        words = escape(begins["text"] if begins else line)
        lines.append(mark + _WEAK.sub(r"*\1*", _STRONG.sub(r"**\1**", words)))
    return Marked("\n".join(lines).strip())
