"""The first page: what the data and the waves are, and the answer in words, made from the decisions alone.

Sentences count what contrasts came to: as much as the decisions say, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd
from markupsafe import Markup

from surveywaves.report.material import (
    Block,
    Bullets,
    Material,
    Paragraph,
    Part,
    Where,
    say,
    several,
)
from surveywaves.study.parts import Presentation
from surveywaves.tables.estimates import (
    CONTRASTS,
    MEASURED_IN,
    STANDARDISED,
    UNITS,
    decision_words,
    first_named,
    main_analysis,
    staff,
    term_in,
)
from surveywaves.terms import (
    BETWEEN,
    FAVOURABLE,
    LINEAR,
    LOW_RELIABILITY,
    LOW_RELIABILITY_MARK,
    ORDINAL,
    Decision,
    Evidence,
    Status,
)
from surveywaves.text import listed
from surveywaves.words import is_missing, number, records, share


def all_observed(presentation: Presentation) -> bool:
    """Whether nothing in the study is reconstructed or simulated."""
    return all(
        kind is Evidence.OBSERVED
        for wave in presentation.waves.values()
        for kind in (wave.evidence, *(weaker.evidence for weaker in wave.variable_evidence.values()))
    )


def headline(material: Material) -> tuple[str, Markup]:
    """Say in words that nobody can miss what the report's data are: a word for it, and a sentence."""
    if all_observed(material.presentation):
        return "Observed data", say("All data in this report are real returns.")
    if any(wave.evidence is Evidence.OBSERVED for wave in material.presentation.waves.values()):
        return "Part demonstration", say(
            "Part of the data are not real returns. Numbers marked <strong>reconstructed</strong> or "
            "<strong>simulated</strong> are invented: <strong>do not cite them as findings.</strong>"
        )
    return "Demonstration", say(
        "The respondents in this report are invented. It shows what the analysis does; it says nothing new about the "
        "real organisation. <strong>Do not cite its numbers as findings.</strong>"
    )


