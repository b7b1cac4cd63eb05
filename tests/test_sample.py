"""The sample and the scales that statistics are handed, and the parts of a study that they are made from."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import REPOSITORY
from surveywaves.sample import Scale, scales_of, single_items
from surveywaves.study import load_study
from surveywaves.study.models import Study
from surveywaves.study.parts import (
    ComparingPart,
    DescribingPart,
    InstrumentItem,
    MeasuringPart,
    PlanningPart,
    PublicationPart,
    ReleasingPart,
    SensitivityPart,
    SettlingPart,
)

PARTS = [
    *(DescribingPart, MeasuringPart, ComparingPart, PlanningPart, SensitivityPart),
    *(PublicationPart, SettlingPart, ReleasingPart),
]
INSTRUMENT = (
    InstrumentItem(item="a", scale="trust", key=1, points=5, favourable=(4, 5)),
    InstrumentItem(item="b", key=1, points=7, favourable=(7,)),
    InstrumentItem(item="c", scale="voice", key=1, points=4, favourable=(4,)),
    InstrumentItem(item="d", scale="trust", key=-1, points=5, favourable=(4, 5)),
)


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(REPOSITORY / "config")


def told(scale: Scale) -> dict[str, Any]:
    return {name: getattr(scale, name) for name in Scale.__dataclass_fields__}


def test_scales_are_gathered_from_an_instrument_in_the_order_of_their_first_items() -> None:
    trust, voice = scales_of(INSTRUMENT, {"trust": 2})
    assert told(trust) == {
        "name": "trust",
        "items": ("a", "d"),
        "keys": {"a": 1, "d": -1},
        "response_range": (1, 5),
        "favourable": (4, 5),
        "min_answered": 2,
        "flagged": (),
        "points": {},
        "favourable_of": {},
    }
    assert (voice.name, voice.items, voice.response_range, voice.min_answered) == ("voice", ("c",), (1, 4), 1)


def test_items_by_themselves_keep_the_order_of_the_instrument_and_the_name_of_their_scale() -> None:
    found = single_items(INSTRUMENT)
    assert [scale.items for scale in found] == [("a",), ("b",), ("c",), ("d",)]
    assert [scale.name for scale in found] == ["trust", "", "voice", "trust"]
    assert [scale.response_range[1] for scale in found] == [5, 7, 4, 5]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_part_comes_back_from_the_params_of_a_job_as_it_was(part: Any, study: Study) -> None:
    there = part.of(study)
    assert part.model_validate(there.model_dump(mode="json")) == there


def test_a_stage_is_told_only_what_it_uses(study: Study) -> None:
    weighted = study.config.analysis.model_copy(update={"weighted": True, "covariates": ("role",)})
    study = study.model_copy(update={"config": study.config.model_copy(update={"analysis": weighted})})
    measuring, comparing = (part.of(study).model_dump(mode="json") for part in (MeasuringPart, ComparingPart))
    assert set(measuring["sample"]) == {"waves", "organisations"}
    assert set(comparing["sample"]) == {"waves", "organisations", "covariates", "weight", "reference"}
    assert set(measuring["instrument"][0]) == {"item", "scale", "key", "points"}
    assert set(DescribingPart.of(study).model_dump(mode="json")["instrument"][0]) == {
        *("item", "section", "key", "points", "favourable")
    }


@pytest.mark.parametrize("part", [part for part in PARTS if part not in (PublicationPart, ReleasingPart)])
def test_no_words_reach_a_part_that_only_numbers_come_from(part: Any, study: Study) -> None:
    others = {"organisations": {name: f"Other {name}" for name in study.config.organisations}}
    items = tuple(item.model_copy(update={"text": f"Other {item.item}"}) for item in study.items)
    config = study.config.model_copy(update=others)
    assert part.of(study) == part.of(study.model_copy(update={"config": config, "items": items}))
