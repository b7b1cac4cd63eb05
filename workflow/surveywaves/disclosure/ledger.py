"""What earlier releases showed of whom, and whether a new one beside them would tell of single people.

Two releases that differ by one late return give that return away, whatever each of them withholds: one held against the
other is a release of one person. So what went out is remembered, person by person, as keyed digests: nobody without the
team's key can try out guesses. A release is of the same people as an earlier one, or differs by at least `threshold`,
in a whole wave and in each of its organisations; it shows them under one rule; or a person signs for it.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.key import NAME, PRIVATE, RESTORE, Key
from surveywaves.study.models import Disclosure
from surveywaves.terms import NOT_STATED, RESCALED_SUFFIX, Missing
from surveywaves.text import few

LEDGER: Final = PRIVATE / "ledger.jsonl"

PERSON: Final = "person"
UNWEIGHTED: Final = "unweighted"
ANSWERS: Final = "answers"
GROUPS: Final = "groups"

VIEWS: Final = {
    PERSON: "in what they said or weigh",
    UNWEIGHTED: "in what they said",
    ANSWERS: "in their answers",
    GROUPS: "in the groups that they belong to",
}
"""Parts of a row that are compared each by itself, as each has tables of its own -> how people differ in it.

New weights for everybody, or one variable coded otherwise, change all rows: without the parts, one late return among
them would pass.
"""

DRAW: Final = 1
"""Version of the rounding of counts: to be raised when the same counts are rounded differently than before.

Two different roundings of the same counts narrow them more than one does.
"""

_IDENTITY: Final = ("wave", "respondent", "evidence")
_WEIGHT: Final = "weight"
_REASON: Final = "why not "

Digests = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class State:
    """What the rows of a wave's respondents are."""

    columns: Mapping[str, tuple[str, ...]]
    """View -> columns that hold something in the wave."""
    rows: Mapping[str, Mapping[str, Digests]]
    """Organisation -> view -> keyed digests of its respondents' rows, (respondents,), sorted."""

    def all(self, view: str) -> Digests:
        """Return the digests of all respondents of the wave."""
        return np.concatenate([views[view] for views in self.rows.values()])

    @property
    def returns(self) -> int:
        """Count the respondents."""
        return sum(len(views[PERSON]) for views in self.rows.values())

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "columns": {view: list(names) for view, names in self.columns.items()},
            "rows": {
                organisation: {
                    view: base64.b64encode(digests.astype("<u8").tobytes()).decode()
                    for view, digests in views.items()
                }
                for organisation, views in sorted(self.rows.items())
            },
        }

    @classmethod
    def of_plain(cls, content: Mapping[str, Any]) -> State:
        """Take it from plain data."""
        return cls(
            {view: tuple(names) for view, names in content["columns"].items()},
            {
                organisation: {
                    view: np.frombuffer(base64.b64decode(text, validate=True), dtype="<u8").astype(np.uint64)
                    for view, text in views.items()
                }
                for organisation, views in content["rows"].items()
            },
        )