def banner(material: Material) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Give for each wave its title, its evidence, what that means, and what in it is weaker still."""
    return [
        (
            wave.title,
            wave.evidence.value,
            wave.evidence.meaning,
            tuple(
                f"{material.labels.variable(variable)}: {kind.value}"
                for variable, kind in material.labels.weaker(name).items()
            ),
        )
        for name, wave in material.presentation.waves.items()
    ]


def waves(material: Material) -> list[Block]:
    """Say what was asked, of whom, when, and what the data of each wave are."""
    blocks: list[Block] = [Paragraph(_instrument(material)), *material.at("waves")]
    for words in material.presentation.waves.values():
        notes = [say("{note}", note=words.evidence_note)] if words.evidence_note else []
        notes += [
            say(
                "<strong>{variable}: {evidence}.</strong> {note}",
                variable=material.labels.variable(name),
                evidence=weaker.evidence.value,
                note=weaker.note,
            )
            for name, weaker in words.variable_evidence.items()
        ]
        if notes:
            heading = f"What stands behind {words.title}: {words.evidence.value}"
            blocks.append(Part(heading, (Bullets(tuple(notes)),)))
    return blocks


def _instrument(material: Material) -> Markup:
    take = material.numbers.study
    return say(
        "The study has {waves}, {organisations} and {items}, of which {scales} are made.",
        waves=several(take("waves"), "wave", "waves"),
        organisations=several(take("organisations"), "organisation", "organisations"),
        items=several(take("items"), "statement", "statements"),
        scales=several(take("scales"), "scale", "scales"),
    )


def returns(material: Material) -> list[Markup]:
    """Say of each wave how many answered, of how many."""
    numbers, labels, said = material.numbers, material.labels, []
    for row in records(material.tables["response_rates"]):
        here = {"wave": row.wave}
        if is_missing(row.returns):
            said.append(
                say(
                    "<strong>{wave}:</strong> how many answered is withheld to protect them.",
                    wave=labels.wave(row.wave),
                )
            )
            continue
        count = several(numbers.cell("response_rates", "returns", **here), "return", "returns")
        if is_missing(row.rate):
            template = (
                "<strong>{wave}:</strong> {count}; how many could have answered is not known, so there is "
                "no response rate."
                if is_missing(row.population)
                else "<strong>{wave}:</strong> {count}; there is no response rate."
            )
            said.append(say(template, wave=labels.wave(row.wave), count=count))
            continue
        words = material.presentation.waves.get(row.wave)
        span = Markup("")
        if not is_missing(row.conf_low):
            span = say(
                " ({low} to {high}, as the population is an estimate)",
                low=numbers.cell("response_rates", "conf_low", share, **here),
                high=numbers.cell("response_rates", "conf_high", share, **here),
            )
        said.append(
            say(
                "<strong>{wave}:</strong> {count} of {about}{population}: a response rate of {rate}{span}.",
                wave=labels.wave(row.wave),
                count=count,
                about="about " if words and words.population.approximate else Markup(""),
                population=numbers.cell("response_rates", "population", **here),
                rate=numbers.cell("response_rates", "rate", share, **here),
                span=span,
            )
        )
    return said


SCALES, STATEMENTS = "contrasts", "item_contrasts"

Place = tuple[str, str]
"""Wave and organisation of a contrast."""


def low_reliability(material: Material) -> dict[str, str]:
    """Scales whose reliability is low, and why that is said of them."""
    if not material.has("scale_use"):
        return {}
    rows = records(material.tables["scale_use"])
    return {row.scale: row.reason for row in rows if row.use == LOW_RELIABILITY}


def named_with_mark(material: Material, scale: str) -> str:
    """Name a scale; one of low reliability with its mark."""
    name = material.labels.scale(scale)
    return f"{name} ({LOW_RELIABILITY_MARK})" if scale in low_reliability(material) else name


def by_place(rows: pd.DataFrame) -> dict[Place, pd.DataFrame]:
    """Take the rows of one kind of contrast apart by contrast, in the order of the table."""
    groups = rows.groupby(["wave", "organisation"], sort=False)
    return {(str(wave), str(organisation)): own for (wave, organisation), own in groups}


def estimated(rows: pd.DataFrame) -> dict[Place, pd.DataFrame]:
    """Take the contrasts that something is estimated of, with their rows."""
    return {place: own for place, own in by_place(rows).items() if own["estimate"].notna().any()}


def counted(
    material: Material, table: str, place: Place, *, analysis: str, term: str, of: Iterable[str] = ()
) -> Markup:
    """Count what a contrast came to, decision by decision; the scales of a sure one are named.

    Parameters
    ----------
    table
        `SCALES` or `STATEMENTS`.
    place
        Wave and organisation of the contrast.
    analysis, term
        Model, and kind of contrast.
    of
        Scales that are counted; of statements nothing.
    """
    numbers, labels = material.numbers, material.labels
    here: dict[str, Where] = {"analysis": analysis, "term": term, "wave": place[0], "organisation": place[1]}
    if table == SCALES:
        here["scale"] = list(of)
    first = first_named(place[1], labels)
    found = []
    for decision in Decision:
        count = numbers.count(table, **here, decision=decision.value)
        if not count.value:
            continue
        names = ""
        if table == SCALES and decision is not Decision.INCONCLUSIVE:
            rows = numbers.rows(table, **here, decision=decision.value)
            names = listed([named_with_mark(material, scale) for scale in labels.scales_in(rows)])
        found.append(
            say(
                "{what}: {count}{named}",
                what=say(
                    "{words}",
                    words=decision_words(decision.value, term, first=first, statement=table == STATEMENTS),
                ),
                count=count,
                named=say(" ({names})", names=names) if names else Markup(""),
            )
        )
    withheld = numbers.count(table, **here, status=Status.WITHHELD.value)
    tests = numbers.count(table, **here, **{"conf_low>": float("-inf")})
    return say(
        "<strong>{where}:</strong> of {tests} estimated, {found}{withheld}.{kind}",
        where=_where(material, place),
        tests=several(tests, "scale", "scales")
        if table == SCALES
        else several(tests, "statement", "statements"),
        found=Markup("; ").join(found) if found else "none with a decision",
        withheld=say("; withheld besides: {n}", n=withheld) if withheld.value else Markup(""),
        kind=_kind(material, place),
    )


def _where(material: Material, place: Place) -> Markup:
    """Say what is compared: an organisation from wave to wave, organisations within a wave, or their changes."""
    labels = material.labels
    wave = [labels.wave(part) for part in place[0].split(BETWEEN)]
    organisation = [staff(part, labels) for part in place[1].split(BETWEEN)]
    if len(wave) == 2 and len(organisation) == 2:
        return say(
            "{first} against {second}, from {earlier} to {later}",
            first=organisation[0],
            second=organisation[1],
            earlier=wave[1],
            later=wave[0],
        )
    if len(wave) == 2:
        return say(
            "{organisation}, from {earlier} to {later}",
            organisation=organisation[0],
            earlier=wave[1],
            later=wave[0],
        )
    if len(organisation) == 2:
        return say(
            "{wave}, {first} against {second}", wave=wave[0], first=organisation[0], second=organisation[1]
        )
    return say("{wave}, {organisation}", wave=wave[0], organisation=organisation[0])


def _kind(material: Material, place: Place) -> Markup:
    """Say of a contrast of invented data that it is one, where others are not; else nothing."""
    presentation = material.presentation
    if not any(wave.evidence is Evidence.OBSERVED for wave in presentation.waves.values()):
        return Markup("")
    if all_observed(presentation):
        return Markup("")
    kind = material.labels.weakest(place[0].split(BETWEEN), about=("items", "organisation"))
    if kind is None or kind is Evidence.OBSERVED:
        return Markup("")
    return say(" <strong>Demonstration only</strong> ({kind}).", kind=kind.value)


def absent(material: Material, rows: pd.DataFrame, *, most: int) -> list[Markup]:
    """Name the contrasts that no scale has an estimate of, and why: withheld, or not to be estimated.

    Of more than `most` only why.
    """
    nowhere = {place: own for place, own in by_place(rows).items() if own["estimate"].isna().all()}
    hidden = [place for place, own in nowhere.items() if own["status"].eq(Status.WITHHELD).any()]
    others = [place for place in nowhere if place not in hidden]
    said = []
    if hidden:
        template = "<strong>Withheld to protect respondents, for every scale:</strong> {which}."
        said.append(say(template, which=_named(material, hidden, most)))
    if others:
        why = ". ".join(
            material.labels.readable(reason) for reason in _reasons(nowhere[place] for place in others)
        )
        said.append(
            say(
                "<strong>Not estimable for any scale:</strong> {which}.{told}",
                which=_named(material, others, most),
                told=say(" Why: {why}.", why=why) if why else Markup(""),
            )
        )
    return said


def _named(material: Material, which: list[Place], most: int) -> Markup:
    if len(which) > most:
        return say("many comparisons, which the tables of what moved name")
    return Markup("; ").join(_where(material, place) for place in which)


def _reasons(contrasts: Iterable[pd.DataFrame]) -> list[str]:
    """Give the reasons that hold for every scale: what the notes of a contrast's rows have in common."""
    found: dict[str, dict[str, None]] = {}
    for rows in contrasts:
        notes = rows["note"].unique()
        split = [(note.partition(": ")[0], note.partition(": ")[2].split("; ")) for note in notes]
        for reason, cells in split[:1]:
            common = [cell for cell in cells if all(cell in others for _, others in split)]
            found.setdefault(reason, {}).update(dict.fromkeys(common or cells))
    return [": ".join(filter(None, (reason, "; ".join(cells)))) for reason, cells in found.items() if reason]


