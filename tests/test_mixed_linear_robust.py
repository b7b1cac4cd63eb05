"""Robust covariances of the linear mixed model: against clubSandwich; against the formula and known truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from surveywaves.mixed.lmm import fit_linear
from test_mixed_linear import MANIFEST, ORACLE, R_TOLERANCE, oracle_design
from test_mixed_linear_weights import names_in_r

ROBUST = pd.read_csv(ORACLE / "robust.csv")
COMBINATIONS = pd.read_csv(ORACLE / "combinations.csv")


@pytest.mark.parametrize("name", MANIFEST.index)
def test_coefficients_and_their_combinations_are_tested_as_by_clubsandwich(name: str) -> None:
    design = oracle_design(name)
    fit = fit_linear(design)
    theirs = ROBUST[ROBUST["set"] == name].set_index("column")
    combinations = COMBINATIONS[COMBINATIONS["set"] == name].pivot_table("weight", "number", "column")
    columns = names_in_r(design)
    vectors = pd.DataFrame(np.eye(len(columns)), index=columns, columns=columns)
    mixed = combinations.rename(index=str).reindex(columns=columns, fill_value=0.0)
    vectors = pd.concat([vectors, mixed]).loc[theirs.index].to_numpy()
    ours = [(vector @ fit.coef, math.sqrt(vector @ fit.cov @ vector), fit.df(vector)) for vector in vectors]
    np.testing.assert_allclose(ours, theirs[["estimate", "std_error", "df"]], **R_TOLERANCE)
