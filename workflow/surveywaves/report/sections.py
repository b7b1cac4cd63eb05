"""The sections of the report: what each of them is told, and its template filled in.

Templates are Jinja Markdown, one a section, in `workflow/report/sections/`. They hold the words and say which numbers
stand in them, each with its source (see `surveywaves.report.numbers`); what needs more than a look-up comes from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from surveywaves import findings
from surveywaves.catalogue import SECTIONS, STATISTICS, batteries, item_groups
from surveywaves.findings import CHANGE, CLEAR, DIFFERENCE, GAP, LEVEL, term_in
from surveywaves.report.numbers import Material, Number, Section, escape, joined, several
from surveywaves.report.summary import (
    OTHERS,
    SAME,
    WAYS,
    Told,
    contrasts,
    facts,
    summary,
)
from surveywaves.study.models import Nouns
from surveywaves.terms import (
    ALL,
    ESTIMATED,
    FAVOURABLE,
    IMPUTED,
    LINEAR,
    LOW_RELIABILITY,
    NOT_STATED,
    ORDINAL,
    ORGANISATION,
    PERCENT_FAVOURABLE,
    ROW_COUNTS,
    WITHOUT_SCALE,
    Comparability,
    Decision,
)
from surveywaves.words import (
    LOW_RELIABILITY_SIGN,
    REVERSED,
    WITHHELD,
    is_missing,
    lower,
    number,
    opening,
    records,
    share,
)

TEMPLATES: Final = Path(__file__).parents[2] / "report" / "sections"

FEW: Final = 6
"""Organisations or pairs that a sentence each is given to."""


def sections(material: Material) -> Iterator[Section]:
    """Yield the sections that have something to say or to show, in the order of the catalogue."""
    for name in SECTIONS:
        told = ABOUT[name](material) if name in ABOUT else {}
        text = filled(f"{name}.md.j2", material, shows=bool(material.standing(name)), **told)
        if text := _marks(text, material, name):
            yield Section(name, title(name, material), text)


def strip(material: Material) -> str:
    """Return which data are invented, in Markdown; empty if none are."""
    return filled(
        "_strip.jinja", material, invented=any(map(material.labels.weaker, material.presentation.waves))
    ).strip()


def filled(template: str, material: Material, **told: Any) -> str:
    """Fill in a template with what all are told, and with what it is told besides."""
    return _environment().get_template(template).render(**_common(material), **told)


def title(name: str, material: Material) -> str:
    """Return a section's heading in the study's own words."""
    nouns = material.presentation.nouns
    if name == "parted" and len(material.presentation.waves) < 2:
        return f"Do the {nouns.organisation[1]} differ?"
    words = {
        "organisations": nouns.organisation[1],
        "statements": nouns.statement[1],
        "statement": nouns.statement[0],
    }
    return re.sub(r"\b(organisations|statements?)\b", lambda found: words[found[0]], SECTIONS[name])


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, TEMPLATES.parent]),
        undefined=jinja2.StrictUndefined,
        # What is inserted is escaped as Markdown; what a macro gives is markup.
        finalize=escape,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A name in a mark stays as it is.
    environment.filters |= {"mark": Markup, "lower_first": lower, "opening": opening}
    environment.globals |= {
        "several": several,
        "joined": joined,
        "missing": is_missing,
        "share": share,
        "whole_share": partial(share, decimals=0),
        "number_word": lambda value: findings.counted(round(value)),
    }
    return environment


def _common(material: Material) -> dict[str, Any]:
    """Return what every template may use."""
    study = material.presentation
    people = study.nouns.people

    def rows(table: str) -> Iterator[Any]:
        return records(material.tables[table]) if material.has(table) else iter(())

    return {
        "n": material.numbers,
        "rows": rows,
        "study": study,
        "nouns": study.nouns,
        "labels": material.labels,
        "has": material.has,
        "percent": not material.has("means") or material.unit == PERCENT_FAVOURABLE,
        # All who were surveyed, whether they answered or not.
        "everybody": "people asked" if people == Nouns().people else people,
        "adjusted": material.has("contrasts") and study.multiplicity != "none",
        "smallest": _smallest(material) if material.has("contrasts") else Markup(""),
        "clear": CLEAR,
        "decided": {decision: went for went, decision in WAYS.items()}
        | {Decision.NO_MEANINGFUL_CHANGE: "no meaningful change", Decision.INCONCLUSIVE: "no clear change"},
        "waves": len(study.waves),
        "organisations": len(study.organisations),
        "reversed": REVERSED,
        "low_sign": LOW_RELIABILITY_SIGN,
        "withheld": WITHHELD,
    }


MARK: Final = re.compile(r"^\[\[(figure|table):(\w+)\]\]$", re.MULTILINE)
"""The place of a figure or table. No label can produce one: what sections insert is escaped."""


def _marks(text: str, material: Material, section: str) -> str:
    """Drop marks of what does not stand in a section, and put what its template did not place at the end."""
    left = dict.fromkeys(material.standing(section))

    def keep(found: re.Match[str]) -> str:
        return found[0] if left.pop(Markup(found[0]), True) is None else ""

    text = MARK.sub(keep, text)
    whole = re.sub(r"\n{3,}", "\n\n", "\n\n".join([text.strip(), *left])).strip()
    while (shorter := _EMPTY.sub("", whole).strip()) != whole:
        whole = shorter
    return whole


_EMPTY: Final = re.compile(r"^(#{2,}) [^\n]*\n*(?=\1 |#{2} |\Z)", re.MULTILINE)
"""A heading with nothing below it."""


# --- what templates are told -------------------------------------------------------------------------------------


def _first(material: Material) -> dict[str, Any]:
    differ = Comparability.IDENTICAL
    scored = [name for name, item in material.presentation.items.items() if item.scale]
    return {
        "unstated": _unstated(material),
        "left_out": UNSTATED,
        "low": [material.labels.scale(name) for name in _low(material)],
        "reworded": [
            wave.title
            for wave in material.presentation.waves.values()
            if any(wave.comparability.get(name, differ) != differ for name in scored)
        ],
    }


UNSTATED: Final[Mapping[str, str]] = {"organisation": ALL, "variable": ORGANISATION, "level": NOT_STATED}
"""The row of `respondents`, one a wave, of those who named no organisation, and so are in no comparison."""


def _unstated(material: Material) -> list[str]:
    """List the waves in which it is known that some named no organisation."""
    if len(material.presentation.organisations) < 2 or not material.has("respondents"):
        return []
    return list(material.numbers.rows("respondents", **UNSTATED, **{"n>": 0.0})["wave"])


def _smallest(material: Material) -> Markup:
    """Return the smallest effect of interest in the headline's unit, as the first contrast states it."""
    percent = material.unit == PERCENT_FAVOURABLE
    frame = material.tables["contrasts"]
    own = frame["analysis"].eq(findings.ANALYSIS[material.unit]) & frame["smallest"].notna()
    rows = frame[own & (frame["term"].str.endswith("_standardised") != percent)]
    if rows.empty:
        return Markup("")
    here = {name: rows[name].iloc[0] for name in ("analysis", "scale", "wave", "organisation", "term")}
    nouns = ("percentage point", "percentage points") if percent else ("standard deviation",) * 2
    return several(material.numbers.cell("contrasts", "smallest", "{:.3g}".format, **here), nouns)