TITLES = {
    "change": "What changed",
    "gap": "Where organisations differ",
    "difference_in_differences": "Who changed more",
}
"""Kind of contrast -> what it answers."""

SUMMED_UP = {
    FAVOURABLE: "Each scale is summed up by the percentage of favourable answers to its statements: the mean of their "
    "percentages, every statement counting alike.",
    LINEAR: "Each scale is summed up by the mean answer to its statements, in points of the response scale.",
    ORDINAL: "Each scale is summed up by the log odds of a higher answer to its statements.",
}
"""Analysis -> what the answer in short speaks of."""

MOST = 8
"""Contrasts of a kind that are told on the first page, whatever they came to; of more, those that are not inconclusive
throughout."""

SURE = [decision.value for decision in Decision if decision is not Decision.INCONCLUSIVE]


def answer(material: Material) -> list[Block]:
    """Say what moved, where, how sure that is, and what cannot be told: as much as the decisions say, and no more."""
    if not material.has("contrasts"):
        return []
    frame = material.tables["contrasts"]
    analysis = main_analysis(frame)
    of_analysis = frame[frame["analysis"] == analysis]
    kinds = {
        kind: rows
        for kind in CONTRASTS
        if len(rows := of_analysis[of_analysis["term"] == term_in(analysis, kind)])
    }
    if not kinds:
        return []
    scales = list(dict.fromkeys(frame["scale"]))
    parts: list[Block] = [
        Part(TITLES[kind], tuple(told))
        for kind, rows in kinds.items()
        if (told := list(_told(material, rows, analysis=analysis, term=term_in(analysis, kind))))
    ]
    sure = Part("How sure that is", (Bullets(tuple(_sure(material, analysis, scales))),))
    unknown = list(_unknown(material, kinds))
    limits = [Part("What cannot be told", (Bullets(tuple(unknown)),))] if unknown else []
    return [*_warning(material), Paragraph(say(SUMMED_UP[analysis])), *parts, sure, *limits]


