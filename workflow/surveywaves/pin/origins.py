"""Where each setting of a job stands in the configuration: from the params of its record back to a file and its key.

Jobs get to know parts of the study, each as plain data (see `surveywaves.study.parts`). The tables here say of every
place in these parts which file of the study's folder it comes from, and which key or column there. A place that they
do not know is an error of theirs: tests hold them against the records of real runs and against the models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from surveywaves.pin.flat import flat
from surveywaves.pin.manifest import Job
from surveywaves.study.models import Layout
from surveywaves.study.parts import FOR_HARMONISING

CONFIG: Final = "config/config.yaml"
ITEMS: Final = "config/items.tsv"
SCALES: Final = "config/scales.tsv"
EVENTS: Final = "config/events.tsv"

_WAVE: Final = "config/waves/<wave>/wave.yaml"
_CROSSWALK: Final = "config/waves/<wave>/items.tsv"

Origins = Mapping[str, tuple[str, ...]]
"""Place -> `file: key` of all that it comes from; none: the workflow sets it.

In a place `<wave>` and the like stand for one name, which may come again in what it comes from, and `**` for all that
is below; in a key `**` is what it was in the place.
"""

_FIXED: Final[tuple[str, ...]] = ()
_ITEM_KEYS: Final = {
    "item": (f"{ITEMS}: item",),
    "text": (f"{ITEMS}: text",),
    "section": (f"{ITEMS}: section",),
    "scale": (f"{ITEMS}: scale",),
    "keyed": (f"{ITEMS}: keyed",),
    "key": (f"{ITEMS}: keyed",),
    "response_scale": (f"{ITEMS}: response_scale",),
    "points": (f"{ITEMS}: response_scale", f"{CONFIG}: response_scales"),
    "favourable.**": (f"{ITEMS}: response_scale", f"{CONFIG}: response_scales"),
    "published_table": (f"{ITEMS}: published_table",),
    "published_row": (f"{ITEMS}: published_row",),
}
"""What a job knows of an item."""

_PRINTED: Final = {
    "item": (f"{ITEMS}: published_table", f"{ITEMS}: published_row"),
    "table": (f"{ITEMS}: published_table",),
    "row": (f"{ITEMS}: published_row",),
}
"""What a job knows of a printed cell."""


def _under(place: str, origins: Origins) -> dict[str, tuple[str, ...]]:
    return {f"{place}.{name}": keys for name, keys in origins.items()}


def _layouts(file: str, *, without: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Say where layouts come from; keys that a part leaves out stand in it as if nobody had written them."""
    return {
        "layouts.**": (f"{file}: layouts.**",),
        **{f"layouts.<layout>.{name}.**": _FIXED for name in without},
    }


def _harmonising(file: str, crosswalk: str) -> dict[str, tuple[str, ...]]:
    """Say where the fields of a `HarmonisingPart` come from."""
    return {
        "wave": (f"{CONFIG}: waves",),
        "evidence": (f"{file}: evidence",),
        **_layouts(file, without=Layout.model_fields.keys() - FOR_HARMONISING - {"format"}),
        "codings.**": (f"{file}: codings.**",),
        "crosswalk": (f"{crosswalk}: item",),
        "crosswalk.<item>.item": (f"{crosswalk}: item",),
        "crosswalk.<item>.columns": (f"{crosswalk}: columns of the layouts",),
        "crosswalk.<item>.columns.**": (f"{crosswalk}: **",),
        "crosswalk.<item>.coding": (f"{crosswalk}: coding",),
        "crosswalk.<item>.comparability": (f"{crosswalk}: comparability",),
        "crosswalk.<item>.wording": _FIXED,
        "crosswalk.<item>.note": _FIXED,
        "organisation.**": (f"{file}: organisation.**",),
        "variables.**": (f"{file}: variables.**",),
        "known_variables.**": (f"{CONFIG}: variables",),
        "items": (f"{ITEMS}: item",),
        "items.<item>": (f"{ITEMS}: response_scale",),
    }


_WORDS_OF_A_WAVE: Final = {
    "title": (f"{_WAVE}: title",),
    "period": (f"{_WAVE}: period",),
    "start": (f"{_WAVE}: fieldwork.start",),
    "end": (f"{_WAVE}: fieldwork.end",),
    "population.**": (f"{_WAVE}: population.**",),
    "evidence": (f"{_WAVE}: evidence",),
    "evidence_note": (f"{_WAVE}: evidence_note",),
    "variable_evidence.**": (f"{_WAVE}: variable_evidence.**",),
    "organisations_surveyed.**": (f"{_WAVE}: organisations_surveyed",),
    "comparability": (f"{_CROSSWALK}: comparability",),
    "comparability.<item>": (f"{_CROSSWALK}: comparability",),
    "wordings": (f"{_CROSSWALK}: wording",),
    "wordings.<item>": (f"{_CROSSWALK}: wording",),
    "notes": (f"{_CROSSWALK}: note",),
    "notes.<item>": (f"{_CROSSWALK}: note",),
}
"""`WaveWords`."""

