"""A made-up study with every kind of table that the report reads, as docs/files.md lays them out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any

import pandas as pd

from surveywaves.report import assemble
from surveywaves.report.build import Report
from surveywaves.sensitivity.compare import agreement
from surveywaves.study.models import (
    Event,
    FigureStyle,
    Gradient,
    Item,
    Population,
    ResponseScale,
    Scale,
    Variable,
    VariableEvidence,
)
from surveywaves.study.parts import PlanningWords, Presentation, WaveWords
from surveywaves.terms import Evidence, Missing
from surveywaves.tidy import tidy

TEMPLATES = Path(__file__).parent.parent / "workflow" / "report"

SVG = """<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-label="Bars" width="360pt" height="90pt"
 viewBox="0 0 360 90"><g><rect x="10" y="10" width="200" height="30" fill="#0b4f8a"/>
<text x="40" y="70">A bar</text></g>
<g class="value"><title>first: 12</title><rect x="10" y="10" width="50" height="9"/></g>
<g class="value"><title>second: 34</title><rect x="70" y="10" width="90" height="9"/></g></svg>"""

FOUR = ResponseScale(
    labels=("Never", "Rarely", "Often", "Always"), short=("NV", "RA", "OF", "AL"), favourable=(3, 4)
)


def presentation(
    *,
    waves: int = 3,
    organisations: tuple[str, ...] = ("left", "right", "middle"),
    evidence: tuple[Evidence, ...] = (Evidence.SIMULATED, Evidence.RECONSTRUCTED, Evidence.SIMULATED),
    words: Mapping[str, str] | None = None,
    published: bool = True,
) -> Presentation:
    """Make the study in words; `words` replaces its labels, all of them where the key is `*`."""

    def label(plain: str) -> str:
        return (words or {}).get(plain, (words or {}).get("*", plain))

    items = {
        name: Item(
            item=name,
            text=label(f"{scale or 'single'} statement {place}"),
            section=section,
            scale=scale,
            keyed="-" if name == "pace_2" else "+",
            response_scale="often",
            published_table=(7 if scale == "warmth" else 8) if published and scale else None,
            published_row=place if published and scale else None,
        )
        for scale, section, size in (("warmth", 1, 3), ("pace", 2, 2), (None, 2, 1))
        for place in range(1, size + 1)
        for name in [f"{scale or 'single'}_{place}"]
    }
    names = ("first", "second", "third")[:waves]
    return Presentation(
        title=label("Staff survey of a made-up firm"),
        description=label("What the staff of a made-up firm say."),
        reference_wave=names[-1],
        waves={
            name: WaveWords(
                title=label(f"{name.capitalize()} round"),
                period=label("spring"),
                start=None,
                end=None,
                population=Population(
                    size=None if place == 0 else 400, approximate=place == 1, note=label("No temps.")
                ),
                evidence=evidence[place],
                evidence_note=label("Made up for a test."),
                variable_evidence={
                    "job": VariableEvidence(
                        evidence=Evidence.SIMULATED, note=label("Jobs are drawn at random.")
                    )
                }
                if place == 1 and evidence[place] is not Evidence.OBSERVED
                else {},
                organisations_surveyed=organisations[:1] if place == 0 and waves > 1 else organisations,
                comparability={
                    item: "absent"
                    if place == 0 and item.startswith("pace") and waves > 1
                    else "reworded"
                    if place == 2 and item == "warmth_1"
                    else "rescaled"
                    if place == 2 and item == "single_1"
                    else "identical"
                    for item in items
                },
            )
            for place, name in enumerate(names)
        },
        organisations={name: label(f"The {name} house") for name in organisations},
        variables={
            "job": Variable(
                label=label("Kind of job"), levels={"desk": label("Desk"), "field": label("Field")}
            )
        },
        sections={1: label("About warmth"), 2: label("About pace")},
        scales={
            name: Scale(
                scale=name,
                title=label(name.capitalize()),
                source=label("Nobody (1900)"),
                frameworks={"climate": label("Weather; Mood")},
            )
            for name in ("warmth", "pace")
        },
        frameworks={"climate": label("Theory of climate")},
        items=items,
        response_scales={"often": FOUR},
        events=(
            Event.model_validate(
                {"date": "1900-05-01", "label": label("A move"), "source": label("Minutes")}
            ),
        ),
        citation=label("Nobody (1900). A report.") if published else "",
        published_wave=names[min(1, len(names) - 1)] if published else "",
        confidence=0.9,
        covariates=("job",),
        min_cell=6,
        threshold=5,
        public=False,
        planning=PlanningWords(
            wave="fourth", title=label("Fourth round"), reference=names[-1], power=0.8, smallest=0.2
        ),
        style=FigureStyle(gradient=Gradient(title=label("From warmth to pace"), scales=("warmth", "pace"))),
    )


def tables(study: Presentation, *, published: bool = True) -> dict[str, pd.DataFrame]:
    """Make every table of a study: numbers that differ from each other, and none that mean anything."""
    made = {
        "item_frequencies": _frequencies(study),
        "item_summary": _summary(study),
        "respondents": _respondents(study),
        "response_rates": _rates(study),
        "missing": _missing(study),
        "reliability": _reliability(study),
        "scale_use": _scale_use(study),
        "structure": tidy(_structure(study)),
        "means": _both_analyses(tidy(_means(study)), "percent_favourable"),
        "contrasts": _contrast_table(study),
        "item_contrasts": _item_contrasts(study),
        "variances": tidy(_variances(study)),
        "planning": tidy(_planning(study)),
        "sensitivity": _sensitivity(study),
        "agreement": agreement(_sensitivity(study)),
        "disclosure_summary": disclosure_summary(),
        "codebook": _codebook(study),
        **of_files(study),
    }
    titles = pd.DataFrame({"table": ["7"], "title": ["Of warmth"]}, dtype="str")
    printed = {"published_tables": _printed(study), "claims": _claims(), "titles": titles}
    return made | (printed if published else {})


def of_files(study: Presentation) -> dict[str, pd.DataFrame]:
    """Make what is released of the raw files."""
    wave = next(iter(study.waves))
    here = {"wave": wave, "file": "raw.csv"}
    counts = [
        here | {"layout": "web", "rows_in": 207, "rows_kept": 203, "rows_set_aside": 4, "status": "ok"},
        here | {"file": "more.csv", "layout": "web", "rows_in": 52, "status": "withheld"},
    ]
    problems = [
        here
        | {"about": "row", "problem": "the same as row #", "action": "set aside", "n": 17, "status": "ok"},
        here | {"about": "cell", "problem": "blank", "action": "taken as missing", "status": "withheld"},
    ]
    rule = {"wave": wave, "layout": "web", "variable": "warmth_1"}
    recodings = [
        rule | {"column": "Q1", "raw": "never", "value": "1"},
        rule | {"column": "Q1", "raw": "always", "value": "4"},
        rule | {"variable": "mode", "column": "", "raw": "", "value": "web"},
    ]
    whole = dict.fromkeys(("rows_in", "rows_kept", "rows_set_aside"), "Int64")
    return {
        "file_counts": pd.DataFrame(counts).astype(whole),
        "problems": pd.DataFrame(problems).astype({"n": "Int64"}),
        "recodings": pd.DataFrame(recodings),
    }


def disclosure_summary() -> pd.DataFrame:
    """Make the sum of what was withheld."""
    rows = [
        ("item_frequencies", "n", 1901, 77, 0),
        ("means", "estimate", 53, 0, 53),
        ("dif", "estimate", 88, 0, 0),
    ]
    frame = pd.DataFrame(rows, columns=["table", "what", "shown", "withheld", "rounded"])
    return frame.astype({"table": "str", "what": "str"})


DISCLOSURE = "77 of 1,978 counts are withheld to protect respondents.\n"
"""What was withheld, in a sentence."""


def _codebook(study: Presentation) -> pd.DataFrame:
    row = {
        "variable": "warmth_1",
        "kind": "item",
        "label": "warmth statement",
        "values": "1=Never",
        "section": "1",
        "scale": "warmth",
        "keyed": "+",
        **dict.fromkeys(study.waves, "identical"),
    }
    return pd.DataFrame([row], dtype="str")


def withheld(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Withhold as the release does, here and there, and everything of the first contrast and the first wave's rate."""
    found = dict(frames)
    for name, numbers in {
        "item_frequencies": ("n", "percent"),
        "item_summary": ("mean", "sd", "favourable_n", "favourable_percent"),
        "respondents": ("n", "percent", "base"),
        "missing": ("n", "percent"),
        "response_rates": ("returns", "population", "rate", "conf_low", "conf_high"),
        **dict.fromkeys(
            ("reliability", "structure", "means", "contrasts", "item_contrasts", "variances", "sensitivity"),
            ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted", "n"),
        ),
    }.items():
        frame = found[name].copy().reset_index(drop=True)
        hidden = frame.index % 5 == 0
        if name in {"contrasts", "sensitivity"}:
            hidden |= (frame["wave"] == frame["wave"].iloc[0]) & (
                frame["organisation"] == frame["organisation"].iloc[0]
            )
        for column in (*numbers, "smallest", "p_equivalence", "p_equivalence_adjusted"):
            if column in frame:
                counts = pd.api.types.is_integer_dtype(frame[column])
                cells = frame[column].astype("Int64" if counts else "float64")
                frame[column] = cells.mask(hidden)
        if "decision" in frame:
            frame["decision"] = frame["decision"].mask(hidden, "")
        status = frame["status"] if "status" in frame else pd.Series("ok", index=frame.index)
        frame["status"] = status.mask(hidden, "withheld").astype("str")
        if "note" in frame:
            frame["note"] = frame["note"].mask(hidden, "").astype("str")
        found[name] = frame
    return found


