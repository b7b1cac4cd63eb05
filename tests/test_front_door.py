"""No file ends in a traceback: whatever stands in it, add-wave, check and the run take it or say a line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from situations import AGREE, ASKED, GROUPS, STATEMENTS, WAVE, addition, put_on_list, small_study, write_csv
from situations.labels import ORDERS, PAIRS, SCALES, STRAY, TICKS
from situations.numbers import BESIDE, FORMS
from surveywaves.adding.addition import grouped, narrate, write
from surveywaves.errors import SurveywavesError
from surveywaves.harmonise import harmonise_checked
from surveywaves.ingest import ingest
from surveywaves.study import load_study
from surveywaves.study.load import OPEN, mistakes_of_wave
from surveywaves.study.parts import ReadingPart

FAMILIES = [
    *map(list, SCALES.values()),
    *map(list, PAIRS.values()),
    *([write(str(code)) for code in range(6)] for _, write in list(FORMS.values())[:4]),
    list(AGREE),
    [*STRAY, *TICKS],
    [cell for cell, _ in BESIDE.values()],
    [cell for words in ORDERS.values() for cell in words.values()],
    [label for levels in GROUPS.values() for label in levels.values()],
    [
        "",
        " ",
        "\u200b",
        "\u200f",
        "\x00",
        "\ufffd",
        "a\nb",
        '"',
        "'",
        "\t",
        "TODO: 1",
        "TODO",
        "#",
        "&",
        "*a",
    ],
]
LETTERS = st.characters(exclude_categories=["Cs"])
CELL = st.one_of(
    st.sampled_from([cell for family in FAMILIES for cell in family]), st.text(LETTERS, max_size=8)
)
HEADERS = [
    *STATEMENTS.values(),
    *ASKED.values(),
    "Return",
    "keying",
    "RespondentID",
    "StartDate",
    "",
    "<b>",
    "a | b",
]
HEADER = st.one_of(st.sampled_from(HEADERS), st.text(LETTERS, max_size=12))
SCALE = st.sampled_from(list(SCALES.values()))
ANSWER = st.sampled_from(
    [
        "skipped",
        "invalid",
        1,
        2,
        None,
        "identical",
        "absent",
        "codes_ascending",
        "codes",
        "labels",
        "Gender",
        "x",
    ]
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw a file: columns of cells of one or two families each, now and then of anything."""
    rows = draw(st.integers(1, 8))
    found = {}
    for header in draw(st.lists(HEADER, min_size=1, max_size=10, unique=True)):
        family = draw(st.sampled_from(FAMILIES)) + draw(st.one_of(st.just([]), st.sampled_from(FAMILIES)))
        found[header] = draw(st.lists(st.one_of(st.sampled_from(family), CELL), min_size=rows, max_size=rows))
    return found


def decided(value: Any, data: st.DataObject) -> Any:
    """Settle every open decision in some way, right or wrong."""
    if isinstance(value, dict):
        return {key: decided(one, data) for key, one in value.items()}
    if isinstance(value, list):
        return [decided(one, data) for one in value]
    return data.draw(ANSWER) if isinstance(value, str) and value.startswith(OPEN) else value


def through(folder: Path, data: st.DataObject) -> None:
    """Go the way of a file as far as it goes."""
    added = addition(folder)
    home = folder / f"config/waves/{WAVE}"
    write(added, home)
    assert list(narrate(added))
    assert list(grouped(mistakes_of_wave(folder / "config", WAVE)))
    path = home / "wave.yaml"
    content = decided(yaml.safe_load(path.read_text(encoding="utf-8")), data)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    rows = (home / "items.tsv").read_text(encoding="utf-8").split("\n")
    cells = [[decided(cell, data) or "" for cell in row.split("\t")] for row in rows]
    (home / "items.tsv").write_text("\n".join("\t".join(map(str, row)) for row in cells), encoding="utf-8")
    put_on_list(folder)
    study = load_study(folder / "config")
    found = ingest(ReadingPart.of(study.wave(WAVE)), root=folder)
    harmonised = harmonise_checked(study, study.wave(WAVE), found.cells, found.value_labels)
    assert len(harmonised.responses) == found.counts["rows_kept"].sum()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(labels=SCALE, file=files(), semicolons=st.booleans(), data=st.data())
def test_a_file_is_taken_or_refused_in_lines(
    labels: list[str], file: dict[str, list[str]], semicolons: bool, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = small_study(folder, labels=labels)
        write_csv(raw / "export.csv", file, delimiter=";" if semicolons else ",")
        try:
            through(folder, data)
        except SurveywavesError as error:
            assert all(mistake.where and mistake.what for mistake in error.mistakes)