class People:
    """The respondents of the waves, as far as a release shows them.

    Parameters
    ----------
    responses
        One row a respondent, as `pool` gives them.
    missing
        The same rows: the reasons of missing values.
    key
        The team's key.
    """

    def __init__(self, responses: pd.DataFrame, missing: pd.DataFrame, key: Key) -> None:
        self._key = key
        reasons = missing.drop(columns=list(_IDENTITY), errors="ignore").add_prefix(_REASON)
        rows = pd.concat([responses.reset_index(drop=True), reasons.reset_index(drop=True)], axis=1)
        self._items = frozenset(
            name for name in map(str, responses) if name in missing or name.endswith(RESCALED_SUFFIX)
        )
        self._waves = {
            str(wave): (rows, np.asarray(places))
            for wave, places in responses.groupby("wave", sort=False).indices.items()
        }
        self._states: dict[tuple[str, Any], State] = {}

    def __or__(self, other: People) -> People:
        """Return both, which have neither a wave nor a column of answers in common."""
        both = copy(self)
        both._items, both._waves, both._states = self._items | other._items, self._waves | other._waves, {}
        return both

    @property
    def waves(self) -> list[str]:
        """Name the waves."""
        return list(self._waves)

    def state(self, wave: str, columns: Mapping[str, Sequence[str]] | None = None) -> State:
        """Digest the rows of a wave's respondents.

        Neither the order of rows nor of columns counts, nor what identifies a respondent. A missing value adds nothing:
        a column that is empty in a wave, as of an item that only a later one asks, leaves its rows as they are.

        Parameters
        ----------
        columns
            View -> columns to look at; None: all that hold something in the wave.
        """
        known = (wave, None if columns is None else json.dumps(columns))
        if known not in self._states:
            rows, places = self._waves[wave]
            self._states[known] = self._state(rows.iloc[places], columns)
        return self._states[known]

    def _state(self, rows: pd.DataFrame, columns: Mapping[str, Sequence[str]] | None) -> State:
        wanted = {view: frozenset(names) for view, names in (columns or {}).items()}
        sums = {view: np.zeros(len(rows), dtype=np.uint64) for view in VIEWS}
        found: dict[str, list[str]] = {view: [] for view in VIEWS}
        for name in sorted(set(map(str, rows)) - set(_IDENTITY)):
            views = [view for view in self._views(name) if columns is None or name in wanted[view]]
            numbers = self._numbers(name, rows[name]) if views else None
            for view in views:
                if numbers is not None:
                    sums[view] += numbers
                    found[view].append(name)
        stated = rows["organisation"].fillna(NOT_STATED).astype("str").to_numpy(dtype=object)
        return State(
            {view: tuple(names) for view, names in found.items()},
            {
                str(one): {view: self._digests(view, sums[view][stated == one]) for view in VIEWS}
                for one in sorted(set(stated))
            },
        )

    def _views(self, name: str) -> list[str]:
        """Name the parts of a row that a column belongs to."""
        if name == _WEIGHT:
            return [PERSON]
        answer = name in self._items or name.removeprefix(_REASON) in self._items
        return [PERSON, UNWEIGHTED, ANSWERS if answer else GROUPS]

    def _numbers(self, name: str, column: pd.Series[Any]) -> Digests | None:
        """Return a secret number for each value of a column; None: it holds nothing."""
        codes, values = pd.factorize(column)
        texts = [_text(value) for value in values]
        secret = np.array(
            [
                0 if text == Missing.NOT_ASKED and name.startswith(_REASON) else self._number(name, text)
                for text in texts
            ]
            + [0],
            dtype=np.uint64,
        )
        return secret[codes] if secret.any() else None

    def _number(self, name: str, text: str) -> int:
        return int(self._key.digest("cell", name, text)[:16], 16)

    def _digests(self, view: str, sums: Digests) -> Digests:
        """Digest the sums of secret numbers, lest whoever knows some rows work out the numbers."""
        different, place = np.unique(sums, return_inverse=True)
        secret = self._key.secret + view.encode()
        made = [hmac.digest(secret, one.tobytes(), "sha256")[:8] for one in different.astype("<u8")]
        return np.sort(np.frombuffer(b"".join(made), dtype="<u8").astype(np.uint64)[place])


def _text(value: Any) -> str:
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def people_apart(old: Digests, new: Digests) -> int:
    """Count the people by whom two lots differ: as many as one of them has more, or has otherwise."""
    different, place = np.unique(np.concatenate([old, new]), return_inverse=True)
    more = np.bincount(place[: len(old)], minlength=len(different)) - np.bincount(
        place[len(old) :], minlength=len(different)
    )
    return int(max(more[more > 0].sum(), -more[more < 0].sum()))


# --- what is remembered -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A release that went out."""

    label: str
    """What it is called."""
    rule: Mapping[str, Any]
    """The rule that it was made under, as plain data."""
    waves: Mapping[str, str]
    """Wave -> name of its state."""


@dataclass(frozen=True)
class Signature:
    """What a person took upon themselves: the pairs of states that may both be out."""

    label: str
    by: str
    reason: str
    on: str
    pairs: tuple[str, ...]


