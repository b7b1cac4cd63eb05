"""Figures: everything that stands in them can be read, says what it rests on, and comes out the same every time."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from surveywaves.figures import draw_all, style
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.gallery import save_all
from surveywaves.figures.measure import drawable, width_of, wrap
from surveywaves.figures.names import names
from surveywaves.figures.save import save
from surveywaves.figures.shares import observed
from surveywaves.invariance import flagged
from surveywaves.study.models import (
    Event,
    Evidence,
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
from surveywaves.tidy import tidy

HOSTILE = (
    r"$x_1^2$ \frac{1}{2} <script>alert(1)</script> & </svg> =cmd|' /C calc'!A0 --> 100% _under_ {brace} "
    "שלום עולם مرحبا 😀🤔 漢字 e\u0301" + "\u0301" * 30 + " line\nbreak\ttab \x07 \u202eoverride"
)
LONG = (
    "wordswithoutanyspace" * 5 + " "
) + "and then a label that goes on for rather longer than anybody needs " * 4


# --- studies to draw ------------------------------------------------------------------------------------------


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


def tables_for(study: Presentation, *, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Make every table that figures read, as docs/files.md describes them, for any study."""
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
                base = sum(counts)
                for level, n in zip(variable.levels, counts, strict=True):
                    people.append((wave, organisation, name, level, n, 100 * n / base, base))
                people.append((wave, organisation, name, "not_stated", 30, 3000 / (base + 30), base + 30))
    return {
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
        for wave, organisation in itertools.product(study.waves, study.organisations):
            cell = {"analysis": "linear", "scale": scale, "wave": wave, "organisation": organisation}
            centre = 1 + 0.55 * (points - 1)
            means.append(cell | {"term": "emmean"} | estimate(centre, 0.2 * points, [(wave, organisation)]))
            share = {"analysis": "ordinal", "term": "percent_favourable"}
            means.append(cell | share | estimate(55, 40, [(wave, organisation)], 4))
        for organisation in study.organisations:
            for first, second in itertools.combinations(study.waves, 2):
                cell = {
                    "scale": scale,
                    "wave": f"{second} - {first}",
                    "organisation": organisation,
                    "term": "change",
                }
                contrasts.append(cell | estimate(0, 0.4, [(first, organisation), (second, organisation)]))
        for one, other in itertools.combinations(study.organisations, 2):
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
    return {
        "means": tidy(means),
        "contrasts": _decided(tidy({"analysis": "linear"} | row for row in contrasts)),
        "planning": tidy({"analysis": "planning"} | row for row in _planning(study, draw)),
        "reliability": tidy(reliability),
        "sensitivity": _sensitivity(contrasts, study, draw),
    }


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
    between = [f"{one} - {other}" for one, other in itertools.combinations(study.organisations, 2)]
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
        "answered_twice",
    ):
        for place, contrast in enumerate(contrasts):
            row = {"analysis": "linear", "std_error": 0.05, **contrast}
            row["term"] = f"{contrast['term']}_standardised"
            estimated = "status" not in row and variant != "raking"
            if variant == "raking":
                row = {name: row[name] for name in ("scale", "term", "wave", "organisation")} | nothing
            elif estimated and variant == "without_straight_liners":
                row["note"] = "nobody is a straight-liner"
            elif estimated and variant != "main" and (variant, place % 3) != ("answered_twice", 0):
                shift = draw.uniform(-0.1, 0.1)
                row |= {name: row[name] + shift for name in ("estimate", "conf_low", "conf_high")}
                row["note"] = "assuming much" if variant == "answered_twice" else ""
            rows.append(row)
            decision = DECISIONS[(place + len(variant)) % 4] if estimated else ""
            beside.append((variant, 0.2 if estimated else math.nan, decision))
    table = tidy(rows)
    found = pd.DataFrame(beside, columns=["variant", "smallest", "decision"])
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
    pairs = [f"{one} - {other}" for one, other in itertools.combinations(study.organisations, 2)]
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


