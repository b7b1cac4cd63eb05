"""Sentences that count what contrasts came to: as much as the decisions say, and no more."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from markupsafe import Markup

from surveywaves.report.front import all_observed
from surveywaves.report.material import Material
from surveywaves.report.say import Where, say, several
from surveywaves.study.models import Evidence
from surveywaves.tables.decisions import decision_words
from surveywaves.tables.labels import BETWEEN
from surveywaves.tables.words import listed, records
from surveywaves.tidy import Decision, Status

ITEMS_ONLY = "items_only"
"""The use of a scale that should not be compared as one (see `surveywaves.reliability.usage`)."""

FIRST = "first "
"""How the words of a decision begin that speaks of the first-named organisation."""

SCALES, STATEMENTS = "contrasts", "item_contrasts"

Place = tuple[str, str]
"""Wave and organisation of a contrast."""


def item_by_item(material: Material) -> dict[str, str]:
    """Give the scales that should not be compared as scales, and why."""
    if not material.has("scale_use"):
        return {}
    rows = records(material.tables["scale_use"])
    return {row.scale: row.reason for row in rows if row.use == ITEMS_ONLY}


def places(rows: pd.DataFrame) -> list[Place]:
    """List the contrasts of one kind, in the order of the table."""
    return list(dict.fromkeys(zip(rows["wave"], rows["organisation"], strict=True)))


def at(rows: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Pick the rows of a contrast."""
    return rows[(rows["wave"] == place[0]) & (rows["organisation"] == place[1])]


def estimated(rows: pd.DataFrame) -> list[Place]:
    """List the contrasts that something is estimated of."""
    return [place for place in places(rows) if at(rows, place)["estimate"].notna().any()]


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
    first = labels.organisation(place[1].partition(BETWEEN)[0])
    found = []
    for decision in Decision:
        count = numbers.count(table, **here, decision=decision.value)
        if not count.value:
            continue
        names = ""
        if table == SCALES and decision is not Decision.INCONCLUSIVE:
            rows = numbers.rows(table, **here, decision=decision.value)
            names = listed([labels.scale(scale) for scale in labels.scales_in(rows)])
        found.append(
            say(
                "{what}: {count}{named}",
                what=_what(decision, term, first),
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


def _what(decision: Decision, term: str, first: str) -> Markup:
    words = decision_words(decision.value, term)
    if words.startswith(FIRST):
        return say("{who} {words}", who=first, words=words.removeprefix(FIRST))
    return say("{words}", words=words)


def _where(material: Material, place: Place) -> Markup:
    """Say what is compared: an organisation from wave to wave, organisations within a wave, or their changes."""
    labels = material.labels
    wave, organisation = (
        [named(part) for part in name.split(BETWEEN)]
        for name, named in zip(place, (labels.wave, labels.organisation), strict=True)
    )
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
    nowhere = [place for place in places(rows) if place not in estimated(rows)]
    hidden = [place for place in nowhere if at(rows, place)["status"].eq(Status.WITHHELD).any()]
    others = [place for place in nowhere if place not in hidden]
    said = []
    if hidden:
        template = "<strong>Withheld to protect respondents, for every scale:</strong> {which}."
        said.append(say(template, which=_named(material, hidden, most)))
    if others:
        why = ". ".join(material.labels.readable(reason) for reason in _reasons(rows, others))
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


def _reasons(rows: pd.DataFrame, which: list[Place]) -> list[str]:
    """Give the reasons that hold for every scale: what the notes of a contrast's rows have in common."""
    found: dict[str, dict[str, None]] = {}
    for place in which:
        notes = at(rows, place)["note"].unique()
        split = [(note.partition(": ")[0], note.partition(": ")[2].split("; ")) for note in notes]
        for reason, cells in split[:1]:
            common = [cell for cell in cells if all(cell in others for _, others in split)]
            found.setdefault(reason, {}).update(dict.fromkeys(common or cells))
    return [": ".join(filter(None, (reason, "; ".join(cells)))) for reason, cells in found.items() if reason]
