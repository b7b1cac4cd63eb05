"""Studies to draw, their tables, and what stands on a drawing: for the tests of figures."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from surveywaves.catalogue import FIGURES, figures, of_study
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.saving import draw
from surveywaves.figures.style import RC, on_slide
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
from surveywaves.terms import Evidence
from surveywaves.tidy import tidy

HOSTILE = (
    r"$x_1^2$ \frac{1}{2} <script>alert(1)</script> & </svg> =cmd|' /C calc'!A0 --> 100% _under_ {brace} "
    "שלום עולם مرحبا 😀🤔 漢字 e\u0301" + "\u0301" * 30 + " line\nbreak\ttab \x07 \u202eoverride"
)
LONG = (
    "wordswithoutanyspace" * 5 + " "
) + "and then a label that goes on for rather longer than anybody needs " * 4


# --- studies to draw ------------------------------------------------------------------------------------------


def names(study: Presentation, published: bool) -> tuple[str, ...]:
    """Name the figures of a study, in their order."""
    return tuple(one.name for one in figures(study, published))


def study_of(
    *,
    waves: int = 3,
    organisations: int = 2,
    points: tuple[int, ...] = (5,),
    scales: int = 3,
    words: tuple[str, ...] = ("",),
    font_size: float = 8.0,
) -> Presentation:
    """Make a study: the first wave has no date and, where there are several, surveyed the last organisation only.

    Every label ends in one of `words`, in turn.
    """
    endings = itertools.cycle(words)

    def said(text: str) -> str:
        return f"{text} {next(endings)}".strip()

    labels = ["Strongly disagree", "Disagree", "Rather not", "Neither", "Rather", "Agree", "Strongly agree"]
    shorter = {
        2: (0, 6),
        3: (0, 3, 6),
        4: (0, 1, 5, 6),
        5: (0, 1, 3, 5, 6),
        6: (0, 1, 2, 4, 5, 6),
        7: range(7),
    }
    response_scales = {
        f"agree{k}": ResponseScale(
            labels=tuple(said(labels[place]) for place in shorter[k]), short=("x",) * k, favourable=(k - 1, k)
        )
        for k in points
    }
    items = [
        Item(
            item=f"s{scale}_{number}",
            text=said(f"Statement {number} of scale {scale}."),
            section=1 + scale % 2,
            scale=f"s{scale}",
            keyed="-" if number == 2 else "+",
            response_scale=f"agree{points[scale % len(points)]}",
        )
        for scale in range(scales)
        for number in (1, 2, 3)
    ]
    items.append(Item(item="alone", text=said("No scale."), section=2, response_scale=f"agree{points[0]}"))
    speaks_to = {
        place: {"theory": "; ".join(said(f"Principle {n}") for n in range(place % 3))} if place % 3 else {}
        for place in range(scales)
    }
    who = {f"org{number}": said(f"Organisation {number}") for number in range(organisations)}
    return Presentation(
        title=said("A study"),
        description="",
        reference_wave="wave1" if waves > 1 else "wave0",
        waves={f"wave{number}": _wave(number, list(who), items, said) for number in range(waves)},
        organisations=who,
        variables={
            "role": Variable(label=said("Role"), levels={f"level{n}": said(f"Level {n}") for n in range(4)}),
            "mode": Variable(label="Mode", levels={"web": "Web", "paper": "Paper"}),
        },
        sections={1: said("First section"), 2: said("Second section")},
        scales={
            f"s{n}": Scale(scale=f"s{n}", title=said(f"Scale {n}"), frameworks=speaks_to[n])
            for n in range(scales)
        },
        items={item.item: item for item in items},
        response_scales=response_scales,
        events=(
            Event(date=dt.date(2006, 6, 1), label=said("Founded")),
            Event(date=dt.date(2006, 6, 20), label="Soon after"),
            Event(date=dt.date(1999, 1, 1), label="Long before"),
        ),
        frameworks={"theory": said("A theory")},
        citation=said("Somebody (2007). A report."),
        confidence=0.95,
        covariates=("role",),
        min_cell=5,
        planning=PlanningWords(
            wave="next",
            title=said("Next wave"),
            reference="wave1" if waves > 1 else "wave0",
            power=0.8,
            smallest=0.2,
        ),
        threshold=5,
        public=False,
        style=FigureStyle(
            font_size=font_size, dpi=100, gradient=Gradient(title=said("A gradient"), scales=("s1", "s0"))
        ),
    )


def _wave(number: int, organisations: list[str], items: list[Item], said: Callable[[str], str]) -> WaveWords:
    start = dt.date(2006, 7, 1) + dt.timedelta(days=200 * (number - 1)) if number else None
    grades = {item.item: "identical" for item in items}
    if number == 0 and organisations[1:]:
        grades |= {"s0_1": "absent", "s0_3": "rescaled", **{f"s1_{n}": "absent" for n in (1, 2, 3)}}
    if number == 2:
        grades["s0_1"] = "reworded"
    return WaveWords(
        title=said(f"Wave {number}"),
        period=said(f"Year {number}"),
        start=start,
        end=start + dt.timedelta(days=60) if start else None,
        population=Population(size=1250 if number == 1 else None, approximate=True, note=said("Staff")),
        evidence=Evidence.RECONSTRUCTED if number == 1 else Evidence.SIMULATED,
        evidence_note="",
        variable_evidence=(
            {"role": VariableEvidence(evidence=Evidence.SIMULATED, note="dealt out")} if number == 1 else {}
        ),
        organisations_surveyed=tuple(
            organisations[-1:] if number == 0 and organisations[1:] else organisations
        ),
        comparability=grades,
    )


def held_against(study: Presentation) -> list[tuple[str, str]]:
    """List which organisation is compared with which: up to four pairwise, more with all together."""
    if len(study.organisations) > 4:
        return [(name, "all") for name in study.organisations]
    return list(itertools.combinations(study.organisations, 2))


def tables_for(study: Presentation, *, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Make every table that figures read, as docs/files.md describes what is released, for any study."""
    draw = random.Random(seed)
    surveyed = {name: wave.organisations_surveyed for name, wave in study.waves.items()}
    frequencies, missing, people, summary = [], [], [], []
    for wave, words in study.waves.items():
        for item in study.items.values():
            points = study.response_scales[item.response_scale].points
            asked = words.comparability.get(item.item, "absent") in {"identical", "reworded"}
            for organisation in ("all", *study.organisations, "not_stated"):
                if not asked or organisation not in {"all", "not_stated", *surveyed[wave]}:
                    continue
                size = {"all": 330, "not_stated": 40}.get(organisation, 140)
                weights = [
                    draw.uniform(0.2, 1) * (1 + (place in {points - 2, points - 3}))
                    for place in range(points)
                ]
                counts = [round(size * weight / sum(weights)) for weight in weights]
                base = sum(counts)
                favourable = sum(counts[points - 2 :])
                summary.append(
                    (wave, organisation, item.item, base, favourable, 100 * favourable / base, "ok")
                )
                frequencies += [
                    (wave, organisation, item.item, response, n, 100 * n / base, base)
                    for response, n in enumerate(counts, 1)
                ]
            for reason in ("not_asked", "skipped", "dont_know", "invalid", "broke_off"):
                n = {"not_asked": 389 * (not asked), "broke_off": 14 * item.section}.get(
                    reason, draw.randint(0, 9)
                )
                n = n if asked or reason == "not_asked" else 0
                missing.append((wave, item.section, item.item, reason, n, 100 * n / 389, 389))
        for name, variable in study.variables.items():
            for organisation in ("all", *study.organisations):
                if organisation not in {"all", *surveyed[wave]}:
                    continue
                counts = [draw.randint(0, 60) for _ in variable.levels]
                base = sum(counts) or 1
                for level, n in zip(variable.levels, counts, strict=True):
                    people.append((wave, organisation, name, level, n, 100 * n / base, base))
                people.append((wave, organisation, name, "not_stated", 30, 3000 / (base + 30), base + 30))
    tables = {
        "item_frequencies": pd.DataFrame(
            frequencies, columns=["wave", "organisation", "item", "response", "n", "percent", "base"]
        ),
        "item_summary": pd.DataFrame(
            summary,
            columns=[
                *("wave", "organisation", "item", "base"),
                *("favourable_n", "favourable_percent", "status"),
            ],
        ),
        "dif": tidy({"analysis": "dif"} | row for row in _functioning(study, draw)),
        "missing": pd.DataFrame(
            missing, columns=["wave", "section", "item", "reason", "n", "percent", "returns"]
        ),
        "respondents": pd.DataFrame(
            people, columns=["wave", "organisation", "variable", "level", "n", "percent", "base"]
        ),
        "response_rates": _rates(study),
        **_estimates(study, draw),
        "published_tables": _audit(draw),
    }
    for name in ("item_frequencies", "missing", "respondents", "published_tables"):
        tables[name] = tables[name].assign(status="ok")
    return tables