def _low(material: Material) -> list[str]:
    """List the scales that are marked."""
    rows = records(material.tables["scale_use"]) if material.has("scale_use") else ()
    return [row.scale for row in rows if row.use == LOW_RELIABILITY]


def _scales(material: Material) -> dict[str, Any]:
    study, pair = material.presentation, findings.main_pair(material.presentation)
    kind, wave = (CHANGE, pair.contrast) if pair else (LEVEL, next(iter(study.waves)))
    found = facts(material, kind, wave)
    return {
        "pair": pair,
        "framework": next(iter(study.frameworks.values()), ""),
        "overview": material.standing("scales", "overview"),
        "groups": {
            heading: [_scale(material, name, found) for name in names]
            for heading, names in _by_principle(material).items()
        },
    }


def _by_principle(material: Material) -> dict[str, list[str]]:
    """Group scales by the first framework's principle, or by section of the questionnaire."""
    study = material.presentation
    found: dict[str, list[str]] = {}
    for group in item_groups(study):
        scale = study.scales.get(group)
        section = min(item.section for item in study.items.values() if (item.scale or WITHOUT_SCALE) == group)
        if scale is None:
            heading = material.labels.scale(group)
        elif study.frameworks:
            heading = scale.frameworks.get(next(iter(study.frameworks)), "Other scales").split("; ")[0]
        else:
            heading = study.sections.get(section, "")
        found.setdefault(heading, []).append(group)
    return found