@dataclass(frozen=True)
class Drawn:
    """A study, its tables, and its figures by name."""

    study: Presentation
    tables: dict[str, pd.DataFrame]
    drawings: dict[str, Drawing]


def drawn(study: Presentation) -> Drawn:
    tables = tables_for(study)
    return Drawn(study, tables, {drawing.name: drawing for drawing in draw_all(tables, study)})


STUDIES = {
    "plain": {},
    "hostile": {"words": (HOSTILE, LONG, ""), "points": (5, 4, 7)},
    "long": {"words": (LONG,), "scales": 2},
    "one wave, one organisation": {"waves": 1, "organisations": 1, "scales": 2},
    "one organisation": {"organisations": 1},
    "five waves, four organisations": {"waves": 5, "organisations": 4, "points": (4, 5), "scales": 4},
    "large type": {"font_size": 16.0},
    "small type": {"font_size": 5.0, "points": (2, 3, 6)},
}


@cache
def named(study: str) -> Drawn:
    return drawn(study_of(**STUDIES[study]))


@pytest.fixture(scope="module", params=STUDIES)
def any_study(request: pytest.FixtureRequest) -> Drawn:
    return named(request.param)


@pytest.fixture(scope="module")
def plain() -> Drawn:
    return named("plain")


@pytest.fixture(scope="module")
def hostile() -> Drawn:
    return named("hostile")


def texts(drawing: Drawing) -> list[Text]:
    return [text for text in drawing.figure.axes[0].texts if text.get_text()]


def said(drawing: Drawing) -> str:
    """Join what stands on a drawing, without spaces: words may be broken over lines."""
    return "".join(text.get_text() for text in texts(drawing)).replace(" ", "")


def marks(drawing: Drawing) -> list[tuple[float, float]]:
    """Give the places of all marks that stand for a number."""
    lines = [line for line in drawing.figure.axes[0].lines if str(line.get_gid()).startswith("marks")]
    return [place for line in lines for place in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def boxes(drawing: Drawing) -> Iterator[tuple[str, float, float]]:
    """Give the coloured boxes: colour, width, place of the middle from the top."""
    for collection in drawing.figure.axes[0].collections:
        if isinstance(collection, PolyCollection):
            for path, colour in zip(collection.get_paths(), collection.get_facecolor(), strict=True):
                if to_hex(colour) not in {"#ffffff", style.INK}:
                    box = path.get_extents()
                    yield to_hex(colour), box.width, (box.y0 + box.y1) / 2


@cache
def extents(drawing: Drawing) -> tuple[np.ndarray, list[str]]:
    """Give the boxes of all texts as drawn, in pixels: left, bottom, right, top."""
    canvas = FigureCanvasAgg(drawing.figure)
    drawing.figure.set_dpi(drawing.dpi)
    found = texts(drawing)
    renderer = canvas.get_renderer()
    with mpl.rc_context(style.RC):
        places = [text.get_window_extent(renderer).extents for text in found]
    return np.array(places), [text.get_text() for text in found]


# --- it can be read -------------------------------------------------------------------------------------------


def test_no_text_is_cut_and_no_two_overlap(any_study: Drawn) -> None:
    for name, drawing in any_study.drawings.items():
        found, words = extents(drawing)
        width, height = drawing.figure.get_size_inches() * drawing.dpi
        cut = [
            w
            for w, (x0, y0, x1, y1) in zip(words, found, strict=True)
            if min(x0, y0, width - x1, height - y1) < 0
        ]
        assert not cut, f"{name}: cut: {cut}"
        left, bottom, right, top = (found + np.array([0.5, 0.5, -0.5, -0.5])).T
        meet = (
            (left[:, None] < right)
            & (left < right[:, None])
            & (bottom[:, None] < top)
            & (bottom < top[:, None])
        )
        pairs = [(words[i], words[j]) for i, j in np.argwhere(np.triu(meet, 1))]
        assert not pairs, f"{name}: overlap: {pairs[:5]}"


def test_no_mark_is_under_a_text(any_study: Drawn) -> None:
    for name, drawing in any_study.drawings.items():
        found, words = extents(drawing)
        places = drawing.figure.axes[0].transData.transform([*marks(drawing), (0, 0)])[:-1]
        for x, y in places:
            hit = (found[:, 0] < x) & (x < found[:, 2]) & (found[:, 1] < y) & (y < found[:, 3])
            assert not hit.any(), f"{name}: a mark under {words[int(np.argmax(hit))]}"


def test_figures_are_one_or_two_columns_wide(any_study: Drawn) -> None:
    widths = {round(drawing.figure.get_figwidth() * 25.4, 6) for drawing in any_study.drawings.values()}
    assert widths == {style.ONE_COLUMN, style.TWO_COLUMNS}


def test_labels_are_drawn_as_they_are_written(hostile: Drawn) -> None:
    first = next(iter(hostile.study.items.values()))
    shown = said(hostile.drawings["likert_s0"])
    assert "$x_1^2$" in shown
    assert "<script>alert(1)</script>" in shown
    assert drawable(first.text).replace(" ", "") in shown
    assert not any(text.get_parse_math() for drawing in hostile.drawings.values() for text in texts(drawing))


@pytest.mark.filterwarnings("error")
def test_what_the_font_does_not_have_is_replaced_without_a_warning(tmp_path: Path, hostile: Drawn) -> None:
    save(hostile.drawings["likert_s0"], tmp_path)
    assert drawable("漢字 \U0001f914 ok\x07\n") == "\ufffd\ufffd \ufffd ok"
    assert drawable("e" + "\u0323" * 9) == "\u1eb9" + "\u0323" * 2


def test_a_wrapped_text_keeps_every_letter_and_no_line_is_too_wide() -> None:
    lines = wrap(LONG, 30, 3)
    assert "".join(lines).replace(" ", "") == LONG.replace(" ", "")
    assert max(width_of(line, 3) for line in lines) <= 30
    assert len(wrap(LONG, 30, 3, max_lines=2)) == 2
    assert width_of(wrap(LONG, 30, 3, max_lines=2)[1], 3) <= 30


# --- colours --------------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), IEEE TVCG 15, 1291: severity 1.0, on linear RGB.
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]
SIGHTS = {"normal": np.eye(3), "protanopia": np.array(PROTANOPIA), "deuteranopia": np.array(DEUTERANOPIA)}

