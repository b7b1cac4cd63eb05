"""Which tables a study publishes, by what there is in it: waves, organisations, scales, statistics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from surveywaves.catalogue import WITHOUT_SCALE, item_groups
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.tidy import ALL

FORMATS: Final = ("html", "docx", "tex", "csv")
"""What each table is written as."""

UNITS: Final = ("linear", "ordinal", "percent_favourable")
"""What contrasts are in: points of the response scale, log odds, percentage points."""


BY_ORGANISATION: Final = "by_organisation"
"""In what a table is about: the organisations apart."""


@dataclass(frozen=True, slots=True)
class Named:
    """A table before it is made.

    Parameters
    ----------
    name
        Name of its files.
    kind
        What makes it: see `surveywaves.tables.publish.sheet`.
    about
        What of it: a variable, a group of items, a term.
    group
        Heading that it stands under in a list.
    """

    name: str
    kind: str
    about: tuple[str, ...] = ()
    group: str = ""

    @property
    def frame(self) -> str:
        """Name of the frame that it is made from."""
        return _FRAME[self.kind]


def named(
    presentation: Presentation, frames: Collection[str], *, printed: Sequence[str] = ()
) -> tuple[Named, ...]:
    """Name the tables of a study, in the order in which they are made.

    Parameters
    ----------
    presentation
        The study in words.
    frames
        Names of the statistics that there are.
    printed
        Variables whose counts an audited publication prints, beside its tables of items.
    """
    made = [
        *_who_answered(presentation),
        *_files(),
        *_answers(presentation),
        *_measures(presentation),
        *_comparisons(presentation),
        *_audit(presentation, printed),
    ]
    return tuple(one for one in made if one.frame in frames)


def same_responses(items: Sequence[Item]) -> list[list[Item]]:
    """Set items with different response options apart: they cannot share a table's columns."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.response_scale, []).append(item)
    return list(found.values())


def items_of(presentation: Presentation, group: str) -> list[Item]:
    """List the items of a scale, or those of none."""
    scale = None if group == WITHOUT_SCALE else group
    return [item for item in presentation.items.values() if item.scale == scale]


_FRAME: Final = {
    "response_rates": "response_rates",
    "respondents": "respondents",
    "missing": "missing",
    "file_counts": "file_counts",
    "problems": "problems",
    "recodings": "recodings",
    "answers": "item_frequencies",
    "favourable": "item_summary",
    "reliability": "reliability",
    "reliability_items": "reliability",
    "scale_use": "scale_use",
    "dif": "dif",
    "means": "means",
    "contrasts": "contrasts",
    "item_contrasts": "item_contrasts",
    "variances": "variances",
    "diagnostics": "diagnostics",
    "sensitivity": "sensitivity",
    "agreement": "agreement",
    "planning": "planning",
    "printed": "published_tables",
    "misprints": "published_tables",
    "claims": "claims",
}
"""Kind of table -> the frame it is made from."""

_QUESTIONS: Final = ("power", "power_adjusted", "power_equivalence", "detectable", "conf_half_width")


def _who_answered(presentation: Presentation) -> Iterator[Named]:
    group = "Who answered"
    yield Named("response_rates", "response_rates", group=group)
    for variable in ("organisation", *presentation.variables):
        yield Named(f"respondents_{variable}", "respondents", (variable,), group)
        if variable != "organisation" and len(presentation.organisations) > 1:
            yield Named(
                f"respondents_{variable}_by_organisation", "respondents", (variable, BY_ORGANISATION), group
            )
    yield Named("missing", "missing", group=group)


def _files() -> Iterator[Named]:
    group = "What became of the raw files"
    yield Named("files", "file_counts", group=group)
    yield Named("files_problems", "problems", group=group)
    yield Named("recodings", "recodings", group=group)


def _answers(presentation: Presentation) -> Iterator[Named]:
    tables = [
        (f"answers_{scale}" + (f"_{number + 1}" if number else ""), (scale, str(number)))
        for scale in item_groups(presentation)
        for number, _ in enumerate(same_responses(items_of(presentation, scale)))
    ]
    for name, about in tables:
        yield Named(name, "answers", about, "Answers to every statement")
    group = "Answers by organisation"
    if len(presentation.organisations) > 1:
        for name, about in tables:
            yield Named(f"{name}_{BY_ORGANISATION}", "answers", (*about, BY_ORGANISATION), group)
    yield Named("favourable", "favourable", group=group)


def _measures(presentation: Presentation) -> Iterator[Named]:
    group = "How good the measures are"
    if not presentation.scales:
        return
    organisations = tuple(presentation.organisations) if len(presentation.organisations) > 1 else ()
    for organisation in (ALL, *organisations):
        name = "reliability" if organisation == ALL else f"reliability_{organisation}"
        yield Named(name, "reliability", (organisation,), group)
    yield Named("reliability_items", "reliability_items", group=group)
    yield Named("scale_use", "scale_use", group=group)
    for between, number in (("wave", len(presentation.waves)), ("organisation", len(organisations))):
        if number > 1:
            yield Named(f"dif_{between}", "dif", (between,), group)


def _comparisons(presentation: Presentation) -> Iterator[Named]:
    means, models = "Means and contrasts", "The models"
    if not presentation.scales:
        return
    for unit in UNITS:
        yield Named(f"means_{unit}", "means", (unit,), means)
    waves, organisations = len(presentation.waves) > 1, len(presentation.organisations) > 1
    terms = [
        *(["change"] if waves else []),
        *(["gap"] if organisations else []),
        *(["difference_in_differences"] if waves and organisations else []),
    ]
    for kind, units in (("contrasts", UNITS), ("item_contrasts", UNITS[1:])):
        prefix = "item_" if kind == "item_contrasts" else ""
        for term in terms:
            for unit in units:
                yield Named(f"{prefix}{term}_{unit}", kind, (term, unit), means)
    for term in terms:
        yield Named(f"sensitivity_{term}", "sensitivity", (term,), "Other choices of analysis")
    if terms:
        yield Named("agreement", "agreement", group="Other choices of analysis")
    for unit in UNITS[:2]:
        yield Named(f"variances_{unit}", "variances", (unit,), models)
    yield Named("diagnostics", "diagnostics", ("linear",), models)
    for question in _QUESTIONS:
        yield Named(f"planning_{question}", "planning", (question,), "The next wave")


def _audit(presentation: Presentation, printed: Sequence[str]) -> Iterator[Named]:
    group = "The publication, audited"
    numbers = {item.published_table for item in presentation.items.values()} - {None}
    for table in (*printed, *(str(number) for number in sorted(filter(None, numbers)))):
        yield Named(f"printed_{table}", "printed", (table,), group)
    yield Named("misprints", "misprints", group=group)
    yield Named("claims", "claims", group=group)