_WORDS: Final[Origins] = {
    **{
        name: (f"{CONFIG}: {name}",)
        for name in (
            *("title", "description", "reference_wave", "organisations.**", "variables.**", "sections.**"),
            *("frameworks.**", "response_scales.**"),
        )
    },
    "waves": (f"{CONFIG}: waves",),
    **_under("waves.<wave>", _WORDS_OF_A_WAVE),
    "scales": (f"{SCALES}: scale",),
    "scales.<scale>.frameworks": (f"{SCALES}: scale", f"{CONFIG}: frameworks"),
    "scales.<scale>.frameworks.**": (f"{SCALES}: **",),
    **{f"scales.<scale>.{name}": (f"{SCALES}: {name}",) for name in ("scale", "title", "source")},
    "scales.<scale>.min_answered": (f"{SCALES}: min_answered",),
    "items": (f"{ITEMS}: item",),
    **_under("items.<item>", _ITEM_KEYS),
    "events": (EVENTS,),
    **{f"events.<event>.{name}": (f"{EVENTS}: {name}",) for name in ("date", "label", "source")},
    "citation": (f"{CONFIG}: published.citation",),
    "published_wave": (f"{CONFIG}: published.wave",),
    "confidence": (f"{CONFIG}: analysis.confidence",),
    "covariates.**": (f"{CONFIG}: analysis.covariates",),
    "min_cell": (f"{CONFIG}: analysis.min_cell",),
    "threshold": (f"{CONFIG}: disclosure.threshold",),
    "rounding": (f"{CONFIG}: disclosure.rounding",),
    "planning": (f"{CONFIG}: analysis.planning",),
    "planning.wave": (f"{CONFIG}: analysis.planning.wave",),
    "planning.title": (f"{CONFIG}: analysis.planning.wave",),
    "planning.reference": (f"{CONFIG}: analysis.planning.reference",),
    "planning.power": (f"{CONFIG}: analysis.planning.power",),
    "planning.smallest": (f"{CONFIG}: analysis.smallest_effect.standardised",),
    "style.**": (f"{CONFIG}: figures.**",),
}
"""`Presentation`, and what of it other parts take over."""

_ANALYSIS: Final[Origins] = {
    "analysis.**": (f"{CONFIG}: analysis.**",),
    "instrument": (f"{ITEMS}: item",),
    **_under("instrument.<item>", _ITEM_KEYS),
    "waves": (f"{CONFIG}: waves",),
    "organisations": (f"{CONFIG}: organisations",),
    "confidence": (f"{CONFIG}: analysis.confidence",),
}
"""What most of the stages of the analysis are given."""

_SHOWING: Final[Origins] = {
    **_under("presentation", _WORDS),
    "evidence.<wave>": (f"{_WAVE}: evidence",),
    "tables": (f"{CONFIG}: published", f"{CONFIG}: analysis.planning"),
}
"""What figures, tables and report are given."""

_CHOICES: Final[Origins] = {
    "organisation.**": (f"{CONFIG}: published.single_choice", f"{CONFIG}: organisations.**"),
    "<variable>.**": (f"{CONFIG}: published.single_choice", f"{CONFIG}: variables.<variable>.levels.**"),
}
"""Labels of the variables whose counts are printed."""