LIGHTNESS_STEP = 6.0
"""Least difference in CIE lightness (0 to 100) between neighbours in a stacked bar: greyscale keeps them apart."""
NEIGHBOURS_APART, OTHERS_APART = 7.0, 15.0
"""Least distances in CIELAB (about 2 is just visible): of neighbours in a bar, which a white line and their order keep
apart as well, and of any other two colours of a figure, which may be mistaken for each other in the legend."""


def seen(colour: str, sight: str) -> np.ndarray:
    """Give a colour as somebody sees it, in CIELAB."""
    rgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(SIGHTS[sight] @ linear, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    x, y, z = (np.array(to_xyz) @ linear) / [0.95047, 1, 1.08883]
    fx, fy, fz = (
        value ** (1 / 3) if value > 216 / 24389 else (value * 24389 / 27 + 16) / 116 for value in (x, y, z)
    )
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("options", range(2, 8))
def test_neighbouring_answers_differ_in_greyscale(options: int) -> None:
    colours = style.response_colours(FigureStyle().responses, options)
    assert len(set(colours)) == options
    for place, pair in enumerate(itertools.pairwise(colours), 1):
        if 2 * place != options:  # the two in the middle are mirror images; the centre line parts them
            assert abs(style.lightness(pair[0]) - style.lightness(pair[1])) >= LIGHTNESS_STEP, (options, pair)


@pytest.mark.parametrize(
    "colours",
    [list(style.REASONS.values()), list(style.VERDICTS), *([*style.wave_colours(n)] for n in range(2, 7))],
    ids=str,
)
def test_neighbours_in_other_bars_differ_in_greyscale(colours: list[str]) -> None:
    for pair in itertools.pairwise(colours):
        assert abs(style.lightness(pair[0]) - style.lightness(pair[1])) >= LIGHTNESS_STEP, pair


@pytest.mark.parametrize("sight", SIGHTS)
def test_answers_and_organisations_differ_for_colour_blind_readers(sight: str) -> None:
    figures = FigureStyle()
    groups = {"decisions": tuple(colour for colour, _ in style.DECISIONS.values())}
    groups["sizes of differences"] = tuple(colour for colour, _ in style.SIZES.values())
    groups |= {f"{k} answers": style.response_colours(figures.responses, k) for k in range(2, 8)}
    groups |= {"organisations": figures.organisations, "verdicts": style.VERDICTS}
    groups["reasons"] = tuple(style.REASONS.values())
    for name, colours in groups.items():
        for (i, one), (j, other) in itertools.combinations(enumerate(colours), 2):
            distance = float(np.linalg.norm(seen(one, sight) - seen(other, sight)))
            least = NEIGHBOURS_APART if j == i + 1 and name != "organisations" else OTHERS_APART
            assert distance >= least, (name, one, other, distance)


def test_organisations_differ_in_shape_as_well() -> None:
    named = [f"org{number}" for number in range(6)]
    looks = [style.look_of(name, named, FigureStyle()) for name in (*named, "all")]
    assert len({look.marker for look in looks}) == 7


@pytest.mark.parametrize("options", range(2, 8))
def test_numbers_in_bars_stand_out(options: int) -> None:
    backgrounds = [
        *style.response_colours(FigureStyle().responses, options),
        *style.REASONS.values(),
        *style.VERDICTS,
    ]
    for background in backgrounds:
        dark, light = sorted([style.luminance(background), style.luminance(style.on(background))])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, background  # WCAG 2.1, 1.4.3


# --- the numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "table", "term"),
    [
        ("means_over_waves", "means", "emmean"),
        ("scale_profile", "means", "emmean"),
        ("contrasts", "contrasts", "change|gap"),
        ("differences_in_change", "contrasts", "difference_in_differences"),
        ("reliability", "reliability", "alpha"),
    ],
)
def test_what_is_not_estimable_has_no_mark_and_is_named(
    plain: Drawn, figure: str, table: str, term: str
) -> None:
    rows = plain.tables[table]
    rows = rows[rows["term"].isin(term.split("|"))]
    assert (rows["status"] == "not_estimable").any()
    assert len(marks(plain.drawings[figure])) == (rows["status"] == "ok").sum()
    assert re.search(
        r"Notestimable\(nobodyanswered[^)]*\):[^.]*Wave0[^.]*Organisation0", said(plain.drawings[figure])
    )
    assert "Not estimable" in plain.drawings[figure].caption