def spoiled(frames: Mapping[str, pd.DataFrame], text: str) -> dict[str, pd.DataFrame]:
    """Put a text wherever a table may hold words that somebody else wrote."""
    places = {
        "claims": ["quote"],
        "published_tables": ["evidence"],
        "contrasts": ["note"],
        "scale_use": ["reason"],
        "structure": ["note"],
        "file_counts": ["file", "layout"],
        "problems": ["file", "problem", "action"],
        "recodings": ["column", "raw", "value"],
        "agreement": ["words"],
        "planning": ["note"],
        "disclosure_summary": ["table"],
    }
    return {name: frame.assign(**dict.fromkeys(places.get(name, ()), text)) for name, frame in frames.items()}


FIGURES = {
    "change_profile": "Change",
    "profile": "Levels",
    "respondents": "Respondents",
    "gradient": "Scales",
    "likert_warmth": "Answers",
    "likert_pace": "Answers",
    "likert_items_without_scale": "Answers",
    "differences_in_change": "Comparisons",
    "robustness": "Sensitivity",
    "heat_map_1": "Items",
    "planning": "Planning",
}
"""Figure -> heading in a gallery; a study with one wave has `profile` in the place of `change_profile`."""

HOSTILE = {
    "script": "<script>alert('x')</script>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "closing": "</title></style></script><!-- ]]> --><img src=x onerror=alert(1)>",
    "template": "{{ 7 * 7 }}{% raw %} {0} {name}",
    "formula": "=cmd|'/C calc'!A0",
    "right to left": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd (1)",
    "emoji": "👩🏽‍🔧 works 🧪",
    "unseen": "a\x00b\x0bc\ufffe\x9f",
    "long": "endless" * 58,
    "latex": "\\input{/etc/passwd} $x_1$ & % #",
    "typst": "#panic(1) *a* _b_ `c` $d$ <e> @f //g [h] \\i ~ --",
    "markdown": "*a* __b__ `c` [d](e) ![f](g) # h ::: i [[table:waves]]",
}
"""Words that would do something where they are taken for more than words."""