@dataclass(frozen=True)
class Ledger:
    """All of them, in the order in which they came; states by name."""

    entries: tuple[Entry, ...] = ()
    signatures: tuple[Signature, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)

    def signed(self, pair: str) -> bool:
        """Check whether a person signed for a pair of states."""
        return any(pair in one.pairs for one in self.signatures)

    def add(self, entry: Entry, people: People) -> Ledger:
        """Enter a release; one that stands there already, under its label, is not entered twice."""
        if entry in self.entries:
            return self
        more = {name: people.state(wave) for wave, name in entry.waves.items()}
        return replace(self, entries=(*self.entries, entry), states={**self.states, **more})

    def sign(self, signature: Signature) -> Ledger:
        """Enter a signature."""
        return replace(self, signatures=(*self.signatures, signature))


def told(rule: Disclosure) -> dict[str, Any]:
    """Return a rule as plain data, in one order."""
    content = rule.model_dump(mode="json") | {"draw": DRAW}
    content["impossible"] = sorted(content["impossible"], key=lambda one: sorted(one.items()))
    return content


def entry_of(label: str, rule: Disclosure, people: People, key: Key) -> Entry:
    """Describe a release of some people under a rule."""
    return Entry(label, told(rule), {wave: state_name(people.state(wave), key) for wave in people.waves})


def state_name(state: State, key: Key) -> str:
    """Name a state by its keyed digest."""
    return key.digest("state", _json(state.plain()))


def entry_name(entry: Entry, key: Key) -> str:
    """Name an entry by its keyed digest."""
    return key.digest("entry", entry.label, _json(entry.rule), _json(entry.waves))


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


# --- the ledger as text -------------------------------------------------------------------------------------------


def to_text(ledger: Ledger, key: Key) -> str:
    """Write a ledger, one line of JSON each; the last line seals the others, so that none can go unnoticed."""
    lines = [_json({"key": key.name})]
    lines += [_json({"state": name, **state.plain()}) for name, state in ledger.states.items()]
    lines += [
        _json({"release": entry.label, "rule": entry.rule, "waves": entry.waves}) for entry in ledger.entries
    ]
    lines += [
        _json({"signed": one.label, "by": one.by, "reason": one.reason, "on": one.on, "pairs": one.pairs})
        for one in ledger.signatures
    ]
    return "\n".join([*lines, _json({"seal": key.digest("ledger", *lines)}), ""])


def of_text(text: str, key: Key) -> Ledger:
    """Read a ledger.

    Raises
    ------
    SurveywavesError
        If it was made with another key, or is not as it was written.
    """
    *lines, last = text.rstrip("\n").split("\n")
    try:
        rows = [json.loads(line) for line in lines]
        other = bool(rows) and rows[0]["key"] != key.name
        sealed = hmac.compare_digest(json.loads(last)["seal"], key.digest("ledger", *lines))
    except (ValueError, KeyError, TypeError, IndexError):
        other = sealed = False
    if other:
        raise SurveywavesError.at(LEDGER, f"made with another key than {NAME}", RESTORE)
    if not sealed:
        raise SurveywavesError.at(LEDGER, "not as it was written: changed, cut or damaged", RESTORE)
    return Ledger(
        tuple(Entry(row["release"], row["rule"], row["waves"]) for row in rows if "release" in row),
        tuple(
            Signature(row["signed"], row["by"], row["reason"], row["on"], tuple(row["pairs"]))
            for row in rows
            if "signed" in row
        ),
        {row["state"]: State.of_plain(row) for row in rows if "state" in row},
    )


# --- whether a release can go out beside them -----------------------------------------------------------------------


