"""From a number back to the raw files: the jobs behind it, what each read of it, and the settings it was given.

Everything comes from the records that jobs leave (`results/logs`), or from those that a pin keeps: what is told is how
the number was made, not how it would be made now.

Jobs get to know parts of the study, each as plain data (see `surveywaves.study.parts`). The tables here say of every
place in these parts which file of the study's folder it comes from, and which key or column there. A place that they
do not know is an error of theirs: tests hold them against the records of real runs and against the models.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final

from surveywaves.pin.manifest import Hashes, Job, flat
from surveywaves.study.models import Layout
from surveywaves.study.parts import FOR_HARMONISING
from surveywaves.study.settings import Analysis
from surveywaves.text import listed

CONFIG: Final = "config/config.yaml"
ITEMS: Final = "config/items.tsv"
SCALES: Final = "config/scales.tsv"
EVENTS: Final = "config/events.tsv"
CODED: Final = "config/qualitative.yaml"
CODES: Final = "config/codes.tsv"
THEMES: Final = "config/themes.tsv"

_WAVE: Final = "config/waves/<wave>/wave.yaml"
_CROSSWALK: Final = "config/waves/<wave>/items.tsv"

Origins = Mapping[str, tuple[str, ...]]
"""Place -> `file: key` of all that it comes from; none: the workflow sets it.

In a place `<wave>` and the like stand for one name, which may come again in what it comes from, and `**` for all that
is below; in a key `**` is what it was in the place.
"""

_FIXED: Final[tuple[str, ...]] = ()


def _named(file: str, *names: str, key: str = "") -> dict[str, tuple[str, ...]]:
    """Say of places that they come from the key of their own name in a file, below another key if there is one."""
    return {name: (f"{file}: {key}{name}",) for name in names}


def _from(names: Iterable[str], *keys: str) -> dict[str, tuple[str, ...]]:
    """Say of places that they come from the same keys."""
    return dict.fromkeys(names, keys)


_ITEM_KEYS: Final = {
    **_named(ITEMS, "item", "text", "section", "scale", "keyed", "response_scale"),
    **_named(ITEMS, "published_table", "published_row"),
    "key": (f"{ITEMS}: keyed",),
    **_from(("points", "favourable.**"), f"{ITEMS}: response_scale", f"{CONFIG}: response_scales"),
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
        **_named(file, "codings.**", "organisation.**", "variables.**"),
        "crosswalk": (f"{crosswalk}: item",),
        **_under("crosswalk.<item>", _named(crosswalk, "item", "coding", "comparability")),
        "crosswalk.<item>.columns": (f"{crosswalk}: columns of the layouts",),
        "crosswalk.<item>.columns.**": (f"{crosswalk}: **",),
        **_from(("crosswalk.<item>.wording", "crosswalk.<item>.note")),
        "files.**": (f"{file}: files",),
        "routing.**": (f"{file}: routing",),
        "known_variables.**": (f"{CONFIG}: variables",),
        "items": (f"{ITEMS}: item",),
        "items.<item>": (f"{ITEMS}: response_scale",),
    }


_WORDS_OF_A_WAVE: Final = {
    **_named(_WAVE, "title", "period", "population.**", "evidence", "evidence_note", "variable_evidence.**"),
    **_named(_WAVE, "start", "end", key="fieldwork."),
    "organisations_surveyed.**": (f"{_WAVE}: organisations_surveyed",),
    **_from(("comparability", "comparability.<item>"), f"{_CROSSWALK}: comparability"),
    **_from(("wordings", "wordings.<item>"), f"{_CROSSWALK}: wording"),
    "notes": (f"{_CROSSWALK}: note",),
    "notes.<item>": (f"{_CROSSWALK}: note", f"{_WAVE}: routing"),
}
"""`WaveWords`."""

_WORDS: Final[Origins] = {
    **_named(CONFIG, "title", "description", "reference_wave", "organisations.**", "variables.**", "waves"),
    **_named(CONFIG, "sections.**", "frameworks.**", "response_scales.**"),
    "nouns.**": (f"{CONFIG}: words.**",),
    **_under("waves.<wave>", _WORDS_OF_A_WAVE),
    "scales": (f"{SCALES}: scale",),
    "scales.<scale>.frameworks": (f"{SCALES}: scale", f"{CONFIG}: frameworks"),
    "scales.<scale>.frameworks.**": (f"{SCALES}: **",),
    **_under("scales.<scale>", _named(SCALES, "scale", "title", "source", "min_answered", "standardise")),
    "items": (f"{ITEMS}: item",),
    **_under("items.<item>", _ITEM_KEYS),
    "events": (EVENTS,),
    **_under("events.<event>", _named(EVENTS, "date", "label", "source")),
    **_under("events.<event>", _from(("precision", "approximate"), f"{EVENTS}: date")),
    "qualitative.**": (f"{CODED}: **",),
    "qualitative.themes.**": (f"{THEMES}: **",),
    "citation": (f"{CONFIG}: published.citation",),
    "published_wave": (f"{CONFIG}: published.wave",),
    **_named(CONFIG, "confidence", "covariates", "min_cell", "weighted", "robust", key="analysis."),
    **_named(CONFIG, "multiplicity", "item_multiplicity", "planning", key="analysis."),
    **_named(CONFIG, "planning.wave", "planning.reference", "planning.power", key="analysis."),
    **_named(CONFIG, "threshold", "rounding", "public", key="disclosure."),
    "planning.title": (f"{CONFIG}: analysis.planning.wave",),
    "planning.smallest": (f"{CONFIG}: analysis.smallest_effect.standardised",),
    "style.**": (f"{CONFIG}: figures.**",),
}
"""`Presentation`, and what of it other parts take over."""

_SHARES: Final = (f"{CONFIG}: analysis.shares", "config/waves/*/wave.yaml: population.margins")
"""What weights organisations to all staff: what the study states, or else the reference wave's population."""