def report_of(study: Presentation, text: str = "", **more: Any) -> Report:
    """Assemble the report of a study with all its tables and figures; a text takes the place of what others wrote."""
    published = bool(study.citation)
    several = len(study.waves) > 1
    figures = {
        name: group for name, group in FIGURES.items() if name != ("profile" if several else "change_profile")
    }
    given = {
        "disclosure": DISCLOSURE,
        "limitations": "Few *answered*.\n\n## Who\n\n- people\n- **others**",
        "session": {"python": "3", "surveywaves": "1.0"},
    }
    frames, said = tables(study, published=published), captions(figures)
    if text:
        given |= {"disclosure": text, "session": {"x": text}}
        frames, said = spoiled(frames, text), said.assign(title=text, caption=text, alt=text)
    return assemble(frames, said, dict.fromkeys(figures, SVG), study, **given | more)


def captions(names: Mapping[str, str]) -> pd.DataFrame:
    """Make the words beside figures; name -> heading in a gallery."""
    return pd.DataFrame(
        [
            {
                "figure": name,
                "title": f"Title of {name}",
                "caption": f"How to read {name}.",
                "alt": f"What {name} says.",
                "group": group,
            }
            for name, group in names.items()
        ]
    )


def _cells(study: Presentation) -> Iterator[tuple[str, str, str, int]]:
    """Go through wave, organisation, item, and a number that tells them apart, where the item was asked."""
    number = 0
    for wave, words in study.waves.items():
        for organisation in ("all", *words.organisations_surveyed, "not_stated"):
            for item in study.items:
                number += 1
                if words.comparability[item] in {"identical", "reworded"}:
                    yield wave, organisation, item, number


