"""Statistics of a sample and a scale that a test spells out as options: a frame, its waves, the items, their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.invariance import dif as _dif
from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.compare import Compared, estimate, judge
from surveywaves.mixed.contrasts import FAMILY, Fit, adjust_families
from surveywaves.mixed.contrasts import compare_fit as _compare_fit
from surveywaves.mixed.design import Design
from surveywaves.mixed.design import make_design as _make_design
from surveywaves.mixed.favourable import compare_favourable as _compare_favourable
from surveywaves.mixed.lmm import fit_linear
from surveywaves.planning import plan as _plan
from surveywaves.reliability import reliability as _reliability
from surveywaves.sample import Sample, Scale
from surveywaves.tidy import tidy

OF_SAMPLE = (
    "waves",
    "organisations",
    "covariates",
    "weight",
    "team",
    "sampled",
    "shares",
    "smallest_overlap",
)
OF_SCALE = ("items", "keys", "response_range", "favourable")


def sampled(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[Sample, Scale, dict[str, Any]]:
    """The sample, the scale, and the options that are left."""
    rest = {"scale": "s"} | options
    one, other = (
        {name: _given(rest.pop(name)) for name in names if name in rest} for names in (OF_SAMPLE, OF_SCALE)
    )
    return Sample(frame, **one), Scale(rest.pop("scale"), **other), rest


def _given(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def make_design(frame: pd.DataFrame, **options: Any) -> Design:
    sample, scale, rest = sampled(frame, options)
    return _make_design(sample, scale, **rest)


def mean_vector(design: Design, wave: str, organisation: str) -> np.ndarray:
    cell = design.cells.index((wave, organisation))
    return design.mean_vectors(np.array([[cell]]), np.ones((1, 1)))[0]


class Comparison(NamedTuple):
    """What `compare_fit` gives, as frames."""

    means: pd.DataFrame
    contrasts: pd.DataFrame
    variances: pd.DataFrame


class Favourable(NamedTuple):
    """What `compare_favourable` gives, as frames."""

    means: pd.DataFrame
    contrasts: pd.DataFrame


def compare_fit(design: Design, fit: Fit, **options: Any) -> Comparison:
    return Comparison(*map(tidy, _compare_fit(design, fit, **options)))


def compare_design(design: Design, scale: Scale, **options: Any) -> Favourable:
    return Favourable(*map(tidy, _compare_favourable(design, scale, **options)))


def compare(frame: pd.DataFrame, **options: Any) -> Comparison:
    sample, scale, rest = sampled(frame, options)
    return compare_sample(sample, scale, **rest)


def compare_sample(sample: Sample, scale: Scale, *, fit: Any = fit_linear, **options: Any) -> Comparison:
    design = _make_design(sample, scale)
    return compare_fit(design, fit(design), scale=scale.name, **options)


def compare_study(
    sample: Sample,
    scales: Sequence[Scale],
    items: Sequence[Scale],
    scale_use: pd.DataFrame,
    *,
    robust: bool = True,
    confidence: float = 0.95,
    min_cell: int = 2,
    **effects: Any,
) -> Compared:
    """As the stage does it."""
    found = estimate(sample, scales, items, robust=robust, confidence=confidence, min_cell=min_cell)
    usual = {"multiplicity": "holm", "item_multiplicity": "fdr_bh", "against": sample.against}
    return judge(found, scale_use, confidence=confidence, **(usual | effects))


def compare_ordinal(frame: pd.DataFrame, *, link: str = "logit", **options: Any) -> Comparison:
    """By the ordinal model, then by the answers themselves."""
    sample, scale, rest = sampled(frame, options)
    design = _make_design(sample, scale)
    latent = compare_fit(design, fit_ordinal(design, link=link), scale=scale.name, **rest)
    shares = compare_design(design, scale, **rest)
    return Comparison(
        pd.concat([latent.means, shares.means], ignore_index=True),
        pd.concat([latent.contrasts, shares.contrasts], ignore_index=True),
        latent.variances,
    )


def compare_favourable(frame: pd.DataFrame, **options: Any) -> Favourable:
    sample, scale, rest = sampled(frame, options)
    return compare_design(_make_design(sample, scale), scale, **rest)


def reliability(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    sample, scale, rest = sampled(frame, options)
    return _reliability(sample, scale, **rest)


def dif(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    sample, scale, rest = sampled(frame, options)
    return _dif(sample, scale, **rest)


def plan(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    sample, scale, rest = sampled(frame, options)
    return _plan(sample, [scale], **rest)


def adjust(contrasts: pd.DataFrame, method: str = "holm", *, family: Sequence[str] = FAMILY) -> pd.DataFrame:
    return contrasts.assign(p_adjusted=adjust_families(contrasts, "p_value", method, family))