def test_marks_stand_where_the_numbers_say() -> None:
    one = drawn(study_of(waves=1, organisations=1, scales=6))
    across = np.array([x for x, _ in marks(one.drawings["scale_profile"])])
    means = one.tables["means"]
    values = means.loc[means["term"] == "emmean", "estimate"].to_numpy()
    line = np.polyfit(values, across, 1)
    assert line[0] > 0
    assert np.abs(np.polyval(line, values) - across).max() < 1e-9


def test_bars_are_as_long_as_the_percentages(plain: Drawn) -> None:
    rows = plain.tables["item_frequencies"]
    colours = style.response_colours(plain.study.style.responses, 5)
    found = [box for box in boxes(plain.drawings["likert_items_without_scale"]) if box[0] in colours][5:]
    expected = rows[(rows["item"] == "alone") & (rows["organisation"] == "all")]["percent"].to_numpy()
    widths = np.array([width for _, width, _ in found])
    assert len(widths) == len(expected) == 15
    assert np.allclose(widths / widths.sum(), expected / expected.sum(), atol=1e-9)
    middles = [middle for _, _, middle in found]
    assert middles == sorted(middles), "waves stand in the order of the study"


def test_what_was_not_asked_is_said(plain: Drawn) -> None:
    everybody, apart = said(plain.drawings["likert_s0"]), said(plain.drawings["likert_s0_by_organisation"])
    assert everybody.count("notasked") == 1
    assert everybody.count("askedwithotherresponseoptions") == 1
    assert apart.count("notsurveyed") == 3
    assert "†" in everybody
    assert "(R)" in everybody
    assert "Noneoftheseitemswasaskedin:Wave0." in said(plain.drawings["likert_s1"])