def _rates(study: Presentation) -> pd.DataFrame:
    rows = []
    for name, wave in study.waves.items():
        size = wave.population.size
        rate = 389 / size if size else math.nan
        how = ("ok", "") if size else ("not_estimable", "the population is not known")
        rows.append((name, 389, size, rate, rate - 0.025, rate + 0.027, *how))
    columns = ["wave", "returns", "population", "rate", "conf_low", "conf_high", "status", "note"]
    return pd.DataFrame(rows, columns=columns).astype({"population": "Int64"})


def _estimates(study: Presentation, draw: random.Random) -> dict[str, pd.DataFrame]:
    surveyed = {name: wave.organisations_surveyed for name, wave in study.waves.items()}
    means, contrasts, reliability = [], [], []

    def estimate(
        centre: float, spread: float, cells: list[tuple[str, str]], margin: float = 0.15
    ) -> dict[str, object]:
        empty = [
            cell for cell in cells if cell[1] != "all" and cell[1] not in surveyed.get(cell[0], (cell[1],))
        ]
        if empty:
            note = "nobody answered: " + "; ".join(", ".join(cell) for cell in empty)
            # A number where there is none must not be drawn either.
            return {
                "status": "not_estimable",
                "note": note,
                "n": 0,
                "estimate": 3.0,
                "conf_low": 2,
                "conf_high": 4,
            }
        value = centre + draw.uniform(-spread, spread)
        return {"estimate": value, "conf_low": value - margin, "conf_high": value + margin, "n": 140}

    for scale in study.scales:
        points = next(
            study.response_scales[i.response_scale].points for i in study.items.values() if i.scale == scale
        )
        every = [*study.organisations, *(["all"] if len(study.organisations) > 4 else [])]
        for wave, organisation in itertools.product(study.waves, every):
            cell = {"analysis": "linear", "scale": scale, "wave": wave, "organisation": organisation}
            centre = 1 + 0.55 * (points - 1)
            means.append(cell | {"term": "emmean"} | estimate(centre, 0.2 * points, [(wave, organisation)]))
            share = {"analysis": "favourable", "term": "percent_favourable"}
            means.append(cell | share | estimate(55, 40, [(wave, organisation)], 4))
        for organisation in every:
            for first, second in itertools.combinations(study.waves, 2):
                cell = {
                    "scale": scale,
                    "wave": f"{second} - {first}",
                    "organisation": organisation,
                    "term": "change",
                }
                contrasts.append(cell | estimate(0, 0.4, [(first, organisation), (second, organisation)]))
        for one, other in held_against(study):
            cell = {"scale": scale, "organisation": f"{one} - {other}"}
            contrasts += [
                cell | {"wave": wave, "term": "gap"} | estimate(0, 0.4, [(wave, one), (wave, other)])
                for wave in study.waves
            ]
            for first, second in itertools.combinations(study.waves, 2):
                four = list(itertools.product((first, second), (one, other)))
                named = {"wave": f"{second} - {first}", "term": "difference_in_differences"}
                contrasts.append(cell | named | estimate(0, 0.4, four, 0.25))
        for wave, organisation in [
            *itertools.product(study.waves, (*study.organisations, "all")),
            ("all", "all"),
        ]:
            cell = {"analysis": "reliability", "scale": scale, "wave": wave, "organisation": organisation}
            reliability.append(cell | {"term": "alpha"} | estimate(0.78, 0.14, [(wave, organisation)], 0.04))
            reliability.append(cell | {"term": "mean_inter_item_r", "estimate": 0.4})
    of_items = [
        row | {"item": item.item}
        for row in contrasts
        if row["term"] == "change"
        for item in study.items.values()
        if item.scale == row["scale"]
    ]
    return {
        "means": tidy(means),
        "contrasts": _decided(tidy([*_linear(contrasts), *_favourable(contrasts)])),
        "item_contrasts": _decided(tidy(_favourable(of_items))),
        "planning": tidy({"analysis": "planning"} | row for row in _planning(study, draw)),
        "reliability": tidy(reliability),
        "sensitivity": _sensitivity(contrasts, study, draw),
    }


