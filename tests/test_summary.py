"""The headline and the first page say what the decisions say, and nothing that no decision carries."""

from __future__ import annotations

import html
import itertools
import random
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from surveywaves.findings import counted, main_facts, main_pair, of_scales
from surveywaves.findings import headline as said_of
from surveywaves.report.numbers import Material
from surveywaves.report.sections import sections, strip, title
from surveywaves.report.summary import NAMED, headline
from surveywaves.study.models import Nouns, Scale
from surveywaves.study.parts import Presentation
from surveywaves.tables.made import made as make
from surveywaves.terms import LOW_RELIABILITY_MARK, Decision, Evidence
from surveywaves.words import LOW_RELIABILITY_SIGN, Labels
from synthetic_report import presentation
from synthetic_report import tables as released

SCALES = {"trust": "Trust", "views": "Views of the firm", "pace": "Pace", "warmth": "Warmth"}
UP, DOWN = Decision.INCREASE.value, Decision.DECREASE.value
SAME, OPEN = Decision.NO_MEANINGFUL_CHANGE.value, Decision.INCONCLUSIVE.value
SIZES = {UP: 9.1, DOWN: -12.1, SAME: 0.4, OPEN: -2.1, "": None}


def study(organisations: tuple[str, ...], waves: int = 2) -> Presentation:
    made = presentation(waves=waves, organisations=organisations, published=False)
    scales = {name: Scale(scale=name, title=words) for name, words in SCALES.items()}
    first = next(iter(made.waves))
    return made.model_copy(
        update={
            "scales": scales,
            "organisations": {name: name.capitalize() for name in organisations},
            "reference_wave": first,
        }
    )


def row(term: str, place: tuple[str, str, str], decision: str, size: float | None) -> dict[str, object]:
    scale, wave, organisation = place
    return {
        "analysis": "favourable",
        "scale": scale,
        "wave": wave,
        "organisation": organisation,
        "term": f"{term}_percent_favourable",
        "estimate": size,
        "conf_low": None if size is None else size - 5,
        "conf_high": None if size is None else size + 5,
        "p_adjusted": 0.01 if decision in (UP, DOWN) else 0.5,
        "p_equivalence_adjusted": 0.5,
        "smallest": 5.0,
        "n": 100,
        "status": "ok" if size is not None else "not_estimable",
        "note": "",
        "decision": decision,
    }


def material(
    decisions: Mapping[str, tuple[str, ...]],
    *,
    gaps: tuple[str, ...] = (),
    waves: int = 2,
    status: str = "",
    organisations: tuple[str, ...] = (),
    **update: object,
) -> Material:
    """Make what a first page is made from: of each organisation what each of the scales came to."""
    words = study(organisations or tuple(name for name in decisions if name != "all"), waves)
    words = words.model_copy(update=update)
    pair, rows, means = main_pair(words), [], []
    for (name, own), (place, scale) in itertools.product(decisions.items(), enumerate(SCALES)):
        size = SIZES[own[place]] if own else None
        size = None if size is None else size + place  # no two alike
        if pair:
            rows.append(row("change", (scale, pair.contrast, name), own[place], size))
        levels = {wave: 40.2 + (size or 0) * (wave == list(words.waves)[-1]) for wave in words.waves}
        means += [
            {
                "analysis": "favourable",
                "scale": scale,
                "wave": wave,
                "organisation": name,
                "term": "percent_favourable",
                "estimate": None if size is None else level,
                "conf_low": None if size is None else level - 4,
                "conf_high": None if size is None else level + 4,
                "p_adjusted": None,
                "n": 100,
                "status": "ok" if size is not None else "not_estimable",
                "note": "",
            }
            for wave, level in levels.items()
        ]
    if gaps:
        both = " - ".join(list(words.organisations)[:2])
        named = {wave: ("gap", wave) for wave in words.waves}
        named |= {pair.contrast: ("difference_in_differences", pair.contrast)} if pair else {}
        rows += [
            row(kind, (scale, wave, both), decision, SIZES[decision])
            for kind, wave in named.values()
            for scale, decision in zip(SCALES, gaps, strict=True)
        ]
    contrasts = pd.DataFrame(rows)
    if status and len(contrasts):
        contrasts = contrasts.assign(status=status)
    tables = {"means": pd.DataFrame(means), **({"contrasts": contrasts} if rows else {})}
    return Material(tables, words)


