"""`surveywaves ledger`: what the ledger of releases says to the team, and what a person enters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from surveywaves.disclosure.ledger import VIEWS, Conflict, Entry, Ledger, entry_of, signature
from surveywaves.disclosure.releases import (
    RESPONSES,
    against,
    begin_ledger,
    read_ledger,
    require_apart,
    write_ledger,
)
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin.manifest import RESULTS, Places, read_records, stale
from surveywaves.qualitative.people import everybody
from surveywaves.study import load_study
from surveywaves.study.models import Disclosure

_SHOWN: Final = ("public", "threshold", "rounding", "smallest_group", "smallest_df")


def enter(label: str, places: Places) -> str:
    """Enter what is released now, for a release that goes out without being pinned; say so.

    Raises
    ------
    SurveywavesError
        If nothing is released, it is not of what lies there now, or it cannot stand beside an earlier release.
    """
    rule = _released_under(places)
    if rule.public:
        return f"{label}: the data are public, there is nothing to remember"
    find = everybody(load_study(places.study))
    require_apart(places.folder, rule, find)
    ledger, key = read_ledger(places.folder) or begin_ledger(places.folder)
    people = find(places.folder, key)
    entered = ledger.add(entry_of(label, rule, people, key), people)
    write_ledger(entered, key, places.folder)
    return f"entered: {label}" if entered is not ledger else f"{label} stands there already, as it is now"


def _released_under(places: Places) -> Disclosure:
    """Return the rule that what lies there was released under."""
    tables = sorted((places.folder / RESULTS / "released").glob("*.csv"))
    jobs = read_records(places, [f"{RESULTS}released/{path.name}" for path in tables]).jobs
    release = next((job for job in jobs if job.rule == "release"), None)
    if release is None:
        raise SurveywavesError.at(f"{RESULTS}released", "nothing is released yet", "run snakemake")
    if changed := stale(read_records(places, release.outputs), places):
        raise SurveywavesError(changed)
    return Disclosure.model_validate(release.params["part"]["disclosure"])


def sign(label: str, by: str, reason: str, places: Places) -> str:
    """Sign for what an earlier release conflicts in with the results and the rule of now; say for what.

    Raises
    ------
    SurveywavesError
        If a name or a reason is missing, or there is nothing to sign.
    """
    blank = [
        Mistake(option, "missing", "a person signs, and says why")
        for option, text in (("--by", by), ("--reason", reason))
        if not text.strip()
    ]
    if blank:
        raise SurveywavesError(blank)
    study = load_study(places.study)
    found = against(places.folder, study.config.disclosure, everybody(study))
    signed = signature(found, label, by=by, reason=reason, on=date.today().isoformat())
    ledger, key = read_ledger(places.folder) or begin_ledger(places.folder)
    write_ledger(ledger.sign(signed), key, places.folder)
    waves = ", ".join(one.wave for one in found if one.label == label)
    return f"signed: {label} beside the results of now ({waves}), by {by}: {reason}"


def lines(places: Places) -> Iterator[str]:
    """Print what the ledger holds, and which of it the present results may not join: for the team only."""
    if (known := read_ledger(places.folder)) is None:
        yield "no release is remembered yet: the first pin begins the ledger"
        return
    ledger, _ = known
    for entry in ledger.entries:
        yield _entry(entry, ledger)
    for one in ledger.signatures:
        yield f"signed on {one.on} by {one.by}, for {one.label} and {len(one.pairs)} waves: {one.reason}"
    if not (places.folder / RESPONSES).is_file():
        return
    study = load_study(places.study)
    found = against(places.folder, study.config.disclosure, everybody(study))
    yield "the results of now can stand beside all of them" if not found else "against the results of now:"
    for conflict in found:
        yield f"  {conflict.mistake()}"
        yield from (f"    {line}" for line in _people(conflict))


def _entry(entry: Entry, ledger: Ledger) -> str:
    rule = ", ".join(f"{name} {entry.rule[name]}" for name in _SHOWN if entry.rule.get(name))
    waves = ", ".join(f"{wave} ({ledger.states[name].returns})" for wave, name in entry.waves.items())
    return f"{entry.label}: {waves}; {rule}"


def _people(conflict: Conflict) -> Iterator[str]:
    for (organisation, view), number in conflict.people.items():
        where = f"in {organisation}" if organisation else "in all"
        yield f"{where}: {number} {'person differs' if number == 1 else 'people differ'} {VIEWS[view]}"