RULES: Final[Mapping[str, Origins]] = {
    "settle": {
        "returns": (f"{CONFIG}: published.returns",),
        "categories": (f"{CONFIG}: published.categories",),
        "single_choice": (f"{CONFIG}: published.single_choice",),
    },
    "ingest": {
        "part.wave": (f"{CONFIG}: waves",),
        "part.files.**": (f"{_WAVE}: files",),
        **_under("part", _layouts(_WAVE, without=FOR_HARMONISING)),
    },
    "harmonise": _under("part", _harmonising(_WAVE, _CROSSWALK)),
    "pool": {},
    "codebook": {
        **_under("presentation", _WORDS),
        **_under("parts.<wave>", _harmonising(_WAVE, _CROSSWALK)),
    },
    "export": _under("part", _WORDS),
    "describe": {
        **_ANALYSIS,
        "organisations.<wave>.**": (f"{_WAVE}: organisations_surveyed",),
        "variables": (f"{CONFIG}: variables",),
        "variables.<variable>": (f"{CONFIG}: variables.<variable>.levels",),
        "populations.<wave>": (f"{_WAVE}: population.size",),
        "approximate": ("config/waves/*/wave.yaml: population.approximate",),
    },
    "measure": {
        **_ANALYSIS,
        "min_cell": (f"{CONFIG}: analysis.min_cell",),
        "scale_use.**": (f"{CONFIG}: analysis.scale_use.**",),
        "functioning_min_n": (f"{CONFIG}: analysis.functioning.min_n",),
        "seed": (f"{CONFIG}: seed",),
    },
    "compare": _ANALYSIS,
    "plan": {
        **_ANALYSIS,
        "planning.**": (f"{CONFIG}: analysis.planning.**",),
        "population": ("config/waves/*/wave.yaml: population.size",),
    },
    "sensitivity": {
        **_ANALYSIS,
        "min_answered.<scale>": (f"{SCALES}: min_answered",),
        "margins.<wave>.**": (f"{_WAVE}: population.margins.**",),
        "labels": (f"{CONFIG}: variables",),
        "labels.<variable>": (f"{CONFIG}: variables.<variable>.label",),
    },
    "audit": {
        "wave": (f"{CONFIG}: published.wave",),
        "categories.**": (f"{CONFIG}: published.categories.**",),
        "cells": (f"{ITEMS}: published_table",),
        **_under("cells.<item>", _PRINTED),
        "single_choice": (f"{CONFIG}: published.single_choice",),
        **_under("single_choice", _CHOICES),
    },
    "release": {
        **_ANALYSIS,
        "tables": (f"{CONFIG}: published", f"{CONFIG}: analysis.planning"),
        **_under("parts.<wave>", _harmonising(_WAVE, _CROSSWALK)),
        "weighted": (f"{CONFIG}: analysis.weighted",),
        "margins.<wave>.**": (f"{_WAVE}: population.margins.**",),
        "disclosure.**": (f"{CONFIG}: disclosure.**",),
        "publication": (f"{CONFIG}: published",),
        "publication.wave": (f"{CONFIG}: published.wave",),
        "publication.categories": (f"{CONFIG}: published.categories",),
        "publication.cells": (f"{ITEMS}: published_table",),
        **_under("publication.cells.<item>", _PRINTED),
        "publication.choices": (f"{CONFIG}: published.single_choice",),
        **_under("publication.choices", _CHOICES),
    },
    "figures": _SHOWING,
    "tables": {
        **_SHOWING,
        "printed": (f"{CONFIG}: published.single_choice",),
    },
    "report": {**_SHOWING, "published_wave": (f"{CONFIG}: published.wave",)},
    "configuration": {"study.**": ("config/: everything",)},
}
"""Rule -> where its params come from."""

WORDS_ONLY: Final = ("presentation.", "evidence.")
"""Places of settings that put numbers into words and pictures, and change none."""


def settings(job: Job) -> dict[str, Any]:
    """Give every setting that a job was given: place in its params -> value."""
    return flat(job.params) if job.params else {}


def origins(job: Job, place: str) -> tuple[str, ...] | None:
    """Name what a setting of a job comes from.

    Returns
    -------
    tuple of str
        `file: key` each, as in `config/config.yaml: analysis.min_cell`; none: the workflow sets it, whatever the
        study. None: the tables of this module do not know the place.
    """
    for pattern, keys in _patterns(job.rule):
        if found := pattern.fullmatch(place):
            known = {"wave": _own_wave(job), **{k: v for k, v in found.groupdict().items() if v is not None}}
            return tuple(dict.fromkeys(_filled(key, known) for key in keys))
    return None


@cache
def _patterns(rule: str) -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """Compile the places of a rule, the most particular first."""
    listed = RULES.get(rule, {})
    order = sorted(
        listed,
        key=lambda place: (-place.removesuffix(".**").count("."), place.count("<") + 2 * place.count("**")),
    )
    return tuple((re.compile(_pattern(place)), listed[place]) for place in order)


def _pattern(place: str) -> str:
    """Turn a place into a regular expression; what stands for one name is a group of that name."""
    text = re.escape(place.removesuffix(".**"))
    text = re.sub(r"<(\w+)>", r"(?P<\1>[^.]+)", text)
    return rf"{text}(?:\.(?P<rest>.+))?" if place.endswith(".**") else text


def _filled(key: str, known: Mapping[str, str]) -> str:
    key = re.sub(r"<(\w+)>", lambda found: known.get(found[1], found[0]), key)
    if key.endswith("**"):
        key = key.removesuffix("**") + known.get("rest", "")
        return key.rstrip(". :") if key.endswith((".", ": ")) else key
    return key


def _own_wave(job: Job) -> str:
    """Give the wave that a job is about: that of its wildcard, or else of its part."""
    part = job.params.get("part")
    return job.wildcards.get("wave") or (str(part.get("wave", "")) if isinstance(part, Mapping) else "")


def unknown(job: Job) -> Iterator[str]:
    """Yield the places in a job's params that the tables of this module do not know."""
    for place in settings(job):
        if origins(job, place) is None:
            yield place