def _scale(material: Material, name: str, found: list[Told]) -> dict[str, Any]:
    """Gather what is said of a scale: of each organisation, or where there are many, of those that moved most."""
    study = material.presentation
    scale = study.scales.get(name)
    items = [item for item in study.items.values() if item.scale == name]
    grades = {
        wave.title: {wave.comparability.get(item.item, Comparability.IDENTICAL) for item in items}
        for wave in study.waves.values()
        if scale
    }
    gone = {Comparability.ABSENT, Comparability.RESCALED}
    of = {one.organisation: one for one in found if one.scale == name}
    own = list(findings.without_all(of).values())
    shown, here = own, {}
    if len(own) > FEW:
        shown = [of[ALL]] if ALL in of else []
        shown += findings.largest(one for one in own if one.moved)[: FEW // 2]
        here = material.where(CHANGE, own[0].wave, scale=name, **OTHERS)
    return {
        "title": scale.title if scale else "",
        "name": name,
        "told": shown,
        "here": here,
        "further": len(shown) < len(own),
        "absent": [wave for wave, asked in grades.items() if asked <= gone],
        "fewer": [wave for wave, asked in grades.items() if asked & gone and not asked <= gone],
        "reworded": [wave for wave, asked in grades.items() if Comparability.REWORDED in asked],
        "low": name in _low(material),
    }


def _parted(material: Material) -> dict[str, Any]:
    study, pair = material.presentation, findings.main_pair(material.presentation)
    kind, wave = (DIFFERENCE, pair.contrast) if pair else (GAP, next(iter(study.waves)))
    pairs = sorted(contrasts(material, kind, wave).values(), key=lambda one: -len(one.moved))
    told: dict[str, Any] = {"pair": pair, "pairs": pairs, "clearly": {}, "further": False}
    if len(pairs) > FEW:
        told["clearly"] = material.where(kind, wave, decision=list(WAYS.values()))
        told |= {"pairs": [one for one in pairs if one.moved][:FEW] or pairs[:1], "further": True}
    return told


def _sure(material: Material) -> dict[str, Any]:
    if not material.has("agreement"):
        return {}
    here = {"analysis": findings.ANALYSIS[material.unit]}
    numbers, rows = material.numbers, material.numbers.rows("agreement", **here)
    moved = bool(rows["largest_move"].notna().any())
    return {
        "here": here,
        "same": {**here, **SAME},
        "move": moved
        and numbers.largest("agreement", "largest_move", lambda x: number(x, material.decimals), **here),
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
    study, nouns = material.presentation, material.presentation.nouns
    analyses = set(material.tables["means"]["analysis"]) if material.has("means") else set()
    variants = set(material.tables["sensitivity"]["variant"]) if material.has("sensitivity") else set()
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
        "covariates": [lower(material.labels.variable(name)) for name in study.covariates],
        "formula": " + ".join(
            [f"answer ~ {cell}", nouns.statement[0], *study.covariates, "(1 | respondent)"]
        ),
        "imputed": IMPUTED in variants and bool(_unstated(material)),
        "finite": "finite_population" in variants,
        "tests": list(_tests(material)),
        "limitations": own_words(material.limitations),
        "teams": material.has("variances") and "tau2_team" in set(material.tables["variances"]["term"]),
    }


def _tests(material: Material) -> Iterator[tuple[str, Number, Number]]:
    """Yield each assumption with how often its tests rejected it, and how many there were."""
    level = 1 - material.presentation.confidence
    for what, here in ASSUMPTIONS.items() if material.has("diagnostics") else ():
        tried = material.numbers.count("diagnostics", **{**here, "p_value>": -1.0})
        if tried:
            yield what, material.numbers.count("diagnostics", **{**here, "p_value<": level}), tried


def _statements(material: Material) -> dict[str, Any]:
    pair = findings.main_pair(material.presentation)
    if pair is None or not material.has("item_contrasts"):
        return {"told": []}
    here = {"analysis": FAVOURABLE, "term": term_in(PERCENT_FAVOURABLE, CHANGE), "wave": pair.contrast}
    rows = material.numbers.rows("item_contrasts", **here)
    clear = rows["decision"].isin(WAYS.values()).groupby(rows["organisation"], sort=False).sum()
    named = list(findings.without_all(dict.fromkeys(map(str, clear.index))))
    if len(named) > FEW:
        # Everybody together, and the organisations that changed on most statements.
        named = [name for name in clear.index if name == ALL] + sorted(named, key=lambda name: -clear[name])
    return {
        "pair": pair,
        "here": here,
        "estimated": list(ESTIMATED),
        "told": named[:FEW],
        "further": len(named) > FEW,
    }


def _data(material: Material) -> dict[str, Any]:
    frame = material.tables["file_counts"] if material.has("file_counts") else None
    return {
        "kinds": {wave.evidence.value for wave in material.presentation.waves.values()},
        "files": {}
        if frame is None
        else {
            wave: bool(own[list(ROW_COUNTS)].notna().all(axis=None))
            for wave, own in frame.groupby("wave", sort=False)
        },
        "disclosure": material.disclosure,
    }


def _answers(material: Material) -> dict[str, Any]:
    together: dict[str, list[str]] = {}
    for name, items in batteries(material.presentation).items():
        together.setdefault(items[0].scale or WITHOUT_SCALE, []).append(name)
    return {"groups": {material.labels.scale(group): names for group, names in together.items()}}


def _audit(material: Material) -> dict[str, Any]:
    def verdicts(table: str, words: Mapping[str, tuple[str, str]]) -> list[Markup]:
        """Count the verdicts on cells or claims; `words` is what is said of one, and of several."""
        counts = (
            {verdict: material.numbers.count(table, verdict=verdict) for verdict in words}
            if material.has(table)
            else {}
        )
        return [several(count, words[verdict]) for verdict, count in counts.items() if count]

    return {"verdicts": verdicts}


ABOUT: Final[Mapping[str, Callable[[Material], dict[str, Any]]]] = {
    "summary": lambda material: summary(material) if material.has("means") else {},
    "first": _first,
    "scales": _scales,
    "parted": _parted,
    "sure": _sure,
    "methods": _methods,
    "statements": _statements,
    "data": _data,
    "answers": _answers,
    "audit": _audit,
    "software": lambda material: {
        "session": [f"{name} {version}" for name, version in material.session.items()],
        "files": [
            Markup(f"[{name}.csv](../released/{name}.csv)") for name in STATISTICS if name in material.tables
        ],
    },
}
"""Section -> what its template is told, besides what all are told."""


# --- the study's own words ---------------------------------------------------------------------------------------


def own_words(text: str) -> Markup:
    """Return a text of the study as Markdown: headings of one level, points, emphasis, paragraphs; the rest escaped."""
    words = "\n".join(str(escape(line)) for line in text.splitlines())
    words = re.sub(r"^(?:&#35;){1,6} ", "### ", words, flags=re.MULTILINE)
    words = re.sub(r"^(?:&#45;|&#42;) ", "- ", words, flags=re.MULTILINE)
    return Markup(words.replace("&#42;", "*").strip())
