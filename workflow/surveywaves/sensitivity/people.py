"""By whom variants of the analysis differ: what the release must know, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.mixed.design import BoolArray, IntArray, takes_part
from surveywaves.sample import Sample, Scale
from surveywaves.sensitivity.imputation import Imputed
from surveywaves.terms import ORGANISATION

COLUMNS: Final = ("variant", "other", "scale", "wave", "organisation", "n")

Used = NDArray[np.uint8]
"""(N, B) which answers of each respondent an analysis uses, a bit an item."""

Waves = tuple[str, ...]


def given(sample: Sample, scale: Scale) -> Used:
    """List all answers to a scale."""
    return np.packbits(sample.frame[list(scale.items)].notna().to_numpy(dtype=np.bool_), axis=1)


def used(sample: Sample, scale: Scale, answers: Used, changed: Sample, of: Scale) -> Used:
    """List the answers that a variant uses.

    Parameters
    ----------
    sample, scale, answers
        Of the main analysis, with all answers that are `given`.
    changed, of
        The variant's; a scale of other items than these stands for all of its answers (a score).
    """
    inside = _taking_part(sample, changed, of)
    items = set(of.items) & set(scale.items) or set(scale.items)
    return np.where(
        inside[:, None], answers & np.packbits([item in items for item in scale.items]), np.uint8(0)
    )


def with_imputed(sample: Sample, scale: Scale, main: Used, imputed: Imputed) -> Used:
    """List the answers that the imputed data use: who is added by them is in with every item."""
    inside = _taking_part(sample, imputed.completed(0, scale), scale)
    added = inside & ~main.any(axis=1)
    return np.where(added[:, None], np.uint8(255), np.where(inside[:, None], main, np.uint8(0)))


def _taking_part(sample: Sample, changed: Sample, of: Scale) -> BoolArray:
    """(N,) who of a sample takes part in a design of what became of it."""
    inside = np.zeros(len(sample.frame), dtype=np.bool_)
    inside[sample.frame.index.get_indexer(changed.frame.index[takes_part(changed, of)])] = True
    return inside


def variant_people(
    sample: Sample, scale: str, uses: Mapping[str, Mapping[Waves, Used]]
) -> Iterator[dict[str, Any]]:
    """Count by how many respondents variants differ.

    Parameters
    ----------
    sample
        Of the main analysis.
    scale
        Name of the scale.
    uses
        Variant -> the waves of a contrast -> the answers that it uses.

    Yields
    ------
    dict
        `variant`, `other`, `scale`, `wave`, `organisation`, `n`. Where `other` is empty, the respondents of the
        variant; elsewhere those whose answers one of both uses and the other does not, if there are any, in the
        contrast in which they are fewest. Somebody who states no organisation, and whose is imputed, may be in any.
    """
    frame = sample.frame
    wave = pd.Index(sample.waves).get_indexer(pd.Index(frame["wave"]))
    organisation = pd.Index(sample.organisations).get_indexer(pd.Index(frame[ORGANISATION]))
    # Respondents of one cell of whom every variant uses the same are counted together.
    kind = pd.factorize(wave * (len(sample.organisations) + 1) + organisation)[0]
    everything = {id(own): own for ways in uses.values() for own in ways.values()}
    for column in (column for own in everything.values() for column in own.T):
        kind = pd.factorize(kind * 256 + column)[0]
    _, someone, number = np.unique(kind, return_index=True, return_counts=True)
    wave, organisation = wave[someone], organisation[someone]
    short = {key: own[someone] for key, own in everything.items()}
    uses = {name: {waves: short[id(own)] for waves, own in ways.items()} for name, ways in uses.items()}
    names = list(uses)
    for place, variant in enumerate(names):
        nobody = {waves: np.zeros_like(own) for waves, own in uses[variant].items()}
        for other in ("", *names[:place]):
            counts = np.zeros((len(sample.waves), len(sample.organisations)), dtype=np.intp)
            for waves, own in uses[variant].items():
                theirs = uses[other].get(waves) if other else nobody[waves]
                if theirs is None or theirs is own:
                    continue
                here = _by_cell(number * (own != theirs).any(axis=1), wave, organisation, counts.shape)
                here[[one not in waves for one in sample.waves]] = 0
                counts = np.where((here > 0) & ((counts == 0) | (here < counts)), here, counts)
            for at in zip(*np.nonzero(counts), strict=True):
                label = sample.waves[at[0]], sample.organisations[at[1]]
                yield dict(zip(COLUMNS, (variant, other, scale, *label, int(counts[at])), strict=True))


def _by_cell(number: IntArray, wave: IntArray, organisation: IntArray, shape: tuple[int, ...]) -> IntArray:
    """(W, O) how many there are in each cell; who is of no organisation counts in all of the wave."""
    found = np.zeros((shape[0], shape[1] + 1), dtype=np.intp)
    there = wave >= 0
    np.add.at(found, (wave[there], organisation[there]), number[there])  # -1 is the last
    return np.asarray(found[:, :-1] + found[:, -1:])
