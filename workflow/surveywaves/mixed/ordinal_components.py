"""What follows from the variances of the ordinal model on its latent scale, and the standard errors."""

from __future__ import annotations

import math

import numpy as np

from surveywaves.mixed.design import FloatArray
from surveywaves.mixed.links import Link


def components(
    link: Link, *, theta: FloatArray, cov: FloatArray, fitted: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """Work out the variances and shares that `OrdinalFit.variances` states.

    Parameters
    ----------
    link
        Its variance is that of an answer, given the respondent.
    theta, cov
        (1,) tau or (2,) tau and omega, NaN where it cannot be told; their covariance.
    fitted
        Whether there is a fit; without one, everything is NaN.

    Returns
    -------
    estimates, errors
        By term; errors by the delta method, 0 for a variance of 0.
    """
    s2, with_teams = link.variance, len(theta) > 1
    tau, omega = np.append(np.nan_to_num(theta), 0.0)[:2]
    total = s2 + tau**2 + omega**2 if fitted else math.nan
    root = math.sqrt(total)
    # an answer's correlation with others needs tau, even where that is part of the total
    share = (total - s2) / total + 0.0 * theta[0]
    found = {  # estimate, its derivatives by tau and omega
        "tau2": (theta[0] ** 2, 2 * tau, 0.0),
        "icc": (share, 2 * tau * s2 / total**2, 2 * omega * s2 / total**2),
        "total_sd": (root, tau / root, omega / root),
    }
    if with_teams:
        of_omega = 2 * omega * (total - omega**2) / total**2
        found["tau2_team"] = theta[1] ** 2, 0.0, 2 * omega
        found["icc_team"] = omega**2 / total + 0.0 * theta[1], -2 * tau * omega**2 / total**2, of_omega
    estimates, errors = {}, {}
    for term, (estimate, *slope) in found.items():
        by = np.array(slope[: len(theta)])
        estimates[term] = float(estimate)
        errors[term] = math.sqrt(max(float(by @ cov @ by), 0.0))
    return estimates, errors