def _frequencies(study: Presentation) -> pd.DataFrame:
    rows = []
    for wave, organisation, item, number in _cells(study):
        counts = [1 + (number * (place + 3)) % 37 for place in range(FOUR.points)]
        rows += [
            {
                "wave": wave,
                "organisation": organisation,
                "item": item,
                "response": place,
                "n": n,
                "percent": 100 * n / sum(counts),
                "base": sum(counts),
            }
            for place, n in enumerate(counts, start=1)
        ]
    return pd.DataFrame(rows)


def _summary(study: Presentation) -> pd.DataFrame:
    frequencies = _frequencies(study)
    rows = []
    for (wave, organisation, item), part in frequencies.groupby(["wave", "organisation", "item"], sort=False):
        base = int(part["n"].sum())
        good = int(part.loc[part["response"] > 2, "n"].sum())
        mean = float((part["response"] * part["n"]).sum() / base)
        rows.append(
            {
                "wave": wave,
                "organisation": organisation,
                "item": item,
                "base": base,
                "mean": mean,
                "sd": 1.0,
                "favourable_n": good,
                "favourable_percent": 100 * good / base,
                "status": "ok",
            }
        )
    return pd.DataFrame(rows)


def _respondents(study: Presentation) -> pd.DataFrame:
    rows = []
    for number, (wave, words) in enumerate(study.waves.items()):
        for place, organisation in enumerate(("all", *words.organisations_surveyed)):
            counts = {"desk": 61 + 13 * number - 7 * place, "field": 40 + 3 * number}
            base = sum(counts.values())
            rows += [
                {
                    "wave": wave,
                    "organisation": organisation,
                    "variable": "job",
                    "level": level,
                    "n": n,
                    "percent": 100 * n / base,
                    "base": base,
                }
                for level, n in counts.items()
            ]
            rows.append(
                {
                    "wave": wave,
                    "organisation": organisation,
                    "variable": "job",
                    "level": "not_stated",
                    "n": 9,
                    "percent": 900 / (base + 9),
                    "base": base + 9,
                }
            )
    return pd.DataFrame(rows)


def _rates(study: Presentation) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, (wave, words) in enumerate(study.waves.items()):
        size, n = words.population.size, 123 + 17 * number
        row = {
            "wave": wave,
            "returns": n,
            "population": size,
            "rate": None,
            "conf_low": None,
            "conf_high": None,
        }
        if size is None:
            rows.append(row | {"status": "not_estimable", "note": "the population is not known"})
        else:
            rate = {"rate": n / size, "conf_low": n / size - 0.041, "conf_high": n / size + 0.043}
            rows.append(row | rate | {"status": "ok", "note": ""})
    return pd.DataFrame(rows).astype(
        {"population": "Int64", "rate": "float64", "conf_low": "float64", "conf_high": "float64"}
    )


