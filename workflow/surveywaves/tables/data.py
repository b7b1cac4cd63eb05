"""About the data: raw files, differences in wording, what is withheld, events; and the publication, audited."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import Any, Final

import pandas as pd

from surveywaves.study.models import Event
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Table, laid_out, numbers
from surveywaves.terms import RECOMPUTED, ROW_COUNTS, Comparability
from surveywaves.words import NONE, Labels, records, whole


def files(file_counts: pd.DataFrame, labels: Labels, *, problems: pd.DataFrame | None = None) -> Table:
    """List the raw files: rows read, kept and set aside, and what was not taken as it stood."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in records(problems) if problems is not None else ():
        about = row.about if printed.count(row).text == "1" else f"{row.about}s"
        words = f"{printed.count(row).text} {about}: {row.problem} ({row.action})"
        told.setdefault((row.wave, row.file), []).append(words)
    said = {key: "; ".join(words) for key, words in told.items()}
    return laid_out(
        "Raw files, and what was not taken from them as it stood",
        records(file_counts),
        [
            ("Wave", lambda row: labels.wave(row.wave)),
            ("File", attrgetter("file")),
            ("Kind", attrgetter("layout")),
            (
                [*map(numbers, ("Rows read", "Kept", "Set aside"))],
                lambda row: [printed.count(row, name) for name in ROW_COUNTS],
            ),
            ("Not taken as it stood", lambda row: said.get((row.wave, row.file), "nothing")),
        ],
        file_counts,
        "# stands for any number." if "#" in "".join([*said.values(), *file_counts["file"]]) else "",
        heads=2,
    )


def disclosure(disclosure_summary: pd.DataFrame, labels: Labels) -> Table:
    """List what was withheld or rounded in the released tables."""
    counts = ("shown", "withheld", "rounded")
    frame = disclosure_summary.astype(dict.fromkeys(counts, "int64"))
    return laid_out(
        "Numbers withheld or rounded to protect respondents",
        records(frame[frame["withheld"] + frame["rounded"] > 0]),
        [
            ("Released table", attrgetter("table")),
            ("Number", lambda row: row.what.replace("_", " ")),
            (
                [numbers(name.capitalize()) for name in counts],
                lambda row: [printed.count(row, name) for name in counts],
            ),
        ],
        frame,
        labels.presentation.protection,
        "Rounded: a count to a multiple, an estimate to fewer digits. Numbers that lost nothing are left out.",
        heads=2,
    )


GRADES: Final = {Comparability.REWORDED: "reworded", Comparability.RESCALED: "other response options"}


def wordings(labels: Labels) -> Table:
    """Put the words of a wave beside those of the instrument, where they differ; what was not asked is counted."""
    study = labels.presentation
    asked = [
        (item.item, name, Comparability(wave.comparability.get(item.item, Comparability.ABSENT)), wave)
        for item in study.items.values()
        for name, wave in study.waves.items()
    ]
    frame = pd.DataFrame(
        [
            (item, name, grade.value, wave.wordings.get(item, ""), wave.notes.get(item, ""))
            for item, name, grade, wave in asked
            if grade in GRADES
        ],
        columns=["item", "wave", "comparability", "wave_wording", "note"],
        dtype="str",
    )
    absent = Counter(labels.wave(name) for _, name, grade, _ in asked if grade is Comparability.ABSENT)
    of = f"{whole(len(study.items))} {study.nouns.statement[1]}"
    return laid_out(
        "Where a wave asked differently",
        records(frame),
        [
            ("Reference wording", lambda row: labels.wording(row.item)),
            ("Wave", lambda row: labels.wave(row.wave)),
            ("Difference", lambda row: GRADES[row.comparability]),
            ("Wording in the wave", lambda row: row.wave_wording or "not given"),
            ("Note", attrgetter("note")),
        ],
        frame,
        *(
            f"{labels.wave(name)} did not ask {whole(absent[labels.wave(name)])} of {of}."
            for name in study.waves
            if absent[labels.wave(name)]
        ),
    )


def events(labels: Labels) -> Table:
    """List the events of a study without interviews; with them, the timeline shows events."""
    events = labels.presentation.events
    return laid_out(
        "Events",
        events,
        [("Date", _date), ("Event", attrgetter("label")), ("Source", attrgetter("source"))],
        pd.DataFrame(
            [(event.when, event.label, event.source) for event in events],
            columns=["date", "event", "source"],
            dtype="str",
        ),
    )