_STATISTICS: Final[Origins] = {
    "instrument": (f"{ITEMS}: item",),
    **_under("instrument.<item>", _ITEM_KEYS),
    **_under("sample", _named(CONFIG, "waves", "organisations")),
    **_under("sample", _named(CONFIG, "covariates", "team", "smallest_overlap", key="analysis.")),
    "sample.weight": (f"{CONFIG}: analysis.weighted",),
    "sample.against": (f"{CONFIG}: analysis.comparisons", f"{CONFIG}: organisations"),
    "sample.smallest_of_all": (f"{CONFIG}: analysis.min_cell", f"{CONFIG}: disclosure.smallest_group"),
    "sample.shares.**": _SHARES,
    "sample.shares_note": (*_SHARES, f"{CONFIG}: reference_wave"),
    "sample.reference": (f"{CONFIG}: reference_wave",),
    **_named(
        CONFIG, *(part for name in Analysis.model_fields for part in (name, f"{name}.**")), key="analysis."
    ),
}
"""What most of the stages of the analysis are given."""

_SHOWING: Final[Origins] = {
    **_under("presentation", _WORDS),
    "evidence.<wave>": (f"{_WAVE}: evidence",),
    "tables": (f"{CONFIG}: published", f"{CONFIG}: analysis.planning"),
}
"""What figures, tables and report are given."""

_PUBLICATION: Final[Origins] = {
    "wave": (f"{CONFIG}: published.wave",),
    "categories.**": (f"{CONFIG}: published.categories.**",),
    "cells": (f"{ITEMS}: published_table",),
    **_under("cells.<item>", _PRINTED),
    "single_choice": (f"{CONFIG}: published.single_choice",),
    "single_choice.organisation.**": (f"{CONFIG}: published.single_choice", f"{CONFIG}: organisations.**"),
    "single_choice.<variable>.**": (
        f"{CONFIG}: published.single_choice",
        f"{CONFIG}: variables.<variable>.levels.**",
    ),
}
"""`PublicationPart`."""