def _missing(study: Presentation) -> pd.DataFrame:
    rows = []
    for number, (wave, words) in enumerate(study.waves.items()):
        returns = 123 + 17 * number
        for item, about in study.items.items():
            asked = words.comparability[item] != "absent"
            for place, reason in enumerate(Missing):
                n = (
                    (returns if reason is Missing.NOT_ASKED else 0)
                    if not asked
                    else 0
                    if place == 0
                    else place + number
                )
                rows.append(
                    {
                        "wave": wave,
                        "section": about.section,
                        "item": item,
                        "reason": reason.value,
                        "n": n,
                        "percent": 100 * n / returns,
                        "returns": returns,
                    }
                )
    return pd.DataFrame(rows)


def _reliability(study: Presentation) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for wave, words in study.waves.items():
        for organisation in ("all", *words.organisations_surveyed):
            for scale in study.scales:
                items = [item for item in study.items.values() if item.scale == scale]
                here = {
                    "analysis": "reliability",
                    "scale": scale,
                    "wave": wave,
                    "organisation": organisation,
                    "n": 99,
                }
                if words.comparability[items[0].item] == "absent":
                    rows.append(
                        here | {"term": "alpha", "status": "not_estimable", "note": f"{wave} did not ask"}
                    )
                    continue
                low = 0.7 + 0.001 * len(rows)
                rows.append(
                    here | {"term": "alpha", "estimate": low + 0.05, "conf_low": low, "conf_high": low + 0.1}
                )
                rows.append(here | {"term": "mean_inter_item_r", "estimate": 0.41})
                rows.append(here | {"term": "ordinal_alpha", "estimate": 0.83})
                for item in items:
                    rows.append(here | {"term": "item_rest_r", "item": item.item, "estimate": 0.52})
                    rows.append(here | {"term": "alpha_if_dropped", "item": item.item, "estimate": 0.66})
    for (earlier, later), scale in product(pairwise(study.waves), study.scales):
        here = {"analysis": "reliability", "scale": scale, "organisation": next(iter(study.organisations))}
        pair = {"term": "alpha_difference", "wave": f"{later} - {earlier}", "estimate": 0.04, "n": 99}
        rows.append(here | pair | {"conf_low": -0.02, "conf_high": 0.1, "p_value": 0.18, "df": 61.0})
        if later == [*study.waves][-1]:
            told = {"estimate": 5.1, "df": 2, "p_value": 0.078, "n": 150}
            rows.append(here | {"term": "equality", "wave": "all"} | told)
    return tidy(rows)


def _structure(study: Presentation) -> Iterator[dict[str, Any]]:
    """Of the first scale everything, of the others why not."""
    first, *others = study.scales
    place = {"analysis": "structure", "scale": first, "n": 97}
    whole = place | {"wave": "all", "organisation": "all"}
    yield whole | {"term": "chisq", "estimate": 7.125, "df": 2, "p_value": 0.028}
    for number, term in enumerate(("cfi", "tli", "rmsea", "srmr"), 1):
        yield whole | {"term": term, "estimate": 0.11 * number}
    for number, item in enumerate(item for item in study.items.values() if item.scale == first):
        yield whole | {"term": "loading", "item": item.item, "estimate": 0.61 + 0.07 * number}
    for scale in others:
        r = {"estimate": 0.84, "conf_low": 0.76, "conf_high": 0.92, "note": "moderate problem"}
        yield whole | {"term": f"factor_correlation: {scale}", **r}
        yield whole | {
            "scale": scale,
            "term": "chisq",
            "status": "not_estimable",
            "note": "no factor",
            "n": None,
        }
    for by, groups in (("wave", study.waves), ("organisation", study.organisations)):
        if len(groups) < 2:
            continue
        for number, step in enumerate(("configural", "thresholds", "metric", "scalar")):
            yield place | {
                by: "all",
                "term": f"{step}_chisq",
                "estimate": 9.5 + number,
                "df": 4,
                "p_value": 0.04,
            }
            yield place | {by: "all", "term": f"{step}_cfi", "estimate": 0.987 - 0.013 * number}
            yield place | {by: "all", "term": f"{step}_rmsea", "estimate": 0.057}
            if number:
                yield place | {
                    by: "all",
                    "term": f"{step}_chisq_difference",
                    "estimate": 1.5,
                    "p_value": 0.21,
                }
                falls = {"estimate": -0.013, "note": "falls by more than 0.010"}
                yield place | {by: "all", "term": f"{step}_cfi_change", **falls}
        for scale in others:
            no = {"status": "too_few", "note": "fewer than 100 respondents: left"}
            yield place | {"scale": scale, by: "all", "term": "configural_chisq", **no}