def test_a_rate_without_a_population_is_said_in_words(plain: Drawn) -> None:
    response = plain.drawings["response"]
    assert len(marks(response)) == 1
    assert said(response).count("norate:thepopulationisnotknown") == 2
    assert "389 returns of about 1,250" in response.alt


def test_withheld_counts_are_not_drawn() -> None:
    study = study_of(waves=1, organisations=1, scales=1)
    tables = tables_for(study)
    frequencies = tables["item_frequencies"].astype({"n": "Int64"})
    frequencies.loc[frequencies["response"] <= 2, ["n", "percent"]] = pd.NA
    people = tables["respondents"].astype({"n": "Int64"})
    people.loc[people["level"] == "level1", ["n", "percent"]] = pd.NA
    drawings = {
        d.name: d for d in draw_all(tables | {"item_frequencies": frequencies, "respondents": people}, study)
    }
    assert "noanswers" not in said(drawings["likert_s0"])
    assert "notshown" in said(drawings["likert_s0"])
    assert "notshown" in said(drawings["respondents_role"])


def test_empty_tables_make_figures_that_say_so(plain: Drawn) -> None:
    empty = {name: table.iloc[:0] for name, table in plain.tables.items()}
    drawings = {drawing.name: drawing for drawing in draw_all(empty, plain.study)}
    assert tuple(drawings) == names(plain.study, published=True)
    assert not any(marks(drawing) for drawing in drawings.values())
    for name in ("contrasts", "differences_in_change"):
        assert "Nocontrastcouldbeestimated." in said(drawings[name])
    assert all("Evidence:" in said(drawing) for drawing in drawings.values())


def test_failed_fits_are_named_and_have_no_mark(plain: Drawn) -> None:
    failed = {"estimate": math.nan, "conf_low": math.nan, "conf_high": math.nan, "status": "not_converged"}
    tables = plain.tables | {name: plain.tables[name].assign(**failed) for name in ("means", "contrasts")}
    drawings = {drawing.name: drawing for drawing in draw_all(tables, plain.study)}
    for name in ("means_over_waves", "scale_profile", "contrasts", "differences_in_change"):
        assert not marks(drawings[name])
        assert "themodeldidnotconverge" in said(drawings[name])


def test_a_contrast_looks_like_its_decision_and_what_is_too_small_is_shaded_for_each_scale(
    plain: Drawn,
) -> None:
    rows = plain.tables["contrasts"]
    rows = rows[rows["term"].isin(["change", "gap"]) & (rows["status"] == "ok")]
    drawing = plain.drawings["contrasts"]
    looks = {
        (to_hex(line.get_markerfacecolor()), line.get_marker()): len(line.get_xdata())
        for line in drawing.figure.axes[0].lines
        if str(line.get_gid()).startswith("marks")
    }
    assert looks == {style.DECISIONS[name]: n for name, n in rows["decision"].value_counts().items()}
    widths = [width for colour, width, _ in boxes(drawing) if colour == style.BAND][
        :-1
    ]  # the last is in the legend
    assert len(widths) == len(rows)
    millimetres = sorted(widths)[0] / (2 * rows["smallest"].min())
    assert np.allclose(sorted(widths), 2 * millimetres * np.sort(rows["smallest"]))
    for words in ("firstorganisationhigher", "Inconclusive", "Smallerthanthesmallesteffect"):
        assert words in said(drawing)
    assert "firstorganisationmovedmoreupwards" in said(plain.drawings["differences_in_change"]).replace(
        "F", "f"
    )