RULES: Final[Mapping[str, Origins]] = {
    "settle": _under("part", _named(CONFIG, "returns", "categories", "single_choice", key="published.")),
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
    "describe": _under(
        "part",
        {
            **_STATISTICS,
            **_from(("surveyed", "populations", "approximate"), f"{CONFIG}: waves"),
            "surveyed.<wave>.**": (f"{_WAVE}: organisations_surveyed",),
            "variables": (f"{CONFIG}: variables",),
            "variables.<variable>": (f"{CONFIG}: variables.<variable>.levels",),
            "populations.<wave>": (f"{_WAVE}: population.size",),
            "approximate.<wave>": (f"{_WAVE}: population.approximate", f"{_WAVE}: population.between"),
            "weighted": (f"{CONFIG}: waves", "config/waves/*/wave.yaml: layouts"),
        },
    ),
    "measure": _under(
        "part",
        {
            **_STATISTICS,
            "functioning_min_n": (f"{CONFIG}: analysis.functioning.min_n",),
            "seed": (f"{CONFIG}: seed",),
        },
    ),
    "compare": _under("part", _STATISTICS),
    "crosscheck": _under("part", _STATISTICS),
    "plan": _under(
        "part",
        {
            **_STATISTICS,
            "sample.waves": (f"{CONFIG}: analysis.planning.reference",),
            "planned": (f"{CONFIG}: analysis.planning.wave",),
            **_named(CONFIG, "returns", "power", key="analysis.planning."),
            "smallest": (f"{CONFIG}: analysis.smallest_effect.standardised",),
            "population": ("config/waves/*/wave.yaml: population.size",),
        },
    ),
    "sensitivity": _under(
        "part",
        {
            **_STATISTICS,
            "min_answered": (f"{SCALES}: scale",),
            "min_answered.<scale>": (f"{SCALES}: min_answered",),
            **_from(("margins", "populations", "reworded"), f"{CONFIG}: waves"),
            "margins.<wave>.**": (f"{_WAVE}: population.margins.**",),
            "populations.<wave>": (f"{_WAVE}: population.size",),
            "reworded.<wave>.**": (f"{_CROSSWALK}: comparability",),
            "seed": (f"{CONFIG}: seed",),
            "labels": (f"{CONFIG}: variables",),
            "labels.<variable>": (f"{CONFIG}: variables.<variable>.label",),
        },
    ),
    "audit": _under("part", _PUBLICATION),
    "qualitative": {
        **_under("presentation", _WORDS),
        "evidence.<wave>": (f"{_WAVE}: evidence",),
        "evidence.interviews": (f"{CODED}: evidence",),
        "figures.**": _FIXED,
        **_under(
            "part",
            {
                "file.**": (f"{CODED}: **",),
                "codes.**": (f"{CODES}: **",),
                "themes.**": (f"{THEMES}: **",),
                **_named(CONFIG, "organisations.**", "waves", "disclosure.**", "seed"),
                "principles.**": (f"{CONFIG}: frameworks", f"{SCALES}: frameworks", f"{THEMES}: frameworks"),
                "confidence": (f"{CONFIG}: analysis.confidence",),
            },
        ),
    },
    "release": {
        "tables": (f"{CONFIG}: published", f"{CONFIG}: analysis.planning"),
        **_under(
            "part",
            {
                **_STATISTICS,
                **_under("harmonised.<wave>", _harmonising(_WAVE, _CROSSWALK)),
                "margins": (f"{CONFIG}: waves",),
                "margins.<wave>.**": (f"{_WAVE}: population.margins.**",),
                "disclosure.**": (f"{CONFIG}: disclosure.**",),
                "labels": tuple(
                    f"{CONFIG}: {key}" for key in ("response_scales", "organisations", "variables")
                ),
                "variables": (f"{CONFIG}: variables",),
                "variables.<variable>": (f"{CONFIG}: variables.<variable>.label",),
                **_under("comparing", _STATISTICS),
                "publication": (f"{CONFIG}: published",),
                **_under("publication", _PUBLICATION),
            },
        ),
    },
    "checklist": {"figures.**": _FIXED, "disclosure.**": (f"{CONFIG}: disclosure.**",)},
    "figures": _SHOWING,
    "tables": {
        **_SHOWING,
        "printed": (f"{CONFIG}: published.single_choice",),
    },
    "sheets": _SHOWING,
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


def part_of(job: Job) -> Mapping[str, Any]:
    """Give the part of the study that a job was told; empty if it was told none."""
    part = job.params.get("part")
    return part if isinstance(part, Mapping) else {}


def _own_wave(job: Job) -> str:
    """Give the wave that a job is about: that of its wildcard, or else of its part."""
    return job.wildcards.get("wave") or str(part_of(job).get("wave", ""))


def unknown(job: Job) -> Iterator[str]:
    """Yield the places in a job's params that the tables of this module do not know."""
    for place in settings(job):
        if origins(job, place) is None:
            yield place


RELEASED: Final = "results/released/"

_SAME_NAME: Final = ("release",)
"""Rules that make each of their tables from the one of the same name; the others have a say in what is withheld."""

_FROM_FILES: Final = {"file_counts": ".counts.tsv", "problems": ".problems.tsv", "recodings": ""}
"""Tables that the release makes from other files -> how the names of these end; "": from what it is told alone."""

_SHOWING_RULES: Final = ("figures", "tables", "sheets", "report")
"""Rules that show released tables: what is shown depends on those it draws."""

_READING: Final = "ingest"
"""Rule that reads raw files."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that a job was given.

    Parameters
    ----------
    place
        Where it stands in the job's params.
    keys
        `file: key` of all that it comes from; empty: the workflow sets it. None: not known.
    words
        Whether it says only how numbers are put into words and pictures.
    """

    place: str
    value: Any
    keys: tuple[str, ...] | None
    words: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A job behind a number.

    Parameters
    ----------
    reads
        Of what the job read, the files that the number comes from.
    settings
        What it was given; of the waves that the number is not about, nothing.
    notes
        What the job read besides, and why that is not followed.
    """

    job: Job
    reads: Hashes
    settings: tuple[Setting, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawFile:
    """A raw file of a wave."""

    path: str
    sha256: str
    wave: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """All that is behind a number.

    Parameters
    ----------
    steps
        From the number back.
    raw
        The waves' raw files.
    given
        Other files that no job made: printed tables, the report's templates.
    waves
        The waves that the number is about, or that its models are fitted to.
    joint
        Whether it comes from models over all waves.
    """

    steps: tuple[Step, ...]
    raw: tuple[RawFile, ...]
    given: Hashes
    waves: tuple[str, ...]
    joint: bool
    evidence: Mapping[str, str] = field(default_factory=dict)
    """Wave -> what its data are, as its harmonisation was told."""


def lineage(
    jobs: Sequence[Job], target: str, *, tables: Collection[str] = (), waves: Collection[str] | None = None
) -> Lineage:
    """Follow a file back to the raw files.

    Parameters
    ----------
    jobs
        The records, each after those whose outputs it reads.
    target
        The file that the number stands in.
    tables
        Released tables that it comes from, where the target shows several.
    waves
        Waves that the number is about alone; None: it comes from models over all of them.
    """
    makers = {path: job for job in jobs for path in job.outputs}
    everyone = _waves(jobs)
    followed: dict[str, dict[str, str]] = {}
    notes: dict[str, list[str]] = {}
    wanted: dict[str, set[str]] = {}
    given: Hashes = {}
    if target in makers:
        wanted[makers[target].name] = {target}
    for job in reversed(jobs):
        if job.name not in wanted:
            continue
        ways, said = _ways(job, wanted[job.name], makers, tables=tables, waves=waves)
        followed[job.name] = {path: job.inputs[path] for path in ways}
        notes[job.name] = said
        for path in ways:
            if path in makers:
                wanted.setdefault(makers[path].name, set()).add(path)
            else:
                given[path] = job.inputs[path]
    behind = [job for job in reversed(jobs) if job.name in followed]
    others = [wave for wave in everyone if waves is not None and wave not in waves]
    steps = tuple(
        Step(job, followed[job.name], tuple(_settings(job, others)), tuple(notes[job.name])) for job in behind
    )
    raw = tuple(_raw(behind, followed))
    return Lineage(
        steps=steps,
        raw=raw,
        given={path: hash_ for path, hash_ in sorted(given.items()) if path not in {one.path for one in raw}},
        waves=tuple(wave for wave in everyone if wave not in others),
        joint=waves is None,
        evidence={
            job.wildcards["wave"]: part_of(job)["evidence"]
            for job in reversed(behind)
            if "evidence" in part_of(job) and "wave" in job.wildcards
        },
    )


def _waves(jobs: Sequence[Job]) -> list[str]:
    """List the waves that there are jobs for, in the order of the study where a job was told it."""
    found = dict.fromkeys(job.wildcards["wave"] for job in jobs if "wave" in job.wildcards)
    told: list[str] = max((_sampled(job) for job in jobs), key=len, default=[])
    return [*(wave for wave in told if wave in found), *(wave for wave in found if wave not in told)]


def _sampled(job: Job) -> list[str]:
    """List the waves of the sample that a job analysed; none if it analysed none."""
    return list(part_of(job).get("sample", {}).get("waves", []))


def _ways(
    job: Job,
    outputs: Collection[str],
    makers: Mapping[str, Job],
    *,
    tables: Collection[str],
    waves: Collection[str] | None,
) -> tuple[list[str], list[str]]:
    """Say which of a job's inputs a number comes from, and what is to be said of the others."""
    ways, notes = list(job.inputs), []
    if job.rule in _SAME_NAME:
        names = {PurePosixPath(path).stem for path in outputs}
        same = [path for path in ways if _made_into(path, names)]
        if same or names & _FROM_FILES.keys():
            ways = same
            notes.append(
                f"what is withheld is decided over all {len(job.inputs)} files that it reads; the number comes from "
                f"{listed(same) or 'its settings'}"
            )
    elif job.rule in _SHOWING_RULES and tables:
        ways = [
            path for path in ways if path.startswith(RELEASED) and PurePosixPath(path).stem in set(tables)
        ]
        notes.append(f"shows other things from the other {len(job.inputs) - len(ways)} files that it reads")
    if waves is not None:
        apart = [
            path for path in ways if path in makers and _other(makers[path].wildcards.get("wave"), waves)
        ]
        if apart:
            ways = [path for path in ways if path not in apart]
            others = dict.fromkeys(makers[path].wildcards["wave"] for path in apart)
            notes.append(
                f"puts all waves under each other; this number uses the rows of {listed(list(waves))} only, "
                f"none of {listed(list(others))}"
            )
    return ways, notes


def _made_into(path: str, tables: Collection[str]) -> bool:
    """Say whether an input of the release is what one of some tables is made from."""
    name = PurePosixPath(path)
    ends = tuple(end for table in tables if (end := _FROM_FILES.get(table)))
    pooled = name.parent.name == "pooled"  # what respondents said, whom the release holds against the ledger
    return (name.stem in tables and not pooled) or (bool(ends) and name.name.endswith(ends))


def _other(wave: str | None, waves: Collection[str]) -> bool:
    return wave is not None and wave not in waves


def _settings(job: Job, others: Collection[str]) -> Iterator[Setting]:
    """Yield a job's settings, without those of other waves than the number is about."""
    for place, value in settings(job).items():
        if set(place.split(".")) & set(others):
            continue
        yield Setting(place, value, origins(job, place), place.startswith(WORDS_ONLY))


def _raw(behind: Sequence[Job], followed: Mapping[str, Mapping[str, str]]) -> Iterator[RawFile]:
    """Yield the raw files: what is read where the waves come in."""
    for job in reversed(behind):
        if job.rule == _READING:
            for path, hash_ in followed[job.name].items():
                yield RawFile(path, hash_, job.wildcards.get("wave", ""))