def _estimated(study: Presentation, scale: str, wave: str, organisation: str) -> bool:
    words = study.waves[wave]
    return organisation in words.organisations_surveyed and words.comparability[f"{scale}_1"] != "absent"


def _means(study: Presentation) -> Iterator[dict[str, Any]]:
    for scale in study.scales:
        for number, wave in enumerate(study.waves):
            for place, organisation in enumerate(study.organisations):
                here = {
                    "analysis": "linear",
                    "scale": scale,
                    "wave": wave,
                    "organisation": organisation,
                    "term": "emmean",
                }
                if _estimated(study, scale, wave, organisation):
                    mean = 2.5 + 0.11 * number - 0.07 * place
                    yield here | {
                        "estimate": mean,
                        "conf_low": mean - 0.1,
                        "conf_high": mean + 0.1,
                        "n": 50 + place,
                    }
                else:
                    yield here | {
                        "status": "not_estimable",
                        "note": f"nobody answered: {wave}, {organisation}",
                        "n": 0,
                    }


def _contrasts(study: Presentation) -> Iterator[dict[str, Any]]:
    names, houses = list(study.waves), list(study.organisations)
    kinds = [("change", f"{b} - {a}", o, [(a, o), (b, o)]) for a, b in combinations(names, 2) for o in houses]
    kinds += [("gap", w, f"{x} - {y}", [(w, x), (w, y)]) for w in names for x, y in combinations(houses, 2)]
    kinds += [
        ("difference_in_differences", f"{b} - {a}", f"{x} - {y}", [(w, o) for w in (a, b) for o in (x, y)])
        for a, b in combinations(names, 2)
        for x, y in combinations(houses, 2)
    ]
    for number, scale in enumerate(study.scales):
        for place, (term, wave, organisation, needed) in enumerate(kinds):
            here = {
                "analysis": "linear",
                "scale": scale,
                "wave": wave,
                "organisation": organisation,
                "term": term,
            }
            empty = [cell for cell in needed if not _estimated(study, scale, *cell)]
            if empty:
                told = "; ".join(", ".join(cell) for cell in empty)
                yield here | {"status": "not_estimable", "note": f"nobody answered: {told}"}
                continue
            estimate = (-1) ** place * (0.05 + 0.037 * (place % 5)) + 0.01 * number
            yield here | {
                "estimate": estimate,
                "std_error": 0.0613,
                "df": 210.5,
                "conf_low": estimate - 0.1,
                "conf_high": estimate + 0.1,
                "p_value": 0.0004 if place % 3 == 0 else 0.21,
                "p_adjusted": 0.0008 if place % 3 == 0 else 0.42,
                "n": 99,
            }


def _scale_use(study: Presentation) -> pd.DataFrame:
    rows = [{"scale": scale, "use": "scale", "reason": "lower bound at least 0.60"} for scale in study.scales]
    return pd.DataFrame(rows)


def _both_analyses(frame: pd.DataFrame, percent: str) -> pd.DataFrame:
    """Add the ordinal model, the same on its latent scale, and percentages."""
    numbers = ["estimate", "std_error", "conf_low", "conf_high"]
    latent = frame.assign(analysis="ordinal", df=math.inf)
    latent[numbers] *= 1.83
    shares = frame.assign(analysis="favourable")
    shares[numbers] *= 17.3
    shares["term"] = [
        percent if term == "emmean" else f"{term}_percent_favourable" for term in shares["term"]
    ]
    return pd.concat([frame, latent, shares], ignore_index=True)


