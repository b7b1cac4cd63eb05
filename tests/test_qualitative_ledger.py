"""The ledger of releases knows interviews and meetings: one more, or one coded otherwise, is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from surveywaves.disclosure.ledger import Conflict, Ledger, People, conflicts, entry_of
from surveywaves.key import Key
from surveywaves.qualitative.people import interviewed
from surveywaves.qualitative.reading import OBSERVED_COLUMNS, SEGMENT_COLUMNS, SOURCE_COLUMNS, Material
from surveywaves.study.models import Disclosure

KEY, RULE = Key(bytes(range(32))), Disclosure()
INTERVIEWS, MEETINGS = 30, 12


def coded(interviews: int = INTERVIEWS, meetings: int = MEETINGS) -> Material:
    """Make interviews of one stage, every third coded by two, and meetings; the first are the same in all."""
    rng = np.random.default_rng(1)
    sources = [(one, "managers", "wards", "nhs") for one in range(1, interviews + 1)]
    segments = [
        (source, coder, "x", theme, "+-"[rng.integers(2)], start, start + 50)
        for source, *_ in sources
        for start, theme in zip(rng.integers(0, 9000, 4).tolist(), "abab", strict=True)
        for coder in (1, 2)[: 1 + (source % 3 == 0)]
    ]
    grid = [
        (str(n), "", "board", what, int(rng.integers(9))) for n in range(meetings) for what in ("joke", "row")
    ]
    return Material(
        pd.DataFrame(sources, columns=list(SOURCE_COLUMNS)),
        pd.DataFrame(segments, columns=list(SEGMENT_COLUMNS)).astype({"start": "Int64", "end": "Int64"}),
        pd.DataFrame(grid, columns=list(OBSERVED_COLUMNS)),
        pd.DataFrame(),
    )


def against(now: Material, *, before: Material | None = None) -> list[Conflict]:
    earlier = interviewed(coded() if before is None else before, KEY)
    ledger = Ledger().add(entry_of("report", RULE, earlier, KEY), earlier)
    return list(conflicts(ledger, RULE, interviewed(now, KEY), KEY))


def test_the_same_material_is_no_conflict_in_any_order() -> None:
    now = coded()
    assert against(now) == []
    assert against(now._replace(segments=now.segments.sample(frac=1, random_state=1))) == []


@pytest.mark.parametrize(("more", "refused"), [(1, True), (4, True), (5, False)])
def test_a_few_interviews_more_are_refused_and_the_line_says_no_number(more: int, refused: bool) -> None:
    found = {one.wave: str(one.mistake()) for one in against(coded(INTERVIEWS + more))}
    assert ("interviews of managers" in found) is refused
    if refused:
        line = found["interviews of managers"]
        assert line.startswith("release report, interviews of managers: differs by fewer than 5 people in")
        assert "wards" not in line and str(INTERVIEWS + more) not in line


@pytest.mark.parametrize("column", ["theme", "tone", "start"])
def test_one_passage_coded_otherwise_is_refused(column: str) -> None:
    now = coded()
    now.segments.loc[0, column] = {"theme": "b", "tone": "", "start": 9999}[column]
    [found] = against(now)
    assert found.people["", "answers"] == 1


def test_one_meeting_more_is_refused() -> None:
    assert [one.wave for one in against(coded(meetings=MEETINGS + 1))] == ["meetings observed"]


def test_one_interview_more_that_several_coded_is_refused_beside_many_that_one_coded() -> None:
    now = coded(INTERVIEWS + 6)
    now = now._replace(
        segments=now.segments[(now.segments["source"] <= INTERVIEWS + 3) | (now.segments["coder"] == 1)]
    )
    assert [one.wave for one in against(now)] == ["interviews that several coded"]


def test_a_coder_more_or_a_theme_more_makes_nobody_another_person() -> None:
    now = coded(INTERVIEWS + 5)
    late = now.segments["source"] > INTERVIEWS
    renumbered = now.segments.assign(coder=now.segments["coder"] + 1).where(
        ~late, now.segments.assign(coder=1)
    )
    found = against(now._replace(segments=renumbered))
    assert "interviews of managers" not in {one.wave for one in found}
    theme = now.segments[now.segments["source"] <= INTERVIEWS]
    theme = pd.concat([theme, theme[theme["theme"] == "a"].assign(theme="new")], ignore_index=True)
    assert against(coded()._replace(segments=theme)) == []


def test_interviews_beside_the_survey_leave_its_states_as_they_are() -> None:
    rows = pd.DataFrame({"wave": "first", "respondent": range(9), "organisation": "north", "a": range(9)})
    alone = People(rows, rows[["wave", "respondent"]].assign(a=None), KEY)
    both = alone | interviewed(coded(), KEY)
    assert both.state("first").plain() == alone.state("first").plain()
    assert both.waves == [
        "first",
        "interviews of managers",
        "interviews that several coded",
        "meetings observed",
    ]