def test_observed_shares_are_the_mean_of_the_statements_that_every_cell_has(plain: Drawn) -> None:
    rows = plain.tables["item_summary"]
    found, left_out = observed(rows, plain.study)
    everywhere = ["s0_2"]  # wave 0 has neither s0_1 nor s0_3
    for (scale, wave, organisation), share in found.items():
        here = rows[(rows["wave"] == wave) & (rows["organisation"] == organisation)]
        items = everywhere if scale == "s0" else [f"{scale}_{n}" for n in (1, 2, 3)]
        mean = here.loc[here["item"].isin(items), "favourable_percent"].mean()
        assert share == pytest.approx(mean, rel=1e-12)
    assert {cell for cell in found if cell[1] == "wave0"} == {(s, "wave0", "org1") for s in ("s0", "s2")}
    assert left_out == "Observed without statements that not every wave has: Scale 0 (2 of 3)."


def test_modelled_and_observed_shares_stand_where_the_numbers_say(plain: Drawn) -> None:
    shares = plain.tables["means"].query("term == 'percent_favourable' and status == 'ok'")
    seen, _ = observed(plain.tables["item_summary"], plain.study)
    hollow, filled = [], []
    for line in plain.drawings["favourable"].figure.axes[0].lines:
        if str(line.get_gid()).startswith("marks"):
            (hollow if to_hex(line.get_markerfacecolor()) == "#ffffff" else filled).extend(line.get_xdata())
    assert len(filled) == len(shares)
    assert len(hollow) == len(seen)


def test_the_gradient_joins_its_scales_in_the_order_that_the_study_names(plain: Drawn) -> None:
    drawing = plain.drawings["gradient"]
    words = said(drawing)
    assert words.index("Scale1") < words.index("Scale0")
    assert "Scale2" not in words
    means = plain.tables["means"]
    here = means.query("term == 'percent_favourable' and wave == 'wave1' and organisation == 'org0'")
    first, second = (here.loc[here["scale"] == scale, "estimate"].item() for scale in ("s1", "s0"))
    expected = "falling from each to the next" if first >= second else "not in this order"
    assert re.search(
        rf"Wave 1, Organisation 0: Scale 1 {first:.0f}%, Scale 0 {second:.0f}%; {expected}\.", drawing.alt
    )


def test_the_comparator_follows_those_whom_every_wave_surveyed_in_what_every_wave_asked(plain: Drawn) -> None:
    drawing = plain.drawings["comparator"]
    means = plain.tables["means"].query("term == 'percent_favourable' and organisation == 'org1'")
    assert drawing.title == "Organisation 1: over all waves"
    assert len(marks(drawing)) == len(means[means["status"] == "ok"])
    assert "Organisation0" not in said(drawing)
    assert "comparator" not in names(study_of(waves=2), published=False)
    assert "comparator" not in names(study_of(organisations=1), published=False)


def test_a_framework_shows_every_scale_under_all_that_it_speaks_to(plain: Drawn) -> None:
    drawing = plain.drawings["framework_theory"]
    words = said(drawing)
    assert words.count("Principle0") == 1, "two scales under one heading"
    assert words.count("Scale2") == 2, "it speaks to two"
    assert words.count("Scale1") == 1
    assert "Underneitherofthese" in words.replace("none", "neither")
    assert "Under none of these: Scale 0." in drawing.caption


def test_flagged_statements_are_those_that_the_sensitivity_analysis_leaves_out(plain: Drawn) -> None:
    drawing = plain.drawings["functioning"]
    expected = {item for items in flagged(plain.tables["dif"]).values() for item in items}
    named = re.search(r"Flagged: (.*?)\)\. ", drawing.caption + " ")
    assert expected
    assert named
    assert {i.item for i in plain.study.items.values() if i.text + " (" in named[1]} == expected
    striking = [
        len(line.get_xdata())
        for line in drawing.figure.axes[0].lines
        if str(line.get_gid()).startswith("marks") and line.get_marker() in "^X"
    ]
    assert sum(striking) >= len(expected)
    assert (
        len(marks(drawing))
        == (plain.tables["dif"].query("term == 'total_r2_change'")["status"] == "ok").sum()
    )