def said(made: Material) -> str:
    """Give the first page, a paragraph a line."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", plain(next(sections(made)).text))


def plain(text: str) -> str:
    """Take the sources of numbers, marks and entities out of Markdown."""
    text = re.sub(r"`[^`]*`\{=typst\}", "", text)
    text = re.sub(r"\[([^\[\]]*)\]\{\.n [^}]*\}", r"\1", text)
    return html.unescape(re.sub(r"\[([^\[\]]*)\](?:\{[^}]*\}|\([^)]*\))", r"\1", text)).replace("**", "")


def line(made: Material) -> str:
    facts = main_facts(made.tables.get("contrasts"), made.tables["means"], made.presentation)
    assert headline(made) == said_of(facts, made.presentation)
    return headline(made)


FALLEN, RISEN, STILL = (DOWN,) * 4, (UP,) * 4, (OPEN,) * 4

KINDS = {
    "nothing moved": (
        {"left": STILL, "right": STILL},
        "No clear change in Left or Right on any of four scales",
    ),
    "equivalent": (
        {"left": (SAME,) * 4, "right": (SAME,) * 4},
        "No meaningful change in Left or Right on any of four scales",
    ),
    "some equivalent": (
        {"left": (SAME, OPEN, OPEN, OPEN), "right": (SAME,) * 4},
        "No clear change in Left or Right on any of four scales",
    ),
    "one fell and one rose": (
        {"left": (UP, UP, OPEN, OPEN), "right": (OPEN, OPEN, DOWN, DOWN)},
        "Two of four scales rose in Left; two fell in Right",
    ),
    "contrary": ({"left": (UP, OPEN, OPEN, OPEN), "right": FALLEN}, "Trust fell in Right and rose in Left"),
    "all fell": ({"left": FALLEN, "right": FALLEN}, "All four scales fell in Left and Right"),
    "all rose": ({"left": RISEN, "right": RISEN}, "All four scales rose in Left and Right"),
    "one scale in both": (
        {"left": (OPEN, UP, OPEN, SAME), "right": (OPEN, UP, OPEN, OPEN)},
        "Views of the firm rose in Left and Right",
    ),
    "one moved": (
        {"left": (DOWN, OPEN, OPEN, OPEN), "right": STILL},
        "Trust fell in Left; no clear change in Right",
    ),
    "one organisation": ({"left": (UP, UP, DOWN, OPEN)}, "Two of four scales rose and one fell"),
    "everybody": ({"all": (DOWN, OPEN, OPEN, OPEN)}, "Trust fell; no other clear change"),
    "three": (
        {"left": (UP, OPEN, OPEN, OPEN), "right": (UP, DOWN, OPEN, OPEN), "middle": (DOWN, OPEN, OPEN, OPEN)},
        "Trust rose in two of three houses and fell in one",
    ),
    "three, nothing moved": (
        {"left": STILL, "right": STILL, "middle": STILL},
        "No clear change in any of three houses on any of four scales",
    ),
    "nothing estimable": ({"left": ("",) * 4, "right": ("",) * 4}, "No change can be estimated"),
}


def of(kind: str) -> Material:
    return material(KINDS[kind][0], nouns=Nouns(organisation=("house", "houses")))


@pytest.mark.parametrize("kind", KINDS)
def test_the_headline_says_what_the_decisions_come_to(kind: str) -> None:
    assert line(of(kind)) == KINDS[kind][1]
    assert len(KINDS[kind][1].split()) <= 13


@pytest.mark.parametrize(
    ("told", "tested", "said_"),
    [
        *(
            (1, 1, "the only scale"),
            (None, 1, "the only scale"),
            (2, 2, "both scales"),
            (None, 2, "either scale"),
        ),
        *((1, 2, "one of two scales"), (4, 4, "all four scales"), (3, 12, "three of 12 scales")),
        (None, 12, "any of 12 scales"),
    ],
)
def test_scales_are_counted_in_english(told: int | None, tested: int, said_: str) -> None:
    assert of_scales(told, tested) == said_


@pytest.mark.parametrize("kind", KINDS)
def test_a_movement_is_told_where_one_is_decided_and_nowhere_else(kind: str) -> None:
    made = of(kind)
    decided = {decision for own in KINDS[kind][0].values() for decision in own}
    for text in (line(made), said(made)):
        assert bool(re.search(r"\brose\b", text)) <= (UP in decided)
        assert bool(re.search(r"\bfell\b", text)) <= (DOWN in decided)
    assert ("rose" in said(made)) == (UP in decided) and ("fell" in said(made)) == (DOWN in decided)


def test_counts_and_sizes_are_those_of_the_decisions() -> None:
    text = said(of("one organisation"))
    assert "Left: two of four scales rose and one fell." in text
    # the largest first, with its interval; Pace is place 2
    assert (
        "Views of the firm: 40.2% → 50.3% (+10.1 points, 90% CI 5.1 to 15.1). Trust: 40.2% → 49.3% (+9.1)"
        in text
    )
    assert "Pace fell: 40.2% → 30.1% (−10.1)." in text
    assert "Warmth" not in text


def test_what_is_open_is_named_as_open_with_its_interval() -> None:
    text = said(of("nothing moved"))
    assert (
        "No clear change in Left or Right on any of four scales. Largest estimate: Trust in Left, 40.2%"
        in text
    )
    assert "Left, 40.2% → 38.1% (−2.1 points, 90% CI −7.1 to 2.9)" in text


def test_the_first_effect_size_comes_within_sixty_words() -> None:
    for kind in KINDS:
        made = of(kind)
        words = f"{plain(strip(made))} {line(made)} {said(made)}".split()
        sizes = [place for place, word in enumerate(words) if re.fullmatch(r"\(?[+−]\d+\.\d.*", word)]
        assert kind == "nothing estimable" or sizes[0] < 60


def test_decisions_at_random_are_counted_as_they_are() -> None:
    draw = random.Random(5)
    for _ in range(60):
        names = ("left", "right", "middle")[: draw.choice((1, 2, 3))]
        decisions = {name: tuple(draw.choices((UP, DOWN, SAME, OPEN), k=4)) for name in names}
        made = material(decisions)
        text, top = said(made), line(made)
        for name, own in decisions.items():
            who, counts = name.capitalize(), {"rose": own.count(UP), "fell": own.count(DOWN)}
            found = re.search(
                rf"\b{who}: (\w+)(?: of)? four scales (rose|fell)(?: and (\w+) (rose|fell))?", text
            )
            told = dict(zip(found.groups()[1::2], found.groups()[::2], strict=True)) if found else {}
            told.pop(None, None)
            expected = {went: counted(count) for went, count in counts.items() if count}
            assert {went: count.replace("all", "four") for went, count in told.items()} == expected
            assert (found is None) == bool(
                re.search(rf"No (?:clear|meaningful) change in [^*.]*\b{who}\b", text)
            )
            for place, words in enumerate(SCALES.values()):
                for went, decision in (("rose", UP), ("fell", DOWN)):
                    if re.search(rf"\b{words} {went} in {who}\b", top):
                        assert own[place] == decision
            paragraph = next((part for part in text.split("\n\n") if part.startswith(f"{who}: ")), "")
            levels = re.findall(r"(\w+)(?: rose| fell)?: 40.2% → ([\d.]+)% \(([+−][\d.]+)", paragraph)
            for word, level, change in levels:
                place = [words.split()[-1] for words in SCALES.values()].index(word)
                size = (SIZES[own[place]] or 0) + place
                assert (level, change) == (f"{40.2 + size:.1f}", f"{size:+.1f}".replace("-", "−"))
            assert bool(levels) == bool(paragraph)
            shown = [
                words for words in SCALES.values() if re.search(rf"\b{words}(?: rose| fell)?:", paragraph)
            ]
            assert all(own[list(SCALES.values()).index(words)] in (UP, DOWN) for words in shown)
            assert len(shown) <= NAMED + 1


def test_organisations_part_only_where_a_difference_in_change_is_decided() -> None:
    decisions = {"left": (UP, OPEN, OPEN, OPEN), "right": (DOWN, OPEN, OPEN, OPEN)}
    assert "Left − Right" not in said(material(decisions, gaps=STILL))
    text = said(material(decisions, gaps=(UP, OPEN, OPEN, OPEN)))
    assert (
        "Left and Right changed differently on one of four scales, Trust: Left − Right +9.1 → +9.1 (+9.1 points, "
        in text
    )


def test_one_wave_speaks_of_levels_and_gaps_and_of_no_change() -> None:
    decisions = {"left": (UP, OPEN, OPEN, DOWN), "right": STILL}
    made = material(decisions, gaps=(UP, OPEN, OPEN, DOWN), waves=1)
    assert line(made) == "Left and Right differ on two of four scales, most on Warmth"
    both = (
        "Left and Right differ on two of four scales, most on Warmth: 31.1% in Left, 41.1% in Right (−12.1 "
    )
    assert both in said(made)
    everything = " ".join([line(made), *(plain(part.text) for part in sections(made))])
    assert not re.search(r"\b(?:rose|fell|changes?|changed)\b", everything)
    alone = material({"all": (UP, OPEN, OPEN, DOWN)}, waves=1, organisations=("left",))
    assert line(alone) == "Highest: Trust; lowest: Warmth"
    assert "Highest: Trust, 49.3%. Lowest: Warmth, 31.1%." in said(alone)


def test_what_is_withheld_is_called_withheld() -> None:
    made = material({"left": ("",) * 4, "right": ("",) * 4}, status="withheld")
    assert line(made) == "All changes are withheld to protect respondents"
    assert "No change can be estimated" in said(made) or "withheld" in said(made)


def test_a_further_wave_speaks_where_it_is_decided() -> None:
    made = material({"left": (UP, OPEN, OPEN, OPEN)}, waves=3, reference_wave="second")
    assert "First round →" not in said(made)
    since = row("change", ("pace", "third - first", "left"), DOWN, -7.0)
    tables = {**made.tables, "contrasts": pd.concat([made.tables["contrasts"], pd.DataFrame([since])])}
    assert "First round → Third round, Left: the only scale asked in both fell. Pace: 40.2%" in said(
        Material(tables, made.presentation)
    )


def test_no_digit_is_written_that_is_not_released() -> None:
    made = of("nothing moved")
    numbers = ["estimate", "conf_low", "conf_high"]
    whole = {
        name: table.assign(std_error=3.1, **table[numbers].round()) for name, table in made.tables.items()
    }
    assert "40% → 38% (−2 points, 90% CI −7 to 3)" in said(Material(whole, made.presentation))


def test_a_scale_of_low_reliability_has_the_sign_that_figures_give_it() -> None:
    made = of("one organisation")
    low = made.tables["contrasts"].assign(note=f"{LOW_RELIABILITY_MARK}: pooled alpha 0.50")
    text = said(Material({**made.tables, "contrasts": low}, made.presentation))
    assert f"Views of the firm {LOW_RELIABILITY_SIGN}: 40.2%" in text


def test_levels_of_other_statements_are_not_set_beside_a_change() -> None:
    made = of("one organisation")
    fewer = made.tables["contrasts"].assign(note="over 2 of 3 statements")
    text = said(Material({**made.tables, "contrasts": fewer}, made.presentation))
    assert "→" not in text.split("\n\n", 1)[1] and "over the statements asked in both" in text


def test_of_many_organisations_those_that_moved_most_are_told_and_the_others_named() -> None:
    names = ("north", "south", "east", "west", "centre", "coast")
    decisions = {name: (UP,) * (4 - place) + (OPEN,) * place for place, name in enumerate(names[:4])}
    decisions |= {"centre": (OPEN, OPEN, OPEN, DOWN), "coast": STILL}
    made = material(decisions, nouns=Nouns(organisation=("region", "regions")))
    text = said(made)
    assert line(made) == "Trust rose in four of six regions"
    assert [re.match(r"(\w+): (\w+)", part)[0] for part in text.split("\n\n")[1:5]] == [  # type: ignore[index]
        "North: all",
        "South: three",
        "East: two",
        "West: one",
    ]
    assert "Clear changes also in Centre: see What people said." in text
    assert "No clear change in Coast on any of four scales." in text


def test_how_sure_counts_what_the_page_tells_and_no_more() -> None:
    made = of("contrary")
    [pair] = made.tables["contrasts"]["wave"].unique()
    here = {"analysis": "favourable", "scale": "trust", "term": "change", "wave": pair, "decision": UP}
    rows = [
        here
        | {
            "organisation": "left",
            "agreeing": 5,
            "variants": 6,
            "largest_move": -2.4,
            "largest_variant": "a",
        },
        here
        | {
            "organisation": "right",
            "agreeing": 6,
            "variants": 6,
            "largest_move": 1.2,
            "largest_variant": "b",
        },
        here | {"organisation": "right", "decision": OPEN, "largest_move": 9.9, "agreeing": 1, "variants": 1},
        here | {"organisation": "all", "largest_move": 9.9, "agreeing": 1, "variants": 1},
        here | {"organisation": "left", "wave": "another", "agreeing": 1, "variants": 1},
        here | {"organisation": "left", "term": "gap", "agreeing": 1, "variants": 1},
    ]
    text = said(
        Material(
            {**made.tables, "agreement": pd.DataFrame(rows).assign(tipping_point=None)}, made.presentation
        )
    )
    assert (
        "Of the two clear results above, one holds in every alternative analysis that estimates them." in text
    )
    assert "No estimate of the two moves by more than 2.4 points (a)." in text


def test_nothing_estimable_gives_no_number_and_says_so_everywhere() -> None:
    made = of("nothing estimable")
    assert "No change can be estimated." in said(made)
    text = "\n".join(plain(part.text) for part in sections(made))
    assert not re.search(r"[+−]\d|\d%(?! (?:CI|confidence))|\bnan\b|\bNone\b", text)
    assert text.count("All houses: not estimable.") == 2


def test_words_are_the_studys() -> None:
    rates = {"wave": "second", "returns": 90, "population": 120, "rate": 0.75}
    nouns = Nouns(
        people="nurses", organisation=("hospital", "hospitals"), statement=("question", "questions")
    )
    made = material({"left": RISEN, "right": STILL}, gaps=RISEN, nouns=nouns)
    made = Material(
        {**made.tables, "response_rates": pd.DataFrame([rates | {"conf_low": None, "conf_high": None}])},
        made.presentation,
    )
    assert "25% of nurses did not answer in Second round." in said(made)
    assert title("parted", made) == "Did the hospitals change differently?"
    assert title("statements", made) == "Every question"


OTHER = Nouns(
    person=("reader", "readers"),
    people="readers",
    organisation=("library", "libraries"),
    returns=("slip", "slips"),
    statement=("prompt", "prompts"),
)
DEFAULTS = re.compile(r"\b(?:organisations?|returns?|statements?|staff|employ\w*)\b", re.IGNORECASE)


@pytest.mark.parametrize("options", [{}, {"organisations": ("left",)}, {"waves": 1, "published": False}])
def test_no_word_of_another_study_stands_in_the_words(options: dict[str, Any]) -> None:
    words = presentation(**options)
    words = words.model_copy(update={"nouns": OTHER, "title": "Readers", "description": "", "citation": ""})
    items = {
        name: item.model_copy(update={"text": item.text.replace("statement", "prompt")})
        for name, item in words.items.items()
    }
    last = list(words.waves)[-1]
    grades = words.waves[last].comparability | {"pace_1": "absent"}
    fewer = words.waves[last].model_copy(update={"comparability": grades})
    words = words.model_copy(update={"items": items, "waves": words.waves | {last: fewer}})
    frames = released(words, published=options.get("published", True))
    frames["contrasts"] = frames["contrasts"].assign(note="over 2 of 3 statements")
    made = Material(
        frames, words, made={one.name: (one, table) for one, table in make(frames, Labels(words))}
    )
    text = [headline(made), strip(made), *(f"{part.title} {plain(part.text)}" for part in sections(made))]
    assert len(text) > 12
    assert [one for one in text if DEFAULTS.search(re.sub(r"\[\[.*?\]\]", "", one))] == []


def test_the_strip_says_what_is_invented_and_nothing_of_real_answers() -> None:
    made = of("nothing moved")
    assert "Demonstration, not findings" in plain(strip(made)) and len(plain(strip(made)).split()) <= 30
    waves = {
        name: wave.model_copy(update={"evidence": Evidence.OBSERVED, "variable_evidence": {}})
        for name, wave in made.presentation.waves.items()
    }
    real = Material(made.tables, made.presentation.model_copy(update={"waves": waves}))
    assert strip(real) == ""
