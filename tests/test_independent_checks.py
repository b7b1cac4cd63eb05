"""The models against statsmodels, where other tests do not yet: covariates and missing answers, ICC near 0, probit.

`MixedLM`'s own search is no witness: near a variance of 0 it may return effects of exactly 0, an infinite likelihood
and `converged=True`. So Powell's method is asked for, and a likelihood that is not finite is refused.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.miscmodels.ordinal_model import OrderedModel

from sampled import compare, compare_ordinal, make_design
from surveywaves.mixed.design import Design
from surveywaves.mixed.lmm import fit_linear
from surveywaves.terms import Status

MIXEDLM = 5e-4
"""Powell's search stops when the likelihood changes by 1e-8 or so: its square root, in standard errors."""

LIKELIHOOD = 1e-8
"""Relative."""

NUMERIC_HESSIAN = 1e-4
"""OrderedModel's standard errors are from numeric derivatives; 2.2e-5 at most here."""

CELLS = [("early", "x"), ("early", "y"), ("late", "x"), ("late", "y")]


def survey(*, items: int, sd: float, seed: int, number: int = 400) -> pd.DataFrame:
    """Two waves of two organisations of different size, a tenth of the answers missing, two covariates."""
    rng = np.random.default_rng(seed)
    cell = rng.choice(4, number, p=[0.4, 0.1, 0.3, 0.2])
    frame = pd.DataFrame([CELLS[one] for one in cell], columns=["wave", "organisation"])
    frame = frame.assign(role=rng.choice(["a", "b", "c"], number), years=rng.integers(0, 30, number))
    centre = 3 + 0.3 * (cell == 2) + 0.02 * frame["years"].to_numpy() + rng.normal(0, sd, number)
    for item in range(items):
        answers = np.clip(np.round(centre + 0.2 * item + rng.normal(0, 0.9, number)), 1, 5)
        answers[rng.random(number) < 0.1 * (items > 1)] = np.nan
        frame[f"i{item}"] = answers
    return frame


def options(frame: pd.DataFrame) -> dict[str, Any]:
    items = [name for name in frame.columns if name[0] == "i"]
    return {
        "items": items,
        "keys": dict.fromkeys(items, 1),
        "response_range": (1, 5),
        "waves": ["early", "late"],
        "organisations": ["x", "y"],
        "covariates": ["role", "years"],
    }


def columns_of(frame: pd.DataFrame, design: Design) -> pd.DataFrame:
    """The design's columns for a long frame, put together by hand."""
    made = {f"cell[{w}, {o}]": (frame["wave"] == w) & (frame["organisation"] == o) for w, o in CELLS}
    made |= {f"item[{item}]": frame["item"] == item for item in design.items[1:]}
    made |= {f"role[{role}]": frame["role"] == role for role in ("b", "c")}
    columns = pd.DataFrame(made).astype(float).assign(years=frame["years"].astype(float))
    return columns[list(design.columns)]


@pytest.mark.parametrize(("sd", "seed"), [(0.6, 5), (0.1, 6)], ids=["ICC .3", "ICC near 0"])
def test_linear_model_matches_mixedlm(sd: float, seed: int) -> None:
    frame = survey(items=3, sd=sd, seed=seed)
    design = make_design(frame, **options(frame))
    fit = fit_linear(design, robust=False)
    assert fit.status is Status.OK
    long = frame.assign(who=frame.index).melt(
        id_vars=["who", "wave", "organisation", "role", "years"],
        value_vars=list(design.items),
        var_name="item",
    )
    long = long.dropna(subset="value").sort_values("who", kind="stable").reset_index(drop=True)
    columns = columns_of(long, design)
    # the package centres covariates over respondents who answered
    of_all = long.drop_duplicates("who").index
    covariates = list(design.covariates)
    columns[covariates] -= columns.loc[of_all, covariates].mean()
    model = sm.MixedLM(long["value"].to_numpy(), columns.to_numpy(), groups=long["who"].to_numpy())
    theirs = model.fit(method="powell", reml=True)
    assert math.isfinite(theirs.llf)
    errors = np.sqrt(np.diagonal(fit.cov))
    np.testing.assert_allclose((fit.coef - theirs.fe_params) / errors, 0, atol=MIXEDLM)
    np.testing.assert_allclose(errors, theirs.bse_fe, rtol=MIXEDLM)
    assert fit.sigma2 == pytest.approx(theirs.scale, rel=MIXEDLM)
    # what a likelihood lower by a few 1e-8 leaves open where it is flat
    assert fit.tau2 == pytest.approx(float(theirs.cov_re[0, 0]), rel=5e-3)
    assert fit.loglik == pytest.approx(theirs.llf, rel=LIKELIHOOD)
    assert fit.loglik >= theirs.llf - 1e-9 * abs(theirs.llf)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_ordinal_model_of_one_item_and_covariates_matches_orderedmodel(link: str) -> None:
    frame = survey(items=1, sd=0.6, seed=7)
    made = compare_ordinal(frame, scale="s", favourable=(4, 5), link=link, **options(frame))
    design = make_design(frame, **options(frame))
    columns = columns_of(frame.assign(item="i0"), design).iloc[:, 1:]
    theirs = OrderedModel(frame["i0"].astype(int), columns, distr=link).fit(method="newton", disp=False)
    assert theirs.mle_retvals["converged"]
    loglik = made.variances.loc[made.variances["term"] == "loglik", "estimate"].item()
    assert loglik == pytest.approx(theirs.llf, rel=LIKELIHOOD)
    contrasts = made.contrasts.set_index(["term", "wave", "organisation"])
    covariance = theirs.cov_params()
    for (late, early), key in (
        (("cell[late, y]", "cell[early, y]"), ("change", "late - early", "y")),
        (("cell[late, x]", "cell[late, y]"), ("gap", "late", "x - y")),
    ):
        ours = contrasts.loc[key]
        assert ours["estimate"] == pytest.approx(theirs.params[late] - theirs.params[early], abs=1e-6)
        variance = covariance.loc[late, late] + covariance.loc[early, early] - 2 * covariance.loc[late, early]
        assert ours["std_error"] == pytest.approx(math.sqrt(variance), rel=NUMERIC_HESSIAN)


def test_linear_contrasts_of_one_item_match_least_squares() -> None:
    frame = survey(items=1, sd=0.6, seed=8)
    design = make_design(frame, **options(frame))
    theirs = sm.OLS(frame["i0"], columns_of(frame.assign(item="i0"), design)).fit(cov_type="HC2")
    ours = compare(frame, scale="s", **options(frame)).contrasts.set_index(["term", "wave", "organisation"])
    test = theirs.t_test(np.array([-1.0, 0, 1, 0, 0, 0, 0]))
    change = ours.loc["change", "late - early", "x"]
    assert change["estimate"] == pytest.approx(test.effect.item(), rel=1e-9)
    assert change["std_error"] == pytest.approx(test.sd.item(), rel=1e-9)