def _warning(material: Material) -> list[Block]:
    if all_observed(material.presentation):
        return []
    waves = material.presentation.waves.values()
    kinds = [kind.value for kind in Evidence if any(wave.evidence is kind for wave in waves)]
    if any(wave.evidence is Evidence.OBSERVED for wave in waves):
        return [
            Paragraph(
                say(
                    "<strong>Part of what follows is computed from data that are not real returns.</strong> Each "
                    "sentence that is says so: it shows the form of an answer, and is not one."
                ),
                "note",
            )
        ]
    return [
        Paragraph(
            say(
                "<strong>What follows is computed from {evidence} data.</strong> It shows the form of an answer; it "
                "is not one.",
                evidence=listed(kinds),
            ),
            "note",
        )
    ]


def _told(material: Material, rows: pd.DataFrame, *, analysis: str, term: str) -> Iterator[Block]:
    """Report the decisions of each contrast."""
    found = estimated(rows)
    told = (
        list(found)
        if len(found) <= MOST
        else [place for place, own in found.items() if own["decision"].isin(SURE).any()]
    )
    if told:
        scales = list(dict.fromkeys(rows["scale"]))
        yield Bullets(
            tuple(counted(material, SCALES, place, analysis=analysis, term=term, of=scales) for place in told)
        )
    if len(told) < len(found):
        words = (
            "In every other comparison every estimate is inconclusive; the tables of what moved have them."
            if told
            else "In every comparison every estimate is inconclusive; the tables of what moved have them."
        )
        yield Paragraph(say(words))


def _sure(material: Material, analysis: str, scales: list[str]) -> Iterator[Markup]:
    """Say how a decision is come to, and how many of them stand whatever way the data are analysed."""
    yield say(
        "A decision is told only if a test is significant at the level {alpha}, adjusted for the number of scales: "
        "<strong>up or down</strong>, that it is not zero, not how far; <strong>no meaningful change</strong>, "
        "that it is smaller than the smallest effect of interest{smallest}.",
        alpha=material.numbers.study("alpha", lambda value: f"{value:.3g}"),
        smallest=smallest_effect(material, analysis),
    )
    yield say("<strong>Inconclusive</strong>: the data do not tell, which is not the same as no difference.")
    for scale, reason in low_reliability(material).items():
        yield say(
            "<strong>{scale}</strong> has low reliability: {reason}.",
            scale=material.labels.scale(scale),
            reason=material.labels.readable(reason),
        )
    if material.has("agreement"):
        numbers = material.numbers
        here = {"analysis": analysis, "scale": scales, "decision": SURE}
        told = numbers.count("agreement", **here)
        if told.value:
            yield say(
                "Of {told} other than inconclusive, {same} the same by every other way to analyse that could be "
                "tried.",
                told=several(told, "decision", "decisions"),
                same=several(numbers.count("agreement", **here, **{"agreeing=": "variants"}), "is", "are"),
            )


def smallest_effect(material: Material, analysis: str) -> Markup:
    """Find the smallest effect of interest, in the first contrast in the unit in which it is stated."""
    frame = material.tables["contrasts"]
    percent = analysis == FAVOURABLE
    stated = (frame["analysis"] == analysis) & (percent | frame["term"].str.endswith(STANDARDISED))
    for row in records(frame[stated & frame["smallest"].notna()]):
        here = {name: getattr(row, name) for name in ("analysis", "scale", "wave", "organisation", "term")}
        size = material.numbers.cell("contrasts", "smallest", "{:.3g}".format if percent else number, **here)
        unit = MEASURED_IN[FAVOURABLE] if percent else UNITS[STANDARDISED][1]
        return say(", {size}", size=several(size, unit.replace("points", "point"), unit))
    return Markup("")


def _unknown(material: Material, kinds: dict[str, pd.DataFrame]) -> Iterator[Markup]:
    """Say which comparisons there are none of, and what a change may come from."""
    yield from absent(material, pd.concat(kinds.values()), most=MOST)
    if len(material.presentation.waves) > 1:
        yield say(
            "Nobody is followed from wave to wave: a change is a change in the average of whoever answered, and may "
            "come from other people answering."
        )