def _contrast_table(study: Presentation) -> pd.DataFrame:
    plain = tidy(_contrasts(study))
    standardised = plain.assign(term=plain["term"] + "_standardised")
    standardised[["estimate", "std_error", "conf_low", "conf_high"]] /= 0.93
    return decided(pd.concat([_both_analyses(plain, ""), standardised], ignore_index=True))


def _item_contrasts(study: Presentation) -> pd.DataFrame:
    """Make the contrasts of each scale anew for each of its items, by answers and ordinal model."""
    both = _both_analyses(tidy(_contrasts(study)), "")
    alone = both[both["analysis"] != "linear"]
    parts = [
        alone[alone["scale"] == (about.scale or "warmth")].assign(scale=about.scale or "", item=item)
        for item, about in study.items.items()
    ]
    return decided(pd.concat(parts, ignore_index=True))


def decided(frame: pd.DataFrame) -> pd.DataFrame:
    """Add decisions of every kind: made up, but none against the sign of its estimate."""
    there = frame["estimate"].notna()
    moved = frame["estimate"].gt(0).map({True: "increase", False: "decrease"})
    told = moved.where(frame["p_adjusted"] < 0.1, "inconclusive")
    told = told.mask((frame.index % 5 == 1) & frame["p_adjusted"].gt(0.1), "no_meaningful_change")
    unit = frame["term"].map(lambda term: 5.0 if term.endswith("favourable") else 0.2)
    unit = unit.where(frame["term"].str.endswith(("favourable", "_standardised")), 0.186)
    return frame.assign(
        smallest=unit.where(there),
        p_equivalence=frame["p_value"],
        p_equivalence_adjusted=frame["p_adjusted"],
        decision=told.where(there, "").astype("str"),
    )


def _variances(study: Presentation) -> Iterator[dict[str, Any]]:
    for scale in study.scales:
        here = {"analysis": "linear", "scale": scale, "wave": "all", "organisation": "all", "n": 321}
        yield here | {"term": "n_respondents", "estimate": 321, "note": "left out: 2 without an organisation"}
        yield here | {
            "term": "icc",
            "estimate": 0.0,
            "status": "boundary",
            "note": "the variance between respondents is estimated as zero",
        }


def _sensitivity(study: Presentation) -> pd.DataFrame:
    """Make a variant that agrees with the main analysis now and then, one that says the same, and one refused."""
    main = tidy(_contrasts(study))
    main["term"] = main["term"] + "_standardised"
    there = main["estimate"].notna()
    up = main["estimate"].gt(0).map({True: "increase", False: "decrease"})
    told = up.where(main["p_adjusted"] < 0.1, "inconclusive").where(there, "")
    main = main.assign(
        smallest=main["estimate"].notna().map({True: 0.2, False: float("nan")}),
        p_equivalence=main["p_value"],
        p_equivalence_adjusted=main["p_adjusted"],
        decision=told.astype("str"),
    )
    shifted = {name: main[name] + 0.013 for name in ("estimate", "conf_low", "conf_high")}
    undecided = told.where(main.index % 6 > 0, "inconclusive").where(there, "").astype("str")
    numbers = ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted")
    tests = ("smallest", "p_equivalence", "p_equivalence_adjusted")
    variants = {
        "main": main,
        "ordinal_logit": main.assign(analysis="ordinal", **shifted, decision=undecided),
        "complete_cases": main.assign(note=main["note"].where(~there, "everybody answered all")),
        "raking": main.assign(
            **dict.fromkeys((*numbers, *tests), float("nan")),
            status="not_estimable",
            note="no population margins are given",
            decision="",
        ),
    }
    made = [table.assign(variant=name) for name, table in variants.items()]
    made += [_in_percent(table) for table in made if (table["analysis"] == "linear").all()]
    table = pd.concat(made, ignore_index=True)
    return table[["variant", *(name for name in table.columns if name != "variant")]].astype(
        {"variant": "str", "status": "str", "note": "str", "decision": "str"}
    )