def test_the_heat_map_prints_every_share_on_its_colour(plain: Drawn) -> None:
    drawing = plain.drawings["heat_map"]
    rows = plain.tables["item_summary"]
    rows = rows[rows["organisation"].isin(["all", "org0", "org1"])]
    rows = rows[
        (rows["wave"] != "wave0") | (rows["organisation"] != "all")
    ]  # one organisation is everybody there
    shown = sorted(text.get_text() for text in texts(drawing) if re.fullmatch(r"\d+", text.get_text()))
    assert shown == sorted(f"{share:.0f}" for share in rows["favourable_percent"])
    colours = [colour for colour, _, _ in boxes(drawing)][6:]
    assert sorted(colours) == sorted(style.sequential(share / 100) for share in rows["favourable_percent"])


def test_more_is_darker_in_the_heat_map_in_greyscale_too() -> None:
    lightness = [style.lightness(style.sequential(share / 100)) for share in range(0, 101, 5)]
    assert all(after < before - 1 for before, after in itertools.pairwise(lightness))


def test_every_caption_says_what_is_withheld(any_study: Drawn) -> None:
    assert all("Counts below 5 are withheld" in drawing.caption for drawing in any_study.drawings.values())
    shown = draw_all(any_study.tables, any_study.study.model_copy(update={"threshold": 1}))
    assert "withheld" not in next(iter(shown)).caption


def test_planning_draws_the_median_scale_and_says_how_many_returns_are_needed(plain: Drawn) -> None:
    rows, drawing = plain.tables["planning"], plain.drawings["planning"]
    drawn = rows[rows["term"].isin(["power", "conf_half_width"]) & (rows["status"] == "ok")]
    assert len(marks(drawing)) == len(drawn.groupby(["wave", "organisation", "term", "n"]))
    power = drawn[drawn["term"] == "power"].groupby(["wave", "organisation", "n"])["estimate"].median()
    heights = sorted(y for _, y in marks(drawing))[: len(power)]
    line = np.polyfit(power.sort_values(ascending=False), heights, 1)
    assert line[0] < 0, "more power is higher up"
    assert np.abs(np.polyval(line, power.sort_values(ascending=False)) - heights).max() < 1e-9
    assert "change,Organisation0:800(easiestscale:700;hardest:900)" in said(drawing)
    assert "nonumberisenough" in said(drawing)
    assert "389inWave1" in said(drawing)
    assert "is invented there, and with it every number here" in drawing.caption
    assert "There is no correction for a finite population" in drawing.caption


# --- what it rests on -----------------------------------------------------------------------------------------


def test_every_figure_says_its_evidence_on_it_beside_it_and_for_those_who_do_not_see_it(
    any_study: Drawn,
) -> None:
    for name, drawing in any_study.drawings.items():
        assert drawing.evidence.startswith("Evidence: "), name
        assert re.search("simulated|reconstructed", drawing.evidence), name
        assert drawable(drawing.evidence).replace(" ", "") in said(drawing), name
        assert drawing.evidence in drawing.caption, name
        assert drawing.evidence in drawing.alt, name
        assert drawing.title, name


def test_a_variable_that_is_weaker_than_its_wave_is_named(plain: Drawn) -> None:
    assert "In Wave 1, role is simulated." in plain.drawings["respondents_role"].evidence
    assert "role is simulated" not in plain.drawings["respondents_mode"].evidence


def test_the_names_are_known_before_anything_is_drawn(any_study: Drawn) -> None:
    assert tuple(any_study.drawings) == names(any_study.study, published=True)
    unpublished = {name: table for name, table in any_study.tables.items() if name != "published_tables"}
    assert "published_agreement" not in names(any_study.study, "published_tables" in unpublished)