def _date(event: Event) -> str:
    if event.date is None:
        return "not dated"
    form = {"day": "%-d %B %Y", "month": "%B %Y", "year": "%Y"}[event.precision]
    return f"{'about ' if event.approximate else ''}{event.date.strftime(form)}"


# --- the publication ----------------------------------------------------------------------------------------------

VERDICTS: Final = {
    "agrees_when_truncated": "agrees if cut off",
    "agrees_when_summed": "agrees if rounded percentages are added",
}
"""Verdict -> its words; the others are printed as they are."""

FAULTS: Final = ("misprint", "undecided", "contradicted")

BY_DECISION: Final = "; by decision: "
"""Divides what arithmetic says of a printed cell from what a person decided (see `surveywaves.published`)."""


def misprints(published_tables: pd.DataFrame, labels: Labels, *, titles: pd.DataFrame | None = None) -> Table:
    """List every printed cell that cannot be right, and how many were checked."""
    faults = published_tables[published_tables["verdict"].isin(FAULTS)]
    named = {} if titles is None else dict(zip(titles["table"], titles["title"], strict=True))
    places = {
        (str(item.published_table), str(item.published_row)): item.text
        for item in labels.presentation.items.values()
        if item.published_table is not None
    }
    checked, wrong = len(published_tables), len(faults)

    def why(row: Any) -> Cell:
        found, _, decision = row.evidence.partition(BY_DECISION)
        return Cell(found).noted(f"Decided: {decision}" if decision else "")

    return laid_out(
        "Misprints of the publication",
        records(faults),
        [
            (
                labels.presentation.nouns.statement[0].capitalize(),
                lambda row: places.get((row.table, row.row), row.row or NONE),
            ),
            ("Cell", lambda row: ", ".join(filter(None, (row.category.upper(), row.quantity)))),
            (numbers("Printed"), lambda row: _number(row, "printed")),
            (numbers("Should be"), lambda row: _number(row, "settled")),
            bool((faults["verdict"] != "misprint").any()) and ("Verdict", _verdict),
            ("Why", why),
        ],
        _sourced(published_tables, labels),
        f"{whole(checked)} printed cells were checked; {whole(checked - wrong)} agree.",
        heads=2,
        section=lambda row: ": ".join(filter(None, (_table(row.table, labels), named.get(row.table, "")))),
    )


def claims(claims: pd.DataFrame, labels: Labels) -> Table:
    """List every numeric claim that was checked, with its verdict."""

    def where(row: Any) -> str:
        said = (row.table and _table(row.table, labels), row.row and f"row {row.row}", row.categories)
        return ", ".join(filter(None, said)) or NONE

    agree = int((~claims["verdict"].isin(FAULTS)).sum())
    return laid_out(
        "Numeric claims in the text of the publication",
        records(claims),
        [
            ("Page", attrgetter("page")),
            ("Claim", attrgetter("quote")),
            ("From", where),
            (numbers("Printed, %"), lambda row: _number(row, "printed")),
            (numbers("Recomputed, %"), lambda row: _number(row, RECOMPUTED)),
            ("Verdict", _verdict),
            ("Why", attrgetter("evidence")),
        ],
        _sourced(claims, labels),
        f"{whole(agree)} of {whole(len(claims))} claims agree with the recomputed numbers.",
        heads=2,
    )


def _verdict(row: Any) -> Cell:
    return Cell(VERDICTS.get(row.verdict, row.verdict), tone="caution" if row.verdict in FAULTS else "")


def _table(name: str, labels: Labels) -> str:
    """Name a printed table: its number, or the words of the variable that it counts."""
    return f"Table {name}" if name.isdigit() else labels.variable(name)


def _number(row: Any, what: str) -> Cell:
    """Print a number as a publication writes it, or the sign that the recomputed one is withheld."""
    text = str(getattr(row, what))
    if not text:
        return printed.HIDDEN if what == RECOMPUTED and printed.is_withheld(row, what) else printed.NOTHING
    try:
        return Cell(text, float(text))
    except ValueError:
        return Cell(text)


def _sourced(frame: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    weakest = labels.weakest([labels.presentation.published_wave], about=("items",))
    return frame.assign(recomputed_from=weakest.value if weakest else "")