def _in_percent(table: pd.DataFrame) -> pd.DataFrame:
    """Make a variant's contrasts of % favourable; what it decides is inconclusive now and then."""
    numbers = ["estimate", "std_error", "conf_low", "conf_high"]
    shares = table.assign(
        analysis="favourable", term=table["term"].str.replace("standardised", "percent_favourable")
    )
    shares[numbers] *= 17.3
    shares["smallest"] *= 25
    unsure = (shares.index % 4 == 0) & shares["decision"].ne("")
    shares["decision"] = shares["decision"].mask(unsure, "inconclusive")
    return shares


def _planning(study: Presentation) -> Iterator[dict[str, Any]]:
    assert study.planning
    reference = study.planning.reference
    for scale in study.scales:
        here = {"analysis": "planning", "scale": scale}
        of_reference = here | {"wave": reference, "organisation": "all"}
        yield of_reference | {"term": "returns", "estimate": 157, "n": 157}
        for organisation in study.organisations:
            change = here | {"wave": f"fourth - {reference}", "organisation": organisation}
            for n in (100, 300):
                yield change | {"term": "conf_half_width", "estimate": 3 / n**0.5, "df": 210.5, "n": n}
                yield change | {"term": "power", "estimate": 0.3 + n / 1000, "df": 210.5, "n": n}
            yield change | {"term": "returns_needed", "estimate": 501, "n": 501}


WHY = {"misprint": "the row adds up only so", "undecided": "97 or 99"}
SUFFIX = {"count": "_n", "percent": "_pct"}


def _cell(
    table: str, row: str, category: str, quantity: str, printed: str, *, verdict: str = "agrees"
) -> dict[str, str]:
    settled = {"undecided": "", "misprint": "23"}.get(verdict, printed)
    field = f"{category}{SUFFIX[quantity]}" if category else "n_reported"
    return {
        "table": table,
        "row": row,
        "field": field,
        "category": category,
        "quantity": quantity,
        "printed": printed,
        "settled": settled,
        "recomputed": settled or "97",
        "verdict": verdict,
        "evidence": WHY.get(verdict, ""),
    }


def _printed(study: Presentation) -> pd.DataFrame:
    cells = []
    for item in study.items.values():
        if item.published_table is None:
            continue
        here = str(item.published_table), str(item.published_row)
        for place, short in enumerate(FOUR.short):
            wrong = item.item == "warmth_2" and place == 1
            code = short.lower()
            cells.append(
                _cell(*here, code, "count", str(11 + place), verdict="misprint" if wrong else "agrees")
            )
            cells.append(_cell(*here, code, "percent", "12.5", verdict="agrees_when_truncated"))
        cells.append(
            _cell(*here, "", "base", "98", verdict="undecided" if item.item == "pace_1" else "agrees")
        )
    for category, n, percent in (("Desk work", "61", "60.4"), ("Field work", "40", "39.6")):
        cells += [_cell("job", "1", category, "count", n), _cell("job", "1", category, "percent", percent)]
    return pd.DataFrame([*cells, _cell("job", "1", "", "base", "101")])


def _claims() -> pd.DataFrame:
    names = [
        "page",
        "quote",
        "table",
        "row",
        "categories",
        "printed",
        "n",
        "base",
        "recomputed",
        "verdict",
        "evidence",
    ]
    rows = [
        (
            "p9",
            "nearly half are always warm",
            "7",
            "1",
            "OF+AL",
            "48",
            51,
            100,
            "51",
            "contradicted",
            "one digit differs",
        ),
        ("p10", "a third answered", "", "", "123/400", "31", 123, 400, "31", "agrees", ""),
    ]
    return pd.DataFrame(rows, columns=names).assign(quantity="percent")


STUDIES = {
    "three waves, three organisations": presentation(),
    "one wave": presentation(waves=1),
    "one organisation": presentation(organisations=("left",)),
    "nothing published": presentation(published=False),
    "observed": presentation(evidence=(Evidence.OBSERVED,) * 3),
} | {name: presentation(words={"*": text}) for name, text in HOSTILE.items()}
PLAIN = "three waves, three organisations"


@cache
def report_named(name: str) -> Report:
    """Assemble the report of one of the studies; hostile words stand in all labels, tables and captions at once."""
    return report_of(
        STUDIES[name], HOSTILE.get(name, "")[:200]
    )  # two endless words in a row fill more than a page