@dataclass(frozen=True)
class Conflict:
    """A wave of an earlier release that cannot stand beside the new one."""

    label: str
    wave: str
    """The earlier release, and the wave."""
    pair: str
    """Keyed digest of the two states, which a person may sign for."""
    fewer_than: int = 0
    """Number of people that the two would have to differ by; 0: that is not what is wrong."""
    people: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By how many they differ, organisation ("" in all) and view -> number; only those too small."""
    keys: tuple[str, ...] = ()
    """Keys of the rule that are not as they were."""
    gone: tuple[str, ...] = ()
    """Columns that the earlier release has and this one has not, for which reason nobody can tell."""

    def mistake(self) -> Mistake:
        """Put it in a line for everybody: not how many people, nor of which organisation they are."""
        reasons = []
        if self.people:
            views = dict.fromkeys(view for _, view in self.people)
            how = VIEWS[next(view for view in (UNWEIGHTED, *VIEWS) if view in views)]
            reasons.append(
                f"differs by fewer than {self.fewer_than} people {how}, whom the two together would give away"
            )
        if self.keys:
            reasons.append(
                f"shows the same people under another rule ({', '.join(self.keys)}), so that the two together tell "
                "what each withholds"
            )
        if self.gone:
            reasons.append(
                f"has {few(self.gone, 3)}, which is no more, so that nobody can tell by how many people the two differ"
            )
        # What is no wave of the survey is called in words.
        wave = self.wave if " " in self.wave else f"wave {self.wave}"
        return Mistake(
            f"release {self.label}, {wave}",
            "; ".join(reasons),
            f"surveywaves ledger shows more to the team; surveywaves ledger sign {self.label} --by NAME --reason TEXT "
            "takes it upon you",
        )


def conflicts(ledger: Ledger, rule: Disclosure, people: People, key: Key) -> Iterator[Conflict]:
    """Yield what of earlier releases a new one cannot stand beside, unless a person has signed for it.

    Parameters
    ----------
    ledger
        The earlier releases.
    rule
        The rule of the new one.
    people
        Its respondents.
    """
    seen = set()
    for entry in ledger.entries:
        for wave, name in entry.waves.items():
            if wave not in people.waves:
                continue
            new = people.state(wave)
            pair = key.digest("pair", name, _json(entry.rule), state_name(new, key), _json(told(rule)))
            if (entry.label, wave, pair) in seen or ledger.signed(pair):
                continue
            seen.add((entry.label, wave, pair))
            found = _conflict(entry, wave, ledger.states[name], people, rule)
            if found:
                yield replace(found, pair=pair)


def _conflict(entry: Entry, wave: str, old: State, people: People, rule: Disclosure) -> Conflict | None:
    whole = people.state(wave)
    gone = {view: tuple(set(old.columns[view]) - set(whole.columns[view])) for view in VIEWS}
    new = whole if old.columns == whole.columns else people.state(wave, old.columns)
    views = [view for view in VIEWS if not gone[view]]
    fewer_than = max(int(entry.rule["threshold"]), rule.threshold)
    apart = {("", view): people_apart(old.all(view), new.all(view)) for view in views}
    nobody = np.array([], dtype=np.uint64)
    for organisation in sorted({*old.rows, *new.rows}):
        for view in views:
            before, after = (
                state.rows[organisation][view] if organisation in state.rows else nobody
                for state in (old, new)
            )
            apart[organisation, view] = people_apart(before, after)
    few_people = {place: number for place, number in apart.items() if 0 < number < fewer_than}
    now = told(rule)
    keys = tuple(name for name in now if name in entry.rule and entry.rule[name] != now[name])
    if keys and not _same_people(old, new, apart):
        keys = ()
    lost = gone[UNWEIGHTED]
    if not (few_people or keys or lost):
        return None
    return Conflict(
        entry.label, wave, "", fewer_than if few_people else 0, few_people, keys, tuple(sorted(lost))
    )


def _same_people(old: State, new: State, apart: Mapping[tuple[str, str], int]) -> bool:
    """Check whether two lots are the same people for the most part."""
    fewest = max(1, min(old.returns, new.returns))
    return min((number for (one, _), number in apart.items() if not one), default=0) * 2 < fewest


def signature(found: Iterable[Conflict], label: str, *, by: str, reason: str, on: str) -> Signature:
    """Sign for what an earlier release conflicts in.

    Raises
    ------
    SurveywavesError
        If it conflicts in nothing.
    """
    pairs = tuple(one.pair for one in found if one.label == label)
    if not pairs:
        raise SurveywavesError.at(label, "nothing to sign: no such release stands against the results of now")
    return Signature(label, by, reason, on, pairs)