def test_knowing_the_names_loads_no_plotting() -> None:
    code = (
        "import sys, surveywaves.figures.names;"
        "assert not {'matplotlib', 'pandas', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- the same every time --------------------------------------------------------------------------------------

DRAW = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_figures import named
from surveywaves.figures.save import save
for study, figures in {wanted!r}.items():
    drawings = named(study).drawings
    for figure in figures:
        save(drawings[figure], Path({folder!r}) / study)
"""
WANTED = {
    "plain": ["likert_s0", "contrasts"],
    "hostile": ["likert_s0_by_organisation"],
}


def test_files_are_the_same_bytes_in_another_process_place_and_language(
    tmp_path: Path, plain: Drawn, hostile: Drawn
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "matplotlibrc").write_text(
        "font.family: serif\nsvg.fonttype: none\npdf.fonttype: 3\nsavefig.bbox: tight\nlines.linewidth: 4\n"
        "savefig.dpi: 30\npath.simplify: False\ntext.hinting: force_autohint\naxes.facecolor: red\n"
    )
    code = DRAW.format(tests=str(Path(__file__).parent), wanted=WANTED, folder=str(tmp_path / "there"))
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "123",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "SOURCE_DATE_EPOCH": "1",
    }
    other = subprocess.Popen([sys.executable, "-c", code], cwd=elsewhere, env=environment)
    for study, figures in {"plain": plain, "hostile": hostile}.items():
        for figure in WANTED[study]:
            save(figures.drawings[figure], tmp_path / "here" / study)
    save(plain.drawings["contrasts"], tmp_path / "again" / "plain")
    assert other.wait() == 0
    made = sorted(path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.*"))
    assert len(made) == 3 * sum(map(len, WANTED.values()))
    for path in made:
        here = (tmp_path / "here" / path).read_bytes()
        assert here == (tmp_path / "there" / path).read_bytes(), path
    for again in (tmp_path / "again" / "plain").iterdir():
        assert again.read_bytes() == (tmp_path / "here" / "plain" / again.name).read_bytes(), again


def test_several_cores_draw_the_same_files_and_captions(tmp_path: Path) -> None:
    study = study_of(waves=1, organisations=1, scales=1)
    tables = tables_for(study)
    captions = {n: save_all(tables, study, tmp_path / str(n), cores=n) for n in (1, 2)}
    pd.testing.assert_frame_equal(captions[1], captions[2])
    assert tuple(captions[1]["figure"]) == names(study, published=True)
    made = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(made) == 3 * len(captions[1])
    for name in made:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


def test_words_in_an_svg_can_be_found_and_take_the_width_that_was_measured(
    tmp_path: Path, plain: Drawn
) -> None:
    drawing = plain.drawings["contrasts"]
    save(drawing, tmp_path)
    assert (tmp_path / "contrasts.svg").stat().st_size < 100_000
    root = ET.parse(tmp_path / "contrasts.svg").getroot()
    found = root.findall(".//{http://www.w3.org/2000/svg}text")
    assert [element.text for element in found] == [text.get_text() for text in texts(drawing)]
    drawn, _ = extents(drawing)
    for element, (left, _, right, _) in zip(found, drawn, strict=True):
        scale = drawing.dpi / 72
        assert float(element.attrib["x"]) * scale == pytest.approx(left, abs=1.5)
        width = float(element.attrib["textLength"])
        assert width * scale == pytest.approx(right - left, abs=3.0)


def test_files_carry_title_and_evidence_and_not_their_making(tmp_path: Path, hostile: Drawn) -> None:
    drawing = hostile.drawings["likert_s0"]
    save(drawing, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"likert_s0.{end}" for end in ("pdf", "png", "svg")
    ]
    svg = (tmp_path / "likert_s0.svg").read_text(encoding="utf-8")
    root = ET.fromstring(svg)
    assert "simulated" in "".join(root.itertext())
    assert not root.findall(".//{http://www.w3.org/2000/svg}script")
    assert "Matplotlib v" not in svg
    pdf = (tmp_path / "likert_s0.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"CreationDate" not in pdf
    with Image.open(tmp_path / "likert_s0.png") as image:
        assert set(image.info) >= {"Title", "Description"}
        assert "Software" not in image.info
