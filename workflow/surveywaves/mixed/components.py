"""Variance components of the linear model, what follows from them, and their standard errors.

Respondents have variance a sigma2, teams b sigma2, and an answer (1 + a + b) sigma2.
"""

from __future__ import annotations

import math

import numpy as np

from surveywaves.mixed.design import FloatArray

SHARES = frozenset({"icc", "icc_team"})
"""The terms that lie between 0 and 1."""


def estimates(
    *, sigma2: float, tau2: float, tau2_team: float, fixed_variance: float, with_teams: bool
) -> dict[str, float]:
    """Term -> estimate, NaN where there is none.

    Parameters
    ----------
    sigma2, tau2, tau2_team
        Variances within respondents, between respondents (of a team) and between teams; NaN where it is
        not in the model or cannot be told from another.
    fixed_variance
        Variance over the answers of what the fixed effects predict.
    with_teams
        Whether the terms of teams are wanted.
    """
    team = 0.0 if math.isnan(tau2_team) else tau2_team
    total = sigma2 + team + (0.0 if math.isnan(tau2) else tau2)
    explained = fixed_variance + total
    teams = {"tau2_team": tau2_team, "icc_team": tau2_team / total} if with_teams else {}
    return {
        "sigma2": sigma2,
        "tau2": tau2,
        "icc": (tau2 + team) / total,
        "total_sd": math.sqrt(total),
        **teams,
        "r2_marginal": fixed_variance / explained,
        "r2_conditional": (fixed_variance + tau2 + team) / explained,
    }


def standard_errors(*, sigma2: float, ratios: FloatArray, variance_cov: FloatArray) -> dict[str, float]:
    """Term -> standard error by the delta method, 0 for a variance of 0.

    Parameters
    ----------
    sigma2, ratios
        Variance within respondents; (1,) or (2,) those between respondents, and teams, over it.
    variance_cov
        (2, 2) or (3, 3) covariance of sigma2 and the ratios.
    """
    s, (a, b) = sigma2, np.append(ratios, 0.0)[:2]
    total = 1 + a + b
    root = 2 * math.sqrt(s * total)
    gradients = {
        "sigma2": (1.0, 0.0, 0.0),
        "tau2": (a, s, 0.0),
        "tau2_team": (b, 0.0, s),
        "icc": (0.0, 1 / total**2, 1 / total**2),
        "icc_team": (0.0, -b / total**2, (1 + a) / total**2),
        "total_sd": (total / root, s / root, s / root),
    }
    found = {}
    for term, gradient in gradients.items():
        vector = np.array(gradient[: len(variance_cov)])
        found[term] = math.sqrt(max(float(vector @ variance_cov @ vector), 0.0))
    return found
