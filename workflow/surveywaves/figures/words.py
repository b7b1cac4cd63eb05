"""How numbers, waves, organisations and their evidence are put into words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, BETWEEN, NOT_STATED, Comparability, Evidence, Status
from surveywaves.text import listed

Shows = Literal["totals", "organisations", "joint"]
"""What a figure shows of the answers: counts over everybody, counts by organisation, or how answers go together."""

MINUS: Final = "\u2212"

_RECONSTRUCTED: Final[dict[Shows, str]] = {
    "totals": "reconstructed to meet the published counts",
    "organisations": (
        "reconstructed to meet the published counts; how these divide between organisations is invented"
    ),
    "joint": (
        "reconstructed to meet the published counts; how answers go together, and how they divide between "
        "organisations, is invented"
    ),
}
_OBSERVED: Final = "observed: real returns"
_SIMULATED: Final = (
    "simulated, that is, invented from stated parameters: this says nothing about the real organisation"
)

_STATUS: Final = {
    Status.NOT_ESTIMABLE.value: "not estimable",
    Status.NOT_CONVERGED.value: "no result: the model did not converge",
    Status.TOO_FEW.value: "too few respondents",
}


def evidence_of(
    presentation: Presentation, waves: Iterable[str], shows: Shows, variables: Sequence[str] = ()
) -> str:
    """Say what the data behind a figure are.

    Parameters
    ----------
    presentation
        The study in words.
    waves
        Waves in the figure.
    shows
        What it shows of them.
    variables
        Grouping variables in it (`organisation` and `items` count as such): weaker evidence of these is named.

    Returns
    -------
    str
        A sentence for each kind of evidence, in the order of the waves; before them, where nothing is observed, that it
        is a demonstration.
    """
    named = list(waves)
    kinds: dict[Evidence, list[str]] = {}
    for name in named:
        kinds.setdefault(presentation.waves[name].evidence, []).append(wave_title(presentation, name))
    meanings = {
        Evidence.OBSERVED: _OBSERVED,
        Evidence.RECONSTRUCTED: _RECONSTRUCTED[shows],
        Evidence.SIMULATED: _SIMULATED,
    }
    sentences = [
        f"{listed(titles)} {'is' if len(titles) == 1 else 'are'} {meanings[kind]}."
        for kind, titles in kinds.items()
    ]
    for name in named:
        weaker: dict[Evidence, list[str]] = {}
        for variable, words in presentation.waves[name].variable_evidence.items():
            if variable in variables and _weaker(words.evidence, presentation.waves[name].evidence):
                weaker.setdefault(words.evidence, []).append(lower(variable_label(presentation, variable)))
        sentences += [
            f"In {wave_title(presentation, name)}, {listed(things)} {'is' if len(things) == 1 else 'are'} {kind.value}."
            for kind, things in weaker.items()
        ]
    if named and Evidence.OBSERVED not in kinds:
        sentences.insert(0, "demonstration data.")
    return " ".join(["Evidence:", *(sentences or ["there are no data."])])


def wave_title(presentation: Presentation, wave: str) -> str:
    """Give a wave's title (its name, if the study does not know it)."""
    words = presentation.waves.get(wave)
    return words.title if words else wave


def organisation_label(presentation: Presentation, organisation: str) -> str:
    """Give an organisation's words; `all` and `not_stated` have theirs."""
    known = {ALL: "All respondents", NOT_STATED: "Organisation not stated"}
    return presentation.organisations.get(organisation, known.get(organisation, organisation))


def variable_label(presentation: Presentation, variable: str) -> str:
    """Give a grouping variable's words."""
    found = presentation.variables.get(variable)
    return found.label if found else variable.replace("_", " ").capitalize()


def pair(contrast: str) -> tuple[str, str] | None:
    """Take a contrast's two sides apart: `later - earlier`; None if it has only one side."""
    first, separator, second = contrast.partition(BETWEEN)
    return (first, second) if separator else None


def absent(status: str) -> str:
    """Say in short why an estimate is not there."""
    return _STATUS.get(status, status.replace("_", " ") or "no result")


def without(missing: Iterable[tuple[str, str, str]], presentation: Presentation) -> str:
    """List what there is no estimate of, by reason.

    Parameters
    ----------
    missing
        (what, reason in short, note of a tidy table); the note's names are put into words.
    presentation
        The study in words.

    Returns
    -------
    str
        A sentence a reason; empty if nothing is missing.
    """
    reasons: dict[str, list[str]] = {}
    for what, reason, note in missing:
        detail = f" ({in_words(note, presentation)})" if note else ""
        reasons.setdefault(reason[:1].upper() + reason[1:] + detail, []).append(what)
    return " ".join(f"{reason}: {'; '.join(dict.fromkeys(things))}." for reason, things in reasons.items())


def in_words(text: str, presentation: Presentation) -> str:
    """Put the names of waves and organisations in a text into words."""
    words = {name: wave.title for name, wave in presentation.waves.items()} | presentation.organisations
    if not words:
        return text
    names = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.sub(rf"\b(?:{names})\b", lambda found: words[found[0]], text)


def no_answers(presentation: Presentation, wave: str, organisation: str, item: str) -> str:
    """Say why a wave has no answers to an item."""
    words = presentation.waves[wave]
    if organisation != ALL and organisation not in words.organisations_surveyed:
        return "not surveyed"
    grade = words.comparability.get(item, Comparability.ABSENT.value)
    if grade == Comparability.ABSENT.value:
        return "not asked"
    if grade == Comparability.RESCALED.value:
        return "asked with other response options"
    return "no answers"


def whole(number: float) -> str:
    """Write a count."""
    return f"{round(number):,}"


def percent(number: float) -> str:
    """Write a percentage, without a decimal; a small one is not called nothing."""
    return "<1%" if 0 < number < 0.5 else f"{number:.0f}%"


def lower(text: str) -> str:
    """Begin a text with a small letter, for the middle of a sentence (not an abbreviation)."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def number(value: float, decimals: int = 1) -> str:
    """Write a number with a real minus sign."""
    return f"{value:.{decimals}f}".replace("-", MINUS)


def _weaker(one: Evidence, other: Evidence) -> bool:
    order = list(Evidence)
    return order.index(one) > order.index(other)