def _linear(contrasts: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{"analysis": "linear"} | row for row in contrasts]


def _favourable(contrasts: list[dict[str, object]]) -> list[dict[str, object]]:
    """Turn contrasts in points of the response scale into ones in percentage points."""
    numbers = ("estimate", "conf_low", "conf_high")
    return [
        row
        | {"analysis": "favourable", "term": f"{row['term']}_percent_favourable"}
        | {name: 40.0 * row[name] for name in numbers if name in row}  # type: ignore[operator]
        for row in contrasts
    ]


DECISIONS = ("increase", "decrease", "no_meaningful_change", "inconclusive")


def _decided(table: pd.DataFrame) -> pd.DataFrame:
    """Decide what was estimated, each way in turn; what is too small differs between scales."""
    there = table["status"] == "ok"
    decisions = [
        DECISIONS[(place + place // 4) % 4] if estimated else ""
        for place, estimated in zip(itertools.count(), there, strict=False)
    ]
    smallest = [0.1 + 0.05 * int(scale[1:]) for scale in table["scale"]]
    return table.assign(
        smallest=pd.Series(smallest, dtype="float64").where(there),
        p_equivalence=math.nan,
        p_equivalence_adjusted=math.nan,
        decision=decisions,
    )


def _functioning(study: Presentation, draw: random.Random) -> Iterator[dict[str, object]]:
    """Make sizes of differences in how items work; what was not asked in a wave is not compared with it."""
    pairs = [f"{later} - {first}" for first, later in itertools.combinations(study.waves, 2)]
    between = [f"{one} - {other}" for one, other in held_against(study)]
    places = [(wave, "") for wave in pairs] + [("", organisation) for organisation in between]
    places += [("all", "")] * (len(study.waves) > 2) + [("", "all")] * (len(study.organisations) > 2)
    for item in study.items.values():
        for wave, organisation in places if item.scale else ():
            cell = {"scale": item.scale, "item": item.item, "wave": wave, "organisation": organisation}
            if any(
                study.waves[one].comparability[item.item] == "absent"
                for one in wave.split(" - ")
                if one in study.waves
            ):
                why = {"status": "not_estimable", "note": "not asked: wave0"}
                yield from (cell | {"term": f"total_{kind}"} | why for kind in ("lr", "r2_change"))
                continue
            size = draw.choice((0.002, 0.01, 0.04, 0.09))
            yield cell | {
                "term": "total_lr",
                "estimate": 9.0,
                "p_adjusted": draw.choice((0.01, 0.2)),
                "n": 300,
            }
            yield cell | {
                "term": "total_r2_change",
                "estimate": size,
                "n": 300,
                "note": "words (Jodoin & Gierl)",
            }


def _sensitivity(
    contrasts: list[dict[str, object]], study: Presentation, draw: random.Random
) -> pd.DataFrame:
    """Make variants of contrasts: some that differ, one that does not, one that cannot be done."""
    nothing = {"status": "not_estimable", "note": "no population margins are given"}
    rows, beside = [], []
    for variant in (
        "main",
        "ordinal_logit",
        "complete_cases",
        f"only: {study.variables['role'].label}",
        "adjusted: role",
        "without_straight_liners",
        "raking",
        "imputed",
    ):
        for place, contrast in enumerate(contrasts):
            row = {"analysis": "linear", "std_error": 0.05, **contrast}
            row["term"] = f"{contrast['term']}_standardised"
            estimated = "status" not in row and variant != "raking"
            if variant == "raking":
                row = {name: row[name] for name in ("scale", "term", "wave", "organisation")} | nothing
            elif estimated and variant == "without_straight_liners":
                row["note"] = "nobody is a straight-liner"
            elif estimated and variant != "main" and (variant, place % 3) != ("imputed", 0):
                shift = draw.uniform(-0.1, 0.1)
                row |= {name: row[name] + shift for name in ("estimate", "conf_low", "conf_high")}
                row["note"] = "20 imputations" if variant == "imputed" else ""
            rows.append(row)
            decision = DECISIONS[(place + len(variant)) % 4] if estimated else ""
            beside.append((variant, 0.2 if estimated else math.nan, decision))
    rows += [
        row
        | {"analysis": "favourable", "term": str(row["term"]).replace("_standardised", "_percent_favourable")}
        for row in rows
    ]
    table = tidy(rows)
    found = pd.DataFrame(beside + beside, columns=["variant", "smallest", "decision"])
    table.insert(0, "variant", found["variant"])
    return table.assign(
        smallest=found["smallest"],
        p_equivalence=math.nan,
        p_equivalence_adjusted=math.nan,
        decision=found["decision"],
    )


RETURNS = (100, 200, 400, 1000)


def _planning(study: Presentation, draw: random.Random) -> Iterator[dict[str, object]]:
    """Make power and half widths that go up and down as they should; the first scale has nothing of the last gap."""
    assert study.planning
    reference, both = study.planning.reference, f"next - {study.planning.reference}"
    pairs = [f"{one} - {other}" for one, other in held_against(study)]
    labels = [(both, organisation) for organisation in study.organisations]
    labels += [(wave, pair) for wave in ("next", both) for pair in pairs]
    for place, scale in enumerate(study.scales):
        yield {
            "scale": scale,
            "wave": reference,
            "organisation": "all",
            "term": "returns",
            "estimate": 389,
            "n": 389,
        }
        for wave, organisation in labels:
            cell = {"scale": scale, "wave": wave, "organisation": organisation}
            if place == 0 and (wave, organisation) == labels[-1]:
                why = {"status": "not_estimable", "note": f"nobody answered: {reference}, org0"}
                for n in RETURNS:
                    yield from (cell | {"term": term, "n": n} | why for term in ("conf_half_width", "power"))
                yield cell | {"term": "returns_needed"} | why
                continue
            width = draw.uniform(0.2, 0.5)
            for n in RETURNS:
                yield cell | {"term": "conf_half_width", "n": n, "estimate": width * math.sqrt(100 / n)}
                yield cell | {"term": "detectable", "n": n, "estimate": 3 * width * math.sqrt(100 / n)}
                yield cell | {"term": "power", "n": n, "estimate": 1 - width - 20 / n}
            yield cell | {"term": "returns_needed", "n": 700 + 100 * place, "estimate": 700 + 100 * place}


def _audit(draw: random.Random) -> pd.DataFrame:
    verdicts = ["agrees"] * 30 + ["agrees_when_truncated", "agrees_when_truncated", "misprint", "undecided"]
    rows = [
        (table, str(row), field, "", "count", "12", "12", 12.0, draw.choice(verdicts), "")
        for table in ("2", "3", "10", "role")
        for row in range(1, 6)
        for field in ("sd_n", "d_n", "n_n", "sd_pct", "n_reported")
    ]
    columns = [
        *("table", "row", "field", "category", "quantity"),
        *("printed", "settled", "recomputed", "verdict", "evidence"),
    ]
    return pd.DataFrame(rows, columns=columns)


# --- what is drawn --------------------------------------------------------------------------------------------

STUDIES: dict[str, dict[str, object]] = {
    "plain": {},
    "hostile": {"words": (HOSTILE, LONG, ""), "points": (5, 4, 7)},
    "long": {"words": (LONG,), "scales": 2},
    "one wave, one organisation": {"waves": 1, "organisations": 1, "scales": 2},
    "one wave": {"waves": 1},
    "one organisation": {"organisations": 1},
    "five waves, four organisations": {"waves": 5, "organisations": 4, "points": (4, 5), "scales": 4},
    "twelve organisations": {"waves": 2, "organisations": 12},
}


def draw_all(
    tables: Mapping[str, pd.DataFrame], study: Presentation, *, wanted: Collection[str] = ()
) -> Iterator[Drawing]:
    """Draw the figures of a study, or those that are wanted."""
    for one in of_study(FIGURES, study, tables):
        if not wanted or one.name in wanted:
            yield draw(one, tables, study)


@cache
def drawn(study: str, *, slide: bool = False) -> dict[str, Drawing]:
    """Draw the figures of a study."""
    words = study_of(**STUDIES[study])  # type: ignore[arg-type]
    return {one.name: one for one in draw_all(tables_for(words), on_slide(words) if slide else words)}


def texts(drawing: Drawing) -> list[Text]:
    """List the texts that are seen."""
    axes = drawing.figure.axes  # their own ticks and labels are off
    hidden = {text for one in axes for axis in (one.xaxis, one.yaxis) for text in axis.findobj(Text)}
    found = drawing.figure.findobj(Text)
    return [text for text in found if text.get_text().strip() and text.get_visible() and text not in hidden]


def overlapping(drawing: Drawing) -> list[tuple[str, ...]]:
    """List the texts that are cut by the edge, and pairs of texts of which one is written over the other."""
    canvas = FigureCanvasAgg(drawing.figure)
    renderer = canvas.get_renderer()
    with mpl.rc_context(RC):
        canvas.draw()  # what places the legend
        found = [(text.get_text(), text.get_window_extent(renderer)) for text in texts(drawing)]
    size, em = drawing.figure.bbox, drawing.figure.dpi / 72
    cut = [
        (said,)
        for said, box in found
        if box.x0 < -em or box.y0 < -em or box.x1 > size.x1 + em or box.y1 > size.y1 + em
    ]
    boxes = np.array([(box.x0, box.y0, box.x1, box.y1) for _, box in found]).reshape(-1, 4)
    left, low, right, high = (boxes + np.array([1, 1.4, -1, -1.4]) * em).T
    meet = (left[:, None] < right) & (left < right[:, None]) & (low[:, None] < high) & (low < high[:, None])
    return [*cut, *((found[i][0], found[j][0]) for i, j in np.argwhere(np.triu(meet, 1)))]
